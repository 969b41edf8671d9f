"""Clients: duplicates, edits, tags, merges, pins, the card and the timeline."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.commands.clients.clients import refuse_namesake
from crm.errors import ConflictError, CRMError, FieldError, NotFoundError, Question, RefusedError
from crm.model import Client, named
from crm.model.fields import FOREVER
from tests.commands.conftest import Office, display_path
from tests.support.clocks import TODAY

BORN = date(1990, 2, 3)


@pytest.mark.parametrize(
    ("known", "new"),
    [
        ({"last_name": "A", "email": "a@example.com"}, {"last_name": "Other", "email": "a@example.com"}),
        ({"last_name": "A", "phone": "+436601234567"}, {"last_name": "Other", "phone": "+436601234567"}),
        (
            {"first_name": "Anna", "last_name": "Berg", "date_of_birth": BORN},
            {"first_name": "anna", "last_name": "BERG", "date_of_birth": BORN},
        ),
        ({"company": "Acme"}, {"company": "ACME"}),
    ],
    ids=["e-mail", "phone", "name and birth", "company"],
)
def test_a_possible_duplicate_is_asked_about_before_it_is_saved(
    office: Office, known: dict[str, Any], new: dict[str, Any]
) -> None:
    first = office("clients add", known)
    with pytest.raises(Question) as asked:
        office("clients add", new)
    assert asked.value.parameter == "duplicate_ok"
    assert [record.id for record in asked.value.records] == [first.id]
    assert f"{first.name} ({first.id})" in asked.value.sentence
    assert len(office.clients()) == 1
    assert office("clients add", new, duplicate_ok=True).id != first.id


@pytest.mark.parametrize(
    ("known", "new"),
    [
        ({"first_name": "Anna", "last_name": "Berg"}, {"first_name": "Anna", "last_name": "Berg"}),
        (
            {"first_name": "Anna", "last_name": "Berg", "date_of_birth": BORN},
            {"first_name": "Anna", "last_name": "Berg", "date_of_birth": BORN + timedelta(days=1)},
        ),
        ({"first_name": "Acme", "company": "Acme"}, {"company": "Acme"}),
        ({"last_name": "A", "email": "a@example.com"}, {"last_name": "A", "email": "b@example.com"}),
    ],
)
def test_a_client_with_only_the_same_name_is_not_a_duplicate(
    office: Office, known: dict[str, Any], new: dict[str, Any]
) -> None:
    office("clients add", known)
    office("clients add", new)
    assert len(office.clients()) == 2


def test_only_a_name_is_required_and_it_decides_the_kind(office: Office) -> None:
    assert office("clients add", {"first_name": "Anna"}).kind == "person"
    assert office("clients add", {"company": "Acme"}).kind == "company"
    assert office("clients add", {"company": "Acme", "last_name": "Berg"}).kind == "person"
    for nameless in ({}, {"email": "a@example.com"}, {"kind": "company", "last_name": "Berg"}):
        with pytest.raises(FieldError):
            office("clients add", nameless)
    assert len(office.clients()) == 3


def test_a_reference_is_used_once(office: Office) -> None:
    office.add(reference="R1")
    with pytest.raises(RefusedError):
        office.add(reference="R1")
    other = office.add(reference="R2")
    with pytest.raises(RefusedError):
        office("clients edit", other, {"reference": "R1"})
    assert [client.reference for client in office.clients()] == ["R1", "R2"]
    office("clients edit", other, {"reference": ""})
    office.add(reference="")
    assert office.is_sound()


def test_an_edit_keeps_what_somebody_else_changed_meanwhile(office: Office) -> None:
    shown = office.add(first_name="Anna", city="Wien", notes="old")
    office("clients edit", shown, {"city": "Graz"}, crm=office.open(user="ben"))
    edited = office("clients edit", shown, {"notes": "new"})
    assert (edited.city, edited.notes, edited.first_name) == ("Graz", "new", "Anna")


def test_an_edit_of_the_same_field_is_a_conflict_that_shows_all_three(office: Office) -> None:
    shown = office.add(first_name="Anna", city="Wien")
    office("clients edit", shown, {"city": "Graz"}, crm=office.open(user="ben"))
    with pytest.raises(ConflictError) as conflict:
        office("clients edit", shown, {"city": "Linz", "notes": "x"})
    assert conflict.value.clashes["city"] == ("Wien", "Graz", "Linz")
    assert (office.client(shown).city, office.client(shown).notes) == ("Graz", "")


def test_an_edit_to_the_same_value_is_not_in_the_history(office: Office) -> None:
    client = office.add(first_name="Anna", city="Wien")
    history = office.history()
    assert office("clients edit", client, {"city": "Wien"}).version == client.version
    assert office.history() == history
    with pytest.raises(FieldError):
        office("clients edit", client, {})


def test_an_edit_may_not_take_the_name_away(office: Office) -> None:
    client = office.add(first_name="Anna")
    with pytest.raises(FieldError):
        office("clients edit", client, {"first_name": ""})
    with pytest.raises(FieldError):
        office("clients edit", client, {"kind": "company"})
    assert office.client(client) == client


def test_own_fields_are_added_changed_and_taken_away_one_by_one(office: Office) -> None:
    client = office.add(extra={"shoe": "42", "hat": "L"})
    client = office("clients edit", client, {"extra": {"shoe": "43", "coat": "M"}})
    assert client.extra == {"shoe": "43", "hat": "L", "coat": "M"}
    assert office("clients edit", client, {"extra": {"hat": ""}}).extra == {"shoe": "43", "coat": "M"}


def test_deleting_lists_the_records_that_go_with_it_and_undo_restores_them(office: Office) -> None:
    client = office.add(first_name="Anna", tags=("a",))
    for amount in ("5", "7"):
        client = office.sell(client, amount).client
    sales = office.sales()
    with pytest.raises(Question) as asked:
        office("clients delete", client)
    assert "2 sales" in asked.value.sentence
    assert office.clients() == [client]
    office("clients delete", client, yes=True)
    assert (office.clients(), office.sales()) == ([], [])
    office("history undo")
    assert (office.clients(), office.sales()) == ([client], sales)


def test_tags_are_put_on_and_taken_off_many_at_once_in_one_step(office: Office) -> None:
    office.set_rules("Friend when 'gold' in tags", "Regular otherwise")
    clients = [office.add(last_name=name, tags=tags) for name, tags in (("A", ("x",)), ("B", ()), ("C", ("gold", "x")))]
    changed = office("clients tag", clients, ("gold", "new"), ("x",))
    assert [client.tags for client in changed] == [("gold", "new"), ("gold", "new"), ("gold", "new")]
    assert [client.status for client in changed] == ["Friend"] * 3
    assert office.history()[0] == "tagged 3 clients: +gold +new -x"
    office("history undo")
    assert [client.tags for client in office.clients()] == [("x",), (), ("gold", "x")]
    assert office.statuses() == ["Regular", "Regular", "Friend"]
    with pytest.raises(FieldError):
        office("clients tag", clients)


def test_one_client_named_twice_is_tagged_once(office: Office) -> None:
    client = office.add()
    assert [tagged.tags for tagged in office("clients tag", [client, client], ("a",))] == [("a",)]


def test_tagging_is_refused_as_a_whole_if_a_client_is_deleted(office: Office) -> None:
    kept, gone = office.add(), office.add()
    office("clients delete", gone, yes=True)
    with pytest.raises(NotFoundError):
        office("clients tag", [kept, gone], ("a",))
    assert office.client(kept).tags == ()


def two_alike(office: Office) -> tuple[Client, Client]:
    kept = office.add(
        reference="K1", first_name="Anna", last_name="Berg", city="Wien", tags=("a", "b"), notes="kept",
        extra={"hat": "L", "shoe": "42"},
    )  # fmt: skip
    gone = office.add(
        reference="G1", first_name="Anne", last_name="Berg", phone="+436601234567", city="Graz", tags=("b", "c"),
        notes="gone", extra={"hat": "M", "coat": "S"}, date_of_birth=BORN, marketing_consent=True,
    )  # fmt: skip
    office.sell(kept, "100", TODAY - timedelta(days=9))
    office.sell(gone, "34900.00", TODAY - timedelta(days=30))
    office.sell(gone, "0.50")
    return office.client(kept), office.client(gone)


def test_a_merge_moves_the_sales_fills_what_is_empty_and_keeps_the_rest(office: Office) -> None:
    kept, gone = two_alike(office)
    merged = office("clients merge", kept, gone)
    assert office.clients() == [merged]
    assert (merged.id, merged.reference, merged.first_name, merged.city) == (kept.id, "K1", "Anna", "Wien")
    # Of one person one "no" to mailings holds.
    assert (merged.phone, merged.date_of_birth, merged.marketing_consent) == ("+436601234567", BORN, False)
    assert (merged.tags, merged.notes) == (("a", "b", "c"), "kept\n\ngone")
    assert merged.extra == {"hat": "L", "shoe": "42", "coat": "S"}
    assert (merged.total_spend, merged.sales_count, merged.status) == (Decimal("35000.50"), 3, "VIP")
    assert (merged.first_sale_on, merged.last_sale_on) == (TODAY - timedelta(days=30), TODAY)
    assert {sale.client for sale in office.sales()} == {kept.id}
    assert office.is_sound()


def test_a_merge_takes_named_fields_from_the_duplicate(office: Office) -> None:
    kept, gone = two_alike(office)
    merged = office("clients merge", kept, gone, take=("first-name", "reference", "extra"))
    assert (merged.first_name, merged.reference, merged.city) == ("Anne", "G1", "Wien")
    assert merged.extra == {"hat": "M", "shoe": "42", "coat": "S"}


def test_undo_of_a_merge_restores_both(office: Office) -> None:
    before = two_alike(office)
    sales = office.sales()
    office("clients merge", *before)
    office("history undo")
    # All but how often they were changed.
    assert [display_path(client) for client in office.clients()] == [display_path(client) for client in before]
    assert [display_path(sale) for sale in office.sales()] == [display_path(sale) for sale in sales]
    assert office.is_sound()


def test_a_merge_with_itself_or_by_an_unknown_field_changes_nothing(office: Office) -> None:
    kept, gone = two_alike(office)
    with pytest.raises(RefusedError):
        office("clients merge", kept, kept)
    with pytest.raises(FieldError) as error:
        office("clients merge", kept, gone, take=("total_spend",))
    assert "first_name" in error.value.sentence
    assert office.clients() == [kept, gone]


def test_a_pin_holds_against_the_rules_until_it_is_lifted(office: Office) -> None:
    client = office.add()
    pinned = office("clients pin", client, "Friend")
    assert (pinned.status, pinned.status_pinned_until, pinned.status_before) == ("Friend", FOREVER, "Regular")
    assert office.sell(client, "99999").client.status == "Friend"
    office("rules apply")
    assert office.statuses() == ["Friend"]
    lifted = office("clients pin", office.client(client))
    assert (lifted.status, lifted.status_pinned_until) == ("VIP", None)
    assert "total_spend" in lifted.status_reason


def test_a_pin_with_an_end_holds_through_that_day(office: Office) -> None:
    client = office.add()
    pinned = office("clients pin", client, "Friend", TODAY + timedelta(days=2))
    assert (pinned.status_reason, pinned.status_pinned_until) == ("Pinned by hand", TODAY + timedelta(days=2))
    last_day = office.open(today=TODAY + timedelta(days=2))
    assert office.sell(client, "1", crm=last_day).client.status == "Friend"
    assert office("rules why", client, crm=last_day).pinned_until == TODAY + timedelta(days=2)
    after = office.open(today=TODAY + timedelta(days=3))
    assert office.sell(client, "1", crm=after).client.status == "Regular"
    assert office("rules why", client, crm=after).pinned_until is None


def test_a_pin_that_makes_no_sense_is_refused(office: Office) -> None:
    client = office.add()
    office("clients pin", client, "Friend")
    with pytest.raises(FieldError):
        office("clients pin", client, "Foe", TODAY - timedelta(days=1))
    with pytest.raises(FieldError):
        # Not the way to lift one: whoever names a day means to pin.
        office("clients pin", client, "", TODAY + timedelta(days=1))
    assert office.statuses() == ["Friend"]


def test_a_card_names_doubtful_values_and_lists_the_newest_entries_first(office: Office) -> None:
    client = office.add(first_name="Anna", email="a@example.couk", phone="call me")
    office.sell(client, "34999", TODAY - timedelta(days=3))
    office("clients edit", office.client(client), {"city": "Graz"})
    office.sell(client, "1")
    card = office("clients show", client)
    assert card.client == office.client(client)
    assert set(card.doubts) == {"email", "phone"}
    assert [entry.amount for entry in card.timeline if entry.amount] == [Decimal("1.00"), Decimal("34999.00")]
    text = " | ".join(entry.what for entry in card.timeline)
    assert "City: empty → Graz" in text
    assert "Status: Regular → VIP" in text
    assert "because total spend is at least $35,000.00" in text
    assert card.timeline[-1].amount == Decimal("34999.00") or card.timeline[-1].what == "Added"
    assert not any("total_spend:" in entry.what.lower() for entry in card.timeline)


def test_search_finds_by_part_of_everything_and_despite_mistakes(office: Office) -> None:
    anna = office.add(
        first_name="Änna", last_name="Müller-Straße", company="Kestrel & Söhne", email="anna@example.com",
        phone="+436601234567", reference="C-0042", tags=("newsletter",),
    )  # fmt: skip
    office.add(first_name="Ben", last_name="Cole")
    for text in (
        "anna",
        "MULLER",
        "strasse",
        "kestrel sohne",
        "example.com",
        "6601234",
        "c-0042",
        "newslet",
        "kestrell",
    ):
        found = office("clients search", text)
        assert [record.id for record in found[:1]] == [anna.id], text
    assert office("clients search", "zzzzzz") == []
    assert office("clients search", "") == []


def test_every_refusal_of_a_command_is_a_crm_error(office: Office) -> None:
    gone = office.add()
    office("clients delete", gone, yes=True)
    other = office.add()
    refused: list[tuple[Any, ...]] = [(words, gone) for words in ("clients show", "clients delete", "rules why")]
    refused += [("clients edit", gone, {"city": "x"}), ("clients pin", gone, "x"), ("sales add", gone, Decimal(1))]
    refused += [("clients merge", other, gone), ("clients merge", gone, other)]
    for words, *arguments in refused:
        with pytest.raises(CRMError):
            office(words, *arguments)
    assert office.clients() == [other]


def test_a_new_client_with_a_similar_name_gets_a_warning(office: Office) -> None:
    joe = office.add(first_name="Joe", last_name="Miller")
    office.add(kind="company", company="Joe Miller")
    born = office.add(first_name="Ida", last_name="Sandberg", date_of_birth=BORN)

    def asked(**given: Any) -> list[int]:
        with office.crm.read() as snapshot:
            try:
                refuse_namesake(snapshot, named(Client(**given)))
            except Question as question:
                return [record.id for record in question.records]
        return []

    assert asked(first_name="Joe", last_name="Miler") == asked(first_name="joe", last_name="MILLER") == [joe.id]
    assert asked(first_name="Ida", last_name="Sandbergh") == [born.id]
    assert asked(first_name="Ida", last_name="Sandberg", date_of_birth=BORN + timedelta(days=1)) == []
    assert asked(first_name="Joe", last_name="Mills") == []


def test_an_unknown_status_is_refused_with_the_list_of_statuses(office: Office) -> None:
    office.add(company="Acme")
    for given in ({"filters": {"status": "NOPE"}}, {"filters": {"status": "NOPE"}, "limit": 5}):
        with pytest.raises(FieldError, match=r"no status NOPE; use one of .*VIP"):
            office("clients list", **given)
    # One that nobody has by now finds nobody.
    assert office("clients list", {"status": "vip"}) == []
    with pytest.raises(FieldError, match="no status NOPE"):
        office("clients delete-many", only=(("status", "NOPE"),), yes=True)
