"""Dates, amounts and full names as files write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import FieldError
from crm.files import Mapper, Match, match_columns, read_day, split_name
from crm.model import Client, Conventions, Sale
from tests.support.clocks import standing_on

pytestmark = pytest.mark.dated

AMERICA = Conventions(clock=standing_on(date(2026, 11, 21)))
AUSTRIA = Conventions(language="de_AT", clock=standing_on(date(2026, 11, 21)))


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("1997-01-02", "", "1997-01-02"),
        ("19970102", "", "1997-01-02"),
        ("1997/1/2", "dmy", "1997-01-02"),
        ("1/2/97", "dmy", "1997-02-01"),
        ("1/2/97", "mdy", "1997-01-02"),
        ("1/2/97", "", "1997-01-02"),
        ("1.2.97", "", "1997-02-01"),
        ("1.2.26", "", "2026-02-01"),
        ("1.2.27", "", "1927-02-01"),
        ("97-01-02", "ymd", "1997-01-02"),
        ("3 March 2026", "", "2026-03-03"),
        ("Mar 3, 2026", "", "2026-03-03"),
        ("March 3rd, 2026", "", "2026-03-03"),
        ("3. März 2026", "", "2026-03-03"),
        ("3 de marzo de 2026", "", "2026-03-03"),
        ("1er février 2026", "", "2026-02-01"),
        ("14 juillet 2026", "", "2026-07-14"),
        ("14 juin 2026", "", "2026-06-14"),
        ("Tue, 3 Mar 2026", "", "2026-03-03"),
        ("03-Mar-26", "", "2026-03-03"),
        ("1997-01-02T23:59:00Z", "", "1997-01-02"),
        ("1997-01-02 23:59:00.5+02:00", "", "1997-01-02"),
        ("12/31/2024 2:05 PM", "mdy", "2024-12-31"),
        ("19850412T000000Z", "", "1985-04-12"),
    ],
)
def test_days_are_read(text, order, day):
    assert read_day(text, order, AMERICA).isoformat() == day


@pytest.mark.parametrize(
    "text", ["", "soon", "25/12/2024", "2024-02-30", "1/2", "99999999", "12.5", "0660 123 456", "may"]
)
def test_invalid_days_are_refused(text):
    with pytest.raises(FieldError):
        read_day(text, "mdy", AMERICA)


@pytest.mark.parametrize("language", ["en_US", "de_AT", "ru_RU", "bg_BG", "ko_KR", "ja_JP", "zh_CN", "ar_EG", "hu_HU"])
def test_printed_values_can_be_imported(language):
    by = Conventions(language=language, clock=standing_on(date(2026, 11, 21)))
    days = [date(2026, 3, 5), date(1980, 12, 31)]
    rows = [[by.day(day)] for day in days]
    match = match_columns(["Birthday"], rows, Client, by)[0]
    assert [Mapper([match], by)(row).fields["date_of_birth"] for row in rows] == [day.isoformat() for day in days]


@given(st.dates(date(1930, 1, 1), date(2026, 11, 21)))
def test_any_day_in_any_order(day):
    for order, form in (
        ("dmy", "%d/%m/%Y"),
        ("mdy", "%m/%d/%Y"),
        ("ymd", "%Y/%m/%d"),
        ("dmy", "%d.%m.%y"),
        ("", "%Y%m%d"),
    ):
        assert read_day(day.strftime(form), order, AMERICA) == day


@pytest.mark.parametrize(
    ("cells", "american", "austrian"),
    [
        (["1/2/2026", "13/2/2026"], "dmy", "dmy"),
        (["1/2/2026", "2/13/2026"], "mdy", "mdy"),
        (["1/2/2026", "3/4/2026"], "mdy", "dmy"),
        (["1.2.2026", "3.4.2026"], "dmy", "dmy"),
        (["2026-01-02", ""], "ymd", "ymd"),
        (["19970101"], "ymd", "ymd"),
        (["1980-05-01", "3/14/1980"], "mdy", "mdy"),
        (["1980-05-01", "1981-05-01", "14/3/1980"], "dmy", "dmy"),
        (["1980-05-01", "1981-05-01", "80-03-14"], "ymd", "ymd"),
        (["13/2/2026", "2/13/2026"], "mdy", "dmy"),
        (["13/2/2026", "2/13/2026", "14/2/2026"], "dmy", "dmy"),
        (["13/2/2026", "2/13/2026", "2/14/2026", "1/2/2026"], "mdy", "mdy"),
        (["13/2/2026", *["1/2/2026"] * 8], "dmy", "dmy"),
        (["13/2/2026", *["1/2/2026"] * 9], "mdy", "dmy"),
        (["2/13/2026", *["1/2/2026"] * 9], "mdy", "dmy"),
        (["13.2.2026", "1/2/2026"], "mdy", "dmy"),
        (["13.2.2026", "14.2.2026", "2/13/2026"], "mdy", "mdy"),
        (["3 March 2026"], "mdy", "dmy"),
        (["Wien", "Graz"], "", ""),
        (["12.50", "7"], "", ""),
        (["+43 660 1234567"], "", ""),
    ],
)
def test_the_order_of_a_column(cells, american, austrian):
    rows = [[cell] for cell in cells]
    assert match_columns(["Column 1"], rows, Client, AMERICA)[0].date_order == american
    assert match_columns(["Column 1"], rows, Client, AUSTRIA)[0].date_order == austrian


@pytest.mark.parametrize(
    ("cells", "amounts"),
    [
        (["1.234,56", "7,00"], ["1234.56", "7.00"]),
        (["1,234.56", "1,234"], ["1234.56", "1234"]),
        (["1234.56", "7"], ["1234.56", "7"]),
        (["1.234", "5,50"], ["1234", "5.50"]),
        (["$ 12,50", "12,50 USD", "12,-"], ["12.50", "12.50", "12"]),
        (["$1,234.50", "USD 3.00", "US$ 4"], ["1234.50", "3.00", "4"]),
        (["USD 1'234.50", "$ 2.00"], ["1234.50", "2.00"]),
        (["1\u00a0234,50 $", "2\u202f000,00"], ["1234.50", "2000.00"]),
        (["(12.50)", "-3.00", "4.00-"], ["-12.50", "-3.00", "-4.00"]),
        (["1,00,000.00"], ["100000.00"]),
        (["1.234.567", "8"], ["1234567", "8"]),
        (["7.50", "1.234,56", "8.50"], ["7.50", "1.234,56", "8.50"]),
        (["7.50", "a lot", "12 apples"], ["7.50", "a lot", "12 apples"]),
    ],
)
def test_amounts_are_read(cells, amounts):
    match = match_columns(["Amount"], [[cell] for cell in cells], Sale, AMERICA)[0]
    mapper = Mapper([match], AMERICA)
    assert [mapper([cell]).fields["amount"] for cell in cells] == amounts


def test_an_unclear_decimal_mark_is_that_of_the_team():
    assert Mapper([Match("", "amount")], AUSTRIA)(["1.234"]).fields["amount"] == "1234"
    assert Mapper([Match("", "amount")], AMERICA)(["1,234"]).fields["amount"] == "1234"
    assert (
        Mapper([Match("", "amount")], AMERICA)(["1.234"]).fields["amount"] == "1.2340"
    )  # refused, rather than guessed


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("Anna Berg", ("Anna", "Berg")),
        ("Berg, Anna", ("Anna", "Berg")),
        ("Dr. Anna Maria van der Berg", ("Anna Maria", "van der Berg")),
        ("van der Berg, Dr. Anna Maria", ("Anna Maria", "van der Berg")),
        ("BERG Anna", ("Anna", "BERG")),
        ("ANNA BERG", ("ANNA", "BERG")),
        ("Van Morrison", ("Van", "Morrison")),
        ("Martin Luther King Jr.", ("Martin Luther", "King Jr.")),
        ("Smith, Jr., John", ("John", "Smith Jr.")),
        ("Berg, PhD, Anna Maria", ("Anna Maria", "Berg PhD")),
        ("Anna Berg, PhD", ("Anna", "Berg PhD")),
        ("Mr John Smith", ("John", "Smith")),
        ("Herr Prof. Dr. Max von Stein", ("Max", "von Stein")),
        ("Don Draper", ("Don", "Draper")),
        ("Juan de la Cruz", ("Juan", "de la Cruz")),
        ("J. R. R. Tolkien", ("J. R. R.", "Tolkien")),
        ("Cher", ("Cher", "")),
        ("  ", ("", "")),
        ("Berg,", ("Berg", "")),
    ],
)
def test_full_names_are_split(whole, parts):
    assert split_name(whole) == parts


@given(st.text(max_size=30))
def test_any_text_as_a_name(text):
    first, last = split_name(text)
    assert last == "" or first != "" or "," in text
