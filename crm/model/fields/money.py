"""Amounts of money as people write them."""

import re
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any, ClassVar

from crm.errors import FieldError
from crm.lazy_pattern import lazy_pattern
from crm.model.conventions import TURNING_MARKS, Conventions
from crm.model.currencies import foreign_currency
from crm.model.fields.checks import Check
from crm.model.money import LARGEST_AMOUNT, NOTHING, exact

# Digits, or groups of them with one sign between them.
_WHOLE = lazy_pattern(r"\d*|\d{1,3}(\D)\d{2,3}(?:\1\d{2,3})*")
# With three decimals it may be one in thousands, 1.234, where thousands are separated so.
_PLAIN_AMOUNT = lazy_pattern(r"\d{1,13}(\.(\d{1,2}|\d{4,15}))?")
_THREE_DECIMALS = lazy_pattern(r"\d{1,3}\.\d{3}")
# Thousands and millions in short, with one or two decimals, so that the mark before them can mean only one thing.
_SHORTENED = lazy_pattern(r"(\d+)(?:[.,](\d{1,2}))?([km])", re.IGNORECASE)
_ZEROS = {"k": 3, "m": 6}
_MOST_DECIMALS = {0: "no decimals", 1: "at most one decimal", 2: "at most two decimals", 3: "at most three decimals"}


class Amount(Check):
    """Money in major units with the decimals of the team's currency, zero or more; grouping and decimal mark as the
    team writes them, and its currency before or after the digits where somebody writes it ($1,200, EUR 1200). Thousands
    and millions may be written in short: 12k, 1.5m.

    A point before one, two, four or more last digits is always the decimal mark, so scripts need not know the locale.
    Three digits behind it may be thousands to whoever typed them: 12.000 is refused where they cannot be cents. What
    may have more decimals than the currency, a price or a quantity, is refused as `refuse_doubtful_thousands` says.
    """

    empty = NOTHING
    example = "1200 or 1200.50"
    # Whether it may be less than nothing.
    signed: ClassVar[bool] = False
    # Whether it may be written in thousands or millions.
    shortens: ClassVar[bool] = True
    # Whether it may be so large that it has thousands.
    has_thousands: ClassVar[bool] = True

    def decimals(self, by: Conventions) -> int:
        """The number of decimals that may be typed."""
        return by.decimals

    def read(self, typed: str, by: Conventions) -> Decimal:
        text = _bare("".join(typed.split()), by)
        if self.shortens and (match := _SHORTENED.fullmatch(text)):
            whole, decimals, unit = match.groups()
            text = whole + (decimals or "").ljust(_ZEROS[unit.lower()], "0")
        is_bare = text[:1].isdecimal() and text[-1:].isdecimal()
        if not is_bare and (foreign := foreign_currency(typed, by.currency)):
            raise FieldError(f"that is in {foreign}, and amounts here are in {by.currency}")
        if not text:
            raise FieldError(f"give an amount, like {self.hint(by)}")
        if text.startswith(("-", "\u2212")):
            raise FieldError("an amount cannot be negative; leave out the minus")
        amount = Decimal(text) if _PLAIN_AMOUNT.fullmatch(text) else self._localised(text, by)
        if amount > LARGEST_AMOUNT:
            raise FieldError(f"that is too large: at most {_largest(by)}")
        if amount != round(amount, self.decimals(by)):
            raise FieldError(self.too_exact(by))
        return self.kept(amount)

    def kept(self, amount: Decimal) -> Decimal:
        """An amount that was read, as it is kept."""
        return exact(amount)

    def _localised(self, text: str, by: Conventions) -> Decimal:
        from babel.numbers import NumberFormatError, get_group_symbol, parse_decimal

        mark = by.decimal_mark
        group = get_group_symbol(by.locale)
        if not re.fullmatch(rf"[\d.,'\u2019{re.escape(mark + group)}]+", text) or not re.search(r"\d", text):
            raise FieldError(f"that is not an amount; write digits, like {self.hint(by)}")
        if len(text) > 40:
            raise FieldError(f"that is too large: at most {_largest(by)}")
        if self.has_thousands and has_doubtful_thousands(text, by):
            if self.decimals(by) < 3:
                raise FieldError(f"{self.too_exact(by)}; did you mean {by.number(int(text.replace(mark, '')))}?")
            refuse_doubtful_thousands(text, by)
        if self.decimals(by) > 2 and _THREE_DECIMALS.fullmatch(text):
            if group != "." or text.startswith("0"):
                return Decimal(text)
            one, other = by.amount(Decimal(text)), text.replace(".", "")
            raise FieldError(f"{text} can be read in two ways; write {one} or {other}")
        likely = _meant_amount(text, self.decimals(by))
        if group == "\u2019":
            # The Swiss write it as their keyboards have it.
            text = text.replace("'", group)
        try:
            amount = parse_decimal(text, locale=by.locale, strict=True)
        except (NumberFormatError, InvalidOperation) as error:
            converted = _as_shown(text, by)
            if converted is None:
                if likely:
                    message = f"{text} is not an amount here; did you mean {by.amount(Decimal(likely))}?"
                else:
                    message = f"{text} is not an amount here; write it like {by.amount(_like(1234, by))}"
                raise FieldError(message) from error
            amount = converted
        return amount

    def too_exact(self, by: Conventions) -> str:
        """Say that an amount has too many decimals; names the currency where it has not the usual two."""
        if by.decimals == 2:
            return "an amount has at most two decimals"
        return f"an amount in {by.currency} has {_MOST_DECIMALS.get(by.decimals, 'at most four decimals')}"

    def hint(self, by: Conventions) -> str:
        return f"1200 or {self.edit(_like(1200, by), by)}" if by.decimals else "1200"

    def show(self, value: Any, by: Conventions) -> str:
        return by.money(value) if value is not None else ""

    def edit(self, value: Any, by: Conventions) -> str:
        decimals = by.shown_decimals(value)
        plain = f"{value:.{decimals}f}"
        return plain.replace(".", by.decimal_mark) if decimals == 3 else plain


