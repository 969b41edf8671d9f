"""Writing a store through SQL: every change audited, totals and statuses following the facts."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, select, update
from sqlalchemy.exc import IntegrityError

from crm.batching import batches
from crm.clock import Clock
from crm.errors import ConflictError, RefusedError
from crm.model import (
    BY_NAME,
    FIRST_STAGES,
    RECORDS,
    Client,
    Deal,
    FollowUp,
    Record,
    SignIn,
    Stage,
    StageMove,
    StatusRule,
    User,
    belonging_to,
    field_names,
    fields,
    keeping,
    links,
    owner_link,
    people,
)  # fmt: skip
from crm.model.encoding import plain
from crm.model.record import AnyRecord, blank_values, derived_columns, record_with
from crm.model.rights import MASKED, SEALED
from crm.repository import (
    ALL_DUE,
    REVIEWED,
    SPREADSHEET,
    STORE_ID,
    HistoryEntry,
    Query,
    Sealing,
    Seals,
    StatusMove,
    balances,
    bills,
    metrics,
    reminder_levels,
    review,
    statements,
    sums,
    tables,
    undo,
    writing,
)
from crm.repository.bulk import insert_columns, insert_rows, update_rows
from crm.repository.column_types import missing, refuse_wrong_columns, refuse_wrong_types
from crm.repository.dialect import Dialect
from crm.repository.driver import select_rows
from crm.repository.known import Known, KnownRosters, new_id
from crm.repository.snapshot import SqlSnapshot, put_fact
from crm.repository.sums import FED, SPEND, TOTALS, Totals
from crm.repository.tables import TABLES, columns_of, row_of, values_of
from crm.repository.team import same
from crm.repository.violations import Broken, unique_field, violation
from crm.repository.writing import STATUS, Entry
from crm.rules import Decision
from crm.wording import FEW, first_few

# Clients, rows and audit entries are written in batches of so many: enough to be quick, few enough to hold.
BATCH = 1000
_FEW = 20
# A transaction that adds so many clients, and more than there were, rebuilds most of their indexes at its end: that
# takes a third of the time that it takes to enter each client in each. An import needs the others to find known
# clients.
_MANY = 2000
_KEPT_INDEXES = frozenset(("client_by_email", "client_by_phone", "client_by_first_name"))


# What is kept of all records of a kind while nobody writes one, by the names of the properties.
_KEPT: Mapping[type[Record], tuple[str, ...]] = {
    StatusRule: ("_active_rules", "rules", "by_invoices"),
    Stage: ("_stages",),
    User: ("team",),
}
# The links of each kind that no foreign key of the database checks, see `tables`.
_LINKS: Mapping[type[Record], Sequence[tuple[str, type[Record]]]] = {
    kind: [(name, BY_NAME[link.record]) for name, link in links(kind).items() if not link.owns] for kind in RECORDS
}


# The kinds that figures of other records follow from, and those of which each record is looked at when it is added.
_NOTICED = frozenset(
    kind for kind in RECORDS if kind in FED or kind.about.effects.bills or kind.about.effects.recounts_by
)
_BY_ROWS = bills.REFUSED | balances.BILLED | {Deal} | {kind for kind in RECORDS if kind.about.follows}


class SqlTransaction(SqlSnapshot):
    """A Transaction over one connection; `at` is its time in UTC, `number` its id once it wrote something, `uid` its
    identifier, unlike that of any other transaction in any store. `user` is in the history, with `user_id`, the
    account; both can be set until then."""

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect,
        clock: Clock,
        *,
        user: str,
        what: str,
        seals: Seals | None = None,
    ) -> None:
        super().__init__(connection, dialect, clock)
        self.at = clock.now
        self.uid = new_id()
        self.user = user
        self.user_id = 0
        self.reseals = False
        self._seals = seals
        # What seals the accounts, once they are touched.
        self._sealing: Sealing | None = None
        # The store and the revision that this machine remembers of it once all this is committed.
        self._remembers: tuple[str, int] | None = None
        # The name of a file need not be text.
        self._what = what.encode("utf-8", "replace").decode()
        self._number = 0
        self._undoes: int | None = None
        self._audit: list[dict[str, Any]] = []
        # All that it has entered into the audit; None once that was too much to hold, or was made by the database.
        self._entered: list[dict[str, Any]] | None = []
        # The ids of the records that it created, by their kind.
        self._created: dict[type[Record], list[range]] = {}
        self._decided: dict[tuple[Any, ...], Decision] = {}
        # The new clients that cannot be found yet.
        self._unindexed: list[range] = []
        # What makes the indexes again that were dropped; None as long as none were to be.
        self._dropped: Sequence[str] | None = None
        # Clients as they stand now, so that one who is sold something is read once.
        self._known: dict[int, Client] = {}
        # Records that it has read or created, by kind and id: a link to one of them needs no look-up.
        self._seen: set[tuple[type[Record], int]] = set()
        # The records, by id, whose totals may no longer be the sums of their facts.
        self._changed: dict[Totals, set[int]] = {total: set() for total in TOTALS}
        self._to_review: set[int] = set()
        # The invoices, by id, whose figures may no longer follow from their lines.
        self._bills: set[int] = set()
        # What clients had paid and used before.
        self.balances = balances.Balances()
        # What was wrong with the levels of reminders before; None where it has written none.
        self._wrong_levels: Sequence[str] | None = None
        # The issued invoices, by id, that it puts back: their lines come back with them.
        self.put_back_invoices: set[int] = set()
        # Whether the store becomes what it is in a backup, issued invoices included.
        self.is_restoring = False
        # The rows of the tab of the history to remove along with it: of transactions that were taken out of it.
        self.cut_history: tuple[int, int] | None = None
        # Whether a setting has changed that says what the figures of all clients are summed from.
        self._recounts = False
        # Whether a status was not reviewed that should have been.
        self._left_unreviewed = False

    @cached_property
    def _known_rosters(self) -> KnownRosters:
        """The accounts that this machine knows of; nobody else writes meanwhile, so it knew as much before."""
        return KnownRosters() if self._seals is None else self._seals.known()

    @property
    def known(self) -> Known:
        return self._known_rosters.of(self.fact(STORE_ID))

    @property
    def number(self) -> int:
        if not self._number:
            number = self._reserve(tables.transactions)
            row = {"id": number, "at": self.at, **self._by, "what": self._what, "undoes": self._undoes, "uid": self.uid}
            insert_rows(self.connection, tables.transactions, [row])
            self._number = number
        return self._number

    @cached_property
    def _last_ids(self) -> dict[str, int]:
        """The last id that each table has given out: nobody else can write meanwhile."""
        return dict(self.dialect.last_ids(self.connection))

    def _reserve(self, table: Table, count: int = 1) -> int:
        """The first of so many ids that were never used."""
        last = self._last_ids.get(table.name, 0)
        self._last_ids[table.name] = last + count
        return last + 1

    def skip_ids(self, kind: type[Record], last: int) -> None:
        """Make sure that no id of a kind up to `last` is given out again."""
        table = TABLES[kind]
        self.dialect.skip_ids(self.connection, table, last)
        self._last_ids[table.name] = max(last, self._last_ids.get(table.name, 0))

    @property
    def wrote(self) -> bool:
        """Return whether there is anything to commit."""
        return bool(self._number)

    def forget_history(self, before: int) -> int:
        """Take the transactions with lower numbers out of the history; how many."""
        table, entries = tables.transactions, tables.audit
        self.connection.execute(delete(entries).where(entries.c.transaction < before))
        count = self.connection.execute(delete(table).where(table.c.id < before)).rowcount
        if count:
            # Who did so is in the history.
            self.number  # noqa: B018
        return count

    def put_fact(self, name: str, value: str) -> None:
        """Write a fact of the store; it is no change of a record and is in no history."""
        put_fact(self.connection, name, value)
        self.__dict__.pop("_facts", None)

    def remember(self, revision: int) -> None:
        if revision > self.known.here and not self.known.is_copy:
            self._remembers = (self.fact(STORE_ID), revision)

    def committed(self) -> None:
        """Keep what is known of the store after the commit, where it was written to itself and no copy."""
        if self._seals is not None and self._remembers is not None:
            self._seals.keep_known(*self._remembers)

    @property
    def is_sealing(self) -> bool:
        """Return whether it has begun to touch accounts or sign-ins."""
        return self._sealing is not None

    def _begin_sealing(self, kind: type[Record]) -> None:
        """Begin to seal before a record of an account is written."""
        if kind in SEALED and self._seals is not None and self._sealing is None:
            self._sealing = self._seals.begin(self)

    def find(self, kind: type[AnyRecord], record_id: int) -> AnyRecord | None:
        known = self._known.get(record_id) if kind is Client else None
        if known is not None:
            return cast(AnyRecord, known)
        record = super().find(kind, record_id)
        if record is not None and len(self._seen) < BATCH:
            self._seen.add((kind, record_id))
        if isinstance(record, Client) and len(self._known) < BATCH:
            self._known[record_id] = record
        return record

    def forget(self, client: int) -> None:
        """Read a client again when it is next asked for; for code that writes to the table itself."""
        self._known.pop(client, None)

    # Creating

    def add(self, record: AnyRecord) -> AnyRecord:
        row = self._add_rows([record])[0]
        return type(record)(**{name: row[name] for name in field_names(type(record))})

    def add_all(self, records: Sequence[Record]) -> range:
        if len(records) > _FEW and (kind := type(records[0])) not in _BY_ROWS:
            for record in records if kind in _NOTICED else ():
                self._touch(record, added=True)
            return self._add_columns(kind, columns_of(records))
        rows = self._add_rows(records)
        return range(rows[0]["id"], rows[-1]["id"] + 1) if rows else range(0)

    def add_columns(self, kind: type[Record], values: Mapping[str, Sequence[Any]]) -> range:
        if kind not in _BY_ROWS | _NOTICED:
            return self._add_columns(kind, values)
        rows = zip(*values.values(), strict=True)
        return self.add_all([record_with(kind, dict(zip(values, row, strict=True))) for row in rows])

    def _add_columns(self, kind: type[Record], values: Mapping[str, Sequence[Any]]) -> range:
        count = len(next(iter(values.values()), ()))
        if not count:
            return range(0)
        self._note_levels(kind)
        refuse_wrong_columns(kind, values)
        first = self._reserve(TABLES[kind], count)
        ids = range(first, first + count)
        columns: dict[str, Sequence[Any]]
        columns = {name: [default] * count for name, default in blank_values(kind).items() if name not in values}
        columns.update(values)
        for name, beside in people(kind).items():
            pairs = list(zip(columns[name], columns[beside], strict=True))
            named = {}
            for called, account in set(pairs):
                person = {name: called, beside: account}
                named[called, account] = tuple((person | self._accounts(kind, person, adding=True)).values())
            columns[name], columns[beside] = zip(*map(named.__getitem__, pairs), strict=True)
        for name in kind.about.needs:
            if not set(columns[name]).isdisjoint(_EMPTY) and name not in kind.about.may_be_empty:
                raise missing(kind, name)
        if kind is Client:
            columns |= self._first_statuses(columns)
        for name, derived in kind.about.derived.items():
            columns[name] = list(map(derived.make, *(columns[source] for source in derived.of)))
        columns |= {"created_at": [self.at] * count, "updated_at": [self.at] * count, "version": [1] * count}
        columns["id"] = ids
        self._refuse_lost_links(kind, columns)
        self._insert(kind, ids, columns)
        self._audit_created(kind, ids)
        return ids

    def _add_rows(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        if not records:
            return []
        kind = type(records[0])
        self._note_levels(kind)
        first = self._reserve(TABLES[kind], len(records))
        rows = [values_of(record) for record in records]
        for row in rows:
            refuse_wrong_types(kind, row)
        stamp = {"created_at": self.at, "updated_at": self.at, "version": 1}
        # Most kinds do not use some of these, and there may be many records.
        derives, follows, names_people = kind.about.derived, kind.about.follows, people(kind)
        is_billed, is_noticed = kind in bills.REFUSED, kind in _NOTICED
        for record_id, (record, row) in enumerate(zip(records, rows, strict=True), start=first):
            if is_billed:
                bills.refuse_write(self, record)
            if kind in balances.BILLED:
                # Only of these the number is asked for here.
                record = dataclasses.replace(record, id=record_id)
                self.balances.note(self, record)
            if derives:
                row |= derived_columns(record)
            if follows:
                row |= bills.followed(record, {})
            row |= stamp
            row["id"] = record_id
            if names_people:
                row |= self._accounts(kind, row, adding=True)
            _refuse_empty(kind, row)
            if isinstance(record, Client) and not record.status:
                row |= self._first_status(record)
            elif isinstance(record, Deal):
                row |= self._entering(record.stage, record.stage_since)
            if is_noticed:
                self._touch(record, added=True)
        self._refuse_lost_links(kind, {name: [row.get(name) for row in rows] for name, _ in _LINKS[kind]})
        ids = range(first, first + len(rows))
        self._insert(kind, ids, rows)
        self._audit_created(kind, ids)
        if kind is Deal:
            self._note_moves(rows)
        return rows

    def _entering(self, stage: int, on: date | None) -> dict[str, Any]:
        """The fields of a deal that enters a stage, today unless given; one without a stage enters the first. A store
        without stages gets the default ones."""
        if not self._stages:
            self.add_all(FIRST_STAGES)
        entered = self._stages.get(stage) if stage else next(iter(self._stages.values()))
        if entered is None:
            raise _no_record(Stage, [stage])
        on = on or self.today
        return {"stage": entered.id, "stage_since": on, "closed_on": None if entered.outcome == "open" else on}

    def _refuse_lost_links(self, kind: type[Record], columns: Mapping[str, Iterable[Any]]) -> None:
        """Raise RefusedError where new values link to a record that is not there. The database checks the links to an
        owner. Any other may outlive its record, so it is checked only here, where it is written; most commands have
        read that record already."""
        for name, linked in _LINKS[kind]:
            ids = {id_ for id_ in columns.get(name, ()) if id_ and (linked, id_) not in self._seen}
            if not ids:
                continue
            for batch in batches(sorted(ids)):
                existing = select_rows(self.connection, statements.IDS[linked], {"wanted": batch})
                self._seen.update((linked, row.id) for row in existing)
            if lost := sorted(id_ for id_ in ids if (linked, id_) not in self._seen):
                raise _no_record(linked, lost)

    @cached_property
    def _stages(self) -> Mapping[int, Stage]:
        stages = {stage.id: stage for stage in self.find_all(Stage)}
        self._seen.update((Stage, id_) for id_ in stages)
        return stages

    def _note_moves(self, deals: Iterable[Mapping[str, Any]]) -> None:
        """Record that deals came into the stages that they are in now."""
        self._add_rows(
            [StageMove(deal=deal["id"], stage=deal["stage"], on=deal["stage_since"], **self._by) for deal in deals]
        )

    # Whose it is

    @property
    def _by(self) -> dict[str, Any]:
        """The author, as a record or the history has them."""
        return {"user": self.user, "user_id": self.user_id}

    def _accounts(self, kind: type[Record], values: Mapping[str, Any], *, adding: bool = False) -> dict[str, Any]:
        """The values of a record that name people: a person with an account has its current name; a name without an
        account belongs to the author, to the only active account of the team with that name, or to nobody. In a new
        record 0 means that no account is given."""
        filled: dict[str, Any] = {}
        for name, beside in people(kind).items():
            account = values.get(beside)
            if account:
                filled[name] = self.team.called(account) or values.get(name, "")
            elif name in values and (account is None or adding):
                filled[name], filled[beside] = self._person(values[name])
        return filled

    def with_accounts(self, record: AnyRecord, written: Mapping[str, Any] | None = None) -> AnyRecord:
        """A record with the accounts of the people in it, and the names that those have now. `written` are the fields
        that were written down of it, where an older version may not have said whose it is."""
        kind = type(record)
        names = [column for pair in people(kind).items() for column in pair]
        values = {name: getattr(record, name) for name in names if written is None or name in written}
        return dataclasses.replace(record, **self._accounts(kind, values)) if values else record

    def _person(self, name: str) -> tuple[str, int]:
        """A name in the spelling of its account, and that account; 0 where there is none."""
        if not name:
            return "", 0
        if self.user_id and name == self.user:
            return name, self.user_id
        account = self.team.account(name)
        return (self.team.called(account), account) if account else (name, 0)

    def give_name(self, account: int) -> None:
        """Write the name that an account has now beside its id, wherever that stands."""
        for kind in RECORDS:
            for name, beside in people(kind).items():
                columns = TABLES[kind].c
                self._name(
                    kind, (columns[beside] == account) & (columns[name] != self.team.called(account)), name, account
                )

    def give_records(self, account: int, *other_names: str) -> None:
        """Make an account the owner of records without one under its name, or under one of some others, in the history
        too."""
        keys = {same(name) for name in (self.team.called(account), *other_names)}
        for table, name, beside in tables.people_columns():
            written = self.connection.execute(select(name).where(name != "", beside == 0).distinct()).scalars()
            theirs = (beside == 0) & name.in_([name_ for name_ in written if same(name_) in keys])
            if table is tables.transactions:
                self.connection.execute(update(table).where(theirs).values(user_id=account))
            else:
                self._name(BY_NAME[table.name], theirs, name.name, account)

    def _name(self, kind: type[Record], where: ColumnElement[bool], name: str, account: int) -> None:
        """Write an account and its name into a field of many records at once, audited; the statuses that may follow
        are reviewed."""
        table, beside = TABLES[kind], people(kind)[name]
        now = {name: self.team.called(account), beside: account}
        numbers = list(self.connection.execute(select(table.c.id).where(where).order_by(table.c.id)).scalars())
        if not numbers:
            return
        self._flush_audit()
        self._entered = None
        entry = self._reserve(tables.audit, len(numbers))
        self.connection.execute(writing.enter_changed(kind, where, now, self.number, entry))
        changed = {**now, "version": table.c.version + 1, "updated_at": self.at}
        self.connection.execute(update(table).where(where).values(changed))
        if kind is Client:
            self._known.clear()
            if name in self.rules.needs:
                self.review(numbers)

    def _first_statuses(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
        """The statuses of new clients, by column: those that are given, else those that the rules give."""
        names, count = metrics.fields_read(self.rules.needs), len(columns["status"])
        figures = list(zip(*map(columns.__getitem__, names), strict=True)) if names else [()] * count
        ruled = {
            seen: self._first_status(record_with(Client, dict(zip(names, seen, strict=True)))) for seen in set(figures)
        }
        if len(ruled) == 1 and not any(columns["status"]):
            # Most rules look at sales alone, of which new clients have none.
            return {name: [value] * count for name, value in ruled[figures[0]].items()}
        rows = [{} if status else ruled[seen] for status, seen in zip(columns["status"], figures, strict=True)]
        return {name: [row.get(name, value) for row, value in zip(rows, columns[name], strict=True)] for name in STATUS}

    def _first_status(self, record: Client) -> dict[str, Any]:
        """The status that the rules give to a new client, who has no sales."""
        known = {name: metrics.value(record, name, None, self.clock) for name in self.rules.needs}
        if self.unreviewable:
            self._left_unreviewed = True
            return {"status_since": self.today}
        if "days_since_added" in known:
            known["days_since_added"] = 0
        # Without sales most new clients have the same figures.
        figures = tuple(known.values())
        if figures not in self._decided:
            self._decided[figures] = self.rules.decide(known)
        decision = self._decided[figures]
        return {"status": decision.status, "status_reason": decision.reason, "status_since": self.today}

    def restore(self, records: Sequence[Record]) -> None:
        """Store records of one kind as they were, ids and times included; for undo."""
        kind = type(records[0])
        self._note_levels(kind)
        for record in records:
            bills.refuse_write(self, record)
            self.balances.note(self, record)
            bills.note_put_back(self, record)
        rows = [row | self._accounts(kind, row) for row in map(row_of, records)]
        self._insert(kind, [record.id for record in records], rows)
        if kind is Client:
            self.dialect.search.add(self.connection, [record.id for record in records])
        for record in records:
            self._write_audit(record, "create", None, None)
            self._touch(record)

    def _insert(
        self,
        kind: type[Record],
        ids: Sequence[int],
        written: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]],
    ) -> None:
        """Write rows, or columns of them."""
        self._begin_sealing(kind)
        if isinstance(written, Mapping):
            owner = owner_link(kind)
            with _explained(kind, ({owner[0]: id_} for id_ in written[owner[0]]) if owner else ()):
                insert_columns(self.connection, TABLES[kind], written, converts=True)
        else:
            with _explained(kind, written):
                insert_rows(self.connection, TABLES[kind], written)
        # Those of records that are restored may be higher than any that was given out here.
        name = TABLES[kind].name
        self._last_ids[name] = max(self._last_ids.get(name, 0), *ids)
        if len(ids) <= _FEW:
            self._seen.update((kind, id_) for id_ in ids)
        if kind in _KEPT:
            self._forget_kept(kind)

    def _audit_created(self, kind: type[Record], ids: range) -> None:
        """Audit the creation of records with these ids; of many the database itself makes the entries."""
        if len(ids) <= _FEW:
            self._audit += [self._entry(kind, id_, "create", None, None) for id_ in ids]
            self._flush_audit(BATCH)
        else:
            self._flush_audit()
            self._entered = None
            entry = self._reserve(tables.audit, len(ids))
            created = {"transaction": self.number, "first": ids[0], "last": ids[-1], "ahead": entry - ids[0]}
            self.connection.execute(writing.ENTER_CREATED[kind], created)
        _add_range(self._created.setdefault(kind, []), ids)
        if kind is Client:
            _add_range(self._unindexed, ids)
            self._drop_indexes()

    def _created_here(self, record: Record) -> bool:
        """Return whether this transaction created a record."""
        return any(record.id in ids for ids in self._created.get(type(record), ()))

    # Changing

    def change(self, original: AnyRecord, **changes: Any) -> AnyRecord:
        current = self.get(type(original), original.id)
        refuse_wrong_types(type(original), changes)
        values = self._with_account_ids(current, changes)
        different = {name: value for name, value in values.items() if getattr(current, name) != value}
        if current.version != original.version:
            _refuse_clashes(original, current, different)
        if not different:
            return current
        self._refuse_lost_links(type(current), {name: [value] for name, value in different.items()})
        return self.apply(current, different)

    def _with_account_ids(self, current: Record, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """The changes, with the accounts of the people in them. A person who is set already is not replaced by another
        one of that name."""
        for name, beside in people(type(current)).items():
            if name in changes and beside not in changes:
                called, account = self._person(changes[name])
                known = getattr(current, beside) and same(changes[name]) == same(getattr(current, name))
                if known and not account:
                    changes = {change: value for change, value in changes.items() if change != name}
                else:
                    changes = {**changes, name: called, beside: account}
        return changes

    def apply(self, current: AnyRecord, changes: Mapping[str, Any], *, review: bool = True) -> AnyRecord:
        """Write fields of a record that was just read; `review` False leaves its status as it then is."""
        self._begin_sealing(type(current))
        if isinstance(current, User) and self._sealing is not None:
            changes = self._sealing.sealed(current, changes)
        changes = {**changes, **self._accounts(type(current), changes)}
        moved = review and isinstance(current, Deal) and "stage" in changes
        if moved:
            entered = self._entering(changes["stage"], changes.get("stage_since"))
            left = self._stages.get(current.stage) if isinstance(current, Deal) else None
            if isinstance(current, Deal) and left and left.outcome == self._stages[entered["stage"]].outcome:
                # It was closed on the day on which it was, in whichever of these stages.
                entered["closed_on"] = current.closed_on
            changes = {**changes, **entered}
        _refuse_empty(type(current), changes)
        self._note_levels(type(current))
        bills.refuse_write(self, current, changes)
        changes |= bills.resealed(self, current, changes)
        if type(current) in balances.BILLED:
            self.balances.note(self, current, changes)
        changes |= bills.followed(dataclasses.replace(current, **changes), {})
        changed = dataclasses.replace(current, **changes, version=current.version + 1, updated_at=self.at)
        row = dict(changes, version=changed.version, updated_at=self.at)
        if derived := derived_columns(changed, changes):
            self._index_created()
            row |= derived
        table = TABLES[type(current)]
        if isinstance(current, Client):
            self.forget(current.id)
        with _explained(type(current), [changes]):
            self.connection.execute(update(table).where(table.c.id == current.id).values(**row))
        if not self._created_here(current):
            before = {name: plain(getattr(current, name)) for name in changes}
            self._write_audit(current, "update", before, {name: plain(value) for name, value in changes.items()})
        self._touch(current, changes if review else ())
        self._touch(changed, changes if review else ())
        if moved:
            self._note_moves([{"id": changed.id, **row}])
        return changed

    def _touch(self, record: Record, changes: Iterable[str] = (), *, added: bool = False) -> None:
        """Remember whose totals or status may no longer hold."""
        for totals in FED.get(type(record), ()):
            if (number := sums.linked(record, totals)) is not None:
                self._changed[totals].add(number)
        kind, effects = type(record), type(record).about.effects
        if effects.bills:
            self._bills.add(getattr(record, effects.bills))
        if effects.recounts and getattr(record, effects.recounts_by) in effects.recounts:
            self._forget_kept(StatusRule)
            self._recounts = True
        if effects.spends and self.by_invoices:
            client = getattr(record, effects.spends)
            self._changed[SPEND].add(client)
            self._to_review.add(client)
        if effects.reviews and (
            not effects.reviewed_by.isdisjoint(changes) if effects.reviewed_by else changes or added
        ):
            self._to_review.add(getattr(record, effects.reviews))
        if kind in _KEPT:
            self._forget_kept(kind)

    def review(self, clients: Iterable[int]) -> None:
        """Review the statuses of some clients, by id, when the transaction settles."""
        self._to_review.update(clients)

    def resum(self, kind: type[Record], ids: Iterable[int]) -> None:
        """Sum the totals of some records again when the transaction settles."""
        numbers = set(ids)
        for totals in sums.onto(kind):
            self._changed[totals] |= numbers

    def _forget_kept(self, kind: type[Record]) -> None:
        """Forget what was kept of records of a kind."""
        for name in _KEPT[kind]:
            self.__dict__.pop(name, None)
        if kind is StatusRule:
            self._decided.clear()

    # Deleting

    def delete(self, record: Record) -> None:
        self.delete_all(type(record), [self.get(type(record), record.id).id])

    def delete_all(self, kind: type[Record], ids: Sequence[int]) -> None:
        for owned, name in belonging_to(kind):
            table = TABLES[owned]
            for batch in batches(ids):
                rows = self.connection.execute(select(table.c.id).where(table.c[name].in_(batch)).order_by(table.c.id))
                if theirs := [row.id for row in rows]:
                    self.delete_all(owned, theirs)
        self.refuse_kept(kind, ids)
        self.remove(kind, ids)

    def refuse_kept(self, kind: type[Record], ids: Sequence[int]) -> None:
        for keeping_it, name in keeping(kind):
            if kept := sorted(self.naming(keeping_it, name, ids)):
                records = [self.get(kind, number) for number in kept[:FEW]]
                names = first_few(
                    [getattr(record, "name", "") or f"{record.noun} {record.id}" for record in records], total=len(kept)
                )
                verb = "has" if len(kept) == 1 else "have"
                what = kind.noun if len(ids) == 1 else kind.nouns.lower()
                if lasting := bills.lasting(self, keeping_it, name, kept):
                    raise RefusedError(
                        f"{names} still {verb} {keeping_it.nouns}. {lasting} cannot be deleted, so keep the {what}."
                        " Nothing was changed."
                    )
                raise RefusedError(
                    f"{names} still {verb} {keeping_it.nouns}. Nothing was changed. Delete these first, or keep the"
                    f" {what}."
                )

    def remove(self, kind: type[Record], ids: Sequence[int]) -> None:
        """Delete those of the records that are there. Raises RefusedError where others belong to one. With a client
        its accounts are deactivated."""
        self._begin_sealing(kind)
        self._note_levels(kind)
        self._index_created()
        for batch in batches(ids):
            rows = select_rows(self.connection, statements.BY_IDS[kind], {"wanted": batch})
            removed = [tables.record_of(kind, row) for row in rows]
            if kind in bills.REFUSED or kind in balances.BILLED:
                for current in removed:
                    bills.refuse_write(self, current)
                    self.balances.note(self, current)
            with _explained(kind):
                self.connection.execute(writing.DELETE[kind], {"wanted": batch})
            for current in removed:
                self._seen.discard((kind, current.id))
                self._write_audit(current, "delete", plain(current), None)
                self._touch(current)
        if kind is Client:
            self.close_accounts(ids)
            self._known.clear()
            self._to_review.difference_update(ids)
        for totals in sums.onto(kind):
            self._changed[totals].difference_update(ids)

    def _note_levels(self, kind: type[Record]) -> None:
        """Note what is wrong with the levels of reminders before one is written. What was edited by hand in the
        spreadsheet is there already, and a backup comes back as it was: the check finds what is wrong with those."""
        if (
            kind is reminder_levels.RULED
            and self._wrong_levels is None
            and not self.is_restoring
            and self.user != SPREADSHEET
        ):
            self._wrong_levels = reminder_levels.faults(self)

    def close_accounts(self, clients: Sequence[int]) -> None:
        """Deactivate the accounts of clients that are gone, and end their sessions."""
        for batch in batches(clients):
            for account in self.find_all(User, Query({"client": batch, "active": True})):
                self.apply(account, {"active": False})
                self.end_sessions(account.id)

    def end_sessions(self, user: int | None = None, but: int = 0) -> int:
        """End all sessions of an account, or of all, except one; how many."""
        of_user = {} if user is None else {"user": user}
        ended = [sign_in for sign_in in self.find_all(SignIn, Query({**of_user, "state": "open"})) if sign_in.id != but]
        for session in ended:
            self.apply(session, {"state": "ended", "token": ""})
        return len(ended)

    def note_gone(self, kind: type[Record], record_id: int, record: Record | None = None) -> None:
        """Write that a record was deleted which is not stored here. Where nothing is known but its id, that cannot be
        taken back."""
        self._audit.append(self._entry(kind, record_id, "delete", record and plain(record), None))
        if kind is Client:
            self.close_accounts([record_id])

    def note_set(self, record: Record, name: str) -> None:
        """Write that a new record has something in a field of which the history tells nothing else."""
        self._write_audit(record, "update", {name: ""}, {name: getattr(record, name)})

    # Auditing

    def _write_audit(self, record: Record, operation: str, before: Any, after: Any) -> None:
        self._audit.append(self._entry(type(record), record.id, operation, before, after))
        self._flush_audit(BATCH)

    def _entry(self, kind: type[Record], record_id: int, operation: str, before: Any, after: Any) -> dict[str, Any]:
        masked = MASKED.get(kind.kind_name, frozenset())
        return {
            "transaction": self.number, "record": kind.kind_name, "record_id": record_id, "operation": operation,
            "before": _without_secrets(before, masked), "after": _without_secrets(after, masked),
        }  # fmt: skip

    def _flush_audit(self, at_least: int = 1) -> None:
        if len(self._audit) >= at_least:
            first = self._reserve(tables.audit, len(self._audit))
            rows = [{"id": number, **entry} for number, entry in enumerate(self._audit, start=first)]
            insert_rows(self.connection, tables.audit, rows)
            if self._entered is not None:
                self._entered = self._entered + self._audit if len(self._entered) < BATCH else None
            self._audit = []

    def entries(self) -> Sequence[Entry | Row[Any]]:
        """The audit entries so far, in order."""
        self._flush_audit()
        if self._entered is None:
            return select_rows(self.connection, writing.ENTRIES, {"wanted": self.number})
        return [Entry(*(row[name] for name in Entry._fields)) for row in self._entered]

    # Following the facts

    def settle(self) -> Sequence[StatusMove]:
        self._follow_lines()
        if self._recounts:
            return self._recounted()
        if not self._to_review and not any(self._changed.values()):
            self._flush_audit()
            return []
        self._repeat_follow_ups()
        self._sum_others()
        moved: list[StatusMove] = []
        changed = set().union(*(self._changed[total] for total in sums.onto(Client)))
        for batch in batches(sorted(changed)):
            moved += self._settle(batch, self._totals(batch))
        for batch in batches(sorted(self._to_review - changed)):
            moved += self._settle(batch, {})
        for collected in (*self._changed.values(), self._to_review):
            collected.clear()
        self._flush_audit()
        return moved

    def _recounted(self) -> Sequence[StatusMove]:
        """Sum the figures of all clients again after a setting has changed their source, and review their statuses."""
        self._recounts = False
        moved = list(self.settle())
        if not self.count(Client):
            return moved
        self.resum(Client, (row.id for row in self.connection.execute(sums.wrong(Client, self.by_invoices))))
        moved += self.settle()
        if self.unreviewable:
            self._left_unreviewed = True
        elif others := self.moves():
            self.review_all()
            moved += [move for move in others if move.before != move.after]
        return moved

    def _follow_lines(self) -> None:
        """The figures of drafts follow from their lines."""
        for number in sorted(self._bills):
            bills.follow_lines(self, number)
        self._bills.clear()

    def _repeat_follow_ups(self) -> None:
        """Follow-ups that repeat are counted from the last real contact, so they move where that has."""
        contacts = sums.named(Client, "last_contact_on")
        for batch in batches(sorted(self._changed[contacts])):
            rows = select_rows(self.connection, writing.REPEATING, {"wanted": batch})
            contacted = self._sums(contacts, sorted({row.client for row in rows})) if rows else {}
            for row in rows:
                last = contacted[row.client]["last_contact_on"]
                if last is not None and last != row.last_contact_on:
                    follow_up = self.get(FollowUp, row.id)
                    self.apply(follow_up, {"due_on": last + timedelta(days=follow_up.every)})

    def _sum_others(self) -> None:
        """Write the totals of records that are no clients; what they feed themselves comes after them."""
        for kind in reversed(sums.SUMMED):
            for totals in sums.onto(kind) if kind is not Client else ():
                for batch in batches(sorted(self._changed[totals])):
                    summed = self._sums(totals, batch)
                    for row in select_rows(self.connection, statements.BY_IDS[kind], {"wanted": batch}):
                        record = tables.record_of(kind, row)
                        if changes := _differing(record, summed[record.id]):
                            self.apply(record, changes, review=False)

    def _index_created(self) -> None:
        """Make the new clients findable, all at once: the index is much quicker so than batch by batch.

        What changes or deletes a client needs it in the index first.
        """
        for ids in self._unindexed:
            self.dialect.search.add(self.connection, ids)
        self._unindexed.clear()

    def _drop_indexes(self) -> None:
        """Drop indexes of clients, until the end, once so many were added that it pays."""
        created = self._created[Client]
        # There were no more than ids were given out before.
        if self._dropped is None and sum(map(len, created)) >= max(_MANY, created[0][0]):
            self._dropped = self.dialect.drop_indexes(self.connection, tables.client, _KEPT_INDEXES)

    def _make_indexes(self) -> None:
        for statement in self._dropped or ():
            self.connection.exec_driver_sql(statement)
        self._dropped = None

    def search(self, text: str, limit: int = 20) -> Sequence[Client]:
        self._index_created()
        return super().search(text, limit)

    def _totals(self, clients: Sequence[int]) -> Mapping[int, dict[str, Any]]:
        """The totals of some clients by id, as far as the facts that they are summed from have changed."""
        totals: dict[int, dict[str, Any]] = {client: {} for client in clients}
        for total in sums.onto(Client):
            changed = self._changed[total]
            if numbers := [number for number in clients if number in changed]:
                for number, summed in self._sums(total, numbers).items():
                    totals[number] |= summed
        return totals

    def _sums(self, totals: Totals, ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
        """The totals of some records, by id."""
        summed = {id_: dict(totals.nothing) for id_ in ids}
        counted = sums.counted(totals, self.by_invoices)
        statement, key = (counted.of_one, ids[0]) if len(ids) == 1 else (counted.of_some, ids)
        for row in select_rows(self.connection, statement, {"wanted": key}):
            summed[row[0]] = dict(zip(totals.names, row[1:], strict=True))
        return summed

    def _settle(self, ids: Sequence[int], totals: Mapping[int, dict[str, Any]]) -> list[StatusMove]:
        clients: list[tuple[Client, Client, dict[str, Any]]] = []
        for client in self._clients(ids):
            changes = _differing(client, totals.get(client.id, {}))
            if changes or client.id in self._to_review:
                clients.append((client, dataclasses.replace(client, **changes) if changes else client, changes))
        figured = [summed for _, summed, _ in clients]
        known = metrics.values(self.connection, figured, self.clock, self.by_invoices, self.rules.needs)
        for client, _, changes in clients:
            changes |= self._reviewed(client, known[client.id])
        self._write_derived([(client, changes) for client, _, changes in clients if changes])
        return [
            StatusMove(
                client.id,
                client.name,
                client.status,
                changes["status"],
                changes.get("status_reason", client.status_reason),
            )
            for client, _, changes in clients
            if "status" in changes
        ]

    def _clients(self, ids: Sequence[int]) -> Iterable[Client]:
        """The clients, of those given, that exist."""
        if all(id_ in self._known for id_ in ids):
            return [self._known[id_] for id_ in ids]
        rows = select_rows(self.connection, statements.BY_IDS[Client], {"wanted": ids})
        return [tables.record_of(Client, row) for row in rows]

    def _reviewed(self, record: Client, known: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a client that the rules change, given its metrics."""
        pinned = record.status_pinned_until
        if pinned and pinned >= self.today:
            return {}
        if self.unreviewable:
            self._left_unreviewed = True
            return {}
        decision = self.rules.decide(known)
        status, why = decision.status, decision.reason
        ruled: dict[str, Any] = {"status": status, "status_reason": why, "status_pinned_until": None}
        if status != record.status:
            ruled |= {"status_before": record.status, "status_since": self.today}
        return _differing(record, ruled)

    def _write_derived(self, changed: Sequence[tuple[Client, Mapping[str, Any]]]) -> None:
        """Write totals and statuses of many clients at once, audited."""
        if not changed:
            return
        names = sums.names(Client) + STATUS
        rows = [
            {f"new_{name}": changes.get(name, getattr(old, name)) for name in names} | {"wanted": old.id, "at": self.at}
            for old, changes in changed
        ]
        update_rows(self.connection, writing.FOLLOW, rows)
        for old, changes in changed:
            if old.id in self._known:
                self._known[old.id] = dataclasses.replace(old, **changes, version=old.version + 1, updated_at=self.at)
            if not self._created_here(old):
                in_order = [name for name in names if name in changes]
                before = {name: plain(getattr(old, name)) for name in in_order}
                self._write_audit(old, "update", before, {name: plain(changes[name]) for name in in_order})

    def review_day(self) -> None:
        """Review every client where the passing of a day may move one: rules count days, or a pin has run out."""
        if review.is_due(self.connection, self.rules, self.today):
            self.review_all()

    def review_all(self) -> dict[tuple[str, str], int]:
        if self.unreviewable:
            raise RefusedError(f"{self.unreviewable} Nothing was changed.")
        self.settle()
        self._known.clear()
        self._entered = None

        def reserve(count: int) -> int:
            return self._reserve(tables.audit, count)

        return review.apply(self.connection, self.rules, self.clock, self.by_invoices, lambda: self.number, reserve)

    # Taking back

    def undo(self, number: int | None = None) -> HistoryEntry:
        entry = undo.chosen(self, number)
        self._what = entry.undo_words
        self._undoes = entry.id
        undo.take_back(self, entry)
        return entry

    def finish(self) -> None:
        """All that a commit still has to write."""
        self.settle()
        if self._left_unreviewed:
            self.put_fact(REVIEWED, ALL_DUE)
        if self.balances.noted and not self.is_restoring:
            self.balances.refuse_wrong(self)
        if self._wrong_levels is not None:
            reminder_levels.refuse_wrong(self, self._wrong_levels)
        self._index_created()
        self._make_indexes()
        if self._sealing is not None:
            self._sealing.finish()
            self._flush_audit()
        if self.wrote:
            self.dialect.keep_ids(self.connection, self._last_ids)


