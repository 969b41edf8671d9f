"""Accounts and sessions when a store is restored, copied, exported and read in again, on any kind of store."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from crm.errors import RefusedError, SignInRefusedError, StoreAccessError
from crm.model import Client, Setting, User
from crm.repository import ROSTER
from tests.accounts.conftest import PASSWORD, Office
from tests.accounts.test_accounts_roster import ANNA, BO, fact, gets_in, remembering, rows
from tests.conftest import STORES, _new_store

NEW = "seven green umbrellas whistle"


def backup(office: Office, folder: Path) -> Path:
    return office.store.repository.backup(folder / "backup.sqlite3")


def clients(office: Office) -> list[int]:
    with office.store.repository.read() as snapshot:
        return snapshot.numbers(Client)


def test_restoring_data_restores_no_password_no_role_and_no_session(office: Office, tmp_path: Path) -> None:
    anna = office.add()
    bo, cy = office.add(BO, "admin"), office.add("cy@example.com", "staff")
    client = office.store.add()
    stolen = office.sign_in().token
    copy = backup(office, tmp_path)
    office.accounts.self_service.change_password(anna.id, PASSWORD, NEW)
    office.accounts.administration.edit(bo, role="staff")
    office.accounts.administration.edit(cy, active=False)
    office.with_app(bo)
    office.add("dee@example.com", "staff")
    now = office.sign_in(password=NEW).token
    office.store.add()
    office.store.repository.restore(copy)
    assert clients(office) == [client.id]
    # Those of now are as they were, and nobody is signed in any more.
    for token in (stolen, now):
        assert office.accounts.sessions.find(token) is None
    with pytest.raises(SignInRefusedError):
        office.sign_in()
    assert office.sign_in(password=NEW)
    assert office.user(bo).role == "staff"
    assert office.asked(BO).method == "totp"
    assert not gets_in(office, "cy@example.com")
    assert office.sign_in("dee@example.com")
    assert list(office.accounts.store.seal_findings()) == []
    assert office.store.wrong() == []
    # A new account gets a number that none had.
    assert office.add("eve@example.com", "staff").id == 5


def test_the_account_of_a_client_that_a_backup_does_not_know_is_closed(office: Office, tmp_path: Path) -> None:
    office.add()
    known, copy = office.store.add(), backup(office, tmp_path)
    new = office.store.add()
    kept = office.add("kept@example.com", "client", client=known.id)
    lost = office.add("lost@example.com", "client", client=new.id)
    assert office.store.repository.restore(copy).closed == 1
    assert (office.user(kept).active, office.user(lost).active) == (True, False)
    assert (gets_in(office, "kept@example.com"), gets_in(office, "lost@example.com")) == (True, False)
    assert list(office.accounts.store.seal_findings()) == []
    assert office.store.wrong() == []
    # Nobody else becomes the client of that number, whose account could be activated again.
    assert office.store.add().id > new.id


@pytest.mark.parametrize("whose", ["another store", "a copy that went on by itself"])
def test_a_client_account_is_not_moved_to_another_client_with_the_same_number(
    office: Office, tmp_path: Path, whose: str
) -> None:
    office.add()
    own, cli = office.store.add(), "cli@example.com"
    account = office.add(cli, "client", client=own.id)
    if whose == "another store":
        with another("sqlite") as other:
            assert other.store.add(first_name="Someone else").id == own.id
            copy = backup(other, tmp_path)
    else:
        copy = backup(office, tmp_path)
        with closing(sqlite3.connect(copy)) as file:
            file.execute("UPDATE client SET first_name = 'Someone else', created_at = '2026-01-02 03:04:05.000000'")
            file.commit()
    assert office.store.repository.restore(copy).closed == 1
    assert office.store.client(own.id).first_name == "Someone else"
    assert not office.user(account).active
    assert not gets_in(office, cli)
    assert gets_in(office, ANNA)
    assert list(office.accounts.store.seal_findings()) == []
    assert office.store.wrong() == []


def test_a_restore_lets_its_user_sign_in_again(office: Office, tmp_path: Path) -> None:
    with remembering(office, tmp_path / "remembered") as accounts:
        office.add()
        copy = backup(office, tmp_path)
        lost = office.add("lost@example.com", "client", client=office.store.add().id)
        for from_backup in (False, True):
            assert gets_in(office, ANNA, accounts=accounts)
            office.store.repository.restore(copy, accounts.store.roster.require, accounts=from_backup)
            assert gets_in(office, ANNA, accounts=accounts)
            assert not gets_in(office, lost.email, accounts=accounts)


def test_restoring_with_accounts_restores_the_old_accounts(office: Office, tmp_path: Path) -> None:
    anna = office.add()
    token = office.sign_in().token
    copy = backup(office, tmp_path)
    office.accounts.self_service.change_password(anna.id, PASSWORD, NEW)
    office.add(BO, "staff")
    revision = fact(office, ROSTER)
    office.store.repository.restore(copy, accounts=True)
    assert [row["id"] for row in rows(office, User)] == [anna.id]
    assert office.accounts.sessions.find(token) is None
    assert office.sign_in()
    assert int(fact(office, ROSTER).split("/")[1].split("-")[0]) > int(revision.split("/")[1].split("-")[0])
    assert list(office.accounts.store.seal_findings()) == []
    assert office.store.wrong() == []
    assert office.add("cy@example.com", "staff").id == 3


def test_a_backup_without_accounts_removes_none(office: Office, tmp_path: Path) -> None:
    client = office.store.add()
    copy = backup(office, tmp_path)
    office.add()
    token = office.sign_in().token
    office.store.repository.restore(copy)
    assert clients(office) == [client.id]
    assert office.accounts.store.exist()
    assert office.accounts.sessions.find(token) is None
    assert office.sign_in()


def test_no_backup_locks_the_team_out(office: Office, tmp_path: Path) -> None:
    without = backup(office, tmp_path)
    office.add()
    token = office.sign_in().token
    with _new_store(STORES["sqlite"]) as store:
        other = Office(store, "another secret that is long enough too")
        other.add()
        foreign = store.repository.backup(tmp_path / "foreign.sqlite3")
        other.attempts.close()
    for copy in (without, foreign):
        with pytest.raises(RefusedError, match="without --accounts"):
            office.store.repository.restore(copy, accounts=True)
        assert office.accounts.sessions.find(token)
    office.store.repository.restore(foreign)
    assert office.sign_in()
    assert office.store.wrong() == []


def test_settings_with_other_ids_in_a_backup_are_restored(office: Office, tmp_path: Path) -> None:
    settings = {"company": "Ours", "industry": "Bakery"}
    with _new_store(STORES["sqlite"]) as store:
        for key, value in settings.items():
            store.repository.transact(lambda tx, key=key, value=value: tx.add(Setting(key=key, value=value)), "set")
        foreign = store.repository.backup(tmp_path / "foreign.sqlite3")
    for key in (*reversed(settings), "city"):
        office.store.repository.transact(lambda tx, key=key: tx.add(Setting(key=key, value="Theirs")), "set")
    office.store.repository.restore(foreign)
    with office.store.repository.read() as snapshot:
        assert {setting.key: setting.value for setting in snapshot.find_all(Setting)} == settings
    assert office.store.wrong() == []


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM store_facts WHERE name = 'roster'",
        "UPDATE store_facts SET value = 'x' WHERE name = 'roster'",
        "UPDATE user SET seal = 'x' WHERE id = 2",
    ],
)
def test_no_backup_whose_accounts_were_edited_locks_the_team_out(office: Office, tmp_path: Path, edit: str) -> None:
    office.add()
    office.add(BO, "staff")
    copy = backup(office, tmp_path)
    with closing(sqlite3.connect(copy)) as file:
        file.execute(edit)
        file.commit()
    with pytest.raises(RefusedError, match="without --accounts"):
        office.store.repository.restore(copy, accounts=True)
    assert gets_in(office, ANNA)


def test_a_store_without_accounts_gets_those_of_the_backup(office: Office, tmp_path: Path) -> None:
    with another("sqlite") as other:
        other.add()
        bo = other.add(BO, "staff")
        token = other.sign_in().token
        other.by_hand(bo, role="admin")
        copy = backup(other, tmp_path)
    office.store.repository.restore(copy)
    assert office.accounts.store.exist()
    assert office.accounts.sessions.find(token) is None
    assert office.sign_in()
    assert not gets_in(office, BO)


def test_an_edited_backup_gives_nobody_rights(office: Office, tmp_path: Path) -> None:
    office.add()
    office.add(BO, "staff")
    copy = backup(office, tmp_path)
    with closing(sqlite3.connect(copy)) as file:
        file.execute("UPDATE user SET role = 'admin' WHERE email = ?", (BO,))
        file.commit()
    office.store.repository.restore(copy, accounts=True)
    assert not gets_in(office, BO)
    assert gets_in(office, ANNA)


def test_a_restore_is_in_the_history_with_its_user(office: Office, tmp_path: Path) -> None:
    anna = office.add()
    copy = backup(office, tmp_path)

    def asked(snapshot: object) -> None:
        if hasattr(snapshot, "user"):
            snapshot.user, snapshot.user_id = "Anna", anna.id  # type: ignore[attr-defined]

    office.store.repository.restore(copy, asked)
    with office.store.repository.read() as snapshot:
        newest = snapshot.history(limit=1)[0]
    assert (newest.user, newest.user_id, newest.what) == ("Anna", anna.id, "restored backup.sqlite3")


def test_a_damaged_file_gets_the_accounts_of_the_backup(file_office: Office, tmp_path: Path) -> None:
    file_office.add()
    token = file_office.sign_in().token
    copy = backup(file_office, tmp_path)
    file_office.sign_in()
    file_office.store.close()
    (file_office.store.folder / "store.sqlite3").write_bytes(b"no database at all" * 100)
    repository = file_office.store.another()
    repository.keep_sealed(file_office.accounts.store.roster)
    repository.restore(copy)
    accounts = file_office.accounts.over(repository)
    assert accounts.sessions.find(token) is None
    assert accounts.authentication.sign_in(ANNA, PASSWORD)


@pytest.mark.parametrize("since", ["no account", "an account was closed", "nothing"])
def test_an_older_backup_over_a_damaged_file_gives_no_access(file_office: Office, tmp_path: Path, since: str) -> None:
    repository = file_office.store.repository
    with remembering(file_office, tmp_path / "remembered") as accounts:
        copy = backup(file_office, tmp_path)
        accounts.administration.add(email=ANNA, name="Anna", role="admin", password=PASSWORD)
        bo = accounts.administration.add(email=BO, name="Bo", role="staff", password=PASSWORD)[0]
        if since != "no account":
            copy = repository.backup(tmp_path / "later.sqlite3")
        if since == "an account was closed":
            accounts.administration.edit(bo, active=False)
        seals = repository._seals
    file_office.store.close()
    (file_office.store.folder / "store.sqlite3").write_bytes(b"no database at all" * 100)
    again = file_office.store.another()
    again.keep_sealed(seals)
    restored = again.restore(copy)
    assert restored.shut == (since != "nothing")
    accounts = accounts.over(again)
    assert gets_in(file_office, BO, accounts=accounts) == (since == "nothing")
    if restored.shut:
        with pytest.raises(StoreAccessError, match="users recover"):
            accounts.authentication.sign_in(ANNA, PASSWORD)
        new = accounts.recovery.recover(ANNA, "Anna").password
        assert accounts.authentication.sign_in(ANNA, new)
        assert not gets_in(file_office, BO, accounts=accounts)


# A whole store in another one


@contextmanager
def another(kind: str) -> Iterator[Office]:
    with _new_store(STORES[kind]) as store:
        made = Office(store)
        yield made
        made.attempts.close()


@pytest.mark.parametrize("kind", ["sqlite", "sheets"])
def test_a_copy_of_the_whole_store_has_its_accounts(office: Office, kind: str) -> None:
    office.add()
    bo = office.add(BO, "staff")
    cy = office.add("cy@example.com", "staff")
    office.by_hand(cy, role="admin")
    token = office.sign_in().token
    with another(kind) as other:
        other.store.repository.fill(office.store.repository.everything())
        assert other.accounts.store.exist()
        assert other.accounts.sessions.find(token) is None
        assert other.sign_in()
        assert other.sign_in(BO)
        assert not gets_in(other, "cy@example.com")
        # No row of one store is worth anything in the other.
        assert other.user(bo).seal != office.user(bo).seal
        assert office.accounts.sessions.find(token)


def test_an_edited_export_gives_no_access(file_office: Office) -> None:
    file_office.add()
    file_office.add(BO, "staff")
    items = [(name, json.loads(json.dumps(fields))) for name, fields in file_office.store.repository.everything()]
    (bo,) = (fields for name, fields in items if name == "user" and fields["email"] == BO)
    (roster,) = (fields for name, fields in items if name == "fact" and fields["name"] == ROSTER)
    for edit in ({"role": "admin"}, {"seal": "something else"}, {"id": 7}):
        known = dict(bo)
        bo.update(edit)
        with another("sqlite") as other:
            other.store.repository.fill(items)
            assert not gets_in(other, BO)
        bo.update(known)
    roster["value"] = ""
    with another("sqlite") as other:
        other.store.repository.fill(items)
        assert not gets_in(other, ANNA)
        with pytest.raises(StoreAccessError):
            other.accounts.store.exist()


def test_an_export_without_its_accounts_makes_no_open_store(file_office: Office) -> None:
    file_office.add()
    file_office.sign_in()
    gone = ("user", "sign_in", "transaction", "audit")
    items = [item for item in file_office.store.repository.everything() if item[0] not in gone]
    with another("sqlite") as other:
        other.store.repository.fill(items)
        with pytest.raises(StoreAccessError, match="users recover"):
            other.accounts.store.exist()


def test_accounts_of_another_secret_give_no_access_in_a_copy(file_office: Office) -> None:
    file_office.add()
    with _new_store(STORES["sqlite"]) as store:
        other = Office(store, "another secret that is long enough too")
        store.repository.fill(file_office.store.repository.everything())
        with pytest.raises(StoreAccessError):
            other.sign_in()
        other.attempts.close()


def test_restored_records_keep_their_owners_under_current_names(office: Office, tmp_path: Path) -> None:
    office.add()
    bo, cy = office.add(BO, "staff"), office.add("cy@example.com", "staff")
    before = [office.store.add(owner=user.name).id for user in (bo, cy)]
    copy = backup(office, tmp_path)
    office.accounts.administration.edit(bo, name="Bo Jones")
    office.accounts.administration.edit(cy, active=False)
    office.add("another@example.com", "staff", name="Bo")
    office.store.change(lambda tx: tx.change(tx.get(Client, before[0]), owner="Nobody"))
    office.store.repository.restore(copy)
    found = [office.store.client(number) for number in before]
    assert [(client.owner, client.owner_id) for client in found] == [("Bo Jones", bo.id), ("Cy", cy.id)]
    assert office.store.wrong() == []


def test_imported_records_belong_to_accounts_with_the_same_address_or_name(office: Office, tmp_path: Path) -> None:
    with _new_store(STORES["sqlite"]) as other:
        users = [("gone@example.com", "Gone"), (BO, "Bo B."), ("old@example.com", "Cy"), ("no@example.com", "No")]
        for email, name in users:
            user = User(email=email, name=name, role="staff", active=True)
            other.change(lambda tx, user=user: tx.add(user))
            other.add(owner=name)
        copy = other.repository.backup(tmp_path / "other.sqlite3")
    anna, cy, bo = office.add(), office.add("cy@example.com", "staff"), office.add(BO, "staff")
    office.store.repository.restore(copy)
    found = [office.store.client(number) for number in range(1, 5)]
    assert [(client.owner, client.owner_id) for client in found] == [
        ("Gone", 0),
        ("Bo", bo.id),
        ("Cy", cy.id),
        ("No", 0),
    ]
    assert anna.id == 1
