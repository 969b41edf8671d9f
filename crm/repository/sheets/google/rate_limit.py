"""The quota of an account at Google, shared by all programs on this machine: who asks next, and when."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from crm.clock import machine_now
from crm.errors import StoreBusyError
from crm.private_files import private_database
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
# Who finds the file held gives up after so many seconds and goes on without it.
_HELD = 2.0
# Each program makes them where they are missing; several may do so at the same moment. The file has no write-ahead log:
# to be given one is refused at once, not waited for, where another program has the file.
_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS slot (account TEXT, kind TEXT, at REAL, epoch REAL);
CREATE INDEX IF NOT EXISTS slot_by_time ON slot (account, kind, at);
CREATE TABLE IF NOT EXISTS pause (account TEXT, kind TEXT, until REAL, epoch REAL, PRIMARY KEY (account, kind));
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """The clocks that are waited by: `now` only goes forward and is the same for all programs of this machine (it
    starts anew with the machine), `day` is the time of day, which people set."""

    now: Callable[[], float] = time.monotonic
    day: Callable[[], float] = lambda: machine_now().timestamp()
    sleep: Callable[[float], None] = time.sleep

    def count_down(self, seconds: float, why: str, waiting: Waiting, waited: float = 0) -> None:
        """Sleeps so long, telling about once a second how long still."""
        started = self.now()
        while (left := seconds - (self.now() - started)) > _NOTHING:
            waiting(Wait(why, waited + seconds - left, left))
            # To the next whole second, so that each is shown once.
            part = left % 1
            self.sleep(min(left, part if part > _NOTHING else 1.0))
        waiting(Wait(why, waited + seconds, 0))


class Limiter:
    """Gives out the requests of `account`: each takes a slot before it is sent.

    A slot that is not free yet is taken for the moment when it will be, so whoever waits comes in order. What a
    program that died had taken frees itself with its minute. Slots are kept in a file in `folder`; where that cannot
    be written or is damaged, each program counts for itself.
    """

    def __init__(self, folder: Path, account: str, clock: Stopwatch | None = None) -> None:
        self._path = folder / "quota.sqlite3"
        self._account = account
        self.clock = clock or Stopwatch()
        self._opened: sqlite3.Connection | None = None
        self._alone = False
        self._mended = False
        self._lock = threading.Lock()

    def take(self, kind: Kind, waiting: Waiting, since: float | None = None) -> None:
        """Takes a slot, waiting for it with a countdown. Raises StoreBusyError where that takes too long, counted
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
                # Ctrl-C: whoever comes next may have it.
                self._give_back(kind, at)
                raise
            # Somebody may have met the end of the quota meanwhile: then all wait.
            if self._change(lambda file, now, _: _paused_until(file, self._account, kind) <= now):
                return
            self._give_back(kind, at)

    def refused(self, kind: Kind, attempt: int, after: float = 0) -> None:
        """Google said that the quota is used up, the `attempt`-th time (from 1) for this request: everybody on this
        machine pauses, at first until our minute is over, then longer each time; at least `after` seconds."""

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
        """Lets go of the file."""
        with self._lock:
            self._let_go()

    def _give_back(self, kind: Kind, at: float) -> None:
        self._change(
            lambda file, _now, _epoch: file.execute(
                "DELETE FROM slot WHERE rowid ="
                " (SELECT min(rowid) FROM slot WHERE account = ? AND kind = ? AND at = ?)",
                (self._account, kind, at),
            )
        )

    def _change(self, change: Callable[[sqlite3.Connection, float, float], Result]) -> Result:
        """Calls `change` with the file for ourselves, the time, and the moment of the day when that time began.

        Counting must never be what stops somebody: a file that cannot be used is left for one in memory.
        """
        with self._lock:
            while True:
                try:
                    return self._attempt(change)
                except (sqlite3.Error, OSError) as error:
                    self._let_go()
                    if self._alone:
                        raise
                    if not _is_damage(error) or self._mended:
                        self._alone = True
                        continue
                    # Nothing in it is worth keeping for more than a few minutes.
                    self._mended = True
                    with suppress(OSError):
                        for path in self._path.parent.glob(f"{self._path.name}*"):
                            path.unlink(missing_ok=True)

    def _attempt(self, change: Callable[[sqlite3.Connection, float, float], Result]) -> Result:
        file = self._file()
        file.execute("BEGIN IMMEDIATE")
        try:
            now = self.clock.now()
            epoch = self.clock.day() - now
            # The machine was started anew, slept, or its time was set: what was counted before says nothing now.
            for table in ("slot", "pause"):
                file.execute(f"DELETE FROM {table} WHERE abs(epoch - ?) > ?", (epoch, _DRIFT))
            result = change(file, now, epoch)
            file.execute("COMMIT")
            return result
        except BaseException:
            with suppress(sqlite3.Error):
                file.execute("ROLLBACK")
            raise

    def _file(self) -> sqlite3.Connection:
        if self._opened is None:
            if not self._alone:
                private_database(self._path)
            where = ":memory:" if self._alone else str(self._path)
            opened = sqlite3.connect(where, timeout=_HELD, isolation_level=None, check_same_thread=False)
            try:
                # A crash of a program loses nothing so, and one of the machine takes longer than a minute.
                opened.execute("PRAGMA synchronous = OFF")
                opened.executescript(_TABLES)
            except BaseException:
                opened.close()
                raise
            self._opened = opened
        return self._opened

    def _let_go(self) -> None:
        if self._opened is not None:
            self._opened.close()
        self._opened = None


@dataclass(frozen=True, slots=True)
class _Reservation:
    """Takes the next slot: the moment that it is for, or None where that is too far from when the wait began."""

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


def _is_damage(error: Exception) -> bool:
    return str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR"))


def too_long() -> StoreBusyError:
    """The error for a quota that does not come back."""
    return StoreBusyError(
        "Google's quota for the account is used up for longer than one waits, by this program or by others that use"
        " the account. Nothing was changed; try again in a few minutes."
    )
