"""Invoices: drafted, issued with numbers without gaps, credited, and never changed afterwards."""

import csv
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.commands.billing.numbers import first_pattern
from crm.errors import CRMError, FieldError, FileError, Question, RefusedError
from crm.model import Adjustment, Invoice, InvoiceLine, NumberSeries
from crm.model.encoding import plain
from crm.model.fields import Units
from crm.outward.invoice_pdf.content import content
from crm.repository import Query
from tests.commands.billing.conftest import BillingDesk
from tests.support.clocks import TODAY


def figures(invoice: Invoice) -> tuple[str, ...]:
    return tuple(f"{getattr(invoice, name):.2f}" for name in ("net", "tax", "total"))


def test_a_draft_is_made_of_typed_lines_services_and_a_discount(desk: BillingDesk) -> None:
    service = desk("services add", "Consulting", Decimal(100), unit="HUR", tax_rate=Decimal(19))
    card = desk("invoices add", desk.acme, ["3 h Consulting", "2 x Table 49.90 7%"], [service], discount="10%")
    assert [(line.name, f"{line.net:f}", line.unit) for line in card.lines] == [
        ("Consulting", "300.00", "HUR"), ("Table", "99.80", "C62"), ("Consulting", "100.00", "HUR"),
    ]  # fmt: skip
    # 10 % of 499.80 is 49.98, of which 40.00 falls on 19 % and 9.98 on 7 %.
    assert figures(card.invoice) == ("449.82", "74.69", "524.51")
    assert (card.state, card.invoice.number, card.invoice.open) == ("draft", "", 0)
    data = card.as_json()
    assert [(tax["category"], tax["rate"], tax["base"], tax["tax"]) for tax in data["taxes"]] == [
        ("S", "19", "360.00", "68.40"), ("S", "7", "89.82", "6.29"),
    ]  # fmt: skip
    assert data["lines"][1] | {} == {
        "position": 2, "name": "Table", "description": "", "quantity": "2", "unit": "C62", "price": "49.90",
        "basis": "1", "discount": "0.00", "charge": "0.00", "discounts": [], "charges": [],
        "tax_category": "S", "tax_rate": "7", "net": "99.80",
    }  # fmt: skip
    assert {name: data[name] for name in ("net", "tax", "total", "paid", "credited", "open", "currency")} == {
        "net": "449.82", "tax": "74.69", "total": "524.51", "paid": "0.00", "credited": "0.00", "open": "0.00",
        "currency": "EUR",
    }  # fmt: skip
    assert desk.sound()


def test_a_price_is_for_one_unit_unless_a_number_above_0_is_named(desk: BillingDesk, tmp_path: Path) -> None:
    draft = desk.draft("Setup 50 19%")
    with pytest.raises(FieldError, match="a number of units above 0"):
        desk("invoices lines add", draft, name="Screws", price=Decimal(5), basis=Decimal(0))
    with pytest.raises(FieldError, match="a number of units above 0"):
        desk("invoices lines edit", draft, 1, basis=Decimal(0))
    desk("export", tmp_path / "lines.csv", "invoice-lines")
    (row,) = csv.DictReader((tmp_path / "lines.csv").read_text("utf-8-sig").splitlines())
    assert Decimal(row["Price is for"]) == 1
    assert Units().show(Decimal(0), desk.crm.conventions) == "1"


def test_a_line_of_an_older_store_is_exported_with_a_price_for_one_unit(one_desk: BillingDesk, tmp_path: Path) -> None:
    desk = one_desk
    draft = desk.draft("Setup 50 19%")
    (line,) = desk("invoices show", draft).lines
    desk.crm.repository.transact(lambda tx: tx.change(line, basis=Decimal(0)), "as an older version kept it")
    desk("export", tmp_path / "lines.csv", "invoice-lines")
    (row,) = csv.DictReader((tmp_path / "lines.csv").read_text("utf-8-sig").splitlines())
    assert row["Price is for"] == "1"


