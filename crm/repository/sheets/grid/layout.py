"""The layout of the spreadsheet: its tabs, their columns, and the marker of its revision."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from crm.errors import FieldError
from crm.model import RECORDS, Client, Conventions, Record, field_names, fields, people
from crm.model.fields import Line

# What a cell holds as it is read: text, a number (dates are numbers), a truth; '' when it is empty.
Cell = str | int | float | bool
GridRange = dict[str, int]


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of ours. Its number is fixed, so that it is found whatever people call it and wherever they move it."""

    sheet_id: int
    title: str
    hidden: bool = False

    def rows(self, start: int = 0, end: int | None = None) -> GridRange:
        """The range of some rows, `end` not included; to the last one when it is None."""
        return {"sheetId": self.sheet_id, "startRowIndex": start} | ({} if end is None else {"endRowIndex": end})

    def first_column(self, start: int, end: int) -> GridRange:
        """The range of some rows in the first column, `end` not included."""
        return {**self.rows(start, end), "startColumnIndex": 0, "endColumnIndex": 1}


# The revision, the highest numbers in use, and who is writing: one row of names, one of values.
META = Tab(734_100_000, "crm", hidden=True)
# The rows that the last commit wrote to, as they were the moment before.
BEFORE = Tab(734_100_001, "crm before", hidden=True)
HISTORY = Tab(734_100_002, "history", hidden=True)
TABS: Mapping[type[Record], Tab] = {
    kind: Tab(734_100_000 + kind.about.tab.number, kind.about.tab.title or kind.plural, kind.about.tab.hidden)
    for kind in sorted(RECORDS, key=lambda kind: kind.about.tab.number)
}
# Since this format what a commit wrote is in a column of its own in the tab of before images.
APART_SINCE = 11
FORMAT = max(APART_SINCE, *(kind.about.tab.since for kind in RECORDS))
# In a spreadsheet of a store of this format every record has all of its columns.
_COMPLETE = 6
# The tabs that each format has and the one before had not.
ADDED: Mapping[int, frozenset[Tab]] = {
    version: frozenset(tab for kind, tab in TABS.items() if kind.about.tab.since == version)
    for version in range(2, FORMAT + 1)
}
# Their content is restored by a machine that knew it, or an admin gets access again without it.
ACCOUNT_TABS = frozenset(TABS[kind] for kind in RECORDS if kind.about.rights.secret)
ALL_TABS = (META, BEFORE, HISTORY, *TABS.values())

_HEADERS = {
    "id": "ID", "created_at": "Created", "updated_at": "Updated", "version": "Version",
    "owner_id": "Owner (account)", "user_id": "By (account)",
}  # fmt: skip
# What says whose row it is: of two such columns the first counts.
_IDENTITY = ("id", "version")
# Every column of a record has one cell, except the team's own fields: those have a column each.
OWN = "extra"


def _columns(kind: type[Record]) -> tuple[str, ...]:
    first = kind.about.tab.first
    last = (*people(kind).values(), "created_at", "updated_at", "version")
    rest = [name for name in field_names(kind) if name not in ("id", *first, *last, OWN)]
    return ("id", *first, *rest, *last)


_COLUMNS = {kind: _columns(kind) for kind in TABS}


def columns(kind: type[Record]) -> tuple[str, ...]:
    """The fields of a record that have a column, in the order in which a new spreadsheet has them."""
    return _COLUMNS[kind]


# A person may choose a status, or empty it; the other columns that follow from the rules are the program's.
_CHOSEN = ("status", "status_pinned_until")


def programs_own(kind: type[Record]) -> Sequence[str]:
    """The columns that only the program writes: IDs, versions and times, and what follows from other records."""
    known = fields(kind)
    return [
        name
        for name in columns(kind)
        if name not in known or known[name].by == "facts" or (known[name].by == "rules" and name not in _CHOSEN)
    ]


def header(kind: type[Record], name: str) -> str:
    """The header of the column of a field."""
    return _HEADERS.get(name) or fields(kind)[name].label


_BY_HEADER = {kind: {header(kind, name).casefold(): name for name in columns(kind)} for kind in TABS}


HISTORY_COLUMNS = (
    "Transaction", "UID", "At", "User", "What", "Undoes", "Record", "Record IDs", "Operation", "Before", "After",
    "Account",
)  # fmt: skip
# What is beside the rows that a commit kept: which commit, how many rows, in how many pieces it is written what it
# meant, that, and what it wrote.
BEFORE_COLUMNS = ("UID", "Rows", "Pieces", "What it meant", "What it wrote")


def letters(column: int) -> str:
    """The name of a column, counted from 0: A, B, … Z, AA, …"""
    name = ""
    column += 1
    while column:
        column, place = divmod(column - 1, 26)
        name = chr(ord("A") + place) + name
    return name


def a1(title: str, rows: tuple[int, int | None], columns: tuple[int, int]) -> str:
    """A range in words, both bounds included, counted from 0; down to the end when the last row is None."""
    (top, bottom), (left, right) = rows, columns
    end = "" if bottom is None else bottom + 1
    return f"'{title.replace(chr(39), chr(39) * 2)}'!{letters(left)}{top + 1}:{letters(right)}{end}"


