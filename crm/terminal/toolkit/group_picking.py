"""A group of clients: chosen one by one, by a saved view, a condition or a tag."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from crm.commands.mail.mailings.audience import NoConsentError
from crm.commands.registry import named
from crm.errors import FieldError, RefusedError
from crm.model import Client, View
from crm.model.fields import Tags
from crm.repository import Query
from crm.rules import parse_condition
from crm.terminal.console.keyboard import BACK, Back, Choice, Needed
from crm.terminal.toolkit.picking import pick, pick_several
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.suggestions import metric_names

Audience = TypeVar("Audience")
# What commands take that are about a group, by name, where nothing is said yet.
Chosen = Mapping[str, Any]
NOBODY: Chosen = {"clients": (), "only": (), "where": "", "view": "", "all_": False}


def group_of(**chosen: Any) -> Chosen:
    """A group as commands take it."""
    return {**NOBODY, **chosen}


def members_of(group: Chosen) -> Mapping[str, Any]:
    """A group as `asked_for` takes it."""
    return {name: group[name] for name in NOBODY}


def pick_recipients(
    session: Session, crumbs: Sequence[str], count: Callable[[Chosen], Audience]
) -> tuple[Chosen, Audience]:
    """The clients that a mailing is for, and the `count` of those who can get it, which raises RefusedError where
    nobody can. Where they have not agreed to mailings, that can be changed right there. Raises Back."""
    group = NOBODY
    while True:
        group = pick_group(session, *crumbs, before=group)
        try:
            try:
                return group, count(group)
            except NoConsentError as error:
                _ask_consent(session, crumbs, error)
                return group, count(group)
        except RefusedError as error:
            session.fail(error)
        except Back:
            continue


def _ask_consent(session: Session, crumbs: Sequence[str], error: NoConsentError) -> None:
    """Set the marketing consent of clients, if the person says that they agreed. Raises Back."""
    clients = _clients(session, error.clients)
    who = clients[0].name if len(clients) == 1 else "they"
    session.page(*crumbs)
    entries = [Choice(f"Set Marketing consent, if {who} agreed", True)]
    session.keyboard.choose(error.fault, entries, back="Choose other clients", at=BACK)
    set_consent(session, error.clients)


def set_consent(session: Session, numbers: Sequence[int]) -> None:
    """Set the marketing consent of clients, by their numbers, after the usual question. Raises Back."""
    clients = _clients(session, numbers)
    session.tell(session.call("clients edit-many", changes={"marketing_consent": True}, clients=clients))


def _clients(session: Session, numbers: Sequence[int]) -> tuple[Client, ...]:
    with session.crm.read() as snapshot:
        return tuple(snapshot.find_all(Client, Query({"id": numbers})))


def pick_group(session: Session, *crumbs: str, before: Chosen = NOBODY) -> Chosen:
    """The clients that something is to be done with, on a page named by the crumbs; those chosen one by one `before`
    are there to be changed. Raises Back."""
    keyboard = session.keyboard
    while True:
        session.page(*crumbs)
        entries = [Choice("One by one, or by a search", partial(_one_by_one, before=before))]
        if named("views list")(session.crm):
            entries.append(Choice("All in a saved view", _in_a_view))
        entries += [
            Choice("All matching a condition", _that_fit),
            Choice("All with a tag", _with_a_tag),
            Choice("All clients", lambda _: group_of(all_=True)),
        ]
        choose = keyboard.choose("Which clients?", entries)
        try:
            chosen: Chosen = choose(session)
            return chosen
        except Back:
            continue


def _one_by_one(session: Session, before: Chosen) -> Chosen:
    return group_of(clients=tuple(pick_several(session.crm, session.keyboard, Client, "Clients", before)))


def _in_a_view(session: Session) -> Chosen:
    view: View = pick(session.crm, session.keyboard, View, "View")
    return group_of(view=view.name)


def _that_fit(session: Session) -> Chosen:
    def read(typed: str) -> str:
        if not typed.strip():
            raise Needed
        parse_condition(typed)
        _refuse_nobody(session, Query(where=typed))
        return typed.strip()

    help = f"like total_spend > 1000 and country = '{session.crm.conventions.country}'"
    return group_of(where=session.keyboard.text("Condition", read, help=help, suggest=metric_names))


def _with_a_tag(session: Session) -> Chosen:
    def read(typed: str) -> tuple[str, ...]:
        if not typed.strip():
            raise Needed
        tags = Tags().read(typed, session.crm.conventions)
        _refuse_nobody(session, Query({"tags": tags}))
        return tags

    help = "separate several with commas; a client must have all of them"
    return group_of(only=(("tags", session.keyboard.text("Tag", read, help=help)),))


def _refuse_nobody(session: Session, query: Query) -> None:
    with session.crm.read() as snapshot:
        if not snapshot.count(Client, query):
            raise FieldError("no client matches that; try part of the name")
