"""The addresses and telephone numbers that messages go to, and the one form in which they are compared."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from crm.errors import FieldError
from crm.model.conventions import Conventions
from crm.model.fields.addresses import Email, Phone
from crm.model.fields.checks import Line


@lru_cache(maxsize=8192)
def recipient_key(address: str) -> str:
    """An e-mail address, or a telephone number as it is kept (E.164), in the form in which recipients are compared:
    whatever its case, and however its domain is written."""
    if "@" not in address:
        return address.strip()
    try:
        normal = Email().read(address, Conventions())
    except FieldError:
        normal = unicodedata.normalize("NFKC", address)
    return normal.strip().casefold()


@dataclass(frozen=True)
class Recipient(Line):
    """An e-mail address or a telephone number, kept in the form in which recipients are compared."""

    longest: int = 254

    example = "anna@example.com or +43 660 1234567"

    def read(self, typed: str, by: Conventions) -> str:
        text = super().read(typed, by)
        if not text:
            return ""
        if "@" not in text:
            return Phone().read(text, by)
        # An address that people got into the records somehow can be named, however odd it is.
        return recipient_key(text)
