"""The timeline of a client at the menu: a page at a time, narrowed by kind, each entry opened by its number."""

from collections.abc import Sequence
from typing import Any

from crm.commands.activity.timeline import Timeline
from crm.commands.registry import named
from crm.commands.timeline_entries import START, Entry, Place
from crm.commands.timeline_sources import kinds
from crm.model import BY_NAME, INTERACTIONS, Client
from crm.terminal.activity.rendering import LISTED_ENTRIES, entry_side
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, Neighbours
from crm.terminal.toolkit.pages import Pieces, flow, unless_refused
from crm.terminal.toolkit.record_actions import chosen_client
from crm.terminal.toolkit.session import Session

_INTERACTIONS = tuple(INTERACTIONS)
# The fields with a text of their own.
_TEXTS = ("body", "notes", "note")


class TimelinePage(ListPage):
    """The timeline of a client, and from there the clients beside it in the list that it was opened from."""

    plural = "entries"
    purpose = "The timeline shows what happened with a client: sales, calls, e-mails, invoices and follow-ups."
    columns = LISTED_ENTRIES

    def __init__(self, session: Session, place: Neighbours[Client]) -> None:
        super().__init__(session)
        self.place = place
        self.only: tuple[str, ...] = ()
        # Where the pages begin that were turned to so far, by how many entries are before; and of what.
        self._begin: dict[int, Place] = {}
        self._of: object = None

    @property
    def title(self) -> str:  # type: ignore[override]
        """The client's name: there is no other list with a name of its own."""
        return self.place.record.name

    def crumbs(self) -> Sequence[str]:
        return ["Clients", self.title, "Timeline"]

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        if self._of != (of := (self.place.record.id, self.only)):
            self._of, self._begin = of, {0: START}
        known = max(start for start in self._begin if start <= offset)
        begin, passed = self._begin[known], offset - known
        page: Timeline = named("timeline")(
            self.session.crm, self.place.record, self.only, passed + limit, 0, str(begin)
        )
        # One more is asked for than the page shows.
        self._begin[offset + limit - 1] = begin.after(page.entries[: passed + limit - 1])
        return page.entries[passed:]

    def narrowed(self) -> str:
        return ", ".join(kinds()[kind] for kind in self.only)

    def widen(self) -> bool:
        narrowed, self.only = bool(self.only), ()
        return narrowed

    def keys(self) -> Sequence[Choice]:
        log = letters.LOG(lambda: self.session.start(named("interactions add"), client=self.place.record))
        steps = [Choice(choice.label, self._from_the_top(choice.value), choice.key) for choice in self.place.choices()]
        return [letters.FILTER(self._filter), log, *steps]

    def _from_the_top(self, step: Any) -> Any:
        def stepped() -> None:
            step()
            self.offset = 0

        return stepped

    def _filter(self) -> None:
        entries: list[Choice] = [Choice("Calls, meetings, e-mails, SMS and notes", _INTERACTIONS)]
        entries += [Choice(several[:1].upper() + several[1:], (kind,)) for kind, several in kinds().items()]
        if self.only:
            entries.append(Choice("Show all again", ()))
        self.only = self.session.keyboard.choose("Show only:", entries, at=self.only)
        self.offset = 0

    def card(self, row: Any) -> Pieces:
        return unless_refused(lambda: _beside(self.session, row))

    def open(self, row: Any) -> None:
        open_entry(self.session, row)


def _beside(session: Session, entry: Entry) -> Pieces:
    """An entry beside the list, with the text of the record that it is about."""
    text = ""
    if entry.record and entry.transaction is None:
        record = session.crm.get(BY_NAME[entry.record], entry.id)
        text = next((getattr(record, name) for name in _TEXTS if getattr(record, name, "")), "")
    return entry_side(session.screen, entry, session.conventions, "" if text in entry.what else text)


def open_entry(session: Session, entry: Entry) -> None:
    """Go to what an entry is about: the record, or the change in the history. Raises Back and NotFoundError."""
    if entry.transaction is not None:
        session.start(named("history show"), transaction=entry.transaction)
        return
    record = session.crm.get(BY_NAME[entry.record], entry.id)
    session.open(record)


@flow("timeline")
def timeline(session: Session, client: Client | None = None, place: Neighbours[Client] | None = None, **_: Any) -> None:
    """The timeline of a client, and of those beside it in the list where its `place` is known."""
    TimelinePage(session, place or Neighbours(session, chosen_client(session, client, "Clients", "Timeline"))).show()
