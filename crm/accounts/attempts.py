"""Attempts on accounts, counted by account and by address; the limiter knows both by digests only."""

from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from crm.accounts.account_store import address as kept_address

if TYPE_CHECKING:
    from crm.accounts.keys import Secret
    from crm.accounts.throttling import Attempt, AttemptLimiter


class Attempts:
    """The counts of attempts, each counted before it is judged, whether there is such an account or not. `address` is
    the network address that it comes from, '' for this machine. All of them raise TooManyAttemptsError."""

    def __init__(self, secret: "Secret", limiter: "AttemptLimiter") -> None:
        self._secret = secret
        self._limiter = limiter

    def sign_in(self, email: str, address: str, place: str = "") -> "Attempt":
        """Count an attempt to prove to be the owner of an account; those from another `place` are counted apart."""
        account = self._secret.mac("attempts", _account(email), place)
        return self._limiter.begin(account, self._neighbourhood("addresses", address))

    def link(self, email: str, address: str) -> None:
        """Count a request for a link to a new password."""
        account = self._secret.mac("links", _account(email))
        self._limiter.begin(account, self._neighbourhood("links", address))

    def _neighbourhood(self, purpose: str, address: str) -> str:
        return self._secret.mac(purpose, neighbourhood(address)) if address else ""

    def spend(self, what: str, most: int, seconds: float) -> bool:
        """Count one use of something; False where it was used `most` times within `seconds` already."""
        return self._limiter.spend(what, most, seconds)

    def close(self) -> None:
        """Let go of what was counted in memory alone."""
        self._limiter.close()


def neighbourhood(address: str) -> str:
    """An address as it is counted: of IPv6 the first 64 bits, of which everybody has all the rest."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    return str(ip.ipv4_mapped or IPv6Address(int(ip) >> 64 << 64))


def _account(email: str) -> str:
    return kept_address(email) or email.strip().casefold()
