"""What an import did, or would do, on screen; loaded only when there is one."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from crm.commands.client_selection import pluralize
from crm.commands.data.full_export import WholeStoreReport
from crm.commands.data.importing.report import Doubt, ImportReport, Refusal
from crm.model import Conventions
from crm.model.fields import Country
from crm.model.paths import display_path
from crm.terminal.drawing import tables
from crm.terminal.drawing.render import drawn
from crm.terminal.drawing.screen import Screen, clean, data

_REFUSALS = (
    tables.Column("Line", lambda each, _: data(each.row, "dim"), 0, right=True),
    tables.Column("Refused because", lambda each, _: data(each.reason), 1, 20, wraps=True),
)
_DOUBTS = (
    tables.Column("Line", lambda each, _: data(each.row, "dim"), 0, right=True),
    tables.Column("Value", lambda each, _: data(each.value), 1, 12),
    tables.Column("Kept, but worth a look", lambda each, _: data(each.why, "yellow"), 0, 16, wraps=True),
)
# What stands below a preview: a blank line, the two entries, the hint.
_BELOW = 5
_SHOWN = 5
# A blank line, a title, the heads and two rows.
_LEAST = 5
UNBOUNDED = 10_000
# So many doubts of one sort are told in one sentence, where they are most of all.
_SAID_ONCE = 4
tables.COLUMNS.update({Refusal: _REFUSALS, Doubt: _DOUBTS})


def _say_foreign(screen: Screen, number: int, by: Conventions) -> None:
    """Says once what is the same of most rows."""
    told = (
        f"{pluralize(number, 'telephone number does', 'telephone numbers do', by)} not fit the country that is set,"
        f" {Country().show(by.country, by)}: the setting Country says which country numbers without a code are of."
    )
    screen.print(data(told, "yellow"))


def _draw_all(screen: Screen, by: Conventions, listed: Sequence[tuple[str, Sequence[Any]]]) -> None:
    """Lists below one another, as far as there is room: those that come last are worth the most, and leave the others
    a little where they can."""
    listed = [each for each in listed if each[1]]
    room = UNBOUNDED if screen.plain else screen.left - _BELOW
    chosen: list[tuple[str, Table]] = []
    for place, (title, records) in reversed(list(enumerate(listed))):
        own = room - 1 - bool(title)
        table = fitting(screen, by, records[:_SHOWN], own - place * _LEAST) or fitting(screen, by, records[:1], own)
        if table is not None:
            chosen.insert(0, (title, table))
            room = own - _lines(screen, table)
    for title, table in chosen:
        screen.print()
        if title:
            screen.print(Text(title, "dim"))
        screen.print(table)


def _lines(screen: Screen, table: Table) -> int:
    return len(screen.console.render_lines(table, screen.console.options.update(width=screen.width)))


def fitting(screen: Screen, by: Conventions, records: Sequence[Any], room: int) -> Table | None:
    """As many of the records as a table of so many lines holds, None for not even one."""
    columns = tables.COLUMNS[type(records[0])]
    for count in range(len(records), 0, -1):
        table = tables.table(columns, records[:count], by, screen.width)
        if _lines(screen, table) <= room:
            return table
    return None


def _headed(screen: Screen, head: str, result: ImportReport | WholeStoreReport) -> None:
    line = Text(f"{head}: ", "green" if result.applied else "bold")
    screen.print(line.append(clean(display_path(result.file)), "default"))


@drawn.register
def _(result: ImportReport, screen: Screen, by: Conventions) -> None:
    head = f"{screen.sign('✓', 'OK:')} Imported" if result.applied else "What this import would do"
    _headed(screen, head, result)
    screen.print(data(f"{pluralize(result.rows, 'row', 'rows', by)} read as {result.read_as}", "dim"))
    counts = (
        (result.new, f"new {result.what.removesuffix('s') if result.new == 1 else result.what}", "bold green"),
        (result.clients_created, f"{'client' if result.clients_created == 1 else 'clients'} made for them", "green"),
        (result.updated, "updated" if result.applied else "update a known one", "bold cyan"),
        (result.unchanged, "known already, nothing new", "dim"),
        (result.flagged, "kept as written, worth a look", "yellow"),
        (result.refused, "refused", "bold red"),
    )
    for number, words, style in counts:
        if number:
            screen.print(Text(f"{by.number(number):>9} ", style).append(words, "default"))
    if not (result.new or result.updated or result.refused):
        screen.print("Everything in this file is there already.")
    doubts = result.doubts
    if result.maybe_foreign * 2 > result.flagged and result.maybe_foreign >= _SAID_ONCE:
        _say_foreign(screen, result.maybe_foreign, by)
        doubts = [each for each in doubts if not each.maybe_foreign]
    if result.applied:
        _draw_all(screen, by, [("", result.refusals), ("", doubts)])
    else:
        first = ("The first ones, as they are stored", result.first_records)
        _draw_all(screen, by, [first, ("", result.refusals), ("", doubts)])
    if result.refused_file:
        screen.print(data(f"The refused rows are in {display_path(result.refused_file)}, with the reason.", "yellow"))


@drawn.register
def _(result: WholeStoreReport, screen: Screen, by: Conventions) -> None:
    head = f"{screen.sign('✓', 'OK:')} Read" if result.applied else "What this file holds"
    _headed(screen, head, result)
    for name, number in result.objects.items():
        screen.print(data(f"{by.number(number):>9} {name}"))
    if result.done:
        screen.print(data(result.done, "yellow"))
