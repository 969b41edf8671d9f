"""Writing rows, one or many at once, each column turned into what the driver takes in one go."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Table, Update, insert

from crm.repository.driver import run

_Convert = Callable[[Any], Any]
# The statement, its columns, and whether the driver takes values by their places.
_Prepared = tuple[str, Sequence[tuple[str, Any, _Convert | None]], bool]
_prepared: dict[tuple[Any, ...], _Prepared] = {}
# So many rows are inserted by one statement, with no more values than every version of SQLite takes.
_ROWS_AT_ONCE = 50
_MOST_VALUES = 999


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same columns.

    The same as handing them to `execute`, in half the time: that converts value by value, row by row, while
    a batch mostly repeats the value of the row before (times, defaults), which is converted once here.
    """
    key = (table, connection.dialect.name, *rows[0])
    prepared = _prepared.get(key) or _prepare(key, connection, insert(table), list(rows[0]))
    statement, columns, by_place = prepared
    if by_place and len(rows) > 1:
        insert_many(connection, statement, _converted(columns, rows))
    else:
        _run(connection, prepared, rows)


def insert_columns(connection: Connection, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows by their columns, the values as `converters` make them."""
    names = list(columns)
    key = (table, connection.dialect.name, *names)
    statement, taken, by_place = _prepared.get(key) or _prepare(key, connection, insert(table), names)
    count = len(columns[names[0]])
    values = [columns[name] if name in columns else [constant] * count for name, constant, _ in taken]
    rows: list[Any] = list(zip(*values, strict=True))
    if by_place:
        insert_many(connection, statement, rows)
    else:
        named = [dict(zip([name for name, _, _ in taken], row, strict=True)) for row in rows]
        run(connection, statement, named, fetches=False, many=True)


def insert_many(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run an INSERT of one row, which ends with the places of its values, for many rows: SQLite takes half the time
    for several rows in one statement."""
    several = min(_ROWS_AT_ONCE, _MOST_VALUES // len(rows[0]))
    whole = len(rows) - len(rows) % several if several > 1 else 0
    if whole:
        places = statement[statement.rindex("(") :]
        values = [tuple(chain.from_iterable(rows[at : at + several])) for at in range(0, whole, several)]
        run(connection, statement + f", {places}" * (several - 1), values, fetches=False, many=True)
    if whole < len(rows):
        run(connection, statement, rows[whole:], fetches=False, many=True)


def converters(connection: Connection, table: Table) -> Mapping[str, _Convert | None]:
    """The functions that make a value what the driver takes, by column; None where it is so already."""
    dialect = connection.dialect
    return {column.name: column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns}


def update_rows(connection: Connection, statement: Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run an update that is made once, for each row of the values that it names."""
    key = (statement, connection.dialect.name)
    _run(connection, _prepared.get(key) or _prepare(key, connection, statement), rows)


def _run(connection: Connection, prepared: _Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
    statement, columns, by_place = prepared
    first, many = rows[0], len(rows) > 1
    if many:
        converted: list[Any] = _converted(columns, rows)
    else:
        one = [(first.get(name, constant), convert) for name, constant, convert in columns]
        converted = [tuple([convert(value) if convert else value for value, convert in one])]
    if not by_place:
        names = [name for name, _, _ in columns]
        converted = [dict(zip(names, row, strict=True)) for row in converted]
    run(connection, statement, converted if many else converted[0], fetches=False, many=many)


def _prepare(
    key: tuple[Any, ...], connection: Connection, statement: Insert | Update, columns: list[str] | None = None
) -> _Prepared:
    dialect = connection.dialect
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    names = compiled.binds if compiled.positiontup is None else compiled.positiontup
    values = [(name, compiled.binds[name]) for name in names]
    _prepared[key] = (
        str(compiled),
        [
            (name, bind_parameter.value, bind_parameter.type.dialect_impl(dialect).bind_processor(dialect))
            for name, bind_parameter in values
        ],
        compiled.positiontup is not None,
    )
    return _prepared[key]


def _converted(
    columns: Sequence[tuple[str, Any, _Convert | None]], rows: Sequence[Mapping[str, Any]]
) -> list[tuple[Any, ...]]:
    """The rows as the driver takes them; a column that the rows lack has the constant of the statement."""
    first = rows[0]
    values = [
        _column(list(map(itemgetter(name), rows)) if name in first else [constant] * len(rows), convert)
        for name, constant, convert in columns
    ]
    return list(zip(*values, strict=True))


def _column(values: list[Any], convert: _Convert | None) -> list[Any]:
    if convert is None:
        return values
    converted = []
    last: Any = _nothing
    done: Any = None
    for value in values:
        if value is not last:
            last, done = value, convert(value)
        converted.append(done)
    return converted


_nothing = object()
