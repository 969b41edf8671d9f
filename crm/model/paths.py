"""Paths as a person types them and sees them: at another device the folders of this one mean nothing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePath

from crm.errors import FieldError

_ELSEWHERE = ContextVar("at_another_device", default=False)


@contextmanager
def at_another_device() -> Iterator[None]:
    """Paths are shown to somebody at another device meanwhile."""
    before = _ELSEWHERE.set(True)
    try:
        yield
    finally:
        _ELSEWHERE.reset(before)


def is_at_another_device() -> bool:
    """Return whether the person sits at another device than this one."""
    return _ELSEWHERE.get()


def display_path(where: PurePath | str) -> str:
    """A file, or a store by its URL, as it is shown: whole, or only the file's own name where the person sits at
    another device. Whatever prints a path or raises an error over one uses it."""
    whole = str(where)
    if not _ELSEWHERE.get() or "/" not in whole.removeprefix("sheets://"):
        return whole
    return PurePath(whole).name or "the folder"


def path_of(typed: str) -> Path:
    """The path that was typed, with ~ for a home folder. Whether there is anything is not looked at. Raises FieldError
    for what no file can be called."""
    if "\0" in typed:
        raise FieldError("no file has a NUL in its name")
    # A Path would take ./~ann for ~ann.
    expanded = os.path.expanduser(typed)  # noqa: PTH111
    if expanded.startswith("~"):
        home = typed.partition("/")[0]
        raise FieldError(f"no home folder {home}; write the whole path, or ./{home} for a file")
    try:
        os.fsencode(expanded)
    except UnicodeEncodeError as error:
        raise FieldError(f"no file has U+{ord(error.object[error.start]):04X} in its name") from error
    return Path(expanded)
