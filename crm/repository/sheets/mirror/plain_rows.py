"""Rows in which every cell is as the program writes it, read column by column.

It comes to the same as reading them one by one, in a fraction of the time: most values of a column repeat.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from crm.errors import RefusedError
from crm.model import Client, Conventions, Record, Setting, StatusRule, View, fields
from crm.model.fields import Amount, Prose
from crm.repository import sums, tables
from crm.repository.bulk import converters
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.layout import OWN, columns
from crm.repository.sheets.mirror.field_checks import FieldChecks, is_a_name, own_fields_fit

# These are looked at as a whole, each by itself.
WHOLE = (StatusRule, View, Setting)
# A reason that a rule gave begins with its text, and that with the status.
_BY_RULE = re.compile(r"(.{1,40}?) (?:when|otherwise)\b")


def status_by_rule(status: str, reason: str) -> str:
    """The status that a reason tells of where a client has another one, else ''."""
    by_rule = None if reason.startswith(f"{status} ") else _BY_RULE.match(reason)
    return by_rule[1] if by_rule else ""


def amounts(kind: type[Record]) -> Sequence[str]:
    """The amounts that people type."""
    return [name for name, field in fields(kind).items() if isinstance(field.check, Amount) and field.by == "person"]


def facts(kind: type[Record]) -> Sequence[str]:
    """The fields that only the program writes, and whose last values the history holds: not what is summed or made of
    other fields, and no long texts."""
    made = {*sums.names(kind), *kind.about.follows}
    return [
        name
        for name, field in fields(kind).items()
        if field.by == "facts" and name not in made and not isinstance(field.check, Prose)
    ]


def has_decimals_left(amount: Any, by: Conventions) -> bool:
    """Return whether an amount has more decimals than the currency."""
    return bool(amount != round(amount, max(2, by.decimals)))


class PlainRows:
    """A reader of rows of one kind."""

    def __init__(self, connection: Connection, checks: FieldChecks) -> None:
        kind = checks.kind
        self.kind = kind
        self.by = checks.by
        self._checks = checks
        self._convert = converters(connection, tables.TABLES[kind])
        self._amounts = amounts(kind)
        self._derived = kind.about.derived
        self._making = {name for derived in self._derived.values() for name in derived.of}
        checked = {*kind.about.unique, "id"}
        if kind is Client:
            checked |= {"first_name", "last_name", "company", "status", "status_reason", "status_pinned_until"}
        checked |= {*facts(kind)}
        self._looked_at = checked | self._making | {link for link in fields(kind) if link in kind.about.needs}

    def read(self, ids: Sequence[int], rows: Iterable[Sequence[Any]]) -> "Read | None":
        """The contents of some rows, by column; None where one of them has to be looked at by itself."""
        if self.kind in WHOLE:
            return None
        read = Read({}, {})
        by_column = list(zip(*rows, strict=True))
        try:
            for name, reader, column in zip(columns(self.kind), cells.READERS[self.kind], by_column, strict=False):
                self._take(read, name, reader, column)
            if self.kind is Client:
                read.values[OWN] = list(by_column[-1])
                read.bound[OWN] = self._bound(OWN, read.values[OWN])
        except (ValueError, ArithmeticError, TypeError, RefusedError):
            return None
        if read.values["id"] != list(ids) or (self.kind is Client and not self._is_client(read.values)):
            return None
        self._derive(read)
        return read

    def _take(self, read: "Read", name: str, reader: Any, column: Sequence[Any]) -> None:
        types = set(map(type, column))
        if bool in types and len(types) > 1:
            # For a dictionary 1 is the same as a truth.
            raise ValueError
        known = {cell: reader(cell) for cell in set(column)}
        if not self._checks.fits(name, known.keys(), known.values()):
            raise ValueError
        if name in self._amounts and any(has_decimals_left(amount, self.by) for amount in known.values()):
            raise ValueError
        if name in self._looked_at:
            read.values[name] = [known[cell] for cell in column]
        convert = self._convert[name]
        if convert is not None:
            known = {cell: convert(value) for cell, value in known.items()}
        read.bound[name] = [known[cell] for cell in column]

    def _bound(self, name: str, values: Sequence[Any]) -> list[Any]:
        convert = self._convert[name]
        return list(values) if convert is None else [convert(value) for value in values]

    def _is_client(self, values: Mapping[str, Sequence[Any]]) -> bool:
        if not own_fields_fit([own.values() for own in values[OWN] if own]):
            return False
        names = zip(values["first_name"], values["last_name"], values["company"], strict=True)
        if not all(map(is_a_name, names)) or not all(values["kind"]):
            return False
        statuses = zip(values["status"], values["status_reason"], values["status_pinned_until"], strict=True)
        written = {(status, reason) for status, reason, pinned in statuses if not pinned}
        return not any(status_by_rule(*pair) for pair in written)

    def _derive(self, read: "Read") -> None:
        """Make the columns that only serve finding and sorting."""
        names = sorted(self._making)
        records: list[Any] = []
        if names:
            making = zip(*(read.values[name] for name in names), strict=True)
            records = [self.kind(**dict(zip(names, values, strict=True))) for values in making]
        for name, derived in self._derived.items():
            read.bound[name] = self._bound(name, [derived.make(record) for record in records])


class Read:
    """Columns of rows: `values` as records hold them, of the fields that are looked at, and all of them `bound` as the
    database takes them."""

    def __init__(self, values: dict[str, list[Any]], bound: dict[str, list[Any]]) -> None:
        self.values = values
        self.bound = bound
