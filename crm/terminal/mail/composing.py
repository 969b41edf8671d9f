"""The steps of what is written at the menu: what to begin with, the texts, then all of it, looked at and sent."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from crm.model import Template
from crm.terminal.mail.message_form import MessageForm
from crm.terminal.toolkit.picking import pick_listed
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Step, in_steps

# What became of what was written.
Sent = TypeVar("Sent")


class ComposingSteps(ABC, Generic[Sent]):
    """The steps of composing, one after the other. `crumbs` say where the person is; the last step sends."""

    def __init__(self, session: Session, crumbs: Sequence[str], templates: Sequence[Template]) -> None:
        self.session = session
        self.crumbs = crumbs
        self.began_with: Template | None = None
        self._templates = templates

    def go(self) -> Sent:
        """Go through the steps; the result of the last one. Raises Back and Cancelled."""
        sent: Sent = in_steps(self.session, self.steps, self.is_written)
        return sent

    def steps(self) -> Sequence[Step]:
        """The steps there are, which may depend on what was answered so far."""
        return [*([self._begin] if self._templates else []), *self.texts(), self.finish]

    @abstractmethod
    def texts(self) -> Sequence[Step]:
        """A step for each text that is asked for."""

    @abstractmethod
    def begin(self, template: Template | None) -> None:
        """Begin with the texts of a template, or with a blank page."""

    @abstractmethod
    def finish(self) -> Sent:
        """Show all of it, and send it where the person says so. Raises Back and Cancelled."""

    @abstractmethod
    def is_written(self) -> bool:
        """Return whether there is something that somebody would miss."""

    def draw_above(self) -> None:
        """Draw what is above the question for what to begin with."""

    def _begin(self) -> None:
        self.session.page(*self.crumbs)
        self.draw_above()
        listed: list[tuple[str, Template | None]] = [("A blank page", None)]
        listed += [
            (": ".join(filter(None, (template.name, template.subject))), template) for template in self._templates
        ]
        chosen: Template | None = pick_listed(
            self.session.keyboard, "Start from:", lambda limit, offset: listed[offset : offset + limit], nothing=""
        )
        # The same choice again keeps what is written already.
        if chosen != self.began_with:
            self.begin(chosen)
        self.began_with = chosen


class EmailSteps(ComposingSteps[Sent]):
    """The steps of an e-mail, to one client or to many: its texts, then a form with all there is to it."""

    def __init__(
        self, session: Session, crumbs: Sequence[str], templates: Sequence[Template], form: MessageForm
    ) -> None:
        super().__init__(session, crumbs, templates)
        self.form = form

    def texts(self) -> Sequence[Step]:
        """Subject and text; what a template says need not be asked for."""
        return self.form.steps(["subject", "body"], *self.crumbs) if self.began_with is None else []

    def is_written(self) -> bool:
        return self.form.is_written()

    def draw_above(self) -> None:
        self.form.draw_above()

    def begin(self, template: Template | None) -> None:
        # A blank template keeps what is written already.
        if template is not None:
            self.form.begin_with(subject=template.subject, body=template.body)

    def finish(self) -> Sent:
        sent: Sent = self.form.fill(self.crumbs, self.send, saves="Preview and send")
        return sent

    @abstractmethod
    def send(self) -> Sent:
        """Show it as it will be read, and send it where the person says so. Raises Back, and CRMError for what is to
        mend."""
