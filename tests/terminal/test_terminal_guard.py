"""Errors inside a step of the menu: shown on the next page, and the menu goes on."""

import errno
import io
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from crm.commands.context import CRM
from crm.commands.registry import Command, commands, named
from crm.errors import Cancelled, ForbiddenError, RefusedError
from crm.model import Sale
from crm.repository import Wait
from crm.terminal.console.file_transfer import FileTransfer
from crm.terminal.console.keyboard import Back, Choice, Closed, numbered
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.session import Session
from tests.terminal.conftest import Start


@pytest.fixture
def session(crm: CRM) -> Iterator[Session]:
    load_flows()
    screen = Screen(io.StringIO(), plain=True)
    with closing(Session(crm, LineKeyboard(io.StringIO(""), screen), screen)) as session:
        yield session


def screen_text(session: Session) -> str:
    session.page("Next")
    assert isinstance(session.screen.console.file, io.StringIO)
    return " ".join(session.screen.console.file.getvalue().split())


def raising(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RefusedError("That would break [bold]something[/]."), "That would break [bold]something[/]."),
        (Cancelled(), "Discarded. Nothing was saved."),
        (KeyboardInterrupt(), "Interrupted. Unfinished changes were not saved."),
        (
            ZeroDivisionError("secret"),
            "Something went wrong in this program (ZeroDivisionError). This step was not saved",
        ),
        (OSError(errno.ENOENT, "no such file"), "Something went wrong in this program (FileNotFoundError)"),
    ],
)
def test_an_error_is_one_sentence(session: Session, error: BaseException, words: str) -> None:
    assert session.attempt(raising(error)) is None
    text = screen_text(session)
    assert words in text
    assert "Traceback" not in text


def test_in_a_browser_a_failed_step_is_written_to_the_server_log(session: Session) -> None:
    noted: list[Exception] = []
    session.exchange = cast(FileTransfer, SimpleNamespace(note=noted.append))
    failed = ZeroDivisionError("secret")
    session.attempt(raising(failed))
    session.attempt(raising(RefusedError("That is no fault of the program.")))
    assert noted == [failed]
    forbidden = ForbiddenError("Only an admin can delete clients.")
    session.attempt(raising(forbidden))
    assert noted == [failed, forbidden]
    assert "--debug" not in screen_text(session)


def test_error_details_are_shown_on_request(session: Session) -> None:
    session.debug = True
    session.attempt(raising(ZeroDivisionError("the details")))
    assert "the details" in screen_text(session)


def test_going_back_shows_no_message(session: Session) -> None:
    session.attempt(raising(Back()))
    assert screen_text(session) == "Next" or screen_text(session).startswith("Next")


@pytest.mark.parametrize("error", [Closed(), OSError(errno.EPIPE, "broken pipe"), OSError(errno.EIO, "gone")])
def test_a_closed_terminal_ends_the_program(session: Session, error: Exception) -> None:
    with pytest.raises(Closed):
        session.attempt(raising(error))


def test_the_first_nine_entries_have_digits_and_the_others_no_key() -> None:
    keys = [choice.key for choice in numbered([Choice(str(at), at) for at in range(20)])]
    assert keys == [*"123456789", *[""] * 11]


def test_a_wait_is_reported_once() -> None:
    out = io.StringIO()
    screen = Screen(out, plain=True)
    for seconds in (2.1, 2.2, 3.0, 2.1):
        screen.waiting(Wait("Another program is saving to this file", seconds))
    assert out.getvalue() == "Another program is saving to this file; waiting…\n" * 2


QUOTA = "Google's quota for this minute is used up"
COUNTDOWN = [Wait(QUOTA, waited, 3 - waited) for waited in (0, 0.5, 1, 2, 3)]


def test_a_countdown_without_a_terminal_is_printed_once() -> None:
    out = io.StringIO()
    screen = Screen(out, plain=True)
    for wait in COUNTDOWN * 2:
        screen.waiting(wait)
    screen.print("Saved.")
    assert out.getvalue() == f"{QUOTA}; continues in 3 s.\n" * 2 + "Saved.\n"


def test_a_countdown_stays_on_one_line_and_is_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    for waits in (COUNTDOWN, COUNTDOWN[:-1]):
        out = io.StringIO()
        screen = Screen(out, plain=False)
        for wait in waits:
            screen.waiting(wait)
        screen.print("Saved.")
        shown, saved = out.getvalue().rstrip("\n").rsplit("\r\x1b[2K", 1)
        assert saved == "Saved."
        assert [re.sub(r"\x1b\[\d*m", "", part) for part in shown.split("\r\x1b[2K")] == [
            f"{QUOTA}; continues in {left} s" for left in (3, 3, 2, 1)
        ]


