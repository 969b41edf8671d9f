"""A mirror shared by several programs on one machine; it holds nothing that the spreadsheet does not."""

import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.errors import StoreOfflineError
from crm.model import Client, Sale, Setting
from crm.repository.sheets.grid.layout import META
from crm.repository.sheets.live_check import LiveCheck
from crm.repository.sheets.repository import SheetsRepository
from tests.conftest import PYTHON, child_environment
from tests.support.sheets_team import Team, new_team

pytestmark = pytest.mark.in_turn


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        team.store.add(last_name="Buyer")
        yield team


def _sell(tx: Any) -> Any:
    return tx.add(Sale(client=1, on=tx.today, amount=Decimal("10.00")))


def _mirror(team: Team) -> Path:
    return team.repository._mirror_file.path


@pytest.mark.slow
def test_twenty_readers_cost_no_more_than_one(team: Team) -> None:
    readers = [team.another(same_machine=True) for _ in range(20)]
    for reader in readers:
        reader.fresh_for = 30.0
        reader._engine  # noqa: B018
    team.another("ben").transact(_sell, "a sale")
    with team.repository._engine.connect() as connection:
        team.repository._fall_behind(connection)
    team.person.reset_counts()
    found: list[int] = []

    def read(reader: Any) -> None:
        with reader.read() as snapshot:
            found.append(snapshot.count(Sale))

    threads = [threading.Thread(target=read, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [1] * 20
    counts = team.person.counts(team.id)
    assert (counts["drive"], counts["reads"], counts["writes"]) == (1, 1, 0)


_KILLED = """
import os, signal, sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from crm.model import Sale
from crm.repository.sheets.google.credentials import account_from
from crm.repository.sheets.repository import SheetsRepository
from crm.repository.sheets.google.spreadsheet import Service
from crm.repository.sqlite.dialect import Sqlite
from tests.support.clocks import move_the_machines

move_the_machines()
spreadsheet, folder, google, when, end, now = sys.argv[1:]
account = account_from((Path(folder) / "creds").read_text())
service = Service(spreadsheet, account, Path(folder), google=google)
repository = SheetsRepository(
    "sheets://x", service, Sqlite(Path(folder) / "mirror.sqlite3"),
    now=lambda: datetime.fromisoformat(now), user="killed",
)
write = service.write

def killed(*given, **named):
    if when == "after":
        write(*given, **named)
    os.kill(os.getpid(), int(end))

service.write = killed
repository.transact(lambda tx: tx.add(Sale(client=1, on=tx.today, amount=Decimal("10.00"))), "a sale")
"""


@pytest.mark.slow
def test_the_daily_review_writes_only_moved_clients_and_only_with_a_connection(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.store.set_rules(("At risk", "sales_count > 0 and days_since_last_sale > 180"), ("Regular", ""))
    team.repository.transact(_sell, "a sale")
    team.store.today += timedelta(days=181)

    def opened(**given: Any) -> tuple[int, int]:
        team.person.reset_counts()
        team.another(**given).daily_review()
        counts = team.person.counts(team.id)
        return counts["reads"] + counts["drive"], counts["writes"]

    with monkeypatch.context() as patched:
        offline = team.another(same_machine=True)
        patched.setattr(offline.service, "standing", _gone)
        offline.daily_review()
        with offline.read() as snapshot:
            assert snapshot.get(Client, 1).status == "Regular"
    team.another(same_machine=True).daily_review()
    # Once it is done, opening costs nothing here; another machine looks, and has nothing to write.
    assert opened(same_machine=True) == (0, 0)
    assert opened()[1] == 0
    assert team.store.client(1).status == "At risk"
    assert team.summaries().count("reviewed statuses for the day") == 1


def _gone() -> Any:
    raise StoreOfflineError("There is no connection.")


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_program_ended_in_the_middle_of_a_write_leaves_the_mirror_as_it_was(
    team: Team, when: str, end: signal.Signals
) -> None:
    import json

    folder = _mirror(team).parent
    (folder / "creds").write_text(json.dumps(team.person.credentials()))
    now = team.repository.clock.now.isoformat()
    arguments = [PYTHON, "-c", _KILLED, team.id, str(folder), team.person.url, when, str(int(end)), now]
    ended = subprocess.run(arguments, env=child_environment(), timeout=60, capture_output=True)
    assert ended.returncode == -end, ended.stderr.decode()
    sold = 1 if when == "after" else 0
    assert len(team.stored()[Sale]) == sold
    # The next program on this machine says what became of it, to whoever made it.
    again = team.another(same_machine=True)
    assert again.notice(7) == ""
    if not sold:
        assert "It is not in the spreadsheet, but may still arrive" in again.notice()
        team.store.today += timedelta(days=1)
    assert again.notice().startswith("The program ended at ")
    assert again.notice().endswith(f"while it was saving “a sale”. It was {'saved' if sold else 'not saved'}.")
    again.transact(_sell, "a sale")
    assert again.notice() == team.another(same_machine=True).notice() == ""
    assert len(team.agreed()[Sale]) == sold + 1
    assert list(folder.glob("*-saving-*")) == []


@pytest.mark.parametrize("answer", ["saved", "saved as the second", "interrupted", "refused"])
def test_a_change_whose_outcome_was_told_is_not_told_again(
    team: Team, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    def sent(*given: Any, **named: Any) -> Any:
        assert len(list(_mirror(team).parent.glob("*-saving-*"))) == 1
        # Another session in this program does not take it for one that has ended.
        assert beside._unfinished.left(0) == []
        if answer == "saved as the second" and not came_first:
            came_first.append(other.transact(_sell, "theirs"))
        if not answer.startswith("saved"):
            raise KeyboardInterrupt if answer == "interrupted" else StoreOfflineError("No connection.")
        return write(*given, **named)

    came_first: list[Any] = []
    write = team.repository.service.write
    beside, other = team.another(same_machine=True), team.another("ben")
    other.refresh()
    monkeypatch.setattr(team.repository.service, "write", sent)
    with nullcontext() if answer.startswith("saved") else pytest.raises((KeyboardInterrupt, StoreOfflineError)):
        team.store.change(_sell, "a sale")
    assert list(_mirror(team).parent.glob("*-saving-*")) == []
    assert team.another(same_machine=True).notice() == ""


def test_an_old_mirror_is_brought_up_to_date(team: Team) -> None:
    team.repository.close()
    kept = _mirror(team).with_name("kept")
    shutil.copy(_mirror(team), kept)
    team.store.change(_sell, "a sale")
    team.store.change(lambda tx: tx.add(Client(kind="person", last_name="Later")), "later")
    team.repository.close()
    for ending in ("-wal", "-shm"):
        _mirror(team).with_name(_mirror(team).name + ending).unlink(missing_ok=True)
    shutil.copy(kept, _mirror(team))
    team.store.change(_sell, "a sale")
    found = team.agreed()
    assert (len(found[Sale]), len(found[Client])) == (2, 2)


@pytest.mark.many
@pytest.mark.parametrize("broken", ["gone", "empty", "garbage", "of another version", "of another spreadsheet"])
def test_a_damaged_mirror_is_rebuilt(team: Team, broken: str) -> None:
    before = team.stored()
    team.repository.close()
    path = _mirror(team)
    match broken:
        case "gone":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "garbage":
            path.write_bytes(b"no database at all, but a text that is long enough for one" * 100)
        case "of another version":
            with closing(sqlite3.connect(path)) as opened:
                opened.execute("UPDATE sheet_fact SET value = '0 ' || value WHERE name = 'mirror of'")
                opened.execute("DELETE FROM client")
                opened.commit()
        case "of another spreadsheet":
            with new_team() as other:
                other.store.add(last_name="Of others")
                other.stored()
                other.repository.close()
                shutil.copy(_mirror(other), path)
    assert team.stored() == before
    team.store.change(_sell, "a sale")
    assert len(team.agreed()[Sale]) == 1


@pytest.mark.slow
def test_an_older_version_restored_in_google_sheets_is_accepted(team: Team) -> None:
    document = team.person._service.documents[team.id]
    kept = document.book.copy()
    team.store.change(_sell, "a sale")
    assert len(team.stored()[Sale]) == 1
    document.change(lambda book: book.__dict__.update(kept.copy().__dict__))
    assert len(team.stored()[Sale]) == 0
    team.store.change(_sell, "another sale")
    assert len(team.agreed()[Sale]) == 1


@pytest.mark.slow
def test_a_copied_spreadsheet_is_a_store_of_its_own(team: Team) -> None:
    team.store.change(_sell, "a sale")
    named = team.store.folder / "machine-0" / "spreadsheet"
    named.write_text(team.person.make_like(team.id))
    program = team.another()
    named.write_text(team.id)
    assert team.stored(program) == team.stored()
    program.transact(_sell, "a sale in the copy")
    team.store.change(lambda tx: tx.change(tx.get(Client, 1), city="Rome"), "an edit")
    assert len(team.stored(program)[Sale]) == 2
    assert len(team.agreed()[Sale]) == 1
    assert team.stored(program)[Client][1].city != "Rome"  # type: ignore[attr-defined]


@pytest.fixture
def late(team: Team) -> Iterator[Callable[[float], None]]:
    """Make Drive late by so many seconds, as long as the test goes on."""
    try:
        yield team.person.drive_lag
    finally:
        team.person.drive_lag(0)


def _later(machine: SheetsRepository, seconds: float) -> None:
    """Let time pass for a program."""
    now = machine.clock._now
    machine.clock._now = lambda: now() + timedelta(seconds=seconds)


def _type(team: Team, name: str) -> None:
    at = team.cells(Client)[0].index("Last name")
    team.person.set_cells(team.id, "clients", 1, at, [[name]])


# How late Drive is, whether it was found to be punctual, and after how long an edit by hand is seen at the latest.
@pytest.mark.parametrize(("lag", "punctual", "seen_after"), [(40, False, 60), (600, False, 60), (600, True, 600)])
def test_an_edit_that_drive_reports_late_is_seen_after_a_while(
    team: Team, late: Callable[[float], None], lag: float, punctual: bool, seen_after: float
) -> None:
    machine = team.repository
    team.person.punctual(team.id, punctual)
    team.store.client(1)
    late(lag)
    team.store.client(1)
    _type(team, "Tal")
    _later(machine, seen_after - 10)
    assert team.store.client(1).last_name == "Buyer"
    _later(machine, 15)
    assert team.store.client(1).last_name == "Tal"
    # Another program of the machine, as each command is, counts on from the same read.
    assert team.stored(team.another(same_machine=True))[Client][1].last_name == "Tal"  # type: ignore[attr-defined]
    # Once Drive was late here, it is not trusted any more.
    _type(team, "Berg")
    _later(machine, 65)
    assert team.store.client(1).last_name == "Berg"


@pytest.mark.parametrize(("lag", "punctual"), [(40, False), (600, False), (40, True), (600, True)])
def test_changes_by_programs_are_seen_at_once_even_if_drive_is_late(
    team: Team, late: Callable[[float], None], lag: float, punctual: bool
) -> None:
    team.person.punctual(team.id, punctual)
    other = team.another("ben")
    team.stored(other)
    late(lag)
    team.stored(other)
    team.store.change(_sell, "a sale")
    assert len(team.stored(other)[Sale]) == 1
    team.person.reset_counts()
    for _ in range(3):
        team.stored(other)
    counts = team.person.counts(team.id)
    assert (counts["reads"], counts["drive"], counts["writes"]) == (3, 3, 0)
    assert counts["bytes_out"] < 20_000


def test_the_interval_of_full_reads_is_a_setting(team: Team, late: Callable[[float], None]) -> None:
    team.person.punctual(team.id, False)
    team.store.change(lambda tx: tx.add(Setting(key="sheet_reads", value="20")) and None)
    team.store.client(1)
    late(600)
    team.store.client(1)
    _type(team, "Tal")
    _later(team.repository, 25)
    assert team.store.client(1).last_name == "Tal"


@pytest.mark.parametrize("lag", [0, 600])
def test_the_delay_of_drive_is_tested_and_remembered_per_spreadsheet(
    team: Team, late: Callable[[float], None], lag: float
) -> None:
    team.person.punctual(team.id, False)
    late(lag)
    LiveCheck(team.repository.service, races=1, probe_waits=0.2).serialises(team.store.today)
    assert team.cells(META)[3][:2] == ["probe", "no" if lag else "yes"]