def test_a_negative_price_is_a_deduction_in_every_form(desk: BillingDesk) -> None:
    draft = desk.draft("1 x Good 100 19%", "2 x Typed -5 19%")

    def second(card: Any) -> tuple[str, ...]:
        return tuple(f"{value.normalize():f}" for value in (card.lines[-1].quantity, card.lines[-1].price))

    typed = second(desk("invoices show", draft))
    added = desk("invoices lines add", draft, name="Less", quantity=Decimal(2), price=Decimal(-5), tax_rate=Decimal(19))
    assert second(added) == typed == ("-2", "5")
    # Given twice it stays; and a price without a minus leaves the quantity as it is.
    for price, expected in ((-7, ("-2", "7")), (-7, ("-2", "7")), (8, ("-2", "8"))):
        assert second(desk("invoices lines edit", draft, 3, price=Decimal(price))) == expected
    edited = desk("invoices lines edit", draft, 3, quantity=Decimal(3), price=Decimal(-6))
    assert second(edited) == ("-3", "6")
    assert figures(edited.invoice) == ("72.00", "13.68", "85.68")
    assert desk.sound()


def test_a_deal_that_is_on_an_invoice_already_is_asked_about(desk: BillingDesk) -> None:
    deal = desk("deals add", desk.acme, "Website", value=Decimal(100))
    lost = desk("deals add", desk.acme, "Shop", value=Decimal(100))
    desk("deals lose", lost, "too dear")
    for not_won in (deal, lost):
        refused = f"{not_won.title} is not won; mark it as won first .`deals win {not_won.id}`"
        with pytest.raises(FieldError, match=refused):
            desk("invoices add", desk.acme, deal=not_won)
    desk("deals win", deal, Decimal(100))
    first = desk("invoices add", desk.acme, deal=deal).invoice
    with pytest.raises(Question, match=f"Website is already on draft {first.id}") as asked:
        desk("invoices add", desk.acme, deal=deal)
    assert (asked.value.parameter, list(asked.value.records)) == ("duplicate_ok", [first])
    issued = desk("invoices issue", first).invoice
    with pytest.raises(Question, match=f"Website is already on invoice {issued.number}"):
        desk("invoices add", desk.acme, deal=deal)
    second = desk("invoices add", desk.acme, deal=deal, duplicate_ok=True).invoice
    desk("invoices delete", second, yes=True)
    # Once it is credited, it is drafted again without a question.
    desk("invoices credit", issued)
    desk("invoices add", desk.acme, deal=deal)
    assert desk.sound()


def test_lines_of_a_draft_are_changed_moved_and_removed(desk: BillingDesk) -> None:
    draft = desk.draft("Setup 50 19%", "2 Chairs 10 19%")
    card = desk(
        "invoices lines add", draft, name="Screws", quantity=Decimal(250), price=Decimal("12.50"), basis=Decimal(100),
        discount=[Decimal(1), Decimal("0.25")], charge=[Decimal("2.50")], tax_rate=Decimal(19),
    )  # fmt: skip
    assert [f"{line.net:f}" for line in card.lines] == ["50.00", "20.00", "32.50"]
    card = desk("invoices lines edit", draft, 1, price=Decimal(60))
    card = desk("invoices lines move", draft, 3, 1)
    assert [line.name for line in card.lines] == ["Screws", "Setup", "Chairs"]
    card = desk("invoices lines remove", draft, 3)
    assert [(line.position, f"{line.net:f}") for line in card.lines] == [(1, "32.50"), (2, "60.00")]
    assert figures(card.invoice) == ("92.50", "17.58", "110.08")
    desk("history undo")
    assert figures(desk.again(draft)) == ("112.50", "21.38", "133.88")
    with pytest.raises(CRMError, match="No line 9"):
        desk("invoices lines edit", draft, 9, price=Decimal(1))
    assert desk.sound()


def test_a_sum_in_short_is_an_amount_but_in_a_line_it_may_be_part_of_the_name(desk: BillingDesk) -> None:
    with pytest.raises(FieldError, match="4k may be part of the name; if it is the price, write 4000"):
        desk("invoices add", desk.acme, ["2 Screen 4k"])
    desk("services add", "Screen 4k", Decimal(300), tax_rate=Decimal(19))
    (line,) = desk("invoices add", desk.acme, ["2 Screen 4k"]).lines
    assert (line.name, f"{line.net:f}") == ("Screen 4k", "600.00")


