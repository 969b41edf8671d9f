"""Rows in which every cell is as the program writes it, read column by column.

It comes to the same as reading them one by one, in a fraction of the time: most values of a column repeat.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from sqlalchemy import Connection

from crm.errors import RefusedError
from crm.model import Client, Conventions, Record, Setting, StatusRule, View, fields
from crm.model.fields import Amount
from crm.model.money import LARGEST_AMOUNT
from crm.repository import sums, tables
from crm.repository.bulk import converters
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.layout import OWN, columns
from crm.repository.sheets.mirror.field_checks import FieldChecks, is_a_name, own_fields_fit
from crm.repository.sheets.mirror.mirror import in_json

# These are looked at as a whole, each by itself.
WHOLE = (StatusRule, View, Setting)
# So many different cells of a column are remembered.
_REMEMBERED = 2_000
# What makes a cell JSON, by its type.
_IN_JSON: Mapping[type, Callable[[Any], str]] = {str: encode_basestring, int: repr, float: repr, bool: in_json}
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
    other fields."""
    made = {*sums.names(kind), *kind.about.follows}
    return [name for name, field in fields(kind).items() if field.by == "facts" and name not in made]


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
        making = {name for derived in self._derived.values() for name in derived.of}
        checked = {*kind.about.unique, "id"}
        if kind is Client:
            checked |= {"first_name", "last_name", "company", "status", "status_reason", "status_pinned_until"}
        checked |= {*facts(kind), *self._amounts}
        self._looked_at = checked | making | {link for link in fields(kind) if link in kind.about.needs}
        # What the cells of each column were read as so far, and what the database takes for them.
        self._known: dict[str, _Known] = defaultdict(_Known)

    def read(self, ids: Sequence[int], rows: Iterable[Sequence[Any]]) -> "Read | None":
        """The contents of some rows, by column; None where one of them has to be looked at by itself."""
        if self.kind in WHOLE:
            return None
        read = Read({}, {}, [])
        by_column = list(zip(*rows, strict=True))
        try:
            for name, reader, column in zip(columns(self.kind), cells.READERS[self.kind], by_column, strict=False):
                self._take(read, name, reader, column)
            if self.kind is Client:
                read.values[OWN] = list(by_column[-1])
                read.bound[OWN] = self._bound(OWN, read.values[OWN])
                read.written.append([in_json(own) if own else "{}" for own in read.values[OWN]])
        except (ValueError, ArithmeticError, TypeError, RefusedError):
            return None
        if read.values["id"] != list(ids) or (self.kind is Client and not self._is_client(read.values)):
            return None
        self._derive(read)
        return read

    def _take(self, read: "Read", name: str, reader: Any, column: Sequence[Any]) -> None:
        if name == "version" and (versions := _versions(read.values["id"], reader, column)):
            read.bound[name] = versions
            read.written.append([f'"{mark}"' for mark in column])
            return
        cells_in_column = set(column)
        if len(cells_in_column) > len(column) // 2 and _are_values(reader, column):
            # Most of them are there once: to remember them takes longer than it saves.
            if not self._checks.fits(name, cells_in_column, cells_in_column):
                raise ValueError
            if name in self._looked_at:
                read.values[name] = list(column)
            read.bound[name] = self._bound(name, column)
            read.written.append(list(map(_IN_JSON[type(column[0])], column)))
            return
        known = self._known[name]
        if not cells_in_column.isdisjoint((0, 1)) and bool in (types := set(map(type, column))):
            # For a dictionary 1 is the same as a truth.
            if len(types) > 1:
                raise ValueError
            known = _Known()
        elif len(known.values) > _REMEMBERED:
            known = self._known[name] = _Known()
        if new := cells_in_column - known.values.keys():
            self._read_cells(name, reader, new, known)
        if name in self._looked_at:
            read.values[name] = list(map(known.values.__getitem__, column))
        if len(cells_in_column) == 1:
            read.bound[name] = [known.bound[column[0]]] * len(column)
            read.written.append([known.written[column[0]]] * len(column))
        else:
            read.bound[name] = list(map(known.bound.__getitem__, column))
            read.written.append(list(map(known.written.__getitem__, column)))

    def _read_cells(self, name: str, reader: Any, new: Collection[Any], known: "_Known") -> None:
        """Read new cells of a column. Raises ValueError where one of them has to be looked at by itself."""
        values = {cell: reader(cell) for cell in new}
        if not self._checks.fits(name, values.keys(), values.values()):
            raise ValueError
        if name in self._amounts and any(
            amount > LARGEST_AMOUNT or has_decimals_left(amount, self.by) for amount in values.values()
        ):
            raise ValueError
        known.values |= values
        convert = self._convert[name]
        known.bound |= values if convert is None else {cell: convert(value) for cell, value in values.items()}
        known.written |= {cell: _IN_JSON[type(cell)](cell) for cell in new}

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
        for name, derived in self._derived.items():
            sources = [read.values[source] for source in derived.of]
            read.bound[name] = self._bound(name, list(map(derived.make, *sources)))


def _versions(ids: Sequence[int], reader: Any, column: Sequence[Any]) -> list[int]:
    """The versions in marks, each of which is that of its row; none where one is not."""
    if set(map(type, column)) != {str}:
        return []
    marked, _, endings = zip(*(mark.partition("/") for mark in column), strict=True)
    if marked != tuple(map(str, ids)):
        return []
    versions = {ending: reader(f"1/{ending}") for ending in set(endings)}
    return [versions[ending] for ending in endings]


def _are_values(reader: Any, column: Sequence[Any]) -> bool:
    """Return whether the cells of a column are the values that they are read as."""
    types = set(map(type, column))
    if reader is cells.text_of:
        return types == {str}
    return reader is cells.whole_of and types == {int} and max(map(abs, column)) <= cells.LARGEST_EXACT


class _Known:
    """The cells of a column that were read so far: their values, what the database takes for these, and the cells as
    JSON."""

    def __init__(self) -> None:
        self.values: dict[Any, Any] = {}
        self.bound: dict[Any, Any] = {}
        self.written: dict[Any, str] = {}


class Read:
    """Columns of rows: `values` as records hold them, of the fields that are looked at, and all of them `bound` as the
    database takes them. All cells are `written` as JSON, column by column."""

    def __init__(self, values: dict[str, list[Any]], bound: dict[str, list[Any]], written: list[list[str]]) -> None:
        self.values = values
        self.bound = bound
        self.written = written

    def in_json(self) -> list[str]:
        """The rows as the mirror keeps them."""
        return [f"[{','.join(cells)}]" for cells in zip(*self.written, strict=True)]
