"""Commits on a service that accepts a request for a named range that is gone, so that the marker does not hold.

Each commit keeps the state that it found. Who finds that somebody else came first takes the own commit back.
"""

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from crm.model import Client, Sale
from crm.repository.sheets.push import push as push_module
from crm.repository.sheets.push import requests as commit_module
from tests.support.sheets_team import Team, new_team

pytestmark = pytest.mark.in_turn


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        team.store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"Buyer {at}") for at in range(3)]))
        team.person.marker_holds(False)
        try:
            yield team
        finally:
            team.person.marker_holds(True)


def _sell(tx: Any, client: int = 1) -> Any:
    return tx.add(Sale(client=client, on=tx.today, amount=Decimal("10.00")))


def _check(team: Team, sales: int, clients: int = 3) -> None:
    found = team.agreed()
    assert len(found[Sale]) == sales
    assert sum(record.total_spend for record in found[Client].values()) == Decimal(10 * sales)  # type: ignore[attr-defined]
    assert team.summaries().count("a sale") == sales
    assert len(found[Client]) == clients


def _just_before(repository: Any, what: Callable[[], Any]) -> None:
    """Let something happen between the last look of a program and its write."""
    write = repository.service.write

    def then(*given: Any, **named: Any) -> Any:
        repository.service.write = write
        what()
        return write(*given, **named)

    repository.service.write = then


@pytest.mark.many
@pytest.mark.parametrize("client", [1, 2])
def test_of_two_commits_at_once_the_second_rolls_itself_back(team: Team, client: int) -> None:
    other = team.another("ben")
    _just_before(team.repository, lambda: other.transact(lambda tx: _sell(tx, client), "a sale"))
    team.store.change(_sell, "a sale")
    _check(team, 2)


@pytest.mark.slow
def test_of_three_commits_at_once_two_roll_themselves_back(team: Team) -> None:
    second, third = team.another("ben"), team.another("cleo")
    second.refresh()
    _just_before(team.repository, lambda: second.transact(_sell, "a sale"))
    _just_before(second, lambda: third.transact(_sell, "a sale"))
    team.store.change(_sell, "a sale")
    _check(team, 3)


@pytest.mark.slow
def test_an_edit_a_deletion_and_a_new_client_at_once(team: Team) -> None:
    other = team.another("ben")
    _just_before(team.repository, lambda: other.transact(lambda tx: tx.delete(tx.get(Client, 3)), "deleted"))
    team.store.change(_sell, "a sale")
    _check(team, 1, clients=2)
    _just_before(team.repository, lambda: other.transact(_sell, "a sale"))
    team.store.change(lambda tx: tx.delete(tx.get(Client, 2)), "deleted")
    _check(team, 2, clients=1)
    _just_before(team.repository, lambda: other.transact(_sell, "a sale"))
    team.store.add(last_name="Late")
    _check(team, 3, clients=2)


def test_the_next_reader_rolls_back_the_commit_of_a_killed_writer(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(_: Any) -> Any:
        raise Killed

    other = team.another("ben")
    _just_before(team.repository, lambda: other.transact(_sell, "a sale"))
    monkeypatch.setattr(team.repository._push, "put_right", killed)
    with pytest.raises(Killed):
        team.store.change(_sell, "a sale")
    monkeypatch.undo()
    assert len(team.stored(team.another("cleo"))[Sale]) == 1
    _check(team, 1)


@pytest.mark.slow
def test_a_transaction_of_several_requests_meets_another_one(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_module, "LARGEST", 14_000)
    monkeypatch.setattr(push_module, "ABANDONED_AFTER", 0.1)
    other = team.another("ben")

    def forty(tx: Any) -> None:
        _sell(tx)
        tx.add_all([Client(kind="person", last_name=f"New {at}") for at in range(40)])

    _just_before(team.repository, lambda: other.transact(_sell, "a sale"))
    team.store.change(forty, "a sale")
    _check(team, 2, clients=43)


@pytest.mark.slow
def test_many_commits_at_once_leave_each_sale_once(team: Team) -> None:
    programs = [team.another(f"user {at}") for at in range(4)]

    def sell(program: Any) -> None:
        for _ in range(5):
            program.transact(lambda tx: _sell(tx, 1), "a sale")

    threads = [threading.Thread(target=sell, args=(program,)) for program in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    _check(team, 20)


@pytest.mark.parametrize("second", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_requests_that_arrive_twice_count_once(team: Team, second: bool) -> None:
    other = team.another("ben")
    for at in range(3):
        team.person.fault("double", only="write", second=second)
        team.store.change(_sell, "a sale")
        if at:
            other.transact(_sell, "a sale")
    team.person.clear_faults()
    _check(team, 5)


def test_a_request_that_arrives_again_after_another_change_counts_once(team: Team) -> None:
    other = team.another("ben")
    sent: list[Any] = []
    write = team.repository.service.write

    def keep(*given: Any, **named: Any) -> Any:
        sent.append((given, named))
        return write(*given, **named)

    team.repository.service.write = keep  # type: ignore[method-assign]
    team.store.change(_sell, "a sale")
    team.repository.service.write = write  # type: ignore[method-assign]
    other.transact(_sell, "a sale")
    (given, named) = sent[0]
    write(*given, **named)
    # Who had sent it sees the state that it made, and may not take it for its own.
    team.store.change(_sell, "a sale")
    _check(team, 3)
