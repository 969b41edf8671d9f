"""Readdressing: a message that waits goes to the address that its client or contact has now, if that was corrected."""

from collections.abc import Callable

from crm.commands.mail.outbox.delivery_status import addresses_in
from crm.model import Client, Contact, Message, Record
from crm.model.fields.recipients import recipient_key
from crm.repository import Transaction

# The text of a message to a client as it reads at another address: the first one before, the second one now.
Rewrite = Callable[[Message, Client, str, str], str]


def readdressed(
    tx: Transaction, message: Message, client: Client, contact: Contact | None, rewrite: Rewrite
) -> dict[str, str]:
    """The fields of a message that change because an address of its client or its contact was corrected since it was
    written; none where they are what they were. An address that was removed is left out."""
    records = [record for record in (client, contact) if record is not None]
    field = "phone" if message.channel == "sms" else "email"
    current = {recipient_key(getattr(record, field)) for record in records}
    changes: dict[str, str] = {}
    for name in ("to", "cc", "bcc"):
        written = addresses_in(getattr(message, name))
        now = [
            address if recipient_key(address) in current else _now(tx, message, records, field, address)
            for address in written
        ]
        if now != written:
            changes[name] = ", ".join(address for address in now if address)
    if "to" in changes and changes["to"] and "," not in changes["to"] and message.channel == "email":
        changes["body"] = rewrite(message, client, message.to, changes["to"])
    return changes


def _now(tx: Transaction, message: Message, records: list[Client | Contact], field: str, address: str) -> str:
    """The present form of an address that a record had when a message was written; itself where none had it."""
    for record in records:
        if _had(tx, record, field, address, message):
            return str(getattr(record, field))
    return address


def _had(tx: Transaction, record: Record, field: str, address: str, message: Message) -> bool:
    """Return whether an address was taken out of a record since a message was written."""
    if record.updated_at <= message.created_at:
        return False
    key = recipient_key(address)
    return any(
        recipient_key(str(change.before.get(field) or "")) == key
        for change in tx.changes(record=record)
        if change.operation == "update" and change.at >= message.created_at
    )
