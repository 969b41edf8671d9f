"""The quota of an account at Google, shared by all programs on this machine: who asks next, and when."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from crm.clock import machine_now
from crm.errors import StoreBusyError
from crm.local_database import SharedCounts
from crm.repository import Wait, Waiting

Result = TypeVar("Result")
Kind = Literal["reads", "writes", "drive"]

# So many requests in any minute. Drive has a quota of its own, far above what is asked here.
PER_MINUTE: dict[Kind, int] = {"reads": 60, "writes": 60}
# A little more than a minute: requests do not all take equally long to get to Google.
_MINUTE = 60.5
# Nobody waits longer than so many seconds for the quota.
LONGEST_WAIT = 300.0
USED_UP = "Google's quota for this minute is used up"
# How far the two clocks may move against each other before what was written down is of another time.
_DRIFT = 5.0
# A moment that is not worth sleeping for.
_NOTHING = 0.001
# A crash of a program does not lose it, and a restart of the machine takes longer than a minute.
_TABLES = """
CREATE TABLE IF NOT EXISTS slot (account TEXT, kind TEXT, at REAL, epoch REAL);
CREATE INDEX IF NOT EXISTS slot_by_time ON slot (account, kind, at);
CREATE TABLE IF NOT EXISTS pause (account TEXT, kind TEXT, until REAL, epoch REAL, PRIMARY KEY (account, kind));
"""


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """The clocks that are waited by: `now` only goes forward and is the same for all programs of this machine (it
    starts again with the machine), `day` is the time of day, which people set."""

    now: Callable[[], float] = time.monotonic
    day: Callable[[], float] = lambda: machine_now().timestamp()
    sleep: Callable[[float], None] = time.sleep

    def count_down(self, seconds: float, why: str, waiting: Waiting, waited: float = 0) -> None:
        """Sleep so long, telling about once a second how long still."""
        started = self.now()
        while (left := seconds - (self.now() - started)) > _NOTHING:
            waiting(Wait(why, waited + seconds - left, left))
            # To the next whole second, so that each is shown once.
            part = left % 1
            self.sleep(min(left, part if part > _NOTHING else 1.0))
        waiting(Wait(why, waited + seconds, 0))


class Limiter:
    """The rate limit on the requests of `account`: each takes a slot before it is sent.

    A slot that is not free yet is taken for the moment when it will be, so those who wait come in order. What a
    program that died had taken frees itself with its minute. Slots are kept in a file in `folder`; where that cannot
    be written or is damaged, each program counts for itself.
    """

    def __init__(self, folder: Path, account: str, clock: Stopwatch | None = None) -> None:
        self._counts = SharedCounts(folder / "quota.sqlite3", _TABLES)
        self._account = account
        self.clock = clock or Stopwatch()

    def take(self, kind: Kind, waiting: Waiting, since: float | None = None) -> None:
        """Take a slot, waiting for it with a countdown. Raises StoreBusyError where that takes too long, counted
        from `since` where the request has been waiting before."""
        started = self.clock.now() if since is None else since
        while True:
            at = self._change(_Reservation(self._account, kind, started))
            if at is None:
                raise too_long()
            now = self.clock.now()
            if at <= now:
                return
            try:
                self.clock.count_down(at - now, USED_UP, waiting, now - started)
            except BaseException:
                # Ctrl-C: the next one may have it.
                self._give_back(kind, at)
                raise
            # Somebody may have met the end of the quota meanwhile: then all wait.
            if self._change(lambda file, now, _: _paused_until(file, self._account, kind) <= now):
                return
            self._give_back(kind, at)

    def refused(self, kind: Kind, attempt: int, after: float = 0) -> None:
        """Note that Google said that the quota is used up, the `attempt`-th time (from 1) for this request: everybody
        on this machine pauses, at first until our minute is over, then longer each time; at least `after` seconds."""

        def pause(file: sqlite3.Connection, now: float, epoch: float) -> None:
            if attempt == 1:
                oldest = file.execute(
                    "SELECT min(at) FROM slot WHERE account = ? AND kind = ? AND at BETWEEN ? AND ?",
                    (self._account, kind, now - _MINUTE, now),
                ).fetchone()[0]
                seconds = (now if oldest is None else oldest) + _MINUTE - now
            else:
                seconds = min(60.0, 5.0 * 2.0 ** min(attempt - 1, 5))
            file.execute(
                "INSERT INTO pause VALUES (?, ?, ?, ?) ON CONFLICT (account, kind) DO UPDATE"
                " SET until = max(until, excluded.until), epoch = excluded.epoch",
                (self._account, kind, now + max(seconds, after, 1.0), epoch),
            )

        self._change(pause)

    def close(self) -> None:
        """Forget what was counted in memory alone."""
        self._counts.close()

    def _give_back(self, kind: Kind, at: float) -> None:
        self._change(
            lambda file, _now, _epoch: file.execute(
                "DELETE FROM slot WHERE rowid ="
                " (SELECT min(rowid) FROM slot WHERE account = ? AND kind = ? AND at = ?)",
                (self._account, kind, at),
            )
        )

    def _change(self, change: Callable[[sqlite3.Connection, float, float], Result]) -> Result:
        """Call `change` with the file for ourselves, the time, and the moment of the day when that time began."""

        def timed(file: sqlite3.Connection) -> Result:
            now = self.clock.now()
            epoch = self.clock.day() - now
            # The machine was restarted, slept, or its time was set: what was counted before says nothing now.
            for table in ("slot", "pause"):
                file.execute(f"DELETE FROM {table} WHERE abs(epoch - ?) > ?", (epoch, _DRIFT))
            return change(file, now, epoch)

        return self._counts.change(timed)


@dataclass(frozen=True, slots=True)
class _Reservation:
    """A reservation of the next slot: the moment that it is for, or None where that is too far from when the wait
    began."""

    account: str
    kind: Kind
    since: float

    def __call__(self, file: sqlite3.Connection, now: float, epoch: float) -> float | None:
        at = max(now, _paused_until(file, self.account, self.kind))
        limit = PER_MINUTE.get(self.kind)
        if limit:
            key = (self.account, self.kind)
            file.execute("DELETE FROM slot WHERE account = ? AND kind = ? AND at <= ?", (*key, now - _MINUTE))
            # The last slot but so many: a minute after it the next is free.
            before = file.execute(
                "SELECT at FROM slot WHERE account = ? AND kind = ? ORDER BY at DESC LIMIT 1 OFFSET ?",
                (*key, limit - 1),
            ).fetchone()
            at = max(at, before[0] + _MINUTE) if before else at
        if at - self.since > LONGEST_WAIT:
            return None
        if limit:
            file.execute("INSERT INTO slot VALUES (?, ?, ?, ?)", (*key, at, epoch))
        return at


def _paused_until(file: sqlite3.Connection, account: str, kind: Kind) -> float:
    pause = file.execute("SELECT until FROM pause WHERE account = ? AND kind = ?", (account, kind)).fetchone()
    return float(pause[0]) if pause else 0.0


def too_long() -> StoreBusyError:
    """The error for a quota that does not come back."""
    return StoreBusyError(
        "Google's quota for the account is used up, by this program or by others that use it, for longer than the"
        " program waits.",
        "Try again in a few minutes.",
    )
