"""A store as one reader may see and change it: nothing of a Repository goes round the table of rights."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from crm.clock import Clock
from crm.errors import SignedOutError
from crm.model import User
from crm.model.rights import CHECK, OWNER, READ, STORE, UPDATE, Reader
from crm.repository import Finding, Proof, Repository, Snapshot
from crm.repository.bounds import Bounds
from crm.repository.guarded_reading import GuardedSnapshot
from crm.repository.guarded_writing import GuardedTransaction

Result = TypeVar("Result")


class GuardedRepository:
    """A Repository that shows and changes what `reader` may, and nothing else.

    `still_holds` tells whether the reader is still signed in; it is asked before each look and each change, which
    raise SignedOutError then. They do so too where the reader's own account, as it stands in the very same snapshot
    or transaction, no longer has the rights that the reader came with.
    """

    def __init__(self, repository: Repository, reader: Reader, still_holds: Callable[[], bool]) -> None:
        self._repository = repository
        self._bounds = Bounds(reader)
        self._still_holds = still_holds

    @property
    def reader(self) -> Reader:
        """Whom the store is shown to."""
        return self._bounds.reader

    def call(self, name: str) -> None:
        """Calls the reader so from now on, in the history too."""
        self._bounds.reader = replace(self.reader, name=name)

    @property
    def url(self) -> str:
        return self._repository.url

    @property
    def clock(self) -> Clock:
        return self._repository.clock

    @contextmanager
    def read(self) -> Iterator[GuardedSnapshot]:
        self._ask()
        with self._repository.read() as snapshot:
            self._refuse_outdated(snapshot)
            yield GuardedSnapshot(snapshot, self._bounds)

    def transact(self, change: Callable[[Any], Result], what: str) -> Result:
        self._ask()
        tries = 0

        def guarded(transaction: Any) -> Result:
            nonlocal tries
            tries += 1
            if tries > 1:
                # Another writer was first, and may have signed the reader out.
                self._ask()
            self._refuse_outdated(transaction)
            if self.reader != OWNER:
                transaction.user = self.reader.name
            return change(GuardedTransaction(transaction, self._bounds))

        return self._repository.transact(guarded, what)

    def everything(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The whole store as it is, what lets people in included: a copy without it would let nobody in."""
        self._demand(STORE, READ)
        return self._repository.everything()

    def fill(self, items: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, int]:
        self._demand(STORE, UPDATE)
        return self._repository.fill(items)

    def check(self) -> Iterator[Finding]:
        self._demand(CHECK, READ)
        return self._repository.check()

    def prove(self) -> Iterator[Proof]:
        self._demand(STORE, UPDATE)
        return self._repository.prove()

    def fact(self, name: str) -> str:
        """What a store knows of itself concerns nobody, and may be read by everybody."""
        self._ask()
        return self._repository.fact(name)

    def set_fact(self, name: str, value: str) -> None:
        self._demand(STORE, UPDATE)
        self._repository.set_fact(name, value)

    def backup(self, to: Path | None = None) -> Path:
        self._demand(STORE, READ)
        return self._repository.backup(to)

    def daily_review(self) -> None:
        self._repository.daily_review()

    def daily_backup(self) -> Path | None:
        self._demand(STORE, READ)
        return self._repository.daily_backup()

    def restore(self, source: Path) -> Path:
        self._demand(STORE, UPDATE)
        return self._repository.restore(source)

    def is_empty(self) -> bool:
        self._ask()
        return self._repository.is_empty()

    def is_untouched(self) -> bool:
        self._ask()
        return self._repository.is_untouched()

    def notice(self) -> str:
        return self._repository.notice()

    def close(self) -> None:
        self._repository.close()

    def _ask(self) -> None:
        if not self._still_holds():
            raise SignedOutError

    def _demand(self, area: str, operation: str) -> None:
        self._ask()
        self._bounds.demand(area, operation)

    def _refuse_outdated(self, snapshot: Snapshot) -> None:
        """Nobody changes a role, or deactivates somebody, between the question and the answer."""
        reader = self.reader
        if reader == OWNER:
            return
        account = snapshot.find(User, reader.user)
        if account is None or not account.active or (account.role, account.client) != (reader.role, reader.client):
            raise SignedOutError
