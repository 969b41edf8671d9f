"""People of the team: who they are, what stands under each name, and names that change."""

from datetime import date
from typing import Any

import pytest

from crm.accounts import SignedIn
from crm.commands.context import CRM, has_accounts
from crm.commands.people import names, of_whom, spelled
from crm.errors import FieldError, RefusedError, SignInRefusedError
from crm.model import Client, Deal, FollowUp, User
from crm.repository import Query
from tests.commands.conftest import Office
from tests.support.clocks import TODAY


def put(office: Office, record: Any) -> Any:
    return office.crm.transact(lambda tx: tx.add(record), "put there by a test")


def owners(office: Office) -> dict[str, list[str]]:
    """Whose what is, by kind of record."""
    with office.crm.read() as snapshot:
        return {
            "clients": [each.owner for each in snapshot.find_all(Client, Query(sort="id"))],
            "deals": [each.owner for each in snapshot.find_all(Deal, Query(sort="id"))],
            "follow-ups": [each.user for each in snapshot.find_all(FollowUp, Query(sort="id"))],
        }


@pytest.fixture
def team(office: Office) -> Office:
    """An office of an admin and Bo, with something under Bo's name, in whatever case, and under that of others."""
    office("users add", "ada@example.com", "Ada Admin", "admin")
    office("users add", "bo@example.com", "Bo", "staff")
    client = office.add(owner="Bo")
    office.add(owner="bo")
    office.add(owner="Cy")
    office.add()
    for owner in ("BO", "Cy"):
        put(office, Deal(client=client.id, title="Deal", owner=owner))
    office("users add", "client@example.com", "A Client", "client", client=client)
    for day, who, done in ((1, "Bo", None), (25, "Bo", None), (2, "Bo", TODAY), (3, "Dee", None)):
        put(office, FollowUp(client=client.id, user=who, due_on=date(2026, 11, day), what="Call", done_on=done))
    return office


def user(office: Office, email: str) -> User:
    with office.crm.read() as snapshot:
        return snapshot.find_all(User, Query({"email": email}))[0]


def signed_in(office: Office, email: str) -> CRM:
    password = office("users reset-password", user(office, email)).password
    who = office.crm.accounts.open().sign_in(email, password, device="of a test")
    assert isinstance(who, SignedIn)
    return office.crm.enter(office.crm, who)


def test_everybody_who_stands_somewhere_is_listed_with_what_waits(team: Office) -> None:
    found = {each.name: each for each in team("people list")}
    assert list(found) == ["Ada Admin", "Bo", "Cy", "Dee"]
    bo = found["Bo"]
    assert (bo.role, bo.email, bo.follow_ups, bo.overdue, bo.deals, bo.clients) == (
        "staff", "bo@example.com", 2, 1, 1, 2,
    )  # fmt: skip
    assert (found["Cy"].role, found["Cy"].deals, found["Cy"].clients) == ("", 1, 1)
    assert (found["Dee"].follow_ups, found["Dee"].overdue) == (1, 1)
    # Who is gone is listed as long as something stands under the name.
    team("users deactivate", user(team, "bo@example.com"))
    assert {each.name: each.role for each in team("people list")}["Bo"] == ""


def test_names_are_known_in_one_spelling(team: Office) -> None:
    with team.crm.read() as snapshot:
        assert names(snapshot) == ["Ada Admin", "Bo", "Cy", "Dee"]
        assert [spelled(snapshot, each) for each in ("BO", "dee", "New One", "")] == ["Bo", "Dee", "New One", ""]


def test_mine_and_somebodys_do_not_go_together(office: Office) -> None:
    assert [of_whom(office.crm, *given) for given in ((False, ""), (True, ""), (False, "Bo"), (True, "ANNA"))] == [
        "", "anna", "Bo", "anna",
    ]  # fmt: skip
    with pytest.raises(FieldError) as error:
        of_whom(office.crm, True, "Bo", field="owner", label="Owner")
    assert error.value.field == "owner"


def test_a_new_name_is_carried_over_in_the_same_step(team: Office) -> None:
    team("users edit", user(team, "bo@example.com"), name="Bo Jones")
    assert owners(team) == {
        "clients": ["Bo Jones", "Bo Jones", "Cy", ""],
        "deals": ["Bo Jones", "Cy"],
        # What is done was done by Bo.
        "follow-ups": ["Bo Jones", "Bo Jones", "Bo", "Dee"],
    }
    assert team.is_sound()
    # What was done to accounts is not taken back, and so what came of it is not either: another name is.
    with pytest.raises(RefusedError):
        team("history undo", team("history list", 1)[0].id)
    team("users edit", user(team, "bo@example.com"), name="Bo")
    assert owners(team)["clients"] == ["Bo", "Bo", "Cy", ""]


def test_a_name_that_only_changes_its_case_is_carried_over_too(team: Office) -> None:
    team("users edit", user(team, "bo@example.com"), name="BO")
    assert owners(team)["clients"][:2] == ["BO", "BO"]


def test_whoever_has_no_name_stands_in_records_by_the_address(team: Office) -> None:
    team("users edit", user(team, "bo@example.com"), name="")
    assert owners(team)["deals"] == ["bo@example.com", "Cy"]
    team("users edit", user(team, "bo@example.com"), email="bo@example.org")
    assert owners(team)["deals"] == ["bo@example.org", "Cy"]


