"""The terminal after sign-in, and files that pass between it and the browser."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from crm.web.file_links import safe_name
from tests.support.whole_site import Browser, WebSite, closing_code, web_site


@pytest.fixture
def browser(site: WebSite) -> Iterator[Browser]:
    """Somebody who has signed in, and signs out afterwards."""
    name = f"user{len(site.browsers)}"
    site.add(name)
    visitor = site.browser()
    visitor.sign_in(f"{name}@example.com")
    yield visitor
    if visitor.get("/sign-out").url.path == "/sign-out":
        visitor.post("/sign-out")


def message(line: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of this kind that the terminal sends to its page."""
    while True:
        got = line.recv(10)
        if isinstance(got, str) and (output := json.loads(got))["type"] == kind:
            return dict(output)


def shown(line: ClientConnection, text: str) -> bytes:
    """The terminal's output up to and including this text."""
    seen = b""
    while text.encode() not in seen:
        got = line.recv(10)
        seen += got if isinstance(got, bytes) else b""
    return seen


def test_the_terminal_opens_for_its_own_session(site: WebSite, browser: Browser) -> None:
    with browser.terminal() as line:
        assert b"session=" in shown(line, "session=")
        line.send(b"z")
        shown(line, "size 80x24")
    # A reload finds the same one.
    with browser.terminal() as line:
        shown(line, "size 80x24")
    assert len(site.terminals.sessions()) == 1


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
def test_a_page_of_another_site_gets_no_connection(browser: Browser, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused, browser.terminal(origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_without_a_sign_in_there_is_no_terminal(site: WebSite) -> None:
    stranger = site.browser()
    with stranger.terminal() as line:
        assert closing_code(line) == 4401
    stranger.http.cookies.set("crm", "x" * 64)
    with stranger.terminal() as line:
        assert closing_code(line) == 4401


def test_signing_out_ends_the_terminal_at_once(browser: Browser) -> None:
    with browser.terminal() as line:
        shown(line, "Sample menu")
        browser.get("/sign-out")
        began = time.monotonic()
        browser.post("/sign-out")
        assert closing_code(line) == 4401
        assert time.monotonic() - began < 5
    with browser.terminal() as line:
        assert closing_code(line) == 4401


def test_a_deactivated_user_is_signed_out_within_seconds(site: WebSite) -> None:
    user = site.add("leaver")
    browser = site.browser()
    browser.sign_in("leaver@example.com")
    with browser.terminal() as line:
        shown(line, "Sample menu")
        site.accounts.administration.edit(user, active=False)
        began = time.monotonic()
        assert closing_code(line) == 4401
        assert time.monotonic() - began < 10


def offered(line: ClientConnection) -> dict[str, Any]:
    line.send(b"o")
    return message(line, "offer")


def test_a_file_is_downloaded_once(browser: Browser) -> None:
    with browser.terminal() as line:
        offer = offered(line)
        link = f"/files/{offer['token']}"
        # Whoever only asks about it does not use it up.
        assert browser.http.head(link).status_code == 404
        answer = browser.get(link)
        assert answer.status_code == 200
        assert answer.text == "name,total\nÄnne,12\n"
        assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''Bericht%20M%C3%A4rz.csv"
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert browser.get(link).status_code == 404


def test_a_link_is_good_in_its_own_session_only(site: WebSite, browser: Browser) -> None:
    site.add("thief")
    other = site.browser()
    other.sign_in("thief@example.com")
    with browser.terminal() as line, other.terminal() as others:
        link = f"/files/{offered(line)['token']}"
        shown(others, "Sample menu")
        assert other.get(link).status_code == 404
        assert site.browser().get(link).status_code == 404
        assert browser.get(link).status_code == 200


def send(browser: Browser, token: str, content: bytes, *, name: str = "clients.csv", **headers: str) -> httpx.Response:
    return browser.http.post(
        f"/files/{token}", files={"file": (name, content)}, headers={"Origin": browser.url, **headers}
    )


def test_a_file_is_handed_to_the_menu_that_waits_for_it(browser: Browser) -> None:
    content = b"name\n" + b"x" * 3_000_000
    with browser.terminal() as line:
        line.send(b"a")
        token = message(line, "ask")["token"]
        answer = send(browser, token, content, name="../../etc/clients.csv")
        assert (answer.status_code, answer.text) == (200, "The file has arrived.")
        assert f"got clients.csv {len(content)} True 0o0".encode() in shown(line, "0o0")
        assert send(browser, token, content).status_code == 404


def test_an_upload_that_no_menu_waits_for_is_refused(site: WebSite, browser: Browser) -> None:
    with browser.terminal() as line:
        assert send(browser, "made-up", b"x").status_code == 404
        line.send(b"a")
        token = message(line, "ask")["token"]
        assert send(browser, token, b"x", Origin="https://evil.example").status_code == 403
        refused = site.browser()
        assert send(refused, token, b"x").status_code == 403
        empty = browser.http.post(f"/files/{token}", data={"file": "text"}, headers={"Origin": browser.url})
        assert empty.status_code == 400
        broken = {"Origin": browser.url, "Content-Type": "multipart/form-data"}
        assert browser.http.post(f"/files/{token}", content=b"x", headers=broken).status_code == 400
        assert send(browser, token, b"name\n").status_code == 200
        shown(line, "got clients.csv")


def test_an_upload_that_breaks_off_can_be_sent_again(site: WebSite, browser: Browser) -> None:
    here = urlsplit(site.url)
    with browser.terminal() as line:
        line.send(b"a")
        token = message(line, "ask")["token"]
        head = (
            f"POST /files/{token} HTTP/1.1\r\nHost: {here.netloc}\r\nOrigin: {site.url}\r\n"
            f"Cookie: crm={browser.http.cookies['crm']}\r\nContent-Length: 1000000\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
            'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nname'
        )
        with socket.create_connection((here.hostname, here.port or 0), 5) as broken:
            broken.sendall(head.encode())
            # It has begun, and no other is taken meanwhile.
            time.sleep(0.3)
            assert send(browser, token, b"x").status_code == 409
        until = time.monotonic() + 30
        while (answer := send(browser, token, b"name\n")).status_code == 409 and time.monotonic() < until:
            time.sleep(0.02)
        assert answer.status_code == 200
        shown(line, "got clients.csv 5")


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\anna\\list.csv", "list.csv"),
        (".bashrc", "bashrc"),
        ('a"b\r\nSet-Cookie: x.csv', "a_b__Set-Cookie_ x.csv"),
        ("\u202egpj.exe", "_gpj.exe"),
        ("", "file"),
        ("..", "file"),
        ("x" * 300 + ".xlsx", "x" * 110 + ".xlsx"),
        ("Bericht März.csv", "Bericht März.csv"),
    ],
)
def test_names_of_files_are_harmless(given: str, safe: str) -> None:
    assert safe_name(given) == safe


