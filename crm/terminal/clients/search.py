"""Search from any menu: a client or a command by a few letters."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.text import Text

from crm.commands.registry import Command, commands, named
from crm.config import TEAM
from crm.errors import FieldError
from crm.lazy_pattern import lazy_pattern
from crm.lean_dataclass import dataclass
from crm.model import Client
from crm.model.likeness import ALIKE, likeness
from crm.model.local_labels import local_label
from crm.model.rights import OWNER
from crm.terminal.clients.picking import ClientSearch
from crm.terminal.console.keyboard import Back, Choice, Suggestion
from crm.terminal.toolkit.lists import open_list
from crm.terminal.toolkit.session import Session

_EXAMPLES = (
    ("sven cast", "a client, a company or a contact, misspelt too"),
    ("@example.com", "an e-mail address or a phone number"),
    ("vip", "all clients with a status or a tag"),
    ("57", "the client with this number"),
    ("new deal", "what you want to do"),
)
_EXAMPLE, _ROOM_FOR_EXAMPLES, _COLUMNS_FOR_EXAMPLES = 16, 24, 70
_MOST = 10
_SUGGESTED = 4
_GROUPS = 3
_LEAST = 2
# Of shorter words too many others are like them.
_LEAST_ALIKE = 4
_WORDS = lazy_pattern(r"[^\W_]+")
# What says nothing about which command is meant, and what people call some things instead.
_IDLE = frozenset(("a", "an", "the", "my", "of", "to", "for"))
_ALIKE: Mapping[str, str] = {
    "new": "add", "create": "add", "change": "edit", "modify": "edit", "remove": "delete", "customer": "client",
    "customers": "clients", "mail": "email", "mails": "email", "task": "follow", "tasks": "follow", "todo": "agenda",
}  # fmt: skip


class CommandSearch:
    """A search of commands that the menu leads to, by the words of their titles, by those that the shell calls them
    with, and where neither fits by those of their help."""

    def __init__(self, listed: Sequence[Command]) -> None:
        self.listed = listed
        titles = Counter(command.title for command in listed)
        self._names = {
            command.words: f"{command.title} ({command.words})"
            if titles[command.title] > 1 or _is_vague(command)
            else command.title
            for command in listed
        }
        self._titled = {command.words: _words(command.title) for command in listed}
        self._called = {command.words: _words(f"{command.title} {command.words}") for command in listed}

    def name(self, command: Command) -> str:
        """The name of a command in the list, and in the line when it is taken."""
        return self._names[command.words]

    def exact(self, typed: str) -> list[Command]:
        """The command whose name or whose words in the shell were typed in full."""
        name = typed.strip().casefold()
        return [command for command in self.listed if name in (self.name(command).casefold(), command.words)]

    def matching(self, typed: str) -> list[Command]:
        """The commands that are meant, those that are titled so first."""
        words = [_ALIKE.get(word, word) for word in _WORDS.findall(typed.casefold()) if word not in _IDLE]
        if not words:
            return []
        titled = [command for command in self.listed if _say(self._titled[command.words], words)]
        called = [
            command for command in self.listed if _say(self._called[command.words], words) and command not in titled
        ]
        return [*titled, *called] or [
            command
            for command in self.listed
            if _say(self._called[command.words] | _words(command.summary), words) and len(words) > 1
        ]

    def alike(self, typed: str) -> list[Command]:
        """The commands whose titles, or whose words in the shell, are spelt much like what was typed."""
        words = [_ALIKE.get(word, word) for word in _WORDS.findall(typed.casefold()) if word not in _IDLE]
        if not words or len(max(words, key=len)) < _LEAST_ALIKE:
            return []
        return [command for command in self.listed if _are_like(self._called[command.words], words)]


def _are_like(words: Collection[str], parts: Sequence[str]) -> bool:
    """Return whether each part of what was typed is spelt much like a word, or begins one."""
    return all(any(word.startswith(part) or likeness(part, word) >= ALIKE for word in words) for part in parts)


def _is_vague(command: Command) -> bool:
    """Return whether a title that is on the page of what it is about does not say so itself."""
    about = command.group.partition("-")[0].rstrip("s")
    return not command.menu and about not in command.title.casefold()


def _words(text: str) -> set[str]:
    """The words of a text, and what they stand for."""
    words = set(_WORDS.findall(text.casefold()))
    return words | {_ALIKE[word] for word in words & _ALIKE.keys()}


def _say(words: Collection[str], beginnings: Sequence[str]) -> bool:
    """Return whether each of what is wanted begins a word."""
    return all(any(word.startswith(part) for word in words) for part in beginnings)


def searched(session: Session) -> CommandSearch:
    """A search of all commands that the menu leads this person to."""
    return CommandSearch(
        [
            command
            for command in commands()
            if session.offers(command) and not (command.group == "profile" and session.crm.reader == OWNER)
        ]
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """The clients with a status or a tag, as they are offered."""

    title: str
    filters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Setting:
    """A setting, as it is offered."""

    title: str
    key: str


class _GroupSearch:
    """A search of the clients of a status, and of a tag that one of the clients found has."""

    def __init__(self, session: Session) -> None:
        self._statuses: list[str] = []
        self._offered: dict[str, _Group] = {}
        if session.offers(named("clients list")):
            from crm.commands.clients.rules import statuses

            with session.crm.read() as snapshot:
                self._statuses = [status for status in statuses(snapshot) if status]

    def exact(self, typed: str) -> list[_Group]:
        """The one whose title was typed, or taken."""
        group = self._offered.get(typed.strip().casefold())
        return [group] if group else []

    def matching(self, typed: str, clients: Sequence[Client]) -> list[_Group]:
        """Those whose status or tag begins so, after the fewest letters that say anything; `clients` are those that
        were found."""
        begun = typed.strip().casefold()
        if len(begun) < _LEAST or not self._statuses:
            return []
        known = [("status", status) for status in self._statuses]
        known += [("tags", tag) for tag in dict.fromkeys(tag for client in clients for tag in client.tags)]
        return self._offer([(field, value) for field, value in known if value.casefold().startswith(begun)])

    def alike(self, typed: str) -> list[_Group]:
        """Those whose status is spelt much like what was typed."""
        word = typed.strip().casefold()
        if len(word) < _LEAST_ALIKE:
            return []
        return self._offer(
            [("status", status) for status in self._statuses if likeness(word, status.casefold()) >= ALIKE]
        )

    def _offer(self, known: Sequence[tuple[str, str]]) -> list[_Group]:
        """The first of some statuses and tags, as they are offered."""
        groups = [
            _Group(f"Clients with the {'tag' if field == 'tags' else field} {value}", {field: value})
            for field, value in known[:_GROUPS]
        ]
        self._offered |= {group.title.casefold(): group for group in groups}
        return groups


class _SettingSearch:
    """A search of the settings by the words of their names."""

    def __init__(self, session: Session) -> None:
        self._country = session.crm.conventions.country
        self._offered = session.offers(named("settings set"))

    def exact(self, typed: str) -> list[_Setting]:
        """The one whose name was typed, if it has several words: one word may be anything."""
        words = {word for word in _WORDS.findall(typed.casefold()) if word != "setting"}
        return [
            setting
            for setting in self.matching(typed)
            if len(words) > 1 and words == {*_WORDS.findall(setting.title.casefold())} - {"setting"}
        ]

    def matching(self, typed: str) -> list[_Setting]:
        """Those whose name has all the words that were typed, or the one whose suggestion was taken."""
        words = [word for word in _WORDS.findall(typed.casefold()) if word not in (*_IDLE, "setting")]
        if not self._offered or len("".join(words)) < _LEAST:
            return []
        known = [_Setting(f"{local_label(option.label, self._country)} (setting)", option.name) for option in TEAM]
        return [setting for setting in known if _say(_words(setting.title), words)]


def _draw_examples(session: Session) -> bool:
    """Draw what can be typed, where there is room for it above the suggestions; return whether there was."""
    screen = session.screen
    if screen.plain or screen.height < _ROOM_FOR_EXAMPLES or screen.width < _COLUMNS_FOR_EXAMPLES:
        return False
    for typed, about in _EXAMPLES:
        screen.print(Text(f"{typed:<{_EXAMPLE}}", "default").append(about, "muted"))
    screen.print()
    return True


def search(session: Session) -> None:
    """Ask for a few letters and go to the client or the command that is meant. Raises Back."""
    clients = ClientSearch(session.crm, _MOST)
    known = searched(session)
    groups = _GroupSearch(session)
    settings = _SettingSearch(session)

    def suggest(typed: str) -> Sequence[Suggestion]:
        others = [
            Suggestion(known.name(command), known.name(command), "command")
            for command in known.matching(typed)[:_SUGGESTED]
        ]
        suggested = clients.suggest(typed)
        listed = groups.matching(typed, clients.last)
        if not suggested and not others and not listed:
            others = [
                Suggestion(setting.title, setting.title, "setting") for setting in settings.matching(typed)[:_SUGGESTED]
            ]
        if not suggested and not others and not listed:
            listed = groups.alike(typed)
            others = [
                Suggestion(known.name(command), known.name(command), "command")
                for command in known.alike(typed)[:_SUGGESTED]
            ]
        named_so = [Suggestion(setting.title, setting.title, "setting") for setting in settings.exact(typed)]
        others = [other for other in others if other not in named_so]
        offered = [*named_so, *(Suggestion(group.title, group.title, "list") for group in listed)]
        return [*offered, *suggested, *others][:_MOST]

    def read(typed: str) -> list[Client | Command | _Group | _Setting]:
        if not typed.strip():
            raise Back
        results: list[Client | Command | _Group | _Setting] = [
            *groups.exact(typed),
            *known.exact(typed),
            *settings.exact(typed),
        ]
        if not results:
            matching = clients.matching(typed)
            results = [*groups.matching(typed, matching), *matching, *known.matching(typed)]
            results = results or [*settings.matching(typed)] or [*groups.alike(typed), *known.alike(typed)]
        if not results:
            raise FieldError("no client, command or setting matches that; try part of the name")
        return results

    session.page("Search")
    help = "" if _draw_examples(session) else "name, e-mail, phone, tag, status, number, command"
    choice = session.keyboard.text("Find", read, help=help, suggest=suggest, passing=True)
    chosen: Any = choice[0]
    if len(choice) > 1:
        chosen = session.keyboard.choose(
            "Which one?",
            [
                Choice(
                    clients.line(result)
                    if isinstance(result, Client)
                    else result.title
                    if isinstance(result, _Group | _Setting)
                    else f"{known.name(result)} …",
                    result,
                )
                for result in choice[:_MOST]
            ],
        )
    if isinstance(chosen, Client):
        session.open(chosen)
        with session.crm.read() as snapshot:
            is_gone = snapshot.find(Client, chosen.id) is None
        if is_gone and session.offers(named("clients list")):
            # Not the page below, which may be the card of somebody else.
            open_list(session, "clients list")
    elif isinstance(chosen, _Group):
        open_list(session, "clients list", filters=chosen.filters)
    elif isinstance(chosen, _Setting):
        session.start(named("settings set"), key=chosen.key)
    else:
        # The page where the search began is not an argument of the command.
        session.place = ()
        session.start(chosen)
