"""Tests of the page of a record, of every kind."""

import io
from contextlib import suppress
from decimal import Decimal

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import BY_NAME, Record
from crm.terminal.console.keyboard import Closed
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.pages import load_flows, page_of
from crm.terminal.toolkit.session import Session


def shown(crm: CRM, record: Record, *typed: str) -> str:
    """The menu's output for a record while lines are typed."""
    load_flows()
    out = io.StringIO()
    screen = Screen(out, plain=True)
    session = Session(crm, LineKeyboard(io.StringIO("".join(f"{line}\n" for line in typed)), screen), screen)
    session.debug = True
    with suppress(Closed):
        session.attempt(lambda: session.open(record))
        session.page("Afterwards")
    return out.getvalue()


def kinds_with_pages() -> list[type[Record]]:
    load_flows()
    kinds = []
    for kind in BY_NAME.values():
        with suppress(KeyError, ModuleNotFoundError):
            page_of(kind)
            kinds.append(kind)
    return kinds


def test_opening_a_deleted_record_says_that_it_is_gone(crm: CRM) -> None:
    for kind in kinds_with_pages():
        text = shown(crm, kind(id=99))
        assert "✗ No " in text, kind
        assert "Traceback" not in text, kind


@pytest.mark.parametrize(
    ("of", "typed", "is_left"),
    [
        ("sale", ["Edit", "0"], False),
        ("sale", ["Delete this sale", "0"], False),
        ("sale", ["Delete this sale", "1"], True),
        ("follow-up", ["Open the client", "0"], False),
        ("follow-up", ["Snooze", "0"], False),
        ("follow-up", ["Done"], True),
    ],
)
def test_a_page_closes_after_its_action(crm: CRM, of: str, typed: list[str], is_left: bool) -> None:
    client = named("clients add")(crm, {"last_name": "Berg"})
    records: dict[str, Record] = {
        "sale": named("sales add")(crm, client, Decimal(100)).sale,
        "follow-up": named("follow-ups add")(crm, client, "ring", due=crm.today).follow_up,
    }
    text = shown(crm, records[of], *typed)
    assert "Traceback" not in text, text
    assert ("Afterwards" in text) is is_left, text
