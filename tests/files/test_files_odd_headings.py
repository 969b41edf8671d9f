"""Headings in short, with punctuation, or of several fields at once, as people type them into their own lists."""

import pytest

from crm.files import Mapper, match_columns
from crm.files.headers import meaning_of
from crm.files.places import split_place
from crm.model import Client, Conventions

AMERICA = Conventions()
AUSTRIA = Conventions(language="de_AT", currency="EUR", country="AT")


@pytest.mark.parametrize(
    ("heading", "target"),
    [
        ("Acct #", "reference"),
        ("Cust. No.", "reference"),
        ("Client #", "reference"),
        ("Co. Name", "company"),
        ("Comp.", "company"),
        ("Org / Company", "company"),
        ("Fst Nm", "first_name"),
        ("Lst. Nm.", "last_name"),
        ("lastname", "last_name"),
        ("E-mail Addr", "email"),
        ("Eml", "email"),
        ("Ph (main)", "phone"),
        ("Phone #", "phone"),
        ("Wk Ph", "phone"),
        ("phone no.", "phone"),
        ("Phone / Mobile", "phone"),
        ("Addr Line 1", "address"),
        ("Street Addr.", "address"),
        ("Addr, City, State, Zip", "address"),
        ("City or Town", "city"),
        ("Postal-Code", "postcode"),
        ("zipcode", "postcode"),
        ("B-day", "date_of_birth"),
        ("B'day", "date_of_birth"),
        ("D.O.B.", "date_of_birth"),
        ("Mailing List?", "marketing_consent"),
        ("Newsletter Y/N", "marketing_consent"),
        ("Newsletter (J/N)", "marketing_consent"),
        ("Account Rep", "owner"),
        ("Cmts", "notes"),
        ("City/State/ZIP", "place"),
        ("City, ST, Zip", "place"),
        ("City & State", "place"),
        ("Mailing City/State/Zip", "place"),
        ("PLZ/Ort", "place"),
        ("CP Ville", "place"),
        # What is none of a client's fields, though parts of it look so.
        ("Name or Company", ""),
        ("Name & Address", ""),
        ("Phone Type", ""),
        ("City Population", ""),
        ("St", ""),
        ("Co-op", ""),
        ("YTD $", ""),
    ],
)
def test_a_heading_in_short_or_with_punctuation_is_understood(heading: str, target: str) -> None:
    meaning = meaning_of(heading, sales=False)
    assert (meaning.target if meaning else "") == target


@pytest.mark.parametrize(
    ("cell", "city", "region", "postcode", "country"),
    [
        ("Columbus, OH 43215", "Columbus", "OH", "43215", ""),
        ("Columbus OH 43215-1234", "Columbus", "OH", "43215-1234", ""),
        ("SANTA FE NM 87501", "SANTA FE", "NM", "87501", ""),
        ("St. Paul / MN / 55101", "St. Paul", "MN", "55101", ""),
        ("Columbus, Ohio 43215, USA", "Columbus", "Ohio", "43215", "USA"),
        ("Toronto, ON M5V 2T6", "Toronto", "ON", "M5V 2T6", ""),
        ("1010 Wien", "Wien", "", "1010", ""),
        ("D-80331 München", "München", "", "D-80331", ""),
        ("London SW1A 1AA", "London", "", "SW1A 1AA", ""),
        ("1012 AB Amsterdam", "Amsterdam", "", "1012 AB", ""),
        ("Atlanta, GA", "Atlanta", "GA", "", ""),
        ("43215", "", "", "43215", ""),
        ("New Albany", "New Albany", "", "", ""),
        ("SANTA FE", "SANTA FE", "", "", ""),
        # A state that is called like a country, and countries behind.
        ("Atlanta, Georgia", "Atlanta", "Georgia", "", ""),
        ("Atlanta, Georgia 30301, USA", "Atlanta", "Georgia", "30301", "USA"),
        ("Columbus, OH 43215 USA", "Columbus", "OH", "43215", "USA"),
        ("Wilmington, DE", "Wilmington", "DE", "", ""),
        ("Toronto, ON, CA", "Toronto", "ON", "", "CA"),
        ("London, UK", "London", "", "", "UK"),
        ("Paris, France", "Paris", "", "", "France"),
        # A slash in a name.
        ("60311 Frankfurt/Main", "Frankfurt/Main", "", "60311", ""),
        ("Columbus/OH/43215", "Columbus", "OH", "43215", ""),
        # What cannot be taken apart stays one text.
        ("Dublin, D04 X4C7", "Dublin, D04 X4C7", "", "", ""),
        ("SE-111 22 Stockholm", "SE-111 22 Stockholm", "", "", ""),
    ],
)
def test_a_cell_with_city_state_and_postcode_is_taken_apart(
    cell: str, city: str, region: str, postcode: str, country: str
) -> None:
    parts = {"city": city, "region": region, "postcode": postcode, "country": country}
    assert split_place(cell, AMERICA) == {name: text for name, text in parts.items() if text}


def test_a_cell_with_a_country_in_two_letters_is_taken_apart_behind_a_postcode() -> None:
    assert split_place("10117 Berlin, DE", AUSTRIA) == {"postcode": "10117", "city": "Berlin", "country": "DE"}
    assert split_place("Wien, AT", AUSTRIA) == {"city": "Wien", "country": "AT"}
    assert split_place("Atlanta, GA", AUSTRIA) == {"city": "Atlanta", "region": "GA"}
    assert split_place("Tbilisi, Georgia", AUSTRIA) == {"city": "Tbilisi", "country": "Georgia"}


def test_a_place_that_cannot_be_taken_apart_is_a_doubt() -> None:
    header, row = ["Name", "PLZ Ort"], ["Ada Quist", "SE-111 22 Stockholm"]
    mapped = Mapper(match_columns(header, [row], Client, AUSTRIA), AUSTRIA)(row)
    assert (mapped.fields["city"], [doubt[:2] for doubt in mapped.doubts]) == (row[1], [("city", row[1])])


def test_a_list_of_ones_own_comes_in_by_its_odd_headings() -> None:
    header = ["Acct #", "Co. Name", "Ph (main)", "Cell", "Addr Line 1", "City/State/ZIP", "Mailing List?", "Remarks"]
    row = ["C-7", "Elm Bakery", "(614) 555-0100", "614.555.0200", "7 Elm St", "Dublin, OH 43017", "Y", "rye only"]
    mapped = Mapper(match_columns(header, [row], Client, AMERICA), AMERICA)(row)
    assert mapped.fields | {"phone": ""} == {
        "reference": "C-7", "company": "Elm Bakery", "phone": "", "address": "7 Elm St", "city": "Dublin",
        "region": "OH", "postcode": "43017", "country": "", "marketing_consent": "Y", "notes": "rye only",
    }  # fmt: skip
    # The main number is the client's, the other one is kept beside it.
    assert (mapped.fields["phone"], *mapped.extra.values()) == ("(614) 555-0100", "+16145550200")


def test_parts_of_a_place_that_have_columns_of_their_own_are_not_overwritten() -> None:
    header, row = ["Name", "PLZ Ort", "Stadt"], ["Ada Quist", "8010 Graz", "Graz-Liebenau"]
    fields = Mapper(match_columns(header, [row], Client, AUSTRIA), AUSTRIA)(row).fields
    assert (fields["postcode"], fields["city"]) == ("8010", "Graz-Liebenau")
