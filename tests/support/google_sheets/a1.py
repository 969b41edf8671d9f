"""Ranges: as people write them (A1 notation) and as requests do (GridRange, half open)."""

import re
from dataclasses import dataclass
from typing import Any

from .refusals import Invalid

_PART = re.compile(r"\$?([A-Za-z]{1,3})?\$?([1-9]\d*)?")
_PLAIN_TITLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LIKE_A_CELL = re.compile(r"[A-Za-z]{1,3}\d+|[Rr]\d*[Cc]\d*")


@dataclass(frozen=True, slots=True)
class Area:
    """The cells of a sheet from top and left on up to, but not with, bottom and right."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def one_cell(self) -> bool:
        """True if the range is a single cell."""
        return self.bottom - self.top == 1 and self.right - self.left == 1

    def overlaps(self, other: "Area") -> bool:
        """True if the two ranges share a cell."""
        return (
            self.top < other.bottom and other.top < self.bottom and self.left < other.right and other.left < self.right
        )

    def holds(self, other: "Area") -> bool:
        """True if the other range is wholly inside this one."""
        return (
            self.top <= other.top
            and other.bottom <= self.bottom
            and self.left <= other.left
            and other.right <= self.right
        )


def letters(column: int) -> str:
    """The letters over a column: A for 0."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def column_of(name: str) -> int:
    """The column under its letters: 0 for A."""
    number = 0
    for letter in name.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def quoted(title: str) -> str:
    """A sheet's title as it stands before the exclamation mark."""
    if _PLAIN_TITLE.fullmatch(title) and not _LIKE_A_CELL.fullmatch(title):
        return title
    return "'" + title.replace("'", "''") + "'"


def shown(title: str, area: Area) -> str:
    """An area in A1 notation, with the sheet it is on."""
    first = f"{letters(area.left)}{area.top + 1}"
    last = f"{letters(area.right - 1)}{area.bottom}"
    return f"{quoted(title)}!{first if area.one_cell else first + ':' + last}"


def split(text: str) -> tuple[str | None, str]:
    """The title of the sheet that a range names, if it names one, and the rest."""
    if text.startswith("'"):
        closing = re.match(r"'((?:[^']|'')*)'(?:!(.*))?$", text, re.DOTALL)
        if closing:
            return closing[1].replace("''", "'"), closing[2] or ""
    title, mark, rest = text.rpartition("!")
    return (title, rest) if mark else (None, text)


def bounds(text: str) -> dict[str, int] | None:
    """The sides that a range like B2, B2:D, B:D or 2:3 sets, as in a GridRange, or None when it is no range."""
    first, colon, last = text.partition(":")
    one, other = _PART.fullmatch(first), _PART.fullmatch(last if colon else first)
    if not text or one is None or other is None or not first or (colon and not last):
        return None
    if not colon and not (one[1] and one[2]):
        return None
    columns = sorted(column_of(part[1]) for part in (one, other) if part[1])
    rows = sorted(int(part[2]) - 1 for part in (one, other) if part[2])
    found: dict[str, int] = {}
    if rows:
        found["startRowIndex"] = rows[0]
        if len(rows) == 2:
            found["endRowIndex"] = rows[1] + 1
    if columns:
        found["startColumnIndex"] = columns[0]
        if len(columns) == 2:
            found["endColumnIndex"] = columns[1] + 1
    return found


def within(given: dict[str, Any], rows: int, columns: int, what: str = "") -> Area:
    """The area that a GridRange means on a sheet of that size."""
    top, left = given.get("startRowIndex") or 0, given.get("startColumnIndex") or 0
    bottom, right = given.get("endRowIndex"), given.get("endColumnIndex")
    bottom = rows if bottom is None else bottom
    right = columns if right is None else right
    if top < 0 or left < 0 or bottom < 0 or right < 0:
        raise Invalid(f"{what}GridRange indices must not be negative".strip())
    if top >= rows or left >= columns or bottom > rows or right > columns:
        raise Invalid(f"Range ({what}) exceeds grid limits. Max rows: {rows}, max columns: {columns}")
    if bottom <= top or right <= left:
        raise Invalid("No grid with such a range: the end must be after the start")
    return Area(top, bottom, left, right)
