"""SQLite: one file, readable while somebody writes, durable once a command has answered."""

import os
import sqlite3
from collections.abc import Container, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DefaultClause,
    Engine,
    QueuePool,
    Table,
    create_engine,
    event,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from crm.errors import (
    CRMError,
    StoreError,
)
from crm.model.file_errors import unwritable
from crm.model.folding import fold
from crm.model.paths import display_path
from crm.private_files import private_database
from crm.repository import Finding
from crm.repository.sqlite import contact_search, counters
from crm.repository.sqlite.backups import SqliteBackups
from crm.repository.sqlite.errors import code_of, explained
from crm.repository.sqlite.files import beside, driver, open_file, reason
from crm.repository.sqlite.search import SqliteSearch
from crm.repository.tables import audit, people_columns

# Those that can be dropped: the one behind a UNIQUE column has no statement of its own.
_INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"

# So many wrong values are named by the check.
_MOST_NAMED = 20


class Sqlite:
    """The dialect of SQLite for the file at `path`."""

    noun = "file"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.search = SqliteSearch()
        self.backups = SqliteBackups(path)

    def at(self, file: Path) -> "Sqlite":
        return Sqlite(file)

    def engine(self) -> Engine:
        engine = create_engine("sqlite+pysqlite://", creator=self._connect, poolclass=QueuePool)
        event.listen(engine, "connect", _prepared)
        return engine

    def bring_up(self, connection: Connection, version: int) -> None:
        from crm.repository.sqlite import old_formats

        old_formats.bring_up(connection, version)

    def pretend(self, engine: Engine, version: int) -> None:
        from crm.repository.migrations import added_since
        from crm.repository.sqlite.old_formats import scaled_since

        added, scaled = added_since(version), scaled_since(version)
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
        return open_file(self.path, mode)

    def _make_file(self) -> None:
        try:
            private_database(self.path)
        except OSError as error:
            raise StoreError(f"The store cannot be made. {unwritable(self.path, error).sentence}") from error

    def remove(self) -> None:
        """Take the file away, for one that can be made again from elsewhere."""
        # The file goes first: its log is useless alone, but the file without its log would be damaged.
        for ending in ("", "-wal", "-shm"):
            beside(self.path, ending).unlink(missing_ok=True)

    def is_new(self) -> bool:
        return not self._size()

    def _size(self) -> int | None:
        """The size of the file, None when there is none."""
        try:
            return self.path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{display_path(self.path)} cannot be opened: {reason(error)}.") from error

    def begin_reading(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    def begin_writing(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def is_busy(self, error: Exception) -> bool:
        return code_of(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))

    def explain(self, error: Exception) -> CRMError | None:
        return explained(error, self.path)

    def damage(self, error: Exception) -> CRMError | None:
        from crm.repository.sqlite.wrong_values import wrong_values

        # A broken page is reported as it is.
        if not code_of(error).startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            with suppress(sqlite3.Error, OSError), closing(open_file(self.path, "ro")) as file:
                for wrong in wrong_values(file, 1):
                    return wrong.error
        return None

    def last_ids(self, connection: Connection) -> Mapping[str, int]:
        return counters.last_ids(connection)

    def keep_ids(self, connection: Connection, last: Mapping[str, int]) -> None:
        """SQLite itself moves its counters along on each insert."""

    def skip_ids(self, connection: Connection, table: Table, last: int) -> None:
        if table is not audit:
            counters.skip(connection, table.name, last)

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

    def check(self, connection: Connection) -> Sequence[Finding]:
        from crm.repository.sqlite.wrong_values import wrong_values

        findings = []
        for (answer,) in connection.exec_driver_sql("PRAGMA integrity_check(10)"):
            if answer != "ok":
                findings.append(Finding(f"The file is damaged: {answer}.", True, how_to_mend="Restore a backup."))
        # What cannot be read at all was just found.
        with suppress(sqlite3.DatabaseError):
            findings += [wrong.finding for wrong in wrong_values(driver(connection.connection), _MOST_NAMED)]
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            findings.append(
                Finding(f"{row[0]} {row[1]} belongs to a {row[2]} that is not there.", True, row[0], row[1])
            )
        for name in ("client", "contact") if contact_search.are_indexed(connection) else ("client",):
            counted = f"SELECT (SELECT count(*) FROM {name}), (SELECT count(*) FROM {name}_search_docsize)"
            stored, indexed = connection.exec_driver_sql(counted).one()
            if stored != indexed:
                findings.append(Finding(f"The search index holds {indexed} of {stored} {name}s.", True))
        return findings


# The one active account of the team that is called so.
_CALLED_SO = (
    "(SELECT CASE WHEN count(*) = 1 THEN min(u.id) ELSE 0 END FROM user u WHERE u.active AND u.role <> 'client'"
    " AND lower(coalesce(nullif(u.name, ''), u.email)) = lower({name}))"
)


def _default(column: Column[Any], lacking: Container[Any]) -> str:
    """The default of an added column in the rows that exist already, in SQL."""
    named = next((name for _, name, beside in people_columns() if beside is column), None)
    if named is not None and named not in lacking:
        return _CALLED_SO.format(name=f'"{named.table.name}"."{named.name}"')
    default = column.server_default
    if not isinstance(default, DefaultClause):
        return "NULL"
    written = str(default.arg)
    return written if written.isdigit() else repr(written)


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
