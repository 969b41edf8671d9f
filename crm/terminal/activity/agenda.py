"""The agenda on screen: as a list of pages, each entry of which opens what it is about."""

from collections.abc import Sequence
from typing import Any

from crm.commands.activity.agenda import Agenda, AgendaItem
from crm.commands.registry import named
from crm.terminal.activity.rendering import ITEMS
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session

# What is to be done keeps so many columns before its urgency is left out.
_LEAST_WHAT = 22


def item_line(screen: Screen, item: AgendaItem, width: int, *, whose: bool, late: bool) -> str:
    """An item on one line of `width` columns, its urgency first; `whose` says who is to do it. Where it does not fit,
    the urgency gives way, then the end of what is to be done: the client is named in any case."""
    who = f" ({item.client.name})" + (f", {item.person}" if whose and item.person else "")
    why = f"{item.why[:1].upper()}{item.why[1:]}"
    for urgency in (why, why.partition(",")[0]):
        if screen.plain or screen.measure(f"{urgency}: {item.what}{who}") <= width:
            return f"{urgency}: {item.what}{who}"
    before = f"{why.partition(',')[0]}: "
    if width - screen.measure(before + who) < _LEAST_WHAT:
        before = "! " if late else ""
    room = width - screen.measure(before + who)
    # A very long name is cut as well.
    what = screen.fit(item.what, max(room, _LEAST_WHAT // 2))
    return screen.fit(f"{before}{what}{who}", width)


def open_item(session: Session, item: AgendaItem) -> None:
    """Open what an item is about. Raises Back."""
    session.open(item.record or item.client)


class AgendaPage(ListPage):
    """All that needs doing, the most urgent first."""

    title = "What needs doing"
    columns = ITEMS
    command = "agenda"
    result: Agenda

    def listed(self) -> Sequence[Any]:
        return self.result.items

    def count(self) -> int:
        return self.result.count

    def narrowed(self) -> str:
        return super().narrowed() or "everyone's"

    def keys(self) -> Sequence[Choice]:
        return [self.mine_key()]

    def open(self, row: Any) -> None:
        open_item(self.session, row)


@flow("agenda")
def agenda(session: Session, **_: Any) -> None:
    """The agenda stands on the first screen, with the rest of the day."""
    session.start(named("today"))
