"""Search from any menu: a client or a command by a few letters."""

from collections.abc import Sequence
from typing import Any

from crm.commands.registry import Command, commands
from crm.errors import FieldError
from crm.model import Client
from crm.terminal.keyboard import Back, Choice, Suggestion
from crm.terminal.picking import ClientSearch
from crm.terminal.session import Session

_MOST = 10


def search(session: Session) -> None:
    """Asks for a few letters and goes to the client or the command that is meant. Raises Back."""
    clients = ClientSearch(session.crm, _MOST)
    listed = [each for each in commands() if each.menu and session.offers(each)]

    def named(typed: str) -> list[Command]:
        words = typed.casefold().split()
        return [each for each in listed if words and all(word in each.title.casefold() for word in words)]

    def suggest(typed: str) -> Sequence[Suggestion]:
        told = [Suggestion(each.title, each.title, "command") for each in named(typed)[:4]]
        return [*clients.suggest(typed), *told][:_MOST]

    def read(typed: str) -> list[Client | Command]:
        if not typed.strip():
            raise Back
        exact = [each for each in listed if each.title.casefold() == typed.strip().casefold()]
        found: list[Client | Command] = [*exact] or [*clients.found(typed), *named(typed)]
        if not found:
            raise FieldError("neither a client nor a command is found by that")
        return found

    session.page("Search")
    found = session.keyboard.text(
        "Find", read, help="a name, e-mail, phone, tag, number, or what to do", suggest=suggest
    )
    chosen: Any = found[0]
    if len(found) > 1:
        chosen = session.keyboard.choose(
            "Which one?",
            [
                Choice(clients.line(each) if isinstance(each, Client) else f"{each.title} …", each)
                for each in found[:_MOST]
            ],
        )
    if isinstance(chosen, Client):
        from crm.terminal.clients import client_page

        client_page(session, chosen)
    else:
        session.start(chosen)
