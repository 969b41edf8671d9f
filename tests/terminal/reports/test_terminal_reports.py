"""Reports on screen: tables and charts at the widths that people have, and the menu that leads to them."""

import io
import json
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.commands.reports.report import Chart, Column, Report
from crm.commands.reports.writing import value_text
from crm.model import Client, Conventions, Sale
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.charts import bar, columns, shade
from crm.terminal.drawing.render import show
from crm.terminal.drawing.screen import Screen
from crm.terminal.drawing.theme import status_style
from crm.terminal.reports.rendering import chart_lines
from crm.terminal.reports.report_page import ReportPage
from crm.terminal.toolkit.session import Session
from tests.support.clocks import TODAY, standing_on
from tests.support.device import Device
from tests.support.keyboards import Leaving
from tests.terminal.conftest import Start

BY = Conventions(clock=standing_on(TODAY))
REPORTS: list[tuple[str, dict[str, Any]]] = [
    ("sales", {}), ("sales", {"by": "quarter"}), ("sales", {"since": date(2010, 1, 1)}), ("by", {"of": "owner"}),
    ("by", {"of": "client"}), ("growth", {}), ("rfm", {}), ("rfm", {"of": "amount"}), ("rfm", {"of": "segments"}),
    ("rfm", {"of": "cells"}), ("cohorts", {}), ("cohorts", {"of": "amount"}), ("cohorts", {"months": 60}),
]  # fmt: skip


@pytest.fixture(params=[40, 80, 120])
def screen(request: Any) -> Screen:
    return Screen(io.StringIO(), plain=True, environment={"COLUMNS": str(request.param)})


def drawn(screen: Screen) -> list[str]:
    assert isinstance(screen.console.file, io.StringIO)
    return screen.console.file.getvalue().splitlines()


@pytest.fixture
def company(crm: CRM) -> CRM:
    """Thirty clients with owners of odd names, who bought over two years and more, one of them for millions."""
    owners = ("Anna", "", "[bold]Bo[/] \x1b[2J", "家族家族家族家族家族家族家族 and sons")

    def change(tx: Any) -> None:
        for number in range(1, 31):
            client = tx.add(Client(last_name=f"Client {number:02}", owner=owners[number % 4]))
            for place in range(number % 5 + 1):
                on = TODAY - timedelta(days=(number * 37 + place * 91) % 800)
                tx.add(Sale(client=client.id, on=on, amount=Decimal(number**4 + place)))

    crm.transact(change, "filled")
    return crm


@pytest.mark.parametrize(("words", "given"), REPORTS)
def test_nothing_is_wider_than_the_screen_or_breaks_out(
    company: CRM, screen: Screen, words: str, given: dict[str, Any]
) -> None:
    made: Report = named(f"reports {words}")(company, **given)
    show(screen, made, BY)
    lines = drawn(screen)
    assert all(cell_len(line) <= screen.width for line in lines), lines
    assert "\x1b" not in "".join(lines)
    assert lines[0] == made.title
    assert "Nov 21, 2026" in lines[1]
    # All rows stand there with their most important figure, and the total below.
    rows = [line.strip() for line in lines[2 + bool(made.note) :]]
    assert any(row.startswith("Total") for row in rows)
    if words == "sales":
        for name in (value_text(row[0], made.columns[0], BY) for row in made.rows):
            assert any(row.startswith(name) for row in rows), name


@pytest.mark.parametrize("words", ["sales", "by", "growth", "rfm", "cohorts"])
def test_an_ascii_terminal_gets_ascii(company: CRM, words: str) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    show(Screen(out, plain=True, environment={"COLUMNS": "40"}), named(f"reports {words}")(company), BY)
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    answer = out.buffer.getvalue().decode("ascii")
    assert any(sign in answer for sign in "#|x+"), answer


def small(kind: Any, values: list[Any], **more: Any) -> Report:
    """A report of one column of amounts."""
    named_rows = [(f"2026-{place:02}", value) for place, value in enumerate(values, start=1)]
    shown = (Column("month", "Month"), Column("amount", "Amount", "money"))
    return Report("Small", date(2026, 1, 1), TODAY, shown, named_rows, chart=Chart(kind, ("amount",)), **more)


def drawn_lines(made: Report, width: int = 80) -> list[str]:
    screen = Screen(io.StringIO(), plain=True, environment={"COLUMNS": str(width)})
    show(screen, made, BY)
    return drawn(screen)


def test_chart_columns_are_above_their_labels() -> None:
    lines = drawn_lines(small("columns", [Decimal(25), Decimal(0), Decimal(100)]), 40)
    assert lines[-6:] == [
        "Amount (highest $100.00 in 2026-03)",
        f"{' ' * 18}████████",
        f"{' ' * 18}████████",
        f"{' ' * 18}████████",
        "████████          ████████",
        "2026-01  2026-02  2026-03",
    ]


