"""What became of a Google spreadsheet, on screen; loaded only when there is one."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from crm.commands.data.importing.adopting import TakeOverReport
from crm.commands.data.spreadsheets import SpreadsheetReport, StoreChosen
from crm.config import SHEETS
from crm.model import Conventions
from crm.terminal.data.rendering import UNBOUNDED, fitting
from crm.terminal.drawing.render import drawn
from crm.terminal.drawing.screen import Screen, clean, data

# A blank line above; a blank line and a menu of three lines below, or what else is told.
_AROUND = 5


@drawn.register
def _(result: SpreadsheetReport, screen: Screen, by: Conventions) -> None:
    sign = screen.sign("✓", "OK:")
    done = "is set up" if result.new else "is ready; drop-downs and colours are up to date"
    screen.print(Text(f"{sign} ", "green").append(clean(f"“{result.title}” {done}."), "default"))
    screen.copyable(result.address)
    if result.put_back:
        screen.print(data(f"Columns put back: {', '.join(result.put_back)}."))
    if result.taken_over is not None:
        drawn(result.taken_over, screen, by)
    if result.remembered:
        _remembered(screen, result.url, result.comes_first)


@drawn.register
def _(result: StoreChosen, screen: Screen, _by: Conventions) -> None:
    _remembered(screen, result.url, result.comes_first)


def _remembered(screen: Screen, url: str, comes_first: str) -> None:
    what = "The spreadsheet" if url.startswith(SHEETS) else "The file on this computer"
    if not comes_first:
        screen.print(f"{what} is opened from now on where no store is named.")
        return
    told = f"{what} would be opened from now on, but --store or the variable CRM_STORE names another store:"
    screen.print(Text(told, "yellow"))
    screen.copyable(comes_first)
    screen.print("Take that away, or name this one:")
    screen.copyable(f"CRM_STORE={url}")


@drawn.register
def _(result: TakeOverReport, screen: Screen, by: Conventions) -> None:
    tab = f"the tab “{result.tab}”"
    if result.applied:
        head = Text(f"{screen.sign('✓', 'OK:')} ", "green").append(clean(f"Taken over from {tab}"), "default")
    else:
        head = Text(clean(f"The list in {tab}: {by.number(result.rows)} rows"), "bold")
    screen.print(head)
    counts = (
        (result.new, "new clients", "bold green"),
        (result.opening_sales, f"opening sales, {by.money(result.opening_total)} in all", "bold green"),
        (result.updated, "known clients updated", "bold cyan"),
        (result.unchanged, "known already, nothing new", "dim"),
        (result.had_sales, "have sales already, and get no opening sale", "yellow"),
        (result.flagged, "kept as written, worth a look", "yellow"),
        (result.refused, "cannot be read, and stay in their tab only", "bold red"),
    )
    for number, words, style in counts:
        if number:
            screen.print(Text(f"{by.number(number):>9} ", style).append(words, "default"))
    if not result.applied:
        arrow = screen.sign("→", "->")
        goes = (f"{column} {arrow} {target}" for column, target in result.columns.items())
        screen.print(data("; ".join(goes), "dim"))
    for records in (result.refusals, result.doubts):
        if records:
            _listed(screen, by, records)


def _listed(screen: Screen, by: Conventions, rows: Sequence[Any]) -> None:
    """A table, as far as there is room for it."""
    table = fitting(screen, by, rows, UNBOUNDED if screen.plain else screen.left - _AROUND)
    if table is None:
        return
    screen.print()
    screen.print(table)
    if len(rows) > table.row_count:
        screen.print(Text(f"and {len(rows) - table.row_count} more", "dim"))
