"""The client portal: a client's own details, invoices, payments and purchases."""

from collections.abc import Mapping
from dataclasses import replace

from rich.text import Text

from crm.commands.registry import named
from crm.errors import NotFoundError
from crm.model import Client
from crm.terminal.billing.invoices import InvoicesPage
from crm.terminal.billing.payments import PaymentsPage
from crm.terminal.clients.rendering import draw_client
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.home.main_menu import MainMenu
from crm.terminal.sales.sales import SalesPage
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.session import Session


class _Purchases(SalesPage):
    """One's own purchases: there is nothing to narrow, and nothing to do with one."""

    title = "My purchases"
    plural = "purchases"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.columns = [column for column in self.columns if column.title != "Client"]

    def keys(self) -> list[Choice]:
        return []

    def open(self, row: object) -> None:
        raise Back


class _Invoices(InvoicesPage):
    """One's own invoices; one opens with what a client can do with it."""

    title = "My invoices"
    # Nothing that the team notes stands beside them.
    card = ListPage.card
    filter_by: Mapping[str, str] = {}

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.columns = [column for column in self.columns if column.title != "Client"]

    def keys(self) -> list[Choice]:
        return []


class _Payments(PaymentsPage):
    """One's own payments: there is nothing to do with one."""

    title = "My payments"
    filter_by: Mapping[str, str] = {}

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.columns = [column for column in self.columns if column.title not in ("Client", "Method")]

    def keys(self) -> list[Choice]:
        return []

    def open(self, row: object) -> None:
        raise Back


class Portal(MainMenu):
    """The main menu of a client."""

    def entries(self) -> list[Choice]:
        session = self.session
        return [
            Choice("My invoices", lambda: _Invoices(session).show()),
            Choice("My payments", lambda: _Payments(session).show()),
            Choice("Statement of my account", lambda: _statement(session)),
            Choice("My purchases", lambda: _Purchases(session).show()),
            Choice("My account", lambda: session.start(named("profile show"))),
        ]

    def keys(self) -> list[Choice]:
        return []

    def read(self) -> None:
        pass

    def draw(self, below: int) -> None:
        _draw_own(self.session)
        self.session.screen.print()


def _statement(session: Session) -> None:
    """One's account in each of its currencies."""
    from crm.commands.billing.unpaid import own_currencies

    with session.crm.read() as snapshot:
        own = snapshot.get(Client, session.crm.reader.client)
        currencies = own_currencies(session.crm, snapshot, own)
    session.page("Statement of my account")
    for currency in currencies:
        account = session.call("statements show", client=own, currency=currency)
        # What is open in other currencies stands in their own account.
        session.tell(replace(account, elsewhere={}))


def _draw_own(session: Session) -> None:
    crm = session.crm
    try:
        with crm.read() as snapshot:
            own = snapshot.get(Client, crm.reader.client)
    except NotFoundError:
        session.screen.print(Text("We keep no data about you here.", "muted"))
        return
    draw_client(session.screen, own, crm.conventions)
