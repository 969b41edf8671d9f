"""A snapshot of a store as one reader may see it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from crm.errors import ForbiddenError, NotFoundError
from crm.model import BY_NAME, Client, Record
from crm.model.rights import ALL, HISTORY, NONE, OWN, OWNED_BY, READ, level, refusal
from crm.repository import Change, HistoryEntry, Query, Snapshot, StatusMove
from crm.repository.bounds import Bounds
from crm.repository.tables import fold

if TYPE_CHECKING:
    from crm.repository import AnyRow, AnySelect
    from crm.rules import RuleSet

AnyRecord = TypeVar("AnyRecord", bound=Record)

# What a client is found by who looks for nobody else; by tags, for one, it would tell what they are.
_FOUND_BY = ("first_name", "last_name", "company", "email", "phone", "reference", "city")


class GuardedSnapshot:
    """A Snapshot that shows what the reader may see: what they may not see of a kind that they see is as if it were
    not there, and a kind that they never see raises ForbiddenError."""

    def __init__(self, snapshot: Snapshot, bounds: Bounds) -> None:
        self._snapshot = snapshot
        self._bounds = bounds
        self.today: date = snapshot.today

    @property
    def rules(self) -> "RuleSet":
        self._bounds.demand("rule", READ)
        return self._snapshot.rules

    def find(self, kind: type[AnyRecord], record_id: int) -> AnyRecord | None:
        self._bounds.level(kind.kind_name, READ)
        record = self._snapshot.find(kind, record_id)
        return self._bounds.shown(record) if record is not None and self._bounds.sees(record) else None

    def get(self, kind: type[AnyRecord], record_id: int) -> AnyRecord:
        record = self.find(kind, record_id)
        if record is None:
            # In the words of a record that is not there, also where it is.
            raise NotFoundError(f"There is no {kind.kind_name} {record_id}.")
        return record

    def find_all(self, kind: type[AnyRecord], query: Query = Query()) -> list[AnyRecord]:  # noqa: B008 - frozen
        narrowed = self._bounds.narrowed(kind, query)
        return [self._bounds.shown(record) for record in self._snapshot.find_all(kind, narrowed)]

    def each(self, kind: type[AnyRecord], query: Query = Query()) -> Iterator[AnyRecord]:  # noqa: B008 - frozen
        # Refused at once, and not only when somebody takes the first one.
        return map(self._bounds.shown, self._snapshot.each(kind, self._bounds.narrowed(kind, query)))

    def count(self, kind: type[Record], query: Query = Query()) -> int:  # noqa: B008 - frozen
        return self._snapshot.count(kind, self._bounds.narrowed(kind, query))

    def search(self, text: str, limit: int = 20) -> Sequence[Client]:
        if self._bounds.level("client", READ) is ALL:
            return [self._bounds.shown(client) for client in self._snapshot.search(text, limit)]
        words = fold(text).split()
        return [each for each in self.find_all(Client, Query(limit=limit)) if words and _is_found(each, words)]

    def identified(self, by: str, values: Iterable[str]) -> Sequence[Client]:
        self._bounds.level("client", READ)
        found = self._snapshot.identified(by, values)
        return [self._bounds.shown(client) for client in found if self._bounds.sees(client)]

    def select(self, statement: "AnySelect", **values: Any) -> "Sequence[AnyRow]":
        self._bounds.demand_reach(statement)
        return self._snapshot.select(statement, **values)

    def values(self, client: Client, needs: Iterable[str] | None = None) -> dict[str, Any]:
        self._bounds.demand("client", READ)
        return self._snapshot.values(client, needs)

    def moves(self, rules: "RuleSet | None" = None, limit: int | None = None) -> list[StatusMove]:
        self._bounds.demand("client", READ)
        self._bounds.demand("rule", READ)
        return self._snapshot.moves(rules, limit)

    def move_counts(self, rules: "RuleSet | None" = None) -> dict[tuple[str, str], int]:
        self._bounds.demand("client", READ)
        self._bounds.demand("rule", READ)
        return self._snapshot.move_counts(rules)

    def history(self, limit: int = 50, offset: int = 0) -> Sequence[HistoryEntry]:
        self._bounds.demand(HISTORY, READ)
        return self._snapshot.history(limit, offset)

    def changes(
        self, *, transaction: int | None = None, record: Record | None = None, limit: int = 200
    ) -> list[Change]:
        """What the reader may see of it; of a record it is nothing where they do not see the history at all, so that
        the record itself can be shown."""
        if level(self._bounds.reader.role, HISTORY, READ) is NONE:
            if record is None:
                raise ForbiddenError(refusal(HISTORY, READ))
            return []
        found = self._snapshot.changes(transaction=transaction, record=record, limit=limit)
        return [self._shown(change) for change in found if self._sees(change)]

    def _sees(self, change: Change) -> bool:
        """Whether the record that was changed is there for the reader, or was before it was deleted."""
        reach = level(self._bounds.reader.role, change.record, READ)
        if reach is not OWN:
            return reach is ALL
        name, of_reader = OWNED_BY[change.record]
        mine = getattr(self._bounds.reader, of_reader)
        now = self._snapshot.find(BY_NAME[change.record], change.record_id)
        return self._bounds.sees(now) if now is not None else bool(mine) and change.before.get(name) == mine

    def _shown(self, change: Change) -> Change:
        before, after = (self._bounds.shown_fields(change.record, each) for each in (change.before, change.after))
        return replace(change, before=before, after=after)


def _is_found(client: Client, words: Sequence[str]) -> bool:
    said = fold(" ".join(getattr(client, name) for name in _FOUND_BY))
    return all(word in said for word in words)
