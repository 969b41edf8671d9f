"""Completion in bash, zsh and fish: the words offered, and that no other data is shown."""

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from crm.app import open_crm
from crm.commands.registry import commands
from crm.config import from_environment
from crm.model.fields import Line, Prose, Tags
from crm.shell import run, store_words
from crm.shell.options import words_of
from crm.shell.values import as_seen
from tests.conftest import PROJECT, PYTHON
from tests.support.command_line import CommandLine

Complete = Callable[[str], list[str]]


@pytest.fixture
def desk(shell: CommandLine) -> CommandLine:
    """A store with a little of everything that completes."""
    shell.did("clients", "add", "--first-name", "Anna", "--last-name", "Berg", "--tag", "gold", "--tag", "new")
    shell.did("clients", "edit", "1", "--city", "Graz", "--country", "AT", "--source", "Referral")
    shell.did("opt-outs", "add", "no@example.com")
    shell.did("clients", "add", "--company", "Acme & Sons", "--owner", "Eva")
    shell.did("sales", "add", "1", "--amount", "50000")
    shell.did("deals", "add", "2", "--title", "New roof", "--value", "100")
    shell.did("deals", "add", "1", "--title", "Old shed", "--value", "100")
    shell.did("deals", "lose", "2", "too dear")
    shell.did("views", "save", "Big spenders", "--condition", "total_spend > 1000")
    return shell


