"""Undo: the store is as it was before, or nothing changes and the reason is given."""

import dataclasses
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import NotFoundError, RefusedError
from crm.model import (
    BY_NAME,
    Client,
    Deal,
    FollowUp,
    Interaction,
    Record,
    Sale,
    Setting,
    Stage,
    StatusRule,
    belonging_to,
)
from crm.model.fields import FOREVER
from tests.conftest import ON_NEW_STORES, NewStore, Store

pytestmark = pytest.mark.contract

Everything = dict[type[Record], dict[int, Record]]


def facts(store: Store) -> Everything:
    """All records but for how often and when they were written."""
    return {
        kind: {
            number: dataclasses.replace(record, version=0, updated_at=record.created_at)
            for number, record in all_.items()
        }
        for kind, all_ in store.everything().items()
    }


def undo(store: Store, number: int | None = None) -> None:
    store.change(lambda tx: tx.undo(number), "took back")


def last(store: Store) -> int:
    with store.repository.read() as snapshot:
        return int(snapshot.history(limit=1)[0].id)


def merge(tx: Any, kept: Client, gone: Client) -> None:
    for kind, name in belonging_to(Client):
        for record in tx.find_all(kind):
            if getattr(record, name) == gone.id:
                tx.change(record, **{name: kept.id})
    tx.delete(gone)
    tx.change(kept, reference=gone.reference or kept.reference, notes=kept.notes + gone.last_name)


STEPS = (
    "add",
    "add_many",
    "edit",
    "edit_reviewed",
    "sell",
    "back",
    "delete",
    "merge",
    "rules",
    "review",
    "pin",
    "setting",
    "talk",
    "follow_up",
    "done",
    "deal",
    "move_deal",
    "delete_deal",
    "night",
)


def take(store: Store, step: str, which: int, amount: Decimal) -> None:
    """One step of a made-up working day; what cannot be done with what is there is left out."""
    with store.repository.read() as snapshot:
        clients, sales = snapshot.find_all(Client), snapshot.find_all(Sale)
        settings = snapshot.find_all(Setting)
        deals, follow_ups = snapshot.find_all(Deal), snapshot.find_all(FollowUp)
        stages = snapshot.find_all(Stage)
    one = clients[which % len(clients)] if clients else None
    day = store.today - timedelta(days=which * 20)

    def change(tx: Any) -> None:
        match step:
            case "add":
                tx.add(Client(kind="person", last_name=f"N{which}", tags=("t",)))
            case "add_many":
                for client in tx.add_all([Client(kind="person", last_name=f"M{at}") for at in range(2)]):
                    tx.add(Sale(client=client, on=day, amount=amount))
            case "edit" if one:
                tx.change(one, city=f"C{which}", notes=one.notes + "x", extra={**one.extra, "k": str(which)})
            case "edit_reviewed" if one:
                tx.change(one, country=("AT", "DE", "")[which % 3], tags=(f"t{which}",))
            case "sell" if one:
                tx.add(Sale(client=one.id, on=day, amount=amount))
            case "back" if sales:
                tx.delete(sales[which % len(sales)])
            case "delete" if one:
                tx.delete(one)
            case "merge" if one and len(clients) > 1:
                merge(tx, one, clients[(which + 1) % len(clients)])
            case "rules":
                rule = tx.find_all(StatusRule)[0]
                tx.change(rule, when=f"total_spend >= {which * 5000} or country = 'AT'")
                tx.add(
                    StatusRule(
                        position=which, status=f"S{which}", when="days_since_last_sale > 60", active=bool(which % 2)
                    )
                )
            case "review":
                tx.review_all()
            case "pin" if one:
                until = FOREVER if which % 2 else store.today
                tx.change(one, status="Pinned", status_reason="by hand", status_pinned_until=until)
            case "setting":
                if settings:
                    tx.change(settings[0], value=str(amount))
                else:
                    tx.add(Setting(key="k", value="v"))
            case "talk" if one:
                tx.add(Interaction(client=one.id, kind=("call", "note")[which % 2], on=day))
            case "follow_up" if one:
                due = store.today + timedelta(days=which)
                tx.add(FollowUp(client=one.id, due_on=due, what="call", every=30 * (which % 2)))
            case "done" if follow_ups:
                tx.change(follow_ups[which % len(follow_ups)], done_on=day)
            case "deal" if one:
                tx.add(Deal(client=one.id, title=f"D{which}", value=amount))
            case "move_deal" if deals:
                tx.change(deals[which % len(deals)], stage=stages[which % len(stages)].id)
            case "delete_deal" if deals:
                tx.delete(deals[which % len(deals)])

    if step == "night":
        store.today += timedelta(days=which * 10 + 1)
    else:
        store.change(change, step)


