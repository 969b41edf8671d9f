"""The draft of an e-mail to one client: its recipients, its merge fields filled in, and its preview."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crm.commands.clients.contacts import contacts_of
from crm.commands.context import CRM
from crm.commands.mail.merge_fields import filled, values
from crm.commands.mail.outbox import Draft
from crm.commands.mail.outbox.attaching import kept, refuse_too_large
from crm.commands.matching import begins
from crm.errors import FieldError, FileError
from crm.model import Client, Contact, Conventions, Message, Template, typed_fields
from crm.model.fields import Email, Line, Tags
from crm.model.file_errors import size_of
from crm.outward.outgoing import Party
from crm.outward.sanitizing import line
from crm.repository import Snapshot

_LONGEST_SUBJECT = 300
# As mail programs show somebody: a name, and the address in <>.
_NAMED = re.compile(r"[^<>]*<(?P<address>[^<>\s]+)>")


class Addressees(Tags):
    """Contacts by number or name, and addresses, separated by commas."""

    example = "jo@example.com, Eva Hill"
    completed_by = "record contact"

    def read(self, typed: str, by: Conventions) -> tuple[str, ...]:
        named = {Line(320).read(part, by): None for part in re.split(r"[,;\n]", typed)}
        return tuple(address for address in named if address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An e-mail as somebody has written it: the texts may hold fields, and `to`, `cc` and `bcc` name contacts of the
    client, by number or name, or are addresses; '' and nothing are what the template has, and the client's own
    address."""

    client: Client
    template: Template | None = None
    subject: str = ""
    body: str = ""
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    attach: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """An e-mail as it will be sent: `text` as one reads it, `attachments` each by its name and size in bytes. `draft`
    is the e-mail itself, whose files are attached when it is sent."""

    sender: str
    draft: Draft
    text: str
    attachments: Sequence[tuple[str, int]]

    @property
    def heads(self) -> Mapping[str, str]:
        """The sender, the recipients and the subject, by the label before each."""
        heads = {"From": self.sender, "Subject": self.draft.subject}
        for label, parties in (("To", self.draft.to), ("CC", self.draft.cc), ("BCC", self.draft.bcc)):
            heads[label] = ", ".join(map(spelled, parties))
        heads["Attached"] = ", ".join(f"{name} ({display_size(size)})" for name, size in self.attachments)
        return {label: heads[label] for label in ("From", "To", "CC", "BCC", "Subject", "Attached") if heads[label]}

    @property
    def full_text(self) -> str:
        """All of it as one text."""
        return "\n".join([*(f"{label}: {value}" for label, value in self.heads.items()), "", self.text])


def previewed(crm: CRM, snapshot: Snapshot, written: Written) -> Preview:
    """The e-mail that comes of what was written. Raises FieldError for what is missing or cannot be meant, OutwardError
    for an address that cannot be written to, and FileError for a file that cannot be read."""
    from crm.outward.markdown import plain

    client, template = snapshot.get(Client, written.client.id), written.template
    if template and template.channel != "email":
        raise FieldError(f"{template.name} is a template for SMS", field="template", label="Template")
    addressed = _Addressed(client, contacts_of(snapshot, client), crm.conventions)
    to = addressed.all(written.to, "to", "To") or addressed.usual()
    contact = next((contact for contact in map(addressed.contact, to) if contact), None)
    fields = values(crm, snapshot, client, contact)
    subject = _filled(written.subject or (template.subject if template else ""), fields, "subject", "Subject")
    body = _filled(written.body or (template.body if template else ""), fields, "body", "Text", markdown=True)
    if not subject.strip():
        raise FieldError("an e-mail needs a subject", field="subject", label="Subject")
    if not body.strip() and not written.attach:
        raise FieldError("the text is empty; write one", field="body", label="Text")
    draft = Draft(
        client=client.id,
        contact=contact.id if contact else 0,
        to=to,
        cc=addressed.all(written.cc, "cc", "CC"),
        bcc=addressed.all(written.bcc, "bcc", "BCC"),
        subject=line(subject, _LONGEST_SUBJECT),
        body=typed_fields(Message)["body"].check.read(body, crm.conventions),
    )
    mailer = crm.outward.mailer()
    sender = spelled(mailer.sender) if mailer else ""
    return Preview(sender, draft, plain(draft.body).rstrip("\n"), [_looked_at(path) for path in written.attach])


