"""Contacts at the menu: the list of them, the page of one, adding and editing."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.clients.contacts import ContactCard, contacts_saying
from crm.commands.record_names import linked_names
from crm.commands.registry import named
from crm.model import Client, Contact, Field, fields, typed_fields
from crm.repository import Query
from crm.terminal.clients.rendering import CONTACTS, draw_contact
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing import tables
from crm.terminal.drawing.screen import data
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.copying import copy_keys
from crm.terminal.toolkit.forms import RecordForm
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import record_flow
from crm.terminal.toolkit.record_actions import deletes, edits
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import in_steps


@list_page
class ContactsPage(ListPage):
    """The contacts of a client, the primary one first, or those of all clients by name."""

    title = "Contacts"
    purpose = "A contact is a person at a client, with a role, an e-mail address and a phone number."
    lettered: Mapping[str, letters.Letter] = {"contacts edit": letters.EDIT, "contacts delete": letters.DELETE}
    command = "contacts list"
    is_by_name = True

    def __init__(self, session: Session, client: Client | None = None) -> None:
        super().__init__(session)
        self.client = client
        self.text = ""
        self._companies: dict[int, str] = {}
        company = tables.Column("Client", lambda contact, _: data(self._companies.get(contact.client, "")), 1, 8)
        self.columns = CONTACTS if client else (*CONTACTS[:2], company, *CONTACTS[2:])

    def crumbs(self) -> Sequence[str]:
        return ["Clients", self.client.name, self.title] if self.client else [self.title]

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        with self.session.crm.read() as snapshot:
            listed = contacts_saying(snapshot, self.text, self.client, limit, offset)
            by = self.session.conventions
            self._companies = {} if self.client else linked_names(snapshot, listed, "client", by)
        return listed

    def count(self) -> int | None:
        if self.text:
            return None
        with self.session.crm.read() as snapshot:
            return snapshot.count(Contact, Query({"client": self.client.id} if self.client else {}))

    def narrowed(self) -> str:
        return f"with {self.text}" if self.text else ""

    def widen(self) -> bool:
        narrowed, self.text = bool(self.text), ""
        return narrowed

    def keys(self) -> Sequence[Choice]:
        return [letters.NEW(self._add, "contact"), letters.FILTER(self._filter)]

    def _add(self) -> None:
        self.session.start(named("contacts add"), **({"client": self.client} if self.client else {}))

    def _filter(self) -> None:
        parameter = named("contacts list").parameters["text"]
        self.text = self.session.prompts.ask(parameter, typed=self.text)
        self.offset = 0


@record_page(Contact)
class ContactPage(RecordPage[Contact, ContactCard]):
    """A contact, and what can be done with it."""

    command = "contacts show"
    lettered: Mapping[str, letters.Letter] = {"contacts edit": letters.EDIT, "contacts delete": letters.DELETE}

    def crumbs(self) -> Sequence[str]:
        return ["Clients", self.card.client.name, self.record.name]

    def draw(self) -> None:
        draw_contact(self.session.screen, self.card, self.session.conventions)

    def entries(self) -> Sequence[Choice]:
        record, client = self.record, self.card.client
        log = named("interactions add")
        return [
            Choice("Edit", self.starts("contacts edit")),
            Choice("Log a call, meeting or note", lambda: self.session.start(log, client=client, contact=record)),
            Choice("Open the client", lambda: self.session.open(client)),
            *([] if record.is_primary else [Choice("Make primary", self.starts("contacts primary"))]),
            Choice("Delete", self.starts("contacts delete")),
        ]

    def keys(self) -> Sequence[Choice]:
        return [*super().keys(), *copy_keys(self.session, lambda: _reached(self.session, self.record))]


def _reached(session: Session, contact: Contact) -> list[tuple[str, str]]:
    """The addresses and numbers of a contact, to be copied."""
    by = session.crm.conventions
    known = fields(Contact)
    return [(known[name].label, known[name].check.show(getattr(contact, name), by)) for name in ("email", "phone")]


@record_flow("contacts primary")
def primary(session: Session, contact: Contact) -> None:
    """A contact becomes the primary one."""
    _confirm_done(session, "Primary contact", session.call("contacts primary", contact=contact))


class ContactForm(RecordForm):
    """A contact on its way; whose it is stands fast."""

    def fields(self) -> Sequence[Field]:
        known = typed_fields(Contact)
        return [known[name] for name in ("name", "role", "email", "phone", "is_primary", "notes")]

    def ask(self, field: Field, *, required: bool = False) -> None:
        super().ask(field, required=required or field.name == "name")


@record_flow("contacts add")
def add(session: Session, company: Client) -> None:
    """The name, then save or fill in more."""
    form = ContactForm(session, Contact, {}, {})
    form.client_number = company.id
    crumbs = ("Clients", company.name, "Add a contact")

    def fill() -> Any:
        return form.fill(crumbs, lambda: _add(session, company, form.changes))

    _confirm_done(session, "Added", in_steps(session, [*form.steps(["name"], *crumbs), fill], form.is_written))


def _add(session: Session, client: Client, changes: Mapping[str, Any]) -> Contact:
    values = {"primary" if name == "is_primary" else name: value for name, value in changes.items()}
    added: Contact = session.call("contacts add", client=client, **values)
    return added


edits("contacts edit", ContactForm, lambda contact: contact.name,
      lambda session, _, saved: _confirm_done(session, "Saved", saved))  # fmt: skip
deletes(ContactPage, "contacts delete")


def _confirm_done(session: Session, done: str, contact: Contact) -> None:
    session.done(f"{done}: {contact.name} (no. {contact.id})")
