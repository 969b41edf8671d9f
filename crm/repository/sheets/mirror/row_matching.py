"""Matching rows of a tab to records, whatever people did to the column of ids."""

from collections.abc import Callable, Iterator, KeysView, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.model import Record
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.cells import cell_in
from crm.repository.sheets.grid.layout import Cell, Heading, columns

# A row: its place (0 is the heading), and its cells in the order of the columns.
Placed = tuple[int, list[Any]]


class Owned(MutableMapping[int, Placed]):
    """The rows of known records by id. Only their positions are stored: a row is read again at each access, unless
    another one replaced it."""

    def __init__(self, head: Heading, rows: Sequence[Sequence[Cell]], first: int) -> None:
        self._head = head
        self._rows = rows
        self._first = first
        self._places: dict[int, int] = {}
        self._put: dict[int, list[Any]] = {}

    def stands_at(self, record_id: int, at: int) -> None:
        """Note where the row of a record is."""
        self._places[record_id] = at

    def __getitem__(self, record_id: int) -> Placed:
        at = self._places[record_id]
        row = self._put.get(record_id)
        return at, self._head.row(self._rows[at - self._first]) if row is None else row

    def __setitem__(self, record_id: int, placed: Placed) -> None:
        self._places[record_id], self._put[record_id] = placed

    def __delitem__(self, record_id: int) -> None:
        del self._places[record_id]
        self._put.pop(record_id, None)

    def __contains__(self, record_id: object) -> bool:
        return record_id in self._places

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def take_out(self, ids: Sequence[int]) -> dict[int, Placed]:
        """Take out the rows of some records, all at once."""
        if not self._put.keys().isdisjoint(ids):
            return {record_id: self.pop(record_id) for record_id in ids}
        places = [self._places.pop(record_id) for record_id in ids]
        rows = self._head.rows(self._rows[at - self._first] for at in places)
        return dict(zip(ids, zip(places, rows, strict=True), strict=True))

    def keys(self) -> KeysView[int]:
        """The ids."""
        return self._places.keys()


@dataclass
class Rows:
    """The rows of a tab. `owned` holds those of known records by id, `mixed` names those of them in which the cells of
    two records stand, with the other one; `nameless` belong to no record yet. `wrong` says of other rows what is wrong
    with their id; `copies` are those of them that were copied with the mark of another row. `promoted` holds the marks
    that are in the rows of records which were taken for copies before, by id."""

    owned: Owned
    mixed: dict[int, int] = field(default_factory=dict)
    nameless: list[Placed] = field(default_factory=list)
    wrong: list[tuple[int, str]] = field(default_factory=list)
    copies: list[Placed] = field(default_factory=list)
    promoted: dict[int, Cell] = field(default_factory=dict)


def owners(
    head: Heading,
    rows: Sequence[Sequence[Cell]],
    last: int,
    old: Mapping[int, Placed],
    is_known: Callable[[int], bool],
    staging: bool,
    first: int = 0,
) -> Rows:
    """Sort out the rows below the heading, `first` being the place of the first one of them. `last` is the highest id
    given out, `old` holds the rows as they were last seen; `is_known` tells whether there is a record of an id.
    `staging`: somebody is writing new rows.

    The id that people see decides. Where it is gone, or is that of another row, the mark in the last column does,
    which the program keeps beside it.
    """
    return _Sorting(head, last, old, is_known, staging).sorted(rows, first)


