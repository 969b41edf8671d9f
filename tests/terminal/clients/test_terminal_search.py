"""The search with / from any menu: commands by the words that people use."""

import re
from typing import Any

import pytest
from sqlalchemy import event

from crm.commands.context import CRM
from crm.commands.registry import commands, named
from crm.terminal.clients.picking import ClientSearch
from crm.terminal.clients.search import CommandSearch
from tests.terminal.conftest import Start


@pytest.fixture(scope="module")
def known() -> CommandSearch:
    return CommandSearch(list(commands()))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("add a deal", "deals add"), ("deal add", "deals add"), ("new deal", "deals add"), ("DEALS ADD", "deals add"),
        ("create client", "clients add"), ("remove customer", "clients delete"), ("record a s", "sales add"),
        ("change a stage", "stages edit"), ("arrange", "dashboard set"), ("delete contact", "contacts delete"),
        ("expected close", "reports forecast"), ("todo", "agenda"), ("snooze", "follow-ups snooze"),
    ],
)  # fmt: skip
def test_a_command_is_found_by_the_words_people_use(known: CommandSearch, typed: str, words: str) -> None:
    assert known.matching(typed)[0].words == words


@pytest.mark.parametrize("typed", ["", "a", "the", "berg", "qqqq", "an a", "zofie dvorakova", "[", "\x1b"])
def test_an_unrelated_word_finds_no_command(known: CommandSearch, typed: str) -> None:
    assert known.matching(typed) == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("mailng", "mailings send"),
        ("new invioce", "invoices add"),
        ("folow up", "follow-ups list"),
        ("setings", "settings list"),
    ],
)
def test_a_misspelt_command_is_found(known: CommandSearch, typed: str, words: str) -> None:
    assert known.matching(typed) == []
    assert words in [command.words for command in known.alike(typed)]


def test_each_command_is_found_by_its_own_name(known: CommandSearch) -> None:
    names = [known.name(command) for command in known.listed]
    assert len(set(names)) == len(names)
    for command in known.listed:
        assert known.exact(known.name(command)) == [command]
    assert known.name(named("contacts edit")) == "Edit (contacts edit)"
    assert known.name(named("deals add")) == "Add a deal"


def test_clients_of_a_status_or_a_tag_are_offered(start: Start, crm: CRM) -> None:
    add = named("clients add")
    add(crm, {"first_name": "Ann", "tags": ("golden",)})
    add(crm, {"first_name": "Bo", "tags": ("golden",)})
    add(crm, {"first_name": "Cy"})
    menu = start().sees("0) Exit").press("/").sees("Find").press("gol").sees("Clients with the tag golden")
    # What it may be begins below what is typed.
    typed, offered = (next(line for line in menu.lines if words in line) for words in ("Find:", "Clients with"))
    assert abs(typed.index("gol") - offered.index("Clients")) <= 1
    menu.press("down", "enter").sees("Ann").sees("1-2 of 2").lacks("Cy").press("esc").sees("0) Exit")
    menu.press("/").sees("Find").press("vip").sees("Clients with the status VIP").press("down", "enter")
    menu.sees("No matches.").sees("Status: VIP").press("esc").sees("0) Exit")
    menu.press("/").sees("Find").press("vipp").sees("Clients with the status VIP").press("enter")
    menu.sees("No matches.").sees("Status: VIP")


# Whom a form asks for


@pytest.mark.parametrize("typed", ["k-77", "K-77", " k-77 "])
def test_a_client_is_found_by_the_reference_in_any_case(crm: CRM, typed: str) -> None:
    for name, reference in (("Ada", "K-77"), ("K-77", ""), ("Bo", "K-771")):
        named("clients add")(crm, {"first_name": name, "reference": reference})
    assert [client.first_name for client in ClientSearch(crm).matching(typed)] == ["Ada"]


@pytest.mark.parametrize("typed", ["ad", "ada lo", "k-7", "ada@", "adda", "+4366"])
def test_no_key_reads_all_clients(crm: CRM, typed: str) -> None:
    named("clients add")(crm, {"first_name": "Ada", "last_name": "Lovelace", "reference": "K-77"})
    repository: Any = crm.repository
    plans: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        plans.extend(row[3] for row in cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    event.listen(repository._engine, "before_cursor_execute", explain)
    ClientSearch(crm).suggest(typed)
    assert plans
    assert [plan for plan in plans if re.match(r"SCAN client\b(?! USING COVERING| VIRTUAL)", plan)] == []


@pytest.mark.many
@pytest.mark.parametrize("typed", ["new deal", "deal add", "add a deal"])
def test_a_deal_is_added_from_any_menu(start: Start, crm: CRM, typed: str) -> None:
    named("clients add")(crm, {"first_name": "Ada"})
    session = start().choose("Data").sees("Export to a file").press("/").sees("Find").press(typed).sees("Add a deal")
    session.press("enter").sees("Deals › Add a deal").sees("Client (")


def test_the_dashboard_is_reached_by_its_name(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Ada"})
    start().sees("Exit").press("/").sees("Find").press("arrange my", "enter").sees("› 1 ✓ What needs doing")


def test_a_setting_is_found_by_its_name(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"company": "Acme"})
    session = start().sees("Clients").press("/").sees("Find").press("tax id").sees("(setting)").press("enter")
    session.sees("Settings › Tax ID").sees("Tax ID (like").press("esc").sees("Clients")


def test_a_setting_whose_whole_name_is_typed_comes_before_names_that_sound_alike(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Tate", "last_name": "Bell"})
    session = start().sees("Clients").press("/").sees("Find").press("tax rate").sees("Tax rate (setting)").settled()
    assert session.text.index("Tax rate (setting)") < session.text.index("Tax by rate")
    session.press("enter").sees("Settings › Tax rate")
