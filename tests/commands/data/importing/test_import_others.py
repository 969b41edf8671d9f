"""Imports from other programs as people export them: sales by client name, people without a name or an address, orders,
custom fields on a second import, contact cards, and the message of an import that added nothing."""

from dataclasses import replace
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
def test_sales_find_their_client_by_any_name_of_it(known: Office, heading: str, written: str, number: int) -> None:
    file = known.write("sales.csv", f'{heading},Date,Amount\n"{written}",2026-10-01,12.00\n')
    report = known("import", file, as_="sales")
    assert (report.new, report.refused) == (1, 0), report.refusals
    assert [sale.client for sale in known.sales()] == [number]


@pytest.mark.parametrize("heading", ["Client", "Customer name", "Kunde", "Customer no"])
def test_a_column_of_names_may_contain_references(known: Office, heading: str) -> None:
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
def test_a_client_with_only_an_address_is_named_after_it(
    office: Office, text: str, people: list[tuple[str, str]]
) -> None:
    office("import", office.write("list.csv", text))
    assert [(client.name, client.email) for client in office.clients()] == people
    again = office("import", office.write("list.csv", text))
    assert (again.new, again.updated) == (0, 0)


def test_a_learned_name_replaces_the_address(office: Office) -> None:
    office("import", office.write("list.csv", "Email\nada@example.org\n"))
    report = office("import", office.write("names.csv", "Name,Email\nAda Lind,ada@example.org\n"))
    assert (report.new, report.updated) == (0, 1)
    assert names(office) == ["Ada Lind"]


@pytest.mark.parametrize("word", ["n/a", "none", "-", "unknown", "keine", "NULL", "x", "no mail", "?", "see notes"])
@pytest.mark.parametrize("match", ["", "email"])
def test_an_invalid_address_does_not_identify_a_client(office: Office, word: str, match: str) -> None:
    text = f"Name,Email,City\nAda Lind,{word},Oslo\nBo Marsh,{word},Rome\nCy Orr,cy@example.org,Nice\n"
    report = office("import", office.write("list.csv", text), match=match)
    assert (report.new, report.unchanged, report.updated) == (3, 0, 0)
    assert sorted(names(office)) == ["Ada Lind", "Bo Marsh", "Cy Orr"]
    again = office("import", office.write("list.csv", text), match=match)
    assert (again.new, len(office.clients())) == (0, 3)


@pytest.mark.parametrize("word", ["n/a", "none", "-", "0", "12", "?", "unlisted"])
def test_an_invalid_number_does_not_identify_a_client(office: Office, word: str) -> None:
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
def test_the_kind_of_rows_is_detected_by_their_columns(office: Office, heading: str, row: str, what: str) -> None:
    office.add(first_name="Ada", last_name="Lind", email="ada@example.org")
    report = office("import", office.write("rows.csv", f"{heading}\n{row}\n"))
    assert report.what == what
    assert names(office) == ["Ada Lind"]
    if what == "sales":
        assert [sale.amount for sale in office.sales()] == [Decimal(12)]


@pytest.mark.parametrize("status", ["refunded", "voided", "Cancelled", "failed", "Storniert", "expired", "draft"])
def test_a_cancelled_order_is_not_a_sale(office: Office, status: str) -> None:
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
def test_columns_filled_only_in_late_rows_are_named_too(office: Office, preview: bool) -> None:
    rows = "".join(f"Ada Lind{number},,\n" for number in range(300))
    report = office("import", office.write("list.csv", f"Name,Hat,Gloves\n{rows}Ben,,M\n"), preview=preview)
    assert report.left_out == ("Gloves",)


def test_unmapped_card_properties_are_named_or_kept_as_custom_fields(office: Office) -> None:
    lines = ["FN:Ada Lind", "ORG:Acme;Sales", "TITLE:Buyer", "URL:https://acme.example", "TEL;TYPE=FAX:+12025550143"]
    cards = office.write("card.vcf", "\n".join(["BEGIN:VCARD", *lines, "PHOTO:AAAA", "END:VCARD", ""]))
    report = office("import", cards, preview=True)
    assert report.left_out == ("Position", "Department", "Website", "Fax", "Photo")
    office("import", cards, map=["Position=extra:Position", "Website=extra:Website"])
    assert office.client(1).extra == {"Position": "Buyer", "Website": "https://acme.example"}


@pytest.mark.parametrize("preview", [True, False])
def test_an_import_without_any_accepted_row_fails(office: Office, preview: bool) -> None:
    report: Any = office(
        "import", office.write("s.csv", "Client,Date,Amount\nAda,2026-10-01,5\n"), as_="sales", preview=preview
    )
    assert report.failed
    office.add(first_name="Ada")
    assert not office("import", office.write("s.csv", "Client,Date,Amount\nAda,2026-10-01,5\n"), as_="sales").failed
    again = office("import", office.write("s.csv", "Client,Date,Amount\nAda,2026-10-01,5\n"), as_="sales")
    assert (again.unchanged, again.failed) == (1, False)
    assert Path(again.file).exists()


# Refunds, rounded numbers, second addresses, and exports of bookkeeping and of lists of subscribers


@pytest.mark.parametrize(
    "written",
    ["-120.00", "(120.00)", "120.00-", "-$120", "$-120", "$(120.00)", "($120.00)", "\u2212120", "\u2013120", "120,00-",
     "USD -120", "-120 USD", '"(1,200.00)"', "120.00 CR", "minus 120"],
)  # fmt: skip
def test_a_refund_is_refused_and_never_a_sale(office: Office, written: str) -> None:
    text = f"Client;Date;Amount\nAda;2026-10-01;{written}\nBo;2026-10-02;5.00\n"
    report = office("import", office.write("sales.csv", text), as_="sales", create_clients=True)
    assert (report.new, report.refused, report.refusals[0].row) == (1, 1, 2)
    assert [sale.amount for sale in office.sales()] == [Decimal(5)]


