"""What an import did, or would do, on screen; loaded only when there is one."""

from typing import Any

from rich.text import Text

from crm.commands.importing.report import Doubt, ImportReport, Refusal
from crm.commands.whole_store import WholeStoreReport
from crm.model import Conventions
from crm.terminal import tables
from crm.terminal.render import drawn
from crm.terminal.screen import Screen, clean, data

_REFUSALS = (
    tables.Column("Line", lambda each, _: data(each.row, "dim"), 0, right=True),
    tables.Column("Refused because", lambda each, _: data(each.reason), 1, 20),
)
_DOUBTS = (
    tables.Column("Line", lambda each, _: data(each.row, "dim"), 0, right=True),
    tables.Column("Value", lambda each, _: data(each.value), 1, 12),
    tables.Column("Kept, but worth a look", lambda each, _: data(each.why, "yellow"), 2, 16),
)
tables.COLUMNS.update({Refusal: _REFUSALS, Doubt: _DOUBTS})


@drawn.register
def _(result: ImportReport, screen: Screen, by: Conventions) -> None:
    head = f"{screen.sign('✓', 'OK:')} Imported" if result.applied else "What this import would do"
    screen.print(Text(f"{head}: ", "green" if result.applied else "bold").append(clean(result.file), "default"))
    screen.print(data(f"{by.number(result.rows)} rows read as {result.read_as}", "dim"))
    counts = (
        (result.new, f"new {result.what}", "bold green"),
        (result.clients_created, "clients made for them", "green"),
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
    listed: tuple[tuple[str, Any], ...] = (
        ("The first ones, as they are stored" if not result.applied else "", result.first_records),
        ("", result.refusals),
        ("", result.doubts),
    )
    for title, records in listed:
        room = screen.left - 8
        if records and room > 2 and (title or records is not result.first_records):
            screen.print()
            if title:
                screen.print(Text(title, "dim"))
            screen.print(tables.table(tables.COLUMNS[type(records[0])], records[: min(5, room - 2)], by, screen.width))
    if result.refused_file:
        screen.print(data(f"The refused rows are in {result.refused_file}, with the reason.", "yellow"))


@drawn.register
def _(result: WholeStoreReport, screen: Screen, by: Conventions) -> None:
    head = f"{screen.sign('✓', 'OK:')} Read" if result.applied else "What this file holds"
    screen.print(Text(f"{head}: ", "green" if result.applied else "bold").append(clean(result.file), "default"))
    for name, number in result.objects.items():
        screen.print(data(f"{by.number(number):>9} {name}"))
