"""Services and invoices on screen: in lists, and one whole."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.text import Text

from crm.invoicing.document import REASONS
from crm.model import (
    INVOICE_KINDS,
    METHODS,
    PERIODS,
    TAX_CATEGORIES,
    TAXED_CATEGORIES,
    Adjustment,
    Conventions,
    Invoice,
    Payment,
    Reminder,
    ReminderLevel,
    Service,
)
from crm.model.conventions import SALES
from crm.model.fields import Country, Rate, Unit
from crm.model.fields.figures import number_shown
from crm.model.local_labels import local_label
from crm.model.local_taxes import LOCAL_TAXES
from crm.model.paths import display_path
from crm.model.postal_addresses import town_line
from crm.model.units import unit_beside
from crm.model.vat_ids import country_of_vat_id, is_other_tax_id
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import beside, in_line, pairs, side_list, with_number
from crm.terminal.drawing.render import renderer, show
from crm.terminal.drawing.screen import Screen, clean, data

if TYPE_CHECKING:
    from crm.commands.billing.documents import InvoiceCard
    from crm.commands.billing.figures import ThisMonth
    from crm.commands.billing.files import CheckedFile, InvoiceFile, PaymentCode
    from crm.commands.billing.invoices import InvoiceShown
    from crm.commands.billing.numbers import SeriesShown
    from crm.commands.billing.payments import CreditUsed, PaymentCard, PaymentShown
    from crm.commands.billing.reminders import RemindersRun, Reminding
    from crm.commands.billing.unpaid import ClientStatement, Unpaid
    from crm.invoicing.document import DocumentLine, Party, TaxGroup


def unit_of(code: str, by: Conventions) -> str:
    """A unit by its word."""
    return Unit().show(code, by)


# Of TAX_CATEGORIES, the one whose rate says it all: 0 %.
_ZERO_RATE = "Z"


def tax_of(category: str, rate: object, by: Conventions) -> str:
    """The tax of a line in words: 19 %, 0 %, exempt."""
    return (
        Rate().show(rate, by) if category in {*TAXED_CATEGORIES, _ZERO_RATE} else TAX_CATEGORIES.get(category, category)
    )


def _price(service: Service, by: Conventions) -> str:
    return f"{by.money(service.price)}{' incl. tax' if service.gross else ''}"


def _name(service: Service) -> Text:
    return data(service.name, "bold").append("" if service.active else "  retired", "muted")


SERVICES: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.id, "muted"), 5, right=True),
    tables.Column("Service", lambda row, _: _name(row), 0, 12),
    tables.Column("Price", lambda row, by: data(_price(row, by)), 1, right=True),
    tables.Column("Unit", lambda row, by: data(unit_of(row.unit, by)), 2, 5),
    tables.Column("Tax", lambda row, by: data(tax_of(row.tax_category, row.tax_rate, by)), 3, 6, right=True),
    tables.Column("Period", lambda row, _: data("" if row.period == "once" else PERIODS.get(row.period, "")), 4, 6),
)

# So many payments and reminders of an invoice are beside it.
_BESIDE = 5
# The text about an e-mail that may not have arrived.
_ON_ITS_WAY = {
    "queued": "E-mail waits in the outbox", "sending": "E-mail is being sent", "failed": "E-mail failed",
    "unsure": "E-mail may have been sent",
}  # fmt: skip
# The colour of each state; the word says it as well.
_STATES = {"overdue": "overdue", "paid": "success", "draft": "muted", "cancelled": "muted", "credited": "muted"}


def state_words(invoice: Invoice, state: str) -> str:
    """The state of an invoice for people: `sent` is one that was issued, whether or not the program has sent it."""
    if invoice.kind == "credit_note" and state != "draft":
        return "credit note"
    return "issued" if state == "sent" and not invoice.sent_on else state


def state_badge(invoice: Invoice, state: str) -> Text:
    """The state of an invoice, in its colour and in a word."""
    return Text(f"{state_words(invoice, state)}{' !' if state == 'overdue' else ''}", _STATES.get(state, "bold"))


def money_in(currency: str, by: Conventions, amount: Decimal) -> str:
    """An amount in the currency of its invoice: one that is not the team's has its sign in a column of amounts too."""
    own = by if currency in ("", by.currency) else Conventions(by.language, currency, by.country, by.clock)
    return own.money(amount)


