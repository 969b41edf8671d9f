"""The capacity of a spreadsheet, and what Google keeps in a way of its own: merged cells."""

from collections.abc import Iterator, Mapping
from typing import Any

from crm.repository import Finding
from crm.repository.sheets.google.spreadsheet import Service
from crm.repository.sheets.grid.layout import ALL_TABS, TABS, letters
from crm.repository.sheets.mirror.mirror import META_COLUMNS, Seen
from crm.wording import first_few

# Google's limit for a spreadsheet.
MOST_CELLS = 10_000_000
# From these parts on there is a notice, the second one a louder one.
_NOTICE, _URGENT = 0.7, 0.9
_META_ROWS = 10
_ASKED = "sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)),merges)"


def own_cells(seen: Seen) -> int:
    """The cells of the program's tabs, full and empty ones: Google counts both."""
    return sum(place.rows * place.columns for place in seen.places.values()) + _META_ROWS * META_COLUMNS


def notice(cells: int, *, serialises: bool) -> str:
    """A notice for a spreadsheet with so many cells; '' where there is room enough. Only where Google `serialises`
    requests can old history be removed."""
    part = cells / MOST_CELLS
    if part < _NOTICE:
        return ""
    full = f"The spreadsheet is {int(part * 100)} % full ({cells / 1e6:.1f} of {MOST_CELLS / 1e6:.0f} million cells)."
    if not serialises:
        soon = "" if part < _URGENT else " Soon nothing more can be saved."
        return f"{full}{soon} Delete empty rows and columns, or move everything to another store (`copy`)."
    if part < _URGENT:
        return f"{full} `history archive` moves old history to a file."
    return f"{full} Soon nothing more can be saved: move old history to a file (`history archive`), or all (`copy`)."


def described(service: Service) -> list[Mapping[str, Any]]:
    """The sizes and the merged cells of all tabs; one request."""
    sheets: list[Mapping[str, Any]] = service.describe(_ASKED).get("sheets", [])
    return sheets


def other_cells(sheets: list[Mapping[str, Any]]) -> int:
    """The cells of the tabs that are none of the program's."""
    ours = {tab.sheet_id for tab in ALL_TABS}
    grids = [sheet["properties"] for sheet in sheets if sheet["properties"].get("sheetId", 0) not in ours]
    sizes = [properties.get("gridProperties", {}) for properties in grids]
    return sum(size.get("rowCount", 0) * size.get("columnCount", 0) for size in sizes)


def merged_cells(sheets: list[Mapping[str, Any]]) -> Iterator[Finding]:
    """The merged cells in the tabs of records, the first few of each tab by name."""
    kinds = {tab.sheet_id: kind for kind, tab in TABS.items()}
    for sheet in sheets:
        properties = sheet["properties"]
        kind = kinds.get(properties.get("sheetId", 0))
        places = [_a1(merge) for merge in sheet.get("merges", ())] if kind is not None else []
        if kind is None or not places:
            continue
        yield Finding(
            f"{properties.get('title', '')}!{first_few(places)}: merged cells. Google keeps only the"
            " first of them. The others count as empty.",
            True,
            kind.kind_name,
            how_to_mend="Choose Format, Merge cells, Unmerge, and fill the cells in again.",
        )


def _a1(merge: Mapping[str, int]) -> str:
    first = f"{letters(merge.get('startColumnIndex', 0))}{merge.get('startRowIndex', 0) + 1}"
    return f"{first}:{letters(merge.get('endColumnIndex', 1) - 1)}{merge.get('endRowIndex', 1)}"
