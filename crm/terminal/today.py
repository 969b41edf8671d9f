"""The report of today on screen: whole, or in a few lines above the main menu."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.text import Text

from crm.commands.groups import how_many
from crm.commands.today import TodayReport
from crm.model import Client, Conventions
from crm.terminal.charts import bar, change, columns
from crm.terminal.screen import Screen, clean, data, status_style

_STATUSES = 8
_BRIEF_STATUSES = 3
_NARROW = 70
_TO_DO = 3


def draw(screen: Screen, report: TodayReport, by: Conventions) -> None:
    """The whole report."""
    from crm.terminal.render import show

    if report.agenda.count or report.agenda.others:
        show(screen, report.agenda, by)
        screen.print()
    draw_figures(screen, report, by)
    _named(screen, "Newest clients", report.newest, lambda each: each.email or each.city)
    _named(screen, "Moved lately", report.moved, lambda each: _moved(screen, each))
    if report.birthdays:
        screen.print()
        screen.print(Text("Birthdays", "bold"))
        for each in report.birthdays:
            screen.print(data(f"  {each.client.name} turns {each.turns} on {by.day(each.on)}"))


def draw_figures(screen: Screen, report: TodayReport, by: Conventions, *, chart: bool = True) -> None:
    """How many clients and sales there are, with a chart of the months unless there is no room for it."""
    screen.print(Text(f"{by.day(report.on)} · {how_many(report.clients, 'client', 'clients', by)}", "bold"))
    _print(screen, _statuses(screen, report, by, _STATUSES))
    screen.print()
    _print(screen, _sales(report, by, screen.width))
    if chart and any(month.amount for month in report.months):
        _print(screen, _chart(screen, report, by, 4))


def draw_brief(screen: Screen, report: TodayReport, by: Conventions, below: int) -> None:
    """What fits above the main menu, which takes `below` lines."""
    _print(screen, _statuses(screen, report, by, _BRIEF_STATUSES), below)
    _print(screen, _sales(report, by, screen.width), below)
    if screen.left >= below + 4 and any(month.sales for month in report.months):
        _print(screen, _chart(screen, report, by, 2))
    lists: Sequence[tuple[str, Iterable[str]]] = (
        ("To do", _to_do(report, by)),
        ("Newest", (each.name for each in report.newest)),
        ("Moved", (f"{each.name} {screen.sign('→', '->')} {each.status}" for each in report.moved)),
        ("Birthdays", (f"{each.client.name} {_soon(report, each.on, by)}" for each in report.birthdays)),
    )
    for label, names in lists:
        told = ", ".join(clean(name) for name in names)
        if told and screen.left > below:
            line = Text(f"{label} ", "dim").append(told, "default")
            line.truncate(screen.width, overflow="ellipsis")
            screen.print(line)


def _to_do(report: TodayReport, by: Conventions) -> Iterator[str]:
    """What needs doing most, and how much more there is."""
    agenda = report.agenda
    shown = agenda.items[:_TO_DO]
    yield from (f"{each.what} ({each.client.name}, {each.why})" for each in shown)
    if more := agenda.count - len(shown):
        yield f"and {by.number(more)} more"
    elif not shown and agenda.others:
        yield f"{by.number(agenda.others)} of others"


def _soon(report: TodayReport, on: object, by: Conventions) -> str:
    return "today" if on == report.on else f"on {by.day(on)}"  # type: ignore[arg-type]


def _print(screen: Screen, lines: Iterable[Text], below: int = 0) -> None:
    for line in lines:
        if below and not screen.plain and screen.left <= below:
            return
        line.truncate(screen.width, overflow="ellipsis")
        screen.print(line)


def _statuses(screen: Screen, report: TodayReport, by: Conventions, most: int) -> Iterator[Text]:
    if not report.statuses:
        return
    shown = list(report.statuses[:most])
    label = min(max(max(Text(clean(each.status)).cell_len for each in shown), 8), screen.width // 3)
    room = min(40, screen.width - label - len(by.number(report.clients)) - 4)
    largest = max(each.clients for each in shown)
    for each in shown:
        name = data(each.status or "(none)", status_style(each.status))
        name.truncate(label, overflow="ellipsis", pad=True)
        count = f"{by.number(each.clients):>{len(by.number(report.clients))}}"
        drawn = bar(each.clients, largest, room, unicode=screen.unicode)
        yield name.append(f"  {count}  ", "bold").append(drawn, status_style(each.status) or "cyan")
    if rest := report.statuses[most:]:
        yield Text(f"and {by.number(sum(each.clients for each in rest))} with {len(rest)} other statuses", "dim")


def _sales(report: TodayReport, by: Conventions, width: int) -> Iterator[Text]:
    year_ago, last, this = report.months[0], report.months[-2], report.months[-1]
    yield (
        Text("Sales this month ")
        .append(by.money(this.amount), "bold")
        .append(f" in {by.number(this.sales)}" if this.sales else "", "dim")
    )
    compared = [
        (change(this.amount, month.amount), month) for month in (last, year_ago) if month.amount or month is last
    ]
    line = Text(" ")
    for told, month in compared:
        style = "green" if told.startswith(("+", "much more")) else "red"
        if told:
            line.append(f" {told}", style)
            line.append(f" on {by.month(month.month)} ({by.money(month.amount)})", "dim")
        else:
            line.append(f" {by.month(month.month)}: {by.money(month.amount)}", "dim")
        if width < _NARROW:
            yield line
            line = Text(" ")
    if width >= _NARROW and any(month.amount for month in report.months):
        yield line


def _chart(screen: Screen, report: TodayReport, by: Conventions, height: int) -> Iterator[Text]:
    months = report.months[1:]
    each = max(2, min(6, (screen.width - 1) // len(months)))
    lines = columns([month.amount for month in months], height, unicode=screen.unicode)
    for line in lines:
        drawn = Text()
        for place, character in enumerate(line):
            drawn.append(character * (each - 1) + " ", "bold cyan" if place == len(line) - 1 else "cyan")
        yield drawn
    names = [by.month(month.month).split()[0][: each - 1] for month in months]
    yield Text("".join(f"{name:<{each}}" for name in names), "dim")


def _moved(screen: Screen, client: Client) -> str:
    return f"{client.status_before} {screen.sign('→', '->')} {client.status}"


def _named(screen: Screen, title: str, clients: Sequence[Client], about: Callable[[Client], str]) -> None:
    if not clients:
        return
    screen.print()
    screen.print(Text(title, "bold"))
    for each in clients:
        line = Text("  ").append(clean(each.name)).append(f"  {clean(about(each))}", "dim")
        line.truncate(screen.width, overflow="ellipsis")
        screen.print(line)
