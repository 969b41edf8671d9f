"""E-invoices by EN 16931: written from an InvoiceDocument, and checked when somebody sends one."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from crm.errors import FieldError
from crm.invoicing.document import InvoiceDocument
from crm.invoicing.electronic_address import in_peppol
from crm.outward.einvoice.faults import Checked

FORMATS: Final[Mapping[str, str]] = {
    "factur-x": "Factur-X / ZUGFeRD (EN 16931), inside the PDF",
    "xrechnung-cii": "XRechnung 3.0, CII",
    "xrechnung-ubl": "XRechnung 3.0, UBL",
    "peppol": "Peppol BIS Billing 3, UBL",
}


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