class _Sorting:
    def __init__(
        self,
        head: Heading,
        last: int,
        old: Mapping[int, Placed],
        is_known: Callable[[int], bool],
        staging: bool,
    ) -> None:
        self.head = head
        self.kind: type[Record] = head.kind
        self.last = last
        self.old = old
        self.is_known = is_known
        self.staging = staging
        self.mark = len(columns(head.kind)) - 1
        # Rows with an ID that was never given out.
        self.strangers: list[Placed] = []

    def sorted(self, rows: Sequence[Sequence[Cell]], first: int) -> Rows:
        self.rows = Rows(Owned(self.head, rows, first))
        owned, id_at, mark_at = self.rows.owned, self.head.positions["id"], self.head.positions["version"]
        doubles: dict[int, list[Placed]] = {}
        strays: list[Placed] = []
        foreign: list[int] = []
        stands_at, places = owned.stands_at, owned.keys()
        for at, written in enumerate(rows, first):
            cell = cell_in(written, id_at)
            if at == 0 or (cell == "" and not any(other != "" for other in written)):
                continue
            record_id = cell if type(cell) is int and 0 < cell <= self.last else cells.number_of(cell)
            if record_id is None or record_id > self.last:
                strays.append((at, self.head.row(written)))
            elif record_id in places:
                doubles.setdefault(record_id, [owned[record_id]]).append((at, self.head.row(written)))
            else:
                stands_at(record_id, at)
                mark = cell_in(written, mark_at)
                if mark != "" and not str(mark).startswith(f"{record_id}/"):
                    foreign.append(record_id)
        for record_id, candidates in doubles.items():
            self._choose(record_id, candidates)
        for place in strays:
            self._stray(*place)
        for record_id in foreign:
            self._foreign(record_id)
            self._promote(record_id)
        self._name_again()
        return self.rows

    def _name_again(self) -> None:
        """Rows without ID and mark, or with an ID that was never given out, which hold all that the row of a record
        held that is gone: they have lost them."""
        gone: dict[str, list[int]] = {}
        for record_id in self.old if self.rows.nameless or self.strangers else ():
            if record_id not in self.rows.owned and self.is_known(record_id) and (row := self.old[record_id][1]):
                gone.setdefault(self._beside(row), []).append(record_id)
        self.rows.nameless = [place for place in self.rows.nameless if not self._takes_back(place, gone)]
        self.rows.wrong += [
            (at, f"{str(row[0])[:40]} is no ID that the program gave out; empty this cell and the row gets one")
            for at, row in self.strangers
            if not self._takes_back((at, row), gone)
        ]

    def _takes_back(self, place: Placed, gone: Mapping[str, list[int]]) -> bool:
        """Make a row that of a record which is gone, where it holds the same."""
        ids = gone.get(self._beside(place[1]))
        if not ids:
            return False
        self.rows.owned[ids.pop(0)] = place
        return True

    def _beside(self, row: Sequence[Any]) -> str:
        """A row without its ID and its mark, as one text."""
        return repr([*row[1 : self.mark], *row[self.mark + 1 :]])

    def _marked(self, row: Sequence[Any]) -> int:
        """The id that the mark names; 0 when it names none."""
        stamp = cells.stamped(row[self.mark])
        return stamp[0] if stamp else 0

    def _is_free(self, record_id: int) -> bool:
        """Return whether a row that is marked so can only be that record's."""
        return 0 < record_id <= self.last and record_id not in self.rows.owned and self.is_known(record_id)

    def _choose(self, record_id: int, candidates: list[Placed]) -> None:
        """One of several rows with the same id: the one that is marked so, then the one that was there before."""
        old_place, old_row = self.old.get(record_id, (-1, None))
        chosen = max(
            candidates,
            key=lambda candidate: (
                self._marked(candidate[1]) == record_id,
                candidate[1] == old_row,
                candidate[0] == old_place,
                -candidate[0],
            ),
        )
        self.rows.owned[record_id] = chosen
        for at, row in candidates:
            if at == chosen[0]:
                continue
            if self._is_free(self._marked(row)):
                self.rows.owned[self._marked(row)] = (at, row)
            else:
                if self._marked(row) == record_id:
                    self.rows.copies.append((at, row))
                self.rows.wrong.append(
                    (
                        at,
                        f"the ID {record_id} stands in row {chosen[0] + 1} too; empty this cell to make the row a new"
                        f" {self.kind.noun}, or delete the row",
                    )
                )

    def _stray(self, at: int, row: list[Any]) -> None:
        """A row whose id is none that the program gave out."""
        record_id, marked = cells.number_of(row[0]), self._marked(row)
        if self.staging and record_id is not None and cells.stamped(row[self.mark]) == (record_id, 1):
            # Part of a transaction that nobody has seen.
            return
        if self._is_free(marked):
            self.rows.owned[marked] = (at, row)
        elif row[0] == "":
            if not all(map(_is_blank, row[:-1] if isinstance(row[-1], dict) else row)):
                self.rows.nameless.append((at, row))
        else:
            self.strangers.append((at, row))

    def _foreign(self, record_id: int) -> None:
        """A row that is marked as another record's."""
        at, row = self.rows.owned[record_id]
        marked = self._marked(row)
        if not marked or marked == record_id:
            return
        if self._is_free(marked):
            del self.rows.owned[record_id]
            self.rows.owned[marked] = (at, row)
        elif self.is_known(marked):
            self.rows.mixed[record_id] = marked

    def _promote(self, record_id: int) -> None:
        """A copy that is the record's only row with its ID: the other one lost the ID, or is gone. It gets the mark."""
        at, row = self.rows.owned.get(record_id, (0, None))
        stamp = cells.copied_stamp(row[self.mark]) if row else ""
        if not row or not stamp or not self.is_known(record_id):
            return
        _, known = self.old.get(record_id, (0, None))
        others = [*(other for _, other in self.rows.nameless), *([known] if known else [])]
        self.rows.promoted[record_id] = row[self.mark]
        row[self.mark] = next((other[self.mark] for other in others if self._marked(other) == record_id), stamp)
        self.rows.owned[record_id] = at, row


def _is_blank(cell: Any) -> bool:
    """Return whether a cell says nothing: blanks, or a box that is not ticked."""
    return not cell.strip() if isinstance(cell, str) else cell is False
