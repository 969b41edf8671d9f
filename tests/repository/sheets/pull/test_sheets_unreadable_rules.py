"""A computer that cannot read a rule, or what a rule judges by, does not review statuses."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import RefusedError
from crm.model import Client, Sale, StatusRule
from crm.repository.sheets.repository import SheetsRepository
from tests.support.sheets_team import CLIENTS, Team, new_team


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        with team.repository.read() as snapshot:
            first, *_ = snapshot.find_all(StatusRule)
        team.store.change(lambda tx: tx.change(first, when="total_spend >= 35000 or city = 'Graz'"))
        team.store.change(lambda tx: [tx.add(Client(last_name="Berg", city="Graz")), tx.add(Client(last_name="Lund"))])
        team.store.change(lambda tx: [_sell(tx, 2, 40_000)])
        team.store.change(lambda tx: tx.review_all())
        assert _statuses(team.repository) == ["VIP", "VIP"]
        yield team


def _sell(tx: Any, client: int, amount: int = 10) -> Any:
    return tx.add(Sale(client=client, on=tx.today, amount=Decimal(amount)))


def _statuses(repository: SheetsRepository) -> list[str]:
    with repository.read() as snapshot:
        return [client.status for client in sorted(snapshot.find_all(Client), key=lambda client: client.id)]


def _broken_rule(team: Team) -> Callable[[], object]:
    with team.repository.read() as snapshot:
        first, *_ = snapshot.find_all(StatusRule)
    row, column = team.place(first, "when")
    team.person.set_cells(team.id, "rules", row, column, [["total_spend >="]])
    return lambda: team.person.set_cells(team.id, "rules", row, column, [[first.when]])


def _lost_column(team: Team) -> Callable[[], object]:
    rows = team.cells(Client)
    column = rows[0].index("City")
    team.person.set_cells(team.id, CLIENTS, 0, column, [["Town"]])
    return lambda: team.person.set_cells(team.id, CLIENTS, 0, column, [["City"]])


@pytest.mark.parametrize(("break_it", "named"), [(_broken_rule, "rules!"), (_lost_column, "“City”")])
def test_a_new_computer_that_cannot_read_a_rule_leaves_statuses_as_they_are(
    team: Team, break_it: Callable[[Team], Callable[[], object]], named: str
) -> None:
    mend = break_it(team)
    fresh = team.another("ben")
    fresh.daily_review()
    fresh.transact(lambda tx: [_sell(tx, 1), _sell(tx, 2)], "sales")
    assert _statuses(fresh) == ["VIP", "VIP"]
    assert "Statuses are not reviewed on this computer" in fresh.notice()
    assert named in fresh.notice()
    # What it cannot tell it does not find wrong.
    assert all("but the rules give" not in finding.what for finding in fresh.check())
    for refused in (lambda tx: tx.review_all(), lambda tx: tx.moves(), lambda tx: tx.move_counts()):
        with pytest.raises(RefusedError, match="not reviewed"):
            fresh.transact(refused, "applied the rules")
    # Once it is mended, what was left out is reviewed.
    fresh.transact(lambda tx: _sell(tx, tx.add(Client(last_name="Moe")).id, 50_000), "a sale")
    assert _statuses(fresh)[2] == ""
    mend()
    fresh.daily_review()
    assert fresh.notice() == ""
    assert _statuses(fresh) == ["VIP", "VIP", "VIP"]
    assert _statuses(team.repository) == ["VIP", "VIP", "VIP"]


def test_a_computer_that_knew_a_rule_goes_on_with_its_last_valid_condition(team: Team) -> None:
    _broken_rule(team)
    team.store.change(lambda tx: _sell(tx, tx.add(Client(last_name="Moe")).id, 50_000))
    assert _statuses(team.repository) == ["VIP", "VIP", "VIP"]
    assert "not reviewed" not in team.repository.notice()
