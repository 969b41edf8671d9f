"""The cost of an action inside the program: calls of its functions, the files they are in, and SQL statements."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

# Comprehensions are calls in older versions of Python, and generators that are left early are closed by one more.
COMPREHENSIONS = {"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"}
CRM = str(Path(__file__).resolve().parents[2] / "crm")
# The methods of dataclasses, which are not counted where the standard library has made them either.
DATACLASSES = f"{CRM}/lean_dataclass.py"


@dataclass(frozen=True)
class Cost:
    """The functions of the program that were called, the files they are in, and the statements in order."""

    calls: int
    files: int
    statements: list[str]


def cost(action: Callable[[], Any]) -> Cost:
    """Run an action and count."""
    calls: list[str] = []
    statements: list[str] = []

    def note_call(frame: FrameType, what: str, _: Any) -> None:
        code = frame.f_code
        is_own = code.co_filename.startswith(CRM) and code.co_filename != DATACLASSES
        if what == "call" and is_own and code.co_name not in COMPREHENSIONS:
            calls.append(code.co_filename)

    def note_statement(*arguments: Any) -> None:
        statements.append(arguments[2])

    before = sys.getprofile()
    event.listen(Engine, "before_cursor_execute", note_statement)
    sys.setprofile(note_call)
    try:
        action()
    finally:
        sys.setprofile(before)
        event.remove(Engine, "before_cursor_execute", note_statement)
    return Cost(len(calls), len(set(calls)), statements)
