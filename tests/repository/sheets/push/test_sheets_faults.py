"""Transactions on a spreadsheet while connections break and Google fails."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import StoreAccessError, StoreError, StoreOfflineError, StoreUnsureError
from crm.model import Client, Conventions, Sale
from crm.repository.sheets import repository as repository_module
from crm.repository.sheets.push import push as push_module
from crm.repository.sheets.push import requests as commit_module
from tests import conftest
from tests.support.google_sheets import StandIn
from tests.support.sheets_team import Team, new_team

pytestmark = [pytest.mark.slow, pytest.mark.in_turn]


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        team.store.add(last_name="Buyer")
        yield team


@pytest.fixture
def short_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests hold so little that a transaction of forty records takes several."""
    monkeypatch.setattr(commit_module, "LARGEST", 14_000)


def _sell(tx: Any) -> Any:
    return tx.add(Sale(client=1, on=tx.today, amount=Decimal("10.00")))


def _add_forty(tx: Any) -> Any:
    _sell(tx)
    return tx.add_all([Client(kind="person", last_name=f"New {at}") for at in range(40)])


def _check_once(team: Team, sales: int = 1) -> None:
    found = team.agreed()
    assert len(found[Sale]) == sales
    assert found[Client][1].total_spend == Decimal(10 * sales)  # type: ignore[attr-defined]
    assert team.summaries().count("a sale") == sales


FAULTS: dict[str, dict[str, Any]] = {
    "the reply lost": {"kind": "drop_reply"},
    "arrived twice, the first answer returned": {"kind": "double"},
    "arrived twice, the second answer returned": {"kind": "double", "second": True},
    "cut before anything arrived": {"kind": "drop_request"},
    **{f"the reply cut after {at}": {"kind": "cut", "bytes": at} for at in (0, 1, 2, 30, 300, 1500)},
    "refused as a lost race": {"kind": "status", "code": 409, "times": 4},
    **{
        f"{code}{' in HTML' * html}{' after it was applied' * applied}": {
            "kind": "status", "code": code, "html": html, "applied": applied
        }
        for code in (500, 502, 503)
        for html in (False, True)
        for applied in (False, True)
    },
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_an_interrupted_write_is_applied_once(team: Team, fault: str) -> None:
    team.person.fault(only="write", **FAULTS[fault])
    team.store.change(_sell, "a sale")
    assert [fault.hits for fault in team.person._service.traffic.faults] == [FAULTS[fault].get("times", 1)]
    _check_once(team)


@pytest.mark.parametrize(
    "fault",
    [
        "the reply lost",
        "cut before anything arrived",
        "503 in HTML after it was applied",
        "arrived twice, the second answer returned",
    ],
)
@pytest.mark.parametrize("step", range(5))
@pytest.mark.usefixtures("short_requests")
def test_an_interrupted_transaction_of_several_requests_is_applied_once(team: Team, fault: str, step: int) -> None:
    team.person.reset_counts()
    team.person.fault(only="write", after=step, **FAULTS[fault])
    team.store.change(_add_forty, "a sale")
    assert team.person.counts(team.id)["writes"] >= 5
    _check_once(team)
    assert len(team.stored()[Client]) == 41


@pytest.mark.parametrize("broken", ["reads", "writes"])
def test_a_second_fault_while_checking_a_write_does_no_harm(team: Team, broken: str) -> None:
    team.person.fault("drop_reply", only="write")
    team.person.fault("status", only=broken, code=503, times=2, after=1)
    team.store.change(_sell, "a sale")
    _check_once(team)


def test_a_lost_reply_of_a_misplaced_write_is_repaired(team: Team) -> None:
    team.store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"Other {at}") for at in range(5)]))
    team.in_the_window(["sort", "clients", 0, True])
    team.person.fault("drop_reply", only="write")
    team.store.change(_sell, "a sale")
    _check_once(team)


