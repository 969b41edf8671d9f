"""Contacts, the timeline and quick capture at the menu, in a real terminal and line by line."""

import io
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client, Contact, FollowUp, Interaction
from crm.terminal.console.keyboard import Closed
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.lists import Neighbours
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.session import Session
from tests.support.clocks import TODAY
from tests.terminal.conftest import Start, all_of


def company(crm: CRM, name: str = "Acme", **fields: Any) -> Client:
    added: Client = named("clients add")(crm, {"company": name, **fields})
    return added


def opened(start: Start, number: int = 1, **how: Any) -> Any:
    """The card of a client."""
    return start(**how).sees("Clients").press("/").sees("Find").press(str(number), "enter").sees(".) More")


def test_contacts_are_added_from_the_card_with_the_primary_one_first(start: Start, crm: CRM) -> None:
    company(crm)
    session = (
        opened(start).press("c").sees("Acme › Contacts").sees("No contacts yet. n adds one.").press("n").sees("Name:")
    )
    session.press("Jo Fox", "enter").sees("1) Save").choose("E-mail").sees("E-mail (").press("jo@", "enter")
    session.sees("That is not an e-mail address").press("example.com", "enter").sees("jo@example.com").press("1")
    session.sees("Added: Jo Fox (no. 1)").press("n").sees("Name:").press("Bo [b]Hill[/b]", "enter").sees("1) Save")
    session.press("1").sees("Added: Bo [b]Hill[/b]").sees("1-2 of 2").choose("Bo").sees("Contact of Acme")
    session.choose("Make primary").sees("Primary contact: Bo").sees("primary contact").press("0").sees("1-2 of 2")
    session.press("0").sees("★ Bo [b]Hill[/b]").sees("Jo Fox · jo@example.com").settled()
    lines = session.lines
    assert next(at for at, line in enumerate(lines) if "Bo [b]" in line) + 1 == next(
        at for at, line in enumerate(lines) if "Jo Fox" in line
    )
    assert [(contact.name, contact.is_primary) for contact in all_of(crm, Contact)] == [
        ("Bo [b]Hill[/b]", True),
        ("Jo Fox", False),
    ]


def test_a_contact_is_edited_and_deleted_from_the_card(start: Start, crm: CRM) -> None:
    acme = company(crm)
    named("contacts add")(crm, acme, "Jo Fox", phone="+12125550123")
    session = opened(start).press("c").choose("Jo").sees("(212) 555-0123").choose("Edit").sees("2) Name")
    session.choose("Role").sees("Role (").press("buyer", "enter").sees("* buyer").press("1").sees("Saved: Jo Fox")
    session.sees("buyer of Acme, primary contact").choose("Delete").sees("This deletes the contact Jo Fox").press("1")
    session.sees("Deleted Jo Fox. Press u to undo.").sees("No contacts yet. n adds one.").press("u").sees("Undo: ")
    session.press("1").sees("1-1 of 1")
    assert [contact.role for contact in all_of(crm, Contact)] == ["buyer"]


def test_a_search_for_a_contact_finds_the_company_and_says_why(start: Start, crm: CRM) -> None:
    acme = company(crm)
    named("contacts add")(crm, acme, "Jo Fox")
    company(crm, "Fox Ltd")
    session = start().sees("Clients").press("/").sees("Find").press("fox", "enter").sees("Which one?")
    session.choose("Acme — Jo Fox").sees("Acme no. 1").sees("★ Jo Fox")


@pytest.mark.parametrize("contacts", [1, 3])
def test_a_contact_stays_on_a_full_card(start: Start, crm: CRM, contacts: int) -> None:
    acme = named("clients add")(
        crm, {
            "company": "Acme", "email": "info@acme.example", "phone": "+43 1 5150", "address": "Main Street 2",
            "postcode": "1010", "city": "Vienna", "country": "AT", "notes": "likes oak",
        },
    )  # fmt: skip
    for name in ("Wei", "Bo", "Jo")[:contacts]:
        named("contacts add")(crm, acme, name)
    named("invoices add")(crm, acme, line=["1 x Plan 100"])
    named("deals add")(crm, acme, "Roof", Decimal(500))
    named("follow-ups add")(crm, acme, "call her", crm.today)
    for amount in range(1, 6):
        named("sales add")(crm, acme, Decimal(amount))
    start().choose("Clients").press("1").sees("0) Back").sees("★ Wei").sees("Latest").sees("call her")


