"""Updates of the mirror with what was read of the spreadsheet.

Writes of the program are known from the history, and accepted. All other differences from the mirror are edits by hand:
they are left for `hand_edits` to check, and the mirror keeps its values.
"""

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.exc import IntegrityError

from crm.clock import Clock
from crm.errors import FileError
from crm.model import (
    BY_NAME,
    LASTING,
    RECORDS,
    Client,
    Conventions,
    Deal,
    Invoice,
    NumberSeries,
    Record,
    Setting,
    User,
    fields,
)
from crm.model.encoding import plain, value_of
from crm.model.rights import SEALED
from crm.repository import sums, tables
from crm.repository.dialect import Dialect
from crm.repository.sheets.google.answered_rows import Rows, digest_of
from crm.repository.sheets.grid.cells import READERS, cell_of, number_of
from crm.repository.sheets.grid.layout import HISTORY, OWN, Cell, alike, columns, heading
from crm.repository.sheets.mirror import mirror
from crm.repository.sheets.mirror.history_tab import Entries
from crm.repository.sheets.mirror.loading import Loading, leave_out_orphans, records, refuse_lost_links, some_records
from crm.repository.sheets.mirror.mirror import Quiet, Seen
from crm.repository.sheets.mirror.validation import SettingCheck
from crm.repository.sheets.pull.delta import (
    Contents,
    Done,
    StaleHistory,
    by_record,
    enter,
    history_end,
    refuse_damaged,
    unseen,
)
from crm.repository.sheets.pull.number_formats import Asked, Strange, unconfirmed
from crm.repository.sheets.pull.tab_diff import HandEdits, TabIntake
from crm.repository.spend import counts_invoices

__all__ = ["Contents", "HandEdits", "StaleHistory", "all_needed", "conventions", "take"]

# The settings say how to read what people typed, and the accounts who is meant by a name, so they come first; sales
# come after the clients they name.
_FIRST: tuple[type[Record], ...] = (Setting, User)
_ORDER: tuple[type[Record], ...] = (*_FIRST, *(kind for kind in RECORDS if kind not in _FIRST))


def conventions(connection: Connection, clock: Clock) -> Conventions:
    """The conventions of the team, to read what people typed into the sheet."""
    settings = (record for record in records(connection, Setting).values() if isinstance(record, Setting))
    known = {setting.key: setting.value for setting in settings if setting.key in ("language", "currency", "country")}
    return Conventions(clock=clock.stopped(), **{key: value for key, value in known.items() if value})


def take(
    connection: Connection,
    dialect: Dialect,
    contents: Contents,
    clock: Clock,
    check_setting: SettingCheck = lambda *_: None,
    strange: Strange | None = None,
    strange_among: Callable[[Asked], Strange] = lambda _: {},
) -> HandEdits:
    """Bring the mirror up to date. Raises StaleHistory, and StoreDamagedError where a tab cannot be read. `strange` are
    the cells for amounts that hold something else; `strange_among` asks which ones do among others."""
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    try:
        return _Intake(connection, dialect, contents, clock, check_setting, strange or {}, strange_among).take()
    except IntegrityError as error:
        # What the mirror had taken for the last good value is in the way of what somebody else wrote.
        if contents.everything:
            raise
        raise StaleHistory from error


