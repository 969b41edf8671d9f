"""Queries about messages."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam, func, select

from crm.model import OptOut
from crm.repository import Snapshot
from crm.repository.tables import TABLES, client, contact, message, record_columns, record_of

if TYPE_CHECKING:
    from crm.repository import AnyRow

_BY_IDENTIFIER = select(message.c.identifier, message.c.client, message.c.id).where(
    message.c.identifier.in_(bindparam("identifiers", expanding=True))
)
_STATES_OF_MAILINGS = (
    select(message.c.mailing, message.c.state, func.count())
    .where(message.c.mailing.in_(bindparam("mailings", expanding=True)))
    .group_by(message.c.mailing, message.c.state)
)
_OUR_MAIL = (message.c.direction == "out", message.c.channel == "email")
_IN_ORDER = (message.c.on, message.c.time, message.c.id)
_FAILED = select(message.c.to, message.c.failure).where(message.c.state == "failed", *_OUR_MAIL).order_by(*_IN_ORDER)
_ENDED = (
    select(message.c.to, message.c.state)
    .where(message.c.state.in_(("sent", "failed")), *_OUR_MAIL)
    .order_by(*_IN_ORDER)
)

_WANTED: BindParameter[Any] = bindparam("addresses", expanding=True)
_opt_out = TABLES[OptOut]
_OPT_OUTS = select(*record_columns(OptOut)).where(_opt_out.c.address.in_(_WANTED))
_NAMES = (client.c.id, client.c.first_name, client.c.last_name, client.c.company, client.c.kind)
_REFUSING = {
    field: select(column.label("address"), *_NAMES).where(column.in_(_WANTED), ~client.c.marketing_consent)
    for field, column in {"email": client.c.email, "phone": client.c.phone}.items()
}
# A company without an address of its own is written to by way of its primary contact.
_REFUSING_CONTACTS = (
    select(contact.c.email.label("address"), *_NAMES)
    .join_from(contact, client, contact.c.client == client.c.id)
    .where(contact.c.email.in_(_WANTED), contact.c.is_primary, client.c.email == "", ~client.c.marketing_consent)
)


def opt_outs(snapshot: Snapshot, addresses: Iterable[str]) -> list[OptOut]:
    """The opt-outs of some addresses and telephone numbers, each in the form in which they are compared."""
    return [record_of(OptOut, row) for row in snapshot.select(_OPT_OUTS, addresses=list(addresses))]


def refusing(snapshot: Snapshot, field: str, addresses: Iterable[str]) -> "Sequence[AnyRow]":
    """The clients who have not agreed to mailings and would be written to at one of some addresses ('email') or numbers
    ('phone'): the address, and what they are called by."""
    wanted = list(addresses)
    statements = (_REFUSING[field], _REFUSING_CONTACTS) if field == "email" else (_REFUSING[field],)
    return [row for statement in statements for row in snapshot.select(statement, addresses=wanted)]


def by_identifier(snapshot: Snapshot, identifiers: Iterable[str]) -> "Sequence[AnyRow]":
    """The messages with these identifiers: identifier, client, id."""
    return snapshot.select(_BY_IDENTIFIER, identifiers=list(identifiers))


def states_of_mailings(snapshot: Snapshot, mailings: Iterable[int]) -> "Sequence[AnyRow]":
    """How many messages of some mailings are in which state: mailing, state, count."""
    return snapshot.select(_STATES_OF_MAILINGS, mailings=list(mailings))


def failed_mail(snapshot: Snapshot) -> "Sequence[AnyRow]":
    """Our e-mails that failed, the oldest first: to, failure."""
    return snapshot.select(_FAILED)


def ended_mail(snapshot: Snapshot) -> "Sequence[AnyRow]":
    """Our e-mails that were sent or failed, the oldest first: to, state."""
    return snapshot.select(_ENDED)
