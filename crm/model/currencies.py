"""Currencies as people write them beside amounts: codes, signs and names."""

import re
from functools import lru_cache

from crm.lazy_pattern import lazy_pattern
from crm.model.folding import words

_SIGNS = {
    "$": "USD CAD AUD NZD SGD HKD MXN TWD ARS CLP COP", "us$": "USD", "ca$": "CAD", "c$": "CAD", "can$": "CAD",
    "a$": "AUD", "au$": "AUD", "nz$": "NZD", "hk$": "HKD", "s$": "SGD", "r$": "BRL", "mx$": "MXN", "nt$": "TWD",
    "€": "EUR", "£": "GBP EGP", "¥": "JPY CNY", "円": "JPY", "元": "CNY", "₹": "INR", "rs": "INR PKR LKR NPR",
    "₽": "RUB", "\u0440\u0443\u0431": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₩": "KRW", "₫": "VND", "฿": "THB",
    "₱": "PHP",
    "₦": "NGN", "zł": "PLN", "kč": "CZK", "ft": "HUF", "kr": "SEK NOK DKK ISK", "fr": "CHF", "sfr": "CHF", "r": "ZAR",
    "lei": "RON", "лв": "BGN", "¢": "USD", "euro": "EUR", "euros": "EUR", "dollar": "USD CAD AUD NZD",
    "dollars": "USD CAD AUD NZD", "us dollar": "USD", "us dollars": "USD", "pound": "GBP", "pounds": "GBP",
    "pound sterling": "GBP", "sterling": "GBP", "franken": "CHF", "francs": "CHF", "swiss franc": "CHF", "yen": "JPY",
    "zloty": "PLN", "rupees": "INR",
}  # fmt: skip
_CODE = lazy_pattern(r"[a-z]{3}")
# Codes that headings of columns are not likely to mean by a word: ALL, TOP, TRY and the like are left out.
_IN_HEADINGS = words(
    "USD EUR GBP CHF JPY CNY CAD AUD NZD SEK NOK DKK PLN CZK HUF RON BGN INR BRL MXN ZAR SGD HKD ILS KRW RUB UAH"
)
_BESIDE = lazy_pattern(
    r"^[(\s]*[-+\u2212]?\s*([^\d\s.,()+'\u2019-][^\d,()]*?)\.?\s*[-\u2212]?\s*(?=[\d.,])|(?<=[\d.,-])\s*([^\d\s.,()'\u2019-][^\d,()]*?)\s*\.?[)\s]*$"
)


def currencies_of(written: str) -> frozenset[str]:
    """The codes of the currencies that a sign, code or name stands for; none where it is not a currency."""
    text = " ".join(written.split()).casefold().rstrip(".")
    if signs := _SIGNS.get(text):
        return frozenset(signs.split())
    if _CODE.fullmatch(text) and text.upper() in _codes():
        return frozenset((text.upper(),))
    return frozenset()


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    from babel.numbers import list_currencies

    return frozenset(list_currencies())


def signs_of(currency: str) -> list[str]:
    """The signs of a currency beside an amount, in small letters without blanks."""
    return [sign.replace(" ", "") for sign, codes in _SIGNS.items() if currency in codes.split()] + [
        currency.casefold()
    ]


def foreign_currency(amount: str, currency: str) -> str:
    """The currency that is written beside an amount where it is not the team's; '' where none is."""
    for match in _BESIDE.finditer(amount):
        if (codes := currencies_of(match[1] or match[2])) and currency not in codes:
            return " or ".join(sorted(codes))
    return ""


def currency_in_heading(heading: str) -> str:
    """The currency that the name of a column tells, as 'Amount (EUR)' does; '' for none."""
    for word in [*re.findall(r"[(\[]([^)\]]+)[)\]]", heading), *re.split(r"[\s()\[\]_/:.-]+", heading)]:
        codes = currencies_of(word)
        if codes and (len(codes) > 1 or codes <= _IN_HEADINGS) and (len(word) != 3 or codes <= _IN_HEADINGS):
            return str(word).strip()
    return ""
