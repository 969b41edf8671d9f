"""The sources of a client's timeline, latest first: sales, messages, deals, follow-ups, billing, statuses and edits.

Each kind of record is a source, and of each no more is read than the wanted page can hold.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from crm.commands.activity import timeline_messages
from crm.commands.activity.timeline_entries import (
    DEAL,
    EDIT,
    FOLLOW_UP,
    INVOICE,
    PAYMENT,
    REMINDER,
    SALE,
    START,
    STATUS,
    Entry,
    Key,
    Place,
    in_one_line,
)
from crm.commands.context import CRM
from crm.commands.data.change_details import typed_value
from crm.model import CHANNELS, INTERACTIONS, INVOICE_KINDS, PAYMENT_KINDS, Client, Conventions, Sale, Stage, fields
from crm.model.rights import HISTORY, NONE, OWN, READ, level
from crm.repository import Query, Snapshot
from crm.repository.queries import timeline

_Row = Any
# Reads the latest rows of some kinds about a client (by id) until a day, each with what it is sorted by: at least the
# number that is asked for, where there are as many.
_Read = Callable[[Snapshot, int, Sequence[str], date, int, Conventions], list[tuple[Key, _Row]]]
# Makes entries of such rows.
_Tell = Callable[[Snapshot, Sequence[_Row], Conventions], list[Entry]]


def latest(
    crm: CRM, snapshot: Snapshot, client: Client, limit: int, only: Sequence[str] = (), after: Place = START
) -> list[Entry]:
    """A page of a client's timeline, latest first, of some kinds or of all; what the reader never sees is left out.

    It begins after a place. Of what comes before that place only its own day is read.
    """
    entries: list[tuple[Key, _Row, _Tell]] = []
    for area, kinds, read, tell in _SOURCES:
        shown_kinds = [kind for kind in kinds if kind in only or not only]
        may = level(crm.reader.role, area, READ)
        if shown_kinds and may is not NONE:
            rows = (_own_sales if may is OWN and read is _sales else read)(
                snapshot, client.id, shown_kinds, after.on, after.count + limit, crm.conventions
            )
            entries += [(key, row, tell) for key, row in rows]
    entries.sort(key=lambda pair: pair[0], reverse=True)
    page = entries[after.count : after.count + limit]
    makers = {
        tell: iter(tell(snapshot, [row for _, row, teller in page if teller is tell], crm.conventions))
        for tell in {tell for _, _, tell in page}
    }
    return [next(makers[tell]) for _, _, tell in page]


def _sales(
    snapshot: Snapshot, client: int, _: Sequence[str], until: date, most: int, __: Conventions
) -> list[tuple[Key, _Row]]:
    rows = timeline.sales(snapshot, client, until, most)
    return [((row.on, row.created_at, 0), row) for row in rows]


def _own_sales(
    snapshot: Snapshot, client: int, _: Sequence[str], until: date, most: int, __: Conventions
) -> list[tuple[Key, _Row]]:
    """The same for a client who reads their own sales, without the notes of the team."""
    sales = snapshot.find_all(Sale, Query({"client": client}, until=until, limit=most))
    return [((sale.on, sale.created_at, 0), sale) for sale in sales]


def _sale_entries(_: Snapshot, rows: Sequence[_Row], __: Conventions) -> list[Entry]:
    entries = []
    for row in rows:
        reference = f" ({row.reference})" if row.reference else ""
        text = f"Sale {row.id}{reference}" + (f": {row.note}" if row.note else "")
        entries.append(Entry(row.on, "", SALE, text, row.user, row.amount, "sale", row.id))
    return entries


def _deals(
    snapshot: Snapshot, client: int, _: Sequence[str], until: date, most: int, __: Conventions
) -> list[tuple[Key, _Row]]:
    rows = timeline.stage_moves(snapshot, client, until, most)
    return [((row.on, row.created_at, 0), row) for row in rows]


def _deal_entries(snapshot: Snapshot, rows: Sequence[_Row], by: Conventions) -> list[Entry]:
    moved = {deal.id: deal for deal in timeline.moved_deals(snapshot, [row.id for row in rows])}
    stages = {stage.id: stage for stage in snapshot.find_all(Stage)}
    entries = []
    for row in rows:
        deal, now = moved[row.id], stages.get(row.stage)
        if now and now.outcome != "open":
            text = f"Deal {now.outcome}: {deal.title}"
            text += f" ({deal.lost_reason})" if now.outcome == "lost" and deal.lost_reason else ""
        elif deal.before is None:
            text = f"Deal added: {deal.title}"
        else:
            before = stages.get(deal.before)
            text = f"Deal {deal.title}: {before.name if before else '?'} → {now.name if now else '?'}"
        # One that is recorded on a later day has no time of day.
        at = by.clock.time_of(row.created_at) if by.clock.day_of(row.created_at) == row.on else ""
        entries.append(Entry(row.on, at, DEAL, text, row.user, None, "deal", row.deal))
    return entries


def _follow_ups(
    snapshot: Snapshot, client: int, _: Sequence[str], until: date, most: int, by: Conventions
) -> list[tuple[Key, _Row]]:
    created = timeline.follow_ups_set(snapshot, client, _end_of(until, by), most)
    done = timeline.follow_ups_done(snapshot, client, until, most)
    set_ones: list[tuple[Key, _Row]] = [((by.clock.day_of(row.created_at), row.created_at, 0), row) for row in created]
    return set_ones + [((row.done_on, row.updated_at, 0), row) for row in done]


def _follow_up_entries(_: Snapshot, rows: Sequence[_Row], by: Conventions) -> list[Entry]:
    entries = []
    for row in rows:
        if row.done_on is None:
            due = by.day(row.due_on) + (f", {row.due_time}" if row.due_time else "")
            text, on, at = (
                f"Follow-up set for {due}: {row.what}",
                by.clock.day_of(row.created_at),
                by.clock.time_of(row.created_at),
            )
        else:
            text, on, at = f"Follow-up done: {row.what}", row.done_on, ""
        entries.append(Entry(on, at, FOLLOW_UP, text, row.user, None, "follow_up", row.id))
    return entries


def _invoices(
    snapshot: Snapshot, client: int, _: Sequence[str], until: date, most: int, __: Conventions
) -> list[tuple[Key, _Row]]:
    rows = timeline.invoices(snapshot, client, until, most)
    return [((row.issued_on, row.created_at, 0), row) for row in rows]


def _invoice_entries(_: Snapshot, rows: Sequence[_Row], __: Conventions) -> list[Entry]:
    entries = []
    for row in rows:
        noun = INVOICE_KINDS[row.kind].capitalize()
        about = f" for {row.corrects}" if row.corrects else ""
        text = f"{noun} {row.number}{about}"
        entries.append(
            Entry(row.issued_on, "", INVOICE, text, row.user, row.total, "invoice", row.id, currency=row.currency)
        )
    return entries


def _payments(
    snapshot: Snapshot, client: int, _: Sequence[str], until: date, most: int, __: Conventions
) -> list[tuple[Key, _Row]]:
    rows = timeline.payments(snapshot, client, until, most)
    return [((row.on, row.created_at, 0), row) for row in rows]


def _payment_entries(_: Snapshot, rows: Sequence[_Row], __: Conventions) -> list[Entry]:
    entries = []
    for row in rows:
        reference = f" ({row.reference})" if row.reference else ""
        receipt = ", receipt sent" if row.receipts else ""
        text = f"{PAYMENT_KINDS[row.kind].capitalize()} {row.id}{reference}{receipt}"
        entries.append(Entry(row.on, "", PAYMENT, text, row.user, row.amount, "payment", row.id, currency=row.currency))
    return entries


def _reminders(
    snapshot: Snapshot, client: int, _: Sequence[str], until: date, most: int, __: Conventions
) -> list[tuple[Key, _Row]]:
    rows = timeline.reminders(snapshot, client, until, most)
    return [((row.on, row.created_at, 0), row) for row in rows]


def _reminder_entries(_: Snapshot, rows: Sequence[_Row], __: Conventions) -> list[Entry]:
    return [
        Entry(row.on, "", REMINDER, f"Reminder {row.level} of {row.number}", row.user, None, "invoice", row.invoice)
        for row in rows
    ]


def _end_of(day: date, by: Conventions) -> datetime:
    """The first moment after a day."""
    return datetime.max.replace(tzinfo=UTC) if day == date.max else by.clock.at(day + timedelta(days=1), time())


# A sale comes before the status that it gives, and a client before all that is recorded with it.
_RANKS = {STATUS: 1, "create": -1}


def _changes(
    snapshot: Snapshot, client: int, kinds: Sequence[str], until: date, most: int, by: Conventions
) -> list[tuple[Key, _Row]]:
    rows = timeline.changes(
        snapshot, client, statuses=STATUS in kinds, edits=EDIT in kinds, before=_end_of(until, by), most=most
    )
    ranks = (_RANKS.get(_kind_of(row), _RANKS.get(row.operation, 0)) for row in rows)
    return [((by.clock.day_of(row.at), row.at, rank), row) for row, rank in zip(rows, ranks, strict=True)]


def _change_entries(_: Snapshot, rows: Sequence[_Row], by: Conventions) -> list[Entry]:
    entries = []
    for row in rows:
        text = _change_text(row.what, row.operation, row.before or {}, row.after or {}, by)
        on, at = by.clock.day_of(row.at), by.clock.time_of(row.at)
        entries.append(Entry(on, at, _kind_of(row), text, row.user, transaction=row.transaction))
    return entries


def _kind_of(row: _Row) -> str:
    """Return whether a change moved the status, or edited something else."""
    return STATUS if row.operation == "update" and {"status", "status_pinned_until"} & set(row.after or {}) else EDIT


def _change_text(
    what: str, operation: str, before: Mapping[str, Any], after: Mapping[str, Any], by: Conventions
) -> str:
    """A change in words."""
    if operation == "create":
        return "Added" if what.startswith("added") else f"Added ({what})"
    known = fields(Client)
    changes = [
        f"{known[name].label}: {_value_text(name, before.get(name), by)} → {_value_text(name, value, by)}"
        for name, value in after.items()
        if name in known and name not in timeline.FOLLOWING and value != before.get(name)
    ]
    if "status" in after and (reason := after.get("status_reason")):
        changes.append(f"because {reason}")
    return "; ".join(changes) or what


def _value_text(name: str, written: Any, by: Conventions) -> str:
    if written in (None, "", {}, []):
        return "—"
    return in_one_line(fields(Client)[name].check.show(typed_value(Client.kind_name, name, written), by))


# For each source: the right that reading it needs, the kinds of its entries, how it is read, and how its rows become
# entries.
_SOURCES: Sequence[tuple[str, Sequence[str], _Read, _Tell]] = (
    ("sale", (SALE,), _sales, _sale_entries),
    ("interaction", tuple(INTERACTIONS), timeline_messages.interactions, timeline_messages.interaction_entries),
    ("message", tuple(CHANNELS), timeline_messages.messages, timeline_messages.message_entries),
    ("deal", (DEAL,), _deals, _deal_entries),
    ("follow_up", (FOLLOW_UP,), _follow_ups, _follow_up_entries),
    ("invoice", (INVOICE,), _invoices, _invoice_entries),
    ("payment", (PAYMENT,), _payments, _payment_entries),
    ("reminder", (REMINDER,), _reminders, _reminder_entries),
    (HISTORY, (STATUS, EDIT), _changes, _change_entries),
)
