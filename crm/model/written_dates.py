"""Dates and times as people write them: the one reader for forms, filters, the shell, quick capture and files.

Whatever the program prints is read, in each language that Babel prints; beside it day and month in the team's order,
the months and days of the week in its language and in English, and English words: next tuesday, in two weeks, end of
month, 30 days ago. A team that writes German may use German words, too.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from functools import lru_cache
from itertools import product
from typing import Literal

from crm.errors import FieldError
from crm.model.conventions import TURNING_MARKS, Conventions
from crm.model.folding import fold
from crm.model.german_dates import in_english

# Where what is meant lies when the words leave it open: 'fri', '5 dec', '12/24'. 'nearest' takes the next day of the
# week, and of the years before and after today the one that is nearer.
Direction = Literal["past", "ahead", "nearest"]

_LONGEST = 80
_SPREAD = 8
_LEAP_YEAR = 2024
_LAST_YEAR = 9999
# Two digits of a year mean one up to so many years ahead.
_YEARS_AHEAD = 20

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS: Mapping[str, int] = {
    "a": 1, "an": 1, "one": 1, "two": 2, "a couple of": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "a few": 3, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
# What may stand between day, month and year, and behind a number.
_BETWEEN = frozenset(("of", "the", "de", "del", "den", "der", "le", "d"))
_BEHIND = frozenset(("st", "nd", "rd", "th", "er", "re", "o", "a", "e"))
_BEFORE = re.compile(r"^(?:on|by|until|till|due|since) +")
_AT_TIMES: Mapping[str, str] = {
    "noon": "12:00", "midday": "12:00", "morning": "09:00", "afternoon": "14:00", "evening": "18:00",
}  # fmt: skip
_MOST_WORDS_OF_TIME = 3
_FIRST_WORKING_HOUR = 7

_THREE = re.compile(r"(\d{1,4})([./-]) ?(\d{1,2})\2 ?(\d{1,4})\.?|(\d{1,2})( )(\d{1,2}) (\d{4})")
_TWO = re.compile(r"(\d{1,2})([./-]) ?(\d{1,2})\.?")
_YEAR_AND_MONTH = re.compile(r"(?P<y>\d{4})[./-](?P<m>\d{1,2})|(?P<m2>\d{1,2})[./-](?P<y2>\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|a\.m\.|p\.m\.|h|o'clock)?")

_CLOCK = re.compile(r"\d:\d")

_COUNT = rf"(\d+|{'|'.join(_NUMBERS)})"
_UNIT = r"((?:working |business |work)?day|week|wk|fortnight|month|mth|quarter|year|yr)s?"
_DAYS_OR_WEEKS = re.compile(r"(?:in )?(\d+) ?([dw])")
_AHEAD = re.compile(rf"in {_COUNT} {_UNIT}(?: time)?|{_COUNT} {_UNIT} (?:from (?:now|today)|later)")
# So long from now, or ago, in hours and minutes: half an hour stands apart from the counts.
_CLOCKED = rf"(?:(half an)|{_COUNT}) (hour|hr|h|minute|min)s?"
_SOON = re.compile(rf"in {_CLOCKED}(?: time)?|{_CLOCKED} (?:from now|later|(ago|back))")
_LEFT = re.compile(rf"{_COUNT} {_UNIT}")
_AGO = re.compile(rf"{_COUNT} {_UNIT} (?:ago|back)")
_PERIOD = re.compile(
    r"(?:the )?(?:(start|beginning|early(?: in)?|middle|mid|end) (?:of )?)?(?:the )?"
    r"(?:(this|current|next|coming|last|past|previous) )?(week|month|quarter|year)(?P<after> after next)?"
)
_PART_OF = re.compile(r"(start|beginning|early(?: in)?|middle|mid|end) (?:of )?(.+)")
_WEEK_FROM = re.compile(r"(?:a|1|one) week (?:from|on) (?!now$|today$)(.+)")
# The days that have a name, as tokens: month and day.
_NAMED_DAYS: Mapping[str, tuple[int, int]] = {
    "christmas eve": (12, 24), "xmas eve": (12, 24), "christmas": (12, 25), "christmas day": (12, 25),
    "xmas": (12, 25), "boxing day": (12, 26), "new year s eve": (12, 31), "new years eve": (12, 31),
    "new year s day": (1, 1), "new years day": (1, 1), "new year s": (1, 1), "new year": (1, 1),
    "valentine s day": (2, 14), "valentines day": (2, 14), "halloween": (10, 31),
}  # fmt: skip
# Those that move with Easter: so many days after Easter Sunday.
_EASTER_DAYS: Mapping[str, int] = {
    "shrove monday": -48, "shrove tuesday": -47, "ash wednesday": -46, "palm sunday": -7, "maundy thursday": -3,
    "good friday": -2, "easter saturday": -1, "easter": 0, "easter sunday": 0, "easter day": 0, "easter monday": 1,
    "ascension day": 39, "pentecost": 49, "whitsun": 49, "whit sunday": 49, "whit monday": 50,
    "corpus christi": 60,
}  # fmt: skip
_HOLIDAY = re.compile(rf"(?:(?:at|around|over) )?({'|'.join([*_NAMED_DAYS, *_EASTER_DAYS])})(?: (\d{{4}}))?")
_ABBREVIATED: Mapping[str, str] = {"wk": "week", "mth": "month", "yr": "year"}
_SHORT: Mapping[str, str] = {
    "eow": "end of week", "eom": "end of month", "eoq": "end of quarter", "eoy": "end of year",
    "month end": "end of month", "year end": "end of year",
    "first of the month": "1 st", "the first of the month": "1 st", "1 st of the month": "1 st",
    "first of next month": "start of next month", "the first of next month": "start of next month",
    "in half a year": "in 6 months", "half a year ago": "6 months ago",
}  # fmt: skip
_WORDS: Mapping[str, int] = {
    "today": 0, "now": 0, "eod": 0, "end of day": 0, "yesterday": -1, "tomorrow": 1,
    "day after tomorrow": 2, "the day after tomorrow": 2, "day before yesterday": -2, "the day before yesterday": -2,
}  # fmt: skip
# Short for, or often written instead of, words of a date; of longer ones any letter may be wrong.
_RESPELT: Mapping[str, str] = {
    spelling: word
    for word, spellings in {
        "tomorrow": "tmrw tmr tmrow tmw tommorow tomorro tommorw 2moro 2morrow",
        "yesterday": "yday yesterdy",
        "next": "nxt",
        "week": "wk weeek",
        "weeks": "wks",
        "month": "mth mnth",
        "monday": "moday mondy mnday monay",
        "tuesday": "teusday tuseday",
        "wednesday": "weds wensday wendsday wedensday",
        "thursday": "thrsday",
        "friday": "firday fridy frday friady",
        "saturday": "saterdy",
        "sunday": "sundy snday sunay",
    }.items()
    for spelling in spellings.split()
}
_LEAST_RESPELT = 7
_LONG_WORDS = tuple(word for word in ("tomorrow", "yesterday", *_WEEKDAYS, *MONTHS) if len(word) >= _LEAST_RESPELT)
_ORDINAL = re.compile(r"(?:the )?(\d{1,2}) (?:st|nd|rd|th)(?: of (?:the )?(this|next|last) month)?")
# Behind a day of the week: sat 28, fri the 13th. A smaller number alone is a time.
_DAY_OF_MONTH = re.compile(r"(?:the )?(\d{1,2})(?:st|nd|rd|th)|(2[4-9]|[3-9]\d)")
# A day of a month falls on each day of the week within so many months.
_MOST_MONTHS = 12 * 12
_WEEKEND = re.compile(r"(?:at )?(?:the )?(?:(this|this coming|coming|next|last|past) )?(?:weekend|week end)")
# In words, or as the numbers that a text is taken apart to: first, 1 st.
_PLACES: Mapping[str, int] = {
    "first": 1, "1 st": 1, "second": 2, "2 nd": 2, "third": 3, "3 rd": 3, "fourth": 4, "4 th": 4, "fifth": 5,
    "5 th": 5, "last": -1,
}  # fmt: skip
# First monday of december, last friday in january 2027, second tuesday of next month.
_NTH = re.compile(rf"(?:the )?({'|'.join(_PLACES)}) (.+?) (?:of|in) (?:the )?(?:(this|next|last|coming) )?(month|.+)")
_ANY_DAY, _WORKING_DAY = ("day",), ("weekday", "working day", "business day", "workday")
# An hour of a part of a day: tonight at 8, tomorrow evening at 7:30, friday morning 9.
_HOUR_OF_PART = re.compile(r"(.*)\b(morning|afternoon|evening|night)(?: at)? (\d{1,2})(?:[:.](\d\d))?(?: ?[ap]m)?")
_TODAY_IN_WORDS: Mapping[str, str] = {
    "tonight": "today evening", "this morning": "today morning", "this afternoon": "today afternoon",
    "this evening": "today evening", "last night": "yesterday evening",
}  # fmt: skip
_IN_WORDS = re.compile(rf"\b(?:{'|'.join(_TODAY_IN_WORDS)})\b")
_CLOCK_WITH_POINT = re.compile(r"(?:[01]?\d|2[0-3])\.(?:00|1[3-9]|[2-5]\d)")
_QUARTER = re.compile(r"(?:(\d{4}) )?q ([1-4])(?: (\d{4}))?")
# Beside a day it says nothing more: wed eod, end of day friday.
_END_OF_DAY = re.compile(r"^(?:eod|end of day)(?: on)? (?=\S)|(?<=\S) (?:by )?(?:eod|end of day)$")
# As many write am and pm: tomorrow 2p, fri 9:30a. An hour alone is one only at the end or behind 'at'.
_SHORT_HALF = re.compile(r"(?<![\w:.])(?:\d{1,2}[:.]\d\d|(?<=\bat )\d{1,2}|\d{1,2}(?=[ap]$))[ap](?!\w)")
# Behind a day, tomorrow am, a part of it; behind a number it belongs to the hour.
_HALF_OF_DAY = re.compile(r"(?<=[^\W\d]) (am|pm)$")


@dataclass(frozen=True, slots=True)
class When:
    """A day, and the time of it ('HH:MM') where one was written. `last` is set where more than a day was written, a
    week, a month: its last day, as `day` is its first. `has_year` says whether the year was written too."""

    day: date
    time: str = ""
    last: date | None = None
    has_year: bool = field(default=False, compare=False)


# Times in words. An hour in words alone is one only behind 'at' or before o'clock.
_HOURS_IN_WORDS = r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_MINUTES: Mapping[str, int] = {"five": 5, "ten": 10, "twenty": 20, "twenty five": 25, "twenty-five": 25}
_TIME_IN_WORDS = re.compile(
    rf"\b(?:(?P<half_hour>half(?: past)?)|(?:(?P<quarter>(?:a )?quarter)|(?P<minutes>{'|'.join([*_MINUTES][::-1])}))"
    rf" (?P<side>past|after|to|before)) (?P<hour>1[0-2]|[1-9]|{_HOURS_IN_WORDS})(?P<half> ?[ap]\.?m\.?)?(?![\w:.])"
)
_HOUR_IN_WORDS = re.compile(
    rf"\b(?:(at )({_HOURS_IN_WORDS})(?! (?:days?|weeks?|months?))\b|({_HOURS_IN_WORDS})(?= ?(?:o'clock|[ap]\.?m\b)))()"
)
# With minutes, or with what makes an hour a time.
_ALONE = re.compile(r"\d{1,2}:\d\d(?: ?[ap]\.?m\.?)?|\d{1,2} ?(?:[ap]\.?m\.?|o'clock)|noon|midday")
_MINUS = re.compile(r"\s*in\s+[-\u2212\u2013]\s*\d", re.IGNORECASE)


class NoDateError(FieldError):
    """A text that is not a date at all; a date that cannot be is another FieldError."""

    def __init__(self, examples: str = "") -> None:
        super().__init__(f"that is not a date; write it like {examples}")


def read_when(text: str, by: Conventions, direction: Direction) -> When:
    """The day that was written, and its time. Raises FieldError: a date that cannot be says why, and what is none
    (NoDateError) what can be written."""
    if numbers := _YEAR_FIRST.fullmatch(text):
        return _full(*map(int, numbers.groups()))
    try:
        written = _cleaned(text, by)
        # A minus would be read as a dash.
        if not 0 < len(written) <= _LONGEST or _MINUS.match(text):
            raise NoDateError
        try:
            return _when(written, by, direction)
        except NoDateError:
            if by.language.startswith("de"):
                german = _BEFORE.sub("", _spelled_time(in_english(written)))
                with suppress(NoDateError):
                    return _when(german, by, direction)
            if (respelt := " ".join(map(_respelt, written.split()))) == written:
                raise
            return _when(respelt, by, direction)
    except NoDateError:
        raise NoDateError(examples(by, direction)) from None
    except OverflowError:
        raise FieldError("that day is too far away") from None


@lru_cache(maxsize=4096)
def _respelt(word: str) -> str:
    """A misspelt or shortened word of a date as it is written in full, any other word as it is."""
    if word in _RESPELT or len(word) < _LEAST_RESPELT or not word.isalpha():
        return _RESPELT.get(word, word)
    from rapidfuzz.distance import OSA

    return next((name for name in _LONG_WORDS if OSA.distance(word, name, score_cutoff=1) <= 1), word)


def printed_day(text: str, by: Conventions) -> date | None:
    """The date that the program printed so in the team's language; None for other text."""
    when = _printed(_cleaned(text, by), by, "past") if len(text) <= _LONGEST else None
    return when.day if when is not None and when.last is None else None


