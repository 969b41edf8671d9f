"""Making the records of a store what they are in another one, as a change like any other."""

from collections.abc import Sequence

from crm.model import RECORDS, Record, fields
from crm.repository.snapshot import SqlSnapshot
from crm.repository.transaction import SqlTransaction


def put_back(tx: SqlTransaction, wanted: SqlSnapshot) -> None:
    """Deletes what `wanted` lacks, adds what only it holds, ids and times included, and changes what differs."""
    for kind in reversed(RECORDS):
        there = {record.id for record in wanted.each(kind)}
        tx.remove(kind, [record.id for record in tx.find_all(kind) if record.id not in there])
    for kind in RECORDS:
        _put_back(tx, kind, wanted.find_all(kind))


def _put_back(tx: SqlTransaction, kind: type[Record], wanted: Sequence[Record]) -> None:
    current = {record.id: record for record in tx.find_all(kind)}
    missing = [record for record in wanted if record.id not in current]
    if missing:
        tx.restore(missing)
    for record in wanted:
        if (now := current.get(record.id)) is not None:
            changes = {name: value for name in fields(kind) if getattr(now, name) != (value := getattr(record, name))}
            if changes:
                tx.apply(now, changes, review=False)