def invoice_name(invoice: Invoice, client: str = "") -> str:
    """An invoice by its number, and a draft by the number of the draft and the client that it is for."""
    return invoice.number or f"Draft {invoice.id}{f' for {client}' if client else ''}"


def _number(item: "InvoiceShown") -> Text:
    return data(item.invoice.number or f"draft {item.invoice.id}", "bold" if item.invoice.number else "muted")


def _open(item: "InvoiceShown", by: Conventions) -> Text:
    return data(money_in(item.invoice.currency, by, item.invoice.open) if item.invoice.open else "")


# The figures of an invoice that matter most.
_FIGURES = {"Total": "bold", "Open": "bold"}
INVOICES: Sequence[tables.Column] = (
    tables.Column("Number", lambda row, _: _number(row), 0, 8),
    tables.Column("Client", lambda row, _: data(row.client), 0, 10),
    tables.Column("Status", lambda row, _: state_badge(row.invoice, row.state), 2),
    tables.Column("Issued", lambda row, by: data(by.near_day(row.invoice.issued_on)), 5, word="issued"),
    tables.Column("Due", lambda row, by: data(by.near_day(row.invoice.due_on)), 4, word="due"),
    tables.Column(
        "Total", lambda row, by: data(money_in(row.invoice.currency, by, row.invoice.total)), 1, right=True, money=True
    ),
    tables.Column("Open", _open, 3, right=True, money=True, word="open"),
)
# The same in the list of the menu: when an open one is due matters more than all letters of a name.
LISTED_INVOICES: Sequence[tables.Column] = [
    replace(column, text=lambda row, by: data(by.near_day(row.invoice.due_on) if row.invoice.open else ""), rank=3)
    if column.title == "Due"
    else column
    for column in INVOICES
]
_ADJUSTMENTS: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.adjustment.id, "muted"), 2, right=True),
    tables.Column("What", lambda row, by: data(adjustment_words(row.adjustment, by, row.currency)), 0, 10),
)
SERIES: Sequence[tables.Column] = (
    tables.Column("Series", lambda row, _: data(INVOICE_KINDS.get(row.series.name, row.series.name)), 0, 8),
    tables.Column("Pattern", lambda row, _: data(row.series.pattern, "bold"), 0, 10),
    tables.Column("Last", lambda row, _: data(row.series.last or "none yet"), 1, right=True, word="last"),
    tables.Column("Year", lambda row, _: data(row.series.year or ""), 2, right=True),
    tables.Column("Next", lambda row, _: data(row.next), 1, 8),
)
PAYMENTS: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.payment.id, "muted"), 4, right=True),
    tables.Column("Date", lambda row, by: data(by.near_day(row.payment.on)), 1),
    tables.Column("Client", lambda row, _: data(row.client), 0, 10),
    tables.Column("Amount", lambda row, by: data(_signed(row.payment, by)), 1, right=True),
    tables.Column("Invoices", lambda row, _: data(", ".join(row.invoices)), 2, 8),
    tables.Column("Credit", lambda row, by: data(_rest(row, by)), 3, right=True, word="credit"),
    tables.Column("Method", lambda row, by: data(local_label(METHODS.get(row.payment.method, ""), by.country)), 5, 6),
    tables.Column("Reference", lambda row, _: data(row.payment.reference), 6, 8),
)


def _signed(payment: Payment, by: Conventions) -> str:
    return money_in(payment.currency, by, payment.amount if payment.kind == "payment" else -payment.amount)


def _rest(row: "PaymentShown", by: Conventions) -> str:
    return money_in(row.payment.currency, by, row.left) if row.left > 0 else ""


