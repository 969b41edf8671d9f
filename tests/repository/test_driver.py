"""Cached statements of the driver give the same results as SQLAlchemy, also the second and third time."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, func, literal, select, union_all
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from crm.model import Client, Sale
from crm.repository import Transaction, statements
from crm.repository.driver import run, select_rows
from crm.repository.tables import client, sale
from tests.conftest import Store
from tests.support.clocks import TODAY

_LISTED = client.c.id.in_(bindparam("ids", expanding=True))


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A store with twelve clients and a sale to each."""

    def fill(tx: Transaction) -> None:
        ids = tx.add_all(
            [
                Client(
                    last_name=f"Fox {at}",
                    tags=("gold",) if at % 2 else (),
                    extra={"size": str(at)} if at % 3 else {},
                    reference=f"R{at}" if at % 2 else "",
                    marketing_consent=bool(at % 2),
                    date_of_birth=date(1990, 1, 1 + at) if at % 4 else None,
                )
                for at in range(12)
            ]
        )
        tx.add_all([Sale(client=id_, on=TODAY - timedelta(id_), amount=Decimal("12.3456")) for id_ in ids])

    store.repository.transact(fill, "made up")
    with store.repository.read() as snapshot:
        yield snapshot.connection  # type: ignore[attr-defined]


# What is selected, and the values of it, one after the other.
_CASES: Mapping[str, tuple[Any, list[Mapping[str, Any]]]] = {
    "a record": (statements.BY_ID[Client], [{"wanted": 2}, {"wanted": 3}, {"wanted": 99}, {"wanted": 4}]),
    "records": (statements.BY_IDS[Client], [{"wanted": ids} for ids in ([1], [2], [3, 4], [], [5], range(1, 13))]),
    "other values than before": (
        select(sale.c.amount, sale.c.on, sale.c.created_at)
        .where(sale.c.on >= bindparam("since"), sale.c.amount < bindparam("most"))
        .order_by(sale.c.id),
        [{"since": TODAY - timedelta(days), "most": Decimal(most)} for days, most in ((3, 99), (5, 99), (9, 12))],
    ),
    "a list between other values": (
        select(client.c.id, client.c.date_of_birth, literal("a constant"))
        .where(client.c.last_name != bindparam("but"), _LISTED, client.c.date_of_birth > date(1990, 1, 3))
        .limit(bindparam("most")),
        [
            {"but": but, "ids": ids, "most": most}
            for but, ids, most in (("Fox 1", [4, 6], 9), ("Fox 3", [6, 4], 1), ("Fox 5", [4, 6], 9), ("", [6], 9))
        ],
    ),
    "constants": (
        select(client.c.id, func.count().label("many"))
        .where(client.c.last_name.in_(["Fox 1", "Fox 2"]), client.c.version == literal(1, literal_execute=True))
        .group_by(client.c.id),
        [{}, {}, {}],
    ),
    "several together": (
        union_all(
            select(sale.c.client, sale.c.amount).where(sale.c.client == bindparam("of")),
            select(client.c.id, client.c.total_spend).where(client.c.id == bindparam("of")),
        ),
        [{"of": 2}, {"of": 3}, {"of": 4}],
    ),
    "two columns with one name": (
        select(sale.c.id, client.c.id).join_from(sale, client).where(client.c.id == bindparam("of")),
        [{"of": 2}, {"of": 3}, {"of": 4}],
    ),
}


@pytest.mark.parametrize("case", _CASES)
def test_rows_are_what_sqlalchemy_gives(connection: Connection, case: str) -> None:
    statement, asked = _CASES[case]
    for values in (*asked, *asked):
        rows, expected = select_rows(connection, statement, values), connection.execute(statement, values).all()
        assert rows == expected
        for row, like in zip(rows, expected, strict=True):
            assert [*map(type, row)] == [*map(type, like)]
            assert dict(row._mapping) == dict(like._mapping)


def test_an_error_is_that_of_sqlalchemy_and_nothing_is_written(connection: Connection) -> None:
    with pytest.raises(IntegrityError, match="UNIQUE constraint failed: client"):
        run(connection, "INSERT INTO client SELECT * FROM client WHERE id = ?", (2,), fetches=False)
    with pytest.raises(OperationalError, match="no such table: nowhere"):
        run(connection, "SELECT * FROM nowhere")
    listed = select(func.nonsense(client.c.id)).where(_LISTED)
    for _ in range(3):
        with pytest.raises(OperationalError, match="no such function: nonsense"):
            select_rows(connection, listed, {"ids": [1]})


def test_a_value_that_cannot_be_read_is_refused_as_before(connection: Connection) -> None:
    spoilt = "UPDATE client SET marketing_consent = 'maybe' WHERE id = ?"
    run(connection, spoilt, [(2,), (3,)], fetches=False, many=True)
    for wanted in (2, 3, 3):
        with pytest.raises(LookupError):
            [*select_rows(connection, statements.BY_ID[Client], {"wanted": wanted})[0]]
    assert select_rows(connection, statements.BY_ID[Client], {"wanted": 1})


def test_a_value_that_cannot_be_written_is_refused_as_before(connection: Connection) -> None:
    statement, (values, *_) = _CASES["other values than before"]
    for since in (TODAY, TODAY, "yesterday", "yesterday"):
        if since is TODAY:
            assert select_rows(connection, statement, {**values, "since": since}) == []
        else:
            with pytest.raises(StatementError, match="SQLite Date type only accepts Python date"):
                select_rows(connection, statement, {**values, "since": since})
