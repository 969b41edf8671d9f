"""The history: what was done, listed, shown whole, written to a file, and taken back."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from crm.clock import Clock
from crm.commands.context import CRM, counted
from crm.commands.data.change_details import (
    RecordChange,
    changed_back,
    changed_fields,
    net_updates,
    record_changes,
    typed_value,
)
from crm.commands.data.undo_notes import cannot_be_undone, kept_by_undo
from crm.commands.data.undo_titles import undo_title
from crm.commands.file_output import ExportReport, confirm_overwrite, ending_of
from crm.commands.list_parameters import Limit, Offset, Since, Until, in_order, most
from crm.commands.record_counts import record_words
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.config import team_defaults
from crm.errors import CRMError, FieldError, NotFoundError, RefusedError, SignedOutError, confirmation
from crm.model import BY_NAME, Client, Conventions, Dashboard, Record, SignIn, fields
from crm.model.encoding import plain
from crm.model.fields import FOREVER, Choice, Day, Line, Whole
from crm.model.paths import display_path
from crm.repository import PROGRAM, Change, HistoryEntry, HistoryQuery, Query, Snapshot, Transaction, last_undoable
from crm.repository.queries.store import settings
from crm.repository.undo import NOT_TAKEN_BACK, RESTORE_STAYS, derived_fields
from crm.wording import first_few, first_lines

KINDS = {name: kind.plural.replace("_", "-") for name, kind in BY_NAME.items()}
STATES = {"standing": "changes not undone", "undone": "changes that were undone"}
_FORMATS = (".csv", ".xlsx", ".json")
_HEADER = ("transaction", "at", "user", "what", "record", "id", "operation", "field", "before", "after")
# How many of the latest transactions are searched for what was skipped, and how many of those are named.
_LATEST = 50
# A sign-in changes so many records at most: the session and the account.
_OF_A_SIGN_IN = 2
# What is no change of the team's data: that somebody signed in, and how they have arranged their own dashboard.
_OWN_VIEW = (SignIn.kind_name, Dashboard.kind_name)
# Of so many records the answer to an undo says how they are now.
_SHOWN = 20
# The preview of an undo names so many records that are changed back.
_PREVIEWED = 3
# So many changes of a transaction are read to say what an undo does, and so many records for what it has done.
_READ = 500
# As many are counted, by what they are.
_COUNTED = 20_000
# Sums of a client in the team's currency: in another currency they are of other invoices, and nothing was paid.
_IN_TEAM_CURRENCY = frozenset(sum_.name for kind in BY_NAME.values() for sum_ in kind.about.sums if sum_.team_currency)
_NOT_CONVERTED = "Amounts are not converted. Invoices keep their own currency."
_IN_TOTALS = frozenset(("total_spend", "sales_count", "first_sale_on", "last_sale_on", "status"))

By = Annotated[str, Line(254), About("By", "who did it, or part of the name", completed_by="listed people list")]
Kind = Annotated[str, Choice(KINDS), About("About", "a kind of record, like sale")]
Number = Annotated[int | None, Whole(least=1), About("Number", "of one record; --about says of which kind")]
OfClient = Annotated[Client | None, About("Client", "a client, with everything that belongs or belonged to it")]
Text = Annotated[str, Line(200), About("Text", "part of what was done, or of a field's name or value")]
State = Annotated[str, Choice(STATES), About("Only", "standing or undone")]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A transaction that was taken back, and what it had done, as the history has it.

    `records` are those that were changed back, as they are now; `restored` and `removed` are, in words, those that are
    there again or no longer. `passed_over` is what was done since by the same person or by the program itself and
    cannot be taken back, where none was named. `left_out` is, as a sentence, what of it was not taken back; `title`
    names what was undone or redone.
    """

    undone: HistoryEntry
    changes: Sequence[Change]
    records: Sequence[RecordChange]
    passed_over: Sequence[HistoryEntry] = ()
    left_out: str = ""
    restored: str = ""
    removed: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class TransactionShown:
    """One transaction whole: `records` in the order in which it touched them, those that may be seen."""

    entry: HistoryEntry
    records: Sequence[RecordChange]

    def as_json(self) -> dict[str, Any]:
        """The transaction's own fields, and beside them what it did."""
        return {**plain(self.entry), "records": plain(self.records)}


