"""Payments at the menu: the list of them, and one with the invoices that it is on."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from crm.commands.billing.payments import PaymentCard
from crm.commands.registry import named
from crm.model import Payment
from crm.repository.queries.billing import credit_by_currency
from crm.terminal.billing.rendering import PAYMENTS, money_in
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.drawing.screen import clean
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, list_page, own_list
from crm.terminal.toolkit.pages import flow, says_done
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import Session

_PUT = "Applied it to invoices."
says_done("payments add", lambda _: "Recorded the payment.")
says_done("payments refund", lambda _: "Recorded the refund.")
says_done("payments allocate", lambda _: _PUT)


@flow("payments add")
def add(session: Session, **known: Any) -> None:
    """The client and the payment; the client's existing credit is shown before the amount is asked for."""
    crm = session.crm

    def foresee(answers: Mapping[str, Any]) -> None:
        if (client := answers.get("client")) is None:
            return
        with crm.read() as snapshot:
            credits = credit_by_currency(snapshot, [client.id]).get(client.id, {})
        amounts = ", ".join(money_in(currency, crm.conventions, credit) for currency, credit in credits.items())
        if amounts:
            text = f"{client.name} has a credit of {amounts}. Open an invoice to use it."
            session.screen.print(Text(clean(text), "muted"))

    session.lead(named("payments add"), foresee=foresee, **known)


@list_page
class PaymentsPage(ListPage):
    """Payments and refunds, the newest first."""

    title = "Payments"
    purpose = "A payment is money that a client paid, for one invoice or several. Refunds are listed here too."
    command = "payments list"
    holds = "payment"
    columns = PAYMENTS
    sorts: Mapping[str, str] = {"Date": "on", "Amount": "amount"}
    filter_by: Mapping[str, str] = {
        "client": "Client", "kind": "Payments or refunds", "since": "From date", "until": "To date",
    }  # fmt: skip

    def keys(self) -> Sequence[Choice]:
        add = letters.NEW(self.starts("payments add"), "payment")
        return [add, self.filter_key()]


@own_list
class OwnPaymentsPage(PaymentsPage):
    """One's own payments: there is nothing to do with one."""

    title = "My payments"
    purpose = "What you pay us appears here."
    hides = ("Client", "Method")
    filter_by: Mapping[str, str] = {}

    def keys(self) -> list[Choice]:
        return []

    def open(self, row: object) -> None:
        raise Back


@record_page(Payment)
class PaymentPage(RecordPage[Payment, PaymentCard]):
    """A payment, and what can be done with it."""

    command = "payments show"

    def entries(self) -> Sequence[Choice]:
        session, payment = self.session, self.record
        is_payment = payment.kind == "payment"
        use = Choice("Apply the rest to invoices", lambda: _use(session, payment), instant=True)
        return [
            *([use] if self.card.left > 0 else []),
            *(Choice(f"Open {invoice.number}", lambda invoice=invoice: session.open(invoice))
              for invoice, _ in self.card.parts),
            *([Choice("Send a receipt", self.starts("receipts send"))] if is_payment else []),
            Choice("Open the client", lambda: session.open(self.card.client)),
        ]  # fmt: skip


def _use(session: Session, payment: Payment) -> None:
    card = session.call("payments allocate", payment=payment)
    session.done(_PUT)
    session.tell(card)
