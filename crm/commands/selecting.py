"""Which record a person means by what they wrote: its number, a client's reference, or its name."""

from crm.commands.context import CRM
from crm.errors import NotFoundError
from crm.model import Client, Record
from crm.repository import Query, Snapshot

_LISTED = 5


def selected(crm: CRM, kind: type[Record], written: str) -> Record:
    """The one record that is meant; raises NotFoundError where there is none, or several."""
    text = written.strip().removeprefix("#")
    with crm.read() as snapshot:
        if _is_number(text) and (record := snapshot.find(kind, int(text))):
            return record
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
    found = snapshot.search(text, _LISTED + 1)
    exact = [client for client in found if client.name.casefold() == text.casefold()]
    if len(exact) == 1 or len(found) == 1:
        return (exact or found)[0]
    if found:
        listed = ", ".join(f"{client.name} ({client.id})" for client in found[:_LISTED])
        raise NotFoundError(f"Several clients could be meant: {listed}. Give the number.")
    return None
