"""What people do in the spreadsheet by hand, checked like any input and made a change of the store."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from crm.errors import CRMError, FieldError, RefusedError
from crm.model import Client, Conventions, Record, Sale, StatusRule, fields, named
from crm.model.encoding import record_of
from crm.model.fields import FOREVER
from crm.repository import tables
from crm.repository.sheets import cells, mirror, problems
from crm.repository.sheets.layout import OWN, columns
from crm.repository.sheets.loading import (
    NO_NAME,
    NOT_READ,
    UNIQUE,
    SettingCheck,
    id_is_gone,
    no_client,
    refuse_unsound,
    some_records,
)
from crm.repository.sheets.mirror import in_json
from crm.repository.sheets.owners import Placed
from crm.repository.sheets.tab import HandEdits
from crm.repository.tables import audit, client
from crm.repository.transaction import SqlTransaction

# Who stands in the history for it, and what as: nobody knows which person it was.
AUTHOR = "the spreadsheet"
WHAT = "edited in the sheet"


class _Refused(Exception):
    """A row that cannot be taken as it is: which field, and why."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(what)
        self.name = name
        self.what = what


class Adoption:
    """Takes hand edits into a transaction; what cannot be taken becomes a problem, and its cell stays as it is.

    `formulas` names the team's own fields, by client, whose changed cells hold formulas: nobody has edited those,
    so that what they show is kept beside the client and stands in no history.
    """

    def __init__(
        self,
        tx: SqlTransaction,
        by: Conventions,
        check_setting: SettingCheck,
        formulas: Mapping[int, Collection[str]] = {},
    ) -> None:
        self.tx = tx
        self.by = by
        self.check_setting = check_setting
        self.formulas = formulas
        # Records that are about to be changed, as they are; none where something else was changed meanwhile.
        self._current: dict[int, Record] = {}

    def adopt(self, edits: HandEdits) -> None:
        """All of them: deletions last, so that a sale moved to another client by hand is not taken along."""
        for kind, record_id, at, row in edits.restored:
            self._restore(kind, record_id, at, row)
        changed: dict[type[Record], dict[int, Placed]] = {}
        for kind, record_id, at, row in edits.changed:
            changed.setdefault(kind, {})[record_id] = (at, row)
        for kind, rows in changed.items():
            self._change(kind, rows)
        for kind, at, row in edits.added:
            self._add(kind, at, row)
        self._delete(edits)
        self.tx.resum(edits.unsettled)

    def _delete(self, edits: HandEdits) -> None:
        by_kind: dict[type[Record], list[int]] = {}
        for kind, record_id in edits.deleted:
            by_kind.setdefault(kind, []).append(record_id)
        known = {kind: some_records(self.tx.connection, kind, ids) for kind, ids in by_kind.items()}
        for kind, ids in by_kind.items():
            for record_id in ids:
                if record_id not in known[kind]:
                    self.tx.note_gone(kind, record_id)
                elif self.tx.find(kind, record_id) is not None:
                    # A sale may have gone with its client.
                    self.tx.delete(known[kind][record_id])
            mirror.drop_rows(self.tx.connection, kind, ids)

    # Changed rows

    def _change(self, kind: type[Record], rows: Mapping[int, Placed]) -> None:
        connection = self.tx.connection
        known = mirror.known(connection, kind, rows)
        self._current = some_records(connection, kind, rows)
        told = problems.told(connection, kind, rows)
        mirror.put_rows(connection, kind, [(each, at, in_json(row)) for each, (at, row) in rows.items()])
        for record_id, (_, row) in rows.items():
            current = self._current.get(record_id) or self.tx.find(kind, record_id)
            if current is not None:
                names, found = self._changed(current, row, known[record_id][1])
                if record_id in told and NO_NAME not in found.values():
                    problems.forget_what(connection, kind, record_id, NO_NAME)
                if found or record_id in told:
                    problems.note(connection, kind, record_id, row, {*names, *found}, found)

    def _changed(self, current: Record, row: list[Any], old: list[Any]) -> tuple[set[str], dict[str, str]]:
        """Takes what fits of a changed row: which fields changed, and what is wrong with them."""
        kind = type(current)
        values: dict[str, Any] = {}
        found: dict[str, str] = {}
        names = [name for name, new, was in zip(columns(kind), row, old, strict=False) if new != was]
        for name in names:
            try:
                values |= self._values(current, name, row[columns(kind).index(name)])
            except FieldError as error:
                found[name] = error.reason
        if not self._current:
            current = self.tx.get(kind, current.id)
        changed = set(names)
        if isinstance(current, Client) and row[-1] != old[-1]:
            own, wrong = self._own(current, row[-1], old[-1])
            current = self._with_formulas(current, own)
            values[OWN] = own
            found |= wrong
            changed |= {f"={name}" for name in {**old[-1], **row[-1]}}
        found |= self._applied(current, values)
        if isinstance(current, Sale):
            # Somebody who could not read the sale may have summed without it.
            self.tx.resum([values.get("client", current.client) if "client" not in found else current.client])
        return changed, found

    def _values(self, current: Record, name: str, cell: Any) -> dict[str, Any]:
        """What a changed cell means for the record; raises FieldError."""
        kind = type(current)
        if name == "id":
            if cells.number_of(cell) != current.id:
                raise FieldError(id_is_gone(current.id))
            return {}
        if name not in fields(kind):
            return self._technical(current, name, cell)
        if isinstance(current, Client) and name == "status":
            return self._pinned(current, str(cell).strip())
        value = cells.typed(kind, name, cell, self.by)
        if fields(kind)[name].by == "person" or name == "status_pinned_until":
            return {name: value}
        if value != self._derived_anew(current, name):
            follows = "sales" if fields(kind)[name].by == "facts" else "rules"
            raise FieldError(
                f"this follows from the {follows} and is not read; the program says {self._said(current, name)}"
            )
        return {}

    def _technical(self, current: Record, name: str, cell: Any) -> dict[str, Any]:
        """Nothing, where a cell of the program's own says what it must; raises FieldError."""
        kind = type(current)
        try:
            value = cells.READERS[kind][columns(kind).index(name)](cell)
        except (ValueError, ArithmeticError):
            raise FieldError(NOT_READ) from None
        known = getattr(current, name)
        if known == getattr(kind(), name):
            # It could not be read so far.
            table = tables.TABLES[kind]
            self.tx.connection.execute(update(table).where(table.c.id == current.id).values({name: value}))
        elif value != known:
            raise FieldError(NOT_READ)
        return {}

    def _derived_anew(self, current: Record, name: str) -> Any:
        """A field that follows from others, once it is sure that it does."""
        if isinstance(current, Client) and current.id:
            if fields(Client)[name].by == "facts":
                self.tx.resum([current.id])
            else:
                self.tx.review([current.id])
            self.tx.settle()
            self._current = {}
            current = self.tx.get(Client, current.id)
        return getattr(current, name)

    def _said(self, current: Record, name: str) -> str:
        return fields(type(current))[name].check.show(getattr(current, name), self.by) or "nothing"

    def _pinned(self, current: Client, status: str) -> dict[str, Any]:
        """A status chosen in the sheet is pinned, an emptied one is left to the rules."""
        if not status:
            # Written once more even if it stays the same: the cell is empty.
            return {"status": current.status, "status_pinned_until": None}
        known = {rule.status for rule in self.tx.rules.rules} | {current.status}
        if status not in known:
            raise FieldError(f"there is no status “{status}”; one of {', '.join(sorted(known - {''}))}")
        if status == current.status:
            return {}
        return {
            "status": status,
            "status_reason": "Pinned in the spreadsheet",
            "status_pinned_until": FOREVER,
            "status_before": current.status,
            "status_since": self.tx.today,
        }

    # The team's own fields

    def _own(
        self, current: Client, written: Mapping[str, Any], old: Mapping[str, Any]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The own fields as they are now, and what is wrong with those that changed."""
        own = dict(current.extra)
        found: dict[str, str] = {}
        for name in {**old, **written}:
            if name not in written:
                own.pop(name, None)
                continue
            try:
                own[name] = cells.own_text(written[name], self.by)
            except FieldError as error:
                found[f"={name}"] = error.reason
        return own, found

    def _with_formulas(self, current: Client, own: Mapping[str, str]) -> Client:
        """The client with what its formulas show now."""
        shown = dict(current.extra)
        for name in self.formulas.get(current.id, ()):
            shown.pop(name, None)
            if name in own:
                shown[name] = own[name]
        if shown == current.extra:
            return current
        self.tx.connection.execute(update(client).where(client.c.id == current.id).values(extra=shown))
        return replace(current, extra=shown)

    # What fits

    def _applied(self, current: Record, values: dict[str, Any]) -> dict[str, str]:
        """Applies what fits; what does not is named with its reason."""
        changed = {name: value for name, value in values.items() if getattr(current, name) != value}
        if isinstance(current, Client) and values.get("status_pinned_until", current) is None:
            changed |= {name: values[name] for name in ("status", "status_pinned_until") if name in values}
        if not changed:
            return {}
        try:
            held = self._hold(replace(current, **changed), set(changed))
            changed |= {"kind": held.kind} if isinstance(held, Client) and "kind" in changed else {}
            self.tx.apply(current, changed)
        except (_Refused, RefusedError) as error:
            if len(changed) == 1:
                (name,) = changed
                return {name: error.what if isinstance(error, _Refused) else error.sentence}
            # One of them does not fit; the others are taken all the same.
            found: dict[str, str] = {}
            for name, value in changed.items():
                found |= self._applied(self.tx.get(type(current), current.id), {name: value})
            return found
        if isinstance(current, Client) and changed.keys() & {"status", "status_pinned_until"}:
            self.tx.review([current.id])
        return {}

    def _hold(self, record: Record, names: Collection[str]) -> Record:
        """The record as it must be as a whole; raises _Refused with the field it is about."""
        known = [name for name in columns(type(record)) if name in names]
        one = known[0] if known else OWN
        try:
            if isinstance(record, Client):
                return named(record)
            if isinstance(record, Sale) and self.tx.find(Client, record.client) is None:
                raise _Refused("client", no_client(record.client))
            refuse_unsound(record, self.by, self.check_setting)
        except FieldError as error:
            raise _Refused(error.field if error.field in names else one, error.reason.rstrip(".")) from error
        except CRMError as error:
            raise _Refused(one, error.sentence.splitlines()[0].rstrip(".")) from error
        return record

    # A new row

    def _add(self, kind: type[Record], at: int, row: list[Any]) -> None:
        values: dict[str, Any] = {}
        found: dict[str, str] = {}
        # A row that was copied brings the totals, the status and the mark of another one along.
        is_copy = cells.stamped(row[len(columns(kind)) - 1]) is not None
        for name, cell in zip(columns(kind), row, strict=False):
            if cell == "" or name not in fields(kind):
                continue
            try:
                if fields(kind)[name].by == "person":
                    values[name] = cells.typed(kind, name, cell, self.by)
                elif isinstance(blank := kind(), Client) and not is_copy:
                    values |= self._values(blank, name, cell)
            except FieldError as error:
                found[name] = error.reason
        if kind is Client:
            values[OWN], wrong = self._own(Client(), row[-1], {})
            found |= wrong
        try:
            added = self.tx.add(self._whole(kind, values, found))
        except _Refused as error:
            self._problem(kind, at, error.name, error.what)
            return
        except RefusedError as error:
            self._problem(kind, at, UNIQUE.get(kind, "id"), error.sentence)
            return
        # The row as it stands is what the commit starts from: only what it does not hold yet is written.
        mirror.put_rows(self.tx.connection, kind, [(added.id, at, in_json(row))])
        if found:
            problems.note(self.tx.connection, kind, added.id, row, found.keys(), found)

    def _whole(self, kind: type[Record], values: dict[str, Any], found: Mapping[str, str]) -> Record:
        """A new record from what could be read of its row; raises _Refused where that is too little."""
        if kind is Sale:
            for name in ("client", "amount"):
                if name not in values:
                    raise _Refused(name, found.get(name, f"a sale needs its {name}"))
            if "on" in found:
                raise _Refused("on", found["on"])
            values.setdefault("on", self.by.today)
        if kind is StatusRule:
            values.setdefault("active", True)
            if "position" not in values:
                last = max((rule.position for rule in self.tx.find_all(StatusRule)), default=0)
                values["position"] = last + 1
        return self._hold(kind(**values), columns(kind))

    # A row that is there again

    def _restore(self, kind: type[Record], record_id: int, at: int, row: list[Any]) -> None:
        """The row of a deleted record is there again: somebody has taken the deletion back in the sheet."""
        try:
            record = cells.record_of(kind, row)
            if record.id != record_id:
                raise ValueError
            self._hold(record, {"id"})
            self.tx.restore([record])
        except (_Refused, RefusedError, ValueError, ArithmeticError):
            self._problem(
                kind, at, "id",
                f"{kind.kind_name} {record_id} was deleted and cannot be put back as it stands here; empty this cell"
                f" to make the row a new {kind.kind_name}",
            )  # fmt: skip
            return
        mirror.put_rows(self.tx.connection, kind, [(record_id, at, in_json(row))])
        if isinstance(record, Client):
            self._restore_sales(record_id)
            if not mirror.left_out(self.tx.connection, Sale):
                self.tx.resum([record_id])
            self.tx.review([record_id])

    def _restore_sales(self, record_id: int) -> None:
        """Puts the sales back that went with a client when its row was deleted."""
        deleted = select(audit.c.transaction).where(
            audit.c.record == Client.kind_name, audit.c.record_id == record_id, audit.c.operation == "delete"
        )
        number = self.tx.connection.execute(deleted.order_by(audit.c.id.desc()).limit(1)).scalar()
        gone = select(audit.c.before).where(
            audit.c.transaction == number, audit.c.record == Sale.kind_name, audit.c.operation == "delete"
        )
        sales = [record_of(Sale, before) for (before,) in self.tx.connection.execute(gone) if before]
        wanted = {sale.id for sale in sales} - some_records(
            self.tx.connection, Sale, [sale.id for sale in sales]
        ).keys()
        sales = [sale for sale in sales if sale.client == record_id and sale.id in wanted]
        if sales:
            self.tx.restore(sales)

    def _problem(self, kind: type[Record], at: int, name: str, what: str) -> None:
        """Something wrong with a row that belongs to no record."""
        problems.add(self.tx.connection, kind, [problems.of_row(at, name, what)])