def has_doubtful_thousands(typed: str, by: Conventions) -> bool:
    """Return whether a number has three digits behind its only mark, which is the decimal mark here and separates
    thousands elsewhere, in a currency with fewer decimals: 12.000."""
    pattern = rf"[1-9]\d{{0,2}}{re.escape(by.decimal_mark)}\d{{3}}"
    return by.decimals < 3 and re.fullmatch(pattern, _bare("".join(typed.split()), by)) is not None


def refuse_doubtful_thousands(text: str, by: Conventions) -> None:
    """Raise FieldError for a price or a quantity that is more likely in thousands: its third decimal is a nought, which
    nobody needs. Any other third decimal is taken, typed or from a script: 1.659 for a litre, 2.125 kg. So are three
    decimals of a currency that has three, and those behind a leading nought."""
    if text.endswith("0") and has_doubtful_thousands(text, by):
        digits = text.replace(by.decimal_mark, "")
        raise FieldError(f"{text} can be read in two ways; write {text[:-1]} or {digits}")


def _like(whole: int, by: Conventions) -> Decimal:
    """An amount to show how one is written."""
    return whole + (Decimal("0.50") if by.decimals else Decimal())


def _largest(by: Conventions) -> str:
    return by.amount(LARGEST_AMOUNT.quantize(Decimal(1).scaleb(-by.decimals), ROUND_DOWN))


def _bare(text: str, by: Conventions) -> str:
    """The amount without the team's currency, which may be on either side of it, and without the marks that turn the
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


def _meant_amount(text: str, most: int) -> str:
    """The most likely reading of 1.234,56 or 12,50, as a plain number with at most `most` decimals; '' when it could
    mean several."""
    last = max(text.rfind(","), text.rfind("."))
    decimals = text[last + 1 :]
    if last < 0 or not decimals.isdigit() or not _WHOLE.fullmatch(text[:last]):
        return ""
    # Three digits are decimals only behind another mark than the one in front of them.
    other = ".,".replace(text[last], "")
    if len(decimals) > (most if other in text[:last] else 2):
        return ""
    whole = re.sub(r"\D", "", text[:last])
    return f"{whole or '0'}.{decimals}"
