"""The total of a client: from sales or from paid invoices, and figures in one currency."""

import io
from datetime import date, timedelta
from decimal import Decimal

import pytest

from crm.commands.sales.sales import foreseen_text
from crm.errors import Question, RefusedError
from crm.terminal.drawing.render import show
from crm.terminal.drawing.screen import Screen
from tests.commands.billing.conftest import BillingDesk
from tests.support.clocks import TODAY

PAID = ("settings set", "spend_counts", "paid invoices")


def total(desk: BillingDesk) -> tuple[str, int, date | None, date | None]:
    client = desk.again(desk.acme)
    return f"{client.total_spend:.2f}", client.sales_count, client.first_sale_on, client.last_sale_on


def ruled(desk: BillingDesk, *lines: str) -> None:
    for rule in desk("rules list"):
        desk("rules remove", rule)
    for line in lines:
        desk("rules add", line)
    desk("rules apply")


def test_paid_invoices_make_the_total_and_sales_do_not(desk: BillingDesk) -> None:
    earlier, later = TODAY - timedelta(days=40), TODAY - timedelta(days=3)
    desk("sales add", desk.acme, Decimal(1000))
    first, second = desk.issued("One 100 19%"), desk.issued("Two 50 19%")
    desk("payments add", desk.acme, Decimal(19), on=earlier, invoice=[first])
    assert total(desk) == ("1000.00", 1, TODAY, TODAY)
    desk(*PAID, recount_ok=True)
    assert total(desk) == ("19.00", 1, earlier, earlier)
    desk("payments add", desk.acme, Decimal(40), on=later, invoice=[first])
    assert total(desk) == ("59.00", 1, later, later)
    desk("sales add", desk.acme, Decimal(7))
    # What is left of a payment is credit, and no spend before it is used.
    more = desk("payments add", desk.acme, Decimal(100), invoice=[second])
    assert (total(desk)[:2], more.left) == (("118.50", 2), Decimal("40.50"))
    desk("history undo")
    desk("history undo")
    desk("history undo")
    assert total(desk) == ("19.00", 1, earlier, earlier)
    assert desk.sound()
    desk("settings set", "spend_counts", "sales", recount_ok=True)
    assert total(desk)[:2] == ("1000.00", 1)
    assert desk.sound()


def test_labels_say_what_the_total_counts(desk: BillingDesk) -> None:
    sold = desk("sales add", desk.acme, Decimal(50))
    assert "in 1 sale. Status" in foreseen_text(sold, desk.crm.conventions)
    desk("settings set", "spend_counts", "paid invoices", recount_ok=True)
    desk.crm.forget_settings()
    again = foreseen_text(desk("sales add", desk.acme, Decimal(50)), desk.crm.conventions)
    assert again.startswith("After this: €0.00 in 0 paid invoices. Status")
    assert again.endswith("The total is the sum of paid invoices, so sales do not count.")
    out = io.StringIO()
    show(Screen(out, plain=True), desk("clients show", desk.acme), desk.crm.conventions)
    assert "No paid invoices yet" in out.getvalue()


def test_credit_and_refunds_do_not_count_as_spend(desk: BillingDesk) -> None:
    desk(*PAID)
    invoice = desk.issued("One 100 19%")
    desk("payments add", desk.acme, Decimal(119))
    assert total(desk)[0] == "119.00"
    desk("invoices credit", invoice, amount=Decimal(19))
    assert total(desk)[0] == "100.00"
    desk("payments refund", desk.acme, Decimal(19))
    assert total(desk)[0] == "100.00"
    desk("invoices credit", invoice)
    assert total(desk)[:2] == ("0.00", 0)
    assert desk.sound()


def test_changing_the_source_of_spending_is_previewed_and_undone_in_one_step(desk: BillingDesk) -> None:
    ruled(desk, "VIP when total_spend >= 100", "New otherwise")
    beta = desk("clients add", {"company": "Beta"})
    desk("sales add", beta, Decimal(500))
    desk.issued("One 100 19%")
    desk("payments add", desk.acme, Decimal(119))
    statuses = [desk.again(desk.acme).status, desk.again(beta).status]
    assert statuses == ["New", "VIP"]
    with pytest.raises(Question, match="2 clients get another status") as asked:
        desk(*PAID)
    assert "Beta: VIP to New" in asked.value.sentence
    assert [desk.again(desk.acme).status, desk.again(beta).status] == statuses
    desk(*PAID, recount_ok=True)
    assert [desk.again(desk.acme).status, desk.again(beta).status] == ["VIP", "New"]
    assert "total_spend 119.00" in desk.again(desk.acme).status_reason
    assert desk.sound()
    desk("history undo")
    assert [desk.again(desk.acme).status, desk.again(beta).status] == statuses
    assert (total(desk)[0], f"{desk.again(beta).total_spend:.2f}") == ("0.00", "500.00")
    assert desk.sound()


