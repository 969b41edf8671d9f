"""The figures of billing in short: what is open and overdue, and what was issued and paid this month."""

from collections.abc import Sequence
from dataclasses import dataclass

from crm.commands.context import CRM
from crm.repository.queries.turnover import BillingFigures, billing_figures


@dataclass(frozen=True, slots=True)
class ThisMonth:
    """The figures of each currency, that of the team first."""

    rows: Sequence[BillingFigures]


def this_month(crm: CRM) -> ThisMonth:
    """The figures of billing as they are now."""
    with crm.read() as snapshot:
        rows = billing_figures(snapshot, snapshot.today.replace(day=1))
    return ThisMonth(sorted(rows, key=lambda row: (row.currency != crm.conventions.currency, row.currency)))
