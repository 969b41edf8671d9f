"""Mapping of columns to fields, for exports of well-known programs and for files of one's own."""

import pytest

from crm.files import Mapper, Match, match_columns, open_source, write_csv
from crm.model import Client, Conventions, Sale, typed_fields

AUSTRIA = Conventions(language="de_AT", currency="EUR", country="AT")
AMERICA = Conventions()

GOOGLE_OLD = (
    "Name,Given Name,Additional Name,Family Name,Yomi Name,Name Prefix,Nickname,File As,Birthday,Notes,"
    "Group Membership,E-mail 1 - Type,E-mail 1 - Value,E-mail 2 - Type,E-mail 2 - Value,Phone 1 - Type,"
    "Phone 1 - Value,Phone 2 - Type,Phone 2 - Value,Address 1 - Type,Address 1 - Formatted,Address 1 - Street,"
    "Address 1 - City,Address 1 - PO Box,Address 1 - Region,Address 1 - Postal Code,Address 1 - Country,"
    "Organization 1 - Name,Organization 1 - Title"
)
GOOGLE_NEW = (
    "First Name,Middle Name,Last Name,Phonetic First Name,Name Prefix,Nickname,File As,Organization Name,"
    "Organization Title,Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,"
    "E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,Address 1 - Label,Address 1 - Formatted,Address 1 - Street,"
    "Address 1 - City,Address 1 - Region,Address 1 - Postal Code,Address 1 - Country,Website 1 - Value,"
    "Event 1 - Label,Event 1 - Value"
)
OUTLOOK = (
    "First Name,Middle Name,Last Name,Title,Suffix,E-mail Address,E-mail 2 Address,Home Phone,Business Phone,"
    "Mobile Phone,Primary Phone,Home Fax,Assistant's Phone,Job Title,Company,Manager's Name,Business Street,"
    "Business City,Business Postal Code,Business Country/Region,Home Street,Home City,Home Postal Code,"
    "Home Country/Region,Spouse,Web Page,Birthday,Anniversary,Categories,Notes"
)
HUBSPOT_CONTACTS = (
    "Record ID - Contact,First Name,Last Name,Email,Phone Number,Contact owner,Associated Company,Company Name,"
    "Associated Company IDs,Lead Status,Lifecycle Stage,Create Date,Street Address,City,State/Region,Postal Code,"
    "Country/Region,Original Source"
)
HUBSPOT_COMPANIES = (
    "Record ID - Company,Company name,Company owner,Phone Number,City,Country/Region,Street Address,Postal Code,"
    "Industry,Type"
)


def targets(header, rows=(), record=Client, by=AUSTRIA):
    columns = header.split(",") if isinstance(header, str) else header
    matches = match_columns(columns, rows, record, by)
    assert [match.column for match in matches] == list(columns)
    first = [match for match in matches if match.target and not match.rank]
    found = {match.target: match.column for match in first}
    assert len(found) == len(first)
    return found


def filled(header, **cells):
    columns = header.split(",")
    return [[cells.get(name, "") for name in columns]] * 3


@pytest.mark.parametrize("header", [GOOGLE_OLD, GOOGLE_NEW])
def test_google_contacts_are_mapped(header):
    found = targets(header)
    assert found["first_name"] in ("Given Name", "First Name")
    assert found["last_name"] in ("Family Name", "Last Name")
    assert found["company"] in ("Organization 1 - Name", "Organization Name")
    assert found["tags"] in ("Group Membership", "Labels")
    assert found["email"] == "E-mail 1 - Value"
    assert found["phone"] == "Phone 1 - Value"
    assert found["address"] == "Address 1 - Street"
    assert found["city"] == "Address 1 - City"
    assert found["postcode"] == "Address 1 - Postal Code"
    assert found["country"] == "Address 1 - Country"
    assert found["region"] == "Address 1 - Region"
    assert (found["date_of_birth"], found["notes"]) == ("Birthday", "Notes")
    # In rows without parts of a name the whole of it counts.
    assert found["name"] in ("Name", "File As")
    assert len(found) == 14


