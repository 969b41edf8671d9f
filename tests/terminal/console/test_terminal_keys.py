"""Keys: each real key reaches the page, and no other input does."""

import gc
import io
import os
import random
import threading
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session, dummy
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import DummyOutput

from crm.commands.activity import follow_ups
from crm.commands.clients import clients
from crm.commands.context import CRM
from crm.commands.sales import deals, sales
from crm.terminal.console import key_parser as keys_module
from crm.terminal.console import select_prompt, text_prompt
from crm.terminal.console.key_parser import KeyParser, read_carefully
from crm.terminal.console.keyboard import Choice, Closed
from crm.terminal.console.prompt_toolkit_keyboard import TerminalKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.home.main_menu import MainMenu
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.session import Session
from run import menu_loop
from tests.terminal.conftest import Start

CONTROLS = [chr(code) for code in range(32) if chr(code) not in "\x03\x04\t\n\r\x1b"]


def parsed(parser: type[Vt100Parser], *pieces: str) -> list[KeyPress]:
    """The keys that a parser makes of what was typed, and a silence after it."""
    pressed: list[KeyPress] = []
    made = parser(pressed.append)
    for piece in pieces:
        made.feed(piece)
    made.flush()
    return pressed


def pressed(*pieces: str) -> str:
    """The data of the keys, one after the other."""
    return "".join(key.data for key in parsed(KeyParser, *pieces))


