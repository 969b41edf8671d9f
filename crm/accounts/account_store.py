"""The accounts as they stand in the store: found, sealed, and written with the right name in the history."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sqlalchemy import select

from crm.accounts import SignedIn
from crm.accounts.notifications import Notifications
from crm.accounts.passwords import Passwords
from crm.accounts.roster import Standing
from crm.accounts.second_factor import SecondFactors
from crm.accounts.tokens import OneTimeTokens
from crm.errors import FieldError, RefusedError, StoreAccessError
from crm.model import Conventions, Setting, User
from crm.model.fields import Email, Flag
from crm.model.rights import CLIENT
from crm.repository import AuthoredTransaction, Finding, Repository, Snapshot, tables

if TYPE_CHECKING:
    from crm.accounts.keys import Secret
    from crm.accounts.roster import Roster
    from crm.accounts.throttling import AttemptLimiter
    from crm.outward.mail import Mailer
    from crm.outward.sms import Texter

Result = TypeVar("Result")

# Only accounts know these; whoever shows a user to be changed may have left them out.
_OWN = ("must_change", "password", "second_factor", "seal")


class AccountStore:
    """What all parts of the accounts stand on. Users are read and written here only, so that each is sealed."""

    def __init__(
        self,
        repository: Repository,
        secret: "Secret",
        attempts: "AttemptLimiter",
        texter: "Texter | None",
        mailer: "Mailer | None",
        now: Callable[[], datetime],
        roster: "Roster",
    ) -> None:
        self._repository = repository
        self._roster = roster
        self._secret = secret
        self._attempts = attempts
        self._texter = texter
        self._letters = Notifications(mailer)
        self._now = now
        self._passwords = Passwords(secret)
        self._factors = SecondFactors(secret)
        self._tickets = OneTimeTokens(secret, now)

    def over(self, repository: Repository) -> Self:
        """The same accounts, read and written through another repository over the same store."""
        over = copy.copy(self)
        over._repository = repository
        return over

    def close(self) -> None:
        """Lets go of what it holds, once its letters are out; the repository is closed after it."""
        self._letters.finish()
        self._attempts.close()

    @property
    def can_mail(self) -> bool:
        """Whether a forgotten password can be set anew by mail."""
        return self._letters.can_be_sent

    @property
    def can_text(self) -> bool:
        """Whether codes can be sent by SMS."""
        return self._texter is not None

    def exist(self) -> bool:
        """Whether the store has accounts, so that one has to sign in. Raises StoreAccessError where those that it has
        are not as this program left them."""
        with self._repository.read() as snapshot:
            return self._roster.require(snapshot) is not Standing.NONE

    def signing_in(self) -> frozenset[int]:
        """The ids of the users who have a password; the others are only named."""
        user = tables.user.c
        with self._repository.read() as snapshot:
            return frozenset(row for (row,) in snapshot.select(select(user.id).where(user.password != "")))

    def team_addresses(self) -> frozenset[str]:
        """The addresses of the team, for a program to compare others with."""
        with self._repository.read() as snapshot:
            return frozenset(user.email for user in snapshot.find_all(User) if user.email and user.role != CLIENT)

    def second_factors(self) -> Mapping[int, str]:
        """Which second factor ('totp', 'sms') each user has who has one, by the user's id."""
        with self._repository.read() as snapshot:
            read = {user.id: self._factors.read(user.second_factor) for user in snapshot.each(User)}
        return {user: factor.method for user, factor in read.items() if factor is not None}

    def check_secret(self) -> None:
        """Raises StoreAccessError where the accounts of this store were made with another secret, or are not as this
        program left them."""
        with self._repository.read() as snapshot:
            self._roster.require(snapshot)

    def seal_findings(self) -> Iterator[Finding]:
        """The accounts that nobody can sign in with because they were changed elsewhere."""
        with self._repository.read() as snapshot:
            try:
                if self._roster.require(snapshot) is Standing.NONE:
                    return
            except StoreAccessError as error:
                yield Finding(error.sentence, True)
            if self._secret.weakness:
                yield Finding(self._secret.weakness, False)
            for user in snapshot.find_all(User):
                if not self._roster.fits(snapshot, user):
                    name = user.email or user.name
                    yield Finding(
                        f"The account of {name} was not written by this program as it stands, so nobody can"
                        " sign in with it.",
                        bool(user.seal), "user", user.id,
                        "Undo the edit, or let an admin say anew what it may do.",
                    )  # fmt: skip

    # Reading

    def _by_email(self, snapshot: Snapshot, email: str) -> User | None:
        columns = tables.record_columns(User)
        typed, kept = email.strip().lower(), address(email)
        rows = snapshot.select(select(*columns).where(tables.user.c.email.in_([typed, kept]))) if kept else ()
        found = {user.email: user for user in (tables.record_of(User, row) for row in rows)}
        # An older version has kept wide letters as they were.
        return found.get(typed) or found.get(kept)

    def _get(self, snapshot: Snapshot, user: int) -> User:
        """A user whose seal holds: only such a one is sealed again. Raises NotFoundError and RefusedError."""
        found = snapshot.get(User, user)
        if not self._holds(snapshot, found):
            raise RefusedError(
                f"The account of {found.email} was changed outside of the program. Nothing was changed; an admin has to"
                " say anew what it may do."
            )
        return found

    def let_nobody_in(self) -> bool:
        """Whether there are accounts, and no admin can sign in with them until `recover`."""
        with self._repository.read() as snapshot:
            return self._roster.shuts_everybody_out(snapshot)

    def _may_enter(self, snapshot: Snapshot, user: User | None) -> bool:
        """Whether somebody may enter; raises StoreAccessError where nobody may."""
        self._roster.require(snapshot)
        return user is not None and user.active and bool(user.password) and self._holds(snapshot, user)

    def _holds(self, snapshot: Snapshot, user: User) -> bool:
        """Whether an account is as this program has written it; without accounts there is nothing to protect."""
        return self._roster.fits(snapshot, user) or self._roster.standing(snapshot) is Standing.NONE

    def _signed_in(self, snapshot: Snapshot, session: int, user: User, token: str = "") -> SignedIn:
        needs = not user.second_factor and self._requires_second_factor(snapshot)
        return SignedIn(
            session,
            user.id,
            user.email,
            user.name or user.email,
            user.role,
            user.client,
            user.must_change,
            needs,
            token,
        )

    def _requires_second_factor(self, snapshot: Snapshot) -> bool:
        try:
            return Flag().read(self._setting(snapshot, "require_second_factor"), Conventions())
        except FieldError:
            # Somebody has typed something else into the spreadsheet.
            return True

    def _setting(self, snapshot: Snapshot, key: str) -> str:
        setting = tables.setting.c
        rows = snapshot.select(select(setting.value).where(setting.key == key))
        return str(rows[0][0]) if rows else ""

    def _conventions(self, snapshot: Snapshot) -> Conventions:
        known = {setting.key: setting.value for setting in snapshot.find_all(Setting)}
        return Conventions(country=known.get("country") or Conventions.country, clock=snapshot.clock)

    def _fingerprint(self, user: User) -> str:
        """What is another after every change of an account, also after one that was taken back: what works once
        stands on it."""
        return self._secret.mac("standing", str(user.id), str(user.version), user.email, user.password)

    # Writing

    def _transact(
        self, change: Callable[[AuthoredTransaction], Result], what: str, author: User | None = None
    ) -> Result:
        """One change of the store; the history names whoever is signed in, else `author`, else who opened the store."""

        def authored(tx: AuthoredTransaction) -> Result:
            if author is not None and not tx.user_id:
                tx.user, tx.user_id = called(author), author.id
            return change(tx)

        return self._repository.transact(authored, what)

    def _write(
        self, tx: AuthoredTransaction, user: User, changes: Mapping[str, Any], shown: User | None = None
    ) -> User:
        """Changes and seals a user as it is now; `shown` is how it was shown to whoever changes it."""
        seal = self._roster.seal(tx, replace(user, **changes))
        before = replace(shown or user, **{name: getattr(user, name) for name in _OWN})
        return tx.change(before, **changes, seal=seal)


def address(email: str) -> str:
    """An e-mail address as it is kept; '' for what is none."""
    try:
        return str(Email().read(email, Conventions()))
    except FieldError:
        return ""


def called(user: User) -> str:
    """The user as the history names them."""
    return user.name or user.email
