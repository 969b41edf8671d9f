"""Bad input and faults at the command line: a clear error, and no half-done change."""

import csv
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from crm.app import open_crm
from crm.errors import Cancelled
from crm.shell import run
from tests.conftest import PYTHON
from tests.support.command_line import Answer, CommandLine

pytestmark = [pytest.mark.slow, pytest.mark.in_turn]


def is_a_sentence(answer: Answer, code: int = 1) -> bool:
    """True if the command was refused with a message, and stdout is empty."""
    return (
        answer.code == code
        and not answer.out
        and "Traceback" not in answer.err
        and bool(answer.err.strip())
        and len(answer.err.splitlines()) <= 3
    )


# Files that cannot be

_BAD_FILES = {
    "~no-such-user/a": "No home folder ~no-such-user. ",
    "n" * 300: "",
    "NUL\0": "cannot contain a NUL character",
    "file/a": "",
    "folder": "folder",
    "loop": "link that leads back to itself",
    "nowhere/a": "nowhere",
}


@pytest.mark.parametrize("name", _BAD_FILES)
def test_every_command_reports_an_unusable_file(shell: CommandLine, name: str) -> None:
    shell.did("clients", "add", "--first-name", "Anna", "--email", "anna@example.com")
    shell.did("follow-ups", "add", "1", "--what", "Call", "--due", "today")
    shell.environment |= {"CRM_SMTP_URL": "smtp://127.0.0.1:9", "CRM_MAIL_FROM": "us@example.com"}
    (shell.folder / "file").touch()
    for ending in (".csv", ".json", ".ics", ".png", ".sqlite3", ".txt"):
        (shell.folder / f"folder{ending}").mkdir()
        (shell.folder / f"loop{ending}").symlink_to(shell.folder / f"loop{ending}")

    def refused(*words: str, ending: str) -> None:
        file = name if name.startswith("~") else str(shell.folder / f"{name}{ending}")
        answer = shell(*words, file)
        assert is_a_sentence(answer), (words, answer)
        assert "Something went wrong" not in answer.err, (words, answer)
        assert len(answer.err) < 600
        assert _BAD_FILES[name] in answer.err or (words[0], name) == ("backup", "loop")

    refused("import", ending=".csv")
    refused("import", ending=".json")
    refused("restore", "--yes", ending=".sqlite3")
    refused("email", "send", "1", "--subject", "A", "--body", "B", "--yes", "--attach", ending=".txt")
    if name != "nowhere/a":
        refused("backup", ending=".sqlite3")
    if not name.startswith("~"):
        for words, ending in (
            (["export"], ".csv"),
            (["export"], ".json"),
            (["history", "export"], ".csv"),
            (["follow-ups", "export"], ".ics"),
            (["reports", "sales", "--to"], ".png"),
            (["clients", "list", "--csv"], ".csv"),
        ):
            refused(*words, ending=ending)


@pytest.mark.parametrize("store", ["~no-such-user/a", "n" * 300, "file/a", "folder", "loop", "", "/"])
def test_an_impossible_store_address_is_reported(shell: CommandLine, store: str) -> None:
    (shell.folder / "file").touch()
    (shell.folder / "folder").mkdir()
    (shell.folder / "loop").symlink_to(shell.folder / "loop")
    where = f"sqlite:///{store}" if store[:1] in ("", "~", "/") else f"sqlite:///{shell.folder / store}"
    shell.did("clients", "add", "--first-name", "Anna")
    answer = shell("--store", where, "clients", "list")
    assert is_a_sentence(answer, 2 if store[:1] in ("", "~", "n") else 1), answer
    assert "Something went wrong" not in answer.err, answer
    assert is_a_sentence(copied := shell("copy", "--to", where), answer.code), copied
    assert "Something went wrong" not in copied.err, copied


# Values that cannot be


@pytest.mark.parametrize(
    ("amount", "hint"),
    [
        ("12,50", "12.50"),
        ("1.234,56", "1,234.56"),
        ("-5", "negative"),
        ("nan", "amount"),
        ("inf", "amount"),
        ("1e400", "amount"),
        ("1e3", "amount"),
        ("0x10", "amount"),
        ("1.005", "decimals"),
        ("9999999999999", "at most"),
        ("9" * 500, "at most"),
        ("", "amount"),
        ("five", "amount"),
        ("1_000", "amount"),
        ("=1+1", "amount"),
        ("5\x1b[31m", "amount"),
    ],
)
def test_an_impossible_amount_is_refused_at_its_option(shell: CommandLine, amount: str, hint: str) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    answer = shell("sales", "add", "1", "--amount", amount)
    assert is_a_sentence(answer)
    assert answer.err.startswith("--amount: ")
    assert hint in answer.err
    assert shell.sales() == []
    assert len(shell.history()) == 1


