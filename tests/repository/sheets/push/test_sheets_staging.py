"""Transactions of several requests: nobody sees any of them before the last one is written."""

import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import StoreOfflineError
from crm.model import Client, Sale
from crm.repository.sheets.grid.layout import META
from crm.repository.sheets.push import push as push_module
from crm.repository.sheets.push import requests as commit_module
from tests.support.sheets_team import CLIENTS, Team, new_team

pytestmark = pytest.mark.slow

BEFORE = 3
ADDED = 40


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    """A team of three clients, whose requests hold so little that forty take several."""
    monkeypatch.setattr(commit_module, "LARGEST", 14_000)
    with new_team() as team:
        team.store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"Old {at}") for at in range(BEFORE)]))
        yield team


def _add_forty(tx: Any) -> Any:
    tx.add(Sale(client=1, on=tx.today, amount=Decimal("10.00")))
    return tx.add_all([Client(kind="person", last_name=f"New {at}", extra={"Shoe": str(at)}) for at in range(ADDED)])


def _between(team: Team, look: Callable[[int], None]) -> None:
    """Call `look` before each request that the team's first program writes, with its number from 0."""
    write = team.repository.service.write
    sent: list[int] = []

    def looked(*given: Any, **named: Any) -> Any:
        look(len(sent))
        sent.append(1)
        return write(*given, **named)

    team.repository.service.write = looked  # type: ignore[method-assign]


class Killed(BaseException):
    """Stands for kill -9."""


def _kill_at(team: Team, step: int) -> None:
    def killed(number: int) -> None:
        if number == step:
            raise Killed

    _between(team, killed)


def test_no_reader_sees_a_transaction_before_its_last_request(team: Team) -> None:
    others = [team.another("ben"), team.another("cleo")]
    before = team.stored(others[0])
    looks: list[int] = []

    def look(number: int) -> None:
        looks.append(number)
        for reader in (*others, team.another("new")):
            with reader.read() as snapshot:
                assert {client.id: client for client in snapshot.find_all(Client)} == before[Client]
                assert snapshot.count(Sale) == 0
                assert list(snapshot.search("New")) == []
                assert [entry.what for entry in snapshot.history()].count("forty") == 0
            assert [finding for finding in reader.check() if finding.wrong] == []

    _between(team, look)
    team.person.reset_counts()
    team.store.change(_add_forty, "forty")
    assert len(looks) >= 5
    assert team.person.counts(team.id)["largest_request"] <= 14_000
    found = team.agreed()
    assert len(found[Client]) == BEFORE + ADDED
    assert found[Client][1].total_spend == Decimal("10.00")  # type: ignore[attr-defined]


