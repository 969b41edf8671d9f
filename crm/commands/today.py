"""Today: the first screen, what the team looks at in the morning."""

from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from sqlalchemy import bindparam, func, select

from crm.commands.agenda import Agenda, of_snapshot
from crm.commands.context import CRM
from crm.commands.people import Mine
from crm.commands.registry import command
from crm.model import Client
from crm.repository import Query, Snapshot
from crm.repository.tables import client, record_columns, record_of, sale

_MONTHS = 13
_LISTED = 5
_TO_DO = 20
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
    changed within 30 days, the biggest spenders first. `agenda` is what needs doing most."""

    on: date
    clients: int
    statuses: Sequence[StatusCount]
    months: Sequence[MonthOfSales]
    newest: Sequence[Client]
    moved: Sequence[Client]
    birthdays: Sequence[Birthday]
    agenda: Agenda


@command("today", title="Today", menu="today")
def today(crm: CRM, mine: Mine = False) -> TodayReport:
    """Shows what needs doing, clients by status, sales by month, the newest clients, who moved, and birthdays to come.

    `mine` narrows what needs doing; `agenda` lists all of it.
    """
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
            of_snapshot(crm, snapshot, mine, _TO_DO),
        )


# One statement for each month in turn: a sum over a range is read from the index alone, while grouping by
# month would call a function for each sale.
_SUM_OF_RANGE = select(func.sum(sale.c.amount), func.count()).where(
    sale.c.on >= bindparam("first"), sale.c.on < bindparam("end")
)


def _months(snapshot: Snapshot, day: date) -> list[MonthOfSales]:
    firsts = [_months_ago(day, back) for back in range(_MONTHS - 1, -2, -1)]
    months = []
    for first, end in pairwise(firsts):
        ((amount, sales),) = snapshot.select(_SUM_OF_RANGE, first=first, end=end)
        months.append(MonthOfSales(first, amount or Decimal("0.00"), sales))
    return months


def _months_ago(day: date, back: int) -> date:
    """The first day of the month so many months before."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _moved(snapshot: Snapshot, day: date) -> list[Client]:
    recent = client.c.status_since >= day - timedelta(days=_MOVED_WITHIN)
    largest = (client.c.total_spend.desc(), client.c.id)
    # Who they are is told by the index alone; only they are then read.
    moved = (
        select(client.c.id)
        .where(client.c.status_before != "", client.c.status_before != client.c.status, recent)
        .order_by(*largest)
        .limit(_LISTED)
    )
    statement = select(*record_columns(Client)).where(client.c.id.in_(moved)).order_by(*largest)
    return [record_of(Client, row) for row in snapshot.select(statement)]


_BORN_ON = (
    select(*record_columns(Client))
    .where(client.c.birthday == bindparam("born_on"))
    .order_by(client.c.sort_name)
    .limit(_LISTED * 2)
)


def _birthdays(snapshot: Snapshot, day: date) -> list[Birthday]:
    coming: list[Birthday] = []
    for ahead in range(_BIRTHDAYS_WITHIN + 1):
        on = day + timedelta(days=ahead)
        # Who was born on a leap day has a birthday on the last of February in other years.
        leap_day_too = (on.month, on.day) == (2, 28) and not isleap(on.year)
        for born_on in [on.strftime("%m-%d"), "02-29"][: 1 + leap_day_too]:
            rows = snapshot.select(_BORN_ON, born_on=born_on)
            for each in (record_of(Client, row) for row in rows):
                if each.date_of_birth:
                    coming.append(Birthday(each, on, on.year - each.date_of_birth.year))
        if len(coming) >= _LISTED * 2:
            break
    return coming[: _LISTED * 2]
