"""The past as SQL: the transactions that a query names, and the changes in them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    exists,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
    union,
    union_all,
)

from crm.errors import FieldError
from crm.model import BY_NAME, Client, field_names
from crm.repository import HistoryQuery, sql_functions
from crm.repository.tables import TABLES, audit, transactions
from crm.repository.undo import can_be_undone

_SORTS: Mapping[str, ColumnElement[Any]] = {
    "id": transactions.c.id,
    "at": transactions.c.at,
    "user": sql_functions.folded(transactions.c.user),
    "what": sql_functions.folded(transactions.c.what),
}
_CHANGE = (
    audit.c.transaction, transactions.c.at, transactions.c.user, transactions.c.what, audit.c.record,
    audit.c.record_id, audit.c.operation, audit.c.before, audit.c.after,
)  # fmt: skip
# Kinds whose records name a client; one that is added to the model stands here by itself.
_NAMING_CLIENTS = tuple(kind for kind in BY_NAME.values() if "client" in field_names(kind))


def numbers(query: HistoryQuery, limit: int | None = None, offset: int = 0) -> Select[Any]:
    """The numbers of the transactions, ordered and paged. Raises FieldError for a sort that there is not."""
    happened, entries = _happened(query), _entries(query)
    if not entries:
        if seen := _seen(query):
            happened.append(exists().where(audit.c.transaction == transactions.c.id, *seen))
        if query.text:
            says = and_(audit.c.transaction == transactions.c.id, _contains(query), *_seen(query))
            happened.append(or_(sql_functions.holds(transactions.c.what, query.text), exists().where(says)))
        statement = select(transactions.c.id).where(*happened).order_by(*_order(query))
    else:
        entries_of = select(audit.c.transaction).where(*entries, *_seen(query))
        if query.text:
            happened.append(or_(sql_functions.holds(transactions.c.what, query.text), _contains(query)))
        if happened:
            entries_of = entries_of.join_from(audit, transactions).where(*happened)
        if query.sort:
            fitting = transactions.c.id.in_(entries_of)
            statement = select(transactions.c.id).where(fitting).order_by(*_order(query))
        else:
            # Read along the audit, where an index ends it with the page.
            statement = entries_of.distinct().order_by(audit.c.transaction.desc())
    return statement.limit(limit).offset(offset or None)


def changes(query: HistoryQuery) -> Select[Any]:
    """The changes themselves, as rows of a Change, newest first, or the oldest first where sorted by 'id'."""
    conditions = [*_happened(query), *_entries(query), *_seen(query)]
    if query.text:
        conditions.append(or_(sql_functions.holds(transactions.c.what, query.text), _contains(query)))
    place = audit.c.id if query.sort == "id" else audit.c.id.desc()
    return select(*_CHANGE).join_from(audit, transactions).where(*conditions).order_by(place)


def _happened(query: HistoryQuery) -> list[ColumnElement[bool]]:
    """The conditions on a transaction."""
    columns = transactions.c
    conditions: list[ColumnElement[bool]] = []
    if query.transaction is not None:
        conditions.append(columns.id == query.transaction)
    if query.change:
        conditions.append(columns.uid == query.change)
    if query.since:
        conditions.append(columns.at >= query.since)
    if query.until:
        conditions.append(columns.at < query.until)
    if query.by:
        conditions.append(sql_functions.holds(columns.user, query.by))
    if query.undone is not None:
        conditions.append(columns.undone_by.is_not(None) if query.undone else columns.undone_by.is_(None))
    if query.whose is not None:
        conditions.append(sql_functions.caseless(columns.user) == sql_functions.caseless(literal(query.whose)))
    if query.account:
        conditions.append(columns.user_id == query.account)
    if query.undoable:
        conditions += [columns.undone_by.is_(None), columns.undoes.is_(None), can_be_undone()]
    return conditions


def _entries(query: HistoryQuery) -> list[ColumnElement[bool]]:
    """The conditions on an audit entry."""
    conditions: list[ColumnElement[bool]] = []
    if query.number is not None:
        # Found first, by the index of records: there are few.
        one = audit.alias()
        entry_ids = select(one.c.id).where(one.c.record_id == query.number, one.c.record == query.about)
        conditions.append(audit.c.id.in_(entry_ids))
    elif query.about:
        conditions.append(audit.c.record == query.about)
    if query.client is not None:
        conditions.append(audit.c.id.in_(_touching(query.client)))
    return conditions


def _seen(query: HistoryQuery) -> list[ColumnElement[bool]]:
    """The conditions for what of the audit the reader may see."""
    if query.within is None:
        return []
    names = [query.about] if query.about else list(query.within)
    within = {name: query.within[name] for name in names if name in query.within}
    whole = audit.c.record.in_([name for name, own in within.items() if own is None])
    own = [audit.c.id.in_(_owned(name, *accounts)) for name, accounts in within.items() if accounts is not None]
    return [or_(whole, *own)]


def _touching(client: int) -> Any:
    """The entries of a client, and of every record that names it, or did until it was changed or deleted."""
    ids = [select(audit.c.id).where(audit.c.record == Client.kind_name, audit.c.record_id == client)]
    for kind in _NAMING_CLIENTS:
        table = TABLES[kind]
        now = select(table.c.id).where(table.c.client == client)
        ids.append(select(audit.c.id).where(audit.c.record == kind.kind_name, audit.c.record_id.in_(now)))
    past, theirs = audit.alias(), audit.alias()
    same = and_(theirs.c.record_id == past.c.record_id, theirs.c.record == past.c.record)
    left = select(theirs.c.id).join_from(past, theirs, same).where(held(past.c.before, "client") == client)
    ids.append(left)
    return union_all(*ids)


def _owned(kind: str, name: str, value: int | str) -> Any:
    """The entries of the records of a kind in whose field `name` a value stands, or stood; of a name whatever case."""
    table, past, entry = TABLES[BY_NAME[kind]], audit.alias(), audit.alias()
    stands, stood = table.c[name] == value, held(past.c.before, name) == value
    if isinstance(value, str):
        kept = sql_functions.text_in(type_coerce(past.c.before, String), literal_column(f"'{name}'"))
        stands, stood = (
            sql_functions.caseless(column) == sql_functions.caseless(literal(value)) for column in (table.c[name], kept)
        )
    now = select(table.c.id).where(stands)
    before = select(past.c.record_id).where(past.c.record == kind, stood)
    return select(entry.c.id).where(entry.c.record == kind, entry.c.record_id.in_(union(now, before)))


def held(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """The whole number that a field held, in the fields of an entry; NULL where it is not among them."""
    return sql_functions.number_in(type_coerce(column, String), literal_column(f"'{name}'"))


def _contains(query: HistoryQuery) -> ColumnElement[bool]:
    """Return whether a text is in the fields of an entry, as far as they may be searched."""
    written = json.dumps(query.text, ensure_ascii=False)[1:-1]
    fields = (type_coerce(column, String) for column in (audit.c.before, audit.c.after))
    fits: ColumnElement[bool] = or_(*(sql_functions.holds(column, written) for column in fields))
    return and_(audit.c.record.not_in(sorted(query.unsearched)), fits) if query.unsearched else fits


def _order(query: HistoryQuery) -> Iterable[ColumnElement[Any]]:
    if not query.sort:
        # Of a period, along the index of the times.
        times = (transactions.c.at.desc(),) if query.since or query.until else ()
        return (*times, transactions.c.id.desc())
    name = query.sort.removeprefix("-")
    if name not in _SORTS:
        from crm.repository.field_advice import advice

        raise FieldError(f"the history is not sorted by {name}; {advice(name, _SORTS)}")
    value = _SORTS[name]
    return (value.desc() if query.sort.startswith("-") else value, transactions.c.id.desc())
