"""The system's keyring: Keychain, Windows Credential Locker, Secret Service or KWallet, where one works.

On a server there is none, and one that is there may be locked, ask for its password in a window, or not answer at all:
nothing here waits for ever.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

Result = TypeVar("Result")

# Seconds to find out whether there is one, and to unlock it in a window that it opens.
TO_FIND, TO_UNLOCK = 5.0, 60.0
_PROGRAM = "crm"


class KeyringError(Exception):
    """The keyring cannot be used just now."""


def keep(name: str, secret: str) -> bool:
    """Keep a secret in the keyring; False where there is none that works."""
    try:
        keyring = _within(TO_FIND, _keyring)
    except KeyringError:
        return False
    with suppress(KeyringError):
        _within(TO_UNLOCK, lambda: keyring.set_password(_PROGRAM, name, secret))
        # Some take whatever they are given, and keep nothing.
        if _within(TO_UNLOCK, lambda: keyring.get_password(_PROGRAM, name)) == secret:
            return True
        remove(name)
    return False


def fetch(name: str) -> str:
    """A secret that was kept. Raises KeyringError where the keyring does not give it."""
    keyring = _within(TO_FIND, _keyring)
    secret = _within(TO_UNLOCK, lambda: keyring.get_password(_PROGRAM, name))
    if secret is None:
        raise KeyringError
    return secret


def remove(name: str) -> None:
    """Remove a secret, if the keyring can be used."""
    with suppress(KeyringError):
        keyring = _within(TO_FIND, _keyring)
        _within(TO_UNLOCK, lambda: keyring.delete_password(_PROGRAM, name))


def _keyring() -> "KeyringBackend":
    """The keyring in use. Raises KeyringError where there is none that is meant for keeping secrets."""
    # To load it takes a fifth of a second.
    import keyring

    chosen = keyring.get_keyring()
    # The library's own measure: below 1 stand files that anybody can read, and those that keep nothing.
    if chosen.priority < 1:
        raise KeyringError
    return chosen


def _within(seconds: float, action: Callable[[], Result]) -> Result:
    """The result of an action. Raises KeyringError where it fails, or takes longer."""
    results: list[Result] = []

    def run() -> None:
        # Each keyring has errors of its own, and their words may hold what was to be kept.
        with suppress(Exception):
            results.append(action())

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not results:
        raise KeyringError
    return results[0]
