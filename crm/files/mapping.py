"""Mapping the cells of a row to the texts of a record's fields."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from crm.errors import FieldError
from crm.files.amounts import bare_amount, plain_amount
from crm.files.columns import Match
from crm.files.dates import read_day
from crm.files.names import split_name
from crm.model import Client, Conventions, Sale, fields
from crm.model.fields import Amount, Day

_SEVERAL = ":::"  # how Google writes several values in one cell
_OWN_GROUPS = frozenset(("mycontacts", "my contacts", "other contacts"))
_FIELDS = {**fields(Client), **fields(Sale)}
_DATES = frozenset(name for name, field in _FIELDS.items() if isinstance(field.check, Day))
_AMOUNTS = frozenset(name for name, field in _FIELDS.items() if isinstance(field.check, Amount))


class Mapped(NamedTuple):
    """A row by fields: the text of each field that has a column ('' for a blank cell), and of the team's own fields
    those that are filled."""

    fields: dict[str, str]
    extra: dict[str, str]


class Mapper:
    """Turns the cells of each row into the texts of fields, for columns matched once.

    Texts are as the fields' checks take them: dates in ISO, amounts plain, of several e-mail addresses and
    numbers the first, whole names in their parts. What cannot be read stays as it was written, for the
    check to refuse with its reason. Where two columns have one target, the first that is filled counts.
    """

    def __init__(self, matches: Sequence[Match], by: Conventions) -> None:
        self._plain: list[tuple[int, str]] = []
        self._converted: list[tuple[int, str, Callable[[str], str]]] = []
        self._names: list[int] = []
        self._extra: list[tuple[int, str]] = []
        self._blank: dict[str, str] = {}
        for place, match in enumerate(matches):
            self._add(place, match, by)

    def _add(self, place: int, match: Match, by: Conventions) -> None:
        target = match.target
        if target.startswith("extra:"):
            self._extra.append((place, target.removeprefix("extra:")))
        elif target == "name":
            self._names.append(place)
            self._blank |= {"first_name": "", "last_name": ""}
        elif target:
            self._blank[target] = ""
            convert = _converter(target.rpartition(".")[2], match, by)
            if convert is None and target not in [name for _, name in self._plain]:
                self._plain.append((place, target))
            else:
                self._converted.append((place, target, convert or str))

    def __call__(self, cells: Sequence[str]) -> Mapped:
        """The fields of one row; `cells` are at least as many as the columns that were matched."""
        found = self._blank.copy()
        for place, target in self._plain:
            found[target] = cells[place]
        for place, target, convert in self._converted:
            cell = cells[place]
            if cell and not found[target].strip():
                found[target] = convert(cell)
        for place in self._names:
            first, last = split_name(cells[place])
            if not (found["first_name"].strip() or found["last_name"].strip()):
                found["first_name"], found["last_name"] = first, last
        extra = {name: text for place, name in self._extra if (text := cells[place].strip())} if self._extra else {}
        return Mapped(found, extra)


def apply(matches: Sequence[Match], cells: Sequence[str], by: Conventions) -> Mapping[str, str]:
    """The fields of a single row, without the team's own; for many rows make one `Mapper`."""
    return Mapper(matches, by)(cells).fields


def _converter(target: str, match: Match, by: Conventions) -> Callable[[str], str] | None:
    if target in ("email", "phone"):
        return _first
    if target == "tags":
        return _tags
    if target in _DATES:

        @lru_cache(maxsize=4096)
        def day(text: str) -> str:
            try:
                return read_day(text, match.date_order, by).isoformat()
            except FieldError:
                return text

        return day
    if target in _AMOUNTS:
        if by.decimals > 2 and not match.decimal_mark:
            # The column does not show whether 1.234 is about one or a thousand: it is read as if a person had typed it.
            return lambda text: bare_amount(text) or text
        mark = match.decimal_mark or (by.decimal_mark if by.decimal_mark in ".," else ".")
        return lambda text: plain_amount(text, mark)
    return None


def _first(text: str) -> str:
    return text.partition(_SEVERAL)[0].strip()


def _tags(text: str) -> str:
    # Google marks the groups that it made itself with a star.
    tags = (re.sub(r"^\*\s+(?=\S)", "", part.strip()) for part in text.split(_SEVERAL))
    return ", ".join(tag for tag in tags if tag and tag.casefold() not in _OWN_GROUPS)
