"""Records: accounts, their sign-ins, keys for unattended commands, and dashboards."""

from datetime import date
from typing import ClassVar

from crm.lean_dataclass import dataclass
from crm.model.fields import Choice, Day, Email, Flag, Line, Person, Phone, Whole
from crm.model.kind import ALL, OWN, READ_ALL, Indexed, Kind, May, Rights, Tab
from crm.model.record import Record, account_beside, described

ROLES = {"admin": "admin", "staff": "staff", "client": "client"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class User(Record):
    """Somebody who may sign in. `client` is the id of the client that an account of the role 'client' belongs to, 0
    for none; `password` and `second_factor` are hashed or encrypted, and `seal` tells whether rights and
    secrets were written by this program.
    """

    about: ClassVar[Kind] = Kind(
        "user",
        "users",
        place=16,
        needs=("email", "role"),
        # People of the team who do not sign in.
        may_be_empty=("email",),
        called="name",
        unique=("email",),
        rights=Rights(
            # Of the accounts of others staff see who is called so and what they may do.
            staff=May(ALL, update=OWN),
            client=May(OWN, update=OWN),
            mail_key=READ_ALL,
            words="accounts",
            owned_by=("id", "user"),
            own_changes={"name": None, "phone": None},
            secret=("password", "second_factor", "seal"),
            personal=("email", "phone", "must_change"),
        ),
        tab=Tab(number=15, hidden=True, since=2),
        since=2,
    )

    email: str = described("E-mail", Email())
    name: str = described("Name", Line(100))
    phone: str = described("Phone", Phone())
    role: str = described("Role", Choice(ROLES), help="admin, staff or client")
    client: int = described("Client", Whole(), help="whose account it is, for the role client")
    active: bool = described("Active", Flag(), by="accounts")
    must_change: bool = described("Must change password", Flag(), by="accounts")
    password: str = described("Password", Line(300), by="accounts")
    second_factor: str = described("Second factor", Line(2000), by="accounts")
    seal: str = described("Seal", Line(100), by="accounts")


SIGN_INS = {"open": "open", "ended": "ended", "refused": "refused"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SignIn(Record):
    """A session of a user from its sign-in on, or a sign-in that was refused (`state`).

    It began at `created_at` and, where it is over, ended at `updated_at`. `token` is the SHA-256 of what the browser
    or the machine holds.
    """

    about: ClassVar[Kind] = Kind(
        "sign_in",
        "sign_ins",
        noun="sign-in",
        place=17,
        needs=("user", "state"),
        indexes={
            "by_token": ("token",),
            "by_user": ("user",),
            # Every look at the accounts asks for all sessions that are open, among many that have ended.
            "open": Indexed(("id",), where=("state", "open"), since=6),
        },
        rights=Rights(
            staff=May(OWN, update=OWN),
            client=May(OWN, update=OWN),
            words="sign-ins",
            owned_by=("user", "user"),
            own_changes={"state": frozenset(("ended",))},
            secret=("token",),
            # Where people were is forgotten with the sign-in.
            masked=("address", "device"),
        ),
        tab=Tab(number=16, title="sign-ins", hidden=True, since=2),
        since=2,
    )

    user: int = described("User", Whole())
    state: str = described("State", Choice(SIGN_INS), by="accounts")
    method: str = described("By", Line(60), by="accounts")
    address: str = described("Address", Line(60), by="accounts")
    device: str = described("Device", Line(100), by="accounts")
    token: str = described("Token", Line(64), by="accounts")


KEY_MAY = {
    "mail": "send and fetch mail and texts",
    "backup": "back up",
    "mail+backup": "send and fetch mail and texts, and back up",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MachineKey(Record):
    """A key by which commands run unattended, from cron for example, in a store with accounts. It lets nobody into the
    menu. `may` says which commands it runs, `token` is a digest of what was shown when it was made; one that is revoked
    is deleted. It is good until the end of `expires_on`.
    """

    about: ClassVar[Kind] = Kind(
        "key",
        "keys",
        place=19,
        needs=("name", "may"),
        called="name",
        unique=("name",),
        rights=Rights(secret=("token",)),
        tab=Tab(number=28, hidden=True, since=7),
        since=8,
    )

    name: str = described("Name", Line(100))
    may: str = described("May", Choice(KEY_MAY), by="accounts")
    expires_on: date | None = described("Expires", Day(), by="accounts")
    last_used_on: date | None = described("Last used", Day(), by="accounts")
    user: str = described("Made by", Person(254), by="accounts")
    user_id: int = account_beside("user")
    token: str = described("Token", Line(64), by="accounts")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Dashboard(Record):
    """The dashboard of one person: the names of its tiles in order, separated by commas."""

    about: ClassVar[Kind] = Kind(
        "dashboard",
        "dashboards",
        place=14,
        needs=("user",),
        # The owner of the machine, where it says no name.
        may_be_empty=("user",),
        rights=Rights(
            staff=May(OWN, OWN, OWN, OWN),
            words="other people's dashboards",
            owned_by=("user_id", "user"),
            own_changes={"tiles": None},
        ),
        tab=Tab(number=26, hidden=True, since=4),
        since=4,
    )

    user: str = described("Of", Person(254), by="steps")
    user_id: int = account_beside("user")
    tiles: str = described("Tiles", Line(1000))
