"""Messages: an e-mail to one client, written and sent at once; what was sent and received, listed and tried again."""

import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from crm.commands.client_selection import TheClient
from crm.commands.context import CRM
from crm.commands.mail import outbox
from crm.commands.mail.composing import Addressees, Written, attached, previewed
from crm.commands.mail.merge_fields import LineWithFields, ProseWithFields
from crm.commands.mail.outbox.delivery_status import lacking, recipients_of
from crm.commands.registry import About, command
from crm.commands.repeating import moved_by
from crm.errors import (
    CRMError,
    FieldError,
    ForbiddenError,
    Question,
    RefusedError,
    StoreError,
    UsageError,
    confirmation,
)
from crm.model import CHANNELS, STATES, UNSENT, Client, Contact, Message, Template
from crm.model.encoding import plain
from crm.model.fields import Choice
from crm.model.fields.recipients import recipient_key
from crm.model.rights import ALL, STORE, UPDATE, level
from crm.repository import COPY_OF, Query, Transaction

TheMessage = Annotated[Message, About("Message", "its number", positional=True)]
# These can be sent once more, to those who have not got them as far as is known.
SENT_AGAIN = ("failed", "unsure", "cancelled")
_COPIED = {"send": "Send all of them from here", "cancel": "Cancel all of them here"}
_IS_COPY = "This spreadsheet is a copy of another one."
_NOT_COPIED = (
    "This store is not a copy of a spreadsheet, or what happens to its queued mail was already decided. Nothing was"
    " sent or cancelled. Leave out --copied to send what is queued."
)
_UNSURE = "It may have arrived already: the connection was lost after it was sent. Send it again?"


@dataclass(frozen=True, slots=True)
class MessageCard:
    """A message as it is shown, with its client and the contact it went to. `stopped` says in a sentence why it was
    not tried just now, '' where it was or nobody asked; `tried` that it was to be sent just now."""

    message: Message
    client: Client
    contact: Contact | None = None
    stopped: str = ""
    tried: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code: 1 where it was to be sent and somebody has not got it, or may not have: the shell then ends
        with it."""
        return int(bool(self.stopped) or (self.tried and (self.message.state in UNSENT or self.partly)))

    @property
    def partly(self) -> bool:
        """Return whether it was sent, but somebody of its recipients was refused; `failure` says who."""
        return self.message.state == "sent" and bool(self.message.failure)

    def as_json(self) -> dict[str, Any]:
        """The message's own fields, and beside them what the card adds."""
        names = {"client_name": self.client.name, "contact_name": self.contact.name if self.contact else ""}
        return {**plain(self.message), **names, "stopped": self.stopped}


@command("email send", title="Write an e-mail", menu="email", beside=moved_by)
def send(
    crm: CRM,
    client: TheClient,
    template: Annotated[Template | None, About("Template", "its number or name")] = None,
    subject: Annotated[str, LineWithFields(300), About("Subject", "the template's by default")] = "",
    body: Annotated[str, ProseWithFields(), About("Text", "in Markdown; the template's by default")] = "",
    to: Annotated[tuple[str, ...], Addressees(), About("To", "a contact or an address; the client by default")] = (),
    cc: Annotated[tuple[str, ...], Addressees(), About("CC", "who gets a copy, visible to all")] = (),
    bcc: Annotated[tuple[str, ...], Addressees(), About("BCC", "who gets a hidden copy")] = (),
    attach: Annotated[tuple[Path, ...], About("Attach", "a file to attach")] = (),
    yes: bool = False,
) -> MessageCard:
    """Send an e-mail to a client, after a preview.

    The text may contain fields like {first_name} (`templates add` lists them); for a brace write {{ or }}. If it cannot
    be sent right now, it stays in the outbox, and `email outbox` tries it again.
    """
    outbox.refuse_unsendable(crm)
    with crm.read() as snapshot:
        preview = previewed(
            crm,
            snapshot,
            Written(client=client, template=template, subject=subject, body=body, to=to, cc=cc, bcc=bcc, attach=attach),
        )
    if not yes:
        raise confirmation(f"{preview.full_text}\n\nSend this to {client.name}?", "Send it", destructive=True)
    draft = dataclasses.replace(preview.draft, attachments=attached(crm, attach))
    queued = crm.transact(lambda tx: outbox.queue(tx, crm, draft), f"wrote an e-mail to {client.name}")
    return tried(crm, queued)


def tried(crm: CRM, queued: Message) -> MessageCard:
    """Send a message that is in the outbox now, and show the result.

    A later failure is only reported: a retry of the whole would send a second mail.
    """
    try:
        sent = outbox.send_queued(crm, {queued.id})
        stopped = sent.stopped
    except CRMError as error:
        stopped = error.sentence
    with suppress(StoreError):
        return dataclasses.replace(_card(crm, queued, stopped), tried=True)
    return MessageCard(queued, Client(id=queued.client), None, stopped, tried=True)


