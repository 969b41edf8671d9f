"""Rows that another program has filled meanwhile, on a service that merges requests: each is taken for what it is."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import NotFoundError
from crm.model import Client, Sale
from crm.repository.sheets.push import requests as commit_module
from crm.repository.sheets.repository import SheetsRepository
from tests.support.by_hand import Sheet, wrong
from tests.support.sheets_team import CLIENTS, MERGES, SALES, Team, merging_team

pytestmark = pytest.mark.in_turn

_MODES = [
    pytest.param(mode, marks=[] if mode == "all" else pytest.mark.slow) for mode in ("marker", "appended rows", "all")
]


@pytest.fixture
def team() -> Iterator[Team]:
    with merging_team() as team:
        yield team


@pytest.fixture
def other(team: Team) -> SheetsRepository:
    """A program on another computer, which has seen the clients only."""
    other = team.another("ben")
    other.refresh()
    return other


def _sold(note: str, client: int = 2) -> Callable[[Any], Any]:
    return lambda tx: tx.add(Sale(client=client, on=tx.today, amount=Decimal(10), note=note))


def _at_that_moment(team: Team, other: SheetsRepository, *changes: Callable[[Any], Any]) -> None:
    """Another program's changes arrive at the moment of the next request, and are there first."""

    def act() -> None:
        other.refresh()
        for change in changes:
            other.transact(change, "by the other one")

    team.person._service.at_that_moment.append(act)


def _check(team: Team, *sales: tuple[str, int, int]) -> None:
    """Each sale is there once, with its client and amount, and totals agree."""
    team.person.merges([])
    found = team.agreed()
    rows = [(sale.note, sale.client, int(sale.amount)) for sale in found[Sale].values()]  # type: ignore[attr-defined]
    assert sorted(rows) == sorted(sales)
    for client in found[Client].values():
        assert client.total_spend == sum(amount for _, of, amount in sales if of == client.id)  # type: ignore[attr-defined]


@pytest.mark.parametrize("mode", _MODES)
def test_an_id_that_met_the_row_of_a_sale_leaves_no_second_sale(team: Team, other: SheetsRepository, mode: str) -> None:
    team.store.change(_sold("first"), "a sale")
    Sheet(team, Sale).add(client=3, amount=777, note="typed")
    team.person.merges(MERGES[mode])
    # The typed row moves up, and the other program sells where it was.
    team.in_the_window(["delete_rows", SALES, 1, 1])
    _at_that_moment(team, other, _sold("other"))
    team.repository.refresh()
    _check(team, ("typed", 3, 777), ("other", 2, 10))


@pytest.mark.parametrize("mode", _MODES)
def test_an_edit_that_met_a_row_which_was_filled_again_is_taken_out_of_it(
    team: Team, other: SheetsRepository, mode: str
) -> None:
    team.store.change(_sold("first"), "a sale")
    team.person.merges(MERGES[mode])

    def deleted(tx: Any) -> None:
        tx.delete(tx.get(Sale, 1))

    _at_that_moment(team, other, deleted, _sold("other"))
    with pytest.raises(NotFoundError):
        team.store.change(lambda tx: tx.change(tx.get(Sale, 1), amount=Decimal(99), note="edited"), "an edit")
    _check(team, ("other", 2, 10))


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("requests", ["one", "several"])
def test_a_typed_sale_keeps_its_row_when_a_sale_with_its_id_is_taken_back_twice(
    team: Team, other: SheetsRepository, mode: str, requests: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if requests == "several":
        monkeypatch.setattr(commit_module, "LARGEST", 14_000)
    team.person.merges(MERGES[mode])
    heading = team.cells(Sale)[0]
    typed = [
        ["set_cells", SALES, 1, heading.index(name), [[cell]]]
        for name, cell in (("Client", 3), ("Amount", 777), ("Note", "typed"))
    ]
    # The rows of clients move before the request that takes the sale back: so it has to be taken back once more.
    before = [typed, [], []] if requests == "one" else [typed, [], [], []]
    team.in_the_windows(*before, [["insert_rows", CLIENTS, 1, 2]])
    _at_that_moment(team, other, lambda tx: tx.change(tx.get(Client, 1), notes="edited"))

    def sold(tx: Any) -> None:
        _sold("own")(tx)
        tx.add_all([Client(kind="person", last_name=f"New {at}") for at in range(30 if requests == "several" else 1)])

    team.store.change(sold, "a sale and new clients")
    _check(team, ("typed", 3, 777), ("own", 2, 10))
    assert wrong(team) == []


@pytest.mark.parametrize("mode", _MODES)
def test_an_edit_that_met_a_typed_row_leaves_it_the_stamp_that_it_got_since(
    team: Team, other: SheetsRepository, mode: str
) -> None:
    for note in ("first", "second"):
        team.store.change(_sold(note), "a sale")
    sales = Sheet(team, Sale)
    sales.put(Sale(id=2), "amount", 20)
    sales.add(client=3, amount=777, note="typed")
    team.person.merges(MERGES[mode])
    # The typed row is where the other sale was, and the other program gives it its ID.
    team.in_the_window(["delete_rows", SALES, 2, 1])
    _at_that_moment(team, other, lambda tx: tx.change(tx.get(Client, 1), notes="edited"))
    team.repository.refresh()
    _check(team, ("first", 2, 10), ("typed", 3, 777))


@pytest.mark.parametrize("mode", _MODES)
def test_a_sale_that_a_person_deletes_stays_deleted_while_clients_are_put_right(
    team: Team, other: SheetsRepository, mode: str
) -> None:
    team.store.change(_sold("first"), "a sale")
    Sheet(team, Client).add(last_name="Typed")
    team.person.merges(MERGES[mode])
    # Below the heading there are three clients, and the typed one; the row of the other one's sale is the second.
    repair = [["insert_rows", CLIENTS, 1, 1], ["delete_rows", SALES, 2, 1]]
    team.in_the_windows([], [], [], repair)
    _at_that_moment(team, other, _sold("other"))
    team.repository.refresh()
    _check(team, ("first", 2, 10))
    assert sorted(client.last_name for client in team.stored()[Client].values())[-1] == "Typed"  # type: ignore[attr-defined]


@pytest.mark.parametrize("mode", _MODES)
def test_a_sale_edited_by_hand_and_deleted_stays_deleted_when_others_are_put_right(
    team: Team, other: SheetsRepository, mode: str
) -> None:
    team.store.change(_sold("first"), "a sale")
    team.person.merges(MERGES[mode])
    edited = [["set_cells", SALES, 2, team.cells(Sale)[0].index("Amount"), [[20]]]]

    def deleted(tx: Any) -> None:
        tx.delete(next(sale for sale in tx.find_all(Sale) if sale.note == "other"))

    # The sale that is in flight has to be taken back; what came meanwhile is written again in its order.
    team.in_the_windows([], [], edited)
    _at_that_moment(team, other, _sold("other"), lambda tx: tx.change(tx.get(Client, 1), notes="edited"), deleted)
    team.store.change(_sold("own"), "a sale")
    _check(team, ("first", 2, 10), ("own", 2, 10))
