"""Filters of the history, on every store: day, person, kind of record, client, text and state."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from crm.errors import FieldError, RefusedError
from crm.model import Client, Contact, Sale, StatusRule
from crm.repository import HistoryQuery
from crm.repository.dump import everything
from crm.repository.sql import SqlRepository
from crm.repository.tables import transactions
from tests.conftest import STORES, Store, _new_store

pytestmark = pytest.mark.contract


def numbers(store: Store, limit: int = 50, offset: int = 0, **query: Any) -> list[int]:
    """The numbers of the transactions that a query names."""
    with store.repository.read() as snapshot:
        return [entry.id for entry in snapshot.history(limit, offset, HistoryQuery(**query))]


def changed(store: Store, **query: Any) -> list[tuple[int, str, int, str]]:
    """The changes that a query names: transaction, kind, number and operation."""
    with store.repository.read() as snapshot:
        found = snapshot.each_change(HistoryQuery(**query))
        return [(change.transaction, change.record, change.record_id, change.operation) for change in found]


@pytest.fixture
def year(store: Store) -> Store:
    """Two clients and what became of them: 1 and 2 added, 3 a sale to the first, 4 edited by Ben, 5 a rule changed,
    6 the edit taken back."""
    first, second = store.add(last_name="Berg"), store.add(last_name="Žižka")
    store.sell(first, "10")
    store.another("Ben Ode").transact(lambda tx: tx.change(tx.get(Client, 1), city="Wien"), "moved to 100 % Wien")
    store.change(lambda tx: tx.change(tx.find_all(StatusRule)[0], when="total_spend > 1000000"), "changed a rule")
    store.change(lambda tx: tx.undo(4), "undo")
    assert second.id == 2
    return store


def test_without_a_filter_the_whole_history_is_listed_newest_first(year: Store) -> None:
    assert numbers(year) == [6, 5, 4, 3, 2, 1]
    assert numbers(year, 2, 1) == [5, 4]
    assert numbers(year, sort="id") == [1, 2, 3, 4, 5, 6]
    assert numbers(year, sort="-at") == [6, 5, 4, 3, 2, 1]
    assert numbers(year, sort="-user")[-1] != 4
    assert numbers(year, sort="user") == [6, 5, 3, 2, 1, 4]
    with pytest.raises(FieldError, match="not sorted by password"):
        numbers(year, sort="password")


def test_history_is_filtered_by_kind_of_record_and_number(year: Store) -> None:
    assert numbers(year, about="client") == [6, 4, 3, 2, 1]
    assert numbers(year, about="client", sort="id") == [1, 2, 3, 4, 6]
    assert numbers(year, 2, 1, about="client") == [4, 3]
    assert numbers(year, about="sale") == [3]
    assert numbers(year, about="rule") == [5]
    assert numbers(year, about="view") == []
    assert numbers(year, about="client", number=2) == [2]
    assert changed(year, about="client", number=1, sort="id")[0] == (1, "client", 1, "create")


def test_history_is_filtered_by_person_and_by_state(year: Store) -> None:
    assert numbers(year, by="ben") == numbers(year, by="N ODE") == [4]
    assert numbers(year, by="100%") == numbers(year, by="%") == []
    assert numbers(year, undone=True) == [4]
    assert numbers(year, undone=False) == [6, 5, 3, 2, 1]
    assert numbers(year, undone=False, about="client") == [6, 3, 2, 1]
    assert numbers(year, transaction=5) == [5]
    assert numbers(year, transaction=99) == []


def test_history_is_filtered_by_time(store: Store) -> None:
    for day in (1, 2, 3):
        store.today = date(2026, 11, day)
        store.add()
    middle, end = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)
    assert numbers(store, since=middle) == [3, 2]
    assert numbers(store, until=middle) == [1]
    assert numbers(store, since=middle, until=end) == [2]
    assert numbers(store, since=middle, about="client", sort="id") == [2, 3]
    assert [entry[0] for entry in changed(store, since=middle)] == [3, 2]


def test_history_is_filtered_by_text_in_the_summary_or_a_field(year: Store) -> None:
    assert numbers(year, text="WIEN") == [6, 4]
    assert numbers(year, text="1000000") == [5]
    assert numbers(year, text="recorded a sale") == [3]
    assert numbers(year, text="100 % w") == [6, 4]
    assert numbers(year, text="_") != []
    assert numbers(year, text="nowhere") == []
    assert numbers(year, text="wien", about="rule") == []
    assert changed(year, text="changed a rule") == [(5, "rule", 1, "update")]
    year.change(lambda tx: tx.change(tx.get(Client, 2), notes='ÄRGER: "so" \\ \n so'), "noted")
    assert numbers(year, text="ärger") == numbers(year, text='"SO" \\') == [7]


def test_the_history_of_a_client_has_every_change_that_refers_to_it(store: Store) -> None:
    kept, gone = store.add(), store.add()
    sale, other = store.sell(gone, "10"), store.sell(kept, "20")

    def merge(tx: Any) -> None:
        tx.change(tx.get(Sale, sale.id), client=kept.id)
        tx.delete(tx.get(Client, gone.id))

    store.change(merge, "merged")
    store.change(lambda tx: tx.delete(tx.get(Sale, other.id)), "took back")
    assert numbers(store, client=kept.id) == [6, 5, 4, 3, 1]
    assert numbers(store, client=gone.id) == [5, 3, 2]
    assert ("sale", other.id, "delete") in {entry[1:] for entry in changed(store, client=kept.id)}
    assert {entry[1:3] for entry in changed(store, client=gone.id)} == {("client", gone.id), ("sale", sale.id)}
    assert numbers(store, client=kept.id, about="sale") == [6, 5, 4, 3]
    assert numbers(store, client=kept.id, undone=True) == []
    assert numbers(store, client=99) == []
    store.change(lambda tx: tx.undo(6), "undo")
    assert numbers(store, client=kept.id) == [7, 6, 5, 4, 3, 1]


def test_a_client_of_an_import_has_only_its_own_changes(store: Store) -> None:
    store.change(lambda tx: tx.add_all([Client(kind="person", last_name=f"C{at}") for at in range(50)]), "imported")
    assert numbers(store, client=7) == [1]
    assert changed(store, client=7) == [(1, "client", 7, "create")]
    assert len(changed(store, transaction=1)) == 50


def test_an_undo_without_effect_is_found_by_its_text(store: Store) -> None:
    client = store.add(city="Graz")
    store.change(lambda tx: tx.change(client, city="Wien"), "moved")
    store.change(lambda tx: tx.undo(2), "undo")
    assert numbers(store, text="undid") == [3]


def test_records_that_refer_to_a_client_are_in_its_history(store: Store) -> None:
    client = store.add()
    contact = store.change(lambda tx: tx.add(Contact(client=client.id, name="Ada")), "added a contact")
    store.change(lambda tx: tx.change(contact, role="head"), "edited a contact")
    store.change(lambda tx: tx.delete(tx.get(Contact, contact.id)), "deleted a contact")
    assert [entry[1:] for entry in changed(store, client=client.id)][:3] == [
        ("contact", contact.id, "delete"),
        ("contact", contact.id, "update"),
        ("contact", contact.id, "create"),
    ]


# Identifiers


def uids(repository: SqlRepository) -> list[str | None]:
    with repository.read() as snapshot:
        return [uid for (uid,) in snapshot.select(select(transactions.c.uid).order_by(transactions.c.id))]


def test_every_transaction_has_an_identifier_that_no_other_has(year: Store) -> None:
    known = uids(year.repository)
    assert len(set(known)) == len(known) == 6
    assert all(re.fullmatch(r"[0-9a-f]{32}", uid or "") for uid in known)
    # Another program sees the same ones: a writer finds its own by them.
    assert uids(year.another()) == known
    with pytest.raises((IntegrityError, RefusedError)):
        year.change(lambda tx: tx.connection.execute(update(transactions).values(uid=known[0])), "twice the same")


@pytest.mark.slow
def test_a_copy_keeps_transaction_identifiers_and_older_entries_stay_without(year: Store) -> None:
    with year.repository.read() as snapshot:
        items = list(everything(snapshot))
    for name, fields in items:
        if name == "transaction" and fields["id"] < 3:
            del fields["uid"]  # type: ignore[attr-defined]
    known = uids(year.repository)
    for to in STORES:
        with _new_store(STORES[to]) as copy:
            copy.repository.fill(items)
            assert uids(copy.repository) == uids(copy.another()) == [None, None, *known[2:]], to
            copy.add()
            assert uids(copy.another())[:-1] == [None, None, *known[2:]], to
