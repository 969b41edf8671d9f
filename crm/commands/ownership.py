"""Ownership: the people that records belong to, and lists that are narrowed to what is somebody's."""

from collections.abc import Iterable
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.registry import About
from crm.errors import FieldError
from crm.model import User
from crm.model.rights import CLIENT
from crm.repository import Query, Snapshot
from crm.repository.queries import people
from crm.repository.queries.people import EVERYBODY, OwnerFilter
from crm.repository.team import same

# What every list takes whose records are somebody's.
Mine = Annotated[bool, About("Mine", "only mine; everyone's by default")]


def owner_filter(
    crm: CRM, snapshot: Snapshot, mine: bool, person: str = "", *, field: str = "user", label: str = "For"
) -> OwnerFilter:
    """The filter of a list that takes `mine` and a person: my own, those of a person, or everybody's. Raises FieldError
    where both are wanted."""
    is_me = same(person) == same(crm.me)
    if mine and person and not is_me:
        raise FieldError("choose your own or one person's, not both", field=field, label=label)
    if not (mine or person):
        return EVERYBODY
    if crm.reader.user and (mine or is_me):
        return OwnerFilter(crm.me, crm.reader.user)
    name = person or crm.me
    return OwnerFilter(name, people.accounts(snapshot).account(name))


def names(snapshot: Snapshot) -> list[str]:
    """Everybody whose name is in records or who has an account, in the order of the alphabet; names that differ in case
    only are one, spelled as in the account."""
    by_key = {name.casefold(): name for name in map(called, team(snapshot))}
    for name in people.names(snapshot):
        by_key.setdefault(name.casefold(), name)
    return [by_key[key] for key in sorted(by_key)]


def spelled(snapshot: Snapshot, name: str) -> str:
    """The name as it is spelled already, where somebody is called so in whatever case."""
    folded = name.casefold()
    return next((name for name in names(snapshot) if name.casefold() == folded), name) if name else ""


def team(snapshot: Snapshot) -> Iterable[User]:
    return [user for user in snapshot.find_all(User, Query({"active": True})) if user.role != CLIENT]


def called(account: User) -> str:
    return account.name or account.email