@pytest.fixture
def complete(
    shell: CommandLine, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Complete:
    """The output for bash to complete the last word of a line: one line for each answer, in click's protocol."""

    def completed(line: str) -> list[str]:
        words = ["run.py", *re.split(r"(?<!\\) ", line)]
        monkeypatch.setenv("_RUN_PY_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", "\n".join(words))
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as left:
            run([], shell.child_environment(), open_crm)
        output = capfdbinary.readouterr()
        assert (left.value.code, output.err) == (0, b"")
        return [
            answer.removeprefix("plain,").replace("\\\\", "\\") for answer in output.out.decode().split("\n") if answer
        ]

    return completed


@pytest.mark.parametrize(
    ("line", "completions"),
    [
        ("clients list --status V", ["VIP"]),
        ("clients pin 1 --status R", ["Regular"]),
        ("clients list --tag g", ["gold"]),
        ("clients tag 1 --untag ", ["gold", "new"]),
        ("clients list --view b", [r"Big\ spenders"]),
        ("views remove b", [r"Big\ spenders"]),
        ("views rename --name B", [r"Big\ spenders"]),
        ("clients list --owner E", ["Eva"]),
        ("clients list --status = V", ["VIP"]),
        ("clients list --sort total", ["total_spend"]),
        ("sales list --sort am", ["amount"]),
        ("views save x --condition tag", ["tags"]),
        ("clients list --kind c", ["company"]),
        ("clients show an", [r"Anna\ Berg"]),
        ("clients show Acme\\ ", [r"Acme\ \&\ Sons"]),
        ('clients show "Acme', ["Acme & Sons"]),
        ("sales add --client Be", []),
        ("deals show New", [r"New\ roof"]),
        ("deals move 1 --to P", ["Proposal"]),
        ("deals list --stage Neg", ["Negotiation"]),
        ("import ./x", ["file,./x"]),
        ("clients me", ["merge"]),
        ("clients list --city G", ["Graz"]),
        ("clients add --source R", ["Referral"]),
        ("clients list --country A", ["AT"]),
        ("clients merge 1 2 --take city,ema", ["city,email"]),
        ("dashboard set agenda,birth", ["agenda,birthdays"]),
        ("opt-outs lift n", ["no@example.com"]),
        ("deals lose 1 --reason too", [r"too\ dear"]),
        ("history list --by E", ["Eva"]),
        ("reports invoiced --currency EU", ["EUR"]),
        ("services add x --unit sq", [r"square\ metre"]),
        ("timeline 1 --only Calls,Sa", ["Calls,sales"]),
        ("clients list --mar", ["--marketing-consent"]),
        ("si", ["sign-in", "sign-out"]),
    ],
)
@pytest.mark.usefixtures("desk")
def test_completion_offers_values_of_options(complete: Complete, line: str, completions: list[str]) -> None:
    assert complete(line) == completions


def test_completion_reads_the_store_named_on_the_line(desk: CommandLine, complete: Complete) -> None:
    other = desk.folder / "other.sqlite3"
    desk.did("--store", f"sqlite:///{other}", "clients", "add", "--first-name", "Zoe")
    assert complete(f"--store sqlite:///{other} clients show Z") == ["Zoe"]
    assert complete("clients show Z") == []


def test_completion_creates_no_store(shell: CommandLine, complete: Complete) -> None:
    assert complete("clients show A") == []
    assert complete("clients list --status V") == []
    assert not shell.file.exists()


@pytest.mark.parametrize("store", ["frob", "sqlite:///", "postgres://host/crm"])
def test_a_store_that_cannot_be_opened_completes_nothing(complete: Complete, store: str) -> None:
    assert complete(f"--store {store} clients show A") == []


def test_a_locked_or_damaged_store_completes_nothing(desk: CommandLine, complete: Complete) -> None:
    with closing(sqlite3.connect(desk.file)) as held:
        held.execute("PRAGMA locking_mode = EXCLUSIVE")
        held.execute("BEGIN EXCLUSIVE")
        held.execute("UPDATE client SET version = version")
        assert complete("clients show A") in ([], [r"Anna\ Berg", r"Acme\ \&\ Sons"])
    desk.file.write_bytes(b"no store at all" * 1000)
    assert complete("clients show A") == []


def test_completion_shows_no_names_without_a_sign_in(desk: CommandLine, complete: Complete) -> None:
    desk.did("users", "add", "anna@example.com", "--name", "Anna", "--role", "admin")
    assert complete("clients show A") == []
    assert complete("clients list --status V") == []
    # What the program itself knows is no secret.
    assert complete("clients list --kind c") == ["company"]


def test_ctrl_c_during_completion_prints_nothing(
    desk: CommandLine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("crm.shell.values.values", interrupted)
    monkeypatch.setenv("_RUN_PY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "run.py\nclients\nshow\n")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert run([], desk.child_environment(), open_crm) == 130
    assert capfd.readouterr() == ("", "")


# Text that is new each time, or that only another program knows.
_NEW_TEXT = frozenset(
    word
    for words in (
        "account address after bcc body buyer_reference cc cells change charge description discount encoding",
        "exemption_reason first_name folder from_ gone last_name line lost map memo name note notes number",
        "order_reference pattern postcode reason reference rows rule sender sheet spreadsheet subject tabs",
        "take_over tax_id terms text title to status_reason user value what",
    )
    for word in words.split()
)
# Those that find a record by its name.
_FINDING = ("show", "edit", "rename", "move", "remove", "delete", "lift", "adopt", "ignore")


def test_every_value_that_is_known_is_completed() -> None:
    listed = [f"`{command.words}`" for command in commands()]
    missing = []
    for command in commands():
        checks = {name: parameter.check for name, parameter in command.parameters.items()}
        first = next((parameter.name for parameter in command.parameters.values() if parameter.positional), "")
        for parameter in command.parameters.values():
            checks |= (
                {name: field.check for name, field in parameter.fields.offered.items()} if parameter.fields else {}
            )
        for option in words_of(command).options:
            name = option.names[-1].removesuffix("_argument")
            is_text = isinstance(checks[name], Line | Prose | Tags)
            is_found = name == first and is_text and command.words.rpartition(" ")[2] in _FINDING
            is_listed = is_text and any(words in option.help for words in listed)
            if not option.takes and is_text and (name not in _NEW_TEXT or is_found or is_listed):
                missing.append(f"{command.words} {option.names[0]}")
    assert missing == []


def test_completion_from_the_word_file_equals_that_of_the_program(desk: CommandLine) -> None:
    crm = open_crm(from_environment(desk.child_environment()))
    crm = crm.enter(crm, None)
    for takes in (*store_words.STATEMENTS, "field client city", "field client country", "field deal lost_reason"):
        for begun in ("", "a", "New", "ann"):
            at_once = store_words.store_words(desk.file, desk.folder / "rosters.json", takes, begun)
            assert at_once is not None
            seen = {word for word in as_seen(crm, takes, begun) if word.casefold().startswith(begun.casefold())}
            assert {word for word in at_once if word.casefold().startswith(begun.casefold())} - {""} == seen - {""}
    crm.repository.close()


BASH = """
    eval "$("$PYTHON" "$RUN" --show-completion bash)"
    for line in "$@"; do
        eval "COMP_WORDS=($line)"; COMPREPLY=(); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _run_py_completion "${COMP_WORDS[0]}" 2>/dev/null
        printf '%s,' "${COMPREPLY[@]}"; echo
    done
"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_completes_this_program_by_any_path_and_no_other(desk: CommandLine, tmp_path: Path) -> None:
    other = tmp_path / "run.py"
    other.write_text("raise SystemExit('run')")
    completed = {
        "./run.py clients me": "merge",
        "python run.py clients me": "merge",
        ".venv/bin/python ./run.py deals move 1 --to Pr": "Proposal",
        f"python3 {PROJECT}/run.py clients list --status = V": "VIP",
        "python run.py clients show Ann": r"Anna\ Berg",
        f"python {other} cli": "",
        f"{other} cli": "",
        "python ru": "",
        "python -m cli": "",
    }
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", *completed],
        env=desk.child_environment(LC_ALL="C", PYTHON=PYTHON, RUN=str(PROJECT / "run.py")),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert dict(zip(completed, (line.strip(",") for line in done.stdout.splitlines()), strict=True)) == completed


def test_completion_is_installed_once_or_says_why_not(shell: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    begins = shell.folder / ".bashrc"
    begins.write_bytes("PS1='café'\n".encode("latin-1"))
    monkeypatch.setenv("HOME", str(shell.folder))
    for _ in range(2):
        assert shell("--install-completion", "bash").code == 0
    assert begins.read_bytes().count(b"source") == 1
    refused = shell.refused("--install-completion", "bash", XDG_DATA_HOME=str(begins))
    assert "`--show-completion bash`" in refused
