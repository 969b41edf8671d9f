"""Lists, rules and the history at the menu, in a real terminal."""

import io
import re
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.accounts import SignedIn
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client, Sale, StatusRule
from crm.terminal.activity.follow_ups import FollowUpsPage
from crm.terminal.clients.clients_list import ClientsPage
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.drawing.theme import status_style
from crm.terminal.sales.deals_list import DealsPage
from crm.terminal.team import profile
from crm.terminal.team.users import SessionsPage, UsersPage
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.session import Session
from tests.terminal.conftest import Start

PASSWORD = "a kettle, two spoons and rain"
END, HOME, PAGE_UP, PAGE_DOWN = "\x1b[F", "\x1b[H", "\x1b[5~", "\x1b[6~"
CITIES = ("Graz", "Linz", "Wien")


@pytest.fixture(autouse=True)
def company(crm: CRM) -> None:
    """Thirty clients; the last has bought for 30 000, the one before for 29 000, and so on."""

    def change(tx: Any) -> None:
        for number in range(1, 31):
            city = CITIES[number % 3]
            client = tx.add(Client(kind="person", first_name="Client", last_name=f"{number:02}", city=city))
            on = date(2026, 11, 20) - timedelta(days=number)
            tx.add(Sale(client=client.id, on=on, amount=Decimal(number * 1000)))

    crm.transact(change, "filled")


def rules(crm: CRM) -> list[tuple[str, str, bool]]:
    with crm.read() as snapshot:
        return [
            (status_rule.status, status_rule.when, status_rule.active) for status_rule in snapshot.find_all(StatusRule)
        ]


def statuses(crm: CRM) -> set[str]:
    with crm.read() as snapshot:
        return {client.status for client in snapshot.find_all(Client)}


def read_by_line(crm: CRM, show: Callable[[Session], None], typed: str) -> str:
    """The output of a page of the menu where lines are typed."""
    load_flows()
    out = io.StringIO()
    screen = Screen(out, plain=True)
    with closing(Session(crm, LineKeyboard(io.StringIO(typed), screen), screen)) as session:
        session.attempt(lambda: show(session))
    return out.getvalue()


def starts(words: str) -> Callable[[Session], None]:
    return lambda session: session.start(named(words))


def test_a_list_is_paged_sorted_and_filtered(start: Start) -> None:
    session = start().choose("Clients").sees("1-18 of 30").sees("1) Client 01")
    session.press("]").sees("19-30 of 30").sees("1) Client 19").press("[").sees("1-18 of 30")
    session.press("s").choose("Total spend").sees("by total spend, largest first").sees("1) Client 30")
    session.press("s").choose("Total spend").sees("1) Client 01")
    session.press("f").choose("City").sees("City").press("graz", "enter").sees("1-10 of 10 · City: graz")
    session.press("f").choose("A condition").sees("Condition (").press("total_spend > 20000 an", "enter").sees("^")
    session.press("kill", "total_spend > 20000", "enter").sees("1-4 of 4").press("1").sees("1) Record a sale")
    session.press("esc").sees("1-4 of 4").press("f").choose("Show all again").sees("1-18 of 30")


def test_a_list_fills_the_window_and_scrolls(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"kind": "company", "company": "Zander & Co"})
    session = start().choose("Clients").sees("1-18 of 31").sees("» 1) Client 01")
    session.press(END).sees("14-31 of 31").sees("» Zander & Co").press("up").sees("» Client 30")
    session.press("down", "down").sees("1-18 of 31").sees("» 1) Client 01").press("up").sees("» Zander & Co")
    session.press(HOME).sees("» 1) Client 01").press(PAGE_DOWN).sees("19-31 of 31").sees("» 1) Client 19")
    session.press("up").sees("18-31 of 31").sees("» 1) Client 18").press(PAGE_UP).sees("1-18 of 31")
    session.press("Z").sees("» Zander & Co").press(HOME).sees("1-18 of 31 · by last name")
    # The key that redoes is a letter too, where there is nothing to redo.
    session.press("U").sees("» Zander & Co").press("0").sees("Exit").choose("Clients")
    session.press(*["down"] * 18).sees("2-19 of 31").sees("» Client 19").press("enter").sees("Client 19 no. 19")
    session.press("esc").sees("2-19 of 31").sees("» Client 19").settled()
    assert session.lines[0].startswith("Clients")
    assert "0 back" in session.text