def test_a_lost_reply_is_resolved_after_another_writer(team: Team) -> None:
    other = team.another("ben")
    values = team.repository.service.values
    tries: list[int] = []

    def late(ranges: Any) -> Any:
        tries.append(1)
        if len(tries) == 2:
            other.transact(_sell, "a sale")
        return values(ranges)

    team.person.fault("drop_reply", only="write")
    team.repository.service.values = late  # type: ignore[method-assign]
    team.store.change(_sell, "a sale")
    team.repository.service.values = values  # type: ignore[method-assign]
    _check_once(team, sales=2)


def _no_answer(*_: Any) -> None:
    raise push_module.NoAnswer("the answer was lost")


def _others_first(team: Team, then: Callable[[Callable[[], Any]], Any] = _no_answer) -> None:
    """Let somebody else save after the next write of the program; `then` gives its answer, and may send it again."""
    other = team.another("ben")
    other.refresh()
    write = team.repository.service.write

    def first(*given: Any, **named: Any) -> Any:
        team.repository.service.write = write  # type: ignore[method-assign]
        write(*given, **named)
        other.transact(_sell, "a sale")
        return then(lambda: write(*given, **named))

    team.repository.service.write = first  # type: ignore[method-assign]


def test_a_request_that_arrives_twice_around_another_change_counts_once(team: Team) -> None:
    _others_first(team, lambda again: again())
    team.store.change(_sell, "a sale")
    _check_once(team, sales=2)


@pytest.mark.parametrize("second", [False, True])
def test_a_program_sees_its_saved_change_at_once_after_a_lost_reply(team: Team, second: bool) -> None:
    team.person.fault("double", only="write", second=True) if second else team.person.fault("drop_reply", only="write")
    client = team.store.add(last_name="New")
    team.store.change(lambda tx: tx.add(Sale(client=client.id, on=tx.today, amount=Decimal("10.00"))))
    assert team.agreed()[Client][client.id].total_spend == Decimal("10.00")  # type: ignore[attr-defined]


