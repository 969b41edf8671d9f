"""A person who edits a spreadsheet by hand, and reads it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from . import a1, batch_sheets, batch_tables, cells, tables, values
from .a1 import Area
from .batch import Situation
from .book import Book, new_id
from .document import NONE, READER, WRITER, Document
from .refusals import Invalid
from .service import Service
from .sheet import Sheet
from .shifts import Json

Rows = Sequence[Sequence[Any]]


class Hand:
    """A person at the stand-in. A `tab` is the title of a sheet; rows and columns are counted from 0."""

    def __init__(self, service: Service, url: str) -> None:
        self._service = service
        self.url = url

    def _document(self, id: str) -> Document:
        if id not in self._service.documents:
            raise Invalid(f"There is no spreadsheet {id}")
        return self._service.documents[id]

    def _edit(self, id: str, tab: str, how: Callable[[Book, Sheet], object]) -> None:
        def change(book: Book) -> None:
            how(book, self._tab(book, tab))

        self._document(id).change(change)

    @staticmethod
    def _tab(book: Book, tab: str) -> Sheet:
        sheet = book.titled(tab)
        if sheet is None:
            raise Invalid(f"There is no sheet {tab}: there are {', '.join(one.title for one in book.sheets)}")
        return sheet

    # Spreadsheets

    def make(self, title: str = "CRM", access: str = WRITER, locale: str = "en_US") -> str:
        """Make a spreadsheet as a person would, and share it with the account as writer, reader or none; its id."""
        return self._service.new_document(Book.new(title, locale), self._right(access)).id

    def make_like(self, id: str) -> str:
        """Make a spreadsheet that is in all like another one; its id."""
        return self._service.new_document(self._document(id).book.copy(), WRITER).id

    @staticmethod
    def _right(access: str) -> str:
        if access not in (WRITER, READER, NONE):
            raise Invalid(f"{access} is not one of writer, reader, none")
        return access

    def spreadsheets(self) -> dict[str, str]:
        """The titles of all spreadsheets, by their ids."""
        return {id: str(one.book.properties["title"]) for id, one in self._service.documents.items()}

    def set_access(self, id: str, access: str) -> None:
        """Share a spreadsheet with the account in another way."""
        self._document(id).access = self._right(access)

    def delete(self, id: str) -> None:
        """Delete a spreadsheet."""
        self._document(id)
        del self._service.documents[id]

    def tabs(self, id: str) -> list[Json]:
        """The sheets in order: title, sheetId, hidden, rows, columns."""
        return [
            {
                "title": sheet.title,
                "sheetId": sheet.id,
                "hidden": sheet.hidden,
                "rows": sheet.row_count,
                "columns": sheet.column_count,
            }
            for sheet in self._document(id).book.sheets
        ]

    def values(self, id: str, tab: str, typed: bool = False) -> list[list[Any]]:
        """The cells of a sheet as they are shown or, typed, their values."""
        sheet = self._tab(self._document(id).book, tab)
        render = values.rendering("UNFORMATTED_VALUE" if typed else "FORMATTED_VALUE", None)
        found: list[list[Any]] = values.read(sheet, sheet.area, render).get("values", [])
        return found

    def formulas(self, id: str, tab: str) -> list[list[Any]]:
        """The cells of a sheet with formulas as formulas."""
        sheet = self._tab(self._document(id).book, tab)
        found: list[list[Any]] = values.read(sheet, sheet.area, values.rendering("FORMULA", None)).get("values", [])
        return found

    def serialises(self, id: str, known: bool = True) -> None:
        """Let a store know that requests are applied one after the other, as a check has found, or forget it."""
        self.set_cells(id, "crm", 2, 0, [["serialises", "yes"] if known else [None, None]])

    def punctual(self, id: str, known: bool = True) -> None:
        """Let a store know that Drive tells of edits at once, as a check has found, or forget it."""
        self.set_cells(id, "crm", 3, 0, [["probe", "yes"] if known else [None, None]])

    def named_ranges(self, id: str) -> list[Json]:
        """The named ranges of a spreadsheet."""
        return self._document(id).book.named

    def version(self, id: str) -> int:
        """The version that Drive tells when it does not lag."""
        return self._document(id).version()[1]

    # What a person does by hand

    def type(self, id: str, tab: str, cell: str, text: str) -> None:
        """Type a text into a cell, given as B3: numbers, dates and formulas are seen as such."""

        def typed(book: Book, sheet: Sheet) -> None:
            _, area, _ = book.found(f"{a1.quoted(sheet.title)}!{cell}")
            values.write(book, sheet, area.top, area.left, [[text]], "USER_ENTERED")

        self._edit(id, tab, typed)

    def set_cells(self, id: str, tab: str, row: int, column: int, rows: Rows) -> None:
        """Put values into cells from a corner on: text, numbers and booleans stay what they are; None empties."""

        def put(_: Book, sheet: Sheet) -> None:
            sheet.row_count = max(sheet.row_count, row + len(rows))
            sheet.column_count = max(sheet.column_count, column + max((len(one) for one in rows), default=0))
            for at, given in enumerate(rows, start=row):
                new = sheet.padded(at, column + len(given))
                for place, one in enumerate(given, start=column):
                    new[place] = cells.with_value(new[place], None) if one is None else cells.raw(new[place], one)
                sheet.set_row(at, new)

        self._edit(id, tab, put)

    def clear_cells(self, id: str, tab: str, range: str) -> None:
        """Empty the cells of a range, given as A2:C5."""
        self._edit(id, tab, lambda book, sheet: values.clear(sheet, book.found(f"{a1.quoted(sheet.title)}!{range}")[1]))

    def set_format(self, id: str, tab: str, range: str, kind: str, pattern: str = "") -> None:
        """Give the cells of a range a number format: its type, like DATE or TEXT, and its pattern."""
        style = {"numberFormat": {"type": kind, **({"pattern": pattern} if pattern else {})}}

        def change(old: cells.Content) -> cells.Content:
            cell = old if isinstance(old, cells.Cell) else cells.Cell(old)
            return replace(cell, style={**(cell.style or {}), **style}).simplest()

        self._edit(
            id, tab, lambda book, sheet: sheet.change(book.found(f"{a1.quoted(sheet.title)}!{range}")[1], change)
        )

    def insert_rows(self, id: str, tab: str, at: int, count: int = 1) -> None:
        """Insert empty rows before a row."""
        self._edit(id, tab, lambda book, sheet: book.insert(sheet, "ROWS", at, count, at - 1 if at else None))

    def delete_rows(self, id: str, tab: str, at: int, count: int = 1) -> None:
        """Delete rows."""
        self._edit(id, tab, lambda book, sheet: book.delete(sheet, "ROWS", at, at + count))

    def move_rows(self, id: str, tab: str, at: int, count: int, to: int) -> None:
        """Drag rows to before the one that stands at `to`."""
        self._edit(id, tab, lambda book, sheet: book.move(sheet, "ROWS", at, at + count, to))

    def insert_column(self, id: str, tab: str, at: int, count: int = 1) -> None:
        """Insert empty columns before a column."""
        self._edit(id, tab, lambda book, sheet: book.insert(sheet, "COLUMNS", at, count, at - 1 if at else None))

    def delete_column(self, id: str, tab: str, at: int, count: int = 1) -> None:
        """Delete columns."""
        self._edit(id, tab, lambda book, sheet: book.delete(sheet, "COLUMNS", at, at + count))

    def move_column(self, id: str, tab: str, at: int, to: int, count: int = 1) -> None:
        """Drag columns to before the one that stands at `to`."""
        self._edit(id, tab, lambda book, sheet: book.move(sheet, "COLUMNS", at, at + count, to))

    def sort(self, id: str, tab: str, column: int, descending: bool = False, header_rows: int = 1) -> None:
        """Sort a sheet by a column; rows at the top stay."""

        def sorted_by(_: Book, sheet: Sheet) -> None:
            end = max(len(sheet.rows), header_rows + 1)
            sheet.sort(Area(header_rows, end, 0, sheet.column_count), [(column, descending)])

        self._edit(id, tab, sorted_by)

    def table_modes(self, id: str, modes: Sequence[str]) -> None:
        """Set how the service treats tables where its documents leave that open: some of `tables.MODES`."""
        self._document(id).change(lambda book: setattr(book, "table_modes", frozenset(modes)))

    def convert_to_table(self, id: str, tab: str, types: Json | None = None, range: str = "") -> str:
        """Make a table of a sheet, or of a range of it, by *Convert to table*, with types for some columns by what
        their headings say; its id."""

        def convert(book: Book) -> str:
            sheet = self._tab(book, tab)
            area = Area(0, max(sheet.last_data_row(), 2), 0, max(map(len, sheet.rows)))
            if range:
                _, area, _ = book.found(f"{a1.quoted(sheet.title)}!{range}")
            heading = [cells.shown(sheet.cell(area.top, at)) for at in _columns_of(area)]
            chosen = types or {}
            columns = [{"columnIndex": at, "columnType": chosen.get(name, "")} for at, name in enumerate(heading)]
            table = {"range": sheet.range_of(area), "columnProperties": columns}
            return str(batch_tables.add_table(Situation(book), {"table": table})["addTable"]["table"]["tableId"])

        return self._document(id).change(convert)

    def tables(self, id: str, tab: str) -> list[Json]:
        """The tables of a sheet."""
        return self._tab(self._document(id).book, tab).lying["tables"]

    def table_to_range(self, id: str, tab: str) -> None:
        """Make the tables of a sheet plain cells again; what they hold stays."""
        self._edit(id, tab, lambda _, sheet: sheet.lying.update(tables=[]))

    def delete_table(self, id: str, tab: str) -> None:
        """Delete the tables of a sheet with what they hold."""

        def delete(book: Book, sheet: Sheet) -> None:
            for table in list(sheet.lying["tables"]):
                batch_tables.delete_table(Situation(book), {"tableId": table["tableId"]})

        self._edit(id, tab, delete)

    def sort_table(self, id: str, tab: str, column: int, descending: bool = False) -> None:
        """Sort the rows of the first table of a sheet, and no others."""

        def sort(_: Book, sheet: Sheet) -> None:
            sheet.sort(tables.body_of(sheet, sheet.lying["tables"][0]), [(column, descending)])

        self._edit(id, tab, sort)

    def add_footer(self, id: str, tab: str, column: int) -> None:
        """Give the first table of a sheet a footer that adds a column up."""

        def add(book: Book, sheet: Sheet) -> None:
            table = sheet.lying["tables"][0]
            properties = {**table.get("rowsProperties", {}), "footerColorStyle": {"rgbColor": {}}}
            given = {"table": {**table, "rowsProperties": properties}, "fields": "rowsProperties"}
            below = tables.area_of(sheet, table).bottom
            if below < sheet.row_count:
                book.insert(sheet, "ROWS", below, 1, below - 1)
                sheet.lying["tables"][0] = table
            batch_tables.update_table(Situation(book), given)
            numbers = [cells.value_of(sheet.cell(at, column)) for at in range(1, below)]
            total = "+".join(str(number) for number in numbers if isinstance(number, int | float))
            values.write(book, sheet, below, column, [[f"={total or 0}"]], "USER_ENTERED")

        self._edit(id, tab, add)

    def filter(self, id: str, tab: str, column: int, hidden: Sequence[str]) -> None:
        """Filter a sheet: rows that show one of some values in a column are hidden."""

        def put(_: Book, sheet: Sheet) -> None:
            area = Area(0, max(len(sheet.rows), 1), 0, sheet.column_count)
            criteria = {str(column): {"hiddenValues": list(hidden)}}
            sheet.lying["basicFilter"] = [{"range": sheet.range_of(area), "criteria": criteria}]

        self._edit(id, tab, put)

    def clear_filter(self, id: str, tab: str) -> None:
        """Take the filter of a sheet away."""
        self._edit(id, tab, lambda _, sheet: sheet.lying.update(basicFilter=[]))

    def _hide(self, id: str, tab: str, dimension: str, at: int, count: int, hidden: bool) -> None:
        def change(old: Json) -> Json:
            rest = {name: value for name, value in old.items() if name != "hiddenByUser"}
            return {**rest, "hiddenByUser": True} if hidden else rest

        self._edit(id, tab, lambda _, sheet: sheet.set_property(dimension, at, at + count, change))

    def hide_rows(self, id: str, tab: str, at: int, count: int = 1, hidden: bool = True) -> None:
        """Hide rows, or show them again."""
        self._hide(id, tab, "ROWS", at, count, hidden)

    def hide_columns(self, id: str, tab: str, at: int, count: int = 1, hidden: bool = True) -> None:
        """Hide columns, or show them again."""
        self._hide(id, tab, "COLUMNS", at, count, hidden)

    def protect(self, id: str, tab: str, on: bool = True) -> None:
        """Protect a sheet, so that the account may not change its cells; or let it again."""

        def put(_: Book, sheet: Sheet) -> None:
            others = [one for one in sheet.lying["protectedRanges"] if one.get("requestingUserCanEdit") is not False]
            mine = {
                "protectedRangeId": new_id(),
                "range": {"sheetId": sheet.id},
                "requestingUserCanEdit": False,
                "editors": {"users": ["owner@example.com"]},
            }
            sheet.lying["protectedRanges"] = [*others, mine] if on else others

        self._edit(id, tab, put)

    def add_tab(self, id: str, title: str, rows: int = 1000, columns: int = 26) -> int:
        """Add a sheet at the end; its id."""

        def add(book: Book) -> int:
            sheet = Sheet(book.free_id(), title, rows, columns)
            book.add(sheet, None)
            return sheet.id

        return self._document(id).change(add)

    def rename_tab(self, id: str, tab: str, title: str) -> None:
        """Give a sheet another title."""

        def rename(book: Book, sheet: Sheet) -> None:
            book.refuse_title(title, sheet)
            sheet.title = title

        self._edit(id, tab, rename)

    def copy_tab(self, id: str, tab: str, title: str = "") -> int:
        """Duplicate a sheet, right after it; the id of the copy."""

        def copy(book: Book) -> int:
            sheet = self._tab(book, tab)
            new = batch_sheets.copied(sheet, book.free_id(), title or f"Copy of {sheet.title}")
            book.add(new, book.sheets.index(sheet) + 1)
            return new.id

        return self._document(id).change(copy)

    def move_tab(self, id: str, tab: str, index: int) -> None:
        """Drag a sheet to before the one at an index."""
        self._edit(id, tab, lambda book, sheet: batch_sheets.reorder(book, sheet, index))

    def hide_tab(self, id: str, tab: str, hidden: bool = True) -> None:
        """Hide a sheet, or show it again."""
        self._edit(id, tab, lambda _, sheet: setattr(sheet, "hidden", hidden))

    def delete_tab(self, id: str, tab: str) -> None:
        """Delete a sheet."""
        self._edit(id, tab, lambda book, sheet: book.remove(sheet))


def _columns_of(area: Area) -> range:
    return range(area.left, area.right)
