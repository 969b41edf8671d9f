"""Units of quantities: codes of UN/ECE Recommendation 20, and the words that people use for them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from crm.model.fields import UNITS

PIECE: Final = "C62"
# Beside a quantity, for one and for more; what is not here is printed by its word.
_PRINTED: Final[Mapping[str, tuple[str, str]]] = {
    "HUR": ("h", "h"),
    "MIN": ("min", "min"),
    "DAY": ("day", "days"),
    "WEE": ("week", "weeks"),
    "MON": ("month", "months"),
    "ANN": ("year", "years"),
    "KMT": ("km", "km"),
    "MTR": ("m", "m"),
    "MTK": ("m\u00b2", "m\u00b2"),
    "KGM": ("kg", "kg"),
    "GRM": ("g", "g"),
    "TNE": ("t", "t"),
    "LTR": ("l", "l"),
    "P1": ("%", "%"),
}
# What people write in a line beside the words of the field: of other languages, and signs.
_ALSO: Final[Mapping[str, str]] = {
    "C62": "\u00d7 * ea st\u00fcck st",
    "HUR": "std. stunde stunden heure heures hora horas",
    "MIN": "minuten",
    "DAY": "tag tage jour jours d\u00eda d\u00edas",
    "WEE": "woche wochen semaine semaines semana semanas",
    "MON": "monat monate mois mes meses",
    "ANN": "yrs jahr jahre",
    "KGM": "kilo kilos",
    "GRM": "gramm",
    "MTK": "sqm qm",
    "LS": "pauschal pauschale",
}
# Words that more often begin a name: 2 flat screens.
_NAMES: Final = frozenset({"flat"})
# Other codes for a piece, which programs also write.
_PIECES: Final = frozenset({"", "C62", "H87", "EA", "XPP"})


def _codes() -> dict[str, str]:
    codes = {word: code for code, words in UNITS.items() for word in words if " " not in word and word not in _NAMES}
    return codes | {word: code for code, words in _ALSO.items() for word in words.split()}


_CODES: Final = _codes()


def unit_code(text: str) -> str:
    """The code of a unit as people write it (h, hours, Std, pcs, kg) or as a code; '' for none."""
    word = text.strip()
    if word in UNITS or word in _PIECES:
        return word
    # 3M and 3D are names; 3 m and 3 d are metres and days.
    return _CODES.get(word if len(word) == 1 else word.casefold(), "")


def unit_name(code: str, quantity: Decimal = Decimal(2)) -> str:
    """A unit as it is printed beside a quantity: h, days, kg; '' for pieces; an unknown code as it is."""
    if code in _PIECES:
        return ""
    if code in _PRINTED:
        return _PRINTED[code][abs(quantity) != 1]
    return UNITS[code][0] if code in UNITS else code
