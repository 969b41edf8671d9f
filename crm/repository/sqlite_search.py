"""Search in SQLite: an index of groups of three letters, beginnings first, and the misspelt by likeness."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from crm.model import Client
from crm.repository import sqlite_contacts, statements
from crm.repository.tables import fold

# (id, sort_name, search_name) of a client that may be meant.
_Candidate = Any

_LONGEST = 200
# What no record holds and the database cannot take.
_UNSEARCHABLE = re.compile("[\x00-\x1f\ud800-\udfff]")
_SHORTEST_INDEXED = 3
_CANDIDATES = 100
_MISSPELT_CANDIDATES = 2000
_LETTER_CANDIDATES = 6_000
_ROUGHLY = 0.6
# A double name has two parts, each of which may be meant.
_PARTS = re.compile(r"[\s-]+")
# How alike (0 to 1) a misspelt word and the one meant are: one letter in four may differ.
_ALIKE = 0.75

# The index holds no text of its own, it reads the client table; substrings of three letters and more are found.
# Changes and deletions keep it in step by themselves. Additions are indexed all at once at the end of a
# transaction (`ADD`): a trigger for each would make an import three times slower.
INDEX = (
    """CREATE VIRTUAL TABLE IF NOT EXISTS client_search USING fts5(
        search_name, search_rest, content='client', content_rowid='id', tokenize='trigram')""",
    """CREATE TRIGGER IF NOT EXISTS client_search_changed AFTER UPDATE OF search_name, search_rest ON client BEGIN
        INSERT INTO client_search (client_search, rowid, search_name, search_rest)
            VALUES ('delete', old.id, old.search_name, old.search_rest);
        INSERT INTO client_search (rowid, search_name, search_rest) VALUES (new.id, new.search_name, new.search_rest);
    END""",
    """CREATE TRIGGER IF NOT EXISTS client_search_deleted AFTER DELETE ON client BEGIN
        INSERT INTO client_search (client_search, rowid, search_name, search_rest)
            VALUES ('delete', old.id, old.search_name, old.search_rest);
    END""",
    *sqlite_contacts.INDEX,
)
ADD = """INSERT INTO client_search (rowid, search_name, search_rest)
    SELECT id, search_name, search_rest FROM client WHERE id IN (SELECT value FROM json_each(?))"""

_STARTING = """
SELECT id, sort_name, search_name FROM (SELECT id, sort_name, search_name FROM client
    WHERE sort_name >= :text AND sort_name < :text || char(1114111) ORDER BY sort_name LIMIT :limit)
UNION SELECT id, sort_name, search_name FROM (SELECT id, sort_name, search_name FROM client
    WHERE search_name >= :text AND search_name < :text || char(1114111) ORDER BY search_name LIMIT :limit)"""
_CONTAINING = """
UNION SELECT id, sort_name, search_name FROM (SELECT client.id, sort_name, client.search_name
    FROM client_search JOIN client ON client.id = client_search.rowid
    WHERE client_search MATCH :match{more} LIMIT :candidates)"""
# One or two letters are looked for in names only, which an index holds by themselves.
_SCANNING = """SELECT id, sort_name, search_name FROM client
    WHERE id IN (SELECT id FROM client WHERE {every} LIMIT :candidates)"""
_RESEMBLING = """SELECT client.id, sort_name, client.search_name
    FROM client_search JOIN client ON client.id = client_search.rowid
    WHERE client_search MATCH :match LIMIT :candidates"""

# Read from the two indexes of names alone.
_SAME_LETTER = """SELECT id, name FROM (SELECT id, sort_name AS name FROM client
    WHERE sort_name >= :letter AND sort_name < :letter || char(1114111) LIMIT :candidates)