@command("history list", title="History", menu="history", nothing="No changes found.")
def list_all(
    crm: CRM,
    limit: Limit = 0,
    offset: Offset = 0,
    since: Since = None,
    until: Until = None,
    by: By = "",
    about: Kind = "",
    number: Number = None,
    client: OfClient = None,
    text: Text = "",
    only: State = "",
    sort: Annotated[str, Line(60), About("Sort by", "id, at, user or what; put - before it to reverse")] = "",
) -> list[HistoryEntry]:
    """List changes, newest first: when, by whom, and how many records each changed.

    Days are in the team's time zone. The history of a client includes every record that belongs or belonged to it.
    """
    query = _query(crm.clock, since, until, by, about, number, client, text, only, sort)
    with crm.read() as snapshot:
        return list(snapshot.history(most(limit), offset, query))


@command("history show", title="Show a change", menu="")
def show(
    crm: CRM,
    transaction: Annotated[int, Whole(least=1), About("Transaction", "its number in the history", positional=True)],
    limit: Annotated[int, Whole(), About("Limit", "how many records at most; 0 for all")] = 0,
) -> TransactionShown:
    """Show one change in full: who made it, when, and the fields of each record before and after.

    For a record that was added it shows no fields: the record itself has them. If a change touched more records than
    can be shown, `history export --transaction` writes all of them to a file.
    """
    by = crm.conventions
    query = HistoryQuery(transaction=transaction)
    with crm.read() as snapshot:
        entry = next(iter(snapshot.history(query=query)), None)
        if entry is None:
            raise NotFoundError(f"No change {transaction} in the history. `history list` shows all.")
        changes = list(islice(snapshot.each_change(replace(query, sort="id")), most(limit)))
        return TransactionShown(entry, record_changes(snapshot, changes, by))


@command("history find", title="Find a change", menu="")
def find(
    crm: CRM, change: Annotated[str, Line(40), About("Change", "its name, as the error says it", positional=True)]
) -> HistoryEntry:
    """Find out whether a change was saved, after an error that said that it may have been.

    The error names the change (with `--json` as `change`). A request to Google may still arrive up to three minutes
    after the error: only then is a change that is not found surely not saved.
    """
    if not change.strip():
        raise FieldError("give the name that the error says", field="change", label="Change")
    with crm.read() as snapshot:
        entry = next(iter(snapshot.history(query=HistoryQuery(change=change))), None)
    if entry is None:
        raise NotFoundError(
            "This change is not in the history. If the error came less than three minutes ago, it may still arrive: ask"
            " again then, before you enter it again."
        )
    return entry


@command("history export", title="Export the history", menu="history")
def export(
    crm: CRM,
    file: Annotated[Path, About("File", "the format: .csv, .xlsx or .json", positional=True, makes=_FORMATS)],
    since: Since = None,
    until: Until = None,
    by: By = "",
    about: Kind = "",
    number: Number = None,
    client: OfClient = None,
    text: Text = "",
    only: State = "",
    transaction: Annotated[int | None, Whole(least=1), About("Transaction", "the number of one")] = None,
    yes: bool = False,
) -> ExportReport:
    """Export the history to a file, one row for each changed field, newest first; times are in UTC.

    A record that was added has one row without a field. Text that a spreadsheet would run as a formula is made
    harmless.
    """
    ending = ending_of(file, _FORMATS)
    confirm_overwrite(file, yes)
    query = _query(crm.clock, since, until, by, about, number, client, text, only, transaction=transaction)
    with crm.progress("Exporting") as progress, crm.read() as snapshot:
        return ExportReport(
            file, "changed fields", _written(file, ending, counted(snapshot.each_change(query), progress))
        )


