"""The tax on sales in countries without VAT: its name, and the number that a company has there."""

import re
from collections.abc import Mapping

from crm.lazy_pattern import lazy_pattern
from crm.lean_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class LocalTax:
    """The tax on sales of a country in English, how its number is called and written, one as an example, and whether
    an invoice must have it."""

    name: str
    number: str
    shape: re.Pattern[str]
    example: str
    is_on_invoices: bool = True


# A number of a country whose form is not known here.
_ANY = lazy_pattern(r"[0-9][0-9A-Z./-]{4,19}")
_SINGAPORE = lazy_pattern(r"M[0-9A-Z]-?[0-9]{7}-?[0-9A-Z]|[0-9]{8,9}[A-Z]|[TS][0-9]{2}[A-Z]{2}[0-9]{4}[A-Z]")
LOCAL_TAXES: Mapping[str, LocalTax] = {
    "AU": LocalTax("GST", "ABN", lazy_pattern(r"[0-9]{11}"), "51824753556"),
    "CA": LocalTax("tax", "GST/HST number", lazy_pattern(r"[0-9]{9}(?:RT[0-9]{4})?"), "123456789RT0001"),
    "HK": LocalTax("tax", "Tax ID", _ANY, "12345678", is_on_invoices=False),
    "IN": LocalTax("GST", "GSTIN", lazy_pattern(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]{3}"), "22AAAAA0000A1Z5"),
    "JP": LocalTax("tax", "Tax ID", lazy_pattern(r"T?[0-9]{13}"), "T1234567890123"),
    "KW": LocalTax("tax", "Tax ID", _ANY, "1234567", is_on_invoices=False),
    "MY": LocalTax("SST", "SST number", lazy_pattern(r"[A-Z][0-9]{2}-?[0-9]{4}-?[0-9]{8}"), "W10-1808-32000012"),
    "NZ": LocalTax("GST", "GST number", lazy_pattern(r"[0-9]{2,3}-?[0-9]{3}-?[0-9]{3}"), "049-091-850"),
    "QA": LocalTax("tax", "Tax ID", _ANY, "5001234567", is_on_invoices=False),
    "SG": LocalTax(
        "GST",
        "GST number",
        lazy_pattern(r"M[0-9A-Z]-?[0-9]{7}-?[0-9A-Z]|[0-9]{8,9}[A-Z]|[TS][0-9]{2}[A-Z]{2}[0-9]{4}[A-Z]"),
        "M90312345A",
    ),
    "US": LocalTax("tax", "Tax ID", lazy_pattern(r"[0-9]{2}-?[0-9]{7}"), "12-3456789", is_on_invoices=False),
}
