"""Dates as files write them, and in which order a column has day and month."""

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from crm.errors import FieldError
from crm.files.column_names import plain_words
from crm.model import Conventions
from crm.model.written_dates import calendar_day, printed_day

_NUMBERS = re.compile(r"(\d{1,4})\s?([./\s-])\s?(\d{1,2})\s?\2\s?(\d{1,4})\.?")
# How programs write that there is no date: noughts, the first or last day that they can count, or a word.
_NOUGHTS = re.compile(r"(?=.*0)(?:0+[./\s-]0+[./\s-]0+|0{6,8}|0)")
_EXCEL_NOUGHT = re.compile(r"(?:\d{4}-\d{1,2}-0{1,2}|0?1/0/(?:19)?00|0?0-jan-(?:19)?00)", re.IGNORECASE)
_NO_YEARS = frozenset((1, 1601, 1753, 4501, 9999))
_NO_DAYS = frozenset((date(1900, 1, 1), date(1899, 12, 30), date(1899, 12, 31)))
# The days since 1899-12-30, as Excel counts them: of a birthday, up to 2064.
_SERIAL = re.compile(r"([1-5]\d{4})(?:\.\d+)?")
_WITHOUT_YEAR = re.compile(r"--(\d\d)-?(\d\d)|1604-(\d\d)-(\d\d)")
_DAY_AND_MONTH = re.compile(r"(\d{1,2})([./])\s?(\d{1,2})(\.?)")
_COMPACT = re.compile(r"((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?:T\d{4,6}Z?)?")
_TIME = re.compile(r"(?:\s*,\s*|\s+|T)\d{1,2}:\d{2}.*", re.DOTALL)
_WRITTEN = re.compile(r"(?=.*[^\W\d_]{3})(?=.*\d)[\w\s.,'-]{6,40}")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
# Of so many dates that could be in either order, for one that shows the order, more are in the team's.
_MOST_UNCLEAR = 8
_OTHER_ORDER = {"dmy": "mdy", "mdy": "dmy"}
_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt")


def read_day(text: str, order: str, by: Conventions) -> date:
    """The date that a cell says; `order` is 'ymd', 'dmy', 'mdy', or '' for the team's own.

    A time after the date is left out. Two digits of a year mean one not after this year. With points
    between, the day comes first whatever the team's order. Raises FieldError.
    """
    text = _TIME.sub("", text.strip(), count=1).strip()
    numbers = _numbers(text)
    if numbers is None:
        if serial := _SERIAL.fullmatch(text):
            return date(1899, 12, 30) + timedelta(int(serial[1]))
        # As the program itself prints it, in the team's language.
        return printed_day(text, by) or _written_day(text, order, by)
    first, second, third, mark, year_first = numbers
    if year_first or (order == "ymd" and len(third) <= 2):
        return calendar_day(_year(first, by), int(second), int(third))
    day_first = order == "dmy" or (order != "mdy" and (by.day_first or mark == "."))
    day, month = (first, second) if day_first else (second, first)
    return calendar_day(_year(third, by), int(month), int(day))


def is_no_date(text: str) -> bool:
    """Return whether a cell is what programs write where there is no date, like 0000-00-00 and 01/01/0001."""
    text = _TIME.sub("", text.strip(), count=1).strip()
    if _NOUGHTS.fullmatch(text) or _EXCEL_NOUGHT.fullmatch(text):
        return True
    numbers = _numbers(text)
    if numbers is None:
        return False
    first, second, third, _, year_first = numbers
    year, *others = (first, second, third) if year_first else (third, first, second)
    if int(year) in _NO_YEARS and len(year) == 4:
        return {*map(int, others)} <= {1, 12, 31}
    return any((int(year), {*map(int, others)}) == (day.year, {day.month, day.day}) for day in _NO_DAYS)


