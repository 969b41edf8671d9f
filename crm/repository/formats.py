"""What each format of a store has that the one before had not, and how an older store gets it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Engine, Index, Table
from sqlalchemy.schema import CreateColumn

from crm.repository import tables

Added = Table | Column[Any] | Index

ADDED: Mapping[int, Sequence[Added]] = {
    2: (tables.user, tables.sign_in),
    3: (
        tables.contact, tables.interaction, tables.follow_up, tables.stage, tables.deal, tables.stage_move,
        tables.client.c.last_contact_on, tables.client.c.next_follow_up_on, tables.sale.c.deal, tables.sale.c.user,
        *tables.HISTORY_INDEXES,
    ),
    4: (tables.template, tables.mailing, tables.message, tables.dashboard, *tables.WORK_INDEXES),
}  # fmt: skip


def added_since(version: int) -> Sequence[Added]:
    """What a store of an older format lacks, in the order in which it can be added."""
    return [each for later in range(version + 1, tables.SCHEMA_VERSION + 1) for each in ADDED[later]]


def bring_up(connection: Connection, version: int) -> None:
    """Adds what a store of an older format lacks, within a transaction; what is there stays as it is."""
    columns: list[Column[Any]] = []
    added = added_since(version)
    new = {each.name for each in added if isinstance(each, Table)}
    for each in added:
        if isinstance(each, Index) and each.table is not None and each.table.name in new:
            # A table comes with its indexes, those of later formats too.
            continue
        if isinstance(each, Table | Index):
            each.create(connection)
        else:
            connection.exec_driver_sql(f"ALTER TABLE {each.table.name} ADD COLUMN {in_words(each, connection.engine)}")
            columns.append(each)
    for index in {index for each in columns for index in each.table.indexes}:
        if any(each in columns for each in index.columns):
            index.create(connection)


def in_words(column: Column[Any], engine: Engine) -> str:
    """A column as a table is made with it."""
    return str(CreateColumn(column).compile(engine))
