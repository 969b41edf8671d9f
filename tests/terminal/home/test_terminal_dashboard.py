"""The dashboard at the menu: tiles in each person's order, arranged by keys, and tiles that do not fit."""

import io
import re
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.commands.activity.agenda import AgendaItem
from crm.commands.context import CRM
from crm.commands.home.figures import Due
from crm.commands.home.tiles import DEFAULT, TILES, Birthday, MonthOfSales
from crm.commands.home.today import Brief
from crm.commands.registry import named
from crm.model import Client, Conventions
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.home.rendering import _due_line, draw_brief
from crm.terminal.home.tiles import birthday_line, months
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.session import Session
from tests.support.clocks import TODAY, standing_on
from tests.terminal.conftest import Start

pytestmark = pytest.mark.dated

SHIFT_UP = "\x1b[1;2A"
HOSTILE = "\x1b[31mRed [bold]x[/]"


@pytest.fixture(autouse=True)
def acme(crm: CRM) -> Client:
    """A client with a sale, a deal and something to do."""
    added: Client = named("clients add")(crm, {"company": "Acme", "owner": HOSTILE})
    named("sales add")(crm, added, Decimal(1200))
    named("deals add")(crm, added, "Roof", Decimal(500), expected_close_on=TODAY)
    named("follow-ups add")(crm, added, "Call back", due=TODAY + timedelta(days=3), for_="tester")
    return added


def shown(crm: CRM) -> list[str]:
    return [tile.name for tile in named("dashboard show")(crm)]


@pytest.mark.parametrize("columns", [80, 40])
def test_tiles_are_switched_and_moved_by_keys(start: Start, crm: CRM, columns: int) -> None:
    session = start(columns=columns).choose("Today").sees("New Acme").press("e")
    session.sees("› 1 ✓ What needs doing").sees("6 ✓ Birthdays").sees("Switch off: What needs doing")
    session.press("enter").sees("› 1 ✓ Clients by status").sees("Switch off: Clients by status")
    session.press("down", ")").sees("2 ✓ Newest clients").sees("› 3 ✓ Sales this month")
    session.press("(", "(").sees("› 1 ✓ Sales this month").sees("2 ✓ Clients by status")
    session.press("down", SHIFT_UP).sees("› 1 ✓ Clients by status")
    session.press(*["down"] * 5).sees("Switch on: Activity by person").press(" ").sees("6 ✓ Activity by person")
    session.press("esc").sees("New Acme")
    assert shown(crm) == ["statuses", "sales", "newest", "moved", "birthdays", "activity"]
    # On Today it stands as it was arranged.
    session.press("e").sees("› 1 ✓ Clients by status").choose("Reset to default").sees("› 1 ✓ What needs doing")
    session.press("esc").sees("New Acme")
    assert shown(crm) == list(DEFAULT)


def test_ctrl_c_leaves_the_dashboard_as_it_was(start: Start, crm: CRM) -> None:
    session = start().choose("Today").press("e").sees("Switch off: What").press("enter").sees("› 1 ✓ Clients by status")
    session.press("c-c").lacks("Save and go back").sees("New Acme")
    assert shown(crm) == list(DEFAULT)
    assert "arranged the dashboard" not in [entry.what for entry in named("history list")(crm)]


def test_the_last_tile_cannot_be_removed(start: Start, crm: CRM) -> None:
    named("dashboard set")(crm, "newest")
    session = start().choose("Today").press("e").sees("› 1 ✓ Newest").press("enter").sees("Switch on:").press("esc")
    session.sees("Choose at least one").press("enter").sees("1 ✓").press("esc").lacks("Save and go back")
    assert len(shown(crm)) == 1


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 24), (40, 12)])
def test_all_tiles_are_reached_on_a_small_screen(start: Start, crm: CRM, columns: int, lines: int) -> None:
    session = start(columns=columns, lines=lines).choose("Today").press("e").sees("› 1 ✓")
    for _ in range(len(TILES)):
        session.press("down")
    session.sees("›      Why deals are lost").sees("Switch on: Why deals are lost").sees("Save and go back")
    session.press("c-c")
    assert shown(crm) == list(DEFAULT)


@pytest.mark.parametrize("columns", [80, 40])
def test_today_shows_the_tiles_in_their_order(start: Start, crm: CRM, columns: int) -> None:
    named("dashboard set")(crm, "pipeline,newest,sales by owner,follow-ups")
    text = (
        start(columns=columns, lines=40)
        .choose("Today")
        .sees("1) New Acme")
        .sees("2) Mine due in 3 days: Call")
        .settled()
        .text
    )
    assert text.index("Pipeline by stage") < text.index("Sales by owner") < text.index("1) New")
    assert "$500.00" in text
    assert "\x1b" not in text
    assert "[bold]x[/]" in text or columns == 40
    assert "Sales this month" not in text


def test_a_tile_that_does_not_fit_is_opened_by_its_number(start: Start, crm: CRM) -> None:
    named("dashboard set")(crm, "sales by month,forecast,sales by owner,cohorts,pipeline,newest")
    session = start().choose("Today").sees("New Acme").press("2").sees("Reports › Sales by")
    session.sees("By: Owner").press("esc").press("4").sees("Today › Pipeline by stage").sees("Lead 1 $500.00")
    session.press("x").sees("Show Pipeline").choose("New").sees("Acme no. 1")


