"""Repair of tabs and headings that make a spreadsheet unreadable: the program puts them back."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.errors import RefusedError, StoreDamagedError
from crm.model import Client, Invoice, NumberSeries, Sale
from crm.repository.sheets import repairing
from crm.repository.sheets.google.spreadsheet import NoAnswer, Service
from crm.repository.sheets.grid.layout import META
from crm.repository.sheets.mirror import mirror
from crm.repository.sheets.push import before_image_requests
from crm.repository.sheets.repository import SheetsRepository
from tests.conftest import STORES, Store
from tests.support.by_hand import Sheet
from tests.support.sheets_team import CLIENTS, SALES, Team, new_team

pytestmark = pytest.mark.in_turn


def look(machine: SheetsRepository) -> None:
    """Let a program look at the spreadsheet itself."""
    machine._look_at_sheet()


@pytest.fixture
def team() -> Iterator[Team]:
    """Three clients with sales, a field of the team's own, and a column moved by hand."""
    with new_team() as team:
        team.store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"Buyer {at}") for at in range(3)]))
        sold = [Sale(client=at, on=team.store.today, amount=Decimal(100 + at)) for at in [1] * 6 + [2, 3]]
        team.store.change(lambda tx: tx.add_all(sold))
        team.store.change(lambda tx: tx.change(tx.get(Client, 1), extra={"Hat": "M"}, phone="0049 30 1234567"))
        team.person.move_column(team.id, CLIENTS, _column(team, "City"), 1)
        team.stored()
        yield team


def _column(team: Team, text: str, kind: Any = Client) -> int:
    return team.cells(kind)[0].index(text)


def _rename(team: Team, text: str) -> None:
    team.person.set_cells(team.id, CLIENTS, 0, _column(team, text), [["Number"]])


def _title_row(team: Team) -> None:
    team.person.insert_rows(team.id, CLIENTS, 0, 2)
    team.person.set_cells(team.id, CLIENTS, 0, 0, [["Our clients"]])


def _csv(team: Team, tab: str) -> None:
    team.person.clear_cells(team.id, tab, "A1:AZ1000")
    team.person.set_cells(team.id, tab, 0, 0, [["Name", "Town"], ["Ada", "Wien"], ["Eve", "Graz"]])


def _replaced(team: Team) -> None:
    """File, Import, Replace spreadsheet."""
    team.person.add_tab(team.id, "import")
    for tab in team.person.tabs(team.id):
        if tab["title"] != "import":
            team.person.delete_tab(team.id, tab["title"])
    team.person.set_cells(team.id, "import", 0, 0, [["Name"], ["Ada"]])


def _clear_history(team: Team) -> None:
    team.person.clear_cells(team.id, "history", "A1:AZ1000")


def _swapped(team: Team) -> None:
    """A tab is duplicated, the first one deleted, and the copy gets its name."""
    team.person.copy_tab(team.id, CLIENTS, "Copy")
    team.person.delete_tab(team.id, CLIENTS)
    team.person.rename_tab(team.id, "Copy", CLIENTS)


