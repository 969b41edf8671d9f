"""Reminders that wait in the outbox while their invoices are paid: they do not go out any more."""

from collections.abc import Mapping, Sequence

from crm.model import Invoice, Reminder
from crm.repository import Query, Transaction
from crm.repository.queries import billing


def reminders_paid(tx: Transaction, messages: Sequence[int]) -> Mapping[int, str]:
    """The reasons why reminders among some messages must not go out, by message: something was paid today, or nothing
    is open. Of these the invoices count as not reminded, so that the next run reminds of what is still open."""
    reminders = tx.find_all(Reminder, Query({"message": list(messages)})) if messages else ()
    if not reminders:
        return {}
    invoices = {reminder.invoice: tx.get(Invoice, reminder.invoice) for reminder in reminders}
    last_paid = billing.last_paid(tx, list(invoices))
    reasons = {
        reminder.message: f"{invoices[reminder.invoice].number} has been paid since"
        for reminder in reminders
        if invoices[reminder.invoice].open <= 0 or last_paid.get(reminder.invoice) == tx.today
    }
    for reminder in reminders:
        if reminder.message in reasons:
            before = tx.find_all(Reminder, Query({"invoice": reminder.invoice}, sort="level"))
            earlier = [other for other in before if other.level < reminder.level]
            reminded_on = earlier[-1].on if earlier else None
            level = earlier[-1].level if earlier else 0
            tx.change(tx.get(Invoice, reminder.invoice), reminded=level, reminded_on=reminded_on)
            tx.delete(reminder)
    return reasons
