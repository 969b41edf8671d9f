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
    raise NotImplementedError


def allocate_as_given(amount: Decimal, invoices: Sequence[OpenInvoice], amounts: Mapping[int, Decimal]) -> Allocated:
    """Use an amount as somebody says: so much for this invoice, so much for that one. Raises FieldError where it is
    more than the payment or more than is open on one of them, or where one of them is not open."""
    raise NotImplementedError
