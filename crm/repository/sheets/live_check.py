"""The live check: what the store relies on, proved on the real service, on tabs that are added and removed again."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from crm.repository import Proof
from crm.repository.known import new_id
from crm.repository.sheets.google.spreadsheet import NoAnswer, Rejected, Service
from crm.repository.sheets.grid.cells import Request, cells_request
from crm.repository.sheets.grid.layout import META, Cell, a1
from crm.repository.sheets.mirror.mirror import PROBE, SERIALISES

_VALUE = "userEnteredValue"
# Drive is asked for so long (seconds) whether it has seen an edit.
PROBE_WAITS = 30.0
# It is punctual where it has seen one after so long.
PUNCTUAL = 5.0
# How often two writers race; fewer times while a spreadsheet is connected.
RACES, FEW_RACES = 10, 5
# Whatever a person may type and a client may be called.
_TYPED: tuple[Cell, ...] = (
    "=1+1", "+49 1", "-1", "@x", "'quoted", "0049", "1.0", "2026-01-01", "TRUE", "1e5", "x" * 20_000, "Zoë 🙂\nline",
    0.1, 12.34, 999_999_999_999.99, 46_000, True, False,
)  # fmt: skip


class _Failed(Exception):
    """A check that did not hold, with what was seen instead."""


def _must(held: bool, otherwise: str) -> None:
    if not held:
        raise _Failed(otherwise)


class LiveCheck:
    """One run of the proofs; `proofs` yields them one by one and leaves nothing behind."""

    def __init__(
        self,
        service: Service,
        sleep: Callable[[float], None] = time.sleep,
        races: int = RACES,
        probe_waits: float = PROBE_WAITS,
    ) -> None:
        self.service = service
        self._probe_waits = probe_waits
        self._probe_took: float | None = None
        self._races = races
        self._sleep = sleep
        self._uid = new_id()
        number = int(self._uid[:6], 16)
        self.sheet, self.kept = 800_000_000 + 2 * number, 800_000_001 + 2 * number
        self.title = f"crm check {self._uid[:4]}"
        self._markers: list[str] = []
        self._held: dict[str, bool | None] = {}

    def serialises(self, day: date) -> bool | None:
        """Return whether Google applies requests one after the other, None where it could not be found out; it is noted
        in the spreadsheet, and so is whether Drive tells of an edit at once."""
        for _ in self._tried([*self._serial, self.the_probe_sees_an_edit]):
            pass
        self.note(day)
        answer: bool | None = self.serial
        return answer

    def note(self, day: date) -> None:
        """Note what was found out in the spreadsheet, for everybody who writes to it."""
        if self.serial is not None:
            answer = [SERIALISES, "yes" if self.serial else "no", day.isoformat()]
            self.service.write([cells_request(META.sheet_id, 2, 0, [answer])])
        if "the_probe_sees_an_edit" in self._held:
            is_punctual = self._probe_took is not None and self._probe_took <= PUNCTUAL
            answer = [PROBE, "yes" if is_punctual else "no", day.isoformat()]
            self.service.write([cells_request(META.sheet_id, 3, 0, [answer])])

    def proofs(self) -> Iterator[Proof]:
        """Every proof, first the one that all others depend on."""
        yield from self._tried([*self._serial, *self._others])

    @property
    def serial(self) -> bool | None:
        """The answer of the races; None where one of these proofs is not known."""
        held = [self._held.get(prove.__name__) for prove in self._serial]
        if False in held:
            return False
        return None if None in held else True

    def _tried(self, proofs: Sequence[Callable[[], str]]) -> Iterator[Proof]:
        self.service.write([self._add_tab(self.sheet, self.title, 20), self._add_tab(self.kept, f"{self.title} b", 5)])
        try:
            for prove in proofs:
                proof = self._proof(prove)
                self._held[prove.__name__] = proof.held
                yield proof
        finally:
            self._remove()

    def _proof(self, prove: Callable[[], str]) -> Proof:
        title = (prove.__doc__ or "").strip().rstrip(".")
        try:
            return Proof(title, True, prove())
        except _Failed as error:
            return Proof(title, False, str(error))
        except Rejected as error:
            return Proof(title, False, f"Google refused it: {error.reason}")
        except NoAnswer:
            return Proof(title, None, "the connection broke; run the check again")

    def _remove(self) -> None:
        ranges = self.service.describe("namedRanges(namedRangeId,range(sheetId))").get("namedRanges", [])
        ours = [range_["namedRangeId"] for range_ in ranges if range_["namedRangeId"] in self._markers]
        requests: list[Request] = [{"deleteNamedRange": {"namedRangeId": name}} for name in ours]
        self.service.write([*requests, *({"deleteSheet": {"sheetId": id_}} for id_ in (self.sheet, self.kept))])

    @property
    def _serial(self) -> Sequence[Callable[[], str]]:
        return self.batches_are_whole, self.a_marker_is_taken_once, self.of_two_writers_one_wins

    @property
    def _others(self) -> Sequence[Callable[[], str]]:
        return (
            self.values_stay_typed,
            self.copies_stay_typed,
            self.answers_show_rows_before_writes,
            self.filtered_rows_are_rows,
            self.appending_finds_the_end,
            self.answers_cover_new_rows,
            self.writes_are_read_at_once,
            self.two_megabytes_are_taken,
            self.the_probe_sees_an_edit,
        )

    # The proofs

    def batches_are_whole(self) -> str:
        """A request that holds one invalid part applies nothing."""
        try:
            self.service.write([self._cells(0, [["must not stay"]]), {"deleteNamedRange": {"namedRangeId": "no_such"}}])
        except Rejected as error:
            _must(not self._rows(0, 1), "the valid part was applied anyway")
            return error.reason
        raise _Failed("Google took away a named range that is not there, without a word")

    def a_marker_is_taken_once(self) -> str:
        """A writer on an old revision is refused, and its write is not applied."""
        first, second, third = (self._marker() for _ in range(3))
        self.service.write([self._put(first)])
        self.service.write([self._take(first), self._put(second), self._cells(0, [["winner"]])])
        try:
            self.service.write([self._take(first), self._put(third), self._cells(1, [["loser"]])])
        except Rejected as error:
            _must(self._rows(0, 2) == [["winner"]], "the loser has left something")
            return error.reason
        raise _Failed("a commit on an old revision went through")

    def of_two_writers_one_wins(self) -> str:
        """Of two who write at the same moment, and add a row, exactly one goes through."""
        for _ in range(self._races):
            base = self._marker()
            empty = [{"updateCells": {"range": self._range(2, 4), "fields": _VALUE}}]
            empty.append({"updateCells": {"range": {"sheetId": self.kept}, "fields": _VALUE}})
            self.service.write([*empty, self._put(base)])
            won: list[int] = []
            lost: list[int] = []

            def write(number: int, base: str = base, won: list[int] = won, lost: list[int] = lost) -> None:
                row = cells_request(self.kept, 0, 0, [[number]])["updateCells"]["rows"]
                added = {"appendCells": {"sheetId": self.kept, "rows": row, "fields": _VALUE}}
                requests = [self._take(base), self._put(self._marker()), self._cells(number, [[number]]), added]
                try:
                    self.service.write(requests)
                    won.append(number)
                except (Rejected, NoAnswer):
                    lost.append(number)

            writers = [threading.Thread(target=write, args=(number,)) for number in (2, 3)]
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()
            _must(len(won) == 1 and len(lost) == 1, f"{len(won)} of two went through")
            changed = [{"sheetId": self.sheet, "startRowIndex": 2, "endRowIndex": 4}, {"sheetId": self.kept}]
            rows, added = (values.rows for values in self.service.values(changed))
            winners = [number for number, row in zip((2, 3), [*rows, [], []], strict=False) if row and row[0] == number]
            _must(winners == won and added == [won], "what is there is not what was answered")
        return f"{self._races} races"

    def values_stay_typed(self) -> str:
        """Text, numbers and truths come back as they were written; nothing becomes a formula, a date or a number."""
        self.service.write([self._cells(4, [list(_TYPED)])])
        self._same(self._rows(4, 5)[0], _TYPED)
        return f"{len(_TYPED)} values"

    def copies_stay_typed(self) -> str:
        """A copied row holds the same."""
        self.service.write([self._copy(4, 0)])
        self._same(self._kept(0, 1)[0], _TYPED)
        return f"{len(_TYPED)} values"

    def answers_show_rows_before_writes(self) -> str:
        """Once somebody has sorted, an answer shows which row was really there before it was written to."""
        self.service.write([self._cells(6, [[1, "one"], [2, "two"], [3, "three"]])])
        order = {"dimensionIndex": 0, "sortOrder": "DESCENDING"}
        self.service.write([{"sortRange": {"range": self._range(6, 9), "sortSpecs": [order]}}])
        reply = self.service.write(
            [self._copy(6, 1), self._cells(6, [["written"]], column=1)],
            see=[a1(f"{self.title} b", (1, 1), (0, 1))],
            fields="updatedSpreadsheet(sheets(properties(sheetId),data(rowData(values(effectiveValue)))))",
        )
        cells = _cells_in(reply, self.kept)
        _must(cells == [[3, "three"]], f"it showed {cells}")
        return "row 7 held 3, not 1"

    def filtered_rows_are_rows(self) -> str:
        """Rows that a filter hides are copied and written like others."""
        hidden = {"filterSpecs": [{"columnIndex": 0, "filterCriteria": {"hiddenValues": ["2"]}}]}
        everything = {"sheetId": self.sheet, "startRowIndex": 5, "endRowIndex": 9}
        self.service.write([{"setBasicFilter": {"filter": {"range": everything, **hidden}}}])
        try:
            self.service.write([self._copy(7, 2), self._cells(7, [["hidden"]], column=2)])
            _must(self._kept(2, 3)[0][:2] == [2, "two"], f"the copy holds {self._kept(2, 3)}")
            _must(self._rows(7, 8)[0][2] == "hidden", "the hidden row was not written")
            self.service.write([self._append([["at the end"]])])
            rows = [row for row in self._rows(8, 20) if row and row[0] == "at the end"]
            _must(bool(rows), "what was added while a filter was on is not there")
        finally:
            self.service.write([{"clearBasicFilter": {"sheetId": self.sheet}}])
        return "copied, written, added below"

    def appending_finds_the_end(self) -> str:
        """New rows go below the last one, and the tab grows for them."""
        self.service.write([self._append([[f"new {number}"] for number in range(30)])])
        rows = [row[0] for row in self._rows(0, None) if row and str(row[0]).startswith("new ")]
        _must(rows == [f"new {number}" for number in range(30)], f"there are {rows}")
        return "30 rows, 20 of them beyond the old end"

    def answers_cover_new_rows(self) -> str:
        """An answer shows rows that the request itself has made room for."""
        grid = {"sheetId": self.kept, "gridProperties": {"rowCount": 40, "columnCount": 40}}
        fields = "gridProperties.rowCount,gridProperties.columnCount"
        reply = self.service.write(
            [
                {"updateSheetProperties": {"properties": grid, "fields": fields}},
                cells_request(self.kept, 35, 30, [["far away"]]),
            ],
            see=[a1(f"{self.title} b", (35, 35), (30, 30))],
            fields="updatedSpreadsheet(sheets(properties(sheetId),data(rowData(values(effectiveValue)))))",
        )
        _must(_cells_in(reply, self.kept) == [["far away"]], f"it showed {_cells_in(reply, self.kept)}")
        return "row 36 of a tab that had 5"

    def writes_are_read_at_once(self) -> str:
        """A write is in the very next answer: a commit is found by its id."""
        for number in range(5):
            uid = new_id()
            self.service.write([self._cells(9, [[uid]])])
            _must(self._rows(9, 10)[0][0] == uid, f"at try {number + 1} an older value came")
        return "5 times"

    def two_megabytes_are_taken(self) -> str:
        """A request of two megabytes is taken."""
        began = time.monotonic()
        self.service.write([self._append([["y" * 20_000] for _ in range(95)])])
        return f"in {time.monotonic() - began:.1f} s"

    def the_probe_sees_an_edit(self) -> str:
        """Drive's version moves with an edit."""
        before = self.service.standing().version
        self.service.write([self._cells(0, [["edited"]])])
        began = time.monotonic()
        while self.service.standing().version == before:
            waited = time.monotonic() - began
            _must(waited < self._probe_waits, f"not within {self._probe_waits:.0f} s")
            self._sleep(0.5)
        self._probe_took = time.monotonic() - began
        return f"after {self._probe_took:.1f} s"

    # Requests

    def _add_tab(self, sheet: int, title: str, rows: int) -> Request:
        grid = {"rowCount": rows, "columnCount": 26}
        return {"addSheet": {"properties": {"sheetId": sheet, "title": title, "gridProperties": grid, "hidden": True}}}

    def _marker(self) -> str:
        self._markers.append(f"check_{new_id()}")
        return self._markers[-1]

    def _put(self, name: str) -> Request:
        cell = {"sheetId": self.sheet, "startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 0, "endColumnIndex": 1}
        return {"addNamedRange": {"namedRange": {"namedRangeId": name, "name": name, "range": cell}}}

    def _take(self, name: str) -> Request:
        return {"deleteNamedRange": {"namedRangeId": name}}

    def _cells(self, row: int, rows: Sequence[Sequence[Cell]], column: int = 0) -> Request:
        return cells_request(self.sheet, row, column, rows)

    def _append(self, rows: Sequence[Sequence[Cell]]) -> Request:
        written = self._cells(0, rows)["updateCells"]["rows"]
        return {"appendCells": {"sheetId": self.sheet, "rows": written, "fields": _VALUE}}

    def _copy(self, row: int, to: int) -> Request:
        wide = {"startColumnIndex": 0, "endColumnIndex": 26}
        source = {"sheetId": self.sheet, "startRowIndex": row, "endRowIndex": row + 1, **wide}
        destination = {"sheetId": self.kept, "startRowIndex": to, "endRowIndex": to + 1, **wide}
        return {"copyPaste": {"source": source, "destination": destination, "pasteType": "PASTE_VALUES"}}

    def _range(self, first: int, end: int) -> Mapping[str, int]:
        return {"sheetId": self.sheet, "startRowIndex": first, "endRowIndex": end}

    def _rows(self, first: int, end: int | None) -> list[list[Any]]:
        bounds = {} if end is None else {"endRowIndex": end}
        (values,) = self.service.values([{"sheetId": self.sheet, "startRowIndex": first, **bounds}])
        return list(values.rows)

    def _kept(self, first: int, end: int) -> list[list[Any]]:
        (values,) = self.service.values([{"sheetId": self.kept, "startRowIndex": first, "endRowIndex": end}])
        return list(values.rows)

    @staticmethod
    def _same(actual: Sequence[Cell], expected: Sequence[Cell]) -> None:
        for cell, value in zip([*actual, *[""] * len(expected)], expected, strict=False):
            alike = cell == value and isinstance(cell, bool) == isinstance(value, bool)
            _must(alike, f"{str(value)[:40]!r} came back as {str(cell)[:40]!r}")


def _cells_in(reply: Mapping[str, Any], sheet: int) -> list[list[Any]]:
    """The cells of a tab in an answer."""
    rows = []
    for tab in reply.get("updatedSpreadsheet", {}).get("sheets", []):
        if tab["properties"].get("sheetId", 0) == sheet:
            for grid in tab.get("data", []):
                for row in grid.get("rowData", []):
                    cells = [cell.get("effectiveValue", {}) for cell in row.get("values", [])]
                    rows.append([next(iter(cell.values()), "") for cell in cells])
    return rows