LEVELS: Sequence[tables.Column] = (
    tables.Column("Level", lambda row, _: data(row.number, "bold"), 0, right=True, word="level"),
    tables.Column("Days overdue", lambda row, _: data(row.days), 0, right=True, unit=("day overdue", "days overdue")),
    tables.Column("Days to pay", lambda row, _: data(row.term), 1, right=True, unit=("day to pay", "days to pay")),
    tables.Column("Fee", lambda row, by: data(by.money(row.fee) if row.fee else "none"), 1, right=True, word="fee"),
    tables.Column(
        "Interest", lambda row, by: data(f"{Rate().show(row.interest, by)} a year" if row.interest else "none"), 2,
        right=True, word="interest",
    ),
    tables.Column("Text", lambda row, _: data(row.subject or row.text or "default"), 3, 10),
)  # fmt: skip


# What a paid invoice does not change, and what would have it do so.
_COUNTS_SALES = "A client's total counts sales, not invoices (Settings › Total spend counts)."


@renderer("crm.commands.billing.figures.ThisMonth")
def draw_this_month(result: "ThisMonth", screen: Screen, by: Conventions) -> None:
    """The amounts open and overdue, and those issued and paid this month, of each currency."""
    for row in result.rows:
        figures = [
            (label, money_in(row.currency, by, amount), f" ({by.number(count)}){when}", style)
            for label, amount, count, when, style in (
                ("Open", row.open, row.open_count, "", "bold"),
                ("Overdue", row.overdue, row.overdue_count, "", "overdue"),
                ("Issued", row.issued, row.issued_count, " this month", ""),
                ("Paid", row.paid, row.paid_count, " this month", ""),
            )
            if amount or count or label == "Open"
        ]
        wide = 0 if screen.plain else max(len(amount) for _, amount, _, _ in figures)
        rows = [
            (label, Text(" " * (wide - len(amount))).append(amount, style).append(count, "muted"))
            for label, amount, count, style in figures
        ]
        screen.print(pairs(rows, screen.width))
    if result.rows:
        if by.spend_counts == SALES:
            screen.print(Text(_COUNTS_SALES, "muted"))
        screen.print()


UNPAID: Sequence[tables.Column] = (
    tables.Column("Client", lambda row, _: data(row.client_name, "bold"), 0, 10),
    tables.Column("Open", lambda row, by: data(_owed(row, row.open, by)), 1, right=True, money=True),
    tables.Column("Overdue", lambda row, by: _late(row, by), 1, right=True, money=True, word="overdue"),
    tables.Column("Due", lambda row, by: data(by.near_day(row.due_on)), 2),
    tables.Column(
        "Days late",
        lambda row, by: data(by.number(row.oldest_days) if row.oldest_days else ""),
        2,
        right=True,
        unit=("day late", "days late"),
    ),
    tables.Column("1-30 days", lambda row, by: data(_owed(row, row.to_30, by)), 6, right=True, money=True),
    tables.Column("31-60 days", lambda row, by: data(_owed(row, row.to_60, by)), 6, right=True, money=True),
    tables.Column("61-90 days", lambda row, by: data(_owed(row, row.to_90, by)), 6, right=True, money=True),
    tables.Column("Over 90 days", lambda row, by: data(_owed(row, row.over_90, by)), 6, right=True, money=True),
    tables.Column("Reminded", lambda row, by: data(by.near_day(row.reminded_on)), 4),
    tables.Column("Promised", lambda row, by: data(by.near_day(row.promised_on)), 5),
    tables.Column("Credit", lambda row, by: data(_owed(row, row.credit, by)), 3, right=True, money=True),
)
# The columns that the menu shows in the card beside the list, by age.
_AGES = ("1-30 days", "31-60 days", "61-90 days", "Over 90 days")
# The same in the list of the menu, where the day says how late it is.
LISTED_UNPAID: Sequence[tables.Column] = [
    replace(column, text=lambda row, by: data(_due_or_late(row, by))) if column.title == "Due" else column
    for column in UNPAID
    if column.title not in (*_AGES, "Days late")
]


