"""Owners of records: the account beside a name, filled in, kept, and restored."""

from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RefusedError
from crm.model import Client, Dashboard, Deal, FollowUp, Interaction, Mailing, Sale, StageMove, User
from crm.model import people as kind_people
from crm.repository import Query, last_undoable
from tests.conftest import ON_NEW_STORES, NewStore, Store
from tests.support.clocks import TODAY

pytestmark = [pytest.mark.contract, pytest.mark.quick_on_sheets]


_NUMBERS = count()


def people(store: Store, *names: str, **given: Any) -> list[int]:
    """Active accounts of staff with these names; their ids."""
    given = {"role": "staff", "active": True, **given}
    users = [User(name=name, email=f"number{next(_NUMBERS)}@example.com", **given) for name in names]
    return [record.id for record in store.change(lambda tx: [tx.add(user) for user in users])]


def test_a_name_belongs_to_the_only_account_with_it(store: Store) -> None:
    ada, ben = people(store, "Ada Lovelace", "Ben")
    (gone,) = people(store, "Tia", active=False)
    people(store, "Gus", role="client", client=1)
    owners = [store.add(owner=name) for name in ("  ada   LOVELACE", "Tia", "Gus", "Nobody", "")]
    assert [(owner.owner, owner.owner_id) for owner in owners] == [
        ("Ada Lovelace", ada), ("Tia", 0), ("Gus", 0), ("Nobody", 0), ("", 0)
    ]  # fmt: skip
    changed = store.change(lambda tx: tx.change(owners[3], owner="ben"))
    assert (changed.owner, changed.owner_id) == ("Ben", ben)
    # Whoever says the account is told its name.
    changed = store.change(lambda tx: tx.change(changed, owner_id=gone))
    assert (changed.owner, changed.owner_id) == ("Tia", gone)
    # Named again they stay who they are.
    assert store.change(lambda tx: tx.change(changed, owner="tia")).owner_id == gone
    people(store, "BEN")
    assert store.add(owner="Ben").owner_id == 0, "two are called so"
    assert store.wrong() == []


def test_every_name_in_a_record_has_its_account_beside_it(store: Store) -> None:
    (ben,) = people(store, "Ben")

    def change(tx: Any) -> None:
        tx.user, tx.user_id = "Ben", ben
        client = tx.add(Client(kind="person", last_name="X", owner="Ben"))
        tx.add(Deal(client=client.id, title="D", owner="ben"))
        tx.add(Sale(client=client.id, on=TODAY, amount=Decimal(1), user="Ben"))
        tx.add(Interaction(client=client.id, kind="call", on=TODAY, user="Ben"))
        tx.add(FollowUp(client=client.id, due_on=TODAY, user="Ben"))
        tx.add(Mailing(name="M", user="Ben"))
        tx.add(Dashboard(user="Ben", tiles="agenda"))

    store.change(change)
    with store.another().read() as snapshot:
        for kind in (Client, Deal):
            assert [record.owner_id for record in snapshot.find_all(kind)] == [ben]
        for kind in (Sale, Interaction, FollowUp, Mailing, Dashboard, StageMove):
            assert [record.user_id for record in snapshot.find_all(kind)] == [ben], kind
        assert snapshot.history(1)[0].user_id == ben


def test_undo_puts_the_account_back_as_it_was(store: Store) -> None:
    ada, ben = people(store, "Ada", "Ben")
    client = store.add(owner="Zoe")
    store.change(lambda tx: tx.change(client, owner="Ada"))
    store.change(lambda tx: tx.change(tx.get(Client, client.id), owner="Ben"))
    people(store, "Zoe")
    store.change(lambda tx: tx.undo())
    assert store.client(client).owner_id == ada
    store.change(lambda tx: tx.undo())
    assert (store.client(client).owner, store.client(client).owner_id) == ("Zoe", 0)
    store.change(lambda tx: tx.change(tx.get(Client, client.id), owner="Ben"))
    store.change(lambda tx: tx.delete(tx.get(Client, client.id)))
    store.change(lambda tx: tx.undo())
    assert store.client(client).owner_id == ben
    assert store.wrong() == []


def test_records_of_a_person_are_found_by_the_account(store: Store) -> None:
    (ben,) = people(store, "Ben")
    old = store.add(owner="Ben")
    store.change(lambda tx: tx.change(tx.get(User, ben), active=False))
    (other,) = people(store, "Ben")
    new = store.add(owner="Ben")
    with store.repository.read() as snapshot:
        assert snapshot.numbers(Client, Query({"owner_id": ben})) == [old.id]
        assert snapshot.numbers(Client, Query({"owner": "ben"})) == [new.id], (
            "by the name of an account, what is theirs"
        )
        assert snapshot.numbers(Client, Query({"owner": "Nobody"})) == []
        assert snapshot.count(Client, Query({"owner_id": other})) == 1


