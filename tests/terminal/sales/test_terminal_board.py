"""The board of deals in a real terminal: read, navigated, and cards moved by keys; and without a terminal."""

import os
import re
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client, Deal, Sale, Stage
from tests.support.clocks import TODAY, now_on
from tests.terminal.conftest import ROOT, Start

LEFT, RIGHT, SHIFT_LEFT, SHIFT_RIGHT = "\x1b[D", "\x1b[C", "\x1b[1;2D", "\x1b[1;2C"


@pytest.fixture
def acme(crm: CRM) -> Client:
    added: Client = named("clients add")(crm, {"company": "Acme"})
    return added


@pytest.fixture(autouse=True)
def deals(crm: CRM, acme: Client) -> list[Deal]:
    """Seven deals in the first stage, the first the least valuable; the third is somebody else's and late."""
    return [
        named("deals add")(
            crm,
            acme,
            f"Deal {number}",
            Decimal(number * 100),
            expected_close_on=TODAY + timedelta(days=-2 if number == 3 else 20),
            owner="Jo" if number == 3 else "tester",
        )
        for number in range(1, 8)
    ]


def where(crm: CRM, deal: Deal) -> str:
    with crm.read() as snapshot:
        return snapshot.get(Stage, snapshot.get(Deal, deal.id).stage).name


def sales(crm: CRM) -> list[tuple[Decimal, int]]:
    with crm.read() as snapshot:
        return [(sale.amount, sale.deal) for sale in snapshot.find_all(Sale)]


def column(session: Any, left: int, width: int = 27) -> list[str]:
    """The cards in a column of the board."""
    return [line[left : left + width].rstrip() for line in session.settled().lines]


def test_the_menu_opens_the_board_with_stages_side_by_side(start: Start) -> None:
    session = start().choose("Deals").sees("everyone's · stages 1-3 of 6 →").sees("Lead Qualified Proposal")
    first = column(session, 0)
    assert first[2:7] == ["Lead", "7 · $2,800.00", "» Deal 7", "  Acme", "  $700.00"]
    assert "  $200.00" not in first
    assert first[first.index("» Deal 7") + 15] == "  ↓ 2 more"
    assert column(session, 27)[2:4] == ["Qualified", "0 · $0.00"]


def test_the_board_opens_on_the_first_stage_that_has_deals(start: Start, crm: CRM, deals: list[Deal]) -> None:
    with crm.read() as snapshot:
        second = next(stage for stage in snapshot.find_all(Stage) if stage.name == "Qualified")
    for deal in deals:
        named("deals move")(crm, deal, second)
    start().choose("Deals").sees("Open Deal 7").sees("7 · $2,800.00")


def test_arrows_walk_over_cards_and_stages(start: Start) -> None:
    session = start().choose("Deals").sees("Open Deal 7").press("down").sees("Open Deal 6")
    session.press("down", "down", "down").sees("Open Deal 3").sees("$300.00 !").sees("↓ 2 more")
    session.press("down", "down", "down").sees("Open Deal 1").sees("↑ 2").press("up").sees("Open Deal 2")
    session.press(RIGHT, RIGHT, RIGHT).sees("stages 2-4 of 6 ← →").press(RIGHT, RIGHT, RIGHT).sees("stages 4-6 of 6 ←")
    session.press(LEFT, LEFT, LEFT, LEFT, LEFT).sees("stages 1-3 of 6").sees("Open Deal 2")


def test_a_card_is_moved_by_keys_and_followed(start: Start, crm: CRM, deals: list[Deal]) -> None:
    session = start().choose("Deals").sees("Open Deal 7").press(")").sees("Moved to Qualified: Deal 7")
    assert column(session, 27)[4:6] == ["» Deal 7", "  Acme"]
    session.press(SHIFT_RIGHT).sees("Moved to Proposal: Deal 7").press("(").sees("Moved to Qualified").sees(
        "Open Deal 7"
    )
    session.press(SHIFT_LEFT).sees("Moved to Lead: Deal 7").press("(").sees("stages 1-3 of 6")
    assert where(crm, deals[6]) == "Lead"
    session.press("u").sees("moved the deal Deal 7 to Lead").choose("Undo it").sees("Undone")
    # The deal is still the one that is pointed at.
    session.sees("Open Deal 7").press(")").sees("Moved to Proposal: Deal 7")
    assert where(crm, deals[6]) == "Proposal"


