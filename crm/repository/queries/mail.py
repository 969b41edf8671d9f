"""Queries about messages."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from crm.repository import Snapshot
from crm.repository.tables import message

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
