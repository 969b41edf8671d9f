"""Invalid values that another program wrote into the file: an error names the place, and no value is misread."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Date, Integer

from crm.clock import machine_now
from crm.errors import StoreDamagedError
from crm.model import BY_NAME, Client
from crm.repository.column_types import JsonText, Minor, Moment, UniqueNumber
from crm.repository.sql import SqlRepository
from crm.repository.sqlite.dialect import Sqlite
from crm.repository.tables import TABLES, audit, metadata, record_columns

BLOB, NOT_UTF8 = "x'00ff'", "CAST(x'c328' AS TEXT)"
HUGE, REAL, TEXT = str(2**63 - 1), "12.5", "'many'"
# What search finds by is kept in its index too, which SQLite itself compares.
COLUMNS = [
    column
    for table in metadata().sorted_tables
    for column in table.columns
    if not column.primary_key and not column.name.startswith("search_")
]


def wrong_for(column: Column[Any]) -> list[str]:
    """Invalid values for a column, in SQL. Text in the place of a written number becomes text."""
    match column.type:
        case Boolean():
            wrong = ["2", "-1", "0.5", "'yes'", HUGE, BLOB, NOT_UTF8]
        case Minor():
            wrong = [TEXT, "'1,5'", REAL, "1e300", BLOB, NOT_UTF8]
        case Integer() | UniqueNumber():
            wrong = [TEXT, REAL, "1e300", HUGE, f"-{HUGE}", BLOB, NOT_UTF8]
        case Date():
            wrong = ["'soon'", "'2026-02-30'", "'0000-01-01'", "'20260102'", "''", "7", REAL, HUGE, BLOB, NOT_UTF8]
        case Moment():
            wrong = ["'soon'", "'2026-99-99 00:00:00'", "'2026-01-02'", "''", "7", "1e300", BLOB, NOT_UTF8]
        case JsonText():
            wrong = ["'{'", "'[1]'", "'5'", f"'{'[' * 5000}'", BLOB, NOT_UTF8]
        case _:
            wrong = [BLOB, NOT_UTF8]
    return wrong + ["NULL"] * (not column.nullable)


def right_for(column: Column[Any]) -> Any:
    match column.type:
        case Minor() | Integer() | UniqueNumber() | Boolean():
            return 1
        case Date():
            return "2026-01-02"
        case Moment():
            return "2026-01-02 03:04:05.000000"
        case JsonText():
            return '{"a":"b"}'
    return "total_spend > 1" if column.name == "when" else f"some {column.table.name}"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in which each table has a row, and NULL may stand everywhere, as another program may have made it so."""
    path = tmp_path_factory.mktemp("wrong") / "store.sqlite3"
    with closing(opened(path)) as store:
        store.transact(lambda tx: tx.add(Client(kind="person", last_name="A")), "added a client")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        for table in metadata().sorted_tables:
            row = {column.name: right_for(column) for column in table.columns}
            if table.name != "store_facts":
                other.execute(f"DELETE FROM {table.name}")
            names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
            other.execute(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", tuple(row.values()))
        other.execute("PRAGMA writable_schema = ON")
        other.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table'")
    return path


def opened(path: Path) -> SqlRepository:
    return SqlRepository(f"sqlite:///{path}", Sqlite(path), now=machine_now)


@contextmanager
def holding(path: Path, column: Column[Any], value: str) -> Iterator[None]:
    """A context in which the column holds the value."""
    whole, table = path.read_bytes(), column.table.name
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        where = "name = 'some store_facts'" if table == "store_facts" else "id = 1"
        changed = other.execute(f'UPDATE {table} SET "{column.name}" = {value} WHERE {where}')
        assert changed.rowcount == 1
    try:
        yield
    finally:
        for log in path.parent.glob(f"{path.name}-*"):
            log.unlink()
        path.write_bytes(whole)


def read_all(path: Path, column: Column[Any]) -> None:
    """Read the table as the program does."""
    with closing(opened(path)) as store, store.read() as snapshot:
        if kind := BY_NAME.get(column.table.name):
            snapshot.find_all(kind)
        elif column.table.name == "store_facts":
            snapshot.fact("schema_version")
        else:
            snapshot.history()
            snapshot.changes()


def is_readable(column: Column[Any], value: str) -> bool:
    """True if an invalid value can still be read and only `check` reports it: a number too large to count on from, a
    date in another spelling, and anything in a text column, where a check at each read would cost most."""
    if (kind := BY_NAME.get(column.table.name)) and column not in record_columns(kind):
        # It serves to find and to sort.
        return True
    if column is audit.c.transaction:
        # An entry of no transaction is in no history.
        return True
    if isinstance(column.type, Boolean | Minor | JsonText):
        return value == "NULL"
    if isinstance(column.type, Integer | UniqueNumber | Date | Moment):
        return value in (HUGE, f"-{HUGE}", "'20260102'", "'2026-01-02'", "NULL")
    return value != NOT_UTF8


def refuse(path: Path, column: Column[Any], value: str, *, checked: bool = True) -> None:
    """Make sure that a value is refused where it is read and, if it is `checked` for, named by the check, with its
    place."""
    place = f"“{column.table.name}”", f"“{column.name}”"
    with holding(path, column, value):
        if not is_readable(column, value):
            with pytest.raises(StoreDamagedError) as refused:
                read_all(path, column)
            assert all(name in refused.value.sentence for name in place), (value, refused.value.sentence)
        if not checked:
            return
        with closing(opened(path)) as store:
            try:
                findings = [finding.what for finding in store.check() if finding.wrong]
            except StoreDamagedError as error:
                # Where it is not even known which format the store has.
                assert column.table.name == "store_facts"
                findings = [error.sentence]
        assert any(all(name in what for name in place) for what in findings), (value, findings)


@pytest.mark.parametrize(
    ("name", "value"),
    [("version", TEXT), ("total_spend", REAL), ("city", BLOB), ("last_sale_on", "'2026-02-30'"), ("created_at", "7"),
     ("marketing_consent", "'yes'"), ("extra", "'['"), ("city", NOT_UTF8), ("last_name", "NULL"), ("version", HUGE)],
)  # fmt: skip
def test_a_wrong_value_of_a_client_is_named(file: Path, name: str, value: str) -> None:
    refuse(file, TABLES[Client].c[name], value)


# The check goes by the type of a column, and by whether it may be empty: one of each is checked for every value, and
# each other one for one of them, one after the other.
FIRST = {(type(column.type), column.nullable): column for column in reversed(COLUMNS)}


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(COLUMNS)), ids=lambda number: str(COLUMNS[number]))
def test_a_wrong_value_is_named_in_every_column(file: Path, number: int) -> None:
    column = COLUMNS[number]
    is_first, values = FIRST[type(column.type), column.nullable] is column, wrong_for(column)
    for at, value in enumerate(values):
        refuse(file, column, value, checked=is_first or at == number % len(values))


def test_a_valid_value_is_read(file: Path) -> None:
    for table in metadata().sorted_tables:
        read_all(file, next(iter(table.columns)))
