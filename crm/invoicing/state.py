"""The state of an invoice as it is shown: desk, portal, PDF and JSON all ask this one function."""

from datetime import date
from decimal import Decimal
from typing import Final

from crm.invoicing.document import CREDIT_NOTE, INVOICE
from crm.model.money import NOTHING

STATES: Final = ("draft", "sent", "part paid", "paid", "overdue", "credited", "cancelled")


def state_of(
    *,
    is_issued: bool,
    total: Decimal,
    paid: Decimal,
    credited: Decimal,
    due_on: date | None,
    today: date,
    kind: str = INVOICE,
    used_again: Decimal = NOTHING,
) -> str:
    """One of STATES. Overdue is a matter of the day and is never stored.

    An issued credit note is `credited`. An invoice that was credited in full is `cancelled` where nothing was ever
    paid, else `credited`: also where what was paid on it is `used_again` for other invoices.
    """
    if not is_issued:
        return "draft"
    if kind == CREDIT_NOTE:
        return "credited"
    if credited > 0 and credited >= total:
        return "credited" if paid + used_again > 0 else "cancelled"
    if paid + credited >= total:
        return "paid"
    if due_on is not None and due_on < today:
        return "overdue"
    return "part paid" if paid > 0 else "sent"
