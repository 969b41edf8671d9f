"""Writing follow-ups as a calendar file (iCalendar, RFC 5545)."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from crm.files.safe_writing import replacing
from crm.model import Client, Conventions, FollowUp

if TYPE_CHECKING:
    from icalendar import Event

# A follow-up has no end; a calendar shows what has none as a mere line.
_LASTS = timedelta(minutes=30)
# What could end a line in some reader's eyes, or is not text: the library leaves it as it is.
_ODD = dict.fromkeys([*range(10), *range(11, 32), *range(127, 160), 0x2028, 0x2029], " ")
_OURS = uuid.UUID("b6a3d1c5-2b0e-4b8d-9d0e-6f7f3c1f5a11")

# A follow-up, its client, and the title of the deal that it is about ('' for none).
Entry = tuple[FollowUp, Client, str]


def write_follow_ups(path: Path, entries: Iterable[Entry], by: Conventions) -> int:
    """Write follow-ups as events of one calendar, their number is returned. Raises FileError.

    They are events and not to-dos, which most calendars leave out. A time of day is written without a zone ("floating",
    RFC 5545 3.3.5): it is the time as people there say it, and nobody has said where. What has no time is of the whole
    day and keeps nobody busy. The UID of a follow-up stays the same as long as it lives, in copies of the store too,
    and SEQUENCE rises with each change, so that a file taken in again brings events up to date.
    """
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//CRM//Follow-ups//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    count = 0
    for entry in entries:
        calendar.add_component(_event(*entry, by))
        count += 1
    with replacing(path) as file:
        file.write(calendar.to_ical())
    return count


def _event(follow_up: FollowUp, client: Client, deal: str, by: Conventions) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("uid", str(_uid(follow_up)))
    event.add("dtstamp", follow_up.updated_at.astimezone(UTC))
    event.add("created", follow_up.created_at.astimezone(UTC))
    event.add("last-modified", follow_up.updated_at.astimezone(UTC))
    event.add("sequence", max(0, follow_up.version - 1))
    event.add("summary", f"{follow_up.what} ({client.name})".translate(_ODD))
    if follow_up.due_time:
        begin = datetime.combine(follow_up.due_on, time.fromisoformat(follow_up.due_time))
        event.add("dtstart", begin)
        event.add("dtend", begin + _LASTS)
    else:
        event.add("dtstart", follow_up.due_on)
        event.add("transp", "TRANSPARENT")
    event.add("description", "\n".join(line.translate(_ODD) for line in _description(follow_up, client, deal, by)))
    return event


def _uid(follow_up: FollowUp) -> uuid.UUID:
    """The same for a follow-up always; in another store the one with its number was made at another moment."""
    return uuid.uuid5(_OURS, f"{follow_up.id} {follow_up.created_at.astimezone(UTC).isoformat()}")


def _description(follow_up: FollowUp, client: Client, deal: str, by: Conventions) -> Iterable[str]:
    """The description of the entry: details that are needed when it is due."""
    yield f"Client: {client.name} (no. {client.id})"
    if deal:
        yield f"Deal: {deal}"
    if client.phone:
        yield f"Phone: {client.phone}"
    if client.email:
        yield f"E-mail: {client.email}"
    if follow_up.user:
        yield f"For: {follow_up.user}"
    if follow_up.every:
        yield f"Repeats every {by.number(follow_up.every)} days after the last contact"
