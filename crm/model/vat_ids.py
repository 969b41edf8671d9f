"""VAT ids: the letters of a country and its own signs, without blanks; and the numbers of countries without VAT."""

from crm.lazy_pattern import lazy_pattern
from crm.model.local_taxes import LOCAL_TAXES

# Each has a digit: NONE is no number.
_SHAPE = lazy_pattern(r"[A-Z]{2}(?=[A-Z+*]*[0-9])[A-Z0-9+*]{2,12}")

# Where it does not begin with the code of the country: Greece, and Northern Ireland.
_OTHER_PREFIXES = {"EL": "GR", "XI": "GB"}


def bare_vat_id(text: str) -> str:
    """A VAT id without blanks, in capitals."""
    return "".join(text.split()).upper()


def is_like_vat_id(text: str) -> bool:
    """Return whether a text is written like a VAT id; whether it was ever given is not known here."""
    return bool(_SHAPE.fullmatch(text))


def is_other_tax_id(text: str, country: str) -> bool:
    """Return whether a text is the tax number of a company in a country without VAT, which is no VAT id."""
    return country in LOCAL_TAXES and bool(LOCAL_TAXES[country].shape.fullmatch(text))


def country_of_vat_id(text: str) -> str:
    """The country (ISO 3166) that a VAT id begins with; '' of none."""
    return _OTHER_PREFIXES.get(text[:2], text[:2]) if is_like_vat_id(text) else ""
