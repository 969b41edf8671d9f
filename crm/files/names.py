"""A person's whole name in its two parts."""

import re


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_TITLES = _words(
    "mr mrs ms miss mx sir dame dr drs prof professor doctor herr frau fr hr dipl dipl-ing ing mag mba bakk m mme mlle"
    " monsieur madame mademoiselle maitre senor senora srta sr sra don dona d sig signor signora sigra dott dottssa avv"
    " dhr mevr mevrouw heer"
)
# One letter, or a word that is a name too, is a title only with its point.
_ONLY_WITH_POINT = _words("m d don fr hr mag ing sig sr dipl mba drs")
_PARTICLES = _words(
    "van von vom zu zum zur der den de del della delle dello di da das do dos du des d' la le lo las los ter ten te 't"
    " bin ibn ben al el af av"
)
# Where a name goes on with a capital: o'neil, smith-jones.
_CAPITAL = re.compile(r"^[^\W\d]|(?<=[-'\u2019])[^\W\d](?=\w{2})")
_SUFFIXES = _words("jr sr ii iii iv phd md mba msc bsc esq dds ma ba llm")


_SMALL = _PARTICLES | {"of", "and", "the", "for", "und", "et", "y"}


def split_name(text: str) -> tuple[str, str]:
    """First and last name: ('Anna Maria', 'van der Berg') of 'Dr. Anna Maria van der Berg' or of
    'van der Berg, Anna Maria'.

    The last word is the last name, with the particles before it (van, de, …) and what follows a name
    (Jr., PhD). Titles at the beginning are left out. Words in capitals at the beginning are the last name
    ('BERG Anna'). A single word is a first name, as address books keep it.
    """
    before, comma, after = (part.strip() for part in " ".join(text.split()).partition(","))
    suffix, second_comma, first = (part.strip() for part in after.partition(","))
    if second_comma and first and _is_suffix(suffix):
        # Smith, Jr., John
        before, after = f"{before} {suffix}", first
    if comma and after and not _is_suffix(after):
        return " ".join(_untitled(after.replace(",", " ").split())), " ".join(_untitled(before.split()))
    words = _untitled(before.split())
    ends = [after] if comma and after else []
    while len(words) > 2 and _is_suffix(words[-1]):
        ends.insert(0, words.pop())
    if len(words) < 2:
        return " ".join([*words, *ends]), ""
    capitals = next((place for place, word in enumerate(words) if not _shouted(word)), 0)
    if capitals:
        return " ".join(words[capitals:]), " ".join([*words[:capitals], *ends])
    start = len(words) - 1
    for place in range(1, len(words) - 1):
        if words[place].casefold() in _PARTICLES:
            start = place
            break
    return " ".join(words[:start]), " ".join([*words[start:], *ends])


def with_capitals(name: str) -> str:
    """A name that was typed in small letters, as names are written: Jane van Dyke, O'Neil-Smith. One with a capital is
    kept as it was typed."""
    if name != name.lower():
        return name
    words = [
        word if at and word in _SMALL else _CAPITAL.sub(lambda begun: begun.group().upper(), word)
        for at, word in enumerate(name.split())
    ]
    return " ".join(words)


def _untitled(words: list[str]) -> list[str]:
    while len(words) > 1 and _is_title(words[0]):
        words = words[1:]
    return words


def _is_title(word: str) -> bool:
    bare = word.casefold().replace(".", "")
    return bare in _TITLES and (bare not in _ONLY_WITH_POINT or word.endswith("."))


def _is_suffix(text: str) -> bool:
    return all(word.casefold().replace(".", "").strip(",") in _SUFFIXES for word in text.split())


def _shouted(word: str) -> bool:
    return len(word) > 2 and word.isupper()
