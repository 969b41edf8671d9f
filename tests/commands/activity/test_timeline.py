"""The timeline of a client: everything that happened, newest first, by kind, one page at a time."""

import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm.commands.timeline_entries import Entry, Place
from crm.commands.timeline_sources import EntryKinds, Part, sources
from crm.commands.timeline_sources import kinds as kinds_of_entries
from crm.errors import FieldError, NotFoundError
from crm.model import Client, Contact, Conventions, Deal, FollowUp, Interaction, Message, Sale, Stage
from crm.model.encoding import plain
from crm.repository import Query
from tests.commands.conftest import Office
from tests.support import clocks
from tests.support.clocks import TODAY

pytestmark = pytest.mark.dated


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """West of Greenwich, where the local day is often not that of UTC."""
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    monkeypatch.setattr(clocks, "ZONE", ZoneInfo("America/Los_Angeles"))
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def lines_of(office: Office, client: Client, *only: str, **given: Any) -> list[str]:
    """The lines of a client's timeline."""
    return [entry.what for entry in office("timeline", client, only, **given).entries]


def entries(office: Office, client: Client, **given: Any) -> list[Entry]:
    return list(office("timeline", client, **given).entries)


def test_the_timeline_has_all_events_newest_first(office: Office) -> None:
    acme = office.add(company="Acme")
    jo = office("contacts add", acme, "Jo Fox")
    office.sell(acme, "34999", TODAY - timedelta(days=3))
    office("interactions add", acme, "call", "a quote", contact=jo, on=TODAY - timedelta(days=2), time="10:00")
    office("interactions add", acme, "note", body="first line\nsecond", on=TODAY - timedelta(days=2), time="16:30")
    deal = office.crm.transact(lambda tx: tx.add(Deal(client=acme.id, title="Website", value=Decimal(5000))), "deal")
    stages = {stage.name: stage.id for stage in all_of(office, Stage)}
    for stage in ("Proposal", "Lost"):
        shown = all_of(office, Deal)[0]
        lost = {"lost_reason": "too dear"} if stage == "Lost" else {}
        office.crm.transact(lambda tx, to=stages[stage]: tx.change(shown, stage=to, **lost), "moved")  # noqa: B023
    due = FollowUp(client=acme.id, what="ring again", due_on=TODAY + timedelta(days=2), due_time="10:00", user="bo")
    follow_up = office.crm.transact(lambda tx: tx.add(due), "follow-up")
    office.crm.transact(lambda tx: tx.change(follow_up, done_on=TODAY), "done")
    office("clients edit", office.client(acme), {"city": "Graz", "country": "AT"})
    office.sell(acme, "1")
    assert lines_of(office, acme) == [
        "Status: Regular → VIP; because total spend is at least $35,000.00 (total spend $35,000.00)",
        "Sale 2",
        "City: empty → Graz; Country: empty → Austria",
        "Follow-up done: ring again",
        "Follow-up set for Nov 23, 2026, 10:00 AM: ring again",
        "Deal lost: Website (too dear)",
        "Deal Website: Lead → Proposal",
        "Deal added: Website",
        "Added",
        "Note: first line",
        "Call with Jo Fox: a quote",
        "Sale 1",
    ]
    found = {entry.what: entry for entry in entries(office, acme)}
    assert (found["Sale 1"].amount, found["Sale 1"].record, found["Sale 1"].id) == (Decimal(34999), "sale", 1)
    assert (found["Deal added: Website"].record, found["Deal added: Website"].id) == ("deal", deal.id)
    call = found["Call with Jo Fox: a quote"]
    assert (call.kind, call.on, call.time, call.by) == ("call", TODAY - timedelta(days=2), "10:00", "anna")
    edit = found["City: empty → Graz; Country: empty → Austria"]
    assert (edit.kind, edit.transaction is not None, edit.record) == ("edit", True, "")
    assert plain(call)["on"] == "2026-11-19"


def all_of(office: Office, kind: Any) -> list[Any]:
    with office.crm.read() as snapshot:
        return list(snapshot.find_all(kind))


def test_the_timeline_is_filtered_by_kind(office: Office) -> None:
    acme = office.add(company="Acme")
    for kind in ("call", "email", "sms", "meeting", "note"):
        office("interactions add", acme, kind, kind)
    office.sell(acme, "36000")
    office("clients edit", office.client(acme), {"city": "Graz"})
    by = Conventions()
    for typed, kinds in (
        ("calls, sales", {"call", "sale"}),
        ("CALL", {"call"}),
        ("e-mails,mail", {"email"}),
        ("interactions", {"call", "email", "sms", "meeting", "note"}),
        ("status", {"status"}),
        ("edits", {"edit"}),
        ("changes", {"status", "edit"}),
        ("deals,follow-ups", set[str]()),
        ("", set(kinds_of_entries()) - {"deal", "follow-up", "invoice", "payment", "reminder"}),
    ):
        only = EntryKinds().read(typed, by)
        assert {entry.kind for entry in entries(office, acme, only=only)} == kinds, typed
        assert EntryKinds().read(EntryKinds().show(only, by), by) == only
    with pytest.raises(FieldError):
        EntryKinds().read("calls, dogs", by)


