"""The tiles of a dashboard as lines on screen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from rich.text import Text

from crm.commands.activity.follow_up_lists import FollowUpShown
from crm.commands.client_selection import pluralize
from crm.commands.home.tiles import Billed, Birthday, Happened, MessageCount, MonthOfSales, Statuses, Tile
from crm.commands.sales.pipeline import StageSum
from crm.model import STATES, Client, Conventions
from crm.terminal.drawing.charts import bar, change, columns
from crm.terminal.drawing.list_conventions import ListConventions
from crm.terminal.drawing.screen import Screen, clean, data
from crm.terminal.drawing.theme import status_style

if TYPE_CHECKING:
    from crm.commands.reports.report import Report

STATUSES = 8
_NARROW = 70
_ROWS = 5
_BAR = 60
_CHART = 4
# A name, what it comes to in words, and how much that is.
Bar = tuple[Text, str, Any]


def lines(
    screen: Screen,
    tile: Tile,
    content: Any,
    by: Conventions,
    *,
    chart: bool = True,
    width: int = 0,
    most: int = 0,
) -> list[Text]:
    """A tile whole, its title first, as wide as the window or as `width`; none where there is nothing to show. Without
    a `chart` sales are given in words. In `most` lines, at least three, sales have no chart if it does not fit, and a
    last line counts the rows that do not."""
    if most and len(whole := lines(screen, tile, content, by, chart=chart, width=width)) <= most:
        return whole
    width = width or screen.width
    if tile.report:
        body = list(_report(screen, content, by))
    elif tile.name == "sales":
        drawn = months(screen, content, by, _CHART, width) if chart and not most else ()
        return _fitted(screen, [*sales(content, by, width), *drawn], width)
    elif isinstance(content, Statuses):
        listed = most - 2 if most else STATUSES
        title = pluralize(content.clients, "client", "clients", by)
        return _fitted(screen, [Text(title, "bold"), *statuses(screen, content, by, listed, width)], width)
    elif tile.name == "pipeline":
        body = list(_pipeline(screen, content, by, width))
    else:
        body = list(_DRAWN[tile.name](screen, content, by))
    if most and body:
        # The title and the count of the rest take two lines.
        rest = len(body) - (most - 2)
        body[most - 2 :] = [Text(f"and {by.number(rest)} more", "muted")]
    return _fitted(screen, [Text(tile.title, "bold"), *body], width) if body else []


def _fitted(screen: Screen, drawn: Sequence[Text], width: int) -> list[Text]:
    for line in drawn:
        line.truncate(width, overflow="ellipsis" if screen.unicode else "crop")
    return list(drawn)


def bars(screen: Screen, rows: Sequence[Bar], width: int = 0) -> Iterator[Text]:
    """A line for each row: its name, its figure, and a bar; as wide as the window or as `width`."""
    if not rows:
        return
    if screen.piped:
        yield from (Text(f"{name.plain}\t{amount_text}") for name, amount_text, _ in rows)
        return
    width = width or screen.width
    label = min(max(max(name.cell_len for name, _, _ in rows), 8), width // 3)
    figure = max(len(amount_text) for _, amount_text, _ in rows)
    most = max(abs(value or 0) for _, _, value in rows)
    room = max(0, min(_BAR, width - label - figure - 4))
    for name, amount_text, value in rows:
        style = screen.bar_token(str(name.style))
        name.truncate(label, overflow="ellipsis", pad=True)
        drawn = bar(value or 0, most, room, unicode=screen.unicode) if room else ""
        yield name.append(f"  {amount_text:>{figure}}  ", "bold").append(drawn, style)


def statuses(screen: Screen, report: Statuses, by: Conventions, most: int, width: int = 0) -> Iterator[Text]:
    """Clients by status, the `most` frequent ones."""
    named = report.statuses[:most]
    yield from bars(
        screen,
        [
            (data(status.status or "(none)", status_style(status.status)), by.number(status.clients), status.clients)
            for status in named
        ],
        width,
    )
    if rest := report.statuses[most:]:
        others = pluralize(len(rest), "other status", "other statuses", by)
        yield Text(f"and {by.number(sum(status.clients for status in rest))} with {others}", "muted")


def sales(year: Sequence[MonthOfSales], by: Conventions, width: int) -> Iterator[Text]:
    """The sales of this month, beside those of the last and of the one a year ago."""
    year_ago, last, this = year[0], year[-2], year[-1]
    yield (
        Text("Sales this month ")
        .append(by.money(this.amount), "bold")
        .append(f" in {by.number(this.sales)} {'sale' if this.sales == 1 else 'sales'}" if this.sales else "", "muted")
    )
    if not any(month.amount for month in year):
        return
    compared = []
    for month in (last, year_ago):
        if trend := change(this.amount, month.amount):
            words = f" vs. {by.month(month.month)} ({by.money(month.amount)})"
            style = "success" if trend.startswith(("+", "much more")) else "danger"
            compared.append(Text.assemble((trend, style), (words, "muted")))
        elif month is last or width >= _NARROW:
            compared.append(Text(f"no sales in {by.month(month.month)}", "muted"))
    for line in [Text("  ").join(compared)] if width >= _NARROW else compared:
        yield Text("  ").append_text(line)


def months(
    screen: Screen, year: Sequence[MonthOfSales], by: Conventions, height: int, width: int = 0
) -> Iterator[Text]:
    """The sales of the last twelve months as columns, as wide as the window or as `width`; nothing where there were
    none."""
    if not any(month.amount for month in year):
        return
    drawn = year[1:]
    if screen.piped:
        yield from (Text(f"{by.month(month.month)}\t{by.money(month.amount)}") for month in drawn)
        return
    step = max(2, min(6, ((width or screen.width) - 1) // len(drawn)))
    for line in columns([month.amount for month in drawn], height, unicode=screen.unicode):
        text = Text()
        for place, character in enumerate(line):
            text.append(character * (step - 1) + " ", "chosen" if place == len(line) - 1 else "accent")
        yield text
    yield Text(_under([month.month for month in drawn], step, screen, by), "muted")


def _under(days: Sequence[date], step: int, screen: Screen, by: Conventions) -> str:
    """The labels under columns that are so wide: the months by name, by number where the names cannot be distinguished,
    and where there is no room for that either the first and the last."""
    named = [by.month(month).split()[0][: step - 1] for month in days]
    if len(set(named)) < len(named):
        named = [f"{month:%m}" for month in days]
    if any(len(name) >= step for name in named):
        return f"{by.month(days[0])} {screen.sign('…', '...')} {by.month(days[-1])}"
    return "".join(f"{name:<{step}}" for name in named)


def _report(screen: Screen, report: "Report", by: Conventions) -> Iterator[Text]:
    """The chart, of its first figure alone; of bars the first ones, each with its figure."""
    from crm.commands.reports.report import Chart
    from crm.commands.reports.writing import value_text
    from crm.terminal.reports.rendering import chart_lines

    chart, by = report.chart, report.conventions(by)
    if not report.rows:
        yield Text(report.missing, "muted")
    elif chart is not None and chart.kind == "columns":
        yield from chart_lines(screen, replace(report, chart=Chart("columns", chart.values[:1], chart.rows)), by)
    elif chart is not None and chart.kind == "grid":
        yield from chart_lines(screen, report, by)
    else:
        column = report.column(chart.values[0]) if chart else report.columns[1]
        place = list(report.columns).index(column)
        first = report.rows[:_ROWS]
        named = [data(value_text(row[0], report.columns[0], by) or "(none)") for row in first]
        yield from bars(
            screen,
            [(name, value_text(row[place], column, by), row[place]) for name, row in zip(named, first, strict=True)],
        )
        if len(report.rows) > _ROWS:
            yield Text(f"and {by.number(len(report.rows) - _ROWS)} more", "muted")


def _pipeline(screen: Screen, stages: Sequence[StageSum], by: Conventions, width: int) -> Iterator[Text]:
    if any(stage.deals for stage in stages):
        labels = (f"{by.number(stage.deals)}  {by.money(stage.value)}" for stage in stages)
        yield from bars(
            screen,
            [(data(stage.stage.name), words, stage.value) for stage, words in zip(stages, labels, strict=True)],
            width,
        )


def _messages(_: Screen, counts: Sequence[MessageCount], by: Conventions) -> Iterator[Text]:
    for count in counts:
        style = "danger" if count.state == "failed" else "warning" if count.state == "unsure" else ""
        yield Text("  ").append(f"{by.number(count.messages)} {STATES[count.state]}", style)


def _billing(_: Screen, rows: Sequence[Billed], by: Conventions) -> Iterator[Text]:
    for row in rows:
        own = replace(by, currency=row.currency or by.currency)
        line = Text("  open ").append(own.money(row.open), "bold")
        if row.overdue:
            line.append(f"  ! overdue {own.money(row.overdue)}", "overdue")
        yield line.append(f"  paid this month {own.money(row.paid_this_month)}", "default")


def _follow_ups(_: Screen, follow_ups: Sequence[FollowUpShown], by: Conventions) -> Iterator[Text]:
    for follow_up in follow_ups:
        yield Text("  ").append(clean(follow_up_line(follow_up, by)))


def follow_up_line(item: FollowUpShown, by: Conventions) -> str:
    """A follow-up on one line, when it is due first."""
    return f"{item.when(by)}: {item.follow_up.what} ({item.client.name})"


def _newest(_: Screen, clients: Sequence[Client], __: Conventions) -> Iterator[Text]:
    for client in clients:
        yield Text("  ").append(clean(client.name)).append(f"  {clean(client.email or client.city)}", "muted")


def _moved(screen: Screen, clients: Sequence[Client], _: Conventions) -> Iterator[Text]:
    arrow = screen.sign("→", "->")
    for client in clients:
        yield Text("  ").append(clean(client.name)).append("  ").append_text(moved(client, arrow))


def moved(client: Client, arrow: str) -> Text:
    """The status that a client had, and the one that it has, each in its colour."""
    before, after = client.status_before, client.status
    return data(before, status_style(before)).append(f" {arrow} ", "muted").append(clean(after), status_style(after))


def _latest(_: Screen, latest: Sequence[Happened], by: Conventions) -> Iterator[Text]:
    days = [ListConventions.of(by).day(entry.on) for entry in latest]
    wide = max(map(len, days), default=0)
    for entry, day in zip(latest, days, strict=True):
        yield Text(f"  {day:<{wide}}  ", "muted").append_text(latest_line(entry, by))


def latest_line(entry: Happened, by: Conventions) -> Text:
    """The latest contact or sale of a client on one line, without its day."""
    line = Text().append(f"{clean(entry.client.name)}  ", "default")
    if entry.amount is not None:
        line.append(f"{by.money(entry.amount)}  ", "money")
    return line.append(clean(entry.what), "muted")


def _birthdays(_: Screen, birthdays: Sequence[Birthday], by: Conventions) -> Iterator[Text]:
    for birthday in birthdays:
        yield data(f"  {birthday_line(birthday, by)}")


def birthday_line(birthday: Birthday, by: Conventions) -> str:
    """A birthday on one line."""
    return f"{birthday.client.name} turns {birthday.turns} {ListConventions.of(by).on_day(birthday.on)}"


_DRAWN: Mapping[str, Callable[[Screen, Any, Conventions], Iterator[Text]]] = {
    "billing": _billing,
    "messages": _messages,
    "follow-ups": _follow_ups,
    "newest": _newest,
    "moved": _moved,
    "birthdays": _birthdays,
    "latest": _latest,
}
