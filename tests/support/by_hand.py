"""A tab of the store as a person sees and edits it, and the store's reading of it."""

from typing import Any

from crm.model import Record
from crm.repository import Transaction
from crm.repository.sheets.grid.layout import TABS, header, letters
from crm.repository.sheets.repository import SheetsRepository
from tests.support.sheets_team import Team

# What stands in the history for what people do in the sheet.
EDITED = "edited in the sheet"


class Sheet:
    """The tab of one kind of record, as a person sees and edits it."""

    def __init__(self, team: Team, kind: type[Record]) -> None:
        self.team = team
        self.kind = kind

    @property
    def title(self) -> str:
        tabs = self.team.person.tabs(self.team.id)
        return next(str(tab["title"]) for tab in tabs if tab["sheetId"] == TABS[self.kind].sheet_id)

    @property
    def heading(self) -> list[str]:
        return [str(cell) for cell in self.team.cells(self.kind)[0]]

    def column(self, name: str) -> int:
        """The column of a field, '=Name' for one of the team's own."""
        return self.heading.index(name[1:] if name.startswith("=") else header(self.kind, name))

    def a1(self, record: Record, name: str) -> str:
        row, _ = self.team.place(record)
        return f"{letters(self.column(name))}{row + 1}"

    def type(self, record: Record, name: str, text: str) -> None:
        """Type into the cell of a field, as Google reads what is typed."""
        self.team.person.type(self.team.id, self.title, self.a1(record, name), text)

    def put(self, record: Record, name: str, value: Any) -> None:
        """Put a value into the cell of a field as it is; None empties it."""
        row, _ = self.team.place(record)
        self.team.person.set_cells(self.team.id, self.title, row, self.column(name), [[value]])

    def cell(self, record: Record, name: str) -> Any:
        row, _ = self.team.place(record)
        cells = [*self.team.cells(self.kind)[row], *[""] * 60]
        return cells[self.column(name)]

    def add(self, at: int | None = None, **given: Any) -> int:
        """Type a new row, below the others unless told; where it stands."""
        place = len(self.team.cells(self.kind)) if at is None else at
        if at is not None:
            self.team.person.insert_rows(self.team.id, self.title, at, 1)
        for name, value in given.items():
            self.team.person.set_cells(self.team.id, self.title, place, self.column(name), [[value]])
        return place

    def delete(self, record: Record) -> None:
        row, _ = self.team.place(record)
        self.team.person.delete_rows(self.team.id, self.title, row, 1)

    def cut(self, record: Record) -> list[Any]:
        """Delete the row, and remember it."""
        row, _ = self.team.place(record)
        cells = self.team.cells(self.kind)[row]
        self.delete(record)
        return cells

    def paste(self, cells: list[Any], at: int | None = None) -> int:
        """Put a row back."""
        place = self.add(at)
        self.team.person.set_cells(self.team.id, self.title, place, 0, [cells])
        return place


def wrong(team: Team, repository: SheetsRepository | None = None) -> list[str]:
    """The problems that `check` finds."""
    return [finding.what for finding in (repository or team.repository).check() if finding.wrong]


def last(team: Team, repository: SheetsRepository | None = None) -> tuple[str, str, list[tuple[str, int, str]]]:
    """The last entry of the history: who, what, and to which records."""
    with (repository or team.repository).read() as snapshot:
        entry = snapshot.history(limit=1)[0]
        changes = snapshot.changes(transaction=entry.id)
        return entry.user, entry.what, sorted((change.record, change.record_id, change.operation) for change in changes)


def undo(team: Team) -> None:
    """Take back the last change that still stands, whoever made it."""

    def taken_back(tx: Transaction) -> None:
        tx.undo(next(entry.id for entry in tx.history() if entry.undoes is None and entry.undone_by is None))

    team.store.change(taken_back, "undo")
