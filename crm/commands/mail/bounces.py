"""Bounces: addresses that mailings leave out because a mail server said that they do not exist, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.mail.composing import Addressees
from crm.commands.mail.mailings.audience import CLEARED, refused_addresses, says_unknown
from crm.commands.registry import About, command
from crm.errors import FieldError, RefusedError
from crm.model import Message
from crm.model.fields import Line
from crm.model.fields.recipients import recipient_key
from crm.outward.sanitizing import line
from crm.repository import Query, Transaction

_LONGEST = Line(500).longest


@dataclass(frozen=True, slots=True)
class Bounced:
    """An address that was refused for good: the last time that was, the client, and the words of the server."""

    address: str
    on: date
    client: int
    words: str


@command(
    "bounces list",
    title="Bounced addresses",
    menu="not written to",
    hint="Where e-mail could not be delivered",
    nothing="No bounced addresses.",
)
def list_all(crm: CRM) -> list[Bounced]:
    """List the addresses that mailings skip because a mail server said that the mailbox does not exist."""
    with crm.read() as snapshot:
        refused = refused_addresses(snapshot)
        failed = snapshot.find_all(Message, Query({"state": "failed"}, sort="id")) if refused else []
    last = {recipient_key(message.to): message for message in failed if says_unknown(message.to, message.failure)}
    return [
        Bounced(message.to, message.on, message.client, message.failure)
        for key, message in sorted(last.items())
        if message.to.casefold() in refused
    ]


@command("bounces clear", title="Send to bounced addresses again", nothing="No bounced addresses.")
def clear(
    crm: CRM,
    addresses: Annotated[
        tuple[str, ...],
        Addressees(),
        About("Addresses", "as `bounces list` shows them", completed_by="listed bounces list"),
    ] = (),
    all_: Annotated[bool, About("All", "all that `bounces list` shows")] = False,
) -> list[Bounced]:
    """Let mailings go to bounced addresses again, and list the rest.

    If an address bounces again, mailings skip it again.
    """
    if bool(addresses) == all_:
        raise FieldError("say which addresses, or --all", field="addresses", label="Addresses")
    keys = {recipient_key(address) for address in addresses}
    cleared = [bounce for bounce in list_all(crm) if all_ or recipient_key(bounce.address) in keys]
    known = {recipient_key(bounce.address) for bounce in cleared}
    if missing := sorted(keys - known):
        raise RefusedError(
            f"{missing[0]} has not bounced. `bounces list` shows the addresses that have. Nothing was changed."
        )

    def change(tx: Transaction) -> None:
        for message in _failed(tx):
            if recipient_key(message.to) in known and says_unknown(message.to, message.failure):
                tx.change(message, failure=line(CLEARED + message.failure, _LONGEST))

    if cleared:
        count = f"{len(cleared)} {'address' if len(cleared) == 1 else 'addresses'}"
        crm.transact(change, f"let mailings go to {count} again")
    return cleared


def _failed(tx: Transaction) -> Sequence[Message]:
    return tx.find_all(Message, Query({"state": "failed", "direction": "out", "channel": "email"}, sort="id"))
