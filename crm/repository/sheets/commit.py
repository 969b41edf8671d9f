"""A plan as requests: one for the whole of it, or several of which only the last one makes it visible.

Every request takes the marker of the revision away that it stands on, and puts its own: of two that stand on the
same revision only one can succeed. Beside its rows each commit keeps those it is about to write to as they are at
that very moment, heading included, in a hidden tab; its own answer shows whether they were the ones it meant.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm.model import Record
from crm.repository.sheets.cells import number_of, written
from crm.repository.sheets.layout import (
    BEFORE,
    BEFORE_COLUMNS,
    HISTORY,
    META,
    TABS,
    Cell,
    Heading,
    a1,
    heading,
    is_marker,
    marker,
    runs,
)
from crm.repository.sheets.mirror import Place, Seen, State
from crm.repository.sheets.plan import Plan, RowWrite, as_heading
from crm.repository.sheets.service import Service

# Google advises to send no more in one request.
LARGEST = 2_000_000
# From so many rows on a whole tab is kept rather than row by row: that takes one request instead of many.
_BLOCK_FROM = 200
# How an answer is asked for: the markers there are now, and the cells of the ranges to see.
ANSWER = (
    "updatedSpreadsheet(namedRanges(namedRangeId),"
    "sheets(properties(sheetId),data(startRow,startColumn,rowData(values(effectiveValue)))))"
)
_KEPT_AT = len(BEFORE_COLUMNS)
_VALUE = "userEnteredValue"

Request = dict[str, Any]


@dataclass
class Step:
    """One request of a commit: what it holds, what of the answer is wanted, and the state that it makes."""

    requests: list[Request]
    see: list[str]
    state: State


@dataclass
class Answer:
    """What became of a commit: whether the marker is ours alone, whether every row that was written was the one it
    was meant to be, and where the new rows stand."""

    marker_held: bool
    as_meant: bool
    placed: dict[type[Record], dict[int, int]]


class Commit:
    """One transaction on its way into the spreadsheet: `last` holds the highest numbers after it, `also` requests
    that go along."""

    def __init__(self, plan: Plan, seen: Seen, uid: str, last: Mapping[str, int], also: Sequence[Request] = ()) -> None:
        self.plan = plan
        self.seen = seen
        self.uid = uid
        self.last = dict(last)
        self.also = also
        self._steps = 1
        self.kept: list[tuple[type[Record], RowWrite | None]] = []

    def steps(self) -> Iterator[Step]:
        """The requests to send, one after the other; only the last one makes anything visible."""
        state = self.seen.state
        kept, columns, updates = list(self._keep()), list(self._new_columns()), list(self._updates())
        tail = [*self._deletes(), *self.also]
        room = LARGEST - Service.size([*kept, *columns, *updates, *tail]) - 4_000
        chunks = list(_chunks(self._added()))
        staged, at_last = (chunks[:-1], chunks[-1]) if chunks and chunks[-1][1] <= room else (chunks, ([], 0))
        self._steps = len(staged) + 1
        for number, (requests, _) in enumerate(staged, start=1):
            last, state = (
                state,
                replace(state, revision=state.revision + 1, uid=f"{self.uid}.{number}", staging=self.uid),
            )
            yield Step([*_move_marker(last, state), *columns, *requests, _write_state(state)], [], state)
            columns = []
        final = replace(
            state,
            revision=state.revision + 1,
            uid=self.uid,
            staging="",
            history_rows=self.seen.state.history_rows + len(self.plan.history),
            last=self.last,
        )
        requests = [*_move_marker(state, final), *kept, *columns, *updates, *at_last[0], *tail, _write_state(final)]
        yield Step(requests, list(self._see()), final)

    # What is written

    def _new_columns(self) -> Iterator[Request]:
        for kind, added in self.plan.headings.items():
            place = self.seen.places[kind.kind_name]
            wide = max(added) + 1
            if wide > place.columns:
                yield {
                    "appendDimension": {
                        "sheetId": TABS[kind].sheet_id,
                        "dimension": "COLUMNS",
                        "length": wide - place.columns,
                    }
                }
            for at, name in added.items():
                yield cells_request(TABS[kind].sheet_id, 0, at, [[name]])

    def _updates(self) -> Iterator[Request]:
        blocks: list[tuple[int, int, int, list[list[Cell]]]] = []
        for update in sorted(self.plan.updates, key=lambda each: (TABS[each.kind].sheet_id, each.row)):
            sheet = TABS[update.kind].sheet_id
            for column, count in runs(list(update.cells)):
                values = [update.cells[at] for at in range(column, column + count)]
                blocks.append((sheet, update.row, column, [values]))
        yield from (cells_request(*block) for block in _joined(blocks))

    def _deletes(self) -> Iterator[Request]:
        for kind in self.plan.kinds:
            rows = [each.row for each in self.plan.deletes if each.kind is kind]
            if rows and len(rows) >= self.seen.places[kind.kind_name].rows - 1:
                # A tab must keep one row beside its heading.
                yield {"appendDimension": {"sheetId": TABS[kind].sheet_id, "dimension": "ROWS", "length": 100}}
            # From the last row up, so that none moves before it is its turn.
            for first, count in sorted(runs(rows), reverse=True):
                span = {"startIndex": first, "endIndex": first + count}
                yield {"deleteDimension": {"range": {"sheetId": TABS[kind].sheet_id, "dimension": "ROWS", **span}}}

    def _added(self) -> Iterator[tuple[int, list[Cell]]]:
        for kind, rows in self.plan.appends.items():
            yield from ((TABS[kind].sheet_id, row) for _, row, _ in rows)
        yield from ((HISTORY.sheet_id, row) for row in self.plan.history)

    # What is kept, and looked at afterwards

    def _keep(self) -> Iterator[Request]:
        """Keeps the headings and rows that this commit relies on, as they are when it is applied.

        The headings come first; beside each stands which commit it was, which tab, and where its rows are kept.
        """
        kinds = self.plan.kinds
        self.kept = [(kind, None) for kind in kinds]
        copies = [self._copy(kind, 0, 1, at) for at, kind in enumerate(kinds)]
        notes: list[list[Cell]] = []
        for kind in kinds:
            first = len(self.kept)
            ours = sorted((each for each in self.plan.touched if each.kind is kind), key=lambda each: each.row)
            spans = list(runs([each.row for each in ours]))
            if len(ours) >= _BLOCK_FROM:
                spans = [(ours[0].row, ours[-1].row + 1 - ours[0].row)]
            by_row = {each.row: each for each in ours}
            for row, count in spans:
                copies.append(self._copy(kind, row, count, len(self.kept)))
                self.kept += [(kind, by_row.get(at)) for at in range(row, row + count)]
            notes.append([self.uid, TABS[kind].sheet_id, first, len(self.kept) - first])
        yield {"updateCells": {"range": {"sheetId": BEFORE.sheet_id}, "fields": _VALUE}}
        place = self.seen.places[BEFORE.title]
        wide = _KEPT_AT + max((self.seen.places[kind.kind_name].columns for kind in kinds), default=0)
        if len(self.kept) > place.rows or wide > place.columns:
            grid = {"rowCount": max(len(self.kept), place.rows), "columnCount": max(wide, place.columns)}
            properties = {"sheetId": BEFORE.sheet_id, "gridProperties": grid}
            fields = "gridProperties.rowCount,gridProperties.columnCount"
            yield {"updateSheetProperties": {"properties": properties, "fields": fields}}
        yield from copies
        yield cells_request(BEFORE.sheet_id, 0, 0, notes)

    def _copy(self, kind: type[Record], row: int, count: int, to: int) -> Request:
        """Keeps some rows of a tab, with all their columns; into just as many cells, else they would be repeated."""
        wide = self.seen.places[kind.kind_name].columns
        spans = (
            (TABS[kind].sheet_id, row, 0),
            (BEFORE.sheet_id, to, _KEPT_AT),
        )
        source, destination = (
            {
                "sheetId": sheet,
                "startRowIndex": first,
                "endRowIndex": first + count,
                "startColumnIndex": left,
                "endColumnIndex": left + wide,
            }
            for sheet, first, left in spans
        )
        return {"copyPaste": {"source": source, "destination": destination, "pasteType": "PASTE_VALUES"}}

    def _see(self) -> Iterator[str]:
        if self.kept:
            wide = max(len(self.seen.places[kind.kind_name].heading) for kind in self.plan.kinds) - 1
            title = self.seen.places[BEFORE.title].title
            last = len(self.kept) - 1
            if last < _BLOCK_FROM:
                yield a1(title, (0, last), (_KEPT_AT, _KEPT_AT + wide))
            else:
                first = len(self.plan.kinds)
                yield a1(title, (0, first - 1), (_KEPT_AT, _KEPT_AT + wide))
                for at, count in runs(list(self._looked_at())):
                    yield a1(title, (first, last), (_KEPT_AT + at, _KEPT_AT + at + count - 1))
        for kind in self.plan.appends:
            place = self.seen.places[kind.kind_name]
            at = heading(kind, place.heading).positions["id"]
            # From a row that is there in any case.
            yield a1(place.title, (max(place.used - 1, 0), None), (at, at))

    def _looked_at(self) -> set[int]:
        """The columns that tell whether a row is the one it was meant to be."""
        looked: set[int] = set()
        for each in self.plan.touched:
            positions = heading(each.kind, self.seen.places[each.kind.kind_name].heading).positions
            looked.update(positions[name] for name in each.relies_on if name in positions)
            looked.update(each.cells)
        return looked

    def answered(self, reply: Mapping[str, Any]) -> Answer:
        """What the answer to the last step says."""
        found = reply.get("updatedSpreadsheet", {})
        data = {sheet["properties"].get("sheetId", 0): sheet.get("data", []) for sheet in found.get("sheets", [])}
        markers = [each["namedRangeId"] for each in found.get("namedRanges", []) if is_marker(each["namedRangeId"])]
        ids = {
            kind: {row: cells[0] for row, cells in _rows(data.get(TABS[kind].sheet_id, [])).items() if cells}
            for kind in self.plan.appends
        }
        held = markers == [marker(self.seen.state.revision + self._steps, self.uid)]
        return self._judged(held, _rows(data.get(BEFORE.sheet_id, [])), ids)

    def found(self, kept: Sequence[Sequence[Cell]], tabs: Mapping[type[Record], Sequence[Sequence[Cell]]]) -> Answer:
        """The same from the tabs themselves, where the answer was lost."""
        ids = {}
        for kind, rows in tabs.items():
            at = heading(kind, rows[0]).positions["id"]
            ids[kind] = {row: cells[at] for row, cells in enumerate(rows) if len(cells) > at}
        return self._judged(True, {row: list(cells[_KEPT_AT:]) for row, cells in enumerate(kept)}, ids)

    def _judged(
        self, held: bool, kept: Mapping[int, list[Cell]], ids: Mapping[type[Record], Mapping[int, Cell]]
    ) -> Answer:
        placed: dict[type[Record], dict[int, int]] = {}
        for kind, rows in self.plan.appends.items():
            at = {number_of(cell): row for row, cell in ids[kind].items()}
            placed[kind] = {record_id: at[record_id] for record_id, _, _ in rows if record_id in at}
        return Answer(held, self._as_meant(kept), placed)

    def _as_meant(self, kept: Mapping[int, list[Cell]]) -> bool:
        headings: dict[type[Record], Heading] = {}
        for at, (kind, write) in enumerate(self.kept):
            row = kept.get(at, [])
            if write is None and kind not in headings:
                place = self.seen.places[kind.kind_name]
                # New columns are there already when the last of several requests is sent.
                added = self.plan.headings.get(kind, {}) if self._steps > 1 else {}
                expected = as_heading(place, added)
                headings[kind] = heading(kind, expected)
                if _trimmed(row) != _trimmed(expected):
                    return False
            elif write is not None and not write.fits(headings[kind].row(row)):
                return False
        return True

    # What the mirror knows afterwards

    def places(self, placed: Mapping[type[Record], Mapping[int, int]]) -> dict[str, Place]:
        """The tabs as they are after the commit."""
        places = dict(self.seen.places)
        for kind in self.plan.kinds:
            old = places[kind.kind_name]
            gone = sum(each.kind is kind for each in self.plan.deletes)
            used = max([old.used - gone, *(row + 1 for row in placed.get(kind, {}).values())])
            head = list(as_heading(old, self.plan.headings.get(kind, {})))
            grown = max(old.rows - gone, used)
            places[kind.kind_name] = Place(old.title, head, used, grown, max(old.columns, len(head)))
        return places


def _move_marker(last: State, state: State) -> list[Request]:
    """Takes the place of a revision; refused where it is not the current one any more."""
    return [{"deleteNamedRange": {"namedRangeId": marker(last.revision, last.uid)}}, add_marker(state)]


def add_marker(state: State) -> Request:
    """Puts the marker of a revision."""
    name = marker(state.revision, state.uid)
    cell = {"sheetId": META.sheet_id, "startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 0, "endColumnIndex": 1}
    return {"addNamedRange": {"namedRange": {"namedRangeId": name, "name": name, "range": cell}}}


def _write_state(state: State) -> Request:
    return cells_request(META.sheet_id, 0, 0, state.rows())


def cells_request(sheet: int, row: int, column: int, rows: Sequence[Sequence[Cell]]) -> Request:
    """Writes typed cells, from a row and a column on."""
    start = {"sheetId": sheet, "rowIndex": row, "columnIndex": column}
    return {"updateCells": {"start": start, "rows": [_row(each) for each in rows], "fields": _VALUE}}


def _row(cells: Sequence[Cell]) -> Request:
    return {"values": [written(cell) for cell in cells]}


def _joined(
    blocks: Sequence[tuple[int, int, int, list[list[Cell]]]],
) -> Iterator[tuple[int, int, int, list[list[Cell]]]]:
    """Blocks of cells, those below each other with the same columns made one."""
    open_blocks: dict[tuple[int, int, int, int], tuple[int, list[list[Cell]]]] = {}
    for sheet, row, column, rows in blocks:
        wide = len(rows[0])
        key = (sheet, column, wide, row)
        if key in open_blocks:
            first, cells = open_blocks.pop(key)
            cells.extend(rows)
        else:
            first, cells = row, list(rows)
        open_blocks[(sheet, column, wide, row + 1)] = (first, cells)
    for (sheet, column, _, _), (first, cells) in open_blocks.items():
        yield sheet, first, column, cells


def _chunks(rows: Iterable[tuple[int, list[Cell]]]) -> Iterator[tuple[list[Request], int]]:
    """Rows to add as requests, in portions that each fit into one, with their sizes."""
    portion: list[Request] = []
    size = 0
    for sheet, cells in rows:
        row = _row(cells)
        weight = Service.size([row]) + 1
        if portion and size + weight > LARGEST - 4_000:
            yield portion, size
            portion, size = [], 0
        if not portion or portion[-1]["appendCells"]["sheetId"] != sheet:
            portion.append({"appendCells": {"sheetId": sheet, "rows": [], "fields": _VALUE}})
            size += 80
        portion[-1]["appendCells"]["rows"].append(row)
        size += weight
    if portion:
        yield portion, size


def _rows(data: Sequence[Mapping[str, Any]]) -> dict[int, list[Cell]]:
    """The cells of the ranges of an answer by row, from the column that the leftmost range begins with."""
    found: dict[int, list[Cell]] = {}
    left = min((grid.get("startColumn", 0) for grid in data), default=0)
    for grid in data:
        first, column = grid.get("startRow", 0), grid.get("startColumn", 0) - left
        for offset, row in enumerate(grid.get("rowData", [])):
            cells = [_value(cell.get("effectiveValue", {})) for cell in row.get("values", [])]
            known = found.setdefault(first + offset, [])
            known += [""] * (column + len(cells) - len(known))
            known[column : column + len(cells)] = cells
    return found


# What is read of a formula that fails.
_FAILED = {
    "ERROR": "#ERROR!", "NULL_VALUE": "#NULL!", "DIVIDE_BY_ZERO": "#DIV/0!", "VALUE": "#VALUE!", "REF": "#REF!",
    "NAME": "#NAME?", "NUM": "#NUM!", "N_A": "#N/A", "LOADING": "Loading...",
}  # fmt: skip


def _value(value: Mapping[str, Any]) -> Cell:
    for name in ("stringValue", "numberValue", "boolValue"):
        if name in value:
            cell: Cell = value[name]
            return cell
    return _FAILED.get(value.get("errorValue", {}).get("type", ""), "")


def _trimmed(row: Sequence[Cell]) -> list[Cell]:
    cells = list(row)
    while cells and cells[-1] == "":
        cells.pop()
    return cells
