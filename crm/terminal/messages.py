"""E-mails and text messages at the menu: listed, opened, sent again and cancelled."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from crm.commands.messages import SENT_AGAIN, MessageCard, text_of
from crm.commands.registry import named
from crm.model import CHANNELS, STATES, Client, Mailing, Message
from crm.repository import Query
from crm.terminal import tables
from crm.terminal.keyboard import Choice
from crm.terminal.lists import ListPage
from crm.terminal.message_cards import MESSAGE_COLUMNS, draw_message, draw_text, kind_of, sent_line
from crm.terminal.screen import data
from crm.terminal.session import Session, flow

# In the order in which they stand in the menu of filters.
_FILTERS: Mapping[str, str] = {
    "state": "A state", "client": "A client", "direction": "To or from clients", "channel": "E-mail or SMS",
    "since": "Since a day", "until": "Until a day", "text": "A text",
}  # fmt: skip
_DIRECTIONS = {"out": "to clients", "in": "from clients"}
# Below a message stand a blank line, its entries, the way back and the hint.
_BELOW = 7


class MessagesPage(ListPage):
    """What was written to clients and received from them, the newest first: of all clients, of one, or of a mailing."""

    title = "E-mails and texts"

    def __init__(self, session: Session, **filters: Any) -> None:
        super().__init__(session)
        self.filters: dict[str, Any] = filters
        self.mine = False
        self._clients: dict[int, str] = {}
        client = tables.Column("Client", lambda each, _: data(self._clients.get(each.client, "")), 2, 8)
        self.columns = (*MESSAGE_COLUMNS[:4], client, *MESSAGE_COLUMNS[4:])

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        listed: list[Message] = named("email list")(
            self.session.crm, mine=self.mine, limit=limit, offset=offset, **self.filters
        )
        with self.session.crm.read() as snapshot:
            wanted = sorted({each.client for each in listed})
            clients = snapshot.find_all(Client, Query({"id": wanted})) if wanted else []
        self._clients = {each.id: each.name for each in clients}
        return listed

    def narrowed(self) -> str:
        by = self.session.crm.conventions
        told = ["mine"] if self.mine else []
        words = STATES | CHANNELS | _DIRECTIONS
        for name, value in self.filters.items():
            match value:
                case Client() | Mailing():
                    told.append(value.name)
                case date():
                    told.append(f"{name} {by.day(value)}")
                case _:
                    told.append(words.get(value, str(value)) if name != "text" else f"with {value}")
        return ", ".join(told)

    def widen(self) -> bool:
        narrowed = bool(self.filters or self.mine)
        self.filters, self.mine = {}, False
        return narrowed

    def keys(self) -> Sequence[Choice]:
        return [
            Choice("Filter", self._filter, "f"),
            Choice("Everybody's" if self.mine else "Mine", self._turn, "e"),
            Choice("Write", lambda: self.session.start(named("email send"), **self._whom()), "w"),
        ]

    def _whom(self) -> dict[str, Any]:
        return {"client": self.filters["client"]} if "client" in self.filters else {}

    def _turn(self) -> None:
        self.mine, self.offset = not self.mine, 0

    def _filter(self) -> None:
        entries = [Choice(label, name) for name, label in _FILTERS.items()]
        if self.narrowed():
            entries.append(Choice("Show all again", "", "x"))
        name = self.session.keyboard.choose("Filter by:", entries)
        if not name:
            self.widen()
        elif value := self.session.prompts.ask(named("email list").parameters[name]):
            self.filters[name] = value
        else:
            self.filters.pop(name, None)
        self.offset = 0

    def open(self, row: Any) -> None:
        message_page(self.session, row)


@flow("email list")
def list_messages(session: Session, client: Client | None = None, mailing: Mailing | None = None, **_: Any) -> None:
    """The list of messages, of one client or one mailing where it is named."""
    filters = {name: value for name, value in (("client", client), ("mailing", mailing)) if value}
    MessagesPage(session, **filters).show()


@flow("email show")
def show(session: Session, message: Message | None = None, **_: Any) -> None:
    """The page of a message."""
    message_page(session, message or session.prompts.ask(named("email show").parameters["message"]))


def message_page(session: Session, message: Message) -> None:
    """A message with its text, and what can be done with it, until the person goes back."""
    from crm.terminal.clients import client_page

    seen: dict[str, Any] = {}

    def crumbs() -> list[str]:
        card: MessageCard = named("email show")(session.crm, message=message)
        seen["card"] = card
        return [card.client.name, kind_of(card.message)]

    def above() -> None:
        screen = session.screen
        seen["whole"] = draw_message(screen, seen["card"], session.crm.conventions, screen.left - _BELOW)
        screen.print()

    def entries() -> list[Choice]:
        record, client = seen["card"].message, seen["card"].client
        listed = [] if seen["whole"] else [Choice("Read all of it", lambda: _read(session, record), "r")]
        if record.direction == "out" and record.state in SENT_AGAIN:
            listed.append(Choice("Send again", lambda: again(session, record), "a"))
        if record.direction == "out" and record.state == "queued":
            listed.append(Choice("Cancel", lambda: cancel(session, record)))
        return [*listed, Choice("Open the client", lambda: client_page(session, client))]

    session.menu(crumbs, entries, above=above)


def _read(session: Session, message: Message) -> None:
    session.page(kind_of(message), message.subject)
    draw_text(session.screen, text_of(message))
    session.keyboard.pause()


@flow("email again")
def again(session: Session, message: Message | None = None, **_: Any) -> None:
    """A message that was not sent, tried once more."""
    message = message or session.prompts.ask(named("email again").parameters["message"])
    tell_tried(session, session.call("email again", message=message))


@flow("email cancel")
def cancel(session: Session, message: Message | None = None, **_: Any) -> None:
    """A message that is queued, taken out of the outbox."""
    message = message or session.prompts.ask(named("email cancel").parameters["message"])
    session.call("email cancel", message=message)
    session.say(f"{session.screen.sign('✓', 'OK:')} Cancelled. “Send again” sends it all the same.", "green")


def tell_tried(session: Session, card: MessageCard) -> None:
    """Says on the next page what became of a message that was just tried."""
    told, style = sent_line(card)
    sign = {"green": session.screen.sign("✓", "OK:"), "red": session.screen.sign("✗", "!")}.get(style, "!")
    session.say(f"{sign} {told}", style)
