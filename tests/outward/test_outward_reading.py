"""The parser of incoming messages: well made, badly made, and hostile ones."""

import base64
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.outward.incoming import LONGEST_TEXT, Received, UnreadableError, received
from crm.outward.outgoing import Party

ARRIVED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
FORWARDED = {
    "gmail": "FYI\n\n---------- Forwarded message ---------\nFrom: Anna Müller <anna@example.com>\n"
    "Date: Fri, 20 Nov 2026 at 10:12\nSubject: Offer?\nTo: <ben@example.org>\n\nDear Ben",
    "apple": "Begin forwarded message:\n\n> From: Anna Müller <anna@example.com>\n> Subject: Offer?\n"
    "> Date: 20 November 2026\n> To: ben@example.org\n>\n> Dear Ben",
    "outlook": "________________________________\nFrom: Anna Müller <anna@example.com>\nSent: Friday\nTo: Ben\n"
    "Subject: Offer?\n\nDear Ben",
    "outlook in German": "Von: Anna Müller [mailto:anna@example.com]\nGesendet: Freitag\nAn: Ben\nBetreff: Angebot?",
    "bold": "*From:* Anna Müller <anna@example.com>\n*Date:* Friday\n*To:* Ben\n",
    "thunderbird": "-------- Weitergeleitete Nachricht --------\nBetreff: \tAngebot\nDatum: \tFri\n"
    "Von: \tAnna Müller <anna@example.com>\nAn: \tben@example.org\n",
    "folded": "---------- Forwarded message ---------\nFrom: Anna Müller\n<anna@example.com>\nDate: Friday\n",
}


def read(text: str | bytes, **given: bool) -> Received:
    raw = text.encode() if isinstance(text, str) else text
    return received(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), ARRIVED, **given)


def message(**headers: str) -> EmailMessage:
    made = EmailMessage(policy=SMTP)
    for name, value in {"from": "Anna <anna@example.com>", "subject": "Hello", **headers}.items():
        made[name.replace("_", "-")] = value
    return made


def test_a_message_is_read() -> None:
    found = read("""\
Delivered-To: crm@example.org
Message-ID: <1@example.com>
In-Reply-To: <0@example.org>
From: =?utf-8?q?M=C3=BCller=2C_Anna?= <anna@example.com>
To: Ben <ben@example.org>, "Cole, Cleo" <cleo@example.org>, undisclosed-recipients:;
Cc: dan@example.org, nobody
Bcc: eve@example.org
Date: Fri, 20 Nov 2026 10:12:13 +0100
Subject: =?iso-8859-1?q?Gr=FC=DFe?= =?utf-8?b?IPCfpoY=?=

Dear Ben,

how are you?
""")
    assert found == Received(
        message_id="<1@example.com>",
        in_reply_to="<0@example.org>",
        at=datetime(2026, 11, 20, 9, 12, 13, tzinfo=UTC),
        sender=Party("anna@example.com", "Müller, Anna"),
        to=(Party("ben@example.org", "Ben"), Party("cleo@example.org", "Cole, Cleo")),
        cc=(Party("dan@example.org"),),
        bcc=(Party("eve@example.org"),),
        delivered_to=(Party("crm@example.org"),),
        subject="Grüße 🦆",
        text="Dear Ben,\n\nhow are you?",
        attachments=(),
        forwarded_from=None,
        is_automatic=False,
        is_cut=False,
    )


def test_attachments_are_named_and_not_stored() -> None:
    made = message()
    made.set_content("See the offer.")
    made.add_alternative("<p>See the <b>offer</b>. <img src='cid:logo'></p>", subtype="html")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="../Angebot “März”\x07.pdf")
    made.add_attachment(b"x", maintype="application", subtype="octet-stream")
    made.add_attachment("a;b", filename="list.csv", subtype="csv")
    made.add_attachment(
        b"GIF", maintype="image", subtype="gif", disposition="inline", filename="logo.gif", cid="<logo>"
    )
    found = read(made.as_bytes())
    assert found.text == "See the offer."
    assert found.attachments == ("../Angebot “März” .pdf", "application/octet-stream", "list.csv")
    assert found.sizes == (4, 1, 5)


