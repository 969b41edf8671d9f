"""Records of any kind at the menu: one is chosen, changed, renamed or deleted."""

from collections.abc import Callable, Mapping
from typing import Any

from crm.commands.registry import named
from crm.model import Client
from crm.model.fields import Check
from crm.model.record import AnyRecord
from crm.terminal.console.keyboard import Back
from crm.terminal.toolkit.picking import pick
from crm.terminal.toolkit.session import Session


def chosen(session: Session, words: str, record: Any = None) -> Any:
    """The record that a command is about: the one that is given, or one that is asked for. Raises Back."""
    return record or session.prompts.ask(named(words).required_subject)


def saving(session: Session, words: str) -> Callable[[Any, Mapping[str, Any]], Any]:
    """The function by which a command saves the changes of a record, as `fill_changes` takes it."""
    name = named(words).required_subject.name
    return lambda original, changes: session.call(words, **{name: original, "changes": changes})


def delete(
    session: Session, words: str, record: Any = None, name: Callable[[Any], str] = lambda deleted: deleted.name
) -> None:
    """Delete a record, which is asked for where it is not given, and say so by its name. Raises Back."""
    subject = named(words).required_subject
    deleted = session.call(words, **{subject.name: chosen(session, words, record)})
    session.done(f"Deleted {name(deleted)}. Press u to undo.")


def rename(session: Session, words: str, record: Any, check: Check, **arguments: Any) -> None:
    """Ask for a new name of a record, the old one being there to change; `arguments` name it to the command. Raises
    Back."""
    to = session.prompts.value("New name", check, typed=record.name, required=True)
    if to != record.name:
        session.call(words, to=to, **arguments)
    session.done(f"{record.name} is called {to} now.", changed=to != record.name)


def picked(session: Session, record: AnyRecord | None, pick: Callable[[], AnyRecord | None], *crumbs: str) -> AnyRecord:
    """A record that is given, or one that the person picks, on a page named by the crumbs. Raises Back."""
    session.page(*crumbs)
    if record is None:
        record = pick()
        session.page(*crumbs)
    if record is None:
        raise Back
    return record


def chosen_client(session: Session, client: Client | None, *crumbs: str) -> Client:
    """A client that is named, or else one that the person chooses on a page named by the crumbs. Raises Back."""
    if client is None:
        session.page(*crumbs)
        client = pick(session.crm, session.keyboard, Client, "Client")
    if client is None:
        raise Back
    return client
