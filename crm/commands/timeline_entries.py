"""The entries of a timeline, and the places in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from crm.errors import FieldError


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a client's timeline: its day and, where there is one, its time of day ('HH:MM'), both in the team's
    time zone; its kind, what it was in words, and who did it. An amount is in the currency of the team, or in
    `currency`. `record` and `id` say what it leads to; of a change
    `transaction` is the number in the history."""

    on: date
    time: str
    kind: str
    what: str
    by: str = ""
    amount: Decimal | None = None
    record: str = ""
    id: int = 0
    transaction: int | None = None
    currency: str = ""


# What entries are sorted by: the team's day, the moment in it, and at the same moment a rank (the higher one comes
# first).
Key = tuple[date, datetime, int]


# More digits are no number of entries that a database could count.
_LONGEST_COUNT = 9


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a timeline: after a number of entries of a day, and after all entries of later days. It is written
    like 2026-11-21/3."""

    on: date = date.max
    count: int = 0

    @classmethod
    def read(cls, text: str) -> "Place":
        """Read a place; '' is the beginning. Raises FieldError."""
        on, _, count = text.strip().partition("/")
        try:
            if len(count) > _LONGEST_COUNT:
                raise ValueError
            return cls(date.fromisoformat(on), max(0, int(count or 0))) if on else cls()
        except ValueError as error:
            message = "give it as the previous page shows it, like 2026-11-21/3"
            raise FieldError(message, field="after", label="After") from error

    def __str__(self) -> str:
        return f"{self.on}/{self.count}"

    def after(self, entries: Sequence[Entry]) -> "Place":
        """The place after `entries`, which begin at this place."""
        if not entries:
            return self
        last = entries[-1].on
        return Place(last, sum(entry.on == last for entry in entries) + (self.count if last == self.on else 0))


START = Place()


def in_one_line(text: str) -> str:
    """A text in one line; a screen cuts what it has no room for."""
    return " ".join(text.split())


def first_line(text: str) -> str:
    """The first line of a text."""
    return in_one_line(text.partition("\n")[0])
