"""The board with 10 000 open deals, read and drawn as it opens, beside the bare SQL for what it shows."""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.made_up import TODAY, crm_at
from benchmarks.measuring import Result, claim
from crm.model import FIRST_STAGES
from crm.repository.queries.people import EVERYBODY, OwnerFilter
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.sales.board import BoardPage
from crm.terminal.toolkit.session import Session

OPEN, CLOSED, CLIENTS = 10_000, 20_000, 5_000
LIMIT = 2.0
_COLUMNS, _LINES = 120, 40
# As many cards of a stage as such a terminal has room for, and stages side by side.
_CARDS, _STAGES = 9, 6
_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"
_MOMENT = "'2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', 1"
_CLIENTS = f"""{_NUMBERS}
INSERT INTO client (id, created_at, updated_at, version, reference, kind, first_name, last_name, company, email, phone,
    address, city, postcode, country, tags, source, owner, marketing_consent, notes, extra, status, status_reason,
    status_before, total_spend, sales_count, sort_name, search_name, search_rest, birthday)
SELECT n, {_MOMENT}, NULL, 'company', '', '', 'Company ' || n, '', '', '', '', '', '', '', '', '', 0, '', '', 'Regular',
    '', '', 0, 0, 'company ' || n, 'company ' || n, '', '' FROM numbers"""
# Open ones in the first four stages, closed ones in the last two, over the last thousand days.
_DEALS = f"""{_NUMBERS}
INSERT INTO deal (id, created_at, updated_at, version, client, title, stage, value, expected_close_on, owner,
    lost_reason, notes, stage_since, closed_on)
SELECT n, {_MOMENT}, n * 7919 % {CLIENTS} + 1, 'Deal ' || n,
    CASE WHEN n <= {OPEN} THEN n % 4 + 1 ELSE n % 2 + 5 END, n * 6007 % 5000000 + 100,
    date('{TODAY}', (n % 200 - 50) || ' days'), 'Owner ' || (n % 12), '', '', date('{TODAY}', -(n % 60) || ' days'),
    CASE WHEN n > {OPEN} THEN date('{TODAY}', -(n % 1000) || ' days') END FROM numbers"""
_OF_STAGE = """SELECT deal.*, client.* FROM deal JOIN client ON client.id = deal.client WHERE deal.stage = ?
    AND (closed_on IS NULL OR closed_on >= ?) ORDER BY {order}deal.value DESC, deal.id DESC LIMIT ?"""
_SUMS = """SELECT stage, count(*), sum(value) FROM deal WHERE closed_on IS NULL OR closed_on >= ? GROUP BY +stage"""


def measure(folder: Path) -> Iterator[Result]:
    """Everybody's board, and one's own, which no index helps to find."""
    path = folder / "board.sqlite3"
    _made(path)
    crm = crm_at(path)
    screen = Screen(io.StringIO(), plain=True)
    screen.console.size = (_COLUMNS, _LINES)
    with (
        closing(Session(crm, LineKeyboard(io.StringIO(), screen), screen)) as session,
        closing(sqlite3.connect(path)) as bare,
    ):
        since = TODAY.replace(month=TODAY.month - 1).isoformat()

        def opened(owner: OwnerFilter) -> None:
            page = BoardPage(session)
            page.owner = owner
            session.page("Deals")
            page.draw()

        def by_hand() -> None:
            bare.execute("SELECT * FROM stage ORDER BY position").fetchall()
            bare.execute(_SUMS, (since,)).fetchall()
            for stage in range(1, _STAGES + 1):
                order = "closed_on DESC, " if stage > 4 else ""
                bare.execute(_OF_STAGE.format(order=order), (stage, since, _CARDS)).fetchall()

        told, note = "bare SQL, everybody's", f"{CLOSED:,} closed ones"
        yield claim(f"board with {OPEN:,} open deals", lambda: opened(EVERYBODY), by_hand, told, LIMIT, note=note)
        yield claim("the same, mine", lambda: opened(OwnerFilter("Owner 3")), by_hand, told, LIMIT, note=note)


def _made(path: Path) -> None:
    crm = crm_at(path)
    crm.transact(lambda tx: tx.add_all(FIRST_STAGES), "made")
    crm.repository.close()
    with closing(sqlite3.connect(path)) as store:
        store.execute(_CLIENTS.format(count=CLIENTS))
        store.execute(_DEALS.format(count=OPEN + CLOSED))
        store.commit()
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
