"""City, state, postcode and country that stand in one cell: Columbus, OH 43215; 1010 Wien."""

import re
from collections.abc import Mapping, Sequence

from crm.errors import FieldError
from crm.model import Client, Conventions, fields

# As countries write them: 43215, 43215-1234, K1A 0B1, SW1A 1AA, 1012 AB, 110 00, 30-001, 150-0001, A-1010.
_CODE = (
    r"\d{5}-\d{4}|\d{5}-\d{3}|[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{4} ?[A-Z]{2}|\d{3} \d{2}"
    r"|\d{2}-\d{3}|\d{3}-\d{4}|(?:[A-Z]{1,2}-)?\d{4,6}"
)
_BEFORE = re.compile(rf"({_CODE})(?![^\s,;/])[\s,;/]*(.*)", re.DOTALL)
_BEHIND = re.compile(rf"(.*?)(?<![^\s,;/])({_CODE})", re.DOTALL)
# A slash right between two words is a part of the name: Frankfurt/Main, but Columbus/OH/43215.
_BETWEEN = re.compile(r"\s*(?:[,;|\n]|(?<=\s)/|/(?=\s|[A-Z]{2,3}\b|\d)|(?<=\d)/)\s*")
# A state in two or three capitals behind a city: Columbus OH.
_STATE_ALONE = re.compile(r"[A-Z]{2,3}")
_STATE = re.compile(r"(.*[^\W\d_])\s+([A-Z]{2,3})")
# Behind a postcode without a comma.
_COUNTRY_BEHIND = re.compile(r"(.*\S)\s+(USA|U\.S\.A\.|UK)")
# Where two letters behind a postcode and a city are a state.
_HAVE_STATES = frozenset(("AU", "BR", "CA", "CH", "IN", "IT", "MX", "US"))
# States that are called like a country, by the country that they are in.
_STATES_LIKE_COUNTRIES = {"US": ("georgia",), "BE": ("luxembourg", "luxemburg")}
_COUNTRY = fields(Client)["country"]


def split_place(text: str, by: Conventions) -> Mapping[str, str]:
    """The city, region, postcode and country in a cell that has them. What cannot be told apart is the city."""
    parts: dict[str, str] = {}
    pieces = [piece for piece in _BETWEEN.split(text.strip()) if piece]
    if pieces and (match := _COUNTRY_BEHIND.fullmatch(pieces[-1])):
        pieces[-1:] = match.groups()
    if len(pieces) > 1 and _is_country_behind(pieces, by):
        parts["country"] = pieces.pop()
    rest = ", ".join(pieces)
    is_behind = False
    if match := _BEHIND.fullmatch(rest):
        is_behind = True
        rest, parts["postcode"] = match[1], match[2]
    elif match := _BEFORE.fullmatch(rest):
        parts["postcode"], rest = match[1], match[2]
    pieces = [piece for piece in _BETWEEN.split(rest.strip()) if piece]
    if (
        len(pieces) == 1
        and (match := _STATE.fullmatch(pieces[0]))
        and (not pieces[0].isupper() or (len(match[2]) == 2 and is_behind))
    ):
        pieces = [match[1], match[2]]
    if len(pieces) > 1:
        parts["region"] = pieces.pop()
    if pieces:
        parts["city"] = ", ".join(pieces)
    return {"city": text.strip()} if any(map(str.isdigit, parts.get("region", ""))) else parts


def _is_country_behind(pieces: Sequence[str], by: Conventions) -> bool:
    """Return whether the last piece of a place is a country, and not a state."""
    last = pieces[-1]
    if last.casefold() in _STATES_LIKE_COUNTRIES.get(by.country, ()):
        return False
    if len(last) == 2 and last != "UK":
        is_behind_state = len(pieces) > 2 and _STATE_ALONE.fullmatch(pieces[-2])
        is_code = by.country not in _HAVE_STATES and (_BEFORE.fullmatch(pieces[0]) or last == by.country)
        return bool(is_behind_state or is_code) and _is_country(last, by)
    return _is_country(last, by)


def _is_country(text: str, by: Conventions) -> bool:
    try:
        return bool(_COUNTRY.check.read(text, by))
    except FieldError:
        return False
