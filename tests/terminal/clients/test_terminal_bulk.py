"""Bulk actions at the menu, in a real terminal: clients marked one by one or all of a list, and changed together."""

import csv
import io
import json
import re
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client, Sale, View
from crm.repository import Query
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.session import Session
from tests.terminal.conftest import Start


@pytest.fixture(autouse=True)
def company(crm: CRM) -> None:
    """Thirty clients, a third of them in Graz; the last has bought for 30 000, the one before for 29 000, and so on."""

    def change(tx: Any) -> None:
        for number in range(1, 31):
            city = ("Graz", "Linz", "Wien")[number % 3]
            client = tx.add(Client(kind="person", first_name="Client", last_name=f"{number:02}", city=city))
            tx.add(Sale(client=client.id, on=date(2026, 11, 1), amount=Decimal(number * 1000)))

    crm.transact(change, "filled")


def clients(crm: CRM, **filters: Any) -> list[Client]:
    with crm.read() as snapshot:
        return list(snapshot.find_all(Client, Query(filters, sort="id")))


def listed(start: Start, **how: Any) -> Any:
    """A session that looks at the list of clients."""
    return start(**how).choose("Clients").sees("of 30")


def views(crm: CRM) -> list[tuple[str, str, str]]:
    with crm.read() as snapshot:
        return [(view.name, view.condition, view.sort) for view in snapshot.find_all(View, Query(sort="name"))]


@pytest.mark.parametrize(("columns", "more"), [(80, {}), (40, {}), (80, {"NO_COLOR": "1"})])
def test_clients_marked_on_several_pages_are_tagged(start: Start, crm: CRM, columns: int, more: dict[str, str]) -> None:
    session = listed(start, columns=columns, **more)
    # Space marks the row that is pointed at, and points at the next.
    session.press("down", " ").sees("1 marked").sees("2) *").sees("» 3)")
    session.press(" ").sees("2 marked").press("up", " ").sees("1 marked").lacks("3) *")
    # A number still opens its row, and what is marked stays so.
    session.press("2").sees("Client 02 no. 2").press("esc").sees("1 marked").sees("2) *").press("]").sees(
        "19-30 of 30" if columns == 80 else "11-20 of 30"
    )
    session.press("down", " ").sees("2 marked").sees("2) *").settled()
    # All of the page is on the screen.
    assert any("Clients" in line for line in session.lines[:1])
    session.press("g").sees("2 clients:").choose("Add or remove tags")
    session.sees(f"Clients: Client 02, Client {20 if columns == 80 else 12}")
    session.sees("Tags to add").press("gold", "enter").sees("Tags to remove").press("enter").sees("Tags: 2 clients")
    session.sees("of 30")
    assert [client.id for client in clients(crm, tags=("gold",))] == [2, 20 if columns == 80 else 12]
    if more:
        assert not re.search(rb"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])[;m]", session.raw)


def test_marks_are_not_carried_over_to_another_list(start: Start) -> None:
    session = listed(start).press(" ").sees("1 marked").sees("d delete   t tags   m e-mail").sees("1) * Client 01")
    session.press("f").choose("City")
    session.sees("City").press("graz", "enter").sees("1-10 of 10 · City: graz")


def test_keys_act_on_the_marked_clients_and_not_on_the_selected_one(start: Start, crm: CRM) -> None:
    session = listed(start).press(" ").sees("1 marked").press(" ").sees("2 marked").sees("» 3)")
    session.press("h").sees("2 clients are marked, and this key works on one.").press("r").sees("unmark with space")
    session.press("t").sees("Clients: Client 01, Client 02").press("esc").sees("2 marked")
    session.press("d").sees("This deletes 2 clients").choose("Delete").sees("2 clients deleted").lacks("marked")
    assert [client.id for client in clients(crm)] == list(range(3, 31))


