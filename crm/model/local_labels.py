"""Labels of fields as people say them in the team's country; files and spreadsheets have the same ones everywhere."""

from collections.abc import Mapping

from crm.model.local_taxes import LOCAL_TAXES

_ACCOUNT = "Bank account without IBAN"
# What a column of a file may be.
PLACE_IN_ONE = "City, state and postcode in one"
# Where one pays by check, and not by cheque.
_CHECKS = frozenset(("PH", "US"))
_LOCAL: Mapping[str, Mapping[str, str]] = {
    "US": {"Postcode": "ZIP code", "State/Region": "State", _ACCOUNT: "Routing and account number",
           PLACE_IN_ONE: "City, state and ZIP code in one"},
    "CA": {"Postcode": "Postal code", "State/Region": "Province",
           PLACE_IN_ONE: "City, province and postal code in one"},
    "AU": {"State/Region": "State", _ACCOUNT: "BSB and account number"},
    "IE": {"Postcode": "Eircode", "State/Region": "County"},
    "GB": {"State/Region": "County", _ACCOUNT: "Sort code and account number"},
}  # fmt: skip


def local_label(label: str, country: str) -> str:
    """A label in the words of a country (ISO 3166)."""
    if label == "VAT ID" and country in LOCAL_TAXES:
        return LOCAL_TAXES[country].number
    if label == "check" and country not in _CHECKS:
        return "cheque"
    return _LOCAL.get(country, {}).get(label, label)