@pytest.mark.parametrize(
    "word",
    [
        "Refund",
        "Credit note",
        "Sales credit note",
        "payment_refund",
        "Gutschrift",
        "Chargeback",
        "Avoir",
        "CREDIT MEMO",
    ],
)
def test_a_reversal_row_is_not_a_sale(office: Office, word: str) -> None:
    rows = ["Ada Lind,2026-10-01,9.00,Invoice,Paid", f"Ada Lind,2026-10-02,9.00,{word},Paid"]
    text = "\n".join(["Customer,Date,Amount,Type,Status", *rows, ""])
    report = office("import", office.write("sales.csv", text), as_="sales", create_clients=True)
    assert (report.new, report.refused) == (1, 1)
    assert word in report.refusals[0].reason


@pytest.mark.parametrize("written", ["4.3E+11", "4,3E+11", "4.3e11", "4.36641E+11", "6.64E+09"])
def test_a_number_that_a_spreadsheet_rounded_is_kept_and_flagged(office: Office, written: str) -> None:
    text = f'Name,Phone\nAda Lind,"{written}"\nBo Marsh,"{written}"\n'
    report = office("import", office.write("list.csv", text), match="phone")
    assert (report.new, report.flagged, office.client(1).phone) == (2, 2, written)
    assert "spreadsheet" in report.doubts[0].why


@pytest.mark.parametrize("written", ["4.36641234567E+11", "436641234567.0", "4,36641234567E+11"])
def test_a_number_of_which_no_digit_is_lost_is_read(office: Office, written: str) -> None:
    office("import", office.write("list.csv", f'Name,Phone\nAda Lind,"{written}"\n'))
    assert office.client(1).phone == "436641234567"


@pytest.mark.parametrize("heading", ["Email", "Name,Email", "Phone", "Name,Phone,Email"])
@pytest.mark.parametrize("written", ["hello", "ask Bo", "ada at example.org", "ada@", "4.3E+11"])
def test_a_value_that_is_not_an_address_names_no_client(office: Office, heading: str, written: str) -> None:
    columns = heading.split(",")
    rows = [
        ",".join([*["", ""][: len(columns) - 1], written]),
        ",".join([*["Bo", ""][: len(columns) - 1], "bo@example.org"]),
    ]
    report = office("import", office.write("list.csv", "\n".join([heading, *rows, ""])))
    assert report.refusals[0].row == 2
    assert written in report.refusals[0].reason
    assert written not in names(office)


XERO = (
    "*ContactName,AccountNumber,EmailAddress,FirstName,LastName,POAttentionTo,POAddressLine1,POAddressLine2,POCity,"
    "PORegion,POPostalCode,POCountry,SAAddressLine1,SAAddressLine2,SACity,SAPostalCode,SACountry,PhoneNumber,"
    "FaxNumber,MobileNumber,DDINumber,BankAccountNumber"
)


def test_contacts_of_xero(office: Office) -> None:
    text = (
        f"{XERO}\nLind Ltd,ABC-100,ada@example.org,Ada,Lind,,1 Queen Street,Level 2,Auckland,AKL,1010,New Zealand,"
        "9 Dock Rd,,Nelson,,,202 555 0143,202 555 0149,202 555 0144,,\n"
        "Bo Marsh,,bo@example.org,,,,,,,,,,7 Sea St,Flat 2,Nelson,7010,NZ,,,,,\n"
        "Cy Orr,,cy@example.org,,,,8 Hill St,,Auckland,,1010,New Zealand,,,,,,,,,,\n"
    )
    office("import", office.write("contacts.csv", text))
    ada, bo, cy = office.clients()
    assert (cy.address, cy.postcode) == ("8 Hill St", "1010")
    assert (ada.name, ada.company, ada.reference) == ("Ada Lind", "Lind Ltd", "ABC-100")
    assert (ada.address, ada.city, ada.postcode, ada.country) == ("1 Queen Street, Level 2", "Auckland", "1010", "NZ")
    numbers = {ada.phone, ada.extra["Other phone"]}
    assert (numbers, ada.extra["Other address"]) == ({"+12025550143", "+12025550144"}, "9 Dock Rd, Nelson")
    assert (bo.name, bo.address, bo.city, bo.country) == ("Bo Marsh", "7 Sea St, Flat 2", "Nelson", "NZ")
    again = office("import", office.folder / "contacts.csv")
    assert (again.new, again.updated) == (0, 0)


def test_customers_of_quickbooks(office: Office) -> None:
    text = (
        "Customer,Company,Street Address,City,State,Country,Zip,Phone,Email,Customer type,Attachments,Open Balance\n"
        "Amy Bird,Amy's Birds,4581 Finch St.,Bayshore,CA,USA,94326,(202) 555-0143,amy@example.org,,0,239.00\n"
        "Weiskopf Consulting,Weiskopf Consulting,,,,,,,,,0,0\nHarbour Boats Ltd,,,,,,,,,,0,0\n"
    )
    report = office("import", office.write("customers.csv", text))
    assert "Open Balance" in report.left_out
    assert [(client.name, client.kind, client.city, client.region, client.country) for client in office.clients()] == [
        ("Amy Bird", "person", "Bayshore", "CA", "US"), ("Weiskopf Consulting", "company", "", "", ""),
        ("Harbour Boats Ltd", "company", "", "", ""),
    ]  # fmt: skip


