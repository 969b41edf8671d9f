"""Opt-outs: the addresses and phone numbers that get no mailings any more; listed, added, and lifted on purpose."""

from typing import Annotated

from crm.commands.consent import described, opted_out
from crm.commands.context import CRM
from crm.commands.deletions import deleted
from crm.commands.mail.unsubscribing import suppress
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.errors import FieldError, NotFoundError, RefusedError
from crm.model import Conventions, OptOut
from crm.model.fields import Line, NameOf
from crm.model.fields.recipients import Recipient, recipient_key
from crm.repository import Query, Snapshot, Transaction

TheRecipient = Annotated[str, Recipient(), About("Address", "an e-mail address or a phone number", positional=True)]


@command(
    "opt-outs list",
    title="Opt-outs",
    menu="not written to",
    hint="Who gets no mailings",
    nothing="Nobody has opted out.",
)
def list_all(crm: CRM, text: Annotated[str, Line(254), About("Text", "part of an address")] = "") -> list[OptOut]:
    """List the addresses and phone numbers that get no more mailings and greetings."""
    with crm.read() as snapshot:
        opt_outs = snapshot.find_all(OptOut, Query())
    return [opt_out for opt_out in opt_outs if text.casefold() in opt_out.address]


@command("opt-outs add", title="Add an opt-out")
def add(
    crm: CRM,
    address: TheRecipient,
    note: Annotated[str, Line(300), About("Note", "like: said so on the phone")] = "",
) -> OptOut:
    """Opt an address or a phone number out of mailings and greetings.

    No mailing and no greeting goes there, whichever client it belongs to, also when clients are merged, deleted or
    imported later. A single e-mail to one client (`email send`) can still be sent.
    """
    if not address:
        raise FieldError("it is needed", field="address", label="Address")

    def change(tx: Transaction) -> OptOut:
        if existing := opted_out(tx, [address]):
            raise RefusedError(f"{address} already {described(existing[address])}. Nothing was changed.")
        suppress(tx, address, "asked", note)
        return opted_out(tx, [address])[address]

    return crm.transact(change, f"added an opt-out for {address}")


@command("opt-outs lift", title="Remove an opt-out", roles=ONLY_ADMIN, as_text=deleted)
def lift(
    crm: CRM,
    address: Annotated[
        str, NameOf(254, record="opt_out"), About("Address", "as `opt-outs list` shows it", positional=True)
    ],
    reason: Annotated[str, Line(200), About("Reason", "why it no longer applies, like: she asked for it by mail")],
) -> OptOut:
    """Remove an address or a phone number from the opt-outs because its owner asked for it.

    The history keeps the reason. The consent of clients does not change: set it for each client who wants mailings
    again.
    """
    if not reason:
        raise FieldError("say why it no longer applies; the history keeps the reason", field="reason", label="Reason")

    with crm.read() as snapshot:
        key = _listed(snapshot, address, crm.conventions)

    def change(tx: Transaction) -> OptOut:
        opt_out = opted_out(tx, [key]).get(key)
        if opt_out is None:
            raise NotFoundError(f"{address} is not on the list of opt-outs. `opt-outs list` shows them all.")
        tx.delete(opt_out)
        return opt_out

    return crm.transact(change, f"removed the opt-out of {key}: {reason}")


def _listed(snapshot: Snapshot, address: str, by: Conventions) -> str:
    """An address as it is in the list: one that is no address may have got in before such were refused."""
    as_written = recipient_key(address)
    if opted_out(snapshot, [as_written]):
        return as_written
    return Recipient().read(address, by)
