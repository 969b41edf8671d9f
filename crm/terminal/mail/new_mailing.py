"""A new mailing at the menu: recipients, template or blank page, preview, test, and sending."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from rich.text import Text

from crm.commands.client_selection import asked_for
from crm.commands.mail.mailings import AllGotItError, Prepared, prepared, recipients
from crm.commands.mail.mailings.audience import Audience
from crm.commands.mail.mailings.report import MailingReport
from crm.commands.mail.mailings.text import MailingText, TestSent, written
from crm.commands.mail.outbox import refuse_unsendable
from crm.commands.mail.services import SERVICES, current
from crm.commands.mail.templates import of_channel
from crm.commands.registry import named
from crm.model import Client, Field, Template
from crm.model.fields import Email
from crm.terminal.console.keyboard import BACK, Back, Choice, Needed
from crm.terminal.drawing import render
from crm.terminal.mail.composing import EmailSteps
from crm.terminal.mail.message_form import MessageForm
from crm.terminal.mail.rendering import draw_preview
from crm.terminal.mail.sending_results import sending_page, tell_sent
from crm.terminal.mail.services import set_up_first
from crm.terminal.toolkit.group_picking import Chosen, group_of, members_of, pick_recipients, set_consent
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Step

_TITLE = "New mailing"
# Below a preview stand a blank line, its entries, the way back and the hint.
_BELOW = 7
_ADDRESS = Email()
_LATER = "Later: you send them with Send queued mail, or your scheduled job does."
_SENDS = ("send", "later")


class MailingForm(MessageForm):
    """A mailing in preparation: its texts and files, below the recipients, who are chosen before."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Client(), ())
        self.recipients = Audience()
        self._can_send = current(session.crm, SERVICES["email"]).is_set_up
        self.lists_kept = not self._can_send

    def draw_above(self) -> None:
        """Say how many will get it, how many are left out, and whether it could be sent."""
        screen = self.session.screen
        if not self._can_send:
            screen.print(
                Text(
                    "Sending e-mail is not set up yet. Until then you can write a mailing and keep it as a template.",
                    "warning",
                )
            )
        screen.print(Text(self.recipients.sentences(self.session.conventions, has_text=False), "muted"))
        screen.print()

    def ask_first(self, field: Field) -> None:
        self.draw_above()
        super().ask_first(field)

    def fields(self) -> Sequence[Field]:
        return [field for field in super().fields() if field.name in ("subject", "body", "attachments")]

    def answers(self) -> dict[str, Any]:
        """The answers as `mailings send` takes them."""
        return {name: value for name, value in super().answers().items() if name in ("subject", "body", "attach")}


@flow("mailings send")
def write(session: Session, **arguments: Any) -> None:
    """Ask for the clients, what to begin with, and the texts; show a preview, and send, which alone needs a mailbox."""
    form = MailingForm(session)
    with session.crm.read() as snapshot:
        templates = of_channel(snapshot, "email")
    steps = _Steps(session, form, templates, group_of(**arguments) if arguments else None)
    report = steps.go()
    tell_sent(session, report, later=steps.later)
    session.open(report.counted.mailing)


