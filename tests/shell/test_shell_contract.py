"""The contract with scripts: names, exit codes, stdout and stderr, and that no question is ever asked."""

import csv
import io
import json
import re
import shlex
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import fields as dataclass_fields
from datetime import date, datetime
from pathlib import Path

import pytest

from crm.model import Client, Sale
from crm.shell.options import opposite
from crm.shell.words import FILE
from tests.conftest import PROJECT, PYTHON
from tests.support.clocks import TODAY, now_on
from tests.support.command_line import CommandLine

CONTRACT = {
    "clients": ["add", "list", "search", "show", "edit", "delete", "tag", "merge", "pin"],
    "sales": ["add", "list", "edit", "undo"],
    "rules": ["list", "add", "edit", "move", "remove", "preview", "apply", "why"],
    "history": ["list", "undo"],
}
SINGLE = ["import", "export", "check", "backup", "restore", "today", "demo"]
COMMANDS = [[group, name] for group, names in CONTRACT.items() for name in names] + [[name] for name in SINGLE]
TYPED = (
    "--reference --kind --first-name --last-name --company --date-of-birth --email --phone --address --city --postcode"
    " --country --tag --source --owner --marketing-consent --notes --extra"
)
OPTIONS = {
    "clients add": TYPED,
    "clients edit": TYPED,
    "clients list": f"{TYPED} --status --total-spend --sales-count --sort --limit --offset",
    "clients search": "--limit",
    "clients tag": "--tag --untag",
    "clients pin": "--status --until",
    "sales add": "--client --amount --on --note --reference",
    "sales list": "--client --since --until --on --amount --note --reference --sort --limit --offset",
    "sales edit": "--sale --amount --on --note --reference --client",
    "rules add": "--rule --status --when --position",
    "rules preview": "--rule",
    "import": "--as --map --match --mode --create-clients",
    "export": "--what",
    "history list": "--limit --offset",
}


def anna(shell: CommandLine, *more: str) -> int:
    """A client; her number."""
    made = shell.did("clients", "add", "--first-name", "Anna", "--last-name", "Berg", *more)
    return int(made["id"])


# Names


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_each_command_of_the_contract_explains_itself(shell: CommandLine, words: list[str]) -> None:
    answer = shell(*words, "--help")
    assert (answer.code, answer.err) == (0, "")
    offered = set(re.findall(r"--[a-z-]+", answer.out))
    assert set(OPTIONS.get(" ".join(words), "").split()) <= offered
    # The first line is how to call it, then comes at least a sentence.
    rows = [line.strip() for line in answer.out.splitlines() if line.strip()]
    assert rows[0].startswith(f"Usage: run.py {' '.join(words)}")
    assert len(rows[1]) > 12
    assert not shell.file.exists()


@pytest.mark.parametrize("group", CONTRACT)
def test_a_group_alone_lists_its_commands(shell: CommandLine, group: str) -> None:
    answer = shell(group)
    assert answer.code == 2
    assert all(re.search(rf"^  {name}\b", answer.out + answer.err, re.MULTILINE) for name in CONTRACT[group])


def test_help_lists_all_groups_and_commands_and_the_global_options(shell: CommandLine) -> None:
    out = shell("--help").out
    assert all(re.search(rf"^  {name}\b", out, re.MULTILINE) for name in [*CONTRACT, *SINGLE])
    assert all(f"--{name}" in out for name in ("store", "json", "yes", "debug"))


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion_can_be_shown_for_each_shell(shell: CommandLine, shell_name: str) -> None:
    answer = shell.process("--show-completion", shell_name, environment={"LC_ALL": "C"})
    assert (answer.code, answer.err) == (0, "")
    assert "run.py" in answer.out
    assert {"bash": "complete ", "zsh": "compdef", "fish": "complete --"}[shell_name] in answer.out


# Exit codes


def test_success_exits_with_0_and_writes_only_to_stdout(shell: CommandLine) -> None:
    answer = shell("clients", "add", "--first-name", "Anna")
    assert (answer.code, answer.err) == (0, "")
    assert "Anna" in answer.out


