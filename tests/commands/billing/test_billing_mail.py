"""Invoices, receipts, reminders and statements by e-mail: each sent once, and none to a client who has paid."""

import io
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from crm.commands.billing import reminders, sending
from crm.errors import Question, RefusedError
from crm.model import Client, Invoice, Reminder
from crm.outward.einvoice import check
from tests.commands.billing.conftest import BillingDesk
from tests.support.clocks import TODAY
from tests.support.firm import set_seller
from tests.support.mail_desk import MailDesk


class MailedDesk(BillingDesk):
    """A billing desk from which e-mail is sent to a server on loopback."""

    def __init__(self, mail: MailDesk) -> None:
        self.mail = mail
        self.crm = mail.crm
        set_seller(self.crm)
        self.acme = self(
            "clients add",
            {"company": "Acme {x}", "address": "Weg 1", "city": "Wien", "country": "AT", "email": "a@example.com"},
        )

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mail.post.taken]

    def invoice(self, invoice: Invoice) -> Invoice:
        with self.crm.read() as snapshot:
            return snapshot.get(Invoice, invoice.id)

    def late(self, days: int, what: str = "Late 100 19%") -> Invoice:
        """An invoice that has been due for so many days."""
        on = TODAY - timedelta(days=days)
        return self.issued(what, on=on, due=on)


@pytest.fixture
def mailed(here: MailDesk) -> MailedDesk:
    return MailedDesk(here)


def test_an_invoice_goes_out_with_its_pdf_to_the_address_for_invoices(mailed: MailedDesk) -> None:
    mailed("clients edit", mailed.acme, {"invoice_email": "bills@example.com"})
    draft = mailed.draft("3 h {Braces} *stars* 100 19%")
    with pytest.raises(RefusedError, match="A draft cannot be sent"):
        mailed("invoices send", draft, yes=True)
    invoice = mailed("invoices issue", draft).invoice
    with pytest.raises(Question, match=rf"To: .*bills@example.com[\s\S]*{invoice.number}.pdf"):
        mailed("invoices send", invoice)
    card = mailed("invoices send", invoice, cc=("copy@example.com",), yes=True)
    assert (card.message.state, mailed.invoice(invoice).sent_on) == ("sent", TODAY)
    (mail,) = mailed.mail.post.taken
    assert mail["Subject"] == f"Invoice {invoice.number} from Us Ltd"
    assert f"Please find attached invoice {invoice.number} for €357.00" in mail.get_body(("plain",)).get_content()
    (attachment,) = mail.iter_attachments()
    assert attachment.get_filename() == f"{invoice.number}.pdf"
    assert attachment.get_content().startswith(b"%PDF")
    assert sorted(mailed.mail.post.recipients) == ["bills@example.com", "copy@example.com"]
    with pytest.raises(Question, match="was already sent"):
        mailed("invoices send", invoice)


def test_a_reminder_that_waits_does_not_go_out_once_something_was_paid(mailed: MailedDesk) -> None:
    """The server could not be reached when it was written; the invoice beside it is reminded of by the next run."""
    first, second = mailed.late(20), mailed.late(20, "Other 50 19%")
    reminders._reminded(mailed.crm, mailed.acme)
    assert mailed.invoice(second).reminded == 1
    mailed("payments add", mailed.acme, Decimal(119), invoice=[first])
    assert mailed.mail.send().stopped == ""
    assert mailed.mail.post.taken == []
    (message,) = mailed.mail.messages().values()
    assert (message.state, message.failure) == ("cancelled", f"{first.number} has been paid since")
    assert [mailed.invoice(invoice).reminded for invoice in (first, second)] == [0, 0]
    mailed("reminders run", yes=True)
    (mail,) = mailed.mail.post.taken
    text = mail.get_body(("plain",)).get_content()
    assert second.number in text
    assert first.number not in text


def test_a_run_finishes_an_interrupted_run(mailed: MailedDesk) -> None:
    mailed.late(20)
    reminders._reminded(mailed.crm, mailed.acme)
    with pytest.raises(Question, match="earlier run that are not sent yet: 1"):
        mailed("reminders run")
    done = mailed("reminders run", yes=True)
    assert (done.resumed, done.waiting, done.reminded) == (1, 0, [])
    assert mailed.subjects() == ["Payment reminder from Us Ltd"]
    assert mailed("reminders run", yes=True).resumed == 0


def test_a_statement_has_the_invoices_of_a_day_in_the_order_of_their_numbers(mailed: MailedDesk) -> None:
    first, second = mailed.draft("First 10"), mailed.draft("Second 20")
    numbers = [mailed("invoices issue", draft).invoice.number for draft in (second, first)]
    lines = mailed("statements show", mailed.acme).statement.lines
    assert [line.entry.reference for line in lines] == numbers


