"""Records: accounts, their sign-ins, and dashboards."""

from dataclasses import dataclass
from typing import ClassVar

from crm.model.fields import Choice, Email, Flag, Line, Person, Phone, Whole
from crm.model.record import Record, account_beside, described

ROLES = {"admin": "admin", "staff": "staff", "client": "client"}


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Record):
    """Somebody who may sign in. `client` is the id of the client that an account of the role 'client' belongs to, 0
    for none; `password` and `second_factor` are of no use to whoever reads them, and `seal` tells whether rights and
    secrets were written by this program.
    """

    kind_name: ClassVar[str] = "user"
    plural: ClassVar[str] = "users"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(Record):
    """A session of a user from its sign-in on, or a sign-in that was refused (`state`).

    It began at `created_at` and, where it is over, ended at `updated_at`. `token` is the SHA-256 of what the browser
    or the machine holds.
    """

    kind_name: ClassVar[str] = "sign_in"
    plural: ClassVar[str] = "sign_ins"

    user: int = described("User", Whole())
    state: str = described("State", Choice(SIGN_INS), by="accounts")
    method: str = described("By", Line(60), by="accounts")
    address: str = described("Address", Line(60), by="accounts")
    device: str = described("Device", Line(100), by="accounts")
    token: str = described("Token", Line(64), by="accounts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard(Record):
    """What stands on somebody's first screen: the names of its tiles in order, separated by commas."""

    kind_name: ClassVar[str] = "dashboard"
    plural: ClassVar[str] = "dashboards"

    user: str = described("Of", Person(254), by="steps")
    user_id: int = account_beside("user")
    tiles: str = described("Tiles", Line(1000))
