"""The reasons why deals are lost: how many, and what they were worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from crm.commands.context import CRM
from crm.commands.list_parameters import Since
from crm.commands.reports.report import Chart, Column, Report, Row, amount, others, percent
from crm.commands.reports.report_parameters import Top, Until, last_day
from crm.commands.reports.writing import report_command
from crm.repository.queries.sales import lost_deals

_COLUMNS = (
    Column("reason", "Reason"),
    Column("deals", "Deals", "count"),
    Column("share", "Share", "percent"),
    Column("value", "Value", "money"),
)


@dataclass(frozen=True, slots=True)
class _Reason:
    words: str
    deals: int
    value: Decimal


@report_command("reports lost", title="Why deals are lost", hint="Reasons, with number and value")
def lost(
    crm: CRM,
    since: Since = None,
    until: Until = None,
    top: Top = 20,
) -> Report:
    """Show why deals were lost: the number and the value of deals for each reason.

    It counts the deals lost in the period that are still lost; one that was reopened does not count. Reasons that
    differ only in case are counted as one. The share is of all lost deals. Without a first day all lost deals count.
    """
    until = last_day(crm, since, until)
    with crm.read() as snapshot:
        counted = [_Reason(*row) for row in lost_deals(snapshot, since or date.min, until)]
    reasons = sorted(_joined(counted), key=lambda reason: (-reason.deals, -reason.value, reason.words))
    count = sum(reason.deals for reason in reasons)

    def row(name: str, those: Sequence[_Reason]) -> Row:
        deals = sum(reason.deals for reason in those)
        return name, deals, percent(deals, count), sum((reason.value for reason in those), amount(None))

    rows = [row(reason.words, [reason]) for reason in reasons[:top]]
    named = len(rows)
    if rest := reasons[top:]:
        rows.append(row(others(len(rest)), rest))
    chart = Chart("bars", ("deals",), rows=named)
    total = row("Total", reasons) if reasons else None
    nothing = "No lost deals in this period. Deals appear here when you mark them as lost, by their reason."
    return Report("Why deals are lost", since, until, _COLUMNS, rows, total, chart, nothing=nothing)


def _joined(reasons: Sequence[_Reason]) -> list[_Reason]:
    """Group reasons that differ only in case."""
    alike: dict[str, list[_Reason]] = {}
    for reason in sorted(reasons, key=lambda reason: (-reason.deals, reason.words)):
        alike.setdefault(reason.words.casefold(), []).append(reason)
    return [
        _Reason(
            those[0].words, sum(reason.deals for reason in those), sum((reason.value for reason in those), amount(None))
        )
        for those in alike.values()
    ]
