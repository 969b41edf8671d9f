"""The activity report: calls, meetings and mails, follow-ups done, deals won and sales, by person."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from crm.commands.context import CRM
from crm.commands.list_parameters import Since
from crm.commands.reports.periods import recent
from crm.commands.reports.report import Chart, Column, Report, Row, amount
from crm.commands.reports.report_parameters import Until, last_day
from crm.commands.reports.writing import report_command
from crm.model import INTERACTIONS
from crm.repository import Snapshot
from crm.repository.queries import reports

_TITLES = {"call": "Calls", "meeting": "Meetings", "email": "E-mails", "sms": "SMS", "note": "Notes"}
_NOTHING = "No activity in this period. Calls, follow-ups, deals and sales appear here by the person who did them."
_COLUMNS = (
    Column("person", "Person"),
    Column("interactions", "All", "count"),
    *(Column(kind, _TITLES.get(kind, kind), "count") for kind in INTERACTIONS),
    Column("follow_ups", "Done", "count"),
    Column("won", "Won", "count"),
    Column("won_value", "Won value", "money"),
    Column("sales", "Sales", "count"),
    Column("amount", "Amount", "money"),
)


@dataclass
class _Person:
    """The work of one person, under each spelling of the name that differs in case only."""

    names: set[str] = field(default_factory=set)
    kinds: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    done: int = 0
    won: int = 0
    won_value: Decimal = amount(None)
    sales: int = 0
    sold: Decimal = amount(None)

    def row(self, name: str = "") -> Row:
        """The same as a row, under a name."""
        kinds = (self.kinds[kind] for kind in INTERACTIONS)
        spoken = sum(self.kinds[kind] for kind in INTERACTIONS)
        return name or min(self.names), spoken, *kinds, self.done, self.won, self.won_value, self.sales, self.sold


@report_command("reports activity", title="Activity by person", hint="Calls, sales and deals of each person")
def activity(crm: CRM, since: Since = None, until: Until = None) -> Report:
    """Show each person's activity in a period: interactions by kind, follow-ups, deals won, and sales.

    An interaction counts for the person who logged it, on its date; a follow-up for the person it was assigned to, on
    the day it was done; a sale for the person who recorded it, on its date. A won deal counts with its value for its
    owner, on the day it was closed. Records without a person are in a row without a name. Names without an account that
    differ only in case count as one person. Without a first day, the report covers this month.
    """
    until = last_day(crm, since, until)
    since = since or recent("month", 1, until)
    with crm.read() as snapshot:
        people = _people(snapshot, since, until)
    by_much = sorted(people.values(), key=lambda person: (-person.row()[1], -person.sold, min(person.names)))
    rows = [person.row() for person in by_much]
    total = ("Total", *(sum(column) for column in list(zip(*rows, strict=True))[1:])) if rows else None
    chart = Chart("bars", ("interactions",))
    return Report("Activity by person", since, until, _COLUMNS, rows, total, chart, nothing=_NOTHING)


def _people(snapshot: Snapshot, since: date, until: date) -> Mapping[int | str, _Person]:
    """Everybody who did something, by account, or by name without case."""
    people: dict[int | str, _Person] = defaultdict(_Person)

    def of(account: int, name: str) -> _Person:
        person = people[account or name.casefold()]
        person.names.add(name)
        return person

    for account, name, kind, count in reports.interactions_by_person(snapshot, since, until):
        of(account, name).kinds[kind] += count
    for account, name, count in reports.follow_ups_done_by_person(snapshot, since, until):
        of(account, name).done += count
    for account, name, count, value in reports.deals_won_by_person(snapshot, since, until):
        person = of(account, name)
        person.won, person.won_value = person.won + count, person.won_value + value
    for account, name, count, sold in reports.sales_by_person(snapshot, since, until):
        person = of(account, name)
        person.sales, person.sold = person.sales + count, person.sold + sold
    return people
