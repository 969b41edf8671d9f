"""Unsubscribing from mailings in a browser, or by the button of a mail program."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import httpx
import pytest

from crm.app import open_crm
from crm.commands.context import CRM
from crm.commands.mail import unsubscribing
from crm.config import Config
from crm.model import Client
from crm.web.application import application
from crm.web.rate_limits import RULES
from crm.web.server import Opened, make_site
from crm.web.terminals import Terminals
from tests.support.clocks import running_on
from tests.support.serving import served
from tests.support.whole_site import MENU

ONE_CLICK = "List-Unsubscribe=One-Click"


@dataclass
class Posted:
    """A site, the store behind it, and a client that a mailing was sent to."""

    url: str
    crm: CRM
    client: Client

    @property
    def path(self) -> str:
        """The path of the unsubscribe link in the mailing."""
        config = replace(self.crm.config, origin="https://crm.example.com")
        (link,) = unsubscribing.links(replace(self.crm, config=config), self.client, self.client.email)
        return link.removeprefix("https://crm.example.com")

    @property
    def consents(self) -> bool:
        """True if the client still gets mailings."""
        with self.crm.read() as snapshot:
            return snapshot.get(Client, self.client.id).marketing_consent


class NoTerminals(Terminals):
    """No terminal is opened here, and to start the process that they are forked from takes a second."""

    async def start(self) -> None:
        pass

    async def stop(self, why: str) -> None:
        pass


@pytest.fixture
def posted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Posted]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    config = Config(f"sqlite:///{tmp_path / 'crm.sqlite3'}", "anna", running_on(date(2026, 11, 21)), secret="s" * 40)

    def opening() -> Opened:
        crm = open_crm(config)
        return Opened(crm.accounts.open(), crm.repository, lambda link, act: unsubscribing.follow(crm, link, act=act))

    crm = open_crm(config)
    new = Client(kind="person", first_name="Erika", last_name="Muster", email="e@example.com", marketing_consent=True)
    client = crm.transact(lambda tx: tx.add(new), "added a client")
    site = make_site(config, opening, lambda purpose: purpose.encode(), NoTerminals(MENU))
    try:
        with served(application(site, trusted="127.0.0.0/8", key=b"journal")) as url:
            yield Posted(url, crm, client)
    finally:
        crm.repository.close()


def test_only_the_button_of_the_link_unsubscribes(posted: Posted) -> None:
    address = f"{posted.url}{posted.path}"
    for method in ("HEAD", "GET", "GET"):
        opened = httpx.request(method, address)
        assert opened.status_code == 200
    assert posted.consents
    assert '<button type="submit"' in opened.text
    assert "set-cookie" not in opened.headers
    done = httpx.post(address, headers={"Origin": posted.url})
    assert done.status_code == 200
    assert "no more of these e-mails" in done.text
    assert not posted.consents
    for page in (opened.text, done.text):
        assert not any(word in page for word in ("Erika", "Muster", "e@example.com", "anna"))
    # Whoever presses it twice reads the same.
    assert httpx.post(address).text == done.text


def test_a_mail_program_unsubscribes_with_one_click(posted: Posted) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert httpx.post(f"{posted.url}{posted.path}", content=ONE_CLICK, headers=kind).status_code == 200
    assert not posted.consents
    with posted.crm.read() as snapshot:
        assert snapshot.history(1)[0].user == "e@example.com"


def test_an_incomplete_link_shows_only_an_error(posted: Posted) -> None:
    for path in (posted.path[:-3], f"{posted.path}AAAA", "/opt-out/x", "/opt-out/" + "x" * 600):
        for answer in (httpx.get(f"{posted.url}{path}"), httpx.post(f"{posted.url}{path}")):
            assert answer.status_code == 404
            assert "This link is incomplete" in answer.text
            assert "Erika" not in answer.text
    assert posted.consents


def test_the_page_is_guarded_as_all_others_are(posted: Posted) -> None:
    answer = httpx.get(f"{posted.url}{posted.path}")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    large = httpx.post(f"{posted.url}{posted.path}", content=b"x" * 20_000)
    assert large.status_code == 413
    assert posted.consents
    # Elsewhere a form still has to come from a page of ours.
    assert httpx.post(f"{posted.url}/sign-in", data={"email": "x"}).status_code == 403


def test_requests_from_one_address_are_limited(posted: Posted) -> None:
    most = next(rule.most for rule in RULES if rule.path == "/opt-out/")
    with httpx.Client(headers={"X-Forwarded-For": "203.0.113.9"}) as stranger:
        answers = [stranger.get(f"{posted.url}/opt-out/x").status_code for _ in range(most + 1)]
    assert answers == [404] * most + [429]
    assert httpx.get(f"{posted.url}{posted.path}").status_code == 200


def test_the_link_is_not_in_the_log(posted: Posted) -> None:
    from crm.web.access_log import page_of

    assert page_of(posted.path) == "/opt-out/…"
