"""The text of a mailing, filled in for each client, with the unsubscribe line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crm.commands.context import CRM
from crm.commands.mail.composing import Preview, attached, spelled
from crm.commands.mail.mailings.audience import Reader
from crm.commands.mail.merge_fields import check, filled, values
from crm.commands.mail.outbox import Draft
from crm.commands.mail.outbox.attaching import attachments_of, name_of, size_of
from crm.commands.mail.outbox.transports import not_set_up
from crm.commands.mail.unsubscribing import footer
from crm.errors import FieldError, OutwardError
from crm.model import Message, Template, typed_fields
from crm.outward.mail import Fate
from crm.outward.outgoing import Mail, Party, new_message_id
from crm.outward.sanitizing import line
from crm.repository import Snapshot

_LONGEST_SUBJECT = 300
# In a test nobody opts out for somebody else.
_NO_LINK = "(The unsubscribe link goes here.)"


@dataclass(frozen=True, slots=True)
class MailingText:
    """A subject, and a text in Markdown, both with their fields still in them; and the files that go with them, as
    lines of a message. `service` is the one that it announces, 0 for none."""

    subject: str
    body: str
    files: tuple[str, ...] = ()
    service: int = 0


@dataclass(frozen=True, slots=True)
class TestSent:
    """A test of a mailing: as one reader gets it, sent to another address."""

    __test__ = False

    to: str
    reader: str
    subject: str


def written(crm: CRM, template: Template | None, subject: str, body: str, files: Sequence[Path] = ()) -> MailingText:
    """The text of a mailing: of a template, or what is given in its stead; of the files copies are kept. Raises
    FieldError for what is missing, or holds a field that there is not, and FileError."""
    if template and template.channel != "email":
        raise FieldError(f"{template.name} is a template for SMS", field="template", label="Template")
    subject = subject or (template.subject if template else "")
    body = body or (template.body if template else "")
    for name, label, text in (("subject", "Subject", subject), ("body", "Text", body)):
        if not text.strip():
            raise FieldError("a mailing needs one", field=name, label=label)
        try:
            check(text)
        except FieldError as error:
            raise error.at(name, label) from error
    return MailingText(subject, body, attached(crm, files))


def drafted(
    crm: CRM, text: MailingText, reader: Reader, known: Mapping[str, str], mailing: int = 0, end: str = ""
) -> Draft:
    """The message to one reader, whose values are `known`; `end` is its last line, a real link unless given."""
    client, party = reader.client, reader.party
    body = f"{filled(text.body, known, markdown=True)}\n\n{end or footer(crm, client, party.address)}"
    return Draft(
        client=client.id,
        contact=reader.contact,
        mailing=mailing,
        to=(party,),
        subject=line(filled(text.subject, known, markdown=False), _LONGEST_SUBJECT),
        body=typed_fields(Message)["body"].check.read(body, crm.conventions),
        attachments=text.files,
    )


def previewed(crm: CRM, snapshot: Snapshot, text: MailingText, reader: Reader) -> Preview:
    """The mailing as one of its readers gets it."""
    from crm.outward.markdown import plain

    mailer = crm.outward.mailer()
    draft = drafted(crm, text, reader, values(crm, snapshot, reader.client))
    sender = spelled(mailer.sender) if mailer else ""
    files = [(name_of(file), size_of(file)) for file in text.files]
    return Preview(sender, draft, plain(draft.body).rstrip("\n"), files)


def tried(crm: CRM, snapshot: Snapshot, text: MailingText, reader: Reader, address: str) -> TestSent:
    """Send the mailing as `reader` would get it to another address as a test; it is not stored. Raises OutwardError
    where it is not sure that it was sent."""
    mailer = crm.outward.mailer()
    if mailer is None:
        raise OutwardError(not_set_up("email"))
    draft = drafted(crm, text, reader, values(crm, snapshot, reader.client), end=_NO_LINK)
    mail = Mail(
        message_id=new_message_id(mailer.sender),
        at=crm.clock.local(crm.clock.now),
        sender=mailer.sender,
        to=(Party(address),),
        subject=f"Test: {draft.subject}",
        text=draft.body,
        attachments=attachments_of(crm, Message(attachments="\n".join(text.files))),
        by_machine=True,
    )
    with mailer.connection() as connection:
        (outcome,) = connection.deliver(mail)
    if outcome.fate is not Fate.SENT:
        raise OutwardError(f"The test to {address} was not sent: {outcome.words}.", reason="recipient")
    return TestSent(address, reader.client.name, draft.subject)
