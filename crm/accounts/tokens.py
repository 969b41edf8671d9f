"""Tokens: encrypted claims about a person who is not signed in yet, valid for a short time."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from crm.accounts.keys import Secret

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

# A clock that is set right may go back so far, and what was made a moment before still holds.
SET_BACK = timedelta(minutes=5)
# How long (seconds) a token asks for a code.
TOKEN_LASTS = 300


class OneTimeTokens:
    """Tokens that nobody else can make, read or change; they outlive a restart of the program."""

    def __init__(self, secret: Secret, now: Callable[[], datetime]) -> None:
        self._secret = secret
        self._now = now

    def issue(self, purpose: str, **claims: Any) -> str:
        """A new token, fit for an address; it holds what is `claims`, and a name of its own as `id`."""
        written = json.dumps({**claims, "id": token_hex(16)}).encode()
        return self._box(purpose).encrypt_at_time(written, self._moment()).decode().rstrip("=")

    def read(self, purpose: str, token: str, seconds: int) -> Mapping[str, Any] | None:
        """The claims of a token; None for one that is invalid, of another purpose or older than that."""
        from cryptography.fernet import InvalidToken

        if len(token) > 4096 or not token.isascii():
            return None
        padded, box = (token + "=" * (-len(token) % 4)).encode(), self._box(purpose)
        try:
            claims: Mapping[str, Any] = json.loads(box.decrypt(padded))
            made = box.extract_timestamp(padded)
        except InvalidToken:
            return None
        return claims if made - SET_BACK.total_seconds() <= self._moment() <= made + seconds else None

    def _box(self, purpose: str) -> "Fernet":
        return self._secret.box(f"tickets: {purpose}")

    def _moment(self) -> int:
        return int(self._now().timestamp())