def test_a_call_is_logged_with_one_key_from_the_card(start: Start, crm: CRM) -> None:
    acme = company(crm)
    named("contacts add")(crm, acme, "Jo Fox")
    session = (
        opened(start).press("l").sees("What was it?").sees("1) Call").sees("5) Note").press("1").sees("Call (what")
    )
    session.press("wants a [red]quote[/] 👩‍🔬", "enter").sees("1) Save").choose("Contact").sees("1) Jo Fox").press("1")
    session.choose("Time").sees("Time (").press("4pm", "enter").sees("4:00 PM").press("1").sees(
        "Logged a call with Acme"
    )
    (call,) = all_of(crm, Interaction)
    assert (call.kind, call.subject, call.time, call.contact, call.on, call.user) == (
        "call", "wants a [red]quote[/] 👩‍🔬", "16:00", 1, TODAY, "tester",
    )  # fmt: skip
    session.sees("Call with Jo Fox: wants a [red]quote[/]").choose("Timeline").sees("Acme › Timeline")
    # What stands before it, and what after, is told by the time of day at which the test runs.
    session.press(session.reads(r"(\w)\) +today +4:00 PM")[0])
    session.sees("Call with Jo Fox today, 4:00 PM by tester").choose("Edit").choose("Text").sees("Text:")
    session.paste("the whole\nstory").sees("story").press("enter").sees("1) Save").press("1").sees("Saved").sees(
        "the whole"
    )
    session.choose("Delete").sees("This deletes a call").press("1").sees("Deleted Call").sees("Acme › Timeline")
    assert all_of(crm, Interaction) == []


def busy(crm: CRM, client: Client) -> None:
    """A client with more entries than a page holds."""
    for number in range(12):
        named("interactions add")(crm, client, "note", f"note {number:02}")
    named("sales add")(crm, client, Decimal(100), note="first")
    named("follow-ups add")(crm, client, "ring again", due=date(2026, 11, 25))
    named("deals add")(crm, client, "Website", Decimal(5000))


def test_the_timeline_is_paged_filtered_and_opens_records(start: Start, crm: CRM) -> None:
    busy(crm, company(crm))
    session = opened(start, lines=15).choose("Timeline").sees("Acme › Timeline").sees("1-9").sees("Deal added: Website")
    session.sees("] next").press("]").sees("10-16").sees("[ previous").press("[").sees("1-9")
    session.press("f").sees("Show only:").choose("Sales").sees("1-1 of 1 · sales").sees("$100.00 Sale 1: first")
    session.press("1")
    session.sees("Delete this sale").press("esc").sees("1-1 of 1 · sales").press("f").choose("Follow-ups")
    session.sees("ring again")
    session.press("1").sees("Snooze").press("esc").sees("follow-ups").press("f").choose("Deals").press("1")
    session.sees("Website").sees("$5,000").press("esc").sees("1-1 of 1 · deals").press("f").sees("narrow the list")
    session.press("edits", "enter").press("1").sees("added Acme").press("esc").sees("1-1 of 1 · edits")
    session.press("f").choose("Show all again").sees("1-9")


def test_the_next_client_follows_the_order_of_the_list(start: Start, crm: CRM) -> None:
    for name, city in (("Alpha", "Graz"), ("Beta", "Linz"), ("Gamma", "Graz"), ("Delta", "Graz")):
        named("interactions add")(crm, company(crm, name, city=city), "note", f"of {name}")
    session = start().choose("Clients").press("f").choose("City").sees("City (")
    session.press("Graz", "enter").sees("1-3 of 3").press("s").choose("Name").sees("by name").press("2")
    session.sees("Delta no. 4")
    session.press(">").sees("Gamma no. 3").choose("Timeline").sees("Gamma › Timeline").sees("of Gamma").press("<")
    session.sees("Delta › Timeline").sees("of Delta").press("<").sees("Alpha › Timeline").press("<")
    session.sees("This is the first client in the list.").press("esc").sees("Alpha no. 1").press("esc").sees("1-3 of 3")


def test_the_next_client_is_right_after_the_list_has_changed(crm: CRM) -> None:
    screen = Screen(io.StringIO(), plain=True)
    session = Session(crm, LineKeyboard(io.StringIO(""), screen), screen)
    listed = [company(crm, name) for name in "ABCDE"]
    place = Neighbours(session, listed[1], lambda limit, offset: listed[offset : offset + limit], 1)
    listed.pop(1)
    place.step(1)
    assert place.record.company == "C"
    listed.insert(0, company(crm, "First"))
    place.step(1)
    assert place.record.company == "D"
    listed.remove(place.record)
    place.step(-1)
    assert place.record.company == "C"
    for _ in range(9):
        place.step(-1)
    assert place.record.company == "First"
    assert Neighbours(session, listed[0]).choices() == []


def test_a_line_becomes_a_call_and_a_follow_up_once_it_is_confirmed(start: Start, crm: CRM) -> None:
    company(crm)
    session = (
        start().sees("q quick note").press("q").sees("Note (").press("call Acme, wants a quote, fri 10:00", "enter")
    )
    session.sees("Call with Acme, Nov 21, 2026: wants a quote").sees("Follow-up on Fri, Nov 27, 2026 at 10:00")
    session.press("c-c").sees("Discard what you typed?").press("n").sees("when to follow up): call Acme").press("enter")
    session.sees("0) No, go back").press("0").sees("when to follow up): call Acme").press("esc")
    session.sees("Discard what you typed?").press("n").sees("when to follow up): call Acme").press(" sharp", "enter")
    session.sees("No follow-up (no future date found).").press("0").sees("sharp")
    session.press("kill", "met Acme, hello, tomorrow", "enter").sees("Meeting with Acme").press("1")
    session.sees("✓ Meeting with Acme").sees("Follow-up on Sun").sees("Clients")
    assert [(interaction.kind, interaction.subject) for interaction in all_of(crm, Interaction)] == [
        ("meeting", "hello")
    ]
    assert [follow_up.what for follow_up in all_of(crm, FollowUp)] == ["hello"]


