"""Queries about clients and their contacts."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import Select, bindparam, func, select

from crm.model import Client, Contact
from crm.model.folding import fold
from crm.repository import Query, Snapshot
from crm.repository.sqlite.search import resembling
from crm.repository.statements import ALL
from crm.repository.tables import client, contact, record_of

if TYPE_CHECKING:
    from crm.repository import AnyRow

_CONTACTS_BY_EMAIL = select(contact.c.email, contact.c.client, contact.c.id).where(
    contact.c.email.in_(bindparam("addresses", expanding=True))
)
# So many clients are looked at for a contact whose name is misspelt.
_SEARCHED, _SHORTEST = 60, 3
_NAMES = select(client.c.id, client.c.kind, client.c.first_name, client.c.last_name, client.c.company, client.c.email)
_WITH_OWN_FIELDS = select(client.c.extra).where(client.c.extra != {}).distinct()
_TAGS = select(client.c.tags).distinct()
_BY_STATUS = select(client.c.status, func.count()).group_by(client.c.status)
_LARGEST = (client.c.total_spend.desc(), client.c.id)
# Their ids come from the index alone; only they are then read.
_MOVED = (
    select(client.c.id)
    .where(
        client.c.status_before != "",
        client.c.status_before != client.c.status,
        client.c.status_since >= bindparam("since"),
    )
    .order_by(*_LARGEST)
    .limit(bindparam("limit"))
)
_MOVED_CLIENTS = ALL[Client].where(client.c.id.in_(_MOVED)).order_by(*_LARGEST)


def _each_status() -> Select[tuple[str]]:
    """The statuses, each once: from one to the next along the index, however many clients have it."""
    other = client.alias()
    status = select(func.min(client.c.status).label("status")).cte("given", recursive=True)
    following = select(func.min(other.c.status)).where(other.c.status > status.c.status).scalar_subquery()
    status = status.union_all(select(following).where(status.c.status.is_not(None)))
    return select(status.c.status).where(status.c.status.is_not(None))


_STATUSES = _each_status()


def counts_by_status(snapshot: Snapshot) -> "Sequence[AnyRow]":
    """The number of clients in each status: status, count."""
    return snapshot.select(_BY_STATUS)


def statuses(snapshot: Snapshot) -> list[str]:
    """The statuses that clients have."""
    return [status for (status,) in snapshot.select(_STATUSES)]


def moved_since(snapshot: Snapshot, day: date, limit: int) -> list[Client]:
    """Clients whose status has changed since a day, those who spent most first."""
    return [record_of(Client, row) for row in snapshot.select(_MOVED_CLIENTS, since=day, limit=limit)]


def values_of(snapshot: Snapshot, field: str) -> list[str]:
    """The distinct values of a field of the clients, as they are spelled there, in order."""
    column = client.c[field]
    return [value for (value,) in snapshot.select(select(column).distinct().order_by(column))]


def tags(snapshot: Snapshot) -> list[str]:
    """The tags that clients have, in order."""
    return sorted({tag for (tags_of_one,) in snapshot.select(_TAGS) for tag in tags_of_one})


def names_of_clients(snapshot: Snapshot) -> "Sequence[AnyRow]":
    """The names of all clients: id, kind, first name, last name, company, e-mail."""
    return snapshot.select(_NAMES)


def contacts_by_email(snapshot: Snapshot, addresses: Iterable[str]) -> "Sequence[AnyRow]":
    """The contacts with these e-mail addresses: address, client, id."""
    return snapshot.select(_CONTACTS_BY_EMAIL, addresses=list(addresses))


def own_fields(snapshot: Snapshot) -> list[str]:
    """The names of the team's own fields that some client has."""
    return sorted({name for (extra,) in snapshot.select(_WITH_OWN_FIELDS) for name in extra})


def contacts_with(
    snapshot: Snapshot, text: str, client: int | None = None, *, limit: int, offset: int = 0
) -> list[Contact]:
    """Contacts in whose name, e-mail address or phone number all words of a text are: of a client, the primary one
    first, or of all, by name. Where there is none, those whose name is spelt much like it."""
    listed = _contacts_with(snapshot, text, client, limit, offset)
    # Of fewer letters none is taken for a misspelt one.
    if listed or offset or len(fold(text).rpartition(" ")[2]) < _SHORTEST:
        return listed
    resembles = resembling(text)
    # A client is found by the name of a contact, misspelt or not.
    clients = [match.id for match in snapshot.search(text, _SEARCHED)] if client is None else [client]
    known = snapshot.find_all(Contact, Query({"client": clients})) if clients else []
    return [record for record in known if resembles(record.name)][:limit]


def _contacts_with(snapshot: Snapshot, text: str, client: int | None, limit: int, offset: int) -> list[Contact]:
    statement = ALL[Contact].limit(limit).offset(offset)
    for word in fold(text).split():
        statement = statement.where(contact.c.search_name.contains(word, autoescape=True))
    if client is not None:
        statement = statement.where(contact.c.client == client).order_by(contact.c.is_primary.desc(), contact.c.id)
    else:
        statement = statement.order_by(contact.c.search_name, contact.c.id)
    return [record_of(Contact, row) for row in snapshot.select(statement)]