def test_a_closed_stdout_is_not_an_error(shell: CommandLine) -> None:
    program = f"{shlex.quote(PYTHON)} {shlex.quote(str(PROJECT / 'run.py'))}"
    line = f"{program} clients add --last-name Berg >&- && {program} clients frob 2>&-; test $? = 2"
    assert subprocess.run(["sh", "-c", line], env=shell.child_environment(), check=False).returncode == 0
    assert len(shell.clients()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frob"], "frob"),
        (["clinets", "list"], "Did you mean clients?"),
        (["clients", "frob"], "frob"),
        (["clients", "lst"], "Did you mean list?"),
        (["clients", "list", "--frob"], "--frob"),
        (["clients", "list", "--limit"], "--limit"),
        (["sales", "add"], "--client"),
        (["sales", "add", "1"], "--amount"),
        (["clients", "show"], "--client"),
        (["clients", "show", "1", "2"], "clients show --help` shows the options"),
        (["views", "save", "x", "--colour", "y"], "views save --help` shows all options"),
        (["import"], "--file"),
        (["import", "x.csv", "--map", "nonsense"], "nonsense"),
        (["rules", "move"], "--rule"),
        (["clients", "show", "1", "--client", "1"], "twice"),
        (["--store", "frob", "clients", "list"], "frob"),
        (["--store", "postgres://host/crm", "clients", "list"], "postgres://host/crm"),
        (["--store", "sqlite:///", "clients", "list"], "sqlite:///"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_exits_with_2_and_names_the_mistake(shell: CommandLine, arguments: list[str], message: str) -> None:
    anna(shell)
    shell.write("x.csv", "first_name\nBen\n")
    arguments = [str(shell.folder / argument) if argument == "x.csv" else argument for argument in arguments]
    assert message in shell.refused(*arguments, code=2)
    assert len(shell.clients()) == 1


def test_an_environment_that_cannot_be_used_is_wrong_usage(shell: CommandLine) -> None:
    for now in ("2026-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        assert "CRM_NOW" in shell.refused("clients", "list", code=2, CRM_NOW=now)
    assert "nonsense" in shell.refused("clients", "list", code=2, CRM_STORE="nonsense")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["clients", "show", "77"], "not_found"),
        (["clients", "add", "--first-name", ""], "field"),
        (["clients", "list", "--sort", "frob"], "field"),
        (["clients", "list", "--where", "frob > 1"], "rule"),
        (["rules", "add", "VIP when total_spend >>> 5"], "rule"),
        (["clients", "delete", "1"], "confirm"),
        (["clients", "add", "--first-name", "A", "--email", "anna@example.com"], "duplicate"),
        (["clients", "add", "--first-name", "A", "--reference", "R1"], "refused"),
        (["import", "nowhere.csv"], "file"),
        (["history", "undo", "99"], "not_found"),
        (["clients", "merge", "1", "1"], "refused"),
        (["clients", "frob"], "usage"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_with_json_an_error_is_one_object_on_stderr(shell: CommandLine, arguments: list[str], kind: str) -> None:
    anna(shell, "--email", "anna@example.com", "--reference", "R1")
    before = shell.clients()
    answer = shell("--json", *arguments)
    assert answer.code == (2 if kind == "usage" else 1)
    assert answer.out == ""
    assert set(answer.error) == {"error", "message"}
    assert answer.error["error"] == kind
    assert answer.error["message"].strip()
    assert shell.clients() == before


def test_an_internal_error_shows_a_traceback_only_on_request(
    shell: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("deep inside")

    anna(shell)
    monkeypatch.setattr("crm.commands.lookup.selected", broken)
    answer = shell("clients", "show", "1")
    assert (answer.code, answer.out) == (1, "")
    assert "Traceback" not in answer.err
    assert "--debug" in answer.err
    assert json.loads(shell("clients", "show", "1", "--json").err)["error"] == "fault"
    assert "deep inside" in shell("clients", "show", "1", "--debug").err


# JSON


def test_json_has_field_names_of_the_model_money_as_text_and_iso_dates(shell: CommandLine) -> None:
    made = shell.did(
        "clients", "add", "--first-name", "Anna", "--date-of-birth", "1990-02-03", "--phone", "+43 660 1234567",
        "--tag", "gold", "--tag", "Newsletter", "--extra", "shoe size=42", "--extra", "hat=L", "--marketing-consent",
    )  # fmt: skip
    assert list(made) == [field.name for field in dataclass_fields(Client)]
    assert made["date_of_birth"] == "1990-02-03"
    assert made["phone"] == "+436601234567"
    assert made["tags"] == ["gold", "newsletter"]
    assert made["extra"] == {"shoe size": "42", "hat": "L"}
    assert made["marketing_consent"] is True
    assert made["total_spend"] == "0.00"
    assert made["first_sale_on"] is None
    assert datetime.fromisoformat(made["created_at"]).utcoffset() is not None
    shown = shell.did("clients", "show", "1")
    assert {name: shown[name] for name in made} == made


def test_sales_add_returns_the_sale_the_client_and_the_status(shell: CommandLine) -> None:
    client = anna(shell)
    report = shell.did("sales", "add", "--client", str(client), "--amount", "35000", "--on", "2026-11-20")
    assert list(report) == ["sale", "client", "status"]
    assert list(report["sale"]) == [field.name for field in dataclass_fields(Sale)]
    assert (report["sale"]["amount"], report["sale"]["on"], report["sale"]["client"]) == (
        "35000.00",
        "2026-11-20",
        client,
    )
    assert (report["client"]["total_spend"], report["client"]["sales_count"]) == ("35000.00", 1)
    assert list(report["status"]) == ["before", "after", "reason"]
    assert (report["status"]["before"], report["status"]["after"]) == ("Regular", "VIP")
    assert "total_spend >= 35000" in report["status"]["reason"]


LISTS = (
    "clients list|clients search anna|clients tag 1 --tag x|sales list|rules list|rules move 1 2|rules use loyalty"
    "|views list|settings list|history list"
)
OBJECTS = (
    "clients show 1|clients edit 1 --city Graz|clients pin 1 --status VIP|clients delete 1 --yes|sales add 1 --amount 5"
    "|sales undo 1 --yes|rules add --status Gold --when sales_count>1|rules edit 1 --no-active|rules remove 1"
    "|rules preview|rules apply|rules why 1|views save v|settings set currency EUR --recount-ok|history undo"
    "|check|backup|today|demo"
)


@pytest.mark.parametrize("command", [*LISTS.split("|"), *OBJECTS.split("|")])
def test_every_command_answers_with_exactly_one_document(shell: CommandLine, command: str) -> None:
    anna(shell)
    shell.did("sales", "add", "1", "--amount", "12")
    document = shell.did(*command.split())
    assert type(document) is (list if command in LISTS.split("|") else dict)
    assert document or command == "views list"


@pytest.mark.parametrize("command", [*LISTS.split("|"), *OBJECTS.split("|")])
def test_every_command_answers_in_plain_text(shell: CommandLine, command: str) -> None:
    anna(shell)
    shell.did("sales", "add", "1", "--amount", "12")
    answer = shell(*command.split())
    assert (answer.code, answer.err) in ((0, ""), (0, "No saved views yet.\n"))
    assert (answer.out or answer.err).strip()
    assert "\x1b" not in answer.out
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.out)


def test_global_options_work_before_and_after_the_command(shell: CommandLine) -> None:
    anna(shell)
    other = f"sqlite:///{shell.folder}/other.sqlite3"
    shell.did("settings", "set", "company_name", "Other", "--store", other)
    before = shell("--json", "--store", other, "clients", "list")
    between = shell("--json", "clients", "list", "--store", other)
    after = shell("clients", "list", "--json", "--store", other)
    assert before == between == after
    assert after.json == []
    assert shell("--yes", "clients", "delete", "1").code == 0
    shell.did("history", "undo")
    assert shell("clients", "delete", "1", "--yes").code == 0
    assert shell.clients() == []


def test_a_deletion_names_its_record_and_a_deal_its_client(shell: CommandLine) -> None:
    anna(shell)
    shell.did("sales", "add", "1", "--amount", "5")
    answer = shell("deals", "add", "1", "Roof", "--value", "100").out
    assert "Roof" in answer
    assert "Anna Berg" in answer
    assert shell("--yes", "deals", "delete", "1").out.startswith("✓ Deleted the deal Roof\n")
    answer = shell("--yes", "clients", "delete", "1").out
    assert answer == "✓ Deleted Anna Berg, with 1 sale\n`history undo` brings it back.\n"
    shell.did("history", "undo")
    shell.did("interactions", "add", "1", "--kind", "call", "--on", "2026-11-03")
    shell.did("stages", "add", "Measured", "--probability", "50")
    shell.did("deals", "add", "1", "Door", "--value", "10", "--stage", "Measured")
    shell.did("views", "save", "Big", "--condition", "total_spend > 1")
    for line, what in {
        "interactions delete 1": "Deleted a call with Anna Berg on Nov 3, 2026",
        "rules remove 1": "Removed the rule VIP when total_spend >= 35000",
        "views remove Big": "Removed the view Big",
        "stages delete Measured --to Lead": "Deleted the stage Measured\n  Also changed: 1 deal",
    }.items():
        assert shell("--yes", *line.split()).out == f"✓ {what}\n`history undo` brings it back.\n"
    # A script gets the record itself.
    assert shell.did("--yes", "clients", "delete", "1")["last_name"] == "Berg"


# Lists


@pytest.fixture
def listed(shell: CommandLine) -> CommandLine:
    """Three clients who differ in everything that lists look at."""
    shell.did(
        "clients", "add", "--first-name", "Anna", "--last-name", "Berg", "--country", "AT", "--tag", "a", "--tag", "b"
    )
    shell.did("clients", "add", "--company", "Zeta", "--country", "Germany", "--tag", "b", "--extra", "size=9")
    shell.did("clients", "add", "--first-name", "Mia", "--last-name", "Cole", "--country", "AT", "--city", "Graz")
    for client, amount, day in (("1", "9", "2026-11-01"), ("2", "100", "2026-11-02"), ("3", "20.50", "2026-11-03")):
        shell.did("sales", "add", client, "--amount", amount, "--on", day, "--note", f"note {client}")
    return shell


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ("", [1, 3, 2]),
        ("--sort total-spend", [1, 3, 2]),
        ("--sort -total-spend", [2, 3, 1]),
        ("--sort=-total_spend", [2, 3, 1]),
        ("--sort id", [1, 2, 3]),
        ("--sort -id", [3, 2, 1]),
        ("--country AT --sort id", [1, 3]),
        ("--country austria --sort id", [1, 3]),
        ("--kind company", [2]),
        ("--tag b --sort id", [1, 2]),
        ("--tag b --tag a", [1]),
        ("--city graz", [3]),
        ("--first-name anna --country DE", []),
        ("--total-spend 20.5", [3]),
        ("--sales-count 1 --sort id", [1, 2, 3]),
        ("--last-sale-on 2026-11-02", [2]),
        ("--status Regular --sort id", [1, 2, 3]),
        ("--status VIP", []),
        ("--extra size=9", [2]),
        ("--sort id --limit 2", [1, 2]),
        ("--sort id --limit 2 --offset 2", [3]),
        ("--sort id --limit 0", [1, 2, 3]),
        ("--offset 9", []),
    ],
)  # fmt: skip
def test_clients_are_filtered_sorted_and_paged(listed: CommandLine, options: str, numbers: list[int]) -> None:
    assert [client["id"] for client in listed.did("clients", "list", *options.split())] == numbers


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ("total_spend > 9", [2, 3]),
        ("country = 'AT' and total_spend < 20.50", [1]),
        ("'b' in tags", [1, 2]),
        ("days_since_last_sale <= 19", [2, 3]),
    ],
)
def test_clients_are_listed_by_a_condition(listed: CommandLine, where: str, numbers: list[int]) -> None:
    assert [client["id"] for client in listed.did("clients", "list", "--where", where, "--sort", "id")] == numbers


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ("", [3, 2, 1]),
        ("--client 2", [2]),
        ("--client Zeta", [2]),
        ("--since 2026-11-02", [3, 2]),
        ("--until 2026-11-02", [2, 1]),
        ("--since 2026-11-02 --until 2026-11-02", [2]),
        ("--on 2026-11-03", [3]),
        ("--amount 20.5", [3]),
        ("--sort amount", [1, 3, 2]),
        ("--sort -amount", [2, 3, 1]),
        ("--sort on --limit 1 --offset 1", [2]),
    ],
)
def test_sales_are_filtered_sorted_and_paged(listed: CommandLine, options: str, numbers: list[int]) -> None:
    assert [sale["id"] for sale in listed.did("sales", "list", *options.split())] == numbers


