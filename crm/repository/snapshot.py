"""Reading a store through SQL: records, lists, search, metrics and history, all of one moment."""

import dataclasses
import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, delete, func, insert, select

from crm.batching import batches
from crm.clock import Clock
from crm.errors import NotFoundError, RefusedError
from crm.model import Client, Record, people
from crm.model.data import PAID_INVOICES
from crm.model.record import AnyRecord
from crm.repository import (
    STORE_ID,
    UNREVIEWABLE,
    Change,
    HistoryEntry,
    HistoryQuery,
    Query,
    StatusMove,
    statements,
    tables,
)
from crm.repository.dialect import Dialect
from crm.repository.driver import select_rows
from crm.repository.known import Known, KnownRosters
from crm.repository.query import IN_ORDER, OF_IDS, linked_to, only_ids, only_link, selection
from crm.repository.spend import counts_invoices
from crm.repository.team import Team, team_of

if TYPE_CHECKING:
    from crm.repository import AnyRow, AnySelect, Seals
    from crm.rules import RuleSet

_EVERYTHING = Query()


# What reads rules is loaded when a rule is asked for: the first screen asks for none. Every transaction asks for them
# again, and they seldom change.
@lru_cache(maxsize=16)
def _rule_set(rules: tuple[tuple[int, str, str], ...]) -> "RuleSet":
    from crm.rules import RuleSet

    return RuleSet(rules)


def fact(connection: Connection, name: str) -> str:
    """Something the store knows of itself; '' when unknown."""
    facts = tables.store_facts.c
    return str(connection.execute(select(facts.value).where(facts.name == name)).scalar() or "")


def put_fact(connection: Connection, name: str, value: str) -> None:
    """Write such a fact, within a transaction."""
    facts = tables.store_facts
    connection.execute(delete(facts).where(facts.c.name == name))
    connection.execute(insert(facts), [{"name": name, "value": value}])


