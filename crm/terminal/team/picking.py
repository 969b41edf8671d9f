"""The lines that stand for users, their sessions and keys."""

from crm.model import Conventions, MachineKey, SignIn, User
from crm.terminal.toolkit.picking import line_for


@line_for(User)
def user_line(user: User, _: Conventions, __: str = "") -> str:
    """A user on one line."""
    return f"{user.name or user.email}  {user.email}  {user.role}"


@line_for(SignIn)
def session_line(session: SignIn, by: Conventions, _: str = "") -> str:
    """A session on one line."""
    began = f"{by.day_of(session.created_at)}, {by.time_of(session.created_at)}"
    return f"{began}  {session.device or session.address or session.method}"


@line_for(MachineKey)
def key_line(key: MachineKey, _: Conventions, __: str = "") -> str:
    """A key on one line."""
    return f"{key.name}  {key.may}"
