"""The statements of a transaction, made once: building one again takes longer than running it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Insert,
    Integer,
    String,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)  # fmt: skip

from crm.model import RECORDS, Client, Record
from crm.repository import sums
from crm.repository.column_types import JsonText
from crm.repository.sql_functions import json_object
from crm.repository.tables import TABLES, audit, client, follow_up

# The columns of a client that follow from the rules.
STATUS = ("status", "status_reason", "status_pinned_until", "status_before", "status_since")

DELETE = {
    kind: delete(TABLES[kind]).where(TABLES[kind].c.id.in_(bindparam("wanted", expanding=True))) for kind in RECORDS
}

# The open follow-ups of some clients that repeat, with the last contact as it is beside the client.
REPEATING = (
    select(follow_up.c.id, follow_up.c.client, client.c.last_contact_on)
    .join_from(follow_up, client)
    .where(
        follow_up.c.client.in_(bindparam("wanted", expanding=True)),
        follow_up.c.done_on.is_(None),
        follow_up.c.every > 0,
        # One with a time of day is an appointment, and stays where somebody has put it.
        follow_up.c.due_time == "",
    )
    .order_by(follow_up.c.id)
)
FOLLOW = (
    update(client)
    .where(client.c.id == bindparam("wanted"))
    .values(
        {
            **{name: bindparam(f"new_{name}") for name in sums.names(Client) + STATUS},
            "version": client.c.version + 1,
            "updated_at": bindparam("at"),
        }
    )
)

# An audit entry for each record just created, made by the database itself.
ENTER_CREATED = {
    kind: insert(audit).from_select(
        ["id", "transaction", "record", "record_id", "operation"],
        select(
            # The new ids follow one another, and so do those of their entries.
            table.c.id + bindparam("ahead", type_=Integer),
            bindparam("transaction", type_=Integer),
            literal(kind.kind_name, String),
            table.c.id,
            literal("create", String),
        )
        .where(table.c.id.between(bindparam("first"), bindparam("last")))
        .order_by(table.c.id),
    )
    for kind, table in ((kind, TABLES[kind]) for kind in RECORDS)
}


def numbered(first: int, by: ColumnElement[int]) -> ColumnElement[int]:
    """Number from `first` on for rows in an order."""
    return literal(first - 1, Integer) + func.row_number().over(order_by=by)


class Entry(NamedTuple):
    """One audit entry of a transaction: which record, what was done, and the changed fields before and after."""

    record: str
    record_id: int
    operation: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


# The audit entries of a transaction in their order, as the fields of `Entry`.
ENTRIES = (
    select(*(audit.c[name] for name in Entry._fields))
    .where(audit.c.transaction == bindparam("wanted"))
    .order_by(audit.c.id)
)


def enter_changed(
    kind: type[Record], among: ColumnElement[bool], now: Mapping[str, Any], number: int, first: int
) -> Insert:
    """An audit entry, numbered from `first` on, for each of some records that are about to get the same values, made by
    the database itself."""
    table = TABLES[kind]
    before = [part for name in now for part in (literal(name, String), table.c[name])]
    entries = select(
        numbered(first, table.c.id), literal(number, Integer), literal(kind.kind_name, String), table.c.id,
        literal("update", String),
        json_object(*before), literal(now, JsonText),
    ).where(among).order_by(table.c.id)  # fmt: skip
    columns = ["id", "transaction", "record", "record_id", "operation", "before", "after"]
    return insert(audit).from_select(columns, entries)
