"""Figures of bills: prices with four decimals, quantities, rates of tax, units, and sums that may be negative."""

from decimal import Decimal
from typing import Any

from crm.errors import FieldError
from crm.model.conventions import Conventions
from crm.model.fields.checks import Check
from crm.model.fields.money import Amount
from crm.model.money import MOST_DECIMALS, exact

_MINUS = ("-", "\u2212")


class Price(Amount):
    """The price of one unit, with up to four decimals in any currency."""

    example = "100 or 0.0825"

    def decimals(self, by: Conventions) -> int:
        return MOST_DECIMALS

    def too_exact(self, by: Conventions) -> str:
        return "at most four decimals"

    def hint(self, by: Conventions) -> str:
        return self.example.replace(".", by.decimal_mark)


class Balance(Amount):
    """A sum of money that may be negative, such as a line that takes something back."""

    signed = True

    def read(self, typed: str, by: Conventions) -> Decimal:
        text = typed.strip()
        return -super().read(text[1:], by) if text.startswith(_MINUS) else super().read(text, by)


class Quantity(Price):
    """A number of units, with up to four decimals; negative where something is taken back."""

    example = "3 or 2.5"
    signed = True

    def read(self, typed: str, by: Conventions) -> Decimal:
        text = typed.strip()
        if text.startswith(_MINUS):
            return -super().read(text[1:], by)
        if not text:
            raise FieldError(f"give a number, like {self.hint(by)}")
        return super().read(text, by)

    def show(self, value: Any, by: Conventions) -> str:
        return number_shown(value, by)

    def edit(self, value: Any, by: Conventions) -> str:
        plain = f"{value.normalize():f}" if value else "0"
        return plain.replace(".", by.decimal_mark) if len(plain.partition(".")[2]) == 3 else plain


class Units(Quantity):
    """A number of units that a price is for, never less than nothing."""

    example = "1 or 100"
    signed = False

    def read(self, typed: str, by: Conventions) -> Decimal:
        if typed.strip().startswith(_MINUS):
            raise FieldError("a price is for a number of units above 0")
        return super().read(typed, by)


class Rate(Quantity):
    """A rate of tax in percent, from 0 to 100, with up to two decimals."""

    example = "19 or 5.5"
    signed = False

    def decimals(self, by: Conventions) -> int:
        return 2

    def too_exact(self, by: Conventions) -> str:
        return "at most two decimals"

    def read(self, typed: str, by: Conventions) -> Decimal:
        text = typed.strip().removesuffix("%").rstrip()
        if text.startswith(_MINUS):
            raise FieldError("a rate is from 0 to 100 percent")
        rate = super().read(text, by)
        if rate > 100:
            raise FieldError("a rate is from 0 to 100 percent")
        return exact(rate)

    def show(self, value: Any, by: Conventions) -> str:
        return f"{number_shown(value, by)} %"


def number_shown(value: Decimal, by: Conventions) -> str:
    """A number without needless zeros, as the team writes numbers: 3, 2.5, 1,200."""
    from babel.numbers import format_decimal

    return format_decimal(value, format="#,##0.####", locale=by.locale)


# The usual units by their codes (UN/ECE Recommendation 20), each with its word and what else people write.
UNITS: dict[str, tuple[str, ...]] = {
    "C62": ("piece", "pieces", "pc", "pcs", "x", "unit", "units", "stk"),
    "HUR": ("hour", "hours", "h", "hr", "hrs", "std"),
    "MIN": ("minute", "minutes", "min", "mins"),
    "DAY": ("day", "days", "d"),
    "WEE": ("week", "weeks", "wk"),
    "MON": ("month", "months", "mo"),
    "ANN": ("year", "years", "yr"),
    "KMT": ("kilometre", "kilometres", "kilometer", "kilometers", "km"),
    "MTR": ("metre", "metres", "meter", "meters", "m"),
    "MTK": ("square metre", "square metres", "m2", "m\u00b2"),
    "KGM": ("kilogram", "kilograms", "kg"),
    "GRM": ("gram", "grams", "g"),
    "LTR": ("litre", "litres", "liter", "liters", "l"),
    "LS": ("lump sum", "flat rate", "flat"),
    "P1": ("percent",),
}
_CODES = {word: code for code, words in UNITS.items() for word in words}


class Unit(Check):
    """A unit by its code (UN/ECE Recommendation 20) or its usual word: HUR or hour, C62 or piece."""

    example = "hour, piece, month, HUR or C62"

    def read(self, typed: str, by: Conventions) -> str:
        text = typed.strip()
        if not text:
            return ""
        code = _CODES.get(text.lower(), text.upper())
        if code in UNITS or (code.isascii() and code.isalnum() and 2 <= len(code) <= 3):
            return code
        raise FieldError(f"write a unit like {self.example}")

    def show(self, value: Any, by: Conventions) -> str:
        return UNITS[value][0] if value in UNITS else str(value or "")

    def edit(self, value: Any, by: Conventions) -> str:
        return str(value)
