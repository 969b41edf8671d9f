"""Everyday actions among 100 000 clients, each beside bare SQL that reads the same through an index."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.made_up import TODAY, crm_at, store_with_contacts
from benchmarks.measuring import Result, claim
from benchmarks.search import bare as bare_search
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.errors import Question
from crm.terminal.clients.picking import ClientSearch

# What is found through an index takes a fiftieth of a millisecond; to ask for it through all that stands above the
# database takes half of one. What reads the whole table instead would be a thousand times the floor.
LIMIT, LIMIT_OF_WORST = 30.0, 60.0
LIMIT_OF_KEY, LIMIT_OF_TEAM, LIMIT_OF_LIST = 1.5, 1.2, 8.0
_PAGE = 51
_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)"
_MOMENT = "'2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', 1"
_DAY = f"date('{TODAY}', -(n * 7919 % 1400) || ' days')"
# Twenty people look after all clients; each client has been spoken to once, and most of what was to be done is done.
_BUSY = (
    "UPDATE client SET owner = 'Person ' || (id % 20), source = CASE id % 50 WHEN 0 THEN 'fair' ELSE '' END,"
    " tags = CASE id % 100 WHEN 0 THEN ',vip,' ELSE '' END",
    f"""INSERT INTO interaction (id, created_at, updated_at, version, client, contact, kind, "on", time, subject, body,
        user) {_NUMBERS} SELECT n, {_MOMENT}, n, 0, 'call', {_DAY}, '', '', '', 'Person ' || (n % 20) FROM numbers""",
    f"""INSERT INTO follow_up (id, created_at, updated_at, version, client, deal, user, due_on, due_time, what, every,
        done_on) {_NUMBERS} SELECT n, {_MOMENT}, n, 0, 'Person ' || (n % 20), {_DAY}, '', 'call', 0,
        CASE WHEN n % 50 THEN {_DAY} END FROM numbers""",
    f"""INSERT INTO message (id, created_at, updated_at, version, client, contact, mailing, channel, direction, state,
        "on", time, sender, "to", cc, bcc, subject, body, attachments, identifier, answers, occasion, tries, until,
        failure, user) {_NUMBERS} SELECT n, {_MOMENT}, n, 0, 0, 'email', 'out', CASE n % 1000 WHEN 0 THEN 'failed'
        ELSE 'sent' END, {_DAY}, '', '', '', '', '', '', '', '', n, '', '', 1, '', '', '' FROM numbers""",
)
_SOMEBODY = {"first_name": "Elmar", "last_name": "Vanisul", "email": "elmar.vanisul4241@yorgarpe.com"}
# Values that few clients have, many have, or none; nobody's are looked for as long.
_FILTERS: Mapping[str, Any] = {
    "reference": "c0004241", "first_name": "elmar", "last_name": "VANISUL", "company": "wilkamar ltd",
    "email": "elmar.vanisul4241@yorgarpe.com", "phone": "+4366012004241", "address": "1 rue X", "city": "Zürich",
    "postcode": "8001", "country": "AT", "source": "fair", "owner": "person 7", "status": "vip", "tags": ("vip",),
    "marketing_consent": True, "kind": "company",
}  # fmt: skip
_KEYS = [text[:count] for text in ("elmar vanisul", "wilkamar ltd", "c0004241") for count in range(2, len(text) + 1)]
_BARE_FILTER = "SELECT * FROM client WHERE email = 'elmar.vanisul4241@yorgarpe.com' ORDER BY sort_name, id LIMIT 51"
_BARE_DUPLICATES = """SELECT * FROM client WHERE email = 'elmar.vanisul4241@yorgarpe.com' OR phone = '+4366012004241'
    OR search_name = 'elmar vanisul' LIMIT 5"""
_BARE_TEAM = """SELECT lower(owner), count(*) FROM client INDEXED BY client_by_owner GROUP BY lower(owner)
    UNION ALL SELECT lower(user), count(*) FROM follow_up WHERE done_on IS NULL GROUP BY lower(user)"""
_BARE_AGENDA = f"""SELECT * FROM follow_up JOIN client ON client.id = follow_up.client
    WHERE done_on IS NULL AND due_on <= '{TODAY}' ORDER BY due_on, due_time, follow_up.id LIMIT {_PAGE}"""

_LISTS = {
    "clients list": "SELECT * FROM client ORDER BY sort_name, id LIMIT 51",
    "sales list": 'SELECT * FROM sale ORDER BY "on" DESC, id DESC LIMIT 51',
    "interactions list": 'SELECT * FROM interaction ORDER BY "on" DESC, time DESC, id DESC LIMIT 51',
    "email list": 'SELECT * FROM message ORDER BY "on" DESC, time DESC, id DESC LIMIT 51',
    "follow-ups list": "SELECT * FROM follow_up JOIN client ON client.id = follow_up.client WHERE done_on IS NULL"
    " ORDER BY due_on, due_time, follow_up.id LIMIT 51",
}


def measure(folder: Path) -> Iterator[Result]:
    """Adding a client, narrowing the list by each field, picking a client, and the lists that a day begins with."""
    path = folder / "everyday.sqlite3"
    with closing(sqlite3.connect(store_with_contacts(folder))) as clients, closing(sqlite3.connect(path)) as store:
        clients.backup(store)
        for statement in _BUSY:
            store.execute(statement)
        store.commit()
    crm = crm_at(path)
    with closing(sqlite3.connect(path)) as store:

        def bare(statement: str) -> Callable[[], object]:
            return lambda: store.execute(statement).fetchall()

        def add() -> None:
            with suppress(Question):
                named("clients add")(crm, _SOMEBODY)
                raise AssertionError("the duplicate was not found")

        yield claim(
            "a client that may be there already is added", add, bare(_BARE_DUPLICATES), "bare SQL", LIMIT, runs=20
        )
        every = [
            claim(
                name,
                partial(named("clients list"), crm, {name: _FILTERS[name]}, limit=_PAGE),
                bare(_BARE_FILTER),
                "bare SQL by e-mail address",
                LIMIT,
                runs=9,
            )
            for name in _FILTERS
        ]
        every.sort(key=lambda each: each.measured)
        half, worst = every[len(every) // 2], every[-1]
        yield replace(half, name=f"the list narrowed by a field, half of {len(every)}", note=half.name)
        yield replace(worst, name="… the worst of them", limit=LIMIT_OF_WORST, note=worst.name)
        search = ClientSearch(crm)
        floors = [bare_search(store, typed) for typed in _KEYS]
        yield claim(
            f"a key in the client picker, {len(_KEYS)} of them",
            lambda: [search.suggest(typed) for typed in _KEYS],
            lambda: [floor() for floor in floors],
            "bare FTS5 queries, ranked",
            LIMIT_OF_KEY,
            each=len(_KEYS),
        )
        yield claim(
            "who has what to do", lambda: named("people list")(crm), bare(_BARE_TEAM), "bare SQL", LIMIT_OF_TEAM
        )
        yield claim(
            "the agenda",
            lambda: named("agenda")(crm, limit=_PAGE),
            bare(_BARE_AGENDA),
            "its follow-ups, bare SQL",
            LIMIT_OF_LIST,
            runs=20,
        )
        for words, statement in _LISTS.items():
            yield claim(words, partial(_listed, crm, words), bare(statement), "bare SQL", LIMIT_OF_LIST, runs=20)
    crm.repository.close()


def _listed(crm: CRM, words: str) -> None:
    named(words)(crm, {}, limit=_PAGE) if words == "clients list" else named(words)(crm, limit=_PAGE)
