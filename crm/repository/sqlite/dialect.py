"""SQLite: one file, readable while somebody writes, durable once a command has answered."""

import json
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DefaultClause,
    Engine,
    Index,
    PoolProxiedConnection,
    QueuePool,
    Row,
    Table,
    create_engine,
    event,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from crm.atomic_write import put_in_place
from crm.errors import (
    CRMError,
    FileError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
)
from crm.model.file_errors import size_of, unreadable, unwritable
from crm.model.folding import fold
from crm.model.paths import display_path
from crm.private_files import private_database, private_folder
from crm.repository import Finding
from crm.repository.migrations import lacking, version_of
from crm.repository.sqlite import contact_search
from crm.repository.sqlite import search as sqlite_search
from crm.repository.tables import PEOPLE, SCHEMA_VERSION, audit

KEPT_BACKUPS = 10
_INDEXED_AT_ONCE = 20_000
# Those that can be dropped: the one behind a UNIQUE column has no statement of its own.
_INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
# Of the audit nothing is deleted, so SQLite need not remember what it has given out.
_LAST_IDS = "SELECT name, seq FROM sqlite_sequence UNION ALL SELECT 'audit', max(id) FROM audit"
_COLUMNS = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
# What SQLite says of a store in which something is missing, or is there that its format has not.
_UNLIKE_ITS_FORMAT = re.compile(
    r"no such (table|column|index)|duplicate column name|(table|index) .* already exists|table .* has no column named"
)
# One attempt to write waits so long (seconds) before the caller hears of it.
_ATTEMPT = 0.25
# A backup is put back when nobody else has been writing for a moment within so many seconds.
_RESTORE_WAITS = 5.0


