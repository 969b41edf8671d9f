"""Figures of the main menu: one beside each entry, and above them what needs doing; each is one cheap query."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm.commands.activity import agenda
from crm.commands.activity.agenda import AgendaItem
from crm.commands.client_selection import pluralize
from crm.commands.context import CRM
from crm.commands.ownership import owner_filter
from crm.commands.sales.pipeline import stages, sums
from crm.lean_dataclass import dataclass
from crm.model import Client, Conventions, FollowUp
from crm.model.money import NOTHING
from crm.repository import Query, Snapshot
from crm.repository.queries import billing, mail, sales
from crm.repository.queries.activity import WhichFollowUps, count_follow_ups
from crm.repository.queries.deals import WhichDeals
from crm.repository.queries.people import EVERYBODY

# So many for each reason are named.
_NAMED = 2
_WAITING = ("queued", "sending")


@dataclass(frozen=True, slots=True)
class Due:
    """The things to do for one reason: how much, in words, and the first of it; `late` where it should have been done
    by now."""

    words: str
    items: Sequence[AgendaItem]
    count: int
    late: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """The things to do, the most urgent first, and the figures by the name of their menu."""

    due: Sequence[Due]
    figures: Mapping[str, str]


def start_of(crm: CRM, snapshot: Snapshot) -> Start:
    """The figures of the main menu for the reader, as the store is now."""
    by = crm.conventions
    mine = owner_filter(crm, snapshot, True)
    which = WhichFollowUps(Query({"done_on": None, **mine.filters(FollowUp)}, until=snapshot.today))
    in_all, overdue = count_follow_ups(snapshot, which)
    due = []
    if overdue:
        items = agenda.follow_ups_due(snapshot, mine, min(overdue, _NAMED))[1]
        due.append(Due(f"{pluralize(overdue, 'follow-up', 'follow-ups', by)} overdue", items, overdue, late=True))
    if today := in_all - overdue:
        items = agenda.follow_ups_due(snapshot, mine, _NAMED, overdue)[1]
        due.append(Due(f"{by.number(today)} due today", items, today))
    for reason in agenda.REASONS:
        count, items = reason.source(snapshot, mine, _NAMED)
        if count:
            due.append(Due(pluralize(count, reason.one, reason.many, by), items, count, late=reason.late))
    figures = {
        "today": _to_do(sum(reason.count for reason in due), snapshot, by),
        "follow-ups": _follow_ups(snapshot, mine.filters(FollowUp), overdue, by),
        **{name: read(crm, snapshot) for name, read in _FIGURES.items()},
    }
    return Start(due, {name: words for name, words in figures.items() if words})


def _to_do(count: int, snapshot: Snapshot, by: Conventions) -> str:
    """The number of things to do; a person who has none sees that of others."""
    if count:
        return f"{by.number(count)} to do"
    others = sum(source(snapshot, EVERYBODY, 0)[0] for source in agenda.SOURCES)
    return f"{by.number(others)} of others" if others else ""


def _follow_ups(snapshot: Snapshot, mine: Mapping[str, Any], overdue: int, by: Conventions) -> str:
    """The open follow-ups of the reader, and how many of them are overdue."""
    count = snapshot.count(FollowUp, Query({"done_on": None, **mine}))
    parts = [f"{by.number(overdue)} overdue" if overdue else "", f"{by.number(count)} open" if count else ""]
    return ", ".join(filter(None, parts))


def _sales(crm: CRM, snapshot: Snapshot) -> str:
    amount, count = sales.sum_of_range(snapshot, snapshot.today.replace(day=1), snapshot.today)
    return f"{crm.conventions.money(amount)} this month" if count else ""


def _deals(crm: CRM, snapshot: Snapshot) -> str:
    among = [stage for stage in stages(snapshot) if stage.outcome == "open"]
    by, summed = crm.conventions, sums(snapshot, among, WhichDeals([stage.id for stage in among]))
    count = sum(stage.deals for stage in summed)
    return f"{by.number(count)} open, {by.money(sum((stage.value for stage in summed), NOTHING))}" if count else ""


def _billing(crm: CRM, snapshot: Snapshot) -> str:
    """The debts of clients: those in the team's currency, or else, after it was changed, those in another."""
    debts = [debt for debt in billing.open_by_currency(snapshot) if debt[1]]
    if not debts:
        return ""
    currency, open_, overdue = min(debts, key=lambda debt: (debt[0] != crm.conventions.currency, debt[0]))
    by = replace(crm.conventions, currency=currency)
    return f"{by.money(overdue)} overdue" if overdue else f"{by.money(open_)} open"


def _email(crm: CRM, snapshot: Snapshot) -> str:
    waiting = sum(mail.counts_by_state(snapshot, _WAITING).values())
    return f"{crm.conventions.number(waiting)} waiting to be sent" if waiting else ""


_FIGURES: Mapping[str, Callable[[CRM, Snapshot], str]] = {
    "clients": lambda crm, snapshot: crm.conventions.number(snapshot.count(Client)),
    "sales": _sales,
    "deals": _deals,
    "billing": _billing,
    "email": _email,
}