def test_pages_of_any_size_are_parts_of_the_whole_timeline(office: Office) -> None:
    """Many entries of one day, with and without a time of day: no page repeats or leaves out what another has."""
    acme, other = office.add(company="Acme"), office.add(company="Other")
    chance = random.Random(7)

    def made(tx: Any) -> None:
        for number in range(120):
            client = (acme if number % 4 else other).id
            on = TODAY - timedelta(days=chance.randrange(6))
            clock = chance.choice(("", "", "09:00", "10:30", "23:59"))
            kind = chance.choice(("call", "meeting", "note"))
            tx.add(Interaction(client=client, kind=kind, on=on, time=clock, subject=str(number)))
            if number % 3 == 0:
                tx.add(Sale(client=client, on=on, amount=Decimal(number), note=str(number)))
            if number % 5 == 0:
                tx.add(FollowUp(client=client, due_on=TODAY, what=str(number), done_on=on if number % 2 else None))
            if number % 20 == 1:
                tx.add(Deal(client=client, title=str(number), value=Decimal(1)))

    office.crm.transact(made, "made up")
    whole = entries(office, acme, limit=1000)
    assert len(whole) > 120
    assert [entry.on for entry in whole] == sorted((entry.on for entry in whole), reverse=True)
    for on in {entry.on for entry in whole}:
        timed = [entry.time for entry in whole if entry.on == on and entry.record == "interaction" and entry.time]
        assert timed == sorted(timed, reverse=True)
    for size in (1, 7, 9, 50):
        pages = [office("timeline", acme, limit=size, offset=at) for at in range(0, len(whole), size)]
        assert [entry for page in pages for entry in page.entries] == whole
        assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]
        after, followed = "", []
        while not followed or after:
            page = office("timeline", acme, limit=size, after=after)
            followed += page.entries
            after = page.next
        assert followed == whole
    calls = [entry for entry in whole if entry.kind == "call"]
    assert entries(office, acme, only=("call",), limit=4, offset=3) == calls[3:7]


def test_an_old_page_of_the_timeline_costs_no_more(office: Office) -> None:
    acme = office.add(company="Acme")
    days = [TODAY - timedelta(days=number) for number in range(400)]
    made = [Interaction(client=acme.id, kind="call", on=day, subject=str(day)) for day in days]
    office.crm.transact(lambda tx: tx.add_all(made), "made up")
    first, far = office("timeline", acme, limit=5), office("timeline", acme, limit=300)
    last, whole = office("timeline", acme, limit=5, after=far.next), entries(office, acme, limit=400)
    assert list(last.entries) == whole[300:305]
    assert _rows_read(office, acme, far.next) <= _rows_read(office, acme, first.next)


def _rows_read(office: Office, client: Client, after: str) -> int:
    """The number of interaction rows that are read for one page."""
    with office.crm.read() as snapshot:
        place = Place.read(after)
        (interactions,) = (known for known in sources() if known.record is Interaction)
        return len(
            interactions.rows(Part(snapshot, client.id, ["call"], place.on, place.count + 5, office.crm.conventions))
        )


@pytest.mark.parametrize("after", ["yesterday", "2026-11-21/x", "2026-13-01", "2026-11-21/99999999999999999999"])
def test_an_invalid_page_position_is_refused(office: Office, after: str) -> None:
    with pytest.raises(FieldError, match="like 2026-11-21/3"):
        office("timeline", office.add(company="Acme"), after=after)


def test_an_entry_is_on_its_local_day(office: Office) -> None:
    acme = office.add(company="Acme")
    (added,) = entries(office, acme)
    here = office.crm.clock.local(office.crm.clock.now)
    assert added.on == here.date() == TODAY
    assert added.time in (f"{here:%H:%M}", f"{here - timedelta(minutes=1):%H:%M}")


def test_totals_that_follow_from_sales_are_not_in_the_timeline(office: Office) -> None:
    acme = office.add(company="Acme")
    office("clients edit", acme, {"notes": 'says "status": and {"total_spend": 1}'})
    for _ in range(60):
        office.sell(acme, "1")
    assert lines_of(office, acme, "edit", "status") == [
        'Notes: empty → says "status": and {"total_spend": 1}',
        "Added",
    ]
    assert len(entries(office, acme, limit=100)) == 62


def test_a_pin_and_an_undo_show_what_changed(office: Office) -> None:
    acme = office.add(company="Acme")
    office("clients pin", acme, "Gold", date(2026, 12, 31))
    office("history undo")
    office("clients delete", acme, yes=True)
    office("history undo")
    found = lines_of(office, acme, "status", "edit")
    assert found[-1] == "Added"
    pinned = "Status: Regular → Gold; Pinned until: empty → Dec 31, 2026; because Pinned"
    assert any(line.startswith(pinned) for line in found)
    assert found[0] == "Restored"
    with pytest.raises(NotFoundError):
        office("timeline", Client(id=99))


