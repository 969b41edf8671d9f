"""Filing e-mails that were read: with which clients one belongs, and which way it went."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date
from itertools import zip_longest
from typing import Any

from crm.batching import batches
from crm.clock import Clock
from crm.commands.mail.composing import display_size
from crm.commands.mail.inbox.correspondents import Correspondents, correspondents, spelling
from crm.commands.mail.outbox.delivery_status import addresses_in as addresses_in_field
from crm.commands.mail.outbox.delivery_status import lacking, recipients_of
from crm.model import Message
from crm.model.fields import Line, Prose
from crm.model.fields.recipients import recipient_key
from crm.outward.incoming import Received
from crm.outward.outgoing import Party
from crm.outward.sanitizing import line, prose
from crm.repository import Snapshot, Transaction
from crm.repository.queries.mail import by_identifier

_LONGEST_BODY = Prose().longest
_LONGEST_PARTIES = 4000
_NO_WORDS = re.compile(r"https?://\S+|[\W_]+")
_GIST = 2000
_UNCHECKED = "Not verified: the mail server does not say whether it is from this sender."
_CUT = "It is too large to be read whole: the rest, with its attachments, is in the mailbox."


@dataclass(frozen=True, slots=True)
class Placed:
    """An e-mail and the clients it belongs to: `clients` by number, each with the contact it came from or went to (0
    for none), none where nobody knows it; `direction` is 'in' or 'out'. `stranger` is who wrote it where that is no
    client and none of us; `notice` says who forwarded it, that it may be forged, or that nobody
    has checked it."""

    received: Received
    sender: Party | None
    direction: str
    clients: Mapping[int, int]
    stranger: Party | None = None
    notice: str = ""


def addresses_in(received: Received) -> set[str]:
    """The addresses in a message by which it may be filed, in their one spelling."""
    people = [
        *received.to, *received.cc, *received.bcc, received.sender, received.forwarded_from, received.on_behalf_of,
    ]  # fmt: skip
    return {spelling(person.address) for person in people if person}


def placed(received: Received, who: Correspondents, talking: Mapping[int, int]) -> Placed:
    """Find the clients that a message belongs to: those whose addresses it bears; one that one of us has forwarded with
    who wrote it first; an answer in a conversation with the clients it is `talking` to, whatever address it is from. Of
    one that may be forged nothing counts as written by us."""
    place = _placed(received, who, talking)
    if received.forgery:
        notice = f"It may be forged: the mail server doubts that it is from this sender ({received.forgery})."
        return replace(place, notice=notice)
    if not received.is_checked and not place.notice:
        return replace(place, notice=_UNCHECKED)
    return place


def _placed(received: Received, who: Correspondents, talking: Mapping[int, int]) -> Placed:
    sender, recipients = received.sender, (*received.to, *received.cc, *received.bcc)
    named = who.clients_of(recipients)
    theirs = who.clients_of([sender]) if sender else {}
    if theirs:
        return Placed(received, sender, "in", {**named, **theirs})
    ours = sender is not None and who.is_ours(sender) and not received.forgery
    # A sender who copies us in bcc writes to somebody else for us.
    boxes = {spelling(party.address) for party in received.delivered_to}
    boxed = any(who.is_ours(recipient) or spelling(recipient.address) in boxes for recipient in recipients)
    hidden = not boxed and not received.forgery
    if named and (ours or hidden):
        return Placed(received, sender, "out", named)
    # What a stranger says that somebody else has written may be made up.
    original = received.forwarded_from if ours else None
    if sender and original and (clients := who.clients_of([original])):
        return Placed(received, original, "in", clients, notice=f"Forwarded by {sender.address}.")
    if received.on_behalf_of and sender and (clients := who.clients_of([received.on_behalf_of])):
        return Placed(received, sender, "in", clients, notice=f"Sent by a form for {received.on_behalf_of.address}.")
    if talking:
        return Placed(received, sender, "out" if ours else "in", {**named, **talking})
    # Nobody reads what is answered to a form.
    stranger = original if ours else received.on_behalf_of or (None if received.is_unanswerable else sender)
    if named and received.forgery:
        stranger = None
    if stranger and who.is_ours(stranger):
        stranger = None
    return Placed(received, sender, "in", named, stranger)


@dataclass(slots=True)
class Filed:
    """The result of filing some messages: how many were `new`, and how many were left because they were `known`,
    `automatic` or `nobodys`; who wrote those by their places that are a stranger's, and which messages of ours were
    `bounced`."""

    new: int = 0
    known: int = 0
    automatic: int = 0
    nobodys: int = 0
    strangers: dict[int, Party] = field(default_factory=dict)
    bounced: list[Message] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def file(tx: Transaction, messages: Sequence[Received], ours: frozenset[str], *, refile: bool = False) -> Filed:
    """Store messages with the clients they belong to, each once with each. One that is known with any client is left
    alone, since what was sent from here comes back as a copy, except with `refile`."""
    addresses = set[str]().union(*(addresses_in(message) for message in messages))
    who = correspondents(tx, addresses, ours)
    filed_before = _filed_before(
        tx, {name for message in messages for name in (identifier(message), message.in_reply_to, _bounced(message))}
    )
    filed = Filed()
    new: list[Message] = []
    for at, received in enumerate(messages):
        same_id = filed_before.setdefault(identifier(received), [])
        known = {filing.client for filing in same_id if filing.is_of(received, who)}
        if received.is_automatic:
            filed.automatic += 1
            filed.bounced += _given_up(tx, received, filed_before, filed)
        elif known and not refile:
            filed.known += 1
        else:
            talking = {filing.client: 0 for filing in filed_before.get(received.in_reply_to, ())}
            place = placed(received, who, talking)
            added = [
                _message(place, number, contact, tx.clock)
                for number, contact in place.clients.items()
                if number not in known
            ]
            new += added
            # The next of the batch may be the same, or answer it.
            same_id += [Filing.of(message) for message in added]
            filed.new += bool(added)
            if place.stranger:
                filed.strangers[at] = place.stranger
            elif not place.clients:
                filed.nobodys += 1
    tx.add_all(new)
    return filed


@dataclass(frozen=True, slots=True)
class Filing:
    """A message that is stored with a client, as far as it is needed to know it again."""

    id: int
    client: int
    direction: str
    sender: str
    subject: str
    body: str
    on: date
    time: str

    @classmethod
    def of(cls, stored: Any) -> "Filing":
        """The filing of a message, or of a row with its fields."""
        return cls(**{name: getattr(stored, name) for name in cls.__slots__})

    def is_of(self, received: Received, who: Correspondents) -> bool:
        """Return whether this is what was received: the same Message-ID alone is no proof, since anybody can use it
        again. What was sent from here comes back as a copy that reads differently."""
        if self.direction == "out" and received.sender and who.is_ours(received.sender):
            return not received.forgery
        parties = [party for party in (received.sender, received.forwarded_from) if party]
        if spelling(self.sender) not in {spelling(party.address) for party in parties} and (self.sender or parties):
            return False
        at = received.at.astimezone(UTC)
        is_near = abs((self.on - at.date()).days) <= 1 and self.time[3:] == f"{at:%M}"
        return _gist(self.body) == _gist(received.text) or (is_near and self.subject == line(received.subject, 300))


def _gist(text: str) -> str:
    """The words of a text, without addresses and signs: a later version may read them differently."""
    return _NO_WORDS.sub("", text)[:_GIST].casefold()


def _filed_before(snapshot: Snapshot, identifiers: set[str]) -> dict[str, list[Filing]]:
    """The messages that are stored, by Message-ID."""
    filings: dict[str, list[Filing]] = {}
    for some in batches(sorted(identifiers - {""})):
        for row in by_identifier(snapshot, some):
            filings.setdefault(row.identifier, []).append(Filing.of(row))
    return filings


def _given_up(
    tx: Transaction, received: Received, filed_before: Mapping[str, Sequence[Filing]], filed: Filed
) -> list[Message]:
    """Mark the messages of ours as failed that a mail server has given up, with its words. A message to several stays
    sent for the others: `email again` sends it to those it did not reach."""
    bounce = received.bounce
    changed = []
    for filing in filed_before.get(bounce.message_id, ()) if bounce else ():
        message = tx.find(Message, filing.id)
        if bounce is None or message is None or message.direction != "out":
            continue
        # One of several may report as spam what did not reach another.
        if not bounce.is_complaint and message.state not in ("sent", "unsure"):
            continue
        words = line(" ".join(filter(None, (bounce.address, bounce.words))), Line(500).longest)
        missed = recipient_key(bounce.address)
        everybody = {recipient_key(address): address for address in recipients_of(message)}
        if missed not in everybody:
            # It was forwarded there, or the report does not say where.
            missed = next(iter(everybody)) if len(everybody) == 1 else ""
        if not missed and bounce.address:
            continue
        if bounce.is_complaint:
            filed.complaints += [address for key, address in everybody.items() if key == missed]
            continue
        lacking_it = {missed, *map(recipient_key, lacking(message))} if missed else set(everybody)
        reached = ", ".join(address for key, address in everybody.items() if key not in lacking_it)
        written_to = {recipient_key(address) for address in addresses_in_field(message.to)}
        if missed and missed not in written_to:
            # Only a copy did not arrive; the main recipient has the message.
            tx.change(message, failure=words, reached=reached)
            continue
        changed.append(tx.change(message, state="failed", failure=words, until="", reached=reached))
    return changed


def identifier(received: Received) -> str:
    """The identifier of a message: its Message-ID, or where it has none, a hash of its content."""
    if received.message_id:
        return received.message_id
    sender = received.sender.address if received.sender else ""
    content = "\n".join((received.at.isoformat(), sender, received.subject, received.text))
    return f"<{hashlib.sha256(content.encode()).hexdigest()[:40]}@without-id.invalid>"


def _bounced(received: Received) -> str:
    return received.bounce.message_id if received.bounce else ""


def _message(place: Placed, client: int, contact: int, clock: Clock) -> Message:
    received = place.received
    return Message(
        client=client,
        contact=contact,
        channel="email",
        direction=place.direction,
        state="received" if place.direction == "in" else "sent",
        on=clock.day_of(received.at),
        time=clock.time_of(received.at),
        sender=place.sender.address if place.sender else "",
        to=_address_line(received.to),
        cc=_address_line(received.cc),
        bcc=_address_line(received.bcc),
        subject=line(received.subject, 300),
        body=prose(received.text, _LONGEST_BODY),
        attachments=_files(received),
        identifier=identifier(received),
        answers=received.in_reply_to,
        notice=line(" ".join(filter(None, (place.notice, _CUT if received.is_cut else ""))), 300),
    )


def _address_line(parties: Iterable[Party]) -> str:
    """Addresses as they are in a message, as many as there is room for."""
    text = ""
    for party in parties:
        longer = f"{text}, {party.address}" if text else party.address
        if len(longer) > _LONGEST_PARTIES:
            break
        text = longer
    return text


def _files(received: Received) -> str:
    """The files that were attached, by name and size, a line each: they are not kept, the mailbox has them."""
    sizes = zip_longest(received.attachments, received.sizes, fillvalue=0)
    lines = [f"{name} ({display_size(size)})" if size else str(name) for name, size in sizes]
    return prose("\n".join(lines), _LONGEST_PARTIES)