def test_days_with_which_a_draft_could_not_be_issued_are_refused_when_they_are_typed(desk: BillingDesk) -> None:
    draft, yesterday = desk.draft(), TODAY - timedelta(days=1)
    for days, reason in (
        ({"due_on": yesterday}, "has passed"),
        ({"period_from": TODAY, "period_to": yesterday}, "it ends before it begins"),
    ):
        with pytest.raises(FieldError, match=reason):
            desk("invoices add", desk.acme, ["1 Table 100 19%"], values=days)
        with pytest.raises(FieldError, match=reason):
            desk("invoices edit", draft, days)
    desk("invoices edit", draft, {"due_on": TODAY, "period_from": TODAY})
    # Half of a period goes with the half that is there.
    with pytest.raises(FieldError, match="it ends before it begins"):
        desk("invoices edit", desk.again(draft), {"period_to": yesterday})
    assert (desk.again(draft).due_on, desk.again(draft).period_to) == (TODAY, None)


def test_an_invoice_is_issued_once_and_stays_as_it_is(desk: BillingDesk) -> None:
    draft = desk.draft()
    card = desk("invoices issue", draft)
    invoice = card.invoice
    assert (invoice.number, card.state, invoice.issued_on, invoice.due_on) == (
        f"RE-{TODAY.year}-0001", "sent", TODAY, TODAY + timedelta(days=14),
    )  # fmt: skip
    assert (invoice.total, invoice.open) == (Decimal("357.00"), Decimal("357.00"))
    assert desk.again(desk.acme).open_amount == Decimal("357.00")
    desk("clients edit", desk.acme, {"company": "Renamed"})
    desk("settings set", "company_name", "Another Ltd")
    desk.crm.forget_settings()
    before = desk("invoices show", invoice)
    assert (before.document.buyer.name, before.document.seller.name) == ("Acme", "Us Ltd")
    with desk.crm.read() as snapshot:
        line = snapshot.find_all(InvoiceLine)[0]
        issuing = next(entry for entry in snapshot.history() if entry.what.startswith("issued"))
    refused: tuple[tuple[str, Any], ...] = (
        ("is issued and stays", lambda: desk("invoices issue", invoice)),
        ("is issued and stays", lambda: desk("invoices edit", invoice, {"notes": "more"})),
        ("is issued and stays", lambda: desk("invoices lines edit", invoice, 1, price=Decimal(1))),
        ("is never deleted", lambda: desk("invoices delete", invoice, yes=True)),
        ("cannot be undone", lambda: desk("history undo", issuing.id)),
        ("cannot be changed", lambda: desk.store.change(lambda tx: tx.change(line, price=Decimal(1)))),
        ("cannot be changed", lambda: desk.store.change(lambda tx: tx.delete(line))),
        ("cannot be changed", lambda: desk.store.change(lambda tx: tx.add(Adjustment(invoice=1, amount=Decimal(1))))),
        ("cannot be changed", lambda: desk.store.change(lambda tx: tx.change(invoice, total=Decimal(1)))),
        ("cannot be changed", lambda: desk.store.change(lambda tx: tx.change(invoice, state="draft"))),
        ("cannot be changed", lambda: desk.store.change(lambda tx: tx.delete(invoice))),
        ("Renamed still has invoices", lambda: desk("clients delete", desk.acme, yes=True)),
    )
    for words, attempt in refused:
        with pytest.raises(RefusedError, match=words):
            attempt()
    assert desk("invoices show", invoice).as_json() == before.as_json()
    desk("invoices edit", invoice, {"memo": "called them"})
    assert desk.again(invoice).memo == "called them"
    assert desk.sound()


def test_deleted_drafts_leave_no_gap_in_the_numbers(desk: BillingDesk) -> None:
    first, second, third = desk.draft(), desk.draft(), desk.draft()
    desk("invoices issue", second)
    desk("invoices delete", first, yes=True)
    lacking = desk("clients add", {"last_name": "Without"})
    nameless = desk("invoices add", lacking, ["1 h Talk 50 19%"]).invoice
    with pytest.raises(RefusedError, match=r"Missing: the client's address \(`clients edit"):
        desk("invoices issue", nameless)
    with pytest.raises(FieldError, match="cannot have an earlier date"):
        desk("invoices issue", third, on=TODAY - timedelta(days=1))
    desk("invoices issue", third)
    with desk.crm.read() as snapshot:
        numbers = [invoice.number for invoice in snapshot.find_all(Invoice, Query({"state": "issued"}, sort="id"))]
    assert numbers == [f"RE-{TODAY.year}-0001", f"RE-{TODAY.year}-0002"]
    with pytest.raises(RefusedError, match="no gaps"):
        desk("numbers set", "invoice", next_=7)
    desk("numbers set", "invoice", "A/{year}/{number}")
    assert desk.issued().number == f"A/{TODAY.year}/3"
    assert desk.sound()


