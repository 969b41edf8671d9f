"""The parser of incoming messages: all parts are plain text."""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from email.utils import getaddresses, parsedate_to_datetime

from crm.errors import OutwardError
from crm.outward.authentication import forgery, is_checked
from crm.outward.bounces import Bounce, bounce_in
from crm.outward.forwarding import original_sender
from crm.outward.html_text import plain_text
from crm.outward.outgoing import Party, is_message_id
from crm.outward.sanitizing import line, prose

# No person writes more; what does is cut.
LONGEST_TEXT = 100_000
_LONGEST_HEADER = 60_000
_LONGEST_HTML = 1_000_000
_MOST_PARTIES = 500
_MOST_ATTACHMENTS = 100
# Parts in parts in parts, and more of them and of lines than any mail program makes: to read them takes ever longer.
_DEEPEST = 30
_MOST_PARTS = 5_000
_MOST_LINES = 300_000
# Python knows these as names of charsets; no mail is written in them.
_NO_CHARSETS = frozenset(("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"))
_WESTERN = frozenset(("ascii", "iso8859-1", "latin-1"))
# What mails are written in that do not say so; none of what only old Macs and DOS had.
_LIKELY = (
    "cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "iso8859_2", "shift_jis", "euc_jp",
    "gb18030", "big5", "cp949",
)  # fmt: skip
_UNANSWERABLE = re.compile(r"(?:no|do[-._]?not)[-._]?reply|noreply|nicht[-._]?antworten", re.I)
_DAEMON = re.compile(r"mailer-daemon@", re.I)
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


class UnreadableError(Exception):
    """A message that cannot be read, with the reason."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came in. `at` (UTC) is when it was written, as it says, or when it arrived; `delivered_to` are
    the mailboxes that it was put into on its way, of which a blind copy tells nothing else. `is_automatic` where no
    person wrote it; `is_cut` where it was longer than what was read of it. `sizes` are those of the attachments in
    bytes, 0 where unknown. `bounce` is what it says where it comes from a mail server that gave a message up, `forgery`
    what speaks against its sender ('dmarc=fail'), '' for nothing; `is_checked` where our mail server says that it has
    checked that. One that `is_unanswerable` was sent by a program to whose address nobody answers, such as a form,
    `on_behalf_of` somebody where that is told."""

    message_id: str
    in_reply_to: str
    at: datetime
    sender: Party | None
    to: tuple[Party, ...]
    cc: tuple[Party, ...]
    bcc: tuple[Party, ...]
    delivered_to: tuple[Party, ...]
    subject: str
    text: str
    attachments: tuple[str, ...]
    forwarded_from: Party | None
    is_automatic: bool
    is_cut: bool
    bounce: Bounce | None = None
    forgery: str = ""
    is_checked: bool = False
    sizes: tuple[int, ...] = ()
    on_behalf_of: Party | None = None
    is_unanswerable: bool = False


