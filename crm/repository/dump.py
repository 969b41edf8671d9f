"""A whole store as a stream of plain objects and back: records, transactions and audit entries, ids and times kept."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Table, delete, func, insert, select

from crm.batching import batches
from crm.errors import FileError
from crm.model import BY_NAME, RECORDS, Client, people
from crm.model.encoding import plain, record_of
from crm.repository import ROSTER, STORE_ID, Query
from crm.repository.bulk import insert_rows
from crm.repository.snapshot import SqlSnapshot
from crm.repository.tables import TABLES, audit, row_of, transactions
from crm.repository.team import fill_in_accounts

# An object of a store: what it is (a record's name, 'transaction' or 'audit'), and its fields as JSON has them.
Item = tuple[str, Mapping[str, Any]]

_BATCH = 1000
# What something is that the store knows of itself.
FACT = "fact"
_HISTORY: Mapping[str, Table] = {"transaction": transactions, "audit": audit}


def everything(snapshot: SqlSnapshot) -> Iterator[Item]:
    """Every object of a store, those that others name before the others; first what its accounts are sealed with."""
    if snapshot.fact(ROSTER):
        for name in (STORE_ID, ROSTER):
            yield FACT, {"name": name, "value": snapshot.fact(name)}
    streaming = snapshot.connection.execution_options(yield_per=_BATCH)
    for kind in RECORDS:
        for record in snapshot.each(kind, Query(sort="id")):
            yield kind.kind_name, plain(record)
    for name, table in _HISTORY.items():
        for row in streaming.execute(select(table).order_by(table.c.id)):
            yield name, {key: plain(value) for key, value in row._mapping.items()}


def without_facts(items: Iterable[Item], facts: dict[str, str]) -> Iterator[Item]:
    """The objects without the facts of their store, which are put into `facts`."""
    for name, fields in items:
        if name == FACT:
            facts[str(fields.get("name"))] = str(fields.get("value"))
        else:
            yield name, fields


def fill(snapshot: SqlSnapshot, items: Iterable[Item]) -> dict[str, int]:
    """Put every object into an empty store; how many there were, by what they are. Raises FileError."""
    for kind in reversed(RECORDS):
        snapshot.connection.execute(delete(TABLES[kind]))
    counts: dict[str, int] = {}
    # What an older version has written down names people alone.
    nameless: set[Table] = set()
    for name, group in groupby(items, key=lambda item: item[0]):
        for batch in batches(group, _BATCH):
            counts[name] = counts.get(name, 0) + len(batch)
            _insert(snapshot, name, [fields for _, fields in batch])
            nameless |= _lacking_accounts(name, batch)
    fill_in_accounts(snapshot.connection, nameless)
    _skip_ids(snapshot)
    return counts


def _lacking_accounts(name: str, items: Iterable[Item]) -> set[Table]:
    """The table of what does not say which accounts are meant by the names in it."""
    besides = (
        {"user_id"} if name == "transaction" else set(people(BY_NAME[name]).values()) if name in BY_NAME else set()
    )
    lacks = besides and any(not besides <= fields.keys() for _, fields in items)
    return {_HISTORY[name] if name in _HISTORY else TABLES[BY_NAME[name]]} if lacks else set()


def _skip_ids(snapshot: SqlSnapshot) -> None:
    """The id of a record that is gone stays its own here too; the history knows which those are."""
    highest = select(audit.c.record, func.max(audit.c.record_id)).group_by(audit.c.record)
    for name, last in snapshot.connection.execute(highest).all():
        if name in BY_NAME:
            snapshot.dialect.skip_ids(snapshot.connection, TABLES[BY_NAME[name]], last)
    for table in _HISTORY.values():
        last = snapshot.connection.execute(select(func.max(table.c.id))).scalar()
        snapshot.dialect.skip_ids(snapshot.connection, table, last or 0)


def _insert(snapshot: SqlSnapshot, name: str, objects: list[Mapping[str, Any]]) -> None:
    if name in _HISTORY:
        table = _HISTORY[name]
        snapshot.connection.execute(insert(table), [_history_row(table, entry) for entry in objects])
        return
    if name not in BY_NAME:
        raise FileError(f"No record called {name!r:.40}. Was this written by a newer version?")
    kind = BY_NAME[name]
    rows = [row_of(record_of(kind, entry)) for entry in objects]
    insert_rows(snapshot.connection, TABLES[kind], rows)
    if kind is Client:
        snapshot.dialect.search.add(snapshot.connection, [row["id"] for row in rows])


def _history_row(table: Table, written: Mapping[str, Any]) -> dict[str, Any]:
    row = {column.name: written.get(column.name) for column in table.columns}
    if table is transactions:
        row["user_id"] = row["user_id"] or 0
    if "at" in row:
        try:
            row["at"] = datetime.fromisoformat(str(row["at"]))
        except ValueError as error:
            raise FileError(f"{row['at']!r:.40} is not a time.") from error
    return row
