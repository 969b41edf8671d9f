"""Tables of a sheet (*Format, Convert to table). Where the documents are unclear there is a switch: see `MODES`."""

from collections.abc import Iterable, Sequence

from . import cells, formats
from .a1 import Area
from .book import Book
from .cells import Cell, Content, Row
from .refusals import Invalid
from .sheet import Sheet
from .shifts import Json

# What a service may do, as far as the documents allow it: "join": rows that are written right below a table become
# rows of it. "insert": rows that are added to a table push whole rows down, not only its columns. "keep": a table that
# is deleted leaves its cells (the real one was seen to empty them). "strict": a cell that does not fit the type of its
# column is refused. "guard": formats, drop-downs and protected ranges that lie on a table only in part are refused.
MODES = frozenset(("join", "insert", "keep", "strict", "guard"))
_NUMBERS = {"DOUBLE": "NUMBER", "CURRENCY": "CURRENCY", "PERCENT": "PERCENT"}
_MOMENTS = {"DATE": "DATE", "TIME": "TIME", "DATE_TIME": "DATE_TIME"}
_BLANKS: dict[str, Content] = {"BOOLEAN": False, "RATINGS_CHIP": 0}


def tables_of(book: Book) -> list[Json]:
    """All tables of a spreadsheet."""
    return [table for sheet in book.sheets for table in sheet.lying["tables"]]


def table_of(book: Book, id: str) -> tuple[Sheet, Json]:
    """The table with an id, and its sheet."""
    for sheet in book.sheets:
        for table in sheet.lying["tables"]:
            if table["tableId"] == id:
                return sheet, table
    raise Invalid(f"No table with id: {id}")


def area_of(sheet: Sheet, table: Json) -> Area:
    """The area of a table, with its heading."""
    return sheet.within(table["range"])


def body_of(sheet: Sheet, table: Json) -> Area:
    """The rows of a table without its heading and its footer."""
    area = area_of(sheet, table)
    footer = 1 if table.get("rowsProperties", {}).get("footerColorStyle") else 0
    return Area(area.top + 1, max(area.bottom - footer, area.top + 1), area.left, area.right)


def append_to(book: Book, id: str, rows: Sequence[Row]) -> None:
    """Rows added to the body of a table: into its empty rows at the end, then into new ones before its footer."""
    sheet, table = table_of(book, id)
    body = body_of(sheet, table)
    if any(len(row) > body.right - body.left for row in rows):
        raise Invalid(f"Attempting to write column: {body.right}, beyond the last column of the table")
    empty = body.bottom
    while empty > body.top and all(_blank(sheet.cell(empty - 1, at)) for at in range(body.left, body.right)):
        empty -= 1
    lacking = empty + len(rows) - body.bottom
    if lacking > 0:
        _make_room(book, sheet, body, lacking)
        grown = dict(table["range"], endRowIndex=table["range"]["endRowIndex"] + lacking)
        _put_range(sheet, id, grown)
    sheet.put_in(empty, body.left, rows)


def _make_room(book: Book, sheet: Sheet, body: Area, count: int) -> None:
    below = range(body.bottom, min(body.bottom + count, len(sheet.rows)))
    taken = any(not cells.is_empty(sheet.cell(at, column)) for at in below for column in range(body.left, body.right))
    if not taken:
        sheet.row_count = max(sheet.row_count, body.bottom + count)
    elif "insert" in book.table_modes:
        tables = list(sheet.lying["tables"])
        book.insert(sheet, "ROWS", body.bottom, count, body.bottom - 1)
        sheet.lying["tables"] = [
            table if area_of(sheet, table).bottom <= body.bottom else now
            for table, now in zip(tables, sheet.lying["tables"], strict=True)
        ]
    else:
        moved = sheet.cut_out(Area(body.bottom, max(len(sheet.rows), body.bottom + 1), body.left, body.right))
        sheet.row_count += count
        sheet.put_in(body.bottom, body.left, [[None] * (body.right - body.left)] * count)
        sheet.put_in(body.bottom + count, body.left, moved)


def _put_range(sheet: Sheet, id: str, place: Json) -> None:
    sheet.lying["tables"] = [
        {**table, "range": place} if table["tableId"] == id else table for table in sheet.lying["tables"]
    ]


def joined(book: Book, sheet: Sheet, top: int, count: int, *, inserted: bool = False) -> None:
    """Rows were written from `top` on: where a service does so, they become rows of the table right above them. Those
    that `values.append` has inserted always do."""
    if not inserted and "join" not in book.table_modes:
        return
    for table in sheet.lying["tables"]:
        if area_of(sheet, table).bottom == top and not table.get("rowsProperties", {}).get("footerColorStyle"):
            _put_range(sheet, table["tableId"], dict(table["range"], endRowIndex=top + count))


def after(book: Book) -> None:
    """Restore the rules of tables after a batch: headings are text, each is different, and cells fit."""
    for sheet in book.sheets:
        for table in sheet.lying["tables"]:
            area = area_of(sheet, table)
            types = {one.get("columnIndex", 0): one for one in table["columnProperties"]}
            wide = range(area.right - area.left)
            now = columns(sheet, area, [types.get(at, {"columnIndex": at}) for at in wide])
            if now != table["columnProperties"]:
                sheet.lying["tables"] = [
                    {**one, "columnProperties": now} if one is table else one for one in sheet.lying["tables"]
                ]
            if "strict" in book.table_modes:
                _refuse_unfit(sheet, body_of(sheet, table), now)