# A number is never empty: 0 stands for nobody, or for the owner of the machine.
_EMPTY = (None, "", ())


def _differing(record: Record, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that differ from a record's."""
    return {name: value for name, value in values.items() if getattr(record, name) != value}


def _without_secrets(values: Mapping[str, Any] | None, masked: frozenset[str]) -> Mapping[str, Any] | None:
    """Fields as they are in the history."""
    if values is None or masked.isdisjoint(values):
        return values
    return {name: "(set)" if name in masked and value else value for name, value in values.items()}


def _refuse_empty(kind: type[Record], values: Mapping[str, Any]) -> None:
    """Raise FieldError where a field is empty without which a record is none."""
    for name in kind.about.needs:
        if values.get(name, name) in _EMPTY and name not in kind.about.may_be_empty:
            raise missing(kind, name)


def _no_record(kind: type[Record], ids: Collection[int]) -> RefusedError:
    """The error of a link to a record that is not there: one of these."""
    which = f" {next(iter(ids))}" if len(ids) == 1 else " that some of them need"
    return RefusedError(f"No {kind.noun}{which}. Nothing was changed.")


def _add_range(ranges: list[range], more: range) -> None:
    """Add ids to those there are; they mostly follow one another."""
    if ranges and ranges[-1].stop == more.start:
        ranges[-1] = range(ranges[-1].start, more.stop)
    else:
        ranges.append(more)


def _refuse_clashes(original: Record, current: Record, changes: Mapping[str, Any]) -> None:
    """Raise ConflictError where a wanted field was changed by somebody else since it was shown; a person with a changed
    name is still the same."""
    kind = type(original)
    the_same = {
        name for name, beside in people(kind).items() if getattr(original, beside) == getattr(current, beside) != 0
    }
    clashes = {
        name: (str(plain(getattr(original, name))), str(plain(getattr(current, name))), str(plain(value)))
        for name, value in changes.items()
        if name in fields(kind) and name not in the_same and getattr(original, name) != getattr(current, name)
    }
    if clashes:
        labels = ", ".join(fields(kind)[name].label for name in clashes)
        raise ConflictError(f"Someone else has changed {labels} since it was shown. Nothing was overwritten.", clashes)


class _explained:
    """The error of a row that breaks a promise of the store, as a sentence."""

    def __init__(self, kind: type[Record], written: Iterable[Mapping[str, Any]] = ()) -> None:
        self.kind = kind
        self.written = written

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if not isinstance(error, IntegrityError):
            return
        broken, names = violation(error.orig)
        owner = owner_link(self.kind)
        if broken is Broken.LINK and self.written and owner:
            raise _no_record(owner[1], {row[owner[0]] for row in self.written if owner[0] in row}) from error
        if broken is Broken.LINK:
            raise RefusedError(f"Other records still belong to this {self.kind.noun}. Nothing was changed.") from error
        if broken is Broken.UNIQUE and (name := unique_field(self.kind, names)):
            label = fields(self.kind)[name].label.lower()
            raise RefusedError(f"Another {self.kind.noun} already has this {label}. Nothing was changed.") from error
        raise RefusedError(f"The {self.kind.noun} could not be stored: {error.orig}.") from error
