"""Checks before every page: trusted proxies, origins, sizes and rate limits."""

import asyncio
import json
import logging
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from crm.accounts.attempts import neighbourhood
from crm.accounts.evidence import damaged
from crm.accounts.roster import other_secret
from crm.errors import StoreOfflineError, UsageError
from crm.web.access_log import Journal, JsonLines, write_journal
from crm.web.headers import SecurityHeaders
from crm.web.origins import SameOrigin, is_loopback, origin_of
from crm.web.proxies import TrustedProxies
from crm.web.rate_limits import FILE, FORM, RULES, AddressLimits, BodyLimit, Rule
from tests.support.serving import served


async def _seen(request: Request) -> Response:
    client = request.client.host if request.client else ""
    body = await request.body()
    return PlainTextResponse(f"{client} {request.url.scheme} {origin_of(request.scope)} {len(body)}")


async def _fail(_: Request) -> Response:
    raise ValueError("anna@example.com")


async def _offline(_: Request) -> Response:
    raise StoreOfflineError("The spreadsheet of Anna cannot be reached.")


async def _damaged(_: Request) -> Response:
    raise damaged()


async def _other_secret(_: Request) -> Response:
    raise other_secret()


@contextmanager
def guarded(*, origin: str = "", trusted: str = "", rules: Sequence[Rule] = RULES) -> Iterator[str]:
    app: ASGIApp = Router(
        [
            Route("/fail", _fail),
            Route("/offline", _offline),
            Route("/damaged", _damaged),
            Route("/other-secret", _other_secret),
            Route("/{path:path}", _seen, methods=["GET", "POST"]),
        ]
    )
    app = Journal(SameOrigin(AddressLimits(BodyLimit(app), rules), origin), b"key")
    with served(TrustedProxies(SecurityHeaders(app), trusted)) as url:
        yield url


def _to(url: str) -> socket.socket:
    """A connection to the server, whatever name it is then called by."""
    host, _, port = url.partition("://")[2].partition(":")
    return socket.create_connection((host, int(port)), 10)


@pytest.fixture(scope="module")
def plain() -> Iterator[str]:
    with guarded() as url:
        yield url


@pytest.fixture(scope="module")
def behind_a_proxy() -> Iterator[str]:
    with guarded(trusted="*") as url:
        yield url


