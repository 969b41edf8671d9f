"""Queries of the reports: sales by what is known of clients, cohorts, the funnel, growth, RFM, activity."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, ColumnElement, Date, String, bindparam, case, cast, func, or_, select

from crm.model import Deal
from crm.repository import Snapshot
from crm.repository.queries.people import OwnerFilter
from crm.repository.sql_functions import days_between
from crm.repository.tables import client, deal, follow_up, interaction, sale, stage, stage_move

if TYPE_CHECKING:
    from crm.repository import AnyRow

_first: BindParameter[date] = bindparam("first")
_last: BindParameter[date] = bindparam("last")
# The day of a sale, in statements over all of them. Not the bare column: by an index of days the sales of a long period
# would have to be sorted by client, or each client looked up for each sale; the index by client has them in order.
_bought_on: ColumnElement[Any] = func.coalesce(sale.c.on, sale.c.on)


# Sales by what is known of clients, and by client.

GROUPED_BY = ("status", "owner", "country", "source")
_bought = (
    select(sale.c.client, func.sum(sale.c.amount).label("amount"), func.count().label("sales"))
    .where(_bought_on >= _first, _bought_on <= _last)
    .group_by(sale.c.client)
    .subquery("bought")
)
# A person with an account is one owner, even if others have the same name.
_GROUPS: dict[str, Sequence[ColumnElement[Any]]] = {
    "owner": (client.c.owner_id, case((client.c.owner_id == 0, client.c.owner), else_="")),
}
_SALES_BY_FIELD = {
    name: select(
        func.min(client.c[name]),
        func.sum(_bought.c.amount),
        func.sum(_bought.c.sales),
        func.count(_bought.c.client),
        func.count(),
    )
    .select_from(client.outerjoin(_bought, _bought.c.client == client.c.id))
    .group_by(*_GROUPS.get(name, (client.c[name],)))
    for name in GROUPED_BY
}
_SALES_BY_CLIENT = (
    select(
        _bought,
        func.sum(_bought.c.amount).over().label("all_amount"),
        func.sum(_bought.c.sales).over().label("all_sales"),
        func.count().over().label("all_clients"),
    )
    .order_by(_bought.c.amount.desc(), _bought.c.client)
    .limit(bindparam("top"))
)


def sales_by_field(snapshot: Snapshot, field: str, first: date, last: date) -> "Sequence[AnyRow]":
    """The sales of some days by a field of the clients, one of GROUPED_BY: its value, the sum, None for nothing, the
    number of sales, of clients who bought, and of clients."""
    return snapshot.select(_SALES_BY_FIELD[field], first=first, last=last)


def sales_by_client(snapshot: Snapshot, first: date, last: date, top: int) -> "Sequence[AnyRow]":
    """The clients who bought most on some days: client, amount, sales, and beside each what all bought for
    (all_amount), how often (all_sales), and how many they are (all_clients)."""
    return snapshot.select(_SALES_BY_CLIENT, first=first, last=last, top=top)


# Cohorts.


def _month(day: ColumnElement[Any]) -> ColumnElement[str]:
    """The month of a date as text, 2026-11; a date as text is the same in all databases."""
    return func.substr(cast(day, String), 1, 7)


_cohort, _bought_in = _month(client.c.first_sale_on), _month(sale.c.on)
_COHORTS = (
    select(_cohort, _bought_in, func.count(sale.c.client.distinct()), func.sum(sale.c.amount))
    .join_from(client, sale, sale.c.client == client.c.id)
    .where(client.c.first_sale_on >= _first, client.c.first_sale_on <= _last, _bought_on <= _last)
    .group_by(_cohort, _bought_in)
)


def cohorts(snapshot: Snapshot, first: date, last: date) -> "Sequence[AnyRow]":
    """The sales until a day of clients who first bought on some days: the month of the first sale, that of the sales,
    how many clients bought, and for how much."""
    return snapshot.select(_COHORTS, first=first, last=last)


# The funnel.

_order = (stage_move.c.on, stage_move.c.id)


def _afterwards(value: ColumnElement[int]) -> ColumnElement[int]:
    """The greatest value among the moves of the same deal that come after one."""
    return func.max(value).over(partition_by=stage_move.c.deal, order_by=_order, rows=(1, None))


def _before(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column of the same deal's move before one."""
    return func.lag(column).over(partition_by=stage_move.c.deal, order_by=_order)


_moves = (
    select(
        stage_move.c.deal,
        stage_move.c.stage,
        stage.c.position,
        # What comes after, where it is no end in loss.
        _afterwards(case((stage.c.outcome != "lost", stage.c.position))).label("furthest"),
        _afterwards(case((stage.c.outcome == "won", 1))).label("won"),
    )
    .join_from(stage_move, stage, stage.c.id == stage_move.c.stage)
    .where(stage_move.c.on >= _first, stage_move.c.on <= _last)
    .subquery("moves")
)
_REACHED = select(
    _moves.c.stage,
    func.count(_moves.c.deal.distinct()),
    func.count(case((_moves.c.furthest > _moves.c.position, _moves.c.deal)).distinct()),
    func.count(case((_moves.c.won == 1, _moves.c.deal)).distinct()),
).group_by(_moves.c.stage)

_left = (
    select(stage_move.c.on, _before(stage_move.c.stage).label("stage"), _before(stage_move.c.on).label("since"))
    .where(stage_move.c.on <= _last)
    .subquery("stays")
)
_days = days_between(_left.c.on, _left.c.since)
_STAYED = (
    select(_left.c.stage, _days, func.count())
    .where(_left.c.on >= _first, _left.c.stage.is_not(None))
    .group_by(_left.c.stage, _days)
)