def attached(crm: CRM, files: Sequence[Path]) -> tuple[str, ...]:
    """Copy of files, kept for a message: the lines that stand for them. Raises FileError."""
    lines = tuple(kept(crm, file) for file in files)
    refuse_too_large(lines)
    return lines


def spelled(party: Party) -> str:
    """Somebody as a mail program shows them: a name, and the address in <>."""
    return f"{line(party.name)} <{party.address}>" if party.name else party.address


def display_size(size: int) -> str:
    """A size in bytes, for people: 12 KB."""
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{max(1, round(size / 1000))} KB"


class _Addressed:
    """The possible addressees where somebody writes to a client: the client, and the contacts."""

    def __init__(self, client: Client, contacts: Sequence[Contact], by: Conventions) -> None:
        self._client = client
        self._contacts = contacts
        self._by = by

    def usual(self) -> tuple[Party, ...]:
        """The client's own address, else that of the first contact who has one."""
        if self._client.email:
            return (Party(self._client.email, self._client.name),)
        first = next((contact for contact in self._contacts if contact.email), None)
        if first is None:
            name = self._client.name
            owner = f"neither {name} nor a contact there has an" if self._contacts else f"{name} has no"
            raise FieldError(f"{owner} e-mail address yet; add one, or name one", field="to", label="To")
        return (Party(first.email, first.name),)

    def all(self, named: Sequence[str], field: str, label: str) -> tuple[Party, ...]:
        """Everybody who is named in a field, each once."""
        try:
            parties = [self._party(text.strip()) for text in named if text.strip()]
        except FieldError as error:
            raise error.at(field, label) from error
        return tuple({party.address: party for party in parties}.values())

    def contact(self, party: Party) -> Contact | None:
        """The contact whose address it is, where it is not the client's own."""
        if party.address == self._client.email and party.name == self._client.name:
            return None
        return next((contact for contact in self._contacts if contact.email == party.address), None)

    def _party(self, written: str) -> Party:
        if "@" in written:
            named = _NAMED.fullmatch(written)
            address = Email().read(named["address"] if named else written, self._by)
            known = {contact.email: contact.name for contact in self._contacts} | {
                self._client.email: self._client.name
            }
            return Party(address, known.get(address, ""))
        number = written.removeprefix("#")
        contacts = [contact for contact in self._contacts if number.isdigit() and contact.id == int(number)]
        contacts = contacts or [contact for contact in self._contacts if begins(contact.name, written)]
        exact = [contact for contact in contacts if contact.name.casefold() == written.casefold()] or contacts
        if not exact:
            raise FieldError(f"{written} is neither a contact of {self._client.name} nor an e-mail address")
        if len(exact) > 1:
            listed = ", ".join(f"{contact.name} ({contact.id})" for contact in exact[:5])
            raise FieldError(f"several contacts match {written}: {listed}; give the number")
        if not exact[0].email:
            raise FieldError(f"{exact[0].name} has no e-mail address yet; add one")
        return Party(exact[0].email, exact[0].name)


def _filled(text: str, fields: Mapping[str, str], field: str, label: str, *, markdown: bool = False) -> str:
    try:
        return filled(text, fields, markdown=markdown)
    except FieldError as error:
        raise error.at(field, label) from error


def _looked_at(file: Path) -> tuple[str, int]:
    """The name and the size of a file that is to be attached."""
    try:
        return file.name, size_of(file)
    except FileError as error:
        raise FileError(f"{error.sentence} Nothing was sent.") from error
