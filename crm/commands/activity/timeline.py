"""The timeline of a client: all that happened, latest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from crm.commands.client_selection import TheClient
from crm.commands.context import CRM
from crm.commands.list_parameters import Limit, Offset, most
from crm.commands.registry import About, command
from crm.commands.timeline_entries import Entry, Place
from crm.commands.timeline_sources import EntryKinds, latest
from crm.model import Client


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of a client's timeline, latest first, whether there is `more` after it, and where the `next` page begins
    ('' where there is none)."""

    client: Client
    entries: Sequence[Entry]
    more: bool
    next: str = ""


@command("timeline", title="Timeline")
def timeline(
    crm: CRM,
    client: TheClient,
    only: Annotated[tuple[str, ...], EntryKinds(), About("Only", "calls, sales, deals, follow-ups, …")] = (),
    limit: Limit = 0,
    offset: Offset = 0,
    after: Annotated[str, About("After", "where the previous page ended, as shown at its end")] = "",
) -> Timeline:
    """Show what happened with a client, latest first: sales, calls and notes, deals, invoices, payments, changes.

    `only` shows some kinds only: calls, meetings, emails, sms, notes (interactions for all five), sales, deals, follow-
    ups, invoices, payments, reminders (billing for all three), status changes, edits. A page says where it
    ended: give that as `after` to see the next one.
    """
    place = Place.read(after)
    with crm.read() as snapshot:
        record = snapshot.get(Client, client.id)
        end = offset + most(limit)
        entries = latest(crm, snapshot, record, end + 1, only, place)
    page, more = entries[:end], len(entries) > end
    return Timeline(record, page[offset:], more, str(place.after(page)) if more else "")
