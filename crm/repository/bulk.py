"""Writing rows, one or many at once, each column turned into what the driver takes in one go."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, repeat
from operator import is_, itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Table, Update, insert

from crm.repository.driver import run

_Convert = Callable[[Any], Any]
# The statement, its columns, and whether the driver takes values by their places.
_Prepared = tuple[str, Sequence[tuple[str, Any, _Convert | None]], bool]
_prepared: dict[tuple[Any, ...], _Prepared] = {}
# So many rows are inserted by one statement: of any table they have far fewer values than the 32 766 that SQLite takes.
_ROWS_AT_ONCE = 50
_FEW = 20


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same columns.

    The same as handing them to `execute`, in half the time: that converts value by value, row by row, while
    a batch mostly repeats the value of the row before (times, defaults), which is converted once here.
    """
    if len(rows) > _FEW:
        insert_columns(connection, table, {name: list(map(itemgetter(name), rows)) for name in rows[0]}, converts=True)
        return
    key = (table, connection.dialect.name, *rows[0])
    _run(connection, _prepared.get(key) or _prepare(key, connection, insert(table), list(rows[0])), rows)


def insert_columns(
    connection: Connection, table: Table, columns: Mapping[str, Sequence[Any]], *, converts: bool = False
) -> None:
    """Insert rows by their columns, the values as `converters` make them; or it `converts` them."""
    names = list(columns)
    key = (table, connection.dialect.name, *names)
    statement, taken, by_place = _prepared.get(key) or _prepare(key, connection, insert(table), names)
    count = len(columns[names[0]])
    values = [
        _column(columns[name] if name in columns else [constant] * count, convert if converts else None)
        for name, constant, convert in taken
    ]
    if by_place:
        _insert_values(connection, statement, values)
    else:
        names = [name for name, _, _ in taken]
        rows: list[Any] = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
        run(connection, statement, rows, fetches=False, many=True)


def _insert_values(connection: Connection, statement: str, columns: Sequence[Sequence[Any]]) -> None:
    """Run an INSERT of one row, of plain places, for the rows that these columns make. What is the same in many of them
    and needs no quotes is written into the statement: to bind a blank for each row takes as long as to store it."""
    if len(columns[0]) <= _FEW:
        insert_many(connection, statement, list(zip(*columns, strict=True)))
        return
    begin = statement.rindex("(") + 1
    places = statement[begin:-1].split(", ")
    bound = []
    for at, column in enumerate(columns):
        # One column is bound in any case.
        literal = _LITERALS.get(type(column[0]), _none)(column[0]) if at and _is_constant(column) else None
        if literal is None:
            bound.append(column)
        else:
            places[at] = literal
    insert_many(connection, f"{statement[:begin]}{', '.join(places)})", list(zip(*bound, strict=True)))


def _none(_: Any) -> None:
    return None


# A constant as it is in a statement; None where it is bound.
_LITERALS: Mapping[type, Callable[[Any], str | None]] = {
    type(None): lambda _: "NULL",
    int: str,
    str: lambda text: None if text else "''",
}


def _is_constant(column: Sequence[Any]) -> bool:
    return column[0] is column[-1] and column.count(column[0]) == len(column)


def insert_many(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run an INSERT of one row, which ends with the places of its values, for many rows: SQLite takes half the time
    for several rows in one statement."""
    whole = len(rows) - len(rows) % _ROWS_AT_ONCE
    if whole:
        places = statement[statement.rindex("(") :]
        values = [tuple(chain.from_iterable(rows[at : at + _ROWS_AT_ONCE])) for at in range(0, whole, _ROWS_AT_ONCE)]
        run(connection, statement + f", {places}" * (_ROWS_AT_ONCE - 1), values, fetches=False, many=True)
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


def _column(values: Sequence[Any], convert: _Convert | None) -> Sequence[Any]:
    if convert is None:
        return values
    if all(map(is_, values, repeat(values[0]))):
        return [convert(values[0])] * len(values)
    converted = []
    last: Any = _nothing
    done: Any = None
    for value in values:
        if value is not last:
            last, done = value, convert(value)
        converted.append(done)
    return converted


_nothing = object()