def _due_or_late(row: "Unpaid", by: Conventions) -> str:
    """The day on which the first of a client's open invoices is due, or how late it is."""
    days = row.oldest_days
    return f"{by.number(days)} {'day' if days == 1 else 'days'} late" if days else by.near_day(row.due_on)


def unpaid_side(screen: Screen, row: "Unpaid", by: Conventions) -> list[tuple[str, str]]:
    """The overdue amounts of a client by age, beside the list; nothing where nothing is late."""
    aged = [(column.title, column.text(row, by)) for column in UNPAID if column.title in _AGES]
    late = [(title, amount) for title, amount in aged if amount.plain]
    return side_list(screen, "Overdue by age", late) if late else []


def _owed(row: "Unpaid", amount: Decimal, by: Conventions) -> str:
    """An amount of a row, '' for nothing."""
    return money_in(row.currency, by, amount) if amount else ""


def _late(row: "Unpaid", by: Conventions) -> Text:
    return data(f"{_owed(row, row.overdue, by)} !" if row.overdue else "", "overdue" if row.overdue else "")


def _asked(row: "Reminding", name: str, by: Conventions) -> Text:
    """The amounts that a client is asked for, each currency by itself."""
    amounts = [(part.currency, getattr(part, name)) for part in row.asked]
    return data(" + ".join(money_in(currency, by, amount) for currency, amount in amounts if amount))


_REMINDING: Sequence[tables.Column] = (
    tables.Column("Client", lambda row, _: data(row.client.name, "bold"), 0, 10),
    tables.Column("Level", lambda row, _: data(row.level), 1, right=True, word="level"),
    tables.Column("Open", lambda row, by: _asked(row, "open", by), 1, right=True),
    tables.Column("Fee", lambda row, by: _asked(row, "fee", by), 3, right=True),
    tables.Column("Interest", lambda row, by: _asked(row, "interest", by), 3, right=True),
    tables.Column("Invoices", lambda row, _: data(", ".join(invoice.number for invoice, _ in row.due)), 2, 8),
    tables.Column("", lambda row, _: data(row.hindered, "warning"), 3),
)
tables.COLUMNS |= {
    "crm.commands.billing.unpaid.Unpaid": UNPAID,
    "crm.commands.billing.reminders.Reminding": _REMINDING,
    "crm.commands.billing.payments.PaymentShown": PAYMENTS,
    "crm.model.billing.Service": SERVICES,
    "crm.commands.billing.invoices.InvoiceShown": INVOICES,
    "crm.commands.billing.lines.AdjustmentShown": _ADJUSTMENTS,
    "crm.commands.billing.numbers.SeriesShown": SERIES,
    "crm.model.billing.ReminderLevel": LEVELS,
}


def adjustment_words(adjustment: Adjustment, by: Conventions, currency: str | None) -> str:
    """A discount or a charge on a whole invoice, in words; an amount is in the currency of the invoice, and has no sign
    where that is not known."""
    what = "charge" if adjustment.is_charge else "discount"
    if adjustment.percent:
        much = f"{number_shown(adjustment.percent, by)} %"
    elif currency is None:
        much = by.amount(adjustment.amount)
    else:
        much = money_in(currency, by, adjustment.amount)
    on = f" on {tax_of(adjustment.tax_category, adjustment.tax_rate, by)}" if adjustment.tax_category else ""
    return f"{what} {much}{on}{f': {adjustment.reason}' if adjustment.reason else ''}"


def _quantity(line: "DocumentLine", by: Conventions) -> Text:
    unit = unit_beside(line.unit, line.quantity)
    return data(f"{number_shown(line.quantity, by)} {unit}".strip())


def _dated(label: str, day: date, by: Conventions) -> Text:
    """A day with its label."""
    return Text(f"{label} ", "muted").append(by.day(day), "default")


def _due(day: date, by: Conventions, *, is_open: bool) -> Text:
    """The day on which an invoice is due, or how late an open one is."""
    words = by.due(day)
    return Text(words, "overdue") if is_open and words.endswith("overdue") else _dated("Due", day, by)


