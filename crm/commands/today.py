"""Today: the first screen, what the team looks at in the morning."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sqlalchemy import func, literal, select, union_all

from crm.commands.context import CRM
from crm.commands.registry import command
from crm.model import Client
from crm.repository import Query, Snapshot
from crm.repository.tables import client, record_columns, record_of, sale

_MONTHS = 13
_LISTED = 5
_BIRTHDAYS_WITHIN = 14
_MOVED_WITHIN = 30


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many clients have a status."""

    status: str
    clients: int


@dataclass(frozen=True, slots=True)
class MonthOfSales:
    """The sales of a month, named by its first day."""

    month: date
    amount: Decimal
    sales: int


@dataclass(frozen=True, slots=True)
class Birthday:
    """A client's next birthday and the age it brings."""

    client: Client
    on: date
    turns: int


@dataclass(frozen=True, slots=True)
class TodayReport:
    """The state of things on a day: `months` are the last thirteen, the oldest first, so that the first is
    this month a year ago and the last two are last month and this one. `moved` are clients whose status
    changed within 30 days, the biggest spenders first."""

    on: date
    clients: int
    statuses: Sequence[StatusCount]
    months: Sequence[MonthOfSales]
    newest: Sequence[Client]
    moved: Sequence[Client]
    birthdays: Sequence[Birthday]


@command("today", title="Today", menu="today")
def today(crm: CRM) -> TodayReport:
    """Shows clients by status, sales by month, the newest clients, who moved, and birthdays to come."""
    day = crm.today
    with crm.read() as snapshot:
        counted = snapshot.select(select(client.c.status, func.count()).group_by(client.c.status))
        statuses = sorted((StatusCount(status, clients) for status, clients in counted), key=lambda each: -each.clients)
        return TodayReport(
            day,
            sum(each.clients for each in statuses),
            statuses,
            _months(snapshot, day),
            snapshot.find_all(Client, Query(sort="-id", limit=_LISTED)),
            _moved(snapshot, day),
            _birthdays(snapshot, day),
        )


def _months(snapshot: Snapshot, day: date) -> list[MonthOfSales]:
    firsts = [_months_ago(day, back) for back in range(_MONTHS - 1, -2, -1)]
    # A sum for each range is read from the index; grouping by month would call a function for each sale.
    sums = [
        select(literal(at).label("at"), func.sum(sale.c.amount), func.count()).where(
            sale.c.on >= first, sale.c.on < end
        )
        for at, (first, end) in enumerate(pairwise(firsts))
    ]
    rows: dict[int, Any] = {row.at: row for row in snapshot.select(select(union_all(*sums).subquery()))}
    return [MonthOfSales(firsts[at], rows[at][1] or Decimal("0.00"), rows[at][2]) for at in range(_MONTHS)]


def _months_ago(day: date, back: int) -> date:
    """The first day of the month so many months before."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _moved(snapshot: Snapshot, day: date) -> list[Client]:
    recent = client.c.status_since >= day - timedelta(days=_MOVED_WITHIN)
    statement = (
        select(*record_columns(Client))
        .where(client.c.status_before != "", client.c.status_before != client.c.status, recent)
        .order_by(client.c.total_spend.desc(), client.c.id)
        .limit(_LISTED)
    )
    return [record_of(Client, row) for row in snapshot.select(statement)]


def _birthdays(snapshot: Snapshot, day: date) -> list[Birthday]:
    days = {_born_on(each): each for each in (day + timedelta(days=ahead) for ahead in range(_BIRTHDAYS_WITHIN + 1))}
    # Who was born on a leap day has a birthday on the last of February in other years.
    leap = next(
        (each for each in days.values() if each.month == 2 and each.day == 28 and not _is_leap(each.year)), None
    )
    if leap:
        days["02-29"] = leap
    statement = select(*record_columns(Client)).where(client.c.birthday.in_(days)).limit(200)
    found = [record_of(Client, row) for row in snapshot.select(statement)]
    coming = [
        Birthday(
            each, days[_born_on(each.date_of_birth)], days[_born_on(each.date_of_birth)].year - each.date_of_birth.year
        )
        for each in found
        if each.date_of_birth
    ]
    return sorted(coming, key=lambda each: (each.on, each.client.name))[: _LISTED * 2]


def _born_on(day: date) -> str:
    return day.strftime("%m-%d")


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
