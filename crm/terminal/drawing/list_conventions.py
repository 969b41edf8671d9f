"""The conventions of lists and cards: days near today as words, amounts under the sign in their heading; and of lists
for other programs."""

from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache

from crm.model import Conventions
from crm.model.conventions import NEAR_DAYS


class ListConventions(Conventions):
    """The team's conventions, as lists and cards write days."""

    @classmethod
    def of(cls, by: Conventions) -> "ListConventions":
        """Those of a list, of the team's own."""
        return _kept(by.language, by.currency, by.country, by.clock, by.spend_counts)

    def day(self, day: date | None) -> str:
        return self.near_day(day)

    def on_day(self, day: date | None) -> str:
        """A day within a sentence: today, 3 days ago, on Fri, on Nov 19; '' for none."""
        return self.near_day(day) if day is None or self.is_in_words(day) else f"on {self.near_day(day)}"

    def is_in_words(self, day: date) -> bool:
        return -NEAR_DAYS <= (day - self.today).days <= 1

    def due(self, day: date) -> str:
        """The day on which something is due: due Fri, 5 days overdue."""
        late = (self.today - day).days
        return f"{late} {'day' if late == 1 else 'days'} overdue" if late > 0 else f"due {self.near_day(day)}"

    def time(self, moment: datetime) -> str:
        """A moment by its day, one of today by its time too."""
        day = self.clock.day_of(moment)
        return f"{self.near_day(day)} {self.time_of(moment)}" if day == self.today else self.near_day(day)

    @cached_property
    def amounts(self) -> Conventions:
        """The same for a column of amounts, whose sign is in its heading."""
        return _Amounts(self.language, self.currency, self.country, self.clock)


# Kept, since each also keeps what it has found out about its language.
_kept = lru_cache(maxsize=16)(ListConventions)


class _Amounts(Conventions):
    def money(self, amount: Decimal) -> str:
        return self.amount(amount)


class PipedConventions(Conventions):
    """The team's conventions, as lists for other programs write them: days and times as in ISO 8601, whatever day it
    is."""

    @classmethod
    def of(cls, by: Conventions) -> "PipedConventions":
        """Those of a list, of the team's own."""
        return cls(by.language, by.currency, by.country, by.clock, by.spend_counts)

    def day(self, day: date | None) -> str:
        return day.isoformat() if day else ""

    def near_day(self, day: date | None) -> str:
        return self.day(day)

    def time_of_day(self, written: str) -> str:
        return written
