"""Records: services that are sold, and invoices with their lines, adjustments and numbers, and payments."""

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from crm.lean_dataclass import dataclass
from crm.model.fields import (
    Amount,
    Balance,
    Choice,
    Day,
    Flag,
    Id,
    Line,
    LinePrice,
    Person,
    Price,
    Prose,
    Quantity,
    Rate,
    Unit,
    Units,
    Whole,
)
from crm.model.kind import ALL, EVERYTHING, READ_ALL, READ_OWN, Effects, Export, Indexed, Kind, May, Rights, Sum, Tab
from crm.model.money import NOTHING
from crm.model.record import Record, account_beside, described

# A team has at most so many levels of reminders.
MOST_LEVELS = 9
# The categories of tax (UNTDID 5305) as EN 16931 knows them, those that most need first.
TAX_CATEGORIES = {
    "S": "standard rate",
    "Z": "zero rate",
    "E": "exempt",
    "O": "not subject to tax",
    "AE": "reverse charge",
    "K": "intra-Community supply",
    "G": "export",
    "B": "split payment",
    "L": "Canary Islands tax",
    "M": "Ceuta and Melilla tax",
}
# Those that have a rate, and of them those whose rate is never 0.
TAXED_CATEGORIES = frozenset("SLMB")
ABOVE_ZERO = frozenset("SB")
PERIODS = {
    "once": "once",
    "weekly": "weekly",
    "monthly": "monthly",
    "quarterly": "quarterly",
    "half-yearly": "half-yearly",
    "yearly": "yearly",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Service(Record):
    """Something that is sold by the unit. One that is not offered any more is retired: not `active`."""

    about: ClassVar[Kind] = Kind(
        "service",
        "services",
        place=20,
        needs=("name",),
        called="name",
        order=("name", "id"),
        unique=("name",),
        rights=Rights(staff=May(ALL, ALL, ALL)),
        tab=Tab(number=40, colour="7a5c99", rows=60, first=("name", "price", "unit"), since=8),
        export=Export(place=20),
        since=9,
    )

    name: str = described("Name", Line(200))
    description: str = described("Description", Prose(2000), help="printed below the name on an invoice")
    unit: str = described("Unit", Unit(), help="hour, piece, month, or a code such as HUR")
    price: Decimal = described("Price", Price(), help="of one unit, with up to four decimals")
    gross: bool = described("Price includes tax", Flag())
    tax_category: str = described("Tax category", Choice(TAX_CATEGORIES), help="S standard, Z zero, E exempt, ...")
    tax_rate: Decimal = described("Tax rate", Rate(), help="in percent")
    period: str = described("Period", Choice(PERIODS), help="how often it is billed")
    active: bool = described("Offered", Flag(), help="whether it can be put on invoices")


INVOICE_KINDS = {"invoice": "invoice", "credit_note": "credit note"}
INVOICE_STATES = {"draft": "draft", "issued": "issued"}


def _left(invoice: Any) -> Decimal:
    """The open amount of an issued invoice; less than nothing where more came in than it comes to."""
    if invoice.state != "issued" or invoice.kind != "invoice":
        return NOTHING
    still: Decimal = invoice.total - invoice.paid - invoice.credited
    return still


def _open(invoice: Any) -> Decimal:
    """The amount that is still to be paid; 0 for a draft and for a credit note."""
    return max(_left(invoice), NOTHING)


def _overpaid(invoice: Any) -> Decimal:
    """The amount that was paid beyond what an invoice comes to, as where it was credited afterwards."""
    return max(-_left(invoice), NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Invoice(Record):
    """An invoice or a credit note. A draft has no number, and its figures follow from its lines; once it is issued, its
    number, dates, parties, lines and figures stay as they are. `seller` and `buyer` are JSON, as they were on issue,
    and `digest` is that of all that stays as it is; `corrects` is the invoice that a credit note takes back."""

    about: ClassVar[Kind] = Kind(
        "invoice",
        "invoices",
        place=21,
        effects=Effects(bills="id", spends="client"),
        needs=("client", "kind", "state"),
        called="number",
        order=("-id",),
        day="issued_on",
        unique=("number",),
        indexes={
            "by_client": ("client", "state"),
            "by_due": ("due_on", "open"),
            "by_corrects": ("corrects",),
            # Issuing an invoice reads the day of the last one, and whether the number is used.
            "by_state": Indexed(("state", "kind", "issued_on"), since=10),
            "by_number": Indexed(("number",), folded=True, given="number", since=10),
            # Who owes what and since when is read from the index alone.
            "open": Indexed(
                ("client", "currency", "due_on", "open", "reminded_on", "promised_on"), given="open", since=10
            ),
            "overpaid": Indexed(("client", "currency"), given="overpaid", since=11),
        },
        sums=(
            Sum(
                name="credited",
                function="sum",
                of="total",
                onto="corrects",
                where={"kind": ("credit_note",), "state": ("issued",)},
            ),
            Sum(name="open_amount", function="sum", of="open", where={"state": ("issued",)}, team_currency=True),
            Sum(name="credit", function="sum", of="overpaid", team_currency=True),
        ),
        follows={"open": _open, "overpaid": _overpaid},
        rights=Rights(
            staff=EVERYTHING,
            client=READ_OWN,
            mail_key=May(ALL, update=ALL),
            owned_by=("client", "client"),
            # A client does not see drafts.
            own_where={"state": ("issued",)},
            internal=(
                "memo",
                "reminded",
                "reminded_on",
                "promised_on",
                "not_before",
                "digest",
                "message",
                "user",
                "user_id",
            ),
        ),
        tab=Tab(
            number=41,
            colour="7a5c99",
            rows=200,
            first=("number", "client", "state", "issued_on", "due_on", "total", "open"),
            hidden_columns=("seller", "buyer", "digest"),
            since=8,
        ),
        export=Export(place=21, without=("seller", "buyer", "digest")),
        since=9,
    )

    client: int = described("Client", Id("client", keeps=True))
    kind: str = described("Kind", Choice(INVOICE_KINDS), by="facts")
    state: str = described("State", Choice(INVOICE_STATES), by="facts")
    number: str = described("Number", Line(60), by="facts")
    corrects: int = described("Corrects", Id("invoice"), by="facts", help="the invoice that a credit note is about")
    issued_on: date | None = described("Issued", Day(past=False), by="facts")
    due_on: date | None = described("Due", Day(past=False))
    delivered_on: date | None = described("Delivered", Day(past=False), help="the day of delivery or service")
    period_from: date | None = described("Period from", Day(past=False))
    period_to: date | None = described("Period to", Day(past=False))
    currency: str = described("Currency", Line(3), by="facts")
    gross: bool = described("Prices include tax", Flag())
    buyer_reference: str = described("Buyer's reference", Line(100), help="such as a Leitweg-ID")
    order_reference: str = described("Order number", Line(100), help="the client's")
    exemption_reason: str = described("Why it is exempt", Line(300), help="the law or the article")
    notes: str = described("Notes", Prose(5000), help="printed on the invoice")
    terms: str = described("Terms", Prose(2000), help="of payment; the setting if empty")
    memo: str = described("Memo", Prose(5000), help="for your team; not on the invoice")
    seller: str = described("Seller", Prose(), by="facts")
    buyer: str = described("Buyer", Prose(), by="facts")
    digest: str = described("Digest", Line(80), by="facts", since=10)
    net: Decimal = described("Net", Balance(), by="facts")
    tax: Decimal = described("Tax", Balance(), by="facts")
    total: Decimal = described("Total", Balance(), by="facts")
    credited: Decimal = described("Credited", Balance(), by="facts")
    paid: Decimal = described("Paid", Balance(), by="facts")
    open: Decimal = described("Open", Balance(), by="facts")
    overpaid: Decimal = described("Overpaid", Balance(), by="facts")
    # The part of its payments that is used for other invoices since it was credited: it counts as paid.
    used_again: Decimal = described("Used again", Balance(), by="facts", since=11)
    # The last e-mail with it. It was sent only once that has left the outbox.
    message: int = described("Message", Id("message"), by="steps", since=11)
    sent_on: date | None = described("Sent", Day(), by="steps")
    reminded: int = described("Reminders", Whole(), by="steps", help="the level of the last one")
    reminded_on: date | None = described("Last reminder", Day(), by="steps")
    sendings: int = described("Times sent", Whole(), by="steps", since=10)
    promised_on: date | None = described("Promised for", Day(past=False), by="steps")
    not_before: date | None = described("No reminder before", Day(past=False), by="steps")
    user: str = described("By", Person(), by="steps")
    user_id: int = account_beside("user")


# What the law does not ask for: where it was left blank on issue, it may be filled in once, for an e-invoice.
FILLED_AFTER_ISSUE = frozenset(("buyer_reference", "order_reference"))
# The fields of an issued invoice that still change: what comes in, what is sent, and what a team notes for itself.
AFTER_ISSUE = frozenset(
    (
        "client",
        "paid",
        "credited",
        "open",
        "overpaid",
        "used_again",
        "message",
        "sent_on",
        "sendings",
        "reminded",
        "reminded_on",
        "promised_on",
        "not_before",
        "memo",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class InvoiceLine(Record):
    """A line of an invoice: `quantity` at `price` for `basis` units, less `discount`, plus `charge`. Where one of these
    is the sum of several, `discounts` or `charges` has them: 1.00 + 0.50."""

    about: ClassVar[Kind] = Kind(
        "invoice_line",
        "invoice-lines",
        place=22,
        effects=Effects(bills="invoice"),
        needs=("invoice", "position", "name"),
        called="name",
        order=("invoice", "position", "id"),
        indexes={"by_invoice": ("invoice", "position"), "by_service": ("service",)},
        rights=Rights(staff=EVERYTHING, client=READ_OWN, part_of="invoice", words="lines of invoices"),
        tab=Tab(number=42, colour="7a5c99", rows=400, title="invoice lines", since=8),
        export=Export(place=22),
        since=9,
    )

    invoice: int = described("Invoice", Id("invoice", owns=True))
    position: int = described("Position", Whole(least=1, most=9999))
    service: int = described("Service", Id("service", keeps=True), by="steps")
    name: str = described("Name", Line(300))
    description: str = described("Description", Prose(2000))
    quantity: Decimal = described("Quantity", Quantity())
    unit: str = described("Unit", Unit())
    price: Decimal = described("Price", LinePrice())
    basis: Decimal = described("Price is for", Units(), help="how many units the price is for; 1 if empty")
    discount: Decimal = described("Discount", Amount(), help="an amount off the line")
    charge: Decimal = described("Charge", Amount(), help="an amount on top of the line")
    discounts: str = described("Discounts", Line(500), by="steps", help="where the discount is several", since=10)
    charges: str = described("Charges", Line(500), by="steps", help="where the charge is several", since=10)
    tax_category: str = described("Tax category", Choice(TAX_CATEGORIES))
    tax_rate: Decimal = described("Tax rate", Rate(), help="in percent")
    net: Decimal = described("Net", Balance(), by="facts")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Adjustment(Record):
    """A discount or a charge on a whole invoice: an amount, or a percentage. Without a category it is shared over the
    taxes of the lines."""

    about: ClassVar[Kind] = Kind(
        "adjustment",
        "adjustments",
        place=23,
        effects=Effects(bills="invoice"),
        needs=("invoice",),
        order=("invoice", "id"),
        indexes={"by_invoice": ("invoice",)},
        rights=Rights(staff=EVERYTHING, client=READ_OWN, part_of="invoice", words="discounts of invoices"),
        tab=Tab(number=43, colour="7a5c99", since=8),
        export=Export(place=23),
        since=9,
    )

    invoice: int = described("Invoice", Id("invoice", owns=True))
    is_charge: bool = described("Charge", Flag(), help="a charge instead of a discount")
    amount: Decimal = described("Amount", Amount())
    percent: Decimal = described("Percent", Rate())
    tax_category: str = described("Tax category", Choice(TAX_CATEGORIES))
    tax_rate: Decimal = described("Tax rate", Rate(), help="in percent")
    reason: str = described("Reason", Line(200))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class NumberSeries(Record):
    """The counter of a series of numbers: `last` is the number of the document issued last, in `year`. It moves only in
    the transaction that issues one."""

    about: ClassVar[Kind] = Kind(
        "number_series",
        "number-series",
        place=24,
        needs=("name", "pattern"),
        called="name",
        unique=("name",),
        rights=Rights(staff=May(ALL, ALL, ALL), words="the numbers of invoices"),
        tab=Tab(number=44, title="number series", since=8),
        since=9,
    )

    name: str = described("Series", Line(60), by="facts")
    pattern: str = described("Pattern", Line(60), by="facts", help="like INV-{year}-{number:04}")
    year: int = described("Year", Whole(), by="facts")
    last: int = described("Last number", Whole(), by="facts")


METHODS = {
    "bank transfer": "bank transfer",
    "card": "card",
    "cash": "cash",
    "check": "check",
    "direct debit": "direct debit",
    "paypal": "PayPal",
    "other": "other",
}
PAYMENT_KINDS = {"payment": "payment", "refund": "refund"}


def _unused(payment: Any) -> Decimal:
    """The credit that a payment adds for its client: what no invoice has taken of it; a refund removes."""
    amount: Decimal = payment.amount if payment.kind == "payment" else -payment.amount
    rest: Decimal = amount - payment.used
    return rest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Payment(Record):
    """Money that came in from a client, or went back to one: `used` of it is on invoices, the rest is credit."""

    about: ClassVar[Kind] = Kind(
        "payment",
        "payments",
        place=25,
        effects=Effects(spends="client"),
        needs=("client", "on", "amount", "kind"),
        order=("-on", "-id"),
        day="on",
        indexes={
            "by_client": ("client", "on"),
            "by_day": ("on",),
            "left": Indexed(("client", "currency"), given="left", since=10),
        },
        sums=(Sum(name="credit", function="sum", of="left", team_currency=True),),
        follows={"left": _unused},
        rights=Rights(
            staff=EVERYTHING,
            client=READ_OWN,
            mail_key=READ_ALL,
            owned_by=("client", "client"),
            internal=("note", "user", "user_id"),
        ),
        tab=Tab(number=45, colour="3f8f5f", rows=200, since=8),
        export=Export(place=25),
        since=9,
    )

    client: int = described("Client", Id("client", keeps=True))
    kind: str = described("Kind", Choice(PAYMENT_KINDS), by="facts")
    on: date | None = described("Date", Day())
    amount: Decimal = described("Amount", Amount(), by="facts")
    currency: str = described("Currency", Line(3), by="facts")
    method: str = described("Method", Choice(METHODS))
    reference: str = described("Reference", Line(140), help="as on the bank statement")
    note: str = described("Note", Line(500))
    receipts: str = described("Receipts", Line(60), by="steps", help="by which ways one was sent")
    used: Decimal = described("On invoices", Balance(), by="facts")
    left: Decimal = described("Credit", Balance(), by="facts")
    user: str = described("By", Person(), by="steps")
    user_id: int = account_beside("user")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Allocation(Record):
    """A part of a payment that pays an invoice."""

    about: ClassVar[Kind] = Kind(
        "allocation",
        "allocations",
        place=26,
        needs=("payment", "invoice", "amount"),
        order=("payment", "id"),
        indexes={"by_payment": ("payment",), "by_invoice": ("invoice",)},
        sums=(
            Sum(name="paid", function="sum", of="amount", onto="invoice"),
            Sum(name="used", function="sum", of="amount", onto="payment"),
        ),
        rights=Rights(
            staff=EVERYTHING, client=READ_OWN, mail_key=READ_ALL, part_of="payment", words="what payments are for"
        ),
        tab=Tab(number=46, colour="3f8f5f", rows=200, since=8),
        export=Export(place=26),
        since=9,
    )

    payment: int = described("Payment", Id("payment", owns=True), by="facts")
    invoice: int = described("Invoice", Id("invoice", keeps=True), by="facts")
    amount: Decimal = described("Amount", Amount(), by="facts")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Reminder(Record):
    """A reminder of an overdue invoice: its level, and what it asked for beside the open amount."""

    about: ClassVar[Kind] = Kind(
        "reminder",
        "reminders",
        place=27,
        needs=("invoice", "level", "on"),
        order=("-on", "-id"),
        day="on",
        indexes={"by_invoice": ("invoice", "level")},
        rights=Rights(staff=EVERYTHING, mail_key=May(ALL, create=ALL, delete=ALL)),
        tab=Tab(number=47, colour="b7791f", since=8),
        export=Export(place=27),
        since=9,
    )

    invoice: int = described("Invoice", Id("invoice", owns=True), by="facts")
    level: int = described("Level", Whole(least=1), by="facts")
    on: date | None = described("Date", Day(), by="facts")
    fee: Decimal = described("Fee", Amount(), by="facts")
    interest: Decimal = described("Interest", Amount(), by="facts")
    new_due_on: date | None = described("New due date", Day(past=False), by="facts")
    message: int = described("Message", Id("message"), by="facts")
    user: str = described("By", Person(), by="steps")
    user_id: int = account_beside("user")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReminderLevel(Record):
    """A level of reminders, as a team has set it: from how many `days` after the due day, with which words, at which
    cost, and in how many days (`term`) it asks to be paid."""

    about: ClassVar[Kind] = Kind(
        "reminder_level",
        "reminder-levels",
        place=28,
        needs=("number", "days"),
        order=("number",),
        unique=("number",),
        rights=Rights(staff=READ_ALL, mail_key=READ_ALL, words="the levels of reminders"),
        tab=Tab(number=48, colour="b7791f", title="reminder levels", since=9),
        export=Export(place=28),
        since=10,
    )

    number: int = described("Level", Whole(least=1, most=MOST_LEVELS))
    days: int = described("Days overdue", Whole(least=1, most=365), help="from how many days after the due date")
    fee: Decimal = described("Fee", Amount(), help="charged on top of the open amount, never on the invoice")
    interest: Decimal = described("Interest", Rate(), help="in percent a year, on the open amount")
    term: int = described("Days to pay", Whole(most=365), help="no other reminder until they have passed")
    subject: str = described("Subject", Line(200))
    text: str = described("Text", Prose(3000), help="above the list of invoices; the default if empty")
