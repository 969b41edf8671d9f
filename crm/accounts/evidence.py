"""Evidence of accounts in a store, also where most of it was deleted, and in the memory of this machine.

Nothing here needs the team's secret: it is asked of every store, those without accounts too.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import String, literal, select, type_coerce

from crm import program
from crm.atomic_write import atomic_write
from crm.errors import SignedOutError, StoreAccessError
from crm.local_database import take_lock
from crm.model import SignIn, User
from crm.model.paths import path_of
from crm.model.rights import Reader
from crm.repository import ROSTER, Snapshot, tables
from crm.repository.known import FILE, Known, KnownRosters
from crm.repository.statements import ANY_PASSWORD

# How a seal begins that only a store with a roster has, behind the mark of its secret.
SEALED_WITH_ROSTER = "/2-"

_user, _audit, _facts = tables.user.c, tables.audit.c, tables.store_facts.c
_ANY_SEALED_SINCE = ANY_PASSWORD.where(_user.seal.contains(SEALED_WITH_ROSTER))
# What the history tells of a store whose accounts are gone: that somebody signed in, or got a password.
_signed_in = select(_audit.id).where(_audit.record == SignIn.kind_name)
_got_password = select(_audit.id).where(
    _audit.record == User.kind_name, type_coerce(_audit.after, String).contains('"password"')
)
_ANY_ONCE = select(literal(1)).where(_signed_in.exists() | _got_password.exists())


# Whether there are accounts now where there were none when somebody came in: all who write one write both.
_ANY_NOW = select(literal(1)).where(
    ANY_PASSWORD.exists() | select(_facts.name).where(_facts.name == ROSTER, _facts.value != "").exists()
)


# So many are remembered: those of files that are gone are the first to be forgotten, then those not seen for longest.
_MOST = 1000
# After so many seconds a writer no longer waits for others that hold the file.
_HELD = 2.0


def place_of(url: str) -> str:
    """The place of a store, however its URL is written: by whichever link or way a file is reached."""
    if not url.startswith(FILE):
        return url
    return FILE + os.path.realpath(path_of(url.removeprefix(FILE)))


class Memory:
    """The highest revision of the roster that this machine has seen, for each store and place, in a file that only its
    owner reads. A machine that cannot keep it works without. `folder` None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder and folder / "rosters.json"
        # The file as it was read last, and what is in it. It is read for every snapshot, and seldom changes.
        self._last: tuple[bytes, Mapping[str, int]] = (b"", {})

    def known(self, url: str) -> KnownRosters:
        """The evidence that is kept, for the store at `url`."""
        seen = {}
        for key, revision in self._read().items():
            store, _, place = key.partition(" ")
            seen[store, place] = revision
        return KnownRosters(place_of(url), seen)

    def keep(self, store: str, url: str, revision: int) -> None:
        """Remember a revision of the store with an id at `url`, unless a higher one is known; '' for one that is not
        taken for the store of that place."""
        key = f"{store} {url and place_of(url)}"
        if self._path is None or self._read().get(key, -1) >= revision:
            return
        with suppress(OSError), _alone(self._path.with_suffix(".lock")):
            known = dict(self._read())
            known[key] = max(revision, known.pop(key, -1))
            with atomic_write(self._path, 0o600) as file:
                file.write(json.dumps(_bounded(known)).encode())

    def _read(self) -> Mapping[str, int]:
        with suppress(OSError, ValueError):
            content = self._path.read_bytes() if self._path else b""
            if content != self._last[0]:
                self._last = content, _revisions(json.loads(content.decode()))
            return self._last[1]
        return {}


def _revisions(content: Any) -> Mapping[str, int]:
    if not isinstance(content, dict):
        return {}
    return {str(key): number for key, number in content.items() if isinstance(number, int)}


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold the evidence while nobody else on this machine writes what they have seen. Raises OSError."""
    held = None
    with suppress(sqlite3.Error):
        held = take_lock(lock, _HELD)
    with closing(held) if held is not None else nullcontext():
        yield


def _bounded(known: Mapping[str, int]) -> Mapping[str, int]:
    """The most that is remembered, of what was seen in this order."""
    if (spare := len(known) - _MOST) <= 0:
        return known
    missing = [key for key in known if FILE in key and not Path(key.partition(FILE)[2]).exists()]
    forgotten = {*missing[:spare], *list(known)[: max(0, spare - len(missing))]}
    return {key: revision for key, revision in known.items() if key not in forgotten}


def accounts_exist(snapshot: Snapshot) -> bool:
    """Return whether the store has accounts that let people in, so that its users sign in.

    Raises StoreAccessError where it has had some and what is left of them can let nobody in: such a store opens for
    nobody. People of the team who are only named do not count.
    """
    has_roster, known = bool(snapshot.fact(ROSTER)), snapshot.known
    if known.another:
        snapshot.remember_refused()
        raise damaged(known)
    if snapshot.select(ANY_PASSWORD):
        if has_roster or (known.anywhere <= 0 and not snapshot.select(_ANY_SEALED_SINCE)):
            # This machine has seen that there are accounts, even if they are lost later.
            snapshot.remember(0)
            return True
        raise damaged()
    if has_roster or known.anywhere >= 0:
        raise damaged()
    if snapshot.select(_ANY_ONCE):
        raise damaged()
    return False


def refuse_owner(snapshot: Snapshot, reader: Reader) -> Reader:
    """The owner, who came in while the store had no accounts. Raises SignedOutError once it has some, as the very
    snapshot or transaction has it in which they read or write."""
    if snapshot.select(_ANY_NOW):
        raise SignedOutError(was_open=True)
    return reader


def damaged(known: Known = Known()) -> StoreAccessError:  # noqa: B008 - frozen
    """The error for a store whose accounts are not as this program left them."""
    if known.another:
        return StoreAccessError(
            "Nobody can sign in: this computer knows accounts of other data that was here before. Nothing was changed."
            " If you replaced that data on purpose, move this file to another place and name it with --store,"
            f" or run: {program.command('users recover E-MAIL --name NAME')}",
            reason="accounts",
        )
    return StoreAccessError(
        "Nobody can sign in: the accounts in this data were changed outside this program, or an older copy was put"
        " back. Nothing was changed. On the computer that holds the data, the owner can run:"
        f" {program.command('users recover E-MAIL')}",
        reason="accounts",
    )
