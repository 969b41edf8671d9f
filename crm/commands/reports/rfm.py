"""Recency, frequency, monetary value: clients sorted by how lately, how often and for how much they bought."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.registry import About
from crm.commands.reports.report import Chart, Column, Report, Row, amount, percent
from crm.commands.reports.writing import report_command
from crm.model.fields import Choice
from crm.repository.queries import reports

_AS = {
    "clients": "Number of clients",
    "amount": "Amount they spent",
    "segments": "Segments",
    "cells": "Every cell",
}
_SCORES = range(1, 6)
# By recency, then by frequency: the words that people use, the best first.
_SEGMENTS = {
    "Champions": ((5,), (4, 5)),
    "Loyal": ((3, 4), (4, 5)),
    "Potential loyalists": ((4, 5), (2, 3)),
    "New": ((5,), (1,)),
    "Promising": ((4,), (1,)),
    "Need attention": ((3,), (3,)),
    "About to sleep": ((3,), (1, 2)),
    "Can't lose": ((1, 2), (5,)),
    "At risk": ((1, 2), (3, 4)),
    "Hibernating": ((1, 2), (1, 2)),
}
_NOTE = "R: how recently, F: how often, M: how much they spent. 5 is the top 20 % of all who bought."


@dataclass(frozen=True, slots=True)
class _Cell:
    recency: int
    frequency: int
    monetary: int
    clients: int
    amount: Decimal

    @property
    def segment(self) -> str:
        return next(
            word
            for word, (recencies, frequencies) in _SEGMENTS.items()
            if self.recency in recencies and self.frequency in frequencies
        )


@report_command("reports rfm", title="Best and lapsed clients (RFM)", hint="Who buys most, and who stopped")
def rfm(
    crm: CRM,
    of: Annotated[str, Choice(_AS), About("Show", "clients, amount, segments or cells", positional=True)] = "clients",
) -> Report:
    """Show your best and your lapsed clients: by recency (R), frequency (F) and money spent (M), in fifths.

    The scores go from 5, for the top 20 %, down to 1, as in Arthur Hughes (Strategic Database Marketing, 1994): with
    n clients who bought, R is 5 - (5 x how many bought later / n), F is 1 + (5 x how many bought less often / n) and M
    is 1 + (5 x how many spent less / n), quotients rounded down. Unlike there, clients with the same value get the same
    score. So a fifth may be larger or smaller, and with fewer than five clients some are empty. A cell is one R, F and
    M.

    The segments are the words in common use, by R and F: champions (R 5, F 4-5), loyal (3-4, 4-5), potential loyalists
    (4-5, 2-3), new (5, 1), promising (4, 1), need attention (3, 3), about to sleep (3, 1-2), can't lose (1-2, 5), at
    risk (1-2, 3-4), hibernating (1-2, 1-2).
    """
    of = of or "clients"
    with crm.read() as snapshot:
        cells = [_Cell(int(r), int(f), int(m), many, amount(sold)) for r, f, m, many, sold in reports.rfm(snapshot)]
    shapes = {"clients": _grid, "amount": _grid_of_amounts, "segments": _segments, "cells": _every}
    columns, rows, total, chart = shapes[of](cells)
    title = "Best and lapsed clients (RFM)"
    nothing = "No sales yet. A client appears here with its first sale."
    return Report(title, None, crm.today, columns, rows, total if cells else None, chart, _NOTE, nothing=nothing)


_Shape = tuple[Sequence[Column], Sequence[Row], Row, Chart | None]


def _both(cells: Iterable[_Cell]) -> tuple[int, Decimal]:
    """The number of clients, and what they bought for."""
    listed = list(cells)
    return sum(cell.clients for cell in listed), sum((cell.amount for cell in listed), amount(None))


def _grid(cells: Sequence[_Cell], *, money: bool = False) -> _Shape:
    """A row for each recency, a column for each frequency."""

    def row(name: str, those: Sequence[_Cell]) -> Row:
        by_frequency = (_both(cell for cell in those if cell.frequency == score)[money] for score in _SCORES)
        return (name, *by_frequency, *_both(those)[:: -1 if money else 1])

    rows = [row(f"R{score}", [cell for cell in cells if cell.recency == score]) for score in reversed(_SCORES)]
    frequencies = [Column(f"f{score}", f"F{score}", "money" if money else "count") for score in _SCORES]
    sums = [Column("clients", "Clients", "count"), Column("amount", "Amount", "money")][:: -1 if money else 1]
    columns = (Column("recency", "Recency"), *frequencies, *sums)
    chart = Chart("grid", tuple(frequency.name for frequency in frequencies))
    return columns, rows if cells else [], row("Total", cells), chart


def _grid_of_amounts(cells: Sequence[_Cell]) -> _Shape:
    return _grid(cells, money=True)


def _segments(cells: Sequence[_Cell]) -> _Shape:
    clients, sold = _both(cells)
    by_word: dict[str, list[_Cell]] = defaultdict(list)
    for cell in cells:
        by_word[cell.segment].append(cell)

    def row(name: str, those: Sequence[_Cell]) -> Row:
        many, sum_of = _both(those)
        return name, many, percent(many, clients), sum_of, percent(sum_of, sold)

    columns = (
        Column("segment", "Segment"),
        Column("clients", "Clients", "count"),
        Column("share", "Share", "percent"),
        Column("amount", "Amount", "money"),
        Column("amount_share", "Of amount", "percent"),
    )
    rows = [row(word, by_word[word]) for word in _SEGMENTS if word in by_word]
    return columns, rows, row("Total", cells), Chart("bars", ("clients",))


def _every(cells: Sequence[_Cell]) -> _Shape:
    columns = (
        Column("cell", "Cell"),
        Column("clients", "Clients", "count"),
        Column("amount", "Amount", "money"),
        Column("segment", "Segment"),
        Column("recency", "R", "count"),
        Column("frequency", "F", "count"),
        Column("monetary", "M", "count"),
    )
    scored = sorted(
        ((cell.recency, cell.frequency, cell.monetary, cell) for cell in cells), key=lambda scores: scores[:3]
    )
    rows = [(f"{r}{f}{m}", cell.clients, cell.amount, cell.segment, r, f, m) for r, f, m, cell in reversed(scored)]
    return columns, rows, ("Total", *_both(cells), "", None, None, None), None