def columns(sheet: Sheet, area: Area, given: Iterable[Json]) -> list[Json]:
    """The columns of a table; what they are called stands in its heading, or is written there."""
    named = {one.get("columnIndex", at): one for at, one in enumerate(given)}
    if any(not 0 <= at < area.right - area.left for at in named):
        raise Invalid("columnIndex is outside of the table.")
    result, taken, heading = [], set[str](), []
    for at in range(area.right - area.left):
        one = named.get(at, {})
        content = sheet.cell(area.top, area.left + at)
        name = cells.shown(content) or one.get("columnName") or f"Column {at + 1}"
        free, number = name, 1
        while free.casefold() in taken:
            number += 1
            free = f"{name} {number}"
        taken.add(free.casefold())
        heading.append(content if cells.value_of(content) == free else cells.with_value(content, free))
        kind, rule = one.get("columnType"), one.get("dataValidationRule")
        if rule and kind != "DROPDOWN":
            raise Invalid("A data validation rule is only for columns of the type DROPDOWN.")
        column: Json = ({"columnIndex": at} if at else {}) | {"columnName": free}
        if kind and kind != "COLUMN_TYPE_UNSPECIFIED":
            column["columnType"] = kind
        if rule:
            column["dataValidationRule"] = rule
        result.append(column)
    sheet.put_in(area.top, area.left, [heading])
    return result


def dress(sheet: Sheet, area: Area, named: list[Json]) -> None:
    """Cells look as the type of their column says, and a box that is not ticked says FALSE."""
    for column in named:
        kind, at = column.get("columnType", ""), area.left + column.get("columnIndex", 0)
        below = Area(area.top + 1, area.bottom, at, at + 1)
        if below.top >= below.bottom:
            continue
        shown = _NUMBERS.get(kind) or _MOMENTS.get(kind) or ("TEXT" if kind == "TEXT" else "")
        if shown:
            numbers = {
                "numberFormat": {"type": shown} | ({"pattern": formats.PATTERNS[shown]} if shown != "TEXT" else {})
            }

            def styled(old: Content, numbers: Json = numbers) -> Content:
                cell = old if isinstance(old, Cell) else Cell(old)
                return Cell(
                    cell.value, cell.formula, {**(cell.style or {}), **numbers}, cell.note, cell.more
                ).simplest()

            sheet.change(below, styled)
        if kind in _BLANKS:
            blank = _BLANKS[kind]
            sheet.change(below, lambda old, blank=blank: blank if cells.is_empty(old) else old)  # type: ignore[misc]


def _refuse_unfit(sheet: Sheet, body: Area, named: list[Json]) -> None:
    for column in named:
        kind, at = column.get("columnType", ""), body.left + column.get("columnIndex", 0)
        numeric = kind in _NUMBERS or kind in _MOMENTS
        for row in range(body.top, body.bottom):
            value = cells.value_of(sheet.cell(row, at))
            if value is None or not (numeric or kind == "BOOLEAN"):
                continue
            if isinstance(value, bool) != (kind == "BOOLEAN") or (numeric and not isinstance(value, int | float)):
                raise Invalid(f"The data does not fit the type {kind} of the column “{column['columnName']}”.")


def _blank(content: Content) -> bool:
    return cells.is_empty(content) or cells.value_of(content) is False


def free_name(book: Book) -> str:
    names, number = {table["name"].casefold() for table in tables_of(book)}, 1
    while f"table{number}" in names:
        number += 1
    return f"Table{number}"


def refuse_name(book: Book, name: str, but: Json | None = None) -> None:
    if any(table["name"].casefold() == name.casefold() and table is not but for table in tables_of(book)):
        raise Invalid(f"Cannot add table with name: {name}. The table name already exists.")


def refuse_overlap(sheet: Sheet, area: Area, but: Json | None = None) -> None:
    for table in sheet.lying["tables"]:
        if table is not but and area.overlaps(area_of(sheet, table)):
            raise Invalid("You cannot create a table that overlaps another table.")
    for merge in sheet.lying["merges"]:
        if area.overlaps(sheet.within(merge)):
            raise Invalid("You cannot have merged cells in a table.")


def typed(book: Book, sheet: Sheet, area: Area) -> bool:
    """Return whether a part of an area is a column whose type a table says, where that guards its formats."""
    if "guard" not in book.table_modes:
        return False
    for table in sheet.lying["tables"]:
        body = body_of(sheet, table)
        for column in table["columnProperties"]:
            at = body.left + column.get("columnIndex", 0)
            if column.get("columnType") and area.overlaps(Area(body.top, body.bottom, at, at + 1)):
                return True
    return False


def refuse_typed(book: Book, sheet: Sheet, area: Area) -> None:
    """Refuse another format or rule for cells whose look is that of their column."""
    if typed(book, sheet, area):
        raise Invalid("This operation is not allowed on cells in typed columns.")
