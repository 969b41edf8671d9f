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
class PaidOn:
    """The part of a payment that is on an invoice (`id` is that of the allocation), and how much more was paid on this
    invoice than it comes to, as it was credited later."""

    id: int
    payment: int
    invoice: int
    amount: Decimal
    overpaid: Decimal


def freed_parts(paid: Iterable[PaidOn]) -> Mapping[int, Decimal]:
    """The amount of each allocation that its invoice needs no more, never 0: of what was paid last first."""
    still: dict[int, Decimal] = {}
    freed: dict[int, Decimal] = {}
    for part in sorted(paid, key=lambda part: part.id, reverse=True):
        over = still.get(part.invoice, part.overpaid)
        if (amount := min(over, part.amount)) > 0:
            freed[part.id] = amount
            still[part.invoice] = over - amount
    return freed


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidIn:
    """A payment or a refund of a client: what it adds to the credit (a refund removes), and its day."""

    id: int
    client: int
    currency: str
    on: date
    left: Decimal
    is_refund: bool = False


def left_of(payments: Iterable[PaidIn], paid_on: Sequence[PaidOn]) -> Mapping[int, Decimal]:
    """The amount that is still left of each payment: what is on no invoice, and what was freed by a credit note. A
    refund takes from the oldest first."""
    newest_first = sorted(payments, key=lambda payment: (payment.on, payment.id), reverse=True)
    freed: dict[int, Decimal] = {}
    amounts = freed_parts(paid_on)
    for part in paid_on:
        freed[part.payment] = freed.get(part.payment, NOTHING) + amounts.get(part.id, NOTHING)
    credits: dict[tuple[int, str], Decimal] = {}
    for payment in newest_first:
        key = payment.client, payment.currency
        credits[key] = credits.get(key, NOTHING) + payment.left + freed.get(payment.id, NOTHING)
    still: dict[int, Decimal] = {}
    for payment in newest_first:
        left = payment.left + freed.get(payment.id, NOTHING)
        if not payment.is_refund and left > 0:
            key = payment.client, payment.currency
            still[payment.id] = min(left, max(credits[key], NOTHING))
            credits[key] -= still[payment.id]
    return still
