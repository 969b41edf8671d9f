"""Display names of records, so that nobody has to know them by their numbers."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from crm.errors import FileError, ForbiddenError
from crm.model import BY_NAME, Client, Conventions, Record, Sale, StatusRule, links
from crm.model.encoding import record_of
from crm.repository import Query, Snapshot

_AT_ONCE = 500


def names_of(snapshot: Snapshot, kind: type[Record], numbers: Collection[int], by: Conventions) -> dict[int, str]:
    """The names of records by their numbers, of those that are gone as well; '' of those that never were."""
    names: dict[int, str] = {}
    ordered = sorted(numbers)
    for start in range(0, len(ordered), _AT_ONCE):
        batch = ordered[start : start + _AT_ONCE]
        records = {row.id: row for row in snapshot.find_all(kind, Query({"id": batch}))}
        for number in batch:
            record = records.get(number) or _deleted_record(snapshot, kind, number)
            names[number] = called(record, by) if record else ""
    return names


def linked_names(snapshot: Snapshot, rows: Sequence[Any], link: str, by: Conventions) -> dict[int, str]:
    """The names of the records that a field of some rows links to, by their numbers: of those that are there and that
    the reader may see. What is no record itself may have the number of a client."""
    if not rows:
        return {}
    row = type(rows[0])
    kind = BY_NAME[links(row)[link].record] if issubclass(row, Record) else Client
    numbers = {getattr(row, link) for row in rows} - {0}
    with suppress(ForbiddenError):
        records = snapshot.find_all(kind, Query({"id": sorted(numbers)})) if numbers else []
        return {record.id: called(record, by) for record in records}
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
