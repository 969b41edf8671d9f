"""The report of a mailing: how many messages are in each state, and which of them somebody has to see to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crm.batching import batches
from crm.commands.mail.mailings.audience import LeftOut
from crm.commands.mail.outbox.signals import INTERRUPTED
from crm.model import Client, Mailing, Message
from crm.repository import Query, Snapshot
from crm.repository.queries.mail import states_of_mailings


@dataclass(frozen=True, slots=True)
class MailingCount:
    """A mailing in a list: how many messages it has, by their state."""

    mailing: Mailing
    counts: Mapping[str, int]

    @property
    def waiting(self) -> int:
        """The number of messages that are still to be sent."""
        return self.counts.get("queued", 0) + self.counts.get("sending", 0)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A message of a mailing that failed, or may have been sent and may not, with its client's name."""

    message: Message
    name: str


@dataclass(frozen=True, slots=True)
class MailingReport:
    """The report of a mailing: the messages by their state, those that somebody has to see to, and, where it was just
    written, who was `left_out`. `stopped` says in a sentence why sending ended early, '' where it did not, and
    `incomplete` that something of it was just tried and failed, or may have."""

    counted: MailingCount
    troubles: Sequence[Trouble] = ()
    left_out: Sequence[LeftOut] = ()
    stopped: str = ""
    incomplete: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code: 1 where sending it ended early, or somebody has not got it just now."""
        return int(self.incomplete or self.stopped not in ("", INTERRUPTED))


def report_on(snapshot: Snapshot, mailing: Mailing) -> MailingReport:
    """The report of a mailing so far; those that failed come before those that are unsure."""
    query = Query({"mailing": mailing.id, "state": ["failed", "unsure"]}, sort="id")
    messages = snapshot.find_all(Message, query)
    names = _names(snapshot, {message.client for message in messages})
    troubles = [
        Trouble(message, names[message.client]) for message in sorted(messages, key=lambda message: message.state)
    ]
    return MailingReport(MailingCount(mailing, counts_of(snapshot, [mailing.id])[mailing.id]), troubles)


def counts_of(snapshot: Snapshot, mailings: Sequence[int]) -> Mapping[int, Mapping[str, int]]:
    """The number of messages of each mailing by their state."""
    counts: dict[int, dict[str, int]] = {mailing: {} for mailing in mailings}
    for mailing, state, count in states_of_mailings(snapshot, mailings):
        counts[mailing][state] = count
    return counts


def _names(snapshot: Snapshot, clients: Iterable[int]) -> Mapping[int, str]:
    names: dict[int, str] = {}
    for numbers in batches(sorted(clients)):
        names |= {client.id: client.name for client in snapshot.find_all(Client, Query({"id": numbers}))}
    return names
