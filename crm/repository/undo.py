"""Taking back a transaction of the past, from its audit entries, unless later changes stand on it.

What a person entered is put back field by field. Totals and statuses of clients are put back too where
nothing has moved them since; elsewhere they follow from the facts that remain.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, func, or_, select, update

from crm.errors import NotFoundError, RefusedError
from crm.model import BY_NAME, Record, fields
from crm.model.encoding import plain, record_of, value_of
from crm.repository import HistoryEntry
from crm.repository.tables import audit, transactions

if TYPE_CHECKING:
    from crm.repository.transaction import SqlTransaction

_BATCH = 1000
_NAMED_CLASHES = 5


def chosen(tx: "SqlTransaction", number: int | None) -> HistoryEntry:
    """The transaction to take back: the one named, or the last that still stands and is not itself an undo."""
    columns = transactions.c
    if number is None:
        standing = select(func.max(columns.id)).where(columns.undone_by.is_(None), columns.undoes.is_(None))
        number = tx.connection.execute(standing).scalar_one()
        if number is None:
            raise NotFoundError("There is nothing to take back.")
    entries = tx._entries(select(transactions).where(columns.id == number))
    if not entries:
        raise NotFoundError(f"There is no transaction {number} in the history.")
    if entries[0].undone_by is not None:
        raise RefusedError(f"{number} was already taken back, by {entries[0].undone_by}.")
    return entries[0]


def take_back(tx: "SqlTransaction", entry: HistoryEntry) -> None:
    """Undoes what a transaction did, the last thing first; raises RefusedError and changes nothing where
    somebody has built on it since."""
    clashes = list(_clashes(tx, entry.id))
    if clashes:
        named = "; ".join(clashes[:_NAMED_CLASHES])
        more = f"; and {len(clashes) - _NAMED_CLASHES} more" if len(clashes) > _NAMED_CLASHES else ""
        raise RefusedError(
            f"{entry.id} cannot be taken back, because of later changes: {named}{more}. Take those back first."
        )
    number = tx.number
    for batch in _entries_backwards(tx, entry.id):
        for row in batch:
            _reverse(tx, BY_NAME[row.record], row)
    tx.connection.execute(update(transactions).where(transactions.c.id == entry.id).values(undone_by=number))
    # Taking back an undo puts the change itself in force again.
    tx.connection.execute(update(transactions).where(transactions.c.undone_by == entry.id).values(undone_by=None))


def _entries_backwards(tx: "SqlTransaction", number: int) -> Iterator[Sequence[Row[Any]]]:
    below = None
    while True:
        statement = select(audit).where(audit.c.transaction == number).order_by(audit.c.id.desc()).limit(_BATCH)
        batch = tx.connection.execute(statement if below is None else statement.where(audit.c.id < below)).all()
        if not batch:
            return
        yield batch
        below = batch[-1].id


def _reverse(tx: "SqlTransaction", kind: type[Record], row: Row[Any]) -> None:
    match row.operation:
        case "create":
            current = tx.find(kind, row.record_id)
            if current is not None:
                tx.remove(current)
        case "delete":
            tx.restore_row(record_of(kind, row.before))
        case "update":
            current = tx.get(kind, row.record_id)
            names = _restorable(kind, current, row.before, row.after)
            changes = {name: value_of(kind, name, row.before[name]) for name in names}
            if changes:
                tx.apply(current, changes, review=False)


def _restorable(
    kind: type[Record], current: Record, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterable[str]:
    """Which fields are put back: all that a person types, and the derived ones only if none has moved on."""
    derived = _derived(kind)
    moved_on = any(plain(getattr(current, name)) != after[name] for name in after if name in derived)
    return [name for name in before if not (moved_on and name in derived)]


def _derived(kind: type[Record]) -> frozenset[str]:
    return frozenset(name for name, field in fields(kind).items() if field.by != "person")


def _clashes(tx: "SqlTransaction", number: int) -> Iterator[str]:
    """Later changes that still stand and touch what the transaction touched, in words."""
    ours, theirs = audit.alias(), audit.alias()
    later = transactions.c
    # A later transaction and the undo of it cancel out; the undo of an earlier one is a change like any other.
    stands = (later.undone_by.is_(None), or_(later.undoes.is_(None), later.undoes < number))
    statement = (
        select(
            ours.c.record, ours.c.record_id, ours.c.operation, ours.c.after,
            theirs.c.transaction.label("later"), theirs.c.operation.label("their_operation"),
            theirs.c.after.label("theirs"),
        )
        .join_from(ours, theirs, (ours.c.record_id == theirs.c.record_id) & (ours.c.record == theirs.c.record))
        .join(transactions, later.id == theirs.c.transaction)
        .where(ours.c.transaction == number, theirs.c.transaction > number, *stands)
        .order_by(theirs.c.id)
    )  # fmt: skip
    for row in tx.connection.execute(statement):
        derived = _derived(BY_NAME[row.record])
        if row.their_operation == "update" == row.operation:
            clash = (row.after.keys() & row.theirs.keys()) - derived
        elif row.their_operation == "update":
            clash = row.theirs.keys() - derived
        else:
            clash = {row.record}
        if clash:
            verb = {"update": "changed", "delete": "deleted", "create": "put back"}[row.their_operation]
            yield f"{row.record} {row.record_id} was {verb} by {row.later}"