def test_the_files_of_the_page_come_with_their_kind(site: WebSite) -> None:
    for path, kind in (
        ("/assets/xterm.mjs", "text/javascript; charset=utf-8"),
        ("/assets/terminal.css", "text/css; charset=utf-8"),
        ("/assets/crm.webmanifest", "application/manifest+json"),
        ("/pages.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml; charset=utf-8"),
        ("/robots.txt", "text/plain; charset=utf-8"),
    ):
        answer = httpx.get(f"{site.url}{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind), path
        # Looked for again each time, and sent again only when it is another one.
        again = httpx.get(f"{site.url}{path}", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    for path in ("/assets/", "/assets/../../run.py", "/assets/%2e%2e/%2e%2e/run.py", "/pages/frame.html"):
        assert httpx.get(f"{site.url}{path}").status_code == 404, path


def test_a_page_is_there_at_once(site: WebSite) -> None:
    with httpx.Client(base_url=site.url) as http:
        taken = []
        for _ in range(10):
            began = time.perf_counter()
            http.get("/sign-in")
            taken.append(time.perf_counter() - began)
    # A line that holds small packets back takes 40 ms, each time.
    assert min(taken[1:]) < 0.025


def test_the_health_check_shows_no_details(site: WebSite) -> None:
    for path, expected in (("/healthz", "alive\n"), ("/readyz", "ready\n")):
        # Asked by machines, by whatever address.
        answer = httpx.get(f"{site.url}{path}", headers={"Host": "10.1.2.3"})
        assert (answer.status_code, answer.text) == (200, expected)


@pytest.mark.slow
def test_a_server_that_cannot_work_says_that_it_is_not_ready(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("broken")
    with web_site(folder) as running:
        for file in folder.glob("crm.sqlite3*"):
            file.unlink()
        (folder / "crm.sqlite3").write_bytes(b"nonsense" * 1000)
        answer = httpx.get(f"{running.url}/readyz")
        assert (answer.status_code, answer.text) == (503, "not ready\n")
        assert httpx.get(f"{running.url}/healthz").status_code == 200
        browser = running.browser()
        # Whoever comes now is told so, without a word of where and what.
        failed = browser.sign_in("anna@example.com")
        assert failed.status_code == 503
        assert "cannot be reached" in failed.text
        assert str(folder) not in failed.text
