"""Requests on cells: what they hold, look like, and where they are copied to."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from . import cells, tables
from .a1 import Area, letters
from .batch import Situation, mask_of, request
from .cells import Cell, Content, Row
from .refusals import Invalid
from .sheet import Sheet
from .shifts import Json


def grid_range(situation: Situation, given: Json, name: str = "range") -> tuple[Sheet, Area]:
    """The sheet and area of a request."""
    if given.get(name) is None:
        raise Invalid(f"'{name}' is required.")
    sheet = situation.book.sheet(given[name].get("sheetId"))
    return sheet, sheet.within(given[name])


def _validated(sheet: Sheet, row: int, column: int, rule: Json | None) -> None:
    here = Area(row, row + 1, column, column + 1)
    set_rule(sheet, here, rule)


def set_rule(sheet: Sheet, area: Area, rule: Json | None) -> None:
    """Put a validation rule on an area, in place of those that are there; none takes them away."""
    kept: list[Json] = []
    for found in sheet.lying["validations"]:
        for rest in _less(sheet.within(found["range"]), area):
            kept.append({**found, "range": sheet.range_of(rest)})
    sheet.lying["validations"] = kept + ([{"range": sheet.range_of(area), "rule": rule}] if rule else [])


def _less(area: Area, hole: Area) -> list[Area]:
    if not area.overlaps(hole):
        return [area]
    top, bottom = max(area.top, hole.top), min(area.bottom, hole.bottom)
    parts = [
        Area(area.top, top, area.left, area.right),
        Area(bottom, area.bottom, area.left, area.right),
        Area(top, bottom, area.left, hole.left),
        Area(top, bottom, hole.right, area.right),
    ]
    return [part for part in parts if part.top < part.bottom and part.left < part.right]


@request("updateCells")
def update_cells(situation: Situation, given: Json) -> Json:
    """Cells from a corner on, or those of a range: what rows do not cover there is cleared."""
    mask = mask_of(given, "CellData")
    change = cells.changing(mask)
    rows = given.get("rows") or []
    if given.get("start") is not None:
        start = given["start"]
        sheet = situation.book.sheet(start.get("sheetId"))
        top, left = start.get("rowIndex") or 0, start.get("columnIndex") or 0
        width = max((len(row.get("values") or ()) for row in rows), default=0)
        if top + len(rows) > sheet.row_count:
            raise Invalid(f"Attempting to write row: {sheet.row_count}, beyond the last row: {sheet.row_count - 1}")
        _refuse_columns(sheet, left + width)
        area = Area(top, top + len(rows), left, left + width)
        covered = False
    else:
        sheet, area = grid_range(situation, given)
        covered = True
        if len(rows) > area.bottom - area.top:
            raise Invalid(
                f"Attempting to write row: {area.bottom}, beyond the last requested row of: {area.bottom - 1}"
            )
    ruled = not mask or "dataValidation" in mask
    if ruled or "userEnteredFormat" in mask:
        tables.refuse_typed(situation.book, sheet, area)
    for at in range(area.top, area.bottom):
        values = (rows[at - area.top].get("values") or []) if at - area.top < len(rows) else []
        if covered and len(values) > area.right - area.left:
            raise Invalid(
                f"Attempting to write column: {area.right}, beyond the last requested column of: {area.right - 1}"
            )
        width = area.right - area.left if covered else len(values)
        if not ruled:
            # Cells that hold nothing need no clearing.
            width = min(width, max(len(values), len(sheet.row(at)) - area.left))
            if width <= 0:
                continue
        row = sheet.padded(at, area.left + width)
        for column in range(width):
            data = values[column] if column < len(values) else {}
            row[area.left + column] = change(row[area.left + column], data)
            if ruled:
                _validated(sheet, at, area.left + column, data.get("dataValidation"))
        sheet.set_row(at, row)
    return {}


def _refuse_columns(sheet: Sheet, wanted: int) -> None:
    if wanted > sheet.column_count:
        raise Invalid(
            f"Attempting to write column: {sheet.column_count}, beyond the last column: {sheet.column_count - 1}"
        )


@request("appendCells")
def append_cells(situation: Situation, given: Json) -> Json:
    """Rows after the last one with data; the grid grows by rows when it must, and never by columns."""
    if given.get("tableId"):
        change = cells.changing(mask_of(given, "CellData"))
        new = [[change(None, data) for data in row.get("values") or []] for row in given.get("rows") or []]
        tables.append_to(situation.book, given["tableId"], new)
        return {}
    sheet = situation.book.sheet(given.get("sheetId"))
    mask = mask_of(given, "CellData")
    change = cells.changing(mask)
    rows = given.get("rows") or []
    top = situation.seen("append").sheet(given.get("sheetId")).last_data_row()
    quick = set(mask) == {"userEnteredValue"}
    for at, data in enumerate(rows, start=top):
        values = data.get("values") or []
        _refuse_columns(sheet, len(values))
        old = sheet.row(at)
        if old:
            row: Row = sheet.padded(at, len(values))
            row[: len(values)] = map(change, row, values)
        elif quick:
            row = [_new(data) for data in values]
        else:
            row = [change(None, data) for data in values]
        sheet.set_row(at, row)
    sheet.row_count = max(sheet.row_count, top + len(rows))
    tables.joined(situation.book, sheet, top, len(rows))
    return {}


def _new(data: Json) -> Content:
    # Text in a cell that was empty is what most of a large request is.
    given = data.get("userEnteredValue")
    if given and len(given) == 1:
        text = given.get("stringValue")
        if text and len(text) <= cells.LONGEST:
            return text  # type: ignore[no-any-return]
    return cells.from_extended(None, given)


@request("repeatCell")
def repeat_cell(situation: Situation, given: Json) -> Json:
    """The same in all cells of a range."""
    sheet, area = grid_range(situation, given)
    mask = mask_of(given, "CellData")
    change, data = cells.changing(mask), given.get("cell", {})
    if not mask or "dataValidation" in mask or "numberFormat" in mask.get("userEnteredFormat", {"numberFormat": {}}):
        tables.refuse_typed(situation.book, sheet, area)
    if set(mask) != {"dataValidation"}:
        # Cells are never changed in place: the empty ones, which are most, can all be the same.
        empty = change(None, data)
        sheet.change(area, lambda old: empty if old is None else change(old, data))
    if not mask or "dataValidation" in mask:
        set_rule(sheet, area, data.get("dataValidation"))
    return {}


@request("setDataValidation")
def set_data_validation(situation: Situation, given: Json) -> Json:
    """A rule for what may be typed into a range."""
    sheet, area = grid_range(situation, given)
    tables.refuse_typed(situation.book, sheet, area)
    set_rule(sheet, area, given.get("rule"))
    return {}


Paste = Callable[[Content, Content], Content]


def _paste(kind: str) -> Paste:
    def value(new: Content, old: Content) -> Content:
        return cells.with_value(old, cells.value_of(new))

    def style(new: Content, old: Content) -> Content:
        given = cells.style_of(new)
        if old is None and isinstance(new, Cell) and new == Cell(style=given):
            return new
        cell = replace(old, style=given) if isinstance(old, Cell) else Cell(old, style=given)
        return cell.simplest()

    def formula(new: Content, old: Content) -> Content:
        return cells.with_value(old, cells.value_of(new), new.formula if isinstance(new, Cell) else None)

    known: dict[str, Paste] = {
        "PASTE_NORMAL": lambda new, _: new,
        "PASTE_NO_BORDERS": lambda new, _: new,
        "PASTE_VALUES": value,
        "PASTE_FORMAT": style,
        "PASTE_FORMULA": formula,
    }
    if kind not in known:
        raise Invalid(f"The paste type {kind} is not implemented here.")
    return known[kind]


@request("copyPaste")
def copy_paste(situation: Situation, given: Json) -> Json:
    """Cells copied to a range, again and again when it is larger."""
    source, area = grid_range(replace(situation, book=situation.seen("copy")), given, "source")
    target, where = grid_range(situation, given, "destination")
    rows = source.cut_out(area)
    if given.get("pasteOrientation") == "TRANSPOSE":
        rows = [list(row) for row in zip(*rows, strict=True)]
    height, width = len(rows), len(rows[0])
    down, across = max(1, (where.bottom - where.top) // height), max(1, (where.right - where.left) // width)
    rows = [row * across for row in rows] * down
    if given.get("pasteType", "PASTE_NORMAL") not in ("PASTE_VALUES", "PASTE_FORMULA"):
        filled = Area(where.top, where.top + len(rows), where.left, where.left + len(rows[0]))
        tables.refuse_typed(situation.book, target, filled)
    _put(target, where.top, where.left, rows, _paste(given.get("pasteType", "PASTE_NORMAL")))
    return {}


@request("cutPaste")
def cut_paste(situation: Situation, given: Json) -> Json:
    """Cells moved to a place."""
    source, area = grid_range(situation, given, "source")
    place = given.get("destination", {})
    target = situation.book.sheet(place.get("sheetId"))
    rows = source.cut_out(area)
    source.change(area, lambda _: None)
    paste = _paste(given.get("pasteType", "PASTE_NORMAL"))
    _put(target, place.get("rowIndex", 0), place.get("columnIndex", 0), rows, paste)
    return {}


def _put(sheet: Sheet, top: int, left: int, rows: list[Row], paste: Paste) -> None:
    height, width = len(rows), len(rows[0])
    if top + height > sheet.row_count or left + width > sheet.column_count:
        raise Invalid(f"The cells do not fit at {letters(left)}{top + 1}.")
    old = sheet.cut_out(Area(top, top + height, left, left + width))
    sheet.put_in(
        top,
        left,
        [[paste(one, other) for one, other in zip(*pair, strict=True)] for pair in zip(rows, old, strict=True)],
    )


@request("sortRange")
def sort_range(situation: Situation, given: Json) -> Json:
    """The rows of a range in another order."""
    sheet, area = grid_range(situation, given)
    specs = given.get("sortSpecs") or []
    if not specs:
        raise Invalid("Must specify at least one sort spec.")
    sheet.sort(area, [(spec.get("dimensionIndex", 0), spec.get("sortOrder") == "DESCENDING") for spec in specs])
    return {}


@request("findReplace")
def find_replace(situation: Situation, given: Json) -> Json:
    """One text in place of another; how many there were."""
    if given.get("range") is not None:
        places = [grid_range(situation, given)]
    elif "sheetId" in given:
        sheet = situation.book.sheet(given["sheetId"])
        places = [(sheet, sheet.area)]
    elif given.get("allSheets"):
        places = [(sheet, sheet.area) for sheet in situation.book.sheets]
    else:
        raise Invalid("Must specify a scope for the find and replace.")
    if not given.get("find"):
        raise Invalid("The 'find' text must not be empty.")
    pattern = given["find"] if given.get("searchByRegex") else re.escape(given["find"])
    wanted = re.compile(f"(?:{pattern})\\Z" if given.get("matchEntireCell") else pattern, _flags(given))
    text = re.sub(r"\$(\d)", r"\\\1", given.get("replacement", "")) if given.get("searchByRegex") else None
    counts = {"valuesChanged": 0, "rowsChanged": 0, "sheetsChanged": 0, "occurrencesChanged": 0}
    for sheet, area in places:
        touched = _replaced(sheet, area, wanted, text, given, situation.book.locale, counts)
        counts["rowsChanged"] += touched
        counts["sheetsChanged"] += bool(touched)
    return {"findReplace": {name: count for name, count in counts.items() if count}}


def _flags(given: Json) -> int:
    return 0 if given.get("matchCase") else re.IGNORECASE


def _replaced(
    sheet: Sheet,
    area: Area,
    wanted: re.Pattern[str],
    text: str | None,
    given: Json,
    locale: str,
    counts: dict[str, int],
) -> int:
    rows = 0
    for at in range(area.top, min(area.bottom, len(sheet.rows))):
        row, found = sheet.rows[at], False
        for column in range(area.left, min(area.right, len(row))):
            content = row[column]
            if content is None or (isinstance(content, Cell) and content.formula is not None):
                continue
            old = cells.shown(content)
            if given.get("matchEntireCell") and not wanted.match(old):
                continue
            replacement: Any = text if text is not None else (lambda _: given.get("replacement", ""))
            new, times = wanted.subn(replacement, old)
            if times:
                if not found:
                    row, found = list(row), True
                row[column] = cells.entered(content, new, locale)
                counts["valuesChanged"] += 1
                counts["occurrencesChanged"] += times
        if found:
            sheet.set_row(at, row)
            rows += 1
    return rows
