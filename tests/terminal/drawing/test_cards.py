"""Cards: labels and values within the width, and the latest events."""

import io
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from rich.text import Text

from crm.commands.clients.clients import ClientBilling, ClientCard
from crm.commands.timeline_entries import Entry
from crm.model import Client, Conventions, FollowUp, Payment
from crm.terminal.activity.rendering import LISTED_ENTRIES
from crm.terminal.clients.rendering import billing_line, draw_fields, next_line
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import beside, draw_timeline, in_line, pairs, side_card, side_list, with_number
from crm.terminal.drawing.list_conventions import ListConventions
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.cheat_sheet import draw_keys
from tests.support.clocks import standing_on

BY = ListConventions.of(Conventions(clock=standing_on(date(2026, 11, 21))))
ADDRESS = "tamar.abendroth56@example.com"
ROWS = [
    ("Date of birth", Text("Dec 2, 1993")),
    ("E-mail", Text(ADDRESS)),
    ("City", Text("Trieste")),
    ("Country", Text("Italy")),
    ("Tags", Text("gift, newsletter")),
]


def on(columns: int) -> Screen:
    return Screen(io.StringIO(), plain=True, environment={"COLUMNS": str(columns)})


def lines(screen: Screen) -> list[str]:
    assert isinstance(screen.console.file, io.StringIO)
    return [line.rstrip() for line in screen.console.file.getvalue().splitlines()]


@pytest.mark.parametrize("columns", [32, 40, 60, 80, 120])
def test_an_address_is_not_broken_where_a_line_has_room_for_it(columns: int) -> None:
    screen = on(columns)
    screen.print(pairs(ROWS, columns))
    assert any(ADDRESS in line for line in lines(screen))
    assert all(len(line) <= columns for line in lines(screen))
    assert "Trieste" in "\n".join(lines(screen))


def test_the_first_fields_are_kept_if_not_all_fit() -> None:
    screen = on(40)
    screen.print(pairs([ROWS[1], ROWS[0], *ROWS[2:]], 40, 1))
    assert lines(screen) == [f"E-mail   {ADDRESS}"]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_fields_take_no_more_lines_than_they_may(most: int) -> None:
    screen = on(80)
    screen.print(pairs(ROWS, 80, most))
    assert len(lines(screen)) <= most


@pytest.mark.parametrize(("columns", "rows"), [(80, 1), (20, 2)])
def test_text_beside_a_heading_moves_below_it_in_a_narrow_window(columns: int, rows: int) -> None:
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm", "COLUMNS": str(columns)})
    screen.print(beside(screen, Text("Tamar Abendroth"), Text("$4,897.49 in 9")))
    shown = lines(screen)
    assert len(shown) == rows
    assert len(shown[0]) == (80 if rows == 1 else len("Tamar Abendroth"))


def test_calls_and_sales_are_not_pushed_out_by_edits() -> None:
    edits = [Entry(date(2026, 11, 20), "", "edit", f"Owner {number}") for number in range(9)]
    call = Entry(date(2026, 11, 18), "", "call", "Call: wants a second table")
    sale = Entry(date(2026, 11, 2), "", "sale", "Sale 7")
    screen = on(80)
    draw_timeline(screen, [*edits, call, sale], BY, 3)
    assert lines(screen) == [
        "yesterday   Owner 0",
        "3 days ago  Call: wants a second table",
        "Nov 2       Sale 7",
        "and 8 more",
    ]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [(40, [f"{'x' * 33}  no. 1"]), (39, ["x" * 33, "no. 1"]), (20, ["x" * 20, "x" * 13, "no. 1"])],
)
def test_the_number_of_a_record_is_not_broken(columns: int, expected: list[str]) -> None:
    screen = on(columns)
    screen.plain = False
    screen.print(with_number(screen, Text("x" * 33), "no. 1"))
    assert [re.sub("\x1b[^m]*m", "", line).rstrip() for line in lines(screen)] == expected


def test_amounts_of_a_timeline_are_aligned_beside_a_label() -> None:
    def entry(day: int, what: str, amount: Decimal | None = None) -> Entry:
        return Entry(date(2026, 11, day), "", "sale", what, amount=amount)

    entries = [entry(19, "Sale 7", Decimal(8600)), entry(18, "Call"), entry(17, "Sale 6", Decimal("1.50"))]
    screen = on(80)
    screen.plain = False
    draw_timeline(screen, entries, BY, 3, label="Latest")
    assert [re.sub("\x1b[^m]*m", "", line).rstrip() for line in lines(screen)] == [
        "Latest   2 days ago  $8,600.00  Sale 7",
        "         3 days ago             Call",
        "         4 days ago      $1.50  Sale 6",
    ]


def test_amounts_of_a_listed_timeline_are_a_column() -> None:
    entries = [
        Entry(date(2026, 11, 19), "", "sale", "Sale 7", amount=Decimal(8600)),
        Entry(date(2026, 11, 18), "", "call", "Call"),
        Entry(date(2026, 11, 17), "", "invoice", "Invoice 3", amount=Decimal(5), currency="EUR"),
    ]
    head, drawn = tables.lines(on(80), LISTED_ENTRIES, entries, BY, 76)
    end = head.index("Amount") + len("Amount")
    assert [line[:end].split("  ")[-1].strip() for line, _ in drawn] == ["$8,600.00", "", "€5.00"]
    assert [line[end:].strip() for line, _ in drawn] == ["Sale 7", "Call", "Invoice 3"]