class Sqlite:
    """The dialect of SQLite for the file at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def at(self, file: Path) -> "Sqlite":
        return Sqlite(file)

    def engine(self) -> Engine:
        engine = create_engine("sqlite+pysqlite://", creator=self._connect, poolclass=QueuePool)
        event.listen(engine, "connect", _prepared)
        return engine

    def pretend(
        self, engine: Engine, added: Sequence[Table | Column[Any] | Index], scaled: Mapping[Column[Any], int]
    ) -> None:
        # Tables and views of the connection alone: they are found before what the file has of that name.
        tables = [table for table in added if isinstance(table, Table)]
        statements = [str(CreateTable(table).compile(engine)).replace("TABLE", "TEMP TABLE", 1) for table in tables]
        lacking = {column for column in added if isinstance(column, Column)}
        changed = {column.table: None for column in (*lacking, *scaled) if column.table not in tables}
        for table in changed:
            columns = []
            for column in table.columns:
                value = _default(column, lacking) if column in lacking else f'"{column.name}" * {scaled.get(column, 1)}'
                columns.append(
                    f'{value} AS "{column.name}"' if column in lacking or column in scaled else f'"{column.name}"'
                )
            statements.append(f"CREATE TEMP VIEW {table.name} AS SELECT {', '.join(columns)} FROM main.{table.name}")

        def lend(connection: sqlite3.Connection, _: Any) -> None:
            for statement in statements:
                connection.execute(statement)

        event.listen(engine, "connect", lend)
        engine.dispose()

    def _connect(self) -> sqlite3.Connection:
        if self._size() is None:
            self._make_file()
        mode = "rw" if os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK) else "ro"
        return _open(self.path, mode)

    def _make_file(self) -> None:
        try:
            private_database(self.path)
        except OSError as error:
            raise StoreError(f"The store cannot be made. {unwritable(self.path, error).sentence}") from error

    def remove(self) -> None:
        """Takes the file away, for one that can be made again from elsewhere."""
        # The file goes first: its log is useless alone, but the file without its log would be damaged.
        for ending in ("", "-wal", "-shm"):
            _beside(self.path, ending).unlink(missing_ok=True)

    def is_new(self) -> bool:
        return not self._size()

    def _size(self) -> int | None:
        """The size of the file, None when there is none."""
        try:
            return self.path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{display_path(self.path)} cannot be opened: {_reason(error)}.") from error

    def prepare(self, connection: Connection) -> None:
        for statement in sqlite_search.INDEX:
            connection.exec_driver_sql(statement)

    def begin_reading(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    def begin_writing(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def is_busy(self, error: Exception) -> bool:
        return _code(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))

    def explain(self, error: Exception) -> CRMError | None:
        code = _code(error)
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return StoreBusyError(
                f"Another program is using {display_path(self.path)}. Nothing was changed; try again."
            )
        if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            return StoreDamagedError(
                f"{display_path(self.path)} is damaged or no store at all; it was left as it is."
                f" Backups are in {display_path(self._folder)}; `restore FILE` puts one back."
            )
        if _UNLIKE_ITS_FORMAT.match(str(error)):
            return StoreDamagedError(
                f"{display_path(self.path)} is damaged: something in it is missing, or it has not the format that it"
                f" says. It was left as it is. Backups are in {display_path(self._folder)}; `restore FILE` puts one"
                " back."
            )
        # What an older store that can only be read lacks is shown by views.
        if code.startswith(("SQLITE_READONLY", "SQLITE_PERM")) or str(error).endswith("because it is a view"):
            return StoreReadOnlyError(f"{display_path(self.path)} can only be read. Nothing was changed.")
        if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            return StoreFullError(
                f"{display_path(self.path)} could not be written: the disk is full or failing."
                " Nothing of this change was kept; make room and try again."
            )
        if code.startswith("SQLITE_NOMEM"):
            return StoreError(
                f"There is too little memory for {display_path(self.path)}. Nothing was changed; try again."
            )
        if str(error) == "integer overflow":
            return StoreError("The amounts add up to more than can be counted. Nothing was changed.")
        if code.startswith("SQLITE_CANTOPEN"):
            return StoreError(f"{display_path(self.path)} cannot be opened. Is it a file that you may read and write?")
        return None

    def last_ids(self, connection: Connection) -> Mapping[str, int]:
        return {name: last or 0 for name, last in connection.exec_driver_sql(_LAST_IDS)}

    def keep_ids(self, connection: Connection, last: Mapping[str, int]) -> None:
        """SQLite itself moves its counters along on each insert."""

    def skip_ids(self, connection: Connection, table: Table, last: int) -> None:
        if table is audit:
            return
        moved = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?"
        if not connection.exec_driver_sql(moved, (last, table.name)).rowcount:
            connection.exec_driver_sql("INSERT INTO sqlite_sequence (seq, name) VALUES (?, ?)", (last, table.name))

    def index_added(self, connection: Connection, ids: Sequence[int]) -> None:
        for start in range(0, len(ids), _INDEXED_AT_ONCE):
            batch = list(ids[start : start + _INDEXED_AT_ONCE])
            connection.exec_driver_sql(sqlite_search.ADD, (json.dumps(batch),))

    def drop_indexes(self, connection: Connection, table: Table, kept: Container[str]) -> Sequence[str]:
        existing = connection.exec_driver_sql(_INDEXES, (table.name,)).all()
        dropped = []
        try:
            for name, made_by in existing:
                if name not in kept:
                    connection.exec_driver_sql(f'DROP INDEX "{name}"')
                    dropped.append(str(made_by))
        except DBAPIError as error:
            # While something is still being read on this connection, SQLite keeps all of them.
            if not self.is_busy(error.orig or error):
                raise
        return dropped

    def search(self, connection: Connection, text: str, limit: int) -> Sequence[Row[Any]]:
        return sqlite_search.search(connection, text, limit)

    # Looking after the file

    def check(self, connection: Connection) -> Sequence[Finding]:
        found = []
        for (answer,) in connection.exec_driver_sql("PRAGMA integrity_check(10)"):
            if answer != "ok":
                found.append(Finding(f"The file is damaged: {answer}.", True, how_to_mend="Restore a backup."))
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            found.append(Finding(f"{row[0]} {row[1]} belongs to a {row[2]} that is not there.", True, row[0], row[1]))
        for name in ("client", "contact") if contact_search.are_indexed(connection) else ("client",):
            counted = f"SELECT (SELECT count(*) FROM {name}), (SELECT count(*) FROM {name}_search_docsize)"
            stored, indexed = connection.exec_driver_sql(counted).one()
            if stored != indexed:
                found.append(Finding(f"The search index holds {indexed} of {stored} {name}s.", True))
        return found

    @property
    def _folder(self) -> Path:
        return self.path.parent / "backups"

    def backups(self) -> Sequence[Path]:
        pattern = re.compile(re.escape(self.path.stem) + r"-\d{4}-\d\d-\d\d-\d{6}\.sqlite3")
        try:
            if not self._folder.is_dir():
                return []
            return sorted((path for path in self._folder.iterdir() if pattern.fullmatch(path.name)), reverse=True)
        except OSError as error:
            raise FileError(f"{display_path(self._folder)} cannot be looked into: {_reason(error)}.") from error

    def dated(self, stamp: str) -> Path:
        return self._folder / f"{self.path.stem}-{stamp}.sqlite3"

    def backup(self, engine: Engine, to: Path, looked_at: Callable[[Path], None] | None = None) -> None:
        try:
            private_folder(to.parent)
            with tempfile.TemporaryDirectory(dir=to.parent, prefix=".backup-") as folder:
                copy = Path(folder) / "store.sqlite3"
                with closing(sqlite3.connect(copy)) as destination, closing(engine.raw_connection()) as opened:
                    _driver(opened).backup(destination)
                copy.chmod(0o600)
                if looked_at is not None:
                    looked_at(copy)
                put_in_place(copy, to)
        except OSError as error:
            raise FileError(f"The backup could not be written. {unwritable(to, error).sentence}") from error
        except sqlite3.Error as error:
            raise FileError(f"The backup could not be written to {display_path(to)}: {error}.") from error
        for old in self.backups()[KEPT_BACKUPS:]:
            with suppress(OSError):
                old.unlink()

    @contextmanager
    def checked_copy(self, source: Path) -> Iterator[Path]:
        size_of(source)
        with tempfile.TemporaryDirectory(prefix="restore-") as folder:
            # A copy is looked at, because a file that may not be ours must not be changed.
            copy = Path(folder) / "store.sqlite3"
            try:
                _copy_whole(source, copy)
            except OSError as error:
                raise unreadable(source, error) from error
            with closing(_open(copy, "rw")) as opened:
                _refuse_strange(opened, source)
            yield copy

    def restore(self, engine: Engine, copy: Path, locked: Callable[[], None]) -> None:
        patient = _within(_RESTORE_WAITS, self.path)
        # A file of another program's making, without a log, cannot be read while it is locked.
        is_locked = False

        def between(status: int, remaining: int, pages: int) -> None:
            nonlocal is_locked
            patient(status, remaining, pages)
            if status == sqlite3.SQLITE_OK and not is_locked:
                is_locked = True
                locked()

        with closing(_open(copy, "rw")) as opened, closing(engine.raw_connection()) as ours:
            # In two steps: the first one takes the lock, the last one lets others see what was put in.
            is_locked = _driver(ours).execute("PRAGMA journal_mode").fetchone()[0] != "wal"
            half = max(1, opened.execute("PRAGMA page_count").fetchone()[0] // 2)
            try:
                opened.backup(_driver(ours), pages=half, progress=between, sleep=0.1)
            except sqlite3.Error as error:
                raise self.explain(error) or FileError(f"The backup could not be put back: {error}.") from error
        engine.dispose()

    def replace_damaged(self, copy: Path, kept: Path) -> Path:
        kept = kept.with_stem(f"{kept.stem}-damaged")
        try:
            private_folder(kept.parent)
            with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=".restore-") as folder:
                placed = Path(folder) / self.path.name
                shutil.copyfile(copy, placed)
                placed.chmod(0o600)
                # All of it is kept before any of it goes: at no moment is there no store, which a new one would be
                # made for, or a new file beside what was last written to the old one.
                for ending in ("", "-wal"):
                    if (old := _beside(self.path, ending)).exists():
                        beside = Path(folder) / "kept"
                        shutil.copyfile(old, beside)
                        beside.chmod(0o600)
                        put_in_place(beside, _beside(kept, ending))
                for ending in ("-wal", "-shm"):
                    _beside(self.path, ending).unlink(missing_ok=True)
                put_in_place(placed, self.path)
        except OSError as error:
            where, why = display_path(self.path), _reason(error)
            raise FileError(f"The backup could not be put in the place of {where}: {why}.") from error
        return kept


def _beside(path: Path, ending: str) -> Path:
    """One of the files that SQLite keeps beside a database, named like it."""
    return path.parent / f"{path.name}{ending}"


def _reason(error: OSError) -> str:
    """The system's reason, without the path that its own message repeats."""
    return error.strerror or type(error).__name__


