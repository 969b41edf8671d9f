"""Sales at the menu: the list of them, and taking one back."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from crm.commands.registry import named
from crm.model import Client, Conventions, Sale
from crm.repository import Query
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing import tables
from crm.terminal.drawing.screen import data
from crm.terminal.sales.rendering import SALES
from crm.terminal.toolkit.client_lists import client_names
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import flow, page
from crm.terminal.toolkit.session import Session


class SalesPage(ListPage):
    """Sales, the newest first, of all clients or of one, of a period."""

    title = "Sales"
    sorts: Mapping[str, str] = {"Date": "on", "Amount": "amount", "Client": "client"}

    def __init__(self, session: Session, client: Client | None = None) -> None:
        super().__init__(session)
        self.client = client
        self.since: Any = None
        self.until: Any = None
        self._names: dict[int, str] = {}
        self.columns = [each if each.title != "Client" else tables.Column("Client", self._name, 3, 8) for each in SALES]

    def _name(self, sale: Sale, _: Conventions) -> Text:
        return data(self._names.get(sale.client, sale.client))

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        crm = self.session.crm
        listed: list[Sale] = named("sales list")(
            crm, self.client, since=self.since, until=self.until, sort=self.sort, limit=limit, offset=offset
        )
        with crm.read() as snapshot:
            self._names = client_names(snapshot, listed)
        return listed

    def count(self) -> int:
        filters = {"client": self.client.id} if self.client else {}
        with self.session.crm.read() as snapshot:
            return int(snapshot.count(Sale, Query(filters, since=self.since, until=self.until)))

    def narrowed(self) -> str:
        by = self.session.crm.conventions
        told = [self.client.name] if self.client else []
        told += [f"since {by.day(self.since)}"] if self.since else []
        told += [f"until {by.day(self.until)}"] if self.until else []
        return ", ".join(told)

    def keys(self) -> Sequence[Choice]:
        return [Choice("Filter", self._filter, "f")]

    def _filter(self) -> None:
        command = named("sales list")
        prompts = self.session.prompts
        entries = [Choice("A client", "client"), Choice("Since a day", "since"), Choice("Until a day", "until")]
        if self.narrowed():
            entries.append(Choice("Show all again", "", "x"))
        name = self.session.keyboard.choose("Filter by:", entries)
        if name:
            setattr(self, name, prompts.ask(command.parameters[name]))
        else:
            self.client = self.since = self.until = None
        self.offset = 0

    def open(self, row: Any) -> None:
        sale_page(self.session, row)


@flow("sales list")
def list_sales(session: Session, client: Client | None = None, **_: Any) -> None:
    """The list of sales, of one client where it is named."""
    SalesPage(session, client).show()


@page(Sale)
def sale_page(session: Session, sale: Sale) -> None:
    """What can be done with a sale. Raises Back."""
    with session.crm.read() as snapshot:
        client = snapshot.get(Client, sale.client)
    by = session.crm.conventions
    session.page("Sales", f"Sale {sale.id}")
    told = f"{by.money(sale.amount)} to {client.name} on {by.day(sale.on)}"
    chosen = session.keyboard.choose(
        f"{told}: {sale.note}" if sale.note else told,
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
