"""Reads with one reader's permissions: other records look as if they did not exist."""

from collections.abc import Callable
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.errors import FieldError, ForbiddenError, NotFoundError
from crm.model import Client, Contact, Sale, Setting, SignIn, StatusRule, User, View
from crm.repository import Query
from tests.conftest import STORES, Store
from tests.support.guarded import FOREIGN, INTERNAL, SECRET, Team, guarded_for

# What a client sees


def test_a_client_sees_itself_without_notes_of_the_team(team: Team) -> None:
    with team.seen_by("client").read() as snapshot:
        seen = snapshot.get(Client, team.own.id)
        assert (seen.name, seen.total_spend, seen.status) == ("Olga Own", Decimal(100), "Regular")
        assert (seen.tags, seen.notes, seen.owner, seen.source, seen.extra) == ((), "", "", "", {})
        assert (seen.status_reason, seen.status_before, seen.status_since) == ("", "", None)
        assert snapshot.find_all(Client) == list(snapshot.each(Client)) == [seen]
        assert snapshot.count(Client) == snapshot.count(Sale) == snapshot.count(User) == snapshot.count(SignIn) == 1
        (sale,) = snapshot.find_all(Sale)
        assert (sale.id, sale.amount, sale.note) == (team.own_sale.id, Decimal(100), "")
        assert [sign_in.id for sign_in in snapshot.find_all(SignIn)] == [team.sign_ins["client"].id]
        assert "team" in {setting.key for setting in snapshot.find_all(Setting)}


def test_a_client_sees_no_other_clients(team: Team) -> None:
    with team.seen_by("client").read() as snapshot:
        for kind, record_id in (
            (Client, team.other.id),
            (Sale, team.other_sale.id),
            (User, team.users["admin"].id),
            (SignIn, team.sign_ins["staff"].id),
        ):
            assert snapshot.find(kind, record_id) is None
            with pytest.raises(NotFoundError) as other:
                snapshot.get(kind, record_id)
            with pytest.raises(NotFoundError) as nowhere:
                snapshot.get(kind, 99999)
            assert other.value.sentence.replace(str(record_id), "99999") == nowhere.value.sentence
        assert snapshot.changes(record=team.other) == []


def test_a_filter_narrows_what_a_reader_sees_and_never_replaces_it(team: Team) -> None:
    with team.seen_by("client").read() as snapshot:
        for query in (
            Query({"id": team.other.id}),
            Query({"id": [team.other.id]}),
            Query(within={"id": team.other.id}, filters={"kind": "company"}),
        ):
            assert snapshot.find_all(Client, query) == []
            assert snapshot.count(Client, query) == 0
        assert [client.id for client in snapshot.find_all(Client, Query(within={"id": team.other.id}))] == [team.own.id]
        assert snapshot.find_all(Sale, Query({"client": team.other.id})) == []
        assert snapshot.count(Sale, Query(since=date(2020, 1, 1), limit=0)) == 1
        assert snapshot.find_all(Client, Query(offset=1)) == []


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        (Client, Query({"notes": f"{INTERNAL} notes"})),
        (Client, Query({"tags": INTERNAL})),
        (Client, Query({"extra": {"size": f"{INTERNAL} extra"}})),
        (Client, Query(sort="status-since")),
        (Client, Query(sort="-owner")),
        (Sale, Query({"note": f"{INTERNAL} own"})),
        (Sale, Query(sort="note")),
        (User, Query({"password": f"{SECRET}-1"})),
        (SignIn, Query(sort="token")),
    ],
)
def test_a_hidden_field_cannot_be_filtered_or_sorted_by(team: Team, kind: Any, query: Query) -> None:
    with team.seen_by("client").read() as snapshot:
        for asked in (snapshot.find_all, snapshot.each, snapshot.count):
            with pytest.raises(FieldError):
                asked(kind, query)
        with pytest.raises(ForbiddenError):
            snapshot.find_all(Client, Query(where=f"tags has '{INTERNAL}'"))


def test_a_client_account_finds_only_itself_by_its_visible_fields(team: Team) -> None:
    with team.seen_by("client").read() as snapshot:
        for text in ("olga", "OWN", "own@example.com", "olga own"):
            assert [client.id for client in snapshot.search(text)] == [team.own.id]
        for text in (INTERNAL, FOREIGN, "+436605551234", "", " "):
            assert snapshot.search(text) == []
        assert snapshot.identified("email", ["own@example.com", f"{FOREIGN}@example.com"])[0].notes == ""
        assert snapshot.identified("reference", [f"{FOREIGN}-1"]) == []


