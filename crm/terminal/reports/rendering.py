"""Reports on screen: a table, and a chart under it."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from rich.text import Text

from crm.commands.reports.report import Column, Report, Row
from crm.commands.reports.writing import period, value_text
from crm.model import Conventions
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import in_line, side_card, side_width
from crm.terminal.drawing.charts import bar, columns, shade
from crm.terminal.drawing.list_conventions import ListConventions
from crm.terminal.drawing.render import renderer, show
from crm.terminal.drawing.screen import Screen, clean, data
from crm.terminal.drawing.tables import styled
from crm.terminal.drawing.theme import status_style

# Beside a menu: the rows that are seen at least, and the title, the period, the heads and the blank lines.
_LEAST_ROWS, _AROUND_ROWS = 3, 6
_HEIGHT = 4
_BARS = 15
_WIDEST_BAR, _WIDEST_COLUMN = 100, 9


@renderer(Report)
def _(result: Report, screen: Screen, by: Conventions) -> None:
    by = result.conventions(by)
    draw_heading(screen, result, by)
    draw_table(screen, result, by)
    draw_chart(screen, result, by)
    if result.file is not None:
        from crm.commands.data.store import FileWritten

        show(screen, FileWritten(result.file, "the report"), by)


def draw_heading(screen: Screen, report: Report, by: Conventions, *, note: bool = True) -> None:
    """Draw the title of a report, its period, and with `note` its explanation."""
    title, when = Text(report.title, "bold"), Text(period(report, by), "muted")
    if screen.plain:
        screen.print(title)
        screen.print(when)
    else:
        in_line(screen, [title, when])
    if note:
        draw_note(screen, report)


def draw_note(screen: Screen, report: Report) -> None:
    """Draw the explanation of a report."""
    if report.note:
        screen.print(Text(report.note, "muted"))


def draw_table(screen: Screen, report: Report, by: Conventions, first: int = 0, most: int | None = None) -> None:
    """The rows, or `most` of them from one on, and the total."""
    if not report.rows:
        screen.print(Text(report.nothing, "muted"))
        return
    rows = list(report.rows[first:] if most is None else report.rows[first : first + most])
    if report.total is not None:
        rows.append(report.total)
    heads = [_head(report, place, column, is_read=not screen.piped) for place, column in enumerate(report.columns)]
    screen.print(tables.table(heads, rows, by, screen.width))


def _head(report: Report, place: int, column: Column, *, is_read: bool = True) -> tables.Column:
    """A column of the table; the further to the right it stands, the sooner it gives way. Where `is_read` by a person,
    a change from nothing has a word."""

    def text(row: Row, by: Conventions) -> Text:
        if place == 0:
            return data(_named(row, report, by), "bold" if row is report.total else "")
        value = row[place]
        style = "bold" if row is report.total else ""
        if column.signed and value is None and is_read and any(row[1:place]):
            return Text("new", "muted")
        if column.signed and value:
            style = "success" if value > 0 else "danger"
        return data(_figure(report, column, value, by), style)

    title = column.title.rstrip() or column.name
    return tables.Column(title, text, place, 12 if place == 0 else None, right=place > 0 and column.kind != "text")


def _named(row: Row, report: Report, by: Conventions) -> str:
    return value_text(row[0], report.columns[0], by) or "(none)"


def _figure(report: Report, column: Column, value: Any, by: Conventions) -> str:
    # Of many beside each other whole per cent tell enough, and more of them have room.
    if value is not None and column.kind == "percent" and report.chart and report.chart.kind == "grid":
        return f"{by.number(round(value))} %"
    return value_text(value, column, by)


def report_side(screen: Screen, report: Report, by: Conventions, most: int) -> list[tuple[str, str]]:
    """A report beside the menu that leads to it, on `most` lines: its first rows, of months the latest, and its chart
    where there is room for it."""
    by, width = ListConventions.of(report.conventions(by)), side_width(screen)
    pieces = side_card(screen, [Text(report.title, "bold"), Text(period(report, by), "muted")], ())
    if not report.rows:
        return [*pieces, *side_card(screen, [Text(report.missing, "muted")], ())]
    chart = [styled(screen, line, width) for line in chart_lines(screen, report, by, width)]
    room = max(_LEAST_ROWS, most - len(chart) - _AROUND_ROWS)
    columns = [_head(report, place, column) for place, column in enumerate(report.columns)]
    rows = report.rows[-room:] if report.columns[0].kind == "month" else report.rows[:room]
    head, lines = tables.lines(screen, columns, rows, by, width)
    pieces += [("", "\n"), ("muted", f"  {head}\n")]
    drawn = [line for _, line in lines]
    if len(drawn) + len(chart) + _AROUND_ROWS <= most:
        drawn += [[], *chart]
    return [*pieces, *(piece for line in drawn for piece in (("", "  "), *line, ("", "\n")))]


def draw_chart(screen: Screen, report: Report, by: Conventions) -> None:
    """The chart, where the report has one and there is something to draw."""
    lines = [] if screen.piped else chart_lines(screen, report, by)
    if lines:
        screen.print()
    for line in lines:
        line.truncate(screen.width, overflow=_overflow(screen))
        screen.print(line)


def _overflow(screen: Screen) -> Literal["ellipsis", "crop"]:
    return "ellipsis" if screen.unicode else "crop"


def chart_lines(screen: Screen, report: Report, by: Conventions, width: int = 0) -> list[Text]:
    """The chart line by line, as wide as the window or as `width`; none where there is nothing to draw."""
    chart = report.chart
    if chart is None or not any(value for name in chart.values for value in report.values(name)):
        return []
    draw = {"columns": _columns, "bars": _bars, "grid": _grid}[chart.kind]
    return list(draw(screen, report, [report.column(name) for name in chart.values], by, width or screen.width))


def _columns(screen: Screen, report: Report, drawn: Sequence[Column], by: Conventions, width: int) -> Iterator[Text]:
    """Columns for each of several figures in turn, on one scale; the last ones where not all have room."""
    names = [_named(row, report, by) for row in report.drawn][1 - width :]
    figures = [[value or 0 for value in report.values(column.name)][-len(names) :] for column in drawn]
    most = max(value for values in figures for value in values)
    step = max(1, min(_WIDEST_COLUMN, (width - 1) // len(names)))
    for column, values in zip(drawn, figures, strict=True):
        if not any(values):
            continue
        highest = max(range(len(values)), key=values.__getitem__)
        scale = f" (highest {value_text(values[highest], column, by)} in {names[highest]})"
        yield Text(column.title).append(scale, "muted")
        for line in columns(values, _HEIGHT, most=most, unicode=screen.unicode):
            yield Text("".join((sign * max(1, step - 1)).ljust(step) for sign in line), "accent")
    if step > 2:
        is_month = report.columns[0].kind == "month"
        ticks = [_month(name, step - 1) if is_month else _short(name, step - 1) for name in names]
        yield Text("".join(f"{tick:<{step}}" for tick in ticks), "muted")
    else:
        yield Text(f"{names[0]} {screen.sign('…', '...')} {names[-1]}", "muted")


def _month(name: str, room: int) -> str:
    """A month without its year, where there is no room for that."""
    return name if len(name) <= room else name.rpartition(" ")[0][:room]


def _short(name: str, room: int) -> str:
    """The end of a period's name, which is what differs: 03 of 2026-03."""
    ends = (name, name[2:], name.rpartition("-")[2])
    return next((end for end in ends if len(end) <= room), name[-room:])