@pytest.mark.parametrize(
    ("answer", "ground"),
    [
        ("\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\", "dark"),
        ("\x1b]11;rgb:0000/2b2b/3636\x07", "dark"),
        ("\x1b]11;rgb:fd/f6/e3\x07", "light"),
        ("\x1b]11;rgba:ffff/ffff/ffff/cccc\x07", "light"),
        ("\x1b]11;rgb:f/f/f\x07", "light"),
        ("\x1b]11;#ffffff\x07", ""),
        ("\x1b]11;\x07", ""),
        ("\x1b]11;rgb:12345/0/0\x07", ""),
    ],
)
def test_a_terminals_reply_about_its_background_is_never_taken_for_a_key(answer: str, ground: str) -> None:
    for at in range(len(answer)):
        keys: list[KeyPress] = []
        grounds: list[str] = []
        parser = KeyParser(keys.append, grounds.append)
        for piece in ("2", answer[:at], answer[at:], "q"):
            parser.feed(piece)
        parser.flush()
        assert ("".join(key.data for key in keys), grounds) == ("2q", [ground] if ground else [])


def test_a_bracket_after_esc_is_still_typed() -> None:
    assert pressed("\x1b]") == "\x1b]"


def test_a_known_key_is_recognized_wherever_its_bytes_are_split() -> None:
    for sequence in (sequence for sequence, key in ANSI_SEQUENCES.items() if key is not Keys.Ignore):
        known = parsed(Vt100Parser, sequence)
        for at in range(len(sequence)):
            assert parsed(KeyParser, sequence[:at], sequence[at:]) == known


@pytest.mark.parametrize(
    "sequence",
    [
        *("\x1b[99~", "\x1b[1;99Z", "\x1b[?1;2c", "\x1b[>0;1;2c", "\x1b[9", "\x1b[3;1$y", "\x1bO5X", "\x1b[[9"),
        # How some terminals tell of a key with modifiers, of the focus, and of a key of the numeric block.
        *("\x1b[57399u", "\x1b[97;5u", "\x1b[I", "\x1b[27;6;49~"),
    ],
)
def test_an_unknown_sequence_is_ignored_wherever_its_bytes_are_split(sequence: str) -> None:
    for at in range(len(sequence)):
        assert pressed(sequence[:at], sequence[at:]) == ""
        whole = sequence if sequence != "\x1b[9" else f"{sequence}\x00"
        assert pressed(f"a{whole[:at]}", f"{whole[at:]}b").replace("\x00", "") == "ab"


def test_text_that_only_begins_like_a_sequence_is_typed_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [key.key for key in parsed(KeyParser, "\x1b1")] == [Keys.Escape, "1"]
    assert [key.key for key in parsed(KeyParser, "\x1bOla")] == [Keys.Escape, "O", "l", "a"]
    assert [key.key for key in parsed(KeyParser, "\x1b\x1b[A")] == [Keys.Escape, Keys.Up]
    assert [key.key for key in parsed(KeyParser, "\x1b[1\x03")] == [Keys.ControlC]
    # One that is never finished does not hold up the keys after it for long.
    monkeypatch.setattr(keys_module, "_GOES_ON_SECONDS", 0.0)
    assert pressed("\x1b[", "12") == "12"


def test_pasted_text_is_text() -> None:
    text = "a\x1b[99~b\x1b[A\x1b"
    (key,) = parsed(KeyParser, f"\x1b[200~{text}"[:9], f"\x1b[200~{text}"[9:], "\x1b[20", "1~")
    assert (key.key, key.data) == (Keys.BracketedPaste, text)


# In the menu


@pytest.fixture
def team(crm: CRM) -> CRM:
    """A store in which each page has something to show."""
    client = clients.add(crm, {"first_name": "Ann", "last_name": "Berg", "email": "ann@example.com"})
    clients.add(crm, {"first_name": "Bo", "last_name": "Fox"})
    sales.add(crm, client, Decimal(120))
    follow_ups.add(crm, client, "Call", crm.repository.clock.today)
    deals.add(crm, client, "Kitchen", Decimal(4000))
    return crm


def test_only_the_listed_keys_leave_a_page(team: CRM, start: Start) -> None:  # noqa: ARG001
    menu = start().sees("1) ")
    menu.choose("Today").sees("Call")
    for key in (*CONTROLS, "\x1b[99~", "\x1b[1;5P", "\x1b[200~12\x1b[201~", "\x1b[M !!", "\x1b[<0;3;3M", "\x1b[3;4R"):
        menu.press(key)
    # Everything was taken before the next key is.
    menu.press("?").sees("opens that line").press("enter").sees("Call")
    assert b"Something went wrong" not in menu.raw
    menu.press("esc").sees("Exit").press("/").sees("Find")
    for key in (*CONTROLS, "\x1b[99~", "\x1b[1;5P", "\x1b[M !!", "\x1b[<0;3;3M", "\x1b[3;4R"):
        menu.press(key)
    menu.press("kill", "Ann Berg", "enter").sees("ann@example.com")
    assert b"Something went wrong" not in menu.raw


def test_invalid_bytes_find_nothing_in_a_search(team: CRM, start: Start) -> None:  # noqa: ARG001
    menu = start().sees("1) ").press("/").sees("Find")
    menu.child.send(b"\xff\xfe\xed\xa0\x80 Berg")
    menu.press("enter").sees("No client, command or setting matches that")
    menu.press("kill", "Ann Berg", "enter").sees("ann@example.com")
    assert b"Something went wrong" not in menu.raw


def test_a_line_is_edited_with_the_usual_keys(team: CRM, start: Start) -> None:  # noqa: ARG001
    menu = start().sees("1) ").press("/").sees("Find")
    menu.press("x", "\x01", "\x1b[3~", "Ann Brg", "\x1b[D", "\x1b[D", "e", "\x05", "gg", "\x7f", "\x08")
    menu.sees("Ann Berg").press("\x17").lacks("Berg").press("\x1f", "\x1f").press("\x15", "Bo", "\x19", "\x15")
    menu.press("Bo F", "\t", "enter").sees("Bo Fox")


def named_changes(crm: CRM) -> list[str]:
    with crm.read() as snapshot:
        return [entry.what for entry in snapshot.history()]


def test_a_quick_note_begins_on_every_page(team: CRM, start: Start) -> None:
    menu = start().sees("1) ").press("enter").sees("Call").press("q").sees("Note (")
    menu.press("lunch with Bo Fox, 2 pm thursday", "enter").sees("Save it?").press("1").sees("Planned with Bo Fox")
    menu.press("esc").choose("Deals").sees("Kitchen").press("q").sees("Note (").press("esc").sees("Kitchen")
    menu.press("esc").choose("Clients").sees("Ann Berg").press("1").sees("ann@example.com").press("q").sees("Note (")
    assert named_changes(team)[0] == "noted: lunch with Bo Fox, 2 pm thursday"


@pytest.mark.parametrize("text", ["lunch with Bo Fox 2 pm thursday\r", "uy\r1\r", "2\n1d\ny", "ö12345", "     dy"])
def test_text_that_arrives_at_once_is_not_read_as_keys(team: CRM, start: Start, text: str) -> None:
    before = named_changes(team)
    menu = start().sees("1) ").press("enter").sees("Call").press(text).sees("Pasted text was ignored").sees("Today")
    menu.paste(text).sees("Pasted text was ignored").press("esc").choose("Deals").sees("Kitchen").press(text)
    menu.sees("Pasted text was ignored").sees("Kitchen")
    assert named_changes(team) == before


def test_pasted_text_starts_a_search_or_a_note_and_filters_a_list(team: CRM, start: Start) -> None:
    menu = start().sees("1) ").press("/Ann Berg").sees("Find: Ann Berg").press("esc").sees("1) ")
    menu.press("qmet Ann Berg").sees("Note (what").sees("): met Ann Berg").press("esc").sees("Discard")
    menu.press("1").choose("Clients").press("f").sees("type to narrow the list").paste("not\ncontacted").sees(
        "1) Not contacted since"
    ).lacks("Country")
    assert len(named_changes(team)) == 5


def test_text_that_arrives_with_an_unused_key_is_ignored(team: CRM, start: Start) -> None:
    before = named_changes(team)
    start().sees("1) ").press("k2d").sees("k is not a choice here").settled().sees("Exit").press("enter").sees("Call")
    assert named_changes(team) == before


def test_a_question_is_not_answered_by_what_was_typed_before_it(team: CRM, start: Start) -> None:
    before = named_changes(team)
    menu = start().sees("1) ").press("uy").sees("Undo: deal Kitchen with ").settled().sees("1) Undo it")
    menu.press("q").sees("Quick note does not work on this page").press("yes", "y", "enter").settled()
    menu.sees("1) Undo it").press("esc").sees("Exit")
    assert named_changes(team) == before


def test_an_undo_can_be_redone_after_the_dashboard_was_arranged(team: CRM, start: Start) -> None:  # noqa: ARG001
    menu = start().sees("1) ").press("u").sees("1) Undo it").press("y").sees("U redoes it")
    menu.press("enter").sees("Call").press("e").sees("Arrange").press("1").press("esc").lacks("Arrange").press("U")
    menu.sees("Redo:").press("y").sees("Redone")
    menu.press("esc").choose("Deals").sees("Kitchen")


@pytest.mark.parametrize(
    "key", ["\x1b[A", "\x1b[B", "\x0e", "\x10", "\r", "x", "\x0f", "\x1b[1;5P", "\x1b[200~12\x1b[201~"]
)
def test_press_any_key_accepts_every_key(key: str) -> None:
    with create_pipe_input() as source:
        read_carefully(source)
        source.send_text(key)
        with create_app_session(input=source, output=DummyOutput()):
            TerminalKeyboard().pause()


def test_a_page_makes_no_application_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """prompt_toolkit makes one where a control is measured before its question is asked: a third of a page's time."""
    made: list[object] = []
    monkeypatch.setattr(dummy.DummyApplication, "__init__", made.append)
    with create_pipe_input() as source:
        read_carefully(source)
        source.send_text("1")
        with create_app_session(input=source, output=DummyOutput()):
            assert TerminalKeyboard().choose("Which?", [Choice("The first", "first")], room=20) == "first"
    assert made == []


# Whatever comes


@pytest.fixture
def crashes(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """The exceptions in a step of the menu."""
    found: list[Exception] = []
    monkeypatch.setattr(Session, "_crashed", lambda _, error: found.append(error))
    return found


@pytest.fixture
def keys_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take each character for a key, however fast it comes."""
    monkeypatch.setattr(select_prompt, "_is_text", lambda _: False)
    monkeypatch.setattr(select_prompt, "_typed_on", lambda *_, **__: [])


def typed_at(crm: CRM, data: bytes) -> None:
    """Have the menu take keys to the last of them; whoever leaves it comes in again."""
    screen = Screen(io.StringIO(), plain=False)
    with create_pipe_input() as source:
        read_carefully(source)

        def send() -> None:
            source.send_bytes(data)
            source.close()

        sending = threading.Thread(target=send)
        sending.start()
        with create_app_session(input=source, output=DummyOutput()):
            session = Session(crm, TerminalKeyboard(), screen)
            with closing(session), suppress(Closed):
                menu = MainMenu(session)
                while True:
                    menu_loop(menu)
        sending.join()
        assert source.closed


def noise(seed: int, size: int) -> bytes:
    """Random bytes: of some only such as keyboards send, so that they come further."""
    dice = random.Random(seed)
    if seed % 2:
        return dice.randbytes(size)
    pieces = [*"0123456789abcdefghijklmnopqrstuvwxyz /?", "\r", "\x1b[A", "\x1b[B", "\t", "ä", *CONTROLS]
    return "".join(dice.choices(pieces, k=size)).encode()[:size]


@pytest.fixture
def at_home(team: CRM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CRM:
    """The team's store where files may be written anywhere."""
    load_flows()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return team


@pytest.mark.many
@pytest.mark.usefixtures("keys_at_once")
@pytest.mark.parametrize("seed", range(2))
def test_random_keys_are_taken_without_a_crash(at_home: CRM, crashes: list[Exception], seed: int) -> None:
    typed_at(at_home, noise(seed, 400))
    assert crashes == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 202))
