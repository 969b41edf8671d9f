"""Sales by month, quarter or year, beside those of the year before."""

from datetime import date
from decimal import Decimal

from crm.commands.context import CRM
from crm.commands.list_parameters import Since
from crm.commands.reports.periods import periods, recent, year_before
from crm.commands.reports.report import Chart, Column, Report, Row, amount, change
from crm.commands.reports.report_parameters import SHOWN, By, Until, last_day
from crm.commands.reports.writing import report_command
from crm.repository.queries.sales import sum_of_range

_YEAR = 366
_COLUMNS = (
    Column("period", "Period", "month"),
    Column("amount", "Amount", "money"),
    Column("year_before", "Year before", "money"),
    Column("change", "Change", "percent", signed=True),
    Column("sales", "Sales", "count"),
)


@report_command("reports sales", title="Sales over time", hint="By month, quarter or year")
def sales(
    crm: CRM,
    by: By = "month",
    since: Since = None,
    until: Until = None,
) -> Report:
    """Show sales by month, quarter or year beside the year before, with the change in percent.

    The current period, and one that the first or last day cuts short, is compared with the same days of the year
    before. Without a first day it shows the last twelve months, eight quarters or five years.
    """
    by, until = by or "month", last_day(crm, since, until)
    since = since or recent(by, SHOWN[by], until)
    rows: list[Row] = []
    with crm.read() as snapshot:
        known: dict[tuple[date, date], tuple[Decimal, int]] = {}

        def sold(first: date, last: date) -> tuple[Decimal, int]:
            # The year before is most often a period of its own as well.
            if (first, last) not in known:
                total, count = sum_of_range(snapshot, first, last)
                known[first, last] = amount(total), count
            return known[first, last]

        for period in periods(by, since, until):
            now, count = sold(period.first, period.last)
            before, _ = sold(*year_before(period))
            rows.append((period.name, now, before, change(now, before), count))
    all_now, all_before, sales_count = (sum(row[place] for row in rows) for place in (1, 2, 4))
    total = ("Total", all_now, all_before, change(all_now, all_before), sales_count)
    if (until - since).days > _YEAR:
        # Most of the years before are years of the range itself: their sum compares it with itself.
        total = ("Total", all_now, None, None, sales_count)
    chart = Chart("columns", ("amount", "year_before"))
    return Report(f"Sales by {by}", since, until, _COLUMNS, rows, total, chart)
