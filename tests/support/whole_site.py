"""The whole web server on a store of its own, and a minimal browser that visits it."""

import html
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import pyotp
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from crm.accounts.accounts import Accounts
from crm.accounts.keys import Secret
from crm.accounts.throttling import AttemptLimiter
from crm.config import Config
from crm.model import User
from crm.repository.sql import SqlRepository
from crm.repository.sqlite.dialect import Sqlite
from crm.web.application import application
from crm.web.server import Opened, make_site
from crm.web.store_threads import not_for_long
from crm.web.terminals import Terminals
from tests.support.serving import served

PASSWORD = "correct horse battery staple"
MENU = "tests.support.sample_menu:serve"
_TOKEN = re.compile(r'name="token" value="([^"]*)"')
_MESSAGE = re.compile(r'<p class="(?:error|note)"[^>]*>(.*?)</p>', re.DOTALL)


@dataclass
class Sent:
    """Sent e-mail and SMS: the recipients and the text."""

    letters: list[tuple[str, str]] = field(default_factory=list)

    def send(self, to: str, *texts: str) -> None:
        """Take a letter or a message."""
        self.letters.append((to, texts[-1]))


class Browser:
    """A browser that keeps cookies and sends the forms of the pages it has seen. It comes from `address`, and over TLS
    where it knows the server by a name (`host`)."""

    def __init__(self, url: str, *, address: str = "", host: str = "") -> None:
        self.url = url
        self.origin = f"https://{host}" if host else url
        headers = {"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/150"}
        if address:
            headers["X-Forwarded-For"] = address
        if host:
            headers |= {"Host": host, "X-Forwarded-Proto": "https"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=20)
        self.page = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page, following where it leads."""
        answer = self._sent(self.http.build_request("GET", path, headers=headers))
        while answer.next_request:
            answer = self._sent(self.http.build_request("GET", answer.next_request.url.raw_path.decode()))
        self.page = answer.text
        return answer

    def post(self, path: str, *, origin: str | None = None, **fields: str) -> httpx.Response:
        """Send the form of the page that was seen last, without following where that leads."""
        found = _TOKEN.search(self.page)
        sent = {"token": found.group(1) if found else "", **fields}
        headers = {"Origin": self.origin if origin is None else origin}
        answer = self._sent(self.http.build_request("POST", path, data=sent, headers=headers))
        if answer.status_code != 303:
            self.page = answer.text
        return answer

    def _sent(self, request: httpx.Request) -> httpx.Response:
        answer = self.http.send(request)
        for cookie in self.http.cookies.jar:
            # There is no TLS between the proxy and the server.
            cookie.secure = False
        return answer

    def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        """Sign in, as far as the password leads."""
        self.get("/sign-in")
        return self.post("/sign-in", email=email, password=password)

    @property
    def message(self) -> str:
        """The page's message about the form that was sent."""
        found = _MESSAGE.search(self.page)
        return html.unescape(found.group(1).strip()) if found else ""

    def terminal(self, *, origin: str | None = None) -> ClientConnection:
        """Connect to the terminal as the page does."""
        here = urlsplit(self.url)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())}
        if self.origin != self.url:
            headers["X-Forwarded-Proto"] = "https"
        asked: Any = self.origin if origin is None else origin
        return connect(
            f"ws://{urlsplit(self.origin).netloc}/terminal?columns=80&lines=24",
            sock=socket.create_connection((here.hostname, here.port), 10),
            origin=asked,
            additional_headers=headers,
            open_timeout=10,
        )


def closing_code(line: ClientConnection) -> int:
    """The code that the server closes a connection with, at the latest after 12 seconds of silence."""
    try:
        while True:
            line.recv(12)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


@dataclass
class WebSite:
    """A running web server, and its accounts as seen from within the same machine."""

    url: str
    accounts: Accounts
    repository: SqlRepository
    terminals: Terminals
    mail: Sent
    texts: Sent
    clock: "Clock"
    browsers: list[Browser] = field(default_factory=list)

    def add(self, name: str, *, role: str = "staff", password: str | None = PASSWORD, phone: str = "") -> User:
        """Somebody who may sign in as name@example.com."""
        user, _ = self.accounts.administration.add(
            email=f"{name}@example.com", name=name.capitalize(), role=role, password=password, phone=phone
        )
        return user

    def with_app(self, user: User) -> pyotp.TOTP:
        """Switch codes by an app on; the app."""
        app = pyotp.TOTP(self.accounts.self_service.begin_totp(user.id).secret)
        self.recovery = self.accounts.self_service.confirm_totp(user.id, app.secret, app.at(self.clock.now()))
        self.clock.ahead += timedelta(seconds=60)
        return app

    def browser(self, address: str = "") -> Browser:
        """A browser that has never been here."""
        self.browsers.append(Browser(self.url, address=address))
        return self.browsers[-1]


class Clock:
    """The time of day, which a test can put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC) + self.ahead


@contextmanager
def web_site(folder: Path, *, origin: str = "", menu: str = MENU, watch: float = 0.2) -> Iterator[WebSite]:
    """Serve a new site whose proxies are on this machine, so that a browser may come from anywhere."""
    clock, mail, texts = Clock(), Sent(), Sent()
    secret = Secret("what protects the accounts of these tests", folder)

    def opening() -> Opened:
        path = folder / "crm.sqlite3"
        repository = SqlRepository(f"sqlite:///{path}", Sqlite(path), now=clock.now, waiting=not_for_long)
        attempts = AttemptLimiter(folder)
        accounts = Accounts.of(repository, secret, attempts, texter=lambda: texts, mailer=lambda: mail, now=clock.now)
        return Opened(accounts, repository, lambda *_: False)

    terminals = Terminals(menu)
    config = Config("", "", origin=origin)
    site = make_site(config, opening, secret.key, terminals)
    app = application(site, origin=origin, trusted="127.0.0.0/8", key=b"journal", watch=watch)
    mine = opening()
    assert isinstance(mine.repository, SqlRepository)
    try:
        with served(app) as url:
            running = WebSite(url, mine.accounts, mine.repository, terminals, mail, texts, clock)
            yield running
            for browser in running.browsers:
                browser.http.close()
    finally:
        mine.close()