@dataclass(frozen=True, slots=True)
class HistoryArchived:
    """History that was moved: the file that holds it, how many transactions, and the first that stays."""

    file: Path
    transactions: int
    begins_with: int


@command(
    "history archive", title="Move old history to a file", menu="history", hint="Keep the store small", roles=ONLY_ADMIN
)
def archive(
    crm: CRM,
    file: Annotated[Path, About("File", "the format: .csv, .xlsx or .json", positional=True, makes=_FORMATS)],
    until: Annotated[date, Day(of_period="last"), About("Until", "the last day that is moved")],
    yes: bool = False,
) -> HistoryArchived:
    """Move the history up to a day into a file; after that, it cannot be undone.

    The file is one that `history export` writes. This makes room in a spreadsheet that is nearly full. Records do not
    change; timelines no longer show the edits that were moved.
    """
    ending = ending_of(file, _FORMATS)
    if file.exists():
        raise RefusedError(
            f"{display_path(file)} already exists, and an older archive may be the only copy of its contents. Choose"
            " another name. Nothing was changed."
        )
    moment = crm.clock.at(until + timedelta(days=1))
    with crm.read() as snapshot:
        oldest = next(iter(snapshot.history(1, query=HistoryQuery(sort="id"))), None)
        newest = next(iter(snapshot.history(1)), None)
        later = next(iter(snapshot.history(1, query=HistoryQuery(since=moment, sort="id"))), None)
    begins_with = later.id if later else newest.id + 1 if newest else 0
    if oldest is None or newest is None or oldest.id >= begins_with:
        raise NotFoundError(f"The history has nothing from {until.isoformat()} or before.")
    if not yes:
        moved, stays = begins_with - oldest.id, newest.id + 1 - begins_with
        raise confirmation(
            f"{moved} changes, up to number {begins_with - 1}, move to {display_path(file)} and can no longer be"
            f" undone. {stays} later ones stay.",
            "Move them",
            destructive=True,
        )
    query = HistoryQuery(until=moment)
    with crm.progress("Exporting") as progress, crm.read() as snapshot:
        _written(file, ending, counted(snapshot.each_change(query), progress))
    what = f"moved the history up to {until.isoformat()} to {file.name}"
    return HistoryArchived(file, crm.repository.forget_history(begins_with, what), begins_with)


@command("history undo", title="Undo", menu="history")
def undo(
    crm: CRM,
    transaction: Annotated[
        int | None,
        Whole(least=1),
        About("Transaction", "its number in the history; your own last change if empty", positional=True),
    ] = None,
    yes: bool = False,
) -> TakenBack:
    """Undo your last change, or any change by its number: an edit, a deletion, a whole import.

    Your last change is the last one made by your account (or under your name if nobody signs in) that is not undone
    yet. If you have done something since that cannot be undone (sent a message, issued an invoice, restored a backup,
    changed accounts, or a change that later changes depend on), it asks before it undoes the older change. It skips
    what the program did itself, and names what it skipped. If later changes depend on the change you name, undo those
    first. You can undo an undo by its number. A restore is undone by restoring the backup that it made.
    """
    if transaction is None and not yes:
        _confirm_older(crm)

    # A list of the history needs no sample data.
    from crm.commands.data.demo import made_sample

    def change(tx: Transaction) -> tuple[HistoryEntry, Sequence[HistoryEntry]]:
        last = last_undoable(tx, crm.me, crm.reader.user) if transaction is None else None
        if transaction is None and last is None:
            raise NotFoundError(nothing_to_undo(crm))
        passed = passed_over(crm, tx, last)
        undone = tx.undo(transaction)
        if made_sample(crm, undone.id):
            raise NotFoundError(nothing_to_undo(crm))
        return undone, passed

    currency = crm.settings["currency"]
    entry, passed = crm.transact(change, "undid a change")
    crm.forget_settings()
    with crm.read() as snapshot:
        changes = snapshot.changes(transaction=entry.id, limit=20)
        (marked,) = snapshot.history(1, query=HistoryQuery(transaction=entry.id))
        # What the undo itself did is what is so now.
        done = HistoryQuery(transaction=marked.undone_by or 0, sort="id")
        final = net_updates(_of_first_records(snapshot.each_change(done), _READ))
        if crm.settings["currency"] != currency:
            final = _without_sums(final)
        records = record_changes(snapshot, final[:_SHOWN], crm.conventions)
        return TakenBack(
            entry,
            changes,
            records,
            passed,
            " ".join(kept_by_undo(crm, snapshot, entry)),
            _touched(snapshot, done, "create", crm.conventions),
            _touched(snapshot, done, "delete", crm.conventions),
            undo_title(snapshot, entry, crm.conventions),
        )


