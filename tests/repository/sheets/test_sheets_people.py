"""Owners of records in a spreadsheet: their columns, edits to them, and spreadsheets without them."""

from collections.abc import Iterator
from typing import Any

import pytest

from crm.model import RECORDS, Client, Dashboard, Deal, FollowUp, User, people
from crm.repository.sheets.grid.layout import HISTORY, HISTORY_COLUMNS, META, TABS, header
from tests.support.by_hand import Sheet, wrong
from tests.support.clocks import TODAY
from tests.support.google_sheets.document import READER, WRITER
from tests.support.sheets_team import Team, new_team

pytestmark = pytest.mark.in_turn


@pytest.fixture
def team() -> Iterator[Team]:
    """A team of Ben, and of Tia who is gone."""
    with new_team() as team:
        for name, active in (("Ben", True), ("Tia", False)):
            user = User(name=name, email=f"{name}@example.com".lower(), role="staff", active=active)
            team.store.change(lambda tx, user=user: tx.add(user))
        yield team


def take_columns_away(team: Team) -> None:
    """Make of the spreadsheet what format 4 had: nothing said whose a record is but the names."""
    for kind in RECORDS:
        for name in people(kind).values():
            at = team.cells(kind)[0].index(header(kind, name))
            team.person.delete_column(team.id, TABS[kind].title, at)
    team.person.delete_column(team.id, HISTORY.title, len(HISTORY_COLUMNS) - 1)
    team.person.set_cells(team.id, META.title, 1, 0, [[4]])


def put(team: Team) -> None:
    def change(tx: Any) -> None:
        tx.user, tx.user_id = "Ben", 1
        client = tx.add(Client(kind="person", last_name="One", owner="Ben"))
        tx.add(Client(kind="person", last_name="Two", owner="Nobody"))
        tx.add(Deal(client=client.id, title="D", owner="Ben"))
        tx.add(FollowUp(client=client.id, due_on=TODAY, user="ben"))
        tx.add(Dashboard(user="Ben", tiles="agenda"))

    team.store.change(change, "put")


def test_an_older_spreadsheet_gets_the_columns_from_the_names(team: Team) -> None:
    put(team)
    before = team.stored()
    take_columns_away(team)
    other = team.another()
    assert team.stored(other) == before
    with other.read() as snapshot:
        assert [(entry.user, entry.user_id) for entry in snapshot.history(1)] == [("Ben", 1)]
    # It is written down for those who come later, whatever Ben is called by then.
    found = [row[team.cells(kind)[0].index(header(kind, people(kind)["owner"]))] for kind in (Client, Deal)
             for row in team.cells(kind)[1:2]]  # fmt: skip
    assert found == [1, 1]
    assert wrong(team, other) == []
    other.transact(lambda tx: (tx.change(tx.get(User, 1), name="Benjamin"), tx.give_name(1)), "another name")
    with team.another().read() as snapshot:
        assert [(client.owner, client.owner_id) for client in snapshot.find_all(Client)] == [
            ("Benjamin", 1),
            ("Nobody", 0),
        ]
        assert snapshot.find_all(Dashboard)[0].user_id == 1
    assert team.cells(HISTORY)[0][len(HISTORY_COLUMNS) - 1] == HISTORY_COLUMNS[-1]
    team.agreed()


@pytest.mark.slow
@pytest.mark.parametrize("refused", ["viewer", "protected"])
def test_a_viewer_reads_an_older_spreadsheet_once(team: Team, refused: str) -> None:
    put(team)
    take_columns_away(team)
    other = team.another()
    if refused == "viewer":
        team.person.set_access(team.id, READER)
    else:
        team.person.protect(team.id, TABS[Client].title)
    # What is refused may be a lost race: it is tried three times.
    for _ in range(3):
        team.stored(other)
    other.fresh_for = 60.0
    team.person.reset_counts()
    for _ in range(3):
        with other.read() as snapshot:
            assert snapshot.count(Client) == 2
    assert team.person.counts(team.id)["reads"] == 0
    # Once it may be written, the next look after a change writes them.
    if refused == "viewer":
        team.person.set_access(team.id, WRITER)
    else:
        team.person.protect(team.id, TABS[Client].title, False)
    team.person.set_cells(team.id, TABS[Client].title, 1, team.cells(Client)[0].index("City"), [["Wien"]])
    other.fresh_for = 0.0
    with other.read() as snapshot:
        assert snapshot.get(Client, 1).city == "Wien"
    assert header(Client, "owner_id") in team.cells(Client)[0]


@pytest.mark.slow
def test_without_the_owner_column_everything_works(team: Team) -> None:
    put(team)
    at = team.cells(Client)[0].index(header(Client, "owner_id"))
    team.person.delete_column(team.id, TABS[Client].title, at)
    added = team.store.add(owner="Ben")
    assert (added.owner_id, team.store.client(1).owner_id) == (1, 1)
    assert wrong(team) == []
    assert team.agreed()[Client][added.id] == added


@pytest.mark.slow
def test_a_typed_name_sets_the_owner_and_the_account_number_cannot_be_edited(team: Team) -> None:
    put(team)
    hand = Sheet(team, Client)
    one = team.store.client(1)
    hand.type(one, "owner", "tia")
    assert (team.store.client(1).owner, team.store.client(1).owner_id) == ("tia", 0)
    hand.type(one, "owner", "BEN")
    assert (team.store.client(1).owner, team.store.client(1).owner_id) == ("Ben", 1)
    assert hand.cell(one, "owner") == "Ben"
    hand.put(one, "owner_id", 2)
    assert team.store.client(1).owner_id == 1
    assert len(wrong(team)) == 1
    hand.put(one, "owner_id", 1)
    hand.add(last_name="Three", owner="ben")
    assert team.store.client(3).owner_id == 1
    team.agreed()
