"""Open amounts by how long they have been due: not yet, 1-30, 31-60, 61-90, more than 90 days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from crm.invoicing.document import NOTHING


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
    raise NotImplementedError


def ageing(open_amounts: Iterable[tuple[Decimal, date | None]], today: date) -> Ageing:
    """Open amounts with the days on which they are due, as one table."""
    raise NotImplementedError
