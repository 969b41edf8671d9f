"""Questions on a terminal that are asked one after another by the same keyboard."""

import gc
import os
import re
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from crm.errors import FieldError
from crm.terminal.console.keyboard import Back, Choice, Suggestion
from crm.terminal.console.prompt_toolkit_keyboard import TerminalKeyboard, terminal
from crm.terminal.drawing.screen import Screen

Type = Callable[[bytes], None]
ENTRIES = [Choice("One", 1), Choice("Two", 2)]


@pytest.fixture
def keys() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal."""
    master, slave = os.openpty()
    os.set_blocking(master, False)
    termios.tcsetwinsize(slave, (24, 80))
    yield master, slave
    os.close(slave)
    os.close(master)


@pytest.fixture
def keyboard(keys: tuple[int, int]) -> Iterator[TerminalKeyboard]:
    _, slave = keys
    with (
        open(slave, encoding="utf-8", closefd=False) as source,
        open(slave, "w", encoding="utf-8", closefd=False) as out,
        terminal(source, out, {}) as keyboard,
    ):
        yield keyboard


@pytest.fixture
def types(keys: tuple[int, int]) -> Type:
    """Type what the next question is answered by."""
    master, _ = keys

    def write(typed: bytes) -> None:
        with suppress(BlockingIOError):
            while os.read(master, 65_536):
                pass
        os.write(master, typed)

    return write


@pytest.mark.parametrize("before", [b"hidden\x15\x1b", b"\x12hid\x1b", b"\x11\x1b", b"hid\x1b"])
def test_a_question_leaves_no_keys_for_the_next(keyboard: TerminalKeyboard, types: Type, before: bytes) -> None:
    types(before)
    with pytest.raises(Back):
        keyboard.text("Password", str, secret=True, help="a help", multiline=True)
    types(b"\x19a\x1f\x1fb\r")
    assert keyboard.text("Name", str) == "b"


def test_a_question_is_answered_by_its_own_keys(keyboard: TerminalKeyboard, types: Type) -> None:
    types(b"\x1b[B\r")
    assert keyboard.choose("?", ENTRIES) == 2
    types(b"x")
    assert keyboard.choose("?", ENTRIES, hidden=[Choice("", "hidden", "x")]) == "hidden"
    types(b"x\x1b[C2")
    assert keyboard.choose("?", ENTRIES) == 2
    types(b"\x1b[C")
    assert keyboard.choose("?", ENTRIES, hidden=[Choice("", "on", "right")]) == "on"
    types(b"\r")
    assert keyboard.choose("?", ENTRIES, at=2) == 2
    types(b"\r")
    assert keyboard.choose("?", ENTRIES) == 1


@pytest.mark.parametrize(
    ("at", "in_column", "room", "rows", "more"),
    [
        (0, 0, 7, "0 1 2 3", "6 more below"),
        (3, 0, 7, "1 2 3 4", "1 more above, 5 more below"),
        (9, 0, 7, "6 7 8 9", "6 more above"),
        # However low it is, the entry that Enter chooses is seen.
        (0, 0, 4, "0", "9 more below"),
        (5, 0, 4, "5", "5 more above, 4 more below"),
        (0, 5, 6, "0 5 1 6 2 7", "4 more below"),
    ],
)
def test_a_low_window_counts_the_hidden_entries(
    keyboard: TerminalKeyboard,
    types: Type,
    keys: tuple[int, int],
    at: int,
    in_column: int,
    room: int,
    rows: str,
    more: str,
) -> None:
    # The question has a line, and another one its keys.
    types(b"x")
    entries = [Choice(f"Entry{number}", number) for number in range(10)]
    keyboard.choose(
        "Which?", entries, hidden=[Choice("", 0, "x")], hint="x leaves", at=at, room=room, in_column=in_column, back=""
    )
    screen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", os.read(keys[0], 65_536).decode())
    assert re.findall(r"Entry(\d)", screen) == rows.split()
    assert more in screen


@pytest.mark.parametrize(
    ("typed", "how", "answer"),
    [
        (b"\r", {}, "5000.00"),
        (b"2\r", {}, "2"),
        (b"12\r", {}, "12"),
        (b"\x1b[200~3.5\x1b[201~\r", {}, "3.5"),
        (b"\x7f\r", {}, ""),
        (b"\x1b[3~7\r", {}, "7"),
        # A key that moves in it begins to edit it.
        (b"\x1b[D\x7f9\r", {}, "5000.90"),
        (b"\x1b[C1\r", {}, "5000.001"),
        (b"\x051\r", {}, "5000.001"),
        (b"\x1b[H1\r", {}, "15000.00"),
        (b"\x01\x0b8\r", {}, "8"),
        (b"\x158\r", {}, "8"),
        (b"2\x1f\r", {}, "5000.00"),
        # What somebody types themselves is gone on with, as is what was refused, and what has several lines.
        (b"1\r", {"begun": True}, "5000.001"),
        (b"1\r", {"error": "Too much."}, "5000.001"),
        (b"1\r", {"multiline": True}, "5000.001"),
        (b"2\r", {"suggest": lambda _: [Suggestion("5000.00", "5000.00")]}, "2"),
    ],
)
def test_a_default_is_replaced_by_what_is_typed(
    keyboard: TerminalKeyboard, types: Type, typed: bytes, how: dict[str, Any], answer: str
) -> None:
    types(typed)
    assert keyboard.text("Amount", str, default="5000.00", **how) == answer


def test_a_refused_default_can_be_corrected(keyboard: TerminalKeyboard, types: Type) -> None:
    def read(text: str) -> str:
        if text == "5000.00":
            raise FieldError("too much")
        return text

    types(b"\r\x7f1\r")
    assert keyboard.text("Amount", read, default="5000.00") == "5000.01"


def test_more_entries_than_keys_can_all_be_reached(keyboard: TerminalKeyboard, types: Type) -> None:
    entries = [Choice(f"Contact {number}", number) for number in range(1, 61)]
    # The first nine have a digit; letters act, and choose none.
    types(b"9")
    assert keyboard.choose("?", entries) == 9
    types(b"\x1b[A\x1b[A\r")
    assert keyboard.choose("?", entries) == 60
    # What came with a key that chooses nothing is not taken either.
    types(b"\xc3\xa4\r\x1b[A\x1b[B\r")
    assert keyboard.choose("?", entries, at=41) == 41


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (b"3", "Germany"),
        (b"\x1b[B\r", "Belgium"),
        (b"y\r", "Yemen"),
        (b"no\r", "Norway"),
        # Accents and case do not matter, and each word may begin any word.
        (b"COTE\r", "C\u00f4te d'Ivoire"),
        (b"ze ne\r", "New Zealand"),
        (b"n2", "Nepal"),
        # Nothing fits: what was narrowed before stays.
        (b"noq\x1b[B\x1b[A\r", "Norway"),
        # Nor is what came with it taken.
        (b"noq21\r\x1b[B\x1b[A\r", "Norway"),
        (b"no\x7f2", "Nepal"),
    ],
)
def test_letters_filter_a_question_with_many_answers(
    keyboard: TerminalKeyboard, types: Type, typed: bytes, answer: str
) -> None:
    names = ["Austria", "Belgium", "Germany", "Italy", "Spain", "Sweden", "Poland", "Norway", "Nepal", "Yemen"]
    entries = [Choice(name, name) for name in (*names, "C\u00f4te d'Ivoire", "New Zealand")]
    types(typed)
    assert keyboard.choose("Country:", entries, narrows=True) == answer


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (b"p\r", "phone"),
        # What follows a letter is no number of the form: 12ab was meant for the phone.
        (b"p1\r", "phone"),
        (b"p0\r", "phone"),
        (b"x\r\x1b[A\x1b[B2", "phone"),
        (b"p1\x1b[A\x1b[B1", "save"),
        (b"c\r", "company"),
        (b"cc\r", "city"),
        # Nor do the other letters of what was meant for the phone lead to another field.
        (b"pco\r", "phone"),
        (b"pc\x1b[A\x1b[Bc\r", "company"),
        (b"ccc\x1b[A\x1b[B\r", "country"),
        (b"1", "save"),
    ],
)
def test_a_letter_in_a_form_marks_a_field_and_saves_nothing(
    keyboard: TerminalKeyboard, types: Type, typed: bytes, answer: str
) -> None:
    fields = ("Phone", "Company", "City", "Country")
    entries = [Choice("Save", "save"), *(Choice(name, name.lower(), field=name) for name in fields)]
    types(typed)
    assert keyboard.choose("", entries) == answer


def test_the_selected_field_comes_first(keyboard: TerminalKeyboard, types: Type) -> None:
    entries = [Choice(name, name.lower(), field=name) for name in ("Company", "City", "Country")]
    for typed, answer in ((b"c\r", "country"), (b"cc\r", "company")):
        types(typed)
        assert keyboard.choose("", entries, at="country") == answer


def test_keys_typed_ahead_go_to_the_next_question(keyboard: TerminalKeyboard, types: Type) -> None:
    types(b"2A\r")
    assert keyboard.choose("?", ENTRIES) == 2
    assert keyboard.text("Name", str) == "A"
    # So many at once are no keys.
    types(b"2Anna\r1\x1b[B\r")
    assert keyboard.choose("?", ENTRIES) == 2


def test_a_resize_affects_only_the_current_question(
    keyboard: TerminalKeyboard, types: Type, keys: tuple[int, int]
) -> None:
    termios.tcsetwinsize(keys[1], (20, 60))
    types(b"1")
    assert keyboard.choose("?", ENTRIES, resized="redraw") == 1

    def read(_: str) -> Any:
        termios.tcsetwinsize(keys[1], (30, 100))
        return "read"

    types(b"\r")
    assert keyboard.text("Name", read) == "read"
    types(b"2")
    assert keyboard.choose("?", ENTRIES, resized="redraw") == 2


@pytest.mark.slow
def test_many_questions_take_no_more_memory_than_a_few(keyboard: TerminalKeyboard, types: Type) -> None:
    def ask(times: int) -> int:
        for turn in range(times):
            types(b"\x1b[B\r")
            assert keyboard.choose(f"{turn}?", ENTRIES, hint="/ search") == 2
            types(b"ab\r")
            suggest = (lambda text: [Suggestion(text, text)]) if turn % 2 else None
            assert keyboard.text(f"{turn}", str, suggest=suggest, multiline=bool(turn % 3)) == "ab"
        gc.collect()
        return len(gc.get_objects())

    before = ask(20)
    assert ask(20) - before < 200


@pytest.mark.parametrize(
    ("environment", "asks"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "tmux-256color"}, True),
        ({"TERM": "linux"}, False),
        ({}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "COLORFGBG": "15;0"}, False),
        ({"TERM": "xterm", "CRM_BACKGROUND": "light"}, False),
    ],
)
def test_the_background_colour_is_queried_once_and_its_reply_redraws_the_page(
    keys: tuple[int, int], environment: dict[str, str], asks: bool
) -> None:
    master, slave = keys
    with (
        open(slave, encoding="utf-8", closefd=False) as source,
        open(slave, "w", encoding="utf-8", closefd=False) as out,
    ):
        screen = Screen(out, plain=False, environment=environment)
        with terminal(source, out, environment, screen=screen) as keyboard:
            os.write(master, b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\" if asks else b"2")
            assert keyboard.choose("?", ENTRIES, resized="again") == ("again" if asks else 2)
            os.write(master, b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\1")
            assert keyboard.choose("?", ENTRIES, resized="again") == 1
    drawn = os.read(master, 65_536)
    assert drawn.count(b"\x1b]11;?\x1b\\") == asks
    assert screen.ground == ("dark" if asks else screen.ground)
