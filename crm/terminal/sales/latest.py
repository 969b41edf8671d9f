"""The latest of the timeline of a client, in the room that a sale or a deal leaves in the window; a wide one has it in
the card of the client beside the entries."""

from crm.commands.activity.timeline_sources import latest
from crm.model import Client
from crm.terminal.sales.rendering import draw_latest
from crm.terminal.toolkit.session import AROUND_MENU, Session

# More than a window has lines.
_MOST = 40


def latest_with(session: Session, client: Client, entries: int) -> None:
    """Draw it above so many entries and their keys, where there is room and nothing is beside them."""
    screen = session.screen
    # The entries have a blank line above them.
    room = screen.left - entries - AROUND_MENU - 1 - session.lines_below
    if screen.plain or screen.side or room <= 0:
        return
    with session.crm.read() as snapshot:
        happened = latest(session.crm, snapshot, client, _MOST)
    draw_latest(screen, client, happened, session.conventions, room)
