"""Tiles: the parts that a dashboard is made of, and how each is read."""

from calendar import isleap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from crm.commands.activity.agenda import of_snapshot
from crm.commands.activity.follow_up_lists import with_names
from crm.commands.context import CRM
from crm.commands.ownership import owner_filter
from crm.commands.record_names import by_id
from crm.commands.registry import named
from crm.commands.sales.pipeline import stages, sums
from crm.lean_dataclass import dataclass
from crm.model import INTERACTIONS, Client, FollowUp, Interaction, Sale
from crm.model.money import NOTHING
from crm.repository import Query, Snapshot
from crm.repository.queries import anniversaries, clients, mail, sales, turnover
from crm.repository.queries.deals import WhichDeals

if TYPE_CHECKING:
    from crm.commands.reports.report import Report

_MONTHS = 13
_LISTED = 5
_TO_DO = 20
_BIRTHDAYS_WITHIN = 14
_MOVED_WITHIN = 30
# Messages that somebody may have to look after; those that arrived are many.
_UNDER_WAY = ("queued", "sending", "failed", "unsure")


@dataclass(frozen=True, slots=True)
class StatusCount:
    """The number of clients who have a status."""

    status: str
    clients: int


@dataclass(frozen=True, slots=True)
class Statuses:
    """All clients by status, the most frequent first."""

    clients: int
    statuses: Sequence[StatusCount]


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
class Happened:
    """A contact with a client, or a sale with its amount, on a day: one of the latest of all clients."""

    client: Client
    on: date
    what: str
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MessageCount:
    """The number of messages that are in a state."""

    state: str
    messages: int


@dataclass(frozen=True, slots=True)
class Billed:
    """The invoices of a currency: what is open, what of it is overdue, and what was paid this month."""

    currency: str
    open: Decimal
    overdue: Decimal
    paid_this_month: Decimal


@dataclass(frozen=True, slots=True)
class Tile:
    """One part of a dashboard. What it shows is read of a snapshot by `read`, where `mine` narrows it to what the
    reader has to do; or it is a `report`, called so by the shell, with these `arguments`. `listed` tells that it
    is made of things to open, not of figures. `brief` reads what is shown of it in one line, where that is less. `key`
    is what scripts call it."""

    name: str
    title: str
    read: Callable[[CRM, Snapshot, bool], Any] | None = None
    listed: bool = False
    brief: Callable[[CRM, Snapshot], Any] | None = None
    report: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""

    def reported(self, crm: CRM) -> "Report":
        """The report that it shows."""
        report: Report = named(self.report)(crm, **self.arguments)
        return report

    def as_json(self, content: Any) -> dict[str, Any]:
        """Its content, by the name that scripts know."""
        if isinstance(content, Statuses):
            return {"clients": content.clients, "statuses": content.statuses}
        return {self.key or self.name.replace(" ", "_").replace("-", "_"): content}


def _statuses(_: CRM, snapshot: Snapshot, __: bool) -> Statuses:
    counted = clients.counts_by_status(snapshot)
    statuses = sorted((StatusCount(status, clients) for status, clients in counted), key=lambda status: -status.clients)
    return Statuses(sum(status.clients for status in statuses), statuses)


def _months(_: CRM, snapshot: Snapshot, __: bool) -> list[MonthOfSales]:
    firsts = [_months_ago(snapshot.today, back) for back in range(_MONTHS - 1, -2, -1)]
    months = []
    for first, following in pairwise(firsts):
        amount, count = sales.sum_of_range(snapshot, first, following - timedelta(days=1))
        months.append(MonthOfSales(first, amount or NOTHING, count))
    return months