@dataclass(frozen=True)
class Heading:
    """The columns of a tab by field, as they are just now; people move columns about and add their own.

    `positions` is by field, `own` by the name of a field of the team's own; `written` is the row as it stands.
    """

    kind: type[Record]
    positions: Mapping[str, int]
    own: Mapping[str, int]
    written: Sequence[Cell]
    problems: Sequence[tuple[int, str]] = field(default=())

    @property
    def missing(self) -> list[str]:
        """The fields whose column is gone."""
        return [name for name in columns(self.kind) if name not in self.positions]

    @cached_property
    def later_fields(self) -> frozenset[str]:
        """Those of them that a spreadsheet of an older version has not: the accounts of people, whose names say whose a
        record is, and the fields that a record has only lately got."""
        later = (*people(self.kind).values(), *newer_fields(self.kind))
        return frozenset(name for name in later if name not in self.positions)

    def row(self, cells: Sequence[Any]) -> list[Any]:
        """A row of the tab in the order of `columns`, the team's own fields last, as an object."""
        wide = len(cells)
        known = [cells[at] if at is not None and at < wide else "" for at in self._order]
        if self.kind is Client:
            known.append({name: cells[at] for name, at in self.own.items() if at < wide and cells[at] != ""})
        return known

    def rows(self, several: Iterable[Sequence[Any]]) -> list[list[Any]]:
        """Several rows of the tab in the same way; one that is so already is itself."""
        count = len(self._order)
        if self.own or self._order != list(range(count)):
            return [self.row(cells) for cells in several]
        if self.kind is Client:
            return [[*cells[:count], *[""] * (count - len(cells)), {}] for cells in several]
        return [
            cells if type(cells) is list and len(cells) == count else [*cells[:count], *[""] * (count - len(cells))]
            for cells in several
        ]

    @cached_property
    def _order(self) -> list[int | None]:
        return [self.positions.get(name) for name in columns(self.kind)]

    def place(self, name: str) -> int | None:
        """The column of a field, '=name' for one of the team's own; None when there is none."""
        return self.own.get(name[1:]) if name.startswith("=") else self.positions.get(name)


def newer_fields(kind: type[Record]) -> Sequence[str]:
    """The fields of a record that came when spreadsheets got the columns that they lack by themselves."""
    return [name for name, described in fields(kind).items() if described.since > max(kind.about.since, _COMPLETE)]


def heading(kind: type[Record], row: Sequence[Cell]) -> Heading:
    """Parse the first row of a tab."""
    by_header = _BY_HEADER[kind]
    positions: dict[str, int] = {}
    own: dict[str, int] = {}
    problems = []
    doubled: dict[str, int] = {}
    for at, cell in enumerate(row):
        text = str(cell).strip()
        name = by_header.get(text.casefold())
        if not text:
            continue
        if name is not None and name not in positions:
            positions[name] = at
        elif name is not None:
            doubled[name] = at
        elif kind is Client:
            try:
                text = Line(60).read(text, Conventions())
            except FieldError as error:
                problems.append((at, f"the column is not read: {error.reason}"))
                continue
            if text in own:
                problems.append((at, f"there are two columns “{text}”; this one is not read"))
            else:
                own[text] = at
    for name, at in doubled.items():
        text = header(kind, name)
        if name in _IDENTITY:
            problems.append((at, f"there are two columns “{text}”; this one is not read"))
        else:
            # Which of the two is meant nobody knows.
            first = letters(positions.pop(name))
            problems.append(
                (at, f"there is another column “{text}” in {first}; neither is read until one of them is gone")
            )
    return Heading(kind, positions, own, list(row), problems)


def new_heading(kind: type[Record]) -> list[Cell]:
    """The first row of a new tab."""
    return [header(kind, name) for name in columns(kind)]


def marker(revision: int, uid: str) -> str:
    """The name of the range that says which revision the spreadsheet has; a commit removes it and puts its own."""
    return f"crm_{revision}_{uid}"


def is_marker(name: str) -> bool:
    """Return whether a named range is such a marker."""
    return name.startswith("crm_") and name.count("_") >= 2


def comparable(cell: Cell) -> Cell:
    """A cell as it compares with another one: Google may tell the same number in two ways."""
    if isinstance(cell, float):
        rounded = float(f"{cell:.12g}")
        return int(rounded) if rounded.is_integer() else rounded
    return cell


def alike(one: Cell, other: Cell) -> bool:
    """Return whether two cells hold the same: a truth is no number, and a text is none."""
    one, other = comparable(one), comparable(other)
    return one == other and isinstance(one, bool | str) == isinstance(other, bool | str)


def trimmed(row: Sequence[Cell]) -> list[Cell]:
    """A row without the empty cells at its end."""
    cells = list(row)
    while cells and cells[-1] == "":
        cells.pop()
    return cells


def runs(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring numbers as (first, how many), in order."""
    start = last = None
    for at in sorted(positions):
        if last is not None and at == last + 1:
            last = at
            continue
        if start is not None and last is not None:
            yield start, last - start + 1
        start = last = at
    if start is not None and last is not None:
        yield start, last - start + 1
