"""Sales matched by the order or invoice number that another system gave them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from crm.model import Sale
from tests.commands.conftest import Office

HEAD = "Invoice number,Client,Date,Amount,Note"


@pytest.fixture
def known(office: Office) -> Office:
    office.add(company="Hotel Adler", kind="company")
    office.add(first_name="Anna", last_name="Berg")
    return office


def imported(office: Office, *rows: str, head: str = HEAD, name: str = "sales.csv", **how: Any) -> Any:
    return office("import", office.write(name, "\n".join((head, *rows)) + "\n"), as_="sales", **how)


def counted(report: Any) -> tuple[int, int, int, int]:
    return report.new, report.updated, report.unchanged, report.refused


def test_another_number_in_another_file_is_another_sale_and_the_same_number_is_known(known: Office) -> None:
    assert counted(imported(known, "INV-1,Hotel Adler,2026-05-02,100,desk")) == (1, 0, 0, 0)
    assert counted(imported(known, "INV-2,Hotel Adler,2026-05-02,100,desk", name="more.csv")) == (1, 0, 0, 0)
    both = ("INV-1,Hotel Adler,2026-05-02,100,desk", "INV-2,Hotel Adler,2026-05-02,100,desk")
    assert counted(imported(known, *both, name="both.csv")) == (0, 0, 2, 0)
    # Its note may be written otherwise, the number in other letters, and the client may be another one by now.
    assert counted(imported(known, " inv-1 ,Hotel Adler,2026-05-02,100,a desk")) == (0, 0, 1, 0)
    first = next(sale for sale in known("sales list") if sale.reference == "INV-1")
    known("sales edit", first, {}, client=known.client(2))
    assert counted(imported(known, *both)) == (0, 0, 2, 0)
    assert sorted(sale.reference for sale in known("sales list")) == ["INV-1", "INV-2"]


def test_lines_of_one_order_are_a_sale_each_and_known_again(known: Office) -> None:
    lines = (
        "7001,Anna Berg,2026-05-02,20,shirt",
        "7001,Anna Berg,2026-05-02,20,shirt",
        "7001,Anna Berg,2026-05-02,35,",
    )
    assert counted(imported(known, *lines)) == (3, 0, 0, 0)
    assert counted(imported(known, *lines)) == (0, 0, 3, 0)
    assert known.client(2).total_spend == 75


@pytest.mark.parametrize("row", ["INV-1,Hotel Adler,2026-05-02,120,", "INV-1,Hotel Adler,2026-06-02,100,"])
def test_a_known_order_number_with_another_amount_or_day_is_reported_and_not_added(known: Office, row: str) -> None:
    imported(known, "INV-1,Hotel Adler,2026-05-02,100,")
    report = imported(known, row)
    assert counted(report) == (0, 0, 1, 0)
    assert report.conflicting == 1
    assert "sale 1 already has the reference INV-1, with $100.00 on May 2, 2026" in report.doubts[0].why
    assert len(known("sales list")) == 1


def test_a_text_reference_does_not_identify_sales_but_is_kept(known: Office) -> None:
    head = "Reference,Client,Date,Amount"
    assert counted(imported(known, "monthly support,Anna Berg,2026-05-02,50", head=head)) == (1, 0, 0, 0)
    assert counted(imported(known, "monthly support,Anna Berg,2026-06-02,50", head=head)) == (1, 0, 0, 0)
    assert counted(imported(known, "monthly support,Anna Berg,2026-06-02,50", head=head)) == (0, 0, 1, 0)
    assert {sale.reference for sale in known("sales list")} == {"monthly support"}


def test_existing_sales_without_a_number_are_matched_and_get_it_once(known: Office) -> None:
    known.sell(known.client(1), "100", date(2026, 5, 2))
    known.sell(known.client(1), "100", date(2026, 5, 2))
    rows = [f"INV-{number},Hotel Adler,2026-05-02,100" for number in (1, 2, 3)]
    head = "Invoice number,Client,Date,Amount"
    assert counted(imported(known, *rows, head=head, preview=True)) == (1, 2, 0, 0)
    assert counted(imported(known, *rows, head=head)) == (1, 2, 0, 0)
    assert counted(imported(known, *rows, head=head)) == (0, 0, 3, 0)
    assert sorted((sale.id, sale.reference) for sale in known("sales list")) == [
        (1, "INV-1"), (2, "INV-2"), (3, "INV-3")
    ]  # fmt: skip


def test_only_adding_leaves_sales_without_a_number_as_they_are(known: Office) -> None:
    known.sell(known.client(1), "100", date(2026, 5, 2))
    row = "INV-1,Hotel Adler,2026-05-02,100,"
    assert counted(imported(known, row, head="Invoice number,Client,Date,Amount,X", mode="add")) == (0, 0, 1, 0)
    assert known.sales()[0].reference == ""


def test_a_list_without_numbers_knows_sales_that_have_one(known: Office) -> None:
    imported(known, "INV-1,Hotel Adler,2026-05-02,100,", "INV-2,Hotel Adler,2026-05-02,100,")
    head = "Client,Date,Amount"
    row = "Hotel Adler,2026-05-02,100"
    assert counted(imported(known, row, row, row, head=head)) == (1, 0, 2, 0)


@pytest.mark.parametrize(
    ("heading", "written"),
    [
        ("Invoice no.", "INV-7"), ("invoice", "2026/7"), ("Order", "#1001"), ("Order ID", "1001"), ("order_no", "7"),
        ("Reference", "PO 7"), ("Transaction ID", "txn_7"), ("Receipt number", "7"), ("Rechnungsnr.", "R-7"),
        ("Belegnummer", "7"), ("Bestellnummer", "B7"), ("Numéro de facture", "F7"), ("Nº de pedido", "P7"),
        ("Numero fattura", "7/A"), ("Factuurnummer", "7"), ("Name", "#1001"), ("id", "ch_3MmlLrLkdIwHu7ix"),
        ("Ref", "x7"), ("Invoice #", "7"), ("InvoiceNumber", "INV-0007"), ("Num", "1044"),
    ],
)  # fmt: skip
def test_the_number_is_found_by_the_heading(known: Office, heading: str, written: str) -> None:
    imported(known, f"{written},Anna Berg,2026-05-02,50", head=f"{heading},Client,Date,Amount")
    assert [sale.reference for sale in known("sales list")] == [written]


@pytest.mark.parametrize(
    ("heading", "written"), [("No.", "1"), ("id", "1"), ("Order", "oak table"), ("Invoice", "yes"), ("Nr", "12")]
)
def test_running_numbers_and_words_are_no_reference(known: Office, heading: str, written: str) -> None:
    imported(known, f"{written},Anna Berg,2026-05-02,50", head=f"{heading},Client,Date,Amount")
    assert [sale.reference for sale in known("sales list")] == [""]


def test_the_column_can_be_named_by_hand(known: Office) -> None:
    imported(known, "A-7,Anna Berg,2026-05-02,50", head="Vorgang,Client,Date,Amount", map=["Vorgang=reference"])
    assert [sale.reference for sale in known("sales list")] == ["A-7"]


def test_own_sales_come_back_with_their_references(known: Office) -> None:
    imported(known, "INV-1,Hotel Adler,2026-05-02,100,x", "INV-2,Hotel Adler,2026-05-02,100,x")
    known("export", known.folder / "out.csv", what="sales")
    assert counted(known("import", known.folder / "out.csv", as_="sales")) == (0, 0, 2, 0)
    for sale in known("sales list"):
        known("sales undo", sale)
    assert counted(known("import", known.folder / "out.csv", as_="sales")) == (2, 0, 0, 0)
    assert sorted(sale.reference for sale in known("sales list")) == ["INV-1", "INV-2"]


def test_an_undo_takes_back_what_the_import_filled_in(known: Office) -> None:
    known.sell(known.client(1), "100", date(2026, 5, 2))
    imported(known, "INV-1,Hotel Adler,2026-05-02,100,", head="Invoice number,Client,Date,Amount,X")
    assert known.sales()[0].reference == "INV-1"
    known("history undo")
    assert known.sales()[0].reference == ""


def test_a_sale_is_recorded_listed_and_corrected_with_its_reference(known: Office) -> None:
    made: Sale = known("sales add", known.client(2), Decimal(9), reference="INV-9").sale
    known("sales add", known.client(2), Decimal(9), reference="INV-10")
    assert [sale.id for sale in known("sales list", reference="inv-9")] == [made.id]
    edited = known("sales edit", made, {"reference": "INV-11"}).sale
    assert edited.reference == "INV-11"
    assert known("timeline", known.client(2)).entries[0].what == "Sale 2 (INV-10)"