def without_year(text: str, order: str, by: Conventions) -> str:
    """Month and day, '03-24', of a date that names no year; '' for any other text. 1604 is Apple's word for none."""
    text = text.strip()
    if match := _WITHOUT_YEAR.fullmatch(_TIME.sub("", text, count=1)):
        month, day = map(int, filter(None, match.groups()))
    elif match := _DAY_AND_MONTH.fullmatch(text):
        one, mark, other, _ = match.groups()
        day_first = order == "dmy" or mark == "." or (order != "mdy" and by.day_first)
        day, month = map(int, (one, other) if day_first else (other, one))
    else:
        words = re.sub(r"(\d)(?:st|nd|rd|th|er|o|a)\b", r"\1", plain_words(text)).split()
        months = [_months()[word] for word in words if word in _months()]
        if len(words) != 2 or len(months) != 1 or sum(word.isdigit() for word in words) != 1:
            return ""
        month, day = months[0], next(int(word) for word in words if word.isdigit())
    # A leap year has every day that there is.
    return f"{month:02}-{day:02}" if 1 <= month <= 12 and 1 <= day <= monthrange(2000, month)[1] else ""


def order_of(cells: Sequence[str], by: Conventions) -> str:
    """The order of year, month and day in a column: 'ymd', 'dmy' or 'mdy'; '' if it has no dates.

    A number above 12 decides; where both orders have some, most of them do. Few among many that could be either do not
    turn those, and dates with points decide only where no others do; else the team's order counts. Dates that begin
    with the year in full are read in any order, and decide only where no other does.
    """
    filled = [text for cell in cells if (text := cell.strip()) and not is_no_date(text)]
    orders: Counter[str] = Counter()
    # Those of them that end with the year in full, by whether they have points.
    ending_in_year: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    teams = "dmy" if by.day_first else "mdy"
    dates = 0
    for text in filled:
        numbers = _numbers(_TIME.sub("", text, count=1).strip())
        if numbers is None:
            if _is_written(text) or (_YEAR.search(text) and printed_day(text, by)):
                dates += 1
                orders["written"] += 1
            continue
        first, second = int(numbers[0]), int(numbers[1])
        mark, year_first = numbers[3:]
        if year_first:
            orders["ymd"] += 1
        elif first > 12 >= second:
            orders["dmy"] += 1
            ending_in_year[mark == "."]["dmy"] += len(numbers[2]) == 4
        elif second > 12 >= first:
            orders["mdy"] += 1
            ending_in_year[mark == "."]["mdy"] += len(numbers[2]) == 4
        elif first > 12:
            continue
        else:
            orders["points" if mark == "." else "either"] += 1
        dates += 1
    if not dates or dates < 0.6 * len(filled):
        return ""
    for has_points, clear in ending_in_year.items():
        if clear.total():
            # A date with points has the day first, whatever the others are.
            if (0 if has_points else clear.total() * _MOST_UNCLEAR) < orders["either"]:
                return teams
            return max((clear[order], order == teams, order) for order in ("dmy", "mdy"))[2]
    decided = [(orders[order], order) for order in ("ymd", "dmy", "mdy") if orders[order]]
    if decided and (max(decided)[1] != "ymd" or not (orders["points"] or orders["either"])):
        return max(decided)[1]
    if orders["points"] >= orders["either"] and orders["points"]:
        return "dmy"
    return teams


class DaysInColumn:
    """The reader of the dates of one column, which knows those written in another order than the column's, and those
    that could be. `is_mixed` is whether some are; where it is known from the start, points tell the order, too."""

    def __init__(self, order: str, by: Conventions, *, is_mixed: bool = False) -> None:
        self.order = order
        self.is_mixed = is_mixed
        self._by = by
        self._by_points = is_mixed
        self._other = _OTHER_ORDER.get(order, "")
        self._known = lru_cache(maxsize=4096)(self._read)

    def __call__(self, text: str) -> date:
        """The date that a cell says. Raises FieldError."""
        return self._known(text)

    def _read(self, text: str) -> date:
        order = self._order(text)
        if order == self._other and order:
            self.is_mixed = True
        return read_day(text, order, self._by)

    def _order(self, text: str) -> str:
        """The order in which a text is read: where it can be meant in one only, in that."""
        possible = _possible_order(text)
        if possible == self._other or (
            possible == "either" and self._by_points and self.order == "mdy" and "." in text
        ):
            return self._other
        return self.order

    def doubt(self, text: str) -> Literal["other", "either", ""]:
        """Say why a date is to be checked: it is read in the other order, or could be; '' where it need not be."""
        if not self.is_mixed or not self._other or not (possible := _possible_order(text)):
            return ""
        if self._order(text) == self._other:
            return "other"
        return "either" if possible == "either" else ""


