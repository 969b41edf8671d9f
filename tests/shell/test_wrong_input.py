"""Invalid command lines: each error says in one style what is wrong, then what to do."""

import re
import shlex
from pathlib import Path

import pytest

from crm import program
from tests.support.command_line import CommandLine

pytestmark = pytest.mark.slow

# What is typed, and how the first line of what is said begins.
CASES = [
    ("foo", "No command called foo. `PROGRAM --help` shows all commands."),
    ("clint list", "No command called clint. Did you mean clients?"),
    ("clients lsit", "No command called lsit. Did you mean list?"),
    ("clients ad", "No command called ad. Did you mean add?"),
    ("client", "No command called client. Did you mean clients?"),
    ("sales recrod", "No command called recrod. Did you mean add?"),
    ("clientslist", "No command called clientslist. Did you mean clients?"),
    ("help foo", "No command called foo. `PROGRAM --help` shows all commands."),
    ("clients foo bar", "No command called foo. `PROGRAM clients --help` shows all commands."),
    ("clients list --limt 5", "No option called --limt. Did you mean --limit?"),
    ("clients list --limit many", "--limit: That is not a whole number. Write it in digits."),
    ("clients list --limit -1", "--limit: It cannot be below 0."),
    ("log", "No command called log. Did you mean capture?"),
    (
        "clients list --sort foo",
        "Clients have no field foo. Use one of last_name, company, status, total_spend,",
    ),
    (
        "clients list --sort nam",
        "Clients have no field nam. Use one of last_name, company, status, total_spend,",
    ),
    ("clients list --sort spend", "Clients have no field spend. Did you mean total_spend?"),
    ("sales list --sort foo", "Sales have no field foo. Use one of client, on, amount, note, reference, deal, user."),
    ("sales list --sort amout", "Sales have no field amout. Did you mean amount?"),
    (
        "deals list --sort foo",
        "Deals are not sorted by foo. Use one of client, stage, title, value, expected_close_on.",
    ),
    (
        "follow-ups list --sort foo",
        "Follow-ups have no field foo. Use one of client, deal, user, due_on, due_time, what, every, done_on.",
    ),
    ("invoices list --sort foo", "Invoices are not sorted by foo. Use one of client, number, due_on, total, open."),
    ("history list --sort foo", "The history is not sorted by foo. Use one of id, at, user, what."),
    ("clients list --status Foo", "Status: No status Foo. Use one of VIP, Regular."),
    (
        'clients list --condition "spend > 5"',
        "No option called --condition. `PROGRAM clients list --help` shows all options.",
    ),
    (
        'clients list --condition "total_spend >"',
        "No option called --condition. `PROGRAM clients list --help` shows all options.",
    ),
    ('clients list --where "a=1"', "Unknown name: a. Put text in quotes: 'a'."),
    ("clients list --view Nope", "No view called Nope. `views list` shows all."),
    ("clients list extra", "No client called extra. Add one with `clients add`. `clients list` shows all."),
    ("clients show", "“Client” is missing. Write it after the command, or give --client."),
    ("clients show 9999", "No client 9999. `clients list` shows all."),
    ('clients show "Jo Fix"', "No client called Jo Fix. Add one with `clients add`. `clients list` shows all."),
    ("clients show 0", "No client 0. `clients list` shows all."),
    ("clients show -1", "No option called -1. `PROGRAM clients show --help` shows all options."),
    ("clients show abc", "No client called abc. Add one with `clients add`. `clients list` shows all."),
    ('clients show ""', "No client was named. `clients list` shows all."),
    ("clients add", "Give a name: a first name, a last name or a company."),
    ("clients add Jo Fox", "“Jo Fox” is not expected here. `PROGRAM clients add --help` shows the options."),
    ('clients add --name "Jo Fox"', "No option called --name. Did you mean --first-name or --last-name?"),
    ("clients add --first-name", "--first-name has no value. Write the value after it."),
    (
        "clients add --first-name Jo --email nope",
        "--email: That is not an e-mail address: an e-mail address must have an @-sign.",
    ),
    (
        "clients add --first-name Jo --phone 12",
        "--phone: No such phone number in the US.",
    ),
    (
        "clients add --first-name Jo --country Germny",
        "--country: No country has that name or code. Did you mean Germany?",
    ),
    (
        "clients add --first-name Jo --birthday 2050-01-01",
        "No option called --birthday. `PROGRAM clients add --help` shows all options.",
    ),
    (
        "clients add --first-name Jo --birthday 31.02.1990",
        "No option called --birthday. `PROGRAM clients add --help` shows all options.",
    ),
    ("clients add --first-name Jo --postcode", "--postcode has no value. Write the value after it."),
    ("clients edit 1", "Name at least one field to change."),
    ("clients edit 9999 --city Rome", "No client 9999. `clients list` shows all."),
    ("clients edit 1 --cty Rome", "No option called --cty. Did you mean --city or --country?"),
    ("clients edit 1 --email a@", "--email: That is not an e-mail address: there must be something after the @-sign."),
    ("clients delete 1", "Anna Berg still has invoices. Nothing was changed. Delete these first, or keep the client."),
    ("clients tag 1", "Name a tag to add or to remove."),
    ("clients merge 1 1", "A client cannot be merged with itself. Name the duplicate."),
    ("sales add", "“Client” is missing. Write it after the command, or give --client."),
    ("sales add --client 1", "“Amount” is missing. Give --amount."),
    ("sales add --client 1 --amount five", "--amount: That is not an amount. Write digits, like 1200 or 1200.50."),
    ("sales add --client 1 --amount -5", "--amount: An amount cannot be negative. Leave out the minus."),
    ("sales add --client 1 --amount 12,50", "--amount: 12,50 is not an amount here. Did you mean 12.50?"),
    ("sales add --client 1 --amount 5 --on 2026-02-30", "--on: No day 30 in February 2026. Check the date."),
    (
        "sales add --client 1 --amount 5 --on someday",
        "--on: That is not a date. Write it like yesterday, fri, 30 days ago, 12/24 or Dec 24, 2025.",
    ),
    ("sales add --client 1 --amount 5 --on 2090-01-01", "--on: Jan 1, 2090 is in the future (today is Nov 21, 2026)."),
    ("sales add 1 --client 2 --amount 5", "Client is given twice. Give it once."),
    ("sales show 9999", "No command called show. Did you mean list?"),
    ("sales delete 9999", "No command called delete. Did you mean undo?"),
    ("sales edit 9999 --amount 4", "No sale 9999. `sales list` shows all."),
    ("deals add --client 1", "“Title” is missing. Write it after the command, or give --title."),
    (
        "deals add --client 1 --title X --stage Foo",
        "No stage called Foo. Add one with `stages add`. `stages list` shows all.",
    ),
    ("deals move 9999 Won", "No deal 9999. `deals list` shows all."),
    ("deals move 1 Foo", "No stage called Foo. Add one with `stages add`. `stages list` shows all."),
    ("deals win 9999", "No deal 9999. `deals list` shows all."),
    ("follow-ups add --client 1", "“What” is missing. Write it after the command, or give --what."),
    ('follow-ups add --client 1 --due "2026-02-30" --what x', "--due: No day 30 in February 2026. Check the date."),
    ('follow-ups add --client 1 --due "30 feb" --what x', "--due: No day 30 in February. Check the date."),
    (
        "follow-ups add --client 1 --due soonish --what x",
        "--due: That is not a date. Write it like tomorrow, fri, next week, in 10 days, 12/24 or Dec 24, 2026.",
    ),
    ("follow-ups done 9999", "No follow-up 9999. `follow-ups list` shows all."),
    ("follow-ups snooze 1", "“Until” is missing. Write it after the command, or give --until."),
    (
        "interactions list --client Nobody",
        "No client called Nobody. Add one with `clients add`. `clients list` shows all.",
    ),
    ("contacts show 9999", "No contact 9999. `contacts list` shows all."),
    ("search zzzzqq", "No command called search. Did you mean clients search?"),
    ("today --days x", "No option called --days. `PROGRAM today --help` shows all options."),
    ('capture ""', "Note: Say with whom, like: call Acme, wants a quote, fri 10:00."),
    (
        "capture zzqq",
        "No client is called zzqq. Give --add company (Add it as a company) or --add person (Add it as a person).",
    ),
    ("history undo 9999", "No change 9999 in the history. `history list` shows all."),
    ("undo", "No command called undo. Did you mean sales undo or history undo?"),
    ("redo", "No command called redo. Did you mean history redo?"),
    ("history show 9999", "No change 9999 in the history. `history list` shows all."),
    ("settings set stat OH", "--key: That is not one of the choices. Did you mean company_region?"),
    ('settings set "zip cod" 1', "--key: That is not one of the choices. Did you mean company_postcode?"),
    ("settings set region OH", "--key: That is not one of the choices. Did you mean company_region?"),
    ("settings set foo bar", "--key: That is not one of the choices. Use company_name, language"),
    ("settings set currency XXQ", "No currency has that code. Write its three letters, like USD."),
    (
        "settings set time_zone Mars",
        "No time zone is called that. Write the nearest big city, for example New York.",
    ),
    ("settings get foo", "No command called get. Did you mean list?"),
    ("settings show foo", "No command called show. Did you mean list?"),
    ("rules use foo", "--name: That is not one of the choices. Use default, loyalty, recency, rfm."),
    ("rules add", "A rule needs a status. Write it like VIP when total_spend >= 35000."),
    ('rules add --status X --when "spend > 3"', "Unknown name: spend. Did you mean total_spend?"),
    ("rules delete 99", "No command called delete. Did you mean remove?"),
    ("views save", "“Name” is missing. Write it after the command, or give --name."),
    ("views delete Nope", "No command called delete. Did you mean remove?"),
    ("templates show 99", "No template 99. `templates list` shows all."),
    ("templates add", "“Name” is missing. Write it after the command, or give --name."),
    ("mailings show 99", "No mailing 99. `mailings list` shows all."),
    ("greetings delete Nope", "No command called greetings. Did you mean occasions or settings?"),
    ("invoices show 9999", "No invoice 9999. `invoices list` shows all."),
    ("invoices show INV-9", "No invoice called INV-9. Add one with `invoices add`. `invoices list` shows all."),
    ("invoices lines 9999", "No command called 9999. `PROGRAM invoices lines --help` shows all commands."),
    ("invoices issue 9999", "No invoice 9999. `invoices list` shows all."),
    ("payments add --client 1", "“Amount” is missing. Write it after the command, or give --amount."),
    ("payments add --client 1 --amount x", "--amount: That is not an amount. Write digits, like 1200 or 1200.50."),
    ("payments show 9999", "No payment 9999. `payments list` shows all."),
    ("services show 9999", "No service 9999. `services list` shows all."),
    ("reminders levels edit 99", "No command called edit. Did you mean set?"),
    ("import nofile.csv", "No file nofile.csv. Check its name and folder."),
    ("restore nofile", "No file nofile. Check its name and folder."),
    ("export", "“File” is missing. Write it after the command, or give --file."),
    ("export clients.foo", "File: The extension sets the format. Use one of .xlsx, .csv, .json, .vcf."),
    (
        "clients show 1 --csv -",
        "--csv is for lists and reports, and `clients show` is neither. Nothing was done.",
    ),
    ("users add", "“E-mail” is missing. Write it after the command, or give --email."),
    ("users add nope", "--email: That is not an e-mail address: an e-mail address must have an @-sign."),
    ("reports sales --from foo", "No option called --from. `PROGRAM reports sales --help` shows all options."),
    ("reports sales --by week", "--by: That is not one of the choices. Use month, quarter, year."),
    ("report", "No command called report. Did you mean reports or export?"),
    ("tags rename foo", "No command called tags. Did you mean stages?"),
    (
        "opt-outs add nope",
        "--address: That is not a phone number. Write it like (201) 555-0123, or with + and its country code.",
    ),
    (
        "--store foo clients list",
        "“foo” is not a store address. Write it as sqlite:///path/to/file.sqlite3",
    ),
    ("--nope", "No option called --nope. `PROGRAM --help` shows all options."),
    ("-x", "No option called -x. `PROGRAM --help` shows all options."),
]
# The option or label that a value was typed for may stand before the sentences.
_STYLE = re.compile(r"(?:--[a-z-]+: |[A-Z][\w -]{1,30}: )?[A-Z0-9“\-].*[.?)]", re.DOTALL)


