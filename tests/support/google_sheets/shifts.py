"""Positions and ranges after rows or columns were inserted, deleted or moved."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
SIDES = {"ROWS": ("startRowIndex", "endRowIndex"), "COLUMNS": ("startColumnIndex", "endColumnIndex")}


@dataclass(frozen=True, slots=True)
class Inserted:
    """New rows or columns before the one at a place."""

    at: int
    count: int

    def index(self, place: int) -> int | None:
        """The new position of a row or column."""
        return place if place < self.at else place + self.count

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """The new position of a range; it grows with insertions inside it."""
        if self.at <= start:
            return start + self.count, end + self.count
        return (start, end + self.count) if self.at < end else (start, end)


@dataclass(frozen=True, slots=True)
class Deleted:
    """Rows or columns gone, from the first up to, but not with, the last."""

    first: int
    last: int

    def index(self, place: int) -> int | None:
        """The new position of a row or column; None if it is gone."""
        if place < self.first:
            return place
        return place - (self.last - self.first) if place >= self.last else None

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """The new position of a range; None if nothing of it is left."""
        new = tuple(
            side if side <= self.first else max(self.first, side - (self.last - self.first)) for side in (start, end)
        )
        return (new[0], new[1]) if new[0] < new[1] else None


@dataclass(frozen=True, slots=True)
class Moved:
    """Rows or columns put before the one that stood at `to`."""

    first: int
    last: int
    to: int

    @property
    def landing(self) -> int:
        """The new position of the first moved row or column."""
        return self.to if self.to <= self.first else self.to - (self.last - self.first)

    def index(self, place: int) -> int | None:
        """The new position of a row or column."""
        if self.first <= place < self.last:
            return place - self.first + self.landing
        gone = Deleted(self.first, self.last).index(place)
        assert gone is not None
        return Inserted(self.landing, self.last - self.first).index(gone)

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """The new position of a range; one that is moved as a whole goes along."""
        if self.first <= start and end <= self.last:
            return start - self.first + self.landing, end - self.first + self.landing
        if start <= self.first and self.last <= end and start <= self.to <= end:
            return start, end
        left = Deleted(self.first, self.last).span(start, end)
        return left and Inserted(self.landing, self.last - self.first).span(*left)


Shift = Inserted | Deleted | Moved


def shifted(given: Json, dimension: str, shift: Shift) -> Json | None:
    """A GridRange or DimensionRange after a shift; None when nothing of it is left."""
    if "dimension" in given:
        if given["dimension"] != dimension:
            return given
        span = shift.span(given["startIndex"], given["endIndex"])
        return None if span is None else {**given, "startIndex": span[0], "endIndex": span[1]}
    first, last = SIDES[dimension]
    start, end = given.get(first), given.get(last)
    if start is None and end is None:
        return given
    span = shift.span(start or 0, 2**31 if end is None else end)
    if span is None:
        return None
    result = dict(given)
    if start is not None:
        result[first] = span[0]
    if end is not None:
        result[last] = span[1]
    return result


def carried(thing: Json, dimension: str, shift: Shift) -> Json | None:
    """Something that lies on one or more ranges, after a shift; None when nothing is left for it to lie on."""
    if "ranges" in thing:
        ranges = [left for one in thing["ranges"] if (left := shifted(one, dimension, shift)) is not None]
        return {**thing, "ranges": ranges} if ranges else None
    if "range" not in thing:
        return shifted(thing, dimension, shift)
    left = shifted(thing["range"], dimension, shift)
    if left is None:
        return None
    result = {**thing, "range": left}
    if "tableId" in thing:
        return _table(thing, result, dimension, shift)
    if dimension == "COLUMNS" and "criteria" in thing:
        places = {shift.index(int(column)): wanted for column, wanted in thing["criteria"].items()}
        result["criteria"] = {str(column): wanted for column, wanted in places.items() if column is not None}
    return result


def _table(old: Json, new: Json, dimension: str, shift: Shift) -> Json | None:
    """A table after a shift: without its heading it is none; its columns stay those that they were."""
    heading = shift.index(old["range"]["startRowIndex"])
    if dimension == "ROWS":
        return new if heading == new["range"]["startRowIndex"] else None
    first, start, end = (
        old["range"]["startColumnIndex"],
        new["range"]["startColumnIndex"],
        new["range"]["endColumnIndex"],
    )
    columns = []
    for column in old["columnProperties"]:
        at = shift.index(first + column.get("columnIndex", 0))
        if at is not None and start <= at < end:
            rest = {name: value for name, value in column.items() if name != "columnIndex"}
            columns.append(({"columnIndex": at - start} if at > start else {}) | rest)
    return {**new, "columnProperties": sorted(columns, key=lambda column: column.get("columnIndex", 0))}
