"""Ownership: the people that records belong to, and lists that are narrowed to what is somebody's."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from sqlalchemy import Column, ColumnElement, ScalarSelect, Select, func, select, true

from crm.commands.context import CRM
from crm.commands.registry import About
from crm.errors import FieldError
from crm.model import Record, User
from crm.model import people as people_of
from crm.model.rights import CLIENT
from crm.repository import Query, Snapshot, sql_functions
from crm.repository.query import whose_account
from crm.repository.tables import TABLES, client, deal, follow_up
from crm.repository.team import TEAM, Team, same

# What every list takes whose records are somebody's.
Mine = Annotated[bool, About("Mine", "only what is mine; everybody's by default")]


@dataclass(frozen=True, slots=True)
class OwnerFilter:
    """A filter by owner: an account, or where there is none (0) whoever has that name; without a name everybody."""

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
        return (
            whose_account(columns[beside], self.account)
            if self.account
            else sql_functions.is_text(columns[name], self.name)
        )


EVERYBODY = OwnerFilter()


def owner_filter(
    crm: CRM, snapshot: Snapshot, mine: bool, person: str = "", *, field: str = "user", label: str = "For"
) -> OwnerFilter:
    """The filter of a list that takes `mine` and a person: one's own, somebody's by name, or everybody's. Raises
    FieldError where both are wanted."""
    is_me = same(person) == same(crm.me)
    if mine and person and not is_me:
        raise FieldError("either mine or somebody's; leave out one of them", field=field, label=label)
    if not (mine or person):
        return EVERYBODY
    if crm.reader.user and (mine or is_me):
        return OwnerFilter(crm.me, crm.reader.user)
    name = person or crm.me
    return OwnerFilter(name, Team(snapshot.select(TEAM)).account(name))


def names(snapshot: Snapshot) -> list[str]:
    """Everybody whose name stands in records or who has an account, in the order of the alphabet; names that differ
    in case only are one, spelled as in the account."""
    found = {name.casefold(): name for name in map(called, team(snapshot))}
    for column in (follow_up.c.user, deal.c.owner, client.c.owner):
        for (name,) in snapshot.select(written_names(column)):
            found.setdefault(name.casefold(), name)
    return [found[key] for key in sorted(found)]


@cache
def written_names(column: Column[str]) -> Select[tuple[str]]:
    """The names in a column, each once: from one to the next along the index, however many rows bear it."""

    def after(name: ColumnElement[str] | str) -> ScalarSelect[str]:
        its = column.table.alias()
        lowered = func.lower(its.c[column.name])
        return select(its.c[column.name]).where(lowered > func.lower(name)).order_by(lowered).limit(1).scalar_subquery()

    name = select(after("").label("name")).cte("written", recursive=True)
    name = name.union_all(select(after(name.c.name)).where(name.c.name.is_not(None)))
    return select(name.c.name).where(name.c.name.is_not(None))


def spelled(snapshot: Snapshot, name: str) -> str:
    """The name as it is spelled already, where somebody is called so in whatever case."""
    wanted = name.casefold()
    return next((name for name in names(snapshot) if name.casefold() == wanted), name) if name else ""


def team(snapshot: Snapshot) -> Iterable[User]:
    return [user for user in snapshot.find_all(User, Query({"active": True})) if user.role != CLIENT]


def called(account: User) -> str:
    return account.name or account.email
