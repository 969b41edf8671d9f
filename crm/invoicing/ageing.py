"""Open amounts by how long they have been due: not yet, 1-30, 31-60, 61-90, more than 90 days."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from crm.invoicing.document import NOTHING
from crm.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """Open amounts by age; `overdue` is all but what is not yet due."""

    not_due: Decimal = NOTHING
    to_30: Decimal = NOTHING
    to_60: Decimal = NOTHING
    to_90: Decimal = NOTHING
    over_90: Decimal = NOTHING
    overdue: Decimal = NOTHING
    total: Decimal = NOTHING
    oldest_days: int = 0


def days_overdue(due_on: date | None, today: date) -> int:
    """For how many days something has been overdue; 0 on the day it is due, and where it is due on no day."""
    return max((today - due_on).days, 0) if due_on is not None else 0


def ageing(open_amounts: Iterable[tuple[Decimal, date | None]], today: date) -> Ageing:
    """Open amounts with the days on which they are due, as one table."""
    sums = dict.fromkeys(("not_due", "to_30", "to_60", "to_90", "over_90"), NOTHING)
    oldest = 0
    for amount, due_on in open_amounts:
        days = days_overdue(due_on, today)
        sums[_age(days)] += amount
        if amount:
            oldest = max(oldest, days)
    total = sum(sums.values(), NOTHING)
    return Ageing(**sums, total=total, overdue=total - sums["not_due"], oldest_days=oldest)


def _age(days: int) -> str:
    if days <= 0:
        return "not_due"
    if days <= 30:
        return "to_30"
    if days <= 60:
        return "to_60"
    return "to_90" if days <= 90 else "over_90"
