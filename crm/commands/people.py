"""The people of the team: who they are, what waits for each of them, and saying whose of something is meant."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from sqlalchemy import Column, ColumnElement, ScalarSelect, Select, case, func, select, true

from crm.commands.context import CRM
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.errors import FieldError
from crm.model import User
from crm.model.fields import Email, Line, Phone
from crm.model.rights import CLIENT
from crm.repository import Query, Snapshot
from crm.repository.tables import client, deal, follow_up

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


@command("people list", title="Who has what to do", menu="follow-ups")
def list_all(crm: CRM) -> list[Colleague]:
    """Lists everybody who has an account, looks after clients or deals, or has follow-ups to do.

    Beside each stand their open follow-ups, those of them that are overdue, their open deals, and their clients.
    """
    with crm.read() as snapshot:
        accounts = {(each.name or each.email).casefold(): each for each in _team(snapshot)}
        overdue = func.sum(case((follow_up.c.due_on < crm.today, 1), else_=0))
        to_do = _counted(snapshot, follow_up.c.user, follow_up.c.done_on.is_(None), func.count(), overdue)
        deals = _counted(snapshot, deal.c.owner, deal.c.closed_on.is_(None), func.count())
        clients = _counted(snapshot, client.c.owner, true(), func.count())
    spelled = {key: each.name or each.email for key, each in accounts.items()}
    for counts in (to_do, deals, clients):
        spelled |= {key: name for key, (name, _) in counts.items() if key not in spelled}
    nothing = ("", [0, 0])
    people = []
    for key, name in sorted(spelled.items()):
        account = accounts.get(key, User())
        (due, late), (open_deals, *_), (looked_after, *_) = (
            counts.get(key, nothing)[1] for counts in (to_do, deals, clients)
        )
        people.append(Colleague(name, account.role, account.email, due, late, open_deals, looked_after))
    return people


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
    return next(each for each in list_all(crm) if each.name == added.name)


def of_whom(crm: CRM, mine: bool, person: str = "", *, field: str = "user", label: str = "For") -> str:
    """The name that a list is narrowed to: that of whoever asks, that of somebody, or '' for everybody's. Raises
    FieldError where both are wanted."""
    if mine and person and person.casefold() != crm.me.casefold():
        raise FieldError("either mine or somebody's; leave out one of them", field=field, label=label)
    return crm.me if mine else person


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
    snapshot: Snapshot, whose: Column[str], among: ColumnElement[bool], *counts: ColumnElement[Any]
) -> dict[str, tuple[str, list[int]]]:
    """Counts by the name in a column, whatever its case: the name as it is spelled, and the sums."""
    written = _written(whose).subquery()
    same = func.lower(whose) == func.lower(written.c.name)
    sums = [select(count).where(same, among).scalar_subquery() for count in counts]
    found: dict[str, tuple[str, list[int]]] = {}
    for name, *numbers in snapshot.select(select(written.c.name, *sums)):
        if numbers[0]:
            key = name.casefold()
            spelling, before = found.get(key, (name, [0] * len(numbers)))
            found[key] = (spelling, [one + other for one, other in zip(before, numbers, strict=True)])
    return found
