"""A spreadsheet in the format of `spreadsheets.get`."""

from collections.abc import Callable, Sequence
from typing import Any

from . import cells, fields
from .a1 import Area
from .book import DEFAULT_FORMAT, Book
from .cells import Cell, Content
from .fields import Mask, below
from .sheet import Sheet
from .shifts import Json

ROW_PIXELS, COLUMN_PIXELS = 21, 100


def without_zero(given: Json) -> Json:
    """A range as the service gives it: the id of the first sheet, 0, is left out."""
    return {name: value for name, value in given.items() if name != "sheetId" or value}


def with_ranges(thing: Json) -> Json:
    """Something that lies on ranges, as the service gives it."""
    if "startRowIndex" in thing or "startColumnIndex" in thing:
        return without_zero(thing)
    result = dict(thing)
    if "range" in thing:
        result["range"] = without_zero(thing["range"])
    if "ranges" in thing:
        result["ranges"] = [without_zero(one) for one in thing["ranges"]]
    return result


def properties(sheet: Sheet, index: int) -> Json:
    """The properties of a sheet."""
    grid = {"rowCount": sheet.row_count, "columnCount": sheet.column_count, **sheet.grid}
    result = {
        "sheetId": sheet.id,
        "title": sheet.title,
        "index": index,
        "sheetType": "GRID",
        "gridProperties": grid,
        **sheet.look,
    }
    if sheet.hidden:
        result["hidden"] = True
    return result


Telling = Callable[[Content], Json]
"""A function that gives a cell as CellData."""


def telling(mask: Mask) -> Telling:
    """A function that turns a cell into a CellData with the masked fields."""
    entered, effective, shown, style, note, whole = (
        below(mask, name) is not None
        for name in (
            "userEnteredValue",
            "effectiveValue",
            "formattedValue",
            "userEnteredFormat",
            "note",
            "effectiveFormat",
        )
    )
    # What lies deeper than a name of a CellData is cut away afterwards.
    deep = any(mask.values())

    def tell(content: Content) -> Json:
        result: Json = {}
        value, cell = (content.value, content) if isinstance(content, Cell) else (content, None)
        if value is not None:
            extended = {"stringValue": value} if type(value) is str else cells.extended(value)
            if entered:
                formula = cell.formula if cell else None
                result["userEnteredValue"] = extended if formula is None else {"formulaValue": formula}
            if effective:
                result["effectiveValue"] = extended
            if shown:
                result["formattedValue"] = value if type(value) is str else cells.shown(content)
        if cell is not None:
            if cell.style and style:
                result["userEnteredFormat"] = dict(cell.style)
            if cell.note and note:
                result["note"] = cell.note
            if cell.more:
                result |= {name: more for name, more in cell.more.items() if below(mask, name) is not None}
        if whole and (value is not None or cell is not None):
            result["effectiveFormat"] = _over(DEFAULT_FORMAT, (cell.style if cell else None) or {})
        return fields.kept(result, mask) if deep else result

    return tell


def _over(default: Json, style: Any) -> Json:
    result = dict(default)
    for name, value in style.items():
        result[name] = _over(result[name], value) if isinstance(result.get(name), dict) else value
    return result


def grid_data(sheet: Sheet, area: Area, mask: Mask) -> Json:
    """The cells of an area as GridData."""
    result: Json = {}
    if area.top and below(mask, "startRow") is not None:
        result["startRow"] = area.top
    if area.left and below(mask, "startColumn") is not None:
        result["startColumn"] = area.left
    if below(mask, "rowData") is not None:
        wanted = below(mask, "rowData", "values")
        if wanted is not None:
            rows = _row_data(sheet, area, wanted)
            if rows:
                result["rowData"] = rows
    hidden = sheet.hidden_by_filter() if below(mask, "rowMetadata") is not None else set()
    for name, dimension, first, last, pixels in (
        ("rowMetadata", "ROWS", area.top, area.bottom, ROW_PIXELS),
        ("columnMetadata", "COLUMNS", area.left, area.right, COLUMN_PIXELS),
    ):
        asked = below(mask, name)
        if asked is None:
            continue
        known = sheet.properties_of(dimension)
        row_answers: list[Json] = []
        for at in range(first, last):
            one = {"pixelSize": pixels, **known.get(at, {})}
            if dimension == "ROWS" and at in hidden:
                one["hiddenByFilter"] = True
            row_answers.append(fields.kept(one, asked))
        result[name] = row_answers
    return result


