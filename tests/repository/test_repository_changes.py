"""Transactions: atomic, in the history, and never overwriting somebody else's change (optimistic locking)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import ConflictError, NotFoundError, RefusedError, RuleError
from crm.model import Client, Sale, StatusRule
from crm.repository import Query, writing
from tests.conftest import Store

pytestmark = [pytest.mark.contract, pytest.mark.quick_on_sheets]


def test_edits_of_different_fields_are_merged(store: Store) -> None:
    shown = store.add(city="Graz", notes="old")
    other = store.another("ben")
    other.transact(lambda tx: tx.change(tx.get(Client, 1), city="Wien"), "edit")
    changed = store.change(lambda tx: tx.change(shown, notes="new"))
    assert (changed.city, changed.notes, changed.version) == ("Wien", "new", 3)


def test_edits_of_the_same_field_are_a_conflict_and_nothing_is_overwritten(store: Store) -> None:
    shown = store.add(city="Graz", date_of_birth=date(1980, 1, 1), tags=("a",), notes="old")
    theirs = {"city": "Wien", "date_of_birth": None, "tags": ("a", "b")}
    store.another("ben").transact(lambda tx: tx.change(tx.get(Client, 1), **theirs), "edit")
    before = store.everything()
    with pytest.raises(ConflictError, match=r"City.*Nothing was overwritten\.") as caught:
        store.change(lambda tx: tx.change(shown, city="Linz", notes="new"))
    assert caught.value.clashes == {"city": ("Graz", "Wien", "Linz")}
    with pytest.raises(ConflictError, match="Date of birth") as caught:
        store.change(lambda tx: tx.change(shown, date_of_birth=date(1990, 2, 3)))
    (clash,) = caught.value.clashes.values()
    assert (clash[0], clash[2]) == ("1980-01-01", "1990-02-03")
    with pytest.raises(ConflictError):
        store.change(lambda tx: tx.change(shown, tags=("c",)))
    assert store.everything() == before


def test_two_edits_to_the_same_value_are_no_conflict(store: Store) -> None:
    shown = store.add(city="Graz")
    store.another().transact(lambda tx: tx.change(tx.get(Client, 1), city="Wien"), "edit")
    assert store.change(lambda tx: tx.change(shown, city="Wien")).version == 2


def test_a_sale_during_an_edit_is_not_a_conflict(store: Store) -> None:
    shown = store.add()
    store.sell(shown, "40000")
    changed = store.change(lambda tx: tx.change(shown, city="Wien"))
    assert (changed.city, changed.status, changed.total_spend) == ("Wien", "VIP", Decimal("40000.00"))


def test_editing_a_deleted_record_is_refused(store: Store) -> None:
    shown = store.add()
    store.another().transact(lambda tx: tx.delete(tx.get(Client, 1)), "gone")
    with pytest.raises(NotFoundError):
        store.change(lambda tx: tx.change(shown, city="Wien"))


@pytest.mark.parametrize("error", [ZeroDivisionError, RuleError, KeyboardInterrupt])
def test_a_change_that_fails_halfway_is_rolled_back(store: Store, error: type[BaseException]) -> None:
    client = store.add(last_name="Kept")
    before = store.everything()

    def change(tx: Any) -> None:
        tx.add(Client(kind="person", last_name="Lost"))
        tx.add(Sale(client=client.id, on=store.today, amount=Decimal("50000")))
        tx.change(tx.get(Client, 1), city="Lost")
        tx.settle()
        tx.review_all()
        tx.delete(tx.find_all(StatusRule)[0])
        raise error("in the middle")

    with pytest.raises(error):
        store.change(change)
    assert store.everything() == before
    with store.another().read() as snapshot:
        assert len(snapshot.history()) == 1
        assert snapshot.search("lost") == []
    assert store.wrong() == []
    assert store.add().id == 2


def test_a_change_is_retried_after_another_writer(store: Store) -> None:
    client = store.add()
    other = store.another()
    calls: list[int] = []

    def change(tx: Any) -> int:
        calls.append(tx.count(Sale))
        tx.add(Sale(client=client.id, on=store.today, amount=Decimal("1.00")))
        if len(calls) < 3:
            store.come_first(other)
        return len(calls)

    assert store.change(change) == 3
    assert calls == [0, 0, 0]
    assert store.client(client).sales_count == 1
    with store.repository.read() as snapshot:
        assert [entry.what for entry in snapshot.history()].count("a change") == 1


def test_a_transaction_reads_what_it_wrote(store: Store) -> None:
    def change(tx: Any) -> tuple[Client, list[int], int]:
        client = tx.add(Client(kind="person", last_name="Neu"))
        tx.add(Sale(client=client.id, on=store.today, amount=Decimal("35000")))
        moved = tx.settle()
        assert [(move.client, move.before, move.after) for move in moved] == [(client.id, "Regular", "VIP")]
        return tx.get(Client, client.id), [record.id for record in tx.search("neu")], tx.count(Sale)

    client, found, sales = store.change(change)
    assert (client.status, client.total_spend, found, sales) == ("VIP", Decimal("35000.00"), [1], 1)
    assert store.client(1) == client


def test_a_changed_rule_is_in_force_at_once_in_its_transaction(store: Store) -> None:
    def change(tx: Any) -> str:
        rule = tx.find_all(StatusRule)[1]
        assert [rule.status for rule in tx.rules.rules] == ["VIP", "Regular"]
        tx.change(rule, status="Normal")
        return str(tx.add(Client(kind="person", last_name="X")).status)

    assert store.change(change) == "Normal"


# The history


def test_the_history_has_the_values_before_and_after_every_change(store: Store) -> None:
    client = store.add(city="Graz", tags=("a",))
    other = store.another("ben")
    other.transact(lambda tx: tx.change(client, city="Wien", tags=("a", "b")), "moved house")
    sale = store.sell(client, "35000.00", date(2026, 11, 1))
    store.change(lambda tx: tx.delete(tx.get(Client, client.id)), "deleted")
    with store.repository.read() as snapshot:
        history = snapshot.history()
        assert [(entry.id, entry.user, entry.what) for entry in history] == [
            (4, "anna", "deleted"),
            (3, "anna", "recorded a sale"),
            (2, "ben", "moved house"),
            (1, "anna", "added a client"),
        ]
        assert [entry.changes for entry in history] == [2, 2, 1, 1]
        assert history[0].at.tzinfo is not None
        assert history[0].at.astimezone(UTC) > history[1].at
        assert snapshot.history(limit=2, offset=1) == history[1:3]
        deleted, sold, edited, created = snapshot.changes(record=client)
        assert (created.operation, created.before, created.after) == ("create", {}, {})
        assert (edited.operation, edited.user, edited.what) == ("update", "ben", "moved house")
        assert edited.before == {"city": "Graz", "tags": ["a"]}
        assert edited.after == {"city": "Wien", "tags": ["a", "b"]}
        assert sold.before["total_spend"] == "0.00"
        assert sold.after["total_spend"] == "35000.00"
        assert sold.after["last_sale_on"] == "2026-11-01"
        assert (sold.before["status"], sold.after["status"]) == ("Regular", "VIP")
        assert "35000.00" in sold.after["status_reason"]
        assert "city" not in sold.after
        assert (deleted.operation, deleted.after) == ("delete", {})
        assert deleted.before["city"] == "Wien"
        assert [change.operation for change in snapshot.changes(record=sale)] == ["delete", "create"]
        assert {change.record for change in snapshot.changes(transaction=4)} == {"client", "sale"}
        assert len(snapshot.changes(limit=3)) == 3


def test_a_client_and_a_sale_with_the_same_number_have_separate_histories(store: Store) -> None:
    client = store.add()
    sale = store.sell(client, "1")
    assert client.id == sale.id
    with store.repository.read() as snapshot:
        assert {change.record for change in snapshot.changes(record=sale)} == {"sale"}
        assert {change.record for change in snapshot.changes(record=client)} == {"client"}


def test_a_review_of_all_clients_is_in_the_history_of_each_that_moved(store: Store) -> None:
    rich, poor = store.add(), store.add()
    store.sell(rich, "500")
    store.set_rules(("Big", "total_spend >= 500"), ("Regular", ""))
    store.today = date(2026, 11, 22)
    assert store.change(lambda tx: tx.review_all(), "applied") == {("Regular", "Big"): 1}
    with store.repository.read() as snapshot:
        entry = snapshot.history()[0]
        (change,) = snapshot.changes(transaction=entry.id)
        assert (change.record_id, change.operation) == (rich.id, "update")
        assert (change.before["status"], change.after["status"]) == ("Regular", "Big")
        assert change.after["status_since"] == "2026-11-22"
        assert change.after["status_before"] == "Regular"
        assert "500.00" in change.after["status_reason"]
        # The stored client says the same as its history.
        stored = snapshot.get(Client, rich.id)
        for name, value in change.after.items():
            assert str(getattr(stored, name) or "") == (value or "")
        assert len(snapshot.changes(record=poor)) == 1


def test_a_change_without_effect_is_not_in_the_history(store: Store) -> None:
    store.add()
    store.change(lambda tx: tx.get(Client, 1))
    store.change(lambda tx: tx.review_all())
    with store.repository.read() as snapshot:
        assert len(snapshot.history()) == 1


def test_reading_changes_no_file(store: Store) -> None:
    store.add()
    with store.another().read() as snapshot:
        snapshot.search("x")
        snapshot.find_all(Client, Query(where="age > 1"))
        snapshot.moves()
        assert len(snapshot.history()) == 1


def test_the_times_of_a_record_are_those_of_its_transactions(store: Store) -> None:
    client = store.add()
    changed = store.change(lambda tx: tx.change(client, city="X"))
    with store.repository.read() as snapshot:
        last, first = snapshot.history()
    assert (client.created_at, changed.updated_at) == (first.at, last.at)
    assert isinstance(changed.updated_at, datetime)


def test_removing_a_client_with_sales_is_refused(store: Store) -> None:
    client = store.add()
    store.sell(client, "5")
    with pytest.raises(RefusedError, match="still belong"):
        store.change(lambda tx: tx.remove(Client, [client.id]))
    assert store.client(client).sales_count == 1


@pytest.mark.parametrize("clients", [1, 25])
def test_a_transaction_sees_its_own_history_entries(store: Store, clients: int) -> None:
    shown = store.add(city="Graz")

    def change(tx: Any) -> Any:
        tx.add_all([Client(last_name=f"Client {number}") for number in range(clients)])
        tx.change(shown, city="Wien", tags=("a",), date_of_birth=date(1980, 1, 1))
        tx.add(Sale(client=shown.id, on=date(2026, 11, 1), amount=Decimal("12.5")))
        tx.delete(tx.get(Client, shown.id + 1))
        tx.settle()
        return tx.number, tx.entries()

    number, entered = store.change(change)
    with store.repository.read() as snapshot:
        kept = snapshot.connection.execute(writing.ENTRIES, {"wanted": number}).all()
    assert [tuple(row) for row in entered] == [tuple(row) for row in kept]
    assert len(kept) == clients + 4


def test_new_ids_skip_those_restored_in_the_same_transaction(store: Store) -> None:
    one, other = store.add(), store.add()
    store.change(lambda tx: tx.delete(other), "deleted")

    def change(tx: Any) -> list[int]:
        tx.undo()
        added = [tx.add(Client(last_name="New")).id, *tx.add_all([Client(last_name="Newer")] * 2)]
        # What it has created itself needs no entry of each change.
        tx.change(tx.get(Client, added[0]), city="Graz")
        tx.change(tx.get(Client, other.id), city="Graz")
        return [one.id, other.id, *added]

    assert store.change(change) == [1, 2, 3, 4, 5]
    with store.repository.read() as snapshot:
        (last, *_) = snapshot.history()
        changed = {change.record_id for change in snapshot.changes(transaction=last.id) if change.operation == "update"}
    assert changed == {other.id}