def deals_that_reached(snapshot: Snapshot, first: date, last: date) -> "Sequence[AnyRow]":
    """The number of deals by stage that reached it on some days: stage, deals, and how many of these went on, and were
    won."""
    return snapshot.select(_REACHED, first=first, last=last)


def stays(snapshot: Snapshot, first: date, last: date) -> "Sequence[AnyRow]":
    """The stays in stages that ended on some days: stage, how many days they took, and how many took so many."""
    return snapshot.select(_STAYED, first=first, last=last)


# Growth.

_FIRST_SALES = (
    select(client.c.first_sale_on, func.count())
    .where(client.c.first_sale_on.is_not(None))
    .group_by(client.c.first_sale_on)
)
_following = func.lead(sale.c.on, type_=Date).over(partition_by=sale.c.client, order_by=sale.c.on)
_in_turn = select(sale.c.on, _following.label("next")).subquery("in_turn")
_GAPS = (
    select(_in_turn.c.on, _in_turn.c.next, func.count())
    .where(or_(_in_turn.c.next.is_(None), days_between(_in_turn.c.next, _in_turn.c.on) > bindparam("days")))
    .group_by(_in_turn.c.on, _in_turn.c.next)
)


def first_sales(snapshot: Snapshot) -> "Sequence[AnyRow]":
    """The number of clients by the day of their first sale: day, clients."""
    return snapshot.select(_FIRST_SALES)


def gaps(snapshot: Snapshot, days: int) -> "Sequence[AnyRow]":
    """Each day of sales after which clients bought nothing for more than some days: that day, the day on which they
    bought again, None for not yet, and how many clients."""
    return snapshot.select(_GAPS, days=days)


# Recency, frequency, monetary.

_clients = func.count().over()
_later = func.rank().over(order_by=client.c.last_sale_on.desc()) - 1
_fewer = func.rank().over(order_by=client.c.sales_count) - 1
_less = func.rank().over(order_by=client.c.total_spend) - 1
_scored = (
    select(
        (5 - 5 * _later // _clients).label("recency"),
        (1 + 5 * _fewer // _clients).label("frequency"),
        (1 + 5 * _less // _clients).label("monetary"),
        client.c.total_spend,
    )
    .where(client.c.sales_count > 0)
    .subquery("scored")
)
_scores = (_scored.c.recency, _scored.c.frequency, _scored.c.monetary)
_RFM = select(*_scores, func.count(), func.sum(_scored.c.total_spend)).group_by(*_scores)


def rfm(snapshot: Snapshot) -> "Sequence[AnyRow]":
    """The clients who bought by their scores: recency, frequency, monetary, how many they are, what they spent."""
    return snapshot.select(_RFM)


# The forecast.

_EXPECTED = (
    select(deal.c.expected_close_on, deal.c.stage, func.count(), func.sum(deal.c.value))
    .where(deal.c.closed_on.is_(None))
    .group_by(deal.c.expected_close_on, deal.c.stage)
)


def expected_deals(snapshot: Snapshot, owner: OwnerFilter) -> "Sequence[AnyRow]":
    """The open deals of somebody: the day on which they are expected to close, stage, how many, and their value."""
    return snapshot.select(_EXPECTED.where(owner.owns(Deal)))


# Activity by person.

_SPOKEN = (
    select(interaction.c.user_id, interaction.c.user, interaction.c.kind, func.count())
    .where(interaction.c.on >= _first, interaction.c.on <= _last)
    .group_by(interaction.c.user_id, interaction.c.user, interaction.c.kind)
)
_DONE = (
    select(follow_up.c.user_id, follow_up.c.user, func.count())
    .where(follow_up.c.done_on >= _first, follow_up.c.done_on <= _last)
    .group_by(follow_up.c.user_id, follow_up.c.user)
)
_WON = (
    select(deal.c.owner_id, deal.c.owner, func.count(), func.sum(deal.c.value))
    .join_from(deal, stage, stage.c.id == deal.c.stage)
    .where(stage.c.outcome == "won", deal.c.closed_on >= _first, deal.c.closed_on <= _last)
    .group_by(deal.c.owner_id, deal.c.owner)
)
_SOLD = (
    select(sale.c.user_id, sale.c.user, func.count(), func.sum(sale.c.amount))
    .where(sale.c.on >= _first, sale.c.on <= _last)
    .group_by(sale.c.user_id, sale.c.user)
)


def interactions_by_person(snapshot: Snapshot, first: date, last: date) -> "Sequence[AnyRow]":
    """The interactions of some days: account, name, kind, count."""
    return snapshot.select(_SPOKEN, first=first, last=last)


def follow_ups_done_by_person(snapshot: Snapshot, first: date, last: date) -> "Sequence[AnyRow]":
    """The follow-ups that were done on some days: account, name, count."""
    return snapshot.select(_DONE, first=first, last=last)


def deals_won_by_person(snapshot: Snapshot, first: date, last: date) -> "Sequence[AnyRow]":
    """The deals that were won on some days: account, name, count, value."""
    return snapshot.select(_WON, first=first, last=last)


def sales_by_person(snapshot: Snapshot, first: date, last: date) -> "Sequence[AnyRow]":
    """The sales of some days by who recorded them: account, name, count, amount."""
    return snapshot.select(_SOLD, first=first, last=last)
