"""The permissions of one reader, applied to queries and to what is shown."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from crm.errors import FieldError, ForbiddenError
from crm.model import RECORDS, Record, User, fields
from crm.model.record import AnyRecord
from crm.model.rights import (
    ALL,
    AREAS,
    HISTORY,
    NONE,
    OWN,
    OWN_CHANGES,
    OWN_WHERE,
    OWNED_BY,
    READ,
    SECRET,
    STORE,
    UPDATE,
    Level,
    Reader,
    hidden,
    hidden_of_others,
    level,
    refusal,
)
from crm.repository import Query, tables
from crm.repository.guarded.statement_scope import OutOfScope, scope_of

_AREAS = {tables.TABLES[kind]: kind.kind_name for kind in RECORDS} | {
    tables.transactions: HISTORY,
    tables.audit: HISTORY,
    tables.store_facts: STORE,
}


class Permissions:
    """The rights of one reader."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    # What may be asked for

    def level(self, area: str, operation: str) -> Level:
        """The level of the reader's right to do something. Raises ForbiddenError where nowhere."""
        granted = level(self.reader.role, area, operation)
        if granted is NONE:
            raise ForbiddenError(refusal(area, operation))
        return granted

    def demand(self, area: str, operation: str) -> None:
        """Raise ForbiddenError unless the reader may do something to all there is."""
        if level(self.reader.role, area, operation) is not ALL:
            raise ForbiddenError(refusal(area, operation))

    def demand_scope(self, statement: Any) -> None:
        """Raise ForbiddenError unless everything that a statement refers to may be read, as it is and in full."""
        try:
            scope = scope_of(statement)
        except OutOfScope as error:
            raise ForbiddenError("A report asks for what cannot be checked against your rights.") from error
        for table in scope.tables:
            area = _AREAS.get(table)
            if area is None:
                raise ForbiddenError("A report asks for what is none of the store's records.")
            self.demand(area, READ)
            if scope.whole_rows and area in SECRET:
                raise ForbiddenError(f"Nobody can see all of {table.name}.")
        for column in scope.columns:
            area = _AREAS.get(column.table, "")
            if column.name in self._hidden(area) | hidden_of_others(self.reader.role, area):
                raise ForbiddenError(f"Nobody can see {column.name} of {column.table}.")

    def narrowed(self, kind: type[Record], query: Query, part_of: tuple[str, Sequence[int]] | None = None) -> Query:
        """The query, about no more than the reader may see; of records that are part of others the link to those, and
        the ids of those that are seen, are given. Raises ForbiddenError, and FieldError where it goes by a field that
        the reader does not see: what is found would tell what is in it."""
        read_level = self.level(kind.kind_name, READ)
        concealed = self._hidden(kind.kind_name) | hidden_of_others(self.reader.role, kind.kind_name)
        for name in (*query.filters, *query.within, query.sort.removeprefix("-").replace("-", "_")):
            if name in concealed:
                raise FieldError(f"{kind.nouns} have no field {name} to go by")
        if read_level is ALL:
            return query
        if query.where:
            raise ForbiddenError("Only staff can search by conditions.")
        name, value = self._own(kind) if part_of is None else part_of
        own_where = OWN_WHERE.get(kind.kind_name, {})
        return dataclasses.replace(query, within={**query.within, name: value, **own_where})

    # What is whose

    def sees(self, record: Record) -> bool:
        """Return whether a record is there for the reader."""
        read_level = level(self.reader.role, record.kind_name, READ)
        return read_level is ALL or (read_level is OWN and self.owns(record))

    def owns(self, record: Record) -> bool:
        """Return whether a record is the reader's own."""
        name, value = self._own(type(record))
        own_where = OWN_WHERE.get(record.kind_name, {})
        return (
            bool(value)
            and alike(getattr(record, name), value)
            and all(getattr(record, name) in values for name, values in own_where.items())
        )

    def _own(self, kind: type[Record]) -> tuple[str, Any]:
        """The field that says whose a record is, and what is in those of the reader."""
        name, of_reader = OWNED_BY[kind.kind_name]
        return name, getattr(self.reader, of_reader)

    # What is changed

    def demand_changes(self, kind: type[Record], changes: Mapping[str, Any]) -> None:
        """Raise ForbiddenError where these fields may not be changed, or not to these values."""
        update_level = self.level(kind.kind_name, UPDATE)
        self.demand_no_secrets(kind, changes)
        if update_level is ALL:
            return
        allowed = OWN_CHANGES[kind.kind_name]
        for name, value in changes.items():
            values = allowed.get(name, frozenset())
            if values is not None and value not in values:
                label = fields(kind)[name].label.lower() if name in fields(kind) else name
                raise ForbiddenError(
                    f"Only an admin can change the {label} of {AREAS[kind.kind_name]}. Nothing was changed."
                )

    def demand_no_secrets(self, kind: type[Record], values: Mapping[str, Any]) -> None:
        """Raise ForbiddenError for values of what lets somebody in: that goes through the accounts alone."""
        for name in SECRET.get(kind.kind_name, ()):
            if values.get(name):
                raise ForbiddenError(f"Nobody sets the {name} of {kind.plural} directly. Nothing was changed.")

    # What is shown

    def redacted(self, record: AnyRecord) -> AnyRecord:
        """The record with what the reader may not see left blank."""
        concealed = self._hidden(record.kind_name)
        personal = hidden_of_others(self.reader.role, record.kind_name)
        if personal and not self.owns(record):
            concealed |= personal
            if isinstance(record, User) and not record.name:
                # Who has no other name goes by this one in every record.
                record = dataclasses.replace(record, name=record.email)
        if not concealed:
            return record
        known = fields(type(record))
        # What is beside a name is the number of an account.
        blank: dict[str, Any] = {name: known[name].check.empty if name in known else 0 for name in concealed}
        return dataclasses.replace(record, **blank)

    def redacted_fields(self, kind: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same of a record's fields as the history has them."""
        concealed = self._hidden(kind)
        if concealed.isdisjoint(values):
            return values
        return {name: "" if name in concealed else value for name, value in values.items()}

    def _hidden(self, kind: str) -> frozenset[str]:
        return hidden(self.reader.role, kind)


def alike(one: Any, other: Any) -> bool:
    """Return whether two numbers are the same, or two names, in whatever case: so they are looked for too."""
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    return bool(one == other)
