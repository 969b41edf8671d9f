"""All kinds of records, and what is known of each: its fields, what it belongs to, and what belongs to it."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules

from crm.model.fields import Id
from crm.model.record import Field, Record, fields_of, links_of, people_of

# Modules of this folder without records: some are themselves made from the records, and loaded after them; others are
# loaded where a date is typed.
_WITHOUT_RECORDS = ("encoding", "registry", "rights", "written_dates", "german_dates")


def _declared() -> Iterator[type[Record]]:
    """The records that the modules of this folder declare, by their place."""
    kinds: list[type[Record]] = []
    for file in iter_modules(import_module("crm.model").__path__):
        if file.name not in _WITHOUT_RECORDS:
            module = import_module(f"crm.model.{file.name}")
            declared = (value for value in vars(module).values() if isinstance(value, type) and value is not Record)
            kinds += [kind for kind in declared if issubclass(kind, Record) and kind.__module__ == module.__name__]
    yield from sorted(kinds, key=lambda record: record.about.place)


_FIELDS = {record: fields_of(record) for record in _declared()}


_LINKS = {record: links_of(fields) for record, fields in _FIELDS.items()}


def _in_order() -> tuple[type[Record], ...]:
    """The records in the order in which they can be written: each after those that it links to."""
    by_name = {record.kind_name: record for record in _FIELDS}
    ordered: dict[type[Record], None] = {}

    def put(record: type[Record]) -> None:
        for link in _LINKS[record].values():
            if link.record != record.kind_name:
                put(by_name[link.record])
        ordered.setdefault(record)

    for record in _FIELDS:
        put(record)
    _refuse_wrong(list(ordered))
    return tuple(ordered)


def _refuse_wrong(records: Sequence[type[Record]]) -> None:
    """Raise ValueError for declarations that do not go together."""
    names = Counter(record.about.name for record in records)
    tabs = Counter(record.about.tab.number for record in records)
    sums = Counter((record.about.name, sum_.name) for record in records for sum_ in record.about.sums)
    twice = [key for counter in (names, tabs, sums) for key, count in counter.items() if count > 1]
    if twice:
        raise ValueError(f"declared twice: {', '.join(map(str, twice))}")
    if any(record.about.lasting and not record.about.unique for record in records):
        raise ValueError("a record that lasts needs a unique field")
    if wrong := [
        f"{record.about.name}.{field.name}"
        for record in records
        for field in dataclasses.fields(record)
        if field.name in record.about.unique and not isinstance(field.default, str | int | None)
    ]:
        raise ValueError(f"only texts, whole numbers and days can be unique, not {', '.join(wrong)}")
    if any(record.about.sums for record in records if record.about.name == "client"):
        raise ValueError("a client feeds no sum")
    for record in records:
        _refuse_wrong_effects(record)


def _refuse_wrong_effects(record: type[Record]) -> None:
    """Raise ValueError where the effects of a record name a field that it does not have, or are only half declared."""
    effects = record.about.effects
    named = {effects.reviews, effects.spends, effects.bills, effects.recounts_by, *effects.reviewed_by} - {""}
    if unknown := sorted(named - {field.name for field in dataclasses.fields(record)}):
        raise ValueError(f"the effects of {record.about.name} name fields that it does not have: {', '.join(unknown)}")
    if (effects.reviewed_by and not effects.reviews) or bool(effects.recounts) != bool(effects.recounts_by):
        raise ValueError(f"the effects of {record.about.name} are only half declared")


RECORDS: tuple[type[Record], ...] = _in_order()


BY_NAME: Mapping[str, type[Record]] = {record.kind_name: record for record in RECORDS}


# What is only deleted on purpose.
LASTING: tuple[type[Record], ...] = tuple(record for record in RECORDS if record.about.lasting)


_TYPED = {
    record: {name: field for name, field in described.items() if field.by == "person"}
    for record, described in _FIELDS.items()
}


_PEOPLE = {record: people_of(record) for record in RECORDS}


_NAMES = {record: tuple(field.name for field in dataclasses.fields(record)) for record in RECORDS}


def field_names(record: type[Record]) -> tuple[str, ...]:
    """The names of all fields of a record, those that every record has first."""
    return _NAMES[record]


def fields(record: type[Record]) -> Mapping[str, Field]:
    """The described fields of a record by name, in order; those that every record has are not among them."""
    return _FIELDS[record]


def typed_fields(record: type[Record]) -> Mapping[str, Field]:
    """The fields that a person types, by name, in order."""
    return _TYPED[record]


def people(record: type[Record]) -> Mapping[str, str]:
    """The fields of a record in which somebody of the team stands by name (a client's owner), each with the one beside
    it that holds the id of the account, 0 where the name is nobody's."""
    return _PEOPLE[record]


def links(record: type[Record]) -> Mapping[str, Id]:
    """The fields of a record that name another record (a sale's client), in order."""
    return _LINKS[record]


def owner_link(record: type[Record]) -> tuple[str, type[Record]] | None:
    """The field that names the record without which one of this kind cannot be, and what kind that is."""
    return next(((name, BY_NAME[link.record]) for name, link in _LINKS[record].items() if link.owns), None)


def belonging_to(record: type[Record]) -> Sequence[tuple[type[Record], str]]:
    """The kinds of records that cannot be without one of this kind, each with the field that names it: with a client
    its sales go."""
    return [(kind, name) for kind, name, link in _naming(record) if link.owns]


def keeping(record: type[Record]) -> Sequence[tuple[type[Record], str]]:
    """The kinds of records that one of this kind is not deleted before, each with the field that names it: a stage
    stays while deals are in it."""
    return [(kind, name) for kind, name, link in _naming(record) if link.keeps]


def _naming(record: type[Record]) -> Iterator[tuple[type[Record], str, Id]]:
    for kind in RECORDS:
        for name, link in _LINKS[kind].items():
            if link.record == record.kind_name:
                yield kind, name, link