# What is done, a word of what `sheets repair` says of it, and whether it is in the quick part of the tests.
CASES: dict[str, tuple[Callable[[Team], Any], str, bool]] = {
    "a row above the heading": (_title_row, "row 1 (“Our clients”)", False),
    "heading deleted": (lambda team: team.person.delete_rows(team.id, CLIENTS, 0, 1), "put back above its rows", True),
    "heading dragged away": (lambda team: team.person.move_rows(team.id, CLIENTS, 0, 1, 3), "up from row 3", False),
    "ID renamed": (lambda team: _rename(team, "ID"), "“ID” in A1, where “Number” stands", False),
    "Version renamed": (lambda team: _rename(team, "Version"), "“Version” in", False),
    "ID column deleted": (lambda team: team.person.delete_column(team.id, CLIENTS, 0), "“ID”", False),
    "all cells cleared": (lambda team: team.person.clear_cells(team.id, SALES, "A1:AZ1000"), "with 8 sales", False),
    "a CSV over the tab": (lambda team: _csv(team, CLIENTS), "“clients (before the repair)”", True),
    "clients deleted": (lambda team: team.person.delete_tab(team.id, CLIENTS), "with 3 clients", False),
    "sales deleted": (lambda team: team.person.delete_tab(team.id, SALES), "with 8 sales", False),
    "history deleted": (lambda team: team.person.delete_tab(team.id, "history"), "“history”", False),
    "crm deleted": (lambda team: team.person.delete_tab(team.id, "crm"), "“crm”", False),
    "history cleared": (_clear_history, "“history” is filled again", True),
    "crm before deleted": (lambda team: team.person.delete_tab(team.id, "crm before"), "“crm before”", False),
    "crm typed into": (lambda team: team.person.set_cells(team.id, META.title, 1, 1, [["many"]]), "“crm”", False),
    "revision made lower": (lambda team: team.person.set_cells(team.id, META.title, 1, 1, [[1]]), "“crm”", False),
    "users deleted": (lambda team: team.person.delete_tab(team.id, "users"), "“users”", False),
    "duplicated, original deleted": (_swapped, "“clients (CRM)”", False),
    "a file over the spreadsheet": (_replaced, "with 3 clients", True),
}  # fmt: skip

# What a machine can repair that has never read the spreadsheet.
_BY_ITSELF = ["a row above the heading", "heading dragged away", "revision made lower"]
_IN_SEVERAL = ["clients deleted", "a CSV over the tab", "a file over the spreadsheet"]
_INTERRUPTED = [*_IN_SEVERAL, "history deleted", "history cleared"]


