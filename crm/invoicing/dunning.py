"""Reminders: which level of reminder is due for an invoice, its fee and its interest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A level of reminder: from how many days after the due day, with which text, fee, interest and new term."""

    number: int
    days: int
    fee: Decimal = Decimal("0.00")
    interest: Decimal = Decimal(0)
    """Per cent a year."""
    term: int = 7
    """In how many days it asks to be paid; the next level does not come before they have passed."""
    text: str = ""


LEVELS: Final = (
    Level(number=1, days=3, term=7),
    Level(number=2, days=14, term=7),
    Level(number=3, days=28, term=7),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """What is known of an invoice when reminders are made."""

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


def due_reminder(overdue: Overdue, levels: Sequence[Level], today: date, *, decimals: int = 2) -> DueReminder | None:
    """The next level, where it is due today: never two levels in one run, never before the term of the one before has
    passed, never where something was paid today or a promise has not run out. None where nothing is due."""
    raise NotImplementedError


def interest_on(amount: Decimal, percent: Decimal, days: int, *, decimals: int = 2) -> Decimal:
    """Simple interest: amount x percent / 100 x days / 365, rounded half up."""
    raise NotImplementedError