def day_and_time(written: date | When | None, time: str, by: Conventions) -> tuple[date | None, str]:
    """A day, and the time that was written with it or by itself. Raises FieldError where both were, and differ."""
    if not isinstance(written, When):
        return written, time
    if time and written.time and time != written.time:
        times = " and ".join(map(by.time_of_day, (written.time, time)))
        raise FieldError(f"two times were given, {times}; give one")
    return written.day, written.time or time


def examples(by: Conventions, direction: Direction) -> str:
    """The ways to write a day, as this team writes it."""
    known = date(by.today.year - (direction == "past"), 12, 24)
    words = "yesterday, fri, 30 days ago" if direction == "past" else "tomorrow, fri, next week, in 10 days"
    return f"{words}, {by.day_and_month(known)} or {by.day(known)}"


def read_time(text: str, by: Conventions) -> str:
    """A time of day that was written, as 'HH:MM'; of an hour alone that of a working day is meant: at 3, but not at 03
    or 3:00, is in the afternoon. Raises FieldError."""
    written = _with_am_and_pm(text.strip().casefold(), by)
    if written in _AT_TIMES:
        return _AT_TIMES[written]
    match = _TIME.fullmatch(written)
    if match is None:
        raise FieldError("write the time as hours and minutes, like 10:00 or 4pm")
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "")[:1]
    if half in ("a", "p"):
        if not 1 <= hour <= 12:
            raise FieldError("with am or pm the hour is from 1 to 12")
        hour = hour % 12 + (12 if half == "p" else 0)
    elif 0 < hour < _FIRST_WORKING_HOUR and written[0] != "0" and not match[2] and half in ("", "o"):
        hour += 12
    if hour > 23 or minute > 59:
        raise FieldError("no such time of day; the last is 23:59")
    return f"{hour:02}:{minute:02}"


