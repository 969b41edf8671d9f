"""The team's conventions: how it writes numbers, money, dates and phone numbers, and its time zone."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from crm.clock import Clock
from crm.lazy_pattern import lazy_pattern
from crm.lean_dataclass import dataclass
from crm.model.currencies import signs_of
from crm.model.money import MOST_DECIMALS, decimals_of, rounded, shown_decimals

if TYPE_CHECKING:
    from babel import Locale
    from babel.numbers import NumberPattern

# What the total of a client is of, unless a team has chosen paid invoices.
SALES = "sales"
# Days that have a word of their own, and for how many around today one counts or names the day of the week.
_DAYS_AWAY = {-1: "yesterday", 0: "today", 1: "tomorrow"}
NEAR_DAYS = 7
# Forms of a date that each language puts in an order of its own.
_SKELETONS = (_DAY_OF_MONTH, _DAY_OF_WEEK_AND_MONTH) = ("MMMd", "MMMEd")
# The orders of year, month and day, in words.
DATE_ORDERS = {"ymd": "year month day", "dmy": "day month year", "mdy": "month day year"}
# Marks that nobody sees and that turn a line around; some languages put them beside amounts.
TURNING_MARKS = lazy_pattern("[\u200e\u200f\u061c]")
_SEPT = lazy_pattern(r"\bSept\b")
# Hours, minutes and half of the day, without words between them.
_CLOCK = lazy_pattern(r"(?:a\s*)?h{1,2}[:.]mm(?:\s*a)?")


@dataclass(frozen=True)
class Conventions:
    """The team's conventions, handed to every check and every display.

    `language` is a locale as Babel names it ('de_AT'), `currency` an ISO 4217 code, `country` the
    ISO 3166 code that a phone number without a country code is read with; `clock` knows the team's day and zone.
    `spend_counts` says what the total of a client is of: sales, or paid invoices.
    """

    language: str = "en_US"
    currency: str = "USD"
    country: str = "US"
    clock: Clock = field(default_factory=Clock, compare=False)
    spend_counts: str = SALES

    @property
    def today(self) -> date:
        """The day that it is for the team."""
        return self.clock.today

    # Babel is imported where it is used: a script that prints JSON never needs it.

    @cached_property
    def locale(self) -> "Locale":
        from babel import Locale

        return Locale.parse(self.language)

    @cached_property
    def decimal_mark(self) -> str:
        from babel.numbers import get_decimal_symbol

        return get_decimal_symbol(self.locale)

    @cached_property
    def decimals(self) -> int:
        """The number of decimals that an amount has in the team's currency."""
        return decimals_of(self.currency)

    @cached_property
    def currency_sign(self) -> str:
        """The currency as this language writes it: $, €, kr."""
        from babel.numbers import get_currency_symbol

        return str(get_currency_symbol(self.currency, locale=self.locale))

    @cached_property
    def _money_patterns(self) -> "Sequence[NumberPattern]":
        """The patterns of an amount with its currency, by how many decimals it is shown with."""
        sign = self.currency_sign
        patterns = [copy(self.locale.currency_formats["standard"]) for _ in range(MOST_DECIMALS + 1)]
        for decimals, pattern in enumerate(patterns):
            pattern.frac_prec = (decimals, decimals)
            # Put in once: Babel looks up the sign and the name again for each amount.
            pattern.prefix, pattern.suffix = (
                tuple(affix.replace("¤¤", self.currency).replace("¤", sign) for affix in affixes)
                for affixes in (pattern.prefix, pattern.suffix)
            )
        return patterns

    @cached_property
    def currency_signs(self) -> tuple[str, ...]:
        """The signs of the currency beside an amount, folded, without blanks and marks, the longest first: as this
        language does, as everybody does, and as its code."""
        from babel.numbers import get_currency_symbol

        signs = {get_currency_symbol(self.currency, locale=locale) for locale in (self.locale, "en")}
        signs |= set(signs_of(self.currency))
        bare = {"".join(TURNING_MARKS.sub("", sign).split()).casefold() for sign in signs}
        return tuple(sorted(bare, key=len, reverse=True))

    @cached_property
    def date_order(self) -> str:
        """The order in which a date is written in numbers here: 'dmy', 'mdy' or 'ymd'."""
        pattern = self._numeric_date.lower()
        return "".join(sorted("ymd", key=pattern.find))

    @cached_property
    def day_first(self) -> bool:
        """Return whether 3/4/2026 is the third of April here."""
        return self.date_order.index("d") < self.date_order.index("m")

    @cached_property
    def _numeric_date(self) -> str:
        from babel.dates import get_date_format

        return str(get_date_format("short", self.locale))

    def money(self, amount: Decimal) -> str:
        """An amount with its currency: $1,234.50; one that has more decimals than the currency is shown in full."""
        return self._written_money(str(amount))

    @cached_property
    def _written_money(self) -> Callable[[str], str]:
        """Write an amount that is given as text. The same ones are written again and again, and Babel is slow."""

        @lru_cache(maxsize=1000)
        def write(text: str) -> str:
            amount = Decimal(text)
            return str(self._money_patterns[self.shown_decimals(amount)].apply(amount, self.locale))

        return write

    def amount(self, amount: Decimal) -> str:
        """An amount as people type it: 1,234.50."""
        return self._written_amount(str(amount))

    @cached_property
    def _written_amount(self) -> Callable[[str], str]:
        from babel.numbers import format_decimal

        @lru_cache(maxsize=1000)
        def write(text: str) -> str:
            amount = Decimal(text)
            decimals = "0" * self.shown_decimals(amount)
            return format_decimal(amount, format=f"#,##0.{decimals}".rstrip("."), locale=self.locale)

        return write

    def shown_decimals(self, amount: Decimal) -> int:
        """The number of decimals that an amount is shown with: those of the currency, and more where it has more."""
        return shown_decimals(amount, self.decimals)

    def rounded(self, amount: Decimal) -> Decimal:
        """An amount that was computed, as an estimate, to the decimals of the currency; a half of the last one up."""
        return rounded(amount, self.decimals)

    def in_total(self, count: int) -> str:
        """The number of those that make the total of a client: 1 sale, 2 paid invoices."""
        return f"{self.number(count)} {self.spend_counts if count != 1 else self.spend_counts.removesuffix('s')}"

    def number(self, count: int) -> str:
        """A whole number: 12,345."""
        return self._written_number(count)

    @cached_property
    def _written_number(self) -> Callable[[int], str]:
        from babel.numbers import format_decimal

        return lru_cache(maxsize=1000)(lambda count: format_decimal(count, locale=self.locale))

    def day(self, day: date | None) -> str:
        """A date as it is read: 21 Nov 2026; on pages a word if it is near. '' for none."""
        return self.whole_day(day)

    def whole_day(self, day: date | None) -> str:
        """A date with its day, month and year: 21 Nov 2026; '' for none."""
        return self._written_day(day, "medium") if day is not None else ""

    @cached_property
    def _written_day(self) -> Callable[[date, str], str]:
        """Write a day in a form of Babel. A list that is scrolled has the same ones again, and Babel is slow."""
        from babel.dates import format_date, format_skeleton

        @lru_cache(maxsize=1000)
        def write(day: date, form: str) -> str:
            if form in _SKELETONS:
                written = str(format_skeleton(form, day, locale=self.locale))
            else:
                written = format_date(day, form, locale=self.locale)
            # The CLDR has Sept for some countries, where all other months have three letters.
            return _SEPT.sub("Sep", written) if self.locale.language == "en" else written

        return write

    def is_in_words(self, _: date) -> bool:
        """Return whether a date is written without its day of the month or week: yesterday, 3 days ago."""
        return False

    def due(self, day: date) -> str:
        """The day on which something was or is due, in words: due 21 Nov 2026."""
        return f"due {self.day(day)}"

    def on_day(self, day: date | None) -> str:
        """A date within a sentence: on 21 Nov 2026; '' for none."""
        return f"on {self.day(day)}" if day else ""

    def near_day(self, day: date | None) -> str:
        """A date in spoken form: today, 3 days ago, Fri, Nov 19, and the year only where it is another one; '' for
        none."""
        if day is None:
            return ""
        away = (day - self.today).days
        if away in _DAYS_AWAY:
            return _DAYS_AWAY[away]
        if -NEAR_DAYS <= away < 0:
            return f"{-away} days ago"
        if 0 < away < NEAR_DAYS:
            return self.weekday(day)
        if day.year != self.today.year:
            return self.whole_day(day)
        return self.named_day(day)

    def weekday_and_day(self, day: date) -> str:
        """A date with its day of the week and without its year: Sat, Nov 21."""
        return self._written_day(day, _DAY_OF_WEEK_AND_MONTH)

    def named_day(self, day: date) -> str:
        """A date with its month in letters and without its year: Nov 21."""
        return self._written_day(day, _DAY_OF_MONTH)

    def day_and_month(self, day: date) -> str:
        """A date without its year, in numbers: 12/24, 24/12, 24.12."""
        mark = next((character for character in self._numeric_date if character in "./-"), "/")
        both = (
            (day.day, day.month)
            if self.day_first or (mark == "." and self.date_order != "ymd")
            else (day.month, day.day)
        )
        return mark.join(map(str, both)) + ("." if mark == "." else "")

    def weekday(self, day: date) -> str:
        """The day of the week of a date, short: Fri."""
        return self._written_day(day, "EEE")

    def month(self, day: date) -> str:
        """The month of a date, short: Nov 2026."""
        return self._written_day(day, "MMM y")

    def day_of(self, moment: datetime) -> str:
        """The team's day of a moment (aware) as it is read: 21 Nov 2026."""
        return self.day(self.clock.day_of(moment))

    def time(self, moment: datetime) -> str:
        """A moment (aware) in the team's time zone: 21 Nov 2026, 14:05."""
        return f"{self.whole_day(self.clock.day_of(moment))}, {self.time_of(moment)}"

    def time_of(self, moment: datetime) -> str:
        """The time of day of a moment (aware) in the team's time zone: 14:05 or 2:05 PM."""
        return self.time_of_day(self.clock.time_of(moment))

    def time_of_day(self, written: str) -> str:
        """A time of day ('HH:MM') as it is read here: 14:05 or 2:05 PM; any other text as it is."""
        if not written or not self.twelve_hours:
            return written
        from babel.dates import format_time

        try:
            text = format_time(time.fromisoformat(written), self.twelve_hours, locale=self.locale)
        except ValueError:
            return written
        return " ".join(text.split())

    @cached_property
    def twelve_hours(self) -> str:
        """The pattern of a time of day where the hours are counted to twelve; '' where to 24. That is always HH:MM:
        a point instead of the colon, as in Danish, would make a date of it when it is typed."""
        from babel.dates import get_time_format

        pattern = str(get_time_format("short", self.locale)).replace("B", "a")
        return pattern if "a" in pattern and _CLOCK.fullmatch(pattern) else ""
