"""Amounts of money: how exact they are, which currency has how many decimals, and how a machine writes them."""

from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from functools import lru_cache

# No currency of ISO 4217 has more: the Chilean unidad de fomento (CLF) and the Uruguayan UYW have four.
MOST_DECIMALS = 4
LARGEST_AMOUNT = Decimal("999999999999.99")
NOTHING = Decimal("0.00")

_TWO, _FOUR = Decimal("0.01"), Decimal("0.0001")
# Wide enough for any sum; `_EXACT` refuses what would have to be rounded.
_ROUNDED = Context(prec=100, rounding=ROUND_HALF_UP)
_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation])
# For these the CLDR, and so Babel, gives the decimals that are usual in a shop; ISO 4217, and invoices, have more.
_MORE_IN_ISO = {
    "AFN": 2, "ALL": 2, "IQD": 3, "IRR": 2, "KPW": 2, "LAK": 2, "LBP": 2, "MGA": 2, "MMK": 2, "RSD": 2, "SOS": 2,
    "SYP": 2, "YER": 2,
}  # fmt: skip


@lru_cache(maxsize=512)
def decimals_of(currency: str) -> int:
    """The number of decimals that an amount in a currency has (ISO 4217): 2 for EUR, 0 for JPY, 3 for KWD."""
    from babel.numbers import get_currency_precision

    return _MORE_IN_ISO.get(currency) or min(get_currency_precision(currency), MOST_DECIMALS)


def shown_decimals(amount: Decimal, least: int) -> int:
    """The number of decimals that an amount is shown with: `least`, or more where it has more."""
    return next((few for few in range(least, MOST_DECIMALS) if round(amount, few) == amount), MOST_DECIMALS)


def as_written_in(amount: Decimal, currency: str) -> Decimal:
    """The amount with the decimals that its currency has, or more where it has more: 10, 94.500."""
    return round(amount, shown_decimals(amount, decimals_of(currency)))


def exact(amount: Decimal) -> Decimal:
    """The amount as records hold it: with two decimals, or four where two are too few. Raises ArithmeticError where
    four are."""
    two = _ROUNDED.quantize(amount, _TWO)
    return two if two == amount else _EXACT.quantize(amount, _FOUR)


def exact_to(amount: Decimal, decimals: int) -> bool:
    """Return whether an amount has at most so many decimals."""
    return amount == _ROUNDED.quantize(amount, Decimal(1).scaleb(-decimals))


def rounded(amount: Decimal | Fraction, decimals: int) -> Decimal:
    """An amount that was computed, rounded half up to a number of decimals; it is kept with at least two."""
    if isinstance(amount, Fraction):
        # floor(2n/d + 1) // 2 on the magnitude is an exact round-half-up.
        parts = abs(amount) * 10**decimals
        whole = (2 * parts.numerator + parts.denominator) // (2 * parts.denominator)
        return exact(Decimal(whole if amount >= 0 else -whole).scaleb(-decimals, _ROUNDED))
    return exact(_ROUNDED.quantize(amount, Decimal(1).scaleb(-decimals)))


def plain_amount(amount: Decimal | Fraction) -> str:
    """An amount as a machine writes it, whatever the currency: with two decimals, or four where two are too few (with
    three it could be taken for a number in thousands); a quotient to two."""
    written = rounded(amount, 2 if isinstance(amount, Fraction) else MOST_DECIMALS)
    return f"{written or NOTHING:f}"


def plain_number(number: float) -> str:
    """A number of a spreadsheet as a person would type it, with the 15 digits that those keep; never with three
    decimals, which could be taken for a number in thousands."""
    plain = format(Decimal(f"{number:.15g}"), "f")
    if "." not in plain:
        return plain
    plain = plain.rstrip("0").rstrip(".")
    return f"{plain}0" if plain[-4:-3] == "." else plain