def test_customers_of_stripe(office: Office) -> None:
    text = (
        "id,Description,Email,Name,Created (UTC),Delinquent,Card Address Line1,Card Address City,Card Address Zip,"
        "Card Address Country,Status,Total Spend,Refunded Volume\n"
        "cus_1,,ada@example.org,Ada Lind,2026-01-01 10:00,FALSE,1 Main St,Oslo,0150,NO,Active,120.00,0.00\n"
        "cus_2,a note,bo@example.org,,2026-01-02 10:00,FALSE,,,,,,0.00,0\n"
    )
    report = office("import", office.write("customers.csv", text))
    assert report.what == "clients"
    ada, bo = office.clients()
    assert (ada.reference, ada.address, ada.city, ada.postcode, ada.country) == (
        "cus_1",
        "1 Main St",
        "Oslo",
        "0150",
        "NO",
    )
    assert bo.name == "bo@example.org"


def test_deals_of_pipedrive_are_sales_where_they_are_won(office: Office) -> None:
    text = (
        "Deal - ID,Deal - Title,Deal - Owner,Deal - Value,Deal - Currency of Value,Deal - Organization,"
        "Deal - Contact person,Deal - Status,Deal - Deal created,Deal - Won time,Deal - Lost time\n"
        "1,Boats,Max,1200,USD,Lind Ltd,Ada Lind,Won,2026-01-01 10:00:00,2026-02-01 10:00:00,\n"
        "2,Nets,Max,500,USD,,Bo Marsh,Lost,2026-01-01 10:00:00,,2026-02-01 10:00:00\n"
        "3,Oars,Max,700,USD,,Cy Orr,Open,2026-01-01 10:00:00,,\n"
    )
    report = office("import", office.write("deals.csv", text), create_clients=True)
    assert (report.what, report.new, report.refused) == ("sales", 1, 2)
    (sale,) = office.sales()
    assert (sale.on, sale.amount, sale.note) == (date(2026, 2, 1), Decimal(1200), "Boats")
    assert (office.client(1).name, office.client(1).company) == ("Ada Lind", "Lind Ltd")


def test_an_audience_of_mailchimp(office: Office) -> None:
    text = (
        "Email Address,First Name,Last Name,Address,Phone Number,Birthday,MEMBER_RATING,OPTIN_TIME,CC,REGION,LEID,"
        "NOTES,TAGS\n"
        'ada@example.org,Ada,Lind,"1 Main St  Springfield IL 62701 US",,03/24,2,2026-01-01,NO,03,1,,'
        '"""VIP"",""North"""\n'
    )
    office("import", office.write("audience.csv", text))
    ada = office.client(1)
    assert ada.tags == ("vip", "north")
    assert not ada.marketing_consent
    assert "Mar 24" in ada.notes


@pytest.mark.parametrize(
    ("heading", "row", "phone", "extra"),
    [
        ("Name,Phone,Phone 2", "Ada,202 555 0143,202 555 0144", "+12025550143", {"Other phone": "+12025550144"}),
        ("Name,Phone,Phone 2", "Ada,202 555 0143,(202) 555-0143", "+12025550143", {}),
        ("Name,Phone,Phone 2", "Ada,,202 555 0144", "+12025550144", {}),
        ("Name,Phone", "Ada,202 555 0143 / 202 555 0144", "+12025550143", {"Other phone": "+12025550144"}),
        ("Name,Phone,Phone 2", "Ada,see notes,202 555 0144", "+12025550144", {"Other phone": "see notes"}),
        ("Name,Phone,Email,Email 2", "Ada,,a@example.org,b@example.org", "", {"Other e-mail": "b@example.org"}),
        ("Name,Phone,Email,Email 2", "Ada,,A@example.org,a@Example.org", "", {}),
        ("Name,Phone,Email", "Ada,,Ada L <a@example.org>; Bo <b@example.org>", "", {"Other e-mail": "b@example.org"}),
        ("Name,Phone,Email,Email 2", "Ada,,n/a,b@example.org", "", {}),
        ("Name,Phone,Home City,Business City", "Ada,,Oslo,Rome", "", {"Other address": "Rome"}),
        ("Name,Phone,Home City,Business City", "Ada,,Oslo,Oslo", "", {}),
    ],
)  # fmt: skip
def test_a_second_number_or_address_is_kept_as_an_own_field(
    office: Office, heading: str, row: str, phone: str, extra: dict[str, str]
) -> None:
    path = office.write("list.csv", f"{heading}\n{row}\n")
    office("import", path)
    ada = office.client(1)
    assert (ada.phone, dict(ada.extra)) == (phone, extra)
    # It comes back from an export, and the same file changes nothing.
    assert office("import", path).updated == 0
    office("export", office.folder / "own.csv", what="clients")
    other = office.open("other")
    office("import", office.folder / "own.csv", crm=other)
    assert dict(office.client(1, other).extra) == extra


def test_the_second_of_a_card_is_kept(office: Office) -> None:
    lines = [
        "N:Lind;Ada;;;", "EMAIL;TYPE=WORK:ada@work.example.org", "EMAIL;TYPE=HOME:ada@home.example.org",
        "TEL;TYPE=CELL:+1 202 555 0143", "TEL;TYPE=WORK:+1 202 555 0144", "TEL;TYPE=FAX:+1 202 555 0149",
        "ADR;TYPE=HOME:;;1 Main St;Oslo;;0150;Norway", "ADR;TYPE=WORK:;;2 Dock Rd;Bergen;;5003;Norway",
    ]  # fmt: skip
    text = "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""])
    office("import", office.write("card.vcf", text))
    ada = office.client(1)
    assert (ada.email, ada.phone, ada.city) == ("ada@work.example.org", "+12025550143", "Oslo")
    assert dict(ada.extra) == {
        "Other e-mail": "ada@home.example.org", "Other phone": "+12025550144",
        "Other address": "2 Dock Rd, Bergen, 5003, Norway",
    }  # fmt: skip


