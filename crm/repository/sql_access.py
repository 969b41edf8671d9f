"""Interfaces of a snapshot and a transaction with the database behind them, for the parts that they are made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, Select

from crm.model import Record
from crm.model.record import AnyRecord
from crm.repository import AuthoredTransaction, HistoryEntry, Snapshot


class SqlReader(Snapshot, Protocol):
    """A snapshot of a database."""

    connection: Connection

    def history_entries(self, statement: Select[Any]) -> Sequence[HistoryEntry]:
        """The entries of the history for the transactions that a statement selects."""

    def naming(self, kind: type[Record], name: str, ids: Sequence[int], but: Select[Any] | None = None) -> set[int]:
        """The ids, of those given, that records of a kind name in a field; records that `but` selects do not count."""


class NotedBalances(Protocol):
    """The balances that a transaction has touched."""

    def refuse_wrong(self, tx: "SqlWriter") -> None:
        """Raise RefusedError where less would be paid than was done with it."""

    def later(self, tx: "SqlWriter", number: int) -> Iterator[int]:
        """The transactions after one that recorded payments, refunds and allocations of the clients."""


class SqlWriter(AuthoredTransaction, SqlReader, Protocol):
    """A transaction of a database."""

    put_back_invoices: set[int]
    is_restoring: bool

    @property
    def balances(self) -> NotedBalances:
        """The balances that it has touched."""

    @property
    def number(self) -> int:
        """Its number in the history, which it takes when it is first asked for."""

    def with_accounts(self, record: AnyRecord, written: Mapping[str, Any] | None = None) -> AnyRecord:
        """A record with the accounts of the people in it."""

    def apply(self, current: AnyRecord, changes: Mapping[str, Any], *, review: bool = True) -> AnyRecord:
        """Write fields of a record that was just read."""

    def restore(self, records: Sequence[Record]) -> None:
        """Store records of one kind as they were, ids and times included."""

    def remove(self, kind: type[Record], ids: Sequence[int]) -> None:
        """Delete those of the records that are there."""

    def review(self, clients: Iterable[int]) -> None:
        """Review the statuses of some clients when it settles."""