def test_all_clients_of_a_list_are_edited_after_a_count_and_undone(start: Start, crm: CRM) -> None:
    before = clients(crm)
    session = listed(start).press("f").choose("City").sees("City").press("graz", "enter")
    session.sees("1-10 of 10 · City: graz").press("g").sees("No client is marked.")
    session.sees("Clients › Bulk actions").lacks("Spent $")
    # What takes all of them is not what Enter answers.
    session.press("enter").sees("Space marks the selected row").press("g").choose("All 10 clients")
    session.sees("Clients › Bulk actions").sees("10 clients:").choose("Edit fields").sees("1) Continue")
    session.press("1").sees("Name at least one field to change").choose("Owner").sees("Owner (").press("Bo", "enter")
    session.sees("* Bo").choose("City").sees("City (").press("-", "enter").sees("* (empty)").choose("Marketing")
    session.choose("Yes").sees("* yes").choose("Marketing").choose("Leave unchanged").choose("Own fields")
    session.sees("Own fields to add").press("hat=L", "enter").sees("* hat: L").press("esc")
    session.sees("Your changes are not saved yet.").press("esc").sees("* Bo").press("1")
    session.sees("This changes 10 clients: Owner: Bo; City: (empty); Own fields: hat: L. It can be undone.")
    session.press("enter").sees("* (empty)").press("1").sees("This changes 10 clients").press("n").sees("* (empty)")
    session.press("1").sees("This changes 10 clients").press("Y").sees("10 clients changed")
    session.sees("No matches").press("u").sees("Undo: edited clients with City: graz: Owner: Bo")
    assert len(clients(crm, owner="Bo", city="")) == 10
    session.press("1").sees("Undone").sees("of 10")
    assert [(client.owner, client.city, client.extra) for client in clients(crm)] == [
        (client.owner, client.city, client.extra) for client in before
    ]


def test_all_clients_of_a_view_are_deleted_after_a_count_and_undone(start: Start, crm: CRM) -> None:
    named("views save")(crm, "Big", "total_spend > 25000")
    session = (
        start().press("/").sees("Find").press("delete several", "enter").choose("All in a saved view").choose("Big")
    )
    session.sees("This deletes 5 clients, 5 sales. It can be undone.").press("esc").sees("Which clients?")
    session.choose("All in a saved view").choose("Big").sees("Type 5 to confirm").press("enter")
    session.sees("This is required")
    session.press("4", "enter").sees("Type 5 to confirm, or Esc").press("kill", "5", "enter")
    session.sees("5 clients deleted, 5 sales")
    assert len(clients(crm)) == 25
    session.press("u").sees("Undo: deleted clients in the view Big").press("1").sees("Undone")
    assert [client.total_spend for client in clients(crm)] == [Decimal(number * 1000) for number in range(1, 31)]


def test_marked_clients_that_were_deleted_are_reported(start: Start, crm: CRM) -> None:
    session = listed(start).press(" ").sees("1 marked")
    named("clients delete")(crm, clients(crm)[0], yes=True)
    session.press("g").sees("The clients you marked no longer exist.").sees("of 29")


