"""Leases: messages that a program has taken from the outbox to send, kept in the store so that no other takes them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from crm.commands.consent import Objection, objections
from crm.commands.mail.outbox.delivery_status import ELSEWHERE, UNKNOWN, DeliveryStatus, changes
from crm.commands.mail.outbox.journal import Attempt, SendingJournal
from crm.commands.mail.outbox.readdressing import Rewrite, readdressed
from crm.commands.mail.unsubscribing import suppress
from crm.commands.record_names import by_id
from crm.model import Client, Contact, Invoice, Message, Reminder
from crm.model.fields.recipients import recipient_key
from crm.outward.sms import STOPPED
from crm.repository import Query, Snapshot, Transaction
from crm.repository.queries import billing, mail
from crm.repository.queries.mail import WhichQueued


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection from the outbox: the messages with the ids in `only` unless it is None, those of a `mailing` unless
    it is 0."""

    only: Collection[int] | None = None
    mailing: int = 0

    def means(self, message: Message) -> bool:
        """Return whether a message is meant, whatever its state."""
        return (self.only is None or message.id in self.only) and self.mailing in (0, message.mailing)

    def among(self, channels: Collection[str]) -> WhichQueued:
        """The same of some channels, for a query."""
        return WhichQueued(channels, self.only, self.mailing)


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that is ours to send until its lease ends, with the client and the contact that it goes to."""

    message: Message
    client: Client
    contact: Contact | None

    @property
    def lease(self) -> str:
        return self.message.until

    @property
    def ends(self) -> datetime:
        """The end of the lease, in UTC."""
        return datetime.fromisoformat(self.message.until)


@dataclass(frozen=True, slots=True)
class Ended:
    """The outcome of sending a message that was taken, at a time (UTC)."""

    message: Message
    status: DeliveryStatus
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """The result of one transaction of the outbox: which messages are `settled` as they now stand, how many were
    `cancelled`, which are `taken` to be sent, and which were `left`, by id, each with the reason as its failure."""

    settled: Sequence[tuple[Message, DeliveryStatus]] = ()
    cancelled: int = 0
    taken: Sequence[Taken] = ()
    left: Mapping[int, Message] = field(default_factory=dict)


# Says of a message why it cannot be sent from here, '' where it can.
Missing = Callable[[Message], str]


def take(
    tx: Transaction,
    lease: str,
    selection: Selection,
    channels: Collection[str],
    most: int,
    missing: Missing,
    rewrite: Rewrite,
) -> Step:
    """Take up to so many messages that are due: single ones before those of mailings, the oldest first. A message of
    a mailing, or to an occasion, whose client or address has opted out meanwhile is cancelled, and so is a reminder of
    what has been paid since; one whose client has another address by now goes there."""
    taken: list[Taken] = []
    left: dict[int, Message] = {}
    cancelled = 0
    while len(taken) < most:
        messages = mail.due(tx, selection.among(channels), most - len(taken), left)
        if not messages:
            break
        clients = by_id(tx, Client, {message.client for message in messages})
        contacts = by_id(tx, Contact, {message.contact for message in messages if message.contact})
        messages = [
            _corrected(tx, message, clients[message.client], contacts.get(message.contact), rewrite)
            for message in messages
        ]
        addresses = [message.to for message in messages if _is_bulk(message) or message.channel == "sms"]
        against = objections(tx, addresses)
        paid = _reminders_paid(tx, [message.id for message in messages if not _is_bulk(message)])
        for message in messages:
            client = clients[message.client]
            if why := _unwanted(message, client, against) or paid.get(message.id, ""):
                tx.change(message, state="cancelled", until="", failure=why)
                cancelled += 1
            elif why := missing(message):
                left[message.id] = replace(message, failure=why)
            else:
                ours = tx.change(message, state="sending", tries=message.tries + 1, until=lease)
                taken.append(Taken(ours, client, contacts.get(message.contact)))
    return Step(cancelled=cancelled, taken=taken, left=left)


def _corrected(tx: Transaction, message: Message, client: Client, contact: Contact | None, rewrite: Rewrite) -> Message:
    """A message with the addresses that its client and its contact have now."""
    changes = readdressed(tx, message, client, contact, rewrite)
    return tx.change(message, **changes) if changes else message


def _is_bulk(message: Message) -> bool:
    """Return whether a message is one that nobody has asked for."""
    return bool(message.mailing or message.occasion)


def _unwanted(message: Message, client: Client, against: Mapping[str, Objection]) -> str:
    """The reason why a message must not go out any more, '' where it may."""
    if not message.to:
        return "the client no longer has the address"
    objection = against.get(recipient_key(message.to))
    if message.channel == "sms" and objection and objection.why == "opted_out":
        # A number that answered STOP gets no text message at all.
        return f"{message.to}: {objection.words}"
    if not _is_bulk(message):
        return ""
    if not client.marketing_consent:
        return "the client has opted out"
    return f"{message.to}: {objection.words}" if objection else ""


def settle(tx: Transaction, ended: Sequence[Ended]) -> list[tuple[Message, DeliveryStatus]]:
    """Write how messages ended; one that is not ours any more stays as it is."""
    stored = by_id(tx, Message, [sending.message.id for sending in ended])
    settled = []
    for sending in ended:
        current = stored.get(sending.message.id)
        if current and current.state in ("sending", "unsure") and current.until == sending.message.until:
            after = changes(current, sending.status, sending.at, tx.clock)
            settled.append((tx.change(current, **after), sending.status))
            if current.channel == "sms" and f"({STOPPED})" in sending.status.failure:
                suppress(tx, current.to, "stop")
    _note_sent_invoices(tx, [message for message, _ in settled])
    return settled


def broken_off(snapshot: Snapshot, journal: SendingJournal) -> list[Ended]:
    """The messages whose sending broke off, and how it ended as far as is known: on this machine by its journal, on
    another once its lease has run out."""
    now = snapshot.clock.now
    sendings: list[Ended] = []
    held: dict[str, bool] = {}
    for message in mail.leased(snapshot):
        if journal.is_ours(message.until):
            if message.until not in held:
                held[message.until] = journal.is_held(message.until)
            if not held[message.until]:
                sendings.append(ended(message, journal.attempt(message.identifier, message.until), now))
        elif message.state == "sending" and has_run_out(message.until, now):
            sendings.append(Ended(message, ELSEWHERE, now))
    return sendings


def ended(message: Message, attempt: Attempt | None, now: datetime) -> Ended:
    """The outcome of a message by what the journal says of it, None for nothing: then it is restored `now`."""
    if attempt is None:
        return Ended(message, DeliveryStatus("unsent"), now)
    status = DeliveryStatus(attempt.state, attempt.failure, attempt.reached) if attempt.state else UNKNOWN
    return Ended(message, status, attempt.at)


def has_run_out(lease: str, now: datetime) -> bool:
    """Return whether a lease is over by `now` (UTC); one that cannot be read is."""
    try:
        return datetime.fromisoformat(lease) <= now
    except (ValueError, TypeError):
        return True


def count(snapshot: Snapshot, selection: Selection, channels: Collection[str]) -> int:
    """The number of messages that are queued and due."""
    return mail.count_due(snapshot, selection.among(channels))


def _reminders_paid(tx: Transaction, messages: Sequence[int]) -> Mapping[int, str]:
    """The reasons why reminders among some messages must not go out, by message: something was paid today, or nothing
    is open. Of these the invoices count as not reminded, so that the next run reminds of what is still open."""
    reminders = tx.find_all(Reminder, Query({"message": list(messages)})) if messages else ()
    if not reminders:
        return {}
    invoices = {reminder.invoice: tx.get(Invoice, reminder.invoice) for reminder in reminders}
    last_paid = billing.last_paid(tx, list(invoices))
    reasons = {
        reminder.message: f"{invoices[reminder.invoice].number} has been paid since"
        for reminder in reminders
        if invoices[reminder.invoice].open <= 0 or last_paid.get(reminder.invoice) == tx.today
    }
    for reminder in reminders:
        if reminder.message in reasons:
            before = tx.find_all(Reminder, Query({"invoice": reminder.invoice}, sort="level"))
            earlier = [other for other in before if other.level < reminder.level]
            reminded_on = earlier[-1].on if earlier else None
            level = earlier[-1].level if earlier else 0
            tx.change(tx.get(Invoice, reminder.invoice), reminded=level, reminded_on=reminded_on)
            tx.delete(reminder)
    return reasons


def _note_sent_invoices(tx: Transaction, settled: Sequence[Message]) -> None:
    """Write into the invoices that went out with some messages when they were sent, and that it was once more."""
    # An invoice goes out in an e-mail of its own.
    sent = {message.id: message for message in settled if message.state == "sent" and message.attachments}
    sent = {number: message for number, message in sent.items() if not message.mailing}
    if not sent:
        return
    clients = sorted({message.client for message in sent.values()})
    for invoice in tx.find_all(Invoice, Query({"client": clients, "message": sorted(sent)})):
        sendings = max(invoice.sendings, bool(invoice.sent_on)) + 1
        tx.change(invoice, sent_on=sent[invoice.message].on, sendings=sendings)
