"""Today at the menu: what needs doing, the figures, and everybody in them by number."""

from collections.abc import Callable, Iterator
from itertools import chain, zip_longest
from typing import Any

from rich.text import Text

from crm.commands.agenda import AgendaItem
from crm.commands.registry import named
from crm.commands.today import TodayReport
from crm.model import Client
from crm.terminal.agenda import AgendaPage, heading, item_line, open_item
from crm.terminal.clients import client_page
from crm.terminal.keyboard import Choice
from crm.terminal.session import Session, flow
from crm.terminal.today import draw_figures

# The way back, the hint and a blank line stand below and above the entries.
_AROUND = 4
_LEAST = 3
_KEYED = 8
# On so many lines there is room for the chart beside what needs doing.
_TALL = 32


@flow("today")
@flow("agenda")
def today(session: Session, **_: Any) -> None:
    """What I have to do, the figures, then the newest clients, who moved and whose birthday is near, each opened by a
    key; another one shows what everybody has to do."""
    mine = True
    found: list[Choice] = []

    def turn() -> None:
        nonlocal mine
        mine = not mine

    def above() -> None:
        nonlocal mine
        report: TodayReport = named("today")(session.crm, mine)
        if mine and not found and not report.agenda.count and report.agenda.others:
            # Whoever has nothing to do sees at once what others have.
            mine = False
            report = named("today")(session.crm, mine)
        by = session.crm.conventions
        draw_figures(session.screen, report, by, chart=not report.agenda.items or session.screen.height >= _TALL)
        session.screen.print()
        if report.agenda.count or report.agenda.others:
            session.screen.print(Text(heading(report.agenda, by), "bold"))
        room = max(_LEAST, session.screen.left - _AROUND)
        # What needs doing comes first; a line is left for each of the rest.
        items = report.agenda.items[: max(_LEAST, room - _LEAST)]
        found[:] = [_item(session, each, whose=not mine) for each in items]
        found.extend(_shared(session, report, max(_LEAST, room - len(items))))

    keys = [
        Choice("Mine or everybody's", turn, "e"),
        Choice("All to do", lambda: AgendaPage(session, mine=mine).show(), "a"),
    ]
    session.menu(["Today"], lambda: found, above=above, keys=keys)


def _item(session: Session, item: AgendaItem, *, whose: bool) -> Choice:
    return Choice(session.screen.cut(item_line(item, whose=whose), _KEYED), lambda: open_item(session, item))


def _shared(session: Session, report: TodayReport, room: int) -> list[Choice]:
    """As many of each kind as there is room for."""
    kinds = (list(_newest(session, report)), list(_moved(session, report)), list(_birthdays(session, report)))
    taken = [each for each in chain.from_iterable(zip_longest(*kinds)) if each is not None][:room]
    cut = session.screen.cut
    return [Choice(cut(each.label, _KEYED), each.value) for kind in kinds for each in kind if each in taken]


def _newest(session: Session, report: TodayReport) -> Iterator[Choice]:
    for each in report.newest:
        yield Choice(f"New       {each.name}", _opens(session, each))


def _moved(session: Session, report: TodayReport) -> Iterator[Choice]:
    arrow = session.screen.sign("→", "->")
    for each in report.moved:
        yield Choice(f"Moved     {each.name}: {each.status_before} {arrow} {each.status}", _opens(session, each))


def _birthdays(session: Session, report: TodayReport) -> Iterator[Choice]:
    by = session.crm.conventions
    for each in report.birthdays:
        when = "today" if each.on == report.on else f"on {by.day(each.on)}"
        yield Choice(f"Birthday  {each.client.name} turns {each.turns} {when}", _opens(session, each.client))


def _opens(session: Session, client: Client) -> Callable[[], None]:
    return lambda: client_page(session, client)
