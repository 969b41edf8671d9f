"""The docs: true of the program, and free of details of the machine they were written on."""

import importlib.util
import inspect
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from crm import errors
from crm.commands.registry import Command, commands
from crm.shell import words
from tests.conftest import PROJECT

REGENERATE = "run `python docs/reference.py` in the project's folder, with the project on PYTHONPATH"


def reference() -> ModuleType:
    """docs/reference.py, which is no package."""
    spec = importlib.util.spec_from_file_location("docs_reference", PROJECT / "docs" / "reference.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["commands.md", "settings.md"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    page = reference().PAGES[name]()
    assert (PROJECT / "docs" / name).read_text("utf-8") == page, f"docs/{name} is out of date: {REGENERATE}"


def test_the_words_that_a_shell_completes_are_those_of_the_commands() -> None:
    assert words.FILE.read_text("utf-8") == reference().shell_words(), f"{words.FILE.name} is out of date: {REGENERATE}"


@pytest.mark.parametrize("command", list(commands()), ids=lambda command: command.words)
def test_every_command_and_parameter_is_explained(command: Command) -> None:
    assert re.match(r"[A-Z][^\n]{10,}[.!]$", command.summary), f"{command.words} has no sentence of documentation"
    # The menu shows it too.
    assert "`" not in command.summary, f"{command.words} names a command of the shell in its first sentence"
    assert f"## {command.words}\n" in (PROJECT / "docs" / "commands.md").read_text("utf-8")
    assert all(parameter.label for parameter in command.parameters.values())
    assert command.title


def test_every_error_is_in_the_documented_tree_under_its_parent() -> None:
    tree = inspect.getdoc(errors) or ""
    lines = [line for line in tree.splitlines() if re.search(r"[├└]──", line)]
    depth = {
        match.group(2): len(match.group(1)) // 4 for line in lines if (match := re.match(r"(.*?)[├└]── (\w+)", line))
    }
    depth["CRMError"] = -1
    parents: dict[str, str] = {}
    for name, deep in depth.items():
        above = list(depth)[: list(depth).index(name)]
        parents[name] = next((name_ for name_ in reversed(above) if depth[name_] == deep - 1), "CRMError")
    classes = {
        name: member.__mro__[1].__name__
        for name, member in vars(errors).items()
        if isinstance(member, type) and issubclass(member, errors.CRMError) and member is not errors.CRMError
    }
    assert {name: parents.get(name) for name in classes} == classes
    assert set(depth) == {*classes, "CRMError"}
    for name in classes:
        exits = re.search(rf"{name}\b.*exit (\d+)", tree)
        assert getattr(errors, name).exit_code == (int(exits.group(1)) if exits else 1), name


def tracked() -> list[Path]:
    """The files of the project, as git has them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    return [path for name in listed.stdout.split("\0") if name and (path := PROJECT / name).is_file()]


def test_no_file_names_the_machine_it_was_written_on() -> None:
    # In parts, or this file would speak of it.
    machine = re.compile("|".join(["/wo" + "rk/", "/ro" + "ot/", "/tmp" + "/v/"]).encode())
    found = [
        f"{path.relative_to(PROJECT)}:{number}"
        for path in tracked()
        for number, line in enumerate(path.read_bytes().splitlines(), start=1)
        if machine.search(line)
    ]
    assert found == []


def test_every_link_between_the_pages_leads_somewhere() -> None:
    for page in [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_command_line_in_the_readme_exists() -> None:
    known = {command.words for command in commands()}
    readme = (PROJECT / "README.md").read_text("utf-8")
    shown = re.findall(r"^\.venv/bin/python run\.py ([^-].+)$", readme, re.MULTILINE)
    assert len(shown) >= 5
    for line in shown:
        words = line.split()
        assert " ".join(words[:2]) in known or words[0] in known, line


def test_the_architecture_page_names_existing_modules() -> None:
    page = (PROJECT / "docs" / "architecture.md").read_text("utf-8")
    plan = re.findall(r"^  ([\w.]+)/? {2,}\S", page.partition("Imports go one way")[0], re.MULTILINE)
    stands = {path.name for path in (PROJECT / "crm").iterdir()} - {"__init__.py", "__pycache__"}
    assert stands - set(plan) == set()
    assert set(plan) - stands == set()
    paths = set(re.findall(r"`((?:crm|tests|docs|benchmarks)/[\w./-]+)`", page))
    assert [path for path in sorted(paths) if not (PROJECT / path).exists()] == []
    subjects = {path.name for path in (PROJECT / "crm" / "commands").iterdir() if (path / "__init__.py").exists()}
    assert [set(re.findall(r"(\w+)/", line)) for line in re.findall(r"^    (clients/.*)$", page, re.MULTILINE)] == [
        subjects, subjects,
    ]  # fmt: skip


def test_the_tests_mirror_the_program() -> None:
    """Every folder of tests is named like a folder of the program; those of the project as a whole are named here."""
    folders = {
        path.relative_to(PROJECT / "tests").as_posix()
        for path in (PROJECT / "tests").rglob("*")
        if path.is_dir() and path.name != "__pycache__" and any(path.rglob("*.py"))
    }
    others = {name for name in folders if name.partition("/")[0] in {"project", "support", "benchmarks", "shell"}}
    assert [name for name in sorted(folders - others) if not (PROJECT / "crm" / name).is_dir()] == []
    for name in ("repository/sheets", "commands/mail", "outward", "web"):
        inside = {path.name for path in (PROJECT / "crm" / name).iterdir() if (path / "__init__.py").exists()}
        assert [folder for folder in sorted(inside - {"pages"}) if f"{name}/{folder}" not in folders] == [], name
