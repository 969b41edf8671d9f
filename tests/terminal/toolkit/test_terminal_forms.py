"""Forms in a real terminal: ways to leave them, and keys without a meaning there."""

from collections.abc import Callable
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client, Contact, FollowUp, Interaction, Record, Template, typed_fields
from crm.terminal.clients.clients import ClientForm
from tests.terminal.conftest import Start


@pytest.fixture(autouse=True)
def anna(crm: CRM) -> Client:
    """The one client."""
    added: Client = named("clients add")(crm, {"first_name": "Anna", "last_name": "Berg"})
    return added


def city(crm: CRM) -> str:
    with crm.read() as snapshot:
        return str(snapshot.get(Client, 1).city)


def editing(session: Any) -> Any:
    """The form of the client, with another city in it."""
    session.sees("Exit").press("/").sees("Find").press("1", "enter").choose("Edit").choose("City").sees("City")
    return session.press("Graz", "enter").sees("* Graz")


def test_after_a_field_enter_goes_to_the_next(start: Start) -> None:
    session = editing(start()).press("enter").sees("State (").press("OH", "enter").sees("* OH").press("enter")
    session.sees("ZIP code (").press("8010", "enter").sees("* 8010").press("enter").sees("Country (")


def test_a_form_has_its_fields_in_groups_and_the_rest_behind_one_entry(start: Start, crm: CRM) -> None:
    session = editing(start()).sees("Contact 2) E-mail").sees("Address 7) Address").sees("About Date of birth")
    session.sees("More fields (12)").choose("More fields").sees("Edit › More fields").sees("Invoices 5) Tax ID")
    session.choose("Source").sees("Source (").press("fair", "enter").sees("* fair").press("esc")
    session.sees("* Graz").sees("More fields (12, 1 filled in)").press("1").sees("Saved: Anna Berg")
    with crm.read() as snapshot:
        client = snapshot.get(Client, 1)
    assert (client.city, client.source) == ("Graz", "fair")


def test_no_field_of_a_client_is_lost_in_the_groups_of_its_form() -> None:
    grouped = [name for group in (*ClientForm.groups, *ClientForm.more) for name in group.names]
    assert sorted(grouped) == sorted(typed_fields(Client))


def test_ctrl_c_in_a_form_asks_before_anything_typed_is_lost(start: Start, crm: CRM) -> None:
    session = editing(start()).choose("ZIP code").sees("ZIP code (").press("80", "c-c")
    session.sees("Discard what you typed?").sees("» 0) Keep editing").press("enter").sees("ZIP code (").sees("): 80")
    session.press("10", "enter").sees("* 8010").press("c-c").sees("Discard what you typed?").press("n")
    session.sees("* Graz").sees("* 8010").choose("State").sees("State (").press("c-c")
    session.sees("Discard what you typed?").press("c-c").sees("Discarded").sees("1) Record a sale").settled()
    assert "Graz" not in session.text
    assert city(crm) == ""


def test_esc_in_a_field_goes_back_to_the_form(start: Start) -> None:
    session = editing(start()).choose("ZIP code").sees("ZIP code (").press("esc").sees("* Graz").sees("1) Save")
    session.choose("ZIP code").sees("ZIP code (").press("80", "esc").sees("Discard what you typed?").press("0")
    session.sees("ZIP code (").sees("): 80").press("10", "esc").sees("Discard what you typed?").press("1")
    session.sees("* Graz").sees("1) Save").settled()
    assert "8010" not in session.text


@pytest.mark.slow
def test_no_single_question_loses_what_was_typed_without_asking(start: Start) -> None:
    session = start().sees("Exit").press("q").sees("Note (").press("call Anna", "esc").sees("Discard what you typed?")
    session.press("0").sees("call Anna").press("esc").sees("Discard what you typed?").press("1").sees("Exit")
    # A search is nothing that somebody would miss.
    session.press("/").sees("Find").press("call", "esc").sees("Exit").choose("Data & settings").choose("Settings")
    session.sees("Currency").choose("Company name").sees("Company name (").press("Ohio", "esc")
    session.sees("Discard what you typed?").press("0").sees("Ohio").press("esc").sees("Discard").press("1")
    session.sees("Currency")


