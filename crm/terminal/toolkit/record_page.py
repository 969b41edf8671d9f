"""The page of a record: its card, read anew each time, and what can be done with it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from crm.commands.registry import named
from crm.model import Record
from crm.model.record import AnyRecord
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit.letters import Letter
from crm.terminal.toolkit.pages import page
from crm.terminal.toolkit.session import Session

_Card = TypeVar("_Card")
_Page = TypeVar("_Page", bound="type[RecordPage[Any, Any]]")


class RecordPage(Generic[AnyRecord, _Card]):
    """A record and what can be done with it, until the person goes back. Subclasses say which command gives its card,
    how that is drawn, and what can be done."""

    # The words of the command.
    command: str
    # The commands about the record that have a key.
    lettered: Mapping[str, Letter] = {}
    # What the command has returned last.
    card: _Card

    def __init__(self, session: Session, record: AnyRecord) -> None:
        self.session = session
        self.record = record

    def read(self) -> _Card:
        """The card as it is now."""
        command = named(self.command)
        card: _Card = command(self.session.crm, **{command.required_subject.name: self.record})
        return card

    def current(self) -> AnyRecord:
        """The record in the card: the card itself, or what it has by the name that its command gives the record."""
        card: Any = self.card
        record = card if isinstance(card, Record) else getattr(card, named(self.command).required_subject.name)
        return cast(AnyRecord, record)

    def crumbs(self) -> Sequence[str]:
        """The breadcrumbs above the card."""
        raise NotImplementedError

    def draw(self) -> None:
        """Draws the card."""
        raise NotImplementedError

    def entries(self) -> Sequence[Choice]:
        """The actions that the record allows as it is."""
        raise NotImplementedError

    def keys(self) -> Sequence[Choice]:
        """The keys of the page; their values are actions."""
        return [letter(self.starts(words)) for words, letter in self.lettered.items()]

    def starts(self, words: str, **arguments: Any) -> Callable[[], None]:
        """The action that leads through a command about the record."""
        command = named(words)
        return lambda: self.session.start(command, **{command.required_subject.name: self.record, **arguments})

    def show(self) -> None:
        """Shows the page until the person goes back, or the record is gone."""

        def read() -> Sequence[str]:
            self.card = self.read()
            self.record = self.current()
            return self.crumbs()

        def draw() -> None:
            self.draw()
            self.session.screen.print()

        self.session.menu(read, self.entries, above=draw, keys=self.keys)


def record_page(kind: type[Record]) -> Callable[[_Page], _Page]:
    """Registers a page as the one that shows a record of a kind, and as the way in which the menu leads through its
    command."""

    def register(page_type: _Page) -> _Page:
        def show(session: Session, record: Any) -> None:
            page_type(session, record).show()

        show.__module__ = page_type.__module__
        page(kind, page_type.command)(show)
        return page_type

    return register
