"""Text messages through Twilio, whose replies a server on loopback gives."""

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from crm.errors import OutwardError, UsageError
from crm.outward.sms import TwilioTexter, texter_for

TO, FROM = "+436641234567", "+15017122661"
# As Twilio's documentation shows them.
QUEUED = {
    "account_sid": "AC-stand-in", "api_version": "2010-04-01", "body": "Hi there", "direction": "outbound-api",
    "error_code": None, "error_message": None, "from": FROM, "num_segments": "1", "price": None,
    "sid": "SM00000000000000000000000000000000", "status": "queued", "to": TO,
}  # fmt: skip


def error(status: int, code: int, message: str) -> dict[str, Any]:
    return {
        "code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status,
    }  # fmt: skip


class Twilio(HTTPServer):
    """Gives the reply that a test has chosen, and keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.status, self.reply = 201, json.dumps(QUEUED)
        self.headers: dict[str, str] = {}
        self.waits = 0.0
        self.hangs_up = False
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

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    server = Twilio()
    thread = threading.Thread(target=lambda: server.serve_forever(0.02))
    thread.start()
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


def texter(twilio: Twilio, sender: str = FROM) -> TwilioTexter:
    return TwilioTexter("AC-stand-in", "the token", sender, twilio.url, time_out=(1.0, 0.3))


def refused(twilio: Twilio, to: str = TO) -> OutwardError:
    with pytest.raises(OutwardError) as caught:
        texter(twilio).send(to, "Hello")
    assert "the token" not in str(caught.value)
    return caught.value


def test_a_text_is_handed_to_twilio(twilio: Twilio) -> None:
    texter(twilio).send(TO, "Grüße & 123456 + =")
    ((path, signed, body),) = twilio.asked
    assert path == "/2010-04-01/Accounts/AC-stand-in/Messages.json"
    assert signed == f"Basic {base64.b64encode(b'AC-stand-in:the token').decode()}"
    assert body == {"To": [TO], "From": [FROM], "Body": ["Grüße & 123456 + ="]}


def test_a_messaging_service_sends_too(twilio: Twilio) -> None:
    texter(twilio, "MG0123456789abcdef").send(TO, "Hello")
    assert twilio.asked[0][2]["MessagingServiceSid"] == ["MG0123456789abcdef"]
    assert "From" not in twilio.asked[0][2]


@pytest.mark.parametrize(
    ("status", "reply", "reason"),
    [
        (400, error(400, 21211, "The 'To' number +4312 is not a valid phone number."), "recipient"),
        (400, error(400, 21614, "'To' number is not a valid mobile number"), "recipient"),
        (400, error(400, 21408, "Permission to send an SMS has not been enabled for the region"), "recipient"),
        (400, error(400, 21610, "Attempt to send to unsubscribed recipient"), "recipient"),
        (400, error(400, 21603, "A 'From' phone number is required."), "refused"),
        (400, "no JSON", "refused"),
        (400, ["a list"], "refused"),
        (401, error(401, 20003, "Authenticate"), "refused"),
        (403, error(403, 20005, "Account not active"), "refused"),
        (404, error(404, 20404, "The requested resource was not found"), "refused"),
        (429, error(429, 20429, "Too Many Requests"), "busy"),
        (500, error(500, 20500, "Internal Server Error"), "unknown"),
        (503, "<html>Service Unavailable</html>", "unknown"),
        (302, "", "refused"),
    ],
)
def test_what_twilio_refuses_is_told(twilio: Twilio, status: int, reply: Any, reason: str) -> None:
    twilio.status, twilio.reply = status, reply if isinstance(reply, str) else json.dumps(reply)
    if status == 302:
        twilio.headers = {"Location": f"{twilio.url}/elsewhere"}
    assert refused(twilio).reason == reason
    assert len(twilio.asked) == 1, "nothing is sent twice, nor elsewhere"


def test_an_answer_that_does_not_come_may_mean_that_it_was_sent(twilio: Twilio) -> None:
    twilio.waits = 0.6
    assert refused(twilio).reason == "unknown"


def test_a_connection_that_breaks_may_mean_that_it_was_sent(twilio: Twilio) -> None:
    twilio.hangs_up = True
    assert refused(twilio).reason == "unknown"


def test_without_a_connection_nothing_is_sent() -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(OutwardError) as caught:
            TwilioTexter("AC-stand-in", "token", FROM, nobody, time_out=(0.5, 0.5)).send(TO, "Hello")
    assert caught.value.reason == "offline"


@pytest.mark.parametrize("to", ["", "0664 1234567", "+43", "+43664123456789012", "+1; DROP", "whatsapp:+436641234567"])
def test_what_is_no_number_is_not_asked_for(twilio: Twilio, to: str) -> None:
    assert refused(twilio, to).reason == "recipient"
    assert twilio.asked == []


def test_an_account_at_twilio_is_not_shown_to_a_stand_in_nor_the_other_way_round() -> None:
    real = "AC" + "0123456789abcdef" * 2
    assert TwilioTexter(real, "token", FROM)
    with pytest.raises(UsageError, match="CRM_TWILIO_URL"):
        TwilioTexter(real, "token", FROM, "http://127.0.0.1:1")
    for sid in ("AC-stand-in", "../../x", ""):
        with pytest.raises(UsageError):
            TwilioTexter(sid, "token", FROM)
    assert texter_for("", "", "") is None
    with pytest.raises(UsageError, match="all three"):
        texter_for(real, "token", "")
    with pytest.raises(UsageError):
        TwilioTexter("AC/../x", "token", FROM, "http://127.0.0.1:1")
