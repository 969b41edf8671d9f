"""An e-mail written at the menu: from a template or a blank page, looked at as it will be read, and sent."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from crm.commands.contacts import contacts_of
from crm.commands.drafting import Written, previewed
from crm.commands.messages import MessageCard
from crm.commands.outbox import refuse_unsendable
from crm.commands.registry import named
from crm.commands.templates import of_channel
from crm.model import Client, Template
from crm.terminal.keyboard import Back, Choice
from crm.terminal.message_cards import draw_preview
from crm.terminal.messages import tell_tried
from crm.terminal.picking import pick_client, pick_listed
from crm.terminal.screen import clean
from crm.terminal.session import Session, flow
from crm.terminal.writing_form import WritingForm

_TITLE = "Write an e-mail"
# Below a preview stand a blank line, its entries, the way back and the hint.
_BELOW = 5


@flow("email send")
def write(session: Session, client: Client | None = None, to: Sequence[str] = (), **_: Any) -> None:
    """The client, what to begin with, the texts; then whatever else, a look at it, and off it goes."""
    # Nobody writes what cannot be sent.
    refuse_unsendable(session.crm)
    if client is None:
        session.page(_TITLE)
        client = pick_client(session.crm, session.keyboard, "Client")
    if client is None:
        raise Back
    with session.crm.read() as snapshot:
        reader = snapshot.get(Client, client.id)
        form = WritingForm(session, reader, contacts_of(snapshot, reader), to)
        templates = of_channel(snapshot, "email")
    if not (form.people() or to):
        session.say(f"{reader.name} has no e-mail address yet; name one under To.", "yellow")
    tell_tried(session, _Steps(session, reader, form, templates).go())


class _Steps:
    """What is asked one after the other; Esc goes back to the step before, with all that was filled in."""

    def __init__(self, session: Session, client: Client, form: WritingForm, templates: Sequence[Template]) -> None:
        self._session = session
        self._client = client
        self._form = form
        self._templates = templates
        self._began_with: Template | None = None

    def go(self) -> MessageCard:
        """The e-mail as it was sent, or is waiting to be. Raises Back and Cancelled."""
        first = self._steps()[0]
        step = first
        while True:
            try:
                self._session.page(self._client.name, _TITLE)
                if step == "template":
                    self._begin()
                elif step == "all":
                    sent: MessageCard = self._form.fill([self._client.name, _TITLE], self._send, saves="Look and send")
                    return sent
                else:
                    self._form.ask_first(step)
                step = self._after(step, 1)
            except Back:
                if step == first:
                    self._leave()
                else:
                    step = self._after(step, -1)

    def _steps(self) -> list[str]:
        """The steps there are: what a template says need not be asked for."""
        begin = ["template"] if self._templates else []
        return [*begin, *(["subject", "body"] if self._began_with is None else []), "all"]

    def _after(self, step: str, by: int) -> str:
        steps = self._steps()
        return steps[steps.index(step) + by]

    def _begin(self) -> None:
        listed: list[tuple[str, Template | None]] = [("A blank page", None)]
        listed += [(f"{each.name}: {each.subject}", each) for each in self._templates]
        chosen: Template | None = pick_listed(
            self._session.keyboard, "Begin with:", lambda limit, offset: listed[offset : offset + limit], nothing=""
        )
        # Whoever comes back and chooses the same goes on with what is written already.
        if chosen is not None and chosen != self._began_with:
            self._form.changes |= {"subject": chosen.subject, "body": chosen.body}
        self._began_with = chosen

    def _leave(self) -> None:
        """Raises Back, unless something was written and the person would rather go on with it."""
        if not self._form.is_written():
            raise Back
        question = "What you wrote is not sent, and lost when you leave."
        leave = Choice("Leave it", True)
        try:
            self._session.keyboard.choose(question, [leave], back="Go on writing")
        except Back:
            return
        raise Back

    def _send(self) -> MessageCard:
        """Shows the e-mail, and sends it where the person says so. Raises Back, and CRMError for what is to mend."""
        session, given = self._session, self._form.given()
        with session.crm.read() as snapshot:
            found = previewed(session.crm, snapshot, Written(client=self._client, **given))
        room: int | None = session.screen.height - _BELOW
        while True:
            session.page(self._client.name, "Preview")
            whole = draw_preview(session.screen, found, room and session.screen.left - _BELOW)
            session.screen.print()
            more = [] if whole else [Choice("Read all of it", "read", "r")]
            if session.keyboard.choose("", [Choice("Send it", "send"), *more], back="Change it") == "send":
                break
            room = None
        session.screen.print(Text(f"Sending to {clean(self._client.name)}", "dim"))
        sent: MessageCard = session.insist(
            lambda: named("email send")(session.crm, client=self._client, yes=True, **given)
        )
        return sent