@pytest.mark.parametrize("pattern", ["GS-{year}-{number:04}", "gs-{year}-{number}"])
def test_two_series_never_give_the_same_number(desk: BillingDesk, pattern: str) -> None:
    desk.issued()
    with pytest.raises(FieldError, match="credit notes have the pattern"):
        desk("numbers set", "invoice", pattern)
    desk("numbers set", "invoice", "GSX-{year}-{number:04}")
    with pytest.raises(FieldError, match="invoices have the pattern"):
        desk("numbers set", "credit_note", "GSX-{year}-{number}")
    desk.issued()
    desk("numbers set", "invoice", "RE-{year}-{number:04}")
    assert desk.sound()
    assert desk.issued().number == f"RE-{TODAY.year}-0003"
    assert desk.sound()


_ODD_PATTERNS = (
    ("RE-{year}", "exactly once"),
    ("{number}/{number}", "exactly once"),
    ("R-{number}-{year}-{yy}", "the year once"),
    ("../../{number}", "begin and end with a letter"),
    ("/{number}", "begin and end with a letter"),
    ("R//{number}", "begin and end with a letter"),
    ("R-{number}.", "begin and end with a letter"),
    ("RE:{number}", "letters from A to Z"),
    ("RE*{number}", "letters from A to Z"),
    ("R\\{number}", "letters from A to Z"),
    ("{number}", "digits only"),
    (f"R{'-a' * 25}-{{number}}", "at most"),
    ("RE{year}{number}", "something between"),
    ("gs-{number}", "credit notes have the pattern"),
)


def test_odd_patterns_of_numbers_are_refused(one_desk: BillingDesk) -> None:
    before = [plain(row) for row in one_desk("numbers show")]
    for pattern, reason in _ODD_PATTERNS:
        with pytest.raises(FieldError, match=reason):
            one_desk("numbers set", "invoice", pattern)
    assert [plain(row) for row in one_desk("numbers show")] == before


def test_a_pattern_never_gives_a_number_again_and_the_next_one_is_shown(one_desk: BillingDesk) -> None:
    desk, year = one_desk, TODAY.year
    assert [row.next for row in desk("numbers show")] == [f"RE-{year}-0001", f"GS-{year}-0001"]
    assert desk("numbers set", "invoice", next_=7).as_json()["next"] == f"RE-{year}-0007"
    desk("invoices credit", desk.issued())
    assert [row.next for row in desk("numbers show")] == [f"RE-{year}-0008", f"GS-{year}-0002"]
    desk("numbers set", "invoice", "OLD-{year}-{number:04}")
    assert desk("numbers set", "credit_note", "CN-{year}-{number:04}").next == f"CN-{year}-0002"
    # The numbers of credit notes would come to RE-…-0007, which is there.
    for pattern in ("RE-{year}-{number:04}", "re-{year}-{number:04}"):
        with pytest.raises(FieldError, match=f"RE-{year}-0007 is already in use"):
            desk("numbers set", "credit_note", pattern)
    assert desk.issued().number == f"OLD-{year}-0008"
    assert desk("numbers set", "invoice", "RE-{year}-{number:04}").next == f"RE-{year}-0009"
    assert desk.sound()


def test_a_discount_on_a_rate_is_not_more_than_its_lines(one_desk: BillingDesk) -> None:
    draft = one_desk.draft("1 Bread 0.01 7%", "1 Work 100 19%")
    one_desk("invoices adjustments add", draft, discount="1", tax_category="S", tax_rate=Decimal(7))
    with pytest.raises(RefusedError, match=r"a discount on 7 % that is not more than its lines come to"):
        one_desk("invoices issue", draft)
    adjustment = one_desk("invoices show", draft).adjustments[0]
    one_desk("invoices adjustments remove", draft, adjustment)
    # Lines of less than nothing are no discount.
    one_desk("invoices lines add", draft, "-1 Bottle 0.25 7%")
    assert one_desk("invoices issue", draft).document.total == Decimal("118.74")


