"""Credentials: the parts by which people prove who they are, all derived from the secret of this installation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from crm.accounts.attempts import Attempts
from crm.accounts.passwords import Passwords
from crm.accounts.second_factor import SecondFactors
from crm.accounts.sms_codes import SmsCodes
from crm.accounts.tokens import OneTimeTokens

if TYPE_CHECKING:
    from crm.accounts.keys import Secret
    from crm.accounts.throttling import AttemptLimiter
    from crm.outward.sms import Texter


@dataclass(frozen=True, slots=True)
class Credentials:
    """The checks of credentials, and the limits on attempts."""

    passwords: Passwords
    factors: SecondFactors
    tokens: OneTimeTokens
    attempts: Attempts
    codes: SmsCodes

    @classmethod
    def of(
        cls,
        secret: "Secret",
        limiter: "AttemptLimiter",
        texter: Callable[[], "Texter | None"],
        now: Callable[[], datetime],
    ) -> Self:
        """Those of an installation."""
        factors, attempts = SecondFactors(secret), Attempts(secret, limiter)
        return cls(
            Passwords(secret), factors, OneTimeTokens(secret, now), attempts, SmsCodes(texter, attempts, factors)
        )
