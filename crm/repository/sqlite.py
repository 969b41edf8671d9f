"""SQLite: one file, readable while somebody writes, durable once a command has answered."""

import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, Row, Table, create_engine, event, select

from crm.errors import (
    CRMError,
    FileError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
)
from crm.model import Client
from crm.repository import Finding
from crm.repository.tables import SCHEMA_VERSION, client, fold, record_columns

KEPT_BACKUPS = 10
# One attempt to write waits so long (seconds) before the caller hears of it.
_ATTEMPT = 0.25
_SHORTEST_INDEXED = 3
_CANDIDATES = 100
_LONGEST_SEARCHED = 200
# What no record holds and the database cannot take.
_UNSEARCHABLE = re.compile("[\x00-\x1f\ud800-\udfff]")
_ALIKE = 0.6

# The index holds no text of its own, it reads the client table; substrings of three letters and more are found.
# Changes and deletions keep it in step by themselves. Additions are indexed a batch at a time
# (`index_added`): a trigger a row would make an import three times slower.
_SEARCH = (
    """CREATE VIRTUAL TABLE client_search USING fts5(
        search_name, search_rest, content='client', content_rowid='id', tokenize='trigram')""",
    """CREATE TRIGGER client_search_changed AFTER UPDATE OF search_name, search_rest ON client BEGIN
        INSERT INTO client_search (client_search, rowid, search_name, search_rest)
            VALUES ('delete', old.id, old.search_name, old.search_rest);
        INSERT INTO client_search (rowid, search_name, search_rest) VALUES (new.id, new.search_name, new.search_rest);
    END""",
    """CREATE TRIGGER client_search_deleted AFTER DELETE ON client BEGIN
        INSERT INTO client_search (client_search, rowid, search_name, search_rest)
            VALUES ('delete', old.id, old.search_name, old.search_rest);
    END""",
)

_STARTING = """
SELECT id, sort_name, search_name FROM (SELECT id, sort_name, search_name FROM client
    WHERE sort_name >= :text AND sort_name < :text || char(1114111) ORDER BY sort_name LIMIT :limit)
UNION SELECT id, sort_name, search_name FROM (SELECT id, sort_name, search_name FROM client
    WHERE search_name >= :text AND search_name < :text || char(1114111) ORDER BY search_name LIMIT :limit)"""
_CONTAINING = """
UNION SELECT id, sort_name, search_name FROM (SELECT client.id, sort_name, client.search_name
    FROM client_search JOIN client ON client.id = client_search.rowid
    WHERE client_search MATCH :match{more} LIMIT :candidates)"""
_SCANNING = "SELECT id, sort_name, search_name FROM client WHERE {every} LIMIT :candidates"
_RESEMBLING = """
SELECT client.id, sort_name, client.search_name FROM client_search JOIN client ON client.id = client_search.rowid
WHERE client_search MATCH :match ORDER BY client_search.rank LIMIT :candidates"""


