"""Unpaid invoices at the menu: who owes what; a client opens on its open invoices."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm.model import Client
from crm.repository.queries.billing import open_by_currency
from crm.terminal.billing.rendering import LISTED_UNPAID, unpaid_side
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit.lists import ListPage, list_page, open_list
from crm.terminal.toolkit.pages import Pieces, draw_above_client


@list_page
class UnpaidPage(ListPage):
    """The debts of clients, the most overdue first."""

    title = "Unpaid"
    plural = "unpaid invoices"
    purpose = "Invoices that are not paid in full appear here, with what each client owes."
    command = "unpaid list"
    columns = LISTED_UNPAID
    filter_by: Mapping[str, str] = {"days": "Overdue for at least (days)"}

    def about_rows(self) -> str:
        if self.narrowed():
            return ""
        own = self.session.crm.conventions
        with self.session.crm.read() as snapshot:
            debts = open_by_currency(snapshot)
        totals = []
        for currency, total, overdue in sorted(debts, key=lambda debt: (debt[0] != own.currency, debt[0])):
            by = replace(own, currency=currency)
            totals.append(f"{by.money(total)} open{f', {by.money(overdue)} overdue' if overdue else ''}")
        return f"total {'; '.join(totals)}" if totals else ""

    def keys(self) -> Sequence[Choice]:
        return [self.filter_key()]

    def filter_text(self, name: str, value: Any) -> str:
        return f"at least {self.session.crm.conventions.number(value)} {'day' if value == 1 else 'days'} late"

    def card(self, row: Any) -> Pieces:
        return draw_above_client(
            self.session, unpaid_side(self.session.screen, row, self.session.conventions), row.client
        )

    def client_of(self, row: Any) -> Client:
        return self.session.crm.get(Client, row.client)

    def open(self, row: Any) -> None:
        client = self.client_of(row)
        if row.open:
            open_list(self.session, "invoices list", client=client, state="open")
        else:
            self.session.open(client)