@renderer("crm.commands.billing.documents.InvoiceCard")
def draw_invoice(result: "InvoiceCard", screen: Screen, by: Conventions, *, stacked: bool = False) -> None:
    """An invoice whole: its head, its lines, the tax by rate, and what is open. Where the figures are `stacked`, they
    stand below the amounts of the lines, and each part stands apart."""
    document, invoice = result.document, result.invoice

    def money(amount: Decimal) -> str:
        return money_in(document.currency, by, amount)

    noun = INVOICE_KINDS[invoice.kind].capitalize()
    head = data(f"{noun} {invoice.number}" if invoice.number else f"Draft {noun.lower()} {invoice.id}", "bold")
    badge = state_badge(invoice, result.state)
    badge = Text.assemble("[", badge, "]", style=badge.style)
    # A draft says so itself.
    heading = head.append("  ").append_text(badge) if invoice.number else head
    total = Text(money(document.total), "money")
    if invoice.open and invoice.open != document.total:
        total.append(f", {money(invoice.open)} open", "alert")
    # What it comes to is seen first, however little of the page fits the window.
    screen.print(beside(screen, heading, Text() if screen.plain else total))
    # The name on the document may be another than that of the client: their company's.
    billed_to = document.buyer.name if document.buyer.name not in ("", result.client.name) else ""
    screen.print(data(result.client.name + (f", billed to {billed_to}" if billed_to else "")))
    known = [_dated("Issued", invoice.issued_on, by)] if invoice.issued_on else []
    known += [_due(document.due_on, by, is_open=invoice.open > 0)] if document.due_on else []
    known += [_dated("Delivered", invoice.delivered_on, by)] if invoice.delivered_on else []
    if invoice.sent_on:
        times = f" ({invoice.sendings} times)" if invoice.sendings > 1 else ""
        known.append(_dated("E-mailed", invoice.sent_on, by).append(times, "default"))
    if result.message_state in _ON_ITS_WAY:
        known.append(Text(_ON_ITS_WAY[result.message_state], "warning"))
    elif invoice.state == "issued" and not invoice.sent_on:
        known.append(Text("Not yet e-mailed", "muted"))
    in_line(screen, known)
    if invoice.open > 0:
        reminding = [
            ("Last reminder", invoice.reminded_on), ("Promised for", invoice.promised_on),
            ("No reminder before", invoice.not_before),
        ]  # fmt: skip
        in_line(screen, [_dated(label, day, by) for label, day in reminding if day])
    if document.corrects_number:
        screen.print(Text("Corrects ", "muted").append(clean(document.corrects_number), "default"))
    if stacked:
        screen.print()
    if not result.lines:
        screen.print(Text("No lines yet.", "muted"))
    else:
        screen.print(tables.table(_lines_of(money), document.lines, by, screen.width))
    for adjustment in result.adjustments:
        screen.print(data(adjustment_words(adjustment, by, document.currency)))
    for group in document.taxes:
        # That nothing is taxed says the sum of the tax.
        if group.category != _ZERO_RATE or group.reason or len(document.taxes) > 1:
            screen.print(Text(_tax_line(group, money, by), "muted"))
    figures = [("Before tax", document.net), ("Tax", document.tax), ("Total", document.total)]
    if invoice.state == "issued" and invoice.kind == "invoice":
        figures += [("Paid", invoice.paid)] if invoice.paid else []
        figures += [("Credited", invoice.credited)] if invoice.credited else []
        figures.append(("Open", invoice.open))
        figures += [("Overpaid", invoice.overpaid)] if invoice.overpaid else []
    if stacked:
        screen.print()
        _draw_stacked(
            screen,
            [(label, Text(money(amount), _FIGURES.get(label, ""))) for label, amount in figures],
            tables.table_width(_lines_of(money), document.lines, by, screen.width),
        )
    else:
        parts = [Text.assemble((f"{label} ", "muted"), (money(amt), _FIGURES.get(label, ""))) for label, amt in figures]
        in_line(screen, parts)
    if result.credit:
        screen.print(Text(f"Client's credit: {money(result.credit)}", "muted"))
    for text in (document.notes, document.terms):
        if text:
            screen.print(data(text, "note", lines=True))


