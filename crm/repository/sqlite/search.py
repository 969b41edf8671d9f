"""Search in SQLite: an index of groups of three letters, beginnings first, and the misspelt by likeness."""

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Row

from crm.batching import batches
from crm.lazy_pattern import lazy_pattern
from crm.model import Client
from crm.model.folding import fold
from crm.model.likeness import ALIKE, sound_likeness, spellings
from crm.repository import statements
from crm.repository.sqlite import contact_search

# (id, sort_name, search_name) of a client that may be meant.
_Candidate = Any

_LONGEST = 200
# What no record holds and the database cannot take.
_UNSEARCHABLE = lazy_pattern("[\x00-\x1f\ud800-\udfff]")
_SHORTEST_INDEXED = 3
_CANDIDATES = 100
_TOGETHER_CANDIDATES = 2000
_MISSPELT_CANDIDATES = 500
# Of a longer text, as somebody may paste it, no more words are taken for misspelt names.
_MOST_MISSPELT = 6
# Nor one that is longer than a name is, or written in more scripts (blocks of 128 letters): there would be too many
# ways to have meant it.
_LONGEST_MISSPELT = 40
_MOST_BLOCKS = 4
# A double name has two parts, each of which may be meant.
_PARTS = lazy_pattern(r"[\s-]+")
# Of words that are not found by one letter the longest must have so many, to be looked for by its sound; and of more
# words, or more spellings, there would be too many to compare.
_SHORTEST_SOUND = 5
_MOST_SOUNDS = 3
_MOST_SPELLINGS = 600
_SOUND_CANDIDATES = 200
# What is longer was typed to its end. So many spellings are looked up together.
_LONGEST_BEGINNING = 12
_SPELLINGS_TOGETHER, _BEGINNING_CANDIDATES = 200, 200
_WINDOW = 4
# Letters that have no accent to take off, by what is typed for them on another keyboard.
_LETTERS = {
    "l": "\u0142",
    "o": "\u00f8",
    "d": "\u0111\u00f0",
    "i": "\u0131",
    "th": "\u00fe",
    "ae": "\u00e6",
    "oe": "\u0153",
}
_TYPED_SO = lazy_pattern(r"th|ae|oe|.", re.DOTALL)
_LONGEST_WITH_LETTERS = 4
_MOST_LETTERED = 9
# What people write between names: "Fox, Jo", "J. Fox".
_POINTS = ".,;:"
# An e that may stand for the dots over the vowel before it.
_UMLAUT_E = lazy_pattern("([aou])e")

# The index holds no text of its own, it reads the client table; substrings of three letters and more are found. Changes
# and deletions keep it up to date by themselves. Additions are indexed all at once at the end of a transaction (`ADD`):
# a trigger for each would make an import three times slower.
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
    *contact_search.INDEX,
)
ADD = """INSERT INTO client_search (rowid, search_name, search_rest)
    SELECT id, search_name, search_rest FROM client WHERE id IN (SELECT value FROM json_each(?))"""

_INDEXED_AT_ONCE = 20_000


class SqliteSearch:
    """The search of a store in SQLite."""

    def prepare(self, connection: Connection) -> None:
        for statement in INDEX:
            connection.exec_driver_sql(statement)

    def add(self, connection: Connection, ids: Sequence[int]) -> None:
        for batch in batches(ids, _INDEXED_AT_ONCE):
            connection.exec_driver_sql(ADD, (json.dumps(batch),))

    def find(self, connection: Connection, text: str, limit: int) -> Sequence[Row[Any]]:
        return search(connection, text, limit)


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

# Whose first or last name, or the first part of it, is one of several words or begins with it, in the order of the
# words.
_IS_NAMED, _BEGINS = "'.'", "char(1114111)"
_NAMED = """SELECT * FROM (SELECT client.id, sort_name, client.search_name FROM json_each(:words) AS word
    CROSS JOIN client WHERE sort_name >= word.value AND sort_name < word.value || {end} LIMIT :candidates)
UNION ALL SELECT * FROM (SELECT client.id, sort_name, client.search_name FROM json_each(:words) AS word
    CROSS JOIN client WHERE search_name >= word.value AND search_name < word.value || {end} LIMIT :candidates)"""


