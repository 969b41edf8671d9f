"""The names of the clients that records are about."""

from collections.abc import Iterable
from typing import Protocol

from crm.model import Client
from crm.repository import Query, Snapshot


class OfClient(Protocol):
    """A record that belongs to a client, which it names by number."""

    @property
    def client(self) -> int: ...


def client_names(snapshot: Snapshot, rows: Iterable[OfClient]) -> dict[int, str]:
    """The names of the clients that rows belong to, by number."""
    numbers = sorted({row.client for row in rows})
    clients = snapshot.find_all(Client, Query({"id": numbers})) if numbers else []
    return {client.id: client.name for client in clients}
