"""Contacts, interactions, follow-ups and deals in every store: their effects, and what is deleted with what."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import RefusedError
from crm.model import Client, Contact, Deal, FollowUp, Interaction, Message, Sale, Stage, StageMove
from crm.repository import Query
from tests.conftest import Store

pytestmark = pytest.mark.contract

DAY = date(2026, 11, 21)


def put(store: Store, record: Any) -> Any:
    return store.change(lambda tx: tx.add(record), f"added a {record.kind_name}")


def edit(store: Store, record: Any, **changes: Any) -> Any:
    return store.change(lambda tx: tx.change(tx.get(type(record), record.id), **changes), "edited")


def delete(store: Store, record: Any) -> None:
    store.change(lambda tx: tx.delete(record), "deleted")


def undo(store: Store) -> None:
    store.change(lambda tx: tx.undo(), "took back")


def talk(store: Store, client: Client, on: date, kind: str = "call") -> Interaction:
    found: Interaction = put(store, Interaction(client=client.id, kind=kind, on=on))
    return found


def days(store: Store, client: Client) -> tuple[date | None, date | None]:
    shown = store.client(client)
    return shown.last_contact_on, shown.next_follow_up_on


def get(store: Store, record: Any) -> Any:
    with store.repository.read() as snapshot:
        return snapshot.get(type(record), record.id)


def test_the_last_contact_is_the_latest_interaction_and_not_a_note(store: Store) -> None:
    client = store.add()
    talk(store, client, date(2026, 11, 3))
    latest = talk(store, client, date(2026, 11, 9), "meeting")
    talk(store, client, date(2026, 11, 12), "note")
    assert days(store, client)[0] == date(2026, 11, 9)
    edit(store, latest, on=date(2026, 11, 2))
    assert days(store, client)[0] == date(2026, 11, 3)
    undo(store)
    assert days(store, client)[0] == date(2026, 11, 9)
    delete(store, latest)
    assert days(store, client)[0] == date(2026, 11, 3)
    assert store.wrong() == []


def test_a_delivered_message_counts_as_a_contact(store: Store) -> None:
    client = store.add()
    stay = put(store, FollowUp(client=client.id, due_on=date(2026, 11, 25), what="stay in touch", every=10))
    talk(store, client, date(2026, 11, 3))
    sent = put(store, Message(client=client.id, channel="email", direction="out", state="queued", on=DAY))
    assert days(store, client)[0] == date(2026, 11, 3)
    edit(store, sent, state="sent")
    assert days(store, client) == (DAY, DAY + timedelta(days=10))
    assert get(store, stay).due_on == DAY + timedelta(days=10)
    edit(store, sent, state="failed")
    assert days(store, client)[0] == date(2026, 11, 3)
    put(store, Message(client=client.id, channel="sms", direction="in", state="received", on=date(2026, 11, 5)))
    assert days(store, client)[0] == date(2026, 11, 5)
    assert store.wrong() == []


def test_the_next_follow_up_is_the_first_that_is_not_done(store: Store) -> None:
    client, other = store.add(), store.add()
    first = put(store, FollowUp(client=client.id, due_on=date(2026, 12, 1), what="call"))
    put(store, FollowUp(client=client.id, due_on=date(2026, 12, 9), what="write"))
    assert days(store, client)[1] == date(2026, 12, 1)
    edit(store, first, done_on=DAY)
    assert days(store, client)[1] == date(2026, 12, 9)
    edit(store, first, client=other.id, done_on=None)
    assert (days(store, client)[1], days(store, other)[1]) == (date(2026, 12, 9), date(2026, 12, 1))
    assert store.wrong() == []


def test_a_repeating_follow_up_counts_from_the_last_contact(store: Store) -> None:
    client = store.add()
    stay = put(store, FollowUp(client=client.id, due_on=date(2026, 11, 25), what="stay in touch", every=30))
    once = put(store, FollowUp(client=client.id, due_on=date(2026, 12, 24), what="greet"))
    yesterday = DAY - timedelta(days=1)
    output = talk(store, client, yesterday)
    assert get(store, stay).due_on == yesterday + timedelta(days=30)
    assert get(store, once).due_on == date(2026, 12, 24)
    assert days(store, client) == (yesterday, yesterday + timedelta(days=30))
    # Put off by hand, it stays there until there is a new contact.
    edit(store, stay, due_on=date(2027, 2, 1))
    edit(store, output, subject="a quote")
    talk(store, client, DAY, "note")
    assert get(store, stay).due_on == date(2027, 2, 1)
    talk(store, client, DAY)
    assert get(store, stay).due_on == DAY + timedelta(days=30)
    undo(store)
    assert get(store, stay).due_on == date(2027, 2, 1)
    assert store.wrong() == []


def test_a_first_deal_brings_the_stages_and_each_move_is_kept(store: Store) -> None:
    client = store.add()
    deal = put(store, Deal(client=client.id, title="Roof", value=Decimal("1200.00")))
    with store.repository.read() as snapshot:
        stages = snapshot.find_all(Stage)
    assert [stage.name for stage in stages] == ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]
    assert (deal.stage, deal.stage_since, deal.closed_on) == (stages[0].id, DAY, None)
    store.today = DAY + timedelta(days=3)
    edit(store, deal, stage=stages[2].id)
    store.today = DAY + timedelta(days=9)
    won = edit(store, deal, stage=stages[4].id, lost_reason="")
    assert (won.stage_since, won.closed_on) == (store.today, store.today)
    with store.repository.read() as snapshot:
        moves = snapshot.find_all(StageMove, Query({"deal": deal.id}))
    assert [(move.stage, move.on, move.user) for move in moves] == [
        (stages[0].id, DAY, "anna"),
        (stages[2].id, DAY + timedelta(days=3), "anna"),
        (stages[4].id, DAY + timedelta(days=9), "anna"),
    ]
    undo(store)
    assert (get(store, deal).stage, get(store, deal).closed_on) == (stages[2].id, None)
    with store.repository.read() as snapshot:
        assert snapshot.count(StageMove) == 2
    with pytest.raises(RefusedError, match=r"^No stage 99. Nothing was changed.$"):
        edit(store, deal, stage=99)
    assert store.wrong() == []


def test_a_deal_entered_its_stages_on_the_given_days(store: Store) -> None:
    client = store.add()
    first, later = DAY - timedelta(days=40), DAY - timedelta(days=11)
    deal = put(store, Deal(client=client.id, title="Roof", stage_since=first))
    with store.repository.read() as snapshot:
        won = next(stage for stage in snapshot.find_all(Stage) if stage.outcome == "won")
    closed = edit(store, deal, stage=won.id, stage_since=later)
    assert (closed.stage_since, closed.closed_on) == (later, later)
    with store.repository.read() as snapshot:
        assert [move.on for move in snapshot.find_all(StageMove, Query({"deal": deal.id}))] == [first, later]
    undo(store)
    assert (get(store, deal).stage_since, get(store, deal).closed_on) == (first, None)
    assert store.wrong() == []


def test_a_stage_stays_while_deals_are_in_it(store: Store) -> None:
    client = store.add()
    first = put(store, Deal(client=client.id, title="Roof"))
    second = put(store, Deal(client=client.id, title="Door"))
    with store.repository.read() as snapshot:
        lead = snapshot.get(Stage, first.stage)
        added = snapshot.history(limit=2)[1].id
    with pytest.raises(RefusedError, match="still has deals"):
        delete(store, lead)
    # The stages came with the first deal, and stay for the second.
    store.change(lambda tx: tx.undo(added), "took back")
    with store.repository.read() as snapshot:
        assert [deal.id for deal in snapshot.find_all(Deal)] == [second.id]
        assert snapshot.find(Stage, second.stage) == lead
    own = put(store, Stage(name="Trial", position=9, probability=30, outcome="open"))
    edit(store, second, stage=own.id)
    with store.repository.read() as snapshot:
        added = snapshot.history(limit=2)[1].id
    with pytest.raises(RefusedError, match=f"there are deals in stage {own.id}"):
        store.change(lambda tx: tx.undo(added), "took back")
    assert store.wrong() == []


def test_a_client_is_deleted_and_restored_with_all_its_records(store: Store) -> None:
    client, other = store.add(), store.add()
    for parent in (client, other):
        deal = put(store, Deal(client=parent.id, title="Roof", value=Decimal(5)))
        put(store, Contact(client=parent.id, name="Jo Fox"))
        talk(store, parent, DAY)
        put(store, FollowUp(client=parent.id, due_on=DAY, what="call", deal=deal.id))
        put(store, Sale(client=parent.id, amount=Decimal(7), on=DAY, deal=deal.id, user="anna"))
    before = store.everything()
    delete(store, client)
    left = store.everything()
    for kind in (Deal, Contact, Interaction, FollowUp, Sale):
        assert {record.client for record in left[kind].values()} == {other.id}  # type: ignore[attr-defined]
    assert len(left[StageMove]) == 1
    assert store.wrong() == []
    undo(store)
    assert store.everything() == before


def test_an_added_client_is_not_undone_once_others_have_added_records_to_it(store: Store) -> None:
    client = store.add()
    with store.repository.read() as snapshot:
        added = snapshot.history(limit=1)[0].id
    deal = put(store, Deal(client=client.id, title="Roof"))
    with pytest.raises(RefusedError, match=r"“added a deal”.*Undo those first"):
        store.change(lambda tx: tx.undo(added), "took back")
    delete(store, deal)
    store.change(lambda tx: tx.undo(added), "took back")
    assert store.everything()[Client] == {}


def test_rules_and_views_can_use_contacts_and_follow_ups(store: Store) -> None:
    quiet, busy, never = store.add(), store.add(), store.add()
    talk(store, quiet, DAY - timedelta(days=61))
    talk(store, busy, DAY - timedelta(days=60))
    put(store, FollowUp(client=busy.id, due_on=DAY - timedelta(days=2), what="call"))
    put(store, FollowUp(client=never.id, due_on=DAY, what="call"))

    def found(condition: str) -> list[int]:
        with store.repository.read() as snapshot:
            return [client.id for client in snapshot.find_all(Client, Query(where=condition, sort="id"))]

    assert found("days_since_last_contact > 60") == [quiet.id]
    assert found("days_since_last_contact = none") == [never.id]
    assert found("days_to_next_follow_up < 0") == [busy.id]
    assert found("days_to_next_follow_up <= 0") == [busy.id, never.id]
    store.set_rules(("Quiet", "days_since_last_contact > 60"), ("Late", "days_to_next_follow_up < 0"), ("Fine", ""))
    store.change(lambda tx: tx.review_all())
    assert [store.client(client).status for client in (quiet, busy, never)] == ["Quiet", "Late", "Fine"]
    # One by one it comes out the same.
    talk(store, quiet, DAY)
    assert store.client(quiet).status == "Fine"
