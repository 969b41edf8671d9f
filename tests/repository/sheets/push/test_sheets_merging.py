"""Requests of one moment that a service checks on the same state and merges: nothing is lost or doubled."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from crm.errors import CRMError, NotFoundError, RefusedError
from crm.model import Client, Sale
from crm.repository.sheets import repository as repository_module
from crm.repository.sheets.grid.layout import BEFORE, META
from crm.repository.sheets.live_check import LiveCheck
from crm.repository.sheets.pull import reading
from crm.repository.sheets.push import before_image_requests
from crm.repository.sheets.push import push as push_module
from crm.repository.sheets.push import requests as commit_module
from tests.support.by_hand import Sheet
from tests.support.in_turns import InTurns
from tests.support.sheets_team import CLIENTS, MERGES, SALES, Team, merging_team

pytestmark = pytest.mark.in_turn

_MODES = [pytest.param(mode, marks=[] if mode == "all" else pytest.mark.slow) for mode in MERGES]


@pytest.fixture
def team() -> Iterator[Team]:
    with merging_team() as team:
        yield team


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


@pytest.mark.whole
@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("client", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_two_sales_at_one_moment_are_both_kept(team: Team, mode: str, client: int) -> None:
    other = team.another("ben")
    other.refresh()
    team.person.merges(MERGES[mode])
    for _ in range(2):
        _at_that_moment(team, other, lambda tx: _sell(tx, client), "a sale")
        team.store.change(_sell, "a sale")
    _check(team, 4)


@pytest.mark.whole
@pytest.mark.slow
@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("client", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_two_sales_of_another_machine_while_one_is_on_its_way(team: Team, mode: str, client: int) -> None:
    other = team.another("ben")
    other.refresh()
    team.person.merges(MERGES[mode])

    def sell_two() -> None:
        other.transact(lambda tx: _sell(tx, client), "a sale")
        other.transact(lambda tx: _sell(tx, client), "a sale")

    team.person._service.at_that_moment.append(sell_two)
    team.store.change(_sell, "a sale")
    _check(team, 3)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MERGES)
def test_an_import_that_overtakes_a_sale_keeps_both(team: Team, mode: str) -> None:
    other = team.another("ben")
    other.refresh()
    team.person.merges(MERGES[mode])

    def import_clients(tx: Any) -> None:
        _sell(tx, 2)
        tx.add_all([Client(kind="person", last_name=f"New {at}") for at in range(600)])

    _at_that_moment(team, other, import_clients, "an import")
    team.store.change(_sell, "a sale")
    team.person.merges([])
    found = team.agreed()
    assert (len(found[Sale]), len(found[Client])) == (2, 603)
    assert [client.total_spend for client in list(found[Client].values())[:3]] == [10, 10, 0]  # type: ignore[attr-defined]
    assert {"a sale", "an import"} <= set(team.summaries())


@pytest.mark.parametrize("mode", _MODES)
def test_a_row_typed_below_a_blank_one_gets_its_id_once_while_two_sell(team: Team, mode: str) -> None:
    other = team.another("ben")
    other.refresh()
    team.store.change(_sell, "a sale")
    team.person.insert_rows(team.id, SALES, 1, 1)
    Sheet(team, Sale).add(client=2, amount=10, note="typed")
    team.person.merges(MERGES[mode])
    # The other one has not seen the first sale: it looks, and gives the row its ID.
    _at_that_moment(team, other, lambda tx: _sell(tx, 2), "a sale")
    team.store.change(_sell, "a sale")
    team.person.merges([])
    found = team.agreed()
    assert sorted(sale.note for sale in found[Sale].values()) == ["", "", "", "typed"]  # type: ignore[attr-defined]
    assert [client.total_spend for client in found[Client].values()] == [20, 20, 0]  # type: ignore[attr-defined]
    assert [finding.what for finding in team.repository.check() if finding.wrong] == []


@pytest.mark.whole
@pytest.mark.parametrize("mode", MERGES)
def test_an_edit_a_new_client_and_a_sale_at_one_moment(team: Team, mode: str) -> None:
    other = team.another("ben")
    other.refresh()
    team.person.merges(MERGES[mode])
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


@pytest.mark.whole
@pytest.mark.slow
@pytest.mark.parametrize("mode", MERGES)
def test_four_machines_that_sell_at_once(team: Team, mode: str) -> None:
    machines = [team.another(f"user {at}") for at in range(4)]
    team.person.merges(MERGES[mode], 0.02)
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
        thread.join(300)
    assert (failed, [thread for thread in threads if thread.is_alive()]) == ([], [])
    _check(team, 20)


# Orders of requests in which a sale that was told as saved was once lost, doubled, or missing in the history, and some
# more.
ORDERS = [
    (mode, seed)
    for mode, seeds in {
        "marker": (0, 1),
        "appended rows": (11, 16, 19, 20),
        "copies": (2, 11, 14, 17),
        "answers": (0, 1),
        "all": range(5),
    }.items()
    for seed in seeds
]


class Killed(BaseException):
    """Stands for kill -9."""


@pytest.mark.whole
@pytest.mark.slow
@pytest.mark.parametrize(
    ("largest", "clients", "killed_after"), [(14_000, 40, 1), (14_000, 40, 3), (300_000, 700, 1), (300_000, 700, 2)]
)
@pytest.mark.parametrize("mode", MERGES)
def test_two_that_clear_up_after_a_killed_import_at_one_moment(
    team: Team, monkeypatch: pytest.MonkeyPatch, mode: str, largest: int, clients: int, killed_after: int
) -> None:
    """The leftovers of few clients, and of more rows than are remembered of older commits."""
    monkeypatch.setattr(push_module, "ABANDONED_AFTER", 0.2)
    monkeypatch.setattr(commit_module, "LARGEST", largest)
    machines = [team.another(user) for user in ("ben", "cleo", "dora")]
    ben, cleo, dora = machines
    for machine in machines:
        machine.refresh()
    write, sent = team.repository.service.write, list[int]()

    def killed(*given: Any, **named: Any) -> Any:
        reply = write(*given, **named)
        sent.append(1)
        if len(sent) == killed_after:
            raise Killed
        return reply

    def import_clients(tx: Any) -> None:
        _sell(tx, 2)
        tx.add_all([Client(kind="person", last_name=f"New {at}") for at in range(clients)])

    team.person.merges(MERGES[mode])
    _at_that_moment(team, ben, _sell, "a sale")
    monkeypatch.setattr(team.repository.service, "write", killed)
    with pytest.raises(Killed):
        team.repository.transact(import_clients, "an import")
    monkeypatch.setattr(team.repository.service, "write", write)
    _at_that_moment(team, dora, lambda tx: _sell(tx, 3), "a sale")
    cleo.transact(lambda tx: _sell(tx, 2), "a sale")
    assert not team.person._service.at_that_moment
    _check(team, 3)
    assert "an import" not in team.summaries()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["appended rows", "all"])
@pytest.mark.parametrize("read", [1, 6, 9])
def test_commits_further_below_are_read_where_one_clashes(
    team: Team, monkeypatch: pytest.MonkeyPatch, mode: str, read: int
) -> None:
    monkeypatch.setattr(reading, "_KEPT_READ", read)
    monkeypatch.setattr(reading, "_MANY_KEPT", 10)
    for _ in range(3):
        team.store.change(_sell, "a sale")
    other = team.another("ben")
    other.refresh()
    team.person.merges(MERGES[mode])

    def sell_four() -> None:
        for _ in range(4):
            other.transact(lambda tx: _sell(tx, 2), "a sale")

    team.person._service.at_that_moment.append(sell_four)
    team.store.change(_sell, "a sale")
    _check(team, 8)


@pytest.mark.slow
def test_old_before_images_are_cut_off_many_at_a_time(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(before_image_requests, "_REMEMBERED_OF_MERGED", 20)
    monkeypatch.setattr(before_image_requests, "_CUT_OFF", 30)

    def rows() -> int:
        described = team.repository.service.describe("sheets(properties(sheetId,gridProperties(rowCount)))")
        grids = {sheet["properties"]["sheetId"]: sheet["properties"]["gridProperties"] for sheet in described["sheets"]}
        return int(grids[BEFORE.sheet_id]["rowCount"])

    counts = []
    for _ in range(24):
        team.store.change(_sell, "a sale")
        team.repository._look_at_sheet()
        team.stored()
        counts.append(rows())
    cuts = [before - now for before, now in pairwise(counts) if now < before]
    assert len(cuts) in (1, 2)
    assert min(cuts) > 20
    _check(team, 24)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MERGES)
def test_a_sale_on_its_way_and_an_edit_of_hundreds_of_clients_are_both_kept(team: Team, mode: str) -> None:
    """More rows than are remembered of older commits where requests are not merged."""
    team.store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"More {at}") for at in range(500)]))
    other = team.another("ben")
    other.refresh()
    team.person.merges(MERGES[mode])

    def edit_all(tx: Any) -> None:
        _sell(tx, 2)
        for client in tx.find_all(Client):
            tx.change(client, notes="theirs")

    _at_that_moment(team, other, edit_all, "an edit")
    team.store.change(_sell, "a sale")
    team.person.merges([])
    found = team.agreed()
    assert {client.notes for client in found[Client].values()} == {"theirs"}  # type: ignore[attr-defined]
    assert len(found[Sale]) == 2
    assert sorted(team.summaries()[:2]) == ["a sale", "an edit"]


@pytest.mark.slow
@pytest.mark.parametrize("killed_after", [0, 1, 3])
@pytest.mark.parametrize("mode", MERGES)
def test_a_sale_on_its_way_and_an_import_of_several_requests(
    team: Team, monkeypatch: pytest.MonkeyPatch, mode: str, killed_after: int
) -> None:
    """The import is there as a whole, or not at all, where it was killed (0: it was not); a third one sells while the
    first one puts right what has clashed."""
    monkeypatch.setattr(push_module, "ABANDONED_AFTER", 0.2)
    monkeypatch.setattr(commit_module, "LARGEST", 14_000)
    ben, cleo = team.another("ben"), team.another("cleo")
    for machine in (ben, cleo):
        machine.refresh()
    write, sent = ben.service.write, list[int]()

    def killed(*given: Any, **named: Any) -> Any:
        reply = write(*given, **named)
        sent.append(1)
        if len(sent) == killed_after:
            raise Killed
        return reply

    def import_clients(tx: Any) -> None:
        _sell(tx, 2)
        tx.add_all([Client(kind="person", last_name=f"New {at}") for at in range(40)])

    def in_between() -> None:
        _at_that_moment(team, cleo, lambda tx: _sell(tx, 3), "a sale")
        monkeypatch.setattr(ben.service, "write", killed)
        with suppress(Killed):
            ben.transact(import_clients, "an import")

    ben.transact(lambda tx: tx.change(tx.get(Client, 1), notes="edited"), "an edit")
    team.person.merges(MERGES[mode])
    team.person._service.at_that_moment.append(in_between)
    team.repository.transact(_sell, "a sale")
    assert not team.person._service.at_that_moment
    team.person.merges([])
    for machine in (team.repository, cleo):
        machine.refresh()
    found, summaries = team.agreed(), team.summaries()
    imported = summaries.count("an import")
    assert imported == 1 or killed_after
    assert (len(found[Sale]), len(found[Client])) == (2 + imported, 3 + 40 * imported)
    assert sum(client.total_spend for client in found[Client].values()) == 10 * len(found[Sale])  # type: ignore[attr-defined]
    assert found[Client][1].notes == "edited"  # type: ignore[attr-defined]
    assert (summaries.count("a sale"), "edited in the sheet" in summaries) == (2, False)


@pytest.mark.whole
@pytest.mark.slow
@pytest.mark.parametrize(("mode", "seed"), ORDERS)
def test_sales_of_four_machines_in_any_order_of_their_requests(
    team: Team, monkeypatch: pytest.MonkeyPatch, mode: str, seed: int
) -> None:
    machines = [team.another(f"user {at}") for at in range(4)]
    team.person.merges(MERGES[mode], 0.02)
    turns = InTurns(seed)
    monkeypatch.setattr(repository_module, "_PATIENCE", 600.0)
    monkeypatch.setattr(time, "sleep", turns.pause)
    for machine in machines:
        monkeypatch.setattr(machine.service, "_ask", turns.around(machine.service._ask))

    def sell(machine: Any, client: int) -> None:
        for _ in range(4):
            machine.transact(lambda tx: _sell(tx, client), "a sale")

    turns.run([partial(sell, machine, 1 + at % 3) for at, machine in enumerate(machines)])
    _check(team, 16)


@pytest.mark.parametrize("merges", [False, True])
def test_serialization_by_google_is_tested_and_remembered_per_spreadsheet(team: Team, merges: bool) -> None:
    team.person.merges(MERGES["all"] if merges else [], 0.03)
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


def _delete_sale(tx: Any, number: int) -> None:
    tx.delete(tx.get(Sale, number))


# What two machines do at one moment: ours, theirs, and what must hold afterwards of clients 1 and 2 and of the sales.
RACES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[[Any], bool]]] = {
    "two sales deleted": (
        lambda tx: _delete_sale(tx, 1),
        lambda tx: _delete_sale(tx, 2),
        lambda found: sorted(found[Sale]) == [3, 4, 5, 6],
    ),
    "a sale deleted, another one made": (
        lambda tx: _delete_sale(tx, 1),
        _sell,
        lambda found: sorted(found[Sale])[:5] == [2, 3, 4, 5, 6] and len(found[Sale]) == 6,
    ),
    "a sale made, another one deleted": (
        _sell,
        lambda tx: _delete_sale(tx, 1),
        lambda found: sorted(found[Sale])[:5] == [2, 3, 4, 5, 6] and len(found[Sale]) == 6,
    ),
    "a client deleted, another one edited": (
        lambda tx: tx.delete(tx.get(Client, 2)),
        lambda tx: tx.change(tx.get(Client, 3), city="Ulm"),
        lambda found: sorted(found[Client]) == [1, 3] and found[Client][3].city == "Ulm" and len(found[Sale]) == 4,
    ),
    "a client edited, another one deleted": (
        lambda tx: tx.change(tx.get(Client, 3), city="Ulm"),
        lambda tx: tx.delete(tx.get(Client, 2)),
        lambda found: sorted(found[Client]) == [1, 3] and found[Client][3].city == "Ulm" and len(found[Sale]) == 4,
    ),
    "a client deleted that is sold to": (
        lambda tx: tx.delete(tx.get(Client, 1)),
        lambda tx: _sell(tx, 1),
        lambda found: sorted(found[Client]) == [2, 3] and len(found[Sale]) == 4,
    ),
    "two own fields": (
        lambda tx: tx.change(tx.get(Client, 1), extra={"Hat": "M"}),
        lambda tx: tx.change(tx.get(Client, 1), notes="theirs"),
        lambda found: (found[Client][1].extra, found[Client][1].notes) == ({"Hat": "M"}, "theirs"),
    ),
    "two new columns": (
        lambda tx: tx.change(tx.get(Client, 1), extra={"Hat": "M"}),
        lambda tx: tx.change(tx.get(Client, 2), extra={"Shoe": "42"}),
        lambda found: [found[Client][at].extra for at in (1, 2)] == [{"Hat": "M"}, {"Shoe": "42"}],
    ),
    "the same new column": (
        lambda tx: tx.change(tx.get(Client, 1), extra={"Hat": "M"}),
        lambda tx: tx.change(tx.get(Client, 2), extra={"Hat": "L"}),
        lambda found: [found[Client][at].extra for at in (1, 2)] == [{"Hat": "M"}, {"Hat": "L"}],
    ),
}  # fmt: skip
# What a person does in the very moment before the requests of one moment are applied.
BY_HAND: dict[str, list[Any]] = {
    "nothing": [],
    "sorted": [["sort", CLIENTS, 2, True], ["sort", SALES, 0, True]],
    "dragged": [["move_rows", CLIENTS, 1, 1, 4], ["move_rows", SALES, 2, 1, 6]],
    "inserted": [["insert_rows", CLIENTS, 2, 1], ["insert_rows", SALES, 1, 2]],
    "columns dragged": [["move_column", CLIENTS, 3, 1], ["move_column", SALES, 3, 1]],
}
_RACED_BY_HAND = (
    "two sales deleted",
    "a client edited, another one deleted",
    "a client deleted that is sold to",
    "two new columns",
)


def _cases() -> list[Any]:
    """Each race without anybody at work in the sheet, one of them quick; some of them with."""
    alone = [("two new columns", "nothing", False)]
    alone += [(race, "nothing", True) for race in RACES if race != "two new columns"]
    beside = [(race, hand, True) for race in _RACED_BY_HAND for hand in BY_HAND if hand != "nothing"]
    return [
        pytest.param(race, hand, marks=pytest.mark.slow if slow else [], id=f"{race}, {hand}")
        for race, hand, slow in [*alone, *beside]
    ]


@pytest.mark.parametrize(("race", "hand"), _cases())
def test_any_two_changes_at_one_moment_are_neither_lost_nor_doubled(team: Team, race: str, hand: str) -> None:
    ours, theirs, holds = RACES[race]
    for client in (1, 2, 3):
        team.store.change(lambda tx, client=client: [_sell(tx, client) for _ in range(2)], "sales")
    other = team.another("ben")
    other.refresh()
    team.person.merges(MERGES["all"])
    if BY_HAND[hand]:
        team.in_the_windows(BY_HAND[hand])
    failed: list[CRMError] = []

    def done(act: Callable[[], Any]) -> None:
        try:
            act()
        except (NotFoundError, RefusedError) as error:
            # Who comes second finds that the client is gone.
            failed.append(error)

    team.person._service.at_that_moment.append(lambda: done(lambda: other.transact(theirs, "theirs")))
    done(lambda: team.store.change(ours, "ours"))
    team.person.merges([])
    found = team.agreed()
    assert holds(found), {kind: found[kind] for kind in (Client, Sale)}
    assert len(failed) <= (race == "a client deleted that is sold to")
    for client in found[Client].values():
        sold = [sale.amount for sale in found[Sale].values() if sale.client == client.id]  # type: ignore[attr-defined]
        assert client.total_spend == sum(sold)  # type: ignore[attr-defined]
    summaries = team.summaries()
    assert (summaries.count("ours"), summaries.count("theirs")) in [(1, 1), *([(0, 1), (1, 0)] if failed else [])]
