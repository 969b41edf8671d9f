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


def test_no_file_is_overwritten_without_a_yes(shell: CommandLine) -> None:
    assert {command.words for command in commands() if any(its.makes for its in command.parameters.values())} == {
        *WRITERS, "backup",
    }  # fmt: skip
    shell.did("clients", "add", "--first-name", "Anna")
    shell.did("follow-ups", "add", "1", "call", "--due", "tomorrow")
    for words, name in WRITERS.items():
        file = Path(shell.write(name, "my precious\n"))
        given = [*words.split(), *(["--to"] if words.startswith("reports") else []), str(file)]
        told = shell.refused(*given)
        assert told.endswith(f"{name} is there already. Give --yes to go on."), (words, told)
        assert file.read_text() == "my precious\n", words
        answer = shell("--yes", *given)
        assert (answer.code, answer.err) == (0, ""), (words, answer)
        assert "my precious" not in file.read_text(), words
    # A file of another name is not asked about.
    assert shell("export", str(shell.folder / "other.csv")).code == 0
