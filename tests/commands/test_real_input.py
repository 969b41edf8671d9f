"""The lists in tests/data, imported as a person at the command line would."""

import csv
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine, on_a_new_store

DATA = Path(__file__).parents[1] / "data"
COMPANIES, CONTACTS, CDNOW = (str(DATA / name) for name in ("companies.csv", "contacts.csv", "cdnow_sales.csv"))
AS_CLIENTS = ("--as", "clients")
AS_SALES = ("--as", "sales", "--create-clients")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    with on_a_new_store(monkeypatch) as line:
        yield line


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
    assert [each["kind"] for each in clients] == ["company"] * 100
    rows = rows_of(COMPANIES)
    told = [(each["company"], each["address"], each["postcode"]) for each in clients]
    assert told == [(row["company"], row["address"], row["postalZip"]) for row in rows]
    codes = {(row["country"], each["country"]) for row, each in zip(rows, clients, strict=True)}
    assert all(len(code) == 2 and code.isupper() for _, code in codes)
    assert len(codes) == len({name for name, _ in codes})
    assert shell.sound()


@pytest.mark.parametrize(("file", "rows"), [(COMPANIES, 100), (CONTACTS, 500)])
def test_the_same_clients_again_add_nothing_and_say_so(shell: CommandLine, file: str, rows: int) -> None:
    shell.did("import", file, *AS_CLIENTS)
    before, history = shell.clients(), shell.history()
    assert counts(shell.did("import", file, *AS_CLIENTS)) == (0, 0, rows, 0)
    assert "there already" in shell("import", file, *AS_CLIENTS).out
    assert shell.clients() == before
    assert shell.history() == history


@pytest.mark.parametrize(("file", "rows", "known"), [(COMPANIES, 100, 37), (CONTACTS, 500, 211)])
def test_a_longer_version_of_clients_adds_only_what_is_new(
    shell: CommandLine, file: str, rows: int, known: int
) -> None:
    assert counts(shell.did("import", first_rows(shell, file, known), *AS_CLIENTS)) == (known, 0, 0, 0)
    assert counts(shell.did("import", file, *AS_CLIENTS)) == (rows - known, 0, known, 0)
    assert len(shell.clients()) == rows


def test_contacts_are_five_hundred_people_of_whom_none_is_lost(shell: CommandLine) -> None:
    assert counts(shell.did("import", CONTACTS, *AS_CLIENTS)) == (500, 0, 0, 0)
    clients = shell.clients()
    assert [each["kind"] for each in clients] == ["person"] * 500

    def digits(phone: str) -> str:
        return "".join(filter(str.isdigit, phone)).lstrip("0")

    stored = Counter(
        (f"{each['first_name']} {each['last_name']}".strip(), each["email"], digits(each["phone"])) for each in clients
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
    flagged = {each["record_id"] for each in report["odd"] if ".couk" in each["what"]}
    assert flagged == {each["id"] for each in shell.clients() if each["email"] in malformed}
    one = shell.did("clients", "show", str(min(flagged)))
    assert ".couk" in one["doubts"]["email"]


def test_numbers_are_read_for_the_country_of_the_team(shell: CommandLine) -> None:
    """06… is a mobile number in France; in the United States it is kept as it was typed."""
    shell.did("import", CONTACTS, *AS_CLIENTS)
    assert {each["phone"] for each in shell.clients()} == {row["contact_phone"] for row in rows_of(CONTACTS)}
    shell.did("history", "undo")
    shell.did("settings", "set", "country", "FR")
    report = shell.did("import", CONTACTS, *AS_CLIENTS)
    read = [each["phone"] for each in shell.clients() if each["phone"].startswith("+33")]
    assert len(read) > 400
    assert report["flagged"] < 200


def spend(clients: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(each["total_spend"]) for each in clients), Decimal(0))


def single_rule(shell: CommandLine) -> None:
    """VIP from 500 on is the only rule there is."""
    for rule in shell.did("rules", "list"):
        shell.did("rules", "remove", str(rule["id"]))
    shell.did("rules", "add", "VIP when total_spend >= 500")