def test_a_client_account_finds_itself_by_its_visible_contacts(team: Team) -> None:
    own = Contact(client=team.own.id, name="Jo Fox", email="jo@own.example", notes=f"{INTERNAL} contact")
    other = Contact(client=team.other.id, name=f"{FOREIGN} contact", email="bo@other.example")
    team.store.change(lambda tx: tx.add_all([own, other]), "added contacts")
    with team.seen_by("client").read() as snapshot:
        for text in ("jo fox", "JO@OWN"):
            assert [client.id for client in snapshot.search(text)] == [team.own.id]
        for text in (FOREIGN, "bo@other", "contact", INTERNAL, "jo olga"):
            assert snapshot.search(text) == []
    for role in ("staff", "admin"):
        with team.seen_by(role).read() as snapshot:
            assert [client.id for client in snapshot.search("bo@other")] == [team.other.id]


def test_a_client_account_is_refused_internal_records(team: Team) -> None:
    with team.seen_by("client").read() as snapshot:
        refused: list[Callable[[], Any]] = [
            lambda: snapshot.rules,
            lambda: snapshot.find_all(StatusRule),
            lambda: snapshot.each(View),
            lambda: snapshot.get(View, 1),
            lambda: snapshot.count(StatusRule),
            lambda: snapshot.values(team.own),
            snapshot.moves,
            snapshot.move_counts,
            snapshot.history,
            snapshot.changes,
            lambda: snapshot.changes(transaction=1),
        ]
        for function in refused:
            with pytest.raises(ForbiddenError, match=r"^Only staff can "):
                function()
        assert snapshot.changes(record=team.own) == []


# What staff see


def test_staff_see_all_clients_and_no_secrets(team: Team) -> None:
    with team.seen_by("staff").read() as snapshot:
        assert snapshot.count(Client) == snapshot.count(Sale) == 2
        assert snapshot.get(Client, team.own.id).notes == f"{INTERNAL} notes"
        assert [client.id for client in snapshot.search(INTERNAL)] == [team.own.id]
        users = snapshot.find_all(User)
        assert [user.role for user in users] == ["admin", "staff", "client"]
        assert [sign_in.user for sign_in in snapshot.find_all(SignIn)] == [team.users["staff"].id]
        assert snapshot.find(SignIn, team.sign_ins["admin"].id) is None
        assert SECRET not in repr([users, snapshot.find_all(SignIn), snapshot.get(User, users[0].id)])


@pytest.mark.parametrize("role", ["admin", "staff"])
def test_the_history_shows_no_secrets_and_only_my_own_sign_ins(team: Team, role: str) -> None:
    def change_past_guard(change: Callable[[Any], Any]) -> None:
        team.store.change(change, "changed accounts")

    change_past_guard(lambda tx: tx.change(team.users["admin"], password=f"{SECRET}-4", name="Ada L."))
    for name in ("admin", "staff"):
        session = team.sign_ins[name]
        change_past_guard(lambda tx, it=session, at=f"new-{name}": tx.change(it, token=f"{SECRET}-5", method=at))  # type: ignore[misc]
        change_past_guard(lambda tx, it=session: tx.delete(it))  # type: ignore[misc]
    with team.seen_by(role).read() as snapshot:
        changes = snapshot.changes(limit=1000)
        assert SECRET not in repr(changes)
        assert "Ada L." in repr(snapshot.changes(record=team.users["admin"]))
        # Of a change, what is left once its record is gone does not tell any more whose it was.
        methods = {change.before["method"] for change in changes if change.operation == "delete"}
        assert methods == {"new-staff"} | ({"new-admin"} if role == "admin" else set())
        assert len(snapshot.history(100)) > 5


def test_a_history_that_holds_secrets_does_not_show_them(team: Team, tmp_path: Path) -> None:
    """A store takes over the history of another one as it is."""
    leaking = {"transaction": 1, "record": "user", "record_id": 1, "operation": "update"}
    values = {"password": f"{SECRET}-4", "name": "Ada"}
    forged = ("audit", {"id": 99, **leaking, "before": values, "after": values})
    with closing(Store(STORES["sqlite"], tmp_path)) as store:
        store.repository.fill([*team.everything(), forged])
        with guarded_for(store.repository, team.reader("admin")).read() as snapshot:
            (change,) = [change for change in snapshot.changes(limit=1000) if change.record == "user" and change.before]
            assert change.before == change.after == {"password": "", "name": "Ada"}