def search(connection: Connection, text: str, limit: int) -> Sequence[Row[Any]]:
    """Rows of clients that fit what was typed, or have a contact that does, best first."""
    folded = fold(_UNSEARCHABLE.sub(" ", text[:_LONGEST])).strip()
    typed = _words(folded)
    contacts = contact_search.are_indexed(connection)
    candidates: list[_Candidate] = []
    for words in _readings(folded):
        candidates += _candidates(connection, folded, words, limit, contacts=contacts)
    for other in _spelled_otherwise(text, folded) if len(candidates) < limit else ():
        candidates += _candidates(connection, other, _words(other), limit, contacts=contacts)
    if not candidates and contacts:
        candidates = _together(connection, typed)
    if candidates:
        candidates.sort(key=lambda row: _distance(row, folded, typed))
    else:
        candidates = _resembling(connection, typed, contacts=contacts)
        candidates = candidates or _beginning_alike(connection, typed, contacts=contacts)
    if not candidates and (without := _words(_UMLAUT_E.sub(r"\1", folded))) != typed:
        # A misspelt name with its dots over vowels spelled out: kaehte for Käthe.
        candidates = _resembling(connection, without, contacts=contacts)
    # Who is found in several ways is where the best of them puts it.
    best = list(dict.fromkeys(row[0] for row in candidates))[:limit]
    if not best:
        return []
    places = {number: place for place, number in enumerate(best)}
    rows = connection.execute(statements.BY_IDS[Client], {"wanted": best}).all()
    return sorted(rows, key=lambda row: places[row.id])


def resembling(text: str) -> Callable[[str], bool]:
    """Tell whether a name is spelt much like a text, or begins like it with one letter corrected, as `search` finds a
    client where nothing else fits."""
    words = [part for part in _PARTS.split(fold(_UNSEARCHABLE.sub(" ", text[:_LONGEST])).strip()) if part]
    meant = [_beginnings(word) for word in words] if all(map(_may_begin_a_name, words)) else []
    lengths = [set(map(len, spelled)) for spelled in meant]

    def resembles(name: str) -> bool:
        row = (0, "", fold(name))
        names = row[2].replace("-", " ").split()
        places = (_place_of(names, spelled, known) for spelled, known in zip(meant, lengths, strict=True))
        return bool(meant and None not in places) or bool(words and _alike([row], words))

    return resembles


def _candidates(
    connection: Connection, folded: str, words: Sequence[str], limit: int, *, contacts: bool
) -> list[_Candidate]:
    """The clients whose name, or that of a contact, begins with the text, and some that contain its words."""
    long = [word for word in words if len(word) >= _SHORTEST_INDEXED]
    short = [word for word in words if len(word) < _SHORTEST_INDEXED]
    values: dict[str, Any] = {"text": folded, "limit": limit, "candidates": max(_CANDIDATES, limit)}
    for place, word in enumerate(short):
        values[f"short{place}"] = f"%{_escaped(word)}%"
    names = [f"short{place}" for place in range(len(short))]
    of_client = contact_search.every(names, "client.search_name")
    of_contact = contact_search.every(names, "contact.search_name")
    statement = _STARTING + (contact_search.STARTING if contacts else "")
    if long:
        values["match"] = " AND ".join(_quoted(word) for word in long)
        statement += _CONTAINING.format(more=f" AND {of_client}" if short else "")
        if contacts:
            statement += contact_search.CONTAINING.format(more=f" AND {of_contact}" if short else "")
    rows = list(connection.exec_driver_sql(statement, values))
    if not long and len(rows) < limit:
        statement = _SCANNING.format(every=of_client)
        if contacts:
            statement += contact_search.SCANNING.format(every=of_contact)
        rows += connection.exec_driver_sql(statement, values)
    return rows


