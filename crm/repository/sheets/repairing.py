"""Tabs, headings and the hidden tabs put back as they were, from what this machine's mirror knows of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, func, select

from crm.model import BY_NAME, RECORDS, Client, NumberSeries, Record, StatusRule
from crm.model.rights import SEALED
from crm.repository import ROSTER, tables
from crm.repository.known import new_id
from crm.repository.sheets.google.spreadsheet import Interrupted, NoAnswer, Service, Values
from crm.repository.sheets.grid import formatting
from crm.repository.sheets.grid.cells import Request, cell_in, cells_request, number_of, row_request, stamped
from crm.repository.sheets.grid.layout import (
    ALL_TABS,
    BEFORE,
    HISTORY,
    HISTORY_COLUMNS,
    META,
    TABS,
    Cell,
    Heading,
    Tab,
    columns,
    heading,
    is_marker,
    letters,
    marker,
    new_heading,
    trimmed,
)
from crm.repository.sheets.mirror import history_tab, mirror
from crm.repository.sheets.mirror.loading import records
from crm.repository.sheets.mirror.mirror import (
    META_RANGE,
    Seen,
    State,
    unfinished,
    unfinished_rows,
    without_unfinished,
)
from crm.repository.sheets.missed_commits import Missed, missed_commits
from crm.repository.sheets.pull.reading import is_serialised
from crm.repository.sheets.push.requests import LARGEST, add_marker
from crm.repository.sheets.setup import add_tab, free_title

_ASKED = "sheets(properties(sheetId,title,gridProperties(rowCount,columnCount))),namedRanges(namedRangeId)"
# What leaves room in a request for the parts that every one of them has.
_SPARE = 100_000
# A rebuilt state is so far ahead that no machine has seen a later one.
_AHEAD = 1000
_TEXT = 30


@dataclass
class Repair:
    """The repair of one tab: in words, and as requests: what comes `first`, the rows below the heading where all
    of them are written, and what comes `last`, when the tab can be read again."""

    tab: Tab
    words: str
    first: list[Request] = field(default_factory=list)
    rows: Sequence[Sequence[Cell]] = ()
    last: list[Request] = field(default_factory=list)
    # Whether all that was in the tab comes from this machine.
    recreates: bool = False
    # Whether what is there is enough for it.
    by_itself: bool = False


class Damage:
    """The damage by hand to the tabs of a spreadsheet, so that it cannot be read, as it is just now."""

    def __init__(self, service: Service, connection: Connection, seen: Seen) -> None:
        self._service = service
        self._connection = connection
        self._seen = seen
        # Whether `repair` may have changed anything.
        self.may_be_written = False
        described = service.describe(_ASKED)
        self._properties = {
            sheet["properties"].get("sheetId", 0): sheet["properties"] for sheet in described.get("sheets", [])
        }
        names = [range_["namedRangeId"] for range_ in described.get("namedRanges", [])]
        self._markers = [name for name in names if is_marker(name)]
        self._titles = {str(properties["title"]) for properties in self._properties.values()}
        self._values = self._read()
        self.repairs = list(self._found())

    def _exists(self, tab: Tab) -> bool:
        return tab.sheet_id in self._properties

    def _read(self) -> dict[Tab, Values]:
        """All of our tabs that there are, of the technical one its state."""
        existing = [tab for tab in ALL_TABS if self._exists(tab)]
        if not existing:
            return {}
        ranges = [META_RANGE if tab is META else tab.rows() for tab in existing]
        return dict(zip(existing, self._service.values(ranges), strict=True))

    # What is wrong

    def _found(self) -> Iterator[Repair]:
        for kind, tab in TABS.items():
            if not self._exists(tab):
                yield self._made(kind)
                continue
            rows = self._values[tab].rows
            if tab.sheet_id in self._unfinished:
                yield self._written_again(kind, self._values[tab].title, not self._are_known(kind, rows))
                continue
            if not {"id", "version"} <= heading(kind, rows[0] if rows else []).positions.keys():
                yield self._with_heading(kind, rows)
            elif again := [at for at, row in enumerate(rows) if at and trimmed(row) == trimmed(rows[0])]:
                yield self._without_rows(kind, again)
        if not self._exists(HISTORY) or HISTORY.sheet_id in self._unfinished or self._is_history_cleared:
            yield self._new_history()
        if not self._exists(BEFORE):
            yield Repair(BEFORE, f"The hidden tab “{BEFORE.title}” is added again.", [add_tab(BEFORE, self._titles)])
        if not self._exists(META):
            words = f"The hidden tab “{META.title}” is added again, with the numbers that were given out."
            yield Repair(META, words, [add_tab(META, self._titles)])

    @property
    def is_behind(self) -> bool:
        """Return whether others have saved since this machine has read the spreadsheet, and what is not known here."""
        state = self._stored_state
        return state is not None and not state.is_at(self._seen.state) and not self._missed.is_all

    @cached_property
    def _missed(self) -> Missed:
        """The commits of others since this machine has read the spreadsheet."""
        has_history = (
            self._exists(HISTORY) and HISTORY.sheet_id not in self._unfinished and not self._is_history_cleared
        )
        history = self._values[HISTORY].rows if has_history else []
        return missed_commits(self._connection, self._seen, self._stored_state, self._values.get(BEFORE), history)

    @property
    def _stored_state(self) -> State | None:
        """The state in the technical tab; where a repair broke off, the one that it found."""
        if META not in self._values:
            return None
        rows = self._values[META].rows
        return State.read(without_unfinished(rows))

    @cached_property
    def _unfinished(self) -> frozenset[int]:
        """The tabs that a repair which broke off was filling."""
        return unfinished(self._values[META].rows) if META in self._values else frozenset()

    @property
    def _is_history_cleared(self) -> bool:
        return bool(self._seen.state.history_rows) and not history_tab.has_content(self._values[HISTORY].rows)

    def _are_known(self, kind: type[Record], rows: Sequence[Sequence[Cell]]) -> bool:
        """Return whether nothing is in a tab but what it is filled with."""
        known = {tuple(trimmed(row)) for row in [self._known(kind).written, *self._rows(kind)]}
        return known.issuperset(tuple(trimmed(row)) for row in rows if any(cell != "" for cell in row))

    # A tab that is gone

    def _made(self, kind: type[Record]) -> Repair:
        tab, rows = TABS[kind], self._rows(kind)
        place = self._seen.places[kind.kind_name]
        title = free_title(place.title, self._titles)
        self._titles.add(title)
        made = add_tab(tab, self._titles, title)
        grid = made["addSheet"]["properties"]["gridProperties"]
        grid["rowCount"] = max(grid["rowCount"], len(rows) + 1)
        head = self._known(kind)
        grid["columnCount"] = max(grid["columnCount"], len(head.written))
        named = "" if title == place.title else f" as “{title}”"
        words = f"The tab “{place.title}” is added again{named}, with {_counted(len(rows), kind)}."
        looks = [*formatting.guards(head), *formatting.colours(head, self._statuses)]
        return Repair(tab, words, [made], rows, [*self._headed(kind, head), *looks], recreates=True)

    def _rows(self, kind: type[Record]) -> list[list[Cell]]:
        """The rows of a tab as they were last seen; accounts are restored by the look that follows."""
        if kind in SEALED:
            return []
        head = self._known(kind)
        rows = []
        missed = self._missed.rows.get(kind, {})
        known = mirror.rows_of(self._connection, kind)
        placed = sorted(known, key=lambda record_id: known[record_id][0])
        for record_id in (*placed, *sorted(missed.keys() - known.keys())):
            cells = missed[record_id] if record_id in missed else known[record_id][1]
            if cells:
                row: list[Cell] = [""] * len(head.written)
                for name, cell in zip(columns(kind), cells, strict=False):
                    if name in head.positions:
                        row[head.positions[name]] = cell
                if kind is Client:
                    for name, at in head.own.items():
                        row[at] = cells[-1].get(name, "")
                rows.append(row)
        return rows

    def _known(self, kind: type[Record]) -> Heading:
        """The heading of a tab as it was when it could last be read, or when somebody has saved since."""
        known = heading(kind, self._missed.headings.get(kind) or trimmed(self._seen.places[kind.kind_name].heading))
        return known if {"id", "version"} <= known.positions.keys() else heading(kind, new_heading(kind))

    def _headed(self, kind: type[Record], head: Heading) -> Iterator[Request]:
        yield cells_request(TABS[kind].sheet_id, 0, 0, [head.written])
        yield from formatting.dressed(head)
        yield from formatting.drop_downs(head, self._statuses)

    @cached_property
    def _statuses(self) -> Sequence[str]:
        rules = [rule for rule in records(self._connection, StatusRule).values() if isinstance(rule, StatusRule)]
        return [rule.status for rule in rules if rule.active]

    def _new_history(self) -> Repair:
        missed = self._missed.history or []
        rows = [*history_tab.rows_of(self._connection, 1), *map(list, missed)]
        count = self._connection.execute(select(func.count()).select_from(tables.transactions)).scalar() or 0
        count += len(history_tab.read(missed).transactions)
        changes = f"{count} {'change' if count == 1 else 'changes'}"
        head = cells_request(HISTORY.sheet_id, 0, 0, [list(HISTORY_COLUMNS)])
        if self._exists(HISTORY):
            words = f"The hidden tab “{HISTORY.title}” is filled again, with {changes}."
            emptied = self._emptied(HISTORY, len(rows), len(HISTORY_COLUMNS))
            return Repair(HISTORY, words, emptied, rows, [head], recreates=True)
        made = add_tab(HISTORY, self._titles)
        grid = made["addSheet"]["properties"]["gridProperties"]
        grid["rowCount"] = max(grid["rowCount"], len(rows) + 1)
        words = f"The hidden tab “{HISTORY.title}” is added again, with {changes}."
        return Repair(HISTORY, words, [made], rows, [head], recreates=True)

    def _emptied(self, tab: Tab, rows: int, wide: int) -> list[Request]:
        """Empty a tab and make it large enough for so many rows."""
        grid = self._properties[tab.sheet_id]["gridProperties"]
        size = {"rowCount": max(grid["rowCount"], rows + 2), "columnCount": max(grid["columnCount"], wide)}
        properties = {"sheetId": tab.sheet_id, "gridProperties": size}
        names = "gridProperties.rowCount,gridProperties.columnCount"
        return [
            {"updateCells": {"range": {"sheetId": tab.sheet_id}, "fields": "userEnteredValue"}},
            {"updateSheetProperties": {"properties": properties, "fields": names}},
        ]

    # A tab that has lost its heading

    def _with_heading(self, kind: type[Record], rows: Sequence[Sequence[Cell]]) -> Repair:
        known, title = self._known(kind), self._values[TABS[kind]].title
        for at, row in enumerate(rows):
            if at and {"id", "version"} <= heading(kind, row).positions.keys():
                return self._moved(kind, title, rows, at)
        first, below = list(rows[0]) if rows else [], rows[1:]
        if self._is_heading(known, first):
            return self._renamed(kind, title, first, below)
        for at, row in enumerate(rows):
            if at and self._is_heading(known, row):
                return self._moved(kind, title, rows, at)
        if _has_stamps(rows, known.positions["version"]):
            words = f"The header row of “{title}” is put back above its rows."
            if (above := trimmed(first)) and not _may_be_record(known, first):
                wide = max(len(first), len(known.written))
                emptied = [*self._widened(kind, wide), cells_request(TABS[kind].sheet_id, 0, 0, [[""] * wide])]
                words += f" What is there is deleted: {_row_words(0, above)}."
                return Repair(TABS[kind], words, last=[*emptied, *self._headed(kind, known)])
            if not self._is_serialised:
                return Repair(TABS[kind], words, last=[*self._moved_down(kind, rows), *self._headed(kind, known)])
            span = {"sheetId": TABS[kind].sheet_id, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}
            insert = {"insertDimension": {"range": span, "inheritFromBefore": False}}
            return Repair(TABS[kind], words, last=[insert, *self._headed(kind, known)])
        return self._written_again(kind, title, any(cell != "" for row in rows for cell in row))

    @property
    def _is_serialised(self) -> bool:
        """Return whether no other machine can do the same at the same moment."""
        return META in self._values and is_serialised(self._values[META].rows)

    def _moved_down(self, kind: type[Record], rows: Sequence[Sequence[Cell]]) -> Iterator[Request]:
        """The first row, below all others: a row that is inserted would be there twice if another machine did the same
        at the same moment."""
        sheet, wide = TABS[kind].sheet_id, len(rows[0])
        if len(rows) >= self._properties[sheet]["gridProperties"]["rowCount"]:
            yield {"appendDimension": {"sheetId": sheet, "dimension": "ROWS", "length": 1}}
        yield cells_request(sheet, len(rows), 0, [rows[0]])
        yield cells_request(sheet, 0, 0, [[""] * wide])

    def _moved(self, kind: type[Record], title: str, rows: Sequence[Sequence[Cell]], at: int) -> Repair:
        """The heading that is in a row below; rows above it stay where they can be records. Each row is written where
        it is, so that it does no harm if another machine does the same at the same moment."""
        sheet = TABS[kind].sheet_id
        added = self._added_to_heading(kind, rows[at], [row for place, row in enumerate(rows) if place != at])
        head = heading(kind, _with_texts(rows[at], added))
        removed = [above for above in range(at) if not _may_be_record(head, rows[above])]
        wide = max(len(head.written), *map(len, rows[: at + 1]))
        # A record in the first row changes places with the heading.
        below: Sequence[Cell] = rows[0] if 0 not in removed else []
        empty = [above for above in removed if above] + ([at] if 0 in removed else [])
        moved = list(self._widened(kind, wide))
        moved += [cells_request(sheet, at, 0, [[*below, *[""] * (wide - len(below))]])]
        moved += [cells_request(sheet, above, 0, [[""] * wide]) for above in empty if above != at]
        plain = {"sheetId": sheet, "startRowIndex": at, "endRowIndex": at + 1}
        looks = "userEnteredFormat(textFormat.bold,backgroundColorStyle)"
        moved.append({"repeatCell": {"range": plain, "cell": {}, "fields": looks}})
        moved += self._headed(kind, head)
        if self._is_serialised:
            # Nobody else can do the same at the same moment.
            for above in sorted(empty, reverse=True):
                bounds = {"sheetId": sheet, "dimension": "ROWS", "startIndex": above, "endIndex": above + 1}
                moved.append({"deleteDimension": {"range": bounds}})
        words = f"The header row of “{title}” is moved up from row {at + 1}."
        if added:
            words += f" It gets back {_headings(rows[at], added)}."
        if named := [_row_words(above, rows[above]) for above in removed if trimmed(rows[above])]:
            words += f" What is above it is deleted: {', '.join(named)}."
        return Repair(TABS[kind], words, last=moved, by_itself=not added)

    @staticmethod
    def _is_heading(known: Heading, row: Sequence[Cell]) -> bool:
        """Return whether a row is the heading of a tab, some cells of which were changed."""
        names = [str(cell).casefold() for cell in known.written if cell != ""]
        return 2 * len({str(cell).casefold() for cell in row}.intersection(names)) >= len(names)

    def _without_rows(self, kind: type[Record], places: Sequence[int]) -> Repair:
        """The heading that is there once more: rows had moved while a repair put it in its place."""
        sheet, title = TABS[kind].sheet_id, self._values[TABS[kind]].title
        wide = len(self._values[TABS[kind]].rows[0])
        removed: list[Request] = [cells_request(sheet, at, 0, [[""] * wide]) for at in places]
        if self._is_serialised:
            bounds = [{"startIndex": at, "endIndex": at + 1} for at in reversed(places)]
            removed = [
                {"deleteDimension": {"range": {"sheetId": sheet, "dimension": "ROWS", **span}}} for span in bounds
            ]
        named = ", ".join(str(at + 1) for at in places)
        return Repair(TABS[kind], f"A second header row of “{title}” is deleted, row {named}.", last=removed)

    def _renamed(
        self, kind: type[Record], title: str, first: Sequence[Cell], below: Sequence[Sequence[Cell]]
    ) -> Repair:
        added = self._added_to_heading(kind, first, below)
        requests = list(self._widened(kind, max(added, default=0) + 1))
        requests += [cells_request(TABS[kind].sheet_id, 0, at, [[text]]) for at, text in added.items()]
        return Repair(TABS[kind], f"The heading of “{title}” gets back {_headings(first, added)}.", last=requests)

    def _added_to_heading(
        self, kind: type[Record], row: Sequence[Cell], others: Sequence[Sequence[Cell]]
    ) -> dict[int, Cell]:
        """The headings that a damaged heading lacks, by column."""
        known, now = self._known(kind), heading(kind, row)
        width = max([len(row), *map(len, others)], default=0)
        added: dict[int, Cell] = {}
        for name in ("id", "version"):
            if name not in now.positions:
                at = self._column(known, now, name, others, width + len(added))
                added[at] = known.written[known.positions[name]]
        return added

    def _widened(self, kind: type[Record], columns: int) -> Iterator[Request]:
        """Room for so many columns."""
        sheet = TABS[kind].sheet_id
        room = columns - self._properties[sheet]["gridProperties"]["columnCount"]
        if room > 0:
            yield {"appendDimension": {"sheetId": sheet, "dimension": "COLUMNS", "length": room}}

    @staticmethod
    def _column(known: Heading, now: Heading, name: str, below: Sequence[Sequence[Cell]], new: int) -> int:
        """The column that was the ID or the version: where it was, or where such cells stand; else a new one."""
        ours = set(now.positions.values())
        before: int = known.positions[name]
        neighbours = [at for at in (before - 1, before + 1) if 0 <= at < len(known.written)]
        is_in_place = all(cell_in(now.written, at) == known.written[at] for at in neighbours)
        stamps = [next((stamp for cell in row if (stamp := stamped(cell))), None) for row in below]
        places: list[int] = [before, *range(new)]
        for at in places:
            cells = [cell_in(row, at) for row in below]
            if name == "version":
                fits = [stamped(cell) is not None for cell in cells if cell != ""]
            else:
                marked = zip(cells, stamps, strict=True)
                fits = [number_of(cell) == stamp[0] for cell, stamp in marked if cell != "" and stamp]
            if at not in ours and fits and 2 * sum(fits) > len(fits):
                return at
        return before if is_in_place and before not in ours else new

    def _written_again(self, kind: type[Record], title: str, has_content: bool) -> Repair:
        sheet, rows = TABS[kind].sheet_id, self._rows(kind)
        first: list[Request] = []
        words = f"The tab “{title}” is filled again, with {_counted(len(rows), kind)}."
        if has_content and kind not in SEALED:
            kept = free_title(f"{title} (before the repair)", self._titles)
            self._titles.add(kept)
            last = len(self._properties)
            first.append({"duplicateSheet": {"sourceSheetId": sheet, "newSheetName": kept, "insertSheetIndex": last}})
            words += f" What is in it now is kept in a new tab, “{kept}”."
        first += self._emptied(TABS[kind], len(rows), len(self._known(kind).written))
        return Repair(TABS[kind], words, first, rows, list(self._headed(kind, self._known(kind))), recreates=True)

    # The state

    @property
    def words(self) -> list[str]:
        """The repairs, in sentences."""
        written = f"The hidden tab “{META.title}” is written again, with the numbers that were given out."
        return [repair.words for repair in self.repairs] or [written]

    @property
    def unknown(self) -> dict[type[Record], list[int]]:
        """The records of others that are not known here and whose tabs are filled again: their ids."""
        return {kind: ids for kind, ids in self._missed.lost.items() if self._is_filled(kind)}

    @property
    def warnings(self) -> list[str]:
        """The reasons to repair it on another computer, in sentences."""
        words: list[str] = []
        if self.is_behind and any(repair.recreates for repair in self.repairs):
            lost = [_counted(len(ids), kind) for kind, ids in self.unknown.items()]
            are = "is" if sum(map(len, self.unknown.values())) == 1 else "are"
            what = f"{_listed(lost)} of theirs {are}" if lost else "what they changed in these tabs is"
            words.append(
                f"Others have saved since this computer last read the spreadsheet: {what} not known here. Where another"
                " computer has read it since, repair it there."
            )
        if self._is_all_gone:
            words.append(
                "Nothing in the spreadsheet says whether others have saved since this computer last read it. Where"
                " another computer has read it since, repair it there. Otherwise the numbers of new records go on"
                f" {_AHEAD} higher."
            )
            series = select(tables.TABLES[NumberSeries].c.id).where(tables.TABLES[NumberSeries].c.last > 0)
            if self._connection.execute(series.limit(1)).first():
                words.append(
                    "Invoices go on with the next number that is known here: first start the program on each computer"
                    " that has issued some."
                )
        return words

    def _is_filled(self, kind: type[Record]) -> bool:
        return any(repair.recreates and repair.tab is TABS[kind] for repair in self.repairs)

    @property
    def _is_all_gone(self) -> bool:
        """Return whether nothing is there that would say what others have saved."""
        return META not in self._values and not self._missed.is_known

    @property
    def is_repaired_by_itself(self) -> bool:
        """Return whether a machine can repair it that has never read the spreadsheet."""
        return all(repair.by_itself for repair in self.repairs)

    @property
    def needs_full_read(self) -> bool:
        """Return whether the spreadsheet, once repaired, holds more than this machine can follow."""
        return self.is_behind and any(repair.tab is HISTORY for repair in self.repairs)

    def repair(self) -> None:
        """Do it. Raises Rejected where somebody was first, NoAnswer where it is not known whether it arrived."""
        state = self._new_state()
        markers = self._markers
        last = [request for repair in self.repairs for request in repair.last]
        portions = self._portions([*last, *self._marked(markers, state.rows(), state)])
        if len(portions) > 1:
            # Until the last request nobody can read the spreadsheet, and another repair would fill these tabs again.
            begun = replace(self._stored_state or self._seen.state, last=state.last, roster=state.roster)
            filled = [repair.tab.sheet_id for repair in self.repairs if repair.recreates]
            own = replace(begun, uid=new_id())
            portions[0] += self._marked(markers, unfinished_rows(begun, filled), own)
            markers = [marker(own.revision, own.uid)]
        portions[-1] += [*last, *self._marked(markers, state.rows(), state)]
        for portion in portions:
            try:
                self._service.write(portion)
            except (NoAnswer, Interrupted):
                self.may_be_written = True
                raise
            self.may_be_written = True

    @staticmethod
    def _marked(markers: Sequence[str], rows: Sequence[Sequence[Cell]], state: State) -> list[Request]:
        """Write the technical tab, and a marker in the place of those there are: of two who do so one is refused."""
        return [
            *({"deleteNamedRange": {"namedRangeId": name}} for name in markers),
            {"updateCells": {"range": META.rows(0, 2), "fields": "userEnteredValue"}},
            cells_request(META.sheet_id, 0, 0, rows),
            add_marker(state),
        ]

    def _portions(self, last: Sequence[Request]) -> list[list[Request]]:
        """The requests before the `last` ones, in portions that can be sent, the last portion together with those."""
        portions = [[request for repair in self.repairs for request in repair.first]]
        for request in self._row_requests():
            if portions[-1] and Service.size([*portions[-1], request]) > LARGEST - _SPARE:
                portions.append([])
            portions[-1].append(request)
        if portions[-1] and Service.size([*portions[-1], *last]) > LARGEST:
            portions.append([])
        return portions

    def _row_requests(self) -> Iterator[Request]:
        """All rows that are written, in portions of an eighth of a request."""
        for repair in self.repairs:
            start, size, portion = 1, 0, list[Sequence[Cell]]()
            for row in repair.rows:
                weight = Service.size([row_request(row)])
                if portion and size + weight > LARGEST // 8:
                    yield cells_request(repair.tab.sheet_id, start, 0, portion)
                    start, size, portion = start + len(portion), 0, []
                portion.append(row)
                size += weight
            if portion:
                yield cells_request(repair.tab.sheet_id, start, 0, portion)

    def _new_state(self) -> State:
        """The state once all is restored: the one that is there, unless it cannot be what was written."""
        before, rows = self._stored_state, self._seen.state.history_rows
        history = next((len(repair.rows) for repair in self.repairs if repair.tab is HISTORY), None)
        seen = self._seen.state
        if before is not None and self.repairs and not self._unfinished and not before.is_older_copy(seen):
            rows = before.history_rows if history is None else history
            return replace(before, revision=before.revision + 1, uid=new_id(), history_rows=rows)
        if before is not None:
            rows = before.history_rows
        elif HISTORY in self._values:
            rows = max(len(self._values[HISTORY].rows) - 1, 0)
        written = self._values[META].rows if META in self._values else []
        facts = dict(zip(map(str, written[0]), written[1], strict=False)) if len(written) > 1 else {}
        return State(
            revision=max(seen.revision, rows, before.revision if before else 0) + _AHEAD,
            uid=new_id(),
            # The next writer clears what was broken off.
            staging=before.staging if before else "",
            history_rows=rows if history is None else history,
            last=self._numbers(),
            # Where accounts were changed since, it is theirs.
            roster=str(facts.get(ROSTER) or seen.roster),
            home=before.home if before is not None else seen.home,
        )

    def _numbers(self) -> Mapping[str, int]:
        """The highest numbers given out, by table: those that this machine knows of and those that are there."""
        last = dict(self._seen.state.last)
        stated = self._stored_state.last if self._stored_state is not None else {}
        for numbers in (stated, self._missed.numbers, mirror.numbers(self._connection)):
            last |= {name: max(last.get(name, 0), number) for name, number in numbers.items()}
        # The numbers of what is not finished are not given out yet.
        staged = self._stored_state if self._stored_state and self._stored_state.staging else None
        for kind in RECORDS if staged is None else ():
            rows = self._values[TABS[kind]].rows if TABS[kind] in self._values else []
            head = heading(kind, rows[0] if rows else [])
            at = head.positions.get("version")
            stamps = [stamped(cell_in(row, at)) for row in rows[1:]] if at is not None else []
            name = tables.TABLES[kind].name
            last[name] = max([last.get(name, 0), *(stamp[0] for stamp in stamps if stamp)])
        if HISTORY in self._values:
            end = None if staged is None else staged.history_rows + 1
            entries = history_tab.read(self._values[HISTORY].rows[1:end])
            name = tables.transactions.name
            last[name] = max([last.get(name, 0), *(head["id"] for head in entries.transactions)])
            for entry in entries.audit:
                kind_of: Any = BY_NAME.get(entry.record)
                if kind_of is not None:
                    name = tables.TABLES[kind_of].name
                    last[name] = max([last.get(name, 0), *entry.ids[-1:]])
        if self._is_all_gone:
            # Others may have given out some that nobody here knows of.
            last = {name: number + _AHEAD for name, number in last.items()}
        return last


def _counted(number: int, kind: type[Record]) -> str:
    if kind in SEALED:
        return "what this computer knows of it"
    return f"{number} {kind.noun if number == 1 else kind.nouns}"


def _listed(texts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def _with_texts(row: Sequence[Cell], added: Mapping[int, Cell]) -> list[Cell]:
    """A heading with the headings that are added to it."""
    cells = list(row)
    for at, text in added.items():
        cells += [""] * (at + 1 - len(cells))
        cells[at] = text
    return cells


def _row_words(at: int, row: Sequence[Cell]) -> str:
    """A row, with the first text in it."""
    text = next((str(cell) for cell in row if cell != ""), "")
    return f"row {at + 1} (“{text[:_TEXT]}”)"


def _headings(row: Sequence[Cell], added: Mapping[int, Cell]) -> str:
    """The headings that a heading gets back, in words."""
    return " and ".join(
        f"“{text}” in {letters(at)}1" + (f", where “{str(row[at])[:_TEXT]}” stands" if cell_in(row, at) else "")
        for at, text in added.items()
    )


def _has_stamps(rows: Sequence[Sequence[Cell]], at: int) -> bool:
    """Return whether rows hold records, by the column of the version."""
    filled = [row for row in rows if any(cell != "" for cell in row)]
    return bool(filled) and 2 * sum(stamped(cell_in(row, at)) is not None for row in filled) > len(filled)


def _may_be_record(head: Heading, row: Sequence[Cell]) -> bool:
    """Return whether a row above the heading is that of a record, or one that somebody has typed."""
    record_id, version = (cell_in(row, head.positions[name]) for name in ("id", "version"))
    if stamped(version) or number_of(record_id):
        return True
    return record_id == "" and any(cell != "" for cell in row)
