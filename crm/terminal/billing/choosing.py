"""The invoice or the payment that a command is about, chosen from those that fit it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from crm.commands.billing.invoices import InvoiceShown, shown
from crm.commands.registry import named
from crm.model import Invoice, Payment
from crm.repository import Query
from crm.terminal.billing.picking import payment_line, shown_line
from crm.terminal.toolkit.pages import record_flow
from crm.terminal.toolkit.picking import joined, pick_listed
from crm.terminal.toolkit.session import Session

_NOTHING = {
    "draft": "no draft invoices",
    "open": "no unpaid invoices",
    "issued": "no invoices have been issued yet",
}


def choose_invoice(which: str, session: Session) -> Invoice:
    """An invoice that is chosen from the `draft`, the `open` or the `issued` ones. Raises Back, and FieldError where
    there is none."""
    crm = session.crm
    by = session.conventions

    def fetch(limit: int, offset: int) -> Sequence[tuple[str, Invoice]]:
        if which == "issued":
            with crm.read() as snapshot:
                issued = snapshot.find_all(Invoice, Query({"state": "issued"}, limit=limit, offset=offset))
                items: Sequence[InvoiceShown] = shown(crm, snapshot, issued)
        else:
            sort = "due_on" if which == "open" else ""
            items = named("invoices list")(crm, state=which, sort=sort, limit=limit, offset=offset)
        return [(shown_line(item, by), item.invoice) for item in items]

    picked: Invoice = pick_listed(session.keyboard, "Invoice:", fetch, nothing=_NOTHING[which])
    return picked


def choose_payment(session: Session) -> Payment:
    """A payment that is chosen from those that came in. Raises Back, and FieldError where there is none."""
    crm, by = session.crm, session.conventions

    def fetch(limit: int, offset: int) -> Sequence[tuple[str, Payment]]:
        items = named("payments list")(crm, kind="payment", limit=limit, offset=offset)
        return [
            (
                joined(payment_line(item.payment, by, item.client), ", ".join(item.invoices)),
                item.payment,
            )
            for item in items
        ]

    picked: Payment = pick_listed(session.keyboard, "Payment:", fetch, nothing="no payments yet")
    return picked


def _leads(words: str, which: str) -> None:
    @record_flow(words, partial(choose_invoice, which))
    def lead(session: Session, invoice: Invoice, **arguments: Any) -> None:
        session.lead(named(words), invoice=invoice, **arguments)


for _words, _which in (
    ("reminders skip", "open"), ("reminders promise", "open"), ("invoices xml", "issued"), ("invoices qr", "open"),
):  # fmt: skip
    _leads(_words, _which)
