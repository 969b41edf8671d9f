"""Account management: who has an account, who may manage accounts, the history of it, and undo."""

import dataclasses
from functools import partial
from typing import Any

import pytest

from crm.errors import ConflictError, CRMError, FieldError, NotFoundError, RefusedError, SignInRefusedError
from crm.model import Client, Sale, User
from tests.accounts.conftest import PASSWORD, Office


def test_the_first_account_is_an_admins(office: Office) -> None:
    with pytest.raises(RefusedError, match="first account"):
        office.add(role="staff")
    assert not office.accounts.store.exist()
    office.add()
    office.add("bo@example.com", "staff")
    assert office.history()[0] == ("anna", "added the account of Bo (staff)")


def test_only_an_admin_can_be_confirmed_as_the_first_account(file_office: Office) -> None:
    bo = file_office.accounts.administration.add_named("Bo", email="bo@example.com")
    with pytest.raises(RefusedError, match="first account"):
        file_office.accounts.administration.vouch(bo, role="staff")
    assert not file_office.accounts.store.exist()
    anna = file_office.add()
    with pytest.raises(RefusedError, match="must be an admin"):
        file_office.accounts.administration.vouch(anna, role="staff")
    assert file_office.user(anna).role == "admin"
    assert file_office.sign_in()


def test_an_impossible_account_is_refused(file_office: Office) -> None:
    file_office.add()
    client = file_office.store.add()
    refused: tuple[dict[str, Any], ...] = (
        {"email": "no address"},
        {"email": ""},
        {"email": "bo@example.com", "role": "owner"},
        {"email": "bo@example.com", "role": ""},
        {"email": "bo@example.com", "role": "client"},
        {"email": "bo@example.com", "role": "staff", "client": client.id},
        {"email": "bo@example.com", "role": "client", "client": 999},
        {"email": "bo@example.com", "role": "staff", "phone": "not a number"},
        {"email": "ANNA@example.com", "role": "staff"},
    )
    for given in refused:
        with pytest.raises((FieldError, NotFoundError, RefusedError)):
            file_office.add(**{"role": "staff", **given})
    assert list(file_office.store.everything()[User]) == [1]
    assert file_office.add("cy@example.com", "client", client=client.id).client == client.id


def test_a_weak_password_makes_no_account(file_office: Office) -> None:
    with pytest.raises(FieldError):
        file_office.accounts.administration.add(
            email="anna@example.com", name="Anna", role="admin", password="password123"
        )
    assert not file_office.accounts.store.exist()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"role": "admin"}, "gave Bo the role admin"),
        ({"active": False}, "deactivated the account of Bo"),
        ({"email": "bo@example.org", "phone": "+436641234567"}, "changed the account of Bo: e-mail, phone"),
    ],
)
def test_an_admin_changes_an_account(office: Office, changes: dict[str, object], what: str) -> None:
    anna = office.add()
    bo = office.add("bo@example.com", "staff")
    token = office.sign_in("bo@example.com").token
    changed = office.acting(anna).administration.edit(bo, **changes)
    assert {name: getattr(changed, name) for name in changes} == changes
    assert office.history()[0] == ("Anna", what)
    assert list(office.accounts.store.seal_findings()) == []
    assert (office.accounts.sessions.find(token) is not None) == ("email" in changes)


def test_a_reactivated_user_can_sign_in_again(office: Office) -> None:
    office.add()
    bo = office.add("bo@example.com", "staff")
    office.accounts.administration.edit(office.accounts.administration.edit(bo, active=False), active=True)
    assert office.sign_in("bo@example.com")


def test_the_last_admin_cannot_be_removed(office: Office) -> None:
    anna = office.add()
    bo = office.add("bo@example.com", "admin")
    office.by_hand(office.add("cy@example.com", "staff"), role="admin")
    office.accounts.administration.edit(bo, role="staff")
    for changes in ({"active": False}, {"role": "staff"}):
        with pytest.raises(RefusedError, match="last admin"):
            office.accounts.administration.edit(anna, **changes)
    assert office.user(anna).role == "admin"
    assert office.sign_in()


def test_a_user_shown_without_secrets_can_be_changed(office: Office) -> None:
    office.add()
    bo = office.add("bo@example.com", "staff")
    shown = dataclasses.replace(office.user(bo), password="", second_factor="", seal="")
    office.accounts.administration.edit(shown, name="Bo Huber")
    assert office.sign_in("bo@example.com").name == "Bo Huber"


