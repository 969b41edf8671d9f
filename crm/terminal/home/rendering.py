"""The report of today on screen: whole, or in a few lines above the main menu."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import zip_longest
from typing import Any

from rich.text import Text

from crm.commands.context import CRM
from crm.commands.home.figures import Due
from crm.commands.home.tiles import TILES, MessageCount, MonthOfSales, Statuses
from crm.commands.home.today import Brief, TodayReport
from crm.commands.sales.pipeline import StageSum
from crm.model import STATES, Conventions
from crm.terminal.drawing import tables
from crm.terminal.drawing.list_conventions import ListConventions
from crm.terminal.drawing.render import renderer, show
from crm.terminal.drawing.screen import Screen, clean, data
from crm.terminal.home import tiles

_BRIEF_STATUSES = 3
# In fewer columns names cannot be distinguished.
_LEAST_NAMES = 16
_BRIEF_CHART = 2
tables.COLUMNS["crm.commands.home.dashboard.TileShown"] = (
    tables.Column("Place", lambda row, _: data(row.place or "", "muted"), 2, right=True),
    tables.Column("Tile", lambda row, _: data(row.name, "bold"), 0, 8),
    tables.Column("What it shows", lambda row, _: data(row.title), 1, 8),
)


@renderer(TodayReport)
def _(report: TodayReport, screen: Screen, by: Conventions) -> None:
    begun = False
    for name, content in report.tiles.items():
        if name == "agenda":
            drawn = bool(content.count or content.others)
        else:
            drawn = bool(lines := tiles.lines(screen, TILES[name], content, by))
        if not drawn:
            continue
        if begun:
            screen.print()
        begun = True
        if name == "agenda":
            show(screen, content, by)
        else:
            for line in lines:
                screen.print(line)


# The tiles of the brief that are bars and figures, not a line of names; the lines of a title; and as many lines as a
# window has to have left for blank ones; and the width of what is before names.
_DRAWN = ("statuses", "sales")
_TITLE, _ROOMY, _LABEL_WIDTH = 2, 10, 12
# In two columns: the blanks between them, the lines that a tile has at least, and the tiles that come after those of
# the dashboard where there is still room.
_APART, _LEAST_LINES = 4, 3
_FURTHER = ("pipeline", "latest", "follow-ups")


def draw_brief(screen: Screen, crm: CRM, brief: Brief, below: int) -> None:
    """Draw the brief above the main menu, which takes `below` lines. What has no room is not even read."""

    def full() -> bool:
        return not screen.plain and screen.left <= below

    start = brief.read(crm)
    wide = max((len(due.words) for due in start.due), default=0)
    for due in start.due:
        if full():
            return
        screen.print(_due_line(screen, due, wide))
    if screen.side and screen.left - below > _ROOMY:
        _draw_side_by_side(screen, crm, brief, below)
        return
    with closing(brief.tiles(crm)) as contents:
        listed = bool(start.due)
        while not full() and (read := next(contents, None)):
            tile, content = read
            drawn = list(_BRIEF[tile.name](screen, content, crm.conventions, screen.left - below))
            # What is drawn stands apart from what is listed, where all of it has room below a blank line.
            apart = bool(drawn) and listed != (tile.name not in _DRAWN) and screen.used > _TITLE
            if apart and not screen.plain and screen.left - below > len(drawn):
                screen.print()
            listed = tile.name not in _DRAWN
            for line in drawn:
                if full():
                    return
                line.truncate(screen.width, overflow="ellipsis")
                screen.print(line)


def _draw_side_by_side(screen: Screen, crm: CRM, brief: Brief, below: int) -> None:
    """Draw the tiles in two columns of a wide window: each where there is more room, as far as there is any. A tile is
    whole, or it says how much is left out."""
    if screen.used > _TITLE:
        screen.print()
    width = (screen.width - _APART) // 2
    # A blank line is left below.
    room = screen.left - below - 1
    columns: tuple[list[Text], list[Text]] = [], []
    with closing(brief.tiles(crm, _FURTHER)) as contents:
        for tile, content in contents:
            column = min(columns, key=len)
            left = room - len(column) - bool(column)
            if left < _LEAST_LINES:
                break
            if drawn := tiles.lines(screen, tile, content, crm.conventions, width=width, most=left):
                column += [*([Text()] if column else []), *drawn]
    for first, second in zip_longest(*columns, fillvalue=Text()):
        screen.print(Text.assemble(first, " " * (width + _APART - first.cell_len), second))


def _statuses(screen: Screen, statuses: Statuses, by: Conventions, room: int) -> Iterator[Text]:
    # The last line counts the others.
    most = _BRIEF_STATUSES if screen.plain else min(_BRIEF_STATUSES, room - 1)
    if most > 0:
        yield from tiles.statuses(screen, statuses, by, most)


def _sales(screen: Screen, months: Sequence[MonthOfSales], by: Conventions, room: int) -> Iterator[Text]:
    words = list(tiles.sales(months, by, screen.width))
    yield from words
    # Above them there may be a blank line, below the columns the months.
    if room >= 1 + len(words) + _BRIEF_CHART + 1 and any(month.sales for month in months):
        yield from tiles.months(screen, months, by, _BRIEF_CHART)


_Texts = Callable[[Screen, Any, Conventions], Iterable[str]]


def _line(label: str, texts: _Texts) -> Callable[[Screen, Any, Conventions, int], Iterator[Text]]:
    """A renderer of what a tile lists, on one line."""

    def line(screen: Screen, content: Any, by: Conventions, _: int) -> Iterator[Text]:
        if words := ", ".join(clean(text) for text in texts(screen, content, by)):
            yield Text(f"{label:<{_LABEL_WIDTH}}", "muted").append(words, "default")

    return line


def _due_line(screen: Screen, due: Due, wide: int) -> Text:
    """The things to do for one reason on one line: how much, of what is late with a mark, and whom it is about."""
    line = Text("! " if due.late else "  ").append(f"{due.words:<{wide}}")
    line.stylize("overdue" if due.late else "bold")
    names = list(dict.fromkeys(item.client.name for item in due.items))
    # Those that are not listed may be of the same clients.
    dots = "…" if screen.unicode else "..."
    more = f", {dots}" if due.count > len(due.items) else ""
    if screen.plain or screen.width - line.cell_len > _LEAST_NAMES:
        line.append(f"  {clean(', '.join(names))}{more}", "default")
    line.truncate(screen.width, overflow="ellipsis" if screen.unicode else "crop")
    return line


def _pipeline(_: Screen, stages: Sequence[StageSum], by: Conventions) -> Iterator[str]:
    yield from (f"{stage.stage.name} {by.money(stage.value)}" for stage in stages if stage.deals)


def _messages(_: Screen, counts: Sequence[MessageCount], by: Conventions) -> Iterator[str]:
    yield from (f"{by.number(count.messages)} {STATES[count.state]}" for count in counts)


_BRIEF: Mapping[str, Callable[[Screen, Any, Conventions, int], Iterator[Text]]] = {
    "statuses": _statuses,
    "sales": _sales,
    "pipeline": _line("Pipeline", _pipeline),
    "messages": _line("Messages", _messages),
    "follow-ups": _line("Follow-ups", lambda _, value, by: (tiles.follow_up_line(item, by) for item in value)),
    "newest": _line("Newest", lambda _, value, __: (client.name for client in value)),
    "moved": _line(
        "Moved",
        lambda screen, value, _: (f"{client.name} {screen.sign('→', '->')} {client.status}" for client in value),
    ),
    "latest": _line(
        "Latest",
        lambda _, value, by: (
            f"{entry.client.name} {ListConventions.of(by).on_day(entry.on)}: {entry.what}" for entry in value
        ),
    ),
    "birthdays": _line(
        "Birthdays",
        lambda _, value, by: (
            f"{birthday.client.name} {ListConventions.of(by).on_day(birthday.on)}" for birthday in value
        ),
    ),
}
