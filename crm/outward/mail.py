"""E-mail: a mailer sends one message to one person, over SMTP."""

import re
import smtplib
import ssl
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from crm.errors import OutwardError, UsageError

# No step of sending takes longer than so many seconds.
TIME_OUT = 15.0
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
# A name may hold commas without being quoted: many companies do.
_SENDER = re.compile(r"(?P<name>[^<>\n\r]*)<(?P<address>[^<>\s]+)>|(?P<bare>[^<>\s]+)")
_EXAMPLE = "smtp://user:password@mail.example.com:587?starttls, or smtps:// for a server that encrypts from the start"


class Mailer(Protocol):
    """Sends e-mail."""

    def send(self, to: str, subject: str, text: str) -> None:
        """Sends a plain text to one address. Raises OutwardError where it is not sure that it was sent."""


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server; `encrypts` is 'always' (TLS from the start), 'first' (STARTTLS before all else) or 'never'."""

    host: str
    port: int
    encrypts: str
    user: str = ""
    password: str = field(default="", repr=False)


class SmtpMailer:
    """A Mailer over the server at `url`, sending as `sender` (an address, or a name and an address in <>).

    Raises UsageError for what cannot be read, and for a password that would go over the network for all to see.
    """

    def __init__(
        self, url: str, sender: str, *, context: ssl.SSLContext | None = None, time_out: float = TIME_OUT
    ) -> None:
        self.server = server_at(url)
        written = _SENDER.fullmatch(sender.strip())
        if written is None:
            raise _no_sender()
        try:
            self._sender = Address((written["name"] or "").strip(' "'), addr_spec=written["address"] or written["bare"])
        except (ValueError, MessageError, IndexError) as error:
            raise _no_sender() from error
        if not self._sender.domain:
            raise _no_sender()
        self._context = context
        self._time_out = time_out

    def send(self, to: str, subject: str, text: str) -> None:
        message = self._message(to, subject, text)
        try:
            with self._connected() as smtp:
                smtp.send_message(message, self._sender.addr_spec, [to])
        except smtplib.SMTPRecipientsRefused as error:
            raise OutwardError(f"The mail server does not take mail for {to}.", reason="recipient") from error
        except smtplib.SMTPAuthenticationError as error:
            raise self._failed("does not take the user and password of CRM_SMTP_URL", "refused") from error
        except smtplib.SMTPSenderRefused as error:
            raise self._failed(f"does not let us send as {self._sender.addr_spec}", "refused") from error
        except smtplib.SMTPNotSupportedError as error:
            raise self._failed(
                "does not offer the encryption or sign-in that CRM_SMTP_URL asks for", "refused"
            ) from error
        except ssl.SSLError as error:
            raise self._failed("could not prove who it is, or encrypts in a way that is not safe", "refused") from error
        except smtplib.SMTPResponseException as error:
            busy = 400 <= error.smtp_code < 500
            raise self._failed(f"refused the message ({error.smtp_code})", "busy" if busy else "refused") from error
        except (OSError, smtplib.SMTPException) as error:
            raise self._failed("cannot be reached", "offline") from error

    def _failed(self, why: str, reason: str) -> OutwardError:
        return OutwardError(f"The e-mail was not sent: the mail server {self.server.host} {why}.", reason=reason)

    def _connected(self) -> AbstractContextManager[smtplib.SMTP]:
        server, context = self.server, self._context or ssl.create_default_context()
        smtp: smtplib.SMTP
        if server.encrypts == "always":
            smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=self._time_out, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._time_out)
        try:
            if server.encrypts == "first":
                smtp.starttls(context=context)
            if server.user:
                smtp.login(server.user, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _message(self, to: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        try:
            # One address and nothing else: no second one, no other header.
            message["To"] = Address(addr_spec=to)
        except (ValueError, MessageError, IndexError) as error:
            raise OutwardError("There is no such e-mail address; nothing was sent.", reason="recipient") from error
        message["From"] = self._sender
        message["Subject"] = _line(subject)
        message["Date"] = format_datetime(localtime())
        message["Message-ID"] = make_msgid(domain=self._sender.domain)
        # No out-of-office reply to it.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message


def mailer_at(url: str, sender: str) -> SmtpMailer | None:
    """A Mailer over the server at a URL, None where none is named. Raises UsageError."""
    return SmtpMailer(url, sender) if url else None


def server_at(url: str) -> Server:
    """The mail server that a URL names; raises UsageError, which never tells the URL itself: it holds a password."""
    try:
        parts = urlsplit(url.strip())
        asked, port = parse_qs(parts.query, keep_blank_values=True), parts.port
    except ValueError as error:
        raise _no_server() from error
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/") or parts.fragment:
        raise _no_server()
    if asked.keys() - {"starttls"} or (asked and parts.scheme == "smtps"):
        raise _no_server()
    encrypts = "always" if parts.scheme == "smtps" else "first" if asked else "never"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and encrypts == "never" and not _is_here(parts.hostname):
        raise UsageError(
            "CRM_SMTP_URL would send the password of the mail server for all to see: add ?starttls to it, or write"
            " smtps://."
        )
    return Server(
        parts.hostname, port or {"always": 465, "first": 587, "never": 25}[encrypts], encrypts, user, password
    )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _no_server() -> UsageError:
    return UsageError(f"CRM_SMTP_URL names no mail server; write it like {_EXAMPLE}.")


def _no_sender() -> UsageError:
    return UsageError("CRM_MAIL_FROM must be an e-mail address, like crm@example.com or Example Ltd <crm@example.com>.")


def _line(text: str) -> str:
    """A text as one line, as which it can be no second header."""
    return _UNSEEN.sub(" ", text).strip()
