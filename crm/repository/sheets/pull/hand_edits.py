"""Edits by hand in the spreadsheet, checked like any input and made a change of the store."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import select

from crm.errors import FieldError, RefusedError
from crm.model import (
    BY_NAME,
    RECORDS,
    Client,
    Conventions,
    Record,
    Stage,
    StatusRule,
    belonging_to,
    fields,
    links,
    owner_link,
)
from crm.model.encoding import record_of
from crm.repository import Query, sums
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.layout import OWN, columns, programs_own
from crm.repository.sheets.mirror import mirror, problems
from crm.repository.sheets.mirror.loading import some_records
from crm.repository.sheets.mirror.mirror import in_json
from crm.repository.sheets.mirror.row_matching import Placed
from crm.repository.sheets.mirror.validation import ZEROS_DROPPED, SettingCheck, lacks_zeros, missing_record
from crm.repository.sheets.pull.changed_rows import ChangedRows, Refused
from crm.repository.sheets.pull.held_edits import unread_dependents
from crm.repository.sheets.pull.number_formats import Strange
from crm.repository.sheets.pull.tab_diff import HandEdits
from crm.repository.tables import audit
from crm.repository.transaction import SqlTransaction

# What it is in the history as.
WHAT = "edited in the sheet"


class Adoption:
    """The intake of hand edits into a transaction; what cannot be taken becomes a problem, and its cell stays as it is.

    `formulas` is what `formulas.formulas` found, `strange` what `strange_amounts` did.
    """

    def __init__(
        self,
        tx: SqlTransaction,
        by: Conventions,
        check_setting: SettingCheck,
        formulas: Mapping[int, Collection[str]],
        strange: Strange,
    ) -> None:
        self.tx = tx
        self.by = by
        self.rows = ChangedRows(tx, by, check_setting, formulas, strange)
        # The records whose rows were deleted.
        self._going: set[tuple[type[Record], int]] = set()

    def adopt(self, edits: HandEdits) -> None:
        """All of them: deletions last, so that a sale moved to another client by hand is not deleted with the old
        one."""
        for kind, record_id, at, row in edits.restored:
            self._restore(kind, record_id, at, row)
        changed: dict[type[Record], dict[int, Placed]] = {}
        for kind, record_id, at, row in edits.changed:
            changed.setdefault(kind, {})[record_id] = (at, row)
        for kind, rows in changed.items():
            lasting = some_records(self.tx.connection, kind, list(rows)) if kind.about.lasting else {}
            self.rows.take(kind, rows)
            self._keep(list(lasting.values()))
        self._going.update(edits.deleted)
        for kind, at, row in edits.added:
            self._add(kind, at, row)
        self._delete(edits)
        for kind, unsettled in edits.unsettled.items():
            self.tx.resum(kind, unsettled)

    def _delete(self, edits: HandEdits) -> None:
        by_kind: dict[type[Record], list[int]] = {}
        for kind, record_id in edits.deleted:
            by_kind.setdefault(kind, []).append(record_id)
        known = {kind: some_records(self.tx.connection, kind, ids) for kind, ids in by_kind.items()}
        # What keeps another record goes before it.
        for kind in (kind for kind in reversed(RECORDS) if kind in by_kind):
            ids = by_kind[kind]
            for record_id in ids:
                if record_id not in known[kind]:
                    self._delete_unseen(kind, record_id)
                elif self.tx.find(kind, record_id) is not None:
                    # A sale may have gone with its client.
                    self.tx.delete(known[kind][record_id])
            mirror.drop_rows(self.tx.connection, kind, ids)
            if kind.about.lasting:
                self._keep(list(known[kind].values()))

    def _delete_unseen(self, kind: type[Record], record_id: int, row: Sequence[Any] = ()) -> None:
        """Delete a record of which nothing but its `row`, if that is there, is known, with those that belong to it."""
        for owned, link in belonging_to(kind):
            for number, theirs in unread_dependents(self.tx.connection, owned, link, [record_id]).items():
                self._delete_unseen(owned, number, theirs)
        record = None
        with suppress(ValueError, ArithmeticError):
            record = cells.record_of(kind, row) if row else None
        self.tx.note_gone(kind, record_id, record)

    def _keep(self, records: Sequence[Record]) -> None:
        """Restore those of the records that are deleted, or were turned into others: they are deleted only on
        purpose."""
        for record in records:
            key = type(record).about.unique[0]
            if not self.tx.count(type(record), Query({key: getattr(record, key)})):
                self.tx.add(dataclasses.replace(record, id=0))

    # A new row

    def _add(self, kind: type[Record], at: int, row: list[Any]) -> None:
        values: dict[str, Any] = {}
        faults: dict[str, str] = {}
        # A row that was copied brings the totals and the status of another one along, with its mark or the reason of
        # the status. These are written over: no history tells a new computer what they have to be.
        by_rules = [name for name in programs_own(kind) if name in fields(kind) and fields(kind)[name].by == "rules"]
        mark = row[len(columns(kind)) - 1]
        is_copy = cells.stamped(cells.copied_stamp(mark) or mark) is not None or any(
            row[columns(kind).index(name)] != "" for name in by_rules
        )
        for name, cell in zip(columns(kind), row, strict=False):
            if cell == "" or name not in fields(kind) or name in by_rules:
                continue
            try:
                self.rows.refuse_strange(kind, at, name)
                if fields(kind)[name].by == "person":
                    values[name] = self.rows.typed(kind, name, cell)
                elif isinstance(blank := kind(), Client) and not is_copy:
                    values |= self.rows.values(blank, name, cell)
            except FieldError as error:
                faults[name] = error.reason
        if kind is Client:
            values[OWN], wrong = self.rows.own(Client(), row[-1], {})
            faults |= wrong
            if lacks_zeros(row[columns(Client).index("postcode")], values, self.by):
                del values["postcode"]
                faults["postcode"] = ZEROS_DROPPED
        for name, link in links(kind).items():
            if link.owns and (BY_NAME[link.record], values.get(name)) in self._going:
                # It would go with it, and nobody could restore it.
                faults[name] = f"{missing_record(link, values.pop(name))}: its row was deleted"
        try:
            added = self.tx.add(self._whole(kind, values, faults))
        except Refused as error:
            self._problem(kind, at, error.name, error.what)
            return
        except RefusedError as error:
            self._problem(kind, at, next(iter(kind.about.unique), "id"), error.sentence)
            return
        except FieldError as error:
            name = error.field if error.field in columns(kind) else "id"
            self._problem(kind, at, name, _lack(kind, error))
            return
        # The row as it stands is what the commit starts from: only what it does not hold yet is written.
        mirror.put_rows(self.tx.connection, kind, [(added.id, at, in_json(row))])
        if faults:
            problems.note(self.tx.connection, kind, added.id, row, faults.keys(), faults)

    def _whole(self, kind: type[Record], values: dict[str, Any], faults: Mapping[str, str]) -> Record:
        """A new record from what could be read of its row. Raises Refused where that is too little."""
        for name in kind.about.needs:
            if name in ("on", "due_on"):
                if name in faults:
                    raise Refused(name, faults[name])
                values.setdefault(name, self.by.today)
            elif name not in values and (owner_link(kind) or kind is Stage) and name != "stage":
                noun = kind.noun
                raise Refused(name, faults.get(name, f"{_a(noun)} needs its {fields(kind)[name].label.lower()}"))
        if kind is StatusRule:
            values.setdefault("active", True)
            if "position" not in values:
                last = max((rule.position for rule in self.tx.find_all(StatusRule)), default=0)
                values["position"] = last + 1
        return self.rows.hold(kind(**values), columns(kind))

    # A row that is there again

    def _restore(self, kind: type[Record], record_id: int, at: int, row: list[Any]) -> None:
        """The row of a deleted record is there again: somebody has taken the deletion back in the sheet."""
        try:
            record = cells.record_of(kind, row)
            if record.id != record_id:
                raise ValueError
            self.rows.hold(record, {"id"})
            self.tx.restore([record])
        except (Refused, RefusedError, FieldError, ValueError, ArithmeticError):
            self._problem(
                kind, at, "id",
                f"{kind.noun} {record_id} was deleted and cannot be put back as it is here; empty this cell"
                f" to make the row a new {kind.noun}",
            )  # fmt: skip
            return
        mirror.put_rows(self.tx.connection, kind, [(record_id, at, in_json(row))])
        if isinstance(record, Client):
            self._restore_parts(record_id)
        feeding = {facts for totals in sums.onto(kind) for facts in totals.facts}
        if not any(mirror.left_out(self.tx.connection, kind) for kind in feeding):
            self.tx.resum(kind, [record_id])
        if kind is Client:
            self.tx.review([record_id])

    def _restore_parts(self, record_id: int) -> None:
        """Put back what went with a client when its row was deleted: its sales, its deals, ..."""
        deleted = select(audit.c.transaction).where(
            audit.c.record == Client.kind_name, audit.c.record_id == record_id, audit.c.operation == "delete"
        )
        number = self.tx.connection.execute(deleted.order_by(audit.c.id.desc()).limit(1)).scalar()
        restored = {(Client.kind_name, record_id)}
        for kind in RECORDS:
            owner = owner_link(kind)
            if owner is None:
                continue
            images = select(audit.c.before).where(
                audit.c.transaction == number, audit.c.record == kind.kind_name, audit.c.operation == "delete"
            )
            records = [record_of(kind, before) for (before,) in self.tx.connection.execute(images) if before]
            existing = some_records(self.tx.connection, kind, [record.id for record in records]).keys()
            name, of = owner
            back = [
                record for record in records
                if (of.kind_name, getattr(record, name)) in restored and record.id not in existing
            ]  # fmt: skip
            if back:
                self.tx.restore(back)
                restored |= {(kind.kind_name, record.id) for record in back}

    def _problem(self, kind: type[Record], at: int, name: str, message: str) -> None:
        """Something wrong with a row that belongs to no record."""
        problems.add(self.tx.connection, kind, [problems.of_row(at, name, message)])


def _lack(kind: type[Record], error: FieldError) -> str:
    """The field that a new row needs and does not have."""
    if error.field not in kind.about.needs:
        return error.reason
    if fields(kind)[error.field].by != "person":
        return f"{_a(kind.noun)} is not added in the spreadsheet; add it in the program and delete this row"
    return f"{_a(kind.noun)} needs its {fields(kind)[error.field].label.lower()}"


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
