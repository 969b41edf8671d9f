"""A report: title, exact period, columns, rows, total, and which column is drawn how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Literal

from crm.model import Conventions
from crm.model.money import NOTHING, as_written_in

Kind = Literal["text", "money", "count", "percent", "date", "month", "decimal"]
Row = Sequence[Any]

_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a report; `name` is what scripts call it. `signed` where more or less is what counts."""

    name: str
    title: str
    kind: Kind = "text"
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing of columns, by name: `columns` are side by side along the rows and share their scale, `bars` lie one
    below another, a `grid` has a cell for each row and column, the darker the more. `rows` is how many of the first
    rows are drawn, all unless given."""

    kind: Literal["columns", "bars", "grid"]
    values: tuple[str, ...]
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a period: the days from `since` to `until`, both of them included; `since` is None where all that
    ever was counts.

    The first column names the row. Money is in major units of `currency`, that of the team if empty; a percentage
    is in hundredths, to two decimals. None is where there is no figure, as of a share of nothing. `note` says
    how the figures are to be understood, `nothing` what is missing where there are no rows and when some appear,
    `file` is where they were written to, if anywhere.
    """

    title: str
    since: date | None
    until: date
    columns: Sequence[Column]
    rows: Sequence[Row]
    total: Row | None = None
    chart: Chart | None = None
    note: str = ""
    file: Path | None = None
    currency: str = ""
    nothing: str = "No data in this period."
    _places: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", {column.name: place for place, column in enumerate(self.columns)})

    @property
    def missing(self) -> str:
        """The data that is missing where there are no rows, in few words."""
        return f"{self.nothing.partition('. ')[0].removesuffix('.')}."

    def column(self, name: str) -> Column:
        """The column that scripts call so. Raises KeyError."""
        return self.columns[self._places[name]]

    def values(self, name: str) -> list[Any]:
        """The values of a column, row by row. Raises KeyError."""
        place = self._places[name]
        return [row[place] for row in self.rows]

    def conventions(self, by: Conventions) -> Conventions:
        """The team's conventions, with the currency of the report."""
        return replace(by, currency=self.currency) if self.currency else by

    def written(self, row: Row) -> Row:
        """A row for files: money with the decimals of the currency that the report names."""
        if not self.currency:
            return row
        return tuple(
            as_written_in(value, self.currency) if column.kind == "money" and isinstance(value, Decimal) else value
            for column, value in zip(self.columns, row, strict=True)
        )

    def _as_object(self, row: Row) -> dict[str, Any]:
        """A row for scripts; what has its decimals already keeps them."""
        exact = {"decimal", "money"} if self.currency else {"decimal"}
        return {
            column.name: f"{value:f}" if column.kind in exact and isinstance(value, Decimal) else value
            for column, value in zip(self.columns, self.written(row), strict=True)
        }

    @property
    def drawn(self) -> Sequence[Row]:
        """The rows that the chart is of; none without a chart."""
        return [] if self.chart is None else self.rows[: self.chart.rows]

    def as_json(self) -> dict[str, Any]:
        """The report for scripts: rows are objects."""
        return {
            "title": self.title,
            "since": self.since,
            "until": self.until,
            **({"currency": self.currency} if self.currency else {}),
            "note": self.note,
            "columns": [{"name": column.name, "title": column.title, "kind": column.kind} for column in self.columns],
            "rows": [self._as_object(row) for row in self.rows],
            "total": None if self.total is None else self._as_object(self.total),
            "chart": None if self.chart is None else {"kind": self.chart.kind, "values": self.chart.values},
            "file": self.file,
        }


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """A part in hundredths of a whole, to two decimals; None where the whole is nothing, or less."""
    if whole <= 0:
        return None
    return (Decimal(part) * 100 / Decimal(whole)).quantize(_HUNDREDTH, ROUND_HALF_UP)


def change(now: Decimal, before: Decimal) -> Decimal | None:
    """The growth in hundredths of what was before; None where there was nothing before, or less."""
    return percent(now - before, before)


def others(count: int) -> str:
    """The name of the row that those share who have none of their own."""
    return f"{count} {'other' if count == 1 else 'others'}"


def amount(sum_of: Decimal | None) -> Decimal:
    """A sum as SQL gives it: that of no rows is nothing."""
    return NOTHING if sum_of is None else sum_of
