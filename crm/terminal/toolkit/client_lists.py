"""A list of what was done with clients: rows with the names of the clients."""

from collections.abc import Sequence
from typing import Any, Protocol

from crm.commands.record_names import linked_names
from crm.terminal.drawing import tables
from crm.terminal.drawing.screen import data
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.session import Session


class OfClient(Protocol):
    """A row that belongs to a client, which it names by number."""

    @property
    def client(self) -> int: ...


class ClientListPage(ListPage):
    """A list page of records of clients, with the names of the clients."""

    # The columns around the name of the client, and its own rank.
    before: Sequence[tables.Column]
    after: Sequence[tables.Column]
    client_rank = 2

    def __init__(self, session: Session, **filters: Any) -> None:
        super().__init__(session, **filters)
        self._clients: dict[int, str] = {}
        client = tables.Column("Client", lambda row, _: data(self.client_name(row)), self.client_rank, 8)
        self.columns = (*self.before, client, *self.after)

    def client_name(self, row: OfClient) -> str:
        """The name of the client that a row is about."""
        return self._clients.get(row.client, str(row.client))

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        listed = super().rows(limit, offset)
        with self.session.crm.read() as snapshot:
            self._clients = linked_names(snapshot, listed, "client", self.session.conventions)
        return listed