def test_a_list_has_all_rows_unless_a_limit_is_given(shell: CommandLine) -> None:
    file = shell.write_csv("many.csv", [["reference", "last_name"], *([f"R{at}", f"Name {at:03}"] for at in range(61))])
    shell.did("import", file, "--as", "clients")
    sales = shell.write_csv("sales.csv", [["client", "date", "amount"], *([f"R{at}", TODAY, "1"] for at in range(61))])
    shell.did("import", sales, "--as", "sales")
    for at in range(52):
        shell.did("clients", "edit", "1", "--city", f"City {at}")
    for words, count in ((["clients", "list"], 61), (["sales", "list"], 61), (["history", "list"], 54)):
        assert len(shell.did(*words)) == len(shell.did(*words, "--limit", "0")) == count
        assert len(shell.did(*words, "--limit", "7")) == 7
    assert "Name 060" in shell("clients", "list").out
    assert len(shell.did("timeline", "1")) == 54
    names = [client["last_name"] for client in shell.did("clients", "list", "--offset", "50")]
    assert names == [f"Name {at:03}" for at in range(50, 61)]
    # The best of a search come first, and 20 of them are enough; that there are more is said beside them.
    answer = shell("clients", "search", "name", "--json")
    assert (answer.code, len(answer.json)) == (0, 20)
    assert answer.error == {"notice": "cut", "message": "20 of 61. --limit 0 shows all."}
    assert shell("clients", "search", "name").err == "20 of 61. --limit 0 shows all.\n"
    assert len(shell.did("clients", "search", "name", "--limit", "0")) == 61
    assert shell("clients", "search", "name", "--limit", "20").err == ""


