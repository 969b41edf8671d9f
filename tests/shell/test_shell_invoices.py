"""Public invoices typed into the shell: every figure in the JSON equals theirs."""

import csv
import io
import json
import os
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine
from tests.support.shared_data import SHARED, WHY

_ORACLES = SHARED / "billing" / "en16931-totals.json"
_SELLER = {
    "company_name": "Example Ltd", "company_address": "Street 1", "company_city": "Rome", "country": "IT",
    "vat_id": "IT12345678901", "tax_number": "12/345/67890", "currency": "EUR",
}  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> CommandLine:
    shell = CommandLine(tmp_path)
    shell.did("clients", "add", "--company", "Acme", "--address", "Via 1", "--city", "Milan", "--country", "IT",
              "--tax-id", "IT98765432109")  # fmt: skip
    for name, value in _SELLER.items():
        shell.did("settings", "set", name, value)
    return shell


def _adjusting(part: dict[str, Any]) -> list[str]:
    return [
        "--charge" if part["charge"] else "--discount", part["amount"], "--tax-category", part["category"],
        "--tax-rate", part["rate"] or "0",
    ]  # fmt: skip


def drafted(shell: CommandLine, invoice: dict[str, Any]) -> dict[str, Any]:
    """A public invoice as a draft, by the commands of a person; as JSON."""
    data = shell.did("invoices", "add", "Acme")
    number = str(data["id"])
    for line in invoice["lines"]:
        words = ["--name", "Item", "--quantity", line["quantity"], "--price", line["price"], "--basis", line["basis"]]
        for is_charge, amount in line["charges"]:
            words += ["--charge" if is_charge else "--discount", amount]
        words += ["--tax-category", line["category"], "--tax-rate", line["rate"] or "0"]
        data = shell.did("invoices", "lines", "add", number, *words)
    for part in invoice["document"]:
        data = shell.did("invoices", "adjustments", "add", number, *_adjusting(part))
    return data


def figures(data: dict[str, Any]) -> dict[str, Any]:
    groups = {(group["category"], D(group["rate"])): (group["base"], group["tax"]) for group in data["taxes"]}
    return {
        "nets": [line["net"] for line in data["lines"]],
        "taxes": {key: tuple(map(D, amounts)) for key, amounts in groups.items()},
        **{name: D(data[name]) for name in ("net", "tax", "total")},
    }


