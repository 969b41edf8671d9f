"""A store with two clients, their sales and an account of each role, with each role's permissions."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from crm.errors import SignedOutError
from crm.model import BY_NAME, Client, Dashboard, Sale, Setting, SignIn, User, View, people, rights
from crm.model.rights import ALL, CREATE, DELETE, OWN, OWN_CHANGES, OWNED_BY, UPDATE, Reader, level
from crm.repository import Repository, Snapshot
from crm.repository.dump import Item
from crm.repository.guarded.repository import GuardedRepository
from crm.repository.guarded.verified import VerifiedRepository, Verify
from tests.conftest import STORES, Store

# Stands wherever only some may see it, so that a search through whatever came back finds it.
FOREIGN, INTERNAL, SECRET = "foreignmark", "internalmark", "secretmark"


def guarded_for(repository: Repository, reader: Reader, verify: Verify = lambda _, reader: reader) -> GuardedRepository:
    """A store as a reader has it, who is signed in all the time unless told."""
    return GuardedRepository(VerifiedRepository(repository, reader, verify))


@dataclass
class Team:
    """`own` is the client that the account 'client' belongs to, `other` is somebody else."""

    store: Store
    own: Client = field(init=False)
    other: Client = field(init=False)
    own_sale: Sale = field(init=False)
    other_sale: Sale = field(init=False)
    users: dict[str, User] = field(init=False)
    sign_ins: dict[str, SignIn] = field(init=False)
    dashboards: dict[str, Dashboard] = field(init=False)

    def __post_init__(self) -> None:
        change = self.store.change
        self.own, self.other = change(lambda tx: [tx.add(client) for client in _clients()], "added two clients")
        self.own_sale, self.other_sale = change(lambda tx: [tx.add(sale) for sale in self._sales()], "sold twice")
        change(lambda tx: tx.add(View(name="Big", condition="total_spend > 1")), "saved the view Big")
        change(lambda tx: tx.add(Setting(key="team", value="ours")), "set team to ours")
        self.users = {
            added.role: added for added in change(lambda tx: [tx.add(user) for user in self._users()], "let in")
        }
        self.sign_ins = change(self._sign_in, "signed in")
        self.dashboards = change(self._arrange, "arranged two dashboards")

    def _sales(self) -> list[Sale]:
        on = date(2026, 11, 1)
        return [
            Sale(client=self.own.id, on=on, amount=Decimal(100), note=f"{INTERNAL} own"),
            Sale(client=self.other.id, on=on, amount=Decimal("76543.21"), note=f"{FOREIGN} sale"),
        ]

    def _users(self) -> list[User]:
        secret: dict[str, Any] = {
            "active": True, "password": f"{SECRET}-1", "second_factor": f"{SECRET}-2", "seal": f"{SECRET}-3"
        }  # fmt: skip
        return [
            User(email="ada@example.com", name="Ada", role="admin", **secret),
            User(email="sam@example.com", name="Sam", role="staff", **secret),
            User(email="own@example.com", name="Olga", role="client", client=self.own.id, **secret),
        ]

    def _sign_in(self, tx: Any) -> dict[str, SignIn]:
        return {
            role: tx.add(SignIn(user=user.id, state="open", address=f"address-{role}", token=f"{SECRET}-{role}"))
            for role, user in self.users.items()
        }

    def _arrange(self, tx: Any) -> dict[str, Dashboard]:
        return {
            role: tx.add(Dashboard(user=self.users[role].name, tiles=f"tiles of {role}")) for role in ("admin", "staff")
        }

    def reader(self, role: str) -> Reader:
        """The account of a role, as whoever signed in with it."""
        user = self.users[role]
        return Reader(user.id, role, user.client, user.name)

    def seen_by(self, role: str) -> GuardedRepository:
        """The store as the account of a role has it."""
        return guarded_for(self.store.repository, self.reader(role), self._account)

    def working_as(self, role: str) -> GuardedRepository:
        """The same for as long as the sign-in of that role is open."""
        return guarded_for(self.store.repository, self.reader(role), self._session)

    def _session(self, snapshot: Snapshot, reader: Reader) -> Reader:
        session = snapshot.find(SignIn, self.sign_ins[reader.role].id)
        if session is None or session.state != "open":
            raise SignedOutError
        return self._account(snapshot, reader)

    def _account(self, snapshot: Snapshot, reader: Reader) -> Reader:
        account = snapshot.find(User, reader.user)
        if account is None or not account.active or (account.role, account.client) != (reader.role, reader.client):
            raise SignedOutError
        return replace(reader, name=account.name)

    def everything(self) -> list[Any]:
        """All that is in the store, history included."""
        return list(self.store.repository.everything())


@contextmanager
def new_team(folder: Path, kind: str = "sqlite") -> Iterator[Team]:
    """A fresh one in a folder, on a store of some kind."""
    with closing(Store(STORES[kind], folder)) as store:
        yield Team(store)


def _clients() -> list[Client]:
    return [
        Client(
            kind="person", first_name="Olga", last_name="Own", email="own@example.com", tags=(INTERNAL,),
            notes=f"{INTERNAL} notes", owner=f"{INTERNAL} owner", source=f"{INTERNAL} source",
            extra={"size": f"{INTERNAL} extra"},
        ),
        Client(
            kind="company", company=f"{FOREIGN} GmbH", email=f"{FOREIGN}@example.com", phone="+436605551234",
            reference=f"{FOREIGN}-1", notes=f"{FOREIGN} notes",
        ),
    ]  # fmt: skip


Stored = Mapping[tuple[str, int], Mapping[str, Any]]


def records(objects: Iterable[Item]) -> Stored:
    """The fields of every record by its kind and id, from everything that is in a store."""
    return {(name, fields["id"]): fields for name, fields in objects if name in BY_NAME}


def assert_allowed(reader: Reader, before: Stored, after: Stored, through_accounts: bool = False) -> None:
    """Assert that every difference is allowed by the table; with `through_accounts` also one's own password and
    sessions."""
    for key in before.keys() | after.keys():
        kind, _ = key
        if key not in before:
            assert level(reader.role, kind, CREATE) is ALL or _is_own(reader, kind, CREATE, after[key]), key
        elif key not in after:
            assert level(reader.role, kind, DELETE) is ALL or _is_own(reader, kind, DELETE, before[key]), key
        elif before[key] != after[key]:
            changed = {name for name in before[key] if before[key][name] != after[key][name]}
            changed -= {"version", "updated_at"}
            secret = {*rights.SECRET.get(kind, ()), "must_change"}
            assert through_accounts or changed.isdisjoint(secret), key
            if through_accounts:
                # A new name is shown wherever the account stands.
                changed -= {name for name, number in people(BY_NAME[kind]).items() if after[key][number] == reader.user}
                if not changed:
                    continue
            if level(reader.role, kind, UPDATE) is not ALL:
                assert level(reader.role, kind, UPDATE) is OWN, key
                name, of_reader = OWNED_BY[kind]
                assert before[key][name] == getattr(reader, of_reader), key
                assert changed - secret <= OWN_CHANGES[kind].keys(), (key, changed)


def _is_own(reader: Reader, kind: str, operation: str, record: Mapping[str, Any]) -> bool:
    """True if a record is the reader's own, and the table allows something for those."""
    if level(reader.role, kind, operation) is not OWN:
        return False
    name, of_reader = OWNED_BY[kind]
    return bool(record[name] == getattr(reader, of_reader))