def test_random_keys_in_a_terminal_do_not_end_the_program(team: CRM, start: Start, seed: int) -> None:  # noqa: ARG001
    # Once the menu was left, the terminal itself would end the program by some of them.
    data, seen, menu = noise(seed, 4096).translate(None, b"\x03\x1a\x1c"), b"", None
    for at in range(0, len(data), 32):
        if menu is None:
            menu = start().sees("Exit")
        menu.child.send(data[at : at + 32])
        running, before = True, -1
        while running and len(menu.raw) != before:
            before = len(menu.raw)
            running = menu._read(0.1)
        if not running:
            # Left by the keys that leave it.
            assert menu.exit_code() == 0
            seen, menu = seen + menu.raw, None
    seen += menu.raw if menu else b""
    assert b"Something went wrong" not in seen
    assert b"Traceback" not in seen


# A key costs half a millisecond: of the megabyte that the seeds make, so many parts of 4 KB each are tried unless all
# are asked for.
PARTS = 16 if os.environ.get("CRM_RANDOM_KEYS") == "all" else 1


@pytest.mark.slow
@pytest.mark.usefixtures("keys_at_once")
@pytest.mark.parametrize("seed", range(100, 116))
def test_many_random_keys_are_taken_without_a_crash(
    at_home: CRM, crashes: list[Exception], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 8:
        # To suggest something for each letter takes most of the time.
        monkeypatch.setattr(text_prompt._Suggestions, "get_completions", lambda *_: ())
    for part in range(PARTS):
        typed_at(at_home, noise(seed * 1000 + part, 4096))
    assert crashes == []
    # What was not let go of is complained about here.
    gc.collect()
