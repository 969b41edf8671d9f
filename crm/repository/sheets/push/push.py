"""The sending of a commit until its outcome is known, and the repair of misplaced writes."""

import random
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from crm.errors import RefusedError, StoreBusyError, StoreError, StoreOfflineError
from crm.model import Record
from crm.repository import Wait, Waiting
from crm.repository.known import new_id
from crm.repository.sheets.google.spreadsheet import Interrupted, NoAnswer, Rejected, Service
from crm.repository.sheets.grid.cells import number_of, stamped
from crm.repository.sheets.grid.layout import ALL_TABS, Cell, columns, heading, is_marker, marker
from crm.repository.sheets.mirror.before_images import kept_ranges, kept_rows, newest_in
from crm.repository.sheets.mirror.mirror import META_RANGE, Quiet, Seen, State, without_unfinished
from crm.repository.sheets.pull import reading
from crm.repository.sheets.pull.ingest import Contents
from crm.repository.sheets.push.outcome import Ending, Unclear, in_doubt
from crm.repository.sheets.push.plan import Plan, RowWrite
from crm.repository.sheets.push.requests import ANSWER, Commit, Step, add_marker, kept_in, rows_in
from crm.repository.sheets.push.rollback import astray, cut, falls_short, lacks_history, recounting, rolled_back
from crm.repository.sheets.push.verification import Verified
from crm.repository.tables import TABLES as TABLES_OF

# Who writes in several requests is given up when nothing has moved for so long (seconds).
ABANDONED_AFTER = 30.0
# So long it is tried to find out whether a commit arrived whose answer was lost.
FINDS_OUT_FOR = 120.0
# So long the next request of several is tried while there is no connection.
_GOES_ON_FOR = 60.0
_SAME_REFUSALS = 3
# So often rows that people keep moving are repaired.
_MOST_REPAIRS = 20

Placed = dict[type[Record], dict[int, int]]

_MERGES = (
    "Google merges requests to this spreadsheet that come at the same moment, as `check --live` has found. Rows of the"
    " history cannot be removed safely there. Nothing was changed."
)
_NOT_PROVED = (
    "It is not known whether Google applies requests to this spreadsheet one after the other. Only then can rows of"
    " the history be removed safely. Run `check --live` first. Nothing was changed."
)


class Stale(Ending):
    """A commit of which nothing was written, as others came first or rows have moved; refresh, and run the change
    again."""


class Refused(Stale):
    """Google does not take the commit, though nobody came first: a tab is protected, or the spreadsheet is full."""


