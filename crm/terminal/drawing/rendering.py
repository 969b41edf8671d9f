"""Results that commands of several subjects have in common, on screen: deletions, files written, timelines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from crm.commands.client_selection import pluralize
from crm.model import Conventions
from crm.model.paths import display_path
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import entry_line
from crm.terminal.drawing.render import renderer
from crm.terminal.drawing.screen import Screen, clean, data

if TYPE_CHECKING:
    from crm.commands.deletions import Deleted
    from crm.commands.file_output import ExportReport

ENTRIES: Sequence[tables.Column] = (
    tables.Column("Date", lambda row, by: data(by.day(row.on), "muted"), 0),
    tables.Column("Time", lambda row, by: data(by.time_of_day(row.time), "muted"), 2),
    tables.Column("What", lambda row, by: entry_line(row, by), 0, 12),
    tables.Column("By", lambda row, _: data(row.by, "muted"), 1, 5),
)
tables.COLUMNS["crm.commands.timeline_entries.Entry"] = ENTRIES


@renderer("crm.commands.deletions.Deleted")
def _(result: "Deleted", screen: Screen, _by: Conventions) -> None:
    line = Text(f"{screen.sign('✓', 'OK:')} ", "success").append(clean(result.what), "bold")
    screen.print(line.append(f", with {clean(result.along)}" if result.along else "", "default"))
    if result.changed:
        screen.print(Text(f"  Also changed: {clean(result.changed)}"))
    screen.print(Text("`history undo` brings it back.", "muted"))


@renderer("crm.commands.file_output.ExportReport")
def _(result: "ExportReport", screen: Screen, by: Conventions) -> None:
    many = "records" if result.what == "all" else result.what
    written = pluralize(result.records, many.removesuffix("s"), many, by)
    done = Text(f"{screen.sign('✓', 'OK:')} {written} in ", "success")
    screen.print(done.append(clean(display_path(result.file)), "bold"))
    if result.keep_safe:
        screen.print(Text(result.keep_safe, "warning"))