def _draw_stacked(screen: Screen, figures: Sequence[tuple[str, Text]], end: int) -> None:
    """Draw figures below each other, with their amounts up to a column, and their labels to the left of them."""
    label = max(len(name) for name, _ in figures)
    amount = max(text.cell_len for _, text in figures)
    before = max(0, end - label - amount - 2)
    for name, text in figures:
        gap = label - len(name) + 2 + amount - text.cell_len
        screen.print(Text.assemble((" " * before + name, "muted"), " " * gap, text))


def draw_seller(seller: "Party", screen: Screen, by: Conventions) -> None:
    """One's own name and address as they will be on an invoice, and a VAT ID that is of another country."""

    def country_name(code: str) -> str:
        return Country().show(code, by)

    town = town_line(seller.country, seller.postcode, seller.city, seller.region)
    number = seller.vat_id or seller.tax_number
    label = local_label("VAT ID", seller.country)
    # In a country without VAT its number is kept as a tax number.
    named = label if seller.vat_id or is_other_tax_id(number, seller.country) else "Tax number"
    parts = (seller.name, seller.street, town, country_name(seller.country), f"{named} {number}" if number else "")
    screen.print(Text("From ", "muted").append_text(data(" · ".join(filter(None, parts)), "default")))
    of = country_of_vat_id(seller.vat_id)
    if of not in ("", seller.country):
        screen.print(
            Text(
                f"Your {label} begins with {seller.vat_id[:2]}, but your country is {country_name(seller.country)}."
                " Check both in the settings before you issue this.",
                "alert",
            )
        )


def invoice_side(
    screen: Screen,
    invoice: Invoice,
    payments: Sequence[tuple[Payment, Decimal]],
    reminders: Sequence[Reminder],
    by: Conventions,
) -> list[tuple[str, str]]:
    """The payments and reminders of an invoice, beside what can be done with it."""
    paid = [
        (by.day(payment.on), data(f"{money_in(payment.currency, by, amount)} {payment.reference}".rstrip()))
        for payment, amount in payments[:_BESIDE]
    ]
    reminded = [(by.day(reminder.on), data(f"level {reminder.level}")) for reminder in reminders[:_BESIDE]]
    pieces: list[tuple[str, str]] = []
    for title, nothing, facts in (("Payments", "No payments yet", paid), ("Reminders", "No reminders yet", reminded)):
        if facts or invoice.open > 0:
            pieces += [*side_list(screen, title, facts, nothing), ("", "\n")]
    return pieces


def _lines_of(money: Callable[[Decimal], str]) -> Sequence[tables.Column]:
    return (
        tables.Column("", lambda row, _: data(row.position, "muted"), 2, right=True),
        tables.Column("Line", lambda row, _: data(row.name), 0, 10),
        tables.Column("Quantity", _quantity, 1, right=True),
        tables.Column("Price", lambda row, _: data(_line_price(row, money)), 2, right=True),
        tables.Column("Tax", lambda row, by: data(tax_of(row.category, row.rate, by)), 4, 5, right=True),
        tables.Column("Amount", lambda row, _: data(money(row.amount)), 1, right=True),
    )


def _line_price(line: "DocumentLine", money: Callable[[Decimal], str]) -> str:
    return money(line.price) if line.basis == 1 else f"{money(line.price)} / {line.basis.normalize():f}"


def _tax_line(group: "TaxGroup", money: Callable[[Decimal], str], by: Conventions) -> str:
    reason = group.reason
    if reason == REASONS["O"] and by.country in LOCAL_TAXES:
        reason = f"Not subject to {LOCAL_TAXES[by.country].name}"
    why = f" ({reason})" if reason else ""
    return clean(f"{tax_of(group.category, group.rate, by)} of {money(group.base)}: {money(group.tax)}{why}")


@renderer(Invoice)
def draw_bare_invoice(result: Invoice, screen: Screen, by: Conventions) -> None:
    """An invoice in a line."""
    screen.print(data(f"{result.number or f'draft {result.id}'}: {money_in(result.currency, by, result.total)}"))


