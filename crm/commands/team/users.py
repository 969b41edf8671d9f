"""Accounts of the team and of clients: who may sign in, and as what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from crm.commands.context import CRM, has_accounts
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.commands.team.keys import works
from crm.errors import FieldError, confirmation
from crm.model import ROLES, Client, MachineKey, SignIn, User
from crm.model.fields import Choice, Email, Flag, Line, Phone, Secret
from crm.model.rights import OWNER
from crm.repository import Query
from crm.wording import first_few

_WHOSE = About("User", "a number or an e-mail address", positional=True)
_THEIRS = About("Accounts", "their numbers or e-mail addresses", positional=True)


@dataclass(frozen=True, slots=True)
class UserShown:
    """An account without its credentials. `second_factor` is 'totp', 'sms' or ''; `sessions` how many are open. One
    that was `changed_by_hand` in a spreadsheet lets nobody in until an admin vouches for it; whoever is not
    `signing_in` is only named. `keys` are those for unattended commands that they made and that work, `stopped_keys`
    those that do not because they are no active admin."""

    id: int
    email: str
    name: str
    phone: str
    role: str
    client: int
    active: bool
    second_factor: str
    sessions: int
    changed_by_hand: bool
    signing_in: bool
    keys: tuple[str, ...]
    stopped_keys: tuple[str, ...]


_FIRST_IS_ADMIN = "The first account has the role admin, so that it can add the others."


@dataclass(frozen=True, slots=True)
class OneTimePassword:
    """A password that is good for a week, until another is chosen at the first sign-in. It is shown once."""

    user: int
    email: str
    name: str
    password: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """The first account of a store, with the password that its owner has chosen."""

    user: int
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class SessionShown:
    """An open session: since when (UTC), from where, and whether it is the one that asks."""

    id: int
    user: int
    since: datetime
    method: str
    address: str
    device: str
    here: bool


def session_shown(crm: CRM, session: SignIn) -> SessionShown:
    """A session as it is listed."""
    here = session.id == crm.accounts.session
    return SessionShown(
        session.id, session.user, session.created_at, session.method, session.address, session.device, here
    )


@command("users list", title="Accounts", menu="team", roles=ONLY_ADMIN, nothing="No accounts yet.")
def list_all(crm: CRM) -> list[UserShown]:
    """List all accounts: role, second factor, and how many sessions are open."""
    factors = crm.accounts.second_factors()
    signing_in = crm.accounts.signing_in()
    by_hand = {finding.record_id for finding in crm.accounts.findings()}
    stopped = crm.accounts.stopped_keys()
    with crm.read() as snapshot:
        users, keys = snapshot.find_all(User), snapshot.find_all(MachineKey)
        open_ones: dict[int, int] = {}
        for sign_in in snapshot.find_all(SignIn):
            open_ones[sign_in.user] = open_ones.get(sign_in.user, 0) + (sign_in.state == "open")
    return [
        UserShown(
            user.id, user.email, user.name, user.phone, user.role, user.client, user.active,
            factors.get(user.id, ""), open_ones.get(user.id, 0), user.id in by_hand, user.id in signing_in,
            tuple(key.name for key in keys if key.user_id == user.id and works(crm, key, stopped)),
            tuple(key.name for key in keys if key.user_id == user.id and key.id in stopped),
        )
        for user in users
    ]  # fmt: skip


@command("users add", title="Add an account", menu="team", roles=ONLY_ADMIN)
def add(
    crm: CRM,
    email: Annotated[str, Email(), About("E-mail", positional=True)],
    name: Annotated[str, Line(100), About("Name")],
    role: Annotated[
        str, Choice(ROLES), About("Role", "admin, staff or client; staff by default, admin for the first account")
    ] = "",
    phone: Annotated[str, Phone(), About("Phone", "for codes by SMS")] = "",
    client: Annotated[Client | None, About("Client", "whose account it is, for the role client")] = None,
    password: Annotated[str | None, Secret(), About("Password", "of the first account: at least 10 characters")] = None,
    again: Annotated[str | None, Secret(), About("Password again")] = None,
) -> OneTimePassword | FirstAccount:
    """Add an account and give a one-time password for its first sign-in.

    Once there is an account, everyone who uses this data has to sign in. So the first account is an admin's; if you
    make it at a terminal, you choose your password and are signed in. An account with the role client belongs to one
    client and sees that client's own data only.
    """
    is_first = crm.reader == OWNER and not has_accounts(crm)
    role = role or ("admin" if is_first else "staff")
    _refuse_unfit(role, client)
    if crm.reader == OWNER and crm.attended and role == "admin":
        _chosen(crm, password, again, email, name)
    user, one_time = crm.accounts.add(
        email=email, name=name, role=role, phone=phone, client=client.id if client else 0, password=password
    )
    if password is not None:
        return FirstAccount(user.id, user.email, user.name)
    return OneTimePassword(user.id, user.email, user.name, one_time, _FIRST_IS_ADMIN if is_first else "")


def _chosen(crm: CRM, password: str | None, again: str | None, *words: str) -> None:
    """Raise FieldError where a password is still to be chosen, or to be typed again, or cannot be taken."""
    if password is None:
        raise FieldError("choose one", field="password", label="Password")
    crm.accounts.check_new_password(password, *words)
    if again is None:
        raise FieldError("type it again", field="again", label="Password again")
    if again != password:
        raise FieldError("the passwords do not match; nothing was changed", field="again", label="Password again")


@command("users edit", title="Change an account", roles=ONLY_ADMIN)
def edit(
    crm: CRM,
    user: Annotated[User, _WHOSE],
    email: Annotated[str | None, Email(), About("E-mail")] = None,
    name: Annotated[str | None, Line(100), About("Name")] = None,
    role: Annotated[str | None, Choice(ROLES), About("Role", "admin, staff or client")] = None,
    phone: Annotated[str | None, Phone(), About("Phone")] = None,
    client: Annotated[Client | None, About("Client", "whose account it is, for the role client")] = None,
    password: Annotated[str | None, Secret(), About("Password", "your own, to change your own e-mail or phone")] = None,
    yes: bool = False,
) -> UserShown:
    """Change an account. A new role signs the user out; if an admin loses the role, the keys they made stop."""
    values: dict[str, Any] = {"email": email, "name": name, "role": role, "phone": phone}
    changes = {field: value for field, value in values.items() if value is not None}
    if client is not None:
        changes["client"] = client.id
    if role is not None and role != "client":
        changes["client"] = 0
    elif role == "client" or user.role == "client":
        _refuse_unfit("client", client or user.client or None)
    if role is not None and role != "admin":
        _confirm_stopping(crm, [user], "Change the role", yes=yes)
    crm.accounts.edit(user, password=password, **changes)
    return _user_shown(crm, user.id)


@command("users deactivate", title="Deactivate accounts", roles=ONLY_ADMIN, nothing="No account was changed.")
def deactivate(crm: CRM, users: Annotated[tuple[User, ...], _THEIRS], yes: bool = False) -> list[UserShown]:
    """Deactivate accounts, end their sessions and stop the keys they made; the history keeps what they did."""
    _confirm_stopping(crm, users, "Deactivate", yes=yes)
    crm.accounts.switch(users, active=False)
    return _those(crm, users)


@command("users activate", title="Activate accounts", roles=ONLY_ADMIN, nothing="No account was changed.")
def activate(
    crm: CRM,
    users: Annotated[tuple[User, ...], _THEIRS] = (),
    all_: Annotated[bool, Flag(), About("All", "all that are deactivated and were not changed by hand")] = False,
    yes: bool = False,
) -> list[UserShown]:
    """Reactivate accounts. Keys that an admin made work again, unless they were revoked.

    --all reactivates every deactivated account, for example after `users recover`, including those deactivated earlier.
    """
    if bool(users) == all_:
        raise FieldError("say which accounts, or --all", field="users", label="Accounts")
    if all_:
        users = _switched_off(crm)
        if users and not yes:
            named = first_few([user.name or user.email for user in users])
            raise confirmation(f"Accounts that will be reactivated, {len(users)}: {named}.", "Reactivate them")
    if users:
        crm.accounts.switch(users, active=True)
    return _those(crm, users)


def _confirm_stopping(crm: CRM, users: Sequence[User], answer: str, *, yes: bool) -> None:
    """Raise a Question where keys stop with the rights of those who made them."""
    ids = {user.id for user in users}
    keys = [] if yes else [name for user in list_all(crm) if user.id in ids for name in user.keys]
    if keys:
        raise confirmation(
            f"Keys that stop working: {', '.join(keys)}. Jobs that use them are refused until another admin"
            " creates new ones.",
            answer,
        )


def _switched_off(crm: CRM) -> tuple[User, ...]:
    """Those who could sign in if they were active."""
    able = crm.accounts.signing_in() - {finding.record_id for finding in crm.accounts.findings()}
    with crm.read() as snapshot:
        return tuple(
            user
            for user in snapshot.find_all(User, Query({"active": False}))
            if user.id in able and (not user.client or snapshot.find(Client, user.client) is not None)
        )


@command("users reset-password", title="New one-time password", roles=ONLY_ADMIN)
def reset_password(crm: CRM, user: Annotated[User, _WHOSE]) -> OneTimePassword:
    """Give a user a new one-time password and end their sessions."""
    return OneTimePassword(user.id, user.email, user.name, crm.accounts.new_one_time_password(user.id))


@command("users reset-second-factor", title="Reset a second factor", roles=ONLY_ADMIN)
def reset_second_factor(crm: CRM, user: Annotated[User, _WHOSE]) -> UserShown:
    """Remove a user's lost second factor and end their sessions."""
    crm.accounts.reset_second_factor(user.id)
    return _user_shown(crm, user.id)


