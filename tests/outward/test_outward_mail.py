"""The program's own mail, through a real server on loopback, with everything that may go wrong."""

import socket
import ssl
import threading
from contextlib import closing, suppress

import pytest
import trustme

from crm.errors import OutwardError, UsageError
from crm.outward.mailers import mailer_at
from crm.outward.servers import smtp_server
from crm.outward.smtp import SmtpMailer
from tests.support.mail_server import LOGIN, Post, free_port, served


def mailer(
    url: str, context: ssl.SSLContext | None = None, sender: str = "Kuhn, Söhne & Co <crm@example.com>"
) -> SmtpMailer:
    return SmtpMailer(url, sender, context=context, time_out=2.0)


@pytest.mark.parametrize("encrypts", ["first", "always"])
def test_a_mail_goes_out_encrypted_and_signed_in(authority: trustme.CA, ours: ssl.SSLContext, encrypts: str) -> None:
    post = Post()
    with served(post, authority, encrypts=encrypts) as port:
        url = (
            f"smtp://{LOGIN}@localhost:{port}?starttls" if encrypts == "first" else f"smtps://{LOGIN}@localhost:{port}"
        )
        mailer(url, ours).send("anna@example.com", "Grüße", "Hallo Anna,\n\n.\nß 漢字 🦆 " + "lang " * 300)
    (message,) = post.taken
    assert post.recipients == ["anna@example.com"]
    assert post.signed_in == [True]
    assert message["Subject"] == "Grüße"
    assert message["From"].addresses[0].display_name == "Kuhn, Söhne & Co"
    assert message["From"].addresses[0].addr_spec == "crm@example.com"
    assert message["Message-ID"].endswith("@example.com>")
    assert message["Date"]
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content().replace("\r\n", "\n")
    assert text.startswith("Hallo Anna,\n\n.\nß 漢字 🦆 lang lang")


def test_text_from_a_record_adds_no_header_and_no_recipient(authority: trustme.CA) -> None:
    post = Post()
    with served(post, authority) as port:
        sender = mailer(f"smtp://127.0.0.1:{port}")
        sender.send("anna@example.com", "Hello\r\nBcc: eve@example.com\n\nmore\u2028x\x00", "text\r\n.\r\nQUIT\r\n")
        for to in (
            "a@example.com, eve@example.com",
            "a@example.com\nBcc: eve@example.com",
            "",
            "anna",
            "<>",
            "a b@c.d",
        ):
            with pytest.raises(OutwardError) as caught:
                sender.send(to, "Hello", "text")
            assert caught.value.reason == "recipient"
    (message,) = post.taken
    assert message["Subject"] == "Hello Bcc: eve@example.com more x"
    assert message["Bcc"] is None
    assert post.recipients == ["anna@example.com"]
    assert "QUIT" in message.get_content()


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"rcpt": "550 no such user"}, "recipient"),
        ({"mail": "553 not yours"}, "refused"),
        ({"data": "554 looks like spam"}, "recipient"),
        ({"data": "451 try later"}, "busy"),
        ({"mail": "421 too many connections"}, "busy"),
    ],
)
def test_a_refusal_of_the_server_is_reported(authority: trustme.CA, answers: dict[str, str], reason: str) -> None:
    post = Post(**answers)
    with served(post, authority) as port, pytest.raises(OutwardError) as caught:
        mailer(f"smtp://127.0.0.1:{port}").send("anna@example.com", "Hello", "text")
    assert caught.value.reason == reason
    assert post.taken == []


def test_a_wrong_password_is_reported_without_showing_it(authority: trustme.CA, ours: ssl.SSLContext) -> None:
    with served(Post(), authority, encrypts="first") as port, pytest.raises(OutwardError) as caught:
        mailer(f"smtp://crm:hunter2hunter2@localhost:{port}?starttls", ours).send("anna@example.com", "Hello", "text")
    assert caught.value.reason == "refused"
    assert "hunter2" not in str(caught.value)


