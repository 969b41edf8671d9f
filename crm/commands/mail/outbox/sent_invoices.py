"""Invoices whose e-mail has left the outbox: only then they count as sent."""

from collections.abc import Sequence

from crm.model import Invoice, Message
from crm.repository import Query, Transaction


def note_sent_invoices(tx: Transaction, settled: Sequence[Message]) -> None:
    """Write into the invoices that went out with some messages when they were sent, and that it was once more."""
    # An invoice goes out in an e-mail of its own.
    sent = {message.id: message for message in settled if message.state == "sent" and message.attachments}
    sent = {number: message for number, message in sent.items() if not message.mailing}
    if not sent:
        return
    clients = sorted({message.client for message in sent.values()})
    for invoice in tx.find_all(Invoice, Query({"client": clients, "message": sorted(sent)})):
        sendings = max(invoice.sendings, bool(invoice.sent_on)) + 1
        tx.change(invoice, sent_on=sent[invoice.message].on, sendings=sendings)
