"""Access tokens: asked for with the account's key, and kept on this machine until shortly before they expire."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from crm.atomic_write import atomic_write
from crm.errors import StoreAccessError
from crm.private_files import private_folder
from crm.repository.sheets.google.credentials import SCOPES, Account

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# How long a token lives, and how long before its end it is taken for expired (seconds).
_LIFETIME = 3600
_EARLY = 180
# What may be in a header.
_TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")


class Tokens:
    """The token of an account, kept in a file in `folder` that only its owner can read; `day` is the time of day."""

    def __init__(self, account: Account, folder: Path, day: Callable[[], float]) -> None:
        self._account = account
        self._day = day
        identity = {"account": account.address, "token_uri": account.token_uri, "scopes": list(SCOPES)}
        self._whose = {**identity, "key": account.key_id}
        digest = hashlib.sha256(json.dumps(self._whose).encode()).hexdigest()
        self._path = folder / f"token-{digest[:16]}.json"

    def kept(self) -> tuple[str, float]:
        """The token that is still good and when it is not any more (time of day); '' where there is none."""
        try:
            # A file that somebody else could have put there, or could read, is none of ours.
            file = os.open(self._path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            with os.fdopen(file, encoding="utf-8") as opened:
                about = os.fstat(file)
                if os.name == "posix" and (about.st_uid != os.getuid() or about.st_mode & 0o077):
                    return "", 0
                written = json.loads(opened.read(20_000))
            token, until = written.pop("token"), float(written.pop("until"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return "", 0
        good = written == self._whose and isinstance(token, str) and _TOKEN.fullmatch(token)
        return (token, until) if good and 0 < until - self._day() <= _LIFETIME else ("", 0)

    def keep(self, token: str, lasts: float) -> float:
        """Keep a new token that lasts so many seconds. Returns when it is not good any more."""
        until = self._day() + min(lasts, _LIFETIME) - _EARLY
        # Where it cannot be kept, the next start asks for another.
        with suppress(OSError):
            private_folder(self._path.parent)
            with atomic_write(self._path, 0o600) as file:
                file.write(json.dumps({**self._whose, "token": token, "until": until}).encode())
        return until

    def forget(self, token: str) -> None:
        """Let go of a token that was not accepted, unless another program has put a new one there."""
        if self.kept()[0] == token:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def assertion(self) -> str:
        """The assertion (JWT) with which a token is asked for: a statement of who we are, signed with the key. Raises
        StoreAccessError."""
        from google.auth import crypt, jwt

        at = int(self._day())
        claims = {
            "iss": self._account.address,
            "scope": " ".join(SCOPES),
            "aud": self._account.token_uri,
            "iat": at,
            "exp": at + _LIFETIME,
        }
        try:
            signer = crypt.RSASigner.from_string(self._account.private_key, self._account.key_id or None)  # type: ignore[no-untyped-call]
            signed: bytes = jwt.encode(signer, claims)  # type: ignore[no-untyped-call]
        except Exception:
            # The error may contain a part of the key.
            raise StoreAccessError(
                f"The private_key of {self._account.address} cannot be used: it is damaged. Download a new key for"
                " the service account.",
                reason="bad_credentials",
            ) from None
        return signed.decode("ascii")


def is_token(text: object) -> bool:
    """Return whether this can be a token at all."""
    return isinstance(text, str) and _TOKEN.fullmatch(text) is not None
