"""Panels beside a menu in a wide window: where an entry leads, and of a list its first rows."""

from collections.abc import Callable

from rich.text import Text

from crm.commands.registry import Command
from crm.errors import CRMError, SignedOutError
from crm.terminal.drawing.cards import SIDE_EDGE, side_card
from crm.terminal.toolkit.lists import list_of
from crm.terminal.toolkit.pages import Pieces
from crm.terminal.toolkit.session import Session

# The title of the page with its rule, and the keys below it.
_AROUND = 8
# What a command shows, on so many lines, by its words; () where that cannot be read at once.
Preview = Callable[[Session, Command, int], Pieces]
PREVIEWS: dict[str, Preview] = {}


def draw_panel(session: Session, title: str, about: str, command: Command | None) -> Pieces:
    """The panel of an entry, in pieces of one token each: its title, what it is about, and the first rows of its
    list."""
    screen = session.screen
    width = screen.side - SIDE_EDGE
    heading = Text(title, "bold")
    try:
        page = list_of(command) if command is not None else None
        if page is None:
            draw = PREVIEWS.get(command.words) if command is not None else None
            if (
                command is not None
                and draw is not None
                and (preview := draw(session, command, screen.height - _AROUND))
            ):
                return preview
            return side_card(screen, [heading, Text("")], (), _help(command) or about, screen.height - _AROUND)
        help = Text(_help(command).partition("\n")[0], "muted").wrap(screen.console, width)
        head, rows = page(session).preview(width, max(1, screen.height - _AROUND - len(help)))
    except SignedOutError:
        raise
    except CRMError:
        # The page itself will say why.
        return side_card(screen, [heading], (), about)
    pieces = list(side_card(screen, [heading, *help], ()))
    if rows:
        pieces.append(("muted", f"\n  {head}\n"))
    for _, line in rows:
        pieces += [("", "  "), *line, ("", "\n")]
    return pieces


def _help(command: Command | None) -> str:
    """The documentation of a command, a paragraph to a line, without what is of use in the shell alone."""
    if command is None:
        return ""
    paragraphs = [paragraph.replace("\n", " ") for paragraph in command.documentation.split("\n\n")]
    return "\n\n".join(paragraph for paragraph in paragraphs if "`" not in paragraph)
