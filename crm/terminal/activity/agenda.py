"""What needs doing, on screen: in lines, as a list of pages, and each thing opened."""

from collections.abc import Sequence
from typing import Any

from crm.commands.activity.agenda import Agenda, AgendaItem
from crm.commands.registry import named
from crm.terminal.activity.rendering import ITEMS
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session


def item_line(item: AgendaItem, *, whose: bool) -> str:
    """An item on one line, its urgency first; `whose` says who is to do it."""
    told = f"{item.why}: {item.what} ({item.client.name})"
    return told + (f", {item.person}" if whose and item.person else "")


def open_item(session: Session, item: AgendaItem) -> None:
    """Opens what an item is about. Raises Back."""
    session.open(item.record or item.client)


class AgendaPage(ListPage):
    """All that needs doing, the most urgent first."""

    title = "What needs doing"
    columns = ITEMS

    def __init__(self, session: Session, *, mine: bool) -> None:
        super().__init__(session)
        self.mine = mine
        self._listed = Agenda([], 0, 0)

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        self._listed = named("agenda")(self.session.crm, self.mine, limit, offset)
        return self._listed.items

    def count(self) -> int:
        return self._listed.count

    def narrowed(self) -> str:
        return "mine" if self.mine else "everybody's"

    def keys(self) -> Sequence[Choice]:
        return [Choice("Everybody's" if self.mine else "Mine", self._turn, "e")]

    def _turn(self) -> None:
        self.mine, self.offset = not self.mine, 0

    def open(self, row: Any) -> None:
        open_item(self.session, row)


@flow("agenda")
def agenda(session: Session, **_: Any) -> None:
    """What needs doing stands on the first screen, with the rest of the day."""
    session.start(named("today"))
