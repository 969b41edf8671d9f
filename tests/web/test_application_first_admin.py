"""The web terminal has an admin before it opens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.accounts import SignedIn
from crm.accounts.accounts import Accounts
from crm.accounts.attempts import Attempts
from crm.accounts.secret import Secret
from crm.clock import machine_now
from crm.errors import UsageError
from crm.model import User
from crm.repository import Transaction
from crm.repository.sql import SqlRepository
from crm.repository.sqlite import Sqlite
from crm.web.first_admin import first_admin

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
    return Accounts(repository, Secret("s" * 40, tmp_path), Attempts(tmp_path))


def test_the_admin_that_is_named_is_added_once(repository: SqlRepository, accounts: Accounts) -> None:
    password = first_admin(repository, accounts, EMAIL)
    who = accounts.sign_in(EMAIL, password)
    assert isinstance(who, SignedIn)
    assert (who.role, who.must_change) == ("admin", True)
    assert first_admin(repository, accounts, EMAIL) == ""
    assert first_admin(repository, accounts, "other@example.com") == ""
    assert first_admin(repository, accounts, "") == ""


def test_without_an_admin_it_says_how_to_get_one(repository: SqlRepository, accounts: Accounts) -> None:
    with pytest.raises(UsageError, match="users add --role admin; or set CRM_ADMIN_EMAIL"):
        first_admin(repository, accounts, "")


def test_staff_are_not_raised_by_a_variable(repository: SqlRepository, accounts: Accounts) -> None:
    boss, _ = accounts.add(email="chief@example.com", name="Chief", role="admin", password=PASSWORD)
    accounts.add(email=EMAIL, name="Staff", role="staff", password=PASSWORD)
    assert first_admin(repository, accounts, EMAIL) == ""
    second, _ = accounts.add(email="second@example.com", name="Second", role="admin", password=PASSWORD)

    # As whoever edits the store by hand might do.
    def edit(tx: Transaction) -> None:
        for each in (boss, second):
            tx.change(tx.get(User, each.id), active=False)

    repository.transact(edit, "edited")
    with pytest.raises(UsageError, match="names an account that is no active admin"):
        first_admin(repository, accounts, EMAIL)
