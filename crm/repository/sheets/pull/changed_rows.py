"""Rows of known records that were changed by hand: each changed cell checked like any input."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import update

from crm.errors import CRMError, FieldError, RefusedError
from crm.model import BY_NAME, Client, Conventions, Deal, Record, fields, links, named, people
from crm.model.fields import FOREVER
from crm.repository import bills, sums, tables
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.layout import OWN, columns
from crm.repository.sheets.mirror import mirror, problems
from crm.repository.sheets.mirror.loading import some_records
from crm.repository.sheets.mirror.mirror import in_json
from crm.repository.sheets.mirror.row_matching import Placed
from crm.repository.sheets.mirror.validation import (
    NO_NAME,
    NOT_READ,
    ZEROS_DROPPED,
    SettingCheck,
    id_is_gone,
    lacks_zeros,
    missing_record,
    no_amount,
    reason_of,
    refuse_lost_zeros,
    refuse_unsound,
)
from crm.repository.sheets.pull.linked_names import linked_id
from crm.repository.sheets.pull.number_formats import Strange
from crm.repository.tables import client
from crm.repository.team import team_of
from crm.repository.transaction import SqlTransaction

# An ID as people write it, or as a number with decimals becomes text: #2, 2.0.
_NUMBER = re.compile(r"#?([0-9]{1,15})(?:[.,]0+)?")
# A typed status is pinned.
_STATUS = ("status", "status_pinned_until")


class Refused(Exception):
    """A row that cannot be taken as it is: which field, and why."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(what)
        self.name = name
        self.what = what


