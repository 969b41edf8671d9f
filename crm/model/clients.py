"""Records: clients, the people at them, saved lists of clients, and status rules."""

import dataclasses
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import ClassVar

from crm.errors import FieldError
from crm.lean_dataclass import dataclass
from crm.model.fields import (
    Amount,
    Balance,
    Birthday,
    Choice,
    Country,
    Day,
    ElectronicAddress,
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
from crm.model.folding import fold
from crm.model.kind import (
    ALL,
    EVERYTHING,
    READ_ALL,
    READ_OWN,
    Derived,
    Effects,
    Export,
    Indexed,
    Kind,
    May,
    Rights,
    Tab,
)
from crm.model.record import Record, account_beside, described

KINDS = {"person": "person", "company": "company"}
# The formats of e-invoices that a client may want.
INVOICE_FORMATS = {name: name for name in ("factur-x", "xrechnung-cii", "xrechnung-ubl", "peppol", "none")}


def sort_name(kind: str, first_name: str, last_name: str, company: str) -> str:
    """The name by which clients are sorted: the last name first, of a company its own."""
    if kind == "company":
        return fold(f"{company} {last_name} {first_name}").strip()
    # Chinese, Japanese and Korean names are written, and looked for, as one word.
    between = "" if last_name[:1] >= "\u2e80" else " "
    return fold(f"{last_name}{between}{first_name} {company}").strip()


def _folded(*texts: str) -> str:
    return fold(" ".join(filter(None, texts)))


def _month_and_day(born: date | None) -> str:
    return f"{born.month:02}-{born.day:02}" if born else ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Client(Record):
    """A person or a company that buys.

    `reference` is the client's number elsewhere, unique if given. `total_spend` is in major units of
    the team's currency. `status_pinned_until` is the last day of a pin, FOREVER for one without end.
    """

    about: ClassVar[Kind] = Kind(
        "client",
        "clients",
        place=1,
        effects=Effects(
            reviews="id",
            reviewed_by=frozenset(
                ("kind", "country", "region", "city", "tags", "source", "owner", "date_of_birth", "status_pinned_until")
            ),
        ),
        called="name",
        order=("sort_name", "id"),
        unique=("reference",),
        derived={
            "sort_name": Derived(("kind", "first_name", "last_name", "company"), sort_name, 410),
            "search_name": Derived(
                ("first_name", "last_name", "company"),
                lambda first_name, last_name, company: fold(f"{first_name} {last_name} {company}").strip(),
                610,
            ),
            "search_rest": Derived(
                ("email", "phone", "tags", "reference", "city"),
                lambda email, phone, tags, reference, city: _folded(email, phone, *tags, reference, city),
            ),
            "birthday": Derived(("date_of_birth",), _month_and_day, 5),
        },
        indexes={
            "by_name": ("sort_name",),
            "by_first_name": ("search_name",),
            "by_email": ("email",),
            "by_phone": ("phone",),
            "by_status": ("status",),
            "by_birthday": ("birthday", "sort_name"),
            "by_last_contact": ("last_contact_on",),
            "by_next_follow_up": ("next_follow_up_on",),
            # Only those that have moved, with all that finding the biggest of them needs.
            "moved": Indexed(("status_since", "total_spend", "status_before", "status"), given="status_before"),
            # A list is narrowed by any of these. What many have in common is read in the order of the list.
            **{
                f"by_{name}": Indexed((name,), folded=True, given=name, since=5)
                for name in ("reference", "last_name", "company", "address", "postcode")
            },
            **{
                f"by_{name}": Indexed((name, "sort_name"), folded=True, given=name, since=5)
                for name in ("city", "country", "source")
            },
            "by_region": Indexed(("region", "sort_name"), folded=True, given="region", since=10),
            "by_tags": Indexed(("sort_name", "id", "tags"), given="tags", since=5),
            "by_due": Indexed(("sort_name", "id", "next_follow_up_on"), given="next_follow_up_on", since=5),
            "by_kind": Indexed(("sort_name",), where=("kind", "company"), since=5),
            "by_consent": Indexed(("sort_name",), where=("marketing_consent", 1), since=5),
            "by_status_text": Indexed(("status", "sort_name"), folded=True, since=5),
            "by_owner": Indexed(("owner", "sort_name", "owner_id"), folded=True, since=6),
            "by_owner_id": Indexed(("owner_id", "sort_name"), given="owner_id", since=6),
        },
        rights=Rights(
            staff=May(ALL, ALL, ALL),
            client=READ_OWN,
            mail_key=May(ALL, update=ALL),
            owned_by=("id", "client"),
            internal=(
                "tags", "source", "owner", "owner_id", "notes", "extra", "status_reason", "status_pinned_until",
                "status_before", "status_since", "last_contact_on", "next_follow_up_on", "open_amount",
                "credit", "no_reminders",
            ),
        ),
        tab=Tab(
            number=10,
            colour="2f6f9f",
            rows=400,
            first=(
                "first_name", "last_name", "company", "email", "phone", "date_of_birth", "status", "total_spend",
            ),
            hidden_columns=("status_before", "status_since"),
        ),
        export=Export(place=1),
    )  # fmt: skip

    reference: str = described("Reference", Line(60), help="the client's number elsewhere")
    kind: str = described("Kind", Choice(KINDS), help="person or company")
    first_name: str = described("First name", Line(200))
    last_name: str = described("Last name", Line(200))
    company: str = described("Company", Line(200, shared=True))
    date_of_birth: date | None = described("Date of birth", Birthday())
    email: str = described("E-mail", Email())
    phone: str = described("Phone", Phone())
    address: str = described("Address", Line(300))
    city: str = described("City", Line(100, shared=True))
    region: str = described("State/Region", Line(100, shared=True), help="state, province or region", since=10)
    postcode: str = described("Postcode", Line(20))
    country: str = described("Country", Country())
    tags: tuple[str, ...] = described("Tags", Tags())
    source: str = described("Source", Line(100, shared=True), help="where the client came from")
    owner: str = described("Owner", Person(), help="who looks after the client")
    owner_id: int = account_beside("owner")
    marketing_consent: bool = described("Marketing consent", Flag())
    tax_id: str = described("Tax ID", Line(40), help="in the EU the VAT ID, with its country: DE123456789", since=9)
    buyer_reference: str = described("Buyer's reference", Line(100), help="such as a Leitweg-ID", since=9)
    invoice_email: str = described("E-mail for invoices", Email(), since=9)
    payment_days: int = described("Days to pay", Whole(most=365), help="the setting if 0 or empty", since=9)
    invoice_format: str = described(
        "E-invoice", Choice(INVOICE_FORMATS), help="the format that the client wants; none for a PDF only", since=10
    )
    electronic_address: str = described(
        "Address for e-invoices", ElectronicAddress(), help="in Peppol, with its scheme: 9930:DE123456789", since=10
    )
    no_reminders: bool = described("No reminders", Flag(), help="gets no payment reminders", since=10)
    notes: str = described("Notes", Prose())
    extra: Mapping[str, str] = described("Own fields", Extra(), help="your own fields, name=value")
    status: str = described("Status", Line(40), by="rules")
    status_reason: str = described("Reason", Prose(2000), by="rules")
    status_pinned_until: date | None = described("Pinned until", Day(past=False), by="rules")
    status_before: str = described("Status before", Line(40), by="rules")
    status_since: date | None = described("Status since", Day(), by="rules")
    total_spend: Decimal = described("Total spend", Amount(), by="facts")
    sales_count: int = described("Sales", Whole(), by="facts")
    first_sale_on: date | None = described("First sale", Day(), by="facts")
    last_sale_on: date | None = described("Last sale", Day(), by="facts")
    last_contact_on: date | None = described("Last contact", Day(), by="facts", since=3)
    next_follow_up_on: date | None = described("Next follow-up", Day(past=False), by="facts", since=3)
    open_amount: Decimal = described("Open invoices", Balance(), by="facts", since=9)
    credit: Decimal = described("Credit", Balance(), by="facts", since=9)

    @property
    def name(self) -> str:
        """The client as people call it: a person's name, else the company."""
        person = f"{self.first_name} {self.last_name}".strip()
        return (self.company or person) if self.kind == "company" else (person or self.company)


def named(client: Client) -> Client:
    """The client with its kind settled: a company when only a company's name is given.

    Raises FieldError where the one name that a client must have is missing.
    """
    person = bool(client.first_name or client.last_name)
    kind = client.kind or ("person" if person or not client.company else "company")
    if kind == "company" and not client.company:
        raise FieldError("a company needs its name", field="company")
    if not (person or client.company):
        raise FieldError("give a name: a first name, a last name or a company", field="first_name")
    return client if client.kind == kind else dataclasses.replace(client, kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Contact(Record):
    """Somebody at a client; at most one is the primary one."""

    about: ClassVar[Kind] = Kind(
        "contact",
        "contacts",
        place=6,
        needs=("client", "name"),
        called="name",
        order=("-is_primary", "id"),
        derived={"search_name": Derived(("name", "email", "phone"), _folded, 560)},
        indexes={"by_client": ("client",), "by_email": ("email",)},
        rights=Rights(
            staff=EVERYTHING, client=READ_OWN, mail_key=READ_ALL, owned_by=("client", "client"), internal=("notes",)
        ),
        tab=Tab(number=17, colour="2f6f9f", rows=200, since=3),
        export=Export(place=3),
        since=3,
    )

    client: int = described("Client", Id("client", owns=True))
    name: str = described("Name", Line(200))
    role: str = described("Role", Line(100, shared=True), help="what they do there")
    email: str = described("E-mail", Email())
    phone: str = described("Phone", Phone())
    is_primary: bool = described("Primary", Flag(), help="the person to ask first")
    notes: str = described("Notes", Prose())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StatusRule(Record):
    """One rule of the ordered list that decides a client's status; an empty `when` always fits."""

    about: ClassVar[Kind] = Kind(
        "rule",
        "rules",
        place=12,
        needs=("position", "status", "when"),
        may_be_empty=("when",),
        order=("position", "id"),
        rights=Rights(staff=READ_ALL, words="status rules"),
        tab=Tab(number=12, colour="b7791f", rows=60),
    )

    position: int = described("Position", Whole(least=1))
    status: str = described("Status", Line(40))
    when: str = described("When", Line(1000))
    active: bool = described("Active", Flag())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class View(Record):
    """A list of clients that the team comes back to: a condition in the language of the rules, and an order."""

    about: ClassVar[Kind] = Kind(
        "view",
        "views",
        place=13,
        needs=("name", "condition"),
        may_be_empty=("condition",),
        called="name",
        unique=("name",),
        rights=Rights(staff=EVERYTHING),
        tab=Tab(number=13, hidden=True),
    )

    name: str = described("Name", Line(60))
    condition: str = described("Condition", Line(1000), help="like total_spend > 1000 and city = 'Boston'")
    sort: str = described("Sort", Line(60), help="a field; put - before it to reverse")
