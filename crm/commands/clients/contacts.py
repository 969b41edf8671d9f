"""Contacts: the people at a client, one of them the primary one."""

from collections.abc import Mapping
from typing import Annotated, Any

from crm.commands.client_selection import MaybeClientFirst, TheClient
from crm.commands.context import CRM
from crm.commands.deletions import delete_record, deleted
from crm.commands.list_parameters import Limit, Offset, most
from crm.commands.registry import About, FieldsOf, Takes, command
from crm.errors import FieldError
from crm.lean_dataclass import dataclass
from crm.model import Client, Contact, Conventions, typed_fields
from crm.model.encoding import plain
from crm.model.fields import ClientPhone, Email, Line, Prose
from crm.repository import Query, Snapshot, Transaction
from crm.repository.queries.clients import contacts_with

ContactChanges = Annotated[Mapping[str, Any], FieldsOf(Contact, Takes.CHANGES)]
TheContact = Annotated[Contact, About("Contact", "its number or name", positional=True)]


@dataclass(frozen=True, slots=True)
class ContactCard:
    """A contact as it is shown: the record, its client, and what is odd about it by field name."""

    contact: Contact
    client: Client
    doubts: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The contact's own fields, and beside them what the card adds."""
        return {**plain(self.contact), "client_name": self.client.name, "doubts": plain(self.doubts)}


@command("contacts add", title="Add a contact")
def add(
    crm: CRM,
    client: TheClient,
    name: Annotated[str, Line(200), About("Name", positional=True)],
    role: Annotated[str, Line(100), About("Role", "what they do there", completed_by="field contact role")] = "",
    email: Annotated[str, Email(), About("E-mail")] = "",
    phone: Annotated[str, ClientPhone(), About("Phone")] = "",
    primary: Annotated[bool, About("Primary", "the person to ask first")] = False,
    notes: Annotated[str, Prose(), About("Notes")] = "",
) -> Contact:
    """Add a contact to a client, as the primary contact if the client has none."""
    values: dict[str, Any] = {"name": name, "role": role, "email": email, "phone": phone, "notes": notes}

    def change(tx: Transaction) -> Contact:
        company = tx.get(Client, client.id)
        if primary:
            _take_primary(tx, company.id)
        is_first = primary or not _primary(tx, company.id)
        return tx.add(Contact(client=company.id, is_primary=is_first, **values))

    return crm.transact(change, f"added {name} as a contact of {client.name}")


def contacts_of(snapshot: Snapshot, client: Client) -> list[Contact]:
    """The contacts of a client, the primary one first."""
    return snapshot.find_all(Contact, Query({"client": client.id}))


def _primary(tx: Transaction, client: int) -> list[Contact]:
    return tx.find_all(Contact, Query({"client": client, "is_primary": True}))


def _take_primary(tx: Transaction, client: int, but: int = 0) -> None:
    """Take the mark from the primary contact of a client, unless it is the one with the number `but`."""
    for contact in _primary(tx, client):
        if contact.id != but:
            tx.change(contact, is_primary=False)


@command(
    "contacts list", title="Contacts", menu="clients", hint="The people at your clients", nothing="No contacts found."
)
def list_all(
    crm: CRM,
    client: MaybeClientFirst = None,
    text: Annotated[str, About("Text", "part of a name, e-mail or phone")] = "",
    limit: Limit = 0,
    offset: Offset = 0,
) -> list[Contact]:
    """List the contacts of a client, the primary one first, or those of all clients by name."""
    with crm.read() as snapshot:
        return contacts_saying(snapshot, text, client, most(limit), offset)


def contacts_saying(
    snapshot: Snapshot, text: str, client: Client | None = None, limit: int = 50, offset: int = 0
) -> list[Contact]:
    """Contacts in whose name, e-mail address or phone number all words of a text are, of a client or of all."""
    return contacts_with(snapshot, text, client.id if client else None, limit=limit, offset=offset)


@command("contacts show", title="Show")
def show(crm: CRM, contact: TheContact) -> ContactCard:
    """Show a contact with its client and any warnings."""
    with crm.read() as snapshot:
        record = snapshot.get(Contact, contact.id)
        return ContactCard(record, snapshot.get(Client, record.client), doubts(record, crm.conventions))


def doubts(record: Contact, by: Conventions) -> dict[str, str]:
    """Doubtful values of a contact's fields, by field name."""
    answers = {name: field.check.doubt(getattr(record, name), by) for name, field in typed_fields(Contact).items()}
    return {name: doubt for name, doubt in answers.items() if doubt}


@command("contacts edit", title="Edit")
def edit(crm: CRM, contact: TheContact, changes: ContactChanges) -> Contact:
    """Change fields of a contact; the other fields stay as they are.

    A new primary contact replaces the previous one. If you name another client, the contact moves there, and becomes
    its primary contact only if it has none. Changes that someone else made after you opened the contact are kept. If
    you both changed the same field, you see both values and nothing is overwritten.
    """
    if not changes:
        raise FieldError("name at least one field to change")

    def change(tx: Transaction) -> Contact:
        values = dict(changes)
        to = values.get("client", contact.client)
        if to != contact.client:
            tx.get(Client, to)
            values.setdefault("is_primary", not _primary(tx, to))
        changed = tx.change(contact, **values)
        if changed.is_primary:
            _take_primary(tx, to, but=changed.id)
        return changed

    return crm.transact(change, f"edited the contact {contact.name}")


@command("contacts primary", title="Make primary")
def primary(crm: CRM, contact: TheContact) -> Contact:
    """Make a contact the primary contact of its client, in place of the previous one."""

    def change(tx: Transaction) -> Contact:
        changed = tx.change(tx.get(Contact, contact.id), is_primary=True)
        _take_primary(tx, changed.client, but=changed.id)
        return changed

    return crm.transact(change, f"made {contact.name} the primary contact")


@command("contacts delete", title="Delete", as_text=deleted)
def delete(crm: CRM, contact: TheContact, yes: bool = False) -> Contact:
    """Delete a contact; its interactions stay. You can undo it."""
    return delete_record(crm, contact, f"the contact {contact.name}", yes=yes)
