"""Files shared by the programs of one machine: locked by another program, damaged, or read-only."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crm import local_database
from crm.errors import FileError
from crm.local_database import JournalFile, SharedCounts, open_database, take_lock


class Notes(JournalFile):
    """A journal of numbers."""

    file_name = "notes.sqlite3"
    tables = "CREATE TABLE IF NOT EXISTS note (number INTEGER);"
    broken = "It cannot be noted in {file}: {why}."

    def note(self, number: int) -> None:
        self._all("INSERT INTO note VALUES (?)", number)

    @property
    def numbers(self) -> list[int]:
        return [number for (number,) in self._all("SELECT number FROM note")]


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_database, "_SHORT", 0.0)
    monkeypatch.setattr(local_database, "_LONG", 0.0)


def count(counts: SharedCounts) -> int:
    def change(file: sqlite3.Connection) -> int:
        file.execute("INSERT INTO note VALUES (1)")
        return int(file.execute("SELECT count(*) FROM note").fetchone()[0])

    return counts.change(change)


def test_a_database_locked_by_another_program_is_reported(tmp_path: Path) -> None:
    with Notes(tmp_path) as notes, closing(open_database(tmp_path / "notes.sqlite3", wait=0)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(FileError, match=r"^It cannot be noted in notes\.sqlite3: another program is using it\.$"):
            notes.note(1)
        other.execute("ROLLBACK")
        notes.note(2)
        assert notes.numbers == [2]


def test_a_database_that_cannot_be_created_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "notes.sqlite3").mkdir()
    with pytest.raises(FileError, match=r"notes\.sqlite3: \w+"), Notes(tmp_path):
        pass


@pytest.mark.parametrize("content", [b"no database at all" * 400, b"SQLite format 3\0" + bytes(range(256)) * 40])
def test_a_damaged_database_is_set_aside_and_started_again(tmp_path: Path, content: bytes) -> None:
    for name in ("notes.sqlite3", "counts.sqlite3"):
        (tmp_path / name).write_bytes(content)
    with Notes(tmp_path) as notes:
        notes.note(1)
        assert notes.numbers == [1]
    assert [path.read_bytes() for path in tmp_path.glob("damaged-*-notes.sqlite3")] == [content]
    assert count(SharedCounts(tmp_path / "counts.sqlite3", Notes.tables)) == 1
    assert count(SharedCounts(tmp_path / "counts.sqlite3", Notes.tables)) == 2


def test_a_program_counts_alone_while_another_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "counts.sqlite3"
    counts = SharedCounts(path, Notes.tables)
    assert count(counts) == 1
    with closing(open_database(path, wait=0)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert (count(counts), count(counts)) == (1, 2)
    counts.close()
    assert count(counts) == 2


def test_an_exception_rolls_a_change_back(tmp_path: Path) -> None:
    counts = SharedCounts(tmp_path / "counts.sqlite3", Notes.tables)

    def fail(file: sqlite3.Connection) -> None:
        file.execute("INSERT INTO note VALUES (1)")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        counts.change(fail)
    assert count(counts) == 1


def test_a_lock_is_held_by_one_until_it_is_closed(tmp_path: Path) -> None:
    first = take_lock(tmp_path / "one.lock")
    assert first is not None
    assert take_lock(tmp_path / "one.lock") is None
    first.close()
    second = take_lock(tmp_path / "one.lock")
    assert second is not None
    second.close()
