"""A look at a template before it is used: it is compiled with an invoice that has something everywhere."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from crm.errors import FieldError, FileError
from crm.invoicing.document import Adjustment, DocumentLine, InvoiceDocument, Party
from crm.invoicing.totals import completed
from crm.outward.invoice_pdf import make_pdf


def check_template(template: Path) -> None:
    """Raise FieldError where a template cannot be read or has an error, naming the line."""
    try:
        make_pdf(_invoice(), template=template)
    except FileError as error:
        reason = error.sentence.replace("The invoice stays as it is", "The setting stays as it was").rstrip(".")
        raise FieldError(reason, field="value", label="Value") from error


def _invoice() -> InvoiceDocument:
    """A made-up invoice: two rates, a discount of a line and of all of it, texts, part of it paid."""
    seller = Party(
        name="Example Ltd", street="Street 1", postcode="10115", city="Berlin", country="DE", vat_id="DE123456789",
        phone="+49 30 1234567", email="office@example.com",
    )  # fmt: skip
    buyer = Party(name="Client Ltd", contact="Eva Hill", street="Lane 2", postcode="1010", city="Vienna", country="AT")
    lines = (
        DocumentLine(position=1, name="Consulting", description="On site", unit="HUR", quantity=Decimal("3.5"),
                     price=Decimal(100), rate=Decimal(19), discounts=(Decimal(10),)),
        DocumentLine(position=2, name="Book", quantity=Decimal(2), price=Decimal("12.50"), rate=Decimal(7)),
    )  # fmt: skip
    document = InvoiceDocument(
        number="RE-0001", issued_on=date(2026, 1, 15), due_on=date(2026, 1, 29), delivered_on=date(2026, 1, 12),
        seller=seller, buyer=buyer, lines=lines, iban="DE89370400440532013000", order_reference="PO-1",
        notes="Thank you.", terms="2 % within 7 days", paid=Decimal(100), state="part paid",
    )  # fmt: skip
    return completed(document, [Adjustment(percent=Decimal(5), reason="Loyalty")])
