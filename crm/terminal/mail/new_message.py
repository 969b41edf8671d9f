"""An e-mail written at the menu: from a template or a blank page, looked at as it will be read, and sent."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from rich.text import Text

from crm.commands.clients.contacts import contacts_of
from crm.commands.mail.composing import Written, previewed
from crm.commands.mail.messages import MessageCard
from crm.commands.mail.outbox import refuse_unsendable
from crm.commands.mail.templates import of_channel
from crm.commands.registry import named
from crm.model import Client, Template
from crm.terminal.console.keyboard import BACK, Back, Choice
from crm.terminal.drawing.screen import clean
from crm.terminal.mail.composing import EmailSteps
from crm.terminal.mail.message_form import MessageForm
from crm.terminal.mail.rendering import draw_preview
from crm.terminal.mail.sending_results import tell_tried
from crm.terminal.mail.services import set_up_first
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.record_actions import chosen_client
from crm.terminal.toolkit.session import Session

_TITLE = "Write an e-mail"
# Below a preview stand a blank line, its entries, the way back and the hint.
_BELOW = 5


@flow("email send")
def write(session: Session, client: Client | None = None, to: Sequence[str] = (), **_: Any) -> None:
    """The client, what to begin with, the texts; then whatever else, a look at it, and off it goes."""
    # Nobody writes what cannot be sent.
    set_up_first(session, "email")
    refuse_unsendable(session.crm)
    client = chosen_client(session, client, *session.path_to(_TITLE, "email"))
    with session.crm.read() as snapshot:
        reader = snapshot.get(Client, client.id)
        form = MessageForm(session, reader, contacts_of(snapshot, reader), to)
        templates = of_channel(snapshot, "email")
    if not (form.people() or to):
        session.say(f"{reader.name} has no e-mail address yet. Enter one under To.", "warning")
    tell_tried(session, _Steps(session, reader, form, templates).go())


class _Steps(EmailSteps[MessageCard]):
    """The steps of an e-mail to one client."""

    def __init__(self, session: Session, client: Client, form: MessageForm, templates: Sequence[Template]) -> None:
        super().__init__(session, session.path_to(_TITLE, "email", client.name), templates, form)
        self._client = client

    def send(self) -> MessageCard:
        session, answers = self.session, self.form.answers()
        with session.crm.read() as snapshot:
            preview = previewed(session.crm, snapshot, Written(client=self._client, **answers))
        crumbs = (*self.crumbs, "Preview")
        while True:
            session.page(*crumbs)
            whole = draw_preview(session.screen, preview, session.screen.left - _BELOW)
            session.screen.print()
            more = [] if whole else [Choice("Show full text", "read")]
            entries = [Choice("Send", "send"), *more]
            if session.keyboard.choose("", entries, back="Keep editing", at=BACK) == "send":
                break
            with suppress(Back):
                session.read(crumbs, partial(draw_preview, session.screen, preview, None))
        session.screen.print(Text(f"Sending to {clean(self._client.name)}", "muted"))
        sent: MessageCard = session.insist(
            lambda: named("email send")(session.crm, client=self._client, yes=True, **answers)
        )
        return sent
