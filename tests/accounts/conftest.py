"""The accounts of a new store, with a clock that tests can move, and a phone and a mailbox that they can read."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from argon2 import PasswordHasher
from pyotp import TOTP
from sqlalchemy import update

from crm.accounts import SecondFactorAsked, SignedIn
from crm.accounts.accounts import Accounts
from crm.accounts.keys import Secret
from crm.accounts.throttling import AttemptLimiter
from crm.model import SignIn, User
from crm.model.rights import Reader
from crm.repository import tables
from crm.repository.guarded.verified import VerifiedRepository
from tests.conftest import STORES, Store, _new_store

PASSWORD = "a quiet lemon drives north"
SECRET = "what protects the accounts of these tests"


class Telephone:
    """A Texter that keeps what it sends."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []

    def send(self, to: str, text: str) -> None:
        self.texts.append((to, text))

    @property
    def code(self) -> str:
        """The code that was sent last."""
        found = re.search(r"\b\d{6}\b", self.texts[-1][1])
        assert found is not None
        return found.group()


class Mailbox:
    """A Mailer that keeps what it sends."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str, str]] = []

    def send(self, to: str, subject: str, text: str) -> None:
        self.letters.append((to, subject, text))


class Office:
    """The accounts of one store. `pass_time` moves the clock on."""

    def __init__(self, store: Store, secret: str = SECRET) -> None:
        self.store = store
        self.passed = timedelta()
        self.telephone = Telephone()
        self.mailbox = Mailbox()
        self.attempts = AttemptLimiter(store.folder, lambda: self.now().timestamp())
        self.accounts = self.another(secret=secret)

    def now(self) -> datetime:
        return datetime.combine(self.store.today, time(9, 30), UTC) + self.passed

    def pass_time(self, **given: float) -> None:
        self.passed += timedelta(**given)

    def another(self, *, secret: str = SECRET, **given: Any) -> Accounts:
        """The same accounts as another program has them."""
        services = {"texter": self.telephone, "mailer": self.mailbox, **given}
        ways: dict[str, Any] = {name: partial(services.get, name) for name in services}
        kept = Secret(secret, self.store.folder)
        accounts = Accounts.of(self.store.repository, kept, self.attempts, now=self.now, **ways)
        # Less work for each hash: how long it takes is not what is tested.
        accounts.self_service._passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        return accounts

    def add(self, email: str = "anna@example.com", role: str = "admin", **given: Any) -> User:
        """A new account with PASSWORD."""
        name = given.pop("name", email.partition("@")[0].title())
        return self.accounts.administration.add(email=email, name=name, role=role, password=PASSWORD, **given)[0]

    def acting(self, user: User) -> Accounts:
        """The accounts as somebody has them who is signed in."""
        reader = Reader(user.id, user.role, user.client, user.name)
        return self.accounts.over(VerifiedRepository(self.store.repository, reader, lambda _, reader: reader))

    def sign_in(self, email: str = "anna@example.com", password: str = PASSWORD, **given: str) -> SignedIn:
        """A sign-in by password alone."""
        signed_in = self.accounts.authentication.sign_in(email, password, **given)
        assert isinstance(signed_in, SignedIn)
        return signed_in

    def asked(self, email: str = "anna@example.com", **given: str) -> SecondFactorAsked:
        """A sign-in that asks for a code."""
        asked = self.accounts.authentication.sign_in(email, PASSWORD, **given)
        assert isinstance(asked, SecondFactorAsked)
        return asked

    def with_app(self, user: User) -> tuple[TOTP, list[str]]:
        """Give somebody an app as a second factor; the app, and the recovery codes."""
        offer = self.accounts.self_service.begin_totp(user.id)
        app = TOTP(offer.secret)
        codes = self.accounts.self_service.confirm_totp(user.id, offer.secret, app.at(self.now()))
        self.pass_time(minutes=1)
        return app, codes

    def user(self, user: User | int) -> User:
        """An account as it is stored now."""
        with self.store.repository.read() as snapshot:
            return snapshot.get(User, user if isinstance(user, int) else user.id)

    def sign_ins(self) -> list[SignIn]:
        with self.store.repository.read() as snapshot:
            return snapshot.find_all(SignIn)

    def history(self) -> list[tuple[str, str]]:
        """The history, newest first: who did what."""
        with self.store.repository.read() as snapshot:
            return [(entry.user, entry.what) for entry in snapshot.history(limit=500)]

    def by_hand(self, user: User, **changes: Any) -> None:
        """Somebody edits an account past the program."""
        statement = update(tables.user).where(tables.user.c.id == user.id).values(**changes)
        self.store.change(lambda tx: tx.connection.execute(statement), "by hand")


@pytest.fixture
def office(store: Store) -> Iterator[Office]:
    """The accounts of a fresh store, on each kind of store."""
    made = Office(store)
    yield made
    made.attempts.close()


@pytest.fixture
def file_office() -> Iterator[Office]:
    """The same on a file alone, for what has nothing to do with the store."""
    with _new_store(STORES["sqlite"]) as store:
        made = Office(store)
        yield made
        made.attempts.close()
