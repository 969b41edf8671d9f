"""Lines of an invoice at the menu, in a real terminal."""

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Invoice, InvoiceLine
from tests.terminal.conftest import Start, add, all_of


@pytest.mark.parametrize(
    ("typed", "refused", "mended"),
    [
        ("Widget 12.000", "12.000 can be read in two ways. Write 12.00 or 12000.", "Widget 12.00"),
        ("Widget 5 EUR", "That is in EUR, and this invoice is in USD.", "Widget 5"),
        ("Widget 5 119%", "A tax rate is between 0 and 100 percent", "Widget 5 19%"),
        ("Widget", "Say what Widget costs, like Widget 100", "Widget 5"),
    ],
)
def test_a_line_that_is_refused_is_typed_again_where_it_was(
    start: Start, crm: CRM, typed: str, refused: str, mended: str
) -> None:
    anna = add(crm, first_name="Anna")
    draft = named("invoices add")(crm, anna, ["Desk 100"]).invoice
    session = start().choose("Billing").choose("Invoices").choose("draft").choose("Add a line").sees("Line, like")
    session.press(typed, "enter").sees(refused).sees(f": {typed}")
    session.press("kill", mended, "enter").sees("Issue it")
    assert [line.name for line in all_of(crm, InvoiceLine)] == ["Desk", "Widget"]
    assert [invoice.id for invoice in all_of(crm, Invoice)] == [draft.id]
