"""Billing in the timeline of a client: invoices, payments and reminders, filtered by kind."""

from datetime import timedelta
from decimal import Decimal

from crm.commands.timeline_sources import EntryKinds
from crm.model import Conventions
from crm.terminal.drawing.cards import entry_line
from tests.commands.billing.test_billing_mail import MailedDesk
from tests.commands.billing.test_billing_mail import mailed as mailed
from tests.support.clocks import TODAY


def test_a_timeline_shows_invoices_payments_receipts_and_reminders(mailed: MailedDesk) -> None:
    late = mailed.late(10)
    mailed("invoices credit", late, amount=Decimal(19))
    mailed.draft("Never seen 5 19%")
    mailed("reminders run", yes=True)
    foreign = mailed.issued("Far 10 19%", currency="CHF", on=TODAY - timedelta(days=1))
    first = mailed("payments add", mailed.acme, Decimal(60), on=TODAY - timedelta(days=4), reference="bank 7").payment
    mailed("receipts send", first, yes=True)
    mailed("payments add", mailed.acme, Decimal(60), duplicate_ok=True)
    mailed("payments refund", mailed.acme, Decimal(20))
    kinds = EntryKinds().read("billing", Conventions())
    entries = mailed("timeline", mailed.acme, kinds).entries
    credited = next(entry for entry in entries if entry.what.startswith("Credit note"))
    assert [(entry.kind, entry.what, entry.amount) for entry in entries if entry is not credited] == [
        ("payment", "Refund 3", Decimal(20)),
        ("payment", "Payment 2", Decimal(60)),
        ("reminder", f"Reminder 1 of {late.number}", None),
        ("invoice", f"Invoice {foreign.number}", Decimal("11.90")),
        ("payment", "Payment 1 (bank 7), receipt sent", Decimal(60)),
        ("invoice", f"Invoice {late.number}", Decimal(119)),
    ]
    assert (credited.what, credited.amount, credited.on) == (f"Credit note GS-2026-0001 for {late.number}", 19, TODAY)
    by = mailed.crm.conventions
    lines = [entry_line(entry, by).plain for entry in entries]
    assert f"CHF11.90  Invoice {foreign.number}" in lines
    only = mailed("timeline", mailed.acme, EntryKinds().read("reminders", by)).entries
    assert [(entry.what, entry.record, entry.id) for entry in only] == [
        (f"Reminder 1 of {late.number}", "invoice", late.id)
    ]
    pages = [mailed("timeline", mailed.acme, kinds, limit=2, offset=at).entries for at in range(0, 7, 2)]
    assert [entry for page in pages for entry in page] == list(entries)
