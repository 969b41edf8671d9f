"""The report of a change that failed, by the moment and the error: that nothing was changed, that it may have been
saved, or that it was saved."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from crm.errors import Cancelled, CRMError, RefusedError, StoreError, StoreUnsureError
from crm.model import Client, Sale
from crm.repository import HistoryQuery
from crm.repository.sheets import repository as repository_module
from crm.repository.sheets.google import errors
from crm.repository.sheets.google.errors import Refusal
from crm.repository.sheets.google.rate_limit import too_long
from crm.repository.sheets.google.spreadsheet import Interrupted, Service, _Failure
from crm.repository.sheets.push import push as push_module
from crm.repository.sheets.setup import set_up
from tests.conftest import default_rules
from tests.support.sheets_team import Team, new_team

pytestmark = pytest.mark.in_turn


def _refusal(status: int, message: str, *reasons: str) -> Refusal:
    return Refusal(status, message, frozenset(reasons), {}, {})


# What a request meets: an answer, or an error that is raised.
ERRORS: dict[str, Callable[[Service], Any]] = {
    "403": lambda _: _refusal(403, "The caller does not have permission", "PERMISSION_DENIED"),
    "404": lambda _: _refusal(404, "Requested entity was not found.", "NOT_FOUND"),
    "400": lambda _: _refusal(400, "Invalid requests[0].updateCells: No grid with id: 9", "INVALID_ARGUMENT"),
    "API not enabled": lambda _: _refusal(403, "It has not been used before or it is disabled.", "SERVICE_DISABLED"),
    "no quota": lambda _: too_long(),
    "an answer that cannot be read": lambda _: _Failure("the answer was damaged", sent=True),
    "TLS": lambda _: _Failure("the connection could not be made safe", sent=False),
    "a token refused": lambda service: errors.login_refused(service.account),
    "Ctrl-C": lambda _: KeyboardInterrupt(),
}
# As it was answered; nothing came back, whether it was done or not.
DONE, UNANSWERED, UNDER_WAY = "done", "done, no answer", "under way, no answer"
# The moment: what the first write meets, then whether reads fail as well as writes from then on.
MOMENTS: dict[str, tuple[str, bool]] = {
    "the look before": ("", True),
    "the write": ("", False),
    "the retry of one that is under way": (UNDER_WAY, False),
    "the look after one that is under way": (UNDER_WAY, True),
    "the look after one that was done": (UNANSWERED, True),
    "the read-back of one that was answered": (DONE, True),
}
NOTHING, UNSURE = "nothing was changed", "may have been saved"


def report_at(moment: str, error: str) -> str:
    """The report that is right."""
    if moment == "the look before":
        return NOTHING
    if moment == "the write":
        return UNSURE if error == "an answer that cannot be read" else NOTHING
    return UNSURE


class Wire:
    """The answers to requests of a program from now on."""

    def __init__(self, service: Service, first: str, error: Any, *, reads: bool) -> None:
        self.service, self.first, self.error, self.reads = service, first, error, reads
        self.late: list[Any] = []
        self._attempt = service._attempt
        service._attempt = self.attempt  # type: ignore[method-assign]

    def attempt(self, request: Any) -> Any:
        if request.kind == "drive":
            return self._attempt(request)
        if request.writes and self.first:
            first, self.first = self.first, ""
            if first == UNDER_WAY:
                self.late.append(request)
                return _Failure("no answer came in time", sent=True)
            answer = self._attempt(request)
            return answer if first == DONE else _Failure("no answer came in time", sent=True)
        if self.first or (not request.writes and not self.reads):
            return self._attempt(request)
        met = self.error(self.service)
        if isinstance(met, BaseException):
            raise met
        return met

    def heal(self) -> None:
        """Let what is under way arrive, and all go well again."""
        self.service._attempt = self._attempt  # type: ignore[method-assign]
        for request in self.late:
            self._attempt(request)


@pytest.fixture(params=["serialises", "merges"])
def team(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    monkeypatch.setattr(push_module, "FINDS_OUT_FOR", 0.0)
    monkeypatch.setattr(repository_module, "_PATIENCE", 0.0)
    with new_team() as team:
        team.store.add(last_name="Buyer")
        team.person.serialises(team.id, request.param == "serialises")
        team.stored()
        team.repository.service._patience = 0.0
        yield team


def _sell(tx: Any) -> Any:
    return tx.add(Sale(client=1, on=tx.today, amount=Decimal("10.00")))


def _was_saved(team: Team, change: str) -> bool:
    team.repository._look_at_sheet()
    with team.repository.read() as snapshot:
        return bool(snapshot.history(query=HistoryQuery(change=change)))


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_errors_say_only_what_is_known(team: Team, moment: str, error: str, request: pytest.FixtureRequest) -> None:
    first, reads = MOMENTS[moment]
    wire = Wire(team.repository.service, first, ERRORS[error], reads=reads)
    if first == DONE and "serialises" in request.node.callspec.id:
        # An answer is proof enough: nothing is read back.
        team.store.change(_sell, "a sale")
        wire.heal()
        assert len(team.stored()[Sale]) == 1
        return
    with pytest.raises((StoreError, KeyboardInterrupt)) as raised:
        team.store.change(_sell, "a sale")
    wire.heal()
    report, sales = raised.value, len(team.stored()[Sale])
    if report_at(moment, error) == NOTHING:
        assert sales == 0
        assert not isinstance(report, StoreUnsureError)
        assert isinstance(report, KeyboardInterrupt) or report.sentence.count("Nothing was changed.") == 1
        return
    assert isinstance(report, StoreUnsureError), report
    assert "may have been saved" in report.sentence
    assert f"`history find {report.change}`" in report.sentence
    assert "Nothing was" not in report.sentence
    assert "requests[" not in report.sentence
    assert sales == (0 if moment == "the write" else 1)
    assert _was_saved(team, report.change) == bool(sales)


def test_an_interrupted_write_may_have_been_saved(team: Team) -> None:
    service = team.repository.service
    write = service.write

    def interrupted(*given: Any, **named: Any) -> Any:
        service.write = write  # type: ignore[method-assign]
        write(*given, **named)
        raise Interrupted

    service.write = interrupted  # type: ignore[method-assign]
    with pytest.raises(StoreUnsureError, match="it was interrupted while it was being saved") as report:
        team.store.change(_sell, "a sale")
    assert _was_saved(team, report.value.change)


def test_ctrl_c_before_anything_is_sent_ends_the_program_as_usual(team: Team) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    team.repository.service._limiter.take = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        team.store.change(_sell, "a sale")


# After Google's ok


def _fails_to_note(team: Team, error: BaseException) -> None:
    def fail(*_: Any) -> None:
        del team.repository._note
        raise error

    team.repository._note = fail  # type: ignore[method-assign]


def test_a_full_disk_after_googles_ok_leaves_the_change_saved(team: Team) -> None:
    full = SimpleNamespace(sqlite_errorname="SQLITE_FULL")
    original = type("Full", (Exception,), vars(full))("database or disk is full")
    _fails_to_note(team, OperationalError("", {}, original))
    sale = team.store.change(_sell, "a sale")
    notice = team.repository.notice()
    assert notice.startswith("Your change was saved, but not in the copy on this computer: ")
    assert "disk is full" in notice
    assert list(team.agreed()[Sale]) == [sale.id]
    assert team.repository.notice() == ""


def test_ctrl_c_after_googles_ok_says_that_it_was_saved(team: Team) -> None:
    _fails_to_note(team, KeyboardInterrupt())
    with pytest.raises(Cancelled, match="Interrupted, but only once it was saved"):
        team.store.change(_sell, "a sale")
    assert len(team.agreed()[Sale]) == 1


# What else writes


def _deleted_tab(team: Team) -> Callable[[], Any]:
    team.person.delete_tab(team.id, "interactions")
    team.repository._look_at_sheet()
    return team.repository.repair


def _deleted_column(team: Team) -> Callable[[], Any]:
    team.person.delete_column(team.id, "clients", 6)
    team.repository._look_at_sheet()
    return team.repository.put_back_columns


def _held(team: Team) -> Callable[[], Any]:
    team.store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"More {at}") for at in range(9)]))
    team.person.delete_rows(team.id, "clients", 1, 8)
    team.repository._look_at_sheet()
    team.repository.refresh()
    return lambda: team.repository.settle(take_over=False)


OPERATIONS = {"repair": _deleted_tab, "setup": _deleted_column, "hand edits put back": _held}


@pytest.mark.parametrize("error", ["403", "TLS", "Ctrl-C"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_that_can_be_repeated_say_so(team: Team, name: str, error: str) -> None:
    operation = OPERATIONS[name](team)
    wire = Wire(team.repository.service, UNANSWERED, ERRORS[error], reads=True)
    with pytest.raises(StoreUnsureError, match=r"may have been done, at least in part: .*") as report:
        operation()
    assert "Nothing was" not in report.value.sentence
    wire.heal()
    operation()
    assert [finding.what for finding in team.repository.check() if finding.wrong] == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_refused_at_once_changed_nothing(team: Team, name: str) -> None:
    operation = OPERATIONS[name](team)
    Wire(team.repository.service, "", ERRORS["403"], reads=False)
    with pytest.raises(StoreError, match=r"Nothing was changed\.") as report:
        operation()
    assert not isinstance(report.value, StoreUnsureError)


@pytest.mark.parametrize("error", ["403", "TLS", "Ctrl-C", "an answer that cannot be read", "somebody else"])
def test_an_archive_that_stops_half_way_says_what_was_moved(monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    monkeypatch.setattr(push_module, "FINDS_OUT_FOR", 0.0)
    monkeypatch.setattr(repository_module, "_PATIENCE", 0.0)
    monkeypatch.setattr(repository_module, "_CUT_ROWS", 3)
    with new_team() as team:
        for at in range(9):
            team.store.add(last_name=f"Buyer {at}")
        team.person.serialises(team.id, True)
        team.stored()
        with team.repository.read() as snapshot:
            numbers = sorted(entry.id for entry in snapshot.history(100))
        if error == "somebody else":
            until_saved, portions = team.repository._until_saved, iter([True, False])

            def saved(*given: Any) -> Any:
                if next(portions):
                    return until_saved(*given)
                raise RefusedError("Someone else has just shortened the history. Try again.")

            monkeypatch.setattr(team.repository, "_until_saved", saved)
        else:
            team.repository.service._patience = 0.0
            wire = Wire(team.repository.service, DONE, ERRORS[error], reads=False)
        with pytest.raises(CRMError) as raised:
            team.repository.forget_history(numbers[-1], "moved old history")
        if error != "somebody else":
            wire.heal()
        sentence = raised.value.sentence
        with team.another().read() as snapshot:
            moved = len(set(numbers) - {entry.id for entry in snapshot.history(100)})
        assert 0 < moved < len(numbers) - 1
        assert "othing was" not in sentence
        assert f"The oldest changes of the history ({moved}) were moved to the file before." in sentence
        assert isinstance(raised.value, StoreUnsureError) == (error == "an answer that cannot be read")


@pytest.mark.parametrize(("first", "report"), [("", NOTHING), (UNANSWERED, "may have been done"), (UNDER_WAY, UNSURE)])
def test_setting_up_and_copying_say_what_is_known(monkeypatch: pytest.MonkeyPatch, first: str, report: str) -> None:
    monkeypatch.setattr(push_module, "FINDS_OUT_FOR", 0.0)
    with new_team() as team:
        team.stored()
        service = team.repository.service
        service._patience = 0.0
        if report == UNSURE:
            items = [("client", {"kind": "person", "last_name": "Copied", "id": 1})]
            action: Callable[[], Any] = lambda: team.repository.fill(iter(items))  # noqa: E731
        else:
            for tab in team.person.tabs(team.id):
                if tab["title"] != "Sheet1":
                    team.person.delete_tab(team.id, tab["title"])
            action = lambda: set_up(service, lambda _: default_rules(), team.repository.clock.now)  # noqa: E731
        wire = Wire(service, first, ERRORS["403"], reads=bool(first))
        with pytest.raises(CRMError) as raised:
            action()
        assert report.casefold() in raised.value.sentence.casefold()
        wire.heal()