def test_the_last_columns_are_drawn_if_not_all_fit() -> None:
    lines = drawn_lines(small("columns", [Decimal(1)] * 60 + [Decimal(2)] * 39), 40)
    assert lines[-1] == "2026-61 … 2026-99"
    assert lines[-2] == "█" * 39


def test_rows_beyond_the_chart_are_only_in_the_table() -> None:
    made = small("bars", [Decimal(10), Decimal(5), Decimal(900)])
    made = Report(made.title, None, TODAY, made.columns, made.rows, chart=Chart("bars", ("amount",), 2))
    lines = drawn_lines(made)
    assert any("2026-03" in line and "$900.00" in line for line in lines)
    assert lines[-3:] == ["Amount", f"2026-01  $10.00  {'━' * 62}", f"2026-02   $5.00  {'━' * 31}"]
    assert lines[1] == "until Nov 21, 2026"


def test_a_status_has_its_colour_in_the_chart_too() -> None:
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm-256color", "COLUMNS": "80"})
    screen.statuses = lambda: ["VIP"]
    columns_ = (Column("status", "Status"), Column("amount", "Amount", "money"))
    rows = [("VIP", Decimal(2)), ("Regular", Decimal(1))]
    report = Report("By", None, TODAY, columns_, rows, None, Chart("bars", ("amount",), 5))
    _, vip, regular = chart_lines(screen, report, BY)
    assert {str(span.style) for span in vip.spans} == {status_style("VIP"), "bold", "status_1"}
    assert "muted" in {str(span.style) for span in regular.spans}


def test_refunds_are_visible_in_a_report() -> None:
    lines = drawn_lines(small("bars", [Decimal(10), Decimal(-5)]))
    assert lines[-1] == f"2026-02  -$5.00  {'-' * 31}"
    assert any("-$5.00" in line for line in lines)
    assert columns([Decimal(-5), Decimal(10)], 2) == [" █", "-█"]
    assert columns([Decimal(-5)], 1) == ["-"]
    assert bar(-10, 10, 8) == "--------"
    assert bar(-1, 0, 8) == "-"


@pytest.mark.parametrize("unicode", [True, False])
def test_heat_map_shades_get_darker_with_the_value(unicode: bool) -> None:
    shades = [shade(value, 100, unicode=unicode) for value in (0, 1, 30, 60, 100)]
    assert len(set(shades)) == 5
    assert shade(None, 100, unicode=unicode) == " "
    assert shade(5, 0, unicode=unicode) == shade(-5, 100, unicode=unicode) == shades[0]
    assert "".join(shades).isascii() is not unicode


def test_a_change_shows_its_sign_and_a_missing_one_is_blank() -> None:
    shown = (Column("period", "Period"), Column("change", "Change", "percent", signed=True))
    rows = [("a", Decimal("12.34")), ("b", Decimal("-5")), ("c", None), ("d", Decimal(0))]
    lines = drawn_lines(Report("Changes", TODAY, TODAY, shown, rows))
    assert [line.split(maxsplit=1) for line in lines[3:]] == [["a", "+12.3 %"], ["b", "-5.0 %"], ["c"], ["d", "0.0 %"]]


def test_an_empty_report_says_so() -> None:
    assert drawn_lines(small("bars", []))[-1] == "No data in this period."


# At the menu


@pytest.mark.usefixtures("company")
def test_a_report_is_shown_at_once_and_changed_by_number(start: Start) -> None:
    session = start(lines=45).choose("Reports").sees("1) Sales over time").choose("Sales over time")
    session.sees("Dec 1, 2025 to Nov 21, 2026").sees("Nov 2026").sees("Amount (highest").sees("By: Months")
    session.press("1").choose("Years").sees("Sales by year").sees("2022").sees("By: Years")
    session.choose("Since").sees("Since").press("2026-01-01", "enter").sees("Jan 1, 2026 to Nov 21, 2026")
    session.choose("Until").press("2025-12-31", "enter").sees("The last day is before the first")
    session.sees("Jan 1, 2026 to Nov 21, 2026").choose("Since").press("kill", "enter").sees("Jan 1, 2022")
    session.press("esc").sees("Who buys again").press("esc").sees("0) Exit")


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize(("columns", "lines"), [(80, 22), (40, 24)])
def test_on_a_small_screen_rows_are_transposed_and_a_key_shows_the_chart(
    start: Start, columns: int, lines: int
) -> None:
    session = start(columns=columns, lines=lines).choose("Reports").choose("Sales by group").choose("By: Status")
    session.choose("Client").sees("Sales by client").sees("Client 29").press("]")
    session.sees("Total").lacks("Client 29")
    session.press("[").sees("Client 29").press("v").sees("━").press("v").press("esc")
    # Of the months the latest are seen first, with the days that the report takes by itself.
    session.choose("Sales over time").sees("Nov 2026").sees("Since: Dec 1, 2025").lacks("Dec 2025").press("[")
    session.sees("Dec 2025")
    assert all(cell_len(line) <= columns for line in session.lines)


