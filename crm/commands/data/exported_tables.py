"""The tables of an export: a column for each field, and names beside the numbers of other records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from crm.batching import batches
from crm.commands.record_names import names_of
from crm.model import BY_NAME, RECORDS, Client, Conventions, Record, fields, links
from crm.model.fields import Units
from crm.model.money import as_written_in
from crm.model.record import Field
from crm.repository import Query, Snapshot
from crm.repository.queries.clients import own_fields

_EXPORTED = [(export, kind) for kind in RECORDS if (export := kind.about.export)]
# What can be exported as a table, by the word that asks for it.
TABLES: Mapping[str, type[Record]] = {
    kind.plural: kind for _, kind in sorted(_EXPORTED, key=lambda placed: placed[0].place)
}

# The headings, and the rows.
Table = tuple[Sequence[str], Iterable[Iterable[Any]]]


def table_of(snapshot: Snapshot, kind: type[Record], query: Query, by: Conventions) -> Table:
    """The records that a query finds, a row each; `query` is about clients."""
    return _clients(snapshot, query) if kind is Client else _others(snapshot, kind, by)


def _clients(snapshot: Snapshot, query: Query) -> Table:
    """A column for each field, and one for each of the team's own."""
    named = {name: field.label for name, field in fields(Client).items() if name != "extra"}
    own = own_fields(snapshot)

    def rows() -> Iterator[list[Any]]:
        for client in snapshot.each(Client, query):
            yield [client.id, *(getattr(client, name) for name in named), *(client.extra.get(name, "") for name in own)]

    return ["Number", *named.values(), *own], rows()


def _others(snapshot: Snapshot, kind: type[Record], by: Conventions) -> Table:
    """A row a record, with what identifies its client where it belongs to one; other records stand by their names."""
    of_client = "client" in links(kind)
    described = _described(kind)
    linked = {name: link.record for name, link in links(kind).items() if name in described}
    # Lines of older stores have 0 where a price is for one unit.
    meant = {name: Decimal(1) for name, field in described.items() if isinstance(field.check, Units)}

    def rows() -> Iterator[list[Any]]:
        records: Iterator[Any] = snapshot.each(kind)
        for some in batches(records):
            clients = _identified(snapshot, some) if of_client else {}
            names = {
                name: names_of(snapshot, BY_NAME[record], {getattr(item, name) for item in some} - {0}, by)
                for name, record in linked.items()
            }
            for item in some:
                values = (
                    names[name].get(getattr(item, name), "") if name in linked else _value(item, name, meant.get(name))
                    for name in described
                )
                owner = (item.client, *clients.get(item.client, ("", ""))) if of_client else ()
                yield [item.id, *owner, *values]

    return heading_of(kind), rows()


def _value(record: Record, name: str, meant: Decimal | None = None) -> Any:
    """A field of a record, or what is meant where it is 0; an amount of a record that has a currency is written in
    that."""
    value, currency = getattr(record, name), getattr(record, "currency", "")
    if not value and meant is not None:
        return meant
    return as_written_in(value, currency) if currency and isinstance(value, Decimal) else value


def heading_of(kind: type[Record]) -> list[str]:
    """The names of the columns of records that are no clients."""
    labels = [field.label for field in _described(kind).values()]
    owner = ("Client number", "Client reference", "Client") if "client" in links(kind) else ()
    # An invoice has a number of its own.
    return ["ID" if "Number" in labels else "Number", *owner, *labels]


def _described(kind: type[Record]) -> Mapping[str, Field]:
    """The fields that are exported as they are."""
    export = kind.about.export
    without = {"client", *(export.without if export else ())}
    return {name: field for name, field in fields(kind).items() if name not in without}


def _identified(snapshot: Snapshot, records: Sequence[Any]) -> Mapping[int, tuple[str, str]]:
    """The references and names of the clients of records, by id."""
    owners = snapshot.find_all(Client, Query({"id": sorted({record.client for record in records})}))
    return {owner.id: (owner.reference, owner.name) for owner in owners}
