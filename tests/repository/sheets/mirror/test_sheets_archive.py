"""Archived history that leaves the spreadsheet, and how full the spreadsheet is."""

from collections.abc import Iterator
from typing import Any

import pytest

from crm.errors import RefusedError
from crm.model import Client, Sale
from crm.repository import HistoryQuery
from crm.repository.sheets import repository as repository_module
from crm.repository.sheets.grid.layout import HISTORY, META
from tests.support.sheets_team import CLIENTS, Team, new_team

pytestmark = pytest.mark.in_turn


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        client = team.store.add(last_name="Ames")
        for at in range(1, 9):
            team.store.sell(client, f"{at}.00")
        yield team


def _numbers(team: Team, repository: Any = None) -> list[int]:
    with (repository or team.repository).read() as snapshot:
        return [entry.id for entry in snapshot.history(100, query=HistoryQuery(sort="id"))]


@pytest.mark.parametrize("at_a_time", [1000, 3])
def test_old_history_is_archived_and_the_rest_can_be_undone(
    team: Team, at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository_module, "_CUT_ROWS", at_a_time)
    other = team.another("ben")
    other.refresh()
    numbers = _numbers(team)
    before = team.stored()
    rows = len(team.cells(HISTORY))
    assert team.repository.forget_history(numbers[6], "moved old history") == 6
    assert [number for number in _numbers(team) if number in numbers] == numbers[6:]
    assert len(team.cells(HISTORY)) < rows
    assert team.stored() == team.stored(other) == before
    assert _numbers(team, other) == _numbers(team)
    team.agreed()
    # What stays can be undone, by another program too; what went cannot.
    other.transact(lambda tx: tx.undo(numbers[-1]), "undid")
    assert len(team.agreed()[Sale]) == 7
    with pytest.raises(RefusedError, match=f"starts with change {numbers[6]} "):
        team.store.change(lambda tx: tx.undo(numbers[2]))
    team.store.sell(1, "3.00")
    assert len(team.agreed()[Sale]) == 8


@pytest.mark.slow
def test_an_undo_stays_when_its_change_is_archived(team: Team) -> None:
    other = team.another("ben")
    last = _numbers(team)[-1]
    team.store.change(lambda tx: tx.undo(last))
    undo = _numbers(team)[-1]
    team.repository.forget_history(undo, "moved old history")
    before = team.stored()
    assert len(before[Sale]) == 7
    fresh = team.another("eve")
    assert team.stored(other) == team.stored(fresh) == before
    # The undo can be undone.
    fresh.transact(lambda tx: tx.undo(undo), "undid")
    assert len(team.agreed()[Sale]) == 8


@pytest.mark.slow
def test_a_change_saved_while_history_is_archived_is_kept(team: Team) -> None:
    other = team.another("ben")
    numbers = _numbers(team)
    row = team.place(team.stored()[Sale][8])[0]
    team.in_the_window(["insert_rows", CLIENTS, 1, 1], ["move_rows", "sales", row, 1, 1])
    team.person.fault("drop_reply", only="writes")
    assert team.repository.forget_history(numbers[4], "moved old history") == 4
    team.store.come_first(other)
    team.agreed()


@pytest.mark.parametrize(
    ("answer", "words"), [([None, None], "Run `check --live` first"), (["serialises", "no"], "Google merges requests")]
)
def test_history_is_not_archived_before_google_is_known_to_serialize(
    team: Team, answer: list[str | None], words: str
) -> None:
    team.person.set_cells(team.id, META.title, 2, 0, [answer])
    numbers = _numbers(team)
    with pytest.raises(RefusedError, match=words):
        team.repository.forget_history(numbers[4], "moved old history")
    assert _numbers(team) == numbers


@pytest.mark.parametrize(("rows", "words"), [(250_000, ""), (280_000, "history archive"), (360_000, "Soon nothing")])
def test_a_notice_says_how_full_a_spreadsheet_is(team: Team, rows: int, words: str) -> None:
    team.person._document(team.id).change(lambda book: setattr(book.sheets[0], "row_count", rows))
    findings = [finding.what for finding in team.repository.check() if "% full" in finding.what]
    assert [words in finding for finding in findings] == ([True] if words else [])
    assert team.repository.notice() == "".join(findings)


@pytest.mark.parametrize(("rows", "is_urgent"), [(280_000, False), (360_000, True)])
def test_a_notice_advises_nothing_that_is_refused_where_google_merges(team: Team, rows: int, is_urgent: bool) -> None:
    team.person.set_cells(team.id, META.title, 2, 0, [["serialises", "no"]])
    team.person._document(team.id).change(lambda book: setattr(book.sheets[0], "row_count", rows))
    (found,) = [finding.what for finding in team.repository.check() if "% full" in finding.what]
    assert "history archive" not in found
    assert "Delete empty rows and columns" in found
    assert ("Soon nothing" in found) == is_urgent


def test_merged_cells_are_named(team: Team) -> None:
    def merge(book: Any) -> None:
        sheet = book.titled(CLIENTS)
        sheet.lying["merges"].append({"sheetId": sheet.id, "startRowIndex": 1, "endRowIndex": 2,
                                      "startColumnIndex": 1, "endColumnIndex": 3})  # fmt: skip

    team.person._document(team.id).change(merge)
    assert [finding.what for finding in team.repository.check()] == [
        "clients!B2:C2: merged cells. Google keeps only the first of them. The others count as empty."
    ]
    assert team.stored()[Client]
    assert META.hidden
