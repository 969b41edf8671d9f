"""Today at the menu: the tiles of one's dashboard, figures above, and everything in the others by number."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import chain, zip_longest
from typing import Any

from rich.text import Text

from crm.commands.activity.agenda import AgendaItem
from crm.commands.activity.follow_up_lists import FollowUpShown
from crm.commands.home.tiles import TILES, Birthday, Happened, Tile
from crm.commands.home.today import TodayReport, one
from crm.commands.registry import named
from crm.model import Client, Record
from crm.terminal.activity.rendering import heading, item_line
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing import tables
from crm.terminal.drawing.screen import clean
from crm.terminal.home import tiles
from crm.terminal.home.tiles import moved
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import open_list
from crm.terminal.toolkit.pages import Pieces, draw_side_card, flow, unless_refused
from crm.terminal.toolkit.session import Session

# The way back, the hint and a blank line are below and above the entries.
_AROUND = 4
_LEAST = 3
# So many things to do are seen in any window: figures and what has happened give way to them.
_TO_DO, _LOW = 5, 12
_KEYED = 8
# On so many lines there is room for the chart beside what needs doing.
_TALL = 32


@flow("today")
def today(session: Session, **_: Any) -> None:
    """The figures of the dashboard, then what I have to do, the newest clients and so on, each opened by a key; other
    keys show what everybody has to do, and arrange the dashboard."""
    mine = True
    choices: list[Choice] = []

    def turn() -> None:
        nonlocal mine
        mine = not mine

    def above() -> None:
        nonlocal mine
        report: TodayReport = named("today")(session.crm, mine)
        if mine and not choices and not report.agenda.count and report.agenda.others:
            # With nothing to do one sees at once what others have.
            mine = False
            report = named("today")(session.crm, mine)
        left_out, usually_left = _draw_figures(session, report)
        if report.agenda.count or report.agenda.others:
            session.screen.print(Text(heading(report.agenda, session.crm.conventions), "bold"))
            usually_left -= 1
        listed = [*_listed(session, report, max(_LEAST, usually_left - _AROUND), whose=not mine)]
        room = max(_LEAST, session.screen.left - _AROUND - len(left_out))
        choices[:] = [*_cut(session, listed, room), *left_out]

    def keys() -> list[Choice]:
        return [
            (letters.EVERYONES if mine else letters.MINE)(turn),
            letters.LIST(lambda: open_list(session, "agenda", mine=mine), "of all to do"),
            letters.EDIT(lambda: session.start(named("dashboard set")), "this page"),
        ]

    session.menu(["Today"], lambda: choices, above=above, keys=keys, rows=True)


def _cut(session: Session, entries: Sequence[Choice], room: int) -> Sequence[Choice]:
    """The entries where something is above them: the first keep their numbers, the others are a key away."""
    if session.screen.plain or not session.message_lines or len(entries) <= room:
        return entries
    return [*entries[: room - 1], letters.MORE(lambda: session.menu(["Today", "More"], lambda: entries[room - 1 :]))]


def _draw_figures(session: Session, report: TodayReport) -> tuple[Sequence[Choice], int]:
    """Draw the tiles with figures as far as there is room; the first is drawn in any case. Returns what opens the
    others, and how many lines would be left below if nothing were said above."""
    screen, by = session.screen, session.conventions
    chart = not report.agenda.items or screen.height >= _TALL
    left_out: list[Choice] = []
    usually_left = screen.left + session.message_lines
    # The heading of what needs doing, so much of it, and what leads to the rest.
    to_do = report.agenda.count
    least = max(_LEAST, bool(to_do) + min(to_do, _TO_DO) + (to_do > _TO_DO) + 1)
    for number, tile in enumerate(tile for tile in map(TILES.__getitem__, report.tiles) if not tile.listed):
        drawn = tiles.lines(screen, tile, report.tiles[tile.name], by, chart=chart)
        is_usual = not number or screen.plain or usually_left - len(drawn) >= _AROUND + least
        usually_left -= len(drawn) + bool(drawn) if is_usual else 1
        if number and not screen.plain and screen.left - len(drawn) < _AROUND + least:
            left_out.append(Choice(screen.cut(f"Show      {tile.title}", _KEYED), partial(_show, session, tile)))
            continue
        for line in drawn:
            screen.print(line)
        if drawn:
            screen.print()
    return left_out, usually_left


def _show(session: Session, tile: Tile) -> None:
    """A tile on a page of its own; a report as it is opened from the menu of reports."""
    if tile.report:
        session.start(named(tile.report), **tile.arguments)
        return
    lines = tiles.lines(session.screen, tile, one(session.crm, tile), session.conventions)

    def draw() -> None:
        for line in lines:
            session.screen.print(line)

    session.read(["Today", tile.title], draw)


def _listed(session: Session, report: TodayReport, room: int, *, whose: bool) -> Iterator[Choice]:
    """The lines of each tile, as many as there is room for, in their order; what needs doing comes first, and a line is
    left for each of the rest. What is left out is counted, and a key away."""
    least = _LEAST if room >= _LOW else 1
    most = max(_LEAST, room - least)
    items = report.agenda.items[: most if report.agenda.count <= most else most - 1]
    more_to_do = report.agenda.count - len(items)
    kinds: dict[str, list[Choice]] = {
        name: list(_ENTRIES[name](session, content)) for name, content in report.tiles.items() if name in _ENTRIES
    }
    rest = max(least, room - len(items) - (more_to_do > 0))
    every = [line for line in chain.from_iterable(zip_longest(*kinds.values())) if line is not None]
    taken = every[: rest if len(every) <= rest else rest - 1]
    others = [choice for name in report.tiles for choice in kinds.get(name, ()) if choice not in taken]
    kinds = {name: [entry for entry in entries if entry in taken] for name, entries in kinds.items()}
    for name in report.tiles:
        if name == "agenda":
            yield from (_item(session, item, whose=whose) for item in items)
            if more_to_do > 0:
                yield Choice(f"{more_to_do} more to do", lambda: open_list(session, "agenda", mine=not whose))
        for choice in kinds.get(name, ()):
            yield replace(choice, label=session.screen.cut(choice.label, _KEYED + session.screen.side))
    if others:
        yield letters.MORE(lambda: session.menu(["Today", "More"], lambda: others), f"({len(others)})")


def _item(session: Session, item: AgendaItem, *, whose: bool) -> Choice:
    screen, record = session.screen, item.record
    on = getattr(record, "due_on", None) or getattr(record, "expected_close_on", None)
    late = on is not None and on < session.crm.today
    taken = _KEYED + screen.side
    line = screen.cut(item_line(screen, item, session.conventions, screen.width - taken, whose=whose, late=late), taken)
    # What is late is marked by its urgency alone: what is to be done is read like the rest.
    before, colon, what = line.partition(": ") if not line.startswith("! ") else ("! ", "", line[2:])
    pieces = [("danger", f"{before}{colon}"), ("", what)] if late and what else [("", line)]
    return Choice(
        line, lambda: session.open(item.record or item.client), pieces=pieces, card=_card(session, item.client)
    )


def _card(session: Session, client: Client | None) -> Callable[[], Pieces] | None:
    """Draw the card of a client beside the entries; None where there is no room for it."""
    if client is None or not session.screen.side:
        return None
    return cache(lambda: unless_refused(lambda: draw_side_card(session, Client, client.id)))


def _newest(session: Session, clients: list[Client]) -> Iterator[Choice]:
    for client in clients:
        yield Choice(f"New       {client.name}", _opens(session, client), card=_card(session, client))


def _moved(session: Session, clients: list[Client]) -> Iterator[Choice]:
    arrow = session.screen.sign("→", "->")
    for client in clients:
        line = Text(f"Moved     {clean(client.name)}: ").append_text(moved(client, arrow))
        pieces = tables.styled(session.screen, line, session.screen.width - session.screen.side - _KEYED)
        label = "".join(text for _, text in pieces)
        yield Choice(label, _opens(session, client), pieces=pieces, card=_card(session, client))


def _latest(session: Session, latest: list[Happened]) -> Iterator[Choice]:
    by = session.conventions
    for entry in latest:
        line = Text(f"Latest    {by.day(entry.on)}  ").append_text(tiles.latest_line(entry, by))
        pieces = tables.styled(session.screen, line, session.screen.width - session.screen.side - _KEYED)
        label = "".join(text for _, text in pieces)
        yield Choice(label, _opens(session, entry.client), pieces=pieces, card=_card(session, entry.client))


def _birthdays(session: Session, birthdays: list[Birthday]) -> Iterator[Choice]:
    by = session.conventions
    for birthday in birthdays:
        line = f"Birthday  {tiles.birthday_line(birthday, by)}"
        yield Choice(line, _opens(session, birthday.client), card=_card(session, birthday.client))


def _follow_ups(session: Session, follow_ups: list[FollowUpShown]) -> Iterator[Choice]:
    for follow_up in follow_ups:
        yield Choice(
            f"Mine      {tiles.follow_up_line(follow_up, session.conventions)}", _opens(session, follow_up.follow_up)
        )


def _opens(session: Session, record: Record) -> Callable[[], None]:
    return lambda: session.open(record)


_ENTRIES: Mapping[str, Callable[[Session, Any], Iterator[Choice]]] = {
    "follow-ups": _follow_ups,
    "newest": _newest,
    "moved": _moved,
    "birthdays": _birthdays,
    "latest": _latest,
}