def calendar_day(year: int, month: int, day: int) -> date:
    """The date of these numbers; a FieldError says which of them cannot be."""
    try:
        return date(year, month, day)
    except ValueError as error:
        if not 1 <= month <= 12:
            raise FieldError(f"no month {month}; check the date") from error
        raise FieldError(f"no day {day} in {MONTHS[month - 1].capitalize()} {year}; check the date") from error


@lru_cache(maxsize=4096)
def _full(year: int, month: int, day: int) -> When:
    return When(calendar_day(year, month, day), has_year=True)


def _cleaned(text: str, by: Conventions) -> str:
    """Text without case and marks that nobody sees, and with single blanks."""
    written = " ".join(TURNING_MARKS.sub("", text).casefold().replace(",", " ").split())
    written = _with_am_and_pm(re.sub(r"(\d)t(\d\d?:)", r"\1 \2", written), by)
    written = _IN_WORDS.sub(lambda match: _TODAY_IN_WORDS[match.group()], _spelled_time(written))
    if (part := _HOUR_OF_PART.fullmatch(written)) and 1 <= int(part[3]) < 12:
        half = "am" if part[2] == "morning" else "pm"
        written = f"{part[1]}{part[3]}:{part[4] or '00'}{half}"
    written = _HALF_OF_DAY.sub(lambda match: " morning" if match[1] == "am" else " afternoon", written)
    return _END_OF_DAY.sub("", _BEFORE.sub("", written))