class ChangedRows:
    """The intake of what changed in rows into a transaction; what cannot be taken becomes a problem, and its cell stays
    as it is.

    `formulas` names the team's own fields, by client, whose changed cells hold formulas: nobody has edited those, so
    that what they show is kept beside the client and is in no history. `strange` are cells for amounts that hold
    something else.
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
        self.check_setting = check_setting
        self.formulas = formulas
        self.strange = strange
        # Records that are about to be changed, as they are; none where something else was changed meanwhile.
        self._current: dict[int, Record] = {}

    def take(self, kind: type[Record], rows: Mapping[int, Placed]) -> None:
        """Take the rows of some records of one kind, by id."""
        connection = self.tx.connection
        known = mirror.known(connection, kind, rows)
        self._current = some_records(connection, kind, rows)
        with_problems = problems.ids_with_problems(connection, kind, rows)
        mirror.put_rows(connection, kind, [(id_, at, in_json(row)) for id_, (at, row) in rows.items()])
        for record_id, (at, row) in rows.items():
            current = self._current.get(record_id) or self.tx.find(kind, record_id)
            if current is not None:
                names, faults = self._changed(current, at, row, known[record_id][1])
                if record_id in with_problems and NO_NAME not in faults.values():
                    problems.forget_what(connection, kind, record_id, NO_NAME)
                if faults or record_id in with_problems:
                    problems.note(connection, kind, record_id, row, {*names, *faults}, faults)

    def _changed(self, current: Record, at: int, row: list[Any], old: list[Any]) -> tuple[set[str], dict[str, str]]:
        """Take what fits of a changed row: which fields changed, and what is wrong with them."""
        kind = type(current)
        values: dict[str, Any] = {}
        faults: dict[str, str] = {}
        names = [name for name, new, was in zip(columns(kind), row, old, strict=False) if new != was]
        for name in names:
            try:
                self.refuse_strange(kind, at, name)
                refuse_lost_zeros(getattr(current, name, None), row[columns(kind).index(name)])
                values |= self.values(current, name, row[columns(kind).index(name)])
            except FieldError as error:
                faults[name] = error.reason
        if "postcode" in values and lacks_zeros(
            row[columns(kind).index("postcode")], {"country": getattr(current, "country", ""), **values}, self.by
        ):
            del values["postcode"]
            faults["postcode"] = ZEROS_DROPPED
        if not self._current:
            current = self.tx.get(kind, current.id)
        changed = set(names)
        if isinstance(current, Client) and row[-1] != old[-1]:
            own, wrong = self.own(current, row[-1], old[-1])
            current = self._with_formulas(current, own)
            values[OWN] = own
            faults |= wrong
            changed |= {f"={name}" for name in {**old[-1], **row[-1]}}
        faults |= self._applied(current, values)
        for totals in sums.FED.get(kind, ()):
            # Somebody who could not read the fact may have summed without it.
            link = totals.facts[kind][0].onto
            known = getattr(current, link)
            self.tx.resum(totals.onto, [values.get(link, known) if link not in faults else known])
        return changed, faults

    def refuse_strange(self, kind: type[Record], at: int, name: str) -> None:
        """Raise FieldError where a cell for an amount holds something else."""
        if what := self.strange.get((kind, at, name)):
            raise FieldError(no_amount(what))

    def values(self, current: Record, name: str, cell: Any) -> dict[str, Any]:
        """The values of the record for a changed cell. Raises FieldError."""
        kind = type(current)
        if name == "id":
            if cells.number_of(cell) != current.id:
                raise FieldError(id_is_gone(current.id))
            return {}
        if name not in fields(kind):
            return self._technical(current, name, cell)
        if fields(kind)[name].by == "accounts":
            # The old value is not shown: it may be a secret.
            raise FieldError(NOT_READ)
        if isinstance(current, Client) and name == "status":
            return self._pinned(current, str(cell).strip())
        value = self.typed(kind, name, cell)
        if (
            name in links(kind)
            and isinstance(cell, str)
            and cell.strip()
            and value == getattr(current, name)
            and not cells.is_number(cell)
        ):
            raise FieldError(f"this is the {links(kind)[name].record} {value}; write that ID into this cell")
        if fields(kind)[name].by in ("person", "steps") or name == "status_pinned_until":
            return {name: value}
        if value != self._recomputed(current, name):
            raise FieldError(
                f"this {_followed(kind, name)} and is not read; the program says {self._value_text(current, name)}"
            )
        return {}

    def typed(self, kind: type[Record], name: str, cell: Any) -> Any:
        """The value of a cell that a person filled in; in the place of an ID a name will do. Raises FieldError."""
        is_text = isinstance(cell, str) and cell.strip() and cell not in cells.FAILED
        if name in links(kind) and is_text and not cells.is_number(cell):
            number = _NUMBER.fullmatch(cell.strip())
            return int(number[1]) if number else linked_id(self.tx, kind, name, cell)
        return cells.typed(kind, name, cell, self.by)

    def _technical(self, current: Record, name: str, cell: Any) -> dict[str, Any]:
        """Check that a cell of the program's own says what it must. Raises FieldError."""
        kind = type(current)
        try:
            value = cells.READERS[kind][columns(kind).index(name)](cell)
        except (ValueError, ArithmeticError):
            raise FieldError(NOT_READ) from None
        known = getattr(current, name)
        is_unread = known == getattr(kind(), name) and name not in people(kind).values()
        # A program that has seen more changes than this machine has put it right.
        is_later = name in ("version", "updated_at") and value > known
        # Somebody has put the account back that was overwritten before this machine read the row.
        is_of_name = value != 0 and any(
            beside == name and value == team_of(self.tx.connection).account_or_former(getattr(current, written))
            for written, beside in people(kind).items()
        )
        if is_unread or is_later or is_of_name:
            table = tables.TABLES[kind]
            self.tx.connection.execute(update(table).where(table.c.id == current.id).values({name: value}))
            self.tx.forget(current.id)
        elif value != known:
            raise FieldError(NOT_READ)
        return {}

    def _recomputed(self, current: Record, name: str) -> Any:
        """A field that follows from others, once it is sure that it does."""
        kind = type(current)
        if current.id and (kind is Client or name in sums.names(kind)):
            if fields(kind)[name].by == "facts":
                self.tx.resum(kind, [current.id])
            else:
                self.tx.review([current.id])
            self.tx.settle()
            self._current = {}
            current = self.tx.get(kind, current.id)
        return getattr(current, name)

    def _value_text(self, current: Record, name: str) -> str:
        return fields(type(current))[name].check.show(getattr(current, name), self.by) or "nothing"

    def _pinned(self, current: Client, status: str) -> dict[str, Any]:
        """A status chosen in the sheet is pinned, an emptied one is left to the rules."""
        if not status:
            # Written once more even if it stays the same: the cell is empty.
            return {"status": current.status, "status_pinned_until": None}
        known = {rule.status for rule in self.tx.rules.rules} | {current.status}
        if status not in known:
            raise FieldError(f"no status “{status}”; use one of {', '.join(sorted(known - {''}))}")
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

    def own(
        self, current: Client, written: Mapping[str, Any], old: Mapping[str, Any]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The own fields as they are now, and what is wrong with those that changed."""
        own = dict(current.extra)
        faults: dict[str, str] = {}
        for name in {**old, **written}:
            if name not in written:
                own.pop(name, None)
                continue
            try:
                refuse_lost_zeros(current.extra.get(name), written[name])
                own[name] = cells.own_text(written[name], self.by)
            except FieldError as error:
                faults[f"={name}"] = error.reason
        return own, faults

    def _with_formulas(self, current: Client, own: Mapping[str, str]) -> Client:
        """The client with what its formulas show now."""
        visible = dict(current.extra)
        for name in self.formulas.get(current.id, ()):
            visible.pop(name, None)
            if name in own:
                visible[name] = own[name]
        if visible == current.extra:
            return current
        self.tx.connection.execute(update(client).where(client.c.id == current.id).values(extra=visible))
        self.tx.forget(current.id)
        return replace(current, extra=visible)

    # What fits

    def _applied(self, current: Record, values: dict[str, Any]) -> dict[str, str]:
        """Apply what fits; what does not is named with its reason."""
        changed = {name: value for name, value in values.items() if getattr(current, name) != value}
        if isinstance(current, Client) and "status" in values and values["status_pinned_until"] is None:
            changed |= {name: values[name] for name in _STATUS}
        if not changed:
            return {}
        try:
            held = self.hold(replace(current, **changed), set(changed))
            changed |= {"kind": held.kind} if isinstance(held, Client) and "kind" in changed else {}
            self.tx.apply(current, changed)
        except (Refused, RefusedError, FieldError) as error:
            if len(changed) == 1 or changed.keys() <= {*_STATUS}:
                return {next(iter(changed)): error.what if isinstance(error, Refused) else reason_of(error)}
            # One of them does not fit; the others are taken anyway. A status goes with its pin.
            parts = [{name: value} for name, value in changed.items() if name not in _STATUS]
            parts += [{name: values[name] for name in _STATUS if name in values}]
            faults: dict[str, str] = {}
            for part in parts:
                faults |= self._applied(self.tx.get(type(current), current.id), part)
            return faults
        if isinstance(current, Client) and changed.keys() & {*_STATUS}:
            self.tx.review([current.id])
        return {}

    def hold(self, record: Record, names: Collection[str]) -> Record:
        """The record as it must be as a whole. Raises Refused with the field it is about."""
        known = [name for name in columns(type(record)) if name in names]
        one = known[0] if known else OWN
        try:
            if isinstance(record, Client):
                return named(record)
            for name, link in links(type(record)).items():
                number = getattr(record, name)
                # What may be without it keeps a number that names nothing any more; a new one must name something.
                if (link.owns or (number and name in names)) and self.tx.find(BY_NAME[link.record], number) is None:
                    raise Refused(name, missing_record(link, number))
            refuse_unsound(record, self.by, self.check_setting)
            bills.refuse_uncountable(self.tx, record)
        except FieldError as error:
            raise Refused(error.field if error.field in names else one, error.reason.rstrip(".")) from error
        except CRMError as error:
            raise Refused(one, reason_of(error)) from error
        return record


def _followed(kind: type[Record], name: str) -> str:
    """The source of a field that people do not write, in words."""
    if fields(kind)[name].by != "facts":
        return "follows from the rules"
    feeding = (
        facts.plural for total in sums.TOTALS if total.onto is kind and name in total.names for facts in total.facts
    )
    source = next(feeding, "stages" if kind is Deal else "")
    return f"follows from the {source}" if source else "is written by the program"
