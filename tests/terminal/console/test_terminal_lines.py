"""The menu without a terminal: line by line, for pipes and dumb terminals."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client
from tests.support.clocks import now_on

pytestmark = pytest.mark.in_turn

ROOT = Path(__file__).parents[3]


def piped(store: Path, typed: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TZ")}
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py")],
        input=typed,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env=inherited
        | {
            "CRM_STORE": f"sqlite:///{store}",
            "CRM_NOW": now_on(),
            "LANG": "en_US.UTF-8",
            "PYTHONUTF8": "1",
            "PYTHONWARNINGS": "error",
        }
        | environment,
    )


def clients(crm: CRM) -> list[Client]:
    with crm.read() as snapshot:
        return list(snapshot.find_all(Client))


@pytest.mark.slow
def test_a_client_and_a_sale_are_added_through_a_pipe(store: Path, crm: CRM) -> None:
    lines = ["1", "1", "Anna", "Berg", "2", "anna@", "anna@example.com", "1", "1", "40000", "", "", "0", "0"]
    done = piped(store, "\n".join(lines) + "\n", FORCE_COLOR="1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "1  Add your first client" in done.stdout
    assert "That is not an e-mail address" in done.stdout
    assert "Status: Regular → VIP" in done.stdout
    assert [(client.name, client.status) for client in clients(crm)] == [("Anna Berg", "VIP")]


@pytest.mark.slow
def test_the_end_of_the_input_ends_the_program_and_saves_nothing(store: Path, crm: CRM) -> None:
    for typed in ("", "1\n1\nAnna\nBerg\n2\n"):
        done = piped(store, typed)
        assert (done.returncode, done.stderr) == (0, "")
    assert clients(crm) == []


@pytest.mark.slow
def test_a_wrong_answer_lists_the_choices(store: Path, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    done = piped(store, "77\n\x1b[2J\n/anna\n\n0\n")
    assert "77 is not on this page. Choose one of 1 2 3" in done.stdout
    assert "\x1b" not in done.stdout
    assert "Record a sale" in done.stdout
    assert done.returncode == 0


@pytest.mark.slow
def test_an_old_value_is_kept_or_cleared(store: Path, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna", "city": "Graz", "email": "anna@example.com"})
    done = piped(store, "/1\n2\n8\n\n2\n-\n1\n0\n0\n")
    assert "[Graz; Enter keeps it, - clears it]" in done.stdout
    assert [(client.city, client.email) for client in clients(crm)] == [("Graz", "")]


@pytest.mark.slow
def test_characters_that_the_output_cannot_show_are_replaced(store: Path, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Žofie", "last_name": "家族"})
    done = piped(store, "2\n0\n0\n", PYTHONUTF8="0", PYTHONIOENCODING="ascii", LANG="C")
    assert (done.returncode, done.stderr) == (0, "")
    assert "#" in done.stdout


@pytest.mark.slow
def test_a_dumb_terminal_goes_line_by_line(start: Callable[..., Any], crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start(TERM="dumb").sees("2 Clients").press("2\r").sees("n new").press("0\r", "0\r")
    assert session.exit_code() == 0
    assert b"\x1b" not in session.raw


@pytest.mark.slow
def test_a_closed_pipe_is_not_an_error(store: Path, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    program = f"yes 4 | {sys.executable} {ROOT / 'run.py'} | head -n 3"
    environment = {**os.environ, "CRM_STORE": f"sqlite:///{store}", "PYTHONUTF8": "1"}
    done = subprocess.run(
        program, shell=True, capture_output=True, encoding="utf-8", timeout=60, check=False, env=environment
    )
    assert done.stderr == ""


def test_a_store_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"this is no database, but long enough to look at" * 40)
    done = piped(broken, "0\n")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert broken.read_bytes().startswith(b"this is no database")
