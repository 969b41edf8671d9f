"""Numbers of invoices and levels of reminders at the menu: each opens to be changed."""

from collections.abc import Sequence
from typing import Any

from crm.commands.registry import named
from crm.terminal.billing.rendering import LEVELS, SERIES
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, list_page


@list_page
class NumbersPage(ListPage):
    """The series of numbers."""

    title = "Numbers"
    command = "numbers show"
    columns = SERIES

    def open(self, row: Any) -> None:
        if not self.session.offers(named("numbers set")):
            self.session.say("Only an admin can change the numbers.")
            return
        self.session.start(named("numbers set"), series=row.name)


@list_page
class LevelsPage(ListPage):
    """The levels of reminders."""

    title = "Levels of reminders"
    command = "reminders levels list"
    columns = LEVELS

    def keys(self) -> Sequence[Choice]:
        if not self.session.offers(named("reminders levels set")):
            return []
        return [letters.REMOVE(self._remove, "the last level")]

    def open(self, row: Any) -> None:
        if not self.session.offers(named("reminders levels set")):
            self.session.say("Only an admin can change the levels.")
            return
        self.session.start(named("reminders levels set"), level=row.number)

    def _remove(self) -> None:
        last = named("reminders levels list")(self.session.crm)[-1]
        self.session.start(named("reminders levels remove"), level=last.number)
