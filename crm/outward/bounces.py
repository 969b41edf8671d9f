"""Bounces: reports of mail servers that could not deliver a message of ours (RFC 3464)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from crm.outward.outgoing import is_message_id
from crm.outward.sanitizing import line

_LONGEST_WORDS = 300
_MESSAGE_ID = re.compile(r"^message-id:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Bounce:
    """A bounce: the message with this Message-ID will not reach `address` ('' where it does not say whom), and why, in
    the server's words."""

    message_id: str
    address: str
    words: str


def bounce_in(message: "Message[str, str]") -> Bounce | None:
    """The bounce in a delivery report; None where it is no such report, or does not name the message. A delay is
    none."""
    if message.get_content_type() != "multipart/report":
        return None
    parts = [part for part in _parts(message) if isinstance(part, Message)]
    failed = next(
        (recipient for part in parts for recipient in _recipients(part) if _field(recipient, "action") == "failed"),
        None,
    )
    about = next(filter(None, map(_original, parts)), "") or line(str(message.get("In-Reply-To", "")))
    if failed is None or not is_message_id(about):
        return None
    address = _field(failed, "original-recipient") or _field(failed, "final-recipient")
    return Bounce(
        about, _untyped(address).lower(), _untyped(_field(failed, "diagnostic-code") or _field(failed, "status"))
    )


def _parts(message: "Message[str, str]") -> Iterator[object]:
    content = message.get_payload()
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
        found = _MESSAGE_ID.search(content.decode("ascii", "replace")) if isinstance(content, bytes) else None
        return found[1] if found else ""
    return ""


def _field(block: "Message[str, str]", field: str) -> str:
    text = line(str(block.get(field, "")), _LONGEST_WORDS)
    return text.lower() if field == "action" else text


def _untyped(text: str) -> str:
    """The value behind the type of an address or an answer: 'rfc822; jo@example.com'."""
    kind, _, rest = text.partition(";")
    return rest.strip() if rest and re.fullmatch(r"[\w-]+", kind.strip()) else text
