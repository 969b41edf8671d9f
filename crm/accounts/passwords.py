"""Passwords: how they are kept, compared, generated, and which new ones are taken."""

import base64
import re
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from crm.accounts.keys import Secret
from crm.accounts.tokens import SET_BACK
from crm.errors import FieldError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 128
# What is longer was not typed by a person; it is not worth any work.
_TOO_LONG = 4096
# zxcvbn gives 0 to 4; 3 withstands an attacker who has the hashes.
_STRONG_ENOUGH = 3
_LOOKED_AT = 72
# Shorter parts of names are in too many words by chance.
_TELLING = 4
ONE_TIME_LASTS = timedelta(days=7)
# One hash takes 64 MB for a moment: a small machine has room for two at a time.
_AT_ONCE = BoundedSemaphore(2)
_UNTIL = " until "
# An older version marked so those that had let somebody in once.
_USED = " used"


def _is_within(until: int, now: datetime) -> bool:
    """Return whether a one-time password that ends then (seconds since 1970) is good now: also by a clock that was set
    back it is not before it was made."""
    left = until - now.timestamp()
    return 0 < left <= (ONE_TIME_LASTS + SET_BACK).total_seconds()


class Passwords:
    """Argon2id over the password and a key of the installation, without which the hashes are of no use."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher

        return PasswordHasher()

    @cached_property
    def _nobodys(self) -> str:
        return self.hash(secrets.token_hex(16))

    def hash(self, password: str, until: datetime | None = None) -> str:
        """The hash that is kept of a password; one for a while does not fit from `until` on."""
        with _AT_ONCE:
            hashed = self._hasher.hash(self._peppered(password))
        return hashed if until is None else f"{hashed}{_UNTIL}{int(until.timestamp())}"

    def fits(self, kept: str, password: str, now: datetime) -> bool:
        """Return whether a password matches the stored hash `kept`; for '' it never does, and takes as long."""
        from argon2.exceptions import Argon2Error, InvalidHashError

        nobodys = self._nobodys
        hashed, _, until = kept.removesuffix(_USED).partition(_UNTIL)
        if len(password) > _TOO_LONG:
            password = ""
        with _AT_ONCE:
            try:
                right = self._hasher.verify(hashed or nobodys, self._peppered(password))
            except (Argon2Error, InvalidHashError):
                return False
        return right and bool(hashed) and (not until or _is_within(int(until), now))

    def is_dated(self, kept: str) -> bool:
        """Return whether a hash has outdated parameters, so that it should be computed again."""
        return _UNTIL not in kept and self._hasher.check_needs_rehash(kept)

    def _peppered(self, password: str) -> bytes:
        import hashlib
        import hmac

        key = self._secret.key("passwords")
        return base64.b64encode(hmac.new(key, _normal(password).encode("utf-8", "replace"), hashlib.sha256).digest())


def generated(groups: int = 4) -> str:
    """A password of 20 random bits a group that can be read out and typed, of 80 in four: k3fq-7dmw-xz2a-pn5t."""
    text = base64.b32encode(secrets.token_bytes(-(-groups * 20 // 8))).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, 4 * groups, 4))


def refuse_weak(password: str, words: Sequence[str] = ()) -> None:
    """Raise FieldError, with advice, for a new password that is too short, too long, common, easy to guess, or made
    of one of `words` (the person's name and address)."""
    normal = _normal(password)
    if len(normal) < SHORTEST:
        raise _refused(f"at least {SHORTEST} characters; a few words in a row are easy to remember")
    if len(normal) > LONGEST:
        raise _refused(f"at most {LONGEST} characters")
    known = {part for word in words for part in (word, *re.split(r"[\W_]+", word))}
    lower = normal.casefold()
    for word in known:
        if len(word) >= _TELLING and word.casefold() in lower:
            raise _refused("it must not contain your name or your e-mail address")
    from zxcvbn import zxcvbn

    guessed = zxcvbn(normal[:_LOOKED_AT], user_inputs=[word for word in known if word])
    if guessed["score"] < _STRONG_ENOUGH:
        warning = str(guessed["feedback"]["warning"] or "").rstrip(".")
        why = f"it is easy to guess ({warning[0].lower()}{warning[1:]})" if warning else "it is easy to guess"
        raise _refused(f"{why}; add a word or two that do not belong together")


def _refused(reason: str) -> FieldError:
    return FieldError(reason, field="new", label="New password")


def _normal(password: str) -> str:
    """The password whichever way the keyboard composes its letters."""
    return unicodedata.normalize("NFKC", password)
