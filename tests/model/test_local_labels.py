"""Labels in the words of the team's country."""

import pytest

from crm.model.local_labels import local_label
from crm.model.local_taxes import LOCAL_TAXES
from crm.model.vat_ids import bare_vat_id, is_like_vat_id, is_other_tax_id, vat_id_like


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


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("GB123456789", True), ("GB123456789012", True), ("GBGD123", True), ("GBHA599", True), ("XI123456789", True),
        ("GB12", False), ("GB1234567890", False), ("GBGD1234", False), ("GB12345678A", False), ("DE12345678", False),
        ("ATU12345678", True), ("AT12345678", False), ("IE1234567WA", True), ("NL123456789B01", True),
        ("EL123456789", True), ("CHE123456788", True), ("CHE123456788MWST", False), ("NO123456785MVA", True),
    ],
)  # fmt: skip
def test_a_vat_id_is_written_as_in_its_country(text: str, fits: bool) -> None:
    assert is_like_vat_id(text) == fits


def test_the_example_of_a_vat_id_is_that_of_the_country() -> None:
    assert [vat_id_like(*given) for given in (("GB12", "DE"), ("12", "GB"), ("12", "GR"), ("", "CH"))] == [
        "GB123456789", "GB123456789", "EL123456789", "DE123456789",
    ]  # fmt: skip
    for country in ("AT", "CY", "ES", "FR", "GR", "IE", "NL", "SE"):
        assert is_like_vat_id(vat_id_like("", country))
