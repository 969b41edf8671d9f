"""Reports as files: tables for spreadsheets and scripts, pictures to look at."""

import dataclasses
import inspect
import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm.commands.context import CRM
from crm.commands.file_output import confirm_overwrite, ending_of
from crm.commands.registry import command
from crm.commands.reports.report import Column, Report, Row
from crm.commands.reports.report_parameters import ENDINGS, To
from crm.errors import FileError
from crm.model import Conventions
from crm.model.encoding import plain

if TYPE_CHECKING:
    from crm.files.chart_images import Picture

# More could not be distinguished.
_BARS = 40
_MONTH = re.compile(r"\d{4}-\d\d")
# The parameters that every report has.
_FILE = (
    inspect.Parameter("to", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=To),
    inspect.Parameter("yes", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=bool),
)


def report_command(
    words: str, *, title: str, hint: str, menu: str = "reports"
) -> Callable[[Callable[..., Report]], Callable[..., Report]]:
    """Register a function as the command that makes a report. What it gives can be written to a file, whichever report
    it is: `--to` and `--yes` come last among its parameters."""

    def register(function: Callable[..., Report]) -> Callable[..., Report]:
        @wraps(function)
        def run(crm: CRM, *arguments: Any, to: To = None, yes: bool = False, **named: Any) -> Report:
            return _kept(function(crm, *arguments, **named), to, crm, yes=yes)

        own = inspect.signature(function)
        run.__signature__ = own.replace(parameters=[*own.parameters.values(), *_FILE])  # type: ignore[attr-defined]
        return command(words, title=title, menu=menu, hint=hint)(run)

    return register


def _kept(report: Report, to: Path | None, crm: CRM, *, yes: bool) -> Report:
    """The report, written to a file where one is asked for. Raises FieldError for an ending that says nothing, Question
    where such a file is there already, unless `yes` answers it, and FileError."""
    if to is None:
        return report
    ending = ending_of(to, ENDINGS, field="to", label="To file")
    confirm_overwrite(to, yes)
    report = dataclasses.replace(report, file=to)
    match ending:
        case ".json":
            _write_json(to, report)
        case ".csv":
            from crm.files import write_csv

            write_csv(to, _heads(report), _lines(report))
        case ".xlsx":
            from crm.files import write_xlsx

            write_xlsx(to, _heads(report), _lines(report), report.title, report.conventions(crm.conventions).decimals)
        case _:
            from crm.files.chart_images import write_picture

            write_picture(to, pictured(report, report.conventions(crm.conventions)))
    return report


def _heads(report: Report) -> list[str]:
    return [f"{column.title} %" if column.kind == "percent" else column.title for column in report.columns]


def _lines(report: Report) -> Iterator[Row]:
    yield from map(report.written, report.rows)
    if report.total is not None:
        yield report.written(report.total)


def _write_json(file: Path, report: Report) -> None:
    from crm.files.safe_writing import replacing

    with replacing(file) as target:
        written = json.dumps(plain(report), ensure_ascii=False, indent=2) + "\n"
        target.write(written.encode("utf-8", "replace"))


def pictured(report: Report, by: Conventions) -> "Picture":
    """The chart of a report as it is drawn in a picture. Raises FileError where it has none."""
    from crm.files.chart_images import Picture, Series

    chart = report.chart
    if chart is None:
        raise FileError("This report has no picture. Write it as .xlsx, .csv or .json.")
    rows = report.drawn[:_BARS] if chart.kind == "bars" else report.drawn
    columns = [report.column(name) for name in chart.values]
    series = [Series(column.title, report.values(column.name)[: len(rows)]) for column in columns]
    names = [value_text(row[0], report.columns[0], by) or "(none)" for row in rows]
    about = f"{period(report, by)}{f'. {report.note}' if report.note else ''}"
    return Picture(report.title, about, chart.kind, names, series, _in_short(columns[0], by))


def _in_short(column: Column, by: Conventions) -> Callable[[Any], str]:
    """The format of the figures of a column in a picture: amounts without cents."""
    if column.kind == "money":
        return lambda value: by.number(round(value))
    if column.kind == "percent":
        return lambda value: f"{by.number(round(value))} %"
    return lambda value: value_text(value, column, by)


def period(report: Report, by: Conventions) -> str:
    """The exact period in words."""
    if report.since is None:
        return f"until {by.day(report.until)}"
    return f"{by.day(report.since)} to {by.day(report.until)}"


def value_text(value: Any, column: Column, by: Conventions) -> str:
    """A figure as people read it; '' for none."""
    if value is None:
        return ""
    match column.kind:
        case "money":
            return by.money(value)
        case "count":
            return by.number(value)
        case "percent":
            from babel.numbers import format_percent

            sign = "+" if column.signed and value > 0 else ""
            return sign + format_percent(value / 100, "#,##0.0 %", by.locale)
        case "decimal":
            return f"{value:f}"
        case "date":
            return by.day(value) if isinstance(value, date) else str(value)
        case "month" if _MONTH.fullmatch(str(value)):
            return by.month(date.fromisoformat(f"{value}-01"))
    return str(value)