@pytest.mark.parametrize("amount", ["0", "$0.00"])
def test_a_sale_of_nothing_is_refused_and_says_what_to_do(shell: CommandLine, amount: str) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    refusal = shell.refused("sales", "add", "1", "--amount", amount)
    assert refusal == "--amount: A sale must be more than 0. Enter what was paid, or log a note if nothing was paid."
    assert shell.sales() == []
    orders = shell.write_csv("orders.csv", [["client", "date", "amount"], ["Anna", "2026-11-02", "0"]])
    assert shell.did("import", orders, "--as", "sales")["new"] == 1


@pytest.mark.parametrize("amount", ["0.01", "1,234.50", "999999999999.99", " 7 ", "007"])
def test_a_valid_amount_is_stored_to_the_cent(shell: CommandLine, amount: str) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    sold = shell.did("sales", "add", "1", "--amount", amount)
    meant = Decimal(amount.replace(",", "").strip()).quantize(Decimal("0.01"))
    assert sold["sale"]["amount"] == sold["client"]["total_spend"] == str(meant)


@pytest.mark.parametrize(
    ("day", "hint"),
    [
        ("2026-02-30", "No day 30"),
        ("2025-02-29", "No day 29"),
        ("2026-13-01", "No month 13"),
        ("2026-11-22", "future"),
        ("tomorrow", "future"),
        ("0000-01-01", ""),
        ("1899-12-31", "before"),
        ("20261320", "No month 13"),
        ("soon", "Write it like"),
        ("2026-11-20T10:00", "Leave out the time"),
        ("-1", "Write it like"),
    ],
)
def test_an_impossible_day_is_refused_at_its_option(shell: CommandLine, day: str, hint: str) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    answer = shell("sales", "add", "1", "--amount", "5", "--on", day)
    assert is_a_sentence(answer)
    assert answer.err.startswith("--on: ")
    assert hint in answer.err
    assert shell.sales() == []
    answer = shell("clients", "edit", "1", "--date-of-birth", day)
    assert is_a_sentence(answer)
    assert answer.err.startswith("--date-of-birth: ")
    assert shell.clients()[0]["date_of_birth"] is None


@pytest.mark.parametrize(
    ("day", "meant"),
    [("today", "2026-11-21"), ("yesterday", "2026-11-20"), ("fri", "2026-11-20"), ("2024-02-29", "2024-02-29"),
     ("11/3/2026", "2026-11-03"), ("3.11.2026", "2026-11-03"), ("2026-1-5", "2026-01-05"), ("sat", "2026-11-14"),
     ("20261120", "2026-11-20")],
)  # fmt: skip
def test_a_valid_day_is_accepted(shell: CommandLine, day: str, meant: str) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    assert shell.did("sales", "add", "1", "--amount", "5", "--on", day)["sale"]["on"] == meant


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("", "name"),
        ("   ", "name"),
        ("x" * 10_000, "10000"),
        ("A\x00B", "NUL"),
        ("A\x1b[31mB", "escape"),
        ("A\u202eB", "U+202E"),
        ("A\ud800B", "U+D800"),
        ("A\x07", "bell"),
    ],
)
def test_an_impossible_name_is_refused(shell: CommandLine, name: str, hint: str) -> None:
    answer = shell("clients", "add", "--first-name", name)
    assert is_a_sentence(answer)
    assert hint in answer.err
    assert not shell.file.exists()


