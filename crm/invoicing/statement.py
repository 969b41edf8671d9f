"""A statement of account: what a client was invoiced, credited, paid and refunded, with the balance after each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from crm.invoicing.document import NOTHING
from crm.invoicing.dunning import days_overdue

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


# How long something has been due: by the name that scripts know, in words, and from how many days on.
AGES: Final = (
    ("not_due", "not due yet", None),
    ("to_30", "1 to 30 days overdue", 1),
    ("to_60", "31 to 60 days overdue", 31),
    ("to_90", "61 to 90 days overdue", 61),
    ("over_90", "over 90 days overdue", 91),
)


def by_age(still_open: Iterable[tuple[date | None, Decimal]], today: date) -> dict[str, Decimal]:
    """The open amounts of invoices, by how long they have been due: each its due day and what is open."""
    sums = {name: NOTHING for name, _, _ in AGES}
    for due_on, amount in still_open:
        days = days_overdue(due_on, today)
        name = next(name for name, _, begin in reversed(AGES) if begin is None or days >= begin)
        sums[name] += amount
    return sums
