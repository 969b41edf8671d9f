"""Throttling of failed sign-ins, shared by all programs of this machine: who has to wait, and how long."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from crm.clock import machine_now
from crm.errors import TooManyAttemptsError
from crm.local_database import SharedCounts

# An account: so many failures are free, then one waits a minute, and after each more twice as long, up to an hour.
FREE = 5
FIRST_WAIT = 60.0
LONGEST_WAIT = 3600.0
# Failures longer ago (seconds) are forgotten.
FORGOTTEN_AFTER = 86_400.0
# An address: so many failures in so many seconds.
FREE_OF_ADDRESS = 20
WINDOW_OF_ADDRESS = 600.0
# So many accounts, addresses and tokens are remembered; the least tried and oldest go first.
REMEMBERED = 20_000
_TABLES = """
CREATE TABLE IF NOT EXISTS failure (who TEXT PRIMARY KEY, count INTEGER, first REAL, last REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (what TEXT PRIMARY KEY, count INTEGER, until REAL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that is counted as a failure until it is known to be right."""

    attempts: "AttemptLimiter"
    account: str
    address: str
    before: float

    def take_back(self) -> None:
        """Take the attempt back: it was right so far; failures before it still count."""
        self.attempts.take_back(self)

    def succeed(self) -> None:
        """Record the success: the failures of the account before it are forgotten."""
        self.attempts.take_back(self)
        self.attempts.forget(self.account)


class AttemptLimiter:
    """A count in a small file in `folder`; where that cannot be written or is damaged, each program counts for itself.

    Names of accounts and addresses come as digests: the file tells nobody who they are. `now` is the time of day in
    seconds.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = lambda: machine_now().timestamp()) -> None:
        self._counts = SharedCounts(folder / "attempts.sqlite3", _TABLES)
        self._now = now

    def begin(self, account: str, address: str = "") -> Attempt:
        """Count an attempt before it is known how it ends, so that many at once are not more than one after the
        other. Raises TooManyAttemptsError, and then it is not counted."""
        who = f"address {address}" if address else ""

        def change(file: sqlite3.Connection) -> tuple[float, float]:
            now = self._now()
            left = max(_account_waits(file, account, now), _address_waits(file, who, now) if who else 0.0)
            if left > 0:
                return left, 0.0
            before = file.execute("SELECT last FROM failure WHERE who = ?", (account,)).fetchone()
            for key in filter(None, (account, who)):
                file.execute(
                    "INSERT INTO failure VALUES (?, 1, ?, ?) ON CONFLICT (who) DO UPDATE"
                    " SET count = count + 1, last = excluded.last",
                    (key, now, now),
                )
            _bound(file, "failure", "count, last")
            return 0.0, before[0] if before else 0.0

        left, before = self._counts.change(change)
        if left > 0:
            raise TooManyAttemptsError(ceil(left))
        return Attempt(self, account, who, before)

    def take_back(self, attempt: Attempt) -> None:
        """Take an attempt back from the count."""

        def change(file: sqlite3.Connection) -> None:
            # The wait is over already.
            file.execute(
                "UPDATE failure SET count = count - 1, last = ? WHERE who = ?", (attempt.before, attempt.account)
            )
            file.execute("UPDATE failure SET count = count - 1 WHERE who = ?", (attempt.address,))
            file.execute("DELETE FROM failure WHERE count <= 0")

        self._counts.change(change)

    def forget(self, account: str) -> None:
        """Forget the failures of an account."""
        self._counts.change(lambda file: file.execute("DELETE FROM failure WHERE who = ?", (account,)))

    def spend(self, name: str, most: int, seconds: float) -> bool:
        """Count one use of something; False where it was used `most` times within `seconds` already."""

        def change(file: sqlite3.Connection) -> bool:
            now = self._now()
            file.execute("DELETE FROM spent WHERE until <= ? OR until > ?", (now, now + FORGOTTEN_AFTER))
            used = file.execute("SELECT count FROM spent WHERE what = ?", (name,)).fetchone()
            if used and used[0] >= most:
                return False
            file.execute(
                "INSERT INTO spent VALUES (?, 1, ?) ON CONFLICT (what) DO UPDATE SET count = count + 1",
                (name, now + seconds),
            )
            _bound(file, "spent", "until")
            return True

        return self._counts.change(change)

    def close(self) -> None:
        """Forget what was counted in memory alone."""
        self._counts.close()


def _account_waits(file: sqlite3.Connection, account: str, now: float) -> float:
    """The seconds until an account may be tried again."""
    file.execute("DELETE FROM failure WHERE who = ? AND last < ?", (account, now - FORGOTTEN_AFTER))
    row = file.execute("SELECT count, last FROM failure WHERE who = ?", (account,)).fetchone()
    if row is None or row[0] < FREE:
        return 0.0
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(row[0] - FREE, 10))
    # Never longer than that, even where the clock was set back.
    return float(min(wait, row[1] + wait - now))


def _address_waits(file: sqlite3.Connection, address: str, now: float) -> float:
    file.execute(
        "DELETE FROM failure WHERE who = ? AND first NOT BETWEEN ? AND ?", (address, now - WINDOW_OF_ADDRESS, now)
    )
    row = file.execute("SELECT count, first FROM failure WHERE who = ?", (address,)).fetchone()
    return float(row[1] + WINDOW_OF_ADDRESS - now) if row and row[0] >= FREE_OF_ADDRESS else 0.0


def _bound(file: sqlite3.Connection, table: str, order: str) -> None:
    # Now and then, so that not everybody has to wait for it.
    count = file.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    if count > REMEMBERED:
        key = "who" if table == "failure" else "what"
        oldest = f"SELECT {key} FROM {table} ORDER BY {order} LIMIT ?"
        file.execute(f"DELETE FROM {table} WHERE {key} IN ({oldest})", (count - REMEMBERED * 9 // 10,))
