"""A guarded store: nothing can be read or changed unless the table of rights allows it."""

import inspect
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crm.errors import CRMError, ForbiddenError, SignedOutError
from crm.model import BY_NAME, KEY_MAY, ROLES, Client, Sale, Setting, SignIn, User, fields, people
from crm.model.rights import AREAS, KEY, OPERATIONS, OWN_CHANGES, OWNED_BY, OWNER, PART_OF, RIGHTS, Level, hidden, level
from crm.repository import Repository, Snapshot, Transaction
from crm.repository.guarded.reading import GuardedSnapshot
from crm.repository.guarded.repository import GuardedRepository
from crm.repository.guarded.verified import VerifiedRepository
from crm.repository.guarded.writing import GuardedTransaction
from tests.conftest import STORES, Store
from tests.support.guarded import SECRET, Team, guarded_for, new_team


def test_the_table_of_rights_covers_every_record_and_every_role() -> None:
    """A record that is added later may be seen by nobody until somebody has said by whom."""
    assert {*ROLES, OWNER.role, *(f"{KEY}{may}" for may in KEY_MAY)} == set(RIGHTS)
    assert set(BY_NAME) <= set(AREAS)
    for role, rows in RIGHTS.items():
        assert set(rows) == set(AREAS), role
        assert all(set(row) == set(OPERATIONS) for row in rows.values())
        owned = {area for area, row in rows.items() if Level.OWN in row.values()}
        assert owned <= {*OWNED_BY, *PART_OF}, role
        assert {area for area in owned if rows[area]["update"] is Level.OWN} <= set(OWN_CHANGES)
        for name, kind in BY_NAME.items():
            assert hidden(role, name) <= {*fields(kind), *people(kind).values()}
    assert level("client", "new record", "read") is level("nobody", "client", "read") is Level.NONE


@pytest.mark.parametrize(
    ("protocol", "guard"),
    [
        (Repository, GuardedRepository),
        (Repository, VerifiedRepository),
        (Snapshot, GuardedSnapshot),
        (Transaction, GuardedTransaction),
    ],
)
def test_every_method_is_guarded_by_name(protocol: type, guard: type) -> None:
    """A new method of a store needs a permission of its own, and is refused until it has one."""
    methods = {name for class_ in protocol.__mro__ for name in vars(class_) if not name.startswith("_")}
    own = {name for class_ in guard.__mro__[:-1] for name in vars(class_)}
    assert methods <= own
    assert not own & {"__getattr__", "__getattribute__"}
    for name in methods:
        answer, given = (inspect.getattr_static(class_, name) for class_ in (protocol, guard))
        if inspect.isfunction(answer):
            assert list(inspect.signature(answer).parameters) == list(inspect.signature(given).parameters), name


def kept(repository: Repository, snapshot: Snapshot, transaction: Transaction) -> None:
    """The protocols that a guard keeps."""


def test_a_guard_is_a_complete_repository(team: Team) -> None:
    guarded = team.seen_by("staff")
    with guarded.read() as snapshot:
        guarded.transact(lambda tx: kept(guarded, snapshot, tx), "nothing")
    assert guarded.url == team.store.repository.url
    assert guarded.notice() == ""
    assert not guarded.is_empty()
    assert not guarded.is_untouched()
    assert guarded.fact("schema_version")


# The store as a whole


@pytest.mark.parametrize("role", ["staff", "client"])
def test_only_an_admin_reads_the_whole_store(team: Team, role: str, tmp_path: Path) -> None:
    guarded, before = team.seen_by(role), team.everything()
    refused: list[Callable[[], Any]] = [
        guarded.everything,
        lambda: guarded.fill([]),
        guarded.prove,
        lambda: guarded.set_fact("reviewed_on", "2027-01-01"),
        lambda: guarded.backup(tmp_path / "backup.sqlite3"),
        guarded.daily_backup,
        lambda: guarded.restore(tmp_path / "backup.sqlite3"),
        *([guarded.check] if role == "client" else []),
    ]
    for method in refused:
        with pytest.raises(ForbiddenError):
            method()
    assert not list(tmp_path.glob("*.sqlite3"))
    assert team.everything() == before


def test_an_admin_can_back_up_and_check_the_store(team: Team, tmp_path: Path) -> None:
    guarded = team.seen_by("admin")
    assert list(guarded.everything()) == team.everything()
    copy = guarded.backup(tmp_path / "backup.sqlite3")
    guarded.transact(lambda tx: tx.delete(team.own), "deleted")
    assert guarded.restore(copy).kept
    assert team.store.client(team.own).name == "Olga Own"
    assert not [finding for finding in guarded.check() if finding.wrong]
    guarded.set_fact("reviewed_on", "2026-11-21")
    assert guarded.fact("reviewed_on") == "2026-11-21"


# Who is no longer who they were


def test_a_signed_out_user_can_neither_read_nor_write(team: Team) -> None:
    guarded = team.working_as("admin")
    with guarded.read() as snapshot:
        assert snapshot.count(Client) == 2
    copy = guarded.backup(team.store.folder / "copy.sqlite3")
    team.store.change(lambda tx: tx.change(team.sign_ins["admin"], state="ended"), "signed out")
    before, facts = team.everything(), team.store.repository.fact("reviewed_on")
    for function in (
        lambda: guarded.read().__enter__(),
        lambda: guarded.transact(lambda tx: tx.delete(team.own), "deleted"),
        lambda: list(guarded.everything()),
        lambda: list(guarded.check()),
        guarded.is_empty,
        guarded.is_untouched,
        lambda: guarded.fact("schema_version"),
        lambda: guarded.set_fact("reviewed_on", "2000-01-01"),
        lambda: guarded.backup(team.store.folder / "another.sqlite3"),
        guarded.daily_backup,
        lambda: guarded.restore(copy),
    ):
        with pytest.raises(SignedOutError, match=r"signed out\. Nothing was changed"):
            function()
    assert team.everything() == before
    assert team.store.repository.fact("reviewed_on") == facts
    assert {path.name for path in team.store.folder.rglob("*.sqlite3")} == {"store.sqlite3", "copy.sqlite3"}


