"""The people of the team: who they are, what waits for each of them, and saying whose of something is meant."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from sqlalchemy import Column, ColumnElement, ScalarSelect, Select, case, func, literal, select, true

from crm.commands.context import CRM
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.errors import FieldError
from crm.model import Client, Deal, FollowUp, Record, User
from crm.model import people as people_of
from crm.model.fields import Email, Line, Phone
from crm.model.rights import CLIENT
from crm.repository import Query, Snapshot, sql_functions
from crm.repository.query import whose_account
from crm.repository.tables import TABLES, client, deal, follow_up
from crm.repository.team import TEAM, Team, same

# What every list takes whose records are somebody's.
Mine = Annotated[bool, About("Mine", "only what is mine; everybody's by default")]


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the team by name, with what stands under it: open follow-ups, how many of them are overdue, open
    deals, and clients. `role` and `email` are those of the account, '' where there is none that is active."""

    name: str
    role: str = ""
    email: str = ""
    follow_ups: int = 0
    overdue: int = 0
    deals: int = 0
    clients: int = 0


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose something is to be: of an account, or where there is none (0) of whoever is called so; without a name
    everybody's."""

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
        its = TABLES[kind].c
        if not self:
            return true()
        return whose_account(its[beside], self.account) if self.account else sql_functions.is_text(its[name], self.name)


EVERYBODYS = Whose()


@command("people list", title="Who has what to do", menu="follow-ups")
def list_all(crm: CRM) -> list[Colleague]:
    """Lists everybody who has an account, looks after clients or deals, or has follow-ups to do.

    Beside each stand their open follow-ups, those of them that are overdue, their open deals, and their clients.
    """
    with crm.read() as snapshot:
        accounts = {each.id: each for each in _team(snapshot)}
        overdue = func.sum(case((follow_up.c.due_on < crm.today, 1), else_=0))
        to_do = _counted(snapshot, FollowUp, follow_up.c.done_on.is_(None), func.count(), overdue)
        deals = _counted(snapshot, Deal, deal.c.closed_on.is_(None), func.count())
        clients = _counted(snapshot, Client, true(), func.count())
    called: dict[int | str, str] = {each.id: _called(each) for each in accounts.values()}
    for counts in (to_do, deals, clients):
        called = {key: name for key, (name, _) in counts.items()} | called
    people = []
    for key, name in called.items():
        account = accounts.get(key, User()) if isinstance(key, int) else User()
        (due, late), (open_deals, *_), (looked_after, *_) = (
            counts.get(key, ("", [0, 0]))[1] for counts in (to_do, deals, clients)
        )
        people.append(Colleague(name, account.role, account.email, due, late, open_deals, looked_after))
    return sorted(people, key=lambda each: (each.name.casefold(), not each.role))


@command("people add", title="Add somebody who does not sign in", roles=ONLY_ADMIN)
def add(
    crm: CRM,
    name: Annotated[str, Line(100), About("Name", positional=True)],
    email: Annotated[str, Email(), About("E-mail")] = "",
    phone: Annotated[str, Phone(), About("Phone")] = "",
) -> Colleague:
    """Adds somebody of the team who is only named: as an owner, or for whom follow-ups are.

    `users reset-password` lets them sign in later. As long as everybody is only named, nobody has to sign in.
    """
    added = crm.accounts.add_named(name, email=email, phone=phone)
    return next(each for each in list_all(crm) if each.name == added.name and each.role)


def of_whom(
    crm: CRM, snapshot: Snapshot, mine: bool, person: str = "", *, field: str = "user", label: str = "For"
) -> Whose:
    """Whose a list is narrowed to: that of whoever asks, that of somebody by name, or everybody's. Raises FieldError
    where both are wanted."""
    is_me = same(person) == same(crm.me)
    if mine and person and not is_me:
        raise FieldError("either mine or somebody's; leave out one of them", field=field, label=label)
    if not (mine or person):
        return EVERYBODYS
    if crm.reader.user and (mine or is_me):
        return Whose(crm.me, crm.reader.user)
    name = person or crm.me
    return Whose(name, Team(snapshot.select(TEAM)).account(name))


def names(snapshot: Snapshot) -> list[str]:
    """Everybody whose name stands in records or who has an account, in the order of the alphabet; names that differ
    in case only are one, spelled as in the account."""
    found = {name.casefold(): name for name in map(_called, _team(snapshot))}
    for column in (follow_up.c.user, deal.c.owner, client.c.owner):
        for (name,) in snapshot.select(_written(column)):
            found.setdefault(name.casefold(), name)
    return [found[key] for key in sorted(found)]


@cache
def _written(column: Column[str]) -> Select[tuple[str]]:
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
    return next((each for each in names(snapshot) if each.casefold() == wanted), name) if name else ""


def _team(snapshot: Snapshot) -> Iterable[User]:
    return [each for each in snapshot.find_all(User, Query({"active": True})) if each.role != CLIENT]


def _called(account: User) -> str:
    return account.name or account.email


def _counted(
    snapshot: Snapshot, kind: type[Record], among: ColumnElement[bool], *counts: ColumnElement[Any]
) -> dict[int | str, tuple[str, list[int]]]:
    """Counts of what is somebody's: by account, and of what is nobody's account's by name, whatever its case. With each
    the name as it is spelled, and the sums."""
    ((name, beside),) = people_of(kind).items()
    its = TABLES[kind].c
    found: dict[int | str, tuple[str, list[int]]] = {}
    for (account,) in snapshot.select(_accounts(its[beside])):
        theirs = whose_account(its[beside], account)
        ((count, *more),) = snapshot.select(select(*counts).where(theirs, among))
        if count:
            ((spelled,),) = snapshot.select(select(its[name]).where(theirs).limit(1))
            found[account] = (spelled, [count, *more])
    written = _written(its[name]).subquery()
    unsaid = (func.lower(its[name]) == func.lower(written.c.name), its[beside] == 0, among)
    sums = [select(count).where(*unsaid).scalar_subquery() for count in counts]
    for spelled, *numbers in snapshot.select(select(written.c.name, *sums)):
        if numbers[0]:
            key = spelled.casefold()
            spelling, before = found.get(key, (spelled, [0] * len(numbers)))
            found[key] = (spelling, [one + other for one, other in zip(before, numbers, strict=True)])
    return found


@cache
def _accounts(beside: Column[int]) -> Select[tuple[int]]:
    """The accounts in a column, each once, as `_written` finds names."""

    def after(account: ColumnElement[int] | int) -> ScalarSelect[int]:
        its = beside.table.alias().c[beside.name]
        return select(func.min(its)).where(its != literal(0, literal_execute=True), its > account).scalar_subquery()

    account = select(after(0).label("account")).cte("accounts", recursive=True)
    account = account.union_all(select(after(account.c.account)).where(account.c.account.is_not(None)))
    return select(account.c.account).where(account.c.account.is_not(None))