def test_outlook_columns_use_one_complete_address():
    cells = {"Mobile Phone": "1", "Home Street": "x", "Home City": "x", "Business City": "x", "Home Postal Code": "x"}
    found = targets(OUTLOOK, filled(OUTLOOK, **cells))
    assert found == {
        "first_name": "First Name",
        "last_name": "Last Name",
        "company": "Company",
        "email": "E-mail Address",
        "phone": "Mobile Phone",
        "address": "Home Street",
        "city": "Home City",
        "postcode": "Home Postal Code",
        "country": "Home Country/Region",
        "date_of_birth": "Birthday",
        "tags": "Categories",
        "notes": "Notes",
    }


def test_a_state_column_is_a_region_unless_its_values_are_statuses():
    header = ["Name", "City", "State", "Zip"]
    assert targets(header, [["Bo Fox", "Columbus", "OH", "43215"]])["region"] == "State"
    assert "region" not in targets(header, [["Bo Fox", "Columbus", "Active", "43215"]])


def test_the_fullest_of_several_columns_is_mapped():
    assert targets(OUTLOOK, filled(OUTLOOK, **{"Business Phone": "1"}))["phone"] == "Business Phone"
    assert targets(OUTLOOK, filled(OUTLOOK, **{"Home Phone": "1", "Mobile Phone": "2"}))["phone"] == "Mobile Phone"


def test_hubspot_exports_are_mapped():
    found = targets(HUBSPOT_CONTACTS)
    assert found["reference"] == "Record ID - Contact"
    assert found["company"] == "Company Name"
    assert found["owner"] == "Contact owner"
    assert found["source"] == "Original Source"
    assert found["country"] == "Country/Region"
    assert "kind" not in found
    found = targets(HUBSPOT_COMPANIES, filled(HUBSPOT_COMPANIES, Type="Prospect"))
    assert found["reference"] == "Record ID - Company"
    assert (found["company"], found["phone"]) == ("Company name", "Phone Number")
    assert "kind" not in found


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (
            "Kunden-Nr.,Vorname,Nachname,Firma,Straße,PLZ,Ort,Land",
            "reference first_name last_name company address postcode",
        ),
        (
            "Kundennummer,Name,Vorname,Telefon (privat),E-Mail-Adresse,Geburtsdatum",
            "reference last_name first_name phone",
        ),
        (
            "N° client,Nom,Prénom,Société,Courriel,Téléphone portable",
            "reference last_name first_name company email phone",
        ),
        ("Nombre,Apellidos,Empresa,Correo electrónico,Teléfono móvil", "first_name last_name company email phone"),
        ("Nome,Cognome,Azienda,Indirizzo e-mail,Cellulare,Città", "first_name last_name company email phone city"),
        (
            "Voornaam,Achternaam,Bedrijf,E-mailadres,Telefoonnummer,Woonplaats",
            "first_name last_name company email phone city",
        ),
        ("Nome,Sobrenome,Empresa,E-mail,Telemóvel,Código postal", "first_name last_name company email phone postcode"),
        ("firstName,lastName,emailAddress,postalZip,dateOfBirth", "first_name last_name email postcode date_of_birth"),
        ("contact_name,contact_phone,contact_email", "name phone email"),
    ],
)
def test_usual_headings_are_mapped(header, found):
    assert list(targets(header))[: len(found.split())] == found.split()


@pytest.mark.parametrize("record", [Client, Sale])
def test_our_own_exports_are_mapped(record):
    labels = [field.label for field in typed_fields(record).values()]
    assert list(targets(labels, record=record)) == list(typed_fields(record))
    assert list(targets(list(typed_fields(record)), record=record)) == list(typed_fields(record))


def test_a_name_column_of_companies_is_mapped_to_company():
    assert targets("Name,City", [["Sapien Ltd", "Wien"], ["Justo GmbH", "Graz"]])["company"] == "Name"
    assert targets("Name,City", [["Anna Berg", "Wien"]])["name"] == "Name"