def test_a_statement_names_what_is_open_in_other_currencies(mailed: MailedDesk) -> None:
    mailed.issued("Talk 10 0%", currency="JPY")
    mailed.issued("Walk 20 0%", currency="USD")
    account = mailed("statements show", mailed.acme, currency="EUR")
    assert account.statement.closing == 0
    assert account.open_elsewhere(mailed.crm.conventions) == "Open in other currencies: ¥10, $20.00."
    assert account.as_json()["elsewhere"] == [{"currency": "JPY", "open": "10"}, {"currency": "USD", "open": "20.00"}]
    # Nothing is in the currency of the team.
    own = mailed("statements show", mailed.acme)
    assert (own.statement.closing, own.open_elsewhere(mailed.crm.conventions)) == (
        10, "Open in other currencies: $20.00.",
    )  # fmt: skip
    mailed("statements send", mailed.acme, yes=True)
    assert "Open in other currencies" in mailed.mail.post.taken[0].get_body(("plain",)).get_content()
    mailed("payments add", mailed.acme, Decimal(10), currency="JPY")
    in_dollars = mailed("statements show", mailed.acme, currency="USD")
    assert (in_dollars.elsewhere, in_dollars.statement.closing) == ({}, 20)
    assert mailed("statements show", mailed.acme, until=TODAY - timedelta(days=1)).elsewhere == {}


def test_a_receipt_is_sent_once(mailed: MailedDesk) -> None:
    mailed.issued()
    paid = mailed("payments add", mailed.acme, Decimal(400)).payment
    mailed("receipts send", paid, yes=True)
    (mail,) = mailed.mail.post.taken
    text = mail.get_body(("plain",)).get_content()
    assert "€400.00" in text
    assert "credit: €43.00" in text
    with pytest.raises(RefusedError, match="was sent by e-mail already"):
        mailed("receipts send", paid, yes=True)
    assert len(mailed.mail.post.taken) == 1


def test_a_payment_is_undone_though_its_receipt_went_out(mailed: MailedDesk) -> None:
    invoice = mailed.issued()
    paid = mailed("payments add", mailed.acme, Decimal(357)).payment
    mailed("receipts send", paid, yes=True)
    undone = mailed("history undo", yes=True)
    day = mailed.crm.conventions.day(TODAY)
    assert undone.left_out == f"A receipt for payment {paid.id} went out on {day}. Tell the client if that was wrong."
    assert (mailed.invoice(invoice).open, len(mailed.mail.post.taken)) == (Decimal(357), 1)
    mailed("history redo")
    assert mailed.invoice(invoice).open == 0
    with pytest.raises(RefusedError, match="was sent by e-mail already"):
        mailed("receipts send", paid, yes=True)


def test_nothing_in_a_record_becomes_a_link_in_an_email(mailed: MailedDesk) -> None:
    words = "2*3*4 [pay here](https://evil.example) {first_name} `x` <b>"
    mailed("settings set", "company_name", words)
    mailed.crm.forget_settings()
    invoice = mailed.late(20)
    mailed("invoices send", invoice, yes=True)
    mailed("reminders run", yes=True)
    paid = mailed("payments add", mailed.acme, Decimal(1), reference=words).payment
    mailed("receipts send", paid, yes=True)
    mailed("statements send", mailed.acme, yes=True)
    assert len(mailed.mail.post.taken) == 4
    for mail in mailed.mail.post.taken:
        page = mail.get_body(("html",)).get_content()
        assert "[pay here]" in page or "Statement" in page
        assert "href" not in page
        assert not [tag for tag in ("<em>", "<code>", "<b>") if tag in page]


def test_a_client_with_an_unreadable_address_is_left_out_of_a_run(mailed: MailedDesk) -> None:
    late = mailed.late(20)
    other = mailed("clients add", {"company": "Best", "address": "Weg 2", "city": "Graz", "country": "AT"})
    with mailed.crm.read() as snapshot:
        current = snapshot.get(Client, other.id)
    mailed.crm.repository.transact(lambda tx: tx.change(current, invoice_email="n/a"), "imported")
    draft = mailed("invoices add", other, ["Late 10 19%"]).invoice
    on = TODAY - timedelta(days=19)
    mailed("invoices issue", draft, on=on, due=on)
    run = mailed("reminders run", yes=True)
    assert [item.client.name for item in run.reminded] == ["Acme {x}"]
    assert [(item.client.name, "n/a cannot be used" in item.hindered) for item in run.left_out] == [("Best", True)]
    assert (run.exit_code, mailed.invoice(late).reminded) == (1, 1)


