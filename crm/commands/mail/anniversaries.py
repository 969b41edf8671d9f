"""The days that come once a year: birthdays, the day of the first sale, and days of the calendar."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from crm.errors import FieldError
from crm.model import Conventions
from crm.model.fields import Check
from crm.model.written_dates import MONTHS
from crm.repository.queries.anniversaries import BIRTHDAY, FIRST_SALE

# Missed days are caught up as long as a late greeting still makes sense.
MADE_UP = 3
_WORDS = {BIRTHDAY: "birthdays", FIRST_SALE: "the anniversary of the first sale"}
_DAY = re.compile(r"(\d{1,2})[-./](\d{1,2})\.?")


@dataclass(frozen=True)
class YearlyDay(Check):
    """A day that comes once a year: birthday, first-sale, or a day and a month like 24-12."""

    example = "birthday, first-sale, 24-12"

    def read(self, typed: str, by: Conventions) -> str:
        text = " ".join(typed.lower().replace("_", " ").split())
        if text in ("birthday", "birthdays"):
            return BIRTHDAY
        if text.replace("-", " ") == FIRST_SALE:
            return FIRST_SALE
        match = _DAY.fullmatch(text)
        # A year that has all days.
        if (
            match is None
            or not 1 <= int(match[2]) <= 12
            or not 1 <= int(match[1]) <= monthrange(2000, int(match[2]))[1]
        ):
            raise FieldError("write birthday, first-sale, or a day and a month like 24-12")
        return f"{int(match[1]):02}-{int(match[2]):02}"

    def show(self, value: Any, by: Conventions) -> str:
        return occasion_words(str(value))


def occasion_words(occasion: str) -> str:
    """An occasion in words: 'birthdays', '24 December'."""
    if occasion in _WORDS:
        return _WORDS[occasion]
    match = _DAY.fullmatch(occasion)
    return f"{int(match[1])} {MONTHS[int(match[2]) - 1].capitalize()}" if match else occasion


def key_of(occasion: str, day: date) -> str:
    """The key that marks a message for an occasion, the same for a year: 'birthday 2026'."""
    return f"{occasion} {day.year}"


def days_due(today: date, since: date) -> list[date]:
    """The days that are greeted on a day, the latest first: that day itself, and those just before it from the day on
    since which there is such an order."""
    earlier = (today - timedelta(days=back) for back in range(1, MADE_UP + 1))
    return [today, *(day for day in earlier if day >= since)]