def _together(connection: Connection, words: Sequence[str]) -> list[_Candidate]:
    """The clients that are named along with a contact: some of the words are the contact's, the others its client's."""
    long = [word for word in words if len(word) >= _SHORTEST_INDEXED]
    if not 1 < len(words) <= _MOST_MISSPELT or not long:
        return []
    values: dict[str, Any] = {f"word{place}": f"%{_escaped(word)}%" for place, word in enumerate(words)}
    both = "contact.search_name || ' ' || client.search_name"
    statement = contact_search.TOGETHER.format(every=contact_search.every(list(values), f"({both})"))
    values |= {"match": " OR ".join(map(_quoted, long)), "candidates": _TOGETHER_CANDIDATES}
    return list(connection.exec_driver_sql(statement, values))


def _spelled_otherwise(text: str, folded: str) -> list[str]:
    """The text with its dots over vowels spelled out as an e, Müller as mueller, and with such an e left out; and with
    the letters that have no accent to take off, as Łukasz for luk."""
    dotted = unicodedata.normalize("NFD", text[:_LONGEST].casefold())
    spelled = fold(_UNSEARCHABLE.sub(" ", re.sub("([aou])\u0308", r"\1e", dotted).replace("ø", "oe"))).strip()
    left_out = _UMLAUT_E.sub(r"\1", folded)
    return [other for other in dict.fromkeys((spelled, left_out, *_with_letters(folded))) if other != folded]


def _with_letters(folded: str) -> list[str]:
    """The text with each of its plain letters as itself, or as the letter that people type so, where it is short: a
    longer one is found as a misspelt name is."""
    if len(folded) > _LONGEST_WITH_LETTERS or not folded.isascii():
        return []
    spellings = [""]
    for part in _TYPED_SO.findall(folded):
        others = [part, *_LETTERS.get(part, ())]
        spellings = [begun + other for begun in spellings for other in others]
    return spellings[:_MOST_LETTERED]


def _words(folded: str) -> list[str]:
    """The words of a text, without the points and commas behind them."""
    return [word.rstrip(_POINTS) or word for word in folded.split()]


_TELEPHONE = lazy_pattern(r"[+\d(][\d\s()/.-]{3,}")


def _readings(folded: str) -> Iterator[list[str]]:
    """The words to look for; what may be a phone number also as its digits as they are stored."""
    words = _words(folded)
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
    """The distance of a client from what was typed: its name, a name that begins so, a word that does, a part,
    elsewhere."""
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
    """Clients whose names, or those of a contact, are spelt much like the words, or else sound much like them.

    Compared are those who are called like one of the words with one letter corrected. One wrong letter also leaves one
    half of a long word as it is, wherever in a name it stands, so those with a half of each word are compared too.
    Where none of them will do, those are compared who are called like a word written otherwise for the same sound, and
    at last, of one word, some of those who have four letters of it in a row.
    """
    if len(words) == 1 and len(words[0]) == _SHORTEST_INDEXED:
        return _swapped_back(connection, words[0], contacts=contacts)
    long = [part for word in words for part in _PARTS.split(word) if len(part) > _SHORTEST_INDEXED]
    if not 0 < len(long) <= _MOST_MISSPELT or not all(map(_may_be_misspelt, long)):
        return []
    longest_first = sorted(long, key=len, reverse=True)
    named = [spelling for word in longest_first for spelling in _one_letter_off(word)]
    rows = _named(connection, named, contacts=contacts)
    rows += _having(connection, map(_kept_parts, long), _MISSPELT_CANDIDATES, contacts=contacts)
    candidates = _alike(rows, long)
    if (
        candidates
        or not all(map(str.isalpha, long))
        or len(longest_first[0]) < _SHORTEST_SOUND
        or len(long) > _MOST_SOUNDS
    ):
        return candidates
    named = [spelling for word in longest_first for spelling in spellings(word)]
    candidates = _alike(_named(connection, named[:_MOST_SPELLINGS], contacts=contacts), long, by_sound=True)
    if candidates or len(long) > 1:
        return candidates
    rows = _having(connection, map(_windows, long), _SOUND_CANDIDATES, contacts=contacts)
    return _alike(rows, long, by_sound=True)


