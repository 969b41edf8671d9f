"""The history with one reader's permissions: hidden records cannot be found through it."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crm.errors import ForbiddenError
from crm.model import Dashboard, SignIn
from crm.repository import HistoryQuery
from tests.conftest import STORES, Store
from tests.support.guarded import INTERNAL, SECRET, Team, guarded_for


@pytest.fixture
def busy(team: Team) -> Team:
    """Everybody's session was used once more, and everybody's password changed."""
    for role, session in team.sign_ins.items():
        team.store.change(lambda tx, it=session, at=f"seen-{role}": tx.change(it, method=at), "used")  # type: ignore[misc]
        user = team.users[role]
        team.store.change(lambda tx, it=user: tx.change(it, password=f"{SECRET}-new"), "changed a password")  # type: ignore[misc]
    return team


def found(team: Team, role: str, **query: Any) -> list[int]:
    """The numbers of the transactions that a query names for a role."""
    with team.seen_by(role).read() as snapshot:
        return [entry.id for entry in snapshot.history(query=HistoryQuery(**query))]


def changed(team: Team, role: str, **query: Any) -> list[Any]:
    """The changes that it names."""
    with team.seen_by(role).read() as snapshot:
        return list(snapshot.each_change(HistoryQuery(**query)))


def test_a_client_reads_no_history_however_it_asks(busy: Team) -> None:
    with busy.seen_by("client").read() as snapshot:
        for query in (
            HistoryQuery(),
            HistoryQuery(client=busy.own.id),
            HistoryQuery(about="client"),
            HistoryQuery(text="x"),
        ):
            with pytest.raises(ForbiddenError, match=r"^Only staff can see the history"):
                snapshot.history(query=query)
            with pytest.raises(ForbiddenError, match=r"^Only staff can see the history"):
                snapshot.each_change(query)


def test_staff_find_clients_and_sales_by_every_filter(busy: Team) -> None:
    # To an admin that of the account as well.
    assert found(busy, "staff", client=busy.own.id) == found(busy, "admin", client=busy.own.id)[2:] == [2, 1]
    assert found(busy, "staff", about="sale") == [2]
    busy.store.change(lambda tx: tx.change(busy.own, notes=f"{INTERNAL} more"), "noted")
    assert found(busy, "staff", text=f"{INTERNAL} more") != []
    assert {entry.record for entry in changed(busy, "staff", client=busy.own.id)} == {"client", "sale"}
    assert {entry.record for entry in changed(busy, "admin", client=busy.own.id)} == {"client", "sale", "user"}


def test_staff_find_only_their_own_sign_ins_in_the_history(busy: Team) -> None:
    assert len(found(busy, "admin", about="sign_in")) == 4
    # All of them signed in in one transaction; then each session was used.
    (used, _) = found(busy, "staff", about="sign_in")
    assert found(busy, "staff", about="sign_in", text="used") == [used]
    for other in ("admin", "client"):
        assert found(busy, "admin", about="sign_in", number=busy.sign_ins[other].id) != []
        assert found(busy, "staff", about="sign_in", number=busy.sign_ins[other].id) == []
    own = busy.sign_ins["staff"].id
    assert {entry.record_id for entry in changed(busy, "staff", about="sign_in")} == {own}
    assert "seen-admin" not in repr(changed(busy, "staff"))


def test_staff_find_only_changes_to_their_own_account(busy: Team) -> None:
    own, adas = busy.users["staff"].id, busy.users["admin"]
    busy.store.change(lambda tx: tx.change(adas, email="moved@example.com", phone="+436601234567"), "changed Ada")
    assert {entry.record_id for entry in changed(busy, "staff", about="user")} == {own}
    assert {entry.record_id for entry in changed(busy, "admin", about="user")} == {
        user.id for user in busy.users.values()
    }
    assert found(busy, "staff", about="user", number=adas.id) == []
    for query in ({}, {"text": "moved"}, {"text": "changed Ada"}, {"about": "user"}):
        assert "moved@example.com" not in repr(changed(busy, "staff", **query))
        assert busy_last(busy) not in found(busy, "staff", **query)
    assert found(busy, "admin", text="changed Ada") == [busy_last(busy)]


def busy_last(busy: Team) -> int:
    return found(busy, "admin")[0]


def test_sign_ins_of_others_are_not_listed(busy: Team) -> None:
    busy.store.change(lambda tx: tx.add(SignIn(user=busy.users["admin"].id, state="open")), "signed in")
    number = busy_last(busy)
    busy.store.change(lambda tx: tx.add(SignIn(user=busy.users["staff"].id, state="open")), "signed in")
    assert found(busy, "admin")[:2] == [number + 1, number]
    assert found(busy, "staff")[0] == number + 1
    assert number not in found(busy, "staff")
    # What touched other records as well stands there, with what may be seen of it.
    busy.store.change(lambda tx: (tx.change(busy.own, city="Graz"), tx.change(busy.users["admin"], name="Eva")), "both")
    assert found(busy, "staff")[0] == number + 2
    assert {entry.record for entry in changed(busy, "staff", transaction=number + 2)} == {"client"}


def test_staff_find_only_their_own_dashboard_in_any_case(busy: Team) -> None:
    sams, adas = busy.dashboards["staff"], busy.dashboards["admin"]
    busy.store.change(lambda tx: tx.change(adas, tiles="moved"), "Ada arranged")
    busy.store.change(lambda tx: tx.change(sams, user="SAM", tiles="moved"), "Sam arranged")
    busy.store.change(lambda tx: tx.delete(tx.get(Dashboard, sams.id)), "Sam has none")
    assert {entry.record_id for entry in changed(busy, "staff", about="dashboard")} == {sams.id}
    assert {entry.record_id for entry in changed(busy, "admin", about="dashboard")} == {sams.id, adas.id}
    assert found(busy, "staff", about="dashboard", number=adas.id) == []


@pytest.mark.parametrize("role", ["admin", "staff"])
def test_the_history_says_only_that_a_secret_was_set(busy: Team, role: str) -> None:
    changes = changed(busy, role, about="user")
    passwords = [
        (change.before["password"], change.after["password"]) for change in changes if "password" in change.after
    ]
    assert passwords == [("(set)", "(set)")] * (3 if role == "admin" else 1)
    assert SECRET not in repr(changed(busy, role))


@pytest.mark.parametrize("role", ["admin", "staff"])
def test_a_secret_in_the_history_cannot_be_guessed_by_searching(team: Team, tmp_path: Path, role: str) -> None:
    """A store takes over the history of another one as it is."""
    leaking = {"transaction": 1, "record": "user", "record_id": 1, "operation": "update"}
    values = {"password": f"{SECRET}-4", "name": "Ada"}
    forged = ("audit", {"id": 99, **leaking, "before": values, "after": values})
    with closing(Store(STORES["sqlite"], tmp_path)) as store:
        store.repository.fill([*team.everything(), forged])
        with guarded_for(store.repository, team.reader(role)).read() as snapshot:
            assert snapshot.history(query=HistoryQuery(text=f"{SECRET}-4")) == []
            assert list(snapshot.each_change(HistoryQuery(text=f"{SECRET}-4"))) == []
            assert SECRET not in repr(list(snapshot.each_change()))
