"""The statements of a transaction, made once: building one anew takes longer than running it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Insert,
    Integer,
    Select,
    String,
    Subquery,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)  # fmt: skip

from crm.model import ARRIVED, CONTACTING, RECORDS, FollowUp, Interaction, Message, Record, Sale
from crm.model.rights import SECRET
from crm.repository.column_types import JsonText
from crm.repository.sql_functions import json_object
from crm.repository.tables import TABLES, audit, client, follow_up, interaction, message, sale

# The columns of a client that follow from the rules.
STATUS = ("status", "status_reason", "status_pinned_until", "status_before", "status_since")

DELETE = {
    kind: delete(table).where(table.c.id.in_(bindparam("wanted", expanding=True))) for kind, table in TABLES.items()
}

# What lets people in is sealed, and in a spreadsheet nothing is taken of what is done to it by hand.
SEALED: Sequence[type[Record]] = tuple(kind for kind in RECORDS if kind.kind_name in SECRET)

_Whose = Callable[[Table], ColumnElement[bool]]


def _of_some(table: Table) -> ColumnElement[bool]:
    return table.c.client.in_(bindparam("wanted", expanding=True))


def _of_one(table: Table) -> ColumnElement[bool]:
    return table.c.client == bindparam("wanted")


# Sums of some clients and of one, whose statement takes half as long to be made ready.
_Sums = tuple[Select[Any], Select[Any]]


def _summed(table: Table, *sums: ColumnElement[Any], among: Sequence[ColumnElement[bool]] = ()) -> _Sums:
    """Sums over the rows of clients: the client, then what is summed."""
    summed = select(table.c.client, *sums).where(*among).group_by(table.c.client)
    return summed.where(_of_some(table)), summed.where(_of_one(table))


def touched(whose: _Whose | None = None) -> Subquery:
    """Every day on which a client and somebody of the team were in touch: the client, then the day."""
    spoken = select(interaction.c.client, interaction.c.on).where(interaction.c.kind.in_(CONTACTING))
    written = select(message.c.client, message.c.on).where(message.c.state.in_(ARRIVED))
    if whose:
        spoken, written = spoken.where(whose(interaction)), written.where(whose(message))
    return union_all(spoken, written).subquery("touched")


def _last_touched(whose: _Whose) -> Select[Any]:
    days = touched(whose).c
    return select(days.client, func.max(days.on)).group_by(days.client)


_CONTACTED = (("last_contact_on",), (_last_touched(_of_some), _last_touched(_of_one)))
# The columns of a client that follow from the facts of each kind, and how they are summed.
SUMS: Mapping[type[Record], tuple[Sequence[str], _Sums]] = {
    Sale: (
        ("total_spend", "sales_count", "first_sale_on", "last_sale_on"),
        _summed(sale, func.sum(sale.c.amount), func.count(), func.min(sale.c.on), func.max(sale.c.on)),
    ),
    Interaction: _CONTACTED,
    Message: _CONTACTED,
    FollowUp: (
        ("next_follow_up_on",),
        _summed(follow_up, func.min(follow_up.c.due_on), among=(follow_up.c.done_on.is_(None),)),
    ),
}
# The open follow-ups of some clients that repeat, with the last contact as it stands beside the client.
REPEATING = (
    select(follow_up.c.id, follow_up.c.client, client.c.last_contact_on)
    .join_from(follow_up, client)
    .where(
        follow_up.c.client.in_(bindparam("wanted", expanding=True)),
        follow_up.c.done_on.is_(None),
        follow_up.c.every > 0,
    )
    .order_by(follow_up.c.id)
)
TOTALS = tuple(dict.fromkeys(name for names, _ in SUMS.values() for name in names))

FOLLOW = (
    update(client)
    .where(client.c.id == bindparam("wanted"))
    .values(
        {
            **{name: bindparam(f"new_{name}") for name in TOTALS + STATUS},
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
    for kind, table in TABLES.items()
}


def numbered(first: int, by: ColumnElement[int]) -> ColumnElement[int]:
    """Numbers from `first` on for rows in an order."""
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
