"""Messages after an action: shown on the next page, and within its size, in a real terminal."""

from decimal import Decimal
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client
from tests.terminal.conftest import Start, add

SCIENTIST = "👩‍🔬"


def card(session: Any, number: int) -> Any:
    """Open the card of a client."""
    return session.sees("Exit").press("/").sees("Find").press(str(number), "enter").sees(f"no. {number}")


def test_a_deletion_from_a_card_is_reported_on_the_next_page(start: Start, crm: CRM) -> None:
    add(crm, last_name="Berg")
    add(crm, last_name="Huber")
    session = card(start(), 2).press("d").sees("This deletes Huber").press("1")
    session.sees("Deleted Huber. Press u to undo.").sees("1-1 of 1")
    session.press("u").sees("Undo: deleted Huber").press("1").sees("Undone: deleted Huber").sees("1-2 of 2")


def test_undone_changes_are_redone_step_by_step(start: Start, crm: CRM) -> None:
    add(crm, last_name="Berg")
    add(crm, last_name="Huber")
    session = start().press("U").sees("Nothing to redo").press("u").sees("added Huber").press("1")
    session.sees("U redoes it.").press("u").sees("added Berg").press("1").sees("Undone: added Berg")
    session.press("U").sees("Redo: added Berg?").press("1").sees("Redone: added Berg")
    session.press("U").sees("Redo: added Huber?").press("1").sees("Redone: added Huber")
    session.press("U").sees("Nothing to redo")
    with crm.read() as snapshot:
        assert snapshot.count(Client) == 2


def test_an_undone_addition_is_reported_on_the_next_page(start: Start) -> None:
    session = start().choose("Add your first client").choose("A person").sees("First name")
    session.press("Bo", "enter").sees("Last name").press("enter").choose("Save").sees("Added Bo (no. 1)")
    session.press("u").sees("Undo: added Bo").press("1").sees("Undone: added Bo")
    assert "Added Bo (no. 1)" not in session.settled().text


def test_the_card_shows_the_new_name_at_once(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna", last_name="Berg")
    session = card(start(), 1).choose("Edit").choose("Last name").sees("Last name").press("kill", "Tal", "enter")
    session.choose("Save").sees("Saved: Anna Tal").settled()
    assert session.lines[0] == "Clients › Anna Tal"


@pytest.mark.parametrize(("key", "words"), [("?", "opens the line marked"), ("esc", "0 to exit"), ("c-c", "0 to exit")])
@pytest.mark.parametrize("lines", [16, 24])
def test_the_title_of_the_main_menu_stays_above_any_message(
    start: Start, crm: CRM, key: str, words: str, lines: int
) -> None:
    for name in ("Ada", "Bo", "Cy"):
        add(crm, first_name=name, last_name="Berg")
    session = start(lines=lines).sees("Exit").settled()
    assert session.lines[0].split() == ["CRM", "Sat,", "Nov", "21", "·", "tester"]
    session.press(key).sees(words).settled()
    assert session.lines[0].startswith("Keys" if key == "?" else "CRM")
    # The first page has no way back but the exit.
    assert "goes back" not in session.text
    assert "leaves a form" not in session.text
    if "Press any key to continue" in session.text:
        session.press("x").sees("Exit").settled()
        assert session.lines[0].startswith("CRM  ")


def test_columns_stay_aligned_whatever_characters_a_name_has(start: Start, crm: CRM) -> None:
    for name in ("Anna", f"{SCIENTIST} Bo", "家族 Cy", "👍🏽 Di", "Ed ❤️"):
        add(crm, last_name=name, city="Graz")
    session = start().choose("Clients").sees("1-5 of 5").settled()
    # A wide character takes two cells of the screen, the second of which is empty.
    cells = [[session.screen.buffer[line][at].data or " " for at in range(80)] for line in range(24)]
    # The screen of the tests drops what follows a joiner, up to the next colour.
    rows = ["".join(row) for row in cells if SCIENTIST[0] not in "".join(row)]
    assert len({row.index("Regular") for row in rows if "Regular" in row}) == 1, session.text


def test_a_month_without_a_comparison_is_shown_without_a_dash(start: Start, crm: CRM) -> None:
    client = add(crm, last_name="Berg")
    named("sales add")(crm, client, Decimal(500))
    session = start().sees("Sales this month $500.00 in 1 sale").sees("no sales in Oct 2026")
    session.sees("no sales in Nov 2025").settled()
    assert not any(line.strip().startswith("-") for line in session.lines)
