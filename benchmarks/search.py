"""Search among 100 000 clients and as many contacts, key by key, beside the bare FTS5 trigram query."""

import sqlite3
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.made_up import crm_at, store_with_contacts
from benchmarks.measuring import Result, claim, seconds
from crm.model import Client
from crm.repository import Transaction

LIMIT, LIMIT_OF_THE_WORST = 3.0, 10.0
# Beside the made-up names, which are of few syllables and alike, some as people are called.
NAMED = (
    Client(kind="person", first_name="Jürgen", last_name="Größmann", city="Zürich", tags=("gold",)),
    Client(kind="person", first_name="José", last_name="García", city="Málaga"),
    Client(kind="person", first_name="Seán", last_name="O'Brien"),
    Client(kind="person", first_name="Anna", last_name="Meyer-Landrut"),
    Client(kind="person", first_name="伟", last_name="张"),
    Client(kind="company", company="Straßenbau Nord GmbH"),
    Client(kind="person", first_name="Tomasz", last_name="Zielinski"),
    Client(kind="person", first_name="Jonas", last_name="Marchetti"),
    Client(kind="person", first_name="Eva", last_name="Mueller"),
)
KINDS: Mapping[str, str] = {
    "three letters": "mar",
    "the beginning of a last name": "marb",
    "a last name": "vanisul",
    "a first name": "elmar",
    "first and last name": "elmar vanisul",
    "last and first name": "vanisul elmar",
    "last name, comma, first name": "vanisul, elmar",
    "first name and a beginning": "elmar van",
    "initial and last name": "e vanisul",
    "initial with a point": "e. vanisul",
    "capitals": "ELMAR VANISUL",
    "the middle of a name": "nisu",
    "an umlaut": "größmann",
    "an umlaut left out": "grossmann",
    "an umlaut as two letters": "juergen groessmann",
    "an accent left out": "garcia",
    "an apostrophe": "o'brien",
    "an apostrophe left out": "obrien",
    "a double name": "meyer-landrut",
    "half of a double name": "landrut",
    "a company": "wilkamar",
    "a company with its legal form": "wilkamar ltd",
    "a legal form": "ltd",
    "a company misspelt, with its legal form": "wilkmaar ltd",
    "a number": "4242",
    "a reference": "c0004242",
    "part of a reference": "c000424",
    "an e-mail address": "jowil.joulyor4242@wilkamar.com",
    "what stands before the @": "jowil.joulyor4242",
    "what stands behind the @": "@gmx.at",
    "a provider of many": "gmail",
    "an e-mail address misspelt": "jowil.jolyor4242@wilkamar.com",
    "a telephone number": "+4366012004242",
    "a telephone number as dialled at home": "066012004242",
    "a telephone number with blanks": "0660 12 00 42 42",
    "the last digits of a telephone number": "004242",
    "the first digits of all telephone numbers": "66012",
    "a city": "zürich",
    "a tag": "gold",
    "a letter missing": "vansul",
    "a letter doubled": "vanissul",
    "two letters swapped": "vansiul",
    "two letters swapped, in the middle of a short name": "jwoil",
    "two of three letters swapped": "arm",
    "a letter wrong": "vanisal",
    "the first letter wrong": "wanisul",
    "the first letter missing": "anisul",
    "a letter too many": "vanisuls",
    "a key beside the right one": "yimgar dolpean",
    "a short name misspelt": "jowli",
    "first name, last name misspelt": "elmar vanisal",
    "first name misspelt, last name": "elmra vanisul",
    "first and last name misspelt": "elmra vanisal",
    "three words, two misspelt": "jowil joluyor wilkmar",
    "a name as it sounds": "zilinsky",
    "a name as it sounds, two letters for one": "marketi",
    "first and last name as they sound": "tomas zilinsky",
    "an umlaut for two letters": "müller",
    "an umlaut misspelt": "grösmann",
    "a contact": "garfin doldol",
    "a contact misspelt": "garfn doldoll",
    "a contact and the client": "garfin vanisul",
    "a contact and the client, misspelt": "garfn vanisull",
    "groups of letters that many names have": "berber",
    "such groups, misspelt": "berbeer",
    "such groups, two words misspelt": "anber sttenan",
    "the misspelt beginning of a name": "vanz",
    "a longer misspelt beginning": "marchte",
    "the misspelt beginning of many names": "mxr",
    "first name, misspelt beginning of the last": "elmar vnis",
    "what nobody is called": "xqzwvy",
    "what nobody is called, short": "xqzw",
    "what nobody is called, two words": "xqzw vyqx",
    "a name and what nobody is called": "vanisul xqzw",
    "a number that nobody has": "99999999999",
    "marks": "---",
    "one letter again and again": "aaaaaaaa",
    "a pasted sentence": "the quick brown fox jumps over the lazy dog and the client asks for an offer by friday",
}
# No group of three letters holds them: where too few names begin so, all are gone through.
SHORT: Mapping[str, str] = {"a letter": "a", "two letters": "an", "two in no name": "zu", "another script": "张伟"}
LIMIT_OF_SHORT = 2.0
_FLOOR = "bare FTS5 queries, ranked: the median"
_BARE = """SELECT * FROM (SELECT client.* FROM client_search JOIN client ON client.id = client_search.rowid
    WHERE client_search MATCH :match ORDER BY client_search.rank LIMIT 20)
UNION ALL SELECT * FROM (SELECT client.* FROM contact_search JOIN contact ON contact.id = contact_search.rowid
    JOIN client ON client.id = contact.client WHERE contact_search MATCH :match ORDER BY contact_search.rank
    LIMIT 20)"""
