"""Undo, restoring a backup, and the check of invoice numbers once invoices are issued."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crm.app import open_crm
from crm.commands.billing.documents import card_of
from crm.commands.registry import named
from crm.config import Config
from crm.errors import RefusedError
from crm.model import Client, Invoice, InvoiceLine, NumberSeries, Payment
from crm.repository import checks
from crm.repository.restoring import put_back
from tests.commands.billing.conftest import BillingDesk
from tests.conftest import STORES, _new_store
from tests.support.clocks import TODAY, running_on
from tests.support.sheets_team import Team, new_team

YEAR = TODAY.year


def undone(desk: BillingDesk) -> str:
    """The change that plain `history undo` takes back."""
    desk("history undo", yes=True)
    with desk.crm.read() as snapshot:
        entries = snapshot.history(limit=200)
    return next(entry.what for entry in entries if entry.id == entries[0].undoes)


def test_undo_keeps_the_counter_of_numbers_that_were_given(desk: BillingDesk) -> None:
    desk("clients edit", desk.acme, {"city": "Graz"})
    desk("numbers set", "invoice", "A-{year}-{number:04}")
    desk.issued()
    assert undone(desk) == "edited Acme"
    assert desk.issued().number == f"A-{YEAR}-0002"
    with desk.crm.read() as snapshot:
        (series,) = snapshot.find_all(NumberSeries)
        (setting_up,) = [entry for entry in snapshot.history(limit=200) if entry.what.startswith("set the numbers")]
    with pytest.raises(RefusedError, match="The numbers of a series cannot be undone"):
        desk("history undo", setting_up.id)
    with pytest.raises(RefusedError, match="already has numbers in use, so it stays"):
        desk.store.change(lambda tx: tx.delete(series))
    assert desk.issued().number == f"A-{YEAR}-0003"
    assert desk.sound()


def test_a_number_pattern_changed_after_issuing_can_be_undone(desk: BillingDesk) -> None:
    desk.issued()
    desk("numbers set", "invoice", "X-{year}-{number}")
    assert undone(desk) == "set the numbers of invoices"
    assert desk.issued().number == f"RE-{YEAR}-0002"
    assert desk.sound()


def test_undo_skips_changes_that_an_issued_invoice_depends_on(desk: BillingDesk) -> None:
    desk("services add", "Support", Decimal(1))
    draft = desk.draft("1 h Talk 50 19%", "1 h Walk 50 19%", discount="10%")
    desk("invoices lines add", draft, "2 h Consulting 100 19%")
    desk("invoices lines edit", draft, 1, price=Decimal(60))
    desk("invoices lines remove", draft, 2)
    desk("invoices edit", draft, {"notes": "Thank you"})
    desk("invoices issue", draft)
    desk("invoices edit", desk.again(draft), {"memo": "called them"})
    assert undone(desk) == f"edited invoice {desk.again(draft).number}"
    assert undone(desk).startswith("added")
    before = desk("invoices show", draft).as_json()
    assert before["notes"] == "Thank you"
    assert [line["name"] for line in before["lines"]] == ["Talk", "Consulting"]
    assert desk.sound()


def test_changes_of_a_draft_can_be_undone_after_other_invoices_are_issued(desk: BillingDesk) -> None:
    desk.issued("1 h Talk 50 19%", discount="5%")
    draft = desk.draft("2 h Walk 60 19%")
    desk("invoices lines edit", draft, 1, price=Decimal(500))
    assert undone(desk).startswith("edited line")
    assert desk.again(draft).net == 120
    desk("numbers set", "credit_note", "C-{year}-{number}")
    assert undone(desk) == "set the numbers of credit notes"
    assert desk.sound()


def test_an_edited_line_cannot_be_undone_after_its_invoice_is_issued(desk: BillingDesk) -> None:
    desk.draft("1 h Talk 50 19%")
    draft = desk.draft("2 h Walk 60 19%")
    desk("invoices lines edit", draft, 1, price=Decimal(70))
    with desk.crm.read() as snapshot:
        editing = snapshot.history(limit=1)[0].id
    desk("invoices issue", draft)
    with pytest.raises(RefusedError, match="belongs to an issued invoice cannot be undone"):
        desk("history undo", editing)


def test_a_pattern_used_again_makes_no_gap(desk: BillingDesk) -> None:
    numbers = []
    for pattern in ("RE-{year}-{number:04}", "X/{year}/{number}", "RE-{year}-{number:04}", "Y {number}/{yy}"):
        desk("numbers set", "invoice", pattern)
        assert desk.sound()
        numbers.append(desk.issued().number)
        assert desk.sound()
    assert numbers == [f"RE-{YEAR}-0001", f"X/{YEAR}/2", f"RE-{YEAR}-0003", f"Y 4/{YEAR % 100:02}"]


def test_a_spreadsheet_becomes_what_it_was_in_a_backup(sheet_desk: BillingDesk, team: Team, tmp_path: Path) -> None:
    desk = sheet_desk
    first, draft = desk.issued(), desk.draft("1 h Talk 50 19%")
    before = team.stored()
    copy = desk.store.repository.backup(tmp_path / "copy.sqlite3")
    desk("invoices issue", draft)
    desk("invoices credit", first)
    desk.store.repository.restore(copy)
    now = team.stored()
    for kind in (Invoice, InvoiceLine):
        assert sorted(now[kind]) == sorted(before[kind])
    assert desk.again(draft).state == "draft"
    assert (desk.again(first).open, desk.again(first).total) == (357, 357)
    assert desk("invoices issue", draft).invoice.number == f"RE-{YEAR}-0002"
    team.agreed()
    with new_team() as fresh:
        fresh.repository.restore(copy)
        assert fresh.stored()[Invoice][first.id].number == first.number
        assert len(fresh.stored()[InvoiceLine]) == 2
        fresh.agreed()


def _with_a_negative_price(desk: BillingDesk) -> Invoice:
    """A draft with a line as older versions kept it."""
    draft = desk.draft("1 x Good 100 19%")
    less = InvoiceLine(
        invoice=draft.id, position=2, name="Less", quantity=Decimal(1), unit="C62", price=Decimal(-5), basis=Decimal(1),
        tax_category="S", tax_rate=Decimal(19),
    )  # fmt: skip
    desk.store.change(lambda tx: tx.add(less))
    return desk.again(draft)


def test_a_line_with_a_negative_price_is_undone_exported_and_copied(one_desk: BillingDesk, tmp_path: Path) -> None:
    desk = one_desk
    draft = _with_a_negative_price(desk)
    before = desk("invoices show", draft).as_json()
    assert before["total"] == "113.05"
    desk("invoices lines remove", draft, 2)
    desk("history undo", yes=True)
    assert desk("invoices show", draft).as_json()["lines"] == before["lines"]
    desk("invoices delete", draft, yes=True)
    desk("history undo", yes=True)
    assert desk("invoices show", draft).as_json()["lines"] == before["lines"]
    assert desk("invoices issue", desk("invoices copy", draft).invoice).invoice.total == Decimal("113.05")

    desk("export", tmp_path / "all.json")
    assert not desk("copy", to=f"sqlite:///{tmp_path}/copy.sqlite3").failed
    config = Config(f"sqlite:///{tmp_path}/empty.sqlite3", "anna", running_on(TODAY))
    with closing(empty := open_crm(config).repository):
        named("import")(replace(desk.crm, repository=empty), tmp_path / "all.json")
        with empty.read() as snapshot:
            assert [line.price for line in snapshot.find_all(InvoiceLine)] == [100, -5, 100, -5]
    assert desk.sound()


def test_a_new_computer_reads_a_negative_price_in_a_spreadsheet(sheet_desk: BillingDesk, team: Team) -> None:
    draft = _with_a_negative_price(sheet_desk)
    sheet_desk("invoices issue", draft)
    assert team.stored()[InvoiceLine][2].price == -5
    team.agreed()


def _merged(desk: BillingDesk) -> tuple[Client, int]:
    """A client with a draft, an invoice and a payment, merged into Acme; and the number of the merge."""
    beta = desk(
        "clients add", {"company": "Beta", "address": "Weg 2", "city": "Wien", "postcode": "1", "country": "AT"}
    )
    desk("invoices add", beta, ["Draft 10 19%"])
    desk("invoices issue", desk("invoices add", beta, ["Table 100 19%"]).invoice)
    desk("payments add", beta, Decimal(150))
    desk("clients merge", desk.acme, beta)
    return beta, desk("history list", limit=1)[0].id


def test_an_invoice_that_was_issued_after_a_merge_stays_with_its_buyer(desk: BillingDesk) -> None:
    beta, merge = _merged(desk)
    draft, before = Invoice(id=1, client=0), Invoice(id=2, client=0)
    issued = desk("invoices issue", desk.again(draft)).invoice
    undone = desk("history undo", merge)
    assert undone.left_out == f"{issued.number} was issued since and stays with Acme."
    assert (desk.again(issued).client, desk.again(before).client) == (desk.acme.id, beta.id)
    assert desk("invoices show", issued).document.buyer.name == "Acme"
    assert desk.sound()


def test_a_merge_with_invoices_and_payments_is_undone_and_redone(desk: BillingDesk) -> None:
    beta, _ = _merged(desk)
    for _ in range(2):
        desk("history undo")
        assert desk.again(Invoice(id=2, client=0)).client == beta.id
        desk("history redo")
        assert desk.again(Invoice(id=2, client=0)).client == desk.acme.id
    assert f"{desk.again(desk.acme).credit:.2f}" == "31.00"
    assert desk.sound()


def test_a_backup_whose_balances_are_wrong_comes_back_as_it_was(sheet_desk: BillingDesk) -> None:
    with _new_store(STORES["sqlite"]) as backup:
        client = backup.add()
        paid = Payment(client=client.id, kind="payment", on=TODAY, amount=Decimal(100), currency="EUR", method="cash")
        backup.change(lambda tx: tx.add(paid))
        backup.change(lambda tx: tx.add(replace(paid, kind="refund", amount=Decimal(80))))
        wrong = 'UPDATE payment SET amount = amount / 10, "left" = amount / 10 WHERE id = 1'
        backup.change(lambda tx: tx.connection.execute(text(wrong)))
        with backup.repository.read() as source:
            sheet_desk.crm.repository.transact(lambda tx: put_back(tx, source, None), "restored")
    with sheet_desk.crm.read() as restored:
        assert [payment.amount for payment in restored.find_all(Payment)] == [80, 10]
    assert not sheet_desk.sound()


BY_HAND = {
    "UPDATE payment SET amount = amount * 2": "Payment 1 shows 0.00 EUR as left, but its figures give 118.00 EUR.",
    'UPDATE payment SET amount = amount * 2, "left" = amount': "shows 0.00 as credit, but its records give 118.00",
    "UPDATE allocation SET amount = amount / 2": "as paid, but its records give 59.00",
    "UPDATE invoice_line SET name = 'Other'": "Invoice RE-2026-0001 has different words, dates or figures",
    "UPDATE invoice_line SET quantity = quantity * 2, price = price / 2": "different words, dates or figures",
    "UPDATE invoice SET notes = 'by hand'": "different words, dates or figures",
    "UPDATE invoice SET due_on = '2027-01-01'": "different words, dates or figures",
    "UPDATE invoice SET buyer = 'nonsense'": "different words, dates or figures",
    "UPDATE invoice SET buyer = 'null'": "different words, dates or figures",
    "UPDATE invoice SET buyer = '[5]'": "different words, dates or figures",
    "UPDATE invoice SET buyer = '{\"client\": [1]}', seller = '\"x\"'": "different words, dates or figures",
    "UPDATE invoice SET buyer_reference = 'OTHER'": "different words, dates or figures",
    "UPDATE adjustment SET reason = 'other'": "different words, dates or figures",
    "DELETE FROM adjustment": "shows figures that its lines do not give",
    "UPDATE invoice SET client = 2": "was issued to client 1 and is in the account of 2",
    "UPDATE invoice SET memo = 'by hand', sendings = 3": "",
}


def test_the_check_finds_what_was_changed_in_the_database(desk: BillingDesk) -> None:
    invoice = desk.issued("Table 100 19%", discount="0.84")
    desk("payments add", desk.acme, Decimal(118), invoice=[invoice])
    desk("clients add", {"company": "Beta"})
    assert desk.again(invoice).total == Decimal("118.00")

    def found(statement: str) -> Sequence[str]:
        def change(tx: Any) -> Sequence[str]:
            tx.connection.execute(text(statement))
            card_of(desk.crm, tx, tx.get(Invoice, invoice.id))  # it is still shown
            return [finding.what for finding in checks.findings(tx) if finding.wrong]

        findings: Sequence[str] = desk.crm.foresee(change)
        return findings

    for statement, finding in BY_HAND.items():
        findings = found(statement)
        assert any(finding in what for what in findings) if finding else findings == [], (statement, findings)
    assert desk.sound()