UNION ALL SELECT id, name FROM (SELECT id, search_name AS name FROM client
    WHERE search_name >= :letter AND search_name < :letter || char(1114111) LIMIT :candidates)"""


def search(connection: Connection, text: str, limit: int) -> Sequence[Row[Any]]:
    """Rows of clients that fit what was typed, or have a contact that does, best first."""
    folded = fold(_UNSEARCHABLE.sub(" ", text[:_LONGEST])).strip()
    contacts = sqlite_contacts.are_indexed(connection)
    found: list[_Candidate] = []
    for words in _readings(folded):
        found += _candidates(connection, folded, words, limit, contacts=contacts)
    if not found and contacts:
        found = _together(connection, folded.split())
    if found:
        found.sort(key=lambda row: _distance(row, folded, folded.split()))
    else:
        found = _resembling(connection, folded.split(), contacts=contacts)
    # Who is found in several ways stands where the best of them puts it.
    best = list(dict.fromkeys(row[0] for row in found))[:limit]
    if not best:
        return []
    places = {wanted: place for place, wanted in enumerate(best)}
    rows = connection.execute(statements.BY_IDS[Client], {"wanted": best}).all()
    return sorted(rows, key=lambda row: places[row.id])


def _candidates(
    connection: Connection, folded: str, words: Sequence[str], limit: int, *, contacts: bool
) -> list[_Candidate]:
    """Those whose name, or that of a contact, begins with the text, and some that contain its words."""
    long = [word for word in words if len(word) >= _SHORTEST_INDEXED]
    short = [word for word in words if len(word) < _SHORTEST_INDEXED]
    values: dict[str, Any] = {"text": folded, "limit": limit, "candidates": max(_CANDIDATES, limit)}
    for place, word in enumerate(short):
        values[f"short{place}"] = f"%{_escaped(word)}%"
    names = [f"short{place}" for place in range(len(short))]
    of_client = sqlite_contacts.every(names, "client.search_name")
    of_contact = sqlite_contacts.every(names, "contact.search_name")
    statement = _STARTING + (sqlite_contacts.STARTING if contacts else "")
    if long:
        values["match"] = " AND ".join(_quoted(word) for word in long)
        statement += _CONTAINING.format(more=f" AND {of_client}" if short else "")
        if contacts:
            statement += sqlite_contacts.CONTAINING.format(more=f" AND {of_contact}" if short else "")
    found = list(connection.exec_driver_sql(statement, values))
    if not long and len(found) < limit:
        statement = _SCANNING.format(every=of_client)
        if contacts:
            statement += sqlite_contacts.SCANNING.format(every=of_contact)
        found += connection.exec_driver_sql(statement, values)
    return found


def _together(connection: Connection, words: Sequence[str]) -> list[_Candidate]:
    """Those that are named along with a contact: some of the words are the contact's, the others its client's."""
    long = [word for word in words if len(word) >= _SHORTEST_INDEXED]
    if len(words) < 2 or not long:
        return []
    values: dict[str, Any] = {f"word{place}": f"%{_escaped(word)}%" for place, word in enumerate(words)}
    both = "contact.search_name || ' ' || client.search_name"
    statement = sqlite_contacts.TOGETHER.format(every=sqlite_contacts.every(list(values), f"({both})"))
    values |= {"match": " OR ".join(map(_quoted, long)), "candidates": _MISSPELT_CANDIDATES}
    return list(connection.exec_driver_sql(statement, values))


_TELEPHONE = re.compile(r"[+\d][\d\s()/.-]{3,}")


def _readings(folded: str) -> Iterator[list[str]]:
    """The words to look for; what may be a telephone number also as its digits as they are stored."""
    words = folded.split()
    if words:
        yield words
    if _TELEPHONE.fullmatch(folded):
        digits = re.sub(r"\(0\)|\D", "", folded).lstrip("0")
        if digits and [digits] != words:
            yield [digits]


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _escaped(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)


def _distance(row: _Candidate, folded: str, words: Sequence[str]) -> tuple[int, str]:
    """How far a client is from what was typed: its name, a name that begins so, a word that does, a part, elsewhere."""
    _, sort_name, name = row
    if folded in (name, sort_name):
        place = 0
    elif name.startswith(folded) or sort_name.startswith(folded):
        place = 1
    elif all(f" {word}" in f" {name}" for word in words):
        place = 2
    else:
        place = 3 if all(word in name for word in words) else 4
    return place, sort_name


def _resembling(connection: Connection, words: Sequence[str], *, contacts: bool) -> list[_Candidate]:
    """Clients whose names, or those of a contact, are spelt much like the words.

    One wrong letter leaves one half of a long word as it is, so the halves are looked for, and what has one is
    compared. Of a short word it may leave nothing that an index holds, so names with its first letter are compared.
    """
    long = [part for word in words for part in _PARTS.split(word) if len(part) > _SHORTEST_INDEXED]
    if not long:
        return []
    match = " AND ".join(f"({' OR '.join(map(_quoted, _halves(word)))})" for word in long)
    halves = {"match": f"search_name : ({match})", "candidates": _MISSPELT_CANDIDATES}
    rows: list[_Candidate] = []
    for statement in (_RESEMBLING, sqlite_contacts.RESEMBLING)[: 1 + contacts]:
        rows += connection.exec_driver_sql(statement, halves)
    if min(map(len, long)) < 2 * _SHORTEST_INDEXED:
        rows += _with_first_letter(connection, max(long, key=len), contacts=contacts)
    return _alike(rows, long)


def _halves(word: str) -> tuple[str, str]:
    half = max(_SHORTEST_INDEXED, len(word) // 2)
    return word[:half], word[-half:]


def _with_first_letter(connection: Connection, word: str, *, contacts: bool) -> list[_Candidate]:
    """Clients whose first or last name, or that of a contact, has the first letter of the word, those that roughly
    hold it."""
    from rapidfuzz import fuzz, process

    statement = _SAME_LETTER + (sqlite_contacts.SAME_LETTER if contacts else "")
    rows = connection.exec_driver_sql(statement, {"letter": word[0], "candidates": _LETTER_CANDIDATES}).all()
    rough = process.extract(
        word, [row[1] for row in rows], scorer=fuzz.partial_ratio, score_cutoff=100 * _ROUGHLY, limit=3 * _CANDIDATES
    )
    return [(rows[place][0], rows[place][1], rows[place][1]) for _, _, place in rough]


def _alike(rows: Iterable[_Candidate], words: Sequence[str]) -> list[_Candidate]:
    """Those that have a name much like each of the words, the most alike first."""
    from rapidfuzz.distance import OSA

    alike: dict[int, tuple[float, str, _Candidate]] = {}
    for row in rows:
        names = _PARTS.split(row[2])
        likeness = min(max(OSA.normalized_similarity(word, name) for name in names) for word in words)
        if likeness >= _ALIKE and (row[0] not in alike or -likeness < alike[row[0]][0]):
            alike[row[0]] = (-likeness, row[1], row)
    return [row for _, _, row in sorted(alike.values(), key=lambda each: each[:2])]
