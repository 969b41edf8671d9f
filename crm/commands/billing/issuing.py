"""Issuing: a draft gets its number and stays as it is from then on; a credit note takes back all of it, or a part."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from crm.commands.billing.amounts import AmountOfAnyCurrency, refuse_too_exact
from crm.commands.billing.documents import BANK, InvoiceCard, card_of, format_for
from crm.commands.billing.invoices import copied
from crm.commands.billing.lines import TheInvoice, draft, name_of, put_lines
from crm.commands.billing.numbers import series_of, take_number
from crm.commands.billing.tax import ZERO
from crm.commands.context import CRM
from crm.commands.registry import About, command
from crm.errors import FieldError, RefusedError
from crm.invoicing.credits import credit_of_amount, credit_of_lines, credited_by_group, refuse_credited_lines
from crm.invoicing.document import DocumentLine, InvoiceDocument
from crm.invoicing.numbering import next_number
from crm.invoicing.requirements import Missing, missing
from crm.model import FILLED_AFTER_ISSUE, Client, Invoice, InvoiceLine
from crm.model.fields import Day, Line, Whole
from crm.model.local_taxes import LOCAL_TAXES
from crm.model.money import as_written_in
from crm.repository import Query, Transaction, bills
from crm.repository.queries import billing

# Where what is missing is filled in.
_WHERE = {
    "seller": "settings set NAME VALUE",
    "buyer": "clients edit CLIENT",
    "delivery": "clients edit CLIENT",
    "line": "invoices lines edit",
    "invoice": "invoices edit",
}
# The setting, or the field of a client, by the field of the party.
SETTINGS = {
    "name": "company_name", "street": "company_address", "city": "company_city", "postcode": "company_postcode",
    "region": "company_region", "country": "country", "vat_id": "vat_id", "tax_number": "tax_number", "iban": "iban",
    "contact": "company_name", "phone": "company_phone", "email": "company_email",
    "electronic_address": "company_email",
}  # fmt: skip
CLIENT_FIELDS = {
    "street": "address", "city": "city", "region": "region", "country": "country", "vat_id": "tax_id",
    "postcode": "postcode",
}  # fmt: skip


def says_how_to_pay(document: InvoiceDocument) -> bool:
    """Return whether an invoice has a bank account or payment terms, or nothing has to be paid."""
    return bool(document.iban or document.bank_account or document.terms.strip()) or document.open <= 0


def untaxed_lines(crm: CRM, card: InvoiceCard) -> Sequence[int]:
    """The positions of the lines of an invoice that charge no tax only because the team never set its rate, though it
    has the number of a firm that charges VAT or GST."""
    settings, country = crm.settings, crm.conventions.country
    local = LOCAL_TAXES.get(country)
    charges_tax = settings["vat_id"] and (local is None or local.is_on_invoices)
    if not charges_tax or Decimal(settings["tax_rate"]) or crm.is_set_by_person("tax_rate"):
        return ()
    return [line.position for line in card.lines if line.tax_category == ZERO]


def _beside_issued(crm: CRM, arguments: Mapping[str, Any]) -> str:
    """The lines about an invoice that was just issued: that it does not say how to pay it, and how it is paid from
    its client's credit."""
    with crm.read() as snapshot:
        card = card_of(crm, snapshot, snapshot.get(Invoice, arguments["invoice"].id))
    lines = []
    if not says_how_to_pay(card.document):
        lines.append(
            f"{card.invoice.number} does not say how to pay: no bank account and no payment terms are set. For the next"
            " invoices: `settings set iban`, `settings set bank_account` or `settings set payment_terms`."
        )
    if untaxed_lines(crm, card):
        lines.append(
            f"{card.invoice.number} charges no tax: no tax rate is set. For the next invoices: `settings set tax_rate`."
        )
    if card.credit:
        lines.append(f"`payments use-credit {card.invoice.number}` pays it from the client's credit.")
    return "\n".join(lines)


@command("invoices issue", title="Issue an invoice", beside=_beside_issued)
def issue(
    crm: CRM,
    invoice: TheInvoice,
    on: Annotated[date | None, Day(past=False), About("Date", "today by default")] = None,
    due: Annotated[
        date | None, Day(past=False), About("Due", "by default, the client's days to pay after the issue date")
    ] = None,
) -> InvoiceCard:
    """Issue a draft: it gets its number, its dates and the details of both parties, and cannot be changed any
    more.

    If something is missing that the law or the client's e-invoice format requires, it is listed and nothing is issued.
    """

    def change(tx: Transaction) -> InvoiceCard:
        issued = issued_of(crm, tx, draft(tx, invoice), on or tx.today, due)
        tx.settle()
        return card_of(crm, tx, tx.get(Invoice, issued.invoice.id), issued)

    what = "a credit note" if invoice.kind == "credit_note" else "an invoice"
    return crm.transact(change, f"issued {what} to {crm.get(Client, invoice.client).name}")


