"""The people of the team: who they are, and what waits for each of them."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from sqlalchemy import Column, ColumnElement, ScalarSelect, Select, case, func, literal, select, true

from crm.commands.context import CRM
from crm.commands.ownership import called, team, written_names
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.model import Client, Deal, FollowUp, Record, User
from crm.model import people as people_of
from crm.model.fields import Email, Line, Phone
from crm.repository import Snapshot
from crm.repository.query import whose_account
from crm.repository.tables import TABLES, deal, follow_up


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
        accounts = {account.id: account for account in team(snapshot)}
        overdue = func.sum(case((follow_up.c.due_on < crm.today, 1), else_=0))
        to_do = _counted(snapshot, FollowUp, follow_up.c.done_on.is_(None), func.count(), overdue)
        deals = _counted(snapshot, Deal, deal.c.closed_on.is_(None), func.count())
        clients = _counted(snapshot, Client, true(), func.count())
    found: dict[int | str, str] = {account.id: called(account) for account in accounts.values()}
    for counts in (to_do, deals, clients):
        found = {key: name for key, (name, _) in counts.items()} | found
    people = []
    for key, name in found.items():
        account = accounts.get(key, User()) if isinstance(key, int) else User()
        (due, late), (open_deals, *_), (looked_after, *_) = (
            counts.get(key, ("", [0, 0]))[1] for counts in (to_do, deals, clients)
        )
        people.append(Colleague(name, account.role, account.email, due, late, open_deals, looked_after))
    return sorted(people, key=lambda person: (person.name.casefold(), not person.role))


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
    return next(person for person in list_all(crm) if person.name == added.name and person.role)


def _counted(
    snapshot: Snapshot, kind: type[Record], among: ColumnElement[bool], *counts: ColumnElement[Any]
) -> dict[int | str, tuple[str, list[int]]]:
    """Counts of what is somebody's: by account, and of what is nobody's account's by name, whatever its case. With each
    the name as it is spelled, and the sums."""
    ((name, beside),) = people_of(kind).items()
    columns = TABLES[kind].c
    found: dict[int | str, tuple[str, list[int]]] = {}
    for (account,) in snapshot.select(_accounts(columns[beside])):
        theirs = whose_account(columns[beside], account)
        ((count, *more),) = snapshot.select(select(*counts).where(theirs, among))
        if count:
            ((spelled,),) = snapshot.select(select(columns[name]).where(theirs).limit(1))
            found[account] = (spelled, [count, *more])
    written = written_names(columns[name]).subquery()
    unsaid = (func.lower(columns[name]) == func.lower(written.c.name), columns[beside] == 0, among)
    sums = [select(count).where(*unsaid).scalar_subquery() for count in counts]
    for spelled, *numbers in snapshot.select(select(written.c.name, *sums)):
        if numbers[0]:
            key = spelled.casefold()
            spelling, before = found.get(key, (spelled, [0] * len(numbers)))
            found[key] = (spelling, [one + other for one, other in zip(before, numbers, strict=True)])
    return found


@cache
def _accounts(beside: Column[int]) -> Select[tuple[int]]:
    """The accounts in a column, each once, as `written_names` finds names."""

    def after(account: ColumnElement[int] | int) -> ScalarSelect[int]:
        its = beside.table.alias().c[beside.name]
        return select(func.min(its)).where(its != literal(0, literal_execute=True), its > account).scalar_subquery()

    account = select(after(0).label("account")).cte("accounts", recursive=True)
    account = account.union_all(select(after(account.c.account)).where(account.c.account.is_not(None)))
    return select(account.c.account).where(account.c.account.is_not(None))
