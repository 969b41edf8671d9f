"""Delivery by SMTP: the server's reply for each recipient, and errors at every step."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
import trustme

from crm.errors import OutwardError, UsageError
from crm.outward.mail import Fate, Mailer, Outcome
from crm.outward.outgoing import Mail, Party
from crm.outward.smtp import SmtpMailer
from tests.support import mail_server
from tests.support.mail_server import HANGS_UP, LOGIN, Post, free_port, served

ANNA, BEN, CLEO = Party("anna@example.com", "Anna"), Party("ben@example.com"), Party("cleo@example.com")


def mail(number: int = 1, **changed: Any) -> Mail:
    given = {
        "message_id": f"<{number}@example.com>",
        "at": datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        "sender": Party("crm@example.com", "CRM"),
        "to": (ANNA,),
        "subject": "Hello",
        "text": f"Mail {number}",
    }
    return Mail(**{**given, **changed})


def to_everybody() -> Mail:
    return mail(to=(ANNA,), cc=(BEN,), bcc=(CLEO,))


def mailer(port: int, **given: Any) -> SmtpMailer:
    return SmtpMailer(f"smtp://127.0.0.1:{port}", "crm@example.com", **{"time_out": 2.0, **given})


def deliver(by: Mailer, sent: Mail) -> tuple[Outcome, ...]:
    with by.connection() as connection:
        return connection.deliver(sent)


def fates(found: tuple[Outcome, ...]) -> list[Fate]:
    return [outcome.fate for outcome in found]


@pytest.mark.parametrize("encrypts", ["", "first", "always"])
def test_a_mail_goes_to_all_its_recipients(authority: trustme.CA, ours: ssl.SSLContext, encrypts: str) -> None:
    post = Post()
    with served(post, authority, encrypts=encrypts) as port:
        url = {"": "smtp://localhost:{}", "first": "smtp://{login}@localhost:{}?starttls"}.get(
            encrypts, "smtps://{login}@localhost:{}"
        )
        by = SmtpMailer(url.format(port, login=LOGIN), "crm@example.com", context=ours, time_out=2.0)
        found = deliver(by, to_everybody())
    assert found == tuple(Outcome(party.address, Fate.SENT, "250 OK") for party in (ANNA, BEN, CLEO))
    assert post.recipients == ["anna@example.com", "ben@example.com", "cleo@example.com"]
    assert post.senders == ["crm@example.com"]
    (message,) = post.taken
    assert message["Cc"] == "ben@example.com"
    assert b"cleo@" not in post.raw[0]


def test_many_mails_take_one_connection(authority: trustme.CA) -> None:
    post = Post(rcpt=lambda address: "550 5.1.1 no such user" if address == BEN.address else "")
    with served(post, authority) as port, mailer(port).connection() as connection:
        for number in range(5):
            # What one mail leaves behind is no part of the next.
            assert fates(connection.deliver(mail(number))) == [Fate.SENT]
            assert fates(connection.deliver(mail(number, to=(BEN,)))) == [Fate.REFUSED]
    assert [message["Message-ID"] for message in post.taken] == [f"<{number}@example.com>" for number in range(5)]
    assert post.recipients == [ANNA.address] * 5
    assert len(post.sessions) == 1


def test_one_recipient_is_refused_and_the_others_get_it(authority: trustme.CA) -> None:
    refused = {BEN.address: "550 5.1.1 no\x1b[31m such \x9buser here"}
    post = Post(rcpt=lambda address: refused.get(address, ""))
    with served(post, authority) as port:
        sent, not_sent, also_sent = deliver(mailer(port), to_everybody())
    assert [sent.fate, not_sent.fate, also_sent.fate] == [Fate.SENT, Fate.REFUSED, Fate.SENT]
    assert not_sent.address == BEN.address
    assert not_sent.words.startswith("550 5.1.1 no")
    assert not_sent.words.isprintable()
    assert post.recipients == [ANNA.address, CLEO.address]


def test_a_greylisted_recipient_is_tried_again_and_then_gets_it(authority: trustme.CA) -> None:
    seen: set[str] = set()

    def greylists(address: str) -> str:
        is_new = address not in seen
        seen.add(address)
        return "451 4.7.1 greylisted, come back in 5 minutes" if is_new else ""

    post = Post(rcpt=greylists)
    with served(post, authority) as port, mailer(port).connection() as connection:
        (first,) = connection.deliver(mail())
        (second,) = connection.deliver(mail())
    assert (first.fate, second.fate) == (Fate.LATER, Fate.SENT)
    assert first.words == "451 4.7.1 greylisted, come back in 5 minutes"
    assert len(post.taken) == 1


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"data": "554 5.7.1 looks like spam"}, Fate.REFUSED),
        ({"data": "552 5.3.4 too large"}, Fate.REFUSED),
        ({"data": "451 4.3.0 try later"}, Fate.LATER),
        ({"data": "421 4.3.2 closing"}, Fate.LATER),
        ({"mail": "450 4.7.1 too fast"}, Fate.LATER),
        ({"mail": "421 4.7.0 too many connections"}, Fate.LATER),
        ({"mail": "552 5.3.4 too large"}, Fate.REFUSED),
        ({"rcpt": "452 4.5.3 too many recipients"}, Fate.LATER),
        ({"rcpt": "552 5.5.3 too many recipients"}, Fate.LATER),
        ({"rcpt": "421 4.3.2 closing"}, Fate.LATER),
        ({"mail": HANGS_UP}, Fate.LATER),
        ({"rcpt": HANGS_UP}, Fate.LATER),
        ({"data": HANGS_UP}, Fate.UNKNOWN),
    ],
)
def test_the_delivery_status_of_a_mail_is_known(authority: trustme.CA, answers: dict[str, str], expected: Fate) -> None:
    post = Post(**answers)
    with served(post, authority) as port, mailer(port).connection() as connection:
        found = connection.deliver(to_everybody())
        assert [outcome.address for outcome in found] == [ANNA.address, BEN.address, CLEO.address]
        assert fates(found) == [expected] * 3
        assert all(outcome.words for outcome in found)
        assert post.taken == []
        # The next one does not suffer from it.
        post.answers = {}
        assert fates(connection.deliver(mail(2))) == [Fate.SENT]


def test_a_late_delivery_reply_is_an_unknown_outcome(authority: trustme.CA) -> None:
    post = Post(waits=1.0)
    with served(post, authority) as port:
        (hurried,) = deliver(mailer(port, reply_time_out=0.2), mail(1))
        # A server may look at a message for longer than any other step takes.
        (patient,) = deliver(mailer(port, time_out=0.4, reply_time_out=5), mail(2))
    assert (hurried.fate, patient.fate) == (Fate.UNKNOWN, Fate.SENT)


def test_a_server_that_hangs_up_between_mails_is_called_again(authority: trustme.CA) -> None:
    post = Post()
    with served(post, authority, timeout=0.3) as port, mailer(port).connection() as connection:
        assert fates(connection.deliver(mail(1))) == [Fate.SENT]
        time.sleep(0.6)
        assert fates(connection.deliver(mail(2))) == [Fate.SENT]
    assert len(post.taken) == 2
    assert len(post.sessions) == 2


def test_a_server_that_takes_one_mail_a_connection_gets_as_many_connections(authority: trustme.CA) -> None:
    post = Post()

    def once(_: str) -> str:
        return "421 4.7.0 enough" if len(post.taken) == len(post.sessions) else ""

    post.answers["mail"] = once
    with served(post, authority) as port, mailer(port).connection() as connection:
        for number in range(3):
            assert fates(connection.deliver(mail(number))) == [Fate.SENT]
    assert len(post.taken) == 3


@pytest.mark.parametrize(
    ("answers", "reason"),
    [({"mail": "553 5.7.1 not yours"}, "refused"), ({"mail": "530 5.7.0 authentication required"}, "refused")],
)
def test_a_failure_that_affects_every_mail_is_an_error(
    authority: trustme.CA, answers: dict[str, str], reason: str
) -> None:
    post = Post(**answers)
    with served(post, authority) as port, pytest.raises(OutwardError) as caught:
        deliver(mailer(port), mail())
    assert caught.value.reason == reason
    assert post.taken == []


def test_a_server_that_cannot_be_reached_is_an_error() -> None:
    with pytest.raises(OutwardError) as caught:
        deliver(mailer(free_port()), mail())
    assert caught.value.reason == "offline"
    with scripted(b"421 4.3.2 too many connections\r\n") as port, pytest.raises(OutwardError) as caught:
        deliver(mailer(port), mail())
    assert caught.value.reason == "busy"


def test_a_message_that_is_too_large_is_refused_before_it_is_sent(authority: trustme.CA) -> None:
    post = Post()
    with served(post, authority, data_size_limit=20_000) as port:
        found = deliver(mailer(port), mail(text="word " * 10_000))
        assert fates(found) == [Fate.REFUSED]
        assert fates(deliver(mailer(port), mail())) == [Fate.SENT]


def test_an_address_in_other_letters_needs_a_server_that_knows_them(authority: trustme.CA) -> None:
    other = mail(to=(Party("анна@example.com", "Анна"),))
    old, new = Post(), Post()
    with served(old, authority, enable_SMTPUTF8=False) as port:
        (outcome,) = deliver(mailer(port), other)
    assert outcome.fate is Fate.REFUSED
    assert old.recipients == []
    with served(new, authority, enable_SMTPUTF8=True) as port:
        assert fates(deliver(mailer(port), other)) == [Fate.SENT]
    assert new.recipients == ["анна@example.com"]


def test_a_line_with_a_dot_does_not_end_the_message(authority: trustme.CA) -> None:
    post = Post()
    text = "one\n.\nMAIL FROM:<eve@example.com>\n..\n. two\r\n.\r\nthree"
    with served(post, authority) as port:
        assert fates(deliver(mailer(port), mail(text=text, is_markdown=False))) == [Fate.SENT]
    (message,) = post.taken
    assert message.get_content().replace("\r\n", "\n") == text.replace("\r\n", "\n") + "\n"
    assert post.senders == ["crm@example.com"]


@contextmanager
def scripted(*output: bytes, then: Callable[[socket.socket], None] = lambda _: None) -> Iterator[int]:
    """A server that says one thing after the other, whatever it is told, and then does something; its port."""

    def talk() -> None:
        with suppress(OSError), listening.accept()[0] as connection:
            connection.settimeout(5)
            for at, answer in enumerate(output):
                if at:
                    connection.recv(4096)
                connection.sendall(answer)
            then(connection)

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=talk)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


HELLO = (b"220 there\r\n", b"250 there\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n")


def test_a_connection_that_breaks_during_a_message_has_sent_nothing() -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(100)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with scripted(*HELLO, then=reset) as port:
        (outcome,) = deliver(mailer(port), mail(text="word " * 2_000_000, is_markdown=False))
    assert outcome.fate is Fate.LATER


@pytest.mark.parametrize("reply", [b"", b"2", b"whatever\r\n", b"999 what\r\n", b"250-more to come\r\n"])
def test_an_incomplete_reply_is_an_unknown_outcome(reply: bytes) -> None:
    def answer(connection: socket.socket) -> None:
        received = b""
        while not received.endswith(b"\r\n.\r\n"):
            received += connection.recv(65_536)
        connection.sendall(reply)

    with scripted(*HELLO, then=answer) as port:
        (outcome,) = deliver(mailer(port), mail())
    assert outcome.fate is Fate.UNKNOWN


def test_a_server_that_takes_no_password_says_so() -> None:
    # Only a token of its provider.
    with scripted(b"220 there\r\n", b"250-there\r\n250 AUTH XOAUTH2\r\n", b"221 bye\r\n") as port:
        by = SmtpMailer(f"smtp://me:hunter2@127.0.0.1:{port}", "crm@example.com", time_out=2.0)
        with pytest.raises(OutwardError, match="does not offer the encryption or sign-in") as caught:
            by.check()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("password", ["hunter2#", "hunter2/x", "hunter2?x", "hunter2#/?@"])
def test_a_password_that_needs_encoding_in_the_url_is_reported(password: str) -> None:
    with pytest.raises(UsageError, match=r"write # as %23, / as %2F, [?] as %3F, @ as %40 and % as %25") as caught:
        SmtpMailer(f"smtp://me:{password}@localhost:25", "crm@example.com")
    assert "hunter2" not in str(caught.value)


def test_opening_a_transport_makes_no_connection() -> None:
    with mailer(free_port()).connection():
        pass


@pytest.mark.parametrize("password", ["pässwörd", "100 €", "パスワード"])
def test_a_password_may_have_any_letters(
    authority: trustme.CA, ours: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setattr(mail_server, "PASSWORD", password)
    post = Post()
    with served(post, authority, encrypts="always") as port:
        url = f"smtps://crm%40example.com:{quote(password)}@localhost:{port}"
        SmtpMailer(url, "team@example.com", context=ours).send("anna@example.com", "Hello", "Text")
        wrong = SmtpMailer(url.replace(quote(password), quote("föö")), "team@example.com", context=ours)
        with pytest.raises(OutwardError, match="does not accept the user and password"):
            wrong.send("anna@example.com", "Hello", "Text")
    assert post.signed_in == [True]
