"""Sales at the menu: the list of them, correcting one and taking one back."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.registry import named
from crm.commands.sales.sales import edited, taken_back
from crm.model import Client, Deal, Field, Sale
from crm.repository import Query
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.sales.foreseen import draw_foreseen, foresee_sale, foreseen_line, foreseen_move
from crm.terminal.sales.rendering import SALES, draw_sale_card, sale_side
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.client_lists import ClientListPage
from crm.terminal.toolkit.forms import RecordForm, form_order
from crm.terminal.toolkit.latest import latest_with
from crm.terminal.toolkit.lists import list_page, own_list
from crm.terminal.toolkit.pages import Pieces, draw_above_client, draw_side_card, flow, record_flow
from crm.terminal.toolkit.record_actions import edits
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import Session


@list_page
class SalesPage(ClientListPage):
    """Sales, the newest first, of all clients or of one, of a period."""

    title = "Sales"
    purpose = "A sale is an amount that a client spent. Sales add up to the client's total, which decides the status."
    lettered: Mapping[str, letters.Letter] = {"sales edit": letters.EDIT, "sales undo": letters.DELETE}
    command = "sales list"
    sorts: Mapping[str, str] = {"Date": "on", "Amount": "amount", "Client": "client"}
    filter_by: Mapping[str, str] = {"client": "Client", "since": "From date", "until": "To date"}
    before, after = SALES[:2], SALES[3:]
    client_rank = 1

    def count(self) -> int:
        client, since, until = (self.filters.get(name) for name in ("client", "since", "until"))
        with self.session.crm.read() as snapshot:
            return int(snapshot.count(Sale, Query({"client": client.id} if client else {}, since=since, until=until)))

    def card(self, row: Sale) -> Sequence[tuple[str, str]]:
        sale = sale_side(self.session.screen, row, self.session.conventions)
        return draw_above_client(self.session, sale, row.client)

    def keys(self) -> Sequence[Choice]:
        add = letters.NEW(self.starts("sales add"), "sale")
        return [add, self.filter_key()]


@own_list
class OwnPurchasesPage(SalesPage):
    """One's own purchases: there is nothing to narrow, and nothing to do with one."""

    title = "My purchases"
    plural = "purchases"
    purpose = "What you buy from us appears here, with date and amount."
    hides = ("Client",)
    filter_by: Mapping[str, str] = {}

    def card(self, row: Sale) -> Sequence[tuple[str, str]]:
        return sale_side(self.session.screen, row, self.session.conventions)

    def keys(self) -> list[Choice]:
        return []

    def open(self, row: object) -> None:
        raise Back


class SaleForm(RecordForm):
    """A sale that is corrected; its client is chosen beside it."""

    def fields(self) -> Sequence[Field]:
        return [field for field in form_order(Sale) if field.name != "client"]

    def ask(self, field: Field, *, required: bool = False) -> None:
        super().ask(field, required=required or field.name in ("on", "amount"))

    def draw_above(self) -> None:
        if self.changes:
            draw_foreseen(self.session, lambda tx: edited(tx, self.record, self.changes))


@record_page(Sale)
class SalePage(RecordPage[Sale, tuple[Sale, Client, Deal | None]]):
    """A sale with its client, and what can be done with it."""

    lettered: Mapping[str, letters.Letter] = {"sales edit": letters.EDIT, "sales undo": letters.DELETE}
    about = "You can correct the amount, date, note and reference of a sale. The client's total is updated."
    once = True

    def read(self) -> tuple[Sale, Client, Deal | None]:
        with self.session.crm.read() as snapshot:
            sale = snapshot.get(Sale, self.record.id)
            deal = snapshot.find(Deal, sale.deal) if sale.deal else None
            return sale, snapshot.get(Client, sale.client), deal

    def current(self) -> Sale:
        return self.card[0]

    def draw_above(self) -> None:
        screen = self.session.screen
        draw_sale_card(screen, *self.card, self.session.conventions)
        latest_with(self.session, self.card[1], len(self.entries()))
        screen.print()

    def beside(self) -> Pieces:
        return draw_side_card(self.session, Client, self.record.client)

    def entries(self) -> Sequence[Choice]:
        session, (sale, client, _) = self.session, self.card
        return [
            Choice("Open the client", lambda: session.open(client)),
            Choice("Edit", self.starts("sales edit")),
            Choice("Move to another client", lambda: _give(session, sale)),
            Choice("Delete this sale", self.starts("sales undo")),
        ]


@flow("sales add")
def add(session: Session, **known: Any) -> None:
    """The client, the amount, the day and a note; the reference of a sale made elsewhere is filled in by editing it."""

    def foresee(answers: Mapping[str, Any]) -> None:
        if "client" in answers and "amount" in answers:
            foresee_sale(session, answers["client"].id, answers["amount"], answers.get("on"))

    session.lead(named("sales add"), foresee=foresee, **{"reference": "", **known})


edits("sales edit", SaleForm, lambda sale: f"Sale {sale.id}", lambda session, _, saved: session.tell(saved))


def _give(session: Session, sale: Sale) -> None:
    session.page("Sales", f"Sale {sale.id}", "Move to another client")
    client = session.prompts.ask(named("sales edit").parameters["client"])
    if client is not None and client.id != sale.client:
        by = session.crm.conventions
        question = f"Move the sale of {by.money(sale.amount)} to {client.name}?"
        if lines := foreseen_move(session, sale, client):
            session.confirm("\n".join((question, *lines)), "Move it")
        session.tell(session.call("sales edit", sale=sale, changes={}, client=client))


@record_flow("sales undo")
def take_back(session: Session, sale: Sale) -> None:
    """A sale, taken back once the person has seen what follows."""
    session.page("Sales", f"Sale {sale.id}", "Delete", client=sale.client)
    by = session.conventions
    question = f"This deletes the sale of {by.money(sale.amount)} {by.on_day(sale.on)}. It can be undone."
    lines = [question, foreseen_line(session, lambda tx: taken_back(tx, sale))]
    session.confirm("\n".join(filter(None, lines)), "Delete", destructive=True)
    session.tell(session.call("sales undo", sale=sale))