@renderer("crm.commands.billing.numbers.SeriesShown")
def draw_series(result: "SeriesShown", screen: Screen, _: Conventions) -> None:
    """A series of numbers in a line."""
    series = result.series
    words = f"{INVOICE_KINDS.get(series.name, series.name)}: {series.pattern}, last {series.last or 'none yet'}"
    screen.print(data(f"{words}, next {result.next}"))


@renderer(Service)
def draw_service(result: Service, screen: Screen, by: Conventions) -> None:
    """A service whole."""
    screen.print(with_number(screen, _name(result), f"no. {result.id}"))
    price = Text(_price(result, by), "bold").append(f" per {unit_of(result.unit, by)}", "default")
    if result.period not in ("", "once"):
        price.append(f", {PERIODS[result.period]}", "default")
    screen.print(price)
    screen.print(Text("Tax ", "muted").append(clean(tax_of(result.tax_category, result.tax_rate, by)), "default"))
    if result.description:
        screen.print(data(result.description, "note", lines=True))


@renderer(Payment)
def draw_bare_payment(result: Payment, screen: Screen, by: Conventions) -> None:
    """A payment in a line."""
    screen.print(data(f"{_signed(result, by)} {by.on_day(result.on)}"))


@renderer("crm.commands.billing.payments.PaymentCard")
def draw_payment(result: "PaymentCard", screen: Screen, by: Conventions) -> None:
    """A payment: what it is on, and what is left of it."""
    payment = result.payment
    noun = "Refund" if payment.kind == "refund" else "Payment"
    line = Text(f"{noun} {payment.id}: ").append(money_in(payment.currency, by, payment.amount), "bold")
    screen.print(line.append(f" {clean(result.client.name)}, {by.day(payment.on)}", "default"))
    for invoice, amount in result.parts:
        still = f", {money_in(invoice.currency, by, invoice.open)} still open" if invoice.open else ", paid"
        still = ", credited since" if invoice.overpaid else still
        screen.print(Text(f"  {clean(invoice.number)}: {money_in(invoice.currency, by, amount)}{still}"))
    if result.left > 0:
        screen.print(Text(f"  {money_in(payment.currency, by, result.left)} is credit"))
    if result.credit > 0:
        screen.print(Text(f"  Client's credit: {money_in(payment.currency, by, result.credit)}", "muted"))


@renderer("crm.commands.billing.payments.CreditUsed")
def draw_credit_used(result: "CreditUsed", screen: Screen, by: Conventions) -> None:
    """The credit that was used for an invoice, and what is left of it."""
    invoice = result.invoice

    def money(amount: Decimal) -> str:
        return money_in(invoice.currency, by, amount)

    still = f"{money(invoice.open)} still open" if invoice.open else "paid"
    screen.print(data(f"{invoice.number}: {money(result.amount)} of {result.client.name}'s credit used, {still}"))
    if result.credit:
        screen.print(Text(f"Client's credit: {money(result.credit)}", "muted"))


@renderer("crm.commands.billing.files.InvoiceFile")
def draw_file(result: "InvoiceFile", screen: Screen, _: Conventions) -> None:
    """A file that was written."""
    kind = "PDF" if result.file.suffix.lower() == ".pdf" else "e-invoice"
    screen.print(Text(f"{screen.sign('✓', 'OK:')} Saved {kind}: {clean(display_path(result.file))}", "success"))
    if result.notice:
        screen.print(data(result.notice, "warning"))


@renderer("crm.commands.billing.files.CheckedFile")
def draw_checked(result: "CheckedFile", screen: Screen, _: Conventions) -> None:
    """An e-invoice of somebody else, and what is wrong with it."""
    checked = result.checked
    screen.print(data(f"{checked.format}: {checked.number} of {checked.seller}", "bold"))
    screen.print(data(f"to {checked.buyer}, {checked.issued_on}, {checked.total} {checked.currency}"))
    if not checked.faults:
        screen.print(Text(f"{screen.sign('✓', 'OK:')} No faults found.", "success"))
    for fault in checked.faults:
        screen.print(data(f"{screen.sign('✗', '!')} {fault.sentence} ({fault.rule})", "danger"))