@pytest.mark.parametrize("step", range(1, 6))
def test_an_unfinished_transaction_is_cleared_by_the_next_writer(
    team: Team, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(push_module, "ABANDONED_AFTER", 0.1)
    _kill_at(team, step)
    with pytest.raises(Killed):
        team.store.change(_add_forty, "forty")
    assert len(team.cells(Client)) > 1 + BEFORE
    other = team.another("ben")
    assert len(team.stored(other)[Client]) == BEFORE
    other.transact(lambda tx: tx.add(Client(kind="person", last_name="Next")), "next")
    assert len(team.cells(Client)) == 1 + BEFORE + 1
    assert len(team.agreed()[Client]) == BEFORE + 1
    assert "forty" not in team.summaries()


@pytest.mark.parametrize("is_new", [False, True])
def test_a_technical_tab_that_somebody_changed_after_a_killed_transaction_is_repaired(
    team: Team, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    monkeypatch.setattr(push_module, "ABANDONED_AFTER", 0.1)
    _kill_at(team, 3)
    other = team.another("ben")
    before = team.stored(other)
    with pytest.raises(Killed):
        team.store.change(_add_forty, "forty")
    team.person.set_cells(team.id, META.title, 1, team.cells(META)[0].index("client"), [[BEFORE - 1]])
    other = team.another("cleo") if is_new else other
    assert "crm" in other.damage_by_hand()[0]
    other.repair()
    other.transact(lambda tx: tx.add(Client(kind="person", last_name="Next")), "next")
    found = team.agreed()
    names = sorted(client.last_name for client in found[Client].values())  # type: ignore[attr-defined]
    assert names == ["Next", *(f"Old {at}" for at in range(BEFORE))]
    assert found[Sale] == before[Sale]
    assert "forty" not in team.summaries()


@pytest.mark.parametrize("edit", [
    ["sort", CLIENTS, 0, True], ["move_rows", CLIENTS, 5, 2, 1], ["insert_rows", CLIENTS, 2, 2],
    ["move_column", CLIENTS, 0, 4], ["insert_column", CLIENTS, 3, 1], ["set_cells", CLIENTS, 1, 3, [["by hand"]]],
])  # fmt: skip
@pytest.mark.parametrize("step", [1, 3])
def test_people_may_sort_staged_rows(team: Team, edit: list[Any], step: int) -> None:
    def look(number: int) -> None:
        if number == step:
            getattr(team.person, edit[0])(team.id, *edit[1:])

    _between(team, look)
    team.store.change(_add_forty, "forty")
    found = team.agreed()[Client]
    names = sorted(client.last_name for client in found.values())  # type: ignore[attr-defined]
    assert names == sorted([*(f"Old {at}" for at in range(BEFORE)), *(f"New {at}" for at in range(ADDED))])
    assert all(
        client.extra == {"Shoe": client.last_name[4:]} for client in found.values() if client.last_name[0] == "N"
    )  # type: ignore[attr-defined]
    assert team.summaries().count("forty") == 1


def test_staged_rows_deleted_by_people_stay_deleted(team: Team) -> None:
    def look(number: int) -> None:
        if number == 3:
            team.person.delete_rows(team.id, CLIENTS, 1 + BEFORE, 2)

    _between(team, look)
    team.store.change(_add_forty, "forty")
    assert len(team.agreed()[Client]) == BEFORE + ADDED - 2


def test_other_writers_wait_for_a_running_transaction(team: Team) -> None:
    waits: list[str] = []
    other = team.another("ben", waiting=lambda wait: waits.append(wait.why))
    begun = threading.Event()

    def look(number: int) -> None:
        if number == 1:
            begun.set()
        time.sleep(0.1 if number else 0)

    _between(team, look)
    writer = threading.Thread(target=team.store.change, args=(_add_forty, "forty"))
    writer.start()
    begun.wait(10)
    other.transact(lambda tx: tx.add(Client(kind="person", last_name="Next")), "next")
    writer.join(20)
    assert "Someone is saving a large change to the spreadsheet" in waits
    assert team.summaries()[:2] == ["next", "forty"]
    assert len(team.agreed()[Client]) == BEFORE + ADDED + 1


def test_a_program_does_not_wait_for_its_own_unfinished_transaction(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_module, "FINDS_OUT_FOR", 0.3)
    team.repository.service._patience = 0.1
    # Google is away from the third request on, for reads too.
    team.person.fault("drop_request", only="write", after=2, times=1000)
    team.person.fault("drop_request", only="read", after=1, times=1000)
    with pytest.raises(StoreOfflineError):
        team.store.change(_add_forty, "forty")
    team.person.clear_faults()
    state = dict(zip(*team.cells(META)[:2], strict=False))
    assert state["staging"] != ""
    began = time.monotonic()
    team.store.change(_add_forty, "forty")
    assert time.monotonic() - began < 5
    assert len(team.agreed()[Client]) == BEFORE + ADDED
    assert team.summaries().count("forty") == 1


def test_clearing_staged_rows_works_while_people_sort(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_module, "ABANDONED_AFTER", 0.1)
    _kill_at(team, 4)
    with pytest.raises(Killed):
        team.store.change(_add_forty, "forty")
    other = team.another("ben")
    other.refresh()
    team.in_the_window(["sort", CLIENTS, 0, True])
    other.transact(lambda tx: tx.add(Client(kind="person", last_name="Next")), "next")
    assert len(team.agreed()[Client]) == BEFORE + 1
