"""A small HTTP server on loopback with scripted replies, for faults that the full stand-in does not make."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from crm.repository import Wait
from crm.repository.sheets.google.credentials import Account
from crm.repository.sheets.google.rate_limit import Stopwatch
from crm.repository.sheets.google.spreadsheet import Service

SPREADSHEET = "1AbCdEfGhIjKlMnOpQrStUvWxYz-0123456789_abcdE"
ADDRESS = "crm@team.iam.gserviceaccount.com"
# What must never be seen anywhere.
TOKEN = "ya29.secret-token"


@cache
def private_key() -> str:
    """A key of this run, in PEM; a short one, which is made and used quickly."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    written = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return written.decode("ascii")


def credentials(at: str, **changed: Any) -> dict[str, Any]:
    """The JSON of a service account's key."""
    return {
        "type": "service_account",
        "project_id": "team-1",
        "private_key_id": "0123abcd",
        "private_key": private_key(),
        "client_email": ADDRESS,
        "token_uri": at,
        **changed,
    }


class FakeClock:
    """Clocks that only move when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.slept: list[float] = []
        self.clock = Stopwatch(now=lambda: self.time, day=lambda: 1_800_000_000.0 + self.time, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = Callable[["Handler"], None]


def answer(status: int, body: object = None, **headers: str) -> Answer:
    """An answer; a str is sent as it is, everything else as JSON."""

    def send(handler: "Handler") -> None:
        written = body.encode() if isinstance(body, str) else json.dumps(body if body is not None else {}).encode()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(written)))
        handler.end_headers()
        handler.wfile.write(written)

    return send


def error(status: int, message: str, *, reason: str = "", name: str = "", **more: Any) -> Answer:
    """An error as the Sheets API writes it."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, **more}] if reason else []
    return answer(status, {"error": {"code": status, "message": message, "status": name, "details": details}})


def no_answer(handler: "Handler") -> None:
    """The connection ends without an answer."""
    handler.close_connection = True


def reset(handler: "Handler") -> None:
    """The connection is reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def cut(handler: "Handler") -> None:
    """The answer ends in the middle."""
    handler.wfile.write(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n{"replies": ['
    )
    handler.close_connection = True


def cut_without_length(handler: "Handler") -> None:
    """The answer ends in the middle, and never said how long it was to be."""
    handler.wfile.write(b'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{"replies": [')
    handler.close_connection = True


def late(handler: "Handler") -> None:
    """The answer takes longer than anybody waits."""
    handler.server.stopping.wait(5)
    handler.close_connection = True


def closes_later(handler: "Handler") -> None:
    """A good answer, and then the server closes the connection that was to be kept."""
    answer(200, {"replies": []})(handler)
    handler.wfile.flush()
    handler.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stopping: threading.Event
    double: "Double"

    def process_request(self, *given: Any) -> None:
        self.double.connections += 1
        super().process_request(*given)

    def shutdown_request(self, *given: Any) -> None:
        super().shutdown_request(*given)
        self.double.closed.set()

    def handle_error(self, *given: Any) -> None:
        """Print nothing: connections that break off are part of the test."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        double = self.server.double
        if double.reads_at_most is not None and length > double.reads_at_most:
            self.rfile.read(double.reads_at_most)
            double.seen.append(Seen(self.command, self.path, dict(self.headers), b""))
            reset(self)
            return
        body = self.rfile.read(length)
        seen = Seen(self.command, self.path, dict(self.headers), body)
        if self.path == "/token":
            double.logins.append(seen)
            token = f"{TOKEN}-{len(double.logins)}"
            given = double.login or answer(200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"})
            given(self)
            return
        double.seen.append(seen)
        (double.script.pop(0) if double.script else answer(200, {"replies": []}))(self)

    do_GET = do_POST = do_PUT = do

    def log_message(self, *given: Any) -> None:
        """Nothing is printed."""


@dataclass
class Double:
    """The server: `script` is answered in order, then {"replies": []}; `seen` is what arrived."""

    folder: Path
    port: int = 0
    script: list[Answer] = field(default_factory=list)
    login: Answer | None = None
    reads_at_most: int | None = None
    seen: list[Seen] = field(default_factory=list)
    logins: list[Seen] = field(default_factory=list)
    connections: int = 0
    closed: threading.Event = field(default_factory=threading.Event)
    clock: FakeClock = field(default_factory=FakeClock)
    waits: list[Wait] = field(default_factory=list)
    _services: list[Service] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def account(self) -> Account:
        return Account(ADDRESS, "team-1", f"{self.address}/token", "0123abcd", private_key())

    def service(self, **given: Any) -> Service:
        """A new service, as another program would have it."""
        given = {"google": self.address, "waiting": self.waits.append, "clock": self.clock.clock, **given}
        made = Service(SPREADSHEET, given.pop("account", self.account), self.folder, **given)
        self._services.append(made)
        return made

    def answers(self, *script: Answer) -> "Double":
        """The same double, with these answers next."""
        self.script += script
        return self

    def close(self) -> None:
        for service in self._services:
            service.close()


@contextmanager
def google_double(folder: Path) -> Iterator[Double]:
    """A double that runs until the end of the block."""
    server = _Server(("127.0.0.1", 0), Handler)
    server.stopping = threading.Event()
    server.double = Double(folder, server.server_address[1])
    running = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    running.start()
    try:
        yield server.double
    finally:
        server.double.close()
        server.stopping.set()
        with suppress(OSError):
            server.shutdown()
        server.server_close()
        running.join(5)
