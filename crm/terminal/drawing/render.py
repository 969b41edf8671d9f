"""The result of a command on screen, drawn as the subject that it comes from says."""

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from rich.text import Text

from crm.errors import CRMError
from crm.model import Conventions, Record, fields
from crm.model.encoding import plain
from crm.model.fields import Amount, Id
from crm.model.record import Field
from crm.terminal.drawing import cards, tables
from crm.terminal.drawing.list_conventions import PipedConventions
from crm.terminal.drawing.screen import Screen, data
from crm.terminal.drawing.subject_parts import load

if TYPE_CHECKING:
    from crm.commands.context import CRM

_Renderer = TypeVar("_Renderer", bound=Callable[[Any, Screen, Conventions], None])
_RENDERERS: dict[str, Callable[[Any, Screen, Conventions], None]] = {}


def renderer(kind: type | str) -> Callable[[_Renderer], _Renderer]:
    """Register how a result of a type is drawn, in the `rendering` of the subject that it comes from. The type may be
    given as module and name: what makes a result is loaded where there is one, and not to draw another."""
    name = kind if isinstance(kind, str) else tables.qualified_name(kind)

    def register(function: _Renderer) -> _Renderer:
        if name in _RENDERERS:
            raise ValueError(f"two renderers draw {name}")
        _RENDERERS[name] = function
        return function

    return register


_NO_NAMES: tables.Names = MappingProxyType({})


def show(screen: Screen, result: Any, by: Conventions, names: tables.Names = _NO_NAMES) -> None:
    """Show what a command returned; what has no renderer of its own by its names and values. In a list linked records
    are called by the `names` that are known."""
    if result is None:
        return
    if isinstance(result, list | tuple):
        _show_list(screen, result, by, names)
    elif drawn := renderer_of(type(result)):
        drawn(result, screen, by)
    elif dataclasses.is_dataclass(result):
        values = plain(result)
        cards.draw_pairs(screen, {name: value for name, value in values.items() if not isinstance(value, list | dict)})
        for field in dataclasses.fields(result):
            if isinstance(part := getattr(result, field.name), list | tuple) and part:
                screen.print(Text(field.name.replace("_", " ").capitalize(), "bold"))
                _show_list(screen, part, by)
    else:
        screen.print(data(result, lines=True))


def show_as_row(result: Any, screen: Screen, by: Conventions) -> None:
    """Show a result as a list of one row: the renderer of what has no page of its own to be drawn on."""
    show(screen, [result], by)


def _show_list(screen: Screen, result: Sequence[Any], by: Conventions, names: tables.Names = _NO_NAMES) -> None:
    if not result:
        screen.print(Text("Nothing to show.", "muted"))
        return
    columns = columns_of(type(result[0]))
    if columns is None:
        for item in result:
            screen.print(data(item))
        return
    screen.print(tables.table(tables.with_names(columns, names), result, by, screen.width))


def tabbed(result: Any, by: Conventions, names: tables.Names = _NO_NAMES) -> list[str] | None:
    """A list as another program reads it: a line for each row, whole, its cells between tabs; None for what is no
    list."""
    rows = rows_of(result)
    if rows is None:
        return None
    columns = columns_of(type(rows[0])) if rows else ()
    if columns is None:
        return [data(row).plain for row in rows]
    columns, by = tables.with_names(columns, names), PipedConventions.of(by)
    return ["\t".join(column.text(row, by).plain.replace("\t", " ") for column in columns) for row in rows]


def names_in(crm: "CRM", result: Any) -> tables.Names:
    """The names of the records that the rows of a list link to, where these know no more than the numbers."""
    rows = rows_of(result)
    columns = columns_of(type(rows[0])) if rows else None
    linking = {column.link for column in columns or () if column.link}
    if not rows or not linking:
        return {}
    from crm.commands.record_names import linked_names

    with suppress(CRMError), crm.read() as snapshot:
        return {link: linked_names(snapshot, rows, link, crm.conventions) for link in linking}
    return {}


def rows_of(result: Any) -> Sequence[Any] | None:
    """The rows of a list, which may have sums beside them; None for what is no list."""
    if isinstance(result, list | tuple):
        return result
    listed: Sequence[Any] | None = next(
        (
            getattr(result, name)
            for name in ("deals", "follow_ups")
            if type(result).__name__.endswith("List") and hasattr(result, name)
        ),
        None,
    )
    return listed


def renderer_of(kind: type) -> Callable[[Any, Screen, Conventions], None] | None:
    """The renderer of a type of result; None where there is none."""
    load(kind, "rendering")
    names = map(tables.qualified_name, kind.__mro__)
    return next((_RENDERERS[name] for name in names if name in _RENDERERS), None)


def columns_of(kind: type) -> Sequence[tables.Column] | None:
    """The columns of a list of a type: as its subject declares them, or the fields of a record; None for others."""
    load(kind, "rendering")
    declared = tables.COLUMNS.get(tables.qualified_name(kind))
    return _columns_of_record(kind) if declared is None and issubclass(kind, Record) else declared


def _columns_of_record(kind: type[Record]) -> Sequence[tables.Column]:
    """The number of a record and each of its fields, the last to be cut first."""

    def column(place: int, field: Field) -> tables.Column:
        if isinstance(field.check, Id):
            return tables.link_column(field.name, field.label, 1 if field.name == "client" else place)
        return tables.Column(
            field.label,
            lambda row, by: data(field.check.show(getattr(row, field.name), by)),
            place,
            least=8,
            right=isinstance(field.check, Amount),
        )

    number = tables.Column("No.", lambda row, _: Text(str(row.id), "muted"), 0, right=True)
    return [number, *(column(place, field) for place, field in enumerate(fields(kind).values(), 1))]
