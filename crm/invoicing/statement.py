"""A statement of account: what a client was invoiced, credited, paid and refunded, with the balance after each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

# In this order on one day. An invoice and a refund raise what the client owes; the others lower it.
ENTRY_KINDS: Final = ("invoice", "credit note", "payment", "refund")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that changed what a client owes; `amount` is positive."""

    on: date
    kind: str
    reference: str
    amount: Decimal
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """An entry with the balance after it: positive where the client owes us."""

    entry: Entry
    change: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The account of a client in a period, both days included."""

    since: date | None
    until: date
    opening: Decimal
    lines: tuple[StatementLine, ...]
    closing: Decimal


def statement(entries: Iterable[Entry], *, since: date | None = None, until: date) -> Statement:
    """The statement of a period; what came before it is the opening balance."""
    raise NotImplementedError
