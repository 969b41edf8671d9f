"""A sale recorded with its review, totals and audit, durable, beside the same statements through bare sqlite3."""

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path

from benchmarks.made_up import TODAY, crm_at, store_of
from benchmarks.measuring import Result, claim
from crm.commands.sales.sales import add
from crm.model import Client

LIMIT = 3.0
_SALES, _RUNS = 10, 40


def measure(folder: Path) -> Iterator[Result]:
    """Some sales to one client each way, both with synchronous=FULL."""
    path = store_of(folder, 100_000)
    crm = crm_at(path)
    with crm.read() as snapshot:
        client = snapshot.get(Client, 4242)

    def through_the_command() -> None:
        for _ in range(_SALES):
            add(crm, client, Decimal("12.50"))

    bare = sqlite3.connect(path, isolation_level=None)
    for pragma in ("foreign_keys = ON", "synchronous = FULL", "cache_size = -32000"):
        bare.execute(f"PRAGMA {pragma}")
    numbers = count(1)

    def by_hand() -> None:
        for _ in range(_SALES):
            _sell(bare, next(numbers))

    floor = "the same statements, bare sqlite3"
    yield claim("a sale recorded", through_the_command, by_hand, floor, LIMIT, runs=_RUNS, each=_SALES)
    crm.repository.close()
    bare.close()


def _sell(store: sqlite3.Connection, number: int) -> None:
    """Record a sale to another client by hand-written SQL."""
    client, now, on = 4343, f"2026-11-21 12:00:00.{number:06d}", TODAY.isoformat()
    execute = store.execute
    execute("BEGIN IMMEDIATE")
    execute("SELECT * FROM client WHERE id = ?", (client,)).fetchone()
    (last,) = execute("SELECT seq FROM sqlite_sequence WHERE name = 'sale'").fetchone()
    execute(
        'INSERT INTO sale (id, created_at, updated_at, version, client, "on", amount, note)'
        " VALUES (?,?,?,1,?,?,125000,?)",
        (last + 1, now, now, client, on, ""),
    )
    transaction = execute(
        "INSERT INTO transactions (at, user, what) VALUES (?, 'benchmark', 'recorded a sale')", (now,)
    ).lastrowid
    entry = 'INSERT INTO audit ("transaction", record, record_id, operation, before, after) VALUES (?,?,?,?,?,?)'
    execute(entry, (transaction, "sale", last + 1, "create", None, None))
    total = execute(
        'SELECT sum(amount), count(*), min("on"), max("on") FROM sale WHERE client = ?', (client,)
    ).fetchone()
    execute("SELECT * FROM client WHERE id = ?", (client,)).fetchone()
    execute("SELECT * FROM rule ORDER BY position").fetchall()
    status = "VIP" if total[0] >= 350_000_000 else "Regular"
    execute(
        "UPDATE client SET total_spend=?, sales_count=?, first_sale_on=?, last_sale_on=?, status=?, status_reason=?,"
        " version=version+1, updated_at=? WHERE id=?",
        (*total, status, f"{status} because of {total[0]}", now, client),
    )
    execute(entry, (transaction, "client", client, "update", '{"total_spend": 1}', '{"total_spend": 2}'))
    execute("SELECT * FROM client WHERE id = ?", (client,)).fetchone()
    execute("COMMIT")
