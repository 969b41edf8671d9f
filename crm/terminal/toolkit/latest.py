"""The latest of the timeline of a client, in the room that a record leaves in the window; a wide one has it in the card
of the client beside the entries."""

from collections.abc import Sequence

from rich.text import Text

from crm.commands.timeline_entries import Entry
from crm.commands.timeline_sources import latest
from crm.model import Client, Conventions
from crm.terminal.drawing.cards import draw_timeline
from crm.terminal.drawing.screen import Screen, clean
from crm.terminal.toolkit.session import AROUND_MENU, Session

# More than a window has lines.
_MOST = 40
# The blank line, the heading and one entry; fewer lines are not worth it.
_LEAST_LATEST = 3


def latest_with(session: Session, client: Client, entries: int) -> None:
    """Draw it above so many entries and their keys, where there is room and nothing stands beside them."""
    screen = session.screen
    # The entries have a blank line above them.
    room = screen.left - entries - AROUND_MENU - 1 - session.lines_below
    if screen.plain or screen.side or room <= 0:
        return
    with session.crm.read() as snapshot:
        happened = latest(session.crm, snapshot, client, _MOST)
    _draw(screen, client, happened, session.conventions, room)


def _draw(screen: Screen, client: Client, entries: Sequence[Entry], by: Conventions, room: int) -> None:
    """Draw the latest of the timeline of a client, below a blank line and a heading; where there is no room for these,
    only the latest entry."""
    if not entries or room < 1:
        return
    if room <= _LEAST_LATEST:
        draw_timeline(screen, entries, by, 1, more=False)
        return
    # Where all of it has no room, the last line says so.
    most = min(len(entries), room - 2 if len(entries) <= room - 2 else room - 3)
    screen.print()
    screen.print(Text(screen.cut(f"Latest with {clean(client.name)}", 1), "muted"))
    draw_timeline(screen, entries, by, most)
