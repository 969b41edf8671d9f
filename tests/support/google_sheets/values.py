"""Methods of `spreadsheets.values`: ranges of bare values."""

from collections.abc import Callable
from typing import Any

from . import a1, cells, tables
from .a1 import Area
from .book import Book
from .cells import Content, Row
from .refusals import Invalid
from .sheet import Sheet
from .shifts import Json

Render = Callable[[Content], Any]


def rendering(option: str | None, dates: str | None) -> Render:
    """A function that gives a cell as formatted text, as its value, or as its formula."""
    if option in (None, "", "FORMATTED_VALUE"):
        return cells.shown
    as_text = dates == "FORMATTED_STRING"
    if option == "UNFORMATTED_VALUE":
        return lambda content: cells.unformatted(content, as_text)

    def formula(content: Content) -> Any:
        if isinstance(content, cells.Cell) and content.formula is not None:
            return content.formula
        return cells.unformatted(content, as_text)

    return formula


def read(sheet: Sheet, area: Area, render: Render, major: str | None = None) -> Json:
    """The values of an area; empty cells and rows at the ends are left out."""
    rows: list[list[Any]] = []
    known: dict[int, list[Any]] = {}
    for row in sheet.rows[area.top : min(area.bottom, sheet.last_data_row())]:
        # Rows without values are mostly one and the same.
        if id(row) in known:
            rows.append(known[id(row)])
            continue
        end = min(len(row), area.right)
        # Most cells have a format and no value.
        while end > area.left and ((last := row[end - 1]) is None or cells.is_empty(last)):
            end -= 1
        # Text is told as it is, whatever is asked for; it is by far the most of what there is.
        shown = [content if type(content) is str else render(content) for content in row[area.left : end]]
        while shown and shown[-1] == "":
            shown.pop()
        if not shown:
            known[id(row)] = shown
        rows.append(shown)
    if major == "COLUMNS":
        width = max((len(row) for row in rows), default=0)
        rows = [[row[at] if at < len(row) else "" for row in rows] for at in range(width)]
        for row in rows:
            while row and row[-1] == "":
                row.pop()
    while rows and not rows[-1]:
        rows.pop()
    result: Json = {"range": a1.shown(sheet.title, area), "majorDimension": major or "ROWS"}
    if rows:
        result["values"] = rows
    return result


def update(
    id: str, book: Book, sheet: Sheet, area: Area, whole: bool, body: Json, option: str
) -> tuple[Json, Area | None]:
    """Write values from the corner of an area on: the reply, and the area written."""
    rows = _by_row(body)
    height, width = len(rows), max((len(row) for row in rows), default=0)
    if not height or not width:
        return {"spreadsheetId": id, "updatedRange": a1.shown(sheet.title, area)}, None
    limit = sheet.area if area.one_cell else area
    if area.top + height > limit.bottom or area.left + width > limit.right:
        if area.one_cell or whole:
            wanted = Area(area.top, area.top + height, area.left, area.left + width)
            raise Invalid(
                f"Range ({a1.shown(sheet.title, wanted)}) exceeds grid limits. "
                f"Max rows: {sheet.row_count}, max columns: {sheet.column_count}"
            )
        place = f"Requested writing within range [{a1.shown(sheet.title, area)}], but tried writing to "
        if area.top + height > limit.bottom:
            raise Invalid(f"{place}row [{area.bottom + 1}]")
        raise Invalid(f"{place}column [{a1.letters(area.right)}]")
    written = Area(area.top, area.top + height, area.left, area.left + width)
    count = write(book, sheet, area.top, area.left, rows, option)
    reply: Json = {"spreadsheetId": id, "updatedRange": a1.shown(sheet.title, written)}
    if count:
        # Rows and columns in which nothing is written do not count.
        cells = [(at, place) for at, row in enumerate(rows) for place, one in enumerate(row) if one is not None]
        touched = [len({cell[by] for cell in cells}) for by in (0, 1)]
        reply |= {"updatedRows": touched[0], "updatedColumns": touched[1], "updatedCells": count}
    return reply, written


def _by_row(body: Json) -> list[list[Any]]:
    given = body.get("values") or []
    if body.get("majorDimension") != "COLUMNS":
        return given
    height = max((len(column) for column in given), default=0)
    return [[column[at] if at < len(column) else None for column in given] for at in range(height)]


