"""The first admin of the web terminal: there is one before it opens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.accounts import SignedIn
from crm.accounts.accounts import Accounts
from crm.accounts.keys import Secret
from crm.accounts.throttling import AttemptLimiter
from crm.clock import machine_now
from crm.config import Config
from crm.errors import StoreAccessError, UsageError
from crm.model import User
from crm.repository import Transaction
from crm.repository.sql import SqlRepository
from crm.repository.sqlite.dialect import Sqlite
from crm.web.first_admin import first_admin
from crm.web.server import Opened, serve

EMAIL = "boss@example.com"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[SqlRepository]:
    path = tmp_path / "crm.sqlite3"
    opened = SqlRepository(f"sqlite:///{path}", Sqlite(path), now=machine_now)
    yield opened
    opened.close()


@pytest.fixture
def accounts(repository: SqlRepository, tmp_path: Path) -> Accounts:
    return Accounts.of(
        repository, Secret("what protects the accounts of these tests", tmp_path), AttemptLimiter(tmp_path)
    )


def test_the_admin_that_is_named_is_added_once(repository: SqlRepository, accounts: Accounts) -> None:
    password = first_admin(repository, accounts, EMAIL)
    who = accounts.authentication.sign_in(EMAIL, password)
    assert isinstance(who, SignedIn)
    assert (who.role, who.must_change) == ("admin", True)
    assert first_admin(repository, accounts, EMAIL) == ""
    assert first_admin(repository, accounts, "other@example.com") == ""
    assert first_admin(repository, accounts, "") == ""


def test_a_server_without_an_admin_says_how_to_get_one(repository: SqlRepository, accounts: Accounts) -> None:
    with pytest.raises(UsageError, match=r"users add --role admin. Or set CRM_ADMIN_EMAIL"):
        first_admin(repository, accounts, "")


def test_an_environment_variable_does_not_promote_staff(repository: SqlRepository, accounts: Accounts) -> None:
    boss, _ = accounts.administration.add(email="chief@example.com", name="Chief", role="admin", password=PASSWORD)
    accounts.administration.add(email=EMAIL, name="Staff", role="staff", password=PASSWORD)
    assert first_admin(repository, accounts, EMAIL) == ""
    second, _ = accounts.administration.add(email="second@example.com", name="Second", role="admin", password=PASSWORD)

    # As whoever edits the store by hand might do.
    def edit(tx: Transaction) -> None:
        for user in (boss, second):
            tx.change(tx.get(User, user.id), active=False)

    repository.transact(edit, "edited")
    for email in (EMAIL, "new@example.com", ""):
        with pytest.raises(UsageError, match=r"No account is an active admin.* users recover E-MAIL"):
            first_admin(repository, accounts, email)


# What the start tells instead of the first who signs in


def start(folder: Path, secret: str = "what protects the accounts of these tests") -> int:
    """Start the web server as `crm web` does, over the store in a folder."""

    def opening() -> Opened:
        store = SqlRepository(f"sqlite:///{folder / 'crm.sqlite3'}", Sqlite(folder / "crm.sqlite3"), now=machine_now)
        accounts = Accounts.of(store, Secret(secret, folder), AttemptLimiter(folder))
        return Opened(accounts, store, lambda *_: False)

    def listens(purpose: str) -> bytes:
        raise AssertionError(f"it goes on to listen, and asks for a key for {purpose}")

    return serve(Config("", "", admin_email=EMAIL), opening, listens, port=1)


def test_a_different_secret_key_refuses_to_start(repository: SqlRepository, accounts: Accounts, tmp_path: Path) -> None:
    chief, _ = accounts.administration.add(email="chief@example.com", name="Chief", role="admin", password=PASSWORD)
    with pytest.raises(StoreAccessError, match="made with another CRM_SECRET") as raised:
        start(tmp_path, "another secret that is long enough too")
    assert "\n" not in raised.value.sentence
    # Nor is an admin added to a team that has lost its last one.
    repository.transact(lambda tx: tx.change(tx.get(User, chief.id), active=False), "by hand")
    with pytest.raises(StoreAccessError, match="CRM_SECRET"):
        start(tmp_path, "another secret that is long enough too")
    with repository.read() as snapshot:
        assert snapshot.count(User) == 1
