"""Mass deletions by hand: none is applied until somebody confirms it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import RefusedError
from crm.model import Client, Sale, Setting
from crm.repository.sheets.grid.layout import HISTORY, header
from crm.repository.sheets.mirror import mirror
from tests.support.by_hand import Sheet, last, wrong
from tests.support.google_sheets import book
from tests.support.google_sheets.document import READER, WRITER
from tests.support.sheets_team import CLIENTS, SALES, Team, new_team


@pytest.fixture
def team() -> Iterator[Team]:
    """Three clients, the first of which has bought ten things, the others two each."""
    with new_team() as team:
        team.store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"Buyer {at}") for at in range(3)]))
        sold = [Sale(client=at, on=team.store.today, amount=Decimal(100 + at)) for at in [1] * 10 + [2, 2, 3, 3]]
        team.store.change(lambda tx: tx.add_all(sold))
        team.stored()
        yield team


def _empty(team: Team, kind: Any, name: str) -> None:
    """Empty a column below its heading."""
    sheet = Sheet(team, kind)
    rows = len(team.cells(kind)) - 1
    team.person.set_cells(team.id, sheet.title, 1, sheet.column(name), [[None]] * rows)


def test_rows_that_lost_id_and_version_stay_the_same_records(team: Team) -> None:
    before = team.stored()
    for kind in (Client, Sale):
        _empty(team, kind, "id")
        _empty(team, kind, "version")
    team.person.sort(team.id, CLIENTS, 2, True)
    assert team.stored() == before
    assert "A4" in " ".join(wrong(team))
    assert team.repository.held().overwritten == {"client": 3, "sale": 14}
    team.repository.settle(take_over=False)
    assert team.agreed() == before


@pytest.mark.parametrize("sort", [False, True])
def test_rows_whose_id_and_version_were_overwritten_stay_the_same_records(team: Team, sort: bool) -> None:
    before, other = team.stored(), team.another("ben")
    assert team.stored(other) == before
    sheet = Sheet(team, Client)
    for row in (1, 2, 3):
        team.person.set_cells(team.id, CLIENTS, row, sheet.column("id"), [[row + 10]])
        team.person.set_cells(team.id, CLIENTS, row, sheet.column("version"), [[f"{row + 10}/1"]])
    if sort:
        team.person.sort(team.id, CLIENTS, 2, False)
    for machine in (team.repository, other):
        assert team.stored(machine) == before
        assert machine.held().gone == {}
        assert machine.held().overwritten == {"client": 3}
    assert "empty this cell" not in " ".join(wrong(team))
    team.repository.settle(take_over=False)
    assert len(team.cells(Client)) == 4
    assert team.agreed() == before
    assert wrong(team) == []
    assert team.stored(other) == before


def test_a_row_with_a_strange_id_that_equals_no_record_stays_wrong(team: Team) -> None:
    before = team.stored()
    Sheet(team, Client).add(id=77, last_name="New")
    assert team.stored() == before
    assert "77 is no ID that the program gave out" in " ".join(wrong(team))


def test_a_new_machine_does_not_apply_mass_deletions(team: Team) -> None:
    before = team.stored()
    for kind in (Client, Sale):
        _empty(team, kind, "id")
        _empty(team, kind, "version")
    fresh = team.another("ben")
    team.stored(fresh)
    assert sorted(fresh.held().gone) == ["client", "sale"]
    with pytest.raises(RefusedError, match="sheets repair"):
        fresh.transact(lambda tx: tx.add(Client(kind="person", last_name="New")), "added")
    with pytest.raises(RefusedError, match="has never seen"):
        fresh.settle(take_over=False)
    assert team.stored() == before
    team.repository.settle(take_over=False)
    assert team.agreed() == before
    assert team.stored(fresh) == before


@pytest.mark.parametrize("take_over", [False, True])
def test_a_mass_deletion_waits_for_a_decision(team: Team, take_over: bool) -> None:
    before = team.stored()
    team.person.delete_rows(team.id, SALES, 1, 8)
    assert team.stored() == before
    assert "8 sales" in team.repository.notice()
    assert "8 of the sales" in " ".join(wrong(team))
    with pytest.raises(RefusedError, match="8 sales are gone"):
        team.store.change(lambda tx: tx.add(Sale(client=3, on=tx.today, amount=Decimal(5))))
    team.store.change(lambda tx: tx.add(Setting(key="our_addresses", value="")) and None)
    team.repository.settle(take_over=take_over)
    found = team.agreed()
    assert team.repository.notice() == ""
    assert sorted(found[Sale]) == list(range(9 if take_over else 1, 15))
    assert found[Client][1].total_spend == Decimal(202 if take_over else 1010)  # type: ignore[attr-defined]
    if take_over:
        assert last(team)[1] == "edited in the sheet"


def _note_all(team: Team) -> None:
    """Write a note on each sale."""

    def change(tx: Any) -> None:
        for at in range(1, 15):
            tx.change(tx.get(Sale, at), note=f"note {at}")

    team.store.change(change)


def _make_again_by_hand(team: Team, kind: Any, name: str) -> None:
    """Delete a column, and let a later look find an empty one with its heading."""
    sheet = Sheet(team, kind)
    at = sheet.column(name)
    team.person.delete_column(team.id, sheet.title, at)
    team.stored()
    team.person.set_cells(team.id, sheet.title, 0, len(team.cells(kind)[0]), [[header(kind, name)]])


@pytest.mark.parametrize("take_over", [False, True])
@pytest.mark.parametrize("how", [_empty, _make_again_by_hand])
def test_an_emptied_column_waits_for_a_decision(team: Team, how: Any, take_over: bool) -> None:
    _note_all(team)
    before, other = team.stored(), team.another("ben")
    team.stored(other)
    how(team, Sale, "note")
    # An edit of another cell of such a row waits with it.
    team.person.set_cells(team.id, SALES, 3, Sheet(team, Sale).column("reference"), [["R 3"]])
    for machine in (team.repository, other):
        assert team.stored(machine) == before
        assert machine.held().emptied == ["14 values in the column “Note” of sales"]
        assert "14 values in the column “Note” of sales. The values are kept for now. `sheets" in machine.notice()
        assert "14 values in the column “Note” of sales were emptied" in " ".join(wrong(team, machine))
    with pytest.raises(RefusedError, match=r"14 values in the column “Note” of sales.*until that is decided"):
        team.store.change(lambda tx: tx.change(tx.get(Client, 1), notes="x"))
    team.repository.settle(take_over=take_over)
    assert (team.repository.held().emptied, team.repository.notice()) == ([], "")
    after = team.agreed()
    assert after[Sale][3].reference == "R 3"  # type: ignore[attr-defined]
    notes = {at: sale.note for at, sale in after[Sale].items()}  # type: ignore[attr-defined]
    assert notes == {at: "" if take_over else f"note {at}" for at in range(1, 15)}
    assert other.held().emptied == []
    team.store.change(lambda tx: tx.change(tx.get(Sale, 4), note="new"))
    assert team.agreed()[Sale][4].note == "new"  # type: ignore[attr-defined]
    assert len([what for what in team.summaries() if what == "edited in the sheet"]) == 1


def test_cells_that_are_few_or_the_smaller_part_of_a_column_are_emptied_unasked(team: Team) -> None:
    _note_all(team)
    team.stored()

    def note(at: int) -> str:
        return str(team.stored()[Sale][at].note)  # type: ignore[attr-defined]

    column = Sheet(team, Sale).column("note")
    team.person.set_cells(team.id, SALES, 1, column, [[None]] * 7)
    assert (note(7), note(8)) == ("", "note 8")
    # Most of what is left, but not more than a few.
    team.person.set_cells(team.id, SALES, 8, column, [[None]] * 5)
    assert (note(12), note(13)) == ("", "note 13")
    assert team.repository.held().emptied == []


def test_a_few_deletions_are_applied_up_to_the_limit_of_the_team(team: Team) -> None:
    team.person.delete_rows(team.id, SALES, 1, 5)
    assert len(team.stored()[Sale]) == 9
    team.store.change(lambda tx: tx.add(Setting(key="sheet_deletions", value="1")) and None)
    team.person.delete_rows(team.id, SALES, 1, 2)
    assert len(team.stored()[Sale]) == 9
    assert len(team.repository.held().gone["sale"]) == 2
    # Put back by hand, nothing waits any more.
    team.store.repository.settle(take_over=True)  # type: ignore[attr-defined]
    assert len(team.agreed()[Sale]) == 7


@pytest.mark.parametrize(
    ("clients", "deleted", "sales_deleted"),
    [
        # A small part of all rows, but most of the clients.
        (8, 6, 1),
        # Few clients, but all sales with them.
        (5, 5, 0),
        (2, 1, 0),
    ],
)
def test_many_deletions_of_one_kind_are_asked_about_with_their_dependents(
    clients: int, deleted: int, sales_deleted: int
) -> None:
    with new_team() as team:
        store = team.store
        store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"B {at}") for at in range(clients)]))
        sold = [Sale(client=1 + at % clients, on=store.today, amount=Decimal(10)) for at in range(100)]
        store.change(lambda tx: tx.add_all(sold))
        before = team.stored()
        team.person.delete_rows(team.id, CLIENTS, 1, deleted)
        if sales_deleted:
            team.person.delete_rows(team.id, SALES, 100, sales_deleted)
        assert team.stored() == before
        assert f"{deleted} client" in team.repository.notice()
        team.repository.settle(take_over=False)
        assert team.agreed() == before


@pytest.mark.parametrize("what", ["rows deleted", "IDs and versions emptied"])
def test_a_new_machine_that_looks_first_asks_about_the_same_deletions(what: str) -> None:
    with new_team() as team:
        store = team.store
        store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"B {at}") for at in range(5)]))
        sold = [Sale(client=1 + at % 5, on=store.today, amount=Decimal(10)) for at in range(20)]
        store.change(lambda tx: tx.add_all(sold))
        before = team.stored()
        if what == "rows deleted":
            team.person.delete_rows(team.id, CLIENTS, 1, 5)
        else:
            _empty(team, Client, "id")
            _empty(team, Client, "version")
        changes = team.cells(HISTORY)
        fresh = team.another("ben")
        team.stored(fresh)
        assert fresh.held().gone == {"client": [1, 2, 3, 4, 5]}
        assert "5 clients" in fresh.notice()
        assert team.cells(HISTORY) == changes
        assert team.stored() == before
        team.repository.settle(take_over=False)
        assert team.agreed() == before
        assert team.stored(fresh) == before


def test_a_new_machine_deletes_the_sales_of_a_deleted_client(team: Team) -> None:
    before = team.stored()
    Sheet(team, Client).delete(before[Client][2])
    fresh = team.another("ben")
    assert list(team.stored(fresh)[Client]) == [1, 3]
    assert (fresh.notice(), wrong(team, fresh)) == ("", [])
    assert sorted(team.agreed()[Sale]) == [*range(1, 11), 13, 14]
    assert sorted(change for change in last(team)[2] if change[2] == "delete") == [
        ("client", 2, "delete"), ("sale", 11, "delete"), ("sale", 12, "delete")
    ]  # fmt: skip


@pytest.mark.parametrize("read_again", [False, True])
def test_a_deletion_that_a_new_machine_applied_is_undone_by_one_that_knew_the_records(
    team: Team, read_again: bool
) -> None:
    other = team.another("eve")
    before = team.stored(other)
    # The other one has not seen this before the deletion.
    team.store.change(lambda tx: tx.apply(tx.get(Client, 2), {"city": "Wien"}))
    Sheet(team, Client).delete(before[Client][2])
    fresh = team.another("ben")
    assert list(team.stored(fresh)[Client]) == [1, 3]
    with fresh.read() as snapshot:
        number = snapshot.history(limit=1)[0].id
    with pytest.raises(RefusedError, match="What client 2 held is not known"):
        fresh.transact(lambda tx: tx.undo(number), "undid")
    team.stored(other)
    if read_again:
        with other._engine.connect() as connection:
            mirror.forget_end(connection)
            connection.commit()
        other._look_at_sheet()
        team.stored(other)
    other.transact(lambda tx: tx.undo(number), "undid")
    found = team.agreed()
    assert list(found[Client]) == [1, 2, 3]
    assert (found[Client][2].last_name, found[Client][2].city) == ("Buyer 1", "Wien")
    assert list(found[Sale]) == list(before[Sale])


def test_a_client_whose_sales_were_given_to_another_one_is_deleted_without_a_question(team: Team) -> None:
    known = team.stored()
    # Both are found at one look.
    for number in range(1, 11):
        Sheet(team, Sale).put(known[Sale][number], "client", 2)
    Sheet(team, Client).delete(known[Client][1])
    found = team.agreed()
    assert list(found[Client]) == [2, 3]
    assert len(found[Sale]) == 14


@pytest.mark.parametrize(
    "how", ["protected", *(pytest.param(how, marks=pytest.mark.slow) for how in ("viewer", "full"))]
)
def test_edits_that_cannot_be_saved_yet_are_shown_and_applied_later(
    team: Team, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sheet(team, Client).put(team.stored()[Client][2], "city", "Bonn")
    Sheet(team, Client).put(team.stored()[Client][3], "city", "Ulm")
    team.stored()
    changes = len(team.summaries())
    Sheet(team, Client).put(team.stored()[Client][2], "city", "Köln")
    Sheet(team, Sale).add(client=2, amount=40_000)
    if how == "protected":
        team.person.protect(team.id, SALES)
    elif how == "viewer":
        team.person.set_access(team.id, READER)
    else:
        monkeypatch.setattr(book, "MOST_CELLS", 0)
    for machine in (team.repository, team.another("ben")):
        shown = team.stored(machine)[Client][2]
        assert (shown.city, shown.total_spend, shown.status) == ("Köln", Decimal(40_204), "VIP")  # type: ignore[attr-defined]
        assert "shown, but not accepted yet" in machine.notice()
        assert "not accepted yet" in " ".join(wrong(team, machine))
    if how == "protected":
        assert "in the tab “sales”" in team.repository.notice()
    assert team.summaries()[0] == "edited in the sheet (not accepted yet)"
    assert len(team.summaries()) == changes + 1
    team.person.reset_counts()
    for _ in range(3):
        assert team.stored()[Client][2].city == "Köln"  # type: ignore[attr-defined]
    counts = team.person.counts(team.id)
    # Each look reads the revision, and nothing else.
    assert (counts["reads"], counts["writes"], counts["drive"]) == (3, 0, 3)
    if how == "protected":
        for _ in range(4):
            # However often Google refuses it.
            team.repository._look_at_sheet()
            assert team.stored()[Client][2].city == "Köln"  # type: ignore[attr-defined]
            assert "in the tab “sales”" in team.repository.notice()
        # What can be saved is shown beside it at once.
        team.store.change(lambda tx: tx.change(tx.get(Client, 1), notes="a note"))
        assert [team.stored()[Client][at].city for at in (1, 2)] == ["", "Köln"]  # type: ignore[attr-defined]
        assert team.stored()[Client][1].notes == "a note"  # type: ignore[attr-defined]
        team.person.protect(team.id, SALES, on=False)
    elif how == "viewer":
        team.person.set_access(team.id, WRITER)
    else:
        assert "the spreadsheet is full" in team.repository.notice()
        monkeypatch.undo()
        # Somebody makes room.
        team.person.delete_rows(team.id, SALES, 30, 10)
    found = team.agreed()
    assert team.repository.notice() == ""
    assert (found[Client][2].city, found[Client][2].status) == ("Köln", "VIP")  # type: ignore[attr-defined]
    assert sorted(found[Sale]) == list(range(1, 16))
    assert len([what for what in team.summaries()[:-changes] if what == "edited in the sheet"]) == 1
    assert list(team.repository._mirror_file.path.parent.glob("*preview*")) == []
