"""Deletions by hand, and emptied columns, that are too many to be taken over unasked, or of what is never deleted: they
wait until somebody has said what they are."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from crm.model import BY_NAME, Adjustment, Invoice, InvoiceLine, NumberSeries, Record, belonging_to, keeping
from crm.model.data import FEW_DELETIONS, SHEET_DELETIONS
from crm.repository import Held
from crm.repository.sheets.grid.cells import number_of
from crm.repository.sheets.grid.layout import columns, programs_own
from crm.repository.sheets.mirror import mirror, problems
from crm.repository.sheets.pull.tab_diff import HandEdits
from crm.repository.tables import TABLES, setting

# More than a few, and more than this part of the records there are, of any one kind.
_PART = 0.1
# More than a few values, and more than this part of what a column held, empty the column.
_MOST = 0.5


def too_many(connection: Connection, edits: HandEdits) -> dict[str, list[int]]:
    """The records whose rows were deleted, by kind, where they are too many to be taken over unasked, or one of them is
    never deleted, such as an issued invoice, was not put back by a repair, or may only have lost its ID; else none."""
    gone: dict[str, list[int]] = {}
    for kind, record_id in edits.deleted:
        gone.setdefault(kind.kind_name, []).append(record_id)
    lost = mirror.not_put_back(connection)
    if any(not set(ids).isdisjoint(lost.get(name, ())) for name, ids in gone.items()):
        # A machine that knows them can still restore them.
        return gone
    if _may_have_lost_ids(connection, edits, gone):
        # A machine that knows them finds them again.
        return gone
    if _stay(connection, gone) or any(_kept(connection, BY_NAME[name], ids, gone) for name, ids in gone.items()):
        return gone
    few = _few(connection)
    for kind, ids in _going(connection, edits, gone).items():
        if len(ids) > few and len(ids) > _PART * mirror.count_rows(connection, kind):
            return gone
    return {}


def _going(
    connection: Connection, edits: HandEdits, gone: Mapping[str, Sequence[int]]
) -> Mapping[type[Record], Collection[int]]:
    """The records that would be deleted, by kind: those whose rows were deleted, and those that go with them, as sales
    go with their client unless they were given to another one."""
    going = {BY_NAME[name]: set(ids) for name, ids in gone.items()}
    rows = {(kind, record_id): row for kind, record_id, _, row in edits.changed} if going else {}
    waiting = [(kind, list(ids)) for kind, ids in going.items()]
    while waiting:
        owner, owners = waiting.pop()
        for kind, name in belonging_to(owner):
            column = columns(kind).index(name)
            statement = (
                f'SELECT id, "{name}" FROM {TABLES[kind].name} WHERE "{name}" IN (SELECT value FROM json_each(?))'
            )
            pairs = connection.exec_driver_sql(statement, (json.dumps(owners),)).all()
            dependents = {
                record_id
                for record_id, owner_id in pairs
                if (row := rows.get((kind, record_id))) is None or number_of(row[column]) == owner_id
            }
            dependents |= unread_dependents(connection, kind, name, owners).keys()
            new = dependents - going.setdefault(kind, set())
            if new:
                going[kind] |= new
                waiting.append((kind, list(new)))
    return going


def unread_dependents(
    connection: Connection, kind: type[Record], link: str, owners: Collection[int]
) -> Mapping[int, list[Any]]:
    """The rows of a kind that name one of some records as their owner and were left out, by id: a machine that has
    never seen the owner knows them by their rows alone."""
    column = columns(kind).index(link)
    rows = mirror.known(connection, kind, mirror.left_out(connection, kind))
    return {record_id: row for record_id, (_, row) in rows.items() if row and number_of(row[column]) in owners}


def _may_have_lost_ids(connection: Connection, edits: HandEdits, gone: Mapping[str, Sequence[int]]) -> bool:
    """Return whether this machine has never seen one of the records, and a row without ID was one of the program's."""
    for name, ids in gone.items():
        kind = BY_NAME[name]
        column = columns(kind).index("updated_at")
        if any(row[column] != "" for of, _, row in edits.added if of is kind):
            known = select(func.count()).where(TABLES[kind].c.id.in_(ids))
            if connection.execute(known).scalar() != len(set(ids)):
                return True
    return False