def _bars(screen: Screen, report: Report, drawn: Sequence[Column], by: Conventions, width: int) -> Iterator[Text]:
    """A bar for each row."""
    column = drawn[0]
    rows = report.drawn[:_BARS]
    values = [value or 0 for value in report.values(column.name)[: len(rows)]]
    most = max(map(abs, values))
    names = [data(_named(row, report, by)) for row in rows]
    wide = min(max(name.cell_len for name in names), width // 3)
    figures = [value_text(value, column, by) for value in values]
    figure_wide = max(map(len, figures))
    yield Text(column.title)
    # A status has the same colour as in lists.
    styles = [status_style(str(row[0])) if report.columns[0].name == "status" else "" for row in rows]
    for name, value, figure, style in zip(names, values, figures, styles, strict=True):
        name.truncate(wide, overflow=_overflow(screen), pad=True)
        name.stylize(style)
        room = max(1, min(_WIDEST_BAR, width - wide - figure_wide - 5))
        drawn_bar = bar(value, most, room, unicode=screen.unicode)
        yield name.append(f"  {figure:>{figure_wide}}  ", "bold").append(drawn_bar, screen.bar_token(style))
    if len(report.drawn) > _BARS:
        yield Text(f"and {by.number(len(report.drawn) - _BARS)} more", "muted")


def _grid(screen: Screen, report: Report, drawn: Sequence[Column], by: Conventions, width: int) -> Iterator[Text]:
    """A sign for each cell, the darker the more."""
    values = [report.values(column.name) for column in drawn]
    most = max(value or 0 for column in values for value in column)
    names = [_named(row, report, by) for row in report.drawn]
    wide = min(max(map(len, names)), width // 3)
    step = max(1, min(4, (width - wide - 2) // len(drawn)))
    if step > max(len(column.title) for column in drawn):
        yield Text(" " * (wide + 2) + "".join(f"{column.title:<{step}}" for column in drawn), "muted")
    for place, name in enumerate(names):
        signs = (shade(column[place], most, unicode=screen.unicode) * step for column in values)
        yield Text(f"{clean(name)[:wide]:<{wide}}  ").append("".join(signs), "accent")
    key = " ".join(shade(part, 8, unicode=screen.unicode) for part in (0, 1, 3, 5, 7))
    yield Text(f"{key}  0 to {value_text(most, drawn[0], by)}", "muted")
