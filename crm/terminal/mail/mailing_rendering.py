"""Mailings on screen: as a list, what became of one, and who is left out."""

from collections.abc import Sequence

from rich.text import Text

from crm.commands.mail.mailings.audience import LeftOut
from crm.commands.mail.mailings.report import MailingCount, MailingReport, Trouble
from crm.commands.mail.mailings.text import TestSent
from crm.model import STATES, Conventions
from crm.terminal.drawing import tables
from crm.terminal.drawing.render import drawn
from crm.terminal.drawing.screen import Screen, clean, data
from crm.terminal.mail.rendering import STATE_STYLES

# In the order in which they are told.
_STATES = ("sent", "failed", "unsure", "queued", "sending", "cancelled")


def _count(state: str, each: MailingCount, by: Conventions, style: str = "") -> Text:
    count = each.counts.get(state, 0)
    return data(by.number(count) if count else "", style)


MAILINGS: Sequence[tables.Column] = (
    tables.Column("Date", lambda each, by: data(by.day_of(each.mailing.created_at), "dim"), 3),
    tables.Column("Name", lambda each, _: data(each.mailing.name, "bold"), 0, 8),
    tables.Column("Sent", lambda each, by: _count("sent", each, by), 0, right=True),
    tables.Column("Failed", lambda each, by: _count("failed", each, by, "red"), 0, right=True),
    tables.Column("Waiting", lambda each, by: data(by.number(each.waiting) if each.waiting else "", "cyan"), 0,
                  right=True),
    tables.Column("By", lambda each, _: data(each.mailing.user, "dim"), 4, 5),
)  # fmt: skip
tables.COLUMNS[MailingCount] = (
    tables.Column("No.", lambda each, _: data(each.mailing.id, "dim"), 2, right=True),
    *MAILINGS,
)
TROUBLES: Sequence[tables.Column] = (
    tables.Column("Client", lambda each, _: data(each.name, "bold"), 0, 8),
    tables.Column("State", lambda each, _: data(STATES[each.message.state], STATE_STYLES[each.message.state]), 2, 6),
    tables.Column("Why", lambda each, _: data(each.message.failure, "dim"), 1, 10),
)
tables.COLUMNS[Trouble] = (
    tables.Column("No.", lambda each, _: data(each.message.id, "dim"), 3, right=True),
    TROUBLES[0],
    tables.Column("To", lambda each, _: data(each.message.to), 3, 12),
    TROUBLES[1],
    tables.Column("Why", lambda each, _: data(each.message.failure, "dim"), 1, 16, wraps=True),
)
tables.COLUMNS[LeftOut] = (
    tables.Column("No.", lambda each, _: data(each.client, "dim"), 2, right=True),
    tables.Column("Client", lambda each, _: data(each.name, "bold"), 0, 8),
    tables.Column("Why", lambda each, _: data(each.told, "dim"), 0, 16, wraps=True),
)


def draw_counts(screen: Screen, report: MailingReport, by: Conventions) -> None:
    """How a mailing went, in a few lines: how many messages are in each state, and why it stopped."""
    counts = report.counted.counts
    told = Text()
    for state in _STATES:
        if counts.get(state):
            told.append(", " if told else "")
            told.append(f"{by.number(counts[state])} {STATES[state]}", STATE_STYLES.get(state, "green"))
    screen.print(told if told else Text("Nothing of it is there any more.", "dim"))
    if report.stopped:
        screen.print(data(report.stopped, "bold red"))


@drawn.register
def _(result: MailingReport, screen: Screen, by: Conventions) -> None:
    mailing = result.counted.mailing
    screen.print(data(mailing.name, "bold").append(f"  mailing no. {mailing.id}", "dim"))
    draw_counts(screen, result, by)
    for title, rows in (("To see to", result.troubles), ("Left out", result.left_out)):
        if rows:
            screen.print(Text(f"{title}: {by.number(len(rows))}", "bold"))
            drawn(list(rows), screen, by)
    if result.counted.waiting:
        told = f"{by.number(result.counted.waiting)} still wait; “mailings resume {mailing.id}” goes on with them."
        screen.print(Text(told, "yellow"))


@drawn.register
def _(result: TestSent, screen: Screen, _by: Conventions) -> None:
    sign = screen.sign("✓", "OK:")
    screen.print(Text(f"{sign} Sent to {clean(result.to)}, as {clean(result.reader)} would get it.", "green"))
