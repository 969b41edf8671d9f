"""Search as one types among 100 000 clients, and as many contacts, beside the bare FTS5 trigram query."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmarks.made_up import contacts, crm_at, store_of
from benchmarks.measuring import Result, claim
from crm.repository import Snapshot

LIMIT, LIMIT_OF_THE_WORST = 3.0, 10.0
TYPED = ("mar", "marb", "marber", "anka", "anka t", "dolgar ltd", "berlin", "@gmx.at", "66012012", "C0004242")
MISSPELT = ("marbr stentorul", "dolgarr", "annkaber")
_SHORT = ("a", "zu", "x b")
_BARE = """SELECT client.* FROM client_search JOIN client ON client.id = client_search.rowid
    WHERE client_search MATCH :match ORDER BY client_search.rank LIMIT 20"""
# With contacts, what is typed may also be one of them, and one of them with the client.
_TYPED_OF_CONTACTS = ("jo", "rosvan", "rosvan ulfin", "fox@", "dolgar rosvan", "+43699")
_MISSPELT_CONTACTS = ("rosvn ulfinn", "stentrul", "xqzw")
_BARE_WITH_CONTACTS = """SELECT client.* FROM client WHERE id IN (
    SELECT rowid FROM client_search WHERE client_search MATCH :match UNION
    SELECT client FROM contact_search JOIN contact ON contact.id = contact_search.rowid
        WHERE contact_search MATCH :match) LIMIT 20"""


def measure(folder: Path) -> Iterator[Result]:
    """Each thing typed, as the picker asks for it: twenty clients, best first."""
    path = store_of(folder, 100_000)
    yield from _measured(path, "search among 100 000", _BARE, "bare FTS5 query, ranked", (*MISSPELT, *_SHORT))
    with_contacts = folder / "contacts-100000.sqlite3"
    with closing(sqlite3.connect(path)) as clients, closing(sqlite3.connect(with_contacts)) as copy:
        clients.backup(copy)
    crm = crm_at(with_contacts)
    crm.transact(contacts, "made-up contacts")
    crm.repository.close()
    yield from _measured(
        with_contacts,
        "search among 100 000, with contacts",
        _BARE_WITH_CONTACTS,
        "bare FTS5 queries, not ranked",
        (*_TYPED_OF_CONTACTS, *MISSPELT, *_MISSPELT_CONTACTS, *_SHORT),
    )


def _measured(path: Path, name: str, bare: str, floor: str, more: tuple[str, ...]) -> Iterator[Result]:
    """What is typed as it should be, all of it; then the worst of that and of more."""
    crm = crm_at(path)
    with closing(sqlite3.connect(path)) as store, crm.read() as snapshot:
        asked = _bare(store, bare)
        yield claim(
            name, lambda: _searched(snapshot, TYPED), lambda: asked(TYPED), floor, LIMIT, runs=20, each=len(TYPED)
        )
        every = [
            claim(
                text,
                lambda text=text: _searched(snapshot, (text,) * len(TYPED)),
                lambda: asked(TYPED),
                floor,
                LIMIT_OF_THE_WORST,
                runs=3,
                each=len(TYPED),
            )
            for text in (*TYPED, *more)
        ]
        worst = max(every, key=lambda each: each.ratio)
        yield replace(worst, name=f"… the worst of {len(every)} kinds of typing", note=worst.name)
    crm.repository.close()


def _searched(snapshot: Snapshot, texts: tuple[str, ...]) -> None:
    for text in texts:
        snapshot.search(text)


def _bare(store: sqlite3.Connection, statement: str) -> Callable[[tuple[str, ...]], None]:
    def asked(texts: tuple[str, ...]) -> None:
        for text in texts:
            match = " AND ".join(f'"{word}"' for word in text.split() if len(word) > 2)
            store.execute(statement, {"match": match}).fetchall()

    return asked
