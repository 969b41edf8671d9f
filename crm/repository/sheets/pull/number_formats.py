"""Kinds of cells: a date or a percentage is no amount, though it is a number, and a formula that fails is no text."""

import math
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from crm.model import RECORDS, Record
from crm.repository.sheets.google.spreadsheet import Rejected, Service
from crm.repository.sheets.grid.cells import FORMULA_FAILS, cell_in, number_of
from crm.repository.sheets.grid.formatting import typed_amounts
from crm.repository.sheets.grid.layout import TABS, Cell, GridRange, Heading, columns, heading, runs
from crm.repository.sheets.mirror import problems
from crm.repository.sheets.mirror.history_tab import Entered
from crm.repository.sheets.mirror.mirror import Seen
from crm.repository.sheets.mirror.validation import DAYS, PARTS
from crm.repository.sheets.pull.delta import Contents, Done
from crm.repository.sheets.pull.tab_diff import HandEdits

_ASKED = (
    "sheets(properties(sheetId),data(startRow,startColumn,"
    "rowData(values(effectiveFormat(numberFormat(type)),effectiveValue(errorValue)))))"
)
_STRANGE = {"DATE": "a date", "TIME": "a time", "DATE_TIME": "a date", "PERCENT": "a percentage"}
# Rows that are no further apart are asked for in one piece; so many at a time.
_APART = 50
_MOST_ROWS = 20_000

# What a cell is, by its tab, its row and its field.
Strange = Mapping[tuple[type[Record], int, str], str]
# Cells to ask for: rows by tab, column and field.
Asked = Mapping[tuple[type[Record], int, str], Collection[int]]


def strange_amounts(service: Service, edits: HandEdits, seen: Seen) -> Strange:
    """The cells for amounts, in rows that were edited, which hold something else. Asks only where there are numbers in
    such rows."""
    rows: dict[type[Record], set[int]] = {}
    for kind, at, row in [(kind, at, row) for kind, _, at, row in edits.changed] + edits.added:
        head = heading(kind, seen.places[kind.kind_name].heading)
        if any(_is_number(row[columns(kind).index(name)]) for name in typed_amounts(head)):
            rows.setdefault(kind, set()).add(at)
    columns_asked = {
        (kind, column, name): places
        for kind, places in rows.items()
        for name, column in typed_amounts(heading(kind, seen.places[kind.kind_name].heading)).items()
    }
    return strange_among(service, columns_asked)


def strange_cells(service: Service, contents: Contents, connection: Connection) -> Strange:
    """The cells for amounts which hold something else in rows that were found so before. Of what is read into an
    empty mirror nothing is asked here: the history tells of most of it (`unconfirmed`)."""
    columns_asked: dict[tuple[type[Record], int, str], set[int]] = {}
    for kind in RECORDS:
        noted = set() if contents.everything else problems.noted(connection, kind)
        if not noted:
            continue
        rows = contents.tabs[kind]
        head = heading(kind, rows[0] if rows else [])
        typed = typed_amounts(head)
        doubted = {record_id for record_id, name in noted if name in typed}
        if doubted and "id" in head.positions:
            doubtful = set(_rows_of(head, rows, doubted))
            columns_asked |= {(kind, column, name): doubtful for name, column in typed.items() if doubtful}
    return strange_among(service, columns_asked)


def unconfirmed(
    contents: Contents, program: Mapping[type[Record], Mapping[int, Done]]
) -> tuple[Asked, Mapping[type[Record], Collection[int]]]:
    """The cells for amounts that may hold something else, in what is read into an empty mirror: those that the history
    does not have, where the number can be a date, a time or a percentage. And the rows with another number than the
    history has: somebody has edited them, and no computer has taken that over."""
    cells: dict[tuple[type[Record], int, str], set[int]] = {}
    typed_over: dict[type[Record], set[int]] = {}
    for kind in RECORDS:
        rows = contents.tabs[kind]
        head = heading(kind, rows[0] if rows else [])
        at_id, typed, changes = head.positions.get("id"), typed_amounts(head), program.get(kind, {})
        if at_id is None or not typed:
            continue
        for name, column in typed.items():
            kept = _Kept(changes, name)
            for at, row in enumerate(rows):
                cell: Any = row[column] if column < len(row) else ""
                # A truth is no number, and a text may be one.
                if type(cell) is not int and type(cell) is not float:
                    if at and cell != "":
                        typed_over.setdefault(kind, set()).add(at)
                    continue
                record_id: Any = cell_in(row, at_id)
                number = kept.number(record_id if type(record_id) is int else number_of(record_id))
                if number is None:
                    if _may_be_else(cell):
                        cells.setdefault((kind, column, name), set()).add(at)
                elif number != cell:
                    typed_over.setdefault(kind, set()).add(at)
    return cells, typed_over


