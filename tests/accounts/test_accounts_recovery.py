"""Recovery of access by the owner of a store, whatever has happened to its accounts."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, update

from crm.errors import FieldError, RefusedError, SignInRefusedError, StoreAccessError
from crm.model import Client, SignIn, User
from crm.repository import ROSTER, tables
from tests.accounts.conftest import PASSWORD, Office
from tests.accounts.test_accounts_roster import ANNA, BO, gets_in, put, rows, set_fact

CY = "cy@example.com"


def test_recovery_with_valid_accounts_changes_only_one(office: Office) -> None:
    office.add()
    bo = office.add(BO, "staff")
    office.with_app(bo)
    anna, bos = office.sign_in().token, rows(office, SignIn)
    assert bos
    done = office.accounts.recovery.recover("  BO@example.com ")
    assert (done.held, done.deactivated, done.unsealed, done.user.id) == (True, 0, 0, bo.id)
    assert office.accounts.sessions.find(anna)
    assert office.sign_in()
    # The old password and the second factor are worth nothing.
    with pytest.raises(SignInRefusedError):
        office.sign_in(BO)
    signed_in = office.sign_in(BO, done.password)
    assert (signed_in.role, signed_in.must_change) == ("admin", True)
    assert ("anna", "recovered the account of bo@example.com on the machine itself (admin)") in office.history()
    assert list(office.accounts.store.seal_findings()) == []


def no_roster(office: Office) -> None:
    set_fact(office, ROSTER, "")


def old_rows(office: Office) -> None:
    """A demoted admin's old row."""
    old = rows(office, User)
    office.accounts.administration.edit(office.user(2), role="staff")
    put(office, User, old)


def another_session(office: Office) -> None:
    office.store.change(
        lambda tx: tx.connection.execute(update(tables.sign_in).values(state="open", token="a" * 64)), "by hand"
    )


def a_forged_row(office: Office) -> None:
    office.by_hand(office.user(2), role="admin", seal="", name="Anna")


@pytest.mark.parametrize("damage", [no_roster, old_rows, another_session, a_forged_row])
def test_recovery_with_invalid_accounts_makes_the_others_wait_for_an_admin(
    file_office: Office, damage: Callable[[Office], None]
) -> None:
    office = file_office
    office.add()
    office.add(BO, "admin")
    token = office.sign_in().token
    office.accounts.sessions.end_all(1)
    live = office.sign_in(BO).token
    damage(office)
    with pytest.raises(StoreAccessError):
        office.sign_in()
    done = office.accounts.recovery.recover(CY, "Cy")
    assert (done.held, done.deactivated + done.unsealed) == (False, 2)
    assert done.unsealed == (damage is a_forged_row)
    for secret in (token, live):
        assert office.accounts.sessions.find(secret) is None
    for email in (ANNA, BO):
        assert not gets_in(office, email)
    assert office.sign_in(CY, done.password).name == "Cy"
    office.accounts.administration.edit(office.user(1), active=True)
    assert office.sign_in()
    if done.unsealed:
        assert [finding.record_id for finding in office.accounts.store.seal_findings()] == [2]
        with pytest.raises(FieldError, match="another Anna"):
            office.accounts.administration.vouch(office.user(2), role="staff")
        office.accounts.administration.vouch(office.user(2), role="staff", name="Bo")
    assert list(office.accounts.store.seal_findings()) == []
    assert office.store.wrong() == []


def test_recovery_works_if_all_accounts_are_gone(file_office: Office) -> None:
    office = file_office
    office.add()
    office.sign_in()
    office.store.change(lambda tx: tx.connection.execute(delete(tables.user)), "by hand")
    with pytest.raises(StoreAccessError):
        office.accounts.store.exist()
    done = office.accounts.recovery.recover(CY, "Cy")
    assert office.sign_in(CY, done.password).name == "Cy"