def test_html_is_read_as_its_visible_text() -> None:
    made = message()
    made.set_content(
        """<?xml version="1.0" encoding="utf-8"?><html><head><title>No</title><style>p { color: red }</style></head>
        <body><div style="display: none">Preheader</div><script>alert(1)</script>
        <table><tr><td>Dear Ben,</td></tr><tr><td><p>how are&nbsp;you?<br>Fine &lt;b&gt; &#27;[31m</p>
        <ul><li>one</li><li>two</li></ul></td></tr></table>Regards<img src="http://example.com/x.gif" alt="pixel">
        <a href="http://example.com">Anna</a></body></html>""",
        subtype="html",
    )
    text = read(made.as_bytes()).text
    words = [part for part in text.split() if part != "*"]
    assert words == [
        "Dear",
        "Ben,",
        "how",
        "are",
        "you?",
        "Fine",
        "<b>",
        "[31m",
        "one",
        "two",
        "Regards",
        "Anna",
        "(http://example.com)",
    ]
    assert "how are you?\n" in text.replace("\xa0", " ")


@pytest.mark.parametrize("html", ["", " ", "<!-- -->", "<html></html>", "\x00", "<p>" * 5000, "<table>" * 5000])
def test_html_without_visible_text_is_empty(html: str) -> None:
    assert read(f"Content-Type: text/html\n\n{html}").text == ""


def test_html_made_to_expand_is_limited() -> None:
    wide = "<p style='margin: 99999em; padding-left: 99999em'>x</p>" * 1000
    table = (
        "<table>" + f"<tr><td>{'x' * 5000}</td><td>y</td></tr>" + "<tr><td>a</td><td>b</td></tr>" * 5000 + "</table>"
    )
    for page in (wide, table):
        assert len(read(f"Content-Type: text/html\n\n{page}").text) < 60_000


def test_plain_text_is_preferred_to_html() -> None:
    made = message()
    made.set_content(" \n")
    made.add_alternative("<p>Only here</p>", subtype="html")
    assert read(made.as_bytes()).text == "Only here"


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("utf-8", "utf-8", "Grüße, 漢字 🦆"),
        ("utf-8", "cp1252", "Viele Grüße aus Österreich, Ihr Müller, bis später"),
        ("us-ascii", "utf-8", "Grüße"),
        ("iso-8859-1", "cp1252", "“Grüße”, 5 €"),
        ("windows-1251", "cp1251", "Здравствуйте"),
        ("", "utf-8", "Grüße"),
        ("x-unknown", "utf-8", "Grüße"),
        ("punycode", "utf-8", "Grüße"),
        ("unicode-escape", "utf-8", r"C:\users\x"),
        ("base64", "utf-8", "Grüße"),
        ("iso-2022-jp", "iso-2022-jp", "こんにちは"),
    ],
)
def test_a_wrong_or_missing_charset_is_detected(declared: str, encoding: str, text: str) -> None:
    charset = f"; charset={declared}" if declared else ""
    found = read(f"Content-Type: text/plain{charset}\n\n".encode() + text.encode(encoding))
    assert found.text == text


def test_headers_with_invalid_bytes_are_read() -> None:
    found = read("From: Müller <m@example.com>\nSubject: Grüße =?x-none?q?a=FC?= =?utf-8?b?w?= end\n\nhi")
    assert found.sender == Party("m@example.com", "Müller")
    assert found.subject.startswith("Grüße")
    assert found.subject.endswith("end")


@pytest.mark.parametrize("program", FORWARDED)
def test_the_author_of_a_forwarded_message_is_found(program: str) -> None:
    made = message(subject="Fwd: Offer?")
    made.set_content(FORWARDED[program])
    assert read(made.as_bytes()).forwarded_from == Party("anna@example.com", "Anna Müller")


