"""Bulk loading of the mirror by column: the same result as row by row, whatever the rows contain."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_type_hints

import pytest
from sqlalchemy import Connection

from crm.model import RECORDS, Client, Conventions, Record, Sale, fields, owner_link
from crm.model.fields import (
    Birthday,
    Choice,
    Country,
    Day,
    ElectronicAddress,
    Email,
    Line,
    Phone,
    Prose,
    TimeOfDay,
    Unit,
    Whole,
)
from crm.repository import tables
from crm.repository.bulk import insert_rows
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.layout import columns
from crm.repository.sheets.mirror import mirror
from crm.repository.sheets.mirror.loading import Loading
from crm.repository.sqlite.dialect import Sqlite

BY = Conventions()
GOOD: dict[Any, list[Any]] = {
    str: ["", "a", "Zoë", 'a "b" \\ c', "Gold", "Gold when sales > 3", "person", "company", "DE", "a, b", "'1"],
    int: [0, 1, 2, 3, 2**53],
    bool: [True, False],
    Decimal: [Decimal(0), Decimal("12.50"), Decimal(3), Decimal("0.1")],
    date: [date(2026, 1, 2), date(1899, 5, 5)],
    date | None: [None, date(2026, 1, 2), date(9999, 12, 31)],
    datetime: [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)],
    tuple[str, ...]: [(), ("a",), ("a", "b")],
}
ODD = ["", " ", "x", 1, 0, -1, 1.5, 12.345, True, False, "1", "12,5", "1/1", "2026-01-02", 2**53 + 1, 1e300, "#REF!"]
BLANK = [" ", "\n", "\t", "\u00a0", "\u200b", "\u3000"]
PARENTS = 6
# Of these fields not every value of their type is one.
FITTING: dict[type, list[Any]] = {
    Country: ["DE", ""], TimeOfDay: ["10:00", ""], Unit: ["HUR"], Whole: [1, 2, 3], Birthday: [None, date(1980, 1, 2)],
    Day: [date(2026, 1, 2)], Line: ["a", "Zoë", "a, b", "'1"], Prose: ["a", "Zoë\nb"],
    Email: ["a@b.de", ""], Phone: ["+491711234567", ""], ElectronicAddress: ["9930:DE123456789", ""],
}  # fmt: skip


def _fitting(kind: type[Record], name: str, hint: Any, chance: random.Random) -> Any:
    """A value that the field takes."""
    check = fields(kind)[name].check
    if isinstance(check, Choice):
        return chance.choice(list(check.options))
    return chance.choice(FITTING.get(type(check), GOOD[hint]))


def _records(kind: type[Record], chance: random.Random, *, fitting: bool = False) -> Iterator[Record]:
    """Some records with values of the right types, or such as the program may have; of most kinds a unique value comes
    once."""
    hints, owner = get_type_hints(kind), owner_link(kind)
    for number in range(1, chance.choice([2, 12])):
        values = {
            name: _fitting(kind, name, hints[name], chance) if fitting else chance.choice(GOOD[hints[name]])
            for name in columns(kind)
            if name in fields(kind)
        }
        for name in kind.about.unique:
            values[name] = chance.choice([number, 1]) if hints[name] is int else f"u{number}"
        if owner:
            values[owner[0]] = chance.randint(1, PARENTS)
        if kind is Client:
            values |= {"kind": "person", "last_name": "Fox", "country": "DE", "extra": {"Shoe": "42"}}
            values |= chance.choice(
                [{"status": "Gold", "status_reason": "Gold when x"}, {"status_reason": "Gold when"}]
            )
        yield replace(kind(), **values, id=number, version=number, created_at=GOOD[datetime][0])


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Connection, Sqlite]]:
    """A mirror that holds nothing yet."""
    dialect = Sqlite(tmp_path_factory.mktemp("mirror") / "mirror.sqlite3")
    engine = dialect.engine()
    with engine.connect() as connection:
        dialect.begin_writing(connection)
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        tables.create_all(connection)
        dialect.search.prepare(connection)
        mirror.prepare(connection, "sheet")
        yield connection, dialect
        connection.rollback()
    engine.dispose()


def _add_owners(connection: Connection, kind: type[Record]) -> None:
    """All but the last of the records that the rows of a kind may belong to."""
    if owner := owner_link(kind):
        blank = [tables.row_of(replace(owner[1](), id=number)) for number in range(1, PARENTS)]
        for name in owner[1].about.unique:
            blank = [{**row, name: row["id"] if isinstance(row[name], int) else str(row["id"])} for row in blank]
        insert_rows(connection, tables.TABLES[owner[1]], blank)


def _loaded(kind: type[Record], rows: dict[int, Any], empty: tuple[Connection, Sqlite], *, at_once: bool) -> Any:
    """True if rows were loaded by column, and the mirror's content after loading."""
    connection, dialect = empty
    connection.exec_driver_sql("SAVEPOINT empty")
    _add_owners(connection, kind)
    loading = Loading(connection, dialect, kind, BY, lambda *_: None, {})
    # A mirror that is known to be empty looks up less.
    loading.is_empty = at_once and bool(len(rows) % 2)
    is_plain = at_once and loading._load_plain(rows, ())
    if not is_plain:
        loading._load_one_by_one(rows, ())
    loading.finish()
    stored = [
        [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")]
        for name in (kind.kind_name, "sheet_row", "sheet_problem", "client_search_docsize")
    ]
    connection.exec_driver_sql("ROLLBACK TO empty")
    connection.exec_driver_sql("RELEASE empty")
    return is_plain, (stored, loading.edited)


@pytest.mark.many(2)
@pytest.mark.parametrize("kind", RECORDS)
def test_rows_loaded_by_column_equal_rows_loaded_one_by_one(
    kind: type[Record], empty: tuple[Connection, Sqlite]
) -> None:
    chance, plain = random.Random(kind.kind_name), 0
    for number in range(24):
        made = _records(kind, chance, fitting=number % 3 > 0)
        rows: dict[int, Any] = {record.id: (record.id, cells.row_of(record)) for record in made}
        for _, row in rows.values() if number % 2 else ():
            if chance.random() < 0.3:
                row[chance.randrange(len(columns(kind)))] = chance.choice(ODD)
        is_plain, by_column = _loaded(kind, rows, empty, at_once=True)
        _, one_by_one = _loaded(kind, rows, empty, at_once=False)
        assert by_column == one_by_one
        plain += is_plain
    # Otherwise nothing was compared.
    assert plain or kind not in (Client, Sale)


@pytest.mark.parametrize("kind", [kind for kind in RECORDS if kind.about.needs])
def test_a_blank_or_odd_cell_in_a_required_column_never_stops_the_reading(
    kind: type[Record], empty: tuple[Connection, Sqlite]
) -> None:
    good = next(_records(kind, random.Random(kind.kind_name)))
    odd = [*BLANK, "x", True, 1e300, "#REF!"]
    for name in kind.about.needs:
        rows: dict[int, Any] = {}
        for number, cell in enumerate(odd, start=1):
            unique: Any = {key: number if isinstance(getattr(good, key), int) else str(number)
                           for key in kind.about.unique}  # fmt: skip
            rows[number] = (number, cells.row_of(replace(good, **unique, id=number)))
            rows[number][1][columns(kind).index(name)] = cell
        for at_once in (True, False):
            _, ((stored, placed, problems, _), _) = _loaded(kind, rows, empty, at_once=at_once)
            assert len(placed) == len(odd)
            missing = rows.keys() - {row[0] for row in stored}
            assert missing <= {problem[1] for problem in problems}, name
