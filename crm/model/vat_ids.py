"""VAT ids: the letters of a country and its own signs, without blanks; and the numbers of countries without VAT."""

import re

# The tax numbers of companies in countries where there is no VAT: the EIN, the GST/HST number, the ABN, the GST number.
_WITHOUT_VAT = {
    "US": re.compile(r"[0-9]{2}-?[0-9]{7}"),
    "CA": re.compile(r"[0-9]{9}(?:RT[0-9]{4})?"),
    "AU": re.compile(r"[0-9]{11}"),
    "NZ": re.compile(r"[0-9]{2,3}-?[0-9]{3}-?[0-9]{3}"),
}
OTHER_TAX_IDS = {"US": "12-3456789", "CA": "123456789RT0001", "AU": "51824753556", "NZ": "049-091-850"}
_SHAPE = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,12}")


def bare_vat_id(text: str) -> str:
    """A VAT id without blanks, in capitals."""
    return "".join(text.split()).upper()


def is_like_vat_id(text: str) -> bool:
    """Return whether a text is written like a VAT id; whether it was ever given is not known here."""
    return bool(_SHAPE.fullmatch(text))


def is_other_tax_id(text: str, country: str) -> bool:
    """Return whether a text is the tax number of a company in a country without VAT, which is no VAT id."""
    return country in _WITHOUT_VAT and bool(_WITHOUT_VAT[country].fullmatch(text))
