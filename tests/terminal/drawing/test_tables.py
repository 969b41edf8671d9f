"""Lists cut to the width of a window: the column that identifies a row is cut last."""

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from rich.cells import cell_len
from rich.text import Text

from crm.model import Client, Conventions, Message
from crm.terminal.clients.rendering import LISTED
from crm.terminal.drawing import tables
from crm.terminal.drawing.list_conventions import ListConventions
from crm.terminal.drawing.screen import Screen, data
from crm.terminal.mail.rendering import MESSAGE_COLUMNS
from crm.terminal.sales.rendering import SALES
from tests.support.clocks import standing_on

BY = ListConventions.of(Conventions(clock=standing_on(date(2026, 11, 21))))
NAMES = ("Tamar Abendroth", "Maximiliane Featherstonehaugh", "家族家族家族", "[bold]x[/] \x1b[31m")


def screen(columns: int) -> Screen:
    return Screen(io.StringIO(), plain=False, environment={"TERM": "xterm-256color", "COLUMNS": str(columns)})


def clients() -> list[Client]:
    return [
        Client(
            id=number,
            kind="company",
            company=name,
            email=f"somebody.with.a.long.address{number}@example.com",
            city="Llanfairpwllgwyngyll",
            status="Regular",
            total_spend=Decimal("12345.67"),
            last_sale_on=date(2026, 11, 18),
            tags=("gift", "newsletter"),
        )
        for number, name in enumerate(NAMES, start=1)
    ]


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_a_line_fits_and_has_no_text_of_a_record_that_acts(columns: int) -> None:
    head, lines = tables.lines(screen(columns), LISTED, clients(), BY, columns)
    for line, pieces in [(head, ()), *lines]:
        assert cell_len(line) <= columns
        assert "\x1b" not in line + "".join(text for _, text in pieces)
        assert "".join(text for _, text in pieces).rstrip() == line or not pieces


def test_names_stay_whole_where_an_address_would_be_cut() -> None:
    head, lines = tables.lines(screen(72), LISTED, clients(), BY, 72)
    assert "Maximiliane Feathersto" in lines[1][0]
    assert "E-mail" not in head
    wide, _ = tables.lines(screen(200), LISTED, clients(), BY, 200)
    assert "E-mail" in wide


def test_an_amount_has_its_sign_in_the_heading_and_a_near_day_is_a_word() -> None:
    head, lines = tables.lines(screen(80), LISTED, clients(), BY, 74)
    assert "Spent $" in head
    assert "12,345.67" in lines[0][0]
    assert "$" not in lines[0][0]
    assert "3 days ago" in lines[0][0]
    place = head.index("Spent $") + len("Spent $")
    assert lines[0][0][:place].endswith("12,345.67")


@pytest.mark.parametrize("columns", [20, 34, 52])
def test_on_a_narrow_window_a_row_takes_two_lines_and_says_its_currency(columns: int) -> None:
    for line, _ in tables.two_lines(screen(columns), LISTED, clients(), BY, columns):
        first, _, second = line.partition("\n")
        assert cell_len(first) <= columns
        assert cell_len(second.strip()) <= columns
        assert second.strip().startswith("Regular")
        assert columns < 30 or "$12,345.67" in second


@pytest.mark.parametrize("what", ["call", "ask whether the long table arrived well"])
def test_identifying_columns_are_cut_and_not_left_out_in_a_narrow_window(what: str) -> None:
    step = tables.Column("Next step", lambda _row, _by: data(f"! 5 days ago {what}"), 2, 12)
    columns = [*LISTED[:3], step, *LISTED[3:]]
    for (line, _), name in zip(tables.two_lines(screen(40), columns, clients(), BY, 34), NAMES, strict=True):
        assert "! 5 days ago" in line or name == NAMES[1]


def test_a_column_that_does_not_fit_below_one_row_moves_beside_the_name_in_all_rows() -> None:
    status = tables.Column("Status", lambda row, _: tables.status(row[2]), 2)
    columns = [
        tables.Column("Number", lambda row, _: data(row[0]), 0, 8),
        tables.Column("Client", lambda row, _: data(row[1]), 0, 10),
        status,
        tables.Column("Total", lambda _row, _: data("$1,855.92"), 1, right=True),
    ]
    rows = [("INV-1", "Jo Fox", "paid"), ("INV-2", "Chiara Castellan", "overdue !"), ("INV-3", "Bo", "issued")]
    drawn = [line.partition("\n") for line, _ in tables.two_lines(screen(40), columns, rows, BY, 32)]
    assert [first.split()[1:] for first, _, _ in drawn] == [["paid"], ["overdue", "!"], ["issued"]]
    assert all("$1,855.92" in second for _, _, second in drawn)


