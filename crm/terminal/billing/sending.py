"""Invoices, receipts and statements by e-mail at the menu: whether any can be sent is known before the questions."""

from typing import Any

from crm.commands.mail.outbox import refuse_unsendable
from crm.commands.mail.outbox.sending import unsendable
from crm.commands.registry import named
from crm.model import Invoice, Payment
from crm.terminal.billing.choosing import choose_invoice, choose_payment
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session


@flow("invoices send")
def send_invoice(session: Session, invoice: Invoice | None = None, **arguments: Any) -> None:
    """The sending of an issued invoice: its recipient, and a preview of the e-mail."""
    refuse_unsendable(session.crm)
    session.lead(named("invoices send"), invoice=invoice or choose_invoice("issued", session), **arguments)


@flow("receipts send")
def send_receipt(session: Session, payment: Payment | None = None, **arguments: Any) -> None:
    """A payment, and the receipt as it will be: an SMS does where there is no e-mail."""
    if unsendable(session.crm, "sms"):
        refuse_unsendable(session.crm)
    session.lead(named("receipts send"), payment=payment or choose_payment(session), **arguments)


@flow("statements send")
def send_statement(session: Session, **arguments: Any) -> None:
    """A client, and the e-mail with its account as it will be."""
    refuse_unsendable(session.crm)
    session.lead(named("statements send"), **arguments)
