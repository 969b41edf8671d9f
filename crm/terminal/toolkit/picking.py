"""Records chosen: a client by typing, others from a list."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm.commands.context import CRM
from crm.commands.matching import through
from crm.errors import FieldError
from crm.model import (
    INTERACTIONS,
    STATES,
    Client,
    Contact,
    Conventions,
    Deal,
    Interaction,
    Message,
    Record,
    Sale,
    SignIn,
    Stage,
    StatusRule,
    Template,
    User,
    View,
)
from crm.repository import Query
from crm.rules import rule_text
from crm.terminal.console.keyboard import Back, Choice, Keyboard, Suggestion
from crm.terminal.toolkit.contact_picking import contact_line, pick_contact
from crm.terminal.toolkit.deal_picking import deal_line, pick_deal, pick_stage, stage_line
from crm.terminal.toolkit.suggestions import metric_names
from crm.terminal.toolkit.typed_picking import is_too_short, number_in, pick_typed

BY_TYPING = "type part of the name, or the number"
_SUGGESTED = 8
_MATCHES = 9
_PAGE = 9


def client_line(client: Client, through: Contact | None = None) -> str:
    """A client on one line, enough to tell it from others, with the contact that it was found by."""
    name = f"{client.name} — {through.name}" if through else client.name
    return " · ".join(filter(None, (name, client.email or client.company, client.city, f"no. {client.id}")))


def sale_line(sale: Sale, by: Conventions, name: str = "") -> str:
    """A sale on one line."""
    return " · ".join(filter(None, (by.day(sale.on), by.money(sale.amount), name, sale.note, f"no. {sale.id}")))


def rule_line(rule: StatusRule) -> str:
    """A rule on one line."""
    return f"{rule_text(rule.status, rule.when)}{'' if rule.active else '  (off)'}"


class ClientSearch:
    """Clients by what was typed so far; each stands in the line as its number and name once taken."""

    def __init__(self, crm: CRM, limit: int = _MATCHES) -> None:
        self._crm = crm
        self._limit = limit
        self._through: Mapping[int, Contact] = {}

    def found(self, typed: str) -> Sequence[Client]:
        """The clients that may be meant; the one with a number that was typed stands alone."""
        typed = typed.strip()
        number = typed.removeprefix("#").partition(" ")[0]
        with self._crm.read() as snapshot:
            if numbered := number_in(number):
                record: Client | None = snapshot.find(Client, numbered)
                if record and (number == typed.removeprefix("#") or typed == _taken(record)):
                    return [record]
            exact = snapshot.find_all(Client, Query({"reference": typed}, limit=1)) if typed else []
            found = exact or (snapshot.search(typed, self._limit) if typed else [])
            self._through = through(snapshot, found, typed)
        return found

    def line(self, client: Client) -> str:
        """One of those found last on a line, with the contact that it was found by."""
        return client_line(client, self._through.get(client.id))

    def suggest(self, typed: str) -> list[Suggestion]:
        """The same for a completion menu."""
        if is_too_short(typed):
            return []
        return [self._suggestion(client) for client in self.found(typed)[:_SUGGESTED]]

    def _suggestion(self, client: Client) -> Suggestion:
        contact = self._through.get(client.id)
        name = f"{client.name} — {contact.name}" if contact else client.name
        about = (contact.email if contact else "") or client.email or client.company
        return Suggestion(_taken(client), name, " · ".join(filter(None, (about, str(client.id)))))


def _taken(client: Client) -> str:
    return f"{client.id} {client.name}"


def pick_client(
    crm: CRM, keyboard: Keyboard, label: str, *, help: str = BY_TYPING, required: bool = True
) -> Client | None:
    """A client, found by typing; None where it may be left out and is. Raises Back."""
    search = ClientSearch(crm)
    found: Client | None = pick_typed(
        keyboard,
        label,
        search.found,
        search.suggest,
        lambda client: Choice(search.line(client), client),
        lambda count: f"{count} clients fit:" if count < _MATCHES else "The best matches:",
        help=help,
        nothing="nobody is found by that; try part of the name, or the number",
        required=required,
    )
    return found


def pick_clients(crm: CRM, keyboard: Keyboard, label: str) -> list[Client]:
    """Several clients: one after another, or all that fit a condition. Raises Back."""
    chosen: dict[int, Client] = {}
    while True:
        names = ", ".join(client.name for client in list(chosen.values())[:5])
        more = f" and {len(chosen) - 5} more" if len(chosen) > 5 else ""
        entries = [Choice("Go on with these", "done")] if chosen else []
        entries += [
            Choice("Add a client", "one"),
            Choice("Add all that a search finds", "search"),
            Choice("Add all that fit a condition", "where"),
        ]
        if chosen:
            entries.append(Choice("Take the last one off", "less"))
        how = keyboard.choose(f"{label}: {names}{more}" if chosen else f"{label}:", entries)
        if how == "done":
            return list(chosen.values())
        try:
            if how == "less":
                chosen.popitem()
            elif how == "one":
                if one := pick_client(crm, keyboard, "Client"):
                    chosen[one.id] = one
            else:
                chosen |= {client.id: client for client in _all(crm, keyboard, how)}
        except Back:
            continue


def _all(crm: CRM, keyboard: Keyboard, how: str) -> Sequence[Client]:
    def read(text: str) -> Sequence[Client]:
        if not text.strip():
            raise Back
        with crm.read() as snapshot:
            where = Query(where=text)
            found = snapshot.search(text, 1000) if how == "search" else snapshot.find_all(Client, where)
        if not found:
            raise FieldError("no client fits that")
        return list(found)

    if how == "search":
        found: Sequence[Client] = keyboard.text("Text", read, help="part of a name, e-mail, phone or tag")
    else:
        found = keyboard.text(
            "Condition", read, help="like total_spend > 1000 and country = 'DE'", suggest=metric_names
        )
    return found


def pick_listed(
    keyboard: Keyboard, question: str, fetch: Callable[[int, int], Sequence[tuple[str, Any]]], *, nothing: str
) -> Any:
    """One of a list that is fetched page by page (limit, offset) as (line, value). Raises Back."""
    offset = 0
    while True:
        rows = fetch(_PAGE + 1, offset)
        if not rows and not offset:
            raise FieldError(nothing)
        hidden = [Choice("", 1, "n")] if len(rows) > _PAGE else []
        hidden += [Choice("", -1, "p")] if offset else []
        turns = [
            words
            for words, key in (("n next", "n"), ("p previous", "p"))
            if any(choice.key == key for choice in hidden)
        ]
        entries = [Choice(line, [value]) for line, value in rows[:_PAGE]]
        chosen = keyboard.choose(question, entries, hidden=hidden, hint=" · ".join(turns))
        if isinstance(chosen, list):
            return chosen[0]
        offset = max(0, offset + chosen * _PAGE)


def pick_record(crm: CRM, keyboard: Keyboard, kind: type[Record], label: str, *, required: bool = True) -> Any:
    """A deal or a contact by typing, a sale, a rule, a stage or a view from its list; None where it may be left out and
    is. Raises Back."""
    by = crm.conventions
    if kind is Deal:
        return pick_deal(crm, keyboard, label, required=required)
    if kind is Contact:
        return pick_contact(crm, keyboard, label, required=required)
    if kind is Stage:
        return pick_stage(crm, keyboard, label, required=required)

    def fetch(limit: int, offset: int) -> Sequence[tuple[str, Any]]:
        with crm.read() as snapshot:
            records = snapshot.find_all(kind, Query(limit=limit, offset=offset))
            return [(_line(record, by, snapshot), record) for record in records]

    return pick_listed(keyboard, f"{label}:", fetch, nothing=f"there are no {kind.plural} yet")


def _line(record: Record, by: Conventions, snapshot: Any) -> str:
    match record:
        case Sale():
            owner = snapshot.find(Client, record.client)
            return sale_line(record, by, owner.name if owner else "")
        case StatusRule():
            return rule_line(record)
        case View():
            return f"{record.name}  {record.condition}"
        case Client():
            return client_line(record)
        case Deal():
            return deal_line(record, by)
        case Stage():
            return stage_line(record)
        case Contact():
            company = snapshot.find(Client, record.client)
            return contact_line(record, company.name if company else "")
        case Interaction():
            company = snapshot.find(Client, record.client)
            parts = (by.day(record.on), INTERACTIONS[record.kind], company.name if company else "", record.subject)
            return " · ".join(filter(None, parts))
        case Template():
            return " · ".join(filter(None, (record.name, record.subject)))
        case Message():
            parts = (by.day(record.on), STATES.get(record.state, ""), record.to, record.subject)
            return " · ".join(filter(None, parts))
        case User():
            return f"{record.name or record.email}  {record.email}  {record.role}"
        case SignIn():
            return f"{by.time(record.created_at)}  {record.device or record.address or record.method}"
    return f"{record.kind_name} {record.id}"
