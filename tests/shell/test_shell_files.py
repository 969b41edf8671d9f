"""Files that commands write: none takes the place of another without a yes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.commands.registry import commands
from tests.support.command_line import CommandLine, on_a_new_store

# A file for each command that writes one; a backup never takes the place of anything.
WRITERS = {
    "export": "out.csv",
    "history export": "history.csv",
    "follow-ups export": "due.ics",
    **{command.words: "report.csv" for command in commands(menu="reports")},
}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    with on_a_new_store(monkeypatch) as line:
        yield line


@pytest.mark.parametrize(
    "words", ["clients list", "check", "clients show 1", "history undo", "reports sales", "backup"]
)
def test_a_mistyped_store_is_not_made_by_what_only_reads_or_changes(shell: CommandLine, words: str) -> None:
    missing = shell.folder / "no" / "x.sqlite3"
    message = shell.refused(*words.split(), "--store", f"sqlite:///{missing}")
    assert message.startswith(f"There is no store at {missing}, and none was made.")
    assert not missing.parent.exists()


@pytest.mark.parametrize(
    "words",
    [
        "sales add --client 9 --amount 3", "follow-ups add 1 call --due tomorrow", "deals add 1 Tables",
        "capture call", "capture|call Acme, wants a quote", "clients add", "clients add --email nonsense --last-name A",
        "users add", "users add a@example.com", "restore", "import none.csv", "settings set",
        "settings set currency XXXX",
        "opt-outs add nonsense",
    ],
)  # fmt: skip
def test_a_command_that_fails_makes_no_store(shell: CommandLine, words: str) -> None:
    missing = shell.folder / "no" / "x.sqlite3"
    given = words.split("|") if "|" in words else words.split()
    assert shell(*given, "--store", f"sqlite:///{missing}").code != 0
    assert not missing.parent.exists()


def test_a_preview_is_shown_and_makes_no_store(shell: CommandLine) -> None:
    missing = shell.folder / "no" / "x.sqlite3"
    file = shell.write("clients.csv", "name,email\nAnna Berg,anna@example.com\n")
    answer = shell("import", file, "--preview", "--store", f"sqlite:///{missing}")
    assert (answer.code, answer.err) == (0, "")
    assert "1" in answer.out
    assert not missing.parent.exists()


def test_the_first_client_makes_the_store(shell: CommandLine) -> None:
    store = f"sqlite:///{shell.folder}/new/x.sqlite3"
    shell.did("clients", "add", "--first-name", "Anna", "--store", store)
    assert len(shell.did("clients", "list", "--store", store)) == 1


def test_no_file_is_overwritten_without_a_yes(shell: CommandLine) -> None:
    writing = {command.words for command in commands() if any(option.makes for option in command.parameters.values())}
    assert writing == {*WRITERS, "backup"}
    shell.did("clients", "add", "--first-name", "Anna")
    shell.did("follow-ups", "add", "1", "call", "--due", "tomorrow")
    for words, name in WRITERS.items():
        file = Path(shell.write(name, "my precious\n"))
        given = [*words.split(), *(["--to"] if words.startswith("reports") else []), str(file)]
        message = shell.refused(*given)
        assert message.endswith(f"{name} is there already. Give --yes to go on."), (words, message)
        assert file.read_text() == "my precious\n", words
        answer = shell("--yes", *given)
        assert (answer.code, answer.err) == (0, ""), (words, answer)
        assert "my precious" not in file.read_text(), words
    # A file of another name is not asked about.
    assert shell("export", str(shell.folder / "other.csv")).code == 0
