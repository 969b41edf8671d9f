"""The difference between a tab and the mirror: what the program wrote is followed, what people did is found."""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, bindparam, update

from crm.errors import StoreDamagedError
from crm.model import Client, Record
from crm.model.encoding import value_of
from crm.model.record import derived_columns
from crm.model.rights import MASKED, SEALED
from crm.repository import tables
from crm.repository.sheets.google.answered_rows import Part
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.layout import OWN, Cell, Heading, columns, header, heading, letters, new_heading
from crm.repository.sheets.mirror import mirror, problems
from crm.repository.sheets.mirror.loading import Loading, remove, some_records
from crm.repository.sheets.mirror.mirror import Place, State, in_json
from crm.repository.sheets.mirror.problems import WHOLE_ROW
from crm.repository.sheets.mirror.row_matching import Placed, Rows, owners
from crm.repository.sheets.mirror.validation import is_no_amount, is_typed_again
from crm.repository.sheets.pull.delta import Done, TabDamagedError

# The number of rows that are searched for a misplaced heading.
_NEAR = 20
# So many rows are put into an empty mirror at a time.
_PORTION = 1000


@dataclass
class HandEdits:
    """The edits by hand: rows whose cells changed, rows without an id, records whose row was deleted, rows of deleted
    records that are there again, and copies of rows. A row is (its place, its cells in the order of the columns).
    `promoted` holds the rows of records that were taken for copies before: id, place, cells, and the mark that stands
    there.

    `own` names the team's own fields that changed, by client. The totals of the records in `unsettled`, by kind,
    are not the sums of their facts. All of it holds while the mirror is of this `generation`.
    """

    changed: list[tuple[type[Record], int, int, list[Any]]] = field(default_factory=list)
    added: list[tuple[type[Record], int, list[Any]]] = field(default_factory=list)
    deleted: list[tuple[type[Record], int]] = field(default_factory=list)
    restored: list[tuple[type[Record], int, int, list[Any]]] = field(default_factory=list)
    copies: list[tuple[type[Record], int, list[Any]]] = field(default_factory=list)
    promoted: list[tuple[type[Record], int, int, list[Any], Cell]] = field(default_factory=list)
    own: dict[int, set[str]] = field(default_factory=dict)
    unsettled: dict[type[Record], list[int]] = field(default_factory=dict)
    generation: int = 0
    # Whether the mirror keeps accounts that are not those in the spreadsheet.
    keeps_accounts: bool = False

    def __bool__(self) -> bool:
        edited = self.changed or self.added or self.deleted or self.restored or self.unsettled
        return bool(edited or self.copies or self.promoted)

    @property
    def kinds(self) -> set[type[Record]]:
        """The kinds of record whose rows were edited."""
        edits: list[Any] = [
            *self.changed, *self.added, *self.deleted, *self.restored, *self.copies, *self.promoted
        ]  # fmt: skip
        return {edit[0] for edit in edits}

    def places(self, kind: type[Record]) -> set[int]:
        """The rows of a kind that were edited; none where rows are gone, too."""
        if any(deleted[0] is kind for deleted in self.deleted):
            return set()
        named: list[Any] = [*self.changed, *self.restored, *self.promoted]
        nameless: list[Any] = [*self.added, *self.copies]
        return {edit[2] for edit in named if edit[0] is kind} | {edit[1] for edit in nameless if edit[0] is kind}

    def take_out(self, kinds: Container[type[Record]]) -> "HandEdits":
        """Take the edits of some kinds of record out of these."""
        out = HandEdits(generation=self.generation)
        for name in ("changed", "added", "deleted", "restored", "copies", "promoted"):
            edits: list[Any] = getattr(self, name)
            setattr(out, name, [edit for edit in edits if edit[0] in kinds])
            setattr(self, name, [edit for edit in edits if edit[0] not in kinds])
        return out


