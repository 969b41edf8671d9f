"""The tab `history`: a transaction as the rows that are added to it, and those rows as transactions again."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, Row, select

from crm.errors import FieldError
from crm.model import BY_NAME, RECORDS, Client, Conventions, Message, Record, fields, links
from crm.model.encoding import plain
from crm.model.fields import Check, Country, ElectronicAddress, Email, Line, Phone, Prose
from crm.model.rights import SEALED
from crm.repository.sheets.grid.cells import FAILED, LARGEST_EXACT, cell_of
from crm.repository.sheets.grid.layout import HISTORY_COLUMNS, OWN, Cell
from crm.repository.sheets.mirror.mirror import in_json
from crm.repository.sheets.mirror.plain_rows import amounts, facts
from crm.repository.sheets.mirror.validation import has_zeros
from crm.repository.tables import TABLES, transactions
from crm.repository.writing import ENTRIES, Entry

# A cell holds 50 000 characters; what is longer goes on in the next row.
_LONGEST = 20_000
_GOES_ON = "+"
# All the rows of a spreadsheet are fewer: somebody has typed it.
_MOST_ENTRIES = 2_000_000
_WIDE = len(HISTORY_COLUMNS)
# So many records that were created one after the other are one entry.
_TOGETHER = 1000


@dataclass(slots=True)
class Entered:
    """One audit entry, or those of several records that were created one after the other: `ids`. What it holds is
    still the text of the cells."""

    transaction: int
    record: str
    ids: range
    operation: str
    before: str
    after: str
    # The place of the row that it begins with.
    at: int

    @property
    def fields_after(self) -> dict[str, Any]:
        """The fields that a change has written."""
        return _fields(self.after) or {}

    def created(self, record_id: int, name: str) -> Any:
        """The cell of a field with which a record was created; None where it is not known."""
        values, at = self.all_created(name), record_id - self.ids[0]
        if not 0 <= at < len(values) or values[at] == "":
            return None
        return values[at]

    @property
    def tells_doubts(self) -> bool:
        """Return whether the values are known that are doubtful and yet the program's own; none but those."""
        return _DOUBTS in _created_with(self.after)

    @property
    def tells_zeros(self) -> bool:
        """Return whether the values are known that are numbers with zeros in front; none but those."""
        return _ZEROS in _created_with(self.after)

    def all_created(self, name: str) -> Sequence[Any]:
        """The cells of a field with which the records were created, by their places in `ids`; '' for one that is not
        known, and none behind the last one that is."""
        values = _created_with(self.after).get(name)
        return values if isinstance(values, list) else ()

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The entries as rows of their table: `AUDIT_COLUMNS`."""
        after = "" if self.operation == "create" else self.after
        for record_id in self.ids:
            yield self.transaction, self.record, record_id, self.operation, _kept(self.before), _kept(after)


@lru_cache(maxsize=4)
def _created_with(text: str) -> dict[str, Any]:
    return _fields(text) or {}


AUDIT_COLUMNS = ("transaction", "record", "record_id", "operation", "before", "after")


def _kept(text: str) -> str | None:
    """The text of fields as the database keeps it."""
    return None if not text else "" if text == "{}" else text


@dataclass
class Entries:
    """A piece of the history: transactions as rows of their table, audit entries, and the places of rows that cannot be
    read."""

    transactions: list[dict[str, Any]] = field(default_factory=list)
    audit: list[Entered] = field(default_factory=list)
    torn: list[int] = field(default_factory=list)


def rows_of(connection: Connection, first: int) -> Iterator[list[Cell]]:
    """The rows of all transactions from number `first` on."""
    for head in connection.execute(select(transactions).where(transactions.c.id >= first).order_by(transactions.c.id)):
        yield from rows_of_one(connection, head, connection.execute(ENTRIES, {"wanted": head.id}))


def rows_of_one(connection: Connection, head: Row[Any], entries: Iterable[Entry | Row[Any]]) -> Iterator[list[Cell]]:
    """The rows of one transaction, given its row and its audit entries."""
    opening: list[Cell] = [head.id, head.uid or "", str(plain(head.at)), head.user, head.what, head.undoes or ""]
    by: list[Cell] = [head.user_id]
    following: list[Cell] = [head.id, "", "", "", "", ""]
    written = False
    for entry in _merged(connection, entries):
        for row in _split(entry):
            yield [*following, *row] if written else [*opening, *row, *by]
            written = True
    if not written:
        yield [*opening, *[""] * (_WIDE - len(opening) - 1), *by]


def has_content(rows: Sequence[Sequence[Cell]]) -> bool:
    """Return whether anything is in the tab below its heading."""
    return any(cell != "" for row in rows[1:] for cell in row)


def digest(row: Sequence[Cell]) -> str:
    """The digest of a row, by which the end of the history is known."""
    cells = [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in row]
    while cells and cells[-1] == "":
        cells.pop()
    return hashlib.blake2b(json.dumps(cells).encode(), digest_size=12).hexdigest()


def _merged(connection: Connection, entries: Iterable[Entry | Row[Any]]) -> Iterator[tuple[str, str, str, str, str]]:
    """The audit entries as text; records created one after the other become one entry: 12-57."""
    record, first, last = "", 0, 0
    for entry in entries:
        if entry.operation == "create":
            is_next = record == entry.record and entry.record_id == last + 1
            if is_next and (last - first + 1 < _TOGETHER or not _says(BY_NAME[record])):
                last += 1
                continue
            if record:
                yield _created(connection, record, first, last)
            record, first, last = entry.record, entry.record_id, entry.record_id
            continue
        if record:
            yield _created(connection, record, first, last)
            record = ""
        yield entry.record, str(entry.record_id), entry.operation, _text(entry.before), _text(entry.after)
    if record:
        yield _created(connection, record, first, last)


def _created(connection: Connection, record: str, first: int, last: int) -> tuple[str, str, str, str, str]:
    """The entry of records that were created, with what a row must not lose: a cell may be made something else."""
    ids = str(first) if first == last else f"{first}-{last}"
    kind = BY_NAME[record]
    names, doubted = _KEPT[kind], _DOUBTED[kind]
    if not _says(kind):
        return record, ids, "create", "", ""
    table = TABLES[kind].c
    statement = select(table.id, *(table[name] for name in (*names, *doubted))).where(table.id.between(first, last))
    known = {row.id: row for row in connection.execute(statement)}
    written = {
        name: [_kept_cell(getattr(known[number], name)) if number in known else "" for number in range(first, last + 1)]
        for name in names
    }
    for name, is_doubtful in doubted.items():
        values = [getattr(known[number], name) if number in known else "" for number in range(first, last + 1)]
        written[name] = [is_doubtful(value) if value else "" for value in values]
    # Most records name no other one but their owner.
    kept: dict[str, Any] = {name: values for name, values in written.items() if any(values)}
    return record, ids, "create", "", _text({**kept, _DOUBTS: [], _ZEROS: []} if doubted else kept)


def _kept_cell(value: Any) -> Any:
    return plain(value) if isinstance(value, Decimal) else cell_of(value)


def _kept_of(kind: type[Record]) -> Sequence[str]:
    short = [name for name in kind.about.needs if not isinstance(fields(kind)[name].check, Line | Prose)]
    return [] if kind in SEALED else list(dict.fromkeys([*amounts(kind), *links(kind), *short, *facts(kind)]))


# The fields that the entry of a creation keeps, so that a new computer knows them where a cell cannot be read or was
# overwritten: amounts, what other records it names, what it needs but for texts, and what only the program writes.
_KEPT = {kind: _kept_of(kind) for kind in RECORDS}


# The sign of an entry that has the doubtful values, if there are any.
_DOUBTS = "?"
# The same for numbers with zeros in front: older entries do not have them.
_ZEROS = "0"
# A valid value is the same in every country.
_ANYWHERE = Conventions()


def _doubtful(check: Check, text: str) -> str:
    """A text that would be refused if a person typed it into its cell, or read otherwise; else ''."""
    if text in FAILED or has_zeros(text):
        return text
    if not check.keeps_unreadable and not isinstance(check, ElectronicAddress):
        return ""
    if isinstance(check, Phone) and not text.startswith("+"):
        return text
    try:
        return "" if check.read(text, _ANYWHERE) == text else text
    except FieldError:
        return text


def _doubtful_own(own: Mapping[str, str]) -> Any:
    return {name: text for name, text in own.items() if text in FAILED or has_zeros(text)} or ""


def _doubted_of(kind: type[Record]) -> Mapping[str, Callable[[Any], Any]]:
    if kind in SEALED or kind is Message:
        return {}
    texts = (Line, Prose, Email, Phone, Country, ElectronicAddress)
    doubted: dict[str, Callable[[Any], Any]] = {
        name: partial(_doubtful, field.check)
        for name, field in fields(kind).items()
        if field.by == "person" and isinstance(field.check, texts) and name not in _KEPT[kind]
    }
    return {**doubted, OWN: _doubtful_own} if kind is Client else doubted


# The texts of which the entry of a creation keeps those that no person may type: a file may hold them.
_DOUBTED = {kind: _doubted_of(kind) for kind in RECORDS}


def _says(kind: type[Record]) -> bool:
    """Return whether the entry of a creation keeps anything."""
    return bool(_KEPT[kind] or _DOUBTED[kind])


def _text(fields: Any) -> str:
    return "" if fields is None else in_json(fields)


def _split(entry: tuple[str, str, str, str, str]) -> Iterator[list[Cell]]:
    """An entry as one row, or as several where a text is too long for a cell."""
    *opening, before, after = entry
    yield [*opening, before[:_LONGEST], after[:_LONGEST]]
    while len(before) > _LONGEST or len(after) > _LONGEST:
        before, after = before[_LONGEST:], after[_LONGEST:]
        yield ["", "", _GOES_ON, before[:_LONGEST], after[:_LONGEST]]


def read(rows: Sequence[Sequence[Cell]]) -> Entries:
    """Parse rows of the history. A row that cannot be read is skipped, and its place among them is in `torn`; one that
    is there twice counts once."""
    return _Reading().read(rows)


class _Reading:
    """Rows of the history on their way to transactions and entries."""

    def __init__(self) -> None:
        self._entries = Entries()
        self._heads: dict[int, dict[str, Any]] = {}
        self._openings: dict[int, Sequence[Cell]] = {}
        self._again = 0
        self._pending: list[Entered] = []
        self._count = 0

    def read(self, rows: Sequence[Sequence[Cell]]) -> Entries:
        """Everything that can be read."""
        entries = self._entries
        for at, cells in enumerate(rows):
            row = [*cells, *[""] * (_WIDE - len(cells))]
            try:
                if not self._comes_again(row):
                    self._take(at, row)
            except (ValueError, IndexError, OverflowError):
                entries.torn.append(at)
        entries.transactions = [self._heads[number] for number in sorted(self._heads)]
        # A store that an older version has copied into a spreadsheet has one uid for all of its transactions.
        last_of = {head["uid"]: head["id"] for head in entries.transactions}
        for head in entries.transactions:
            if last_of[head["uid"]] != head["id"]:
                head["uid"] = None
        for entry in sorted(self._pending, key=lambda entry: entry.transaction):
            try:
                _fields(entry.before), _fields(entry.after)
            except ValueError:
                entries.torn.append(entry.at)
            else:
                entries.audit.append(entry)
        return entries

    def _comes_again(self, row: Sequence[Cell]) -> bool:
        """Return whether a row is part of a transaction that is there once more: that begins as it began."""
        number = _number(row[0])
        if row[2] != "" and number in self._openings:
            self._again = number if row == self._openings[number] else 0
        elif number != self._again:
            self._again = 0
        return self._again == number

    def _take(self, at: int, row: Sequence[Cell]) -> None:
        number = _number(row[0])
        if number not in self._heads:
            self._heads[number] = {
                "id": number,
                "uid": str(row[1]) or None,
                "at": datetime.fromisoformat(str(row[2])),
                "user": str(row[3]),
                "what": str(row[4]),
                # An older version has not written whose it was.
                "user_id": _number(row[_WIDE - 1]) if row[_WIDE - 1] != "" else None,
                "undoes": _number(row[5]) if row[5] != "" else None,
                "undone_by": None,
            }
            self._openings[number] = row
        operation = str(row[8])
        if operation == _GOES_ON:
            entry = self._pending[-1]
            if entry.transaction != number:
                raise ValueError("a piece of an entry is in another one")
            entry.before += str(row[9])
            entry.after += str(row[10])
        elif operation:
            first, _, final = str(row[7]).partition("-")
            ids = range(_number(first), _number(final or first) + 1)
            self._count += len(ids)
            if self._count > _MOST_ENTRIES:
                self._count -= len(ids)
                raise ValueError(f"{row[7]} are more records than a spreadsheet holds")
            self._pending.append(Entered(number, str(row[6]), ids, operation, str(row[9]), str(row[10]), at))


def _number(cell: Cell) -> int:
    number = int(cell)
    if number != float(cell) or not 0 <= number < LARGEST_EXACT:
        raise ValueError(f"{cell!r} is no number of a transaction or a record")
    return number


# Parses one value of a text, and says where it ends.
_scan = json.JSONDecoder().raw_decode


def _fields(text: str) -> Any:
    written = text.strip()
    try:
        fields, end = _scan(written) if written else (None, 0)
    except RecursionError as error:
        raise ValueError("an entry holds no fields") from error
    if end != len(written):
        raise ValueError("an entry holds no fields")
    if not isinstance(fields, dict | None):
        raise ValueError("an entry holds no fields")
    return fields