def write(book: Book, sheet: Sheet, top: int, left: int, rows: list[list[Any]], option: str) -> int:
    """Write rows of values; nulls are skipped. How many were written."""
    if option not in ("RAW", "USER_ENTERED"):
        raise Invalid("'valueInputOption' is required but not specified")
    typed, locale = option == "USER_ENTERED", book.locale
    count = 0
    for at, given in enumerate(rows, start=top):
        row: Row = sheet.padded(at, left + len(given))
        for column, one in enumerate(given, start=left):
            if one is None:
                continue
            row[column] = cells.entered(row[column], one, locale) if typed else cells.raw(row[column], one)
            count += 1
        sheet.set_row(at, row)
    return count


def append(
    id: str, book: Book, sheet: Sheet, area: Area, body: Json, option: str, insert: bool
) -> tuple[Json, Area | None]:
    """Add rows after the last table in an area: the reply, and the area written."""
    table = last_table(sheet, area)
    top, left = (table.bottom, table.left) if table else (area.top, area.left)
    rows = _by_row(body)
    height, width = len(rows), max((len(row) for row in rows), default=0)
    if insert and height and top < sheet.row_count:
        book.insert(sheet, "ROWS", top, height, top - 1)
    if height:
        tables.joined(book, sheet, top, height, inserted=insert)
    sheet.row_count = max(sheet.row_count, top + height)
    sheet.column_count = max(sheet.column_count, left + width)
    book.refuse_size()
    corner = Area(top, max(top + height, top + 1), left, max(left + width, left + 1))
    if corner.bottom > sheet.row_count:
        sheet.row_count = corner.bottom
    updates, written = update(id, book, sheet, corner, False, body, option)
    reply: Json = {"spreadsheetId": id}
    if table is not None:
        reply["tableRange"] = a1.shown(sheet.title, table)
    return {**reply, "updates": updates}, written


def last_table(sheet: Sheet, area: Area) -> Area | None:
    """The last of the tables that touch an area: cells with values and no empty row or column between them."""
    done: list[Area] = []
    running: list[Area] = []
    for at, row in enumerate(sheet.rows):
        following: list[Area] = []
        for first, last in _runs(row):
            box = Area(at, at + 1, first, last)
            near = [other for other in (*running, *following) if other.left <= last and first <= other.right]
            for other in near:
                box = _both(box, other)
            running = [other for other in running if other not in near]
            following = [*(other for other in following if other not in near), box]
        # What has grown in this row may have come to touch a table beside it.
        done += running
        running = following
    done += running
    touching = [table for table in done if table.overlaps(area)]
    return max(touching, key=lambda table: (table.bottom, table.right), default=None)


def _runs(row: Row) -> list[tuple[int, int]]:
    if row and None not in row and cells.Cell not in set(map(type, row)):
        return [(0, len(row))]
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for at, content in enumerate(row):
        if cells.is_empty(content):
            if start is not None:
                runs.append((start, at))
            start = None
        elif start is None:
            start = at
    return runs if start is None else [*runs, (start, len(row))]


def _both(one: Area, other: Area) -> Area:
    return Area(
        min(one.top, other.top), max(one.bottom, other.bottom), min(one.left, other.left), max(one.right, other.right)
    )


def clear(sheet: Sheet, area: Area) -> str:
    """Empty the cells of an area, keeping their formats; the area."""
    limited = Area(area.top, min(area.bottom, len(sheet.rows)), area.left, area.right)
    for at in range(limited.top, limited.bottom):
        row = list(sheet.rows[at])
        row[area.left : area.right] = [cells.with_value(old, None) for old in row[area.left : area.right]]
        sheet.set_row(at, row)
    return a1.shown(sheet.title, area)


def filtered(book: Book, given: Json) -> tuple[Sheet, Area, bool]:
    """The sheet and area that a DataFilter means."""
    if given.get("a1Range"):
        return book.found(given["a1Range"])
    if given.get("gridRange") is not None:
        sheet = book.sheet(given["gridRange"].get("sheetId"))
        return sheet, sheet.within(given["gridRange"]), False
    raise Invalid("Must specify a data filter.")
