"""Panels beside menus and questions in a wide window: where an entry leads, of a list its first rows, or a client."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.text import Text

from crm.commands import menus
from crm.commands.registry import Command, commands, named
from crm.errors import CRMError, SignedOutError
from crm.model import Client
from crm.terminal.drawing.cards import side_card, side_width
from crm.terminal.toolkit.lists import list_of
from crm.terminal.toolkit.pages import Pieces, draw_side_card, unless_refused
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
    width = side_width(screen)
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
    return [*side_card(screen, [heading, *help], ()), *_rows(head, [line for _, line in rows])]


def _rows(head: str, rows: Sequence[Pieces]) -> Pieces:
    """Rows below their heads, with a blank line above."""
    # The blanks have no colour: in one piece with the edge beside it, a browser draws words as weakly as lines.
    pieces = [("", "\n  "), ("muted", f"{head}\n")] if rows else []
    for row in rows:
        pieces += [("", "  "), *row, ("", "\n")]
    return pieces


def first_rows(session: Session, words: str, title: str, most: int, **filters: Any) -> Pieces:
    """The first rows of a list, below its title; nothing where there are none, or the person has not the list."""
    command = named(words)
    if not session.offers(command) or (page := list_of(command)) is None:
        return ()

    def draw() -> Pieces:
        head, rows = page(session, **filters).preview(side_width(session.screen), most)
        heading = side_card(session.screen, [Text(title, "bold")], ()) if rows else ()
        return [*heading, *_rows(head, [row for _, row in rows])]

    return unless_refused(draw)


def beside_question(session: Session, client: int, menu: str) -> Pieces:
    """The panel beside a question: the client that it is about, or the first rows of the list of the menu. In a narrow
    window, where it stands below, rows of a list would be taken for what one chooses from."""
    if client and (card := draw_side_card(session, Client, client)):
        return card
    if not (menu and session.screen.side):
        return ()
    # A board has a list beside it of the same name as the menu.
    known = [*map(named, menus()[menu].page[:1]), *(item for item in commands(menu) if item.words == f"{menu} list")]
    listed = next((command for command in known if list_of(command) is not None), None)
    return first_rows(session, listed.words, menus()[menu].title, session.screen.left - _AROUND) if listed else ()


def _help(command: Command | None) -> str:
    """The documentation of a command, a paragraph to a line, without what is of use in the shell alone."""
    if command is None:
        return ""
    paragraphs = [paragraph.replace("\n", " ") for paragraph in command.documentation.split("\n\n")]
    return "\n\n".join(paragraph for paragraph in paragraphs if "`" not in paragraph)
