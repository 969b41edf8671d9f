"""Files that commands write: none replaces another without a confirmation."""

import io
import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crm.commands.registry import commands
from tests.support.command_line import CommandLine
from tests.support.firm import SELLER

# A file for each command that writes one; a backup never takes the place of anything.
WRITERS = {
    "export": "out.csv",
    "history export": "history.csv",
    "follow-ups export": "due.ics",
    **{command.words: "report.csv" for command in commands() if command.group == "reports"},
    "invoices pdf": "invoice.pdf",
    "invoices xml": "invoice.xml",
}
# What stands before the file of those that take it as an option.
BEFORE = {"invoices pdf": ["1", "--to"], "invoices xml": ["1", "--format", "factur-x", "--to"]}

# Too long for a name.
LONG = "x" * 300


@pytest.mark.parametrize(
    "words",
    [
        "clients list", "check", "clients show 1", "history undo", "reports sales", "backup",
        "opt-outs add max@example.com", "email fetch", "email outbox",
    ],
)  # fmt: skip
def test_a_mistyped_store_is_not_created_by_a_read_or_an_edit(shell: CommandLine, words: str) -> None:
    missing = shell.folder / "no" / "x.sqlite3"
    message = shell.refused(*words.split(), "--store", f"sqlite:///{missing}")
    assert message.startswith(f"No store at {missing}, and none was made.")
    assert not missing.parent.exists()


