"""Migrations: what each format of a store adds, and how an older store is brought up to it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Engine, Index, Table, func, inspect, select, type_coerce, update
from sqlalchemy.schema import CreateColumn, DropIndex

from crm.errors import RefusedError
from crm.model import fields
from crm.repository import tables
from crm.repository.team import fill_in_accounts

Added = Table | Column[Any] | Index

# What comes with a format beside the tables and columns that records declare. The id of the store and the roster of its
# accounts, since 6, are facts.
_BESIDE: Mapping[int, Sequence[Added]] = {
    3: tables.HISTORY_INDEXES,
    4: tables.WORK_INDEXES,
    5: tables.FILTER_INDEXES,
    6: (
        *(beside for _, _, beside in tables.PEOPLE), *tables.ACCOUNT_INDEXES, *tables.WORK_INDEXES,
        tables.OPEN_SIGN_INS,
        *(index for index in tables.FILTER_INDEXES if index.name == "client_by_owner"),
    ),
}  # fmt: skip


def _declared(version: int) -> Iterator[Added]:
    """The tables and columns that records declare to be new in a format."""
    for kind, table in tables.TABLES.items():
        if kind.about.since == version:
            yield table
        yield from (table.c[name] for name, field in fields(kind).items() if field.since == version > kind.about.since)


ADDED: Mapping[int, Sequence[Added]] = {
    version: (*_declared(version), *_BESIDE.get(version, ())) for version in range(2, tables.SCHEMA_VERSION + 1)
}
# Until then people stood in records by their names alone, and no two dashboards could be of one name.
ACCOUNTS_SINCE = 6
# Until then these were kept in hundredths, since then in ten-thousandths: currencies have up to four decimals.
MONEY_SINCE = 5
MONEY = (tables.client.c.total_spend, tables.sale.c.amount, tables.deal.c.value)
_MORE = 100
# Larger amounts would not fit into a whole number of the database.
_LARGEST = 2**63 // _MORE


def version_of(written: str) -> int:
    """The format that a store says it has; 0 where it says none."""
    return int(written) if written.isdecimal() and len(written) < 10 else 0


def lacking(existing: Collection[tuple[str, str]], version: int) -> str:
    """The tables and columns that a store of a format lacks, of whose columns these are `existing`, in words; '' for
    nothing."""
    new = set(added_since(version))
    for table in tables.metadata.tables.values():
        if table in new:
            continue
        if not any(name == table.name for name, _ in existing):
            return f"the table “{table.name}”"
        for column in table.columns:
            if column not in new and (table.name, column.name) not in existing:
                return f"the column “{column.name}” of “{table.name}”"
    return ""


def added_since(version: int) -> Sequence[Added]:
    """The tables, columns and indexes that an older format lacks, in the order in which it can be added: an index may
    be over columns of a later format."""
    added = dict.fromkeys(item for later in range(version + 1, tables.SCHEMA_VERSION + 1) for item in ADDED[later])
    return sorted(added, key=lambda item: isinstance(item, Index))


def bring_up(connection: Connection, version: int) -> None:
    """Adds what a store of an older format lacks, within a transaction; what is there stays as it is. Raises
    RefusedError where an amount is too large."""
    columns: list[Column[Any]] = []
    added = added_since(version)
    new = {table.name for table in added if isinstance(table, Table)}
    if version < ACCOUNTS_SINCE and tables.dashboard.name not in new:
        _make_anew(connection, tables.dashboard)
        new.add(tables.dashboard.name)
    for column in added:
        if not isinstance(column, Table) and column.table is not None and column.table.name in new:
            # A table comes with its columns and indexes, those of later formats too.
            continue
        if isinstance(column, Index):
            # An older format may have an index of that name over other columns.
            connection.execute(DropIndex(column, if_exists=True))
        if isinstance(column, Table | Index):
            column.create(connection)
        else:
            connection.exec_driver_sql(
                f"ALTER TABLE {column.table.name} ADD COLUMN {in_words(column, connection.engine)}"
            )
            columns.append(column)
    made = {index for index in added if isinstance(index, Index)}
    for index in {index for column in columns for index in column.table.indexes} - made:
        if any(column in columns for column in index.columns):
            index.create(connection)
    if version < MONEY_SINCE:
        _make_exact(connection)
    if version < ACCOUNTS_SINCE:
        fill_in_accounts(connection)


def _make_anew(connection: Connection, table: Table) -> None:
    """Makes a table anew with all that is in it, and with the numbers given out, as SQLite takes no constraint away."""
    old = f"old_{table.name}"
    connection.exec_driver_sql(f"ALTER TABLE {table.name} RENAME TO {old}")
    table.create(connection)
    existing = {column["name"] for column in inspect(connection).get_columns(old)}
    kept = ", ".join(f'"{column.name}"' for column in table.columns if column.name in existing)
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({kept}) SELECT {kept} FROM {old}")
    connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
    connection.exec_driver_sql("UPDATE sqlite_sequence SET name = ? WHERE name = ?", (table.name, old))
    connection.exec_driver_sql(f"DROP TABLE {old}")


def scaled_since(version: int) -> Mapping[Column[Any], int]:
    """The factors by which the amounts of a store of an older format are multiplied, by column."""
    return dict.fromkeys(MONEY, _MORE) if version < MONEY_SINCE else {}


def _make_exact(connection: Connection) -> None:
    """Multiplies every amount that was kept in hundredths."""
    for amount in MONEY:
        stored = type_coerce(amount, BigInteger)
        if connection.execute(select(amount.table.c.id).where(func.abs(stored) >= _LARGEST).limit(1)).first():
            raise RefusedError(
                f"An amount in this store ({amount.table.name}) is more than this version can keep;"
                " it was left as it is."
            )
        # To put a changed row into an index, one by one, costs more than to make the index anew.
        indexes = [index for index in amount.table.indexes if amount.name in {column.name for column in index.columns}]
        for index in indexes:
            connection.execute(DropIndex(index, if_exists=True))
        connection.execute(update(amount.table).values({amount.name: stored * _MORE}).where(stored != 0))
        for index in indexes:
            index.create(connection)


def in_words(column: Column[Any], engine: Engine) -> str:
    """A column as a table is made with it."""
    return str(CreateColumn(column).compile(engine))
