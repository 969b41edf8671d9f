"""The invoice or the payment that a command is about, chosen from those that fit it."""

from collections.abc import Sequence
from typing import Any

from crm.commands.billing.invoices import InvoiceShown, shown
from crm.commands.registry import named
from crm.model import Invoice, Payment
from crm.repository import Query
from crm.terminal.billing.picking import payment_line, shown_line
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.picking import joined, pick_listed
from crm.terminal.toolkit.session import Session

_NOTHING = {
    "draft": "no draft invoices",
    "open": "no unpaid invoices",
    "issued": "no invoices have been issued yet",
}


def chosen_invoice(session: Session, which: str, invoice: Invoice | None = None) -> Invoice:
    """The invoice that is given, or one that is chosen from the `draft`, the `open` or the `issued` ones. Raises Back,
    and FieldError where there is none."""
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

    picked: Invoice = invoice or pick_listed(session.keyboard, "Invoice:", fetch, nothing=_NOTHING[which])
    return picked


def chosen_payment(session: Session, payment: Payment | None = None) -> Payment:
    """The payment that is given, or one that is chosen from those that came in. Raises Back, and FieldError where there
    is none."""
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

    picked: Payment = payment or pick_listed(session.keyboard, "Payment:", fetch, nothing="no payments yet")
    return picked


@flow("reminders skip")
def skip(session: Session, invoice: Invoice | None = None, **arguments: Any) -> None:
    """An open invoice, and until when it is left out."""
    session.lead(named("reminders skip"), invoice=chosen_invoice(session, "open", invoice), **arguments)


@flow("reminders promise")
def promise(session: Session, invoice: Invoice | None = None, **arguments: Any) -> None:
    """An open invoice, and the day by which it will be paid."""
    session.lead(named("reminders promise"), invoice=chosen_invoice(session, "open", invoice), **arguments)


@flow("invoices xml")
def xml(session: Session, invoice: Invoice | None = None, **arguments: Any) -> None:
    """An issued invoice, and the format."""
    session.lead(named("invoices xml"), invoice=chosen_invoice(session, "issued", invoice), **arguments)


@flow("invoices qr")
def qr(session: Session, invoice: Invoice | None = None, **arguments: Any) -> None:
    """An open invoice, and the code to pay it by."""
    session.lead(named("invoices qr"), invoice=chosen_invoice(session, "open", invoice), **arguments)