def expected(invoice: dict[str, Any]) -> dict[str, Any]:
    totals = invoice["totals"]
    groups = {(group["category"], D(group["rate"] or "0")): (group["base"], group["tax"]) for group in invoice["taxes"]}
    return {
        "nets": [f"{D(line['net']):.2f}" for line in invoice["lines"]],
        "taxes": {key: tuple(map(D, amounts)) for key, amounts in groups.items()},
        "net": D(totals["net"]), "tax": D(totals["tax"]), "total": D(totals["gross"]),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.in_turn
def test_public_invoices_typed_into_the_shell_have_the_same_figures(office: CommandLine) -> None:
    if not _ORACLES.exists():
        assert "CI" not in os.environ, WHY
        pytest.skip(WHY)
    invoices: list[dict[str, Any]] = json.loads(_ORACLES.read_text("utf-8"))
    wrong = [
        (invoice["file"], made, right)
        for invoice in invoices
        if (made := figures(drafted(office, invoice))) != (right := expected(invoice))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("words", "net", "tax"),
    [
        # As an energy bill has it: nine decimals, and a price for the days of a year.
        ("--quantity 616290 --price 0.061232374 --tax-rate 19", "37736.90", "7170.01"),
        ("--quantity 31 --price 386.52 --basis 366 --unit DAY --tax-rate 19", "32.74", "6.22"),
        ("--quantity 3 --price 0.00000125 --basis 0.01 --tax-rate 19", "0.00", "0.00"),
        ("--quantity 1000000 --price 0.0000012345 --basis 1 --tax-rate 19", "1.23", "0.23"),
        ("--quantity -2.5 --price 80 --tax-rate 19", "-200.00", "-38.00"),
        ("--quantity 2 --price 10 --discount 1 --discount 0.25 --charge 2 --charge 0.5 --tax-rate 7", "21.25", "1.49"),
        ("--quantity 1 --price 100 --tax-category L --tax-rate 7", "100.00", "7.00"),
        ("--quantity 1 --price 100 --tax-category M --tax-rate 0", "100.00", "0.00"),
        ("--quantity 1 --price 100 --tax-category B --tax-rate 22", "100.00", "22.00"),
        ("--quantity 1 --price 100 --tax-category AE --tax-rate 0", "100.00", "0.00"),
        ("--quantity 1 --price 100 --tax-category Z", "100.00", "0.00"),
    ],
)
def test_every_line_of_public_invoices_can_be_typed(office: CommandLine, words: str, net: str, tax: str) -> None:
    number = str(office.did("invoices", "add", "Acme")["id"])
    data = office.did("invoices", "lines", "add", number, "--name", "Item", *words.split())
    assert (data["lines"][0]["net"], data["net"], data["tax"]) == (net, net, tax)
    price, basis = D(data["lines"][0]["price"]), D(data["lines"][0]["basis"])
    typed = dict(zip(words.split()[::2], words.split()[1::2], strict=True))
    assert price / basis == D(typed["--price"]) / D(typed.get("--basis", "1"))


def test_discounts_and_charges_of_a_line_are_kept_apart(office: CommandLine, tmp_path: Path) -> None:
    office.did("invoices", "add", "Acme", "--line", "3 h Consulting 100 22%")
    line = ("--discount", "5", "--discount", "2.50", "--charge", "1", "--charge", "1")
    office.did("invoices", "lines", "add", "1", "--name", "Table", "--price", "100", "--tax-rate", "22", *line)
    shown = office.did("invoices", "lines", "edit", "1", "2", "--quantity", "2")["lines"][1]
    assert (shown["discounts"], shown["charges"]) == (["5.00", "2.50"], ["1.00", "1.00"])
    assert (shown["discount"], shown["charge"], shown["net"]) == ("7.50", "2.00", "194.50")
    office.did("invoices", "copy", "1")
    office.did("invoices", "issue", "2")
    file = tmp_path / "invoice.xml"
    office.did("invoices", "xml", "2", "--format", "factur-x", "--to", str(file))
    assert [
        amount for amount in ("5.00", "2.50", "1.00") if f"<ram:ActualAmount>{amount}<" not in file.read_text()
    ] == []
    # Once the sum is another one, the parts are past.
    shown = office.did("invoices", "lines", "edit", "1", "2", "--discount", "9")["lines"][1]
    assert (shown["discounts"], shown["net"]) == (["9.00"], "193.00")
    assert office.sound()


def test_amounts_have_the_decimals_of_their_own_currency(office: CommandLine) -> None:
    office.did("invoices", "add", "Acme", "--line", "3 x Dinar 33.3335 5%", "--discount", "10%", "--currency", "KWD")
    number = office.did("--yes", "invoices", "issue", "1")["number"]
    assert office.did("payments", "add", "Acme", "4.501", "--invoice", number)["allocations"][0]["amount"] == "4.501"
    office.did("--yes", "invoices", "credit", number, "--amount", "5.001")
    paid = office.did("invoices", "show", number)
    assert (paid["total"], paid["paid"], paid["credited"], paid["open"]) == ("94.501", "4.501", "5.001", "84.999")
    office.did("invoices", "add", "Acme", "--line", "1 x Tea 1000 10%", "--currency", "JPY")
    for words in (
        ["invoices", "adjustments", "add", "3", "--discount", "0.5"],
        ["invoices", "lines", "edit", "3", "1", "--discount", "0.5"],
        ["payments", "add", "Acme", "10.5", "--currency", "JPY"],
        ["payments", "refund", "Acme", "10.5", "--currency", "JPY"],
    ):
        assert "An amount in JPY has no decimals" in office.refused(*words)
    assert "at most two decimals" in office.refused("payments", "add", "Acme", "10.555")


def test_a_price_of_three_decimals_is_taken_unless_it_may_be_in_thousands(office: CommandLine) -> None:
    for currency, line in (("EUR", "40 l Diesel 1.659"), ("KWD", "1 x Dinar 12.500"), ("KWD", "1 x Dinar 12.500 KWD")):
        (drafted,) = office.did("invoices", "add", "Acme", "--line", line, "--currency", currency)["lines"]
        assert D(drafted["price"]) == D(line.split()[3])
    given = office.did("invoices", "lines", "add", "1", "--name", "Power", "--price", "1.659")["lines"][1]
    assert D(given["price"]) == D("1.659")
    for words in (["Diesel 12.500"], ["--name", "Diesel", "--price", "12.500"]):
        assert "Write 12.50 or 12500" in office.refused("invoices", "lines", "add", "1", *words)
    # An option is compared with the currency of the invoice, and not with that of the team.
    own = office.did("invoices", "lines", "add", "2", "--name", "Tea", "--price", "-12.500", "--discount", "1.500")
    assert (D(own["lines"][1]["price"]), D(own["lines"][1]["discount"])) == (D("12.5"), D("1.5"))
    for words in (["--discount=-12.500"], ["--charge=-12.500"]):
        refused = office.refused("invoices", "lines", "add", "2", "--name", "Tea", "--price", "100", *words)
        assert "cannot be negative" in refused
    assert "cannot be negative" in office.refused("payments", "add", "Acme", "--amount=-12.500", "--currency", "KWD")
    assert office.did("payments", "add", "Acme", "12.500", "--currency", "KWD")["amount"] == "12.500"
    for words in (["lines", "edit", "1", "1", "--discount", "1.500"], ["lines", "edit", "1", "1", "--price", "1.500"]):
        assert "Write 1.50 or 1500" in office.refused("invoices", *words)
    assert "Write 2.50 or 2500" in office.refused("payments", "add", "Acme", "2.500", "--currency", "EUR")
    assert "in KWD, and this invoice is in EUR" in office.refused("invoices", "lines", "add", "1", "Dinar 12.5 KWD")


def _rows(shell: CommandLine, *words: str) -> list[dict[str, str]]:
    answer = shell("--csv", "-", *words)
    assert answer.code == 0, answer.err
    return list(csv.DictReader(io.StringIO(answer.out)))


def test_money_has_the_digits_and_the_sign_of_its_currency_everywhere(office: CommandLine, tmp_path: Path) -> None:
    overdue = ("--on", "2026-10-01", "--due", "2026-10-15")
    for number, (line, currency) in enumerate(
        (("1 x A 100 19%", "EUR"), ("1 x B 200 19%", "EUR"), ("1 x C 1000 10%", "JPY"), ("1 x D 33.333 5%", "KWD")), 1
    ):
        office.did("invoices", "add", "Acme", "--line", line, "--currency", currency)
        office.did("invoices", "issue", str(number), *overdue)
    office.did("reminders", "levels", "set", "1", "--fee", "5", "--interest", "9")
    (reminding,) = office.did("reminders", "preview")
    # 37 days at 9 %: 1.0857 and 2.1713 of 119 and 238, 10.036 of 1100, 0.3193 of 35.
    assert [tuple(asked.values()) for asked in reminding["amounts"]] == [
        ("EUR", "357.00", "5.00", "3.26"), ("JPY", "1100", "0", "10"), ("KWD", "35.000", "0.000", "0.319"),
    ]  # fmt: skip
    shown = office("reminders", "preview").out
    assert "€357.00 + ¥1,100 + KWD35.000" in shown
    assert "€3.26 + ¥10 + KWD0.319" in shown
    owed = {row["currency"]: row for row in _rows(office, "unpaid", "list")}
    assert {currency: (row["open"], row["not_due"]) for currency, row in owed.items()} == {
        "EUR": ("357.00", "0.00"), "JPY": ("1100", "0"), "KWD": ("35.000", "0.000"),
    }  # fmt: skip
    assert owed == {row["currency"]: {name: str(cell or "") for name, cell in row.items()}
                    for row in office.did("unpaid", "list")}  # fmt: skip
    assert "€1,100" not in (listed := office("unpaid", "list").out)
    assert "¥1,100" in listed
    office.did("payments", "add", "Acme", "2000", "--currency", "JPY")
    (paid,) = office.did("payments", "list")
    assert (paid["amount"], paid["used"], paid["left"]) == ("2000", "1100", "900")
    account = office.did("statements", "show", "Acme", "--currency", "KWD")["statement"]
    assert (account["closing"], account["lines"][0]["balance"]) == ("35.000", "35.000")
    taxes = office.did("reports", "taxes", "--currency", "KWD")
    assert [taxes["rows"][0][name] for name in ("net", "amount", "total")] == ["33.333", "1.667", "35.000"]
    assert {row["invoiced"] for row in _rows(office, "reports", "invoiced", "--currency", "JPY")} == {"0", "1100"}
    kept = {
        row["currency"]: row["amount"] for row in office.did("reports", "bookkeeping", "--since", "2026-10-01")["rows"]
    }
    assert kept == {"EUR": "238.00", "JPY": "2000", "KWD": "35.000"}
    office.did("export", str(tmp_path / "invoices.csv"), "--what", "invoices")
    with (tmp_path / "invoices.csv").open(encoding="utf-8-sig") as file:
        assert [row["Total"] for row in csv.DictReader(file)] == ["35.000", "1100", "238.00", "119.00"]


def test_a_credit_note_is_positive_alone_and_negative_in_totals(office: CommandLine) -> None:
    office.did("invoices", "add", "Acme", "--line", "1 x A 100 19%", "--discount", "10")
    number = office.did("invoices", "issue", "1")["number"]
    note = office.did("invoices", "credit", number, "--amount", "7.10")
    assert (note["total"], office.did("invoices", "list")[0]["total"]) == ("7.10", "7.10")
    assert "€7.10" in (listed := office("invoices", "list").out)
    assert "-€7.10" not in listed
    # A minus is no formula: a spreadsheet takes it for a number.
    assert [row["amount"] for row in _rows(office, "reports", "bookkeeping", "--since", "2026-01-01")] == [
        "107.10",
        "-7.10",
    ]


def test_crediting_a_paid_invoice_gives_the_client_credit(office: CommandLine, tmp_path: Path) -> None:
    office.did("invoices", "add", "Acme", "--line", "1 x A 100 19%", "--line", "1 x B 50 7%")
    number = office.did("invoices", "issue", "1")["number"]
    office.did("payments", "add", "Acme", "100", "--invoice", number)
    office.did("invoices", "credit", number, "--line", "1")
    invoice = office.did("invoices", "show", number)
    assert [invoice[name] for name in ("total", "paid", "credited", "open")] == ["172.50", "100.00", "119.00", "0.00"]
    assert office.did("invoices", "list", "--state", "paid")[0]["open"] == "0.00"
    assert office.did("clients", "show", "Acme")["credit"] == "46.50"
    assert office.did("unpaid", "list") == []
    assert office.did("statements", "show", "Acme")["statement"]["closing"] == "-46.50"
    office.did("invoices", "xml", number, "--to", str(tmp_path / "i.xml"))
    assert "<ram:DuePayableAmount>0.00<" in (tmp_path / "i.xml").read_text()