def _possible_order(text: str) -> str:
    """The order in which alone a text can be a date, 'dmy' or 'mdy', or 'either'; '' for one that begins with the year
    in full, has the same number twice, or is none in numbers."""
    numbers = _numbers(_TIME.sub("", text.strip(), count=1).strip())
    if numbers is None or numbers[4]:
        return ""
    first, second = int(numbers[0]), int(numbers[1])
    if first == second or max(first, second) > 31 or min(first, second) > 12:
        return ""
    return "dmy" if first > 12 else "mdy" if second > 12 else "either"


def in_two_orders(cells: Sequence[str], order: str) -> bool:
    """Return whether some dates of a column are meant in another order than the column's."""
    other = _OTHER_ORDER.get(order, "")
    return bool(other) and any(
        possible == other or (possible == "either" and order == "mdy" and "." in cell)
        for cell in cells
        if (possible := _possible_order(cell))
    )


def _numbers(text: str) -> tuple[str, str, str, str, bool] | None:
    """The three numbers of a date, the mark between them, and whether they begin with a year in full."""
    if compact := _COMPACT.fullmatch(text):
        year, month, day = compact.groups()
        return year, month, day, "", True
    match = _NUMBERS.fullmatch(text)
    if match is None:
        return None
    first, mark, second, third = match.groups()
    # Of the first and the last number one is the year, in two digits or in four.
    if 3 in (len(first), len(third)) or len(first) == len(third) == 4 or (len(third) == 1 and len(first) < 4):
        return None
    longest = max(first, third, key=len)
    year = int(longest)
    if len(longest) == 4 and not 1800 <= year < 2200 and year not in _NO_YEARS:
        return None
    return first, second, third, mark, len(first) == 4


def _year(written: str | int, by: Conventions) -> int:
    """The year that two digits or four stand for; 0085 is no 1985."""
    year = int(written)
    if year >= 100 or len(str(written)) > 2:
        return year
    return 2000 + year if 2000 + year <= by.today.year else 1900 + year


def _is_written(text: str) -> bool:
    return bool(_WRITTEN.fullmatch(text)) and any(word in _months() for word in plain_words(text).split())


def _written_day(text: str, order: str, by: Conventions) -> date:
    """3 March 2026, Mar 3, 2026, 3. März 2026, 3 de marzo de 2026."""
    if len(text) <= 60 and any(character.isalpha() for character in text):
        words = re.sub(r"(\d)(?:st|nd|rd|th|er|o|a)\b", r"\1", plain_words(text)).split()
        numbers = [int(word) for word in words if word.isdigit() and len(word) <= 4]
        months = [_months()[word] for word in words if word in _months()]
        if len(numbers) == 2 and len(months) == 1:
            day, year = numbers if numbers[0] <= 31 and not (order == "ymd" and numbers[1] <= 31) else numbers[::-1]
            return calendar_day(_year(year, by), months[0], day)
    raise FieldError("that is not a date; write it like 2026-11-20")


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    from babel import Locale

    months: dict[str, int] = {}
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for number, name in Locale.parse(language).months["format"][width].items():
                word = plain_words(name)
                # In one language 'mar' is March and in none another month; the first to say so is right.
                months.setdefault(word, number)
                months.setdefault(word[:3] if len(word) > 3 and word[:3] not in ("jui",) else word, number)
    return months | {"sept": 9}
