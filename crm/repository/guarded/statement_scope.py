"""The scope of a statement: all tables and columns that it names, wherever in it they stand."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ColumnClause, FromClause, SelectBase, Table, TableClause, TextClause
from sqlalchemy.sql.dml import UpdateBase


class OutOfScope(Exception):
    """A statement whose tables cannot be determined, or that writes."""


@dataclass
class StatementScope:
    """The tables and columns that a statement refers to; `whole_rows` where it asks for all columns by a star."""

    tables: set[Table] = field(default_factory=set)
    columns: set[Column[Any]] = field(default_factory=set)
    whole_rows: bool = False


# Reports ask the same statements again and again.
@lru_cache(maxsize=100)
def scope_of(statement: Any) -> StatementScope:
    """The scope of a statement: its tables in columns, conditions and order, in joins, subqueries and CTEs, by any
    alias.

    Raises OutOfScope for one that is made of text or writes.
    """
    if not isinstance(statement, SelectBase):
        raise OutOfScope(f"{type(statement).__name__} is no selection")
    scope = StatementScope()
    # Kept by their ids, and so alive: another object cannot come to have the id of one of them.
    seen: dict[int, Any] = {}
    waiting: list[Any] = [statement]
    while waiting:
        element = waiting.pop()
        if id(element) not in seen:
            seen[id(element)] = element
            waiting += _parts(element, scope)
    return scope


def _parts(element: Any, scope: StatementScope) -> Iterable[Any]:
    """Take note of an element, and give what it is made of."""
    match element:
        case Table():
            scope.tables.add(element)
            return ()
        case TextClause() | UpdateBase() | TableClause():
            raise OutOfScope(f"{type(element).__name__} does not say what it reads")
        case Column():
            # Of an alias, the column of the table that it stands for.
            scope.columns.update(column for column in element.base_columns if isinstance(column, Column))
            return (element.table,)
        case ColumnClause():
            return _of_unknown(element)
        case SelectBase():
            selected = list(element.selected_columns)
            scope.whole_rows |= any(_is_star(expression) for expression in selected)
            return (*selected, *element.get_children())
    return tuple(element.get_children())


def _of_unknown(column: ColumnClause[Any]) -> Iterable[FromClause]:
    """The selectable of a column that is not one of a table's own: a subquery, a function that gives rows."""
    if _is_star(column):
        return ()
    if column.is_literal or column.table is None:
        raise OutOfScope(f"{column} does not say what it reads")
    return (column.table,)


def _is_star(column: Any) -> bool:
    return isinstance(column, ColumnClause) and column.is_literal and column.name == "*"
