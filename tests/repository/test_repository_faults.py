"""Killed processes, concurrent writers, damaged and unreadable files, a full disk: a clear error, and nothing lost."""

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from crm.clock import machine_now
from crm.errors import (
    CRMError,
    FileError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreNewerError,
)
from crm.model import Client, Sale, StatusRule
from crm.repository import Wait, sql, tables, transaction
from crm.repository.sql import SqlRepository
from crm.repository.sqlite.dialect import Sqlite
from crm.repository.transaction import SqlTransaction
from tests.conftest import PYTHON, Store, child_environment
from tests.support.unprivileged import as_nobody

pytestmark = pytest.mark.contract


def opened(path: Path, **more: object) -> SqlRepository:
    """A repository over a file with the real clock."""
    return SqlRepository(f"sqlite:///{path}", Sqlite(path), now=machine_now, **more)  # type: ignore[arg-type]


@pytest.fixture
def path(open_folder: Path) -> Path:
    """The path of a store in a folder where everybody may write."""
    return open_folder / "crm.sqlite3"


def made(path: Path, clients: int = 300) -> None:
    """A store with some clients, closed again."""
    with closing(opened(path)) as repository:
        repository.transact(
            lambda tx: tx.add_all(
                [Client(kind="person", last_name=f"Name{at}", notes="x" * 500) for at in range(clients)]
            ),
            "filled",
        )


def sound(path: Path) -> int:
    """Prove a store whole, the indexes too; how many clients it holds."""
    with closing(opened(path)) as repository:
        assert [finding.what for finding in repository.check() if finding.wrong] == []
        with repository.read() as snapshot:
            count = int(snapshot.count(Client))
    with closing(sqlite3.connect(path)) as raw:
        assert indexes(raw) == ALL_INDEXES
        # The index itself compares what it holds with the clients; it raises where they differ.
        raw.execute("INSERT INTO client_search (client_search, rank) VALUES ('integrity-check', 1)")
    return count


ALL_INDEXES = {index.name for index in tables.metadata().tables["client"].indexes}


def indexes(raw: sqlite3.Connection | Connection) -> set[str]:
    """The indexes of clients that are there, by name, without the one behind their references."""
    read = raw.exec_driver_sql if isinstance(raw, Connection) else raw.execute
    rows = read("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'client' AND sql IS NOT NULL")
    return {row[0] for row in rows}