def _row_data(sheet: Sheet, area: Area, mask: Mask) -> list[Json]:
    rules: list[tuple[Area, Json]] = []
    if below(mask, "dataValidation") is not None:
        rules = [(sheet.within(found["range"]), found["rule"]) for found in sheet.lying["validations"]]
        rules = [(where, rule) for where, rule in rules if where.overlaps(area)]
    last = max([len(sheet.rows), *(where.bottom for where, _ in rules)])
    tell = telling(mask)
    rows: list[Json] = []
    for at in range(area.top, min(area.bottom, last)):
        row = sheet.row(at)[area.left : area.right]
        values = [tell(content) for content in row]
        for where, rule in rules:
            if where.top <= at < where.bottom:
                first, end = max(where.left, area.left) - area.left, min(where.right, area.right) - area.left
                values += [{} for _ in range(end - len(values))]
                for column in range(first, end):
                    values[column]["dataValidation"] = rule
        while values and not values[-1]:
            values.pop()
        rows.append({"values": values} if values else {})
    while rows and not rows[-1]:
        rows.pop()
    return rows


def sheet_json(sheet: Sheet, index: int, areas: Sequence[Area], mask: Mask, users: Sequence[str]) -> Json:
    """A sheet as the service gives it, with the cells of some areas."""
    result: Json = {"properties": properties(sheet, index)}
    for name, things in sheet.lying.items():
        if not things or name == "validations":
            continue
        if name == "basicFilter":
            result[name] = with_ranges(things[0])
        elif name == "protectedRanges":
            result[name] = [_protected(one, users) for one in things]
        else:
            result[name] = [with_ranges(one) for one in things]
    if sheet.metadata:
        result["developerMetadata"] = sheet.metadata
    kept: Json = fields.kept(result, mask)
    if areas:
        kept["data"] = [grid_data(sheet, area, below(mask, "data") or {}) for area in areas]
    return kept


def _protected(thing: Json, users: Sequence[str]) -> Json:
    result = with_ranges(thing)
    if not thing.get("warningOnly") and not (thing.get("editors") or {}).get("users"):
        result["editors"] = {**(thing.get("editors") or {}), "users": list(users)}
    return result


def spreadsheet(
    id: str,
    book: Book,
    asked: Sequence[tuple[Sheet, Area]] | None,
    data: bool,
    mask: Mask,
    users: Sequence[str] = (),
) -> Json:
    """A spreadsheet as it is given: only the sheets asked for, when some are; with cells when they are wanted."""
    result: Json = {}
    wanted = below(mask, "sheets")
    # A mask that names cells brings them whatever includeGridData says.
    data = bool(wanted and below(wanted, "data") is not None) if mask and wanted else data
    if below(mask, "spreadsheetId") is not None:
        result["spreadsheetId"] = id
    if below(mask, "properties") is not None:
        result["properties"] = fields.kept(book.properties, below(mask, "properties") or {})
    if wanted is not None:
        result["sheets"] = []
        for index, sheet in enumerate(book.sheets):
            areas = [sheet.area] if asked is None else [area for other, area in asked if other is sheet]
            if areas:
                result["sheets"].append(sheet_json(sheet, index, areas if data else (), wanted, users))
    names = [with_ranges(named) for named in book.named]
    if names and below(mask, "namedRanges") is not None:
        result["namedRanges"] = fields.kept(names, below(mask, "namedRanges") or {})
    if book.metadata and below(mask, "developerMetadata") is not None:
        result["developerMetadata"] = fields.kept(book.metadata, below(mask, "developerMetadata") or {})
    if below(mask, "spreadsheetUrl") is not None:
        result["spreadsheetUrl"] = f"https://docs.google.com/spreadsheets/d/{id}/edit"
    return result