def test_a_change_of_something_else_carries_nothing_over(team: Office) -> None:
    before = owners(team)
    team("users edit", user(team, "bo@example.com"), phone="+436641234567", role="admin")
    team("users edit", user(team, "client@example.com"), name="Cy Client")
    assert owners(team) == before


def test_my_own_new_name_holds_at_once_in_every_session(team: Office) -> None:
    there = signed_in(team, "bo@example.com")
    assert there.me == "Bo"
    team("profile edit", name="Bo Jones", crm=there)
    assert there.me == "Bo Jones"
    assert owners(team)["clients"][0] == "Bo Jones"
    added = team("follow-ups add", team.client(1), "Call", due=TODAY, crm=there)
    assert added.follow_up.user == "Bo Jones"
    assert team("history list", 1)[0].user == "Bo Jones"
    assert team("follow-ups list", mine=True, crm=there).count == 3
    # Somebody else gives another one: it holds from the next look on.
    team("users edit", user(team, "bo@example.com"), name="Bo J.")
    with there.read():
        assert there.me == "Bo J."
    assert team("follow-ups list", mine=True, crm=there).count == 3


def test_two_people_of_the_team_are_not_called_the_same(team: Office) -> None:
    bo, ada = user(team, "bo@example.com"), user(team, "ada@example.com")
    before = team.everything()
    for words, given in (
        ("users add", {"email": "new@example.com", "name": "ADA  admin"}),
        ("users edit", {"user": bo, "name": "ada admin"}),
        ("users add", {"email": "other@example.com", "name": "Bo", "role": "client", "client": team.client(3)}),
    ):
        with pytest.raises(FieldError) as error:
            team(words, **given)
        assert error.value.field == "name"
    with pytest.raises(FieldError):
        team("profile edit", name="Ada Admin", crm=signed_in(team, "bo@example.com"))
    assert owners(team)["deals"] == ["BO", "Cy"]
    assert [fields for kind, fields in team.everything() if kind == "deal"] == [
        fields for kind, fields in before if kind == "deal"
    ]
    # Whoever is gone gives the name free, until they come back.
    team("users deactivate", user(team, "bo@example.com"))
    team("users add", "second@example.com", "Bo", "staff")
    with pytest.raises(FieldError):
        team("users activate", user(team, "bo@example.com"))
    assert not user(team, "bo@example.com").active
    assert ada.name == "Ada Admin"


# People who are only named


def test_whoever_is_only_named_lets_nobody_have_to_sign_in(office: Office) -> None:
    added = office("people add", "Dee Dunn")
    assert (added.name, added.email, added.role) == ("Dee Dunn", "", "staff")
    office("people add", "Eve", email="eve@example.com")
    assert not has_accounts(office.crm)
    assert not office.crm.accounts.open().exist()
    assert [(each.name, each.signing_in, each.changed_by_hand) for each in office("users list")] == [
        ("Dee Dunn", False, False), ("Eve", False, False),
    ]  # fmt: skip
    assert office.is_sound()
    client = office.add()
    assert office("follow-ups add", client, "Call", due=TODAY, for_="dee dunn").follow_up.user == "Dee Dunn"
    # The first who signs in is an admin all the same.
    with pytest.raises(RefusedError):
        office("users add", "staff@example.com", "Staff", "staff")
    with pytest.raises(RefusedError):
        office("users reset-password", user(office, "eve@example.com"))
    assert not has_accounts(office.crm)
    office("users add", "ada@example.com", "Ada", "admin")
    assert has_accounts(office.crm)


def test_whoever_is_only_named_has_no_way_in_until_there_is_a_password(team: Office) -> None:
    team("people add", "Eve", email="eve@example.com")
    accounts = team.crm.accounts.open()
    for password in ("", "anything at all"):
        with pytest.raises(SignInRefusedError):
            accounts.sign_in("eve@example.com", password, device="of a test")
    eve = user(team, "eve@example.com")
    for given in ({"role": "admin"}, {"role": "client", "client": team.client(1)}):
        with pytest.raises(FieldError):
            team("users edit", eve, **given)
    assert team("users edit", eve, name="Eve Ellis").name == "Eve Ellis"
    assert isinstance(signed_in(team, "eve@example.com"), CRM)
    assert team("users edit", user(team, "eve@example.com"), role="admin").role == "admin"


def test_whoever_is_only_named_is_one_of_the_team(team: Office) -> None:
    for wrong in ("", "BO", "a client"):
        with pytest.raises(FieldError) as error:
            team("people add", wrong)
        assert error.value.field == "name"
    team("people add", "Dee D.")
    dee = next(each for each in team("users list") if each.name == "Dee D.")
    with team.crm.read() as snapshot:
        record = snapshot.get(User, dee.id)
    with pytest.raises(FieldError) as error:
        team("users reset-password", record)
    assert error.value.field == "email"
    team.add(owner="dee d.")
    team("users edit", record, name="Dee Dunn")
    assert owners(team)["clients"][-1] == "Dee Dunn"
    # The last admin is one who signs in.
    with pytest.raises(RefusedError):
        team("users deactivate", user(team, "ada@example.com"))


def test_clients_may_share_a_name(team: Office) -> None:
    team("users add", "twin@example.com", "A Client", "client", client=team.client(3))
    assert user(team, "twin@example.com").name == "A Client"
