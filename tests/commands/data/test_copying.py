"""A whole store copied to another place, and the promises of the live check."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from crm.app import open_crm
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.config import Config
from crm.errors import NotFoundError, RefusedError, UsageError
from crm.model import Client, Sale, StatusRule
from crm.repository.sheets.google.credentials import account_from
from crm.repository.sheets.google.spreadsheet import Service
from crm.repository.sheets.repository import SheetsRepository
from crm.repository.sheets.setup import set_up
from crm.repository.sqlite.dialect import Sqlite
from tests.conftest import PROJECT, PYTHON, child_environment, default_rules, google
from tests.support.clocks import TODAY, running_on


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The settings of a machine that has the key of the stand-in, and a folder of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    key = json.dumps(google().credentials())
    return Config(
        f"sqlite:///{tmp_path / 'here.sqlite3'}",
        "anna",
        running_on(TODAY),
        credentials=key,
        google=google().url,
        folder=tmp_path / "data",
    )


@pytest.fixture
def here(config: Config) -> Iterator[CRM]:
    """A store with a history: clients and sales, an edit, a deletion, and something taken back."""
    crm = open_crm(config)
    with closing(crm.repository):
        ids = crm.transact(lambda tx: tx.add_all([_client(number) for number in range(1, 41)]), "imported")
        crm.transact(lambda tx: tx.add_all([_sale(id_) for id_ in ids for _ in range(3)]), "imported sales")
        crm.transact(lambda tx: tx.change(tx.get(Client, 3), last_name="Ödön", extra={"shoe": "42"}), "edited")
        crm.transact(lambda tx: tx.delete(tx.get(Client, 4)), "deleted")
        crm.transact(lambda tx: tx.delete(tx.get(Client, 5)), "deleted")
        crm.transact(lambda tx: tx.undo(), "took back")
        crm.transact(lambda tx: tx.delete(tx.get(Client, 40)), "deleted the last one")
        named("settings set")(crm, key="currency", value="KWD", recount_ok=True)
        yield crm


def _client(number: int) -> Client:
    return Client(kind="person", last_name=f"Client {number}", phone=f"+4930123{number:04}", tags=("a", "b"))


def _sale(client: int) -> Sale:
    return Sale(client=client, amount=Decimal(client) * 1000 + Decimal("0.125"), on=TODAY)


def new_spreadsheet(config: Config, folder: Path) -> str:
    """A spreadsheet that is set up, by its address for --store."""
    spreadsheet = google().make("Team")
    account = account_from(config.credentials)
    with closing(Service(spreadsheet, account, folder, google=config.google)) as service:
        assert set_up(service, lambda _: default_rules(), datetime.now(UTC))
    return f"sheets://{spreadsheet}"


def holds_the_same(one: CRM, other: CRM) -> bool:
    return list(one.repository.everything()) == list(other.repository.everything())


def test_a_store_is_copied_into_a_spreadsheet_and_back(here: CRM, config: Config, tmp_path: Path) -> None:
    sheet = new_spreadsheet(config, tmp_path)
    report = named("copy")(here, to=sheet)
    assert not report.failed
    assert {figure.name: figure.copy for figure in report.figures}["clients"] == 38
    assert {figure.name: figure.copy for figure in report.figures}["transactions"] == 8
    back = open_crm(replace(config, store=f"sqlite:///{tmp_path / 'back.sqlite3'}"))
    assert not named("copy")(here, from_=sheet, to=back.repository.url).failed
    # Another machine, that knows the spreadsheet only from what stands in it.
    elsewhere = open_crm(replace(config, store=sheet))
    with closing(back.repository), closing(elsewhere.repository):
        assert holds_the_same(here, back)
        assert holds_the_same(here, elsewhere)
        assert list(elsewhere.repository.check()) == list(here.repository.check())
        # Numbers of records that are gone are not given out again, and what was done can still be taken back.
        assert elsewhere.transact(lambda tx: tx.add(_client(99)), "added").id == 41
        elsewhere.transact(lambda tx: tx.undo(4), "took back")
        with elsewhere.read() as snapshot:
            assert snapshot.get(Client, 4).sales_count == 3


def test_a_machine_that_knew_the_empty_spreadsheet_takes_nothing_for_hand_edits(
    here: CRM, config: Config, tmp_path: Path
) -> None:
    sheet = new_spreadsheet(config, tmp_path)
    account = account_from(config.credentials)
    elsewhere = SheetsRepository(
        sheet,
        Service(sheet.removeprefix("sheets://"), account, tmp_path / "elsewhere", google=config.google),
        Sqlite(tmp_path / "elsewhere" / "mirror.sqlite3"),
        now=running_on(),
        fresh_for=0,
    )
    with closing(elsewhere):
        assert elsewhere.is_empty()
        here.transact(lambda tx: tx.change(tx.get(StatusRule, 1), when="total_spend >= 50000"), "edited a rule")
        named("copy")(here, to=sheet)
        assert list(elsewhere.everything()) == list(here.repository.everything())
        with elsewhere.read() as snapshot:
            assert snapshot.history(1)[0].what == "edited a rule"


def test_only_an_empty_store_is_filled(here: CRM, config: Config, tmp_path: Path) -> None:
    sheet = new_spreadsheet(config, tmp_path)
    named("copy")(here, to=sheet)
    with pytest.raises(RefusedError, match="not empty"):
        named("copy")(here, to=sheet)
    with pytest.raises(UsageError, match="the same"):
        named("copy")(here, to=here.repository.url)
    with pytest.raises(RefusedError, match="not empty"):
        named("copy")(here, to=f"sqlite:///{tmp_path / 'here.sqlite3'}", from_=sheet)


_COPYING = """
import sys
from crm.start import main
from run import menu_loop
sys.exit(main(["copy", "--to", sys.argv[1]], menu_loop))
"""


@pytest.mark.slow
@pytest.mark.in_turn
def test_a_copy_that_was_broken_off_starts_again_without_duplicates(
    here: CRM, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.repository.sheets.push.push.ABANDONED_AFTER", 1.0)
    more = [replace(_client(number), notes="n" * 9_000) for number in range(700)]
    here.transact(lambda tx: tx.add_all(more), "imported more")
    sheet = new_spreadsheet(config, tmp_path)
    spreadsheet = sheet.removeprefix("sheets://")
    environment = child_environment() | {
        "CRM_STORE": config.store,
        "CREDS": config.credentials,
        "CRM_GOOGLE_URL": config.google,
        "XDG_DATA_HOME": str(tmp_path / "other"),
    }
    google().reset_counts()
    # The fourth of its requests never gets an answer: it is killed while it waits for it.
    google().fault("delay", seconds=60, after=3, only="writes", path=spreadsheet)
    child = subprocess.Popen([PYTHON, "-c", _COPYING, sheet], env=environment, cwd=PROJECT)
    try:
        until = time.monotonic() + 30
        while google().counts(spreadsheet)["writes"] < 4 and time.monotonic() < until:
            assert child.poll() is None, "it was not to end by itself"
            time.sleep(0.05)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        google().clear_faults()
    elsewhere = open_crm(replace(config, store=sheet))
    with closing(elsewhere.repository):
        with elsewhere.read() as snapshot:
            assert snapshot.count(Client) == 0
            assert snapshot.search("Client 7") == []
        assert elsewhere.repository.is_empty()
        assert not named("copy")(here, to=sheet).failed
        another = open_crm(replace(config, store=sheet))
        with closing(another.repository):
            assert holds_the_same(here, another)
        assert list(elsewhere.repository.check()) == []


def test_the_live_check_proves_what_the_store_relies_on(config: Config, tmp_path: Path) -> None:
    crm = open_crm(replace(config, store=new_spreadsheet(config, tmp_path)))
    spreadsheet = crm.repository.url.removeprefix("sheets://")
    before = google().tabs(spreadsheet), google().named_ranges(spreadsheet)
    with closing(crm.repository):
        report = named("check")(crm, live=True)
        assert [proof.what for proof in report.proofs if not proof.held] == []
        assert not report.failed
        assert (google().tabs(spreadsheet), google().named_ranges(spreadsheet)) == before


def test_the_live_check_finds_a_service_that_does_not_keep_the_marker(config: Config, tmp_path: Path) -> None:
    crm = open_crm(replace(config, store=new_spreadsheet(config, tmp_path)))
    spreadsheet = crm.repository.url.removeprefix("sheets://")
    before = google().tabs(spreadsheet)
    google().marker_holds(False)
    try:
        with closing(crm.repository):
            report = named("check")(crm, live=True)
    finally:
        google().marker_holds(True)
    assert report.failed
    failed = [proof.what for proof in report.proofs if proof.held is False]
    assert "Of two who write at the same moment, and add a row, exactly one goes through" in failed
    assert google().tabs(spreadsheet) == before


def test_a_file_has_nothing_to_prove(here: CRM) -> None:
    with pytest.raises(RefusedError, match="Only a store in a Google spreadsheet"):
        named("check")(here, live=True)


def test_a_backup_of_a_spreadsheet_is_restored_as_a_change(here: CRM, config: Config, tmp_path: Path) -> None:
    crm = open_crm(replace(config, store=new_spreadsheet(config, tmp_path)))
    with closing(crm.repository):
        named("copy")(here, to=crm.repository.url)
        kept = named("backup")(crm, file=tmp_path / "kept.sqlite3").file
        with crm.read() as snapshot:
            before = {client.id: client.name for client in snapshot.each(Client)}
        crm.transact(lambda tx: tx.delete(tx.get(Client, 1)), "deleted")
        crm.transact(lambda tx: tx.change(tx.get(Client, 2), last_name="Other"), "edited")
        added = crm.transact(lambda tx: tx.add(_client(77)), "added")
        named("restore")(crm, file=kept, yes=True)
        with crm.read() as snapshot:
            assert {client.id: client.name for client in snapshot.each(Client)} == before
            assert snapshot.get(Client, 1).total_spend == Decimal("3000.375")
        crm.transact(lambda tx: tx.undo(), "took back")
        with crm.read() as snapshot:
            assert snapshot.get(Client, added.id).last_name == "Client 77"
            with pytest.raises(NotFoundError):
                snapshot.get(Client, 1)
        assert list(crm.repository.check()) == []
