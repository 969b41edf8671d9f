"""Column headers: which field of a record the name of a column stands for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from crm.files.column_names import spellings, target_of
from crm.model.currencies import currency_in_heading

# Words around a field's word which say whose it is, or which of several; an address keeps to one of them.
_WHOSE = {
    "contact",
    "customer",
    "client",
    "kunden",
    "kunde",
    "main",
    "primary",
    "default",
    "person",
    "personal",
    "deal",
}
_FIRST = {"main", "primary", "default"}
_WHERE = {
    "home", "business", "work", "other", "company", "office", "billing", "shipping", "mailing", "delivery", "private",
    "privat", "privee", "prive", "priv", "geschaftlich", "gesch", "dienstlich", "dienstl",
    "firmen", "invoice", "rechnung", "lieferung",
    "organization", "organisation", "geschaftliche", "secondary", "alternate", "alternative",
    "mobile", "mobil", "cell", "movil", "portable", "direct", "alt", "postal", "po", "sa", "card", "ddi",
}  # fmt: skip
PLACES = ("address", "city", "region", "postcode", "country")
# A column that has several of them in one cell.
PLACE = "place"
_OF_PLACE = frozenset(("city", "region", "postcode", "country"))
_PARTED = re.compile(r"[,/&+|;]")
_JOINS = frozenset(("and", "or", "und", "et", "y", "e"))
_REACHED = (*PLACES, "email", "phone", "client.email", "client.phone")
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_DATE_FORM = re.compile(r"\b[dmytj]{1,4}[./ -][dmytj]{1,4}[./ -][dmytj]{1,4}\b", re.IGNORECASE)
# Tag, Jahr: as German headings have it.
_FORM_LETTERS = str.maketrans("tj", "dy")


@dataclass(frozen=True, slots=True, order=True)
class Meaning:
    """The field that a column's name stands for. Of two for one field the lesser `rank` fits better;
    `group` is the address or number it belongs to ('home', '2', …)."""

    rank: tuple[int, int, int]
    target: str
    group: str


@lru_cache(maxsize=4096)
def meaning_of(header: str, *, sales: bool) -> Meaning | None:
    """The field that a column's name means in a file of clients or of sales; None if no field is called so."""
    for name in _without_remarks(header):
        if meaning := _meaning(name, sales=sales):
            return meaning
    return None


def _without_remarks(header: str) -> Iterator[str]:
    """The name of a column, then without what is in brackets, and without a currency: 'Amount (EUR)'."""
    yield header
    if (bare := _BRACKETS.sub(" ", header)).strip() and bare != header:
        yield bare
    if currency := currency_in_heading(header):
        yield re.sub(rf"(?:\bin\s+)?{re.escape(currency)}", " ", bare if bare.strip() else header)


def date_order_in_heading(header: str) -> str:
    """The order of a date that the name of a column tells, as 'Birthday (dd/mm/yyyy)' does; '' for none."""
    match = _DATE_FORM.search(header)
    letters = "".join(dict.fromkeys(match[0].casefold().translate(_FORM_LETTERS))) if match else ""
    order = "".join(letter for letter in letters if letter in "dmy")
    return order if order in ("dmy", "mdy", "ymd") else ""


def _meaning(header: str, *, sales: bool) -> Meaning | None:
    for place, words in enumerate(spellings(header)):
        if meaning := _meaning_of_words(words, place, sales=sales):
            return meaning
    return None if sales else _of_several(header)


def _meaning_of_words(words: list[str], respelt: int, *, sales: bool) -> Meaning | None:
    if entry := target_of(words, sales=sales):
        return Meaning((0, respelt, entry[1]), entry[0], "")
    numbers = [word for word in words if word.isdigit() and len(word) < 3]
    words = [word for word in words if word not in numbers]
    number = int(numbers[0]) if len(numbers) == 1 else 1
    if len(numbers) > 1 or not words:
        return None
    group = str(number) if number > 1 else ""
    stripped = 0
    for _ in range(3):
        if entry := target_of(words, sales=sales):
            if group and not group.isdigit() and entry[0] not in _REACHED:
                return None
            return Meaning((number - 1, stripped, entry[1]), entry[0], group)
        if len(words) < 2:
            return None
        if words[0] in _WHOSE | _WHERE:
            word, words = words[0], words[1:]
        elif words[-1] in _WHOSE | _WHERE:
            word, words = words[-1], words[:-1]
        else:
            return None
        group = word if word in _WHERE else group
        # The main one is worth no less.
        stripped += word not in _FIRST
    return None


def _of_several(header: str) -> Meaning | None:
    """The meaning of a heading that names one field in several ways (City or Town), or several parts of an address, as
    City/State/ZIP does."""
    targets: set[str] = set()
    for place, part in enumerate(_PARTED.split(header)):
        words = list(spellings(part))[-1]
        while not place and len(words) > 1 and words[0] in _WHOSE | _WHERE:
            words = words[1:]
        # Beside a city it is no street.
        named = {"region"} if words == ["st"] and targets else _named_in(words)
        if words and not named:
            return None
        targets |= named
    if len(targets) > 1:
        target = PLACE if targets <= _OF_PLACE else "address" if targets <= {*PLACES} else ""
        return Meaning((0, 2, 0), target, "") if target else None
    return Meaning((0, 2, 0), targets.pop(), "") if targets else None


def _named_in(words: list[str]) -> set[str]:
    """The fields that some words name one after the other; none where other words are among them."""
    targets: set[str] = set()
    while words:
        for count in range(min(3, len(words)), 0, -1):
            if entry := target_of(words[:count], sales=False):
                targets.add(entry[0])
                words = words[count:]
                break
        else:
            if words[0] not in _JOINS:
                return set()
            words = words[1:]
    return targets


def is_field_word(text: str) -> bool:
    """Return whether a column could be called so, in a file of clients or of sales."""
    return len(text) < 80 and any(meaning_of(text, sales=sales) for sales in (False, True))
