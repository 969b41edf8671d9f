"""Clients at the menu: the page of one client, adding, editing and merging."""

import dataclasses
from typing import Any

from crm.commands.clients import ClientCard
from crm.commands.registry import Command, commands, named
from crm.errors import ConflictError, NotFoundError
from crm.model import Client, typed_fields
from crm.model.fields import FOREVER
from crm.terminal.cards import draw_client, draw_timeline
from crm.terminal.forms import RecordForm, ask_names, fill_until_left, settle_conflict
from crm.terminal.keyboard import Back, Choice
from crm.terminal.picking import pick_client
from crm.terminal.session import Session, flow

# What one does most often comes first, what one regrets last; the rest stands in the order of the register.
_FIRST = ("sales add", "clients edit")
_LAST = ("clients merge", "clients delete")
_EVENTS = 12
_NOT_HERE = frozenset(("clients show",))


def client_page(session: Session, client: Client) -> None:
    """A client's card and timeline, and what can be done with it, until the person goes back."""
    seen: dict[str, Any] = {}

    def above() -> None:
        card: ClientCard = named("clients show")(session.crm, client=client)
        seen["client"] = card.client
        by = session.crm.conventions
        draw_client(session.screen, card.client, by, card.doubts)
        # Below stand the actions, the way back and the hint.
        room = session.screen.left - len(actions) - 5
        if card.timeline and room > 1:
            session.screen.print()
            draw_timeline(session.screen, card.timeline, by, min(room, _EVENTS))
        if room > -2:
            session.screen.print()

    actions = _about_clients()

    def entries() -> list[Choice]:
        pinned = seen["client"].status_pinned_until
        listed = [Choice(_title(each), _acts(session, each, seen)) for each in actions]
        if pinned:
            listed.append(Choice("Lift the pin", lambda: _lift_pin(session, seen["client"])))
        return listed

    timeline = Choice("Timeline", lambda: _timeline(session, client), "t")
    session.menu([client.name], entries, above=above, keys=[timeline])


def _about_clients() -> list[Command]:
    """Every command that is about a client, or several."""
    found = [
        each
        for each in commands()
        if each.words not in _NOT_HERE and each.subject is not None and each.subject.record is Client
    ]
    places = {words: place for place, words in enumerate((*_FIRST, "", *_LAST))}
    return sorted(found, key=lambda each: places.get(each.words, len(_FIRST)))


_TITLES = {
    "clients tag": "Tag or untag",
    "rules why": "Why this status",
    "sales list": "Sales of this client",
    "clients merge": "Merge a duplicate into this one",
}


def _title(command: Command) -> str:
    return _TITLES.get(command.words, command.title)


def _acts(session: Session, command: Command, seen: dict[str, Any]) -> Any:
    subject = command.subject
    assert subject is not None

    def act() -> None:
        client = seen["client"]
        session.start(command, **{subject.name: [client] if subject.many else client})

    return act


def _lift_pin(session: Session, client: Client) -> None:
    session.tell(session.call("clients pin", client=client), "Pin lifted")


def _timeline(session: Session, client: Client) -> None:
    card: ClientCard = named("clients show")(session.crm, client=client)
    session.page(client.name, "Timeline")
    draw_timeline(session.screen, card.timeline, session.crm.conventions)
    session.keyboard.pause()


@flow("clients add")
def add(session: Session, **_: Any) -> None:
    """Person or company, the name, then save or fill in more."""
    form = RecordForm(session, Client, {}, {})
    step = 0
    kind = ""
    while True:
        try:
            if step == 0:
                session.page("Add a client")
                kind = session.keyboard.choose(
                    "What is the client?", [Choice("A person", "person"), Choice("A company", "company")]
                )
                form.changes["kind"] = kind
                step = 1
            elif step == 1:
                session.page("Add a client")
                ask_names(form, kind)
                step = 2
            else:
                added = form.fill(["Add a client", _name(form)], lambda: _add(session, form))
                break
        except Back:
            if step == 0:
                raise
            step -= 1
    if added.id and added.version and added.name == _name(form):
        session.say(f"{session.screen.sign('✓', 'OK:')} Added {added.name} (no. {added.id})", "green")
    client_page(session, added)


