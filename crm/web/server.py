"""The web server: one process, from the look around at its start to its end within seconds."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from crm.accounts.accounts import Accounts
from crm.config import Config
from crm.repository import Repository
from crm.web.access_log import log, write_journal
from crm.web.application import application
from crm.web.csrf import FormTokens
from crm.web.deployment import Deployment, surroundings
from crm.web.first_admin import first_admin
from crm.web.sessions import Sessions
from crm.web.site import Site
from crm.web.store_threads import StoreThreads
from crm.web.terminals import Terminals
from crm.web.unsubscribing import Follow
from crm.web.uvicorn_server import Server, listen, settings

# A child of the fork server runs this for a signed-in user.
MENU = "crm.browser_menu:serve"


@dataclass(frozen=True)
class Opened:
    """The accounts and the store that they are kept in, as one thread may use them, and what follows the links that
    end mailings."""

    accounts: Accounts
    repository: Repository
    follow: Follow

    def close(self) -> None:
        """Let go of both, after what they are doing aside."""
        self.accounts.close()
        self.repository.close()


Opening = Callable[[], Opened]


def serve(config: Config, opening: Opening, key: Callable[[str], bytes], *, host: str = "", port: int = 0) -> int:
    """Serve the web terminal until the process is asked to end. Returns the exit code. `opening` opens the accounts,
    again each time; `key` derives a key for a purpose. Raises UsageError and StoreError."""
    around = surroundings(os.environ, config, host, port)
    opened = opening()
    try:
        opened.accounts.store.check_secret()
        password = first_admin(opened.repository, opened.accounts, config.admin_email)
    finally:
        opened.close()
    if password:
        _say(f"An admin was added: {config.admin_email}, one-time password {password}")
        _say("It is shown this once. Sign in with it and choose your own.")
    listening = listen(around.host, around.port)
    write_journal()
    site = make_site(config, opening, key, Terminals(MENU, most=config.terminals))
    app = application(site, origin=config.origin, trusted=around.trusted, key=key("journal"))
    # A process that was asked to end and did so has not failed.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)

    def listens() -> None:
        if sys.stdout.isatty():
            _say(f"The web terminal is at {config.origin or f'http://{_address_shown(around)}'} (Ctrl-C ends it).")
        log.info("listening", extra={"facts": {"port": around.port}})

    server = Server(settings(app), site.terminals, listens)
    server.run(sockets=[listening])
    log.info("ended")
    return 0 if server.started else 1


def make_site(config: Config, opening: Opening, key: Callable[[str], bytes], terminals: Terminals) -> Site:
    """The site over accounts of its own: one set answers sign-ins, which take their time, the other who is signed
    in."""

    @contextmanager
    def opened() -> Iterator[Opened]:
        store = opening()
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def accounts() -> Iterator[Accounts]:
        with opened() as store:
            yield store.accounts

    @contextmanager
    def follow() -> Iterator[Follow]:
        with opened() as store:
            yield store.follow

    signing_in, looking_up = StoreThreads(accounts), StoreThreads(accounts, most=500)
    tokens = FormTokens(key("forms"))
    return Site(signing_in, Sessions(looking_up), terminals, tokens, bool(config.origin), StoreThreads(follow))


def _address_shown(around: Deployment) -> str:
    host = "localhost" if around.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else around.host
    return f"{host}:{around.port}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
