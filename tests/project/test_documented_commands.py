"""Commands in the docs: each one exists, with the options that are written."""

import re
import shlex
from pathlib import Path

import pytest

from crm.commands.registry import commands, commands_outside
from crm.shell.options import words_of
from tests.conftest import PROJECT

_PAGES = [PROJECT / "README.md", *(page for page in (PROJECT / "docs").glob("*.md") if page.name != "commands.md")]
_GLOBAL = {"--store", "--json", "--yes", "--debug", "--csv", "--help", "--version"}
_CALL = re.compile(r"run\.py ((?:--\w+ )*[a-z][^`\n]*)")


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_the_options_of_documented_commands_exist(page: Path) -> None:
    known = {command.words: command for command in (*commands(), *commands_outside("users"))}
    for written in _CALL.findall(page.read_text("utf-8")):
        try:
            words = [word for word in shlex.split(written, comments=True) if word not in _GLOBAL]
        except ValueError:
            continue
        command = known.get(" ".join(words[:2])) or known.get(" ".join(words[:1]))
        if command is None:
            continue
        offered = {
            name for option in words_of(command).options for name in option.names[0].split("/") if not option.argument
        }
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= offered | _GLOBAL, written
