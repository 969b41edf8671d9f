"""Bounces: reports of mail servers that could not deliver a message of ours (RFC 3464)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from crm.outward.outgoing import is_message_id
from crm.outward.sanitizing import line

_LONGEST_WORDS = 300
_DAEMON = re.compile(r"(?:mailer-daemon|postmaster|mail-daemon|mdaemon)@|mail delivery (?:system|subsystem)", re.I)
_COPY = re.compile(r"^-{2,}.*(?:copy of|original message|below this line|message header).*$", re.I | re.M)
_DELAY = re.compile(r"\b(?:delayed|will (?:be )?retr|still trying|not yet been delivered|temporar)", re.I)
_ADDRESS = re.compile(r"[^\s<>()\[\];:,\"']+@[^\s<>()\[\];:,\"']+\.[a-z]{2,}", re.I)
_MESSAGE_ID = re.compile(r"^message-id:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Bounce:
    """A bounce: the message with this Message-ID will not reach `address` ('' where it does not say whom), and why, in
    the server's words."""

    message_id: str
    address: str
    words: str
    is_complaint: bool = False


def bounce_in(message: "Message[str, str]", text: str = "") -> Bounce | None:
    """The bounce in a delivery report (RFC 3464), a complaint (RFC 5965), or in what older mail servers write in words,
    of which `text` is what a person reads; None where it is none, or does not name the message. A delay is none."""
    parts = [part for part in _parts(message) if isinstance(part, Message)]
    about = next(filter(None, map(_original, parts)), "")
    if message.get_content_type() != "multipart/report":
        return _in_words(message, text, about)
    about = about or line(str(message.get("In-Reply-To", "")))
    complaint = next((part for part in parts if part.get_content_type() == "message/feedback-report"), None)
    if complaint is not None and is_message_id(about):
        fields = next((piece for piece in _parts(complaint) if isinstance(piece, Message)), complaint)
        return Bounce(about, _bare(_field(fields, "original-rcpt-to")), "reported as spam", is_complaint=True)
    failed = next(
        (recipient for part in parts for recipient in _recipients(part) if _field(recipient, "action") == "failed"),
        None,
    )
    if failed is None or not is_message_id(about):
        return None
    address = _field(failed, "original-recipient") or _field(failed, "final-recipient")
    return Bounce(about, _bare(address), _untyped(_field(failed, "diagnostic-code") or _field(failed, "status")))


def _in_words(message: "Message[str, str]", text: str, about: str) -> Bounce | None:
    """A bounce that says in words what became of a message, which it brings along: those of qmail, Exim, Exchange."""
    failed = line(str(message.get("X-Failed-Recipients", "")), _LONGEST_WORDS)
    sender = line(str(message.get("From", "")), _LONGEST_WORDS)
    if not failed and not _DAEMON.search(sender):
        return None
    copy = _COPY.search(text)
    report = text[: copy.start()] if copy else text
    if not about:
        identifiers = _MESSAGE_ID.findall(text[copy.start() :] if copy else text)
        about = identifiers[-1] if identifiers else ""
    if not is_message_id(about) or _DELAY.search(report):
        return None
    named = _ADDRESS.search(failed) or _ADDRESS.search(report)
    address = named[0].lower() if named else ""
    after = report[report.lower().find(address) + len(address) :] if address else report
    words = line(after.partition("\n\n")[0].lstrip(">: \n\t"), _LONGEST_WORDS)
    return Bounce(about, address, words or line(report, _LONGEST_WORDS))


def _bare(address: str) -> str:
    """An address as a report has it, without its type and its brackets."""
    return _untyped(address).strip("<> ").lower()


def _parts(message: "Message[str, str]") -> Iterator[object]:
    # Only what has parts is asked for them: a text in a charset that cannot be would be decoded, which may fail.
    content = message.get_payload() if message.is_multipart() else ()
    yield from content if isinstance(content, list) else ()


def _recipients(part: "Message[str, str]") -> Iterator["Message[str, str]"]:
    """The fields of a part about each recipient."""
    if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
        yield from (piece for piece in _parts(part) if isinstance(piece, Message))


def _original(part: "Message[str, str]") -> str:
    """The Message-ID of the message that comes back in a part, whole or only its headers; '' where it is none."""
    kind = part.get_content_type()
    if kind in ("message/rfc822", "message/global"):
        return next(
            (line(str(piece.get("Message-ID", ""))) for piece in _parts(part) if isinstance(piece, Message)), ""
        )
    if kind in ("text/rfc822-headers", "message/global-headers"):
        content = part.get_payload(decode=True)
        match = _MESSAGE_ID.search(content.decode("ascii", "replace")) if isinstance(content, bytes) else None
        return match[1] if match else ""
    return ""


def _field(block: "Message[str, str]", field: str) -> str:
    text = line(str(block.get(field, "")), _LONGEST_WORDS)
    return text.lower() if field == "action" else text


def _untyped(text: str) -> str:
    """The value behind the type of an address or an answer: 'rfc822; jo@example.com'."""
    kind, _, rest = text.partition(";")
    return rest.strip() if rest and re.fullmatch(r"[\w-]+", kind.strip()) else text
