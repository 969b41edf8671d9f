"""Payments: the invoices that one pays, and the credit that is left of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from crm.model.money import NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvoice:
    """An issued invoice on which something is open."""

    id: int
    open: Decimal
    issued_on: date
    due_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """An amount as it is used: by invoice (never 0), and what is left."""

    amounts: Mapping[int, Decimal]
    credit: Decimal


def allocate(amount: Decimal, invoices: Sequence[OpenInvoice], named: Sequence[int] | None = None) -> Allocated:
    """Use an amount for the invoices that are due first (then those issued first, then by id); with `named` only for
    those, in the order named. What is left is credit; more than is open never fails."""
    if named is None:
        in_order = sorted(invoices, key=_by_age)
    else:
        by_id = {invoice.id: invoice for invoice in invoices}
        in_order = [by_id[id] for id in dict.fromkeys(named) if id in by_id]
    amounts: dict[int, Decimal] = {}
    for invoice in in_order:
        part = min(amount, invoice.open)
        if part > 0:
            amounts[invoice.id] = part
            amount -= part
    return Allocated(amounts=amounts, credit=amount)


def _by_age(invoice: OpenInvoice) -> tuple[date, date, int]:
    return invoice.due_on or invoice.issued_on, invoice.issued_on, invoice.id


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidIn:
    """A payment or a refund of a client: what it adds to the credit (a refund takes away), and its day."""

    id: int
    client: int
    currency: str
    on: date
    left: Decimal
    is_refund: bool = False


def left_of(payments: Iterable[PaidIn], overpaid: Mapping[tuple[int, str], Decimal]) -> Mapping[int, Decimal]:
    """The amount that is still left of each payment: a refund takes from the oldest first, and what was paid on an
    invoice beyond what it comes to, by client and currency, is credit as well."""
    newest_first = sorted(payments, key=lambda payment: (payment.on, payment.id), reverse=True)
    credits = dict(overpaid)
    for payment in newest_first:
        key = payment.client, payment.currency
        credits[key] = credits.get(key, NOTHING) + payment.left
    still: dict[int, Decimal] = {}
    for payment in newest_first:
        if not payment.is_refund and payment.left > 0:
            key = payment.client, payment.currency
            still[payment.id] = min(payment.left, max(credits[key], NOTHING))
            credits[key] -= still[payment.id]
    return still
