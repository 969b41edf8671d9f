"""VAT ids: the letters of a country and its own signs, written without blanks; and the EIN of the US beside them."""

import re

_EIN = re.compile(r"[0-9]{2}-?[0-9]{7}")
_SHAPE = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,12}")


def bare_vat_id(text: str) -> str:
    """A VAT id without blanks, in capitals."""
    return "".join(text.split()).upper()


def is_like_vat_id(text: str) -> bool:
    """Return whether a text is written like a VAT id; whether it was ever given is not known here."""
    return bool(_SHAPE.fullmatch(text))


def is_ein(text: str, country: str) -> bool:
    """Return whether a text is the tax ID of a company in the US (EIN), which is no VAT id."""
    return country == "US" and bool(_EIN.fullmatch(text))
