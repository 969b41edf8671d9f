"""Records of any kind at the menu: one is chosen, changed, renamed or deleted."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm.commands.registry import Command, FieldsOf, Takes, named
from crm.model import Client, Field, Record
from crm.model.fields import Check
from crm.terminal.console.keyboard import Back
from crm.terminal.drawing.list_conventions import ListConventions
from crm.terminal.toolkit.forms import RecordForm, fill_changes
from crm.terminal.toolkit.pages import record_flow
from crm.terminal.toolkit.picking import line_of, pick
from crm.terminal.toolkit.prompts import in_order
from crm.terminal.toolkit.record_page import RecordPage
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Answers, in_steps


def edits(
    words: str,
    form: type[RecordForm],
    title: Callable[[Any], str],
    done: Callable[[Session, Any, Any], None],
    choose: Callable[[Session], Any] | None = None,
) -> None:
    """Register the form of a record as the way in which the menu leads through the command that changes one: the
    fields by number with the old values to change, where a clash with somebody else's change is settled. `done` gets
    the record as it was and what the command gave, and says so."""

    def edit(session: Session, record: Any) -> None:
        name = named(words).required_subject.name

        def save(original: Any, changes: Mapping[str, Any]) -> Any:
            return session.call(words, **{name: original, "changes": changes})

        if saved := fill_changes(session, form, record, title, save):
            done(session, *saved)

    edit.__module__ = form.__module__
    record_flow(words, choose)(edit)


def deletes(
    page: type[RecordPage[Any, Any]],
    words: str,
    name: Callable[[Any], str] = lambda deleted: deleted.name,
    choose: Callable[[Session], Any] | None = None,
) -> None:
    """Register the way in which the menu leads through the command that deletes the record of a page, which is said by
    its name."""

    def delete(session: Session, record: Any) -> None:
        command = named(words)
        client = record.id if isinstance(record, Client) else getattr(record, "client", 0)
        crumbs = session.path_to("Delete", command.menu, name(record))
        session.page(*crumbs, purpose=command.summary, client=client)
        deleted = session.call(words, **{command.required_subject.name: record})
        session.done(f"Deleted {name(deleted)}. Press u to undo.")

    delete.__module__ = page.__module__
    record_flow(words, choose)(delete)


def fill_in(session: Session, command: Command, **arguments: Any) -> None:
    """Lead through a command that takes the fields of a record: what else it needs is asked for first, then the fields
    are filled in. It is for records whose subject has no form of its own. Raises Back and Cancelled."""
    form = command.form
    marked = form.fields if form else None
    if form is None or not isinstance(marked, FieldsOf):
        raise TypeError(f"{command.words} takes no fields of a record")
    offered = marked.offered

    class FieldsForm(RecordForm):
        """The fields that the command takes."""

        def fields(self) -> Sequence[Field]:
            return [field for field in super().fields() if field.name in offered]

    answers = Answers(session, **arguments)
    asked = [
        parameter for parameter in in_order(command) if parameter.required and parameter.name not in answers.values
    ]
    filled = FieldsForm(session, marked.record, {}, {})

    def run(changes: Mapping[str, Any], **values: Any) -> Any:
        return session.prompts.run(command, {**answers.values, **values, form.name: changes})

    def add() -> Any:
        return filled.fill(session.path_to(command.title), lambda: run(filled.changes))

    def change() -> Any:
        subject = command.parameter_of(marked.record)
        by = ListConventions.of(session.conventions)
        saved = fill_changes(
            session,
            FieldsForm,
            answers.values[subject.name],
            lambda record: line_of(record, by),
            lambda original, changes: run(changes, **{subject.name: original}),
        )
        return saved[1] if saved else None

    steps = answers.steps(asked, lambda: session.page(*session.path_to(command.title)))
    last = add if marked.takes is Takes.NEW else change
    done = in_steps(session, [*steps, last], lambda: answers.is_written() or filled.is_written())
    if done is None:
        return
    if isinstance(done, Record):
        verb = "Added" if marked.takes is Takes.NEW else "Saved"
        session.done(f"{verb} {line_of(done, ListConventions.of(session.conventions))}.")
    else:
        session.tell(done, command.title)
    session.say_next(command.words)


def rename(session: Session, words: str, record: Any, check: Check, **arguments: Any) -> None:
    """Ask for a new name of a record, the old one being there to change; `arguments` name it to the command. Raises
    Back."""
    to = session.prompts.value("New name", check, typed=record.name, required=True)
    if to != record.name:
        session.call(words, to=to, **arguments)
    session.done(f"{record.name} is called {to} now.", changed=to != record.name)


def chosen_client(session: Session, client: Client | None, *crumbs: str) -> Client:
    """A client that is named, or else one that the person chooses on a page named by the crumbs. Raises Back. It is for
    flows that do something before they ask, or may know the client from elsewhere; others are a `record_flow`."""
    if client is None:
        session.page(*crumbs)
        client = pick(session.crm, session.keyboard, Client, "Client")
    if client is None:
        raise Back
    return client
