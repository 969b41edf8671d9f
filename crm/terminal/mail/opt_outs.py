"""Opt-outs at the menu: listed, added, and lifted with a reason."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from crm.commands.registry import may_run, named
from crm.model import OptOut
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing.render import show
from crm.terminal.mail.rendering import OPT_OUTS
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import page
from crm.terminal.toolkit.session import Session


@list_page
class OptOutsPage(ListPage):
    """The opt-outs by address."""

    title = "Opt-outs"
    columns = OPT_OUTS
    command = "opt-outs list"

    def count(self) -> int:
        return len(self.result)

    def keys(self) -> Sequence[Choice]:
        return [letters.NEW(lambda: self.session.start(named("opt-outs add")), "opt-out")]

    def open(self, row: Any) -> None:
        opt_out_page(self.session, row)


@page(OptOut)
def opt_out_page(session: Session, opt_out: OptOut) -> None:
    """An opt-out, and for an admin the way to lift it."""
    lift = named("opt-outs lift")
    lifts = may_run(lift, session.crm.reader)

    def above() -> None:
        show(session.screen, opt_out, session.crm.conventions)
        session.screen.print()
        if not lifts:
            session.screen.print(Text("An admin can remove it.", "muted"))

    entries = [Choice("Remove the opt-out", lambda: session.start(lift, address=opt_out.address))] if lifts else []
    session.menu(["Opt-outs", opt_out.address], lambda: entries, above=above, once=True)
