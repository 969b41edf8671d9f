"""People of the team: who they are, what is assigned to each name, and changed names."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from crm.accounts import SignedIn
from crm.commands.context import CRM, has_accounts
from crm.commands.ownership import names, owner_filter, spelled
from crm.commands.registry import named
from crm.errors import FieldError, ForbiddenError, Question, RefusedError, SignInRefusedError
from crm.model import Client, Deal, FollowUp, MachineKey, User
from crm.repository import Query
from tests.commands.conftest import Office
from tests.support.clocks import TODAY


def put(office: Office, record: Any) -> Any:
    return office.crm.transact(lambda tx: tx.add(record), "put there by a test")


def owners(office: Office) -> dict[str, list[str]]:
    """Owners by kind of record."""
    with office.crm.read() as snapshot:
        return {
            "clients": [client.owner for client in snapshot.find_all(Client, Query(sort="id"))],
            "deals": [deal.owner for deal in snapshot.find_all(Deal, Query(sort="id"))],
            "follow-ups": [follow_up.user for follow_up in snapshot.find_all(FollowUp, Query(sort="id"))],
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
    who = office.crm.accounts.open().authentication.sign_in(email, password, device="of a test")
    assert isinstance(who, SignedIn)
    return office.crm.enter(office.crm, who)


def test_everybody_named_in_a_record_is_listed_with_open_work(team: Office) -> None:
    found = {person.name: person for person in team("people list")}
    assert list(found) == ["Ada Admin", "Bo", "Cy", "Dee"]
    bo = found["Bo"]
    assert (bo.role, bo.email, bo.follow_ups, bo.overdue, bo.deals, bo.clients) == (
        "staff", "bo@example.com", 2, 1, 1, 2,
    )  # fmt: skip
    assert (found["Cy"].role, found["Cy"].deals, found["Cy"].clients) == ("", 1, 1)
    assert (found["Dee"].follow_ups, found["Dee"].overdue) == (1, 1)
    # Who is gone is listed as long as something stands under the name.
    team("users deactivate", [user(team, "bo@example.com")])
    assert {person.name: person.role for person in team("people list")}["Bo"] == ""


def test_names_are_known_in_one_spelling(team: Office) -> None:
    with team.crm.read() as snapshot:
        assert names(snapshot) == ["Ada Admin", "Bo", "Cy", "Dee"]
        assert [spelled(snapshot, name) for name in ("BO", "dee", "New One", "")] == ["Bo", "Dee", "New One", ""]


def test_mine_and_another_person_cannot_be_combined(office: Office) -> None:
    with office.crm.read() as snapshot:
        given = ((False, ""), (True, ""), (False, "Bo"), (True, "ANNA"))
        assert [owner_filter(office.crm, snapshot, *arguments).name for arguments in given] == [
            "",
            "anna",
            "Bo",
            "ANNA",
        ]
        with pytest.raises(FieldError) as error:
            owner_filter(office.crm, snapshot, True, "Bo", field="owner", label="Owner")
    assert error.value.field == "owner"


def test_a_renamed_person_is_shown_in_all_records_at_once(team: Office) -> None:
    team("users edit", user(team, "bo@example.com"), name="Bo Jones")
    assert owners(team) == {
        "clients": ["Bo Jones", "Bo Jones", "Cy", ""],
        "deals": ["Bo Jones", "Cy"],
        "follow-ups": ["Bo Jones", "Bo Jones", "Bo Jones", "Dee"],
    }
    assert team.is_sound()
    rows = [record for record in team("history show", team("history list", 1)[0].id).records if record.record == "deal"]
    assert [(field.name, field.was, field.now) for field in rows[0].fields] == [("owner", "Bo", "Bo Jones")]
    # What was done to accounts is not taken back, and so what came of it is not either: another name is.
    with pytest.raises(RefusedError):
        team("history undo", team("history list", 1)[0].id)
    team("users edit", user(team, "bo@example.com"), name="Bo")
    assert owners(team)["clients"] == ["Bo", "Bo", "Cy", ""]


def test_a_name_that_only_changes_its_case_is_a_new_one_too(team: Office) -> None:
    team("users edit", user(team, "bo@example.com"), name="BO")
    assert owners(team)["clients"][:2] == ["BO", "BO"]


def test_a_person_without_a_name_is_shown_by_address(team: Office) -> None:
    team("users edit", user(team, "bo@example.com"), name="")
    assert owners(team)["deals"] == ["bo@example.com", "Cy"]
    team("users edit", user(team, "bo@example.com"), email="bo@example.org")
    assert owners(team)["deals"] == ["bo@example.org", "Cy"]


def test_a_change_of_something_else_changes_no_name(team: Office) -> None:
    before = owners(team)
    team("users edit", user(team, "bo@example.com"), phone="+436641234567", role="admin")
    team("users edit", user(team, "client@example.com"), name="Cy Client")
    assert owners(team) == before


def test_my_own_new_name_holds_at_once_in_every_session(team: Office) -> None:
    other = signed_in(team, "bo@example.com")
    assert other.me == "Bo"
    team("profile edit", name="Bo Jones", crm=other)
    assert other.me == "Bo Jones"
    assert owners(team)["clients"][0] == "Bo Jones"
    added = team("follow-ups add", team.client(1), "Call", due=TODAY, crm=other)
    assert added.follow_up.user == "Bo Jones"
    assert team("history list", 1)[0].user == "Bo Jones"
    assert team("follow-ups list", mine=True, crm=other).count == 3
    # Somebody else gives another one: it holds from the next look on.
    team("users edit", user(team, "bo@example.com"), name="Bo J.")
    with other.read():
        assert other.me == "Bo J."
    assert team("follow-ups list", mine=True, crm=other).count == 3


def test_two_people_of_the_team_cannot_have_the_same_name(team: Office) -> None:
    bo, ada = user(team, "bo@example.com"), user(team, "ada@example.com")
    before = team.everything()
    for words, given in (
        ("users add", {"email": "new@example.com", "name": "ADA  admin"}),
        ("users edit", {"user": bo, "name": "ada admin"}),
        ("people add", {"name": "B\u043e"}),
        ("people add", {"name": "CRM"}),
    ):
        with pytest.raises(FieldError) as error:
            team(words, **given)
        assert error.value.field == "name"
    with pytest.raises(FieldError):
        team("profile edit", name="Ada Admin", crm=signed_in(team, "bo@example.com"))
    assert owners(team)["deals"] == ["Bo", "Cy"]
    assert [fields for kind, fields in team.everything() if kind == "deal"] == [
        fields for kind, fields in before if kind == "deal"
    ]
    # Whoever is gone gives the name free, until they come back.
    team("users deactivate", [user(team, "bo@example.com")])
    team("users add", "second@example.com", "Bo", "staff")
    with pytest.raises(FieldError):
        team("users activate", [user(team, "bo@example.com")])
    assert not user(team, "bo@example.com").active
    assert ada.name == "Ada Admin"


# People who are only named


def test_a_person_without_a_sign_in_does_not_require_one_of_others(office: Office) -> None:
    added = office("people add", "Dee Dunn")
    assert (added.name, added.email, added.role) == ("Dee Dunn", "", "staff")
    office("people add", "Eve", email="eve@example.com")
    assert not has_accounts(office.crm)
    assert not office.crm.accounts.open().store.exist()
    assert [(user.name, user.signing_in, user.changed_by_hand) for user in office("users list")] == [
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


def test_a_person_without_a_password_cannot_sign_in(team: Office) -> None:
    team("people add", "Eve", email="eve@example.com")
    accounts = team.crm.accounts.open()
    for password in ("", "anything at all"):
        with pytest.raises(SignInRefusedError):
            accounts.authentication.sign_in("eve@example.com", password, device="of a test")
    eve = user(team, "eve@example.com")
    for given in ({"role": "admin"}, {"role": "client", "client": team.client(1)}):
        with pytest.raises(FieldError):
            team("users edit", eve, **given)
    assert team("users edit", eve, name="Eve Ellis").name == "Eve Ellis"
    assert isinstance(signed_in(team, "eve@example.com"), CRM)
    assert team("users edit", user(team, "eve@example.com"), role="admin").role == "admin"


def test_a_person_without_a_sign_in_belongs_to_the_team(team: Office) -> None:
    for wrong in ("", "BO", "b\u043e"):
        with pytest.raises(FieldError) as error:
            team("people add", wrong)
        assert error.value.field == "name"
    team("people add", "Dee D.")
    dee = next(user for user in team("users list") if user.name == "Dee D.")
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
        team("users deactivate", [user(team, "ada@example.com")])


# Several at once


def test_several_accounts_are_switched_in_one_change_or_not_at_all(team: Office) -> None:
    bo, client = user(team, "bo@example.com"), user(team, "client@example.com")
    off = team("users deactivate", [bo, client])
    assert [(user.email, user.active) for user in off] == [(bo.email, False), (client.email, False)]
    assert team("history list", 1)[0].what == "deactivated 2 accounts"
    with pytest.raises(FieldError):
        team("users activate")
    with pytest.raises(FieldError):
        team("users activate", [bo], all_=True)
    # Somebody else is called Bo by now: nobody is switched on.
    second = team("users add", "second@example.com", "Bo", "staff")
    with pytest.raises(FieldError, match="another Bo"):
        team("users activate", all_=True, yes=True)
    assert not user(team, client.email).active
    team("users edit", user(team, second.email), name="Bo Jones")
    with pytest.raises(Question, match="will be reactivated, 2: Bo, "):
        team("users activate", all_=True)
    assert [user.active for user in team("users activate", all_=True, yes=True)] == [True, True]
    assert team("users activate", all_=True) == []
    with pytest.raises(RefusedError, match="last admin"):
        team("users deactivate", [user(team, bo.email), user(team, "ada@example.com")])
    assert user(team, bo.email).active


def test_keys_that_stop_with_the_rights_of_their_maker_are_named(team: Office) -> None:
    team("users edit", user(team, "bo@example.com"), role="admin")
    bo, ada = signed_in(team, "bo@example.com"), signed_in(team, "ada@example.com")
    for name in ("nightly mail", "weekly backup"):
        team("keys add", name, "mail+backup", crm=bo)
    team("keys add", "of Ada", crm=ada)

    def maker() -> User:
        return user(team, "bo@example.com")

    for words, how in (("users deactivate", {"users": [maker()]}), ("users edit", {"user": maker(), "role": "staff"})):
        with pytest.raises(Question, match=r"Keys that stop working: nightly mail, weekly backup. Jobs that") as asked:
            team(words, **how, crm=ada)
        assert (asked.value.parameter, asked.value.yes) == ("yes", "yes")
        assert (maker().role, maker().active) == ("admin", True)
    # Nothing is asked where none stops.
    assert team("users edit", maker(), phone="+436641234567", crm=ada).keys == ("nightly mail", "weekly backup")
    (off,) = team("users deactivate", [maker()], yes=True, crm=ada)
    assert (off.keys, off.stopped_keys) == ((), ("nightly mail", "weekly backup"))
    assert {key.name: key.stopped for key in team("keys list", crm=ada)} == {
        "nightly mail": True, "weekly backup": True, "of Ada": False,
    }  # fmt: skip
    assert team("users edit", maker(), role="staff", crm=ada).stopped_keys == off.stopped_keys
    # As an admin again, they have their keys again.
    team("users edit", maker(), role="admin", crm=ada)
    (on,) = team("users activate", [maker()], crm=ada)
    assert (on.keys, on.stopped_keys) == (off.stopped_keys, ())


def test_a_key_is_revoked_only_once_it_is_confirmed(team: Office) -> None:
    ada = signed_in(team, "ada@example.com")
    team("keys add", "nightly mail", crm=ada)
    with ada.read() as snapshot:
        (key,) = snapshot.find_all(MachineKey)
    with pytest.raises(Question, match="use the key nightly mail stop at once, and the key never works") as asked:
        team("keys revoke", key, crm=ada)
    assert asked.value.destructive
    assert len(team("keys list", crm=ada)) == 1
    team("keys revoke", key, yes=True, crm=ada)
    assert team("keys list", crm=ada) == []


# Whose it is


def test_clients_may_share_a_name_with_each_other_and_with_the_team(team: Office) -> None:
    team("users add", "twin@example.com", "A Client", "client", client=team.client(3))
    team("users add", "bo.client@example.com", "Bo", "client", client=team.client(3))
    assert team.add(owner="Bo").owner_id == user(team, "bo@example.com").id
    team("users deactivate", [user(team, "bo@example.com")])
    # A client in the name of somebody does not keep them out.
    assert team("users activate", [user(team, "bo@example.com")])[0].active


def test_a_client_sees_no_names_of_the_team(team: Office) -> None:
    theirs = signed_in(team, "client@example.com")
    for name in ("Ada Admin", "ADA admin", "Bo", "Cy"):
        assert team("profile edit", name=name, crm=theirs).name == name
    assert owners(team)["deals"] == ["Bo", "Cy"]


def test_a_reused_name_takes_over_no_records(team: Office) -> None:
    bo = signed_in(team, "bo@example.com")
    team("dashboard set", "agenda", crm=bo)
    assert len(team("clients list", {}, mine=True, crm=bo)) == 2
    team("users deactivate", [user(team, "bo@example.com")])
    ada = signed_in(team, "ada@example.com")
    team("dashboard set", "sales, agenda", crm=ada)
    before = _accounts(team)
    team("profile edit", name="Bo", crm=ada)
    assert _accounts(team) == before
    assert team("clients list", {}, mine=True, crm=ada) == []
    assert team("follow-ups list", mine=True, crm=ada).count == 0
    assert [tile.name for tile in team("dashboard show", crm=ada)] == ["sales", "agenda"]
    assert {person.role: person.clients for person in team("people list") if person.name == "Bo"} == {"": 2, "admin": 0}
    team("profile edit", name="Ada Admin", crm=ada)
    assert _accounts(team) == before
    assert {kind: names for kind, names in owners(team).items() if kind != "clients"} == {
        "deals": ["Bo", "Cy"], "follow-ups": ["Bo", "Bo", "Bo", "Dee"],
    }  # fmt: skip
    team("users activate", [user(team, "bo@example.com")])
    bo = signed_in(team, "bo@example.com")
    assert [tile.name for tile in team("dashboard show", crm=bo)] == ["agenda"]
    assert len(team("clients list", {}, mine=True, crm=bo)) == 2


def _accounts(office: Office) -> dict[tuple[str, int], int]:
    """The account that owns each record, by the record's kind and number."""
    return {
        (kind, fields["id"]): fields[beside]
        for kind, fields in office.everything()
        for beside in ("owner_id", "user_id")
        if beside in fields
        if kind not in ("transaction", "audit", "sign_in", "user")
    }