def test_columns_of_sales_are_mapped():
    header = "customer_id,date,number_of_cds,dollar_value"
    rows = [["00001", "1997-01-01", "1", "11.77"], ["00011", "1997-01-28", "2", "13.49"]]
    assert targets(header, rows, Sale) == {"client": "customer_id", "on": "date", "amount": "dollar_value"}
    assert targets("Rechnungsdatum,Betrag,E-Mail,Vorname,Nachname,Artikel", (), Sale) == {
        "on": "Rechnungsdatum",
        "amount": "Betrag",
        "client.email": "E-Mail",
        "client.first_name": "Vorname",
        "client.last_name": "Nachname",
        "note": "Artikel",
    }
    assert targets("Customer,Date,Total", [["a@b.at", "1.1.2026", "5"]], Sale)["client.email"] == "Customer"
    assert "name" not in targets("Name,Date,Total", [["Anna Berg", "1.1.2026", "5"]], Sale)


def test_columns_without_a_header_are_recognised_by_their_values():
    columns = [f"Column {place}" for place in range(1, 7)]
    rows = [
        ["Anna Berg", "anna@example.com", "+43 660 1234567", "3.4.1985", "Austria", "red"],
        ["Ben Hof", "ben@example.com", "0660 7654321", "21.12.1990", "Germany", "blue"],
    ]
    found = targets(columns, rows)
    assert list(found) == ["name", "email", "phone", "date_of_birth", "country"]
    found = targets(columns[:3], [["a@b.at", "2026-01-02", "€ 1.234,50"], ["c@d.at", "2026-01-03", "€ 7,00"]], Sale)
    assert list(found) == ["client.email", "on", "amount"]


def test_a_named_column_is_not_taken_for_a_birthday():
    assert targets("Name,Last seen,Kontakt per", [["Anna Berg", "2026-01-02", "anna@example.com"]]) == {
        "name": "Name",
        "email": "Kontakt per",
    }


def test_a_mapping_explains_itself():
    columns, rows = ("Name", "Born", "Paid"), [["A B", "25/12/1985", "1.234,50"], ["C D", "1/2/1990", "2,00"]]
    assert match_columns(columns, rows, Client, AMERICA) == [
        Match("Name", "name", "name"),
        Match("Born", "date_of_birth", "name", date_order="dmy"),
        Match("Paid", "", decimal_mark=","),
    ]


def test_a_row_becomes_the_texts_of_fields():
    matches = [
        Match("Name", "name"),
        Match("Mail", "email"),
        Match("Tel", "phone"),
        Match("Labels", "tags"),
        Match("Born", "date_of_birth", date_order="mdy"),
        Match("Size", "extra:shoe size"),
        Match("Other", ""),
    ]
    mapper = Mapper(matches, AUSTRIA)
    mapped = mapper(["Dr. Anna Berg", "a@b.at ::: c@d.at", "1 ::: 2", "Gold ::: * myContacts", "3/4/1985", "42", "x"])
    assert mapped.fields == {
        "first_name": "Anna", "last_name": "Berg", "email": "a@b.at", "phone": "1", "tags": "Gold",
        "date_of_birth": "1985-03-04",
    }  # fmt: skip
    assert mapped.extra == {"shoe size": "42", "Other e-mail": "c@d.at", "Other phone": "2"}
    assert set(mapper([""] * 7).fields.values()) == {""}
    assert mapper(["", "", "", "", "soon", "", ""]).fields["date_of_birth"] == "soon"


def test_the_first_filled_of_two_columns_for_one_field():
    mapper = Mapper([Match("a", "notes"), Match("b", "notes")], AUSTRIA)
    assert mapper(["x", "y"]).fields == {"notes": "x"}
    assert mapper(["", "y"]).fields == {"notes": "y"}


