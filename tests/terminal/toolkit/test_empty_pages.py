"""Empty lists: they say what is missing, which key adds the first one, and what the page is for."""

from decimal import Decimal

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.terminal.toolkit import lists
from crm.terminal.toolkit.pages import load_flows
from tests.terminal.toolkit.test_terminal_reading import session

# What an empty list says in a new store, and how the first row comes into it.
EMPTY = {
    "agenda": ("Nothing needs doing.", ""),
    "clients list": ("No clients yet.", "n adds one."),
    "contacts list": ("No contacts yet.", "n adds one."),
    "deals list": ("No open deals yet.", "n adds one."),
    "email list": ("No messages yet.", "n writes one."),
    "follow-ups list": ("No open follow-ups yet.", "n adds one."),
    "interactions list": ("No calls, meetings or notes yet.", "l logs one."),
    "invoices list": ("No invoices yet.", "n adds one."),
    "mailings list": ("No mailings yet.", "n writes one."),
    "occasions list": ("No greetings yet.", "n adds one."),
    "opt-outs list": ("No opt-outs yet.", "n adds one."),
    "payments list": ("No payments yet.", "n adds one."),
    "sales list": ("No sales yet.", "n adds one."),
    "services list": ("No services yet.", "n adds one."),
    "templates list": ("No templates yet.", "n adds one."),
    "unpaid list": ("No unpaid invoices yet.", ""),
    "users list": ("No accounts yet.", "n adds one."),
    "views list": ("No saved views yet.", "Filter the clients and press v there to save one."),
}


@pytest.mark.parametrize("words", EMPTY)
def test_an_empty_list_explains_itself_and_names_the_key_to_add_the_first(crm: CRM, words: str) -> None:
    load_flows()
    opened, keyboard = session(crm, columns=120)
    opened.attempt(lambda: lists.open_list(opened, words))
    lines = [line for line in keyboard.windows[0] if line]
    assert lines[2] == " ".join(EMPTY[words]).rstrip()
    page = lists.list_of(named(words))
    assert page
    assert lines[3] == page.purpose


def test_an_empty_list_names_what_it_leaves_out(crm: CRM) -> None:
    client = named("clients add")(crm, {"first_name": "Anna"})
    named("deals win")(crm, named("deals add")(crm, client, "Roof", Decimal(5)))
    named("follow-ups done")(crm, named("follow-ups add")(crm, client, "Call", crm.today).follow_up)
    named("services edit")(crm, named("services add")(crm, "Joinery", Decimal(80)), {"active": False})
    load_flows()
    for words, sentence in (
        ("deals list", "No open deals, 1 won or lost: press f and choose Open, won and lost."),
        ("follow-ups list", "No open follow-ups, 1 done: press f and choose Done."),
        ("services list", "No services, 1 retired: press f and choose Include retired services."),
    ):
        opened, keyboard = session(crm, columns=120)
        opened.attempt(lambda: lists.open_list(opened, words))  # noqa: B023 - called here
        assert sentence in keyboard.windows[0]


def test_every_empty_list_explains_itself() -> None:
    load_flows()
    waiting, without = list(lists.ListPage.__subclasses__()), []
    while waiting:
        page = waiting.pop()
        waiting += page.__subclasses__()
        if page.__dict__.get("command") and not page.purpose.endswith("."):
            without.append(page.__name__)
    assert not without
