"""The accounts as they are in the store: found, sealed, and written with the right name in the history."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select

from crm.accounts.roster import Standing
from crm.errors import FieldError, RefusedError, StoreAccessError
from crm.model import Conventions, User
from crm.model.fields import Email, Flag
from crm.model.rights import CLIENT
from crm.repository import AuthoredTransaction, Finding, Repository, Snapshot, tables

if TYPE_CHECKING:
    from crm.accounts.keys import Secret
    from crm.accounts.roster import Roster

Result = TypeVar("Result")

# Only accounts know these; a user shown to be changed may lack them.
_OWN = ("must_change", "password", "second_factor", "seal")


class AccountStore:
    """The base of all parts of the accounts. Users are read and written here only, so that each is sealed. `now` is
    the time in UTC."""

    def __init__(self, repository: Repository, secret: "Secret", roster: "Roster", now: Callable[[], datetime]) -> None:
        self._repository = repository
        self.secret = secret
        self.roster = roster
        self.now = now

    def over(self, repository: Repository) -> "AccountStore":
        """The same accounts, read and written through another repository over the same store."""
        return AccountStore(repository, self.secret, self.roster, self.now)

    def read(self) -> AbstractContextManager[Snapshot]:
        """The store at one moment."""
        return self._repository.read()

    def exist(self) -> bool:
        """Return whether the store has accounts, so that one has to sign in. Raises StoreAccessError where those that
        it has are not as this program left them."""
        with self.read() as snapshot:
            return self.roster.require(snapshot) is not Standing.NONE

    def signing_in(self) -> frozenset[int]:
        """The ids of the users who have a password; the others are only named."""
        user = tables.user.c
        with self.read() as snapshot:
            return frozenset(row for (row,) in snapshot.select(select(user.id).where(user.password != "")))

    def team_addresses(self) -> frozenset[str]:
        """The addresses of the team, for a program to compare others with."""
        with self.read() as snapshot:
            return frozenset(user.email for user in snapshot.find_all(User) if user.email and user.role != CLIENT)

    def check_secret(self) -> None:
        """Raise StoreAccessError where the accounts of this store were made with another secret, or are not as this
        program left them."""
        with self.read() as snapshot:
            self.roster.require(snapshot)

    def seal_findings(self) -> Iterator[Finding]:
        """The accounts that nobody can sign in with because they were changed elsewhere."""
        with self.read() as snapshot:
            try:
                if self.roster.require(snapshot) is Standing.NONE:
                    return
            except StoreAccessError as error:
                yield Finding(error.sentence, True)
            if self.secret.weakness:
                yield Finding(self.secret.weakness, False)
            for user in snapshot.find_all(User):
                if not self.roster.fits(snapshot, user):
                    name = user.email or user.name
                    yield Finding(
                        f"The account of {name} was changed outside this program, so nobody can sign in"
                        " with it.",
                        bool(user.seal), "user", user.id,
                        "Undo the edit, or let an admin set its rights again.",
                    )  # fmt: skip

    # Reading

    def by_email(self, snapshot: Snapshot, email: str) -> User | None:
        """The user with an address, as it is typed."""
        columns = tables.record_columns(User)
        typed, kept = email.strip().lower(), address(email)
        rows = snapshot.select(select(*columns).where(tables.user.c.email.in_([typed, kept]))) if kept else ()
        by_address = {user.email: user for user in (tables.record_of(User, row) for row in rows)}
        # An older version has kept wide letters as they were.
        return by_address.get(typed) or by_address.get(kept)

    def current(self, user: int) -> User:
        """A user as `get` gives one, at this moment."""
        with self.read() as snapshot:
            return self.get(snapshot, user)

    def get(self, snapshot: Snapshot, user: int) -> User:
        """A user whose seal holds: only such a one is sealed again. Raises NotFoundError and RefusedError."""
        account = snapshot.get(User, user)
        if not self.holds(snapshot, account):
            raise RefusedError(
                f"The account of {account.email} was changed outside this program. Nothing was changed. An admin"
                " has to accept it again: `users vouch`."
            )
        return account

    def let_nobody_in(self) -> bool:
        """Return whether there are accounts, and no admin can sign in with them until `recover`."""
        with self.read() as snapshot:
            return self.roster.shuts_everybody_out(snapshot)

    def may_enter(self, snapshot: Snapshot, user: User | None) -> bool:
        """Return whether somebody may enter. Raises StoreAccessError where nobody may."""
        self.roster.require(snapshot)
        return user is not None and user.active and bool(user.password) and self.holds(snapshot, user)

    def holds(self, snapshot: Snapshot, user: User) -> bool:
        """Return whether an account is as this program has written it; without accounts there is nothing to protect."""
        return self.roster.fits(snapshot, user) or self.roster.standing(snapshot) is Standing.NONE

    def requires_second_factor(self, snapshot: Snapshot) -> bool:
        """Return whether the team requires one of everybody."""
        try:
            return Flag().read(self.setting(snapshot, "require_second_factor"), Conventions())
        except FieldError:
            # Somebody has typed something else into the spreadsheet.
            return True

    def setting(self, snapshot: Snapshot, key: str) -> str:
        """A setting of the team; '' where it has none."""
        setting = tables.setting.c
        rows = snapshot.select(select(setting.value).where(setting.key == key))
        return str(rows[0][0]) if rows else ""

    def conventions(self, snapshot: Snapshot) -> Conventions:
        """The conventions by which fields of an account are read."""
        return Conventions(country=self.setting(snapshot, "country") or Conventions.country, clock=snapshot.clock)

    def fingerprint(self, user: User) -> str:
        """A stamp that differs after every change of an account, also after one that was taken back: what works once is
        on it."""
        return self.secret.mac("standing", str(user.id), str(user.version), user.email, user.password)

    # Writing

    def transact(
        self, change: Callable[[AuthoredTransaction], Result], what: str, author: User | None = None
    ) -> Result:
        """One change of the store; the history names the signed-in user, else `author`, else who opened the store."""

        def authored(tx: AuthoredTransaction) -> Result:
            if author is not None and not tx.user_id:
                tx.user, tx.user_id = called(author), author.id
            return change(tx)

        return self._repository.transact(authored, what)

    def write(
        self, tx: AuthoredTransaction, user: User, changes: Mapping[str, Any], original: User | None = None
    ) -> User:
        """Change and seal a user as it is now; `original` is how it was shown before the change."""
        seal = self.roster.seal(tx, replace(user, **changes))
        before = replace(original or user, **{name: getattr(user, name) for name in _OWN})
        return tx.change(before, **changes, seal=seal)


def address(email: str) -> str:
    """An e-mail address as it is kept; '' for what is none."""
    try:
        return str(Email().read(email, Conventions()))
    except FieldError:
        return ""


def is_admin(user: User) -> bool:
    """Return whether a user is an admin who may sign in."""
    return user.role == "admin" and user.active and bool(user.password)


def called(user: User) -> str:
    """The user as the history names them."""
    return user.name or user.email
