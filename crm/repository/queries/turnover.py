"""Queries of the reports on billing: what was issued and paid, how old what is open is, and what was sold."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, case, func, select, true, type_coerce

from crm.model import Invoice, InvoiceLine, Payment, Service
from crm.model.money import NOTHING
from crm.repository import Snapshot
from crm.repository.tables import IS_OPEN, TABLES

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


def open_and_paid(snapshot: Snapshot, first: date) -> Sequence[tuple[str, Decimal, Decimal, Decimal]]:
    """The amount open, what of it is overdue, and what was paid from a day to today, less refunds, in each currency."""
    late = func.sum(case((_invoice.due_on < snapshot.today, _invoice.open), else_=0))
    still = select(_invoice.currency, func.sum(_invoice.open), late).where(IS_OPEN).group_by(_invoice.currency)
    figures = {currency: [open_, overdue or NOTHING, NOTHING] for currency, open_, overdue in snapshot.select(still)}
    signed = func.sum(case((_payment.kind == "refund", -_payment.amount), else_=_payment.amount))
    came_in = select(_payment.currency, type_coerce(signed, _payment.amount.type))
    in_month = came_in.where(_payment.on.between(first, snapshot.today)).group_by(_payment.currency)
    for currency, paid in snapshot.select(in_month):
        figures.setdefault(currency, [NOTHING, NOTHING, NOTHING])[2] = paid
    return [(currency, *figures[currency]) for currency in sorted(figures)]


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
