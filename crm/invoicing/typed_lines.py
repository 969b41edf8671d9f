"""A line of an invoice as somebody types it: `3 h Consulting 100`, `2 x Table 49.90 19%`."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from crm.errors import FieldError
from crm.model.conventions import TURNING_MARKS, Conventions
from crm.model.currencies import currencies_of
from crm.model.fields.money import refuse_doubtful_thousands
from crm.model.grouped_sums import joined_where_sure, words_of_sum
from crm.model.units import PIECE, unit_code

EXAMPLE = "3 h Consulting 100"
# A point or a comma behind a nought, or before one, two, four or more last digits, is the decimal mark in any language.
_PLAIN = re.compile(r"\d{1,12}(?:[.,](?:\d{1,2}|\d{4,10}))?|0?[.,]\d{1,10}")
_GROUPED = re.compile(r"\d[\d.,'\u2019\u00a0\u202f]*\d")
_GLUED = re.compile(r"([-\u2212]?[\d.,]+)([^\d.,\s%]+)")
_MINUS = ("-", "\u2212")
_TIMES = frozenset({"x", "\u00d7", "*"})
# What many write before the price of one: 10 hours Consulting @ $150.
_AT = "@"
# Words of units that more often begin a name: 2 flat screens.
_NAMES = frozenset({"flat"})
_MOST_DECIMALS, _MOST_OF_A_PRICE = 4, 10
_HIGHEST_RATE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedLine:
    """A line that was typed; `price` and `rate` are None where nothing was said of them (the service knows them). A
    price with a minus becomes a negative quantity: an e-invoice cannot have a negative price (EN 16931, BT-146)."""

    name: str
    quantity: Decimal
    unit: str
    price: Decimal | None
    rate: Decimal | None


def read_line(text: str, conventions: Conventions) -> TypedLine:
    """Read a line: [quantity [unit] [x]] name [[@] price] [rate%]. Raises FieldError with an example."""
    words = joined_where_sure(TURNING_MARKS.sub("", text)).split()
    rate, words = _rate_at_the_end(words, conventions)
    words = _without_at(_grouped_by_blanks(words, conventions), conventions)
    price, before = _price_at_the_end(words, conventions)
    quantity, unit, before = _quantity_at_the_start(before, conventions)
    if not before and price is not None and len(words) > 1 and _is_word(words[-2]):
        # What is sold has the name of the currency: 1 x Yen 1000.
        quantity, unit, before = _quantity_at_the_start(words[:-1], conventions)
    name = " ".join(before)
    if not any(sign.isalpha() for sign in name):
        raise FieldError(f"say what it is for, like {EXAMPLE}")
    if quantity != round(quantity, _MOST_DECIMALS):
        raise FieldError("a quantity has at most four decimals")
    if price is not None and price != round(price, _MOST_OF_A_PRICE):
        raise FieldError("a price has at most ten decimals")
    if price is not None and price < 0:
        quantity, price = -quantity, -price
    return TypedLine(name=name, quantity=quantity, unit=unit, price=price, rate=rate)


def _rate_at_the_end(words: list[str], by: Conventions) -> tuple[Decimal | None, list[str]]:
    if not words or not words[-1].endswith("%"):
        return None, words
    written, before = words[-1][:-1], words[:-1]
    if not written and before:
        written, before = before[-1], before[:-1]
    rate = _number(written, by)
    if rate is None:
        return None, words
    if not 0 <= rate <= _HIGHEST_RATE or rate != round(rate, 2):
        raise FieldError("a tax rate is between 0 and 100 percent, with at most two decimals", field="tax_rate")
    return rate, before


def _grouped_by_blanks(words: list[str], by: Conventions) -> list[str]:
    """The words with the last sum in one, where blanks stand between its thousands: 4 000, 12 500 000. Raises
    FieldError where the first digits may be part of the name as well: `Table 2 500`."""
    end = len(words) - 1 if len(words) > 1 and _is_currency(words[-1], by) else len(words)
    # The first word is no price: 4 000 Tables.
    count = words_of_sum(words[1:end])
    # What is before the first digits is a currency, or they end a name: Seat A4 100, Table #2 500.
    sign = words[end - count].rstrip("0123456789").lstrip("-+\u2212") if count else ""
    if sign and not _is_currency(sign, by):
        count -= 1
    if count < 2:
        return words
    parts = words[end - count : end]
    joined = "".join(parts)
    head, last = parts[0], parts[-1]
    has_sign_before = end > count and _is_currency(words[end - count - 1], by)
    is_sure = count > 2 or last[0] == "0" or not head[0].isdigit() or has_sign_before or _groups_by_blanks(by)
    if not is_sure:
        raise FieldError(
            f"{head} {last} is {joined}, or {last} for {' '.join(words[: end - 1])}: write {joined}, or"
            f" {by.currency} {last}",
            field="price",
        )
    return [*words[: end - count], joined, *words[end:]]


def _without_at(words: list[str], by: Conventions) -> list[str]:
    """The words without the sign before the price: @ $150, @150, @ 150 EUR."""
    for place in range(max(1, len(words) - 3), len(words)):
        before, (word, *behind) = words[:place], words[place:]
        if word.startswith(_AT):
            priced = [*filter(None, [word.removeprefix(_AT)]), *behind]
            price, left = _price_at_the_end(priced, by)
            if price is not None and not left:
                return [*before, *priced]
    return words


def _groups_by_blanks(by: Conventions) -> bool:
    """Return whether the team's language has a blank between thousands."""
    from babel.numbers import get_group_symbol

    return str(get_group_symbol(by.locale)).isspace()