@pytest.mark.parametrize("heading", ["Unsubscribed", "Email Opt Out", "Unsubscribed from all email", "UNSUB_TIME"])
@pytest.mark.parametrize(
    ("written", "agreed"), [("yes", False), ("2026-02-02 10:00:00", False), ("", True), ("No", True)]
)
def test_clients_who_opted_out_in_another_program_get_no_mailings(
    office: Office, heading: str, written: str, agreed: bool
) -> None:
    office.add(first_name="Ada", last_name="Lind", email="ada@example.org", marketing_consent=True)
    text = f"Name,Email,{heading}\nAda Lind,ada@example.org,{written}\nBo Marsh,bo@example.org,{written}\n"
    office("import", office.write("list.csv", text))
    assert [client.marketing_consent for client in office.clients()] == [agreed, False]


@pytest.mark.parametrize(
    ("text", "amounts", "refused"),
    [
        ("Order ID,Order Date,Order Status,Customer Email,First Name (Billing),Last Name (Billing),Order Total Amount\n"
         "12,2026-10-01 10:00,Completed,ada@example.org,Ada,Lind,12.00\n"
         "13,2026-10-01 10:00,Cancelled,ada@example.org,Ada,Lind,9.00\n", ["12.00"], 1),
        ('"Date","Name","Type","Status","Currency","Gross","Fee","Net","From Email Address","Transaction ID"\n'
         '"10/01/2026","Ada Lind","Website Payment","Completed","USD","12.00","-0.50","11.50","ada@example.org","X1"\n'
         '"10/02/2026","Ada Lind","Payment Refund","Completed","USD","-12.00","0.50","-11.50","us@example.org","X2"\n',
         ["12.00"], 1),
        ("Client,Date,Net,Tax,Gross\nAda Lind,2026-10-01,10.00,2.00,12.00\n", ["12.00"], 0),
        ("Client,Date,Item,Quantity,Price\nAda Lind,2026-10-01,Chair,1,10.00\nAda Lind,2026-10-02,Chair,3,10.00\n",
         ["10.00"], 1),
        ("Client,Date,Item,Quantity,Price,Total\nAda Lind,2026-10-02,Chair,3,10.00,30.00\n", ["30.00"], 0),
        ("Client,Date,Quantity,Total price\nAda Lind,2026-10-02,3,30.00\n", ["30.00"], 0),
    ],
)  # fmt: skip
def test_the_total_paid_is_the_amount(office: Office, text: str, amounts: list[str], refused: int) -> None:
    report = office("import", office.write("sales.csv", text), create_clients=True)
    assert (report.what, report.refused) == ("sales", refused)
    assert [str(sale.amount) for sale in office.sales()] == amounts


def test_a_unit_price_is_the_amount_only_on_request(office: Office) -> None:
    path = office.write("sales.csv", "Client,Date,Quantity,Unit price\nAda Lind,2026-10-01,3,10.00\n")
    with pytest.raises(CRMError, match="amount"):
        office("import", path, as_="sales", create_clients=True)
    report = office("import", path, as_="sales", create_clients=True, map=["Unit price=amount"])
    assert report.new == 1


@pytest.mark.parametrize("written", ["ADA LIND", "ada lind"])
def test_a_name_in_capitals_teaches_nothing(office: Office, written: str) -> None:
    office.add(first_name="Ada", last_name="Lind", email="ada@example.org")
    report = office("import", office.write("list.csv", f"Name,Email\n{written},ada@example.org\n"))
    assert (report.unchanged, names(office)) == (1, ["Ada Lind"])


def test_a_number_as_most_of_the_world_dials_abroad(office: Office) -> None:
    text = "Name,Phone\nAda Lind,0043 664 1234567\nBo Marsh,001 202 555 0143\n"
    office("import", office.write("list.csv", text))
    assert [client.phone for client in office.clients()] == ["+436641234567", "+12025550143"]


@pytest.mark.parametrize(
    ("yes", "no"),
    [("ja", "nein"), ("Oui", "Non"), ("s\u00ed", "no"), ("sim", "n\u00e3o"), ("x", ""), ("WAHR", "FALSCH")],
)
def test_yes_and_no_in_the_languages_of_headings(office: Office, yes: str, no: str) -> None:
    text = f"Name,Email,Newsletter\nAda Lind,ada@example.org,{yes}\nBo Marsh,bo@example.org,{no}\n"
    office("import", office.write("list.csv", text))
    assert [client.marketing_consent for client in office.clients()] == [True, False]


