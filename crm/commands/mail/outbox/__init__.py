"""The outbox: messages are put into it, and sent from there, each of them once."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from crm.commands.context import CRM
from crm.commands.mail.outbox.attaching import refuse_too_large
from crm.commands.mail.outbox.journal import SendingJournal
from crm.commands.mail.outbox.leases import Selection
from crm.commands.mail.outbox.sending import COPIED, Sent, send, unsendable
from crm.errors import UsageError
from crm.model import Message
from crm.model.fields.recipients import recipient_key
from crm.model.record import record_with
from crm.outward.outgoing import Party, new_message_id
from crm.repository import COPY_OF, Query, Transaction

__all__ = ["Draft", "Sent", "allow_again", "queue", "queue_many", "refuse_unsendable", "send_queued", "settle_copy"]

# What stands after the @ in the Message-ID of a text.
_NOWHERE = Party("crm@localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that is to be sent to a client: an e-mail to `to`, `cc` and `bcc`, or with the channel 'sms' a text to
    `phone` (E.164). The texts are as they are sent, `body` of an e-mail in Markdown; `attachments` are lines as
    `crm.commands.mail.outbox.attaching.kept` gives them. `contact` and `mailing` are 0 for none."""

    client: int
    contact: int = 0
    channel: str = "email"
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    phone: str = ""
    subject: str = ""
    body: str = ""
    attachments: tuple[str, ...] = ()
    mailing: int = 0
    occasion: str = ""
    answers: str = ""


def refuse_unsendable(crm: CRM, channel: str = "email") -> None:
    """Raise UsageError where nothing is set up that a message could go out through, or nothing may go out because the
    store is a copy."""
    with crm.read() as snapshot:
        if snapshot.fact(COPY_OF):
            raise UsageError(f"{COPIED} Nothing was sent.")
    _refuse_not_set_up(crm, channel)


def _refuse_not_set_up(crm: CRM, channel: str) -> None:
    if why := unsendable(crm, channel):
        raise UsageError(f"{why} Nothing was sent.")


def queue(tx: Transaction, crm: CRM, draft: Draft) -> Message:
    """Put a message into the outbox; `send_queued` sends it. Raises UsageError where nothing is set up to send it,
    and FileError where its attachments are too large."""
    (message,) = _queued(tx, crm, [draft])
    return tx.add(message)


def queue_many(tx: Transaction, crm: CRM, drafts: Iterable[Draft]) -> range:
    """Put many messages into the outbox at once; the ids that they got. Raises as `queue` does."""
    return tx.add_all(list(_queued(tx, crm, drafts)))


def allow_again(crm: CRM, message: Message, addresses: Iterable[str]) -> None:
    """Let a message go once more to some of its recipients, whatever this machine has noted of it: somebody has asked
    for it. Raises FileError."""
    with SendingJournal(crm.outward.folder, crm.clock) as journal:
        journal.allow(message.identifier, map(recipient_key, addresses))


def send_queued(crm: CRM, only: Collection[int] | None = None, *, mailing: int = 0, steadily: bool = False) -> Sent:
    """Send what is queued and due, or of it only the messages with the ids in `only`, or those of one `mailing`.

    Messages of mailings and to occasions go no faster than the team's `mails_per_minute`, and `steadily` all of them.
    What a server does not take just now stays queued, and the result says why. Ctrl-C stops after the current message.
    Raises FileError where what is sent cannot be noted.
    """
    return send(crm, Selection(only, mailing), steadily=steadily)


def settle_copy(crm: CRM, answer: str) -> None:
    """Let this store send from now on, though it is a copy of another one: what it holds as queued too, or, where the
    `answer` is 'cancel', only what is written from now on. Raises ForbiddenError for all but an admin."""

    def change(tx: Transaction) -> None:
        for message in tx.find_all(Message, Query({"state": "queued"})):
            tx.change(message, state="cancelled", until="", failure="cancelled in this copy of the spreadsheet")

    if answer == "cancel":
        crm.transact(change, "cancelled the messages queued in this copy")
    crm.repository.set_fact(COPY_OF, "")


def _queued(tx: Transaction, crm: CRM, drafts: Iterable[Draft]) -> Iterator[Message]:
    time = tx.clock.time_of(tx.clock.now)
    for channel, some in groupby(drafts, key=lambda draft: draft.channel):
        _refuse_not_set_up(crm, channel)
        # What is wrong with the settings of e-mail keeps no text back.
        mailer = crm.outward.mailer() if channel == "email" else None
        sender = mailer.sender if mailer else _NOWHERE
        alike = {
            "channel": channel,
            "direction": "out",
            "state": "queued",
            "on": tx.today,
            "time": time,
            "sender": sender.address if mailer else "",
            "user": crm.me,
        }
        for draft in some:
            refuse_too_large(draft.attachments)
            yield record_with(
                Message,
                alike
                | {
                    "client": draft.client,
                    "contact": draft.contact,
                    "mailing": draft.mailing,
                    "to": draft.phone if channel == "sms" else _addresses(draft.to),
                    "cc": _addresses(draft.cc),
                    "bcc": _addresses(draft.bcc),
                    "subject": draft.subject,
                    "body": draft.body,
                    "attachments": "\n".join(draft.attachments),
                    "identifier": new_message_id(sender),
                    "answers": draft.answers,
                    "occasion": draft.occasion,
                },
            )


def _addresses(parties: Iterable[Party]) -> str:
    """Addresses as they are in a message."""
    return ", ".join([party.address for party in parties])
