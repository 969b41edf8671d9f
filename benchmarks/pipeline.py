"""Each report on deals and people over 100 000 clients, a million sales and 200 000 deals, beside the bare SQL."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.made_up import TODAY, crm_at
from benchmarks.measuring import Result, claim
from crm.commands.registry import named
from crm.model import FIRST_STAGES

CLIENTS, SALES, DEALS, INTERACTIONS, FOLLOW_UPS = 100_000, 1_000_000, 200_000, 500_000, 200_000
LIMIT = 1.5
SINCE = date(2024, 1, 1)
RUNS = 5

_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"
_MOMENT = "'2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', 1"
_WHOSE = "'Person ' || (n % 20)"
_ON = f"date('{TODAY}', -(n * 7919 % 1400) || ' days')"
_ROWS: Mapping[str, tuple[int, str]] = {
    "client (id, created_at, updated_at, version, reference, kind, first_name, last_name, company, email, phone,"
    " address, city, postcode, country, tags, source, owner, marketing_consent, notes, extra, status, status_reason,"
    " status_before, total_spend, sales_count, sort_name, search_name, search_rest, birthday)": (
        CLIENTS,
        f"n, {_MOMENT}, NULL, 'company', '', '', 'Company ' || n, '', '', '', '', '', '', '', '', '', 0, '', '',"
        " 'Regular', '', '', 0, 0, '', '', '', ''",
    ),
    'sale (id, created_at, updated_at, version, client, "on", amount, note, deal, user)': (
        SALES,
        f"n, {_MOMENT}, n * 48271 % {CLIENTS} + 1, {_ON}, n * 6007 % 150000 + 100, '', 0, {_WHOSE}",
    ),
    # Half of them are open, a quarter is won, a quarter lost.
    "deal (id, created_at, updated_at, version, client, title, stage, value, expected_close_on, owner, lost_reason,"
    " notes, stage_since, closed_on)": (
        DEALS,
        f"n, {_MOMENT}, n * 7919 % {CLIENTS} + 1, 'Deal ' || n, CASE WHEN n % 2 THEN n % 4 + 1 ELSE n / 2 % 2 + 5 END,"
        f" n * 6007 % 5000000 + 100, date('{TODAY}', (n % 500 - 100) || ' days'), {_WHOSE},"
        f" CASE WHEN n % 4 = 2 THEN 'reason ' || (n % 50) ELSE '' END, '', '{TODAY}',"
        f" CASE WHEN n % 2 = 0 THEN {_ON} END",
    ),
    # Each deal comes into some stages in turn.
    'stage_move (id, created_at, updated_at, version, deal, stage, "on", user)': (
        DEALS * 4,
        f"n, {_MOMENT}, (n + 3) / 4, (n + 3) % 4 + 1 + (n / 4 % 3), date('{TODAY}', -(n * 7919 / 4 % 1000"
        f" + (3 - (n + 3) % 4) * 20) || ' days'), {_WHOSE}",
    ),
    'interaction (id, created_at, updated_at, version, client, contact, kind, "on", time, subject, body, user)': (
        INTERACTIONS,
        f"n, {_MOMENT}, n * 7919 % {CLIENTS} + 1, 0, CASE n % 5 WHEN 0 THEN 'call' WHEN 1 THEN 'meeting'"
        f" WHEN 2 THEN 'email' WHEN 3 THEN 'sms' ELSE 'note' END, {_ON}, '', '', '', {_WHOSE}",
    ),
    "follow_up (id, created_at, updated_at, version, client, deal, user, due_on, due_time, what, every, done_on)": (
        FOLLOW_UPS,
        f"n, {_MOMENT}, n * 7919 % {CLIENTS} + 1, 0, {_WHOSE}, {_ON}, '', 'call', 0, CASE WHEN n % 3 THEN {_ON} END",
    ),
}
# What one would write by hand, for this database alone.
_REACHED = f"""SELECT stage, count(DISTINCT deal), count(DISTINCT CASE WHEN furthest > position THEN deal END),
        count(DISTINCT CASE WHEN won = 1 THEN deal END) FROM (
    SELECT deal, stage, position, max(CASE WHEN outcome <> 'lost' THEN position END) OVER later AS furthest,
        max(CASE WHEN outcome = 'won' THEN 1 END) OVER later AS won
    FROM stage_move JOIN stage ON stage.id = stage_move.stage WHERE "on" >= '{SINCE}' AND "on" <= '{TODAY}'
    WINDOW later AS (PARTITION BY deal ORDER BY "on", stage_move.id ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
    ) GROUP BY stage"""
_STAYED = f"""SELECT stage, CAST(julianday("on") - julianday(since) AS INTEGER), count(*) FROM (
    SELECT "on", lag(stage) OVER before AS stage, lag("on") OVER before AS since FROM stage_move
    WHERE "on" <= '{TODAY}' WINDOW before AS (PARTITION BY deal ORDER BY "on", id)
    ) WHERE "on" >= '{SINCE}' AND stage IS NOT NULL GROUP BY 1, 2"""
_OPEN = """SELECT expected_close_on, stage, count(*), sum(value) FROM deal WHERE closed_on IS NULL
    GROUP BY expected_close_on, stage"""
_CLOSED = f"""FROM deal JOIN stage ON stage.id = deal.stage
    WHERE outcome = '{{}}' AND closed_on >= '{SINCE}' AND closed_on <= '{TODAY}' GROUP BY"""
_LOST = f"SELECT lost_reason, count(*), sum(value) {_CLOSED.format('lost')} lost_reason"
_WITHIN = f"BETWEEN '{SINCE}' AND '{TODAY}' GROUP BY user"
_ACTIVITY = (
    f'SELECT user, kind, count(*) FROM interaction WHERE "on" {_WITHIN}, kind',
    f"SELECT user, count(*) FROM follow_up WHERE done_on {_WITHIN}",
    f"SELECT owner, count(*), sum(value) {_CLOSED.format('won')} owner",
    f'SELECT user, count(*), sum(amount) FROM sale WHERE "on" {_WITHIN}',
)
_CLAIMS: Mapping[str, tuple[Mapping[str, Any], Sequence[str]]] = {
    "reports funnel": ({"since": SINCE}, (_REACHED, _STAYED)),
    "reports forecast": ({}, (_OPEN,)),
    "reports lost": ({"since": SINCE}, (_LOST,)),
    "reports activity": ({"since": SINCE}, _ACTIVITY),
}


def measure(folder: Path) -> Iterator[Result]:
    """Nearly three years of everything."""
    path = folder / "pipeline.sqlite3"
    _made(path)
    crm = crm_at(path)
    with closing(sqlite3.connect(path)) as bare:
        bare.execute("PRAGMA cache_size = -32000")
        for words, (given, statements) in _CLAIMS.items():
            command = named(words)
            yield claim(
                words,
                partial(command, crm, **given),
                partial(_all_rows, bare, statements),
                "bare SQL",
                LIMIT,
                runs=RUNS,
                note=f"{len(command(crm, **given).rows)} rows",
            )
    crm.repository.close()


def _made(path: Path) -> None:
    crm = crm_at(path)
    crm.transact(lambda tx: tx.add_all(FIRST_STAGES), "made")
    crm.repository.close()
    with closing(sqlite3.connect(path)) as store:
        for table, (count, values) in _ROWS.items():
            store.execute(f"{_NUMBERS.format(count=count)} INSERT INTO {table} SELECT {values} FROM numbers")
        store.commit()
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _all_rows(bare: sqlite3.Connection, statements: Iterable[str]) -> list[list[Any]]:
    return [bare.execute(statement).fetchall() for statement in statements]