@pytest.mark.parametrize(
    ("heading", "rows", "stored", "extra", "counts", "conflict"),
    [
        ("Name,Email,Phone", ["Ada Lind,a@x.org,202 555 0143", "Ada Lind,a@x.org,202 555 0144"],
         {"phone": "+12025550143"}, {"Other phone": "+12025550144"}, (1, 1, 0), ""),
        ("Name,Email,City", ["Ada Lind,a@x.org,Oslo", "Ada Lind,a@x.org,Rome"], {"city": "Oslo"}, {},
         (1, 1, 0), "Oslo"),
        ("Name,Email,City,Notes", ["Ada Lind,a@x.org,,first", "Ada Lind,a@x.org,Rome,second"],
         {"city": "Rome", "notes": "first"}, {}, (1, 1, 0), "first"),
        ("Name,Email,City", ["Ada Lind,a@x.org,", "Ada Lind,a@x.org,Rome"], {"city": "Rome"}, {}, (1, 1, 0), ""),
        ("Name,Email,City", ["Ada Lind,a@x.org,Oslo", "ADA LIND,a@x.org,"], {"city": "Oslo"}, {}, (1, 0, 1), ""),
        ("Name,Email,Phone", ["Ada Lind,a@x.org,202 555 0143", "Ada Lind,b@x.org,202 555 0143"],
         {"email": "a@x.org"}, {"Other e-mail": "b@x.org"}, (1, 1, 0), ""),
        ("Name,Email,Tags", ["Ada Lind,a@x.org,north", "Ada Lind,a@x.org,vip"], {"tags": ("north", "vip")}, {},
         (1, 1, 0), ""),
        # What can be read takes the place of what could not, and never the other way round.
        ("Name,Phone,Email,Country", ["Ada Lind,202 555 0143,a(at)x.org,Narnia", "Ada Lind,202 555 0143,a@x.org,US"],
         {"email": "a@x.org", "country": "US"}, {}, (1, 1, 0), ""),
        ("Name,Phone,Email,Country", ["Ada Lind,202 555 0143,a@x.org,US", "Ada Lind,202 555 0143,a(at)x.org,Narnia"],
         {"email": "a@x.org", "country": "US"}, {}, (1, 0, 1), ""),
        ("Name,Phone,Country",
         ["Ada Lind,202 555 0143,Narnia", "Ada Lind,202 555 0143,US", "Ada Lind,202 555 0143,CA"],
         {"country": "US"}, {}, (1, 2, 0), "US"),
        ("Name,Email,Phone", ["Ada Lind,a@x.org,call the desk", "Ada Lind,a@x.org,202 555 0143"],
         {"phone": "+12025550143"}, {}, (1, 1, 0), ""),
        ("Name,Email", [",a@x.org", "Ada Lind,a@x.org"], {"name": "Ada Lind"}, {}, (1, 1, 0), ""),
        ("Name,Email,Newsletter", ["Ada Lind,a@x.org,yes", "Ada Lind,a@x.org,no"], {"marketing_consent": False}, {},
         (1, 1, 0), ""),
        ("Name,Email,Newsletter", ["Ada Lind,a@x.org,no", "Ada Lind,a@x.org,yes"], {"marketing_consent": False}, {},
         (1, 1, 0), "no"),
    ],
)  # fmt: skip
def test_two_rows_of_a_file_that_are_one_client(
    office: Office, heading: str, rows: list[str], stored: dict[str, Any], extra: dict[str, str],
    counts: tuple[int, int, int], conflict: str,
) -> None:  # fmt: skip
    path = office.write("list.csv", "\n".join([heading, *rows, ""]))
    preview, done = office("import", path, preview=True), office("import", path)
    for report in (preview, done):
        assert (report.new, report.joined, report.unchanged) == counts
        listed = "\n".join(doubt.why for doubt in report.doubts)
        assert (report.conflicting == 1 and f"“{conflict}”" in listed) if conflict else not report.conflicting
    client = office.client(1)
    assert {name: getattr(client, name) for name in stored} == stored
    assert dict(client.extra) == extra
    # What the preview shows is what is stored.
    assert {name: getattr(preview.first_records[0], name) for name in stored} == stored
    assert dict(preview.first_records[0].extra) == extra
    again = office("import", path)
    assert again.new == 0
    kept = office.client(1)
    assert replace(kept, updated_at=client.updated_at, version=client.version) == client


def test_two_rows_of_a_file_that_are_one_known_client(office: Office) -> None:
    office.add(first_name="Ada", last_name="Lind", email="a@x.org", city="Oslo")
    text = "Name,Email,City\nAda Lind,a@x.org,Rome\nAda Lind,a@x.org,Nice\n"
    report = office("import", office.write("list.csv", text))
    assert (report.updated, report.joined, report.conflicting, office.client(1).city) == (1, 1, 1, "Rome")
    assert "Rome" in report.doubts[0].why


@pytest.mark.parametrize("country", ["", "AT"])
def test_a_row_that_cannot_be_read_leaves_a_known_client_to_the_next_row(office: Office, country: str) -> None:
    office.add(first_name="Ada", last_name="Lind", email="a@x.org", country=country)
    text = "Name,Email,Country\nAda Lind,a@x.org,Narnia\nAda Lind,a@x.org,US\n"
    report = office("import", office.write("list.csv", text))
    assert (office.client(1).country, report.conflicting) == ("US", 0)


def test_two_rows_of_one_client_that_are_far_apart(office: Office) -> None:
    others = [f"Bo Marsh{number},bo{number}@example.org,,Oslo," for number in range(1000)]
    rows = ["Ada Lind,a@x.org,202 555 0143,,Narnia", *others, "Ada Lind,a@x.org,202 555 0144,Rome,US"]
    path = office.write("list.csv", "\n".join(["Name,Email,Phone,City,Country", *rows, ""]))
    preview, done = office("import", path, preview=True), office("import", path)
    assert [(report.new, report.joined, report.unchanged) for report in (preview, done)] == [(1001, 1, 0)] * 2
    for client in (preview.first_records[0], office.client(1)):
        assert (client.phone, client.city, client.extra) == ("+12025550143", "Rome", {"Other phone": "+12025550144"})
        assert client.country == "US"


