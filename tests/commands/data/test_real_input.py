"""Real lists that other people made, imported from the command line."""

import csv
import shutil
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine, on_a_new_store
from tests.support.shared_data import SHARED, shared

# Made with a generator: phones in the formats of many countries, some addresses malformed. And the purchases of every
# tenth customer of CDNOW, 1997 and 1998 (Fader and Hardie).
COMPANIES, CONTACTS, CDNOW = (
    str(SHARED / "data" / name) for name in ("companies.csv", "contacts.csv", "cdnow_sales.csv")
)
AS_CLIENTS = ("--as", "clients")
AS_SALES = ("--as", "sales", "--create-clients")


@pytest.fixture(scope="module", autouse=True)
def _lists() -> None:
    shared("data")


def rows_of(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def first_rows(shell: CommandLine, path: str, count: int) -> str:
    """The file as it was some time ago: its first rows alone."""
    rows = rows_of(path)[:count]
    return shell.write_csv(Path(path).name, [list(rows[0]), *(list(row.values()) for row in rows)])


def counts(report: dict[str, Any]) -> tuple[int, int, int, int]:
    return report["new"], report["updated"], report["unchanged"], report["refused"]


def test_companies_are_a_hundred_clients_of_kind_company(shell: CommandLine) -> None:
    assert counts(shell.did("import", COMPANIES, *AS_CLIENTS)) == (100, 0, 0, 0)
    clients = shell.clients()
    assert [client["kind"] for client in clients] == ["company"] * 100
    rows = rows_of(COMPANIES)
    listed = [(client["company"], client["address"], client["postcode"]) for client in clients]
    assert listed == [(row["company"], row["address"], row["postalZip"]) for row in rows]
    codes = {(row["country"], client["country"]) for row, client in zip(rows, clients, strict=True)}
    assert all(len(code) == 2 and code.isupper() for _, code in codes)
    assert len(codes) == len({name for name, _ in codes})
    assert shell.sound()


@pytest.mark.slow
@pytest.mark.parametrize(("file", "rows", "known"), [(COMPANIES, 100, 37), (CONTACTS, 500, 211)])
def test_a_longer_list_of_clients_adds_only_what_is_new_and_the_same_again_nothing(
    shell: CommandLine, file: str, rows: int, known: int
) -> None:
    assert counts(shell.did("import", first_rows(shell, file, known), *AS_CLIENTS)) == (known, 0, 0, 0)
    answer = shell("import", file, *AS_CLIENTS, "--json")
    assert (answer.code, counts(answer.json)) == (0, (rows - known, 0, known, 0))
    # Two of the people share an e-mail address.
    assert all("is the e-mail of" in line for line in answer.err.splitlines()), answer.err
    before, history = shell.clients(), shell.history()
    assert len(before) == rows
    assert counts(shell.did("import", file, *AS_CLIENTS)) == (0, 0, rows, 0)
    assert "Everything in this file is already here." in shell("import", file, *AS_CLIENTS).out
    assert shell.clients() == before
    assert shell.history() == history


def test_five_hundred_contacts_are_imported_without_loss(shell: CommandLine) -> None:
    assert counts(shell.did("import", CONTACTS, *AS_CLIENTS)) == (500, 0, 0, 0)
    clients = shell.clients()
    assert [client["kind"] for client in clients] == ["person"] * 500

    def digits(phone: str) -> str:
        return "".join(filter(str.isdigit, phone)).lstrip("0")

    stored = Counter(
        (f"{client['first_name']} {client['last_name']}".strip(), client["email"], digits(client["phone"]))
        for client in clients
    )
    rows = rows_of(CONTACTS)
    given = Counter((row["contact_name"], row["contact_email"].lower(), digits(row["contact_phone"])) for row in rows)
    assert stored == given


def test_malformed_addresses_are_kept_and_flagged(shell: CommandLine) -> None:
    malformed = {row["contact_email"] for row in rows_of(CONTACTS) if row["contact_email"].endswith(".couk")}
    assert len(malformed) == 72
    shell.did("import", CONTACTS, *AS_CLIENTS)
    report = shell.did("check")
    assert report["wrong"] == []
    flagged = {finding["record_id"] for finding in report["odd"] if ".couk" in finding["what"]}
    assert flagged == {client["id"] for client in shell.clients() if client["email"] in malformed}
    one = shell.did("clients", "show", str(min(flagged)))
    assert ".couk" in one["doubts"]["email"]


def test_numbers_are_read_for_the_country_of_the_team(shell: CommandLine) -> None:
    """06… is a mobile number in France; in the United States it is kept as it was typed."""
    shell.did("import", CONTACTS, *AS_CLIENTS)
    assert {client["phone"] for client in shell.clients()} == {row["contact_phone"] for row in rows_of(CONTACTS)}
    shell.did("history", "undo")
    shell.did("settings", "set", "country", "FR")
    report = shell.did("import", CONTACTS, *AS_CLIENTS)
    read = [client["phone"] for client in shell.clients() if client["phone"].startswith("+33")]
    assert len(read) > 400
    assert report["flagged"] < 200


def spend(clients: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(client["total_spend"]) for client in clients), Decimal(0))