@pytest.mark.parametrize(
    ("columns", "lines", "shown"), [(40, 20, "1-8 of 30"), (80, 12, "1-6 of 30"), (120, 40, "1-30 of 30")]
)
def test_a_list_fits_any_window_and_no_key_is_broken(start: Start, columns: int, lines: int, shown: str) -> None:
    session = start(columns=columns, lines=lines).choose("Clients").sees(shown).settled()
    assert session.lines[0].startswith("Clients")
    assert all(
        re.fullmatch(r" ?(\S+ [\w ()]+)(   \S+ [\w ()]+)*", line.strip()) for line in session.lines if "search" in line
    )
    assert ("$" in session.text) == (columns < 60 or "Spent $" in session.text)


def test_a_wide_window_has_the_card_of_the_chosen_row_beside_the_list(start: Start, crm: CRM) -> None:
    with crm.read() as snapshot:
        clients = {number: snapshot.get(Client, number) for number in (1, 2)}
    named("clients edit")(crm, clients[2], {"email": "two@example.com", "notes": "[red]likes oak[/]\nand tea"})
    named("follow-ups add")(crm, clients[1], "send the quote for the long table in the hall", date(2026, 11, 24))
    session = start(columns=110, lines=30).choose("Clients").sees("│ Client 01").sees("│ Next step Tue send the quote")
    session.lacks("two@example.com │").press("down").sees("│ Client 02").sees("│ E-mail two@example.com")
    session.sees("│ [red]likes oak[/]").sees("│ and tea").lacks("│ Next step").press("enter").sees("Client 02 no. 2")
    start(columns=109, lines=30).choose("Clients").sees("1-24 of 30").lacks("│")


def test_a_wide_window_previews_the_selected_entry_beside_the_menu(start: Start) -> None:
    session = start(columns=120, lines=30).choose("Data").sees("│ Import a file").sees("same file again adds")
    session.press("down", "down").sees("│ History").sees("│ When").lacks("same file again").press("down")
    session.sees("│ Status rules").sees("Status   When").sees("total_spend >= 35000").press("enter")
    session.sees("Status rules")
    start(columns=100, lines=30).choose("Data").sees("Import a file").lacks("│")


def test_typing_letters_filters_the_answers_of_a_question(start: Start) -> None:
    session = start().choose("Clients").sees("n new").press("f").sees("Filter by:").sees("type to narrow the list")
    session.press("o").sees("Filter by: o").sees("1) Owner").lacks("Country").send("esc").sees("Country")
    session.lacks("Filter by: o").press("q").sees("No entry matches q.").press("c", "i").sees("1) City").send("esc")
    session.sees("Country").press("esc").lacks("Filter by:")


def test_statuses_of_rules_and_of_pinned_clients_can_be_filtered(crm: CRM) -> None:
    named("dashboard set")(crm, "newest")
    with crm.read() as snapshot:
        named("clients pin")(crm, snapshot.get(Client, 1), "Friend")
    named("rules add")(crm, "Huge when total_spend > 1000000")
    answer = read_by_line(crm, starts("clients list"), "f\nStatus\nFriend\n\n")
    offered = answer[answer.index("Status:") :]
    assert 0 < offered.index("Huge") < offered.index("Friend")
    assert "Status: Friend" in answer
    assert "1-1 of 1" in answer


def test_a_status_of_a_new_rule_has_a_colour_on_the_next_page(crm: CRM) -> None:
    screen = Screen(io.StringIO(), plain=False)
    with closing(Session(crm, LineKeyboard(io.StringIO(), screen), screen)) as session:
        session.page("Clients")
        assert not screen.token(status_style("Huge"))
        named("rules add")(crm, "Huge when total_spend > 1000000")
        session.page("Clients")
        assert screen.token(status_style("Huge")).startswith("status_")
        session.page("Clients")
        assert screen.token(status_style("Huge")).startswith("status_")


