"""The forecast: what the open deals may bring, by the month in which they are expected to close."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.ownership import Mine, owner_filter
from crm.commands.registry import About
from crm.commands.reports.periods import end_of, later, month_of
from crm.commands.reports.report import Chart, Column, Report, Row, amount
from crm.commands.reports.writing import report_command
from crm.commands.sales.deals import OfOwner
from crm.commands.sales.pipeline import stages
from crm.model.fields import Whole
from crm.model.money import rounded
from crm.repository import Snapshot
from crm.repository.queries import reports
from crm.repository.queries.people import OwnerFilter

_COLUMNS = (
    Column("month", "Month", "month"),
    Column("value", "Value", "money"),
    Column("weighted", "Weighted", "money"),
    Column("deals", "Deals", "count"),
)


@dataclass(frozen=True, slots=True)
class _Expected:
    """Deals of one stage that are expected to close on one day; `weighted` is exact."""

    on: date | None
    deals: int
    value: Decimal
    weighted: Decimal


@report_command("reports forecast", title="Deal forecast", hint="Open deals by expected close")
def forecast(
    crm: CRM,
    months: Annotated[int, Whole(1, 60), About("Months", "how many, including this month")] = 12,
    owner: OfOwner = "",
    mine: Mine = False,
) -> Report:
    """Show open deals by expected close, month by month: their value in full and weighted.

    The weighted value of a deal is its value times the probability of the stage that it is in today; it is summed
    exactly, and each sum rounded as the currency is. Late are the deals whose date has passed; the current month begins
    today. Later are the deals after the last month shown; the others have no expected close date.
    """
    decimals = crm.conventions.decimals
    today, first = crm.today, month_of(crm.today)
    last = end_of(first, months)
    with crm.read() as snapshot:
        owners = owner_filter(crm, snapshot, mine, owner, field="owner", label="Owner")
        expected = _expected(snapshot, owners)
    dated = [(expected_deals.on, expected_deals) for expected_deals in expected if expected_deals.on is not None]
    rows = [_row("Late", [expected_deals for on, expected_deals in dated if on < today], decimals)]
    for month in (later(first, place) for place in range(months)):
        of_month = [expected_deals for on, expected_deals in dated if on >= today and month_of(on) == month]
        rows.append(_row(month.isoformat()[:7], of_month, decimals))
    drawn = len(rows)
    after = [expected_deals for on, expected_deals in dated if on > last]
    without = [expected_deals for expected_deals in expected if expected_deals.on is None]
    rows += [_row(name, those, decimals) for name, those in (("Later", after), ("Without a day", without)) if those]
    chart = Chart("columns", ("value", "weighted"), rows=drawn)
    title = f"Deal forecast of {owners.name}" if owners else "Deal forecast"
    total = _row("Total", expected, decimals) if expected else None
    nothing = "No open deals. Deals appear here in the month of their expected close."
    return Report(title, today, last, _COLUMNS, rows if expected else [], total, chart, nothing=nothing)


def _expected(snapshot: Snapshot, owner: OwnerFilter) -> Sequence[_Expected]:
    chances = {stage.id: stage.probability for stage in stages(snapshot)}
    return [
        _Expected(on, count, value, value * chances.get(number, 0) / 100)
        for on, number, count, value in reports.expected_deals(snapshot, owner)
    ]


def _row(name: str, those: Iterable[_Expected], decimals: int) -> Row:
    listed = list(those)
    value = sum((group.value for group in listed), amount(None))
    weighted = rounded(sum((group.weighted for group in listed), amount(None)), decimals)
    return name, value, weighted, sum(group.deals for group in listed)
