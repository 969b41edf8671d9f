"""The facts that make the total of a client: its sales, or what was paid on its invoices."""

from functools import cache

from sqlalchemy import ColumnElement, Connection, FromClause, Subquery, func, select, type_coerce

from crm.model import Allocation, Invoice, Payment, Sale
from crm.model.data import CURRENCY, PAID_INVOICES, SPEND_COUNTS
from crm.repository.tables import TABLES, setting

_CURRENCY = select(setting.c.value).where(setting.c.key == CURRENCY).scalar_subquery()
SPEND_COUNTED = select(setting.c.value).where(setting.c.key == SPEND_COUNTS)


def in_team_currency(currency: ColumnElement[str]) -> ColumnElement[bool]:
    """Return whether something is in the currency of the team, by the column of its own; in a store that says none,
    everything is."""
    return currency == func.coalesce(_CURRENCY, currency)


@cache
def paid_invoices() -> Subquery:
    """The invoices on which something was paid, as the sales that they are: of the day of the last payment, and what
    was paid less what is credit again. They have the columns of a sale that anything is summed from."""
    invoice, payment, allocation = TABLES[Invoice].c, TABLES[Payment].c, TABLES[Allocation].c
    paid_on = (
        select(func.max(payment.on))
        .join_from(TABLES[Allocation], TABLES[Payment], payment.id == allocation.payment)
        .where(allocation.invoice == invoice.id)
        .correlate(TABLES[Invoice])
        .scalar_subquery()
    )
    return (
        select(
            invoice.id,
            invoice.client,
            paid_on.label("on"),
            type_coerce(invoice.paid - invoice.overpaid, invoice.paid.type).label("amount"),
        )
        .where(
            invoice.kind == "invoice",
            invoice.state == "issued",
            invoice.paid > invoice.overpaid,
            in_team_currency(invoice.currency),
        )
        .subquery("paid_invoices")
    )


def counts_invoices(connection: Connection) -> bool:
    """Return whether paid invoices make the total, and not sales."""
    return connection.execute(SPEND_COUNTED).scalar() == PAID_INVOICES


def spent(by_invoices: bool) -> FromClause:
    """The rows that make the total: id, client, on, amount."""
    return paid_invoices() if by_invoices else TABLES[Sale]