class RefusedAgainError(StoreError):
    """Google has refused a commit several times, always for the same `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Google refused the change: {reason}.")
        self.reason = reason


class Applied(Ending):
    """The commit is there, but what it made of the spreadsheet has to be read."""


class _Astray(Ending):
    """The commit was applied and did not write where it meant to."""


class Push:
    """One machine's way of writing to a spreadsheet."""

    def __init__(self, service: Service, waiting: Waiting) -> None:
        self.service = service
        self.waiting = waiting
        # How often Google has refused for each reason: what others edit may be refused for another one in between.
        self._refused: Counter[str] = Counter()
        # Transactions of ours that were begun in several requests: nobody else goes on with one of them.
        self._begun: set[str] = set()
        # Whether an answer proves what became of a request, or it has to be looked at once more.
        self._serialises = False

    def commit(
        self, plan: Plan, seen: Seen, uid: str, last: Mapping[str, int], roster: str, home: str
    ) -> tuple[Commit, State, Placed]:
        """Write a plan: how it was done, the state that it made, and where the new rows stand.

        Raises Stale, Unclear, Applied, or a StoreError after which nothing was applied and nothing can still come.
        """
        verified = Verified(self.service, plan, seen)
        self._serialises = verified.serialises
        if verified.state.staging:
            self.wait_for_stager(verified.state)
            raise Stale
        if not verified.holds():
            raise Stale
        plan.empties = not self._serialises
        if plan.cut and plan.empties:
            raise RefusedError(_MERGES if verified.merges else _NOT_PROVED)
        first, end = plan.cut or (0, 0)
        after = replace(seen.state, history_rows=seen.state.history_rows - (end - first))
        commit = Commit(plan, seen, uid, replace(after, staging="", last=dict(last), roster=roster, home=home))
        try:
            state, placed = self._apply(commit)
        except _Astray:
            with in_doubt():
                self.put_right(seen)
            # Somebody else may have found by now that all is well.
            raise Unclear from None
        self._refused.clear()
        return commit, state, placed

    def _apply(self, commit: Commit) -> tuple[State, Placed]:
        base, placed = commit.seen.state, dict[type[Record], dict[int, int]]()
        self._begun.add(commit.uid)
        for step in commit.steps():
            try:
                reply = self._send(step, base)
            except Unclear as unclear:
                if isinstance(unclear.error, (StoreError, KeyboardInterrupt)) and step.state.uid != commit.uid:
                    # Of those that go before the last one nobody sees anything.
                    raise unclear.error from None
                raise
            with in_doubt():
                if reply is None:
                    self._look_again(step)
                else:
                    step.block.rows = kept_in(reply)
                    if not step.block.is_as_planned:
                        raise _Astray
                    if not self._serialises:
                        self._look_again(step)
                base = step.state
                if base.uid == commit.uid:
                    if reply is None:
                        raise Applied
                    placed = commit.placed(reply)
        if commit.misses(placed):
            raise Applied
        return base, placed

    # What became of a request

    def _send(self, step: Step, base: State) -> Mapping[str, Any] | None:
        """The answer, or None where the request was applied and its answer was lost."""
        tries, doubtful, since = 0, False, time.monotonic()
        while True:
            tries += 1
            try:
                return self.service.write(step.requests, see=step.see, fields=ANSWER)
            except Interrupted as error:
                raise Unclear(error) from error
            except NoAnswer as error:
                state = self._state_after(since)
                if state.uid == step.state.uid:
                    return None
                if not state.is_at(base):
                    raise Unclear from None
                if time.monotonic() - since > FINDS_OUT_FOR:
                    # Reads are answered, and writes never.
                    raise Unclear(error) from error
                # Once more: it is on the same marker, so that at most one of the two is applied.
                doubtful = True
                with in_doubt():
                    time.sleep(random.uniform(0.5, 1.0) * min(2.0, 0.05 * 2**tries))
            except (StoreOfflineError, StoreBusyError) as error:
                if doubtful:
                    self._find_out(since, error)
                elif not base.staging or time.monotonic() - since > _GOES_ON_FOR:
                    raise
                else:
                    self.waiting(Wait("The connection broke while saving; trying again", time.monotonic() - since))
                    time.sleep(0.5)
            except (StoreError, KeyboardInterrupt) as error:
                if doubtful:
                    # The try before may still be on its way.
                    raise Unclear(error) from error
                raise
            except Rejected as error:
                state = self._state_after(since)
                if state.uid == step.state.uid:
                    # It arrived twice, or before: this is the answer to the second one.
                    return None
                if doubtful or not state.is_at(base):
                    # It may be there with somebody else's commit on top, or may still be on its way.
                    raise Unclear from error
                # Google may itself say that somebody else was first.
                if error.status == 409 or self._restore_marker(base):
                    raise Stale(error.message) from error
                reason = _reason(error, step)
                self._count_refusal(reason)
                raise Refused(reason) from error

    def _state_after(self, since: float) -> State:
        """The state now that something was sent, however long the connection takes to come back."""
        while True:
            with in_doubt():
                try:
                    (meta,) = self.service.values([META_RANGE])
                    return reading.state_in(meta.rows)
                except (StoreOfflineError, StoreBusyError) as error:
                    self._find_out(since, error)

    def _find_out(self, since: float, error: StoreError) -> None:
        with in_doubt():
            self.find_out(since, error)

    def find_out(self, since: float, error: StoreError) -> None:
        """Wait a moment until it is looked again whether something arrived. Raises the error after long."""
        waited = time.monotonic() - since
        if waited > FINDS_OUT_FOR:
            raise error
        self.waiting(Wait("The connection broke while saving; looking whether it arrived", waited))
        time.sleep(0.5)

    def _look_again(self, step: Step) -> None:
        """Return whether a request whose answer was lost has written where it meant to."""
        # It arrived, and may have to be taken back.
        meta, notes, cells = self.service.values([META_RANGE, *kept_ranges(step.block.size + 2)])
        own = newest_in(kept_rows(notes.rows, cells.rows))
        if own is None or own.uid != step.state.uid or reading.state_in(meta.rows).uid != own.uid:
            # Somebody else was there since.
            raise Unclear
        if not own.is_as_planned:
            raise _Astray

    def _restore_marker(self, base: State) -> bool:
        """Put the marker back where somebody has deleted it by hand, or put back an older version of the
        spreadsheet beside which another one stands; False where it is there."""
        asked = "namedRanges(namedRangeId),sheets(data(rowData(values(effectiveValue))))"
        answer = self.service.look([META_RANGE], asked)
        names = [
            range_["namedRangeId"] for range_ in answer.get("namedRanges", []) if is_marker(range_["namedRangeId"])
        ]
        rows = rows_in(answer["sheets"][0]["data"])
        if marker(base.revision, base.uid) in names or not reading.state_in([rows[0], rows[1]]).is_at(base):
            return False
        # Those that are deleted must still be there, so that this is done once only.
        with suppress(Rejected, NoAnswer):
            self.service.write([*({"deleteNamedRange": {"namedRangeId": name}} for name in names), add_marker(base)])
        return True

    def _count_refusal(self, reason: str) -> None:
        """The same refusal again and again is no lost race."""
        self._refused[reason] += 1
        if self._refused[reason] >= _SAME_REFUSALS:
            del self._refused[reason]
            raise RefusedAgainError(reason) from None

    # Those who write in several requests

    def wait_for_stager(self, state: State) -> None:
        """Wait until somebody's transaction of several requests is through, or clear what it left."""
        if self._was_given_up(state):
            self._clear_staged()

    def wait_while_somebody_stages(self) -> None:
        """Wait until somebody's transaction of several requests is through, or was given up, also where the spreadsheet
        is damaged."""
        with suppress(Rejected):
            (meta,) = self.service.values([META_RANGE])
            self._was_given_up(_state_of_any(meta.rows))

    def _was_given_up(self, state: State) -> bool:
        """Wait until a transaction of several requests is through, or has not moved for long: whether it was given
        up."""
        since = last_moved = time.monotonic()
        while state.staging:
            now = time.monotonic()
            if now - last_moved > ABANDONED_AFTER or state.staging in self._begun:
                return True
            self.waiting(Wait("Someone is saving a large change to the spreadsheet", now - since))
            time.sleep(1.0)
            (meta,) = self.service.values([META_RANGE])
            moved = _state_of_any(meta.rows)
            if not moved.is_at(state):
                state, last_moved = moved, time.monotonic()
        return False

    def _clear_staged(self) -> None:
        """Take away the rows of a transaction that was broken off; nobody has seen them."""
        contents = self.put_right(None)
        state = contents.state
        if not state.staging:
            return
        plan = Plan(repairs=True)
        for kind, rows in contents.tabs.items():
            head = heading(kind, rows[0] if rows else [])
            last = state.last[TABLES_OF[kind].name]
            for at, cells in enumerate(rows[1:], start=1):
                row = head.row(cells)
                record_id = number_of(row[0])
                if record_id and record_id > last and stamped(row[len(columns(kind)) - 1]):
                    relies = {column: cell for column, cell in enumerate(cells) if cell != ""}
                    plan.deletes.append(RowWrite(kind, record_id, at, relies, deletes=True))
        after = replace(state, staging="")
        plan.cut = cut(contents, state.history_rows + 1)
        self._write_over(Commit(plan, Seen(state, contents.places), new_id(), after))

    def _write_over(self, commit: Commit) -> None:
        """Write cells that every program would write in the same way; the result is checked again, whoever is first."""
        commit.plan.empties = not self._serialises
        try:
            self._apply(commit)
        except (_Astray, Stale, Applied):
            return
        except Unclear as unclear:
            unclear.pass_on_interrupt()

    # What went astray

    def put_right(self, seen: Seen | None, quiet: Mapping[str, Quiet] | None = None) -> Contents:
        """Read the spreadsheet, once the last commits have been taken back that did not write where they meant to.
        `quiet` are the tabs that are known by their digest."""
        for tries in range(_MOST_REPAIRS):
            if tries:
                # Others may be putting it right at this very moment.
                time.sleep(random.uniform(0, min(2.0, 0.05 * 2**tries)))
            contents = reading.read(self.service, seen, quiet)
            if astray(contents) and not contents.has_written:
                contents = reading.read(self.service, seen, quiet, all_kept=True, written=True)
            elif falls_short(contents, seen):
                contents = reading.read(self.service, seen, quiet, all_kept=True, written=contents.has_written)
            self._serialises = contents.serialises
            blocks = astray(contents)
            if blocks and (not contents.has_written or lacks_history(contents, blocks)):
                contents = reading.read(self.service, None, all_kept=True, written=True)
                blocks = astray(contents)
            rollback = rolled_back(contents, blocks) if blocks else recounting(contents)
            if rollback is None:
                return contents
            plan, after = rollback
            self._write_over(Commit(plan, Seen(contents.state, contents.places), new_id(), after))
        raise StoreBusyError(
            "Rows are being moved in the spreadsheet again and again while the program puts them right.",
            "Try again when nobody is sorting it.",
        )


def _reason(error: Rejected, step: Step) -> str:
    """The reason why Google refused a request, with the tab that it is about."""
    number = re.search(r"requests\[(\d+)\]", error.message)
    part = str(step.requests[int(number[1])]) if number and int(number[1]) < len(step.requests) else ""
    sheet = re.search(r"'sheetId': (\d+)", part)
    title = next((tab.title for tab in ALL_TABS if sheet and tab.sheet_id == int(sheet[1])), "")
    return f"in the tab “{title}”, {error.reason}" if title else error.reason


def _state_of_any(rows: Sequence[Sequence[Cell]]) -> State:
    """The state in the technical tab, also while it is being repaired; an empty one where it cannot be read."""
    return State.read(without_unfinished(rows)) or State()
