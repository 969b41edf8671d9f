"""Changes and undo with one reader's permissions: only what the table of rights allows."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.errors import ForbiddenError, NotFoundError
from crm.model import Client, Dashboard, Sale, Setting, SignIn, StatusRule, User
from crm.repository import Transaction
from crm.repository.guarded.repository import GuardedRepository
from tests.support.guarded import SECRET, Team, new_team

# What is changed


pytestmark = pytest.mark.quick_on_sheets


@pytest.mark.parametrize("role", ["staff", "client"])
def test_only_an_admin_deletes_clients_and_manages_accounts(team: Team, role: str) -> None:
    me, guarded, before = team.users[role], team.seen_by(role), team.everything()
    refused: list[Callable[[Any], Any]] = [
        lambda tx: tx.add(User(email="new@example.com", role="staff")),
        lambda tx: tx.delete(me),
        lambda tx: tx.delete(team.own),
        lambda tx: tx.add_all([StatusRule(position=9, status="New", active=True)]),
        lambda tx: tx.add_columns(StatusRule, {"position": [9], "status": ["New"], "active": [True]}),
        lambda tx: tx.add_columns(User, {"email": ["new@example.com"], "role": ["admin"]}),
        lambda tx: tx.add(Setting(key="new", value="new")),
        lambda tx: tx.add(SignIn(user=me.id, state="open")),
        lambda tx: tx.review_all(),
        *(
            (lambda tx, given=given: tx.change(me, name="Me", **given))
            for given in (
                {"role": "admin"}, {"client": 77}, {"active": True}, {"email": "x@example.com"}, {"seal": "x"},
                {"password": "x"}, {"second_factor": "x"}, {"must_change": True}, {"version": 7}, {"id": 9},
            )
        ),
        lambda tx: tx.change(team.sign_ins[role], state="open"),
        lambda tx: tx.change(team.sign_ins[role], user=team.users["admin"].id),
    ]  # fmt: skip
    for change in refused:
        with pytest.raises(ForbiddenError, match=r"Nothing was changed\.$"):
            guarded.transact(change, "what must not be")
    assert team.everything() == before


def test_nobody_writes_secrets_through_a_guard(team: Team) -> None:
    guarded, before = team.seen_by("admin"), team.everything()
    for change in (
        lambda tx: tx.change(team.users["staff"], password="x"),
        lambda tx: tx.add(User(email="new@example.com", role="admin", seal="x")),
        lambda tx: tx.add_columns(User, {"email": ["new@example.com"], "seal": ["x"]}),
        lambda tx: tx.add(SignIn(user=1, state="open", token="x")),
    ):
        with pytest.raises(ForbiddenError):
            guarded.transact(change, "what must not be")
    assert team.everything() == before


def test_a_user_changes_their_own_account_and_sees_no_others(team: Team) -> None:
    guarded, me, admin = team.seen_by("client"), team.users["client"], team.users["admin"]
    changed = guarded.transact(lambda tx: tx.change(me, name="Olga O.", phone="+431234567"), "changed my name")
    assert (changed.name, changed.password) == ("Olga O.", "")
    guarded.transact(lambda tx: tx.change(team.sign_ins["client"], state="ended"), "signed out")
    stored = team.store.everything()
    assert stored[User][me.id].password == f"{SECRET}-1"  # type: ignore[attr-defined]
    assert stored[SignIn][team.sign_ins["client"].id].state == "ended"  # type: ignore[attr-defined]
    before = team.everything()
    forged = User(id=admin.id, role="client", client=team.own.id, email="own@example.com")
    for change in (
        lambda tx: tx.change(forged, name="Mine"),
        lambda tx: tx.change(admin, name="Mine"),
        lambda tx: tx.change(team.sign_ins["admin"], state="ended"),
    ):
        with pytest.raises(NotFoundError):
            guarded.transact(change, "what must not be")
    assert team.everything() == before


def test_staff_arrange_their_own_dashboard_and_nobody_elses(team: Team) -> None:
    guarded, mine, adas = team.seen_by("staff"), team.dashboards["staff"], team.dashboards["admin"]
    with guarded.read() as snapshot:
        assert snapshot.find_all(Dashboard) == [mine]
        assert snapshot.find(Dashboard, adas.id) is None
    before = team.everything()
    for change in (
        lambda tx: tx.change(adas, tiles="new"),
        lambda tx: tx.delete(adas),
        lambda tx: tx.add(Dashboard(user="Ada", tiles="new")),
        lambda tx: tx.add_all([Dashboard(user="Olga", tiles="new")]),
        lambda tx: tx.change(mine, user="Ada"),
        lambda tx: tx.delete_all(Dashboard, [mine.id]),
    ):
        with pytest.raises((ForbiddenError, NotFoundError)):
            guarded.transact(change, "what must not be")
    assert team.everything() == before
    guarded.transact(lambda tx: tx.change(mine, tiles="new"), "arranged")
    guarded.transact(lambda tx: tx.delete(tx.get(Dashboard, mine.id)), "put back")
    own = Dashboard(user="sam", user_id=team.users["staff"].id, tiles="again")
    guarded.transact(lambda tx: tx.add(own), "arranged")
    assert [(dashboard.user, dashboard.tiles) for dashboard in _dashboards(team)] == [
        ("Ada", "tiles of admin"),
        ("Sam", "again"),
    ]


def test_staff_undo_only_changes_to_their_own_dashboard(team: Team) -> None:
    guarded, mine, adas = team.seen_by("staff"), team.dashboards["staff"], team.dashboards["admin"]
    guarded.transact(lambda tx: tx.change(mine, tiles="new"), "arranged")
    guarded.transact(lambda tx: tx.undo(), "took back")
    guarded.transact(lambda tx: tx.delete(tx.get(Dashboard, mine.id)), "put back")
    guarded.transact(lambda tx: tx.undo(), "took back")
    assert [dashboard.tiles for dashboard in _dashboards(team)] == ["tiles of admin", "tiles of staff"]
    for change in (lambda tx: tx.change(adas, tiles="new"), lambda tx: tx.delete(tx.get(Dashboard, adas.id))):
        team.store.change(change, "arranged by Ada")
        before = team.everything()
        last = guarded_last(team.seen_by("admin"))
        # The history does not show it to them either.
        with pytest.raises(NotFoundError, match=f"No change {last} in the history"):
            guarded.transact(lambda tx, last=last: tx.undo(last), "took back")
        assert team.everything() == before


def _dashboards(team: Team) -> list[Any]:
    return list(team.store.everything()[Dashboard].values())


def test_changes_by_staff_are_in_the_history_under_their_name(team: Team) -> None:
    guarded = team.seen_by("staff")

    def change(tx: Transaction) -> Any:
        client = tx.add(Client(kind="person", last_name="New"))
        tx.change(client, notes="called")
        tx.add_all([Sale(client=client.id, on=tx.today, amount=Decimal(40000))])
        moves = tx.settle()
        tx.delete(tx.get(Sale, team.other_sale.id))
        return client.id, [move.after for move in moves]

    client, moved = guarded.transact(change, "a day's work")
    assert moved == ["VIP"]
    assert team.store.client(client).status == "VIP"
    assert not team.store.wrong()
    with guarded.read() as snapshot:
        assert (snapshot.history(1)[0].user, snapshot.history(1)[0].what) == ("Sam", "a day's work")


# Taking back


def test_staff_undo_only_changes_that_they_could_have_made(team: Team) -> None:
    guarded, store = team.seen_by("staff"), team.store
    added = store.add(last_name="Added")
    before = team.everything()
    with pytest.raises(ForbiddenError, match="Only an admin can delete clients"):
        guarded.transact(lambda tx: tx.undo(guarded_last(guarded)), "took back")
    assert team.everything() == before
    store.change(lambda tx: tx.change(added, city="Graz"), "edited")
    guarded.transact(lambda tx: tx.undo(guarded_last(guarded)), "took back")
    assert store.client(added).city == ""
    # Whoever may not delete a client does not undo that either, nor do it again.
    store.change(lambda tx: tx.delete(added), "deleted")
    for _ in range(3):
        before = team.everything()
        with pytest.raises(ForbiddenError, match="Only an admin can delete clients"):
            guarded.transact(lambda tx: tx.undo(guarded_last(guarded)), "took back")
        assert team.everything() == before
        team.seen_by("admin").transact(lambda tx: tx.undo(guarded_last(guarded)), "took back")
    assert store.client(added).last_name == "Added"
    store.set_rules(("VIP", "total_spend > 1"))
    with pytest.raises(ForbiddenError, match="status rules"):
        guarded.transact(lambda tx: tx.undo(guarded_last(guarded)), "took back")
    with pytest.raises(ForbiddenError):
        team.seen_by("client").transact(lambda tx: tx.undo(), "took back")
    with pytest.raises(NotFoundError):
        guarded.transact(lambda tx: tx.undo(99999), "took back")


@pytest.mark.parametrize("kind", ["sqlite", "sheets"])
@pytest.mark.parametrize("way", ["applied", "daily"])
def test_staff_cannot_undo_a_change_of_rules_for_everybody(tmp_path: Path, kind: str, way: str) -> None:
    with new_team(tmp_path, kind) as team:
        _staff_do_not_take_the_rules_back(team, way)


def _staff_do_not_take_the_rules_back(team: Team, way: str) -> None:
    staff, admin, store = team.seen_by("staff"), team.seen_by("admin"), team.store
    store.set_rules(("Old", "days_since_added > 30"), ("New", ""))
    admin.transact(lambda tx: tx.review_all(), "applied the rules")
    if way == "daily":
        store.today += timedelta(days=31)
        store.repository.set_fact("reviewed_on", "")
        store.repository.daily_review()
    number = guarded_last(admin)
    status = store.client(team.own).status
    # Taken back, and done again, and taken back again: each by an admin alone.
    for _ in range(3):
        with pytest.raises(ForbiddenError, match="Only an admin can change status rules"):
            staff.transact(lambda tx, number=number: tx.undo(number), "took back")
        assert store.client(team.own).status == status
        admin.transact(lambda tx, number=number: tx.undo(number), "took back")
        assert store.client(team.own).status != status
        number, status = guarded_last(admin), store.client(team.own).status


def test_staff_undo_a_status_that_followed_from_their_own_change(team: Team) -> None:
    staff, store = team.seen_by("staff"), team.store
    store.set_rules(("VIP", "total_spend > 1000"), ("New", ""))
    pinned = {"status": "Friend", "status_reason": "Pinned by hand", "status_pinned_until": date(2026, 12, 24)}
    pinned |= {"status_before": "New", "status_since": date(2026, 11, 2)}
    changes: list[Callable[[Transaction], Any]] = [
        lambda tx: tx.add(Sale(client=team.own.id, on=tx.today, amount=Decimal(5000))),
        lambda tx: tx.change(tx.get(Client, team.own.id), **pinned),
        lambda tx: tx.change(tx.get(Client, team.own.id), status_pinned_until=None),
    ]
    for change in changes:
        staff.transact(change, "worked")
        before = store.client(team.own).status
        staff.transact(lambda tx: tx.undo(), "took back")
        staff.transact(lambda tx: tx.undo(guarded_last(staff)), "did again")
        assert store.client(team.own).status == before


def guarded_last(guarded: GuardedRepository) -> int:
    with guarded.read() as snapshot:
        return snapshot.history(limit=1)[0].id


def test_the_last_change_to_undo_is_my_own(team: Team) -> None:
    store, staff, admin = team.store, team.seen_by("staff"), team.seen_by("admin")
    client = store.add(last_name="Added")
    staff.transact(lambda tx: tx.change(tx.get(Client, client.id), city="Graz"), "edited")
    staff.transact(lambda tx: tx.change(tx.get(Client, client.id), notes="called"), "noted")
    admin.transact(lambda tx: tx.change(tx.get(Client, client.id), source="fair"), "asked")
    store.change(lambda tx: tx.change(team.users["client"], name="Cleo L."), "changed an account")
    undone = [repository.transact(lambda tx: tx.undo(), "took back").what for repository in (staff, admin, staff)]
    assert undone == ["noted", "asked", "edited"]
    with pytest.raises(NotFoundError, match="Nothing of yours"):
        admin.transact(lambda tx: tx.undo(), "took back")
    assert store.change(lambda tx: tx.undo()).what == "added a client"
