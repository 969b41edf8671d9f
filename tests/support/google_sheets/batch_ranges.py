"""Requests on what lies on ranges: names, protection, filters, merged cells, formats with conditions, banding."""

import re

from . import tables
from .a1 import Area, bounds
from .batch import Situation, mask_of, request
from .batch_cells import grid_range
from .book import Book, new_id
from .fields import merged
from .refusals import Invalid
from .sheet import Sheet
from .shifts import Json

_NAME = re.compile(r"[A-Za-z_\u00c0-\uffff][\w.]{0,249}")


def _refuse_name(book: Book, name: str, but: Json | None = None) -> None:
    if not _NAME.fullmatch(name) or bounds(name) is not None or name.upper() in ("TRUE", "FALSE"):
        raise Invalid(f"The name of a named range is not valid: {name}")
    other = book.name(name)
    if other is not None and other is not but:
        raise Invalid(
            f"Cannot add named range with name: {name}. The named range name already exists, please use another name."
        )


def _place(book: Book, given: Json) -> Json:
    """A range as it is kept: with the id of its sheet."""
    sheet = book.sheet(given.get("sheetId"))
    sheet.within(given)
    return {**given, "sheetId": sheet.id}


@request("addNamedRange")
def add_named_range(situation: Situation, given: Json) -> Json:
    """A name for a range; the id may be chosen, and neither may be taken."""
    book, wanted = situation.book, given.get("namedRange", {})
    id = wanted.get("namedRangeId") or str(new_id())
    if not wanted.get("name"):
        raise Invalid("Named range must have a name.")
    if wanted.get("range") is None:
        raise Invalid("Named range must have a range.")
    taken = next((named for named in book.named if named["namedRangeId"] == id), None)
    if not situation.markers_hold and (taken or book.name(wanted["name"])):
        book.named = [named for named in book.named if named is not taken and named is not book.name(wanted["name"])]
    elif taken:
        raise Invalid(f"Cannot add named range with id: {id}. The named range ID already exists.")
    _refuse_name(book, wanted["name"])
    named = {"namedRangeId": id, "name": wanted["name"], "range": _place(book, wanted["range"])}
    book.named.append(named)
    return {"addNamedRange": {"namedRange": _with_range(named)}}


def _with_range(thing: Json) -> Json:
    place = {name: value for name, value in thing["range"].items() if name != "sheetId" or value}
    return {**thing, "range": place}


def _known(book: Book, id: str) -> Json:
    for named in book.named:
        if named["namedRangeId"] == id:
            return named
    raise Invalid(f"No NamedRange with id: {id}")


@request("updateNamedRange")
def update_named_range(situation: Situation, given: Json) -> Json:
    """Another name or range for a named range."""
    book, wanted = situation.book, given.get("namedRange", {})
    mask = mask_of(given, "NamedRange")
    old = _known(book, wanted.get("namedRangeId", ""))
    new = merged(old, {**wanted, "namedRangeId": old["namedRangeId"]}, mask)
    _refuse_name(book, new.get("name", ""), old)
    if "range" in new:
        new["range"] = _place(book, new["range"])
    book.named = [new if named is old else named for named in book.named]
    return {}


@request("deleteNamedRange")
def delete_named_range(situation: Situation, given: Json) -> Json:
    """A named range is gone; one that does not exist is refused."""
    book, id = situation.book, given.get("namedRangeId", "")
    if situation.markers_hold:
        _known(book, id)
    book.named = [named for named in book.named if named["namedRangeId"] != id]
    return {}


