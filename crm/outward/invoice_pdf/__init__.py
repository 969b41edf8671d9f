"""Invoices as PDF, by typst, from a template that a designer can replace."""

from dataclasses import dataclass
from pathlib import Path

from crm.invoicing.document import InvoiceDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePdf:
    """A PDF. `notice` says to a person what it could not be: '' where all is well."""

    data: bytes
    is_archival: bool
    """True for PDF/A-3b, with the e-invoice inside where there is one."""
    notice: str = ""


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


def default_template() -> str:
    """The template that is used where the team has none of its own: where a designer begins."""
    return Path(__file__).with_name("invoice.typ").read_text("utf-8")


def payment_code(document: InvoiceDocument) -> str:
    """The EPC code as text for a terminal, so that a phone pays from the screen; '' where there is nothing to pay by
    it: not in euro, nothing open, a draft or credit note, no or a wrong IBAN."""
    from crm.outward.epc_qr import as_text, epc_code

    code = epc_code(document)
    return as_text(code) if code else ""
