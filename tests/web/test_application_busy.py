"""Forms while another program holds the store: each gets a true answer within seconds."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from crm.model import SignIn, User
from crm.repository import Query, sql
from tests.support.whole_site import PASSWORD, Browser, WebSite, web_site

OTHER = "purple monday rhubarb train"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[WebSite]:
    with web_site(tmp_path) as running:
        running.add("boss", role="admin")
        yield running


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Another program is writing to the store, and takes its time."""
    with closing(sqlite3.connect(folder / "crm.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


def forms(site: WebSite) -> dict[str, Callable[[], httpx.Response]]:
    """Every form there is, filled in rightly and not sent yet."""

    def at(path: str, *, signed_in: str = "") -> Browser:
        browser = site.browser()
        if signed_in:
            assert browser.sign_in(f"{signed_in}@example.com").status_code == 303
        browser.get(path)
        return browser

    phoned = site.add("phoned", phone="+436601234567")
    token = site.accounts.self_service.begin_sms(phoned.id)
    code = re.search(r"[0-9]{6}", site.texts.letters[-1][1])
    assert code
    site.accounts.self_service.confirm_sms(phoned.id, token, code.group())
    app = site.with_app(site.add("app"))
    for name in ("leaves", "changes", "forgets", "comes"):
        site.add(name)
    by_code, by_sms = at("/sign-in"), at("/sign-in")
    by_code.post("/sign-in", email="app@example.com", password=PASSWORD)
    by_sms.post("/sign-in", email="phoned@example.com", password=PASSWORD)
    by_code.get("/sign-in/code")
    by_sms.get("/sign-in/code")
    site.accounts.self_service.ask_reset("forgets@example.com", address="", link=lambda token: f"/reset/{token}")
    deadline = time.monotonic() + 30
    while not (links := [link for _, text in site.mail.letters for link in re.findall(r"/reset/[\w.-]+", text)]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    link = links[0]
    comes, leaves, changes = at("/sign-in"), at("/sign-out", signed_in="leaves"), at("/password", signed_in="changes")
    forgotten, reset = at("/forgotten"), at(link)

    def filled(browser: Browser, path: str, **fields: str) -> Callable[[], httpx.Response]:
        page = browser.page

        def send() -> httpx.Response:
            # The form as it was, as after a step back.
            browser.page = page
            return browser.post(path, **fields)

        return send

    return {
        "sign-in": filled(comes, "/sign-in", email="comes@example.com", password=PASSWORD),
        "code": filled(by_code, "/sign-in/code", code=app.at(site.clock.now())),
        "again": filled(by_sms, "/sign-in/code/again"),
        "sign-out": filled(leaves, "/sign-out"),
        "password": filled(changes, "/password", current=PASSWORD, new=OTHER, again=OTHER),
        "forgotten": filled(forgotten, "/forgotten", email="boss@example.com"),
        "reset": filled(reset, link, new=OTHER, again=OTHER),
    }


@pytest.mark.slow
def test_every_form_is_answered_while_another_program_holds_the_store(
    site: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "TELLS_AFTER", 0.3)
    sent = forms(site)
    with site.repository.read() as snapshot:
        before = snapshot.find_all(User), snapshot.find_all(SignIn, Query())

    with held(tmp_path), ThreadPoolExecutor(8) as people:
        began = time.monotonic()
        answers = dict(zip(sent, people.map(lambda send: send(), sent.values()), strict=True))
        assert time.monotonic() - began < 5
    for name, answer in answers.items():
        if name in ("forgotten", "again"):
            # They write nothing, or only once the answer is out.
            assert answer.status_code == 200, name
            continue
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), name
        assert "Nothing was done. Try again in a moment." in answer.text
    with site.repository.read() as snapshot:
        assert (snapshot.find_all(User), snapshot.find_all(SignIn, Query())) == before
    # What was refused can be done now.
    for name in ("sign-in", "sign-out", "password", "reset"):
        assert sent[name]().status_code == 303, name


@pytest.mark.slow
def test_many_forms_are_answered_while_another_program_holds_the_store(site: WebSite, tmp_path: Path) -> None:
    browsers = [site.browser(f"203.0.113.{number}") for number in range(30)]
    for page in browsers:
        page.get("/sign-in")

    def sign_in(browser: Browser) -> tuple[float, int]:
        began = time.monotonic()
        answer = browser.post("/sign-in", email="boss@example.com", password=PASSWORD)
        return time.monotonic() - began, answer.status_code

    with held(tmp_path), ThreadPoolExecutor(30) as people:
        times = list(people.map(sign_in, browsers))
    assert {status for _, status in times} == {503}
    assert max(seconds for seconds, _ in times) < 5
