"""Lookup: the record that is meant by a number, by a field that is unique, by a name, or by a deal's title."""

from collections.abc import Sequence

from crm.commands.clients.contacts import contacts_saying
from crm.commands.context import CRM
from crm.commands.matching import begins, called
from crm.commands.sales.pipeline import listed, stage_called, stages
from crm.errors import NotFoundError
from crm.model import Client, Contact, Deal, Record, Stage
from crm.model.folding import fold
from crm.repository import Query, Snapshot
from crm.repository.queries.deals import WhichDeals

_LISTED = 5
_SEARCHED = 20


def selected(crm: CRM, kind: type[Record], written: str) -> Record:
    """The one record that is meant; raises NotFoundError where there is none, or several."""
    text = written.strip().removeprefix("#")
    with crm.read() as snapshot:
        if _is_number(text) and (record := snapshot.find(kind, int(text))):
            return record
        if text and (record := _by_unique(snapshot, kind, text)):
            return record
        if kind is Client and (client := _client(snapshot, text)):
            return client
        if kind is Contact and (contact := _contact(snapshot, text)):
            return contact
        if kind is Deal and (deal := _deal(snapshot, text)):
            return deal
        if kind is Stage and (stage := stage_called(stages(snapshot), text)):
            return stage
    raise NotFoundError(f"There is no {kind.kind_name} {written.strip()}.")


def _is_number(text: str) -> bool:
    # 00042 is somebody's reference, not the number 42.
    return text.isascii() and text.isdigit() and len(text) < 10 and not text.startswith("0")


def _by_unique(snapshot: Snapshot, kind: type[Record], text: str) -> Record | None:
    """The record that has a field which only one can have: as it is written, or alone in whatever case."""
    for name in kind.about.unique:
        records = snapshot.find_all(kind, Query({name: text}))
        exact = [record for record in records if getattr(record, name) == text]
        if len(exact or records) == 1:
            return (exact or records)[0]
    return None


def _client(snapshot: Snapshot, text: str) -> Client | None:
    alike = snapshot.search(text, _SEARCHED)
    # A search also finds by tag, by part of a number, and what is misspelt: good enough to look at, not to act on.
    clients = [client for client in alike if _is_called(client, text)]
    exact = [client for client in clients if fold(client.name) == fold(text) or client.email == text.lower()]
    if not clients:
        # A person there leads to the company.
        contacts = called(snapshot, alike, text)
        clients = [client for client in alike if client.id in contacts]
        exact = [client for client in clients if fold(contacts[client.id].name) == fold(text)]
    if len(exact) == 1 or len(clients) == 1:
        return (exact or clients)[0]
    if clients:
        raise NotFoundError(f"Several clients could be meant: {_listed(clients)}. Give the number.")
    if alike:
        raise NotFoundError(f"No client is called {text}. Did you mean {_listed(alike)}?")
    return None


def _contact(snapshot: Snapshot, text: str) -> Contact | None:
    alike = contacts_saying(snapshot, text, limit=_SEARCHED) if text else []
    contacts = [contact for contact in alike if begins(contact.name, text) or contact.email == text.lower()]
    exact = [contact for contact in contacts if fold(contact.name) == fold(text)]
    if len(exact) == 1 or len(contacts) == 1:
        return (exact or contacts)[0]
    if contacts:
        companies = {
            client.id: client for client in snapshot.find_all(Client, Query({"id": [one.client for one in contacts]}))
        }
        candidates = ", ".join(
            f"{contact.name} of {companies[contact.client].name} ({contact.id})" for contact in contacts[:_LISTED]
        )
        raise NotFoundError(f"Several contacts could be meant: {candidates}. Give the number.")
    return None


def _deal(snapshot: Snapshot, text: str) -> Deal | None:
    words = fold(text).split()
    if not words:
        return None
    everywhere = WhichDeals([stage.id for stage in stages(snapshot)], text=text)
    found = listed(snapshot, (), everywhere, limit=_SEARCHED)
    exact = snapshot.find_all(Deal, Query({"title": text}, limit=_SEARCHED))
    alike = exact or [deal.deal for deal in found if all(word in fold(deal.deal.title) for word in words)]
    # Of several that are called so it is the one that still goes on.
    still_open = [deal for deal in alike if deal.closed_on is None]
    if len(alike) == 1 or len(still_open) == 1:
        return (still_open or alike)[0]
    if several := still_open or alike:
        candidates = ", ".join(f"{deal.title} ({deal.id})" for deal in several[:_LISTED])
        raise NotFoundError(f"Several deals could be meant: {candidates}. Give the number.")
    return None


def _is_called(client: Client, text: str) -> bool:
    return client.email == text.lower() or begins(f"{client.first_name} {client.last_name} {client.company}", text)


def _listed(clients: Sequence[Client]) -> str:
    return ", ".join(f"{client.name} ({client.id})" for client in clients[:_LISTED])
