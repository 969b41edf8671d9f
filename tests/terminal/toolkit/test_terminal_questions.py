"""Questions in the frame of a page, in any window: a title, keys at the bottom, and nothing out of date."""

import re
from decimal import Decimal

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from tests.terminal.conftest import Start


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 20), (40, 12)])
def test_an_invoice_is_issued_only_after_its_answer_is_seen(start: Start, crm: CRM, columns: int, lines: int) -> None:
    address = {"address": "1 Elm Street", "city": "Toledo", "country": "US"}
    client = named("clients add")(crm, {"company": "Acme", **address})
    for key, value in (
        ("company_name", "Buckeye"), ("company_address", "12 High St"), ("company_city", "Columbus"),
        ("country", "US"), ("tax_number", "12-3456789"),
    ):  # fmt: skip
        named("settings set")(crm, key, value)
    named("invoices add")(crm, client=client, line=["10 h Consulting 150 0%"])
    session = start(columns=columns, lines=lines).choose("Billing").choose("Invoices").sees("1-1").press("1")
    session.choose("Issue it").sees("» 0) No, go back").sees("1) Issue it").settled()
    assert "only credited." in session.text
    assert session.lines[0].startswith("Invoices › Draft 1 › Issue")
    if lines >= 20:
        assert re.search(r"It does not say how to pay: .* It gets the next", " ".join(session.text.split()))
        assert "4) Set first: Payment terms" in session.text
    session.press("?").sees("any key").press("x").sees("» 0) No").press("down").sees("» 1) Issue it").press(
        "up", "enter"
    )
    session.sees("1) Add a line")


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


def test_the_keys_of_every_question_are_at_the_bottom(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start().choose("Clients").sees("1-1").press("1").sees("Record a sale").press("e").sees("Save")
    session.choose("Last name").sees("Last name").settled()
    assert session.lines[-1] == " enter done   esc back"
    session.press("esc").sees("Save").press("esc").sees("Timeline").press("1").sees("Amount").settled()
    assert session.lines[0] == "Clients › Anna › Record a sale"
    assert session.lines[-1] == " enter next   esc back"
    session.press("12", "enter").sees("Date").settled()
    assert session.lines[-1] == " enter next   ↑ ↓ fields   esc back"


def test_the_hint_after_a_wrong_key_disappears_with_the_next_key(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start().sees("1) Today").press("T").sees("T is not a choice here").press("down")
    session.lacks("T is not a choice here").sees("? keys")


def test_esc_in_a_changed_form_warns_and_keeps_the_form_open(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start().choose("Clients").sees("1-1").press("1").sees("Record a sale").press("e").sees("Save")
    session.choose("Last name").press("Arm", "enter").sees("* Arm").press("esc").sees("not saved yet").press("0")
    session.sees("Ctrl-C twice discards your changes").sees("0) Back").sees("1) Save")


def test_a_refused_line_does_not_look_accepted(start: Start, crm: CRM) -> None:
    client = named("clients add")(crm, {"first_name": "Anna"})
    named("services add")(crm, "Joinery", Decimal(80))
    named("invoices add")(crm, client=client, line=["1 h Work 100 0%"])
    session = start().choose("Billing").choose("Invoices").sees("1-1").press("1").choose("Add a line")
    session.choose("Type a line").sees("Line, like").press("Travel", "enter").sees("no service has that")
    session.press("Fare", "enter").sees("Say what").settled()
    assert "Line: Travel" not in session.text
    session.press(" 12", "enter").sees("$12.00")


def test_the_lines_of_a_question_are_aligned(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Bo"})
    session = start().sees("1) Today").press("u").sees("Undo it").settled()
    asked = [line for line in session.lines if line.strip().startswith(("Undo:", "Removes"))]
    assert len(asked) == 2
    assert all(line.startswith(" ") and not line.startswith("  ") for line in asked), session.text


def test_a_narrow_list_fills_its_window_and_shows_that_it_goes_on(start: Start, crm: CRM) -> None:
    for number in range(12):
        named("clients add")(crm, {"first_name": f"Anna {number:02}"})
    session = start(columns=40, lines=20).choose("Clients").sees("1-8 of 12").sees("Anna 07").settled()
    assert session.lines[-1] == " 0 back   ] next   / search   ? keys"
    session.press("]").sees("Anna 11")


def test_a_narrow_window_shows_the_total_of_an_invoice_and_the_key_to_go_back(start: Start, crm: CRM) -> None:
    client = named("clients add")(crm, {"company": "Acme"})
    lines = [f"1 h Work{number} 10 0%" for number in range(9)]
    named("invoices add")(crm, client=client, line=lines)
    session = start(columns=40, lines=20).choose("Billing").choose("Invoices").sees("1-1").press("1").sees("Add a line")
    session.sees("$90.00").settled()
    assert "0 back" in session.lines[-1] or "0) Back" in session.text


@pytest.mark.parametrize(("columns", "lines"), [(120, 40), (40, 20)])
def test_a_question_is_drawn_at_every_window_size(start: Start, crm: CRM, columns: int, lines: int) -> None:
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


def test_a_client_that_is_asked_for_again_is_not_shown_beside_the_question(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna", "email": "anna@example.com"})
    session = start(columns=120, lines=30).press("r").sees("Client").press("anna", "enter").sees("Amount")
    session.sees("│ Anna").press("esc").sees("type part of the name").lacks("│  Anna")


def test_a_narrow_line_of_keys_shows_as_many_keys_as_fit(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start(columns=40, lines=20).sees("1) Today").settled()
    assert session.lines[-1] == " n new   u undo   / search   ? keys"


@pytest.mark.parametrize(("background", "ground"), [("dark", "303030"), ("light", "eeeeee"), ("", "default")])
def test_the_chosen_row_has_a_ground_of_its_own(start: Start, crm: CRM, background: str, ground: str) -> None:
    named("clients add")(crm, {"last_name": "Berg"})
    session = start(CRM_BACKGROUND=background).choose("Clients").sees("» 1) Berg").settled()
    for line, text in enumerate(session.lines):
        grounds = {session.screen.buffer[line][column].bg for column in range(80)}
        assert grounds == {ground if "» 1) Berg" in text else "default"}, text
