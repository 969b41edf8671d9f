"""A network between programs and the stand-in that fails in every way; seeded, so that a run can be repeated."""

import http.client
import random
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# How often each of them strikes.
CHANCES = {
    "drop the reply": 0.06,
    "cut the reply": 0.03,
    "busy before": 0.03,
    "busy after": 0.03,
    "deliver twice, the first answer": 0.02,
    "deliver twice, the second answer": 0.02,
    "arrive late": 0.02,
    "drop the request": 0.02,
    "no quota": 0.01,
    "delay": 0.1,
}
_LATE, _SLOW = 0.4, 0.3
_BUSY_PAGE = b"<html><body>The service is currently unavailable.</body></html>"
_NO_QUOTA = b'{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}'
Answer = tuple[int, bytes, str]


class BadNetwork:
    """Passes requests on to `target`; as a context it runs. `struck` counts what went wrong."""

    def __init__(self, target: str, seed: int, chances: dict[str, float] | None = None) -> None:
        self.host = urlsplit(target).netloc
        self.chance = random.Random(seed)
        self.chances = CHANCES if chances is None else chances
        self.struck: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"network": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "BadNetwork":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fate(self) -> str:
        """The fault of the next request; '' for none."""
        with self._lock:
            left = self.chance.random()
            for name, part in self.chances.items():
                left -= part
                if left < 0:
                    self.struck[name] += 1
                    return name
        return ""

    def passed_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The answer of the service itself."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, body or None, headers)
            reply = connection.getresponse()
            return reply.status, reply.read(), reply.getheader("Content-Type", "application/json")
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    network: BadNetwork
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nothing is said of single requests."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        headers["Accept-Encoding"] = "identity"
        request = (self.command, self.path, headers, body)
        fate = "" if "/token" in self.path else self.network.fate()
        match fate:
            case "drop the request":
                return self._hang_up()
            case "busy before":
                return self._answer((503, _BUSY_PAGE, "text/html"))
            case "no quota":
                return self._answer((429, _NO_QUOTA, "application/json"))
            case "arrive late":
                threading.Timer(_LATE, self.network.passed_on, request).start()
                return self._hang_up()
            case "delay":
                time.sleep(_SLOW)
        answer = self.network.passed_on(*request)
        match fate:
            case "drop the reply":
                return self._hang_up()
            case "busy after":
                return self._answer((500, _BUSY_PAGE, "text/html"))
            case "deliver twice, the first answer":
                self.network.passed_on(*request)
            case "deliver twice, the second answer":
                answer = self.network.passed_on(*request)
            case "cut the reply":
                return self._answer(answer, cut=len(answer[1]) // 2)
        return self._answer(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _hang_up(self) -> None:
        self.close_connection = True

    def _answer(self, answer: Answer, cut: int | None = None) -> None:
        status, body, kind = answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        self.close_connection = cut is not None
