"""The client portal: a client's own details, invoices, payments and purchases."""

from dataclasses import replace

from rich.text import Text

from crm.commands.registry import named
from crm.errors import NotFoundError
from crm.model import Client
from crm.terminal.clients.rendering import draw_client
from crm.terminal.console.keyboard import Choice
from crm.terminal.home.main_menu import MainMenu
from crm.terminal.toolkit.lists import open_list
from crm.terminal.toolkit.session import Session


class Portal(MainMenu):
    """The main menu of a client."""

    def entries(self) -> list[Choice]:
        session = self.session
        return [
            Choice("My invoices", lambda: open_list(session, "invoices list")),
            Choice("My payments", lambda: open_list(session, "payments list")),
            Choice("Statement of my account", lambda: _statement(session)),
            Choice("My purchases", lambda: open_list(session, "sales list")),
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
        # What is open in other currencies is in their own account.
        session.tell(replace(account, elsewhere={}))


def _draw_own(session: Session) -> None:
    crm = session.crm
    try:
        own = crm.get(Client, crm.reader.client)
    except NotFoundError:
        session.screen.print(Text("We keep no data about you here.", "muted"))
        return
    draw_client(session.screen, own, session.conventions)
