"""Transports: e-mail over the mailer, SMS over the texter, each over one connection."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from crm.commands.context import CRM
from crm.commands.mail.outbox.attaching import attachments_of
from crm.commands.mail.outbox.leases import Taken
from crm.commands.mail.unsubscribing import links
from crm.errors import CRMError, OutwardError
from crm.model import CHANNELS
from crm.outward.mail import Connection, Fate, Outcome
from crm.outward.outgoing import Attachment, Mail, Party
from crm.outward.services import SERVICES

if TYPE_CHECKING:
    from crm.outward.sms import Texter

# Hands a message over; raises OutwardError where the next one would meet the same.
HandOver = Callable[[], Sequence[Outcome]]


def not_set_up(channel: str) -> str:
    """The reason why nothing can be sent over a channel that nothing is set up for."""
    return SERVICES[channel].not_set_up


class Transport(Protocol):
    """A way out for the messages of a channel."""

    def prepared(self, taken: Taken, addresses: Sequence[str]) -> HandOver:
        """A message made ready for those of its recipients at `addresses`, so that it only has to be handed over.
        Raises OutwardError for one that cannot be sent as it is."""


@contextmanager
def open_transports(crm: CRM) -> Iterator[tuple[dict[str, Transport], dict[str, str]]]:
    """The ways out that there are, by channel, which are closed in the end; and of the other channels why there is
    none, in a sentence. Nothing is connected yet."""
    with ExitStack() as opened:
        ways: dict[str, Transport] = {}
        closed: dict[str, str] = {}
        for channel in CHANNELS:
            try:
                if channel == "sms":
                    if texter := crm.outward.texter():
                        ways[channel] = SmsTransport(texter)
                elif mailer := crm.outward.mailer():
                    ways[channel] = MailTransport(crm, mailer.sender, opened.enter_context(mailer.connection()))
            except CRMError as error:
                # What is wrong with one does not keep the other.
                closed[channel] = error.sentence
            if channel not in ways:
                closed.setdefault(channel, not_set_up(channel))
        yield ways, closed


class MailTransport:
    """E-mail, from `sender` over one connection."""

    def __init__(self, crm: CRM, sender: Party, connection: Connection) -> None:
        self._crm = crm
        self._sender = sender
        self._connection = connection
        # Messages of a mailing go with the same files, which are read once.
        self._files: tuple[str, tuple[Attachment, ...]] = "", ()

    def prepared(self, taken: Taken, addresses: Sequence[str]) -> HandOver:
        message = taken.message
        to = addressed(message.to, taken)
        is_bulk = bool(message.mailing or message.occasion)
        if self._files[0] != message.attachments:
            self._files = message.attachments, attachments_of(self._crm, message)
        mail = Mail(
            message_id=message.identifier,
            at=self._crm.clock.local(self._crm.clock.now),
            sender=self._sender,
            to=to,
            cc=addressed(message.cc, taken),
            bcc=addressed(message.bcc, taken),
            subject=message.subject,
            text=message.body,
            attachments=self._files[1],
            in_reply_to=message.answers,
            unsubscribe=links(self._crm, taken.client, to[0].address) if is_bulk and to else (),
            by_machine=is_bulk,
            only=frozenset(addresses),
        )
        return lambda: self._connection.deliver(mail)


class SmsTransport:
    """Text messages."""

    def __init__(self, texter: "Texter") -> None:
        self._texter = texter

    def prepared(self, taken: Taken, addresses: Sequence[str]) -> HandOver:
        return lambda: self._sent(taken.message.to, taken.message.body)

    def _sent(self, to: str, text: str) -> Sequence[Outcome]:
        try:
            self._texter.send(to, text)
        except OutwardError as error:
            fates = {"recipient": Fate.REFUSED, "unknown": Fate.UNKNOWN}
            if error.reason not in fates:
                raise
            return [Outcome(to, fates[error.reason], error.sentence)]
        return [Outcome(to, Fate.SENT)]


def addressed(written: str, taken: Taken) -> tuple[Party, ...]:
    """The addresses that are in a message, with the names of those we know. Raises OutwardError where one cannot be
    written to."""
    names = {taken.client.email.casefold(): taken.client.name}
    if taken.contact:
        names[taken.contact.email.casefold()] = taken.contact.name
    names.pop("", None)
    addresses = (part.strip() for part in written.split(","))
    return tuple(Party(address, names.get(address.casefold(), "")) for address in addresses if address)
