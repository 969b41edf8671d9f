"""Amounts of money as people write them."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from crm.errors import FieldError
from crm.model.conventions import TURNING_MARKS, Conventions
from crm.model.fields.checks import Check

LARGEST_AMOUNT = Decimal("999999999999.99")

_WRITTEN = Decimal("1234.50")
# Digits, or groups of them with one sign between them.
_WHOLE = re.compile(r"\d*|\d{1,3}(\D)\d{2,3}(?:\1\d{2,3})*")
_PLAIN_AMOUNT = re.compile(r"\d+(\.\d{1,2})?")


class Amount(Check):
    """Money in major units with two decimals, zero or more; grouping and decimal mark as the team writes them, and its
    currency before or after the digits where somebody writes it ($1,200, EUR 1200).

    A point before one or two last digits is always the decimal mark, so scripts need not know the locale.
    """

    empty = Decimal("0.00")
    example = "1200 or 1200.50"

    def read(self, typed: str, by: Conventions) -> Decimal:
        text = _bare("".join(typed.split()), by)
        if not text:
            raise FieldError(f"an amount is needed, like {self.example}")
        if text.startswith(("-", "\u2212")):
            raise FieldError("an amount cannot be negative; to undo a sale, take it back")
        amount = Decimal(text) if len(text) <= 15 and _PLAIN_AMOUNT.fullmatch(text) else self._localised(text, by)
        if amount > LARGEST_AMOUNT:
            raise FieldError(f"at most {by.amount(LARGEST_AMOUNT)}")
        return amount.quantize(Decimal("0.01"))

    def _localised(self, text: str, by: Conventions) -> Decimal:
        from babel.numbers import NumberFormatError, get_group_symbol, parse_decimal

        mark = by.decimal_mark
        group = get_group_symbol(by.locale)
        if not re.fullmatch(rf"[\d.,'\u2019{re.escape(mark + group)}]+", text) or not re.search(r"\d", text):
            raise FieldError(f"that is not an amount; write digits, like {self.example}")
        if len(text) > 40:
            raise FieldError(f"at most {by.amount(LARGEST_AMOUNT)}")
        meant = _meant_amount(text)
        if group == "\u2019":
            # The Swiss write it as their keyboards have it.
            text = text.replace("'", group)
        try:
            amount = parse_decimal(text, locale=by.locale, strict=True)
        except (NumberFormatError, InvalidOperation) as error:
            shown = _as_shown(text, by)
            if shown is None:
                write = by.amount(Decimal(meant)) if meant else f"it like {by.amount(_WRITTEN)}"
                raise FieldError(f"{text} is separated in another way than numbers are here; write {write}") from error
            amount = shown
        # One that is too large is told by the caller; it may have more digits than `quantize` takes.
        if amount <= LARGEST_AMOUNT and amount != amount.quantize(Decimal("0.01")):
            raise FieldError("an amount has at most two decimals")
        return amount

    def show(self, value: Any, by: Conventions) -> str:
        return by.money(value) if value is not None else ""

    def edit(self, value: Any, by: Conventions) -> str:
        return f"{value:.2f}"


def _bare(text: str, by: Conventions) -> str:
    """The amount without the team's currency, which may stand on either side of it, and without the marks that turn the
    line around where the program itself writes it."""
    text = TURNING_MARKS.sub("", text)
    if text[:1].isdecimal() and text[-1:].isdecimal():
        return text
    folded = text.casefold()
    for sign in by.currency_signs:
        if folded.startswith(sign):
            return text[len(sign) :]
        if folded.endswith(sign):
            return text[: -len(sign)]
    return text


def _as_shown(text: str, by: Conventions) -> Decimal | None:
    """The amount that is shown as this very text, in a language that groups money in another way than numbers; None for
    none."""
    from babel.numbers import NumberFormatError, parse_decimal

    try:
        amount = parse_decimal(text, locale=by.locale)
        return amount if _bare("".join(by.money(amount).split()), by) == text else None
    except (NumberFormatError, InvalidOperation):
        return None


def _meant_amount(text: str) -> str:
    """What 1.234,56 or 12,50 most likely means, as a plain number; '' when it could be several."""
    last = max(text.rfind(","), text.rfind("."))
    decimals = text[last + 1 :]
    if last < 0 or not 1 <= len(decimals) <= 2 or not decimals.isdigit() or not _WHOLE.fullmatch(text[:last]):
        return ""
    whole = re.sub(r"\D", "", text[:last])
    return f"{whole or '0'}.{decimals}"
