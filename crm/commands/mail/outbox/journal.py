"""The journal of sent messages on this machine, noted at each step, so that nothing is sent twice."""

import secrets
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from crm.clock import Clock
from crm.local_database import JournalFile, take_lock

# What was handed over is remembered for so many days: a store that is restored from a backup may have it queued again.
_REMEMBERED = 800
_TABLES = """
CREATE TABLE IF NOT EXISTS lease (until TEXT PRIMARY KEY, run TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempt (
  identifier TEXT NOT NULL, lease TEXT NOT NULL, tries INTEGER NOT NULL, state TEXT NOT NULL, failure TEXT NOT NULL,
  at TEXT NOT NULL, PRIMARY KEY (identifier, lease)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS attempt_by_lease ON attempt (lease);
CREATE TABLE IF NOT EXISTS pace (one INTEGER PRIMARY KEY CHECK (one = 1), next REAL NOT NULL);
CREATE TABLE IF NOT EXISTS kept (file TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reached (
  identifier TEXT NOT NULL, address TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (identifier, address)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A message that was begun to be handed over at a time (`at`, aware), its try of that number, and how that ended:
    'sent', 'failed', 'later', 'unsure', 'unsent' (nothing was handed over after all), or '' where it is not known;
    `failure` says why, and `reached` which of several addresses the message has reached by then."""

    tries: int
    state: str
    failure: str
    at: datetime
    reached: tuple[str, ...] = ()


