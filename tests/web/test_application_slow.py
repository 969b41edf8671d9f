"""Idle and endless connections: nobody else has to wait for them."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from crm.web import connections
from crm.web.rate_limits import AT_ONCE, AddressLimits
from tests.support.serving import served
from tests.support.whole_site import PASSWORD, web_site

_BEGUN = b"GET / HTTP/1.1\r\nHost: crm.example.com\r\nX-Slow: "


async def _answer(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())}")


@pytest.fixture
def plain() -> Iterator[str]:
    with served(Router([Route("/", _answer, methods=["GET", "POST"])])) as url:
        yield url


@contextmanager
def slow(url: str, count: int, begun: bytes = _BEGUN, address: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """Connections on which something has begun to be sent and does not end."""
    here = httpx.URL(url)
    with ExitStack() as opened:
        made = []
        for _ in range(count):
            made.append(socket.create_connection((here.host, here.port or 0), 10, (address, 0)))
            opened.enter_context(made[-1])
            made[-1].sendall(begun)
        yield made


def closed(connection: socket.socket, within: float) -> bool:
    """True if the other side closes a connection in time."""
    connection.settimeout(within)
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        pass
    return True


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    return 0.3


@pytest.mark.slow
def test_the_head_of_a_request_has_to_come_in_time(impatient: float, plain: str) -> None:  # noqa: ARG001
    length = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
    for begun in (b"", b"G", _BEGUN, length % 0 + b"GET /", length % 3 + b"abc" + _BEGUN):
        with slow(plain, 1, begun) as (connection,):
            began = time.monotonic()
            # To send more of it does not help.
            while time.monotonic() - began < 0.6:
                try:
                    connection.sendall(b"a" if begun else b"")
                except OSError:
                    break
                time.sleep(0.05)
            assert closed(connection, 5), begun


def test_a_connection_in_use_is_not_closed(impatient: float, plain: str) -> None:
    with httpx.Client(base_url=plain) as client:

        def slowly() -> Iterator[bytes]:
            for _ in range(4):
                time.sleep(impatient / 2)
                yield b"abc"

        assert client.post("/", content=slowly()).text == "12"
        time.sleep(impatient * 2)
        # The same connection, after a pause in which nothing was begun.
        assert client.get("/").text == "0"


def test_two_hundred_slow_connections_are_gone_soon(impatient: float, plain: str) -> None:  # noqa: ARG001
    with slow(plain, 200) as made:
        assert httpx.get(plain).text == "0"
        assert all(closed(client, 5) for client in made)


def test_too_many_idle_connections_of_an_address_close_the_oldest(plain: str) -> None:
    with slow(plain, 3, address="127.0.0.2") as others, slow(plain, 210) as made:
        assert httpx.get(plain).text == "0"
        assert all(closed(client, 5) for client in made[:10])
        assert not any(closed(client, 0.01) for client in (*made[-5:], *others))


def test_an_address_is_not_answered_without_limit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AT_ONCE, "http", 5)
    body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"
    with served(AddressLimits(Router([Route("/", _answer, methods=["GET", "POST"])]))) as url:
        with slow(url, 5, body) as made:
            until = time.monotonic() + 30
            while httpx.get(url).status_code != 429 and time.monotonic() < until:
                time.sleep(0.02)
            refused = httpx.get(url)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
            made[0].sendall(b"defghi")
            assert made[0].recv(100).startswith(b"HTTP/1.1 200")
            assert httpx.get(url).status_code == 200
        # Who goes away makes room too.
        while httpx.get(url).status_code != 200:
            assert time.monotonic() < until + 30
            time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
def test_eleven_hundred_slow_connections_keep_nobody_out(tmp_path: Path, address: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    try:
        with web_site(tmp_path) as site:
            site.add("anna", role="admin")
            browser = site.browser()
            assert browser.sign_in("anna@example.com", PASSWORD).status_code == 303
            with browser.terminal() as line, slow(site.url, 1100, address=address):
                # Whoever is in goes on, and whoever comes is let in.
                line.send(b"k")
                seen = b""
                while b"key 'k'" not in seen:
                    got = line.recv(5)
                    seen += got if isinstance(got, bytes) else b""
                for _ in range(5):
                    began = time.monotonic()
                    assert "Sign in" in site.browser().get("/sign-in").text
                    assert time.monotonic() - began < 5
                late = site.browser()
                assert late.sign_in("anna@example.com", PASSWORD).status_code == 303
                with late.terminal() as another:
                    assert another.recv(5)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
