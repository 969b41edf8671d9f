"""Contacts: at most one primary contact for each client, and a search for a person finds the company."""

import pytest

from crm.commands.clients.contacts import contacts_saying
from crm.commands.lookup import selected
from crm.errors import ConflictError, CRMError, FieldError, NotFoundError, Question
from crm.model import Client, Contact, Interaction
from crm.model.encoding import plain
from tests.commands.conftest import Office


def contacts(office: Office, client: Client) -> list[tuple[str, bool]]:
    """The contacts of a client in their order, and whether each is the primary one."""
    listed: list[Contact] = office("contacts list", client)
    return [(contact.name, contact.is_primary) for contact in listed]


def stored(office: Office, contact: Contact) -> Contact:
    with office.crm.read() as snapshot:
        return snapshot.get(Contact, contact.id)


def test_the_first_contact_is_primary_and_another_can_become_it(office: Office) -> None:
    acme, other = office.add(company="Acme"), office.add(company="Other")
    office("contacts add", acme, "Jo Fox", role="buyer")
    bo = office("contacts add", acme, "Bo Hill")
    office("contacts add", other, "Cy Reed")
    assert contacts(office, acme) == [("Jo Fox", True), ("Bo Hill", False)]
    assert office("contacts primary", bo).is_primary
    assert contacts(office, acme) == [("Bo Hill", True), ("Jo Fox", False)]
    assert contacts(office, other) == [("Cy Reed", True)]
    office("contacts add", acme, "Di Vale", primary=True)
    assert contacts(office, acme) == [("Di Vale", True), ("Jo Fox", False), ("Bo Hill", False)]
    office("contacts edit", stored(office, bo), {"is_primary": True})
    assert contacts(office, acme) == [("Bo Hill", True), ("Jo Fox", False), ("Di Vale", False)]
    # Each was one change, so that one step takes it back.
    for _ in range(3):
        office("history undo")
    assert contacts(office, acme) == [("Jo Fox", True), ("Bo Hill", False)]
    assert office.is_sound()


@pytest.mark.parametrize("typed", ["mul", "mule", "mulr", "muler", "mulelr", "erika mulr", "Mueller", "müller"])
def test_a_contact_is_found_by_a_name_that_is_misspelt(office: Office, typed: str) -> None:
    acme, other = office.add(company="Acme"), office.add(company="Muldoon")
    erika = office("contacts add", acme, "Erika Müller")
    office("contacts add", acme, "Jo Fox")
    office("contacts add", other, "Cy Reed")
    with office.crm.read() as snapshot:
        assert contacts_saying(snapshot, typed) == [erika]
        assert contacts_saying(snapshot, typed, acme) == [erika]
        assert contacts_saying(snapshot, typed, other) == []


def test_fields_of_a_contact_are_checked_and_shown_with_warnings(office: Office) -> None:
    acme = office.add(company="Acme")
    with pytest.raises(FieldError):
        office("contacts add", acme, "")
    jo = office("contacts add", acme, "Jo Fox", email="jo@example.couk")
    card = office("contacts show", jo)
    assert (card.contact, card.client.id, set(card.doubts)) == (jo, acme.id, {"email"})
    assert plain(card)["client_name"] == "Acme"
    with pytest.raises(FieldError):
        office("contacts edit", jo, {"name": ""})
    with pytest.raises(FieldError):
        office("contacts edit", jo, {})
    assert stored(office, jo) == jo
    with pytest.raises(NotFoundError):
        office("contacts add", Client(id=99), "Nobody")


def test_changes_of_somebody_else_are_kept(office: Office) -> None:
    jo = office("contacts add", office.add(company="Acme"), "Jo Fox")
    office("contacts edit", jo, {"role": "buyer"})
    edited = office("contacts edit", jo, {"name": "Joan Fox"})
    assert (edited.name, edited.role) == ("Joan Fox", "buyer")
    with pytest.raises(ConflictError):
        office("contacts edit", jo, {"role": "seller"})


def test_a_moved_contact_becomes_primary_only_if_there_is_none(office: Office) -> None:
    acme, other = office.add(company="Acme"), office.add(company="Other")
    jo, bo = (office("contacts add", acme, name) for name in ("Jo Fox", "Bo Hill"))
    office("contacts edit", bo, {"client": other.id})
    assert (contacts(office, acme), contacts(office, other)) == ([("Jo Fox", True)], [("Bo Hill", True)])
    office("contacts edit", jo, {"client": other.id})
    assert contacts(office, other) == [("Bo Hill", True), ("Jo Fox", False)]
    with pytest.raises(NotFoundError):
        office("contacts edit", stored(office, jo), {"client": 99})


