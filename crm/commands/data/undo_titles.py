"""The names of changes in the questions and answers of undo and redo: "sale of $25,000.00 to Anna Berg"."""

from textwrap import shorten

from crm.commands.record_names import names_of, with_deleted
from crm.model import BY_NAME, Client, Conventions, Deal, FollowUp, Interaction, Record, Sale, Stage, StageMove
from crm.model.activity import INTERACTIONS
from crm.repository import HistoryEntry, HistoryQuery, Snapshot

# A change of more records is named as in the history.
_MOST = 12
_NAMED = tuple(kind.kind_name for kind in (Sale, Deal, Interaction, FollowUp))


def undo_title(snapshot: Snapshot, entry: HistoryEntry, by: Conventions) -> str:
    """The sales, deals, follow-ups, calls and notes that a change added, by name; any other change as in the history.
    An undo is named like what it undid."""
    if entry.changes > _MOST:
        return entry.first_words
    changes = list(snapshot.each_change(HistoryQuery(transaction=entry.id, sort="id")))
    operation = "delete" if entry.is_undo else "create"
    added = [change for change in changes if change.operation == operation and change.record in _NAMED]
    # The store itself writes the moves of a deal, makes the first stages, and keeps the totals of a client.
    others = [
        change
        for change in changes
        if change not in added
        and change.record != StageMove.kind_name
        and (change.record, change.operation) != (Stage.kind_name, operation)
        and (change.record, change.operation) != (Client.kind_name, "update")
    ]
    known = [with_deleted(snapshot, BY_NAME[change.record], [change.record_id]) for change in added]
    records = [record for of_kind in known for record in of_kind.values() if record]
    if others or not added or len(records) < len(added):
        return entry.first_words
    return ", ".join(_called(snapshot, record, by) for record in records)


def _called(snapshot: Snapshot, record: Record, by: Conventions) -> str:
    number: int = getattr(record, "client", 0)
    client = names_of(snapshot, Client, [number], by).get(number, "") if number else ""
    match record:
        case Sale():
            return f"sale of {by.money(record.amount)} to {client}"
        case Deal():
            return f"deal {record.title} with {client}"
        case FollowUp():
            return f"follow-up {shorten(record.what, 100, placeholder='…')} for {client}"
        case Interaction():
            return f"{INTERACTIONS[record.kind]} {'on' if record.kind == 'note' else 'with'} {client}"
    raise TypeError(record.kind_name)