def test_wrong_input_is_refused_in_one_style_with_a_way_out(tmp_path: Path) -> None:
    shell = CommandLine(tmp_path)
    for line in (
        "clients add --first-name Anna --last-name Berg --country Germany",
        "clients add --first-name Hans --last-name Berg",
        "clients add --first-name Jo --last-name Arm",
        "sales add --client 1 --amount 5",
        "deals add --client 1 --title Roof",
        "follow-ups add --client 1 --due 2027-01-01 --what Call",
        "invoices add --client 1",
    ):
        shell.did(*shlex.split(line))
    wrong = []
    for typed, sentences in CASES:
        answer = shell(*shlex.split(typed))
        first = answer.err.split("\n")[0]
        if not answer.code or not first.startswith(sentences.replace("PROGRAM", program.name())):
            wrong.append((typed, first))
        assert _STYLE.fullmatch(first), first
    assert not wrong


def test_a_setting_is_found_by_its_label_too(tmp_path: Path) -> None:
    shell = CommandLine(tmp_path)
    shell.did("settings", "set", "country", "US")
    for label, value in (("State", "OH"), ("State/Region", "NY"), ("company_region", "UT"), ("state", "TX")):
        assert shell("settings", "set", label, value).code == 0
        known = {setting["key"]: setting["value"] for setting in shell.did("settings", "list")}
        assert known["company_region"] == value


def test_the_list_of_wrong_inputs_is_long_enough() -> None:
    assert len({typed for typed, _ in CASES}) >= 100
