"""Queries about invoices: those in a state, and what is unpaid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, select

from crm.errors import FieldError
from crm.model import Invoice
from crm.model.money import NOTHING
from crm.repository import Snapshot
from crm.repository.tables import TABLES, client, record_columns, record_of

invoice = TABLES[Invoice].c
_ISSUED = (invoice.state == "issued", invoice.kind == "invoice")
_SORTS: Mapping[str, ColumnElement[Any]] = {
    "client": client.c.sort_name,
    **{name: invoice[name] for name in (
        "id", "number", "state", "issued_on", "due_on", "total", "paid", "credited", "open", "created_at", "updated_at",
    )},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WhichInvoices:
    """Invoices in a state as it is shown, of a client, issued within days (both included), with a number that holds a
    text, or with a total within bounds."""

    state: str = ""
    client: int = 0
    since: date | None = None
    until: date | None = None
    number: str = ""
    over: Decimal | None = None
    under: Decimal | None = None


def _in_state(state: str, today: date) -> Sequence[ColumnElement[bool]]:
    """A shown state in SQL, as `crm.invoicing.state` has it; `open` are all on which something is open."""
    is_late = (invoice.due_on.is_not(None)) & (invoice.due_on < today)
    whole = (invoice.credited > NOTHING) & (invoice.credited >= invoice.total)
    states: Mapping[str, Sequence[ColumnElement[bool]]] = {
        "draft": (invoice.state == "draft",),
        "open": (*_ISSUED, invoice.open > NOTHING),
        "overdue": (*_ISSUED, invoice.open > NOTHING, is_late),
        "sent": (*_ISSUED, invoice.open > NOTHING, ~is_late, invoice.paid == NOTHING),
        "part paid": (*_ISSUED, invoice.open > NOTHING, ~is_late, invoice.paid > NOTHING),
        "paid": (*_ISSUED, invoice.open <= NOTHING, ~whole),
        "cancelled": (*_ISSUED, whole, invoice.paid == NOTHING),
        "credited": (invoice.state == "issued", (invoice.kind == "credit_note") | (whole & (invoice.paid > NOTHING))),
    }
    return states[state]


def _conditions(which: WhichInvoices, today: date) -> list[ColumnElement[bool]]:
    conditions = [*(_in_state(which.state, today) if which.state else ())]
    if which.client:
        conditions.append(invoice.client == which.client)
    if which.since:
        conditions.append(invoice.issued_on >= which.since)
    if which.until:
        conditions.append(invoice.issued_on <= which.until)
    if which.number:
        conditions.append(invoice.number.contains(which.number, autoescape=True))
    if which.over is not None:
        conditions.append(invoice.total >= which.over)
    if which.under is not None:
        conditions.append(invoice.total <= which.under)
    return conditions


def listed(
    snapshot: Snapshot, which: WhichInvoices, sort: str = "", limit: int | None = None, offset: int = 0
) -> list[Invoice]:
    """The invoices, the newest first unless `sort` says otherwise; raises FieldError for what it cannot sort by."""
    name = sort.removeprefix("-").replace("-", "_")
    if name and name not in _SORTS:
        raise FieldError(f"a list of invoices is sorted by {', '.join(_SORTS)}", field="sort", label="Sort by")
    statement = select(*record_columns(Invoice)).where(*_conditions(which, snapshot.today))
    if name == "client":
        statement = statement.join(client, client.c.id == invoice.client)
    if name:
        column = _SORTS[name]
        statement = statement.order_by(column.desc() if sort.startswith("-") else column, invoice.id.desc())
    else:
        statement = statement.order_by(invoice.id.desc())
    rows = snapshot.select(statement.limit(limit).offset(offset or None))
    return [record_of(Invoice, row) for row in rows]