steps = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.decimals(0, 40000, places=2)), min_size=1, max_size=9
)


# On a spreadsheet each takes a second.
@pytest.mark.slow
@ON_NEW_STORES
@given(steps=steps)
def test_undo_restores_exactly_and_its_undo_is_a_redo(new_store: NewStore, steps: list[Any]) -> None:
    with new_store() as store:
        store.add(last_name="First")
        now, count = facts(store), last(store)
        for step in steps:
            take(store, *step)
            if last(store) == count:
                continue
            before, now = now, facts(store)
            undo_and_redo(store, before, now)
            count = last(store)
        if count > 1:
            # Once more: what is undone now is a redo.
            undo_and_redo(store, before, now)


def undo_and_redo(store: Store, before: Everything, now: Everything) -> None:
    undo(store)
    assert facts(store) == before
    assert store.wrong() == []
    undo(store, last(store))
    assert facts(store) == now
    assert store.wrong() == []


@pytest.mark.slow
@ON_NEW_STORES
@given(steps=steps)
def test_everything_can_be_undone_one_by_one_down_to_the_empty_store(new_store: NewStore, steps: list[Any]) -> None:
    with new_store() as store:
        states = [facts(store)]
        count = 0
        for step in steps:
            take(store, *step)
            with store.repository.read() as snapshot:
                if len(snapshot.history()) > count:
                    count += 1
                    states.append(facts(store))
        for state in reversed(states[:-1]):
            undo(store)
            assert facts(store) == state
            assert store.wrong() == []
        with pytest.raises(NotFoundError, match="Nothing of yours"):
            undo(store)
        # And each back again, the oldest first, by taking back its undo.
        with store.repository.read() as snapshot:
            undone = [entry.undone_by for entry in reversed(snapshot.history()) if entry.undoes is None]
        for number, state in zip(undone, states[1:], strict=True):
            undo(store, number)
            assert facts(store) == state


@pytest.mark.slow
@ON_NEW_STORES
@given(steps=steps, pick=st.integers(0, 8))
def test_an_older_change_is_undone_or_refused_with_the_reason(new_store: NewStore, steps: list[Any], pick: int) -> None:
    with new_store() as store:
        store.add(last_name="First")
        store.sell(1, "10.00")
        for step in steps:
            take(store, *step)
        number = pick % last(store) + 1
        before = store.everything()
        try:
            undo(store, number)
        except RefusedError as error:
            message = re.search(r"history show \d+", error.sentence) or "already" in error.sentence
            assert message, error.sentence  # noqa: PT017 - refused or done, either is an answer
            assert store.everything() == before
        else:
            with store.repository.read() as snapshot:
                entries = {entry.id: entry for entry in snapshot.history()}
                gone = [change for change in snapshot.changes(transaction=number) if change.operation == "create"]
                assert entries[number].undone_by == last(store)
                # The stages that came with the first deal stay for the others.
                other = [
                    change for change in gone if snapshot.find(BY_NAME[change.record], change.record_id) is not None
                ]
                assert {change.record for change in other} <= {"stage"}
            again = last(store)
            undo(store, again)
            assert {kind: set(all_) for kind, all_ in store.everything().items()} == {
                kind: set(all_) for kind, all_ in before.items()
            }
        assert store.wrong() == []


def test_repeated_undo_goes_back_change_by_change(store: Store) -> None:
    for name in "abc":
        store.add(last_name=name)
    undo(store)
    undo(store)
    with store.repository.read() as snapshot:
        assert [client.last_name for client in snapshot.find_all(Client)] == ["a"]
        history = {entry.id: (entry.what, entry.undoes, entry.undone_by) for entry in snapshot.history()}
    assert history[3] == ("added a client", None, 4)
    assert history[5] == ("undid 2: added a client", 2, None)


def test_an_undo_of_an_undo_of_an_undo_is_in_the_history(store: Store) -> None:
    client = store.add(city="A")
    store.change(lambda tx: tx.change(client, city="B"))
    for expected in ("A", "B", "A", "B", "A"):
        undo(store, last(store))
        assert store.client(1).city == expected
    # The edit (2) does not stand now, so what stands last is the addition.
    with store.repository.read() as snapshot:
        assert {entry.id: entry.undone_by is None for entry in snapshot.history()}[2] is False
    with pytest.raises(RefusedError, match="already"):
        undo(store, 2)
    undo(store)
    assert store.everything()[Client] == {}


def test_an_undone_change_is_not_undone_twice(store: Store) -> None:
    store.add()
    undo(store, 1)
    with pytest.raises(RefusedError, match="Change 1 was already undone by change 2"):
        undo(store, 1)
    with pytest.raises(NotFoundError, match="No change 99"):
        undo(store, 99)


