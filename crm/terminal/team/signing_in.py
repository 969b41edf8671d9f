"""Signing in at a terminal, and what comes before anything else: a new password, a second factor."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rich.text import Text

from crm import program
from crm.accounts import SecondFactorAsked, SignedIn
from crm.commands.context import has_accounts
from crm.errors import Cancelled, CRMError, FieldError, OutwardError, SignInRefusedError, TooManyAttemptsError
from crm.model.fields import Email, Line, Secret
from crm.model.rights import OWNER
from crm.terminal.console.keyboard import Back, Needed
from crm.terminal.drawing.screen import clean
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import in_steps

if TYPE_CHECKING:
    from crm.accounts.sign_in import Authentication

_AGAIN = (SignInRefusedError, TooManyAttemptsError, OutwardError)
DEVICE = "terminal"


def entered(session: Session) -> bool:
    """Whether the person may go on in the store: as its owner where it has no accounts, else as the user who signs in
    now. Raises StoreError where that cannot be known."""
    if session.crm.reader != OWNER:
        return True
    if has_accounts(session.crm):
        return sign_in(session) is not None
    session.crm = session.crm.enter(session.crm, None)
    return True


def sign_in(session: Session, email: str = "") -> SignedIn | None:
    """Asks until somebody is let in, and goes on as they; None where the person leaves."""
    authentication = session.crm.accounts.open().authentication
    try:
        while True:
            email, password = _asked(session, email)
            who: SignedIn | SecondFactorAsked | None = _tried(
                session,
                authentication,
                lambda: authentication.sign_in(email, password, device=DEVICE),  # noqa: B023
            )
            if isinstance(who, SecondFactorAsked):
                who = _answered(session, authentication, who)
            if who is not None:
                session.crm = session.crm.enter(session.crm, who)
                settle(session, who, password)
                return who
    except (Back, Cancelled):
        return None


def _asked(session: Session, email: str) -> tuple[str, str]:
    """The address and the password that somebody types. Raises Back and Cancelled."""
    typed = {"email": email, "password": ""}

    def ask_email() -> None:
        session.page("Sign in")
        typed["email"] = session.prompts.value("E-mail", Email(), required=True, typed=typed["email"])

    def ask_password() -> None:
        typed["password"] = session.prompts.value("Password", Secret(), required=True)

    in_steps(session, [ask_email, ask_password])
    return typed["email"], typed["password"]


def settle(session: Session, who: SignedIn, password: str = "") -> None:
    """Ask for what has to be done first; `password` is the one they have just typed, '' where they have signed in
    elsewhere. Raises Back."""
    if who.must_change:
        try:
            session.say("This password was good for one time. Choose one of your own.", "warning")
            new_password(session, password)
        except (Back, Cancelled, KeyboardInterrupt):
            session.screen.print(Text(_used_up(who), "warning"))
            raise
    if who.needs_second_factor:
        _first_second_factor(session, password)


def _first_second_factor(session: Session, password: str) -> None:
    """Set up the second factor that the team asks for; who has not just typed the password does so now: somebody else
    may have found the session. Raises Back."""
    from crm.terminal.team.second_factor import prove, set_up

    while True:
        session.say("Your team asks everybody for a second factor at sign-in.", "warning")
        try:
            set_up(session, password or prove(session, "Second factor"))
        except (*_AGAIN, FieldError) as refused:
            session.fail(refused)
            continue
        return


def _used_up(who: SignedIn) -> str:
    """The message for those who leave before choosing a password: how they get in again."""
    used = "Your one-time password has been used."
    if who.role != "admin":
        return f"{used} Ask an admin for a new one."
    recover = program.command(f"users recover {clean(who.email)}")
    return f"{used} Ask another admin for a new one or, on the computer that holds the data, run: {recover}"


def new_password(session: Session, current: str = "") -> None:
    """Asks for a new password, and for the one until now where it is not known yet. Raises Back."""
    desk = session.crm.accounts

    def read(typed: str) -> str:
        if not typed:
            raise Needed
        desk.check_new_password(typed)
        return typed

    before = new = ""

    def ask_current() -> None:
        nonlocal before
        session.page("Change my password")
        before = session.prompts.value("Current password", Secret(), required=True)

    def ask_new() -> None:
        nonlocal new
        session.page("Change my password")
        help = "at least 10 characters; a sentence is good"
        new = session.keyboard.text("New password", read, help=help, secret=True)

    def ask_again() -> None:
        if session.prompts.value("New password again", Secret(), required=True) != new:
            raise FieldError("The two new passwords differ.")
        desk.change_password(current or before, new)

    while True:
        try:
            in_steps(session, [*([] if current else [ask_current]), ask_new, ask_again])
        except (*_AGAIN, FieldError) as refused:
            session.fail(refused)
            continue
        done = session.screen.sign("✓", "OK:")
        session.say(f"{done} Password changed. You are signed out everywhere else.", "success")
        return


def _answered(session: Session, authentication: "Authentication", asked: SecondFactorAsked) -> SignedIn | None:
    """Asks for the code; None where the person goes back."""
    by_sms = asked.method == "sms"
    help = f"sent to {asked.hint}; Enter sends it again" if by_sms else "from your app, or a recovery code"
    who: SignedIn | None = None
    try:
        while who is None:
            session.page("Sign in", "Second factor")
            code = session.prompts.value("Code", Line(40), help=help, required=not by_sms, default="")
            if code:
                who = _tried(session, authentication, lambda: authentication.answer(asked.ticket, code, device=DEVICE))  # noqa: B023
            else:
                _tried(session, authentication, lambda: authentication.send_again(asked.ticket))
    except Back:
        who = None
    return who


def _tried(session: Session, authentication: "Authentication", action: Callable[[], Any]) -> Any:
    """The result of an attempt; where it failed, None, and the next page shows why."""
    try:
        return action()
    except _AGAIN as refused:
        session.fail(refused)
        return None
    finally:
        # What cannot be written down now keeps nobody from trying again.
        with suppress(CRMError):
            authentication.note_refusals()
