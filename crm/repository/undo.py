"""Taking back a transaction of the past, from its audit entries, unless later changes are on it.

What a person entered is restored field by field. Totals and statuses of clients are restored too where nothing has
moved them since; elsewhere they follow from the facts that remain.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    exists,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
    update,
)

from crm.errors import NotFoundError, RefusedError
from crm.model import (
    AFTER_ISSUE,
    BY_NAME,
    LASTING,
    RECORDS,
    Adjustment,
    Client,
    Conventions,
    ImportLayout,
    Invoice,
    InvoiceLine,
    Message,
    NumberSeries,
    Payment,
    Record,
    Setting,
    User,
    belonging_to,
    fields,
    keeping,
    links,
    people,
)
from crm.model.encoding import plain, record_of, value_of
from crm.model.rights import SECRET
from crm.repository import HistoryEntry, HistoryQuery, Snapshot, last_undoable, sql_functions, was_issued_since
from crm.repository.tables import TABLES, audit, transactions
from crm.repository.team import same
from crm.wording import FEW, first_few

if TYPE_CHECKING:
    from crm.repository.sql_access import SqlReader, SqlWriter

# What was done to these is not taken back: the history does not hold what let somebody in, and nobody is to get rights
# back that were removed on purpose. Only that accounts went with a client into another one is. The columns that were
# chosen for an import are there for the next one.
NOT_TAKEN_BACK = (*SECRET, ImportLayout.kind_name)
# What was added to these stays: it is only removed on purpose.
_LASTING = tuple(kind.kind_name for kind in LASTING)
_BATCH = 1000
RESTORE_STAYS = (
    "A restore is undone by restoring the backup that it made of what was there before: *Data & settings*, *Backups and"
    " copies*, *Restore a backup*, or `restore FILE`. `restore` without a file lists the backups."
)
# Records that only note that something was sent: that cannot be recalled, but the record can be removed.
_NOTES_OF_SENDING: Mapping[str, frozenset[str]] = {Payment.kind_name: frozenset(("receipts",))}


def chosen(tx: "SqlWriter", number: int | None) -> HistoryEntry:
    """The transaction to take back: the one named, or the last one of the author of `tx`."""
    if number is None:
        if (last := last_undoable(tx, tx.user, tx.user_id)) is None:
            raise NotFoundError("Nothing of yours to undo. You can undo other changes from the history.")
        return last
    entries = tx.history_entries(select(transactions).where(transactions.c.id == number))
    if not entries:
        first = tx.connection.execute(select(func.min(transactions.c.id))).scalar()
        if first is not None and 0 < number < first:
            raise RefusedError(f"The history starts with change {first} now: earlier changes can no longer be undone.")
        raise NotFoundError(f"No change {number} in the history. `history list` shows all.")
    if entries[0].undone_by is not None:
        raise RefusedError(f"Change {number} was already undone by change {entries[0].undone_by}.")
    return entries[0]


def can_be_undone() -> ColumnElement[bool]:
    """Return whether a transaction did anything that can be taken back. Where an account was added or got another name
    it cannot: what was done to records went with it."""
    own = audit.c.transaction == transactions.c.id
    named = (audit.c.operation == "create") | type_coerce(audit.c.after, String).contains('"name":')
    renamed = exists().where(own, audit.c.record == User.kind_name, named)
    return (
        exists().where(own, audit.c.record.not_in(NOT_TAKEN_BACK))
        & ~renamed
        & ~_only_adds_lasting()
        & ~_has_sent()
        & ~_has_issued()
        & ~_has_numbered()
    )


def _only_adds_lasting() -> ColumnElement[bool]:
    """Return whether a transaction did nothing but add what lasts, and take the consent of clients away for it:
    somebody has opted out."""
    own = audit.c.transaction == transactions.c.id
    adds = exists().where(own, audit.c.record.in_(_LASTING), audit.c.operation == "create")
    no_consent = type_coerce(audit.c.after, String) == '{"marketing_consent":false}'
    follows = (audit.c.record == Client.kind_name) & (audit.c.operation == "update") & no_consent
    return adds & ~exists().where(own, audit.c.record.not_in(_LASTING), ~follows)


def _has_sent() -> ColumnElement[bool]:
    """Return whether a transaction wrote messages that have been taken to be sent since, took messages to be sent, or
    noted what became of them: what was sent cannot be taken back."""
    sent, written = audit.alias(), audit.alias()
    state: ColumnElement[Any] = literal_column("'state'")
    sending_states = (
        sql_functions.text_in(type_coerce(column, String), state) == "sending"
        for column in (sent.c.before, sent.c.after)
    )
    is_sent = (sent.c.record == Message.kind_name, sent.c.operation == "update", or_(*sending_states))
    sent_by_itself = exists().where(sent.c.transaction == transactions.c.id, *is_sent)
    wrote = (written.c.record == Message.kind_name, written.c.operation == "create")
    since = exists().where(
        written.c.transaction == transactions.c.id, *wrote, sent.c.record_id == written.c.record_id, *is_sent
    )
    return or_(sent_by_itself, since)


def _has_issued() -> ColumnElement[bool]:
    """Return whether a transaction issued an invoice, or wrote something of one that is issued by now."""
    own, invoice = audit.c.transaction == transactions.c.id, TABLES[Invoice].c
    is_update = audit.c.operation == "update"
    issues = (audit.c.record == Invoice.kind_name, is_update, _in(audit.c.after, "state") == "issued")
    # What still changes of an issued invoice can be taken back.
    frozen = [name for name, field in fields(Invoice).items() if name not in AFTER_ISSUE and field.by != "steps"]
    is_frozen = or_(audit.c.operation == "create", *(_in(audit.c.after, name).is_not(None) for name in frozen))
    of_issued = exists().where(invoice.id == audit.c.record_id, invoice.state == "issued")
    wrote = [
        exists().where(own, *issues),
        exists().where(own, audit.c.record == Invoice.kind_name, is_frozen, of_issued),
    ]
    for kind in (InvoiceLine, Adjustment):
        part = TABLES[kind].c
        of_part = select(part.invoice).where(part.id == audit.c.record_id).correlate(audit).scalar_subquery()
        # One that is deleted names its invoice in the history only.
        deleted_of = sql_functions.number_in(type_coerce(audit.c.before, String), literal_column("'invoice'"))
        is_issued = exists().where(or_(invoice.id == of_part, invoice.id == deleted_of), invoice.state == "issued")
        wrote.append(exists().where(own, audit.c.record == kind.kind_name, is_issued))
    return or_(*wrote)


def _has_numbered() -> ColumnElement[bool]:
    """Return whether a transaction set up a series, or moved its counter, and the series has given numbers by now."""
    own, invoice, series = audit.c.transaction == transactions.c.id, TABLES[Invoice].c, TABLES[NumberSeries].c
    name_now = select(series.name).where(series.id == audit.c.record_id).correlate(audit).scalar_subquery()
    has_given = exists().where(
        or_(invoice.kind == name_now, invoice.kind == _in(audit.c.before, "name")), invoice.state == "issued"
    )
    moves = or_(audit.c.operation != "update", _in(audit.c.after, "last").is_not(None))
    return exists().where(own, audit.c.record == NumberSeries.kind_name, moves, has_given)


def _in(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """A field of a record in its audit entry, as text; null where it is not in it."""
    return sql_functions.text_in(type_coerce(column, String), literal_column(f"'{name}'"))


def issued_in(snapshot: Snapshot, entry: HistoryEntry) -> Invoice | None:
    """The invoice that a transaction issued, or wrote something of that is issued by now."""
    changes = snapshot.each_change(HistoryQuery(transaction=entry.id, about=Invoice.kind_name))
    # A credit note is made and issued in one.
    touched = [change.record_id for change in changes if change.operation == "create" or "state" in change.after]
    invoice = snapshot.find(Invoice, touched[0]) if touched else None
    return invoice if invoice and invoice.state == "issued" else None


def take_back(tx: "SqlWriter", entry: HistoryEntry) -> None:
    """Undo what a transaction did, the last thing first. Raises RefusedError and changes nothing where
    somebody has built on it since."""
    reasons = (_has_sent(), _only_adds_lasting(), _has_issued(), _has_numbered())
    statement = select(can_be_undone(), *reasons).where(transactions.c.id == entry.id)
    can_be, has_sent, opts_out, has_issued, has_numbered = tx.connection.execute(statement).one()
    if has_sent:
        raise RefusedError("What has been sent cannot be recalled.")
    if has_issued:
        invoice = issued_in(tx, entry)
        if invoice is None:
            raise RefusedError("What belongs to an issued invoice cannot be undone. Credit the invoice instead.")
        from crm.repository.bills import instead_of_changing

        raise RefusedError(f"{invoice.number} was issued, which cannot be undone. {instead_of_changing(invoice)}")
    if has_numbered:
        raise RefusedError(
            "The numbers of a series cannot be undone once it has given one. Change its pattern with `numbers set`."
        )
    if opts_out:
        raise RefusedError(
            "An opt-out cannot be undone, so that no one gets e-mail by mistake. If it was added by mistake, an admin"
            ' can remove it with a reason: *E-mail*, *Opt-outs*, or `opt-outs lift ADDRESS --reason "…"`.'
        )
    if not can_be and entry.is_restore:
        raise RefusedError(RESTORE_STAYS)
    if not can_be and not entry.changes:
        raise RefusedError(f"“{entry.what}” changed no records, so there is nothing to undo.")
    if not can_be:
        raise RefusedError("Changes to accounts cannot be undone. Change them again.")
    later = tx.connection.execute(_later_changes(entry.id)).all()
    if dependent := list(_standing_on(tx, entry.id, later)):
        raise RefusedError(_refusal(tx, entry, dependent))
    number = tx.number
    for batch in _entries_backwards(tx, entry.id):
        for (record, operation), rows in groupby(batch, key=lambda row: (row.record, row.operation)):
            _reverse(tx, BY_NAME[record], operation, list(rows), entry.id)
    _part_accounts(tx, entry.id)
    # What has changed since is on figures that are others now.
    tx.review(row.record_id for row in later if row.record == Client.kind_name)
    mark_undone(tx.connection, entry.id, number)
    _refuse_wrong_balances(tx, entry)


def _refusal(tx: "SqlWriter", entry: HistoryEntry, dependent: Iterable[int | str]) -> str:
    """The sentence that names what a transaction cannot be taken back for: later ones by what they did and when."""
    settings = {setting.key: setting.value for setting in tx.find_all(Setting)}
    by = Conventions(language=settings.get("language", Conventions.language), clock=tx.clock)
    distinct = list(dict.fromkeys(dependent))
    numbers = [number for number in distinct[:FEW] if isinstance(number, int)]
    later = {
        change.id: f"“{change.in_words}” ({by.time(change.at)}; `history show {change.id}`)"
        for change in tx.history_entries(select(transactions).where(transactions.c.id.in_(numbers)))
    }
    words = [later.get(reason, "") if isinstance(reason, int) else reason for reason in distinct]
    return (
        f"“{entry.first_words}” ({by.time(entry.at)}) cannot be {'redone' if entry.is_undo else 'undone'}, because of"
        f" later changes: {first_few(words, '; ')}. Undo those first."
    )


def _refuse_wrong_balances(tx: "SqlWriter", entry: HistoryEntry) -> None:
    """Raise RefusedError where what was paid would be too little for what was done with it since, and name that."""
    tx.settle()
    try:
        tx.balances.refuse_wrong(tx)
    except RefusedError as error:
        if not (later := list(tx.balances.later(tx, entry.id))):
            raise
        raise RefusedError(f"{_refusal(tx, entry, later)} {error.sentence}") from error


def is_built_on(snapshot: "SqlReader", number: int) -> bool:
    """Return whether later changes are on what a transaction did."""
    later = snapshot.connection.execute(_later_changes(number)).all()
    return next(_standing_on(snapshot, number, later), None) is not None


def _standing_on(snapshot: "SqlReader", number: int, later: Sequence[Row[Any]]) -> Iterator[int | str]:
    """The numbers of later transactions that depend on this one, `later` ones first, and records in use, in words."""
    yield from _clashes(later)
    yield from _built_on(snapshot, number)
    yield from _without_their_record(snapshot, number)
    yield from _kept(snapshot, number)


def mark_undone(connection: Connection, number: int | None, by: int) -> None:
    """Write that a transaction is undone: what it had undone is in force again, what that had undone is not, ... as
    far back as the history goes."""
    undone, place = True, transactions.c
    while number:
        marked = update(transactions).where(place.id == number).values(undone_by=by if undone else None)
        connection.execute(marked)
        by, number = number, connection.execute(select(place.undoes).where(place.id == number)).scalar()
        undone = not undone


def _entries_backwards(tx: "SqlWriter", number: int) -> Iterator[Sequence[Row[Any]]]:
    below = None
    while True:
        ours = select(audit).where(audit.c.transaction == number, audit.c.record.not_in(NOT_TAKEN_BACK))
        statement = ours.order_by(audit.c.id.desc()).limit(_BATCH)
        batch = tx.connection.execute(statement if below is None else statement.where(audit.c.id < below)).all()
        if not batch:
            return
        yield batch
        below = batch[-1].id


def _reverse(tx: "SqlWriter", kind: type[Record], operation: str, rows: Sequence[Row[Any]], number: int) -> None:
    """Undo what a transaction did to some records of one kind, the last first."""
    match operation:
        case "create" if kind.about.lasting:
            return
        case "create":
            ids = [row.record_id for row in rows]
            # What others have come to be on stays.
            kept = {id_ for keeping_it, name in keeping(kind) for id_ in tx.naming(keeping_it, name, ids)}
            tx.remove(kind, [id_ for id_ in ids if id_ not in kept])
        case "delete":
            if unknown := [row.record_id for row in rows if row.before is None]:
                raise RefusedError(
                    f"What {kind.noun} {unknown[0]} held is not known: its row was deleted in the spreadsheet"
                    " while no program was looking. Put the row back there (File, Version history)."
                )
            tx.restore([tx.with_accounts(record_of(kind, row.before), row.before) for row in rows])
        case "update":
            for row in rows:
                current = tx.get(kind, row.record_id)
                names = _restorable(kind, current, row.before, row.after)
                if kind is Invoice and "client" in names and was_issued_since(tx, row.record_id, number):
                    names = [name for name in names if name != "client"]
                if names:
                    tx.apply(current, {name: value_of(kind, name, row.before[name]) for name in names}, review=False)


def _part_accounts(tx: "SqlWriter", number: int) -> None:
    """Give accounts that a merge moved to the client that was kept back to the one that is there again: nobody is to
    see another's data because two were mistaken for one."""
    conditions = (audit.c.transaction == number, audit.c.record == User.kind_name, audit.c.operation == "update")
    for row in tx.connection.execute(select(audit.c.record_id, audit.c.before, audit.c.after).where(*conditions)).all():
        account = tx.find(User, row.record_id)
        if account is not None and "client" in row.after and account.client == row.after["client"]:
            tx.apply(account, {"client": row.before["client"]})
            tx.end_sessions(account.id)


