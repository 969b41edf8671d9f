"""The path of an amount from the question to the store: how many functions and files it passes through."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.commands.sales.sales import recorded
from crm.model import Client, Sale
from tests.commands.conftest import Office
from tests.support.call_counter import cost
from tests.support.firm import Firm
from tests.support.sheets_team import new_team


def selling(crm: CRM, client: Client) -> Callable[[], Any]:
    """Read an amount and record a sale, the third time: what is loaded once is loaded then, and the driver has the
    statements."""
    command = named("sales add")
    check = command.parameters["amount"].check
    assert check is not None

    def sell() -> Any:
        return command(crm, client=client, amount=check.read("12.50", crm.conventions))

    sell()
    sell()
    return sell


def test_a_sale_takes_few_statements_and_asks_for_no_record_twice(office: Office) -> None:
    spent = cost(selling(office.crm, office.add()))
    assert len(spent.statements) <= 10, spent.statements
    assert len(set(spent.statements)) == len(spent.statements)
    # One of the files compares frozen objects.
    assert (spent.calls <= 221, spent.files <= 32) == (True, True), spent


def test_the_user_is_looked_up_once_in_a_transaction(office: Office) -> None:
    firm = Firm(office)
    spent = cost(selling(firm.crms["staff"], firm.own))
    for table in ("sign_in", "user"):
        sessions = [words for words in spent.statements if words.startswith(f"SELECT {table}.id, {table}.created_at")]
        assert len(sessions) == 1, sessions
    assert len(spent.statements) <= 15, spent.statements


@pytest.mark.slow
def test_a_sale_is_written_to_its_cell_without_extra_reads() -> None:
    with new_team() as team:
        team.repository.fresh_for = 600.0
        client = team.store.add(first_name="Anna")

        def sell() -> None:
            sale = Sale(client=client.id, on=team.store.today, amount=Decimal("12.50"))
            team.repository.transact(lambda tx: recorded(tx, sale), "recorded a sale")

        sell()
        sell()
        spent = cost(sell)
    assert len(spent.statements) <= 27, spent.statements
    assert not [words for words in spent.statements if words.startswith("DELETE")]
    # Two of the files note the change until its outcome is known.
    assert (spent.calls <= 1420, spent.files <= 45) == (True, True), spent
