"""Lookup: the record that is meant by a number, by a field that is unique, by its name, or by one like it.

What records of a kind are called, beyond fields that are unique, is said in the `lookup` of their subject.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Generic, TypeVar

from crm.commands import subject_of
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.errors import FieldError, ForbiddenError, NotFoundError
from crm.model import Conventions, Record, fields
from crm.repository import Query, Snapshot
from crm.repository.queries.store import values_of

# So many are looked at to find the one that is meant.
MOST = 20
_LISTED = 5

Named = TypeVar("Named", bound=Record)


@dataclass(frozen=True, slots=True)
class Matches(Generic[Named]):
    """The records that a text may mean: those `exact`ly so called, those that are `possible`, and those that are only
    `alike`, which are good enough to name, not to act on."""

    exact: Sequence[Named] = ()
    possible: Sequence[Named] = ()
    alike: Sequence[Named] = ()


class Lookup(Generic[Named]):
    """The look-up of records of a kind by what they are called: by nothing but the fields that are unique."""

    kind: type[Named]

    def matches(self, snapshot: Snapshot, text: str) -> Matches[Named]:
        """The records that a text may mean."""
        return Matches()

    def labels(self, snapshot: Snapshot, records: Sequence[Named]) -> Iterable[str]:
        """The names of records, made distinct where needed, without their numbers."""
        return (str(getattr(record, record.about.called or "id")) for record in records)

    def names(self, snapshot: Snapshot, begun: str, limit: int) -> Iterable[str]:
        """The names of records, to complete one that begins so."""
        for field in self.kind.about.unique:
            try:
                yield from values_of(snapshot, self.kind, field, begun, limit)
            except ForbiddenError:
                # Of others it is hidden.
                yield from filter(None, (str(getattr(record, field) or "") for record in snapshot.find_all(self.kind)))


_LOOKUPS: dict[type[Record], Lookup[Any]] = {}


def lookup(kind: type[Named]) -> Callable[[type[Lookup[Named]]], type[Lookup[Named]]]:
    """Register how records of a kind are found."""

    def register(found_by: type[Lookup[Named]]) -> type[Lookup[Named]]:
        _LOOKUPS[kind] = found_by()
        _LOOKUPS[kind].kind = kind
        return found_by

    return register


def selected(crm: CRM, kind: type[Record], written: str) -> Record:
    """The one record that is meant. Raises NotFoundError where there is none, or several."""
    text = written.strip().removeprefix("#")
    with crm.read() as snapshot:
        if _is_number(text) and (record := snapshot.find(kind, int(text))):
            return record
        if text and (record := _by_unique(snapshot, kind, text, crm.conventions)):
            return record
        by_name = _lookup_of(kind)
        matches = by_name.matches(snapshot, text)
        if len(matches.exact) == 1 or len(matches.possible) == 1:
            meant: Record = (matches.exact or matches.possible)[0]
            return meant
        if matches.possible:
            several = _listed(by_name, snapshot, matches.possible)
            raise NotFoundError(f"Several {kind.nouns} match: {several}. Give the number.")
        if matches.alike:
            several = _listed(by_name, snapshot, matches.alike)
            raise NotFoundError(f"No {kind.noun} called {text}. Did you mean {several}?")
    if not text:
        raise NotFoundError(f"No {kind.noun} was named.{_where_listed(kind)}")
    if text.isdigit():
        raise NotFoundError(f"No {kind.noun} {text}.{_where_listed(kind)}")
    raise NotFoundError(f"No {kind.noun} called {text}.{_how_added(kind)}{_where_listed(kind)}")


def _where_listed(kind: type[Record]) -> str:
    """The command that lists the records of a kind, as a sentence; '' where none does."""
    words = f"{kind.plural} list"
    return f" `{words}` shows all." if _is_command(words) else ""


def _how_added(kind: type[Record]) -> str:
    """The command that adds a record of a kind, as a sentence; '' where none does."""
    words = f"{kind.plural} add"
    return f" Add one with `{words}`." if _is_command(words) else ""


def _is_command(words: str) -> bool:
    with suppress(KeyError):
        named(words)
        return True
    return False


def names(snapshot: Snapshot, kind: type[Record], begun: str, limit: int) -> Iterable[str]:
    """The names of records of a kind, to complete one that begins so."""
    return _lookup_of(kind).names(snapshot, begun, limit)


def _lookup_of(kind: type[Record]) -> Lookup[Any]:
    if kind not in _LOOKUPS:
        module = f"crm.commands.{subject_of(kind.__module__)}"
        if find_spec(module) and find_spec(f"{module}.lookup"):
            import_module(f"{module}.lookup")
    if kind not in _LOOKUPS:
        lookup(kind)(Lookup)
    return _LOOKUPS[kind]


def _is_number(text: str) -> bool:
    # 00042 is somebody's reference, not the number 42.
    return text.isascii() and text.isdigit() and len(text) < 10 and not text.startswith("0")


def _by_unique(snapshot: Snapshot, kind: type[Record], text: str, by: Conventions) -> Record | None:
    """The record that has a field which only one can have: as it is written, or alone in whatever case."""
    for name in kind.about.unique:
        value: Any = text
        if not isinstance(getattr(kind(), name), str):
            try:
                value = fields(kind)[name].check.read(text, by)
            except FieldError:
                continue
        records = snapshot.find_all(kind, Query({name: value}))
        exact = [record for record in records if getattr(record, name) == value]
        if len(exact or records) == 1:
            return (exact or records)[0]
    return None


def _listed(by_name: Lookup[Any], snapshot: Snapshot, records: Sequence[Record]) -> str:
    some = records[:_LISTED]
    labels = by_name.labels(snapshot, some)
    return ", ".join(f"{label} ({record.id})" for label, record in zip(labels, some, strict=True))