@pytest.mark.slow
@pytest.mark.parametrize("case", _IN_SEVERAL)
def test_a_large_repair_is_split_into_several_requests(team: Team, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = team.stored()
    CASES[case][0](team)
    monkeypatch.setattr(repairing, "LARGEST", 12_000)
    monkeypatch.setattr(repairing, "_SPARE", 8_000)
    team.person.reset_counts()
    team.repository.repair()
    assert team.person.counts(team.id)["writes"] > 1
    assert team.agreed() == before


@pytest.fixture(scope="module")
def long_history() -> Iterator[Callable[[], AbstractContextManager[Team]]]:
    """A team with a history of many changes, made once; each call gives it as it was then."""
    with new_team() as made:
        for _ in range(12):
            made.store.change(lambda tx: tx.add_all([Client(kind="person", last_name="Buyer") for _ in range(2)]))
        made.store.sell(1, "5.00")
        made.store.close()
        document = made.person._document(made.id)
        book = document.book

        @contextmanager
        def restored() -> Iterator[Team]:
            document.change(lambda now: vars(now).update(vars(book)))
            with tempfile.TemporaryDirectory(dir=made.store.folder.parent) as copy:
                shutil.copytree(made.store.folder, copy, dirs_exist_ok=True)
                store = Store(STORES["sheets"], Path(copy))
                store.another("anna", same_machine=True)
                try:
                    yield Team(store)
                finally:
                    store.close()

        yield restored


class _Killed(BaseException):
    """The program ends in the middle of what it does."""


@pytest.mark.slow
@pytest.mark.parametrize("lost", [False, True], ids=["killed", "answer lost"])
@pytest.mark.parametrize("case", _INTERRUPTED)
def test_an_interrupted_repair_is_finished_by_the_next_one(
    long_history: Callable[[], AbstractContextManager[Team]], case: str, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, broken = Service.write, 0
    monkeypatch.setattr(repairing, "LARGEST", 12_000)
    monkeypatch.setattr(repairing, "_SPARE", 8_000)
    for last in range(1, 30):
        with long_history() as team:
            other = team.another("ben")
            before, summaries = team.stored(), team.summaries()
            team.stored(other)
            CASES[case][0](team)
            writes = 0

            def breaking(service: Service, requests: Any, **asked: Any) -> Any:
                nonlocal writes
                writes += 1
                answer = write(service, requests, **asked)
                if writes == last:  # noqa: B023
                    raise NoAnswer("the answer was lost") if lost else _Killed
                return answer

            with monkeypatch.context() as patched:
                patched.setattr(Service, "write", breaking)
                with suppress(_Killed):
                    team.repository.repair()
            if writes < last:
                break
            broken += 1
            # Nobody takes what is there so far for all there is.
            for machine in (other, team.repository):
                machine._look_at_sheet()
                assert team.stored(machine) == before
                assert machine.held().gone == {}
                assert not lost or machine.notice() == ""
            # The next one need not be the same machine.
            (other if last % 2 else team.repository).repair()
            team.store.sell(1, "1.00")
            assert {**team.agreed(), Client: {}, Sale: {}} == {**before, Client: {}, Sale: {}}
            assert len(team.stored(other)[Client]) == 24
            assert team.summaries(other)[1:] == summaries
    assert broken > 1


@pytest.mark.slow
@pytest.mark.parametrize("merges", [False, True])
@pytest.mark.parametrize("case", ["a row above the heading", "heading deleted", "clients deleted", "crm typed into"])
def test_two_repairs_at_one_moment_restore_once(team: Team, case: str, merges: bool) -> None:
    before, other = team.stored(), team.another("ben")
    team.person.serialises(team.id, not merges)
    team.stored(other)
    CASES[case][0](team)
    team.person.merges(["marker", "append", "copy", "answer"] if merges else [])
    team.person._service.at_that_moment.append(other.repair)
    try:
        team.repository.repair()
    finally:
        team.person.merges([])
    assert team.person._service.at_that_moment == []
    found = team.stored()
    assert found == before
    assert team.stored(other) == before
    assert [finding.what for finding in other.check() if finding.wrong] == []
    if not merges:
        team.agreed()


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[] if CASES[case][2] else pytest.mark.slow) for case in CASES]
)
def test_damage_by_hand_is_named_and_restored(team: Team, case: str) -> None:
    act, words, _ = CASES[case]
    other = team.another("ben")
    before, summaries = team.stored(), team.summaries()
    assert team.stored(other) == before
    act(team)
    for machine in (team.repository, other):
        if case != "users deleted":
            # What was seen before can be read, and what is in the way is named.
            assert team.stored(machine) == before
            assert "`sheets repair`" in machine.notice()
    if case in _BY_ITSELF:
        assert words in " ".join(team.another().damage_by_hand())
    else:
        with pytest.raises(RefusedError, match="has never read"):
            team.another().damage_by_hand()
    assert words in " ".join(team.repository.damage_by_hand())
    team.repository.repair()
    team.repository.settle(take_over=False)
    assert team.repository.damage_by_hand() == []
    # The numbers that were given out stay so, those that another machine may have given out as well.
    sold = team.store.sell(2, "1.00").id
    assert sold == (1009 if case == "a file over the spreadsheet" else 9)
    found = team.agreed()
    assert team.repository.notice() == ""
    assert {kind: records for kind, records in found.items() if kind not in (Client, Sale)} == {
        kind: records for kind, records in before.items() if kind not in (Client, Sale)
    }
    for number in range(1, 9):
        assert found[Sale][number] == before[Sale][number]
    for number in (1, 3):
        assert found[Client][number] == before[Client][number]
    assert team.stored(other) == found
    assert [what for what in team.summaries() if "put back" not in what and what != "recorded a sale"] == summaries


def _others_save(team: Team, other: Any) -> None:
    """A sale, an edit, a deletion, a client with a column that is new, and a row that somebody has typed."""
    other.transact(lambda tx: tx.add(Sale(client=1, on=tx.today, amount=Decimal(99))), "sold")
    other.transact(lambda tx: tx.change(tx.get(Client, 2), city="Wien"), "moved")
    other.transact(lambda tx: tx.delete(tx.get(Sale, 3)), "deleted")
    other.transact(lambda tx: tx.add(Client(kind="person", last_name="New", extra={"Boot": "42"})), "added")
    other.transact(lambda tx: tx.change(tx.get(Client, 4), city="Graz"), "moved")
    Sheet(team, Sale).add(client=4, amount=12)
    look(other)
    team.stored(other)


