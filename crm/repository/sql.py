"""A store in a SQL database: written in transactions that are tried again when another writer was first."""

import dataclasses
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, Select, insert, inspect, select, update
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
    StatementError,
)

from crm.clock import Clock
from crm.errors import (
    CRMError,
    FileError,
    RefusedError,
    StoreBusyError,
    StoreDamagedError,
    StoreNewerError,
    StoreReadOnlyError,
)
from crm.model import LASTING, RECORDS, TIME_ZONE, Record
from crm.model.paths import display_path
from crm.model.rights import SEALED
from crm.repository import (
    ALL_DUE,
    PROGRAM,
    REVIEWED,
    STORE_ID,
    Allowed,
    Backup,
    Finding,
    Held,
    Proof,
    Restored,
    Seals,
    Wait,
    Waiting,
    anybody,
    tables,
)
from crm.repository.dialect import Dialect
from crm.repository.known import KnownRosters, new_id
from crm.repository.snapshot import SqlSnapshot, fact, put_fact

if TYPE_CHECKING:
    from crm.repository.dump import Item
    from crm.repository.transaction import SqlTransaction

Result = TypeVar("Result")

# A wait for another writer is announced after so many seconds, and given up after so many.
TELLS_AFTER = 2.0
GIVES_UP_AFTER = 30.0


def not_as_it_says(backup: Path) -> FileError:
    """The error for a backup that cannot be brought to this format."""
    return FileError(
        f"{display_path(backup)} is damaged, or does not have the format that it says. Nothing was changed."
    )


class _Outdated(Exception):
    """The accounts are not those any more that were to be kept."""


class _Asked:
    """A snapshot in which it is asked who does something, for the history: `user` and `user_id`."""

    def __init__(self, snapshot: SqlSnapshot, user: str) -> None:
        self._snapshot = snapshot
        self.user = user
        self.user_id = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._snapshot, name)


