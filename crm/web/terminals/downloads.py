"""Files that wait to be taken by one person, once, and for some minutes."""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

EXPIRES_AFTER = 300.0


@dataclass(frozen=True, slots=True)
class Download:
    """A finished file of so many bytes, what it is to be called on the person's device, and until when it may be
    taken (on the monotonic clock)."""

    path: Path
    name: str
    size: int
    expires: float


class Downloads:
    """The offers of one terminal by their tokens, which nobody can guess."""

    def __init__(self) -> None:
        self._waiting: dict[str, Download] = {}

    def add(self, path: Path, name: str) -> str:
        """Offer a file. Returns its token. Raises OSError where it cannot be read."""
        token = new_token()
        self._waiting[token] = Download(path, name, path.stat().st_size, time.monotonic() + EXPIRES_AFTER)
        return token

    def take(self, token: str) -> Download | None:
        """The offer of a token, which is then used up; None where there is none or it has expired."""
        self.expire()
        return self._waiting.pop(token, None)

    def expire(self) -> list[str]:
        """Take back what nobody took in time. Returns those tokens."""
        late = [token for token, offer in self._waiting.items() if offer.expires < time.monotonic()]
        for token in late:
            self._waiting.pop(token).path.unlink(missing_ok=True)
        return late

    def waiting(self) -> dict[str, Download]:
        """The files that can be taken now."""
        return dict(self._waiting)


def new_token() -> str:
    """A name that nobody can guess, as it may be in an address."""
    return secrets.token_urlsafe(24)
