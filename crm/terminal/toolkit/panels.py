"""Panels beside a menu in a wide window: where an entry leads, and of a list its first rows."""

from collections.abc import Sequence

from rich.text import Text

from crm.commands.registry import Command
from crm.errors import CRMError, SignedOutError
from crm.terminal.drawing.cards import side_card
from crm.terminal.toolkit.lists import list_of
from crm.terminal.toolkit.session import Session

# The blanks around a card, the title of the page with its rule, and the keys below it.
_EDGE, _AROUND = 4, 8


def draw_panel(session: Session, title: str, about: str, command: Command | None) -> Sequence[tuple[str, str]]:
    """The panel of an entry, in pieces of one token each: its title, what it is about, and the first rows of its
    list."""
    screen = session.screen
    width = screen.side - _EDGE
    heading = Text(title, "bold")
    try:
        page = list_of(command) if command is not None else None
        if page is None:
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
