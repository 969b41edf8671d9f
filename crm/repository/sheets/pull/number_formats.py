"""Number formats of amounts that were edited by hand: a date or a percentage is no amount, though it is a number."""

from collections.abc import Mapping
from typing import Any

from crm.model import Record
from crm.repository.sheets.google.spreadsheet import Rejected, Service
from crm.repository.sheets.grid.formatting import amounts
from crm.repository.sheets.grid.layout import TABS, columns, heading
from crm.repository.sheets.mirror.mirror import Seen
from crm.repository.sheets.pull.tab_diff import HandEdits

_ASKED = "sheets(properties(sheetId),data(startRow,rowData(values(effectiveFormat(numberFormat(type))))))"
_STRANGE = {"DATE": "a date", "TIME": "a time", "DATE_TIME": "a date", "PERCENT": "a percentage"}

# What a cell is, by its tab, its row and its field.
Strange = Mapping[tuple[type[Record], int, str], str]


def strange_amounts(service: Service, edits: HandEdits, seen: Seen) -> Strange:
    """The cells for amounts, in rows that were edited, which hold something else. Asks only where there are numbers in
    such rows."""
    rows: dict[type[Record], set[int]] = {}
    for kind, at, row in [(kind, at, row) for kind, _, at, row in edits.changed] + edits.added:
        head = heading(kind, seen.places[kind.kind_name].heading)
        if any(isinstance(row[columns(kind).index(name)], int | float) for name in amounts(head)):
            rows.setdefault(kind, set()).add(at)
    strange: dict[tuple[type[Record], int, str], str] = {}
    for kind, places in rows.items():
        for name, at in amounts(heading(kind, seen.places[kind.kind_name].heading)).items():
            for place, what in _of_column(service, kind, at, places).items():
                strange[kind, place, name] = what
    return strange


def _of_column(service: Service, kind: type[Record], column: int, places: set[int]) -> dict[int, str]:
    span = {**TABS[kind].rows(min(places), max(places) + 1), "startColumnIndex": column, "endColumnIndex": column + 1}
    try:
        data: Mapping[str, Any] = service.look([span], _ASKED)["sheets"][0].get("data", [{}])[0]
    except Rejected:
        # The rows are elsewhere by now; the next look finds them there.
        return {}
    first, kinds = data.get("startRow", 0), {}
    for offset, row in enumerate(data.get("rowData", [])):
        cell: Mapping[str, Any] = next(iter(row.get("values", [])), {})
        what = _STRANGE.get(cell.get("effectiveFormat", {}).get("numberFormat", {}).get("type", ""))
        if what and first + offset in places:
            kinds[first + offset] = what
    return kinds
