"""Reminders: which level of reminder is due for an invoice, its fee and its interest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

from crm.model.billing import MOST_LEVELS
from crm.model.money import NOTHING, rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A level of reminder: from how many days after the due day, with which text, fee, interest and new term."""

    number: int
    days: int
    fee: Decimal = Decimal("0.00")
    interest: Decimal = Decimal(0)
    """Percent a year."""
    term: int = 7
    """In how many days it asks to be paid; the next level does not come before they have passed."""
    subject: str = ""
    text: str = ""


LEVELS: Final = (
    Level(number=1, days=3, term=7),
    Level(number=2, days=14, term=7),
    Level(number=3, days=28, term=7),
)


def faults_of(days: Mapping[int, int]) -> Sequence[str]:
    """The faults of levels, from the days overdue of each by its number: one is missing below another, or is not due
    later than the one before it."""
    highest = min(max(days, default=0), MOST_LEVELS)  # a damaged number may be any
    missing = [f"level {number} is missing" for number in range(1, highest) if number not in days]
    in_order = sorted(days.items())
    return missing + [
        f"level {number} has to come later than level {before}: {days_before} and {days_after} days overdue"
        for (before, days_before), (number, days_after) in pairwise(in_order)
        if days_after <= days_before
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """An invoice as reminders need it."""

    open: Decimal
    due_on: date | None
    reminded: int = 0
    """The level of the last reminder, 0 for none."""
    reminded_on: date | None = None
    last_paid_on: date | None = None
    promised_on: date | None = None
    """The day by which the client has promised to pay."""
    not_before: date | None = None
    """Somebody skipped it until this day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReminder:
    """The reminder that is due now: its level, and what it asks for beside the open amount."""

    level: Level
    days_overdue: int
    fee: Decimal
    interest: Decimal
    new_due_on: date


def days_overdue(due_on: date | None, today: date) -> int:
    """The number of days that something has been overdue; 0 on the day it is due, and where it is due on no day."""
    return max((today - due_on).days, 0) if due_on is not None else 0


def due_reminder(overdue: Overdue, levels: Sequence[Level], today: date, *, decimals: int = 2) -> DueReminder | None:
    """The next level, where it is due today: never two levels in one run, never before the term of the one before has
    passed, never where something was paid today or a promise has not run out. None where nothing is due."""
    if overdue.open <= 0 or overdue.due_on is None or overdue.due_on >= today:
        return None
    if overdue.last_paid_on == today:
        return None
    if overdue.promised_on is not None and overdue.promised_on >= today:
        return None
    if overdue.not_before is not None and overdue.not_before > today:
        return None
    by_number = {level.number: level for level in levels}
    later = [number for number in by_number if number > overdue.reminded]
    if not later:
        return None
    level = by_number[min(later)]
    days = days_overdue(overdue.due_on, today)
    if days < level.days:
        return None
    if overdue.reminded_on is not None:
        before = by_number.get(overdue.reminded)
        # Of a level that the table no longer has: its term is not known, but one day never brings two.
        if (today - overdue.reminded_on).days <= (before.term if before else 0):
            return None
    return DueReminder(
        level=level,
        days_overdue=days,
        fee=level.fee,
        interest=interest_on(overdue.open, level.interest, days, decimals=decimals),
        new_due_on=today + timedelta(days=level.term),
    )


def interest_on(amount: Decimal, percent: Decimal, days: int, *, decimals: int = 2) -> Decimal:
    """Simple interest: amount x percent / 100 x days / 365, rounded half up."""
    if not percent:
        return rounded(NOTHING, decimals)
    return rounded(Fraction(amount) * Fraction(percent) * max(days, 0) / 36500, decimals)
