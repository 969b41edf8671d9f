"""Records by their numbers, and their display names, so that nobody has to know them by these."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from crm.batching import batches
from crm.errors import FileError, ForbiddenError
from crm.model import BY_NAME, Client, Conventions, Record, Sale, StatusRule, links
from crm.model.encoding import record_of
from crm.model.record import AnyRecord
from crm.repository import Query, Snapshot


def by_id(snapshot: Snapshot, kind: type[AnyRecord], numbers: Collection[int]) -> dict[int, AnyRecord]:
    """The records with these numbers, of those that are there."""
    return {
        record.id: record
        for batch in batches(sorted(numbers))
        for record in snapshot.find_all(kind, Query({"id": batch}))
    }


def names_of(snapshot: Snapshot, kind: type[Record], numbers: Collection[int], by: Conventions) -> dict[int, str]:
    """The names of records by their numbers, of those that are gone as well; '' of those that never were."""
    known = with_deleted(snapshot, kind, numbers)
    return {number: called(record, by) if record else "" for number, record in known.items()}


def with_deleted(snapshot: Snapshot, kind: type[Record], numbers: Collection[int]) -> dict[int, Record | None]:
    """Records by their numbers, those that are gone as they were last; None for those that never were."""
    records = by_id(snapshot, kind, numbers)
    return {number: records.get(number) or _deleted_record(snapshot, kind, number) for number in sorted(numbers)}


def linked_names(snapshot: Snapshot, rows: Sequence[Any], link: str, by: Conventions) -> dict[int, str]:
    """The names of the records that a field of some rows links to, by their numbers: of those that are there and that
    the reader may see. What is no record itself may have the number of a client."""
    if not rows:
        return {}
    row = type(rows[0])
    kind = BY_NAME[links(row)[link].record] if issubclass(row, Record) else Client
    numbers = {getattr(row, link) for row in rows} - {0}
    with suppress(ForbiddenError):
        return {number: called(record, by) for number, record in by_id(snapshot, kind, numbers).items()}
    return {}


def _deleted_record(snapshot: Snapshot, kind: type[Record], number: int) -> Record | None:
    """A record that is there no more, as it was last; None where the history does not know it."""
    last = next(iter(snapshot.changes(record=kind(id=number), limit=1)), None)
    if last is None or not last.before or last.operation != "delete":
        return None
    try:
        return record_of(kind, last.before)
    except FileError:
        return None


def called(record: Record, by: Conventions) -> str:
    """The display name of a record; of a sale its amount and day, '' where it has no name."""
    match record:
        case Sale():
            return f"{by.money(record.amount)}, {by.day(record.on)}"
        case StatusRule():
            # What reads rules is loaded when there is one to read.
            from crm.rules import rule_text

            return rule_text(record.status, record.when)
    return getattr(record, record.about.called) if record.about.called else ""
