"""Rows of the spreadsheet put into the mirror as records, many at once, as far as they can be read.

A row of which too little can be read is left out: its cells are kept and what is wrong is listed, and it is tried
again until it can be read.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, select, update

from crm.errors import CRMError, FieldError
from crm.model import (
    BY_NAME,
    RECORDS,
    Client,
    Conventions,
    Record,
    View,
    fields,
    links,
    named,
    owner_link,
    people,
)  # fmt: skip
from crm.model.fields import ElectronicAddress, Email, Line, Phone, Prose
from crm.model.money import LARGEST_AMOUNT
from crm.model.rights import SEALED
from crm.repository import statements, tables
from crm.repository.bulk import insert_columns, insert_rows
from crm.repository.dialect import Dialect
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.layout import OWN, alike, columns
from crm.repository.sheets.mirror import mirror, problems
from crm.repository.sheets.mirror.field_checks import FieldChecks, is_a_name, own_fields_fit
from crm.repository.sheets.mirror.mirror import in_json
from crm.repository.sheets.mirror.plain_rows import (
    WHOLE,
    PlainRows,
    amounts,
    facts,
    has_decimals_left,
    status_by_rule,
)
from crm.repository.sheets.mirror.row_matching import Placed
from crm.repository.sheets.mirror.validation import (
    CODES,
    MAY_LACK_ZEROS,
    NO_NAME,
    NOT_READ,
    ZEROS_DROPPED,
    SettingCheck,
    id_is_gone,
    is_number,
    lacks_zeros,
    missing_record,
    no_amount,
    reason_of,
    refuse_lost_zeros,
    refuse_unsound,
)
from crm.repository.team import team_of

_BATCH = 1000
# What is kept of a file as an address.
_LONGEST_KEPT = 254
_MISSING = ("", None, 0)


class Loading:
    """The loading of rows of one kind of record into the mirror. `good` holds records as they were known before, whose
    values stay where a cell cannot be read."""

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect,
        kind: type[Record],
        by: Conventions,
        check_setting: SettingCheck,
        good: Mapping[int, Record],
        strange: Mapping[tuple[int, str], str] | None = None,
        last_account: int = 0,
    ) -> None:
        self.connection = connection
        self.dialect = dialect
        self.kind = kind
        self.by = by
        self.check_setting = check_setting
        self.good = good
        # The cells that hold something else than their field, by row and field: for an amount a date.
        self._strange = strange or {}
        self._strange_rows = {at for at, _ in self._strange}
        self.wrong: list[dict[str, Any]] = []
        # The fields that the tab has no columns for yet.
        self.later_fields: Collection[str] = ()
        # The fields whose columns are not in the tab, those included.
        self.without_column: Collection[str] = ()
        # Records with cells that were changed in the sheet since the program wrote them, with what it had written, by
        # field: they are checked like any other edit.
        self.edited: dict[int, dict[str, Any]] = {}
        # The rows with another amount than the program has written, where that was looked for.
        self.typed_over: Collection[int] = ()
        # Whether the mirror holds no rows of this kind but those that are put in, each once.
        self.is_empty = False
        # The ids of all records that those which are put in can belong to, once they are known.
        self._owners: set[int] | None = None
        self._amounts = amounts(kind)
        self._facts = facts(kind)
        # What the history tells of as it was written, so that another cell is an edit.
        self._history_fields = frozenset(name for name in columns(kind) if _is_in_history(kind, name))
        # The value that the program wrote last into a field of a record, by id and name; None where it is not known.
        self.last_value: Callable[[int, str], Any] = lambda _id, _name: None
        # The values of some fields in the same way, as far as they are known.
        self.last_values: Callable[[int, Sequence[str]], Mapping[str, Any]] = lambda _id, _names: {}
        # Whether the history has the value of a field, by id and name, if it is one that no person may type.
        self.tells_doubts: Callable[[int, str], bool] = lambda _id, _name: False
        # Whether it has the value if that is a number with zeros in front.
        self.tells_zeros: Callable[[int, str], bool] = lambda _id, _name: False
        # Asks what kind of cells there are in some rows, by field.
        self.kinds_of: Callable[[Mapping[str, Sequence[int]]], Mapping[tuple[int, str], str]] = lambda _: {}
        self._checks = FieldChecks(kind, by, last_account)
        self._plain = PlainRows(connection, self._checks)
        # Clients that are not found by a search yet.
        self._unsearched: list[int] = []

    def load(self, rows: Mapping[int, Placed], leave_out: Collection[int] = ()) -> None:
        """Put rows in, by the id of their record, in the place of what was there; some are to be left out."""
        if not self._load_plain(rows, leave_out):
            self._load_one_by_one(rows, leave_out)

    def _load_plain(self, rows: Mapping[int, Placed], leave_out: Collection[int]) -> bool:
        """Put rows in, all of which are as the program writes them; False where one of them is not."""
        at_once = not (self.without_column or any(self._is_doubtful(at) for at, _ in rows.values()))
        if not at_once or not rows.keys().isdisjoint(leave_out):
            return False
        read = self._plain.read(list(rows), [row for _, row in rows.values()])
        if read is None:
            return False
        for name in self.kind.about.unique:
            values = [value for value in read.bound[name] if value not in _MISSING]
            if len(set(values)) < len(values) or self._taken(name, values, rows):
                return False
        owner = owner_link(self.kind)
        if owner is not None and not self._all_exist(owner[1], set(read.values[owner[0]])):
            return False
        names = self._facts if self.is_empty else [*self._facts, *self._amounts]
        if names and self._has_overwritten(names, rows, read.values):
            return False
        self._note_rows(rows, read.in_json())
        insert_columns(self.connection, tables.TABLES[self.kind], read.bound)
        self._unsearched += rows
        return True

    def _is_doubtful(self, at: int) -> bool:
        """Return whether a row has to be read by itself, cell by cell."""
        return at in self._strange_rows or at in self.typed_over

    def _has_overwritten(self, names: Sequence[str], ids: Iterable[int], values: Mapping[str, Sequence[Any]]) -> bool:
        """Return whether one of some fields holds another value than the program wrote."""
        by_record = zip(*(values[name] for name in names), strict=True)
        for record_id, stands in zip(ids, by_record, strict=True):
            written = self.last_values(record_id, names)
            if written and any(written.get(name, value) != value for name, value in zip(names, stands, strict=True)):
                return True
        return False

    def _load_one_by_one(self, rows: Mapping[int, Placed], leave_out: Collection[int]) -> None:
        records = {}
        self._find_failed(rows)
        for record_id, (at, row) in rows.items():
            if record_id not in leave_out:
                record = self._read(record_id, row, at, is_doubtful=self._is_doubtful(at))
                if record is not None:
                    records[record_id] = record
        if self.later_fields:
            self._fill_in_accounts(records)
        self._part_doubles(records, rows)
        self._leave_out_orphans(records, rows)
        for record_id in self.edited.keys() - records.keys():
            del self.edited[record_id]
        self._replace(rows, records.values())
        problems.add(self.connection, self.kind, self.wrong)
        self.wrong = []

    def _find_failed(self, rows: Mapping[int, Placed]) -> None:
        """Find out which cells hold a formula that fails, or a text like it that a person has typed: only the program
        writes such texts."""
        doubted: dict[str, list[int]] = {}
        failed: dict[tuple[int, str], str] = {}
        for record_id, (at, row) in rows.items():
            cells_by_name = list(zip(columns(self.kind), row, strict=False))
            if self.kind is Client:
                cells_by_name += [(f"={name}", cell) for name, cell in row[-1].items()]
            for name, cell in cells_by_name:
                if type(cell) is not str or cell not in cells.FAILED:
                    continue
                if not self.tells_doubts(record_id, OWN if name.startswith("=") else name):
                    doubted.setdefault(name, []).append(at)
                elif self._written_text(record_id, name) != cell:
                    failed[at, name] = cells.FORMULA_FAILS
        if doubted:
            kinds = self.kinds_of(doubted).items()
            failed |= {place: what for place, what in kinds if what == cells.FORMULA_FAILS}
        self._strange = {**self._strange, **failed}
        self._strange_rows.update(at for at, _ in failed)

    def _written_text(self, record_id: int, name: str) -> Any:
        """The text that the program wrote last into a field, '=Name' for one of the team's own; None where that is
        not known."""
        if name.startswith("="):
            return (self.last_value(record_id, OWN) or {}).get(name[1:])
        return self.last_value(record_id, name)

    def is_strange(self, at: int, name: str) -> bool:
        """Return whether a cell for an amount holds something else."""
        return (at, name) in self._strange

    def _fill_in_accounts(self, records: dict[int, Record]) -> None:
        """Fill in the owners' accounts by name, as far as possible."""
        team = team_of(self.connection)
        for name, beside in people(self.kind).items():
            if beside in self.later_fields:
                for record_id, record in records.items():
                    if account := team.account_or_former(getattr(record, name)):
                        values: Any = {beside: account}
                        records[record_id] = replace(record, **values)

    def keep(self, ids: Collection[int]) -> None:
        """Keep records whose rows were deleted as they were known before: restoring or deleting them needs all their
        values."""
        known = {} if self.kind.about.unique else {id_: self.good[id_] for id_ in ids if id_ in self.good}
        self._replace({id_: (0, cells.row_of(record)) for id_, record in known.items()}, known.values())
        unknown = [(id_, 0, "[]") for id_ in ids if id_ not in known]
        mirror.put_rows(self.connection, self.kind, unknown)

    def finish(self) -> None:
        """Let what was put in be found by a search."""
        if self.kind is Client:
            self.dialect.search.add(self.connection, self._unsearched)
        self._unsearched.clear()

    def _note_rows(self, rows: Mapping[int, Placed], written: Iterable[str]) -> None:
        """Note where rows stand, and their cells, `written` as JSON."""
        if not self.is_empty:
            remove(self.connection, self.kind, rows)
        noted = [(record_id, at, cells) for (record_id, (at, _)), cells in zip(rows.items(), written, strict=True)]
        mirror.put_rows(self.connection, self.kind, noted, keeps_quiet=self.is_empty)

    def _replace(self, rows: Mapping[int, Placed], records: Iterable[Record]) -> None:
        self._note_rows(rows, (in_json(self._before(record_id, row)) for record_id, (_, row) in rows.items()))
        batch = [tables.row_of(record) for record in records]
        for start in range(0, len(batch), _BATCH):
            insert_rows(self.connection, tables.TABLES[self.kind], batch[start : start + _BATCH])
        self._unsearched += [values["id"] for values in batch]

    def _before(self, record_id: int, row: list[Any]) -> list[Any]:
        """A row as it was before it was edited, so that the edit is found like any other."""
        if record_id in self.edited:
            row = list(row)
            for name, value in self.edited[record_id].items():
                row[columns(self.kind).index(name)] = cells.cell_of(value)
        return row

    def _read(self, record_id: int, row: Sequence[Any], at: int, *, is_doubtful: bool) -> Record | None:
        """The record of a row; None where too little of it can be read."""
        try:
            if is_doubtful or self._is_typed_over(record_id, row):
                raise ValueError
            record: Record | None = cells.record_of(self.kind, row)
            if record is None or record.id != record_id or not self._fits(record):
                raise ValueError
        except (ValueError, ArithmeticError, FieldError):
            record = self._as_far_as_readable(record_id, row, at)
        if record is None or self.kind in WHOLE:
            return record and self._sound(record, row)
        record = self._as_written(record)
        self._doubt_amounts(record, row)
        return self._with_name_and_status(record, row) if isinstance(record, Client) else record

    def _is_typed_over(self, record_id: int, row: Sequence[Any]) -> bool:
        """Return whether an amount is not the one that the program wrote."""
        if self.is_empty or not self._amounts:
            return False
        written = self.last_values(record_id, self._amounts)
        cell_by_name = dict(zip(columns(self.kind), row, strict=False))
        return any(not alike(cells.cell_of(value), cell_by_name[name]) for name, value in written.items())

    def _fits(self, record: Record) -> bool:
        """Return whether the values of a record are as they are kept. Raises FieldError for one that cannot be."""
        values = ((name, getattr(record, name)) for name in columns(self.kind))
        if any(self._checks.value(name, value) != value for name, value in values):
            return False
        return not isinstance(record, Client) or own_fields_fit([record.extra.values()])

    def _doubt_amounts(self, record: Record, row: Sequence[Any]) -> None:
        """Note amounts with more decimals than the currency has which are not known to be what the program wrote. They
        are taken as they are: perhaps the currency was another one when they were written."""
        for name in self._amounts:
            amount = getattr(record, name)
            if has_decimals_left(amount, self.by) and self.last_value(record.id, name) != amount:
                most = max(2, self.by.decimals)
                self._note(record.id, row, name, f"an amount in {self.by.currency} has at most {most} decimals")

    def _with_name_and_status(self, record: Client, row: Sequence[Any]) -> Client:
        names = {name: getattr(record, name) for name in ("first_name", "last_name", "company")}
        if not is_a_name(names.values()):
            blank = next((name for name in names if row[columns(Client).index(name)]), "first_name")
            self._note(record.id, row, blank, NO_NAME)
        elif not record.kind:
            record = named(record)
        return self._as_reviewed(record)

    def _as_reviewed(self, record: Client) -> Client:
        """The client with the status that its reason tells of: the program writes the two together."""
        status = "" if record.status_pinned_until else status_by_rule(record.status, record.status_reason)
        if not status:
            return record
        self.edited.setdefault(record.id, {})["status"] = status
        return replace(record, status=status)

    def _as_written(self, record: Record) -> Record:
        """The record with what the program wrote last into the fields that only it writes, or whose column is gone."""
        names = [*self._facts, *self.without_column]
        written = self.last_values(record.id, names) if names else {}
        overwritten: Any = {name: value for name, value in written.items() if getattr(record, name) != value}
        if not overwritten:
            return record
        if edited := {name: value for name, value in overwritten.items() if name not in self.without_column}:
            self.edited.setdefault(record.id, {}).update(edited)
        return replace(record, **overwritten)

    def _as_far_as_readable(self, record_id: int, row: Sequence[Any], at: int) -> Record | None:
        """A record of which some cells are not as the program writes them. Where the history tells what it wrote, that
        is the value, and another cell is an edit like any other; elsewhere a cell counts if a person may type it."""
        good = self.good.get(record_id)
        values: dict[str, Any] = {}
        written = self.last_values(record_id, columns(self.kind))
        for name, cell, read in zip(columns(self.kind), row, cells.READERS[self.kind], strict=False):
            known = written.get(name)
            is_ours = known is not None and alike(cells.cell_of(known), cell)
            if known is not None and (is_ours or name in self._history_fields):
                values[name] = known
                if not is_ours and name not in self.without_column:
                    self.edited.setdefault(record_id, {})[name] = known
                continue
            try:
                if what := self._strange.get((at, name)):
                    raise FieldError(no_amount(what))
                values[name] = self._value(record_id, name, cell, read)
            except FieldError as error:
                if known is None and self._may_be_from_file(record_id, name, cell):
                    values[name] = cell
                    continue
                is_unseen = known is None and good is None and self._is_text(name)
                self._note(record_id, row, name, error.reason + is_unseen * problems.NEVER_SEEN)
                if known is not None and good is None:
                    values[name] = known
        if self.kind is Client:
            self._doubt_postcode(record_id, row, values)
            values[OWN] = self._own(record_id, row, at, good)
        if good is None and any(name not in values for name in self.kind.about.needs):
            return None
        return replace(good or self.kind(), **values | {"id": record_id})

    def _is_text(self, name: str) -> bool:
        """Return whether a field is empty where nothing is known of it."""
        described = fields(self.kind).get(name)
        is_text = described is not None and isinstance(described.check, Line | Prose | Email | Phone)
        return is_text and name not in self.kind.about.needs

    def _doubt_postcode(self, record_id: int, row: Sequence[Any], values: dict[str, Any]) -> None:
        """Leave out a postcode that has lost zeros."""
        cell = row[columns(Client).index("postcode")]
        is_read = "postcode" in values and "postcode" not in self.edited.get(record_id, ())
        if is_read and lacks_zeros(cell, values, self.by):
            del values["postcode"]
            self._note(record_id, row, "postcode", ZEROS_DROPPED)

    def _may_be_from_file(self, record_id: int, name: str, cell: Any) -> bool:
        """Return whether a text that is no address or number may have come from a file: an older history does not
        tell."""
        described = fields(self.kind).get(name)
        if type(cell) is not str or described is None or cell in cells.FAILED:
            return False
        is_kept = isinstance(described.check, Email | Phone | ElectronicAddress)
        return is_kept and len(cell) <= _LONGEST_KEPT and not self.tells_doubts(record_id, name)

    def _value(self, record_id: int, name: str, cell: Any, read: Callable[[Any], Any]) -> Any:
        if name == "id":
            if cells.number_of(cell) != record_id:
                raise FieldError(id_is_gone(record_id))
            return record_id
        try:
            value = read(cell)
            if name in self._amounts and value > LARGEST_AMOUNT:
                raise ValueError
        except (ValueError, ArithmeticError):
            if name in CODES and is_number(cell) and not self.tells_zeros(record_id, name):
                raise FieldError(MAY_LACK_ZEROS) from None
            if name not in fields(self.kind):
                raise FieldError(NOT_READ) from None
            value = cells.typed(self.kind, name, cell, self.by)
        return self._checks.value(name, value)

    def _own(self, record_id: int, row: Sequence[Any], at: int, good: Record | None) -> dict[str, str]:
        own: dict[str, str] = {}
        for name, cell in row[-1].items():
            try:
                if self._strange.get((at, f"={name}")):
                    raise FieldError(cells.FORMULA_FAILS)
                refuse_lost_zeros(self._written_text(record_id, f"={name}"), cell)
                own[name] = cell if cell in cells.FAILED else cells.own_text(cell, self.by)
            except FieldError as error:
                self._note(record_id, row, f"={name}", error.reason)
                known = self._written_text(record_id, f"={name}")
                if known is None and isinstance(good, Client):
                    known = good.extra.get(name)
                if known is not None:
                    own[name] = known
        return own

    def _sound(self, record: Record, row: Sequence[Any]) -> Record | None:
        try:
            refuse_unsound(record, self.by, self.check_setting)
        except CRMError as error:
            named = error.field if isinstance(error, FieldError) else ""
            name = named or self.kind.about.needs[-1]
            self._note(record.id, row, name, reason_of(error).rstrip("."))
            # A view that cannot be used does no harm.
            return record if self.kind is View else self.good.get(record.id)
        return record

    def _part_doubles(self, records: dict[int, Record], rows: Mapping[int, Placed]) -> None:
        """Separate duplicates of a unique value: the first keeps it, the others become problems."""
        for name in self.kind.about.unique:
            self._part_doubles_of(name, records, rows)

    def _part_doubles_of(self, name: str, records: dict[int, Record], rows: Mapping[int, Placed]) -> None:
        taken = self._taken(name, {getattr(record, name) for record in records.values()}.difference(_MISSING), rows)
        for record_id, record in list(records.items()):
            value = getattr(record, name)
            if value in _MISSING or taken.setdefault(value, record_id) == record_id:
                continue
            label = fields(self.kind)[name].label.lower()
            message = f"{self.kind.noun} {taken[value]} has the same {label}"
            self._note(record_id, rows[record_id][1], name, message)
            if isinstance(record, Client):
                records[record_id] = replace(record, reference="")
            else:
                del records[record_id]

    def _taken(self, name: str, values: Collection[Any], rows: Mapping[int, Placed]) -> dict[Any, int]:
        """The records, other than those of the rows, that have one of some unique values, by the value."""
        table = tables.TABLES[self.kind].name
        statement = f'SELECT id, "{name}" FROM {table} WHERE "{name}" IN (SELECT value FROM json_each(?))'
        stored = self.connection.exec_driver_sql(statement, (json.dumps(list(values)),)) if values else ()
        return {row[1]: row[0] for row in stored if row[0] not in rows}

    def _all_exist(self, kind: type[Record], ids: set[int]) -> bool:
        """Return whether there are records with all of some ids."""
        if not self.is_empty:
            return ids == self._existing(kind, ids)
        if self._owners is None:
            stored = self.connection.exec_driver_sql(f"SELECT id FROM {tables.TABLES[kind].name}")
            self._owners = {row[0] for row in stored}
        return ids <= self._owners

    def _existing(self, kind: type[Record], ids: Collection[int]) -> set[int]:
        """The ids among these of which there are records."""
        statement = f"SELECT id FROM {tables.TABLES[kind].name} WHERE id IN (SELECT value FROM json_each(?))"
        return {row[0] for row in self.connection.exec_driver_sql(statement, (json.dumps(list(ids)),))}

    def _leave_out_orphans(self, records: dict[int, Record], rows: Mapping[int, Placed]) -> None:
        owner = owner_link(self.kind)
        if owner is None:
            return
        name, kind = owner
        existing = self._existing(kind, {getattr(record, name) for record in records.values()})
        for record_id, record in list(records.items()):
            if (number := getattr(record, name)) in existing:
                continue
            self._note(record_id, rows[record_id][1], name, missing_record(links(self.kind)[name], number))
            known = self.last_value(record_id, name)
            if known and self._existing(kind, [known]):
                values: Any = {name: known}
                records[record_id] = replace(record, **values)
            else:
                del records[record_id]

    def _note(self, record_id: int, row: Sequence[Any], name: str, message: str) -> None:
        self.wrong.append(problems.entry(record_id, row, self.kind, name, message))