def test_issued_is_another_word_for_sent(one_desk: BillingDesk) -> None:
    invoice = one_desk.issued()
    listed = [[item.invoice.id for item in one_desk("invoices list", state=word)] for word in ("issued", "sent")]
    assert listed == [[invoice.id], [invoice.id]]


def test_a_used_invoice_number_suggests_a_solution(desk: BillingDesk) -> None:
    note = desk("invoices credit", desk.issued()).invoice
    with desk.crm.read() as snapshot:
        series = snapshot.find_all(NumberSeries, Query({"name": "invoice"}))[0]
    desk.crm.transact(lambda tx: tx.change(series, pattern="GS-{year}-{number:04}", last=0), "as before")
    with pytest.raises(RefusedError, match=f'{note.number} is taken already.*numbers set invoice "RE-'):
        desk.issued()
    assert any("could give the same number" in fault for fault in desk.store.wrong())
    desk("numbers set", "invoice", "B-{year}-{number}")
    assert desk.issued().number == f"B-{TODAY.year}-1"
    assert not any("could give the same number" in fault for fault in desk.store.wrong())


def test_partial_credits_make_exactly_the_whole(desk: BillingDesk) -> None:
    invoice = desk.issued("3 h Consulting 33.33 19%", "7 x Nails 0.07 7%", "Rent 0.99 19%", discount="3%")
    one = desk("invoices credit", invoice, line=[2], reason="lost on the way")
    assert (one.invoice.number, one.state, one.document.corrects_number) == (
        f"GS-{TODAY.year}-0001", "credited", invoice.number,
    )  # fmt: skip
    desk("invoices credit", invoice, amount=Decimal("10.01"))
    with pytest.raises(FieldError, match="can still be credited"):
        desk("invoices credit", invoice, amount=Decimal(1000))
    assert desk("invoices show", invoice).state == "sent"
    desk("invoices credit", invoice)
    now = desk("invoices show", invoice)
    assert (now.state, now.invoice.credited, now.invoice.open) == ("cancelled", invoice.total, 0)
    with desk.crm.read() as snapshot:
        notes = snapshot.find_all(Invoice, Query({"kind": "credit_note"}))
    for name in ("net", "tax", "total"):
        assert sum(getattr(note, name) for note in notes) == getattr(invoice, name), name
    with pytest.raises(RefusedError, match="already fully credited"):
        desk("invoices credit", invoice)
    assert desk.again(desk.acme).open_amount == 0
    assert desk.sound()


def test_a_part_of_some_lines_is_credited(desk: BillingDesk) -> None:
    invoice = desk.issued("2 x Talk 50 19%", "Book 10 7%", "Cake 20 7%")
    note = desk("invoices credit", invoice, line=[2], amount=Decimal("5"), reason="came late")
    data = note.as_json()
    assert [(line["name"], line["net"], line["tax_rate"]) for line in data["lines"]] == [("Book", "4.67", "7")]
    assert (data["total"], data["notes"]) == ("5.00", "came late")
    with pytest.raises(FieldError, match=r"these lines come to 10\.70"):
        desk("invoices credit", invoice, line=[2], amount=Decimal("10.71"))
    both = desk("invoices credit", invoice, line=[1, 3], amount=Decimal("70.20"))
    # 119.00 and 21.40: half of each.
    assert [f"{line.amount:.2f}" for line in both.document.lines] == ["59.50", "10.70"]
    desk("invoices credit", invoice)
    now = desk("invoices show", invoice)
    assert (now.state, now.invoice.credited) == ("cancelled", invoice.total)
    assert desk.sound()


def test_a_line_is_credited_once_and_never_before_its_invoice(desk: BillingDesk) -> None:
    invoice = desk.issued("Talk 10 19%", "2 h Talk 5 19%", "Talk 10 19%", "Walk 100 19%")
    desk("invoices credit", invoice, line=[1])
    for lines in ([1, 3], [3, 4, 1]):
        with pytest.raises(RefusedError, match=r"Line 1 \(Talk\) is already credited"):
            desk("invoices credit", invoice, line=lines)
    desk("invoices credit", invoice, line=[3, 4])
    with pytest.raises(RefusedError, match="is already credited"):
        desk("invoices credit", invoice, line=[4])
    with pytest.raises(FieldError, match="was issued on"):
        desk("invoices credit", invoice, on=TODAY - timedelta(days=1))
    desk("invoices credit", invoice, line=[2])
    assert desk.again(invoice).open == 0
    assert desk.sound()


