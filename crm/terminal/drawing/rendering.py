"""Results that commands of several subjects have in common, on screen: deletions, and the entries of a timeline."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from crm.model import Conventions
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import entry_line
from crm.terminal.drawing.render import renderer
from crm.terminal.drawing.screen import Screen, clean, data

if TYPE_CHECKING:
    from crm.commands.deletions import Deleted

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
