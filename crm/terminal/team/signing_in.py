"""Signing in at a terminal, and what comes before anything else: a new password, a second factor."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rich.text import Text

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
    """Return whether the person may go on in the store: as its owner where it has no accounts, else as the user who
    signs in now. Raises StoreError where that cannot be known."""
    if session.crm.reader != OWNER:
        return True
    if has_accounts(session.crm):
        return sign_in(session) is not None
    session.crm = session.crm.enter(session.crm, None)
    return True


def sign_in(session: Session, email: str = "") -> SignedIn | None:
    """Ask until a sign-in succeeds, and go on as that user; None where the person leaves."""
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


def sign_in_first(session: Session, email: str, password: str) -> None:
    """Sign in the creator of the first account, and go on as that user. Raises Back."""
    # Until they are signed in the session stays what it was: the owner's, who may do nothing more.
    outside = session.crm.outside or session.crm
    who = outside.accounts.open().authentication.sign_in(email, password, device=DEVICE)
    if isinstance(who, SignedIn):
        session.crm = outside.enter(outside, who)
        session.done("Your account is ready, and you are signed in. From now on, everyone has to sign in.")
        settle(session, who, password)


def _asked(session: Session, email: str) -> tuple[str, str]:
    """The address and the password that somebody types; one step back from the password of a known address is the
    address. Raises Back and Cancelled."""
    typed = {"email": email, "password": ""}

    def ask_email() -> None:
        session.page("Sign in")
        typed["email"] = session.prompts.value("E-mail", Email(), required=True, typed=typed["email"])

    def ask_password() -> None:
        session.page("Sign in")
        session.screen.print(Text("E-mail: ", "muted").append(clean(typed["email"]), "default"))
        typed["password"] = session.prompts.value("Password", Secret(), required=True)

    # After a wrong password people type the next one at once, which must not be seen.
    in_steps(session, [ask_email, ask_password], at=1 if email else 0)
    return typed["email"], typed["password"]


def settle(session: Session, who: SignedIn, password: str = "") -> None:
    """Ask for what has to be done first; `password` is the one they have just typed, '' where they have signed in
    elsewhere. Raises Back."""
    if who.must_change:
        session.say("This is a one-time password. Choose one of your own.", "warning")
        new_password(session, password)
    if who.needs_second_factor:
        _first_second_factor(session, password)


def _first_second_factor(session: Session, password: str) -> None:
    """Set up the second factor that the team asks for; who has not just typed the password does so now: somebody else
    may have found the session. Raises Back."""
    from crm.terminal.team.second_factor import prove, set_up

    while True:
        session.say("Your team requires a second factor at sign-in.", "warning")
        try:
            set_up(session, password or prove(session, "Second factor"))
        except (*_AGAIN, FieldError) as refused:
            session.fail(refused)
            continue
        return


def new_password(session: Session, current: str = "") -> None:
    """Ask for a new password, and for the one until now where it is not known yet. Raises Back."""
    accounts, known, new = session.crm.accounts, current, ""

    def ask_current() -> None:
        nonlocal known
        session.page("Change my password")
        known = session.prompts.value("Current password", Secret(), required=True)
        accounts.check_password(known)

    def ask_new() -> None:
        nonlocal new
        session.page("Change my password")
        new = chosen_password(session, "New password", accounts.check_new_password)

    while True:
        try:
            in_steps(session, [*([] if current else [ask_current]), ask_new])
            accounts.change_password(known, new)
        except (*_AGAIN, FieldError) as refused:
            session.fail(refused)
            continue
        session.done("Password changed. You are signed out everywhere else.")
        return


def chosen_password(session: Session, label: str, check: Callable[[str], None]) -> str:
    """Ask for a password that somebody chooses, twice; `check` refuses a weak one. Raises Back."""

    def read(typed: str) -> str:
        if not typed:
            raise Needed
        check(typed)
        return typed

    chosen = ""

    def read_again(typed: str) -> str:
        if not typed:
            raise Needed
        if typed != chosen:
            raise FieldError("the passwords do not match; type it again, or press Esc to choose another")
        return typed

    def ask() -> None:
        nonlocal chosen
        help = "at least 10 characters; a few words work well"
        chosen = session.keyboard.text(label, read, help=help, secret=True)

    in_steps(session, [ask, lambda: session.keyboard.text(f"{label} again", read_again, secret=True)])
    return chosen


def _answered(session: Session, authentication: "Authentication", asked: SecondFactorAsked) -> SignedIn | None:
    """Ask for the code; None where the person goes back."""
    by_sms = asked.method == "sms"
    help = f"sent to {asked.hint}; Enter sends it again" if by_sms else "from your app, or a recovery code"
    who: SignedIn | None = None
    try:
        while who is None:
            session.page("Sign in", "Second factor")
            code = session.prompts.value("Code", Line(40), help=help, required=not by_sms, default="")
            if code:
                who = _tried(session, authentication, lambda: authentication.answer(asked.token, code, device=DEVICE))  # noqa: B023
            else:
                _tried(session, authentication, lambda: authentication.send_again(asked.token))
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