def test_a_server_without_a_valid_certificate_gets_no_data(authority: trustme.CA, ours: ssl.SSLContext) -> None:
    for encrypts in ("first", "always"):
        for name, context in (("localhost", None), ("mail.example.com", ours)):
            post = Post()
            with served(post, authority, encrypts=encrypts, name=name) as port:
                url = f"smtp{'s' if encrypts == 'always' else ''}://{LOGIN}@localhost:{port}"
                url += "?starttls" if encrypts == "first" else ""
                with pytest.raises(OutwardError) as caught:
                    mailer(url, context).send("anna@example.com", "Hello", "text")
            assert caught.value.reason == "refused"
            assert post.taken == []


def test_a_server_without_required_encryption_gets_no_data(authority: trustme.CA) -> None:
    post = Post()
    with served(post, authority) as port, pytest.raises(OutwardError) as caught:
        mailer(f"smtp://{LOGIN}@localhost:{port}?starttls").send("anna@example.com", "Hello", "text")
    assert caught.value.reason == "refused"
    assert post.taken == []


def test_an_unreachable_or_silent_server_is_reported_in_time() -> None:
    with pytest.raises(OutwardError) as caught:
        mailer(f"smtp://127.0.0.1:{free_port()}").send("anna@example.com", "Hello", "text")
    assert caught.value.reason == "offline"
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        slow = SmtpMailer(f"smtp://127.0.0.1:{silent.getsockname()[1]}", "crm@example.com", time_out=0.3)
        with pytest.raises(OutwardError) as caught:
            slow.send("anna@example.com", "Hello", "text")
    assert caught.value.reason == "offline"


def test_a_server_of_another_protocol_is_reported() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:

        def answer() -> None:
            with suppress(OSError), other.accept()[0] as connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(OutwardError) as caught:
            mailer(f"smtp://127.0.0.1:{other.getsockname()[1]}").send("anna@example.com", "Hello", "text")
        thread.join(5)
    assert caught.value.reason in ("offline", "refused")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.com?starttls", ("mail.example.com", 587, "first", "")),
        ("smtp://me:x@mail.example.com:2525?starttls=1", ("mail.example.com", 2525, "first", "me")),
        ("smtps://me%40example.com:x@mail.example.com/", ("mail.example.com", 465, "always", "me@example.com")),
        ("smtp://localhost", ("localhost", 25, "never", "")),
        ("smtp://me:x@127.0.0.1", ("127.0.0.1", 25, "never", "me")),
        ("smtps://[::1]:465", ("::1", 465, "always", "")),
    ],
)
def test_a_server_is_named_by_a_url(url: str, expected: tuple[str, int, str, str]) -> None:
    server = smtp_server(url)
    assert (server.host, server.port, server.encrypts, server.user) == expected
    assert "password" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://host:port", "smtp://host:99999",
        "smtp://host/path", "smtp://host?tls", "smtps://host?starttls", "smtp://[::1", "smtp://me:hunter2@host",
        "smtp://mail.example.com", "smtp://me:hun%0Ater2@localhost", "smtp://host?starttls&x",
    ],
)  # fmt: skip
def test_an_invalid_server_url_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        mailer(url)
    assert "CRM_SMTP_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_without_a_server_there_is_no_mailer() -> None:
    assert mailer_at("", "crm@example.com") is None
    assert isinstance(mailer_at("smtp://localhost", "crm@example.com"), SmtpMailer)
    with pytest.raises(UsageError, match="CRM_MAIL_FROM"):
        mailer_at("smtp://localhost", "")


@pytest.mark.parametrize("sender", ["", "crm", "crm@", "Name <>", "a@b.c\nBcc: eve@example.com, x"])
def test_a_sender_is_an_address(sender: str) -> None:
    with pytest.raises(UsageError, match="CRM_MAIL_FROM"):
        mailer("smtp://localhost", sender=sender)
