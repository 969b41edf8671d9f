"""A real mail server on loopback, with faults that tests can set."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "crm@example.com", "p@ss:w/rd?"
LOGIN = "crm%40example.com:p%40ss%3Aw%2Frd%3F"
# Said instead of an answer: the server hangs up.
HANGS_UP = "hangs up"
Answer = str | Callable[[str], str]


class Post:
    """The mail that a server received; `answers` replace its yes, by command: one for all, or made from the address.
    `waits` is how long it looks at a message (seconds)."""

    def __init__(self, *, waits: float = 0.0, **answers: Answer) -> None:
        self.answers = answers
        self.waits = waits
        self.taken: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.senders: list[str] = []
        self.recipients: list[str] = []
        self.signed_in: list[bool] = []
        self.sessions: list[Session] = []
        # How many messages have begun to arrive.
        self.begun = 0

    def _answer(self, server: SMTP, command: str, about: str = "") -> str:
        answer = self.answers.get(command, "")
        answer = answer if isinstance(answer, str) else answer(about)
        if answer == HANGS_UP:
            server.transport.abort()
            # What cannot be said any more.
            return "250 OK"
        return answer

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self._answer(server, "rcpt", address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not any(session is running for running in self.sessions):
            self.sessions.append(session)
        if answer := self._answer(server, "mail", address):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.begun += 1
        await asyncio.sleep(self.waits)
        if answer := self._answer(server, "data"):
            return answer
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.raw.append(content)
        self.senders.append(envelope.mail_from or "")
        self.recipients += envelope.rcpt_tos
        self.signed_in.append(bool(session.authenticated))
        return "250 OK"


def _authenticated(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any) -> AuthResult:
    assert isinstance(given, LoginPassword)
    return AuthResult(success=(given.login, given.password) == (USER.encode(), PASSWORD.encode()), handled=False)


@contextmanager
def served(
    post: Post, authority: trustme.CA, *, encrypts: str = "", name: str = "localhost", **given: Any
) -> Iterator[int]:
    """A mail server for a while; its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    if encrypts:
        # Where all is encrypted from the start, the server does not know that it is.
        given |= {"authenticator": _authenticated, "auth_require_tls": encrypts == "first"}
    if encrypts == "first":
        given |= {"tls_context": context, "require_starttls": True}
    controller = Controller(
        post, hostname="127.0.0.1", port=free_port(), ssl_context=context if encrypts == "always" else None, **given
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