def test_a_file_from_end_to_end(tmp_path):
    path = tmp_path / "sales.csv"
    write_csv(path, ["Kunde", "Datum", "Betrag"], [["K1", "3.4.2026", "1.234,5"], ["K2", "15.4.2026", "12,-"]])
    source = open_source(path)
    mapper = Mapper(match_columns(source.columns, source.sample, Sale, AMERICA), AMERICA)
    assert [mapper(row.cells).fields for row in source.rows()] == [
        {"client": "K1", "on": "2026-04-03", "amount": "1234.5"},
        {"client": "K2", "on": "2026-04-15", "amount": "12"},
    ]


# Headings as Google, Outlook, HubSpot, Pipedrive, Salesforce and lexoffice write them, and German abbreviations.
HEADINGS = {
    "reference": "Kd-Nr, Kd.-Nr., KdNr, Kdnr., Kunden-Nr., Kundennr., Kundennummer, Debitorennummer, Contact ID,"
    " Record ID - Contact",
    "date_of_birth": "Geb., Geb.-Datum, Geb. am, GebDat, Geburtsdatum, Birthday, Birthdate",
    "phone": "Tel., Tel. gesch., Tel. priv., Tel. mobil, Tel.-Nr., Telefon-Nr., Mobil-Nr., Handy-Nr., Telefon 1,"
    " Phone 1 - Value, Business Phone, Home Phone, Mobile Phone, Person - Phone - Work",
    "email": "E-Mail 1 - Value, E-mail Address, E-Mail 1, E-Mail-Adr., E-Mail gesch., Person - Email - Work",
    "first_name": "Given Name, First Name, Vorname",
    "last_name": "Family Name, Last Name, Nachname",
    "name": "Ansprechpartner, Person - Name, Contact Name",
    "company": "Organization 1 - Name, Organization Name, Account Name, Firma, Firmenname, Person - Organization",
    "address": "Address 1 - Street, Business Street, Street Address, Mailing Street, Straße 1, Str., Strasse/Nr.",
    "city": "Address 1 - City, Business City, Mailing City, Ort 1",
    "postcode": "Address 1 - Postal Code, Mailing Zip/Postal Code, PLZ 1",
    "country": "Address 1 - Country, Business Country/Region, Land 1",
    "region": "Address 1 - Region, Mailing State/Province",
    "tags": "Group Membership, Labels",
    "tax_id": "USt-ID, USt-IdNr., VAT number, UID-Nummer",
    "owner": "Contact owner",
    "source": "Lead Source",
    "notes": "Notiz, Bem.",
    "": "Fax, Tel. Fax, E-mail 1 - Type, Phone 1 - Label, Anrede, Steuernummer",
}


@pytest.mark.parametrize(
    ("heading", "target"), [(one.strip(), target) for target, many in HEADINGS.items() for one in many.split(",")]
)
def test_headings_of_other_programs(heading, target):
    assert match_columns([heading], [[""]], Client, AMERICA)[0].target == target


def test_a_fax_number_is_not_a_phone_number():
    rows = [["+43 1 5551234"], ["+43 1 5551235"]]
    assert match_columns(["Fax"], rows, Client, AUSTRIA)[0].target == ""
    assert match_columns(["Erreichbar"], rows, Client, AUSTRIA)[0].target == "phone"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        # Short names are names where no other column has one.
        (["name|email", "P1|p1@example.com", "P2|p2@example.com"], {"name": "name", "email": "email"}),
        # Numbers of orders are none, and neither are codes beside names.
        (["Name|Email", "#1001|p1@example.com", "#1002|p2@example.com"], {"Email": "email"}),
        (["Name|Company", "P1|Acme", "P2|Borg"], {"Company": "company"}),
    ],
)
def test_short_names_are_names_where_no_other_column_has_them(table: list[str], expected: dict[str, str]) -> None:
    heading, *rows = (line.split("|") for line in table)
    matches = match_columns(heading, rows, Client, AMERICA)
    assert {match.column: match.target for match in matches if match.target} == expected
