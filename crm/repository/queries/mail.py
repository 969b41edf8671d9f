"""Queries about messages."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, String, bindparam, case, func, or_, select, type_coerce

from crm.lean_dataclass import dataclass
from crm.model import UNSENT, Message, OptOut
from crm.repository import Query, Snapshot
from crm.repository.queries.people import EVERYBODY, OwnerFilter
from crm.repository.query import selection
from crm.repository.sql_functions import among, holds
from crm.repository.statements import ALL
from crm.repository.tables import TABLES, client, contact, message, record_of

if TYPE_CHECKING:
    from crm.repository import AnyRow

_BY_IDENTIFIER = select(
    message.c.identifier,
    message.c.client,
    message.c.id,
    message.c.direction,
    message.c.sender,
    message.c.subject,
    message.c.body,
    message.c.on,
    message.c.time,
).where(message.c.identifier.in_(bindparam("identifiers", expanding=True)))
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
_LEASED = ALL[Message].where(message.c.state.in_(("sending", "unsure")), message.c.until != "")
_OF_OCCASION = select(message.c.to).where(
    message.c.occasion == bindparam("occasion"), message.c.channel == bindparam("channel")
)
_REACHED_BY = (
    select(message.c.to, message.c.on, message.c.mailing)
    .where(
        message.c.mailing.in_(bindparam("mailings", expanding=True)),
        message.c.state.in_(("queued", "sending", "sent", "unsure")),
    )
    .order_by(message.c.id)
)
_STATES = (
    select(message.c.state, func.count())
    .where(message.c.state.in_(bindparam("states", expanding=True)))
    .group_by(message.c.state)
)

# A JSON array: hundreds of values of their own take longer to hand over than the query.
_WANTED = bindparam("addresses", type_=String)
_opt_out = TABLES[OptOut]
_OPT_OUTS = ALL[OptOut].where(among(type_coerce(_opt_out.c.address, String), _WANTED))
_NAMES = (client.c.id, client.c.first_name, client.c.last_name, client.c.company, client.c.kind)
_REFUSING = {
    field: select(column.label("address"), *_NAMES).where(among(column, _WANTED), ~client.c.marketing_consent)
    for field, column in {"email": client.c.email, "phone": client.c.phone}.items()
}
# A company without an address of its own is written to by way of its primary contact.
_REFUSING_CONTACTS = (
    select(contact.c.email.label("address"), *_NAMES)
    .join_from(contact, client, contact.c.client == client.c.id)
    .where(among(contact.c.email, _WANTED), contact.c.is_primary, client.c.email == "", ~client.c.marketing_consent)
)

# What older versions have kept as it was typed: `max <max@x.com>`, several addresses, capitals.
_address = type_coerce(_opt_out.c.address, String)
_ODD_OPT_OUTS = ALL[OptOut].where(
    or_(
        *(_address.contains(sign, autoescape=True) for sign in (*"<>()[]{},;: \"'", "%40")),
        _address.endswith("."),
        func.lower(_address) != _address,
    )
)


def opt_outs(snapshot: Snapshot, addresses: Iterable[str]) -> list[OptOut]:
    """The opt-outs of some addresses and telephone numbers, each in the form in which they are compared."""
    return [record_of(OptOut, row) for row in snapshot.select(_OPT_OUTS, addresses=json.dumps(list(addresses)))]


def odd_opt_outs(snapshot: Snapshot) -> list[OptOut]:
    """The opt-outs that may not be in the form in which recipients are compared."""
    return [record_of(OptOut, row) for row in snapshot.select(_ODD_OPT_OUTS)]


def refusing(snapshot: Snapshot, field: str, addresses: Iterable[str]) -> "Sequence[AnyRow]":
    """The clients who have not agreed to mailings and would be written to at one of some addresses ('email') or numbers
    ('phone'): the address, and what they are called by."""
    listed = json.dumps(list(addresses))
    statements = (_REFUSING[field], _REFUSING_CONTACTS) if field == "email" else (_REFUSING[field],)
    return [row for statement in statements for row in snapshot.select(statement, addresses=listed)]


def by_identifier(snapshot: Snapshot, identifiers: Iterable[str]) -> "Sequence[AnyRow]":
    """The messages with these identifiers: identifier, client, id, direction, sender, subject, body, on, time."""
    return snapshot.select(_BY_IDENTIFIER, identifiers=list(identifiers))


def states_of_mailings(snapshot: Snapshot, mailings: Iterable[int]) -> "Sequence[AnyRow]":
    """The number of messages of some mailings by their state: mailing, state, count."""
    return snapshot.select(_STATES_OF_MAILINGS, mailings=list(mailings))


def failed_mail(snapshot: Snapshot) -> "Sequence[AnyRow]":
    """Our e-mails that failed, the oldest first: to, failure."""
    return snapshot.select(_FAILED)


def ended_mail(snapshot: Snapshot) -> "Sequence[AnyRow]":
    """Our e-mails that were sent or failed, the oldest first: to, state."""
    return snapshot.select(_ENDED)


def reached_by(snapshot: Snapshot, mailings: Iterable[int]) -> "Sequence[AnyRow]":
    """The addresses that some mailings went or may go to, the oldest first: to, on, mailing."""
    return snapshot.select(_REACHED_BY, mailings=list(mailings))


def addresses_of_occasion(snapshot: Snapshot, key: str, channel: str) -> list[str]:
    """The addresses that have a message for a day of the year, marked with `key`, whatever its outcome."""
    return [to for (to,) in snapshot.select(_OF_OCCASION, occasion=key, channel=channel)]


def counts_by_state(snapshot: Snapshot, states: Collection[str]) -> Mapping[str, int]:
    """The number of messages that are in some states; those in which none is are left out."""
    return {state: count for state, count in snapshot.select(_STATES, states=list(states))}  # noqa: C416 - rows


def messages(
    snapshot: Snapshot,
    *,
    client: int = 0,
    state: str = "",
    direction: str = "",
    channel: str = "",
    since: date | None = None,
    until: date | None = None,
    by: OwnerFilter = EVERYBODY,
    mailing: int = 0,
    words: Sequence[str] = (),
    limit: int,
    offset: int = 0,
) -> list[Message]:
    """Messages, the newest first: those of a client, in a state and so on, and with words in the subject, the text or
    an address, whatever their case; what is not given narrows nothing."""
    columns = message.c
    searched = (columns.subject, columns.body, columns.sender, columns.to, columns.cc, columns.bcc)
    conditions = [
        columns.client == client if client else None,
        columns.state == state if state else None,
        columns.direction == direction if direction else None,
        columns.channel == channel if channel else None,
        columns.on >= since if since else None,
        columns.on <= until if until else None,
        by.owns(Message) if by else None,
        columns.mailing == mailing if mailing else None,
        *(or_(*(holds(column, word) for column in searched)) for word in words),
    ]
    statement = (
        ALL[Message]
        .where(*(condition for condition in conditions if condition is not None))
        .order_by(columns.on.desc(), columns.time.desc(), columns.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [record_of(Message, row) for row in snapshot.select(statement)]


@dataclass(frozen=True, slots=True)
class WhichQueued:
    """A filter of the messages that are queued and due: those of some channels, the ones with the ids in `only` unless
    it is None, those of a `mailing` unless it is 0."""

    channels: Collection[str]
    only: Collection[int] | None = None
    mailing: int = 0


def due(snapshot: Snapshot, which: WhichQueued, most: int, but: Collection[int] = ()) -> list[Message]:
    """The messages that are queued and due, but for some: single ones before those of mailings, the oldest first."""
    statement = (
        ALL[Message]
        .where(*_due(snapshot, which), message.c.id.not_in(but))
        .order_by(case((message.c.mailing == 0, 0), else_=1), message.c.id)
        .limit(most)
    )
    return [record_of(Message, row) for row in snapshot.select(statement)]


def count_due(snapshot: Snapshot, which: WhichQueued) -> int:
    """The number of messages that are queued and due."""
    ((count,),) = snapshot.select(select(func.count()).select_from(message).where(*_due(snapshot, which)))
    return int(count)


def postponed(snapshot: Snapshot, which: WhichQueued, but: Collection[int] = ()) -> tuple[int, str]:
    """The number of messages that are queued for a later try, but for some, and when the next is tried, '' for none."""
    conditions = [*_queued(which), message.c.until > snapshot.clock.now.isoformat(), message.c.id.not_in(but)]
    ((count, first),) = snapshot.select(select(func.count(), func.min(message.c.until)).where(*conditions))
    return int(count), str(first or "")


def still_queued(snapshot: Snapshot, which: WhichQueued, most: int, but: Collection[int] = ()) -> list[Message]:
    """The first messages that are queued, but for some: those that are due, then the others by their next try."""
    conditions = [*_queued(which), message.c.id.not_in(but)]
    chosen = ALL[Message].where(*conditions).order_by(message.c.until, message.c.id).limit(most)
    return [record_of(Message, row) for row in snapshot.select(chosen)]


def _due(snapshot: Snapshot, which: WhichQueued) -> list[ColumnElement[bool]]:
    return [*_queued(which), or_(message.c.until == "", message.c.until <= snapshot.clock.now.isoformat())]


def _queued(which: WhichQueued) -> list[ColumnElement[bool]]:
    columns = message.c
    conditions = [columns.state == "queued", columns.direction == "out", columns.channel.in_(which.channels)]
    if which.only is not None:
        conditions.append(columns.id.in_(which.only))
    return [*conditions, columns.mailing == which.mailing] if which.mailing else conditions


def leased(snapshot: Snapshot) -> list[Message]:
    """The messages that somebody has taken to send, and that have not ended as far as is known."""
    return [record_of(Message, row) for row in snapshot.select(_LEASED)]


def unsent(snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0) -> tuple[int, list[int]]:
    """Messages that could not be sent, or may not have been: how many, and the ids of the `most` oldest after the first
    `but`. Those of a mailing to many are left out, unless it goes out by itself on each one's day."""
    query = Query({"state": UNSENT, **owner.filters(Message)})
    among = or_(message.c.mailing == 0, message.c.occasion != "")

    def narrowed(*columns: Any) -> Select[Any]:
        return selection(select(*columns).select_from(message).where(among), Message, query, snapshot.clock)

    ((count,),) = snapshot.select(narrowed(func.count()).order_by(None))
    if not (count > but and most):
        return count, []
    oldest = (message.c.on, message.c.id)
    rows = snapshot.select(narrowed(message.c.id).order_by(None).order_by(*oldest).limit(most).offset(but))
    return count, [row[0] for row in rows]
