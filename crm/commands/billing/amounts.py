"""Amounts in a currency that may be another one than the team's, with the decimals of their own currency."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.registry import About
from crm.config import Currency
from crm.errors import FieldError
from crm.model import Conventions
from crm.model.fields import Amount, ExactPrice
from crm.model.fields.money import has_doubtful_thousands, refuse_doubtful_thousands
from crm.model.money import MOST_DECIMALS, as_written_in, exact_to

_MINUS = "-\u2212"
_DIGITS = re.compile(r"\d[\d.,]*\d")
OfCurrency = Annotated[str, Currency(), About("Currency", "the team's by default")]


class _MostExact(Amount):
    def decimals(self, by: Conventions) -> int:
        return MOST_DECIMALS


class UnsureAmount(Decimal):
    """An amount like 12.500 whose currency is known only later: in one of three decimals that is usual, in others it
    may be in thousands. `refuse_unsure` tells the two apart."""

    typed: str

    @classmethod
    def read(cls, typed: str, by: Conventions) -> "UnsureAmount | None":
        """Such an amount as the team writes it; None for any other."""
        text = typed.strip()
        bare = text.lstrip(_MINUS)
        digits = _DIGITS.search(bare)
        if digits is None or not has_doubtful_thousands(bare, by):
            return None
        amount = cls(("-" if bare != text else "") + digits[0].replace(by.decimal_mark, "."))
        amount.typed = digits[0]
        return amount


class AmountOfAnyCurrency(Amount):
    """Money in major units whose currency is known only later: with the decimals of the team's currency, else with up
    to four. `refuse_too_exact` compares it with the currency once that is known."""

    def read(self, typed: str, by: Conventions) -> Decimal:
        try:
            return super().read(typed, by)
        except FieldError as error:
            if (unsure := UnsureAmount.read(typed, by)) is not None and unsure >= 0:
                return unsure
            try:
                return _MostExact().read(typed, by)
            except FieldError:
                raise error from None


class PriceOfAnyCurrency(ExactPrice):
    """A price whose currency is known only later. `refuse_unsure` compares it with the currency once that is known."""

    def read(self, typed: str, by: Conventions) -> Decimal:
        try:
            return super().read(typed, by)
        except FieldError:
            if unsure := UnsureAmount.read(typed, by):
                return unsure
            raise


def refuse_unsure(crm: CRM, amount: Decimal, currency: str, *, field: str = "amount") -> None:
    """Raise FieldError where an amount may be in thousands: its currency has fewer than three decimals."""
    if isinstance(amount, UnsureAmount):
        try:
            refuse_doubtful_thousands(amount.typed, replace(crm.conventions, currency=currency))
        except FieldError as error:
            raise error.at(field, field.capitalize()) from None


def refuse_too_exact(crm: CRM, amount: Decimal, currency: str, *, field: str = "amount") -> None:
    """Raise FieldError where an amount has more decimals than its currency, or may be in thousands."""
    refuse_unsure(crm, amount, currency, field=field)
    by = replace(crm.conventions, currency=currency)
    if not exact_to(amount, by.decimals):
        raise FieldError(Amount().too_exact(by), field=field, label=field.capitalize())


def amounts_in(currency: str, **amounts: Decimal) -> dict[str, str]:
    """Amounts by name as scripts read them: with the decimals of their currency."""
    return {name: f"{as_written_in(amount, currency):f}" for name, amount in amounts.items()}
