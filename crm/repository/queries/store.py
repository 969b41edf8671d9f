"""Queries about a store as a whole."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select

from crm.model import RECORDS
from crm.repository import Snapshot
from crm.repository.tables import TABLES, audit, client, sale, setting, transactions

_COUNTS: Mapping[str, Select[Any]] = {
    **{kind.plural: select(func.count()).select_from(TABLES[kind]) for kind in RECORDS},
    "transactions": select(func.count()).select_from(transactions),
    "changes": select(func.count()).select_from(audit),
}
_SUMS: Mapping[str, Select[Any]] = {
    "amount of all sales": select(func.sum(sale.c.amount)),
    "total spend of all clients": select(func.sum(client.c.total_spend)),
}


_SETTINGS = select(setting.c.key, setting.c.value)


def settings(snapshot: Snapshot) -> dict[str, str]:
    """The settings of the team by name, whatever stands in the other columns of their rows."""
    return {str(name): str(value) for name, value in snapshot.select(_SETTINGS)}


def counts(snapshot: Snapshot) -> dict[str, int]:
    """The number of records of each kind in a store, the history included."""
    return {name: int(snapshot.select(statement)[0][0]) for name, statement in _COUNTS.items()}


def sums(snapshot: Snapshot) -> dict[str, Decimal]:
    """The sums of the money in a store."""
    return {name: snapshot.select(statement)[0][0] or Decimal() for name, statement in _SUMS.items()}