def _add(session: Session, form: RecordForm) -> Client:
    added: Client = session.call("clients add", client=form.changes)
    return added


def _name(form: RecordForm) -> str:
    named_so: dict[str, Any] = {name: form.value(name) or "" for name in ("kind", "first_name", "last_name", "company")}
    return Client(**named_so).name


@flow("clients edit")
def edit(session: Session, client: Client | None = None, **_: Any) -> None:
    """The fields by number with the old values to change; a clash with somebody else's change is settled."""
    if client is None:
        session.page("Edit a client")
        client = pick_client(session.crm, session.keyboard, "Client")
    if client is None:
        raise Back
    with session.crm.read() as snapshot:
        shown = snapshot.get(Client, client.id)
    changes: dict[str, Any] = {}
    while True:
        form = RecordForm(session, Client, {name: getattr(shown, name) for name in typed_fields(Client)}, changes)
        try:
            saved = fill_until_left(form, [shown.name, "Edit"], lambda: _edit(session, shown, changes))  # noqa: B023
            break
        except ConflictError as error:
            changes = settle_conflict(session, shown, error, changes)
            with session.crm.read() as snapshot:
                shown = snapshot.get(Client, shown.id)
            if not changes:
                session.say("Nothing was left to change.")
                return
    if saved is not shown:
        session.tell(saved, "Saved")
        if saved.status != shown.status:
            session.say(
                f"Status: {shown.status} {session.screen.sign('→', '->')} {saved.status}: {saved.status_reason}", "bold"
            )


def _edit(session: Session, shown: Client, changes: dict[str, Any]) -> Client:
    if not changes:
        return shown
    saved: Client = session.call("clients edit", client=shown, changes=changes)
    return saved


@flow("clients search")
def find(session: Session, **_: Any) -> None:
    """Finds a client and opens it."""
    session.page("Find a client")
    found = pick_client(session.crm, session.keyboard, "Client", help="part of a name, e-mail, phone or tag")
    if found:
        client_page(session, found)


@flow("clients pin")
def pin(session: Session, client: Client | None = None, **_: Any) -> None:
    """A status from those there are or a new one, and until when."""
    session.page("Pin a status")
    client = client or pick_client(session.crm, session.keyboard, "Client")
    if client is None:
        raise Back
    command = named("clients pin")
    prompts = session.prompts
    with session.crm.read() as snapshot:
        there = list(dict.fromkeys(rule.status for rule in snapshot.rules.rules))
    pinned = client.status_pinned_until is not None
    entries = [*(Choice(status, status) for status in there), Choice("Another one", None)]
    status = session.keyboard.choose(
        f"Status of {client.name}:", [*entries, *([Choice("Lift the pin", "")] if pinned else [])]
    )
    if status is None:
        status = prompts.ask(dataclasses.replace(command.parameters["status"], required=True, help=""))
    until = prompts.ask(command.parameters["until"]) if status else None
    done = prompts.run(command, {"client": client, "status": status, "until": until})
    last = done.status_pinned_until
    end = f" until {session.crm.conventions.day(last)}" if last and last != FOREVER else ""
    session.say(f"{session.screen.sign('✓', 'OK:')} {done.name} is {done.status}{end}", "green")


@flow("clients delete")
def delete(session: Session, client: Client | None = None, **_: Any) -> None:
    """Says what goes with the client, and asks."""
    if client is None:
        session.page("Delete a client")
        client = pick_client(session.crm, session.keyboard, "Client")
    if client is None:
        raise NotFoundError("No client was chosen.")
    gone = session.call("clients delete", client=client)
    session.say(f"{session.screen.sign('✓', 'OK:')} Deleted {gone.name}. Press u to take it back.", "green")
