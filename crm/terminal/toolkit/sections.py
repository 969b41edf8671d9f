"""Sections: what a menu opens on, and what else can be done there, one level down."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from crm.commands import menus
from crm.commands.registry import Command, commands, named
from crm.errors import CRMError, SignedOutError
from crm.lazy_pattern import lazy_pattern
from crm.model import Client
from crm.model.rights import OWNER
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing.render import show
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.pages import Pieces
from crm.terminal.toolkit.session import Aside, Session

# Where the first words of a help end that say enough; an example or a case comes after it.
_ENDS = lazy_pattern(r"[.;:](?=\s|$)|, (?=and |so |of |as )")
# What is before an entry, the blanks behind its title, and the columns that are too few for more.
_KEYED, _BEFORE_ABOUT, _LEAST_ABOUT = 8, 3, 24
# With a panel, which says it in full, few entries may be cut.
_LEAST_BESIDE_PANEL = 36


def open_section(session: Session, menu: str) -> None:
    """Open a menu: on its page where the person has it, else on what can be done there. Raises Back."""
    if (command := _opened(session, menu)) is not None:
        session.start(command)
    else:
        figures = menus()[menu].figures
        above = partial(_draw_figures, session, figures) if figures else None
        session.menu([menus()[menu].title], lambda: entries(session, menu), above=above)


def _draw_figures(session: Session, read: Callable[[Any], Any]) -> None:
    """Draw the figures of a section; nothing where they cannot be read."""
    try:
        figures = read(session.crm)
    except SignedOutError:
        raise
    except CRMError:
        return
    show(session.screen, figures, session.crm.conventions)


def entries(session: Session, menu: str, client: Client | None = None) -> list[Choice]:
    """The entries of a menu besides its page: commands, and the menus that are under it. Commands about a client are
    about this one, where one is pointed at."""
    listed: list[tuple[str, str, str, Callable[[], None], Command | None]] = [
        (
            command.title,
            command.hint,
            _first_words(command.summary),
            partial(session.start, command, **_about_client(command, client)),
            command,
        )
        for command in _commands_in(session, menu)
    ]
    listed += [
        (
            menus()[name].title,
            menus()[name].hint,
            _about(session, name),
            partial(open_section, session, name),
            _opened(session, name),
        )
        for name in _menus_in(session, menu)
    ]
    wide = max((len(title) for title, *_ in listed), default=0) + _BEFORE_ABOUT
    return [
        _entry(session, title, hint, about, wide, action, command) for title, hint, about, action, command in listed
    ]


def _commands_in(session: Session, menu: str) -> Iterator[Command]:
    page = menus()[menu].page
    return (command for command in commands(menu=menu) if command.words not in page and session.offers(command))


def _menus_in(session: Session, menu: str) -> Iterator[str]:
    return (name for name, declared in menus().items() if declared.under == menu and leads_to(session, name))


def _panel(session: Session, title: str, about: str, command: Command | None) -> Pieces:
    # Only a wide window needs what draws lists and cards.
    from crm.terminal.toolkit.panels import draw_panel

    return draw_panel(session, title, about, command)


def beside_question(session: Session, client: int, menu: str) -> Pieces:
    """The panel beside a question: the client that it is about, or the first rows of the list of a menu."""
    from crm.terminal.toolkit import panels

    return panels.beside_question(session, client, menu)


def _entry(
    session: Session, title: str, hint: str, about: str, wide: int, action: Callable[[], None], command: Command | None
) -> Choice:
    """An entry, and in a muted colour its hint, or without one what it is about, where there is room for that; in a
    wide window its panel is beside it."""
    screen = session.screen
    panel = cache(partial(_panel, session, title, about, command)) if screen.side else None
    room = screen.width - screen.side - wide - _KEYED
    too_narrow = screen.measure(hint) > room if hint else room < (_LEAST_BESIDE_PANEL if panel else _LEAST_ABOUT)
    if screen.plain or too_narrow or not (hint or about):
        return Choice(title, action, card=panel)
    if hint:
        about = hint
    elif screen.measure(about) > room:
        # As far as a comma it is said well too.
        shorter = about[: about.rfind(", ", 0, room)] if ", " in about[:room] else about
        about = screen.fit(shorter, room)
    pieces = [("", f"{title:<{wide}}"), ("muted", about)]
    return Choice(f"{title:<{wide}}{about}", action, pieces=pieces, card=panel)


def _opened(session: Session, menu: str) -> Command | None:
    """The command on whose page a menu opens, where the person has it."""
    page = menus()[menu].page
    return named(page[0]) if page and session.offers(named(page[0])) else None


def _about(session: Session, menu: str) -> str:
    """The subject of a menu: of the page that it opens on, or the titles of what is in it."""
    if (command := _opened(session, menu)) is not None:
        return _first_words(command.summary)
    titles = [command.title for command in commands(menu=menu) if session.offers(command)]
    titles += [declared.title for name, declared in menus().items() if declared.under == menu]
    return ", ".join([*titles[:1], *(f"{title[:1].lower()}{title[1:]}" for title in titles[1:])])


def _first_words(summary: str) -> str:
    """The first words of a command's help that say enough."""
    return _ENDS.split(summary, maxsplit=1)[0]


def leads_to(session: Session, menu: str) -> bool:
    """Return whether a menu has anything for the person. It has for the owner, who need not wait until all was loaded;
    but nobody has an account of their own who has not signed in."""
    if session.crm.reader == OWNER and menu == "profile":
        return False
    if session.crm.reader == OWNER and (session.real is None or not menus()[menu].under):
        return True
    return any(session.offers(command) for command in commands(menu=menu)) or any(
        leads_to(session, name) for name, declared in menus().items() if declared.under == menu
    )


def more(
    session: Session,
    words: str,
    client: Callable[[], Client | None] = lambda: None,
    own: Callable[[], Sequence[Choice]] = tuple,
) -> list[Choice]:
    """The key to what else can be done in the section that opens on the page of a command, about the client that is
    pointed at there, with the page's `own` entries below; none where that is all."""
    sections = [name for name, declared in menus().items() if declared.page and declared.page[0] == words]
    return [
        letters.MORE(lambda name=name: _show_more(session, name, client(), own))
        for name in sections
        if any(_commands_in(session, name)) or any(_menus_in(session, name)) or own()
    ]


def _show_more(session: Session, menu: str, client: Client | None, own: Callable[[], Sequence[Choice]]) -> None:
    def listed() -> Sequence[Choice]:
        # After an entry of the page's own one is on that page again.
        others = [replace(entry, value=Aside(entry.value)) for entry in entries(session, menu, client)]
        return [*others, *own()]

    session.menu([menus()[menu].title, letters.MORE.word], listed, once=True)


def _about_client(command: Command, client: Client | None) -> Mapping[str, Client]:
    """The client as the argument of a command that is about one."""
    subject = command.subject
    is_about_one = subject is not None and subject.record is Client and subject.required and not subject.many
    return {subject.name: client} if subject is not None and is_about_one and client is not None else {}
