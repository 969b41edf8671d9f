"""Bringing the mirror in step with what was read of the spreadsheet.

What the program itself wrote is known from the history; it is taken as it is. Whatever else differs from what
the mirror last saw was done by hand: it is left for `hand_edits` to check, and the mirror keeps what it had.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from crm.errors import FieldError, StoreDamagedError
from crm.model import BY_NAME, RECORDS, Client, Conventions, Record, Sale, fields
from crm.model.encoding import value_of
from crm.repository import statements, tables
from crm.repository.bulk import insert_rows
from crm.repository.dialect import Dialect
from crm.repository.sheets import cells, journal, mirror
from crm.repository.sheets.journal import Entries
from crm.repository.sheets.layout import OWN, Cell, columns, header, heading
from crm.repository.sheets.mirror import Place, Seen, State, in_json
from crm.repository.undo import mark_undone

_BATCH = 1000
# Something is wrong with a row as a whole; looked at anew each time.
_WHOLE_ROW = "(row)"


@dataclass
class Contents:
    """What was read of the spreadsheet, all of one moment. `history` holds the rows below row
    `history_from`, 0 being the heading."""

    state: State
    tabs: Mapping[type[Record], Sequence[Sequence[Cell]]]
    places: dict[str, Place]
    history: Sequence[Sequence[Cell]]
    history_from: int
    everything: bool


@dataclass
class HandEdits:
    """What was done by hand: rows whose cells changed, rows without an id, records whose row is gone, and rows
    of deleted records that are there again. A row is (its place, its cells in the order of the columns)."""

    changed: list[tuple[type[Record], int, int, list[Any]]] = field(default_factory=list)
    added: list[tuple[type[Record], int, list[Any]]] = field(default_factory=list)
    deleted: list[tuple[type[Record], int]] = field(default_factory=list)
    restored: list[tuple[type[Record], int, int, list[Any]]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.deleted or self.restored)


@dataclass
class Taken:
    """What came of it: what was done by hand, which commits were new, and whether a row belongs to nobody's
    commit (a write that went astray and has to be put right)."""

    edits: HandEdits
    uids: Mapping[str, int]
    astray: bool = False


class StaleHistory(Exception):
    """The piece of the history that was read does not go on where the mirror stands, or takes back what it holds:
    all of it is needed."""


def take(connection: Connection, dialect: Dialect, contents: Contents, by: Conventions) -> Taken:
    """Brings the mirror in step; raises StaleHistory, and StoreDamagedError where a tab cannot be read."""
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    before = mirror.seen(connection)
    if before is not None and contents.everything:
        before = None
        _forget_everything(connection)
    try:
        news = journal.read(_news(contents, before), contents.state.last[tables.transactions.name])
    except (ValueError, KeyError, IndexError) as error:
        raise StoreDamagedError(
            f"The hidden tab “history” was changed by hand and cannot be read ({error});"
            " put an older version of the spreadsheet back (File, Version history)."
        ) from error
    if before is not None and any(each <= before.state.last[tables.transactions.name] for each in news.void):
        raise StaleHistory
    taken = Taken(HandEdits(), news.uids)
    program = _by_record(news)
    for kind in RECORDS:
        _Tab(connection, dialect, kind, contents, program.get(kind, {}), taken, by, fresh=before is None).take()
    _drop_orphans(connection)
    _enter(connection, news)
    mirror.set_seen(connection, Seen(contents.state, contents.places))
    return taken


def _news(contents: Contents, before: Seen | None) -> Sequence[Sequence[Cell]]:
    """The rows of the history that the mirror has not seen."""
    known = 0 if before is None else before.state.history_rows
    rows = contents.history
    if contents.history_from != known or len(rows) < contents.state.history_rows - known:
        if contents.history_from:
            raise StaleHistory
        raise StoreDamagedError(
            "Rows of the hidden tab “history” were deleted by hand; put an older version of the spreadsheet back"
            " (File, Version history)."
        )
    return rows[: contents.state.history_rows - known]


def _forget_everything(connection: Connection) -> None:
    for kind in reversed(RECORDS):
        connection.execute(delete(tables.TABLES[kind]))
    for table in (tables.audit, tables.transactions, mirror.sheet_row, mirror.sheet_problem, mirror.sheet_staged):
        connection.execute(delete(table))


def _enter(connection: Connection, news: Entries) -> None:
    if news.transactions:
        connection.execute(insert(tables.transactions), news.transactions)
    for start in range(0, len(news.audit), _BATCH):
        connection.execute(insert(tables.audit), news.audit[start : start + _BATCH])
    for head in news.transactions:
        if head["undoes"]:
            mark_undone(connection, head["undoes"], head["id"])


@dataclass
class _Done:
    """What the program did to one record since the mirror last saw it."""

    operation: str = ""
    after: dict[str, Any] = field(default_factory=dict)
    at: datetime | None = None


def _by_record(news: Entries) -> dict[type[Record], dict[int, _Done]]:
    """What was done to each record, summed up: the last creation or deletion counts, later updates add up."""
    times = {head["id"]: head["at"] for head in news.transactions}
    found: dict[type[Record], dict[int, _Done]] = {}
    for entry in news.audit:
        kind = BY_NAME.get(entry["record"])
        if kind is None:
            continue
        done = found.setdefault(kind, {}).setdefault(entry["record_id"], _Done())
        done.at = times[entry["transaction"]]
        if entry["operation"] == "update":
            done.operation = done.operation or "update"
            done.after.update(entry["after"] or {})
        else:
            done.operation = entry["operation"]
            done.after.clear()
    return found


@dataclass
class _Tab:
    """One tab against the mirror."""

    connection: Connection
    dialect: Dialect
    kind: type[Record]
    contents: Contents
    program: Mapping[int, _Done]
    taken: Taken
    by: Conventions
    fresh: bool

    def take(self) -> None:
        rows = self.contents.tabs[self.kind]
        head = heading(self.kind, rows[0] if rows else [])
        if "id" not in head.positions or "version" not in head.positions:
            title = self.contents.places[self.kind.kind_name].title
            raise StoreDamagedError(
                f"The tab “{title}” has lost its heading (ID, …, Version). Undo that in the spreadsheet"
                " (Edit, Undo, or File, Version history); nothing was changed."
            )
        self.head = head
        self.old = mirror.rows_of(self.connection, self.kind)
        self.problems: list[dict[str, Any]] = []
        self.seen: dict[int, tuple[int, list[Any]]] = {}
        self.unnamed: list[tuple[int, list[Any]]] = []
        self._sort_out(rows)
        if self.fresh:
            self._load()
        else:
            self._compare()
        self._unnamed_rows()
        self._write_problems()

    def _sort_out(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Which row belongs to which record."""
        last = self.contents.state.last.get(tables.TABLES[self.kind].name, 0)
        staged = []
        for at in range(1, len(rows)):
            if not any(cell != "" for cell in rows[at]):
                continue
            row = self.head.row(rows[at])
            record_id = cells.number_of(row[0])
            if record_id is None:
                if row[0] == "":
                    self.unnamed.append((at, row))
                else:
                    self._problem(at, "id", f"{str(row[0])[:40]} is no number that the program gives out")
            elif record_id > last and (cells.stamped(self._stamp(row)) or (0,))[0] == record_id:
                staged.append({"record": self.kind.kind_name, "row": at, "cell": str(self._stamp(row))})
            elif record_id in self.seen:
                first = self.seen[record_id][0] + 1
                self._problem(
                    at,
                    "id",
                    f"the ID {record_id} stands in row {first} too; empty this cell to make the row a new"
                    f" {self.kind.kind_name}, or delete the row",
                )
            else:
                self.seen[record_id] = (at, row)
        table = mirror.sheet_staged
        self.connection.execute(delete(table).where(table.c.record == self.kind.kind_name))
        if staged:
            self.connection.execute(insert(table), staged)

    def _stamp(self, row: Sequence[Any]) -> Cell:
        stamp: Cell = row[len(columns(self.kind)) - 1]
        return stamp

    def _load(self) -> None:
        """Fills the empty mirror."""
        last = self.contents.state.last.get(tables.TABLES[self.kind].name, 0)
        records = []
        noted = []
        for record_id, (at, row) in self.seen.items():
            if record_id > last:
                self._unknown(at, record_id)
                continue
            try:
                record = cells.record_of(self.kind, row)
            except (ValueError, ArithmeticError):
                record = self._as_far_as_readable(record_id, row)
            records.append(record)
            noted.append((record_id, at, in_json(row)))
        mirror.put_rows(self.connection, self.kind, noted)
        for start in range(0, len(records), _BATCH):
            batch = [tables.row_of(each) for each in records[start : start + _BATCH]]
            insert_rows(self.connection, tables.TABLES[self.kind], batch)
        if self.kind is Client:
            self.dialect.index_added(self.connection, [each.id for each in records])

    def _unknown(self, at: int, record_id: int) -> None:
        self._problem(
            at, "id", f"the program has given the ID {record_id} to nobody; empty this cell and the row gets one"
        )

    def _as_far_as_readable(self, record_id: int, row: Sequence[Any]) -> Any:
        """A record of which some cells are not as the program writes them."""
        values: dict[str, Any] = {"id": record_id}
        for name, cell, read in zip(columns(self.kind), row, cells.READERS[self.kind], strict=False):
            try:
                values[name] = read(cell)
            except (ValueError, ArithmeticError):
                if name in fields(self.kind):
                    try:
                        values[name] = cells.typed(self.kind, name, cell, self.by)
                    except FieldError as error:
                        self._note(record_id, name, error.reason)
        if self.kind is Client:
            values[OWN] = {}
            for name, cell in row[-1].items():
                try:
                    values[OWN][name] = cells.own_text(cell, self.by)
                except FieldError as error:
                    self._note(record_id, f"={name}", error.reason)
        if self.kind is Sale and "on" not in values:
            values["on"] = self.by.today
        return self.kind(**{"version": 1, **values, "id": record_id})

    def _compare(self) -> None:
        """What has changed since the mirror last saw the tab."""
        moved: list[tuple[int, int]] = []
        gone_columns = [columns(self.kind).index(name) for name in self.head.missing]
        for record_id, (at, row) in self.seen.items():
            if record_id in self.program:
                continue
            old = self.old.get(record_id)
            if old is None:
                self._appeared(record_id, at, row)
                continue
            if old[0] != at:
                moved.append((at, record_id))
            for place in gone_columns:
                row[place] = old[1][place]
            if row != old[1]:
                self._changed(record_id, at, row)
        mirror.move_rows(self.connection, self.kind, moved)
        for record_id, done in self.program.items():
            self._follow(record_id, done)
        gone = [each for each in self.old if each not in self.seen and each not in self.program]
        without_id = {found[0] for _, row in self.unnamed if (found := cells.stamped(self._stamp(row)))}
        for record_id in gone:
            if record_id not in without_id:
                self.taken.edits.deleted.append((self.kind, record_id))

    def _appeared(self, record_id: int, at: int, row: list[Any]) -> None:
        """A row with an id that the mirror has no record of: one that was deleted and is there again, perhaps."""
        last = self.contents.state.last.get(tables.TABLES[self.kind].name, 0)
        stamp = cells.stamped(self._stamp(row))
        if record_id <= last and stamp and stamp[0] == record_id:
            self.taken.edits.restored.append((self.kind, record_id, at, row))
        else:
            self._unknown(at, record_id)

    def _changed(self, record_id: int, at: int, row: list[Any]) -> None:
        stamp = cells.stamped(self._stamp(row))
        if stamp and stamp[0] != record_id:
            # The cells of one record under the id of another: either a write went astray, or a person sorted
            # a part of the columns.
            self.taken.astray = True
            self._note(
                record_id, _WHOLE_ROW, f"this row mixes the records {record_id} and {stamp[0]}; undo the sorting"
            )
            return
        self.taken.edits.changed.append((self.kind, record_id, at, row))

    def _follow(self, record_id: int, done: _Done) -> None:
        """Does to the mirror's record what the program did to the spreadsheet's."""
        found = self.seen.get(record_id)
        if done.operation == "delete":
            self._remove(record_id)
            if found is not None:
                self.taken.astray = True
            return
        current = self.connection.execute(statements.BY_ID[self.kind], {"wanted": record_id}).first()
        if found is None:
            # Written by the program, and deleted by hand before this mirror saw it.
            if current is not None:
                self.taken.edits.deleted.append((self.kind, record_id))
            return
        at, row = found
        if current is None or done.operation == "create":
            self._remove(record_id)
            self._put_new(record_id, at, row)
            return
        record = tables.record_of(self.kind, current)
        stamp = cells.stamped(self._stamp(row))
        after = {name: value_of(self.kind, name, value) for name, value in done.after.items()}
        own = stamp is not None and stamp[0] == record_id
        version = stamp[1] if own and stamp is not None and stamp[1] > record.version else record.version + 1
        expected = replace(record, **after, version=version, updated_at=done.at or record.updated_at)
        values = tables.row_of(expected)
        table = tables.TABLES[self.kind]
        self.connection.execute(update(table).where(table.c.id == record_id).values(values))
        shown = cells.row_of(expected)
        known = self._expected(shown, row, record_id, set(after))
        mirror.put_rows(self.connection, self.kind, [(record_id, at, in_json(known))])
        if row != known:
            self._changed(record_id, at, row)

    def _expected(self, shown: list[Any], row: list[Any], record_id: int, written: set[str]) -> list[Any]:
        """The row as it must be: what the program wrote as it is written, the rest as it was last seen."""
        names = columns(self.kind)
        written = {*written, "updated_at", "version"}
        old = self.old.get(record_id)
        before = old[1] if old else row
        known = [new if name in written else was for name, new, was in zip(names, shown, before, strict=False)]
        if self.kind is Client:
            known.append(shown[-1] if OWN in written else before[-1])
        return known

    def _remove(self, record_id: int) -> None:
        table = tables.TABLES[self.kind]
        self.connection.execute(delete(table).where(table.c.id == record_id))
        mirror.drop_rows(self.connection, self.kind, [record_id])

    def _put_new(self, record_id: int, at: int, row: list[Any]) -> None:
        try:
            record = cells.record_of(self.kind, row)
        except (ValueError, ArithmeticError):
            record = self._as_far_as_readable(record_id, row)
        insert_rows(self.connection, tables.TABLES[self.kind], [tables.row_of(record)])
        if self.kind is Client:
            self.dialect.index_added(self.connection, [record_id])
        mirror.put_rows(self.connection, self.kind, [(record_id, at, in_json(row))])

    def _unnamed_rows(self) -> None:
        """Rows without an id: new ones, and known ones whose id was cleared."""
        for at, row in self.unnamed:
            stamp = cells.stamped(self._stamp(row))
            if stamp and stamp[0] not in self.seen and (stamp[0] in self.old or self.fresh):
                self._problem(at, "id", f"the ID of this row is gone; write {stamp[0]} into this cell")
            else:
                self.taken.edits.added.append((self.kind, at, row))

    # What is wrong

    def _problem(self, at: int, name: str, what: str) -> None:
        """Something wrong with a row that belongs to no record."""
        self.problems.append({"id": 0, "field": name, "row": at, "column": 0, "what": what})

    def _note(self, record_id: int, name: str, what: str) -> None:
        """Something wrong with a cell of a record."""
        self.problems.append({"id": record_id, "field": name, "row": 0, "column": 0, "what": what})

    def _write_problems(self) -> None:
        table = mirror.sheet_problem
        ours = table.c.record == self.kind.kind_name
        self.connection.execute(delete(table).where(ours, (table.c.id == 0) | (table.c.field == _WHOLE_ROW)))
        for at, what in self.head.problems:
            self.problems.append({"id": 0, "field": "", "row": 0, "column": at, "what": what})
        for name in self.head.missing:
            self.problems.append(
                {"id": 0, "field": "", "row": 0, "column": 0,
                 "what": f"the column “{header(self.kind, name)}” is gone; undo that, or `sheets setup` puts it back"}
            )  # fmt: skip
        for each in self.problems:
            if each["id"]:
                self.connection.execute(
                    delete(table).where(ours, table.c.id == each["id"], table.c.field == each["field"])
                )
        if self.problems:
            self.connection.execute(insert(table), [{"record": self.kind.kind_name, **each} for each in self.problems])


def _drop_orphans(connection: Connection) -> None:
    """Sales of a client that is not there cannot be kept; they are listed instead."""
    statement = "SELECT id, client FROM sale WHERE client NOT IN (SELECT id FROM client)"
    orphans = connection.exec_driver_sql(statement).all()
    for record_id, client in orphans:
        row = mirror.known(connection, Sale, [record_id]).get(record_id)
        if row is not None:
            what = f"sale {record_id} belongs to the client {client}, who is not there"
            problem = {"record": Sale.kind_name, "id": 0, "field": "client", "row": row[0], "column": 0, "what": what}
            connection.execute(insert(mirror.sheet_problem), [problem])
        connection.exec_driver_sql("DELETE FROM sale WHERE id = ?", (record_id,))
        mirror.drop_rows(connection, Sale, [record_id])
