"""Private files: only their owner may read them, whatever the umask, and files that others could read are made
private."""

import json
import os
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from crm.accounts.keys import Secret
from crm.accounts.saved_sessions import SavedSessions
from crm.accounts.throttling import AttemptLimiter
from crm.commands.mail.outbox.journal import SendingJournal
from crm.private_files import close_to_others, private_database
from crm.repository.sheets.google.rate_limit import Limiter
from tests.commands.conftest import Office
from tests.support.clocks import TODAY, standing_on

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes(folder: Path) -> dict[str, int]:
    """The permissions of everything in a folder that others may do anything with."""
    return {path.name: mode(path) for path in [folder, *folder.rglob("*")] if mode(path) & 0o077}


def test_files_of_the_program_are_private(tmp_path: Path) -> None:
    data = tmp_path / "data"
    AttemptLimiter(data).spend("a token", 1, 60)
    Secret("", data).key("anything")
    SavedSessions(data).keep("sqlite:///x", "token")
    limiter = Limiter(data / "spreadsheets", "account")
    limiter.take("reads", lambda _: None)
    limiter.close()
    with SendingJournal(data / "messages", standing_on(TODAY)) as journal:
        journal.lease(timedelta(minutes=5))
        assert (data / "messages" / f"{journal.file_name}-wal").exists()
        assert modes(data) == {}


def test_a_store_its_log_and_its_backup_are_private(tmp_path: Path) -> None:
    office = Office(tmp_path / "folder")
    office.add(last_name="Berg")
    office("backup")
    assert {path.name for path in (tmp_path / "folder").iterdir()} >= {"store.sqlite3", "store.sqlite3-wal", "backups"}
    assert modes(tmp_path / "folder") == {}
    office.close()


def test_databases_that_others_could_read_are_made_private(tmp_path: Path) -> None:
    path = tmp_path / "attempts.sqlite3"
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("CREATE TABLE x (y)")
        assert mode(path) & mode(path.with_name(f"{path.name}-wal")) & 0o044
        private_database(path)
        assert {path.name for path in tmp_path.iterdir() if mode(path) & 0o077} == set()


def test_a_readable_data_folder_is_made_private_with_all_its_files(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "backups" / "deep").mkdir(parents=True)
    for name in ("crm.sqlite3", "crm.sqlite3-wal", "backups/deep/old.sqlite3"):
        (data / name).touch()
    elsewhere = tmp_path / "shared.txt"
    elsewhere.touch()
    (data / "link.sqlite3").symlink_to(elsewhere)
    close_to_others(data)
    assert {path.name for path in data.rglob("*") if not path.is_symlink() and mode(path) & 0o077} == set()
    assert mode(data) == 0o700
    assert mode(elsewhere) == 0o666
    # A database that came to lie there later.
    (data / "copy.sqlite3").touch()
    close_to_others(data)
    assert mode(data / "copy.sqlite3") == 0o600
    close_to_others(tmp_path / "missing")


def test_opening_the_program_makes_its_data_folder_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "crm"
    folder.mkdir(parents=True)
    (folder / "old.sqlite3").touch()
    Office(tmp_path).open()
    assert modes(folder) == {}


def test_exports_with_secrets_of_accounts_are_private_and_say_so(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.add(last_name="Berg")
    whole, plain = tmp_path / "whole.json", tmp_path / "clients.csv"
    # What others could read until now.
    whole.touch()
    assert office("export", whole, yes=True).keep_safe == ""
    one_time = office("users add", "ada@example.com", "Ada", "admin").password
    who = office.crm.accounts.open().authentication.sign_in("ada@example.com", one_time)
    ada = office.crm.enter(office.crm, who)
    assert "hashes" in office("export", whole, yes=True, crm=ada).keep_safe
    assert "argon2" in whole.read_text()
    assert mode(whole) == 0o600
    saved = office("backup", tmp_path / "saved.sqlite3", crm=ada)
    assert "password" in saved.keep_safe
    assert mode(saved.file) == 0o600
    listed = office("export", plain, crm=ada)
    assert (listed.keep_safe, mode(plain)) == ("", 0o666)
    history = office("history export", tmp_path / "history.json", crm=ada)
    assert mode(history.file) == 0o666
    assert "argon2" not in json.dumps(history.file.read_text())
    office.close()