def _of_first_records(changes: Iterable[Change], most: int) -> Iterator[Change]:
    """All updates of the first so many records that were updated: the last one has the final values."""
    first: set[tuple[str, int]] = set()
    for change in changes:
        key = (change.record, change.record_id)
        if change.operation == "update" and (key in first or len(first) < most):
            first.add(key)
            yield change


@command("history redo", title="Redo")
def redo(crm: CRM) -> TakenBack:
    """Redo what you have just undone, if you have changed nothing since."""
    last = my_last_undo(crm)
    if last is None:
        raise NotFoundError("Nothing to redo. You can redo only right after an undo.")
    return undo(crm, last.id)


def _touched(snapshot: Snapshot, query: HistoryQuery, operation: str, by: Conventions) -> str:
    """The records that a transaction made or deleted, in words."""
    records: list[tuple[str, int]] = []
    clients: list[Change] = []
    for change in snapshot.each_change(query):
        if change.operation == operation and change.record not in NOT_TAKEN_BACK:
            records.append((change.record, change.record_id))
            if change.record == Client.kind_name and len(clients) < _SHOWN:
                clients.append(change)
    names = (record.name for record in record_changes(snapshot, clients, by))
    return record_words(records, names, by)


def my_last(crm: CRM) -> tuple[HistoryEntry, Sequence[HistoryEntry]] | None:
    """The transaction that `history undo` takes back where no number is given, and those it passes over; None where
    there is nothing."""
    from crm.commands.data.demo import made_sample

    with crm.read() as snapshot:
        last = last_undoable(snapshot, crm.me, crm.reader.user)
        if last is None or made_sample(crm, last.id):
            return None
        return last, passed_over(crm, snapshot, last)


def nothing_to_undo(crm: CRM) -> str:
    """The reason why the reader has nothing to undo, and what can be done instead after a restore."""
    with crm.read() as snapshot:
        latest = snapshot.history(_LATEST, query=HistoryQuery(undone=False))
    if latest and latest[0].is_restore:
        return f"Nothing older to undo. Last change: {latest[0].what}. {RESTORE_STAYS}"
    if any(entry.is_undo and _is_mine(crm, entry) for entry in latest):
        return "Nothing more to undo."
    if any(not _is_mine(crm, entry) for entry in latest):
        return "Nothing of yours to undo. You can undo other changes from the history."
    return "Nothing to undo yet."


def _confirm_older(crm: CRM) -> None:
    """Raise Question where the reader has done something that cannot be undone since the change that would be."""
    mine = my_last(crm)
    if mine is None:
        return
    last, passed = mine
    if not (newest := last_stays(crm, passed, numbered=True)):
        return
    lines = (
        newest,
        "",
        f"Before that: {undo_title_of(crm, last)} ({crm.conventions.time(last.at)}).",
        *undo_preview(crm, last),
        f"`history undo {last.id}` undoes this older change.",
    )
    raise confirmation("\n".join(lines), "Undo the older change")


