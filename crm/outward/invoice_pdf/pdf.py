"""An invoice as PDF, and the template that it is made by unless the team has its own."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePdf:
    """A PDF. `notice` says to a person what it could not be: '' where all is well."""

    data: bytes
    is_archival: bool
    """True for PDF/A-3b, with the e-invoice inside where there is one."""
    notice: str = ""


def default_template() -> str:
    """The template that is used where the team has none of its own: where a designer begins."""
    return Path(__file__).with_name("invoice.typ").read_text("utf-8")
