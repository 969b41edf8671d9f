"""What happened with a client, latest first: sales, what was said, deals, follow-ups, statuses and edits in one line.

Each kind of record is a source, and of each no more is read than the wanted page can hold.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import String, and_, bindparam, not_, or_, select, type_coerce

from crm.commands import spoken
from crm.commands.changed import typed_value
from crm.commands.context import CRM
from crm.commands.entries import DEAL, EDIT, FOLLOW_UP, SALE, STATUS, Entry, Timed, short, timed
from crm.model import CHANNELS, INTERACTIONS, Client, Conventions, FollowUp, Sale, Stage, fields
from crm.model.rights import HISTORY, NONE, READ, level
from crm.repository import Query, Snapshot
from crm.repository.tables import audit, deal, follow_up, record_columns, record_of, stage_move, transactions

# Reads of a client (by number) the latest of some kinds, at least so many where there are so many.
_Source = Callable[[Snapshot, int, Sequence[str], int, Conventions], Iterable[Timed]]


def latest(
    crm: CRM, snapshot: Snapshot, client: Client, limit: int, offset: int = 0, only: Sequence[str] = ()
) -> list[Entry]:
    """A page of a client's timeline, latest first, of some kinds or of all; what the reader never sees is left out."""
    found: list[Timed] = []
    for area, kinds, source in _SOURCES:
        wanted = [kind for kind in kinds if kind in only or not only]
        if wanted and level(crm.reader.role, area, READ) is not NONE:
            found += source(snapshot, client.id, wanted, offset + limit, crm.conventions)
    found.sort(key=lambda each: each[0], reverse=True)
    return [entry for _, entry in found[offset : offset + limit]]


def _sales(snapshot: Snapshot, client: int, _: Sequence[str], most: int, __: Conventions) -> Iterable[Timed]:
    for sale in snapshot.find_all(Sale, Query({"client": client}, limit=most)):
        told = f"Sale {sale.id}" + (f": {sale.note}" if sale.note else "")
        yield timed(Entry(sale.on, "", SALE, told, sale.user, sale.amount, "sale", sale.id), sale.created_at)


# Every deal comes into stages by moves, the first one when it is added.
_LATEST_MOVES = (
    select(*(stage_move.c[name] for name in ("id", "deal", "stage", "on", "user", "created_at")))
    .join_from(stage_move, deal, deal.c.id == stage_move.c.deal)
    .where(deal.c.client == bindparam("client"))
    .order_by(stage_move.c.on.desc(), stage_move.c.id.desc())
    .limit(bindparam("most"))
    .subquery()
)
_EARLIER = stage_move.alias()
_MOVES = (
    select(
        *(_LATEST_MOVES.c[name] for name in ("id", "deal", "stage", "on", "user", "created_at")),
        deal.c.title,
        deal.c.lost_reason,
        select(_EARLIER.c.stage)
        .where(_EARLIER.c.deal == _LATEST_MOVES.c.deal, _EARLIER.c.id < _LATEST_MOVES.c.id)
        .order_by(_EARLIER.c.id.desc())
        .limit(1)
        .scalar_subquery()
        .label("before"),
    )
    .join_from(_LATEST_MOVES, deal, deal.c.id == _LATEST_MOVES.c.deal)
    .order_by(_LATEST_MOVES.c.on.desc(), _LATEST_MOVES.c.id.desc())
)


def _deals(snapshot: Snapshot, client: int, _: Sequence[str], most: int, by: Conventions) -> Iterable[Timed]:
    rows = snapshot.select(_MOVES, client=client, most=most)
    stages = {each.id: each for each in snapshot.find_all(Stage)} if rows else {}
    for row in rows:
        now = stages.get(row.stage)
        if now and now.outcome != "open":
            told = f"Deal {now.outcome}: {row.title}"
            told += f" ({row.lost_reason})" if now.outcome == "lost" and row.lost_reason else ""
        elif row.before is None:
            told = f"Deal added: {row.title}"
        else:
            before = stages.get(row.before)
            told = f"Deal {row.title}: {before.name if before else '?'} → {now.name if now else '?'}"
        # One that is told later than it was has no time of day.
        at = by.clock.time_of(row.created_at) if by.clock.day_of(row.created_at) == row.on else ""
        entry = Entry(row.on, at, DEAL, told, row.user, None, "deal", row.deal)
        yield timed(entry, row.created_at)


