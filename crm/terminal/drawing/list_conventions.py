"""The conventions of lists and cards: days near today as words, amounts under the sign in their heading; and of lists
for other programs."""

from datetime import date
from decimal import Decimal
from functools import cached_property

from crm.model import Conventions


class ListConventions(Conventions):
    """The team's conventions, as lists and cards write days."""

    @classmethod
    def of(cls, by: Conventions) -> "ListConventions":
        """Those of a list, of the team's own."""
        return cls(by.language, by.currency, by.country, by.clock, by.spend_counts)

    def day(self, day: date | None) -> str:
        return self.near_day(day)

    def near_day(self, day: date | None) -> str:
        return Conventions(self.language, self.currency, self.country, self.clock).near_day(day)

    @cached_property
    def amounts(self) -> Conventions:
        """The same for a column of amounts, whose sign stands in its heading."""
        return _Amounts(self.language, self.currency, self.country, self.clock)


class _Amounts(Conventions):
    def money(self, amount: Decimal) -> str:
        return self.amount(amount)


class PipedConventions(Conventions):
    """The team's conventions, as lists for other programs write them: days as ISO dates, whatever day it is."""

    @classmethod
    def of(cls, by: Conventions) -> "PipedConventions":
        """Those of a list, of the team's own."""
        return cls(by.language, by.currency, by.country, by.clock, by.spend_counts)

    def day(self, day: date | None) -> str:
        return day.isoformat() if day else ""

    def near_day(self, day: date | None) -> str:
        return self.day(day)
