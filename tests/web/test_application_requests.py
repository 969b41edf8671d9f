"""HTTP parsing: one reading of where a request begins and ends, and only the methods that pages need."""

import socket
from collections.abc import Iterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from crm.web.headers import SecurityHeaders
from crm.web.origins import SameOrigin
from tests.support.serving import served


async def _seen(request: Request) -> Response:
    return PlainTextResponse(f"{request.method} {request.url.path} <{(await request.body()).decode()}>")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    router = Router([Route("/{path:path}", _seen, methods=["GET", "POST"])])
    with served(SecurityHeaders(SameOrigin(router))) as origin:
        yield origin


def answers(url: str, head: str, body: str) -> list[str]:
    """The status lines and bodies that come back for a request written by hand, until the line is closed."""
    host, _, port = url.partition("://")[2].partition(":")
    with socket.create_connection((host, int(port)), 5) as raw:
        raw.sendall(f"POST /first HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {url}\r\n{head}\r\n\r\n{body}".encode())
        raw.shutdown(socket.SHUT_WR)
        whole = b""
        while piece := raw.recv(65_536):
            whole += piece
    return [line for line in whole.decode().splitlines() if "HTTP/1.1" in line or (" /" in line and "<" in line)]


HIDDEN = "GET /second HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Length: 0\r\nContent-Length: 36", HIDDEN),
        ("Content-Length: 3, 36", HIDDEN),
        ("Content-Length: +3", "abc"),
        ("Transfer-Encoding: identity", HIDDEN),
        ("Transfer-Encoding: chunked, identity", f"0\r\n\r\n{HIDDEN}"),
        ("Transfer-Encoding : chunked", f"0\r\n\r\n{HIDDEN}"),
        ("X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: x", HIDDEN),
        ("Transfer-Encoding: chunked", f"zz\r\n\r\n{HIDDEN}"),
    ],
)
def test_a_request_whose_end_is_not_clear_is_refused(url: str, head: str, body: str) -> None:
    answer = answers(url, head, body)
    assert len(answer) == 1, answer
    assert answer[0].startswith(("HTTP/1.1 400 ", "HTTP/1.1 501 "))


def test_a_length_beside_chunked_encoding_is_ignored(url: str) -> None:
    answer = answers(url, "Content-Length: 99\r\nTransfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n")
    assert answer == ["HTTP/1.1 200 OK", "POST /first <abc>"]


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PUT", "DELETE", "PATCH", "CONNECT", "PROPFIND"])
def test_unused_http_methods_are_refused(url: str, method: str) -> None:
    for origin in ({}, {"Origin": url}):
        answer = httpx.request(method, f"{url}/x", headers={"X-Secret": "told", **origin})
        assert answer.status_code in (400, 403, 405)
        assert "told" not in answer.text
        assert "access-control-allow-origin" not in answer.headers
