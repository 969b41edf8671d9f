"""Follow-ups: due, postponed, reassigned, done, repeated; the agenda; and its calendar file."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from crm.clock import Clock
from crm.commands.activity.agenda import QUIET_AFTER
from crm.commands.activity.follow_up_lists import FollowUpShown, due_words
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.errors import CRMError, FieldError, NotFoundError, Question, RefusedError
from crm.files.icalendar import write_follow_ups
from crm.model import Client, Conventions, Deal, FollowUp, Interaction, Mailing, Message, Stage
from crm.model.encoding import plain
from crm.model.written_dates import When, read_when
from crm.repository import Query
from tests.commands.conftest import Office
from tests.support.clocks import TODAY, ZONE, standing_on
from tests.support.command_line import CommandLine

pytestmark = pytest.mark.dated

MONDAY = date(2026, 11, 23)


def days(count: int) -> date:
    return TODAY + timedelta(days=count)


def put(office: Office, record: Any, crm: CRM | None = None) -> Any:
    return (crm or office.crm).transact(lambda tx: tx.add(record), "put there by a test")


def follow_up(
    office: Office, client: Client, what: str = "Call", due: date | When | None = TODAY, **given: Any
) -> FollowUp:
    added: FollowUpShown = office("follow-ups add", client, what, due=due, **given)
    return added.follow_up


def stored(office: Office, record: FollowUp) -> FollowUp:
    with office.crm.read() as snapshot:
        return snapshot.get(FollowUp, record.id)


def call(office: Office, client: Client, on: date, kind: str = "call") -> None:
    put(office, Interaction(client=client.id, kind=kind, on=on, user="anna"))


def listed(office: Office, **given: Any) -> list[str]:
    return [item.follow_up.what for item in office("follow-ups list", **given).follow_ups]


# Adding and listing


def test_a_follow_up_is_mine_by_default_and_on_the_clients_card(office: Office) -> None:
    client = office.add(first_name="Ada")
    added = office("follow-ups add", client, "Send the offer", due=days(2), time="10:00")
    assert (added.follow_up.user, added.client.name, added.when(Conventions())) == (
        "anna",
        "Ada",
        "due in 2 days at 10:00 AM",
    )
    assert office.client(client).next_follow_up_on == days(2)
    assert office.history()[0] == "added a follow-up for Ada: Send the offer"
    assert plain(added)["client_name"] == "Ada"


def test_a_missing_text_or_a_past_day_is_refused(office: Office) -> None:
    client, other = office.add(), office.add()
    deal = put(office, Deal(client=other.id, title="Theirs"))
    for given_, field in (
        ({"what": "", "due": TODAY}, "what"),
        ({"what": "Call"}, "due"),
        ({"what": "Call", "due": days(-1)}, "due"),
        ({"what": "Call", "due": TODAY, "deal": deal}, "deal"),
    ):
        with pytest.raises(FieldError) as error:
            office("follow-ups add", client, **given_)
        assert error.value.field == field
    assert listed(office) == []


def test_open_follow_ups_are_listed_by_due_day_filtered_and_counted(office: Office) -> None:
    ada, bo = office.add(first_name="Ada"), office.add(first_name="Bo")
    deal = put(office, Deal(client=ada.id, title="Big"))
    early = office.open(today=days(-5))
    office("follow-ups add", ada, "late", due=days(-3), crm=early)
    follow_up(office, ada, "today, later", time="16:00", deal=deal)
    follow_up(office, ada, "today, early", time="09:00", for_="Cy")
    follow_up(office, bo, "next week", MONDAY, every=30)
    closed = follow_up(office, bo, "closed")
    office("follow-ups done", closed)
    assert listed(office) == ["late", "today, early", "today, later", "next week"]
    assert listed(office, mine=True) == ["late", "today, later", "next week"]
    assert listed(office, for_="CY") == ["today, early"]
    assert listed(office, client=bo) == ["next week"]
    assert listed(office, deal=deal) == ["today, later"]
    assert listed(office, overdue=True) == ["late"]
    assert listed(office, due=TODAY) == ["late", "today, early", "today, later"]
    assert listed(office, done=True) == ["closed"]
    assert listed(office, repeating=True) == ["next week"]
    assert listed(office, sort="-due_on", limit=2) == ["next week", "today, early"]
    page = office("follow-ups list", limit=1, offset=1)
    assert (page.count, page.overdue, [item.follow_up.what for item in page.follow_ups]) == (4, 1, ["today, early"])
    assert office("follow-ups list", overdue=True, mine=True).count == 1
    for wrong in ({"mine": True, "for_": "Cy"}, {"overdue": True, "done": True}, {"sort": "frob"}):
        with pytest.raises(FieldError):
            office("follow-ups list", **wrong)


def test_a_name_gets_its_known_spelling(office: Office) -> None:
    office.add(owner="Cy Young")
    client = office.add()
    assert follow_up(office, client, for_="cy young").user == "Cy Young"
    assert follow_up(office, client, for_="").user == ""
    handed = office("follow-ups assign", follow_up(office, client), "CY YOUNG")
    assert handed.follow_up.user == "Cy Young"
    with pytest.raises(FieldError):
        office("follow-ups assign", handed.follow_up, "")


# Done, repeating, put off


def test_a_done_follow_up_can_be_reopened(office: Office) -> None:
    client = office.add()
    one = follow_up(office, client)
    done = office("follow-ups done", one)
    assert (done.done.follow_up.done_on, done.next) == (TODAY, None)
    assert office.client(client).next_follow_up_on is None
    for words, given_ in (("done", {}), ("snooze", {"until": days(1)}), ("assign", {"to": "Bo"})):
        with pytest.raises(RefusedError):
            office(f"follow-ups {words}", one, **given_)
    opened = office("follow-ups reopen", one)
    assert opened.follow_up.done_on is None
    with pytest.raises(RefusedError):
        office("follow-ups reopen", one)
    office("history undo")
    assert stored(office, one).done_on == TODAY


def test_a_done_repeating_follow_up_creates_the_next(office: Office) -> None:
    client = office.add()
    call(office, client, days(-10))
    stay = office("follow-ups add", client, "Stay in touch", every=30, time="10:00", for_="Bo")
    # Thirty days after the last contact, which was ten days ago.
    assert stay.follow_up.due_on == days(20)
    done = office("follow-ups done", stay.follow_up)
    following = done.next.follow_up
    # Today is later than the last contact.
    assert (following.due_on, following.due_time, following.user, following.every) == (days(30), "10:00", "Bo", 30)
    assert office.client(client).next_follow_up_on == days(30)
    assert office.is_sound()
    # All of it is one step back.
    office("history undo")
    assert [item.follow_up.id for item in office("follow-ups list").follow_ups] == [stay.follow_up.id]


def test_several_follow_ups_are_changed_in_one_step(office: Office) -> None:
    client = office.add()
    one, stay = follow_up(office, client), follow_up(office, client, every=7)
    later = office("follow-ups edit-many", [one, stay, one], until=When(days(3), "10:00"), to="Bo")
    assert [item.follow_up.due_on for item in later.follow_ups] == [days(3)] * 2
    assert (later.until, later.to) == (days(3), "Bo")
    one, stay = stored(office, one), stored(office, stay)
    assert {(item.due_time, item.user) for item in (one, stay)} == {("10:00", "Bo")}
    office("follow-ups done", one)
    done = office("follow-ups edit-many", [stored(office, one), stay], done=True)
    # What was done already stays so, and what repeats goes on.
    assert ([item.follow_up.id for item in done.follow_ups], done.skipped) == ([stay.id], 1)
    assert [item.follow_up.due_on for item in done.next] == [days(7)]
    with pytest.raises(RefusedError, match="already done"):
        office("follow-ups edit-many", [stored(office, one)], until=days(9))
    for wrong in ({}, {"done": True, "to": "Bo"}, {"until": days(-1)}):
        with pytest.raises(FieldError):
            office("follow-ups edit-many", [one], **wrong)
    office("history undo")
    assert stored(office, stay).done_on is None
    with pytest.raises(Question, match="This deletes 2 follow-ups"):
        office("follow-ups delete-many", [one, stay])
    office("follow-ups delete-many", [one, stay], yes=True)
    assert office("follow-ups list").count == 0
    office("history undo")
    assert stored(office, stay).every == 7


def test_a_repeating_follow_up_goes_on_without_its_deleted_deal(office: Office) -> None:
    client = office.add()
    deal = put(office, Deal(client=client.id, title="Big"))
    stay = follow_up(office, client, every=7, deal=deal)
    assert office("follow-ups done", stay).next.follow_up.deal == deal.id
    office("history undo")
    office("deals delete", deal, yes=True)
    done = office("follow-ups done", stay)
    assert (done.done.follow_up.deal, done.next.follow_up.deal) == (deal.id, 0)
    assert office.is_sound()


def test_a_logged_contact_moves_a_repeating_follow_up(office: Office) -> None:
    client = office.add()
    stay = follow_up(office, client, every=30, due=days(3))
    call(office, client, days(-1), "note")
    assert stored(office, stay).due_on == days(3)
    call(office, client, days(-1))
    assert stored(office, stay).due_on == days(29)
    office("follow-ups snooze", stored(office, stay), days(40))
    assert stored(office, stay).due_on == days(40)
    call(office, client, TODAY)
    assert stored(office, stay).due_on == days(30)


def test_only_the_next_of_a_repeating_follow_up_repeats(office: Office) -> None:
    stay = follow_up(office, office.add(), every=7)
    office("follow-ups done", stay)
    assert office("follow-ups reopen", stay).follow_up.every == 0
    assert sorted(item.follow_up.every for item in office("follow-ups list").follow_ups) == [0, 7]


def test_without_a_contact_the_first_day_is_counted_from_today(office: Office) -> None:
    client = office.add()
    assert follow_up(office, client, due=None, every=14).due_on == days(14)
    # What should have come long ago is due at once and not in the past.
    call(office, client, days(-60))
    assert follow_up(office, client, due=None, every=14).due_on == TODAY


def test_a_time_may_be_written_with_the_day(office: Office) -> None:
    due = named("follow-ups add").parameters["due"].value_check
    until = named("follow-ups snooze").parameters["until"].value_check
    by = office.crm.conventions
    one = follow_up(office, office.add(), due=due.read("fri 10:00", by))
    assert (one.due_on, one.due_time) == (days(6), "10:00")
    later = office("follow-ups snooze", one, until.read("mon 9:30", by)).follow_up
    assert (later.due_on, later.due_time) == (MONDAY, "09:30")
    # A day alone leaves the time as it is.
    assert office("follow-ups snooze", later, until.read("12/24", by)).follow_up.due_time == "09:30"
    with pytest.raises(FieldError) as refused:
        follow_up(office, office.add(), due=due.read("fri 10:00", by), time="11:00")
    assert refused.value.reason == "two times were given, 10:00 AM and 11:00 AM; give one"


def test_next_week_is_a_monday_that_is_yet_to_come() -> None:
    for count in range(14):
        today = TODAY + timedelta(days=count)
        day = read_when("next week", Conventions(clock=standing_on(today)), "ahead").day
        assert day.weekday() == 0
        assert 1 <= (day - today).days <= 7


def test_a_follow_up_is_postponed_to_a_future_day(office: Office) -> None:
    one = follow_up(office, office.add())
    assert office("follow-ups snooze", one, MONDAY).follow_up.due_on == MONDAY
    assert office.history()[0] == "snoozed the follow-up Call until Nov 23, 2026"
    with pytest.raises(FieldError):
        office("follow-ups snooze", one, days(-1))


def test_a_follow_up_is_edited_deleted_and_undone(office: Office) -> None:
    client = office.add()
    deal = put(office, Deal(client=client.id, title="Big"))
    elsewhere = put(office, Deal(client=office.add().id, title="Other"))
    one = follow_up(office, client)
    edited = office("follow-ups edit", one, what="Write", due=days(4), time="9:30", for_="Bo", deal=deal.id, every=5)
    changed = edited.follow_up
    assert (changed.what, changed.due_on, changed.due_time, changed.user, changed.deal, changed.every) == (
        "Write", days(4), "9:30", "Bo", deal.id, 5,
    )  # fmt: skip
    assert edited.deal.title == "Big"
    assert office("follow-ups edit", changed, time="", deal=0).follow_up.due_time == ""
    for wrong in ({}, {"what": ""}, {"due": days(-1)}, {"deal": elsewhere.id}):
        with pytest.raises(FieldError):
            office("follow-ups edit", stored(office, one), **wrong)
    with pytest.raises(NotFoundError):
        office("follow-ups edit", stored(office, one), deal=99)
    with pytest.raises(Question) as asked:
        office("follow-ups delete", one)
    assert asked.value.sentence == "This deletes the follow-up Call. It can be undone."
    assert office("follow-ups delete", one, yes=True).gone.follow_up.what == "Write"
    with pytest.raises(NotFoundError):
        office("follow-ups show", one)
    office("history undo")
    assert office("follow-ups show", one).follow_up.what == "Write"


def test_changes_of_somebody_else_are_not_overwritten(office: Office) -> None:
    one = follow_up(office, office.add())
    office("follow-ups edit", one, what="Theirs")
    with pytest.raises(CRMError, match="Someone else has changed"):
        office("follow-ups edit", one, what="Mine")
    assert office("follow-ups edit", one, due=days(1)).follow_up.what == "Theirs"


@pytest.mark.parametrize(
    ("due", "time", "words"),
    [(-3, "", "3 days overdue"), (-1, "10:00", "1 day overdue"), (0, "", "due today"),
     (0, "10:00", "due today at 10:00"), (1, "", "due tomorrow"), (12, "08:00", "due in 12 days at 08:00")],
)  # fmt: skip
def test_urgency_is_shown_in_words(due: int, time: str, words: str) -> None:
    assert due_words(FollowUp(client=1, due_on=days(due), due_time=time), TODAY, time) == words


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        ("09:59", "due today at 10:00 AM"),
        ("10:01", "due today at 10:00 AM, late"),
        ("23:59", "due today at 10:00 AM, late"),
    ],
)
def test_a_follow_up_of_today_is_late_from_its_time_on(clock: str, words: str) -> None:
    now = datetime.combine(TODAY, time.fromisoformat(clock), ZONE)
    by = Conventions(clock=Clock(lambda: now, lambda: ZONE.key))
    at_ten = FollowUp(client=1, due_on=TODAY, due_time="10:00")
    assert FollowUpShown(at_ten, Client(), None, TODAY).when(by) == words
    tomorrow = FollowUp(client=1, due_on=days(1), due_time="09:00")
    assert FollowUpShown(tomorrow, Client(), None, TODAY).when(by) == "due tomorrow at 9:00 AM"


# What needs doing


def agenda(office: Office, **given_: Any) -> list[tuple[str, str]]:
    return [(item.what, item.why) for item in office("agenda", **given_).items]


@pytest.fixture
def busy(office: Office) -> Office:
    """An office with something of everything to do, for two people."""
    ada, bo = office.add(first_name="Ada"), office.add(first_name="Bo")
    past = office.open(today=days(-40))
    office("follow-ups add", ada, "overdue", due=days(-3), crm=past)
    office("follow-ups add", bo, "overdue longer", due=days(-9), for_="Cy", crm=past)
    follow_up(office, ada, "due", time="10:00")
    follow_up(office, ada, "not yet", due=days(1))

    def deal(title: str, crm: CRM | None = None, **fields: Any) -> Any:
        return put(office, Deal(**{"client": ada.id, "owner": "anna", "title": title, **fields}), crm)

    deal("fresh", expected_close_on=days(10))
    deal("quiet", past)
    deal("late", expected_close_on=days(-5))
    deal("late and quiet", past, expected_close_on=days(-20), owner="Cy")
    deal("spoken of", past, client=bo.id, owner="CY")
    call(office, bo, days(-QUIET_AFTER))
    call(office, bo, days(-1), "note")
    closed = deal("closed", past, expected_close_on=days(-20))
    with office.crm.read() as snapshot:
        (lost,) = snapshot.find_all(Stage, Query({"outcome": "lost"}))
    office.crm.transact(lambda tx: tx.change(tx.get(Deal, closed.id), stage=lost.id), "lost it")
    return office


def test_the_agenda_is_ranked_with_reasons(busy: Office) -> None:
    assert agenda(busy) == [
        ("overdue longer", "9 days overdue"),
        ("overdue", "3 days overdue"),
        ("due", "due today at 10:00"),
        ("late and quiet", "expected to close 20 days ago, nothing done for 40 days"),
        ("late", "expected to close 5 days ago"),
        ("quiet", "no contact or move for 40 days"),
        ("spoken of", "no contact or move for 14 days"),
    ]
    ranks = [item.rank for item in busy("agenda").items]
    assert ranks == sorted(ranks, reverse=True)


def test_mine_and_everybodys(busy: Office) -> None:
    assert [what for what, _ in agenda(busy, mine=True)] == ["overdue", "due", "late", "quiet"]
    mine = busy("agenda", mine=True)
    assert (mine.count, mine.others) == (4, 3)
    assert (busy("agenda").count, busy("agenda").others) == (7, 0)
    cy = busy.open(user="cy")
    assert [item.what for item in busy("agenda", mine=True, crm=cy).items] == [
        "overdue longer", "late and quiet", "spoken of",
    ]  # fmt: skip


def test_pages_of_the_agenda_are_parts_of_the_whole(busy: Office) -> None:
    whole = agenda(busy)
    for limit in (1, 2, 3, 10):
        pages = [agenda(busy, limit=limit, offset=at) for at in range(0, 7, limit)]
        assert [item for page in pages for item in page] == whole


def test_today_shows_the_agenda(busy: Office) -> None:
    report = busy("today", mine=True)
    assert [item.what for item in report.agenda.items] == ["overdue", "due", "late", "quiet"]
    listed = json.loads(json.dumps(plain(report)))["agenda"]
    assert (listed["count"], listed["others"]) == (4, 3)
    assert listed["items"][0] == {
        "rank": 4003, "what": "overdue", "why": "3 days overdue", "person": "anna", "client": 1, "client_name": "Ada",
        "record": "follow_up", "id": 1,
    }  # fmt: skip
    assert busy("today").agenda.count == 7


def test_a_deal_is_quiet_from_the_fourteenth_day_on(office: Office) -> None:
    client = office.add()
    put(office, Deal(client=client.id, title="Slow"))
    assert agenda(office) == []
    for after, expected in ((QUIET_AFTER - 1, 0), (QUIET_AFTER, 1)):
        later = office.open(today=days(after))
        assert office("agenda", crm=later).count == expected


# The calendar file


def exported(office: Office, **given_: Any) -> list[Any]:
    file = office.folder / "to-do.ics"
    office("follow-ups export", file, yes=True, **given_)
    return events(file)


def events(file: Path) -> list[Any]:
    return list(Calendar.from_ical(file.read_bytes()).walk("VEVENT"))


ODD = "Call: 1, 2; 3\\n \u201cquote\u201d 👩‍🔬 " + "ü" * 80


def test_a_calendar_file_has_the_open_follow_ups(office: Office) -> None:
    client = office.add(first_name="Ada", email="ada@example.com", phone="+436641234567")
    deal = put(office, Deal(client=client.id, title="Big; deal"))
    follow_up(office, client, ODD, time="10:00", deal=deal)
    follow_up(office, client, "All day", days(9), every=30, for_="Cy")
    office("follow-ups done", follow_up(office, client, "Over"))
    timed, whole_day = exported(office)
    assert timed["summary"] == f"{ODD} (Ada)"
    # Without a zone: ten o'clock wherever the calendar is opened.
    assert timed["dtstart"].dt == datetime(2026, 11, 21, 10)
    assert timed["dtstart"].dt.tzinfo is None
    assert timed["dtend"].dt == datetime(2026, 11, 21, 10, 30)
    assert timed["description"].splitlines() == [
        "Client: Ada (no. 1)", "Deal: Big; deal", "Phone: +436641234567", "E-mail: ada@example.com", "For: anna",
    ]  # fmt: skip
    assert whole_day["dtstart"].dt == days(9)
    assert not isinstance(whole_day["dtstart"].dt, datetime)
    assert (whole_day["transp"], "dtend" in whole_day) == ("TRANSPARENT", False)
    assert "Repeats every 30 days after the last contact" in whole_day["description"]


def test_a_calendar_file_of_mine_or_of_one_client(office: Office) -> None:
    ada, bo = office.add(first_name="Ada"), office.add(first_name="Bo")
    follow_up(office, ada, "mine", days(1))
    follow_up(office, ada, "theirs", for_="Cy")
    follow_up(office, bo, "another")
    assert [row["summary"] for row in exported(office, mine=True)] == ["another (Bo)", "mine (Ada)"]
    assert [row["summary"] for row in exported(office, client=bo)] == ["another (Bo)"]
    assert [row["summary"] for row in exported(office, for_="cy")] == ["theirs (Ada)"]
    assert [row["summary"] for row in exported(office, due=TODAY, client=ada)] == ["theirs (Ada)"]


def test_importing_a_calendar_file_again_updates_its_events(office: Office) -> None:
    one = follow_up(office, office.add())
    other = follow_up(office, office.add())
    before = {row["uid"]: row for row in exported(office)}
    assert len(before) == 2
    office("follow-ups edit", one, what="Write", due=days(4))
    office("follow-ups snooze", other, days(5))
    copied = office.open("copied")
    copied.repository.fill(office.everything())
    for crm in (office.crm, copied):
        after = {row["uid"]: row for row in exported(office, crm=crm)}
        assert after.keys() == before.keys()
        assert all(after[uid]["sequence"] > before[uid]["sequence"] for uid in before)
    elsewhere = office.open("elsewhere")
    office("follow-ups add", office.add(crm=elsewhere), "Call", due=TODAY, crm=elsewhere)
    assert not {row["uid"] for row in exported(office, crm=elsewhere)} & before.keys()


def test_an_impossible_calendar_file_is_refused_and_leaves_no_file(office: Office) -> None:
    client = office.add()
    with pytest.raises(RefusedError):
        office("follow-ups export", office.folder / "empty.ics")
    follow_up(office, client)
    with pytest.raises(FieldError):
        office("follow-ups export", office.folder / "to-do.csv")
    assert not list(office.folder.glob("*.ics")) + list(office.folder.glob("*.csv"))


def _lines(raw: bytes) -> Iterator[str]:
    """The content lines of a calendar as RFC 5545 3.1 says they are to be unfolded."""
    assert raw.endswith(b"\r\n")
    physical = raw[:-2].split(b"\r\n")
    assert all(len(line) <= 75 for line in physical)
    assert not any(mark in line for line in physical for mark in (b"\r", b"\n"))
    # Folded between characters: each line alone can be read.
    unfolded: list[str] = []
    for line in (raw.decode("utf-8") for raw in physical):
        if line.startswith(" "):
            unfolded[-1] += line[1:]
        else:
            unfolded.append(line)
    yield from unfolded


@settings(max_examples=150, deadline=None)
@given(what=st.text(max_size=200), name=st.text(min_size=1, max_size=100))
def test_no_text_injects_lines_into_a_calendar_file(
    tmp_path_factory: pytest.TempPathFactory, what: str, name: str
) -> None:
    """Read with our own hands: whatever stands in a record, there are these properties and no others."""
    what, name = (text.encode("utf-8", "replace").decode() for text in (what, name))
    at = datetime(2026, 11, 21, 9, tzinfo=UTC)
    entry = FollowUp(id=1, client=1, what=what, due_on=TODAY, created_at=at, updated_at=at, version=1, user=name)
    file = tmp_path_factory.getbasetemp() / "any.ics"
    write_follow_ups(file, [(entry, Client(id=1, first_name=name), what)], Conventions())
    lines = list(_lines(file.read_bytes()))
    names = [line.replace(";", ":").partition(":")[0] for line in lines]
    assert sorted(names) == sorted(
        ["BEGIN"] * 2 + ["END"] * 2 + ["VERSION", "PRODID", "CALSCALE", "SUMMARY", "DTSTART", "DTSTAMP", "UID"]
        + ["TRANSP", "SEQUENCE", "CREATED", "DESCRIPTION", "LAST-MODIFIED"]
    )  # fmt: skip
    assert len(events(file)) == 1


# On the command line


def test_follow_ups_on_the_command_line(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Ada")
    added = shell.did(
        "follow-ups", "add", "ada", "Send the offer", "--due", "next week", "--time", "9am", "--for", "Bo"
    )
    assert (added["due_time"], added["user"], added["client_name"]) == ("09:00", "Bo", "Ada")
    assert date.fromisoformat(added["due_on"]).weekday() == 0
    assert "Give a due date" in shell.refused("follow-ups", "add", "Ada", "Nothing")
    assert shell.did("follow-ups", "list", "--mine") == []
    listed = shell.did("follow-ups", "list", "--for", "bo", "--due", "in 10 days")
    assert [item["what"] for item in listed] == ["Send the offer"]
    assert shell.did("follow-ups", "snooze", "1", "tomorrow")["days_overdue"] == 0
    assert shell.did("follow-ups", "assign", "1", "Cy")["user"] == "Cy"
    file = shell.folder / "to-do.ics"
    assert shell.did("follow-ups", "export", str(file))["records"] == 1
    assert len(events(file)) == 1
    assert shell.did("agenda") == []
    assert shell.did("people", "list")[0]["name"] == "Cy"
    assert shell.did("follow-ups", "done", "1")["next"] is None
    answer = shell("follow-ups", "list", "--done")
    assert (answer.code, "Send the offer" in answer.out) == (0, True)


# The list of clients


def test_clients_by_next_follow_up_and_last_contact(office: Office) -> None:
    ada, bo, cy, _ = (office.add(first_name=name) for name in ("Ada", "Bo", "Cy", "Dee"))
    follow_up(office, ada, due=days(9))
    follow_up(office, bo, due=days(2))
    call(office, cy, days(-100))
    call(office, bo, days(-3))

    def names(**given_: Any) -> list[str]:
        return [client.first_name for client in office("clients list", {}, **given_)]

    assert names(sort="next-follow-up-on") == names(sort="next follow-up") == ["Bo", "Ada", "Cy", "Dee"]
    assert names(sort="-next_follow_up_on") == names(sort="-Next follow-up") == ["Ada", "Bo", "Cy", "Dee"]
    assert names(sort="last contact") == ["Cy", "Bo", "Ada", "Dee"]
    assert names(due=days(2)) == ["Bo"]
    assert names(due=days(9), sort="last contact") == ["Bo", "Ada"]
    assert names(silent_since=days(-60)) == ["Ada", "Cy", "Dee"]
    assert names(silent_since=days(-3)) == ["Ada", "Cy", "Dee"]
    assert names(silent_since=days(-2)) == ["Ada", "Bo", "Cy", "Dee"]
    assert names(silent_since=days(-60), due=days(30)) == ["Ada"]
    # What was asked for stays together: the other "or" takes nobody in who has nothing due.
    assert names(where="sales_count = 0 or sales_count = 1", due=days(2)) == ["Bo"]


def test_my_clients_are_those_that_i_own(office: Office) -> None:
    for name, owner in (("Ada", "ANNA"), ("Bo", "Cy"), ("Dee", "")):
        office.add(first_name=name, owner=owner)
    assert [client.first_name for client in office("clients list", {}, mine=True)] == ["Ada"]
    assert [client.first_name for client in office("clients list", {"owner": "anna"}, mine=True)] == ["Ada"]
    for wanted in ({"filters": {"owner": "Cy"}}, {"filters": {}, "only": [("owner", "Cy"), ("owner", "Dee")]}):
        with pytest.raises(FieldError):
            office("clients list", mine=True, **wanted)


def test_undelivered_messages_rank_before_quiet_clients(busy: Office) -> None:
    def message(state: str, back: int, **fields: Any) -> Any:
        given = {"client": 1, "channel": "email", "direction": "out", "to": "ada@example.com", "user": "anna"}
        return put(busy, Message(**{**given, "state": state, "on": days(-back), "subject": state, **fields}))

    message("failed", 2, failure="550 no such user")
    text = message("failed", 1, channel="sms", subject="", body="Hi there\nAda", to="+436641234567", user="Cy")
    message("unsure", 9)
    for state in ("queued", "sending", "sent", "received", "cancelled"):
        message(state, 60)
    mailing = put(busy, Mailing(name="Birthdays")).id
    message("failed", 3, mailing=mailing)
    greeting = message("failed", 3, mailing=mailing, occasion="birthday 2026", subject="Happy birthday")
    assert agenda(busy)[4:9] == [
        ("late", "expected to close 5 days ago"),
        ("E-mail: unsure", "may have been sent"),
        ("E-mail: Happy birthday", "failed"),
        ("E-mail: failed", "failed: 550 no such user"),
        ("SMS: Hi there", "failed"),
    ]
    found = {item.what: item for item in busy("agenda").items}
    assert (found["E-mail: Happy birthday"].record, found["SMS: Hi there"].record) == (greeting, text)
    assert plain(found["SMS: Hi there"])["record"] == "message"
    assert (found["E-mail: failed"].client.name, found["E-mail: failed"].person) == ("Ada", "anna")
    assert busy("agenda").count == 11
    mine = busy("agenda", mine=True, crm=busy.open(user="cy"))
    assert [item.what for item in mine.items] == ["overdue longer", "late and quiet", "SMS: Hi there", "spoken of"]
    whole = agenda(busy)
    assert [item for at in range(0, 11, 2) for item in agenda(busy, limit=2, offset=at)] == whole
