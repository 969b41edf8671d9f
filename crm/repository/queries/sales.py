"""Queries about sales and deals."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import String, bindparam, func, literal, select, type_coerce

from crm.repository import Snapshot
from crm.repository.tables import deal, sale, stage

if TYPE_CHECKING:
    from crm.repository import AnyRow

_CLIENTS_WITH_SALES = select(sale.c.client).distinct()
# A sum over a range is read from the index alone, while grouping by month would call a function for each sale.
_OF_RANGE = select(func.sum(sale.c.amount), func.count()).where(
    sale.c.on >= bindparam("first"), sale.c.on <= bindparam("last")
)
_LOST = (
    select(deal.c.lost_reason, func.count(), func.sum(deal.c.value))
    .join_from(deal, stage, stage.c.id == deal.c.stage)
    .where(stage.c.outcome == "lost", deal.c.closed_on >= bindparam("first"), deal.c.closed_on <= bindparam("last"))
    .group_by(deal.c.lost_reason)
)
_REASONS = (
    select(deal.c.lost_reason)
    .where(deal.c.lost_reason != "")
    .group_by(deal.c.lost_reason)
    .order_by(func.count().desc(), deal.c.lost_reason)
)


def clients_with_sales(snapshot: Snapshot) -> set[int]:
    """The ids of the clients who have bought something."""
    return {row[0] for row in snapshot.select(_CLIENTS_WITH_SALES)}


def sum_of_range(snapshot: Snapshot, first: date, last: date) -> "AnyRow":
    """The sum, None for nothing, and the count of the sales of some days, the first and the last included."""
    (row,) = snapshot.select(_OF_RANGE, first=first, last=last)
    return row


def alike(
    snapshot: Snapshot, clients: Iterable[int], *, with_notes: bool, before: int | None = None
) -> "Sequence[AnyRow]":
    """The counts of like sales of some clients: client, day, amount and, where wanted, note; then whether they have a
    reference, and their count. `before` leaves out those with this id or a later one."""
    has_reference = (type_coerce(sale.c.reference, String) != "").label("has_reference")
    columns = [sale.c.client, sale.c.on, sale.c.amount, *([sale.c.note] if with_notes else []), has_reference]
    statement = select(*columns, func.count()).where(sale.c.client.in_(list(clients))).group_by(*columns)
    return snapshot.select(statement if before is None else statement.where(sale.c.id < before))


def with_references(snapshot: Snapshot, references: Iterable[str], *, before: int | None = None) -> "Sequence[AnyRow]":
    """The sales that have one of these references, in capitals or small letters: id, client, day, amount, reference.
    `before` leaves out those with this id or a later one."""
    # As the database lowers a text, and as it is lowered where that knows more letters.
    spelled = {text for item in references for text in (item.encode().lower().decode(), item.lower())}
    columns = (sale.c.id, sale.c.client, sale.c.on, sale.c.amount, sale.c.reference)
    statement = select(*columns).where(
        type_coerce(sale.c.reference, String) != literal("", literal_execute=True),
        func.lower(sale.c.reference).in_(sorted(spelled)),
    )
    return snapshot.select(statement if before is None else statement.where(sale.c.id < before))


def lost_deals(snapshot: Snapshot, first: date, last: date) -> "Sequence[AnyRow]":
    """The deals that were lost on some days, by the reason: reason, count, sum of their values."""
    return snapshot.select(_LOST, first=first, last=last)


def given_reasons(snapshot: Snapshot, limit: int) -> list[str]:
    """The reasons why deals were lost so far, the most frequent first."""
    return [reason for (reason,) in snapshot.select(_REASONS.limit(limit))]
