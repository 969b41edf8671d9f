"""Paths as a person types them and sees them: at another device the folders of this one mean nothing."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePath

from crm.errors import FieldError

_ELSEWHERE = ContextVar("at_another_device", default=False)
_HOME = ContextVar("home", default="")


@contextmanager
def at_another_device() -> Iterator[None]:
    """Show paths as to somebody at another device meanwhile."""
    before = _ELSEWHERE.set(True)
    try:
        yield
    finally:
        _ELSEWHERE.reset(before)


@contextmanager
def at_home(environment: Mapping[str, str]) -> Iterator[None]:
    """Read `~` as the home folder that an environment names meanwhile, and not as that of the process."""
    before = _HOME.set(environment.get("HOME", ""))
    try:
        yield
    finally:
        _HOME.reset(before)


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
        raise FieldError("a file name cannot contain a NUL character")
    expanded = with_home(typed)
    if expanded.startswith("~"):
        home = typed.partition("/")[0]
        raise FieldError(f"no home folder {home}; write the whole path, or ./{home} for a file")
    try:
        os.fsencode(expanded)
    except UnicodeEncodeError as error:
        raise FieldError(f"a file name cannot contain U+{ord(error.object[error.start]):04X}") from error
    return Path(expanded)


def with_home(typed: str) -> str:
    """The typed text with the home folder in the place of ~; as it is where there is none."""
    own = _HOME.get()
    if own and (typed == "~" or typed.startswith("~/")):
        return own + typed[1:]
    # A Path would take ./~ann for ~ann.
    return os.path.expanduser(typed)  # noqa: PTH111