def test_an_older_edit_is_undone_if_only_other_fields_changed_since(store: Store) -> None:
    client = store.add(city="A", notes="n")
    store.change(lambda tx: tx.change(tx.get(Client, 1), city="B"))
    store.change(lambda tx: tx.change(tx.get(Client, 1), notes="m"))
    undo(store, 2)
    assert (store.client(client).city, store.client(client).notes) == ("A", "m")


def test_a_record_that_needs_a_deleted_one_is_not_put_back(store: Store) -> None:
    client = store.add()
    deal = store.change(lambda tx: tx.add(Deal(client=client.id, title="Floor")))
    extra = store.change(lambda tx: tx.add(Stage(name="Extra", position=9, probability=10)))
    store.change(lambda tx: tx.change(tx.get(Deal, deal.id), stage=extra.id))
    store.change(lambda tx: tx.change(tx.get(Deal, deal.id), stage=deal.stage))
    moved_out = last(store)
    store.change(lambda tx: tx.delete(tx.get(Stage, extra.id)), "deleted a stage")
    deleted = last(store)
    before = store.everything()
    with pytest.raises(RefusedError, match=rf"“deleted a stage” \(.*`history show {deleted}`\)\. Undo those first"):
        undo(store, moved_out)
    assert store.everything() == before
    undo(store, deleted)
    undo(store, moved_out)
    with store.repository.read() as snapshot:
        assert snapshot.get(Deal, deal.id).stage == extra.id
    assert store.wrong() == []


def test_an_older_edit_is_refused_where_the_field_was_edited_since(store: Store) -> None:
    store.add(city="A")
    store.change(lambda tx: tx.change(tx.get(Client, 1), city="B"))
    store.change(lambda tx: tx.change(tx.get(Client, 1), city="C"))
    before = store.everything()
    with pytest.raises(
        RefusedError,
        match=r"“a change” \(.*\) cannot be undone, .*“a change” \(.*`history show 3`\)\. Undo those first",
    ):
        undo(store, 2)
    assert store.everything() == before
    undo(store)
    undo(store, 2)
    assert store.client(1).city == "A"


def test_an_older_sale_is_undone_and_the_totals_follow(store: Store) -> None:
    client = store.add()
    store.sell(client, "35000")
    store.sell(client, "5.05")
    assert store.client(client).status == "VIP"
    undo(store, 2)
    after = store.client(client)
    assert (after.total_spend, after.sales_count, after.status) == (Decimal("5.05"), 1, "Regular")


def test_an_older_pin_is_undone_and_the_status_follows_later_sales(store: Store) -> None:
    client = store.add()
    changes = {"status": "Friend", "status_reason": "by hand", "status_pinned_until": FOREVER}
    store.change(lambda tx: tx.change(client, **changes))
    store.sell(client, "40000")
    undo(store, 2)
    after = store.client(client)
    assert (after.status, after.status_pinned_until) == ("VIP", None)


def test_the_addition_of_a_client_who_has_bought_since_is_refused_by_name(store: Store) -> None:
    client, other = store.add(), store.add()
    store.sell(client, "5")
    store.sell(other, "6")
    with pytest.raises(RefusedError, match="3"):
        undo(store, 1)
    undo(store, 3)
    undo(store, 1)
    assert list(store.everything()[Client]) == [other.id]


def test_a_deleted_client_is_restored_with_its_records_under_its_number(store: Store) -> None:
    client = store.add(reference="R", tags=("a", "b"), extra={"k": "v"}, date_of_birth=date(1980, 2, 29))
    store.sell(client, "1.10", date(2026, 1, 1))
    store.sell(client, "2.20")
    before = facts(store)
    store.change(lambda tx: tx.delete(store.client(client)))
    assert facts(store)[Client] == facts(store)[Sale] == {}
    undo(store)
    assert facts(store) == before


def test_a_deletion_is_not_undone_once_its_reference_is_used_again(store: Store) -> None:
    client = store.add(reference="R")
    store.change(lambda tx: tx.delete(client))
    store.add(reference="R")
    before = store.everything()
    with pytest.raises(RefusedError, match="Another client already has this reference"):
        undo(store, 2)
    assert store.everything() == before


@pytest.mark.slow
def test_an_import_of_thousands_is_one_step_of_undo(store: Store) -> None:
    before = facts(store)

    def change(tx: Any) -> None:
        added = tx.add_all([Client(kind="person", last_name=f"N{at}") for at in range(2500)])
        tx.add_all([Sale(client=client, on=store.today, amount=Decimal("1.01")) for client in added])

    store.change(change, "imported")
    undo(store)
    assert facts(store) == before
    undo(store, last(store))
    assert store.wrong() == []
    with store.repository.read() as snapshot:
        assert snapshot.count(Client) == snapshot.count(Sale) == 2500
        assert len(snapshot.search("n2499")) == 1
