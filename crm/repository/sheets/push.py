"""Sending a commit until it is known what became of it, and putting right one that went astray."""

import random
import time
import uuid
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from typing import Any

from crm.errors import StoreError, StoreOfflineError
from crm.model import RECORDS, Record
from crm.repository import Wait, Waiting
from crm.repository.sheets import journal, reading
from crm.repository.sheets.cells import number_of, stamped
from crm.repository.sheets.commit import ANSWER, Answer, Commit, Step, add_marker
from crm.repository.sheets.ingest import Contents
from crm.repository.sheets.layout import (
    BEFORE,
    BEFORE_COLUMNS,
    HISTORY,
    TABS,
    Cell,
    columns,
    heading,
    is_marker,
)
from crm.repository.sheets.mirror import META_RANGE, Seen, State
from crm.repository.sheets.plan import Plan, RowWrite
from crm.repository.sheets.service import NoAnswer, Rejected, Service
from crm.repository.tables import TABLES as TABLES_OF
from crm.repository.tables import transactions

# Who writes in several requests is given up when nothing has moved for so long (seconds).
_ABANDONED_AFTER = 20.0
# So long it is tried to find out whether a commit arrived whose answer was lost.
_FINDS_OUT_FOR = 120.0
_SAME_REFUSALS = 3


class Stale(Exception):
    """Others came first, or rows have moved: nothing of the commit is there; refresh, and run the change again."""


class Unclear(Exception):
    """The commit was sent and others have come since; the history tells whether it was applied."""


class Applied(Exception):
    """The commit is there, but what it made of the spreadsheet has to be read."""


def new_uid() -> str:
    """A name for a commit that no other has."""
    return uuid.uuid4().hex[:16]