class Sqlite:
    """The dialect of SQLite for the file at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def engine(self) -> Engine:
        engine = create_engine("sqlite+pysqlite://", creator=self._connect, poolclass=QueuePool)
        event.listen(engine, "connect", _prepared)
        return engine

    def _connect(self) -> sqlite3.Connection:
        if not self.path.exists():
            self._make_file()
        mode = "rw" if os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK) else "ro"
        return _open(self.path, mode)

    def _make_file(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Clients' data is for its owner's eyes.
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as error:
            raise StoreError(f"{self.path} cannot be made: {error.strerror or error}.") from error

    def is_new(self) -> bool:
        return not self.path.exists() or self.path.stat().st_size == 0

    def prepare(self, connection: Connection) -> None:
        for statement in _SEARCH:
            connection.exec_driver_sql(statement)

    def begin_reading(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    def begin_writing(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def is_busy(self, error: Exception) -> bool:
        return _code(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))

    def explain(self, error: Exception) -> CRMError | None:
        code = _code(error)
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return StoreBusyError(f"Another program is using {self.path}. Nothing was changed; try again.")
        if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            return StoreDamagedError(
                f"{self.path} is damaged or no store at all; it was left as it is."
                f" Backups are in {self._folder}; `restore FILE` puts one back."
            )
        if code.startswith(("SQLITE_READONLY", "SQLITE_PERM")):
            return StoreReadOnlyError(f"{self.path} can only be read. Nothing was changed.")
        if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            return StoreFullError(
                f"{self.path} could not be written: the disk is full or failing."
                " Nothing of this change was kept; make room and try again."
            )
        if code.startswith("SQLITE_CANTOPEN"):
            return StoreError(f"{self.path} cannot be opened. Is it a file that you may read and write?")
        return None

    def reserve_ids(self, connection: Connection, table: Table, count: int) -> int:
        # Only one transaction writes at a time, and SQLite itself moves this mark along on each insert.
        last = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).scalar()
        return int(last or 0) + 1

    def index_added(self, connection: Connection, first: int, last: int) -> None:
        connection.exec_driver_sql(
            "INSERT INTO client_search (rowid, search_name, search_rest)"
            " SELECT id, search_name, search_rest FROM client WHERE id BETWEEN ? AND ?",
            (first, last),
        )

    # Search

    def search(self, connection: Connection, text: str, limit: int) -> Sequence[Row[Any]]:
        folded = fold(_UNSEARCHABLE.sub(" ", text[:_LONGEST_SEARCHED])).strip()
        found: list[Any] = []
        for words in _readings(folded):
            seen = {row[0] for row in found}
            found += [row for row in self._candidates(connection, folded, words, limit) if row[0] not in seen]
        if found:
            found.sort(key=lambda row: _distance(row, folded, folded.split()))
        elif len(folded) >= _SHORTEST_INDEXED:
            found = _resembling(connection, folded)
        ids = [row[0] for row in found[:limit]]
        if not ids:
            return []
        rows = connection.execute(select(*record_columns(Client)).where(client.c.id.in_(ids))).all()
        return sorted(rows, key=lambda row: ids.index(row.id))

    def _candidates(self, connection: Connection, folded: str, words: list[str], limit: int) -> list[Any]:
        """(id, sort_name, search_name) of those whose name begins with the text, and of some that contain its words."""
        long = [word for word in words if len(word) >= _SHORTEST_INDEXED]
        short = [word for word in words if len(word) < _SHORTEST_INDEXED]
        values: dict[str, Any] = {"text": folded, "limit": limit, "candidates": max(_CANDIDATES, limit)}
        for place, word in enumerate(short):
            values[f"short{place}"] = f"%{_escaped(word)}%"
        every = [
            f"(client.search_name LIKE :short{place} ESCAPE '\\' OR client.search_rest LIKE :short{place} ESCAPE '\\')"
            for place in range(len(short))
        ]
        statement = _STARTING
        if long:
            values["match"] = " AND ".join(_quoted(word) for word in long)
            statement += _CONTAINING.format(more="".join(f" AND {each}" for each in every))
        found = list(connection.exec_driver_sql(statement, values))
        if not long and len(found) < limit:
            seen = {row[0] for row in found}
            scan = connection.exec_driver_sql(_SCANNING.format(every=" AND ".join(every)), values)
            found += [row for row in scan if row[0] not in seen]
        return found

    # Looking after the file

    def check(self, connection: Connection) -> Sequence[Finding]:
        found = []
        for (answer,) in connection.exec_driver_sql("PRAGMA integrity_check(10)"):
            if answer != "ok":
                found.append(Finding(f"The file is damaged: {answer}.", True, how_to_mend="Restore a backup."))
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            found.append(Finding(f"{row[0]} {row[1]} belongs to a {row[2]} that is not there.", True, row[0], row[1]))
        counted = "SELECT (SELECT count(*) FROM client), (SELECT count(*) FROM client_search_docsize)"
        clients, indexed = connection.exec_driver_sql(counted).one()
        if clients != indexed:
            found.append(Finding(f"The search index holds {indexed} of {clients} clients.", True))
        return found

    @property
    def _folder(self) -> Path:
        return self.path.parent / "backups"

    def backups(self) -> Sequence[Path]:
        pattern = re.compile(re.escape(self.path.stem) + r"-\d{4}-\d\d-\d\d-\d{6}\.sqlite3")
        if not self._folder.is_dir():
            return []
        return sorted((each for each in self._folder.iterdir() if pattern.fullmatch(each.name)), reverse=True)

    def dated(self, stamp: str) -> Path:
        return self._folder / f"{self.path.stem}-{stamp}.sqlite3"

    def backup(self, engine: Engine, to: Path) -> None:
        try:
            to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=to.parent, prefix=".backup-") as folder:
                copy = Path(folder) / to.name
                with closing(sqlite3.connect(copy)) as destination:
                    _driver(engine).backup(destination)
                copy.chmod(0o600)
                copy.replace(to)
        except (OSError, sqlite3.Error) as error:
            raise FileError(f"The backup could not be written to {to}: {error}.") from error
        for old in self.backups()[KEPT_BACKUPS:]:
            with suppress(OSError):
                old.unlink()

    def restore(self, engine: Engine, source: Path) -> None:
        if not source.is_file():
            raise FileError(f"There is no file {source}.")
        with tempfile.TemporaryDirectory(prefix="restore-") as folder:
            # A copy is opened: reading a file in WAL mode may write beside it.
            copy = Path(folder) / "store.sqlite3"
            shutil.copyfile(source, copy)
            with closing(_open(copy, "rw")) as opened:
                _refuse_strange(opened, source)
                opened.backup(_driver(engine))
        engine.dispose()


def _open(path: Path, mode: str) -> sqlite3.Connection:
    address = path.absolute().as_uri() + f"?mode={mode}"
    if mode == "ro" and not path.with_name(path.name + "-wal").exists():
        # In a folder that cannot be written a file in WAL mode opens only so.
        address += "&immutable=1"
    return sqlite3.connect(address, uri=True, timeout=_ATTEMPT, isolation_level=None, check_same_thread=False)


def _prepared(connection: sqlite3.Connection, _: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -32000")
    connection.create_function("caseless", 1, lambda text: text and text.casefold(), deterministic=True)
    connection.create_function("folded", 1, lambda text: text and fold(text), deterministic=True)
    # Only a file that holds nothing yet is switched: another program's database is not touched.
    empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if empty:
        connection.execute("PRAGMA journal_mode = WAL")


def _refuse_strange(opened: sqlite3.Connection, source: Path) -> None:
    """Raises FileError unless a file is an intact store that this version reads."""
    try:
        intact = opened.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        version = opened.execute("SELECT value FROM store_facts WHERE name = 'schema_version'").fetchone()
    except sqlite3.Error as error:
        raise FileError(f"{source} is no backup of a store; nothing was changed.") from error
    if not intact:
        raise FileError(f"{source} is damaged; nothing was changed.")
    if version is None or int(version[0]) > SCHEMA_VERSION:
        raise FileError(f"{source} was made by a newer version of this program; nothing was changed.")


def _driver(engine: Engine) -> sqlite3.Connection:
    connection = engine.raw_connection().driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection


def _code(error: Exception) -> str:
    return str(getattr(error, "sqlite_errorname", ""))


_TELEPHONE = re.compile(r"[+\d][\d\s()/.-]{3,}")


def _readings(folded: str) -> Iterator[list[str]]:
    """The words to look for; what may be a telephone number also as its digits as they are stored."""
    words = folded.split()
    if words:
        yield words
    if _TELEPHONE.fullmatch(folded):
        digits = re.sub(r"\(0\)|\D", "", folded).lstrip("0")
        if digits and [digits] != words:
            yield [digits]


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _escaped(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)


def _distance(row: Any, folded: str, words: Sequence[str]) -> tuple[int, str]:
    """How far a client is from what was typed: its name, a name that begins so, a word that does, a part, elsewhere."""
    _, sort_name, name = row
    if folded in (name, sort_name):
        place = 0
    elif name.startswith(folded) or sort_name.startswith(folded):
        place = 1
    elif all(f" {word}" in f" {name}" for word in words):
        place = 2
    else:
        place = 3 if all(word in name for word in words) else 4
    return place, sort_name


def _resembling(connection: Connection, folded: str) -> list[Any]:
    """Clients whose names are spelt much like the text: sharing many groups of three letters, then compared."""
    groups = list(dict.fromkeys(word[at : at + 3] for word in folded.split() for at in range(len(word) - 2)))[:30]
    if not groups:
        return []
    match = "search_name : (" + " OR ".join(_quoted(group) for group in groups) + ")"
    rows = connection.exec_driver_sql(_RESEMBLING, {"match": match, "candidates": _CANDIDATES})
    alike = [(max(_likeness(folded, row[2]), _likeness(folded, row[1])), row) for row in rows]
    return [row for likeness, row in sorted(alike, key=lambda pair: (-pair[0], pair[1][1])) if likeness >= _ALIKE]


def _likeness(text: str, name: str) -> float:
    """0 to 1: the text against the whole name, or against its most similar word where only one word was typed."""
    against = [name] if " " in text else [name, *name.split()]
    return max((SequenceMatcher(None, text, each).ratio() for each in against), default=0.0)