def test_sales_invoices_of_xero(office: Office) -> None:
    rows = [
        "Ada Lind,INV-1,01/10/2026,30.00,Chair,10.00,Sales invoice,Paid",
        "Ada Lind,INV-1,01/10/2026,30.00,Desk,20.00,Sales invoice,Paid",
        "Ada Lind,INV-2,01/10/2026,30.00,Desk,30.00,Sales invoice,Awaiting Payment",
        "Ada Lind,B-1,02/10/2026,9.00,Wood,9.00,Bill,Paid",
        "Ada Lind,B-2,02/10/2026,9.00,Wood,9.00,Purchase invoice,Paid",
        "Ada Lind,O-1,02/10/2026,9.00,,9.00,Sales overpayment,Paid",
    ]  # fmt: skip
    heading = "ContactName,InvoiceNumber,InvoiceDate,Total,Description,LineAmount,Type,Status"
    path = office.write("invoices.csv", "\n".join([heading, *rows, ""]))
    for counts in ((2, 1, 3), (0, 3, 3)):
        report = office("import", path, as_="sales", create_clients=True, dates="dmy")
        assert (report.new, report.unchanged, report.refused) == counts
    assert [str(sale.amount) for sale in office.sales()] == ["30.00", "30.00"]
    assert [refusal.reason for refusal in report.refusals] == [
        f"it is a “{kind}”, which is not a sale" for kind in ("Bill", "Purchase invoice", "Sales overpayment")
    ]


def test_lines_of_an_order_that_cost_the_same_are_all_counted(office: Office) -> None:
    rows = ["Ada Lind,7,2026-10-01,Chair,1,10.00,10.00", "Ada Lind,7,2026-10-01,Lamp,1,10.00,10.00"]
    path = office.write("orders.csv", "\n".join(["Customer,Order ID,Date,Item,Quantity,Price,Total", *rows, ""]))
    report = office("import", path, as_="sales", create_clients=True)
    assert (report.new, report.unchanged) == (2, 0)


def test_in_a_list_of_people_and_companies_each_name_is_taken_for_itself(office: Office) -> None:
    rows = ("Hotel Adler GmbH,a@x.at", "Anna Berg,b@x.at", "Central Ltd,c@x.at")
    office("import", office.write("list.csv", "\n".join(("Name,E-mail", *rows))))
    assert [(client.name, client.kind) for client in office.clients()] == [
        ("Hotel Adler GmbH", "company"), ("Anna Berg", "person"), ("Central Ltd", "company")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "row", "values"),
    [
        ("Imię,Nazwisko,Firma,Telefon,Miasto,Kod pocztowy", "Jan,Nowak,Nowak sp. z o.o.,+48 22 123 45 67,Kraków,30-001",
         "Jan|Nowak|Nowak sp. z o.o.|+48221234567|Kraków|30-001"),
        ("Jméno,Příjmení,Společnost,Telefon,Město,PSČ", "Jan,Novák,Novák s.r.o.,+420 221 234 567,Praha,110 00",
         "Jan|Novák|Novák s.r.o.|+420221234567|Praha|110 00"),
        ("Förnamn,Efternamn,Företag,Telefonnummer,Postort,Postnr", "Åsa,Öberg,Öberg AB,+46 8 123 456 78,Malmö,211 20",
         "Åsa|Öberg|Öberg AB|+46812345678|Malmö|211 20"),
        ("Fornavn,Etternavn,Bedrift,Telefon,Poststed,Postnr", "Kari,Ås,Ås AS,+47 22 12 34 56,Oslo,0150",
         "Kari|Ås|Ås AS|+4722123456|Oslo|0150"),
        ("Имя,Фамилия,Компания,Телефон,Город,Индекс", "Иван,Петров,Ромашка,+7 495 123-45-67,Москва,101000",
         "Иван|Петров|Ромашка|+74951234567|Москва|101000"),
        ("Vorname,Nachname,Firma,Telefon geschäftlich,Ort geschäftlich,Postleitzahl geschäftlich",
         "Jörg,Müßig,Grün & Söhne,+49 221 123456,Köln,50667", "Jörg|Müßig|Grün & Söhne|+49221123456|Köln|50667"),
        ("Prénom,Nom,Société,Téléphone (bureau),Ville (bureau),Code postal (bureau)",
         "Zoë,Blanc,Blanc SARL,+33 1 23 45 67 89,Lyon,69001", "Zoë|Blanc|Blanc SARL|+33123456789|Lyon|69001"),
        ("Nombre,Apellidos,Organización,Teléfono del trabajo,Ciudad de trabajo,Código postal del trabajo",
         "Ana,Ruiz,Ruiz SA,+34 912 345 678,Madrid,28001", "Ana|Ruiz|Ruiz SA|+34912345678|Madrid|28001"),
    ],
)  # fmt: skip
def test_headings_in_other_languages(office: Office, heading: str, row: str, values: str) -> None:
    office("import", office.write("people.csv", f"{heading}\n{row}\n"))
    (client,) = office.clients()
    fields = (client.first_name, client.last_name, client.company, client.phone, client.city, client.postcode)
    assert "|".join(fields) == values