def test_deleting_asks_keeps_the_calls_and_can_be_undone(office: Office) -> None:
    acme = office.add(company="Acme")
    jo = office("contacts add", acme, "Jo Fox")
    call = office("interactions add", acme, "call", "a quote", contact=jo)
    with pytest.raises(Question) as asked:
        office("contacts delete", jo)
    assert "Jo Fox" in asked.value.sentence
    office("contacts delete", jo, yes=True)
    assert contacts(office, acme) == []
    with office.crm.read() as snapshot:
        assert snapshot.find_all(Interaction) == [call]
    assert office("timeline", acme).entries[0].what == "Call: a quote"
    office("history undo")
    assert office("timeline", acme).entries[0].what == "Call with Jo Fox: a quote"


def test_all_contacts_are_listed_by_name_and_found_by_a_text(office: Office) -> None:
    acme, other = office.add(company="Acme"), office.add(company="Other")
    office("contacts add", other, "Zoë Åhlund", email="zoe@example.com")
    office("contacts add", acme, "Jo Fox", phone="+12125550123")
    office("contacts add", other, "Al Fox")
    listed = office("contacts list")
    assert [contact.name for contact in listed] == ["Al Fox", "Jo Fox", "Zoë Åhlund"]
    for text, names in (("FOX", ["Al Fox", "Jo Fox"]), ("zoe ahl", ["Zoë Åhlund"]), ("5550123", ["Jo Fox"]), ("%", [])):
        assert [contact.name for contact in office("contacts list", text=text)] == names
    assert [contact.name for contact in office("contacts list", other, text="fox")] == ["Al Fox"]
    assert [contact.name for contact in office("contacts list", limit=1, offset=1)] == ["Jo Fox"]


@pytest.mark.parametrize(
    ("text", "through"),
    [
        ("jo fox", "Jo Fóx"),
        ("FÓX", "Jo Fóx"),
        ("fox jo", "Jo Fóx"),
        ("jo@else", "Jo Fóx"),
        ("212 555 01", "Jo Fóx"),
        ("+1 212 555-0123", "Jo Fóx"),
        ("jo", "Jo Fóx"),
        ("x", "Jo Fóx"),
        ("acme fox", "Jo Fóx"),
        ("fox acme", "Jo Fóx"),
        ("hillary", "Bo Hillary"),
        ("hilary", "Bo Hillary"),
        ("hillarry bo", "Bo Hillary"),
        ("acme", ""),
        ("acm", ""),
    ],
)
def test_a_search_for_a_contact_finds_the_company_and_names_the_contact(
    office: Office, text: str, through: str
) -> None:
    acme = office.add(company="Acme")
    office.add(company="Berghain")
    office("contacts add", acme, "Bo Hillary")
    office("contacts add", acme, "Jo Fóx", email="jo@elsewhere.example", phone="+12125550123")
    found = office("clients search", text)
    assert [(match.id, match.through) for match in found] == [(acme.id, through)]
    assert plain(found)[0]["company"] == "Acme"
    assert plain(found)[0]["through"] == through


def test_search_follows_changes_of_contacts(office: Office) -> None:
    acme, other = office.add(company="Acme"), office.add(company="Other")
    jo = office("contacts add", acme, "Jo Fox")
    office("contacts edit", jo, {"name": "Joan Wolf"})
    assert office("clients search", "fox") == []
    assert [client.id for client in office("clients search", "wolf")] == [acme.id]
    office("contacts edit", stored(office, jo), {"client": other.id})
    assert [client.id for client in office("clients search", "wolf")] == [other.id]
    office("clients delete", other, yes=True)
    assert office("clients search", "wolf") == []
    office("history undo")
    assert [client.id for client in office("clients search", "wolf")] == [other.id]
    assert office.is_sound()


def test_a_client_is_found_once_and_before_weaker_matches(office: Office) -> None:
    fox = office.add(company="Fox")
    acme = office.add(company="Acme")
    for name in ("Jo Fox", "Al Fox", "Fox Mulder"):
        office("contacts add", acme, name)
        office("contacts add", fox, name)
    assert [client.id for client in office("clients search", "fox")] == [fox.id, acme.id]
    assert [client.through for client in office("clients search", "fox", limit=1)] == [""]


def test_a_record_is_chosen_by_name_where_that_is_enough(office: Office) -> None:
    acme, other = office.add(company="Acme"), office.add(company="Other")
    jo = office("contacts add", acme, "Jo Fox", email="jo@example.com")
    joan = office("contacts add", other, "Joan Fox")
    crm = office.crm
    assert selected(crm, Contact, "joan") == joan
    assert selected(crm, Contact, "jo fox") == jo
    assert selected(crm, Contact, "jo@example.com") == selected(crm, Contact, f"#{jo.id}") == jo
    assert selected(crm, Client, "joan fox") == other
    assert selected(crm, Client, "jo fox") == acme
    for written in ("fox", "nobody", ""):
        with pytest.raises(CRMError):
            selected(crm, Contact, written)
    with pytest.raises(NotFoundError) as several:
        selected(crm, Contact, "fox")
    assert f"Jo Fox of Acme ({jo.id})" in several.value.sentence
