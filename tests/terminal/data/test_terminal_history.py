"""The history at the menu, in a real terminal: filtered, opened, undone and written to a file."""

import io
from decimal import Decimal
from pathlib import Path

import pytest
from rich.cells import cell_len

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client, Message
from crm.terminal.drawing.render import show
from crm.terminal.drawing.screen import Screen
from tests.terminal.conftest import Start


@pytest.fixture(autouse=True)
def past(crm: CRM) -> None:
    """Anna was added, moved and bought; then Ben was added."""
    anna = named("clients add")(crm, {"first_name": "Anna", "last_name": "Berg", "city": "Graz"})
    named("clients edit")(crm, anna, {"city": "Wien", "notes": "word " * 40})
    named("sales add")(crm, _client(crm, 1), Decimal(40_000))
    named("clients add")(crm, {"first_name": "Ben", "last_name": "Ode"})


def _client(crm: CRM, number: int) -> Client:
    with crm.read() as snapshot:
        found: Client = snapshot.get(Client, number)
    return found


def test_the_history_is_filtered_and_a_change_is_opened_and_undone(start: Start, crm: CRM) -> None:
    session = start().choose("Data").choose("History").sees("added Ben Ode")
    session.sees("today 9:")
    session.press("f").choose("Type of record").choose("sales").sees("1-1 of 1 · sales").sees("recorded a sale")
    session.press("f").choose("Show all again").sees("1-4").press("f").choose("Text").sees("Text:")
    session.press("graz", "enter").sees("1-1 of 1 · text graz").press("1").sees("client 1 Anna Berg changed")
    # Its page has the whole date.
    session.sees("Nov 21, 2026, 9:")
    session.sees("City: Graz → Wien").press("enter").sees("1-1 of 1 · text graz").press("1")
    session.sees("client 1 Anna Berg changed")
    session.choose("Undo this").sees("Undo: edited Anna Berg?").choose("Undo it").sees("Undone: edited Anna Berg")
    session.settled()
    assert _client(crm, 1).city == "Graz"
    session.sees("1) ").sees("undid: edited Anna Berg").sees("1 undone").lacks("undid 2")
    session.press("2").sees("edited Anna Berg").sees("; undone").sees("City: Graz → Wien")


def test_the_key_to_undo_is_about_the_change_that_is_shown(start: Start, crm: CRM) -> None:
    session = start().choose("Data").choose("History").sees("1-4").press("3").sees("City: Graz → Wien")
    session.press("u").sees("Undo: edited Anna Berg?").press("esc").sees("City: Graz → Wien").press("u")
    session.sees("Undo: edited Anna Berg?").press("y").sees("Undone: edited Anna Berg")
    assert _client(crm, 1).city == "Graz"
    assert _client(crm, 2).first_name == "Ben"
    # What was undone already undoes nothing else.
    session.press("4").sees("; undone").press("u").sees("was undone already").sees("; undone")
    assert _client(crm, 2).first_name == "Ben"


def test_a_sent_message_is_not_offered_to_be_undone(start: Start, crm: CRM) -> None:
    """The key says why."""
    message = Message(client=1, direction="out", on=crm.today, to="a@example.com", state="queued")
    kept = crm.transact(lambda tx: tx.add(message), "queued a message")
    crm.transact(lambda tx: tx.change(kept, state="sending"), "started to send messages")
    session = start().choose("Data").choose("History").press("1").sees("started to send messages").lacks("Undo this")
    session.press("u").sees("What has been sent cannot be recalled.").lacks("Undo it")


def test_a_change_of_many_records_is_not_undone_by_enter_alone(start: Start, crm: CRM) -> None:
    tagged = [named("clients add")(crm, {"company": f"Firm {number}"}) for number in range(6)]
    crm.repository.transact(lambda tx: [tx.change(client, city="Bonn") for client in tagged], "moved six clients")
    session = start().choose("Data").choose("History").sees("moved six clients").press("1").choose("Undo this")
    session.sees("Undo: moved six clients?").sees("» 0) No, go back").press("enter").sees("moved six clients")
    assert _client(crm, tagged[0].id).city == "Bonn"


def test_a_client_has_a_history_of_its_own(start: Start) -> None:
    session = start().press("/").sees("Find").press("anna", "enter").sees("h history").press("h")
    session.sees("1-3 of 3 · Anna Berg").press("1").sees("sale 1 $40,000.00").sees("Status: Regular → VIP")
    session.press("esc").sees("1-3 of 3 · Anna Berg").press("esc").sees("Anna Berg no. 1")


def test_a_listed_history_is_written_to_a_file(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    session = start().choose("Data").choose("History").sees("1-4").press("f").choose("Client").sees("Client (")
    session.press("ben", "enter").sees("1-1 of 1 · Ben Ode").press("x").sees("File (").press(str(file), "enter")
    session.sees("1 changed field")
    assert file.read_text("utf-8-sig").count("\n") == 2


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_transaction_fits_the_screen(crm: CRM, width: int) -> None:
    evil = named("clients edit")(crm, _client(crm, 2), {"notes": "x\x1b[2Jy [bold]\n" * 40, "last_name": "家族" * 40})
    screen = Screen(io.StringIO(), plain=True, environment={"COLUMNS": str(width)})
    show(screen, named("history show")(crm, 5), crm.conventions)
    assert isinstance(screen.console.file, io.StringIO)
    lines = screen.console.file.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "\x1b" not in "".join(lines)
    assert "[bold]" in "".join(lines)
    assert evil.id == 2