@pytest.mark.parametrize(
    ("country", "written", "read"),
    [
        # With a 0 in front it is read for the country of the row, else for that of the team where it can be.
        ("AT", "0664 1234567", "+436641234567"), ("Austria", "0664/123 45 67", "+436641234567"),
        ("DE", "0171 1234567", "+491711234567"), ("United Kingdom", "020 7946 0018", "+442079460018"),
        ("CH", "044 668 18 00", "+41446681800"), ("FR", "01 23 45 67 89", "+33123456789"),
        ("IT", "06 6982 1234", "+390669821234"), ("AT", "(617) 555-0101", "+16175550101"),
        ("US", "617-555-0101", "+16175550101"), ("AT", "+44 20 7946 0018", "+442079460018"),
        ("ES", "912 345 678", "+34912345678"), ("nowhere", "617-555-0101", "+16175550101"),
        # What people write beside it.
        ("US", "617-555-0101 (home)", "+16175550101"), ("US", "Tel.: 617-555-0101", "+16175550101"),
        ("US", "mobile: (617) 555-0101", "+16175550101"), ("AT", "M: +43 664 1234567 (privat)", "+436641234567"),
    ],
)  # fmt: skip
def test_a_number_is_read_for_the_country_of_its_row(office: Office, country: str, written: str, read: str) -> None:
    heading = "First name,Phone" + (",Country" if country != "nowhere" else "")
    row = f"Anna,{written}" + (f",{country}" if country != "nowhere" else "")
    report = office("import", office.write("people.csv", f"{heading}\n{row}\n"))
    assert (office.clients()[0].phone, report.doubtful) == (read, 0)


@pytest.mark.parametrize(
    ("heading", "stage", "is_sale"),
    [
        ("Deal Stage", "Closed Won", True), ("Deal Stage", "closedwon", True), ("Deal Stage", "Closed Lost", False),
        ("Deal Stage", "Appointment Scheduled", False), ("Deal Stage", "Contract sent", False),
        ("Deal Stage", "", False), ("Deal Stage", "Gewonnen", True), ("Deal Stage", "Verloren", False),
        ("Deal - Stage", "Won", True), ("Opportunity Stage", "Closed Won", True),
        ("Opportunity Stage", "Negotiation/Review", False), ("Deal - Status", "Won", True),
        ("Deal - Status", "Open", False),
    ],
)  # fmt: skip
def test_a_deal_is_a_sale_once_it_is_won(office: Office, heading: str, stage: str, is_sale: bool) -> None:
    text = f"Deal Name,{heading},Close Date,Amount,Account Name\nTables,{stage},2026-10-05,1200.50,Acme Ltd\n"
    report = office("import", office.write("deals.csv", text), as_="sales", create_clients=True)
    assert ([sale.amount for sale in office.sales()], report.refused) == (
        ([Decimal("1200.5")], 0) if is_sale else ([], 1)
    )
    assert [client.kind for client in office.clients()] == (["company"] if is_sale else [])


def test_payments_of_stripe_are_sales(office: Office) -> None:
    text = (
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Customer Email,Status,Description\n"
        "pi_1,2026-05-10 09:31:22,1200.50,0.00,usd,TRUE,anna@example.com,Paid,Table\n"
        "pi_2,2026-05-11 09:31:22,20.00,20.00,usd,TRUE,ben@example.com,Refunded,Chair\n"
        "pi_3,2026-05-11 09:31:22,30.00,0.00,usd,FALSE,ben@example.com,Failed,Chair\n"
    )
    report = office("import", office.write("payments.csv", text), create_clients=True)
    assert (report.what, report.new, report.refused) == ("sales", 1, 2)
    (sale,) = office.sales()
    assert (sale.on, sale.amount, sale.reference, sale.note) == (
        date(2026, 5, 10), Decimal("1200.5"), "pi_1", "Table",
    )  # fmt: skip


def test_several_columns_of_tags_are_all_taken(office: Office) -> None:
    office("import", office.write("people.csv", "Name,Tag,Tag,Groups\nAnna Berg,vip,oak,vip;fair\nBen Cole,,pine,\n"))
    assert [sorted(client.tags) for client in office.clients()] == [["fair", "oak", "vip"], ["pine"]]


def test_a_company_that_an_import_of_sales_makes_is_a_company(office: Office) -> None:
    text = "Client,Date,Amount\nBerg GmbH,2026-10-01,5\nAda Lind,2026-10-01,5\n"
    office("import", office.write("sales.csv", text), create_clients=True)
    assert {client.name: client.kind for client in office.clients()} == {"Berg GmbH": "company", "Ada Lind": "person"}


@pytest.mark.parametrize("text", ["dn: cn=Anna Berg,mail=a@example.com\ncn: Anna Berg\n", "version: 1\ndn: cn=A\n"])
def test_an_address_book_in_ldif_is_refused(office: Office, text: str) -> None:
    with pytest.raises(CRMError, match=r"LDIF. Export it as CSV or vCard"):
        office("import", office.write("people.ldif", text))
    assert office.clients() == []


@pytest.mark.parametrize(
    ("heading", "sides"),
    [
        ("Date,Customer,Debit,Credit", "Debit and Credit"),
        ("Date,Customer,Withdrawals,Deposits", "Withdrawals and Deposits"),
        ("Date,Customer,Paid out,Paid in", "Paid out and Paid in"),
        ("Datum,Kunde,Soll,Haben", "Soll and Haben"),
    ],
)
def test_money_in_and_money_out_columns_are_not_sales(known: Office, heading: str, sides: str) -> None:
    file = known.write("statement.csv", f"{heading}\n2026-10-01,Bo Marsh,,12.00\n2026-10-02,Cy Orr,9.00,\n")
    money_in = sides.rpartition(" and ")[2]
    with pytest.raises(CRMError, match=f"{sides} are not read.*--map {money_in}=amount"):
        known("import", file, as_="sales", preview=True)
    report = known("import", file, as_="sales", map=(f"{money_in}=amount",))
    assert (report.new, report.refused, [sale.amount for sale in known.sales()]) == (1, 1, [Decimal(12)])