def test_esc_three_times_shows_how_to_leave(start: Start, crm: CRM) -> None:
    session = editing(start()).press("esc").sees("Your changes are not saved yet.").press("esc")
    session.sees("Ctrl-C twice discards your changes").press("esc").sees("2) Discard changes").press("2")
    session.sees("Discarded").sees("1) Record a sale")
    assert city(crm) == ""


def test_changes_can_be_saved_when_leaving_a_form(start: Start, crm: CRM) -> None:
    editing(start()).press("esc").sees("1) Save").press("1").sees("Saved: Anna Berg")
    assert city(crm) == "Graz"


def test_the_way_back_is_seen_in_a_form_that_scrolls(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"company": "Acme"})
    session = start(columns=40, lines=16).choose("Clients").sees("1) Acme").press("1").sees("no. 2").press("e")
    session.sees("1) Save").sees("0 back").press("0").sees("Acme no. 2")


def test_search_and_the_keys_of_the_page_work_in_a_form_and_on_a_question(start: Start, crm: CRM) -> None:
    session = editing(start()).sees("/ search   ? keys")
    session.press("?").sees("Anna Berg › Edit › Keys").sees("find a client, or a command")
    session.sees("a to z   marks the next field").sees("leaves a form").press("enter")
    session.sees("* Graz").press("/").sees("Find").press("1", "enter").sees("6) Timeline").press("esc")
    session.sees("Anna Berg › Edit").sees("* Graz").press("/").sees("Find").press("c-c").sees("* Graz")
    # In a line that is typed they are characters.
    session.choose("ZIP code").sees("ZIP code (").press("/?", "enter").sees("* /?").press("esc")
    session.sees("Your changes are not saved yet.").press("?").sees("Edit › Keys").press("enter")
    session.sees("Your changes are not saved yet.").press("/").sees("Find").press("esc").sees("2) Discard changes")
    session.press("1").sees("Saved: Anna Berg")
    assert city(crm) == "Graz"


def test_ctrl_z_writes_nothing(start: Start) -> None:
    session = editing(start()).choose("ZIP code").sees("ZIP code (").press("80", "\x1a", "10", "enter")
    session.sees("* 8010")


def test_the_example_for_a_date_of_birth_is_plausible(start: Start) -> None:
    editing(start()).choose("Date of birth").sees("(Mar 24, 1985 or 1985-03-24")


def notes(crm: CRM) -> str:
    with crm.read() as snapshot:
        return str(snapshot.get(Client, 1).notes)


def test_ctrl_j_starts_a_new_line_of_a_text(start: Start, crm: CRM) -> None:
    session = editing(start()).choose("Notes").sees("ctrl-j new line").press("one", "\n", "two", "\n\nfour")
    session.sees("four").press("enter").sees("* one").press("esc").press("1").sees("Saved: Anna Berg")
    assert notes(crm) == "one\ntwo\n\nfour"


@pytest.mark.parametrize("pasted", ["one\ntwo", "one\r\ntwo", "one\rtwo"])
def test_lines_that_are_pasted_stay_lines(start: Start, crm: CRM, pasted: str) -> None:
    session = editing(start()).choose("Notes").sees("ctrl-j new line").paste(pasted).sees("two")
    session.press("enter").sees("* one").press("esc").press("1").sees("Saved: Anna Berg")
    assert notes(crm) == "one\ntwo"


@pytest.mark.many
@pytest.mark.parametrize("pasted", ["word " * 2000, "line\n" * 2000])
def test_a_text_that_fills_the_screen_does_not_hide_its_label(start: Start, crm: CRM, pasted: str) -> None:
    session = editing(start()).choose("Notes").sees("ctrl-j new line").paste(f"{pasted}end").sees("end")
    session.sees("Notes:").sees("end").press("enter").sees("Save")
    # The card with this text fills the screen more than once, so that it may hide what was said above it.
    session.press("esc").press("1").sees("Record a sale")
    assert notes(crm).startswith(pasted.split()[0])
    assert notes(crm).endswith("end")


def test_ctrl_j_ends_a_field_of_one_line(start: Start) -> None:
    editing(start()).choose("ZIP code").sees("ZIP code (").press("8010", "\n").sees("* 8010")


def acme(session: Any) -> Any:
    """The card of the company."""
    return session.press("/").sees("Find").press("2", "enter").sees("Acme no. 2")