def _is_in_history(kind: type[Record], name: str) -> bool:
    """Return whether another value of a field than the history has is an edit."""
    described = fields(kind).get(name)
    return kind not in SEALED and described is not None and (described.by in ("person", "steps") or name in facts(kind))


def remove(connection: Connection, kind: type[Record], ids: Collection[int]) -> None:
    """Take records out of the mirror, with their rows and with what was wrong in them."""
    statement = f"DELETE FROM {tables.TABLES[kind].name} WHERE id IN (SELECT value FROM json_each(?))"
    connection.exec_driver_sql(statement, (json.dumps(list(ids)),))
    mirror.drop_rows(connection, kind, ids)


def refuse_lost_links(
    connection: Connection, kind: type[Record], last: Mapping[str, int], last_value: Callable[[int, str], Any]
) -> None:
    """Name the links to records that there never were, or which the program has not written: the last value that it
    has written counts. What was deleted may still be named. `last` holds the highest numbers given out, by table."""
    table = tables.TABLES[kind]
    for name, link in links(kind).items():
        if link.owns:
            continue
        linked, target = table.c[name], tables.TABLES[BY_NAME[link.record]]
        lost = select(table.c.id, linked).where(linked != 0, linked.not_in(select(target.c.id)))
        for record_id, number in connection.execute(lost).all():
            known = last_value(record_id, name)
            if number == known or (known is None and number <= last.get(target.name, 0)):
                continue
            _, row = mirror.known(connection, kind, [record_id])[record_id]
            problems.add(connection, kind, [problems.entry(record_id, row, kind, name, missing_record(link, number))])
            if known is not None or name not in kind.about.needs:
                connection.execute(update(table).where(table.c.id == record_id).values({name: known or 0}))


