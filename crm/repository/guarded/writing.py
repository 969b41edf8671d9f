"""A transaction on a store by one reader, who changes no more than they may."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from crm.errors import ForbiddenError, NotFoundError
from crm.model import Client, Record, SignIn, StatusRule, keeping
from crm.model.record import AnyRecord, record_with
from crm.model.rights import ALL, CREATE, DELETE, HISTORY, OWN_CHANGES, READ, SECRET, UPDATE, refusal
from crm.repository import AuthoredTransaction, HistoryEntry, HistoryQuery, StatusMove, last_undoable
from crm.repository.guarded.permissions import Permissions
from crm.repository.guarded.reading import GuardedSnapshot
from crm.repository.review import is_of_review
from crm.repository.tables import audit, transactions

# What taking something back does.
_REVERSED = {"create": DELETE, "delete": CREATE, "update": UPDATE}


class GuardedTransaction(GuardedSnapshot):
    """A Transaction in which everything that the reader may not do raises ForbiddenError, and so undoes it all; a
    record that is not there for them raises NotFoundError."""

    def __init__(self, transaction: AuthoredTransaction, permissions: Permissions) -> None:
        super().__init__(transaction, permissions)
        self._transaction = transaction

    def add(self, record: AnyRecord) -> AnyRecord:
        self._demand_new([record])
        return self._permissions.redacted(self._transaction.add(record))

    def add_all(self, records: Sequence[Record]) -> range:
        self._demand_new(records)
        return self._transaction.add_all(records)

    def add_columns(self, kind: type[Record], values: Mapping[str, Sequence[Any]]) -> range:
        if self._permissions.level(kind.kind_name, CREATE) is not ALL or kind.kind_name in SECRET:
            # Whether each of them may be added is said by the record.
            rows = zip(*values.values(), strict=True)
            self._demand_new([record_with(kind, dict(zip(values, row, strict=True))) for row in rows])
        return self._transaction.add_columns(kind, values)

    def _demand_new(self, records: Sequence[Record]) -> None:
        for record in records:
            if self._permissions.level(record.kind_name, CREATE) is not ALL and not self._permissions.owns(record):
                raise ForbiddenError(refusal(record.kind_name, CREATE))
            if secret := SECRET.get(record.kind_name):
                self._permissions.demand_no_secrets(type(record), {name: getattr(record, name) for name in secret})

    def change(self, original: AnyRecord, **changes: Any) -> AnyRecord:
        kind = type(original)
        self._permissions.demand_changes(kind, changes)
        self._demand_own(original, UPDATE)
        return self._permissions.redacted(self._transaction.change(original, **changes))

    def delete(self, record: Record) -> None:
        self._demand_own(record, DELETE)
        self._transaction.delete(record)

    def delete_all(self, kind: type[Record], ids: Sequence[int]) -> None:
        self._permissions.demand(kind.kind_name, DELETE)
        self._transaction.delete_all(kind, ids)

    def refuse_kept(self, kind: type[Record], ids: Sequence[int]) -> None:
        if keeping(kind):
            # The refusal names the records.
            self._permissions.demand(kind.kind_name, DELETE)
        self._transaction.refuse_kept(kind, ids)

    def _demand_own(self, record: Record, operation: str) -> None:
        """Refuse a record of others; its owner is the stored one, whatever the given record says."""
        if self._permissions.level(record.kind_name, operation) is ALL:
            return
        stored = self._transaction.find(type(record), record.id)
        if stored is None or not self._permissions.owns(stored):
            raise NotFoundError(f"No {record.noun} {record.id}.")

    def end_sessions(self, user: int | None = None, but: int = 0) -> int:
        self._permissions.demand(SignIn.kind_name, UPDATE)
        return self._transaction.end_sessions(user, but)

    def settle(self) -> Sequence[StatusMove]:
        moved = self._transaction.settle()
        # A reader who does not see all clients changes nothing that would move one.
        return moved if self._permissions.level(Client.kind_name, READ) is ALL else []

    def review_all(self) -> dict[tuple[str, str], int]:
        """Apply the rules to everybody: it is part of setting them."""
        self._permissions.demand(StatusRule.kind_name, UPDATE)
        return self._transaction.review_all()

    def undo(self, number: int | None = None) -> HistoryEntry:
        """Each thing that comes of it needs its own right, and each that was done: to take back what added a client
        deletes one, and a reader who may not delete clients does not undo that either."""
        self._permissions.demand(HISTORY, UPDATE)
        by = self._transaction
        if number is not None and not self.history(limit=1, query=HistoryQuery(transaction=number)):
            # In the words of one that is not there, also where it is.
            raise NotFoundError(f"No change {number} in the history. `history list` shows all.")
        if number is None and (last := last_undoable(by, by.user, by.user_id)):
            number = last.id
        if number is not None:
            self._demand_reversal(number)
        return self._transaction.undo(number)

    def _demand_reversal(self, number: int) -> None:
        self._demand_rules(number)
        did = select(audit.c.record, audit.c.operation).where(audit.c.transaction == number).distinct()
        lacking: dict[tuple[str, str], str] = {}
        for record, done in self._transaction.select(did):
            for operation in (_REVERSED[done], done):
                if self._permissions.level(record, operation) is not ALL:
                    lacking[record, done] = operation
        if not lacking:
            return
        for change in self._transaction.each_change(HistoryQuery(transaction=number)):
            allowed = OWN_CHANGES.get(change.record, {}).keys()
            if (change.record, change.operation) in lacking and not (
                self._sees(change) and (change.operation != "update" or change.before.keys() <= allowed)
            ):
                raise ForbiddenError(refusal(change.record, lacking[change.record, change.operation]))

    def _demand_rules(self, number: int) -> None:
        """Demand the right to apply the rules, for the undo or redo of statuses given to all clients at once."""
        first, undone = number, number or None
        undoes = select(transactions.c.undoes)
        while undone:
            rows = self._transaction.select(undoes.where(transactions.c.id == undone))
            first, undone = undone, rows[0][0] if rows else None
        begins = next(iter(self._transaction.each_change(HistoryQuery(transaction=first, sort="id"))), None)
        if begins is not None and is_of_review(begins):
            self._permissions.demand(StatusRule.kind_name, UPDATE)
