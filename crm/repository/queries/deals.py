"""Queries about deals in their stages: sums, lists, the cards of a board, and deals that nothing happens to."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from crm.errors import FieldError
from crm.lean_dataclass import dataclass
from crm.model import Deal, Stage
from crm.model.folding import fold
from crm.repository import Query, Snapshot, sql_functions
from crm.repository.queries.people import EVERYBODY, OwnerFilter
from crm.repository.query import selection
from crm.repository.statements import ALL
from crm.repository.tables import client, deal, record_of, stage

_SORTS: Mapping[str, ColumnElement[Any]] = {
    "client": client.c.sort_name,
    "stage": stage.c.position,
    **{name: deal.c[name] for name in (
        "id", "title", "value", "expected_close_on", "owner", "stage_since", "closed_on", "lost_reason", "created_at",
        "updated_at",
    )},
}  # fmt: skip
_USEFUL = ("client", "stage", "title", "value", "expected_close_on")
_WORDS = frozenset(("title", "owner", "lost_reason"))
# Since when nothing has happened to a deal: nobody spoke to its client, and it did not move.
_quiet_since: ColumnElement[Any] = case(
    (client.c.last_contact_on > deal.c.stage_since, client.c.last_contact_on), else_=deal.c.stage_since
)


@dataclass(frozen=True, slots=True)
class WhichDeals:
    """Deals in some stages (by id), of a client, an owner, expected to close within days, both
    included, or with a text in the title, the notes or the client's name. Of closed ones those that were closed since a
    day."""

    stages: Sequence[int]
    client: int = 0
    owner: OwnerFilter = EVERYBODY
    since: date | None = None
    until: date | None = None
    text: str = ""
    closed_since: date | None = None


def _conditions(which: WhichDeals, stage_id: ColumnElement[int] = deal.c.stage) -> list[ColumnElement[bool]]:
    """The same in SQL, over deals and their clients; `stage_id` is the stage of a deal."""
    conditions: list[ColumnElement[bool]] = [stage_id.in_(which.stages)]
    if which.client:
        conditions.append(deal.c.client == which.client)
    if which.owner:
        conditions.append(which.owner.owns(Deal))
    if which.since:
        conditions.append(deal.c.expected_close_on >= which.since)
    if which.until:
        conditions.append(deal.c.expected_close_on <= which.until)
    if which.closed_since:
        conditions.append(or_(deal.c.closed_on.is_(None), deal.c.closed_on >= which.closed_since))
    for word in which.text.split():
        holds = [sql_functions.holds_folded(column, word) for column in (deal.c.title, deal.c.notes)]
        # The names of a client are stored as `fold` makes them.
        conditions.append(or_(*holds, client.c.search_name.contains(fold(word).strip(), autoescape=True)))
    return conditions


def _narrowed(statement: Select[Any], which: WhichDeals, stage_id: ColumnElement[int] = deal.c.stage) -> Select[Any]:
    """A statement over deals alone; the clients come in only where a text may be in their names."""
    if which.text:
        statement = statement.join(client, client.c.id == deal.c.client)
    return statement.where(*_conditions(which, stage_id))


def sums_by_stage(snapshot: Snapshot, which: WhichDeals) -> Mapping[int, tuple[int, Decimal]]:
    """The number and the value of the deals in each stage, by its id; empty stages are left out."""
    # Not the bare column: deals are read in turn faster than one by one in the order of an index of stages.
    stage_id: ColumnElement[Any] = func.coalesce(deal.c.stage, deal.c.stage)
    statement: Select[Any] = select(stage_id, func.count(), func.sum(deal.c.value)).group_by(stage_id)
    rows = snapshot.select(_narrowed(statement, which, stage_id))
    return {number: (count, value) for number, count, value in rows}


def listed(
    snapshot: Snapshot, which: WhichDeals, sort: str = "", limit: int | None = None, offset: int = 0
) -> list[Deal]:
    """The deals in the order of their stages, the most valuable first, unless `sort` says otherwise. Raises FieldError
    for what it cannot sort by."""
    statement = ALL[Deal].join(client, client.c.id == deal.c.client)
    statement = statement.join(stage, stage.c.id == deal.c.stage).where(*_conditions(which))
    rows = snapshot.select(statement.order_by(*_order(sort)).limit(limit).offset(offset or None))
    return [record_of(Deal, row) for row in rows]


def _order(sort: str) -> Sequence[ColumnElement[Any]]:
    name = sort.removeprefix("-").replace("-", "_")
    if not name:
        return (stage.c.position, deal.c.value.desc(), deal.c.id.desc())
    if name not in _SORTS:
        from crm.repository.field_advice import advice

        raise FieldError(f"deals are not sorted by {name}; {advice(name, _SORTS, _USEFUL)}", field="sort")
    column = _SORTS[name]
    value: ColumnElement[Any] = sql_functions.folded(column) if name in _WORDS else column
    # What has no value comes last either way.
    last = (column.is_(None) if name not in _WORDS else column == "",)
    return (*last, value.desc() if sort.startswith("-") else value, deal.c.id)


def of_stage(snapshot: Snapshot, of: Stage, which: WhichDeals, limit: int, offset: int = 0) -> list[Deal]:
    """Some of the deals in one stage, the most valuable first; of closed ones those that were closed last."""
    latest = (deal.c.closed_on.desc(),) if of.outcome != "open" else ()
    # In the order of the index, so that no more is read than is shown.
    order = (*latest, deal.c.value.desc(), deal.c.id.desc())
    statement = _narrowed(ALL[Deal].where(deal.c.stage == of.id), which)
    rows = snapshot.select(statement.order_by(*order).limit(limit).offset(offset or None))
    return [record_of(Deal, row) for row in rows]


def place_in_stage(snapshot: Snapshot, of: Deal, which: WhichDeals) -> int:
    """The number of deals that are before one among those of its stage, as `of_stage` lists them."""
    after = and_(deal.c.value == of.value, deal.c.id > of.id)
    before = or_(deal.c.value > of.value, after)
    if of.closed_on:
        before = or_(deal.c.closed_on > of.closed_on, and_(deal.c.closed_on == of.closed_on, before))
    ((count,),) = snapshot.select(_narrowed(select(func.count()).where(deal.c.stage == of.stage, before), which))
    return int(count)


def quiet(snapshot: Snapshot, owner: OwnerFilter, since: date, most: int, but: int = 0) -> tuple[int, list[int]]:
    """Open deals to which nothing has happened since a day and that need not be closed by now: how many, and the ids of
    the `most` quietest after the first `but`."""
    among = (
        # What has moved lately is left out before anybody looks at its client.
        deal.c.stage_since <= since,
        _quiet_since <= since,
        or_(deal.c.expected_close_on.is_(None), deal.c.expected_close_on >= snapshot.today),
    )
    query = Query({"closed_on": None, **owner.filters(Deal)})

    def narrowed(*columns: Any) -> Select[Any]:
        joined = select(*columns).join_from(deal, client).where(*among)
        return selection(joined, Deal, query, snapshot.clock).order_by(None)

    ((count,),) = snapshot.select(narrowed(func.count()))
    if not (count > but and most):
        return count, []
    rows = snapshot.select(narrowed(deal.c.id).order_by(_quiet_since, deal.c.id).limit(most).offset(but))
    return count, [row[0] for row in rows]
