"""Deleting a record, and what went with it in words."""

from collections.abc import Callable

from crm.commands.context import CRM
from crm.commands.record_counts import record_words
from crm.errors import deletion
from crm.lean_dataclass import dataclass
from crm.model import Client, Record
from crm.model.record import AnyRecord
from crm.repository import HistoryQuery, Transaction


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deletion: `what` was done, as the history has it, `along` what went with the record, `changed` what else was
    changed by it, which belonged to it or stood in it."""

    what: str
    along: str
    changed: str


def delete_record(
    crm: CRM, record: AnyRecord, name: str, *, yes: bool, also: Callable[[Transaction], str] = lambda _: ""
) -> AnyRecord:
    """Delete a record, by its name in the question and in the history; the question says what it is `also` about."""

    def change(tx: Transaction) -> AnyRecord:
        current = tx.get(type(record), record.id)
        tx.refuse_kept(type(record), [current.id])
        if not yes:
            raise deletion(" ".join(filter(None, (f"This deletes {name}.", also(tx)))), current)
        tx.delete(current)
        return current

    return crm.transact(change, f"deleted {name}")


def deleted(crm: CRM, record: Record) -> Deleted:
    """The deletion by the last change of a record, as far as the reader may see it."""
    with crm.read() as snapshot:
        last = snapshot.changes(record=record, limit=1)
        key = (record.kind_name, record.id)
        others = [
            change
            for change in (snapshot.each_change(HistoryQuery(transaction=last[0].transaction)) if last else ())
            if (change.record, change.record_id) != key
        ]
    gone = [(change.record, change.record_id) for change in others if change.operation == "delete"]
    # A client is changed by whatever happens with it, as its totals are.
    changed = [
        (change.record, change.record_id)
        for change in others
        if change.operation == "update" and change.record not in (Client.kind_name, record.kind_name)
    ]
    what = last[0].what if last else f"deleted {record.noun} {record.id}"
    return Deleted(
        f"{what[:1].upper()}{what[1:]}",
        record_words(gone, (), crm.conventions),
        record_words(changed, (), crm.conventions),
    )
