"""The parser of typed invoice lines, odd ones first."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from crm.errors import FieldError
from crm.invoicing.typed_lines import read_line
from crm.model.conventions import Conventions

ENGLISH = Conventions(language="en_GB", currency="EUR")
GERMAN = Conventions(language="de_DE", currency="EUR")
FRENCH = Conventions(language="fr_FR", currency="EUR")
SWISS = Conventions(language="de_CH", currency="CHF")


@pytest.mark.parametrize(
    ("typed", "quantity", "unit", "name", "price", "rate"),
    [
        ("3D printing 50", "1", "C62", "3D printing", "50", None),
        ("3 h Workshop 4 000 19%", "3", "HUR", "Workshop", "4000", "19"),
        ("Kitchen 12 500 000.50 19%", "1", "C62", "Kitchen", "12500000.50", "19"),
        ("Kitchen 4 000.50 EUR", "1", "C62", "Kitchen", "4000.50", None),
        ("Kitchen 4 050", "1", "C62", "Kitchen", "4050", None),
        ("Workshop 1 000 500", "1", "C62", "Workshop", "1000500", None),
        ("Workshop 1 234 567.50", "1", "C62", "Workshop", "1234567.50", None),
        ("Workshop 4\u00a0500", "1", "C62", "Workshop", "4500", None),
        ("Workshop 4\u202f500,50 10%", "1", "C62", "Workshop", "4500.50", "10"),
        ("Workshop \u20ac4 500", "1", "C62", "Workshop", "4500", None),
        ("Workshop EUR 4 500", "1", "C62", "Workshop", "4500", None),
        ("Discount -1 500", "-1", "C62", "Discount", "1500", None),
        ("-2 x Less -5", "2", "C62", "Less", "5", None),
        ("3 h Less \u22125.50 7%", "-3", "HUR", "Less", "5.50", "7"),
        ("Room 101 EUR 500", "1", "C62", "Room 101", "500", None),
        ("Table 2 EUR 500", "1", "C62", "Table 2", "500", None),
        ("1 x Seat A4 100", "1", "C62", "Seat A4", "100", None),
        ("1 x Part B2 500 19%", "1", "C62", "Part B2", "500", "19"),
        ("1 x A1 100", "1", "C62", "A1", "100", None),
        ("Table #2 500.50 EUR", "1", "C62", "Table #2", "500.50", None),
        ("Model R4 500", "1", "C62", "Model R4", "500", None),
        ("Part USB3 100", "1", "C62", "Part USB3", "100", None),
        ("Hall A4 100 000", "1", "C62", "Hall A4", "100000", None),
        ("Fair -\u20ac4 500", "-1", "C62", "Fair", "4500", None),
        ("Fair EUR4 500.50", "1", "C62", "Fair", "4500.50", None),
        ("Table 2 \u20ac500", "1", "C62", "Table 2", "500", None),
        ("Calendar 2024 500", "1", "C62", "Calendar 2024", "500", None),
        ("Size 0 500", "1", "C62", "Size 0", "500", None),
        ("Table 2 50", "1", "C62", "Table 2", "50", None),
        ("4 000 Table 50", "4", "C62", "000 Table", "50", None),
        ("3M tape 2.50", "1", "C62", "3M tape", "2.50", None),
        ("10% discount on tables -20", "-1", "C62", "10% discount on tables", "20", None),
        ("Milk 3.5% 2 19%", "1", "C62", "Milk 3.5%", "2", "19"),
        ("Python 3.13.0 course 900", "1", "C62", "Python 3.13.0 course", "900", None),
        ("Version 1.2.3", "1", "C62", "Version 1.2.3", None, None),
        ("Rope 50 ft", "1", "C62", "Rope 50 ft", None, None),
        ("-2 x Table 50", "-2", "C62", "Table", "50", None),
        ("\u22122 x Table 50", "-2", "C62", "Table", "50", None),
        ("2 x x-ray 50", "2", "C62", "x-ray", "50", None),
        ("h 100", "1", "C62", "h", "100", None),
        ("3 h Consulting 100", "3", "HUR", "Consulting", "100", None),
        ("3h Consulting 100", "3", "HUR", "Consulting", "100", None),
        ("3 hours x Consulting 100", "3", "HUR", "Consulting", "100", None),
        ("2 x Table 49.90 19%", "2", "C62", "Table", "49.90", "19"),
        ("2x Table 49.90 19 %", "2", "C62", "Table", "49.90", "19"),
        ("2 \u00d7 Table 49,90 5.5%", "2", "C62", "Table", "49.90", "5.5"),
        ("Consulting 100", "1", "C62", "Consulting", "100", None),
        ("Consulting", "1", "C62", "Consulting", None, None),
        ("Consulting 19%", "1", "C62", "Consulting", None, "19"),
        ("3 Consulting", "3", "C62", "Consulting", None, None),
        ("  3   h  Long   name  here 100 ", "3", "HUR", "Long name here", "100", None),
        ("Table €49.90", "1", "C62", "Table", "49.90", None),
        ("Table 49.90€", "1", "C62", "Table", "49.90", None),
        ("Table -49.90€", "-1", "C62", "Table", "49.90", None),
        ("Table 49.90 EUR 7%", "1", "C62", "Table", "49.90", "7"),
        ("Table EUR 49.90", "1", "C62", "Table", "49.90", None),
        ("Server 1,234.50", "1", "C62", "Server", "1234.50", None),
        ("1,000 Flyers 0.0125", "1000", "C62", "Flyers", "0.0125", None),
        ("1.5 kg Screws .05", "1.5", "KGM", "Screws", ".05", None),
        ("10 hours Consulting @ €150", "10", "HUR", "Consulting", "150", None),
        ("10 hours Consulting @€150 19%", "10", "HUR", "Consulting", "150", "19"),
        ("10 h Consulting @ 150 EUR", "10", "HUR", "Consulting", "150", None),
        ("2 x Logo @2x 100", "2", "C62", "Logo @2x", "100", None),
        ("Support @ home 5", "1", "C62", "Support @ home", "5", None),
        ("Consulting \u200e100", "1", "C62", "Consulting", "100", None),
        ("2 DAY Training 800", "2", "DAY", "Training", "800", None),
        ('#panic("x") $x^2$ 5', "1", "C62", '#panic("x") $x^2$', "5", None),
    ],
)
def test_a_line_is_read(typed: str, quantity: str, unit: str, name: str, price: str | None, rate: str | None) -> None:
    line = read_line(typed, ENGLISH)
    assert (line.quantity, line.unit, line.name) == (D(quantity), unit, name)
    assert line.price == (D(price) if price else None)
    assert line.rate == (D(rate) if rate else None)


@pytest.mark.parametrize(
    ("typed", "conventions", "quantity", "price"),
    [
        ("1.000 Flyer 0,0125", GERMAN, "1000", "0.0125"),
        ("1,5 Std Beratung 1.234,50", GERMAN, "1.5", "1234.50"),
        ("2 Stück Tisch 49.90", GERMAN, "2", "49.90"),
        ("2 Stk Tisch 1'234.50", SWISS, "2", "1234.50"),
        ("2 Stk Tisch Fr. 10", SWISS, "2", "10"),
        ("2 x Atelier 4 500,50 20%", FRENCH, "2", "4500.50"),
        ("2 x Atelier 4 500 EUR", FRENCH, "2", "4500"),
        ("1 x Place A4 100", FRENCH, "1", "100"),
        ("1 x Sitz A4 100", GERMAN, "1", "100"),
        ("60.125 l Diesel 1.659", ENGLISH, "60.125", "1.659"),
        ("60,125 l Diesel 1,659 19%", GERMAN, "60.125", "1.659"),
        ("1 x Dinar 12.500", replace(ENGLISH, currency="KWD"), "1", "12.5"),
        ("1 x Cable 0.500", ENGLISH, "1", "0.5"),
    ],
)
def test_numbers_are_read_as_the_team_writes_them(
    typed: str, conventions: Conventions, quantity: str, price: str
) -> None:
    line = read_line(typed, conventions)
    assert (line.quantity, line.price) == (D(quantity), D(price))


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "say what it is for"),
        ("100", "say what it is for"),
        ("3 h", "say what it is for"),
        ("3 h 100", "say what it is for"),
        ("2 x 50 19%", "say what it is for"),
        ("19%", "say what it is for"),
        ("... 5", "say what it is for"),
        ("Table 2 500", "2 500 is 2500, or 500 for Table 2: write 2500, or EUR 500"),
        ("Workshop 4 500", "4 500 is 4500, or 500 for Workshop 4"),
        ("Consulting 1 500 10%", "1 500 is 1500, or 500 for Consulting 1"),
        ("3 h Workshop 4 500,50 19%", "4 500,50 is 4500,50, or 500,50 for 3 h Workshop 4"),
        ("Workshop 4 500 EUR", "4 500 is 4500"),
        ("Workshop 4 500\u20ac", "4 500\u20ac is 4500\u20ac"),
        ("Table 50 USD", "that is in USD, and this invoice is in EUR"),
        ("Table £50", "that is in EGP or GBP"),
        ("Table 12.000", "12.000 can be read in two ways; write 12.00 or 12000"),
        ("Table 12.000 EUR", "write 12.00 or 12000"),
        ("1.000 Tables 5", "1.000 can be read in two ways; write 1.00 or 1000"),
        ("Table 50 119%", "between 0 and 100"),
        ("Table 50 -7%", "between 0 and 100"),
        ("Table 50 7.125%", "between 0 and 100"),
        ("Table 1,234.12345678901", "a price has at most ten decimals"),
        ("1,234.56789 kg Sand 5", "a quantity has at most four decimals"),
    ],
)
def test_an_incomplete_or_invalid_line_is_refused(typed: str, reason: str) -> None:
    with pytest.raises(FieldError, match=reason):
        read_line(typed, ENGLISH)
