"""Follow-ups and what needs doing at the menu, in a real terminal and line by line."""

import io
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from crm.app import open_crm
from crm.commands.activity.agenda import AgendaItem
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.config import Config
from crm.model import Client, Conventions, Deal, FollowUp, Invoice
from crm.repository import Query
from crm.terminal.activity.rendering import item_line
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.render import show
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.session import Session
from tests.support.clocks import TODAY, running_on
from tests.terminal.conftest import Start


def days(count: int) -> date:
    return TODAY + timedelta(days=count)


def follow_ups(crm: CRM) -> list[FollowUp]:
    with crm.read() as snapshot:
        return snapshot.find_all(FollowUp, Query(sort="id"))


def add(crm: CRM, client: Client, what: str, due: date | None = TODAY, **given: Any) -> FollowUp:
    added: FollowUp = named("follow-ups add")(crm, client, what, due=due, **given).follow_up
    return added


@pytest.fixture
def past(store: Path) -> Any:
    """The store as it was thirty days ago."""
    with closing(open_crm(Config(f"sqlite:///{store}", "tester", running_on(days(-30)))).repository) as repository:
        crm = open_crm(Config(f"sqlite:///{store}", "tester", running_on(days(-30))))
        yield crm
        crm.repository.close()
        assert repository.url == crm.repository.url


@pytest.fixture
def busy(past: CRM, crm: CRM) -> CRM:
    """Two clients, things to do for them, of mine and of Cy Young's, and a deal that has gone quiet."""
    acme = named("clients add")(past, {"company": "Acme"})
    bo = named("clients add")(past, {"first_name": "Bo", "last_name": "Berg", "owner": "tester"})
    add(past, acme, "Call about the quote", days(-3))
    add(past, acme, "Stay in touch", every=30, due=None)
    add(past, bo, "Theirs", TODAY, for_="Cy Young", time="10:00")
    past.transact(lambda tx: tx.add(Deal(client=acme.id, title="Big one", value=Decimal(5), owner="tester")), "added")
    return crm


# Today


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.usefixtures("busy")
def test_today_ranks_my_tasks_and_shows_everybodys_by_a_key(start: Start, columns: int) -> None:
    session = start(columns=columns).choose("Today").sees("To do: 3, and 1 for others").settled()
    rows = [line.partition(") ")[2] for line in session.lines if ") " in line]
    wide = ["3 days overdue: Call about the quote (Acme)", "Due today: Stay in touch (Acme)",
            "No contact or move for 30 days: Big one (Acme)"]  # fmt: skip
    narrow = ["! Call about the quote (Acme)", "Due today: Stay in touch (Acme)", "Big one (Acme)"]
    assert rows[:3] == (wide if columns == 80 else narrow)
    session.press("a").sees("To do: 4").sees("Theirs (Bo").press("a").sees("and 1 for others")


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (
            120,
            "Expected to close 3 days ago, nothing done for 22 days: bedroom in walnut for the hotel (Viktor Dunmore)",
        ),
        (80, "Expected to close 3 days ago: bedroom in walnut for the hotel (Viktor Dunmore)"),
        (72, "Expected to close 3 days ago: bedroom in walnut for th… (Viktor Dunmore)"),
        (32, "! bedroom in w… (Viktor Dunmore)"),
        (20, "! bedroom in… (Vikt…"),
    ],
)
def test_in_a_narrow_window_the_task_and_the_client_stay_and_the_urgency_goes(columns: int, line: str) -> None:
    screen = Screen(io.StringIO(), plain=False)
    client = Client(first_name="Viktor", last_name="Dunmore")
    why = "expected to close 3 days ago, nothing done for 22 days"
    item = AgendaItem(0, "bedroom in walnut for the hotel", why, client, client, "")
    assert item_line(screen, item, Conventions(), columns, whose=False, late=True) == line


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (42, "! Invoice INV-2026-0003 (Viktor Dunmore)"),
        (32, "! INV-2026-0003 (Viktor Dunmore)"),
        (28, "! INV-2026-0003 (Viktor Du…)"),
    ],
)
def test_in_a_narrow_window_a_due_invoice_is_shown_by_its_number(columns: int, line: str) -> None:
    client = Client(first_name="Viktor", last_name="Dunmore")
    item = AgendaItem(0, "Invoice INV-2026-0003", "overdue for 6 days", client, Invoice(number="INV-2026-0003"), "")
    assert item_line(Screen(io.StringIO(), plain=False), item, Conventions(), columns, whose=False, late=True) == line


