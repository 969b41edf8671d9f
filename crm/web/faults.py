"""An error as it may be written down: its kind and its place in the program, and never its words, which may name
somebody."""

import traceback
from pathlib import Path
from typing import Any

from crm.errors import OutwardError, StoreAccessError

_PLACES = 8


def facts_of(error: BaseException) -> dict[str, Any]:
    """The facts of an error for the log: `error`, `where` (the last places, the innermost at the end), and what is
    known of why."""
    frames = traceback.extract_tb(error.__traceback__)[-_PLACES:]
    facts: dict[str, Any] = {
        "error": type(error).__name__,
        "where": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if isinstance(error, OutwardError | StoreAccessError):
        facts["reason"] = error.reason
    if cause := error.__cause__ or error.__context__:
        facts["because"] = type(cause).__name__
    return facts