@pytest.mark.many
@pytest.mark.parametrize(
    "case",
    ["sales deleted", "history deleted", "clients deleted", "a CSV over the tab", "crm deleted", "history cleared"],
)
def test_an_outdated_machine_repairs_with_the_changes_of_others(team: Team, case: str) -> None:
    other = team.another("ben")
    team.stored(other)
    _others_save(team, other)
    before, summaries = team.stored(other), team.summaries(other)
    CASES[case][0](team)
    assert "Others have saved" not in " ".join(team.repository.damage_by_hand())
    team.repository.repair()
    assert team.agreed() == before
    assert team.stored(other) == before
    assert team.summaries() == summaries
    for machine in (team.repository, other):
        look(machine)
        assert (machine.notice(), machine.held().overwritten) == ("", {})
        assert [finding.what for finding in machine.check() if finding.wrong] == []
    assert team.store.sell(1, "1.00").id == 11


@pytest.mark.slow
def test_data_that_an_outdated_machine_cannot_restore_is_named_before_its_repair(team: Team) -> None:
    # Where requests may be merged, an import is kept in full.
    team.person.serialises(team.id, True)
    other = team.another("ben")
    team.stored(other)
    many = [Client(kind="person", last_name=f"Import {at}", notes="x" * 1500) for at in range(300)]
    other.transact(lambda tx: tx.add_all(many), "imported")
    other.transact(lambda tx: tx.change(tx.get(Client, 2), city="Wien"), "moved")
    before = team.stored(other)
    team.person.delete_tab(team.id, CLIENTS)
    assert "300 clients of theirs are not known here" in " ".join(team.repository.damage_by_hand())
    team.repository.repair()
    look(other)
    assert team.stored(other) == before
    assert len(other.held().gone["client"]) == 300
    other.settle(take_over=False)
    look(team.repository)
    assert team.agreed() == before


def _sale_known_elsewhere(team: Team) -> tuple[SheetsRepository, Sale, Any]:
    """A machine that alone knows a sale of its own, the sale, and its records, after the tab of sales was deleted."""
    other = team.another("ben")
    team.stored(other)
    sold = other.transact(lambda tx: tx.add(Sale(client=1, on=tx.today, amount=Decimal(7), note="ours")), "sold")
    before = team.stored(other)
    CASES["crm before deleted"][0](team)
    CASES["sales deleted"][0](team)
    return other, sold, before


@pytest.mark.parametrize("first", ["who knew it", "a new computer"])
def test_data_that_a_repair_could_not_restore_is_kept_on_the_machine_that_has_it(team: Team, first: str) -> None:
    other, sold, before = _sale_known_elsewhere(team)
    assert "1 sale of theirs is not known here" in " ".join(team.repository.damage_by_hand())
    team.repository.repair()
    # Nobody takes it for a deletion by hand: neither who has repaired, nor who knows the sale, nor who knows nothing.
    machines = [team.repository, other, team.another("cleo")]
    for machine in machines if first == "who knew it" else machines[::-1]:
        for _ in range(2):
            look(machine)
            assert (sold.id in team.stored(machine)[Sale]) == (machine is other)
            assert machine.held().gone == {"sale": [sold.id]}
        # So no later change can cover the repair up.
        with pytest.raises(RefusedError, match="Nothing is saved there until that is decided"):
            machine.transact(lambda tx: tx.add(Client(kind="person", last_name="Later")), "added")
        if machine is not other:
            with pytest.raises(RefusedError, match="has never seen 1 of these sales"):
                machine.settle(take_over=False)
    other.settle(take_over=False)
    assert team.agreed() == before
    for machine in machines:
        look(machine)
        assert team.stored(machine) == before
        assert machine.held().gone == {}
    # From then on its deletion by hand is one.
    Sheet(team, Sale).delete(sold)
    for machine in machines:
        look(machine)
        assert sold.id not in team.stored(machine)[Sale]
        assert machine.held().gone == {}


