"""The before images, in the tab `crm before`: the cells that a commit overwrites, stored by the commit itself as it is
applied.

Beside them are the cells that the commit expected. So every program can see if a commit wrote to the right place, and
repair it if not, whoever sent it. The newest commit is on top. Each row says whose it is, so that rows that people have
moved in the tab are not taken for those of another commit.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise, zip_longest
from typing import Any

from crm.model import RECORDS, Record
from crm.repository.sheets.grid.cells import cell_in
from crm.repository.sheets.grid.layout import (
    APART_SINCE,
    BEFORE,
    BEFORE_COLUMNS,
    TABS,
    Cell,
    GridRange,
    comparable,
    runs,
    trimmed,
)
from crm.repository.sheets.mirror.mirror import NEW_REVISION, State

# A cell holds 50 000 characters.
_PIECE = 40_000
# A row says of its commit as much as tells it apart: the beginning of the uid, and which one of several requests.
_SHORT, _LONG = 8, 32
# The columns of what a commit meant and of what it wrote; those after them hold the cells that are kept.
_MEANT, _WROTE = len(BEFORE_COLUMNS) - 2, len(BEFORE_COLUMNS) - 1
AT = len(BEFORE_COLUMNS)
# So much of what a commit wrote is kept with it where Google applies requests one after the other.
_MOST_AGAIN = 400_000
# No spreadsheet has so many rows: somebody has typed it.
_MOST_ROWS = 2_000_000
_BY_SHEET = {TABS[kind].sheet_id: kind for kind in RECORDS}
# A row between those that are written to, kept along with them.
_BETWEEN = -1
# What may go wrong with what people have changed.
_UNREADABLE = (ValueError, KeyError, IndexError, TypeError, RecursionError, OverflowError)
# The revision that a commit is on, its format, and the revision that it makes, at the beginning of its intent.
_ON_AND_MAKES = re.compile(r'\{"base":\[(\d+),"[^"]*"\],"state":\[(\d+),(\d+),')

Rows = Mapping[int, Sequence[Cell]]


@dataclass(frozen=True)
class Use:
    """The use of a row by a commit: the columns whose cells it relies on, and those that it writes; None where it
    deletes the row."""

    relies: tuple[int, ...]
    writes: tuple[int, ...] | None


@dataclass
class Part:
    """One tab's part: its rows, kept from row `first` of the block on, with what each was used for; `digest` stands
    for what was expected there, `top` for the heading alone, `headed` are the columns that got a heading. Where an ID
    was written, `names` holds the cells by which that row is known since, by its place in `uses` and by column. `cells`
    holds what was written, by place and in the order of the columns."""

    kind: type[Record]
    first: int
    uses: list[Use | None] = field(default_factory=list)
    digest: str = ""
    headed: Sequence[int] = ()
    names: dict[int, Mapping[int, Cell]] = field(default_factory=dict)
    cells: dict[int, Sequence[Cell]] = field(default_factory=dict)
    top: str = ""

    def digest_of(self, heading: Sequence[Cell], rows: Iterable[Mapping[int, Cell] | Sequence[Cell]]) -> str:
        """The digest of a heading and of the cells of the rows that are relied on."""
        parts: list[list[Cell]] = [[comparable(cell) for cell in trimmed(heading)]]
        for use, row in zip(self.uses, rows, strict=True):
            if use is not None:
                parts.append([comparable(_cell(row, at)) for at in use.relies])
        return _digest(parts)

    @staticmethod
    def digest_of_top(heading: Sequence[Cell]) -> str:
        """The digest of a heading."""
        return _digest([comparable(cell) for cell in trimmed(heading)])

    def encoded(self) -> dict[str, Any]:
        """The part as it is written down."""
        known = list(dict.fromkeys(use for use in self.uses if use is not None))
        number = {use: at for at, use in enumerate(known)}
        marks = [_BETWEEN if use is None else number[use] for use in self.uses]
        return {
            "tab": TABS[self.kind].sheet_id,
            "first": self.first,
            "digest": self.digest,
            "top": self.top,
            "headed": self.headed,
            "uses": [[use.relies, use.writes] for use in known],
            "rows": [[mark, len(list(same))] for mark, same in groupby(marks)],
            "names": [[at, list(cells.items())] for at, cells in self.names.items()],
        }

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "Part":
        """The part that was written down so."""
        known = [Use(tuple(relies), None if writes is None else tuple(writes)) for relies, writes in fields["uses"]]
        uses = [None if mark == _BETWEEN else known[mark] for mark, count in fields["rows"] for _ in range(count)]
        # An older version has not kept them.
        names: dict[int, Mapping[int, Cell]] = {
            int(at): {int(column): cell for column, cell in cells} for at, cells in fields.get("names", ())
        }
        part = cls(_BY_SHEET[fields["tab"]], fields["first"], uses, fields["digest"], fields["headed"], names)
        part.top = str(fields.get("top", ""))
        return part


@dataclass
class Redo:
    """Everything else that a commit wrote: the state that it made, the rows that it added, by kind, those of the
    history, and headings, by kind and column. So it can be written again where a request of the same moment has written
    over it."""

    state: Sequence[Cell]
    added: Mapping[type[Record], Sequence[Sequence[Cell]]]
    history: Sequence[Sequence[Cell]]
    headings: Mapping[type[Record], Mapping[int, str]] = field(default_factory=dict)

    @property
    def after(self) -> State | None:
        """The state that the commit made."""
        return State.read([State().rows()[0], self.state])


@dataclass
class Block:
    """The before images that one request of a commit kept: `size` rows, the first with the state, then the headings,
    then the rows. `base` is the revision that it took the spreadsheet for, `added` the ids of the rows that it
    appended, `cut` the row of the history from which on it took rows away, how many, and where they are kept. `made` is
    the state that it made. One that `repairs` changes nothing: it writes again what other commits have written."""

    uid: str
    base: tuple[int, str]
    size: int
    parts: list[Part] = field(default_factory=list)
    added: Mapping[type[Record], Sequence[int]] = field(default_factory=dict)
    cut: tuple[int, int, int] | None = None
    rows: Rows = field(default_factory=dict)
    redo: Redo | None = None
    made: State | None = None
    repairs: bool = False
    # Whether all that it wrote is kept, however much that is.
    keeps_all: bool = False
    # Whether it could not write all of them again.
    lacks: bool = False
    # Whether each of its rows says whose it is: an older version did not write that.
    is_marked: bool = True
    # Whether another commit than the one that it is on was there before.
    clashes: bool = False
    # Whether it has written what it meant to; None where that has not been looked at.
    went_well: bool | None = None

    @property
    def transaction(self) -> str:
        """The name of the transaction that the request is one of."""
        return self.uid.partition(".")[0]

    @property
    def is_unfinished(self) -> bool:
        """Return whether it is one of several requests, and not the last one."""
        return self.made is not None and self.uid != self.transaction == self.made.staging

    @property
    def state(self) -> State | None:
        """The state that the commit found; None where it is not known."""
        return State.read([State().rows()[0], self.rows.get(0, [])])

    @property
    def came_first(self) -> bool:
        """The commit found the revision that it took the spreadsheet for, and none of the same moment was before it."""
        return not self.clashes and self.found_base

    @property
    def found_base(self) -> bool:
        """The state that is kept is the one that the commit is on. Where a service merges requests, that may be so
        although another one came first."""
        state = self.state
        return state is not None and (state.revision, state.uid) == self.base

    @property
    def makes(self) -> tuple[int, str]:
        """The revision that the commit makes."""
        return self.made.revision if self.made else self.base[0] + 1, self.uid

    @property
    def is_as_planned(self) -> bool:
        """Return whether it wrote over what it meant to."""
        return self.came_first and all(
            part.digest == part.digest_of(self.rows.get(at, []), self.rows_of(part))
            for at, part in enumerate(self.parts, start=1)
        )

    def written(self) -> tuple[list[str], list[str]]:
        """The intent of the commit, and what it wrote: each as text for one cell or several, and for none where that
        is not kept."""
        added = {TABS[kind].sheet_id: list(runs(ids)) for kind, ids in self.added.items() if ids}
        parts = [part.encoded() for part in self.parts]
        # Older versions look for what was adopted.
        made = {"state": self.made.rows()[1], "repairs": self.repairs} if self.made is not None else {}
        made |= {"marked": True} | ({"lacks": True} if self.lacks else {})
        about = {"base": self.base, **made, "added": added, "adopted": {}, "cut": self.cut, "parts": parts}
        again = _in_pieces(self._again())
        return _in_pieces(json.dumps(about | {"again": len(again)}, separators=(",", ":"))), again

    def _again(self) -> str:
        """The cells that were written, unless they are too many."""
        if self.redo is None:
            return ""
        again = {
            "cells": [[list(at_cells) for at_cells in part.cells.items()] for part in self.parts],
            "rows": {TABS[kind].sheet_id: rows for kind, rows in self.redo.added.items()},
            "history": self.redo.history,
            "headings": {TABS[kind].sheet_id: list(texts.items()) for kind, texts in self.redo.headings.items()},
            "state": self.redo.state,
        }
        text = json.dumps(again, separators=(",", ":"))
        return text if self.keeps_all or len(text) <= _MOST_AGAIN else ""

    def rows_of(self, part: Part) -> list[Sequence[Cell]]:
        """The rows that were kept of a tab."""
        return [self.rows.get(at, []) for at in range(part.first, part.first + len(part.uses))]

    def mark(self, at: int) -> str:
        """The text of row `at` of the block in the first column, the first row being 0."""
        return f"{self.uid[:_SHORT]}{self.uid[_LONG:]}/{at}" if at else self.uid

    def is_in(self, rows: Sequence[Sequence[Cell]]) -> bool:
        """Return whether these rows are those of the block, in order."""
        marks = [self.mark(at) if self.is_marked or not at else "" for at in range(len(rows))]
        return marks == [str(cell_in(row, 0)) for row in rows]

    @property
    def cut_rows(self) -> list[Sequence[Cell]]:
        """The rows of the history that it removed, as far as there were any."""
        _, count, first = self.cut or (0, 0, 0)
        rows = [trimmed(self.rows.get(at, [])) for at in range(first, first + count)]
        return [row for row in rows if row]


def kept_ranges(rows: int | None = None) -> tuple[GridRange, GridRange]:
    """The ranges of the tab, of its first rows or of all, without what the commits wrote: after large changes that is
    very much, and it is only needed where something clashes. `kept_rows` puts them together."""
    span = BEFORE.rows(0, rows)
    return {**span, "startColumnIndex": 0, "endColumnIndex": _WROTE}, {**span, "startColumnIndex": AT}


def kept_rows(notes: Sequence[Sequence[Cell]], cells: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    """The rows of the tab by what was read of the two ranges."""
    return [[*note, *[""] * (AT - len(note)), *row] for note, row in zip_longest(notes, cells, fillvalue=())]


def blocks_in(rows: Sequence[Sequence[Cell]], grid: int) -> list[Block]:
    """The blocks in the tab, newest first, as far as it can be read; the oldest may have been cut off. Of rows that
    people have moved or changed there, and those below, only the blocks count that lead from one to the other."""
    return arranged(rows, grid)[0]


def moved_in(rows: Sequence[Sequence[Cell]], end: int) -> tuple[int, int] | None:
    """The first row of the tab that people have moved or changed, and the end of what is below; None if none was. `end`
    is where those end that nobody has moved."""
    left = [at for at, row in enumerate(rows) if at >= end and any(cell != "" for cell in row)]
    return (left[0], left[-1] + 1) if left else None


def arranged(rows: Sequence[Sequence[Cell]], grid: int) -> tuple[list[Block], int]:
    """The blocks (see `blocks_in`), and the row where those end that are where they were written."""
    blocks, at = _in_place(rows, grid)
    chain = _in_chain(rows[at:])
    uids = [block.uid for block in (*blocks, *chain)]
    # What a commit is on came before it.
    places = [
        uids.index(block.base[1])
        for place, block in enumerate((*blocks, *chain))
        if block.base[1] in uids[:place] and block.base[1] not in uids[place + 1 :]
    ]
    if (first := min(places, default=len(blocks))) < len(blocks):
        blocks = blocks[:first]
        at = sum(block.size for block in blocks)
        chain = _in_chain(rows[at:])
    blocks = [*blocks, *chain]
    _find_clashes(blocks)
    return blocks, at


def _in_place(rows: Sequence[Sequence[Cell]], grid: int) -> tuple[list[Block], int]:
    """The blocks that are where they were written, and the row below them."""
    blocks: list[Block] = []
    at = 0
    while at < len(rows):
        try:
            if at + int(rows[at][1]) > grid:
                # The rest was cut off.
                at = len(rows)
                break
            block = _read(rows, at)
        except _UNREADABLE:
            break
        end = at + block.size
        if block.size < 1 or not block.is_in(rows[at:end]) or (block.is_marked and end > len(rows)):
            break
        blocks.append(block)
        at = end
    return blocks, at


def _in_chain(rows: Sequence[Sequence[Cell]]) -> list[Block]:
    """The blocks among rows in any order that are whole, from the latest one on each with the one that it is on: no
    others, as nothing says whether they have been taken back since."""
    by_mark = {str(cell_in(row, 0)): row for row in rows}
    whole: dict[str, Block] = {}
    for mark, row in by_mark.items():
        try:
            about = Block(mark, (0, ""), int(row[1]))
            together = [by_mark[about.mark(at)] for at in range(min(about.size, len(rows) + 1))]
            block = _read(together, 0)
        except _UNREADABLE:
            continue
        if block.is_marked:
            whole[mark] = block
    chain: list[Block] = []
    latest = max(whole.values(), key=lambda block: block.makes, default=None)
    while latest is not None:
        chain.append(latest)
        del whole[latest.uid]
        latest = whole.get(latest.base[1])
    return chain


def newest_in(rows: Sequence[Sequence[Cell]]) -> Block | None:
    """The newest block, read along with the first two rows below it; None where it cannot be read. It may clash if the
    commit below is not the one that it is on, or is not in order."""
    try:
        block = _read(rows, 0)
    except _UNREADABLE:
        return None
    below, after = (str(cell_in(row, 0)) for row in [*rows[block.size : block.size + 2], [], []][:2])
    is_on_it = below in ("", block.base[1])
    # People may have sorted the tab; an older version did not say whose the second row is.
    is_in_order = "/" not in after or after == Block(below, (0, ""), 0).mark(1)
    block.clashes = not is_on_it or not is_in_order
    return block


def _find_clashes(blocks: Sequence[Block]) -> None:
    """Mark the commits that another one came before. The one that a commit is on is not below it if a repair of the
    spreadsheet made that state, which keeps nothing."""
    kept = {block.uid for block in blocks}
    for block, below in pairwise(blocks):
        kept.discard(block.uid)
        came_between = below.makes[0] >= block.base[0] or block.base[1] in kept
        block.clashes = below.makes != block.base and came_between


def lacks_commits(
    blocks: Sequence[Block], rows: Sequence[Sequence[Cell]], grid: int, current: State, seen: State | None
) -> bool:
    """Return whether the blocks in the tab, of so many rows, lack what led from the state that was `seen`, or from a
    new store, to the current one: somebody has repaired the spreadsheet since, and a repair keeps nothing. Where older
    commits may have been cut off, or cannot be read, it is not known."""
    made_by = {block.uid: block for block in blocks}
    uid, revision, reached = current.uid, current.revision, None
    while seen is None or uid != seen.uid:
        if (block := made_by.pop(uid, None)) is None:
            end = sum(block.size for block in blocks)
            is_whole = end < grid and not any(cell != "" for row in rows[end:] for cell in row)
            return revision > NEW_REVISION and (is_whole or (bool(blocks) and reached is not blocks[-1]))
        if block.lacks:
            return True
        (revision, uid), reached = block.base, block
    return False


def came_first(top: Sequence[Cell], state: State) -> bool:
    """Return whether the last commit found the revision that it is on, by the first row of the tab. One that comes once
    more, or late, where the marker does not hold, finds another one. A row of another commit is an earlier one."""
    intent = _ON_AND_MAKES.match(str(cell_in(top, _MEANT)))
    before = State.read([State().rows()[0], top[_kept_from(int(intent[2]) if intent else 0) :]]) if top else None
    if before is None:
        return True
    if before.revision >= state.revision or str(top[0]) != state.uid:
        return before.revision < state.revision
    # One that takes back a late commit, whose revision is an old one, goes on from the latest.
    on, makes = (int(intent[1]), int(intent[3])) if intent else (before.revision, before.revision + 1)
    return (before.revision, state.revision) == (on, makes)


def _read(rows: Sequence[Sequence[Cell]], at: int) -> Block:
    uid, size, pieces, _ = rows[at][: _MEANT + 1]
    fields: dict[str, Any] = json.loads("".join(str(row[_MEANT]) for row in rows[at : at + int(pieces)]))
    counted = [*fields["added"].values(), *(part["rows"] for part in fields["parts"])]
    if sum(count for spans in counted for _, count in spans) > _MOST_ROWS:
        raise ValueError("these are more rows than a spreadsheet has")
    revision, base = fields["base"]
    added = {
        _BY_SHEET[int(sheet)]: [number for first, count in spans for number in range(first, first + count)]
        for sheet, spans in fields["added"].items()
    }
    parts = [Part.read(part) for part in fields["parts"]]
    cut = tuple(fields["cut"]) if fields["cut"] else None
    block = Block(str(uid), (revision, base), int(size), parts, added, cut)
    kept_from = _kept_from(int((fields.get("state") or [0])[0]))
    wrote = "".join(str(cell_in(row, _WROTE)) for row in rows[at : at + int(fields.get("again", 0))])
    # An older version has kept it with the rest.
    if redo := json.loads(wrote) if wrote else fields.get("redo"):
        for part, again in zip(parts, redo["cells"], strict=True):
            part.cells = {int(place): cells for place, cells in again}
        by_kind = {_BY_SHEET[int(sheet)]: list(rows) for sheet, rows in redo["rows"].items()}
        # An older version has not kept them.
        headings = {
            _BY_SHEET[int(sheet)]: {int(column): str(text) for column, text in texts}
            for sheet, texts in redo.get("headings", {}).items()
        }
        block.redo = Redo(redo["state"], by_kind, redo["history"], headings)
    # An older version has kept it with the rest only.
    made = fields.get("state") or (block.redo.state if block.redo else None)
    block.made = State.read([State().rows()[0], made]) if made else None
    block.repairs = bool(fields.get("repairs"))
    block.lacks = bool(fields.get("lacks"))
    block.is_marked = bool(fields.get("marked"))
    block.rows = {place: row[kept_from:] for place, row in enumerate(rows[at : at + block.size])}
    return block


def _kept_from(format_: int) -> int:
    """The first column of the cells that a commit of some format has kept."""
    return AT if format_ >= APART_SINCE else _WROTE


def _in_pieces(text: str) -> list[str]:
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]


def _digest(cells: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:24]


def _cell(row: Mapping[int, Cell] | Sequence[Cell], at: int) -> Cell:
    return row.get(at, "") if isinstance(row, Mapping) else cell_in(row, at)
