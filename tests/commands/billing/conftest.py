"""An office that may issue invoices, on each kind of store."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crm.app import open_crm
from crm.commands.billing.documents import InvoiceCard
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.config import Config
from crm.model import Client, Invoice
from tests.conftest import STORES, Store, _new_store
from tests.support.clocks import TODAY, running_on
from tests.support.firm import set_seller
from tests.support.sheets_team import Team, new_team

Desk = Callable[..., Any]


class BillingDesk:
    """Commands on a store of one kind, of a team that has filled in what the law asks for, and a client that has."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        crm = open_crm(Config(f"sqlite:///{folder}/none.sqlite3", "anna", running_on(TODAY)))
        self.own = crm
        self.crm: CRM = replace(crm, repository=store.repository)
        set_seller(self.crm)
        self.acme: Client = self(
            "clients add", {"company": "Acme", "address": "Weg 1", "city": "Wien", "postcode": "1010", "country": "AT"}
        )

    def __call__(self, words: str, *arguments: Any, **named_: Any) -> Any:
        return named(words)(self.crm, *arguments, **named_)

    def draft(self, *lines: str, **given: Any) -> Invoice:
        card: InvoiceCard = self("invoices add", self.acme, lines or ["3 h Consulting 100 19%"], **given)
        return card.invoice

    def issued(self, *lines: str, **given: Any) -> Invoice:
        on = {name: given.pop(name) for name in ("on", "due") if name in given}
        card: InvoiceCard = self("invoices issue", self.draft(*lines, **given), **on)
        return card.invoice

    def again(self, record: Any) -> Any:
        """A record as it is now."""
        with self.store.repository.read() as snapshot:
            return snapshot.get(type(record), record.id)

    def close(self) -> None:
        self.own.repository.close()

    def sound(self) -> bool:
        return self.store.wrong() == []


@pytest.fixture(params=STORES)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BillingDesk]:
    with _new_store(STORES[request.param]) as store, closing(BillingDesk(store, tmp_path)) as opened:
        yield opened


@pytest.fixture
def one_desk(tmp_path: Path) -> Iterator[BillingDesk]:
    with _new_store(STORES["sqlite"]) as store, closing(BillingDesk(store, tmp_path)) as opened:
        yield opened


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        yield team


@pytest.fixture
def sheet_desk(team: Team, tmp_path: Path) -> Iterator[BillingDesk]:
    with closing(BillingDesk(team.store, tmp_path)) as opened:
        yield opened
