"""Pages: each is registered for what it shows, so that a page opens another one without importing it."""

from collections.abc import Callable, Sequence
from functools import cache, partial, wraps
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from crm.commands import subject_of, subjects
from crm.commands.registry import Command, named
from crm.errors import CRMError, SignedOutError
from crm.model import Client, Record

Page = Callable[..., None]
_PAGES: dict[type[Record], Page] = {}
# What is beside entries in a wide window, in pieces of one token each.
Pieces = Sequence[tuple[str, str]]
SideCard = Callable[..., Pieces]
_SIDE_CARDS: dict[type[Record], SideCard] = {}
Flow = Callable[..., None]
# Commands that the menu leads through in a way of its own, by their words.
FLOWS: dict[str, Flow] = {}
# What is said once a command that the menu leads through was run, of its result.
_DONE: dict[str, Callable[[Any], str]] = {}


def page(record: type[Record], words: str = "") -> Callable[[Page], Page]:
    """Register a function (session, record, **around) as the page that shows a record of a kind, and as the way in
    which the menu leads through the command of these words, which shows one."""

    def register(function: Page) -> Page:
        _PAGES[record] = function
        return record_flow(words)(function) if words else function

    return register


def page_of(record: type[Record]) -> Page:
    """The page that shows a record of a kind. Raises KeyError where there is none."""
    load_pages(subject_of(record.__module__))
    return _PAGES[record]


def side_card_of(record: type[Record]) -> Callable[[SideCard], SideCard]:
    """Register a function (session, number) as the card of a record beside the entries of another page."""

    def register(function: SideCard) -> SideCard:
        _SIDE_CARDS[record] = function
        return function

    return register


def draw_side_card(session: Any, record: type[Record], number: int) -> Pieces:
    """The card of a record beside the entries of another page; nothing where the person may not see it."""
    load_pages(subject_of(record.__module__))
    return unless_refused(lambda: _SIDE_CARDS[record](session, number))


def draw_above_client(session: Any, own: Pieces, client: int) -> Pieces:
    """The card of a record of a client beside the entries of another page, with the card of the client below it."""
    card = draw_side_card(session, Client, client)
    return [*own, *([("", "\n")] if own and card else []), *card]


def unless_refused(draw: Callable[[], Pieces]) -> Pieces:
    """The panel beside entries; nothing where it cannot be read. The page itself says why."""
    try:
        return draw()
    except SignedOutError:
        raise
    except CRMError:
        return ()


def flow(words: str) -> Callable[[Flow], Flow]:
    """Register a function (session, **given) as the way in which the menu leads through a command."""

    def register(function: Flow) -> Flow:
        FLOWS[words] = function
        return function

    return register


def record_flow(words: str, choose: Callable[[Any], Any] | None = None) -> Callable[[Flow], Flow]:
    """Register a function (session, record, **arguments) as the way in which the menu leads through a command about a
    record. Where that is not given it is asked for first, or chosen by a function of the session."""

    def register(function: Flow) -> Flow:
        @wraps(function)
        def lead(session: Any, **arguments: Any) -> None:
            command = named(words)
            subject = command.required_subject
            record = arguments.pop(subject.name, None)
            if record is None:
                crumbs = session.path_to(command.title, command.menu or command.group)
                kinds = [subject.record.nouns.capitalize()] if subject.record and len(crumbs) == 1 else []
                session.page(*kinds, *crumbs)
                record = choose(session) if choose else session.prompts.ask(subject)
            function(session, record, **arguments)

        FLOWS[words] = lead
        return function

    return register


def says_done(words: str, sentence: Callable[[Any], str]) -> None:
    """Register a heading above the result of a command that the menu leads through, made from the result."""
    _DONE[words] = sentence


def done_sentence(command: Command, result: Any) -> str:
    """The sentence above the result of a command; '' where the result says it."""
    return _DONE[command.words](result) if command.words in _DONE else ""


def load_flows() -> None:
    """Register all flows."""
    for subject in subjects():
        load_pages(subject_of(subject.__name__))


@cache
def load_pages(subject: str) -> None:
    """Load the pages of a subject."""
    folder = import_module(f"crm.terminal.{subject}")
    for module in iter_modules(folder.__path__):
        import_module(f"{folder.__name__}.{module.name}")


def flow_of(command: Command) -> Flow | None:
    """The way in which the menu leads through a command: its own, or the form of any record where it takes the fields
    of one; None where it just asks for the parameters."""
    load_pages(subject_of(command.function.__module__))
    if command.words not in FLOWS and command.form is not None:
        return partial(import_module("crm.terminal.toolkit.record_actions").fill_in, command=command)
    return FLOWS.get(command.words)
