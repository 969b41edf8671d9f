"""Pairs of labels and values, and what happened on one line each."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from crm.model import Conventions
from crm.terminal.drawing.screen import Screen, clean, data

if TYPE_CHECKING:
    from crm.commands.activity.timeline_entries import Entry

_TWO_WIDE = 76


def pairs(rows: Iterable[tuple[str, Text]], width: int) -> Table:
    """Labels and values, in two pairs of columns where there is room."""
    rows = list(rows)
    side_by_side = 2 if width >= _TWO_WIDE and len(rows) > 3 else 1
    label = min(max([len(name) for name, _ in rows], default=1), width // 3)
    drawn = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=False)
    for _ in range(side_by_side):
        drawn.add_column(width=label, style="muted", overflow="ellipsis", no_wrap=True)
        drawn.add_column(width=width // side_by_side - label - 2, overflow="fold")
    lines = -(-len(rows) // side_by_side)
    for at in range(lines):
        drawn.add_row(*(piece for place in range(at, len(rows), lines) for piece in rows[place]))
    return drawn


def draw_timeline(screen: Screen, timeline: "Iterable[Entry]", by: Conventions, most: int | None = None) -> None:
    """Draw the timeline, newest first; on `most` lines, each cut where it is too long, or all of it."""
    entries = list(timeline)
    for entry in entries[:most]:
        line = Text(f"{by.day(entry.on)}  ", "muted").append_text(entry_line(entry, by))
        if most is not None:
            line.truncate(screen.width, overflow="ellipsis" if screen.unicode else "crop")
        screen.print(line)
    if most is not None and len(entries) > most:
        screen.print(Text(f"and {len(entries) - most} more", "muted"))


def entry_line(entry: "Entry", by: Conventions) -> Text:
    """An entry of the timeline, without its day."""
    line = Text()
    if entry.amount is not None:
        line.append(by.money(entry.amount), "money").append("  ")
    return line.append(clean(entry.what), "default")


def draw_pairs(screen: Screen, values: Mapping[str, Any]) -> None:
    """Any report, as its names and values."""
    rows = [
        (name.replace("_", " ").capitalize(), data(value)) for name, value in values.items() if value not in (None, "")
    ]
    screen.print(pairs(rows, screen.width))
