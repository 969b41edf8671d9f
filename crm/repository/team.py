"""The accounts of the team by their names, for the id that is beside a name in a record."""

import unicodedata
from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Connection, Table, case, select, update
from sqlalchemy.dialects import registry

from crm.model.rights import CLIENT
from crm.repository.driver import run
from crm.repository.tables import people_columns, transactions, user

# The accounts that may be named in a record: those of clients may not.
TEAM = select(user.c.id, user.c.name, user.c.email, user.c.active).where(user.c.role != CLIENT).order_by(user.c.id)


@lru_cache(maxsize=1024)
def same(name: str) -> str:
    """A name as it is compared: whatever its case, its blanks and how its letters are written."""
    plain = name if name.isascii() else unicodedata.normalize("NFKC", name)
    return " ".join(plain.casefold().split())


class Team:
    """The accounts of the team, as the rows of TEAM have them."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._called: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._gone: dict[str, int] = {}
        for number, name, email, active in rows:
            self._called[number] = called = name or email
            of, key = self._ids if active else self._gone, same(called)
            # A name that two people have identifies nobody.
            of[key] = 0 if key in of else number

    def __bool__(self) -> bool:
        """Return whether there is anybody."""
        return bool(self._called)

    def account(self, name: str) -> int:
        """The id of the one active account of that name; 0 where there is none, or more than one."""
        return self._ids.get(same(name), 0) if self._ids else 0

    def account_or_former(self, name: str) -> int:
        """The account meant by a name that was written by itself: the active account of that name, else the one of
        somebody who is gone."""
        key = same(name)
        return self._ids[key] if key in self._ids else self._gone.get(key, 0)

    def called(self, account: int) -> str:
        """The name of an account, active or not; '' where there is none with that id."""
        return self._called.get(account, "")


def team_of(connection: Connection) -> Team:
    """The team as it is now. Every transaction that names somebody asks for it, and it seldom changes."""
    return _team(tuple(run(connection, _words(connection.dialect.name))))


@cache
def _words(dialect: str) -> str:
    """TEAM as SQL: to make the statement ready takes longer than to carry it out."""
    return str(TEAM.compile(dialect=registry.load(dialect)(), compile_kwargs={"literal_binds": True}))


@lru_cache(maxsize=16)
def _team(rows: tuple[Any, ...]) -> Team:
    return Team(rows)


def fill_in_accounts(connection: Connection, tables: Collection[Table] | None = None) -> None:
    """Write the ids of the accounts, as they are now, beside the names that have none; in some tables only where
    `tables` names them."""
    team = team_of(connection)
    for table, name, beside in people_columns():
        if tables is None or table in tables:
            missing = (name != "", beside == 0)
            written = connection.execute(select(name).where(*missing).distinct()).scalars()
            accounts = {
                written_name: account for written_name in written if (account := team.account_or_former(written_name))
            }
            if accounts:
                filled = update(table).where(name.in_(accounts), *missing)
                connection.execute(filled.values({beside.name: case(accounts, value=name)}))


def successors(before: Iterable[Any], after: Iterable[Any], *, same_store: bool) -> dict[int, int]:
    """The successors among the accounts of `after` for those that TEAM had `before`, by their ids: the same one, or
    where the store is another one the account with the address or the name; 0 for nobody."""
    users = {user[0]: user for user in after}
    team = Team(users.values())
    by_address = {user[2]: user[0] for user in users.values() if user[2]}
    return {
        number: number if same_store and number in users else by_address.get(email, 0) or team.account(name or email)
        for number, name, email, _ in before
    }


def speak_of(connection: Connection, accounts: dict[int, int]) -> None:
    """Replace accounts by their successors everywhere, with the names that these have now."""
    team = team_of(connection)
    moved = {old: new for old, new in accounts.items() if old != new}
    called = {account: team.called(account) for account in accounts.values() if team.called(account)}
    for table, name, beside in people_columns():
        if moved:
            theirs = update(table).where(beside.in_(moved))
            connection.execute(theirs.values({beside.name: case(moved, value=beside)}))
        if called and table is not transactions:
            theirs = update(table).where(beside.in_(called), name != case(called, value=beside))
            connection.execute(theirs.values({name.name: case(called, value=beside)}))
