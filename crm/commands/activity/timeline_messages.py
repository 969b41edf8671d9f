"""Conversations in a client's timeline: calls and notes that were logged, messages that were sent or came in."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from crm.commands.activity.timeline_entries import Entry, Key, in_one_line
from crm.model import CHANNELS, INTERACTIONS, STATES, UNSENT, Contact, Conventions
from crm.repository import Query, Snapshot
from crm.repository.queries import timeline

if TYPE_CHECKING:
    from crm.repository import AnyRow


def interactions(
    snapshot: Snapshot, client: int, kinds: Sequence[str], until: date, most: int, by: Conventions
) -> list[tuple[Key, "AnyRow"]]:
    """Calls, meetings, notes and so on that somebody has logged."""
    return _keyed(timeline.interactions(snapshot, client, kinds, until, most), by)


def interaction_entries(snapshot: Snapshot, rows: Sequence["AnyRow"], _: Conventions) -> list[Entry]:
    """Interactions in words: 'Call with Jo Fox: a quote'."""
    names = _names(snapshot, {row.contact for row in rows})
    entries = []
    for row in rows:
        kind = INTERACTIONS[row.kind]
        about = row.subject or _first_line(row.body)
        text = kind[:1].upper() + kind[1:] + (f" with {names[row.contact]}" if row.contact in names else "")
        text += f": {about}" if about else ""
        entries.append(Entry(row.on, row.time, row.kind, text, row.user, None, "interaction", row.id))
    return entries


def messages(
    snapshot: Snapshot, client: int, kinds: Sequence[str], until: date, most: int, by: Conventions
) -> list[tuple[Key, "AnyRow"]]:
    """E-mails and texts with what became of them."""
    return _keyed(timeline.messages(snapshot, client, kinds, until, most), by)


def _keyed(rows: Sequence["AnyRow"], by: Conventions) -> list[tuple[Key, "AnyRow"]]:
    """Each row with what it is sorted by: its day, and the moment in it."""
    return [((row.on, _moment(row.on, row.time, row.created_at, by), 0), row) for row in rows]


def message_entries(snapshot: Snapshot, rows: Sequence["AnyRow"], _: Conventions) -> list[Entry]:
    """Messages in words: 'E-mail to Jo Fox sent: your quote'."""
    names = _names(snapshot, {row.contact for row in rows})
    return [
        Entry(row.on, row.time, row.channel, _message_text(row, names), row.user, None, "message", row.id)
        for row in rows
    ]


def _message_text(row: "AnyRow", names: Mapping[int, str]) -> str:
    channel = CHANNELS[row.channel]
    text = channel[:1].upper() + channel[1:]
    if row.contact in names:
        text += f" {'from' if row.direction == 'in' else 'to'} {names[row.contact]}"
    text += f" {STATES[row.state]}"
    if about := row.subject or _first_line(row.body):
        text += f": {about}"
    return text + (f" ({in_one_line(row.failure)})" if row.failure and row.state in UNSENT else "")


def _names(snapshot: Snapshot, numbers: set[int]) -> Mapping[int, str]:
    """The names of contacts that are there, by their numbers."""
    ids = sorted(numbers - {0})
    return {contact.id: contact.name for contact in snapshot.find_all(Contact, Query({"id": ids}))} if ids else {}


def _first_line(text: str) -> str:
    return in_one_line(text.partition("\n")[0])


def _moment(on: date, at: str, noted: datetime, by: Conventions) -> datetime:
    return by.clock.at(on, time.fromisoformat(at)) if at else noted
