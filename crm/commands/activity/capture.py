"""Quick capture: a line such as `call Acme, wants a quote, fri 10:00` becomes an interaction and a dated follow-up."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from crm.commands.activity.interactions import logged
from crm.commands.activity.quick_notes import QuickNote, read_jotting
from crm.commands.context import CRM
from crm.commands.matching import begins, called
from crm.commands.registry import About, command
from crm.errors import FieldError, Question, confirmation
from crm.model import INTERACTIONS, Client, Contact, Conventions, FollowUp, Interaction, named
from crm.model.clients import KINDS
from crm.model.fields import Choice, Id, Line
from crm.model.folding import fold
from crm.repository import Snapshot, Transaction

_SEARCHED = 20
_OFFERED = 8
_NAME, _SUBJECT, _WHAT = 200, 300, 500


@dataclass(frozen=True, slots=True)
class Captured:
    """What a line was taken for: an interaction with a client, perhaps with one of its contacts, and a follow-up where
    the line says when. `client` has no number where it is new."""

    client: Client
    contact: Contact | None
    interaction: Interaction
    follow_up: FollowUp | None


@command("capture", title="Quick capture", menu="capture")
def capture(
    crm: CRM,
    line: Annotated[str, Line(2000), About("Note", "like: call Acme, wants a quote, fri 10:00", positional=True)],
    client: Annotated[int, Id("client"), About("Client", "the number, where several could be meant")] = 0,
    add: Annotated[str, Choice(KINDS), About("Add", "a client that is not found, as a person or a company")] = "",
    yes: bool = False,
) -> Captured:
    """Logs a call, meeting, e-mail, text message or note from one line, and a follow-up where it ends in a day.

    First what it was (call, met, mail, sms, note; a note where it is not said), then the client or one of its
    contacts, then the text, at the end perhaps a day and a time for the follow-up: fri 10:00, tomorrow, 2026-12-01 9am,
    in 3 days, next week. What was understood is shown before it is saved.
    """
    by = crm.conventions
    jotting = read_jotting(line, by)
    if not any(jotting.beginnings()):
        raise FieldError("say with whom, like: call Acme, wants a quote, fri 10:00", field="line", label="Note")

    def change(tx: Transaction) -> Captured:
        understood = _understood(crm, tx, jotting, client, add)
        if not yes:
            lines = [captured_summary(understood, by)]
            lines += [] if understood.follow_up else ["No follow-up: the line ends in no day."]
            question = "\n".join([*lines, "Save it?"])
            raise confirmation(question, "Save")
        company = understood.client if understood.client.id else tx.add(understood.client)
        spoken = tx.add(dataclasses.replace(understood.interaction, client=company.id))
        due = understood.follow_up
        follow_up = tx.add(dataclasses.replace(due, client=company.id)) if due else None
        tx.settle()
        return Captured(tx.get(Client, company.id), understood.contact, spoken, follow_up)

    return crm.transact(change, f"logged {logged(jotting.kind)}: {' '.join(line.split())}"[:200])


def _understood(crm: CRM, snapshot: Snapshot, jotting: QuickNote, client: int, add: str) -> Captured:
    """What a line means, before anything is saved; raises Question where it could mean nobody or several."""
    contact: Contact | None = None
    if client:
        company = snapshot.get(Client, client)
        text, contact = _rest_and_contact(snapshot, jotting, company)
    elif add:
        company, text = _new(jotting, add)
    else:
        found, text = _candidates(snapshot, jotting)
        if not found:
            raise _nobody(jotting)
        if len(found) > 1:
            raise _several(found)
        ((company, contact),) = found
    subject = _first_line(text, _SUBJECT)
    spoken = Interaction(
        contact=contact.id if contact else 0,
        kind=jotting.kind,
        on=crm.today,
        subject=subject,
        body="" if " ".join(text.split()) == subject else text,
        user=crm.me,
    )
    follow_up = None
    if jotting.due_on:
        task = _first_line(text, _WHAT) or f"{INTERACTIONS[jotting.kind].capitalize()}: {company.name}"[:_WHAT]
        follow_up = FollowUp(user=crm.me, due_on=jotting.due_on, due_time=jotting.due_time, what=task)
    return Captured(company, contact, spoken, follow_up)


def _first_line(text: str, longest: int) -> str:
    line = " ".join(text.partition("\n")[0].split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


# Clients who may be meant, each with the contact who leads to it.
_Candidates = list[tuple[Client, Contact | None]]


def _candidates(snapshot: Snapshot, jotting: QuickNote) -> tuple[_Candidates, str]:
    """Who is meant by the longest beginning that finds anybody, and the rest of the text."""
    for begun, rest in jotting.beginnings():
        number = begun.removeprefix("#")
        if number.isascii() and number.isdigit() and len(number) < 10 and (one := snapshot.find(Client, int(number))):
            return [(one, None)], rest
        if found := _called(snapshot, begun):
            return found, rest
    return [], ""


def _called(snapshot: Snapshot, text: str) -> _Candidates:
    """Clients that are called so, or have a contact who is; of several the one that is called exactly so."""
    alike = snapshot.search(text, _SEARCHED)
    names = {client.id: f"{client.first_name} {client.last_name} {client.company}" for client in alike}
    found: _Candidates = [
        (client, None) for client in alike if begins(names[client.id], text) or client.email == text.lower()
    ]
    exact = [match for match in found if fold(match[0].name) == fold(text)]
    if not found:
        contacts: Mapping[int, Contact] = called(snapshot, alike, text)
        found = [(client, contacts[client.id]) for client in alike if client.id in contacts]
        exact = [match for match in found if match[1] and fold(match[1].name) == fold(text)]
    return exact if len(exact) == 1 else found


def _rest_and_contact(snapshot: Snapshot, jotting: QuickNote, company: Client) -> tuple[str, Contact | None]:
    """The text once it is known which client is meant, and the contact where one is named."""
    for begun, rest in jotting.beginnings():
        for client, contact in _called(snapshot, begun):
            if client.id == company.id:
                return rest, contact
    return jotting.apart()[1], None


def _new(jotting: QuickNote, kind: str) -> tuple[Client, str]:
    """A client that is not known yet, named as the line begins, and the rest of the text."""
    name, text = jotting.apart()
    if kind == "company":
        return named(Client(kind=kind, company=name[:_NAME])), text
    first, _, last = name.rpartition(" ")
    return named(Client(kind=kind, first_name=first[:_NAME], last_name=last[:_NAME])), text


def _nobody(jotting: QuickNote) -> Question:
    name, _ = jotting.apart()
    return Question(
        f"Nobody is called {name}.",
        parameter="add",
        choices={"company": "Add it as a company", "person": "Add it as a person"},
    )


def _several(found: _Candidates) -> Question:
    offered = {str(client.id): _line(client, contact) for client, contact in found[:_OFFERED]}
    return Question(
        f"Which one? {len(found)} could be meant." if len(found) < _SEARCHED else "Which one? Many could be meant.",
        parameter="client",
        choices=offered,
        records=[client for client, _ in found],
    )


def _line(client: Client, contact: Contact | None) -> str:
    """A client in short, enough to tell it from others."""
    who = f"{client.name} — {contact.name}" if contact else client.name
    return " · ".join(filter(None, (who, client.city, client.email, f"no. {client.id}")))


def captured_summary(understood: Captured, by: Conventions) -> str:
    """What a line was taken for, each thing on a line of its own."""
    client, spoken, due = understood.client, understood.interaction, understood.follow_up
    kind = INTERACTIONS[spoken.kind]
    who = f"{understood.contact.name} of {client.name}" if understood.contact else client.name
    lines = [] if client.id else [f"New {client.kind}: {client.name}"]
    text = spoken.subject or spoken.body
    lines.append(f"{kind[:1].upper()}{kind[1:]} with {who}, {by.day(spoken.on)}" + (f": {text}" if text else ""))
    if due:
        at = f" at {due.due_time}" if due.due_time else ""
        lines.append(
            f"Follow-up on {_weekday(due.due_on, by)}, {by.day(due.due_on)}{at}, for {due.user or 'nobody'}: {due.what}"
        )
    return "\n".join(lines)


def _weekday(day: date, by: Conventions) -> str:
    from babel.dates import format_date

    return format_date(day, "EEE", locale=by.locale)