def issued_of(crm: CRM, tx: Transaction, invoice: Invoice, on: date, due: date | None) -> InvoiceCard:
    """A draft as it is issued, in a change, with its lines. Raises RefusedError where something is missing."""
    if on > tx.today:
        raise FieldError("an invoice cannot be issued on a future date", field="on", label="Date")
    tx.settle()
    client = tx.get(Client, invoice.client)
    due_on = _due_day(crm, invoice, client, on, due)
    if due_on and due_on < on:
        raise FieldError("the due date is before the issue date", field="due", label="Due")
    current = tx.get(Invoice, invoice.id)
    card = card_of(crm, tx, current)
    document = replace(card.document, issued_on=on, due_on=due_on)
    wanted_format = format_for(client)
    if lacks := missing(document, wanted_format):
        which = f" as {wanted_format}, which {client.name} needs" if wanted_format else ""
        raise RefusedError(lacking(lacks, f"It cannot be issued yet{which}"))
    if invoice.kind == "invoice" and document.total < 0:
        raise RefusedError(
            f"Its total is {as_written_in(document.total, document.currency):f} {document.currency}, and the total"
            " of an invoice cannot be negative. To credit an invoice that was issued: `invoices credit NUMBER`."
            " Nothing was changed."
        )
    if not document.total:
        # There is nothing to pay by any day.
        due_on = None
    _refuse_earlier(tx, invoice.kind, on)
    bank = {name: getattr(document, name) for name in BANK}
    frozen = {**asdict(document.seller), **bank, "language": document.language}
    changes: dict[str, Any] = {
        "state": "issued",
        "number": take_number(tx, crm.settings, invoice.kind, on),
        "issued_on": on,
        "due_on": due_on,
        "delivered_on": current.delivered_on or (None if current.period_from or current.period_to else on),
        "seller": json.dumps(frozen, ensure_ascii=False),
        "buyer": json.dumps({**asdict(document.buyer), "client": client.id}, ensure_ascii=False),
        "buyer_reference": document.buyer_reference,
        "terms": document.terms,
        "user": crm.me,
    }
    digest = bills.digest_of(replace(current, **changes), card.lines, card.adjustments)
    return replace(card, invoice=tx.change(current, **changes, digest=digest))


def foreseen(crm: CRM, invoice: Invoice) -> tuple[str, date | None]:
    """The number that a draft gets if it is issued today, unless somebody comes first, and the day it is due then."""
    with crm.read() as snapshot:
        series, client = series_of(snapshot, crm.settings, invoice.kind), snapshot.get(Client, invoice.client)
    _, _, number = next_number(series.pattern, crm.today, year=series.year, last=series.last)
    return number, _due_day(crm, invoice, client, crm.today, None) if invoice.total else None


def _due_day(crm: CRM, invoice: Invoice, client: Client, on: date, due: date | None) -> date | None:
    """The day on which an invoice is due: the one that is named, its own, or as many days later as the client has."""
    if invoice.kind == "credit_note":
        return None
    days = client.payment_days or int(crm.settings["payment_days"])
    return due or invoice.due_on or on + timedelta(days=days)


def _refuse_earlier(tx: Transaction, kind: str, on: date) -> None:
    """Refuse a day before that of the last document: numbers go up with the days."""
    last = billing.last_issued(tx, kind)
    if last and on < last[1]:
        raise FieldError(
            f"{last[0]} was issued on {last[1].isoformat()}; a later number cannot have an earlier date",
            field="on", label="Date",
        )  # fmt: skip


def stays(lack: Missing) -> bool:
    """Return whether something that is missing belongs to the invoice itself, and so cannot be filled in once that is
    issued."""
    return lack.of in ("line", "invoice") and lack.field not in FILLED_AFTER_ISSUE


def lacking(
    lacks: Sequence[Missing], what: str, changed: str = " Nothing was changed.", *, is_issued: bool = False
) -> str:
    """The sentence that lists what is missing for something, and where each is filled in: not in an issued invoice."""
    parts = []
    for lack in lacks:
        if is_issued and stays(lack):
            parts.append(lack.sentence)
            continue
        where = _WHERE[lack.of]
        if lack.of == "seller":
            where = f"settings set {SETTINGS.get(lack.field, lack.field)}"
            where += "` or `settings set tax_number" if lack.or_tax_number else ""
        elif lack.of == "buyer" and lack.field in CLIENT_FIELDS:
            where = f"clients edit … --{CLIENT_FIELDS[lack.field].replace('_', '-')}"
        elif lack.of == "buyer" and lack.field == "electronic_address":
            name = "electronic-address" if "Peppol" in lack.sentence else "invoice-email"
            where = f"clients edit … --{name}"
        elif lack.field == "buyer_reference":
            where = "clients edit … --buyer-reference"
        elif lack.field == "adjustments":
            where = "invoices adjustments remove"
        elif lack.field == "currency":
            where = "invoices add … --currency"
        parts.append(f"{lack.sentence} (`{where}`)")
    return f"{what}. Missing: {'; '.join(parts)}.{changed}"