def test_of_two_repairs_the_one_with_less_data_removes_nothing(team: Team) -> None:
    other = team.another("ben")
    team.stored(other)
    team.person.serialises(team.id, False)
    sold = team.store.sell(3, "5.00")
    # A repair keeps nothing of what was there: the sale before it cannot be found by one that has not read since.
    CASES["revision made lower"][0](team)
    team.repository.repair()
    team.store.sell(3, "6.00")
    before = team.stored()
    CASES["sales deleted"][0](team)
    team.person.merges(["marker"])
    team.person._service.at_that_moment.append(other.repair)
    try:
        team.repository.repair()
    finally:
        team.person.merges([])
    look(team.repository)
    assert team.stored() == before
    if team.repository.held().gone:
        assert team.repository.held().gone == {"sale": [sold.id]}
        team.repository.settle(take_over=False)
    look(other)
    assert team.agreed() == team.stored(other) == before


def test_a_full_read_keeps_data_that_a_repair_has_not_restored(team: Team) -> None:
    other, sold, before = _sale_known_elsewhere(team)
    team.repository.repair()
    with other._engine.begin() as connection:
        mirror.forget_end(connection)
    look(other)
    assert team.stored(other) == before
    assert other.held().gone == {"sale": [sold.id]}
    other.settle(take_over=False)
    assert team.agreed() == before


def test_a_row_deleted_by_hand_is_deleted_on_an_outdated_machine_too(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = team.another("ben")
    team.stored(other)
    # Only the last commits keep what was there: that older ones are not is no sign of a repair.
    monkeypatch.setattr(before_image_requests, "_REMEMBERED", 3)
    for at in range(4):
        team.store.change(lambda tx, at=at: [tx.change(sale, note=f"{at}") for sale in tx.find_all(Sale)] and None)
    Sheet(team, Sale).delete(team.stored()[Sale][4])
    look(other)
    assert 4 not in team.stored(other)[Sale]
    assert other.held().gone == {}
    look(team.repository)
    assert team.agreed() == team.stored(other)


def _issued_invoice() -> Invoice:
    return Invoice(client=1, kind="invoice", state="issued", number="I-6", currency="USD", issued_on=date(2026, 11, 1))


@pytest.mark.slow
def test_a_machine_with_more_data_says_so_and_can_restore_it(team: Team) -> None:
    other, third = team.another("ben"), team.another("cleo")
    team.stored(other)
    other.transact(lambda tx: tx.add(NumberSeries(name="invoice", pattern="I-{number}", year=2026, last=6)), "issued")
    other.transact(lambda tx: tx.add(_issued_invoice()), "issued")
    other.transact(lambda tx: tx.add(Sale(client=1, on=tx.today, amount=Decimal(99))), "sold")
    before = team.stored(other)
    team.stored(third)
    _replaced(team)
    words = " ".join(team.repository.damage_by_hand())
    assert "Nothing in the spreadsheet says whether others have saved" in words
    team.repository.repair()
    look(other)
    team.stored(other)
    assert re.search(r"3 changes, from number 4 on, are not in it any more.* `restore` puts it back", other.notice())
    assert "Invoices that were issued in them: I-6." in other.notice()
    assert other.notice() in [finding.what for finding in other.check()]
    assert other.notice() == ""
    # That all is read again for another reason does not end it.
    with other._engine.begin() as connection:
        mirror.forget_end(connection)
    look(other)
    team.stored(other)
    assert "not in it any more" in other.held().lost
    look(third)
    team.stored(third)
    assert "puts it back, and deletes everything saved since" in third.notice()
    # Numbers that were given out are not given again: those of records and those of invoices.
    look(team.repository)
    with team.repository.read() as snapshot:
        assert [series.last for series in snapshot.find_all(NumberSeries)] == [6]
    assert team.store.sell(2, "1.00").id > 9
    (kept,) = (team.store.folder / "machine-1" / "backups").glob("*.sqlite3")
    other.restore(kept)
    look(team.repository)
    assert team.stored()[Sale] == before[Sale]
    # Restored by one, it is lost for nobody any more.
    team.stored(third)
    for machine in (other, third):
        assert "not in it any more" not in " ".join(finding.what for finding in machine.check())
    assert third.notice() == ""


@pytest.mark.many
@pytest.mark.parametrize("column", ["Total spend", "Version", "Created"])
def test_a_cell_that_only_the_program_writes_is_restored(team: Team, column: str) -> None:
    other = team.another("ben")
    before = team.stored(other)
    team.person.set_cells(team.id, CLIENTS, 1, _column(team, column), [["5"]])
    look(team.repository)
    assert team.repository.held().overwritten == {"client": 1}
    team.repository.settle(take_over=False)
    assert team.repository.held().overwritten == {}
    look(other)
    assert [finding.what for finding in other.check() if finding.wrong] == []
    assert team.agreed() == before


@pytest.mark.many
@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("ID renamed", "a row above the heading"),
        ("Version renamed", "a row above the heading"),
        ("ID renamed", "heading dragged away"),
        ("ID column deleted", "heading dragged away"),
        ("heading deleted", "a row above the heading"),
    ],
)
def test_a_heading_that_was_damaged_and_moved_is_restored(team: Team, first: str, then: str) -> None:
    CASES[first][0](team)
    CASES[then][0](team)
    before, words = team.stored(), " ".join(team.repository.damage_by_hand())
    assert ("row 1 (“Our clients”)" in words) == (then == "a row above the heading")
    team.repository.repair()
    team.repository.settle(take_over=False)
    assert team.agreed() == before


