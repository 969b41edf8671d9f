"""The first and the last page of the timeline of a client with 5 000 entries, beside a bare query of the first."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from benchmarks.made_up import TODAY, crm_at, store_of
from benchmarks.measuring import Result, claim, seconds
from crm.commands.registry import named
from crm.model import Client, Deal, FollowUp, Interaction, Message, Record, Sale
from crm.repository import Transaction

LIMIT, LIMIT_OF_LAST = 3.0, 1.1
_PAGE = 10
_CLIENT = 4242
# The latest of each kind, merged and cut by the database itself.
_BARE = """SELECT * FROM (
    SELECT * FROM (SELECT "on", created_at, 'sale', id FROM sale WHERE client = :client
        ORDER BY "on" DESC, id DESC LIMIT :most)
    UNION ALL SELECT * FROM (SELECT "on", created_at, kind, id FROM interaction WHERE client = :client
        ORDER BY "on" DESC, time DESC, id DESC LIMIT :most)
    UNION ALL SELECT * FROM (SELECT "on", created_at, channel, id FROM message WHERE client = :client
        ORDER BY "on" DESC, time DESC, id DESC LIMIT :most)
    UNION ALL SELECT * FROM (SELECT stage_move."on", stage_move.created_at, 'deal', deal.id
        FROM stage_move JOIN deal ON deal.id = stage_move.deal WHERE client = :client
        ORDER BY stage_move."on" DESC, stage_move.id DESC LIMIT :most)
    UNION ALL SELECT * FROM (SELECT date(created_at), created_at, 'set', id FROM follow_up WHERE client = :client
        ORDER BY created_at DESC LIMIT :most)
    UNION ALL SELECT * FROM (SELECT done_on, updated_at, 'done', id FROM follow_up
        WHERE client = :client AND done_on IS NOT NULL ORDER BY done_on DESC LIMIT :most)
    UNION ALL SELECT * FROM (SELECT date(at), at, operation, audit.id FROM audit
        JOIN transactions ON transactions.id = audit."transaction" WHERE record_id = :client AND record = 'client'
        AND NOT (operation = 'update' AND after LIKE '{"total_spend"%') ORDER BY audit.id DESC LIMIT :most)
) ORDER BY 1 DESC, 2 DESC LIMIT :most"""


def measure(folder: Path) -> Iterator[Result]:
    """The page as the command gives it, of all kinds and of one, and the last page of all."""
    path = folder / "timeline.sqlite3"
    with closing(sqlite3.connect(store_of(folder, 100_000))) as clients, closing(sqlite3.connect(path)) as copy:
        clients.backup(copy)
    crm = crm_at(path)
    crm.transact(_busy, "made-up entries")
    # Sold one after the other, each sale leaves a change of the totals in the history, which tells nothing.
    for number in range(500):
        crm.transact(partial(_add, _sale(number)), "recorded a sale")
    with crm.read() as snapshot:
        client = snapshot.get(Client, _CLIENT)
    timeline = named("timeline")
    entries = len(timeline(crm, client, limit=100_000).entries)
    assert entries >= 5000
    bare = sqlite3.connect(path)
    values = {"client": _CLIENT, "most": _PAGE + 1}
    others = {
        "only edits": lambda: timeline(crm, client, ("edit",), limit=_PAGE),
        "only e-mails": lambda: timeline(crm, client, ("email",), limit=_PAGE),
        "only deals": lambda: timeline(crm, client, ("deal",), limit=_PAGE),
    }
    told = [f"{name} {seconds(action, runs=3) * 1000:.1f} ms" for name, action in others.items()]
    yield claim(
        "first page of a timeline",
        lambda: timeline(crm, client, limit=_PAGE),
        lambda: bare.execute(_BARE, values).fetchall(),
        "bare query",
        LIMIT,
        runs=20,
        note=f"of {entries} entries; {', '.join(told)}",
    )
    last = timeline(crm, client, limit=entries - _PAGE).next
    yield claim(
        "last page of a timeline",
        lambda: timeline(crm, client, limit=_PAGE, after=last),
        lambda: timeline(crm, client, limit=_PAGE),
        "its first page",
        LIMIT_OF_LAST,
        runs=20,
    )
    crm.repository.close()
    bare.close()


def _sale(number: int) -> Sale:
    return Sale(client=_CLIENT, on=TODAY - timedelta(days=number % 700), amount=Decimal(12), note="made up")


def _add(sale: Sale, tx: Transaction) -> None:
    tx.add(sale)


def _busy(tx: Transaction) -> None:
    """Thousands of entries for one client, over two years, and some for the others around it."""
    chance = random.Random(4)
    for kind in (Sale, Interaction, Message, FollowUp, Deal):
        for client, count in ((_CLIENT, 1500), (_CLIENT + 1, 200), (_CLIENT - 1, 200)):
            tx.add_all([*_made(kind, client, count if kind is not Deal else count // 3, chance)])
    deals = [deal for deal in tx.each(Deal) if deal.client == _CLIENT]
    for deal in deals:
        tx.change(deal, stage=2 + deal.id % 3)


def _made(kind: type[Record], client: int, count: int, chance: random.Random) -> Iterator[Record]:
    for number in range(count):
        on = TODAY - timedelta(days=chance.randrange(700))
        if kind is Sale:
            yield Sale(client=client, on=on, amount=Decimal(number + 1), note="made up")
        elif kind is Interaction:
            clock = chance.choice(("", "09:00", "16:30"))
            yield Interaction(
                client=client, kind=chance.choice(("call", "email")), on=on, time=clock, subject="made up"
            )
        elif kind is Message:
            way = chance.choice((("in", "received"), ("out", "sent"), ("out", "failed")))
            yield Message(
                client=client, channel="email", direction=way[0], state=way[1], on=on, time="09:00",
                subject="made up", body="made up " * 500, identifier=f"<{client}-{number}@example.com>",
            )  # fmt: skip
        elif kind is FollowUp:
            yield FollowUp(client=client, due_on=on, what="made up", done_on=on if number % 2 else None)
        else:
            yield Deal(client=client, title=f"Deal {number}", value=Decimal(number))