def test_the_author_of_a_message_forwarded_as_an_attachment_is_found() -> None:
    inner, outer = message(), message(**{"from": "ben@example.org", "subject": "Offer?"})
    inner.set_content("Dear Ben")
    outer.set_content("FYI")
    outer.add_attachment(inner)
    found = read(outer.as_bytes())
    assert found.sender == Party("ben@example.org")
    assert found.forwarded_from == Party("anna@example.com", "Anna")
    assert found.text == "FYI\n\nDear Ben"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: Offer?", FORWARDED["outlook"]),
        ("Fwd: Offer?", "From: here to there\nit is far"),
        ("Fwd: Offer?", "From: Anna Müller\nDate: Friday\nTo: Ben"),
        ("Fwd: Offer?", ""),
    ],
)
def test_a_message_that_is_not_forwarded_has_no_other_author(subject: str, text: str) -> None:
    made = message(subject=subject)
    made.set_content(text)
    assert read(made.as_bytes()).forwarded_from is None


def test_automatic_messages_are_recognized() -> None:
    for header in ("Auto-Submitted: auto-replied", "Precedence: bulk", "X-Autoreply: yes"):
        assert read(f"{header}\n\nI am out").is_automatic
    assert not read("Auto-Submitted: no\nPrecedence: list\n\nHi").is_automatic
    bounce = """\
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

Not delivered
--b
Content-Type: message/rfc822

From: crm@example.com
Subject: Ours

Our text
--b--
"""
    found = read(bounce)
    assert found.is_automatic
    assert (found.text, found.forwarded_from) == ("Not delivered", None)


@pytest.mark.parametrize(
    "date",
    ["", "yesterday", "Fri, 99 Nov 2026 10:00 +0100", "Thu, 1 Jan 1970 00:00:00 +0000", "1 Jan 9999 00:00 +9999"],
)
def test_an_invalid_date_is_replaced_by_the_arrival_time(date: str) -> None:
    assert read(f"Date: {date}\n\nhi").at == ARRIVED
    assert read("Date: Fri, 20 Nov 2026 10:00:00 -0000\n\nhi").at == ARRIVED - timedelta(hours=23, minutes=30)


def test_an_incoming_message_has_no_control_characters() -> None:
    evil = base64.b64encode(b"\x1b[2J\xe2\x80\xae evil\r\nBcc: eve@example.com\x00").decode()
    found = read(f"From: =?utf-8?b?{evil}?= <a@example.com>\nSubject: =?utf-8?b?{evil}?=\n\n\x1b[31m red \u202e")
    assert found.subject == "[2J evil Bcc: eve@example.com"
    assert found.sender == Party("a@example.com", "[2J evil Bcc: eve@example.com")
    assert found.text == "[31m red"


def test_a_long_text_is_cut_and_a_cut_message_is_read() -> None:
    assert len(read("Subject: x\n\n" + "word " * 100_000).text) == LONGEST_TEXT
    made = message()
    made.set_content("The text")
    made.add_attachment(b"x" * 10_000, maintype="application", subtype="pdf", filename="large.pdf")
    found = received(made.as_bytes()[:5000], ARRIVED, is_cut=True)
    assert (found.text, found.attachments, found.is_cut) == ("The text", ("large.pdf",), True)
    assert (found.sizes, received(made.as_bytes(), ARRIVED).sizes) == ((0,), (10_000,))


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n" * 400_000,
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000,
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (at, at) for at in range(1000)),
        b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
    ],
)
def test_an_oversized_structure_is_not_read(raw: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(UnreadableError):
        received(raw, ARRIVED)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: text/plain" + b";" * 3_000_000 + b"\r\n\r\nhi",
        b"To: " + b"a@b.c, " * 500_000 + b"\r\n\r\nhi",
        b"From: " + b"(" * 1_000_000 + b"\r\n\r\nhi",
        b"\r\n" + b" \t" * 2_000_000 + b"x",
        b"Subject: Fwd: x\r\n\r\n" + b"From: x\n" * 200_000,
    ],
)
def test_a_message_made_to_be_slow_is_read_quickly(raw: bytes) -> None:
    began = time.monotonic()
    received(raw, ARRIVED)
    assert time.monotonic() - began < 5


