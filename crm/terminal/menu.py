"""The menu loop: the numbered main menu and its sub-menus, made from the register of commands."""

import os
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

from rich.text import Text

from crm.accounts import SignedIn
from crm.commands.context import CRM, has_accounts
from crm.commands.registry import MENUS, Command, commands
from crm.config import SHEETS
from crm.errors import Cancelled, CRMError, StoreError
from crm.model.rights import CLIENT, OWNER
from crm.terminal.door import keyboard_on, screen_on
from crm.terminal.keyboard import Back, Choice, Closed, End
from crm.terminal.session import AROUND_MENU, FLOWS, Session, load_flows

if TYPE_CHECKING:
    from crm.commands.today import Brief
    from crm.terminal.exchange import Exchange

# What one is in a hurry for has a key that stays.
_KEYS = {"capture": "c"}
_CTRL_C = "Ctrl-C leaves a form; 0 leaves the program."


def run_menu(
    open_crm: Callable[..., CRM],
    stdin: IO[str],
    stdout: IO[str],
    *,
    debug: bool = False,
    exchange: "Exchange | None" = None,
    who: SignedIn | None = None,
) -> int:
    """Runs the menu until the person leaves; returns the exit code. `debug` shows what went wrong in full.

    `who` has signed in already; else whoever sits here does where the store has accounts. With an `exchange` they sit
    at another device.

    Without a terminal on both sides, or on a dumb one, it goes line by line.
    """
    screen = screen_on(stdin, stdout)
    try:
        crm = open_crm(progress=screen.progress, waiting=screen.waiting)
        with keyboard_on(stdin, screen) as keyboard:
            session = Session(crm, keyboard, screen, debug=debug, exchange=exchange)
            try:
                return _run(session, who)
            finally:
                session.close()
    except CRMError as error:
        screen.print(Text(error.sentence, "red"))
        return error.exit_code
    except (Closed, KeyboardInterrupt):
        return 0
    except BrokenPipeError:
        # Nobody reads any more; keep the interpreter from complaining when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        return 0


def _run(session: Session, who: SignedIn | None) -> int:
    empty = None
    while empty is None:
        try:
            empty = session.crm.repository.is_empty()
        except StoreError as error:
            if not session.crm.repository.url.startswith(SHEETS):
                raise
            from crm.terminal.connecting import mend

            try:
                if not mend(session, error):
                    return error.exit_code
            except Closed:
                return error.exit_code
    session.attempt(lambda: _begin_day(session.crm))
    if not _enter(session, who):
        return 0
    crm = session.crm
    if crm.reader == OWNER and crm.repository.fact("sample") == "yes":
        session.real = crm
    if empty:
        from crm.terminal.welcome import welcome

        if not welcome(session):
            return 0
    main = _main
    if crm.reader.role == CLIENT:
        from crm.terminal.portal import portal as main
    while True:
        try:
            return main(session)
        except KeyboardInterrupt:
            # While something is drawn it ends nothing either.
            session.say(_CTRL_C, "dim")


def _enter(session: Session, who: SignedIn | None) -> bool:
    """Goes on as whoever has signed in, or does so now; False where nobody does."""
    from crm.terminal.signing_in import settle, sign_in

    if who is None:
        return not has_accounts(session.crm) or sign_in(session) is not None
    session.crm = session.crm.enter(session.crm, who)
    try:
        settle(session, who)
    except (Back, Cancelled):
        return False
    return True


def _begin_day(crm: CRM) -> None:
    """What is done once a day, at first use, whoever it is."""
    if crm.repository.fact("reviewed_on") < crm.today.isoformat():
        from crm.commands.rules import review_daily

        review_daily(crm)
    crm.repository.daily_backup()


def _main(session: Session) -> int:
    """The main menu, until 0 or Ctrl-D."""
    from crm.commands.today import Brief

    brief = Brief()
    while True:
        entries = [
            Choice(title, menu, _KEYS.get(menu, "")) for menu, title in MENUS.items() if _leads_to(session, menu)
        ]
        if session.real is not None:
            entries.append(Choice("Throw the sample data away", "throw", "x"))
        entries.append(Choice("Exit", "exit", "0"))
        session.page()
        try:
            # The way out stands among the entries.
            session.read_first((), len(entries) - 1)
            session.attempt(lambda: _report(session, brief, len(entries) - 1 + AROUND_MENU))  # noqa: B023
            chosen = session.choose("", entries, back="")
        except End:
            return 0
        except Back:
            session.say("0 leaves the program.", "dim")
            continue
        except Cancelled:
            session.say(_CTRL_C, "dim")
            continue
        if chosen == "exit":
            return 0
        if chosen == "throw":
            from crm.terminal.welcome import throw_away

            session.attempt(lambda: throw_away(session))
            if session.crm.repository.is_empty():
                from crm.terminal.welcome import welcome

                if not welcome(session):
                    return 0
            continue
        action = chosen if callable(chosen) else _opened(session, chosen)
        session.attempt(action)


def _report(session: Session, brief: "Brief", below: int) -> None:
    """What fits of today's figures with so many lines below."""
    from crm.terminal.today import draw_brief

    draw_brief(session.screen, session.crm, brief, below + 1)
    if session.screen.left > below:
        session.screen.print()


def _opened(session: Session, menu: str) -> Callable[[], None]:
    """The action behind an entry of the main menu: the sub-menu, or the one way that all its commands go."""
    load_flows()
    listed = _offered(session, menu)
    if len({FLOWS.get(each.words) for each in listed}) == 1 and listed[0].words in FLOWS:
        return lambda: session.start(listed[0])
    entries = [Choice(each.title, _starts(session, each)) for each in listed]
    return lambda: session.menu([MENUS[menu]], lambda: entries)


def _leads_to(session: Session, menu: str) -> bool:
    """Whether a menu has anything for the person. It has for the owner, who need not wait until all was loaded; but
    nobody has an account of their own who has not signed in."""
    return menu != "profile" if session.crm.reader == OWNER else bool(_offered(session, menu))


def _offered(session: Session, menu: str) -> list[Command]:
    """The commands of a menu that the person may run."""
    return [each for each in commands() if each.menu == menu and session.offers(each)]


def _starts(session: Session, command: Command) -> Callable[[], None]:
    return lambda: session.start(command)
