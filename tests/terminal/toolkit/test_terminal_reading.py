"""Pages longer than the window: they begin at the top, can be scrolled, and no line is lost.

In this process, with a keyboard that notes what is on the window before each of its keys.
"""

import base64
import io
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyte
import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.drawing.screen import Screen
from crm.terminal.home.main_menu import MainMenu
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.session import Session
from tests.support.clocks import TODAY
from tests.support.keyboards import Leaving

WIDTH, HEIGHT = 40, 20


class Pressing(Leaving):
    """A Keyboard that presses some keys, one a question, and then goes back."""

    def __init__(self, *keys: str, columns: int = WIDTH, lines: int = HEIGHT) -> None:
        self.keys = list(keys)
        self.size = columns, lines
        self.out = io.StringIO()
        self.screen = Screen(
            self.out, plain=False, environment={"TERM": "xterm", "COLUMNS": str(columns), "LINES": str(lines)}
        )
        # The window before each key, and how many lines the question was given below it.
        self.windows: list[list[str]] = []
        self.rooms: list[int] = []

    def _note(self) -> None:
        terminal = pyte.Screen(*self.size)
        pyte.Stream(terminal).feed(self.out.getvalue().replace("\n", "\r\n"))
        self.windows.append([line.rstrip() for line in terminal.display])

    def choose(
        self, _: str, choices: Sequence[Choice], *, hidden: Sequence[Choice] = (), room: int = 0, **__: Any
    ) -> Any:
        self._note()
        self.rooms.append(room)
        if not self.keys:
            raise Back
        key = self.keys.pop(0)
        return next(choice.value for choice in (*choices, *hidden) if key in (choice.key, choice.label))

    def pause(self, room: int = 0) -> None:
        self._note()


def session(crm: CRM, *keys: str, columns: int = WIDTH, lines: int = HEIGHT) -> tuple[Session, Pressing]:
    keyboard = Pressing(*keys, columns=columns, lines=lines)
    return Session(crm, keyboard, keyboard.screen), keyboard


@pytest.fixture
def filled(crm: CRM) -> CRM:
    for number in range(8):
        client = named("clients add")(crm, {"company": f"Acme {number}"})
        named("sales add")(crm, client, Decimal(100), TODAY)
        named("follow-ups add")(crm, client, f"call {number}", due=TODAY)
    load_flows()
    return crm


def test_a_page_without_choices_is_scrolled_window_by_window(crm: CRM) -> None:
    opened, keyboard = session(crm)
    lines = [f"line {number}." for number in range(1, 41)]
    opened.read(["Mailing", "Text"], lambda: [opened.screen.print(line) for line in lines])
    for window in keyboard.windows:
        assert window[0].startswith("Mailing")
    seen = [line for window in keyboard.windows for line in window if line.startswith("line ")]
    assert list(dict.fromkeys(seen)) == lines
    assert len(keyboard.windows) == 3


def test_a_long_page_above_a_menu_starts_at_the_top_and_scrolls(crm: CRM) -> None:
    opened, keyboard = session(crm, "pagedown", "pagedown", "pageup", "pageup")
    lines = [f"line {number}." for number in range(1, 31)]
    opened.menu(
        ["Report"],
        lambda: [Choice("Save", lambda: None)],
        above=lambda: [opened.screen.print(line) for line in lines] and None,
    )
    firsts = [window[2] for window in keyboard.windows]
    assert firsts[0] == firsts[-1] == "line 1."
    assert "line 30." in keyboard.windows[2]
    for window, room in zip(keyboard.windows, keyboard.rooms, strict=True):
        assert window[0] == "Report"
        assert room >= 4


@pytest.mark.parametrize(
    ("columns", "title"),
    [
        (80, "Clients › Viktor Bergengruen › Record a sale"),
        (44, "Clients › Viktor Bergengruen › Record a sale"),
        (43, "… › Viktor Bergengruen › Record a sale"),
        (30, "Viktor Bergen… › Record a sale"),
        (20, "… › Record a sale"),
    ],
)
def test_breadcrumbs_are_shortened_from_the_left_and_keep_the_name_while_there_is_room(
    crm: CRM, columns: int, title: str
) -> None:
    opened, keyboard = session(crm, columns=columns)
    crumbs = ["Clients", "Viktor Bergengruen", "Record a sale"]
    opened.read(crumbs, lambda: opened.screen.print("text"))
    assert keyboard.windows[0][0] == title


@pytest.mark.parametrize("words", ["today", "reports sales", "rules list", "settings list", "deals board"])
def test_the_keys_of_a_page_and_the_page_itself_have_their_titles(filled: CRM, words: str) -> None:
    opened, keyboard = session(filled, "?")
    opened.attempt(lambda: opened.start(named(words)))
    title = keyboard.windows[0][0].split()[0]
    assert keyboard.windows[0][1].startswith("─")
    assert title.isalpha()
    assert all(window[1].startswith("─") for window in keyboard.windows)


_SCROLLED = ("PgUp PgDn", "page up, page down", "Home End", "first row, last row", "↑ ↓", "moves the mark", "undo")


