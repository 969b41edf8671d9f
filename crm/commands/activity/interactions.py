"""Interactions: calls, meetings, e-mails, text messages and notes, logged, listed and corrected."""

import dataclasses
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from crm.commands.client_selection import MaybeClientFirst, TheClient
from crm.commands.context import CRM
from crm.commands.deletions import delete_record, deleted
from crm.commands.list_parameters import Limit, Offset, Since, Until, in_order, most
from crm.commands.ownership import Mine, owner_filter
from crm.commands.registry import About, FieldsOf, Takes, command
from crm.commands.repeating import moved_by
from crm.errors import FieldError, RefusedError
from crm.model import INTERACTIONS, Client, Contact, Interaction
from crm.model.fields import Choice, Day, Line, Person, Prose, TimeOfDay
from crm.model.written_dates import When, day_and_time
from crm.repository import Snapshot, Transaction
from crm.repository.queries import activity

InteractionChanges = Annotated[Mapping[str, Any], FieldsOf(Interaction, Takes.CHANGES)]
TheInteraction = Annotated[Interaction, About("Interaction", "its number", positional=True)]
OfKind = Annotated[str, Choice(INTERACTIONS), About("Kind", "call, meeting, email, sms or note")]


@command("interactions add", title="Log a call, meeting or note", menu="clients", beside=moved_by)
def add(
    crm: CRM,
    client: TheClient,
    kind: Annotated[str, Choice(INTERACTIONS), About("Kind", "call, meeting, email, sms or note", positional=True)],
    subject: Annotated[str, Line(300), About("Subject", "in a few words", positional=True)] = "",
    body: Annotated[str, Prose(), About("Text")] = "",
    on: Annotated[date | When | None, Day(timed=True), About("Date", "today by default")] = None,
    time: Annotated[str, TimeOfDay(), About("Time", "of day, like 10:00 or 4pm")] = "",
    contact: Annotated[Contact | None, About("Contact", "who it was with: a number or name")] = None,
) -> Interaction:
    """Log a call, a meeting, an e-mail, a text message or a note with a client."""
    if not kind:
        raise FieldError(f"that is not one of the choices; use {', '.join(INTERACTIONS)}", field="kind", label="Kind")
    day, at = day_and_time(on, time, crm.conventions)
    values: dict[str, Any] = {"kind": kind, "subject": subject, "body": body, "time": at}

    def change(tx: Transaction) -> Interaction:
        company = tx.get(Client, client.id)
        _refuse_stranger(tx, contact.id if contact else 0, company.id)
        spoken = contact.id if contact else 0
        return tx.add(Interaction(client=company.id, contact=spoken, on=day or tx.today, user=crm.me, **values))

    return crm.transact(change, f"logged {logged(kind)} with {client.name}")


def logged(kind: str) -> str:
    """A kind of interaction in a sentence: a call, an e-mail."""
    return f"{'an' if kind in ('email', 'sms') else 'a'} {INTERACTIONS[kind]}"


def _refuse_stranger(snapshot: Snapshot, contact: int, client: int) -> None:
    """Raise RefusedError for a contact that is not one of the client's."""
    if contact and (person := snapshot.get(Contact, contact)).client != client:
        raise RefusedError(f"{person.name} is not a contact of this client. Nothing was changed.")


@command(
    "interactions list",
    title="Calls, meetings and notes",
    menu="clients",
    hint="What was logged, newest first",
    nothing="No calls, meetings or notes found.",
)
def list_all(
    crm: CRM,
    client: MaybeClientFirst = None,
    contact: Annotated[Contact | None, About("Contact", "its number or name")] = None,
    kind: OfKind = "",
    since: Since = None,
    until: Until = None,
    by: Annotated[str, Person(), About("By", "who logged it")] = "",
    mine: Mine = False,
    text: Annotated[str, About("Text", "part of the subject or the text")] = "",
    limit: Limit = 0,
    offset: Offset = 0,
) -> list[Interaction]:
    """List calls, meetings, e-mails, text messages and notes, newest first."""
    in_order(since, until)
    with crm.read() as snapshot:
        return activity.interactions(
            snapshot,
            client=client.id if client else 0,
            contact=contact.id if contact else 0,
            kind=kind,
            since=since,
            until=until,
            by=owner_filter(crm, snapshot, mine, by, field="by", label="By"),
            words=text.split(),
            limit=most(limit),
            offset=offset,
        )


@command("interactions show", title="Show")
def show(crm: CRM, interaction: TheInteraction) -> Interaction:
    """Show an interaction with its full text."""
    return crm.get(Interaction, interaction.id)


@command("interactions edit", title="Edit")
def edit(crm: CRM, interaction: TheInteraction, changes: InteractionChanges) -> Interaction:
    """Change fields of an interaction; the other fields stay as they are. Contact 0 removes the contact.

    If you move it to another client, its contact is removed, unless you name a contact of that client.
    """
    if not changes:
        raise FieldError("name at least one field to change")
    values = dict(changes)
    if values.get("client", interaction.client) != interaction.client:
        values.setdefault("contact", 0)
    after = dataclasses.replace(interaction, **values)

    def change(tx: Transaction) -> Interaction:
        tx.get(Client, after.client)
        if "contact" in values:
            _refuse_stranger(tx, after.contact, after.client)
        return tx.change(interaction, **values)

    return crm.transact(change, f"edited {logged(interaction.kind)}")


@command("interactions delete", title="Delete", as_text=deleted)
def delete(crm: CRM, interaction: TheInteraction, yes: bool = False) -> Interaction:
    """Delete an interaction. You can undo it."""
    client = crm.get(Client, interaction.client)
    name = f"{logged(interaction.kind)} with {client.name} on {crm.conventions.day(interaction.on)}"
    return delete_record(crm, interaction, name, yes=yes)
