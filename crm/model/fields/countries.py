"""Names of countries: in English, in their own and in other languages, by ISO 3166 and by others."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from crm.lazy_pattern import lazy_pattern

# How ISO 3166 and others call what has another name in the CLDR; without "the", "republic of" and the like.
_ALIASES = {
    "AE": "uae, emirates",
    "AF": "islamic republic of afghanistan",
    "BA": "bosnia, bosnia herzegovina",
    "BO": "plurinational state of bolivia",
    "BN": "brunei darussalam",
    "CD": (
        "democratic republic of congo, democratic republic of the congo, dr congo, drc, zaire,"
        " congo democratic republic of, congo dem rep"
    ),
    "CG": "congo, congo republic of, congo brazzaville",
    "CI": "ivory coast",
    "CN": "prc, people s republic of china, mainland china",
    "CV": "cape verde, cabo verde",
    "CZ": "czech republic, cesko, cr",
    "DE": "federal republic of germany, bundesrepublik deutschland, brd, d",
    "AT": "a, oe, oesterreich",
    "BE": "b",
    "ES": "e",
    "FR": "f",
    "IT": "i",
    "LU": "l",
    "LI": "fl",
    "PT": "p",
    "SE": "s",
    "NO": "n",
    "FI": "fin",
    "HU": "h",
    "FK": "falkland islands malvinas",
    "FM": "micronesia federated states of, federated states of micronesia",
    "GB": (
        "uk, england, scotland, wales, northern ireland, great britain, britain, united kingdom of great "
        "britain and northern ireland"
    ),
    "GR": "el, hellas, hellenic republic",
    "HK": "hong kong",
    "IE": "eire, ireland republic of",
    "IR": "islamic republic of iran, iran islamic republic of",
    "KG": "kyrgyz republic",
    "KP": "democratic people s republic of korea, korea democratic people s republic of, dprk",
    "KR": "south korea, republic of korea, korea republic of, korea, korea south",
    "KN": "st kitts and nevis, saint kitts and nevis",
    "LA": "lao people s democratic republic, lao pdr, lao",
    "LY": "libyan arab jamahiriya",
    "MD": "republic of moldova",
    "MK": "macedonia, fyrom, former yugoslav republic of macedonia",
    "MM": "burma, myanmar",
    "MO": "macao, macau",
    "NL": "holland",
    "PS": "palestine, state of palestine, palestinian territory occupied, occupied palestinian territory",
    "RU": "russia, russian federation",
    "SK": "slovak republic",
    "ST": "sao tome and principe",
    "SY": "syrian arab republic",
    "SZ": "swaziland",
    "TL": "east timor",
    "TR": "turkey, turkiye",
    "TW": "taiwan province of china",
    "TZ": "united republic of tanzania",
    "US": "usa, united states of america, america, u s",
    "VA": "holy see, vatican, holy see vatican city state",
    "VE": "bolivarian republic of venezuela",
    "VG": "british virgin islands, virgin islands british",
    "VI": "us virgin islands, virgin islands u s",
    "VN": "viet nam",
}
# The languages whose names for countries are known, besides English and the team's.
_LANGUAGES = (
    "de", "fr", "es", "it", "nl", "pt", "pl", "cs", "hu", "sv", "da", "nb", "fi", "ru", "uk", "tr", "el", "ro", "bg",
    "hr", "sl", "sk", "et", "lv", "lt", "is", "ga", "ca", "sq", "ja", "zh", "ko", "ar", "he",
)  # fmt: skip
_NO_COUNTRIES = frozenset(("EU", "EZ", "UN", "ZZ", "XA", "XB", "QO"))
_MARKS = lazy_pattern(r"[\W_]+")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "\u0131": "i", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss"})
_NOT_THE_NAME = lazy_pattern(
    r"(?:the|republic of|federal republic of|kingdom of) | (?:the|republic of|federal republic of|kingdom of)$"
)
_INITIALS = lazy_pattern(r"\s*(?:[A-Za-z]\.)+\s*")
_CODE_BESIDE = lazy_pattern(r"\s*[(\[]\s*([A-Za-z]{2,3})\s*[)\]]\s*$|^\s*[A-Za-z]{2}\s*[-\u2013/:]\s*(?=\w{3})")


@lru_cache(maxsize=4096)
def country_code(text: str, language: str) -> str:
    """The code of the country that is called so, in English, in a language, or in another one; '' for none."""
    for name in _spellings(text):
        if code := _english().get(name) or _named_in(language).get(name):
            return code
    for name in _spellings(text):
        # A language is loaded when none before it has the name.
        for other in _LANGUAGES if len(name) > 3 or not name.isascii() else ():
            if code := _named_in(other).get(name):
                return code
    return ""


def likely_country(text: str, language: str) -> str:
    """The code of a country that is called much like it, in English or in a language; '' for none."""
    from difflib import get_close_matches

    names = {**_english(), **_named_in(language)}
    alike = get_close_matches(_plain(text), [name for name in names if len(name) > 3], n=1, cutoff=0.8)
    return names[alike[0]] if alike else ""


def _spellings(text: str) -> list[str]:
    """The text as names are compared, then without a code beside it, and without what is no part of a name."""
    if _INITIALS.fullmatch(text):
        text = text.replace(".", "")
    plain = [_plain(text), _plain(_CODE_BESIDE.sub("", text))]
    before, comma, behind = text.partition(",")
    turned = [_plain(f"{behind} {before}")] if comma else []
    words = [*plain, *turned]
    bare = [_NOT_THE_NAME.sub("", name) for name in words]
    first = [_plain(before), _plain(text.partition("(")[0])] if comma or "(" in text else []
    return list(dict.fromkeys(filter(None, (*words, *bare, *first))))


def _plain(text: str) -> str:
    """The name without case, accents and marks: 'cote d ivoire', 'bosnia and herzegovina'."""
    spread = unicodedata.normalize("NFKD", text.replace("&", " and ").casefold().translate(_LETTERS))
    bare = "".join(letter for letter in spread if not unicodedata.combining(letter))
    return re.sub(r"^st ", "saint ", _MARKS.sub(" ", bare).strip())


@lru_cache(maxsize=1)
def _english() -> Mapping[str, str]:
    """The codes by English name, by the names of ISO 3166, and by its codes in letters and in digits."""
    from babel.core import get_global

    codes = dict(_named_in("en"))
    for other, territories in get_global("territory_aliases").items():
        if len(other) == 3 and len(territories) == 1 and territories[0] in codes.values():
            codes.setdefault(other.casefold(), territories[0])
    for code, names in _ALIASES.items():
        codes |= dict.fromkeys(map(_plain, names.split(",")), code)
    return codes | {code.casefold(): code for code in set(codes.values())}


@lru_cache(maxsize=64)
def _named_in(language: str) -> Mapping[str, str]:
    from babel import Locale

    return {
        _plain(name): code
        for code, name in Locale.parse(language).territories.items()
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
    }
