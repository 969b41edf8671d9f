"""Cells from other programs: impossible dates, missing values, other currencies, text marked by an apostrophe, several
values in one."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crm.errors import FieldError
from crm.files import Mapper, match_columns
from crm.model import Client, Conventions, Sale, fields
from crm.model.fields import Amount, Country
from tests.support.clocks import standing_on
from tests.support.file_records import read_records

pytestmark = pytest.mark.dated

CLOCK = standing_on(date(2026, 11, 21))
AMERICA = Conventions(clock=CLOCK)
AUSTRIA = Conventions(language="de_AT", currency="EUR", country="AT", clock=CLOCK)


@pytest.fixture
def put(tmp_path: Path) -> Any:
    def write(text: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def mapped(heading: str, *rows: str, record: Any = Client, by: Conventions = AMERICA) -> list[dict[str, str]]:
    """The filled fields of rows of cells with a bar between."""
    cells = [row.split("|") for row in rows]
    mapper = Mapper(match_columns(heading.split("|"), cells, record, by), by)
    return [{name: text for name, text in mapper(row).fields.items() if text.strip()} for row in cells]


# Dates

NO_DATE = [
    "0/0/00", "0.0.00", "00.00.0000", "0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "0/0/0000", "0-0-0",
    "00000000",
    "01/01/0001", "1/1/0001 12:00:00 AM", "0001-01-01", "0001-01-01T00:00:00Z", "01.01.0001", "1/0/1900", "0-Jan-00",
    "1900-01-00", "1900-01-01", "01.01.1900", "1/1/1900", "1899-12-30", "30.12.1899", "12/31/1899", "1601-01-01",
    "1753-01-01", "9999-12-31", "31.12.9999", "4501-01-01", "1/1/4501", "n/a", "none", "NULL", "-", "--", "unknown",
    "#N/A", "keine",
]  # fmt: skip


@pytest.mark.parametrize("written", NO_DATE)
def test_empty_dates_of_other_programs_are_blank(written: str) -> None:
    found = mapped("Name|Birthday", f"Ada Lind|{written}", "Bo Marsh|4/12/1980", "Cy Orr|2/28/1990")
    assert "date_of_birth" not in found[0]
    assert found[1]["date_of_birth"] == "1980-04-12"


@pytest.mark.parametrize("written", ["03/24/0085", "0085-03-24", "3/24/0985", "2/30/1985", "13/13/1985"])
def test_a_year_in_four_digits_is_that_year(written: str) -> None:
    text = mapped("Name|Birthday", f"Ada Lind|{written}", "Bo Marsh|4/12/1980", "Cy Orr|2/28/1990")[0]["date_of_birth"]
    with pytest.raises(FieldError):
        fields(Client)["date_of_birth"].check.read(text, AMERICA)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("--03-24", "Mar 24"), ("--0324", "Mar 24"), (" --03-24", "Mar 24"), ("1604-03-24", "Mar 24"),
        ("24 March", "Mar 24"), ("March 24", "Mar 24"), ("24. März", "Mar 24"), ("24.3.", "Mar 24"),
        ("24.03.", "Mar 24"), ("3/24", "Mar 24"), ("--02-29", "Feb 29"), ("Mar 24", "Mar 24"),
    ],
)  # fmt: skip
def test_a_birthday_without_a_year_goes_to_the_notes(written: str, expected: str) -> None:
    found = mapped("Name|Birthday|Notes", f"Ada Lind|{written}|likes oak", "Bo Marsh|4/12/1980|", "Cy Orr|2/28/1990|")
    assert "date_of_birth" not in found[0]
    assert found[0]["notes"] == f"likes oak\nBirthday: {expected} (no year given)"


@pytest.mark.parametrize(
    ("heading", "row", "born"),
    [
        ("Name|Birth Year|Birth Month|Birth Day", "Ada Lind|1985|3|24", "1985-03-24"),
        ("Name|Birth day|Birth month|Birth year", "Ada Lind|24|03|1985", "1985-03-24"),
        ("Name|Birth Year|Birth Month|Birth Day", "Ada Lind|1985|March|24", "1985-03-24"),
        ("Name|Birthday Day|Birthday Month|Birthday Year", "Ada Lind|24|3|1985", "1985-03-24"),
        ("Name|Geburtsjahr|Geburtsmonat|Geburtstag", "Ada Lind|1985|3|24", "1985-03-24"),
        ("Name|Year of birth|Month of birth|Day of birth", "Ada Lind|1985|3|24", "1985-03-24"),
        ("Name|Birth Year|Birth Month|Birth Day", "Ada Lind|85|3|24", "1985-03-24"),
        ("Name|Birth Year|Birth Month|Birth Day", "Ada Lind|||", None),
        ("Name|Birth Year|Birth Month|Birth Day", "Ada Lind|0|0|0", None),
        ("Name|Birth Year|Birth Month|Birth Day", "Ada Lind|1985||", None),
        ("Name|Birthday|Birth Year|Birth Month|Birth Day", "Ada Lind|3/24/1985|1985|3|24", "1985-03-24"),
        ("Name|Birth Day", "Ada Lind|3/24/1985", "1985-03-24"),
    ],
)
def test_a_birthday_in_three_columns(heading: str, row: str, born: str | None) -> None:
    assert mapped(heading, row)[0].get("date_of_birth") == born


def test_a_birthday_in_columns_without_the_year_goes_to_the_notes() -> None:
    found = mapped("Name|Birth Year|Birth Month|Birth Day", "Ada Lind||3|24")
    assert found[0]["notes"] == "Birthday: Mar 24 (no year given)"


@pytest.mark.parametrize(
    ("heading", "written", "born"),
    [
        ("Birthday (dd/mm/yyyy)", "3/4/1985", "1985-04-03"),
        ("Birthday (MM/DD/YYYY)", "3/4/1985", "1985-03-04"),
        ("Date of birth [dd.mm.yyyy]", "3.4.1985", "1985-04-03"),
        ("Geburtsdatum (TT.MM.JJJJ)", "3.4.1985", "1985-04-03"),
        ("Birthday (YYYY-MM-DD)", "1985-04-03", "1985-04-03"),
        ("Date of birth *", "1985-04-03", "1985-04-03"),
        ("Birthday (optional)", "1985-04-03", "1985-04-03"),
    ],
)
def test_a_date_format_in_the_heading_is_used(heading: str, written: str, born: str) -> None:
    assert mapped(f"Name|{heading}", f"Ada Lind|{written}")[0]["date_of_birth"] == born


@pytest.mark.parametrize(
    ("written", "born"),
    [("31129", "1985-03-23"), ("31129.0", "1985-03-23"), ("31129.5", "1985-03-23"), ("36526", "2000-01-01")],
)
def test_excel_serial_dates_are_read(written: str, born: str) -> None:
    found = mapped("Name|Birthday", f"Ada Lind|{written}", "Bo Marsh|30000")
    assert found[0]["date_of_birth"] == born


# Amounts


@pytest.mark.parametrize(
    ("written", "currency"),
    [
        ("€90.00", "EUR"), ("90.00 EUR", "EUR"), ("EUR 90", "EUR"), ("¥10,000", "JPY"), ("£1,234.50", "GBP"),
        ("CHF 1'234.50", "CHF"), ("90 zł", "PLN"), ("R$ 90", "BRL"), ("CA$90", "CAD"), ("90 kr", "SEK"),
        ("₹1,00,000", "INR"), ("90 Euro", "EUR"), ("AUD90", "AUD"), ("90,00 €", "EUR"),
    ],
)  # fmt: skip
def test_an_amount_in_another_currency_is_refused(written: str, currency: str) -> None:
    text = mapped(
        "Email|Date|Amount", f"ada@example.org|2026-10-01|{written}", "b@example.org|2026-10-02|5.00", record=Sale
    )[0]["amount"]
    with pytest.raises(FieldError) as refused:
        Amount().read(text, AMERICA)
    assert currency in str(refused.value)
    assert "USD" in str(refused.value)
    with pytest.raises(FieldError):
        Amount().read(written, AMERICA)


@pytest.mark.parametrize(
    ("written", "by", "amount"),
    [
        ("$90.00", AMERICA, "90.00"), ("US$ 90", AMERICA, "90"), ("90 USD", AMERICA, "90"),
        ("USD 1,090.00", AMERICA, "1090.00"),
        ("€ 90,00", AUSTRIA, "90.00"), ("90,00 EUR", AUSTRIA, "90.00"), ("90,00 Euro", AUSTRIA, "90.00"),
        ("90,- €", AUSTRIA, "90"),
        ("Fr. 1'090.00", Conventions(language="de_CH", currency="CHF", clock=CLOCK), "1090.00"),
        ("$90.00", Conventions(language="en_CA", currency="CAD", clock=CLOCK), "90.00"),
        ("kr 90", Conventions(language="nb_NO", currency="NOK", clock=CLOCK), "90"),
        ("1 090,00 zł", Conventions(language="pl_PL", currency="PLN", clock=CLOCK), "1090.00"),
    ],
)  # fmt: skip
def test_an_amount_in_the_teams_currency(written: str, by: Conventions, amount: str) -> None:
    rows = [f"ada@example.org|2026-10-01|{written}"]
    assert mapped("Email|Date|Amount", *rows, record=Sale, by=by)[0]["amount"] == amount


@pytest.mark.parametrize("written", ["12 pcs", "12 %", "12 km", "a lot", "12/5", "twelve"])
def test_text_that_is_not_an_amount_is_refused(written: str) -> None:
    text = mapped("Email|Date|Amount", f"ada@example.org|2026-10-01|{written}", record=Sale)[0]["amount"]
    with pytest.raises(FieldError):
        Amount().read(text, AMERICA)


@pytest.mark.parametrize(
    ("heading", "currency"),
    [
        ("Amount (USD)", "USD"), ("Amount USD", "USD"), ("Amount in USD", "USD"), ("Total [$]", "USD"),
        ("Total ($)", "USD"),
        ("amount_usd", "USD"), ("USD Amount", "USD"), ("Amount (EUR)", "EUR"), ("Betrag (EUR)", "EUR"),
        ("Umsatz in €", "EUR"),
        ("Umsatz €", "EUR"), ("Price (£)", "GBP"), ("Montant EUR", "EUR"), ("Amount (US Dollar)", "USD"),
    ],
)  # fmt: skip
def test_the_currency_in_a_heading(heading: str, currency: str) -> None:
    text = mapped(f"Email|Date|{heading}", "ada@example.org|2026-10-01|12.00", record=Sale)[0]["amount"]
    if currency == "USD":
        assert text == "12.00"
    else:
        with pytest.raises(FieldError, match=currency):
            Amount().read(text, AMERICA)


@pytest.mark.parametrize(
    "heading", ["Amount (net)", "Amount (gross)", "Total amount*", "Amount (2026)", "Amount [incl. VAT]"]
)
def test_a_remark_in_a_heading_is_ignored(heading: str) -> None:
    assert mapped(f"Email|Date|{heading}", "ada@example.org|2026-10-01|12.00", record=Sale)[0]["amount"] == "12.00"


@pytest.mark.parametrize("name", ["Currency", "Currency code", "Währung", "Devise", "Moneda", "Valuta", "Cur."])
def test_a_column_with_the_currency(name: str) -> None:
    rows = [
        "a@example.org|2026-10-01|12.00|USD",
        "a@example.org|2026-10-02|13.00|eur",
        "a@example.org|2026-10-03|14.00|",
        "a@example.org|2026-10-04|15.00|$",
    ]
    texts = [row["amount"] for row in mapped(f"Email|Date|Amount|{name}", *rows, record=Sale)]
    assert [texts[0], texts[2], texts[3]] == ["12.00", "14.00", "15.00"]
    with pytest.raises(FieldError, match="EUR"):
        Amount().read(texts[1], AMERICA)


# Countries

COUNTRIES = {
    "Deutschland": "DE", "Österreich": "AT", "Oesterreich": "AT", "Schweiz": "CH", "Suisse": "CH", "España": "ES",
    "Espana": "ES",
    "Italia": "IT", "Polska": "PL", "Česko": "CZ", "Czechia": "CZ", "Magyarország": "HU", "Nederland": "NL",
    "Danmark": "DK",
    "Norge": "NO", "Sverige": "SE", "Suomi": "FI", "Ελλάδα": "GR", "Россия": "RU", "日本": "JP", "中国": "CN",
    "Türkiye": "TR",
    "Turkey": "TR", "Brasil": "BR", "México": "MX", "Mexico": "MX", "Hrvatska": "HR", "Slovenija": "SI",
    "AUT": "AT", "CHE": "CH", "USA": "US", "GBR": "GB", "gbr": "GB", "KOR": "KR", "040": "AT", "276": "DE",
    "Iran, Islamic Republic of": "IR", "Iran (Islamic Republic of)": "IR", "Tanzania, United Republic of": "TZ",
    "United Republic of Tanzania": "TZ", "Venezuela, Bolivarian Republic of": "VE",
    "Bolivia (Plurinational State of)": "BO",
    "Moldova, Republic of": "MD", "Republic of Moldova": "MD", "Taiwan, Province of China": "TW",
    "Syrian Arab Republic": "SY",
    "Lao People's Democratic Republic": "LA", "Korea, Democratic People's Republic of": "KP", "Republic of Korea": "KR",
    "Macedonia": "MK", "North Macedonia": "MK", "Swaziland": "SZ", "Eswatini": "SZ", "Burma": "MM", "Myanmar": "MM",
    "Cape Verde": "CV", "Cabo Verde": "CV", "Ivory Coast": "CI", "Cote d'Ivoire": "CI", "Côte d\u2019Ivoire": "CI",
    "Brunei Darussalam": "BN", "Macao": "MO", "Macau": "MO", "Palestine, State of": "PS", "Holy See": "VA",
    "Vatican": "VA",
    "Congo, Democratic Republic of the": "CD", "DR Congo": "CD", "Republic of the Congo": "CG", "Congo": "CG",
    "Trinidad & Tobago": "TT", "Trinidad and Tobago": "TT", "Antigua and Barbuda": "AG", "St. Lucia": "LC",
    "Saint Lucia": "LC",
    "St Kitts and Nevis": "KN", "Micronesia, Federated States of": "FM", "Sao Tome and Principe": "ST", "Réunion": "RE",
    "The Netherlands": "NL", "Netherlands, The": "NL", "Holland": "NL", "Great Britain": "GB",
    "United Kingdom of Great Britain and Northern Ireland": "GB",
    "England": "GB", "Scotland": "GB", "Wales": "GB", "Northern Ireland": "GB", "U.K.": "GB", "U.S.A.": "US",
    "United States of America": "US",
    "UAE": "AE", "U.A.E.": "AE", "PRC": "CN", "People's Republic of China": "CN", "Slovak Republic": "SK",
    "Czech Republic": "CZ",
    "Kyrgyz Republic": "KG", "Libyan Arab Jamahiriya": "LY", "East Timor": "TL", "Timor-Leste": "TL", "Kosovo": "XK",
    "Germany (DE)": "DE", "DE - Germany": "DE", "Germany, Federal Republic of": "DE",
    "Bundesrepublik Deutschland": "DE", "D": "DE", "A": "AT",
    "  germany ": "DE", "GERMANY": "DE", "el": "GR", "Éire": "IE", "Republic of Ireland": "IE", "Irland": "IE",
    "Alemania": "DE",
    "Vereinigte Staaten": "US", "Frankreich": "FR", "Royaume-Uni": "GB", "Estados Unidos": "US", "Belgique": "BE",
    "België": "BE",
    "Guinea": "GN", "Niger": "NE", "Nigeria": "NG", "Georgia": "GE", "Jersey": "JE", "India": "IN", "Oman": "OM",
}  # fmt: skip


@pytest.mark.parametrize("by", [AMERICA, AUSTRIA], ids=["American", "Austrian"])
def test_names_of_countries(by: Conventions) -> None:
    read = {}
    for name in COUNTRIES:
        try:
            read[name] = Country().read(name, by)
        except FieldError:
            read[name] = ""
    assert read == COUNTRIES


@pytest.mark.parametrize("name", ["(unknown)", "Atlantis", "Wien", "x", "Europe", "12345"])
def test_an_unknown_country_is_kept_with_a_warning(name: str) -> None:
    with pytest.raises(FieldError):
        Country().read(name, AMERICA)
    assert Country().keeps_unreadable
    assert Country().doubt(name, AMERICA)
    assert Country().show(name, AMERICA) == name
    assert not Country().doubt("AT", AMERICA)


# Several columns for one field


@pytest.mark.parametrize(
    ("heading", "row", "expected"),
    [
        ("Name|Work phone|Mobile phone", "Ada Lind||202 555 0144", {"phone": "202 555 0144"}),
        ("Name|Work phone|Mobile phone", "Ada Lind|202 555 0143|202 555 0144", {"phone": "202 555 0144"}),
        ("Name|Mobile|Home Phone|Business Phone", "Ada Lind|||202 555 0143", {"phone": "202 555 0143"}),
        ("Name|Email|Email 2", "Ada Lind||ada@example.org", {"email": "ada@example.org"}),
        ("Name|E-mail 1 - Value|E-mail 2 - Value|E-mail 3 - Value",
        "Ada Lind|||ada@example.org", {"email": "ada@example.org"}),
        ("Name|Primary Email|Secondary Email", "Ada Lind||ada@example.org", {"email": "ada@example.org"}),
        ("Name|Email (work)|Email (home)", "Ada Lind||ada@example.org", {"email": "ada@example.org"}),
        ("Name|Telefon geschäftlich|Mobiltelefon|Telefon (privat)", "Ada Lind|||0202 555", {"phone": "0202 555"}),
        ("Name|Private E-Mail|Geschäftliche E-Mail", "Ada Lind||ada@example.org", {"email": "ada@example.org"}),
        ("Name|Phone|Fax", "Ada Lind||202 555 0149", {}),
        ("Name|Email|Member rating", "Ada Lind||2", {}),
        ("Name|Home City|Home Country|Business City|Business Country", "Ada Lind|||Graz|Austria", {"city": "Graz",
        "country": "Austria"}),
        ("Name|Home City|Home Country|Business City|Business Country", "Ada Lind|Linz||Graz|", {"city": "Linz"}),
        ("First Name|Last Name|Display Name", "||Ada Lind", {"first_name": "Ada", "last_name": "Lind"}),
    ],
)  # fmt: skip
def test_the_first_filled_of_several_columns_is_used(heading: str, row: str, expected: dict[str, str]) -> None:
    names = heading.split("|")
    # Others fill the first columns.
    words = {"ame": "Bo Marsh", "ail": "bo@example.org", "City": "Wien", "Country": "Italy"}
    full = "|".join(next((text for part, text in words.items() if part in name), "202 555 0100") for name in names)
    found = mapped(heading, row, full, full, full)[0]
    assert found == {"first_name": "Ada", "last_name": "Lind"} | expected


@pytest.mark.parametrize(
    ("written", "email"),
    [
        ("Ada Lind <ada@example.org>", "ada@example.org"),
        ("mailto:ada@example.org", "ada@example.org"),
        ("ada@example.org; bo@example.org", "ada@example.org"),
        ("ada@example.org, bo@example.org", "ada@example.org"),
        ("ada@example.org / bo@example.org", "ada@example.org"),
        ("ada@example.org\nbo@example.org", "ada@example.org"),
        ("ada@example.org ::: bo@example.org", "ada@example.org"),
        ("<ada@example.org>", "ada@example.org"),
        ("\u200bada@example.org", "ada@example.org"),
        ("ada@example.org\u00a0", "ada@example.org"),
        ("'ada@example.org'", "ada@example.org"),
        ("ada at example", "ada at example"),
    ],
)
def test_an_address_among_other_things(written: str, email: str) -> None:
    assert mapped("Name|Email", f"Ada Lind|{written}", "Bo Marsh|bo@example.org")[0]["email"] == email


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("+1 202 555 0143; +1 202 555 0144", "+1 202 555 0143"),
        ("+1 202 555 0143 ::: +1 202 555 0144", "+1 202 555 0143"),
        ("+1 202 555 0143, +1 202 555 0144", "+1 202 555 0143"),
        ("+1 202 555 0143\n+1 202 555 0144", "+1 202 555 0143"),
        ("tel:+12025550143", "+12025550143"),
        ("0664/123 45 67", "0664/123 45 67"),
        ("+1 202 555 0143 or 0144", "+1 202 555 0143"),
        ("'+12025550143", "+12025550143"),
        ("\u202a+12025550143\u202c", "+12025550143"),
    ],
)
def test_a_number_among_other_things(written: str, phone: str) -> None:
    assert mapped("Name|Phone", f"Ada Lind|{written}", "Bo Marsh|+1 202 555 0100")[0]["phone"] == phone


@pytest.mark.parametrize(
    ("column", "nothing"),
    [
        (column, nothing)
        for column in ("Email", "Phone", "Birthday", "Country")
        for nothing in (
            "n/a",
            "N/A",
            "NULL",
            "null",
            "-",
            "--",
            "\u2014",
            "#N/A",
            "(none)",
            "(blank)",
            "k.A.",
            "nan",
            "?",
            ".",
        )
    ]
    + [
        (column, word) for column in ("Email", "Phone", "Country") for word in ("none", "unknown", "keine", "Unbekannt")
    ],
)
def test_words_for_missing_values_are_blank(column: str, nothing: str) -> None:
    found = mapped(f"Name|{column}", f"Ada Lind|{nothing}")[0]
    assert found == {"first_name": "Ada", "last_name": "Lind"}


@pytest.mark.parametrize("name", ["Null", "None", "Na", "Unknown"])
def test_a_person_may_be_called_null(name: str) -> None:
    assert mapped("First name|Last name|Email", f"Ada|{name}|ada@example.org")[0]["last_name"] == name


# Text that a sign keeps as it is


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('"=""00042"""', "00042"), ('="00042"', "00042"), ('"=""a """"b"""" c"""', 'a "b" c'), ("'00042", "00042"),
        ('=""', ""),
        ('"=""=1+1"""', "=1+1"), ("'=1+1", "=1+1"), ("=1+1", "=1+1"), ("''x", "''x"),
        ("'s Gravenhage", "'s Gravenhage"),
        ('"= ""00042"""', "00042"), ('=T("00042")', "00042"),
    ],
)  # fmt: skip
def test_text_marked_with_an_apostrophe_stays_text(put: Any, cell: str, text: str) -> None:
    found, _ = read_records(put(f"First name,Last name,Customer No\nAda,Lind,{cell}\n"))
    assert found[0].get("reference", "") == text


@pytest.mark.parametrize(
    ("written", "notes"),
    [
        ("one\u2028two", "one\ntwo"), ("one\u2029two", "one\ntwo"), ("one\vtwo", "one\ntwo"),
        ("one\ftwo", "one\ntwo"), ("one\u0085two", "one\ntwo"),
        ("o\u202ene", "one"), ("o\x07ne", "one"), ("\ufeffone", "one"), ("one\x1a", "one"),
    ],
)  # fmt: skip
def test_invisible_characters_lose_no_row(put: Any, written: str, notes: str) -> None:
    found, refused = read_records(put(f'First name,Last name,Notes\nAda,Lind,"{written}"\n'))
    assert not refused
    assert found[0]["notes"] == notes


@pytest.mark.parametrize("name", ["#1001", "1001", "INV-2026-0001", "7/2026"])
def test_numbers_are_not_names(name: str) -> None:
    rows = [f"{name}|ada@example.org", f"{name}7|bo@example.org"]
    assert all("first_name" not in row and "last_name" not in row for row in mapped("Name|Email", *rows))