@request("addProtectedRange")
def add_protected_range(situation: Situation, given: Json) -> Json:
    """A range that not everybody may change."""
    book = situation.book
    wanted = dict(given.get("protectedRange", {}))
    if wanted.get("namedRangeId"):
        wanted["range"] = _known(book, wanted["namedRangeId"]).get("range", {})
    place = _place(book, wanted.get("range") or {})
    editors = {name: people for name, people in (wanted.get("editors") or {}).items() if people}
    thing = {"protectedRangeId": wanted.get("protectedRangeId") or new_id(), "range": place}
    if any(one["protectedRangeId"] == thing["protectedRangeId"] for sheet in book.sheets for one in _protected(sheet)):
        raise Invalid(f"Cannot add protected range with id: {thing['protectedRangeId']}. The ID already exists.")
    thing |= {name: wanted[name] for name in ("namedRangeId", "description", "warningOnly") if wanted.get(name)}
    if wanted.get("unprotectedRanges"):
        thing["unprotectedRanges"] = wanted["unprotectedRanges"]
    thing["requestingUserCanEdit"] = True
    thing["editors"] = {} if thing.get("warningOnly") else editors
    book.sheet(place["sheetId"]).lying["protectedRanges"].append(thing)
    return {"addProtectedRange": {"protectedRange": _with_range(thing)}}


def _protected(sheet: Sheet) -> list[Json]:
    return sheet.lying["protectedRanges"]


def _owner(book: Book, name: str, key: str, id: int, what: str) -> tuple[Sheet, Json]:
    for sheet in book.sheets:
        for thing in sheet.lying[name]:
            if thing[key] == id:
                return sheet, thing
    raise Invalid(f"No {what} with id: {id}")


@request("updateProtectedRange")
def update_protected_range(situation: Situation, given: Json) -> Json:
    """Another range, description or list of editors for a protected range."""
    book, wanted = situation.book, given.get("protectedRange", {})
    mask = mask_of(given, "ProtectedRange")
    id = wanted.get("protectedRangeId", 0)
    sheet, old = _owner(book, "protectedRanges", "protectedRangeId", id, "protected range")
    place = _place(book, wanted.get("range") or old["range"])
    new = {**merged(old, {**wanted, "range": place}, mask), "protectedRangeId": id, "requestingUserCanEdit": True}
    sheet.lying["protectedRanges"].remove(old)
    book.sheet(new["range"]["sheetId"]).lying["protectedRanges"].append(new)
    return {}


@request("deleteProtectedRange")
def delete_protected_range(situation: Situation, given: Json) -> Json:
    """A protection is gone; one that does not exist is refused."""
    id = given.get("protectedRangeId", 0)
    sheet, old = _owner(situation.book, "protectedRanges", "protectedRangeId", id, "protected range")
    sheet.lying["protectedRanges"].remove(old)
    return {}


@request("setBasicFilter")
def set_basic_filter(situation: Situation, given: Json) -> Json:
    """The filter of a sheet, in place of the one it had."""
    wanted = dict(given.get("filter", {}))
    if wanted.get("tableId"):
        sheet, table = tables.table_of(situation.book, wanted["tableId"])
        wanted["range"] = table["range"]
    else:
        sheet = situation.book.sheet(wanted.get("range", {}).get("sheetId"))
        area = sheet.within(wanted.get("range", {}))
        _refuse_table(sheet, area, "a filter")
        wanted["range"] = sheet.range_of(area)
    sheet.lying["basicFilter"] = [wanted]
    return {}


def _refuse_table(sheet: Sheet, area: Area, what: str) -> None:
    if any(area.overlaps(tables.area_of(sheet, table)) for table in sheet.lying["tables"]):
        raise Invalid(f"You cannot put {what} on a range that overlaps a table.")


@request("clearBasicFilter")
def clear_basic_filter(situation: Situation, given: Json) -> Json:
    """A sheet has no filter any more."""
    situation.book.sheet(given.get("sheetId")).lying["basicFilter"] = []
    return {}


@request("mergeCells")
def merge_cells(situation: Situation, given: Json) -> Json:
    """Cells of a range made one: all, those of each row, or those of each column. Only the first keeps its value."""
    sheet, area = grid_range(situation, given)
    kind = given.get("mergeType", "MERGE_ALL")
    areas = [area]
    if kind == "MERGE_COLUMNS":
        areas = [Area(area.top, area.bottom, at, at + 1) for at in range(area.left, area.right)]
    elif kind == "MERGE_ROWS":
        areas = [Area(at, at + 1, area.left, area.right) for at in range(area.top, area.bottom)]
    _refuse_table(sheet, area, "merged cells")
    for one in areas:
        for found in sheet.lying["merges"]:
            old = sheet.within(found)
            if one.overlaps(old) and not one.holds(old):
                raise Invalid("You must select all cells in a merged range to merge or unmerge them.")
        sheet.lying["merges"] = [found for found in sheet.lying["merges"] if not one.overlaps(sheet.within(found))]
        if one.one_cell:
            continue
        first = sheet.cell(one.top, one.left)
        sheet.change(one, lambda _: None)
        sheet.put_in(one.top, one.left, [[first]])
        sheet.lying["merges"].append(sheet.range_of(one))
    return {}


