"""Units of quantities: codes of UN/ECE Recommendation 20, and the words that people use for them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

PIECE: Final = "C62"
# The first word is printed for one, the second for more; the others are only read.
_WORDS: Final[Mapping[str, str]] = {
    "C62": "x piece pieces pc pcs ea unit units \u00d7 * stk stück st",
    "HUR": "h h hr hrs hour hours std std. stunde stunden heure heures",
    "MIN": "min min mins minute minutes minuten",
    "DAY": "day days d tag tage jour jours",
    "WEE": "week weeks wk woche wochen semaine semaines",
    "MON": "month months mo monat monate mois",
    "QAN": "quarter quarters quartal quartale",
    "ANN": "year years yr yrs jahr jahre",
    "KGM": "kg kg kilo kilos",
    "GRM": "g g gram grams gramm",
    "TNE": "t t tonne tonnes",
    "MTR": "m m metre metres meter meters",
    "KMT": "km km",
    "MTK": "m² m² m2 sqm qm",
    "LTR": "l l litre litres liter liters",
    "LS": "lump-sum lump-sums pauschal",
    "SET": "set sets satz",
    "PR": "pair pairs paar",
}
_CODES: Final[Mapping[str, str]] = {word: code for code, words in _WORDS.items() for word in words.split()}
# Other codes for a piece, which programs also write.
_PIECES: Final = frozenset({"C62", "H87", "EA", "XPP"})


def unit_code(text: str) -> str:
    """The code of a unit as people write it (h, hours, Std, pcs, kg) or as a code; '' for none."""
    word = text.strip()
    if word in _WORDS or word in _PIECES:
        return word
    # 3M and 3D are names; 3 m and 3 d are metres and days.
    return _CODES.get(word if len(word) == 1 else word.casefold(), "")


def unit_name(code: str, quantity: Decimal = Decimal(2)) -> str:
    """A unit as it is printed beside a quantity: h, days, kg; '' for pieces; an unknown code as it is."""
    if code in _PIECES:
        return ""
    words = _WORDS.get(code, "").split()
    return (words[0] if abs(quantity) == 1 else words[1]) if words else code
