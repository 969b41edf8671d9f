"""Dates as people write them."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from crm.errors import FieldError
from crm.model.conventions import Conventions
from crm.model.fields.checks import Check

FOREVER = date(9999, 12, 31)

_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_WRITTEN_DAY = re.compile(r"(\d{1,2})[./-]\s?(\d{1,2})[./-]\s?(\d{4})")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Day(Check):
    """A date: 2026-11-21, today, yesterday, fri, or day and month in the team's order.

    A weekday is the last one before today where `past`, else the next one. `earliest` and, with
    `past`, today bound it.
    """

    past: bool = True
    earliest: date = date(1900, 1, 1)

    empty = None
    example = "2026-11-20, today, fri"

    def read(self, typed: str, by: Conventions) -> date | None:
        text = typed.strip().lower()
        if not text:
            return None
        day = self._day(text, by)
        if day < self.earliest:
            raise FieldError(f"{day.isoformat()} is before {self.earliest.isoformat()}")
        if self.past and day > by.today:
            raise FieldError(f"{day.isoformat()} lies in the future (today is {by.today.isoformat()})")
        return day

    def _day(self, text: str, by: Conventions) -> date:
        words = {"today": 0, "yesterday": -1, "tomorrow": 1}
        if text in words:
            return by.today + timedelta(days=words[text])
        if len(text) >= 3 and (named := [day for day in _WEEKDAYS if day.startswith(text)]):
            distance = _WEEKDAYS.index(named[0]) - by.today.weekday()
            return by.today + timedelta(days=-(-distance % 7 or 7) if self.past else (distance % 7 or 7))
        if iso := _ISO_DAY.fullmatch(text):
            year, month, day = (int(part) for part in iso.groups())
        elif written := _WRITTEN_DAY.fullmatch(text):
            first, second, year = (int(part) for part in written.groups())
            day, month = (first, second) if by.day_first or "." in text else (second, first)
        else:
            raise FieldError("write the date as year-month-day, like 2026-11-20, or today, yesterday, fri")
        return calendar_day(year, month, day)

    def show(self, value: Any, by: Conventions) -> str:
        return "until lifted" if value == FOREVER else by.day(value)

    def edit(self, value: Any, by: Conventions) -> str:
        return value.isoformat() if value is not None else ""


class Birthday(Day):
    """The date on which somebody was born."""

    example = "1985-03-24"


def calendar_day(year: int, month: int, day: int) -> date:
    """The date of these numbers; a FieldError says which of them cannot be."""
    try:
        return date(year, month, day)
    except ValueError as error:
        if not 1 <= month <= 12:
            raise FieldError(f"there is no month {month}") from error
        raise FieldError(f"there is no day {day} in {year}-{month:02d}") from error


_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm)?")


class TimeOfDay(Check):
    """A time of day, local: 10:00, 9.30, 4pm; kept as HH:MM, '' for none."""

    example = "10:00, 4pm"

    def read(self, typed: str, by: Conventions) -> str:
        text = typed.strip().lower()
        if not text:
            return ""
        written = _TIME.fullmatch(text)
        if written is None:
            raise FieldError("write the time as hours and minutes, like 10:00 or 4pm")
        hour, minute, half = int(written[1]), int(written[2] or 0), written[3]
        if half:
            if not 1 <= hour <= 12:
                raise FieldError("with am or pm the hour is from 1 to 12")
            hour = hour % 12 + (12 if half == "pm" else 0)
        if hour > 23 or minute > 59:
            raise FieldError("there is no such time of day")
        return f"{hour:02}:{minute:02}"