def test_a_client_is_named_by_number_reference_name_or_address(shell: CommandLine) -> None:
    anna(
        shell, "--reference", "00042", "--email", "anna@example.com", "--tag", "newsletter", "--phone", "+436601234567"
    )
    anna_maria = shell.did("clients", "add", "--first-name", "Anna-Maria", "--last-name", "Berg")["id"]
    for written in ("1", "#1", "00042", "anna berg", "ANNA BERG", "anna@example.com"):
        assert shell.did("clients", "show", written)["id"] == 1, written
    assert shell.did("clients", "show", "anna-maria")["id"] == anna_maria
    message = shell.refused("clients", "show", "berg")
    assert "Anna Berg (1)" in message
    assert f"Anna-Maria Berg ({anna_maria})" in message


@pytest.mark.parametrize("written", ["newsletter", "1234567", "Berk", "00043", "42", "0", "", "Graz"])
def test_an_approximate_client_name_is_never_acted_on(shell: CommandLine, written: str) -> None:
    """A script with a wrong reference must not record its sale with whoever comes closest."""
    anna(shell, "--reference", "00042", "--tag", "newsletter", "--phone", "+436601234567", "--city", "Graz")
    answer = shell("sales", "add", "--client", written, "--amount", "5")
    assert (answer.code, answer.out) == (1, "")
    assert shell("clients", "delete", written, "--yes").code == 1
    assert shell.sales() == []
    assert len(shell.clients()) == 1


