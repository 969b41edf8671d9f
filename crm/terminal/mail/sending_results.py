"""The results of sending at the menu: the page while a mailing goes out, and the sentences on the next page."""

from rich.text import Text

from crm.commands.mail.mailings.report import MailingReport
from crm.commands.mail.messages import MessageCard
from crm.commands.repeating import just_moved
from crm.terminal.mail.rendering import sent_line
from crm.terminal.toolkit.session import Session


def sending_page(session: Session, name: str) -> None:
    """The page while a mailing goes out."""
    session.page("Mailings", name)
    session.screen.print(Text("Sending. Ctrl-C stops after the current e-mail. You can resume later.", "muted"))


def tell_sent(session: Session, report: MailingReport, *, later: bool = False) -> None:
    """Say on the next page that a mailing went out, or why it stopped; one for `later` waits in the outbox."""
    waiting, by = report.counted.waiting, session.conventions
    sent = report.counted.counts.get("sent", 0)
    if later:
        waits = f"{by.number(waiting)} {'e-mail waits' if waiting == 1 else 'e-mails wait'} in the outbox."
        session.done(f"{waits} Resume sending sends them, or your scheduled job does.")
    elif report.stopped or waiting:
        session.say(f"! {report.stopped} {by.number(waiting)} not sent yet.".replace("!  ", "! "), "warning")
    else:
        troubles = f" {by.number(len(report.troubles))} need attention." if report.troubles else ""
        session.done(f"Sent to {by.number(sent)}.{troubles}")


def tell_tried(session: Session, card: MessageCard) -> None:
    """Say on the next page what became of a message that was just tried."""
    line, style = sent_line(card)
    sign = {"success": session.screen.sign("✓", "OK:"), "danger": session.screen.sign("✗", "!")}.get(style, "!")
    session.say(f"{sign} {line}", style)
    for moved in just_moved(session.crm, card.client.id) if card.tried else ():
        session.say(f"  {moved}")
