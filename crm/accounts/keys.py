"""The secret of this installation, and the keys that are derived from it, one for each purpose."""

import base64
import hashlib
import hmac
import secrets
from contextlib import suppress
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from crm import program
from crm.atomic_write import atomic_write
from crm.errors import FileError, UsageError
from crm.model.paths import display_path
from crm.private_files import private_folder

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

SHORTEST = 32

# A random secret of the shortest length, in any usual spelling, has more different characters than this.
_FEW = 8


def new() -> str:
    """A secret that nobody guesses."""
    return secrets.token_urlsafe(48)


def guessable(secret: str) -> str:
    """The reason why a secret is easily guessed, however long it is; '' where there is none."""
    text = secret.casefold()
    if len(set(text)) < _FEW:
        return "it has too few different characters"
    if any(text[period:] == text[:-period] for period in range(1, len(text) // 2 + 1)):
        return "it repeats itself"
    steps = [ord(after) - ord(before) for before, after in pairwise(text)]
    if 3 * sum(abs(step) <= 1 for step in steps) > 2 * len(steps):
        return "its characters are in order, as in abcdef"
    return ""


class Secret:
    """The team's secret: what CRM_SECRET holds (`setting`); where it is not set, a file `secret` in `folder`, made when
    it is first needed.

    All machines that work on one store need the same secret.
    """

    def __init__(self, setting: str, folder: Path) -> None:
        if setting and len(setting) < SHORTEST:
            raise UsageError(f"CRM_SECRET is too short: at least {SHORTEST} characters are needed. Nothing was opened.")
        self._setting = setting
        self._path = folder / "secret"
        self._derived = cache(self._derive)

    @property
    def weakness(self) -> str:
        """The reason why others could guess it, as a sentence that says what to do; '' where nothing speaks for
        that."""
        why = guessable(self._setting) if self._setting else ""
        return f"CRM_SECRET is easily guessed: {why}. `{program.command('secret')}` prints a good one." if why else ""

    def key(self, purpose: str) -> bytes:
        """32 bytes for this purpose alone. Raises FileError where the secret can be neither read nor made."""
        return self._derived(purpose)

    def mac(self, purpose: str, *parts: str) -> str:
        """The message authentication code (HMAC-SHA256, 64 hexadecimal digits) of these parts for a purpose."""
        joined = b"".join(len(encoded).to_bytes(4, "big") + encoded for encoded in (part.encode() for part in parts))
        return hmac.new(self.key(purpose), joined, hashlib.sha256).hexdigest()

    def box(self, purpose: str) -> "Fernet":
        """The authenticated encryption (Fernet) for a purpose."""
        from cryptography.fernet import Fernet

        return Fernet(base64.urlsafe_b64encode(self.key(purpose)))

    def _derive(self, purpose: str) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"crm {purpose}".encode()).derive(self._root)

    @cached_property
    def _root(self) -> bytes:
        if self._setting:
            return self._setting.encode()
        try:
            with suppress(FileNotFoundError):
                return self._read()
            self._make()
            return self._read()
        except (OSError, UnicodeDecodeError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or "it is not text"
            raise FileError(
                f"The secret of this machine, {display_path(self._path)}, cannot be read or written: {reason}."
                " Set CRM_SECRET instead."
            ) from error

    def _read(self) -> bytes:
        written = self._path.read_text("ascii").strip()
        if len(written) < SHORTEST:
            raise FileError(
                f"{display_path(self._path)} is not a secret made by this program. Restore the file from a backup."
            )
        return written.encode()

    def _make(self) -> None:
        """Make the file, whole from the start; one that another program has made meanwhile stays."""
        private_folder(self._path.parent)
        with atomic_write(self._path, 0o600, overwrite=False) as file:
            file.write(f"{new()}\n".encode())