@renderer("crm.commands.billing.files.PaymentCode")
def draw_payment_code(result: "PaymentCode", screen: Screen, by: Conventions) -> None:
    """The code to pay by, dark on light as it is printed, below what it pays."""
    screen.print(data(f"{result.number}: {money_in(result.currency, by, result.amount)}", "bold"))
    # In colours of its own, so that a code on a light screen is not the other way round.
    for line in result.code.splitlines():
        screen.print(Text(line, "white on black"))


@renderer(Reminder)
def draw_reminder(result: Reminder, screen: Screen, by: Conventions) -> None:
    """A reminder in a line."""
    screen.print(data(f"Level {result.level} {by.on_day(result.on)}"))


@renderer(ReminderLevel)
def draw_level(result: ReminderLevel, screen: Screen, by: Conventions) -> None:
    """A level of reminders whole."""
    screen.print(Text(f"Level {result.number}: from {result.days} days overdue, {result.term} days to pay", "bold"))
    for label, value in (
        ("Fee", by.money(result.fee) if result.fee else "none"),
        ("Interest", f"{Rate().show(result.interest, by)} a year" if result.interest else "none"),
        ("Subject", result.subject or "the default"),
    ):
        screen.print(Text(f"{label} ", "muted").append(clean(value), "default"))
    screen.print(data(result.text or "The default text is used.", "note", lines=True))


@renderer("crm.commands.billing.reminders.RemindersRun")
def draw_run(result: "RemindersRun", screen: Screen, by: Conventions) -> None:
    """The clients that were reminded, and those that could not be."""
    if result.resumed:
        many = "1 reminder" if result.resumed == 1 else f"{by.number(result.resumed)} reminders"
        screen.print(Text(f"{screen.sign('✓', 'OK:')} Sent {many} from an earlier run.", "success"))
    if result.waiting:
        wait = "1 reminder is waiting" if result.waiting == 1 else f"{by.number(result.waiting)} reminders are waiting"
        screen.print(Text(f"{wait} to be sent. `email outbox` sends them.", "warning"))
    if not result.reminded:
        if not (result.resumed or result.waiting):
            screen.print(Text("No one was reminded."))
    else:
        count = len(result.reminded)
        many = "1 client" if count == 1 else f"{by.number(count)} clients"
        screen.print(Text(f"{screen.sign('✓', 'OK:')} Reminded {many}.", "success"))
        show(screen, list(result.reminded), by)
    for item in result.left_out:
        screen.print(data(f"{item.client.name}: {item.hindered}", "warning"))
    if result.stopped:
        screen.print(data(result.stopped, "warning"))


@renderer("crm.commands.billing.unpaid.ClientStatement")
def draw_statement(result: "ClientStatement", screen: Screen, by: Conventions) -> None:
    """The account of a client, entry by entry."""
    account, by = result.statement, replace(by, currency=result.currency)
    screen.print(data(result.client.name, "bold"))
    if account.since:
        screen.print(Text(f"Opening balance {by.money(account.opening)}", "muted"))
    screen.print(tables.table(_ENTRIES, account.lines, by, screen.width))
    screen.print(Text.assemble((f"Balance {by.on_day(account.until)}: ", "muted"), (by.money(account.closing), "bold")))
    for sentence in (result.by_age(by), result.asked_beside(by), result.open_elsewhere(by)):
        if sentence:
            screen.print(data(sentence, "muted"))


_ENTRIES: Sequence[tables.Column] = (
    tables.Column("Date", lambda row, by: data(by.day(row.entry.on)), 0),
    tables.Column("What", lambda row, _: data(row.entry.kind), 1, 6),
    tables.Column("Reference", lambda row, _: data(row.entry.reference), 3, 6),
    tables.Column("Amount", lambda row, by: data(by.money(row.change)), 1, right=True),
    tables.Column("Balance", lambda row, by: data(by.money(row.balance)), 1, right=True),
)
