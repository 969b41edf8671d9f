"""Codes by SMS, with a limit per hour."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from crm.accounts.tokens import TOKEN_LASTS
from crm.errors import OutwardError, TooManyAttemptsError
from crm.model import User

if TYPE_CHECKING:
    from crm.accounts.attempts import Attempts
    from crm.accounts.second_factor import SecondFactors
    from crm.outward.sms import Texter

# So many texts are sent with one token.
TEXTS = 3
# So many texts in an hour go to one account.
TEXTS_AN_HOUR = 10


class SmsCodes:
    """A sender of codes through a texter, if there is one, which is opened at its first use."""

    def __init__(self, texter: Callable[[], "Texter | None"], attempts: "Attempts", factors: "SecondFactors") -> None:
        self._texter = cache(texter)
        self._attempts = attempts
        self._factors = factors

    @property
    def can_be_sent(self) -> bool:
        """Return whether there is a texter."""
        return self._texter() is not None

    def send(self, user: User, number: str, token: str) -> None:
        """Send the code of a token. Raises TooManyAttemptsError and OutwardError."""
        texter = self._texter()
        if texter is None:
            raise OutwardError("Codes by SMS cannot be sent: no Twilio account is set up.", reason="not_set_up")
        if not self._attempts.spend(f"texts {token}", TEXTS, TOKEN_LASTS):
            raise TooManyAttemptsError(TOKEN_LASTS)
        if not self._attempts.spend(f"texts to {user.id}", TEXTS_AN_HOUR, 3600):
            raise TooManyAttemptsError(3600)
        texter.send(number, f"{self._factors.sms_code(token)} is your code to sign in. Do not share it.")
