"""Invoices in a store: the figures of drafts follow their lines, and what was issued stays as it is."""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from crm.batching import batches
from crm.errors import FieldError, RefusedError
from crm.invoicing import document as documents
from crm.invoicing.totals import Totals, totals
from crm.model import AFTER_ISSUE, FILLED_AFTER_ISSUE, Adjustment, Invoice, InvoiceLine, NumberSeries, Payment, Record
from crm.model.encoding import plain
from crm.model.money import decimals_of
from crm.repository import Query

if TYPE_CHECKING:
    from crm.repository import Snapshot
    from crm.repository.sql_access import SqlWriter

_STAYS = "An issued invoice cannot be changed. Credit it instead. Nothing was changed."
ONE = Decimal(1)
_PARTIES = frozenset(("seller", "buyer"))
# Where e-invoices go: what of a party may be filled in after the issue, once.
_ADDRESS = ("electronic_address", "electronic_scheme")


# What the digest of an issued invoice is of, beside the references that it has.
_SEALED: Mapping[type[Record], tuple[str, ...]] = {
    Invoice: (
        "kind", "number", "corrects", "issued_on", "due_on", "delivered_on", "period_from", "period_to", "currency",
        "gross", "exemption_reason", "notes", "terms", "seller", "buyer", "net", "tax", "total",
    ),
    InvoiceLine: (
        "position", "name", "description", "quantity", "unit", "price", "basis", "discount", "charge", "discounts",
        "charges", "tax_category", "tax_rate", "net",
    ),
    Adjustment: ("is_charge", "amount", "percent", "tax_category", "tax_rate", "reason"),
}  # fmt: skip


