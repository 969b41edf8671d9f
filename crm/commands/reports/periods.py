"""Months, quarters and years: their first and last days, and the same days of the year before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

# How many months a period has, by its word.
MONTHS: Mapping[str, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included. What begins or ends inside of a month, quarter or year has the
    name of the whole."""

    name: str
    first: date
    last: date


def month_of(day: date) -> date:
    """The first day of the month that a day is in."""
    return day.replace(day=1)


def later(first: date, months: int) -> date:
    """The first day of a month so many months later, or earlier."""
    counted = first.year * 12 + first.month - 1 + months
    return date(counted // 12, counted % 12 + 1, 1)


def end_of(first: date, months: int = 1) -> date:
    """The last day of so many months."""
    return later(first, months) - timedelta(days=1)


def begun(by: str, day: date) -> date:
    """The first day of the month, quarter or year that a day is in."""
    months = MONTHS[by]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def recent(by: str, many: int, until: date) -> date:
    """The first day of the last so many months, quarters or years, the running one among them."""
    return later(begun(by, until), -(many - 1) * MONTHS[by])


def periods(by: str, since: date, until: date) -> Iterator[Period]:
    """The months, quarters or years between two days, in order; the first and the last are cut at these days."""
    first = begun(by, since)
    while first <= until:
        last = end_of(first, MONTHS[by])
        yield Period(_name(by, first), max(first, since), min(last, until))
        first = last + timedelta(days=1)


def _name(by: str, first: date) -> str:
    match by:
        case "month":
            return f"{first.year:04}-{first.month:02}"
        case "quarter":
            return f"{first.year:04}-Q{(first.month + 2) // 3}"
    return f"{first.year:04}"


def year_before(period: Period) -> tuple[date, date]:
    """The same days a year earlier.

    The last day of a month answers to the last day of that month, so that a whole February is compared with a whole
    one; a period that begins on a 29th of February, with what begins on the 1st of March.
    """
    first, last = period.first, period.last
    before = date(last.year - 1, last.month, 1)
    is_end = (last + timedelta(days=1)).day == 1
    ends = end_of(before) if is_end else before.replace(day=last.day)
    if (first.month, first.day) == (2, 29):
        return date(first.year - 1, 3, 1), ends
    return first.replace(year=first.year - 1), ends
