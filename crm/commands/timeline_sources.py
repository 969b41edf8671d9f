"""The sources of a client's timeline: each kind of record that is in it, with its wording.

A subject declares its own in its module `in_timelines`. Of each source no more is read than the wanted page can hold.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, TypeVar

from crm.commands import subjects
from crm.commands.context import CRM
from crm.commands.timeline_entries import START, Entry, Key, Place
from crm.errors import FieldError
from crm.model import Client, Contact, Conventions, Record
from crm.model.fields import Check
from crm.model.rights import NONE, OWN, READ, level
from crm.repository import Query, Snapshot

Row = Any
Keyed = tuple[Key, Row]


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a client's timeline that is read: until a day, of some kinds, so many entries."""

    snapshot: Snapshot
    client: int
    kinds: Sequence[str]
    until: date
    most: int
    by: Conventions

    @property
    def before(self) -> datetime:
        """The first moment after its last day."""
        last = self.until == date.max
        return datetime.max.replace(tzinfo=UTC) if last else self.by.clock.at(self.until + timedelta(days=1), time())

    def keyed(self, rows: Sequence[Row], day: str = "on") -> list[Keyed]:
        """Rows with what they are sorted by: their day, and when they were noted down."""
        return [((getattr(row, day), row.created_at, 0), row) for row in rows]

    def timed(self, rows: Sequence[Row]) -> list[Keyed]:
        """The same for rows that may have a time of day."""
        return [((row.on, self._moment(row.on, row.time, row.created_at), 0), row) for row in rows]

    def _moment(self, on: date, at: str, noted: datetime) -> datetime:
        return self.by.clock.at(on, time.fromisoformat(at)) if at else noted

    def contacts(self, rows: Sequence[Row]) -> Mapping[int, str]:
        """The names of the contacts of some rows, by their numbers."""
        ids = sorted({row.contact for row in rows} - {0})
        contacts = self.snapshot.find_all(Contact, Query({"id": ids})) if ids else []
        return {contact.id: contact.name for contact in contacts}


@dataclass(frozen=True, eq=False)
class Source:
    """A kind of record in the timelines of clients. Subclasses say what an entry is in words; where more is needed than
    a record has, also how rows are read.

    `kinds` are the kinds of its entries, as people ask for them, each with what several are called; `also` are other
    words that they ask with. Where there is little room, those that are `first` come first: what was said to a client
    and sold, not what was noted down; of these, those that are a `contact` were said to a client or heard from it.
    `place` is its place where kinds are listed; it needs the rights of its `area`.
    """

    record: type[Record]
    kinds: Mapping[str, str]
    also: Mapping[str, Sequence[str]]
    place: int
    first: bool
    contact: bool
    area: str

    def rows(self, part: Part) -> list[Keyed]:
        """The latest rows until a day, as many as are wanted or more, each with what it is sorted by."""
        day = self.record.about.day
        query = Query({"client": part.client}, until=part.until, sort=f"-{day}", limit=part.most)
        return part.keyed(part.snapshot.find_all(self.record, query), day)

    def own_rows(self, part: Part) -> list[Keyed]:
        """The same for a client who sees only what is theirs."""
        return self.rows(part)

    def entries(self, part: Part, rows: Sequence[Row]) -> list[Entry]:
        """The entries of some rows, in their order."""
        return [self.entry(row, part.by) for row in rows]

    def entry(self, row: Row, by: Conventions) -> Entry:
        """The entry of a row."""
        raise NotImplementedError


_Source = TypeVar("_Source", bound=type[Source])
_SOURCES: list[Source] = []


def source(
    record: type[Record],
    kinds: Mapping[str, str],
    also: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    place: int = 50,
    first: bool = False,
    contact: bool = False,
    area: str = "",
) -> Callable[[_Source], _Source]:
    """Register a source; its area is that of the record if none is named."""

    def register(kind: _Source) -> _Source:
        _SOURCES.append(kind(record, kinds, also, place, first, contact, area or record.kind_name))
        return kind

    return register


@cache
def sources() -> tuple[Source, ...]:
    """The sources of all subjects."""
    for subject in subjects():
        if find_spec(name := f"{subject.__name__}.in_timelines"):
            import_module(name)
    return tuple(sorted(_SOURCES, key=lambda known: known.place))


@cache
def kinds() -> Mapping[str, str]:
    """The kinds of entries, as people ask for them, each with what several are called."""
    return {kind: several for known in sources() for kind, several in known.kinds.items()}


@cache
def first_kinds() -> frozenset[str]:
    """The kinds that come first where there is little room."""
    return frozenset(kind for known in sources() if known.first for kind in known.kinds)


@cache
def contact_kinds() -> frozenset[str]:
    """The kinds of what was said to a client or heard from it."""
    return frozenset(kind for known in sources() if known.contact for kind in known.kinds)


class EntryKinds(Check):
    """Kinds of entries in a timeline, separated by commas: calls, sales, deals."""

    empty = ()
    example = "calls, sales"

    @property
    def choices(self) -> Sequence[str]:
        return tuple(kinds().values())

    def read(self, typed: str, by: Conventions) -> tuple[str, ...]:
        read: dict[str, None] = {}
        for word in filter(None, (part.strip().lower() for part in typed.split(","))):
            named = [kind for kind, several in kinds().items() if word in (kind, several.lower())]
            named = named or [kind for known in sources() for kind in known.also.get(word, ())]
            if not named:
                raise FieldError(f"use one of {', '.join(kinds().values())}, or interactions for the first five")
            read |= dict.fromkeys(named)
        return tuple(read)

    def show(self, value: Any, by: Conventions) -> str:
        return ", ".join(kinds().get(kind, kind) for kind in value)


def latest(
    crm: CRM, snapshot: Snapshot, client: Client, limit: int, only: Sequence[str] = (), after: Place = START
) -> list[Entry]:
    """A page of a client's timeline, latest first, of some kinds or of all; what the reader never sees is left out.

    It begins after a place. Of what comes before that place only its own day is read.
    """
    keyed: list[tuple[Key, Row, Source]] = []

    def part(kinds: Sequence[str] = ()) -> Part:
        return Part(snapshot, client.id, kinds, after.on, after.count + limit, crm.conventions)

    for known in sources():
        selected = [kind for kind in known.kinds if kind in only or not only]
        may = level(crm.reader.role, known.area, READ)
        if selected and may is not NONE:
            read = known.own_rows if may is OWN else known.rows
            keyed += [(key, row, known) for key, row in read(part(selected))]
    keyed.sort(key=lambda entry: entry[0], reverse=True)
    page = keyed[after.count : after.count + limit]
    entries = {
        known: iter(known.entries(part(), [row for _, row, origin in page if origin is known]))
        for known in {known for _, _, known in page}
    }
    return [next(entries[known]) for _, _, known in page]
