"""Bounces: the reports of mail servers that gave up a message, in the standard format."""

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


def test_a_bounce_names_the_message_the_recipient_and_the_reason() -> None:
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
def test_bounces_in_several_formats_are_read(
    status: str, original: tuple[str, str], head: str, expected: tuple[str, tuple[str, str] | None]
) -> None:
    identifier, output = expected
    address, words = output or ("jo@example.com", "550 5.1.1 no such user")
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
def test_a_delay_or_a_report_without_a_message_is_not_a_bounce(status: str, original: tuple[str, str]) -> None:
    assert report(status, original) is None


def test_a_message_from_a_person_is_not_a_bounce() -> None:
    text = f"From: anna@example.com\r\nSubject: Undelivered\r\n\r\n{STATUS}\r\nMessage-ID: <1@example.org>\r\n"
    assert received(text.encode(), ARRIVED).bounce is None


# In other words than those that were agreed upon

COPY = (
    "From: Example Ltd <team@example.com>\nTo: jo@example.com\nSubject: Hello\nMessage-ID: <1@example.org>\n\nDear Jo\n"
)
NO_MAILBOX = "Sorry, no mailbox here by that name. (#5.1.1)"
QMAIL = (
    f"Hi. This is the qmail-send program at mx.example.net.\n\n<Jo@Example.com>:\n{NO_MAILBOX}"
    f"\n\n--- Below this line is a copy of the message.\n\n{COPY}"
)
EXIM = (
    "This was created automatically.\n\n  jo@example.com\n    host mx.example.org: 550 5.1.1 no such mailbox\n\n"
    f"------ This is a copy of the message, including all the headers. ------\n\n{COPY}"
)
EXCHANGE = (
    "--b\nContent-Type: text/plain\n\nYour message did not reach:\n\njo@example.com on Friday\n    Not recognized\n\n"
    f"--b\nContent-Type: message/rfc822\n\n{COPY}\n--b--\n"
)


def in_words(body: str, *head: str) -> tuple[Bounce | None, bool]:
    found = received("\r\n".join([*head, "Subject: failure", "", *body.split("\n")]).encode(), ARRIVED)
    return found.bounce, found.is_automatic


@pytest.mark.parametrize(
    ("body", "head", "words"),
    [
        (
            QMAIL,
            ("From: MAILER-DAEMON@mx.example.net", "Return-Path: <>"),
            "Sorry, no mailbox here by that name. (#5.1.1)",
        ),
        (
            EXIM,
            ("From: Mail Delivery System <Mailer-Daemon@mx.example.net>", "X-Failed-Recipients: JO@example.com"),
            "host mx.example.org: 550 5.1.1 no such mailbox",
        ),
        (
            EXCHANGE,
            ("From: postmaster@example.net", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b"),
            "on Friday Not recognized",
        ),
    ],
)
def test_bounces_of_older_servers_are_read(body: str, head: tuple[str, ...], words: str) -> None:
    assert in_words(body, *head) == (Bounce("<1@example.org>", "jo@example.com", words), True)


def test_a_delay_in_plain_text_is_not_a_bounce_and_a_daemon_is_not_a_person() -> None:
    body = QMAIL.replace("Sorry, no mailbox", "Delayed: it will be retried; no mailbox")
    assert in_words(body, "From: MAILER-DAEMON@mx.example.net") == (None, True)
    assert in_words("Hello", "From: MAILER-DAEMON@mx.example.net") == (None, True)
    # Whoever forwards one is a person.
    assert in_words(QMAIL, "From: anna@example.com") == (None, False)


@pytest.mark.parametrize("written", ["rfc822;<JO@example.com>", "RFC822; Jo@Example.com", "rfc822; <jo@example.com> "])
def test_an_address_is_read_however_it_is_written(written: str) -> None:
    found = report(STATUS.replace("rfc822; Jo@example.com", written))
    assert found is not None
    assert found.address == "jo@example.com"


def test_a_complaint_names_the_message_that_was_reported() -> None:
    parts = "--b\nContent-Type: text/plain\n\nx\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n"
    body = f"{parts}Original-Rcpt-To: <Jo@example.com>\n\n--b\nContent-Type: message/rfc822\n\n{COPY}\n--b--\n"
    found, is_automatic = in_words(
        body, "From: fbl@example.net", "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b",
    )  # fmt: skip
    assert found == Bounce("<1@example.org>", "jo@example.com", "reported as spam", is_complaint=True)
    assert is_automatic