def _months_ago(day: date, back: int) -> date:
    """The first day of the month so many months before."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _newest(_: CRM, snapshot: Snapshot, __: bool) -> list[Client]:
    return snapshot.find_all(Client, Query(sort="-id", limit=_LISTED))


def _moved(_: CRM, snapshot: Snapshot, __: bool) -> list[Client]:
    return clients.moved_since(snapshot, snapshot.today - timedelta(days=_MOVED_WITHIN), _LISTED)


def _birthdays(_: CRM, snapshot: Snapshot, __: bool) -> list[Birthday]:
    coming: list[Birthday] = []
    for ahead in range(_BIRTHDAYS_WITHIN + 1):
        on = snapshot.today + timedelta(days=ahead)
        # Who was born on a leap day has a birthday on the last of February in other years.
        leap_day_too = (on.month, on.day) == (2, 28) and not isleap(on.year)
        for born_on in [on.strftime("%m-%d"), "02-29"][: 1 + leap_day_too]:
            for client in anniversaries.born_on(snapshot, born_on, _LISTED * 2):
                if client.date_of_birth:
                    coming.append(Birthday(client, on, on.year - client.date_of_birth.year))
        if len(coming) >= _LISTED * 2:
            break
    return coming[: _LISTED * 2]


def _latest(_: CRM, snapshot: Snapshot, __: bool) -> list[Happened]:
    newest = Query(sort="-on", limit=_LISTED)
    contacts, sold = snapshot.find_all(Interaction, newest), snapshot.find_all(Sale, newest)
    known = by_id(snapshot, Client, {record.client for record in contacts} | {record.client for record in sold})
    happened = [Happened(known[sale.client], sale.on, _words("Sale", sale.note), sale.amount) for sale in sold]
    happened += [
        Happened(known[contact.client], contact.on, _words(INTERACTIONS[contact.kind], contact.subject))
        for contact in contacts
    ]
    return sorted(happened, key=lambda entry: entry.on, reverse=True)[:_LISTED]


def _words(kind: str, about: str) -> str:
    return f"{kind[:1].upper()}{kind[1:]}{f': {about}' if about else ''}"


def _follow_ups(crm: CRM, snapshot: Snapshot, _: bool) -> Any:
    """The next ones, whenever they are due: what needs doing has only those that are."""
    mine = owner_filter(crm, snapshot, True).filters(FollowUp)
    return with_names(snapshot, snapshot.find_all(FollowUp, Query({"done_on": None, **mine}, limit=_LISTED * 2)))


def _pipeline(_: CRM, snapshot: Snapshot, __: bool) -> Any:
    among = [stage for stage in stages(snapshot) if stage.outcome == "open"]
    return sums(snapshot, among, WhichDeals([stage.id for stage in among]))


def _messages(_: CRM, snapshot: Snapshot, __: bool) -> list[MessageCount]:
    counted = mail.counts_by_state(snapshot, _UNDER_WAY)
    return [MessageCount(state, counted[state]) for state in _UNDER_WAY if state in counted]


def _billing(_: CRM, snapshot: Snapshot, __: bool) -> list[Billed]:
    rows = turnover.billing_figures(snapshot, snapshot.today.replace(day=1))
    of_money = [row for row in rows if row.open_count or row.paid_count or row.paid]
    return [Billed(row.currency, row.open, row.overdue, row.paid) for row in of_money]


def _reports() -> list[Tile]:
    over_time = [
        Tile(f"sales by {period}", f"Sales by {period}", report="reports sales", arguments={"by": period})
        for period in ("month", "quarter", "year")
    ]
    by = [
        Tile(f"sales by {group}", f"Sales by {group}", report="reports by", arguments={"of": group})
        for group in ("status", "owner", "country", "source", "client")
    ]
    plain = {
        "growth": "New clients and churn",
        "cohorts": "Who buys again",
        "funnel": "Deal funnel",
        "forecast": "Deal forecast",
        "lost": "Why deals are lost",
        "activity": "Activity by person",
        "invoiced": "Issued and paid by month",
        "ageing": "Unpaid invoices by age",
        "services": "Invoiced by service",
        "taxes": "Tax by rate",
    }
    rfm = Tile("rfm", "Best and lapsed clients (RFM)", report="reports rfm", arguments={"of": "segments"})
    return [*over_time, *by, *(Tile(name, title, report=f"reports {name}") for name, title in plain.items()), rfm]


TILES: Mapping[str, Tile] = {
    report.name: report
    for report in (
        Tile(
            "agenda",
            "What needs doing",
            lambda crm, snapshot, mine: of_snapshot(crm, snapshot, mine, _TO_DO),
            True,
            lambda crm, snapshot: of_snapshot(crm, snapshot, True, _LISTED, brief=True),
        ),
        Tile("follow-ups", "My follow-ups", _follow_ups, True),
        Tile("statuses", "Clients by status", _statuses),
        Tile("sales", "Sales this month", _months, key="months"),
        Tile("newest", "Newest clients", _newest, True),
        Tile("moved", "Status changed recently", _moved, True),
        Tile("birthdays", "Birthdays", _birthdays, True),
        Tile("latest", "Latest interactions and sales", _latest, True),
        Tile("pipeline", "Pipeline by stage", _pipeline),
        Tile("billing", "Invoices: open, overdue, paid this month", _billing),
        Tile("messages", "Messages under way", _messages),
        *_reports(),
    )
}
# What everybody starts with.
DEFAULT = ("agenda", "statuses", "sales", "newest", "moved", "birthdays")