class _Steps(EmailSteps[MailingReport]):
    """The steps of a mailing; who gets it is asked first, unless that is known."""

    def __init__(
        self, session: Session, form: MailingForm, templates: Sequence[Template], group: Chosen | None
    ) -> None:
        super().__init__(session, ["Mailings", _TITLE], templates, form)
        self._written = form
        self._chosen = group
        if group is not None:
            form.recipients = recipients(session.crm, asked_for(**members_of(group)))
        self._asks_recipients = group is None
        self._again = False
        # Whether it is only put into the outbox.
        self.later = False

    def steps(self) -> Sequence[Step]:
        return [*([self._ask_recipients] if self._asks_recipients else []), *super().steps()]

    def _ask_recipients(self) -> None:
        self._chosen, self._written.recipients = pick_recipients(
            self.session, ("Mailings", _TITLE), lambda some: recipients(self.session.crm, asked_for(**members_of(some)))
        )

    def send(self) -> MailingReport:
        session, answers = self.session, self.form.answers()
        group = self._chosen or group_of()
        with_files = written(session.crm, None, answers["subject"], answers["body"], answers["attach"])
        draft = self._prepared(group, with_files)
        while (
            (chosen := self._looked_at(draft)) not in _SENDS
            or not self._can_send()
            or not self._confirmed(chosen, draft.audience.count)
        ):
            if chosen == "read":
                self._read("Preview", partial(draw_preview, session.screen, draft.preview, None))
            elif chosen == "left out":
                left_out = draft.audience.left_out
                self._read("Excluded", partial(render.show, session.screen, left_out, session.conventions))
            elif chosen == "consent":
                silent = [reader.client for reader in draft.audience.left_out if reader.why == "consent"]
                session.attempt(partial(set_consent, session, silent))
                draft = self._prepared(group, with_files)
                self._written.recipients = draft.audience
            elif chosen == "again":
                self._again = True
                draft = self._prepared(group, with_files)
            elif chosen == "test" and self._can_send():
                self._test(group, answers)
        self.later = chosen == "later"
        if not self.later:
            sending_page(session, answers["subject"])
        sent: MailingReport = session.insist(
            lambda: named("mailings send")(
                session.crm, yes=True, again=self._again, later=self.later, **group, **answers
            )
        )
        return sent

    def _can_send(self) -> bool:
        """Return whether mail can be sent, once the mailbox is set up where it was not yet; else it is said why not."""

        def check() -> bool:
            set_up_first(self.session, "email")
            refuse_unsendable(self.session.crm)
            return True

        return bool(self.session.attempt(check))

    def _prepared(self, group: Chosen, text: MailingText) -> Prepared:
        """The recipients; where nobody is left but who has got it already, they get it again if that is said. Raises
        Back."""
        crm = self.session.crm
        try:
            return prepared(crm, asked_for(**members_of(group)), text, again=self._again)
        except AllGotItError as error:
            question = error.sentence.removesuffix(" --again sends it to them once more.")
            self.session.confirm(question, "Send it to them again", destructive=True)
            self._again = True
            return prepared(crm, asked_for(**members_of(group)), text, again=True)

    def _read(self, what: str, draw: Callable[[], Any]) -> None:
        with suppress(Back):
            self.session.read(["Mailings", _TITLE, what], draw)

    def _looked_at(self, draft: Prepared) -> str:
        """Show as much of the preview as fits, and ask what to do with it."""
        session = self.session
        screen, by = session.screen, session.conventions
        session.page("Mailings", _TITLE, "Preview")
        screen.print(Text(draft.summary(by), "bold"))
        screen.print()
        takes_long = draft.minutes > 1
        silent = sum(reader.why == "consent" for reader in draft.audience.left_out)
        if takes_long:
            screen.print(Text(_LATER, "muted"))
            screen.print()
        whole = draw_preview(screen, draft.preview, screen.left - _BELOW - takes_long - bool(silent))
        screen.print()
        count = draft.audience.count
        people = "1 person" if count == 1 else f"{by.number(count)} people"
        entries = [Choice(f"Send to {people}", "send"), Choice("Send me a test", "test")]
        if takes_long:
            # Sending holds the menu for as long as it takes.
            entries[0] = Choice(f"Send to {people} now, and wait", "send")
            entries.insert(0, Choice(f"Send to {people} later, from the outbox", "later"))
        entries += [Choice("Who is excluded", "left out")] if draft.audience.left_out else []
        if silent:
            who = "the one who has" if silent == 1 else f"the {by.number(silent)} who have"
            entries.append(Choice(f"Include {who} not agreed: set Marketing consent", "consent"))
        if got := sum(reader.why == "got" for reader in draft.audience.left_out):
            entries.append(Choice(f"Include the {by.number(got)} who have got it already", "again"))
        entries += [] if whole else [Choice("Show full text", "read")]
        chosen: str = session.keyboard.choose("", entries, back="Keep editing", at=BACK)
        return chosen

    def _confirmed(self, how: str, count: int) -> bool:
        """Return whether the person types how many people get it: what is sent to many cannot be undone."""
        if count == 1:
            return True
        asked = f"Type {count} to put them into the outbox" if how == "later" else f"Type {count} to send it"
        certain = "Until they are sent you can cancel them" if how == "later" else "This cannot be undone"
        try:
            self.session.prompts.typed_count(str(count), f"{certain}. {asked}")
        except Back:
            return False
        return True

    def _test(self, group: Chosen, answers: Mapping[str, Any]) -> None:
        """Send it to an address of the person's own, as the first would get it."""
        session = self.session

        def read(typed: str) -> str:
            if not typed.strip():
                raise Needed
            return _ADDRESS.read(typed, session.crm.conventions)

        def sent() -> None:
            address = session.keyboard.text("To", read, help="one of your own addresses")
            tested: TestSent = named("mailings send")(session.crm, test=address, **group, **answers)
            session.tell(tested)

        session.attempt(sent)