# Nobody there to ask


def test_a_missing_argument_is_wrong_usage_and_an_open_decision_names_its_option(shell: CommandLine) -> None:
    anna(shell, "--email", "anna@example.com")
    shell.did("sales", "add", "1", "--amount", "5")
    assert "--amount" in shell.refused("sales", "add", "1", code=2)
    assert shell.refused("clients", "add") == "Give a name: a first name, a last name or a company."
    assert "--yes" in shell.refused("clients", "delete", "1")
    assert "1 sale" in shell.refused("clients", "delete", "1")
    backup = shell.did("backup")["file"]
    assert "--yes" in shell.refused("restore", backup)
    message = shell.refused("clients", "add", "--first-name", "A", "--email", "ANNA@example.com")
    assert "--duplicate-ok" in message
    assert "Anna Berg (1)" in message
    assert (len(shell.clients()), len(shell.sales())) == (1, 1)
    assert shell("clients", "add", "--first-name", "A", "--email", "anna@example.com", "--duplicate-ok").code == 0
    assert shell("--yes", "clients", "add", "--first-name", "B", "--email", "anna@example.com").code == 0
    assert len(shell.clients()) == 3


def test_a_record_in_an_option_is_named_or_numbered(shell: CommandLine) -> None:
    shell.did("clients", "add", "--company", "Berg")
    shell.did("deals", "add", "Berg", "Roof", "--value", "10")
    shell.did("follow-ups", "add", "Berg", "call", "--due", "tomorrow")
    for written, number in (("roof", 1), ("0", 0), ("1", 1)):
        assert shell.did("follow-ups", "edit", "1", "--deal", written)["deal"] == number
    assert shell.refused("follow-ups", "edit", "1", "--deal", "Rof") == shell.refused("deals", "show", "Rof")


