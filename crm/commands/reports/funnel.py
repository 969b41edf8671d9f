"""The funnel: how many deals reach each stage, how many of them go on, and how long they stay."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from crm.commands.context import CRM
from crm.commands.list_parameters import Since
from crm.commands.reports.periods import recent
from crm.commands.reports.report import Chart, Column, Report, Row, percent
from crm.commands.reports.report_parameters import Until, last_day
from crm.commands.reports.writing import report_command
from crm.commands.sales.pipeline import stages
from crm.model import Stage
from crm.repository import Snapshot
from crm.repository.queries import reports

_MONTHS = 12
_TENTH = Decimal("0.1")
_COLUMNS = (
    Column("stage", "Stage"),
    Column("reached", "Reached", "count"),
    Column("conversion", "Conversion", "percent"),
    Column("median_days", "Median days", "count"),
    Column("mean_days", "Mean days", "count"),
    Column("went_on", "Moved on", "count"),
    Column("won", "Won", "count"),
    Column("won_share", "Of reached", "percent"),
)


@dataclass(frozen=True, slots=True)
class _Reached:
    """The number of deals that reached a stage, and how many of these went on, or were won."""

    deals: int = 0
    went_on: int = 0
    won: int = 0


@report_command("reports funnel", title="Deal funnel", hint="How many deals reach each stage")
def funnel(crm: CRM, since: Since = None, until: Until = None) -> Report:
    """Show how many deals reached each stage, and how many went on and how long they stayed, in a period.

    A deal reached a stage if it was moved there in the period; it counts once, however often it was. It went on if it
    was moved to a later stage afterwards, up to the last day, other than one for lost deals; stages may be skipped.
    Conversion is the deals that went on, in percent of those that reached the stage. Won are those that were moved to a
    won stage afterwards, up to the last day.

    The days in a stage run from the day a deal came to it to the day it left, for all deals that left it in the period.
    The mean is rounded to a tenth. Deleted stages are left out. Without a first day it shows the last twelve months.
    """
    until = last_day(crm, since, until)
    since = since or recent("month", _MONTHS, until)
    with crm.read() as snapshot:
        known = [stage for stage in stages(snapshot) if stage.id]
        reached = {number: _Reached(*counts) for number, *counts in reports.deals_that_reached(snapshot, since, until)}
        stayed = _stayed(snapshot, since, until)
    rows = [_row(stage, reached.get(stage.id, _Reached()), stayed[stage.id]) for stage in known]
    chart = Chart("bars", ("reached",))
    nothing = "No deals yet. Deals appear here as they move from stage to stage."
    return Report("Deal funnel", since, until, _COLUMNS, rows, chart=chart, nothing=nothing)


def _stayed(snapshot: Snapshot, since: date, until: date) -> Mapping[int, Counter[int]]:
    """The number of stays by their length in days, by stage."""
    days_by_stage: Mapping[int, Counter[int]] = defaultdict(Counter)
    for number, days, count in reports.stays(snapshot, since, until):
        days_by_stage[number][days] += count
    return days_by_stage


def _row(stage: Stage, reached: _Reached, stayed: Counter[int]) -> Row:
    days = (_median(stayed), _mean(stayed))
    if stage.outcome != "open":
        return stage.name, reached.deals, None, *days, None, None, None
    conversion, won = (percent(part, reached.deals) for part in (reached.went_on, reached.won))
    return stage.name, reached.deals, conversion, *days, reached.went_on, reached.won, won


def _median(counted: Counter[int]) -> Decimal | None:
    """The value in the middle, of an even number the mean of the two there; None of nothing."""
    count = counted.total()
    if not count:
        return None
    places = ((count - 1) // 2, count // 2)
    middle: list[int] = []
    before = 0
    for value in sorted(counted):
        before += counted[value]
        while len(middle) < len(places) and places[len(middle)] < before:
            middle.append(value)
    return Decimal(sum(middle)) / 2


def _mean(counted: Counter[int]) -> Decimal | None:
    if not counted.total():
        return None
    summed = Decimal(sum(value * count for value, count in counted.items()))
    return (summed / counted.total()).quantize(_TENTH, ROUND_HALF_UP)