def last_stays(crm: CRM, passed: Sequence[HistoryEntry], *, numbered: bool = False) -> str:
    """The sentence that the reader's last change, with its number where it is `numbered`, cannot be undone, from the
    transactions that an undo passes over; '' where it can."""
    own = [entry for entry in passed if _is_mine(crm, entry)]
    if not own:
        return ""
    with crm.read() as snapshot:
        stays = cannot_be_undone(snapshot, own[0])
    number = f" ({own[0].id})" if numbered else ""
    return stays or f"Your last change, {own[0].what}{number}, cannot be undone."


def can_be_undone(crm: CRM, transaction: int) -> bool:
    """Return whether an undo would take a transaction back, unless something was built on it."""
    with crm.read() as snapshot:
        return bool(snapshot.history(1, query=HistoryQuery(transaction=transaction, undoable=True)))


def undo_title_of(crm: CRM, entry: HistoryEntry) -> str:
    """The name of what an undo or a redo of a change is about, for the question."""
    with crm.read() as snapshot:
        return undo_title(snapshot, entry, crm.conventions)


def undo_preview(crm: CRM, entry: HistoryEntry) -> Sequence[str]:
    """The preview of an undo, in lines: what it will restore, remove and change back, and the totals and the status of
    the client if they change."""
    by = crm.conventions
    query = HistoryQuery(transaction=entry.id, sort="id")
    if entry.changes > _READ:
        return _preview_of_many(crm, entry, query)
    with crm.read() as snapshot:
        changes = [change for change in snapshot.each_change(query) if change.record not in NOT_TAKEN_BACK]
        removed = _touched(snapshot, query, "create", by)
        restored = _touched(snapshot, query, "delete", by)
        kept = kept_by_undo(crm, snapshot, entry)
    added = {(change.record, change.record_id) for change in changes if change.operation == "create"}
    updates = net_updates(
        change for change in changes if change.operation == "update" and (change.record, change.record_id) not in added
    )
    records = _records_after_undo(crm, entry, changes)
    foreseen = _as_foreseen(updates, records)
    changes_currency = records is not None and records.currency != by.currency
    if records and changes_currency:
        by, foreseen = replace(by, currency=records.currency), _without_sums(foreseen)
    totals = _totals_after_undo(changes, records, by)
    with crm.read() as snapshot:
        described = record_changes(snapshot, foreseen, by)
    listed = [line for record in described if (line := changed_back(record, by, but=_beside(record, totals)))]
    return [
        *(f"{word}: {names}" for word, names in (("Restores", restored), ("Removes", removed)) if names),
        *first_lines(listed, _PREVIEWED, number=by.number),
        *totals.values(),
        *([_NOT_CONVERTED] if changes_currency else []),
        *kept,
    ]


def _preview_of_many(crm: CRM, entry: HistoryEntry, query: HistoryQuery) -> Sequence[str]:
    """The preview of an undo of many changes: how many records it removes and restores, unless there are too many to
    count while somebody waits."""
    by, changed = crm.conventions, entry.changes
    if changed > _COUNTED:
        return [f"{by.number(changed)} records will be as they were before."]
    with crm.read() as snapshot:
        removed, restored = (_touched(snapshot, query, operation, by) for operation in ("create", "delete"))
        changed = sum(
            change.operation == "update" and change.record not in NOT_TAKEN_BACK
            for change in snapshot.each_change(query)
        )
    lines = [f"{word}: {names}" for word, names in (("Restores", restored), ("Removes", removed)) if names]
    are = "record will be as it was before" if changed == 1 else "records will be as they were before"
    return [*lines, *([f"{by.number(changed)} {are}."] if changed else [])]


