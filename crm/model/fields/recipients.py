"""The addresses and phone numbers that messages go to, and the one form in which they are compared."""

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote

from crm.errors import FieldError
from crm.lazy_pattern import lazy_pattern
from crm.lean_dataclass import dataclass
from crm.model.conventions import Conventions
from crm.model.fields.addresses import Email, Phone
from crm.model.fields.checks import Line

# An address is the same whatever a team's conventions are.
_EMAIL, _ANYWHERE = Email(), Conventions()


@lru_cache(maxsize=8192)
def recipient_key(address: str) -> str:
    """An e-mail address, or a phone number as it is kept (E.164), in the form in which recipients are compared:
    whatever its case, and however its domain is written."""
    if "@" not in address:
        return address.strip()
    try:
        normal = _EMAIL.read(address, _ANYWHERE)
    except FieldError:
        normal = unicodedata.normalize("NFKC", address)
    return normal.strip().casefold()


def recipients_in(text: str) -> list[str]:
    """The recipients, in the form in which they are compared, that a text stands for which is none itself, as older
    versions kept them: `max <max@x.com>`, `a@x.com, b@x.com`."""
    parts = [*_BRACKETED.findall(text), *_SEPARATORS.split(_BRACKETED.sub(" ", text))] if "@" in text else [text]
    recipients = []
    for part in parts:
        # A number without its country could be one of several countries.
        if "@" in part or "%40" in part or _bare(part).startswith("+"):
            with suppress(FieldError):
                recipients.append(Recipient().read(part, Conventions()))
    return [recipient for recipient in recipients if recipient]


# As mail programs show somebody: a name, and the address in <>.
_BRACKETED = lazy_pattern(r"<([^<>]*@[^<>]*|[^<>]*\d[^<>]*)>")
_LINK = lazy_pattern(r"(?:mailto|tel|sms):", re.IGNORECASE)
_SEPARATORS = lazy_pattern(r"[,;\s]+")
# What stands around an address in a text.
_AROUND = " \t<>()[]{}\"'`“”„\u2018\u2019«»,;:.!?"
# An address that the checks refuse can still be in the records, and be named so: one @ with something on both sides.
_ODD = lazy_pattern(r"[^\s@<>()\[\],;:\"]+@\w(?:[^\s@<>()\[\],;:\"]*\w)?")
# A part with fewer digits is no phone number.
_FEWEST_DIGITS = 5
_SEVERAL = "these are several addresses; write one at a time"


@dataclass(frozen=True)
class Recipient(Line):
    """An e-mail address or a phone number, kept in the form in which recipients are compared. It is taken out of
    what stands around it where it was copied: `Name <…>`, `mailto:`, brackets, punctuation."""

    longest: int = 254

    example = "anna@example.com or +43 660 1234567"

    def read(self, typed: str, by: Conventions) -> str:
        text = super().read(typed, by)
        if not text:
            return ""
        return _mail_address(text) if "@" in text or "%40" in text else _number(text, by)


def _mail_address(text: str) -> str:
    """The one e-mail address in a text. Raises FieldError."""
    bracketed = [_bare(part) for part in _BRACKETED.findall(text)]
    rest = _BRACKETED.sub(" ", text)
    words = [_bare(part) for part in _SEPARATORS.split(rest) if "@" in part or "%40" in part]
    addresses = {recipient_key(address): address for address in (*bracketed, *words)}
    if len(addresses) > 1:
        raise FieldError(_SEVERAL)
    address = bracketed[0] if bracketed else _bare(text)
    try:
        return Email().read(address, Conventions()).casefold()
    except FieldError:
        if _ODD.fullmatch(address):
            return recipient_key(address)
        raise


def _bare(text: str) -> str:
    """A text without what stands around the address in it."""
    bare = text.strip(_AROUND)
    if link := _LINK.match(bare):
        bare = unquote(bare[link.end() :].partition("?")[0]).strip(_AROUND)
    return bare


def _number(text: str, by: Conventions) -> str:
    """The one phone number in a text. Raises FieldError."""
    bracketed = _BRACKETED.findall(text)
    parts = bracketed if len(bracketed) > 1 else re.split(r"[,;]", bracketed[0] if bracketed else text)
    numbers = [part for part in parts if sum(character.isdigit() for character in part) >= _FEWEST_DIGITS]
    if len(numbers) > 1 or text.count("+") > 1:
        raise FieldError(_SEVERAL)
    number = (bracketed[0] if bracketed else text).rstrip(" ,;:.!?")
    return Phone().read(_LINK.sub("", number, count=1), by)
