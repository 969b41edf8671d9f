"""A spreadsheet as a file: who may open it, its version, and its content."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from . import tables
from .book import Book

Result = TypeVar("Result")
WRITER, READER, NONE = "writer", "reader", "none"


@dataclass
class Document:
    """One file. Its content is replaced as a whole, so that whoever reads goes on reading what it was."""

    id: str
    book: Book
    access: str = WRITER
    created: float = field(default_factory=time.time)
    versions: list[tuple[float, int]] = field(default_factory=list)
    permissions: list[dict[str, Any]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        if not self.versions:
            self.versions = [(self.created, 1)]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock = threading.RLock()

    def change(self, how: Callable[[Book], Result]) -> Result:
        """Change the content: all of it or, when that is refused, nothing."""
        with self.lock:
            book = self.book.copy()
            result = how(book)
            tables.after(book)
            book.refuse_size()
            self.book = book
            # Times are told in milliseconds, and no two changes are made at the same one.
            now = max(time.time(), self.versions[-1][0] + 0.001)
            self.versions = [*self.versions[-1000:], (now, self.versions[-1][1] + 1)]
            return result

    def version(self, lag: float = 0.0) -> tuple[float, int]:
        """The time and number of its version, as they were some seconds ago."""
        latest = time.time() - lag
        known = [version for version in self.versions if version[0] <= latest] if lag else self.versions
        return known[-1] if known else self.versions[0]


def time_text(moment: float) -> str:
    """A moment as Drive tells it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