def test_an_ambiguous_name_is_chosen_or_added(start: Start, crm: CRM) -> None:
    company(crm, "Berg Nord")
    company(crm, "Berg Süd")
    session = (
        start().sees("q quick note").press("q").sees("Note (").press("call Berg, hello", "enter").sees("Which one?")
    )
    session.choose("Berg Süd").sees("Call with Berg Süd").press("1").sees("✓ Call with Berg Süd")
    session.sees("q quick note").press("q").sees("Note (").press("call Zed, hello", "enter").sees(
        "No client is called Zed."
    ).press("1")
    session.sees("New company: Zed").press("1").sees("✓")
    assert [interaction.client for interaction in all_of(crm, Interaction)] == [3, 2]


def test_a_note_that_names_nobody_asks_for_its_client(start: Start, crm: CRM) -> None:
    company(crm, "Globex")
    session = start().sees("q quick note").press("q").sees("Note (").press("prepare the papers for the fair", "enter")
    session.sees("Which client is this note about?").sees("Client").press("globex", "enter")
    session.sees("Note with Globex").press("1").sees("✓ Note with Globex")
    assert [note.subject for note in all_of(crm, Interaction)] == ["prepare the papers for the fair"]
    assert not [client for client in all_of(crm, Client) if client.name != "Globex"]


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 24)])
def test_contact_pages_fit_every_window(start: Start, crm: CRM, columns: int, lines: int) -> None:
    acme = company(crm, email="office@acme.example.com", city="Graz", phone="+12125550123")
    named("contacts add")(crm, acme, "Josephine Foxworthy-Underhill", role="head of purchasing", email="jo@example.com")
    busy(crm, acme)
    session = opened(start, columns=columns, lines=lines, NO_COLOR="1").settled()
    assert session.lines[0].endswith("Acme")
    assert any("Josephine" in line for line in session.lines)
    assert any("0) Back" in line for line in session.lines)
    session.choose("Timeline").sees("Timeline").sees("Deal added").settled()
    assert "Timeline" in session.lines[0]
    assert any("0 back" in line for line in session.lines)
    session.press("esc").sees(".) More").press("c").sees("Contacts").sees("primary").settled()
    session.press("1").sees("1) Edit").settled()
    session.press("esc").sees("primary").press("esc").sees(".) More").press(".").sees("Merge").settled()
    assert "More" in session.lines[0]
    assert b"\x1b[31m" not in session.raw


def lines_of(crm: CRM, typed: str) -> str:
    """The output of a client's menu, line by line."""
    load_flows()
    out = io.StringIO()
    screen = Screen(out, plain=True)
    session = Session(crm, LineKeyboard(io.StringIO(typed), screen), screen)
    session.debug = True
    with suppress(Closed):
        session.open(all_of(crm, Client)[0])
    return out.getvalue()


def test_contacts_work_line_by_line(crm: CRM) -> None:
    acme = company(crm)
    busy(crm, acme)
    output = lines_of(crm, "c\nn\nJo Fox\n1\n0\nl\n1\nabout it\n1\nTimeline\nf\n2\n1\n0\n0\n")
    for text in ("Added: Jo Fox", "Logged a call with Acme", "Jo Fox", "1-1 of 1 / calls", "Call: about it"):
        assert text in output.replace(" · ", " / "), output
    assert "Something went wrong" not in output


def test_a_day_in_a_call_that_is_logged_is_offered_as_a_follow_up(start: Start, crm: CRM) -> None:
    acme = company(crm)

    def logged(subject: str) -> Any:
        session.press("l").sees("What was it?").press("1").sees("Call (what").press(subject, "enter")
        return session.sees("1) Save").press("1")

    session = opened(start)
    logged("Left VM, call back at (614) 555-0199 next tues 9a").sees("Logged a call with Acme").sees(
        "Follow up on Tue, Nov 24, 9:00 AM: Left VM, call back at (614)"
    )
    session.press("y").sees("Added a follow-up for Acme: Tue, Nov 24, 9:00 AM")
    logged("wants rye by 12/24").sees("Follow up on Thu, Dec 24: wants rye?").press("n").sees("Call: wants rye")
    for done in ("no answer yesterday", "called on Monday", "spoke about the party on Saturday"):
        logged(done).sees("Logged a call").lacks("Follow up on")
    (due,) = all_of(crm, FollowUp)
    assert (due.client, due.due_on, due.due_time) == (acme.id, date(2026, 11, 24), "09:00")
    assert due.what == "Left VM, call back at (614) 555-0199"
    assert len(all_of(crm, Interaction)) == 5