@contextmanager
def all_needed() -> Iterator[None]:
    """Look for no garbage: hundreds of thousands of cells are held at once, and to go through them all again and
    again takes as long as the rest."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Intake:
    """One look's worth of contents on its way into the mirror."""

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect,
        contents: Contents,
        clock: Clock,
        check_setting: SettingCheck,
        strange: Strange,
        strange_among: Callable[[Asked], Strange],
    ) -> None:
        self.connection = connection
        self.dialect = dialect
        self.contents = contents
        self.clock = clock
        self.check_setting = check_setting
        self.strange = strange
        self.strange_among = strange_among
        self.good: Mapping[type[Record], Mapping[int, Record]] = {}
        # The tabs that were compared, as they were read.
        self._taken: dict[type[Record], Quiet] = {}

    def take(self) -> HandEdits:
        before = last_seen = mirror.seen(self.connection)
        refuse_damaged(self.contents, before)
        if before is not None and self.contents.everything:
            # What cannot be read keeps the value that it had.
            self.good = {kind: records(self.connection, kind) for kind in RECORDS}
            entries = unseen(self.contents, None)
            self._complete_deletions(entries)
            self._note_lost(before, entries)
            _forget_everything(self.connection)
            before = None
        else:
            entries = unseen(self.contents, before)
            if before is not None:
                self._complete_deletions(entries)
        edits = HandEdits()
        self._take_tabs(before, entries, edits)
        indexes = [] if before is not None else self._drop_indexes([tables.audit])
        enter(self.connection, entries)
        self._make_indexes(indexes)
        torn = [] if self.contents.everything else mirror.torn(self.connection)
        mirror.set_torn(self.connection, [*torn, *entries.torn])
        places = self.contents.places
        mirror.set_moved(self.connection, self.contents.moved)
        places[HISTORY.title].heading = [history_end(self.contents, self.contents.state.history_rows)]
        mirror.set_seen(self.connection, Seen(self.contents.state, places))
        self._end_lost()
        self._note_not_put_back(edits, last_seen)
        self._note_quiet(edits)
        edits.generation = mirror.generation(self.connection)
        return edits

    def _complete_deletions(self, entries: Entries) -> None:
        """Give what this machine knows of deleted records to the entries of their deletions where a machine has written
        these that had never seen the records: so they can be undone here."""
        lacking = [entry for entry in entries.audit if entry.operation == "delete" and not entry.before]
        ids: dict[type[Record], list[int]] = {}
        for entry in lacking:
            if (kind := BY_NAME.get(entry.record)) is not None and kind not in SEALED:
                ids.setdefault(kind, []).extend(entry.ids)
        if not ids:
            return
        known = {
            (kind.kind_name, record_id): plain(record)
            for kind, numbers in ids.items()
            for record_id, record in some_records(self.connection, kind, numbers).items()
        }
        place = tables.audit.c
        noted = select(place.transaction, place.record, place.record_id, place.before).where(
            place.operation == "delete", place.before.is_not(None), place.record.in_([kind.kind_name for kind in ids])
        )
        earlier = {tuple(row[:3]): row.before for row in self.connection.execute(noted)}
        for entry in entries.audit:
            if not entry.ids:
                # Somebody has typed it.
                continue
            about = entry.record, entry.ids[0]
            if entry.operation == "update" and about in known:
                known[about] |= entry.fields_after
            elif entry.operation == "delete" and not entry.before:
                before = earlier.get((entry.transaction, *about)) or known.get(about)
                entry.before = mirror.in_json(before) if before else ""

    def _take_tabs(self, before: Seen | None, entries: Entries, edits: HandEdits) -> None:
        program = by_record(entries)
        typed_over: Mapping[type[Record], Collection[int]] = {}
        if before is None:
            doubted, typed_over = unconfirmed(self.contents, program)
            self.strange = {**self.strange, **(self.strange_among(doubted) if doubted else {})}
        totals_open = mirror.is_unproven(self.connection)
        blind = {} if before is None else mirror.blind(self.connection)
        by = conventions(self.connection, self.clock)
        whole = [tables.TABLES[kind] for kind in RECORDS]
        indexes = [] if before is not None else self._drop_indexes([*whole, mirror.sheet_row])
        for kind in _ORDER:
            if before is not None and kind in self.contents.unchanged and not program.get(kind):
                continue
            strange = {(at, name): what for (of, at, name), what in self.strange.items() if of is kind}
            if strange:
                strange = _without_corrections(strange, kind, self.contents.tabs[kind], program.get(kind, {}))
            good = self.good.get(kind, {})
            last = self.contents.state.last.get(tables.TABLES[User].name, 0)
            loading = Loading(self.connection, self.dialect, kind, by, self.check_setting, good, strange, last)
            loading.typed_over = typed_over.get(kind, ())
            loading.kinds_of = partial(self._kinds_of, kind)
            loading.last_value = partial(_last_value, kind, program.get(kind, {}))
            loading.last_values = partial(_last_values, kind, program.get(kind, {}))
            loading.tells_doubts = partial(_tells_doubts, program.get(kind, {}), before is None)
            loading.tells_zeros = partial(_tells_zeros, program.get(kind, {}), before is None)
            tab = self._compared(loading, program.get(kind, {}), edits, fresh=before is None)
            if not set(tab.head.missing).issuperset(blind.get(kind.kind_name, ())):
                # A column is back that this mirror has never seen: none of it is news.
                raise StaleHistory
            if before is None:
                blind[kind.kind_name] = tab.head.missing
            tab.take()
            if kind is Setting:
                by = conventions(self.connection, self.clock)
            totals_open |= tab.totals_open
        self._make_indexes(indexes)
        mirror.set_blind(self.connection, blind)
        if before is None or any(
            done.operation == "delete" for kind in (Client, Deal) for done in program.get(kind, {}).values()
        ):
            leave_out_orphans(self.connection)
        for kind in RECORDS if before is None else ():
            last_value = partial(_last_value, kind, program.get(kind, {}))
            refuse_lost_links(self.connection, kind, self.contents.state.last, last_value)
        if totals_open:
            proven = True
            for kind in sums.SUMMED:
                last = self.contents.state.last.get(kind.kind_name, 0)
                numbers, is_all = _unsettled(self.connection, kind, last)
                edits.unsettled |= {kind: numbers} if numbers else {}
                proven = proven and is_all and not numbers
            mirror.set_unproven(self.connection, not proven)

    def _kinds_of(self, kind: type[Record], rows: Mapping[str, Sequence[int]]) -> Mapping[tuple[int, str], str]:
        """The cells in some rows of a tab, by field, that hold something else: in words, by row and field."""
        head = heading(kind, self.contents.places[kind.kind_name].heading)
        asked = {(kind, head.place(name) or 0, name): places for name, places in rows.items()}
        return {(at, name): what for (_, at, name), what in self.strange_among(asked).items()}

    def _compared(self, loading: Loading, program: Mapping[int, Done], edits: HandEdits, *, fresh: bool) -> TabIntake:
        """A tab beside what the mirror knows of it: the part that may have changed, if that is known."""
        kind, state = loading.kind, self.contents.state
        rows, place = self.contents.tabs.pop(kind), self.contents.places[kind.kind_name]
        part = None if fresh or kind in SEALED else self.contents.parts.get(kind)
        tab = TabIntake(loading, rows, place, state, program, edits, part, fresh=fresh)
        if part is not None and not tab.fits:
            part = None
            tab = TabIntake(loading, rows, place, state, program, edits, fresh=fresh)
        portions = part.portions if part else rows.portions if isinstance(rows, Rows) else ()
        self._taken[kind] = Quiet(digest_of(rows), place.used, place.heading, portions)
        return tab

    def _drop_indexes(self, emptied: Iterable[Table]) -> list[str]:
        """Drop the indexes of tables that are being filled: to make them at the end takes a fraction of the time."""
        statements: list[str] = []
        for table in emptied:
            unique = {str(index.name) for index in table.indexes if index.unique}
            statements += self.dialect.drop_indexes(self.connection, table, unique)
        return statements

    def _make_indexes(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self.connection.exec_driver_sql(statement)

    def _note_not_put_back(self, edits: HandEdits, before: Seen | None) -> None:
        """Note which of the records whose rows were deleted nobody may have deleted: since this machine has read the
        spreadsheet, one that did not know them has repaired it."""
        noted = mirror.not_put_back(self.connection)
        gone: dict[str, list[int]] = {}
        for kind, record_id in edits.deleted:
            if kind not in SEALED:
                gone.setdefault(kind.kind_name, []).append(record_id)
        if not gone or not self._was_repaired(before):
            gone = {name: [one for one in ids if one in noted.get(name, ())] for name, ids in gone.items()}
        if (lost := {name: ids for name, ids in gone.items() if ids}) != noted:
            mirror.set_not_put_back(self.connection, lost)

    def _was_repaired(self, before: Seen | None) -> bool:
        """Return whether somebody has repaired the spreadsheet since."""
        return self.contents.lacks_commits(before.state if before else None)

    def _note_quiet(self, edits: HandEdits) -> None:
        """Note the tabs in which nothing is left to find: as long as they stay so, their rows need not be compared.
        Accounts are looked at each time, and nothing becomes quiet while somebody is writing."""
        wrong = mirror.kinds_with_problems(self.connection)
        for kind, tab in self._taken.items():
            mirror.forget_quiet(self.connection, kind)
            if self.contents.state.staging or kind in SEALED or kind.kind_name in wrong or not tab.digest:
                continue
            if kind not in edits.kinds:
                mirror.set_quiet(self.connection, kind, tab)
            elif tab.portions and (places := edits.places(kind)):
                mirror.set_quiet(self.connection, kind, tab.without(places))

    def _note_lost(self, before: Seen, entries: Entries) -> None:
        """Keep what this machine knew, and say so, where the spreadsheet does not hold its last changes any more: an
        older version was restored, or a machine that had not seen them has repaired it."""
        text = ""
        if lost := self._lost(before, entries):
            copy = self.dialect.backups.dated(f"{self.clock.now:%Y-%m-%d-%H%M%S}")
            self.dialect.backups.backup(self.connection.engine, copy)
            happened = "An older version of the spreadsheet was put back"
            if self.contents.state.revision >= before.state.revision:
                happened += ", a computer repaired it that had not seen all changes, or its last history was deleted"
            missing = f"{len(lost)} changes, from number {lost[0]} on, are" if lost[1:] else f"change {lost[0]} is"
            text = (
                f"{happened}: {missing} not in it any more. What this computer knew before is in {copy}. `restore` puts"
                " it back, and deletes everything saved since."
            )
            if issued := self._issued(lost):
                text += f" Invoices that were issued in them: {', '.join(issued)}. Do not give these numbers to others."
            mirror.keep_series(self.connection, self._series())
        if text:
            mirror.set_lost(self.connection, text, self._about(lost))

    def _about(self, changes: Sequence[int]) -> list[tuple[str, int, int | None]]:
        """The records that lost changes were about, as `mirror.lost_records` has them."""
        place = tables.audit.c
        about = select(place.record, place.record_id).where(place.transaction >= changes[0]).distinct()
        named = [(BY_NAME[name], record_id) for name, record_id in self.connection.execute(about) if name in BY_NAME]
        return [
            (kind.kind_name, record_id, _mark(self.good[kind].get(record_id)))
            for kind, record_id in named
            if kind not in (*SEALED, *LASTING)
        ]

    def _end_lost(self) -> None:
        """Forget that changes were lost once all that they were about is as it was: somebody has restored it."""
        about = mirror.lost_records(self.connection)
        for kind in {BY_NAME[name] for name, _, _ in about}:
            marks = {record_id: mark for name, record_id, mark in about if name == kind.kind_name}
            now = some_records(self.connection, kind, list(marks))
            if any(_mark(now.get(record_id)) != mark for record_id, mark in marks.items()):
                return
        if about:
            mirror.set_lost(self.connection, "")

    def _lost(self, before: Seen, entries: Entries) -> list[int]:
        """The changes that this machine knew, by number, and that are not in the history any more: the last one is
        among them, or the spreadsheet was repaired without all of them. What is missing at the beginning was moved to
        a file, what else is missing in between was deleted."""
        kept = {(head["id"], head["at"]) for head in entries.transactions}
        first = min((number for number, _ in kept), default=0)
        table = tables.transactions
        known = list(self.connection.execute(select(table.c.id, table.c.at).order_by(table.c.id)))
        lost = [number for number, at in known if number >= first and (number, at) not in kept]
        # Rows that cannot be read are named one by one.
        is_last = bool(lost) and lost[-1] == known[-1].id
        return lost if lost and (is_last or self._was_repaired(before)) and len(entries.torn) < len(lost) else []

    def _issued(self, changes: Sequence[int]) -> list[str]:
        """The numbers of the issued invoices that some changes were about."""
        place = tables.audit.c
        about = select(place.record_id).where(place.record == Invoice.kind_name, place.transaction >= changes[0])
        ids = set(self.connection.execute(about).scalars())
        invoices = [record for record in self.good[Invoice].values() if isinstance(record, Invoice)]
        return [invoice.number for invoice in invoices if invoice.id in ids and invoice.state == "issued"]

    def _series(self) -> list[dict[str, Any]]:
        """The numbers of invoices that this machine knows to be given out."""
        records = self.good[NumberSeries].values()
        series = [record for record in records if isinstance(record, NumberSeries) and record.last]
        return [{name: getattr(record, name) for name in ("name", "pattern", "year", "last")} for record in series]


def _mark(record: Record | None) -> int | None:
    """A mark of what a record holds, but for its times and version; None where there is none."""
    if record is None:
        return None
    values = {name: getattr(record, name) for name in fields(type(record))}
    return crc32(repr(values).encode())


def _without_corrections(
    strange: Mapping[tuple[int, str], str],
    kind: type[Record],
    rows: Sequence[Sequence[Cell]],
    program: Mapping[int, Done],
) -> dict[tuple[int, str], str]:
    """The cells among these which do not hold what the program has written into them, whatever they look like."""
    positions = heading(kind, rows[0]).positions

    def is_ours(at: int, name: str) -> bool:
        record_id = number_of(rows[at][positions["id"]]) if positions["id"] < len(rows[at]) else None
        value = _last_value(kind, program, record_id, name) if record_id else None
        return value is not None and alike(rows[at][positions[name]], cell_of(value))

    return {(at, name): what for (at, name), what in strange.items() if not is_ours(at, name)}


def _last_value(kind: type[Record], program: Mapping[int, Done], record_id: int, name: str) -> Any:
    """The value that the program wrote last into a field of a record; None where that is not known."""
    return _last_values(kind, program, record_id, [name]).get(name)


def _last_values(
    kind: type[Record], program: Mapping[int, Done], record_id: int, names: Sequence[str]
) -> Mapping[str, Any]:
    """The values that the program wrote last into some fields of a record, as far as they are known."""
    done = program.get(record_id)
    values: dict[str, Any] = {}
    if done is None:
        return values
    after = done.after if done.updates else {}
    for name in names:
        if name not in fields(kind) or fields(kind)[name].by == "accounts":
            continue
        with suppress(FileError, ValueError, TypeError, ArithmeticError):
            if name in after:
                values[name] = value_of(kind, name, after[name])
            elif (cell := done.created_with(record_id, name)) is not None:
                values[name] = cell if name == OWN else READERS[kind][columns(kind).index(name)](cell)
    return values


def _tells_doubts(program: Mapping[int, Done], is_whole: bool, record_id: int, name: str) -> bool:
    """Return whether the history has the value of a field if it is one that no person may type. Where it is not whole,
    only new records can have such values."""
    done = program.get(record_id)
    if done is None:
        return not is_whole
    return name in done.after or (done.created is not None and done.created.tells_doubts)


def _tells_zeros(program: Mapping[int, Done], is_whole: bool, record_id: int, name: str) -> bool:
    """The same for a number with zeros in front."""
    done = program.get(record_id)
    if done is None:
        return not is_whole
    return name in done.after or (done.created is not None and done.created.tells_zeros)


def _forget_everything(connection: Connection) -> None:
    for kind in reversed(RECORDS):
        connection.execute(delete(tables.TABLES[kind]))
    for table in (tables.audit, tables.transactions, mirror.sheet_row, mirror.sheet_problem):
        connection.execute(delete(table))


def _unsettled(connection: Connection, kind: type[Record], last: int) -> tuple[list[int], bool]:
    """The records of a kind whose totals are not the sums of their facts, and whether that is all of them: a fact that
    cannot be read, or names a record that there never was (`last` is the last one), leaves it open."""
    named: set[int | None] = set()
    for totals in sums.onto(kind):
        for facts, of in totals.facts.items():
            rows = mirror.known(connection, facts, mirror.left_out(connection, facts))
            at = columns(facts).index(of[0].onto)
            named |= {number_of(row[at]) for _, row in rows.values() if row}
    if any(number is None or number > last for number in named):
        return [], False
    numbers = [row.id for row in connection.execute(sums.wrong(kind, counts_invoices(connection)))]
    return [number for number in numbers if number not in named], not named
