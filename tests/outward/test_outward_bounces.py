"""What mail servers say of a message that they gave up: read where it is told in the way that is agreed upon."""

from datetime import UTC, datetime

import pytest

from crm.outward.bounces import Bounce
from crm.outward.incoming import received

ARRIVED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
STATUS = """\
Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; Jo@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such
    user
"""
ORIGINAL = ("message/rfc822", "Message-ID: <1@example.org>\nSubject: Hello\n\nText\n")


def report(status: str = STATUS, original: tuple[str, str] = ORIGINAL, head: str = "") -> Bounce | None:
    parts = [("text/plain", "I'm sorry."), ("message/delivery-status", status), original]
    body = "".join(f"--b\nContent-Type: {kind}\n\n{text}\n" for kind, text in parts)
    text = f"From: MAILER-DAEMON@example.com\n{head}MIME-Version: 1.0\n"
    text += f"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n{body}--b--\n"
    found = received(text.encode().replace(b"\n", b"\r\n"), ARRIVED)
    assert found.is_automatic
    assert found.text == "I'm sorry."
    return found.bounce


def test_it_says_which_message_whom_it_did_not_reach_and_why() -> None:
    assert report() == Bounce("<1@example.org>", "jo@example.com", "550 5.1.1 no such user")


@pytest.mark.parametrize(
    ("status", "original", "head", "expected"),
    [
        # Only the headers come back.
        (STATUS, ("text/rfc822-headers", "Subject: x\nMESSAGE-ID: <2@example.org>\n"), "", ("<2@example.org>", None)),
        # Nothing comes back, but it answers the message.
        (STATUS, ("text/plain", "x"), "In-Reply-To: <3@example.org>\n", ("<3@example.org>", None)),
        # Of several recipients the one that failed counts.
        (
            "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@example.com\nAction: relayed\n\n"
            "Original-Recipient: rfc822;b@example.com\nFinal-Recipient: rfc822; c@example.com\nAction: Failed\n"
            "Status: 5.2.2\n",
            ORIGINAL, "", ("<1@example.org>", ("b@example.com", "5.2.2")),
        ),
        # Words that end in no kind stay whole, and nobody moves a cursor with them.
        (
            "Reporting-MTA: dns; mx\n\nAction: failed\nDiagnostic-Code: gone; \x1b[31mfor good\n", ORIGINAL, "",
            ("<1@example.org>", ("", "[31mfor good")),
        ),
    ],
)  # fmt: skip
def test_it_is_told_in_several_ways(
    status: str, original: tuple[str, str], head: str, expected: tuple[str, tuple[str, str] | None]
) -> None:
    identifier, said = expected
    address, words = said or ("jo@example.com", "550 5.1.1 no such user")
    assert report(status, original, head) == Bounce(identifier, address, words)


@pytest.mark.parametrize(
    ("status", "original"),
    [
        (STATUS.replace("failed", "delayed"), ORIGINAL),
        (STATUS.replace("Action: failed\n", ""), ORIGINAL),
        (STATUS, ("message/rfc822", "Subject: no name\n\nText\n")),
        (STATUS, ("message/rfc822", "Message-ID: <not one> at all\n\nText\n")),
        ("", ("message/rfc822", "")),
    ],
)
def test_a_delay_or_what_names_no_message_is_none(status: str, original: tuple[str, str]) -> None:
    assert report(status, original) is None


def test_what_a_person_writes_is_none() -> None:
    text = f"From: anna@example.com\r\nSubject: Undelivered\r\n\r\n{STATUS}\r\nMessage-ID: <1@example.org>\r\n"
    assert received(text.encode(), ARRIVED).bounce is None
