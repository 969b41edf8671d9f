"""Text messages through Twilio, whose replies a server on loopback gives."""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from crm.errors import OutwardError, UsageError
from crm.outward.sms import TwilioTexter, texter_for
from tests.support.twilio import FROM, TO, Twilio, standing_in


def error(status: int, code: int, message: str) -> dict[str, Any]:
    return {
        "code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status,
    }  # fmt: skip


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with standing_in() as server:
        yield server


def texter(twilio: Twilio, sender: str = FROM) -> TwilioTexter:
    return TwilioTexter("AC-stand-in", "the token", sender, twilio.url, time_out=(1.0, 0.3))


def refused(twilio: Twilio, to: str = TO) -> OutwardError:
    with pytest.raises(OutwardError) as caught:
        texter(twilio).send(to, "Hello")
    assert "the token" not in str(caught.value)
    return caught.value


def test_a_text_message_is_sent_through_twilio(twilio: Twilio) -> None:
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
def test_a_refusal_of_twilio_is_reported(twilio: Twilio, status: int, reply: Any, reason: str) -> None:
    twilio.status, twilio.reply = status, reply if isinstance(reply, str) else json.dumps(reply)
    if status == 302:
        twilio.headers = {"Location": f"{twilio.url}/elsewhere"}
    assert refused(twilio).reason == reason
    assert len(twilio.asked) == 1, "nothing is sent twice, nor elsewhere"


def test_a_missing_reply_of_twilio_is_an_unknown_outcome(twilio: Twilio) -> None:
    twilio.waits = 0.6
    assert refused(twilio).reason == "unknown"


def test_a_broken_connection_to_twilio_is_an_unknown_outcome(twilio: Twilio) -> None:
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
def test_an_invalid_number_is_not_sent_to_twilio(twilio: Twilio, to: str) -> None:
    assert refused(twilio, to).reason == "recipient"
    assert twilio.asked == []


def test_credentials_of_twilio_and_of_its_stand_in_are_never_mixed() -> None:
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
