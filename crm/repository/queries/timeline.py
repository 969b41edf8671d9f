"""Queries of a client's timeline: of each kind of record the latest rows until a day, as many as are wanted or more."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    String,
    Table,
    and_,
    bindparam,
    func,
    not_,
    null,
    or_,
    select,
    type_coerce,
)

from crm.model import Client, Invoice, Payment, Reminder, fields
from crm.repository import Snapshot
from crm.repository.tables import TABLES, audit, deal, follow_up, interaction, message, sale, stage_move, transactions

if TYPE_CHECKING:
    from crm.repository import AnyRow

invoice, payment, reminder = TABLES[Invoice], TABLES[Payment], TABLES[Reminder]
_corrected = invoice.alias()

# Of a long text only its beginning is read.
_BEGINNING = 2000

_SALES = (
    select(*(sale.c[name] for name in ("id", "on", "amount", "note", "reference", "user", "created_at")))
    .where(sale.c.client == bindparam("client"), sale.c.on <= bindparam("until"))
    .order_by(sale.c.on.desc(), sale.c.id.desc())
    .limit(bindparam("most"))
)

# Every deal comes into stages by moves, the first one when it is added.
_MOVES = (
    select(*(stage_move.c[name] for name in ("id", "deal", "stage", "on", "user", "created_at")))
    .join_from(stage_move, deal, deal.c.id == stage_move.c.deal)
    .where(deal.c.client == bindparam("client"), stage_move.c.on <= bindparam("until"))
    .order_by(stage_move.c.on.desc(), stage_move.c.id.desc())
    .limit(bindparam("most"))
)
_earlier = stage_move.alias()
_MOVED_DEALS = (
    select(
        stage_move.c.id,
        deal.c.title,
        deal.c.lost_reason,
        select(_earlier.c.stage)
        .where(_earlier.c.deal == stage_move.c.deal, _earlier.c.id < stage_move.c.id)
        .order_by(_earlier.c.id.desc())
        .limit(1)
        .scalar_subquery()
        .label("before"),
    )
    .join_from(stage_move, deal, deal.c.id == stage_move.c.deal)
    .where(stage_move.c.id.in_(bindparam("moves", expanding=True)))
)

_follow_up = tuple(
    follow_up.c[name] for name in ("id", "created_at", "updated_at", "due_on", "due_time", "every", "what", "user")
)
_SET = (
    select(*_follow_up, null().label("done_on"))
    .where(follow_up.c.client == bindparam("client"), follow_up.c.created_at < bindparam("before"))
    .order_by(follow_up.c.created_at.desc(), follow_up.c.id.desc())
    .limit(bindparam("most"))
)
_DONE = (
    select(*_follow_up, follow_up.c.done_on)
    .where(follow_up.c.client == bindparam("client"), follow_up.c.done_on <= bindparam("until"))
    .order_by(follow_up.c.done_on.desc(), follow_up.c.updated_at.desc(), follow_up.c.id.desc())
    .limit(bindparam("most"))
)


def _latest(table: Table, kind: Column[str], *read: ColumnElement[Any]) -> Select[Any]:
    """The latest rows until a day, at least `most` of them. The earliest of their days is read whole: rows without a
    time are sorted by when they were noted down, which is not the order of the index."""
    columns = table.c
    of_client = (columns.client == bindparam("client"), kind.in_(bindparam("kinds", expanding=True)))
    among = and_(*of_client, columns.on <= bindparam("until"))
    first = select(columns.on).where(among).order_by(columns.on.desc()).limit(1).offset(bindparam("most") - 1)
    return (
        select(*read)
        .where(among, columns.on >= func.coalesce(first.scalar_subquery(), date.min))
        .order_by(columns.on.desc(), columns.time.desc(), columns.id.desc())
    )


_INTERACTIONS = _latest(
    interaction,
    interaction.c.kind,
    *(interaction.c[name] for name in ("id", "created_at", "on", "time", "kind", "contact", "subject", "user")),
    func.substr(interaction.c.body, 1, _BEGINNING).label("body"),
)
_MESSAGES = _latest(
    message,
    message.c.channel,
    *(message.c[name] for name in ("id", "created_at", "on", "time", "channel", "direction", "state", "contact")),
    *(message.c[name] for name in ("subject", "failure", "user")),
    func.substr(message.c.body, 1, _BEGINNING).label("body"),
)

# Fields that follow from others: totals change with each sale, which is in the timeline itself, and the reason of a
# status with them. Such entries of the history are written by the store itself, and begin with one of these.
FOLLOWING = [
    name for name, field in fields(Client).items()
    if field.by in ("facts", "rules") and name not in ("status", "status_pinned_until")
]  # fmt: skip
_after = type_coerce(audit.c.after, String)
_moves_status = and_(
    audit.c.operation == "update",
    or_(*(_after.contains(f'"{name}":', autoescape=True) for name in ("status", "status_pinned_until"))),
)
_follows = and_(
    audit.c.operation == "update",
    or_(*(_after.startswith(f'{{"{name}":', autoescape=True) for name in FOLLOWING)),
)
# By whether statuses and edits are wanted.
_WANTED = {
    (True, False): _moves_status,
    (False, True): and_(not_(_moves_status), not_(_follows)),
    (True, True): or_(_moves_status, not_(_follows)),
}
_CHANGES = {
    scope: select(
        audit.c.transaction, transactions.c.at, transactions.c.user, transactions.c.what, audit.c.operation,
        audit.c.before, audit.c.after,
    )
    .join_from(audit, transactions)
    .where(audit.c.record_id == bindparam("client"), audit.c.record == Client.kind_name, condition)
    .where(transactions.c.at < bindparam("before"))
    .order_by(audit.c.id.desc())
    .limit(bindparam("most"))
    for scope, condition in _WANTED.items()
}  # fmt: skip


_INVOICES = (
    select(
        *(invoice.c[name] for name in ("id", "created_at", "issued_on", "number", "kind", "total", "currency", "user")),
        _corrected.c.number.label("corrects"),
    )
    .select_from(invoice.outerjoin(_corrected, _corrected.c.id == invoice.c.corrects))
    .where(
        invoice.c.client == bindparam("client"), invoice.c.state == "issued", invoice.c.issued_on <= bindparam("until")
    )
    .order_by(invoice.c.issued_on.desc(), invoice.c.id.desc())
    .limit(bindparam("most"))
)
_PAYMENTS = (
    select(
        *(
            payment.c[name]
            for name in ("id", "created_at", "on", "kind", "amount", "currency", "reference", "receipts", "user")
        )
    )
    .where(payment.c.client == bindparam("client"), payment.c.on <= bindparam("until"))
    .order_by(payment.c.on.desc(), payment.c.id.desc())
    .limit(bindparam("most"))
)
_REMINDERS = (
    select(*(reminder.c[name] for name in ("id", "created_at", "on", "level", "invoice", "user")), invoice.c.number)
    .join_from(reminder, invoice, invoice.c.id == reminder.c.invoice)
    .where(invoice.c.client == bindparam("client"), reminder.c.on <= bindparam("until"))
    .order_by(reminder.c.on.desc(), reminder.c.id.desc())
    .limit(bindparam("most"))
)


def invoices(snapshot: Snapshot, client: int, until: date, most: int) -> "Sequence[AnyRow]":
    """Issued invoices and credit notes: id, created_at, issued_on, number, kind, total, currency, user, corrects."""
    return snapshot.select(_INVOICES, client=client, until=until, most=most)


def payments(snapshot: Snapshot, client: int, until: date, most: int) -> "Sequence[AnyRow]":
    """Payments and refunds: id, created_at, on, kind, amount, currency, reference, receipts, user."""
    return snapshot.select(_PAYMENTS, client=client, until=until, most=most)


def reminders(snapshot: Snapshot, client: int, until: date, most: int) -> "Sequence[AnyRow]":
    """Reminders of invoices: id, created_at, on, level, invoice, user, number."""
    return snapshot.select(_REMINDERS, client=client, until=until, most=most)


def sales(snapshot: Snapshot, client: int, until: date, most: int) -> "Sequence[AnyRow]":
    """Sales: id, on, amount, note, user, created_at."""
    return snapshot.select(_SALES, client=client, until=until, most=most)


def stage_moves(snapshot: Snapshot, client: int, until: date, most: int) -> "Sequence[AnyRow]":
    """Move of deals: id, deal, stage, on, user, created_at."""
    return snapshot.select(_MOVES, client=client, until=until, most=most)


def moved_deals(snapshot: Snapshot, moves: Sequence[int]) -> "Sequence[AnyRow]":
    """The deals of some moves: id of the move, title, lost_reason, and the stage before it, None for the first one."""
    return snapshot.select(_MOVED_DEALS, moves=list(moves))


def follow_ups_set(snapshot: Snapshot, client: int, before: datetime, most: int) -> "Sequence[AnyRow]":
    """Follow-ups by when they were added: id, created_at, updated_at, due_on, due_time, what, user; done_on is None."""
    return snapshot.select(_SET, client=client, before=before, most=most)


def follow_ups_done(snapshot: Snapshot, client: int, until: date, most: int) -> "Sequence[AnyRow]":
    """Follow-ups that are done: the same, with the day on which they were."""
    return snapshot.select(_DONE, client=client, until=until, most=most)


def interactions(snapshot: Snapshot, client: int, kinds: Sequence[str], until: date, most: int) -> "Sequence[AnyRow]":
    """Interactions of some kinds, with the beginning of their text."""
    return snapshot.select(_INTERACTIONS, client=client, kinds=list(kinds), until=until, most=most)


def messages(snapshot: Snapshot, client: int, kinds: Sequence[str], until: date, most: int) -> "Sequence[AnyRow]":
    """Messages of some channels, with the beginning of their text."""
    return snapshot.select(_MESSAGES, client=client, kinds=list(kinds), until=until, most=most)


def changes(
    snapshot: Snapshot, client: int, *, statuses: bool, edits: bool, before: datetime, most: int
) -> "Sequence[AnyRow]":
    """The changes of the client: of its status, others that somebody made, or both: transaction, at, user, what,
    operation, before, after."""
    return snapshot.select(_CHANGES[statuses, edits], client=client, before=before, most=most)
