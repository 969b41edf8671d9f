"""A snapshot of a store with one reader's permissions."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from crm.clock import Clock
from crm.errors import ForbiddenError, NotFoundError
from crm.model import BY_NAME, Client, Contact, Record
from crm.model.folding import fold
from crm.model.record import AnyRecord
from crm.model.rights import ALL, HISTORY, NONE, OWN, OWNED_BY, PART_OF, READ, hidden, level, past_level, refusal
from crm.repository import Change, HistoryEntry, HistoryQuery, Query, Snapshot, StatusMove
from crm.repository.guarded.permissions import Permissions, alike
from crm.repository.known import Known

if TYPE_CHECKING:
    from crm.repository import AnyRow, AnySelect
    from crm.rules import RuleSet


# What a client is found by who looks for nobody else; by tags, for one, it would tell what they are.
_FOUND_BY = ("first_name", "last_name", "company", "email", "phone", "reference", "city")
# What is in the history for what lets somebody in.
_SET = "(set)"


class GuardedSnapshot:
    """A Snapshot that shows what the reader may see: what they may not see of a kind that they see is as if it were
    not there, and a kind that they never see raises ForbiddenError."""

    def __init__(self, snapshot: Snapshot, permissions: Permissions) -> None:
        self._snapshot = snapshot
        self._permissions = permissions

    @property
    def clock(self) -> Clock:
        return self._snapshot.clock

    @property
    def today(self) -> date:
        return self._snapshot.today

    @property
    def rules(self) -> "RuleSet":
        self._permissions.demand("rule", READ)
        return self._snapshot.rules

    @property
    def revision(self) -> Hashable:
        return self._snapshot.revision

    def fact(self, name: str) -> str:
        return self._snapshot.fact(name)

    @property
    def known(self) -> Known:
        return self._snapshot.known

    def remember(self, revision: int) -> None:
        self._snapshot.remember(revision)

    def remember_refused(self) -> None:
        self._snapshot.remember_refused()

    def find(self, kind: type[AnyRecord], record_id: int) -> AnyRecord | None:
        self._permissions.level(kind.kind_name, READ)
        record = self._snapshot.find(kind, record_id)
        return self._permissions.redacted(record) if record is not None and self._sees_record(record) else None

    def _sees_record(self, record: Record) -> bool:
        """Return whether a record is there for the reader; a part is where what it is part of is."""
        if (whole := self._whole(type(record))) is None:
            return self._permissions.sees(record)
        name, kind = whole
        return self.find(kind, getattr(record, name)) is not None

    def _whole(self, kind: type[Record]) -> tuple[str, type[Record]] | None:
        """The link to what records of a kind are part of, where the reader sees only their own of them, and its kind;
        None elsewhere."""
        is_part = kind.kind_name in PART_OF and level(self._permissions.reader.role, kind.kind_name, READ) is OWN
        return PART_OF[kind.kind_name] if is_part else None

    def _narrowed_query(self, kind: type[Record], query: Query) -> Query:
        """A query, about no more than the reader may see."""
        if (whole := self._whole(kind)) is None:
            return self._permissions.narrowed(kind, query)
        name, whole_kind = whole
        return self._permissions.narrowed(kind, query, (name, self.numbers(whole_kind) or [0]))

    def get(self, kind: type[AnyRecord], record_id: int) -> AnyRecord:
        record = self.find(kind, record_id)
        if record is None:
            # In the words of a record that is not there, also where it is.
            raise NotFoundError(f"No {kind.noun} {record_id}.")
        return record

    def find_all(self, kind: type[AnyRecord], query: Query = Query()) -> list[AnyRecord]:  # noqa: B008 - frozen
        narrowed = self._narrowed_query(kind, query)
        return [self._permissions.redacted(record) for record in self._snapshot.find_all(kind, narrowed)]

    def each(self, kind: type[AnyRecord], query: Query = Query()) -> Iterator[AnyRecord]:  # noqa: B008 - frozen
        # Refused at once, and not only when somebody takes the first one.
        return map(self._permissions.redacted, self._snapshot.each(kind, self._narrowed_query(kind, query)))

    def count(self, kind: type[Record], query: Query = Query()) -> int:  # noqa: B008 - frozen
        return self._snapshot.count(kind, self._narrowed_query(kind, query))

    def numbers(self, kind: type[Record], query: Query = Query()) -> list[int]:  # noqa: B008 - frozen
        return self._snapshot.numbers(kind, self._narrowed_query(kind, query))

    def search(self, text: str, limit: int = 20) -> Sequence[Client]:
        if self._permissions.level("client", READ) is ALL:
            return [self._permissions.redacted(client) for client in self._snapshot.search(text, limit)]
        words = fold(text).split()
        return [
            client for client in self.find_all(Client, Query(limit=limit)) if words and self._is_found(client, words)
        ]

    def _is_found(self, client: Client, words: Sequence[str]) -> bool:
        """Return whether a client says all words, or a contact of it that the reader sees too."""
        own = [getattr(client, name) for name in _FOUND_BY]
        contact_level = level(self._permissions.reader.role, Contact.kind_name, READ)
        contacts = self.find_all(Contact, Query({"client": client.id})) if contact_level is not NONE else []
        people = [[contact.name, contact.email, contact.phone] for contact in contacts]
        texts = [fold(" ".join(pieces)) for pieces in (own, *people)]
        return any(all(word in text for word in words) for text in texts)

    def identified(self, by: str, values: Iterable[str]) -> Sequence[Client]:
        self._permissions.level("client", READ)
        clients = self._snapshot.identified(by, values)
        return [self._permissions.redacted(client) for client in clients if self._permissions.sees(client)]

    def select(self, statement: "AnySelect", **values: Any) -> "Sequence[AnyRow]":
        self._permissions.demand_scope(statement)
        return self._snapshot.select(statement, **values)

    def values(self, client: Client, needs: Iterable[str] | None = None) -> dict[str, Any]:
        self._permissions.demand("client", READ)
        return self._snapshot.values(client, needs)

    def moves(self, rules: "RuleSet | None" = None, limit: int | None = None) -> list[StatusMove]:
        self._permissions.demand("client", READ)
        self._permissions.demand("rule", READ)
        return self._snapshot.moves(rules, limit)

    def move_counts(self, rules: "RuleSet | None" = None) -> dict[tuple[str, str], int]:
        self._permissions.demand("client", READ)
        self._permissions.demand("rule", READ)
        return self._snapshot.move_counts(rules)

    def history(
        self,
        limit: int = 50,
        offset: int = 0,
        query: HistoryQuery = HistoryQuery(),  # noqa: B008 - frozen
    ) -> Sequence[HistoryEntry]:
        return self._snapshot.history(limit, offset, self._narrowed(query))

    def changes(
        self, *, transaction: int | None = None, record: Record | None = None, limit: int = 200
    ) -> list[Change]:
        """The changes that the reader may see; of a record none where they do not see the history at all, so that the
        record itself can be shown."""
        if level(self._permissions.reader.role, HISTORY, READ) is NONE:
            if record is None:
                raise ForbiddenError(refusal(HISTORY, READ))
            return []
        changes = self._snapshot.changes(transaction=transaction, record=record, limit=limit)
        return [self._redacted(change) for change in changes if self._sees(change)]

    def each_change(self, query: HistoryQuery = HistoryQuery()) -> Iterator[Change]:  # noqa: B008 - frozen
        # Refused at once, and not only when somebody takes the first one.
        changes = self._snapshot.each_change(self._narrowed(query))
        return (self._redacted(change) for change in changes if self._sees(change))

    def is_built_on(self, transaction: int) -> bool:
        self._permissions.demand(HISTORY, READ)
        return self._snapshot.is_built_on(transaction)

    def _narrowed(self, query: HistoryQuery) -> HistoryQuery:
        """The query, finding nothing by what the reader may not see. Raises ForbiddenError."""
        self._permissions.demand(HISTORY, READ)
        if query.about:
            self._permissions.level(query.about, READ)
        reader = self._permissions.reader
        unsearched = frozenset(kind for kind in BY_NAME if hidden(reader.role, kind))
        levels = {kind: past_level(reader.role, kind) for kind in BY_NAME}
        if set(levels.values()) == {ALL}:
            return replace(query, within=None, unsearched=unsearched)
        owner_fields = {kind: OWNED_BY[kind] for kind in levels if levels[kind] is OWN and kind in OWNED_BY}
        own = {kind: (name, getattr(reader, of_reader)) for kind, (name, of_reader) in owner_fields.items()}
        within = {kind: own.get(kind) for kind in levels if levels[kind] is ALL or (kind in own and own[kind][1])}
        return replace(query, within=within, unsearched=unsearched)

    def _sees(self, change: Change) -> bool:
        """Return whether the record that was changed is there for the reader, or was before it was deleted."""
        read_level = past_level(self._permissions.reader.role, change.record)
        if read_level is not OWN:
            return read_level is ALL
        name, of_reader = OWNED_BY[change.record]
        mine = getattr(self._permissions.reader, of_reader)
        now = self._snapshot.find(BY_NAME[change.record], change.record_id)
        return self._permissions.sees(now) if now is not None else bool(mine) and alike(change.before.get(name), mine)

    def _redacted(self, change: Change) -> Change:
        before, after = (self._redacted_fields(change.record, row) for row in (change.before, change.after))
        return replace(change, before=before, after=after)

    def _redacted_fields(self, kind: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Blank where the reader may not see what is there; that something did may be said."""
        visible = self._permissions.redacted_fields(kind, values)
        if visible is values:
            return values
        return {name: _SET if values[name] == _SET else value for name, value in visible.items()}
