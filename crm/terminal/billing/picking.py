"""Several invoices chosen for a payment, and the lines that stand for what is billed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Adjustment, Client, Conventions, Invoice, Payment, Service
from crm.terminal.billing.rendering import adjustment_words, invoice_name, money_in, state_words
from crm.terminal.console.keyboard import Back, Choice, Keyboard
from crm.terminal.drawing.list_conventions import ListConventions
from crm.terminal.toolkit.picking import RecordQuestion, joined, line_for, pick_listed, picker

if TYPE_CHECKING:
    from crm.commands.billing.invoices import InvoiceShown

# So many open invoices of a client are offered, those due first.
_MOST = 30


@line_for(Service)
def service_line(service: Service, by: Conventions, _: str = "") -> str:
    """A service on one line."""
    return joined(service.name, by.money(service.price), f"no. {service.id}")


@line_for(Invoice)
def invoice_line(invoice: Invoice, by: Conventions, client: str = "") -> str:
    """An invoice on one line, with what is still open on it."""
    total = money_in(invoice.currency, by, invoice.total)
    still = f"open {money_in(invoice.currency, by, invoice.open)}" if 0 < invoice.open < invoice.total else ""
    due = by.due(invoice.due_on) if invoice.open > 0 and invoice.due_on else ""
    if not invoice.number:
        return joined(invoice_name(invoice, client), total)
    return joined(invoice.number, client, total, still, due)


def shown_line(item: "InvoiceShown", by: ListConventions) -> str:
    """An invoice on one line, with how late it is or else its state."""
    line = invoice_line(item.invoice, by, item.client)
    # How late it is is in the line itself.
    return joined(line, "" if item.state in ("draft", "overdue") else state_words(item.invoice, item.state))


@picker(Invoice)
def pick_invoice(asked: RecordQuestion) -> Invoice | None:
    """An invoice, a draft or a credit note, with its client, its total and its state. Raises Back."""
    by = ListConventions.of(asked.crm.conventions)

    def fetch(limit: int, offset: int) -> Sequence[tuple[str, Invoice]]:
        items = named("invoices list")(asked.crm, limit=limit, offset=offset)
        return [(shown_line(item, by), item.invoice) for item in items]

    picked: Invoice | None = pick_listed(
        asked.keyboard, f"{asked.label}:", fetch, nothing="no invoices yet", required=asked.required
    )
    return picked


@line_for(Adjustment)
def adjustment_line(adjustment: Adjustment, by: Conventions, _: str = "") -> str:
    """A discount or a charge on one line."""
    return joined(adjustment_words(adjustment, by, None), f"no. {adjustment.id}")


@line_for(Payment)
def payment_line(payment: Payment, by: Conventions, client: str = "") -> str:
    """A payment or a refund on one line."""
    amount = money_in(payment.currency, by, payment.amount)
    refund = "refund" if payment.kind == "refund" else ""
    return joined(by.day(payment.on), refund, amount, client, payment.reference, f"no. {payment.id}")


@picker(Invoice, several=True)
def pick_invoices(crm: CRM, keyboard: Keyboard, label: str, beside: Mapping[str, Any]) -> list[Invoice]:
    """The invoices that a payment is for, in the order in which it pays them: open ones of the client that stands
    `beside`, or whose payment does. None is named where what is due first is paid first. Raises Back."""
    offered, by = _open_invoices(crm, beside), ListConventions.of(crm.conventions)
    chosen: list[Invoice] = []
    while True:
        numbers = ", ".join(invoice.number for invoice in chosen)
        left = [invoice for invoice in offered if invoice not in chosen]
        if not left:
            return chosen
        enough = Choice("Only these" if chosen else "Oldest first", None)
        entries = [enough, *(Choice(invoice_line(invoice, by), invoice) for invoice in left)]
        try:
            picked = keyboard.choose(f"{label}: {numbers}" if chosen else f"{label}:", entries)
        except Back:
            if not chosen:
                raise
            chosen.pop()
            continue
        if picked is None:
            return chosen
        chosen.append(picked)


def _open_invoices(crm: CRM, beside: Mapping[str, Any]) -> list[Invoice]:
    client: Client | None = beside.get("client")
    payment: Payment | None = beside.get("payment")
    if client is None and payment is not None:
        client = crm.get(Client, payment.client)
    if client is None:
        return []
    listed = named("invoices list")(crm, client=client, state="open", sort="due_on", limit=_MOST)
    return [item.invoice for item in listed]