def test_the_shell_reports_a_wait_once_beside_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    from crm.shell.call import WaitNotes

    saving = [Wait("Another program is saving to this file", waited) for waited in (2.1, 2.2, 3.0)]
    for as_json in (False, True):
        waiting = WaitNotes(as_json=as_json)
        for wait in [*saving, *COUNTDOWN]:
            waiting(wait)
        report = capsys.readouterr().err.splitlines()
        sentences = [json.loads(line)["message"] for line in report] if as_json else report
        assert sentences == ["Another program is saving to this file; waiting.", f"{QUOTA}; continues in 3 s."]


def comes(out: io.StringIO, text: str) -> None:
    """Wait until something is shown, however busy the machine is."""
    ends = time.monotonic() + 30
    while text not in out.getvalue():
        assert time.monotonic() < ends, f"not shown: {text}"
        time.sleep(0.01)


def test_a_countdown_during_progress_is_shown_in_the_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    out = io.StringIO()
    screen = Screen(out, plain=False)
    with screen.progress("Copying") as report:
        comes(out, "Copying")
        report(1, 10)
        screen.waiting(COUNTDOWN[0])
        report(2, 10)
        comes(out, "Copying (Google's quota")
        screen.waiting(COUNTDOWN[-1])


def test_every_long_task_shows_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    out = io.StringIO()
    with Screen(out, plain=False).progress("Importing [bold]"):
        comes(out, "Importing [bold]")


def test_no_progress_is_shown_for_short_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    # However long this machine takes for nothing.
    monkeypatch.setattr("crm.terminal.drawing.screen._SHOWN_AFTER", 60)
    out = io.StringIO()
    with Screen(out, plain=False).progress("Importing [bold]"):
        pass
    assert out.getvalue() == ""


@pytest.mark.slow
def test_an_export_of_five_thousand_clients_shows_progress(start: Start, crm: CRM, store: Path) -> None:
    rows = "".join(f"Name {at},a{at}@example.com\n" for at in range(5001))
    (store.parent / "many.csv").write_text(f"last_name,email\n{rows}")
    named("import")(crm, store.parent / "many.csv")
    session = start().choose("Data").choose("Export to a file").sees("File")
    session.press("kill", "all.xlsx", "enter").sees("Clients")
    began = time.monotonic()
    session.press("1").sees("Exporting ━")
    # The machine may be busy with other things.
    assert time.monotonic() - began < 10
    session.sees("5,001 clients in")


def test_another_program_that_saves_is_waited_for(start: Start, crm: CRM, store: Path) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start().choose("Sales").sees("n new").press("n").sees("Client (").press("1", "enter").sees("Amount (")
    session.press("12.50", "enter").sees("Date (").press("enter").sees("Note (")
    other = sqlite3.connect(store, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    session.press("enter").sees("Another program is saving to this file; waiting")
    other.rollback()
    other.close()
    session.sees("Sale 1: $12.50 to Anna")
    with crm.read() as snapshot:
        assert [sale.amount for sale in snapshot.find_all(Sale)] == [Decimal("12.50")]


def test_a_refused_form_keeps_what_was_typed(start: Start, crm: CRM, tmp_path: Path) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    taken = tmp_path / "taken.txt"
    taken.write_text("mine", "utf-8")
    session = start().choose("Data").choose("Backups").choose("Back up").sees("File (").press(str(taken), "enter")
    session.sees("already exists").sees("taken.txt").press("-2", "enter").sees("Backup:")
    assert taken.read_text("utf-8") == "mine"
    assert (tmp_path / "taken.txt-2").exists()


@pytest.mark.many(12)
@pytest.mark.parametrize("answers", ["\n" * 40, "1\n" * 40], ids=["nothing", "the first"])
@pytest.mark.parametrize("command", list(commands()), ids=lambda command: command.words)
def test_every_command_can_be_entered_and_left(
    crm: CRM, session: Session, command: Command, answers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    named("clients add")(crm, {"first_name": "Anna"})
    named("clients add")(crm, {"first_name": "Bo"})
    session.keyboard = LineKeyboard(io.StringIO(answers), session.screen)
    session.debug = True
    with suppress(Closed):
        session.attempt(lambda: session.start(command))
    assert "Something went wrong" not in screen_text(session)
