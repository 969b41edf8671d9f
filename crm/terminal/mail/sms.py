"""A text message written at the menu: from a template or a blank page, looked at, and sent."""

from collections.abc import Sequence
from typing import Any

from crm.commands.mail.merge_fields import ProseWithFields
from crm.commands.mail.messages import MessageCard
from crm.commands.mail.outbox import refuse_unsendable
from crm.commands.mail.sms import LONGEST
from crm.commands.mail.templates import of_channel
from crm.model import Client, Template
from crm.terminal.console.keyboard import Back, FormPlace
from crm.terminal.mail.composing import ComposingSteps
from crm.terminal.mail.sending_results import tell_tried
from crm.terminal.mail.services import set_up_first
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.record_actions import chosen_client
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Step

_TITLE = "Write an SMS"
_CHECK = ProseWithFields(LONGEST)
_HELP = "with fields like {first_name}"


@flow("sms send")
def write(session: Session, client: Client | None = None, to: str = "", **_: Any) -> None:
    """The client, what to begin with, and the text; then a look at it, and off it goes."""
    # Nobody writes what cannot be sent.
    set_up_first(session, "sms")
    refuse_unsendable(session.crm, "sms")
    client = chosen_client(session, client, *session.path_to(_TITLE, "email"))
    with session.crm.read() as snapshot:
        templates = of_channel(snapshot, "sms")
    tell_tried(session, _Steps(session, client, templates, to).go())


class _Steps(ComposingSteps[MessageCard]):
    """The steps of a text message."""

    def __init__(self, session: Session, client: Client, templates: Sequence[Template], to: str) -> None:
        super().__init__(session, session.path_to(_TITLE, "email", client.name), templates)
        self._client = client
        self._to = to
        self._text = ""

    def texts(self) -> Sequence[Step]:
        return [self._ask_text]

    def is_written(self) -> bool:
        return bool(self._text)

    def _ask_text(self) -> None:
        self.session.page(*self.crumbs)
        try:
            self._text = self.session.prompts.value(
                "Text", _CHECK, help=_HELP, typed=self._text, required=True, form=FormPlace(bool(self._templates))
            )
        except Back as left:
            self._text = left.typed or self._text
            raise

    def begin(self, template: Template | None) -> None:
        self._text = template.body if template else ""

    def finish(self) -> MessageCard:
        self.session.page(*self.crumbs)
        sent: MessageCard = self.session.call("sms send", client=self._client, text=self._text, to=self._to)
        return sent
