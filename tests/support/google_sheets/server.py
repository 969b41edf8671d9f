"""HTTP: a request is counted, may meet a fault, and is answered."""

import gzip
import json
import socket
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .calls import Call, Reply
from .control import Door
from .faults import PER_MINUTE, Fault, over_quota
from .refusals import Refusal, refusal
from .service import Service, not_here

ZIPPED_FROM = 4096
REASONS = {
    409: "The operation was aborted.",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
}


class Server(ThreadingHTTPServer):
    """The server; its threads do not outlive it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, service: Service) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.service = service
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.door = Door(service, self.url)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember who is connected."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget who is connected no more."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close the connections that clients keep open."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Dropped(Exception):
    """The connection is closed without a reply."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "ESF"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed: what came in can be asked for at the control door."""

    def _any(self) -> None:
        try:
            self._answer()
            self.wfile.flush()
        except (Dropped, ConnectionError):
            self.close_connection = True

    def _answer(self) -> None:
        body = self._body()
        path, _, _ = self.path.partition("?")
        if path == "/token":
            self._token(body)
        elif path.startswith("/control/"):
            self._control(path.removeprefix("/control/"), body)
        else:
            self._api(path, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    # The parts of the door

    def _token(self, body: bytes) -> None:
        service, traffic = self.server.service, self.server.service.traffic
        fault = traffic.come_in("token", "/token", "", len(body))
        self._meet("token", "", [], fault, lambda: Reply(service.account.token(parse_qs(body.decode("utf-8")))))

    def _control(self, name: str, body: bytes) -> None:
        try:
            given = json.loads(body or b"{}")
            reply = Reply({"result": self.server.door.call(name, given.get("args", []), given.get("kwargs", {}))})
        except Exception as error:
            # Whoever stands at the door is told what was wrong, whatever it was.
            reply = Reply({"error": f"{type(error).__name__}: {error}"}, 400)
        self._send(reply)

    def _api(self, path: str, body: bytes) -> None:
        service = self.server.service
        found = service.route(self.command, path)
        if found is None:
            self._send(_refused(not_here(self.command, path)))
            return
        route, names = found
        document = names.get("id", "")
        kind = route.kind
        fault = service.traffic.come_in(kind, self.path, document, len(body))

        operations: list[str] = []

        def answer() -> Reply:
            service.refuse(route, self.headers.get("Authorization", ""))
            query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
            content = body if self.path.startswith("/upload/") else _json(body)
            call = Call(service, document, query, content, names.get("range", ""))
            operations.append(" ".join([route.method, *_kinds(content)]))
            return service.answer(route, names, call)

        self._meet(kind, document, operations, fault, answer)

    def _meet(self, kind: str, document: str, operations: list[str], fault: Fault | None, answer: Any) -> None:
        """Answer, with the fault that strikes and the time that the way takes."""
        latency = self.server.service.traffic.latency
        if latency:
            time.sleep(latency / 2)
        if fault and fault.kind == "delay":
            time.sleep(fault.seconds)
        code = 0
        sent = 0
        try:
            if fault and fault.kind == "drop_request":
                raise Dropped
            if fault and fault.kind == "status" and not fault.applied:
                reply = self._failure(fault, kind)
            else:
                replies = [_tried(answer) for _ in range(2 if fault and fault.kind == "double" else 1)]
                reply = replies[-1 if fault and fault.second else 0]
                if fault and fault.kind == "status":
                    reply = self._failure(fault, kind)
            code = reply.code
            if fault and fault.kind == "drop_reply":
                raise Dropped
            if latency:
                time.sleep(latency / 2)
            sent = self._send(reply, fault.bytes if fault and fault.kind == "cut" else None)
        finally:
            line = [self.command, self.path, code, operations[0] if operations else kind]
            self.server.service.traffic.gone_out(document, sent, line)

    def _failure(self, fault: Fault, kind: str) -> Reply:
        if fault.html:
            page = f"<!DOCTYPE html><html><title>Error {fault.code} (Server Error)!!1</title><p>That's an error.</html>"
            return Reply(page, fault.code, "text/html; charset=UTF-8")
        if fault.code == 429:
            return _refused(over_quota(kind if kind in PER_MINUTE else "read", self.server.service.account.number))
        return _refused(refusal(fault.code, REASONS.get(fault.code, "Error")))

    def _send(self, reply: Reply, cut: int | None = None) -> int:
        content = written(reply)
        self.send_response(reply.code)
        if reply.code != 204:
            self.send_header("Content-Type", reply.content_type)
        else:
            self.send_header("Content-Type", "text/html")
        if len(content) > ZIPPED_FROM and "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, 1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Vary", "Origin, X-Origin, Referer")
        self.end_headers()
        if cut is not None:
            self.wfile.write(content[:cut])
            self.wfile.flush()
            raise Dropped
        self.wfile.write(content)
        return len(content)


def _tried(answer: Callable[[], Reply]) -> Reply:
    try:
        return answer()
    except Refusal as refused:
        return _refused(refused)
    except Exception:
        # A mistake of the stand-in itself, which must be seen.
        traceback.print_exc()
        return _refused(refusal(500, "Internal error encountered."))


def written(reply: Reply) -> bytes:
    """The content of a reply as it is sent."""
    if reply.body is None:
        return b""
    if isinstance(reply.body, str):
        return reply.body.encode()
    return json.dumps(reply.body, ensure_ascii=False, separators=(",", ":")).encode()


def _json(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        message = f"Invalid JSON payload received. {error}"
        raise refusal(400, message) from error


def _kinds(content: Any) -> list[str]:
    """The kinds of requests in a batch."""
    requests = content.get("requests") if isinstance(content, dict) else None
    if not isinstance(requests, list):
        return []
    return list(dict.fromkeys(kind for one in requests if isinstance(one, dict) for kind in one))


def _refused(error: Exception) -> Reply:
    assert isinstance(error, Refusal)
    return Reply(error.body, error.code)