def test_yes_answers_confirmations_and_nothing_else(shell: CommandLine) -> None:
    for place in ("Nord", "Ost"):
        shell.did("clients", "add", "--company", f"Berg {place}")
    message = shell.refused("capture", "call Berg, hello", "--yes")
    assert message.endswith("Give --client 1 (Berg Nord · no. 1) or --client 2 (Berg Ost · no. 2).")
    message = shell.refused("capture", "call Zed, hello", "--yes")
    assert message.endswith("Give --add company (Add it as a company) or --add person (Add it as a person).")
    shell.did("capture", "call Berg, hello", "--client", "2", "--yes")
    shell.did("deals", "add", "1", "Roof", "--value", "10")
    shell.did("deals", "win", "1")
    message = shell.refused("deals", "reopen", "1", "--yes")
    assert message.endswith("Give --take-back (Remove it) or --no-take-back (Keep it).")
    assert len(shell.sales()) == 1
    shell.did("deals", "reopen", "1", "--no-take-back")
    message = shell.refused("deals", "win", "1", "--yes")
    assert message.endswith("Give --same-sale (Use that sale) or --no-same-sale (Record another sale).")
    assert len(shell.sales()) == 1


def test_statuses_that_depend_on_the_day_are_current_in_every_command(shell: CommandLine) -> None:
    anna(shell)
    shell.did("rules", "add", "At risk when days_since_last_sale > 180", "--position", "1")
    shell.did("sales", "add", "1", "--amount", "5")
    at_risk = ("clients", "list", "--status", "At risk")
    assert shell.did(*at_risk) == []
    later = {"CRM_NOW": now_on(date(2027, 6, 1))}
    assert [record["id"] for record in shell.did(*at_risk, **later)] == [1]
    did = shell.did("history", "list", **later)
    assert (did[0]["user"], did[0]["what"]) == ("CRM", "reviewed statuses for the day")
    # Once a day is enough, and it is nothing that somebody did.
    assert shell.did(*at_risk, **later) != []
    assert len(shell.did("history", "list", **later)) == len(did)
    # That clock was half a year ahead, and was set right.
    assert shell.did(*at_risk, CRM_NOW=now_on(date(2026, 11, 24))) == []


@pytest.mark.slow
def test_with_closed_or_empty_input_nothing_is_asked(shell: CommandLine) -> None:
    anna(shell)
    for stdin in (None, "\n", "yes\n"):
        child = shell.start("clients", "delete", "1", **({} if stdin is None else {"stdin": -1}))
        out, err = child.communicate(stdin, timeout=30)
        assert (child.returncode, out) == (1, "")
        assert "--yes" in err
    assert len(shell.clients()) == 1


# Files that commands write and read


def test_backup_and_restore_name_their_files(shell: CommandLine) -> None:
    anna(shell)
    named = shell.folder / "kept" / "mine.sqlite3"
    assert shell.did("backup", str(named))["file"] == str(named)
    assert shell("--json", "backup", str(named)).error["error"] == "file"
    before = shell.clients()
    shell.did("clients", "delete", "1", "--yes")
    kept = shell.did("restore", str(named), "--yes")["file"]
    assert shell.clients() == before
    shell.did("restore", kept, "--yes")
    assert shell.clients() == []
    assert "No file" in shell.refused("restore", str(shell.folder / "nowhere"), "--yes")
    shell.write("odd.sqlite3", "no store")
    shell.refused("restore", str(shell.folder / "odd.sqlite3"), "--yes")
    assert shell.sound()


def test_the_first_command_of_a_day_backs_the_store_up(shell: CommandLine) -> None:
    def backups() -> list[str]:
        return sorted(path.name for path in (shell.folder / "backups").glob("*"))

    anna(shell)
    assert backups() == []
    shell.did("clients", "list")
    (first,) = backups()
    shell.did("clients", "edit", "1", "--city", "Graz")
    shell.did("clients", "list")
    assert backups() == [first]
    for day in range(1, 15):
        shell.did("clients", "list", CRM_NOW=now_on(date(2026, 12, day)))
    assert len(backups()) == 10
    assert first not in backups()
    shell.did("restore", str(shell.folder / "backups" / backups()[0]), "--yes")
    assert shell.clients()[0]["city"] == "Graz"