def _beginning_alike(connection: Connection, words: Sequence[str], *, contacts: bool) -> list[_Candidate]:
    """Clients who have, for each word, a name that begins like it with one letter corrected, or as it sounds: a name is
    found while it is typed, too. The last word is the one that is typed: the clients are looked up by it."""
    parts = [part for word in words for part in _PARTS.split(word) if part]
    long = [part for part in parts if len(part) >= _SHORTEST_INDEXED]
    if not 0 < len(long) <= _MOST_SOUNDS or not all(map(_may_begin_a_name, long)):
        return []
    meant = {part: _beginnings(part) for part in parts}
    lengths = {part: set(map(len, spelled)) for part, spelled in meant.items()}
    rows: dict[int, _Candidate] = {}
    # In groups, so that those who are called like the first leave room for those called like the last.
    for spelled in batches(meant[long[-1]], _SPELLINGS_TOGETHER):
        rows |= {row[0]: row for row in _named(connection, spelled, contacts=contacts, end=_BEGINS)}
    candidates = list(rows.values())
    if contacts:
        # The last name of a contact is in no index by its beginning: two letters of it have to be right.
        values = {"match": f'" {long[-1][:2]}"', "candidates": _BEGINNING_CANDIDATES}
        candidates += connection.exec_driver_sql(contact_search.RESEMBLING, values)
    ranked = []
    for row in candidates:
        names = row[2].replace("-", " ").split()
        places = [_place_of(names, meant[part], lengths[part]) for part in parts]
        if None not in places:
            ranked.append((sum(filter(None, places)), row[1], row))
    return [row for _, _, row in sorted(ranked, key=lambda scored: scored[:2])]


def _may_begin_a_name(word: str) -> bool:
    return word.isalpha() and len(word) <= _LONGEST_BEGINNING and len(_blocks(word)) == 1


def _beginnings(word: str) -> dict[str, int]:
    """The beginnings of a name that a word may be, misspelt, each with its place: the likeliest have the
    first. Of three letters none is wrong, and of fewer none is missing either."""
    if len(word) < _SHORTEST_INDEXED:
        return {word: 0}
    letters = _letters_of(word)
    cuts = [(word[:place], word[place:]) for place in range(1, len(word) + 1)]
    more = [begin + letter + end for begin, end in cuts if end for letter in letters]
    likely = [[word], _swaps(word), more]
    others = [begin + letter + end[1:] for begin, end in cuts if end for letter in letters]
    less = [begin + end[1:] for begin, end in cuts if end]
    wrong = [others, [word[1:], *less]] if len(word) > _SHORTEST_INDEXED else []
    groups = [*likely, *wrong, spellings(word)]
    places: dict[str, int] = {}
    for place, group in enumerate(groups):
        for spelling in group:
            places.setdefault(spelling, place)
    return places


def _place_of(names: Sequence[str], meant: Mapping[str, int], lengths: Collection[int]) -> int | None:
    """The place of the likeliest spelling, of some lengths, that one of some names begins with; None where none
    does."""
    places = [meant[begun] for name in names for length in lengths if (begun := name[:length]) in meant]
    return min(places, default=None)


def _named(connection: Connection, names: Sequence[str], *, contacts: bool, end: str = _IS_NAMED) -> list[_Candidate]:
    """The clients who have one of some names, or a contact who has; or a name that begins so."""
    most = _MISSPELT_CANDIDATES if end == _IS_NAMED else _BEGINNING_CANDIDATES
    values = {"words": json.dumps(names), "candidates": most}
    queries = (_NAMED, *((contact_search.NAMED,) if contacts else ()))
    return [row for query in queries for row in connection.exec_driver_sql(query.format(end=end), values)]


