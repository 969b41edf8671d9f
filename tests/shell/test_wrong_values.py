"""Invalid values in the file, at the command line: an error names the place, and accounts stay protected."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine

# Where, and what in SQL.
CASES = [
    ("client", "version", "'many'"), ("client", "city", "x'00ff'"), ("client", "marketing_consent", "'yes'"),
    ("client", "created_at", "'x'"), ("client", "extra", "'['"), ("sale", "amount", "'five'"), ("sale", "on", "'soon'"),
    ("deal", "value", "0.5"), ("setting", "value", "x'00'"), ("store_facts", "value", "x'00'"),
    ("transactions", "at", "'noon'"), ("transactions", "undone_by", "'x'"), ("audit", "after", "'[1]'"),
    ("rule", "position", "'first'"), ("rule", "when", "x'00'"), ("stage", "name", "CAST(x'c328' AS TEXT)"),
    ("sqlite_sequence", "seq", "'x'"),
]  # fmt: skip
LINES = [
    "clients list", "clients show 1", "clients edit 1 --city Rome", "search ann", "sales list", "deals list", "today",
    "sales add --client 1 --amount 3", "history list", "settings list", "undo --yes", "rules list", "users list",
]  # fmt: skip
USERS = ("client", "active", "role", "name", "version", "password", "seal", "created_at", "email")


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    line = CommandLine(tmp_path)
    line.did("clients", "add", "--first-name", "Anna", "--last-name", "Arm")
    line.did("sales", "add", "--client", "1", "--amount", "5")
    line.did("deals", "add", "--client", "1", "--title", "Roof")
    line.did("settings", "set", "company_name", "Arm")
    return line


def spoil(shell: CommandLine, table: str, column: str, value: str) -> None:
    with closing(sqlite3.connect(shell.file)) as other:
        first = f"rowid = (SELECT min(rowid) FROM {table})"
        assert other.execute(f'UPDATE {table} SET "{column}" = {value} WHERE {first}').rowcount
        other.commit()


@pytest.mark.many(2)
@pytest.mark.parametrize(("table", "column", "value"), CASES)
def test_a_wrong_value_never_crashes_a_command_and_check_names_it(
    shell: CommandLine, table: str, column: str, value: str
) -> None:
    spoil(shell, table, column, value)
    answers = {line: shell(*line.split()) for line in ("check --json", *LINES)}
    assert not [line for line, answer in answers.items() if "went wrong" in answer.out + answer.err]
    checked = answers["check --json"]
    assert checked.code != 0
    assert f"Table “{table}”, row " in checked.out + checked.err
    assert f": “{column}” is not " in checked.out + checked.err


@pytest.mark.many
@pytest.mark.parametrize("column", USERS)
def test_accounts_stay_protected_and_can_be_recovered_if_readable(shell: CommandLine, column: str) -> None:
    shell.did("users", "add", "ada@example.com", "--name", "Ada", "--role", "admin")
    recover = ("users", "recover", "ada@example.com", "--yes")
    # Whatever stands in other tables, as long as the rows of the accounts can be read.
    others = [("client", "version"), ("setting", "version"), ("rule", "position"), ("audit", "record_id")]
    for table, spoiled in others:
        spoil(shell, table, spoiled, "'many'")
    assert shell(*recover).code == 0
    for table, spoiled in others:
        spoil(shell, table, spoiled, "2")
    spoil(shell, "user", column, "CAST(x'c328' AS BLOB)")
    assert "Arm" not in shell.refused("clients", "list")
    refused = shell.refused(*recover)
    assert f"Table “user”, row 1: “{column}” is not " in refused or "No account" in refused