@contextmanager
def child(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs a script, killed at the end whatever happens."""
    process = subprocess.Popen(
        [PYTHON, "-c", script, *map(str, arguments)],
        env=child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


OPENING = """
import sys, time, datetime, decimal
from pathlib import Path
from typing import Any
from crm.model import Client, Sale
from crm.clock import machine_now
from crm.repository.sql import SqlRepository
from crm.repository.sqlite.dialect import Sqlite
path = Path(sys.argv[1])
repository = SqlRepository(str(path), Sqlite(path), now=machine_now)
"""

ADDING_MANY = (
    OPENING
    + """
def change(tx):
    print("started", flush=True)
    for batch in range(40):
        ids = tx.add_all([Client(kind="person", last_name=f"Many{batch} {at}", notes="x" * 300) for at in range(100)])
        tx.add_all([Sale(client=client, on=tx.today, amount=decimal.Decimal("40000")) for client in ids])
        tx.settle()
repository.transact(change, "added thousands")
print("done", flush=True)
"""
)


@pytest.mark.slow
def test_a_killed_transaction_is_applied_as_a_whole_or_not_at_all(path: Path) -> None:
    made(path, 10)
    dice = random.Random(20261121)
    killed = 0
    for _ in range(5):
        before = sound(path)
        with child(ADDING_MANY, path) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
            time.sleep(dice.uniform(0, 0.6))
            process.send_signal(signal.SIGKILL)
            killed += process.wait(10) == -signal.SIGKILL
        after = sound(path)
        assert after - before in (0, 4000)
        with closing(opened(path)) as repository, repository.read() as snapshot:
            assert snapshot.count(Sale) == after - 10
            assert len(snapshot.history()) == 1 + (after - 10) // 4000
            # As many as were added each time that the program was quicker than the signal.
            commits = (after - 10) // 4000
            assert len(snapshot.search("Many0 17", 100)) == commits
    assert killed >= 3


class _Failed(Exception):
    pass


@pytest.mark.parametrize("fails", [False, True])
def test_indexes_are_dropped_for_a_bulk_load_and_rebuilt(path: Path, fails: bool) -> None:
    made(path, 10)

    def change(tx: SqlTransaction) -> None:
        for start in range(0, 2200, 200):
            tx.add_all([Client(kind="person", last_name=f"Many{at}") for at in range(start, start + 200)])
        assert {"client_by_email", "client_by_phone", "client_by_first_name"} <= indexes(tx.connection) < ALL_INDEXES
        with closing(sqlite3.connect(path)) as other:
            assert indexes(other) == ALL_INDEXES
        assert [client.last_name for client in tx.search("many1234")] == ["Many1234"]
        if fails:
            raise _Failed

    with closing(opened(path)) as repository, suppress(_Failed):
        repository.transact(change, "added many")
    assert sound(path) == (10 if fails else 2210)


def test_indexes_stay_in_a_large_store_or_while_somebody_reads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "_MANY", 10)
    made(path, 200)

    def add_fewer(tx: SqlTransaction) -> None:
        tx.add_all([Client(kind="person", last_name=f"Fewer{at}") for at in range(150)])
        assert indexes(tx.connection) == ALL_INDEXES

    def add_while_reading(tx: SqlTransaction) -> None:
        clients = tx.each(Client)
        next(clients)
        tx.add_all([Client(kind="person", last_name=f"More{at}") for at in range(400)])
        assert indexes(tx.connection) == ALL_INDEXES

    with closing(opened(path)) as repository:
        repository.transact(add_fewer, "added fewer")
        repository.transact(add_while_reading, "added more")
    assert sound(path) == 200 + 150 + 400


SELLING_AND_TELLING = (
    OPENING
    + """
for at in range(100_000):
    repository.transact(lambda tx: tx.add(Sale(client=1, on=tx.today, amount=decimal.Decimal("1.00"))), "sold")
    print(at + 1, flush=True)
"""
)


@pytest.mark.slow
def test_a_killed_program_keeps_every_confirmed_sale_and_no_half_one(path: Path) -> None:
    made(path, 1)
    dice = random.Random(11)
    for _ in range(4):
        with closing(opened(path)) as repository, repository.read() as snapshot:
            before = snapshot.count(Sale)
        with child(SELLING_AND_TELLING, path) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(dice.uniform(0.05, 0.4))
            process.send_signal(signal.SIGKILL)
            rows = [1, *map(int, process.stdout.read().split())][-1]
        sound(path)
        with closing(opened(path)) as repository, repository.read() as snapshot:
            sold = snapshot.count(Sale) - before
            # The last one may be stored without there having been time to tell.
            assert sold in (rows, rows + 1)
            client = snapshot.get(Client, 1)
            assert (client.sales_count, client.total_spend) == (before + sold, Decimal(before + sold))
            assert len(snapshot.history(1_000_000)) == 1 + before + sold


SELLING = (
    OPENING
    + """
print("ready", flush=True)
sys.stdin.readline()
for at in range(60):
    amount = decimal.Decimal(sys.argv[2])
    repository.transact(lambda tx: tx.add(Sale(client=at % 3 + 1, on=tx.today, amount=amount)), "sold")
print("done", flush=True)
"""
)


@pytest.mark.slow
def test_two_programs_write_at_once_without_loss(path: Path) -> None:
    made(path, 3)
    with child(SELLING, path, "0.10") as one, child(SELLING, path, "0.03") as other:
        for process in (one, other):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in (one, other):
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in (one, other):
            output, complaint = process.communicate(timeout=30)
            assert (output, complaint, process.returncode) == ("done\n", "", 0)
    assert sound(path) == 3
    with closing(opened(path)) as repository, repository.read() as snapshot:
        for client in snapshot.find_all(Client):
            assert (client.sales_count, client.total_spend) == (40, Decimal("2.60"))
        assert len(snapshot.history(limit=500)) == 121


def test_many_programs_can_create_the_store_at_once(path: Path) -> None:
    outcomes: list[object] = []

    def first_use(at: int) -> None:
        try:
            with closing(opened(path, first_records=lambda: [StatusRule(position=1, status="A", active=True)])) as mine:
                outcomes.append(mine.transact(lambda tx: tx.add(Client(kind="person", last_name=f"N{at}")), "add").id)
        except BaseException as error:
            outcomes.append(error)

    threads = [threading.Thread(target=first_use, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes, key=str) == list(range(1, 9))
    assert sound(path) == 8
    with closing(opened(path)) as repository, repository.read() as snapshot:
        assert snapshot.count(StatusRule) == 1


@contextmanager
def held(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program in the middle of writing."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE client SET city = 'elsewhere'")
        yield other


@pytest.mark.slow
def test_a_writer_that_waits_says_so_and_goes_on(path: Path) -> None:
    made(path, 1)
    reports: list[Wait] = []
    with held(path) as other, closing(opened(path, waiting=reports.append)) as repository:
        released = threading.Timer(2.8, other.execute, ["ROLLBACK"])
        released.start()
        changed = repository.transact(lambda tx: tx.change(tx.get(Client, 1), city="Graz"), "edit")
        released.join()
    assert changed.city == "Graz"
    assert reports
    assert 2.0 < reports[0].waited < 3.0
    assert reports[0].sentence == "Another program is saving to this file; waiting"


def test_a_writer_that_waits_too_long_gives_up_without_a_change(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(path, 1)
    monkeypatch.setattr(sql, "TELLS_AFTER", 0.1)
    monkeypatch.setattr(sql, "GIVES_UP_AFTER", 0.8)
    reports: list[Wait] = []
    with held(path), closing(opened(path, waiting=reports.append)) as repository:
        started = time.monotonic()
        with pytest.raises(StoreBusyError, match=r"Another program.*Nothing was changed") as caught:
            repository.transact(lambda tx: tx.change(tx.get(Client, 1), city="Graz"), "edit")
        assert time.monotonic() - started < 3
        with pytest.raises(StoreBusyError):
            repository.set_fact("anything", "2026-11-21")
        assert repository.fact("anything") == ""
    assert caught.value.sentence.endswith(".")
    assert reports
    with closing(opened(path)) as repository, repository.read() as snapshot:
        assert snapshot.get(Client, 1).city == ""
        assert len(snapshot.history()) == 1


def test_many_programs_open_one_new_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    openings, together = list[int](), threading.Barrier(8)
    open_it = SqlRepository._opened

    def slowly(repository: SqlRepository) -> Any:
        openings.append(threading.get_ident())
        time.sleep(0.05)
        return open_it(repository)

    monkeypatch.setattr(SqlRepository, "_opened", slowly)
    with closing(opened(path)) as repository, ThreadPoolExecutor(8) as people:

        def look(_: int) -> int:
            together.wait()
            with repository.read() as snapshot:
                return int(snapshot.count(Client))

        assert set(people.map(look, range(8))) == {0}
    assert len(openings) == 1


def test_readers_are_never_blocked(path: Path) -> None:
    made(path)
    # Whoever waited for the one that writes would wait in vain.
    with held(path), closing(opened(path)) as repository:
        with repository.read() as snapshot:
            assert snapshot.count(Client) == 300
            assert snapshot.get(Client, 1).city == ""
            assert len(snapshot.search("name299")) == 1
        assert not [finding for finding in repository.check() if finding.wrong]
        assert repository.backup().exists()


# Files that are no store


def refused(path: Path, error: type[CRMError]) -> str:
    """The sentence with which reading, writing and checking are refused; the file stays as it is."""
    content = path.read_bytes() if path.is_file() else b""
    with closing(opened(path)) as repository:
        for work in (
            lambda: repository.transact(lambda tx: tx.add(Client(kind="person", last_name="X")), "x"),
            lambda: repository.read().__enter__().count(Client),
            lambda: list(repository.check()),
        ):
            with pytest.raises(error) as caught:
                work()
    assert (path.read_bytes() if path.is_file() else b"") == content
    assert {file.name for file in path.parent.iterdir()} == {path.name}
    assert str(path) in caught.value.sentence
    return caught.value.sentence


def test_a_file_of_garbage_is_reported_as_damaged_and_kept(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(20_000))
    assert refused(path, StoreDamagedError).endswith("restores one.")
    path.write_bytes(b"hello")
    refused(path, StoreDamagedError)


def test_a_truncated_store_is_reported_as_damaged_and_kept(path: Path) -> None:
    made(path)
    whole = path.read_bytes()
    for size in (100, 4096, 4096 * 3 + 17):
        path.write_bytes(whole[:size])
        refused(path, StoreDamagedError)


def test_an_overwritten_page_is_reported(path: Path) -> None:
    made(path, 2000)
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 4096 // 2, len(content) // 4096 // 2 + 40):
        content[at * 4096 : at * 4096 + 3000] = b"\xa5" * 3000
    path.write_bytes(content)
    with closing(opened(path)) as repository:
        try:
            assert any(finding.wrong for finding in repository.check())
        except StoreDamagedError as error:
            assert "Backups are in" in error.sentence  # noqa: PT017 - either is an answer
    assert path.read_bytes() == content


@pytest.mark.parametrize("value", ["yesterday", "2026-99-99 00:00:00", "", -5, 1e300, b"\xff\xfe"])
def test_an_invalid_time_in_the_file_is_reported_as_damage(path: Path, value: object) -> None:
    with closing(opened(path)) as store:
        store.transact(lambda tx: tx.add(Client(kind="person", last_name="A")), "added a client")
        with closing(sqlite3.connect(path)) as other:
            other.execute("UPDATE client SET created_at = ?", (value,))
            other.commit()
        with pytest.raises(StoreDamagedError, match="restore FILE"), store.read() as snapshot:
            snapshot.find_all(Client)


def test_invalid_text_in_the_file_is_reported_as_damage(path: Path) -> None:
    with closing(opened(path)) as store:
        store.transact(lambda tx: tx.add(Client(kind="person", last_name="A")), "added a client")
        with closing(sqlite3.connect(path)) as other:
            other.execute("UPDATE client SET city = CAST(x'fffe' AS TEXT)")
            other.commit()
        with pytest.raises(StoreDamagedError, match="restore FILE"), store.read() as snapshot:
            snapshot.find_all(Client)


def test_a_database_of_another_program_is_not_changed(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
        other.execute("INSERT INTO songs VALUES ('x')")
        other.commit()
    assert "another program" in refused(path, StoreDamagedError)
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE store_facts (what TEXT)")
        other.commit()
    refused(path, StoreDamagedError)


@pytest.mark.parametrize(
    ("version", "error"), [("99", StoreNewerError), ("x", StoreDamagedError), ("", StoreDamagedError)]
)
def test_a_store_of_a_newer_version_is_not_changed(path: Path, version: str, error: type[CRMError]) -> None:
    made(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE store_facts SET value = ? WHERE name = 'schema_version'", (version,))
        other.commit()
    refused(path, error)


def test_a_folder_is_refused_as_a_store(path: Path) -> None:
    path.mkdir()
    assert "cannot be opened" in refused(path, StoreError)


def test_a_store_below_a_file_is_refused(path: Path) -> None:
    path.write_text("a file")
    with closing(opened(path / "crm.sqlite3")) as repository, pytest.raises(StoreError, match="cannot be made"):
        repository.is_empty()


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    with closing(opened(path)) as repository:
        assert repository.is_empty()
        assert repository.transact(lambda tx: tx.add(Client(kind="person", last_name="X")), "x").id == 1


def test_a_new_store_is_for_its_owner_only(path: Path) -> None:
    made(path.parent / "deep" / "er" / "crm.sqlite3")
    assert (path.parent / "deep" / "er" / "crm.sqlite3").stat().st_mode & 0o077 == 0
    with closing(opened(path)) as repository:
        repository.is_empty()
        assert repository.backup().stat().st_mode & 0o077 == 0


# Forbidden


def written(path: Path) -> object:
    with closing(opened(path)) as repository:
        return repository.transact(lambda tx: tx.add(Client(kind="person", last_name="X")), "x").id


def counted(path: Path) -> object:
    with closing(opened(path)) as repository, repository.read() as snapshot:
        return snapshot.count(Client), len(snapshot.search("name1"))


def test_an_unreadable_file_is_reported(path: Path) -> None:
    made(path)
    path.chmod(0)
    assert as_nobody(lambda: counted(path)).startswith("StoreError: ")
    path.chmod(0o644)
    path.parent.chmod(0)
    assert as_nobody(lambda: counted(path)).startswith("StoreError: ")


@pytest.mark.parametrize("what", ["file", "folder", "both"])
def test_a_read_only_store_can_be_read(path: Path, what: str) -> None:
    made(path)
    content = path.read_bytes()
    path.chmod(0o444 if what != "folder" else 0o666)
    path.parent.chmod(0o555 if what != "file" else 0o777)
    assert as_nobody(lambda: counted(path)) == "done: (300, 20)"
    answer = as_nobody(lambda: written(path))
    assert answer.startswith("StoreReadOnlyError: ")
    assert "can only be read. Nothing was changed." in answer
    assert path.read_bytes() == content


def test_a_new_store_in_a_read_only_folder_is_refused(path: Path) -> None:
    path.parent.chmod(0o555)
    assert as_nobody(lambda: written(path)).startswith("StoreError: ")
    assert list(path.parent.iterdir()) == []


def test_a_backup_that_cannot_be_written_is_reported(path: Path) -> None:
    made(path)
    forbidden = path.parent / "forbidden"
    forbidden.mkdir(mode=0o500)

    def backed_up() -> object:
        with closing(opened(path)) as repository:
            return repository.backup(forbidden / "copy.sqlite3")

    path.chmod(0o666)
    answer = as_nobody(backed_up)
    assert answer.startswith("FileError: ")
    assert "could not be written" in answer


def test_a_full_disk_rolls_the_change_back(path: Path) -> None:
    made(path)

    def fill() -> object:
        size = sum(file.stat().st_size for file in path.parent.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200_000, resource.RLIM_INFINITY))
        with closing(opened(path)) as repository:
            many = [Client(kind="person", last_name=f"Big{at}", notes="y" * 5000) for at in range(1000)]
            try:
                repository.transact(lambda tx: tx.add_all(many), "too much")
            except StoreFullError as error:
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                # The same program can go on once there is room.
                more = repository.transact(lambda tx: tx.add(Client(kind="person", last_name="Small")), "small")
                return f"{error} {more.id}"
        return "it all went in"

    answer = as_nobody_or_root(fill)
    assert "the disk is full or failing" in answer, answer
    assert answer.endswith(" 301")
    assert sound(path) == 301


def as_nobody_or_root(work: Callable[[], object]) -> str:
    """The same in a child process that stays who it is (the limit is the process's own)."""
    mine = os.getuid()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getuid", lambda: mine or -1)
        return as_nobody(work)


# Backups


def test_a_backup_is_complete_and_can_be_restored(path: Path) -> None:
    made(path)
    with closing(opened(path)) as repository:
        copy = repository.backup()
        repository.transact(lambda tx: tx.delete(tx.get(Client, 1)), "gone")
        kept = repository.restore(copy).kept
        with repository.read() as snapshot:
            assert snapshot.count(Client) == 300
            assert snapshot.search("name0")
        assert copy.exists()
        assert kept != copy
        assert kept in repository.backups()
        repository.restore(kept)
        with repository.read() as snapshot:
            assert snapshot.find(Client, 1) is None
        repository.transact(lambda tx: tx.undo(), "back")
    assert sound(path) == 300
    assert sound(copy) == 300


def test_a_restored_store_is_seen_by_others_at_once(path: Path) -> None:
    made(path)
    with closing(opened(path)) as one, closing(opened(path)) as other:
        copy = one.backup()
        one.transact(lambda tx: [tx.delete(client) for client in tx.find_all(Client)], "gone")
        with other.read() as snapshot:
            assert snapshot.count(Client) == 0
        one.restore(copy)
        with other.read() as snapshot:
            assert snapshot.count(Client) == 300
        assert other.transact(lambda tx: tx.add(Client(kind="person", last_name="X")), "x").id == 301
    assert sound(path) == 301


def test_a_file_that_is_not_a_backup_is_not_restored(path: Path) -> None:
    made(path)
    garbage, foreign, newer, cut = (path.parent / name for name in ("garbage", "foreign", "newer", "cut"))
    garbage.write_bytes(b"garbage" * 1000)
    with closing(sqlite3.connect(foreign)) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
        other.commit()
    with closing(opened(path)) as repository:
        shutil.copy(repository.backup(), newer)
        content = newer.read_bytes()
        cut.write_bytes(content[: len(content) // 2])
        with closing(sqlite3.connect(newer)) as other:
            other.execute("UPDATE store_facts SET value = '99' WHERE name = 'schema_version'")
            other.commit()
        count = len(repository.backups())
        for source, words in (
            (garbage, "not a backup"),
            (foreign, "not a backup"),
            (newer, "newer version"),
            (cut, "damaged|not a backup"),
            (path.parent / "missing", "No file"),
            (path.parent, "is a folder"),
        ):
            with pytest.raises(FileError, match=words):
                repository.restore(source)
        assert len(repository.backups()) == count
    assert sound(path) == 300


def test_only_ten_dated_backups_are_kept_and_the_oldest_can_be_restored(store: Store) -> None:
    for at in range(13):
        store.add(last_name=f"N{at}")
        store.repository.backup()
    backups = store.repository.backups()
    assert len(backups) == 10
    assert list(backups) == sorted(backups, reverse=True)
    named = store.repository.backup(store.folder / "mine.sqlite3")
    assert len(store.repository.backups()) == 10
    oldest = backups[-1]
    store.repository.restore(oldest)
    with store.repository.read() as snapshot:
        assert snapshot.count(Client) == 4
    assert named.exists()


def test_two_backups_in_one_second_are_two_files(path: Path) -> None:
    made(path)
    with closing(opened(path)) as repository:
        assert len({repository.backup() for _ in range(3)}) == 3
        assert len(repository.backups()) == 3


def test_a_backup_is_made_once_a_day_and_not_of_an_empty_store(store: Store) -> None:
    assert store.repository.daily_backup() is None
    store.add()
    first = store.repository.daily_backup()
    assert first is not None
    assert first.exists()
    assert store.repository.daily_backup() is None
    assert store.another(same_machine=True).daily_backup() is None
    store.today += timedelta(days=1)
    second = store.another(same_machine=True).daily_backup()
    assert second is not None
    assert second != first
    assert list(store.repository.backups()) == [second, first]


@pytest.mark.slow
def test_a_backup_during_a_write_is_consistent(path: Path) -> None:
    made(path, 3)
    with child(SELLING, path, "1.00") as process:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        copies: list[Path] = []
        with closing(opened(path)) as repository:
            while process.poll() is None and len(copies) < 5:
                copies.append(repository.backup(path.parent / f"copy{len(copies)}.sqlite3"))
                time.sleep(0.1)
        process.communicate(timeout=20)
    assert copies
    for copy in copies:
        assert sound(copy) == 3
    assert sound(path) == 3


def test_restoring_over_a_damaged_store_keeps_the_damaged_file(path: Path) -> None:
    made(path)
    with closing(opened(path)) as repository:
        copy = repository.backup()
    path.write_bytes(b"garbage" * 1000)
    with closing(opened(path)) as repository:
        kept = repository.restore(copy).kept
        with repository.read() as snapshot:
            assert snapshot.count(Client) == 300
    assert kept.read_bytes() == b"garbage" * 1000
    assert sound(path) == 300


def test_a_restore_gives_up_waiting_in_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crm.repository.sqlite import files

    made(path)
    monkeypatch.setattr(files, "RESTORE_WAITS", 0.5)
    with closing(opened(path)) as repository:
        copy = repository.backup()
        with held(path):
            started = time.monotonic()
            with pytest.raises(StoreBusyError, match="Nothing was changed"):
                repository.restore(copy)
            assert time.monotonic() - started < 3
        with suppress(StoreBusyError):
            repository.restore(copy)
    assert sound(path) == 300


def test_a_confirmed_sale_is_durable(path: Path) -> None:
    made(path, 1)
    with child(SELLING, path, "1.00") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        while (line := process.stdout.readline()) and line != "done\n":
            pass
        process.kill()
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with closing(opened(path)) as repository, repository._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_copy_of_a_store_in_use_is_consistent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody goes on writing, and moving what was written from one of its two files into the other."""
    made(path, 1)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE filler (at INTEGER, text TEXT)")
        raw.executemany("INSERT INTO filler VALUES (0, ?)", [("x" * 2000,) for _ in range(1000)])
        raw.commit()
    stopped = threading.Event()
    written = [0]

    def write() -> None:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as raw:
            while not stopped.is_set():
                written[0] += 1
                raw.execute("UPDATE filler SET at = ? WHERE rowid <= 500", (written[0],))
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                raw.execute("UPDATE filler SET at = ?", (written[0],))

    def slowly(*files: Path, copyfile: Callable[..., Path] = shutil.copyfile) -> Path:
        copied, before = copyfile(*files), written[0]
        while written[0] < before + 2:
            time.sleep(0.001)
        return copied

    monkeypatch.setattr(shutil, "copyfile", slowly)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(8):
            with Sqlite(path).backups.checked_copy(path) as copy, closing(sqlite3.connect(copy)) as raw:
                half, *rest = raw.execute("SELECT DISTINCT at FROM filler ORDER BY rowid").fetchall()
                assert rest in ([], [(half[0] - 1,)])
            time.sleep(0.01)
    finally:
        stopped.set()
        writer.join()
