"""Positions of rows in the mirror after rows above them were deleted."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis.strategies as some
from hypothesis import given, settings
from sqlalchemy import Connection, create_engine

from crm.model import Client, Record, Sale
from crm.repository.sheets.mirror import mirror


@contextmanager
def _rows_at(places: Iterable[int], kind: type[Record] = Sale) -> Iterator[Connection]:
    """A mirror in which records stand at these places, numbered in their order."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        mirror.metadata.create_all(connection)
        mirror.put_rows(connection, kind, [(number, row, "[]") for number, row in enumerate(places, start=1)])
        yield connection
    engine.dispose()


def _places(connection: Connection, kind: type[Record] = Sale) -> list[int]:
    statement = "SELECT row FROM sheet_row WHERE record = ? ORDER BY id"
    return [row[0] for row in connection.exec_driver_sql(statement, (kind.kind_name,))]


@settings(deadline=None)
@given(some.lists(some.integers(1, 60), unique=True), some.sets(some.integers(1, 60)))
def test_each_row_moves_up_by_as_many_as_were_deleted_above_it(places: list[int], deleted: set[int]) -> None:
    left = [place for place in places if place not in deleted]
    with _rows_at(left) as connection:
        mirror.put_rows(connection, Client, [(1, 61, "[]")])
        mirror.close_up(connection, Sale, list(deleted))
        assert _places(connection) == [place - sum(gap < place for gap in deleted) for place in left]
        assert _places(connection, Client) == [61], "the rows of another tab stay"


def test_many_deleted_rows_cost_in_proportion() -> None:
    few, many = (_steps(count) for count in (500, 4000))
    assert many < 8 * few * 1.5


def _steps(count: int) -> int:
    """The database steps, in hundreds, to move up this many rows, of which every third is deleted."""
    deleted = range(3, count, 3)
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    with _rows_at(sorted({*range(1, count)} - {*deleted})) as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(step, 100)
        mirror.close_up(connection, Sale, deleted)
        driver.set_progress_handler(None, 0)
    return steps
