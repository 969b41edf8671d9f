"""A plan as requests: one for the whole of it, or several of which only the last one makes it visible.

Every request takes the marker of the revision away that it is on, and puts its own: of two that are on the same
revision only one can succeed. Along with its rows each keeps what was there (see `kept`): its own answer shows whether
it was the first on its revision, and whether it wrote where it meant to.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crm.model import Record
from crm.repository.sheets.google.spreadsheet import Service
from crm.repository.sheets.grid import formatting
from crm.repository.sheets.grid.cells import VALUE, Request, cells_request, number_of, row_request
from crm.repository.sheets.grid.layout import (
    BEFORE,
    HISTORY,
    HISTORY_COLUMNS,
    META,
    TABS,
    Cell,
    a1,
    heading,
    marker,
    runs,
)
from crm.repository.sheets.mirror import history_tab
from crm.repository.sheets.mirror.before_images import Block, Rows
from crm.repository.sheets.mirror.mirror import Place, Seen, State
from crm.repository.sheets.push.before_image_requests import block_of, ranges_of, wide_of
from crm.repository.sheets.push.plan import Appended, Plan, as_heading

# Google advises to send no more in one request.
LARGEST = 2_000_000
# What is left free of it for what every request holds.
_SPARE = 8_000
# How an answer is asked for: the cells of the ranges to see.
ANSWER = "updatedSpreadsheet(sheets(properties(sheetId),data(startRow,startColumn,rowData(values(effectiveValue)))))"


@dataclass
class Step:
    """One request of a commit: what it holds, what of the answer is wanted, what it keeps, and the state that it
    makes."""

    requests: list[Request]
    see: list[str]
    block: Block
    state: State


@dataclass
class Portion:
    """Rows to add that go into one request, with its size."""

    requests: list[Request] = field(default_factory=list)
    size: int = 0
    appends: dict[type[Record], list[Appended]] = field(default_factory=dict)
    history: list[list[Cell]] = field(default_factory=list)

    def add(self, kind: type[Record] | None, added: Appended, row: Request, weight: int) -> None:
        """One row more, of a tab of records or of the history."""
        sheet = HISTORY.sheet_id if kind is None else TABS[kind].sheet_id
        if not self.requests or self.requests[-1]["appendCells"]["sheetId"] != sheet:
            self.requests.append({"appendCells": {"sheetId": sheet, "rows": [], "fields": VALUE}})
            self.size += 80
        self.requests[-1]["appendCells"]["rows"].append(row)
        self.size += weight
        if kind is None:
            self.history.append(added[1])
        else:
            self.appends.setdefault(kind, []).append(added)


class Commit:
    """One transaction on its way into the spreadsheet: `after` holds what the state says afterwards beside the
    revision and the history that is added."""

    def __init__(self, plan: Plan, seen: Seen, uid: str, after: State) -> None:
        self.plan = plan
        self.seen = seen
        self.uid = uid
        self.after = after

    def steps(self) -> Iterator[Step]:
        """The requests to send, one after the other; only the last one makes anything visible."""
        state, plan = self.seen.state, self.plan
        updates, deletes, grown = list(self._updates()), list(self._deletes()), list(self._grid_grown())
        bare = replace(plan, appends={}, history=[])
        room = LARGEST - _SPARE - Service.size([*self._around(bare, state, state)[0], *updates, *grown, *deletes])
        portions = list(_portions(self._added(), LARGEST - _SPARE, plan.empties))
        if plan.repairs:
            # All at once: another request could come in between, and would be lost with it.
            portions = list(_portions(self._added(), None, plan.empties))
            room = sum(portion.size for portion in portions)
        at_last = portions.pop() if portions and portions[-1].size <= room else Portion()
        looks: list[Request] = []
        if portions:
            # The grid grows by them.
            grown, looks = [], list(self._continued())
        for number, portion in enumerate(portions, start=1):
            base, state = state, self._staged(state, number)
            # New columns must be there before rows are that use them.
            added = replace(plan, updates=[], deletes=[], appends=portion.appends, history=portion.history, cut=None)
            yield self._step(added, base, state, portion.requests)
            self.seen = Seen(self.seen.state, self._grown(plan))
            plan = replace(plan, headings={}, looks=[])
        final = replace(
            self.after,
            revision=max(state.revision, self.after.revision) + 1,
            uid=self.uid,
            history_rows=self.after.history_rows + len(plan.history),
        )
        plan = replace(plan, appends=at_last.appends, history=at_last.history)
        yield self._step(plan, state, final, [*updates, *grown, *at_last.requests, *looks, *deletes])

    def _staged(self, state: State, number: int) -> State:
        """The state after a step that makes nothing visible."""
        revision = max(state.revision, self.after.revision) + 1
        return replace(state, revision=revision, uid=f"{self.uid}.{number}", staging=self.uid)

    def _step(self, plan: Plan, base: State, state: State, requests: Sequence[Request]) -> Step:
        before, block = self._around(plan, base, state)
        see = [*ranges_of(block, plan, self.seen), *self._placed(state)]
        return Step([*before, *requests, _write_state(state)], see, block, state)

    def _around(self, plan: Plan, base: State, state: State) -> tuple[list[Request], Block]:
        """The requests before the rows themselves, and the before images they keep."""
        block, keeping = block_of(plan, self.seen, state, base)
        headings = [
            cells_request(TABS[kind].sheet_id, 0, at, [[name]])
            for kind, added in plan.headings.items()
            for at, name in added.items()
        ]
        return [*_move_marker(base, state), *self._columns(plan), *keeping, *headings, *plan.looks], block

    # What is written

    def _columns(self, plan: Plan) -> Iterator[Request]:
        """Room for columns that are new."""
        for kind in plan.headings:
            more = wide_of(plan, self.seen, kind) - self.seen.places[kind.kind_name].columns
            if more > 0:
                yield {"appendDimension": {"sheetId": TABS[kind].sheet_id, "dimension": "COLUMNS", "length": more}}
        if (lacking := len(HISTORY_COLUMNS) - self.seen.places[HISTORY.title].columns) > 0:
            # An older version has made it.
            yield {"appendDimension": {"sheetId": HISTORY.sheet_id, "dimension": "COLUMNS", "length": lacking}}
            yield cells_request(HISTORY.sheet_id, 0, 0, [list(HISTORY_COLUMNS)])

    def _updates(self) -> Iterator[Request]:
        if self.plan.empties:
            yield from self._emptied()
        blocks: list[tuple[int, int, int, list[list[Cell]]]] = []
        for update in sorted(self.plan.updates, key=lambda update: (TABS[update.kind].sheet_id, update.row)):
            sheet = TABS[update.kind].sheet_id
            for column, count in runs(list(update.cells)):
                values = [update.cells[at] for at in range(column, column + count)]
                blocks.append((sheet, update.row, column, [values]))
        yield from (cells_request(*block) for block in _joined(blocks))

    def _grid_grown(self) -> Iterator[Request]:
        """The rows that the grid has to grow by, formatted before anything is in them: what has become a row of a table
        cannot be formatted any more."""
        for kind, added in self.plan.appends.items():
            place = self.seen.places[kind.kind_name]
            more = place.used + len(added) - place.rows
            if more > 0 and place.rows > 1:
                yield {"appendDimension": {"sheetId": TABS[kind].sheet_id, "dimension": "ROWS", "length": more}}
        yield from self._continued()

    def _continued(self) -> Iterator[Request]:
        """Rows that the grid grows by look like the last one that it had, drop-downs included."""
        for kind, added in self.plan.appends.items():
            place = self.seen.places[kind.kind_name]
            end = place.used + len(added)
            if end > place.rows > 1:
                yield formatting.continued(TABS[kind].sheet_id, place.columns, place.rows, end)

    def _emptied(self) -> Iterator[Request]:
        for kind in self.plan.kinds:
            rows = [deletion.row for deletion in self.plan.deletes if deletion.kind is kind]
            for first, count in runs(rows):
                yield _clear(TABS[kind].sheet_id, first, first + count)
        if self.plan.cut:
            yield _clear(HISTORY.sheet_id, *self.plan.cut)

    def _deletes(self) -> Iterator[Request]:
        if self.plan.empties:
            return
        for kind in self.plan.kinds:
            rows = [deletion.row for deletion in self.plan.deletes if deletion.kind is kind]
            if rows and len(rows) >= self.seen.places[kind.kind_name].rows - 1:
                # A tab must keep one row beside its heading.
                yield {"appendDimension": {"sheetId": TABS[kind].sheet_id, "dimension": "ROWS", "length": 100}}
            # From the last row up, so that none moves before it is its turn.
            for first, count in sorted(runs(rows), reverse=True):
                span = {"startIndex": first, "endIndex": first + count}
                yield {"deleteDimension": {"range": {"sheetId": TABS[kind].sheet_id, "dimension": "ROWS", **span}}}
        if self.plan.cut:
            # A tab must keep one row beside its heading.
            yield {"appendDimension": {"sheetId": HISTORY.sheet_id, "dimension": "ROWS", "length": 1}}
            first, end = self.plan.cut
            span = {"startIndex": first, "endIndex": end}
            yield {"deleteDimension": {"range": {"sheetId": HISTORY.sheet_id, "dimension": "ROWS", **span}}}

    def _added(self) -> Iterator[tuple[type[Record] | None, Appended]]:
        for kind, rows in self.plan.appends.items():
            yield from ((kind, row) for row in rows)
        yield from ((None, (0, row, [])) for row in self.plan.history)

    # What the answer tells

    def _placed(self, state: State) -> Iterator[str]:
        """Ask for the places of the new rows at last."""
        for kind in self.plan.appends if state.uid == self.uid else ():
            place = self.seen.places[kind.kind_name]
            at = heading(kind, place.heading).positions["id"]
            # From a row that is there in any case; what is deleted along with it has moved them up.
            deleted = sum(deletion.kind is kind for deletion in self.plan.deletes)
            yield a1(place.title, (max(place.used - 1 - deleted, 0), None), (at, at))

    def placed(self, reply: Mapping[str, Any]) -> dict[type[Record], dict[int, int]]:
        """The places of the new rows, by their ids, as the answer to the last step has it."""
        data = _data(reply)
        rows_of: dict[type[Record], dict[int, int]] = {}
        for kind, rows in self.plan.appends.items():
            cells = rows_in(data.get(TABS[kind].sheet_id, []))
            at = {number_of(row[0]): place for place, row in cells.items() if row}
            rows_of[kind] = {record_id: at[record_id] for record_id, _, _ in rows if record_id in at}
        return rows_of

    def misses(self, placed: Mapping[type[Record], Mapping[int, int]]) -> bool:
        """Return whether a new row is not where it is looked for."""
        return any(len(placed[kind]) < len(rows) for kind, rows in self.plan.appends.items())

    def places(self, placed: Mapping[type[Record], Mapping[int, int]]) -> dict[str, Place]:
        """The tabs as they are after the commit."""
        places = self._grown(self.plan)
        if self.plan.history:
            places[HISTORY.title] = replace(places[HISTORY.title], heading=[history_tab.digest(self.plan.history[-1])])
        for kind in self.plan.kinds:
            old = places[kind.kind_name]
            deleted = 0 if self.plan.empties else sum(deletion.kind is kind for deletion in self.plan.deletes)
            used = max([old.used - deleted, *(row + 1 for row in placed.get(kind, {}).values())])
            places[kind.kind_name] = replace(old, used=used, rows=max(old.rows - deleted, used))
        return places

    def _grown(self, plan: Plan) -> dict[str, Place]:
        """The tabs with the columns that a plan adds."""
        places = dict(self.seen.places)
        history = places[HISTORY.title]
        places[HISTORY.title] = replace(history, columns=max(history.columns, len(HISTORY_COLUMNS)))
        for kind, added in plan.headings.items():
            old, wide = places[kind.kind_name], wide_of(plan, self.seen, kind)
            places[kind.kind_name] = replace(old, heading=list(as_heading(old, added)), columns=wide)
        return places


def kept_in(reply: Mapping[str, Any]) -> Rows:
    """The rows that a step has kept, as its answer shows them."""
    return rows_in(_data(reply).get(BEFORE.sheet_id, []))


def _data(reply: Mapping[str, Any]) -> dict[int, Sequence[Mapping[str, Any]]]:
    sheets = reply.get("updatedSpreadsheet", {}).get("sheets", [])
    return {sheet["properties"].get("sheetId", 0): sheet.get("data", []) for sheet in sheets}


def _move_marker(last: State, state: State) -> list[Request]:
    """Take the place of a revision; refused where it is not the current one any more."""
    return [{"deleteNamedRange": {"namedRangeId": marker(last.revision, last.uid)}}, add_marker(state)]


def add_marker(state: State) -> Request:
    """Put the marker of a revision."""
    name = marker(state.revision, state.uid)
    cell = {"sheetId": META.sheet_id, "startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 0, "endColumnIndex": 1}
    return {"addNamedRange": {"namedRange": {"namedRangeId": name, "name": name, "range": cell}}}


def _write_state(state: State) -> Request:
    return cells_request(META.sheet_id, 0, 0, state.rows())


def _clear(sheet: int, first: int, end: int) -> Request:
    """Empty some rows."""
    return {"updateCells": {"range": {"sheetId": sheet, "startRowIndex": first, "endRowIndex": end}, "fields": VALUE}}


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


def _portions(
    rows: Iterable[tuple[type[Record] | None, Appended]], room: int | None, keeps_all: bool
) -> Iterator[Portion]:
    """Rows to add, in portions that each fit into the room of one request, with the before image if it keeps all."""
    portion = Portion()
    for kind, added in rows:
        row = row_request(added[1])
        weight = Service.size([row]) + 1
        if keeps_all:
            weight += len(json.dumps(json.dumps(added[1])))
        if room is not None and portion.requests and portion.size + weight > room:
            yield portion
            portion = Portion()
        portion.add(kind, added, row, weight)
    if portion.requests:
        yield portion


def rows_in(data: Sequence[Mapping[str, Any]]) -> dict[int, list[Cell]]:
    """The cells of the ranges of an answer by row, from the column that the leftmost range begins with."""
    rows: dict[int, list[Cell]] = {}
    left = min((grid.get("startColumn", 0) for grid in data), default=0)
    for grid in data:
        first, column = grid.get("startRow", 0), grid.get("startColumn", 0) - left
        for offset, row in enumerate(grid.get("rowData", [])):
            cells = [_value(cell.get("effectiveValue", {})) for cell in row.get("values", [])]
            known = rows.setdefault(first + offset, [])
            known += [""] * (column + len(cells) - len(known))
            known[column : column + len(cells)] = cells
    return rows


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
