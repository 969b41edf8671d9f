"""Commands called as plain functions, on a new store."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from crm.app import open_crm
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.commands.sales.sales import SaleReport
from crm.config import Config
from crm.model import Client, Record, Sale
from crm.repository import Query
from tests.conftest import Store
from tests.support import servers
from tests.support.clocks import TODAY, running_on
from tests.support.mail_server import Post

if TYPE_CHECKING:
    from tests.support.firm import Firm
    from tests.support.mail_desk import MailDesk

# The mail servers that tests ask for.
authority, dovecot_server, post = servers.authority, servers.dovecot_server, servers.post


def display_path(record: Record) -> Record:
    """A record without how often and when it was changed."""
    return replace(record, version=0, updated_at=record.created_at)


@dataclass
class Office:
    """A folder with stores; `crm` works on the first of them, today."""

    folder: Path
    _opened: list[CRM] = field(default_factory=list)

    def open(self, name: str = "store", today: date = TODAY, user: str = "anna", **settings: Any) -> CRM:
        """The CRM over a store of the folder, on some day; `settings` are those of the environment."""
        crm = open_crm(Config(f"sqlite:///{self.folder / name}.sqlite3", user, running_on(today), **settings))
        self._opened.append(crm)
        return crm

    @property
    def crm(self) -> CRM:
        return self._opened[0] if self._opened else self.open()

    def close(self) -> None:
        for crm in self._opened:
            crm.repository.close()

    def __call__(self, words: str, *arguments: Any, crm: CRM | None = None, **given: Any) -> Any:
        """Call the command that the shell calls so."""
        return named(words)(crm or self.crm, *arguments, **given)

    def add(self, crm: CRM | None = None, **fields: Any) -> Client:
        """A new client, whoever it is."""
        given = fields if {"first_name", "last_name", "company"} & set(fields) else {"last_name": "Client", **fields}
        made: Client = self("clients add", given, duplicate_ok=True, crm=crm)
        return made

    def sell(self, client: Client, amount: str, on: date | None = None, crm: CRM | None = None) -> SaleReport:
        """A sale."""
        report: SaleReport = self("sales add", client, Decimal(amount), on, crm=crm)
        return report

    def client(self, client: Client | int, crm: CRM | None = None) -> Client:
        """A client as it is stored now."""
        with (crm or self.crm).read() as snapshot:
            return snapshot.get(Client, client if isinstance(client, int) else client.id)

    def clients(self, crm: CRM | None = None) -> list[Client]:
        """All clients by number."""
        with (crm or self.crm).read() as snapshot:
            return snapshot.find_all(Client, Query(sort="id"))

    def sales(self, crm: CRM | None = None) -> list[Sale]:
        """All sales by number."""
        with (crm or self.crm).read() as snapshot:
            return snapshot.find_all(Sale, Query(sort="id"))

    def statuses(self, crm: CRM | None = None) -> list[str]:
        """The status of each client by number."""
        return [client.status for client in self.clients(crm)]

    def everything(self, crm: CRM | None = None) -> list[Any]:
        """All that is in the store, history included."""
        return list((crm or self.crm).repository.everything())

    def history(self, crm: CRM | None = None) -> list[str]:
        """The history, newest first."""
        return [entry.what for entry in self("history list", 1000, crm=crm)]

    def set_rules(self, *lines: str) -> None:
        """These rules and no others, not applied."""
        for rule in self("rules list"):
            self("rules remove", rule)
        for line in lines:
            self("rules add", line)

    def is_sound(self, crm: CRM | None = None) -> bool:
        """True if `check` finds nothing wrong."""
        return not self("check", crm=crm).wrong

    def write(self, name: str, text: str, encoding: str = "utf-8") -> Path:
        """A file of the folder."""
        path = self.folder / name
        path.write_bytes(text.encode(encoding))
        return path


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A folder without a store yet, on a machine that speaks American English."""
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="crm-test-", dir=parent) as folder:
        monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
        monkeypatch.setenv("XDG_DATA_HOME", str(Path(folder) / "data"))
        with closing(Office(Path(folder))) as office:
            yield office


@pytest.fixture
def firm(office: Office) -> Iterator["Firm"]:
    """An office with an account of each role."""
    from tests.support.firm import new_firm

    with new_firm(office) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the data of the program stand too."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def here(store: Store, folder: Path, post: Post, authority: trustme.CA) -> Iterator["MailDesk"]:
    """A computer at which as much mail is sent as fast as may be."""
    from tests.support.mail_desk import desk

    with desk(store, folder, post, authority) as opened:
        opened.set(mails_per_minute="6000")
        yield opened
