"""Lists of other programs, as their users have them: sales by name, people without a name or an address, orders, own
fields that come back, cards, and what an import says that took nothing."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from crm.errors import CRMError
from tests.commands.conftest import Office


def names(office: Office) -> list[str]:
    return [client.name for client in office.clients()]


@pytest.fixture
def known(office: Office) -> Office:
    """Clients of several kinds."""
    office.add(company="Lind & Daughters", kind="company", reference="K7")
    office.add(first_name="Bo", last_name="Marsh", company="Marsh Boats", email="bo@example.org")
    office.add(first_name="Cy", last_name="Orr")
    office.add(first_name="Cy", last_name="Orr", email="cy2@example.org")
    office.add(first_name="Zoë", last_name="Müller")
    office.add(company="Total", kind="company")
    return office


@pytest.mark.parametrize(
    "heading", ["Client", "Customer", "Customer name", "Client name", "Name", "Kunde", "Bill to", "Cliente"]
)
@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("Lind & Daughters", 1), ("lind & daughters", 1), ("Bo Marsh", 2), ("Marsh, Bo", 2), ("Marsh Boats", 2),
        ("bo@example.org", 2), ("BO MARSH", 2), ("Zoe Muller", 5), ("Zoë Müller", 5), ("Dr. Zoë Müller", 5),
    ],
)  # fmt: skip
def test_sales_find_their_client_by_whatever_names_it(known: Office, heading: str, written: str, number: int) -> None:
    file = known.write("sales.csv", f'{heading},Date,Amount\n"{written}",2026-10-01,12.00\n')
    report = known("import", file, as_="sales")
    assert (report.new, report.refused) == (1, 0), report.refusals
    assert [sale.client for sale in known.sales()] == [number]


@pytest.mark.parametrize("heading", ["Client", "Customer name", "Kunde", "Customer no"])
def test_a_reference_may_stand_where_names_do(known: Office, heading: str) -> None:
    report = known("import", known.write("sales.csv", f"{heading},Date,Amount\nK7,2026-10-01,12.00\n"), as_="sales")
    assert (report.new, [sale.client for sale in known.sales()]) == (1, [1])


@pytest.mark.parametrize(
    ("written", "why"),
    [("Cy Orr", "several"), ("Nobody Here", "no client"), ("K9", "no client"), ("9", "no client"), ("1", "no client")],
)
def test_a_sale_of_nobody_or_of_one_of_several_is_refused(known: Office, written: str, why: str) -> None:
    file = known.write("sales.csv", f"Client,Date,Amount\n{written},2026-10-01,12.00\nBo Marsh,2026-10-02,5\n")
    report = known("import", file, as_="sales")
    assert (report.new, report.refused) == (1, 1)
    assert why in report.refusals[0].reason


def test_sales_by_name_create_their_clients_by_name(office: Office) -> None:
    text = "Customer,Date,Amount\nAda Lind,2026-10-01,12.00\nLind GmbH,2026-10-01,5.00\nAda Lind,2026-10-02,3.00\n"
    report = office("import", office.write("sales.csv", text), as_="sales", create_clients=True)
    assert (report.new, report.clients_created) == (3, 2)
    assert [(client.first_name, client.last_name, client.company) for client in office.clients()] == [
        ("Ada", "Lind", ""), ("", "", "Lind GmbH"),
    ]  # fmt: skip
    again = office("import", office.write("sales.csv", text), as_="sales", create_clients=True)
    assert (again.new, again.unchanged, len(office.clients())) == (0, 3, 2)


def test_own_sales_come_back_by_name(known: Office) -> None:
    clients = {client.id: client for client in known.clients()}
    for number, amount in ((1, "10"), (2, "20"), (5, "30")):
        known.sell(clients[number], amount, date(2026, 10, number))
    path = known.folder / "own.csv"
    known("export", path, what="sales")
    other = known.open("other")
    for number in (1, 2, 5):
        client = clients[number]
        known.add(
            other, first_name=client.first_name, last_name=client.last_name, company=client.company, kind=client.kind
        )
    report = known("import", path, as_="sales", crm=other)
    assert (report.new, report.refused) == (3, 0), report.refusals
    assert [client.total_spend for client in known.clients(other)] == [Decimal(10), Decimal(20), Decimal(30)]


# Whose name or address is missing


@pytest.mark.parametrize(
    ("text", "people"),
    [
        (
            "Email\nada@example.org\nbo@example.org\n",
            [("ada@example.org", "ada@example.org"), ("bo@example.org", "bo@example.org")],
        ),
        (
            "Email,First name,Last name\nada@example.org,,\nbo@example.org,Bo,Marsh\n",
            [("ada@example.org", "ada@example.org"), ("Bo Marsh", "bo@example.org")],
        ),
        (
            "ada@example.org\nbo@example.org\n",
            [("ada@example.org", "ada@example.org"), ("bo@example.org", "bo@example.org")],
        ),
        ("Phone\n+1 202 555 0143\n", [("+12025550143", "")]),
        ("Email,City\nada@example.org,Oslo\n,Rome\n", [("ada@example.org", "ada@example.org")]),
        (
            "Name,Email\n,ada@example.org\nn/a,bo@example.org\n",
            [("ada@example.org", "ada@example.org"), ("n/a", "bo@example.org")],
        ),
        ("Email,Company\nada@example.org,Lind\n", [("Lind", "ada@example.org")]),
    ],
)
def test_who_has_only_an_address_is_called_by_it(office: Office, text: str, people: list[tuple[str, str]]) -> None:
    office("import", office.write("list.csv", text))
    assert [(client.name, client.email) for client in office.clients()] == people
    again = office("import", office.write("list.csv", text))
    assert (again.new, again.updated) == (0, 0)


def test_a_name_that_is_learned_takes_the_place_of_the_address(office: Office) -> None:
    office("import", office.write("list.csv", "Email\nada@example.org\n"))
    report = office("import", office.write("names.csv", "Name,Email\nAda Lind,ada@example.org\n"))
    assert (report.new, report.updated) == (0, 1)
    assert names(office) == ["Ada Lind"]


@pytest.mark.parametrize("word", ["n/a", "none", "-", "unknown", "keine", "NULL", "x", "no mail", "?", "see notes"])
@pytest.mark.parametrize("match", ["", "email"])
def test_what_is_no_address_is_nobodys_identity(office: Office, word: str, match: str) -> None:
    text = f"Name,Email,City\nAda Lind,{word},Oslo\nBo Marsh,{word},Rome\nCy Orr,cy@example.org,Nice\n"
    report = office("import", office.write("list.csv", text), match=match)
    assert (report.new, report.unchanged, report.updated) == (3, 0, 0)
    assert sorted(names(office)) == ["Ada Lind", "Bo Marsh", "Cy Orr"]
    again = office("import", office.write("list.csv", text), match=match)
    assert (again.new, len(office.clients())) == (0, 3)


@pytest.mark.parametrize("word", ["n/a", "none", "-", "0", "12", "?", "unlisted"])
def test_what_is_no_number_is_nobodys_identity(office: Office, word: str) -> None:
    text = f"Name,Phone\nAda Lind,{word}\nBo Marsh,{word}\n"
    report = office("import", office.write("list.csv", text), match="phone")
    assert report.new == 2


# What a file holds


@pytest.mark.parametrize(
    ("heading", "row", "what"),
    [
        (
            "Name,Email,Financial Status,Paid at,Currency,Total",
            "#7001,ada@example.org,paid,2026-10-01 10:00:00 -0400,USD,12.00",
            "sales",
        ),
        ("Order ID,Order date,Billing email,Order total", "7001,2026-10-01,ada@example.org,12.00", "sales"),
        ("Invoice number,Invoice date,Customer,Amount", "INV-1,2026-10-01,Ada Lind,12.00", "sales"),
        ("Date,Client,Amount", "2026-10-01,Ada Lind,12.00", "sales"),
        ("Datum;Kunde;Betrag", "2026-10-01;Ada Lind;12.00", "sales"),
        ("Email,Date,Amount,Note", "ada@example.org,2026-10-01,12.00,chairs", "sales"),
        (
            "id,Created (UTC),Amount,Currency,Customer Email,Status",
            "ch_1,2026-10-01 10:00,12.00,usd,ada@example.org,Paid",
            "sales",
        ),
        ("First name,Last name,Email,Created at,Total spent", "Ada,Lind,ada@example.org,2026-10-01,12.00", "clients"),
        ("Name,Email,Phone,Birthday", "Ada Lind,ada@example.org,202 555 0143,1985-03-24", "clients"),
        (
            "First name,Last name,Email,Date,Value,Phone",
            "Ada,Lind,ada@example.org,2026-10-01,12.00,202 555 0143",
            "clients",
        ),
    ],
)
def test_what_the_rows_are_is_seen_by_their_columns(office: Office, heading: str, row: str, what: str) -> None:
    office.add(first_name="Ada", last_name="Lind", email="ada@example.org")
    report = office("import", office.write("rows.csv", f"{heading}\n{row}\n"))
    assert report.what == what
    assert names(office) == ["Ada Lind"]
    if what == "sales":
        assert [sale.amount for sale in office.sales()] == [Decimal(12)]


@pytest.mark.parametrize("status", ["refunded", "voided", "Cancelled", "failed", "Storniert", "expired", "draft"])
def test_an_order_that_came_to_nothing_is_no_sale(office: Office, status: str) -> None:
    office.add(first_name="Ada", last_name="Lind", email="ada@example.org")
    rows = ["#1,ada@example.org,paid,2026-10-01,12.00", f"#2,ada@example.org,{status},2026-10-02,7.00"]
    text = "\n".join(["Name,Email,Financial Status,Paid at,Total", *rows, ""])
    report = office("import", office.write("orders.csv", text))
    assert (report.new, report.refused) == (1, 1)
    assert status in report.refusals[0].reason


# Own fields


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_own_fields_come_back_from_an_export(office: Office, ending: str) -> None:
    office.add(
        first_name="Ada", last_name="Lind", extra={"shoe size": "42", "Hat": "L", "Status": "x", "ünder =": "a\nb"}
    )
    office.add(first_name="Bo", last_name="Marsh")
    path = office.folder / f"own.{ending}"
    office("export", path, what="clients")
    other = office.open("other")
    report = office("import", path, crm=other)
    assert report.new == 2
    mine, theirs = office.clients(), office.clients(other)
    assert [dict(client.extra) for client in theirs][1] == {}
    assert theirs[0].extra["shoe size"] == "42"
    assert theirs[0].extra["Hat"] == "L"
    assert mine[0].first_name == theirs[0].first_name


def test_a_column_called_like_an_own_field_is_that_field(office: Office) -> None:
    office.add(first_name="Ada", last_name="Lind", extra={"shoe size": "42"})
    report = office("import", office.write("list.csv", "Name,Shoe Size,Hat\nBo Marsh,39,M\n"))
    assert office.clients()[1].extra == {"shoe size": "39"}
    assert report.columns["Hat"] == ""


# Cards that are folded by bytes, or hold little


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("width", [41, 42, 43, 44, 60])
def test_a_card_folded_inside_a_letter(office: Office, end: str, width: int) -> None:
    line = "NOTE:" + "Grüße aus Köln, 你好, naïve café, " * 4
    raw = line.encode()
    folded = (end + " ").encode().join([raw[at : at + width] for at in range(0, len(raw), width)])
    card = f"BEGIN:VCARD{end}VERSION:3.0{end}N:Lind;Åda;;;{end}".encode() + folded + f"{end}END:VCARD{end}".encode()
    path = office.folder / "card.vcf"
    path.write_bytes(card)
    report = office("import", path)
    assert report.refused == 0
    assert office.client(1).notes == line.removeprefix("NOTE:").strip()
    assert office.client(1).first_name == "Åda"


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["EMAIL;PREF:ada@example.org"], "ada@example.org"),
        (["N:;;;;", "FN:", "EMAIL:ada@example.org"], "ada@example.org"),
        (["FN:ada@example.org", "EMAIL:ada@example.org"], "ada@example.org"),
        (["TEL:+1 202 555 0143"], "+12025550143"),
        (["ORG:Lind", "TEL:+1 202 555 0143"], "Lind"),
        (["NICKNAME:Addie", "EMAIL:ada@example.org"], "Addie"),
    ],
)
def test_a_card_without_a_name(office: Office, lines: list[str], name: str) -> None:
    text = "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""])
    office("import", office.write("card.vcf", text))
    assert names(office) == [name]


# What an import says


def test_an_import_of_several_sheets_names_the_others(office: Office) -> None:
    book = openpyxl.Workbook()
    for year in ("2025", "2026"):
        sheet = book.create_sheet(year)
        for row in (["Email", "Date", "Amount"], ["ada@example.org", f"{year}-03-01", 10]):
            sheet.append(row)
    path = office.folder / "sales.xlsx"
    book.save(path)
    office.add(first_name="Ada", email="ada@example.org")
    first = office("import", path, as_="sales")
    assert "2026" in first.read_as
    office("import", path, as_="sales", sheet="2026")
    assert [sale.on.year for sale in office.sales()] == [2025, 2026]
    with pytest.raises(CRMError, match="2027"):
        office("import", path, as_="sales", sheet="2027")


def test_the_columns_that_are_left_out_are_named(office: Office) -> None:
    report = office("import", office.write("list.csv", "Name,Hat,Gloves\nAda Lind,L,M\n"), preview=True)
    assert report.left_out == ("Hat", "Gloves")


@pytest.mark.parametrize("preview", [True, False])
def test_an_import_that_took_nothing_has_failed(office: Office, preview: bool) -> None:
    report: Any = office(
        "import", office.write("s.csv", "Client,Date,Amount\nAda,2026-10-01,5\n"), as_="sales", preview=preview
    )
    assert report.failed
    office.add(first_name="Ada")
    assert not office("import", office.write("s.csv", "Client,Date,Amount\nAda,2026-10-01,5\n"), as_="sales").failed
    again = office("import", office.write("s.csv", "Client,Date,Amount\nAda,2026-10-01,5\n"), as_="sales")
    assert (again.unchanged, again.failed) == (1, False)
    assert Path(again.file).exists()
