"""New stores copied from one template: tests need thousands, and to make one takes longer than most of them."""

import atexit
import os
import sqlite3
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from threading import Lock, get_ident
from typing import Any

from sqlalchemy import Engine, StaticPool, create_engine, update

from crm.clock import Clock
from crm.private_files import private_folder
from crm.repository import STORE_ID
from crm.repository.snapshot import put_fact
from crm.repository.sql import REVIEWED, SqlRepository
from crm.repository.sqlite.dialect import Sqlite
from crm.repository.tables import TABLES

_create, _engine = SqlRepository._create, Sqlite.engine
# Where a file says that it has a log beside it. A database in memory has none.
_KIND = slice(18, 20)
_WITH_LOG, _WITHOUT = b"\x02\x02", b"\x01\x01"


def make_stores_quickly() -> None:
    """Let this process copy each new store from the first one like it, and compile each SQL statement once for all
    stores."""
    SqlRepository._create = _create_or_copy  # type: ignore[method-assign]
    Sqlite.engine = _sharing  # type: ignore[method-assign]


class _Model:
    """The first store of a kind, in memory."""

    def __init__(self, engine: Engine) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with closing(engine.raw_connection()) as opened:
            driver: Any = opened.driver_connection
            content = bytearray(driver.serialize())
        content[_KIND] = _WITHOUT
        self._database.deserialize(content)
        self._engine = create_engine("sqlite+pysqlite://", creator=lambda: self._database, poolclass=StaticPool)
        self._lock = Lock()
        atexit.register(self._database.close)

    def like(self, repository: SqlRepository) -> bytes:
        """The file of another, with an id and times of its own."""
        at = repository.clock.now
        with self._lock, self._engine.connect() as connection:
            if repository._begins_reviewed:
                repository._reviewed_on = Clock(lambda: at).today.isoformat()
                put_fact(connection, REVIEWED, repository._reviewed_on)
            put_fact(connection, STORE_ID, repository._new_id())
            for table in {TABLES[type(record)] for record in repository._first_records()}:
                connection.execute(update(table).values(created_at=at, updated_at=at))
            content = bytearray(self._database.serialize())
        content[_KIND] = _WITH_LOG
        return bytes(content)


_MODELS: dict[tuple[type[SqlRepository], str], _Model] = {}
_LOCK = Lock()


def _create_or_copy(repository: SqlRepository, engine: Engine) -> None:
    like = (type(repository), repr(repository._first_records()))
    dialect: Any = repository._dialect
    if like in _MODELS and _was_put(_MODELS[like].like(repository), dialect.path):
        return
    _create(repository, engine)
    with _LOCK:
        if like not in _MODELS:
            _MODELS[like] = _Model(engine)


def _was_put(content: bytes, path: Path) -> bool:
    """Put a file where none is yet, whole at once and for its owner alone; False where that cannot be done."""
    made = path.with_name(f"{path.name}.{os.getpid()}-{get_ident()}")
    with suppress(OSError):
        private_folder(path.parent)
        made.touch(0o600, exist_ok=False)
        try:
            made.write_bytes(content)
            path.hardlink_to(made)
        finally:
            made.unlink(missing_ok=True)
        return True
    return False


def _sharing(dialect: Sqlite) -> Engine:
    """An engine that knows the statements of all others."""
    made: Any = _engine(dialect)
    first = _first_engine()
    made.dialect = made.pool._dialect = first.dialect
    made._compiled_cache = first._compiled_cache
    return made  # type: ignore[no-any-return]


@cache
def _first_engine() -> Any:
    # As many statements as all tests of a process have.
    engine = create_engine("sqlite+pysqlite://", query_cache_size=20_000)
    # It asks for the version of SQLite once.
    engine.connect().close()
    engine.dispose()
    return engine