@command("email show", title="Show")
def show(crm: CRM, message: TheMessage) -> MessageCard:
    """Show an e-mail or a text message with its full text and its state."""
    return _card(crm, message)


def text_of(message: Message) -> str:
    """The text of a message as plain text: Markdown that was written here has no markup."""
    if message.channel != "email" or message.direction == "in":
        return message.body
    from crm.outward.markdown import plain as without_signs

    return without_signs(message.body).rstrip("\n")


def _card(crm: CRM, message: Message, stopped: str = "") -> MessageCard:
    with crm.read() as snapshot:
        now = snapshot.get(Message, message.id)
        contact = snapshot.find(Contact, now.contact) if now.contact else None
        return MessageCard(now, snapshot.get(Client, now.client), contact, stopped)


@command("email again", title="Send again")
def again(
    crm: CRM,
    message: TheMessage,
    to: Annotated[
        tuple[str, ...], Addressees(), About("To", "only to this address, even if it was sent there already")
    ] = (),
    yes: bool = False,
) -> MessageCard:
    """Resend a message that failed, was cancelled or may not have arrived, to recipients who have not received it.

    Recipients who have it get it again only if you name them with --to. It is the same message with the same Message-
    ID, so a mailbox that has it may show it only once.
    """
    outbox.refuse_unsendable(crm, message.channel)

    def change(tx: Transaction) -> Message:
        current = tx.get(Message, message.id)
        again_to = _wanted_again(current, to)
        if not again_to or current.direction != "out" or current.state in ("queued", "sending"):
            raise RefusedError(f"{_which(current)} is {STATES[current.state]}. Nothing was sent again.")
        if current.state == "unsure" and not yes:
            raise confirmation(_UNSURE, "Send it again", [current], destructive=True)
        outbox.allow_again(crm, current, again_to)
        reached = [address for address in recipients_of(current) if address not in again_to]
        # Its tries go on being counted: by them the outbox tells it from one that only the store has forgotten.
        return tx.change(current, state="queued", until="", failure="", reached=", ".join(reached))

    return tried(crm, crm.transact(change, f"sent {_named(message)} again"))


def _wanted_again(message: Message, to: Sequence[str]) -> list[str]:
    """Those of the recipients of a message who are to get it once more: who is named, or else who has not got it.
    Raises FieldError for who is none of them."""
    if not to:
        return lacking(message)
    everybody = {recipient_key(address): address for address in recipients_of(message)}
    if unknown := [address for address in to if recipient_key(address) not in everybody]:
        raise FieldError(
            f"{_which(message)} does not go to {unknown[0]}; it goes to {', '.join(everybody.values())}",
            field="to",
            label="To",
        )
    return [everybody[recipient_key(address)] for address in to]


@command("email cancel", title="Cancel")
def cancel(crm: CRM, message: TheMessage) -> MessageCard:
    """Cancel a queued message.

    `email again` still sends it.
    """

    def change(tx: Transaction) -> Message:
        current = tx.get(Message, message.id)
        if current.state != "queued":
            raise RefusedError(f"{_which(current)} is {STATES[current.state]}. Only what is queued can be cancelled.")
        return tx.change(current, state="cancelled", until="")

    return _card(crm, crm.transact(change, f"cancelled {_named(message)}"))


@command("email outbox", title="Send queued mail", menu="email", hint="What is waiting, and send it now", key="mail")
def send_waiting(
    crm: CRM,
    copied: Annotated[
        str,
        Choice(_COPIED),
        About("Copied", "in a copy of a spreadsheet: send the queued messages, or cancel them here"),
    ] = "",
) -> outbox.Sent:
    """Send queued messages that are due, and list what was sent, what failed and what is still queued.

    You can run it as often as you like, and several times at once: each message is sent once. Ctrl-C stops it after the
    current message; the rest stays queued. In a spreadsheet that somebody has made a copy of, the same messages wait in
    both: in the copy it first asks an admin what to do with them, and nothing is sent until then.
    """
    with crm.read() as snapshot:
        is_copy, waiting = bool(snapshot.fact(COPY_OF)), snapshot.count(Message, Query({"state": "queued"}))
    if copied and not is_copy:
        raise UsageError(_NOT_COPIED)
    if is_copy and level(crm.reader.role, STORE, UPDATE) is not ALL:
        raise ForbiddenError(f"{_IS_COPY} Only an admin can decide what to do with the queued mail. Nothing was sent.")
    if is_copy and not copied:
        queued = f"{waiting} message{'s are' if waiting != 1 else ' is'} queued here"
        raise Question(
            f"{_IS_COPY} {queued}, and what was queued before the copy was made may be sent from the original, too.",
            parameter="copied",
            choices=_COPIED,
            destructive=True,
        )
    if is_copy:
        outbox.settle_copy(crm, copied)
    return outbox.send_queued(crm, steadily=True)


def _which(message: Message) -> str:
    return f"{'E-mail' if message.channel == 'email' else 'SMS'} {message.id}"


def _named(message: Message) -> str:
    return f"an {CHANNELS[message.channel]}"