OPENED: dict[type[Record], Callable[[Any], Any]] = {
    Contact: lambda session: acme(session).press("c").choose("Jo"),
    Interaction: lambda session: (
        acme(session).choose("Timeline").sees("1-").press(session.reads(r"(\d)\) .*Call: rang")[0])
    ),
    FollowUp: lambda session: session.choose("Follow-ups").sees("mine").press("1"),
    Template: lambda session: (
        session.choose("E-mail").sees(". more").press(".").choose("Templates").sees("1-1 of 1").press("1")
    ),
}


@pytest.mark.parametrize(
    ("kind", "label", "name"),
    [
        (Contact, "Role", "role"),
        (Interaction, "Subject", "subject"),
        (FollowUp, "What", "what"),
        (Template, "Name", "name"),
    ],
)
def test_keeping_all_changes_of_somebody_else_leaves_nothing_to_save(
    start: Start, crm: CRM, kind: type[Record], label: str, name: str
) -> None:
    company = named("clients add")(crm, {"company": "Acme"})
    named("contacts add")(crm, company, "Jo Fox", role="buyer")
    named("interactions add")(crm, company, "call", "rang")
    named("follow-ups add")(crm, company, "write", due=crm.today)
    named("templates add")(crm, "News", subject="News", body="Dear {name}")
    session = OPENED[kind](start().sees("Clients")).choose("Edit").sees("1) Save").choose(label)
    session.sees(f"{label}:" if kind in (FollowUp, Template) else f"{label} (").press("kill", "mine", "enter")
    session.sees("* mine")
    crm.transact(lambda tx: tx.change(tx.get(kind, 1), **{name: "theirs"}), "changed it meanwhile")
    session.press("1").sees("Someone else changed this too").press("1").sees("Nothing left to change.")
    session.lacks("1) Save").sees("theirs")
    with crm.read() as snapshot:
        assert getattr(snapshot.get(kind, 1), name) == "theirs"


def test_somebody_elses_choice_of_a_record_is_shown_by_its_name(start: Start, crm: CRM) -> None:
    company = named("clients add")(crm, {"company": "Acme"})
    for name in ("Jo Fox", "Al Roe"):
        named("contacts add")(crm, company, name)
    named("interactions add")(crm, company, "call", "rang")
    session = OPENED[Interaction](start().sees("Clients")).choose("Edit").sees("1) Save").choose("Contact")
    session.sees("Contact:").choose("Jo Fox").sees("* Jo Fox")
    crm.transact(lambda tx: tx.change(tx.get(Interaction, 1), contact=2), "changed it meanwhile")
    session.press("1").sees("Someone else changed this too").sees("Contact Al Roe Jo Fox")
    session.sees("1) Keep theirs: Al Roe").sees("2) Use mine: Jo Fox")


def test_typing_before_a_field_is_selected_opens_and_saves_nothing(start: Start, crm: CRM) -> None:
    session = start().press("n").sees("1) A person").press("1", "Zoe", "enter", "Quist", "enter").sees("1) Save")
    session.press("anna1@example.com\r").sees("Pasted text was ignored").lacks("nna1")
    # A letter points at the next field that begins with it; a number that follows may be typed for that field.
    session.press("p").sees("Enter opens Phone").press("1").sees("Press Enter to open Phone first").press("down", "up")
    session.press("t").sees("Enter opens Tags").press("enter").sees("Tags (").press("vip", "enter").sees("vip")
    session.press("2").sees("E-mail (").press("zoe@example.com", "enter")
    # After the fields that it begins, a letter comes to saving; as part of a word it saves nothing.
    session.sees("» 3) Phone").press("s").sees("Enter opens State").press("s").sees("Enter: Save")
    session.press("m").sees("Pick a field first").press("i", "enter").sees("» 1) Save").sees("Pick a field first")
    session.press("s", "s").sees("Enter: Save").press("2").sees("Pick a field first").press("enter")
    session.press("s", "s").sees("Enter: Save").press("enter").sees("Added")
    with crm.read() as snapshot:
        zoe = snapshot.get(Client, 2)
        assert (zoe.tags, zoe.email, zoe.company, zoe.city) == (("vip",), "zoe@example.com", "", "")
