"""Backups of a SQLite database: copies of the file, put back as a whole."""

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine

from crm.atomic_write import put_in_place
from crm.errors import FileError
from crm.model.file_errors import size_of, unreadable, unwritable
from crm.model.paths import display_path
from crm.private_files import private_folder
from crm.repository.sqlite.errors import explained
from crm.repository.sqlite.files import beside, copy_whole, driver, open_file, reason, within_patience
from crm.repository.tables import SCHEMA_VERSION, version_of

KEPT_BACKUPS = 10
_COLUMNS = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"


class SqliteBackups:
    """The backups of the store at `path`, in a folder beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def _folder(self) -> Path:
        return self.path.parent / "backups"

    def dated_copies(self) -> Sequence[Path]:
        pattern = re.compile(re.escape(self.path.stem) + r"-\d{4}-\d\d-\d\d-\d{6}\.sqlite3")
        try:
            if not self._folder.is_dir():
                return []
            return sorted((path for path in self._folder.iterdir() if pattern.fullmatch(path.name)), reverse=True)
        except OSError as error:
            raise FileError(f"{display_path(self._folder)} cannot be looked into: {reason(error)}.") from error

    def counts(self, path: Path) -> tuple[int, int | None, int | None]:
        """The size of a backup, and how many clients and sales are in it."""
        size = 0
        try:
            size = path.stat().st_size
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
                clients, sales = (
                    int(copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in ("client", "sale")
                )
        except (OSError, sqlite3.Error):
            return size, None, None
        return size, clients, sales

    def dated(self, stamp: str) -> Path:
        return self._folder / f"{self.path.stem}-{stamp}.sqlite3"

    def backup(self, engine: Engine, to: Path, looked_at: Callable[[Path], None] | None = None) -> None:
        try:
            private_folder(to.parent)
            with tempfile.TemporaryDirectory(dir=to.parent, prefix=".backup-") as folder:
                copy = Path(folder) / "store.sqlite3"
                with closing(sqlite3.connect(copy)) as destination, closing(engine.raw_connection()) as opened:
                    driver(opened).backup(destination)
                copy.chmod(0o600)
                if looked_at is not None:
                    looked_at(copy)
                put_in_place(copy, to)
        except OSError as error:
            raise FileError(f"The backup could not be written. {unwritable(to, error).sentence}") from error
        except sqlite3.Error as error:
            raise FileError(f"The backup could not be written to {display_path(to)}: {error}.") from error
        for old in self.dated_copies()[KEPT_BACKUPS:]:
            with suppress(OSError):
                old.unlink()

    @contextmanager
    def checked_copy(self, source: Path) -> Iterator[Path]:
        size_of(source)
        with tempfile.TemporaryDirectory(prefix="restore-") as folder:
            # A copy is looked at, because a file that may not be ours must not be changed.
            copy = Path(folder) / "store.sqlite3"
            try:
                copy_whole(source, copy)
            except OSError as error:
                raise unreadable(source, error) from error
            with closing(open_file(copy, "rw")) as opened:
                _refuse_strange(opened, source)
            yield copy

    def ids_in(self, copy: Path, names: Iterable[str]) -> Mapping[str, set[int]]:
        """The ids in some tables of a copy; none of a table that it does not have yet."""
        with closing(open_file(copy, "ro")) as opened:
            existing = {row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return {
                name: {row[0] for row in opened.execute(f'SELECT id FROM "{name}"')} if name in existing else set()
                for name in names
            }

    def restore(self, engine: Engine, copy: Path, locked: Callable[[], None]) -> None:
        patient = within_patience(self.path)
        # A file of another program's making, without a log, cannot be read while it is locked.
        is_locked = False

        def between(status: int, remaining: int, pages: int) -> None:
            nonlocal is_locked
            patient(status, remaining, pages)
            if status == sqlite3.SQLITE_OK and not is_locked:
                is_locked = True
                locked()

        with closing(open_file(copy, "rw")) as opened, closing(engine.raw_connection()) as ours:
            # In two steps: the first one takes the lock, the last one lets others see what was put in.
            is_locked = driver(ours).execute("PRAGMA journal_mode").fetchone()[0] != "wal"
            half = max(1, opened.execute("PRAGMA page_count").fetchone()[0] // 2)
            try:
                opened.backup(driver(ours), pages=half, progress=between, sleep=0.1)
            except sqlite3.Error as error:
                raise explained(error, self.path) or FileError(f"The backup could not be put back: {error}.") from error
        engine.dispose()

    def replace_damaged(self, copy: Path, kept: Path) -> Path:
        kept = kept.with_stem(f"{kept.stem}-damaged")
        try:
            private_folder(kept.parent)
            with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=".restore-") as folder:
                placed = Path(folder) / self.path.name
                shutil.copyfile(copy, placed)
                placed.chmod(0o600)
                # All of it is kept before any of it goes: at no moment is there no store, which a new one would be
                # made for, or a new file beside what was last written to the old one.
                for ending in ("", "-wal"):
                    if (old := beside(self.path, ending)).exists():
                        copied = Path(folder) / "kept"
                        shutil.copyfile(old, copied)
                        copied.chmod(0o600)
                        put_in_place(copied, beside(kept, ending))
                for ending in ("-wal", "-shm"):
                    beside(self.path, ending).unlink(missing_ok=True)
                put_in_place(placed, self.path)
        except OSError as error:
            where, why = display_path(self.path), reason(error)
            raise FileError(f"The backup could not be put in the place of {where}: {why}.") from error
        return kept


def _refuse_strange(opened: sqlite3.Connection, source: Path) -> None:
    """Raise FileError unless a file is an intact store that this version reads."""
    from crm.repository.migrations import lacking

    try:
        intact = opened.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        written = opened.execute("SELECT value FROM store_facts WHERE name = 'schema_version'").fetchone()
        existing = set(opened.execute(_COLUMNS).fetchall())
    except sqlite3.Error as error:
        raise FileError(f"{display_path(source)} is not a backup of a store. Nothing was changed.") from error
    if not intact:
        raise FileError(f"{display_path(source)} is damaged. Nothing was changed.")
    if not (version := version_of(str(written[0]) if written else "")):
        raise FileError(f"{display_path(source)} is not a backup of a store. Nothing was changed.")
    if version > SCHEMA_VERSION:
        raise FileError(f"{display_path(source)} was made by a newer version of this program. Nothing was changed.")
    if missing := lacking(existing, version):
        raise FileError(f"{display_path(source)} is damaged: it lacks {missing}. Nothing was changed.")