def test_two_desks_do_not_send_the_same_invoice(mailed: MailedDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = mailed.issued()
    attached = sending._attached_files

    def meanwhile(*arguments: Any) -> tuple[str, ...]:
        monkeypatch.setattr(sending, "_attached_files", attached)
        mailed("invoices send", invoice, yes=True)
        return attached(*arguments)

    monkeypatch.setattr(sending, "_attached_files", meanwhile)
    with pytest.raises(Question, match="was already sent") as asked:
        mailed("invoices send", invoice, yes=True)
    assert (asked.value.parameter, asked.value.yes) == ("again", "")
    assert len(mailed.mail.post.taken) == 1


def test_an_invoice_whose_mail_waits_in_the_outbox_is_not_sent_yet(
    mailed: MailedDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it has left, however late, it is sent; a mail that failed does not stand in the way of another."""
    waiting, failed, unsure = mailed.issued(), mailed.issued(), mailed.issued()
    with monkeypatch.context() as nothing_leaves:
        nothing_leaves.setattr(sending, "tried", lambda _, queued: queued)
        queued = [mailed("invoices send", invoice, yes=True) for invoice in (waiting, failed, unsure)]
    for again in (False, True):
        with pytest.raises(
            RefusedError, match=r"is waiting in the outbox. `email outbox` sends it. Nothing was sent now"
        ):
            mailed("invoices send", waiting, again=again, yes=True)
    mailed.crm.transact(lambda tx: tx.change(queued[1], state="failed"), "test")
    mailed.crm.transact(lambda tx: tx.change(queued[2], state="unsure"), "test")
    card = mailed("invoices show", waiting)
    assert (card.message_state, card.as_json()["sent_on"], card.as_json()["sendings"]) == ("queued", None, 0)
    assert mailed("invoices send", failed, yes=True).message.state == "sent"
    with pytest.raises(Question, match="may have been sent already"):
        mailed("invoices send", unsure, yes=True)
    mailed("email outbox")
    assert [(mailed.invoice(invoice).sent_on, mailed.invoice(invoice).sendings) for invoice in (waiting, failed)] == [
        (TODAY, 1), (TODAY, 1),
    ]  # fmt: skip
    assert mailed.invoice(unsure).sent_on is None
    with pytest.raises(Question, match="was already sent, on"):
        mailed("invoices send", waiting, yes=True)
    assert len(mailed.mail.post.taken) == 2


def test_an_invoice_sent_while_the_question_was_open_is_asked_about_again(mailed: MailedDesk) -> None:
    invoice = mailed.issued()
    with pytest.raises(Question, match="Send this to"):
        mailed("invoices send", invoice)
    mailed("invoices send", invoice, yes=True)
    with pytest.raises(Question, match="was already sent, on"):
        mailed("invoices send", invoice, yes=True)
    with pytest.raises(Question, match="Send this to"):
        mailed("invoices send", invoice, again=True)
    mailed("invoices send", invoice, again=True, yes=True)
    with pytest.raises(Question, match="was already sent, 2 times, last on"):
        mailed("invoices send", invoice, yes=True)
    assert (mailed.invoice(invoice).sendings, len(mailed.mail.post.taken)) == (2, 2)
    data = mailed("invoices show", invoice).as_json()
    assert (data["sent_on"], data["sendings"]) == (TODAY, 2)


def test_an_invoice_is_mailed_to_its_address_with_a_template(mailed: MailedDesk) -> None:
    mailed("clients edit", mailed.acme, {"invoice_format": "none"})
    template = mailed("templates add", "Bill", subject="For {name}", body="Dear {name}, **here** it is.")
    mailed("invoices send", mailed.issued(), to=("to@example.com", "also@example.com"), cc=("cc@example.com",),
           bcc=("bcc@example.com",), template=template, yes=True)  # fmt: skip
    (mail,) = mailed.mail.post.taken
    assert sorted(mailed.mail.post.recipients) == [
        "also@example.com", "bcc@example.com", "cc@example.com", "to@example.com",
    ]  # fmt: skip
    assert (mail["To"], mail["CC"], mail["BCC"]) == ("to@example.com, also@example.com", "cc@example.com", None)
    assert mail["Subject"] == "For Acme {x}"
    assert mail.get_body(("plain",)).get_content().startswith("Dear Acme {x}, ")
    (attachment,) = mail.iter_attachments()
    # A client who wants no e-invoice gets a PDF alone.
    assert list(PdfReader(io.BytesIO(attachment.get_content())).attachments) == []


def test_the_format_of_the_client_goes_with_the_mail(mailed: MailedDesk) -> None:
    for name, value in (("company_email", "us@example.com"), ("company_phone", "+49 30 1"), ("company_postcode", "1")):
        mailed("settings set", name, value)
    mailed.crm.forget_settings()
    mailed("clients edit", mailed.acme, {"invoice_format": "xrechnung-ubl"})
    draft = mailed.draft()
    with pytest.raises(RefusedError, match=r"as xrechnung-ubl, which Acme \{x\} needs. Missing: the client's postcode"):
        mailed("invoices issue", draft)
    mailed("clients edit", mailed.acme, {"postcode": "1010"})
    with pytest.raises(RefusedError, match=r"the buyer's reference \(Leitweg-ID\)"):
        mailed("invoices issue", draft)
    mailed("invoices edit", draft, {"buyer_reference": "04011000-12345-34"})
    invoice = mailed("invoices issue", draft).invoice
    with pytest.raises(Question, match=rf"Attached: {invoice.number}.pdf, {invoice.number}.xml"):
        mailed("invoices send", invoice)
    mailed("invoices send", invoice, yes=True)
    pdf, xml = (part.get_content() for part in mailed.mail.post.taken[0].iter_attachments())
    assert list(PdfReader(io.BytesIO(pdf)).attachments) == []
    checked = check(xml if isinstance(xml, bytes) else xml.encode())
    assert (checked.format, checked.faults) == ("XRechnung 3, UBL", ())


def test_a_sent_invoice_keeps_its_reference(mailed: MailedDesk) -> None:
    invoice, acme = mailed.issued(), mailed.acme
    for reference in ("AAA-111", "BBB-222"):
        with mailed.crm.read() as snapshot:
            acme = snapshot.get(Client, acme.id)
        mailed("clients edit", acme, {"buyer_reference": reference})
        mailed("invoices send", invoice, again=True, yes=True)
        assert mailed("invoices show", invoice).document.buyer_reference == "AAA-111"
    assert mailed("check").wrong == []


def test_a_question_before_sending_says_that_no_einvoice_is_inside(mailed: MailedDesk) -> None:
    invoice = mailed.issued(currency="KWD")
    with pytest.raises(Question) as asked:
        mailed("invoices send", invoice)
    assert "No e-invoice is inside. Missing: " in str(asked.value)
    assert "Nothing was changed" not in str(asked.value)


def test_reminders_go_once_per_client_and_not_after_a_payment_or_promise(mailed: MailedDesk) -> None:
    first, second = mailed.late(40), mailed.late(5, "Later 10 19%")
    (item,) = mailed("reminders preview")
    assert [(invoice.number, due.level.number) for invoice, due in item.due] == [(first.number, 1), (second.number, 1)]
    with pytest.raises(Question, match="1 client is reminded"):
        mailed("reminders run")
    for _ in range(3):
        mailed("reminders run", yes=True)
    assert mailed.subjects() == ["Payment reminder from Us Ltd"]
    text = mailed.mail.post.taken[0].get_body(("plain",)).get_content()
    assert all(invoice.number in text for invoice in (first, second))
    with mailed.crm.read() as snapshot:
        assert sorted((item.invoice, item.level) for item in snapshot.find_all(Reminder)) == [
            (first.id, 1), (second.id, 1),
        ]  # fmt: skip
    assert (mailed.invoice(first).reminded, mailed.invoice(first).reminded_on) == (1, TODAY)


def test_a_payment_of_today_a_promise_and_a_skip_keep_a_reminder_back(mailed: MailedDesk) -> None:
    paid, promised, skipped = mailed.late(22, "A 50 19%"), mailed.late(21, "B 50 19%"), mailed.late(20, "C 50 19%")
    mailed("payments add", mailed.acme, Decimal(5), invoice=[paid])
    mailed("reminders promise", promised, TODAY + timedelta(days=3))
    mailed("reminders skip", skipped)
    assert mailed("reminders preview") == []
    assert mailed("reminders run", yes=True).reminded == []
    with pytest.raises(RefusedError, match="Nothing is open"):
        mailed("reminders skip", mailed.draft())
    (owing,) = mailed("unpaid list")
    assert (owing.client_name, owing.open, owing.overdue) == ("Acme {x}", Decimal("173.50"), Decimal("173.50"))
    assert (owing.to_30, owing.over_90, owing.oldest_days) == (Decimal("173.50"), 0, 22)
    assert owing.promised_on == TODAY + timedelta(days=3)


def test_overdue_invoices_are_on_today_oldest_first(mailed: MailedDesk) -> None:
    late, later = mailed.late(20), mailed.late(5)
    mailed.issued()
    items = mailed("agenda").items
    assert [(item.what, item.why) for item in items] == [
        (f"Invoice {late.number}", "overdue for 20 days"), (f"Invoice {later.number}", "overdue for 5 days"),
    ]  # fmt: skip
    mailed("payments add", mailed.acme, Decimal(119), invoice=[late])
    assert [item.record.id for item in mailed("agenda").items] == [later.id]


def test_age_groups_of_unpaid_amounts_have_exact_limits(mailed: MailedDesk) -> None:
    for days in (95, 91, 90, 61, 60, 31, 30, 1, 0):
        mailed.late(days, "One 1 19%")
    (owing,) = mailed("unpaid list")
    one = Decimal("1.19")
    ages = (owing.not_due, owing.to_30, owing.to_60, owing.to_90, owing.over_90)
    assert ages == (one, 2 * one, 2 * one, 2 * one, 2 * one)
    assert mailed("unpaid list", days=96) == []


def test_a_statement_of_today_says_how_long_what_is_open_has_been_due(mailed: MailedDesk) -> None:
    for days, what in ((95, "A 100 19%"), (31, "B 10 19%"), (30, "C 1 19%"), (0, "D 1000 19%")):
        mailed.late(days, what)
    mailed.issued("Abroad 5 19%", currency="USD")
    mailed("payments add", mailed.acme, Decimal(19))
    account = mailed("statements show", mailed.acme)
    words = (
        "not due yet €1,190.00, 1 to 30 days overdue €1.19, 31 to 60 days overdue €11.90, over 90 days overdue €100.00"
    )
    assert account.by_age(mailed.crm.conventions) == f"Open: {words}."
    assert sum(account.ages.values()) == account.statement.closing
    mailed("statements send", mailed.acme, yes=True)
    text = mailed.mail.post.taken[-1].get_body(("plain",)).get_content()
    assert words in " ".join(text.split())
    past = mailed("statements show", mailed.acme, until=TODAY - timedelta(days=1))
    assert (past.ages, past.by_age(mailed.crm.conventions)) == ({}, "")


def test_a_statement_names_the_credit_in_other_currencies(mailed: MailedDesk) -> None:
    mailed.issued("New 50 0%")
    mailed("payments add", mailed.acme, Decimal("5.125"), currency="KWD")
    account = mailed("statements show", mailed.acme)
    assert account.as_json()["credit_elsewhere"] == [{"currency": "KWD", "credit": "5.125"}]
    assert "Credit in other currencies: KWD" in account.open_elsewhere(mailed.crm.conventions)
    mailed("statements send", mailed.acme, yes=True)
    assert "Credit in other currencies: KWD" in mailed.mail.post.taken[-1].get_body(("plain",)).get_content()


def test_a_statement_has_every_entry_and_the_balance(mailed: MailedDesk) -> None:
    invoice = mailed.late(20, "A 100 19%")
    mailed("payments add", mailed.acme, Decimal(200), on=TODAY - timedelta(days=10), reference="bank 1")
    mailed("invoices credit", invoice, amount=Decimal(19))
    mailed("payments refund", mailed.acme, Decimal(50))
    account = mailed("statements show", mailed.acme).statement
    assert [(line.entry.kind, f"{line.change:f}", f"{line.balance:f}") for line in account.lines] == [
        ("invoice", "119.00", "119.00"), ("payment", "-200.00", "-81.00"), ("credit note", "-19.00", "-100.00"),
        ("refund", "50.00", "-50.00"),
    ]  # fmt: skip
    later = mailed("statements show", mailed.acme, TODAY - timedelta(days=5)).statement
    assert (later.opening, later.closing, len(later.lines)) == (Decimal("-81.00"), Decimal("-50.00"), 2)
    mailed("statements send", mailed.acme, yes=True)
    assert mailed.subjects() == ["Statement of account from Us Ltd"]
    sent = " ".join(mailed.mail.post.taken[-1].get_body(("plain",)).get_content().split())
    amounts = re.findall(r": (\S+), balance (\S+?)(?= )", sent)
    assert amounts == [
        ("\u20ac119.00", "\u20ac119.00"), ("-\u20ac200.00", "-\u20ac81.00"), ("-\u20ac19.00", "-\u20ac100.00"),
        ("\u20ac50.00", "-\u20ac50.00"),
    ]  # fmt: skip
    assert mailed("check").wrong == []
