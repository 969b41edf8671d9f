"""VAT ids: the letters of a country and its own signs, without blanks; and the numbers of countries without VAT."""

import re
from collections.abc import Mapping

from crm.lazy_pattern import lazy_pattern
from crm.model.local_taxes import LOCAL_TAXES

# Each has a digit: NONE is no number.
_SHAPE = lazy_pattern(r"[A-Z]{2}(?=[A-Z+*]*[0-9])[A-Z0-9+*]{2,12}")

# How the signs behind the letters of a country are written, as VIES checks them (Great Britain: HMRC), and an example.
_BRITISH = ("[0-9]{9}(?:[0-9]{3})?|(?:GD|HA)[0-9]{3}", "123456789")
_FORMS: Mapping[str, tuple[str, str]] = {
    "AT": ("U[0-9]{8}", "U12345678"),
    "BE": ("[01][0-9]{9}", "0123456789"),
    "BG": ("[0-9]{9,10}", "123456789"),
    "CY": ("[0-9]{8}[A-Z]", "12345678X"),
    "CZ": ("[0-9]{8,10}", "12345678"),
    "DE": ("[0-9]{9}", "123456789"),
    "DK": ("[0-9]{8}", "12345678"),
    "EE": ("[0-9]{9}", "123456789"),
    "EL": ("[0-9]{9}", "123456789"),
    "ES": ("[A-Z0-9][0-9]{7}[A-Z0-9]", "X1234567X"),
    "FI": ("[0-9]{8}", "12345678"),
    "FR": ("[A-Z0-9]{2}[0-9]{9}", "12345678901"),
    "GB": _BRITISH,
    "HR": ("[0-9]{11}", "12345678901"),
    "HU": ("[0-9]{8}", "12345678"),
    "IE": ("[0-9][A-Z0-9+*][0-9]{5}[A-Z]{1,2}", "1234567WA"),
    "IT": ("[0-9]{11}", "12345678901"),
    "LT": ("[0-9]{9}(?:[0-9]{3})?", "123456789"),
    "LU": ("[0-9]{8}", "12345678"),
    "LV": ("[0-9]{11}", "12345678901"),
    "MT": ("[0-9]{8}", "12345678"),
    "NL": ("[A-Z0-9+*]{12}", "123456789B01"),
    "PL": ("[0-9]{10}", "1234567890"),
    "PT": ("[0-9]{9}", "123456789"),
    "RO": ("[0-9]{2,10}", "1234567890"),
    "SE": ("[0-9]{12}", "123456789001"),
    "SI": ("[0-9]{8}", "12345678"),
    "SK": ("[0-9]{10}", "1234567890"),
    "XI": _BRITISH,
}

# Where it does not begin with the code of the country: Greece, and Northern Ireland.
_OTHER_PREFIXES = {"EL": "GR", "XI": "GB"}


def bare_vat_id(text: str) -> str:
    """A VAT id without blanks, in capitals."""
    return "".join(text.split()).upper()


def is_like_vat_id(text: str) -> bool:
    """Return whether a text is written like a VAT id of its country; whether it was ever given is not known here."""
    form, _ = _FORMS.get(text[:2], ("", ""))
    return bool(_SHAPE.fullmatch(text)) and (not form or bool(re.fullmatch(form, text[2:])))


def vat_id_like(text: str, country: str) -> str:
    """An example of the VAT ids of the country that a text begins with, else of the country (ISO 3166), else of
    Germany."""
    codes = (text[:2], *(code for code, other in _OTHER_PREFIXES.items() if other == country and code != "XI"), country)
    code = next((code for code in codes if code in _FORMS), "DE")
    return f"{code}{_FORMS[code][1]}"


def is_other_tax_id(text: str, country: str) -> bool:
    """Return whether a text is the tax number of a company in a country without VAT, which is no VAT id."""
    return country in LOCAL_TAXES and bool(LOCAL_TAXES[country].shape.fullmatch(text))


def country_of_vat_id(text: str) -> str:
    """The country (ISO 3166) that a VAT id begins with; '' of none."""
    return _OTHER_PREFIXES.get(text[:2], text[:2]) if is_like_vat_id(text) else ""
