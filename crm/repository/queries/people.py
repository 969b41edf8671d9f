"""Queries about the people of the team: whose a record is, the names that are in records, and counts by person."""

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, ScalarSelect, Select, func, literal, select, true

from crm.lean_dataclass import dataclass
from crm.model import Client, Deal, FollowUp, Record
from crm.model import people as people_of
from crm.repository import Snapshot, tables
from crm.repository.query import whose_account
from crm.repository.sql_functions import count_if, is_text
from crm.repository.tables import TABLES
from crm.repository.team import TEAM, Team


@dataclass(frozen=True, slots=True)
class OwnerFilter:
    """A filter by owner: an account, or where there is none (0) people of that name; without a name everybody."""

    name: str = ""
    account: int = 0

    def __bool__(self) -> bool:
        return bool(self.name)

    def filters(self, kind: type[Record]) -> dict[str, Any]:
        """The same as filters of a query."""
        ((name, beside),) = people_of(kind).items()
        return {} if not self else {beside: self.account} if self.account else {name: self.name}

    def owns(self, kind: type[Record]) -> ColumnElement[bool]:
        """The same as a condition."""
        ((name, beside),) = people_of(kind).items()
        columns = TABLES[kind].c
        if not self:
            return true()
        return whose_account(columns[beside], self.account) if self.account else is_text(columns[name], self.name)


EVERYBODY = OwnerFilter()


def accounts(snapshot: Snapshot) -> Team:
    """The accounts of the team by their names."""
    return Team(snapshot.select(TEAM))


def names(snapshot: Snapshot) -> Iterable[str]:
    """The names for whom follow-ups are, and whose deals and clients are, as they are spelled there."""
    for column in (tables.follow_up.c.user, tables.deal.c.owner, tables.client.c.owner):
        for (name,) in snapshot.select(_written_names(column)):
            yield name


@cache
def _written_names(column: Column[str]) -> Select[tuple[str]]:
    """The names in a column, each once: from one to the next along the index, however many rows bear it."""

    def after(name: ColumnElement[str] | str) -> ScalarSelect[str]:
        other = column.table.alias()
        lowered = func.lower(other.c[column.name])
        following = select(other.c[column.name]).where(lowered > func.lower(name)).order_by(lowered).limit(1)
        return following.scalar_subquery()

    name = select(after("").label("name")).cte("written", recursive=True)
    name = name.union_all(select(after(name.c.name)).where(name.c.name.is_not(None)))
    return select(name.c.name).where(name.c.name.is_not(None))


@cache
def _accounts(beside: Column[int]) -> Select[tuple[int]]:
    """The accounts in a column, each once, as `_written_names` finds names."""

    def after(account: ColumnElement[int] | int) -> ScalarSelect[int]:
        other = beside.table.alias().c[beside.name]
        no_account = literal(0, literal_execute=True)
        return select(func.min(other)).where(other != no_account, other > account).scalar_subquery()

    account = select(after(0).label("account")).cte("accounts", recursive=True)
    account = account.union_all(select(after(account.c.account)).where(account.c.account.is_not(None)))
    return select(account.c.account).where(account.c.account.is_not(None))


# By account, or by the name without case: the name as it is spelled, and the counts.
CountsByPerson = dict[int | str, tuple[str, list[int]]]


def open_follow_ups(snapshot: Snapshot, today: date) -> CountsByPerson:
    """The number of follow-ups of each person, and how many of them are overdue."""
    overdue = count_if(tables.follow_up.c.due_on < today)
    return _counted(snapshot, FollowUp, tables.follow_up.c.done_on.is_(None), func.count(), overdue)


def open_deals(snapshot: Snapshot) -> CountsByPerson:
    """The number of open deals of each person."""
    return _counted(snapshot, Deal, tables.deal.c.closed_on.is_(None), func.count())


def clients_owned(snapshot: Snapshot) -> CountsByPerson:
    """The number of clients whom each person looks after."""
    return _counted(snapshot, Client, true(), func.count())


def _counted(
    snapshot: Snapshot, kind: type[Record], among: ColumnElement[bool], *counts: ColumnElement[Any]
) -> CountsByPerson:
    """The number of records by owner: by account, and for names without an account by name in any case."""
    ((name, beside),) = people_of(kind).items()
    columns = TABLES[kind].c
    by_key: CountsByPerson = {}
    for (account,) in snapshot.select(_accounts(columns[beside])):
        theirs = whose_account(columns[beside], account)
        ((count, *more),) = snapshot.select(select(*counts).where(theirs, among))
        if count:
            ((spelled,),) = snapshot.select(select(columns[name]).where(theirs).limit(1))
            by_key[account] = (spelled, [int(number) for number in (count, *more)])
    written = _written_names(columns[name]).subquery()
    without_account = (func.lower(columns[name]) == func.lower(written.c.name), columns[beside] == 0, among)
    sums = [select(count).where(*without_account).scalar_subquery() for count in counts]
    for spelled, *numbers in snapshot.select(select(written.c.name, *sums)):
        if numbers[0]:
            key = spelled.casefold()
            spelling, before = by_key.get(key, (spelled, [0] * len(numbers)))
            by_key[key] = (spelling, [one + int(other) for one, other in zip(before, numbers, strict=True)])
    return by_key
