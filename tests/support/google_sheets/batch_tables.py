"""Requests on tables."""

from . import tables
from .a1 import Area
from .batch import Situation, mask_of, request
from .batch_cells import grid_range
from .book import new_id
from .fields import merged
from .refusals import Invalid
from .rendering import with_ranges
from .shifts import Json


@request("addTable")
def add_table(situation: Situation, given: Json) -> Json:
    """A range made a table; its first row is the heading."""
    book, wanted = situation.book, given.get("table") or {}
    if wanted.get("range") is None:
        raise Invalid("Table must have a range.")
    sheet, area = grid_range(situation, wanted)
    id = wanted.get("tableId") or str(new_id())
    if any(table["tableId"] == id for table in tables.tables_of(book)):
        raise Invalid(f"Cannot add table with id: {id}. The ID already exists.")
    name = wanted.get("name") or tables.free_name(book)
    tables.refuse_name(book, name)
    tables.refuse_overlap(sheet, area)
    table: Json = {"tableId": id, "name": name, "range": sheet.range_of(area)}
    if wanted.get("rowsProperties"):
        table["rowsProperties"] = wanted["rowsProperties"]
    table["columnProperties"] = tables.columns(sheet, area, wanted.get("columnProperties") or ())
    sheet.lying["tables"].append(table)
    tables.dress(sheet, area, table["columnProperties"])
    return {"addTable": {"table": with_ranges(table)}}


@request("updateTable")
def update_table(situation: Situation, given: Json) -> Json:
    """Another name, range or type of columns for a table."""
    wanted = given.get("table") or {}
    mask = mask_of(given, "Table")
    sheet, old = tables.table_of(situation.book, wanted.get("tableId", ""))
    new = {**merged(old, {**wanted, "tableId": old["tableId"]}, mask)}
    if not new.get("name"):
        raise Invalid("Table must have a name.")
    tables.refuse_name(situation.book, new["name"], old)
    if new.get("range") is None:
        raise Invalid("Table must have a range.")
    area = sheet.within(new["range"])
    if new["range"].get("sheetId", 0) != sheet.id:
        raise Invalid("A table cannot be moved to another sheet.")
    tables.refuse_overlap(sheet, area, old)
    footer, had = (bool((one.get("rowsProperties") or {}).get("footerColorStyle")) for one in (new, old))
    if footer != had and "range" not in mask:
        # A footer is a row more.
        area = Area(area.top, area.bottom + (1 if footer else -1), area.left, area.right)
        sheet.row_count = max(sheet.row_count, area.bottom)
    new["range"] = sheet.range_of(area)
    named = wanted.get("columnProperties") if "columnProperties" in mask or not mask else new["columnProperties"]
    new["columnProperties"] = tables.columns(sheet, area, named or ())
    sheet.lying["tables"] = [new if table is old else table for table in sheet.lying["tables"]]
    tables.dress(sheet, area, new["columnProperties"])
    return {}


@request("deleteTable")
def delete_table(situation: Situation, given: Json) -> Json:
    """A table is gone, and what stood in it."""
    sheet, table = tables.table_of(situation.book, given.get("tableId", ""))
    sheet.lying["tables"] = [one for one in sheet.lying["tables"] if one is not table]
    if "keep" not in situation.book.table_modes:
        sheet.change(tables.area_of(sheet, table), lambda _: None)
    return {}
