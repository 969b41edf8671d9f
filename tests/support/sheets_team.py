"""A team on a spreadsheet at the stand-in: programs on several machines, and a person who works in the sheet."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from crm.model import RECORDS, Client, Record, Sale
from crm.repository.sheets.grid.layout import HISTORY, META, TABS, Tab, header
from crm.repository.sheets.repository import SheetsRepository
from tests import conftest
from tests.conftest import STORES, Store, _new_store

CLIENTS, SALES = TABS[Client].title, TABS[Sale].title
Edit = list[Any]
# What a service may work out on the state that a request found, by name.
MERGES = {
    "marker": ["marker"],
    "appended rows": ["marker", "append"],
    "copies": ["marker", "copy"],
    "answers": ["marker", "answer"],
    "all": ["marker", "append", "copy", "answer"],
}


class Team:
    """A store in a spreadsheet of its own; `person` edits it by hand."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.repository = cast(SheetsRepository, store.repository)
        self.id = (store.folder / "machine-0" / "spreadsheet").read_text()
        self.person = conftest.google()

    def another(self, user: str = "", **given: Any) -> SheetsRepository:
        """A program more, on a machine of its own unless told."""
        return cast(SheetsRepository, self.store.another(user, **given))

    def in_the_window(self, *edits: Edit) -> None:
        """Set edits that a person makes at the very moment before the next write is applied: [method, argument, …]."""
        self.person.before_next_write([[name, [self.id, *arguments]] for name, *arguments in edits])

    def in_the_windows(self, *windows: list[Edit]) -> None:
        """The same before each of the next writes, a list for each."""
        self.person.before_next_writes(self._in_steps(windows))

    def in_the_merges(self, *windows: list[Edit]) -> None:
        """The same between the look and the writing of each of the next requests that are merged."""
        self.person.in_next_merges(self._in_steps(windows))

    def _in_steps(self, windows: Sequence[list[Edit]]) -> list[Any]:
        return [[[name, [self.id, *arguments]] for name, *arguments in window] for window in windows]

    def cells(self, of: type[Record] | Tab) -> list[list[Any]]:
        """The typed cells of a tab of ours, whatever its current name."""
        sheet = TABS[of].sheet_id if isinstance(of, type) else of.sheet_id
        (title,) = [tab["title"] for tab in self.person.tabs(self.id) if tab["sheetId"] == sheet]
        return self.person.values(self.id, title, typed=True)

    def place(self, record: Record, name: str = "id") -> tuple[int, int]:
        """The current position of a field of a record."""
        rows = self.cells(type(record))
        column = rows[0].index(header(type(record), name))
        ids = [row[rows[0].index("ID")] if row else "" for row in rows]
        return ids.index(record.id), column

    def summaries(self, repository: SheetsRepository | None = None) -> list[str]:
        """The history, newest first."""
        with (repository or self.repository).read() as snapshot:
            return [entry.what for entry in snapshot.history(limit=200)]

    def stored(self, repository: SheetsRepository | None = None) -> dict[type[Record], dict[int, Record]]:
        """Everything, as a program sees it."""
        with (repository or self.repository).read() as snapshot:
            return {kind: {record.id: record for record in snapshot.find_all(kind)} for kind in RECORDS}

    def agreed(self) -> dict[type[Record], dict[int, Record]]:
        """Everything, once it is sure that nothing is wrong: all machines see the same, a new one too, each row holds
        one record and its own stamp, and nothing is left of tries that failed."""
        found = self.stored()
        fresh = self.another()
        read = self.stored(fresh)
        assert read == found, _difference(found, read)
        assert self.summaries(fresh) == self.summaries()
        assert [finding.what for finding in fresh.check() if finding.wrong] == []
        for kind in RECORDS:
            rows = [row for row in self.cells(kind) if any(cell != "" for cell in row)]
            at, stamp = rows[0].index("ID"), rows[0].index("Version")
            assert sorted(row[at] for row in rows[1:]) == sorted(found[kind])
            assert {row[at]: row[stamp] for row in rows[1:]} == {
                record.id: f"{record.id}/{record.version}" for record in found[kind].values()
            }
        state = dict(zip(*self.cells(META)[:2], strict=False))
        assert state["staging"] == ""
        assert state["history_rows"] == len(self.cells(HISTORY)) - 1
        return found


def _difference(known: dict[type[Record], dict[int, Record]], fresh: dict[type[Record], dict[int, Record]]) -> str:
    """The records that a new machine reads otherwise, with what each of the two has: runs cannot be repeated."""
    return "\n".join(
        f"{kind.kind_name} {number}: known {known[kind].get(number)}, on a new machine {fresh[kind].get(number)}"
        for kind in RECORDS
        for number in sorted({*known[kind], *fresh[kind]})
        if known[kind].get(number) != fresh[kind].get(number)
    )


@contextmanager
def new_team() -> Iterator[Team]:
    """A team that starts with the default rules."""
    with _new_store(STORES["sheets"]) as store:
        team = Team(store)
        try:
            yield team
        finally:
            team.person.clear_faults()
            team.person.delete(team.id)


@contextmanager
def merging_team() -> Iterator[Team]:
    """A team with three clients, not proved to be on a service that takes requests one after the other."""
    with new_team() as team:
        team.store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"Buyer {at}") for at in range(3)]))
        team.person.serialises(team.id, False)
        try:
            yield team
        finally:
            team.person.merges([])


Act = Callable[[Team], Any]