class Push:
    """One machine's way of writing to a spreadsheet."""

    def __init__(self, service: Service, waiting: Waiting) -> None:
        self.service = service
        self.waiting = waiting
        self._refused: tuple[str, int] = ("", 0)
        # Transactions of ours that were begun in several requests: nobody else goes on with one of them.
        self._begun: set[str] = set()

    def commit(self, plan: Plan, seen: Seen, uid: str, last: Mapping[str, int]) -> tuple[Commit, State, Answer]:
        """Writes a plan. Raises Stale, Unclear, Applied, or a StoreError after which nothing of it is there."""
        verified = reading.Verified(self.service, plan)
        if verified.state.staging:
            self.wait_for_stager(verified.state)
            raise Stale
        if not verified.holds(seen):
            raise Stale
        return self._write(Commit(plan, seen, uid, last))

    def _write(self, commit: Commit) -> tuple[Commit, State, Answer]:
        base = commit.seen.state
        self._begun.add(commit.uid)
        reply: Mapping[str, Any] | None = None
        for step in commit.steps():
            reply = self._send(step, base)
            base = step.state
        answer = commit.answered(reply) if reply is not None else self._reread(commit)
        if not answer.as_meant:
            self.mend(commit.seen)
            raise Stale
        self._refused = ("", 0)
        if any(len(answer.placed[kind]) < len(rows) for kind, rows in commit.plan.appends.items()):
            raise Applied
        return commit, base, answer

    # What became of a request

    def _send(self, step: Step, base: State) -> Mapping[str, Any] | None:
        """The answer, or None where the request was applied and its answer was lost."""
        sent, since = 0, time.monotonic()
        while True:
            sent += 1
            try:
                return self.service.write(step.requests, see=step.see, fields=ANSWER)
            except NoAnswer:
                state = self._state_after(since)
                if state.uid == step.state.uid:
                    return None
                if not _same(state, base):
                    raise Unclear from None
                # Once more: it stands on the same marker, so that at most one of the two is applied.
                time.sleep(random.uniform(0.5, 1.0) * min(2.0, 0.05 * 2**sent))
            except StoreOfflineError:
                if sent == 1:
                    raise
                self._find_out(since)
            except Rejected as error:
                state = self._state_after(since)
                if state.uid == step.state.uid:
                    return None
                if not _same(state, base):
                    raise (Unclear if sent > 1 else Stale) from None
                self._mend_marker(base)
                self._count_refusal(error)
                raise Stale(error.message) from error

    def _state_after(self, since: float) -> State:
        """The state now that something was sent, however long the connection takes to come back."""
        while True:
            try:
                (meta,) = self.service.values([META_RANGE])
                return reading.state_in(meta.rows)
            except StoreOfflineError:
                self._find_out(since)

    def _find_out(self, since: float) -> None:
        waited = time.monotonic() - since
        if waited > _FINDS_OUT_FOR:
            raise StoreOfflineError(
                "The connection broke while this was being saved, and whether it arrived could not be found out."
                " Look at the history when the connection is back, before you enter it again."
            ) from None
        self.waiting(Wait("The connection broke while saving; looking whether it arrived", waited))
        time.sleep(0.5)

    def _mend_marker(self, base: State) -> None:
        """Puts the marker back where somebody has deleted it by hand."""
        described = self.service.describe("namedRanges(namedRangeId)")
        if not any(is_marker(each["namedRangeId"]) for each in described.get("namedRanges", [])):
            try:
                self.service.write([add_marker(base)])
            except (Rejected, NoAnswer):
                return

    def _count_refusal(self, error: Rejected) -> None:
        """The same refusal again and again is no lost race."""
        message, times = self._refused
        self._refused = (error.message, times + 1 if message == error.message else 1)
        if self._refused[1] >= _SAME_REFUSALS:
            raise StoreError(f"Google refused the change: {error.message} Nothing was saved.") from None

    def _reread(self, commit: Commit) -> Answer:
        """What the lost answer would have shown. Raises Applied where others have come since."""
        ranges = [META_RANGE, BEFORE.rows(), *(TABS[kind].rows() for kind in commit.plan.appends)]
        meta, kept, *tabs = self.service.values(ranges)
        if reading.state_in(meta.rows).uid != commit.uid:
            raise Applied
        added = {kind: tab.rows for kind, tab in zip(commit.plan.appends, tabs, strict=True)}
        return commit.found(kept.rows, added)

    # Those who write in several requests

    def wait_for_stager(self, state: State) -> None:
        """Waits until somebody's transaction of several requests is through, or clears what it left."""
        since = last_moved = time.monotonic()
        while state.staging:
            now = time.monotonic()
            if now - last_moved > _ABANDONED_AFTER or state.staging in self._begun:
                self._clear_staged()
                return
            self.waiting(Wait("Somebody is saving a large change to the spreadsheet", now - since))
            time.sleep(1.0)
            (meta,) = self.service.values([META_RANGE])
            moved = reading.state_in(meta.rows)
            if not _same(moved, state):
                state, last_moved = moved, time.monotonic()

    def _clear_staged(self) -> None:
        """Takes away the rows of a transaction that was broken off; nobody has seen them."""
        contents = reading.read(self.service, None)
        state = contents.state
        if not state.staging:
            return
        plan = Plan()
        for kind, rows in contents.tabs.items():
            head = heading(kind, rows[0] if rows else [])
            last = state.last[TABLES_OF[kind].name]
            for at, cells in enumerate(rows[1:], start=1):
                row = head.row(cells)
                record_id = number_of(row[0])
                if record_id and record_id > last and stamped(row[len(columns(kind)) - 1]):
                    plan.deletes.append(RowWrite(kind, record_id, at, row, deletes=True))
        first, end = state.history_rows + 1, len(contents.history) + 1
        also = []
        if end > first:
            span = {"sheetId": HISTORY.sheet_id, "dimension": "ROWS", "startIndex": first, "endIndex": end}
            also.append({"deleteDimension": {"range": span}})
        commit = Commit(plan, Seen(state, contents.places), new_uid(), state.last, also)
        self._write(commit)

    # What went astray

    def mend(self, seen: Seen | None) -> None:
        """Puts back what the last commit wrote, which had other rows before it than it thought: people had moved
        them at that moment. Its rows are in the tab `before`, its deeds in the history."""
        while True:
            contents = reading.read(self.service, seen)
            (kept,) = self.service.values([BEFORE.rows()])
            plan = restoring(contents, kept.rows)
            if plan is None:
                return
            after = Seen(contents.state, contents.places)
            with suppress(Applied):
                try:
                    self._write(Commit(plan, after, new_uid(), contents.state.last))
                except Stale:
                    continue
            return


def _same(one: State, other: State) -> bool:
    return (one.revision, one.uid) == (other.revision, other.uid)


