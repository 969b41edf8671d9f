"""Questions in the frame of a page, in any window: a title, keys at the bottom, and nothing out of date."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named

Start = Callable[..., Any]


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 20)])
def test_a_list_of_answers_scrolls_below_its_title_and_above_its_keys(
    start: Start, crm: CRM, columns: int, lines: int
) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start(columns=columns, lines=lines).choose("Billing").choose("Services").press("n")
    session.sees("Name").press("Joinery", "enter").sees("Price").press("80", "enter").sees("1) Piece").settled()
    assert session.lines[0] == "Services › Add a service"
    assert session.lines[-1].startswith(" 0 back   type to narrow the list")
    assert "80.00" in session.text
    # A letter that fits nothing is forgotten with what was narrowed.
    session.press("x", "y", "z").sees("No entry matches yz.").send("esc").lacks("No entry matches").sees("2) Hour")
    session.press("*").sees("No entry matches *.").press("down").lacks("No entry matches").sees("type to narrow")
    session.press("2").sees("Joinery").sees("Save").press("1").sees("Added Joinery.")


def test_the_keys_of_a_question_are_at_the_bottom_whatever_it_asks(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start().choose("Clients").sees("1-1").press("1").sees("Record a sale").press("e").sees("Save")
    session.choose("Last name").sees("Last name").settled()
    assert session.lines[-1] == " enter done   esc back"
    session.press("esc").sees("Save").press("esc").sees("Timeline").press("1").sees("Amount").settled()
    assert session.lines[0] == "Clients › Anna › Record a sale"
    assert session.lines[-1] == " enter next   esc back"
    session.press("12", "enter").sees("Date").settled()
    assert session.lines[-1] == " enter next   ↑ ↓ fields   esc back"


def test_what_a_wrong_key_was_told_goes_with_the_next_key(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start().sees("1) Today").press("T").sees("T is not a choice here").press("down")
    session.lacks("T is not a choice here").sees("? keys")


def test_a_form_that_was_left_with_changes_keeps_its_way_back(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start().choose("Clients").sees("1-1").press("1").sees("Record a sale").press("e").sees("Save")
    session.choose("Last name").press("Arm", "enter").sees("* Arm").press("esc").sees("not saved yet").press("0")
    session.sees("Ctrl-C twice discards your changes").sees("0) Back").sees("1) Save")


def test_a_line_that_was_refused_does_not_stand_there_as_if_it_was_accepted(start: Start, crm: CRM) -> None:
    client = named("clients add")(crm, {"first_name": "Anna"})
    named("services add")(crm, "Joinery", Decimal(80))
    named("invoices add")(crm, client=client, line=["1 h Work 100 0%"])
    session = start().choose("Billing").choose("Invoices").sees("1-1").press("1").choose("Add a line")
    session.choose("Type a line").sees("Line, like").press("Travel", "enter").sees("no service has that")
    session.press("Fare", "enter").sees("Say what").settled()
    assert "Line: Travel" not in session.text
    session.press(" 12", "enter").sees("$12.00")


def test_the_lines_of_a_question_stand_below_each_other(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Bo"})
    session = start().sees("1) Today").press("u").sees("Undo it").settled()
    asked = [line for line in session.lines if line.strip().startswith(("Undo:", "Removes"))]
    assert len(asked) == 2
    assert all(line.startswith(" ") and not line.startswith("  ") for line in asked), session.text


def test_a_narrow_list_fills_its_window_and_says_that_there_is_more(start: Start, crm: CRM) -> None:
    for number in range(12):
        named("clients add")(crm, {"first_name": f"Anna {number:02}"})
    session = start(columns=40, lines=20).choose("Clients").sees("1-8 of 12").sees("Anna 07").settled()
    assert session.lines[-1] == " 0 back   ] next   / search   ? keys"
    session.press("]").sees("Anna 11")


def test_an_invoice_says_what_it_comes_to_and_how_one_goes_back_in_a_narrow_window(start: Start, crm: CRM) -> None:
    client = named("clients add")(crm, {"company": "Acme"})
    lines = [f"1 h Work{number} 10 0%" for number in range(9)]
    named("invoices add")(crm, client=client, line=lines)
    session = start(columns=40, lines=20).choose("Billing").choose("Invoices").sees("1-1").press("1").sees("Add a line")
    session.sees("$90.00").settled()
    assert "0 back" in session.lines[-1] or "0) Back" in session.text


@pytest.mark.parametrize(("columns", "lines"), [(120, 40), (40, 20)])
def test_a_question_is_drawn_whatever_size_its_window_gets(start: Start, crm: CRM, columns: int, lines: int) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start(columns=columns, lines=lines).choose("Clients").sees("1-1").press("n").sees("A person").press("1")
    session.sees("First name").settled()
    for size in [(8, 30), (3, 20), (30, 44), (lines, columns)]:
        session.screen.resize(*size)
        drawn = len(session.raw)
        session.child.setwinsize(*size)
        session._until(lambda: len(session.raw) > drawn, "not drawn")  # noqa: B023 - called here
        session.settled().sees("First name")
        if size[0] > 3:
            assert session.lines[-1].startswith(" enter next   esc back")
            assert session.lines[0].endswith("Add a client")
            assert sum(set(line) == {"─"} for line in session.lines) == 1


def test_a_client_who_is_asked_for_again_does_not_stand_beside_the_question(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna", "email": "anna@example.com"})
    session = start(columns=120, lines=30).press("r").sees("Client").press("anna", "enter").sees("Amount")
    session.sees("│ Anna").press("esc").sees("type part of the name").lacks("│  Anna")


def test_a_narrow_line_of_keys_names_each_key_that_it_has_room_for(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start(columns=40, lines=20).sees("1) Today").settled()
    assert session.lines[-1] == " n new   u undo   / search   ? keys"