def test_all_clients_of_a_list_are_exported(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "graz.csv"
    session = listed(start).press("f").choose("A condition").sees("Condition (")
    session.press("total_spend > 27000", "enter").sees("1-3 of 3").press("g").choose("All 3")
    session.choose("Export to a file").sees("File (")
    session.press(str(tmp_path / "graz.pdf"), "enter").sees("he extension sets the format").sees("graz.pdf")
    session.press("kill", str(file), "enter").sees("3 clients in").sees("1-3 of 3")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        assert [row["Last name"] for row in csv.DictReader(opened)] == ["28", "29", "30"]


def test_an_export_asks_which_clients(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "some.json"
    session = start().choose("Data").choose("Export to a file").sees("File (").press("some.doc", "enter")
    # What is wrong is told at once, and not when one goes back.
    session.sees("he extension sets the format").press("kill", f"{tmp_path}/none/some.json", "enter").choose("Clients")
    session.sees("does not exist").sees("Export:").press("esc").sees("File (").press("kill", str(file), "enter")
    session.choose("Some of the clients").choose("One by one").choose("Add a client").sees("Client (").press(
        "3", "enter"
    )
    session.sees("Clients: Client 03").choose("Continue with these").sees("1 client in")
    assert [record["last_name"] for record in json.loads(file.read_text("utf-8"))] == ["03"]
    session.choose("Export to a file").sees("File (").press(str(tmp_path / "all.vcf"), "enter").choose("Everything")
    session.sees("A vCard file holds clients only").choose("Clients").sees("30 clients in")


def test_a_list_is_saved_as_a_view_and_the_view_is_renamed_changed_and_removed(start: Start, crm: CRM) -> None:
    session = listed(start).press("f").choose("A condition").sees("Condition (")
    session.press("total_spend > 28000", "enter").sees("1-2 of 2").press("s").choose("Total spend").sees("1) Client 30")
    session.press("v").choose("Save this list").sees("Name of the view").press("Big", "enter")
    session.sees("Saved the view Big").sees("1-2 of 2 · view Big").sees("1) Client 30")
    assert views(crm) == [("Big", "total_spend > 28000", "-total_spend")]
    session.press("f").choose("Person or company").choose("person").sees("view Big, Kind: person").press("v")
    session.choose("Save this list").sees("Name of the view: Big").press("enter")
    session.sees("There is already a view called Big")
    session.choose("Change it").sees("Saved the view Big")
    assert views(crm) == [("Big", "total_spend > 28000 and kind = 'person'", "-total_spend")]
    session.press("v").choose("Rename, change or remove").sees("1) Big").press("1").choose("Rename it")
    session.sees("New name: Big").press("kill", "Largest", "enter").sees("Big is called Largest now").press("1")
    session.choose("Change it").sees("Condition (").press("kill", "total_spend > and 3", "enter").sees("Sort by")
    session.press("enter").sees("^").sees("Condition").press("kill", "total_spend > 3", "enter")
    session.sees("Largest total_spend > 3")
    assert views(crm) == [("Largest", "total_spend > 3", "-total_spend")]
    session.press("1").choose("Remove it").sees("Remove the view Largest?").choose("Remove")
    session.sees("Removed the view Largest")
    assert views(crm) == []


def test_a_list_that_no_view_can_hold_says_why(start: Start, crm: CRM) -> None:
    session = listed(start).press("f").choose("Source").sees("Source").press("y", "enter").sees("Source: y")
    session.sees("No matches").press("v").choose("Save this list").sees("No client has that source")
    assert views(crm) == []


def test_a_tag_to_filter_by_is_one_of_those_there_are(start: Start, crm: CRM) -> None:
    for number, tags in ((1, ("gold",)), (2, ("hot lead",)), (3, ("gold", "hot lead"))):
        named("clients edit")(crm, clients(crm)[number - 1], {"tags": tags})
    session = (
        listed(start).press("f").choose("Tag").sees("1) gold").choose("hot lead").sees("1-2 of 2 · Tags: hot lead")
    )
    session.press("f").choose("Tag").choose("Several tags").press("gold, hot lead", "enter").sees("1-1 of 1")
    # What finds nothing does not lead to the main menu alone.
    session.press("f").choose("City").press("Rom", "enter").sees("No matches.").sees("» 1) Show all again")
    session.press("enter").sees("of 30")


def test_a_company_is_beside_each_client_that_a_search_for_it_found(start: Start, crm: CRM) -> None:
    for name in ("Siobhan", "Megan"):
        person = {"first_name": name, "last_name": "Ott", "company": "Buckeye Bottling", "email": f"{name}@example.com"}
        named("clients add")(crm, person)
    session = start().choose("Follow-ups").press("n").sees("Client (").press("buckeye", "enter")
    session.sees("Siobhan Ott · Buckeye Bottling · Siobhan@example.com")
    session.press("esc", "esc", "q").sees("call Acme").press("call buckeye", "enter").sees("Which one?")
    session.sees("Megan Ott · Buckeye Bottling")
    # In a narrow window, too, the card says where a person works.
    narrow = start(columns=40, lines=20).press("/").sees("Find").press("megan ott", "enter")
    narrow.sees("Company  Buckeye Bottling").sees("E-mail").sees("0) Back")


def test_a_view_that_cannot_be_read_says_where_and_the_list_goes_on(start: Start, crm: CRM) -> None:
    crm.transact(lambda tx: tx.add(View(name="Broken", condition="total_spend > and 5")), "typed in the sheet")
    session = listed(start).press("v").choose("Broken")
    session.sees("The condition of the view Broken cannot be read").sees("^").sees("of 30")


def lines(crm: CRM, *typed: str) -> str:
    """The output of a line-by-line menu, from the list of clients on."""
    load_flows()
    out = io.StringIO()
    screen = Screen(out, plain=True)
    with closing(Session(crm, LineKeyboard(io.StringIO("\n".join(typed) + "\n"), screen), screen)) as session:
        session.attempt(lambda: session.start(named("clients list")))
    return out.getvalue()


def test_bulk_actions_work_line_by_line(crm: CRM) -> None:
    text = lines(crm, "mark", "1", "4", "stop marking", "g", "2", "2", "Bo", "1", "1", "0")
    assert "1  * Client 01" in text
    assert "This changes 2 clients: Owner: Bo. It can be undone." in text
    assert "OK: 2 clients changed" in text or "✓ 2 clients changed" in text
    assert [client.id for client in clients(crm, owner="Bo")] == [1, 4]
    assert "\x1b" not in text
