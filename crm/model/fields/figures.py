"""Figures of bills: prices with four decimals, quantities, rates of tax, units, and sums that may be negative."""

from decimal import Decimal
from typing import Any

from crm.errors import FieldError
from crm.model.conventions import Conventions
from crm.model.fields.checks import Check
from crm.model.fields.money import Amount
from crm.model.money import MOST_DECIMALS, exact
from crm.model.units import all_unit_codes, unit_code, unit_name

_MINUS = ("-", "\u2212")
# Prices of energy have so many.
MOST_TYPED = 10


class Price(Amount):
    """The price of one unit, with up to four decimals in any currency."""

    example = "100 or 0.0825"

    def decimals(self, by: Conventions) -> int:
        return MOST_DECIMALS

    def too_exact(self, by: Conventions) -> str:
        return "at most four decimals"

    def hint(self, by: Conventions) -> str:
        return self.example.replace(".", by.decimal_mark)


class ExactPrice(Price):
    """A price as it is typed, with more decimals than are kept: it is kept for so many units that four are enough. With
    a minus the line is a deduction, and the caller negates the quantity instead."""

    signed = True

    def decimals(self, by: Conventions) -> int:
        return MOST_TYPED

    def read(self, typed: str, by: Conventions) -> Decimal:
        text = typed.strip()
        return -super().read(text[1:], by) if text.startswith(_MINUS) else super().read(text, by)

    def too_exact(self, by: Conventions) -> str:
        return f"at most {MOST_TYPED} decimals"

    def kept(self, amount: Decimal) -> Decimal:
        return amount if amount.as_tuple().exponent < -MOST_DECIMALS else exact(amount)  # type: ignore[operator]


class LinePrice(Price):
    """The price of a line. It is typed as zero or more, but may be less in an older store, which is read as it is."""

    signed = True


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
    shortens = False

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

    def show(self, value: Any, by: Conventions) -> str:
        # Lines of older stores have 0 where nobody typed a number.
        return super().show(value or Decimal(1), by)


class Rate(Quantity):
    """A rate of tax in percent, from 0 to 100, with up to two decimals."""

    example = "19 or 5.5"
    signed = False
    has_thousands = False

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


class Unit(Check):
    """A unit by its code (UN/ECE Recommendation 20) or its usual word: HUR or hour, C62 or piece."""

    example = "hour, piece, month, HUR or C62"
    completed_by = "unit"

    def read(self, typed: str, by: Conventions) -> str:
        text = typed.strip()
        code = unit_code(text) or text.upper()
        if code and code not in all_unit_codes():
            raise FieldError(f"write a unit like {self.example}")
        return code

    def show(self, value: Any, by: Conventions) -> str:
        return unit_name(str(value or ""))

    def edit(self, value: Any, by: Conventions) -> str:
        return str(value)
