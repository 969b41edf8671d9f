"""Which record a person means by what they wrote: its number, a client's reference, or its name."""

from collections.abc import Sequence

from crm.commands.context import CRM
from crm.errors import NotFoundError
from crm.model import Client, Record, User
from crm.repository import Query, Snapshot
from crm.repository.tables import fold

_LISTED = 5
_SEARCHED = 20


def selected(crm: CRM, kind: type[Record], written: str) -> Record:
    """The one record that is meant; raises NotFoundError where there is none, or several."""
    text = written.strip().removeprefix("#")
    with crm.read() as snapshot:
        if _is_number(text) and (record := snapshot.find(kind, int(text))):
            return record
        if kind is User and (user := next(iter(snapshot.find_all(User, Query({"email": text}, limit=1))), None)):
            return user
        if kind is Client and (client := _client(snapshot, text)):
            return client
    raise NotFoundError(f"There is no {kind.kind_name} {written.strip()}.")


def _is_number(text: str) -> bool:
    # 00042 is somebody's reference, not the number 42.
    return text.isascii() and text.isdigit() and len(text) < 10 and not text.startswith("0")


def _client(snapshot: Snapshot, text: str) -> Client | None:
    by_reference = snapshot.find_all(Client, Query({"reference": text}, limit=2)) if text else []
    if len(by_reference) == 1:
        return by_reference[0]
    alike = snapshot.search(text, _SEARCHED)
    # A search also finds by tag, by part of a number, and what is misspelt: good enough to look at, not to act on.
    found = [client for client in alike if _is_called(client, text)]
    exact = [client for client in found if fold(client.name) == fold(text) or client.email == text.lower()]
    if len(exact) == 1 or len(found) == 1:
        return (exact or found)[0]
    if found:
        raise NotFoundError(f"Several clients could be meant: {_listed(found)}. Give the number.")
    if alike:
        raise NotFoundError(f"No client is called {text}. Like it are {_listed(alike)}.")
    return None


def _is_called(client: Client, text: str) -> bool:
    called = fold(f"{client.first_name} {client.last_name} {client.company}").split()
    words = fold(text).split()
    return client.email == text.lower() or (
        bool(words) and all(any(has.startswith(word) for has in called) for word in words)
    )


def _listed(clients: Sequence[Client]) -> str:
    return ", ".join(f"{client.name} ({client.id})" for client in clients[:_LISTED])
