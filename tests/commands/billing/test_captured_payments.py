"""Money received, in a quick note: a payment if the client has open invoices, otherwise perhaps a sale."""

from decimal import Decimal

import pytest

from crm.errors import Question
from crm.model import Payment, Sale
from crm.repository import Query
from tests.commands.billing.conftest import BillingDesk


def asked_for(desk: BillingDesk, line: str, **answers: bool) -> str:
    with pytest.raises(Question) as question:
        desk("capture", line, yes=True, **answers)
    return question.value.parameter


def test_a_note_that_a_client_with_open_invoices_paid_is_a_payment(desk: BillingDesk) -> None:
    assert asked_for(desk, "Acme paid 312.80") == "sale"
    invoice = desk.issued("3 h Consulting 100 19%")
    for line in ("Acme paid 312.80", "got 312.80 from Acme"):
        assert asked_for(desk, line) == "payment"
        # Who says no is asked for the rest.
        assert asked_for(desk, line, payment=False) == "sale"
    assert asked_for(desk, "sold Acme 3 tables for 300") == "sale"
    with pytest.raises(Question, match=r"Payment of .*312\.80 from Acme"):
        desk("capture", "Acme paid 312.80", payment=True)
    done = desk("capture", "Acme paid 312.80", payment=True, yes=True)
    assert (done.payment.amount, done.sale, done.interaction) == (Decimal("312.80"), None, None)
    assert desk.again(invoice).paid == Decimal("312.80")
    with desk.store.repository.read() as snapshot:
        assert (snapshot.count(Payment, Query()), snapshot.count(Sale, Query())) == (1, 0)
    assert desk.sound()


@pytest.mark.parametrize(
    ("line", "paid", "note"),
    [("acme paid 300 deposit", "300", "deposit"), ("acme paid 100 by card", "100", "by card"),
     ("acme paid invoice", "357", "invoice"), ("acme paid in full", "357", "in full"), ("acme 200", "200", "")],
)  # fmt: skip
def test_a_payment_is_offered_however_it_is_written_where_something_is_open(
    one_desk: BillingDesk, line: str, paid: str, note: str
) -> None:
    one_desk.issued("3 h Consulting 100 19%")
    assert asked_for(one_desk, line) == "payment"
    done = one_desk("capture", line, payment=True, yes=True)
    assert (done.payment.amount, done.payment.note, done.interaction) == (Decimal(paid), note, None)


@pytest.mark.parametrize("line", ["acme paid invoice", "acme paid in full", "acme 200", "acme paid 3 invoices"])
def test_an_unclear_payment_stays_a_note(one_desk: BillingDesk, line: str) -> None:
    text = line.removeprefix("acme ").replace("paid ", "Paid: ")
    assert one_desk("capture", line, yes=True).interaction.subject == text
    one_desk.issued("3 h Consulting 100 19%")
    assert one_desk("capture", line, payment=False, yes=True).interaction.subject == text


def test_a_payment_that_is_recorded_already_is_asked_about(desk: BillingDesk) -> None:
    desk.issued("3 h Consulting 100 19%", "3 h Consulting 100 19%")
    desk("payments add", desk.acme, Decimal(300), reference="RE-1")
    line = "Acme paid 300"
    assert asked_for(desk, line, payment=True) == "duplicate_ok"
    assert desk("capture", line, payment=True, duplicate_ok=True, yes=True).payment.amount == 300
    # Of another sum, or another day, nothing is asked.
    assert desk("capture", "Acme paid 301", payment=True, yes=True).payment.amount == 301
    assert desk("capture", "Acme paid 300 yesterday", payment=True, yes=True).payment.amount == 300


def test_a_note_about_a_prepayment_can_be_a_payment(one_desk: BillingDesk) -> None:
    # A deposit is first of all a payment.
    assert asked_for(one_desk, "acme paid 300 deposit") == "payment"
    assert asked_for(one_desk, "acme paid 300 deposit", payment=False) == "sale"
    # Of any other sum a sale comes first, then the payment.
    with pytest.raises(Question, match=r"Record a sale of .*300\.00") as asked:
        one_desk("capture", "acme paid 300")
    assert "payment" in asked.value.choices["no"]
    with pytest.raises(Question, match=r"no open invoices\. Record a payment of .*300\.00") as asked:
        one_desk("capture", "acme paid 300", sale=False)
    assert asked.value.parameter == "payment"
    with pytest.raises(Question, match="Save it"):
        one_desk("capture", "acme paid 300", sale=False, payment=False)
    done = one_desk("capture", "acme paid 300 deposit", payment=True, yes=True)
    assert (done.payment.amount, done.payment.note, done.sale, done.interaction) == (300, "deposit", None, None)
    assert one_desk.sound()
