"""A statement of account: what a client was invoiced, credited, paid and refunded, with the balance after each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from crm.invoicing.document import NOTHING

# In this order on one day. An invoice and a refund raise what the client owes; the others lower it.
ENTRY_KINDS: Final = ("invoice", "credit note", "payment", "refund")
_RAISE: Final = ("invoice", "refund")


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
    balance = opening = NOTHING
    lines = []
    for entry in sorted(entries, key=lambda entry: (entry.on, ENTRY_KINDS.index(entry.kind), entry.id)):
        if entry.on > until:
            break
        change = entry.amount if entry.kind in _RAISE else -entry.amount
        balance += change
        if since is not None and entry.on < since:
            opening = balance
        else:
            lines.append(StatementLine(entry=entry, change=change, balance=balance))
    return Statement(since=since, until=until, opening=opening, lines=tuple(lines), closing=balance)
