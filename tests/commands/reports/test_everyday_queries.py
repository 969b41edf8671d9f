"""Query plans of everyday actions: none scans a large table."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, event

from crm.commands.billing.figures import this_month
from crm.errors import Question
from crm.model import Client
from crm.model.folding import fold
from crm.terminal.clients.picking import ClientSearch
from tests.commands.conftest import TODAY, Office

LARGE = (
    "client|contact|sale|interaction|message|follow_up|deal|stage_move|audit|transactions|invoice|invoice_line|payment"
    "|allocation"
)

# Indexes of the few rows on which something is open or overpaid, or of which something is left.
FEW = ("invoice_open", "invoice_overpaid", "payment_left")

SOMEBODY: dict[str, Any] = {
    "kind": "person", "first_name": "Élise", "last_name": "Martin", "company": "Martin & Fils", "reference": "C-17",
    "email": "elise@example.com", "phone": "+33140205050", "address": "1 rue X", "city": "Évry", "postcode": "91000",
    "country": "FR", "source": "fair", "owner": "Anna", "date_of_birth": TODAY.replace(year=1980), "tags": ("vip",),
    "status": "Regular", "marketing_consent": True,
}  # fmt: skip

# Of two kinds of clients one is common, and found soon.
WANTED = SOMEBODY | {"kind": "company"}

EVERYDAY: dict[str, Callable[[Office, Client], object]] = {
    "the list": lambda office, _: office("clients list", {}),
    **{f"by {name}": lambda office, _, name=name: office("clients list", {name: WANTED[name]}) for name in WANTED},
    "mine": lambda office, _: office("clients list", {}, mine=True),
    "next to follow up": lambda office, _: office("clients list", {}, sort="next_follow_up_on"),
    "due": lambda office, _: office("clients list", {}, due=TODAY),
    "search": lambda office, _: office("clients search", "martin"),
    "search for what is misspelt": lambda office, _: office("clients search", "elise matrin"),
    "a client is picked": lambda office, _: ClientSearch(office.crm).suggest("marti"),
    "a duplicate is added": lambda office, _: office("clients add", SOMEBODY | {"kind": "company", "status": ""}),
    "a card": lambda office, client: office("clients show", client),
    "a timeline": lambda office, client: office("timeline", client),
    "sales": lambda office, _: office("sales list"),
    "sales of a client": lambda office, client: office("sales list", client),
    "sales of a month": lambda office, _: office("sales list", since=TODAY - timedelta(days=30)),
    "a sale": lambda office, client: office.sell(client, "10"),
    "interactions": lambda office, _: office("interactions list"),
    "my interactions": lambda office, _: office("interactions list", mine=True),
    "messages": lambda office, _: office("email list"),
    "messages of a client": lambda office, client: office("email list", client),
    "what is queued": lambda office, _: office("email outbox"),
    "contacts of a client": lambda office, client: office("contacts list", client),
    "follow-ups": lambda office, _: office("follow-ups list"),
    "my follow-ups": lambda office, _: office("follow-ups list", mine=True),
    "deals": lambda office, _: office("deals list"),
    "my deals": lambda office, _: office("deals list", mine=True),
    "the board": lambda office, _: office("deals board"),
    "the agenda": lambda office, _: office("agenda"),
    "my agenda": lambda office, _: office("agenda", mine=True),
    "the team": lambda office, _: office("people list"),
    "sorted by last contact": lambda office, _: office("clients list", {}, sort="-last_contact_on"),
    "messages that failed": lambda office, _: office("email list", state="failed"),
    "the page of billing": lambda office, _: this_month(office.crm),
    "who owes what": lambda office, _: office("unpaid list"),
    "what is overdue": lambda office, _: office("invoices list", state="overdue"),
    "payments of a client": lambda office, client: office("payments list", client),
    "a payment": lambda office, client: office("payments add", client, Decimal(5)),
    "the history": lambda office, _: office("history list"),
    "the history of a client": lambda office, client: office("history list", client=client),
}


@pytest.mark.parametrize("what", EVERYDAY)
def test_everyday_queries_scan_no_large_table(office: Office, what: str) -> None:
    client = office.add(**{name: value for name, value in SOMEBODY.items() if name != "status"})
    with _statements() as ran, suppress(Question):
        EVERYDAY[what](office, client)
    with closing(sqlite3.connect(office.folder / "store.sqlite3")) as file:
        file.create_function("caseless", 1, str.casefold)
        file.create_function("folded", 1, fold)
        found = {statement: scans for statement, values in ran if (scans := _scans(file, statement, values))}
    assert ran
    assert found == {}, [(scans, " ".join(statement.split())[-400:]) for statement, scans in found.items()]


@contextmanager
def _statements() -> Iterator[list[tuple[str, Any]]]:
    """The statements that read, with their values, as the database gets them."""
    ran: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            ran.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _scans(file: sqlite3.Connection, statement: str, values: Any) -> list[str]:
    """The steps of a statement that go through all of a large table.

    Sums may be made of an index alone, and a list may be read in its order until there are enough, if nothing is
    passed over on the way: none is narrowed, or the index holds only those that fit.
    """
    steps = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    narrow = {
        row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'")
    }
    stops = "LIMIT" in statement and "USE TEMP B-TREE FOR ORDER BY" not in steps

    def is_fine(step: str) -> bool:
        through = step.rpartition(" ")[2]
        return (
            "USING COVERING INDEX" in step
            or through in FEW
            or (stops and (through in narrow or "WHERE" not in statement))
        )

    return [step for step in steps if re.match(rf"SCAN ({LARGE})(_\d+)?\b", step) and not is_fine(step)]
