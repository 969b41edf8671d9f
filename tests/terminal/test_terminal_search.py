"""What / finds from any menu: commands by the words that people use."""

from collections.abc import Callable
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import commands, named
from crm.terminal.search import CommandSearch

Start = Callable[..., Any]


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
    assert known.found(typed)[0].words == words


@pytest.mark.parametrize("typed", ["", "a", "the", "berg", "qqqq", "an a", "zofie dvorakova", "[", "\x1b"])
def test_what_says_nothing_of_a_command_finds_none(known: CommandSearch, typed: str) -> None:
    assert known.found(typed) == []


def test_each_command_has_a_name_of_its_own_that_leads_to_it(known: CommandSearch) -> None:
    names = [known.name(each) for each in known.listed]
    assert len(set(names)) == len(names)
    for each in known.listed:
        assert known.exact(known.name(each)) == [each]
    assert known.name(named("contacts edit")) == "Edit (contacts edit)"
    assert known.name(named("deals add")) == "Add a deal"


@pytest.mark.parametrize("typed", ["new deal", "deal add", "add a deal"])
def test_a_deal_is_added_from_any_menu(start: Start, crm: CRM, typed: str) -> None:
    named("clients add")(crm, {"first_name": "Ada"})
    session = start().choose("Data").sees("Back up").press("/").sees("Find (").press(typed).sees("Add a deal")
    session.press("enter").sees("Deals · Add a deal").sees("Client (")


def test_the_dashboard_is_reached_by_its_name(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Ada"})
    start().sees("Exit").press("/").sees("Find (").press("arrange my", "enter").sees("» 1 ✓ What needs doing")
