"""Incoming e-mail at the menu: what was fetched, and the senders whom nobody knows, made clients one by one."""

from collections.abc import Sequence
from typing import Any

from crm.commands.mail.inbox import Fetched, name_in
from crm.commands.mail.inbox.journal import Stranger
from crm.commands.registry import named
from crm.model import Client
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.mail.rendering import STRANGERS
from crm.terminal.mail.services import set_up_first
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.picking import pick
from crm.terminal.toolkit.session import Session


@list_page
class StrangersPage(ListPage):
    """The senders who are no clients, those who wrote last first."""

    title = "Unknown senders"
    purpose = "E-mails from people who are not clients wait here. You can add the sender as a client or ignore them."
    columns = STRANGERS
    command = "email unknown"

    def keys(self) -> Sequence[Choice]:
        return [letters.FETCH(lambda: self.session.tell(_fetched(self.session)))]

    def open(self, row: Any) -> None:
        who: Stranger = row
        session = self.session
        entries = [
            Choice("Add as a new client", lambda: _adopt(session, who)),
            Choice("Add to an existing client", lambda: _adopt_to(session, who)),
            Choice("Ignore this sender", lambda: _ignore(session, who)),
        ]
        session.menu([self.title, who.name or who.address], lambda: entries, once=True)


def _adopt(session: Session, who: Stranger) -> None:
    """Make them a client, by the name that they may correct."""
    session.page("Unknown senders", who.name or who.address, "Add as a new client")
    asked = named("email adopt").parameters["name"]
    name = session.prompts.ask(asked, typed=who.name or name_in(who.address))
    session.tell(session.call("email adopt", address=who.address, name=name))


def _adopt_to(session: Session, who: Stranger) -> None:
    """Give the address to a client who is there already."""
    session.page("Unknown senders", who.name or who.address, "Add to an existing client")
    client: Client | None = pick(session.crm, session.keyboard, Client, "Client")
    if client is None:
        raise Back
    session.tell(session.call("email adopt", address=who.address, client=client))


def _ignore(session: Session, who: Stranger) -> None:
    session.call("email ignore", address=who.address)
    session.say(f"{who.address} is ignored from now on. Their e-mails stay in the mailbox.", "success")


def _fetched(session: Session) -> Fetched:
    fetched: Fetched = session.call("email fetch")
    return fetched


@flow("email fetch")
def fetch(session: Session, **_: Any) -> None:
    """Read the mailbox; where somebody unknown has written, they are shown."""
    set_up_first(session, "mailbox")
    session.page("Fetch e-mail")
    fetched = _fetched(session)
    session.tell(fetched)
    if fetched.unknown:
        StrangersPage(session).show()
