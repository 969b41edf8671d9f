"""One sheet: a grid of cells, and the objects on its ranges."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import a1, cells
from .a1 import Area
from .cells import Content, Row
from .refusals import Invalid
from .shifts import SIDES, Deleted, Inserted, Json, Moved, Shift, carried

# What lies on ranges of a sheet, by the name it has in a Sheet; the last two are kept apart from that.
LYING = (
    "merges",
    "protectedRanges",
    "bandedRanges",
    "conditionalFormats",
    "filterViews",
    "tables",
    "rowGroups",
    "columnGroups",
    "basicFilter",
    "validations",
)
NOTHING: Row = []


@dataclass
class Sheet:
    """One sheet. Its rows, and what lies on it, are replaced and never changed, so that copies can share them."""

    id: int
    title: str
    row_count: int = 1000
    column_count: int = 26
    hidden: bool = False
    grid: Json = field(default_factory=dict)
    look: Json = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    row_properties: dict[int, Json] = field(default_factory=dict)
    column_properties: dict[int, Json] = field(default_factory=dict)
    lying: dict[str, list[Json]] = field(default_factory=lambda: {name: [] for name in LYING})
    metadata: list[Json] = field(default_factory=list)

    def copy(self) -> "Sheet":
        """The same sheet, to be changed without this one being changed."""
        return Sheet(
            self.id,
            self.title,
            self.row_count,
            self.column_count,
            self.hidden,
            dict(self.grid),
            dict(self.look),
            list(self.rows),
            dict(self.row_properties),
            dict(self.column_properties),
            {name: list(things) for name, things in self.lying.items()},
            list(self.metadata),
        )

    @property
    def area(self) -> Area:
        """The whole grid."""
        return Area(0, self.row_count, 0, self.column_count)

    @property
    def protected(self) -> bool:
        """True if somebody protects the sheet from the account."""
        return any(found.get("requestingUserCanEdit") is False for found in self.lying["protectedRanges"])

    def range_of(self, area: Area) -> Json:
        """An area as a GridRange."""
        sides = (area.top, area.bottom, area.left, area.right)
        return {"sheetId": self.id, **dict(zip([*SIDES["ROWS"], *SIDES["COLUMNS"]], sides, strict=True))}

    def within(self, given: Json) -> Area:
        """The area that a GridRange means here."""
        if "startRowIndex" in given and "startColumnIndex" in given:
            top, left = given["startRowIndex"] or 0, given["startColumnIndex"] or 0
            what = a1.shown(self.title, Area(top, top + 1, left, left + 1))
        else:
            what = a1.quoted(self.title)
        return a1.within(given, self.row_count, self.column_count, what)

    def row(self, at: int) -> Row:
        """The cells of a row, without the empty ones at its end."""
        return self.rows[at] if at < len(self.rows) else NOTHING

    def cell(self, row: int, column: int) -> Content:
        """The content of a cell."""
        found = self.row(row)
        return found[column] if column < len(found) else None

    def set_row(self, at: int, row: Row) -> None:
        """Put other cells in place of a row's."""
        cells.trimmed(row)
        if at < len(self.rows):
            self.rows[at] = row
        elif row:
            self.rows.extend(NOTHING for _ in range(at - len(self.rows)))
            self.rows.append(row)

    def padded(self, at: int, width: int) -> Row:
        """A copy of a row with at least that many cells, to be changed and set."""
        row = self.row(at)
        return [*row, *([None] * (width - len(row)))]

    def change(self, area: Area, change: Callable[[Content], Content]) -> None:
        """Change each cell of an area; rows that are one and the same stay so."""
        made: dict[int, tuple[Row, Row]] = {}
        for at in range(area.top, area.bottom):
            old = self.row(at)
            if id(old) not in made:
                new = self.padded(at, area.right)
                new[area.left : area.right] = [change(cell) for cell in new[area.left : area.right]]
                made[id(old)] = old, cells.trimmed(new)
            self.set_row(at, made[id(old)][1])

    def cut_out(self, area: Area) -> list[Row]:
        """The cells of an area, each row as wide as the area; rows that are one and the same stay so."""
        cut: dict[int, Row] = {}
        for at in range(area.top, area.bottom):
            if id(self.row(at)) not in cut:
                cut[id(self.row(at))] = self.padded(at, area.right)[area.left : area.right]
        return [cut[id(self.row(at))] for at in range(area.top, area.bottom)]

    def put_in(self, top: int, left: int, rows: Sequence[Row]) -> None:
        """Put cells in place of those from a corner on; rows that are one and the same stay so."""
        made: dict[tuple[int, int], Row] = {}
        was = [self.row(at) for at in range(top, top + len(rows))]
        for at, (old, new) in enumerate(zip(was, rows, strict=True), start=top):
            if (id(old), id(new)) not in made:
                row = self.padded(at, left + len(new))
                row[left : left + len(new)] = new
                made[id(old), id(new)] = cells.trimmed(row)
            self.set_row(at, made[id(old), id(new)])

    def last_data_row(self) -> int:
        """The number of rows up to the last one in which a cell has a value."""
        at, empty = len(self.rows), None
        for row in reversed(self.rows):
            # Rows without values are mostly one and the same.
            if row is not empty:
                if any(not cells.is_empty(content) for content in row):
                    return at
                empty = row
            at -= 1
        return 0

    def _change_rows(self, change: Callable[[Row], Row]) -> None:
        """Change each row; those that are one and the same stay so."""
        made: dict[int, Row] = {}
        for row in self.rows:
            if id(row) not in made:
                made[id(row)] = cells.trimmed(change(row))
        self.rows = [made[id(row)] for row in self.rows]

    def count(self, dimension: str) -> int:
        """The number of rows or columns."""
        return self.row_count if dimension == "ROWS" else self.column_count

    def insert(self, dimension: str, at: int, count: int, like: int | None = None) -> Shift:
        """Insert empty rows or columns, sized like another."""
        if not 0 <= at <= self.count(dimension) or count <= 0:
            raise Invalid(f"Cannot insert {count} {dimension.lower()} at {at}: there are {self.count(dimension)}.")
        if dimension == "ROWS":
            if at < len(self.rows):
                self.rows[at:at] = [NOTHING] * count
            self.row_count += count
        else:
            gap: Row = [None] * count
            self._change_rows(lambda row: [*row[:at], *gap, *row[at:]] if len(row) > at else row)
            self.column_count += count
        properties = self.properties_of(dimension)
        model = None if like is None else properties.get(like)
        self._shift(dimension, Inserted(at, count))
        if model:
            self.properties_of(dimension).update(dict.fromkeys(range(at, at + count), model))
        return Inserted(at, count)

    def delete(self, dimension: str, first: int, last: int) -> Shift:
        """Delete rows or columns."""
        many, count = dimension.lower(), self.count(dimension)
        if last > count:
            raise Invalid(
                f"Cannot delete a {many[:-1]} that doesn't exist. Tried to delete {many[:-1]} index {last - 1} "
                f"but there are only {count} {many}."
            )
        if not 0 <= first < last:
            raise Invalid(f"Cannot delete {many} from {first} to {last}.")
        frozen = self.grid.get("frozenRowCount" if dimension == "ROWS" else "frozenColumnCount", 0)
        if count - (last - first) - max(0, frozen - max(0, min(last, frozen) - first)) <= 0:
            raise Invalid(f"Sorry, it is not possible to delete all non-frozen {many}.")
        if dimension == "ROWS":
            del self.rows[first:last]
            self.row_count -= last - first
        else:
            self._change_rows(lambda row: [*row[:first], *row[last:]] if len(row) > first else row)
            self.column_count -= last - first
        if frozen > first:
            self.grid["frozenRowCount" if dimension == "ROWS" else "frozenColumnCount"] = first + max(0, frozen - last)
        self._shift(dimension, Deleted(first, last))
        return Deleted(first, last)

    def move(self, dimension: str, first: int, last: int, to: int) -> Shift:
        """Put rows or columns before another one."""
        if not 0 <= first < last <= self.count(dimension) or not 0 <= to <= self.count(dimension):
            raise Invalid(f"Cannot move {dimension.lower()} {first} to {last} before {to}.")
        if first < to < last:
            raise Invalid("The destination index must not be within the source range.")
        shift = Moved(first, last, to)
        if dimension == "ROWS":
            self.rows.extend([NOTHING] * (max(last, to) - len(self.rows)))
            taken = self.rows[first:last]
            del self.rows[first:last]
            self.rows[shift.landing : shift.landing] = taken
        else:

            def moved(row: Row) -> Row:
                if len(row) <= min(first, to):
                    return row
                row = [*row, *([None] * (max(last, to) - len(row)))]
                parts = row[first:last]
                del row[first:last]
                row[shift.landing : shift.landing] = parts
                return row

            self._change_rows(moved)
        self._shift(dimension, shift)
        return shift

    def properties_of(self, dimension: str) -> dict[int, Json]:
        """The properties of single rows or columns: size, hidden."""
        return self.row_properties if dimension == "ROWS" else self.column_properties

    def set_property(self, dimension: str, first: int, last: int, change: Callable[[Json], Json]) -> None:
        """Change what is set of some rows or columns."""
        properties = self.properties_of(dimension)
        for at in range(first, last):
            new = change(properties.get(at, {}))
            if new:
                properties[at] = new
            else:
                properties.pop(at, None)

    def _shift(self, dimension: str, shift: Shift) -> None:
        places = {shift.index(at): found for at, found in self.properties_of(dimension).items()}
        kept = {at: found for at, found in places.items() if at is not None}
        if dimension == "ROWS":
            self.row_properties = kept
        else:
            self.column_properties = kept
        for name, things in self.lying.items():
            self.lying[name] = [left for one in things if (left := carried(one, dimension, shift)) is not None]

    def sort(self, area: Area, columns: list[tuple[int, bool]]) -> None:
        """Sort the rows of an area by columns, each from its least or (True) its greatest value on."""
        rows = self.cut_out(area)
        for column, descending in reversed(columns):
            if not area.left <= column < area.right:
                raise Invalid(f"The sort column {column} is not in the range.")
            at = column - area.left
            filled = [row for row in rows if cells.value_of(row[at]) is not None]
            empty = [row for row in rows if cells.value_of(row[at]) is None]
            filled.sort(key=lambda row, at=at: _rank(cells.value_of(row[at])), reverse=descending)  # type: ignore[misc]
            rows = filled + empty
        self.put_in(area.top, area.left, rows)

    def hidden_by_filter(self) -> set[int]:
        """The rows that the sheet's filter hides."""
        hidden: set[int] = set()
        for found in self.lying["basicFilter"]:
            area = self.within(found["range"])
            for column, wanted in _criteria(found):
                values = set(wanted.get("hiddenValues") or ())
                for at in range(area.top + 1, area.bottom):
                    if cells.shown(self.cell(at, column)) in values:
                        hidden.add(at)
        return hidden


def _criteria(found: Json) -> Iterator[tuple[int, Json]]:
    for column, wanted in (found.get("criteria") or {}).items():
        yield int(column), wanted
    for spec in found.get("filterSpecs") or ():
        yield spec.get("columnIndex", 0), spec.get("filterCriteria") or {}


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers come before text, text before booleans; text in the order of the alphabet."""
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 0, value
    return (1, value.casefold()) if isinstance(value, str) else (3, "")