def single_rule(shell: CommandLine) -> None:
    """VIP from 500 on is the only rule there is."""
    only = shell.did("rules", "add", "VIP when total_spend >= 500")["id"]
    for rule in shell.did("rules", "list"):
        if rule["id"] != only:
            shell.did("rules", "remove", str(rule["id"]))


@pytest.fixture(scope="module")
def first_and_all() -> Iterator[tuple[CommandLine, list[dict[str, Any]]]]:
    """A store with the first 3000 sales of CDNOW and then the whole list; what the imports reported."""
    with pytest.MonkeyPatch.context() as monkeypatch, on_a_new_store(monkeypatch) as line:
        reports = [line.did("import", file, *AS_SALES) for file in (first_rows(line, CDNOW, 3000), CDNOW)]
        yield line, reports


@pytest.fixture
def cdnow(shell: CommandLine, first_and_all: tuple[CommandLine, list[dict[str, Any]]]) -> CommandLine:
    """The command line on a store with all sales of CDNOW."""
    shutil.copy(first_and_all[0].file, shell.file)
    return shell


@pytest.mark.slow
@pytest.mark.in_turn
def test_a_longer_list_of_sales_adds_what_is_new(first_and_all: tuple[CommandLine, list[dict[str, Any]]]) -> None:
    _, (first, whole) = first_and_all
    assert counts(first) == (3000, 0, 0, 0)
    assert counts(whole) == (3937, 0, 3000, 0)


@pytest.mark.slow
def test_cdnow_is_2357_clients_with_6937_sales(cdnow: CommandLine) -> None:
    clients, sales = cdnow.clients(), cdnow.sales()
    assert (len(clients), len(sales)) == (2357, 6937)
    assert spend(clients) == sum(Decimal(sale["amount"]) for sale in sales) == Decimal("246274.80")
    assert {client["reference"] for client in clients} == {row["customer_id"] for row in rows_of(CDNOW)}
    # Each sale stands with the customer who made it, on the day that it was made.
    reference = {client["id"]: client["reference"] for client in clients}
    stored = Counter((reference[sale["client"]], sale["on"], Decimal(sale["amount"])) for sale in sales)
    assert stored == Counter((row["customer_id"], row["date"], Decimal(row["dollar_value"])) for row in rows_of(CDNOW))
    # Equal purchases of one customer on one day are different sales.
    assert max(stored.values()) > 1
    assert cdnow.sound()


@pytest.mark.slow
@pytest.mark.in_turn
def test_the_same_sales_again_add_nothing(cdnow: CommandLine) -> None:
    assert counts(cdnow.did("import", CDNOW, *AS_SALES)) == (0, 0, 6937, 0)
    assert counts(cdnow.did("import", first_rows(cdnow, CDNOW, 3000), *AS_SALES)) == (0, 0, 3000, 0)
    clients = cdnow.clients()
    assert (len(clients), len(cdnow.sales()), spend(clients)) == (2357, 6937, Decimal("246274.80"))


@pytest.mark.slow
def test_applying_a_rule_to_sales_that_are_there_finds_72(cdnow: CommandLine) -> None:
    assert cdnow.clients("--status", "VIP") == []
    single_rule(cdnow)
    preview = cdnow.did("rules", "preview")
    applied = cdnow.did("rules", "apply")
    assert {**preview, "applied": True} == applied
    assert {(count["after"], count["clients"]) for count in applied["counts"]} >= {("VIP", 72)}
    assert len(cdnow.clients("--status", "VIP")) == 72
    assert cdnow.sound()


@pytest.mark.slow
@pytest.mark.in_turn
def test_the_program_imports_each_list_and_makes_72_clients_vip(shell: CommandLine) -> None:
    single_rule(shell)
    for file, options, new in ((COMPANIES, AS_CLIENTS, 100), (CONTACTS, AS_CLIENTS, 500), (CDNOW, AS_SALES, 6937)):
        answer = shell.process("import", file, *options, "--json")
        assert (answer.code, answer.err) == (0, "")
        assert answer.json["new"] == new
    assert answer.json["clients_created"] == 2357
    assert len(shell.clients()) == 100 + 500 + 2357
    vip = shell.clients("--status", "VIP")
    assert len(vip) == 72
    assert all(Decimal(client["total_spend"]) >= 500 for client in vip)
    assert all("total_spend >= 500" in client["status_reason"] for client in vip)
    assert shell.did("rules", "preview")["clients"] == 0
    answer = shell.process("check", "--json")
    assert (answer.code, answer.json["wrong"]) == (0, [])
    # One undo takes the whole import back, and another brings it back.
    clients, sales = shell.clients(), shell.sales()
    shell.did("history", "undo")
    assert (len(shell.clients()), shell.sales()) == (600, [])
    assert shell.sound()
    shell.did("history", "undo", str(shell.history()[0]["id"]))
    assert (shell.clients(), shell.sales()) == (clients, sales)
    assert shell.sound()
