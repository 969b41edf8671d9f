"""Each report over 100 000 clients and a million sales, beside the bare SQL that answers it."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import String, Table

from benchmarks.made_up import TODAY, crm_at
from benchmarks.measuring import Result, claim
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.commands.reports.periods import later
from crm.commands.reports.report import Report
from crm.repository.tables import client, sale

CLIENTS = 100_000
SALES = 1_000_000
LIMIT = 1.5
SINCE = date(2021, 12, 1)
RUNS = 5

_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {})"
# The first buy hundreds of times, the last a few; each from some day on, at any time until today.
_BUYERS = f"""CREATE TEMP TABLE bought AS {_NUMBERS.format(SALES)},
    drawn AS (SELECT n, n * 48271 % 99991 AS place FROM numbers),
    chosen AS (SELECT n, place * place / 99991 + 1 AS client FROM drawn)
    SELECT client, date('{TODAY}', '-' || (n * 7919 % (client * 7919 % 1800 + 1)) || ' days') AS day,
        n * 6007 % 150000 + 100 AS cents FROM chosen"""
_TOTALS = """UPDATE client SET total_spend = of.spend, sales_count = of.sales, first_sale_on = of.first,
    last_sale_on = of.last FROM (SELECT client, sum(amount) AS spend, count(*) AS sales, min("on") AS first,
    max("on") AS last FROM sale GROUP BY client) AS of WHERE of.client = client.id"""

# What one would write by hand: for this database alone, and with what is known of it. A plus keeps an index of days
# from being used where the one by client is better.
_RANGE = 'SELECT sum(amount), count(*) FROM sale WHERE "on" >= ? AND "on" < ?'
_OF_CLIENT = """SELECT client, sum(amount) AS amount, count(*) AS sales FROM sale
    WHERE +"on" >= '2021-12-01' AND +"on" <= '2026-11-21' GROUP BY client"""
_BY_OWNER = f"""SELECT owner, sum(amount), sum(sales), count(bought.client), count(*)
    FROM client LEFT JOIN ({_OF_CLIENT}) AS bought ON bought.client = client.id GROUP BY owner"""
_BY_CLIENT = f"""SELECT client, amount, sales, sum(amount) OVER (), sum(sales) OVER (), count(*) OVER ()
    FROM ({_OF_CLIENT}) ORDER BY amount DESC, client LIMIT 20"""
_NEW = "SELECT first_sale_on, count(*) FROM client WHERE sales_count > 0 GROUP BY first_sale_on"
_GAPS = """SELECT "on", next, count(*)
    FROM (SELECT "on", lead("on") OVER (PARTITION BY client ORDER BY "on") AS next FROM sale)
    WHERE next IS NULL OR julianday(next) - julianday("on") > 180 GROUP BY "on", next"""
_CELLS = """SELECT r, f, m, count(*), sum(total_spend) FROM (SELECT total_spend,
        5 - 5 * (rank() OVER (ORDER BY last_sale_on DESC) - 1) / count(*) OVER () AS r,
        1 + 5 * (rank() OVER (ORDER BY sales_count) - 1) / count(*) OVER () AS f,
        1 + 5 * (rank() OVER (ORDER BY total_spend) - 1) / count(*) OVER () AS m FROM client WHERE sales_count > 0)
    GROUP BY r, f, m"""
_COHORTS = """SELECT substr(first_sale_on, 1, 7) AS cohort, substr("on", 1, 7) AS month, count(DISTINCT client),
        sum(amount) FROM client CROSS JOIN sale ON sale.client = client.id WHERE first_sale_on >= '2021-12-01'
    GROUP BY cohort, month"""


def measure(folder: Path) -> Iterator[Result]:
    """Five years of sales, which is all of them, so that no report can leave anything out."""
    path = folder / "reports.sqlite3"
    _made(path)
    crm = crm_at(path)
    bare = sqlite3.connect(path)
    bare.execute("PRAGMA cache_size = -32000")

    def asked(*statements: str) -> Callable[[], object]:
        return lambda: [bare.execute(statement).fetchall() for statement in statements]

    # A year more than is shown: the months of the year before.
    months = [later(SINCE, place) for place in range(-12, 61)]
    ranges = list(pairwise(months))
    claims: Mapping[tuple[str, str], tuple[Mapping[str, Any], Callable[[], object]]] = {
        ("reports sales", "the sum of each month"): (
            {"since": SINCE},
            lambda: [bare.execute(_RANGE, (str(first), str(end))).fetchall() for first, end in ranges],
        ),
        ("reports by", "of each owner"): ({"of": "owner", "since": SINCE}, asked(_BY_OWNER)),
        ("reports by client", "of each client"): ({"of": "client", "since": SINCE}, asked(_BY_CLIENT)),
        ("reports growth", "firsts and gaps"): ({"since": SINCE}, asked(_NEW, _GAPS)),
        ("reports rfm", "of each cell"): ({}, asked(_CELLS)),
        ("reports cohorts", "of each cohort and month"): ({"since": SINCE, "months": 60}, asked(_COHORTS)),
    }
    for (name, told), (given, floor) in claims.items():
        yield _measured(crm, name, given, floor, told)
    bare.close()
    crm.repository.close()


def _measured(crm: CRM, name: str, given: Mapping[str, Any], floor: Callable[[], object], told: str) -> Result:
    command = named(" ".join(name.split()[:2]))
    found: list[Report] = []
    return claim(
        name,
        lambda: found.append(command(crm, **given)),
        floor,
        told,
        LIMIT,
        runs=RUNS,
        note=lambda: f"{len(found[-1].rows)} rows",
    )


def _made(path: Path) -> None:
    crm = crm_at(path)
    crm.transact(lambda _: None, "made")
    crm.repository.close()
    store = sqlite3.connect(path)
    moment = "'2026-01-01 00:00:00.000000'"
    always = {"created_at": moment, "updated_at": moment, "version": "1"}
    person = {"id": "n", "kind": "'person'", "last_name": "'Last ' || n", "owner": "'Owner ' || (n % 12)"}
    store.execute(f"{_insert(client, always | person)} FROM ({_NUMBERS.format(CLIENTS)} SELECT n FROM numbers)")
    store.execute(_BUYERS)
    bought = {"id": "rowid", "client": "client", "on": "day", "amount": "cents"}
    store.execute(f"{_insert(sale, always | bought)} FROM bought")
    store.execute(_TOTALS)
    store.commit()
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def _insert(table: Table, given: Mapping[str, str]) -> str:
    """An insertion of rows, of which these columns are given by expressions; the others are as empty as they may be."""
    empty = {
        column.name: "NULL" if column.nullable else "''" if _is_text(column.type) else "0" for column in table.columns
    }
    values = empty | dict(given)
    names = ", ".join(f'"{name}"' for name in values)
    return f"INSERT INTO {table.name} ({names}) SELECT {', '.join(values.values())}"


def _is_text(kind: Any) -> bool:
    return isinstance(kind, String) or isinstance(getattr(kind, "impl", None), String)