def test_two_admins_editing_one_account_get_a_conflict(office: Office) -> None:
    office.add()
    bo = office.add("bo@example.com", "staff")
    office.accounts.administration.edit(bo, name="Bo Huber", role="admin")
    office.accounts.administration.edit(bo, phone="+436641234567")
    with pytest.raises(ConflictError):
        office.accounts.administration.edit(bo, name="Bob")
    now = office.user(bo)
    assert (now.name, now.role, now.phone) == ("Bo Huber", "admin", "+436641234567")
    assert list(office.accounts.store.seal_findings()) == []


def test_nobody_can_raise_their_own_role(file_office: Office) -> None:
    file_office.add()
    bo = file_office.add("bo@example.com", "staff")
    assert (
        file_office.accounts.administration.edit_profile(bo.id, name="Bo Huber", phone="+436641234567").name
        == "Bo Huber"
    )
    for changes in ({"role": "admin"}, {"active": True}, {"email": "anna@example.org"}, {"password": "x"}):
        with pytest.raises(RefusedError):
            file_office.accounts.administration.edit_profile(bo.id, **changes)
    with pytest.raises(FieldError):
        file_office.accounts.administration.edit(bo, password="x")


# An account that was edited past the program


def test_confirming_an_account_edited_by_hand_names_its_rights(office: Office) -> None:
    office.add()
    bo = office.add("bo@example.com", "staff")
    office.with_app(bo)
    office.by_hand(bo, role="admin")
    shown = office.user(bo)
    for changes in ({"name": "Bo Huber"}, {"active": True}):
        with pytest.raises(RefusedError, match="outside this program"):
            office.accounts.administration.edit(shown, **changes)
    with pytest.raises(RefusedError, match="outside this program"):
        office.accounts.administration.edit_profile(bo.id, name="Bo Huber")
    (finding,) = office.accounts.store.seal_findings()
    assert finding.wrong
    assert "bo@example.com" in finding.what
    one_time = office.accounts.administration.vouch(shown, role="staff")
    assert list(office.accounts.store.seal_findings()) == []
    # What let in before may have been put there by somebody else.
    with pytest.raises(SignInRefusedError):
        office.sign_in("bo@example.com")
    signed_in = office.sign_in("bo@example.com", one_time)
    assert (signed_in.role, signed_in.must_change) == ("staff", True)


def test_an_account_typed_by_hand_gives_no_access_until_confirmed(office: Office) -> None:
    office.add()
    eve = office.store.change(lambda tx: tx.add(User(email="eve@example.com", role="admin", active=True)), "by hand")
    (finding,) = office.accounts.store.seal_findings()
    assert not finding.wrong
    assert office.accounts.store.exist()
    for password in ("", PASSWORD):
        with pytest.raises(SignInRefusedError):
            office.sign_in("eve@example.com", password)
    one_time = office.accounts.administration.vouch(eve, role="staff")
    assert office.sign_in("eve@example.com", one_time).role == "staff"


# Undo


def _undo(number: int, tx: Any) -> None:
    tx.undo(number)


def test_changes_of_accounts_cannot_be_undone(office: Office) -> None:
    office.add()
    bo = office.add("bo@example.com", "staff")
    office.accounts.administration.edit(bo, active=False)
    with office.store.repository.read() as snapshot:
        numbers = [entry.id for entry in snapshot.history()]
    for number in numbers:
        with pytest.raises(RefusedError, match="cannot be undone"):
            office.store.change(partial(_undo, number))
    assert not office.user(bo).active


def test_undo_skips_changes_of_accounts(office: Office) -> None:
    office.add()
    with pytest.raises(CRMError, match="Nothing of yours to undo"):
        office.store.change(lambda tx: tx.undo())
    client = office.store.add()
    office.store.sell(client, "10")
    office.sign_in()
    assert office.store.change(lambda tx: tx.undo()).what == "recorded a sale"
    assert list(office.store.everything()[Sale]) == []
    assert len(office.sign_ins()) == 1


def test_undo_of_a_mixed_change_leaves_accounts_alone(office: Office) -> None:
    anna = office.add()

    def change(tx: Any) -> None:
        tx.add(Client(kind="person", last_name="Berg"))
        tx.change(tx.get(User, anna.id), phone="+436641234567")

    office.store.change(change, "both")
    office.sign_in()
    office.store.change(lambda tx: tx.undo(), "undo")
    assert list(office.store.everything()[Client]) == []
    assert office.user(anna).phone == "+436641234567"
    assert office.sign_in()
