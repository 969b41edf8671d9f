"""People who sort, drag, edit or clear the hidden tab of before images: no change is lost by it."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from crm.model import Client, Sale
from crm.repository.sheets.grid.layout import BEFORE, META
from tests.support.sheets_team import CLIENTS, Team, new_team

pytestmark = pytest.mark.in_turn

TITLE = BEFORE.title
MERGES = ["marker", "append", "copy", "answer"]
BY_HAND: dict[str, Callable[[Team], Any]] = {
    "sorted by size": lambda team: team.person.sort(team.id, TITLE, 1),
    "sorted by uid": lambda team: team.person.sort(team.id, TITLE, 0, header_rows=0),
    "sorted by uid, last first": lambda team: team.person.sort(team.id, TITLE, 0, descending=True, header_rows=0),
    "dragged": lambda team: team.person.move_rows(team.id, TITLE, 0, 3, 9),
    "edited": lambda team: team.person.set_cells(team.id, TITLE, 2, 6, [["typed"]]),
}
_QUICK = ("sorted by size", "before, merged"), ("edited", "in flight, proved")


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        team.store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"Buyer {at}") for at in range(3)]))
        team.store.change(lambda tx: [_sell(tx, client) for client in (1, 2, 3)], "sales")
        try:
            yield team
        finally:
            team.person.merges([])


def _sell(tx: Any, client: int = 1) -> Any:
    return tx.add(Sale(client=client, on=tx.today, amount=Decimal("10.00")))


@pytest.mark.parametrize(
    ("hand", "when"),
    [
        pytest.param(hand, when, marks=[] if (hand, when) in _QUICK else pytest.mark.slow)
        for hand in BY_HAND
        for when in ("before, merged", "in flight, merged", "in flight, proved")
    ],
)
def test_rows_of_the_before_images_that_people_move_or_edit_lose_no_change(team: Team, hand: str, when: str) -> None:
    other = team.another("ben")
    other.refresh()
    if "merged" in when:
        team.person.serialises(team.id, False)
        team.person.merges(MERGES)
    if when.startswith("before"):
        BY_HAND[hand](team)

    def meanwhile() -> None:
        other.transact(lambda tx: _sell(tx, 2), "a sale")
        other.transact(lambda tx: tx.change(tx.get(Client, 2), notes="theirs"), "edited")
        if when.startswith("in flight"):
            BY_HAND[hand](team)

    team.person._service.at_that_moment.append(meanwhile)
    team.store.change(_sell, "a sale")
    team.person.merges([])
    found = team.agreed()
    assert [client.total_spend for client in found[Client].values()] == [20, 20, 10]  # type: ignore[attr-defined]
    assert found[Client][2].notes == "theirs"  # type: ignore[attr-defined]
    assert sorted(team.summaries()[:3]) == ["a sale", "a sale", "edited"]


def test_rows_of_the_before_images_that_people_move_are_named(team: Team) -> None:
    def named() -> list[str]:
        return [finding.what for finding in team.repository.check() if TITLE in finding.what]

    assert named() == []
    team.person.sort(team.id, TITLE, 1)
    assert "crm before!A" in named()[0]
    team.store.change(_sell, "a sale")
    assert len(named()) == 1


def test_a_sale_that_nothing_holds_any_more_as_before_images_were_cleared_is_told_by_check(team: Team) -> None:
    other = team.another("ben")
    other.refresh()
    team.person.serialises(team.id, False)
    team.person.merges(MERGES)

    def meanwhile() -> None:
        other.transact(lambda tx: _sell(tx, 2), "theirs")
        team.person.delete_rows(team.id, TITLE, 0, 4)
        other.transact(lambda tx: tx.change(tx.get(Client, 3), notes="theirs"), "edited")

    team.person._service.at_that_moment.append(meanwhile)
    team.store.change(_sell, "ours")
    team.person.merges([])
    found = team.stored()
    assert found[Client][1].total_spend == 20  # type: ignore[attr-defined]
    assert "ours" in team.summaries()
    # Nothing in the spreadsheet holds the other one any more: the computer that has made it says so.
    team.stored(other)
    lost = [finding.what for finding in other.check() if "not in it any more" in finding.what]
    assert lost
    assert "change 3 is" in lost[0]


def test_a_large_change_is_read_whole_only_where_something_clashes(team: Team) -> None:
    team.person.serialises(team.id, False)
    many = [Client(kind="person", last_name=f"Long {at}", notes=f"number {at}" * 150) for at in range(200)]
    team.store.change(lambda tx: tx.add_all(many))
    kept = sum(len(str(row[4])) for row in team.cells(BEFORE) if len(row) > 4)
    assert kept > 300_000
    found, fresh = team.stored(), team.another("ben")
    team.person.reset_counts()
    assert team.stored(fresh) == found
    sent = team.person.counts(team.id)["bytes_out"]
    assert sent < kept * 1.6, "what is in the sheet, and not what was written once more"
    # Where rows were moved meanwhile, it is.
    team.in_the_window(["sort", CLIENTS, 3, True])
    team.store.change(lambda tx: _sell(tx, 2))
    team.agreed()


@pytest.mark.parametrize("merged", [pytest.param(True, marks=pytest.mark.slow), False])
def test_before_images_of_an_older_version_still_count(team: Team, merged: bool) -> None:
    team.person.serialises(team.id, not merged)
    team.person.merges(MERGES if merged else [])
    team.store.change(lambda tx: _sell(tx, 3))
    found = team.stored()
    other = team.another("ben")
    assert team.stored(other) == found
    _as_an_older_version_wrote(team)
    fresh = team.another("eva")
    assert team.stored(fresh) == found
    assert team.stored(other) == found
    assert [finding.what for finding in fresh.check() if finding.wrong or "crm before" in finding.what] == []
    team.in_the_window(["sort", CLIENTS, 3, True])
    other.transact(lambda tx: _sell(tx, 1), "a sale")
    fresh.transact(lambda tx: _sell(tx, 2), "a sale")
    team.agreed()


def _as_an_older_version_wrote(team: Team) -> None:
    """Put what each commit wrote into one text with what it meant, as before format 11."""
    rows = [[*row, ""] for row in team.cells(BEFORE)]
    for row in rows:
        if len(row) > 3 and row[3]:
            meant = json.loads(row[3])
            meant["state"][0] = 10
            assert meant.pop("again") <= 1
            row[3] = json.dumps(meant | ({"redo": json.loads(row[4])} if row[4] else {}), separators=(",", ":"))
        del row[4:5]
    wide = max(map(len, rows)) + 1
    team.person.set_cells(team.id, TITLE, 0, 0, [[*row, *[""] * (wide - len(row))] for row in rows])
    team.person.set_cells(team.id, META.title, 1, 0, [[10]])
