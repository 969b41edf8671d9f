"""The store as it will be once edits by hand that cannot be written are taken over: a copy of the mirror that is read
until then."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine

from crm.clock import Clock
from crm.repository import SPREADSHEET, Seals
from crm.repository.sheets.mirror import mirror
from crm.repository.sqlite import counters
from crm.repository.sqlite.dialect import Sqlite
from crm.repository.transaction import SqlTransaction

WHAT = "edited in the sheet (not accepted yet)"
# What is new in it is numbered from here on, so that no number becomes another record's once all is taken over.
_NUMBERS_FROM = 1_000_000


class Preview:
    """The copies beside one mirror, one for each generation of it: what is left of older ones is deleted."""

    def __init__(self, mirror_file: Sqlite) -> None:
        self._mirror_file = mirror_file
        self._opened: tuple[int, Engine] | None = None

    def _path(self, generation: int | str) -> Path:
        path = self._mirror_file.path
        return path.with_name(f"{path.stem}.preview-{generation}.sqlite3")

    def make(
        self,
        engine: Engine,
        generation: int,
        change: Callable[[SqlTransaction], None],
        clock: Clock,
        seals: Seals | None,
    ) -> None:
        """Make the copy for a generation of the mirror, and the edits in it. Raises what is in the way of them."""
        self.remove()
        begun = self._path(f"{generation}-new")
        copy = self._mirror_file.at(begun)
        try:
            self._mirror_file.backups.backup(engine, begun)
            edited = copy.engine()
            try:
                with edited.connect() as connection:
                    copy.begin_writing(connection)
                    if mirror.generation(connection) != generation:
                        return
                    for name, last in mirror.numbers(connection).items():
                        counters.put(connection, name, max(last, _NUMBERS_FROM))
                    tx = SqlTransaction(connection, copy, clock.stopped(), user=SPREADSHEET, what=WHAT, seals=seals)
                    change(tx)
                    tx.finish()
                    connection.commit()
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                edited.dispose()
            begun.replace(self._path(generation))
        finally:
            copy.remove()

    def engine(self, generation: int) -> Engine | None:
        """The copy for a generation of the mirror; None where there is none."""
        if self._opened is None or self._opened[0] != generation:
            self.close()
            if not (path := self._path(generation)).exists():
                return None
            self._opened = (generation, self._mirror_file.at(path).engine())
        return self._opened[1]

    def remove(self) -> None:
        """Delete the copies."""
        self.close()
        for path in self._mirror_file.path.parent.glob(self._path("*").name):
            with suppress(OSError):
                self._mirror_file.at(path).remove()

    def close(self) -> None:
        """Let go of the copy that was opened."""
        if self._opened is not None:
            self._opened[1].dispose()
            self._opened = None
