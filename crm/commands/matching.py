"""Matches of a search: the clients found, and through which of their contacts."""

import re
from collections.abc import Mapping, Sequence

from crm.lazy_pattern import lazy_pattern
from crm.model import Client, Contact
from crm.model.folding import fold
from crm.model.likeness import ALIKE, likeness
from crm.model.record import derived_columns
from crm.repository import Query, Snapshot

_MARKS = ".,;:"
_TELEPHONE = lazy_pattern(r"[+\d(][\d\s()/.-]{3,}")


def called(snapshot: Snapshot, clients: Sequence[Client], text: str) -> Mapping[int, Contact]:
    """The contacts of that name among some clients, by the client's number: the words begin those of the name, or are
    the e-mail address."""
    if not clients or not text.strip():
        return {}
    contacts: dict[int, Contact] = {}
    for contact in snapshot.find_all(Contact, Query({"client": [client.id for client in clients]})):
        if begins(contact.name, text) or contact.email == text.strip().lower():
            before = contacts.setdefault(contact.client, contact)
            if fold(contact.name) == fold(text) != fold(before.name):
                contacts[contact.client] = contact
    return contacts


def begins(name: str, text: str) -> bool:
    """Return whether each word of a text is the beginning of one in a name."""
    words, names = fold(text).split(), fold(name).split()
    return bool(words) and all(any(name.startswith(word) for name in names) for word in words)


def spelt_alike(snapshot: Snapshot, clients: Sequence[Client], text: str) -> list[tuple[Client, Contact | None]]:
    """The clients among some who are called much like a text, or have a contact who is."""
    words = [word.strip(_MARKS) for word in fold(text).split() if word.strip(_MARKS)]
    if not clients or not words:
        return []
    contacts: dict[int, Contact] = {}
    for contact in snapshot.find_all(Contact, Query({"client": [client.id for client in clients]})):
        if _likeness(fold(contact.name), words) >= ALIKE:
            contacts.setdefault(contact.client, contact)
    pairs: list[tuple[Client, Contact | None]] = []
    for client in clients:
        if _likeness(fold(f"{client.first_name} {client.last_name} {client.company}"), words) >= ALIKE:
            pairs.append((client, None))
        elif client.id in contacts:
            pairs.append((client, contacts[client.id]))
    return pairs


def through(snapshot: Snapshot, clients: Sequence[Client], text: str) -> Mapping[int, Contact]:
    """The contacts through which a search for `text` found clients, by the client's number."""
    folded = fold(text).strip()
    others = [client for client in clients if not _contains(_client_search_text(client), folded)]
    if not folded or not others:
        return {}
    contacts: dict[int, list[Contact]] = {}
    for contact in snapshot.find_all(Contact, Query({"client": [client.id for client in others]})):
        contacts.setdefault(contact.client, []).append(contact)
    matched = {client.id: _matching_contact(client, contacts.get(client.id, ()), folded) for client in others}
    return {number: contact for number, contact in matched.items() if contact is not None}


def _matching_contact(client: Client, contacts: Sequence[Contact], folded: str) -> Contact | None:
    for contact in contacts:
        if _contains(_search_text(contact), folded):
            return contact
    for contact in contacts:
        if _contains(f"{_search_text(contact)} {_client_search_text(client)}", folded):
            return contact
    words = folded.split()
    own = _likeness(_client_search_text(client), words)
    likeness, _, best = max(
        ((_likeness(_search_text(contact), words), -place, contact) for place, contact in enumerate(contacts)),
        default=(0.0, 0, None),
    )
    return best if likeness >= ALIKE and likeness > own else None


def _search_text(contact: Contact) -> str:
    return derived_columns(contact)["search_name"]


def _client_search_text(client: Client) -> str:
    columns = derived_columns(client)
    return f"{columns['search_name']} {columns['search_rest']}"


def _contains(text: str, folded: str) -> bool:
    """Return whether a text holds each of the words, or the phone number that they may be."""
    if all(word in text for word in folded.split()):
        return True
    digits = re.sub(r"\(0\)|\D", "", folded).lstrip("0") if _TELEPHONE.fullmatch(folded) else ""
    return bool(digits) and digits in text


def _likeness(text: str, words: Sequence[str]) -> float:
    names = re.split(r"[\s-]+", text)
    return min(max(likeness(word, name) for name in names) for word in words)
