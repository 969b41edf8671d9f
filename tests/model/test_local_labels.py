"""Labels as people say them in the team's country."""

import pytest

from crm.model.local_labels import local_label


@pytest.mark.parametrize(
    ("country", "label", "expected"),
    [
        ("US", "Postcode", "ZIP code"),
        ("US", "State/Region", "State"),
        ("US", "VAT ID", "Tax ID"),
        ("US", "City", "City"),
        ("CA", "State/Region", "Province"),
        ("DE", "Postcode", "Postcode"),
        ("", "State/Region", "State/Region"),
    ],
)
def test_a_label_is_said_as_in_the_country(country: str, label: str, expected: str) -> None:
    assert local_label(label, country) == expected
