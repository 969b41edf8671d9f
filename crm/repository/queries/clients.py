"""Queries about clients and their contacts."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from crm.model import Contact
from crm.model.folding import fold
from crm.repository import Snapshot
from crm.repository.tables import client, contact, record_columns, record_of

if TYPE_CHECKING:
    from crm.repository import AnyRow

_CONTACTS_BY_EMAIL = select(contact.c.email, contact.c.client, contact.c.id).where(
    contact.c.email.in_(bindparam("addresses", expanding=True))
)
_WITH_OWN_FIELDS = select(client.c.extra).where(client.c.extra != {}).distinct()


def contacts_by_email(snapshot: Snapshot, addresses: Iterable[str]) -> "Sequence[AnyRow]":
    """The contacts with these e-mail addresses: address, client, id."""
    return snapshot.select(_CONTACTS_BY_EMAIL, addresses=list(addresses))


def own_fields(snapshot: Snapshot) -> list[str]:
    """The names of the team's own fields that some client has."""
    return sorted({name for (extra,) in snapshot.select(_WITH_OWN_FIELDS) for name in extra})


def contacts_with(
    snapshot: Snapshot, text: str, client: int | None = None, *, limit: int, offset: int = 0
) -> list[Contact]:
    """Contacts in whose name, e-mail address or telephone number all words of a text are: of a client, the primary one
    first, or of all, by name."""
    statement = select(*record_columns(Contact)).limit(limit).offset(offset)
    for word in fold(text).split():
        statement = statement.where(contact.c.search_name.contains(word, autoescape=True))
    if client is not None:
        statement = statement.where(contact.c.client == client).order_by(contact.c.is_primary.desc(), contact.c.id)
    else:
        statement = statement.order_by(contact.c.search_name, contact.c.id)
    return [record_of(Contact, row) for row in snapshot.select(statement)]