@pytest.mark.usefixtures("company")
def test_a_year_of_sales_fits_a_window_of_twenty_four_lines(start: Start) -> None:
    session = start().choose("Reports").choose("Sales over time").sees("Dec 2025").sees("Nov 2026").sees("Total")
    assert "0) Back" in session.settled().text
    assert "PgDn" not in session.text


@pytest.mark.parametrize("message", ["", "Nothing was saved.", f"Saved as {'a-long-name-of-a-folder/' * 6}sales.csv."])
def test_a_message_hides_neither_the_latest_month_nor_the_total(company: CRM, message: str) -> None:
    page = io.StringIO()
    environment = {"TERM": "xterm", "COLUMNS": "80", "LINES": "24", "NO_COLOR": "1"}
    session = Session(company, Leaving(), Screen(page, plain=False, environment=environment))
    report = ReportPage(session, named("reports sales"), {})
    if message:
        session.done(message)
    report.show()
    # What is drawn last is what is seen.
    seen = page.getvalue().rpartition("\x1b[2J")[2]
    assert re.search(r"^Nov 2026 ", seen, re.MULTILINE)
    assert "Total" in seen
    assert "PgDn" not in seen


@pytest.mark.usefixtures("company")
def test_a_report_is_saved_as_a_file(start: Start, tmp_path: Path) -> None:
    session = start(lines=45).choose("Reports").choose("Best and lapsed").sees("Show: Number of clients")
    session.choose("Save as a file").sees("To file").press(f"{tmp_path}/rfm.json", "enter")
    session.sees("The report:").sees("R5")
    assert json.loads((tmp_path / "rfm.json").read_text())["title"] == "Best and lapsed clients (RFM)"
    # What is there already is replaced by whoever chooses that, and by Enter it stays.
    (tmp_path / "mine.csv").write_text("my precious\n")
    session.choose("Save as a file").press(f"{tmp_path}/mine.csv", "enter").sees("already exists.")
    session.press("enter").sees("Show: Number of clients").settled()
    assert (tmp_path / "mine.csv").read_text() == "my precious\n"
    session.choose("Save as a file").press(f"{tmp_path}/mine.csv", "enter").choose("Replace it").sees("The report:")
    assert "precious" not in (tmp_path / "mine.csv").read_text()
    session.choose("Save as a file").press(f"{tmp_path}/rfm.doc", "enter").sees("he extension sets the format")
    session.press("kill", "enter").sees("required").press("esc").sees("Show: Number of clients")
    # Enter alone saves it, under the name in the line.
    session.choose("Save as a file").sees("To file").sees("rfm-").press("enter").sees("The report:").sees(".xlsx")
    assert [file.suffix for file in tmp_path.glob("rfm-*")] == [".xlsx"]


@pytest.mark.usefixtures("company")
def test_in_a_small_window_the_rows_of_a_report_come_before_its_notes(start: Start) -> None:
    session = start(columns=40, lines=20).choose("Reports").choose("New clients and churn").sees("Total")
    session.sees("Nov 2026").lacks("A client is new").press("\x1b[6~").sees("is their average.")


def test_a_remote_user_is_offered_the_file_of_a_report(company: CRM, tmp_path: Path) -> None:
    screen, device = Screen(io.StringIO(), plain=True), Device(tmp_path)
    keys = io.StringIO("Save as a file\nPNG picture\nSave as a file\nCSV\n0\n")
    session = Session(company, LineKeyboard(keys, screen), screen, exchange=device)
    ReportPage(session, named("reports growth"), {}).show()
    assert {name: data[:4] for name, data in device.offered.items()} == {
        "crm-2026-11-21.png": b"\x89PNG",
        "crm-2026-11-21.csv": "\ufeffM".encode(),
    }
    shown = "\n".join(drawn(screen))
    assert "The report: crm-2026-11-21.png" in shown
    assert str(tmp_path) not in shown


def test_new_clients_and_churn_say_what_they_count(company: CRM) -> None:
    out = io.StringIO()
    screen = Screen(out, plain=True)
    session = Session(company, LineKeyboard(io.StringIO("0\n"), screen), screen)
    ReportPage(session, named("reports growth"), {}).show()
    words = " ".join(out.getvalue().split())
    assert "A client is new in the month of its first sale, not when it was added." in words
    assert "A client who bought nothing for 180 days has churned." in words
    assert "Active is the number of active clients at the end of the month." in words
