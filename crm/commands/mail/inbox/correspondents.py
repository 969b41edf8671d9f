"""Correspondents by e-mail address: a client, a contact there, one of us, or a stranger."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from crm.batching import batches
from crm.commands.context import CRM
from crm.errors import FieldError
from crm.model import Conventions
from crm.model.fields import Email
from crm.outward.mailbox import Mailbox
from crm.outward.outgoing import Party
from crm.repository import Snapshot
from crm.repository.queries.clients import contacts_by_email


@lru_cache(maxsize=8192)
def spelling(address: str) -> str:
    """The one spelling of an address, as it is in records."""
    try:
        return Email().read(address, Conventions()) or address
    except FieldError:
        return address.lower()


@dataclass(frozen=True, slots=True)
class Correspondents:
    """The clients that have addresses, each with the contact there whose address it is (0 for its own)."""

    clients: Mapping[str, Mapping[int, int]]
    ours: frozenset[str]

    def clients_of(self, parties: Iterable[Party]) -> dict[int, int]:
        """The clients among some people, each with its contact."""
        clients: dict[int, int] = {}
        for party in parties:
            for number, contact in self.clients.get(spelling(party.address), {}).items():
                clients[number] = clients.get(number) or contact
        return clients

    def is_ours(self, party: Party) -> bool:
        """Return whether somebody is one of us."""
        return spelling(party.address) in self.ours


def correspondents(snapshot: Snapshot, addresses: Collection[str], ours: frozenset[str]) -> Correspondents:
    """The clients and contacts by address (in its one spelling)."""
    by_address: dict[str, dict[int, int]] = {}
    for some in batches(sorted(addresses)):
        for client in snapshot.identified("email", some):
            by_address.setdefault(client.email, {})[client.id] = 0
        for row in contacts_by_email(snapshot, some):
            by_address.setdefault(row.email, {})[row.client] = row.id
    return Correspondents(by_address, ours)


def our_addresses(crm: CRM, mailbox: Mailbox) -> frozenset[str]:
    """The addresses that we write from: the sender of e-mail, the mailbox, everybody who may sign in, and those that
    the team's settings name. One that a client has as well is the client's."""
    mailer = crm.outward.mailer()
    addresses: Sequence[str] = [
        *([mailer.sender.address] if mailer else []),
        *([mailbox.server.user] if "@" in mailbox.server.user else []),
        *crm.accounts.team_addresses(),
        *(text.strip() for text in crm.settings["our_addresses"].split(",")),
    ]
    return frozenset(spelling(address) for address in addresses if address)
