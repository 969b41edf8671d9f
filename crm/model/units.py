"""Units of quantities: UN/ECE Recommendation 20 codes, the words that people use for them, and how they are printed."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from crm.lean_dataclass import dataclass

PIECE: Final = "C62"


@dataclass(frozen=True, slots=True)
class _Usual:
    """A usual unit: its name, how it is printed beside one and beside more of it, and what else people write."""

    name: str
    one: str
    more: str
    also: str = ""


# Those that most need first.
_USUAL: Final[Mapping[str, _Usual]] = {
    PIECE: _Usual("piece", "", "", "pieces, pc, pcs, x, unit, units, ea, stk, st, stück, \u00d7, *"),
    "HUR": _Usual("hour", "h", "h", "hours, hr, hrs, std, std., stunde, stunden, heure, heures, hora, horas"),
    "DAY": _Usual("day", "day", "days", "d, tag, tage, jour, jours, día, días"),
    "MON": _Usual("month", "month", "months", "mo, monat, monate, mois, mes, meses"),
    "LS": _Usual("lump sum", "lump sum", "lump sum", "flat rate, flat, pauschal, pauschale"),
    "KMT": _Usual("kilometre", "km", "km", "kilometres, kilometer, kilometers"),
    "WEE": _Usual("week", "week", "weeks", "wk, woche, wochen, semaine, semaines, semana, semanas"),
    "ANN": _Usual("year", "year", "years", "yr, yrs, jahr, jahre"),
    "MIN": _Usual("minute", "min", "min", "minutes, mins, minuten"),
    "MTR": _Usual("metre", "m", "m", "metres, meter, meters"),
    "MTK": _Usual("square metre", "m\u00b2", "m\u00b2", "square metres, m2, sqm, qm"),
    "KGM": _Usual("kilogram", "kg", "kg", "kilograms, kilo, kilos"),
    "GRM": _Usual("gram", "g", "g", "grams, gramm"),
    "TNE": _Usual("tonne", "t", "t", "tonnes"),
    "KWH": _Usual("kilowatt hour", "kWh", "kWh", "kwh, kilowatt hours"),
    "LTR": _Usual("litre", "l", "l", "litres, liter, liters"),
    "P1": _Usual("percent", "%", "%"),
}
# Other codes for a piece, which programs also write.
_PIECES: Final = frozenset({"", PIECE, "H87", "EA", "XPP"})
_CODES: Final[Mapping[str, str]] = {
    word: code
    for code, unit in _USUAL.items()
    for word in (unit.name, unit.one, unit.more, *unit.also.split(", "))
    if word
}


def unit_code(text: str) -> str:
    """The code of a unit as people write it (h, hours, Std, pcs, kg) or as a usual code; '' for none."""
    word = text.strip()
    return word if word in _USUAL or word in _PIECES else _CODES.get(word.casefold(), "")


def usual_units() -> Mapping[str, str]:
    """The names of the usual units, by their codes."""
    return {code: unit.name for code, unit in _USUAL.items()}


@cache
def all_unit_codes() -> frozenset[str]:
    """All codes of the recommendation, with those of packages (X and a code of Recommendation 21)."""
    return frozenset(Path(__file__).with_name("unit_codes.txt").read_text(encoding="ascii").split())


def unit_name(code: str) -> str:
    """A unit by its word: hour, piece; one that is not usual by its code."""
    return _USUAL[code].name if code in _USUAL else code


def unit_beside(code: str, quantity: Decimal) -> str:
    """A unit as it is printed beside a quantity: h, days, kg; '' for pieces; one that is not usual by its code."""
    if code in _PIECES:
        return ""
    unit = _USUAL.get(code)
    if unit is None:
        return code
    return unit.one if abs(quantity) == 1 else unit.more
