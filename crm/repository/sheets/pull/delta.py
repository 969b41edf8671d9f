"""The delta: what was read of the spreadsheet, and what of its history the mirror has not seen."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import chain, groupby, islice
from typing import Any

from sqlalchemy import Connection, insert, select

from crm.errors import StoreDamagedError, StoreNotSetUpError
from crm.model import BY_NAME, Record
from crm.repository import tables
from crm.repository.bulk import insert_columns
from crm.repository.sheets.google.answered_rows import Part
from crm.repository.sheets.grid.layout import BEFORE, HISTORY, Cell
from crm.repository.sheets.mirror import history_tab
from crm.repository.sheets.mirror.before_images import Block, arranged, came_first, lacks_commits, moved_in
from crm.repository.sheets.mirror.history_tab import AUDIT_COLUMNS, Entered, Entries
from crm.repository.sheets.mirror.mirror import Place, Seen, State
from crm.repository.team import team_of
from crm.repository.undo import mark_undone

_BATCH = 1000


def _put_back(where: str = "") -> str:
    return f"Run `sheets repair`{where}, or put an older version of the spreadsheet back (File, Version history)."


@dataclass
class Contents:
    """The contents read of the spreadsheet, all of one moment. `history` holds the rows below row `history_from`, 0
    being the heading, and `history_end` that row itself; `kept` is the tab of what the last commits wrote over, its
    first `kept_rows` rows. Google was seen to apply requests one after the other where it `serialises`, and Drive to
    tell of edits at once where it is `punctual`. The tabs of the `unchanged` kinds are as they were when the mirror
    last agreed with them."""

    state: State
    # Taken out tab by tab as they are read: a large one is not held twice.
    tabs: dict[type[Record], Sequence[Sequence[Cell]]]
    places: dict[str, Place]
    history: Sequence[Sequence[Cell]]
    history_from: int
    everything: bool
    kept: Sequence[Sequence[Cell]] = ()
    kept_rows: int = 0
    history_end: Sequence[Cell] = ()
    serialises: bool = False
    punctual: bool = False
    unchanged: Collection[type[Record]] = ()
    # Of large tabs that are not, what may have changed in them.
    parts: Mapping[type[Record], Part] = field(default_factory=dict)
    # The commit that the mirror has taken for the last one.
    known: str = ""
    # Whether what the last commits wrote was read too, and not only what they wrote over.
    has_written: bool = True

    @property
    def has_all_kept(self) -> bool:
        """Return whether all of that tab was asked for."""
        return self.kept_rows == self.places[BEFORE.title].rows

    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks of the last commits, the newest first, as far as they were read."""
        blocks, _ = self._arranged
        # Whether the last one clashes is not known without the one below.
        return blocks if self.has_all_kept else blocks[:-1]

    @property
    def moved(self) -> tuple[int, int] | None:
        """The rows of that tab that people have moved or changed: the first, and the end; None if none was."""
        return moved_in(self.kept, self._arranged[1])

    def lacks_commits(self, seen: State | None) -> bool:
        """Return whether what led from a state to the current one is not all in that tab (see `lacks_commits`)."""
        return lacks_commits(self._arranged[0], self.kept, self.kept_rows, self.state, seen)

    @cached_property
    def _arranged(self) -> tuple[list[Block], int]:
        return arranged(self.kept, self.kept_rows)


class TabDamagedError(StoreDamagedError):
    """A tab to which something was done by hand, so that it cannot be read: what was seen before still can."""


class AllTabsGoneError(StoreNotSetUpError):
    """A spreadsheet without any of our tabs."""


class StaleHistory(Exception):
    """The piece of the history that was read does not go on where the mirror stands: all of it is needed."""


def refuse_damaged(contents: Contents, before: Seen | None) -> None:
    """Raise TabDamagedError where only a person can have made the state what it is, or has cleared the history."""
    state = contents.state
    # The last commit keeps what it found: so one that has never seen the spreadsheet finds out as well.
    was_written = came_first(contents.kept[0] if contents.kept else [], state)
    if not was_written or (before is not None and state.is_older_copy(before.state)):
        raise TabDamagedError(f"The hidden tab “crm” was changed by hand. {_put_back()}")
    is_empty = not any(cell != "" for row in contents.history for cell in row)
    # A store that was only set up has none; so has an older version of it that was restored.
    is_known = before is not None and before.state.history_rows and state.revision >= before.state.revision
    if contents.everything and is_empty and (state.history_rows or is_known):
        where = "" if before is not None else " on a computer that has read it before"
        raise TabDamagedError(f"The hidden tab “{HISTORY.title}” was cleared by hand. {_put_back(where)}")


def unseen(contents: Contents, before: Seen | None) -> Entries:
    """The entries of the history that the mirror has not seen."""
    state, known = contents.state, 0
    if before is not None:
        known = before.state.history_rows
        if not _goes_on(contents, before):
            raise StaleHistory
    rows = contents.history
    if len(rows) < state.history_rows - known and not contents.everything:
        raise StaleHistory
    entries = history_tab.read(rows[: state.history_rows - known])
    # Their numbers in the tab, the heading being row 1.
    entries.torn = [known + 2 + at for at in sorted(set(entries.torn))]
    _refuse_strange(state, entries)
    return entries


