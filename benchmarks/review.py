"""The status rules over a million clients in SQL, beside an update written by hand; and over one in Python."""

import sqlite3
import timeit
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from benchmarks.made_up import crm_at
from benchmarks.measuring import Result, claim, seconds
from crm.model import StatusRule
from crm.repository import Transaction
from crm.rules import RuleSet
from crm.rules.metrics import Value

COUNT = 1_000_000
LIMIT = 2.0
LIMIT_IN_PYTHON = 15.0
RULES = (
    ("VIP", "total_spend >= 35000"),
    ("Loyal", "sales_count >= 10 and average_sale >= 100"),
    ("At risk", "sales_count > 0 and days_since_last_sale > 180"),
    ("New", "days_since_added <= 30"),
    ("Regular", ""),
)
_FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
INSERT INTO client (id, created_at, updated_at, version, reference, kind, first_name, last_name, company, email, phone,
    address, city, postcode, country, tags, source, owner, marketing_consent, notes, extra, status, status_reason,
    status_before, status_since, total_spend, sales_count, first_sale_on, last_sale_on,
    sort_name, search_name, search_rest, birthday)
SELECT n, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', 1, NULL, 'person', 'First' || n, 'Last' || n, '',
    '', '', '', '', '', '', '', '', '', 0, '', '', 'Regular', 'Regular otherwise', '', '2026-01-01',
    (n * 7919) % 5000000 * 100, n % 15, '2025-01-01', date('2026-11-21', '-' || (n % 400) || ' days'), '', '', '', ''
FROM numbers
"""
# What one would write by hand: the same conditions, the same reasons, only those that differ.
_RULING = """CASE WHEN total_spend >= 350000000 THEN {0}
    WHEN sales_count >= 10 AND total_spend >= 1000000 * sales_count THEN {1}
    WHEN sales_count > 0 AND CAST(julianday('2026-11-21') - julianday(last_sale_on) AS INTEGER) > 180 THEN {2}
    WHEN CAST(julianday('2026-11-21') - julianday(date(created_at)) AS INTEGER) <= 30 THEN {3} ELSE {4} END"""
_MONEY = "printf('%d.%02d', {0} / 10000, {0} % 10000 / 100)"
_BY_HAND = (
    "UPDATE client SET status = "
    + _RULING.format("'VIP'", "'Loyal'", "'At risk'", "'New'", "'Regular'")
    + ", status_reason = "
    + _RULING.format(
        f"'VIP when total_spend >= 35000 (total_spend ' || {_MONEY.format('total_spend')} || ')'",
        "'Loyal when sales_count >= 10 and average_sale >= 100 (sales_count ' || sales_count || ', average_sale ' || "
        f"{_MONEY.format('((total_spend + 50 * sales_count) / (100 * sales_count) * 100)')} || ')'",
        "'At risk when sales_count > 0 and days_since_last_sale > 180 (sales_count ' || sales_count ||"
        " ', days_since_last_sale ' || CAST(julianday('2026-11-21') - julianday(last_sale_on) AS INTEGER) || ')'",
        "'New when days_since_added <= 30 (days_since_added ' ||"
        " CAST(julianday('2026-11-21') - julianday(date(created_at)) AS INTEGER) || ')'",
        "'Regular otherwise'",
    )
    + ", status_before = status, status_since = '2026-11-21', version = version + 1 WHERE status <> "
    + _RULING.format("'VIP'", "'Loyal'", "'At risk'", "'New'", "'Regular'")
)
_AUDIT = """INSERT INTO audit ("transaction", record, record_id, operation, before, after)
    SELECT 1, 'client', id, 'update', json_object('status', 'Regular', 'status_reason', 'Regular otherwise',
        'status_before', '', 'status_since', '2026-01-01'), json_object('status', status,
        'status_reason', status_reason, 'status_before', status_before, 'status_since', status_since)
    FROM client WHERE status_since = '2026-11-21'"""


def measure(folder: Path) -> Iterator[Result]:
    """Three clients in five move. By hand it is the update, and with the audit that every change here gets."""
    ours, bare = folder / "review.sqlite3", folder / "by-hand.sqlite3"
    for path in (ours, bare):
        _made(path)
    crm = crm_at(ours)
    moved: dict[tuple[str, str], int] = {}
    measured = seconds(lambda: moved.update(crm.transact(lambda tx: tx.review_all(), "applied the rules")))
    again = seconds(lambda: crm.transact(lambda tx: tx.review_all(), "applied the rules"))
    crm.repository.close()
    by_hand, with_audit = _by_hand(bare)
    told = f"{sum(moved.values()):,} moved; again with nothing to move {again:.1f} s"
    yield Result(
        f"review of {COUNT:,}",
        measured,
        with_audit,
        "hand-written update and audit",
        LIMIT,
        "CPU, once",
        f"{told}; the update alone, unaudited: {by_hand:.1f} s",
    )
    yield _in_python()


def _made(path: Path) -> None:
    crm = crm_at(path)

    def rules(tx: Transaction) -> None:
        for rule in tx.find_all(StatusRule):
            tx.delete(rule)
        for position, (status, when) in enumerate(RULES, start=1):
            tx.add(StatusRule(position=position, status=status, when=when, active=True))

    crm.transact(rules, "rules")
    crm.repository.close()
    store = sqlite3.connect(path)
    store.execute(_FILL.format(count=COUNT))
    store.commit()
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def _by_hand(path: Path) -> tuple[float, float]:
    store = sqlite3.connect(path, isolation_level=None)
    for pragma in ("foreign_keys = ON", "synchronous = FULL", "cache_size = -32000"):
        store.execute(f"PRAGMA {pragma}")
    store.execute("BEGIN IMMEDIATE")
    update = seconds(lambda: store.execute(_BY_HAND))
    audit = seconds(lambda: store.execute(_AUDIT))
    commit = seconds(lambda: store.execute("COMMIT"))
    store.close()
    return update + commit, update + audit + commit


def _in_python() -> Result:
    rules = RuleSet((number, *rule) for number, rule in enumerate(RULES, start=1))
    values: dict[str, Value] = {
        "total_spend": Decimal("1200.00"),
        "sales_count": 3,
        "average_sale": Decimal("400.00"),
        "days_since_last_sale": 20,
        "days_since_added": 300,
    }
    runs = 20_000
    return claim(
        "review of one, in Python",
        lambda: timeit.timeit(lambda: rules.decide(values), number=runs),
        lambda: timeit.timeit(lambda: _decided(values), number=runs),
        "the same written as an if",
        LIMIT_IN_PYTHON,
        each=runs,
    )


def _decided(values: dict[str, Value]) -> tuple[str, str]:
    if values["total_spend"] >= Decimal(35000):  # type: ignore[operator]
        return "VIP", ""
    if values["sales_count"] >= 10 and values["average_sale"] >= Decimal(100):  # type: ignore[operator]
        return "Loyal", ""
    if values["sales_count"] > 0 and values["days_since_last_sale"] > 180:  # type: ignore[operator]
        return "At risk", ""
    if values["days_since_added"] <= 30:  # type: ignore[operator]
        return "New", ""
    return "Regular", "Regular otherwise"
