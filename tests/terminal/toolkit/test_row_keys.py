"""Letter keys on a list act on the selected row, and on an invoice as on a card."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import Command, named
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.session import Session
from tests.support.clocks import TODAY
from tests.terminal.toolkit.test_terminal_reading import Pressing

# By list: its keys, each with the command that it begins.
KEYS: dict[str, dict[str, str]] = {
    "clients list": {
        "e": "clients edit", "d": "clients delete", "t": "clients tag", "m": "email send", "c": "contacts list",
        "h": "history list", "w": "rules why", "p": "clients pin", "b": "invoices add", "l": "interactions add",
        "r": "sales add",
    },
    "contacts list": {"e": "contacts edit", "d": "contacts delete"},
    "sales list": {"e": "sales edit", "d": "sales undo"},
    "deals list": {"e": "deals edit", "d": "deals delete", "+": "deals win", "-": "deals lose"},
    "follow-ups list": {
        "e": "follow-ups edit", "d": "follow-ups delete", "+": "follow-ups done", "z": "follow-ups snooze",
        "o": "follow-ups assign",
    },
    "interactions list": {"e": "interactions edit", "d": "interactions delete"},
    "templates list": {"e": "templates edit", "d": "templates delete"},
    "services list": {"e": "services edit"},
    "invoices list": {"e": "invoices edit", "d": "invoices delete", "m": "invoices send"},
}  # fmt: skip


@pytest.fixture
def two_of_each(crm: CRM) -> CRM:
    for number in (1, 2):
        client = named("clients add")(crm, {"company": f"Acme {number}"})
        named("contacts add")(crm, client, "Jo Fox")
        named("sales add")(crm, client, Decimal(100), TODAY)
        named("deals add")(crm, client, "Roof", Decimal(500))
        named("follow-ups add")(crm, client, "call", due=TODAY)
        named("interactions add")(crm, client, "call", subject="rang")
        named("templates add")(crm, name=f"Hello {number}", subject="Hello", body="Hello")
        named("services add")(crm, f"Hour {number}", Decimal(80))
        named("invoices add")(crm, client, ["3 h Consulting 100 19%"])
    load_flows()
    return crm


def _begun(
    crm: CRM, monkeypatch: pytest.MonkeyPatch, opens: Any, *keys: str
) -> list[tuple[str, set[tuple[type, int]]]]:
    """The commands that keys begin on a page, each with the records that it is about."""
    begun: list[tuple[str, set[tuple[type, int]]]] = []
    keyboard = Pressing(*keys)
    opened = Session(crm, keyboard, keyboard.screen)

    def noted(_: Session, command: Command, **arguments: Any) -> None:
        values = [one for value in arguments.values() for one in (value if isinstance(value, list) else [value])]
        begun.append((command.words, {(type(value), value.id) for value in values}))
        raise Back

    with monkeypatch.context() as patch:
        patch.setattr(Session, "start", noted)
        opened.attempt(lambda: opens(opened))
    return begun


@pytest.mark.parametrize("words", KEYS)
def test_letter_keys_on_a_list_act_on_the_selected_row(
    two_of_each: CRM, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    start = Session.start
    opened: list[Any] = []

    def notes(_: Pressing, __: str, choices: Sequence[Choice], **___: Any) -> Any:
        opened.append(choices[0].value)
        raise Back

    # The first row, as Enter opens it.
    keyboard = Pressing()
    session = Session(two_of_each, keyboard, keyboard.screen)
    with monkeypatch.context() as patch:
        patch.setattr(Pressing, "choose", notes)
        start(session, named(words))
    row = opened[0].row
    record = opened[0].page.record_of(row)
    keys = KEYS[words]
    begun = _begun(two_of_each, monkeypatch, lambda session: start(session, named(words)), *keys)
    assert begun == [(command, {(type(record), record.id)}) for command in keys.values()]


def test_letter_keys_on_an_invoice_edit_and_delete_a_draft(two_of_each: CRM, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = named("invoices list")(two_of_each)[0].invoice
    begun = _begun(two_of_each, monkeypatch, lambda session: session.open(draft), "e", "d")
    assert begun == [(words, {(type(draft), draft.id)}) for words in ("invoices edit", "invoices delete")]