def test_parts_of_a_cell_keep_their_colours_where_it_is_cut() -> None:
    cell = Text("plain ").append("late", "overdue").append(" again", "muted")
    assert tables.styled(screen(80), cell, 80) == [("", "plain "), ("overdue", "late"), ("muted", " again")]
    assert tables.styled(screen(80), cell, 9) == [("", "plain "), ("overdue", "la…")]
    assert tables.styled(screen(80), data(""), 9) == []


def test_the_number_of_a_record_has_its_own_column() -> None:
    def titles(columns: Sequence[Any]) -> list[str]:
        return [column.title for column in columns]

    assert titles(SALES)[0] == tables.NUMBER
    assert tables.NUMBER not in titles(LISTED)


def test_the_columns_of_a_list_are_those_of_its_first_page() -> None:
    layout = tables.Layout()
    first, other = clients()[:2], [Client(id=9, kind="company", company="Acme", status="VIP")]
    head, _ = tables.lines(screen(80), LISTED, first, BY, 74, layout)
    kept, lines = tables.lines(screen(80), LISTED, other, BY, 74, layout)
    assert kept.split() == head.split()
    assert tables.lines(screen(80), LISTED, other, BY, 74)[0].split() != head.split()
    assert "Acme" in lines[0][0]
    long = [Client(id=9, kind="company", company="W" * 90, status="W" * 40, total_spend=Decimal("1234567890.12"))]
    kept, lines = tables.lines(screen(80), LISTED, long, BY, 74, layout)
    assert kept.split() == head.split()
    assert cell_len(lines[0][0]) <= 74
    assert "1,234,567,890.12" in lines[0][0]


def test_on_a_narrow_window_a_number_says_what_it_counts() -> None:
    columns = [
        tables.Column("Deal", lambda row, _: data(row[0]), 0, 8),
        tables.Column("Days", lambda row, _: data(row[1]), 1, right=True, unit=("day", "days")),
        tables.Column("Fee", lambda row, _: data(row[2]), 1, right=True, word="fee"),
    ]
    rows = [("desk", "1", "$3"), ("oak", "18", ""), ("bed", "", "none")]
    lines = [line for line, _ in tables.two_lines(screen(40), columns, rows, BY, 34)]
    assert [line.split("\n")[1].strip() for line in lines] == ["1 day · fee $3", "18 days", "fee none"]


def test_nothing_takes_the_place_of_a_column_without_room_and_a_word_gives_way_before_its_value() -> None:
    columns = [
        tables.Column("Name", lambda row, _: data(row[0]), 0, 8),
        tables.Column("Spent", lambda row, _: data(row[1]), 1, right=True),
        tables.Column("Last sale", lambda row, _: data(row[2]), 3, word="sale"),
        tables.Column("City", lambda row, _: data(row[3]), 4, 4),
    ]
    rows = [
        ("Ada", "$1.00", "Nov 5", "Graz"),
        ("Bo", "$10,245.62", "3 days ago", "Graz"),
        ("Cy", "$1.00", "", "Graz"),
        ("Di", "$1,000,000.00", "Oct 27, 2025", "Graz"),
    ]
    lines = [line.split("\n")[1].strip() for line, _ in tables.two_lines(screen(40), columns, rows, BY, 24)]
    assert lines == ["$1.00 · sale Nov 5", "$10,245.62 · 3 days ago", "$1.00 · Graz", "$1,000,000.00"]


def test_on_a_narrow_window_a_message_is_known_by_its_subject() -> None:
    letter = Message(
        client=1, channel="email", direction="out", state="sent", on=date(2026, 11, 20), subject="Your quote"
    )
    ((line, _),) = tables.two_lines(screen(40), MESSAGE_COLUMNS, [letter], BY, 34)
    assert line.split("\n")[0] == "Your quote"
    assert "sent" in line