class _Bounded(Compat32):
    """The standard library's policy for messages that may be malformed, but for headers without end."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]


def received(raw: bytes, arrived_at: datetime, *, is_cut: bool = False) -> Received:
    """A message as a mail server holds it; `arrived_at` (aware) is when it took it. Raises UnreadableError."""
    try:
        if (
            raw.lower().count(b"boundary=") > _DEEPEST
            or raw.count(b"\n--") > _MOST_PARTS
            or raw.count(b"\n") > _MOST_LINES
        ):
            raise UnreadableError("it has too many parts or lines")
        return _received(BytesParser(policy=_Bounded()).parsebytes(raw), arrived_at, is_cut)
    except UnreadableError:
        raise
    except Exception as error:
        # Whatever a message made by somebody else brings about, the others are read.
        raise UnreadableError(f"it is malformed ({type(error).__name__})") from error


def _received(message: "Message[str, str]", arrived_at: datetime, is_cut: bool) -> Received:
    body = _Body(message)
    subject = line(_words(_header(message, "subject")), 500)
    text = prose("\n\n".join(filter(None, body.texts)), LONGEST_TEXT)
    # Where both are given the writer is the author, and the sender a secretary.
    sender = _parties(message, "from") or _parties(message, "sender")
    is_unanswerable = bool(sender and _UNANSWERABLE.match(sender[0].address))
    bounce = bounce_in(message, text)
    return Received(
        message_id=_message_id(message, "message-id"),
        in_reply_to=_message_id(message, "in-reply-to") or _last_reference(message),
        at=_at(message, arrived_at.astimezone(UTC)),
        sender=sender[0] if sender else None,
        to=_parties(message, "to"),
        cc=_parties(message, "cc"),
        bcc=_parties(message, "bcc"),
        delivered_to=_parties(message, "delivered-to", "x-original-to", "envelope-to"),
        subject=subject,
        text=text,
        attachments=tuple(body.attachments[:_MOST_ATTACHMENTS]),
        forwarded_from=body.enclosed_sender or original_sender(subject, text),
        is_automatic=bounce is not None or _is_automatic(message),
        is_cut=is_cut,
        bounce=bounce,
        forgery=forgery(message),
        is_checked=is_checked(message),
        # Of a message that was cut the last file is not whole.
        sizes=tuple([*body.sizes[:-1], 0] if is_cut and body.sizes else body.sizes)[:_MOST_ATTACHMENTS],
        on_behalf_of=next(iter(_parties(message, "reply-to")), None) if is_unanswerable else None,
        is_unanswerable=is_unanswerable,
    )


class _Body:
    """The texts of a message, the names of what is attached to it, and who sent a message that is enclosed in it."""

    def __init__(self, message: "Message[str, str]") -> None:
        self.attachments: list[str] = []
        self.sizes: list[int] = []
        self.enclosed_sender: Party | None = None
        self.texts = list(self._texts(message))

    def _texts(self, part: "Message[str, str]", depth: int = 0) -> Iterator[str]:
        if depth > _DEEPEST:
            return
        kind = part.get_content_type()
        parts = part.get_payload() if part.is_multipart() else []
        inner = [part for part in parts if isinstance(part, Message)] if isinstance(parts, list) else []
        if kind == "multipart/alternative":
            # The same text several times, the plainest first.
            for at, message in enumerate(inner):
                if text := "\n\n".join(self._texts(message, depth + 1)).strip():
                    yield text
                    # The others say the same, but files may hang on them.
                    self._attach(inner[at + 1 :])
                    break
        elif kind == "multipart/report":
            # What follows the explanation is for programs, and our own message.
            for message in inner[:1]:
                yield from self._texts(message, depth + 1)
        elif inner:
            if kind == "message/rfc822" and self.enclosed_sender is None:
                self.enclosed_sender = next(iter(_parties(inner[0], "from")), None)
            for message in inner:
                yield from self._texts(message, depth + 1)
        elif kind == "text/calendar":
            self._note(part, _file_name(part) or "invitation.ics")
            yield _appointment(part)
        elif name := _file_name(part):
            self._note(part, name)
        elif kind in ("text/plain", "text/html") or part.get_content_maintype() == "multipart":
            # What says that it has parts and has none is text.
            content = part.get_payload(decode=True)
            text = _decoded(content if isinstance(content, bytes) else b"", part.get_content_charset())
            yield plain_text(text[:_LONGEST_HTML]) if kind == "text/html" else text

    def _attach(self, parts: "Sequence[Message[str, str]]") -> None:
        """Note the files in some parts whose text is not read."""
        leaves = [leaf for part in parts for leaf in part.walk() if not leaf.is_multipart()]
        for leaf in leaves:
            if name := _file_name(leaf):
                self._note(leaf, name)

    def _note(self, part: "Message[str, str]", name: str) -> None:
        """Note a file with its size in bytes."""
        content = part.get_payload(decode=True)
        self.attachments.append(name)
        self.sizes.append(len(content) if isinstance(content, bytes) else 0)


_APPOINTMENT = {"SUMMARY": "Appointment", "DTSTART": "Begins", "LOCATION": "Where", "STATUS": "Status"}
# A day and a time as a calendar writes them (RFC 5545): 20261201T090000Z; a day without a time is 20261201.
_CALENDAR_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_ANSWERS = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "perhaps"}


def _appointment(part: "Message[str, str]") -> str:
    """The text of an invitation, or of the answer to one (RFC 5545)."""
    content = part.get_payload(decode=True)
    text = _decoded(content if isinstance(content, bytes) else b"", part.get_content_charset())
    lines: dict[str, str] = {}
    for written in re.sub(r"\r?\n[ \t]", "", text[:_LONGEST_HTML]).splitlines():
        name, _, value = written.partition(":")
        name, _, parameters = name.partition(";")
        if label := _APPOINTMENT.get(name.upper()):
            value = _time_shown(value) if label == "Begins" else value
            lines.setdefault(label, value.replace("\\n", " ").replace("\\", ""))
        for status, words in _ANSWERS.items():
            if name.upper() == "ATTENDEE" and f"PARTSTAT={status}" in parameters.upper():
                lines["Answer"] = words
    return "\n".join(f"{label}: {value}" for label, value in lines.items())


def _time_shown(value: str) -> str:
    """A day and a time of a calendar as people write them; what is none, as it is."""
    match = _CALENDAR_TIME.fullmatch(value.strip())
    if match is None:
        return value
    year, month, day, hour, minute, utc = match.groups()
    return f"{year}-{month}-{day}" + (f" {hour}:{minute}{' UTC' if utc else ''}" if hour else "")


def _file_name(part: "Message[str, str]") -> str:
    """The name of an attached file; '' where a part is none."""
    disposition = part.get_content_disposition()
    name = line(_words(part.get_filename() or ""), 200)
    if disposition == "attachment":
        return name or part.get_content_type()
    # A picture that its text shows is part of the text.
    is_shown = part.get_content_maintype() == "image" and "content-id" in part
    return "" if is_shown else name


def _header(message: "Message[str, str]", name: str) -> str:
    """A header as it came, but for bytes that should not be there, which are read as text."""
    written = next((value for key, value in message.raw_items() if key.lower() == name), "")
    return _decoded(str(written).encode("ascii", "surrogateescape"), None)


def _words(text: str) -> str:
    """A text with its encoded words read (RFC 2047)."""
    if "=?" not in text:
        return text
    try:
        parts = decode_header(text)
    except (MessageError, ValueError):
        return text
    return "".join(part if isinstance(part, str) else _word(part, charset) for part, charset in parts)


def _word(part: bytes, charset: str | None) -> str:
    # What was not encoded comes back so from the standard library.
    return _decoded(part, charset) if charset else part.decode("raw-unicode-escape", "replace")


def _parties(message: "Message[str, str]", *headers: str) -> tuple[Party, ...]:
    """The parties named in headers; what is no address is left out."""
    parties: dict[str, Party] = {}
    for header in headers:
        # Names are read only after the addresses are split: a comma in one is none between two.
        try:
            pairs = getaddresses([line(_header(message, header), _LONGEST_HEADER)])
        except RecursionError:
            # Older Pythons follow comments in comments without end.
            continue
        for name, address in pairs[:_MOST_PARTIES]:
            try:
                party = Party(address.strip(), line(_words(name), 200))
            except OutwardError:
                continue
            parties.setdefault(party.wire.casefold(), party)
    return tuple(parties.values())


def _message_id(message: "Message[str, str]", header: str) -> str:
    written = line(_header(message, header)).split(" ")[0]
    return written if is_message_id(written) else ""


def _last_reference(message: "Message[str, str]") -> str:
    """The message that is answered, by the conversation that the answer names."""
    written = line(_header(message, "references"), _LONGEST_HEADER).split(" ")
    return next((reference for reference in reversed(written) if is_message_id(reference)), "")


def _at(message: "Message[str, str]", arrived_at: datetime) -> datetime:
    try:
        written = parsedate_to_datetime(line(_header(message, "date"), 100))
        at = (written if written.tzinfo else written.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return arrived_at
    # The sender's clock may be wrong.
    return at if _EARLIEST <= at <= arrived_at + timedelta(days=1) else arrived_at


def _is_automatic(message: "Message[str, str]") -> bool:
    submitted = _header(message, "auto-submitted").strip().lower()
    return bool(
        (submitted and not submitted.startswith("no"))
        or message.get_content_type() == "multipart/report"
        or any(_header(message, name) for name in ("x-autoreply", "x-autorespond", "x-failed-recipients"))
        # What is sent so wants no answer, not even that it cannot be delivered.
        or _header(message, "return-path").strip() == "<>"
        or _header(message, "x-apple-action").strip().upper() == "VACATION"
        or "ALL" in _header(message, "x-auto-response-suppress").upper()
        or any(_DAEMON.match(party.address) for party in _parties(message, "from"))
        or _header(message, "precedence").strip().lower() in ("bulk", "junk", "auto_reply")
    )


def _decoded(content: bytes, charset: str | None) -> str:
    """Bytes as text: in the charset that they say they are in if that can be, else in what they look like."""
    if _known(charset) == "cp1252" and (text := _as_utf8(content)):
        # Every text is one in Latin 1, and hardly any in another charset is UTF-8 by chance.
        return text
    for name in filter(None, (_known(charset), "utf-8")):
        try:
            return content.decode(name)
        except (UnicodeError, LookupError):
            continue
    # What knows about charsets is loaded only for such a message.
    from charset_normalizer import from_bytes

    guess = from_bytes(content[:20_000], cp_isolation=list(_LIKELY)).best()
    return content.decode(guess.encoding if guess else "cp1252", "replace")


def _as_utf8(content: bytes) -> str:
    """Bytes beyond ASCII as UTF-8; '' where they are none."""
    try:
        return "" if content.isascii() else content.decode("utf-8")
    except UnicodeError:
        return ""


def _known(charset: str | None) -> str:
    """A charset by the name that Python has for it; '' for one that it does not know."""
    try:
        name = codecs.lookup(charset or "").name
    except (LookupError, ValueError):
        return ""
    if name in _NO_CHARSETS:
        return ""
    # What says it is Latin 1 is that or Windows' of the same letters, and more of them.
    return "cp1252" if name == "iso8859-1" else "" if name in _WESTERN else name
