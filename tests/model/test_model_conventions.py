"""Money, numbers and dates as each team writes them."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from crm.model import Conventions

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


def test_cents_are_shown_also_where_the_currency_has_none() -> None:
    assert "5.05" in Conventions("en_US", "JPY").money(Decimal("5.05"))


def test_a_moment_is_shown_in_local_time() -> None:
    shown = Conventions("de_AT").time(datetime(2026, 11, 21, 23, 30, tzinfo=UTC), timezone(timedelta(hours=1)))
    assert shown == "22.11.2026, 00:30"
    assert Conventions("en_US").month(date(2026, 11, 21)) == "Nov 2026"


@pytest.mark.parametrize(
    ("language", "first"), [("en_US", False), ("en_GB", True), ("de_DE", True), ("fr_FR", True), ("ja_JP", False)]
)
def test_the_day_comes_first_or_not(language: str, first: bool) -> None:
    assert Conventions(language).day_first is first
