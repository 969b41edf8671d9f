"""The numbered main menu and its sub-menus, made from the register of commands; the loop around it is in run.py."""

import os
from collections.abc import Callable
from contextlib import suppress
from threading import Timer
from typing import IO, TYPE_CHECKING, Any

from rich.text import Text

from crm.accounts import SignedIn
from crm.commands import load, menus
from crm.commands.context import CRM, begin_day, shut
from crm.commands.registry import Command, commands
from crm.config import SHEETS
from crm.errors import Cancelled, CRMError, SignedOutError, StoreError
from crm.model.rights import CLIENT, OWNER
from crm.terminal.clients.search import search
from crm.terminal.console.console import keyboard_on, screen_on
from crm.terminal.console.keyboard import Back, Choice, Closed, End
from crm.terminal.loop import EXIT, Loop
from crm.terminal.toolkit.pages import flow_of, load_flows
from crm.terminal.toolkit.session import AROUND_MENU, Session

if TYPE_CHECKING:
    from crm.terminal.console.file_transfer import Exchange

# What one is in a hurry for has a key that stays.
_KEYS = {"capture": "c"}
# Seconds within which the menu is drawn.
_SHOWN_WITHIN = 0.1
_CTRL_C = "Ctrl-C leaves a form; 0 leaves the program."


def run_menu(
    open_crm: Callable[..., CRM],
    stdin: IO[str],
    stdout: IO[str],
    loop: Loop,
    *,
    debug: bool = False,
    exchange: "Exchange | None" = None,
    who: SignedIn | None = None,
) -> int:
    """Runs the menu in its loop until the person leaves; returns the exit code. `debug` shows what went wrong in full.

    `who` has signed in already; else whoever sits here does where the store has accounts. With an `exchange` they sit
    at another device.

    Without a terminal on both sides, or on a dumb one, it goes line by line. Raises SignedOutError where an `exchange`
    is there to lead to its own sign-in.
    """
    screen = screen_on(stdin, stdout)
    try:
        crm = open_crm(progress=screen.progress, waiting=screen.waiting)
        with keyboard_on(stdin, screen, exchange) as keyboard:
            session = Session(crm, keyboard, screen, debug=debug, exchange=exchange)
            try:
                return _run(session, loop, who)
            finally:
                session.close()
    except CRMError as error:
        if exchange is not None:
            if isinstance(error, SignedOutError):
                # The page tells, and shows nothing any more of what was on the screen.
                raise
            exchange.note(error)
        screen.print(Text(error.sentence, "red"))
        return error.exit_code
    except (Closed, KeyboardInterrupt):
        return 0
    except BrokenPipeError:
        # Nobody reads any more; keep the interpreter from complaining when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        return 0


def _run(session: Session, loop: Loop, who: SignedIn | None) -> int:
    code = 0
    while True:
        try:
            if not _enter(session, who):
                return code
            empty = session.crm.repository.is_empty()
        except StoreError as error:
            if not _mended(session, error):
                return error.exit_code
            continue
        except Closed:
            if not code:
                raise
            return code
        for wrong in begin_day(session.crm.outside or session.crm):
            session.fail(wrong)
        try:
            return _worked(session, loop, empty=empty)
        except SignedOutError as out:
            if session.exchange is not None or session.screen.plain:
                # A browser leads to its own sign-in, and lines that were written for the menu are no passwords.
                if session.exchange is None and out.done:
                    session.screen.print(out.sentence)
                    return 0
                raise
            if out.done:
                session.say(f"{session.screen.sign('✓', 'OK:')} {out.sentence}", "green")
            else:
                session.fail(out)
            if session.real is not None and session.real is not session.crm:
                session.real.repository.close()
            session.crm, session.real = session.crm.outside or session.crm, None
            code = 0 if out.asked else out.exit_code


def _mended(session: Session, error: StoreError) -> bool:
    """Whether it can be tried once more to go into a store that cannot be read. Until somebody has come in, nothing is
    read or written: not even what could be by now."""
    if session.exchange is not None or not session.crm.repository.url.startswith(SHEETS):
        raise error
    from crm.terminal.data.connecting import mend

    session.crm = shut(session.crm, error)
    try:
        return mend(session, error)
    except Closed:
        return False


def _worked(session: Session, loop: Loop, *, empty: bool) -> int:
    """Runs the menu of whoever has come in until they leave. Raises SignedOutError."""
    crm = session.crm
    if crm.reader == OWNER and crm.repository.fact("sample") == "yes":
        session.real = crm
    if empty:
        from crm.terminal.data.welcome import welcome

        if not welcome(session):
            return 0
    menu = MainMenu(session)
    if crm.reader.role == CLIENT:
        from crm.terminal.home.client_portal import Portal

        menu = Portal(session)
    return loop(menu)


def _enter(session: Session, who: SignedIn | None) -> bool:
    """Goes on as whoever has signed in, or does so now; False where nobody does."""
    from crm.terminal.team.signing_in import entered, settle

    if who is None:
        return entered(session)
    session.crm = session.crm.enter(session.crm, who)
    try:
        settle(session, who)
    except (Back, Cancelled):
        return False
    return True


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
        """What may be chosen: menus of commands by name, or what to do."""
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
                self.session.say(_CTRL_C, "dim")

    def choose(self) -> Any:
        self._load_rest()
        try:
            return self.session.choose("", [*self._entries, Choice("Exit", EXIT, "0")], back="")
        except End:
            return EXIT
        except Back:
            self.session.say("0 leaves the program.", "dim")
        except (Cancelled, KeyboardInterrupt):
            self.session.say(_CTRL_C, "dim")
        return _stay

    def _load_rest(self) -> None:
        """Has all commands and flows loaded while the first key is waited for, so that no key waits for them. Menus in
        a browser come from a process that has."""
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
    """What an entry of the main menu leads to: its commands in a menu of their own, or the one way that all of them
    go."""
    listed = _offered(session, menu)
    if len({flow_of(each) for each in listed}) == 1 and flow_of(listed[0]):
        return lambda: session.start(listed[0])
    entries = [Choice(each.title, _starts(session, each)) for each in listed]
    return lambda: session.menu([menus()[menu]], lambda: entries)


def _leads_to(session: Session, menu: str) -> bool:
    """Whether a menu has anything for the person. It has for the owner, who need not wait until all was loaded; but
    nobody has an account of their own who has not signed in."""
    return menu != "profile" if session.crm.reader == OWNER else bool(_offered(session, menu))


def _offered(session: Session, menu: str) -> list[Command]:
    """The commands of a menu that the person may run."""
    return [each for each in commands(menu=menu) if session.offers(each)]


def _starts(session: Session, command: Command) -> Callable[[], None]:
    return lambda: session.start(command)
