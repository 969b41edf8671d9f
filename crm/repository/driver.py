"""A cache of frequent statements, which are given to the database driver without SQLAlchemy in between.

SQLAlchemy takes about 80 µs to carry out a statement, SQLite mostly 10. What it finds out on the way stays the same:
the SQL, the order of the values, and what becomes of each value on its way there and back. That is kept here.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, CursorResult
from sqlalchemy.engine import Row
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from crm.repository import AnyRow, AnySelect

# Of lists with more values the SQL is made each time: it holds a place for each of them.
_LONGEST_KEPT = 8


class _Slot(NamedTuple):
    """The place of a value of the statement among those that the driver takes: the one called `name`, or of a list the
    one `at` that place in it."""

    place: int
    name: str
    at: int | None
    convert: Any


class _Prepared(NamedTuple):
    """A statement as the driver takes it, with its constants, and what makes rows of its answer."""

    sql: str
    taken: Sequence[Any]
    slots: Sequence[_Slot]
    metadata: SimpleResultMetaData
    converters: Sequence[Any] | None


# By the dialect, and how many values each of the lists has.
_Forms = dict[tuple[object, ...], _Prepared | None]


class _Known:
    """A statement that came before: the names of its values that are lists, and its forms."""

    def __init__(self) -> None:
        self.lists: tuple[str, ...] = ()
        self.forms: _Forms = {}


# A statement is known from the second time on: those that are made again each time are left to SQLAlchemy, which
# recognises them.
_known: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()


def select_rows(
    connection: Connection, statement: "AnySelect", values: Mapping[str, Any] = MappingProxyType({})
) -> "Sequence[AnyRow]":
    """The rows of a statement, by name or by place; `values` are those that the statement names."""
    known = _known.get(statement)
    if known is None:
        _known[statement] = _Known()
        return connection.execute(statement, values).all()
    lengths = [len(values[name]) for name in known.lists]
    form = (connection.dialect.name, *lengths)
    prepared = known.forms.get(form)
    if prepared is None:
        result = connection.execute(statement, values)
        if form not in known.forms and max(lengths, default=0) <= _LONGEST_KEPT:
            _prepare(known, connection, result, statement, values)
        return result.all()
    taken = list(prepared.taken)
    try:
        for place, name, at, convert in prepared.slots:
            value = values[name] if at is None else values[name][at]
            taken[place] = value if convert is None else convert(value)
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        # SQLAlchemy says what is wrong with the value.
        return connection.execute(statement, values).all()
    metadata, converters = prepared.metadata, prepared.converters
    places = metadata._key_to_index
    return [Row(metadata, converters, places, row) for row in run(connection, prepared.sql, taken)]


def run(connection: Connection, sql: str, values: Any = (), *, fetches: bool = True, many: bool = False) -> Any:
    """The rows of SQL as the driver gives them, or where it `fetches` none, how many rows of a table it wrote to;
    `values` are as the driver takes them, of `many` rows a list. Raises what SQLAlchemy raises."""
    dialect = connection.dialect
    cursor = connection.connection.cursor()
    try:
        # Listeners to executed statements get this one too.
        for listener in connection.dispatch.before_cursor_execute:
            listener(connection, cursor, sql, values, None, many)
        if many:
            dialect.do_executemany(cursor, sql, values)
        else:
            dialect.do_execute(cursor, sql, values)
        for listener in connection.dispatch.after_cursor_execute:
            listener(connection, cursor, sql, values, None, many)
        return cursor.fetchall() if fetches else cursor.rowcount
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(sql, values, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
    finally:
        cursor.close()


def _prepare(
    known: _Known, connection: Connection, result: CursorResult[Any], statement: "AnySelect", values: Mapping[str, Any]
) -> None:
    """Keep what SQLAlchemy has made of a statement; None where its values cannot be distinguished."""
    context: Any = result.context
    compiled, dialect = context.compiled, connection.dialect
    # Without an order of their own values go by their names; the drivers of such databases have had no test.
    names = compiled.positiontup or ()
    lists = [name for name in dict.fromkeys(names) if compiled.binds[name].expanding]
    known.lists = tuple(name for name in lists if name in values)
    lengths = [len(values[name]) for name in known.lists]
    if max(lengths, default=0) > _LONGEST_KEPT:
        return
    form = (dialect.name, *lengths)
    known.forms[form] = None
    (taken,) = context.parameters
    slots: list[_Slot] = []
    place = 0
    for name in names:
        convert = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        value = values[name] if name in values else compiled.binds[name].value
        for at in range(len(value)) if name in lists else (None,):
            if name in values:
                slots.append(_Slot(place, name, at, convert))
            place += 1
    if place != len(taken):
        return
    # Of a statement of which this is known there are rows.
    columns = zip(statement.selected_columns, result.cursor.description, strict=True)
    converters = [
        column.type.dialect_impl(dialect).result_processor(dialect, described[1]) for column, described in columns
    ]
    metadata = SimpleResultMetaData(list(result.keys()))
    known.forms[form] = _Prepared(context.statement, taken, slots, metadata, converters if any(converters) else None)
