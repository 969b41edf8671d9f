"""Amounts in currencies with no, two, three and four decimals: typed, imported, exported, reported and taken back."""

import csv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.support.command_line import CommandLine


@dataclass(frozen=True)
class Currency:
    """A currency with amounts in it as they are typed, as they stand in files, and one that is too exact."""

    code: str
    language: str
    typed: tuple[str, ...]
    plain: tuple[str, ...]
    too_exact: str
    number_format: str

    def __str__(self) -> str:
        return self.code


CURRENCIES = (
    Currency("JPY", "ja_JP", ("1,234", "￥50"), ("1234.00", "50.00"), "0.5", "#,##0"),
    Currency("EUR", "de_AT", ("1.234,50", "0.05"), ("1234.50", "0.05"), "0,005", "#,##0.00"),
    Currency("KWD", "en_US", ("1.234", "1,234.5"), ("1.2340", "1234.50"), "0.0005", "#,##0.000"),
    # Thousands are separated by a point here, and files have one before three decimals.
    Currency("TND", "de_DE", ("1,234", "0.001"), ("1.2340", "0.0010"), "0,0005", "#,##0.000"),
    Currency("CLF", "es_CL", ("1,2345", "0.0001"), ("1.2345", "0.0001"), "0,00005", "#,##0.0000"),
)


@pytest.fixture(params=CURRENCIES, ids=str)
def currency(request: pytest.FixtureRequest) -> Currency:
    chosen: Currency = request.param
    return chosen


@pytest.fixture
def office(currency: Currency, shell: CommandLine) -> CommandLine:
    """A store of a team with this currency, with one client."""
    shell.did("settings", "set", "language", currency.language)
    shell.did("settings", "set", "currency", currency.code)
    shell.did("clients", "add", "--last-name", "Berg", "--reference", "B-1")
    return shell


def amounts(office: CommandLine, **environment: str) -> list[str]:
    listed = office.did("sales", "list", "--limit", "100", "--sort", "id", **environment)
    return [sale["amount"] for sale in listed]


@pytest.mark.many
def test_amounts_stay_exact_through_import_export_and_reports(
    office: CommandLine, currency: Currency, tmp_path: Path
) -> None:
    for typed in currency.typed:
        office.did("sales", "add", "--client", "1", "--amount", typed)
    assert currency.code in office.refused("sales", "add", "--client", "1", "--amount", currency.too_exact) or (
        currency.code == "EUR"
    )
    whole = sum(map(Decimal, currency.plain))
    assert amounts(office) == list(currency.plain)
    assert Decimal(office.did("clients", "show", "1")["total_spend"]) == whole
    # What a machine wrote is read again, in whatever language.
    for plain in currency.plain:
        assert office.did("sales", "add", "--client", "1", "--amount", plain)["sale"]["amount"] == plain
        office.did("history", "undo", "--yes")
    assert amounts(office) == list(currency.plain)
    office.did("sales", "undo", "2", "--yes")
    assert amounts(office) == [currency.plain[0]]
    office.did("history", "undo", "--yes")
    report = office.did("reports", "sales")
    assert Decimal(report["total"]["amount"]) == whole
    office.did("rules", "add", f"Exact when total_spend = {whole}", "--position", "1")
    assert [move["client"] for move in office.did("rules", "preview")["moves"]] == [1]
    assert office.sound()
    elsewhere = {"CRM_STORE": f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}"}
    for key, value in (("language", currency.language), ("currency", currency.code)):
        office.did("settings", "set", key, value, **elsewhere)
    office.did("clients", "add", "--last-name", "Berg", "--reference", "B-1", **elsewhere)
    for ending in ("csv", "xlsx"):
        file = tmp_path / f"sales.{ending}"
        office.did("export", str(file), "--what", "sales")
        office.did("import", str(file), "--as", "sales", **elsewhere)
        assert sorted(amounts(office, **elsewhere)) == sorted(currency.plain), ending
        office.did("history", "undo", "--yes", **elsewhere)
        assert amounts(office, **elsewhere) == []
    with (tmp_path / "sales.csv").open(encoding="utf-8-sig", newline="") as file:
        assert sorted(row["Amount"] for row in csv.DictReader(file)) == sorted(currency.plain)
    sheet = load_workbook(tmp_path / "sales.xlsx").active
    column = next(cell.column for cell in sheet[1] if cell.value == "Amount")
    cells = [sheet.cell(row, column) for row in (2, 3)]
    assert {Decimal(str(cell.value)) for cell in cells} == set(map(Decimal, currency.plain))
    assert {cell.number_format for cell in cells} == {currency.number_format}


def test_the_sample_data_is_in_the_currency_of_the_machine(shell: CommandLine) -> None:
    sample = {"CRM_STORE": shell.did("demo", LC_ALL="ja_JP.UTF-8")["url"]}
    assert {Decimal(amount) % 1 for amount in amounts(shell, **sample)} == {0}


@pytest.mark.slow
def test_a_change_of_the_currency_changes_no_amount(shell: CommandLine) -> None:
    shell.did("settings", "set", "currency", "KWD")
    shell.did("clients", "add", "--last-name", "Berg")
    shell.did("sales", "add", "--client", "1", "--amount", "12.345")
    for currency, shown in (("JPY", "¥12.345"), ("EUR", "€12.345"), ("KWD", "KWD12.345")):
        shell.did("--yes", "settings", "set", "currency", currency)
        assert amounts(shell) == ["12.3450"]
        assert shown in shell("sales", "list").out
        assert shell.sound()
    assert shell.did("sales", "list", "--amount", "12.345")[0]["id"] == 1