def test_a_deal_is_won_with_its_sale(start: Start, crm: CRM, deals: list[Deal]) -> None:
    session = (
        start().choose("Deals").sees("Open Deal 7").press("+").sees("Amount of the sale (1200 or 1200.50): 700.00")
    )
    session.press("esc").sees("Open Deal 7")
    assert (where(crm, deals[6]), sales(crm)) == ("Lead", [])
    session.press("+").sees("700.00").press("kill", "40000", "enter").sees("Date (").press("enter")
    session.sees("Won: Deal 7").sees("Sale 1: $40,000.00 to Acme").sees("Status: Regular → VIP").sees("stages 3-5 of 6")
    assert (where(crm, deals[6]), sales(crm)) == ("Won", [(Decimal("40000.00"), deals[6].id)])
    # A closed deal is offered neither key again.
    assert "+ won" not in session.settled().text
    session.press("+").sees("+ is not a choice here").press("-").sees("- is not a choice here")
    assert (where(crm, deals[6]), len(sales(crm))) == ("Won", 1)
    # Opened again with its sale kept, it is asked first whether it was won with that one: no second one is foreseen.
    session.press("(").sees("was recorded when this deal was won").choose("Keep it").sees(
        "Moved to Negotiation: Deal 7"
    )
    session.press("+").sees("of this deal is already recorded").choose("Use that sale").sees("Won: Deal 7")
    assert "After this" not in session.settled().text
    assert len(sales(crm)) == 1


def test_moving_a_card_into_the_last_stages_wins_and_loses_it(start: Start, crm: CRM, deals: list[Deal]) -> None:
    session = (
        start()
        .choose("Deals")
        .sees("Open Deal 7")
        .press(")")
        .sees("Moved to Qualified")
        .press(")")
        .sees("Moved to Proposal")
    )
    session.press(")").sees("Moved to Negotiation").press(")").sees("Amount of the sale").press("enter").sees("Date (")
    session.press("enter").sees("Won: Deal 7")
    assert sales(crm) == [(Decimal("700.00"), deals[6].id)]
    # It goes on to no further stage: only its own key loses a deal.
    assert ") move on" not in session.settled().text
    session.press(")").sees(") is not a choice here").press(SHIFT_RIGHT).sees("Deal 7 is closed")
    assert (where(crm, deals[6]), len(sales(crm))) == ("Won", 1)
    session.press("(").sees("was recorded when this deal was won").sees("» 0) No, go back").choose("Remove it")
    session.sees("Moved to Negotiation: Deal 7")
    assert (sales(crm), where(crm, deals[6])) == ([], "Negotiation")
    session.press("-").sees("Why was it lost?").choose("Another reason").sees("Reason").press("moved away", "enter")
    session.sees("Moved to Lost: Deal 7")
    with crm.read() as snapshot:
        assert snapshot.get(Deal, deals[6].id).lost_reason == "moved away"


def test_a_card_is_opened_changed_and_opened_again(start: Start, crm: CRM, deals: list[Deal]) -> None:
    session = start().choose("Deals").sees("Open Deal 7").press("enter").sees("no. 7").sees("$700.00 weighted $70.00")
    session.sees("Stage Since Days By").sees("Latest with Acme").choose("Move to another stage")
    session.choose("Proposal").sees("Moved to Proposal")
    session.choose("Edit").choose("Title").press("kill", "Shop", "enter").choose("Save").sees("Saved: Shop")
    session.sees("Shop no. 7")
    session.choose("Mark as lost").choose("no budget").sees("Moved to Lost: Shop").sees("Lost because no budget")
    session.choose("Reopen").sees("Moved to Proposal: Shop").choose("Delete").sees("This deletes the deal Shop")
    session.choose("Delete").sees("Deleted Shop").sees("Open Deal 6")
    with crm.read() as snapshot:
        assert snapshot.find(Deal, deals[6].id) is None