def test_each_task_is_opened_by_its_number_and_done(start: Start, busy: CRM) -> None:
    session = start().choose("Today").sees("1) 3 days overdue").press("1").sees("3 days overdue")
    # What a follow-up is opened for most is marked; undo takes it back.
    session.sees("Client Acme").sees("» 1) Done").press("enter").sees("Done: Call about the quote (Acme)").sees(
        "To do: 2"
    )
    assert follow_ups(busy)[0].done_on == TODAY
    session.choose("Due today: Stay in touch").choose("Done").sees("Next on Dec 21, due in 30 days")
    assert (follow_ups(busy)[-1].what, follow_ups(busy)[-1].due_on) == ("Stay in touch", days(30))
    session.sees("To do: 1").press("u").sees("Undo: completed the follow-up Stay in touch").press("1").sees("To do: 2")


def test_a_follow_up_is_postponed_from_today(start: Start, busy: CRM) -> None:
    session = start().choose("Today").press("1").choose("Snooze").sees("Next week, Nov 23, 2026").press("2")
    session.sees("Snoozed until Mon: Call about the quote (Acme)").sees("To do: 2")
    session.choose("Due today").choose("Snooze").choose("Another day").press("fri 9:30", "enter")
    session.sees("Snoozed until Fri").settled()
    assert [follow_up.due_on for follow_up in follow_ups(busy)[:2]] == [date(2026, 11, 23), date(2026, 11, 27)]
    assert follow_ups(busy)[1].due_time == "09:30"


@pytest.mark.usefixtures("busy")
def test_a_task_opens_its_client_and_logs_a_call(start: Start) -> None:
    session = start().choose("Today").press("1").choose("Open the client").sees("Acme no. 1").press("esc")
    session.sees("3 days overdue").choose("Log a call").sees("Log a call, meeting or note")
    session.press("esc").sees("3 days overdue").press("esc").sees("To do: 3")


@pytest.mark.usefixtures("busy")
def test_a_person_without_tasks_sees_those_of_others(start: Start) -> None:
    session = start(CRM_USER="newcomer").sees("Today 4 of others").choose("Today").sees("To do: 4")
    session.sees("Call about the quote (Acme), tester").press("a").sees("Nothing to do, and 4 for others")


def test_the_full_agenda_is_paged(start: Start, busy: CRM) -> None:
    client = named("clients list")(busy, {})[0]
    for number in range(20):
        add(busy, client, f"Call {number:02}")
    session = start().choose("Today").press("v").sees("1-18 of 23 · mine").press("]").sees("19-23 of 23")
    session.sees("Big one").press("a").sees("of 24 · everyone's")
    session.press("1").sees("Call about the quote").press("esc", "esc").sees("To do")


def test_showing_all_again_from_a_second_page_begins_at_the_first(start: Start, busy: CRM) -> None:
    client = named("clients list")(busy, {})[0]
    for number in range(20):
        add(busy, client, f"Call {number:02}")
    session = start().choose("Follow-ups").press("a").press("f").choose("Client").press(client.name, "enter")
    session.sees("1-18 of 2").press("]").sees("19-2").press("f").choose("Show all again").sees("1-18 of 2")