class TabIntake:
    """The intake that brings one kind of record up to date with its tab. `program` holds what was done to its records
    by transactions that the mirror has not seen; an empty mirror is `fresh`. Where the rest of the tab is as it was,
    only a `part` is looked at, as long as it `fits`."""

    def __init__(
        self,
        loading: Loading,
        rows: Sequence[Sequence[Cell]],
        place: Place,
        state: State,
        program: Mapping[int, Done],
        edits: HandEdits,
        part: Part | None = None,
        *,
        fresh: bool,
    ) -> None:
        self.loading = loading
        self.connection: Connection = loading.connection
        self.kind = loading.kind
        self.place = place
        self.program = program
        self.edits = edits
        self.fresh = fresh
        self.part = part
        self.old = (
            mirror.KnownRows(self.connection, self.kind, part.first, part.end)
            if part
            else mirror.KnownRows(self.connection, self.kind)
        )
        self.wrong: list[dict[str, Any]] = []
        self.head = self._heading([place.heading] if part else rows)
        loading.later_fields = self.head.later_fields
        loading.without_column = self.head.missing
        last = state.last.get(tables.TABLES[self.kind].name, 0)
        first = part.first if part else 0
        self.rows: Rows = owners(
            self.head, part.rows if part else rows, last, self.old, self._is_known, bool(state.staging), first
        )
        if self._is_kept:
            # Whatever is there: it is restored.
            self.rows.mixed.clear()
        # Whether the totals may not be the sums of the sales any more.
        self.totals_open = False

    @property
    def fits(self) -> bool:
        """Return whether nothing in the part that was read has to do with the rest of the tab."""
        rows = self.rows
        living = {record_id for record_id, done in self.program.items() if done.operation != "delete"}
        return (
            len(living) == len(self.program)
            and rows.owned.keys() == self.old.keys() | living
            and not (rows.wrong or rows.mixed or rows.copies or rows.promoted or self.wrong)
        )

    def take(self) -> None:
        """Bring the mirror up to date, and find what was done by hand."""
        left_out = set() if self.fresh or self.part else mirror.left_out(self.connection, self.kind)
        problems.forget_passing(self.connection, self.kind)
        self._note_wrong_rows()
        self.edits.added += [(self.kind, at, row) for at, row in self.rows.nameless]
        self.edits.copies += [(self.kind, at, row) for at, row in self.rows.copies]
        for record_id, mark in self.rows.promoted.items():
            self.edits.promoted.append((self.kind, record_id, *self.rows.owned[record_id], mark))
        self.loading.is_empty = self.fresh
        if self.fresh:
            self._fill()
        else:
            self._follow()
            self._compare(left_out)
        self.loading.finish()
        problems.add(self.connection, self.kind, self.wrong)

    @property
    def _is_kept(self) -> bool:
        """Return whether nothing that is done here by hand is taken."""
        return self.kind in SEALED and not self.fresh

    # What is where

    def _heading(self, rows: Sequence[Sequence[Cell]]) -> Heading:
        written = rows[0] if rows else []
        head = heading(self.kind, written)
        if "id" not in head.positions or "version" not in head.positions:
            damage = TabDamagedError if self.kind not in SEALED else StoreDamagedError
            raise damage(
                f"The tab “{self.place.title}” has lost its heading (ID, …, Version). {self._in_the_way(rows)} Undo"
                " that in the spreadsheet (Edit, Undo, or File, Version history), or run `sheets repair`. Nothing was"
                " changed."
            )
        self.wrong += [problems.of_heading(at, message) for at, message in head.problems]
        missing = [name for name in head.missing if name not in head.later_fields]
        for name in missing:
            message = f"the column “{header(self.kind, name)}” is gone; undo that, or run `sheets setup` on a computer"
            message += " that had read it before"
            self.wrong.append(problems.of_heading(0, message))
        return self._without_new_columns(head, missing) if missing and not self.fresh else head

    def _in_the_way(self, rows: Sequence[Sequence[Cell]]) -> str:
        """The row or the cell in the place of the heading, in a sentence."""
        if not rows:
            return "The tab is empty."
        for at, row in enumerate(rows[1:_NEAR], start=1):
            if {"id", "version"} <= heading(self.kind, row).positions.keys():
                above = "row 1" if at == 1 else f"rows 1 to {at}"
                return f"It stands in row {at + 1}: delete {above}."
        seen = mirror.seen(self.connection)
        known = seen.places[self.kind.kind_name].heading if seen else new_heading(self.kind)
        for at, cell in enumerate(known):
            now = rows[0][at] if at < len(rows[0]) else ""
            if now != cell:
                return f"{letters(at)}1 says “{str(now)[:40]}” and said “{cell}”."
        return ""

    def _without_new_columns(self, head: Heading, lost: Sequence[str]) -> Heading:
        """The heading without new columns: where one of ours is missing, a new one may be it under another name."""
        known = {name for _, row in self.old.values() if row and isinstance(row[-1], dict) for name in row[-1]}
        missing = "”, “".join(header(self.kind, name) for name in lost)
        for name, at in head.own.items():
            if name not in known:
                message = f"the new column “{name}” is not read while “{missing}” is gone;"
                message += " if it is that one, rename it back"
                self.wrong.append(problems.of_heading(at, message))
        return replace(head, own={name: at for name, at in head.own.items() if name in known})

    def _is_known(self, record_id: int) -> bool:
        done = self.program.get(record_id)
        if done is not None and done.operation:
            return done.operation != "delete"
        return self.fresh or record_id in self.old

    def _note_wrong_rows(self) -> None:
        self.wrong += [problems.of_row(at, "id", message) for at, message in self.rows.wrong]
        for record_id, other in self.rows.mixed.items():
            at, row = self.rows.owned[record_id]
            message = f"row {at + 1} mixes the records {record_id} and {other}; undo the sorting that did it"
            self.wrong.append(problems.entry(record_id, row, self.kind, WHOLE_ROW, message))

    # An empty mirror

    def _fill(self) -> None:
        """Take everything as it stands; what the history knows and the tab has not was deleted by hand."""
        owned = self.rows.owned
        deleted = [record_id for record_id, done in self.program.items() if done.operation == "delete"]
        gone = sorted(self.program.keys() - owned.keys() - set(deleted))
        for record_id in deleted:
            if record_id in owned:
                self.edits.restored.append((self.kind, record_id, *owned.pop(record_id)))
        self.loading.keep(gone)
        self.edits.deleted += [(self.kind, record_id) for record_id in gone]
        # A portion at a time, and let go: what a large spreadsheet holds would not fit into memory as records.
        waiting = list(owned)
        for start in range(0, len(waiting), _PORTION):
            self._load(owned.take_out(waiting[start : start + _PORTION]))

    def _load(self, rows: Mapping[int, Placed]) -> None:
        if rows:
            self.loading.load(rows, self.rows.mixed)
            self.edits.changed += [(self.kind, id_, *rows[id_]) for id_ in self.loading.edited]
            self.loading.edited.clear()
            self.totals_open = True

    # What the program did

    def _follow(self) -> None:
        """Do to the mirror's records what transactions did to the spreadsheet's."""
        owned = self.rows.owned
        deleted = [record_id for record_id, done in self.program.items() if done.operation == "delete"]
        remove(self.connection, self.kind, deleted)
        for record_id in deleted:
            if record_id in owned:
                # Somebody has put the row back.
                self.edits.restored.append((self.kind, record_id, *owned[record_id]))
        living = self.program.keys() - set(deleted)
        # Written by the program, and deleted by hand before this mirror saw it.
        for record_id in sorted(living - owned.keys()):
            if record_id not in self.old:
                mirror.put_rows(self.connection, self.kind, [(record_id, 0, "[]")])
                self.totals_open = True
            self.edits.deleted.append((self.kind, record_id))
        existing = some_records(self.connection, self.kind, living & owned.keys())
        changed = [record_id for record_id in existing if self.program[record_id].operation != "create"]
        self._load({key: owned[key] for key in sorted(living & owned.keys() - set(changed))})
        self._update([(existing[id_], self.program[id_]) for id_ in changed])

    def _update(self, pairs: Sequence[tuple[Record, Done]]) -> None:
        written: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        noted = []
        for record, done in pairs:
            at, row = self.rows.owned[record.id]
            after = {name: self._written(record, name, value, row) for name, value in done.after.items()}
            stamp = cells.stamped(self._mark(row))
            version = stamp[1] if stamp and stamp[0] == record.id else record.version + 1
            expected = replace(record, **after, version=version, updated_at=done.at or record.updated_at)
            values = {
                **after,
                "version": version,
                "updated_at": expected.updated_at,
                **derived_columns(expected, after),
            }
            new = {f"new_{name}": value for name, value in values.items()}
            written[tuple(values)].append(new | {"wanted": record.id})
            known = self._expected(cells.row_of(expected), row, record.id, set(after))
            for place in self._gone_columns:
                row[place] = known[place]
            noted.append((record.id, at, in_json(known)))
            if row != known and record.id not in self.rows.mixed:
                self._found_changed(record.id, at, row, known)
        table = tables.TABLES[self.kind]
        for names, rows in written.items():
            values = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
            self.connection.execute(update(table).where(table.c.id == bindparam("wanted")).values(values), rows)
        mirror.put_rows(self.connection, self.kind, noted)

    def _written(self, record: Record, name: str, value: Any, row: Sequence[Any]) -> Any:
        """The value that the program has written into a field: as the history says it, or what is there where it keeps
        silent."""
        if name not in MASKED.get(self.kind.kind_name, ()):
            return value_of(self.kind, name, value)
        return getattr(record, name) if name in self.head.missing else str(row[columns(self.kind).index(name)])

    def _expected(self, current: list[Any], row: list[Any], record_id: int, written: set[str]) -> list[Any]:
        """The row as it must be: what the program wrote as it is written, the rest as it was last seen."""
        names = columns(self.kind)
        written = {*written, "updated_at", "version"} - set(self.head.missing)
        old = self.old.get(record_id)
        before = old[1] if old else row
        known = [new if name in written else was for name, new, was in zip(names, current, before, strict=False)]
        if self.kind is Client:
            known.append(self._own_as_written(current[-1], row[-1]) if OWN in written else before[-1])
        return known

    def _own_as_written(self, current: Mapping[str, str], row: Mapping[str, Cell]) -> dict[str, Any]:
        """The team's own fields as they must be; a number that shows the same is the same."""
        return {
            name: row[name] if cells.own_plain(row.get(name, "")) == text else text for name, text in current.items()
        }

    def _mark(self, row: Sequence[Any]) -> Cell:
        mark: Cell = row[len(columns(self.kind)) - 1]
        return mark

    # What people did

    def _find_typed_again(self, left_out: set[int]) -> None:
        """Make edits of amounts that were something else for Google when they were typed, and are amounts by now."""
        for record_id, name, problem in problems.what_noted(self.connection, self.kind):
            if record_id not in self.rows.owned or name not in self.head.positions or record_id in self.rows.mixed:
                continue
            at, row = self.rows.owned[record_id]
            column = columns(self.kind).index(name)
            is_settled = is_no_amount(problem) and not self.loading.is_strange(at, name)
            if not is_settled or not isinstance(row[column], int | float) or not is_typed_again(problem, row[column]):
                continue
            record = some_records(self.connection, self.kind, [record_id]).get(record_id)
            old = self.old.get(record_id)
            if record is None or old is None or record_id in left_out or record_id in self.program:
                continue
            # From the last good value on it is an edit like any other.
            known = list(old[1])
            known[column] = cells.row_of(record)[column]
            self.old[record_id] = old[0], known
            mirror.put_rows(self.connection, self.kind, [(record_id, old[0], in_json(known))])
            problems.note(self.connection, self.kind, record_id, row, {name}, {})

    def _compare(self, left_out: set[int]) -> None:
        """Compare the tab with what the mirror last saw."""
        self._find_typed_again(left_out)
        moved: list[tuple[int, int]] = []
        again: dict[int, Placed] = {}
        for record_id, (at, row) in self.rows.owned.items():
            if record_id in self.program:
                continue
            old = self.old.get(record_id)
            if old is None:
                self._appeared(record_id, at, row)
                continue
            if old[0] != at:
                moved.append((at, record_id))
            if record_id in left_out:
                again[record_id] = (at, row)
                continue
            for place in self._gone_columns:
                row[place] = old[1][place]
            if row != old[1] and record_id not in self.rows.mixed:
                self._found_changed(record_id, at, row, old[1])
        mirror.move_rows(self.connection, self.kind, moved)
        self._load(again)
        self.edits.deleted += [
            (self.kind, id_) for id_ in self.old if id_ not in self.rows.owned and id_ not in self.program
        ]

    @cached_property
    def _gone_columns(self) -> list[int]:
        return [columns(self.kind).index(name) for name in self.head.missing]

    def _found_changed(self, record_id: int, at: int, row: list[Any], known: Sequence[Any]) -> None:
        self.edits.changed.append((self.kind, record_id, at, row))
        if self.kind is Client and row[-1] != known[-1]:
            self.edits.own[record_id] = {
                name for name in {**known[-1], **row[-1]} if row[-1].get(name) != known[-1].get(name)
            }

    def _appeared(self, record_id: int, at: int, row: list[Any]) -> None:
        """A row with an id that the mirror has no record of: one that was deleted and is there again, perhaps."""
        stamp = cells.stamped(self._mark(row))
        if self._is_kept or (stamp and stamp[0] == record_id):
            self.edits.restored.append((self.kind, record_id, at, row))
        else:
            missing = f"no {self.kind.noun} {record_id}"
            message = f"{missing}; empty this cell and the row gets an ID of its own"
            self.wrong.append(problems.of_row(at, "id", message))