_BARE_SHORT = """SELECT id FROM client WHERE search_name LIKE :part
UNION SELECT client FROM contact WHERE search_name LIKE :part LIMIT 20"""


def measure(folder: Path) -> Iterator[Result]:
    """Each kind of typing, as the picker asks for it: twenty clients, best first."""
    path = store_with_contacts(folder)
    crm = crm_at(path)
    crm.transact(_add_named, "people")
    with closing(sqlite3.connect(path)) as store, crm.read() as snapshot:
        # Of what the bare query cannot find it makes short work: only what it answers is a floor.
        answered = {text: seconds(bare(store, text), runs=3) for text in KINDS.values() if bare(store, text)()}
        median = statistics.median_low(answered.values())
        floor = bare(store, next(text for text, taken in answered.items() if taken == median))
        every = [
            claim(kind, partial(snapshot.search, text), floor, _FLOOR, LIMIT_OF_THE_WORST, runs=5)
            for kind, text in KINDS.items()
        ]
        short = [
            claim(
                kind,
                partial(snapshot.search, text),
                lambda: store.execute(_BARE_SHORT, {"part": "%zu%"}).fetchall(),
                "bare LIKE",
                LIMIT_OF_SHORT,
                runs=5,
            )
            for kind, text in SHORT.items()
        ]
    crm.repository.close()
    every.sort(key=lambda each: each.measured)
    half = every[len(every) // 2]
    yield replace(half, name=f"search among 100 000, half of {len(every)} kinds of typing", limit=LIMIT, note=half.name)
    yield replace(every[-1], name="… the worst of them", note=", ".join(each.name for each in every[:-4:-1]))
    worst = max(short, key=lambda each: each.measured)
    yield replace(worst, name="… the worst of one or two letters", note=worst.name)


def _add_named(tx: Transaction) -> None:
    tx.add_all(NAMED)


def bare(store: sqlite3.Connection, text: str) -> Callable[[], list[object]]:
    """A bare ranked query for the words of a text."""
    words = [word for word in text.split() if len(word) > 2]
    match = " AND ".join(f'"{word}"' for word in words) or '"   "'
    return lambda: store.execute(_BARE, {"match": match}).fetchall()
