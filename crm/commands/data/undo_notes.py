"""The sentences about what an undo leaves as it is."""

from collections.abc import Sequence

from crm.commands.context import CRM
from crm.model import Client, Invoice, Payment, User
from crm.repository import HistoryEntry, HistoryQuery, Query, Snapshot, was_issued_since
from crm.repository.undo import RESTORE_STAYS, issued_in
from crm.wording import FEW, first_few


def kept_by_undo(crm: CRM, snapshot: Snapshot, entry: HistoryEntry) -> Sequence[str]:
    """The sentences about what the undo of a transaction does not take back: accounts that stay closed, invoices that
    were issued since, receipts that went out."""
    sentences = (_still_closed(snapshot, entry), _issued_since(snapshot, entry), _receipts(crm, snapshot, entry))
    return [sentence for sentence in sentences if sentence]


def cannot_be_undone(snapshot: Snapshot, entry: HistoryEntry) -> str:
    """The sentence that what was done last cannot be undone, with what can be done instead; '' where nothing can."""
    return f"Last change: {entry.what}. {RESTORE_STAYS}" if entry.is_restore else _issued_by(snapshot, entry)


def _issued_by(snapshot: Snapshot, entry: HistoryEntry) -> str:
    """The sentence that what a transaction issued cannot be undone, and what can be done instead; '' where it issued
    nothing."""
    invoice = issued_in(snapshot, entry)
    if invoice is None:
        return ""
    # A list of the history needs no invoices.
    from crm.repository.bills import instead_of_changing

    return f"{invoice.number} was issued, which cannot be undone. {instead_of_changing(invoice, command=False)}"


def _still_closed(snapshot: Snapshot, entry: HistoryEntry) -> str:
    """The accounts that a transaction deactivated and that stay so."""
    changes = snapshot.each_change(HistoryQuery(transaction=entry.id, about=User.kind_name))
    closed = [change.record_id for change in changes if change.after.get("active") is False]
    accounts = [user for user in snapshot.find_all(User, Query({"id": closed})) if not user.active] if closed else []
    if not accounts:
        return ""
    stay = f"{first_few([account.email for account in accounts])} stay deactivated until an admin activates them"
    return f"Undo does not reactivate accounts: {stay}."


def _issued_since(snapshot: Snapshot, entry: HistoryEntry) -> str:
    """The drafts that a transaction gave to another client and that were issued to it since."""
    changes = snapshot.each_change(HistoryQuery(transaction=entry.id, about=Invoice.kind_name))
    moved = {change.record_id for change in changes if "client" in change.before and "client" in change.after}
    if not moved:
        return ""
    issued = snapshot.find_all(Invoice, Query({"id": sorted(moved), "state": "issued"}))
    since = [invoice for invoice in issued if was_issued_since(snapshot, invoice.id, entry.id)]
    if not since:
        return ""
    clients = snapshot.find_all(Client, Query({"id": sorted({invoice.client for invoice in since})}))
    verb = "was issued since and stays" if len(since) == 1 else "were issued since and stay"
    numbers = first_few([invoice.number for invoice in since])
    return f"{numbers} {verb} with {first_few([client.name for client in clients])}."


def _receipts(crm: CRM, snapshot: Snapshot, entry: HistoryEntry) -> str:
    """The payments that a transaction recorded and for which a receipt was sent."""
    changes = snapshot.each_change(HistoryQuery(transaction=entry.id, about=Payment.kind_name))
    recorded = [change.record_id for change in changes if change.operation == "create"]
    sent = [
        (payment, crm.clock.day_of(change.at))
        for payment in recorded[:FEW]
        for change in snapshot.each_change(HistoryQuery(about=Payment.kind_name, number=payment))
        if change.after.get("receipts")
    ]
    return " ".join(
        f"A receipt for payment {payment} went out on {crm.conventions.day(day)}. Tell the client if that was wrong."
        for payment, day in sent
    )
