"""Setting up a second factor: a QR code for an app, or codes by SMS, and the recovery codes."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.text import Text

from crm.errors import FieldError, OutwardError, SignInRefusedError, TooManyAttemptsError
from crm.model.fields import Line, Secret
from crm.terminal.console.keyboard import Choice
from crm.terminal.team.rendering import NAMES
from crm.terminal.toolkit.session import Session

_AGAIN = (SignInRefusedError, TooManyAttemptsError, OutwardError, FieldError)


def set_up(session: Session, password: str = "") -> None:
    """Lead through one of the ways, after the password was just given; in the place of another second factor it
    takes the password. Raises Back."""
    session.page("Second factor")
    ways = [Choice("An authenticator app on your phone (works offline)", _by_app)]
    if session.crm.accounts.can_text:
        ways.append(Choice("A code by SMS (less safe: a phone number can be hijacked)", _by_sms))
    session.keyboard.choose("Choose a second factor:", ways)(session, password)


def change(session: Session) -> None:
    """Set up, replace or switch off the user's own second factor. Raises Back."""
    now = session.crm.accounts.second_factor()
    if not now:
        _set_up_again(session)
        return
    session.page("Second factor")
    entries = [Choice("Set up again (new phone)", _set_up_again), Choice("Turn off", _switch_off)]
    session.keyboard.choose(f"On: {NAMES[now]}.", entries)(session)


def _by_app(session: Session, password: str) -> None:
    offer = session.crm.accounts.begin_totp()
    lines = qr_lines(offer.uri)

    def draw() -> None:
        if _fits(session, lines):
            # It needs all the room of a small terminal; dark on light, since cameras read the other way only by luck.
            session.screen.clear()
            for line in lines:
                session.screen.print(Text(line, "black on white"))
        else:
            session.page("Second factor", "App")
            session.screen.print("Enter this key in an app such as Aegis, Google Authenticator or 1Password:")
        session.screen.print(Text("Key: ").append(_grouped(offer.secret), "bold"))

    accounts = session.crm.accounts
    _confirm(session, draw, "Code from the app", lambda code: accounts.confirm_totp(offer, code, password=password))


def _by_sms(session: Session, password: str) -> None:
    accounts = session.crm.accounts
    token = accounts.begin_sms()

    def draw() -> None:
        session.page("Second factor", "SMS")

    _confirm(session, draw, "Code from the SMS", lambda code: accounts.confirm_sms(token, code, password=password))


def _confirm(session: Session, draw: Callable[[], None], label: str, confirm: Callable[[str], Sequence[str]]) -> None:
    """Ask for the first code until it is right, and show the recovery codes."""
    wrong = ""
    while True:
        draw()
        code = session.prompts.value(label, Line(20), required=True, error=wrong)
        try:
            codes = confirm(code)
        except _AGAIN as refused:
            wrong = refused.sentence
            continue
        _show_recovery(session, codes)
        return


def _set_up_again(session: Session) -> None:
    set_up(session, prove(session, "Second factor"))


def prove(session: Session, *crumbs: str) -> str:
    """Ask for the password again before credentials are changed; the password. Raises Back, SignInRefusedError and
    TooManyAttemptsError."""
    session.page(*crumbs)
    password: str = session.prompts.value("Password", Secret(), required=True)
    session.crm.accounts.check_password(password)
    return password


def _switch_off(session: Session) -> None:
    session.crm.accounts.switch_off_second_factor(prove(session, "Second factor"))
    session.done("Second factor turned off.")


def _show_recovery(session: Session, codes: Sequence[str]) -> None:
    """The recovery codes, until the person has written them down."""

    def draw() -> None:
        session.page("Second factor", "Recovery codes")
        session.screen.print(Text(f"{session.screen.sign('✓', 'OK:')} Second factor turned on.", "success"))
        session.screen.explain("Each code lets you in once if you lose your phone. They are shown only now.", "")
        session.screen.print()
        for code in codes:
            session.screen.print(Text(f"  {code}", "bold"))

    session.show_once(draw)


# Below the code: the key, and the question with what was wrong with the answer before.
_BELOW = 3


def _fits(session: Session, lines: Sequence[str]) -> bool:
    screen = session.screen
    return screen.unicode and not screen.plain and len(lines) + _BELOW <= screen.height and len(lines[0]) < screen.width


def qr_lines(text: str) -> list[str]:
    """A QR code as lines of half blocks, a light edge included; two rows of modules are in one line."""
    import segno

    rows: list[Any] = [list(row) for row in segno.make(text, error="l", micro=False).matrix_iter(border=1)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    signs = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
    return [
        "".join(signs[bool(above), bool(below)] for above, below in zip(rows[at], rows[at + 1], strict=True))
        for at in range(0, len(rows), 2)
    ]


def _grouped(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
