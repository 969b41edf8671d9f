"""Money, numbers and dates as each team writes them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crm.clock import Clock
from crm.model import Conventions
from crm.model.fields import TimeOfDay
from tests.support.clocks import standing_on

SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})


@pytest.mark.parametrize(
    ("language", "currency", "money", "amount", "number", "day"),
    [
        ("en_US", "USD", "$1,234.50", "1,234.50", "12,345", "Nov 21, 2026"),
        ("de_DE", "EUR", "1.234,50 €", "1.234,50", "12.345", "21.11.2026"),
        ("fr_FR", "EUR", "1 234,50 €", "1 234,50", "12 345", "21 nov. 2026"),
        ("de_CH", "CHF", "CHF 1\u2019234.50", "1\u2019234.50", "12\u2019345", "21.11.2026"),
    ],
)
def test_each_team_reads_its_own_way(
    language: str, currency: str, money: str, amount: str, number: str, day: str
) -> None:
    by = Conventions(language, currency)
    assert by.money(Decimal("1234.5")).translate(SPACES) == money
    assert by.amount(Decimal("1234.5")).translate(SPACES) == amount
    assert by.number(12345).translate(SPACES) == number
    assert by.day(date(2026, 11, 21)) == day
    assert by.day(None) == ""


@pytest.mark.parametrize(
    ("language", "morning", "afternoon"),
    [
        ("en_US", "9:05 AM", "3:00 PM"),
        ("en_GB", "09:05", "15:00"),
        ("de_AT", "09:05", "15:00"),
        ("da_DK", "09:05", "15:00"),
        ("en_AU", "9:05 am", "3:00 pm"),
        ("zh_TW", "上午9:05", "下午3:00"),
    ],
)
def test_a_time_of_day_is_written_as_the_country_does(language: str, morning: str, afternoon: str) -> None:
    by = Conventions(language)
    assert (by.time_of_day("09:05"), by.time_of_day("15:00")) == (morning, afternoon)
    assert [TimeOfDay().read(typed, by) for typed in (afternoon, "15:00", "3pm")] == ["15:00"] * 3
    assert (by.time_of_day(""), by.time_of_day("soon")) == ("", "soon")


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [
        ("JPY", "1234.00", "¥1,234"),
        ("KWD", "1.2340", "KWD1.234"),
        ("KWD", "1.50", "KWD1.500"),
        ("EUR", "1234.50", "€1,234.50"),
        ("CLF", "1.2345", "CLF1.2345"),
        ("UYW", "1.50", "UYW1.5000"),
        # What was kept before the currency was another is shown in full.
        ("JPY", "5.05", "¥5.05"),
        ("EUR", "1.2340", "€1.234"),
        # Of these a shop knows no decimals, and an invoice does.
        ("RSD", "1234.50", "RSD1,234.50"),
    ],
)
def test_an_amount_is_shown_with_the_decimals_of_its_currency_and_never_rounded(
    currency: str, amount: str, shown: str
) -> None:
    by = Conventions("en_US", currency)
    assert by.money(Decimal(amount)).translate(SPACES) == shown
    assert shown.endswith(by.amount(Decimal(amount)))


def test_a_moment_is_shown_in_local_time() -> None:
    shown = Conventions("de_AT", clock=Clock(zone=lambda: "Europe/Vienna")).time(
        datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    )
    assert shown == "22.11.2026, 00:30"
    assert Conventions("en_US").month(date(2026, 11, 21)) == "Nov 2026"


@pytest.mark.parametrize(
    ("language", "first"), [("en_US", False), ("en_GB", True), ("de_DE", True), ("fr_FR", True), ("ja_JP", False)]
)
def test_the_order_of_day_and_month_follows_the_team(language: str, first: bool) -> None:
    assert Conventions(language).day_first is first


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 21), "today"),
        (date(2026, 11, 20), "yesterday"),
        (date(2026, 11, 22), "tomorrow"),
        (date(2026, 11, 14), "7 days ago"),
        (date(2026, 11, 13), "Nov 13"),
        (date(2026, 11, 23), "Mon"),
        (date(2026, 11, 27), "Fri"),
        (date(2026, 11, 28), "Nov 28"),
        (date(2026, 1, 1), "Jan 1"),
        (date(2025, 12, 31), "Dec 31, 2025"),
        (date(2027, 1, 1), "Jan 1, 2027"),
        (date(1, 1, 1), "Jan 1, 1"),
        (date(9999, 12, 31), "Dec 31, 9999"),
        (None, ""),
    ],
)
def test_a_day_near_today_is_a_word(day: date | None, words: str) -> None:
    assert Conventions(clock=standing_on(date(2026, 11, 21))).near_day(day) == words


def test_a_day_across_new_year_is_still_near() -> None:
    by = Conventions("de_DE", "EUR", "DE", clock=standing_on(date(2026, 12, 30)))
    assert by.near_day(date(2027, 1, 2)) == "Sa."
    assert by.near_day(date(2026, 10, 3)) == "3. Okt."