class SqlSnapshot:
    """A Snapshot over one connection, inside one database transaction. `known` is what this machine knew before it
    began; `seen_by` remembers what is seen, where that is the store itself as it was committed."""

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect,
        clock: Clock,
        known: KnownRosters = KnownRosters(),  # noqa: B008 - frozen
        seen_by: "Seals | None" = None,
    ) -> None:
        self.connection = connection
        self.dialect = dialect
        self.clock = clock
        self._rosters = known
        self._seen_by = seen_by

    @cached_property
    def today(self) -> date:
        return self.clock.today

    @cached_property
    def _active_rules(self) -> "Sequence[AnyRow]":
        return select_rows(self.connection, statements.RULES)

    @cached_property
    def rules(self) -> "RuleSet":
        return _rule_set(tuple((row[0], row[1], row[2]) for row in self._active_rules))

    @cached_property
    def unreviewable(self) -> str:
        """The reason why statuses are not reviewed here, as a sentence; '' where they are."""
        rules = self._active_rules
        return (rules[0][4] or "") if rules else self.fact(UNREVIEWABLE)

    def refuse_unreviewable(self) -> None:
        """Raise RefusedError where statuses cannot be reviewed here."""
        if self.unreviewable:
            raise RefusedError(self.unreviewable)

    @cached_property
    def by_invoices(self) -> bool:
        """Return whether paid invoices make the total of a client, and not sales."""
        # The rules are asked for as well: one statement says both.
        rules = self._active_rules
        return rules[0][3] == PAID_INVOICES if rules else counts_invoices(self.connection)

    @cached_property
    def team(self) -> Team:
        """The accounts of the team by their names."""
        return team_of(self.connection)

    @property
    def revision(self) -> Hashable:
        # A backup that is restored may end with the same number, but not of the same moment.
        last = select_rows(self.connection, statements.LAST_TRANSACTION)
        return tuple(last[0]) if last else None

    @cached_property
    def _facts(self) -> Mapping[str, str]:
        return dict(map(tuple, select_rows(self.connection, statements.FACTS)))

    def fact(self, name: str) -> str:
        return self._facts.get(name, "")

    @property
    def known(self) -> Known:
        return self._rosters.of(self.fact(STORE_ID))

    def remember(self, revision: int) -> None:
        if self._seen_by is not None and revision > self.known.here and not self.known.is_copy:
            self._seen_by.keep_known(self.fact(STORE_ID), revision)

    def remember_refused(self) -> None:
        if self._seen_by is not None:
            self._seen_by.keep_refused(self)

    def find(self, kind: type[AnyRecord], record_id: int) -> AnyRecord | None:
        rows = select_rows(self.connection, statements.BY_ID[kind], {"wanted": record_id})
        return tables.record_of(kind, rows[0]) if rows else None

    def get(self, kind: type[AnyRecord], record_id: int) -> AnyRecord:
        record = self.find(kind, record_id)
        if record is None:
            raise NotFoundError(f"No {kind.noun} {record_id}.")
        return record

    def find_all(self, kind: type[AnyRecord], query: Query = Query()) -> list[AnyRecord]:  # noqa: B008 - frozen
        if query == _EVERYTHING:
            rows = select_rows(self.connection, IN_ORDER[kind])
        elif (ids := only_ids(query)) is not None:
            rows = select_rows(self.connection, OF_IDS[kind], {"wanted": ids})
        elif (link := only_link(kind, query)) is not None:
            rows = select_rows(self.connection, linked_to(kind, link, query.sort), {"wanted": query.filters[link]})
        else:
            rows = self.connection.execute(self._records(kind, query)).all()
        return [tables.record_of(kind, row) for row in rows]

    def each(self, kind: type[AnyRecord], query: Query = Query()) -> Iterator[AnyRecord]:  # noqa: B008 - frozen
        streaming = self.connection.execution_options(yield_per=1000)
        for row in streaming.execute(self._records(kind, query)):
            yield tables.record_of(kind, row)

    def _records(self, kind: type[Record], query: Query) -> Select[Any]:
        return self._selection(statements.ALL[kind], kind, query)

    def _selection(self, statement: Select[Any], kind: type[Record], query: Query) -> Select[Any]:
        by_name = any(name in people(kind) for name in query.filters)
        by_invoices = bool(query.where) and self.by_invoices
        return selection(statement, kind, query, self.clock, self.team if by_name else None, by_invoices)

    def count(self, kind: type[Record], query: Query = Query()) -> int:  # noqa: B008 - frozen
        everything = dataclasses.replace(query, sort="", limit=None, offset=0)
        statement = self._selection(select(func.count()).select_from(tables.TABLES[kind]), kind, everything)
        return int(self.connection.execute(statement.order_by(None)).scalar_one())

    def numbers(self, kind: type[Record], query: Query = Query()) -> list[int]:  # noqa: B008 - frozen
        statement = self._selection(select(tables.TABLES[kind].c.id), kind, query)
        return list(self.connection.execute(statement).scalars())

    def select(self, statement: "AnySelect", **values: Any) -> "Sequence[AnyRow]":
        return select_rows(self.connection, statement, values)

    def search(self, text: str, limit: int = 20) -> Sequence[Client]:
        return [tables.record_of(Client, row) for row in self.dialect.search.find(self.connection, text, limit)]

    def identified(self, by: str, values: Iterable[str]) -> Sequence[Client]:
        rows = select_rows(self.connection, statements.CLIENTS_BY[by], {"wanted": json.dumps(list(values))})
        return [tables.record_of(Client, row) for row in rows]

    def values(self, client: Client, needs: Iterable[str] | None = None) -> dict[str, Any]:
        from crm.repository import metrics

        return metrics.values(self.connection, [client], self.clock, self.by_invoices, needs)[client.id]

    def moves(self, rules: "RuleSet | None" = None, limit: int | None = None) -> list[StatusMove]:
        from crm.repository import review

        self.refuse_unreviewable()
        statement = review.moves(rules or self.rules, self.clock, self.by_invoices).order_by("id").limit(limit)
        return [
            StatusMove(row.id, row.name.strip(), row.before, row.after, row.reason)
            for row in self.connection.execute(statement)
        ]

    def move_counts(self, rules: "RuleSet | None" = None) -> dict[tuple[str, str], int]:
        from crm.repository import review

        self.refuse_unreviewable()
        moving = review.moves(rules or self.rules, self.clock, self.by_invoices).subquery()
        statement = select(moving.c.before, moving.c.after, func.count()).group_by(moving.c.before, moving.c.after)
        return {(row[0], row[1]): row[2] for row in self.connection.execute(statement)}

    def history(
        self,
        limit: int = 50,
        offset: int = 0,
        query: HistoryQuery = HistoryQuery(),  # noqa: B008 - frozen
    ) -> Sequence[HistoryEntry]:
        from crm.repository import history

        numbers = self.connection.execute(history.numbers(query, limit, offset)).scalars().all()
        by_number: dict[int, HistoryEntry] = {}
        for batch in batches(numbers):
            among = tables.transactions.c.id.in_(batch)
            by_number |= {entry.id: entry for entry in self.history_entries(select(tables.transactions).where(among))}
        return [by_number[number] for number in numbers]

    def history_entries(self, statement: Select[Any]) -> Sequence[HistoryEntry]:
        rows = self.connection.execute(statement).all()
        audit = tables.audit.c
        counted = select(audit.transaction, func.count()).where(audit.transaction.in_([row.id for row in rows]))
        counts = {row[0]: row[1] for row in self.connection.execute(counted.group_by(audit.transaction))}
        return [
            HistoryEntry(
                row.id, row.at, row.user, row.what, counts.get(row.id, 0), row.undoes, row.undone_by, row.user_id
            )
            for row in rows
        ]

    def changes(
        self, *, transaction: int | None = None, record: Record | None = None, limit: int = 200
    ) -> list[Change]:
        audit, transactions = tables.audit.c, tables.transactions.c
        statement = select(
            audit.transaction, transactions.at, transactions.user, transactions.what, audit.record,
            audit.record_id, audit.operation, audit.before, audit.after,
        ).join_from(tables.audit, tables.transactions).order_by(audit.id.desc()).limit(limit)  # fmt: skip
        if transaction is not None:
            statement = statement.where(audit.transaction == transaction)
        if record is not None:
            statement = statement.where(audit.record_id == record.id, audit.record == record.kind_name)
        return [
            Change(*row[:7], before=row.before or {}, after=row.after or {})
            for row in self.connection.execute(statement)
        ]

    def each_change(self, query: HistoryQuery = HistoryQuery()) -> Iterator[Change]:  # noqa: B008 - frozen
        from crm.repository import history

        streaming = history.changes(query).execution_options(yield_per=1000)
        for row in self.connection.execute(streaming):
            yield Change(*row[:7], *(fields or {} for fields in row[7:]))

    def is_built_on(self, transaction: int) -> bool:
        from crm.repository.undo import is_built_on

        return is_built_on(self, transaction)

    def naming(self, kind: type[Record], name: str, ids: Sequence[int], but: Select[Any] | None = None) -> set[int]:
        """The ids, of those given, that records of a kind name in a field; records that `but` selects do not count."""
        column, number = tables.TABLES[kind].c[name], tables.TABLES[kind].c.id
        numbers: set[int] = set()
        for batch in batches(ids):
            statement = select(column).where(column.in_(batch)).distinct()
            statement = statement if but is None else statement.where(number.not_in(but))
            numbers.update(self.connection.execute(statement).scalars())
        return numbers