def _without_sums(updates: Sequence[Change]) -> list[Change]:
    """Updates without the sums that differ only because they are in another currency."""
    without = []
    for update in updates:
        names = [name for name in update.after if name not in _IN_TEAM_CURRENCY or update.record != Client.kind_name]
        was, now = ({name: side.get(name) for name in names} for side in (update.before, update.after))
        without.append(replace(update, before=was, after=now))
    return [update for update in without if update.after]


def _beside(record: RecordChange, totals: Mapping[int, str]) -> Collection[str]:
    """The fields of a record that `totals` refer to."""
    return _IN_TOTALS if record.record == Client.kind_name and record.id in totals else ()


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """Records, by kind and number, as they are now and as they will be after an undo; and the team's currency then."""

    now: Mapping[tuple[str, int], Record]
    after: Mapping[tuple[str, int], Record]
    currency: str


def _records_after_undo(crm: CRM, entry: HistoryEntry, changes: Sequence[Change]) -> _Foreseen | None:
    """The records that a change updated, and its clients; None for none, or where it cannot be undone: undoing will
    say why."""
    ids: dict[str, set[int]] = {Client.kind_name: _clients_in(changes)}
    for change in changes:
        if change.operation == "update" and change.record in BY_NAME:
            ids.setdefault(change.record, set()).add(change.record_id)

    def current_records(tx: Transaction) -> Mapping[tuple[str, int], Record]:
        return {
            (name, record.id): record
            for name, numbers in ids.items()
            if numbers
            for record in tx.find_all(BY_NAME[name], Query({"id": sorted(numbers)}))
        }

    def undone(tx: Transaction) -> _Foreseen:
        now = current_records(tx)
        tx.undo(entry.id)
        tx.settle()
        stored = settings(tx)
        return _Foreseen(now, current_records(tx), (team_defaults(but=stored) | stored)["currency"])

    if not any(ids.values()):
        return None
    try:
        return crm.foresee(undone)
    except SignedOutError:
        raise
    except CRMError:
        return None


def _as_foreseen(updates: Sequence[Change], records: _Foreseen | None) -> Sequence[Change]:
    """Updates with what an undo of them will really change: totals and balances follow from what is recorded today.
    Of a record that was not foreseen, only what people enter is left."""
    foreseen: list[Change] = []
    for update in updates:
        kind, key = BY_NAME.get(update.record), (update.record, update.record_id)
        before, after = update.before, update.after
        if kind and records and key in records.now and key in records.after:
            names = [name for name in after if name in fields(kind)]
            before, after = (
                {name: plain(getattr(side[key], name)) for name in names} for side in (records.after, records.now)
            )
        elif kind:
            after = {name: value for name, value in after.items() if name not in derived_fields(kind)}
        changed = [name for name in after if before.get(name) != after[name]]
        if changed:
            was, now = ({name: values.get(name) for name in changed} for values in (before, after))
            foreseen.append(replace(update, before=was, after=now))
    return foreseen


def _clients_in(changes: Sequence[Change]) -> set[int]:
    """The numbers of the clients that a change is about; none if they are more than are named."""
    numbers = {change.record_id for change in changes if change.record == Client.kind_name}
    numbers |= {
        number for change in changes for side in (change.before, change.after) if (number := side.get("client"))
    }
    return numbers if len(numbers) <= _PREVIEWED else set()


def _totals_after_undo(changes: Sequence[Change], records: _Foreseen | None, by: Conventions) -> Mapping[int, str]:
    """A line for each client of a change, by its number, whose totals or status will differ once it is undone; nothing
    if it is about more clients than are named."""
    from crm.commands.sales.sales import totals_text

    lines: dict[int, str] = {}
    if records is None:
        return lines
    for number in sorted(_clients_in(changes)):
        now, after = (side.get((Client.kind_name, number)) for side in (records.now, records.after))
        if not isinstance(now, Client) or not isinstance(after, Client):
            continue
        if (now.total_spend, now.status) != (after.total_spend, after.status):
            lines[number] = f"{after.name} after this: {totals_text(after, now.status, by)}"
    return lines


