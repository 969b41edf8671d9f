"""The command line with a person at the terminal: missing arguments are asked for, and leaving changes nothing."""

import io
import re

import pexpect
import pytest

from tests.support import program
from tests.support.command_line import CommandLine

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def shell(shell: CommandLine) -> CommandLine:
    shell.did("clients", "add", "--first-name", "Anna", "--last-name", "Berg", "--email", "anna@example.com")
    return shell


class Sitting:
    """Somebody at a terminal who typed a command."""

    def __init__(self, shell: CommandLine, *arguments: str) -> None:
        environment = {**shell.child_environment(), "TERM": "xterm-256color"}
        environment.pop("COLUMNS")
        self.child = program.start(arguments, environment, shell.folder, timeout=program.PATIENCE, encoding="utf-8")
        self.child.logfile_read = self.drawn = io.StringIO()

    def sees(self, text: str) -> None:
        """Wait until a text stands there, drawn in whatever colours."""
        between = r"(?:\x1b\[[0-9;?]*[A-Za-z])*"
        self.child.expect(between.join(re.escape(char) for char in text))

    def keys(self, typed: str) -> None:
        """Type, as soon as something is asked."""
        if not program.is_asking(self.drawn.getvalue().encode()):
            self.sees(program.ASKED.decode())
        self.child.send(typed)

    def end(self) -> tuple[int | None, str]:
        """The exit code, and what was told at the end, without colours."""
        self.child.expect(pexpect.EOF)
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.child.before or "")
        self.child.close()
        return self.child.exitstatus, text


def test_only_missing_arguments_are_asked_for(shell: CommandLine) -> None:
    sitting = Sitting(shell, "sales", "add", "1", "--note", "table")
    sitting.sees("Amount")
    sitting.keys("12.50\r")
    code, output = sitting.end()
    assert code == 0
    assert "$12.50" in output
    (sale,) = shell.sales()
    assert (sale["client"], sale["amount"], sale["note"]) == (1, "12.50", "table")


@pytest.mark.slow
def test_a_wrong_answer_shows_an_error_and_is_asked_again(shell: CommandLine) -> None:
    sitting = Sitting(shell, "sales", "add", "1")
    sitting.sees("Amount")
    sitting.keys("-5\r")
    sitting.sees("negative")
    sitting.keys("\x01\x0b7\r")
    assert sitting.end()[0] == 0
    assert [sale["amount"] for sale in shell.sales()] == ["7.00"]


@pytest.mark.slow
def test_a_client_is_picked_by_typing_part_of_the_name(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Ben")
    sitting = Sitting(shell, "clients", "show")
    sitting.sees("Client")
    sitting.keys("berg")
    sitting.sees("Anna Berg")
    sitting.keys("\r")
    code, output = sitting.end()
    assert code == 0
    assert "anna@example.com" in output


@pytest.mark.many
@pytest.mark.parametrize("key", ["\x03", "\x1b"], ids=["Ctrl-C", "Esc"])
@pytest.mark.parametrize(
    ("command", "asks"), [("sales add 1", "Amount"), ("clients delete 1", "This deletes Anna Berg")]
)
def test_leaving_a_question_exits_with_130_and_stores_nothing(
    shell: CommandLine, command: str, asks: str, key: str
) -> None:
    before = shell.history()
    sitting = Sitting(shell, *command.split())
    sitting.sees(asks)
    sitting.keys(key)
    code, output = sitting.end()
    assert code == 130
    assert "Discarded. Nothing was saved." in output
    assert shell.history() == before
    assert len(shell.clients()) == 1


@pytest.mark.slow
def test_a_question_is_asked_and_answered(shell: CommandLine) -> None:
    sitting = Sitting(shell, "clients", "delete", "1")
    sitting.sees("This deletes Anna Berg")
    sitting.keys("1")
    assert sitting.end()[0] == 0
    assert shell.clients() == []


@pytest.mark.slow
def test_a_question_can_be_answered_with_no(shell: CommandLine) -> None:
    sitting = Sitting(shell, "clients", "delete", "1")
    sitting.sees("This deletes Anna Berg")
    sitting.keys("0")
    assert sitting.end()[0] == 130
    assert len(shell.clients()) == 1


@pytest.mark.slow
def test_a_possible_duplicate_is_shown_before_it_is_saved(shell: CommandLine) -> None:
    sitting = Sitting(shell, "clients", "add", "--first-name", "A", "--email", "anna@example.com")
    sitting.sees("Possible duplicate")
    sitting.keys("\x03")
    assert sitting.end()[0] == 130
    assert len(shell.clients()) == 1


@pytest.mark.slow
def test_with_json_or_yes_nothing_is_asked_at_a_terminal(shell: CommandLine) -> None:
    code, output = Sitting(shell, "sales", "add", "1", "--json").end()
    assert code == 2
    assert '"error": "usage"' in output
    assert Sitting(shell, "clients", "delete", "1", "--yes").end()[0] == 0
    assert shell.clients() == []


@pytest.mark.slow
def test_a_closed_terminal_leaves_the_store_as_it_was(shell: CommandLine) -> None:
    before = shell.history()
    sitting = Sitting(shell, "sales", "add", "1")
    sitting.sees("Amount")
    sitting.keys("12")
    sitting.child.close()
    assert shell.history() == before
    assert shell.sound()


@pytest.mark.slow
def test_the_first_account_is_asked_for_a_password_and_signed_in(
    shell: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", shell.environment["XDG_DATA_HOME"])
    password = "a kettle, two spoons and rain"
    words = ("users", "add", "ada@example.com", "--name", "Ada")
    sitting = Sitting(shell, *words)
    sitting.sees("Password")
    sitting.keys("short\r")
    code, output = sitting.end()
    assert (code, "at least 10 characters" in output) == (1, True)
    assert shell("clients", "list").code == 0
    sitting = Sitting(shell, *words)
    sitting.sees("Password")
    sitting.keys(f"{password}\r")
    sitting.sees("again")
    sitting.keys(f"{password}\r")
    code, output = sitting.end()
    assert (code, "The account of Ada is ready" in output, password in output) == (0, True, False)
    assert [session["here"] for session in shell.did("profile", "sessions")] == [True]


@pytest.mark.parametrize("words", ["users add", "import"])
def test_giving_up_at_a_question_creates_no_store(shell: CommandLine, words: str) -> None:
    missing = shell.folder / "no" / "x.sqlite3"
    sitting = Sitting(shell, *words.split(), "--store", f"sqlite:///{missing}")
    sitting.keys("\x03")
    assert sitting.end()[0] == 130
    assert not missing.parent.exists()
