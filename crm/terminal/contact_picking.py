"""A contact, found by typing part of its name, e-mail address or telephone number, or its number."""

from collections.abc import Sequence

from crm.commands.contacts import contacts_saying
from crm.commands.context import CRM
from crm.errors import FieldError
from crm.model import Client, Contact
from crm.repository import Query
from crm.terminal.keyboard import Back, Choice, Keyboard, Suggestion

_MATCHES = 9
_LEAST_TYPED = 2

# A contact and the name of its client.
_Named = tuple[Contact, str]


def contact_line(contact: Contact, company: str) -> str:
    """A contact on one line, enough to tell it from others."""
    return " · ".join(filter(None, (contact.name, company, contact.email, f"no. {contact.id}")))


def pick_contact(crm: CRM, keyboard: Keyboard, label: str, *, required: bool = True) -> Contact | None:
    """A contact, found by typing; None where it may be left out and is. Raises Back."""
    typed = ""

    def read(text: str) -> Sequence[_Named] | None:
        nonlocal typed
        typed = text
        if not text.strip():
            if required:
                raise Back
            return None
        if found := _found(crm, text):
            return found
        raise FieldError("nobody is found by that; try part of the name, or the number")

    def suggest(text: str) -> list[Suggestion]:
        if len(text.strip()) < _LEAST_TYPED and not text.strip().isdigit():
            return []
        return [Suggestion(f"{each.id} {each.name}", each.name, company) for each, company in _found(crm, text)]

    help = "type part of the name, or the number"
    while True:
        found = keyboard.text(
            label, read, default=typed, help=help if required else f"{help}; Enter leaves it out", suggest=suggest
        )
        if found is None:
            return None
        if len(found) == 1:
            only: Contact = found[0][0]
            return only
        try:
            entries = [Choice(contact_line(*each), each[0]) for each in found]
            chosen: Contact = keyboard.choose("Which contact?", entries)
            return chosen
        except Back:
            continue


def _found(crm: CRM, typed: str) -> Sequence[_Named]:
    """The contacts that may be meant; the one with a number that was typed stands alone."""
    number, _, name = typed.strip().removeprefix("#").partition(" ")
    with crm.read() as snapshot:
        found: list[Contact] = []
        if number.isascii() and number.isdigit() and len(number) < 10:
            record = snapshot.find(Contact, int(number))
            found = [record] if record and name in ("", record.name) else []
        found = found or contacts_saying(snapshot, typed, limit=_MATCHES)
        companies = snapshot.find_all(Client, Query({"id": sorted({each.client for each in found})})) if found else []
    names = {each.id: each.name for each in companies}
    return [(each, names.get(each.client, "")) for each in found]
