"""Side panels of menus, forms and invoices in a wide window: who sees them, and what they cost."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crm.app import open_crm
from crm.commands import load, menus
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.config import Config
from crm.errors import Cancelled
from crm.model import Client, Invoice
from crm.model.rights import CLIENT, STAFF, Reader
from crm.terminal.billing.unpaid import UnpaidPage
from crm.terminal.clients.clients import ClientPage
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.drawing.screen import Screen
from crm.terminal.sales.sales import SaleForm
from crm.terminal.toolkit import sections
from crm.terminal.toolkit.lists import open_list
from crm.terminal.toolkit.pages import draw_side_card, load_flows
from crm.terminal.toolkit.session import Session
from tests.conftest import google
from tests.support.clocks import TODAY, running_on
from tests.support.google_sheets import StandIn
from tests.support.guarded import guarded_for
from tests.support.keyboards import Leaving

NOTES = "haggles over every cent"


class Onlooker(Leaving):
    """A Keyboard of somebody who looks at all that stands beside the entries, and leaves."""

    def __init__(self) -> None:
        self.beside: dict[str, str] = {}

    def choose(self, question: str, choices: Sequence[Choice], **_: Any) -> Any:
        if question.startswith("Your changes"):
            raise Cancelled
        for entry in choices:
            if entry.card is not None:
                self.beside[entry.label.split("  ")[0]] = "".join(text for _, text in entry.card())
        raise Back

    def text(self, label: str, read: Any, **how: Any) -> Any:
        if how.get("card") is not None:
            self.beside[label] = "".join(text for _, text in how["card"]())
        raise Back


def at_menu(crm: CRM, columns: int = 120) -> tuple[Session, Onlooker]:
    environment: Mapping[str, str] = {"TERM": "xterm", "COLUMNS": str(columns), "LINES": "40"}
    onlooker = Onlooker()
    return Session(crm, onlooker, Screen(io.StringIO(), plain=False, environment=environment)), onlooker


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[CRM]:
    load()
    load_flows()
    opened = open_crm(Config(f"sqlite:///{tmp_path / 'crm.sqlite3'}", "tester", running_on(TODAY)))
    yield opened
    opened.repository.close()


def filled(crm: CRM) -> tuple[Client, Client]:
    anna = named("clients add")(crm, {"first_name": "Anna", "last_name": "Arm", "notes": NOTES})
    bert = named("clients add")(crm, {"first_name": "Bert", "last_name": "Bein"})
    named("sales add")(crm, anna, Decimal("120.50"))
    return anna, bert


def as_seen_by(crm: CRM, role: str, client: int = 0) -> CRM:
    # No account of the store: one that it has would be seen as one's own.
    reader = Reader(99, role, client, "Somebody")
    return replace(crm, repository=guarded_for(crm.repository, reader), reader=reader)


def drawn(session: Session, client: Client) -> str:
    return "".join(text for _, text in draw_side_card(session, Client, client.id))


def panels(session: Session, onlooker: Onlooker) -> Mapping[str, str]:
    """The side panels of all sections."""
    for name in menus():
        listed = sections.entries(session, name)
        with pytest.raises(Back):
            onlooker.choose("", listed)
    return onlooker.beside


def test_the_panel_of_a_field_shows_its_help_its_stored_value_and_the_client(crm: CRM) -> None:
    anna, _ = filled(crm)
    sale = named("sales list")(crm)[0]
    session, onlooker = at_menu(crm)
    form = SaleForm.of(session, sale, {"amount": Decimal("99.00")})
    with pytest.raises(Cancelled):
        form.fill(["Sale"], lambda: None)
    amount = onlooker.beside["Amount"]
    assert "120.50" in amount
    assert all(words in amount for words in ("Before", anna.name, NOTES)), amount
    assert "yesterday" in onlooker.beside["Date"]
    assert "Not saved yet" in onlooker.beside["Save"]
    assert "99.00" in onlooker.beside["Save"]


def test_the_panel_of_a_question_shows_its_client_or_the_list_of_its_section(crm: CRM) -> None:
    anna, bert = filled(crm)
    deal = named("deals add")(crm, client=bert, title="Roof", value=Decimal(900))
    sale = named("sales list")(crm)[0]
    session, onlooker = at_menu(crm)
    session.panel = sections.beside_question

    def asked(words: str, label: str, **arguments: Any) -> str:
        session.place = ()
        session.attempt(lambda: session.start(named(words), **arguments))
        return onlooker.beside.pop(label)

    assert NOTES in asked("sales add", "Amount", client=anna)
    assert "120.50" in asked("sales add", "Client")
    assert anna.name in asked("clients add", "A person")
    assert NOTES in asked("sales undo", "Delete", sale=sale)
    assert bert.name in asked("deals win", "Amount of the sale", deal=deal)
    named("follow-ups add")(crm, client=bert, what="send the plan", due=TODAY)
    assert "send the plan" in asked("capture", "Note")


def test_the_panel_of_a_card_shows_recent_events_and_open_items(crm: CRM) -> None:
    anna, bert = filled(crm)
    named("follow-ups add")(crm, client=anna, what="send the plan", due=TODAY)
    deal = named("deals add")(crm, client=anna, title="Roof", value=Decimal(900))
    sale = named("sales list")(crm)[0]
    session, onlooker = at_menu(crm)
    session.attempt(lambda: session.open(anna))
    for words in ("Latest", "120.50", "send the plan", "Roof"):
        assert words in onlooker.beside["Edit"], words
    for record in (sale, deal):
        session.attempt(partial(session.open, record))
        assert NOTES in onlooker.beside.pop("Edit")
    session.attempt(lambda: session.open(bert))
    assert "Follow-ups" not in onlooker.beside["Edit"]
    # A page has its client beside what is asked there, and nothing of it is left once it was closed.
    assert session.client_number == 0


@pytest.mark.parametrize("columns", [40, 80, 109])
def test_a_narrow_window_has_the_client_below_a_question_and_no_list(crm: CRM, columns: int) -> None:
    anna, _ = filled(crm)
    session, onlooker = at_menu(crm, columns)
    session.panel = sections.beside_question
    session.attempt(lambda: session.start(named("sales add"), client=anna))
    card = onlooker.beside.pop("Amount")
    assert NOTES in card
    assert max(map(len, card.splitlines())) <= columns
    session.attempt(lambda: session.start(named("sales add")))
    assert onlooker.beside == {}


def test_the_panel_of_a_timeline_shows_the_text_of_the_entry(crm: CRM) -> None:
    anna, _ = filled(crm)
    long = "wants the offer in writing, with the price of each shelf, before the fair opens"
    named("interactions add")(crm, client=anna, kind="call", subject="offer", body=long, on=TODAY - timedelta(days=1))
    session, onlooker = at_menu(crm)
    session.attempt(lambda: session.start(named("timeline"), client=anna))
    call = next(card for card in onlooker.beside.values() if "Call" in card)
    assert " ".join(call.split()).endswith(long)


def test_the_filter_of_unpaid_is_said_in_words(crm: CRM) -> None:
    session, _ = at_menu(crm)
    assert UnpaidPage(session, days=30).narrowed() == "at least 30 days late"
    assert UnpaidPage(session, days=1).narrowed() == "at least 1 day late"


def test_a_setting_has_its_help_beside_the_list(crm: CRM) -> None:
    session, onlooker = at_menu(crm)
    session.attempt(lambda: session.start(named("settings list")))
    shown = next(setting for setting in named("settings list")(crm) if setting.key == "currency")
    assert " ".join(shown.description.split()) in " ".join(onlooker.beside["Currency"].split())


@pytest.mark.parametrize("columns", [80, 120])
def test_the_question_of_a_deletion_names_it_in_its_title(crm: CRM, columns: int) -> None:
    anna, _ = filled(crm)
    session, onlooker = at_menu(crm, columns)
    session.panel = sections.beside_question
    session.place = ("Clients", anna.name)
    session.attempt(lambda: session.start(named("clients delete"), client=anna))
    assert session.place == ("Clients", anna.name, "Delete")
    assert NOTES in onlooker.beside["Delete"]


def test_the_panel_of_the_reports_shows_their_figures(crm: CRM) -> None:
    filled(crm)
    session, onlooker = at_menu(crm)
    beside = panels(session, onlooker)
    assert "120.50" in beside["Sales over time"]
    assert "No lost deals in this period." in beside["Why deals are lost"]


def test_on_a_large_store_the_panel_shows_the_help_of_a_report(crm: CRM, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(crm)
    monkeypatch.setattr("crm.terminal.reports.report_page._QUICK", 1)
    beside = panels(*at_menu(crm))
    assert "120.50" not in beside["Sales over time"]
    assert "Show sales by month" in beside["Sales over time"]


def test_a_client_sees_no_other_clients_and_no_notes_of_the_team(crm: CRM) -> None:
    anna, bert = filled(crm)
    invoice = named("invoices add")(crm, client=anna, line=["1 h Work 100 0%"]).invoice
    session, onlooker = at_menu(as_seen_by(crm, CLIENT, anna.id))
    assert drawn(session, bert) == ""
    assert NOTES not in drawn(session, anna)
    beside = panels(session, onlooker)
    assert not [title for title, text in beside.items() if "Bein" in text or NOTES in text]
    # The draft is not there for them at all; an invoice has nothing beside it.
    session.attempt(lambda: session.open(invoice))
    assert not [title for title, text in onlooker.beside.items() if NOTES in text or "Reminders" in text]


def test_staff_see_what_their_lists_show_and_no_accounts(crm: CRM) -> None:
    anna, _ = filled(crm)
    crm.accounts.open().administration.add(email="ada@example.com", name="Ada", role="admin", password="a kettle, two")
    session, onlooker = at_menu(as_seen_by(crm, STAFF))
    assert NOTES in drawn(session, anna)
    assert "ada@example.com" not in "".join(panels(session, onlooker).values())


def test_the_panel_of_an_invoice_shows_its_payments_and_its_client(crm: CRM) -> None:
    anna, _ = filled(crm)
    invoice: Invoice = named("invoices add")(crm, client=anna, line=["1 h Work 100 0%"]).invoice
    session, onlooker = at_menu(crm)
    session.attempt(lambda: session.open(invoice))
    assert anna.name in onlooker.beside["Issue it"]
    assert "Payments" not in onlooker.beside["Issue it"]


@pytest.mark.slow
def test_panels_read_no_spreadsheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load()
    load_flows()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    stand_in: StandIn = google()
    spreadsheet = stand_in.make("Panels")
    config = Config(
        f"sheets://{spreadsheet}", "other", running_on(TODAY), json.dumps(stand_in.credentials()), google=stand_in.url
    )
    crm = open_crm(config)
    try:
        named("sheets setup")(crm)
        anna, _ = filled(crm)
        session, onlooker = at_menu(crm)
        before = stand_in.counts(spreadsheet)["reads"]
        with crm.read():
            pass
        once = stand_in.counts(spreadsheet)["reads"] - before
        beside = panels(session, onlooker)
        assert NOTES in drawn(session, anna)
        assert len(beside) > 20
        # What was seen a moment ago counts as of now; on a slow machine that moment may pass once.
        assert stand_in.counts(spreadsheet)["reads"] - before <= once + 1
    finally:
        crm.repository.close()


def test_the_panels_of_invoices_and_client_lists_preview_their_entries(crm: CRM) -> None:
    anna, _ = filled(crm)
    named("invoices add")(crm, client=anna, line=["1 h Work 100 0%"])
    session, onlooker = at_menu(crm)
    session.attempt(lambda: session.start(named("invoices list")))
    assert NOTES in "".join(onlooker.beside.values())
    more = next(entry for entry in ClientPage(session, anna).entries() if entry.key == ".")
    session.attempt(more.value)
    assert "120.50" in onlooker.beside["Sales"]
    assert "draft" in onlooker.beside["Invoices and payments"]
    assert NOTES in onlooker.beside["Write an SMS"]
    # A client's own invoices have nothing beside them.
    session, onlooker = at_menu(as_seen_by(crm, CLIENT, anna.id))
    session.attempt(lambda: open_list(session, "invoices list"))
    assert onlooker.beside == {}
