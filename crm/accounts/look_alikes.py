"""Names that mislead: with letters that nobody sees, or that look like other ones (Unicode Technical Standard 39)."""

import re
import unicodedata
from functools import cache
from itertools import groupby
from typing import Any

from crm.errors import FieldError

# What Unicode calls ignorable and does not count among the format characters, and a blank that is no space.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
# Between letters of these scripts they say how those are joined; elsewhere nobody sees them.
_JOINERS = "\u200c\u200d"
_JOINED = frozenset(
    (
        "ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA",
        "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN",
    )
)  # fmt: skip
# Scripts that are written together in one word.
_TOGETHER = (
    frozenset(("LATIN", "HAN", "HIRAGANA", "KATAKANA")),
    frozenset(("LATIN", "HAN", "HANGUL")),
    frozenset(("LATIN", "HAN", "BOPOMOFO")),
)
_SHARED = frozenset(("COMMON", "INHERITED"))


def refuse_misleading(name: str, email: str) -> None:
    """Raise FieldError for the name of an account that looks like something else; `email` is the account's address."""
    for place, char in enumerate(name):
        hidden = unicodedata.category(char) == "Cf" or _UNSEEN.match(char)
        if hidden and not (char in _JOINERS and _joins(name, place)):
            raise _wrong(f"there is an invisible character (U+{ord(char):04X}) at position {place + 1}; leave it out")
    plain = unicodedata.normalize("NFKC", name)
    if plain != unicodedata.normalize("NFC", name):
        raise _wrong(f"it has letters that only look like others; write {plain}")
    if "@" in name and name.casefold() != email.casefold():
        raise _wrong("an e-mail address is not a name; leave it empty to show the e-mail address instead")
    for is_word, letters in groupby(name, _is_letter):
        word = "".join(letters)
        if is_word and not _goes_together(scripts := {_script(char) for char in word} - _SHARED):
            mixed = " and ".join(sorted(script.capitalize() for script in scripts))
            raise _wrong(f"“{word}” mixes {mixed} letters, which look alike; write each word in one alphabet")


def look_alike(one: str, other: str) -> bool:
    """Return whether two names are hard to tell apart: as they are, in small letters or in capitals, with digits for
    letters, and whatever blanks, hyphens and dots are in them. Addresses are compared by these too."""
    looks_of = _looks_of_address if "@" in one + other else _looks_of_name
    return any(a == b for a, b in zip(looks_of(one), looks_of(other), strict=True))


def skeleton(text: str) -> str:
    """The skeleton of a text (Unicode TS 39): the same for texts that look alike; not to be shown."""
    seen = "".join(map(_prototype, unicodedata.normalize("NFD", text)))
    # The dot above that a letter has already.
    return re.sub("(?<=[ijl])\u0307", "", unicodedata.normalize("NFD", seen))


def _looks_of_address(address: str) -> tuple[str, ...]:
    return skeleton(address), skeleton(address.casefold())


def _looks_of_name(name: str) -> tuple[str, ...]:
    # A capital I and the digit 1 look like a small l and not like a capital L, a 0 like a capital O.
    as_it_is = "".join(char if char == "L" else char.casefold() for char in skeleton(name))
    small = skeleton(skeleton(name.casefold()).casefold())
    return tuple(map(_letters, (as_it_is, small, skeleton(name.upper()))))


def _letters(text: str) -> str:
    """The letters and digits of a text; all of it where it has none."""
    return "".join(char for char in text if unicodedata.category(char)[0] in "LMN") or text


@cache
def _looks() -> dict[str, list[dict[str, str]]]:
    # Loaded when somebody gets a name.
    from confusable_homoglyphs.confusables import confusables_data

    looks: dict[str, list[dict[str, str]]] = confusables_data
    return looks


def _prototype(character: str) -> str:
    """The prototype of all characters that look like this one. The data names for each of those the one that stands for
    them, and for that one all of them."""
    looks = _looks()
    like = looks.get(character, [])
    if len(like) != 1:
        return character
    other = like[0]["c"]
    return other if len(looks.get(other, ())) > 1 else min(character, other)


def _script(character: str) -> str:
    from confusable_homoglyphs import categories

    alias: Any = categories.alias(character)
    return str(alias).upper()


def _joins(name: str, place: int) -> bool:
    return 0 < place < len(name) - 1 and all(_script(name[at]) in _JOINED for at in (place - 1, place + 1))


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in _JOINERS


def _goes_together(scripts: set[str]) -> bool:
    return len(scripts) < 2 or any(scripts <= together for together in _TOGETHER)


def _wrong(why: str) -> FieldError:
    return FieldError(why, field="name", label="Name")
