"""The records: frozen dataclasses whose fields say how they are named, checked and shown."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar

from crm.errors import FieldError
from crm.model.fields import (
    Amount,
    Check,
    Choice,
    Country,
    Day,
    Email,
    Extra,
    Flag,
    Line,
    Phone,
    Prose,
    Tags,
    Whole,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Field:
    """What the model knows of one field: its name, its label, its check, and who sets it.

    `by` is 'person' (typed), 'rules' (status and its reason), 'facts' (derived from other records) or 'accounts'
    (what lets somebody in).
    """

    name: str
    label: str
    check: Check
    by: str
    help: str

    @property
    def option(self) -> str:
        """The field as an option of the shell: --date-of-birth; a field of many takes one at a time (--tag)."""
        name = "tag" if self.name == "tags" else self.name
        return "--" + name.replace("_", "-")


def _field(label: str, check: Check, *, by: str = "person", help: str = "") -> Any:
    metadata = MappingProxyType({"label": label, "check": check, "by": by, "help": help})
    if isinstance(check.empty, Mapping):
        return field(default_factory=dict, metadata=metadata)
    return field(default=check.empty, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What every record has. `id` is 0 until it is stored; times are UTC; `version` counts its changes."""

    kind_name: ClassVar[str]
    plural: ClassVar[str]

    id: int = 0
    created_at: datetime = EPOCH
    updated_at: datetime = EPOCH
    version: int = 0


KINDS = {"person": "person", "company": "company"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(Record):
    """A person or a company that buys.

    `reference` is the client's number elsewhere, unique if given. `total_spend` is in major units of
    the team's currency. `status_pinned_until` is the last day of a pin, FOREVER for one without end.
    """

    kind_name: ClassVar[str] = "client"
    plural: ClassVar[str] = "clients"

    reference: str = _field("Reference", Line(60), help="the client's number elsewhere")
    kind: str = _field("Kind", Choice(KINDS), help="person or company")
    first_name: str = _field("First name", Line(200))
    last_name: str = _field("Last name", Line(200))
    company: str = _field("Company", Line(200))
    date_of_birth: date | None = _field("Date of birth", Day())
    email: str = _field("E-mail", Email())
    phone: str = _field("Phone", Phone())
    address: str = _field("Address", Line(300))
    city: str = _field("City", Line(100))
    postcode: str = _field("Postcode", Line(20))
    country: str = _field("Country", Country())
    tags: tuple[str, ...] = _field("Tags", Tags())
    source: str = _field("Source", Line(100), help="where the client came from")
    owner: str = _field("Owner", Line(100), help="who looks after the client")
    marketing_consent: bool = _field("Marketing consent", Flag())
    notes: str = _field("Notes", Prose())
    extra: Mapping[str, str] = _field("Own fields", Extra(), help="your own fields, name=value")
    status: str = _field("Status", Line(40), by="rules")
    status_reason: str = _field("Reason", Line(2000), by="rules")
    status_pinned_until: date | None = _field("Pinned until", Day(past=False), by="rules")
    status_before: str = _field("Status before", Line(40), by="rules")
    status_since: date | None = _field("Status since", Day(), by="rules")
    total_spend: Decimal = _field("Total spend", Amount(), by="facts")
    sales_count: int = _field("Sales", Whole(), by="facts")
    first_sale_on: date | None = _field("First sale", Day(), by="facts")
    last_sale_on: date | None = _field("Last sale", Day(), by="facts")

    @property
    def name(self) -> str:
        """The client as people call it: a person's name, else the company."""
        person = f"{self.first_name} {self.last_name}".strip()
        return (self.company or person) if self.kind == "company" else (person or self.company)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale(Record):
    """Something a client bought: `amount` in major units of the team's currency, on the day `on`."""

    kind_name: ClassVar[str] = "sale"
    plural: ClassVar[str] = "sales"

    client: int = _field("Client", Whole())
    on: date = _field("Date", Day())
    amount: Decimal = _field("Amount", Amount())
    note: str = _field("Note", Line(500))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRule(Record):
    """One rule of the ordered list that decides a client's status; an empty `when` always fits."""

    kind_name: ClassVar[str] = "rule"
    plural: ClassVar[str] = "rules"

    position: int = _field("Position", Whole(least=1))
    status: str = _field("Status", Line(40))
    when: str = _field("When", Line(1000))
    active: bool = _field("Active", Flag())


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Record):
    """A list of clients that the team comes back to: a condition in the language of the rules, and an order."""

    kind_name: ClassVar[str] = "view"
    plural: ClassVar[str] = "views"

    name: str = _field("Name", Line(60))
    condition: str = _field("Condition", Line(1000), help="like total_spend > 1000 and country = 'DE'")
    sort: str = _field("Sort", Line(60), help="a field, with - before it for the other way round")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Record):
    """One of the team's settings, kept with the data so that everybody has the same."""

    kind_name: ClassVar[str] = "setting"
    plural: ClassVar[str] = "settings"

    key: str = _field("Name", Line(60))
    value: str = _field("Value", Line(1000))


