"""Payments: the invoices that one pays, and the credit that is left of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


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
