"""Invoices as PDF, by typst, from a template that a designer can replace."""

from pathlib import Path

from crm.invoicing.document import InvoiceDocument
from crm.outward.invoice_pdf.pdf import InvoicePdf, default_template

__all__ = ["InvoicePdf", "default_template", "make_pdf", "make_picture", "payment_code"]


def make_pdf(
    document: InvoiceDocument, *, xml: bytes = b"", template: Path | None = None, seconds: float = 20
) -> InvoicePdf:
    """The PDF of a document; `xml` is the Factur-X to put inside, `template` a typst file of the team's own. The same
    document gives the same bytes. Raises FileError naming the line of a template that cannot be used, or that takes
    longer than `seconds`."""
    from crm.outward.invoice_pdf import making

    return making.make_pdf(document, xml=xml, template=template, seconds=seconds)


def make_picture(document: InvoiceDocument, *, template: Path | None = None, seconds: float = 20) -> bytes:
    """The first page as PNG, for a look at a template."""
    from crm.outward.invoice_pdf import making

    return making.make_picture(document, template=template, seconds=seconds)


def payment_code(document: InvoiceDocument) -> str:
    """The EPC code as text for a terminal, so that a phone pays from the screen; '' where there is nothing to pay by
    it: not in euro, nothing open, a draft or credit note, no or a wrong IBAN."""
    from crm.outward.epc_qr import as_text, epc_code

    code = epc_code(document)
    return as_text(code) if code else ""
