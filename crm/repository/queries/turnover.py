"""Queries of the reports on billing: what was issued and paid, how old what is open is, and what was sold."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, case, func, select, true, type_coerce

from crm.lean_dataclass import dataclass
from crm.model import Invoice, InvoiceLine, Payment, Service
from crm.model.money import NOTHING
from crm.repository import Snapshot
from crm.repository.invoice_conditions import IS_OPEN
from crm.repository.sql_functions import count_if
from crm.repository.tables import TABLES

if TYPE_CHECKING:
    from crm.repository import AnyRow

_invoice, _line, _payment, _service = (TABLES[kind].c for kind in (Invoice, InvoiceLine, Payment, Service))
# State and day of issue, in statements over many invoices. Not the bare columns: by an index each would be looked up.
_state: ColumnElement[Any] = func.coalesce(_invoice.state, _invoice.state)
_issued_on: ColumnElement[Any] = func.coalesce(_invoice.issued_on, _invoice.issued_on)
_sign = case((_invoice.kind == "credit_note", -1), else_=1)


def currencies(snapshot: Snapshot) -> Sequence[str]:
    """The currencies in which something was issued or paid."""
    issued = select(_invoice.currency).where(_state == "issued").distinct()
    rows = [*snapshot.select(issued), *snapshot.select(select(_payment.currency).distinct())]
    return sorted({row[0] for row in rows if row[0]})


@dataclass(slots=True)
class BillingFigures:
    """The amounts open and overdue in a currency, and those issued and paid in a period, less refunds; each with the
    number of invoices or payments."""

    currency: str
    open: Decimal = NOTHING
    open_count: int = 0
    overdue: Decimal = NOTHING
    overdue_count: int = 0
    issued: Decimal = NOTHING
    issued_count: int = 0
    paid: Decimal = NOTHING
    paid_count: int = 0


def billing_figures(snapshot: Snapshot, first: date) -> Sequence[BillingFigures]:
    """The figures of each currency; those of a period are from a day to today."""
    today = snapshot.today
    late = _invoice.due_on < today
    sums = (
        func.sum(_invoice.open), func.count(), func.sum(case((late, _invoice.open), else_=0)),
        count_if(late),
    )  # fmt: skip
    still = select(_invoice.currency, *sums).where(IS_OPEN).group_by(_invoice.currency)
    figures = {
        currency: BillingFigures(currency, open_, count, overdue or NOTHING, overdue_count)
        for currency, open_, count, overdue, overdue_count in snapshot.select(still)
    }
    issued = (
        select(_invoice.currency, func.sum(_invoice.total), func.count())
        .where(_invoice.state == "issued", _invoice.kind == "invoice", _invoice.issued_on.between(first, today))
        .group_by(_invoice.currency)
    )
    for currency, total, count in snapshot.select(issued):
        row = figures.setdefault(currency, BillingFigures(currency))
        row.issued, row.issued_count = total, count
    signed = func.sum(case((_payment.kind == "refund", -_payment.amount), else_=_payment.amount))
    payments = count_if(_payment.kind != "refund")
    came_in = (
        select(_payment.currency, type_coerce(signed, _payment.amount.type), payments)
        .where(_payment.on.between(first, today))
        .group_by(_payment.currency)
    )
    for currency, paid, count in snapshot.select(came_in):
        row = figures.setdefault(currency, BillingFigures(currency))
        row.paid, row.paid_count = paid, count
    return [figures[currency] for currency in sorted(figures)]


def issued_by_day(snapshot: Snapshot, first: date, last: date, currency: str) -> "Sequence[AnyRow]":
    """The documents of each day: issued_on, kind, total, count."""
    statement = (
        select(_invoice.issued_on, _invoice.kind, func.sum(_invoice.total).label("total"), func.count().label("count"))
        .where(_state == "issued", _invoice.currency == currency, _issued_on.between(first, last))
        .group_by(_invoice.issued_on, _invoice.kind)
    )
    return snapshot.select(statement)


def paid_by_day(snapshot: Snapshot, first: date, last: date, currency: str) -> "Sequence[AnyRow]":
    """The payments and refunds of each day: on, kind, amount."""
    statement = (
        select(_payment.on, _payment.kind, func.sum(_payment.amount).label("amount"))
        .where(_payment.currency == currency, _payment.on.between(first, last))
        .group_by(_payment.on, _payment.kind)
    )
    return snapshot.select(statement)


def open_by_age(
    snapshot: Snapshot, currency: str, ages: Sequence[tuple[int | None, int | None]]
) -> Sequence[tuple[Decimal, int, int]]:
    """The invoices that have been due for so many days, from the first to the last of them: what is open, how many
    invoices and clients; None leaves an end open, and what has no day is not due."""
    today = snapshot.today
    ends = [
        and_(
            _invoice.due_on >= today - timedelta(days=last) if last is not None else true(),
            _invoice.due_on <= today - timedelta(days=first) if first is not None else true(),
        )
        for first, last in ages
    ]
    ends = [
        end | _invoice.due_on.is_(None) if first is None else end for end, (first, _) in zip(ends, ages, strict=True)
    ]
    columns = [
        column
        for end in ends
        for column in (
            func.sum(case((end, _invoice.open), else_=0)),
            func.count(case((end, _invoice.id))),
            func.count(case((end, _invoice.client)).distinct()),
        )
    ]
    (row,) = snapshot.select(select(*columns).where(IS_OPEN, _invoice.currency == currency))
    return [(row[at] or NOTHING, row[at + 1], row[at + 2]) for at in range(0, len(columns), 3)]


def net_by_service(snapshot: Snapshot, first: date, last: date, currency: str) -> "Sequence[AnyRow]":
    """The services that were invoiced, those with most first: id (0: none), name, net less what was credited, on how
    many invoices."""
    net = func.sum(type_coerce(_line.net * _sign, _line.net.type)).label("net")
    statement = (
        select(
            _line.service,
            func.coalesce(func.min(_service.name), "").label("name"),
            net,
            func.count(case((_invoice.kind == "invoice", _invoice.id)).distinct()).label("invoices"),
        )
        .select_from(TABLES[InvoiceLine])
        .join(TABLES[Invoice], _invoice.id == _line.invoice)
        .outerjoin(TABLES[Service], _service.id == _line.service)
        .where(_state == "issued", _invoice.currency == currency, _issued_on.between(first, last))
        .group_by(_line.service)
        .order_by(net.desc(), _line.service)
    )
    return snapshot.select(statement)


def net_issued(snapshot: Snapshot, first: date, last: date, currency: str) -> tuple[Decimal, int]:
    """The net of all that was issued, less what was credited, and the number of invoices."""
    statement = select(
        func.sum(type_coerce(_invoice.net * _sign, _invoice.net.type)),
        func.count(case((_invoice.kind == "invoice", _invoice.id))),
    ).where(_state == "issued", _invoice.currency == currency, _issued_on.between(first, last))
    ((net, count),) = snapshot.select(statement)
    return net or NOTHING, count
