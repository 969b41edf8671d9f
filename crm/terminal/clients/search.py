"""Search from any menu: a client or a command by a few letters."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from crm.commands.registry import Command, commands
from crm.errors import FieldError
from crm.model import Client
from crm.model.rights import OWNER
from crm.terminal.console.keyboard import Back, Choice, Suggestion
from crm.terminal.toolkit.picking import ClientSearch
from crm.terminal.toolkit.session import Session

_MOST = 10
_SUGGESTED = 4
_WORDS = re.compile(r"[^\W_]+")
# What says nothing about which command is meant, and what people call some things instead.
_IDLE = frozenset(("a", "an", "the", "my", "of", "to", "for"))
_ALIKE: Mapping[str, str] = {
    "new": "add", "create": "add", "change": "edit", "modify": "edit", "remove": "delete", "customer": "client",
    "customers": "clients", "mail": "email", "mails": "email", "task": "follow", "tasks": "follow", "todo": "agenda",
}  # fmt: skip


class CommandSearch:
    """Finds commands that the menu leads to by the words of their titles, by those that the shell calls them with, and
    where neither fits by those of their help."""

    def __init__(self, listed: Sequence[Command]) -> None:
        self.listed = listed
        titles = Counter(each.title for each in listed)
        self._names = {
            each.words: f"{each.title} ({each.words})" if titles[each.title] > 1 or _is_vague(each) else each.title
            for each in listed
        }
        self._titled = {each.words: _words(each.title) for each in listed}
        self._called = {each.words: _words(f"{each.title} {each.words}") for each in listed}

    def name(self, command: Command) -> str:
        """What stands in the list for a command, and in the line when it is taken."""
        return self._names[command.words]

    def exact(self, typed: str) -> list[Command]:
        """The command whose name or whose words in the shell were typed in full."""
        wanted = typed.strip().casefold()
        return [each for each in self.listed if wanted in (self.name(each).casefold(), each.words)]

    def found(self, typed: str) -> list[Command]:
        """The commands that are meant, those that are titled so first."""
        wanted = [_ALIKE.get(word, word) for word in _WORDS.findall(typed.casefold()) if word not in _IDLE]
        if not wanted:
            return []
        titled = [each for each in self.listed if _say(self._titled[each.words], wanted)]
        called = [each for each in self.listed if _say(self._called[each.words], wanted) and each not in titled]
        return [*titled, *called] or [
            each
            for each in self.listed
            if _say(self._called[each.words] | _words(each.summary), wanted) and len(wanted) > 1
        ]


def _is_vague(command: Command) -> bool:
    """Whether a title that stands on the page of what it is about does not say so itself."""
    about = command.group.partition("-")[0].rstrip("s")
    return not command.menu and about not in command.title.casefold()


def _words(text: str) -> set[str]:
    """The words of a text, and what they stand for."""
    words = set(_WORDS.findall(text.casefold()))
    return words | {_ALIKE[word] for word in words & _ALIKE.keys()}


def _say(words: Collection[str], wanted: Sequence[str]) -> bool:
    """Whether each of what is wanted begins a word."""
    return all(any(word.startswith(each) for word in words) for each in wanted)


def searched(session: Session) -> CommandSearch:
    """A search of all commands that the menu leads this person to."""
    return CommandSearch(
        [
            each
            for each in commands()
            if session.offers(each) and not (each.group == "profile" and session.crm.reader == OWNER)
        ]
    )


def search(session: Session) -> None:
    """Asks for a few letters and goes to the client or the command that is meant. Raises Back."""
    clients = ClientSearch(session.crm, _MOST)
    known = searched(session)

    def suggest(typed: str) -> Sequence[Suggestion]:
        told = [Suggestion(known.name(each), known.name(each), "command") for each in known.found(typed)[:_SUGGESTED]]
        return [*clients.suggest(typed), *told][:_MOST]

    def read(typed: str) -> list[Client | Command]:
        if not typed.strip():
            raise Back
        found: list[Client | Command] = [*known.exact(typed)] or [*clients.found(typed), *known.found(typed)]
        if not found:
            raise FieldError("neither a client nor a command is found by that")
        return found

    session.page("Search")
    found = session.keyboard.text(
        "Find", read, help="a name, e-mail, phone, tag, number, or a command", suggest=suggest
    )
    chosen: Any = found[0]
    if len(found) > 1:
        chosen = session.keyboard.choose(
            "Which one?",
            [
                Choice(clients.line(each) if isinstance(each, Client) else f"{known.name(each)} …", each)
                for each in found[:_MOST]
            ],
        )
    if isinstance(chosen, Client):
        session.open(chosen)
    else:
        session.start(chosen)