PIECES = st.sampled_from(
    [
        b"From: ", b"To: ", b"Subject: ", b"Date: ", b"Content-Type: ", b"multipart/mixed; boundary=b", b"text/html",
        b"message/rfc822", b"\r\n", b"\r\n\r\n", b"--b", b"--b--", b"; charset=", b"Content-Transfer-Encoding: base64",
        b"=?utf-8?b?", b"?=", b"<a@b.c>", b'"', b"\\", b"(", b"\x00", b"\xff", b"Content-Disposition: attachment; ",
        b"filename*0*=utf-8''%ff", b"<p>", b"</table>", b"Fwd: ", b"a",
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.binary(max_size=8), max_size=40).map(b"".join))
def test_any_message_is_read_or_reported(raw: bytes) -> None:
    try:
        found = received(raw, ARRIVED)
    except UnreadableError:
        return
    for words in (found.subject, *found.attachments, *(party.name for party in found.to)):
        assert not any(word < " " or "\x7f" <= word <= "\x9f" for word in words)
    assert not any(char < " " and char not in "\n\t" for char in found.text)


# What hangs on a message


def parts(*pieces: tuple[str, str], kind: str = "mixed", boundary: str = "b") -> str:
    inner = "".join(f"--{boundary}\n{head}\n\n{body}\n" for head, body in pieces)
    return f"Content-Type: multipart/{kind}; boundary={boundary}\n\n{inner}--{boundary}--\n"


PLAIN, HTML = ("Content-Type: text/plain", "Hello"), ("Content-Type: text/html", "<p>Hello</p>")
PDF = ("Content-Type: application/pdf\nContent-Disposition: inline; filename=offer.pdf", "x")


def split_head(text: str) -> tuple[str, str]:
    head, _, body = text.partition("\n\n")
    return head, body


def test_attachments_inside_alternatives_are_named() -> None:
    # As Apple Mail writes it.
    text = parts(PLAIN, split_head(parts(HTML, PDF, boundary="c")), kind="alternative")
    found = read(f"From: a@example.com\nMIME-Version: 1.0\n{text}")
    assert (found.text, found.attachments) == ("Hello", ("offer.pdf",))


def test_a_reply_to_an_invitation_is_not_an_empty_message() -> None:
    calendar = (
        "BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\nATTENDEE;PARTSTAT=ACCEPTED:mailto:anna@example.com\n"
        "SUMMARY:Offer\\, second round\nDTSTART:20261201T090000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    found = read(f"From: a@example.com\nSubject: Accepted\nContent-Type: text/calendar; method=REPLY\n\n{calendar}")
    assert found.text == "Answer: accepted\nAppointment: Offer, second round\nBegins: 2026-12-01 09:00 UTC"
    assert found.attachments == ("invitation.ics",)


@pytest.mark.parametrize(
    "header",
    [
        "X-Auto-Response-Suppress: All", "X-Autorespond: yes", "X-Apple-Action: VACATION", "Return-Path: <>",
        "Auto-Submitted: auto-replied",
    ],
)  # fmt: skip
def test_an_out_of_office_reply_is_automatic(header: str) -> None:
    assert read(f"{header}\nFrom: a@example.com\nSubject: Away\n\nI am away.\n").is_automatic
    assert not read("Return-Path: <a@example.com>\nFrom: a@example.com\nSubject: Hi\n\nHello.\n").is_automatic


def test_utf8_that_says_it_is_latin_1_is_read_as_what_it_is() -> None:
    head = b"From: a@example.com\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n"
    assert read(head + "Grüße, Jö €".encode()).text == "Grüße, Jö €"
    assert read(head + "Grüße".encode("latin-1")).text == "Grüße"


def test_a_message_with_inseparable_parts_keeps_its_text() -> None:
    assert "Hello there" in read("From: a@example.com\nContent-Type: multipart/mixed\n\nHello there\n").text


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ('<a href="https://example.com/pay?id=1">Pay here</a> now', "Pay here (https://example.com/pay?id=1) now"),
        ('<a href="https://example.com/"><b>Our</b> shop</a>', "Our shop (https://example.com/)"),
        ('<a href="https://example.com/">example.com</a>', "example.com"),
        ('<a href="https://example.com/a">https://example.com/a</a>', "https://example.com/a"),
        ('<a href="javascript:alert(1)">Click</a>', "Click"),
        ('<a href="mailto:a@example.com">Write</a>', "Write"),
        ('<a href="https://example.com/"></a>Text', "Text"),
    ],
)
def test_a_message_in_html_alone_keeps_its_links(page: str, expected: str) -> None:
    assert read(f"From: a@example.com\nContent-Type: text/html\n\n<p>{page}</p>\n").text == expected
