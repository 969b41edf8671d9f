"""The plan of a commit: what a transaction has to write into the spreadsheet, row by row and cell by cell."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from crm.errors import StoreDamagedError
from crm.model import BY_NAME, RECORDS, Client, Record, fields, people
from crm.repository import statements, tables
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.layout import OWN, Cell, Heading, alike, columns, header, heading, programs_own
from crm.repository.sheets.mirror import history_tab, mirror, problems
from crm.repository.sheets.mirror.mirror import Place, Seen
from crm.repository.transaction import SqlTransaction
from crm.repository.writing import Entry

_BATCH = 1000
_HEAD = select(tables.transactions).where(tables.transactions.c.id == bindparam("wanted"))
# Every change of a row moves these along.
_ALWAYS = frozenset(("updated_at", "version"))
_IDENTITY = ("id", "version")


@dataclass
class RowWrite:
    """Cells to write into one row, by column. `relies` holds the cells that must be there as they are thought to: whose
    row it is, and what is overwritten; an edit of another cell does no harm. `new_row` is the row as it stands
    afterwards, in the order of `columns`. A deletion writes nothing."""

    kind: type[Record]
    id: int
    row: int
    relies: dict[int, Cell]
    new_row: list[Any] = field(default_factory=list)
    cells: dict[int, Cell] = field(default_factory=dict)
    deletes: bool = False
    # What the row is known by afterwards where that is not the ID that it had.
    names: dict[int, Cell] = field(default_factory=dict)

    def fits(self, row: Sequence[Cell]) -> bool:
        """Return whether a row of the tab is the one that is meant."""
        return all(alike(cells.cell_in(row, at), cell) for at, cell in self.relies.items())


# A new row: its id, its cells in the order of the tab's heading, the same in the order of the columns.
Appended = tuple[int, list[Cell], list[Any]]


@dataclass
class Plan:
    """Everything that one commit writes."""

    updates: list[RowWrite] = field(default_factory=list)
    deletes: list[RowWrite] = field(default_factory=list)
    appends: dict[type[Record], list[Appended]] = field(default_factory=dict)
    history: list[list[Cell]] = field(default_factory=list)
    # Rows of the history to remove, the first and the end: of commits that nobody has seen.
    cut: tuple[int, int] | None = None
    # Cells of the headings: columns for new fields of the team's own.
    headings: dict[type[Record], dict[int, str]] = field(default_factory=dict)
    # How those of them look that are the program's.
    looks: list[cells.Request] = field(default_factory=list)

    # Whether rows are emptied instead of deleted: then no other row moves, even if several do it at the same moment.
    empties: bool = False
    # Whether it only writes again what other commits have written, or takes back what nobody has seen.
    repairs: bool = False
    # Whether commits that it should write again are not kept any more.
    lacks: bool = False

    @property
    def touched(self) -> list[RowWrite]:
        """The rows that must be where they are thought to."""
        return [*self.updates, *self.deletes]

    @property
    def kinds(self) -> list[type[Record]]:
        """The tabs that are written to."""
        named = {row.kind for row in self.touched} | self.appends.keys() | self.headings.keys()
        return [kind for kind in RECORDS if kind in named]


@dataclass
class Marks:
    """The marks to write where rows were copied by hand. A row is (its place, its cells in the order of the columns).

    `copies` lose the mark that they brought along. `promoted` rows are those of records, by id, that were taken for
    copies before: they get the mark that is among their cells, in place of the last, which is there."""

    copies: Sequence[tuple[type[Record], int, list[Any]]] = ()
    promoted: Sequence[tuple[type[Record], int, int, list[Any], Cell]] = ()

    def __bool__(self) -> bool:
        return bool(self.copies or self.promoted)


def plan(tx: SqlTransaction, seen: Seen, marks: Marks | None = None) -> Plan:
    """The plan of writes for a finished transaction, and for the marks of rows that were copied."""
    connection, entries = tx.connection, tx.entries()
    head = connection.execute(_HEAD, {"wanted": tx.number}).one()
    made = Plan(history=list(history_tab.rows_of_one(connection, head, entries)))
    by_kind = _touched(entries)
    problems.refuse_held(connection, by_kind)
    for kind, touched in by_kind.items():
        _Tab(connection, kind, seen.places[kind.kind_name], made).plan(touched)
    marks = marks or Marks()
    for kind, at, row in marks.copies:
        _Tab(connection, kind, seen.places[kind.kind_name], made).unmark(at, row)
    for kind, record_id, at, row, mark in marks.promoted:
        _Tab(connection, kind, seen.places[kind.kind_name], made).mark(record_id, at, row, mark)
    return made


def whole_plan(connection: Connection, seen: Seen) -> Plan:
    """The plan that writes all that the mirror holds, history included, into a spreadsheet that holds only first
    records."""
    made = Plan(history=list(history_tab.rows_of(connection, 1)))
    for kind in RECORDS:
        _plan_whole(connection, kind, seen, made)
    return made


def plan_again(connection: Connection, kinds: Iterable[type[Record]], number: int, seen: Seen) -> Plan:
    """The plan that makes some tabs hold what the mirror does, as transaction `number`, which changes no record."""
    made = Plan(history=list(history_tab.rows_of(connection, number)))
    for kind in kinds:
        _plan_whole(connection, kind, seen, made)
    return made


def plan_rows(
    connection: Connection, ids: Mapping[type[Record], Iterable[int]], number: int, seen: Seen, emptied: mirror.Emptied
) -> Plan:
    """The plan that restores deleted rows, and in others the cells that only the program writes and those that were
    `emptied`, as transaction `number`, which changes no record."""
    made = Plan(history=list(history_tab.rows_of(connection, number)))
    for kind, some in ids.items():
        _Tab(connection, kind, seen.places[kind.kind_name], made).put_back(list(some), emptied.get(kind.kind_name, {}))
    return made


def _plan_whole(connection: Connection, kind: type[Record], seen: Seen, made: Plan) -> None:
    table = tables.TABLES[kind]
    ids = connection.execute(select(table.c.id).order_by(table.c.id)).scalars().all()
    touched = {record_id: _Touched(deleted=True) for record_id in mirror.rows_of(connection, kind)}
    touched |= {record_id: _Touched(created=True) for record_id in ids}
    _Tab(connection, kind, seen.places[kind.kind_name], made).plan(touched)


@dataclass
class _Touched:
    created: bool = False
    deleted: bool = False
    names: set[str] = field(default_factory=set)


def _touched(entries: Iterable[Entry | Row[Any]]) -> dict[type[Record], dict[int, _Touched]]:
    """The records that a transaction touched, and their touched fields."""
    by_kind: dict[type[Record], dict[int, _Touched]] = {}
    for entry in entries:
        touched = by_kind.setdefault(BY_NAME[entry.record], {}).setdefault(entry.record_id, _Touched())
        if entry.operation == "update":
            touched.names.update(entry.after or ())
        else:
            touched.created = entry.operation == "create"
            touched.deleted = entry.operation == "delete"
    return by_kind


class _Tab:
    """One tab's part of the plan."""

    def __init__(self, connection: Connection, kind: type[Record], place: Place, made: Plan) -> None:
        self.connection = connection
        self.kind = kind
        self.place = place
        self.made = made
        self.heading = heading(kind, place.heading)
        self.own = dict(self.heading.own)

    def plan(self, touched: Mapping[int, _Touched]) -> None:
        problems.refuse_mixed(self.connection, self.kind, touched)
        known = mirror.known(self.connection, self.kind, touched)
        for record_id, changes in touched.items():
            if changes.deleted and record_id in known:
                row, expected = known[record_id]
                self.made.deletes.append(RowWrite(self.kind, record_id, row, self._by_column(expected), deletes=True))
        living = [record_id for record_id, changes in touched.items() if not changes.deleted]
        for record in self._records(living):
            new_row = cells.row_of(record)
            if record.id in known:
                self._update(record.id, new_row, *known[record.id], touched[record.id])
            else:
                self._append(record.id, new_row)
        if self.own.keys() != self.heading.own.keys():
            new = {at: name for name, at in self.own.items() if name not in self.heading.own}
            self.made.headings[self.kind] = new

    def unmark(self, at: int, row: list[Any]) -> None:
        """Plan the mark of a row that is a copy and belongs to no record: so everybody takes the other one for it."""
        column, before = self._column("version"), self._by_column(row)
        write = RowWrite(self.kind, 0, at, before, cells={column: cells.copy_mark(before[column])})
        self.made.updates.append(write)

    def mark(self, record_id: int, at: int, row: list[Any], standing: Cell) -> None:
        """Plan the mark of a record's row where that of a copy stands."""
        column, after = self._column("version"), self._by_column(row)
        write = next((write for write in self.made.touched if (write.kind, write.id) == (self.kind, record_id)), None)
        if write is None:
            write = RowWrite(self.kind, record_id, at, after, list(row), cells={column: after[column]})
            self.made.updates.append(write)
        write.relies[column] = standing

    def put_back(self, ids: Sequence[int], emptied: Mapping[str, Sequence[int]]) -> None:
        """Plan the rows of records that were deleted, and of those that are there the cells that only the program
        writes, and those of the fields that were `emptied`."""
        known = mirror.known(self.connection, self.kind, ids)
        empty = {name: set(of) for name, of in emptied.items()}
        names = [name for name in programs_own(self.kind) if name in self.heading.positions or name in _IDENTITY]
        for record in self._records(ids):
            new_row = cells.row_of(record)
            if record.id not in known:
                self._append(record.id, new_row)
                continue
            row, old = known[record.id]
            before = self._by_column(old)
            write = RowWrite(self.kind, record.id, row, dict(before), list(old))
            if refilled := [name for name in emptied if record.id in empty[name]]:
                # Another cell of the row may wait to be taken over.
                write.relies = {at: before[at] for at in self._identity}
                write.relies |= {self._column(name): "" for name in refilled}
                write.cells = {self._column(name): old[columns(self.kind).index(name)] for name in refilled}
            for name in names:
                place = columns(self.kind).index(name)
                # What this machine could never read is not known here either.
                has_field = name in fields(self.kind) or name in people(self.kind).values()
                is_known = has_field or getattr(record, name) != getattr(self.kind(), name)
                if name in _IDENTITY or (is_known and not alike(old[place], new_row[place])):
                    write.cells[self._column(name)] = write.new_row[place] = new_row[place]
            write.names = naming(self.heading, before, write.cells)
            self.made.updates.append(write)

    def _records(self, ids: Iterable[int]) -> Iterator[Record]:
        remaining = iter(ids)
        while batch := list(islice(remaining, _BATCH)):
            for row in self.connection.execute(statements.BY_IDS[self.kind], {"wanted": batch}):
                yield tables.record_of(self.kind, row)

    def _update(self, record_id: int, new_row: list[Any], row: int, old: list[Any], touched: _Touched) -> None:
        names = None if touched.created else touched.names | _ALWAYS
        before = self._by_column(old)
        # A row that has no id yet is known by what is in it.
        sure = before if names is None else {at: before[at] for at in self._identity}
        write = RowWrite(self.kind, record_id, row, dict(sure), list(old))
        for place, name in enumerate(columns(self.kind)):
            new, was = new_row[place], old[place]
            if new == was and type(new) is type(was):
                continue
            # A cell that holds something that cannot be taken stays as it is until somebody changes that very field.
            if (
                names is None
                and was != ""
                and name not in ("id", *_ALWAYS, "created_at")
                and (record_id, name) in self._bad
            ):
                continue
            if names is None or name in names:
                # What a column of a newer version would hold is left out until the column is there.
                if name not in self.heading.later_fields:
                    write.cells[self._column(name)] = new
                write.new_row[place] = new
        if self.kind is Client and (names is None or OWN in names):
            self._own_cells(write, new_row[-1], old[-1])
        if write.cells:
            write.names = naming(self.heading, before, write.cells)
            write.relies.update((at, before.get(at, "")) for at in write.cells)
            self.made.updates.append(write)

    def _by_column(self, row: Sequence[Any]) -> dict[int, Cell]:
        """A row in the order of `columns` by the columns of the tab."""
        positions = self.heading.positions
        cells: dict[int, Cell] = {
            positions[name]: cell for name, cell in zip(columns(self.kind), row, strict=False) if name in positions
        }
        if self.kind is Client:
            cells.update((at, row[-1].get(name, "")) for name, at in self.heading.own.items())
        return cells

    @cached_property
    def _identity(self) -> tuple[int, ...]:
        return tuple(self._column(name) for name in ("id", "version"))

    @cached_property
    def _bad(self) -> set[tuple[int, str]]:
        """The cells that cannot be taken, by record and field."""
        return problems.noted(self.connection, self.kind)

    def _own_cells(self, write: RowWrite, new: Mapping[str, str], old: Mapping[str, Any]) -> None:
        for name in {**old, **new}:
            # A number that shows the same is left as it is, and so is a formula.
            if new.get(name, "") != cells.own_plain(old.get(name, "")):
                write.cells[self._own_column(name)] = new.get(name, "")
        write.new_row[-1] = dict(new)

    def _append(self, record_id: int, new_row: list[Any]) -> None:
        row: list[Cell] = [""] * max(len(self.place.heading), max(self.heading.positions.values()) + 1)
        for name, cell in zip(columns(self.kind), new_row, strict=False):
            if cell != "" and name not in self.heading.later_fields:
                row[self._column(name)] = cell
        if self.kind is Client:
            for name, text in new_row[-1].items():
                at = self._own_column(name)
                row += [""] * (at + 1 - len(row))
                row[at] = text
        self.made.appends.setdefault(self.kind, []).append((record_id, row, new_row))

    def _column(self, name: str) -> int:
        at = self.heading.positions.get(name)
        if at is None:
            raise StoreDamagedError(
                f"The tab “{self.place.title}” has no column “{header(self.kind, name)}” any more. Nothing was saved."
                " Undo its deletion in the spreadsheet, or run `sheets setup` on a computer that had read it before:"
                " that puts it back."
            )
        return at

    def _own_column(self, name: str) -> int:
        if name not in self.own:
            # To the right of everything that is in the heading.
            self.own[name] = max(len(self.place.heading), *(at + 1 for at in self.own.values()), 0)
        return self.own[name]


def naming(head: Heading, before: Mapping[int, Cell], cells: Mapping[int, Cell]) -> dict[int, Cell]:
    """The cells by which a row is known once these were written; none where it has an ID and keeps it. Two programs may
    give one ID and stamp at the same moment, but not make two records in the same microsecond."""
    at = head.positions.get("id")
    if at is not None and at not in cells and before.get(at, "") != "":
        return {}
    identity = [head.positions[name] for name in ("id", "version", "created_at") if name in head.positions]
    return {at: cells[at] for at in identity if at in cells}


def as_heading(place: Place, added: Mapping[int, str]) -> Sequence[Cell]:
    """The heading of a tab with the columns that a plan adds to it."""
    row = list(place.heading)
    for at, name in added.items():
        row += [""] * (at + 1 - len(row))
        row[at] = name
    return row
