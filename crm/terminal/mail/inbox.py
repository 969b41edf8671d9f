"""Incoming e-mail at the menu: what was fetched, and the senders whom nobody knows, made clients one by one."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from crm.commands.mail.inbox import Adopted, Fetched, name_in
from crm.commands.mail.inbox.journal import Stranger
from crm.commands.registry import named
from crm.model import Client, Conventions
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.drawing import tables
from crm.terminal.drawing.render import drawn
from crm.terminal.drawing.screen import Screen, data
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.picking import pick_client
from crm.terminal.toolkit.session import Session

STRANGERS: Sequence[tables.Column] = (
    tables.Column("Last", lambda each, by: data(by.day_of(each.at), "dim"), 2),
    tables.Column("From", lambda each, _: data(each.address, "bold"), 0, 14),
    tables.Column("Name", lambda each, _: data(each.name), 1, 8),
    tables.Column("E-mails", lambda each, by: data(by.number(each.messages)), 4, right=True),
    tables.Column("About", lambda each, _: data(each.subject, "dim"), 3, 10),
)
tables.COLUMNS[Stranger] = STRANGERS
# So many of what could not be read are told on screen.
_TOLD = 5


class StrangersPage(ListPage):
    """Who has written and is no client, those who wrote last first."""

    title = "Unknown senders"
    columns = STRANGERS

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._listed: Sequence[Stranger] = []

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        self._listed = named("email unknown")(self.session.crm)
        return self._listed[offset : offset + limit]

    def count(self) -> int:
        return len(self._listed)

    def keys(self) -> Sequence[Choice]:
        return [Choice("Fetch", lambda: self.session.tell(_fetched(self.session)), "f")]

    def open(self, row: Any) -> None:
        who: Stranger = row
        session = self.session
        chosen = session.keyboard.choose(
            f"{who.name or who.address}:",
            [
                Choice("Make a client", lambda: _adopt(session, who)),
                Choice("Add to a client", lambda: _adopt_to(session, who)),
                Choice("Leave out from now on", lambda: _ignore(session, who)),
            ],
        )
        chosen()


def _adopt(session: Session, who: Stranger) -> None:
    """Makes them a client, by the name that they may correct."""
    session.page(who.address, "Make a client")
    asked = named("email adopt").parameters["name"]
    name = session.prompts.ask(asked, typed=who.name or name_in(who.address))
    session.tell(session.call("email adopt", address=who.address, name=name))


def _adopt_to(session: Session, who: Stranger) -> None:
    """Gives the address to a client who is there already."""
    session.page(who.address, "Add to a client")
    client: Client | None = pick_client(session.crm, session.keyboard, "Client")
    if client is None:
        raise Back
    session.tell(session.call("email adopt", address=who.address, client=client))


def _ignore(session: Session, who: Stranger) -> None:
    session.call("email ignore", address=who.address)
    session.say(f"{who.address} is left out from now on; what they write stays in the mailbox.", "green")


def _fetched(session: Session) -> Fetched:
    fetched: Fetched = session.call("email fetch")
    return fetched


@flow("email fetch")
def fetch(session: Session, **_: Any) -> None:
    """Reads the mailbox; where somebody unknown has written, they are shown."""
    session.page("Fetch e-mail")
    fetched = _fetched(session)
    session.tell(fetched)
    if fetched.unknown:
        StrangersPage(session).show()


@flow("email unknown")
def unknown(session: Session, **_: Any) -> None:
    """The list of unknown senders."""
    StrangersPage(session).show()


def _counted(count: int, by: Conventions, one: str, several: str) -> str:
    return f"{by.number(count)} {one if count == 1 else several}"


@drawn.register
def _(result: Fetched, screen: Screen, by: Conventions) -> None:
    told = _counted(result.filed, by, "e-mail", "e-mails")
    screen.print(Text(f"{screen.sign('✓', 'OK:')} Filed {told} with their clients.", "green"))
    if result.bounced:
        told = _counted(len(result.bounced), by, "e-mail of ours was", "e-mails of ours were")
        screen.print(Text(f"{told} given up by a mail server:", "bold red"))
        for each in result.bounced[:_TOLD]:
            screen.print(data(f"{each.subject}: {each.failure}"))
    for client in result.opted_out:
        screen.print(data(f"{client.name} wants no mailings any more.", "yellow"))
    left = [
        (result.known, "is filed already", "are filed already"),
        (result.automatic, "was written by no person", "were written by no person"),
        (result.nobodys, "names no client", "name no client"),
    ]
    if others := [_counted(count, by, one, several) for count, one, several in left if count]:
        screen.print(Text(f"Not filed: {', '.join(others)}.", "dim"))
    for problem in result.unreadable[:_TOLD]:
        screen.print(data(problem, "yellow"))
    if len(result.unreadable) > _TOLD:
        screen.print(Text(f"and {by.number(len(result.unreadable) - _TOLD)} more that cannot be read", "yellow"))
    if result.stopped:
        screen.print(data(f"{result.stopped} The rest is read next time.", "bold red"))
    if result.unknown:
        screen.print(Text(f"Unknown senders: {by.number(len(result.unknown))}", "bold"))


@drawn.register
def _(result: Adopted, screen: Screen, by: Conventions) -> None:
    who = f"{result.contact.name}, contact of {result.client.name}" if result.contact else result.client.name
    filed = _counted(result.filed, by, "e-mail", "e-mails")
    screen.print(data(f"{screen.sign('✓', 'OK:')} {who}; filed {filed}.", "green"))
    if result.stopped:
        screen.print(data(f"{result.stopped} They are filed when e-mail is fetched next.", "yellow"))
