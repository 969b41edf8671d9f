"""The accounts of a store, joined from their parts: who may sign in, with what, and who manages them."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from crm.accounts.account_store import AccountStore
from crm.accounts.administration import Administration
from crm.accounts.credentials import Credentials
from crm.accounts.evidence import Memory
from crm.accounts.machine_keys import MachineKeys
from crm.accounts.notifications import Notifications
from crm.accounts.recovery import Recovery
from crm.accounts.roster import Roster
from crm.accounts.self_service import SelfService
from crm.accounts.sessions import Sessions
from crm.accounts.sign_in import Authentication
from crm.repository import Repository

if TYPE_CHECKING:
    from crm.accounts.keys import Secret
    from crm.accounts.throttling import AttemptLimiter
    from crm.outward.mail import Mailer
    from crm.outward.sms import Texter


class Accounts:
    """All parts of the accounts; they share a view of the store, and the checks of credentials."""

    def __init__(self, store: AccountStore, credentials: Credentials, notifications: Notifications) -> None:
        self._credentials = credentials
        self._notifications = notifications
        self.store = store
        self.sessions = Sessions(store)
        self.authentication = Authentication(store, self.sessions, credentials)
        self.self_service = SelfService(store, self.sessions, credentials, notifications)
        self.administration = Administration(store, credentials)
        self.machine_keys = MachineKeys(store)
        self.recovery = Recovery(store, self.administration, notifications)

    @classmethod
    def of(
        cls,
        repository: Repository,
        secret: "Secret",
        limiter: "AttemptLimiter",
        *,
        texter: Callable[[], "Texter | None"] = lambda: None,
        mailer: Callable[[], "Mailer | None"] = lambda: None,
        now: Callable[[], datetime] | None = None,
        roster: Roster | None = None,
    ) -> "Accounts":
        """The accounts in an unguarded repository. `now` is the time in UTC, by the store's clock unless given;
        without a texter there are no codes by SMS, without a mailer no links for forgotten passwords. Without a
        `roster` the repository gets one that this machine remembers nothing of."""
        now = now or (lambda: repository.clock.now)
        if roster is None:
            roster = Roster(lambda: secret, Memory(None), repository.url)
            repository.keep_sealed(roster)
        store = AccountStore(repository, secret, roster, now)
        return cls(store, Credentials.of(secret, limiter, texter, now), Notifications(mailer))

    def over(self, repository: Repository) -> "Accounts":
        """The same accounts, read and written through another repository over the same store."""
        return Accounts(self.store.over(repository), self._credentials, self._notifications)

    def close(self) -> None:
        """Let go of what it holds, once its letters are out; the repository is closed after it."""
        self._notifications.finish()
        self._credentials.attempts.close()
