"""The menu of one person: signed in, then shown in its loop until they leave or are signed out."""

import os
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING

from rich.text import Text

from crm.accounts import SignedIn
from crm.commands.context import CRM, begin_day, shut
from crm.config import SHEETS
from crm.errors import Cancelled, CRMError, SignedOutError, StoreError
from crm.model.rights import CLIENT
from crm.terminal.console.console import keyboard_on, screen_on
from crm.terminal.console.keyboard import Back, Closed
from crm.terminal.home.main_menu import MainMenu, search
from crm.terminal.loop import Loop
from crm.terminal.toolkit.session import Session

if TYPE_CHECKING:
    from crm.terminal.console.file_transfer import FileTransfer


def run_menu(
    open_crm: Callable[..., CRM],
    stdin: IO[str],
    stdout: IO[str],
    loop: Loop,
    environment: Mapping[str, str],
    *,
    debug: bool = False,
    exchange: "FileTransfer | None" = None,
    who: SignedIn | None = None,
) -> int:
    """Run the menu in its loop until the person leaves. Returns the exit code. `environment` says
    what their terminal is; `debug` shows what went wrong in full.

    `who` has signed in already; else the person here does where the store has accounts. With an `exchange` they sit
    at another device.

    Without a terminal on both sides, or on a dumb one, it goes line by line. Raises SignedOutError where an `exchange`
    is there to lead to its own sign-in.
    """
    screen = screen_on(stdin, stdout, environment)
    try:
        crm = open_crm(progress=screen.progress, waiting=screen.waiting)
        with keyboard_on(stdin, screen, exchange) as keyboard:
            session = Session(
                crm, keyboard, screen, debug=debug or bool(environment.get("CRM_DEBUG")), exchange=exchange
            )
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
        screen.print(Text(error.sentence, "danger"))
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
            if not _can_try_again(session, error):
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
                session.done(f"{out.sentence}")
            else:
                session.fail(out)
            # Who signs in again is still in the sample data, and it still says so.
            session.crm = session.crm.outside or session.crm
            code = 0 if out.asked else out.exit_code


def _can_try_again(session: Session, error: StoreError) -> bool:
    """Return whether it can be tried once more to go into a store that cannot be read. Until somebody has come in,
    nothing is read or written: not even what could be by now."""
    if session.exchange is not None or not session.crm.repository.url.startswith(SHEETS):
        raise error
    from crm.terminal.data.connecting import offer_another_way

    session.crm = shut(session.crm, error)
    try:
        return offer_another_way(session, error)
    except Closed:
        return False


def _worked(session: Session, loop: Loop, *, empty: bool) -> int:
    """Run the menu of a signed-in user until they leave. Raises SignedOutError."""
    crm = session.crm
    if session.real is None and crm.reader.role != CLIENT and crm.repository.fact("sample") == "yes":
        session.real = crm
    if empty:
        from crm.terminal.data.welcome import welcome

        # Commands are found there too.
        session.search = search
        if not welcome(session):
            return 0
    menu = MainMenu(session)
    if crm.reader.role == CLIENT:
        from crm.terminal.home.client_portal import Portal

        menu = Portal(session)
    return loop(menu)


def _enter(session: Session, who: SignedIn | None) -> bool:
    """Enter as the signed-in user, or sign in now; False where nobody does."""
    from crm.terminal.team.signing_in import entered, settle

    if who is None:
        return entered(session)
    session.crm = session.crm.enter(session.crm, who)
    try:
        settle(session, who)
    except (Back, Cancelled):
        return False
    return True
