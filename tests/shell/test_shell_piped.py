"""Piped output: whole lines, tabs between cells, no drawing and nothing cut off."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from crm.commands.registry import Command, commands
from crm.model import Conventions
from tests.support.clocks import TODAY, standing_on
from tests.support.command_line import CommandLine
from tests.support.mail_server import Post, served
from tests.support.twilio import FROM, standing_in

LONG = "A name that goes on and on until no terminal of forty columns holds it, nor one of eighty, and further still"
# What only looks, by the last word, and what changes nothing beside.
LOOKS = {"list", "show", "board", "tiles", "status", "why", "preview", "search"}
ALONE = {"today", "agenda", "timeline", "check"}
DRAWN = re.compile("[\u2500-\u259f\u2801-\u28ff]")


def looking() -> list[Command]:
    """The commands that only look, and need no more than the number of a record."""
    return [
        command
        for command in commands()
        if (command.name in LOOKS or command.words in ALONE or command.group == "reports")
        and all(parameter.record or not parameter.required for parameter in command.parameters.values())
    ]


@pytest.fixture
def shell(shell: CommandLine) -> CommandLine:
    shell.did("clients", "add", "--company", LONG, "--email", "somebody@a-long-company-name.example.com")
    shell.did("clients", "add", "--first-name", "Anna", "--last-name", "Berg", "--notes", "one\ntwo")
    shell.did("sales", "add", "1", "--amount", "1234.50", "--note", LONG)
    shell.did("contacts", "add", "1", "Olga Long", "--notes", LONG)
    shell.did("follow-ups", "add", "1", LONG[:90], "--due", "today")
    shell.did("deals", "add", "1", LONG[:100], "--value", "10")
    shell.did("interactions", "add", "1", "--kind", "call", "--body", LONG)
    shell.did("templates", "add", "Hello", "--subject", LONG, "--body", LONG)
    return shell


def test_the_settings_are_listed_by_the_name_that_sets_them(shell: CommandLine) -> None:
    names = [line.split("\t")[0] for line in shell("settings", "list").out.splitlines()]
    assert {"company_name", "tax_rate", "iban"} <= {*names}
    for name in ("company_name", "time_zone"):
        shell.did("settings", "set", name, "Europe/Vienna")
    listed = {line.split("\t")[0]: line.split("\t")[1] for line in shell("settings", "list").out.splitlines()}
    assert (listed["company_name"], listed["time_zone"]) == ("Europe/Vienna", "Europe/Vienna")


def test_piped_output_has_no_drawing_and_is_not_cut(shell: CommandLine) -> None:
    run, wrong = [], []
    for command in looking():
        numbers = ["1" for parameter in command.parameters.values() if parameter.required]
        answer = shell(*command.words.split(), *numbers, COLUMNS="40")
        if answer.code == 0:
            run.append(command.words)
            wrong += [(command.words, answer.out)] if "\u2026" in answer.out or DRAWN.search(answer.out) else []
            assert "\x1b" not in answer.out, command.words
    assert wrong == []
    assert {"today", "agenda", "clients show", "timeline", "reports sales", "deals board", "sales list"} <= {*run}


def test_a_piped_timeline_has_full_texts(shell: CommandLine) -> None:
    shell.did("interactions", "add", "1", "--kind", "note", "--body", f"{LONG} and {LONG}\nmore")
    shell.did("clients", "edit", "1", "--notes", f"{LONG}\n{LONG}")
    for words in (("timeline", "1"), ("clients", "show", "1")):
        for answer in (shell(*words), shell(*words, "--json")):
            assert f"Note: {LONG} and {LONG}" in answer.out, words
            assert f"Notes: empty \u2192 {LONG} {LONG}" in answer.out.replace("\\u2192", "\u2192"), words


def test_piped_cells_and_values_are_tab_separated(shell: CommandLine) -> None:
    card = shell("clients", "show", "1", COLUMNS="40").out.splitlines()
    assert "E-mail\tsomebody@a-long-company-name.example.com" in card
    # Rows alone, as of every list: no heading that a script would have to skip.
    assert shell("agenda", COLUMNS="40").out.splitlines() == [f"due today\t{LONG[:90]}\t{LONG}\tanna"]
    report = shell("reports", "sales", COLUMNS="40").out.splitlines()
    assert "Period\tAmount\tYear before\tSales" in report
    assert "Nov 2026\t$1,234.50\t$0.00\t1" in report


LISTS = [command.words for command in commands() if command.name == "list" or "limit" in command.parameters]


def test_each_list_is_an_array_in_json(shell: CommandLine) -> None:
    # What is no list: one change of the history, and the board, which has a list in each of its columns.
    lists = [words for words in LISTS if words not in ("history show", "deals board")]
    assert {"deals list", "follow-ups list", "agenda", "timeline", "clients search", "invoices list"} <= set(lists)
    needed = {"timeline": ["1"], "clients search": ["a"], "invoices adjustments list": None}
    for words in lists:
        arguments = needed.get(words, [])
        if arguments is None:
            continue
        answer = shell(*words.split(), *arguments, "--json")
        assert (words, answer.code, answer.out[:1]) == (words, 0, "["), answer.err


def test_every_list_can_be_written_as_csv(shell: CommandLine) -> None:
    def rows(*words: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(shell(*words, "--csv", "-").out)))

    assert [row["what"] for row in rows("agenda")] == [LONG[:90]]
    assert [row["amount"] for row in rows("reports", "sales") if row["period"] == "2026-11"] == ["1234.50"]
    assert LONG in rows("timeline", "1")[-1]["what"] + rows("timeline", "1")[0]["what"]
    assert {row["name"] for row in rows("dashboard", "tiles")} >= {"newest"}
    assert [row["title"] for row in rows("deals", "list")] == [LONG[:100]]
    assert [row["what"] for row in rows("follow-ups", "list")] == [LONG[:90]]
    for words in (("today",), ("clients", "show", "1"), ("check",), ("deals", "board")):
        assert "Nothing was done. Use --json" in shell.refused(*words, "--csv", "-", code=2)


def test_an_empty_list_says_what_is_empty(tmp_path: Path) -> None:
    shell = CommandLine(tmp_path)
    anna = shell.did("clients", "add", "--first-name", "Anna", "--last-name", "Berg")
    shell.did("clients", "delete", str(anna["id"]), "--yes")
    sentences = {}
    for command in commands():
        if command.name in ("list", "preview") and not any(
            parameter.required for parameter in command.parameters.values()
        ):
            answer = shell(*command.words.split())
            assert answer.code == 0, answer.err
            if not answer.out:
                sentences[command.words] = answer.err
                assert answer.err == f"{command.nothing}\n"
    assert sentences["sales list"] == "No sales found.\n"
    assert sentences["deals list"] == "No deals found.\n"
    assert sentences["reminders preview"] == "No reminders are due today.\n"
    assert len(sentences) > 10
    assert shell("clients", "search", "nobody").err == "No client matches that. Try part of the name.\n"


def test_logging_a_contact_names_the_follow_ups_that_it_moves_beside_the_result(shell: CommandLine) -> None:
    acme = str(shell.did("clients", "add", "--company", "Acme")["id"])
    for what, more in (("stay in touch", ()), ("site visit", ("--time", "10:00"))):
        shell.did("follow-ups", "add", acme, what, "--every", "7", "--due", "tomorrow", *more)
    days = [str(due["due_on"]) for due in shell.did("follow-ups", "list", "--client", acme)]
    assert shell("interactions", "add", acme, "note", "hello").err == ""
    answer = shell("interactions", "add", acme, "call", "hello")
    assert answer.err.startswith("Moved the follow-up stay in touch to ")
    assert len(answer.err.splitlines()) == 1
    # The last contact is on this day already.
    assert shell("interactions", "add", acme, "call", "again").err == ""
    after = {due["what"]: due["due_on"] for due in shell.did("follow-ups", "list", "--client", acme)}
    assert after["site visit"] in days
    assert after["stay in touch"] not in days
    lines = [line for line in shell("timeline", acme).out.splitlines() if "moves with each contact, 7 days" in line]
    assert len(lines) == 1
    assert "stay in touch" in lines[0]


def test_a_sent_message_names_the_follow_ups_that_it_moves(shell: CommandLine) -> None:
    eva = shell.did("clients", "add", "--first-name", "Eva", "--email", "eva@example.com", "--phone", "+436641234567")
    number = str(eva["id"])
    shell.did("follow-ups", "add", number, "stay in touch", "--due", "tomorrow", "--every", "7")
    first, second = (f"{TODAY + timedelta(days=days)}T10:00:00Z" for days in (1, 2))
    with standing_in() as twilio, served(Post(), trustme.CA()) as port:
        around = {
            "TWILIO_ACCOUNT_SID": "AC-stand-in", "TWILIO_AUTH_TOKEN": "the token", "TWILIO_FROM": FROM,
            "CRM_TWILIO_URL": twilio.url, "CRM_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "CRM_MAIL_FROM": "team@example.com",
        }  # fmt: skip
        text = shell("--yes", "sms", "send", number, "Hello", **around, CRM_NOW=first)
        mail = shell("--yes", "email", "send", number, "--subject", "Hello", "--body", "x", **around, CRM_NOW=second)
        again = shell("--yes", "sms", "send", number, "Hello", **around, CRM_NOW=second)
    for answer, days in ((text, 8), (mail, 9)):
        day = Conventions(clock=standing_on(TODAY)).day(TODAY + timedelta(days=days))
        assert (answer.code, answer.err.splitlines()[-1].split(", ", 1)[1]) == (0, day), answer
        assert answer.err.startswith("Moved the follow-up stay in touch to ")
    assert (again.code, again.err) == (0, "")