def test_proxy_headers_of_a_stranger_are_ignored(plain: str) -> None:
    output = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    assert httpx.get(plain, headers=output).text == f"127.0.0.1 http {plain} 0"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "client"),
    [
        ("*", "203.0.113.7", "203.0.113.7"),
        # What stands before the last was written by the client.
        ("*", "10.0.0.1, 198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("*", "203.0.113.7, nonsense", "127.0.0.1"),
        ("127.0.0.0/8", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1, 10.0.0.0/8", "198.51.100.1, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("*", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.0/8", "203.0.113.7", "127.0.0.1"),
    ],
)
def test_the_last_untrusted_address_is_the_client(trusted: str, forwarded: str, client: str) -> None:
    with guarded(trusted=trusted) as url:
        assert httpx.get(url, headers={"X-Forwarded-For": forwarded}).text.split()[0] == client


def test_an_invalid_trusted_network_is_refused_at_the_start() -> None:
    with pytest.raises(UsageError, match=r"FORWARDED_ALLOW_IPS .*: 10\.0\.0 is not an address or a network"):
        TrustedProxies(Router(), "10.0.0")


def test_behind_a_proxy_the_origin_is_what_the_browser_used(behind_a_proxy: str) -> None:
    # Some proxies call the scheme of a WebSocket by its own name.
    for scheme in ("https", "wss"):
        headers = {"Host": "crm.example.com:443", "X-Forwarded-Proto": scheme}
        assert httpx.get(behind_a_proxy, headers=headers).text.split()[2] == "https://crm.example.com"


@pytest.mark.parametrize("origin", ["", "https://crm.example.com"])
@pytest.mark.parametrize("trusted", ["*", ""])
@pytest.mark.parametrize("header", ["http", "https, http", "HTTP"])
def test_an_unencrypted_request_is_redirected_to_https(origin: str, trusted: str, header: str) -> None:
    headers = {"Host": "crm.example.com", "X-Forwarded-Proto": header}
    with guarded(origin=origin, trusted=trusted) as url:
        for method in ("GET", "HEAD"):
            moved = httpx.request(method, f"{url}/reset/secret", headers=headers)
            assert (moved.status_code, moved.headers["location"]) == (308, "https://crm.example.com/")
            assert "strict-transport-security" not in moved.headers
        for claimed in ("http://crm.example.com", "https://crm.example.com"):
            for method in ("POST", "PUT", "DELETE"):
                refused = httpx.request(method, f"{url}/sign-in", headers=headers | {"Origin": claimed})
                assert (refused.status_code, "Not encrypted" in refused.text) == (403, True)
            line = {"Origin": claimed, "X-Forwarded-Proto": "ws"}
            with (
                pytest.raises(InvalidStatus) as closed,
                connect("ws://crm.example.com/terminal", sock=_to(url), additional_headers=line),
            ):
                pass
            assert closed.value.response.status_code == 403


@pytest.mark.parametrize("host", ["crm.example.com", "192.168.1.20:8000", "127.0.0.1.example.com", "[2001:db8::1]"])
def test_an_unencrypted_request_under_another_name_is_refused(plain: str, host: str) -> None:
    refused = httpx.get(plain, headers={"Host": host})
    assert refused.status_code == 403
    assert "https://" in refused.text


@pytest.mark.parametrize("host", ["", "a b", "x/../y", "evil\\x", "a@b", "[:::]", "[.]"])
def test_an_invalid_host_is_refused(plain: str, host: str) -> None:
    assert httpx.get(plain, headers={"Host": host}).status_code == 400


def test_loopback_is_recognized_by_the_whole_name() -> None:
    assert all(is_loopback(host) for host in ("localhost:80", "127.0.0.1", "127.1.2.3:5", "[::1]:8000", "a.localhost"))
    assert not any(is_loopback(host) for host in ("localhost.example.com", "128.0.0.1", "example.com", "[::2]"))


@pytest.mark.parametrize(
    "origin",
    [None, "null", "", "https://{host}", "http://{host}.example.com", "http://localhost:{port}", "http://127.0.0.1"],
)
def test_a_form_from_another_origin_is_refused(plain: str, origin: str | None) -> None:
    host = plain.partition("://")[2]
    headers = {} if origin is None else {"Origin": origin.format(host=host, port=host.partition(":")[2])}
    refused = httpx.post(f"{plain}/x", headers=headers, content=b"a")
    assert refused.status_code == 403
    with pytest.raises(InvalidStatus) as socket_refused, connect(f"ws://{host}/x", additional_headers=headers):
        pass
    assert socket_refused.value.response.status_code == 403


def test_a_form_from_our_own_origin_is_accepted(plain: str) -> None:
    assert httpx.post(f"{plain}/x", headers={"Origin": plain}, content=b"abc").text.split()[3] == "3"


def test_two_origin_headers_are_refused(plain: str) -> None:
    headers = [("Origin", plain), ("Origin", "https://evil.example")]
    assert httpx.post(plain, headers=headers).status_code == 403


def test_a_server_with_a_configured_address_refuses_others() -> None:
    with guarded(origin="https://crm.example.com") as url:
        assert httpx.get(url).status_code == 421
        home = {"Host": "CRM.example.com"}
        assert httpx.get(url, headers=home).text.split()[2] == "https://crm.example.com"
        taken = httpx.post(url, headers=home | {"Origin": "https://crm.example.com"})
        assert taken.status_code == 200
        assert "max-age=31536000; includeSubDomains" in taken.headers["strict-transport-security"]
        assert httpx.post(url, headers=home | {"Origin": "http://crm.example.com"}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/fail", "/offline", "/x?host=evil"])
def test_every_response_has_security_headers(plain: str, path: str) -> None:
    answer = httpx.get(f"{plain}{path}")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert "script-src" not in policy
    assert policy["form-action"] == "'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "permissions-policy" in answer.headers
    # Over plain HTTP browsers pass it over, and it would be untrue.
    assert "strict-transport-security" not in answer.headers
    assert not {"server", "x-powered-by", "access-control-allow-origin"} & set(answer.headers)


def noted(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The failures in the access log; requests of earlier tests may be logged late."""
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    return [line for line in lines if line["what"] == "failure" or line.get("status", 0) >= 500]


@pytest.mark.parametrize("page", ["damaged", "other-secret"])
def test_a_store_that_cannot_be_used_shows_no_try_again(plain: str, page: str) -> None:
    answer = httpx.get(f"{plain}/{page}")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, False)
    assert "Tell the person who runs this server" in answer.text
    assert not any(word in answer.text for word in ("again", "CRM_SECRET", "users recover"))


def test_a_failure_shows_only_a_short_message(plain: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "crm.web"):
        failed = httpx.get(f"{plain}/fail?secret=1")
        offline = httpx.get(f"{plain}/offline")
        # A request is noted once its answer is out.
        until = time.monotonic() + 10
        while time.monotonic() < until:
            lines = noted(caplog)
            if {500, 503} <= {line.get("status") for line in lines} and str(lines).count("'failure'") == 2:
                break
            time.sleep(0.01)
    assert failed.status_code == 500
    assert "Something went wrong" in failed.text
    assert offline.status_code == 503
    assert "cannot be reached" in offline.text
    assert not any(word in failed.text + offline.text for word in ("Traceback", "ValueError", "anna", "Anna", ".py"))
    failures = [line for line in lines if line["what"] == "failure"]
    assert [line["error"] for line in failures] == ["ValueError", "StoreOfflineError"]
    assert any("test_application_guards.py" in place for place in failures[0]["where"])
    requests = [line for line in lines if line["what"] == "request"]
    # Which of two is written down first is by chance, and one of a test before may come late.
    assert {(line["status"], line["page"]) for line in requests} == {(500, "other"), (503, "other")}
    written = "\n".join(map(json.dumps, lines))
    assert not any(word in written for word in ("anna", "Anna", "127.0.0.1", "secret"))


def test_log_lines_of_libraries_are_written_without_their_values(capsys: pytest.CaptureFixture[str]) -> None:
    logs = [logging.getLogger(name) for name in ("", "crm", "uvicorn", "uvicorn.error", "websockets")]
    before = [(log, log.level, log.handlers[:]) for log in logs]
    try:
        # A server that another test has run has set it.
        logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)
        write_journal()

        def fails() -> None:
            raise ValueError("anna@example.com")

        # asyncio puts the words of an error into its own.
        loop = asyncio.new_event_loop()
        loop.call_soon(fails)
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()
        logging.getLogger("uvicorn.error").warning("Invalid request of %s", "anna@example.com")
        logging.getLogger("httpx").info("GET https://example.com/secret")
        logging.getLogger("crm.web").info("page", extra={"facts": {"ms": 3}})
    finally:
        for logger, level, handlers in before:
            logger.handlers, logger.level = handlers, level
    report = capsys.readouterr()
    lines = [json.loads(line) for line in report.out.splitlines()]
    assert [line["what"] for line in lines] == ["asyncio", "Invalid request of %s", "page"]
    assert (lines[0]["error"], lines[2]["ms"]) == ("ValueError", 3)
    assert any(place.endswith(" fails") for place in lines[0]["where"])
    assert "anna" not in report.out + report.err


def test_a_form_has_a_maximum_size(plain: str) -> None:
    mine = {"Origin": plain}
    assert httpx.post(plain, headers=mine, content=b"a" * FORM).status_code == 200
    assert httpx.post(plain, headers=mine, content=b"a" * (FORM + 1)).status_code == 413

    def drops() -> Iterator[bytes]:
        for _ in range(100):
            yield b"a" * 1024

    # Of which nobody knows the length beforehand.
    assert httpx.post(plain, headers=mine, content=drops()).status_code == 413


def test_an_upload_has_a_larger_maximum_size(plain: str) -> None:
    mine = {"Origin": plain}
    assert httpx.post(f"{plain}/files/x", headers=mine, content=b"a" * (FORM + 1)).status_code == 200
    host, _, port = plain.partition("://")[2].partition(":")
    with socket.create_connection((host, int(port)), 5) as raw:
        head = f"POST /files/x HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {plain}\r\nContent-Length: {FILE * 2}\r\n\r\n"
        raw.sendall(head.encode())
        # Refused by its length, before anything of it has come.
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_request_body_that_does_not_arrive_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.web.rate_limits._FORM_SECONDS", 0.2)
    with guarded() as url:
        host, _, port = url.partition("://")[2].partition(":")
        with socket.create_connection((host, int(port)), 5) as raw:
            began = time.monotonic()
            raw.sendall(
                f"POST /x HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {url}\r\nContent-Length: 10\r\n\r\n12345".encode()
            )
            assert raw.recv(100).startswith(b"HTTP/1.1 408 ")
            assert time.monotonic() - began < 3


def test_too_many_requests_have_to_wait() -> None:
    with guarded(trusted="*", rules=[Rule("/sign-in", "POST", 3, 60), Rule("/terminal", "WEBSOCKET", 1, 60)]) as url:
        host = url.partition("://")[2]

        def sign_in(address: str, method: str = "POST") -> httpx.Response:
            headers = {"Origin": url, "X-Forwarded-For": address, "X-Forwarded-Proto": "http"}
            return httpx.request(method, f"{url}/sign-in", headers=headers)

        assert [sign_in("203.0.113.7").status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = sign_in("203.0.113.7")
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        # Neither others nor other pages have to.
        assert sign_in("203.0.113.8").status_code == 200
        assert sign_in("203.0.113.7", "GET").status_code == 200
        for _ in range(2):
            with (
                pytest.raises(InvalidStatus) as closed,
                connect(f"ws://{host}/terminal", additional_headers={"Origin": url}),
            ):
                pass
            assert closed.value.response.status_code == 403


def test_a_rate_limit_ends_and_its_memory_is_bounded() -> None:
    now = 1000.0
    limits = AddressLimits(Router(), [Rule("/", "", 2, 60)], most=10, clock=lambda: now)

    def wait(address: str) -> int:
        return limits._wait({"type": "http", "method": "GET", "path": "/", "client": (address, 1)})

    assert [wait("a"), wait("a"), wait("a")] == [0, 0, 61]
    now += 59
    assert wait("a") == 2
    now += 1
    assert wait("a") == 0
    for number in range(50):
        wait(f"10.0.0.{number}")
    assert len(limits._counts) == 10


def test_an_ipv6_network_counts_as_one_address() -> None:
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1") != neighbourhood("2001:db8:0:1::1")
    assert neighbourhood("::ffff:203.0.113.7") == "203.0.113.7"