@pytest.mark.parametrize(
    "words",
    [
        "sales add --client 9 --amount 3", "follow-ups add 1 call --due tomorrow", "deals add 1 Tables",
        "capture call", "capture|call Acme, wants a quote", "clients add", "clients add --email nonsense --last-name A",
        "users add", "users add a@example.com", "restore", "import none.csv", "settings set",
        "settings set currency XXXX",
        "opt-outs add nonsense", "import picture.csv", "import refused.csv", "import empty.csv", "import .",
        "restore picture.csv --yes", "restore none.sqlite3 --yes", "restore . --yes", "rules add nonsense",
        "import picture.json",
    ],
)  # fmt: skip
def test_a_command_that_fails_makes_no_store(shell: CommandLine, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    missing = shell.folder / "no" / "such" / "x.sqlite3"
    for name in ("picture.csv", "picture.json"):
        shell.write(name, "%PDF")
    shell.write("empty.csv", "")
    shell.write("refused.csv", f"last name,city\n{LONG},Graz\n")
    monkeypatch.chdir(shell.folder)
    given = words.split("|") if "|" in words else words.split()
    assert shell(*given, "--store", f"sqlite:///{missing}").code != 0
    assert not missing.parent.parent.exists()


def test_a_preview_is_shown_and_makes_no_store(shell: CommandLine) -> None:
    missing = shell.folder / "no" / "x.sqlite3"
    file = shell.write("clients.csv", "name,email\nAnna Berg,anna@example.com\n")
    answer = shell("import", file, "--preview", "--store", f"sqlite:///{missing}")
    assert (answer.code, answer.err) == (0, "")
    assert "1" in answer.out
    assert not missing.parent.exists()


def test_a_preview_of_sales_names_their_clients(shell: CommandLine) -> None:
    shell.did("clients", "add", "--company", "Larkspur 2")
    file = shell.write("sales.csv", "Client,Date,Amount\nNew & Sons,2026-11-02,12\nLarkspur 2,2026-11-02,13\n")
    rows = shell("import", file, "--as", "sales", "--create-clients", "--preview").out.splitlines()
    clients = [row.split("\t")[1] for row in rows if "\t" in row]
    assert clients == ["Client", "New & Sons", "Larkspur 2"]


def test_a_row_with_the_e_mail_of_another_client_is_named_on_stderr(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Anna", "--last-name", "Berg", "--email", "anna@example.com")
    file = shell.write("clients.csv", "name,email\nBo Fox,bo@example.com\nThe office,anna@example.com\n")
    for more in (["--preview"], []):
        answer = shell("import", file, *more)
        assert answer.err == (
            "Line 3: anna@example.com is the e-mail of Anna Berg (no. 1): this row becomes a new client. Match on"
            " e-mail to make it the same one.\n"
        )
    same = shell.write("same.csv", "name,email\nAnother office,anna@example.com\n")
    answer = shell("import", same, "--preview", "--json")
    assert json.loads(answer.err)["notice"] == "warning"
    assert json.loads(answer.out)["same_email"] == 1
    assert shell("import", same, "--match", "email", "--preview").err == ""


def test_the_first_client_makes_the_store(shell: CommandLine) -> None:
    store = f"sqlite:///{shell.folder}/new/x.sqlite3"
    shell.did("clients", "add", "--first-name", "Anna", "--store", store)
    assert len(shell.did("clients", "list", "--store", store)) == 1
    with closing(sqlite3.connect(shell.folder / "new" / "x.sqlite3")) as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_setting_makes_a_store_and_says_so(shell: CommandLine) -> None:
    missing = shell.folder / "new" / "x.sqlite3"
    # Of a folder that is not there the name was mistyped.
    words = shell.refused("settings", "set", "country", "AT", "--store", f"sqlite:///{missing}")
    assert (f"No folder {missing.parent}" in words, missing.parent.exists()) == (True, False)
    missing.parent.mkdir()
    answer = shell("settings", "set", "country", "AT", "--store", f"sqlite:///{missing}")
    assert (answer.code, answer.err) == (0, f"This has made a new store at {missing}.\n")
    assert shell("settings", "set", "country", "DE", "--store", f"sqlite:///{missing}").err == ""


def test_no_file_is_overwritten_without_a_confirmation(shell: CommandLine) -> None:
    writing = {command.words for command in commands() if any(option.makes for option in command.parameters.values())}
    assert writing == {*WRITERS, "backup", "history archive"}
    shell.did("clients", "add", "--first-name", "Anna")
    shell.did("follow-ups", "add", "1", "call", "--due", "tomorrow")
    for name, value in SELLER.items():
        shell.did("settings", "set", name, value)
    shell.did("clients", "edit", "1", "--address", "Weg 1", "--city", "Wien", "--country", "AT")
    shell.did("invoices", "add", "1", "--line", "3 h Consulting 100")
    shell.did("invoices", "issue", "1")
    for words, name in WRITERS.items():
        file = Path(shell.write(name, "my precious\n"))
        before = BEFORE.get(words, ["--to"] if words.startswith("reports") else [])
        arguments = [*words.split(), *before, str(file)]
        message = shell.refused(*arguments)
        assert message.endswith(f"{name} already exists. Give --yes to continue."), (words, message)
        assert file.read_text() == "my precious\n", words
        answer = shell("--yes", *arguments)
        assert (answer.code, answer.err) == (0, ""), (words, answer)
        assert b"my precious" not in file.read_bytes(), words
    archive = shell.write("archive.csv", "my precious\n")
    # It may be the only copy of what an older one holds: no answer replaces it.
    assert "Choose another name." in shell.refused("--yes", "history", "archive", archive, "--until", "today")
    assert Path(archive).read_text() == "my precious\n"
    # A file of another name is not asked about.
    assert shell("export", str(shell.folder / "other.csv")).code == 0


def piped(text: str) -> io.TextIOWrapper:
    """The standard input of a pipe."""
    return io.TextIOWrapper(io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/dev/zero", "/dev/zero is not an ordinary file. Save its contents to a file, and use that."),
        ("pipe", "is not an ordinary file"),
        ("folder", "is a folder. Name one file in it."),
        ("large.csv", "is 5.0 GB. At most 1 GB can be read at once. Split it into smaller files"),
        ("large.json", "is 5.0 GB"),
        ("loop.csv", "is a link that leads back to itself"),
        ("-", "standard input is empty"),
    ],
)
def test_an_endless_file_is_refused_by_the_import(
    shell: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    monkeypatch.chdir(shell.folder)
    monkeypatch.setattr(sys, "stdin", piped(""))
    shell.did("clients", "add", "--first-name", "Anna")
    os.mkfifo("pipe")
    Path("folder").mkdir()
    Path("loop.csv").symlink_to("loop.csv")
    for large in ("large.csv", "large.json"):
        Path(large).touch()
        os.truncate(large, 5_000_000_000)
    assert why in shell.refused("import", name)


def test_piped_input_is_imported_up_to_a_limit(shell: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shell.folder)
    rows = f"first name,last name\nAnna,Berg\nBen,{LONG}\n"
    monkeypatch.setattr(sys, "stdin", piped(rows))
    report = shell.did("import", "-")
    assert (report["new"], report["refused"]) == (1, 1)
    assert "Ben" in Path(report["refused_file"]).read_text()
    monkeypatch.setattr("crm.files.standard_input.LARGEST", 10)
    monkeypatch.setattr(sys, "stdin", piped(rows))
    assert "came through the pipe, and nothing was imported" in shell.refused("import", "-")


def test_rows_that_are_not_listed_are_counted(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    rows = [f"No{at},{LONG},Nowhere{at}" for at in range(30)]
    rows += [f"Yes{at},Fox,Nowhere{at}" for at in range(30)]
    file = shell.write("list.csv", "\n".join(("First name,Last name,Country", *rows)))
    lines = shell("import", file, "--preview").out.splitlines()
    assert "and 10 more" in lines
    assert "and 25 more" in lines


def test_a_restore_without_a_file_lists_the_backups(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    backup = shell.did("backup")["file"]
    message = shell.refused("restore", code=2)
    listed, error = message.splitlines()[0], message.splitlines()[-1]
    assert (listed.split("\t")[0], listed.split("\t")[2:]) == (backup, ["1 client", "0 sales"])
    assert error == "“File” is missing. Write it after the command, or give --file."


def test_undo_says_why_there_is_nothing_to_undo_and_what_can_be_done(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    assert "Nothing of yours to undo" in shell.refused("history", "undo", code=1, CRM_USER="zoe")
    shell.did("history", "undo")
    assert shell.refused("history", "undo", code=1) == "Nothing more to undo."
    shell.did("restore", shell.did("backup")["file"], "--yes")
    asked = shell.refused("history", "undo", code=1)
    assert "Nothing older to undo" in asked
    assert "restoring the backup that it made" in asked


def test_undo_after_a_restore_explains_and_asks_before_older_changes(
    shell: CommandLine,
) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    backup = shell.did("backup")["file"]
    shell.did("clients", "add", "--first-name", "Bert")
    kept = shell.did("restore", backup, "--yes")["file"]
    asked = shell.refused("history", "undo", code=1)
    for words in (
        "restored ",
        "restoring the backup that it made",
        "Before that: added Anna",
        "`history undo 1`",
        "--yes",
    ):
        assert words in asked
    assert "restoring the backup that it made" in shell.refused("history", "undo", "2", code=1)
    assert [client["first_name"] for client in shell.did("clients", "list")] == ["Anna"]
    undone = shell.did("history", "undo", "--yes")
    assert [entry["id"] for entry in undone["passed_over"]] == [2]
    assert shell.did("clients", "list") == []
    # What the sentence advises.
    shell.did("restore", kept, "--yes")
    assert sorted(client["first_name"] for client in shell.did("clients", "list")) == ["Anna", "Bert"]
    # Nor does a restore leave anything to redo.
    shell.did("history", "undo", "--yes")
    shell.did("restore", shell.did("backup")["file"], "--yes")
    assert "only right after an undo" in shell.refused("history", "redo", code=1)
