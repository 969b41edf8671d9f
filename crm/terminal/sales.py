"""Sales and views at the menu."""

from typing import Any

from crm.commands.registry import named
from crm.model import Client, Sale
from crm.terminal.keyboard import Choice
from crm.terminal.lists import ClientsPage, SalesPage, ViewsPage
from crm.terminal.session import Session, flow


@flow("clients list")
def list_clients(session: Session, **_: Any) -> None:
    """The list of clients."""
    ClientsPage(session).show()


@flow("sales list")
def list_sales(session: Session, client: Client | None = None, **_: Any) -> None:
    """The list of sales, of one client where it is named."""
    SalesPage(session, client).show()


@flow("views list")
def list_views(session: Session, **_: Any) -> None:
    """The list of saved views."""
    ViewsPage(session).show()


def sale_page(session: Session, sale: Sale) -> None:
    """What can be done with a sale. Raises Back."""
    from crm.terminal.clients import client_page

    with session.crm.read() as snapshot:
        client = snapshot.get(Client, sale.client)
    by = session.crm.conventions
    session.page("Sales", f"Sale {sale.id}")
    told = f"{by.money(sale.amount)} to {client.name} on {by.day(sale.on)}"
    chosen = session.keyboard.choose(
        f"{told}: {sale.note}" if sale.note else told,
        [
            Choice("Open the client", lambda: client_page(session, client)),
            Choice("Take this sale back", lambda: _take_back(session, sale)),
        ],
    )
    chosen()


def _take_back(session: Session, sale: Sale) -> None:
    report = session.call("sales undo", sale=sale)
    by = session.crm.conventions
    session.say(
        f"{session.screen.sign('✓', 'OK:')} Took back sale {report.sale.id} of {by.money(report.sale.amount)}."
        f" {report.client.name} has {by.money(report.client.total_spend)} in {report.client.sales_count} sales now.",
        "green",
    )
    if report.status.before != report.status.after:
        arrow = session.screen.sign("→", "->")
        session.say(f"Status: {report.status.before} {arrow} {report.status.after}: {report.status.reason}", "bold")


@flow("sales undo")
def undo_sale(session: Session, **_: Any) -> None:
    """A sale from the list, taken back."""
    session.page("Take a sale back")
    sale = session.prompts.ask(named("sales undo").parameters["sale"])
    _take_back(session, sale)
