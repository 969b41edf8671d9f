"""Greetings at the menu: the standing orders, and what is due, shown before it is sent."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from crm.commands.mail.greetings import Due, Greeting, Occasion
from crm.commands.registry import named
from crm.model import CHANNELS, Conventions
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing import tables
from crm.terminal.drawing.render import drawn
from crm.terminal.drawing.screen import Screen, clean, data
from crm.terminal.mail.rendering import draw_heads, draw_text
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session

OCCASIONS: Sequence[tables.Column] = (
    tables.Column("Name", lambda each, _: data(each.mailing.name, "bold"), 0, 10),
    tables.Column("For", lambda each, _: data(each.when), 0, 8),
    tables.Column("By", lambda each, _: data(CHANNELS[each.mailing.channel]), 2),
    tables.Column("What", lambda each, _: data(_about(each), "dim"), 1, 10),
)
tables.COLUMNS[Occasion] = OCCASIONS
_GREETINGS: Sequence[tables.Column] = (
    tables.Column("Day", lambda each, by: data(by.day(each.on), "dim"), 1),
    tables.Column("Client", lambda each, _: data(each.client.name, "bold"), 0, 10),
    tables.Column("Greeting", lambda each, _: data(each.mailing.name), 2, 8),
    tables.Column("To", lambda each, _: data(each.to), 3, 12),
)
_UNREACHABLE = (*_GREETINGS[1:2], tables.Column("Why", lambda each, _: data(each.why_not, "dim"), 0, 16, wraps=True))
# What stands below lists: a blank line, the entries, the way back and the hint.
_BELOW = 8


def _about(occasion: Occasion) -> str:
    return occasion.mailing.subject or occasion.mailing.body.partition("\n")[0]


class OccasionsPage(ListPage):
    """The standing orders by name."""

    title = "Greetings"
    columns = OCCASIONS

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        orders: Sequence[Occasion] = named("occasions list")(self.session.crm)
        return orders[offset : offset + limit]

    def count(self) -> int:
        return len(named("occasions list")(self.session.crm))

    def keys(self) -> Sequence[Choice]:
        return [
            Choice("Add", lambda: self.session.start(named("occasions add")), "a"),
            Choice("Due", lambda: due(self.session), "d"),
        ]

    def open(self, row: Any) -> None:
        session = self.session
        order: Occasion = row
        session.page(self.title, order.mailing.name)
        drawn(order, session.screen, session.crm.conventions)
        session.screen.print()
        session.keyboard.choose("", [Choice("Remove it", True)])
        session.confirm(f"Remove {order.mailing.name}? What was sent stays.", "Remove")
        session.call("occasions remove", name=order.mailing.name)
        session.say(f"{session.screen.sign('✓', 'OK:')} Removed {order.mailing.name}.", "green")


@flow("occasions list")
def list_occasions(session: Session, **_: Any) -> None:
    """The list of standing orders."""
    OccasionsPage(session).show()


@flow("email due")
def due(session: Session, **_: Any) -> None:
    """Who is greeted now, and whether they are."""
    found: Due = session.call("email due", dry_run=True)
    session.page("Greetings", "Due")
    drawn(found, session.screen, session.crm.conventions)
    if not (found.greetings or found.waiting):
        session.keyboard.pause()
        return
    session.screen.print()
    session.confirm("Send this now?", "Send")
    session.tell(session.call("email due"))


@drawn.register
def _(result: Occasion, screen: Screen, by: Conventions) -> None:  # noqa: ARG001 - as every renderer
    its = result.mailing
    screen.print(Text(clean(its.name), "bold").append(f"  for {result.when}, by {CHANNELS[its.channel]}", "default"))
    draw_heads(screen, {"Subject": its.subject})
    screen.print()
    draw_text(screen, its.body, screen.left - _BELOW)


@drawn.register
def _(result: Due, screen: Screen, by: Conventions) -> None:
    count = by.number(len(result.greetings))
    if result.sent is None:
        told = f"To be greeted: {count}" if result.greetings else "Nobody is to be greeted"
        screen.print(
            Text(f"{told}, and {by.number(result.waiting)} wait in the outbox" if result.waiting else told, "bold")
        )
    else:
        screen.print(Text(f"{screen.sign('✓', 'OK:')} Greetings: {count}", "green"))
    if result.greetings:
        _draw_some(screen, _GREETINGS, result.greetings, by)
    if result.unreachable:
        screen.print(Text(f"Cannot be written to: {by.number(len(result.unreachable))}", "bold yellow"))
        _draw_some(screen, _UNREACHABLE, result.unreachable, by)
    if result.sent is not None:
        drawn(result.sent, screen, by)


def _draw_some(screen: Screen, columns: Sequence[tables.Column], rows: Sequence[Greeting], by: Conventions) -> None:
    most = max(3, screen.left - _BELOW)
    screen.print(tables.table(columns, rows[:most], by, screen.width))
    if len(rows) > most:
        screen.print(Text(f"and {by.number(len(rows) - most)} more", "dim"))