def _with_am_and_pm(written: str, by: Conventions) -> str:
    """A text whose times have AM or PM as this language writes it (下午3:00, 3:00 μ.μ.), or in short (3p), with English
    ones behind."""
    written = _SHORT_HALF.sub(lambda match: f"{match[0]}m", written)
    if not by.twelve_hours or by.language.startswith("en"):
        return written
    names, times = _halves(by.language)
    return times.sub(lambda match: f"{match[2] or match[3]}{names[' '.join((match[1] or match[4]).split())]}", written)


@lru_cache(maxsize=4)
def _halves(language: str) -> tuple[Mapping[str, str], re.Pattern[str]]:
    """The names of AM and PM in a language, and the pattern of a time beside them."""
    from babel.dates import format_time

    hours = {"am": time(9), "pm": time(15)}
    names = {" ".join(format_time(hour, "a", locale=language).casefold().split()): half for half, hour in hours.items()}
    either = "|".join(re.escape(name).replace("\\ ", r"\s+") for name in names)
    clock = r"\d{1,2}(?:[:.]\d\d)?"
    return names, re.compile(rf"(?<!\w)({either})\s*({clock})(?!\w)|(?<!\w)({clock})\s*({either})(?!\w)")


def _spelled_time(written: str) -> str:
    """A text with its times in figures: half past nine as 9:30, quarter to 3 as 14:45, at nine as at 9."""

    def in_figures(match: re.Match[str]) -> str:
        hour, half = _hour(match["hour"]), (match["half"] or "").strip()
        if half:
            hour = hour % 12 + (12 if half[0] == "p" else 0)
        if match["half_hour"]:
            late = hour * 60 + 30
        else:
            minutes = 15 if match["quarter"] else _MINUTES[match["minutes"]]
            late = hour * 60 + (minutes if match["side"] in ("past", "after") else -minutes)
        if not half and late < _FIRST_WORKING_HOUR * 60:
            late += 12 * 60
        late %= 24 * 60
        return f"{late // 60}:{late % 60:02}"

    written = _TIME_IN_WORDS.sub(in_figures, written)
    return _HOUR_IN_WORDS.sub(lambda match: f"{match[1] or ''}{_hour(match[2] or match[3])}{match[4] or ''}", written)


def _hour(written: str) -> int:
    return int(written) if written.isdigit() else _NUMBERS[written]


def time_alone(text: str, by: Conventions) -> str:
    """The time, as 'HH:MM', of a text that is a time and nothing else: 17:00, at 5pm, noon, half past nine; '' for any
    other, an hour alone among them. Raises FieldError for a time that there is not."""
    written = _with_am_and_pm(" ".join(text.casefold().split()), by)
    if by.language.startswith("de"):
        written = in_english(written)
    written = re.sub(r"^(?:at |@ ?)", "", _spelled_time(written))
    return read_time(written, by) if _ALONE.fullmatch(written) else ""


def _when(written: str, by: Conventions, direction: Direction) -> When:
    """A day alone, or with a time before or behind it; or so many hours from now. Of a time alone, where what is meant
    lies ahead, it is today's, or tomorrow's if it is over."""
    if direction == "ahead" and (time := time_alone(written, by)):
        is_over = time <= by.clock.time_of(by.clock.now)
        return When(by.today + timedelta(days=1 if is_over else 0), time)
    if soon := _SOON.fullmatch(written):
        half, count, unit, half_behind, count_behind, unit_behind, ago = soon.groups()
        number = 0.5 if half or half_behind else _count(count or count_behind)
        length = timedelta(**{"hours" if (unit or unit_behind)[0] == "h" else "minutes": number})
        moment = by.clock.now - length if ago else by.clock.now + length
        return When(by.clock.day_of(moment), by.clock.time_of(moment))
    if not _CLOCK.search(written):
        try:
            return _day(written, by, direction)
        except NoDateError:
            pass
    words = written.split()
    for count in range(1, min(_MOST_WORDS_OF_TIME, len(words) - 1) + 1):
        for day_words, time_words, is_behind in (
            (words[:-count], words[-count:], True),
            (words[count:], words[:count], False),
        ):
            if not _looks_like_a_time(time_words, is_behind=is_behind):
                continue
            try:
                when = _day(_BEFORE.sub("", " ".join(day_words)), by, direction)
            except NoDateError:
                continue
            if when.last is not None and (when.last - when.day).days > 6:
                # A time belongs to a day; that of a week is its first.
                continue
            return replace(when, last=None, time=read_time(" ".join(time_words).removeprefix("at "), by))
    raise NoDateError


def _looks_like_a_time(words: Sequence[str], *, is_behind: bool) -> bool:
    """Return whether words are a time: 10:00, 9am, 16h, noon; behind a day, or after 'at', an hour alone is one too."""
    written = " ".join(words)
    has_at = written.startswith("at ")
    written = written.removeprefix("at ")
    if written in _AT_TIMES:
        return True
    match = _TIME.fullmatch(written)
    return match is not None and bool(match[2] or match[3] or has_at or (is_behind and int(match[1]) < 24))


