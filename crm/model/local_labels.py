"""Labels of fields as people say them in the team's country; files and spreadsheets have the same ones everywhere."""

from collections.abc import Mapping

_LOCAL: Mapping[str, Mapping[str, str]] = {
    "US": {"Postcode": "ZIP code", "State/Region": "State", "VAT ID": "Tax ID"},
    "CA": {"Postcode": "Postal code", "State/Region": "Province", "VAT ID": "GST/HST number"},
    "AU": {"State/Region": "State", "VAT ID": "ABN"},
    "NZ": {"VAT ID": "GST number"},
    "IE": {"Postcode": "Eircode", "State/Region": "County"},
    "GB": {"State/Region": "County"},
}


def local_label(label: str, country: str) -> str:
    """A label as it is said in a country (ISO 3166)."""
    return _LOCAL.get(country, {}).get(label, label)