_FOLLOW_UPS = select(*record_columns(FollowUp)).where(follow_up.c.client == bindparam("client"))
_SET = _FOLLOW_UPS.order_by(follow_up.c.created_at.desc(), follow_up.c.id.desc()).limit(bindparam("most"))
_DONE = (
    _FOLLOW_UPS.where(follow_up.c.done_on.is_not(None))
    .order_by(follow_up.c.done_on.desc(), follow_up.c.updated_at.desc(), follow_up.c.id.desc())
    .limit(bindparam("most"))
)


def _follow_ups(snapshot: Snapshot, client: int, _: Sequence[str], most: int, by: Conventions) -> Iterable[Timed]:
    for row in snapshot.select(_SET, client=client, most=most):
        its = record_of(FollowUp, row)
        due = by.day(its.due_on) + (f", {its.due_time}" if its.due_time else "")
        told = f"Follow-up set for {due}: {its.what}"
        on, at = by.clock.day_of(its.created_at), its.created_at
        yield timed(Entry(on, by.clock.time_of(at), FOLLOW_UP, told, its.user, None, "follow_up", its.id), at)
    for row in snapshot.select(_DONE, client=client, most=most):
        its = record_of(FollowUp, row)
        told = f"Follow-up done: {its.what}"
        on = its.done_on or its.due_on
        yield timed(Entry(on, "", FOLLOW_UP, told, its.user, None, "follow_up", its.id), its.updated_at)


# Totals change with each sale, which stands in the timeline itself, and the reason of a status with them. Such entries
# are written by the store itself, and begin with one of these.
_FOLLOWING = [
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
    or_(*(_after.startswith(f'{{"{name}":', autoescape=True) for name in _FOLLOWING)),
)
_WORTH_TELLING = {
    (STATUS,): _moves_status,
    (EDIT,): and_(not_(_moves_status), not_(_follows)),
    (STATUS, EDIT): or_(_moves_status, not_(_follows)),
}
_CHANGES = {
    kinds: select(
        audit.c.transaction, transactions.c.at, transactions.c.user, transactions.c.what, audit.c.operation,
        audit.c.before, audit.c.after,
    )
    .join_from(audit, transactions)
    .where(audit.c.record_id == bindparam("client"), audit.c.record == Client.kind_name, worth_telling)
    .order_by(audit.c.id.desc())
    .limit(bindparam("most"))
    for kinds, worth_telling in _WORTH_TELLING.items()
}  # fmt: skip


def _changes(snapshot: Snapshot, client: int, kinds: Sequence[str], most: int, by: Conventions) -> Iterable[Timed]:
    for row in snapshot.select(_CHANGES[tuple(kinds)], client=client, most=most):
        after = row.after or {}
        kind = STATUS if row.operation == "update" and {"status", "status_pinned_until"} & set(after) else EDIT
        told = _told(row.what, row.operation, row.before or {}, after, by)
        on, at = by.clock.day_of(row.at), by.clock.time_of(row.at)
        entry = Entry(on, at, kind, told, row.user, transaction=row.transaction)
        # A sale comes before the status that it gives, and a client before all that is recorded with it.
        yield timed(entry, row.at, 1 if kind == STATUS else -1 if row.operation == "create" else 0)


def _told(what: str, operation: str, before: Mapping[str, Any], after: Mapping[str, Any], by: Conventions) -> str:
    """A change in words."""
    if operation == "create":
        return "Added" if what.startswith("added") else f"Added ({what})"
    known = fields(Client)
    told = [
        f"{known[name].label}: {_shown(name, before.get(name), by)} → {_shown(name, value, by)}"
        for name, value in after.items()
        if name in known and name not in _FOLLOWING and value != before.get(name)
    ]
    if "status" in after and (reason := after.get("status_reason")):
        told.append(f"because {reason}")
    return "; ".join(told) or what


def _shown(name: str, written: Any, by: Conventions) -> str:
    if written in (None, "", {}, []):
        return "—"
    return short(fields(Client)[name].check.show(typed_value(Client.kind_name, name, written), by))


# Whose right to read a source needs, the kinds of entries in it, and how it is read.
_SOURCES: Sequence[tuple[str, Sequence[str], _Source]] = (
    ("sale", (SALE,), _sales),
    ("interaction", tuple(INTERACTIONS), spoken.interactions),
    ("message", tuple(CHANNELS), spoken.messages),
    ("deal", (DEAL,), _deals),
    ("follow_up", (FOLLOW_UP,), _follow_ups),
    (HISTORY, (STATUS, EDIT), _changes),
)
