"""Opt-outs at the menu: listed, added, and lifted with a reason."""

from collections.abc import Sequence

from rich.text import Text

from crm.commands.registry import may_run, named
from crm.model import OptOut
from crm.terminal.console.keyboard import Choice
from crm.terminal.mail.rendering import OPT_OUTS
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.record_page import RecordPage, record_page


@list_page
class OptOutsPage(ListPage):
    """The opt-outs by address."""

    title = "Opt-outs"
    purpose = "Addresses and phone numbers listed here get no mailings and greetings."
    columns = OPT_OUTS
    is_by_name = True
    command = "opt-outs list"

    def keys(self) -> Sequence[Choice]:
        return [letters.NEW(self.starts("opt-outs add"), "opt-out")]


@record_page(OptOut)
class OptOutPage(RecordPage[OptOut, OptOut]):
    """An opt-out, and for an admin the way to lift it."""

    once = True

    def draw_above(self) -> None:
        super().draw_above()
        if not self._lifts():
            self.session.screen.print(Text("An admin can remove it.", "muted"))

    def entries(self) -> Sequence[Choice]:
        lift, address = named("opt-outs lift"), self.record.address
        return (
            [Choice("Remove the opt-out", lambda: self.session.start(lift, address=address))] if self._lifts() else []
        )

    def _lifts(self) -> bool:
        return may_run(named("opt-outs lift"), self.session.crm.reader)
