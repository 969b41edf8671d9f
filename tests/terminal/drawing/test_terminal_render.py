"""Drawn results of commands, at the widths that people have."""

import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.padding import Padding
from rich.text import Text

from crm.commands.context import CRM
from crm.commands.registry import commands, named
from crm.model import Client, Conventions
from crm.repository import Query
from crm.terminal.drawing.charts import bar, change, columns
from crm.terminal.drawing.render import show
from crm.terminal.drawing.screen import PipedScreen, Screen, clean
from tests.support.clocks import standing_on

pytestmark = pytest.mark.dated

BY = Conventions(clock=standing_on(date(2026, 11, 21)))


@pytest.fixture(params=[40, 80, 120])
def screen(request: Any) -> Screen:
    return Screen(io.StringIO(), plain=True, environment={"COLUMNS": str(request.param)})


def drawn(screen: Screen) -> list[str]:
    assert isinstance(screen.console.file, io.StringIO)
    return screen.console.file.getvalue().splitlines()


@pytest.fixture
def people(crm: CRM) -> CRM:
    """A company of people whose names are anything but short."""

    def fill(tx: Any) -> None:
        for number in range(1, 13):
            client = tx.add(
                Client(
                    kind="person",
                    first_name="家族家族" * number,
                    last_name=f"[bold]O'Featherstonehaugh-{number}[/] 🎉" * 3,
                    email=f"somebody.with.a.long.address{number}@subdomain.example.com",
                    city="Llanfairpwllgwyngyll",
                    notes="x\x1b[2Jy " * 40,
                    date_of_birth=date(1990, 11, 22),
                    extra={"shoe size": "42"},
                )
            )
            tx.add(_sale(client.id, number))

    crm.transact(fill, "filled")
    return crm


def _sale(client: int, number: int) -> Any:
    from crm.model import Sale

    return Sale(client=client, on=date(2026, 11, number), amount=Decimal(number * 12345), note="note " * 20)


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("clients list", {"filters": {}}),
        ("clients show", {"client": 3}),
        ("sales list", {}),
        ("rules list", {}),
        ("rules preview", {"rule": ["Gold when total_spend > 1000", "Regular otherwise"]}),
        ("rules why", {"client": 3}),
        ("today", {}),
        ("history list", {}),
        ("settings list", {}),
        ("check", {}),
    ],
)
def test_nothing_is_wider_than_the_screen(people: CRM, screen: Screen, words: str, given: dict[str, Any]) -> None:
    if "client" in given:
        with people.read() as snapshot:
            given = {**given, "client": snapshot.get(Client, given["client"])}
    show(screen, named(words)(people, **given), people.conventions)
    lines = drawn(screen)
    assert lines
    assert max(map(cell_len, lines)) <= screen.width
    assert "\x1b" not in "".join(lines)


def test_a_card_shows_everything_and_marks_doubts(people: CRM, screen: Screen) -> None:
    people.transact(lambda tx: tx.change(tx.get(Client, 1), phone="call my sister"), "edited")
    with people.read() as snapshot:
        client = snapshot.get(Client, 1)
    show(screen, named("clients show")(people, client=client), people.conventions)
    text = " ".join(" ".join(drawn(screen)).split())
    for words in ("[bold]", "call my sister", "⚠", "Shoe size", "42", "$12,345.00", "x␛[2Jy"):
        assert words.casefold() in text.casefold()


def test_amounts_and_dates_are_never_cut(people: CRM, screen: Screen) -> None:
    show(screen, named("sales list")(people), people.conventions)
    assert any("$148,140.00" in line and "Nov 12, 2026" in line for line in drawn(screen))


def test_every_command_of_the_menu_says_what_it_does() -> None:
    for command in commands():
        assert command.title, command.words
        assert command.summary.endswith("."), command.words


def test_clean_keeps_names_and_removes_control_characters() -> None:
    assert clean("Žofie 家族 🎉 é [bold]") == "Žofie 家族 🎉 é [bold]"
    assert clean("a\tb\r\nc\x1b[2J\x07\x9b\u202e\u2066") == "a b c␛[2J␇\ufffd\ufffd\ufffd"
    assert clean("a\nb", lines=True) == "a\nb"


@pytest.mark.parametrize(("value", "width", "wanted"), [(0, 10, 0), (1, 10, 1), (100, 10, 10), (50, 10, 5)])
def test_bars_grow_with_their_values(value: int, width: int, wanted: int) -> None:
    for unicode in (True, False):
        assert len(bar(value, 100, width, unicode=unicode)) == wanted


def test_only_the_greatest_column_reaches_the_top() -> None:
    lines = columns([Decimal(0), Decimal(1), Decimal(50), Decimal(100)], 2)
    assert lines == ["   █", " ▁██"]
    assert columns([Decimal(0)] * 3, 1) == ["   "]


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ("150", "100", "+50 %"),
        ("50", "100", "-50 %"),
        ("5", "0", ""),
        ("100", "100", "+0 %"),
        ("1000000", "1", "much more"),
    ],
)
def test_change_in_per_cent(now: str, before: str, expected: str) -> None:
    assert change(Decimal(now), Decimal(before)) == expected


def test_a_result_without_a_renderer_is_shown_by_its_names(screen: Screen) -> None:
    from crm.commands.data.demo import DemoReport

    show(screen, DemoReport("sqlite:///x", Path("x"), 3, 4), BY)
    text = "\n".join(drawn(screen))
    assert "Clients" in text
    assert "3" in text


def test_an_empty_list_says_so(screen: Screen) -> None:
    show(screen, [], BY)
    assert drawn(screen) == ["Nothing to show."]


def test_long_lists_are_shown_in_full(people: CRM, screen: Screen) -> None:
    with people.read() as snapshot:
        found = snapshot.find_all(Client, Query(sort="id"))
    show(screen, found, people.conventions)
    assert len(drawn(screen)) == 13


def test_indentation_is_dropped_for_other_programs() -> None:
    out = io.StringIO()
    PipedScreen(out, {}).print(Padding(Text("Follow-up on Friday"), (0, 0, 0, 2), expand=False))
    assert out.getvalue() == "Follow-up on Friday\n"


def test_a_new_client_shows_its_warnings(crm: CRM) -> None:
    added = named("clients add")(crm, {"first_name": "Zed", "phone": "0151 23456"})
    output = io.StringIO()
    show(Screen(output, plain=True, environment={"COLUMNS": "80"}), added, crm.conventions)
    assert "0151 23456 ⚠ not a phone number in" in output.getvalue()


class WrittenOut(io.StringIO):
    """A terminal that knows what has been written out to it."""

    shown = ""

    def flush(self) -> None:
        self.shown = self.getvalue()


def test_a_page_is_written_out_when_it_is_whole() -> None:
    out = WrittenOut()
    screen = Screen(out, plain=False, environment={"COLUMNS": "80"})
    screen.print("Before")
    before = out.shown
    assert "Before" in before
    with screen.at_once():
        screen.clear()
        screen.print("Clients")
        screen.print(Text("Anna", "bold"))
        assert out.shown == before
    assert "Clients" in out.shown
    assert "Anna" in out.shown