class SendingJournal(JournalFile):
    """A small file in `folder`, shared by all programs of this machine. One that is damaged is put aside: what is in
    the store as being sent is then taken for another machine's.

    The identifier of a message is its idempotency key: one that was handed over under it is not handed over again.

    As a context it is open; everything may raise FileError. Programs that send hold a lock for as long as they live,
    and what each takes is noted with it.
    """

    file_name = "journal.sqlite3"
    tables = _TABLES
    broken = (
        "The program cannot save what it has sent, because {file} cannot be written: {why}. Nothing more is sent"
        " until that is fixed."
    )

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder)
        self._clock = clock
        self._run = ""
        self._lock: sqlite3.Connection | None = None

    def __exit__(self, *of_error: Any) -> None:
        super().__exit__(*of_error)
        if self._lock is not None:
            self._lock.close()
            with suppress(OSError):
                self._lock_of(self._run).unlink()

    # What a program takes

    def lease(self, lasts: timedelta) -> str:
        """The end (UTC, ISO 8601) of a new lease of this program, unlike any other machine's."""
        self._live()
        # Seconds would do to say when; the rest of it makes it nobody else's.
        end = (self._clock.now + lasts).replace(microsecond=secrets.randbelow(1_000_000))
        until = end.isoformat(timespec="microseconds")
        self._all("INSERT INTO lease VALUES (?, ?)", until, self._run)
        return until

    def is_ours(self, lease: str) -> bool:
        """Return whether a program on this machine took a lease."""
        return self._one("SELECT 1 FROM lease WHERE until = ?", lease) is not None

    def is_held(self, lease: str) -> bool:
        """Return whether the program that took a lease is still at it."""
        row = self._one("SELECT run FROM lease WHERE until = ?", lease)
        if row is None:
            return False
        path = self._lock_of(row[0])
        if row[0] == self._run or not path.exists():
            return bool(row[0] == self._run)
        with self._explained():
            held = take_lock(path)
        if held is None:
            return True
        held.close()
        with suppress(OSError):
            path.unlink()
        return False

    def _live(self) -> None:
        """Take the lock that says that this program is alive."""
        if self._lock is None:
            run = secrets.token_hex(8)
            with self._explained():
                self._lock = take_lock(self._lock_of(run))
            self._run = run

    def _lock_of(self, run: str) -> Path:
        return self._folder / f"sending-{run}.lock"

    # What is handed over

    def begin(self, identifier: str, lease: str, tries: int) -> None:
        """Note that a message is about to be handed over, before a byte of it is."""
        self._all(
            "INSERT OR REPLACE INTO attempt VALUES (?, ?, ?, '', '', ?)",
            identifier,
            lease,
            tries,
            self._clock.now.isoformat(),
        )

    def end(self, identifier: str, lease: str, state: str, failure: str, reached: Iterable[str] = ()) -> None:
        """Note how it ended, and which of several addresses it has `reached`; 'partly' is sent, but not to all."""
        for address in reached:
            self._all(
                "INSERT OR REPLACE INTO reached VALUES (?, ?, ?)", identifier, address, self._clock.now.isoformat()
            )
        self._all(
            "UPDATE attempt SET state = ?, failure = ?, at = ? WHERE identifier = ? AND lease = ?",
            state, failure, self._clock.now.isoformat(), identifier, lease,
        )  # fmt: skip

    def attempt(self, identifier: str, lease: str) -> Attempt | None:
        """The attempt to send a message under a lease; None where it was not begun."""
        row = self._one(
            "SELECT tries, state, failure, at FROM attempt WHERE identifier = ? AND lease = ?", identifier, lease
        )
        return _attempt(row, self.reached(identifier)) if row else None

    def before(self, identifier: str, tries: int) -> Attempt | None:
        """An attempt that a restored store does not know. The message must not be handed over for the `tries`th time:
        it was sent, or may have been."""
        row = self._one(
            "SELECT tries, state, failure, at FROM attempt WHERE identifier = ?"
            " AND (state = 'sent' OR (tries >= ? AND state IN ('', 'unsure', 'partly')))"
            " ORDER BY state = 'sent' DESC LIMIT 1",
            identifier, tries,
        )  # fmt: skip
        return _attempt(row, self.reached(identifier)) if row else None

    def reached(self, identifier: str) -> frozenset[str]:
        """The addresses that a message has reached, in the form in which they are compared."""
        return frozenset(row[0] for row in self._all("SELECT address FROM reached WHERE identifier = ?", identifier))

    def allow(self, identifier: str, addresses: Iterable[str]) -> None:
        """Let a message go to some addresses once more, because somebody has asked for it."""
        for address in addresses:
            self._all("DELETE FROM reached WHERE identifier = ? AND address = ?", identifier, address)
        self._all("UPDATE attempt SET state = 'partly' WHERE identifier = ? AND state = 'sent'", identifier)

    def forget_old(self) -> None:
        """Forget what nobody will ask for any more."""
        oldest = (self._clock.now - timedelta(days=_REMEMBERED)).isoformat()
        self._all("DELETE FROM lease WHERE until < ?", oldest)
        self._all("DELETE FROM attempt WHERE lease < ?", oldest)
        self._all("DELETE FROM reached WHERE at < ?", oldest)

    # What all programs of the machine share beside it

    def next_turn(self, a_minute: int) -> float:
        """Take the next turn of all that go at a steady pace, so many a minute; how many seconds to wait for it."""
        now, takes = self._clock.now.timestamp(), 60 / a_minute
        # Nobody is hurt where a turn is forgotten, so nobody waits for the disk.
        self._all("PRAGMA synchronous = OFF")
        row = self._one(
            "INSERT INTO pace VALUES (1, :now + :takes) ON CONFLICT (one) DO UPDATE SET next = :takes +"
            # Where the clock was set back nobody waits for the time before it.
            " CASE WHEN next < :now OR next > :now + 600 THEN :now ELSE next END RETURNING next",
            now=now, takes=takes,
        )  # fmt: skip
        self._all("PRAGMA synchronous = FULL")
        turn = float(row[0]) - takes
        return max(0.0, turn - now)

    def note_kept(self, file: str) -> None:
        """Note that a copy of a file with this digest lies on this machine."""
        self._all("INSERT OR IGNORE INTO kept VALUES (?)", file)

    def was_kept(self, file: str) -> bool:
        """Return whether a copy of a file once lay on this machine."""
        return self._one("SELECT 1 FROM kept WHERE file = ?", file) is not None


def _attempt(row: tuple[int, str, str, str], reached: Iterable[str]) -> Attempt:
    # What was sent to some of the recipients was sent.
    state = "sent" if row[1] == "partly" else row[1]
    return Attempt(row[0], state, row[2], datetime.fromisoformat(row[3]), tuple(sorted(reached)))