def test_an_issued_invoice_keeps_its_language(desk: BillingDesk) -> None:
    invoice = desk.issued()
    before = desk("invoices show", invoice).document.language
    desk("settings set", "language", "de")
    desk.crm.forget_settings()
    assert desk("invoices show", invoice).document.language == before != "de"
    assert desk("invoices show", desk.draft()).document.language == "de"


def test_a_list_is_narrowed_by_state_client_number_and_total(desk: BillingDesk) -> None:
    old = TODAY - timedelta(days=40)
    late = desk.issued("Late 10 19%", on=old, due=old)
    sent = desk.issued("Sent 100 19%")
    desk.draft("Draft 5 19%")
    gone = desk.issued("Gone 7 19%")
    note = desk("invoices credit", gone).invoice
    listed = {
        state: [row.invoice.id for row in desk("invoices list", state)]
        for state in ("draft", "open", "overdue", "sent", "paid", "cancelled", "credited")
    }
    assert listed == {
        "draft": [3], "open": [sent.id, late.id], "overdue": [late.id], "sent": [sent.id], "paid": [],
        "cancelled": [gone.id], "credited": [note.id],
    }  # fmt: skip
    assert [row.invoice.id for row in desk("invoices list", number="0002")] == [sent.id]
    assert [row.invoice.id for row in desk("invoices list", over=Decimal(100))] == [sent.id]
    assert [row.invoice.id for row in desk("invoices list", until=old)] == [late.id]
    states = {row.invoice.id: row.state for row in desk("invoices list", sort="number")}
    assert states == {late.id: "overdue", sent.id: "sent", 3: "draft", gone.id: "cancelled", note.id: "credited"}


def test_a_copy_and_a_merge_take_invoices_along(desk: BillingDesk) -> None:
    invoice = desk.issued("3 h Consulting 100 19%", discount="5")
    copy = desk("invoices copy", invoice)
    assert (copy.state, figures(copy.invoice)) == ("draft", figures(invoice))
    with pytest.raises(Question, match="deletes the draft"):
        desk("invoices delete", copy.invoice)
    other = desk("clients add", {"company": "Acme too"})
    desk("clients merge", other, desk.acme)
    assert (desk.again(invoice).client, desk.again(other).open_amount) == (other.id, invoice.total)
    assert desk.sound()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["Nothing"], "say what Nothing costs"),
        (["100"], "say what it is for"),
        (["x 1 y 2 300%"], "between 0 and 100"),
    ],
)
def test_a_line_that_says_too_little_is_refused_whole(desk: BillingDesk, lines: list[str], words: str) -> None:
    with pytest.raises(FieldError, match=words):
        desk("invoices add", desk.acme, lines)
    assert desk("invoices list") == []


def test_an_invoice_below_zero_is_refused_and_one_of_nothing_has_no_due_day(desk: BillingDesk) -> None:
    below = desk.draft("Table 10 19%", discount="50")
    with pytest.raises(RefusedError, match="cannot be negative"):
        desk("invoices issue", below)
    assert desk.again(below).number == ""
    free = desk.issued("Gift 0 19%")
    assert (free.total, free.due_on) == (0, None)
    with pytest.raises(RefusedError, match="nothing to credit"):
        desk("invoices credit", free)
    assert desk.sound()


def test_a_credit_note_never_charges_the_client(desk: BillingDesk) -> None:
    invoice = desk.issued("2 x Table 100 19%", "-1 x Returned 50 19%", "1 x Lamp 10 7%", "-1 x Bottle 20 7%")
    for positions, comes_to in (([2], "-59.50"), ([4], "-21.40"), ([2, 3], "-48.80"), ([3, 4], "-10.70")):
        with pytest.raises(FieldError, match=f"come to {comes_to} EUR, and a credit note does not charge"):
            desk("invoices credit", invoice, line=positions)
    again = desk.again(invoice)
    assert (again.credited, again.open) == (0, invoice.total)
    note = desk("invoices credit", invoice, line=[1, 2, 3, 4]).invoice
    assert (note.total, desk.again(invoice).open) == (Decimal("167.80"), 0)
    assert desk.sound()


