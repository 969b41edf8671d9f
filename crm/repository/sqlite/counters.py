"""Counters of SQLite: the last id that was given out in each table, which is never given out again."""

from collections.abc import Mapping

from sqlalchemy import Connection

from crm.repository.driver import run

# Of the audit nothing is deleted, so SQLite need not remember what it has given out.
_LAST_IDS = "SELECT name, seq FROM sqlite_sequence UNION ALL SELECT 'audit', max(id) FROM audit"
_MOVE = "UPDATE sqlite_sequence SET seq = ? WHERE name = ?"
_SKIP = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?"
_BEGIN = "INSERT INTO sqlite_sequence (seq, name) VALUES (?, ?)"


def last_ids(connection: Connection) -> Mapping[str, int]:
    """The last id that was given out, by the name of the table."""
    return {name: last or 0 for name, last in run(connection, _LAST_IDS)}


def skip(connection: Connection, table: str, last: int) -> None:
    """Make sure that no id up to `last` is given out again."""
    if not run(connection, _SKIP, (last, table), fetches=False):
        run(connection, _BEGIN, (last, table), fetches=False)


def put(connection: Connection, table: str, last: int) -> None:
    """Say which id was given out last, also where that was a lower one."""
    if not run(connection, _MOVE, (last, table), fetches=False):
        run(connection, _BEGIN, (last, table), fetches=False)


def rename(connection: Connection, old: str, new: str) -> None:
    """Hand the counter of one table on to another."""
    connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (new,))
    connection.exec_driver_sql("UPDATE sqlite_sequence SET name = ? WHERE name = ?", (new, old))
