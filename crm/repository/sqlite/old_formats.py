"""Formats before 6, which only SQLite has had: constraints that went, and amounts that were kept in hundredths."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Table, func, inspect, select, type_coerce, update
from sqlalchemy.schema import DropIndex

from crm.errors import RefusedError
from crm.model import OptOut
from crm.repository import tables
from crm.repository.bulk import insert_rows
from crm.repository.migrations import add_missing, added_since
from crm.repository.past_opt_outs import OPTED_OUT, past_opt_outs
from crm.repository.sqlite import counters
from crm.repository.team import fill_in_accounts

# Until then people stood in records by their names alone, and no two dashboards could be of one name.
_ACCOUNTS_SINCE = 6
# Until then these were kept in hundredths, since then in ten-thousandths: currencies have up to four decimals.
_MONEY_SINCE = 5
_MONEY = (tables.client.c.total_spend, tables.sale.c.amount, tables.deal.c.value)
_FACTOR = 100
# Until then the history alone knew who had opted out.
_OPT_OUTS_SINCE = 7
# Larger amounts would not fit into a whole number of the database.
_LARGEST = 2**63 // _FACTOR


def bring_up(connection: Connection, version: int) -> None:
    """Bring a store of an older format to this one, within a transaction. Raises RefusedError where an amount is too
    large."""
    made = []
    if version < _ACCOUNTS_SINCE and tables.dashboard not in set(added_since(version)):
        _rebuild(connection, tables.dashboard)
        made.append(tables.dashboard)
    add_missing(connection, version, made)
    if version < _MONEY_SINCE:
        _make_exact(connection)
    if version < _ACCOUNTS_SINCE:
        fill_in_accounts(connection)
    if version < _OPT_OUTS_SINCE:
        _keep_opt_outs(connection)


def scaled_since(version: int) -> Mapping[Column[Any], int]:
    """The factors by which the amounts of a store of an older format are multiplied, by column."""
    return dict.fromkeys(_MONEY, _FACTOR) if version < _MONEY_SINCE else {}


def _rebuild(connection: Connection, table: Table) -> None:
    """Rebuild a table with its rows and its last ids, since SQLite cannot drop a constraint."""
    old = f"old_{table.name}"
    connection.exec_driver_sql(f"ALTER TABLE {table.name} RENAME TO {old}")
    table.create(connection)
    existing = {column["name"] for column in inspect(connection).get_columns(old)}
    kept = ", ".join(f'"{column.name}"' for column in table.columns if column.name in existing)
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({kept}) SELECT {kept} FROM {old}")
    counters.rename(connection, old, table.name)
    connection.exec_driver_sql(f"DROP TABLE {old}")


def _keep_opt_outs(connection: Connection) -> None:
    """Make opt-outs of the links that were followed, as the history has them, but for addresses whose owners have
    agreed again since."""
    past, client = tables.transactions.c, tables.client.c
    agreed = connection.execute(select(client.email).where(client.marketing_consent)).scalars().all()
    followed = select(past.at, past.what).where(past.what.startswith(OPTED_OUT), past.undone_by.is_(None))
    history = [(row.at, row.what) for row in connection.execute(followed.order_by(past.id))]
    rows = [
        tables.row_of(replace(opt_out, id=number, version=1))
        for number, opt_out in enumerate(past_opt_outs(history, agreed), 1)
    ]
    if rows:
        insert_rows(connection, tables.TABLES[OptOut], rows)


def _make_exact(connection: Connection) -> None:
    """Multiply every amount that was kept in hundredths."""
    for amount in _MONEY:
        stored = type_coerce(amount, BigInteger)
        if connection.execute(select(amount.table.c.id).where(func.abs(stored) >= _LARGEST).limit(1)).first():
            raise RefusedError(
                f"An amount in this store ({amount.table.name}) is more than this version can keep."
                " It was left as it is."
            )
        # To put a changed row into an index, one by one, costs more than to rebuild the index.
        indexes = [index for index in amount.table.indexes if amount.name in {column.name for column in index.columns}]
        for index in indexes:
            connection.execute(DropIndex(index, if_exists=True))
        connection.execute(update(amount.table).values({amount.name: stored * _FACTOR}).where(stored != 0))
        for index in indexes:
            index.create(connection)
