"""Interactions: logged by the person who asks, found by anything known of them, corrected and deleted."""

from datetime import date, timedelta
from typing import Any

import pytest

from crm.errors import FieldError, NotFoundError, Question, RefusedError
from crm.model import Client, Interaction
from tests.commands.conftest import Office
from tests.support.clocks import TODAY

pytestmark = pytest.mark.dated

YESTERDAY = TODAY - timedelta(days=1)


def log(office: Office, client: Client, kind: str = "call", subject: str = "", **given: Any) -> Interaction:
    logged: Interaction = office("interactions add", client, kind, subject, **given)
    return logged


def test_an_interaction_is_logged_today_by_its_user_by_default(office: Office) -> None:
    acme = office.add(company="Acme")
    jo = office("contacts add", acme, "Jo Fox")
    call = log(office, acme, subject="a quote", contact=jo)
    assert (call.client, call.contact, call.on, call.time, call.user) == (acme.id, jo.id, TODAY, "", "anna")
    note = log(office, acme, "note", body="two\nlines", on=YESTERDAY, time="16:00")
    assert (note.kind, note.body, note.on, note.time, note.contact) == ("note", "two\nlines", YESTERDAY, "16:00", 0)
    assert office("interactions show", note) == note
    assert office.client(acme).last_contact_on == TODAY
    assert office.history()[:2] == ["logged a note with Acme", "logged a call with Acme"]
    with pytest.raises(FieldError):
        log(office, acme, "")
    with pytest.raises(NotFoundError):
        log(office, Client(id=99))


def test_an_interaction_needs_a_contact_of_the_same_client(office: Office) -> None:
    acme, other = office.add(company="Acme"), office.add(company="Other")
    jo, bo = office("contacts add", acme, "Jo Fox"), office("contacts add", other, "Bo Hill")
    with pytest.raises(RefusedError):
        log(office, acme, contact=bo)
    call = log(office, acme, contact=jo)
    with pytest.raises(RefusedError):
        office("interactions edit", call, {"contact": bo.id})
    with pytest.raises(NotFoundError):
        office("interactions edit", call, {"contact": 99})
    moved = office("interactions edit", call, {"client": other.id})
    assert (moved.client, moved.contact) == (other.id, 0)
    assert (office.client(acme).last_contact_on, office.client(other).last_contact_on) == (None, TODAY)
    assert office("interactions edit", moved, {"contact": bo.id}).contact == bo.id


def test_an_interaction_is_found_by_each_of_its_fields(office: Office) -> None:
    acme, other = office.add(company="Acme"), office.add(company="Other")
    jo = office("contacts add", acme, "Jo Fox")
    bo = office.open(user="Bo")
    first = log(office, acme, subject="Preis für Größe 7", contact=jo, on=date(2026, 10, 1))
    second = log(office, acme, "meeting", body="100% agreed\nnext: a quote", on=date(2026, 11, 1), time="09:00")
    third = log(office, other, "email", "a Quote", on=date(2026, 11, 1), time="10:00", crm=bo)
    fourth = log(office, acme, "note", "nothing", on=date(2026, 11, 1))

    def found(*given: Any, crm: Any = None, **filters: Any) -> list[int]:
        return [interaction.id for interaction in office("interactions list", *given, crm=crm, **filters)]

    assert found() == [third.id, second.id, fourth.id, first.id]
    assert found(acme) == [second.id, fourth.id, first.id]
    assert found(contact=jo) == [first.id]
    assert found(kind="email") == [third.id]
    assert found(since=date(2026, 11, 1), until=date(2026, 11, 1)) == [third.id, second.id, fourth.id]
    assert found(until=date(2026, 10, 31)) == [first.id]
    assert found(by="bo") == [third.id]
    assert found(mine=True, crm=bo) == [third.id]
    assert found(mine=True) == [second.id, fourth.id, first.id]
    assert found(text="quote") == [third.id, second.id]
    assert found(text="next QUOTE") == [second.id]
    assert found(text="GRÖSSE") == found(text="größe") == [first.id]
    assert found(text="0%") == [second.id]
    assert found(text="_") == []
    assert found(limit=2, offset=1) == [second.id, fourth.id]
    with pytest.raises(FieldError):
        found(since=TODAY, until=YESTERDAY)
    with pytest.raises(FieldError):
        found(mine=True, by="Bo")


def test_editing_leaves_no_kind_or_day_empty(office: Office) -> None:
    call = log(office, office.add(company="Acme"), subject="a quote")
    for changes in ({}, {"kind": ""}, {"on": None}):
        with pytest.raises(FieldError):
            office("interactions edit", call, changes)
    edited = office("interactions edit", call, {"kind": "email", "on": YESTERDAY, "time": "10:00", "user": "Bo"})
    assert (edited.kind, edited.on, edited.subject, edited.user) == ("email", YESTERDAY, "a quote", "Bo")


def test_deleting_asks_and_the_last_contact_follows(office: Office) -> None:
    acme = office.add(company="Acme")
    log(office, acme, on=YESTERDAY)
    call = log(office, acme)
    with pytest.raises(Question):
        office("interactions delete", call)
    office("interactions delete", call, yes=True)
    assert office.client(acme).last_contact_on == YESTERDAY
    office("history undo")
    assert office.client(acme).last_contact_on == TODAY
    assert office.is_sound()