def _stay(connection: Connection, gone: Mapping[str, Sequence[int]]) -> bool:
    """Return whether one of the records is an issued invoice, belongs to one, or is a series that has given numbers. An
    invoice that was left out may be issued."""
    invoice, line = TABLES[Invoice].c, TABLES[InvoiceLine].c
    adjustment, series = TABLES[Adjustment].c, TABLES[NumberSeries].c
    issued = select(invoice.id).where(invoice.state == "issued")
    conditions = (
        select(invoice.id).where(invoice.id.in_(gone.get("invoice", ())), invoice.state == "issued"),
        select(invoice.id).where(invoice.client.in_(gone.get("client", ())), invoice.state == "issued"),
        select(line.id).where(line.id.in_(gone.get("invoice_line", ())), line.invoice.in_(issued)),
        select(adjustment.id).where(adjustment.id.in_(gone.get("adjustment", ())), adjustment.invoice.in_(issued)),
        select(series.id).where(series.id.in_(gone.get("number_series", ())), series.last > 0),
    )
    if any(connection.execute(condition.limit(1)).first() for condition in conditions):
        return True
    clients = gone.get("client", ())
    return bool(clients and unread_dependents(connection, Invoice, "client", clients))


def _kept(connection: Connection, kind: type[Record], ids: Sequence[int], gone: Mapping[str, Sequence[int]]) -> bool:
    """Return whether some of the records, or what would go with them, are not deleted before others that stay: a
    service that is on an invoice."""
    for keeping_it, name in keeping(kind):
        row = TABLES[keeping_it].c
        going = gone.get(keeping_it.kind_name, ())
        if connection.execute(select(row.id).where(row[name].in_(ids), row.id.not_in(going)).limit(1)).first():
            return True
    for owned, name in belonging_to(kind):
        row = TABLES[owned].c
        theirs = connection.execute(select(row.id).where(row[name].in_(ids))).scalars().all()
        if theirs and _kept(connection, owned, theirs, gone):
            return True
    return False


def emptied(connection: Connection, edits: HandEdits) -> mirror.Emptied:
    """The columns from which most values are gone, and more of them than are taken over unasked: somebody has emptied
    the column, or made one that was deleted again by hand. The ids by kind and field."""
    emptied_of: dict[str, dict[str, list[int]]] = {}
    few = _few(connection)
    for kind in edits.kinds:
        rows = {record_id: row for of, record_id, _, row in edits.changed if of is kind}
        if len(rows) <= few:
            continue
        known = mirror.known(connection, kind, rows)
        pairs = [(record_id, old, rows[record_id]) for record_id, (_, old) in known.items() if old]
        for place, name in enumerate(columns(kind)):
            gone = [record_id for record_id, old, new in pairs if old[place] != "" and new[place] == ""]
            # Values that were moved to other rows are not gone.
            count = len(gone) - sum(old[place] == "" and new[place] != "" for _, old, new in pairs)
            is_most = count > few and count > _MOST * mirror.count_filled(connection, kind, place)
            if is_most and name not in programs_own(kind):
                emptied_of.setdefault(kind.kind_name, {})[name] = sorted(gone)
    return emptied_of


def _few(connection: Connection) -> int:
    written = connection.execute(select(setting.c.value).where(setting.c.key == SHEET_DELETIONS)).scalar()
    return int(written) if written and str(written).isdigit() else FEW_DELETIONS


def held_of(connection: Connection) -> Held:
    """The deletions and the emptied columns that wait, the rows in which something stands that the program did not
    write there, and what is lost."""
    counts = {kind.kind_name: len(ids) for kind, ids in overwritten(connection).items()}
    return Held(mirror.held(connection), counts, mirror.lost(connection), problems.emptied_words(connection))


def overwritten(connection: Connection) -> dict[type[Record], Sequence[int]]:
    """The records in whose row a cell that only the program writes is not what it wrote."""
    strange = {
        kind: sorted({*mirror.misnamed(connection, kind), *_with_problems(connection, kind)})
        for kind in BY_NAME.values()
    }
    return {kind: ids for kind, ids in strange.items() if ids}


def _with_problems(connection: Connection, kind: type[Record]) -> set[int]:
    own, left_out = programs_own(kind), mirror.left_out(connection, kind)
    named = {record_id for record_id, name in problems.noted(connection, kind) if record_id and name in own}
    return named - left_out