@pytest.mark.parametrize(
    "name",
    ["[bold]", "[/]", "[red]x[/red]", "\\[x]", "😀", "👩‍👧", "עברית",
     "A\u200fB", "=1+1", "@SUM(A1)", 'O\'B "x"', "x" * 200],
)  # fmt: skip
def test_an_odd_name_is_kept_and_shown_unchanged(shell: CommandLine, name: str) -> None:
    assert shell.did("clients", "add", "--first-name", name)["first_name"] == name
    assert shell.did("clients", "show", "1")["first_name"] == name
    for words in (["clients", "show", "1"], ["clients", "list"]):
        out = shell(*words, COLUMNS="400").out
        assert name[:30] in out.replace("\n", "") or name == "A\u200fB"
        assert "\x1b" not in out
    assert shell.did("clients", "search", name[:40])[0]["id"] == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--email", "not an address"),
        ("--email", "a@b@c.at"),
        ("--phone", "call me"),
        ("--phone", "12"),
        ("--country", "Atlantis"),
        ("--kind", "robot"),
        ("--tag", "x" * 41),
        ("--extra", "no equals sign"),
        ("--notes", "A\x00"),
        ("--postcode", "1" * 21),
    ],
)
def test_an_invalid_field_is_refused_at_its_option(shell: CommandLine, option: str, value: str) -> None:
    answer = shell("clients", "add", "--first-name", "Anna", option, value)
    assert is_a_sentence(answer)
    assert answer.err.startswith(f"{option}: ")
    assert not shell.file.exists()


