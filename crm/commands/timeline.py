"""The timeline of a client: all that happened, latest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from crm.commands.clients import TheClient
from crm.commands.context import CRM
from crm.commands.entries import Entry, EntryKinds
from crm.commands.events import latest
from crm.commands.registry import About, command
from crm.model import Client


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of a client's timeline, latest first, and whether there is `more` after it."""

    client: Client
    entries: Sequence[Entry]
    more: bool


@command("timeline", title="Timeline")
def timeline(
    crm: CRM,
    client: TheClient,
    only: Annotated[tuple[str, ...], EntryKinds(), About("Only", "calls, sales, deals, follow-ups, …")] = (),
    limit: Annotated[int, About("Limit", "how many at most")] = 50,
    offset: Annotated[int, About("Offset", "how many to leave out first")] = 0,
) -> Timeline:
    """Shows what happened with a client, latest first: sales, calls and notes, deals, follow-ups, changes.

    `only` leaves some kinds: calls, meetings, emails, sms, notes (interactions for all five), sales, deals,
    follow-ups, status changes, edits.
    """
    with crm.read() as snapshot:
        record = snapshot.get(Client, client.id)
        found = latest(crm, snapshot, record, limit + 1, offset, only)
    return Timeline(record, found[:limit], len(found) > limit)