ROLES = {"admin": "admin", "staff": "staff", "client": "client"}


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Record):
    """Somebody who may sign in. `client` is the id of the client that an account of the role 'client' belongs to, 0
    for none; `password` and `second_factor` are of no use to whoever reads them, and `seal` tells whether rights and
    secrets were written by this program.
    """

    kind_name: ClassVar[str] = "user"
    plural: ClassVar[str] = "users"

    email: str = _field("E-mail", Email())
    name: str = _field("Name", Line(100))
    phone: str = _field("Phone", Phone())
    role: str = _field("Role", Choice(ROLES), help="admin, staff or client")
    client: int = _field("Client", Whole(), help="whose account it is, for the role client")
    active: bool = _field("Active", Flag(), by="accounts")
    must_change: bool = _field("Must change password", Flag(), by="accounts")
    password: str = _field("Password", Line(300), by="accounts")
    second_factor: str = _field("Second factor", Line(2000), by="accounts")
    seal: str = _field("Seal", Line(100), by="accounts")


SIGN_INS = {"open": "open", "ended": "ended", "refused": "refused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(Record):
    """A session of a user from its sign-in on, or a sign-in that was refused (`state`).

    It began at `created_at` and, where it is over, ended at `updated_at`. `token` is the SHA-256 of what the browser
    or the machine holds.
    """

    kind_name: ClassVar[str] = "sign_in"
    plural: ClassVar[str] = "sign_ins"

    user: int = _field("User", Whole())
    state: str = _field("State", Choice(SIGN_INS), by="accounts")
    method: str = _field("By", Line(60), by="accounts")
    address: str = _field("Address", Line(60), by="accounts")
    device: str = _field("Device", Line(100), by="accounts")
    token: str = _field("Token", Line(64), by="accounts")


# In the order in which they can be written: a record comes after those it names.
RECORDS: tuple[type[Record], ...] = (Client, Sale, StatusRule, View, Setting, User, SignIn)
BY_NAME: Mapping[str, type[Record]] = {record.kind_name: record for record in RECORDS}


def _described(record: type[Record]) -> Mapping[str, Field]:
    return {
        each.name: Field(
            each.name, each.metadata["label"], each.metadata["check"], each.metadata["by"], each.metadata["help"]
        )
        for each in dataclasses.fields(record)
        if "label" in each.metadata
    }


_FIELDS = {record: _described(record) for record in RECORDS}
_NAMES = {record: tuple(each.name for each in dataclasses.fields(record)) for record in RECORDS}


def field_names(record: type[Record]) -> tuple[str, ...]:
    """The names of all fields of a record, those that every record has first."""
    return _NAMES[record]


def fields(record: type[Record]) -> Mapping[str, Field]:
    """The described fields of a record by name, in order; those that every record has are not among them."""
    return _FIELDS[record]


def typed_fields(record: type[Record]) -> Mapping[str, Field]:
    """The fields that a person types, by name, in order."""
    return {name: each for name, each in fields(record).items() if each.by == "person"}


def named(client: Client) -> Client:
    """The client with its kind settled: a company when only a company's name is given.

    Raises FieldError where the one name that a client must have is missing.
    """
    person = bool(client.first_name or client.last_name)
    kind = client.kind or ("person" if person or not client.company else "company")
    if kind == "company" and not client.company:
        raise FieldError("a company needs its name", field="company")
    if not (person or client.company):
        raise FieldError("a name is needed", field="first_name")
    return client if client.kind == kind else dataclasses.replace(client, kind=kind)