def test_cdnow_is_2357_clients_with_6937_sales(shell: CommandLine) -> None:
    report = shell.did("import", CDNOW, *AS_SALES)
    assert counts(report) == (6937, 0, 0, 0)
    assert report["clients_created"] == 2357
    clients, sales = shell.clients(), shell.sales()
    assert (len(clients), len(sales)) == (2357, 6937)
    assert spend(clients) == sum(Decimal(each["amount"]) for each in sales) == Decimal("246274.80")
    assert {each["reference"] for each in clients} == {row["customer_id"] for row in rows_of(CDNOW)}
    # Each sale stands with the customer who made it, on the day that it was made.
    reference = {each["id"]: each["reference"] for each in clients}
    stored = Counter((reference[each["client"]], each["on"], Decimal(each["amount"])) for each in sales)
    assert stored == Counter((row["customer_id"], row["date"], Decimal(row["dollar_value"])) for row in rows_of(CDNOW))
    # Equal purchases of one customer on one day are different sales.
    assert max(stored.values()) > 1
    assert shell.sound()


def test_with_one_rule_72_are_vip_whether_they_come_before_or_after_it(shell: CommandLine) -> None:
    single_rule(shell)
    shell.did("import", CDNOW, *AS_SALES)
    vip = shell.clients("--status", "VIP")
    assert len(vip) == 72
    assert all(Decimal(each["total_spend"]) >= 500 for each in vip)
    assert all("total_spend >= 500" in each["status_reason"] for each in vip)
    assert shell.did("rules", "preview")["clients"] == 0


def test_applying_the_rule_to_sales_that_are_there_finds_the_same_72(shell: CommandLine) -> None:
    shell.did("import", CDNOW, *AS_SALES)
    assert shell.clients("--status", "VIP") == []
    single_rule(shell)
    preview = shell.did("rules", "preview")
    applied = shell.did("rules", "apply")
    assert {**preview, "applied": True} == applied
    assert {(each["after"], each["clients"]) for each in applied["counts"]} >= {("VIP", 72)}
    assert len(shell.clients("--status", "VIP")) == 72
    assert shell.sound()


def test_the_same_sales_again_add_nothing_and_a_longer_list_what_is_new(shell: CommandLine) -> None:
    some = first_rows(shell, CDNOW, 3000)
    assert counts(shell.did("import", some, *AS_SALES)) == (3000, 0, 0, 0)
    assert counts(shell.did("import", CDNOW, *AS_SALES)) == (3937, 0, 3000, 0)
    assert counts(shell.did("import", CDNOW, *AS_SALES)) == (0, 0, 6937, 0)
    assert counts(shell.did("import", some, *AS_SALES)) == (0, 0, 3000, 0)
    clients = shell.clients()
    assert (len(clients), len(shell.sales()), spend(clients)) == (2357, 6937, Decimal("246274.80"))


def test_one_undo_takes_the_whole_import_back_and_another_brings_it_back(shell: CommandLine) -> None:
    shell.did("import", CDNOW, *AS_SALES)
    clients, sales = shell.clients(), shell.sales()
    shell.did("history", "undo")
    assert (shell.clients(), shell.sales()) == ([], [])
    assert shell.sound()
    took_back = shell.history()[0]
    shell.did("history", "undo", str(took_back["id"]))
    assert shell.clients() == clients
    assert shell.sales() == sales
    assert shell.sound()


def test_the_program_itself_imports_each_list(shell: CommandLine) -> None:
    for file, options, new in ((COMPANIES, AS_CLIENTS, 100), (CONTACTS, AS_CLIENTS, 500), (CDNOW, AS_SALES, 6937)):
        answer = shell.process("import", file, *options, "--json")
        assert (answer.code, answer.err) == (0, "")
        assert answer.json["new"] == new
    assert len(shell.clients()) == 100 + 500 + 2357
    answer = shell.process("check", "--json")
    assert (answer.code, answer.json["wrong"]) == (0, [])


def test_check_doubts_a_number_for_the_country_of_the_team(shell: CommandLine, tmp_path: Path) -> None:
    shell.did("settings", "set", "country", "FR")
    file = tmp_path / "one.csv"
    file.write_text("Name,Phone\nAnna Berg,12\n")
    shell.did("import", str(file))
    (odd,) = shell.did("check")["odd"]
    assert "read for FR" in odd["what"]
