"""Small SQLite files in which the programs of one machine note for each other what is none of the store's business."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from crm.errors import FileError
from crm.private_files import private_database

# Who finds the file held waits so many seconds.
_HELD = 20


class JournalFile:
    """The file `file_name` in a folder, with `tables` (SQL). One that is damaged is put aside and a new one begun.

    As a context it is open; everything may raise FileError, with the sentence `broken` about {file} and {why}.
    """

    file_name: ClassVar[str]
    tables: ClassVar[str]
    broken: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / self.file_name

    def __enter__(self) -> Self:
        with self._explained():
            try:
                self._file = self._opened()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                for path in self._folder.glob(f"{self._path.name}*"):
                    path.replace(path.with_name(f"damaged-{secrets.token_hex(4)}-{path.name}"))
                self._file = self._opened()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._file.close()

    def _opened(self) -> sqlite3.Connection:
        private_database(self._path)
        file = sqlite3.connect(self._path, timeout=_HELD, isolation_level=None)
        try:
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = FULL")
            file.executescript(f"BEGIN IMMEDIATE;{self.tables}COMMIT;")
        except BaseException:
            file.close()
            raise
        return file

    def _all(self, statement: str, *values: Any, **named: Any) -> list[Any]:
        """Runs a statement with its values, in order (?) or by name (:name)."""
        with self._explained():
            return self._file.execute(statement, named or values).fetchall()

    def _one(self, statement: str, *values: Any, **named: Any) -> Any:
        return next(iter(self._all(statement, *values, **named)), None)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            why = getattr(error, "strerror", "") or str(error)
            raise FileError(self.broken.format(file=self._path.name, why=why)) from error
