"""E-mail over SMTP: a connection that knows at each step whether a mail can have been sent."""

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from crm.clock import machine_now
from crm.errors import OutwardError
from crm.outward.mail import Connection, Fate, Outcome, in_order, outcomes, send_letter
from crm.outward.mime import composed, needs_utf8
from crm.outward.outgoing import Mail, Party, sender_of
from crm.outward.providers import advice_for
from crm.outward.sanitizing import line
from crm.outward.servers import GREETING_TIME_OUT, Server, smtp_server, tls_problem, unreached

# No step of sending takes longer than so many seconds, but for the answer to a whole message: a server looks it
# through before it answers, and a client that does not wait sends it twice.
TIME_OUT = 15.0
REPLY_TIME_OUT = 180.0
_PERIOD = re.compile(rb"(?m)^\.")
_CLOSING = 421
# A server that wants a password first; the mail is not to blame.
_WANTS_SIGN_IN = (530, 534, 535, 538)
# RFC 5321, 4.5.3.1.10: too many recipients, for now.
_TOO_MANY = 552
_GO_ON, _SIGNED_IN = 334, (235, 503)
_LONGEST_WORDS = 300
_LOST = "the connection to the mail server was lost"


class SmtpMailer:
    """A Mailer over a server, or the one at a URL, sending as `sender` (an address, or a name and an address in <>).

    Raises UsageError for what cannot be read, and for what would go over the network for all to see.
    """

    def __init__(
        self,
        server: str | Server,
        sender: str,
        *,
        context: ssl.SSLContext | None = None,
        time_out: float = TIME_OUT,
        reply_time_out: float = REPLY_TIME_OUT,
        now: Callable[[], datetime] = machine_now,
    ) -> None:
        self.server = smtp_server(server) if isinstance(server, str) else server
        self._sender = sender_of(sender)
        self._context = context
        self._time_outs = time_out, reply_time_out
        self._now = now

    @property
    def sender(self) -> Party:
        return self._sender

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        opened = SmtpConnection(self.server, self._context, *self._time_outs)
        try:
            yield opened
        finally:
            opened.close()

    def check(self) -> None:
        opened = SmtpConnection(self.server, self._context, *self._time_outs)
        try:
            opened.check()
        finally:
            opened.close()

    def send(self, to: str, subject: str, text: str) -> None:
        send_letter(self, to, subject, text, self._now())


