"""Reading what is drawn together, at one moment."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crm.commands.context import CRM, shut
from crm.commands.registry import named
from crm.config import store_file
from crm.errors import CRMError, StoreDamagedError
from crm.model import Client
from tests.commands.conftest import Office


def names(crm: CRM) -> list[str]:
    with crm.read() as snapshot:
        return [client.first_name for client in snapshot.find_all(Client)]


def add(crm: CRM, name: str) -> None:
    named("clients add")(crm, {"first_name": name})


@pytest.fixture
def crm(office: Office) -> CRM:
    return office.crm


@pytest.fixture
def another(crm: CRM) -> Iterator[CRM]:
    """Another program on the same store."""
    add(crm, "Anna")
    other = crm.open(crm.repository.url)
    yield other
    other.repository.close()


def test_changes_of_others_are_seen_afterwards(crm: CRM, another: CRM) -> None:
    with crm.at_one_moment():
        assert names(crm) == ["Anna"]
        add(another, "Bert")
        assert names(crm) == ["Anna"]
    assert names(crm) == ["Anna", "Bert"]
    with crm.at_one_moment():
        add(another, "Cleo")
        assert names(crm) == ["Anna", "Bert", "Cleo"]


def test_a_change_of_ones_own_is_seen_at_once(crm: CRM, another: CRM) -> None:
    with crm.at_one_moment(), crm.at_one_moment():
        assert names(crm) == ["Anna"]
        add(another, "Bert")
        add(crm, "Cleo")
        assert names(crm) == ["Anna", "Bert", "Cleo"]


def test_a_page_that_reads_nothing_needs_no_store(crm: CRM) -> None:
    with shut(crm, StoreDamagedError("the file is damaged")).at_one_moment():
        pass


def test_a_damaged_store_is_reported_where_it_is_read(crm: CRM) -> None:
    damaged = shut(crm, StoreDamagedError("the file is damaged"))
    with damaged.at_one_moment(), pytest.raises(StoreDamagedError):
        names(damaged)


def test_an_unreadable_value_is_reported_where_it_is_read(crm: CRM, another: CRM) -> None:
    path = store_file(another.repository.url)
    assert isinstance(path, Path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE client SET created_at = 'soon'")
    with crm.at_one_moment():
        with pytest.raises(CRMError, match="created_at"):
            names(crm)
        with crm.read() as snapshot:
            assert snapshot.count(Client) == 1
