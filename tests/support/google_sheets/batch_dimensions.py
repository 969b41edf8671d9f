"""Requests on rows and columns: how many there are, where they stand, their size."""

from . import cells
from .a1 import Area
from .batch import Situation, mask_of, request
from .batch_cells import grid_range
from .fields import merged
from .refusals import Invalid
from .rendering import with_ranges
from .sheet import Sheet
from .shifts import Json

GROUPS = {"ROWS": ("rowGroups", "rowGroupControlAfter"), "COLUMNS": ("columnGroups", "columnGroupControlAfter")}


def _span(situation: Situation, given: Json, name: str = "range") -> tuple[Sheet, str, int, int]:
    """The sheet, the dimension and the first and last of a DimensionRange."""
    place = given.get(name, {})
    sheet, dimension = situation.book.sheet(place.get("sheetId")), place.get("dimension")
    if dimension not in GROUPS:
        raise Invalid("'dimension' must be ROWS or COLUMNS.")
    count = sheet.count(dimension)
    first, last = place.get("startIndex", 0), place.get("endIndex", count)
    return sheet, dimension, first, last


@request("insertDimension")
def insert_dimension(situation: Situation, given: Json) -> Json:
    """New rows or columns at a place."""
    place = given.get("range", {})
    if "startIndex" not in place or "endIndex" not in place:
        raise Invalid("'startIndex' and 'endIndex' are required.")
    sheet, dimension, first, last = _span(situation, given)
    like = first - 1 if given.get("inheritFromBefore") else first
    if given.get("inheritFromBefore") and first == 0:
        raise Invalid("Cannot inherit from before the first row or column.")
    if first > sheet.count(dimension) or (first == sheet.count(dimension) and not given.get("inheritFromBefore")):
        raise Invalid(f"range.startIndex[{first}] is after last {dimension.lower()[:-1]} in grid.")
    situation.book.insert(sheet, dimension, first, last - first, like)
    return {}


@request("appendDimension")
def append_dimension(situation: Situation, given: Json) -> Json:
    """New rows or columns at the end."""
    sheet, length = situation.book.sheet(given.get("sheetId")), given.get("length", 0)
    if length <= 0:
        raise Invalid("'length' must be greater than 0.")
    if given.get("dimension") == "COLUMNS":
        sheet.column_count += length
    else:
        sheet.row_count += length
    return {}


@request("deleteDimension")
def delete_dimension(situation: Situation, given: Json) -> Json:
    """Rows or columns are gone; what comes after them moves up."""
    sheet, dimension, first, last = _span(situation, given)
    situation.book.delete(sheet, dimension, first, last)
    return {}


@request("moveDimension")
def move_dimension(situation: Situation, given: Json) -> Json:
    """Rows or columns put before another one."""
    sheet, dimension, first, last = _span(situation, given, "source")
    situation.book.move(sheet, dimension, first, last, given.get("destinationIndex", 0))
    return {}


@request("insertRange")
def insert_range(situation: Situation, given: Json) -> Json:
    """Empty cells at a range; those that were there move down or to the right, and the grid grows if it must."""
    sheet, area = grid_range(situation, given)
    if given.get("shiftDimension") == "COLUMNS":
        width = area.right - area.left
        for at in range(area.top, area.bottom):
            row = sheet.padded(at, area.left)
            row[area.left : area.left] = [None] * width
            sheet.set_row(at, row)
            sheet.column_count = max(sheet.column_count, len(sheet.row(at)))
        return {}
    height = area.bottom - area.top
    below = Area(area.top, max(len(sheet.rows), area.bottom), area.left, area.right)
    moved = sheet.cut_out(below)
    sheet.change(area, lambda _: None)
    sheet.put_in(area.top + height, area.left, moved)
    sheet.row_count = max(sheet.row_count, len(sheet.rows))
    return {}


@request("deleteRange")
def delete_range(situation: Situation, given: Json) -> Json:
    """The cells of a range are gone; those below or to the right take their place."""
    sheet, area = grid_range(situation, given)
    if given.get("shiftDimension") == "COLUMNS":
        for at in range(area.top, area.bottom):
            row = list(sheet.row(at))
            del row[area.left : area.right]
            sheet.set_row(at, row)
        return {}
    height, end = area.bottom - area.top, max(len(sheet.rows), area.bottom)
    below = sheet.cut_out(Area(area.bottom, end, area.left, area.right))
    empty: list[cells.Row] = [[None] * (area.right - area.left) for _ in range(height)]
    sheet.put_in(area.top, area.left, [*below, *empty])
    return {}


@request("updateDimensionProperties")
def update_dimension_properties(situation: Situation, given: Json) -> Json:
    """Size of rows or columns, and whether they are hidden."""
    sheet, dimension, first, last = _span(situation, given)
    mask = mask_of(given, "DimensionProperties")
    if not 0 <= first < last <= sheet.count(dimension):
        raise Invalid(f"The {dimension.lower()} {first} to {last} are not all in the grid.")
    wanted = {name: value for name, value in given.get("properties", {}).items() if value}
    sheet.set_property(dimension, first, last, lambda old: merged(old, wanted, mask))
    return {}


@request("autoResizeDimensions")
def auto_resize_dimensions(situation: Situation, given: Json) -> Json:
    """Rows or columns as large as what they hold: a guess, for nothing here measures letters."""
    sheet, dimension, first, last = _span(situation, given, "dimensions")
    for at in range(first, last):
        if dimension == "ROWS":
            sheet.set_property(dimension, at, at + 1, lambda old: {k: v for k, v in old.items() if k != "pixelSize"})
            continue
        longest = max((len(cells.shown(row[at])) for row in sheet.rows if at < len(row)), default=0)
        if longest:
            pixels = longest * 7 + 11
            sheet.set_property(dimension, at, at + 1, lambda old, pixels=pixels: {**old, "pixelSize": pixels})  # type: ignore[misc]
    return {}


@request("addDimensionGroup")
def add_dimension_group(situation: Situation, given: Json) -> Json:
    """Rows or columns that are folded together."""
    sheet, dimension, first, last = _span(situation, given)
    name, control = GROUPS[dimension]
    place = {"sheetId": sheet.id, "dimension": dimension, "startIndex": first, "endIndex": last}
    depth = 1 + sum(
        group["range"]["startIndex"] <= first and last <= group["range"]["endIndex"] for group in sheet.lying[name]
    )
    sheet.lying[name].append({"range": place, "depth": depth})
    sheet.grid[control] = True
    return {"addDimensionGroup": {"dimensionGroups": [with_ranges(group) for group in sheet.lying[name]]}}


@request("deleteDimensionGroup")
def delete_dimension_group(situation: Situation, given: Json) -> Json:
    """Rows or columns are folded together no more."""
    sheet, dimension, first, last = _span(situation, given)
    name = GROUPS[dimension][0]
    kept = [
        group
        for group in sheet.lying[name]
        if (group["range"]["startIndex"], group["range"]["endIndex"]) != (first, last)
    ]
    if len(kept) == len(sheet.lying[name]):
        raise Invalid(f"There is no group of the {dimension.lower()} {first} to {last}.")
    sheet.lying[name] = kept
    groups = [with_ranges(group) for group in kept]
    return {"deleteDimensionGroup": {"dimensionGroups": groups} if groups else {}}
