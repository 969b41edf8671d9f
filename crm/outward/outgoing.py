"""A mail before it is sent: sender, recipients, subject, text; an invalid one is refused at once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from crm.errors import OutwardError, UsageError
from crm.outward.sanitizing import line

# The dot-atom of RFC 5322, letters of all languages (RFC 6531) included; quoted mailboxes are in no use.
_ATOM = r'[^\s\x00-\x1f\x7f-\xa0\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff()<>\[\]:;@\\,."]+'
_MAILBOX = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_LONGEST_MAILBOX, _LONGEST_ADDRESS = 64, 254
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,120}@[!-;=?-~]{1,120}>")
_UNSUBSCRIBE = re.compile(r"(?:mailto:|https://)[!-;=?-~]{1,800}")
_TYPE = re.compile(r"(?!multipart/|message/)[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
# A name may hold commas without being quoted: many companies do.
_SENDER = re.compile(r"(?P<name>[^<>\n\r]*)<(?P<address>[^<>\s]+)>|(?P<bare>[^<>\s]+)")


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who sends or gets mail. Raises OutwardError where the address is none."""

    address: str
    name: str = ""

    def __post_init__(self) -> None:
        mailbox, _, domain = self.address.rpartition("@")
        good = _MAILBOX.fullmatch(mailbox) and len(mailbox.encode()) <= _LONGEST_MAILBOX
        if not good or not (wired := _domain(domain)) or len(mailbox.encode()) + 1 + len(wired) > _LONGEST_ADDRESS:
            excerpt = line(self.address, 60)
            raise OutwardError(
                f"{excerpt or 'Nothing'} is not a valid e-mail address. Nothing was sent.",
                reason="recipient",
            )

    @property
    def wire(self) -> str:
        """The address as mail servers take it: the domain in ASCII (IDNA)."""
        mailbox, _, domain = self.address.rpartition("@")
        return f"{mailbox}@{_domain(domain)}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail; `type` is its media type, anything else is sent as plain bytes."""

    name: str
    content: bytes
    type: str = "application/octet-stream"

    @property
    def media(self) -> tuple[str, str]:
        """The type in its two parts."""
        kind, _, sort = (self.type if _TYPE.fullmatch(self.type) else "application/octet-stream").partition("/")
        return kind, sort

    @property
    def file_name(self) -> str:
        """The name alone: in one line, without a path, and without what no file may be called everywhere."""
        name = line(re.split(r"[/\\]", self.name)[-1], 120)
        return re.sub(r'[<>:"|?*]', "_", name).strip(". ") or "attachment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to its recipients. `message_id` and `at` (aware) are the caller's, so that a second try is the same
    message; `unsubscribe` are addresses (mailto: and https:) that end a subscription. The text is Markdown unless
    `is_markdown` says no, and goes as it is then. Of those whom it names it goes to `only` these addresses where any
    are given: the others have it. Raises OutwardError for what could not be sent.
    """

    message_id: str
    at: datetime
    sender: Party
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()
    reply_to: Party | None = None
    in_reply_to: str = ""
    unsubscribe: tuple[str, ...] = ()
    by_machine: bool = False
    is_markdown: bool = True
    only: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.recipients:
            raise OutwardError("A mail needs a recipient. Nothing was sent.", reason="recipient")
        if not is_message_id(self.message_id):
            raise OutwardError("The mail has no proper Message-ID. Nothing was sent.", reason="refused")
        if not all(_UNSUBSCRIBE.fullmatch(link) for link in self.unsubscribe):
            raise OutwardError(
                "What ends a subscription must be a mailto: or https: address. Nothing was sent.", reason="refused"
            )
        if self.at.tzinfo is None:
            raise ValueError("the time of a mail needs its time zone")

    @property
    def recipients(self) -> tuple[Party, ...]:
        """Everybody it goes to, each once."""
        parties: dict[str, Party] = {}
        for party in self.wanted((*self.to, *self.cc, *self.bcc)):
            parties.setdefault(party.wire.casefold(), party)
        return tuple(parties.values())

    def wanted(self, parties: Iterable[Party]) -> Sequence[Party]:
        """Those of some people who do not have it yet."""
        return [party for party in parties if not self.only or party.address in self.only]


def new_message_id(sender: Party) -> str:
    """A Message-ID for a new mail of this sender."""
    from email.utils import make_msgid

    return make_msgid(domain=sender.wire.rpartition("@")[2])


def is_message_id(text: str) -> bool:
    """Return whether a text can be in a header as a Message-ID."""
    return _MESSAGE_ID.fullmatch(text) is not None


def sender_of(written: str) -> Party:
    """The sender that CRM_MAIL_FROM names: an address, or a name and an address in <>. Raises UsageError."""
    match = _SENDER.fullmatch(written.strip())
    try:
        if match is not None:
            return Party(match["address"] or match["bare"], (match["name"] or "").strip(' "'))
    except OutwardError:
        pass
    raise UsageError("CRM_MAIL_FROM must be an e-mail address, like crm@example.com or Example Ltd <crm@example.com>.")


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str:
    """A domain in ASCII, '' where it is none."""
    plain = domain.lower()
    if not plain.isascii():
        from email_validator import EmailNotValidError, validate_email

        try:
            plain = validate_email(f"a@{domain}", check_deliverability=False).ascii_domain
        except EmailNotValidError:
            return ""
    good = len(plain) <= 253 and _DOMAIN.fullmatch(plain) and all(len(label) <= 63 for label in plain.split("."))
    return plain if good else ""
