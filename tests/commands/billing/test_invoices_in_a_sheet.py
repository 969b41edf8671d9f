"""Invoices in a spreadsheet that people edit by hand: edits to an issued invoice are not accepted."""

from decimal import Decimal
from typing import Any

import pytest

from crm.model import Adjustment, Allocation, Client, Invoice, InvoiceLine, NumberSeries, Payment, Record, Service
from tests.commands.billing.conftest import BillingDesk
from tests.support.by_hand import Sheet
from tests.support.sheets_team import Team

pytestmark = pytest.mark.sheets


@pytest.fixture
def desk(sheet_desk: BillingDesk) -> BillingDesk:
    return sheet_desk


def test_an_edited_cell_of_an_issued_invoice_is_reported_and_ignored(team: Team, desk: BillingDesk) -> None:
    invoice = desk.issued("3 h Consulting 100 19%")
    before = desk("invoices show", invoice).as_json()
    for record, name, value in (
        (Invoice(id=1), "notes", "by hand"), (Invoice(id=1), "total", 1), (InvoiceLine(id=1), "price", 1),
    ):  # fmt: skip
        tab = "invoices" if isinstance(record, Invoice) else "invoice lines"
        team.person.set_cells(team.id, tab, *team.place(record, name), [[value]])
    assert desk("invoices show", invoice).as_json() == before
    whats = [finding.what for finding in team.repository.check()]
    assert len(whats) == 3
    assert sum("cannot be changed" in what for what in whats) == 2
    # Of a cell it is not said that nothing was changed, and a sentence ends once.
    assert not any(words in what for what in whats for words in ("..", "Nothing was changed", "stages"))


def test_a_draft_changed_by_hand_has_the_figures_of_its_lines(team: Team, desk: BillingDesk) -> None:
    draft = desk.draft("3 h Consulting 100 19%")
    team.person.set_cells(team.id, "invoice lines", *team.place(InvoiceLine(id=1), "quantity"), [[2]])
    assert desk("invoices show", draft).as_json()["total"] == "238.00"
    assert desk.again(draft).total == 238
    team.agreed()


@pytest.mark.parametrize("kind", [Invoice, InvoiceLine, NumberSeries, Client])
def test_a_deleted_row_of_an_issued_invoice_is_restored(team: Team, desk: BillingDesk, kind: type[Record]) -> None:
    invoice = desk.issued("3 h Consulting 100 19%")
    before = desk("invoices show", invoice).as_json()
    Sheet(team, kind).delete(kind(id=1))
    desk("services add", "Later", Decimal(1))
    assert desk("invoices show", invoice).as_json() == before
    assert "sheets repair" in team.repository.notice()
    team.repository.settle(take_over=False)
    assert team.place(kind(id=1))[0] > 0
    assert [finding.what for finding in team.repository.check()] == []
    assert desk.issued().number.endswith("0002")
    team.agreed()


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        (Payment, {"client": 1, "on": "2026-01-02"}, "a payment is not added in the spreadsheet"),
        (Service, {"price": 12}, "a service needs its name"),
        (Allocation, {"payment": 1}, "allocation"),
        (InvoiceLine, {"name": "Talk"}, "needs its invoice"),
    ],
)
def test_an_incomplete_row_is_reported_for_that_row_only(
    team: Team, desk: BillingDesk, kind: type[Record], typed: dict[str, Any], words: str
) -> None:
    Sheet(team, kind).add(**typed)
    whats = [finding.what for finding in team.repository.check()]
    assert len(whats) == 1
    assert words in whats[0]
    assert desk.draft().id == 1


def test_a_refused_edit_of_a_draft_holds_up_no_other(team: Team, desk: BillingDesk) -> None:
    draft = desk.draft("3 h Consulting 100 19%")
    Sheet(team, InvoiceLine).put(InvoiceLine(id=1), "basis", -2)
    Sheet(team, Client).put(desk.acme, "city", "Graz")
    assert desk.again(desk.acme).city == "Graz"
    assert desk.again(draft).total == 357
    whats = [finding.what for finding in team.repository.check()]
    assert len(whats) == 1
    assert "above 0" in whats[0]
    desk.draft("Adjusted 100 19%", discount="10%")
    Sheet(team, Adjustment).put(Adjustment(id=1), "amount", 5)
    Sheet(team, Client).put(desk.acme, "city", "Linz")
    assert desk.again(desk.acme).city == "Linz"


def test_the_row_of_a_service_in_use_is_asked_about(team: Team, desk: BillingDesk) -> None:
    service = desk("services add", "Support", Decimal(50))
    unused = desk("services add", "Unused", Decimal(50))
    desk("invoices add", desk.acme, service=[service])
    Sheet(team, Service).delete(service)
    Sheet(team, Client).put(desk.acme, "city", "Graz")
    assert desk.again(service).name == "Support"
    assert "sheets repair" in team.repository.notice()
    team.repository.settle(take_over=False)
    assert desk.again(desk.acme).city == "Graz"
    assert team.place(service)[0] > 0
    Sheet(team, Service).delete(unused)
    assert [item.name for item in desk("services list")] == ["Support"]
    team.agreed()
