"""The accounts of a store: who may sign in, with what, and who manages them."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from crm.accounts.evidence import Memory
from crm.accounts.recovery import Recovery
from crm.accounts.roster import Roster
from crm.accounts.self_service import SelfService
from crm.repository import Repository

if TYPE_CHECKING:
    from crm.accounts.keys import Secret
    from crm.accounts.throttling import AttemptLimiter
    from crm.outward.mail import Mailer
    from crm.outward.sms import Texter


class Accounts(SelfService, Recovery):
    """All of it, over a repository that nobody guards. `now` is the time in UTC, by the store's clock unless given;
    without a texter there are no codes by SMS, without a mailer no links for forgotten passwords. Without a `roster`
    the repository gets one that this machine remembers nothing of."""

    def __init__(
        self,
        repository: Repository,
        secret: "Secret",
        attempts: "AttemptLimiter",
        *,
        texter: "Texter | None" = None,
        mailer: "Mailer | None" = None,
        now: Callable[[], datetime] | None = None,
        roster: Roster | None = None,
    ) -> None:
        if roster is None:
            roster = Roster(lambda: secret, Memory(None), repository.url)
            repository.keep_sealed(roster)
        super().__init__(repository, secret, attempts, texter, mailer, now or (lambda: repository.clock.now), roster)
        self._refusals = deque()