def _open(path: Path, mode: str) -> sqlite3.Connection:
    address = path.absolute().as_uri() + f"?mode={mode}"
    if mode == "ro" and not _beside(path, "-wal").exists():
        # In a folder that cannot be written a file in WAL mode opens only so.
        address += "&immutable=1"
    return sqlite3.connect(address, uri=True, timeout=_ATTEMPT, isolation_level=None, check_same_thread=False)


def _copy_whole(source: Path, copy: Path) -> None:
    """Copies a database as it is at one moment, with what was written last beside it, also while somebody writes to it.
    What is no database is copied as it is. Raises OSError."""
    while True:
        in_use, before = _beside(source, "-wal").exists(), source.stat()
        try:
            with closing(_open(source, "ro")) as opened, closing(sqlite3.connect(copy)) as destination:
                opened.backup(destination, progress=_within(_RESTORE_WAITS, source), sleep=0.1)
        except sqlite3.Error:
            # No database, or one that was last written to where it cannot be opened: in a folder that can only be read.
            shutil.copyfile(source, copy)
            if (written_last := _beside(source, "-wal")).is_file():
                shutil.copyfile(written_last, _beside(copy, "-wal"))
            return
        after = source.stat()
        # Without a log there was no lock while it was read, and another program may have begun to write since.
        if in_use or (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return


def _within(seconds: float, path: Path) -> Callable[[int, int, int], None]:
    """Gives a copy up where somebody else holds `path` for longer. Raises StoreBusyError."""
    started = time.monotonic()

    def patient(status: int, _: int, __: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() - started > seconds:
            raise StoreBusyError(f"Another program is writing to {display_path(path)}. Nothing was changed; try again.")

    return patient


# The one active account of the team that is called so.
_CALLED_SO = (
    "(SELECT CASE WHEN count(*) = 1 THEN min(u.id) ELSE 0 END FROM user u WHERE u.active AND u.role <> 'client'"
    " AND lower(coalesce(nullif(u.name, ''), u.email)) = lower({name}))"
)


def _default(column: Column[Any], lacking: Container[Any]) -> str:
    """The default of an added column in the rows that exist already, in SQL."""
    named = next((name for _, name, beside in PEOPLE if beside is column), None)
    if named is not None and named not in lacking:
        return _CALLED_SO.format(name=f'"{named.table.name}"."{named.name}"')
    default = column.server_default
    return repr(column.type.python_type(default.arg)) if isinstance(default, DefaultClause) else "NULL"


def _prepared(connection: sqlite3.Connection, _: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -32000")
    connection.create_function("caseless", 1, lambda text: text and text.casefold(), deterministic=True)
    connection.create_function("folded", 1, lambda text: text and fold(text), deterministic=True)
    # Only a file that holds nothing yet is switched: another program's database is not touched.
    empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if empty:
        connection.execute("PRAGMA journal_mode = WAL")


def _refuse_strange(opened: sqlite3.Connection, source: Path) -> None:
    """Raises FileError unless a file is an intact store that this version reads."""
    try:
        intact = opened.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        written = opened.execute("SELECT value FROM store_facts WHERE name = 'schema_version'").fetchone()
        existing = set(opened.execute(_COLUMNS).fetchall())
    except sqlite3.Error as error:
        raise FileError(f"{display_path(source)} is no backup of a store; nothing was changed.") from error
    if not intact:
        raise FileError(f"{display_path(source)} is damaged; nothing was changed.")
    if not (version := version_of(str(written[0]) if written else "")):
        raise FileError(f"{display_path(source)} is no backup of a store; nothing was changed.")
    if version > SCHEMA_VERSION:
        raise FileError(f"{display_path(source)} was made by a newer version of this program; nothing was changed.")
    if missing := lacking(existing, version):
        raise FileError(f"{display_path(source)} is damaged: it lacks {missing}. Nothing was changed.")


def _driver(opened: PoolProxiedConnection) -> sqlite3.Connection:
    connection = opened.driver_connection
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError("no connection to SQLite")
    return connection


def _code(error: Exception) -> str:
    return str(getattr(error, "sqlite_errorname", ""))
