"""Dates and times of day as fields take them."""

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from crm.errors import FieldError
from crm.lean_dataclass import dataclass
from crm.model.conventions import Conventions
from crm.model.fields.checks import Check

if TYPE_CHECKING:
    # What reads dates is loaded when one is typed: most lists ask for none.
    from crm.model.written_dates import Direction, When

__all__ = ["FOREVER", "Birthday", "Day", "TimeOfDay"]

FOREVER = date(9999, 12, 31)
_FOREVER = "until lifted"


@dataclass(frozen=True)
class Day(Check):
    """A date as people write it (`crm.model.written_dates`).

    What is said without a year or a week is the last one where `past`, else the next one. `earliest` and, with `past`,
    today bound it. Of a week, month or year that is named instead, `of_period` says which day is meant: the first,
    which is so for what may lie ahead, the last, or none. `or_later` takes a day to come as well where one of the past
    is meant, `from_today` none that has passed. One that is `timed` takes a time too, and then is a When.
    """

    past: bool = True
    earliest: date = date(1900, 1, 1)
    of_period: Literal["", "first", "last"] = ""
    or_later: bool = False
    from_today: bool = False
    timed: bool = False

    empty = None
    example = "2026-11-20, Nov 20, 11/20, fri or in 10 days"

    @property
    def _direction(self) -> "Direction":
        return "past" if self.past else "ahead"

    def read(self, typed: str, by: Conventions) -> "date | When | None":
        text = typed.strip()
        if not text:
            return None
        if not self.past and text.casefold() == _FOREVER:
            return FOREVER
        when = self._when(text, by)
        day = self._day_of(when)
        if day < self.earliest:
            raise FieldError(f"{by.day(day)} is before {by.day(self.earliest)}")
        if self.from_today and day < by.today:
            raise FieldError(f"{by.day(day)} has passed (today is {by.day(by.today)})")
        if self.past and not self.or_later and day > by.today:
            if self.of_period != "last" or when.day > by.today:
                raise FieldError(f"{by.day(day)} is in the future (today is {by.day(by.today)})")
            # Of a period that is not over yet what has passed.
            day = by.today
        if when.time and not self.timed:
            raise FieldError(f"leave out the time ({by.time_of_day(when.time)}); only the day counts here")
        if not when.time:
            return day
        from crm.model.written_dates import When

        return When(day, when.time)

    def _when(self, text: str, by: Conventions) -> "When":
        from crm.model.written_dates import NoDateError, read_when

        try:
            return read_when(text, by, self._direction)
        except NoDateError:
            raise NoDateError(self.hint(by)) from None

    def _day_of(self, when: "When") -> date:
        if when.last is None:
            return when.day
        if self.past and not self.of_period:
            raise FieldError("that is more than one day; say which day it was")
        return when.last if self.of_period == "last" else when.day

    def show(self, value: Any, by: Conventions) -> str:
        if value is not None and not isinstance(value, date):
            return f"{by.day(value.day)}, {by.time_of_day(value.time)}" if value.time else by.day(value.day)
        return _FOREVER if value == FOREVER else by.day(value)

    def edit(self, value: Any, by: Conventions) -> str:
        return self.show(value, by)

    def hint(self, by: Conventions) -> str:
        from crm.model.written_dates import examples

        return examples(by, self._direction)


class Birthday(Day):
    """The date on which somebody was born, with its year."""

    example = "1985-03-24 or Mar 24, 1985"

    def _when(self, text: str, by: Conventions) -> "When":
        when = super()._when(text, by)
        if not when.has_year and when.last is not None and re.search(r"\d{4}", text):
            raise FieldError(f"write the day and the month too, like {self.hint(by)}")
        if not when.has_year:
            raise FieldError(f"write the year too, like {self.hint(by)}")
        return when

    def hint(self, by: Conventions) -> str:
        born = date(1985, 3, 24)
        return f"{by.day(born)} or {born.isoformat()}"


class TimeOfDay(Check):
    """A time of day, local: 10:00, 9.30, 4pm; kept as HH:MM, '' for none."""

    example = "10:00, 4pm"

    def read(self, typed: str, by: Conventions) -> str:
        from crm.model.written_dates import read_time

        return read_time(typed, by) if typed.strip() else ""

    def show(self, value: Any, by: Conventions) -> str:
        return by.time_of_day(value or "")

    def edit(self, value: Any, by: Conventions) -> str:
        return self.show(value, by)