def test_the_numbers_of_today_do_not_move_with_messages_above(start: Start, crm: CRM) -> None:
    for number in range(8):
        client = named("clients add")(crm, {"company": f"Late {number}"})
        named("follow-ups add")(crm, client, f"Ask {number}", due=TODAY, for_="tester")

    def entries(session: Any) -> list[str]:
        return re.findall(r"\d\) .*", session.settled().text)

    session = start().choose("Today").sees("To do: ").sees("0) Back")
    before = entries(session)
    session.press("1", "d").sees("1) Delete").press("y").sees("Deleted: Ask").press("u").sees("1) Undo it").press("y")
    session.sees("Undone: deleted the follow-up")
    session.sees("U redoes it.")
    after = entries(session)
    kept = after[:-1]
    assert (len(kept) >= 3, kept) == (True, before[: len(kept)])
    session.choose("More").sees("Today › More").sees(before[len(kept)].partition(" ")[2])


def test_rows_of_today_past_nine_have_no_letter(start: Start, crm: CRM) -> None:
    for number in range(14):
        client = named("clients add")(crm, {"company": f"Late {number}"})
        named("follow-ups add")(crm, client, f"Ask {number}", due=TODAY, for_="tester")
    session = start(columns=120, lines=40).choose("Today").sees("9) Due today: Ask 8").sees("Due today: Ask 12")
    assert re.findall(r"([a-z])\)", session.settled().text) == []
    session.press("down", "down", "down", "down", "down", "down", "down", "down", "down", "enter").sees("Ask 9")


def test_the_main_menu_shows_the_chosen_tiles_in_brief(start: Start, crm: CRM) -> None:
    named("dashboard set")(crm, "follow-ups,pipeline,forecast")
    session = start(lines=40).sees("Pipeline Lead $500.00").sees("Follow-ups due in 3 days: Call back (Acme)")
    session.lacks("Sales this month").lacks("Newest")


def test_line_by_line_the_names_are_typed(crm: CRM) -> None:
    load_flows()
    out = io.StringIO()
    screen = Screen(out, plain=True)
    answers = "e\nsales, weather\nsales, pipeline\n\n"
    with closing(Session(crm, LineKeyboard(io.StringIO(answers), screen), screen)) as session:
        session.attempt(lambda: session.start(named("today")))
    assert "No tile 'weather'" in out.getvalue()
    assert shown(crm) == ["sales", "pipeline"]


@pytest.mark.parametrize("language", ["en_US", "de_DE", "ja_JP"])
def test_the_months_under_a_chart_can_be_distinguished(language: str) -> None:
    by = Conventions(language)
    year = [MonthOfSales(date(2025 + at // 12, at % 12 + 1, 1), Decimal(at), 1) for at in range(10, 23)]
    for width in range(20, 100):
        screen = Screen(io.StringIO(), plain=False)
        screen.console.width = width
        *drawn, under = [line.plain for line in months(screen, year, by, 3)]
        assert len(drawn) == 3
        named = under.split("…") if "…" in under else under.split()
        assert len(set(named)) == len(named) in (2, 12), (width, under)
        assert width < 40 or len(named) == 12


def test_the_due_tile_names_each_client_once() -> None:
    acme = Client(company="Acme")
    items = [AgendaItem(0, f"Payment {number}", "", acme, acme, "") for number in (1, 2)]
    screen = Screen(io.StringIO(), plain=True)
    for count, words in ((2, "Acme"), (3, "Acme, ...")):
        line = _due_line(screen, Due(f"{count} payments", items, count), 12).plain
        assert line.split("payments")[1].strip().replace("…", "...") == words


@pytest.mark.parametrize(("away", "words"), [(0, "today"), (1, "tomorrow"), (2, "on Mon"), (9, "on Nov 30")])
def test_a_near_birthday_is_a_word(away: int, words: str) -> None:
    by = Conventions(clock=standing_on(date(2026, 11, 21)))
    birthday = Birthday(Client(company="Acme"), by.today + timedelta(days=away), 39)
    assert birthday_line(birthday, by) == f"Acme turns 39 {words}"


def test_only_late_items_are_red() -> None:
    screen = Screen(io.StringIO(), plain=False)
    for late in (False, True):
        line = _due_line(screen, Due("1 draft invoice", [], 1, late), 20)
        styles = {str(line.style), *(str(span.style) for span in line.spans)}
        assert bool(styles & {"overdue", "danger"}) == late


@pytest.mark.parametrize("columns", [80, 120, 140])
def test_a_tile_of_the_main_menu_is_whole_or_counts_what_is_left_out(crm: CRM, columns: int) -> None:
    beta = named("clients add")(crm, {"company": "Beta"})
    for number in range(4):
        named("follow-ups add")(crm, beta, f"Ask {number}", due=TODAY + timedelta(days=3), for_="tester")
    named("dashboard set")(crm, "statuses,sales,newest,follow-ups")
    counted = charts = 0
    for height in range(19, 41):
        environment = {"TERM": "xterm", "COLUMNS": str(columns), "LINES": str(height)}
        out = io.StringIO()
        screen = Screen(out, plain=False, environment=environment)
        draw_brief(screen, crm, Brief(), 8)
        text = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())
        assert len(text.splitlines()) <= height - 8
        assert "█" not in text or re.search(r"Sep +Oct +Nov|09 +10 +11", text), (height, text)
        charts += "█" in text
        seen = len(re.findall("in 3 days:", text))
        if seen and columns > 80:
            counted += seen < 5
            assert seen == 5 or f"and {5 - seen} more" in text, (height, text)
    assert charts > 10
    assert counted or columns == 80
