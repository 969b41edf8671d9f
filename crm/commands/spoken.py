"""What was said to a client and by it, in its timeline: calls and notes that were logged, and messages that were sent
or came in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from crm.commands.entries import Entry, Timed, short, timed
from crm.model import CHANNELS, INTERACTIONS, STATES, UNSENT, Contact, Conventions, Interaction
from crm.repository import Query, Snapshot
from crm.repository.tables import message

if TYPE_CHECKING:
    from crm.repository import AnyRow

# Of a long text only its beginning is read.
_BEGINNING = 200


def interactions(snapshot: Snapshot, client: int, kinds: Sequence[str], most: int, by: Conventions) -> Iterable[Timed]:
    """Calls, meetings, notes and so on that somebody has logged."""
    filters = {"client": client} if len(kinds) == len(INTERACTIONS) else {"client": client, "kind": list(kinds)}
    found = snapshot.find_all(Interaction, Query(filters, limit=most))
    if len(found) == most:
        # Those without a time stand by when they were noted down, which only the whole of their day tells.
        last = found[-1].on
        found = [each for each in found if each.on != last]
        found += snapshot.find_all(Interaction, Query(filters, since=last, until=last))
    names = _names(snapshot, {each.contact for each in found})
    for each in found:
        kind = INTERACTIONS[each.kind]
        about = each.subject or _first_line(each.body)
        told = kind[:1].upper() + kind[1:] + (f" with {names[each.contact]}" if each.contact in names else "")
        told += f": {about}" if about else ""
        moment = _moment(each.on, each.time, each.created_at, by)
        yield timed(Entry(each.on, each.time, each.kind, told, each.user, None, "interaction", each.id), moment)


_MESSAGES = (
    select(
        *(message.c[name] for name in ("id", "created_at", "on", "time", "channel", "direction", "state", "contact")),
        *(message.c[name] for name in ("subject", "failure", "user")),
        func.substr(message.c.body, 1, _BEGINNING).label("body"),
    )
    .where(message.c.client == bindparam("client"), message.c.channel.in_(bindparam("channels", expanding=True)))
    .order_by(message.c.on.desc(), message.c.time.desc(), message.c.id.desc())
)
_LATEST = _MESSAGES.limit(bindparam("most"))
_OF_DAY = _MESSAGES.where(message.c.on == bindparam("day"))


def messages(snapshot: Snapshot, client: int, kinds: Sequence[str], most: int, by: Conventions) -> Iterable[Timed]:
    """E-mails and texts with what became of them."""
    found = list(snapshot.select(_LATEST, client=client, channels=list(kinds), most=most))
    if len(found) == most:
        # As above: in a spreadsheet somebody may have taken the times away.
        last = found[-1].on
        found = [each for each in found if each.on != last]
        found += snapshot.select(_OF_DAY, client=client, channels=list(kinds), day=last)
    names = _names(snapshot, {each.contact for each in found})
    for each in found:
        entry = Entry(each.on, each.time, each.channel, _told(each, names), each.user, None, "message", each.id)
        yield timed(entry, _moment(each.on, each.time, each.created_at, by))


def _told(row: "AnyRow", names: Mapping[int, str]) -> str:
    """A message in words: 'E-mail to Jo Fox sent: your quote'."""
    channel = CHANNELS[row.channel]
    told = channel[:1].upper() + channel[1:]
    if row.contact in names:
        told += f" {'from' if row.direction == 'in' else 'to'} {names[row.contact]}"
    told += f" {STATES[row.state]}"
    if about := row.subject or _first_line(row.body):
        told += f": {about}"
    return told + (f" ({short(row.failure)})" if row.failure and row.state in UNSENT else "")


def _names(snapshot: Snapshot, numbers: set[int]) -> Mapping[int, str]:
    """The names of contacts that are there, by their numbers."""
    wanted = sorted(numbers - {0})
    return {each.id: each.name for each in snapshot.find_all(Contact, Query({"id": wanted}))} if wanted else {}


def _first_line(text: str) -> str:
    return short(text.partition("\n")[0])


def _moment(on: date, at: str, noted: datetime, by: Conventions) -> datetime:
    return by.clock.at(on, time.fromisoformat(at)) if at else noted
