"""Mailings at the menu: listed, opened with what somebody has to see to, gone on with and cancelled."""

from collections.abc import Sequence
from typing import Any

from crm.commands.mail.mailings.report import MailingReport
from crm.model import Mailing
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing import tables
from crm.terminal.mail.rendering import MAILINGS, TROUBLES, draw_counts, draw_heads, draw_text
from crm.terminal.mail.sending_results import sending_page, tell_sent
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, list_page, open_list
from crm.terminal.toolkit.pages import record_flow
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import Session

# Below those to see to stand the other entries, the way back, the hint and a blank line.
_BELOW = 10
_SEEN = 9


@list_page
class MailingsPage(ListPage):
    """The mailings, the newest first."""

    title = "Mailings"
    purpose = "A mailing is one text that you send to many clients, with the name of each in it."
    adds = "writes one"
    columns = MAILINGS
    command = "mailings list"
    holds = "mailing"

    def keys(self) -> Sequence[Choice]:
        return [letters.NEW(self.starts("mailings send"), "mailing")]


@record_page(Mailing)
class MailingPage(RecordPage[Mailing, MailingReport]):
    """A mailing, each message to see to by its number, and what can be done with it."""

    command = "mailings show"

    def current(self) -> Mailing:
        return self.card.counted.mailing

    def draw(self) -> None:
        draw_counts(self.session.screen, self.card, self.session.conventions)

    def entries(self) -> Sequence[Choice]:
        session, report, mailing = self.session, self.card, self.record
        screen = session.screen
        room = max(3, min(_SEEN, screen.left - _BELOW))
        troubles = report.troubles[:room]
        by = session.conventions
        _, lines = tables.lines(screen, TROUBLES, troubles, by, screen.width - 8)
        listed = [
            Choice(line, lambda trouble=trouble: session.open(trouble.message), pieces=pieces)
            for (line, pieces), trouble in zip(lines, troubles, strict=True)
        ]
        if len(report.troubles) > room:
            listed.append(Choice("All failed messages", lambda: _messages(session, mailing, state="failed")))
        if report.counted.waiting:
            listed.append(Choice("Resume sending", self.starts("mailings resume"), instant=True))
            listed.append(Choice("Cancel the rest", self.starts("mailings cancel"), instant=True))
        listed.append(Choice("All its messages", lambda: _messages(session, mailing)))
        return [*listed, Choice("Show full text", lambda: _read(session, mailing))]


def _messages(session: Session, mailing: Mailing, **filters: Any) -> None:
    open_list(session, "email list", mailing=mailing, **filters)


def _read(session: Session, mailing: Mailing) -> None:
    def draw() -> None:
        draw_heads(session.screen, {"Subject": mailing.subject})
        session.screen.print()
        draw_text(session.screen, mailing.body)

    session.read(["Mailings", mailing.name], draw)


@record_flow("mailings resume")
def resume(session: Session, mailing: Mailing) -> None:
    """A mailing that was broken off, gone on with."""
    sending_page(session, mailing.name)
    tell_sent(session, session.call("mailings resume", mailing=mailing))


@record_flow("mailings cancel")
def cancel(session: Session, mailing: Mailing) -> None:
    """Take what has not been sent of a mailing out of the outbox."""
    session.call("mailings cancel", mailing=mailing)
    session.done("Cancelled. Messages that had already gone out are not affected.")
