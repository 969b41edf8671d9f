"""A store on which the session is verified in each snapshot and each transaction, and nowhere else."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from crm.clock import Clock
from crm.errors import CRMError, SignedOutError, StoreAccessError
from crm.model.rights import OWNER, Reader
from crm.repository import Allowed, Backup, Finding, Held, Proof, Repository, Restored, Saved, Seals, Snapshot, anybody

Result = TypeVar("Result")
# Looks the reader up in a snapshot or transaction: the reader under the name that they have now. Raises SignedOutError.
Verify = Callable[[Snapshot, Reader], Reader]


class RepositoryWrapper:
    """A repository around another one: what concerns no record is passed on."""

    _repository: Repository

    @property
    def url(self) -> str:
        return self._repository.url

    @property
    def clock(self) -> Clock:
        return self._repository.clock

    def keep_sealed(self, seals: Seals) -> None:
        self._repository.keep_sealed(seals)

    def damage(self, error: Exception) -> CRMError | None:
        return self._repository.damage(error)

    def daily_review(self) -> None:
        self._repository.daily_review()

    def notice(self, account: int = 0) -> str:
        return self._repository.notice(account)

    def close(self) -> None:
        self._repository.close()


class VerifiedRepository(RepositoryWrapper):
    """A Repository for as long as its reader is signed in, with the rights that they came with. It shows and takes
    everything: how far those rights go is for the layer in front of it, a GuardedRepository or the accounts.

    `saved` says what the reader has saved, so that no error says that nothing was.
    """

    def __init__(self, repository: Repository, reader: Reader, verify: Verify) -> None:
        self._repository = repository
        self._verify = verify
        self.reader = reader
        self.saved = Saved()

    def admit(self, snapshot: Any) -> None:
        """Raise SignedOutError unless the reader is signed in, as what is read or written has it; what they write is in
        the history under their name."""
        try:
            self.reader = self._verify(snapshot, self.reader)
        except SignedOutError as out:
            done = SignedOutError(self.saved.what[-1:], done=True, was_open=out.was_open)
            raise (done if self.saved.ended else out) from None
        if self.reader != OWNER and hasattr(snapshot, "user"):
            snapshot.user, snapshot.user_id = self.reader.name, self.reader.user

    def _and(self, allowed: Allowed) -> Allowed:
        """Admit the reader, and allow what the caller allows."""

        def both(snapshot: Any) -> None:
            self.admit(snapshot)
            allowed(snapshot)

        return both

    def _is_over(self, snapshot: Snapshot) -> bool:
        """Return whether the session has ended, as a snapshot or transaction has it: also where nobody can sign in."""
        try:
            self._verify(snapshot, self.reader)
        except (SignedOutError, StoreAccessError):
            return True
        return False

    def notice(self, account: int = 0) -> str:
        return self._repository.notice(account or self.reader.user)

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        with self._repository.read() as snapshot:
            self.admit(snapshot)
            yield snapshot

    def transact(self, change: Callable[[Any], Result], what: str) -> Result:
        wrote = ended = False

        def verified(transaction: Any) -> Result:
            nonlocal wrote, ended
            self.admit(transaction)
            result = change(transaction)
            wrote = transaction.wrote
            # Only what touches accounts or sign-ins can end it.
            ended = transaction.is_sealing and self._is_over(transaction)
            return result

        result = self._repository.transact(verified, what)
        if wrote:
            self.saved.what.append(what)
            self.saved.ended = ended
        return result

    def everything(self, allowed: Allowed = anybody) -> Iterator[tuple[str, Mapping[str, Any]]]:
        return self._repository.everything(self._and(allowed))

    def fill(self, items: Iterable[tuple[str, Mapping[str, Any]]], allowed: Allowed = anybody) -> dict[str, int]:
        return self._repository.fill(items, self._and(allowed))

    def check(self, allowed: Allowed = anybody) -> Iterator[Finding]:
        return self._repository.check(self._and(allowed))

    def prove(self, allowed: Allowed = anybody) -> Iterator[Proof]:
        return self._repository.prove(self._and(allowed))

    def held(self, allowed: Allowed = anybody) -> Held:
        return self._repository.held(self._and(allowed))

    def settle(self, *, take_over: bool, allowed: Allowed = anybody) -> None:
        self._repository.settle(take_over=take_over, allowed=self._and(allowed))

    def accept_loss(self, lost: str, allowed: Allowed = anybody) -> None:
        self._repository.accept_loss(lost, self._and(allowed))

    def forget_history(self, before: int, what: str, allowed: Allowed = anybody) -> int:
        return self._repository.forget_history(before, what, self._and(allowed))

    def fact(self, name: str) -> str:
        with self.read() as snapshot:
            return snapshot.fact(name)

    def set_fact(self, name: str, value: str, allowed: Allowed = anybody) -> None:
        self._repository.set_fact(name, value, self._and(allowed))

    def backup(self, to: Path | None = None, allowed: Allowed = anybody) -> Path:
        return self._repository.backup(to, self._and(allowed))

    def known_backups(self) -> Sequence[Backup]:
        with self.read():
            return self._repository.known_backups()

    def daily_backup(self, allowed: Allowed = anybody) -> Path | None:
        return self._repository.daily_backup(self._and(allowed))

    def added_since(self, source: Path, allowed: Allowed = anybody) -> Mapping[str, Sequence[int]]:
        return self._repository.added_since(source, self._and(allowed))

    def restore(self, source: Path, allowed: Allowed = anybody, *, accounts: bool = False) -> Restored:
        restored = self._repository.restore(source, self._and(allowed), accounts=accounts)
        with self._repository.read() as snapshot:
            self.saved.ended = self._is_over(snapshot)
        self.saved.what.append(f"restored {source.name}")
        return restored

    def is_empty(self) -> bool:
        with self.read():
            return self._repository.is_empty()

    def is_untouched(self) -> bool:
        with self.read():
            return self._repository.is_untouched()
