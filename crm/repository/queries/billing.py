"""Queries about invoices: those in a state, what is unpaid, and when something was paid."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
    type_coerce,
)

from crm.errors import FieldError
from crm.invoicing.payments import PaidIn, PaidOn, freed_parts, left_of
from crm.lean_dataclass import dataclass
from crm.model import Allocation, Invoice, InvoiceLine, Payment
from crm.model.money import NOTHING
from crm.model.record import AnyRecord
from crm.repository import Snapshot
from crm.repository.balances import rows_of_credit
from crm.repository.invoice_conditions import HAS_LEFT, IS_OPEN, IS_OVERPAID
from crm.repository.queries.people import OwnerFilter
from crm.repository.sql_functions import holds
from crm.repository.statements import ALL
from crm.repository.tables import TABLES, client, record_of

if TYPE_CHECKING:
    from crm.repository import AnyRow

invoice, payment, allocation = TABLES[Invoice].c, TABLES[Payment].c, TABLES[Allocation].c
line = TABLES[InvoiceLine].c
_ISSUED = (invoice.state == "issued", invoice.kind == "invoice")
_IS_WHOLE = (invoice.credited > NOTHING) & (invoice.credited >= invoice.total)
_WAS_PAID = (invoice.paid > NOTHING) | (invoice.used_again > NOTHING)
# The shown states that do not depend on the day.
_IN_STATE: Mapping[str, Sequence[ColumnElement[bool]]] = {
    "draft": (invoice.state == "draft",),
    "open": (IS_OPEN,),
    "paid": (*_ISSUED, invoice.open <= NOTHING, ~_IS_WHOLE),
    "cancelled": (*_ISSUED, _IS_WHOLE, ~_WAS_PAID),
    "credited": (invoice.state == "issued", (invoice.kind == "credit_note") | (_IS_WHOLE & _WAS_PAID)),
}
_SORTS: Mapping[str, ColumnElement[Any]] = {
    "client": client.c.sort_name,
    **{name: invoice[name] for name in (
        "id", "number", "state", "issued_on", "due_on", "total", "paid", "credited", "open", "created_at", "updated_at",
    )},
}  # fmt: skip
_USEFUL = ("client", "number", "due_on", "total", "open")


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

    def fits(self, invoice: Invoice, state: str) -> bool:
        """Return whether an invoice, which is shown in a state, is one of them; as the statement says it."""
        return not (
            (self.state and (invoice.open <= NOTHING if self.state == "open" else state != self.state))
            or (self.client and invoice.client != self.client)
            or (self.since and (invoice.issued_on is None or invoice.issued_on < self.since))
            or (self.until and (invoice.issued_on is None or invoice.issued_on > self.until))
            or (self.number and self.number.casefold() not in invoice.number.casefold())
            or (self.over is not None and invoice.total < self.over)
            or (self.under is not None and invoice.total > self.under)
        )


_OPEN_STATES = ("open", "overdue", "sent", "part paid")


def _in_state(state: str, today: date) -> Sequence[ColumnElement[bool]]:
    """A shown state in SQL, as `crm.invoicing.state` has it; `open` are all on which something is open."""
    if state in _IN_STATE:
        return _IN_STATE[state]
    is_late = (invoice.due_on.is_not(None)) & (invoice.due_on < today)
    states: Mapping[str, Sequence[ColumnElement[bool]]] = {
        "overdue": (IS_OPEN, is_late),
        "sent": (IS_OPEN, ~is_late, invoice.paid == NOTHING),
        "part paid": (IS_OPEN, ~is_late, invoice.paid > NOTHING),
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
        conditions.append(holds(invoice.number, which.number))
    if which.over is not None:
        conditions.append(invoice.total >= which.over)
    if which.under is not None:
        conditions.append(invoice.total <= which.under)
    return conditions


_LAST_ISSUED = (
    select(invoice.number, invoice.issued_on)
    .where(invoice.state == "issued", invoice.kind == bindparam("wanted"))
    .order_by(invoice.issued_on.desc(), invoice.id.desc())
    .limit(1)
)


def last_issued(snapshot: Snapshot, kind: str) -> tuple[str, date] | None:
    """The number and the day of the document of a kind that was issued on the latest day; None where there is none."""
    rows = snapshot.select(_LAST_ISSUED, wanted=kind)
    return (rows[0].number, rows[0].issued_on) if rows and rows[0].issued_on else None


# Numbers are of letters that each database knows in both cases.
_GIVEN = select(invoice.id).where(
    invoice.number != literal("", literal_execute=True), func.lower(invoice.number) == bindparam("wanted")
)


def is_given(snapshot: Snapshot, number: str) -> bool:
    """Return whether a document has a number already, in whatever case."""
    return bool(snapshot.select(_GIVEN, wanted=number.lower()))


def numbers_beginning(snapshot: Snapshot, text: str) -> list[str]:
    """The numbers of all that was issued that begin with a text, in whatever case."""
    statement = select(invoice.number).where(
        invoice.state == "issued", invoice.number.istartswith(text, autoescape=True)
    )
    return [row.number for row in snapshot.select(statement)]


def with_line(snapshot: Snapshot, client_id: int, name: str) -> Invoice | None:
    """The latest draft or invoice of a client with a line of a name; none that was credited as a whole."""
    statement = (
        ALL[Invoice]
        .join(TABLES[InvoiceLine], line.invoice == invoice.id)
        .where(invoice.client == client_id, invoice.kind == "invoice", ~_IS_WHOLE, line.name == name)
    )
    rows = snapshot.select(statement.order_by(invoice.id.desc()).limit(1))
    return record_of(Invoice, rows[0]) if rows else None


def overdue(snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0) -> tuple[int, list[Invoice]]:
    """The number of overdue invoices of a person, or of everybody, and some of them, the oldest first."""
    late = (*_in_state("overdue", snapshot.today), owner.owns(Invoice))
    return _some_of(snapshot, Invoice, ALL[Invoice].where(*late), invoice.due_on, most, but)


def drafts(snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0) -> tuple[int, list[Invoice]]:
    """The number of drafts of a person, or of everybody, and some of them, the oldest first."""
    waiting = (*_in_state("draft", snapshot.today), owner.owns(Invoice))
    return _some_of(snapshot, Invoice, ALL[Invoice].where(*waiting), invoice.id, most, but)


def credit_by_currency(snapshot: Snapshot, clients: Collection[int]) -> Mapping[int, Mapping[str, Decimal]]:
    """The credit that each of some clients has in each currency, where it has any."""
    rows = rows_of_credit(lambda columns: columns.client.in_(clients))
    by = (rows.client, rows.currency)
    credits: dict[int, dict[str, Decimal]] = {}
    for number, currency, credit in snapshot.select(select(*by, func.sum(rows.credit)).group_by(*by).order_by(*by)):
        if credit > NOTHING:
            credits.setdefault(number, {})[currency] = credit
    return credits


def left_of_payments(snapshot: Snapshot, clients: Collection[int]) -> Mapping[int, Decimal]:
    """The amount still left of each payment of some clients: a refund takes from the oldest first."""
    return left_of(*_credit_of_payments(snapshot, payment.client.in_(clients)))


def freed_of(snapshot: Snapshot, number: int) -> Mapping[int, Decimal]:
    """The amount of each allocation of a payment that its invoice needs no more."""
    invoices = select(allocation.invoice).where(allocation.payment == number)
    return freed_parts(_paid_on(snapshot, allocation.invoice.in_(invoices)))


def _credit_of_payments(snapshot: Snapshot, *where: ColumnElement[bool]) -> tuple[Sequence[PaidIn], Sequence[PaidOn]]:
    """The payments and refunds that add to the credit of their clients, and what was paid on invoices beyond what these
    come to. The conditions are on payments."""
    paid_on = _paid_on(snapshot, *where)
    columns = (payment.id, payment.client, payment.currency, payment.on, payment.left, payment.kind)
    statements = [select(*columns).where(HAS_LEFT, *where)]
    if paid_on:
        # The payments that are used up, but on an invoice that was credited later.
        freed = _ON_OVERPAID.with_only_columns(*columns, maintain_column_froms=True)
        statements.append(freed.where(~HAS_LEFT, *where).distinct())
    paid = [
        PaidIn(
            id=row.id, client=row.client, currency=row.currency, on=row.on or date.min, left=row.left,
            is_refund=row.kind == "refund",
        )
        for statement in statements
        for row in snapshot.select(statement)
    ]  # fmt: skip
    return paid, paid_on


_ON_OVERPAID = (
    select(allocation.id, allocation.payment, allocation.invoice, allocation.amount, invoice.overpaid)
    .join_from(TABLES[Invoice], TABLES[Allocation], allocation.invoice == invoice.id)
    .join(TABLES[Payment], payment.id == allocation.payment)
    .where(IS_OVERPAID)
)


def _paid_on(snapshot: Snapshot, *where: ColumnElement[bool]) -> Sequence[PaidOn]:
    """The parts of payments that are on invoices which were credited later."""
    return [PaidOn(**row._mapping) for row in snapshot.select(_ON_OVERPAID.where(*where))]


# The clients whose payments cannot be checked one by one for unused parts: there was a refund, or a credit after a
# payment.
_settling = TABLES[Payment].alias("settling").c
# A refund takes from the credit, and so less than nothing is left of it; as HAS_LEFT, for the partial index.
_REFUNDED = (type_coerce(_settling.left, Integer) != literal(0, literal_execute=True)) & (_settling.left < NOTHING)
_SETTLED = select(
    select(_settling.client).where(_REFUNDED).union(select(invoice.client).where(IS_OVERPAID)).subquery().c.client
)


def unused_payments(snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0) -> tuple[int, list[Payment]]:
    """The number of payments of which something is left that their clients can still use, and some of them, the oldest
    first."""
    # Of most clients all that is left can be used: it is counted, and only those of the page are read.
    settled = [row.client for row in snapshot.select(_SETTLED)]
    whole = (HAS_LEFT, payment.left > NOTHING, owner.owns(Payment), payment.client.not_in(_SETTLED))
    ((count,),) = snapshot.select(select(func.count(payment.id)).where(*whole))
    unused = []
    if count and most:
        # Those of which something is left are few: they are sorted, and not looked for among all.
        oldest = func.coalesce(payment.on, payment.on)
        page = select(payment.id, payment.on).where(*whole).order_by(oldest, payment.id).limit(but + most)
        unused = [(row.on or date.min, row.id) for row in snapshot.select(page)]
    if settled:
        paid, paid_on = _credit_of_payments(snapshot, payment.client.in_(_SETTLED))
        left = left_of(paid, paid_on)
        own = select(payment.id).where(payment.client.in_(_SETTLED), owner.owns(Payment))
        of_owner = {row.id for row in snapshot.select(own)} if owner else left.keys()
        more = [(item.on, item.id) for item in paid if left.get(item.id) and item.id in of_owner]
        count, unused = count + len(more), sorted([*unused, *more])
    numbers = [number for _, number in unused[but : but + most]]
    rows = snapshot.select(ALL[Payment].where(payment.id.in_(numbers))) if numbers else []
    return count, sorted((record_of(Payment, row) for row in rows), key=lambda payment: numbers.index(payment.id))


def _some_of(
    snapshot: Snapshot, kind: type[AnyRecord], statement: Select[Any], order: ColumnElement[Any], most: int, but: int
) -> tuple[int, list[AnyRecord]]:
    """The number of records that a statement selects, and `most` of them after the first `but`."""
    ((count,),) = snapshot.select(statement.with_only_columns(func.count(), maintain_column_froms=True))
    if not (count > but and most):
        return count, []
    in_order = statement.order_by(order, TABLES[kind].c.id).limit(most).offset(but or None)
    return count, [record_of(kind, row) for row in snapshot.select(in_order)]


def listed(
    snapshot: Snapshot, which: WhichInvoices, sort: str = "", limit: int | None = None, offset: int = 0
) -> list[Invoice]:
    """The invoices, the newest first unless `sort` says otherwise. Raises FieldError for what it cannot sort by."""
    name = sort.removeprefix("-").replace("-", "_")
    if name and name not in _SORTS:
        from crm.repository.field_advice import advice

        raise FieldError(f"invoices are not sorted by {name}; {advice(name, _SORTS, _USEFUL)}", field="sort")
    statement = ALL[Invoice].where(*_conditions(which, snapshot.today))
    if name == "client":
        statement = statement.join(client, client.c.id == invoice.client)
    if name:
        column = _SORTS[name]
        statement = statement.order_by(column.desc() if sort.startswith("-") else column, invoice.id.desc())
    else:
        # Those that are open are few: they are sorted, and not looked for among all.
        newest = func.coalesce(invoice.id, invoice.id) if which.state in _OPEN_STATES else invoice.id
        statement = statement.order_by(newest.desc())
    rows = snapshot.select(statement.limit(limit).offset(offset or None))
    return [record_of(Invoice, row) for row in rows]


def unpaid_by_client(
    snapshot: Snapshot, *, days: int = 0, limit: int | None = None, offset: int = 0
) -> "Sequence[AnyRow]":
    """The debt of each client in each currency, the most overdue first: the id, what is open, then of it what is not
    due yet and what has been due for up to 30, 60, 90 and more days, the first day due, the last reminder, the last day
    promised, and the currency. `days` leaves out those with nothing overdue for so long."""
    statement = _unpaid_by_client(snapshot.today, days)
    return snapshot.select(statement.limit(limit).offset(offset or None))


_owed = TABLES[Invoice].alias("owed").c


def credit_alone(
    snapshot: Snapshot, currency: str, *, limit: int | None = None, offset: int = 0
) -> Sequence[tuple[int, str, Decimal]]:
    """The credit of clients in currencies in which they owe nothing, but not in this one, which their cards show."""
    rows = rows_of_credit(lambda columns: columns.currency != currency)
    by, credit = (rows.client, rows.currency), func.sum(rows.credit)
    owes = exists().where(_owed.client == rows.client, _owed.currency == rows.currency, _owed.open > NOTHING)
    statement = select(*by, credit).where(~owes).group_by(*by).having(credit > NOTHING).order_by(*by)
    return [tuple(row) for row in snapshot.select(statement.limit(limit).offset(offset or None))]


def unpaid_totals(snapshot: Snapshot, *, days: int = 0) -> Sequence[tuple[str, Decimal, Decimal]]:
    """The debt of all clients that `unpaid_by_client` lists: the currency, what is open, and how much is overdue."""
    debts = _unpaid_by_client(snapshot.today, days).order_by(None).subquery().c
    statement = (
        select(debts.currency, func.sum(debts.open), func.sum(debts.overdue))
        .group_by(debts.currency)
        .order_by(func.sum(debts.overdue).desc(), debts.currency)
    )
    return [(currency, still or NOTHING, overdue or NOTHING) for currency, still, overdue in snapshot.select(statement)]


def _unpaid_by_client(today: date, days: int) -> Select[Any]:
    """The debts of clients by currency, the most overdue first."""

    def between(first: int | None, last: int | None) -> ColumnElement[Any]:
        """The sum of what has been due for so many days."""
        conditions = []
        if last is not None:
            conditions.append(invoice.due_on >= today - timedelta(days=last))
        if first is not None:
            conditions.append(invoice.due_on < today - timedelta(days=first - 1))
        fits = conditions[0] if len(conditions) == 1 else conditions[0] & conditions[1]
        return func.sum(case((fits, invoice.open), else_=0))

    overdue = between(1, None)
    statement = (
        select(
            invoice.client, func.sum(invoice.open).label("open"), between(None, 0).label("not_due"),
            between(1, 30).label("to_30"), between(31, 60).label("to_60"), between(61, 90).label("to_90"),
            between(91, None).label("over_90"), func.min(invoice.due_on).label("first_due"),
            func.max(invoice.reminded_on).label("reminded_on"), func.max(invoice.promised_on).label("promised_on"),
            invoice.currency, overdue.label("overdue"),
        )
        .where(IS_OPEN)
        .group_by(invoice.client, invoice.currency)
        .order_by(overdue.desc(), func.sum(invoice.open).desc(), invoice.client, invoice.currency)
    )  # fmt: skip
    if days:
        statement = statement.having(func.min(invoice.due_on) <= today - timedelta(days=days))
    return statement


def open_by_currency(snapshot: Snapshot, client_id: int | None = None) -> Sequence[tuple[str, Decimal, Decimal]]:
    """The debt of a client, or of all, in each currency: the currency, what is open, and how much of it is overdue."""
    late = func.sum(case((invoice.due_on < snapshot.today, invoice.open), else_=0))
    statement = (
        select(invoice.currency, func.sum(invoice.open), late)
        .where(IS_OPEN, *([] if client_id is None else [invoice.client == client_id]))
        .group_by(invoice.currency)
        .order_by(invoice.currency)
    )
    return [(currency, still or NOTHING, overdue or NOTHING) for currency, still, overdue in snapshot.select(statement)]


_LAST_PAYMENT = (
    ALL[Payment]
    .where(payment.client == bindparam("client"), payment.kind == "payment")
    .order_by(payment.on.desc(), payment.id.desc())
    .limit(1)
)


def last_payment(snapshot: Snapshot, client_id: int) -> Payment | None:
    """The last payment of a client, refunds apart; None where they have paid nothing."""
    rows = snapshot.select(_LAST_PAYMENT, client=client_id)
    return record_of(Payment, rows[0]) if rows else None


def last_paid(snapshot: Snapshot, invoices: Sequence[int]) -> Mapping[int, date]:
    """The last day on which something was paid on each of some invoices."""
    statement = (
        select(allocation.invoice, func.max(payment.on))
        .join(TABLES[Payment], payment.id == allocation.payment)
        .where(allocation.invoice.in_(invoices))
        .group_by(allocation.invoice)
    )
    return {row[0]: row[1] for row in snapshot.select(statement)}