@pytest.mark.parametrize("rule", ["spend_last_30_days >= 119", "largest_sale = 119", "days_since_last_sale <= 5"])
def test_rules_about_single_sales_see_paid_invoices(desk: BillingDesk, rule: str) -> None:
    desk(*PAID)
    ruled(desk, f"Good when {rule}", "New otherwise")
    desk.issued("One 100 19%")
    desk("sales add", desk.acme, Decimal(119))
    assert desk.again(desk.acme).status == "New"
    assert desk("clients list", {}, where=rule) == []
    desk("payments add", desk.acme, Decimal(119), on=TODAY - timedelta(days=5))
    assert desk.again(desk.acme).status == "Good"
    assert [client.id for client in desk("clients list", {}, where=rule)] == [desk.acme.id]
    desk("history undo")
    assert desk.again(desk.acme).status == "New"
    assert desk.sound()


def test_a_merge_takes_paid_invoices_along(desk: BillingDesk) -> None:
    desk(*PAID)
    beta = desk("clients add", {"company": "Beta", "address": "W 1", "city": "Wien", "postcode": "1", "country": "AT"})
    desk("invoices issue", desk("invoices add", beta, ["Table 100 19%"]).invoice)
    desk("payments add", beta, Decimal(119))
    desk("clients merge", desk.acme, beta)
    assert total(desk)[:2] == ("119.00", 1)
    desk("history undo")
    assert (total(desk)[0], f"{desk.again(beta).total_spend:.2f}") == ("0.00", "119.00")
    assert desk.sound()


def figures(desk: BillingDesk) -> tuple[str, str, str]:
    client = desk.again(desk.acme)
    return f"{client.open_amount:.2f}", f"{client.credit:.2f}", f"{client.total_spend:.2f}"


def test_figures_of_a_client_are_in_the_currency_of_the_team(desk: BillingDesk) -> None:
    own = desk.crm.settings["currency"]
    ruled(desk, "Owing when open_amount > 0 or overdue_amount > 0 or days_overdue > 0", "Fine otherwise")
    desk(*PAID)
    due = TODAY - timedelta(days=10)
    foreign = desk.issued("Far 100 19%", currency="CHF", on=due, due=due)
    assert (figures(desk), desk.again(desk.acme).status) == (("0.00", "0.00", "0.00"), "Fine")
    desk("payments add", desk.acme, Decimal(150), currency="CHF")
    assert (figures(desk), desk.again(foreign).open) == (("0.00", "0.00", "0.00"), 0)
    card = desk("clients show", desk.acme)
    assert (list(card.billing.open), dict(card.billing.credit)) == ([], {"CHF": Decimal(31)})
    with pytest.raises(RefusedError, match=r"credit of .*31\.00"):
        desk("payments refund", desk.acme, Decimal(32), currency="CHF")
    with pytest.raises(RefusedError, match=r"credit of .*0\.00"):
        desk("payments refund", desk.acme, Decimal(1))
    desk("payments refund", desk.acme, Decimal(30), currency="CHF")
    near = desk.issued("Near 100 19%", on=due, due=due)
    assert (figures(desk)[0], desk.again(desk.acme).status) == ("119.00", "Owing")
    # The rest of what was paid in the other currency is credit, and nothing is open there.
    assert {row.currency: row.open for row in desk("unpaid list")} == {own: Decimal(119), "CHF": Decimal(0)}
    # Nothing is converted: what was foreign is the team's own now.
    desk("settings set", "currency", "CHF", recount_ok=True)
    assert (figures(desk), desk.again(desk.acme).status) == (("0.00", "1.00", "119.00"), "Fine")
    assert desk.sound()
    desk("history undo")
    assert (figures(desk), desk.again(near).open) == (("119.00", "0.00", "0.00"), Decimal(119))
    assert desk.sound()


def test_a_payment_that_was_refunded_shows_nothing_left(desk: BillingDesk) -> None:
    first = desk("payments add", desk.acme, Decimal(100), reference="first").payment
    second = desk("payments add", desk.acme, Decimal(50), reference="second").payment
    desk("payments refund", desk.acme, Decimal(120))
    left = {row.payment.id: f"{row.left:.2f}" for row in desk("payments list", kind="payment")}
    assert left == {first.id: "0.00", second.id: "30.00"}
    shown = desk("payments show", first).as_json()
    assert (shown["left"], shown["client_credit"]) == ("0.00", "30.00")
    assert [item.what for item in desk("agenda").items if item.what.startswith("Payment")] == [f"Payment {second.id}"]