def _goes_on(contents: Contents, before: Seen) -> bool:
    """Return whether the history still ends, where the mirror stands, as it did."""
    state, known = contents.state, before.state.history_rows
    if contents.history_from != known or state.history_rows < known:
        return False
    if any(state.last.get(name, 0) < number for name, number in before.state.last.items()):
        return False
    end = before.places[HISTORY.title].heading
    return not end or end == [history_end(contents, known)]


def history_end(contents: Contents, rows: int) -> str:
    """The digest of the last one of so many rows of the history."""
    offset = rows - contents.history_from
    return history_tab.digest(contents.history[offset - 1] if offset else contents.history_end)


def _refuse_strange(state: State, entries: Entries) -> None:
    """Raise StoreDamagedError where the technical tab and the history do not fit together."""
    highest = {tables.transactions.name: max((transaction["id"] for transaction in entries.transactions), default=0)}
    for entry in entries.audit:
        kind = BY_NAME.get(entry.record)
        if kind is not None:
            name = tables.TABLES[kind].name
            highest[name] = max([highest.get(name, 0), *entry.ids[-1:]])
    if any(number > state.last.get(name, 0) for name, number in highest.items()):
        raise TabDamagedError(f"The hidden tab “crm” was changed by hand. {_put_back()}")


# What created records were is said by their rows alone.
_CREATED = """
WITH RECURSIVE created (id) AS (SELECT ? UNION ALL SELECT id + 1 FROM created WHERE id < ?)
INSERT INTO audit ("transaction", record, record_id, operation) SELECT ?, ?, id, ? FROM created"""


def enter(connection: Connection, entries: Entries) -> None:
    """Put transactions and their entries into the mirror."""
    unnamed = [head for head in entries.transactions if head["user_id"] is None]
    team = team_of(connection) if unnamed else None
    for head in unnamed:
        head["user_id"] = team.account_or_former(head["user"]) if team else 0
    place = tables.transactions.c
    for start in range(0, len(entries.transactions), _BATCH):
        batch = entries.transactions[start : start + _BATCH]
        # Somebody may have copied rows of the history.
        taken = select(place.uid).where(place.uid.in_([head["uid"] for head in batch if head["uid"]]))
        known = set(connection.execute(taken).scalars())
        connection.execute(
            insert(tables.transactions), [{**head, "uid": None} if head["uid"] in known else head for head in batch]
        )
    for are_many, alike in groupby(entries.audit, lambda entry: len(entry.ids) > 1 and entry.operation == "create"):
        if are_many:
            for entry in alike:
                values = entry.transaction, entry.record, entry.operation
                connection.exec_driver_sql(_CREATED, (entry.ids[0], entry.ids[-1], *values))
            continue
        waiting = chain.from_iterable(entry.rows() for entry in alike)
        while written := list(islice(waiting, _BATCH)):
            columns = zip(*written, strict=True)
            insert_columns(connection, tables.audit, dict(zip(AUDIT_COLUMNS, columns, strict=True)))
    for head in entries.transactions:
        if head["undoes"]:
            mark_undone(connection, head["undoes"], head["id"])


@dataclass(frozen=True, slots=True)
class Done:
    """The change that the program made to a record since the mirror last saw it; `updates` are the entries of what was
    written into it since it was `created`."""

    operation: str = ""
    updates: Sequence[Entered] = ()
    at: datetime | None = None
    created: Entered | None = None

    @property
    def after(self) -> dict[str, Any]:
        """The fields that were written."""
        return {name: value for entry in self.updates for name, value in entry.fields_after.items()}

    def last(self, record_id: int, name: str) -> Any:
        """The value that was written last into a field, as the history keeps it; None where it is not known."""
        after = self.after if self.updates else {}
        return after[name] if name in after else self.created_with(record_id, name)

    def created_with(self, record_id: int, name: str) -> Any:
        """The cell of a field with which the record was created; None where it is not known."""
        return self.created.created(record_id, name) if self.created is not None else None


_NOTHING = Done()


def by_record(entries: Entries) -> dict[type[Record], dict[int, Done]]:
    """The change of each record, summed up: the last creation or deletion counts, later updates add up."""
    times = {head["id"]: head["at"] for head in entries.transactions}
    records: dict[type[Record], dict[int, Done]] = {}
    for entry in entries.audit:
        kind = BY_NAME.get(entry.record)
        if kind is None:
            continue
        known = records.setdefault(kind, {})
        if entry.operation == "update":
            for record_id in entry.ids:
                done = known.get(record_id, _NOTHING)
                updates = (*done.updates, entry)
                known[record_id] = Done(done.operation or "update", updates, times[entry.transaction], done.created)
        else:
            # One for all of them: there may be very many.
            created = entry if entry.operation == "create" and entry.after else None
            done = Done(entry.operation, (), times[entry.transaction], created)
            known.update(dict.fromkeys(entry.ids, done))
    return records
