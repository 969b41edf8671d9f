"""Clients at the menu, in a real terminal: added, found, edited, deleted, and nothing lost on the way."""

from datetime import date
from decimal import Decimal

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client, FollowUp, Sale
from tests.terminal.conftest import Start, add


def clients(crm: CRM) -> list[Client]:
    with crm.read() as snapshot:
        return list(snapshot.find_all(Client))


def test_the_first_run_welcomes_and_adds_the_first_client(start: Start, crm: CRM) -> None:
    session = start().sees("Welcome").sees("1) Add your first client").sees("0) Exit")
    assert any("Try it on sample data" in line for line in session.lines)
    session.press("1").sees("Is this a person or a company?").press("1").sees("First name")
    session.press("Anna", "enter").sees("Last name").press("Berg", "enter").sees("1) Save")
    session.press("2").sees("E-mail (").press("anna@", "enter").sees("That is not an e-mail address")
    session.press("example.com", "enter").sees("2) E-mail anna@example.com")
    session.press("1").sees("Added Anna Berg (no. 1)").sees("1) Record a sale")
    session.press("0").sees("Clients").sees("Regular 1").press("esc").sees("0) Exit").press("0")
    assert session.exit_code() == 0
    assert [(client.name, client.email, client.kind) for client in clients(crm)] == [
        ("Anna Berg", "anna@example.com", "person")
    ]


def test_the_welcome_page_finds_commands(start: Start) -> None:
    start().sees("Welcome").press("/").sees("Find").press("import").sees("Import a file").press("esc").sees("Welcome")