@pytest.mark.many
@pytest.mark.parametrize("case", _BY_ITSELF[::-1])
def test_a_new_machine_repairs_damage_that_needs_no_data(team: Team, case: str) -> None:
    before = team.stored()
    CASES[case][0](team)
    fresh = team.another("ben")
    fresh.repair()
    assert team.stored(fresh) == before
    fresh.transact(lambda tx: tx.add(Sale(client=1, on=tx.today, amount=Decimal(1))), "sold")
    look(team.repository)
    assert list(team.agreed()[Sale]) == list(team.stored(fresh)[Sale])


def test_a_new_machine_names_where_a_cleared_history_can_be_restored(team: Team) -> None:
    _clear_history(team)
    with pytest.raises(
        StoreDamagedError, match=r"cleared by hand\. Run `sheets repair` on a computer that has read it"
    ):
        team.stored(team.another())


@pytest.mark.slow
def test_ids_from_before_a_restored_version_are_not_used_again(team: Team) -> None:
    document = team.person._document(team.id)
    older, other = document.book, team.another("ben")
    series = NumberSeries(name="invoice", pattern="I-{year}-{number}", year=2026, last=6)
    team.store.change(lambda tx: tx.add(series))
    given = [team.store.sell(1, "5.00").id, team.store.add(last_name="New").id]
    team.stored(other)
    document.change(lambda now: vars(now).update(vars(older)))
    # Whoever of those that knew them looks first tells the others.
    look(other)
    team.stored(other)
    fresh = team.another("cleo")
    with fresh.read() as snapshot:
        assert [known.last for known in snapshot.find_all(NumberSeries)] == [6]
    sold = fresh.transact(lambda tx: tx.add(Sale(client=1, on=tx.today, amount=Decimal(1))), "sold")
    added = fresh.transact(lambda tx: tx.add(Client(kind="person", last_name="Newer")), "added")
    assert (sold.id > given[0], added.id > given[1]) == (True, True)
    look(team.repository)
    team.agreed()


def test_a_lowered_revision_after_a_repair_is_found_by_an_outdated_machine(team: Team) -> None:
    other = team.another("ben")
    team.stored(other)
    team.store.change(lambda tx: tx.change(tx.get(Client, 1), city="Graz"))
    team.stored(other)
    # A repair is no commit that is kept.
    CASES["a row above the heading"][0](team)
    team.repository.repair()
    CASES["revision made lower"][0](team)
    look(other)
    assert "“crm”" in " ".join(other.damage_by_hand())
    other.repair()
    sold = other.transact(lambda tx: tx.add(Sale(client=1, on=tx.today, amount=Decimal(7))), "sold")
    look(team.repository)
    assert sold.id in team.stored()[Sale]
    team.agreed()


@pytest.mark.parametrize("serialises", [True, False])
def test_a_heading_that_rows_had_moved_from_is_there_once(team: Team, serialises: bool) -> None:
    before = team.stored()
    team.person.serialises(team.id, serialises)
    CASES["heading dragged away"][0](team)
    team.in_the_window(["insert_rows", CLIENTS, 1, 2])
    team.repository.repair()
    assert team.agreed() == before
