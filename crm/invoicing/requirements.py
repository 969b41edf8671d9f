"""The law on invoices, and how much of it a document lacks: Directive 2006/112/EC art. 226 and EN 16931."""

from dataclasses import dataclass

from crm.invoicing.document import InvoiceDocument


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is missing. `of` says where it is filled in: `seller` (the settings), `buyer` (the client),
    `delivery`, `line` or `invoice`; `field` is the field of Party, DocumentLine or InvoiceDocument; `line` is the
    position of a line, else 0; `sentence` says it to a person."""

    of: str
    field: str
    sentence: str
    line: int = 0


def missing(document: InvoiceDocument, format: str = "") -> tuple[Missing, ...]:
    """All that is missing before the document may be issued, the seller's first; `format` is one of
    `crm.outward.einvoice.FORMATS` where it is to be sent as an e-invoice, which asks for more. `document` is as
    `totals.completed` makes it; it needs no number and no date yet."""
    raise NotImplementedError
