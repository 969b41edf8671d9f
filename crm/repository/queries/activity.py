"""Queries about follow-ups and interactions."""

import dataclasses
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from crm.lean_dataclass import dataclass
from crm.model import FollowUp, Interaction
from crm.repository import Query, Snapshot
from crm.repository.queries.people import EVERYBODY, OwnerFilter
from crm.repository.query import selection
from crm.repository.sql_functions import count_if, holds
from crm.repository.statements import ALL
from crm.repository.tables import follow_up, interaction, record_of


@dataclass(frozen=True, slots=True)
class WhichFollowUps:
    """Follow-ups that fit a query; only those that are `done`, or that are `repeating`, where that is said."""

    query: Query
    done: bool = False
    repeating: bool = False


def follow_ups(
    snapshot: Snapshot, which: WhichFollowUps, sort: str = "", limit: int | None = None, offset: int = 0
) -> list[FollowUp]:
    """The follow-ups in some order."""
    page = dataclasses.replace(which.query, sort=sort, limit=limit, offset=offset)
    statement = ALL[FollowUp].where(*_conditions(which))
    rows = snapshot.select(selection(statement, FollowUp, page, snapshot.clock))
    return [record_of(FollowUp, row) for row in rows]


def count_follow_ups(snapshot: Snapshot, which: WhichFollowUps) -> tuple[int, int]:
    """The number of follow-ups, and how many of them were due before today."""
    counts: list[ColumnElement[Any]] = [func.count(), count_if(follow_up.c.due_on < snapshot.today)]
    statement = select(*counts).select_from(follow_up).where(*_conditions(which))
    statement = selection(statement, FollowUp, which.query, snapshot.clock).order_by(None)
    ((count, overdue),) = snapshot.select(statement)
    return int(count), int(overdue)


def _conditions(which: WhichFollowUps) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [follow_up.c.done_on.is_not(None)] if which.done else []
    return [*conditions, follow_up.c.every > 0] if which.repeating else conditions


def interactions(
    snapshot: Snapshot,
    *,
    client: int = 0,
    contact: int = 0,
    kind: str = "",
    since: date | None = None,
    until: date | None = None,
    by: OwnerFilter = EVERYBODY,
    words: Sequence[str] = (),
    limit: int,
    offset: int = 0,
) -> list[Interaction]:
    """Interactions, the newest first: those of a client, with a contact, of a kind, on some days, logged by somebody,
    with words in the subject or the text, whatever their case; what is not given narrows nothing."""
    columns = interaction.c
    conditions = [
        columns.client == client if client else None,
        columns.contact == contact if contact else None,
        columns.kind == kind if kind else None,
        columns.on >= since if since else None,
        columns.on <= until if until else None,
        by.owns(Interaction) if by else None,
        *(or_(*(holds(column, word) for column in (columns.subject, columns.body))) for word in words),
    ]
    statement = (
        ALL[Interaction]
        .where(*(condition for condition in conditions if condition is not None))
        .order_by(columns.on.desc(), columns.time.desc(), columns.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [record_of(Interaction, row) for row in snapshot.select(statement)]
