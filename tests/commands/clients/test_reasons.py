"""Reasons for a status, in plain words instead of the field names that rules use."""

import pytest

from crm.commands.clients.reasons import reason_words
from crm.model import Conventions


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            "VIP when total_spend >= 35000 (total_spend 36000.50)",
            "VIP when total spend is at least $35,000.00 (total spend $36,000.50)",
        ),
        ("Regular otherwise", "Regular (no other rule applies)"),
        (
            "At risk when days_since_last_sale > 180 and sales_count >= 1 (days_since_last_sale 200, sales_count 3)",
            "At risk when days since last sale is more than 180 and number of sales is at least 1"
            " (days since last sale 200, number of sales 3)",
        ),
        ("Adult when 18 <= age < 30 (age 20)", "Adult when 18 <= age < 30 (age 20)"),
        ("Mid when 10 <= total_spend < 30 (total_spend 20)", "Mid when 10 <= total spend < 30 (total spend $20.00)"),
        ("Local when country = 'AT' (country AT)", "Local when country is 'AT' (country AT)"),
        ("Odd when 'total_spend 5' in tags (tags odd)", "Odd when 'total_spend 5' in tags (tags odd)"),
        (
            "New when average_sale = 0 or city != '' (average_sale none)",
            "New when average sale is $0.00 or city is not '' (average sale none)",
        ),
        ("Pinned by hand until 2026-12-31", "Pinned by hand until 2026-12-31"),
        ("No rule fits", "No rule fits"),
        ("", ""),
        ("total_spend otherwise", "total_spend (no other rule applies)"),
    ],
)
def test_a_reason_is_shown_in_words(reason: str, words: str) -> None:
    assert reason_words(reason, Conventions("en_US", "USD", "US")) == words