def _price_at_the_end(words: list[str], by: Conventions) -> tuple[Decimal | None, list[str]]:
    """The price and the words before it. With its currency beside it or as a word of its own."""
    if len(words) >= 2 and _is_currency(words[-1], by) and _number(words[-2], by) is not None:
        _refuse_foreign(words[-1], by)
        return _number(words[-2], by), words[:-2]
    if len(words) >= 2 and _is_currency(words[-2], by) and _number(words[-1], by) is not None:
        _refuse_foreign(words[-2], by)
        return _number(words[-1], by), words[:-2]
    if not words:
        return None, words
    if (price := _number(words[-1], by)) is not None:
        return price, words[:-1]
    bare, sign = _without_sign(words[-1])
    if sign and _is_currency(sign, by) and (price := _number(bare, by)) is not None:
        _refuse_foreign(sign, by)
        return price, words[:-1]
    return None, words


def _quantity_at_the_start(words: list[str], by: Conventions) -> tuple[Decimal, str, list[str]]:
    if not words:
        return Decimal(1), PIECE, words
    if (quantity := _number(words[0], by)) is not None:
        rest, unit = words[1:], ""
    else:
        # 3h, 2x and 5kg in one word; 3D and 3M are names.
        glued = _GLUED.fullmatch(words[0])
        quantity = _number(glued[1], by) if glued else None
        unit = _unit(glued[2]) if glued else ""
        if quantity is None or not unit:
            return Decimal(1), PIECE, words
        rest = words[1:]
    if not unit and rest and (unit := _unit(rest[0])):
        rest = rest[1:]
    if rest and rest[0] in _TIMES:
        rest = rest[1:]
    return quantity, unit or PIECE, rest


def _unit(word: str) -> str:
    """The code of a unit; '' for a word that begins a name."""
    # 3M and 3D are names; 3 m and 3 d are metres and days.
    begins_name = word.casefold() in _NAMES or (len(word) == 1 and word.isupper())
    return "" if begins_name else unit_code(word)


def _number(written: str, by: Conventions) -> Decimal | None:
    """A number as people here write it; None where it is none. Raises FieldError for one that may be in thousands."""
    is_negative = written.startswith(_MINUS)
    text = written.lstrip("-+\u2212") if len(written) > 1 and written[1] not in "-+\u2212" else written
    if _PLAIN.fullmatch(text):
        number = Decimal(text.replace(",", "."))
    elif _GROUPED.fullmatch(text):
        refuse_doubtful_thousands(text, by)
        from babel.numbers import NumberFormatError, get_group_symbol, parse_decimal

        group = get_group_symbol(by.locale)
        try:
            number = parse_decimal(text.replace("'", group) if group == "\u2019" else text, by.locale, strict=True)
        except (NumberFormatError, InvalidOperation):
            return None
    else:
        return None
    return -number if is_negative else number


def _without_sign(word: str) -> tuple[str, str]:
    """A number and the currency that is written beside it in one word: €50, 50€, -50€."""
    minus = "-" if word.startswith(_MINUS) else ""
    text = word.lstrip("-\u2212")
    before = re.match(r"[^\d.,]+", text)
    after = re.search(r"[^\d.,]+$", text)
    if before and not after:
        return minus + text[before.end() :], before[0]
    if after and not before:
        return minus + text[: after.start()], after[0]
    return word, ""


def _is_currency(word: str, by: Conventions) -> bool:
    """Return whether a word beside a number is a currency: ours as people write it, or a sign or code of another. `ft`
    and `r` are more likely a unit than forints and rands."""
    codes = currencies_of(word)
    return bool(codes) and (by.currency in codes or not word.isalpha() or (word.isupper() and len(word) == 3))


def _is_word(word: str) -> bool:
    """Return whether a currency is written as a word, and not as its sign or code."""
    return word.isalpha() and not word.isupper() and len(word) > 1 and bool(currencies_of(word))


def _refuse_foreign(word: str, by: Conventions) -> None:
    codes = currencies_of(word)
    if by.currency not in codes:
        raise FieldError(
            f"that is in {' or '.join(sorted(codes))}, and this invoice is in {by.currency}", field="price"
        )
