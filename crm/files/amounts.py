"""Amounts of money as files write them, and which decimal mark a column has."""

import re
from collections.abc import Sequence

from crm.model.currencies import currencies_of

_DIGITS = re.compile(r"\d[\d.,]*|(?<![^\W\d_])[.,]\d+")
_NO_CENTS = re.compile(r"[.,][-\u2013\u2014]+(?=\D*$)")  # 12,-
_BRACKETED = re.compile(r"([^\d(]*)\(([^()]*)\)([^\d)]*)")
_GROUPING_ONLY = str.maketrans("", "", "'\u2019 \u00a0\u202f\u2009\t_")


def bare_amount(text: str) -> str:
    """The digits of an amount with its marks and sign, without currency, blanks and apostrophes; '' if it is none."""
    text = _NO_CENTS.sub("", text.strip().translate(_GROUPING_ONLY))
    sign = ""
    if bracketed := _BRACKETED.fullmatch(text):  # how bookkeeping writes less than nothing
        text, sign = "".join(bracketed.groups()), "-"
    for minus in ("-", "\u2212", "\u2013"):
        if minus in text:
            text, sign = text.replace(minus, "", 1), "-"
    digits = _DIGITS.search(text.removeprefix("+"))
    if digits is None:
        return ""
    rest = text.removeprefix("+")
    before, after = rest[: digits.start()], rest[digits.end() :]
    if (before and after) or ((beside := before or after) and not currencies_of(beside)):
        return ""
    return sign + digits.group().rstrip(".,")


def mark_of(cells: Sequence[str]) -> str:
    """The decimal mark of a column of amounts, '.' or ','; '' where nothing in it tells."""
    votes = {".": 0, ",": 0}
    for cell in cells:
        amount = bare_amount(cell)
        dots, commas = amount.count("."), amount.count(",")
        if dots and commas:
            votes["." if amount.rfind(".") > amount.rfind(",") else ","] += 1
        elif dots > 1:
            votes[","] += 1
        elif commas > 1:
            votes["."] += 1
        elif dots or commas:
            mark = "." if dots else ","
            if len(amount) - 1 - amount.index(mark) != 3:
                votes[mark] += 1
    if votes["."] == votes[","]:
        return ""
    return max(votes, key=lambda mark: votes[mark])


def plain_amount(text: str, mark: str) -> str:
    """An amount as the field for amounts takes it, 1234.56, whatever its currency; what does not fit the decimal mark
    stays as it is."""
    amount = bare_amount(text)
    if not amount:
        return text
    group = "," if mark == "." else "."
    whole, _, decimals = amount.partition(mark)
    grouped = rf"-?(\d*|\d{{1,3}}(\{group}\d{{2,3}})*\{group}\d{{3}})"
    if not re.fullmatch(grouped, whole) or not (decimals.isdigit() or not decimals):
        return text
    # Three decimals could be taken for thousands.
    return (whole.replace(group, "") or "0") + (f".{decimals}{'0' if len(decimals) == 3 else ''}" if decimals else "")