def test_mine_follows_my_account_and_not_my_name(team: Office) -> None:
    gone = user(team, "bo@example.com")
    team("users deactivate", [gone])
    team("users add", "second@example.com", "Bo", "staff")
    second = signed_in(team, "second@example.com")
    mine = team("clients add", {"first_name": "Mia", "owner": "Bo"}, crm=second)
    assert mine.owner_id == user(team, "second@example.com").id
    assert [client.id for client in team("clients list", {}, mine=True, crm=second)] == [mine.id]
    assert [client.id for client in team("clients list", {"owner": "bo"}, crm=second)] == [mine.id]
    assert team("agenda", mine=True, crm=second).count == 0
    team("follow-ups add", mine, "Call", due=TODAY, crm=second)
    assert team("agenda", mine=True, crm=second).count == 1
    assert team("deals list", mine=True, crm=second).count == 0
    # A follow-up that comes again stays with whom it is.
    often = put(team, FollowUp(client=mine.id, user="Bo", user_id=gone.id, due_on=TODAY, what="Ask", every=7))
    assert team("follow-ups done", often, crm=second).next.follow_up.user_id == gone.id
    report = team("reports by", "owner", crm=second)
    assert [row[0] for row in report.rows].count("Bo") == 2


def test_a_merge_keeps_the_owner_account_of_the_duplicate(team: Office) -> None:
    gone = user(team, "bo@example.com")
    kept, other = team.add(), team.add(owner="Bo")
    team("users deactivate", [gone])
    team("users add", "second@example.com", "Bo", "staff")
    assert team("clients merge", kept, other).owner_id == gone.id


