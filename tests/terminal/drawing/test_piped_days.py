"""Days in piped lists: one fixed format, whatever the day."""

from datetime import timedelta
from decimal import Decimal

import pytest

from crm.commands.billing.payments import PaymentShown
from crm.model import Conventions, Payment, Sale
from crm.terminal.drawing.render import tabbed
from tests.support.clocks import TODAY, standing_on


@pytest.mark.parametrize("language", ["en_US", "de_AT"])
def test_the_days_of_a_piped_list_are_iso_dates(language: str) -> None:
    by = Conventions(language=language, clock=standing_on(TODAY))
    days = [TODAY, TODAY - timedelta(days=1), TODAY + timedelta(days=3), TODAY - timedelta(days=60)]
    payments = [PaymentShown(Payment(client=1, on=day, amount=Decimal(5)), "Acme", [], Decimal(0)) for day in days]
    sales = [Sale(client=1, on=day, amount=Decimal(5)) for day in days]
    for rows in (payments, sales):
        lines = tabbed(rows, by)
        assert lines is not None
        assert [line.split("\t")[1] for line in lines] == [day.isoformat() for day in days]