def test_the_last_change_of_a_person_is_found_by_the_account(store: Store) -> None:
    ben, other = people(store, "Ben", "Other")

    def of(account: int, name: str) -> Any:
        def change(tx: Any) -> None:
            tx.user, tx.user_id = name, account
            tx.add(Client(kind="person", last_name=name))

        store.change(change)

    of(ben, "Ben")
    of(other, "Ben")
    with store.repository.read() as snapshot:
        last = [last_undoable(snapshot, "Ben", account) for account in (other, ben)]
        assert last == list(snapshot.history(2))


# A new name

_names = st.sampled_from(("Ada", "ADA", "Ben", "Cy", "Dee", "Nobody", "Zo\u00eb"))
_steps = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(("name", "gone", "back", "gets")), _names), max_size=6)


@ON_NEW_STORES
@given(steps=_steps)
def test_a_changed_name_moves_no_record_to_another_owner(
    new_store: NewStore, steps: list[tuple[int, str, str]]
) -> None:
    with new_store() as store:
        accounts = people(store, "Ada", "Ben", "Cy", "Dee")
        store.change(_put)
        for which, step, name in steps:
            number = accounts[which]

            def change(tx: Any, number: int = number, step: str = step, name: str = name) -> None:
                user = tx.get(User, number)
                if step == "name":
                    tx.change(user, name=name)
                    tx.give_name(number)
                elif step == "gets":
                    tx.add(Client(kind="person", last_name="X", owner=name, owner_id=number))
                else:
                    tx.change(user, active=step == "back")

            before = _whose(store)
            store.change(change)
            after = _whose(store)
            assert {key: after[key] for key in before} == before, "nobody has got anything or lost anything"
        with store.another().read() as snapshot:
            called = {user.id: user.name for user in snapshot.find_all(User)}
            for kind in (Client, FollowUp, Dashboard):
                for record in snapshot.find_all(kind):
                    name, account = (record.owner, record.owner_id) if kind is Client else (record.user, record.user_id)
                    assert name == called[account] if account else name in ("", "Nobody")
        assert store.wrong() == []


def _put(tx: Any) -> None:
    for who in ("Ada", "Ben", "Cy", "Dee", "Nobody", ""):
        client = tx.add(Client(kind="person", last_name="X", owner=who))
        tx.add(FollowUp(client=client.id, due_on=TODAY, user=who))
        tx.add(Dashboard(user=who, tiles="agenda"))


def _whose(store: Store) -> dict[Any, int]:
    """The owner of every record, by kind and number."""
    with store.repository.read() as snapshot:
        return {
            (kind, record.id): getattr(record, *kind_people(kind).values())
            for kind in (Client, FollowUp, Dashboard)
            for record in snapshot.find_all(kind)
        }


def test_a_changed_name_is_updated_in_all_records_and_statuses_follow(store: Store) -> None:
    store.set_rules(("Ours", "owner = 'Benjamin'"), ("Regular", ""))
    (ben,) = people(store, "Ben")
    mine, other = store.add(owner="Ben"), store.add(owner="Other")
    shown = store.client(mine)

    def rename(tx: Any) -> None:
        tx.change(tx.get(User, ben), name="Benjamin")
        tx.give_name(ben)

    store.change(rename)
    now = store.client(mine)
    assert (now.owner, now.owner_id, now.status, now.version) == ("Benjamin", ben, "Ours", shown.version + 2)
    assert store.client(other) == other
    # Whoever has it on the screen under the old name can still hand it on.
    assert store.change(lambda tx: tx.change(shown, owner="Other")).owner == "Other"
    # Nobody can take a name back from its bearer, and what was there before can still be taken back.
    with store.repository.read() as snapshot:
        renamed = snapshot.changes(record=User(id=ben), limit=1)[0].transaction
    with pytest.raises(RefusedError, match="accounts"):
        store.change(lambda tx: tx.undo(renamed))
    store.change(lambda tx: tx.undo())
    assert (store.client(mine).owner, store.client(mine).owner_id) == ("Benjamin", ben)
    assert store.wrong() == []


def test_a_new_account_gets_unowned_records_under_its_name(store: Store) -> None:
    before = [store.add(owner=name) for name in ("Zo\u00eb", "ZO\u00cb", "Zoe")]
    (gone,) = people(store, "Gone")
    theirs = store.add(owner="Gone")
    store.change(lambda tx: (tx.change(tx.get(User, gone), active=False, name="Zo\u00eb"), tx.give_name(gone)))
    (zoe,) = people(store, "Zo\u00eb")
    store.change(lambda tx: tx.give_records(zoe))
    assert [store.client(client).owner_id for client in (*before, theirs)] == [zoe, zoe, 0, gone]
    assert store.client(before[1]).owner == "Zo\u00eb"
    # What somebody has done under another name before is theirs where that is said.
    store.change(lambda tx: tx.give_records(zoe, "zoe"))
    assert (store.client(before[2]).owner, store.client(before[2]).owner_id) == ("Zo\u00eb", zoe)
    with store.repository.read() as snapshot:
        (last,) = snapshot.changes(record=before[2], limit=1)
    assert "owner" in str(last)
    assert store.wrong() == []