def _day(written: str, by: Conventions, direction: Direction) -> When:
    if compact := _COMPACT.fullmatch(written):
        return _full(*map(int, compact.groups()))
    if numbers := _YEAR_FIRST.fullmatch(written):
        return _full(*map(int, numbers.groups()))
    phrase = " ".join(_folded(_tokens(written)))
    phrase = _SHORT.get(phrase, phrase)
    if week_from := _WEEK_FROM.fullmatch(phrase):
        return _day(f"{week_from[1]} week", by, direction)
    if (day := _counted(phrase, by.today, direction)) is not None:
        return When(day)
    if (period := _period(phrase, by, direction)) is not None:
        return period
    if (holiday := _HOLIDAY.fullmatch(phrase)) is not None:
        return _holiday(holiday[1], holiday[2] or "", by.today, direction)
    if (ordinal := _ORDINAL.fullmatch(phrase)) is not None:
        return When(_in_month(int(ordinal[1]), ordinal[2] or "", by.today, direction))
    if (weekend := _WEEKEND.fullmatch(phrase)) is not None:
        return _weekend(weekend[1] or "", by.today, direction)
    if (nth := _NTH.fullmatch(phrase)) is not None and (day := _nth(nth, by, direction)) is not None:
        return When(day)
    for read in (_printed, _of_week, _in_numbers, _with_month):
        if (when := read(written, by, direction)) is not None:
            return when
    raise NoDateError


# Words


def _counted(phrase: str, today: date, direction: Direction) -> date | None:
    """Today, tomorrow, in two weeks, 30 days ago; two weeks alone where what is meant lies ahead."""
    if phrase in _WORDS:
        return today + timedelta(days=_WORDS[phrase])
    if ahead := _AHEAD.fullmatch(phrase):
        return _moved(today, _count(ahead[1] or ahead[3]), ahead[2] or ahead[4])
    if (short := _DAYS_OR_WEEKS.fullmatch(phrase)) and (direction == "ahead" or phrase.startswith("in ")):
        return _moved(today, int(short[1]), {"d": "day", "w": "week"}[short[2]])
    if direction == "ahead" and (left := _LEFT.fullmatch(phrase)):
        return _moved(today, _count(left[1]), left[2])
    if ago := _AGO.fullmatch(phrase):
        return _moved(today, -_count(ago[1]), ago[2])
    return None


def _count(written: str) -> int:
    return _NUMBERS[written] if written in _NUMBERS else int(written)


def _moved(day: date, count: int, unit: str) -> date:
    unit = _ABBREVIATED.get(unit, unit)
    match unit:
        case "day":
            return day + timedelta(days=count)
        case "week" | "fortnight":
            return day + timedelta(weeks=count * (2 if unit == "fortnight" else 1))
        case "month" | "quarter" | "year":
            return months_on(day, count * {"month": 1, "quarter": 3, "year": 12}[unit])
    # Working days, from the last one or the next: whole weeks at once, and the rest one by one.
    step = timedelta(days=1 if count > 0 else -1)
    while day.weekday() > 4:
        day -= step
    weeks, rest = divmod(abs(count), 5)
    day += step * 7 * weeks
    while rest:
        day += step
        rest -= day.weekday() < 5
    return day


