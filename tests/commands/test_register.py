"""The registry of commands: a command is found without loading the others, and none is missing."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from inspect import signature
from pathlib import Path
from threading import Thread
from time import sleep
from typing import get_origin

import pytest

from crm import commands as package
from crm.commands import registry
from crm.commands.registry import commands, commands_outside, named
from crm.errors import FieldError
from crm.model import Client
from crm.terminal.toolkit import pages
from tests.commands.conftest import Office
from tests.conftest import PROJECT
from tests.support.clocks import TODAY


def test_a_subject_describes_each_of_its_modules() -> None:
    output = {
        f"{subject.__name__}.{name}": module
        for subject in package.subjects()
        for name, module in subject.MODULES.items()
        if not module.outside
    }
    words, menus = defaultdict(set), defaultdict(set)
    for command in commands():
        (module,) = (name for name in output if f"{command.function.__module__}.".startswith(f"{name}."))
        words[module].add(command.words.partition(" ")[0])
        menus[module] |= {command.menu} - {""}
    alone = [(name, module.alone) for name, module in output.items() if module.alone]
    assert all(f"{named(held).function.__module__}.".startswith(f"{name}.") for name, held in alone)
    assert words == {name: set(module.words.split()) for name, module in output.items()}
    assert menus == {name: {module.menu} - {""} for name, module in output.items()}


_HALF = """
import time
from crm.commands.registry import command

@command("half loaded", title="Half")
def half(crm):
    \"\"\"Gives what stands below it.\"\"\"
    return REST

time.sleep(0.1)
REST = "the rest"
"""


def test_a_command_is_found_only_after_its_module_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_loaded.py").write_text(_HALF)
    monkeypatch.syspath_prepend(tmp_path)
    loading = Thread(target=import_module, args=("half_loaded",))
    loading.start()
    try:
        while "half loaded" not in registry._COMMANDS:
            sleep(0.001)
        assert named("half loaded").function(None) == "the rest"
    finally:
        loading.join()
        del registry._COMMANDS["half loaded"]


def test_the_first_word_of_a_command_is_described_as_a_group() -> None:
    assert list(package.groups()) == list(dict.fromkeys(command.group for command in commands() if command.group))


def test_a_command_is_led_through_by_a_page_of_its_own_subject() -> None:
    pages.load_flows()
    for words, leads in pages.FLOWS.items():
        module = getattr(leads, "func", leads).__module__
        assert package.subject_of(module) == package.subject_of(named(words).function.__module__), words


@pytest.mark.many
@pytest.mark.parametrize(("asked", "given"), [("word", "clients"), ("menu", "data"), ("word", "today")])
def test_a_subject_registers_the_same_commands_alone_and_together(asked: str, given: str) -> None:
    program = (
        "import json, sys; from crm.commands.registry import commands;"
        "print(json.dumps([command.words for command in commands(**{sys.argv[1]: sys.argv[2]})]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, asked, given], cwd=PROJECT, capture_output=True, check=True, text=True
    )
    alone = json.loads(done.stdout)
    assert alone == [command.words for command in commands(**{asked: given})]
    assert alone
    assert all(named(words).words == words for words in alone)


def test_shell_only_commands_are_in_no_menu() -> None:
    found = {command.words: command for command in commands_outside("users")}
    assert set(found) == {"users recover"}
    assert found.keys().isdisjoint(command.words for command in commands())
    assert found["users recover"].roles == ()


def test_every_period_ends_on_a_day_that_is_not_before_its_first(office: Office) -> None:
    client = office.add()
    both = {"since", "until"}
    with_a_period = [command for command in commands() if both <= set(command.parameters)]
    assert len(with_a_period) >= 15
    for command in with_a_period:
        required = [asked for asked in command.parameters.values() if asked.required]
        arguments: dict[str, object] = {asked.name: client for asked in required if asked.record is Client}
        arguments |= {asked.name: office.folder / "list.csv" for asked in required if asked.path}
        with pytest.raises(FieldError, match="the last day is before the first"):
            command(office.crm, since=TODAY + timedelta(days=2), until=TODAY + timedelta(days=1), **arguments)


def _gives_a_list(command: registry.Command) -> bool:
    answer = signature(command.function).return_annotation
    return get_origin(answer) in (list, Sequence) or getattr(answer, "__name__", "") in ("DealList", "FollowUpList")


def test_every_empty_list_has_its_own_message() -> None:
    sentences = {command.words: command.nothing for command in commands() if _gives_a_list(command)}
    assert {"sales list", "deals list", "clients search", "email unknown", "services list"} <= set(sentences)
    general = re.compile(r"no (results?|rows|entries|matches|data)\b|nothing", re.IGNORECASE)
    assert [words for words, nothing in sentences.items() if not nothing.endswith(".") or general.search(nothing)] == []