def _having(connection: Connection, parts: Iterable[Sequence[str]], most: int, *, contacts: bool) -> list[_Candidate]:
    """Some of the clients whose names, or that of a contact, hold one of the parts of each word."""
    match = " AND ".join(f"({' OR '.join(map(_quoted, several))})" for several in parts)
    values = {"match": f"search_name : ({match})", "candidates": most}
    queries = (_RESEMBLING, *((contact_search.RESEMBLING,) if contacts else ()))
    return [row for query in queries for row in connection.exec_driver_sql(query, values)]


def _windows(word: str) -> list[str]:
    """Each four letters in a row."""
    return [word[place : place + _WINDOW] for place in range(max(1, len(word) - _WINDOW + 1))]


def _halves(word: str) -> tuple[str, str]:
    half = max(_SHORTEST_INDEXED, len(word) // 2)
    return word[:half], word[-half:]


def _kept_parts(word: str) -> list[str]:
    """The parts that a name has if a word with one wrong letter means it: one of the word's halves, or where two
    letters across its middle were swapped, the word with these corrected."""
    halves = _halves(word)
    return [*halves, *(other for other in _swaps(word) if not any(half in other for half in halves))]


def _swaps(word: str) -> list[str]:
    """A word with two letters beside each other swapped."""
    return [
        word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        for place in range(len(word) - 1)
        if word[place] != word[place + 1]
    ]


def _swapped_back(connection: Connection, word: str, *, contacts: bool) -> list[_Candidate]:
    """Clients who are called like a word of three letters with two of them swapped; of so few no other may be wrong."""
    meant = _swaps(word)
    rows = _named(connection, meant, contacts=contacts)
    return sorted(
        (row for row in rows if not set(meant).isdisjoint(row[2].replace("-", " ").split())), key=lambda row: row[1]
    )


def _one_letter_off(word: str) -> list[str]:
    """A word, and what it may be meant for: with one letter less, more or another, or two beside each other swapped."""
    letters = _letters_of(word)
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    less = [begin + end[1:] for begin, end in cuts if end]
    others = [begin + letter + end[1:] for begin, end in cuts if end for letter in letters]
    more = [begin + letter + end for begin, end in cuts for letter in letters]
    return list(dict.fromkeys([word, *less, *_swaps(word), *others, *more]))


def _may_be_misspelt(word: str) -> bool:
    return len(word) <= _LONGEST_MISSPELT and len(_blocks(word)) <= _MOST_BLOCKS


def _blocks(word: str) -> set[int]:
    return {ord(letter) & ~0x7F for letter in word}


def _letters_of(word: str) -> str:
    """The letters that a word of this script may be written with."""
    return "".join(
        letter
        for block in sorted(_blocks(word))
        for letter in map(chr, range(block, block + 0x80))
        if letter.isalpha() and letter == letter.lower()
    )


def _alike(rows: Sequence[_Candidate], words: Sequence[str], *, by_sound: bool = False) -> list[_Candidate]:
    """The clients that have a name much like each of the words, the most alike first."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    names = [row[2].replace("-", " ").split() for row in rows]
    different = list(set(chain.from_iterable(names)))
    likenesses: list[dict[str, float]] = []
    for word in words:
        near = process.extract(word, different, scorer=OSA.normalized_similarity, score_cutoff=ALIKE, limit=None)
        likenesses.append({name: likeness for name, likeness, _ in near})
        if by_sound:
            sounds = {name: sound_likeness(word, name) for name in different if len(name) > _SHORTEST_INDEXED}
            likenesses[-1] |= {name: likeness for name, likeness in sounds.items() if likeness >= ALIKE}
    alike: dict[int, tuple[float, str, _Candidate]] = {}
    for row, several in zip(rows, names, strict=True):
        if any(near.keys().isdisjoint(several) for near in likenesses):
            continue
        likeness = min(max(near.get(name, 0) for name in several) for near in likenesses)
        if row[0] not in alike or -likeness < alike[row[0]][0]:
            alike[row[0]] = (-likeness, row[1], row)
    return [row for _, _, row in sorted(alike.values(), key=lambda scored: scored[:2])]