@pytest.mark.parametrize(
    ("words", "name", "value", "expected"),
    [
        ("clients list", "City", "Graz", "City: Graz"),
        ("deals list", "Text", "roof", "roof"),
        ("follow-ups list", "Due by", "2026-12-01", "due by"),
        ("sales list", "From date", "2026-01-01", "since"),
        ("interactions list", "Text", "roof", "roof"),
    ],
)
def test_a_filter_without_an_answer_is_dropped(crm: CRM, words: str, name: str, value: str, expected: str) -> None:
    shown = read_by_line(crm, starts(words), f"f\n{name}\n{value}\nf\n{name}\n\n\n")
    before, _, after = shown.rpartition("Filter by:")
    assert expected in before
    assert expected not in after


def test_every_account_and_session_of_many_can_be_reached(
    crm: CRM, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for number in range(1, 26):
        named("people add")(crm, f"Colleague {chr(64 + number)}")
    answer = read_by_line(crm, lambda session: UsersPage(session).show(), "]\n]\n3\n\n[\n\n")
    assert "19-25" in answer
    assert "Accounts › Colleague U\n" in answer
    assert "10-18" in answer[answer.index("Colleague U\n") :]
    accounts = crm.accounts.open()
    ada, _ = accounts.administration.add(email="ada@example.com", name="Ada", role="admin", password=PASSWORD)
    for _ in range(25):
        who = accounts.authentication.sign_in("ada@example.com", PASSWORD)
        assert isinstance(who, SignedIn)
    signed_in = crm.enter(crm, who)
    answer = read_by_line(signed_in, lambda session: SessionsPage(session, ada).show(), "]\n]\n[\n\n")
    assert "19-25" in answer
    answer = read_by_line(signed_in, lambda session: profile.SessionsPage(session).show(), "]\n]\n7\n1\n\n")
    assert "Session ended." in answer
    assert "19-24" in answer[answer.index("Session ended.") :]


@pytest.mark.parametrize("kind", [ClientsPage, DealsPage, FollowUpsPage])
def test_a_list_with_an_invalid_order_starts_again_at_page_one(crm: CRM, kind: type[ListPage]) -> None:
    pages = []

    def show(session: Session) -> None:
        pages.append(kind(session))
        pages[0].sort, pages[0].offset = "nothing", 27
        pages[0].show()

    read_by_line(crm, show, "\n")
    assert [(page.sort, page.offset) for page in pages] == [("", 0)]


def lists(kind: type[ListPage] = ListPage) -> list[type[ListPage]]:
    """All lists of the menu that a command fills."""
    load_flows()
    below = [list_ for of in kind.__subclasses__() for list_ in [of, *lists(of)] if list_.__module__.startswith("crm.")]
    return list({kind for kind in below if hasattr(kind, "command")})


def test_a_list_has_the_filters_of_its_command() -> None:
    kinds = [list_ for list_ in lists() if list_.filter_by]
    assert len(kinds) >= 6
    for kind in kinds:
        taken = named(kind.command).parameters.keys()
        assert kind.filter_by.keys() | kind.lasting | frozenset().union(*kind.rivals) <= taken, kind


def test_each_list_that_can_be_filtered_has_a_key_for_it(crm: CRM) -> None:
    pressed: dict[type[ListPage], set[str]] = {}

    def look(session: Session) -> None:
        for kind in lists():
            keys = kind(session).keys
            pressed[kind] = {key.key for key in keys()}

    read_by_line(crm, look, "")
    assert len(pressed) > 20
    assert [kind for kind in pressed if kind.filter_by and "f" not in pressed[kind]] == []


def test_exclusive_filters_replace_each_other_and_fixed_ones_survive_show_all(crm: CRM) -> None:
    pages = []

    def show(session: Session) -> None:
        pages.append(FollowUpsPage(session, mine=True))
        pages[0].filter("done", True)
        pages[0].show()

    answer = read_by_line(crm, show, "f\nOverdue\nf\nShow all again\nf\nAssigned to\ntester\n\n")
    assert "mine, done" in answer
    assert "mine, overdue" in answer
    assert pages[0].filters == {"for_": "tester"}
    assert "for tester" in answer


def test_views_are_saved_chosen_and_removed(start: Start) -> None:
    session = (
        start()
        .press("/")
        .sees("Find")
        .press("save a view", "enter")
        .sees("Name")
        .press("Big", "enter")
        .sees("Condition (")
    )
    session.press("total_spend >> 1", "enter").sees("Sort by").press("enter").sees("^").sees("Condition (")
    session.press("kill", "total_spend > 28000", "enter").sees("Big")
    session.choose("Clients").sees("1-18 of 30").press("v").choose("Big").sees("1-2 of 2 · view Big")
    session.press("v").sees("Clients › Saved views").lacks("Spent $").choose("Rename, change").sees("1) Big").press(
        "1"
    ).choose("Remove it").sees("Remove the view Big?").choose("Remove")
    session.sees("Removed the view Big")


def test_sales_are_listed_with_their_clients_and_deleted(start: Start, crm: CRM) -> None:
    session = start().choose("Sales").sees("1-18 of 30").sees("Client 01")
    session.press("s").choose("Amount").sees("30,000.00").press("1").sees("$30,000.00 no. 30").sees("Client Client 30")
    session.choose("Edit").choose("Amount").press("kill", "12.50", "enter")
    session.sees("After this: $12.50 in 1 sale. Status stays Regular.").choose("Save").sees("Changed sale 30: $12.50")
    session.sees("of 30").press("s").choose("Amount")
    session.sees("12.50").press("1").sees("$12.50 no. 30")
    session.choose("Move to another client").sees("Client (").press("client 01", "enter").sees(
        "Move the sale of $12.50"
    )
    session.sees("Client 30 after this: $0.00 in 0 sales. Status stays Regular.")
    session.sees("Client 01 after this: $1,012.50 in 2 sales. Status stays Regular.").choose("No, go back")
    session.sees("$12.50 no. 30").choose("Delete this sale").sees("It can be undone")
    session.sees("After this: $0.00 in 0 sales.")
    session.choose("Delete").sees("Deleted sale 30")
    with crm.read() as snapshot:
        assert snapshot.get(Client, 30).total_spend == 0


def test_a_rule_with_an_error_is_corrected_previewed_and_applied(start: Start, crm: CRM) -> None:
    session = start().choose("Data").choose("Status rules").sees("n new").press("n").sees("Rule:")
    session.press("Gold when total_spnd >= 20000", "enter").sees("Did you mean total_spend?").sees("^")
    session.sees("Often used: total_spend").sees("docs/rules.md").sees("Rule: Gold when total_spnd >= 20000")
    session.press("kill", "Gold when total_spend >= 20000", "enter").sees("11 clients would change status")
    session.sees("11 Regular → Gold").sees("0) Later")
    assert statuses(crm) == {"Regular"}
    session.choose("Apply to all clients now").sees("11 clients changed status").press("esc", "esc").sees("Gold")
    assert statuses(crm) == {"Regular", "Gold"}
    assert [rule[0] for rule in rules(crm)] == ["VIP", "Gold", "Regular"]


def test_rules_are_edited_switched_off_moved_and_removed(start: Start, crm: CRM) -> None:
    session = start().choose("Data").choose("Status rules").sees("1) VIP").press("1").choose("Edit")
    session.sees("Rule: VIP when total_spend >= 35000").press("kill", "Top when total_spend >= 30000", "enter")
    session.sees("1 client would change status").press("0").sees("keep their status").sees("1) Top")
    # What was not applied is not forgotten.
    session.sees("1 client would change status (press . to see which)").press(".").sees("Preview changes").press("0")
    session.sees("1) Top").press("1")
    session.choose("Turn off").sees("No changes").press("enter").sees("off").press("1")
    session.choose("Move up or down").sees("to the position of").press("2").sees("Top is now number 2").press("enter")
    session.sees("2) Top").press("2").choose("Remove").sees("Remove Top when").choose("Remove").sees(
        "No changes"
    ).press("enter")
    session.settled()
    assert rules(crm) == [("Regular", "", True)]


def test_a_ready_made_rule_set_previews_which_clients_move(start: Start, crm: CRM) -> None:
    session = (
        start()
        .choose("Data")
        .choose("Status rules")
        .sees(". more")
        .press(".")
        .choose("Start from a ready-made")
        .choose("Loyalty tiers")
        .choose("Replace")
    )
    session.sees("30 clients would change status").choose("Apply to all").sees("30 clients changed status")
    assert statuses(crm) == {"Gold", "Silver", "Bronze"}


def test_a_status_is_explained_and_pinned(start: Start, crm: CRM) -> None:
    session = start().press("/").sees("Find").press("30", "enter").sees(") More").press("w")
    session.sees("✗ VIP when total spend is at least $35,000.00 total spend $30,000.00").sees("✓ Regular (no other")
    session.press("p").choose("VIP").sees("Until (").press("2026-02-30", "enter")
    session.sees("No day 30").press("kill", "2026-12-31", "enter").sees("Client 30 is VIP until Dec 31")
    session.sees("Pinned by hand until Dec 31").choose("More").choose("Remove the pin").sees("Pin removed: Client 30")
    with crm.read() as snapshot:
        assert snapshot.get(Client, 30).status == "Regular"


def test_a_change_is_undone_from_the_history(start: Start, crm: CRM) -> None:
    client = named("clients edit")(crm, _client(crm, 5), {"city": "Bregenz"})
    session = start().choose("Data").choose("History").sees("edited Client 05").press("1").sees("City: Wien → Bregenz")
    session.choose("Undo this").choose("Undo it").sees("Undone: edited Client 05")
    assert _client(crm, client.id).city == "Wien"


def _client(crm: CRM, number: int) -> Client:
    with crm.read() as snapshot:
        found: Client = snapshot.get(Client, number)
    return found


def test_settings_are_changed_and_checked(start: Start, crm: CRM) -> None:
    session = (
        start()
        .choose("Data")
        .choose("Settings")
        .choose("Company name")
        .sees("Company name (")
        .press("Berg & Co", "enter")
    )
    session.sees("Company name: Berg & Co").choose("Currency").sees(": USD").press("kill", "EURO", "enter")
    session.sees("No currency has that code").press("kill", "eur", "enter").choose("Change it")
    session.sees("Currency EUR")
    # What a setting is refused for is asked for once more by its own name.
    session.choose("Company name").press("kill", "Acme", "enter").sees("Company name: Acme")
    session.press("esc", "esc").sees("€")
    crm.forget_settings()
    assert crm.settings["currency"] == "EUR"


def test_a_file_is_imported_after_a_preview(start: Start, crm: CRM, tmp_path: Any) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Name;Mail;Town\nAda Quist;ada@example.com;Graz\nBo;not an address;Linz\n", "utf-8")
    session = start().choose("Data").choose("Import a file").sees("File (").press(str(file), "enter")
    session.sees("Name").sees("Whole name").choose("Columns").choose("Town").choose("City").press("0").sees(
        "3 of 3 are used"
    )
    session.choose("Continue").sees("2 new clients").sees("Ada Quist").choose("Import now").sees("Imported:")
    session.settled()
    with crm.read() as snapshot:
        assert snapshot.count(Client) == 32


def test_the_smallest_window_shows_that_a_list_goes_on(start: Start) -> None:
    session = start(columns=40, lines=20).choose("Clients").sees("Client 01").sees("0 back   ] next").settled()
    session.press("]").sees("0 back   ] next").press("]").press("]").sees("25-30 of 30").sees("0 back").settled()