def test_the_reason_why_lines_cannot_be_credited_is_true(desk: BillingDesk) -> None:
    fresh = desk.issued("Table 100 10%", "Returned -30 10%", "Gift 0 10%")
    with pytest.raises(RefusedError, match=r"come to 110\.00 EUR, and only 77\.00 EUR of the invoice") as refused:
        desk("invoices credit", fresh, line=[1])
    assert "already" not in str(refused.value)
    with pytest.raises(FieldError, match="come to 0, so there is nothing to credit"):
        desk("invoices credit", fresh, line=[3])
    note = desk("invoices credit", fresh, amount=Decimal(7)).invoice
    with desk.crm.read() as snapshot:
        crediting = snapshot.history(limit=1)[0].id
    for words, record in (("invoices issue", note), ("history undo", crediting)):
        with pytest.raises(RefusedError, match="To charge it again, issue a new invoice") as refused:
            desk(words, record)
        assert "redit it" not in str(refused.value), words


def test_credit_notes_are_never_more_than_the_invoice_in_total(desk: BillingDesk) -> None:
    invoice = desk.issued("2 x Table 100 19%", "-1 x Returned 50 7%")
    assert f"{invoice.total:.2f}" == "184.50"
    with pytest.raises(RefusedError, match=r"come to 238\.00 EUR, and only 184\.50 EUR of the invoice is left"):
        desk("invoices credit", invoice, line=[1])
    desk("invoices credit", invoice, line=[1], amount=Decimal(100))
    desk("invoices credit", invoice)
    assert (f"{desk.again(invoice).credited:.2f}", desk("invoices show", invoice).state) == ("184.50", "cancelled")
    assert desk.sound()


@pytest.mark.parametrize("what", ["invoices", "invoice-lines", "payments", "allocations"])
@pytest.mark.parametrize("as_", ["", "sales"])
def test_an_export_of_bills_is_not_imported(desk: BillingDesk, tmp_path: Path, what: str, as_: str) -> None:
    desk.issued()
    desk("payments add", desk.acme, Decimal(10))
    file = tmp_path / "bills.csv"
    desk("export", file, what)
    columns = file.read_text("utf-8-sig").splitlines()[0].split(",")
    assert len(set(columns)) == len(columns)
    with pytest.raises(FileError, match="is an export of " + what.replace("-", " ")):
        desk("import", file, as_=as_)
    assert desk("sales list") == []


def test_a_tax_id_of_the_us_is_an_ein_and_no_vat_id(desk: BillingDesk) -> None:
    for name, value in (("country", "US"), ("tax_number", "")):
        desk("settings set", name, value)
    desk.crm.forget_settings()
    with pytest.raises(FieldError, match="like 12-3456789"):
        desk("settings set", "vat_id", "1234")
    desk("settings set", "vat_id", "12-3456789")
    desk("clients edit", desk.acme, {"country": "US", "tax_id": "98-7654321", "region": "OH"})
    desk.crm.forget_settings()
    seller = desk("invoices show", desk.issued("3 h Consulting 100 0%")).document.seller
    assert (seller.vat_id, seller.tax_number) == ("", "12-3456789")


def test_an_address_in_the_us_has_its_state(desk: BillingDesk) -> None:
    desk("settings set", "company_region", "NY")
    desk("clients edit", desk.acme, {"city": "Columbus", "region": "OH", "postcode": "43215", "country": "US"})
    desk.crm.forget_settings()
    document = desk("invoices show", desk.draft("3 h Consulting 100 0%")).document
    assert (document.buyer.region, document.seller.region) == ("OH", "NY")
    assert "Columbus, OH 43215" in content(document)["buyer"]["lines"]


@pytest.mark.parametrize(
    ("language", "country", "pattern"),
    [
        ("en_US", "US", "INV-{year}-{number:04}"),
        ("fr_FR", "FR", "INV-{year}-{number:04}"),
        ("de_CH", "CH", "RE-{year}-{number:04}"),
        ("en_US", "DE", "RE-{year}-{number:04}"),
    ],
)
def test_numbers_begin_as_the_language_or_the_country_calls_an_invoice(
    language: str, country: str, pattern: str
) -> None:
    settings = {"language": language, "country": country}
    assert first_pattern(settings, "invoice") == pattern
    assert (
        first_pattern(settings, "credit_note")
        == {"INV": "CN", "RE": "GS"}[pattern.partition("-")[0]] + pattern[pattern.index("-") :]
    )
