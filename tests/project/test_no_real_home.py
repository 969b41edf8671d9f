"""Tests leave alone what the user of this machine has: no data of theirs is read or written."""

import os
import subprocess
from pathlib import Path

import pytest

from crm.config import data_folder
from tests.conftest import HOMES, PYTHON, child_environment
from tests.support.command_line import CommandLine

pwd = pytest.importorskip("pwd")
REAL = Path(pwd.getpwuid(os.getuid()).pw_dir)
ASKED = "import os; from crm.config import data_folder; print(data_folder(os.environ))"


def test_tests_and_their_child_processes_have_their_own_home() -> None:
    done = subprocess.run([PYTHON, "-c", ASKED], env=child_environment(), capture_output=True, text=True, check=True)
    for folder in (
        Path(done.stdout.strip()),
        data_folder(os.environ),
        Path.home(),
        *map(Path, map(os.environ.get, HOMES)),
    ):
        assert "crm-test-home-" in str(folder)
        assert not folder.is_relative_to(REAL)


def test_a_command_line_in_this_process_keeps_its_data_beside_its_store(tmp_path: Path) -> None:
    before = sorted(data_folder(os.environ).rglob("*"))
    line = CommandLine(tmp_path)
    made = line("users", "add", "anna@example.com", "--name", "Anna", "--role", "admin")
    assert made.code == 0, made.err
    assert {path.name for path in (tmp_path / "data" / "crm").iterdir()} >= {"secret", "rosters.json"}
    assert sorted(data_folder(os.environ).rglob("*")) == before
