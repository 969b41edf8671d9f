"""A store that cannot be read, so that nobody can say who may use it: it stays shut, whatever is asked of it."""

from pathlib import Path
from typing import Any

from crm.clock import Clock
from crm.errors import CRMError, RefusedError, StoreDamagedError
from crm.repository import Allowed, Repository, Restored, Snapshot, anybody


class Shut:
    """Every use of it raises `error`, which says why it cannot be read. Where that is StoreDamagedError, a backup can
    replace it; `store` is None where it could not even be opened."""

    def __init__(self, url: str, clock: Clock, error: CRMError, store: Repository | None = None) -> None:
        self.url = url
        self.clock = clock
        self._error = error
        self._store = store

    def restore(self, source: Path, allowed: Allowed = anybody, *, accounts: bool = False) -> Restored:
        """Put a backup in the place of a damaged file, as long as it is so damaged that its accounts cannot be read.
        Raises RefusedError where they can."""
        if self._store is None or not isinstance(self._error, StoreDamagedError):
            raise self._error
        from crm.model.rights import SEALED

        def unreadable(snapshot: Snapshot) -> None:
            allowed(snapshot)
            for kind in SEALED:
                snapshot.find_all(kind)
            raise RefusedError("The accounts of this store can be read, so sign in to restore it.")

        return self._store.restore(source, unreadable, accounts=accounts)

    def damage(self, error: Exception) -> CRMError | None:
        return self._error

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()

    def __getattr__(self, name: str) -> Any:
        raise self._error