@pytest.mark.parametrize(
    ("words", "keys", "seen"),
    [
        ("clients list", "?", (*_SCROLLED, "A to Z", "to that name", "bulk actions", "0, Esc")),
        ("sales list", "?", _SCROLLED),
        ("follow-ups list", "?", _SCROLLED),
        ("history list", "?", _SCROLLED),
        ("deals board", "?", ("← →", "other stage", "↑ ↓", "other deal", "Shift ← →", "move the deal a stage")),
        ("dashboard set", "?", ("↑ ↓", "other tile", "Shift ↑ ↓", "move the tile")),
        ("clients list", "f?", ("↑ ↓", "moves the mark", "a to z", "type to narrow the list")),
        ("rules list", "?", ("↑ ↓", "1 to")),
    ],
)
def test_the_keys_of_a_page_fit_a_usual_window_and_name_arrows_jumps_and_narrowing(
    filled: CRM, words: str, keys: str, seen: Sequence[str]
) -> None:
    named("deals add")(filled, named("clients add")(filled, {"company": "Berg"}), "Shop window", Decimal(100))
    opened, keyboard = session(filled, *keys, columns=80, lines=24)
    opened.search = lambda _: None
    opened.attempt(lambda: opened.start(named(words)))
    pages = [window for window in keyboard.windows if "› Keys" in window[0]]
    assert len(pages) == 1, keyboard.windows
    assert [text for text in seen if text not in "\n".join(pages[0])] == [], pages[0]


@pytest.mark.parametrize(
    ("words", "keys", "seen"),
    [
        ("clients list", "?", ("PgUp", "PgDn", "Home", "End", "A-Z", "↑ ↓", "u ", "g ")),
        ("clients list", "f?", ("↑ ↓", "narrow the list")),
    ],
)
def test_the_list_of_keys_scrolls_in_the_smallest_window(
    filled: CRM, words: str, keys: str, seen: Sequence[str]
) -> None:
    opened, keyboard = session(filled, *keys)
    opened.attempt(lambda: opened.start(named(words)))
    pages = [window for window in keyboard.windows if "Keys" in window[0]]
    drawn = "\n".join(line for window in pages for line in window)
    assert len(pages) in (1, 2)
    assert [text for text in seen if text not in drawn] == [], drawn


def test_today_counts_the_rows_that_do_not_fit(filled: CRM) -> None:
    opened, keyboard = session(filled)
    listed: list[str] = []
    choose = keyboard.choose

    def noted(question: str, choices: Sequence[Choice], **given: Any) -> Any:
        listed.extend(choice.label for choice in choices)
        return choose(question, choices, **given)

    keyboard.choose = noted  # type: ignore[method-assign]
    opened.attempt(lambda: opened.start(named("today")))
    shown = sum("call" in label for label in listed)
    # Moved and new clients give way.
    assert 5 <= shown < 8
    assert all("(Acme" in label for label in listed if "call" in label)
    assert f"{8 - shown} more to do" in listed
    assert any(label.startswith("More (") for label in listed)


def test_an_address_is_copied_by_a_key(crm: CRM) -> None:
    client = named("clients add")(crm, {"last_name": "Berg", "email": "a@example.com", "phone": "+436601234567"})
    load_flows()
    opened, keyboard = session(crm, "k", "E-mail: a@example.com")
    opened.attempt(lambda: opened.open(client))
    assert f"\x1b]52;c;{base64.b64encode(b'a@example.com').decode()}\x07" in keyboard.out.getvalue()
    assert any("Copied" in line for line in keyboard.windows[-1] + [opened._foot])


def test_a_wide_and_high_main_menu_shows_the_tiles_whole_in_two_columns(filled: CRM) -> None:
    born = TODAY + timedelta(days=2)
    for number in range(4):
        name = f"Featherstonehaugh {number}"
        named("clients add")(filled, {"last_name": name, "date_of_birth": born.replace(year=1980)})
    berg = named("clients add")(filled, {"company": "Berg"})
    named("deals add")(filled, berg, "Shop window", Decimal(100))
    opened, keyboard = session(filled, columns=120, lines=40)
    menu = MainMenu(opened)
    menu.show()
    menu.choose()
    (drawn, *_) = keyboard.windows
    text = "\n".join(drawn)
    titles = ("Sales this month", "Newest clients", "Birthdays", "Pipeline by stage", "My follow-ups")
    assert all(title in text for title in titles), text
    assert all(f"Featherstonehaugh {number} turns 46" in text for number in range(4))
    assert "…" not in text.partition("Newest clients")[2]
    # Two of them are beside others.
    assert sum(line.startswith(titles) for line in drawn) < len(titles) - 1


def test_answers_are_aligned(crm: CRM) -> None:
    opened, keyboard = session(crm, columns=60)
    parameters = named("deals add").parameters
    wide = max(len(parameters[name].label) for name in ("title", "value"))
    for name, value in (("title", "Roof"), ("value", Decimal(12))):
        opened.prompts.show_answer(parameters[name], value, wide)
    keyboard.pause()
    (drawn,) = keyboard.windows
    assert drawn[0].index("Roof") == drawn[1].index("$12.00")
