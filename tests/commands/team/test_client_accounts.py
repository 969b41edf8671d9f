"""Accounts of clients: each sees its own client only, and is deleted with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from crm.accounts import SignedIn
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.errors import FieldError, NotFoundError, Question, SignedOutError, SignInRefusedError
from crm.model import Client, User
from crm.repository import Query, tables
from tests.commands.conftest import Office
from tests.commands.test_every_store import _firm
from tests.conftest import STORES, _new_store
from tests.support.firm import Firm, outcome, result_text


@pytest.fixture(params=["sqlite", "sheets"])
def firm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Firm]:
    with _new_store(STORES[request.param]) as store:
        yield _firm(store, Office(tmp_path))


def account(firm: Firm) -> User:
    """The account of the client 'own', as it is now."""
    with firm.office.crm.read() as snapshot:
        return snapshot.get(User, firm.users["client"].id)


def let_in(firm: Firm) -> CRM:
    """The account of the client, signed in again."""
    password = run(firm, "users reset-password", account(firm)).password
    who = firm.office.crm.accounts.open().authentication.sign_in("client@example.com", password)
    assert isinstance(who, SignedIn)
    return firm.office.crm.enter(firm.office.crm, who)


def run(firm: Firm, words: str, *given: Any, **named: Any) -> Any:
    """The result of a command run by an admin."""
    return firm.office(words, *given, crm=firm.crms["admin"], **named)


def sees(firm: Firm, crm: CRM, client: Client) -> bool:
    try:
        return bool(firm.office("clients show", client, crm=crm))
    except NotFoundError:
        return False


def assert_out(firm: Firm) -> None:
    """The session that the client had is over, and so is the account."""
    with pytest.raises(SignedOutError):
        firm.office("profile show", crm=firm.crms["client"])
    with pytest.raises(SignInRefusedError):
        firm.office.crm.accounts.open().authentication.sign_in("client@example.com", firm.passwords["client"])


def test_a_merge_moves_the_client_account(firm: Firm) -> None:
    run(firm, "users add", "second@example.com", "Second", "client", client=firm.other)
    run(firm, "clients merge", firm.other, firm.own)
    with pytest.raises(SignedOutError):
        firm.office("profile show", crm=firm.crms["client"])
    assert account(firm).client == firm.other.id
    with firm.office.crm.read() as snapshot:
        theirs = snapshot.find_all(User, Query({"role": "client"}))
    assert [entry.client for entry in theirs] == [firm.other.id] * 2
    assert sees(firm, let_in(firm), firm.other)
    assert run(firm, "check").wrong == []


def test_undoing_a_merge_separates_the_accounts(firm: Firm) -> None:
    run(firm, "users add", "second@example.com", "Second", "client", client=firm.other)
    run(firm, "clients merge", firm.other, firm.own)
    theirs = let_in(firm)
    run(firm, "history undo", yes=True)
    with pytest.raises(SignedOutError):
        firm.office("clients show", firm.other, crm=theirs)
    again = let_in(firm)
    assert (sees(firm, again, firm.own), sees(firm, again, firm.other)) == (True, False)
    with firm.office.crm.read() as snapshot:
        second = snapshot.find_all(User, Query({"email": "second@example.com"}))[0]
    assert second.client == firm.other.id
    assert run(firm, "check").wrong == []


@pytest.mark.many
@pytest.mark.parametrize("words", ["clients delete", "clients delete-many"])
def test_deleting_a_client_closes_its_account(firm: Firm, words: str) -> None:
    whom = firm.own if words == "clients delete" else [firm.own]
    with pytest.raises(Question, match=r"The account client@example\.com is deactivated, and stays deactivated"):
        run(firm, words, whom)
    run(firm, words, whom, yes=True)
    assert not account(firm).active
    assert_out(firm)
    assert run(firm, "check").wrong == []
    # The client comes back, the rights do not.
    taken_back = run(firm, "history undo")
    assert "client@example.com" in taken_back.left_out
    assert firm.office.client(firm.own).id == firm.own.id
    assert_out(firm)
    run(firm, "users activate", [account(firm)])
    assert sees(firm, let_in(firm), firm.own)
    assert run(firm, "check").wrong == []


def test_all_closed_accounts_are_named(firm: Firm) -> None:
    for number in range(6):
        run(firm, "users add", f"{number}@example.com", f"Person {number}", "client", client=firm.own)
    with pytest.raises(Question, match=r"The accounts client@example\.com, .* and 2 more are deactivated"):
        run(firm, "clients delete", firm.own)


def test_undoing_an_added_client_closes_its_account(firm: Firm) -> None:
    added = run(firm, "clients add", {"last_name": "New"})
    number = firm.office("history list", 1)[0].id
    password = run(firm, "users add", "new@example.com", "New", "client", client=added).password
    who = firm.office.crm.accounts.open().authentication.sign_in("new@example.com", password)
    assert isinstance(who, SignedIn)
    run(firm, "history undo", number)
    with pytest.raises(SignedOutError):
        firm.office("profile show", crm=firm.office.crm.enter(firm.office.crm, who))


def test_an_account_of_a_deleted_client_is_found_and_can_be_closed(office: Office) -> None:
    firm = Firm(office)
    gone = firm.new()
    run(firm, "users edit", account(firm), client=gone)
    # As older versions of this program left it.
    lost = delete(tables.client).where(tables.client.c.id == gone.id)
    office.crm.repository.transact(lambda tx: tx.connection.execute(lost), "lost")
    (found,) = [finding for finding in run(firm, "check").wrong if finding.record == "user"]
    assert (found.record_id, f"client {gone.id}," in found.what) == (firm.users["client"].id, True)
    assert "users deactivate" in found.how_to_mend
    with pytest.raises(FieldError, match="say whose account it is now, or deactivate it"):
        run(firm, "users edit", account(firm), name="Another")
    run(firm, "users deactivate", [account(firm)])
    assert_out(firm)
    assert not [finding for finding in run(firm, "check").wrong if finding.record == "user"]
    with pytest.raises(FieldError, match="say whose account it is now"):
        run(firm, "users activate", [account(firm)])
    run(firm, "users edit", account(firm), client=firm.other)
    run(firm, "users activate", [account(firm)])
    assert sees(firm, let_in(firm), firm.other)


@pytest.mark.parametrize(
    ("existing", "missing"),
    [
        ("Admin Person", "Nobody Person"), ("STAFF  person", "NOBODY  person"),
        ("admin@example.com", "nobody@example.com"), ("Olga Own", "Olga Nobody"),
    ],
)  # fmt: skip
def test_a_client_cannot_guess_names_of_the_team(office: Office, existing: str, missing: str) -> None:
    firm = Firm(office)
    answers = []
    for name in (existing, missing):
        answer = result_text(outcome(named("profile edit"), firm.crms["client"], {"name": name}))
        answers.append(answer.replace(name, "…").replace(" ".join(name.split()), "…"))
    assert answers[0] == answers[1]


def test_the_name_of_a_client_does_not_block_a_team_member(office: Office) -> None:
    firm = Firm(office)
    run(firm, "users deactivate", [firm.users["staff"]])
    named("profile edit")(firm.crms["client"], name="Staff Person")
    with office.crm.read() as snapshot:
        staff = snapshot.get(User, firm.users["staff"].id)
    assert run(firm, "users activate", [staff])[0].active


def test_a_restore_reports_how_many_client_accounts_are_closed(firm: Firm) -> None:
    copy = firm.office("backup").file
    new = firm.office.add(first_name="New")
    added = {"email": "new@example.com", "name": "New", "role": "client", "client": new.id}
    firm.office.crm.accounts.open().administration.add(**added, password="seven green umbrellas")
    assert "1 client account was deactivated" in firm.office("restore", copy, yes=True).done
