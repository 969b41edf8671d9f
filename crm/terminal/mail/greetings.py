"""Greetings at the menu: the standing orders, and what is due, shown before it is sent."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from crm.commands.mail.greetings import Due, Occasion
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing.render import show
from crm.terminal.mail.rendering import OCCASIONS
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session


@list_page
class GreetingsPage(ListPage):
    """The standing orders by name."""

    title = "Greetings"
    purpose = "A greeting is an e-mail that each client gets once a year, such as on their birthday."
    columns = OCCASIONS
    command = "occasions list"

    def keys(self) -> Sequence[Choice]:
        return [
            letters.NEW(self.starts("occasions add"), "greeting"),
            letters.MAIL(lambda: due(self.session), "those due"),
        ]

    def open(self, row: Any) -> None:
        session = self.session
        order: Occasion = row

        def above() -> None:
            show(session.screen, order, session.crm.conventions)
            session.screen.print()

        remove = partial(self._remove, order)
        entries, keys = [Choice("Remove it", remove)], [letters.REMOVE(remove)]
        session.menu([self.title, order.mailing.name], lambda: entries, above=above, keys=keys, once=True)

    def _remove(self, order: Occasion) -> None:
        session = self.session
        session.confirm(f"Remove {order.mailing.name}? Messages already sent are kept.", "Remove", destructive=True)
        session.call("occasions remove", name=order.mailing.name)
        session.done(f"Removed {order.mailing.name}.")


@flow("email due")
def due(session: Session, **_: Any) -> None:
    """Show who is greeted now, and confirm."""
    report: Due = session.call("email due", dry_run=True)
    session.page("Greetings", "Due")
    show(session.screen, report, session.crm.conventions)
    if not (report.greetings or report.waiting):
        session.keyboard.pause()
        return
    session.screen.print()
    session.confirm("Send this now?", "Send", destructive=True)
    session.tell(session.call("email due"))
