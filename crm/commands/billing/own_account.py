"""The invoices and payments of a client whose own account it is: read record by record, as no query over tables is."""

from collections.abc import Mapping
from decimal import Decimal

from crm.commands.context import CRM
from crm.errors import FieldError
from crm.invoicing.payments import PaidIn, PaidOn, left_of
from crm.model import Allocation, Invoice, Payment
from crm.model.money import NOTHING
from crm.model.rights import ALL, READ, level
from crm.repository import Query, Snapshot


def is_of_client(crm: CRM) -> bool:
    """Return whether the reader sees only their own invoices and payments."""
    return level(crm.reader.role, Invoice.kind_name, READ) is not ALL


def own_left(snapshot: Snapshot) -> Mapping[int, Decimal]:
    """The amount still left of each payment that is seen."""
    paid = [
        PaidIn(
            id=payment.id,
            client=payment.client,
            currency=payment.currency,
            on=payment.on,
            left=payment.left,
            is_refund=payment.kind == "refund",
        )
        for payment in snapshot.find_all(Payment)
        if payment.on
    ]
    overpaid = {invoice.id: invoice.overpaid for invoice in snapshot.find_all(Invoice) if invoice.overpaid}
    paid_on = [
        PaidOn(
            id=allocation.id,
            payment=allocation.payment,
            invoice=allocation.invoice,
            amount=allocation.amount,
            overpaid=overpaid[allocation.invoice],
        )
        for allocation in (snapshot.find_all(Allocation) if overpaid else ())
        if allocation.invoice in overpaid
    ]
    return left_of(paid, paid_on)


def own_credit(snapshot: Snapshot) -> Mapping[str, Decimal]:
    """The credit of the client whose account it is, by currency."""
    credit: dict[str, Decimal] = {}
    for payment in snapshot.find_all(Payment):
        credit[payment.currency] = credit.get(payment.currency, NOTHING) + payment.left
    for invoice in snapshot.find_all(Invoice):
        credit[invoice.currency] = credit.get(invoice.currency, NOTHING) + invoice.overpaid
    return credit


def own_invoices(snapshot: Snapshot, filters: Mapping[str, object], sort: str) -> list[Invoice]:
    """The invoices that are seen, the newest first unless `sort` says otherwise. Raises FieldError."""
    try:
        return snapshot.find_all(Invoice, Query(filters, sort=sort or "-id"))
    except FieldError as error:
        raise error.at("sort", "Sort by") from error
