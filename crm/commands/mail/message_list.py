"""The list of messages, which loads nothing that sends them."""

from typing import Annotated

from crm.commands.client_selection import MaybeClientFirst
from crm.commands.context import CRM
from crm.commands.list_parameters import Limit, Offset, Since, Until, in_order, most
from crm.commands.ownership import Mine, owner_filter
from crm.commands.registry import About, command
from crm.model import CHANNELS, DIRECTIONS, STATES, Mailing, Message
from crm.model.fields import Choice
from crm.repository.queries import mail as queries


@command("email list", title="Sent and received messages", menu="email", nothing="No messages found.")
def list_all(
    crm: CRM,
    client: MaybeClientFirst = None,
    state: Annotated[str, Choice(STATES), About("State", "queued, sent, failed, unsure, received or cancelled")] = "",
    direction: Annotated[str, Choice(DIRECTIONS), About("Direction", "out, to the client, or in")] = "",
    channel: Annotated[str, Choice(CHANNELS), About("Channel", "email or sms")] = "",
    since: Since = None,
    until: Until = None,
    mine: Mine = False,
    text: Annotated[str, About("Text", "part of the subject, the text or an address")] = "",
    mailing: Annotated[Mailing | None, About("Mailing", "its number")] = None,
    limit: Limit = 0,
    offset: Offset = 0,
) -> list[Message]:
    """List messages sent to and received from clients, newest first, with their state."""
    in_order(since, until)
    with crm.read() as snapshot:
        return queries.messages(
            snapshot,
            client=client.id if client else 0,
            state=state,
            direction=direction,
            channel=channel,
            since=since,
            until=until,
            by=owner_filter(crm, snapshot, mine),
            mailing=mailing.id if mailing else 0,
            words=text.split(),
            limit=most(limit),
            offset=offset,
        )