def my_last_undo(crm: CRM) -> HistoryEntry | None:
    """The last undo of the reader's that still stands, as long as they have done nothing else since but arrange what
    they see themselves; None without."""
    with crm.read() as snapshot:
        for entry in snapshot.history(_LATEST, query=HistoryQuery(undone=False)):
            if not _is_mine(crm, entry):
                continue
            if entry.is_undo:
                return entry
            changes = snapshot.changes(transaction=entry.id, limit=2)
            if entry.undoes is None and (entry.is_restore or any(change.record not in _OWN_VIEW for change in changes)):
                return None
    return None


def passed_over(crm: CRM, snapshot: Snapshot, last: HistoryEntry | None) -> Sequence[HistoryEntry]:
    """The transactions that the reader, or the program itself, has made since the reader's last change that can be
    taken back, newest first: changes that still stand, without mere sign-ins. Only the latest of the history are
    searched."""
    if last is None:
        return []
    later = [entry for entry in snapshot.history(_LATEST, query=HistoryQuery(undone=False)) if entry.id > last.id]
    own = [entry for entry in later if entry.undoes is None and (_is_mine(crm, entry) or entry.user == PROGRAM)]
    return [
        entry
        for entry in own
        if not entry.changes or not _is_sign_in(snapshot.changes(transaction=entry.id, limit=_OF_A_SIGN_IN))
    ]


def _is_mine(crm: CRM, entry: HistoryEntry) -> bool:
    return entry.user_id == crm.reader.user if crm.reader.user else entry.user.casefold() == crm.me.casefold()


def _is_sign_in(changes: Sequence[Change]) -> bool:
    """Return whether somebody signed in or out: a code that was used is noted in the account."""
    of_sessions = [change for change in changes if change.record == SignIn.kind_name]
    return len(of_sessions) == len(changes) or any(change.operation == "create" for change in of_sessions)


def passed_over_message(entries: Sequence[HistoryEntry]) -> str:
    """The transactions that were skipped, in a sentence; '' for nothing."""
    if not entries:
        return ""
    return f"Skipped: {first_few([entry.what for entry in entries])}."


def _query(
    clock: Clock,
    since: date | None,
    until: date | None,
    by: str,
    about: str,
    number: int | None,
    client: Client | None,
    text: str,
    only: str,
    sort: str = "",
    transaction: int | None = None,
) -> HistoryQuery:
    """The query for the options that were given. Raises FieldError for what does not go together."""
    in_order(since, until)
    if number and not about:
        raise FieldError("say what kind of record the number is of", field="about", label="About")
    return HistoryQuery(
        transaction=transaction,
        since=clock.at(since) if since else None,
        until=clock.at(until + timedelta(days=1)) if until and until < FOREVER else None,
        by=by,
        about=about,
        number=number,
        client=client.id if client else None,
        text=text,
        undone=only == "undone" if only else None,
        sort=sort,
    )


def _written(file: Path, ending: str, changes: Iterator[Change]) -> int:
    if ending == ".json":
        from crm.files.json_lines import write_objects

        return write_objects(file, (dict(zip(_HEADER, row, strict=True)) for row in _rows(changes, typed=False)))
    from crm.files import write_csv, write_xlsx

    rows = _rows(changes, typed=True)
    return write_csv(file, _HEADER, rows) if ending == ".csv" else write_xlsx(file, _HEADER, rows, "History")


def _rows(changes: Iterator[Change], *, typed: bool) -> Iterator[list[Any]]:
    """A row for each field of each change; values as the history has them or, `typed`, as amounts and days."""
    for change in changes:
        head = [
            change.transaction, plain(change.at), change.user, change.what, change.record, change.record_id,
            change.operation,
        ]  # fmt: skip
        for name, *values in changed_fields(change) or [("", None, None)]:
            yield [*head, name, *(typed_value(change.record, name, value) if typed else value for value in values)]
