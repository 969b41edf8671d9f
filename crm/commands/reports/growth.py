"""The growth report: clients won, lost and won back, month by month."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.list_parameters import Since
from crm.commands.registry import About
from crm.commands.reports.periods import periods, recent
from crm.commands.reports.report import Chart, Column, Report, Row, percent
from crm.commands.reports.report_parameters import Until, last_day
from crm.commands.reports.writing import report_command
from crm.model.fields import Whole
from crm.repository import Snapshot
from crm.repository.queries import reports

_MONTHS = 12
_COLUMNS = (
    Column("month", "Month", "month"),
    Column("new", "New", "count"),
    Column("churned", "Churned", "count"),
    Column("active", "Active", "count"),
    Column("churn", "Churn", "percent"),
    Column("returned", "Returned", "count"),
)


@report_command("reports growth", title="New clients and churn", hint="New and lost clients each month")
def growth(
    crm: CRM,
    days: Annotated[
        int, Whole(1, 3650), About("Days", "how many without a sale until a client counts as churned")
    ] = 180,
    since: Since = None,
    until: Until = None,
) -> Report:
    """Count new and lost clients each month, those who came back, and how many were active at the end of it.

    A client is active on the day of a sale and for DAYS days after it. It is new on the day of its first sale, churned
    on the first day on which it is no longer active, and returned on the day of the next sale; it may churn again. So
    active at the end = active at the beginning + new + returned - churned. Churn is the number of churned clients in
    percent of those active at the beginning; for all months it is the average.

    This is growth accounting as Jonathan Hsu describes it (Diligence at Social Capital, part 1: Accounting for User
    Growth, where returned is called resurrected), day by day rather than from month to month. Without a first day these
    are the last twelve months.
    """
    until = last_day(crm, since, until)
    since = since or recent("month", _MONTHS, until)
    with crm.read() as snapshot:
        won, lost, back = _moves(snapshot, days, until)
    before = since - timedelta(days=1)
    new, churned, returned = (_between(dates, date.min, before) for dates in (won, lost, back))
    active = new + returned - churned
    rows: list[Row] = []
    for month in periods("month", since, until):
        new, churned, returned = (_between(dates, month.first, month.last) for dates in (won, lost, back))
        # Where a client counts as churned within the month in which it came, that is no part of those at its beginning.
        rate = percent(churned, active) if churned <= active else None
        active += new + returned - churned
        rows.append((month.name, new, churned, active, rate, returned))
    new, churned, returned = (sum(row[place] for row in rows) for place in (1, 2, 5))
    rates = [row[4] for row in rows if row[4] is not None]
    average = percent(sum(rates, Decimal()), 100 * len(rates))
    total = ("Total", new, churned, active, average, returned)
    note = (
        "A client is new in the month of its first sale, not when it was added. A client who bought nothing for"
        f" {days} days has churned. Active is the number of active clients at the end of the month."
        " The churn of all months is their average."
    )
    chart = Chart("columns", ("new", "churned"))
    return Report("New clients and churn", since, until, _COLUMNS, rows, total, chart, note)


_ByDay = Counter[date]


def _moves(snapshot: Snapshot, days: int, until: date) -> tuple[_ByDay, _ByDay, _ByDay]:
    """The number of clients who were won, lost and won back on each day until one."""
    won, lost, back = _ByDay(), _ByDay(), _ByDay()
    for on, clients in reports.first_sales(snapshot):
        won[on] = clients
    too_long = timedelta(days=days + 1)
    for on, following, clients in reports.gaps(snapshot, days):
        if until - on >= too_long:
            lost[on + too_long] += clients
        if following is not None:
            back[following] += clients
    return won, lost, back


def _between(by_day: _ByDay, first: date, last: date) -> int:
    return sum(clients for day, clients in by_day.items() if first <= day <= last)
