"""E-invoices by EN 16931: written from an InvoiceDocument, and checked when somebody sends one."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crm.errors import FieldError
from crm.invoicing.document import InvoiceDocument
from crm.invoicing.electronic_address import in_peppol

FORMATS: Final[Mapping[str, str]] = {
    "factur-x": "Factur-X / ZUGFeRD (EN 16931), inside the PDF",
    "xrechnung-cii": "XRechnung 3.0, CII",
    "xrechnung-ubl": "XRechnung 3.0, UBL",
    "peppol": "Peppol BIS Billing 3, UBL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is wrong with an e-invoice. `rule` is the rule of EN 16931 (BR-CO-15), or one of ours."""

    rule: str
    sentence: str
    line: str = ""
    """The id of the invoice line, where it is about one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An e-invoice that somebody sent, and what is wrong with it; nothing where `faults` is empty."""

    format: str
    """As a person calls it: Factur-X (EN 16931), XRechnung 3.0 (UBL), CII of an unknown profile."""
    number: str
    seller: str
    buyer: str
    issued_on: str
    currency: str
    total: str
    faults: tuple[Fault, ...]


def write(document: InvoiceDocument, format: str) -> bytes:
    """The XML of a document in one of FORMATS. What is missing is not asked here but by `requirements.missing`."""
    from crm.outward.einvoice import cii, terms, ubl

    if format == "factur-x":
        return cii.write(document, terms.EN16931)
    if format == "xrechnung-cii":
        return cii.write(document, terms.XRECHNUNG)
    if format == "xrechnung-ubl":
        return ubl.write(document, terms.XRECHNUNG)
    if format == "peppol":
        seller, buyer = in_peppol(document.seller), in_peppol(document.buyer)
        return ubl.write(dataclasses.replace(document, seller=seller, buyer=buyer), terms.PEPPOL)
    raise FieldError(f"choose one of {', '.join(FORMATS)}", field="format")


def check(data: bytes) -> Checked:
    """Read a CII or UBL invoice, or a PDF with one inside. Raises FileError where it is neither."""
    from crm.outward.einvoice import checking, reading

    return checking.checked(reading.read(data))
