"""A service that checks two requests of one moment on the same state, and merges them: nothing is lost or doubled."""

import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from crm.model import Client, Sale
from crm.repository.sheets.grid.layout import META
from crm.repository.sheets.live_check import LiveCheck
from tests.support.sheets_team import Team, new_team

MODES = {
    "marker": ["marker"],
    "appended rows": ["marker", "append"],
    "copies": ["marker", "copy"],
    "answers": ["marker", "answer"],
    "all": ["marker", "append", "copy", "answer"],
}
_MODES = [pytest.param(mode, marks=[] if mode == "all" else pytest.mark.slow) for mode in MODES]


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        team.store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"Buyer {at}") for at in range(3)]))
        team.person.serialises(team.id, False)
        try:
            yield team
        finally:
            team.person.merges([])


def _sell(tx: Any, client: int = 1) -> Any:
    return tx.add(Sale(client=client, on=tx.today, amount=Decimal("10.00")))


def _check(team: Team, sales: int, clients: int = 3) -> None:
    team.person.merges([])
    found = team.agreed()
    assert len(found[Sale]) == sales
    assert sum(record.total_spend for record in found[Client].values()) == Decimal(10 * sales)  # type: ignore[attr-defined]
    assert team.summaries().count("a sale") == sales
    assert len(found[Client]) == clients


def _at_that_moment(team: Team, other: Any, change: Any, what: str) -> None:
    """Another machine's change arrives at the moment of the next request, and is there first."""
    team.person._service.at_that_moment.append(lambda: other.transact(change, what))


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("client", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_two_sales_at_one_moment(team: Team, mode: str, client: int) -> None:
    other = team.another("ben")
    other.refresh()
    team.person.merges(MODES[mode])
    for _ in range(2):
        _at_that_moment(team, other, lambda tx: _sell(tx, client), "a sale")
        team.store.change(_sell, "a sale")
    _check(team, 4)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_an_edit_a_new_client_and_a_sale_at_one_moment(team: Team, mode: str) -> None:
    other = team.another("ben")
    other.refresh()
    team.person.merges(MODES[mode])
    _at_that_moment(team, other, lambda tx: tx.change(tx.get(Client, 1), notes="theirs"), "edited")
    team.store.change(_sell, "a sale")
    _at_that_moment(team, other, lambda tx: tx.add(Client(kind="person", last_name="Late")), "added")
    team.store.change(lambda tx: tx.change(tx.get(Client, 1), city="ours"), "edited")
    _at_that_moment(team, other, _sell, "a sale")
    team.store.add(last_name="Later")
    _check(team, 2, clients=5)
    found = team.stored()[Client]
    assert (found[1].notes, found[1].city) == ("theirs", "ours")  # type: ignore[attr-defined]
    assert sorted(record.last_name for record in found.values())[-2:] == ["Late", "Later"]  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_four_machines_that_sell_at_once(team: Team, mode: str) -> None:
    machines = [team.another(f"user {at}") for at in range(4)]
    team.person.merges(MODES[mode], 0.02)
    failed: list[BaseException] = []

    def sell(machine: Any, client: int) -> None:
        try:
            for _ in range(5):
                machine.transact(lambda tx: _sell(tx, client), "a sale")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=sell, args=(machine, 1 + at % 3)) for at, machine in enumerate(machines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert failed == []
    _check(team, 20)


@pytest.mark.parametrize("merges", [False, True])
def test_whether_google_serialises_is_found_out_and_remembered_with_the_spreadsheet(team: Team, merges: bool) -> None:
    team.person.merges(MODES["all"] if merges else [], 0.03)
    check = LiveCheck(team.repository.service, races=2)
    assert check.serialises(team.store.today) is not merges
    assert team.cells(META)[2][:2] == ["serialises", "no" if merges else "yes"]
    team.person.merges([])
    team.stored()
    team.person.reset_counts()
    team.store.change(_sell, "a sale")
    counts = team.person.counts(team.id)
    # Where it does not, a change is looked at once more.
    assert (counts["reads"], counts["writes"]) == (2 if merges else 1, 1)
    _check(team, 1)