def test_a_new_deal_appears_on_the_board(start: Start, crm: CRM) -> None:
    session = start().choose("Deals").press("n").sees("Client (").press("acme", "enter").sees("Title:")
    session.press("[red]Big[/]", "enter").sees("Value (").press("99000", "enter").choose("Save")
    session.sees("Added [red]Big[/] (no. 8)").press("esc").sees("Open [red]Big[/]").sees("8 · $101,800.00")
    with crm.read() as snapshot:
        added = snapshot.get(Deal, 8)
    assert (added.value, added.owner) == (Decimal(99_000), "tester")


def test_mine_and_everybodys(start: Start) -> None:
    session = start().choose("Deals").sees("7 · $2,800.00").press("a").sees("tester's").sees("6 · $2,500.00")
    session.press("a").sees("everyone's").sees("7 · $2,800.00")


def test_a_wide_window_shows_all_stages(start: Start) -> None:
    session = start(columns=120, lines=30).choose("Deals").sees("Lead Qualified Proposal Negotiation Won Lost")
    assert "of 6" not in session.settled().text


def test_a_narrow_window_shows_one_stage_at_a_time(start: Start, crm: CRM, deals: list[Deal]) -> None:
    session = start(columns=40).choose("Deals").sees("everyone's · stage 1 of 6").sees("7 · $2,800.00")
    assert "Qualified" not in session.settled().text
    session.press("down", "down", "down", "down").sees("$300.00 ! late").press(")").sees("stage 2 of 6")
    session.sees("Moved to Qualified: Deal 3")
    assert where(crm, deals[2]) == "Qualified"
    session.press(LEFT).sees("stage 1 of 6").press("+").sees("Amount of the sale").press("enter", "enter").sees("Won:")
    assert all(len(line) <= 40 for line in session.settled().lines)


def test_without_colour_the_selected_and_the_late_card_are_still_marked(start: Start) -> None:
    session = start(NO_COLOR="1").choose("Deals").sees("» Deal 7").press(*["down"] * 4).sees("$300.00 !")
    assert not re.search(rb"\x1b\[(\d+;)*(3[0-8]|9\d)[;m]", session.raw.split(b"Proposal")[1])


def test_an_empty_board(start: Start, crm: CRM, deals: list[Deal]) -> None:
    for deal in deals:
        named("deals delete")(crm, deal, yes=True)
    session = start().choose("Deals").sees("0 · $0.00").press("+").sees("No deal here")
    session.press("down", "up", RIGHT, ")", "(", "-", LEFT, "?")
    session.sees("The arrows go from card to card").press("0").sees("0 · $0.00").press("0").sees("Clients")


def test_the_list_of_deals_is_filtered_and_totalled(start: Start) -> None:
    session = start().choose("Deals").press("v").sees("1-7 of 7").sees("7 deals, $2,800.00, weighted $280.00")
    session.press("a").sees("1-6 of 6 · mine").press("a").sees("1-7 of 7").press("f").choose("Text").press("3", "enter")
    session.sees("1-1 of 1 · text 3").press("1").sees("overdue !").press("esc").press("f").choose("Lost only")
    session.sees("No matches").press("f").choose("Show open deals again").sees("1-7 of 7 · open")


def test_a_list_without_open_deals_names_the_closed_ones(start: Start, crm: CRM, deals: list[Deal]) -> None:
    for deal in deals[1:]:
        named("deals delete")(crm, deal, yes=True)
    named("deals win")(crm, deals[0])
    session = start().choose("Deals").press("v").sees("No open deals, 1 won or lost: press f and choose Open, won and")
    assert "yet" not in session.text
    session.press("f").choose("Open, won and lost").sees("1-1 of 1").sees("Deal 1")