@command("invoices credit", title="Credit an invoice")
def credit(
    crm: CRM,
    invoice: TheInvoice,
    line: Annotated[
        Sequence[int], Whole(least=1, most=9999), About("Line", "the position of a line; may be given again")
    ] = (),
    amount: Annotated[
        Decimal | None, AmountOfAnyCurrency(), About("Amount", "tax included; everything left by default")
    ] = None,
    reason: Annotated[str, Line(300), About("Reason", "printed on the credit note")] = "",
    on: Annotated[date | None, Day(), About("Date", "today by default")] = None,
) -> InvoiceCard:
    """Issue a credit note for an invoice: for everything left on it, some lines, or an amount.

    The credit note has a number of its own, and the invoice stays as it is: it shows what was credited.
    """

    def change(tx: Transaction) -> InvoiceCard:
        current = tx.get(Invoice, invoice.id)
        if current.state == "draft":
            raise RefusedError("A draft cannot be credited: change it or delete it.")
        if current.kind == "credit_note":
            raise RefusedError(f"{current.number} is a credit note itself. Issue a new invoice instead.")
        if amount is not None:
            refuse_too_exact(crm, amount, current.currency)
        day = on or tx.today
        if current.issued_on and day < current.issued_on:
            reason_of_day = (
                f"{current.number} was issued on {current.issued_on.isoformat()}; credit it on that day or later"
            )
            raise FieldError(reason_of_day, field="on", label="Date")
        note = _credit_note(crm, tx, current, line, amount, reason)
        issued = issued_of(crm, tx, note, day, None)
        tx.settle()
        return card_of(crm, tx, tx.get(Invoice, issued.invoice.id), issued)

    return crm.transact(change, f"credited {name_of(invoice)}")


def _credit_note(
    crm: CRM, tx: Transaction, invoice: Invoice, positions: Sequence[int], amount: Decimal | None, reason: str
) -> Invoice:
    """The draft of a credit note over an invoice."""
    card = card_of(crm, tx, invoice)
    notes = tx.find_all(Invoice, Query({"corrects": invoice.id, "state": "issued"}))
    if invoice.total <= 0:
        total = f"{as_written_in(invoice.total, invoice.currency):f} {invoice.currency}"
        raise RefusedError(f"The total of {invoice.number} is {total}. There is nothing to credit.")
    if invoice.credited >= invoice.total:
        raise RefusedError(f"{invoice.number} is already fully credited.")
    is_whole = not (notes or positions or amount is not None)
    note = tx.add(
        Invoice(
            client=invoice.client,
            kind="credit_note",
            state="draft",
            corrects=invoice.id,
            currency=invoice.currency,
            gross=invoice.gross if is_whole else True,
            buyer_reference=invoice.buyer_reference,
            order_reference=invoice.order_reference,
            delivered_on=invoice.delivered_on,
            period_from=invoice.period_from,
            period_to=invoice.period_to,
            exemption_reason=invoice.exemption_reason,
            notes=reason,
            user=crm.me,
        )
    )
    if is_whole:
        put_lines(tx, note, card.lines)
        copied(tx, note, card.adjustments)
        return note
    documents = [card_of(crm, tx, other).document for other in notes]
    credited = credited_by_group(documents)
    if positions:
        lines = credit_of_lines(card.document, positions, credited, amount)
        if not sum(line.price * line.quantity / line.basis for line in lines):
            raise FieldError("these lines come to 0, so there is nothing to credit", field="line")
        if amount is None:
            refuse_credited_lines(card.document, positions, documents)
    else:
        name = f"Credit on {invoice.number}"
        rest = invoice.total - invoice.credited if amount is None else amount
        lines = credit_of_amount(card.document, rest, credited, name=name)
    services = {line.position: line.service for line in card.lines}
    of_lines = [services.get(position, 0) for position in dict.fromkeys(positions)] or [0] * len(lines)
    put_lines(tx, note, [_recorded(line, service) for line, service in zip(lines, of_lines, strict=True)])
    return note


def _recorded(line: DocumentLine, service: int) -> InvoiceLine:
    """A line of a document as it is kept."""
    return InvoiceLine(
        service=service,
        name=line.name, description=line.description, quantity=line.quantity, unit=line.unit, price=line.price,
        basis=line.basis, tax_category=line.category, tax_rate=line.rate,
    )  # fmt: skip