def leave_out_orphans(connection: Connection) -> None:
    """Take records out of the mirror that cannot be without another one, which is gone: sales of a client; their rows
    are kept, and what is wrong is listed."""
    for kind in RECORDS:
        owner = owner_link(kind)
        if owner is None:
            continue
        table, owners, link = tables.TABLES[kind], tables.TABLES[owner[1]], tables.TABLES[kind].c[owner[0]]
        statement = select(table.c.id, link).where(link.not_in(select(owners.c.id)))
        orphans: dict[int, int] = dict(tuple(row) for row in connection.execute(statement))
        rows = mirror.known(connection, kind, orphans)
        target = links(kind)[owner[0]]
        entries = [
            problems.entry(record_id, rows[record_id][1], kind, owner[0], missing_record(target, number))
            for record_id, number in orphans.items()
            if record_id in rows
        ]
        problems.add(connection, kind, entries)
        for start in range(0, len(orphans), _BATCH):
            batch = list(orphans)[start : start + _BATCH]
            connection.execute(delete(table).where(table.c.id.in_(batch)))


def records(connection: Connection, kind: type[Record]) -> dict[int, Record]:
    """All records of a kind that the mirror holds, by id."""
    rows = connection.execute(select(*tables.record_columns(kind)))
    return {row.id: tables.record_of(kind, row) for row in rows}


def some_records(connection: Connection, kind: type[Record], ids: Collection[int]) -> dict[int, Record]:
    """The records with some ids, as far as the mirror holds them."""
    by_id: dict[int, Record] = {}
    numbers = list(ids)
    for start in range(0, len(numbers), _BATCH):
        rows = connection.execute(statements.BY_IDS[kind], {"wanted": numbers[start : start + _BATCH]})
        by_id |= {row.id: tables.record_of(kind, row) for row in rows}
    return by_id
