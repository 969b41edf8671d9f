"""Formulas in the team's own columns: those cells change by themselves, and nobody has edited them."""

from collections.abc import Mapping
from typing import Any

from crm.model import Client
from crm.repository.sheets.google.spreadsheet import Rejected, Service
from crm.repository.sheets.grid.layout import TABS, GridRange, heading
from crm.repository.sheets.mirror.mirror import Seen
from crm.repository.sheets.pull.tab_diff import HandEdits

_ASKED = "sheets(data(startRow,rowData(values(userEnteredValue(formulaValue)))))"


def formulas(service: Service, edits: HandEdits, seen: Seen) -> dict[int, set[str]]:
    """The changed own fields, by client, whose cells hold formulas. Asks only where there are such changes."""
    own = heading(Client, seen.places[Client.kind_name].heading).own
    rows = {record_id: at for kind, record_id, at, _ in edits.changed if kind is Client and record_id in edits.own}
    places: dict[str, dict[int, int]] = {}
    for record_id, at in rows.items():
        for name in edits.own[record_id] & own.keys():
            places.setdefault(name, {})[at] = record_id
    columns: dict[int, set[str]] = {}
    if not places:
        return columns
    names = list(places)
    try:
        described = service.look([_span(own[name], places[name]) for name in names], _ASKED)
    except Rejected:
        # The rows are elsewhere by now; the next look finds them there.
        return columns
    for name, data in zip(names, described["sheets"][0].get("data", []), strict=False):
        for at in _with_formula(data):
            if at in places[name]:
                columns.setdefault(places[name][at], set()).add(name)
    return columns


def _span(column: int, rows: Mapping[int, int]) -> GridRange:
    span = TABS[Client].rows(min(rows), max(rows) + 1)
    return {**span, "startColumnIndex": column, "endColumnIndex": column + 1}


def _with_formula(data: Mapping[str, Any]) -> list[int]:
    """The rows of a range of one column that hold a formula."""
    first = data.get("startRow", 0)
    return [
        first + offset
        for offset, row in enumerate(data.get("rowData", []))
        if any(cell.get("userEnteredValue", {}).get("formulaValue") for cell in row.get("values", []))
    ]
