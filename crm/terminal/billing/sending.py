"""Invoices, receipts and statements by e-mail at the menu: whether any can be sent is known before the questions."""

from typing import Any

from crm.commands.mail.outbox import refuse_unsendable
from crm.commands.mail.outbox.sending import unsendable
from crm.commands.registry import named
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session


@flow("invoices send")
def send_invoice(session: Session, **arguments: Any) -> None:
    """An issued invoice, to whom it goes, and the e-mail as it will be."""
    refuse_unsendable(session.crm)
    session.lead(named("invoices send"), **arguments)


@flow("receipts send")
def send_receipt(session: Session, **arguments: Any) -> None:
    """A payment, and the receipt as it will be: an SMS does where there is no e-mail."""
    if unsendable(session.crm, "sms"):
        refuse_unsendable(session.crm)
    session.lead(named("receipts send"), **arguments)


@flow("statements send")
def send_statement(session: Session, **arguments: Any) -> None:
    """A client, and the e-mail with its account as it will be."""
    refuse_unsendable(session.crm)
    session.lead(named("statements send"), **arguments)