def test_without_tasks_today_is_unchanged(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Ada"})
    text = start().choose("Today").sees("New       Ada").settled().text
    assert "To do" not in text
    assert "overdue" not in text


# The list


@pytest.mark.usefixtures("busy")
def test_follow_ups_list_mine_then_everybodys_and_can_be_filtered(start: Start) -> None:
    session = start().choose("Follow-ups").sees("1-2 of 2 · mine, 1 overdue")
    session.press("a").sees("1-3 of 3 · everyone's, 1 overdue").sees("10:00")
    session.press("f").choose("Assigned to").choose("Cy Young").sees("1-1 of 1 · everyone's, for Cy Young")
    session.press("f").choose("Show all again").sees("of 3").press("f").choose("Overdue").sees("1-1 of 1")
    session.press("f").choose("Done").sees("No matches").press("f").choose("Show all").press("f").choose("Repeating")
    session.sees("1-1 of 1").press("f").choose("Show all").press("f").choose("Due by")
    session.press("yesterday", "enter").sees("1-1 of 1").sees("due by Nov 20, 2026")


def test_a_follow_up_is_added_with_choices(start: Start, busy: CRM) -> None:
    session = start().choose("Follow-ups").sees("n new").press("n").sees("Client (").press("acme", "enter")
    session.sees("What").press("Send it", "enter").sees("tomorrow, fri, next week").press("next week", "enter")
    session.sees("Due       Mon, Nov 23, 2026").sees("For       tester")
    session.choose("For").sees("1) tester").choose("Cy Young").choose("Deal").choose("Big one")
    session.sees("Deal      Big one").choose("Time").press("9am", "enter").sees("9:00 AM").choose("Save")
    session.sees("Added: Send it (Acme), due in 2 days at 9:00 AM")
    added = follow_ups(busy)[-1]
    assert (added.what, added.due_on, added.due_time, added.user, added.deal) == (
        "Send it", date(2026, 11, 23), "09:00", "Cy Young", 1,
    )  # fmt: skip


def test_a_past_day_is_refused_when_it_is_typed(start: Start, busy: CRM) -> None:
    session = start().choose("Follow-ups").sees("n new").press("n").press("bo berg", "enter").sees("What")
    session.press("Call", "enter").sees("Due").press("yesterday", "enter")
    session.sees("Nov 20, 2026 has passed (today is Nov 21, 2026)").press("kill", "tomorrow", "enter").choose("Save")
    session.sees("Added: Call (Bo Berg), due tomorrow")
    assert follow_ups(busy)[-1].due_on == days(1)


def test_a_follow_up_is_edited_reassigned_and_deleted(start: Start, busy: CRM) -> None:
    session = start().choose("Follow-ups").press("1").choose("Edit").choose("What")
    session.press("kill", "Write instead", "enter").sees("* Write instead").choose("Save").sees("Saved: Write instead")
    session.choose("Reassign").choose("Someone else").press("Dee Dunn", "enter").sees("Reassigned to Dee Dunn")
    session.sees("1-1 of 1").press("a").sees("of 3").press("1").choose("Delete").sees("can be undone").press("1")
    session.sees("Deleted: Write instead (Acme)").settled()
    assert [follow_up.what for follow_up in follow_ups(busy)] == ["Stay in touch", "Theirs"]


def test_marked_follow_ups_are_snoozed_reassigned_done_and_deleted_together(start: Start, crm: CRM) -> None:
    client = named("clients add")(crm, {"company": "Acme"})
    for number in range(1, 6):
        add(crm, client, f"Call {number}", days(number))
    session = start().choose("Follow-ups").sees("1-5 of 5").press(" ", " ").sees("2 marked").sees("z snooze")
    # A key for one of them is refused while several may be meant.
    session.press("e").sees("2 follow-ups are marked, and this key works on one.")
    session.press("z").sees("Until:").choose("Another day").press("dec 4", "enter").sees(": 2 follow-ups")
    assert [item.due_on for item in follow_ups(crm)] == [date(2026, 12, 4)] * 2 + [days(3), days(4), days(5)]
    session.lacks("marked").press("u").sees("Undo: snoozed 2 follow-ups until Dec 4").choose("Undo it").sees("Undone")
    assert [item.due_on for item in follow_ups(crm)] == [days(number) for number in range(1, 6)]
    session.press("up", "up", " ").sees("1 marked").press("o").choose("Someone else").press("Dee Dunn", "enter")
    session.sees("Reassigned to Dee Dunn: Call 1 (Acme)").sees("1-4 of 4")
    session.press("up", "+").sees("Done: Call 2 (Acme)").sees("1-3 of 3")
    # What is done with many is also found under More; all of the list are taken where none is marked.
    session.press(".").choose("Bulk actions").choose("All 3 follow-ups in the list").choose("Done")
    session.sees("Done: 3 follow-ups").press("a").sees("1-1 of 1").press(" ", "d").sees("This deletes the follow-up")
    session.sees("» 0) No").press("y").sees("Deleted: Call 1 (Acme)").settled()
    assert [item.done_on for item in follow_ups(crm)] == [TODAY] * 4


def test_a_known_name_can_be_chosen_in_every_question_for_a_person(start: Start, busy: CRM) -> None:
    session = start().press("/").sees("Find").press("acme", "enter").sees("Acme no. 1").choose("Edit").choose("Owner")
    session.sees("1) tester").sees("2) Cy Young").choose("Cy Young").choose("Save").sees("Saved")
    with busy.read() as snapshot:
        assert snapshot.get(Client, 1).owner == "Cy Young"
    session.choose("Edit").choose("Owner").choose("Nobody").choose("Save").sees("Saved").settled()
    with busy.read() as snapshot:
        assert snapshot.get(Client, 1).owner == ""


@pytest.mark.usefixtures("busy")
def test_a_calendar_is_written_from_the_menu(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "to-do.ics"
    session = start().choose("Follow-ups").sees("n new").press("x").sees("File").press(str(file), "enter")
    session.sees("Client (").press("enter").sees("For:").choose("Cy Young").sees("Due by").press("enter")
    session.sees("1 follow-up in")
    events = Calendar.from_ical(file.read_bytes()).walk("VEVENT")
    assert [str(event["summary"]) for event in events] == ["Theirs (Bo Berg)"]


@pytest.mark.usefixtures("busy")
def test_people_are_listed_with_their_open_follow_ups(start: Start) -> None:
    session = start().choose("Data").choose("Team").choose("Workload").sees("Cy Young").settled()
    assert [line.split()[-5:] for line in session.lines if "tester" in line] == [["tester", "2", "1", "1", "1"]]
    session.choose("Cy Young").sees("1-1 of 1 · everyone's, for Cy Young").sees("Theirs").press("esc").sees("Overdue")


# The list of clients


@pytest.mark.usefixtures("busy")
def test_clients_by_next_follow_up_and_last_contact(start: Start) -> None:
    session = start(columns=40).choose("Clients").press("s").choose("Next follow-up")
    session.sees("by next follow-up").sees("! 3 days ago")
    session.press("f").choose("Follow-up due by").press("yesterday", "enter").sees("1-1 of 1").sees("Acme")
    session.press("f").choose("Show all again").sees("of 2").press("a").sees("1-1 of 1").sees("Bo Berg")
    session.press("a").sees("of 2").press("f").choose("Not contacted since").press("yesterday", "enter")
    session.sees("of 2 · Not contacted since Nov 20").lacks("days_since_last_contact")
    # It is narrowed further, and can be edited as the condition that it is.
    session.press("f").choose("Follow-up due by").press("yesterday", "enter").sees("1-1 of 1")
    session.press("f").choose("A condition").sees("Condition: (days_since_last_contact =")


# Line by line, and harmless


HOSTILE = "\x1b[31mred [bold]x[/] \u202e{amount} 👩‍🔬"


def lines(crm: CRM, answers: str) -> str:
    load_flows()
    out = io.StringIO()
    screen = Screen(out, plain=True)
    with closing(Session(crm, LineKeyboard(io.StringIO(answers), screen), screen)) as session:
        session.debug = True
        for words in ("today", "agenda", "follow-ups list", "people list"):
            session.attempt(lambda words=words: session.start(named(words)))
            session.page("Next")
    return out.getvalue()


def test_markup_in_a_follow_up_is_shown_as_plain_text(crm: CRM) -> None:
    client = named("clients add")(crm, {"first_name": "Ada"})
    crm.transact(
        lambda tx: tx.add(FollowUp(client=client.id, what=HOSTILE, user=HOSTILE, due_on=TODAY)), "put there by a test"
    )
    text = lines(crm, "\n" * 20)
    assert "[bold]x[/]" in text
    assert "{amount}" in text
    assert not {"\x1b", "\u202e"} & set(text)
    assert "Something went wrong" not in text


def test_line_by_line_a_task_is_done_by_the_same_number(busy: CRM) -> None:
    load_flows()
    out = io.StringIO()
    screen = Screen(out, plain=True)
    with closing(Session(busy, LineKeyboard(io.StringIO("1\n1\n0\n"), screen), screen)) as session:
        session.start(named("today"))
    assert "1  3 days overdue: Call about the quote (Acme)" in out.getvalue()
    assert "Done: Call about the quote (Acme)" in out.getvalue()


def test_the_lines_of_a_quick_note_are_indented(crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna", "last_name": "Berg"})
    text = "call Anna Berg: talked about the long oak table, follow up Friday to ask about delivery and assembly"
    out = io.StringIO()
    show(Screen(out, plain=True, environment={"COLUMNS": "40"}), named("capture")(crm, text, yes=True), crm.conventions)
    drawn = out.getvalue().splitlines()
    assert len(drawn) > 2
    assert drawn[0].startswith("✓ Call with Anna Berg"), drawn
    assert all(line.startswith("  ") for line in drawn[1:]), drawn


def test_leaving_a_typed_note_asks_before_it_is_lost(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"company": "Acme"})
    session = start().press("/").sees("Find").press("Acme", "enter").sees("4) ")
    session.press("4").sees("What:").press("call about oak", "esc").sees("Discard what you typed?").press("esc")
    session.sees("call about oak").press("esc").sees("Discard what you typed?").press("1").sees("4)")
    session.press("3").sees("What was it?").press("1").sees("Call (").press("wants oak", "esc").sees("What was it?")
    session.press("esc").sees("Discard what you typed?").press("1").sees("4)")
