"""Whether a store has accounts, also where most of what would tell so was taken away; and what this machine remembers.

Nothing here needs the team's secret: it is asked of every store, those without accounts too.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sqlalchemy import String, literal, select, type_coerce

from crm import program
from crm.atomic_write import atomic_write
from crm.errors import SignedOutError, StoreAccessError
from crm.model import SignIn, User
from crm.model.rights import Reader
from crm.private_files import private_folder
from crm.repository import ROSTER, Snapshot, tables
from crm.repository.statements import ANY_PASSWORD

# How a seal begins that only a store with a roster has, behind the mark of its secret.
SEALED_WITH_ROSTER = "/2-"

_user, _audit, _facts = tables.user.c, tables.audit.c, tables.store_facts.c
_ANY_SEALED_SINCE = ANY_PASSWORD.where(_user.seal.contains(SEALED_WITH_ROSTER))
# What the history tells of a store whose accounts are gone: that somebody signed in, or got a password.
_ANY_SIGN_IN = select(_audit.id).where(_audit.record == SignIn.kind_name).limit(1)
_ANY_PASSWORD_GIVEN = (
    select(_audit.id)
    .where(_audit.record == User.kind_name, type_coerce(_audit.after, String).contains('"password"'))
    .limit(1)
)


# Whether there are accounts now where there were none when somebody came in: all who write one write both.
_ANY_NOW = select(literal(1)).where(
    ANY_PASSWORD.exists() | select(_facts.name).where(_facts.name == ROSTER, _facts.value != "").exists()
)


class Memory:
    """The highest revision of the roster that this machine has seen, for each store, in a file that only its owner
    reads. A machine that cannot keep it works without. `folder` None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder and folder / "rosters.json"

    def known(self, url: str) -> Mapping[str, int]:
        """The highest revisions seen at `url`, by the id of the store: a copy of a file elsewhere is another store."""
        kept = [(key.partition(" "), revision) for key, revision in self._read().items()]
        return {store: revision for (store, _, at), revision in kept if at == url}

    def keep(self, store: str, url: str, revision: int) -> None:
        """Remembers a revision of the store with an id, unless a higher one is known."""
        key, known = f"{store} {url}", self._read()
        if self._path is None or known.get(key, -1) >= revision:
            return
        with suppress(OSError):
            private_folder(self._path.parent)
            with atomic_write(self._path, 0o600) as file:
                file.write(json.dumps({**known, key: revision}).encode())

    def _read(self) -> Mapping[str, int]:
        with suppress(OSError, ValueError):
            found = json.loads(self._path.read_text("utf-8")) if self._path else {}
            if isinstance(found, dict):
                return {str(key): each for key, each in found.items() if isinstance(each, int)}
        return {}


def accounts_exist(snapshot: Snapshot) -> bool:
    """Whether the store has accounts that let people in, so that whoever opens it signs in.

    Raises StoreAccessError where it has had some and what is left of them can let nobody in: such a store opens for
    nobody. People of the team who are only named do not count.
    """
    has_roster = bool(snapshot.fact(ROSTER))
    if snapshot.select(ANY_PASSWORD):
        if has_roster or (snapshot.known_revision <= 0 and not snapshot.select(_ANY_SEALED_SINCE)):
            # Whatever becomes of them, this machine has seen that there are some.
            snapshot.remember(0)
            return True
        raise damaged()
    if has_roster or snapshot.known_revision >= 0:
        raise damaged()
    if snapshot.select(_ANY_SIGN_IN) or snapshot.select(_ANY_PASSWORD_GIVEN):
        raise damaged()
    return False


def refuse_owner(snapshot: Snapshot, reader: Reader) -> Reader:
    """The owner, who came in while the store had no accounts. Raises SignedOutError once it has some, as the very
    snapshot or transaction has it in which they read or write."""
    if snapshot.select(_ANY_NOW):
        raise SignedOutError(was_open=True)
    return reader


def damaged() -> StoreAccessError:
    """What whoever opens a store is told whose accounts are not as this program left them."""
    return StoreAccessError(
        "Nobody can sign in: the accounts in this data were changed outside this program, or an older copy was put"
        " back. Nothing was changed. On the computer that holds the data, the owner can run:"
        f" {program.command('users recover E-MAIL')}",
        reason="accounts",
    )
