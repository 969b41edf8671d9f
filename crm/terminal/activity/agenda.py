"""The agenda on screen: as a list of pages, each entry of which opens what it is about."""

from collections.abc import Sequence
from typing import Any

from crm.commands.activity.agenda import Agenda
from crm.commands.registry import named
from crm.terminal.activity.rendering import ITEMS
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session


class AgendaPage(ListPage):
    """All that needs doing, the most urgent first."""

    title = "What needs doing"
    purpose = "Follow-ups, birthdays, deals and invoices appear here when they are due."
    columns = ITEMS
    command = "agenda"
    result: Agenda

    def listed(self) -> Sequence[Any]:
        return self.result.items

    def count(self) -> int:
        return self.result.count

    def nothing(self, keys: Sequence[Choice]) -> str:
        return "Nothing needs doing."

    def narrowed(self) -> str:
        return super().narrowed() or "everyone's"

    def keys(self) -> Sequence[Choice]:
        return [self.mine_key()]

    def open(self, row: Any) -> None:
        self.session.open(row.record or row.client)


@flow("agenda")
def agenda(session: Session, **_: Any) -> None:
    """Open the first screen, which has the agenda with the rest of the day."""
    session.start(named("today"))
