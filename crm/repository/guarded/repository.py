"""A store with one reader's permissions: no method of a Repository bypasses the table of rights."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from crm.model import BY_NAME
from crm.model.rights import ALL, CHECK, READ, STORE, UPDATE, Reader, past_level
from crm.repository import Allowed, Backup, Finding, Held, Proof, Restored, anybody
from crm.repository.guarded.permissions import Permissions
from crm.repository.guarded.reading import GuardedSnapshot
from crm.repository.guarded.verified import RepositoryWrapper, VerifiedRepository
from crm.repository.guarded.writing import GuardedTransaction

Result = TypeVar("Result")


class GuardedRepository(RepositoryWrapper):
    """A Repository that shows and changes what its reader may, and nothing else. The repository that it guards looks
    the reader up in each snapshot and each transaction, and raises SignedOutError."""

    _repository: VerifiedRepository

    def __init__(self, repository: VerifiedRepository) -> None:
        self._repository = repository
        self._permissions = Permissions(repository.reader)

    @property
    def reader(self) -> Reader:
        """The reader of the store."""
        return self._repository.reader

    @contextmanager
    def read(self) -> Iterator[GuardedSnapshot]:
        with self._repository.read() as snapshot:
            yield GuardedSnapshot(snapshot, self._named())

    def transact(self, change: Callable[[Any], Result], what: str) -> Result:
        return self._repository.transact(lambda tx: change(GuardedTransaction(tx, self._named())), what)

    def everything(self, allowed: Allowed = anybody) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The whole store as it is, what lets people in included: a copy without it would let nobody in."""
        self._permissions.demand(STORE, READ)
        return self._repository.everything(allowed)

    def fill(self, items: Iterable[tuple[str, Mapping[str, Any]]], allowed: Allowed = anybody) -> dict[str, int]:
        self._permissions.demand(STORE, UPDATE)
        return self._repository.fill(items, allowed)

    def check(self, allowed: Allowed = anybody) -> Iterator[Finding]:
        self._permissions.demand(CHECK, READ)
        return filter(self._concerns, self._repository.check(allowed))

    def _concerns(self, finding: Finding) -> bool:
        """Return whether the reader sees all records of the kind with one of which something is wrong."""
        return finding.record not in BY_NAME or past_level(self.reader.role, finding.record) is ALL

    def prove(self, allowed: Allowed = anybody) -> Iterator[Proof]:
        self._permissions.demand(STORE, UPDATE)
        return self._repository.prove(allowed)

    def held(self, allowed: Allowed = anybody) -> Held:
        self._permissions.demand(STORE, UPDATE)
        return self._repository.held(allowed)

    def settle(self, *, take_over: bool, allowed: Allowed = anybody) -> None:
        self._permissions.demand(STORE, UPDATE)
        self._repository.settle(take_over=take_over, allowed=allowed)

    def accept_loss(self, lost: str, allowed: Allowed = anybody) -> None:
        self._permissions.demand(STORE, UPDATE)
        self._repository.accept_loss(lost, allowed)

    def forget_history(self, before: int, what: str, allowed: Allowed = anybody) -> int:
        self._permissions.demand(STORE, UPDATE)
        return self._repository.forget_history(before, what, allowed)

    def fact(self, name: str) -> str:
        """A fact of the store itself; it may be read by everybody."""
        return self._repository.fact(name)

    def set_fact(self, name: str, value: str, allowed: Allowed = anybody) -> None:
        self._permissions.demand(STORE, UPDATE)
        self._repository.set_fact(name, value, allowed)

    def backup(self, to: Path | None = None, allowed: Allowed = anybody) -> Path:
        self._permissions.demand(STORE, READ)
        return self._repository.backup(to, allowed)

    def known_backups(self) -> Sequence[Backup]:
        self._permissions.demand(STORE, READ)
        return self._repository.known_backups()

    def daily_backup(self, allowed: Allowed = anybody) -> Path | None:
        self._permissions.demand(STORE, READ)
        return self._repository.daily_backup(allowed)

    def added_since(self, source: Path, allowed: Allowed = anybody) -> Mapping[str, Sequence[int]]:
        self._permissions.demand(STORE, UPDATE)
        return self._repository.added_since(source, allowed)

    def restore(self, source: Path, allowed: Allowed = anybody, *, accounts: bool = False) -> Restored:
        self._permissions.demand(STORE, UPDATE)
        return self._repository.restore(source, allowed, accounts=accounts)

    def is_empty(self) -> bool:
        return self._repository.is_empty()

    def is_untouched(self) -> bool:
        return self._repository.is_untouched()

    def _named(self) -> Permissions:
        """The permissions of the reader, who may have another name by now."""
        self._permissions.reader = self._repository.reader
        return self._permissions