class _Kept:
    """The numbers that the history keeps of one field, by record."""

    def __init__(self, changes: Mapping[int, Done], name: str) -> None:
        self._changes = changes
        self._name = name
        # Those that were created by one entry, by the entry: they are read once, in whatever order the rows are.
        self._numbers: dict[int, Sequence[float]] = {}

    def number(self, record_id: int | None) -> float | None:
        """The number that was written last into the field of a record; None where it is not known."""
        done = self._changes.get(record_id) if record_id else None
        if record_id is None or done is None:
            return None
        if done.updates and self._name in (after := done.after):
            number = _number(after[self._name])
        elif done.created is not None:
            number = self._created(record_id, done.created)
        else:
            number = math.nan
        return None if math.isnan(number) else number

    def _created(self, record_id: int, entry: Entered) -> float:
        numbers = self._numbers.get(id(entry))
        if numbers is None:
            # Small: there may be half a million of them.
            numbers = self._numbers[id(entry)] = array("d", map(_number, entry.all_created(self._name)))
        at = record_id - entry.ids[0]
        return numbers[at] if 0 <= at < len(numbers) else math.nan


def _number(kept: Any) -> float:
    """A number as the history keeps it; not a number where it has none."""
    try:
        return float(kept)
    except (ValueError, TypeError, OverflowError):
        return math.nan


def _may_be_else(amount: float) -> bool:
    """Return whether a number may be a percentage, a time or a date."""
    return abs(amount) < PARTS or DAYS[0] <= amount <= DAYS[1]


def _rows_of(head: Heading, rows: Sequence[Sequence[Cell]], ids: Collection[int]) -> Iterator[int]:
    at_id = head.positions["id"]
    for at, row in enumerate(rows):
        if at and at_id < len(row) and number_of(row[at_id]) in ids:
            yield at


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def strange_among(service: Service, columns_asked: Asked) -> Strange:
    """The cells among those asked for, rows by tab, column and field, which hold something else."""
    strange: dict[tuple[type[Record], int, str], str] = {}
    fields_at = {(TABS[kind].sheet_id, column): (kind, name) for kind, column, name in columns_asked}
    for ranges in _portions(columns_asked):
        try:
            sheets = service.look(ranges, _ASKED).get("sheets", [])
        except Rejected:
            # The rows are elsewhere by now; the next look finds them there.
            continue
        for sheet in sheets:
            for grid in sheet.get("data", []):
                place = sheet["properties"].get("sheetId", 0), grid.get("startColumn", 0)
                kind, name = fields_at[place]
                rows = columns_asked[kind, place[1], name]
                for at, what in _kinds_in(grid):
                    if at in rows:
                        strange[kind, at, name] = what
    return strange


def _portions(columns_asked: Mapping[tuple[type[Record], int, str], Iterable[int]]) -> Iterator[list[GridRange]]:
    """The ranges to ask for, in portions of not too many rows."""
    ranges: list[GridRange] = []
    count = 0
    for (kind, column, _), places in columns_asked.items():
        for first, end in _spans(sorted(places)):
            for start in range(first, end, _MOST_ROWS):
                stop = min(end, start + _MOST_ROWS)
                if ranges and count + stop - start > _MOST_ROWS:
                    yield ranges
                    ranges, count = [], 0
                span = {"startColumnIndex": column, "endColumnIndex": column + 1}
                ranges.append({**TABS[kind].rows(start, stop), **span})
                count += stop - start
    if ranges:
        yield ranges


def _spans(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Rows as (first, end), those near each other in one span."""
    first = last = None
    for start, count in runs(places):
        if first is not None and last is not None and start - last > _APART:
            yield first, last
            first = None
        first, last = (start if first is None else first), start + count
    if first is not None and last is not None:
        yield first, last


def _kinds_in(grid: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The rows of a piece of a column that hold no amount, each with what it holds."""
    first = grid.get("startRow", 0)
    for offset, row in enumerate(grid.get("rowData", [])):
        cell: Mapping[str, Any] = next(iter(row.get("values", [])), {})
        what = _STRANGE.get(cell.get("effectiveFormat", {}).get("numberFormat", {}).get("type", ""))
        if "errorValue" in cell.get("effectiveValue", {}):
            what = FORMULA_FAILS
        if what:
            yield first + offset, what
