"""The report of an import: what it did, or would do."""

import codecs
import csv
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import IO

from crm.commands.data.importing.draft import ImportDraft
from crm.commands.data.importing.reading import Checked, TwoOrders, refused_columns
from crm.files import Row, write_csv
from crm.files.mapping import DATES
from crm.files.writing import csv_lines
from crm.model import Record
from crm.model.conventions import DATE_ORDERS
from crm.wording import first_few, first_lines

_LISTED = 20
_ALIKE = 5
# A phone number has so many digits at least; fewer are a word or an extension.
_DIGITS = 5
_FIRST = 5
# What a row says of it is not kept as it is written where somebody has opted out.
_CONSENT = "marketing_consent"
# The first columns of the file of what is to be checked.
_DOUBT_COLUMNS = ("Row", "Field", "Value", "Please check")
# So many bytes of a file's name are kept where something is added to it.
_LONGEST = 235


# What is said of a row with the e-mail of a client of another name.
SAME_EMAIL = "this row becomes a new client"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken: its line in the file, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class ClientUpdate:
    """A client of the store that a row changes: the row's line in the file, who it is, and each field before and
    after."""

    row: int
    client: str
    changes: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """A value that was kept as it was written and is worth a look."""

    row: int
    field: str
    value: str
    why: str

    @property
    def is_same_email(self) -> bool:
        """Return whether it is the e-mail of a client of another name."""
        return self.field == "email" and SAME_EMAIL in self.why

    @property
    def maybe_foreign(self) -> bool:
        """Return whether it is a phone number without a country code, which may be one of another country."""
        digits = sum(character.isdigit() for character in self.value)
        return self.field == "phone" and digits >= _DIGITS and not self.value.lstrip(" (").startswith(("+", "00"))


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import, or of a dry run (`applied` False). Counts are rows of the file; `refusals`, `doubts` (a
    few of each sort) and `first_records` (new ones as they are stored) are the first of them. `maybe_foreign` is how
    many phone numbers without a country code do not fit the country that they are read for, `opted_out` how many
    rows say that somebody wants mailings who has opted out: the opt-out wins. `opt_outs_added` is how many addresses
    of people who have opted out elsewhere were put among the opt-outs. `left_out` are the columns
    with something in them that go nowhere. `joined` are rows whose client an earlier row of the file has,
    `conflicting` those of them that differ from it: the first value is kept. `doubtful` is how many doubts
    there are, and `doubts_file` where all of them go; in a dry run the files are those that an import would write.
    `notes` say why something of the file was not read. `same_email`
    is how many rows became new clients though a client of another name has their e-mail. `updates` are the first known
    clients that change. `date_orders` are the columns whose dates do not begin with the year, each with the order in
    which they were read ('dmy' or 'mdy'); `two_orders` are those of them in which some dates can only be meant in the
    other order, with the first lines of these. `client_names` are those of the clients of the first new sales.
    `money_in` is the column that could be the amount, where those of money out and in are not read."""

    applied: bool
    what: str
    file: str
    read_as: str
    columns: Mapping[str, str]
    rows: int
    new: int
    updated: int
    unchanged: int
    refused: int
    flagged: int
    clients_created: int
    refusals: Sequence[Refusal]
    doubts: Sequence[Doubt]
    first_records: Sequence[Record]
    refused_file: Path | None = None
    maybe_foreign: int = 0
    opted_out: int = 0
    left_out: Sequence[str] = ()
    joined: int = 0
    conflicting: int = 0
    opt_outs_added: int = 0
    doubtful: int = 0
    doubts_file: Path | None = None
    notes: Sequence[str] = ()
    same_email: int = 0
    updates: Sequence[ClientUpdate] = ()
    date_orders: Mapping[str, str] = field(default_factory=dict)
    two_orders: Mapping[str, Sequence[int]] = field(default_factory=dict)
    client_names: Mapping[int, str] = field(default_factory=dict)
    money_in: str = ""

    def brief(self) -> "ImportReport":
        """The same with the first rows that were refused or are doubtful, of each sort a few."""
        alike: Counter[str] = Counter()
        doubts: list[Doubt] = []
        for doubt in self.doubts:
            alike[doubt.why] += 1
            if alike[doubt.why] <= _ALIKE:
                doubts.append(doubt)
                if len(doubts) == _LISTED:
                    break
        return replace(self, refusals=self.refusals[:_LISTED], doubts=doubts, updates=self.updates[:_LISTED])

    @property
    def warning(self) -> str:
        """The rows that became new clients though a client of another name has their e-mail; '' for none."""
        if not self.same_email:
            return ""
        lines = [f"Line {doubt.row}: {doubt.value} {doubt.why}." for doubt in self.doubts if doubt.is_same_email]
        return "\n".join(first_lines(lines, total=self.same_email))

    @property
    def failed(self) -> bool:
        """Return whether no row of the file was imported, or would be."""
        return self.rows > 0 and not (self.new or self.updated or self.unchanged)


@dataclass
class Tally:
    """The counts of an import under way; refused rows and doubts wait in a file each."""

    draft: ImportDraft
    # Whether all rows that are refused or doubtful are in the report, and not the first of them alone.
    whole: bool = False
    rows: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    flagged: int = 0
    clients_created: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    maybe_foreign: int = 0
    opted_out: int = 0
    joined: int = 0
    conflicting: int = 0
    opt_outs_added: int = 0
    same_email: int = 0
    first_records: list[Record] = field(default_factory=list)
    client_names: Mapping[int, str] = field(default_factory=dict)
    updates: list[ClientUpdate] = field(default_factory=list)
    _alike: Counter[str] = field(default_factory=Counter)
    two_orders: Mapping[str, TwoOrders] = field(default_factory=dict)
    # The places of columns without a field in which some row has something.
    _filled: set[int] = field(default_factory=set)
    _spool: IO[str] = field(default_factory=lambda: _temporary())
    _spool_of_doubts: IO[str] = field(default_factory=lambda: _temporary())

    def count(self, rows: Sequence[Checked]) -> None:
        """Rows of the file, whatever becomes of them."""
        self.rows += len(rows)
        unused = [place for place, match in enumerate(self.draft.matches) if not match.target]
        for checked in rows:
            unused = [place for place in unused if place not in self._filled]
            if not unused:
                break
            if not checked.row.problem:
                self._filled.update(place for place in unused if checked.row.cells[place].strip())

    def add(self, record: Record, row: Checked) -> None:
        """A row that became a new record."""
        if self.lacks_records:
            self.first_records.append(record)
        self.count_new(row)

    @property
    def changed(self) -> bool:
        """Return whether something was added or updated."""
        return bool(self.new or self.updated or self.joined or self.clients_created)

    @property
    def lacks_records(self) -> bool:
        """Return whether the report has room for more new records."""
        return len(self.first_records) < _FIRST

    def count_new(self, row: Checked) -> None:
        """A row that became a new record that is not among the first."""
        self.new += 1
        self._doubt(row)

    def update(self, record: Record, row: Checked) -> None:
        """A row that changed a record."""
        self.updated += 1
        self._doubt(row)

    def show_update(self, update: ClientUpdate) -> None:
        """A client that is changed, for the report."""
        if self.whole or len(self.updates) < _LISTED:
            self.updates.append(update)

    def join(self, row: Checked, conflicts: Sequence[tuple[str, str, str]]) -> None:
        """A row whose client an earlier row of the file has; `conflicts` are (field, value, why)."""
        self.joined += 1
        self._doubt(row)
        self.conflicting += bool(conflicts)
        for name, value, why in conflicts:
            self._list(Doubt(row.row.number, name, value, why), row)

    def differ(self, row: Checked, value: str, why: str) -> None:
        """A row that refers to an existing record and differs from it; the record is kept."""
        self.unchanged += 1
        self.conflicting += 1
        self._list(Doubt(row.row.number, "reference", value, why), row)

    def came_to_nothing(self, updated: int, joined: int) -> None:
        """Count the rows that updated a record, or were joined with another row of it, and left it as it was
        together."""
        self.updated -= updated
        self.joined -= joined
        self.unchanged += updated + joined

    def leave(self, row: Checked) -> None:
        """A row that changed nothing; a doubt about its consent is still reported."""
        self.unchanged += 1
        if any(name == _CONSENT for name, _, _ in row.doubts):
            self._doubt(row)

    def _doubt(self, row: Checked) -> None:
        if not row.doubts:
            return
        self.flagged += any(name != _CONSENT for name, _, _ in row.doubts)
        for name, value, why in row.doubts:
            doubt = Doubt(row.row.number, name, value, why)
            self.maybe_foreign += doubt.maybe_foreign
            self.same_email += doubt.is_same_email
            self._list(doubt, row)

    def _list(self, doubt: Doubt, row: Checked) -> None:
        csv.writer(self._spool_of_doubts).writerow([doubt.row, doubt.field, doubt.value, doubt.why, *row.row.cells])
        self._alike[doubt.why] += 1
        if self.whole or (len(self.doubts) < _LISTED and self._alike[doubt.why] <= _ALIKE):
            self.doubts.append(doubt)

    def overrule(self, row: Checked, why: str) -> None:
        """A row that says that somebody wants mailings who has opted out."""
        self.opted_out += 1
        row.doubts.append((_CONSENT, "yes", why))

    def refuse(self, row: Row, reason: str) -> None:
        """A row that is not taken."""
        self.refused += 1
        if self.whole or len(self.refusals) < _LISTED:
            self.refusals.append(Refusal(row.number, reason))
        csv.writer(self._spool).writerow([*row.cells, reason])

    def refused_file(self, *, write: bool) -> Path | None:
        """The file beside the one imported to which the refused rows go, with the reason; None if there are none."""
        if not self.refused:
            return None
        return self._beside("refused", refused_columns(self.draft), self._refused_rows, write=write)

    def doubts_file(self, *, write: bool) -> Path | None:
        """The same for what was kept and is to be checked, with the rows that it came from."""
        if not self._alike:
            return None
        columns = [*_DOUBT_COLUMNS, *self.draft.source.columns]
        return self._beside("check", columns, lambda: _rows_in(self._spool_of_doubts), write=write)

    def _beside(
        self, name: str, columns: Sequence[str], rows: Callable[[], Iterator[list[str]]], *, write: bool
    ) -> Path:
        """A file beside the one imported. It takes the place of no other, in which somebody may have written; one that
        holds just these rows already is left as it is."""
        first = self.draft.file.with_name(f"{_short(self.draft.file.stem)}-{name}.csv")
        target, number = first, 2
        while target.exists():
            if _holds(target, csv_lines(columns, rows())):
                return target
            target = first.with_name(f"{first.stem}-{number}{first.suffix}")
            number += 1
        if write:
            write_csv(target, columns, rows())
        return target

    def _refused_rows(self) -> Iterator[list[str]]:
        width = len(self.draft.source.columns)
        for cells in _rows_in(self._spool):
            # Cells beyond the header stay behind the reason, where nobody takes them for a column's.
            yield [*cells[:width], cells[-1], *cells[width:-1]]

    def close(self) -> None:
        """Let go of the refused rows and the doubts."""
        self._spool.close()
        self._spool_of_doubts.close()

    def report(
        self, *, applied: bool, refused_file: Path | None = None, doubts_file: Path | None = None
    ) -> ImportReport:
        """The counts as they are now."""
        return ImportReport(
            applied,
            self.draft.what,
            str(self.draft.file),
            self.draft.read_as,
            {match.column: match.target for match in self.draft.matches},
            self.rows,
            self.new,
            self.updated,
            self.unchanged,
            self.refused,
            self.flagged,
            self.clients_created,
            self.refusals,
            self.doubts,
            self.first_records,
            refused_file,
            self.maybe_foreign,
            self.opted_out,
            self._left_out(),
            self.joined,
            self.conflicting,
            self.opt_outs_added,
            self._alike.total(),
            doubts_file,
            (*self.draft.notes, *(_orders_note(column, two) for column, two in self.two_orders.items() if two.others)),
            self.same_email,
            self.updates,
            {
                match.column: match.date_order
                for match in self.draft.matches
                if match.date_order in ("dmy", "mdy") and match.target.rpartition(".")[2] in DATES
            },
            {column: two.others[:_LISTED] for column, two in self.two_orders.items() if two.others},
            self.client_names,
            self.draft.money_in,
        )

    def _left_out(self) -> tuple[str, ...]:
        """The columns that have something in them and no field."""
        return tuple(self.draft.matches[place].column for place in sorted(self._filled))


def _orders_note(column: str, two: TwoOrders) -> str:
    """Say that a column has dates in two orders, and how they were read."""
    named = first_few([str(line) for line in two.others])
    order, other = DATE_ORDERS[two.order], DATE_ORDERS["mdy" if two.order == "dmy" else "dmy"]
    line = "line" if len(two.others) == 1 else "lines"
    note = f"Dates in {column} are written in two orders: {other} in {line} {named}, {order} in the others."
    if two.unclear:
        are = "1 that could be either was" if two.unclear == 1 else f"{two.unclear} that could be either were"
        note += f" {are} read as {order}. Please check."
    return note


def _temporary() -> IO[str]:
    # In memory while it is small; gone when nobody holds it any longer.
    return tempfile.SpooledTemporaryFile(1_000_000, "w+", encoding="utf-8", newline="")


def _rows_in(spool: IO[str]) -> Iterator[list[str]]:
    csv.field_size_limit(2**31 - 1)
    spool.flush()
    spool.seek(0)
    yield from csv.reader(spool)


def _short(stem: str) -> str:
    """A name to which something can be added: most file systems take 255 bytes in all."""
    encoded = os.fsencode(stem)
    return stem if len(encoded) <= _LONGEST else encoded[:_LONGEST].decode("utf-8", "ignore")


def _holds(path: Path, lines: Iterable[bytes]) -> bool:
    """Return whether a file holds a table as `write_csv` writes it, and nothing else."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            whole = chain([codecs.BOM_UTF8], lines)
            return all(file.read(len(line)) == line for line in whole) and not file.read(1)
    except OSError:
        return False
