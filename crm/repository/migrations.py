"""Migrations: what each format of a store adds, and how an older store is brought up to it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Index, Table
from sqlalchemy.schema import CreateColumn, DropIndex

from crm.model import RECORDS, fields
from crm.model.kind import Indexed
from crm.repository import tables

Added = Table | Column[Any] | Index

# What comes with a format beside the tables and columns that records declare. The id of the store and the roster of its
# accounts, since 6, are facts.
_BESIDE: Mapping[int, Sequence[Added]] = {
    3: tables.HISTORY_INDEXES,
    6: [beside for _, _, beside in tables.people_columns()],
    9: [tables.transactions.c.uid, tables.TRANSACTION_BY_UID],
}


def _declared(version: int) -> Iterator[Added]:
    """The tables, columns and indexes that records declare to be new in a format."""
    for kind in RECORDS:
        table = tables.metadata().tables[kind.kind_name]
        if kind.about.since == version:
            yield table
        yield from (table.c[name] for name, field in fields(kind).items() if field.since == version > kind.about.since)
        indexes = {str(index.name): index for index in table.indexes}
        yield from (
            indexes[f"{table.name}_{end}"]
            for end, declared in kind.about.indexes.items()
            if isinstance(declared, Indexed) and declared.since == version > kind.about.since
        )


ADDED: Mapping[int, Sequence[Added]] = {
    version: (*_declared(version), *_BESIDE.get(version, ())) for version in range(2, tables.SCHEMA_VERSION + 1)
}


def lacking(existing: Collection[tuple[str, str]], version: int) -> str:
    """The tables and columns that a store of a format lacks, of whose columns these are `existing`, in words; '' for
    nothing."""
    new = set(added_since(version))
    for table in tables.metadata().tables.values():
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


def add_missing(connection: Connection, version: int, made: Collection[Table] = ()) -> None:
    """Add what a store of an older format lacks, within a transaction; what is there stays as it is, and so do the
    tables that are `made` already as this format has them."""
    columns: list[Column[Any]] = []
    added = added_since(version)
    new = {table.name for table in (*added, *made) if isinstance(table, Table)}
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
            connection.exec_driver_sql(addition(column, connection.dialect))
            columns.append(column)
    indexes = {index for index in added if isinstance(index, Index)}
    for index in {index for column in columns for index in column.table.indexes} - indexes:
        if any(column in columns for column in index.columns):
            index.create(connection)


def addition(column: Column[Any], dialect: Dialect) -> str:
    """The statement that adds a column to its table, in the SQL of a database."""
    table = dialect.identifier_preparer.format_table(column.table)
    return f"ALTER TABLE {table} ADD COLUMN {CreateColumn(column).compile(dialect=dialect)}"