def test_a_saved_change_is_never_reported_as_failed(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it was tried: what may be there is looked for before anybody is told that it is not."""

    def impatient(_: Any) -> None:
        monkeypatch.setattr(repository_module, "_PATIENCE", 0.0)
        _no_answer()

    _others_first(team, impatient)
    team.store.change(_sell, "a sale")
    _check_once(team, sales=2)


def test_a_connection_that_breaks_at_the_last_look_is_no_failure(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    service, looks = team.repository.service, list[int]()
    values = service.values

    def breaks(ranges: Any) -> Any:
        looks.append(1)
        # The first one finds that somebody else has saved since, the second one looks for the change.
        if len(looks) == 2:
            raise StoreOfflineError("Google Sheets cannot be reached: the connection was cut.")
        return values(ranges)

    def impatient(_: Any) -> None:
        monkeypatch.setattr(repository_module, "_PATIENCE", 0.0)
        monkeypatch.setattr(service, "values", breaks)
        _no_answer()

    _others_first(team, impatient)
    team.store.change(_sell, "a sale")
    assert len(looks) > 2
    _check_once(team, sales=2)


def _while_a_neighbour_holds_the_mirror(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lock the mirror by another program on this machine when hand edits are next applied."""
    neighbour = team.another("ben", same_machine=True)
    adopt = team.repository._adopt

    def held(connection: Any, *given: Any) -> None:
        monkeypatch.undo()
        with neighbour._engine.connect() as busy:
            neighbour._dialect.begin_writing(busy)
            adopt(connection, *given)
            busy.rollback()

    monkeypatch.setattr(team.repository, "_adopt", held)


def test_a_locked_mirror_does_not_make_a_saved_change_look_failed(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    _others_first(team)
    team.person.set_cells(team.id, "clients", 1, 2, [["By hand"]])
    _while_a_neighbour_holds_the_mirror(team, monkeypatch)
    team.store.change(_sell, "a sale")
    found = team.agreed()
    assert len(found[Sale]) == 2
    assert found[Client][1].last_name == "By hand"  # type: ignore[attr-defined]


def test_reading_works_while_another_program_locks_the_mirror(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.person.set_cells(team.id, "clients", 1, 2, [["By hand"]])
    _while_a_neighbour_holds_the_mirror(team, monkeypatch)
    team.stored()
    assert team.agreed()[Client][1].last_name == "By hand"  # type: ignore[attr-defined]


def test_an_error_while_checking_a_change_is_not_taken_for_failure(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> None:
        raise StoreAccessError("The spreadsheet is not shared with this program any more.", reason="not_shared")

    _others_first(team)
    monkeypatch.setattr(team.repository, "_catch_up", gone)
    with pytest.raises(StoreError, match="may have been saved"):
        team.store.change(_sell, "a sale")
    monkeypatch.undo()
    _check_once(team, sales=2)


def test_another_program_on_this_machine_may_read_the_commit_first(team: Team) -> None:
    """The mirror records which commits went through, and other programs may bring it up to date first."""
    neighbour = team.another("ben", same_machine=True)
    ours = team.repository
    caught_up = ours._catch_up

    def after_the_neighbour(connection: Any, *given: Any) -> Any:
        connection.rollback()
        neighbour.refresh()
        ours._enter(connection)
        return caught_up(connection, *given)

    def unclear(*_: Any) -> Any:
        raise push_module.Unclear

    apply = ours._push._apply

    def lost(commit: Any) -> Any:
        apply(commit)
        ours._push._apply = apply  # type: ignore[method-assign]
        raise push_module.Unclear

    ours._catch_up = after_the_neighbour  # type: ignore[method-assign]
    ours._push._apply = lost  # type: ignore[method-assign]
    team.store.change(_sell, "a sale")
    ours._catch_up = caught_up  # type: ignore[method-assign]
    _check_once(team)


def test_a_token_that_expires_in_between(team: Team) -> None:
    verified = push_module.Verified
    with pytest.MonkeyPatch.context() as patch:

        def expired(*given: Any) -> Any:
            found = verified(*given)
            team.person.expire_tokens()
            return found

        patch.setattr(push_module, "Verified", expired)
        team.store.change(_sell, "a sale")
    _check_once(team)


def test_a_quota_that_is_used_up_is_waited_out(team: Team) -> None:
    team.person.fault("status", only="write", code=429)
    waits: list[str] = []
    other = team.another("ben", waiting=lambda wait: waits.append(wait.why))
    other.refresh()
    clock = other.service._limiter.clock
    slept: list[float] = []
    now = clock.now
    other.service._limiter.clock = type(clock)(lambda: now() + sum(slept), clock.day, slept.append)
    other.transact(_sell, "a sale")
    assert any("quota" in why for why in waits)
    assert sum(slept) > 30
    _check_once(team)


def test_a_late_request_after_its_retry_does_no_harm(team: Team) -> None:
    other = team.another("ben")
    other.refresh()
    other.service._timeouts["write_timeout"] = 0.3
    other.service._opened = None
    team.person.fault("delay", only="write", seconds=0.8)
    other.transact(_sell, "a sale")
    time.sleep(1.0)
    answered = [status for _, path, status, _ in team.person.requests() if f"{team.id}:batchUpdate" in path]
    assert answered[-2:] == [200, 400]
    _check_once(team)


# One of everything, in any order

_FAULT = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["drop_reply", "drop_request", "cut", "status", "double"]),
        "second": st.booleans(),
        "only": st.sampled_from(["write", "write", "read", "drive"]),
        "after": st.integers(0, 4),
        "times": st.integers(1, 2),
        "bytes": st.integers(0, 400),
        "code": st.sampled_from([500, 502, 503]),
        "html": st.booleans(),
        "applied": st.booleans(),
    }
)
_STEP = st.sampled_from(["sell", "sort", "insert", "other sells", "drag a column", "act in the window"])


_FAULTS = st.lists(_FAULT, max_size=4)
_STEPS = st.lists(_STEP, min_size=1, max_size=6)


@pytest.mark.whole
@settings(max_examples=20)
@given(_FAULTS, _STEPS)
def test_any_faults_and_any_edits_leave_each_sale_once(faults: list[dict[str, Any]], steps: list[str]) -> None:
    with new_team() as team:
        team.store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"Buyer {at}") for at in range(3)]))
        other = team.another("ben")
        other.refresh()
        for fault in faults:
            team.person.fault(**fault)
        sold = 0
        for step in steps:
            match step:
                case "sell":
                    team.store.change(_sell, "a sale")
                    sold += 1
                case "other sells":
                    other.transact(_sell, "a sale")
                    sold += 1
                case "sort":
                    team.person.sort(team.id, "clients", 0, True)
                case "insert":
                    team.person.insert_rows(team.id, "clients", 1, 1)
                case "drag a column":
                    team.person.move_column(team.id, "clients", 3, 8)
                case "act in the window":
                    team.in_the_window(["sort", "clients", 0, False], ["insert_rows", "clients", 2, 1])
        team.person.clear_faults()
        _check_once(team, sold)


