"""A stand-in for Twilio on loopback that records its requests."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

TO, FROM = "+436641234567", "+15017122661"
# As Twilio's documentation shows them.
QUEUED = {
    "account_sid": "AC-stand-in", "api_version": "2010-04-01", "body": "Hi there", "direction": "outbound-api",
    "error_code": None, "error_message": None, "from": FROM, "num_segments": "1", "price": None,
    "sid": "SM00000000000000000000000000000000", "status": "queued", "to": TO,
}  # fmt: skip


class Twilio(HTTPServer):
    """A server that gives the reply a test has chosen, and records its requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.status, self.reply = 201, json.dumps(QUEUED)
        self.headers: dict[str, str] = {}
        self.waits = 0.0
        self.hangs_up = False
        # What came in, as (number, text).
        self.inbound: list[tuple[str, str]] = []
        self.came_at = "Fri, 20 Nov 2026 10:00:00 +0000"
        self.asked: list[tuple[str, str, dict[str, list[str]]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Asked(BaseHTTPRequestHandler):
    server: Twilio

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((self.path, self.headers.get("Authorization", ""), parse_qs(body)))
        if self.server.hangs_up:
            self.close_connection = True
            return
        time.sleep(self.server.waits)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.reply.encode())

    def do_GET(self) -> None:
        entries = [
            {"direction": "inbound", "from": number, "body": text, "date_sent": self.server.came_at}
            for number, text in self.server.inbound
        ]
        # The first page holds one of them.
        first = "Page=1" not in self.path
        following = f"{self.path}&Page=1" if first and len(entries) > 1 else None
        answer = {"messages": [*(entries[:1] if first else entries[1:]), {"direction": "outbound-api"}]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({**answer, "next_page_uri": following}).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def standing_in() -> Iterator[Twilio]:
    """A stand-in for a while."""
    server = Twilio()
    thread = threading.Thread(target=lambda: server.serve_forever(0.02))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
