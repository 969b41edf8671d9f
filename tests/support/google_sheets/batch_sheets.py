"""Requests on whole sheets, and on the spreadsheet itself."""

from typing import Any

from . import cells, fields, schema
from .batch import Situation, mask_of, request
from .book import Book, new_id
from .fields import Mask
from .refusals import Invalid
from .rendering import properties
from .sheet import Sheet
from .shifts import Json

LOOK = ("tabColor", "tabColorStyle", "rightToLeft")
SIZES = ("rowCount", "columnCount")


@request("addSheet")
def add_sheet(situation: Situation, given: Json) -> Json:
    """A new sheet, with an id and a title that were chosen or not."""
    book, wanted = situation.book, given.get("properties", {})
    if wanted.get("sheetType", "GRID") != "GRID":
        raise Invalid("Only sheets of the type GRID can be added.")
    id = wanted.get("sheetId")
    if id is not None and id < 0:
        raise Invalid(f"Invalid sheetId: {id}. It must not be negative.")
    sheet = Sheet(book.free_id() if id is None else id, wanted.get("title") or _free_title(book))
    grid = wanted.get("gridProperties", {})
    sheet.row_count = grid.get("rowCount", 1000)
    sheet.column_count = grid.get("columnCount", 26)
    if sheet.row_count <= 0 or sheet.column_count <= 0:
        raise Invalid("A sheet must have at least one row and one column.")
    index = wanted.get("index")
    if index is not None and not 0 <= index <= len(book.sheets):
        raise Invalid(f"Sheet index {index} is out of range.")
    book.add(sheet, index)
    _set_look(sheet, {name: value for name, value in wanted.items() if name in LOOK}, {name: {} for name in LOOK})
    sheet.grid = {name: value for name, value in grid.items() if name not in SIZES and value}
    sheet.hidden = bool(wanted.get("hidden"))
    return {"addSheet": {"properties": properties(sheet, book.sheets.index(sheet))}}


def _free_title(book: Book) -> str:
    number = len(book.sheets) + 1
    while book.titled(f"Sheet{number}"):
        number += 1
    return f"Sheet{number}"


def _set_look(sheet: Sheet, given: Json, mask: Mask) -> None:
    for name in LOOK:
        if name not in mask:
            continue
        value = given.get(name)
        if name == "rightToLeft":
            sheet.look.pop(name, None)
            if value:
                sheet.look[name] = True
            continue
        plain = value if name == "tabColor" else (value or {}).get("rgbColor")
        sheet.look.pop("tabColor", None)
        sheet.look.pop("tabColorStyle", None)
        if plain is not None:
            sheet.look |= {"tabColor": cells.colour(plain), "tabColorStyle": {"rgbColor": cells.colour(plain)}}
        elif value and value.get("themeColor"):
            sheet.look["tabColorStyle"] = value
        if value is not None:
            break


@request("deleteSheet")
def delete_sheet(situation: Situation, given: Json) -> Json:
    """A sheet is gone with all that is on it."""
    situation.book.remove(situation.book.sheet(given.get("sheetId")))
    return {}


@request("updateSheetProperties")
def update_sheet_properties(situation: Situation, given: Json) -> Json:
    """Title, place, size and look of a sheet."""
    book, wanted = situation.book, given.get("properties", {})
    mask = mask_of(given, "SheetProperties") or {
        name: {} for name in schema.document("sheets.v4")["schemas"]["SheetProperties"]["properties"]
    }
    sheet = book.sheet(wanted.get("sheetId"))
    if "title" in mask:
        title = wanted.get("title", "")
        if not title:
            raise Invalid("The sheet title must not be empty.")
        book.refuse_title(title, sheet)
        sheet.title = title
    if "gridProperties" in mask:
        _set_grid(book, sheet, wanted.get("gridProperties", {}), mask["gridProperties"])
    if "hidden" in mask:
        hidden = bool(wanted.get("hidden"))
        if hidden and not any(not other.hidden for other in book.sheets if other is not sheet):
            raise Invalid("You can't hide all the sheets in a document.")
        sheet.hidden = hidden
    _set_look(sheet, wanted, mask)
    if "index" in mask:
        reorder(book, sheet, wanted.get("index", 0))
    return {}


def reorder(book: Book, sheet: Sheet, index: int) -> None:
    """Put a sheet before the one that has an index now."""
    if not 0 <= index <= len(book.sheets):
        raise Invalid(f"Sheet index {index} is out of range.")
    before = book.sheets.index(sheet)
    book.sheets.remove(sheet)
    book.sheets.insert(index - 1 if index > before else index, sheet)


def _set_grid(book: Book, sheet: Sheet, grid: Json, mask: Mask) -> None:
    names: Any = mask or schema.document("sheets.v4")["schemas"]["GridProperties"]["properties"]
    for name, dimension in (("rowCount", "ROWS"), ("columnCount", "COLUMNS")):
        if name in names:
            book.resize(sheet, dimension, grid.get(name, 0))
    for name in names:
        if name in SIZES:
            continue
        sheet.grid.pop(name, None)
        if grid.get(name):
            sheet.grid[name] = grid[name]


@request("duplicateSheet")
def duplicate_sheet(situation: Situation, given: Json) -> Json:
    """A copy of a sheet in the same spreadsheet."""
    book = situation.book
    source = book.sheet(given.get("sourceSheetId"))
    id = given.get("newSheetId")
    copy = copied(source, book.free_id() if id is None else id, given.get("newSheetName") or _copy_title(book, source))
    book.add(copy, given.get("insertSheetIndex", 0))
    return {"duplicateSheet": {"properties": properties(copy, book.sheets.index(copy))}}


def _copy_title(book: Book, source: Sheet) -> str:
    title, number = f"Copy of {source.title}", 1
    while book.titled(title):
        number += 1
        title = f"Copy of {source.title} {number}"
    return title


def copied(source: Sheet, id: int, title: str) -> Sheet:
    """A sheet like another, with an id and a title of its own; what lies on ranges gets ids of its own, too."""
    copy = source.copy()
    copy.id, copy.title = id, title
    for name, things in copy.lying.items():
        copy.lying[name] = [_renamed(thing, id) for thing in things]
    return copy


def _renamed(thing: Json, id: int) -> Json:
    result = {**thing, **({"sheetId": id} if "startRowIndex" in thing else {})}
    for name in ("protectedRangeId", "bandedRangeId", "filterViewId"):
        if name in result:
            result[name] = new_id()
    if "tableId" in result:
        number = new_id()
        result |= {"tableId": str(number), "name": f"{result['name']}_{number}"}
    if "range" in thing:
        result["range"] = {**thing["range"], "sheetId": id}
    if "ranges" in thing:
        result["ranges"] = [{**one, "sheetId": id} for one in thing["ranges"]]
    return result


@request("updateSpreadsheetProperties")
def update_spreadsheet_properties(situation: Situation, given: Json) -> Json:
    """Title, locale and time zone of the spreadsheet."""
    mask = mask_of(given, "SpreadsheetProperties")
    wanted = given.get("properties", {})
    if "title" in mask and not wanted.get("title"):
        raise Invalid("The spreadsheet title must not be empty.")
    situation.book.properties = fields.merged(situation.book.properties, wanted, mask)
    return {}