def months_on(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month. Raises OverflowError."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= _LAST_YEAR:
        raise OverflowError
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _period(phrase: str, by: Conventions, direction: Direction) -> When | None:
    """A week, month, quarter or year, or where in it: next week, last month, end of quarter, 2026 q 4, mid december."""
    today = by.today
    if match := _PERIOD.fullmatch(phrase):
        part, which, unit, after_next = match.groups()
        if not (part or which or after_next):
            return None
        steps = {"next": 1, "coming": 1, "last": -1, "past": -1, "previous": -1}.get(which, 0)
        steps = 2 if after_next and not which else steps
        first, last = _bounds(today, unit, steps)
        if unit == "week" and part == "end":
            # People who say so mean its last working day.
            friday = first + timedelta(days=4)
            late = not which and direction != "past" and friday < today
            return When(friday + timedelta(days=7 if late else 0))
        return _part(part, first, last)
    if match := _QUARTER.fullmatch(phrase):
        begins, year = int(match[2]) * 3 - 2, match[1] or match[3]
        if year:
            return _span(calendar_day(int(year), begins, 1), 3)
        return _span(_towards_now([date(today.year + step, begins, 1) for step in (-1, 0, 1)], by.today, direction), 3)
    if re.fullmatch(r"(?:19|20|21)\d\d", phrase):
        return _span(date(int(phrase), 1, 1), 12)
    if match := _PART_OF.fullmatch(phrase):
        month = _with_month(match[2], by, direction)
        if month is not None and month.last is not None:
            return _part(match[1], month.day, month.last)
    return None


def _bounds(today: date, unit: str, steps: int) -> tuple[date, date]:
    """The first and the last day of the week, month, quarter or year so many after this one."""
    if unit == "week":
        monday = today + timedelta(days=7 * steps - today.weekday())
        return monday, monday + timedelta(days=6)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    span = _span(months_on(first, steps * months), months)
    return span.day, span.last or span.day


def _span(first: date, months: int) -> When:
    """The period of so many months from the first day of one."""
    end = months_on(first, months - 1)
    return When(first, last=end.replace(day=monthrange(end.year, end.month)[1]))


def _part(part: str | None, first: date, last: date) -> When | None:
    match part:
        case None:
            return When(first, last=last)
        case "end":
            return When(last)
        case "start" | "beginning" | "early" | "early in":
            return When(first)
    if last - first == timedelta(days=6):
        return When(first + timedelta(days=2))
    return When(first.replace(day=15)) if 27 < (last - first).days < 31 else None


def _towards_now(quarters: Sequence[date], today: date, direction: Direction) -> date:
    """The quarter that is meant among some, by their first days; the one that we are in is always."""
    now = next((first for first in quarters if first <= today < months_on(first, 3)), None)
    return now or _towards(quarters, today, direction)


def _weekend(which: str, today: date, direction: Direction) -> When:
    """A Saturday and a Sunday: of this week, which on Sunday is today, or of the next or last one."""
    steps = {"next": 1, "last": -1, "past": -1}.get(which, 0)
    if not which and direction == "past" and today.weekday() < 5:
        steps = -1
    saturday = _bounds(today, "week", steps)[0] + timedelta(days=5)
    sunday = saturday + timedelta(days=1)
    return When(sunday if sunday == today and direction != "past" else saturday, last=sunday)


def _holiday(name: str, year: str, today: date, direction: Direction) -> When:
    """Christmas eve, easter monday: of the year that is written, else the one that is meant."""

    def of(year: int) -> date:
        after_easter = _EASTER_DAYS.get(name)
        return date(year, *_NAMED_DAYS[name]) if after_easter is None else easter(year) + timedelta(days=after_easter)

    if year:
        return When(of(calendar_day(int(year), 1, 1).year), has_year=True)
    years = range(max(1, today.year - 1), min(_LAST_YEAR, today.year + 1) + 1)
    return When(_towards([of(near) for near in years], today, direction))


def easter(year: int) -> date:
    """Easter Sunday of a year in the Gregorian calendar, as the western churches reckon it (Meeus, Jones and
    Butcher)."""
    golden, (century, of_century) = year % 19, divmod(year, 100)
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _nth(match: re.Match[str], by: Conventions, direction: Direction) -> date | None:
    """The first Monday of December, the last Friday of this month, the last working day of a month."""
    place, named, which, month = _PLACES[match[1]], match[2], match[3] or "", match[4]
    weekdays = _weekdays(by.language).get(named, frozenset())
    if named in _ANY_DAY or named in _WORKING_DAY:
        weekdays = frozenset(range(7 if named in _ANY_DAY else 5))
    if not weekdays:
        return None
    if month == "month":
        steps = {"next": 1, "coming": 1, "last": -1}.get(which, 0)
        return _nth_of(months_on(by.today.replace(day=1), steps), place, weekdays, match)
    written = None if which else _with_month(month, by, direction)
    if written is None or written.last is None:
        return None
    if re.search(r"\d{4}", month):
        return _nth_of(written.day, place, weekdays, match)
    years = range(max(1, by.today.year - 1), min(_LAST_YEAR, by.today.year + 1) + 1)
    return _towards(
        [_nth_of(written.day.replace(year=year), place, weekdays, match) for year in years], by.today, direction
    )


def _nth_of(first: date, place: int, weekdays: frozenset[int], match: re.Match[str]) -> date:
    days = [first.replace(day=day) for day in range(1, monthrange(first.year, first.month)[1] + 1)]
    days = [day for day in days if day.weekday() in weekdays]
    if place > len(days):
        raise FieldError(
            f"no {match[1]} {match[2]} in {MONTHS[first.month - 1].capitalize()} {first.year}; check the date"
        )
    return days[place - 1 if place > 0 else -1]


def _in_month(day: int, which: str, today: date, direction: Direction) -> date:
    """The 15th: of this month, or of the next or last one that has it."""
    if not 1 <= day <= 31:
        raise NoDateError
    if which:
        first = months_on(today.replace(day=1), {"this": 0, "next": 1, "last": -1}[which])
        return calendar_day(first.year, first.month, day)
    months = (months_on(today.replace(day=1), steps) for steps in range(-2, 3))
    return _towards(
        [first.replace(day=day) for first in months if day <= monthrange(first.year, first.month)[1]], today, direction
    )


def _towards(days: Sequence[date], today: date, direction: Direction) -> date:
    """The day that is meant among some."""
    if direction == "ahead":
        return min(day for day in days if day >= today)
    if direction == "past":
        return max(day for day in days if day <= today)
    return min(days, key=lambda day: (abs((day - today).days), day < today))


# As it is printed


def _printed(written: str, by: Conventions, _: Direction) -> When | None:
    """A date, or a month, exactly as Babel writes it in the team's language; accents may be left out."""
    templates, exact = _templates(by.language), _tokens(written)
    for tokens in (exact, _folded(exact)):
        numbers = [place for place, token in enumerate(tokens) if token.isdecimal()]
        for year in numbers:
            if len(tokens[year]) < 4:
                continue
            of_month = (*tokens[:year], "Y", *tokens[year + 1 :])
            if month := templates.get(of_month):
                return _span(calendar_day(int(tokens[year]), month, 1), 1)
            for day in numbers:
                key = (*of_month[:day], "D", *of_month[day + 1 :])
                if day != year and (month := templates.get(key)):
                    return _full(int(tokens[year]), month, int(tokens[day]))
    return None


@lru_cache(maxsize=4)
def _templates(language: str) -> Mapping[tuple[str, ...], int]:
    """The tokens of a date as this language writes it, D and Y for the day and the year, with the month of it."""
    from babel.dates import format_date

    day, year = 27, 4321
    named = {str(day): "D", str(year): "Y"}
    exact: dict[tuple[str, ...], int] = {}
    folded: dict[tuple[str, ...], set[int]] = {}
    for form, month in product(("medium", "long", "MMM y", "MMMM y"), range(1, 13)):
        tokens = [
            named.get(token, token) for token in _exact(format_date(date(year, month, day), form, locale=language))
        ]
        exact.setdefault(tuple(tokens), month)
        folded.setdefault(tuple(_folded(tokens, but=("D", "Y"))), set()).add(month)
    clear = {tokens: months.pop() for tokens, months in folded.items() if len(months) == 1}
    return clear | exact


# Days of the week


def _of_week(written: str, by: Conventions, direction: Direction) -> When | None:
    """A day of the week, alone, in a week, or before or behind a date, which has to be one."""
    for weekdays, rest, is_first in _split_weekday(written.split(), by.language):
        which = " ".join(word for word in rest if word != "on")
        if len(weekdays) == 1:
            day = _in_week(min(weekdays), which, by.today, direction, is_first=is_first)
            if day is not None:
                return When(day)
        if is_first and _CLOCK_WITH_POINT.fullmatch(which):
            # A time, as there is no such month: fri 10.30.
            continue
        if len(weekdays) == 1 and is_first and which == "week":
            # Monday week is the one after the next.
            return When(_nearest_weekday(min(weekdays), by.today, "ahead") + timedelta(days=7))
        if (number := _DAY_OF_MONTH.fullmatch(which)) is not None:
            return When(_in_some_month(int(number[1] or number[2]), weekdays, by.today, direction))
        when = _dated(" ".join(rest), by, direction)
        if when is not None and when.last is None:
            if when.day.weekday() not in weekdays:
                is_one, named = (_WEEKDAYS[day].capitalize() for day in (when.day.weekday(), min(weekdays)))
                raise FieldError(f"{by.day(when.day)} is a {is_one}, not a {named}")
            return when
    return None


def _in_some_month(day: int, weekdays: frozenset[int], today: date, direction: Direction) -> date:
    """The next, or last, Saturday that is a 28th."""
    if not 1 <= day <= 31:
        raise FieldError(f"no day {day} in any month; check the date")
    months = (months_on(today.replace(day=1), steps) for steps in range(-_MOST_MONTHS, _MOST_MONTHS + 1))
    days = [first.replace(day=day) for first in months if day <= monthrange(first.year, first.month)[1]]
    return _towards([day for day in days if day.weekday() in weekdays], today, direction)


def _dated(written: str, by: Conventions, direction: Direction) -> When | None:
    """The date beside a day of the week."""
    return (
        _printed(written, by, direction) or _in_numbers(written, by, direction) or _with_month(written, by, direction)
    )


def _in_week(weekday: int, which: str, today: date, direction: Direction, *, is_first: bool) -> date | None:
    """Friday, this friday, last friday, friday last week."""
    if which in ("", "this", "coming", "this coming"):
        return _nearest_weekday(weekday, today, direction)
    if which in ("last", "past") and not is_first:
        return _nearest_weekday(weekday, today, "past")
    if which in ("next week", "this week", "last week") or (which == "next" and not is_first):
        steps = {"next": 1, "this": 0, "last": -1}[which.split()[0]]
        return _bounds(today, "week", steps)[0] + timedelta(days=weekday)
    return None


def _split_weekday(words: Sequence[str], language: str) -> Iterator[tuple[frozenset[int], Sequence[str], bool]]:
    """The day of the week that is first or last, the other words, and whether it is first."""
    days = _weekdays(language)
    for count in range(min(_most_words_of_weekday(language), len(words)), 0, -1):
        for named, rest, is_first in ((words[:count], words[count:], True), (words[-count:], words[:-count], False)):
            if (day := days.get(" ".join(_folded(_tokens(" ".join(named)))))) is not None:
                yield day, rest, is_first


def _nearest_weekday(weekday: int, today: date, direction: Direction) -> date:
    distance = weekday - today.weekday()
    return today + timedelta(days=-(-distance % 7 or 7) if direction == "past" else (distance % 7 or 7))


@lru_cache(maxsize=4)
def _weekdays(language: str) -> Mapping[str, frozenset[int]]:
    return _named(language, "days", _WEEKDAYS)


@lru_cache(maxsize=4)
def _most_words_of_weekday(language: str) -> int:
    return max(len(name.split()) for name in _weekdays(language))


@lru_cache(maxsize=4)
def _months(language: str) -> Mapping[str, int]:
    named = _named(language, "months", MONTHS)
    return {name: next(iter(places)) + 1 for name, places in named.items() if len(places) == 1}


def _named(language: str, kind: Literal["days", "months"], english: Sequence[str]) -> Mapping[str, frozenset[int]]:
    """The names of days or months in a language and in English, and their beginnings of three letters and more, each
    with those that it may stand for."""
    from babel import Locale

    names: dict[str, set[int]] = {}
    known = getattr(Locale.parse(language), kind)
    for context, width in product(("format", "stand-alone"), ("wide", "abbreviated")):
        for number, name in known[context][width].items():
            for spelling in (name, _spelled_out(name)):
                names.setdefault(" ".join(_folded(_exact(spelling))), set()).add(number - (kind == "months"))
    in_english = {name: {place} for place, name in enumerate(english)}
    # A name in full before a beginning, and the team's language before English.
    spelled = _beginnings(in_english) | in_english | _beginnings(names) | names
    return {name: frozenset(places) for name, places in spelled.items() if name}


def _beginnings(names: Mapping[str, set[int]]) -> dict[str, set[int]]:
    begun: dict[str, set[int]] = {}
    for name, places in names.items():
        for length in range(3, len(name)):
            begun.setdefault(name[:length], set()).update(places)
    return begun


def _spelled_out(name: str) -> str:
    """März as Maerz."""
    decomposed = unicodedata.normalize("NFD", name)
    return re.sub("([aouAOU])\u0308", r"\1e", decomposed)


# Numbers


def _in_numbers(written: str, by: Conventions, direction: Direction) -> When | None:
    """Day, month and perhaps year in numbers, in the team's order; between points the day comes before the month, but
    where the year comes first."""
    if three := _THREE.fullmatch(written):
        first, mark, second, third = (group for group in three.groups() if group is not None)
        if len(first) == 4:
            return _full(int(first), int(second), int(third)) if len(third) < 3 else None
        if len(first) == 3 or len(third) in (1, 3):
            return None
        if len(third) == 2 and mark != "." and by.date_order == "ymd":
            return _full(_year(first, by, direction), int(second), int(third))
        return _ordered(first, mark, second, by, direction, third)
    if two := _TWO.fullmatch(written):
        return _ordered(two[1], two[2], two[3], by, direction)
    if match := _YEAR_AND_MONTH.fullmatch(written):
        year, month = match["y"] or match["y2"], match["m"] or match["m2"]
        return _span(calendar_day(int(year), int(month), 1), 1)
    return None


def _ordered(first: str, mark: str, second: str, by: Conventions, direction: Direction, year: str = "") -> When:
    """Two numbers as day and month; where they can only be meant the other way round, it says so."""
    day_first = by.day_first or (mark == "." and by.date_order != "ymd")
    day, month = (int(first), int(second)) if day_first else (int(second), int(first))
    written = [second, first, *([year] if year else [])]
    if not 1 <= month <= 12 and 1 <= day <= 12 and 1 <= month <= monthrange(_LEAP_YEAR, day)[1]:
        order = "day" if day_first else "month"
        raise FieldError(f"no month {month}; here the {order} comes first: {mark.join(written)}")
    if not 1 <= month <= 12 and len(year) < 4:
        raise NoDateError
    if year:
        return _full(_year(year, by, direction), month, day)
    return When(_without_year(month, day, by.today, direction))


def _year(written: str, by: Conventions, direction: Direction) -> int:
    """A year; of two digits, in files and in the past one not after this year."""
    year = int(written)
    if len(written) > 2:
        return year
    latest = by.today.year + (0 if direction == "past" else _YEARS_AHEAD)
    return max(range(year + 1900, latest + 1, 100), default=year + 1900)


def _without_year(month: int, day: int, today: date, direction: Direction) -> date:
    days = []
    for year in range(max(1, today.year - _SPREAD), min(_LAST_YEAR, today.year + _SPREAD) + 1):
        if 1 <= day <= monthrange(year, month)[1]:
            days.append(date(year, month, day))
    if not days:
        raise FieldError(f"no day {day} in {MONTHS[month - 1].capitalize()}; check the date")
    return _towards(days, today, direction)


# Months by name


def _with_month(written: str, by: Conventions, direction: Direction) -> When | None:
    """5 dec, Mar 5, 1980, 5th of march, 3 de marzo de 2026; without a day the whole month."""
    names, tokens = _months(by.language), _folded(_tokens(written))
    months: list[int] = []
    numbers: list[str] = []
    for place, token in enumerate(tokens):
        if token.isdecimal():
            numbers.append(token)
        elif token in names:
            months.append(names[token])
        elif not (token in _BETWEEN or (place and token in _BEHIND and tokens[place - 1].isdecimal()) or token == "in"):
            return None
    if len(months) != 1 or len(numbers) > 2 or any(len(number) > 4 for number in numbers):
        return None
    (month,) = months
    if not numbers:
        return _whole_month(month, by.today, direction)
    if len(numbers) == 1:
        return _day_or_year(month, numbers[0], by.today, direction)
    day, year = numbers if len(numbers[0]) < 3 and int(numbers[0]) <= 31 else numbers[::-1]
    if len(day) > 2 or len(year) in (1, 3) or int(day) > 31:
        return None
    return _full(_year(year, by, direction), month, int(day))


def _day_or_year(month: int, number: str, today: date, direction: Direction) -> When | None:
    if len(number) == 4:
        return _span(calendar_day(int(number), month, 1), 1)
    if len(number) > 2:
        return None
    return When(_without_year(month, int(number), today, direction))


def _whole_month(month: int, today: date, direction: Direction) -> When:
    year = today.year
    if direction == "past":
        year -= month > today.month
    elif month < today.month:
        year += 1
    return _span(calendar_day(year, month, 1), 1)


def _exact(text: str) -> list[str]:
    return _tokens(TURNING_MARKS.sub("", text).casefold())


def _folded(tokens: Sequence[str], but: Sequence[str] = ()) -> list[str]:
    return [token if token in but else fold(token) for token in tokens]


def _tokens(text: str) -> list[str]:
    """The words and the numbers of a text, each by itself; a number without the noughts before it, but with four
    digits in full."""
    tokens: list[str] = []
    before = ""
    for character in text:
        category = unicodedata.category(character)
        kind = (
            "number" if category == "Nd" else "word" if category[0] in "LM" else "none" if category != "Cf" else before
        )
        if kind != "none":
            if kind == before and tokens:
                tokens[-1] += character
            else:
                tokens.append(character)
        before = kind
    return [str(int(token)) if token.isdecimal() and len(token) < 4 else _in_digits(token) for token in tokens]


def _in_digits(token: str) -> str:
    return "".join(str(int(character)) for character in token) if token.isdecimal() else token
