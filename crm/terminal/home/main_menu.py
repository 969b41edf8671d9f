"""The numbered main menu and its sub-menus, made from the register of commands; the loop around it is in run.py."""

from contextlib import suppress
from functools import partial
from threading import Timer
from typing import Any

from rich.text import Text

from crm.commands import load, menus
from crm.commands.registry import named
from crm.errors import Cancelled, StoreError
from crm.model.rights import ADMIN, OWNER_ROLE
from crm.terminal.console.keyboard import Back, Choice, Closed, End
from crm.terminal.loop import EXIT
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.sections import beside_question, entries, leads_to, more, open_section
from crm.terminal.toolkit.session import AROUND_MENU, Session

# Seconds within which the menu is drawn.
_SHOWN_WITHIN = 0.1


_CTRL_C = "Ctrl-C cancels a form. Press 0 to exit."
_ABOUT = "Press a number to open a section. / finds any client or command."
# What is before an entry.
_KEYED = 8
# The blanks at least between a section and its figure.
_BEFORE_FIGURE = 2
# In so many columns a sentence takes one line.
_WIDE = 60


class MainMenu:
    """The numbered main menu, with what is going on today above it."""

    def __init__(self, session: Session) -> None:
        from crm.commands.home.today import Brief

        self.session = session
        session.search = search
        session.sections, session.panel = more, beside_question
        self._entries: list[Choice] = []
        self._brief = Brief()
        self._loads_rest = True

    def entries(self) -> list[Choice]:
        """The entries: sections, each with its figure."""
        session = self.session
        listed = [(name, menu.title) for name, menu in menus().items() if not menu.under and leads_to(session, name)]
        wide = max((len(title) for _, title in listed), default=0)
        # Lines are typed by the title alone.
        figures = {} if session.screen.plain else self._brief.start.figures
        lines = [f"{title:<{wide}}  {figures.get(name, '')}".rstrip() for name, title in listed]
        room = session.screen.width - _KEYED
        if not session.screen.plain and any(session.screen.measure(line) > room for line in lines):
            lines = [self._fitted(title, figures.get(name, ""), room) for name, title in listed]
        return [Choice(line, name) for (name, _), line in zip(listed, lines, strict=True)]

    def _fitted(self, title: str, figure: str, room: int) -> str:
        """An entry with its figure at the right, the first part of it alone where there is no room for all."""
        screen = self.session.screen
        if len(title) + screen.measure(figure) + _BEFORE_FIGURE > room:
            figure = figure.partition(", ")[0]
        blanks = " " * max(_BEFORE_FIGURE, room - len(title) - screen.measure(figure))
        return screen.cut(f"{title}{blanks}{figure}".rstrip(), _KEYED)

    def in_column(self) -> int:
        """The number of entries below each other where they have two columns; 0 where they have one."""
        screen = self.session.screen
        wide = max((screen.measure(entry.label) for entry in self._entries), default=0) + _KEYED
        return 0 if screen.plain or 2 * wide > screen.width else (len(self._entries) + 2) // 2

    def keys(self) -> list[Choice]:
        """The keys for what one does in a hurry."""
        session = self.session
        hurried = (
            (letters.NEW, "client", "clients add"), (letters.SALE, "", "sales add"), (letters.NOTE, "", "capture"),
        )  # fmt: skip
        return [
            letter(partial(_starts, session, words), what) for letter, what, words in hurried if session.leads_to(words)
        ]

    def read(self) -> None:
        """Read the figures."""
        with suppress(StoreError):
            # The program may stay open over midnight.
            self.session.crm.repository.daily_review()
        self._brief.read(self.session.crm)

    def draw(self, below: int) -> None:
        """Draw what fits above a number of lines: what needs doing, then what else is on the dashboard."""
        from crm.terminal.home.rendering import draw_brief

        screen = self.session.screen
        # What was said when it began says so, too.
        sample = self.session.real is not None and not self.session.message_lines
        draw_brief(screen, self.session.crm, self._brief, below + 1 + sample)
        # Where there is little room, the sign beside the title says it.
        if sample and screen.left > below + 1 and screen.width >= _WIDE:
            if screen.side and screen.left > below + 2:
                screen.print()
            screen.print(Text("This is sample data. Remove it under Data & settings.", "muted"))
        if screen.left > below:
            screen.print()

    def show(self) -> None:
        while True:
            try:
                with self.session.screen.at_once():
                    self.session.page(about=self._day_and_person())
                    self.session.attempt(self.read)
                    self._entries = self.entries()
                    self.session.read_first((), len(self._entries))
                    # The way out stands among the entries.
                    self.session.attempt(lambda: self.draw((self.in_column() or len(self._entries)) + AROUND_MENU))
                return
            except (Back, Cancelled, KeyboardInterrupt):
                # Nothing that is pressed while the page is drawn ends anything.
                self.session.say(_CTRL_C, "muted")

    def _day_and_person(self) -> str:
        """Return the day and the person at the menu; '' where the settings cannot be read."""
        with suppress(StoreError):
            by = self.session.crm.conventions
            return f"{by.weekday_and_day(by.today)} · {self.session.crm.me}"
        return ""

    def choose(self) -> Any:
        self._load_rest()
        try:
            entries = [*self._entries, Choice("Exit", EXIT, "0")]
            return self.session.choose("", entries, back="", keys=self.keys(), about=_ABOUT, in_column=self.in_column())
        except End:
            return EXIT
        except Back:
            self.session.say("Press 0 to exit.", "muted")
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
        self.session.attempt(choice if callable(choice) else partial(self._open, choice))

    def _open(self, section: str) -> None:
        session = self.session
        if section != "data":
            open_section(session, section)
            return
        remove = Choice("Remove the sample data", partial(_remove_sample, session))

        # The sample data may be taken up and removed on this very page.
        def listed() -> list[Choice]:
            removes = session.real is not None and session.crm.reader.role in (OWNER_ROLE, ADMIN)
            return [*entries(session, section), *([remove] if removes else [])]

        session.menu([menus()[section].title], listed)


def search(session: Session) -> None:
    """Find a client or a command. What this needs is loaded with the rest, and not before the menu is drawn."""
    from crm.terminal.clients.search import search as find

    find(session)


def _load_all() -> None:
    # An error of loading is shown when that command is asked for.
    with suppress(Exception):
        load()
        load_flows()


def _stay() -> None:
    """Lead nowhere: the menu is shown again."""


def _remove_sample(session: Session) -> None:
    from crm.terminal.data.welcome import throw_away, welcome

    throw_away(session)
    if session.crm.repository.is_empty() and not welcome(session):
        raise Closed


def _starts(session: Session, words: str) -> None:
    session.start(named(words))
