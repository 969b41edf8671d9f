"""Today at the menu: the report, and everybody in it by number."""

from collections.abc import Callable, Iterator
from itertools import chain, zip_longest
from typing import Any

from crm.commands.registry import named
from crm.commands.today import TodayReport
from crm.model import Client
from crm.terminal.clients import client_page
from crm.terminal.keyboard import Choice
from crm.terminal.session import Session, flow
from crm.terminal.today import draw_figures

# The way back, the hint and a blank line stand below and above the entries.
_AROUND = 4
_LEAST = 3
_KEYED = 8


@flow("today")
def today(session: Session, **_: Any) -> None:
    """The figures, then the newest clients, who moved and whose birthday is near, each opened by a key."""
    found: list[Choice] = []

    def above() -> None:
        report: TodayReport = named("today")(session.crm)
        draw_figures(session.screen, report, session.crm.conventions)
        session.screen.print()
        room = max(_LEAST, session.screen.left - _AROUND)
        found[:] = _shared(session, report, room)

    session.menu(["Today"], lambda: found, above=above)


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