def test_rights_are_checked_while_the_store_is_locked(team: Team) -> None:
    """Somebody is signed out between a question asked before and the moment at which the store is locked."""
    guarded, store = team.working_as("admin"), team.store
    copy = store.repository.backup(store.folder / "copy.sqlite3")
    locking = store.repository._enter

    def late(connection: Any) -> None:
        store.repository._enter = locking  # type: ignore[method-assign]
        store.another().transact(lambda tx: tx.change(team.sign_ins["admin"], state="ended"), "signed out")
        locking(connection)

    for change in (
        lambda: guarded.transact(lambda tx: tx.delete(team.own), "deleted"),
        lambda: guarded.set_fact("sample", "yes"),
    ):
        store.repository._enter = late  # type: ignore[method-assign]
        with pytest.raises(SignedOutError):
            change()
        store.change(lambda tx: tx.change(tx.get(SignIn, team.sign_ins["admin"].id), state="open"), "signed in")
    # The first question of a restore is answered by yes, the one inside of the lock by no.
    answers = iter([None, SignedOutError])

    def asked(_: Snapshot) -> None:
        if (answer := next(answers)) is not None:
            raise answer

    with pytest.raises(SignedOutError):
        store.repository.restore(copy, asked)
    assert store.client(team.own).name == "Olga Own"
    assert store.repository.fact("sample") == ""
    assert next(answers, "all were asked") == "all were asked"


@pytest.mark.parametrize("changes", [{"role": "staff"}, {"active": False}, {"client": 1}, None])
def test_rights_are_those_of_the_moment_of_the_commit(team: Team, changes: dict[str, Any] | None) -> None:
    """Also where the session itself was not noticed to be over."""
    guarded, admin = team.seen_by("admin"), team.users["admin"]

    def meanwhile(tx: Any) -> None:
        if changes is None:
            tx.delete(team.sign_ins["admin"])
            tx.delete(admin)
        else:
            tx.change(admin, **changes)

    team.store.change(meanwhile, "changed an account")
    with pytest.raises(SignedOutError):
        guarded.transact(lambda tx: tx.delete(team.own), "deleted")
    with pytest.raises(SignedOutError), guarded.read():
        pass
    assert team.store.client(team.own).name == "Olga Own"


def test_a_user_signed_out_before_a_retry_changes_nothing(tmp_path: Path) -> None:
    """On a spreadsheet a change is run again where another machine was first; it is asked again then."""
    with new_team(tmp_path, "sheets") as team:
        guarded, tries = team.working_as("staff"), 0

        def change(tx: Transaction) -> None:
            nonlocal tries
            tries += 1
            tx.change(tx.get(Client, team.own.id), city="Graz")
            team.store.another("ada").transact(lambda other: other.delete(team.sign_ins["staff"]), "signed Sam out")

        with pytest.raises(SignedOutError):
            guarded.transact(change, "edited")
        assert tries == 1
        assert team.store.client(team.own).city == ""


@pytest.mark.parametrize("role", ["staff", "client"])
def test_a_spreadsheet_is_guarded_in_the_same_way(tmp_path: Path, role: str) -> None:
    with new_team(tmp_path, "sheets") as team:
        guarded = team.seen_by(role)
        with guarded.read() as snapshot:
            assert snapshot.count(Client) == {"staff": 2, "client": 1}[role]
            assert SECRET not in repr(snapshot.find_all(User))
        guarded.transact(lambda tx: tx.change(team.users[role], name="New name"), "changed my name")
        with pytest.raises(ForbiddenError):
            guarded.transact(lambda tx: tx.change(team.users[role], role="admin"), "rose")
        stored = team.store.everything()[User][team.users[role].id]
        assert (stored.name, stored.role, stored.password) == ("New name", role, f"{SECRET}-1")  # type: ignore[attr-defined]


def test_the_owner_of_a_store_without_accounts_may_do_everything(tmp_path: Path) -> None:
    with closing(Store(STORES["sqlite"], tmp_path)) as store:
        _does_everything(guarded_for(store.repository, OWNER))


def _does_everything(guarded: GuardedRepository) -> None:
    client = guarded.transact(lambda tx: tx.add(Client(kind="person", last_name="First")), "added")
    guarded.transact(lambda tx: tx.delete(client), "deleted")
    guarded.transact(lambda tx: tx.undo(), "took back")
    with guarded.read() as snapshot:
        assert snapshot.history(1)[0].user == "anna"
        assert snapshot.count(Client) == 1


def test_an_unknown_role_may_do_nothing(team: Team) -> None:
    user = team.store.change(lambda tx: tx.add(User(email="odd@example.com", role="odd", active=True)), "added")
    reader = team.reader("admin")
    guarded = guarded_for(team.store.repository, type(reader)(user.id, "odd", 0, "Odd"))
    with guarded.read() as snapshot:
        for kind in (Client, Sale, Setting, User):
            with pytest.raises(CRMError):
                snapshot.find_all(kind)