@request("unmergeCells")
def unmerge_cells(situation: Situation, given: Json) -> Json:
    """Merged cells made many again."""
    sheet, area = grid_range(situation, given)
    kept = []
    for found in sheet.lying["merges"]:
        old = sheet.within(found)
        if not area.overlaps(old):
            kept.append(found)
        elif not area.holds(old):
            raise Invalid("You must select all cells in a merged range to merge or unmerge them.")
    sheet.lying["merges"] = kept
    return {}


@request("addConditionalFormatRule")
def add_conditional_format_rule(situation: Situation, given: Json) -> Json:
    """A format for the cells that meet a condition, before the rule that has its index now."""
    rule = _rule(situation.book, given.get("rule", {}))
    rules = situation.book.sheet(rule["ranges"][0]["sheetId"]).lying["conditionalFormats"]
    rules.insert(_index(given, len(rules)), rule)
    return {}


def _rule(book: Book, wanted: Json) -> Json:
    if not wanted.get("ranges"):
        raise Invalid("ConditionalFormatRule.ranges must not be empty.")
    return {**wanted, "ranges": [_place(book, one) for one in wanted["ranges"]]}


def _index(given: Json, most: int) -> int:
    index: int = given.get("index", 0)
    if not 0 <= index <= most:
        raise Invalid(f"No conditional format on sheet at index: {index}")
    return index


@request("updateConditionalFormatRule")
def update_conditional_format_rule(situation: Situation, given: Json) -> Json:
    """Another rule in place of one, or the same one at another place."""
    book = situation.book
    rule = _rule(book, given["rule"]) if given.get("rule") else None
    sheet = book.sheet(rule["ranges"][0]["sheetId"] if rule else given.get("sheetId"))
    rules = sheet.lying["conditionalFormats"]
    at = _index(given, len(rules) - 1)
    old = rules.pop(at)
    reply: Json = {"oldIndex": at, "newIndex": at, "newRule": rule or old}
    if rule is None:
        reply["newIndex"] = given.get("newIndex", 0)
        rules.insert(reply["newIndex"], old)
    else:
        reply["oldRule"] = old
        rules.insert(at, rule)
    return {"updateConditionalFormatRule": reply}


@request("deleteConditionalFormatRule")
def delete_conditional_format_rule(situation: Situation, given: Json) -> Json:
    """A rule is gone; the others move up."""
    rules = situation.book.sheet(given.get("sheetId")).lying["conditionalFormats"]
    return {"deleteConditionalFormatRule": {"rule": rules.pop(_index(given, len(rules) - 1))}}


@request("addBanding")
def add_banding(situation: Situation, given: Json) -> Json:
    """Rows or columns of a range in colours by turns."""
    wanted = dict(given.get("bandedRange", {}))
    wanted.setdefault("bandedRangeId", new_id())
    wanted["range"] = _place(situation.book, wanted.get("range", {}))
    sheet = situation.book.sheet(wanted["range"]["sheetId"])
    _refuse_table(sheet, sheet.within(wanted["range"]), "colours by turns")
    sheet.lying["bandedRanges"].append(wanted)
    return {"addBanding": {"bandedRange": _with_range(wanted)}}


@request("deleteBanding")
def delete_banding(situation: Situation, given: Json) -> Json:
    """Colours by turns are gone."""
    sheet, old = _owner(situation.book, "bandedRanges", "bandedRangeId", given.get("bandedRangeId", 0), "banded range")
    sheet.lying["bandedRanges"].remove(old)
    return {}
