"""Queries about a store as a whole."""

from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import func, select

from crm.model import RECORDS, Client, Record, Sale
from crm.repository import Snapshot
from crm.repository.tables import TABLES, audit, setting, transactions

_SETTINGS = select(setting.c.key, setting.c.value)


def settings(snapshot: Snapshot) -> dict[str, str]:
    """The settings of the team by name, whatever is in the other columns of their rows."""
    return {str(name): str(value) for name, value in snapshot.select(_SETTINGS)}


def counts(snapshot: Snapshot) -> dict[str, int]:
    """The number of records of each kind in a store, the history included."""
    tables = {kind.plural: TABLES[kind] for kind in RECORDS} | {"transactions": transactions, "changes": audit}
    counted = {name: select(func.count()).select_from(table) for name, table in tables.items()}
    return {name: int(snapshot.select(statement)[0][0]) for name, statement in counted.items()}


def values_of(snapshot: Snapshot, kind: type[Record], field: str, begun: str, limit: int) -> Iterable[str]:
    """The values of a field that begin so."""
    column = TABLES[kind].c[field]
    statement = select(column).distinct().order_by(column)
    # SQL compares letters of the English alphabet alone alike in either case.
    if begun and begun.isascii():
        statement = statement.where(column.startswith(begun, autoescape=True)).limit(limit)
    return [str(value) for (value,) in snapshot.select(statement) if value]


def sums(snapshot: Snapshot) -> dict[str, Decimal]:
    """The sums of the money in a store."""
    summed = {"amount of all sales": TABLES[Sale].c.amount, "total spend of all clients": TABLES[Client].c.total_spend}
    return {name: snapshot.select(select(func.sum(column)))[0][0] or Decimal() for name, column in summed.items()}