@pytest.mark.parametrize(("formula", "noted"), [("=C2*D2", ("Amount",)), (24, ()), ('=IF(TRUE,"24","")', ("Amount",))])
def test_formulas_without_results_are_named(known: Office, formula: object, noted: tuple[str, ...]) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(["Client", "Date", "Pieces", "Each", "Amount"])
    sheet.append(["Bo Marsh", "2026-10-01", 2, 12, formula])
    workbook.save(known.folder / "calculated.xlsx")
    report = known("import", known.folder / "calculated.xlsx", as_="sales", preview=True)
    assert [note.split(" holds")[0] for note in report.notes] == [f"Column {name}" for name in noted]
    assert all("open the file in a spreadsheet program" in note for note in report.notes)


def test_columns_with_ids_of_another_program_are_named(known: Office) -> None:
    file = known.write(
        "hubspot.csv",
        "Deal Name,Amount,Close Date,Deal Stage,Associated Contact,Associated Company\n"
        "Boat,12,2026-10-01,Closed Won,Bo Marsh (bo@example.org),Marsh Boats\n",
    )
    report = known("import", file, preview=True)
    assert (report.new, report.left_out) == (1, ("Associated Contact",))
    assert report.notes == (
        "Associated Contact: these point to records in the other program, and are not imported. A sale finds its client"
        " by name, company or e-mail address.",
    )


# Dates of one column in two orders of day and month


@pytest.mark.parametrize(
    ("cells", "order", "born", "others", "unclear"),
    [
        ("13/04/1981 04/13/1982", "mdy", "1981-04-13 1982-04-13", [2], []),
        (
            "03/04/1980 13/04/1981 04/13/1982 05/06/1985",
            "mdy",
            "1980-03-04 1981-04-13 1982-04-13 1985-05-06",
            [3],
            [2, 5],
        ),
        ("03/04/1980 13/04/1981 04/13/1982 14/06/1985", "dmy", "1980-04-03 1981-04-13 1982-04-13 1985-06-14", [4], [2]),
        ("03/04/1980 29.2.1980", "mdy", "1980-03-04 1980-02-29", [3], [2]),
        ("12/31/1980 03.04.1980", "mdy", "1980-12-31 1980-04-03", [3], []),
        ("12-31-1980 31/12/1980 1980-05-06", "mdy", "1980-12-31 1980-12-31 1980-05-06", [3], []),
        (f"13/04/1981 {'03/04/1980 ' * 9}", "mdy", f"1981-04-13 {'1980-03-04 ' * 9}", [2], [*range(3, 12)]),
        ("05/05/1980 13/04/1981 04/13/1982", "mdy", "1980-05-05 1981-04-13 1982-04-13", [3], []),
        # In one order: nothing is said.
        ("03/04/1980 04/13/1982", "mdy", "1980-03-04 1982-04-13", [], []),
        ("03/04/1980 13/04/1982", "dmy", "1980-04-03 1982-04-13", [], []),
        ("3.4.1980 13.4.1982 1980-01-02", "dmy", "1980-04-03 1982-04-13 1980-01-02", [], []),
    ],
)
def test_dates_in_two_orders_are_each_read_as_they_can_be(
    office: Office, cells: str, order: str, born: str, others: list[int], unclear: list[int]
) -> None:
    lines = [f"Ada{number} Lind,{cell}" for number, cell in enumerate(cells.split())]
    file = office.write("list.csv", "\n".join(["Name,Birthday", *lines, ""]))
    preview, report = office("import", file, preview=True), office("import", file)
    for seen in (preview, report):
        assert seen.date_orders == {"Birthday": order}
        assert seen.two_orders == ({"Birthday": others} if others else {})
        checked = {doubt.row for doubt in seen.doubts}
        assert checked == set(others) | set(unclear) or len(unclear) > len(checked) > 4
        assert seen.flagged == len(others) + len(unclear)
        (note,) = seen.notes or ("",)
        assert ("are written in two orders" in note) is bool(others)
        assert (f"{len(unclear)} that could be either" in note) is bool(unclear)
    assert [str(office.client(number + 1).date_of_birth) for number in range(len(lines))] == born.split()


def test_another_order_behind_the_first_rows_is_noticed_too(office: Office) -> None:
    lines = [f"Ada{number} Lind,12/{13 + number % 9}/1980" for number in range(250)]
    report = office("import", office.write("list.csv", "\n".join(["Name,Birthday", *lines, "Ben Tal,13/04/1981", ""])))
    assert (report.new, report.two_orders) == (251, {"Birthday": [252]})
    assert str(office.client(251).date_of_birth) == "1981-04-13"


def test_a_sale_dated_in_another_order_than_the_others_comes_in(office: Office) -> None:
    office.add(first_name="Ada", email="ada@example.org")
    rows = "".join(
        f"ada@example.org,{day},{number}\n" for number, day in enumerate(("04/13/2026", "05/06/2026", "13/07/2026"), 5)
    )
    report = office("import", office.write("sales.csv", f"Email,Date,Amount\n{rows}"), as_="sales")
    assert (report.new, report.two_orders, [doubt.row for doubt in report.doubts]) == (3, {"Date": [4]}, [3, 4])
    assert [str(sale.on) for sale in office.sales()] == ["2026-04-13", "2026-05-06", "2026-07-13"]
    chosen = office(
        "import", office.write("sales.csv", f"Email,Date,Amount\n{rows}"), as_="sales", dates="dmy", preview=True
    )
    assert (chosen.new, chosen.two_orders) == (1, {"Date": [2]})
