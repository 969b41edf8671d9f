"""Deployment settings: the address to listen at, which proxies are trusted, and what the host does not keep."""

from collections.abc import Mapping
from dataclasses import dataclass

from crm import program
from crm.config import Config
from crm.errors import UsageError
from crm.web.origins import is_loopback
from crm.web.proxies import ANY

_PORT = 8000
_HERE, _EVERYWHERE = "127.0.0.1", "0.0.0.0"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment: `host` and `port` to listen on, and the proxies that are `trusted`."""

    host: str
    port: int
    trusted: str


def surroundings(environment: Mapping[str, str], config: Config, host: str = "", port: int = 0) -> Deployment:
    """The deployment that the command line and the host's environment describe. Raises UsageError where the data or the
    secret would be lost, a database is given that cannot be used, or passwords would travel unencrypted."""
    on_heroku = bool(environment.get("DYNO"))
    if environment.get("DATABASE_URL") and not config.named_store:
        raise UsageError(
            "DATABASE_URL names a database of a kind that cannot hold the data yet. Set CRM_STORE to a Google"
            " spreadsheet (sheets://ID), or remove DATABASE_URL."
        )
    if on_heroku and (not config.named_store or config.named_store.startswith("sqlite:")):
        raise UsageError(
            "Files are lost here whenever the program restarts, so the data cannot be kept in one. Set CRM_STORE to"
            " a Google spreadsheet (sheets://ID)."
        )
    if on_heroku and not environment.get("CRM_SECRET"):
        raise UsageError(
            "CRM_SECRET is missing: it protects passwords, and a file for it would be lost here. Set it once, to"
            f" what {program.command('secret')} prints, and keep a copy."
        )
    if config.origin.startswith("http:") and not is_loopback(config.origin.partition("://")[2]):
        raise UsageError(
            f"CRM_ORIGIN cannot be used: {config.origin} is not encrypted, and passwords would be sent in the"
            " clear. Write it with https://, and put a proxy in front that speaks TLS."
        )
    return Deployment(
        host or (_EVERYWHERE if on_heroku or (environment.get("PORT") and not port) else _HERE),
        port or _port(environment.get("PORT", "")),
        # Nobody but Heroku's router reaches a dyno.
        config.trusted_proxies or (ANY if on_heroku else ""),
    )


def _port(written: str) -> int:
    if not written:
        return _PORT
    if not written.isascii() or not written.isdecimal() or not 0 < int(written) < 65536:
        raise UsageError("The environment variable PORT cannot be used: it must be a number from 1 to 65535.")
    return int(written)