@pytest.mark.slow
def test_odd_arguments_anywhere_end_with_a_clear_message(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    odd = ["", "[bold]", "\x1b[2J", "\x00", "x" * 10_000, "-1", "99999999999999999999"]
    places = [
        ["clients", "show", "{}"], ["clients", "list", "--sort", "{}"], ["clients", "list", "--where", "{}"],
        ["clients", "list", "--view", "{}"], ["clients", "list", "--limit", "{}"], ["clients", "search", "{}"],
        ["clients", "pin", "1", "--until", "{}"], ["clients", "merge", "1", "{}"], ["sales", "undo", "{}", "--yes"],
        ["rules", "add", "{}"], ["rules", "why", "{}"], ["rules", "move", "1", "{}"], ["rules", "use", "{}"],
        ["views", "remove", "{}"], ["history", "undo", "{}"], ["settings", "set", "language", "{}"],
        ["import", "{}"], ["import", "x.csv", "--as", "{}"], ["export", "{}"],
    ]  # fmt: skip
    before = shell.clients()
    for place in places:
        for word in odd:
            answer = shell(*[word if part == "{}" else part for part in place])
            assert answer.code in (0, 1, 2), (place, word)
            assert "Something went wrong" not in answer.err, (place, word, answer.err)
            assert "\x1b" not in answer.out + answer.err, (place, word)
            assert (answer.code == 0) == (
                answer.err in ("", "No clients found.\n", "No client matches that. Try part of the name.\n")
            ), (
                place,
                word,
                answer,
            )
    assert [{**client, "updated_at": "", "version": 0} for client in shell.clients()] == [
        {**client, "updated_at": "", "version": 0} for client in before
    ]
    assert shell.sound()


# Where the answer goes


def test_a_closed_output_pipe_is_not_an_error(shell: CommandLine) -> None:
    rows = [["last_name", "notes"], *([f"Name {at}", "x" * 500] for at in range(400))]
    shell.did("import", shell.write_csv("many.csv", rows), "--as", "clients")
    for options in ([], ["--json"]):
        child = shell.start("clients", "list", "--limit", "400", *options)
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        err = child.stderr.read()
        child.stderr.close()
        assert (child.wait(30), err) == (0, "")


def test_a_pipe_closed_before_any_output_is_not_an_error(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    for options in ([], ["--json"]):
        child = shell.start("clients", "list", *options)
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        err = child.stderr.read()
        child.stderr.close()
        assert (child.wait(30), err) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["words", "json"])
def test_output_that_cannot_be_written_is_reported_and_the_change_kept(shell: CommandLine, options: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        answer = shell.process("clients", "add", "--first-name", "Anna", *options, stdout=full)
    assert is_a_sentence(answer)
    assert "The command was done" in answer.err
    assert len(shell.clients()) == 1


def test_a_terminal_that_cannot_write_a_name_stops_nothing(shell: CommandLine) -> None:
    narrow = {"PYTHONIOENCODING": "ascii"}
    answer = shell.process("clients", "add", "--first-name", "Zoë 😀", environment=narrow)
    assert (answer.code, answer.err) == (0, "")
    answer = shell.process("clients", "list", "--json", environment=narrow)
    assert (answer.code, answer.err) == (0, "")
    assert answer.json[0]["first_name"] == "Zoë 😀"
    assert answer.out.isascii()


# Two programs on one file

_SELLING = """
import os, sys
from crm.app import open_crm
from crm.shell import run
sys.exit(max(run(["sales", "add", sys.argv[1], "--amount", "1.10", "--json"], os.environ, open_crm) for _ in range(25)))
"""


def test_two_programs_sell_at_the_same_time_and_nothing_is_lost(shell: CommandLine) -> None:
    for name in ("Anna", "Ben"):
        shell.did("clients", "add", "--first-name", name)
    sellers = [
        subprocess.Popen(
            [PYTHON, "-c", _SELLING, client], env=shell.child_environment(), stdout=subprocess.PIPE, text=True
        )
        for client in ("1", "1", "2")
    ]
    for seller in sellers:
        seller.communicate(timeout=60)
        assert seller.returncode == 0
    assert len(shell.sales()) == 75
    assert [(client["total_spend"], client["sales_count"]) for client in shell.clients()] == [
        ("55.00", 50),
        ("27.50", 25),
    ]
    assert shell.sound()


def test_a_command_that_waits_for_another_program_says_so(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    shell.did("clients", "list")
    with closing(sqlite3.connect(shell.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        child = shell.start("sales", "add", "1", "--amount", "5")
        assert child.stderr is not None
        answer = child.stderr.readline()
        waited = time.monotonic() - started
        assert "Another program" in answer
        assert waited < 5 + 5  # five seconds, and as much again for a busy machine to start the program
        assert child.poll() is None
        # Reading waits for nobody.
        assert shell.sales() == []
        other.execute("ROLLBACK")
    child.communicate(timeout=30)
    assert child.returncode == 0
    assert len(shell.sales()) == 1


# Killed


@pytest.mark.slow
def test_an_import_that_is_killed_leaves_all_or_nothing(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Anna", "--reference", "A1")
    rows = [["client", "date", "amount", "client.last_name"]]
    rows += [[f"K{at % 4000}", "2026-01-02", f"{at % 97}.50", f"Killed {at % 4000}"] for at in range(12_000)]
    file = shell.write_csv("sales.csv", rows)
    log = shell.file.with_name("store.sqlite3-wal")
    outcomes: list[int] = []
    # On a busy machine the import can be over before it is killed.
    for at, size in enumerate((1, 400_000, 1, 1, 1)):
        if at > 1 and 0 in outcomes:
            break
        child = shell.start("import", file, "--as", "sales", "--create-clients")
        while child.poll() is None and not (log.exists() and log.stat().st_size >= size):
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=30)
        clients, sales = len(shell.clients()), len(shell.sales())
        assert (clients, sales) in ((1, 0), (4001, 12_000))
        assert shell.sound()
        outcomes.append(sales)
        if sales:
            shell.did("history", "undo")
    assert 0 in outcomes
    # What was killed stands in nobody's way.
    assert shell.did("import", file, "--as", "sales", "--create-clients")["new"] == 12_000
    assert shell.sound()


def test_an_import_that_is_interrupted_ends_with_130_and_keeps_all_or_nothing(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    rows = [["last_name", "email"], *([f"Name {at}", f"a{at}@example.com"] for at in range(12_000))]
    file = shell.write_csv("clients.csv", rows)
    log = shell.file.with_name("store.sqlite3-wal")
    child = shell.start("import", file, "--as", "clients")
    while child.poll() is None and not log.exists():
        time.sleep(0.002)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (130, "")
    assert len(err.splitlines()) == 1
    # Whether it came before the import, in it, or in the moment of saving: what is told is true.
    stored = len(shell.clients())
    assert stored in (1, 12_001)
    assert err.startswith("Interrupted.") or (err == "Discarded. Nothing was saved.\n" and stored == 1)
    assert shell.sound()


def test_an_interruption_after_saving_says_so(
    shell: CommandLine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise Cancelled("Interrupted, but only once it was saved.")

    monkeypatch.setattr("crm.repository.sql.SqlRepository.transact", interrupted)
    assert run(["clients", "add", "--first-name", "Anna"], shell.child_environment(), open_crm) == 130
    assert capsys.readouterr().err == "Interrupted, but only once it was saved.\n"


# Stores that cannot be used


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name[-4:] != "-shm"}


@pytest.mark.parametrize(
    "words", [["clients", "list"], ["clients", "add", "--first-name", "B"], ["check"], ["today"]], ids=" ".join
)
@pytest.mark.parametrize("damage", ["no database", "torn", "foreign", "newer"])
def test_an_unusable_store_is_reported_and_not_changed(shell: CommandLine, damage: str, words: list[str]) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    if damage == "no database":
        shell.file.write_bytes(b"Dear diary,\n" * 400)
    elif damage == "torn":
        shell.file.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    elif damage == "foreign":
        shell.file.unlink()
        with closing(sqlite3.connect(shell.file)) as other:
            other.execute("CREATE TABLE recipes (id)")
    else:
        with closing(sqlite3.connect(shell.file)) as other, other:
            other.execute("UPDATE store_facts SET value = '9000' WHERE name = 'schema_version'")
    before = contents(shell.folder)
    answer = shell(*words)
    assert is_a_sentence(answer)
    assert str(shell.file) in answer.err
    kind = shell(*words, "--json").error["error"]
    assert kind == ("store_newer" if damage == "newer" else "store_damaged")
    assert contents(shell.folder) == before


def test_a_read_only_folder_is_reported(shell: CommandLine) -> None:
    for place in (shell.folder, Path("/proc/nowhere/store.sqlite3"), Path("/dev/null/store.sqlite3")):
        answer = shell("--store", f"sqlite:///{place}", "clients", "add", "--first-name", "A")
        assert is_a_sentence(answer), place
        assert str(place) in answer.err or str(place.parent) in answer.err


def test_a_full_disk_is_reported_and_the_change_rolled_back(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    shell.did("clients", "list")
    rows = [["last_name", "notes"], *([f"Name {at}", "x" * 2000] for at in range(2000))]
    file = shell.write_csv("many.csv", rows)

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))

    answer = shell.process("import", file, "--as", "clients", preexec_fn=little_room)
    assert is_a_sentence(answer)
    assert "disk is full" in answer.err
    assert len(shell.clients()) == 1
    assert shell.sound()


def test_a_read_only_store_is_read_and_not_written(shell: CommandLine, tmp_path: Path) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    shell.did("sales", "add", "1", "--amount", "5")
    shell.did("rules", "add", "At risk when days_since_last_sale > 180", "--position", "1")
    backup = shell.did("backup", str(shell.folder / "kept.sqlite3"))["file"]
    # What the day would move stays as it is.
    shell.environment["CRM_NOW"] = "2027-06-01T09:00:00Z"
    for leftover in shell.folder.glob("store.sqlite3*"):
        leftover.unlink()
    shutil.copy(backup, shell.file)
    warm = f"sqlite:///{tmp_path}/warm.sqlite3"
    shell.did("--store", warm, "clients", "add", "--first-name", "Anna")
    # Whatever a command imports late is imported before root is given up: the interpreter may lie in root's folder.
    program = (
        "import contextlib, io, os, sys\n"
        "from crm.app import open_crm, preload\n"
        "from crm.shell import run\n"
        "preload()\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    run(sys.argv[2:], {**os.environ, 'CRM_STORE': sys.argv[1]}, open_crm)\n"
        "os.getuid() or (os.setgid(65534), os.setuid(65534))\n"
        "sys.exit(run(sys.argv[2:], os.environ, open_crm))\n"
    )
    shell.folder.chmod(0o555)
    shell.file.chmod(0o444)

    def as_nobody(*arguments: str) -> Answer:
        done = subprocess.run(
            [PYTHON, "-c", program, warm, *arguments],
            env=shell.child_environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    try:
        listed = as_nobody("clients", "list", "--json")
        assert (listed.code, listed.err) == (0, "")
        assert [client["first_name"] for client in listed.json] == ["Anna"]
        answer = as_nobody("clients", "add", "--first-name", "Ben", "--json")
        assert (answer.code, answer.out) == (1, "")
        assert answer.error["error"] == "store_read_only"
    finally:
        shell.folder.chmod(0o755)
        shell.file.chmod(0o644)
    assert len(shell.clients()) == 1


def test_refused_rows_that_cannot_be_written_down_do_not_lose_the_import(shell: CommandLine) -> None:
    """The rows that were taken are in the store; a folder that takes no file is told."""
    file = shell.write_csv("list.csv", [["last_name", "city"], ["Good", "Wien"], ["", "Linz"]])
    report = shell.did("import", file, "--as", "clients")
    assert (report["new"], report["refused"]) == (1, 1)
    with Path(report["refused_file"]).open(encoding="utf-8-sig", newline="") as written:
        rows = list(csv.reader(written))
    assert rows[0][:2] == ["last_name", "city"]
    assert rows[1][:2] == ["", "Linz"]
    assert "give a name" in rows[1][2]
