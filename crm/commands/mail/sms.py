"""Text messages: an SMS to one client, as it is shown before; and the answers, of which STOP ends them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

from crm.commands.client_selection import TheClient
from crm.commands.clients.contacts import contacts_of
from crm.commands.consent import described, opted_out
from crm.commands.context import CRM
from crm.commands.mail.merge_fields import filled, values
from crm.commands.mail.messages import MessageCard, tried
from crm.commands.mail.outbox import Draft, queue, refuse_unsendable
from crm.commands.mail.outbox.transports import not_set_up
from crm.commands.mail.unsubscribing import suppress
from crm.commands.matching import begins
from crm.commands.registry import About, command
from crm.commands.repeating import moved_by
from crm.errors import FieldError, UsageError, confirmation
from crm.model import Client, Contact, Conventions, OptOut, Template
from crm.model.fields import Line, Phone, Prose
from crm.model.fields.addresses import is_landline
from crm.outward.sms import is_number
from crm.outward.sms_parts import parts
from crm.repository import HistoryQuery, Snapshot, Transaction

# So far back answers are read each time; days on which nothing was fetched are made up for.
_READ_BACK = timedelta(days=14)
# What Twilio takes as one text.
LONGEST = 1600


@dataclass(frozen=True, slots=True)
class SmsPreview:
    """A text message before it is sent: to whom it goes (`name`, as people call them), how many SMS it takes, and what
    these cost, in words ('' where it is not known)."""

    draft: Draft
    name: str
    parts: int
    cost: str = ""

    @property
    def full_text(self) -> str:
        """All of it as one text."""
        several = f"{self.parts} SMS" + (", since it is long" if self.parts > 1 else "")
        several += f", about {self.cost}" if self.cost else ""
        landline = (
            "\nThis is a landline: many of them cannot get text messages." if is_landline(self.draft.phone) else ""
        )
        return f"To: {self.name}, {self.draft.phone}{landline}\nTakes: {several}\n\n{self.draft.body}"


@dataclass(frozen=True, slots=True)
class SmsFetched:
    """The answers to texts that were read: how many there were, and which numbers get none any more."""

    read: int
    stopped: Sequence[str] = ()


@command("sms fetch", title="Read replies to text messages", menu="email", hint="What clients answered", key="mail")
def fetch(crm: CRM) -> SmsFetched:
    """Read the replies to text messages of the last days; numbers that replied STOP get no more of them.

    `email due` does so before it sends greetings by SMS.
    """
    texter = crm.outward.texter()
    if texter is None:
        raise UsageError(f"{not_set_up('sms')} Nothing was read.")
    # Nobody asks for the team's answers who is not signed in any more.
    crm.demand_session()
    answers = texter.answers(crm.today - _READ_BACK)
    numbers = list(dict.fromkeys(answer.number for answer in answers if answer.says_stop and is_number(answer.number)))
    last = {answer.number: answer.at for answer in sorted(answers, key=lambda answer: answer.at) if answer.says_stop}

    def change(tx: Transaction) -> list[str]:
        known = opted_out(tx, numbers)
        stopped = [number for number in numbers if number not in known and not _lifted(tx, number, last[number])]
        for number in stopped:
            suppress(tx, number, "stop")
        return stopped

    with crm.read() as snapshot:
        open_numbers = set(numbers) - opted_out(snapshot, numbers).keys()
    return SmsFetched(len(answers), crm.transact(change, "read replies to text messages") if open_numbers else ())


def _lifted(tx: Transaction, number: str, since: datetime) -> bool:
    """Return whether an admin has lifted the opt-out of a number since it answered STOP."""
    about = HistoryQuery(about=OptOut.kind_name, text=number, since=since)
    return any(
        change.operation == "delete" and change.before.get("address") == number for change in tx.each_change(about)
    )


@command("sms send", title="Write an SMS", menu="email", hint="A text message to one client", beside=moved_by)
def send(
    crm: CRM,
    client: TheClient,
    text: Annotated[str, Prose(LONGEST), About("Text", "the template's by default", positional=True)] = "",
    template: Annotated[Template | None, About("Template", "its number or name")] = None,
    to: Annotated[str, Line(200), About("To", "a contact or a phone number; the client by default")] = "",
    yes: bool = False,
) -> MessageCard:
    """Send a text message to a client, after a preview.

    The text may contain fields like {first_name}, as templates do; for a brace write {{ or }}. If it
    cannot be sent right now, it stays in the outbox, and `email outbox` tries it again.
    """
    refuse_unsendable(crm, "sms")
    with crm.read() as snapshot:
        preview = previewed(crm, snapshot, client, text, template, to)
    if not yes:
        raise confirmation(f"{preview.full_text}\n\nSend this to {client.name}?", "Send it", destructive=True)
    queued = crm.transact(lambda tx: queue(tx, crm, preview.draft), f"wrote an SMS to {client.name}")
    return tried(crm, queued)


def previewed(
    crm: CRM, snapshot: Snapshot, client: Client, text: str = "", template: Template | None = None, to: str = ""
) -> SmsPreview:
    """The text message that comes of what was written. Raises FieldError for what is missing or cannot be meant."""
    if template and template.channel != "sms":
        raise FieldError(f"{template.name} is a template for e-mail", field="template", label="Template")
    whole = snapshot.get(Client, client.id)
    try:
        contact, phone = _addressed(whole, contacts_of(snapshot, whole), to, crm.conventions)
    except FieldError as error:
        raise error.at("to", "To") from error
    if opt_outs := opted_out(snapshot, [phone]):
        raise FieldError(
            f"{phone} has {described(opt_outs[phone])}; an admin can remove the opt-out (`opt-outs lift`)",
            field="to",
            label="To",
        )
    try:
        body = filled(
            text or (template.body if template else ""), values(crm, snapshot, whole, contact), markdown=False
        )
    except FieldError as error:
        raise error.at("text", "Text") from error
    if not body.strip():
        raise FieldError("the text is empty; write one", field="text", label="Text")
    if len(body) > LONGEST:
        raise FieldError(
            f"it is too long for a text message: {len(body)} characters with its fields filled in, and {LONGEST} can be"
            " sent",
            field="text",
            label="Text",
        )
    draft = Draft(client=whole.id, contact=contact.id if contact else 0, channel="sms", phone=phone, body=body.strip())
    count, price = parts(draft.body), Decimal(crm.settings["sms_price"])
    cost = crm.conventions.money(count * price) if price else ""
    return SmsPreview(draft, contact.name if contact else whole.name, count, cost)


def _addressed(
    client: Client, contacts: Sequence[Contact], written: str, by: Conventions
) -> tuple[Contact | None, str]:
    """The recipient of a text, and the phone number (E.164)."""
    written = written.strip()
    if not written:
        if client.phone or not any(contact.phone for contact in contacts):
            return None, _number(client.phone, client.name)
        first = next(contact for contact in contacts if contact.phone)
        return first, _number(first.phone, first.name)
    if matches := _contacts(contacts, written):
        if len(matches) > 1:
            listed = ", ".join(f"{contact.name} ({contact.id})" for contact in matches[:5])
            raise FieldError(f"several contacts match {written}: {listed}; give the number")
        return matches[0], _number(matches[0].phone, matches[0].name)
    if not re.fullmatch(r"[+\d][\d\s()/.-]{4,}", written):
        raise FieldError(f"{written} is neither a contact of {client.name} nor a phone number")
    phone = Phone().read(written, by)
    return next((contact for contact in contacts if contact.phone == phone), None), _number(phone, written)


def _contacts(contacts: Sequence[Contact], written: str) -> list[Contact]:
    number = written.removeprefix("#")
    matches = [contact for contact in contacts if number.isdecimal() and contact.id == int(number)]
    matches = matches or [contact for contact in contacts if begins(contact.name, written)]
    return [contact for contact in matches if contact.name.casefold() == written.casefold()] or matches


def _number(phone: str, name: str) -> str:
    if not phone:
        raise FieldError(f"{name} has no phone number yet; add one, or name one")
    if not is_number(phone):
        raise FieldError(
            f"{phone} is not a complete phone number; write it with the country code, like +43 664 1234567"
        )
    return phone
