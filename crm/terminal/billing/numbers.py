"""The numbers of invoices at the menu: each series with its pattern, which opens to be changed."""

from typing import Any

from crm.commands.registry import named
from crm.terminal.billing.rendering import SERIES
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
