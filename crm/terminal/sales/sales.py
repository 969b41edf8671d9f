"""Sales at the menu: the list of them, and taking one back."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.registry import named
from crm.model import Client, Sale
from crm.repository import Query
from crm.terminal.console.keyboard import Choice
from crm.terminal.sales.rendering import SALES
from crm.terminal.toolkit.client_lists import ClientListPage
from crm.terminal.toolkit.pages import flow, page
from crm.terminal.toolkit.session import Session


class SalesPage(ClientListPage):
    """Sales, the newest first, of all clients or of one, of a period."""

    title = "Sales"
    command = "sales list"
    sorts: Mapping[str, str] = {"Date": "on", "Amount": "amount", "Client": "client"}
    filter_by: Mapping[str, str] = {"client": "A client", "since": "Since a day", "until": "Until a day"}
    before, after = SALES[:2], SALES[3:]
    client_rank = 3

    def count(self) -> int:
        client, since, until = (self.filters.get(name) for name in self.filter_by)
        with self.session.crm.read() as snapshot:
            return int(snapshot.count(Sale, Query({"client": client.id} if client else {}, since=since, until=until)))

    def keys(self) -> Sequence[Choice]:
        return [self.filter_key()]

    def open(self, row: Any) -> None:
        sale_page(self.session, row)


@flow("sales list")
def list_sales(session: Session, client: Client | None = None, **_: Any) -> None:
    """The list of sales, of one client where it is named."""
    SalesPage(session, client=client).show()


@page(Sale)
def sale_page(session: Session, sale: Sale) -> None:
    """What can be done with a sale. Raises Back."""
    with session.crm.read() as snapshot:
        client = snapshot.get(Client, sale.client)
    by = session.crm.conventions
    session.page("Sales", f"Sale {sale.id}")
    line = f"{by.money(sale.amount)} to {client.name} on {by.day(sale.on)}"
    chosen = session.keyboard.choose(
        f"{line}: {sale.note}" if sale.note else line,
        [
            Choice("Open the client", lambda: session.open(client)),
            Choice("Take this sale back", lambda: _take_back(session, sale)),
        ],
    )
    chosen()


def _take_back(session: Session, sale: Sale) -> None:
    by = session.crm.conventions
    session.confirm(f"This takes back {by.money(sale.amount)} of {by.day(sale.on)}. It can be undone.", "Take it back")
    session.tell(session.call("sales undo", sale=sale))


@flow("sales undo")
def undo_sale(session: Session, **_: Any) -> None:
    """A sale from the list, taken back."""
    session.page("Take a sale back")
    sale = session.prompts.ask(named("sales undo").parameters["sale"])
    _take_back(session, sale)