def test_a_possible_duplicate_is_shown_and_can_be_opened_instead(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna", last_name="Berg", email="anna@example.com")
    session = start().choose("Clients").sees("n new").press("n").choose("A person")
    session.sees("First name").press("Ann", "enter").sees("Last name").press("B", "enter").sees("1) Save")
    session.press("2").sees("E-mail (").press("anna@example.com", "enter").sees("2) E-mail anna@").press("1")
    session.sees("Possible duplicate").sees("2) Add anyway").sees("0) No, go back")
    session.press("0").sees("1) Save").sees("2) E-mail anna@example.com").press("1").sees("Possible duplicate")
    session.press("1").sees("Anna Berg no. 1").sees("1) Record a sale")
    assert len(clients(crm)) == 1


def test_a_duplicate_is_added_after_a_confirmation(start: Start, crm: CRM) -> None:
    add(crm, company="Berg Ltd")
    session = start().choose("Clients").sees("n new").press("n").choose("A company").sees("Company")
    session.press("Berg Ltd", "enter").sees("1) Save").press("1").sees("Possible duplicate").press("2")
    session.sees("Added Berg Ltd (no. 2)")
    assert [client.kind for client in clients(crm)] == ["company", "company"]


def test_a_form_shows_the_name_of_a_new_person_as_it_is_typed(start: Start, crm: CRM) -> None:
    add(crm, first_name="Joe", last_name="Miller")
    session = start().choose("Clients").sees("n new").press("n").choose("A person").sees("First name")
    session.press("enter").sees("Last name").press("enter").sees("A person needs a name: fill in the first or the last")
    session.sees("Last name (").press("Milner", "enter").sees("Add a client › Milner").choose("First name")
    session.press("Joe", "enter").sees("Add a client › Joe Milner").choose("Last name").press("kill", "Miler", "enter")
    # Somebody is called much like it already.
    session.sees("Add a client › Joe Miler").press("1").sees("Possible duplicate: Joe Miller (1)").press("2")
    session.sees("Added Joe Miler (no. 2)").choose("Edit").choose("Last name").press("kill", "Fox", "enter")
    session.sees("Joe Fox › Edit").press("1").sees("Saved: Joe Fox")


def test_a_sale_that_changes_the_status_says_why(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna", last_name="Berg")
    session = start().choose("Sales").sees("n new").press("n").sees("Client (")
    session.press("ann").sees("Anna Berg").press("enter").sees("Amount (")
    session.press("1.234,56", "enter").sees("Did you mean 1,234.56?").sees("): 1.234,56")
    session.press("kill", "35000", "enter").sees("Date (")
    session.sees("After this: $35,000.00 in 1 sale. Status becomes VIP.").press("fri", "enter").sees("Note (")
    with crm.read() as snapshot:
        assert snapshot.count(Sale) == 0
        assert snapshot.get(Client, 1).status == "Regular"
    session.press("enter")
    session.sees("Sale 1: $35,000.00 to Anna Berg yesterday").sees("Total now $35,000.00 in 1 sale")
    session.sees("Status: Regular → VIP").sees("VIP when total spend is at least $35,000.00 (total spend $35,000.00)")
    with crm.read() as snapshot:
        assert [(sale.amount, sale.on) for sale in snapshot.find_all(Sale)] == [
            (Decimal("35000.00"), date(2026, 11, 20))
        ]


def test_the_message_after_a_sale_leaves_the_contact_details_visible(start: Start, crm: CRM) -> None:
    anna = add(crm, first_name="Anna", last_name="Berg", email="anna@example.com", phone="0151 23456", city="Graz")
    named("follow-ups add")(crm, anna, what="call back", due=date(2026, 12, 1))
    session = start().choose("Clients").sees("Anna").press("1").sees("call back").press("1").sees("Amount (")
    session.press("36000", "enter").sees("Date (").press("enter").sees("Note (").press("enter")
    session.sees("Your first sale.").sees("Status: Regular → VIP").sees("0) Back")
    session.sees("Phone 0151 23456").sees("E-mail anna@example.com")


def test_editing_shows_the_old_value_to_change_and_empty_clears(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna", last_name="Berg", city="Graz", email="anna@example.com")
    session = start().sees("Clients").press("/").sees("Find").press("anna b").sees("anna@example.com").press("enter")
    session.choose("Edit").sees("1) Save").sees("8) City").press("8").sees("): Graz")
    session.press("\x05", "-Nord", "enter").sees("* Graz-Nord").press("2").sees("): anna@example.com")
    session.press("kill", "enter").sees("1) Save").press("1").sees("Saved: Anna Berg (no. 1)")
    assert [(client.city, client.email) for client in clients(crm)] == [("Graz-Nord", "")]


def test_a_change_by_somebody_else_is_shown_side_by_side(start: Start, crm: CRM) -> None:
    anna = add(crm, first_name="Anna", last_name="Berg", city="Graz")
    session = start().sees("Clients").press("/").sees("Find").press("1", "enter").choose("Edit")
    session.sees("8) City").press("8").sees("): Graz").press("kill", "Linz", "enter").sees("* Linz")
    named("clients edit")(crm, anna, {"city": "Wien", "owner": "Bo"})
    session.press("1").sees("Someone else changed this too").sees("City Graz Wien Linz")
    session.sees("1) Keep theirs: Wien").press("2").sees("* Linz").press("1").sees("Saved: Anna Berg")
    assert [(client.city, client.owner) for client in clients(crm)] == [("Linz", "Bo")]


def test_deleting_a_client_found_by_search_returns_to_the_list(start: Start, crm: CRM) -> None:
    for name in ("Anna", "Bo", "Cy"):
        add(crm, first_name=name, last_name="Berg")
    session = start().choose("Clients").sees("1-3 of 3").press("1").sees("Anna Berg no. 1").press("/").sees("Find")
    session.press("bo berg", "enter").sees("Bo Berg no. 2").press("d").sees("1) Delete").press("1")
    session.sees("Deleted Bo Berg.").sees("1-2 of 2").sees("Cy Berg").press("u").choose("Undo it").sees("1-3 of 3")
    session.press("0").sees("Anna Berg no. 1")


def test_more_opens_the_lists_of_a_client_and_its_account(start: Start, crm: CRM) -> None:
    anna = add(crm, first_name="Anna", last_name="Berg")
    named("invoices add")(crm, anna, ["3 h Consulting 100 19%"])
    session = start().press("/").sees("Find").press("1", "enter").sees("Anna Berg no. 1").choose("More")
    session.sees("1) Sales").choose("Invoices and payments").sees("Anna Berg › Invoices and payments")
    session.choose("Invoices").sees("1-1").sees("draft 1").press("esc").sees("Anna Berg no. 1")
    # From a step that one leaves one is where one came from.
    session.choose("More").choose("Invoices and payments").choose("Record a payment").sees("Amount").press("esc")
    session.sees("Record a payment").sees("0) Back").press("esc").sees("5) Invoices and payments")


def test_deleting_asks_and_can_be_undone(start: Start, crm: CRM) -> None:
    anna = add(crm, first_name="Anna", last_name="Berg")
    named("sales add")(crm, anna, Decimal("100.00"))
    session = start().press("/").sees("Find").press("1", "enter").sees("Anna Berg no. 1").press("d")
    session.sees("This deletes Anna Berg and 1 sale").sees("0) No, go back").press("1").sees("Deleted Anna Berg")
    assert clients(crm) == []
    session.press("u").sees("Undo: deleted Anna Berg").press("1").sees("Undone: deleted Anna Berg")
    assert [(client.name, client.total_spend) for client in clients(crm)] == [("Anna Berg", Decimal("100.00"))]


def test_a_client_is_deleted_from_its_card_without_knowing_the_key(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna", last_name="Berg")
    session = start().press("/").sees("Find").press("1", "enter").choose("More").choose("Delete")
    session.sees("This deletes Anna Berg.").press("esc").sees("Merge a duplicate")


def test_a_sale_of_0_is_refused_before_anything_else_is_asked(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna", last_name="Berg")
    session = start().press("/").sees("Find").press("1", "enter").sees("1) Record a sale").press("r")
    session.sees("Amount (").press("0", "enter").sees("A sale must be more than 0").lacks("Date (")


def test_a_long_text_of_a_call_goes_on_where_there_is_room(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna", last_name="Berg")
    text = "wants a new roof " * 40
    session = start().press("/").sees("Find").press("1", "enter").sees("1) Record a sale").press("l")
    session.choose("Call").sees("Call (").press(text, "enter").sees("all of it is under Text").choose("Save")
    session.sees("Logged")
    (logged,) = named("interactions list")(crm)
    assert logged.subject.startswith("wants a new roof")
    assert len(logged.subject) <= 100
    assert logged.body == text.strip()


def test_merging_shows_both_clients_and_keeps_the_chosen_values(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna", last_name="Berg", city="Graz")
    bergs = add(crm, first_name="Anna", last_name="Bergs", phone="+43 660 1234567")
    named("sales add")(crm, bergs, Decimal("70.00"))
    session = start().sees("Clients").press("/").sees("Find").press("1", "enter")
    session.choose("More").choose("Merge a duplicate").sees("Duplicate to merge into it").press("2", "enter")
    session.sees("Kept: no. 1")
    session.sees("Last name:").sees("1) Berg").press("2").sees("Its 1 sale moves too").press("1")
    session.sees("Anna Bergs (no. 1)")
    assert [(client.name, client.city, client.total_spend) for client in clients(crm)] == [
        ("Anna Bergs", "Graz", Decimal("70.00"))
    ]


def test_several_clients_are_tagged_at_once(start: Start, crm: CRM) -> None:
    for name in ("Anna", "Bo", "Carla"):
        add(crm, first_name=name, city="" if name == "Bo" else "Graz")
    session = (
        start()
        .press("/")
        .sees("Find")
        .press("tags", "down", "enter")
        .choose("All matching a condition")
        .sees("Condition")
        .press("days_since_added = 0 and", "enter")
        .sees("^")
    )
    session.press("kill", "days_since_added = 0", "enter").sees("Where: days_since_added = 0")
    session.sees("Tags to add (").press("gold", "enter").sees("Tags to remove (").press("enter")
    session.sees("This changes the tags of 3 clients: +gold. It can be undone.").press("1").sees("Tags: 3 clients")
    assert {client.tags for client in clients(crm)} == {("gold",)}


def test_r_on_the_list_of_clients_records_a_sale_for_the_selected_client(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna", "last_name": "Berg"})
    named("clients add")(crm, {"company": "Acme"})
    session = start().choose("Clients").sees("Anna Berg").press("down").sees("» 2").press("r")
    session.sees("Amount (").press("12", "enter").sees("Date (").press("enter").sees("Note").press("enter")
    session.sees("Sale 1: $12.00 to Anna Berg")
    with crm.read() as snapshot:
        (sale,) = snapshot.find_all(Sale)
    assert (sale.client, sale.amount) == (1, 12)


def test_the_smallest_window_shows_recent_events_and_open_items(start: Start, crm: CRM) -> None:
    anna = add(crm, first_name="Anna", last_name="Berg", email="anna@example.com", phone="+1 212 555 0100")
    for amount in range(1, 6):
        named("sales add")(crm, anna, Decimal(amount), None, f"Oak stool {amount}")
    named("follow-ups add")(crm, anna, "call her", crm.today)
    named("payments add")(crm, anna, Decimal(3))
    named("deals add")(crm, anna, "Benches", Decimal(100), crm.today, notes="for the hall")
    session = start(columns=40, lines=20).choose("Clients").press("1").sees("Next").sees("Billing").sees("$3.00")
    session.sees("Payment 1").sees("0) Back").settled()
    session.press("esc", "esc").choose("Deals").press("enter").sees("Mark as won").sees("Payment 1")
    session.sees("Expected close today")


def test_a_small_window_shows_how_a_client_is_reached_after_a_sale_too(start: Start, crm: CRM) -> None:
    anna = add(
        crm, first_name="Anna", last_name="Berg", email="anna@example.com", phone="+43 1 5150",
        address="Main Street 2", postcode="1010", city="Vienna", country="AT",
    )  # fmt: skip
    named("deals add")(crm, anna, "Roof", Decimal(500))
    named("deals add")(crm, anna, "Floor", Decimal(300))
    named("invoices add")(crm, anna, line=["1 x Plan 100"])
    named("sales add")(crm, anna, Decimal(100))
    session = start().choose("Clients").sees("Anna").press("1").sees("Open 2 deals $800.00 · 1 draft invoice")
    session.sees("Address Main Street 2, 1010 Vienna, Austria")
    session = start(columns=40, lines=20).choose("Clients").sees("Anna").press("1").sees("0) Back").press("1")
    session.sees("Amount").press("320", "enter").sees("Date").press("enter").sees("Note").press("enter").sees("0) Back")
    session.sees("Phone +43 1 5150").sees("Address Main Street 2, 1010 Vienna").sees("$320.00 Sale 2")


@pytest.mark.parametrize(("columns", "lines"), [(40, 20), (80, 24)])
def test_the_latest_contact_and_an_overdue_step_are_seen_in_any_window(
    start: Start, crm: CRM, columns: int, lines: int
) -> None:
    anna = add(
        crm, first_name="Anna", last_name="Berg", email="anna@example.com", phone="+43 1 5150",
        address="Main Street 2", postcode="1010", city="Vienna", country="AT", tags=("gift",), notes="likes oak",
    )  # fmt: skip
    named("interactions add")(crm, anna, "call", subject="wants a table", on=date(2026, 11, 2))
    late = FollowUp(client=anna.id, due_on=date(2026, 11, 14), what="ask for the size", user="Ben")
    crm.transact(lambda tx: tx.add(late), "put there by a test")
    named("deals add")(crm, anna, "Roof", Decimal(500))
    for day in range(3, 20):
        named("sales add")(crm, anna, Decimal(day), date(2026, 11, day))

    def seen() -> None:
        session.sees("0) Back").sees("E-mail anna@example.com").sees("Phone +43 1 5150").sees("Address Main Street 2")
        session.sees("ask for the size").sees("Nov 2").sees("Call: wants a table")

    session = start(columns=columns, lines=lines).choose("Clients").sees("Anna").press("1").sees("Sale 17")
    seen()
    session.press("1").sees("Amount").press("40000", "enter").sees("Date").press("enter").sees("Note").press("enter")
    session.sees("Status: Regular → VIP")
    seen()
    # The reason is said once, where there is room for it.
    assert session.settled().text.count("at least") == (columns == 80)
