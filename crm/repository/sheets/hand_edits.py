"""What people do in the spreadsheet by hand, checked like any input and made a change of the store."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert

from crm.errors import CRMError, FieldError, RefusedError
from crm.model import Client, Conventions, Record, Sale, Setting, StatusRule, View, fields, named
from crm.model.fields import FOREVER
from crm.repository import Query
from crm.repository.sheets import cells, mirror
from crm.repository.sheets.ingest import HandEdits
from crm.repository.sheets.layout import OWN, columns
from crm.repository.sheets.mirror import in_json
from crm.repository.transaction import SqlTransaction
from crm.rules import rule_text, split_rule

# Who stands in the history for it, and what as: nobody knows which person it was.
AUTHOR = "the spreadsheet"
WHAT = "edited in the sheet"

SettingCheck = Callable[[str, str, Conventions], str]


# Which field may be used once only.
_UNIQUE: Mapping[type[Record], str] = {Client: "reference", View: "name", Setting: "key"}


class _Refused(Exception):
    """A row that cannot be taken as it is: which field, and why."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(what)
        self.name = name
        self.what = what


class Adoption:
    """Takes hand edits into a transaction; what cannot be taken becomes a problem, and its cell stays as it is."""

    def __init__(self, tx: SqlTransaction, by: Conventions, check_setting: SettingCheck) -> None:
        self.tx = tx
        self.by = by
        self.check_setting = check_setting

    def adopt(self, edits: HandEdits) -> None:
        """All of them: deletions last, so that a sale moved to another client by hand is not taken along."""
        for kind, record_id, at, row in edits.restored:
            self._restore(kind, record_id, at, row)
        for kind, record_id, at, row in edits.changed:
            self._change(kind, record_id, at, row)
        for kind, at, row in edits.added:
            self._add(kind, at, row)
        for kind, record_id in edits.deleted:
            record = self.tx.find(kind, record_id)
            if record is not None:
                self.tx.delete(record)
            mirror.drop_rows(self.tx.connection, kind, [record_id])

    # A changed row

    def _change(self, kind: type[Record], record_id: int, at: int, row: list[Any]) -> None:
        known = mirror.known(self.tx.connection, kind, [record_id]).get(record_id)
        current = self.tx.find(kind, record_id)
        if known is None or current is None:
            return
        old = known[1]
        values: dict[str, Any] = {}
        problems: dict[str, str] = {}
        names = [name for name, new, was in zip(columns(kind), row, old, strict=False) if new != was]
        for name in names:
            try:
                values |= self._values(current, name, row[columns(kind).index(name)])
            except FieldError as error:
                problems[name] = error.reason
        if kind is Client and row[-1] != old[-1]:
            own, wrong = self._own(row[-1])
            values[OWN] = own
            problems |= wrong
        problems |= self._applied(current, values)
        own_names = {f"={name}" for name in {**old[-1], **row[-1]}} if kind is Client else set()
        self._note(kind, record_id, {*names, *problems, *own_names}, problems)
        mirror.put_rows(self.tx.connection, kind, [(record_id, at, in_json(row))])

    def _values(self, current: Record, name: str, cell: Any) -> dict[str, Any]:
        """What a changed cell means for the record; raises FieldError."""
        kind = type(current)
        if name not in fields(kind):
            raise FieldError("this column is the program's own; what stands here is not read")
        if isinstance(current, Client) and name == "status":
            return self._pinned(current, str(cell).strip())
        if isinstance(current, Client) and name == "status_pinned_until":
            return {name: cells.typed(kind, name, cell, self.by)}
        if fields(kind)[name].by != "person":
            follows = "sales" if fields(kind)[name].by == "facts" else "rules"
            raise FieldError(
                f"this follows from the {follows} and is not read; the program says {self._said(current, name)}"
            )
        return {name: cells.typed(kind, name, cell, self.by)}

    def _said(self, current: Record, name: str) -> str:
        return fields(type(current))[name].check.show(getattr(current, name), self.by) or "nothing"

    def _pinned(self, current: Client, status: str) -> dict[str, Any]:
        """A status chosen in the sheet is pinned, an emptied one is left to the rules."""
        if not status:
            return {"status_pinned_until": None}
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

    def _own(self, written: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        own: dict[str, str] = {}
        problems: dict[str, str] = {}
        for name, cell in written.items():
            try:
                own[name] = cells.own_text(cell, self.by)
            except FieldError as error:
                problems[f"={name}"] = error.reason
        return own, problems

    def _applied(self, current: Record, values: dict[str, Any]) -> dict[str, str]:
        """Applies what fits; what does not is named with its reason."""
        changed = {name: value for name, value in values.items() if getattr(current, name) != value}
        if not changed:
            return {}
        try:
            held = self._hold(replace(current, **changed), set(changed))
            changed |= {"kind": held.kind} if isinstance(held, Client) else {}
            self.tx.apply(current, changed)
        except (_Refused, RefusedError) as error:
            if len(changed) > 1:
                # One of them does not fit; the others are taken all the same.
                problems: dict[str, str] = {}
                for name, value in changed.items():
                    problems |= self._applied(self.tx.get(type(current), current.id), {name: value})
                return problems
            (name,) = changed
            return {name: error.what if isinstance(error, _Refused) else error.sentence}
        if isinstance(current, Client) and changed.keys() & {"status", "status_pinned_until"}:
            self.tx.review([current.id])
        return {}

    def _hold(self, record: Record, names: set[str]) -> Record:
        """The record as it must be as a whole; raises _Refused with the field it is about."""
        one = min(names, key=columns(type(record)).index) if names - {OWN} else OWN
        try:
            match record:
                case Client():
                    return named(record)
                case Sale():
                    if self.tx.find(Client, record.client) is None:
                        raise _Refused("client", f"there is no client {record.client or ''}".rstrip())
                case StatusRule():
                    split_rule(rule_text(record.status, record.when))
                case View():
                    if not record.name:
                        raise _Refused("name", "a view needs a name")
                    self.tx.find_all(Client, Query(where=record.condition, sort=record.sort, limit=1))
                case Setting():
                    self.check_setting(record.key, record.value, self.by)
        except FieldError as error:
            raise _Refused(error.field or one, error.reason) from error
        except CRMError as error:
            raise _Refused(one, error.sentence.splitlines()[0]) from error
        return record

    # A new row, and one that is there again

    def _add(self, kind: type[Record], at: int, row: list[Any]) -> None:
        values: dict[str, Any] = {}
        problems: dict[str, str] = {}
        for name, cell in zip(columns(kind), row, strict=False):
            # An own stamp or time comes from a row that was copied.
            if cell == "" or name not in fields(kind):
                continue
            if fields(kind)[name].by == "person":
                try:
                    values[name] = cells.typed(kind, name, cell, self.by)
                except FieldError as error:
                    problems[name] = error.reason
        if kind is Client:
            values[OWN], wrong = self._own(row[-1])
            problems |= wrong
        try:
            record = self._whole(kind, values, problems)
            added = self.tx.add(record)
        except _Refused as error:
            self._problem(kind, at, error.name, error.what)
            return
        except RefusedError as error:
            self._problem(kind, at, _UNIQUE.get(kind, "id"), error.sentence)
            return
        # The row as it stands is what the commit starts from: only what it does not hold yet is written.
        mirror.put_rows(self.tx.connection, kind, [(added.id, at, in_json(row))])
        self._note(kind, added.id, set(problems), problems)

    def _whole(self, kind: type[Record], values: dict[str, Any], problems: dict[str, str]) -> Record:
        """A new record from what could be read of its row; raises _Refused where that is too little."""
        if kind is Sale:
            for name in ("client", "amount"):
                if name not in values:
                    raise _Refused(name, problems.get(name, f"a sale needs its {name}"))
            if "on" in problems:
                raise _Refused("on", problems["on"])
            values.setdefault("on", self.by.today)
        if kind is StatusRule:
            values.setdefault("active", True)
            if "position" not in values:
                last = max((rule.position for rule in self.tx.find_all(StatusRule)), default=0)
                values["position"] = last + 1
        return self._hold(kind(**values), {"id", *values})

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
        if isinstance(record, Client):
            self.tx.review([record_id])
        mirror.put_rows(self.tx.connection, kind, [(record_id, at, in_json(row))])

    # What cannot be taken

    def _note(self, kind: type[Record], record_id: int, names: set[str], problems: dict[str, str]) -> None:
        """Replaces what was wrong with some cells of a record by what is wrong now."""
        table = mirror.sheet_problem
        ours = (table.c.record == kind.kind_name, table.c.id == record_id)
        self.tx.connection.execute(delete(table).where(*ours, table.c.field.in_(names)))
        rows = [
            {"record": kind.kind_name, "id": record_id, "field": name, "row": 0, "column": 0, "what": what}
            for name, what in problems.items()
        ]
        if rows:
            self.tx.connection.execute(insert(table), rows)

    def _problem(self, kind: type[Record], at: int, name: str, what: str) -> None:
        row = {"record": kind.kind_name, "id": 0, "field": name, "row": at, "column": 0, "what": what}
        self.tx.connection.execute(insert(mirror.sheet_problem), [row])
