"""Amounts in a currency that may be another one than the team's, with the decimals of their own currency."""

from dataclasses import replace
from decimal import Decimal
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.registry import About
from crm.config import Currency
from crm.errors import FieldError
from crm.model import Conventions
from crm.model.fields import Amount
from crm.model.fields.money import has_doubtful_thousands
from crm.model.money import MOST_DECIMALS, as_written_in, exact_to

OfCurrency = Annotated[str, Currency(), About("Currency", "the team's by default")]


class _MostExact(Amount):
    def decimals(self, by: Conventions) -> int:
        return MOST_DECIMALS


class AmountOfAnyCurrency(Amount):
    """Money in major units whose currency is known only later: with the decimals of the team's currency, else with up
    to four. `refuse_too_exact` compares it with the currency once that is known."""

    def read(self, typed: str, by: Conventions) -> Decimal:
        try:
            return super().read(typed, by)
        except FieldError as error:
            try:
                return _MostExact().read(typed, by)
            except FieldError as doubt:
                # In a currency of three decimals 4.500 is usual, so both readings are named.
                raise (doubt if has_doubtful_thousands(typed, by) else error) from None


def refuse_too_exact(crm: CRM, amount: Decimal, currency: str, *, field: str = "amount") -> None:
    """Raise FieldError where an amount has more decimals than its currency."""
    by = replace(crm.conventions, currency=currency)
    if not exact_to(amount, by.decimals):
        raise FieldError(Amount().too_exact(by), field=field, label=field.capitalize())


def amounts_in(currency: str, **amounts: Decimal) -> dict[str, str]:
    """Amounts by name as scripts read them: with the decimals of their currency."""
    return {name: f"{as_written_in(amount, currency):f}" for name, amount in amounts.items()}
