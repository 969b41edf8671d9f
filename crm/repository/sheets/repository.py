"""The repository of a Google spreadsheet: read from the mirror, written as one request."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from crm.errors import (
    Cancelled,
    CRMError,
    RefusedError,
    StoreAccessError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreNewerError,
    StoreNotSetUpError,
    StoreOfflineError,
    StoreUnsureError,
)
from crm.model import BY_NAME, Client, Conventions, NumberSeries, Record
from crm.model.data import READS_AFTER, SHEET_READS
from crm.model.rights import SEALED
from crm.repository import (
    COPY_OF,
    PROGRAM,
    REVIEWED,
    ROSTER,
    SPREADSHEET,
    UNREVIEWABLE,
    Allowed,
    Finding,
    Held,
    Proof,
    Query,
    Restored,
    Wait,
    Waiting,
    anybody,
)
from crm.repository.dialect import Dialect
from crm.repository.known import new_id
from crm.repository.restoring import put_back
from crm.repository.sheets.google.spreadsheet import NoAnswer, Rejected, Service, unreadable
from crm.repository.sheets.grid.cells import number_of
from crm.repository.sheets.grid.layout import HISTORY, TABS, programs_own
from crm.repository.sheets.mirror import capacity, mirror, problems
from crm.repository.sheets.mirror.loading import some_records
from crm.repository.sheets.mirror.mirror import META_RANGE, Seen, State
from crm.repository.sheets.mirror.preview import Preview
from crm.repository.sheets.mirror.problems import unreviewable, untaken_words, waiting_words
from crm.repository.sheets.pull import hand_edits, held_edits, ingest, kept_accounts, reading
from crm.repository.sheets.pull.delta import AllTabsGoneError, TabDamagedError
from crm.repository.sheets.pull.formulas import formulas
from crm.repository.sheets.pull.kept_accounts import KeptAccounts, note_edits
from crm.repository.sheets.pull.number_formats import strange_among, strange_amounts, strange_cells
from crm.repository.sheets.push import column_restore
from crm.repository.sheets.push.outcome import Ending, Outcome, Unclear
from crm.repository.sheets.push.plan import Marks, Plan, plan, plan_again, plan_rows, whole_plan
from crm.repository.sheets.push.push import (
    Applied,
    Placed,
    Push,
    Refused,
    RefusedAgainError,
    Stale,
)
from crm.repository.sheets.push.requests import Commit
from crm.repository.sheets.push.unfinished import LATE_FOR, Unfinished, UnfinishedChanges
from crm.repository.sheets.repairing import Damage
from crm.repository.snapshot import SqlSnapshot, fact, put_fact
from crm.repository.sql import SqlRepository, not_as_it_says
from crm.repository.sqlite.dialect import Sqlite
from crm.repository.tables import setting
from crm.repository.team import team_of
from crm.repository.transaction import SqlTransaction

Result = TypeVar("Result")

# What was last seen is taken as true for so long (seconds).
FRESH_FOR = 5.0
# The delay of Drive's version after an edit is not documented. Where no delay was seen, everything is still read after
# so many seconds; elsewhere after the interval in the team's settings.
READS_ANYWAY_AFTER = 600.0
# But reading takes no more than this part of the time.
_SHARE_OF_READING = 0.05
# After the connection failed, reading goes on from the mirror for so long before it is tried again.
_OFFLINE_FOR = 10.0
# How long a change is tried while others come first; the wait is shown after a while.
_PATIENCE = 90.0
_TELLS_AFTER = 2.0
# A reader waits no longer for somebody on this machine who is busy with the spreadsheet.
_READER_WAITS = 3.0
# So many rows of the history are removed at a time.
_CUT_ROWS = 1000
_ALL_GONE = (
    "The tabs of this program are gone from the spreadsheet. Put them back (File, Version history), or run `sheets"
    " repair`, which adds them again with what this computer knows."
)
_KEEPS_NUMBERS = "went on with the invoice numbers that were given out before"
# So often it is tried to repair tabs that people go on damaging.
_MOST_REPAIRS = 5


class SheetsRepository(SqlRepository):
    """A Repository over one spreadsheet; `mirror_file` is the local database that is read.

    `check_setting(key, value, conventions)` checks a setting that was edited by hand and raises FieldError.
    What was read at most `fresh_for` seconds ago is taken as true.
    """

    def __init__(
        self,
        url: str,
        service: Service,
        mirror_file: Sqlite,
        *,
        now: Callable[[], datetime],
        user: str = "",
        waiting: Waiting = lambda _: None,
        check_setting: Callable[[str, str, Conventions], Any] = lambda *_: None,
        fresh_for: float = FRESH_FOR,
    ) -> None:
        super().__init__(url, mirror_file, now=now, user=user, waiting=waiting)
        self.service = service
        self._mirror_file = mirror_file
        self.fresh_for = fresh_for
        self._check_setting = check_setting
        self._push = Push(service, waiting)
        self._preview = Preview(mirror_file)
        self._unfinished = UnfinishedChanges(mirror_file.path)
        # What became of changes that a program was saving when it ended, until something is saved.
        self._late_report = ""
        # Why the spreadsheet could not be reached, and when (seconds since 1970).
        self._offline: tuple[StoreError, float] | None = None
        # Why the mirror does not hold what was saved last, until it has been read.
        self._unnoted = ""

    def _opened(self) -> Engine:
        with suppress(StoreDamagedError, StoreNewerError):
            engine = super()._opened()
            if self._is_ours(engine):
                return engine
            engine.dispose()
        # The mirror holds nothing that the spreadsheet does not.
        self._mirror_file.remove()
        engine = super()._opened()
        self._is_ours(engine)
        return engine

    def _new_id(self) -> str:
        return self.service.spreadsheet

    def _upgrade(self, engine: Engine) -> None:
        # It is rebuilt.
        raise StoreDamagedError("The mirror is of an older version of this program.")

    def _is_ours(self, engine: Engine) -> bool:
        """Make a mirror of the file; False where it is one of something else."""
        with self._errors_explained(), engine.connect() as connection:
            self._enter(connection)
            ours = mirror.prepare(connection, self.service.spreadsheet)
            connection.commit()
            return ours

    @contextmanager
    def _errors_explained(self, dialect: Dialect | None = None) -> Iterator[None]:
        try:
            with super()._errors_explained(dialect):
                try:
                    yield
                except Rejected as error:
                    raise unreadable(error) from error
        except StoreError as error:
            if isinstance(error.__cause__, DBAPIError):
                # What the mirror is like says nothing of what is in the spreadsheet.
                error.keeping("")
            raise

    # Reading

    @contextmanager
    def read(self) -> Iterator[SqlSnapshot]:
        self.refresh()
        with self._errors_explained():
            # Asked first: what others do from now on is not seen.
            known = self._known()
            with self._shown().connect() as connection:
                self._dialect.begin_reading(connection)
                yield SqlSnapshot(connection, self._dialect, self.clock.stopped(), known, self._seals)

    def _shown(self) -> Engine:
        """The database to read: the mirror, or what it will be once edits are taken over that cannot be written."""
        with self._engine.connect() as connection:
            is_behind = bool(mirror.untaken(connection))
            preview = self._preview.engine(mirror.generation(connection)) if is_behind else None
        return preview or self._engine

    def refresh(self) -> None:
        """Bring the mirror up to date unless it was so a moment ago. Without a connection, or where the spreadsheet was
        damaged by hand, it stays as it is. Raises the error of the read while there is no mirror yet."""
        with self._errors_explained(), self._engine.connect() as connection:
            fresh = self._is_fresh(connection)
            connection.rollback()
            if fresh or not self._enter_soon(connection):
                return
            try:
                # Somebody on this machine may have looked while this one waited.
                if not self._is_fresh(connection):
                    self._look(connection)
                    self._offline, self._unnoted = None, ""
                connection.commit()
            except (StoreOfflineError, StoreBusyError, TabDamagedError, AllTabsGoneError) as error:
                connection.rollback()
                if mirror.seen(connection) is None:
                    raise
                reason = TabDamagedError(_ALL_GONE) if isinstance(error, AllTabsGoneError) else error
                self._offline = (reason, self.clock.now.timestamp())
            except BaseException:
                connection.rollback()
                raise

    def notice(self, account: int = 0) -> str:
        """A notice for the reader: that the connection is gone, and of when the data is, that deletions wait, that
        changes are gone from the spreadsheet, until `check` has listed it, or that it is nearly full; else ''."""
        if late := self._late_reports(account):
            return late
        if self._unnoted:
            return f"Your change was saved, but not in the copy on this computer: {self._unnoted}"
        if self._offline is None:
            with self._errors_explained(), self._engine.connect() as connection:
                waiting, untaken = waiting_words(connection), mirror.untaken(connection)
                full, lost = _fullness(connection), mirror.lost_unreported(connection)
                unjudged = fact(connection, UNREVIEWABLE)
            if untaken:
                return untaken_words(untaken)
            return f"{waiting} `sheets repair` asks what to do." if waiting else unjudged or lost or full
        with self._errors_explained(), self._engine.connect() as connection:
            by = ingest.conventions(connection, self.clock)
            at = _moment(by, mirror.checked(connection)[1])
        if isinstance(self._offline[0], TabDamagedError):
            return f"This is how it was at {at}. {self._offline[0].sentence}"
        return f"No connection to Google: this is how it was at {at}."

    def _late_reports(self, account: int) -> str:
        """Sentences on changes of an account that a program was saving when it ended; '' for none."""
        if not (left := self._unfinished.left(account)):
            return self._late_report
        self._look_at_sheet()
        self.refresh()
        if self._offline is not None:
            # Told once it can be known.
            return ""
        with self._errors_explained(), self._engine.connect() as connection:
            words = [self._late_words(connection, change) for change in left]
        self._late_report = " ".join(words)
        return self._late_report

    def _late_words(self, connection: Connection, change: Unfinished) -> str:
        at = _moment(ingest.conventions(connection, self.clock), change.at)
        what = "".join(letter for letter in change.what if letter.isprintable())
        ended = f"The program ended at {at} while it was saving “{what}”."
        was_saved = any(mirror.has_commit(connection, name) for name in change.names)
        if not was_saved and 0 <= self.clock.now.timestamp() - change.at < LATE_FOR:
            return (
                f"{ended} It is not in the spreadsheet, but may still arrive within three minutes. Look then, before"
                f" you enter it again (`history find {change.names[-1]}`)."
            )
        change.file.unlink(missing_ok=True)
        return f"{ended} It was {'' if was_saved else 'not '}saved."

    def _is_fresh(self, connection: Connection) -> bool:
        now = self.clock.now.timestamp()
        if self._offline is not None:
            # A damaged tab is looked at again as soon as anything else.
            lasts = self.fresh_for if isinstance(self._offline[0], TabDamagedError) else _OFFLINE_FOR
            if 0 <= now - self._offline[1] < lasts:
                return True
        version, at = mirror.checked(connection)
        return version != mirror.BEHIND and 0 <= now - at < self.fresh_for

    def _enter_soon(self, connection: Connection) -> bool:
        """Start a transaction on the mirror; False when somebody on this machine is busy with the spreadsheet and
        the mirror can be read meanwhile."""
        started = time.monotonic()
        while True:
            try:
                self._dialect.begin_writing(connection)
                return True
            except DBAPIError as error:
                connection.rollback()
                if not self._dialect.is_busy(error.orig or error):
                    raise
            empty = mirror.seen(connection) is None
            connection.rollback()
            if time.monotonic() - started > (_PATIENCE if empty else _READER_WAITS):
                return False
            time.sleep(0.02)

    def _look(self, connection: Connection) -> None:
        """One look at the spreadsheet, within a transaction on the mirror; reads it if it has changed. Commits."""
        version, _ = mirror.checked(connection)
        began = self.clock.now.timestamp()
        standing = self.service.standing()
        may_write_again = standing.can_edit and mirror.untaken(connection).startswith(mirror.ONLY_READS)
        seen = mirror.seen(connection)
        if seen is None or may_write_again or standing.version != version:
            self._catch_up(connection, standing.version)
        elif self._is_overdue(connection, began) or self._has_moved(connection, seen):
            self._catch_up(connection, standing.version, unreported=True)
        else:
            mirror.set_checked(connection, version, began)
            connection.commit()

    def _is_overdue(self, connection: Connection, now: float) -> bool:
        """Return whether everything has to be read, whatever Drive says."""
        at, took = mirror.read_everything(connection)
        after = READS_ANYWAY_AFTER
        if not mirror.is_punctual(connection):
            written = connection.execute(select(setting.c.value).where(setting.c.key == SHEET_READS)).scalar()
            after = float(written) if written and str(written).isdigit() else READS_AFTER
        return not 0 <= now - at <= max(after, took / _SHARE_OF_READING)

    def _has_moved(self, connection: Connection, seen: Seen) -> bool:
        """Return whether a program has saved since, as the spreadsheet itself says: Drive may be late, also where it
        has been on time before."""
        try:
            (meta,) = self.service.values([META_RANGE])
        except Rejected:
            # The tab is gone: reading says so.
            return True
        return not reading.state_in(meta.rows).is_at(seen.state)

    def _catch_up(
        self, connection: Connection, version: int = 0, *, take_over: bool = False, unreported: bool = False
    ) -> None:
        """Read the spreadsheet into the mirror, and make what was done in it by hand a change of the store.
        Commits. `version` is the one that Drive told before, 0 when it was not asked. So many deletions that they have
        to be asked about wait, and so do emptied columns, unless somebody has said that they are to be taken over.
        Drive has `unreported` what is new."""
        began, started = self.clock.now.timestamp(), time.monotonic()
        knows = mirror.seen(connection) is not None and self._revision_of_accounts(connection) is not None
        before = mirror.seen(connection)
        edits = self._take(connection)
        is_new = edits or before is None or not _state(connection).is_at(before.state)
        # Asked once more: it may have been done since.
        if unreported and is_new and self.service.standing().version == version:
            mirror.set_late(connection)
        accounts = edits.take_out(SEALED)
        # What was done by hand is taken over when that is written: until then there is something to do.
        mirror.set_checked(connection, mirror.BEHIND if edits else version, began)
        mirror.set_untaken(connection, "")
        mirror.set_read_everything(connection, began, time.monotonic() - started)
        connection.commit()
        if knows and (accounts or edits.keeps_accounts or self._lags(connection)):
            self._put_accounts_back(connection, accounts)
        held = {} if take_over else held_edits.too_many(connection, edits)
        emptied: mirror.Emptied = {} if take_over else held_edits.emptied(connection, edits)
        if (mirror.held(connection), mirror.emptied(connection)) != (held, emptied):
            with suppress(Stale):
                self._begin_now(connection)
                mirror.set_held(connection, held)
                mirror.set_emptied(connection, emptied)
                connection.commit()
            connection.rollback()
        if held or emptied:
            self._note_done(connection, version, began)
        elif edits:
            self._adopt(connection, edits, version, began)
        if not mirror.untaken(connection):
            self._preview.remove()
        self._keep_numbers(connection)
        self._add_new_columns(connection)
        self.clock.forget_zone()

    def _take(self, connection: Connection) -> ingest.HandEdits:
        """Read the spreadsheet into the mirror, within a transaction."""
        before = mirror.seen(connection)
        if before is None:
            return self._taken(connection, before)
        kept, revision = KeptAccounts.of(connection), self._revision_of_accounts(connection)
        edits = self._taken(connection, before, everything=revision is None)
        now = self._revision_of_accounts(connection)
        if revision is None:
            # What this machine knew was not sound: it takes what there is now, and puts nothing back.
            edits.take_out(SEALED)
        elif revision >= 0 and (now is None or now < revision):
            # The tab as a whole may be right: an admin recovered access elsewhere.
            edits = self._taken(connection, before, everything=True)
            now = self._revision_of_accounts(connection)
            if (now is None or now < revision) and kept.are_newest(_state(connection), before.state):
                # Whatever the spreadsheet says was not written by this program.
                kept.put(connection)
                edits.keeps_accounts = True
            else:
                # Where they do not hold, a machine that knows newer ones puts those back.
                edits.take_out(SEALED)
        elif _state(connection).is_but_for_roster(before.state):
            # The roster alone was edited.
            put_fact(connection, ROSTER, kept.roster)
        return edits

    def _revision_of_accounts(self, connection: Connection) -> int | None:
        """The revision of the accounts in the mirror, as `Seals` says it."""
        if self._seals is None:
            return -1
        return self._seals.revision(self._seen(connection))

    def _lags(self, connection: Connection) -> bool:
        """Return whether the spreadsheet does not hold the accounts that the mirror does."""
        return fact(connection, ROSTER) != _state(connection).roster

    def _taken(self, connection: Connection, before: Seen | None, *, everything: bool = False) -> ingest.HandEdits:
        with ingest.all_needed():
            quiet = {} if everything or before is None else mirror.quiet(connection)
            contents = self._push.put_right(None if everything else before, quiet)
            if not contents.everything and before is not None and not _follows(contents.state, before.state):
                # An older version of the spreadsheet was restored.
                contents = self._push.put_right(None)
            try:
                return self._ingested(connection, contents)
            except ingest.StaleHistory:
                return self._ingested(connection, self._push.put_right(None))

    def _ingested(self, connection: Connection, contents: ingest.Contents) -> ingest.HandEdits:
        strange = strange_cells(self.service, contents, connection)
        ask = partial(strange_among, self.service)
        edits = ingest.take(connection, self._dialect, contents, self.clock, self._check_setting, strange, ask)
        put_fact(connection, ROSTER, contents.state.roster)
        home = contents.state.home
        put_fact(connection, COPY_OF, "" if home == self.service.spreadsheet else home)
        put_fact(connection, UNREVIEWABLE, unreviewable(connection))
        mirror.set_punctual(connection, contents.punctual)
        mirror.set_serialised(connection, contents.serialises)
        return edits

    def _adopt(self, connection: Connection, edits: ingest.HandEdits, version: int, began: float) -> None:
        """Make hand edits, as they were at a version, a change of the store. What cannot be written just now waits for
        the next look; what this account may not write is shown until the spreadsheet has changed again."""

        marks = Marks(edits.copies, edits.promoted)
        take: Callable[[SqlTransaction], None] | None = None

        def change(tx: SqlTransaction) -> None:
            if take is not None:
                take(tx)
            if marks:
                # Something is written, though no record may have changed.
                tx.number  # noqa: B018
            mirror.set_checked(connection, version, began)

        try:
            seen = self._begin_now(connection)
            if seen is None or mirror.generation(connection) != edits.generation:
                # Another program on this machine has looked since, and has taken them.
                raise Stale
            take = self._taking(edits, seen)
            self._commit(connection, change, hand_edits.WHAT, SPREADSHEET, {}, seen, marks)
        except (Refused, RefusedAgainError, RefusedError, StoreDamagedError, StoreAccessError) as error:
            # A column is gone, or rows are mixed up, or they may only be looked at: until that is changed in the sheet
            # nothing is new.
            connection.rollback()
            reason = error.reason if isinstance(error, RefusedAgainError) else str(error)
            reason = mirror.ONLY_READS * isinstance(error, StoreAccessError) + reason
            self._note_done(connection, version, began, reason)
            if take is not None:
                self._show_untaken(take, edits.generation)
        except (Stale, Unclear, StoreError) as ending:
            connection.rollback()
            if isinstance(ending, Ending):
                ending.pass_on_interrupt()
        except BaseException:
            connection.rollback()
            raise

    def _taking(self, edits: ingest.HandEdits, seen: Seen) -> Callable[[SqlTransaction], None]:
        """The change that takes hand edits over; asks the spreadsheet what kind of cells they are."""
        formula_cells, strange = formulas(self.service, edits, seen), strange_amounts(self.service, edits, seen)

        def take(tx: SqlTransaction) -> None:
            by = ingest.conventions(tx.connection, self.clock)
            hand_edits.Adoption(tx, by, self._check_setting, formula_cells, strange).adopt(edits)

        return take

    def _show_untaken(self, take: Callable[[SqlTransaction], None], generation: int) -> None:
        """Let readers see hand edits that cannot be written. Where they cannot be taken at all, what was seen before
        is shown."""
        with suppress(CRMError):
            self._preview.make(self._engine, generation, take, self.clock, self._seals)

    def _note_done(self, connection: Connection, version: int, began: float, reason: str = "") -> None:
        """Note that nothing is left to do at a version, or the reason why it cannot be done. Where another program
        holds the mirror it is looked again."""
        with suppress(Stale):
            self._begin_now(connection)
            mirror.set_checked(connection, version, began)
            mirror.set_untaken(connection, reason)
            connection.commit()
        connection.rollback()

    def _begin_now(self, connection: Connection) -> Seen | None:
        """Start a transaction on the mirror: what it has seen. Raises Stale where another program on this machine is
        busy with it."""
        try:
            self._dialect.begin_writing(connection)
        except DBAPIError as error:
            connection.rollback()
            if not self._dialect.is_busy(error.orig or error):
                raise
            raise Stale from error
        return mirror.seen(connection)

    def _put_accounts_back(self, connection: Connection, edits: ingest.HandEdits) -> None:
        """Make the tabs of the accounts hold what the mirror does. What cannot be written just now waits as in
        `_adopt`."""
        try:
            seen = self._begin_now(connection)
            if seen is None or mirror.generation(connection) != edits.generation:
                raise Stale
            note_edits(connection, edits)
            tx = SqlTransaction(connection, self._dialect, self.clock.stopped(), user=PROGRAM, what=kept_accounts.WHAT)
            self._write(connection, plan_again(connection, SEALED, tx.number, seen), seen, tx.uid)
            connection.commit()
        except (RefusedError, StoreDamagedError, StoreAccessError):
            # A column is gone, and `check` says how to restore it; or the tabs may only be looked at.
            connection.rollback()
        except (Stale, Unclear, Applied, StoreError) as ending:
            connection.rollback()
            self._fall_behind(connection)
            if isinstance(ending, Ending):
                ending.pass_on_interrupt()
        except BaseException:
            connection.rollback()
            raise

    def _keep_numbers(self, connection: Connection) -> None:
        """Let a spreadsheet know of the numbers that this machine knows to be given out, where it does not since an
        older version was restored: so nobody gives them out again."""

        def change(tx: SqlTransaction) -> None:
            for known in mirror.series(tx.connection):
                stored = next(iter(tx.find_all(NumberSeries, Query({"name": known["name"]}))), None)
                if stored is None:
                    tx.add(NumberSeries(**known))
                elif (stored.year, stored.last) < (known["year"], known["last"]):
                    tx.apply(stored, {"year": known["year"], "last": known["last"]})
            mirror.keep_series(tx.connection, [])

        def write(seen: Seen) -> None:
            # A store that was only set up stays untouched: another one may be copied into it.
            if mirror.series(connection) and mirror.last_uid(connection):
                self._commit(connection, change, _KEEPS_NUMBERS, PROGRAM, {}, seen)
                return
            last = seen.state.last
            if any(number > last.get(name, 0) for name, number in mirror.numbers(connection).items()):
                self._write(connection, Plan(), seen, new_id())
                connection.commit()

        self._write_besides(connection, write)

    def _add_new_columns(self, connection: Connection) -> None:
        """Write what a spreadsheet that an older version has made has no columns for yet: whose records are whose,
        and newer fields. Until that can be written, the names say so."""

        def write(seen: Seen) -> None:
            if lacking := column_restore.missing_fields(seen, accounts=bool(team_of(connection))):
                written = column_restore.restoring(connection, seen, lacking)
                self._write(connection, written, seen, new_id())
                mirror.set_blind(connection, column_restore.still_blind(mirror.blind(connection), lacking))
                connection.commit()

        self._write_besides(connection, write)

    def _write_besides(self, connection: Connection, write: Callable[[Seen], None]) -> None:
        """Let something be written that is not urgent: what cannot be written now is tried again later."""
        if not self._enter_soon(connection):
            return
        try:
            seen = mirror.seen(connection)
            if seen and not seen.state.staging:
                write(seen)
            connection.rollback()
        except (Stale, Unclear, Applied, StoreOfflineError, StoreBusyError) as ending:
            connection.rollback()
            self._fall_behind(connection)
            if isinstance(ending, Ending):
                ending.pass_on_interrupt()
        except (StoreError, RefusedError):
            # Who may only look, or not change these tabs, goes on without; it is tried again after the next change.
            connection.rollback()
        except BaseException:
            connection.rollback()
            raise

    # Writing

    def transact(self, change: Callable[[SqlTransaction], Result], what: str) -> Result:
        with self._unfinished.until_reported(), self._reporting(outcome := Outcome()):
            result = self._until_saved(change, what, outcome)
        self._late_report = ""
        return result

    @contextmanager
    def _reporting(self, outcome: Outcome) -> Iterator[None]:
        """Let errors say what became of a change; after one that may have been saved, the next look says it."""
        try:
            with outcome.report():
                yield
        except StoreUnsureError:
            self._offline = None
            with suppress(StoreError):
                self._look_at_sheet()
            raise

    def _until_saved(self, change: Callable[[SqlTransaction], Result], what: str, outcome: Outcome) -> Result:
        started, tries, last_look = time.monotonic(), 0, False
        # Tries of which it is not known whether they arrived, with their results, and since when.
        doubtful: dict[str, Result] = {}
        since = started
        while True:
            began = time.monotonic()
            try:
                with self._errors_explained(), self._engine.connect() as connection:
                    try:
                        self._enter(connection)
                        seen, version = mirror.seen_and_version(connection)
                        if tries or seen is None or version == mirror.BEHIND:
                            self._catch_up(connection)
                            self._enter(connection)
                            seen = mirror.must_have_seen(connection)
                            for uid, result in doubtful.items():
                                if mirror.has_commit(connection, uid):
                                    connection.rollback()
                                    return result
                        if last_look:
                            raise Stale
                        result = self._commit(connection, change, what, self.user, doubtful, seen)
                        self._offline = None
                        with self._saved_before():
                            if mirror.untaken(connection):
                                # Its notice has to be built again.
                                connection.rollback()
                                self._fall_behind(connection)
                        return result
                    except BaseException:
                        connection.rollback()
                        raise
            except Stale:
                if (change_in_doubt := next(reversed(doubtful), None)) != outcome.change:
                    outcome.change, since = change_in_doubt, began
            except Unclear as unclear:
                outcome.change = next(reversed(doubtful))
                raise unclear.error or unclear from None
            except (StoreOfflineError, StoreBusyError) as error:
                if isinstance(error, StoreOfflineError):
                    self._offline = (error, self.clock.now.timestamp())
                if not doubtful:
                    raise
                # What could not be looked for is not known to be missing, however long it took.
                self._push.find_out(since, error)
                tries += 1
                continue
            tries += 1
            waited = time.monotonic() - started
            if doubtful and waited > _PATIENCE and not last_look:
                # Before a failure is reported, the change is looked for once more.
                last_look = True
            else:
                self._wait_for_others(tries, waited)

    def _wait_for_others(self, tries: int, waited: float) -> None:
        if waited > _PATIENCE:
            raise StoreBusyError(
                f"Others have been saving to the spreadsheet for {waited:.0f} seconds and always came first.",
                "Try again.",
            )
        if waited > _TELLS_AFTER:
            self.waiting(Wait("Others are saving to the spreadsheet", waited))
        time.sleep(random.uniform(0, min(2.0, 0.02 * 2**tries)))

    def _wait_or_give_up(self, error: DBAPIError, started: float) -> None:
        # The holder of the mirror waits for Google, which takes longer than a disk does.
        if not self._dialect.is_busy(error.orig or error):
            raise error
        waited = time.monotonic() - started
        if waited > _PATIENCE:
            raise StoreBusyError(
                f"Another program on this machine has been saving to the spreadsheet for {waited:.0f} seconds.",
                "Try again.",
            ) from error
        if waited > _TELLS_AFTER:
            self.waiting(Wait("Another program on this machine is saving to the spreadsheet", waited))
        time.sleep(random.uniform(0.01, 0.05))

    def _commit(
        self,
        connection: Connection,
        change: Callable[[SqlTransaction], Result],
        what: str,
        user: str,
        doubtful: dict[str, Result],
        seen: Seen,
        marks: Marks | None = None,
    ) -> Result:
        """Run a change on the mirror, up to date with the spreadsheet as it was `seen`, and write it there too: both,
        or neither. Raises Stale; where the write may have been applied, its name is in `doubtful`, with its result."""
        tx = SqlTransaction(connection, self._dialect, self.clock.stopped(), user=user, what=what, seals=self._seals)
        result = change(tx)
        tx.finish()
        if tx.wrote:
            try:
                made = plan(tx, seen, marks)
                made.cut = tx.cut_history
                if user != SPREADSHEET and user != PROGRAM:
                    self._unfinished.note([*doubtful, tx.uid], what, tx.user_id, self.clock.now.timestamp())
                self._write(connection, made, seen, tx.uid)
                with _noted():
                    connection.commit()
            except Applied as applied:
                self._read_next_time(connection, applied)
                return result
            except Unclear as unclear:
                doubtful[tx.uid] = result
                if isinstance(unclear.error, KeyboardInterrupt):
                    raise
                raise Stale from unclear
        else:
            connection.commit()
        tx.committed()
        return result

    def _write(self, connection: Connection, written: Plan, seen: Seen, uid: str, home: str = "") -> None:
        """Write a plan into the spreadsheet, and note in the mirror what it has made of it. `home` is the spreadsheet
        that it belongs to from now on, '' for the one that it belonged to."""
        numbers, roster = mirror.numbers(connection), fact(connection, ROSTER)
        home = home or seen.state.home or self.service.spreadsheet
        done = self._push.commit(written, seen, uid, numbers, roster, home)
        with _noted():
            self._note(connection, numbers, *done)

    def _read_next_time(self, connection: Connection, applied: Applied) -> None:
        """Let what was saved be read, as the mirror does not hold it. Raises Cancelled where somebody has interrupted
        the program meanwhile (Ctrl-C)."""
        with self._saved_before():
            connection.rollback()
            self._fall_behind(connection)
        if isinstance(applied.error, KeyboardInterrupt):
            raise Cancelled("Interrupted, but only once it was saved.") from applied.error
        if isinstance(applied.error, DBAPIError):
            explained = self._dialect.explain(applied.error.orig or applied.error)
            self._unnoted = explained.what if isinstance(explained, StoreError) else str(applied.error)

    @contextmanager
    def _saved_before(self) -> Iterator[None]:
        """Pass over errors once the change is saved: the next look finds them again, and they are no failure of it."""
        try:
            yield
        except (DBAPIError, StoreError):
            pass
        except KeyboardInterrupt as error:
            raise Cancelled("Interrupted, but only once it was saved.") from error

    def _fall_behind(self, connection: Connection) -> None:
        """Note that the spreadsheet has to be read at the next look."""
        if not self._enter_soon(connection):
            return
        _, at = mirror.checked(connection)
        mirror.set_checked(connection, mirror.BEHIND, at)
        connection.commit()

    def _note(
        self, connection: Connection, numbers: Mapping[str, int], commit: Commit, state: State, placed: Placed
    ) -> None:
        """Note in the mirror what a commit has made of the spreadsheet."""
        written: dict[type[Record], list[int]] = {}
        for kind in commit.plan.kinds:
            updates = [update for update in commit.plan.updates if update.kind is kind and update.id]
            rows = [(update.id, update.row, update.new_row) for update in updates]
            noted = [(record_id, row, mirror.in_json(cells)) for record_id, row, cells in rows]
            mirror.put_rows(connection, kind, noted, keeps_quiet=True)
            deleted = [deletion for deletion in commit.plan.deletes if deletion.kind is kind]
            mirror.drop_rows(connection, kind, [row.id for row in deleted])
            if not commit.plan.empties:
                mirror.close_up(connection, kind, [row.row for row in deleted])
            added = [
                (record_id, placed[kind][record_id], mirror.in_json(cells))
                for record_id, _, cells in commit.plan.appends.get(kind, [])
            ]
            mirror.put_rows(connection, kind, added, keeps_quiet=True)
            written[kind] = [row for _, row, _ in (*noted, *added)]
        mirror.set_seen(connection, Seen(state, commit.places(placed)), numbers, written)

    def set_fact(self, name: str, value: str, allowed: Allowed = anybody) -> None:
        if name != COPY_OF:
            super().set_fact(name, value, allowed)
            return

        def write(connection: Connection) -> bool:
            allowed(self._seen(connection))
            self._catch_up(connection)
            self._enter(connection)
            put_fact(connection, name, value)
            self._write(connection, Plan(), mirror.must_have_seen(connection), new_id(), self.service.spreadsheet)
            connection.commit()
            return True

        self._until_done(write)

    # Looking after the store

    # Others who work in the spreadsheet may not have opened it today.
    _begins_reviewed = False

    def daily_review(self) -> None:
        # What the mirror knows suffices on most days. Without a connection statuses stay as they were last seen.
        if self._engine and self._is_review_due(self._reviewed_on):
            self.refresh()
            with self._errors_explained(), self._engine.connect() as connection:
                is_waiting = bool(mirror.waiting(connection))
            if self._offline is None and not is_waiting:
                super().daily_review()

    def fill(self, items: Iterable[tuple[str, Mapping[str, Any]]], allowed: Allowed = anybody) -> dict[str, int]:
        self.refuse_filling()
        outcome = Outcome()
        with outcome.report(), self._errors_explained(), self._engine.connect() as connection:
            self._enter(connection)
            try:
                if (begun := mirror.seen(connection)) is not None and begun.state.staging:
                    self._push.wait_for_stager(begun.state)
                    self._catch_up(connection)
                    self._enter(connection)
                allowed(self._seen(connection))
                counts = self._fill(connection, items)
                mirror.keep_series(connection, [])
                seen, last = mirror.must_have_seen(connection), mirror.last_uid(connection)
                self._write(connection, whole_plan(connection, seen), seen, new_id())
                with _noted():
                    connection.commit()
            except Applied as applied:
                self._read_next_time(connection, applied)
            except (Stale, Unclear) as error:
                connection.rollback()
                if isinstance(error, Unclear):
                    outcome.change = last
                    error.pass_on_interrupt()
                self._enter(connection)
                self._catch_up(connection)
                if not mirror.has_commit(connection, last):
                    if error.error is None:
                        # Others were first, so it cannot come any more.
                        outcome.change = None
                    raise StoreBusyError("Someone else is saving to the spreadsheet.", "Try again.") from error
            except BaseException:
                connection.rollback()
                raise
            return counts

    def restore(self, source: Path, allowed: Allowed = anybody, *, accounts: bool = False) -> Restored:
        """Replace the records by those of a backup, as one change that is in the history and can be undone."""
        with self._mirror_file.backups.checked_copy(source) as copy:
            kept = self.backup(allowed=allowed)
            backup = SqlRepository(f"sqlite:///{copy}", Sqlite(copy), now=lambda: self.clock.now)
            try:
                try:
                    backup.fact("schema_version")
                except StoreDamagedError as error:
                    raise not_as_it_says(source) from error
                with backup.read() as snapshot:

                    def change(tx: SqlTransaction) -> int:
                        allowed(tx)
                        return put_back(tx, snapshot, self._seals, accounts=accounts)

                    closed = self.transact(change, f"restored {source.name}")
            finally:
                backup.close()
            self.set_fact(REVIEWED, "")
            self._reviewed_on = ""
            with self._errors_explained(), self._engine.connect() as connection:
                if self._enter_soon(connection):
                    mirror.set_lost(connection, "")
                    connection.commit()
            return Restored(kept, closed)

    def backup(self, to: Path | None = None, allowed: Allowed = anybody) -> Path:
        self.refresh()
        return super().backup(to, allowed)

    def put_back_columns(self, *, is_older: bool = False) -> Mapping[type[Record], Sequence[str]]:
        """Put columns back that were deleted by hand, with what the mirror holds; their fields, by tab. One that this
        machine has never seen stays away, as to others an empty one would be an edit of each of its cells; but not
        where the spreadsheet `is_older`: it may not have had them."""
        put_back: Mapping[type[Record], Sequence[str]] = {}

        def write(connection: Connection) -> bool:
            nonlocal put_back
            self._catch_up(connection)
            self._enter(connection)
            seen = mirror.must_have_seen(connection)
            if missing := column_restore.missing(seen, {} if is_older else mirror.blind(connection)):
                put_back = put_back or missing
                if places := self._renamed(connection, seen, missing):
                    # The columns are there under other headings; others may be gone as well.
                    self._write(connection, column_restore.renaming(places), seen, new_id())
                    connection.commit()
                    self._fall_behind(connection)
                    return not any(set(names) - set(places.get(kind, {}).values()) for kind, names in missing.items())
                self._write(connection, column_restore.restoring(connection, seen, missing), seen, new_id())
                connection.commit()
                # Problems of headings are found again when they are read.
                self._fall_behind(connection)
            return True

        self._until_done(write)
        return put_back

    def unknown_columns(self) -> Mapping[type[Record], Sequence[str]]:
        """The fields whose column was deleted by hand and never seen by this machine, by tab."""
        with self._errors_explained(), self._engine.connect() as connection:
            seen, blind = mirror.must_have_seen(connection), mirror.blind(connection)
            known = column_restore.missing(seen, blind)
            gone = column_restore.missing(seen, {})
        columns = {kind: [name for name in names if name not in known.get(kind, ())] for kind, names in gone.items()}
        return {kind: names for kind, names in columns.items() if names}

    def _renamed(
        self, connection: Connection, seen: Seen, missing: Mapping[type[Record], Sequence[str]]
    ) -> dict[type[Record], dict[int, str]]:
        """The columns that somebody has given another heading, by tab and place."""
        kinds = list(missing)
        tabs = self.service.values([TABS[kind].rows() for kind in kinds])
        places = {
            kind: column_restore.renamed(connection, seen, kind, missing[kind], tab.rows)
            for kind, tab in zip(kinds, tabs, strict=True)
        }
        return {kind: columns for kind, columns in places.items() if columns}

    def _until_done(self, write: Callable[[Connection], bool]) -> None:
        """Try to write until it is done, as `write` says, and nobody else came in between."""
        started, tries, outcome = time.monotonic(), 0, Outcome(can_be_repeated=True)
        with outcome.report():
            while True:
                with self._errors_explained(), self._engine.connect() as connection:
                    self._enter(connection)
                    try:
                        is_done = write(connection)
                    except Stale:
                        is_done = False
                    except (Unclear, Applied) as ending:
                        outcome.change, is_done = "", False
                        ending.pass_on_interrupt()
                    finally:
                        connection.rollback()
                if is_done:
                    return
                tries += 1
                self._wait_for_others(tries, time.monotonic() - started)

    def damage_by_hand(self) -> Sequence[str]:
        """The repairs that `repair` would make to tabs damaged by hand, in sentences, with warnings; none where they
        can be read. Raises RefusedError where only a machine can repair them that has read the spreadsheet."""
        with self._errors_explained():
            if not self._is_damaged():
                return []
            with self._engine.connect() as connection:
                damage = self._damage(connection)
                return [*damage.words, *damage.warnings]

    def repair(self) -> Sequence[str]:
        """Put tabs and headings back that were damaged by hand, from what this machine knows of them; the repairs, in
        sentences."""
        outcome = Outcome(can_be_repeated=True)
        with outcome.report():
            return self._repaired(outcome)

    def _repaired(self, outcome: Outcome) -> Sequence[str]:
        words: Sequence[str] = []
        for _ in range(_MOST_REPAIRS):
            with self._errors_explained(), self._engine.connect() as connection:
                is_damaged = self._is_damaged()
                if not is_damaged and not words:
                    return words
                self._push.wait_while_somebody_stages()
                self._enter(connection)
                try:
                    damage = self._damage(connection)
                    if not is_damaged and not damage.repairs:
                        return words
                    words = words or damage.words
                    if damage.needs_full_read or damage.unknown:
                        if damage.needs_full_read:
                            mirror.forget_end(connection)
                        mirror.set_not_put_back(
                            connection, {kind.kind_name: ids for kind, ids in damage.unknown.items()}
                        )
                        connection.commit()
                    try:
                        with suppress(Rejected, NoAnswer):
                            # Somebody else may be doing it; what is there then is looked at again.
                            damage.repair()
                    finally:
                        outcome.change = "" if damage.may_be_written else outcome.change
                finally:
                    connection.rollback()
        raise StoreError("The spreadsheet could not be repaired: someone is changing it right now.", "Try again.")

    def _is_damaged(self) -> bool:
        """Return whether the spreadsheet cannot be read because of what was done to it by hand."""
        self._look_at_sheet()
        try:
            self.refresh()
        except (StoreDamagedError, StoreNotSetUpError):
            return True
        return self._offline is not None and isinstance(self._offline[0], TabDamagedError)

    def _damage(self, connection: Connection) -> Damage:
        """The damage to the spreadsheet. Raises RefusedError where only a machine can repair it that has read it."""
        if (seen := mirror.seen(connection)) is not None:
            return Damage(self.service, connection, seen)
        with suppress(StoreDamagedError, StoreNotSetUpError):
            damage = Damage(self.service, connection, reading.seen_now(self.service))
            if damage.is_repaired_by_itself:
                return damage
        raise RefusedError(
            "This computer has never read this spreadsheet, and does not know what was in it. Repair it on one that"
            " has, or put an older version of it back (File, Version history)."
        )

    def known_clients(self) -> int:
        """The number of clients of the spreadsheet that this machine knows, whatever is in it now."""
        with self._errors_explained(), self._engine.connect() as connection:
            return 0 if mirror.seen(connection) is None else mirror.count_rows(connection, Client)

    def held(self, allowed: Allowed = anybody) -> Held:
        self._look_at_sheet()
        with self.read() as snapshot:
            allowed(snapshot)
        with self._errors_explained(), self._engine.connect() as connection:
            return held_edits.held_of(connection)

    def settle(self, *, take_over: bool, allowed: Allowed = anybody) -> None:
        def write(connection: Connection) -> bool:
            allowed(self._seen(connection))
            self._catch_up(connection, take_over=take_over)
            if not take_over:
                self._put_back_rows(connection)
            return not take_over or mirror.checked(connection)[0] != mirror.BEHIND

        self._until_done(write)

    def accept_loss(self, lost: str, allowed: Allowed = anybody) -> None:
        with self._errors_explained(), self._engine.connect() as connection:
            self._enter(connection)
            allowed(self._seen(connection))
            if mirror.lost(connection) not in ("", lost):
                raise RefusedError(
                    "Other changes were lost in the meantime. The notice stays. Run `sheets repair` to see which ones."
                )
            mirror.set_lost(connection, "")
            connection.commit()

    def _put_back_rows(self, connection: Connection) -> None:
        """Restore deleted rows, emptied columns, and overwritten cells of the program; change no record."""
        self._enter(connection)
        held, ids = mirror.held(connection), dict(held_edits.overwritten(connection))
        for name, gone in held.items():
            kind = BY_NAME[name]
            unknown = set(gone) - some_records(connection, kind, gone).keys()
            if unknown:
                raise RefusedError(
                    f"This computer has never seen {len(unknown)} of these {kind.plural}, and cannot put them back. Do"
                    " it on one that has, or put an older version of the spreadsheet back (File, Version history)."
                )
            mirror.drop_rows(connection, kind, gone)
            ids[kind] = [*ids.get(kind, ()), *gone]
        for name, fields in (emptied := mirror.emptied(connection)).items():
            ids[BY_NAME[name]] = sorted({*ids.get(BY_NAME[name], ()), *chain.from_iterable(fields.values())})
        if ids:
            seen, clock = mirror.must_have_seen(connection), self.clock.stopped()
            tx = SqlTransaction(connection, self._dialect, clock, user=self.user, what="put back in the spreadsheet")
            self._write(connection, plan_rows(connection, ids, tx.number, seen, emptied), seen, tx.uid)
            for kind, numbers in ids.items():
                problems.forget_columns(connection, kind, numbers, programs_own(kind))
        mirror.set_held(connection, {})
        mirror.set_emptied(connection, {})
        connection.commit()
        self._fall_behind(connection)

    def forget_history(self, before: int, what: str, allowed: Allowed = anybody) -> int:
        """Take history away in portions, each a transaction: what is removed is kept until the next commits have
        succeeded."""
        with self._unfinished.until_reported(), self._reporting(outcome := Outcome()):
            return self._history_forgotten(before, what, allowed, outcome)

    def _history_forgotten(self, before: int, what: str, allowed: Allowed, outcome: Outcome) -> int:
        count, last = 0, 0
        while cut := self._oldest_rows(before):
            end, portion = cut
            # Nobody else takes rows away meanwhile: those at the top are the ones that were read.
            if portion <= last:
                break
            last = portion

            def change(tx: SqlTransaction, end: int = end, portion: int = portion) -> int:
                allowed(tx)
                number = tx.forget_history(portion)
                if not number:
                    raise RefusedError("Someone else has just shortened the history. Try again.")
                tx.cut_history = 1, end
                return number

            count += self._until_saved(change, what, outcome)
            outcome.change = None
            outcome.kept = (
                f"The oldest changes of the history ({count}) were moved to the file before. The others are still"
                " in the history. To move them too, run `history archive` again with another file."
            )
            with self._errors_explained(), self._engine.connect() as connection:
                self._fall_behind(connection)
        return count

    def _oldest_rows(self, before: int, most: int | None = None) -> tuple[int, int] | None:
        """The first row of the history that stays, and the number of its transaction, so that about as many rows are
        removed as one request holds; None where none is left to remove."""
        most = most or _CUT_ROWS
        self.refresh()
        with self._errors_explained(), self._engine.connect() as connection:
            height = mirror.must_have_seen(connection).places[HISTORY.title].rows
        with self._errors_explained():
            (column,) = self.service.values([HISTORY.first_column(1, min(height, most + 1))])
        numbers = [number_of(row[0]) if row else None for row in column.rows]
        for at, number in enumerate(numbers, start=1):
            if number is not None and number >= before:
                return (at, before) if at > 1 else None
        if len(numbers) < most:
            return (len(numbers) + 1, before) if numbers else None
        # The last of them may go on below.
        first, last = numbers.index(numbers[-1]) + 1, numbers[-1]
        return (first, last) if first > 1 and last is not None else self._oldest_rows(before, 2 * most)

    def prove(self, allowed: Allowed = anybody) -> Iterator[Proof]:
        from crm.repository.sheets.live_check import LiveCheck

        with self.read() as snapshot:
            allowed(snapshot)
        check = LiveCheck(self.service)
        yield from check.proofs()
        check.note(self.clock.today)

    def check(self, allowed: Allowed = anybody) -> Iterator[Finding]:
        self._look_at_sheet()
        yield from super().check(allowed)
        with self._errors_explained(), self._shown().connect() as connection:
            yield from problems.problems(connection)
        self._note_lost_reported()
        yield from self._grids()
        if self._offline is not None and isinstance(self._offline[0], TabDamagedError):
            yield Finding(self._offline[0].sentence, True)

    def _note_lost_reported(self) -> None:
        with self._errors_explained(), self._engine.connect() as connection:
            if mirror.lost_unreported(connection) and self._enter_soon(connection):
                mirror.set_lost_reported(connection)
                connection.commit()

    def _grids(self) -> Iterator[Finding]:
        """Findings about the size of the spreadsheet and merged cells; none without a connection."""
        with suppress(StoreOfflineError, StoreBusyError, StoreAccessError, Rejected):
            sheets = capacity.described(self.service)
            yield from capacity.merged_cells(sheets)
            with self._errors_explained(), self._engine.connect() as connection:
                if self._enter_soon(connection):
                    mirror.set_other_cells(connection, capacity.other_cells(sheets))
                    connection.commit()
                if full := _fullness(connection):
                    yield Finding(full, False)

    def _look_at_sheet(self) -> None:
        """Let the next look be one at the spreadsheet itself, whatever Drive says of it."""
        if self._offline is not None and isinstance(self._offline[0], TabDamagedError):
            # It may have been repaired since.
            self._offline = None
        with self._errors_explained(), self._engine.connect() as connection:
            self._fall_behind(connection)

    def is_empty(self) -> bool:
        self.refresh()
        return super().is_empty()

    def is_untouched(self) -> bool:
        self.refresh()
        return super().is_untouched()

    def close(self) -> None:
        super().close()
        self._preview.close()
        self.service.close()


def _moment(by: Conventions, at: float) -> str:
    """A moment in seconds since 1970, as people read it."""
    moment = datetime.fromtimestamp(at, UTC)
    return by.time_of(moment) + ("" if by.clock.day_of(moment) == by.today else f" on {by.day_of(moment)}")


def _fullness(connection: Connection) -> str:
    """A notice where the spreadsheet is nearly full, else ''."""
    seen = mirror.seen(connection)
    if seen is None:
        return ""
    cells = capacity.own_cells(seen) + mirror.other_cells(connection)
    return capacity.notice(cells, serialises=mirror.is_serialised(connection))


@contextmanager
def _noted() -> Iterator[None]:
    """Note in the mirror what is in the spreadsheet by now: where that fails, it is there all the same."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        raise Applied(error) from error


def _state(connection: Connection) -> State:
    """The state of the spreadsheet as it was last seen."""
    return mirror.must_have_seen(connection).state


def _follows(now: State, before: State) -> bool:
    """Return whether a state can have come after another one."""
    return now.revision > before.revision or (now.revision, now.uid) == (before.revision, before.uid)
