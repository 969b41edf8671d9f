"""API keys for unattended commands: what they may do, how they end, and that a revoked key stays revoked."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from crm.accounts import KeyHolder, roster
from crm.accounts.machine_keys import reader_by
from crm.errors import FieldError, RefusedError, SignedOutError, SignInRefusedError, StoreAccessError
from crm.model import Client, MachineKey, User
from crm.repository import tables
from tests.accounts.conftest import Office
from tests.conftest import STORES, _new_store
from tests.support.clocks import TODAY


def made(office: Office, name: str = "nightly mail", may: str = "mail", **settings: Any) -> tuple[MachineKey, str]:
    """A key that Anna has made, who has an account from then on."""
    with office.store.repository.read() as snapshot:
        anna = next(iter(snapshot.find_all(User)), None)
    return office.acting(anna or office.add()).machine_keys.add(name, may, **settings)


def holds(office: Office, token: str) -> bool:
    try:
        return bool(office.accounts.machine_keys.find(token))
    except (SignInRefusedError, StoreAccessError):
        return False


def rows(office: Office) -> list[dict[str, Any]]:
    with office.store.repository.read() as snapshot:
        return [dict(row._mapping) for row in snapshot.select(select(tables.key))]


def test_a_key_is_shown_once_and_its_digest_alone_is_kept(office: Office) -> None:
    key, token = made(office, expires_on=TODAY + timedelta(days=30))
    assert len(token) > 40
    assert office.accounts.machine_keys.find(token) == KeyHolder(key.id, "nightly mail", "mail")
    (row,) = rows(office)
    assert (row["name"], row["may"], row["user"]) == ("nightly mail", "mail", "Anna")
    assert token not in repr(list(office.store.repository.everything()))
    assert len({token, made(office, "another")[1]}) == 2


@pytest.mark.parametrize("text", ["", "crm_key_", "crm_key_" + "x" * 43, "x" * 10_000, "crm_key_ü", "1.1.x", "\0"])
def test_an_invalid_key_is_refused(file_office: Office, text: str) -> None:
    made(file_office)
    with pytest.raises(SignInRefusedError, match="was revoked, or was made for other data"):
        file_office.accounts.machine_keys.find(text)


def test_a_digest_or_a_session_token_is_refused_as_a_key(file_office: Office) -> None:
    made(file_office)
    session = file_office.sign_in().token
    for text in (rows(file_office)[0]["token"], session, f"crm_key_{session}"):
        assert not holds(file_office, text)


def test_a_key_that_is_revoked_or_has_expired_ends_at_once(office: Office) -> None:
    key, token = made(office, expires_on=TODAY)
    holder = office.accounts.machine_keys.find(token)
    reader = reader_by(holder)
    keys = office.accounts.machine_keys

    def verified(_: Any = None) -> None:
        with office.store.repository.read() as snapshot:
            assert keys.verify(snapshot, holder, reader) == reader

    verified()
    keys.revoke(key)
    with pytest.raises(SignedOutError, match="The key “nightly mail” was revoked"):
        verified()
    assert not holds(office, token)
    # In the transaction that writes, too.
    with pytest.raises(SignedOutError):
        office.store.change(lambda tx: keys.verify(tx, holder, reader), "wrote")
    # The name is free again, for the key that takes its place; the old one stays revoked.
    assert holds(office, made(office)[1])
    assert not holds(office, token)


def test_a_key_works_until_the_end_of_its_last_day(file_office: Office) -> None:
    _, token = made(file_office, expires_on=TODAY + timedelta(days=1))
    for passed, works in ((0, True), (1, True), (2, False)):
        file_office.store.today = TODAY + timedelta(days=passed)
        assert holds(file_office, token) is works, passed
    with pytest.raises(SignInRefusedError, match="“nightly mail” has expired"):
        file_office.accounts.machine_keys.find(token)


@pytest.mark.parametrize(
    "settings",
    [
        {"name": " "},
        {"may": ""},
        {"may": "everything"},
        {"expires_on": TODAY - timedelta(days=1)},
        {"name": "NIGHTLY mail"},
    ],
)
def test_invalid_settings_of_a_key_are_refused(file_office: Office, settings: dict[str, Any]) -> None:
    made(file_office)
    with pytest.raises(FieldError):
        made(file_office, **{"name": "another", **settings})
    assert len(rows(file_office)) == 1


def test_a_store_without_accounts_has_no_keys(file_office: Office) -> None:
    with pytest.raises(RefusedError, match="no accounts"):
        file_office.accounts.machine_keys.add("nightly", "mail")
    file_office.accounts.administration.add_named("Cleo")
    with pytest.raises(RefusedError, match="no accounts"):
        file_office.accounts.machine_keys.add("nightly", "mail")
    with pytest.raises(SignInRefusedError, match="no accounts"):
        file_office.accounts.machine_keys.find("crm_key_x")
    assert rows(file_office) == []


def test_a_restored_or_edited_row_revives_no_key(office: Office) -> None:
    key, token = made(office)
    old = rows(office)
    office.accounts.machine_keys.revoke(key)

    def put(records: list[dict[str, Any]]) -> None:
        def change(tx: Any) -> None:
            tx.connection.execute(delete(tables.key))
            tx.connection.execute(insert(tables.key), records)

        office.store.change(change, "past the program")

    put(old)
    assert not holds(office, token)
    # Nor does the next transaction on accounts make it good.
    with suppress(StoreAccessError):
        office.add("cy@example.com", "staff")
    assert not holds(office, token)


@pytest.mark.parametrize(
    "edited",
    [{"may": "mail+backup"}, {"expires_on": None}, {"name": "another"}, {"token": "0" * 64}, {"id": 9}, {"user_id": 2}],
)
def test_an_edited_key_is_refused(file_office: Office, edited: dict[str, Any]) -> None:
    _, token = made(file_office, expires_on=TODAY + timedelta(days=1))
    file_office.store.change(lambda tx: tx.connection.execute(update(tables.key).values(**edited)), "past the program")
    assert not holds(file_office, token)


def test_making_a_key_is_in_the_history_and_cannot_be_undone(office: Office) -> None:
    key, token = made(office)
    office.accounts.machine_keys.find(token)
    office.accounts.machine_keys.find(token)
    office.accounts.machine_keys.revoke(key)
    done = [what for _, what in office.history()]
    assert done[:3] == [
        "revoked the key nightly mail",
        "used the key",
        "created the key nightly mail (send and fetch mail and texts)",
    ]
    assert office.history()[1] == ("nightly mail (key)", "used the key")
    with office.store.repository.read() as snapshot:
        revoked = snapshot.history(limit=1)[0].id
    for undone in (revoked, revoked - 2):
        with pytest.raises(RefusedError, match="accounts"):
            office.store.change(lambda tx, undone=undone: tx.undo(undone), "undid")  # type: ignore[misc]
    assert not holds(office, token)


@pytest.mark.parametrize(
    ("lost", "back"),
    [
        ({"active": False}, {"active": True}),
        ({"role": "staff"}, {"role": "admin"}),
        ({"role": "client", "client": 1}, {"role": "admin", "client": 0}),
    ],
)
def test_a_key_has_no_more_rights_than_its_maker_has_now(
    file_office: Office, lost: dict[str, Any], back: dict[str, Any]
) -> None:
    key, token = made(file_office)
    file_office.add("bo@example.com")
    file_office.store.change(lambda tx: tx.add(Client(last_name="Arm")), "added a client")
    keys, managed = file_office.accounts.machine_keys, file_office.accounts.administration
    holder = keys.find(token)
    managed.edit(file_office.user(1), **lost)
    assert keys.stopped() == {key.id}
    with pytest.raises(
        SignInRefusedError, match="“nightly mail” does not work any more: the person who made it is no longer an active"
    ):
        keys.find(token)
    # In the middle of a run, too.
    with pytest.raises(SignedOutError, match=r"“nightly mail” stopped working.*Nothing was changed"):
        file_office.store.change(lambda tx: keys.verify(tx, holder, reader_by(holder)), "wrote")
    managed.edit(file_office.user(1), **back)
    assert (keys.stopped(), holds(file_office, token)) == (frozenset(), True)


def test_a_key_stops_when_its_makers_account_is_edited_or_removed_by_hand(file_office: Office) -> None:
    _, token = made(file_office)
    file_office.add("bo@example.com")
    changed = update(tables.user).where(tables.user.c.id == 1)
    file_office.store.change(lambda tx: tx.connection.execute(changed.values(name="Else")), "past the program")
    with pytest.raises(SignInRefusedError, match="does not work any more"):
        file_office.accounts.machine_keys.find(token)
    file_office.accounts.administration.vouch(file_office.user(1), role="staff")
    assert not holds(file_office, token)
    gone = delete(tables.user).where(tables.user.c.id == 1)
    file_office.store.change(lambda tx: tx.connection.execute(gone), "past the program")
    assert not holds(file_office, token)


def test_a_key_of_an_older_version_goes_on_working(file_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    _, bound_before = roster._bound()
    with monkeypatch.context() as before:
        before.setattr(roster, "_bound", lambda: [bound_before])
        _, token = made(file_office)
    assert holds(file_office, token)
    file_office.add("bo@example.com")
    assert holds(file_office, token)
    file_office.store.change(lambda tx: tx.connection.execute(update(tables.key).values(user_id=2)), "past the program")
    assert not holds(file_office, token)


def test_no_account_can_have_the_name_of_a_key(file_office: Office) -> None:
    made(file_office)
    for name in ("nightly mail (key)", "Nightly  Mail (KEY)", "Else (key)"):
        with pytest.raises(FieldError, match="keys"):
            file_office.add("bo@example.com", "staff", name=name)
    assert file_office.add("bo@example.com", "staff", name="Key Bo").name == "Key Bo"


def test_recovery_of_damaged_accounts_revokes_every_key(file_office: Office) -> None:
    _, token = made(file_office)
    file_office.accounts.recovery.recover("anna@example.com")
    assert holds(file_office, token)
    file_office.store.change(lambda tx: tx.connection.execute(update(tables.sign_in).values(state="x")), "harmless")
    file_office.store.change(lambda tx: tx.connection.execute(update(tables.user).values(seal="x")), "damaged")
    file_office.accounts.recovery.recover("anna@example.com")
    assert rows(file_office) == []
    assert not holds(file_office, token)


def test_a_restored_backup_revives_no_revoked_key(office: Office) -> None:
    key, revoked = made(office)
    backup = office.store.repository.backup(office.store.folder / "before.sqlite3")
    office.accounts.machine_keys.revoke(key)
    _, kept = made(office, "later")
    office.store.repository.restore(backup)
    assert (holds(office, revoked), holds(office, kept)) == (False, True)
    office.store.repository.restore(backup, accounts=True)
    assert (holds(office, revoked), holds(office, kept)) == (False, False)
    assert rows(office) == []


def test_a_copy_of_the_whole_store_has_no_keys(file_office: Office) -> None:
    _, token = made(file_office)
    with _new_store(STORES["sqlite"]) as store:
        other = Office(store)
        store.repository.fill(file_office.store.repository.everything())
        assert other.sign_in()
        with store.repository.read() as snapshot:
            assert snapshot.count(MachineKey) == 0
        assert not holds(other, token)
        other.attempts.close()
