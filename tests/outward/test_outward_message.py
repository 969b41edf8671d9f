"""MIME messages: nothing in a record can add a header, a recipient or a line that is too long."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import OutwardError
from crm.outward.mime import composed
from crm.outward.outgoing import Attachment, Mail, Party, is_message_id, new_message_id
from crm.outward.sanitizing import line, prose

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
CRM, ANNA = Party("crm@example.com", "Kuhn, Söhne & Co"), Party("anna@example.com", "Anna")
# Where it goes wrong: line ends, quotes, commas, encoded words, what folding cuts at, and letters of all kinds.
hostile = st.text(
    st.one_of(st.sampled_from('\r\n\t "\\,;:<>()@=?_.\u2028\u202e\x00äß漢🦆é'), st.characters()), max_size=300
) | st.sampled_from(
    [
        "Long " * 30 + ", Inc <eve@example.com>",
        "Hello\r\nBcc: eve@example.com",
        "=?utf-8?q?eve=40example=2Ecom?= <eve@example.com>",
        "Ä" * 200 + ", x",
        "x" * 2000,
        '"' * 90,
    ]
)


def mail(**changed: Any) -> Mail:
    given = {"message_id": "<1@example.com>", "at": AT, "sender": CRM, "to": (ANNA,), "subject": "Hello", "text": "Hi"}
    return Mail(**{**given, **changed})


def read_back(sent: Mail, **how: Any) -> EmailMessage:
    """The mail as whoever gets it reads it, by the standard library."""
    read = message_from_bytes(composed(sent, **how).as_bytes(), policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def parties(message: EmailMessage, header: str) -> list[tuple[str, str]]:
    """Addresses and names in a header. Not as the newer part of the standard library reads them, which puts a blank
    where a long encoded name was folded."""
    (written,) = (value for name, value in message.raw_items() if name == header)
    unfolded = written.replace("\r\n", "").replace("\n", "").encode("ascii", "surrogateescape").decode()
    return [(address, str(make_header(decode_header(name)))) for name, address in getaddresses([unfolded])]


@given(name=hostile, other=hostile, subject=hostile, text=hostile, file=hostile)
def test_only_the_given_headers_and_text_arrive(name: str, other: str, subject: str, text: str, file: str) -> None:
    sent = mail(
        sender=Party("crm@example.com", other),
        to=(Party("anna@example.com", name), Party("ben@example.com", other)),
        cc=(Party("cleo@example.com", name),),
        bcc=(Party("dan@example.com", name),),
        reply_to=Party("sales@example.com", other),
        subject=subject,
        text=text,
        attachments=(Attachment(file, b"\x00\r\n.\r\nMIME", "application/pdf"),),
    )
    raw = composed(sent).as_bytes()
    assert raw.isascii()
    assert all(len(part) <= 78 for part in raw.split(b"\r\n\r\n")[0].split(b"\r\n"))
    assert all(len(part) <= 998 for part in raw.split(b"\r\n"))
    # A line end that is only half of one lets a text speak to mail servers.
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    message = read_back(sent)
    assert set(message.keys()) == {
        "From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert len(message.keys()) == 9
    shown, shown_other = line(name, 200), line(other, 200)
    assert parties(message, "To") == [("anna@example.com", shown), ("ben@example.com", shown_other)]
    assert parties(message, "Cc") == [("cleo@example.com", shown)]
    assert parties(message, "From") == [("crm@example.com", shown_other)]
    assert parties(message, "Reply-To") == [("sales@example.com", shown_other)]
    assert message["Subject"] == line(subject)
    (attached,) = message.iter_attachments()
    assert attached.get_content() == b"\x00\r\n.\r\nMIME"
    assert attached.get_filename() == sent.attachments[0].file_name


def test_bcc_is_not_in_a_header_unless_the_transport_needs_it() -> None:
    sent = mail(bcc=(Party("dan@example.com", "Dan"),))
    assert b"dan@" not in composed(sent).as_bytes()
    assert read_back(sent, with_bcc=True)["Bcc"].addresses[0].addr_spec == "dan@example.com"
    assert [recipient.address for recipient in sent.recipients] == ["anna@example.com", "dan@example.com"]
    only_blind = mail(to=(), bcc=(Party("dan@example.com"),))
    assert read_back(only_blind)["To"] is None


def test_a_retry_sends_the_same_message() -> None:
    sent = mail(message_id=new_message_id(CRM), in_reply_to="<before@example.com>")
    first, second = read_back(sent), read_back(sent)
    for header in ("Message-ID", "Date", "In-Reply-To", "References"):
        assert first[header] == second[header]
    assert first["Message-ID"] == sent.message_id
    assert first["Date"].datetime == AT
    assert first["References"] == "<before@example.com>"


def test_a_message_has_plain_text_and_simple_html() -> None:
    message = read_back(mail(text="Dear **Anna**,\nsee [our page](https://example.com).", attachments=(
        Attachment("C:\\Offers\\Angebot “März”.pdf", b"%PDF", "application/pdf"),
        Attachment("", b"x", "multipart/mixed; boundary=x"),
    )))  # fmt: skip
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n") == "Dear Anna,\nsee our page (https://example.com).\n"
    html = message.get_body(("html",))
    assert html is not None
    assert '<strong>Anna</strong>,<br />\r\nsee <a href="https://example.com">' in html.get_content()
    assert [
        (attachment.get_filename(), attachment.get_content_type()) for attachment in message.iter_attachments()
    ] == [
        ("Angebot “März”.pdf", "application/pdf"),
        ("attachment", "application/octet-stream"),
    ]


def test_a_text_without_markdown_is_sent_unchanged() -> None:
    message = read_back(mail(text="2 * 3 * 4 = <24>", is_markdown=False, by_machine=True))
    assert message.get_content_type() == "text/plain"
    assert message.get_content() == "2 * 3 * 4 = <24>\r\n"
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_mailing_has_unsubscribe_headers() -> None:
    message = read_back(mail(unsubscribe=("mailto:out@example.com?subject=out", "https://example.com/out?a=1,2")))
    assert message["List-Unsubscribe"] == "<mailto:out@example.com?subject=out>, <https://example.com/out?a=1,2>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    by_mail = read_back(mail(unsubscribe=("mailto:out@example.com",)))
    assert by_mail["List-Unsubscribe-Post"] is None
    for bad in (
        "http://example.com",
        "https://example.com>\r\nBcc: <eve@example.com",
        "javascript:x",
        "https://a b",
        "",
    ):
        with pytest.raises(OutwardError):
            mail(unsubscribe=(bad,))


def test_a_domain_goes_out_in_ascii_and_each_recipient_once() -> None:
    other, again = Party("anna@BÜCHER.example", "Anna"), Party("Anna@xn--bcher-kva.example")
    sent = mail(to=(other, ANNA), cc=(again, ANNA))
    assert other.wire == "anna@xn--bcher-kva.example"
    assert [recipient.address for recipient in sent.recipients] == ["anna@BÜCHER.example", "anna@example.com"]
    assert read_back(sent)["To"].addresses[0].addr_spec == "anna@xn--bcher-kva.example"


def test_a_mailbox_may_have_letters_of_any_language() -> None:
    raw = composed(mail(to=(Party("анна@example.com", "Анна"),))).as_bytes()
    assert "<анна@example.com>".encode() in raw


@pytest.mark.parametrize(
    "address",
    [
        "", "anna", "@example.com", "anna@", "a@b@c.example", "a b@example.com", "a@b c",
        "a@example.com, eve@example.com", "a@example.com\nBcc: eve@example.com", "a@example.com\r\n",
        "<a@example.com>", "a..b@example.com",
        ".a@example.com", "a@-example.com", "a@example..com", "a@[127.0.0.1]", '"a b"@example.com', "a\x00@example.com",
        "a\u202e@example.com", "a@exam\u202eple.com", f"{'a' * 65}@example.com", f"a@{'b' * 64}.com",
        f"a@{'b.' * 130}com", "ä" * 33 + "@example.com", "a@ä..com", "\ud800@example.com",
    ],
)  # fmt: skip
def test_an_invalid_address_is_refused(address: str) -> None:
    with pytest.raises(OutwardError) as caught:
        Party(address)
    assert caught.value.reason == "recipient"
    assert caught.value.sentence.isprintable()


@given(hostile)
def test_no_address_can_inject_a_header(text: str) -> None:
    for written in (text, f"{text}@example.com", f"anna@{text}"):
        try:
            party = Party(written)
        except OutwardError:
            continue
        message = read_back(mail(to=(party,)))
        assert parties(message, "To") == [(party.wire, "")]


def test_a_mail_that_could_not_be_sent_is_refused_at_once() -> None:
    with pytest.raises(OutwardError):
        mail(to=())
    for bad in ("", "1@example.com", "<1>", "<1@example.com>\r\nBcc: eve@example.com", "<ä@example.com>", "<a b@c>"):
        assert not is_message_id(bad)
        with pytest.raises(OutwardError):
            mail(message_id=bad)
    with pytest.raises(ValueError, match="time zone"):
        mail(at=datetime(2026, 11, 21))
    assert "In-Reply-To" not in read_back(mail(in_reply_to="whatever\r\nBcc: eve@example.com"))


@given(st.text())
def test_server_replies_are_cleaned_of_control_characters(text: str) -> None:
    assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*", line(text))
    assert re.fullmatch(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*", prose(text))
    assert len(prose(text, 10)) <= 10
