"""Clients and contacts chosen by typing, and the lines that stand for them, for rules and for views."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.clients.contacts import contacts_saying
from crm.commands.context import CRM
from crm.commands.matching import through
from crm.errors import FieldError
from crm.model import Client, Contact, Conventions, StatusRule, View
from crm.repository import Query
from crm.terminal.console.keyboard import Back, Choice, Keyboard, Needed, Suggestion
from crm.terminal.toolkit.picking import (
    RecordQuestion,
    is_too_short,
    joined,
    line_for,
    number_in,
    pick,
    pick_typed,
    picker,
)
from crm.terminal.toolkit.suggestions import metric_names
from crm.wording import first_few

_BY_TYPING = "type part of the name, or the number"
_NOBODY = "no client found; try part of the name, or the number"
_SUGGESTED = 8
_MATCHES = 9

# A contact and the name of its client.
_Named = tuple[Contact, str]


@line_for(Client)
def client_line(client: Client, _: Conventions, __: str = "", through: Contact | None = None) -> str:
    """A client on one line, with the contact that it was found by."""
    name = f"{client.name} — {through.name}" if through else client.name
    company = client.company if client.company != client.name else ""
    return joined(name, company, client.email, "" if company and client.email else client.city, f"no. {client.id}")


@line_for(Contact)
def contact_line(contact: Contact, _: Conventions, company: str) -> str:
    """A contact on one line."""
    return joined(contact.name, company, contact.email, f"no. {contact.id}")


@line_for(StatusRule)
def rule_line(rule: StatusRule, _: Conventions, __: str = "") -> str:
    """A rule on one line."""
    # What reads rules is not needed for the search in the main menu.
    from crm.rules import rule_text

    return f"{rule_text(rule.status, rule.when)}{'' if rule.active else '  (off)'}"


@line_for(View)
def view_line(view: View, _: Conventions, __: str = "") -> str:
    """A saved view on one line."""
    return f"{view.name}  {view.condition}"


class ClientSearch:
    """Clients by what was typed so far; each is in the line as its number and name once taken."""

    def __init__(self, crm: CRM, limit: int = _MATCHES) -> None:
        self._crm = crm
        self._limit = limit
        self._through: Mapping[int, Contact] = {}
        self.last: Sequence[Client] = ()

    def matching(self, typed: str) -> Sequence[Client]:
        """The clients that may be meant; the one with a number that was typed is alone."""
        typed = typed.strip()
        number = typed.removeprefix("#").partition(" ")[0]
        with self._crm.read() as snapshot:
            if numbered := number_in(number):
                record: Client | None = snapshot.find(Client, numbered)
                if record and (number == typed.removeprefix("#") or typed == _taken(record)):
                    return [record]
            exact = snapshot.find_all(Client, Query({"reference": typed}, limit=1)) if typed else []
            clients = exact or (snapshot.search(typed, self._limit) if typed else [])
            self._through = through(snapshot, clients, typed)
        return clients

    def line(self, client: Client) -> str:
        """One of those found last on a line, with the contact that it was found by."""
        return client_line(client, self._crm.conventions, through=self._through.get(client.id))

    def suggest(self, typed: str) -> list[Suggestion]:
        """The same for a completion menu."""
        self.last = () if is_too_short(typed) else self.matching(typed)
        return [self._suggestion(client) for client in self.last[:_SUGGESTED]]

    def _suggestion(self, client: Client) -> Suggestion:
        contact = self._through.get(client.id)
        name = f"{client.name} — {contact.name}" if contact else client.name
        company = client.company if client.company != client.name else ""
        email = (contact.email if contact else "") or client.email
        return Suggestion(_taken(client), name, joined(company, email, str(client.id)))


def _taken(client: Client) -> str:
    return f"{client.id} {client.name}"


@picker(Client)
def pick_client(asked: RecordQuestion) -> Any:
    """A client, found by typing; None where it may be left out and is. Raises Back."""
    search, current = ClientSearch(asked.crm), asked.current
    if current is None and asked.required:
        with asked.crm.read() as snapshot:
            clients = snapshot.find_all(Client, Query(limit=2))
        # The only one there is need not be typed.
        current = clients[0] if len(clients) == 1 else None
    return pick_typed(
        asked,
        search.matching,
        search.suggest,
        lambda client: Choice(search.line(client), client),
        lambda count: f"{count} clients match:" if count < _MATCHES else "The best matches:",
        help=_BY_TYPING,
        nothing=_NOBODY,
        typed=_taken(current) if current else "",
    )


@picker(Client, several=True)
def pick_clients(crm: CRM, keyboard: Keyboard, label: str, beside: Mapping[str, Any]) -> list[Client]:
    """Several clients: one after another, or all that fit a condition. Those chosen before are there to be changed.
    Raises Back."""
    chosen: dict[int, Client] = {client.id: client for client in beside.get("clients", ())}
    while True:
        names = first_few([client.name for client in chosen.values()])
        entries = [Choice("Continue with these", "done")] if chosen else []
        entries += [
            Choice("Add a client", "one"),
            Choice("Add all search results", "search"),
            Choice("Add all matching a condition", "where"),
        ]
        if chosen:
            entries.append(Choice("Remove the last one", "less"))
        how = keyboard.choose(f"{label}: {names}" if chosen else f"{label}:", entries)
        if how == "done":
            return list(chosen.values())
        try:
            if how == "less":
                chosen.popitem()
            elif how == "one":
                if one := pick(crm, keyboard, Client, "Client"):
                    chosen[one.id] = one
            else:
                chosen |= {client.id: client for client in _all(crm, keyboard, how)}
        except Back:
            continue


def _all(crm: CRM, keyboard: Keyboard, how: str) -> Sequence[Client]:
    def read(text: str) -> Sequence[Client]:
        if not text.strip():
            raise Needed
        with crm.read() as snapshot:
            where = Query(where=text)
            clients = snapshot.search(text, 1000) if how == "search" else snapshot.find_all(Client, where)
        if not clients:
            raise FieldError("no client matches that; try part of the name")
        return list(clients)

    if how == "search":
        clients: Sequence[Client] = keyboard.text("Text", read, help="part of a name, e-mail, phone or tag")
    else:
        help = f"like total_spend > 1000 and country = '{crm.conventions.country}'"
        clients = keyboard.text("Condition", read, help=help, suggest=metric_names)
    return clients


@picker(Contact)
def pick_contact(asked: RecordQuestion) -> Any:
    """A contact, found by typing; None where it may be left out and is. Raises Back."""
    crm, current = asked.crm, asked.current

    def suggest(typed: str) -> list[Suggestion]:
        if is_too_short(typed):
            return []
        return [
            Suggestion(f"{contact.id} {contact.name}", contact.name, company)
            for contact, company in _contacts(crm, typed)
        ]

    return pick_typed(
        asked,
        lambda typed: _contacts(crm, typed),
        suggest,
        lambda named: Choice(contact_line(named[0], crm.conventions, named[1]), named[0]),
        lambda _: "Which contact?",
        help=_BY_TYPING,
        nothing=_NOBODY,
        typed=f"{current.id} {current.name}" if current else "",
    )


def _contacts(crm: CRM, typed: str) -> Sequence[_Named]:
    """The contacts that may be meant; the one with a number that was typed is alone."""
    number, _, name = typed.strip().removeprefix("#").partition(" ")
    with crm.read() as snapshot:
        contacts: list[Contact] = []
        if numbered := number_in(number):
            record = snapshot.find(Contact, numbered)
            contacts = [record] if record and name in ("", record.name) else []
        contacts = contacts or contacts_saying(snapshot, typed, limit=_MATCHES)
        companies = (
            snapshot.find_all(Client, Query({"id": sorted({contact.client for contact in contacts})}))
            if contacts
            else []
        )
    names = {company.id: company.name for company in companies}
    return [(contact, names.get(contact.client, "")) for contact in contacts]
