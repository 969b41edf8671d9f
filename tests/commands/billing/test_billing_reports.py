"""Billing reports, the bookkeeping export, and the dashboard tile: figures are separate for each currency."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import event

from crm.commands.reports.report import Report
from crm.errors import FieldError
from tests.commands.billing.conftest import BillingDesk
from tests.support.clocks import TODAY

SEPTEMBER, OCTOBER = date(2026, 9, 10), date(2026, 10, 5)


def shown(report: Report) -> list[list[str]]:
    def text(value: Any) -> str:
        return f"{value:.2f}" if isinstance(value, Decimal) else str(value)

    return [[text(value) for value in row] for row in (*report.rows, *([report.total] if report.total else ()))]


@pytest.fixture
def busy(desk: BillingDesk) -> BillingDesk:
    """Two services on two invoices of two rates, a credit note, payments, and an invoice in another currency."""
    desk("services add", "Consulting", Decimal(100), unit="HUR", tax_rate=Decimal(19))
    desk("services add", "Book", Decimal(20), unit="C62", tax_rate=Decimal(7))
    first = desk.issued("3 h Consulting", "2 Book", on=SEPTEMBER, due=SEPTEMBER, discount="10%")
    second = desk.issued("1 h Consulting", "Odds and ends 10 19%", on=OCTOBER, due=date(2026, 11, 15))
    desk("invoices credit", first, line=[2], on=OCTOBER)
    desk("payments add", desk.acme, Decimal(200), on=OCTOBER, invoice=[first])
    desk("payments add", desk.acme, Decimal(50), on=OCTOBER, invoice=[second])
    desk.issued("Far 500 19%", on=OCTOBER, due=OCTOBER, currency="CHF")
    desk.draft("Not yet 1000 19%")
    return desk


def test_invoices_issued_and_paid_by_month(busy: BillingDesk) -> None:
    report = busy("reports invoiced", since=date(2026, 9, 1))
    # 270 + 51.30 and 36 + 2.52; 110 + 20.90; the credited line is 42.80 less a tenth.
    assert shown(report) == [
        ["2026-09", "359.82", "0.00", "0.00", "0.00", "1"],
        ["2026-10", "130.90", "250.00", "38.52", "0.00", "1"],
        ["2026-11", "0.00", "0.00", "0.00", "0.00", "0"],
        ["Total", "490.72", "250.00", "38.52", "0.00", "2"],
    ]
    assert (report.currency, "CHF" in report.note) == ("EUR", True)
    francs = busy("reports invoiced", by="year", currency="CHF", since=date(2026, 1, 1))
    assert shown(francs)[0] == ["2026", "595.00", "0.00", "0.00", "0.00", "1"]


def test_unpaid_amounts_by_age(busy: BillingDesk) -> None:
    report = busy("reports ageing")
    assert shown(report) == [
        ["not due", "0.00", "0.00", "0", "0"],
        ["1 to 30 days", "80.90", "40.01", "1", "1"],
        ["31 to 60 days", "0.00", "0.00", "0", "0"],
        ["61 to 90 days", "121.30", "59.99", "1", "1"],
        ["over 90 days", "0.00", "0.00", "0", "0"],
        ["Total", "202.20", "100.00", "2", "1"],
    ]
    owed = next(row for row in busy("unpaid list") if row.currency == "EUR")
    assert (owed.open, owed.to_30, owed.to_90) == (Decimal("202.20"), Decimal("80.90"), Decimal("121.30"))


def test_invoiced_amounts_by_service(busy: BillingDesk) -> None:
    report = busy("reports services")
    assert shown(report) == [
        ["Consulting", "400.00", "105.26", "2"],
        ["Book", "4.00", "1.05", "1"],
        ["lines without a service", "10.00", "2.63", "1"],
        ["discounts and charges on invoices", "-34.00", "-8.95", "None"],
        ["Total", "380.00", "100.00", "2"],
    ]


def test_tax_by_rate_for_the_accountant(busy: BillingDesk) -> None:
    report = busy("reports taxes", since=date(2026, 9, 1))
    assert shown(report) == [
        ["2026-09", "19 %", "270.00", "51.30", "321.30", "1"],
        ["2026-09", "7 %", "36.00", "2.52", "38.52", "1"],
        ["2026-10", "19 %", "110.00", "20.90", "130.90", "1"],
        ["2026-10", "7 %", "-36.00", "-2.52", "-38.52", "1"],
        ["Total", "", "380.00", "72.20", "452.20", "None"],
    ]
    assert shown(busy("reports taxes", by="quarter"))[0][0] == "2026-Q3"


def test_the_list_for_the_bookkeeper_is_a_plain_table(busy: BillingDesk, tmp_path: Path) -> None:
    busy("settings set", "accounts", "19%=8400, 7 % = 8300, Bank Transfer=1200")
    busy.crm.forget_settings()
    bad = busy(
        "clients add",
        {"company": '=cmd|" /C calc"!A0', "address": "W 1", "city": "Wien", "postcode": "1", "country": "AT"},
    )
    busy("invoices issue", busy("invoices add", bad, ["+1 Table 10 0%"]).invoice, on=OCTOBER)
    file = tmp_path / "october.csv"
    busy("reports bookkeeping", since=date(2026, 10, 1), until=date(2026, 10, 31), to=file)
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    facts = ("Type", "Date", "Number", "For", "Tax rate", "Net", "Tax", "Amount", "Currency", "Account")
    assert [[row[name] for name in facts] for row in rows] == [
        ["invoice", "2026-10-05", "RE-2026-0002", "", "19.00", "110.00", "20.90", "130.90", "EUR", "8400"],
        ["credit note", "2026-10-05", "GS-2026-0001", "RE-2026-0001", "7.00", "-36.00", "-2.52", "-38.52", "EUR",
         "8300"],
        ["invoice", "2026-10-05", "RE-2026-0003", "", "19.00", "500.00", "95.00", "595.00", "CHF", "8400"],
        ["invoice", "2026-10-05", "RE-2026-0004", "", "0.00", "10.00", "0.00", "10.00", "EUR", ""],
        ["payment", "2026-10-05", "1", "RE-2026-0001", "", "", "", "200.00", "EUR", "1200"],
        ["payment", "2026-10-05", "2", "RE-2026-0002", "", "", "", "50.00", "EUR", "1200"],
    ]  # fmt: skip
    assert (rows[3]["Client"], rows[0]["Client"], rows[0]["Country"]) == ('\'=cmd|" /C calc"!A0', "Acme", "AT")
    busy("reports bookkeeping", since=date(2026, 10, 1), until=date(2026, 10, 31), to=tmp_path / "october.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "october.xlsx").active
    assert sheet is not None
    cells = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert (cells[3][6], sheet.cell(5, 7).data_type, cells[0][13]) == ('=cmd|" /C calc"!A0', "s", 130.9)
    # Without days it is the last whole month.
    assert len(busy("reports bookkeeping").rows) == len(cells)


def test_the_list_for_the_bookkeeper_needs_no_more_queries_for_more_clients(desk: BillingDesk) -> None:
    def asked(clients: int) -> int:
        for number in range(clients):
            desk("payments add", desk("clients add", {"company": f"Payer {clients} {number}"}), Decimal(5))
        statements: list[str] = []

        def note(*given: Any) -> None:
            statements.append(given[2])

        event.listen(desk.store.repository._engine, "before_cursor_execute", note)
        assert len(desk("reports bookkeeping", since=TODAY).rows) >= clients
        event.remove(desk.store.repository._engine, "before_cursor_execute", note)
        return len(statements)

    assert asked(1) == asked(5)


@pytest.mark.parametrize("accounts", ["19=8400", "19%=", "120.555%=1", "cheque=1", "AE=8 4", "=8400"])
def test_accounts_that_cannot_be_read_are_refused(desk: BillingDesk, accounts: str) -> None:
    with pytest.raises(FieldError):
        desk("settings set", "accounts", accounts)


def test_the_billing_tile_shows_open_amounts(busy: BillingDesk) -> None:
    busy("payments add", busy.acme, Decimal(1), on=TODAY)
    busy("dashboard set", "billing, taxes, invoiced, ageing, services")
    tiles = busy("today").as_json()
    assert tiles["billing"] == [
        {"currency": "CHF", "open": "595.00", "overdue": "595.00", "paid_this_month": "0.00"},
        {"currency": "EUR", "open": "201.20", "overdue": "201.20", "paid_this_month": "1.00"},
    ]
