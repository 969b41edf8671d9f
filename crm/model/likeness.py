"""Likeness of names, by their letters and by their sound. Text is folded (`crm.model.folding`)."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations, product

from crm.lazy_pattern import lazy_pattern

# How alike (0 to 1) a misspelt word and the one meant are: one letter in four may differ.
ALIKE = 0.75
# Names that sound the same are no less alike than this; of others that sound much the same so much is taken off.
_SAME_SOUND, _LIKE_SOUND = 0.9, 0.95
_SHORTEST_SOUND = 6
# Of names with fewer letters one makes another name: Jo Fox, Jo Fix.
_SHORTEST_ALIKE = 7

# Letters that sound much the same. The first of each stands for all of them.
_SOUNDS: Sequence[Sequence[str]] = (
    ("k", "c", "ch", "ck", "q"), ("i", "y", "ie"), ("s", "z", "tz", "cz", "sz"), ("f", "ph"), ("v", "w"),
    ("t", "th", "dt"), ("a", "ae"), ("o", "oe"), ("u", "ue"), ("sh", "sch"),
)  # fmt: skip
_SOUND_OF: Mapping[str, str] = {letters: group[0] for group in _SOUNDS for letters in group}
_LETTERS = lazy_pattern("|".join([r"([a-z])\1", *sorted(_SOUND_OF, key=len, reverse=True), "."]), re.DOTALL)
_OTHERS: Mapping[str, Sequence[str]] = {
    letters: [other for other in group if other != letters] for group in _SOUNDS for letters in group
}
_OFTEN_DOUBLE = frozenset("bdfglmnprst")
_MOST_CHANGES = 2


def likeness(word: str, name: str) -> float:
    """The likeness (0 to 1) of a word and a name."""
    from rapidfuzz.distance import OSA

    by_letters = OSA.normalized_similarity(word, name)
    return by_letters if by_letters >= ALIKE else max(by_letters, sound_likeness(word, name))


def sound_likeness(word: str, name: str) -> float:
    """The likeness of a word and a name by their sound: zilinsky and zielinski, marketi and marchetti."""
    from rapidfuzz.distance import OSA

    sound, other = sound_of(word), sound_of(name)
    if sound == other:
        return _SAME_SOUND
    if min(len(sound), len(other)) < _SHORTEST_SOUND:
        return 0.0
    return _LIKE_SOUND * OSA.normalized_similarity(sound, other)


def may_be_same(name: str, other: str) -> bool:
    """Return whether two names may be one written twice: Joe Miler and Joe Miller. One letter may be wrong, or each
    word may only sound the same; numbers are the same, and the words may be in another order."""
    from rapidfuzz.distance import OSA

    if re.findall(r"\d+", name) != re.findall(r"\d+", other):
        return False
    words, others = (sorted(re.findall(r"\w+", written)) for written in (name, other))
    if words == others:
        return True
    if min(len("".join(words)), len("".join(others))) < _SHORTEST_ALIKE:
        return False
    if OSA.distance(" ".join(words), " ".join(others), score_cutoff=1) <= 1:
        return True
    return len(words) == len(others) and all(
        sound_of(word) == sound_of(meant) for word, meant in zip(words, others, strict=True)
    )


@lru_cache(maxsize=4096)
def sound_of(word: str) -> str:
    """The rough sound of a word: letters that sound alike are one letter, and none is doubled."""
    return "".join(_SOUND_OF.get(part, part[0]) for part in _parts(word) if part != "h")


def spellings(word: str) -> list[str]:
    """Other ways to write what sounds like a word, the word not among them: with one or two sounds written otherwise,
    or a letter doubled or no longer so."""
    parts = _parts(word)
    others = [_others(part) for part in parts]
    variants: dict[str, None] = {}
    for changes in range(1, _MOST_CHANGES + 1):
        for places in combinations([place for place, choices in enumerate(others) if choices], changes):
            for chosen in product(*(others[place] for place in places)):
                spelling = list(parts)
                for place, other in zip(places, chosen, strict=True):
                    spelling[place] = other
                variants["".join(spelling)] = None
    variants.pop(word, None)
    return list(variants)


def _parts(word: str) -> list[str]:
    return [match.group() for match in _LETTERS.finditer(word)]


def _others(part: str) -> list[str]:
    if len(part) == 2 and part[0] == part[1]:
        return [part[0]]
    doubled = [part * 2] if part in _OFTEN_DOUBLE else []
    return [*_OTHERS.get(part, ()), *doubled]