# No connection at all


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandIn]:
    """A stand-in of the test's own, which may be stopped."""
    own = StandIn(quota=False, state=tmp_path / "state")
    own.start()
    monkeypatch.setattr(conftest, "google", lambda: own)
    yield own
    with suppress(OSError):
        own.stop()


def _again(stand_in: StandIn) -> StandIn:
    again = StandIn(quota=False, port=int(stand_in.url.rpartition(":")[2]), state=stand_in.state)
    again.start()
    return again


def test_without_a_connection_reading_goes_on_and_writing_says_so(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository_module, "_OFFLINE_FOR", 0.0)
    with new_team() as team:
        team.store.add(last_name="Buyer")
        before = team.stored()
        assert team.repository.notice() == ""
        stand_in.stop()
        assert team.stored() == before
        assert re.fullmatch(r"No connection to Google: this is how it was at 9:\d\d AM\.", team.repository.notice())
        team.store.today += timedelta(days=1)
        on = Conventions().day(team.store.today - timedelta(days=1))
        assert re.fullmatch(rf"No connection .* this is how it was at 9:\d\d AM on {on}\.", team.repository.notice())
        team.store.today -= timedelta(days=1)
        began = time.monotonic()
        with pytest.raises(StoreOfflineError, match="Try again later"):
            team.store.change(_sell, "a sale")
        assert time.monotonic() - began < 3
        assert team.stored() == before
        assert "1970" not in team.repository.notice()
        assert "Jan" not in team.repository.notice()
        team.person = _again(stand_in)
        monkeypatch.setattr(conftest, "google", lambda: team.person)
        try:
            team.store.change(_sell, "a sale")
            assert team.stored()[Sale]
            assert team.repository.notice() == ""
            _check_once(team)
        finally:
            team.person.stop()
            team.person.start = lambda: None  # type: ignore[method-assign]


def test_an_unknown_outcome_is_reported_as_unknown_in_time(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_module, "FINDS_OUT_FOR", 0.5)
    monkeypatch.setattr(repository_module, "_OFFLINE_FOR", 0.0)
    team.repository.service._patience = 0.2
    waits: list[str] = []
    team.repository._push.waiting = lambda wait: waits.append(wait.why)
    team.person.fault("drop_reply", only="write")
    team.person.fault("drop_request", only="read", times=1000, after=1)
    with pytest.raises(StoreUnsureError, match="whether it arrived could not be found out"):
        team.store.change(_sell, "a sale")
    assert "looking whether it arrived" in waits[0]
    team.person.clear_faults()
    _check_once(team)


def test_a_first_read_without_a_connection_says_what_is_wrong(stand_in: StandIn) -> None:
    with new_team() as team:
        other = team.another("ben")
        stand_in.stop()
        with pytest.raises(StoreOfflineError):
            team.stored(other)