class SqlRepository:
    """A Repository over a SQL database.

    `now` is the time in UTC; `user` is in the history; `first_records` are in a new store from the start;
    `waiting` is called again and again while another program holds the store.
    """

    # There are no clients in a new store yet.
    _begins_reviewed = True

    def __init__(
        self,
        url: str,
        dialect: Dialect,
        *,
        now: Callable[[], datetime],
        user: str = "",
        first_records: Callable[[], Sequence[Record]] = tuple,
        waiting: Waiting = lambda _: None,
    ) -> None:
        self.url = url
        self._dialect = dialect
        self.clock = Clock(now, self._time_zone)
        self.user = user
        self._first_records = first_records
        self.waiting = waiting
        self._seals: Seals | None = None
        self._opening = RLock()
        # The day of the last review that this program knows of, or has tried to make.
        self._reviewed_on = ""

    @cached_property
    def _engine(self) -> Engine:
        # Of several threads that come at once one opens it: the connections of another engine would never be closed.
        with self._opening:
            if "_engine" not in self.__dict__:
                self.__dict__["_engine"] = self._opened()
            engine: Engine = self.__dict__["_engine"]
            return engine

    def _opened(self) -> Engine:
        engine = self._dialect.engine()
        try:
            with self._errors_explained():
                if self._dialect.is_new():
                    self._create(engine)
                else:
                    self._recognise(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _create(self, engine: Engine) -> None:
        with engine.connect() as connection:
            self._enter(connection)
            if not inspect(connection).has_table("store_facts"):
                tables.create_all(connection)
                self._dialect.search.prepare(connection)
                # A new store gets the zone of this machine, which is not in it yet.
                today = Clock(lambda: self.clock.now).today
                self._reviewed_on = today.isoformat() if self._begins_reviewed else ""
                facts = {
                    "schema_version": str(tables.SCHEMA_VERSION),
                    REVIEWED: self._reviewed_on,
                    STORE_ID: self._new_id(),
                }
                rows = [{"name": name, "value": value} for name, value in facts.items()]
                connection.execute(insert(tables.store_facts), rows)
                self._add_first_records(connection)
            connection.commit()

    def _new_id(self) -> str:
        """The identifier of a new store, unlike that of any other."""
        return new_id()

    def _add_first_records(self, connection: Connection) -> None:
        at = self.clock.now
        for place, record in enumerate(self._first_records(), start=1):
            stored = dataclasses.replace(record, id=place, created_at=at, updated_at=at, version=1)
            connection.execute(insert(tables.TABLES[type(record)]), [tables.row_of(stored)])
            self._dialect.skip_ids(connection, tables.TABLES[type(record)], place)

    def _recognise(self, engine: Engine) -> None:
        """Make sure that what is there is a store of this version, before anything is written to it."""
        with engine.connect() as connection:
            names = set(inspect(connection).get_table_names())
            if not names:
                connection.rollback()
                self._create(engine)
                return
            if not {"store_facts", "client", "audit"} <= names:
                where = display_path(self.url)
                raise StoreDamagedError(f"{where} holds a database of another program. It was left as it is.")
            facts = tables.store_facts.c
            known: dict[str, str] = dict(connection.execute(select(facts.name, facts.value)).all())
        written, self._reviewed_on = known.get("schema_version", ""), known.get(REVIEWED, "")
        if not (version := tables.version_of(written)):
            raise StoreDamagedError(f"{display_path(self.url)} does not say which format it has. It was left as it is.")
        if version > tables.SCHEMA_VERSION:
            raise StoreNewerError(
                f"{display_path(self.url)} was made by a newer version of this program (format {version}, this one"
                f" reads {tables.SCHEMA_VERSION}). It was left as it is. Install the newer version to open it."
            )
        if version < tables.SCHEMA_VERSION:
            self._upgrade(engine)

    def _upgrade(self, engine: Engine) -> None:
        """Bring a store of an older format to this one, after a dated backup; one that can only be read is read as
        if it were."""
        try:
            with self._errors_explained(), engine.connect() as connection:
                self._enter(connection)
                if self._add_missing(connection):
                    # Of what is there until this is committed.
                    self._dialect.backups.backup(engine, self._dated())
                connection.commit()
        except StoreReadOnlyError:
            with engine.connect() as connection:
                version = int(fact(connection, "schema_version"))
            self._dialect.pretend(engine, version)

    def _add_missing(self, connection: Connection) -> bool:
        """Add what the format that is there lacks, within a transaction; False where it lacks nothing."""
        facts = tables.store_facts
        # Another program may have been first.
        version = int(fact(connection, "schema_version"))
        if version == tables.SCHEMA_VERSION:
            return False
        self._dialect.bring_up(connection, version)
        self._dialect.search.prepare(connection)
        if not fact(connection, STORE_ID):
            put_fact(connection, STORE_ID, self._new_id())
        written = update(facts).where(facts.c.name == "schema_version")
        connection.execute(written.values(value=str(tables.SCHEMA_VERSION)))
        return True

    def _time_zone(self) -> str:
        """The team's time zone in the store, '' where none is set."""
        setting = tables.setting.c
        with self._errors_explained(), self._engine.connect() as connection:
            return str(connection.execute(select(setting.value).where(setting.key == TIME_ZONE)).scalar() or "")

    def keep_sealed(self, seals: Seals) -> None:
        self._seals = self._seals or seals

    @contextmanager
    def _errors_explained(self, dialect: Dialect | None = None) -> Iterator[None]:
        """Turn a driver's error into a sentence, and whatever comes of a value that another program has put into the
        store; `dialect` is that of another store."""
        dialect = dialect or self._dialect
        try:
            yield
        except DBAPIError as error:
            explained = dialect.explain(error.orig or error)
            if explained is None or isinstance(explained, StoreDamagedError):
                explained = dialect.damage(error.orig or error) or explained
            if explained is None:
                raise
            raise explained from error
        except StatementError as error:
            # A column refused a value that it cannot keep.
            if isinstance(error.orig, CRMError):
                raise error.orig from error
            raise
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            # Looked for only now: to check each value that is read would make everything slower.
            if (damage := dialect.damage(error)) is None:
                raise
            raise damage from error

    @contextmanager
    def read(self) -> Iterator[SqlSnapshot]:
        with self._errors_explained(), self._engine.connect() as connection:
            # Asked first: what others do from now on is not seen.
            known = self._known()
            self._dialect.begin_reading(connection)
            yield SqlSnapshot(connection, self._dialect, self.clock.stopped(), known, self._seals)

    def _known(self) -> KnownRosters:
        """The revisions that this machine remembers of the accounts at this place."""
        return KnownRosters() if self._seals is None else self._seals.known()

    def _seen(self, connection: Connection, known: KnownRosters | None = None) -> SqlSnapshot:
        """The snapshot of a connection, within a transaction of its own; `known` is what was remembered before that,
        which is not needed where nobody else can write."""
        known = self._known() if known is None else known
        return SqlSnapshot(connection, self._dialect, self.clock.stopped(), known)

    def _writing(self, connection: Connection, what: str = "") -> "SqlTransaction":
        """The transaction that writes on a connection."""
        from crm.repository.transaction import SqlTransaction

        clock = self.clock.stopped()
        return SqlTransaction(connection, self._dialect, clock, user=self.user, what=what, seals=self._seals)

    def transact(self, change: Callable[["SqlTransaction"], Result], what: str) -> Result:
        with self._errors_explained(), self._engine.connect() as connection:
            started = time.monotonic()
            while True:
                try:
                    self._enter(connection)
                    tx = self._writing(connection, what)
                    result = change(tx)
                    tx.finish()
                    connection.commit()
                    tx.committed()
                    return result
                except DBAPIError as error:
                    connection.rollback()
                    self._wait_or_give_up(error, started)
                except BaseException:
                    connection.rollback()
                    raise

    def _enter(self, connection: Connection) -> None:
        """Start a transaction as the only writer, waiting for others."""
        started = time.monotonic()
        while True:
            try:
                self._dialect.begin_writing(connection)
                return
            except DBAPIError as error:
                connection.rollback()
                self._wait_or_give_up(error, started)

    def _wait_or_give_up(self, error: DBAPIError, started: float) -> None:
        if not self._dialect.is_busy(error.orig or error):
            raise error
        waited = time.monotonic() - started
        if waited > GIVES_UP_AFTER:
            raise StoreBusyError(
                f"Another program has been writing to {display_path(self.url)} for {waited:.0f} seconds."
                " Nothing was changed. Try again."
            ) from error
        if waited > TELLS_AFTER:
            self.waiting(Wait(f"Another program is saving to this {self._dialect.noun}", waited))
        time.sleep(0.02)

    def everything(self, allowed: Allowed = anybody) -> "Iterator[Item]":
        from crm.repository.dump import everything

        with self.read() as snapshot:
            allowed(snapshot)
            yield from everything(snapshot)

    def fill(self, items: "Iterable[Item]", allowed: Allowed = anybody) -> dict[str, int]:
        self.refuse_filling()
        with self._errors_explained(), self._engine.connect() as connection:
            self._enter(connection)
            allowed(self._seen(connection))
            counts = self._fill(connection, items)
            connection.commit()
            return counts

    def refuse_filling(self) -> None:
        """Refuse to take over a whole store, accounts included, where anything would be lost by it."""
        if not self.is_untouched():
            lost = ", and the accounts of this one would be lost" if self.is_empty() else ""
            raise RefusedError(
                f"A whole store can only be imported into an empty one{lost}. Name another with --store."
            )

    def _fill(self, connection: Connection, items: "Iterable[Item]") -> dict[str, int]:
        from crm.repository.dump import fill, without_facts

        facts: dict[str, str] = {}
        try:
            counts = fill(self._seen(connection), without_facts(items, facts))
            if self._seals is not None:
                self._seals.take_over(self._writing(connection), facts)
            return counts
        except (IntegrityError, DataError, ProgrammingError, InterfaceError) as error:
            raise FileError(f"The data to import does not fit together: {error.orig}.") from error
        except DBAPIError:
            raise
        except (StatementError, ValueError, TypeError, OverflowError) as error:
            raise FileError(f"The data to import has a value that cannot be stored: {error}.") from error

    def check(self, allowed: Allowed = anybody) -> Iterator[Finding]:
        from crm.repository import checks

        with self.read() as snapshot:
            allowed(snapshot)
            findings = self._dialect.check(snapshot.connection)
            yield from findings
            try:
                yield from checks.findings(snapshot)
            except Exception:
                # What is named already may be what another check cannot go on from.
                if not any(finding.wrong for finding in findings):
                    raise

    def damage(self, error: Exception) -> CRMError | None:
        return self._dialect.damage(error)

    def prove(self, allowed: Allowed = anybody) -> Iterator[Proof]:
        raise RefusedError("Only a store in a Google spreadsheet has something to prove on the service that keeps it.")

    def held(self, allowed: Allowed = anybody) -> Held:
        with self.read() as snapshot:
            allowed(snapshot)
        raise RefusedError("Only a store in a Google spreadsheet is edited by hand.")

    def settle(self, *, take_over: bool, allowed: Allowed = anybody) -> None:
        self.held(allowed)

    def accept_loss(self, lost: str, allowed: Allowed = anybody) -> None:
        self.held(allowed)

    def forget_history(self, before: int, what: str, allowed: Allowed = anybody) -> int:
        def change(tx: "SqlTransaction") -> int:
            allowed(tx)
            return tx.forget_history(before)

        return self.transact(change, what)

    def notice(self, account: int = 0) -> str:
        return ""

    def fact(self, name: str) -> str:
        with self._errors_explained(), self._engine.connect() as connection:
            return fact(connection, name)

    def set_fact(self, name: str, value: str, allowed: Allowed = anybody) -> None:
        with self._errors_explained(), self._engine.connect() as connection:
            self._enter(connection)
            allowed(self._seen(connection))
            put_fact(connection, name, value)
            connection.commit()

    def daily_review(self) -> None:
        # What was read when the store was opened says so on most days, and nothing is asked then.
        if self._engine and not self._is_review_due(self._reviewed_on):
            return
        day = self.clock.today.isoformat()

        def review(tx: "SqlTransaction") -> None:
            # Another program may have been first.
            before = tx.fact(REVIEWED)
            if not self._is_review_due(before):
                self._reviewed_on = before
            elif not tx.unreviewable:
                tx.user = PROGRAM
                if before == ALL_DUE:
                    tx.review_all()
                else:
                    tx.review_day()
                tx.put_fact(REVIEWED, day)
                self._reviewed_on = day

        self.transact(review, "reviewed statuses for the day")

    def _is_review_due(self, reviewed_on: str) -> bool:
        """Return whether the review of `reviewed_on` (ISO 8601, '' for none, ALL_DUE where some were left out) does not
        count for today."""
        today = self.clock.today
        # At midnight another machine may be a day ahead; farther ahead was only a clock that was wrong.
        return not today.isoformat() <= reviewed_on <= (today + timedelta(days=1)).isoformat()

    def is_empty(self) -> bool:
        more = tables.audit.c.record.not_in([kind.kind_name for kind in SEALED])
        return not self._exists_any(select(tables.audit.c.id).where(more))

    def is_untouched(self) -> bool:
        return not self._exists_any(select(tables.transactions.c.id))

    def _exists_any(self, something: Select[tuple[int]]) -> bool:
        with self.read() as snapshot:
            return bool(snapshot.select(something.limit(1)))

    def backup(self, to: Path | None = None, allowed: Allowed = anybody) -> Path:
        target, known = to or self._dated(), self._known()

        def looked_at(copy: Path) -> None:
            engine = self._dialect.at(copy).engine()
            try:
                with engine.connect() as connection:
                    self._dialect.begin_reading(connection)
                    allowed(self._seen(connection, known))
            finally:
                engine.dispose()

        with self._errors_explained():
            # The copy itself is asked, before anybody has it: it is of one moment.
            self._dialect.backups.backup(self._engine, target, looked_at if allowed is not anybody else None)
        return target

    def _dated(self) -> Path:
        """A name for a backup of this moment that no other backup has, and that comes after those just made."""
        # In UTC: a file that is damaged, or of an older format, cannot say in which zone the team is.
        moment = now = self.clock.now
        newest = next(iter(self.backups()), None)
        while True:
            path = self._dialect.backups.dated(f"{moment:%Y-%m-%d-%H%M%S}")
            just_made = newest is not None and path.name <= newest.name and moment - now < timedelta(minutes=1)
            if not path.exists() and not just_made:
                return path
            moment += timedelta(seconds=1)

    def daily_backup(self, allowed: Allowed = anybody) -> Path | None:
        today = self.clock.now.date().isoformat()
        if self._dialect.is_new() or any(today in backup.name for backup in self.backups()) or self.is_untouched():
            return None
        return self.backup(allowed=allowed)

    def added_since(self, source: Path, allowed: Allowed = anybody) -> Mapping[str, Sequence[int]]:
        kinds = [kind for kind in RECORDS if kind not in (*SEALED, *LASTING)]
        with self.read() as snapshot:
            allowed(snapshot)
            ids = {kind.kind_name: set(snapshot.numbers(kind)) for kind in kinds}
        with self._dialect.backups.checked_copy(source) as copy:
            kept = self._dialect.backups.ids_in(copy, [tables.TABLES[kind].name for kind in kinds])
        added = {kind.kind_name: ids[kind.kind_name] - kept[tables.TABLES[kind].name] for kind in kinds}
        return {name: sorted(numbers) for name, numbers in added.items() if numbers}

    def restore(self, source: Path, allowed: Allowed = anybody, *, accounts: bool = False) -> Restored:
        from crm.repository.restoring import known_accounts, take_accounts

        what = f"restored {source.name}"
        # Copied first: to back up what is there may let go of the oldest backup, which may be this very one.
        with self._dialect.backups.checked_copy(source) as copy:
            try:
                with self._other(copy) as connection:
                    self._add_missing(connection)
            except StoreDamagedError as error:
                raise not_as_it_says(source) from error
            try:
                with self.read() as snapshot:
                    allowed(snapshot)
                kept = self.backup()
            except StoreDamagedError:
                self.close()
                with self._other(copy) as connection:
                    tx = self._writing(connection, what)
                    take_accounts(tx, self._seals, None)
                    shut = self._shuts_everybody_out(tx)
                return Restored(self._dialect.backups.replace_damaged(copy, self._dated()), shut=shut)
            while True:
                with self.read() as snapshot, self._other(copy) as connection:
                    asked = _Asked(snapshot, self.user)
                    allowed(asked)
                    known = known_accounts(snapshot)
                    tx = self._writing(connection, what)
                    tx.user, tx.user_id = asked.user, asked.user_id
                    closed = take_accounts(tx, self._seals, snapshot, from_backup=accounts)
                    shut = self._shuts_everybody_out(tx)

                def locked(known: Hashable = known) -> None:
                    with self.read() as snapshot:
                        allowed(snapshot)
                        if known_accounts(snapshot) != known:
                            raise _Outdated

                try:
                    with self._errors_explained():
                        self._dialect.backups.restore(self._engine, copy, locked)
                    break
                except _Outdated:
                    # Somebody has changed an account meanwhile.
                    continue
            # The store that was restored may be of another day.
            self._reviewed_on = ""
            return Restored(kept, closed, shut)

    def _shuts_everybody_out(self, tx: "SqlTransaction") -> bool:
        return self._seals is not None and self._seals.shuts_everybody_out(tx)

    @contextmanager
    def _other(self, file: Path) -> Iterator[Connection]:
        """A transaction on the copy of a store in a file."""
        dialect = self._dialect.at(file)
        engine = dialect.engine()
        try:
            with self._errors_explained(dialect), engine.connect() as connection:
                self._enter(connection)
                yield connection
                connection.commit()
        finally:
            engine.dispose()

    def backups(self) -> Sequence[Path]:
        """The dated backups there are, newest first."""
        return self._dialect.backups.dated_copies()

    def known_backups(self) -> Sequence[Backup]:
        return [Backup(path, *self._dialect.backups.counts(path)) for path in self.backups()]

    def close(self) -> None:
        if "_engine" in self.__dict__:
            self._engine.dispose()
            del self._engine