class SmtpConnection:
    """A connection to a mail server that is opened when there is something to send, and again when it was lost."""

    def __init__(self, server: Server, context: ssl.SSLContext | None, time_out: float, reply_time_out: float) -> None:
        self._server = server
        self._context = context
        self._time_out = time_out
        self._reply_time_out = reply_time_out
        self._greeting_time_out = time_out
        self._smtp: smtplib.SMTP | None = None

    def deliver(self, mail: Mail) -> tuple[Outcome, ...]:
        content = _PERIOD.sub(b"..", composed(mail).as_bytes())
        try:
            return self._delivered(mail, content)
        except (OSError, smtplib.SMTPException):
            # Whatever breaks off here does so before all of the message was there.
            self._drop()
            return outcomes(mail, Fate.LATER, _LOST)
        except BaseException:
            # Interrupted during a message: the server would take any command for a part of it.
            self._drop()
            raise

    def check(self) -> None:
        """Connect and sign in, and say soon where nobody answers. Raises OutwardError."""
        self._greeting_time_out = min(self._time_out, GREETING_TIME_OUT)
        self._ready()

    def close(self) -> None:
        """Take leave of the server."""
        if self._smtp is not None:
            # Whether it answers makes no difference any more.
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
        self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def _delivered(self, mail: Mail, content: bytes) -> tuple[Outcome, ...]:
        reused = self._smtp is not None
        smtp = self._ready()
        if needs_utf8(mail) and not smtp.has_extn("smtputf8"):
            return outcomes(mail, Fate.REFUSED, "the mail server does not accept addresses with letters beyond ASCII")
        refused = self._announce(smtp, mail, len(content))
        if refused and reused and self._smtp is None:
            # Some servers take only so many mails over one connection.
            smtp = self._ready()
            refused = self._announce(smtp, mail, len(content))
        if refused:
            return refused
        done: list[Outcome] = []
        taken: list[str] = []
        for party in mail.recipients:
            code, answer = smtp.rcpt(party.wire)
            if code == _CLOSING:
                self._drop()
                return outcomes(mail, Fate.LATER, _words(code, answer))
            if 200 <= code < 300:
                taken.append(party.address)
            else:
                fate = Fate.LATER if code == _TOO_MANY else _fate(code)
                done.append(Outcome(party.address, fate, _words(code, answer)))
        if taken:
            try:
                fate, words = self._hand_over(smtp, content)
            except (OSError, smtplib.SMTPException):
                self._drop()
                fate, words = Fate.LATER, _LOST
            done += [Outcome(address, fate, words) for address in taken]
        return in_order(mail, done)

    def _ready(self) -> smtplib.SMTP:
        """A connection on which the next mail can begin."""
        if self._smtp is not None:
            try:
                # Whatever the mail before has left behind is forgotten; a server that has hung up is noticed.
                if self._smtp.rset()[0] == 250:
                    return self._smtp
            except (OSError, smtplib.SMTPException):
                pass
            self._drop()
        self._smtp = self._connected()
        return self._smtp

    def _announce(self, smtp: smtplib.SMTP, mail: Mail, size: int) -> tuple[Outcome, ...]:
        """Say who the mail is from; outcomes where it is over with that."""
        options = [f"size={size}"] if smtp.has_extn("size") else []
        if needs_utf8(mail):
            options += ["BODY=8BITMIME", "SMTPUTF8"]
        code, answer = smtp.mail(mail.sender.wire, options)
        words = _words(code, answer)
        if 200 <= code < 300:
            return ()
        if code == _CLOSING:
            self._drop()
        if code in _WANTS_SIGN_IN:
            raise self._failed(f"wants a user and password in {self._server.named_in}", "refused")
        if _fate(code) is Fate.REFUSED and code != _TOO_MANY:
            raise self._failed(f"does not let us send as {mail.sender.address} ({words})", "refused")
        # To the size that was announced, 552 says that the message is too large.
        return outcomes(mail, Fate.REFUSED if code == _TOO_MANY else Fate.LATER, words)

    def _hand_over(self, smtp: smtplib.SMTP, content: bytes) -> tuple[Fate, str]:
        """Send the message itself. Raises OSError where it broke off before the server had all of it."""
        code, answer = smtp.docmd("DATA")
        if code != 354:
            if code == _CLOSING:
                self._drop()
            return _fate(code), _words(code, answer)
        smtp.send(content)
        connection = _socket_of(smtp)
        connection.settimeout(self._reply_time_out)
        try:
            # Until this line is there, no server may take the message for whole.
            smtp.send(b".\r\n")
            code, answer = smtp.getreply()
        except (OSError, smtplib.SMTPException):
            self._drop()
            return Fate.UNKNOWN, "the mail server has not answered whether it took the message"
        if code == _CLOSING:
            self._drop()
        else:
            connection.settimeout(self._time_out)
        if not 200 <= code < 600:
            return Fate.UNKNOWN, _words(code, answer)
        return (Fate.SENT if code < 300 else _fate(code)), _words(code, answer)

    def _connected(self) -> smtplib.SMTP:
        """A new connection, encrypted and signed in as it has to be. Raises OutwardError."""
        try:
            return self._signed_in()
        except smtplib.SMTPAuthenticationError as error:
            if 400 <= error.smtp_code < 500:
                raise self._failed("cannot check the password just now", "busy") from error
            raise self._failed(
                f"does not accept the user and password of {self._server.named_in}", "refused", advice_for(self._server)
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            why = f"does not offer the encryption or sign-in that is chosen in {self._server.named_in}"
            raise self._failed(why, "refused", advice_for(self._server)) from error
        except ssl.SSLError as error:
            raise self._failed(tls_problem(error, self._server, "smtp"), "refused") from error
        except smtplib.SMTPResponseException as error:
            busy = 400 <= error.smtp_code < 500
            words = _words(error.smtp_code, error.smtp_error)
            raise self._failed(f"accepts no sign-ins ({words})", "busy" if busy else "refused") from error
        except OSError as error:
            # An SMTPException is an OSError too, and is before what broke the connection off.
            cause = error.__context__ if isinstance(error, smtplib.SMTPException) else error
            why = unreached(cause if isinstance(cause, OSError) else error, self._server, "smtp")
            raise self._failed(why, "offline") from error

    def _signed_in(self) -> smtplib.SMTP:
        server, context = self._server, self._context or ssl.create_default_context()
        smtp: smtplib.SMTP
        if server.encrypts == "always":
            smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=self._greeting_time_out, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._greeting_time_out)
        try:
            _socket_of(smtp).settimeout(self._time_out)
            # The end of a message is sent by itself, and would wait a while for the server to have noted the rest.
            _socket_of(smtp).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if server.encrypts == "first":
                smtp.starttls(context=context)
            if server.user:
                _sign_in(smtp, server.user, server.password())
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _failed(self, why: str, reason: str, advice: str = "") -> OutwardError:
        sentence = f"No e-mail was sent: the mail server {self._server.host} {why}."
        return OutwardError(f"{sentence} {advice}".strip(), reason=reason)


def _sign_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    """Sign in, whatever letters the password has (RFC 4616). Raises SMTPException."""
    smtp.ehlo_or_helo_if_needed()
    methods = smtp.esmtp_features.get("auth", "").upper().split()
    if methods and not {"PLAIN", "LOGIN", "CRAM-MD5"} & set(methods):
        raise smtplib.SMTPNotSupportedError("no sign-in by user and password")
    if (user + password).isascii():
        smtp.login(user, password)
        return
    if "PLAIN" in methods:
        code, answer = smtp.docmd("AUTH", f"PLAIN {_base64(f'{chr(0)}{user}{chr(0)}{password}')}")
    elif "LOGIN" in methods:
        code, answer = smtp.docmd("AUTH", f"LOGIN {_base64(user)}")
        if code == _GO_ON:
            code, answer = smtp.docmd(_base64(password))
    else:
        raise smtplib.SMTPNotSupportedError("no sign-in by user and password")
    if code not in _SIGNED_IN:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _socket_of(smtp: smtplib.SMTP) -> socket.socket:
    """The socket of a connection. Raises OSError where it is closed."""
    if smtp.sock is None:
        raise smtplib.SMTPServerDisconnected("the connection is closed")
    return smtp.sock


def _fate(code: int) -> Fate:
    """The meaning of an answer other than yes before the message was handed over, and after it was looked at."""
    return Fate.REFUSED if 500 <= code < 600 else Fate.LATER


def _words(code: int, answer: bytes | str) -> str:
    """The answer of a server, as it may be shown."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return line(f"{code} {text}" if code > 0 else text, _LONGEST_WORDS)
