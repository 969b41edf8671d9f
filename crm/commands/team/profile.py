"""One's own account: name, password, sessions."""

from dataclasses import dataclass
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.registry import EVERYBODY, About, command
from crm.commands.team.users import SessionShown, session_shown
from crm.errors import FieldError
from crm.model import SignIn, User
from crm.model.fields import Line, Phone, Secret


@dataclass(frozen=True, slots=True)
class Profile:
    """Your own account. `second_factor` is 'totp', 'sms' or ''."""

    email: str
    name: str
    phone: str
    role: str
    second_factor: str


@command("profile show", title="My account", menu="profile", roles=EVERYBODY)
def show(crm: CRM) -> Profile:
    """Show who is signed in, with which role and second factor."""
    me = crm.get(User, crm.accounts.me)
    return Profile(me.email, me.name, me.phone, me.role, crm.accounts.second_factor())


@command("profile edit", title="Change my name or phone", roles=EVERYBODY)
def edit(
    crm: CRM,
    name: Annotated[str | None, Line(100), About("Name")] = None,
    phone: Annotated[str | None, Phone(), About("Phone", "for codes by SMS")] = None,
    password: Annotated[str | None, Secret(), About("Password", "to change the phone")] = None,
) -> Profile:
    """Change your name, or your phone number with your password."""
    values = {"name": name, "phone": phone}
    changes = {field: value for field, value in values.items() if value is not None}
    crm.accounts.edit_profile(password=password, **changes)
    return show(crm)


@command("profile password", title="Change my password", roles=EVERYBODY)
def password(
    crm: CRM,
    current: Annotated[str, Secret(), About("Current password")],
    new: Annotated[str, Secret(), About("New password", "at least 10 characters; a short sentence works well")],
    again: Annotated[str, Secret(), About("New password again")],
) -> Profile:
    """Change your password and end all your other sessions."""
    if new != again:
        raise FieldError("the new passwords do not match", field="again", label="New password again")
    crm.accounts.change_password(current, new)
    return show(crm)


@command("profile sessions", title="My sessions", roles=EVERYBODY, nothing="No open sessions.")
def sessions(crm: CRM) -> list[SessionShown]:
    """List your open sessions: since when, from where, on which device."""
    return [session_shown(crm, session) for session in crm.accounts.sessions(crm.accounts.me)]


@command(
    "profile end-session",
    title="End a session",
    roles=EVERYBODY,
    as_text=lambda _crm, _: "Session ended.",
)
def end_session(crm: CRM, session: Annotated[SignIn, About("Session", "its number", positional=True)]) -> None:
    """End one of your sessions, for example on another device."""
    crm.accounts.end(session.id)


@command(
    "profile sign-out-everywhere",
    title="Sign out everywhere else",
    roles=EVERYBODY,
    as_text=lambda _crm, _: "Your other sessions have ended.",
)
def sign_out_everywhere(crm: CRM) -> None:
    """End all your sessions, except the current one."""
    crm.accounts.sign_out(crm.accounts.me)