def _alike(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many cells two rows have in common."""
    return sum(cell == theirs != "" for cell, theirs in zip(one, other, strict=False))


def restoring(contents: Contents, kept: Sequence[Sequence[Cell]]) -> Plan | None:
    """What puts back the rows that the last commit wrote to, as they were kept; None where that is not known."""
    state = contents.state
    notes = [row for row in kept if len(row) >= len(BEFORE_COLUMNS) and row[0] == state.uid]
    entries = journal.read(contents.history, state.last[transactions.name])
    number = entries.uids.get(state.uid)
    if number is None or not notes:
        return None
    plan = Plan(history=[journal.void(number)])
    wide = len(BEFORE_COLUMNS)
    by_sheet = {TABS[kind].sheet_id: kind for kind in RECORDS}
    for at, note in enumerate(notes):
        kind = by_sheet.get(int(note[1]))
        if kind is None:
            continue
        head = heading(kind, kept[at][wide:])
        rows = [kept[row][wide:] for row in range(int(note[2]), int(note[2]) + int(note[3])) if row < len(kept)]
        audit = [each for each in entries.audit if each["transaction"] == number and each["record"] == kind.kind_name]
        _Restoring(kind, contents, audit, plan).restore([head.row(row) for row in rows])
    return plan


class _Restoring:
    """One tab's part of putting a commit back."""

    def __init__(self, kind: type[Record], contents: Contents, audit: Sequence[Mapping[str, Any]], plan: Plan) -> None:
        self.kind = kind
        self.plan = plan
        rows = contents.tabs[kind]
        self.head = heading(kind, rows[0] if rows else [])
        self.now = [(at, self.head.row(row)) for at, row in enumerate(rows) if at]
        self.names = {name for each in audit if each["operation"] == "update" for name in each["after"]}
        self.ids = {each["record_id"] for each in audit}
        self.created = {each["record_id"] for each in audit if each["operation"] == "create"}

    def restore(self, kept: Sequence[list[Any]]) -> None:
        """Rows that are there get their cells back, rows that are gone are added again, new ones are taken away."""
        there = {record_id: (at, row) for at, row in self.now if (record_id := number_of(row[0]))}
        written = {*self.names, "updated_at", "version"}
        # Rows that a person had typed, and got an id; or whose id was overwritten by one.
        unmatched = [row for row in kept if any(row) and number_of(row[0]) not in there]
        for record_id in sorted(self.created & there.keys()):
            at, row = there[record_id]
            alike = max(unmatched, key=lambda each: _alike(each, row), default=None)
            if alike is None:
                self.plan.deletes.append(RowWrite(self.kind, record_id, at, row, deletes=True))
            else:
                unmatched.remove(alike)
                self._put_back(record_id, at, row, alike, columns(self.kind))
        for row in kept:
            found = number_of(row[0])
            if found and found in there and found not in self.created:
                self._put_back(found, *there[found], row, written)
            elif found and row in unmatched:
                self._add_again(found, row)
        for at, row in self.now:
            stamp = stamped(row[len(columns(self.kind)) - 1])
            if row[0] == "" and stamp and stamp[0] in self.ids:
                self._put_back(stamp[0], at, row, [""] * len(columns(self.kind)) + row[-1:], written)

    def _put_back(self, record_id: int, at: int, now: list[Any], before: list[Any], names: Container[str]) -> None:
        write = RowWrite(self.kind, record_id, at, now, list(before))
        for place, name in enumerate(columns(self.kind)):
            if name in names and now[place] != before[place] and name in self.head.positions:
                write.cells[self.head.positions[name]] = before[place]
                write.names.add(name)
        if isinstance(before[-1], dict):
            for name in {**now[-1], **before[-1]}:
                if "extra" in self.names and now[-1].get(name) != before[-1].get(name) and name in self.head.own:
                    write.cells[self.head.own[name]] = before[-1].get(name, "")
                    write.names.add(f"={name}")
        if write.cells:
            self.plan.updates.append(write)

    def _add_again(self, record_id: int, before: list[Any]) -> None:
        row: list[Cell] = [""] * len(self.head.written)
        for name, cell in zip(columns(self.kind), before, strict=False):
            if name in self.head.positions:
                row[self.head.positions[name]] = cell
        if isinstance(before[-1], dict):
            for name, cell in before[-1].items():
                if name in self.head.own:
                    row[self.head.own[name]] = cell
        self.plan.appends.setdefault(self.kind, []).append((record_id, row, before))
