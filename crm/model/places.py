"""How a file or a store is named to a person: at another device the folders of this one mean nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import PurePath

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
