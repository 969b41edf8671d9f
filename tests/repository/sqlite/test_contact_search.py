"""Search for contacts: each leads to its client, in every store, and the index follows every change."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.model import Client, Contact
from tests.conftest import ON_NEW_STORES, STORES, NewStore, Store
from tests.repository.test_migrations import OLDER

pytestmark = pytest.mark.contract


def found(store: Store, text: str) -> list[int]:
    with store.repository.read() as snapshot:
        return [client.id for client in snapshot.search(text)]


def put(store: Store, client: Client, name: str, **fields: Any) -> Contact:
    contact: Contact = store.change(
        lambda tx: tx.add(Contact(client=client.id, name=name, **fields)), "added a contact"
    )
    return contact


TYPED = (
    "fóx", "FOX", "jo", "jo f", "fox jo", "jo@acm", "555 0123", "+1 (212) 555", "2125550", "foxs", "acme fox", "x a",
)  # fmt: skip


def test_any_field_of_a_contact_finds_the_client(store: Store) -> None:
    acme, _ = store.add(kind="company", last_name="", company="Acme"), store.add(last_name="Other")
    put(store, acme, "Jo Fóx", email="jo@acme.example", phone="+12125550123")
    assert {text: found(store, text) for text in TYPED} == {text: [acme.id] for text in TYPED}


def test_punctuation_is_text_and_an_empty_search_finds_everybody(store: Store) -> None:
    acme = store.add(last_name="Acme")
    put(store, acme, 'a_b% "AND" \\')
    for text in ("a_b%", '"AND"', "\\", "_b"):
        assert found(store, text) == [acme.id]
    for text in ("axb", "a AND zz", "zz OR a_b", "", " "):
        assert found(store, text) == []


def test_the_contact_index_follows_changes_deletions_and_undo(store: Store) -> None:
    acme, other = store.add(last_name="Acme"), store.add(last_name="Other")
    jo = put(store, acme, "Jo Fox")
    store.change(lambda tx: tx.change(tx.get(Contact, jo.id), name="Joan Wolf"))
    assert (found(store, "fox"), found(store, "wolf")) == ([], [acme.id])
    store.change(lambda tx: tx.change(tx.get(Contact, jo.id), client=other.id))
    assert found(store, "wolf") == [other.id]
    store.change(lambda tx: tx.delete(tx.get(Client, other.id)))
    assert found(store, "wolf") == []
    store.change(lambda tx: tx.undo())
    assert found(store, "wolf") == [other.id]
    store.change(lambda tx: tx.delete(tx.get(Contact, jo.id)))
    assert found(store, "wolf") == []
    with pytest.raises(ZeroDivisionError):
        store.change(lambda tx: (tx.add(Contact(client=acme.id, name="Lostman")), 1 / 0))
    assert found(store, "lostman") == []
    assert store.wrong() == []


def test_within_a_transaction_a_new_contact_is_found(store: Store) -> None:
    acme = store.add(last_name="Acme")

    def change(tx: Any) -> list[int]:
        tx.add(Contact(client=acme.id, name="Jo Fox"))
        return [record.id for record in tx.search("jo fox")]

    assert store.change(change) == [acme.id]


def test_contacts_are_found_in_a_copied_store(store: Store, new_store: NewStore) -> None:
    acme = store.add(last_name="Acme")
    put(store, acme, "Jo Fox")
    with new_store() as copy:
        copy.first_records = ()
        copy.repository.fill(store.repository.everything())
        assert found(copy, "jo fox") == [acme.id]
        assert copy.wrong() == []


PARTS = st.text(st.sampled_from("abcé ß'\"%_-@0123"), min_size=1, max_size=10).filter(lambda text: text.strip())


@pytest.mark.slow
@ON_NEW_STORES
@given(names=st.lists(PARTS, min_size=1, max_size=4), pick=st.data())
def test_every_part_of_a_name_finds_the_client(new_store: NewStore, names: list[str], pick: st.DataObject) -> None:
    with new_store() as store:
        clients = [store.add(last_name="Z") for _ in names]
        for client, name in zip(clients, names, strict=True):
            put(store, client, " ".join(name.split()))
        at = pick.draw(st.integers(0, len(names) - 1))
        name = " ".join(names[at].split())
        start = pick.draw(st.integers(0, len(name) - 1))
        part = name[start : pick.draw(st.integers(start + 1, len(name)))]
        if part.strip():
            assert clients[at].id in found(store, part)


def test_a_damaged_index_is_reported(new_store: NewStore) -> None:
    with new_store() as store:
        put(store, store.add(last_name="Acme"), "Jo Fox")
        if not store.repository.url.startswith("sqlite"):
            return
        with closing(sqlite3.connect(store.folder / "store.sqlite3")) as raw:
            raw.execute("DELETE FROM contact_search_docsize")
            raw.commit()
        assert store.wrong() == ["The search index holds 0 of 1 contacts."]


def test_a_store_of_an_older_format_gets_the_index(tmp_path: Path) -> None:
    with closing(Store(STORES["sqlite"], tmp_path)) as store:
        acme = store.add(last_name="Acme")
    with closing(sqlite3.connect(tmp_path / "store.sqlite3")) as raw:
        raw.executescript(f"{' '.join(OLDER.values())} DROP TABLE contact_search;")
    with closing(Store(STORES["sqlite"], tmp_path)) as store:
        put(store, acme, "Jo Fox")
        assert found(store, "fox") == found(store, "jo f") == [acme.id]
        assert store.wrong() == []
