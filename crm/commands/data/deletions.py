"""A record that was deleted, and what went with it, in words."""

from dataclasses import dataclass

from crm.commands.context import CRM
from crm.commands.data.record_counts import record_words
from crm.model import Client, Record
from crm.repository import HistoryQuery


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deletion: the record by its kind and name, and `along` what belonged to it."""

    name: str
    along: str


def deleted(crm: CRM, record: Record) -> Deleted:
    """The deletion by the last change of a record, as far as the reader may see it."""
    with crm.read() as snapshot:
        last = snapshot.changes(record=record, limit=1)
        key = (record.kind_name, record.id)
        gone = [
            (change.record, change.record_id)
            for change in (snapshot.each_change(HistoryQuery(transaction=last[0].transaction)) if last else ())
            if change.operation == "delete" and (change.record, change.record_id) != key
        ]
    name = str(getattr(record, "name", "") or getattr(record, "title", "") or record.id)
    kind = "" if isinstance(record, Client) else f"{record.kind_name.replace('_', '-')} "
    return Deleted(f"{kind}{name}", record_words(gone, (), crm.conventions))
