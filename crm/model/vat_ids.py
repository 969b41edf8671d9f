"""VAT ids: the letters of a country and its own signs, written without blanks."""

import re

_SHAPE = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,12}")


def bare_vat_id(text: str) -> str:
    """A VAT id without blanks, in capitals."""
    return "".join(text.split()).upper()


def is_like_vat_id(text: str) -> bool:
    """Return whether a text is written like a VAT id; whether it was ever given is not known here."""
    return bool(_SHAPE.fullmatch(text))
