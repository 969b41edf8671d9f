"""The page of a record: its card, read again each time, and what can be done with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Generic, TypeVar, cast

from crm.commands.registry import named
from crm.model import Client, Record
from crm.model.record import AnyRecord
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing.render import show
from crm.terminal.toolkit.letters import Letter
from crm.terminal.toolkit.lists import Listed, Neighbours
from crm.terminal.toolkit.pages import Pieces, page, unless_refused
from crm.terminal.toolkit.session import Session

_Card = TypeVar("_Card")
_Page = TypeVar("_Page", bound="type[RecordPage[Any, Any]]")


class RecordPage(Generic[AnyRecord, _Card]):
    """A record and what can be done with it, until the person goes back. Subclasses say which command gives its card,
    how that is drawn, and what can be done."""

    # The words of the command that gives the card; '' where that is the record, or the page reads it in another way.
    command = ""
    # The commands about the record that have a key.
    lettered: Mapping[str, Letter] = {}
    # The purpose of the page, beside its keys, where it is not what its command says.
    about = ""
    # Left once something was done; an Aside comes back.
    once = False
    # What the command has returned last.
    card: _Card

    def __init__(
        self, session: Session, record: AnyRecord, listed: Listed[AnyRecord] | None = None, at: int = 0
    ) -> None:
        """`listed` and `at` are the list that it was opened from, and its place there: keys lead to its neighbours."""
        self.session = session
        self.place = Neighbours(session, record, listed, at)

    @property
    def record(self) -> AnyRecord:
        """The record that is shown."""
        return self.place.record

    def read(self) -> _Card:
        """The card as it is now; without a command, the record itself."""
        if not self.command:
            return cast(_Card, self.session.crm.get(type(self.record), self.record.id))
        command = named(self.command)
        card: _Card = command(self.session.crm, **{command.required_subject.name: self.record})
        return card

    def current(self) -> AnyRecord:
        """The record in the card: the card itself, or what it has by the name that its command gives the record."""
        card: Any = self.card
        record = card if isinstance(card, Record) else getattr(card, named(self.command).required_subject.name)
        return cast(AnyRecord, record)

    def crumbs(self) -> Sequence[str]:
        """The breadcrumbs above the card: the kind of the record, and what it is called."""
        record = self.record
        called = str(getattr(record, record.about.called)) if record.about.called else ""
        return [record.nouns.capitalize(), called or f"{record.noun.capitalize()} {record.id}"]

    def draw(self) -> None:
        """Draw the card, as what its command gives is drawn everywhere."""
        show(self.session.screen, self.card, self.session.conventions)

    def draw_above(self) -> None:
        """Draw what is above the entries: the card and a blank line."""
        self.draw()
        self.session.screen.print()

    def entries(self) -> Sequence[Choice]:
        """The actions that the record allows as it is."""
        raise NotImplementedError

    def beside(self) -> Pieces:
        """The panel beside the entries in a wide window; () for a page without it."""
        return ()

    def _entries(self) -> Sequence[Choice]:
        entries = self.entries()
        if not self.session.screen.side or type(self).beside is RecordPage.beside:
            return entries
        drawn = cache(lambda: unless_refused(self.beside))
        return [entry if entry.card else replace(entry, card=drawn) for entry in entries]

    def keys(self) -> Sequence[Choice]:
        """The keys of the page; their values are actions."""
        lettered = [letter(self.starts(words)) for words, letter in self.lettered.items() if self._offers(words)]
        return [*self.place.choices(), *lettered]

    def _offers(self, words: str) -> bool:
        return self.session.offers(named(words))

    def starts(self, words: str, **arguments: Any) -> Callable[[], None]:
        """The action that leads through a command that takes the record, or several of its kind."""
        command = named(words)
        subject = command.parameter_of(type(self.record))
        return lambda: self.session.start(
            command, **{subject.name: [self.record] if subject.many else self.record, **arguments}
        )

    def show(self) -> None:
        """Show the page until the person goes back, or the record is gone. Raises NotFoundError where it was gone
        before."""

        session = self.session
        before = session.client_number

        def read() -> Sequence[str]:
            self.card = self.read()
            record = self.place.record = self.current()
            # What is asked from here on has its client beside it.
            session.client_number = record.id if isinstance(record, Client) else getattr(record, "client", 0)
            return self.crumbs()

        try:
            about = self.about or (named(self.command).summary if self.command else "")
            session.menu(read, self._entries, above=self.draw_above, keys=self.keys, about=about, once=self.once)
        finally:
            session.client_number = before


def record_page(kind: type[Record]) -> Callable[[_Page], _Page]:
    """Register a page as the one that shows a record of a kind, and as the way in which the menu leads through its
    command."""

    def register(page_type: _Page) -> _Page:
        def show(session: Session, record: Any, **around: Any) -> None:
            page_type(session, record, **around).show()

        show.__module__ = page_type.__module__
        page(kind, page_type.command)(show)
        return page_type

    return register
