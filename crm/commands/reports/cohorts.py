"""Cohorts: of those who first bought in a month, how many buy again in the months after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from crm.commands.context import CRM
from crm.commands.list_parameters import Since
from crm.commands.registry import About
from crm.commands.reports.periods import later, month_of
from crm.commands.reports.report import Chart, Column, Kind, Report, Row, amount, percent
from crm.commands.reports.report_parameters import Until, last_day
from crm.commands.reports.writing import report_command
from crm.model.fields import Choice, Whole
from crm.repository.queries import reports

_OF = {"share": "How many bought, in percent", "clients": "How many bought", "amount": "For how much they bought"}
_TITLES = {
    "share": "Cohorts: who bought again",
    "clients": "Cohorts: how many bought again",
    "amount": "Cohorts: for how much they bought",
}
_KINDS: dict[str, Kind] = {"share": "percent", "clients": "count", "amount": "money"}


@dataclass(frozen=True, slots=True)
class _Bought:
    clients: int = 0
    amount: Decimal = amount(None)


@report_command("reports cohorts", title="Who buys again", hint="Repeat buyers by first month")
def cohorts(
    crm: CRM,
    of: Annotated[str, Choice(_OF), About("Show", "share, clients or amount", positional=True)] = "share",
    months: Annotated[int, Whole(1, 120), About("Months", "how many after the first are shown")] = 12,
    since: Since = None,
    until: Until = None,
) -> Report:
    """Show how many clients buy again, and for how much, in each month after their first sale.

    A cohort is all clients whose first sale was in the same calendar month. Month 1 is the calendar month after that
    one, and so on: a client counts in each month with at least one sale. The percentages are of the clients of the
    cohort; in the last row, of the cohorts that have reached that month. A month that has not begun is empty; the
    current one counts the sales so far. Without a first day it goes back that many months.
    """
    of, until = of or "share", last_day(crm, since, until)
    first = month_of(since) if since else later(month_of(until), -months)
    with crm.read() as snapshot:
        counted = reports.cohorts(snapshot, since or first, until)
    bought = {(first_in, then): _Bought(clients, amount(sum_of)) for first_in, then, clients, sum_of in counted}
    table = _Table(of, months, first, until, bought)
    columns = [Column("cohort", "Cohort", "month"), Column("clients", "Clients", "count")]
    columns += [Column(f"month_{place}", str(place), _KINDS[of]) for place in table.places]
    chart = Chart("grid", tuple(column.name for column in columns[2:])) if columns[2:] else None
    note = "By month of the first sale. 1 is the month after it."
    rows = table.rows()
    total = table.total() if rows else None
    nothing = "No first sales in this period. A client appears here with its first sale."
    return Report(_TITLES[of], since or first, until, columns, rows, total, chart, note, nothing=nothing)


class _Table:
    """Cohorts beside the months after them. Where it is about amounts the first month counts as well: of the clients it
    is simply all."""

    def __init__(
        self, of: str, months: int, first: date, until: date, bought: Mapping[tuple[str, str], _Bought]
    ) -> None:
        self._of = of
        self._until = until
        self._bought = bought
        known = (later(first, place) for place in range(_apart(first, until) + 1))
        self._cohorts = [cohort for cohort in known if self._size(cohort)]
        longest = _apart(self._cohorts[0], until) if self._cohorts else 0
        self.places = range(0 if of == "amount" else 1, min(months, longest) + 1)

    def rows(self) -> list[Row]:
        """A row for each cohort."""
        return [self._row(_named(cohort), [cohort]) for cohort in self._cohorts]

    def total(self) -> Row:
        """All cohorts in one row."""
        return self._row("Total", self._cohorts)

    def _row(self, name: str, cohorts: Sequence[date]) -> Row:
        return name, sum(map(self._size, cohorts)), *(self._figure(cohorts, place) for place in self.places)

    def _figure(self, cohorts: Sequence[date], place: int) -> Any:
        come = [cohort for cohort in cohorts if later(cohort, place) <= self._until]
        if not come:
            return None
        bought = [self._in(cohort, place) for cohort in come]
        if self._of == "amount":
            return sum((cell.amount for cell in bought), amount(None))
        clients = sum(cell.clients for cell in bought)
        return clients if self._of == "clients" else percent(clients, sum(map(self._size, come)))

    def _in(self, cohort: date, place: int) -> _Bought:
        return self._bought.get((_named(cohort), _named(later(cohort, place))), _Bought())

    def _size(self, cohort: date) -> int:
        return self._in(cohort, 0).clients


def _named(first: date) -> str:
    return first.isoformat()[:7]


def _apart(first: date, day: date) -> int:
    """The number of calendar months from one day to another."""
    return (day.year - first.year) * 12 + day.month - first.month
