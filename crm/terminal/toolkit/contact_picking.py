"""A contact, found by typing part of its name, e-mail address or telephone number, or its number."""

from collections.abc import Sequence

from crm.commands.clients.contacts import contacts_saying
from crm.commands.context import CRM
from crm.model import Client, Contact
from crm.repository import Query
from crm.terminal.console.keyboard import Choice, Keyboard, Suggestion
from crm.terminal.toolkit.typed_picking import is_too_short, number_in, pick_typed

_MATCHES = 9

# A contact and the name of its client.
_Named = tuple[Contact, str]


def contact_line(contact: Contact, company: str) -> str:
    """A contact on one line, enough to tell it from others."""
    return " · ".join(filter(None, (contact.name, company, contact.email, f"no. {contact.id}")))


def pick_contact(crm: CRM, keyboard: Keyboard, label: str, *, required: bool = True) -> Contact | None:
    """A contact, found by typing; None where it may be left out and is. Raises Back."""
    help = "type part of the name, or the number"
    found: Contact | None = pick_typed(
        keyboard,
        label,
        lambda typed: _found(crm, typed),
        lambda typed: _suggested(crm, typed),
        lambda named: Choice(contact_line(*named), named[0]),
        lambda _: "Which contact?",
        help=help if required else f"{help}; Enter leaves it out",
        nothing="nobody is found by that; try part of the name, or the number",
        required=required,
    )
    return found


def _suggested(crm: CRM, typed: str) -> list[Suggestion]:
    if is_too_short(typed):
        return []
    return [
        Suggestion(f"{contact.id} {contact.name}", contact.name, company) for contact, company in _found(crm, typed)
    ]


def _found(crm: CRM, typed: str) -> Sequence[_Named]:
    """The contacts that may be meant; the one with a number that was typed stands alone."""
    number, _, name = typed.strip().removeprefix("#").partition(" ")
    with crm.read() as snapshot:
        found: list[Contact] = []
        if numbered := number_in(number):
            record = snapshot.find(Contact, numbered)
            found = [record] if record and name in ("", record.name) else []
        found = found or contacts_saying(snapshot, typed, limit=_MATCHES)
        companies = (
            snapshot.find_all(Client, Query({"id": sorted({contact.client for contact in found})})) if found else []
        )
    names = {company.id: company.name for company in companies}
    return [(contact, names.get(contact.client, "")) for contact in found]