def test_a_stage_that_is_gone_and_text_that_looks_like_markup_are_shown_as_they_are(office: Office) -> None:
    acme = office.add(company="Acme")
    office("interactions add", acme, "note", "[bold]👩‍🔬[/] \x1b[31m".replace("\x1b", ""))
    deal = office.crm.transact(lambda tx: tx.add(Deal(client=acme.id, title="[red]x[/]", value=Decimal(1))), "deal")
    with office.crm.read() as snapshot:
        qualified = snapshot.find_all(Stage, Query({"name": "Qualified"}))[0]
    moved = office.crm.transact(lambda tx: tx.change(deal, stage=qualified.id), "moved")
    office.crm.transact(lambda tx: (tx.change(moved, stage=deal.stage), tx.delete(qualified)), "gone")
    moves = ["Deal [red]x[/]: ? → Lead", "Deal [red]x[/]: Lead → ?", "Deal added: [red]x[/]"]
    assert lines_of(office, acme, "deal") == moves
    assert lines_of(office, acme, "note") == ["Note: [bold]👩‍🔬[/] [31m"]


def test_the_card_shows_contacts_and_recent_events(office: Office) -> None:
    acme = office.add(company="Acme")
    office("contacts add", acme, "Jo Fox")
    bo = office("contacts add", acme, "Bo Hill", primary=True)
    for number in range(60):
        office("interactions add", acme, "note", str(number))
    card = office("clients show", acme)
    assert [contact.name for contact in card.contacts] == ["Bo Hill", "Jo Fox"]
    assert len(card.timeline) == 50
    assert card.timeline[0].what == "Note: 59"
    document = plain(card)
    assert document["contacts"][0]["id"] == bo.id
    assert document["timeline"][0]["kind"] == "note"
    assert isinstance(card.contacts[0], Contact)


def wrote(office: Office, client: Client, **fields: Any) -> Message:
    """A message as the outbox or the mailbox leaves it."""
    given = {"channel": "email", "direction": "out", "state": "sent", "on": TODAY, "time": "09:00", "user": "anna"}
    made: Message = office.crm.transact(lambda tx: tx.add(Message(client=client.id, **{**given, **fields})), "wrote")
    return made


def test_messages_are_in_the_timeline_with_their_delivery_status(office: Office) -> None:
    acme = office.add(company="Acme")
    jo = office("contacts add", acme, "Jo Fox")
    on = TODAY - timedelta(days=1)
    wrote(office, acme, on=on, time="08:00", subject="Your quote", contact=jo.id)
    office("interactions add", acme, "email", "by hand", on=on, time="08:30")
    wrote(office, acme, on=on, time="09:00", subject="Re: Your quote", contact=jo.id, direction="in", state="received")
    wrote(office, acme, on=on, time="10:00", subject="News", state="failed", failure="550 no such user")
    wrote(office, acme, on=on, time="11:00", subject="News", state="unsure", failure="it broke off")
    wrote(office, acme, on=on, time="12:00", body="On my way\nBo", state="queued", channel="sms")
    last = wrote(office, acme, on=on, time="13:00", state="cancelled", failure="told earlier", subject="[red]x[/]")
    output = [
        "E-mail cancelled: [red]x[/]",
        "SMS queued: On my way",
        "E-mail may have been sent: News (it broke off)",
        "E-mail failed: News (550 no such user)",
        "E-mail from Jo Fox received: Re: Your quote",
        "E-mail: by hand",
        "E-mail to Jo Fox sent: Your quote",
    ]
    assert lines_of(office, acme)[-7:] == output
    # Whoever asks for e-mails means those that were logged as well.
    assert lines_of(office, acme, "email") == [line for line in output if line.startswith("E-mail")]
    assert lines_of(office, acme, "sms") == ["SMS queued: On my way"]
    assert lines_of(office, acme, "call") == []
    entry = next(entry for entry in entries(office, acme) if entry.what == output[0])
    assert (entry.record, entry.id, entry.kind, entry.time, entry.by) == ("message", last.id, "email", "13:00", "anna")


@pytest.mark.slow
def test_pages_of_messages_are_parts_of_the_whole(office: Office) -> None:
    acme, other = office.add(company="Acme"), office.add(company="Other")
    chance = random.Random(11)

    def made(tx: Any) -> None:
        for number in range(150):
            tx.add(
                Message(
                    client=(acme if number % 3 else other).id,
                    channel=chance.choice(("email", "sms")),
                    direction="out",
                    state=chance.choice(("sent", "failed", "queued")),
                    on=TODAY - timedelta(days=chance.randrange(5)),
                    time=chance.choice(("", "09:00", "09:00", "23:59")),
                    subject=str(number),
                    body="x" * 5000,
                )
            )
            if number % 4 == 0:
                tx.add(Interaction(client=acme.id, kind="email", on=TODAY, time="09:00", subject=str(number)))

    office.crm.transact(made, "made up")
    for only in ((), ("email",), ("sms", "email"), ("sms",)):
        whole = entries(office, acme, only=only, limit=1000)
        assert [entry.on for entry in whole] == sorted((entry.on for entry in whole), reverse=True)
        for size in (1, 7, 40):
            pages = [entries(office, acme, only=only, limit=size, offset=at) for at in range(0, len(whole), size)]
            assert [entry for page in pages for entry in page] == whole
