"""Billing in the timelines of clients: what was issued, paid and reminded of."""

from crm.commands.timeline_entries import Entry
from crm.commands.timeline_sources import Keyed, Part, Row, Source, source
from crm.model import INVOICE_KINDS, PAYMENT_KINDS, Conventions, Invoice, Payment, Reminder
from crm.repository.queries import timeline


@source(Invoice, {"invoice": "invoices"}, {"billing": ["invoice"]}, place=40, first=True)
class Invoices(Source):
    """Issued invoices and credit notes: 'Credit note 2026-0002 for 2026-0001'."""

    def rows(self, part: Part) -> list[Keyed]:
        return part.keyed(timeline.invoices(part.snapshot, part.client, part.until, part.most), "issued_on")

    def own_rows(self, part: Part) -> list[Keyed]:
        """Whole records, without what the team notes for itself."""
        return super().rows(part)

    def entry(self, row: Row, by: Conventions) -> Entry:
        # A whole record knows what it corrects only by its id.
        about = f" for {row.corrects}" if isinstance(row.corrects, str) and row.corrects else ""
        text = f"{INVOICE_KINDS[row.kind].capitalize()} {row.number}{about}"
        return Entry(row.issued_on, "", "invoice", text, row.user, row.total, "invoice", row.id, currency=row.currency)


@source(Payment, {"payment": "payments"}, {"billing": ["payment"]}, place=41, first=True)
class Payments(Source):
    """Payments and refunds: 'Payment 3 (bank 7), receipt sent'."""

    def rows(self, part: Part) -> list[Keyed]:
        return part.keyed(timeline.payments(part.snapshot, part.client, part.until, part.most))

    def own_rows(self, part: Part) -> list[Keyed]:
        """Whole records, without the note and who recorded it."""
        return super().rows(part)

    def entry(self, row: Row, by: Conventions) -> Entry:
        reference = f" ({row.reference})" if row.reference else ""
        receipt = ", receipt sent" if row.receipts else ""
        text = f"{PAYMENT_KINDS[row.kind].capitalize()} {row.id}{reference}{receipt}"
        return Entry(row.on, "", "payment", text, row.user, row.amount, "payment", row.id, currency=row.currency)


@source(Reminder, {"reminder": "reminders"}, {"billing": ["reminder"]}, place=42)
class Reminders(Source):
    """Reminders, which lead to their invoices."""

    def rows(self, part: Part) -> list[Keyed]:
        return part.keyed(timeline.reminders(part.snapshot, part.client, part.until, part.most))

    def entry(self, row: Row, by: Conventions) -> Entry:
        text = f"Reminder {row.level} of {row.number}"
        return Entry(row.on, "", "reminder", text, row.user, None, "invoice", row.invoice)
