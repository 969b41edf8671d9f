"""Queries about days that come once a year: birthdays, the day of the first sale, days of the calendar."""

from calendar import isleap
from collections.abc import Collection
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Exists, and_, bindparam, exists, extract, func, or_, select, true

from crm.clock import Clock
from crm.model import Client
from crm.repository import Snapshot
from crm.repository.queries.people import OwnerFilter
from crm.repository.statements import ALL
from crm.repository.tables import client, message, record_of

BIRTHDAY, FIRST_SALE = "birthday", "first sale"

_BORN_ON = (
    ALL[Client].where(client.c.birthday == bindparam("born_on")).order_by(client.c.sort_name).limit(bindparam("limit"))
)


def born_on(snapshot: Snapshot, day: str, limit: int) -> list[Client]:
    """Clients who were born on a day of a year, written 11-28, in the order of the alphabet."""
    return [record_of(Client, row) for row in snapshot.select(_BORN_ON, born_on=day, limit=limit)]


def birthdays_without_contact(
    snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0
) -> tuple[int, list[Client]]:
    """Clients whose birthday is today and whom nobody has been in touch with today: how many, and the `most` first of
    the alphabet after the first `but`. A client without an owner is everybody's."""
    today = snapshot.today
    born = _falls_on(BIRTHDAY, today, snapshot.clock)
    if born is None:
        return 0, []
    among = [born, or_(client.c.last_contact_on.is_(None), client.c.last_contact_on < today)]
    if owner:
        among.append(or_(client.c.owner == "", owner.owns(Client)))
    ((count,),) = snapshot.select(select(func.count()).select_from(client).where(*among))
    if not (count > but and most):
        return count, []
    statement = ALL[Client].where(*among).order_by(client.c.sort_name, client.c.id)
    return count, [record_of(Client, row) for row in snapshot.select(statement.limit(most).offset(but))]


def to_greet(snapshot: Snapshot, occasion: str, day: date, channel: str, key: str) -> list[int]:
    """The ids of the clients whose day it is, who agreed to marketing, have an address for the channel, and have no
    message for it yet, marked with `key`."""
    fits = _falls_on(occasion, day, snapshot.clock)
    if fits is None:
        return []
    address = client.c.phone if channel == "sms" else client.c.email
    query = select(client.c.id).where(fits, client.c.marketing_consent, address != "", ~_greeted(channel, key))
    return [row[0] for row in snapshot.select(query.order_by(client.c.id))]


def still_to_greet(snapshot: Snapshot, clients: Collection[int], channel: str, key: str) -> list[int]:
    """The clients still to be greeted, of some by id: those who still agree to marketing and have no message for their
    day yet."""
    query = select(client.c.id).where(
        client.c.id.in_(list(clients)), client.c.marketing_consent, ~_greeted(channel, key)
    )
    return [row[0] for row in snapshot.select(query)]


def _greeted(channel: str, key: str) -> Exists:
    """Return whether a client has a message for the day already, of whichever order and whatever its outcome."""
    return exists().where(message.c.client == client.c.id, message.c.occasion == key, message.c.channel == channel)


def _falls_on(occasion: str, day: date, clock: Clock) -> ColumnElement[bool] | None:
    """The condition for clients whose anniversary falls on a day; None where there is none. An anniversary on 29
    February is on the 28th in other years. A client that was added later is not greeted for a day before."""
    dates = [(day.month, day.day)]
    if dates == [(2, 28)] and not isleap(day.year):
        dates.append((2, 29))
    present = client.c.created_at < clock.at(day + timedelta(days=1))
    if occasion == BIRTHDAY:
        born = [f"{month:02}-{number:02}" for month, number in dates]
        return and_(present, client.c.birthday.in_(born), client.c.date_of_birth < day)
    if occasion == FIRST_SALE:
        first = client.c.first_sale_on
        same = (and_(extract("month", first) == month, extract("day", first) == number) for month, number in dates)
        return and_(present, or_(*same), extract("year", first) < day.year)
    return and_(present, true()) if occasion in {f"{number:02}-{month:02}" for month, number in dates} else None
