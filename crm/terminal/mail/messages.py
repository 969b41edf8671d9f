"""E-mails and text messages at the menu: listed, opened, sent again and cancelled."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.mail.messages import SENT_AGAIN, MessageCard, text_of
from crm.commands.registry import named
from crm.model import CHANNELS, STATES, Message
from crm.terminal.console.keyboard import Choice
from crm.terminal.mail.rendering import MESSAGE_COLUMNS, draw_message, draw_text, kind_of, message_side
from crm.terminal.mail.sending_results import tell_tried
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.client_lists import ClientListPage
from crm.terminal.toolkit.lists import list_page
from crm.terminal.toolkit.pages import flow, record_flow
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import Session

# In the order in which they are in the menu of filters.
_FILTERS: Mapping[str, str] = {
    "state": "Status", "client": "Client", "direction": "Sent or received", "channel": "E-mail or SMS",
    "since": "From date", "until": "To date", "text": "Text",
}  # fmt: skip
_WORDS: Mapping[str, str] = {**STATES, **CHANNELS, "out": "to clients", "in": "from clients"}
# Below a message stand a blank line, its entries, the way back and the hint.
_BELOW = 7


@list_page
class MessagesPage(ClientListPage):
    """The messages to and from clients, the newest first: of all clients, of one, or of a mailing."""

    title = "E-mail"
    plural = "messages"
    purpose = "Messages to clients and from them are kept here, and in the timeline of each client."
    adds = "writes one"
    command = "email list"
    filter_by = _FILTERS
    before, after = MESSAGE_COLUMNS[:4], MESSAGE_COLUMNS[4:]

    def filter_text(self, name: str, value: Any) -> str:
        if name == "text":
            return f"with {value}"
        return _WORDS[value] if isinstance(value, str) and value in _WORDS else super().filter_text(name, value)

    def card(self, row: Message) -> Sequence[tuple[str, str]]:
        by = self.session.conventions
        return message_side(self.session.screen, row, self.client_name(row), by)

    def keys(self) -> Sequence[Choice]:
        write = letters.NEW(self.starts("email send"), "e-mail")
        texts = [
            letter(lambda words=words: self.session.start(named(words)))
            for letter, words in ((letters.MAILINGS, "mailings list"), (letters.TEMPLATES, "templates list"))
            if "client" not in self.filters and self.session.offers(named(words))
        ]
        # With messages, the filter is named before the last of them: a narrow window has no room for both.
        place = 1 if self.drawn else len(texts)
        return [write, *texts[:place], self.filter_key(), *texts[place:], self.mine_key()]


@record_page(Message)
class MessagePage(RecordPage[Message, MessageCard]):
    """A message with its text, and what can be done with it."""

    command = "email show"
    _is_whole = True

    def crumbs(self) -> Sequence[str]:
        return ["Clients", self.card.client.name, kind_of(self.record)]

    def draw(self) -> None:
        screen = self.session.screen
        self._is_whole = draw_message(screen, self.card, self.session.conventions, screen.left - _BELOW)

    def entries(self) -> Sequence[Choice]:
        record, client = self.record, self.card.client
        listed = [] if self._is_whole else [Choice("Show full text", lambda: _read(self.session, record))]
        if record.direction == "out" and record.state == "queued":
            listed.append(Choice("Cancel", self.starts("email cancel"), instant=True))
        listed.append(Choice("Open the client", lambda: self.session.open(client)))
        if record.direction == "out" and record.state in SENT_AGAIN:
            # Not the first, which Enter chooses.
            listed.append(Choice("Send again", self.starts("email again")))
        return listed


def _read(session: Session, message: Message) -> None:
    session.read(session.path_to(message.subject), lambda: draw_text(session.screen, text_of(message)))


@flow("email outbox")
def send_waiting(session: Session, **arguments: Any) -> None:
    """Send what is queued; what is to become of the messages of a copied spreadsheet, the command asks by itself."""
    session.lead(named("email outbox"), **{"copied": "", **arguments})


@record_flow("email again")
def again(session: Session, message: Message) -> None:
    """A message that was not sent, tried once more."""
    tell_tried(session, session.call("email again", message=message))


@record_flow("email cancel")
def cancel(session: Session, message: Message) -> None:
    """A message that is queued, taken out of the outbox."""
    session.call("email cancel", message=message)
    session.done("Cancelled. “Send again” sends it anyway.")