def test_records_under_a_name_belong_to_the_account_that_gets_it(office: Office) -> None:
    """No one has signed in so far; the first account belongs to the person who has worked here."""
    office.add(owner="ANNA")
    office("follow-ups add", office.client(1), "Call", due=TODAY)
    office("dashboard set", "sales")
    last = office("history list", 1)[0]
    office("users add", "anna@example.com", "Anna", "admin")
    anna = signed_in(office, "anna@example.com")
    number = user(office, "anna@example.com").id
    assert set(_accounts(office).values()) == {number}
    assert [tile.name for tile in office("dashboard show", crm=anna)] == ["sales"]
    assert office("history undo", crm=anna, yes=True).undone.id == last.id
    assert office.is_sound()


def test_undo_goes_on_to_the_change_before_a_new_name(team: Office) -> None:
    other = signed_in(team, "bo@example.com")
    added = team("clients add", {"first_name": "Mia", "owner": "Bo"}, crm=other)
    team("sales add", added, Decimal(10), crm=other)
    team("profile edit", name="Bo Jones", crm=other)
    team("profile edit", name="Bo J.", crm=other)
    team("history undo", crm=other, yes=True)
    with team.crm.read() as snapshot:
        assert snapshot.get(Client, added.id).sales_count == 0
    with pytest.raises(ForbiddenError, match="Only an admin can delete clients"):
        team("history undo", crm=other, yes=True)
    team("users edit", user(team, "bo@example.com"), role="admin")
    assert team("history undo", crm=signed_in(team, "bo@example.com"), yes=True).passed_over
    with team.crm.read() as snapshot:
        assert snapshot.find(Client, added.id) is None


def test_misleading_names_are_refused_everywhere(team: Office) -> None:
    bo, other = user(team, "bo@example.com"), signed_in(team, "bo@example.com")
    theirs = signed_in(team, "client@example.com")
    before = team.everything()
    for name in (
        "Z\u200boe",
        "Z\u00adoe",
        "Zo\u2060e",
        "Zoe\u2800",
        "\u202eZoe",
        "Z\u043ee",
        "\uff3a\uff4f\uff45",
        "zoe@example.com",
    ):
        for words, given in (
            ("users add", {"email": "zoe@example.org", "name": name}),
            ("users edit", {"user": bo, "name": name}),
            ("people add", {"name": name}),
            ("profile edit", {"name": name, "crm": other}),
            ("profile edit", {"name": name, "crm": theirs}),
        ):
            with pytest.raises(FieldError) as error:
                team(words, **given)
            assert error.value.field == "name"
    assert team.everything() == before


def test_a_key_ends_on_a_future_day(team: Office) -> None:
    expires = named("keys add").parameters["expires"].value_check
    assert expires.read("2026-12-24", team.crm.conventions) == date(2026, 12, 24)
    with pytest.raises(FieldError, match="has passed"):
        expires.read("yesterday", team.crm.conventions)