@command("users vouch", title="Accept an account changed by hand", roles=ONLY_ADMIN)
def vouch(
    crm: CRM,
    user: Annotated[User, _WHOSE],
    role: Annotated[str, Choice(ROLES), About("Role", "admin, staff or client")],
    client: Annotated[Client | None, About("Client", "whose account it is, for the role client")] = None,
    name: Annotated[str, Line(100), About("Name", "if the address was changed too")] = "",
) -> OneTimePassword:
    """Accept an account that was changed by hand in a spreadsheet, with the role you name.

    Its old password and second factor stop working: it gets a one-time password and has no second factor.
    """
    _refuse_unfit(role, client)
    password = crm.accounts.vouch(user, role=role, client=client.id if client else 0, name=name)
    return OneTimePassword(user.id, user.email, user.name, password)


@command("users sign-out", title="Sign a person out everywhere", roles=ONLY_ADMIN)
def sign_out(crm: CRM, user: Annotated[User, _WHOSE]) -> UserShown:
    """End all sessions of a user, except the current one."""
    crm.accounts.sign_out(user.id)
    return _user_shown(crm, user.id)


@command("users sessions", title="Open sessions", roles=ONLY_ADMIN, nothing="No open sessions.")
def sessions(crm: CRM, user: Annotated[User, _WHOSE]) -> list[SessionShown]:
    """List a user's open sessions: since when, from where, on which device."""
    return [session_shown(crm, session) for session in crm.accounts.sessions(user.id)]


def _those(crm: CRM, users: Sequence[User]) -> list[UserShown]:
    ids = {user.id for user in users}
    return [user for user in list_all(crm) if user.id in ids]


def _user_shown(crm: CRM, user: int) -> UserShown:
    return next(row for row in list_all(crm) if row.id == user)


def _refuse_unfit(role: str, client: object) -> None:
    if role == "client" and not client:
        raise FieldError("an account with the role client belongs to a client", field="client", label="Client")
    if role != "client" and client:
        raise FieldError("only an account with the role client belongs to one", field="client", label="Client")
