"""The dialect of a database: its own ways to take the write lock, count, search, be backed up, and name its errors."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Row, Table

from crm.errors import CRMError
from crm.repository import Finding


class Search(Protocol):
    """The search of a database for clients by what is typed."""

    def prepare(self, connection: Connection) -> None:
        """Make the indexes that search uses, as far as they are not there: in a new store, and in one that was just
        given tables that it lacked."""

    def add(self, connection: Connection, ids: Sequence[int]) -> None:
        """Make the clients with these ids, just added, findable."""

    def find(self, connection: Connection, text: str, limit: int) -> Sequence[Row[Any]]:
        """Rows of clients that fit what was typed, best first."""


class Backups(Protocol):
    """Backup and restore of a database as a whole."""

    def dated(self, stamp: str) -> Path:
        """The path of a dated backup; `stamp` is 2026-11-21-140500."""

    def backup(self, engine: Engine, to: Path, looked_at: Callable[[Path], None] | None = None) -> None:
        """Copy the whole store to a file, and let go of the oldest dated ones. `looked_at` is called with the copy
        while nobody else has it, and may refuse by an error. Raises FileError."""

    def dated_copies(self) -> Sequence[Path]:
        """The dated backups there are, newest first."""

    def counts(self, path: Path) -> tuple[int, int | None, int | None]:
        """The size of a backup, and how many clients and sales are in it; None where it cannot be read."""

    def checked_copy(self, source: Path) -> AbstractContextManager[Path]:
        """A copy, for a while, of a file that `backup` made. Raises FileError where it is none."""

    def ids_in(self, copy: Path, names: Iterable[str]) -> Mapping[str, set[int]]:
        """The ids in some tables of such a copy; none of a table that it does not have yet."""

    def restore(self, engine: Engine, copy: Path, locked: Callable[[], None]) -> None:
        """Replace the store by a checked copy of a backup. `locked` is called while no other writer can enter, where
        what is there can still be read then, and may refuse by an error."""

    def replace_damaged(self, copy: Path, kept: Path) -> Path:
        """The same where the store cannot be opened: what is there is moved away, beside `kept`; where to."""


class Dialect(Protocol):
    """One database's own ways. A new database is one more of these; everything else is shared."""

    @property
    def noun(self) -> str:
        """The word for a store of its own in a sentence: file, database."""

    @property
    def search(self) -> Search: ...

    @property
    def backups(self) -> Backups: ...

    def at(self, file: Path) -> "Dialect":
        """The same dialect for another store: the copy in a file."""

    def engine(self) -> Engine:
        """The engine, made without touching what is stored."""

    def bring_up(self, connection: Connection, version: int) -> None:
        """Bring a store of an older format to this one, within a transaction. Raises RefusedError where that cannot
        be done."""

    def pretend(self, engine: Engine, version: int) -> None:
        """Make reads of a store of an older format behave as if it had been brought up, for one that can only be
        read."""

    def is_new(self) -> bool:
        """Return whether there is nothing yet where the store would be."""

    def begin_reading(self, connection: Connection) -> None:
        """Start a transaction in which every read sees the store as it is now."""

    def begin_writing(self, connection: Connection) -> None:
        """Start a transaction that no other writer can enter. Raises the driver's error when it has to wait."""

    def is_busy(self, error: Exception) -> bool:
        """Return whether a driver's error means that another writer came first and trying again may help."""

    def explain(self, error: Exception) -> CRMError | None:
        """A driver's error as a sentence; None for one that is a fault of this program."""

    def damage(self, error: Exception) -> CRMError | None:
        """The error that names what another program has put into the store where something else belongs; None where
        `error` did not come of that, or it is not to be found."""

    def last_ids(self, connection: Connection) -> Mapping[str, int]:
        """The last id of each table, by its name, with the history; only the single writer may ask. An id is never used
        twice, whatever is deleted."""

    def keep_ids(self, connection: Connection, last: Mapping[str, int]) -> None:
        """Keep the last ids that were given out, at the end of a transaction, where the database does not do so
        itself."""

    def skip_ids(self, connection: Connection, table: Table, last: int) -> None:
        """Make sure that no id up to `last` is given out again."""

    def drop_indexes(self, connection: Connection, table: Table, kept: Container[str]) -> Sequence[str]:
        """Drop the indexes of a table, but for those named in `kept`, where a rollback brings them back and nobody
        else notices before a commit; the statements that make them again, none where they stay."""

    def check(self, connection: Connection) -> Sequence[Finding]:
        """The findings of the database's own integrity check."""
