"""The files of a SQLite database: opened, copied as they are at one moment, and what SQLite keeps beside them."""

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import PoolProxiedConnection

from crm.errors import StoreBusyError
from crm.model.paths import display_path

# A copy is made, or put back, when nobody else has been writing for a moment within so many seconds.
RESTORE_WAITS = 5.0
# One attempt to write waits so long (seconds) before the caller hears of it.
_ATTEMPT = 0.25


def beside(path: Path, ending: str) -> Path:
    """One of the files that SQLite keeps beside a database, named like it."""
    return path.parent / f"{path.name}{ending}"


def reason(error: OSError) -> str:
    """The system's reason, without the path that its own message repeats."""
    return error.strerror or type(error).__name__


def open_file(path: Path, mode: str) -> sqlite3.Connection:
    address = path.absolute().as_uri() + f"?mode={mode}"
    if mode == "ro" and not beside(path, "-wal").exists():
        # In a folder that cannot be written a file in WAL mode opens only so.
        address += "&immutable=1"
    return sqlite3.connect(address, uri=True, timeout=_ATTEMPT, isolation_level=None, check_same_thread=False)


def copy_whole(source: Path, copy: Path) -> None:
    """Copy a database as it is at one moment, with what was written last beside it, also while somebody writes to it.
    What is no database is copied as it is. Raises OSError."""
    while True:
        in_use, before = beside(source, "-wal").exists(), source.stat()
        try:
            with closing(open_file(source, "ro")) as opened, closing(sqlite3.connect(copy)) as destination:
                opened.backup(destination, progress=within_patience(source), sleep=0.1)
        except sqlite3.Error:
            # No database, or one that was last written to where it cannot be opened: in a folder that can only be read.
            shutil.copyfile(source, copy)
            if (written_last := beside(source, "-wal")).is_file():
                shutil.copyfile(written_last, beside(copy, "-wal"))
            return
        after = source.stat()
        # Without a log there was no lock while it was read, and another program may have begun to write since.
        if in_use or (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return


def within_patience(path: Path) -> Callable[[int, int, int], None]:
    """Give a copy up where somebody else holds `path` for longer than one waits. Raises StoreBusyError."""
    started = time.monotonic()

    def patient(status: int, _: int, __: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() - started > RESTORE_WAITS:
            raise StoreBusyError(f"Another program is writing to {display_path(path)}. Nothing was changed. Try again.")

    return patient


def driver(opened: PoolProxiedConnection) -> sqlite3.Connection:
    connection = opened.driver_connection
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError("no connection to SQLite")
    return connection
