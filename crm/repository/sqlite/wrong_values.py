"""Wrong values in a SQLite file, found by what SQLite says of their types."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Boolean, Column, Date, Integer

from crm.repository.column_types import JsonText, Minor, Moment, UniqueNumber
from crm.repository.tables import metadata
from crm.repository.wrong_values import WrongValue, expected

# What is larger cannot be counted on from.
_LARGEST = 2**53
# What fits a column of these holds nothing but digits and signs.
_NO_TEXT = (Boolean, Minor, Integer, UniqueNumber, Date, Moment)
# So much of a time are its seconds, 2026-11-20 14:05:00; a fraction may follow.
_SECONDS = 19


def wrong_values(file: sqlite3.Connection, most: int) -> Sequence[WrongValue]:
    """The first wrong values in a file."""
    columns = {table.name: _existing(file, table.name, list(table.columns)) for table in metadata().sorted_tables}
    existing = {name: held for name, held in columns.items() if held}
    return list(islice(_of_file(file, existing), most))


def _existing(file: sqlite3.Connection, table: str, columns: Sequence[Column[Any]]) -> Sequence[Column[Any]]:
    """Those columns that are there: a file of an older format lacks some."""
    names = {name for _, name, *_ in file.execute(f'PRAGMA main.table_info("{table}")')}
    return [column for column in columns if column.name in names]


def _of_file(file: sqlite3.Connection, tables: dict[str, Sequence[Column[Any]]]) -> Iterator[WrongValue]:
    for (row,) in file.execute("SELECT rowid FROM sqlite_sequence WHERE typeof(seq) <> 'integer'"):
        yield WrongValue("sqlite_sequence", row, "seq", "a whole number")
    for table, columns in tables.items():
        doubts = [f"NOT coalesce({_fits(column)}, {int(bool(column.nullable))})" for column in columns]
        selected = f'SELECT rowid, {", ".join(doubts)} FROM main."{table}" WHERE {" OR ".join(doubts)}'
        for row, *wrong in file.execute(selected):
            for column, is_wrong in zip(columns, wrong, strict=True):
                if is_wrong:
                    yield WrongValue(table, row, column.name, expected(column))
    for table, columns in tables.items():
        yield from _not_coded(file, table, columns)


def _not_coded(file: sqlite3.Connection, table: str, columns: Sequence[Column[Any]]) -> Iterator[WrongValue]:
    """The text of a table that is not UTF-8; what fits a column of another type is."""
    columns = [column for column in columns if not isinstance(column.type, _NO_TEXT)]
    if not columns:
        return
    names = [f'"{column.name}"' for column in columns]
    try:
        # To read it is to decode it, much quicker than one by one.
        for _ in file.execute(f'SELECT {", ".join(names)} FROM main."{table}"'):
            pass
        return
    except sqlite3.OperationalError:
        coded = ", ".join(f"CASE typeof({name}) WHEN 'text' THEN CAST({name} AS BLOB) END" for name in names)
    for row, *texts in file.execute(f'SELECT rowid, {coded} FROM main."{table}"'):
        for column, text in zip(columns, texts, strict=True):
            try:
                (text or b"").decode()
            except UnicodeDecodeError:
                yield WrongValue(table, row, column.name, expected(column))


def _fits(column: Column[Any]) -> str:
    """Return whether a value is one that the column can hold, in SQL; NULL for NULL."""
    name = f'"{column.name}"'
    match column.type:
        case Boolean():
            stored, holds = "integer", f"{name} IN (0, 1)"
        case Minor():
            stored, holds = "integer", "1"
        case Integer() | UniqueNumber():
            stored, holds = "integer", f"{name} BETWEEN -{_LARGEST} AND {_LARGEST}"
        case Date():
            # To count on from a day that is not one, if only nothing, gives another one.
            stored, holds = "text", f"substr({name}, 1, 4) > '0000' AND date({name}, '+0 days') IS {name}"
        case Moment():
            seconds, rest = f"substr({name}, 1, {_SECONDS})", f"substr({name}, {_SECONDS + 1})"
            fraction = f"({rest} = '' OR {rest} GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')"
            # To count on from a day that is not one, if only nothing, gives another one.
            stored, holds = (
                "text",
                f"substr({name}, 1, 4) > '0000' AND datetime({seconds}, '+0 days') IS {seconds} AND {fraction}",
            )
        case JsonText():
            # Asked in this order: what is no JSON is not handed to what refuses it.
            is_object = f"CASE json_valid({name}) WHEN 1 THEN json_type({name}) = 'object' ELSE 0 END"
            stored, holds = "text", f"({name} = '' OR {is_object})"
        case _:
            stored, holds = "text", "1"
    return f"CASE typeof({name}) WHEN 'null' THEN NULL WHEN '{stored}' THEN {holds} ELSE 0 END"
