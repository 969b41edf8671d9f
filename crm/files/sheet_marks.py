"""The marks of a sheet beside its values: merged cells, hidden rows and columns, formulas that failed or have no
result."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, NamedTuple

_CHUNK = 1 << 20
_LONGEST_TAG = 4096
# Of cells only those whose formula has failed.
_TAG = re.compile(
    rb"""<(?:\w+:)?(mergeCell|row|col|c(?=\s[^<>]*\bt=["']e["']))\s([^<>]*)>(?:(?=(\s*<(?:\w+:)?c[\s>]))|)"""
)
# The end of a formula and of its cell with no result between, as programs write it that do not calculate; and how far
# before that the tag of the cell may stand, and how many are looked at.
_NO_RESULT = re.compile(
    rb"""(?:</(?:\w{1,9}:)?f>|<(?:\w{1,9}:)?f(?:\s[^<>]{0,200})?/>)\s{0,9}"""
    rb"""(?:<(?:\w{1,9}:)?v\s?/>|<(?:\w{1,9}:)?v>\s{0,9}</(?:\w{1,9}:)?v>)?\s{0,9}</(?:\w{1,9}:)?c>"""
)
_LONGEST_FORMULA = 8500
_MOST_FORMULAS = 20_000
_CELL = re.compile(rb"""(?:<|:)c\s([^<>]{0,300})>""")
_CELL_NAME = re.compile("([A-Z]{1,3})([0-9]{1,7})")
_ATTRIBUTE = re.compile(rb"""([\w:]+)\s*=\s*["']([^"']*)["']""")
_AREA = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})")
# A sheet with more has been filled by a program; what it merges is not read.
_MOST_AREAS = 100_000


class Area(NamedTuple):
    """Cells that are merged: rows as they are numbered in the sheet, columns from 0; all ends are part of it."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class SheetMarks:
    """The merged areas of a sheet by their first row, its hidden rows with cells, how many columns are hidden,
    whether a formula has failed, and the columns with formulas that have no result, each with the last row of one."""

    merged: dict[int, list[Area]] = field(default_factory=dict)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: int = 0
    has_errors: bool = False
    without_results: dict[int, int] = field(default_factory=dict)


def marks_of(sheet: IO[bytes]) -> SheetMarks:
    """Read the marks out of the XML of a sheet, a piece at a time: those of merged cells are at its end."""
    merged: dict[int, list[Area]] = {}
    hidden_rows: set[int] = set()
    hidden_columns = areas = 0
    has_errors = False
    without_results: dict[int, int] = {}
    for name, text, cell in _tags(sheet, without_results):
        if name == b"c":
            has_errors = True
            continue
        if name == b"row" and not (cell and b"hidden" in text):
            continue
        attributes = {key.decode(): value.decode("ascii", "replace") for key, value in _ATTRIBUTE.findall(text)}
        if name == b"mergeCell":
            areas += 1
            if (area := _area(attributes.get("ref", ""))) and areas <= _MOST_AREAS:
                merged.setdefault(area.top, []).append(area)
        elif attributes.get("hidden") in ("1", "true"):
            if name == b"row":
                hidden_rows.add(int(attributes.get("r", "0")))
            else:
                first, last = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
                # All columns to the end of the sheet are hidden for the look of it.
                hidden_columns += last - first + 1 if last < 16_384 else 0
    return SheetMarks(merged, frozenset(hidden_rows - {0}), hidden_columns, has_errors, without_results)


def _tags(sheet: IO[bytes], without_results: dict[int, int]) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Each tag with its attributes and, of a row, the beginning of its first cell; notes formulas without results."""
    rest = b""
    while piece := sheet.read(_CHUNK):
        piece = rest + piece
        # What may be cut off at the end of a piece is read with the next.
        end = max(piece.rfind(b"<", 0, max(len(piece) - _LONGEST_TAG, 0)), 0)
        rest = piece[end:]
        _note_without_results(piece, end, without_results)
        yield from (_parts(match) for match in _TAG.finditer(piece) if match.start() < end)
    _note_without_results(rest, len(rest), without_results)
    yield from map(_parts, _TAG.finditer(rest))


def _note_without_results(piece: bytes, end: int, without_results: dict[int, int]) -> None:
    for match in islice(_NO_RESULT.finditer(piece), _MOST_FORMULAS):
        if match.start() >= end:
            return
        start = max(piece.rfind(b"c ", max(0, match.start() - _LONGEST_FORMULA), match.start()) - 1, 0)
        if (tag := _CELL.match(piece, start)) is None:
            continue
        attributes = {key.decode(): value.decode("ascii", "replace") for key, value in _ATTRIBUTE.findall(tag[1])}
        name = _CELL_NAME.fullmatch(attributes.get("r", ""))
        # An empty text is a result.
        if name and attributes.get("t") != "str":
            without_results[_column(name[1])] = int(name[2])


def _parts(match: re.Match[bytes]) -> tuple[bytes, bytes, bytes]:
    return match[1], match[2], match[3] or b""


def _area(written: str) -> Area | None:
    match = _AREA.fullmatch(written)
    if match is None:
        return None
    left, top, right, bottom = match.groups()
    return Area(int(top), _column(left), int(bottom), _column(right))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


class Spread:
    """The value of a merged area for each row below its first: it belongs to all of them. Not those in the
    columns `but_of`, as an amount that several rows share is no amount of each."""

    def __init__(self, marks: SheetMarks, but_of: Container[int] = ()) -> None:
        self._marks = marks
        self._but_of = but_of
        self._open: dict[int, tuple[int, str]] = {}

    def __call__(self, number: int, cells: list[str]) -> None:
        """Fill in the blank cells of one row; rows come in their order."""
        for column, (bottom, value) in list(self._open.items()):
            if bottom < number:
                del self._open[column]
            elif value and any(map(str.strip, cells)):
                cells.extend([""] * (column + 1 - len(cells)))
                cells[column] = cells[column] or value
        for area in self._marks.merged.get(number, ()):
            if area.bottom > number and area.left < len(cells) and area.left not in self._but_of:
                self._open[area.left] = area.bottom, cells[area.left]
