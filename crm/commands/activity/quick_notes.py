"""A line jotted down in a hurry, taken apart: what was done, with whom, and when to follow up.

`call Acme, wants a quote, fri 10:00`: a kind of interaction first, where it is told; at the end a day that is still to
come and perhaps a time, where something is to follow; whatever is between begins with the client.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from crm.commands.activity.follow_up_lists import DayAhead
from crm.errors import FieldError
from crm.model import Conventions
from crm.model.fields import TimeOfDay

_KINDS: Mapping[str, str] = {
    "call": "call", "called": "call", "phone": "call", "phoned": "call", "rang": "call",
    "meeting": "meeting", "meet": "meeting", "met": "meeting",
    "mail": "email", "mailed": "email", "email": "email", "emailed": "email", "e-mail": "email", "e-mailed": "email",
    "sms": "sms", "text": "sms", "texted": "sms",
    "note": "note", "noted": "note",
}  # fmt: skip
# Between the pieces of a line.
_BETWEEN = " \t\r\n,;:.-–—"  # noqa: RUF001 - dashes that people write
_WORD = re.compile(r"\S+")
# The longest way to say a day and a time: by next week on friday at 9 am.
_WORDS_OF_WHEN = 6
# A time among other words has to look like one: 42 is no time, 10:00, 9am and 16h are.
_CLOCK = re.compile(r"\d{1,2}(?:[:.h]\d{2}|h|(?:[:.]\d{2})?\s*[ap]m)", re.IGNORECASE)
_AHEAD = re.compile(r"in (\d{1,3}|a|an|one|two|three|four) (day|week|month)s?")
_SPELLED = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class QuickNote:
    """A line taken apart: `head`, `body` and `tail` are together exactly what was typed. `kind` is what the head says
    ('note' where there is none), `due_on` and `due_time` ('HH:MM', '' for none) what the tail does."""

    head: str
    body: str
    tail: str
    kind: str = "note"
    due_on: date | None = None
    due_time: str = ""

    def beginnings(self, most: int = 8) -> Iterator[tuple[str, str]]:
        """The beginnings of the body that may name a client, the longest first, each with the rest of the body."""
        words = list(_WORD.finditer(self.body))[:most]
        for word in reversed(words):
            if begun := self.body[: word.end()].strip(_BETWEEN):
                yield begun, self.body[word.end() :].strip(_BETWEEN)

    def apart(self) -> tuple[str, str]:
        """The name and the rest as the punctuation says, of a client that is not known: up to the first comma, else the
        first words with a capital, else the first word."""
        if found := re.search(r"[,;:](?=\s)|\s[-–—](?=\s)|\n", self.body):  # noqa: RUF001
            return self.body[: found.start()].strip(_BETWEEN), self.body[found.end() :].strip(_BETWEEN)
        words = self.body.split()
        capital = next((at for at, word in enumerate(words) if not word[0].isupper()), len(words)) or 1
        return " ".join(words[:capital]).strip(_BETWEEN), " ".join(words[capital:]).strip(_BETWEEN)


def read_jotting(line: str, by: Conventions) -> QuickNote:
    """Takes a line apart. Whatever it says, it can be read: what is not understood is in the body."""
    head, kind = _head(line)
    left = line[len(head) :]
    tail, due_on, due_time = _tail(left, by)
    return QuickNote(head, left[: len(left) - len(tail)], tail, kind, due_on, due_time)


def _head(line: str) -> tuple[str, str]:
    first = _WORD.search(line)
    kind = _KINDS.get(first.group().rstrip(_BETWEEN).lower()) if first else None
    if first is None or kind is None:
        return "", "note"
    rest = line[first.end() :]
    return line[: len(line) - len(rest.lstrip())], kind


def _tail(text: str, by: Conventions) -> tuple[str, date | None, str]:
    """The longest end of a text that says when, with what stands before it, and what it says."""
    words = list(_WORD.finditer(text))[-_WORDS_OF_WHEN:]
    for first in words:
        tail = text[first.start() :].strip(_BETWEEN).lower()
        if when := _when(tail.replace(",", " ").split(), by):
            start = len(text[: first.start()].rstrip(_BETWEEN))
            return text[start:], *when
    return "", None, ""


def _when(words: Sequence[str], by: Conventions) -> tuple[date, str] | None:
    """A day to come, and perhaps a time before or after it, and nothing else."""
    for at in range(len(words) + 1):
        for day_words, time_words in ((words[:at], words[at:]), (words[at:], words[:at])):
            time = _time(time_words, by)
            day = _day(day_words, by) if time is not None else None
            if day is not None and time is not None:
                return day, time
    return None


def _time(words: Sequence[str], by: Conventions) -> str | None:
    """A time of day; '' for no words, None for others."""
    text = " ".join(words[1:] if words[:1] == ["at"] else words)
    if not words or not _CLOCK.fullmatch(text):
        return None if words else ""
    try:
        return TimeOfDay().read(text.removesuffix("h"), by)
    except FieldError:
        return None


def _day(words: Sequence[str], by: Conventions) -> date | None:
    """A day from today on; None for other words."""
    text = " ".join(words[1:] if words[:1] in (["on"], ["by"]) else words)
    if not text:
        return None
    try:
        day = _counted(text, by.today) or DayAhead().read(text, by)
    except (FieldError, OverflowError):
        return None
    return day if day is not None and day >= by.today else None


def _counted(text: str, today: date) -> date | None:
    """The day of 'in two weeks', 'in a month', 'next month' (its first) and 'next fri' (of next week)."""
    monday = today + timedelta(days=7 - today.weekday())
    if ahead := _AHEAD.fullmatch(text):
        count = int(ahead[1]) if ahead[1].isdecimal() else _SPELLED[ahead[1]]
        if ahead[2] == "month":
            return _months_on(today, count)
        return today + timedelta(days=count * (7 if ahead[2] == "week" else 1))
    next_, _, unit = text.partition(" ")
    if next_ != "next" or len(unit) < 3:
        return None
    if unit == "month":
        return _months_on(today, 1).replace(day=1)
    return next((monday + timedelta(days=at) for at, day in enumerate(_WEEKDAYS) if day.startswith(unit)), None)


def _months_on(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
