"""Paths as a person types them and is told of them: at another device the folders of this one mean nothing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePath

from crm.errors import FieldError

_ELSEWHERE = ContextVar("told_elsewhere", default=False)


@contextmanager
def told_elsewhere() -> Iterator[None]:
    """What is told meanwhile is told to somebody at another device."""
    before = _ELSEWHERE.set(True)
    try:
        yield
    finally:
        _ELSEWHERE.reset(before)


def as_told(where: PurePath | str) -> str:
    """A file, or a store by its URL, as the person is told of it: whole, or only the file's own name where they sit at
    another device. Whatever prints a path or raises an error over one says it so."""
    told = str(where)
    if not _ELSEWHERE.get() or "/" not in told.removeprefix("sheets://"):
        return told
    return PurePath(told).name or "the folder"


def path_of(typed: str) -> Path:
    """The path that was typed, with ~ for a home folder. Whether there is anything is not looked at. Raises FieldError
    for what no file can be called."""
    if "\0" in typed:
        raise FieldError("no file has a NUL in its name")
    # A Path would take ./~ann for ~ann.
    expanded = os.path.expanduser(typed)  # noqa: PTH111
    if expanded.startswith("~"):
        whose = typed.partition("/")[0]
        raise FieldError(f"there is no home folder {whose}; write the whole path, or ./{whose} for a file")
    try:
        os.fsencode(expanded)
    except UnicodeEncodeError as error:
        raise FieldError(f"no file has U+{ord(error.object[error.start]):04X} in its name") from error
    return Path(expanded)
