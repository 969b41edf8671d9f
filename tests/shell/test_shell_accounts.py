"""Accounts on the command line: sign-in by lines of input, and what each role may do."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crm.commands.registry import commands
from tests.support.command_line import Answer, CommandLine

pytestmark = pytest.mark.slow

PASSWORD = "a kettle, two spoons and rain"


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    """Command lines on a store with a client, whose accounts are kept beside it."""
    line = CommandLine(tmp_path)
    line.did("clients", "add", "--first-name", "Anna", "--last-name", "Arm", "--notes", "haggles")
    return line


def sign_in(shell: CommandLine, *lines: str, **environment: str) -> Answer:
    return shell.typed(lines, "sign-in", **environment)


def joined(shell: CommandLine, email: str, role: str, *more: str) -> None:
    """Somebody with an account who has chosen a password, and is signed in on this machine."""
    made = shell.did("users", "add", email, "--name", email.partition("@")[0].title(), "--role", role, *more)
    answer = sign_in(shell, email, made["password"], PASSWORD, PASSWORD)
    assert (answer.code, answer.err) == (0, "")


def test_the_first_account_closes_the_store_without_a_sign_in(shell: CommandLine) -> None:
    assert "admin" in shell.refused("users", "add", "sam@example.com", "--name", "Sam", "--role", "staff")
    made = shell.did("users", "add", "ada@example.com", "--name", "Ada", "--role", "admin")
    assert "sign-in" in shell.refused("clients", "list")
    assert sign_in(shell, "ada@example.com", "wrong").code != 0
    assert "sign-in" in shell.refused("clients", "list")
    assert sign_in(shell, "ada@example.com", made["password"], PASSWORD, PASSWORD).code == 0
    assert [client["last_name"] for client in shell.did("clients", "list")] == ["Arm"]
    assert [entry["user"] for entry in shell.did("history", "list")][:2] == ["Ada", "Ada"]
    (before,) = shell.did("profile", "sessions")
    # Signing in again ends the session that it replaces.
    assert sign_in(shell, "ada@example.com", PASSWORD).code == 0
    (now,) = shell.did("profile", "sessions")
    assert now["id"] != before["id"]
    assert shell("sign-out").code == 0
    assert "sign-in" in shell.refused("clients", "list")


def test_a_one_time_password_alone_gives_no_access(shell: CommandLine) -> None:
    made = shell.did("users", "add", "ada@example.com", "--name", "Ada", "--role", "admin")
    assert sign_in(shell, "ada@example.com", made["password"]).code != 0
    assert shell("clients", "list").code != 0


def test_staff_cannot_delete_clients_or_manage_accounts(shell: CommandLine) -> None:
    joined(shell, "ada@example.com", "admin")
    made = shell.did("users", "add", "sam@example.com", "--name", "Sam")
    assert sign_in(shell, "sam@example.com", made["password"], PASSWORD, PASSWORD).code == 0
    assert shell.did("sales", "add", "1", "--amount", "10")["client"]["total_spend"] == "10.00"
    added = shell.did("clients", "add", "--last-name", "Bein")["id"]
    assert "admin" in shell.refused("clients", "delete", "1", "--yes", code=3)
    assert "admin" in shell.refused("users", "add", "tom@example.com", "--name", "Tom", code=3)
    assert "admin" in shell.refused("backup", str(shell.folder / "all.sqlite3"), code=3)
    # What stands last in the history is the client that was added; to take that back would be to delete.
    shell.refused("history", "undo", code=3)
    assert [client["id"] for client in shell.did("clients", "list", "--sort", "id")] == [1, added]


def test_admin_commands_are_refused_before_any_lookup(shell: CommandLine) -> None:
    joined(shell, "ada@example.com", "admin")
    made = shell.did("users", "add", "sam@example.com", "--name", "Sam")
    assert sign_in(shell, "sam@example.com", made["password"], PASSWORD, PASSWORD).code == 0
    for name, more in (("vouch", ["--role", "admin"]), ("reset-password", []), ("sessions", []), ("edit", [])):
        for whose in ("ada@example.com", "eve@example.com"):
            assert "Only an admin can use" in shell.refused("users", name, whose, *more, code=3)


def test_a_client_account_reads_only_its_own_data(shell: CommandLine) -> None:
    shell.did("clients", "add", "--last-name", "Bein")
    shell.did("sales", "add", "1", "--amount", "10")
    shell.did("sales", "add", "2", "--amount", "99", "--note", "secret")
    joined(shell, "ada@example.com", "admin")
    made = shell.did("users", "add", "anna@example.com", "--name", "Anna", "--role", "client", "--client", "1")
    assert sign_in(shell, "anna@example.com", made["password"], PASSWORD, PASSWORD).code == 0
    assert [sale["amount"] for sale in shell.did("sales", "list")] == ["10.00"]
    assert shell.did("sales", "list", "--client", "1")[0]["client"] == 1
    assert "haggles" not in shell("clients", "show", "1", "--json").out
    for words in (("clients", "show", "2"), ("clients", "list"), ("today",), ("history", "list"), ("users", "list")):
        assert shell(*words).code != 0
        assert "Bein" not in shell(*words).out


def test_a_password_is_changed_by_lines_and_never_by_options(shell: CommandLine) -> None:
    joined(shell, "ada@example.com", "admin")
    assert "--new" not in shell("profile", "password", "--help").out
    other = "rain, two spoons and a kettle"
    with shell.start("profile", "password", "--json", stdin=-1) as child:
        child.communicate(f"{PASSWORD}\n{other}\n{other}\n", timeout=60)
    assert child.returncode == 0
    assert shell("sign-out").code == 0
    assert sign_in(shell, "ada@example.com", PASSWORD).code != 0
    assert sign_in(shell, "ada@example.com", other).code == 0


def test_changing_my_phone_reads_the_password_as_a_line(shell: CommandLine) -> None:
    joined(shell, "ada@example.com", "admin")
    profile, users = ("profile", "edit"), ("users", "edit", "ada@example.com")
    for words, typed, code, expected in (
        (profile, "", 2, "Password is missing. Give it as a line of the input."),
        (users, "", 2, "Password is missing. Give it as a line of the input."),
        (profile, "wrong\n", 1, "That is not your password. Nothing was changed."),
        (profile, f"{PASSWORD}\n", 0, ""),
    ):
        answer = shell.typed(typed.splitlines(), *words, "--phone", "+436641234567", "--yes")
        assert (answer.code, answer.err.rstrip()) == (code, expected)
        # The answer is written after a line was read as well.
        assert ("+43 664" in answer.out or "+43664" in answer.out) is (code == 0)
    assert shell.did("profile", "show")["phone"] == "+436641234567"
    # A name takes none.
    assert shell.did("profile", "edit", "--name", "Ada Arm")["name"] == "Ada Arm"


def test_sessions_are_listed_and_ended(shell: CommandLine) -> None:
    joined(shell, "ada@example.com", "admin")
    made = shell.did("users", "add", "sam@example.com", "--name", "Sam")
    assert shell.did("profile", "sessions")[0]["here"] is True
    assert [user["sessions"] for user in shell.did("users", "list")] == [1, 0]
    # On one machine a sign-in ends the one before; these are others.
    for name, *lines in (("ada", PASSWORD), ("sam", made["password"], PASSWORD, PASSWORD)):
        elsewhere = shell.folder / name
        shutil.copytree(shell.folder / "data", elsewhere, ignore=shutil.ignore_patterns("sign-ins.json"))
        assert sign_in(shell, f"{name}@example.com", *lines, XDG_DATA_HOME=str(elsewhere)).code == 0
    assert [user["sessions"] for user in shell.did("users", "list")] == [2, 1]
    assert shell.did("users", "sign-out", "sam@example.com")["sessions"] == 0
    shell.did("profile", "sign-out-everywhere")
    assert len(shell.did("profile", "sessions")) == 1


def test_ending_my_own_session_reports_success(shell: CommandLine) -> None:
    joined(shell, "ada@example.com", "admin")
    shell.did("users", "add", "ben@example.com", "--name", "Ben", "--role", "admin")
    answer = shell("users", "edit", "ada@example.com", "--role", "staff")
    assert answer.code == 0
    assert answer.err == ""
    assert answer.out == "It is done: gave Ada the role staff. This ended your own session. Sign in again.\n"
    assert "sign-in" in shell.refused("clients", "list")


def test_ending_my_own_session_reports_success_in_json_too(shell: CommandLine) -> None:
    joined(shell, "ada@example.com", "admin")
    shell.did("users", "add", "ben@example.com", "--name", "Ben", "--role", "admin")
    answer = shell("users", "deactivate", "ada@example.com", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert (answer.json["signed_out"], answer.json["saved"]) == (True, ["deactivated the account of Ada"])


def test_sign_out_works_if_the_store_cannot_be_read(shell: CommandLine) -> None:
    joined(shell, "ada@example.com", "admin")
    whole = shell.file.read_bytes()
    shell.file.write_bytes(b"Dear diary,\n" * 400)
    message = shell.refused("sign-out")
    assert message.startswith("This machine has forgotten the sign-in.")
    assert "12 hours" in message
    assert "damaged" in message
    shell.file.write_bytes(whole)
    assert "sign-in" in shell.refused("clients", "list")


def test_another_store_with_accounts_is_not_read_from_one_without(shell: CommandLine) -> None:
    """As its owner one opens a store without accounts, and no other on the way."""
    joined(shell, "ada@example.com", "admin")
    shell("sign-out")
    mine = f"sqlite:///{shell.folder / 'mine.sqlite3'}"
    shell.did("--store", mine, "clients", "add", "--last-name", "Mine")
    copied = shell.folder / "copied.sqlite3"
    theirs = shell.environment["CRM_STORE"]
    message = shell.refused("--store", mine, "copy", "--from", theirs, "--to", f"sqlite:///{copied}")
    assert "has accounts" in message
    assert not copied.exists()


def test_a_refused_user_triggers_no_backup_and_no_review(shell: CommandLine) -> None:
    joined(shell, "ada@example.com", "admin")
    shell("sign-out")
    for path in (shell.folder / "backups").glob("*"):
        path.unlink()
    shell.refused("clients", "list", CRM_NOW="2027-01-01T09:00:00Z")
    assert not list((shell.folder / "backups").glob("*"))


def test_the_owner_recovers_an_admin_account(shell: CommandLine) -> None:
    assert "no accounts" in shell.refused("users", "recover", "ada@example.com", "--yes")
    joined(shell, "ada@example.com", "admin")
    joined(shell, "sam@example.com", "staff")
    answer = shell("users", "recover", "sam@example.com", "--json")
    assert (answer.code, answer.error["error"]) == (1, "confirm")
    assert "as they are" in answer.error["message"]
    assert "No account sma@example.com" in shell.refused("users", "recover", "sma@example.com", "--yes")
    assert "No account sma@example.com: a new" in shell.refused("users", "recover", "sma@example.com", "--name", "Sma")
    made = shell.did("users", "recover", "sam@example.com", "--yes")
    assert sign_in(shell, "sam@example.com", made["password"], PASSWORD + "!", PASSWORD + "!").code == 0
    assert "recovered the account of sam@example.com" in shell.did("history", "list")[2]["what"]
    # Accounts that are gone open for nobody, for owners neither.
    file = Path(shell.environment["CRM_STORE"].removeprefix("sqlite:///"))
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("DELETE FROM user")
        opened.execute("DELETE FROM store_facts WHERE name = 'roster'")
        opened.commit()
    for command in (("clients", "list"), ("users", "list"), ("users", "add", "eve@example.com", "--role", "admin")):
        assert "users recover" in shell.refused(*command)
    ada = ("users", "recover", "ada@example.com", "--name", "Ada")
    assert "deactivated" in shell.refused(*ada)
    made = shell.did(*ada, "--yes")
    assert sign_in(shell, "ada@example.com", made["password"], PASSWORD, PASSWORD).code == 0
    assert [user["email"] for user in shell.did("users", "list")] == ["ada@example.com"]
    for name in ("Ben", "Cy"):
        shell.did("users", "add", f"{name}@example.com", "--name", name)
    both = ("ben@example.com", "cy@example.com")
    assert [user["active"] for user in shell.did("users", "deactivate", *both)] == [False, False]
    assert "Ben, Cy" in shell.refused("users", "activate", "--all")
    assert [user["active"] for user in shell.did("users", "activate", "--all", "--yes")] == [True, True]


def test_the_menu_offers_no_recovery() -> None:
    assert all(command.words != "users recover" for command in commands())


def test_a_generated_secret_is_accepted(shell: CommandLine) -> None:
    made = shell.did("secret")["secret"]
    assert made != shell.did("secret")["secret"]
    first = ("users", "add", "ada@example.com", "--name", "Ada", "--role", "admin")
    assert "easily guessed" in shell.refused(*first, code=2, CRM_SECRET="a" * 32)
    assert shell.did(*first, CRM_SECRET=made)