def test_stages_are_changed_from_the_board(start: Start, crm: CRM) -> None:
    session = (
        start()
        .choose("Deals")
        .press(".")
        .choose("Stages")
        .sees("1) Lead")
        .press("1")
        .choose("Rename")
        .sees("New name: Lead")
    )
    session.press("kill", "Interest", "enter").sees("Lead is called Interest now").press("1").choose("Change the prob")
    session.choose("open").sees("Probability (").press("kill", "20", "enter").sees("Interest · 20 %").press("1")
    session.choose("Change its position").sees("to the position of").press("2").sees("Interest is now number 2")
    session.press("2").choose("Delete")
    session.choose("Delete it").sees("There are 7 deals in Interest").choose("Proposal")
    session.sees("Deleted the stage Interest")
    session.press("n").sees("Name").press("Trial", "enter").sees("Probability").press("60", "enter")
    session.choose("open").sees("Position").press("enter").sees("Trial").press("esc", "esc").sees("Qualified Proposal")
    session.sees("7 · $2,800.00")
    assert [stage.name for stage in named("stages list")(crm)] == [
        "Qualified", "Proposal", "Negotiation", "Trial", "Won", "Lost",
    ]  # fmt: skip


def piped(store: Path, *arguments: str, typed: str = "") -> str:
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    own = {
        "CRM_STORE": f"sqlite:///{store}", "CRM_NOW": now_on(TODAY), "CRM_USER": "tester", "PYTHONUTF8": "1",
        "LANG": "en_US.UTF-8", "PYTHONWARNINGS": "error", "XDG_DATA_HOME": str(store.parent),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        input=typed, capture_output=True, encoding="utf-8", timeout=60, check=False, env=inherited | own,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    return done.stdout


@pytest.mark.slow
def test_line_by_line_the_deals_are_a_list_by_stage_with_numbers(store: Path, crm: CRM, deals: list[Deal]) -> None:
    named("deals move")(crm, deals[0], named("stages list")(crm)[2])
    answer = piped(store, typed="Deals\n1\n1\n3\n0\n0\n0\n")
    assert re.search(r"^1 +Lead +Deal 7", answer, re.MULTILINE)
    assert re.search(r"^7 +Proposal +Deal 1", answer, re.MULTILINE)
    assert "Move to another stage" in answer
    assert "Moved to Negotiation: Deal 7" in answer


def test_without_a_terminal_the_board_is_printed_stage_by_stage(store: Path) -> None:
    answer = piped(store, "deals", "board", "--limit", "2")
    assert answer.index("Lead  7 · $2,800.00") < answer.index("Deal 7") < answer.index("Deal 6")
    assert "Deal 5" not in answer
    assert date(2026, 12, 11).strftime("%b %d, %Y") in answer


def test_a_value_with_more_decimals_than_its_currency_is_shown_in_full_and_can_be_kept(
    start: Start, crm: CRM, acme: Client
) -> None:
    named("deals add")(crm, acme, "Old", Decimal("9999.50"))
    named("settings set")(crm, "currency", "JPY", recount_ok=True)
    session = start().choose("Deals").sees("¥700").sees("Open Old").press("enter").sees("¥9,999.5 weighted ¥1,000")
    session.choose("Edit").choose("Value").sees("Value (1200").press("enter").choose("Title")
    session.press("kill", "Kept", "enter").choose("Value").press("kill", "0.5", "enter").sees("JPY has no decimals")
    session.press("kill", "9999.5", "enter").choose("Save").sees("Saved: Kept").sees("¥9,999.5")


def test_a_long_title_is_whole_where_all_cards_of_its_stage_have_room(
    start: Start, crm: CRM, deals: list[Deal]
) -> None:
    for deal in deals[2:]:
        named("deals delete")(crm, deal, yes=True)
    named("deals edit")(crm, deals[0], {"title": "Dining room for twelve people"})
    session = start(columns=120, lines=30).choose("Deals").sees("Dining room for").sees("twelve people")
    assert "…" not in session.settled().text
