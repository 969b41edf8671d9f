"""The records: frozen dataclasses whose fields say how they are named, checked and shown."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from crm.errors import FieldError
from crm.model.fields import (
    Amount,
    Birthday,
    Choice,
    Country,
    Day,
    Email,
    Extra,
    Flag,
    Id,
    Line,
    Person,
    Phone,
    Prose,
    Tags,
    Whole,
)
from crm.model.mail import Mailing, Message, Template
from crm.model.record import Field, Record, account_beside, described, fields_of, links_of, people_of
from crm.model.selling import Contact, Deal, FollowUp, Interaction, Stage, StageMove

KINDS = {"person": "person", "company": "company"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(Record):
    """A person or a company that buys.

    `reference` is the client's number elsewhere, unique if given. `total_spend` is in major units of
    the team's currency. `status_pinned_until` is the last day of a pin, FOREVER for one without end.
    """

    kind_name: ClassVar[str] = "client"
    plural: ClassVar[str] = "clients"

    reference: str = described("Reference", Line(60), help="the client's number elsewhere")
    kind: str = described("Kind", Choice(KINDS), help="person or company")
    first_name: str = described("First name", Line(200))
    last_name: str = described("Last name", Line(200))
    company: str = described("Company", Line(200))
    date_of_birth: date | None = described("Date of birth", Birthday())
    email: str = described("E-mail", Email())
    phone: str = described("Phone", Phone())
    address: str = described("Address", Line(300))
    city: str = described("City", Line(100))
    postcode: str = described("Postcode", Line(20))
    country: str = described("Country", Country())
    tags: tuple[str, ...] = described("Tags", Tags())
    source: str = described("Source", Line(100), help="where the client came from")
    owner: str = described("Owner", Person(), help="who looks after the client")
    owner_id: int = account_beside("owner")
    marketing_consent: bool = described("Marketing consent", Flag())
    notes: str = described("Notes", Prose())
    extra: Mapping[str, str] = described("Own fields", Extra(), help="your own fields, name=value")
    status: str = described("Status", Line(40), by="rules")
    status_reason: str = described("Reason", Line(2000), by="rules")
    status_pinned_until: date | None = described("Pinned until", Day(past=False), by="rules")
    status_before: str = described("Status before", Line(40), by="rules")
    status_since: date | None = described("Status since", Day(), by="rules")
    total_spend: Decimal = described("Total spend", Amount(), by="facts")
    sales_count: int = described("Sales", Whole(), by="facts")
    first_sale_on: date | None = described("First sale", Day(), by="facts")
    last_sale_on: date | None = described("Last sale", Day(), by="facts")
    last_contact_on: date | None = described("Last contact", Day(), by="facts")
    next_follow_up_on: date | None = described("Next follow-up", Day(past=False), by="facts")

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

    client: int = described("Client", Id("client", owns=True))
    on: date = described("Date", Day())
    amount: Decimal = described("Amount", Amount())
    note: str = described("Note", Line(500))
    deal: int = described("Deal", Id("deal"), by="steps", help="the deal that was won with it")
    user: str = described("Recorded by", Person(), by="steps")
    user_id: int = account_beside("user")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRule(Record):
    """One rule of the ordered list that decides a client's status; an empty `when` always fits."""

    kind_name: ClassVar[str] = "rule"
    plural: ClassVar[str] = "rules"

    position: int = described("Position", Whole(least=1))
    status: str = described("Status", Line(40))
    when: str = described("When", Line(1000))
    active: bool = described("Active", Flag())


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Record):
    """A list of clients that the team comes back to: a condition in the language of the rules, and an order."""

    kind_name: ClassVar[str] = "view"
    plural: ClassVar[str] = "views"

    name: str = described("Name", Line(60))
    condition: str = described("Condition", Line(1000), help="like total_spend > 1000 and country = 'DE'")
    sort: str = described("Sort", Line(60), help="a field, with - before it for the other way round")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard(Record):
    """What stands on somebody's first screen: the names of its tiles in order, separated by commas."""

    kind_name: ClassVar[str] = "dashboard"
    plural: ClassVar[str] = "dashboards"

    user: str = described("Of", Person(254), by="steps")
    user_id: int = account_beside("user")
    tiles: str = described("Tiles", Line(1000))


# The setting that says in which time zone the team's days begin and end.
TIME_ZONE = "time_zone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Record):
    """One of the team's settings, kept with the data so that everybody has the same."""

    kind_name: ClassVar[str] = "setting"
    plural: ClassVar[str] = "settings"

    key: str = described("Name", Line(60))
    value: str = described("Value", Line(1000))


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


# In the order in which they can be written: a record comes after those it names.
RECORDS: tuple[type[Record], ...] = (
    Client, Stage, Deal, StageMove, Sale, Contact, Interaction, FollowUp, Template, Mailing, Message, StatusRule, View,
    Dashboard, Setting, User, SignIn,
)  # fmt: skip
BY_NAME: Mapping[str, type[Record]] = {record.kind_name: record for record in RECORDS}


_FIELDS = {record: fields_of(record) for record in RECORDS}
_LINKS = {record: links_of(record) for record in RECORDS}
_PEOPLE = {record: people_of(record) for record in RECORDS}
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


def people(record: type[Record]) -> Mapping[str, str]:
    """The fields of a record in which somebody of the team stands by name (a client's owner), each with the one beside
    it that holds the id of the account, 0 where the name is nobody's."""
    return _PEOPLE[record]


def links(record: type[Record]) -> Mapping[str, Id]:
    """The fields of a record that name another record (a sale's client), in order."""
    return _LINKS[record]


def owner_link(record: type[Record]) -> tuple[str, type[Record]] | None:
    """The field that names the record without which one of this kind cannot be, and what kind that is."""
    return next(((name, BY_NAME[link.record]) for name, link in _LINKS[record].items() if link.owns), None)


def belonging_to(record: type[Record]) -> Sequence[tuple[type[Record], str]]:
    """The kinds of records that cannot be without one of this kind, each with the field that names it: with a client
    its sales go."""
    return [(kind, name) for kind, name, link in _naming(record) if link.owns]


def keeping(record: type[Record]) -> Sequence[tuple[type[Record], str]]:
    """The kinds of records that one of this kind is not deleted before, each with the field that names it: a stage
    stays while deals are in it."""
    return [(kind, name) for kind, name, link in _naming(record) if link.keeps]


def _naming(record: type[Record]) -> Iterator[tuple[type[Record], str, Id]]:
    for kind in RECORDS:
        for name, link in _LINKS[kind].items():
            if link.record == record.kind_name:
                yield kind, name, link


def named(client: Client) -> Client:
    """The client with its kind settled: a company when only a company's name is given.

    Raises FieldError where the one name that a client must have is missing.
    """
    person = bool(client.first_name or client.last_name)
    kind = client.kind or ("person" if person or not client.company else "company")
    if kind == "company" and not client.company:
        raise FieldError("a company needs its name", field="company")
    if not (person or client.company):
        raise FieldError("a name is needed: a first name, a last name or a company", field="first_name")
    return client if client.kind == kind else dataclasses.replace(client, kind=kind)