@pytest.mark.parametrize("revision", ["9" * 5000, "9" * 18, "9" * 4300, str(10**15)])
def test_no_edited_revision_locks_the_owner_out(file_office: Office, revision: str) -> None:
    office = file_office
    office.add()
    with office.store.repository.read() as snapshot:
        mark, _, _ = snapshot.fact(ROSTER).partition("/")
    for _ in range(2):
        office.store.change(lambda tx: tx.put_fact(ROSTER, f"{mark}/{revision}-x"), "by hand")
        with pytest.raises(StoreAccessError):
            office.sign_in()
        done = office.accounts.recovery.recover(ANNA)
        assert not done.held
        assert office.sign_in(ANNA, done.password)


def test_with_another_secret_every_password_is_reset(file_office: Office) -> None:
    office = file_office
    office.add()
    bo = office.add(BO, "staff")
    office.store._opened[0]._seals = None
    other = office.another(secret="another secret that is long enough too")
    office.store.repository.keep_sealed(other.store.roster)
    done = other.recovery.recover(ANNA)
    assert (done.held, done.deactivated, done.unsealed) == (False, 0, 1)
    assert other.authentication.sign_in(ANNA, done.password)
    with pytest.raises(SignInRefusedError):
        other.authentication.sign_in(BO, PASSWORD)
    one_time = other.administration.vouch(office.user(bo), role="staff")
    assert other.authentication.sign_in(BO, one_time)


def test_an_account_that_cannot_be_recovered_is_reported(file_office: Office) -> None:
    with pytest.raises(RefusedError, match="no accounts"):
        file_office.accounts.recovery.recover(ANNA)
    file_office.add()
    with pytest.raises(FieldError):
        file_office.accounts.recovery.recover("nobody")


@pytest.mark.parametrize("damage", [None, no_roster])
def test_recovery_of_a_mistyped_address_makes_no_admin(
    file_office: Office, damage: Callable[[Office], None] | None
) -> None:
    office = file_office
    office.add()
    if damage:
        damage(office)
    before = rows(office, User)
    for mistyped in (office.accounts.recovery.recover, office.accounts.recovery.before_recovery):
        with pytest.raises(FieldError, match=r"no account anne@example\.com"):
            mistyped("anne@example.com")
    assert rows(office, User) == before
    # Whoever says who it is means it.
    assert office.accounts.recovery.before_recovery("anne@example.com", "Anne")[1] is False
    assert office.accounts.recovery.recover("anne@example.com", "Anne").user.name == "Anne"
    assert office.accounts.recovery.before_recovery("anne@example.com")[1] is True


@pytest.mark.parametrize("name", ["Anna", "\u0410nna", "\u202eAnna", "CRM"])
def test_recovery_checks_the_name(file_office: Office, name: str) -> None:
    office = file_office
    office.add()
    office.add(BO, "staff")
    before = rows(office, User)
    for email in (BO, CY):
        with pytest.raises(FieldError):
            office.accounts.recovery.recover(email, name)
    assert rows(office, User) == before


def test_records_of_a_recovered_account_get_its_new_name(file_office: Office) -> None:
    office = file_office
    office.add()
    bo = office.add(BO, "staff")
    client = office.store.change(lambda tx: tx.add(Client(last_name="Tall", owner="Bo")), "added")
    assert client.owner_id == bo.id
    assert office.accounts.recovery.recover(BO, "Bo Jones").user.name == "Bo Jones"
    with office.store.repository.read() as snapshot:
        assert snapshot.get(Client, client.id).owner == "Bo Jones"


def test_recovery_notifies_the_other_admins(file_office: Office) -> None:
    file_office.add()
    file_office.add(BO, "admin")
    file_office.add(CY, "staff")
    file_office.accounts.recovery.recover("dee@example.com", "Dee")
    file_office.accounts._notifications.finish()
    assert sorted(to for to, _, _ in file_office.mailbox.letters) == [ANNA, BO]
    assert all("dee@example.com" in text for _, _, text in file_office.mailbox.letters)