def test_check_exits_with_0_if_sound_and_1_for_a_wrong_total(shell: CommandLine) -> None:
    anna(shell)
    shell.did("sales", "add", "1", "--amount", "5")
    assert shell("check").code == 0
    with closing(sqlite3.connect(shell.file)) as connection, connection:
        connection.execute("UPDATE client SET total_spend = total_spend + 1")
    answer = shell("check", "--json")
    assert (answer.code, answer.err) == (1, "")
    (finding,) = answer.json["wrong"]
    assert (finding["record"], finding["record_id"], finding["wrong"]) == ("client", 1, True)
    assert "5.00" in finding["what"]
    assert shell("check").code == 1


def test_rules_are_kept_by_the_shell_as_the_contract_says(shell: CommandLine) -> None:
    anna(shell)
    added = shell.did("rules", "add", "Gold when total_spend >= 10")
    assert [rule["status"] for rule in shell.did("rules", "list")] == ["VIP", "Gold", "Regular"]
    assert shell.did("sales", "add", "1", "--amount", "10")["status"]["after"] == "Gold"
    why = shell.did("rules", "why", "1")
    assert (why["client"], why["status"]) == (1, "Gold")
    moved = shell.did("rules", "move", str(added["id"]), "1")
    assert [client["status"] for client in moved] == ["Gold", "VIP", "Regular"]
    message = shell.refused("rules", "add", "Gold when total_spent >= 10")
    assert re.search(r"^ +\^$", message, re.MULTILINE)
    assert "total_spend" in message


def test_export_of_everything_moves_to_another_store(shell: CommandLine) -> None:
    anna(shell, "--notes", "line one\nline two")
    shell.did("sales", "add", "1", "--amount", "5")
    file = str(shell.folder / "all.json")
    shell.did("export", file)
    other = {"CRM_STORE": f"sqlite:///{shell.folder}/other.sqlite3"}
    shell.did("import", file, **other)
    for words in (["clients", "list"], ["sales", "list"], ["history", "list"], ["rules", "list"], ["settings", "list"]):
        assert shell.did(*words, **other) == shell.did(*words)
    assert shell("import", file).code == 1
    assert Path(file).stat().st_size > 500


def test_today_reports_the_day_that_crm_now_names(shell: CommandLine) -> None:
    anna(shell, "--date-of-birth", "1990-11-25")
    report = shell.did("today")
    assert date.fromisoformat(report["on"]) == date(2026, 11, 21)
    assert report["clients"] == 1
    assert [(birthday["on"], birthday["turns"]) for birthday in report["birthdays"]] == [("2026-11-25", 36)]
    assert shell.did("today", CRM_NOW=now_on(date(2026, 12, 30)))["birthdays"] == []


# Without assert statements