def _restorable(
    kind: type[Record], current: Record, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Sequence[str]:
    """The fields that are restored: all that a person types, and the derived ones only if none has moved on."""
    derived = derived_fields(kind)
    moved_on = any(plain(getattr(current, name)) != after[name] for name in after if name in derived)
    return [name for name in before if not (moved_on and name in derived)]


def derived_fields(kind: type[Record]) -> frozenset[str]:
    """The fields of a kind of record that follow from others: totals, balances, statuses."""
    return frozenset(name for name, field in fields(kind).items() if field.by not in ("person", "steps"))


def _later_changes(number: int) -> Select[Any]:
    """Later changes that still stand and touch what the transaction touched, beside what it did."""
    ours, theirs = audit.alias(), audit.alias()
    later = transactions.c
    # A later transaction and the undo of it cancel out; the undo of an earlier one is a change like any other.
    # An opt-out since then does not block the undo: it stays as it is.
    stands = (later.undone_by.is_(None), or_(later.undoes.is_(None), later.undoes < number), ~_only_adds_lasting())
    return (
        select(
            ours.c.record, ours.c.record_id, ours.c.operation, ours.c.after,
            theirs.c.transaction.label("later"), theirs.c.operation.label("their_operation"),
            theirs.c.before.label("theirs_before"), theirs.c.after.label("theirs"),
        )
        .join_from(ours, theirs, (ours.c.record_id == theirs.c.record_id) & (ours.c.record == theirs.c.record))
        .join(transactions, later.id == theirs.c.transaction)
        .where(ours.c.transaction == number, theirs.c.transaction > number, *stands)
        .where(ours.c.record.not_in(NOT_TAKEN_BACK))
        .order_by(theirs.c.id)
    )  # fmt: skip


def _built_on(snapshot: "SqlReader", number: int) -> Iterator[int]:
    """The transactions in which others attached records to what this one added (a sale to a client)."""
    own = select(audit.c.record_id).where(audit.c.transaction == number)
    for kind in RECORDS:
        created = own.where(audit.c.record == kind.kind_name, audit.c.operation == "create")
        for owned, name in belonging_to(kind):
            table, record = TABLES[owned], owned.kind_name
            statement = (
                select(func.max(audit.c.transaction).label("later"))
                .join_from(table, audit, (audit.c.record_id == table.c.id) & (audit.c.record == record))
                .where(table.c[name].in_(created), table.c.id.not_in(own.where(audit.c.record == record)))
                .group_by(table.c.id)
                .order_by(table.c.id)
            )
            for row in snapshot.connection.execute(statement):
                yield row.later


def _without_their_record(snapshot: "SqlReader", number: int) -> Iterator[int]:
    """The transactions that deleted what records would be on again: a stage that this one moved a deal out of. What it
    has itself deleted comes back with them."""
    ours, theirs, own = audit.alias(), audit.alias(), audit.alias()
    touched = select(ours.c.record).where(ours.c.transaction == number, ours.c.operation != "create").distinct()
    for kind in [BY_NAME[row.record] for row in snapshot.connection.execute(touched)]:
        for name, link in links(kind).items():
            if not (link.owns or link.keeps):
                continue
            before = sql_functions.number_in(type_coerce(ours.c.before, String), literal_column(f"'{name}'"))
            linked = TABLES[BY_NAME[link.record]].c.id
            statement = (
                select(func.max(theirs.c.transaction).label("later"))
                .join_from(ours, theirs, (theirs.c.record == link.record) & (theirs.c.record_id == before))
                .where(ours.c.transaction == number, ours.c.record == kind.kind_name, ours.c.operation != "create")
                .where(theirs.c.transaction > number, theirs.c.operation == "delete")
                .where(~exists().where(linked == theirs.c.record_id))
                .where(
                    ~exists().where(
                        own.c.transaction == number,
                        own.c.operation == "delete",
                        own.c.record == theirs.c.record,
                        own.c.record_id == theirs.c.record_id,
                    )
                )
                .group_by(theirs.c.record_id)
            )
            for row in snapshot.connection.execute(statement):
                yield row.later


def _kept(snapshot: "SqlReader", number: int) -> Iterator[str]:
    """The records that have come to depend on what the transaction added: a deal in a stage, in words. The stages that
    came with the first deal are no reason: they stay."""
    for kind in RECORDS:
        for keeping_it, name in keeping(kind):
            done = select(audit.c.record, audit.c.record_id).where(
                audit.c.transaction == number,
                audit.c.operation == "create",
                audit.c.record.in_((kind.kind_name, keeping_it.kind_name)),
            )
            rows = snapshot.connection.execute(done).all()
            ids = [row.record_id for row in rows if row.record == kind.kind_name]
            if len(ids) == len(rows):
                # What the transaction has itself put there, as the undo of a merge does, goes with it.
                touched = select(audit.c.record_id).where(
                    audit.c.transaction == number, audit.c.record == keeping_it.kind_name
                )
                for id_ in sorted(snapshot.naming(keeping_it, name, ids, touched)):
                    yield f"there are {keeping_it.nouns} in {kind.noun} {id_}"


def _renamed(row: Row[Any]) -> frozenset[str]:
    """The fields in which a later change has only written the new name of somebody beside the same account, or the
    account beside the same name: whose the record is has not changed."""
    if row.their_operation != "update":
        return frozenset()
    before, after = row.theirs_before, row.theirs
    names: set[str] = set()
    for name, beside in people(BY_NAME[row.record]).items():
        was, account = before.get(beside, 0), after.get(beside, 0)
        if account and (was == account or (not was and same(before.get(name, "")) == same(after.get(name, "")))):
            names |= {name, beside}
    return frozenset(names)


def _clashes(later: Sequence[Row[Any]]) -> Iterator[int]:
    """The later transactions that touch the same fields, or the record as a whole."""
    for row in later:
        derived = derived_fields(BY_NAME[row.record]) | _renamed(row)
        if row.their_operation == "update" == row.operation:
            clash = (row.after.keys() & row.theirs.keys()) - derived
        elif row.their_operation == "update":
            clash = row.theirs.keys() - derived - _NOTES_OF_SENDING.get(row.record, frozenset())
        else:
            clash = {row.record}
        if clash:
            yield row.later
