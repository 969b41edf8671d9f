"""The tables of an export: a column for each field, and names beside the numbers of other records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import select

from crm.commands.record_names import names_of
from crm.model import BY_NAME, Client, Contact, Conventions, Deal, FollowUp, Interaction, Message, Record, Sale, fields
from crm.model.fields import Id
from crm.repository import Query, Snapshot
from crm.repository.tables import client

# What can be exported as a table, by the word that asks for it.
TABLES: Mapping[str, type[Record]] = {
    each.plural: each for each in (Client, Sale, Contact, Deal, Interaction, FollowUp, Message)
}
# What clients or other programs have no use for.
_INTERNAL: Mapping[type[Record], frozenset[str]] = {Message: frozenset(("until", "tries"))}
_AT_ONCE = 500

# The headings, and the rows.
Table = tuple[Sequence[str], Iterable[Iterable[Any]]]


def table_of(snapshot: Snapshot, kind: type[Record], query: Query, by: Conventions) -> Table:
    """The records that a query finds, a row each; `query` is about clients."""
    return _clients(snapshot, query) if kind is Client else _belonging(snapshot, kind, by)


def _clients(snapshot: Snapshot, query: Query) -> Table:
    """A column for each field, and one for each of the team's own."""
    named = {name: field.label for name, field in fields(Client).items() if name != "extra"}
    filled = select(client.c.extra).where(client.c.extra != {}).distinct()
    own = sorted({name for (extra,) in snapshot.select(filled) for name in extra})

    def rows() -> Iterator[list[Any]]:
        for each in snapshot.each(Client, query):
            yield [each.id, *(getattr(each, name) for name in named), *(each.extra.get(name, "") for name in own)]

    return ["Number", *named.values(), *own], rows()


def _belonging(snapshot: Snapshot, kind: type[Record], by: Conventions) -> Table:
    """A row a record that belongs to a client, with what identifies its client; other records stand by their names."""
    described = {
        name: field for name, field in fields(kind).items() if name != "client" and name not in _INTERNAL.get(kind, ())
    }
    linked = {name: field.check.record for name, field in described.items() if isinstance(field.check, Id)}

    def rows() -> Iterator[list[Any]]:
        records: Iterator[Any] = iter(snapshot.each(kind))
        while some := list(islice(records, _AT_ONCE)):
            owners = snapshot.find_all(Client, Query({"id": sorted({each.client for each in some})}))
            clients = {each.id: (each.reference, each.name) for each in owners}
            names = {
                name: names_of(snapshot, BY_NAME[record], {getattr(each, name) for each in some} - {0}, by)
                for name, record in linked.items()
            }
            for each in some:
                values = (
                    names[name].get(getattr(each, name), "") if name in linked else getattr(each, name)
                    for name in described
                )
                yield [each.id, each.client, *clients.get(each.client, ("", "")), *values]

    return ["Number", "Client number", "Client reference", "Client", *(f.label for f in described.values())], rows()
