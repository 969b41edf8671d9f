"""The steps of what is written at the menu: what to begin with, the texts, then all of it, looked at and sent."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from crm.model import Template
from crm.terminal.keyboard import Back, Choice
from crm.terminal.picking import pick_listed
from crm.terminal.session import Session
from crm.terminal.writing_form import WritingForm

# What became of what was written.
Sent = TypeVar("Sent")


class WritingSteps(ABC, Generic[Sent]):
    """What is asked one after the other; Esc goes back to the step before, with all that was filled in.

    `crumbs` say where the person is. A step is known by its name; the last of them sends.
    """

    def __init__(self, session: Session, crumbs: Sequence[str], templates: Sequence[Template]) -> None:
        self.session = session
        self.crumbs = crumbs
        self.began_with: Template | None = None
        self._templates = templates

    def go(self) -> Sent:
        """What the last step gave. Raises Back and Cancelled."""
        first = self.steps()[0]
        step = first
        while True:
            try:
                self.session.page(*self.crumbs)
                if step == self.steps()[-1]:
                    return self.finish()
                self.ask(step)
                step = self._after(step, 1)
            except Back:
                if step == first:
                    self.leave()
                else:
                    step = self._after(step, -1)

    def steps(self) -> Sequence[str]:
        """The steps there are, which may depend on what was answered so far."""
        return [*(["template"] if self._templates else []), *self.texts(), "all"]

    @abstractmethod
    def texts(self) -> Sequence[str]:
        """The texts that are asked for one by one."""

    def ask(self, step: str) -> None:
        """Asks for what a step is about. Raises Back."""
        if step == "template":
            self._begin()
        else:
            self.ask_text(step)

    @abstractmethod
    def ask_text(self, name: str) -> None:
        """Asks for a text. Raises Back."""

    @abstractmethod
    def begin(self, template: Template | None) -> None:
        """Begins with the texts of a template, or with a blank page."""

    @abstractmethod
    def finish(self) -> Sent:
        """Shows all of it, and sends it where the person says so. Raises Back and Cancelled."""

    def leave(self) -> None:
        """What going back from the first step does: raises Back, unless the person would rather go on."""
        raise Back

    def _after(self, step: str, by: int) -> str:
        steps = self.steps()
        return steps[steps.index(step) + by]

    def _begin(self) -> None:
        listed: list[tuple[str, Template | None]] = [("A blank page", None)]
        listed += [(": ".join(filter(None, (each.name, each.subject))), each) for each in self._templates]
        chosen: Template | None = pick_listed(
            self.session.keyboard, "Begin with:", lambda limit, offset: listed[offset : offset + limit], nothing=""
        )
        # Whoever comes back and chooses the same goes on with what is written already.
        if chosen != self.began_with:
            self.begin(chosen)
        self.began_with = chosen


class EmailSteps(WritingSteps[Sent]):
    """Those of an e-mail, to one client or to many: its texts, then a form with all there is to it."""

    def __init__(
        self, session: Session, crumbs: Sequence[str], templates: Sequence[Template], form: WritingForm
    ) -> None:
        super().__init__(session, crumbs, templates)
        self.form = form

    def texts(self) -> Sequence[str]:
        """Subject and text; what a template says need not be asked for."""
        return ["subject", "body"] if self.began_with is None else []

    def ask_text(self, name: str) -> None:
        self.form.ask_first(name)

    def begin(self, template: Template | None) -> None:
        # Whoever turns to a blank page keeps what is written already.
        if template is not None:
            self.form.changes |= {"subject": template.subject, "body": template.body}

    def finish(self) -> Sent:
        sent: Sent = self.form.fill(self.crumbs, self.send, saves="Look and send")
        return sent

    @abstractmethod
    def send(self) -> Sent:
        """Shows it as it will be read, and sends it where the person says so. Raises Back, and CRMError for what is to
        mend."""

    def leave(self) -> None:
        if not self.form.is_written():
            raise Back
        question = "What you wrote is not sent, and lost when you leave."
        try:
            self.session.keyboard.choose(question, [Choice("Leave it", True)], back="Go on writing")
        except Back:
            return
        raise Back