@pytest.mark.slow
def test_the_program_does_the_same_without_its_assert_statements(shell: CommandLine) -> None:
    """`python -O` leaves them out."""
    lines = [
        ["clients", "add", "--first-name", "Anna", "--last-name", "Berg"],
        ["sales", "add", "--client", "1", "--amount", "40000"],
        ["deals", "add", "--client", "1", "--title", "Roof", "--value", "12.50"],
        ["deals", "show", "1"],
        ["clients", "list", "--status", "VIP"],
        ["agenda"],
        ["timeline", "1"],
        ["sales", "add", "--client", "1", "--amount", "-1"],
        ["clients", "show", "7"],
        ["history", "undo"],
        ["check"],
    ]
    program = (
        "import json, os, sys; from crm.app import open_crm; from crm.shell import run;"
        "print(json.dumps([sys.flags.optimize, [run(line, os.environ, open_crm) for line in json.loads(sys.argv[1])]]))"
    )
    done = subprocess.run(
        [PYTHON, "-O", "-c", program, json.dumps([[*line, "--json"] for line in lines])],
        env=shell.child_environment(), cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == [1, [0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0]], done.stderr


def test_a_number_that_can_be_dialled_is_kept_as_typed_and_flagged(shell: CommandLine) -> None:
    shell.did("settings", "set", "country", "US")
    anna(shell)
    for typed, doubt in (
        ("1-800-FLOWERS ext 5", "has an extension"),
        ("0151 23456", "not a phone number in the US"),
        ("+1 212 555 2368 x17", "has an extension"),
        ("555-CALL ext. 200", "not a phone number in the US"),
    ):
        assert shell.did("clients", "edit", "1", "--phone", typed)["phone"] == typed
        assert doubt in shell("clients", "show", "1").out
        assert doubt in shell("check").out
    assert shell.did("contacts", "add", "1", "Olga", "--phone", "212 555 2368 ext 4")["phone"] == "212 555 2368 ext 4"
    # What is one is still written in one way, what is none refused, and one that gets codes is a number.
    assert shell.did("clients", "edit", "1", "--phone", "(212) 555-2368")["phone"] == "+12125552368"
    assert "phone number" in shell.refused("clients", "edit", "1", "--phone", "none")
    assert "extension" in shell.refused("people", "add", "A", "--phone", "212 555 2368 ext 4")


# What a pipe gets


def test_a_piped_list_is_complete_and_tab_separated(shell: CommandLine) -> None:
    name = "A Company Whose Name Nobody Could Read in Forty Columns and More"
    assert shell("clients", "add", "--company", name, "--email", "office@example.com").code == 0
    anna(shell)
    shell.did("follow-ups", "add", "1", "call\tagain =1+1", "--due", "tomorrow")
    out = shell("clients", "list", COLUMNS="40").out.splitlines()
    assert [line.split("\t")[:2] for line in out] == [["1", name], ["2", "Anna Berg"]]
    assert "office@example.com" in out[0].split("\t")
    (due,) = shell("follow-ups", "list", COLUMNS="40").out.splitlines()
    assert name in due.split("\t")
    shell.did("sales", "add", "1", "--amount", "12")
    (sale,) = shell("sales", "list").out.splitlines()
    assert name in sale.split("\t")
    assert shell("sales", "undo", "1", "--yes").code == 0
    assert "No follow-up 99" in shell.refused("follow-ups", "show", "99")
    nothing = shell("sales", "list")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "No sales found.\n")


def test_a_list_is_written_as_csv_to_stdout_or_a_file(shell: CommandLine) -> None:
    anna(shell, "--notes", '=HYPERLINK("http://x")', "--city", 'Graz, "old"')
    for words in (["clients", "list", "--csv", "-"], ["--csv", "-", "clients", "list"]):
        (row,) = csv.DictReader(io.StringIO(shell(*words).out))
        assert (row["id"], row["first_name"], row["city"]) == ("1", "Anna", 'Graz, "old"')
        assert not row["notes"].startswith("=")
    file = shell.folder / "list.csv"
    assert shell("clients", "list", "--csv", str(file)).code == 0
    before = file.read_bytes()
    assert b"Anna" in before
    assert "Give --yes" in shell.refused("sales", "list", "--csv", str(file), code=2)
    assert file.read_bytes() == before
    assert "is for lists and reports" in shell.refused("clients", "add", "--first-name", "Bo", "--csv", "-", code=2)
    assert len(shell.clients()) == 1


def test_help_is_a_command_and_shows_defaults(shell: CommandLine) -> None:
    assert shell("help").out == shell("--help").out
    answer = shell("help", "reports", "by").out
    assert answer.startswith("Usage: run.py reports by")
    assert "[default: 20]" in answer
    assert "frob" in shell.refused("help", "frob", code=2)


def test_previews_and_checks_count_what_they_leave_out(shell: CommandLine) -> None:
    rows = [["last_name", "phone"], *([f"Name {at:02}", f"none {at:02}"] for at in range(30))]
    shell.did("import", shell.write_csv("odd.csv", rows), "--as", "clients")
    assert shell("check").out.count("not a phone") == 30
    answer = shell("rules", "preview", "--rule", "New when total_spend = 0", "--rule", "Regular otherwise").out
    assert "30 clients would change status" in answer
    assert answer.rstrip().endswith("and 10 more")


def test_no_option_is_a_double_negative() -> None:
    assert opposite("--sale") == "--no-sale"
    assert opposite("--no-reminders") == "--reminders"
    assert "--no-no-" not in FILE.read_text("utf-8")


def test_a_client_gets_no_reminders_and_gets_them_again(shell: CommandLine) -> None:
    shell.did("clients", "add", "--company", "Acme", "--no-reminders")
    assert [client["no_reminders"] for client in shell.clients()] == [True]
    shell.did("clients", "edit", "1", "--reminders")
    assert [client["no_reminders"] for client in shell.clients()] == [False]