def test_a_timeline_without_a_limit_is_complete_and_in_order() -> None:
    entries = [Entry(date(2026, 11, 20) - timedelta(days=day), "", "edit", f"Edit {day}") for day in range(5)]
    screen = on(80)
    draw_timeline(screen, entries, BY)
    assert [line.split()[-1] for line in lines(screen)] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("columns", [24, 40, 60])
def test_a_label_and_its_figure_are_not_broken(columns: int) -> None:
    screen = on(columns)
    figures = [Text("Before tax $3,616.00"), Text("Tax $723.20"), Text("Total $4,339.20"), Text("Open $4,339.20")]
    in_line(screen, figures)
    drawn = lines(screen)
    assert all(any(figure.plain in line for line in drawn) for figure in figures)
    assert all(len(line) <= columns for line in drawn)


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_lines_below_a_card_begin_where_its_values_do(columns: int) -> None:
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm", "COLUMNS": str(columns), "LINES": "40"})
    client = Client(last_name="Fox", email="fox@example.com", reference="W-1053", extra={"Ordered by": "Jo"})
    wide = draw_fields(screen, client, BY, most=4)
    screen.print(next_line(screen, FollowUp(what="call", due_on=date(2026, 11, 27)), BY, wide))
    draw_timeline(screen, [Entry(date(2026, 11, 2), "", "sale", "Sale 7")], BY, 1, label="Latest", label_wide=wide)
    shown = [re.sub(r"\x1b\]8;[^\x1b]*\x1b\\|\x1b[^m]*m", "", line) for line in lines(screen)]
    values = ("fox@", "Fri", "Sale 7" if columns == 40 else "Nov 2")
    assert len({line.index(words) for line in shown for words in values if words in line}) == 1, shown


def test_a_long_day_in_a_panel_takes_no_room_from_the_other_rows() -> None:
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm", "COLUMNS": "120", "LINES": "40"})
    rows = [("Nov 5", Text("E-mail: confirmed the order")), ("Oct 27, 2025", Text("Sale 85"))]
    drawn = "".join(text for _, text in side_list(screen, "Latest", rows))
    assert drawn.splitlines() == ["  Latest", "  Nov 5  E-mail: confirmed the order", "  Oct 27, 2025  Sale 85"]


def test_an_address_in_a_panel_moves_below_its_label_instead_of_breaking() -> None:
    address = "chiara.castellan52@example.com"
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm", "COLUMNS": "110", "LINES": "40"})
    facts = [("E-mail", Text(address)), ("Date of birth", Text("Jan 22, 1990"))]
    assert address in "".join(text for _, text in side_card(screen, [], facts))


@pytest.mark.parametrize("columns", range(40, 100, 5))
def test_an_amount_of_the_billing_line_is_never_cut(columns: int) -> None:
    paid = Payment(amount=Decimal(1000), on=date(2026, 11, 20))
    billing = ClientBilling([("", Decimal(600), Decimal(50))], {"": Decimal(523)}, paid, "EUR")
    line = billing_line(on(columns), ClientCard(Client(), [], {}, [], billing), BY)
    assert line is not None
    assert line.cell_len <= columns
    amounts = ["$600.00", "$50.00", "$523.00", "$1,000.00"]
    assert [word for word in line.plain.split() if word.startswith("$")] == amounts[: line.plain.count("$")]
    assert "…" not in line.plain


def test_a_long_message_goes_on_below_its_words() -> None:
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm", "COLUMNS": "40", "LINES": "20"})
    screen.print_signed(Text("✗ Chiara Castellan still has invoices, so keep her."))
    screen.print_signed(Text("Nothing to undo."))
    assert lines(screen) == ["✗ Chiara Castellan still has invoices,", "  so keep her.", "Nothing to undo."]


def test_the_page_of_keys_fits_forty_columns_and_twenty_lines() -> None:
    screen = on(40)
    screen.plain = False
    keys = [Choice(f"{letter.word} something", None, letter.key) for letter in letters.LETTERS]
    keys = list({key.key: key for key in keys}.values())[:20]
    draw_keys(screen, [Choice("A row", 1), Choice("Another", 2)], keys, 15, "List all clients by name.")
    drawn = lines(screen)
    assert len(drawn) <= 15
    assert all(any(f" {letters.name_of(key.key)} " in f" {line} " for line in drawn) for key in keys if key.key != "0")


def test_an_address_that_is_too_long_goes_below_its_label_if_a_line_is_free() -> None:
    rows = [("Address", Text("Main Street 1, 1010 Trieste, Italy")), ("City", Text("Trieste"))]
    for most, address in (
        (3, ["Address", "  Main Street 1, 1010 Trieste, Italy"]),
        (2, ["Address  Main Street 1, 1010 Trieste, I…"]),
    ):
        screen = on(40)
        screen.print(pairs(rows, 40, most))
        assert lines(screen)[: len(address)] == address
        assert len(lines(screen)) == most
