"""Labels in the words of the team's country."""

import pytest

from crm.model.local_labels import local_label
from crm.model.local_taxes import LOCAL_TAXES
from crm.model.vat_ids import bare_vat_id, is_like_vat_id, is_other_tax_id


@pytest.mark.parametrize(
    ("country", "label", "expected"),
    [
        ("US", "Postcode", "ZIP code"),
        ("US", "State/Region", "State"),
        ("US", "VAT ID", "Tax ID"),
        ("CA", "VAT ID", "GST/HST number"),
        ("AU", "VAT ID", "ABN"),
        ("SG", "VAT ID", "GST number"),
        ("MY", "VAT ID", "SST number"),
        ("JP", "VAT ID", "Tax ID"),
        ("US", "City", "City"),
        ("CA", "State/Region", "Province"),
        ("DE", "Postcode", "Postcode"),
        ("", "State/Region", "State/Region"),
    ],
)
def test_a_label_uses_the_words_of_the_country(country: str, label: str, expected: str) -> None:
    assert local_label(label, country) == expected


def test_a_national_tax_number_is_not_labelled_vat_id() -> None:
    for country, tax in LOCAL_TAXES.items():
        number = tax.example
        assert is_other_tax_id(bare_vat_id(number), country), country
        assert not is_like_vat_id(number)
        assert not is_other_tax_id(number, "DE")
