"""The numbered main menu and its sub-menus, made from the register of commands; the loop around it is in run.py."""

from collections.abc import Callable
from contextlib import suppress
from threading import Timer
from typing import Any

from crm.commands import load, menus
from crm.commands.registry import Command, commands
from crm.errors import Cancelled, StoreError
from crm.model.rights import OWNER
from crm.terminal.clients.search import search
from crm.terminal.console.keyboard import Back, Choice, Closed, End
from crm.terminal.loop import EXIT
from crm.terminal.toolkit.pages import flow_of, load_flows
from crm.terminal.toolkit.session import AROUND_MENU, Session

# What one is in a hurry for has a key that stays.
_KEYS = {"capture": "c"}


# Seconds within which the menu is drawn.
_SHOWN_WITHIN = 0.1


_CTRL_C = "Ctrl-C leaves a form; 0 leaves the program."


class MainMenu:
    """The numbered main menu, with what is going on today above it."""

    def __init__(self, session: Session) -> None:
        from crm.commands.home.today import Brief

        self.session = session
        session.search = search
        self._entries: list[Choice] = []
        self._brief = Brief()
        self._loads_rest = True

    def entries(self) -> list[Choice]:
        """The entries: menus of commands by name, or what to do."""
        session = self.session
        listed = [
            Choice(title, menu, _KEYS.get(menu, "")) for menu, title in menus().items() if _leads_to(session, menu)
        ]
        if session.real is not None:
            listed.append(Choice("Throw the sample data away", lambda: _throw_away(session), "x"))
        return listed

    def draw(self, below: int) -> None:
        """Draws what fits above a number of lines: today's figures."""
        from crm.terminal.home.rendering import draw_brief

        screen = self.session.screen
        with suppress(StoreError):
            # The program may stay open over midnight.
            self.session.crm.repository.daily_review()
        draw_brief(screen, self.session.crm, self._brief, below + 1)
        if screen.left > below:
            screen.print()

    def show(self) -> None:
        while True:
            try:
                self._entries = self.entries()
                with self.session.screen.at_once():
                    self.session.page()
                    self.session.read_first((), len(self._entries))
                    # The way out stands among the entries.
                    self.session.attempt(lambda: self.draw(len(self._entries) + AROUND_MENU))
                return
            except (Back, Cancelled, KeyboardInterrupt):
                # Nothing that is pressed while the page is drawn ends anything.
                self.session.say(_CTRL_C, "muted")

    def choose(self) -> Any:
        self._load_rest()
        try:
            return self.session.choose("", [*self._entries, Choice("Exit", EXIT, "0")], back="")
        except End:
            return EXIT
        except Back:
            self.session.say("0 leaves the program.", "muted")
        except (Cancelled, KeyboardInterrupt):
            self.session.say(_CTRL_C, "muted")
        return _stay

    def _load_rest(self) -> None:
        """Load all commands and flows while waiting for the first key, so that no key waits for them. Menus in a
        browser come from a process that has."""
        if self._loads_rest and self.session.exchange is None and not self.session.screen.plain:
            loading = Timer(_SHOWN_WITHIN, _load_all)
            loading.daemon = True
            loading.start()
        self._loads_rest = False

    def dispatch(self, choice: Any) -> None:
        action = choice if callable(choice) else _opened(self.session, choice)
        self.session.attempt(action)


def _load_all() -> None:
    # An error of loading is shown when that command is asked for.
    with suppress(Exception):
        load()
        load_flows()


def _stay() -> None:
    """Leads nowhere: the menu is shown again."""


def _throw_away(session: Session) -> None:
    from crm.terminal.data.welcome import throw_away, welcome

    session.attempt(lambda: throw_away(session))
    if session.crm.repository.is_empty() and not welcome(session):
        raise Closed


def _opened(session: Session, menu: str) -> Callable[[], None]:
    """Open an entry of the main menu: its commands in a menu of their own, or the one way that all of them go."""
    listed = _offered(session, menu)
    if len({flow_of(command) for command in listed}) == 1 and flow_of(listed[0]):
        return lambda: session.start(listed[0])
    entries = [Choice(command.title, _starts(session, command)) for command in listed]
    return lambda: session.menu([menus()[menu]], lambda: entries)


def _leads_to(session: Session, menu: str) -> bool:
    """Whether a menu has anything for the person. It has for the owner, who need not wait until all was loaded; but
    nobody has an account of their own who has not signed in."""
    return menu != "profile" if session.crm.reader == OWNER else bool(_offered(session, menu))


def _offered(session: Session, menu: str) -> list[Command]:
    """The commands of a menu that the person may run."""
    return [command for command in commands(menu=menu) if session.offers(command)]


def _starts(session: Session, command: Command) -> Callable[[], None]:
    return lambda: session.start(command)
