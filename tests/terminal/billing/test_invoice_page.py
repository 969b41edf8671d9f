"""The page of an invoice in windows of different heights."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.app import open_crm
from crm.commands import load
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.config import Config
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.session import Session
from tests.support.clocks import TODAY, running_on
from tests.support.keyboards import Leaving


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[CRM]:
    load()
    load_flows()
    opened = open_crm(Config(f"sqlite:///{tmp_path / 'crm.sqlite3'}", "tester", running_on(TODAY)))
    yield opened
    opened.repository.close()


@pytest.mark.parametrize(("lines", "stacked"), [(40, True), (18, False)])
def test_the_figures_of_an_invoice_stand_below_its_amounts_where_there_is_room(
    crm: CRM, lines: int, stacked: bool
) -> None:
    client = named("clients add")(crm, {"first_name": "Anna", "last_name": "Arm"})
    invoice = named("invoices add")(crm, client=client, line=["3 h Work 1200 20%"]).invoice
    page = io.StringIO()
    environment = {"TERM": "xterm", "COLUMNS": "80", "LINES": str(lines), "NO_COLOR": "1"}
    Session(crm, Leaving(), Screen(page, plain=False, environment=environment)).open(invoice)
    drawn = page.getvalue().splitlines()
    amount = next(line for line in drawn if "Work" in line and "3,600.00" in line)
    net = next(line for line in drawn if "Before tax" in line)
    if stacked:
        assert "Total" not in net
        assert net.rindex("3,600.00") == amount.rindex("3,600.00")
    else:
        assert "Total" in net


@pytest.mark.parametrize(("lines", "is_said"), [(["3 h Work 1200"], False), (["Work 100", "Desk 100 20%"], True)])
def test_a_tax_of_nothing_is_said_once(crm: CRM, lines: list[str], is_said: bool) -> None:
    client = named("clients add")(crm, {"first_name": "Anna", "last_name": "Arm"})
    invoice = named("invoices add")(crm, client=client, line=lines).invoice
    page = io.StringIO()
    Session(crm, Leaving(), Screen(page, plain=True)).open(invoice)
    assert ("0 % of $" in page.getvalue()) == is_said
    assert "Tax $" in page.getvalue()
