"""Databases of this machine: small SQLite files in which its programs note for each other what is not in the store.

They are private. A program waits a while for one that another holds; a damaged one is set aside or recreated.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from crm.errors import FileError
from crm.private_files import private_database

Result = TypeVar("Result")

# So many seconds a program waits for another one, where it can do without the file, and where it cannot.
_SHORT, _LONG = 2.0, 20.0


def open_database(path: Path | None, tables: str = "", *, wait: float, durable: bool = False) -> sqlite3.Connection:
    """Open a file, and make it and its `tables` (SQL) where they are missing; None is one in memory. A program waits so
    many seconds while another holds it. One that is `durable` loses nothing where the machine goes down, and readers of
    it do not wait for writers. Raises OSError and sqlite3.Error."""
    if path is not None:
        private_database(path)
    file = sqlite3.connect(path or ":memory:", timeout=wait, isolation_level=None, check_same_thread=False)
    try:
        if durable:
            # To be given a write-ahead log is refused at once, not waited for, where another program has the file.
            file.execute("PRAGMA journal_mode = WAL")
        file.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        if tables:
            # Several programs may make them at the same moment.
            file.executescript(f"BEGIN IMMEDIATE;{tables}COMMIT;")
    except BaseException:
        file.close()
        raise
    return file


@contextmanager
def transaction(file: sqlite3.Connection) -> Iterator[None]:
    """Lock a file against other writers; take back what was written where something is raised."""
    file.execute("BEGIN IMMEDIATE")
    try:
        yield
        file.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            file.execute("ROLLBACK")
        raise


def take_lock(path: Path, wait: float = 0) -> sqlite3.Connection | None:
    """A file that is held until it is closed, or the process ends, however it does; None where another one holds it for
    so many seconds. SQLite's locks are the same on every system. Raises OSError and sqlite3.Error."""
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(closing(open_database(path, wait=wait)))
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if _is_held(error):
                return None
            raise
        stack.pop_all()
        return lock


def remove_unused(path: Path, *tables: str) -> None:
    """Remove a database in whose `tables` there is nothing, unless another program has it open."""
    with suppress(sqlite3.Error, OSError):
        if path.stat().st_size == 0:
            path.unlink()
            return
        address = f"{path.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=0, isolation_level=None)) as file:
            if not _is_empty(file, tables):
                return
            # Only who is alone with a file may take its write-ahead log away.
            if file.execute("PRAGMA journal_mode = DELETE").fetchone() != ("delete",):
                return
            file.execute("BEGIN EXCLUSIVE")
            if _is_empty(file, tables):
                path.unlink()
            else:
                file.execute("ROLLBACK")
                file.execute("PRAGMA journal_mode = WAL")


def _is_empty(file: sqlite3.Connection, tables: Sequence[str]) -> bool:
    return all(file.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is None for table in tables)


def _is_held(error: Exception) -> bool:
    """Return whether an error says that another program holds the file."""
    return str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def is_damaged(error: Exception) -> bool:
    """Return whether an error says that a file is no database, or no longer a whole one."""
    return str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


class SharedCounts:
    """A small SQLite file that the programs of this machine share, with `tables`.

    Counting must never stop anybody: where the file cannot be used, each program counts for itself, in memory. A
    damaged one is recreated, since nothing in it has to be kept for long.
    """

    def __init__(self, path: Path, tables: str) -> None:
        self._path = path
        self._tables = tables
        self._alone: sqlite3.Connection | None = None
        self._repaired = False
        self._lock = threading.Lock()

    def change(self, change: Callable[[sqlite3.Connection], Result]) -> Result:
        """Call `change` with the file, to which nobody else writes meanwhile."""
        with self._lock:
            while self._alone is None:
                try:
                    with closing(open_database(self._path, self._tables, wait=_SHORT)) as file, transaction(file):
                        return change(file)
                except (sqlite3.Error, OSError) as error:
                    if self._repaired or not _is_of_no_use(error):
                        self._alone = open_database(None, self._tables, wait=0)
                        continue
                    self._repaired = True
                    with suppress(OSError):
                        for path in _with_logs(self._path):
                            path.unlink(missing_ok=True)
            with transaction(self._alone):
                return change(self._alone)

    def close(self) -> None:
        """Forget what was counted in memory alone."""
        with self._lock:
            if self._alone is not None:
                self._alone.close()
            self._alone = None


class JournalFile:
    """The durable file `file_name` in a folder, with `tables` (SQL). One that is damaged is put aside and a new one
    begun.

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
            except sqlite3.Error as error:
                if not is_damaged(error):
                    raise
                # Seldom needed, and not loaded for every command.
                from secrets import token_hex

                for path in _with_logs(self._path):
                    path.replace(path.with_name(f"damaged-{token_hex(4)}-{path.name}"))
                self._file = self._opened()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._file.close()

    def _opened(self) -> sqlite3.Connection:
        return open_database(self._path, self.tables, wait=_LONG, durable=True)

    def _all(self, statement: str, *values: Any, **named: Any) -> list[Any]:
        """Run a statement with its values, in order (?) or by name (:name)."""
        with self._explained():
            return self._file.execute(statement, named or values).fetchall()

    def _one(self, statement: str, *values: Any, **named: Any) -> Any:
        return next(iter(self._all(statement, *values, **named)), None)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise FileError(self.broken.format(file=self._path.name, why=_reason(error))) from error


def _reason(error: Exception) -> str:
    """The reason why a file cannot be used, in words for people."""
    if _is_held(error):
        return "another program is using it"
    if is_damaged(error):
        return "it is damaged"
    return getattr(error, "strerror", "") or str(error)


def _is_of_no_use(error: Exception) -> bool:
    """Return whether a file is damaged, or has the tables of another version."""
    return is_damaged(error) or getattr(error, "sqlite_errorname", "") == "SQLITE_ERROR"


def _with_logs(path: Path) -> list[Path]:
    """The file, and what SQLite keeps beside it."""
    return list(path.parent.glob(f"{path.name}*"))
