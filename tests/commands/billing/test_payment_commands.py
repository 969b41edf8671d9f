"""Payments: applied to the oldest due invoice first, in part or in excess, taken back, and never counted twice."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.commands.data import history
from crm.commands.data.history import my_last, my_last_undo, undo_preview
from crm.commands.home.figures import start_of
from crm.commands.registry import named
from crm.errors import FieldError, Question, RefusedError
from crm.model import Allocation, Invoice, Payment, Setting
from crm.repository import HistoryEntry, HistoryQuery, Query
from crm.repository.queries import billing
from crm.repository.queries.people import OwnerFilter
from tests.commands.billing.conftest import BillingDesk
from tests.conftest import STORES, _new_store
from tests.support.clocks import TODAY


def state(desk: BillingDesk, invoice: Invoice) -> tuple[str, str, str]:
    card = desk("invoices show", invoice)
    return card.state, f"{card.invoice.paid:.2f}", f"{card.invoice.open:.2f}"


def balance(desk: BillingDesk) -> tuple[str, str]:
    client = desk.again(desk.acme)
    return f"{client.open_amount:.2f}", f"{client.credit:.2f}"


def test_a_payment_pays_the_oldest_due_and_the_rest_is_credit(desk: BillingDesk) -> None:
    later = desk.issued("Later 100 19%", due=TODAY + timedelta(days=30))
    sooner = desk.issued("Sooner 50 19%", due=TODAY + timedelta(days=5))
    card = desk("payments add", desk.acme, Decimal("100.00"), reference="first")
    assert [(invoice.number, f"{part:f}") for invoice, part in card.parts] == [
        (sooner.number, "59.50"), (later.number, "40.50"),
    ]  # fmt: skip
    assert (state(desk, sooner), state(desk, later)) == (("paid", "59.50", "0.00"), ("part paid", "40.50", "78.50"))
    assert balance(desk) == ("78.50", "0.00")
    more = desk("payments add", desk.acme, Decimal("100"), invoice=[later], method="cash")
    assert (more.payment.used, more.payment.left) == (Decimal("78.50"), Decimal("21.50"))
    assert balance(desk) == ("0.00", "21.50")
    assert [row.invoices for row in desk("payments list")] == [[later.number], [sooner.number, later.number]]
    assert more.as_json()["allocations"] == [
        {"invoice": later.id, "number": later.number, "amount": "78.50", "open": "0.00"}
    ]
    assert desk.sound()


def test_a_payment_is_undone_with_all_that_it_paid(desk: BillingDesk) -> None:
    invoice = desk.issued("One 100 19%")
    desk("payments add", desk.acme, Decimal("19"))
    desk("payments add", desk.acme, Decimal("200"))
    assert (state(desk, invoice)[0], balance(desk)) == ("paid", ("0.00", "100.00"))
    with desk.crm.read() as snapshot:
        first = next(entry for entry in reversed(snapshot.history()) if entry.what.startswith("recorded a payment"))
    desk("history undo", first.id)
    assert (state(desk, invoice), balance(desk)) == (("part paid", "100.00", "19.00"), ("19.00", "100.00"))
    desk("history undo")
    assert (state(desk, invoice), balance(desk)) == (("sent", "0.00", "119.00"), ("119.00", "0.00"))
    with desk.crm.read() as snapshot:
        assert (snapshot.count(Payment), snapshot.count(Allocation)) == (0, 0)
    assert desk.sound()


def test_an_undo_is_previewed_with_the_balances_that_come_true(desk: BillingDesk) -> None:
    first = desk.issued("First 100 19%")
    desk("payments add", desk.acme, Decimal(60))
    desk("payments add", desk.acme, Decimal(119))
    paid = last_change(desk)

    def preview(number: int) -> str:
        with desk.crm.read() as snapshot:
            (entry,) = snapshot.history(1, query=HistoryQuery(transaction=number))
        return "\n".join(undo_preview(desk.crm, entry))

    assert "Open back to €59.00" in preview(paid)
    # Both balances move on before the payment is undone.
    desk("invoices credit", first, amount=Decimal(30))
    desk.issued("Second 50 19%")
    lines = preview(paid)
    assert f"{first.number}: Paid back to €60.00; Open back to €29.00" in lines, lines
    assert "Acme: Open invoices back to €88.50; Credit back to €0.00" in lines, lines
    desk("history undo", paid)
    assert (state(desk, first)[2], balance(desk)) == ("29.00", ("88.50", "0.00"))
    lines = preview(last_change(desk))
    desk("history undo", last_change(desk))
    assert (state(desk, first)[2], balance(desk)) == ("0.00", ("59.50", "90.00"))
    assert "Acme: Open invoices back to €59.50; Credit back to €90.00" in lines, lines


def test_a_preview_of_an_impossible_undo_has_no_balances(one_desk: BillingDesk) -> None:
    desk = one_desk
    desk.issued("One 100 19%")
    desk("payments add", desk.acme, Decimal(200))
    paid = last_change(desk)
    desk("payments refund", desk.acme, Decimal(50))
    with desk.crm.read() as snapshot:
        (entry,) = snapshot.history(1, query=HistoryQuery(transaction=paid))
    assert "back to" not in "\n".join(undo_preview(desk.crm, entry))
    with pytest.raises(RefusedError, match="cannot be undone"):
        desk("history undo", paid)


def test_a_duplicate_payment_is_asked_about(desk: BillingDesk) -> None:
    desk("payments add", desk.acme, Decimal(10), reference="A")
    with pytest.raises(Question, match="already recorded") as asked:
        desk("payments add", desk.acme, Decimal(10), reference="A")
    assert asked.value.parameter == "duplicate_ok"
    desk("payments add", desk.acme, Decimal(10), reference="A", currency="JPY")
    desk("payments add", desk.acme, Decimal(10), reference="B")
    desk("payments add", desk.acme, Decimal(10), reference="A", duplicate_ok=True)
    assert balance(desk) == ("0.00", "30.00")


def test_credit_is_used_later_and_refunded(desk: BillingDesk) -> None:
    paid = desk("payments add", desk.acme, Decimal(100)).payment
    with pytest.raises(RefusedError, match="Acme has no unpaid invoices in EUR"):
        desk("payments allocate", paid)
    invoice = desk.issued("One 50 19%")
    with pytest.raises(FieldError, match="above 0"):
        desk("payments allocate", paid, amount=Decimal(0))
    with pytest.raises(FieldError, match="left"):
        desk("payments allocate", paid, amount=Decimal(101))
    desk("payments allocate", paid, amount=Decimal(10))
    desk("payments allocate", paid)
    assert (state(desk, invoice)[0], balance(desk)) == ("paid", ("0.00", "40.50"))
    with pytest.raises(RefusedError, match=r"a credit of .*40\.50"):
        desk("payments refund", desk.acme, Decimal(41))
    desk("payments refund", desk.acme, Decimal("40.50"))
    assert balance(desk) == ("0.00", "0.00")
    other = desk("invoices issue", desk.draft("Two 10 19%")).invoice
    with pytest.raises((RefusedError, FieldError)):
        desk("payments allocate", paid)
    assert state(desk, other)[0] == "sent"
    assert desk.sound()


def test_a_refund_takes_from_the_credit_and_leaves_the_invoice(desk: BillingDesk) -> None:
    invoice = desk.issued("One 100 19%")
    desk("payments add", desk.acme, Decimal(119))
    desk("invoices credit", invoice, amount=Decimal(19))
    assert balance(desk) == ("0.00", "19.00")
    desk("payments refund", desk.acme, Decimal(19))
    assert balance(desk) == ("0.00", "0.00")
    figures = desk("invoices show", invoice).as_json()
    total, paid, credited, still, over = (
        Decimal(figures[name]) for name in ("total", "paid", "credited", "open", "overpaid")
    )
    assert (paid, credited, still, over) == (119, 19, 0, 19)
    assert total == paid + credited + still - over
    assert desk.sound()


def test_a_payment_for_a_credited_invoice_becomes_credit(desk: BillingDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of an undo of very many records the first ones are shown, each as it is in the end.
    monkeypatch.setattr(history, "_READ", 3)
    first = desk.issued("First 100 19%")
    paid = desk("payments add", desk.acme, Decimal(119)).payment
    desk("invoices credit", first)
    assert (state(desk, first)[0], balance(desk)) == ("credited", ("0.00", "119.00"))
    figures = desk("invoices show", first).as_json()
    assert (figures["open"], figures["overpaid"]) == ("0.00", "119.00")
    assert left(desk, paid) == ["119.00"]
    # Nothing is taken off the credited invoice while no other one needs it.
    before = last_change(desk)
    with pytest.raises(RefusedError, match=r"^Acme has no unpaid invoices in EUR\. Nothing was changed\.$"):
        desk("payments allocate", paid)
    assert (last_change(desk), desk.again(first).used_again, left(desk, paid)) == (before, 0, ["119.00"])
    second = desk.issued("Second 50 19%")
    desk("payments allocate", paid)
    # It was paid, so it is not cancelled, though what was paid on it is used for another.
    assert (state(desk, first)[0], state(desk, second)[0]) == ("credited", "paid")
    assert [item.invoice.id for item in desk("invoices list", state="credited") if item.invoice.kind == "invoice"] == [
        first.id
    ]
    assert desk("invoices list", state="cancelled") == []
    assert (balance(desk), left(desk, paid)) == (("0.00", "59.50"), ["59.50"])
    assert desk.sound()
    undone = desk("history undo", last_change(desk))
    # Each record once, as it is in the end.
    of_payment = [record for record in undone.records if (record.record, record.id) == ("payment", paid.id)]
    assert [(field.name, field.after) for record in of_payment for field in record.fields] == [
        ("used", "119.00"), ("left", "0.00"),
    ]  # fmt: skip
    assert (state(desk, first), state(desk, second)[0]) == (("credited", "119.00", "0.00"), "sent")
    assert (balance(desk), left(desk, paid)) == (("59.50", "119.00"), ["119.00"])
    assert desk.again(first).used_again == 0
    assert desk.sound()


def left(desk: BillingDesk, *payments: Payment) -> list[str]:
    """The amounts left of payments, which the list, the page and JSON all say."""
    shown = [desk("payments show", payment) for payment in payments]
    listed = {row.payment.id: row for row in desk("payments list")}
    assert [card.as_json()["left"] for card in shown] == [listed[payment.id].as_json()["left"] for payment in payments]
    return [f"{card.left:.2f}" for card in shown]


def unused(desk: BillingDesk) -> tuple[int, list[int]]:
    """The payments that Today names as unused: how many, and their ids."""
    with desk.crm.read() as snapshot:
        count, payments = billing.unused_payments(snapshot, OwnerFilter(), 10)
        assert [billing.unused_payments(snapshot, OwnerFilter(), 1, at)[1] for at in range(count)] == [
            [payment] for payment in payments
        ]
        return count, [payment.id for payment in payments]


def test_unused_payments_add_up_to_the_credit_of_the_client(desk: BillingDesk) -> None:
    first = desk.issued("First 100 19%")
    early, late = (
        desk("payments add", desk.acme, Decimal(amount), on=TODAY - timedelta(days=days)).payment
        for amount, days in ((60, 9), (69, 1))
    )
    assert (left(desk, early, late), unused(desk)) == (["0.00", "10.00"], (1, [late.id]))
    desk("invoices credit", first, amount=Decimal(70))
    # Of the invoice, what was paid last is free first.
    assert (balance(desk)[1], left(desk, early, late)) == ("80.00", ["11.00", "69.00"])
    assert unused(desk) == (2, [early.id, late.id])
    desk("payments refund", desk.acme, Decimal(31))
    # A refund takes from what was paid first.
    assert (balance(desk)[1], left(desk, early, late)) == ("49.00", ["0.00", "49.00"])
    assert unused(desk) == (1, [late.id])
    other = desk.issued("Other 1000 0%")
    with pytest.raises(FieldError, match=r"only €49\.00 of it is left"):
        desk("payments allocate", late, amount=Decimal(50))
    with pytest.raises(RefusedError, match="has no credit left"):
        desk("payments allocate", early)
    desk("payments allocate", late, invoice=[other], amount=Decimal("48.5"))
    assert (balance(desk), left(desk, early, late)) == (("951.50", "0.50"), ["0.00", "0.50"])
    assert desk.sound()


def test_the_credit_of_a_client_pays_an_invoice_from_its_oldest_payment(desk: BillingDesk) -> None:
    early, late = (
        desk("payments add", desk.acme, Decimal(amount), on=TODAY - timedelta(days=days)).payment
        for amount, days in ((60, 9), (70, 1))
    )
    desk("payments add", desk.acme, Decimal(1000), currency="JPY")
    invoice, other = desk.issued("One 100 0%"), desk.issued("Two 100 0%")
    # Credit in another currency has a row of its own: nothing is open in that.
    assert [row.as_json()["credit"] for row in desk("unpaid list")] == ["130.00", "1000"]
    used = desk("payments use-credit", invoice)
    assert used.as_json() == {
        "invoice": invoice.id, "number": invoice.number, "client": desk.acme.id, "client_name": desk.acme.name,
        "currency": "EUR", "amount": "100.00", "open": "0.00", "client_credit": "30.00",
    }  # fmt: skip
    assert left(desk, early, late) == ["0.00", "30.00"]
    assert desk("payments use-credit", other).amount == 30
    assert (state(desk, other), balance(desk)) == (("part paid", "30.00", "70.00"), ("70.00", "0.00"))
    # Without any credit in the currency, nothing is said of it.
    assert ["credit" in row.as_json() for row in desk("unpaid list")] == [False, True]
    with pytest.raises(RefusedError, match="has no credit in EUR"):
        desk("payments use-credit", other)
    with pytest.raises(FieldError, match="nothing is left to pay"):
        desk("payments use-credit", invoice)
    assert desk.sound()
    desk("history undo", last_change(desk))
    assert (left(desk, late), state(desk, other)[0]) == (["30.00"], "sent")


@pytest.mark.parametrize("what", ["draft", "other", "credit_note"])
def test_a_payment_with_an_invalid_target_is_refused_as_a_whole(desk: BillingDesk, what: str) -> None:
    invoice = desk.issued()
    wrong = {
        "draft": lambda: desk.draft(),
        "other": lambda: invoice,
        "credit_note": lambda: desk("invoices credit", invoice).invoice,
    }[what]()
    client = desk("clients add", {"last_name": "Else"}) if what == "other" else desk.acme
    with pytest.raises(FieldError) as refused:
        desk("payments add", client, Decimal(10), invoice=[wrong])
    assert refused.value.field == "invoice"
    assert desk("payments list") == []


def test_rules_use_open_and_overdue_amounts(desk: BillingDesk) -> None:
    for rule in desk("rules list"):
        desk("rules remove", rule)
    for line in (
        "Late when overdue_amount >= 100 and days_overdue >= 3",
        "Owing when open_amount > 0",
        "Fine otherwise",
    ):
        desk("rules add", line)
    on = TODAY - timedelta(days=3)
    assert desk.again(desk.acme).status != "Late"
    late = desk.issued("Late 100 19%", on=on, due=on)
    assert desk.again(desk.acme).status == "Late"
    assert "119.00" in desk.again(desk.acme).status_reason
    assert [row.last_name or row.company for row in desk("clients list", {}, where="days_overdue = 3")] == ["Acme"]
    desk("payments add", desk.acme, Decimal(50), invoice=[late])
    assert desk.again(desk.acme).status == "Owing"
    desk("payments add", desk.acme, Decimal(69), invoice=[late])
    assert desk.again(desk.acme).status == "Fine"
    assert desk.sound()


@pytest.mark.slow
@settings(max_examples=5)
@given(parts=st.lists(st.integers(1, 20_000), min_size=1, max_size=4), order=st.randoms())
def test_payments_in_any_order_end_in_the_same_balance(parts: list[int], order: st.DataObject) -> None:
    import tempfile
    from pathlib import Path

    ends = set()
    shuffled = sorted(parts, key=lambda _: order.random())  # type: ignore[attr-defined]
    for amounts in (parts, shuffled, [sum(parts)]):
        with tempfile.TemporaryDirectory() as folder, _new_store(STORES["sqlite"]) as store:
            desk = BillingDesk(store, Path(folder))
            desk.own.repository.close()
            desk.issued("One 33.33 19%")
            desk.issued("Two 61.99 7%")
            for at, amount in enumerate(amounts):
                desk("payments add", desk.acme, Decimal(amount).scaleb(-2), reference=f"part {at}")
            assert desk.sound()
            ends.add(balance(desk))
    assert len(ends) == 1


def last_change(desk: BillingDesk) -> int:
    with desk.crm.read() as snapshot:
        return snapshot.history(1)[0].id


@pytest.mark.parametrize("later", ["refund", "allocation", "credit note"])
def test_a_merge_is_not_undone_after_its_credit_was_used(desk: BillingDesk, later: str) -> None:
    beta = desk(
        "clients add", {"company": "Beta", "address": "Weg 2", "city": "Wien", "postcode": "1010", "country": "AT"}
    )
    if later == "allocation":
        paid = desk("payments add", beta, Decimal(150)).payment
        desk.issued()
        desk("clients merge", desk.acme, beta)
        merge = last_change(desk)
        desk("payments allocate", paid, amount=Decimal(50))
    else:
        invoice = desk("invoices issue", desk("invoices add", beta, ["Table 100 19%"]).invoice).invoice
        desk("payments add", beta, Decimal(150))
        desk("clients merge", desk.acme, beta)
        merge = last_change(desk)
        if later == "refund":
            desk("payments refund", desk.acme, Decimal(31))
        else:
            desk("invoices credit", invoice)
    before = balance(desk)
    expected = {
        "refund": "“recorded a refund to ",
        "allocation": "“applied payment 1 to invoices”",
        "credit note": "GS-",
    }[later]
    with pytest.raises(RefusedError, match=expected):
        desk("history undo", merge)
    assert balance(desk) == before
    assert desk.sound()


def test_a_merge_is_undone_if_later_payments_are_independent(desk: BillingDesk) -> None:
    beta = desk("clients add", {"company": "Beta"})
    desk("payments add", beta, Decimal(30))
    desk("clients merge", desk.acme, beta)
    merge = last_change(desk)
    desk("payments add", desk.acme, Decimal(5))
    desk("history undo", merge)
    assert (balance(desk)[1], f"{desk.again(beta).credit:.2f}") == ("5.00", "30.00")
    assert desk.sound()


def test_undo_never_pays_back_more_than_was_paid(desk: BillingDesk) -> None:
    desk("payments add", desk.acme, Decimal(50))
    payment = last_change(desk)
    desk("payments refund", desk.acme, Decimal(50))
    with pytest.raises(RefusedError, match="“recorded a refund to Acme"):
        desk("history undo", payment)
    assert balance(desk) == ("0.00", "0.00")
    desk("history undo")
    desk.issued("Table 100")
    desk("payments allocate", desk("payments show", Payment(id=1, client=0, kind="payment", on=TODAY)).payment)
    undone = next(entry.id for entry in desk("history list") if entry.undoes)
    with pytest.raises(RefusedError, match="“applied payment 1 to invoices”"):
        desk("history undo", undone)
    assert desk.sound()


def test_no_write_uses_more_than_was_paid(desk: BillingDesk) -> None:
    invoice = desk.issued("Table 100")
    beta = desk("clients add", {"company": "Beta"})
    paid = desk("payments add", beta, Decimal(50)).payment
    mine = desk("payments add", desk.acme, Decimal(10)).payment
    refund = Payment(client=beta.id, kind="refund", on=TODAY, amount=Decimal(51), currency="EUR", method="cash")
    wrong = (
        refund, Allocation(payment=paid.id, invoice=invoice.id, amount=Decimal(50)),
        Allocation(payment=mine.id, invoice=invoice.id, amount=Decimal(5)),
    )  # fmt: skip
    for record in wrong:
        with pytest.raises(RefusedError, match="Nothing was changed"):
            desk.crm.transact(lambda tx, record=record: tx.add(record), "wrote past the commands")
    assert desk.sound()


def test_a_paid_invoice_takes_no_payment(desk: BillingDesk) -> None:
    paid, other = desk.issued(), desk.issued()
    desk("payments add", desk.acme, Decimal(357), invoice=[paid])
    with pytest.raises(FieldError, match=f"nothing is left to pay on {paid.number}"):
        desk("payments add", desk.acme, Decimal(5), invoice=[paid])
    assert (desk.again(other).open, desk.again(desk.acme).credit) == (357, 0)


def test_credit_in_another_currency_is_listed_after_debts_on_every_page(desk: BillingDesk) -> None:
    places = {"address": "Weg 2", "city": "Wien", "country": "AT"}
    beta, gamma = (desk("clients add", {"company": name, **places}) for name in ("Beta", "Gamma"))
    desk.issued("Late 100 19%")
    desk("invoices issue", desk("invoices add", gamma, ["Talk 10 0%"], currency="KWD").invoice)
    # Beta owes nothing; Gamma has less credit than it owes; Acme has a credit in the team's currency beside it.
    for client, amount, currency in ((beta, 20, "KWD"), (beta, 5, "EUR"), (gamma, 3, "KWD"), (gamma, 7, "JPY")):
        desk("payments add", client, Decimal(amount), currency=currency)
    desk("payments add", desk.acme, Decimal(50), currency="JPY")
    desk("payments refund", desk.acme, Decimal(50), currency="JPY")

    def rows(**page: int) -> list[tuple[str, ...]]:
        listed = [row.as_json() for row in desk("unpaid list", **page)]
        return [(row["client_name"], row["open"], row.get("credit", ""), row["currency"]) for row in listed]

    every = rows()
    assert every == [
        ("Acme", "119.00", "", "EUR"), ("Gamma", "7.000", "", "KWD"),
        ("Beta", "0.000", "20.000", "KWD"), ("Gamma", "0", "7", "JPY"),
    ]  # fmt: skip
    for limit in (1, 2, 3):
        assert [rows(limit=limit, offset=place) for place in range(5)] == [
            every[place : place + limit] for place in range(5)
        ]
    assert rows(days=1) == []
    assert desk.sound()


@pytest.mark.parametrize(("currency", "sums"), [("JPY", ("7", "50")), ("KWD", ("7.000", "50.000"))])
def test_a_client_as_json_has_its_debt_and_credit_with_the_decimals_of_their_currency(
    one_desk: BillingDesk, currency: str, sums: tuple[str, str]
) -> None:
    desk = one_desk
    desk("settings set", "currency", currency, recount_ok=True)
    desk.crm.forget_settings()
    desk("payments add", desk.acme, Decimal(50))
    desk.issued("Talk 7 0%")
    written = desk("clients show", desk.acme).as_json()
    assert (written["open_amount"], written["credit"]) == sums
    assert (written["billing"]["open"][0]["open"], written["billing"]["credit"][0]["credit"]) == sums


@pytest.mark.parametrize("arguments", [{"limit": 1}, {"limit": 1, "offset": 1}, {}])
def test_the_unpaid_total_covers_all_clients(desk: BillingDesk, arguments: dict[str, int]) -> None:
    desk.issued("Late 100 19%", on=TODAY - timedelta(days=40), due=TODAY - timedelta(days=40))
    other = desk("clients add", {"company": "Other", "address": "Weg 2", "city": "Wien", "country": "AT"})
    desk("invoices issue", desk("invoices add", other, ["Talk 50 19%"]).invoice)
    total = named("unpaid list").beside
    assert total is not None
    assert len(desk("unpaid list", **arguments)) == (1 if arguments else 2)
    assert total(desk.crm, arguments) == "Total: €178.50 open, €119.00 overdue"
    assert total(desk.crm, {"days": 30, **arguments}) == "Total: €119.00 open, €119.00 overdue"


@pytest.mark.parametrize("is_stored", [True, False])
def test_another_currency_neither_pays_nor_hides_what_is_open(one_desk: BillingDesk, is_stored: bool) -> None:
    desk = one_desk
    desk.issued("One 100 19%")

    def open_in_menu() -> str:
        with desk.crm.read() as snapshot:
            return start_of(desk.crm, snapshot).figures["billing"]

    def preview(entry: HistoryEntry | None) -> str:
        assert entry is not None
        return "\n".join(undo_preview(desk.crm, entry))

    if not is_stored:
        # A team that has never chosen a currency has that of its country.
        desk.crm.transact(
            lambda tx: [tx.delete(setting) for setting in tx.find_all(Setting, Query({"key": "currency"}))], "forgot"
        )
        desk.crm.forget_settings()
    desk("settings set", "currency", "CHF")
    desk.crm.forget_settings()
    assert open_in_menu() == "€119.00 open"
    mine = my_last(desk.crm)
    assert mine is not None
    assert "Open invoices" not in preview(mine[0])
    assert "Amounts are not converted. Invoices keep their own currency." in preview(mine[0])
    undone = desk("history undo")
    assert not [field for record in undone.records for field in record.fields if field.name == "open_amount"]
    assert "Open invoices" not in preview(my_last_undo(desk.crm))
    assert desk.again(desk.acme).open_amount == Decimal("119.00")
    desk("history redo")
    assert open_in_menu() == "€119.00 open"
