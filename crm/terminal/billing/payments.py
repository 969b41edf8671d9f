"""Payments at the menu: the list of them, and one with the invoices that it is on."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.registry import named
from crm.model import Payment
from crm.terminal.billing.rendering import PAYMENTS, draw_payment
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import page, says_done
from crm.terminal.toolkit.session import Session

_PUT = "Put it on invoices."
says_done("payments add", lambda _: "Recorded the payment.")
says_done("payments refund", lambda _: "Recorded the refund.")
says_done("payments allocate", lambda _: _PUT)


@list_page
class PaymentsPage(ListPage):
    """Payments and refunds, the newest first."""

    title = "Payments"
    command = "payments list"
    columns = PAYMENTS
    sorts: Mapping[str, str] = {"Date": "on", "Amount": "amount"}
    filter_by: Mapping[str, str] = {
        "client": "A client", "kind": "Payments or refunds", "since": "Since a day", "until": "Until a day",
    }  # fmt: skip

    def keys(self) -> Sequence[Choice]:
        client = self.filters.get("client")
        whom = {"client": client} if client else {}
        add = letters.NEW(lambda: self.session.start(named("payments add"), **whom), "payment")
        return [add, self.filter_key()]

    def open(self, row: Any) -> None:
        payment_page(self.session, row.payment)


@page(Payment, "payments show")
def payment_page(session: Session, payment: Payment) -> None:
    """A payment whole, and what can be done with it, until the person goes back."""
    seen: dict[str, Any] = {}

    def crumbs() -> list[str]:
        seen["card"] = named("payments show")(session.crm, payment)
        return ["Payments", f"Payment {payment.id}"]

    def above() -> None:
        draw_payment(seen["card"], session.screen, session.crm.conventions)
        session.screen.print()

    def entries() -> list[Choice]:
        card = seen["card"]
        use = Choice("Use what is left of it for invoices", lambda: _use(session, payment))
        receipt = Choice("Send a receipt", lambda: session.start(named("receipts send"), payment=payment))
        return [
            *([use] if card.payment.left > 0 and card.payment.kind == "payment" else []),
            *(Choice(f"Open {invoice.number}", lambda invoice=invoice: session.open(invoice))
              for invoice, _ in card.parts),
            *([receipt] if card.payment.kind == "payment" else []),
            Choice("Open the client", lambda: session.open(card.client)),
        ]  # fmt: skip

    session.menu(crumbs, entries, above=above)


def _use(session: Session, payment: Payment) -> None:
    card = session.call("payments allocate", payment=payment)
    session.done(_PUT)
    session.tell(card)
