"""Lookup of clients and contacts by what they are called."""

from collections.abc import Iterable, Sequence

from crm.commands.lookup import MOST, Lookup, Matches, lookup
from crm.commands.matching import begins, called
from crm.model import Client, Contact
from crm.model.folding import fold
from crm.repository import Query, Snapshot
from crm.repository.queries.clients import contacts_with


@lookup(Client)
class ClientLookup(Lookup[Client]):
    """A client by its name, its e-mail address, or a person there."""

    def matches(self, snapshot: Snapshot, text: str) -> Matches[Client]:
        alike = snapshot.search(text, MOST)
        # A search also finds by tag, by part of a number, and what is misspelt: good enough to look at, not to act on.
        clients = [client for client in alike if _is_called(client, text)]
        exact = [client for client in clients if fold(client.name) == fold(text) or client.email == text.lower()]
        if not clients:
            # A person there leads to the company.
            contacts = called(snapshot, alike, text)
            clients = [client for client in alike if client.id in contacts]
            exact = [client for client in clients if fold(contacts[client.id].name) == fold(text)]
        return Matches(exact, clients, alike)

    def names(self, snapshot: Snapshot, begun: str, limit: int) -> Iterable[str]:
        clients = snapshot.search(begun, limit) if begun.strip() else snapshot.find_all(Client, Query(limit=limit))
        return (client.name for client in clients)


@lookup(Contact)
class ContactLookup(Lookup[Contact]):
    """A contact by its name or e-mail address."""

    def matches(self, snapshot: Snapshot, text: str) -> Matches[Contact]:
        alike = contacts_with(snapshot, text, limit=MOST) if text else []
        contacts = [contact for contact in alike if begins(contact.name, text) or contact.email == text.lower()]
        return Matches([contact for contact in contacts if fold(contact.name) == fold(text)], contacts)

    def labels(self, snapshot: Snapshot, records: Sequence[Contact]) -> Iterable[str]:
        query = Query({"id": [contact.client for contact in records]})
        companies = {client.id: client.name for client in snapshot.find_all(Client, query)}
        return (f"{contact.name} of {companies[contact.client]}" for contact in records)

    def names(self, snapshot: Snapshot, begun: str, limit: int) -> Iterable[str]:
        return (contact.name for contact in contacts_with(snapshot, begun, limit=limit))


def _is_called(client: Client, text: str) -> bool:
    return client.email == text.lower() or begins(f"{client.first_name} {client.last_name} {client.company}", text)