def digest_of(invoice: Invoice, lines: Iterable[InvoiceLine], adjustments: Iterable[Adjustment]) -> str:
    """The digest of all that stays as it is once an invoice is issued: its words, its figures, its lines."""
    sealed = [
        [plain(getattr(record, name)) for name in _SEALED[type(record)]] for record in (invoice, *lines, *adjustments)
    ]
    sealed += [[name, getattr(invoice, name)] for name in sorted(FILLED_AFTER_ISSUE) if getattr(invoice, name)]
    return hashlib.sha256(json.dumps(sealed, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()


# The kinds of which a write may be refused because of an issued invoice.
REFUSED = frozenset((Invoice, InvoiceLine, Adjustment, NumberSeries))


def refuse_write(tx: "SqlWriter", record: Record, changes: Mapping[str, Any] | None = None) -> None:
    """Raise RefusedError where a record is, or belongs to, an issued invoice, which stays as it is, or is a series
    that has given numbers and would go. `changes` are the fields that are to be written, None where the record is
    added, put back or deleted. A backup that is restored may change all of it."""
    if tx.is_restoring:
        return
    match record:
        case Invoice(state="issued"):
            # One that is restored comes into a store where it is not.
            is_added = changes is None and tx.find(Invoice, record.id) is None
            if not is_added and (changes is None or not _may_change(record, changes).issuperset(changes)):
                raise RefusedError(_STAYS)
        case InvoiceLine() | Adjustment():
            invoice = tx.find(Invoice, record.invoice)
            if invoice and invoice.state == "issued" and invoice.id not in tx.put_back_invoices:
                raise RefusedError(_STAYS)
        case NumberSeries() if changes is None and tx.find(NumberSeries, record.id) is not None:
            if tx.count(Invoice, Query({"kind": record.name, "state": "issued"})):
                raise RefusedError("This series already has numbers in use, so it stays. Nothing was changed.")


def lasting(tx: "SqlWriter", kind: type[Record], name: str, ids: Sequence[int]) -> str:
    """Name what cannot be deleted of a kind that names one of these ids in a field; empty for nothing."""
    if kind is Invoice and tx.count(Invoice, Query({name: list(ids), "state": "issued"})):
        return "Issued invoices"
    return "Payments" if kind is Payment else ""


def _may_change(invoice: Invoice, changes: Mapping[str, Any]) -> frozenset[str]:
    """The fields of an issued invoice that may be written: those that still change, a blank one that the law does not
    ask for, and a party in which only a blank address for e-invoices is filled in."""
    blank = {name for name in FILLED_AFTER_ISSUE if not getattr(invoice, name)}
    parties = {
        name for name in _PARTIES & changes.keys() if changes[name] == filled_in(getattr(invoice, name), changes[name])
    }
    return AFTER_ISSUE | blank | parties


def filled_in(frozen: str, current: str) -> str:
    """A party as it was frozen, with the address for e-invoices that it has now where it had none."""
    party, address = party_of(frozen), party_of(current)
    if not party or party.get("electronic_address") or not address.get("electronic_address"):
        return frozen
    return json.dumps({**party, **{name: address.get(name, "") for name in _ADDRESS}}, ensure_ascii=False)


def instead_of_changing(invoice: Invoice, *, command: bool = True) -> str:
    """The sentence that says what can be done instead of changing or undoing what was issued, and by which command."""
    if invoice.kind == "credit_note":
        return "To charge it again, issue a new invoice."
    by_command = f" (`invoices credit {invoice.number}`)" if command else ""
    return f"To cancel it, open it and credit it{by_command}."


def party_of(frozen: str) -> dict[str, Any]:
    """The seller or the buyer of an issued invoice as it was frozen; nothing where somebody has damaged it."""
    try:
        party = json.loads(frozen)
    except ValueError:
        return {}
    return party if isinstance(party, dict) else {}


def resealed(tx: "SqlWriter", record: Record, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The digest of an issued invoice in which a blank reference or address is filled in; nothing for any other
    change."""
    if not (isinstance(record, Invoice) and record.state == "issued" and record.digest):
        return {}
    if tx.is_restoring or (FILLED_AFTER_ISSUE | _PARTIES).isdisjoint(changes):
        return {}
    lines, adjustments = belonging(tx, record.id)
    return {"digest": digest_of(dataclasses.replace(record, **changes), lines, adjustments)}


def totals_of(invoice: Invoice, lines: Collection[InvoiceLine], adjustments: Collection[Adjustment]) -> Totals:
    """Every figure of an invoice, from its lines and its adjustments. Raises FieldError."""
    return totals(
        [priced(line) for line in lines],
        [adjusted(adjustment) for adjustment in adjustments],
        decimals=decimals_of(invoice.currency),
        gross=invoice.gross,
    )


def priced(line: InvoiceLine) -> documents.PricedLine:
    """A line as the totals take it."""
    return documents.PricedLine(
        quantity=line.quantity,
        price=line.price,
        basis=line.basis or ONE,
        discounts=parts_of(line.discount, line.discounts),
        charges=parts_of(line.charge, line.charges),
        category=line.tax_category,
        rate=line.tax_rate,
    )


def parts_of(total: Decimal, written: str) -> tuple[Decimal, ...]:
    """The discounts or charges that make the one of a line: as they are `written`, 1.00 + 0.50, unless somebody has
    changed their sum since."""
    try:
        parts = tuple(Decimal(part) for part in written.split(" + ")) if written else ()
    except InvalidOperation:
        parts = ()
    if all(part.is_finite() and part > 0 for part in parts) and sum(parts) == total:
        return parts
    return (total,) if total else ()


def written_parts(parts: Sequence[Decimal]) -> str:
    """Several discounts or charges as a line keeps them; '' where the sum says it all."""
    several = [part for part in parts if part]
    return " + ".join(f"{part:f}" for part in several) if len(several) > 1 else ""


def adjusted(adjustment: Adjustment) -> documents.Adjustment:
    """An adjustment as the totals take it."""
    return documents.Adjustment(
        is_charge=adjustment.is_charge,
        amount=None if adjustment.percent else adjustment.amount,
        percent=adjustment.percent or None,
        category=adjustment.tax_category,
        rate=adjustment.tax_rate if adjustment.tax_category else None,
        reason=adjustment.reason,
    )


def belonging(snapshot: "Snapshot", invoice: int) -> tuple[list[InvoiceLine], list[Adjustment]]:
    """The lines of an invoice in their order, and its adjustments."""
    of_invoice = {"invoice": invoice}
    lines = snapshot.find_all(InvoiceLine, Query(of_invoice, sort="position"))
    return list(lines), list(snapshot.find_all(Adjustment, Query(of_invoice, sort="id")))


def with_parts(
    snapshot: "Snapshot", invoices: Iterable[Invoice]
) -> Iterator[tuple[Invoice, list[InvoiceLine], list[Adjustment]]]:
    """Invoices with their lines and adjustments, read many at a time."""
    for batch in batches(invoices):
        among = {"invoice": [invoice.id for invoice in batch]}
        lines: dict[int, list[InvoiceLine]] = {}
        for line in snapshot.each(InvoiceLine, Query(among, sort="position")):
            lines.setdefault(line.invoice, []).append(line)
        adjustments: dict[int, list[Adjustment]] = {}
        for adjustment in snapshot.each(Adjustment, Query(among, sort="id")):
            adjustments.setdefault(adjustment.invoice, []).append(adjustment)
        for invoice in batch:
            yield invoice, lines.get(invoice.id, []), adjustments.get(invoice.id, [])


def refuse_uncountable(tx: "SqlWriter", record: Record) -> None:
    """Raise FieldError where a line or an adjustment, as it is to be written, leaves its draft without figures."""
    if not isinstance(record, InvoiceLine | Adjustment):
        return
    invoice = tx.find(Invoice, record.invoice)
    if invoice is None or invoice.state != "draft":
        return
    lines, adjustments = belonging(tx, invoice.id)
    if isinstance(record, InvoiceLine):
        lines = [*(line for line in lines if line.id != record.id), record]
    else:
        adjustments = [*(adjustment for adjustment in adjustments if adjustment.id != record.id), record]
    totals_of(invoice, lines, adjustments)


def note_put_back(tx: "SqlWriter", record: Record) -> None:
    """Note an invoice that is restored: its lines come back with it."""
    if isinstance(record, Invoice):
        tx.put_back_invoices.add(record.id)


def follow_lines(tx: "SqlWriter", number: int) -> None:
    """Write the figures of a draft, if there is one of this number, and of its lines as they follow from these."""
    invoice = tx.find(Invoice, number)
    if invoice is None or invoice.state != "draft":
        return
    lines, adjustments = belonging(tx, invoice.id)
    try:
        figures = totals_of(invoice, lines, adjustments)
    except FieldError as error:
        raise RefusedError(f"{error.sentence} Nothing was changed.") from error
    for line, net in zip(lines, figures.line_nets, strict=True):
        if line.net != net:
            tx.apply(line, {"net": net}, review=False)
    changes = {"net": figures.net, "tax": figures.tax, "total": figures.total}
    different = {name: value for name, value in changes.items() if getattr(invoice, name) != value}
    if different:
        tx.apply(invoice, different, review=False)


def followed(record: Record, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record that follow from its others and differ from what is to be there."""
    following = {name: follow(record) for name, follow in type(record).about.follows.items()}
    return {name: value for name, value in following.items() if changes.get(name, getattr(record, name)) != value}
